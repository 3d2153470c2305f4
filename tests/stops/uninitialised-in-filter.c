// A filter runs in the frame of its function: the place is in it.
void Run(void)
{
    NTSTATUS Expected;

    __try {
        ExRaiseStatus(STATUS_TIMEOUT);
    } __except (GetExceptionCode() == (ULONG)Expected) {
        Expected = STATUS_SUCCESS;
    }
}
