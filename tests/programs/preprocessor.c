// The preprocessor: conditions, pasting, strings, variadic macros, macros that name themselves, lines and files.
#include <stdio.h>

static int self = 1;
#define self (self + 1)
#define JOIN(a, b) a##b
#define JOINED(a, b) JOIN(a, b)
#define TEXT_OF(x) #x
#define EXPANDED_TEXT_OF(x) TEXT_OF(x)
#define ONE 1
#define TWO (ONE + ONE)
#define f(x) g(x) + f(x)
#define g(x) (x * 2)
#define EMPTY
#define CALL(function, ...) function(__VA_ARGS__)
#define LOG(format, ...) printf(format "\n", ##__VA_ARGS__)
#define COUNT(...) COUNT_(__VA_ARGS__, 4, 3, 2, 1, 0)
#define COUNT_(a, b, c, d, count, ...) count
#define LONG_ONE(a) \
    ((a) + \
     (a))
#define STATEMENTS(x) do { total += (x); } while (0)

#if defined(ONE) && !defined NOTHING && ONE == 1 && (TWO * 3) % 4 == 2
#define FIRST "first"
#elif 1
#error "not here"
#else
#error "nor here"
#endif

#ifdef NOTHING
#error "no"
#elif 'a' + 1 == 'b' && -1 < 0 && (0x80000000 > 0) && 1ULL << 63 > 0 && 10LL / 3 == 3 && (1 ? 2 : 3) == 2 && ~0 == -1
#define SECOND "second"
#endif

#ifndef NOTHING
#if 0
This is not C: it's "never read
#else
#define THIRD "third" /* a comment
   over two lines */
#endif
#endif

#undef ONE
#define ONE 10

int main(void)
{
    int total = 0;
    int JOINED(var, ONE) = 5, JOIN(x, ) = 6, JOIN(, y) = self;
    const char *file = __FILE__;
    int line = __LINE__;

    printf("%s %s %s\n", FIRST, SECOND, THIRD);
    printf("%d %d %d %d\n", var10, x, y, TWO);
    printf("%s %s\n", TEXT_OF(a  "b\n" + 'c'), EXPANDED_TEXT_OF(TWO));
    printf("%d %d\n", LONG_ONE(3), CALL(LONG_ONE, 4));
    LOG("plain");
    LOG("%d %s", 1, "two");
    printf("%d %d %d %s\n", COUNT(a), COUNT(a, b), COUNT(a, b, c), TEXT_OF(EMPTY));
    STATEMENTS(4);
    printf("%d %s\n", total, EXPANDED_TEXT_OF(f(3)));
    printf("%s %d\n", file, line);
    return 0 EMPTY;
}
