// The kernel's formats, its safe strings and counted strings, and trace messages; on the console as a debugger shows them.
#include <ntddk.h>
#include <ntstrsafe.h>
#include "kernel_text.tmh"

// begin_wpp config
// FUNC Note(MSG, ...);
// FUNC Fail{LEVEL=TRACE_LEVEL_ERROR}(FLAGS, MSG, ...);
// end_wpp

#define WPP_CONTROL_GUIDS WPP_DEFINE_CONTROL_GUID(Text, (1, 2, 3, 4, 5), WPP_DEFINE_BIT(TRACE_ALL))
#define SAY(Format, ...) DbgPrint("%s: " Format "\n", __FUNCTION__, ##__VA_ARGS__)

static NTSTATUS format(PSTR buffer, size_t size, PCSTR text, ...)
{
    NTSTATUS status;
    va_list arguments;

    va_start(arguments, text);
    status = RtlStringCbVPrintfA(buffer, size, text, arguments);
    va_end(arguments);
    return status;
}

int main(void)
{
    UNICODE_STRING unicode = RTL_CONSTANT_STRING(L"unicode"), empty, copy;
    ANSI_STRING ansi;
    WCHAR wide[16], space[8];
    CHAR narrow[8];

    RtlInitAnsiString(&ansi, "ansi");
    RtlInitUnicodeString(&empty, NULL);
    RtlInitEmptyUnicodeString(&copy, space, sizeof(space));
    DbgPrint("%wZ|%Z|%wZ|%S|%ls|%ws|%hs|%s|%.3s|%6s|%-6s|\n", &unicode, &ansi, &empty, L"S", L"ls", L"ws", "hs", "s", "abcdef", "r", "l");
    DbgPrint("%Iu|%Id|%I64x|%I64d|%I32u|%lu|%ld|%llu|%zu|%hd|%hhu|\n", (SIZE_T)7, (SSIZE_T)-7, 0x123456789ABCULL, -5LL, 32, 4000000000UL,
             -1L, 18446744073709551615ULL, sizeof(wide), (short)-1, (UCHAR)200);
    DbgPrint("%p|%x|%#x|%08X|%o|%5d|%-5d|%05d|%+d|% d|%c|%C|%%|%*d|%.*s|\n", (PVOID)0xFFFF800012345678, 255, 255, 0xBEEF, 8, 42, 42, 42, 42,
             42, 'c', L'\xE9', 4, 1, 2, "cut");
    SAY("no arguments");
    SAY("%d and %s", 1, "two");
    KdPrint(("KdPrint %u\n", 3));
    KdPrintEx((DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "KdPrintEx %s\n", "four"));

    DbgPrint("%08lx ", RtlStringCbPrintfA(narrow, sizeof(narrow), "%s-%d", "ab", 12));
    DbgPrint("%s\n", narrow);
    DbgPrint("%08lx ", format(narrow, sizeof(narrow), "%s", "does not fit"));
    DbgPrint("%s\n", narrow);
    DbgPrint("%08lx ", RtlStringCchPrintfW(wide, RTL_NUMBER_OF(wide), L"%s %S %d", L"wide", "narrow", 5));
    DbgPrint("%ws\n", wide);
    DbgPrint("%08lx ", RtlUnicodeStringPrintf(&copy, L"%ws", L"counted"));
    DbgPrint("%wZ %u\n", &copy, copy.Length);
    DbgPrint("%d %d %s\n", _snprintf(narrow, sizeof(narrow), "%d", 1234567), sprintf(narrow, "%x", 0xABC), narrow);
    DbgPrint("%d %d %d\n", _stricmp("ABC", "abd"), strncmp("abc", "abd", 2), _wcsicmp(L"A", L"a"));
    DbgPrint("%s %s %ws\n", strrchr("a.b.c", '.'), strstr("haystack", "st"), wcschr(L"wide", L'd'));

    DoTraceMessage(TRACE_ALL, "trace %d %!STATUS! %s", 1, STATUS_PENDING, "x");
    TraceEvents(TRACE_LEVEL_ERROR, TRACE_ALL, "%!FUNC! %08x", 2);
    Note("note");
    Fail(TRACE_ALL, "fail %ws", L"wide");
    return 0;
}
