#define DECLARE(type, name) type name
DECLARE(int, count
typedef struct _S { int a; } S;
static int f(S *s)
{
    UNREFERENCED_PARAMETER(s
    return count + s->b;
}
