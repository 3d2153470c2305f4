// What C programs also contain: one line of output for each corner of the language.
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <stddef.h>
typedef struct { int a; struct { char b[3]; union { short s; unsigned char c[2]; } u; } in[2]; } T;
typedef int (*BIN)(int, int);
static int add(int a, int b) { return a + b; }
static int mul(int a, int b) { return a * b; }
static BIN pick(int n) { return n ? add : mul; }
static int (*pick2(int n))(int, int) { return n ? mul : add; }
typedef struct { double x, y; int n; } P;
static P mk(double x, int n) { P p = { x, .n = n }; return p; }
static P twice(P p) { p.x *= 2; p.n++; return p; }
static int sum2(int (*m)[3], int rows) { int i, j, s = 0; for (i = 0; i < rows; i++) for (j = 0; j < 3; j++) s += m[i][j]; return s; }
static int sum3(int m[][3], int rows) { return sum2(m, rows); }
static int fact(int n) { return n <= 1 ? 1 : n * fact(n - 1); }
enum E { A = -2, B, C = 5, D };
struct node { struct node *next; int v; };
#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
int counter(void) { static int c; return c++; }
extern int ext; int ext = 3;
_Static_assert(sizeof(int) == 4, "int");
static const char *names[] = { [2] = "two", "three", [0] = "zero" };
int main(void)
{
    T t = { 1, { [1] = { "ab", { .c = { 1, 2 } } } } };
    int m[2][3] = { { 1, 2, 3 }, { 4, 5 } };
    int i, j, k = 0; unsigned u = 0; unsigned char uc = 255; signed char sc = -128; short sh; long long ll; unsigned long long ull;
    struct node n[3] = { { &n[1], 1 }, { &n[2], 2 }, { 0, 3 } }, *p;
    int *q, arr[] = { 5, 4, 3, 2, 1 };
    float f = 1.0f / 3; double d = 0x1.8p1; _Bool b = 5;
    char s[] = "a\tb\\\"\x41\101" "cat", *e;
    P pp;
    printf("%d %d %s %d %d\n", t.a, t.in[0].b[0], t.in[1].b, t.in[1].u.s, (int)sizeof(T));
    printf("%d %d %d\n", pick(0)(3, 4), pick2(0)(3, 4), (*pick(1))(1, 1));
    pp = twice(twice(mk(1.5, 7))); printf("%g %g %d\n", pp.x, pp.y, pp.n);
    printf("%d %d %d\n", sum2(m, 2), sum3(m, 1), fact(10));
    printf("%d %d %d %d\n", A, B, C, D);
    for (p = n; p; p = p->next) k = k * 10 + p->v;
    printf("%d %d\n", k, container_of(&n[1].v, struct node, v) == &n[1]);
    u--; uc++; sc--; printf("%u %d %d\n", u, uc, sc);
    sh = (short)(32767 + 1); ll = 1LL << 40; ull = (unsigned long long)-1; printf("%d %lld %llu %llu\n", sh, ll, ull, ull / 3);
    printf("%d %d %d %d\n", -7 / 2, -7 % 2, -7 >> 1, (int)(-7u >> 28));
    printf("%d %d %d\n", 'a' + 1, (char)200 < 0, (unsigned char)-1 == 255);
    printf("%.6f %g %d %d\n", f, d, b, (int)3.99);
    printf("%s %d %d\n", s, (int)sizeof s, (int)strlen(s));
    q = arr + 5; printf("%d %d %d %d\n", (int)(q - arr), *(q - 2), q[-1], 2[arr]);
    printf("%d %d\n", counter() + counter() * 10, ext);
    for (i = 0, j = 10; i < j; i++, j--) if (i == 3) { continue; } else if (i == 4) break;
    printf("%d %d\n", i, j);
    printf("%s %s %d\n", names[0], names[3], names[1] == NULL);
    { int x = 1; { int x = 2; k = x; } k += x; } printf("%d\n", k);
    i = 5; i += i++ ? 1 : 0; j = (i, 7); k = i > 3 ? j > 9 ? 1 : 2 : 3; printf("%d %d\n", j, k);
    switch ((long long)1 << 33) { case 1LL << 33: printf("big\n"); break; default: printf("no\n"); }
    switch (sc) { case -1: printf("m\n"); break; case 127: printf("127\n"); }
    printf("%d\n", ((int[]){ 1, 2, 3 })[1] + (&(P){ .n = 4 })->n);
    e = s; while (*e) { if (*e == 'c') *e = 'C'; e++; } puts(s);
    printf("%x %x\n", ~0u ^ 0xF0F0, 0xFFu & ~0x0Fu | 1 << 8);
    { unsigned a = 1, c = 2; printf("%d %u\n", a - c > 0, a - c); }
    { int v = 3; int *pv = &v; int **ppv = &pv; **ppv += 4; printf("%d\n", v); }
    { struct { unsigned x : 3, y : 5; int z : 4; } bf = { 9, 40, 7 }; bf.z++; bf.x += 10; printf("%d %d %d\n", bf.x, bf.y, bf.z); }
    { union { float f; unsigned u; } un; un.f = 1.0f; printf("%x\n", un.u); }
    { char buf[4][8]; strcpy(buf[2], "row"); printf("%s %d\n", buf[2], (int)sizeof buf[0]); }
    { double sum = 0; for (i = 1; i <= 10; i++) sum += 1.0 / i; printf("%.10f %e %g\n", sum, sum * 1e20, 1e-5); }
    { int a[3] = { 0 }; i = 0; a[i++] = i; a[i] = a[i - 1] + 5; printf("%d %d\n", i, a[1] > 4); }
    { volatile int vi = 3; vi = vi * vi; printf("%d\n", vi); }
    { int (*fp[2])(int, int) = { add, mul }; printf("%d\n", fp[1](6, 7)); }
    { long double ldv = 2.5L; printf("%.1f\n", (double)ldv); }
    { const struct node cn = { 0, 9 }; struct node c2 = cn; c2.v++; printf("%d\n", c2.v); }
    { goto skip; skip: ; } 
    { int z = 0; do { if (z == 2) continue; z++; } while (z < 2); printf("%d\n", z); }
    printf("%d %d\n", (int)sizeof(struct { char c; double d; }), (int)_Alignof(double));
    printf("%d\n", strcmp("abc", "abd") < 0 && !memcmp("ab", "ab", 2));
    printf("%5.2f|%-8s|%08.3f|%+d|%x|%c|%%|%s\n", 3.14159, "hi", 2.5, 5, 255, 'z', (char *)"end");
    return 0;
}
