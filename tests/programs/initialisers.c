// Initialisers: nested, designated, strings, left-out braces, compound literals, static locals.

typedef struct { int x, y; } POINT;
typedef struct { POINT p[2]; char tag[4]; struct { short s; union { int i; char c[4]; }; }; } DEEP;
typedef int (*OPERATION)(int, int);

static int add(int a, int b) { return a + b; }
static int sub(int a, int b) { return a - b; }
static int apply(OPERATION f, int a, int b) { return f ? f(a, b) : -1; }
static int counter(void) { static int calls = 10; return ++calls; }
static int other_counter(void) { static int calls; calls += 2; return calls; }
static int sum_of(const POINT *p) { return p->x + p->y; }

int plain = 3 * 4 + 1;
int zero;
int *address = &plain;
int **address2 = &address;
int open[] = {1, 2, 3, [7] = 8, 9};
int matrix[2][3] = {1, 2, 3, 4, 5, 6};
char text[] = "abc";
char cut[2] = "xy";
char padded[6] = {"hi"};
const char *pointer = "pointer" + 3;
unsigned short wide[] = L"wide";
DEEP deep = {{{1, 2}, {3, 4}}, "abc", {5, {6}}};
DEEP flat = {1, 2, 3, 4, {'a', 'b'}, 5, 6};
DEEP named = {.p[1].y = 9, .tag = "zz", .i = 258};
OPERATION operations[] = {add, &sub, 0};
struct { const char *name; OPERATION run; } menu[] = {{"add", add}, {.run = sub, .name = "sub"}};
POINT *literal = &(POINT){4, 5};
enum color { RED, GREEN = 5, BLUE };
enum color favourite = BLUE;
static const int later;
static const int later = 6;

int main(void)
{
    int local[4] = {1, 2}, n = 3, computed[] = {n, n * n, n + add(n, 1)};
    char word[] = "word", none[3] = {0};
    POINT p = {n}, q = {.y = n + 1}, list[] = {{1, 2}, {n, 4}, p};
    DEEP d = {.p = {{1}, {.y = 7}}, .tag = {'q'}, .s = 3, .c = {1, 1}};
    OPERATION op = add;
    int braces = {5};

    CHECK(13, plain); CHECK(0, zero); CHECK(13, *address); CHECK(13, **address2); CHECK(9, sizeof(open) / sizeof(int)); CHECK(8, open[7]);
    CHECK(9, open[8]); CHECK(0, open[5]); CHECK(6, matrix[1][2]); CHECK(4, matrix[1][0]);
    CHECK(4, sizeof(text)); CHECK('c', text[2]); CHECK(0, text[3]); CHECK('y', cut[1]); CHECK('i', padded[1]); CHECK(0, padded[5]);
    CHECK('n', *pointer); CHECK(10, sizeof(wide)); CHECK('e', wide[3]); CHECK(0, wide[4]);
    CHECK(4, deep.p[1].y); CHECK('c', deep.tag[2]); CHECK(5, deep.s); CHECK(6, deep.i); CHECK(4, flat.p[1].y); CHECK('b', flat.tag[1]); CHECK(6, flat.i);
    CHECK(9, named.p[1].y); CHECK('z', named.tag[1]); CHECK(2, named.c[0]); CHECK(1, named.c[1]); CHECK(0, named.p[0].x);
    CHECK(7, operations[0](3, 4)); CHECK(-1, operations[1](3, 4)); CHECK(-1, apply(operations[2], 1, 1)); CHECK(5, menu[1].run(9, 4)); CHECK('s', *menu[1].name);
    CHECK(9, (*menu[0].run)(4, 5)); CHECK(9, (**op)(4, 5)); CHECK(1, op == operations[0]); CHECK(0, op == sub); CHECK(9, sum_of(literal));
    CHECK(6, favourite); CHECK(5, GREEN); CHECK(1, RED == 0); CHECK(6, later);

    CHECK(2, local[1]); CHECK(0, local[3]); CHECK(9, computed[1]); CHECK(7, computed[2]); CHECK(5, sizeof(word)); CHECK('d', word[3]); CHECK(0, none[2]);
    CHECK(3, p.x); CHECK(0, p.y); CHECK(4, q.y); CHECK(0, q.x); CHECK(24, sizeof(list)); CHECK(3, list[1].x); CHECK(3, list[2].x);
    CHECK(7, d.p[1].y); CHECK(0, d.p[1].x); CHECK('q', d.tag[0]); CHECK(0, d.tag[1]); CHECK(3, d.s); CHECK(257, d.i); CHECK(5, braces);
    CHECK(11, counter()); CHECK(12, counter()); CHECK(2, other_counter()); CHECK(4, other_counter());
    CHECK(30, sum_of(&(POINT){10, 20})); CHECK(3, ((int[]){1, 2, 3})[2]); CHECK(12, sizeof((int[]){1, 2, 3})); p = (POINT){.x = 8}; CHECK(8, p.x); CHECK(0, p.y);
    return 0;
}
