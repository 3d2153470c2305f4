// C's conversions between integers of 8, 16, 32 and 64 bits and floating types: one line for each source, one column for each target.
#include <stdio.h>

typedef signed __int8 S8;
typedef unsigned __int8 U8;
typedef signed __int16 S16;
typedef unsigned __int16 U16;
typedef signed __int32 S32;
typedef unsigned __int32 U32;
typedef signed __int64 S64;
typedef unsigned __int64 U64;

#define ROW(type, value) do { \
        volatile type from = (type)(value); \
        S8 a; U8 b; S16 c; U16 d; S32 e; U32 f; S64 g; U64 h; \
        a = (S8)from; b = (U8)from; c = (S16)from; d = (U16)from; e = (S32)from; f = (U32)from; g = (S64)from; h = (U64)from; \
        printf("%-3s %d %u %d %u %d %u %lld %llu\n", #type, a, b, c, d, e, f, g, h); \
    } while (0)

/* The type of an expression, by its size and by whether -1 of it is less than 0. */
#define KIND(x) printf("%s%u ", ((x) * 0 - 1) < 0 ? "S" : "U", (unsigned)sizeof(x) * 8)

static S64 widen(S32 value) { return value; }
static U64 widen_unsigned(U32 value) { return value; }
static S8 narrow(S64 value) { return (S8)value; }
static U64 through(S8 value) { return (U64)value; }
static U64 through_unsigned(S8 value) { return (U8)value; }

int main(void)
{
    S8 s8 = -1; U8 u8 = 255; S16 s16 = -1; U16 u16 = 65535; S32 s32 = -1; U32 u32 = 1; S64 s64 = -1; U64 u64 = 1;
    float single; double twice; S32 i;

    ROW(S8, -128); ROW(U8, 200); ROW(S16, -32768); ROW(U16, 0xBEEF); ROW(S32, -2147483647 - 1); ROW(U32, 0xDEADBEEF);
    ROW(S64, -81985529216486896); ROW(U64, 0xFEDCBA9876543210);

    KIND(s8); KIND(s8 + s8); KIND(u8 + u8); KIND(s16 * u16); KIND(s32 + u32); KIND(s32 + u8); KIND(u32 + s64); KIND(s64 + u64); KIND(u8 << 1);
    KIND(+u16); KIND(-u16); KIND(~u8); KIND(-u32); KIND('a'); KIND(1 ? s8 : u8); KIND(1 ? s32 : u32); KIND(1 ? u32 : s64); printf("\n");
    KIND(2147483647); KIND(0x80000000); KIND(0xFFFFFFFFF); KIND(1U); KIND(1LL); KIND(1ULL); KIND(0x8000000000000000); printf("\n");

    printf("%d %d %d %d %d %d\n", s8 < u8, s8 == u8, s16 < u16, s32 < u32, s64 < u32, s64 < u64);
    printf("%d %d %d %d\n", (U8)~u8 == 0, ~u8 == 0, (U16)(u16 + 1) == 0, u16 + 1 == 0);
    printf("%lld %llu %d %llx %llx\n", widen(-5), widen_unsigned(0xFFFFFFFB), narrow(0x1234567890), through(-2), through_unsigned(-2));
    printf("%d %d %lld %lld\n", u8 * u8 * u8, s16 * s16, (S64)s32 * 0x100000000, (S64)(U32)s32 << 4);
    u8 += 2; u16 *= u16; s8 -= 128; s16 >>= 4; u32 -= 2; s64 <<= 40; u64 = u64 - 2 > 0; s32 = u32 >> 28;
    printf("%u %u %d %d %u %lld %llu %d\n", u8, u16, s8, s16, u32, s64, u64, s32);
    for (i = 0, u8 = 250; u8 > 5; u8++) i++;
    printf("%d %u\n", i, u8);

    single = 16777217; twice = 16777217;
    printf("%.1f %.1f %d %d\n", single, twice, (S32)-1.99, (U8)(S32)-1.99);
    single = 0.1f; twice = 0.1;
    printf("%d %d %d\n", single == twice, single == (float)twice, (S32)(twice * 3 * 10) + (S32)(7 / 2) * 10 + (S32)(7 / 2.0 * 10));
    printf("%.0f %.0f %lld %llu\n", (double)0xFFFFFFFFFFFFFFFF, (double)-1LL, (S64)1e18, (U64)1.5e19);
    return 0;
}
