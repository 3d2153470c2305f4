#include "nothere.h"
#include <stdboool.h>
int f(int x)
{
    return y;
}
