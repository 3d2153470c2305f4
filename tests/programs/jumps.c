// Jumps into statements: case labels inside loops and blocks, goto into blocks, branches and loops.
#include <stdio.h>
static void send(short *to, short *from, int count)
{
    int n = (count + 7) / 8;
    switch (count % 8) {
    case 0: do { *to++ = *from++;
    case 7: *to++ = *from++;
    case 6: *to++ = *from++;
    case 5: *to++ = *from++;
    case 4: *to++ = *from++;
    case 3: *to++ = *from++;
    case 2: *to++ = *from++;
    case 1: *to++ = *from++;
            } while (--n > 0);
    }
}
static int into(int a)
{
    int r = 0;
    if (a == 1) goto one;
    if (a == 2) goto two;
    if (a == 3) goto three;
    if (a == 4) goto four;
    if (0) { r += 1000;
one:    r += 1; } else { r += 10;
two:    r += 2; }
    for (r += 100; r < 500; r += 100) { r += 1;
three:  r += 3; if (r == 4) break; }
    while (0) {
        { { four: r += 7; } }
    }
    return r;
}
static int sw(int a, int b)
{
    int r = 0;
    if (b) goto in;
    switch (a) {
    case 1: r += 1;
    in: r += 10; break;
    case 2: { if (b) { case 3: r += 3; } else { case 4: r += 4; default: r += 5; } r += 100; }
    while (r < 300) { case 6: r += 60; if (r > 250) break; }
    }
    return r;
}
static int beside(int a)
{
    int r = 0;
    if (a == 1) goto first;
    if (a == 2) goto second;
    {
        r += 100;
first:  r += 1;
        if (r == 1) goto third;
second: r += 10;
third:  r += 1000;
    }
    if (a == 3) third_alone: r += 5;
    if (r == 1111) goto third_alone;
    return r;
}
int main(void)
{
    short a[20], b[20]; int i, n;
    for (i = 0; i < 20; i++) { a[i] = i * 3; }
    for (n = 1; n < 18; n++) {
        for (i = 0; i < 20; i++) b[i] = -1;
        send(b, a, n);
        for (i = 0; i < 20; i++) if (b[i] != (i < n ? i * 3 : -1)) printf("bad %d %d %d\n", n, i, b[i]);
    }
    for (i = 0; i < 5; i++) printf("into %d\n", into(i));
    for (i = 0; i < 8; i++) printf("sw %d %d\n", sw(i, 0), sw(i, 1));
    for (i = 0; i < 4; i++) printf("beside %d\n", beside(i));
    return 0;
}
