typedef NTSTATUS (*CB)(PIRP);
void f(CB c)
{
    c(1, 2);
    c = f;
    f("x");
}
