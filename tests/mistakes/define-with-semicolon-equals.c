#define SIZE 10;
#define COUNT = 5
int a[SIZE];
int f(void) { int b[COUNT]; return SIZE + y; }
