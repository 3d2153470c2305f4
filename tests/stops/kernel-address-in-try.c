// A handler cannot catch a bad address of the system: that is a bug check at once.
void Run(void)
{
    __try {
        *(volatile int *)0xFFFFF00000001000;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        DbgPrint("never printed");
    }
}
