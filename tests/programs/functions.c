// Functions: recursion, pointers to functions, arguments by conversion, variable arguments, names that Python reserves.

typedef int (*REACTION)(void *context, int value);
typedef struct { REACTION call; void *context; } HANDLER;

int later(int);
static long long factorial(int n) { return n < 2 ? 1 : n * factorial(n - 1); }
static int is_even(unsigned n);
static int is_odd(unsigned n) { return n == 0 ? 0 : is_even(n - 1); }
static int is_even(unsigned n) { return n == 0 ? 1 : is_odd(n - 1); }
static unsigned char narrow(unsigned char c) { return c; }
static int add_to(void *context, int value) { *(int *)context += value; return *(int *)context; }
static int fire(const HANDLER *h, int value) { return h->call(h->context, value); }
static void each(int *from, int count, void (*visit)(int *)) { for (int i = 0; i < count; i++) visit(from + i); }
static void twice(int *p) { *p *= 2; }
static REACTION choose(int which) { return which ? add_to : 0; }
static int changes_argument(int n) { n += 5; return n; }
static int argument_address(int n) { int *p = &n; *p += 1; return n; }
static void nothing(void) { return; }
static int lambda(int in, int is, int None) { int def = in + is, pass = None; return def + pass; }
static int print(int x) { return x + 1; }
static int named_like_helpers(int steps, int frame, int t) { return steps + frame + t; }
int in_frame[3];

int main(void)
{
    int total = 5, values[3] = {1, 2, 3};
    HANDLER handler = {add_to, &total};
    int (*pointer)(int) = later;

    CHECK(120, factorial(5)); CHECK(2432902008176640000LL, factorial(20)); CHECK(1, is_even(10)); CHECK(0, is_odd(10));
    CHECK(44, narrow(300)); CHECK(255, narrow(-1)); CHECK(8, fire(&handler, 3)); CHECK(8, total); CHECK(9, handler.call(handler.context, 1));
    each(values, 3, twice); CHECK(6, values[2]); CHECK(19, choose(1)(&total, 10)); CHECK(1, choose(0) == 0); CHECK(1, choose(1) != 0);
    CHECK(6, changes_argument(1)); CHECK(2, argument_address(1)); nothing(); CHECK(6, lambda(1, 2, 3)); CHECK(8, print(7)); CHECK(6, named_like_helpers(1, 2, 3));
    CHECK(43, later(42)); CHECK(43, pointer(42)); CHECK(43, (*pointer)(42)); CHECK(1, pointer == &later);
    CHECK(6, variable(3, 1, 2, 3)); CHECK(-1, variable(1, -1)); CHECK(0, variable(0)); CHECK(300, variable(2, (unsigned char)200, (char)100));
    return 0;
}

int later(int n) { return n + 1; }
