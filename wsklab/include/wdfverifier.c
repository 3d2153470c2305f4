/* wdfverifier.c: what the framework's verifier offers to drivers. Follows the wdfverifier.h pages. */

/* Break into the debugger; without one the machine ends there. */
_IRQL_requires_max_(HIGH_LEVEL)
VOID WdfVerifierDbgBreakPoint(VOID)
{
    DbgBreakPoint();
}

/* Stop the system. */
_IRQL_requires_max_(HIGH_LEVEL)
VOID WdfVerifierKeBugCheck(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1, ULONG_PTR BugCheckParameter2,
                           ULONG_PTR BugCheckParameter3, ULONG_PTR BugCheckParameter4)
{
    KeBugCheckEx(BugCheckCode, BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4);
}
