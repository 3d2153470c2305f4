// Structures, unions, bit-fields, and passing them by value.

typedef struct point { int x, y; } POINT;
typedef struct { POINT from, to; char name[8]; } LINE;
typedef union { unsigned long long whole; struct { unsigned low; int high; }; unsigned char bytes[8]; } LARGE;
typedef struct { unsigned a : 3, b : 5; unsigned c : 24; int sign : 4; unsigned char tail : 7; } BITS;
typedef struct node { struct node *left, *right; int value; } NODE;
typedef struct { int count; POINT points[]; } FLEXIBLE;

static POINT add(POINT a, POINT b) { POINT r; r.x = a.x + b.x; r.y = a.y + b.y; return r; }
static POINT flipped(POINT p) { int t = p.x; p.x = p.y; p.y = t; return p; }
static int total(LINE line) { line.from.x += 1000; return line.from.x + line.to.y + line.name[0]; }
static int depth(const NODE *n) { int l, r; if (!n) return 0; l = depth(n->left); r = depth(n->right); return 1 + (l > r ? l : r); }
static POINT *itself(POINT *p) { return p; }

LINE global = {{1, 2}, {3, 4}, "line"};
POINT corners[2] = {{1, 1}, {9, 9}};

int main(void)
{
    POINT a = {1, 2}, b = {.y = 20, .x = 10}, c;
    LINE line = global;
    LARGE large;
    BITS bits = {0};
    NODE leaf = {0, 0, 1}, root = {&leaf, 0, 2};
    POINT *p = &a;

    CHECK(8, sizeof(POINT)); CHECK(24, sizeof(LINE)); CHECK(8, sizeof(LARGE)); CHECK(4, sizeof(FLEXIBLE));
    c = add(a, b); CHECK(11, c.x); CHECK(22, c.y); CHECK(1, a.x);
    CHECK(22, flipped(c).x); CHECK(11, c.x); CHECK(41, add(add(a, b), add(b, flipped(b))).x); CHECK(44, add(a, b).y + add(b, a).y);
    CHECK(1, line.from.x); CHECK(4, line.to.y); CHECK('l', line.name[0]); CHECK(0, line.name[7]); CHECK(1005 + 'l', total(line)); CHECK(1, line.from.x);
    line.to = a; CHECK(2, line.to.y); line.from = line.to = b; CHECK(20, line.from.y); global.to.x++; CHECK(4, global.to.x); CHECK(10, line.to.x);
    *p = b; CHECK(10, a.x); p->x = 5; CHECK(5, a.x); CHECK(20, (*p).y); CHECK(5, itself(&a)->x); itself(&a)->y = 6; CHECK(6, a.y);
    a = *itself(&b); CHECK(10, a.x); c = 1 ? a : b; CHECK(20, c.y); c = (a.x = 3, a); CHECK(3, c.x);
    corners[1] = corners[0]; CHECK(1, corners[1].y); p = corners; p++; p->x = 77; CHECK(77, corners[1].x); CHECK(1, p - corners);
    p->x += 3; CHECK(80, p->x); p->x++; CHECK(81, p->x++); CHECK(82, p->x); CHECK(83, ++p->x); (p--)->y -= 2; CHECK(-1, corners[1].y); CHECK(1, p == corners);

    large.whole = 0x1122334455667788ULL; CHECK(0x55667788, large.low); CHECK(0x11223344, large.high); CHECK(0x88, large.bytes[0]);
    large.high = -1; CHECK(0xffffffff55667788LL, large.whole); large.bytes[7] = 0; CHECK(0x00ffffff, large.high);

    bits.a = 9; CHECK(1, bits.a); bits.b = 31; CHECK(31, bits.b); CHECK(1, bits.a); bits.c = 0x123456; CHECK(0x123456, bits.c); CHECK(31, bits.b);
    bits.b = 0; CHECK(1, bits.a); CHECK(0x123456, bits.c); bits.sign = 7; CHECK(7, bits.sign); bits.sign = 8; CHECK(-8, bits.sign);
    bits.sign++; CHECK(-7, bits.sign); bits.a += 6; CHECK(7, bits.a); CHECK(0, ++bits.a); CHECK(0, bits.a++); CHECK(1, bits.a);
    CHECK(3, bits.b = 3 + 32); bits.tail = 200; CHECK(72, bits.tail); CHECK(0x12345619, *(unsigned *)&bits);

    bits.a = 1; CHECK(1, bits.a - 2 < 0); CHECK(0, -1 > bits.b); CHECK(1, -bits.a < 0);
    CHECK(2, depth(&root)); CHECK(0, depth(0)); CHECK(1, root.left->value); CHECK(1, !root.right);
    return 0;
}
