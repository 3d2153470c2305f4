// Integer arithmetic as x64 Windows does it: LLP64, two's complement, promotions and usual conversions.

typedef unsigned char UCHAR_;
typedef unsigned short USHORT_;
typedef unsigned int UINT_;
typedef unsigned long long U64;
typedef long long I64;

static int truncated(int a, int b) { return a / b * 1000 + a % b; }

int main(void)
{
    int i = 2147483647, j = -7;
    unsigned u = 0;
    UCHAR_ c = 200;
    signed char s = 127;
    USHORT_ w = 65535;
    U64 q = 0;
    I64 l = -1;

    // sizes of LLP64
    CHECK(4, sizeof(int)); CHECK(4, sizeof(long)); CHECK(8, sizeof(long long)); CHECK(8, sizeof(void *));
    CHECK(2, sizeof(L'x')); CHECK(4, sizeof 'x'); CHECK(8, sizeof(sizeof(int))); CHECK(4, sizeof(c + c));

    // wrapping
    CHECK(-2147483648LL, i + 1);
    CHECK(4294967295LL, u - 1);
    i++; CHECK(-2147483648LL, i); i--; CHECK(2147483647, i);
    u--; CHECK(4294967295LL, u); CHECK(4294967295LL, u++); CHECK(0, u); CHECK(0, u--); ++u;
    CHECK(144, (UCHAR_)(c + c)); CHECK(400, c + c);
    s++; CHECK(-128, s);
    w += 2; CHECK(1, w);
    q--; CHECK(-1, (I64)q); CHECK(1, q > 0);
    c += 100; CHECK(44, c);
    c = -1; CHECK(255, c);
    CHECK(-1, (signed char)c);
    CHECK(65535, (USHORT_)-1);
    CHECK(4294967294LL, 4294967295U * 2U);
    CHECK(1, 65535 * 65537 == -1);
    i = 100000; CHECK(1410065408, i * i);
    u = 3000000000U; CHECK(1705032704, u + u);
    CHECK(6000000000LL, (U64)u + u);
    i = -2147483647 - 1; CHECK(-2147483648LL, -i); CHECK(2147483647, ~i);
    u = 1; CHECK(4294967295LL, -u); CHECK(4294967294LL, ~u);

    // usual arithmetic conversions
    CHECK(0, -1 < 1U); CHECK(1, -1 < 1); CHECK(0, l < 1ULL); CHECK(1, j < 3);
    u = 10; CHECK(1, j + u > 2); CHECK(3, j + u); CHECK(1, (int)(j - u) < 0);

    // division is cut toward zero
    CHECK(-3001, truncated(-7, 2)); CHECK(-2999, truncated(7, -2)); CHECK(2999, truncated(-7, -2)); CHECK(3001, truncated(7, 2));
    u = 4294967295U; CHECK(1431655765, u / 3); CHECK(5, u % 10);
    CHECK(-3, j / 2); CHECK(-1, j % 2); CHECK(-3, -7 / 2); CHECK(-1, -7 % 2);
    j /= 2; CHECK(-3, j); j %= 2; CHECK(-1, j); j = -7;

    // shifts
    CHECK(-4, j >> 1); CHECK(-2147483648LL, 1 << 31); CHECK(2147483648LL, 1U << 31); CHECK(1LL << 40, 1ULL << 40);
    i = 31; CHECK(-2147483648LL, 1 << i); u = 1; u <<= i; CHECK(2147483648LL, u); u >>= 31; CHECK(1, u);
    CHECK(15, 0xF0 >> 4); CHECK(0, (UCHAR_)(c << 8));

    // bits
    CHECK(8, 12 & 10); CHECK(14, 12 | 10); CHECK(6, 12 ^ 10); CHECK(-1, j | -1); CHECK(1, j & 1);
    u = 0xF0F0; u &= 0xFF; CHECK(0xF0, u); u |= 1; CHECK(0xF1, u); u ^= 0xF1; CHECK(0, u);

    // truth
    CHECK(1, !0); CHECK(0, !5); CHECK(1, !!7); CHECK(1, 3 && 4); CHECK(0, 3 && 0); CHECK(1, 0 || 2); CHECK(0, 0 || 0);
    i = 0; CHECK(0, i && (i = 5)); CHECK(0, i); CHECK(1, i || (i = 5)); CHECK(5, i);
    CHECK(1, (i > 3) + (i > 4) * 0); CHECK(2, (i > 3) + (i == 5));
    CHECK(7, i ? 7 : 8); CHECK(3, (1, 2, 3)); CHECK(6, (i++, i)); CHECK(12, i += 6);
    CHECK('A', 65); CHECK(10, '\n'); CHECK(10, 012); CHECK(255, 0xff);
    (void)i;
    return 0;
}
