/*
 * wdmrtl.h: the run-time library: memory, strings, numbers, registry helpers, debug output; and the C library's part of it.
 *
 * Rule: what is simple is C; bulk copies (for speed) and what prints or stops are prototypes modelled in Python.
 * Follows the wdm.h and ntddk.h pages nf-wdm-rtl*, nf-wdm-dbgprint; "Windows kernel-mode safe string library" is in ntstrsafe.h.
 */
#ifndef _WSKLAB_WDMRTL_H_
#define _WSKLAB_WDMRTL_H_

#include "wdmirp.h"

/* Memory. */
void RtlCopyMemory(VOID *Destination, const VOID *Source, SIZE_T Length);
void RtlMoveMemory(VOID *Destination, const VOID *Source, SIZE_T Length);
void RtlFillMemory(VOID *Destination, SIZE_T Length, UCHAR Fill);
void RtlZeroMemory(VOID *Destination, SIZE_T Length);
PVOID RtlSecureZeroMemory(PVOID Pointer, SIZE_T Size);
SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length);
LOGICAL RtlEqualMemory(const VOID *Destination, const VOID *Source, SIZE_T Length);
#define RtlCopyBytes RtlCopyMemory
#define RtlZeroBytes RtlZeroMemory
#define RtlFillBytes RtlFillMemory
#define RtlCopyMemoryNonTemporal RtlCopyMemory
#define ZeroMemory RtlZeroMemory
#define CopyMemory RtlCopyMemory
#define MoveMemory RtlMoveMemory
#define FillMemory RtlFillMemory
void *memcpy(void *dest, const void *src, size_t count);
void *memmove(void *dest, const void *src, size_t count);
void *memset(void *dest, int c, size_t count);
int memcmp(const void *buffer1, const void *buffer2, size_t count);
void *memchr(const void *buffer, int c, size_t count);

