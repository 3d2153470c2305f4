void f(PIRP Irp, SIZE_T size, PUNICODE_STRING name, LONG_PTR offset, BOOLEAN done, WCHAR letter)
{
    DbgPrint("%d %s\n", Irp, 3);
    DbgPrint("%d %d\n", 1);
    DbgPrint("%d\n", 1, 2);
    DbgPrint("%s\n", L"wide");
    DbgPrint("%d bytes of %wZ at %d\n", size, name, offset);
    DbgPrint("%s\n", name);
    DbgPrint("100 %% of %*d, %.*s: %p %ws %c %x\n", 3, done, 2, "ab", Irp, L"wide", letter, STATUS_PENDING);
    DbgPrint("%Iu %lld %I64x %lu %Z\n", size, offset, Irp->IoStatus.Information, 5ul, name);
    DbgPrint("no arguments\n");
    DbgPrintEx(0, 0, "%u\n", 1.5);
}
