int a[3] = {1, 2, 3, 4};
int b[] = [1, 2, 3];
int c[3] = (1, 2, 3);
struct P { int x, y; } p = {.x = 1, .z = 2};
struct P q = {x: 1};
int f(void) { return d; }