/* C strings. */
FORCEINLINE int tolower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}
FORCEINLINE size_t strlen(const char *str)
{
    size_t length = 0;
    while (str[length]) length++;
    return length;
}
FORCEINLINE size_t strnlen(const char *str, size_t numberOfElements)
{
    size_t length = 0;
    while (length < numberOfElements && str[length]) length++;
    return length;
}
FORCEINLINE char *strcpy(char *strDestination, const char *strSource)
{
    memmove(strDestination, strSource, strlen(strSource) + 1);
    return strDestination;
}
FORCEINLINE char *strncpy(char *strDest, const char *strSource, size_t count)
{
    size_t length = strnlen(strSource, count);
    memmove(strDest, strSource, length);
    memset(strDest + length, 0, count - length);
    return strDest;
}
FORCEINLINE char *strcat(char *strDestination, const char *strSource)
{
    strcpy(strDestination + strlen(strDestination), strSource);
    return strDestination;
}
FORCEINLINE int strcmp(const char *string1, const char *string2)
{
    size_t i = 0;
    while (string1[i] && string1[i] == string2[i]) i++;
    return ((UCHAR)string1[i] > (UCHAR)string2[i]) - ((UCHAR)string1[i] < (UCHAR)string2[i]);
}
FORCEINLINE int strncmp(const char *string1, const char *string2, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        if (string1[i] != string2[i]) return (UCHAR)string1[i] < (UCHAR)string2[i] ? -1 : 1;
        if (!string1[i]) return 0;
    }
    return 0;
}
FORCEINLINE int _stricmp(const char *string1, const char *string2)
{
    size_t i = 0;
    while (string1[i] && tolower((UCHAR)string1[i]) == tolower((UCHAR)string2[i])) i++;
    return (tolower((UCHAR)string1[i]) > tolower((UCHAR)string2[i])) - (tolower((UCHAR)string1[i]) < tolower((UCHAR)string2[i]));
}
int _strnicmp(const char *string1, const char *string2, size_t count);
FORCEINLINE char *strchr(const char *str, int c)
{
    while (*str != (char)c) {
        if (!*str) return NULL;
        str++;
    }
    return (char *)str;
}
char *strrchr(const char *str, int c);
FORCEINLINE char *strstr(const char *str, const char *strSearch)
{
    size_t length = strlen(strSearch);
    for (;; str++) {
        if (!strncmp(str, strSearch, length)) return (char *)str;
        if (!*str) return NULL;
    }
}
FORCEINLINE size_t wcslen(const wchar_t *str)
{
    size_t length = 0;
    while (str[length]) length++;
    return length;
}
FORCEINLINE wchar_t *wcscpy(wchar_t *strDestination, const wchar_t *strSource)
{
    memmove(strDestination, strSource, (wcslen(strSource) + 1) * sizeof(wchar_t));
    return strDestination;
}
wchar_t *wcsncpy(wchar_t *strDest, const wchar_t *strSource, size_t count);
wchar_t *wcscat(wchar_t *strDestination, const wchar_t *strSource);
FORCEINLINE int wcscmp(const wchar_t *string1, const wchar_t *string2)
{
    size_t i = 0;
    while (string1[i] && string1[i] == string2[i]) i++;
    return (string1[i] > string2[i]) - (string1[i] < string2[i]);
}
int wcsncmp(const wchar_t *string1, const wchar_t *string2, size_t count);
int _wcsicmp(const wchar_t *string1, const wchar_t *string2);
int _wcsnicmp(const wchar_t *string1, const wchar_t *string2, size_t count);
wchar_t *wcschr(const wchar_t *str, wchar_t c);
wchar_t *wcsrchr(const wchar_t *str, wchar_t c);
wchar_t *wcsstr(const wchar_t *str, const wchar_t *strSearch);
int sprintf(char *buffer, const char *format, ...);
int _snprintf(char *buffer, size_t count, const char *format, ...);
int swprintf(wchar_t *buffer, size_t count, const wchar_t *format, ...);
int _snwprintf(wchar_t *buffer, size_t count, const wchar_t *format, ...);
int atoi(const char *str);
long atol(const char *str);
int toupper(int c);
int isdigit(int c);
int isalpha(int c);
int isspace(int c);
int isprint(int c);
int abs(int n);
int rand(void);
void srand(unsigned int seed);

/* Variable arguments: on x64 each argument is one 8-byte slot. */
typedef char *va_list;
void wsklab_va_start(va_list *arguments);
#define va_start(ap, last) wsklab_va_start(&(ap))
#define va_arg(ap, type) (*(type *)(((ap) += 8) - 8))
#define va_copy(destination, source) ((destination) = (source))
#define va_end(ap) ((void)((ap) = (va_list)0))

