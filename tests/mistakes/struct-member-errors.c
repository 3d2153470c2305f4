typedef struct _CTX {
    int a b;
    PIPR Irp;
    int c;
} CTX, *PCTX;
int f(PCTX p)
{
    return p->a + p->c + p->d;
}
