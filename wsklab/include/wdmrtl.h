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
void RtlZeroMemory(VOID *Destination, SIZE_T Length);
PVOID RtlSecureZeroMemory(PVOID Pointer, SIZE_T Size);
SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length);
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
FORCEINLINE void RtlFillMemory(VOID *Destination, SIZE_T Length, UCHAR Fill)
{
    memset(Destination, Fill, Length);
}
FORCEINLINE LOGICAL RtlEqualMemory(const VOID *Destination, const VOID *Source, SIZE_T Length)
{
    return !memcmp(Destination, Source, Length);
}
FORCEINLINE void *memchr(const void *buffer, int c, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++)
        if (((const UCHAR *)buffer)[i] == (UCHAR)c) return (UCHAR *)buffer + i;
    return NULL;
}

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
FORCEINLINE int _strnicmp(const char *string1, const char *string2, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        int one = tolower((UCHAR)string1[i]), other = tolower((UCHAR)string2[i]);
        if (one != other) return one < other ? -1 : 1;
        if (!one) return 0;
    }
    return 0;
}
FORCEINLINE char *strncat(char *strDest, const char *strSource, size_t count)
{
    size_t end = strlen(strDest), length = strnlen(strSource, count);
    memmove(strDest + end, strSource, length);
    strDest[end + length] = 0;
    return strDest;
}
FORCEINLINE size_t strspn(const char *str, const char *strCharSet)
{
    size_t length, i;
    for (length = 0; str[length]; length++) {
        for (i = 0; strCharSet[i] && strCharSet[i] != str[length]; i++) ;
        if (!strCharSet[i]) break;
    }
    return length;
}
FORCEINLINE size_t strcspn(const char *str, const char *strCharSet)
{
    size_t length, i;
    for (length = 0; str[length]; length++)
        for (i = 0; strCharSet[i]; i++)
            if (strCharSet[i] == str[length]) return length;
    return length;
}
FORCEINLINE char *strchr(const char *str, int c)
{
    while (*str != (char)c) {
        if (!*str) return NULL;
        str++;
    }
    return (char *)str;
}
FORCEINLINE char *strrchr(const char *str, int c)
{
    size_t i = strlen(str) + 1;
    while (i--)
        if (str[i] == (char)c) return (char *)str + i;
    return NULL;
}
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
FORCEINLINE wchar_t *wcsncpy(wchar_t *strDest, const wchar_t *strSource, size_t count)
{
    size_t i;
    for (i = 0; i < count && strSource[i]; i++) strDest[i] = strSource[i];
    for (; i < count; i++) strDest[i] = 0;
    return strDest;
}
FORCEINLINE wchar_t *wcscat(wchar_t *strDestination, const wchar_t *strSource)
{
    wcscpy(strDestination + wcslen(strDestination), strSource);
    return strDestination;
}
FORCEINLINE int wcscmp(const wchar_t *string1, const wchar_t *string2)
{
    size_t i = 0;
    while (string1[i] && string1[i] == string2[i]) i++;
    return (string1[i] > string2[i]) - (string1[i] < string2[i]);
}
FORCEINLINE int wcsncmp(const wchar_t *string1, const wchar_t *string2, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        if (string1[i] != string2[i]) return string1[i] < string2[i] ? -1 : 1;
        if (!string1[i]) return 0;
    }
    return 0;
}
FORCEINLINE wchar_t towupper(wchar_t c)
{
    return c >= L'a' && c <= L'z' ? c - 32 : c;
}
FORCEINLINE wchar_t towlower(wchar_t c)
{
    return c >= L'A' && c <= L'Z' ? c + 32 : c;
}
FORCEINLINE int _wcsnicmp(const wchar_t *string1, const wchar_t *string2, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        wchar_t one = towlower(string1[i]), other = towlower(string2[i]);
        if (one != other) return one < other ? -1 : 1;
        if (!one) return 0;
    }
    return 0;
}
FORCEINLINE int _wcsicmp(const wchar_t *string1, const wchar_t *string2)
{
    return _wcsnicmp(string1, string2, (size_t)-1);
}
FORCEINLINE wchar_t *wcschr(const wchar_t *str, wchar_t c)
{
    for (; *str != c; str++)
        if (!*str) return NULL;
    return (wchar_t *)str;
}
FORCEINLINE wchar_t *wcsrchr(const wchar_t *str, wchar_t c)
{
    size_t i = wcslen(str) + 1;
    while (i--)
        if (str[i] == c) return (wchar_t *)str + i;
    return NULL;
}
FORCEINLINE wchar_t *wcsstr(const wchar_t *str, const wchar_t *strSearch)
{
    size_t length = wcslen(strSearch);
    for (;; str++) {
        if (!wcsncmp(str, strSearch, length)) return (wchar_t *)str;
        if (!*str) return NULL;
    }
}

