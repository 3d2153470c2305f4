// Structured exception handling: filters, termination handlers, __leave, jumps, and what memory, division and the probes raise.
#include <stdio.h>
static int order(const char *w, int answer) { printf("%s ", w); return answer; }
static NTSTATUS simple(int how)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        if (how == 0) ExRaiseStatus(STATUS_ACCESS_DENIED);
        if (how == 1) *(int *)16 = 5;
        if (how == 2) ProbeForRead(&how, 4, 4);
        if (how == 3) ProbeForRead((PVOID)0x10001, 4, 4);
        if (how == 4) how /= how - 4;
        if (how == 5) RtlCopyMemory(&how, (PVOID)0x20000, 4);
        printf("after ");
    } __except (status = GetExceptionCode(), EXCEPTION_EXECUTE_HANDLER) {
        printf("handler %x ", GetExceptionCode() == (ULONG)status);
    }
    return status;
}
static int nested(int how)
{
    int r = 0;
    __try {
        __try {
            __try { r += 1; if (how == 1) ExRaiseStatus(STATUS_ACCESS_DENIED); if (how == 2) return 50; if (how == 3) __leave; r += 2; }
            __finally { order("finally", 0); printf("%d ", AbnormalTermination()); r += 10; }
            r += 20;
        } __except (order("inner filter", GetExceptionCode() == STATUS_BUFFER_OVERFLOW)) { r += 1000; }
    } __except (order("outer filter", 1)) { r += 100; }
    return r;
}
static int loops(void)
{
    int i, r = 0;
    for (i = 0; i < 5; i++) {
        __try { if (i == 1) continue; if (i == 3) break; r += i; }
        __finally { r += 100; }
    }
    return r;
}
static int jump(int n)
{
    __try { if (n) goto out; n = 5; } __finally { n += _abnormal_termination() * 10 + 1; }
    n += 1000;
out:
    return n;
}
static int deep(int n) { if (n == 0) ExRaiseAccessViolation(); return deep(n - 1) + 1; }
static int raises_in_handler(void)
{
    __try { __try { ExRaiseStatus(STATUS_ACCESS_DENIED); } __except (1) { ExRaiseDatatypeMisalignment(); } }
    __except (EXCEPTION_EXECUTE_HANDLER) { return GetExceptionCode() == STATUS_DATATYPE_MISALIGNMENT; }
    return 7;
}
static int information(void)
{
    ULONG_PTR where = 0; ULONG count = 0;
    __try { *(volatile char *)0x12345; }
    __except (where = GetExceptionInformation()->ExceptionRecord->ExceptionInformation[1],
              count = GetExceptionInformation()->ExceptionRecord->NumberParameters, EXCEPTION_EXECUTE_HANDLER) {
        printf("%Ix %lu\n", where, count);
    }
    try { ExRaiseStatus(1); leave; } except (EXCEPTION_EXECUTE_HANDLER) { return 1; }
    return 0;
}
int main(void)
{
    int i, leave = 3;
    for (i = 0; i < 7; i++) printf("%d: %08lx\n", i, simple(i));
    for (i = 0; i < 4; i++) printf("nested %d\n", nested(i));
    printf("%d %d %d\n", loops(), jump(0), jump(1));
    __try { printf("no %d", deep(5)); } __except (1) { printf("deep\n"); }
    printf("%d %d %d\n", raises_in_handler(), information(), leave);
    return 0;
}
