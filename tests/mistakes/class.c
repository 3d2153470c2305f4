class Foo {
public:
    int x;
    void bar();
};
int f(void) { return y; }
