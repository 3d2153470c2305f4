// C's remaining corners: _Generic, const, K&R definitions, pasting of nothing, push_macro, #line, records in variadic calls.
#include <stdio.h>

typedef struct { int x, y; } POINT;
typedef struct { char c; } SMALL;
typedef struct { double d[3]; } LARGE;

#define NAME(x) _Generic((x), int: "int", long: "long", double: "double", char *: "char *", const char *: "const char *", \
                         POINT: "POINT", default: "other")
#define PASTE(a, b) a ## b
#define LAST(a, ...) (0, ##__VA_ARGS__, a)
#define SHOW(...) #__VA_ARGS__
#define WIDTH 111

int older(a, p)
    int a;
    char *p;
{
    return a + p[0];
}

int unspecified();

static int sum(int count, ...)
{
    int total = 0;
    va_list arguments;

    va_start(arguments, count);
    while (count--) {
        POINT point = va_arg(arguments, POINT);
        SMALL small = va_arg(arguments, SMALL);
        LARGE large = va_arg(arguments, LARGE);
        total += point.x * 1000 + point.y * 100 + small.c * 10 + (int)large.d[2];
    }
    va_end(arguments);
    return total;
}

int unspecified(int a, double b)
{
    return (int)(a + b);
}

int main()
{
    const char *text = "const";
    char buffer[] = "plain";
    const int fixed = 4;
    POINT point = {1, 2};
    SMALL small = {3};
    LARGE large = {{0, 0, 4}};
    enum color { RED, GREEN = 7 } color = GREEN;

    printf("%s, %s, %s, %s, %s, %s, %s\n", NAME(1), NAME(2L), NAME(1.5), NAME(buffer), NAME(text), NAME(point), NAME(&point));
    printf("%d %d %d\n", older(1, "A"), unspecified(1, 2.75), PASTE(12, ) + PASTE(, 3));
    printf("%d %s %d\n", LAST(fixed), SHOW(a, "b", c), color);
#pragma push_macro("WIDTH")
#undef WIDTH
#define WIDTH 222
    printf("%d ", WIDTH);
#pragma pop_macro("WIDTH")
    printf("%d\n", WIDTH);
    printf("%d\n", sum(2, point, small, large, point, small, large));
#line 1000
    printf("%d\n", __LINE__);
    return 0;
}
