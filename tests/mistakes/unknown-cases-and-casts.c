/* A name that nobody declared is told once, and nothing else because of it. */
#include <ntddk.h>

NTSTATUS Notified(REG_NOTIFY_CLASS Class, PVOID Argument, PVOID Context)
{
    switch (Class) {
    case RegNtPreCreateKey:
    case RegNtPreOpenKey:
        Context = ((PREGISTRY_OF_NOBODY) Argument)->Object;
        break;
    case 1:
    case 1:
        break;
    }
    return Context == NULL ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

EVT_OF_NO_FRAMEWORK Told;
VOID Told(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}

VOID Listed(CONST IP_PREFIX_OF_NOBODY *Prefix)
{
    struct nobody_knows hints = { 0 };
    hints.flags = Prefix->Length;
}

typedef NTSTATUS (*PFN_OF_NOBODY)(PVOID Context, CONST KEY_OF_NOBODY *Key, OTHER_OF_NOBODY *Other);

VOID Shadowed(PVOID Context)
{
    PCONTEXT_OF_NOBODY Context;
    UNREFERENCED_PARAMETER(Context);
}
