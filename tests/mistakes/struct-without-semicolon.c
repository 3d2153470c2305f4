struct A {
    int a;
    int b
}
int f(struct A *p)
{
    return p->b + p->c;
}
