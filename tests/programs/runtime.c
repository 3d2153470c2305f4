// The kernel's C runtime: string and memory functions, the Rtl functions over them, and the safe strings with their limits.
#include <ntddk.h>
#include <ntstrsafe.h>

static void show(const char *what, NTSTATUS status, const char *text) { DbgPrint("%s %08lx \"%s\"\n", what, status, text); }
static void wide(const char *what, NTSTATUS status, PCUNICODE_STRING text) { DbgPrint("%s %08lx \"%wZ\"\n", what, status, text); }

static void memory(void)
{
    UCHAR bytes[10] = "012345678", copy[10];

    RtlZeroMemory(copy, sizeof(copy));
    RtlCopyMemory(copy, bytes, 5);
    DbgPrint("%s ", copy);
    RtlFillMemory(copy + 5, 3, 'x');
    DbgPrint("%s ", copy);
    RtlMoveMemory(copy + 1, copy, 8);
    DbgPrint("%s %Iu %Iu %d %d\n", copy, RtlCompareMemory(bytes, copy, 10), RtlCompareMemory(bytes, bytes, 10),
             RtlEqualMemory(bytes, copy, 1), RtlEqualMemory(bytes, copy, 2));
    memcpy(copy, "abcdefghi", 10);
    memmove(copy, copy + 2, 4);
    DbgPrint("%s ", copy);
    memset(copy, '-', 3);
    DbgPrint("%s %d %d %d ", copy, memcmp("ab", "ac", 2) < 0, memcmp("b", "a", 1) > 0, memcmp("abX", "abY", 2));
    RtlSecureZeroMemory(copy, sizeof(copy));
    DbgPrint("%d\n", copy[0] | copy[9]);
}

static void strings(void)
{
    char text[20] = "path";
    WCHAR name[20] = L"wide";

    strcat(text, "\\to");
    strncat(text, "\\file", 3);
    wcscat(name, L"r");
    DbgPrint("%s %Iu %Iu %ws %Iu\n", text, strlen(text), strnlen(text, 3), name, wcslen(name));
    DbgPrint("%s %s %s %d\n", strchr(text, '\\'), strrchr(text, '\\'), strstr(text, "to"), strstr(text, "nowhere") == NULL);
    strncpy(text, "abc", 6);
    DbgPrint("%s %d %ws %d %d\n", text, text[5], wcschr(name, L'd'), wcscmp(L"a", L"b") < 0, wcsncmp(L"ab1", L"ab2", 2));
    DbgPrint("%d %d %c%c %d %d\n", strcmp("a", "a"), strcmp("b", "a") > 0, toupper('q'), tolower('Q'), isdigit('7') != 0, isdigit('x'));
}

static void counted(void)
{
    DECLARE_CONST_UNICODE_STRING(device, L"\\Device\\Echo");
    UNICODE_STRING prefix = RTL_CONSTANT_STRING(L"\\DEVICE"), small, big, made;
    ANSI_STRING ansi;
    WCHAR four[4], sixteen[16];
    ULONG value = 0;

    RtlInitEmptyUnicodeString(&small, four, sizeof(four));
    RtlInitEmptyUnicodeString(&big, sixteen, sizeof(sixteen));
    RtlCopyUnicodeString(&small, &device);
    DbgPrint("%wZ %u %u\n", &small, small.Length, small.MaximumLength);
    wide("append", RtlAppendUnicodeToString(&big, L"number "), &big);
    wide("append", RtlAppendUnicodeStringToString(&big, &device), &big);
    wide("integer", RtlIntegerToUnicodeString(48879, 16, &small), &small);
    DbgPrint("%08lx ", RtlUnicodeStringToInteger(&small, 16, &value));
    DbgPrint("%lu\n", value);
    DbgPrint("%d %d %d ", RtlPrefixUnicodeString(&prefix, &device, FALSE), RtlPrefixUnicodeString(&prefix, &device, TRUE),
             RtlEqualUnicodeString(&device, &device, FALSE));
    DbgPrint("%d %d %x\n", RtlCompareUnicodeString(&prefix, &device, TRUE) < 0, RtlCompareUnicodeString(&small, &small, FALSE),
             RtlUpcaseUnicodeChar(L'\xE9'));
    RtlInitAnsiString(&ansi, "narrow");
    wide("made", RtlAnsiStringToUnicodeString(&made, &ansi, TRUE), &made);
    RtlFreeUnicodeString(&made);
    DbgPrint("%08lx ", RtlUnicodeStringToAnsiString(&ansi, &device, TRUE));
    DbgPrint("%Z %u\n", &ansi, ansi.Length);
    RtlFreeAnsiString(&ansi);
    wide("safe copy", RtlUnicodeStringCopyString(&small, L"too long"), &small);
    wide("safe cat", RtlUnicodeStringCatString(&big, L"!"), &big);
    wide("safe cat", RtlUnicodeStringCat(&big, &device), &big);
    wide("safe copy", RtlUnicodeStringCopy(&big, &device), &big);
    wide("safe init", RtlUnicodeStringInit(&made, L"text"), &made);
}

