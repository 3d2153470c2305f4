// Statements: loops, switch, goto and the jumps between them.

static int count_down(int n) { int steps = 0; while (n > 0) { n--; steps++; } return steps; }
static int at_least_once(int n) { int steps = 0; do { steps++; } while (--n > 0); return steps; }
static int odd_only(int n) { int i, total = 0; for (i = 0; i < n; i++) { if (i % 2 == 0) continue; total += i; } return total; }
static int do_continue(int n) { int total = 0; do { if (n == 3) continue; total += n; } while (n-- > 0); return total; }
static int first_square_over(int n) { for (int i = 0;; i++) if (i * i > n) return i; }
static int early(int n) { int i; for (i = 0; i < 100; i++) { if (i == n) break; } return i; }

static int fall(int n)
{
    int r = 0;
    switch (n) {
    case 0: r += 1;
    case 1: r += 10; break;
    case 2:
    case 3: r += 100;
    default: r += 1000;
    case 9: r += 5;
    }
    return r;
}

static int plain(int n)
{
    switch (n) {
    case -1: return 1;
    case 'a': { return 2; }
    case 0x100: n = 7; break;
    default: { n = 8; break; }
    }
    return n;
}

static int inner_break(int n)
{
    int r = 0;
    switch (n) {
    case 1:
        r = 1;
        if (n == 1) break;
        r = 2;
        break;
    case 2:
        for (;;) { r++; if (r == 4) break; }
        r += 10;
        break;
    }
    return r;
}

static int switch_in_loop(int n)
{
    int total = 0, i;
    for (i = 0; i < n; i++) {
        switch (i % 4) {
        case 0: continue;
        case 1: total += 1; break;
        case 2: if (total > 5) { total += 100; continue; } total += 2; break;
        default: if (i > 10) goto out; total += 3;
        }
        total += 1000;
    }
out:
    return total;
}

static int cleanup(int fail_at)
{
    int done = 0;
    if (fail_at == 1) goto fail;
    done |= 1;
    for (int i = 0; i < 3; i++) {
        while (1) { if (fail_at == 2) goto undo; break; }
        done |= 2;
    }
    return done;
undo:
    done |= 16;
fail:
    done |= 32;
    return done;
}

static int backward(int n)
{
    int i = 0, total = 0;
again:
    total += i;
    if (++i < n) goto again;
    return total;
}

static int in_block(int n)
{
    int r = 0;
    for (int i = 0; i < n; i++) {
        if (i == 1) goto next;
        r += 10;
next:
        r += 1;
    }
    return r;
}

static int nested(int n)
{
    int r = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            if (j > i) break;
            if ((i + j) % 2) continue;
            r += i * 10 + j;
        }
    }
    return r;
}

static int shadow(int x)
{
    int y = x;
    { int x = 5; y += x; { int x = 7; y += x; } y += x; }
    for (int x = 0; x < 2; x++) y += x;
    return y + x;
}

static int unreached(int n) { if (n) return 1; else return 2; }
static int comma_for(int n) { int i, j, r = 0; for (i = 0, j = n; i < j; i++, j--) r++; return r; }
static int empty_body(int n) { int i; for (i = 0; i * i < n; i++) ; return i; }
static int in_frame_loop(int n) { int i, *p = &i, r = 0; for (i = 0; i < n; i++) { if (i == 2) continue; r += *p; } return r; }

static int nested_break(int n)
{
    int r = 0;
    switch (n) {
    case 1: { r += 1; { r += 2; break; } }
    case 2: { if (n == 2) { r += 20; } else { r += 10; } }
    default: { r += 100; { break; } }
    case 3: r += 3; { r += 30; }
    case 4: r += 4;
    }
    switch (n) case 4: r += 1000;
    switch (n) { int unreached; case 4: unreached = 5; r += unreached; }
    return r;
}

int main(void)
{
    CHECK(3, nested_break(1)); CHECK(120, nested_break(2)); CHECK(37, nested_break(3)); CHECK(1009, nested_break(4)); CHECK(100, nested_break(5));
    CHECK(5, count_down(5)); CHECK(0, count_down(-1)); CHECK(1, at_least_once(0)); CHECK(3, at_least_once(3));
    CHECK(25, odd_only(10)); CHECK(7, do_continue(4)); CHECK(4, first_square_over(15)); CHECK(42, early(42)); CHECK(100, early(200));
    CHECK(11, fall(0)); CHECK(10, fall(1)); CHECK(1105, fall(2)); CHECK(1105, fall(3)); CHECK(1005, fall(4)); CHECK(5, fall(9));
    CHECK(1, plain(-1)); CHECK(2, plain(97)); CHECK(7, plain(256)); CHECK(8, plain(3));
    CHECK(1, inner_break(1)); CHECK(14, inner_break(2)); CHECK(0, inner_break(3));
    CHECK(2104, switch_in_loop(4)); CHECK(4208, switch_in_loop(8)); CHECK(5309, switch_in_loop(20));
    CHECK(32, cleanup(1)); CHECK(49, cleanup(2)); CHECK(3, cleanup(0));
    CHECK(45, backward(10)); CHECK(0, backward(0)); CHECK(23, in_block(3)); CHECK(117, nested(4)); CHECK(30, shadow(6));
    CHECK(1, unreached(1)); CHECK(2, unreached(0)); CHECK(3, comma_for(5)); CHECK(4, empty_body(16)); CHECK(8, in_frame_loop(5));
    return 0;
}
