int f(int x = 3) { return y; }
int g(int a) { return a; }
int g(int a, int b) { return a + b; }
