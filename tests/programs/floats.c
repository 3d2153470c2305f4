// float and double, and conversions between them and integers.

static double half(int n) { return n / 2.0; }
static float third(void) { return 1.0f / 3.0f; }

int main(void)
{
    double d = 1.5, e = 0.1;
    float f = 0.1f;
    int i = 7;
    CHECK(8, sizeof(d)); CHECK(4, sizeof(f)); CHECK(8, sizeof(f * d)); CHECK(1, d == 1.5); CHECK(3, d * 2); CHECK(1, (int)d); CHECK(-1, (int)-d);
    CHECK(1, half(3) == 1.5); CHECK(0, f == e); CHECK(1, f == 0.1f); CHECK(1, third() != 1.0 / 3.0); CHECK(7, (int)(i + 0.9)); CHECK(1, i / 2 == 3);
    d += i; CHECK(1, d == 8.5); d++; CHECK(1, d == 9.5); i = d; CHECK(9, i); i *= 1.5; CHECK(13, i); CHECK(1, d > i - 4); CHECK(1, !0.0); CHECK(1, d ? 1 : 0);
    CHECK(1, -d < 0); CHECK(255, (unsigned char)255.9); CHECK(1, 1 / 4.0 == 0.25); CHECK(3000000000LL, (unsigned)3e9);
    return 0;
}
