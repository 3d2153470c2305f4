#include <ntddk.h
#include ntddk.h
#include "wdf.h
int f(int x) { return y; }