/* Counted strings. */
FORCEINLINE void RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    SIZE_T size = SourceString ? wcslen(SourceString) * sizeof(WCHAR) : 0;
    DestinationString->Length = (USHORT)size;
    DestinationString->MaximumLength = SourceString ? (USHORT)(size + sizeof(WCHAR)) : 0;
    DestinationString->Buffer = (PWCHAR)SourceString;
}
NTSTATUS RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString);
FORCEINLINE void RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString)
{
    SIZE_T size = SourceString ? strlen(SourceString) : 0;
    DestinationString->Length = (USHORT)size;
    DestinationString->MaximumLength = SourceString ? (USHORT)(size + 1) : 0;
    DestinationString->Buffer = (PCHAR)SourceString;
}
#define RtlInitString RtlInitAnsiString
void RtlInitUTF8String(PUTF8_STRING DestinationString, PCSZ SourceString);
FORCEINLINE void RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    USHORT size = SourceString ? SourceString->Length : 0;
    if (size > DestinationString->MaximumLength) size = DestinationString->MaximumLength;
    DestinationString->Length = size;
    if (size) memmove(DestinationString->Buffer, SourceString->Buffer, size);
}
void RtlCopyString(PSTRING DestinationString, const STRING *SourceString);
NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source);
FORCEINLINE NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    SIZE_T size = Source ? wcslen(Source) * sizeof(WCHAR) : 0;
    PAGED_CODE();
    if (Destination->Length + size > Destination->MaximumLength) return STATUS_BUFFER_TOO_SMALL;
    if (size) memmove((PCHAR)Destination->Buffer + Destination->Length, Source, size);
    Destination->Length = (USHORT)(Destination->Length + size);
    return STATUS_SUCCESS;
}
WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter);
FORCEINLINE LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    USHORT i, one, other;
    PAGED_CODE();
    for (i = 0; i < String1->Length / 2 && i < String2->Length / 2; i++) {
        one = CaseInSensitive ? RtlUpcaseUnicodeChar(String1->Buffer[i]) : String1->Buffer[i];
        other = CaseInSensitive ? RtlUpcaseUnicodeChar(String2->Buffer[i]) : String2->Buffer[i];
        if (one != other) return one < other ? -1 : 1;
    }
    return (String1->Length > String2->Length) - (String1->Length < String2->Length);
}
LONG RtlCompareString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive);
FORCEINLINE BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    return RtlCompareUnicodeString(String1, String2, CaseInSensitive) == 0;
}
BOOLEAN RtlEqualString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive);
BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive);
BOOLEAN RtlSuffixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive);
NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                BOOLEAN AllocateDestinationString);
NTSTATUS RtlDowncaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                  BOOLEAN AllocateDestinationString);
WCHAR RtlDowncaseUnicodeChar(WCHAR SourceCharacter);
CHAR RtlUpperChar(CHAR Character);
NTSTATUS RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING SourceString, PUNICODE_STRING DestinationString);
void RtlFreeUnicodeString(PUNICODE_STRING UnicodeString);
void RtlFreeAnsiString(PANSI_STRING AnsiString);
void RtlFreeUTF8String(PUTF8_STRING Utf8String);
NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString, PCANSI_STRING SourceString,
                                      BOOLEAN AllocateDestinationString);
NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString, PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString);
NTSTATUS RtlUnicodeStringToUTF8String(PUTF8_STRING DestinationString, PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString);
NTSTATUS RtlUTF8StringToUnicodeString(PUNICODE_STRING DestinationString, PUTF8_STRING SourceString,
                                      BOOLEAN AllocateDestinationString);
NTSTATUS RtlUnicodeToUTF8N(PCHAR UTF8StringDestination, ULONG UTF8StringMaxByteCount, PULONG UTF8StringActualByteCount,
                           PCWCH UnicodeStringSource, ULONG UnicodeStringByteCount);
NTSTATUS RtlUTF8ToUnicodeN(PWSTR UnicodeStringDestination, ULONG UnicodeStringMaxByteCount, PULONG UnicodeStringActualByteCount,
                           PCCH UTF8StringSource, ULONG UTF8StringByteCount);
ULONG RtlxAnsiStringToUnicodeSize(PCANSI_STRING AnsiString);
ULONG RtlxUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString);
#define RtlAnsiStringToUnicodeSize(STRING) RtlxAnsiStringToUnicodeSize(STRING)
#define RtlUnicodeStringToAnsiSize(STRING) RtlxUnicodeStringToAnsiSize(STRING)
NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String);
NTSTATUS RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String);
NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value);
NTSTATUS RtlStringFromGUID(REFGUID Guid, PUNICODE_STRING GuidString);
NTSTATUS RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid);
NTSTATUS RtlHashUnicodeString(const UNICODE_STRING *String, BOOLEAN CaseInSensitive, ULONG HashAlgorithm, PULONG HashValue);
FORCEINLINE VOID RtlInitEmptyUnicodeString(PUNICODE_STRING DestinationString, PWCHAR Buffer, USHORT BufferSize)
{
    DestinationString->Length = 0;
    DestinationString->MaximumLength = BufferSize;
    DestinationString->Buffer = Buffer;
}
FORCEINLINE VOID RtlInitEmptyAnsiString(PANSI_STRING DestinationString, PCHAR Buffer, USHORT BufferSize)
{
    DestinationString->Length = 0;
    DestinationString->MaximumLength = BufferSize;
    DestinationString->Buffer = Buffer;
}

