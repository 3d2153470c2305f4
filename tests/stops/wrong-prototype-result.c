// A routine that returns nothing behind a pointer to one that returns a status.
typedef NTSTATUS (*ROUTINE)(PVOID Context);

static VOID Count(PVOID Context) { ++*(PULONG)Context; }

static struct { ROUTINE Routine; } Table[] = { { (ROUTINE)Count } };

NTSTATUS Run(VOID)
{
    ULONG Counter = 0;

    return Table[0].Routine(&Counter);
}