/* Variable arguments: on x64 each argument is one 8-byte slot, which holds the address of what does not fit into one. */
typedef char *va_list;
va_list wsklab_arguments(void); /* the compiler's: where the slots of the function begin */
#define va_start(ap, last) ((void)((ap) = wsklab_arguments()))
#define va_arg(ap, type) \
    (sizeof(type) > 8 || (sizeof(type) & (sizeof(type) - 1)) ? **(type **)(((ap) += 8) - 8) : *(type *)(((ap) += 8) - 8))
#define va_copy(destination, source) ((destination) = (source))
#define va_end(ap) ((void)((ap) = (va_list)0))

/* Formatting. The names with an underscore leave out the terminator when the text just fits, and give -1 when it does not. */
size_t wsklab_format(void *Buffer, size_t Count, int Width, const void *Format, va_list arguments, int Floats);
#define WSKLAB_ANY_COUNT ((size_t)1 << 32)
FORCEINLINE int vsprintf(char *buffer, const char *format, va_list argptr)
{
    return (int)wsklab_format(buffer, WSKLAB_ANY_COUNT, 1, format, argptr, TRUE);
}
FORCEINLINE int sprintf(char *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    return (int)wsklab_format(buffer, WSKLAB_ANY_COUNT, 1, format, arguments, TRUE);
}
FORCEINLINE int _vsnprintf(char *buffer, size_t count, const char *format, va_list argptr)
{
    size_t length = wsklab_format(buffer, count, 1, format, argptr, TRUE);
    return length > count ? -1 : (int)length;
}
FORCEINLINE int _snprintf(char *buffer, size_t count, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    return _vsnprintf(buffer, count, format, arguments);
}
FORCEINLINE int vsnprintf(char *buffer, size_t count, const char *format, va_list argptr)
{
    size_t length = wsklab_format(buffer, count, 1, format, argptr, TRUE);
    if (count && length >= count) buffer[count - 1] = 0;
    return (int)length;
}
FORCEINLINE int snprintf(char *buffer, size_t count, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    return vsnprintf(buffer, count, format, arguments);
}
FORCEINLINE int _vsnwprintf(wchar_t *buffer, size_t count, const wchar_t *format, va_list argptr)
{
    size_t length = wsklab_format(buffer, count, 2, format, argptr, TRUE);
    return length > count ? -1 : (int)length;
}
FORCEINLINE int _snwprintf(wchar_t *buffer, size_t count, const wchar_t *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    return _vsnwprintf(buffer, count, format, arguments);
}
FORCEINLINE int swprintf(wchar_t *buffer, size_t count, const wchar_t *format, ...)
{
    size_t length;
    va_list arguments;
    va_start(arguments, format);
    length = wsklab_format(buffer, count, 2, format, arguments, TRUE);
    if (length < count) return (int)length;
    if (count) buffer[count - 1] = 0;
    return -1;
}