/* GUIDs. */
#define IsEqualGUID(rguid1, rguid2) (RtlCompareMemory((rguid1), (rguid2), sizeof(GUID)) == sizeof(GUID))
#define InlineIsEqualGUID(rguid1, rguid2) IsEqualGUID(rguid1, rguid2)
#define IsEqualIID(riid1, riid2) IsEqualGUID(riid1, riid2)

/* Numbers: byte order, bits, large integers, random. */
FORCEINLINE USHORT RtlUshortByteSwap(USHORT Source)
{
    return (USHORT)((Source << 8) | (Source >> 8));
}

FORCEINLINE ULONG RtlUlongByteSwap(ULONG Source)
{
    return (Source << 24) | ((Source & 0xFF00) << 8) | ((Source >> 8) & 0xFF00) | (Source >> 24);
}

FORCEINLINE ULONGLONG RtlUlonglongByteSwap(ULONGLONG Source)
{
    return ((ULONGLONG)RtlUlongByteSwap((ULONG)Source) << 32) | RtlUlongByteSwap((ULONG)(Source >> 32));
}

FORCEINLINE unsigned short _byteswap_ushort(unsigned short value)
{
    return RtlUshortByteSwap(value);
}

FORCEINLINE unsigned long _byteswap_ulong(unsigned long value)
{
    return RtlUlongByteSwap(value);
}

FORCEINLINE unsigned long long _byteswap_uint64(unsigned long long value)
{
    return RtlUlonglongByteSwap(value);
}

unsigned long _rotl(unsigned long value, int shift);
unsigned long _rotr(unsigned long value, int shift);
ULONG RtlRandom(PULONG Seed);
ULONG RtlRandomEx(PULONG Seed);
CCHAR RtlFindMostSignificantBit(ULONGLONG Set);
CCHAR RtlFindLeastSignificantBit(ULONGLONG Set);
#define RtlLargeIntegerGreaterThan(X, Y) ((X).QuadPart > (Y).QuadPart)
#define RtlLargeIntegerLessThan(X, Y) ((X).QuadPart < (Y).QuadPart)
LARGE_INTEGER RtlConvertLongToLargeInteger(LONG SignedInteger);
LARGE_INTEGER RtlConvertUlongToLargeInteger(ULONG UnsignedInteger);
typedef struct _RTL_BITMAP {
    ULONG SizeOfBitMap;
    PULONG Buffer;
} RTL_BITMAP, *PRTL_BITMAP;
void RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap);
void RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet);
void RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear);
void RtlSetAllBits(PRTL_BITMAP BitMapHeader);
void RtlClearAllBits(PRTL_BITMAP BitMapHeader);
ULONG RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex);
BOOLEAN RtlCheckBit(PRTL_BITMAP BitMapHeader, ULONG BitPosition);

