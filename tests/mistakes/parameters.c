NTSTATUS SignalDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
    UNREFERENCED_PARAMETER(DeviceObject);
    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}
void f(int a int b, int c d)
{
    ULONG i
    UNREFERENCED_PARAMETER(a);
    i = b + c + d + e;
}
NTSTATUS SendRead WDFIOTARGET Target, WDFREQUEST Request)
{
    return STATUS_SUCCESS;
}
NTSTATUS g(WDFREQUEST Request) { return SendRead(Request, Missing); }
