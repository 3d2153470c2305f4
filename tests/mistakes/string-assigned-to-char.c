void f(void)
{
    char c = "a";
    char s[10];
    s = "hello";
    WCHAR w[4] = "abc";
    UNICODE_STRING u = L"abc";
}
