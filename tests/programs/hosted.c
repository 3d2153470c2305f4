// A program with an ordinary main: the C library on the simulated machine, and arguments of its own variadic functions.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int order(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static double total(int n, ...)
{
    double t = 0; int i; va_list ap, again;
    va_start(ap, n);
    va_copy(again, ap);
    for (i = 0; i < n; i++) t += va_arg(ap, double);
    for (i = 0; i < n; i++) t += 100 * va_arg(again, double);
    va_end(ap); va_end(again);
    return t;
}
static int fmt(char *b, const char *f, ...) { va_list ap; int n; va_start(ap, f); n = vsprintf(b, f, ap); va_end(ap); return n; }
int main(int argc, char **argv)
{
    int i, a[] = {5, 3, 9, 1, 7, 3}; char b[100], *e; FILE *f;
    qsort(a, 6, sizeof(int), order);
    for (i = 0; i < 6; i++) printf("%d ", a[i]);
    i = 7; printf("\n%p %d\n", (void *)bsearch(&i, a, 6, 4, order) == (void*)(a + 4), argc);
    printf("%.2f %5.1f|%-8g|%e %G\n", total(3, 1.0, 2.5, 3.25), 2.25, 1e10, 12345.678, 1e-7);
    printf("%d %s\n", fmt(b, "%s-%03d-%lld-%x", "ab", 7, 1234567890123LL, 255), b);
    printf("%ld %lu %ld\n", strtol("-0x1F zz", &e, 0), strtoul("777", 0, 8), atol("  42x")); puts(e);
    printf("%s %s %d\n", strchr("hello", 'l'), strrchr("hello", 'l'), (int)strspn("aabc", "ab"));
    f = fopen("x.txt", "w"); fprintf(f, "line %d\nline %d\n", 1, 2); fclose(f);
    f = fopen("x.txt", "r"); while (fgets(b, 100, f)) printf("<%s>", b); putchar('\n'); fclose(f);
    e = malloc(10); strcpy(e, "123456789"); e = realloc(e, 20); strcat(e, "abc"); puts(e); free(e);
    srand(1); printf("%d %d\n", rand(), rand());
    exit(0);
}