/* Arithmetic that reports overflow (ntintsafe.h). */
NTSTATUS RtlULongAdd(ULONG ulAugend, ULONG ulAddend, PULONG pulResult);
NTSTATUS RtlULongSub(ULONG ulMinuend, ULONG ulSubtrahend, PULONG pulResult);
NTSTATUS RtlULongMult(ULONG ulMultiplicand, ULONG ulMultiplier, PULONG pulResult);
NTSTATUS RtlUShortAdd(USHORT usAugend, USHORT usAddend, PUSHORT pusResult);
NTSTATUS RtlSizeTAdd(SIZE_T Augend, SIZE_T Addend, PSIZE_T pResult);
NTSTATUS RtlSizeTSub(SIZE_T Minuend, SIZE_T Subtrahend, PSIZE_T pResult);
NTSTATUS RtlSizeTMult(SIZE_T Multiplicand, SIZE_T Multiplier, PSIZE_T pResult);
NTSTATUS RtlULongLongAdd(ULONGLONG Augend, ULONGLONG Addend, PULONGLONG pResult);
NTSTATUS RtlSizeTToULong(SIZE_T Operand, PULONG pulResult);
NTSTATUS RtlULongToUShort(ULONG ulOperand, PUSHORT pusResult);
NTSTATUS RtlULongLongToULong(ULONGLONG ullOperand, PULONG pulResult);

/* Time. */
typedef struct _TIME_FIELDS {
    CSHORT Year;
    CSHORT Month;
    CSHORT Day;
    CSHORT Hour;
    CSHORT Minute;
    CSHORT Second;
    CSHORT Milliseconds;
    CSHORT Weekday;
} TIME_FIELDS, *PTIME_FIELDS;
void RtlTimeToTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS TimeFields);
BOOLEAN RtlTimeFieldsToTime(PTIME_FIELDS TimeFields, PLARGE_INTEGER Time);

/* Version of the system. */
typedef struct _OSVERSIONINFOW {
    ULONG dwOSVersionInfoSize;
    ULONG dwMajorVersion;
    ULONG dwMinorVersion;
    ULONG dwBuildNumber;
    ULONG dwPlatformId;
    WCHAR szCSDVersion[128];
} OSVERSIONINFOW, *POSVERSIONINFOW, *LPOSVERSIONINFOW, RTL_OSVERSIONINFOW, *PRTL_OSVERSIONINFOW;
typedef struct _OSVERSIONINFOEXW {
    ULONG dwOSVersionInfoSize;
    ULONG dwMajorVersion;
    ULONG dwMinorVersion;
    ULONG dwBuildNumber;
    ULONG dwPlatformId;
    WCHAR szCSDVersion[128];
    USHORT wServicePackMajor;
    USHORT wServicePackMinor;
    USHORT wSuiteMask;
    UCHAR wProductType;
    UCHAR wReserved;
} OSVERSIONINFOEXW, *POSVERSIONINFOEXW, RTL_OSVERSIONINFOEXW, *PRTL_OSVERSIONINFOEXW;
NTSTATUS RtlGetVersion(PRTL_OSVERSIONINFOW lpVersionInformation);
NTSTATUS RtlVerifyVersionInfo(PRTL_OSVERSIONINFOEXW VersionInfo, ULONG TypeMask, ULONGLONG ConditionMask);
BOOLEAN RtlIsNtDdiVersionAvailable(ULONG Version);

/* Registry values through Rtl. */
typedef NTSTATUS RTL_QUERY_REGISTRY_ROUTINE(PWSTR ValueName, ULONG ValueType, PVOID ValueData, ULONG ValueLength, PVOID Context,
                                            PVOID EntryContext);