static void safe(void)
{
    char text[8] = "";
    WCHAR name[8];
    size_t length = 99;

    show("copy", RtlStringCbCopyA(text, sizeof(text), "short"), text);
    show("cat", RtlStringCbCatA(text, sizeof(text), "er and longer"), text);
    show("copy n", RtlStringCbCopyNA(text, sizeof(text), "abcdef", 3), text);
    show("no room", RtlStringCbCopyA(text, 0, "x"), text);
    show("count", RtlStringCchPrintfA(text, RTL_NUMBER_OF(text), "%05d|%x", 42, 255), text);
    DbgPrint("%08lx ", RtlStringCbLengthA(text, sizeof(text), &length));
    DbgPrint("%Iu ", length);
    DbgPrint("%08lx ", RtlStringCchCopyW(name, RTL_NUMBER_OF(name), L"seventh"));
    DbgPrint("%ws ", name);
    DbgPrint("%08lx ", RtlStringCchCatW(name, RTL_NUMBER_OF(name), L"+"));
    DbgPrint("%ws ", name);
    DbgPrint("%08lx ", RtlStringCchLengthW(name, 3, &length));
    DbgPrint("%08lx\n", RtlStringCbPrintfW(name, sizeof(name), L"%s", L"12345678"));
}

static void numbers(void)
{
    ULONG sum = 0;
    LONGLONG wide64 = 5;
    LONG number = 7;
    SHORT bits = 3;
    TIME_FIELDS fields;
    LARGE_INTEGER time;

    DbgPrint("%08lx ", RtlULongAdd(0xFFFFFFF0, 15, &sum));
    DbgPrint("%lx ", sum);
    DbgPrint("%08lx ", RtlULongAdd(0xFFFFFFF0, 16, &sum));
    DbgPrint("%x %lx %I64x\n", RtlUshortByteSwap(0x1234), RtlUlongByteSwap(0x12345678), RtlUlonglongByteSwap(0x0102030405060708ULL));
    DbgPrint("%ld ", InterlockedExchangeAdd(&number, 3));
    DbgPrint("%ld ", InterlockedCompareExchange(&number, 1, 10));
    DbgPrint("%ld ", number);
    DbgPrint("%ld %I64d\n", InterlockedDecrement(&number), InterlockedAdd64(&wide64, 10));
    DbgPrint("%I64d ", InterlockedIncrementNoFence64(&wide64));
    DbgPrint("%I64d ", InterlockedCompareExchangeRelease64(&wide64, 2, 16));
    DbgPrint("%x ", InterlockedOr16(&bits, 0x30));
    DbgPrint("%x ", InterlockedAnd16(&bits, 0x11));
    DbgPrint("%x %I64d %u\n", bits, ReadAcquire64(&wide64), MAXUINT16);
    time.QuadPart = 116444736000000000LL + 86400LL * 10000000;
    RtlTimeToTimeFields(&time, &fields);
    DbgPrint("%04d-%02d-%02d %d\n", fields.Year, fields.Month, fields.Day, fields.Weekday);
}

int main(void)
{
    memory();
    strings();
    counted();
    safe();
    numbers();
    return 0;
}
