// The __except decides to search on, and nobody else takes the exception; the __finally does not run on a stopped machine.
void Run(void)
{
    __try {
        __try {
            ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
        } __finally {
            DbgPrint("never printed");
        }
    } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
        DbgPrint("never printed");
    }
}
