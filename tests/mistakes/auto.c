void f(PIRP Irp)
{
    auto x = Irp;
    for (auto i = 0; i < 3; i++) { }
    y = 2;
}