typedef RTL_QUERY_REGISTRY_ROUTINE *PRTL_QUERY_REGISTRY_ROUTINE;
typedef struct _RTL_QUERY_REGISTRY_TABLE {
    PRTL_QUERY_REGISTRY_ROUTINE QueryRoutine;
    ULONG Flags;
    PWSTR Name;
    PVOID EntryContext;
    ULONG DefaultType;
    PVOID DefaultData;
    ULONG DefaultLength;
} RTL_QUERY_REGISTRY_TABLE, *PRTL_QUERY_REGISTRY_TABLE;
#define RTL_REGISTRY_ABSOLUTE 0
#define RTL_REGISTRY_SERVICES 1
#define RTL_REGISTRY_CONTROL 2
#define RTL_REGISTRY_WINDOWS_NT 3
#define RTL_REGISTRY_DEVICEMAP 4
#define RTL_REGISTRY_USER 5
#define RTL_REGISTRY_HANDLE 0x40000000
#define RTL_REGISTRY_OPTIONAL 0x80000000
#define RTL_QUERY_REGISTRY_SUBKEY 0x00000001
#define RTL_QUERY_REGISTRY_TOPKEY 0x00000002
#define RTL_QUERY_REGISTRY_REQUIRED 0x00000004
#define RTL_QUERY_REGISTRY_NOVALUE 0x00000008
#define RTL_QUERY_REGISTRY_NOEXPAND 0x00000010
#define RTL_QUERY_REGISTRY_DIRECT 0x00000020
#define RTL_QUERY_REGISTRY_DELETE 0x00000040
#define RTL_QUERY_REGISTRY_TYPECHECK 0x00000100
#define RTL_QUERY_REGISTRY_TYPECHECK_SHIFT 24
NTSTATUS RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path, PRTL_QUERY_REGISTRY_TABLE QueryTable, PVOID Context,
                                PVOID Environment);
NTSTATUS RtlWriteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName, ULONG ValueType, PVOID ValueData,
                               ULONG ValueLength);
NTSTATUS RtlDeleteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName);
NTSTATUS RtlCreateRegistryKey(ULONG RelativeTo, PWSTR Path);
NTSTATUS RtlCheckRegistryKey(ULONG RelativeTo, PWSTR Path);

/* Security descriptors. */
NTSTATUS RtlCreateSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Revision);
NTSTATUS RtlSetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN DaclPresent, PACL Dacl,
                                      BOOLEAN DaclDefaulted);
BOOLEAN RtlValidSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor);
ULONG RtlLengthSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor);
ULONG RtlLengthSid(PSID Sid);
BOOLEAN RtlEqualSid(PSID Sid1, PSID Sid2);

/* Status to error. */
ULONG RtlNtStatusToDosError(NTSTATUS Status);
ULONG RtlNtStatusToDosErrorNoTeb(NTSTATUS Status);
void RtlGetCallersAddress(PVOID *CallersAddress, PVOID *CallersCaller);
USHORT RtlCaptureStackBackTrace(ULONG FramesToSkip, ULONG FramesToCapture, PVOID *BackTrace, PULONG BackTraceHash);

/* Debug output: always printed here (a checked build). */
#define DPFLTR_SYSTEM_ID 0
#define DPFLTR_IHVDRIVER_ID 77
#define DPFLTR_IHVVIDEO_ID 78
#define DPFLTR_IHVAUDIO_ID 79
#define DPFLTR_IHVNETWORK_ID 80
#define DPFLTR_IHVSTREAMING_ID 81
#define DPFLTR_IHVBUS_ID 82
#define DPFLTR_DEFAULT_ID 101
#define DPFLTR_ERROR_LEVEL 0
#define DPFLTR_WARNING_LEVEL 1
#define DPFLTR_TRACE_LEVEL 2
#define DPFLTR_INFO_LEVEL 3
#define DPFLTR_MASK 0x80000000
ULONG DbgPrint(PCSTR Format, ...);
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...);
ULONG vDbgPrintEx(ULONG ComponentId, ULONG Level, PCCH Format, va_list arglist);
ULONG vDbgPrintExWithPrefix(PCCH Prefix, ULONG ComponentId, ULONG Level, PCCH Format, va_list arglist);
NTSTATUS DbgQueryDebugFilterState(ULONG ComponentId, ULONG Level);
#define KdPrint(_x_) DbgPrint _x_
#define KdPrintEx(_x_) DbgPrintEx _x_
#define KdBreakPoint() DbgBreakPoint()
#define vKdPrintEx(_x_) vDbgPrintEx _x_
#define KD_DEBUGGER_ENABLED FALSE
#define KD_DEBUGGER_NOT_PRESENT TRUE

#endif
