// Memory is left behind when the driver unloads (BUG-26).
static PVOID Kept;

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    Kept = ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, 'tpeK');
    return Kept ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}
