/*
 * stdlib.h: what a program with a main allocates, sorts and ends with. What drivers use too is in wdmrtl.h.
 *
 * Rule: malloc is pool, so that its misuse is seen like a driver's.
 */
#ifndef _WSKLAB_STDLIB_H_
#define _WSKLAB_STDLIB_H_

#include "wdmmm.h"

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX 0x7FFF
typedef struct _div_t { int quot, rem; } div_t;


DECLSPEC_NORETURN void exit(int status);
DECLSPEC_NORETURN FORCEINLINE void abort(void)
{
    exit(3);
}
size_t wsklab_size(void *Block);
FORCEINLINE void *malloc(size_t size)
{
    return ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, size ? size : 1, 'llam');
}
FORCEINLINE void *calloc(size_t number, size_t size)
{
    return ExAllocatePool2(POOL_FLAG_NON_PAGED, number * size ? number * size : 1, 'llac');
}
FORCEINLINE void free(void *memblock)
{
    if (memblock) ExFreePool(memblock);
}
FORCEINLINE void *realloc(void *memblock, size_t size)
{
    void *moved = malloc(size);
    if (memblock && moved) {
        size_t before = wsklab_size(memblock);
        memcpy(moved, memblock, before < size ? before : size);
        free(memblock);
    }
    return moved;
}
FORCEINLINE div_t div(int numer, int denom)
{
    div_t result;
    result.quot = numer / denom;
    result.rem = numer % denom;
    return result;
}
FORCEINLINE unsigned __int64 _strtoui64(const char *strSource, char **endptr, int base)
{
    unsigned __int64 value = 0;
    const char *at = strSource;
    int negative, any = 0;
    while (isspace(*at)) at++;
    negative = *at == '-';
    if (*at == '-' || *at == '+') at++;
    if ((base == 0 || base == 16) && at[0] == '0' && (at[1] == 'x' || at[1] == 'X') && isxdigit(at[2])) {
        at += 2;
        base = 16;
    }
    if (base == 0) base = *at == '0' ? 8 : 10;
    for (;; at++) {
        int digit = isdigit(*at) ? *at - '0' : isalpha(*at) ? toupper(*at) - 'A' + 10 : 99;
        if (digit >= base) break;
        value = value * base + digit;
        any = 1;
    }
    if (endptr) *endptr = (char *)(any ? at : strSource);
    return negative ? 0 - value : value;
}
FORCEINLINE long strtol(const char *strSource, char **endptr, int base)
{
    __int64 value = (__int64)_strtoui64(strSource, endptr, base);
    return value > 0x7FFFFFFF ? 0x7FFFFFFF : value < -0x7FFFFFFFi64 - 1 ? (long)0x80000000 : (long)value;
}
FORCEINLINE unsigned long strtoul(const char *strSource, char **endptr, int base)
{
    return (unsigned long)_strtoui64(strSource, endptr, base);
}
FORCEINLINE long long strtoll(const char *strSource, char **endptr, int base)
{
    return (long long)_strtoui64(strSource, endptr, base);
}
FORCEINLINE unsigned long long strtoull(const char *strSource, char **endptr, int base)
{
    return _strtoui64(strSource, endptr, base);
}
#endif