/* Characters and numbers. */
FORCEINLINE int toupper(int c)
{
    return c >= 'a' && c <= 'z' ? c - 32 : c;
}
FORCEINLINE int isdigit(int c)
{
    return c >= '0' && c <= '9';
}
FORCEINLINE int isupper(int c)
{
    return c >= 'A' && c <= 'Z';
}
FORCEINLINE int islower(int c)
{
    return c >= 'a' && c <= 'z';
}
FORCEINLINE int isalpha(int c)
{
    return isupper(c) || islower(c);
}
FORCEINLINE int isalnum(int c)
{
    return isalpha(c) || isdigit(c);
}
FORCEINLINE int isxdigit(int c)
{
    return isdigit(c) || (toupper(c) >= 'A' && toupper(c) <= 'F');
}
FORCEINLINE int isspace(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
FORCEINLINE int isprint(int c)
{
    return c >= ' ' && c <= '~';
}
FORCEINLINE int ispunct(int c)
{
    return c > ' ' && c <= '~' && !isalnum(c);
}
FORCEINLINE int iscntrl(int c)
{
    return (c >= 0 && c < ' ') || c == 127;
}
FORCEINLINE int abs(int n)
{
    return n < 0 ? -n : n;
}
FORCEINLINE long atol(const char *str)
{
    long value = 0;
    int negative;
    while (isspace(*str)) str++;
    negative = *str == '-';
    if (*str == '-' || *str == '+') str++;
    while (isdigit(*str)) value = value * 10 + (*str++ - '0');
    return negative ? -value : value;
}
FORCEINLINE int atoi(const char *str)
{
    return (int)atol(str);
}
extern unsigned int wsklab_random; /* the state of rand, which is Microsoft's linear congruential generator */
FORCEINLINE void srand(unsigned int seed)
{
    wsklab_random = seed;
}
FORCEINLINE int rand(void)
{
    wsklab_random = wsklab_random * 214013 + 2531011;
    return (int)((wsklab_random >> 16) & 0x7FFF);
}

FORCEINLINE long labs(long n)
{
    return n < 0 ? -n : n;
}

/* Sorting and searching. */
typedef int (*WSKLAB_COMPARE)(const void *, const void *);
FORCEINLINE void wsklab_swap(char *one, char *other, size_t width)
{
    while (width--) {
        char kept = one[width];
        one[width] = other[width];
        other[width] = kept;
    }
}
FORCEINLINE void qsort(void *base, size_t number, size_t width, WSKLAB_COMPARE compare)
{
    /* Heap sort: no more than 2 n log n comparisons, and no memory of its own. */
    char *array = (char *)base;
    size_t start = number / 2, end = number, parent, child;
    while (end > 1) {
        if (start) start--;
        else wsklab_swap(array, array + --end * width, width);
        for (parent = start; (child = 2 * parent + 1) < end; parent = child) {
            if (child + 1 < end && compare(array + child * width, array + (child + 1) * width) < 0) child++;
            if (compare(array + parent * width, array + child * width) >= 0) break;
            wsklab_swap(array + parent * width, array + child * width, width);
        }
    }
}
FORCEINLINE void *bsearch(const void *key, const void *base, size_t number, size_t width, WSKLAB_COMPARE compare)
{
    size_t low = 0, high = number;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare(key, (const char *)base + middle * width);
        if (order == 0) return (char *)base + middle * width;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return NULL;
}

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
#define HASH_STRING_ALGORITHM_DEFAULT 0
#define HASH_STRING_ALGORITHM_X65599 1
#define HASH_STRING_ALGORITHM_INVALID 0xffffffff
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

/* Intrinsics: where the first bit of a mask is set; zero, and no index, when none is. */
FORCEINLINE unsigned char _BitScanReverse64(unsigned long *Index, unsigned long long Mask)
{
    if (Mask) *Index = (unsigned long)RtlFindMostSignificantBit(Mask);
    return Mask != 0;
}
FORCEINLINE unsigned char _BitScanForward64(unsigned long *Index, unsigned long long Mask)
{
    if (Mask) *Index = (unsigned long)RtlFindLeastSignificantBit(Mask);
    return Mask != 0;
}
#define _BitScanReverse(Index, Mask) _BitScanReverse64(Index, (unsigned long)(Mask))
#define _BitScanForward(Index, Mask) _BitScanForward64(Index, (unsigned long)(Mask))
#define BitScanReverse _BitScanReverse
#define BitScanForward _BitScanForward
#define BitScanReverse64 _BitScanReverse64
#define BitScanForward64 _BitScanForward64
#define RtlLargeIntegerGreaterThan(X, Y) ((X).QuadPart > (Y).QuadPart)
#define RtlLargeIntegerLessThan(X, Y) ((X).QuadPart < (Y).QuadPart)
FORCEINLINE LARGE_INTEGER RtlConvertLongToLargeInteger(LONG SignedInteger)
{
    LARGE_INTEGER large;
    large.QuadPart = SignedInteger;
    return large;
}
FORCEINLINE LARGE_INTEGER RtlConvertUlongToLargeInteger(ULONG UnsignedInteger)
{
    LARGE_INTEGER large;
    large.QuadPart = UnsignedInteger;
    return large;
}
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

/* Arithmetic that reports overflow (ntintsafe.h): the result is then all ones. */
FORCEINLINE NTSTATUS RtlULongAdd(ULONG ulAugend, ULONG ulAddend, PULONG pulResult)
{
    *pulResult = ulAugend <= 0xFFFFFFFF - ulAddend ? ulAugend + ulAddend : (ULONG)-1;
    return ulAugend <= 0xFFFFFFFF - ulAddend ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlULongSub(ULONG ulMinuend, ULONG ulSubtrahend, PULONG pulResult)
{
    *pulResult = ulMinuend >= ulSubtrahend ? ulMinuend - ulSubtrahend : (ULONG)-1;
    return ulMinuend >= ulSubtrahend ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlULongMult(ULONG ulMultiplicand, ULONG ulMultiplier, PULONG pulResult)
{
    *pulResult = (ULONGLONG)ulMultiplicand * ulMultiplier <= 0xFFFFFFFF ? ulMultiplicand * ulMultiplier : (ULONG)-1;
    return (ULONGLONG)ulMultiplicand * ulMultiplier <= 0xFFFFFFFF ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlUShortAdd(USHORT usAugend, USHORT usAddend, PUSHORT pusResult)
{
    *pusResult = usAugend + usAddend <= 0xFFFF ? (USHORT)(usAugend + usAddend) : (USHORT)-1;
    return usAugend + usAddend <= 0xFFFF ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlSizeTAdd(SIZE_T Augend, SIZE_T Addend, PSIZE_T pResult)
{
    *pResult = Augend <= ~(SIZE_T)0 - Addend ? Augend + Addend : (SIZE_T)-1;
    return Augend <= ~(SIZE_T)0 - Addend ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlSizeTSub(SIZE_T Minuend, SIZE_T Subtrahend, PSIZE_T pResult)
{
    *pResult = Minuend >= Subtrahend ? Minuend - Subtrahend : (SIZE_T)-1;
    return Minuend >= Subtrahend ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlSizeTMult(SIZE_T Multiplicand, SIZE_T Multiplier, PSIZE_T pResult)
{
    *pResult = (!Multiplier || Multiplicand <= ~(SIZE_T)0 / Multiplier) ? Multiplicand * Multiplier : (SIZE_T)-1;
    return (!Multiplier || Multiplicand <= ~(SIZE_T)0 / Multiplier) ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;
}
#define RtlSIZETAdd RtlSizeTAdd
#define RtlSIZETSub RtlSizeTSub
#define RtlSIZETMult RtlSizeTMult
FORCEINLINE NTSTATUS RtlULongLongAdd(ULONGLONG Augend, ULONGLONG Addend, PULONGLONG pResult)
{
    *pResult = Augend <= ~(ULONGLONG)0 - Addend ? Augend + Addend : (ULONGLONG)-1;
    return Augend <= ~(ULONGLONG)0 - Addend ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlSizeTToULong(SIZE_T Operand, PULONG pulResult)
{
    *pulResult = Operand <= 0xFFFFFFFF ? (ULONG)Operand : (ULONG)-1;
    return Operand <= 0xFFFFFFFF ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlULongToUShort(ULONG ulOperand, PUSHORT pusResult)
{
    *pusResult = ulOperand <= 0xFFFF ? (USHORT)ulOperand : (USHORT)-1;
    return ulOperand <= 0xFFFF ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlULongLongToULong(ULONGLONG ullOperand, PULONG pulResult)
{
    *pulResult = ullOperand <= 0xFFFFFFFF ? (ULONG)ullOperand : (ULONG)-1;
    return ullOperand <= 0xFFFFFFFF ? STATUS_SUCCESS : STATUS_INTEGER_OVERFLOW;
}

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
#define VER_MINORVERSION 0x0000001
#define VER_MAJORVERSION 0x0000002
#define VER_BUILDNUMBER 0x0000004
#define VER_PLATFORMID 0x0000008
#define VER_SERVICEPACKMINOR 0x0000010
#define VER_SERVICEPACKMAJOR 0x0000020
#define VER_SUITENAME 0x0000040
#define VER_PRODUCT_TYPE 0x0000080
#define VER_EQUAL 1
#define VER_GREATER 2
#define VER_GREATER_EQUAL 3
#define VER_LESS 4
#define VER_LESS_EQUAL 5
#define VER_AND 6
#define VER_OR 7
ULONGLONG VerSetConditionMask(ULONGLONG ConditionMask, ULONG TypeMask, UCHAR Condition);
#define VER_SET_CONDITION(Mask, TypeBit, Condition) ((Mask) = VerSetConditionMask((Mask), (TypeBit), (Condition)))

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
