/*
 * wdfverifier.h: what the framework verifier offers to drivers.
 * Follows the wdfverifier.h pages and fact sheet 3.
 */
#ifndef _WDFVERIFIER_H_
#define _WDFVERIFIER_H_

#include "wdftypes.h"

/* Breaking on purpose. */
VOID WdfVerifierDbgBreakPoint(VOID);
VOID WdfVerifierKeBugCheck(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1, ULONG_PTR BugCheckParameter2,
                           ULONG_PTR BugCheckParameter3, ULONG_PTR BugCheckParameter4);

/* An assertion that is only checked while the registry value VerifyOn says so. Page: wdfassert.h. */
ULONG wsklab_wdf_parameter(PCSTR Name);
#define WDFVERIFY(exp) { if (wsklab_wdf_parameter("VerifyOn") && !(exp)) RtlAssert((PVOID)#exp, (PVOID)__FILE__, __LINE__, NULL); }
#define VERIFY_IS_IRQL_PASSIVE_LEVEL() WDFVERIFY(KeGetCurrentIrql() == PASSIVE_LEVEL)

#endif
