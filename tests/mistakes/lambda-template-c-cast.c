void f(void)
{
    int x = static_cast<int>(3.0);
    std::vector<int> v;
    auto g = [](int a) { return a; };
    y = 1;
}
