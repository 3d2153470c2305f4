// Arrays of variable length (C99), which programs with a main have: their lengths are known when the declaration is reached.
#include <stdio.h>
#include <string.h>

struct item {
    int number;
    char name[4];
};

static int trace(int n, int matrix[n][n])
{
    int sum = 0;

    for (int i = 0; i < n; i++) sum += matrix[i][i];
    return sum;
}

int starred(int rows, int columns, double table[*][*]);

static void fill(size_t columns, int (*rows)[columns], int count)
{
    for (int i = 0; i < count; i++)
        for (size_t k = 0; k < columns; k++) rows[i][k] = 10 * i + (int)k;
    printf("a row has %d bytes, a pointer to it %d\n", (int)sizeof *rows, (int)sizeof rows);
}

int starred(int rows, int columns, double table[static rows][columns])
{
    double sum = 0;

    for (int i = 0; i < rows; i++)
        for (int k = 0; k < columns; k++) sum += table[i][k];
    return (int)sum;
}

static int depth(int n)
{
    int values[n];

    for (int i = 0; i < n; i++) values[i] = i;
    return n > 1 ? values[n - 1] + depth(n - 1) : 0;
}

static int sum_of(const struct item *items, int count)
{
    int sum = 0;

    while (count--) sum += items[count].number;
    return sum;
}

int main(void)
{
    int n = 3, total = 0, rounds = 0;
    int square[n][n], flat[2][4];
    int (*row)[n] = square;
    double table[n - 1][2];

    n = 5; // what is declared keeps its length
    printf("%d %d %d\n", (int)sizeof square, (int)(sizeof square / sizeof square[0]), (int)sizeof(char[n][2]));
    fill(3, square, 3);
    fill(4, flat, 2);
    printf("%d %d %d\n", trace(3, square), flat[1][3], square[2][0]);
    row++;
    printf("%d %d %d\n", (*row)[2], row[-1][1], (int)(row - square));
    row += 1, row--, ++row;
    printf("%d %d\n", **row, row == &square[2]);
    table[0][0] = 0.5, table[0][1] = 1, table[1][0] = 2, table[1][1] = 4;
    printf("%d\n", starred(2, 2, table));

    typedef int VECTOR[n];
    n = 7;
    VECTOR vector, *whole = &vector;
    for (int i = 0; i < 5; i++) vector[i] = i * i;
    printf("%d %d\n", (int)(sizeof(VECTOR) / sizeof(int)), (*whole)[4]);

    struct item items[n];
    for (int i = 0; i < n; i++) {
        char name[i + 1];
        memset(name, 'a' + i, i);
        name[i] = 0;
        items[i].number = i;
        strncpy(items[i].name, name, 3);
        items[i].name[3] = 0;
    }
    printf("%s %s %d\n", items[2].name, items[6].name, sum_of(items, n));

    // Left by every kind of jump, the arrays inside end; those around stay.
    for (int i = 1; i < 1000; i++) {
        int outer[i % 7 + 1];
        outer[i % 7] = i;
        for (int k = 1; k < 3; k++) {
            int inner[k + i % 5];
            inner[0] = k;
            if (k == 2) break;
            if (i % 2) continue;
            total += inner[0];
        }
        total += outer[i % 7];
    }
again:
    rounds++;
    {
        long long numbers[rounds];
        numbers[rounds - 1] = rounds;
        if (rounds < 200) goto again;
        printf("%d %d %lld\n", total, depth(20), numbers[rounds - 1]);
    }
    n = 2;
    int taken[n++][n++];
    printf("%d %d, %d\n", n, (int)sizeof taken, ((int (*)[n])flat)[1][1]);
    n = 1;
    while (sizeof(short[n]) < 10) n++;
    printf("%d\n", n);
    return 0;
}
