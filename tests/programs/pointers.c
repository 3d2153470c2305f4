// Pointers, arrays and the addresses of locals.

struct pair { int first; struct pair *next; };
int table[5] = {1, 2, 3, 4, 5};
int *const middle = &table[2];
char *names[] = {"one", "two", "three"};
unsigned char bytes[8];

static void swap(int *a, int *b) { int t = *a; *a = *b; *b = t; }
static int sum(const int *values, int count) { int total = 0; while (count--) total += *values++; return total; }
static int length(const char *s) { const char *p = s; while (*p) p++; return (int)(p - s); }
static int *find(int *from, int *to, int wanted) { for (; from != to; ++from) if (*from == wanted) return from; return 0; }

int main(void)
{
    int x = 1, y = 2, *p = &x, **pp = &p, a[3] = {7, 8, 9}, grid[2][3] = {{1, 2, 3}, {4, 5, 6}};
    struct pair one = {1, 0}, two = {2, &one}, *walk;
    unsigned char *q = bytes;
    unsigned long long number;
    void *v = &y;
    short narrow = -2;
    int i = 0;

    swap(&x, &y); CHECK(2, x); CHECK(1, y);
    *p = 5; CHECK(5, x); **pp = 6; CHECK(6, x); *pp = &y; CHECK(1, *p); CHECK(1, p == &y); CHECK(0, p == &x);
    CHECK(1, *(int *)v); CHECK(24, sum(a, 3)); CHECK(15, sum(table, sizeof(table) / sizeof(table[0])));
    CHECK(3, *middle); CHECK(4, middle[1]); CHECK(2, middle[-1]); CHECK(2, (int)(middle - table)); CHECK(3, 2[table]);
    CHECK(5, length("hello")); CHECK(0, length("")); CHECK('h', *"hello"); CHECK('o', "hello"[4]); CHECK(6, sizeof("hello"));
    CHECK('t', names[1][0]); CHECK('r', *(names[2] + 2)); CHECK(3, sizeof(names) / sizeof(*names));
    CHECK(6, grid[1][2]); CHECK(4, *grid[1]); CHECK(12, sizeof(grid[0])); CHECK(5, (*(grid + 1))[1]); CHECK(21, sum(&grid[0][0], 6));
    CHECK(4, *find(table, table + 5, 4)); CHECK(1, find(table, table + 5, 9) == 0); CHECK(1, !find(table, table + 5, 9));

    p = a; CHECK(7, *p++); CHECK(8, *p); CHECK(9, *++p); CHECK(9, *p--); CHECK(8, (*p)++); CHECK(9, *p); CHECK(10, ++*p);
    p += 1; CHECK(9, *p); p -= 2; CHECK(7, *p); *p++ += 3; CHECK(10, a[0]); CHECK(10, *p); CHECK(1, p - a); CHECK(-1, a - p);
    a[i++] = i + 10; CHECK(1, i); a[i] <<= 1; CHECK(20, a[1]);
    CHECK(1, p > a); CHECK(1, p >= a); CHECK(0, p < a); CHECK(1, p && a); CHECK(0, !p);

    *q++ = 0x78; *q++ = 0x56; *q++ = 0x34; *q++ = 0x12;
    CHECK(0x12345678, *(int *)bytes); CHECK(0x5678, *(unsigned short *)bytes); CHECK(4, q - bytes);
    *(unsigned *)(bytes + 4) = 0xfffefdfc; CHECK(0xfe, bytes[6]); CHECK(-1, *(signed char *)&bytes[7]);
    number = (unsigned long long)&bytes[3]; CHECK(0x12, *(unsigned char *)number); CHECK(3, number - (unsigned long long)bytes);
    CHECK(-2, *&narrow); CHECK(0xfffe, *(unsigned short *)&narrow);

    walk = &two; CHECK(2, walk->first); walk = walk->next; CHECK(1, walk->first); CHECK(1, walk->next == 0); CHECK(1, two.next->first);
    two.next->first = 44; CHECK(44, one.first); (&one)->first++; CHECK(45, one.first); CHECK(8, (int)(long long)&((struct pair *)0)->next);
    return 0;
}
