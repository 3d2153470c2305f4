/*
 * wdmrtl.c: the run-time library's counted strings, bitmaps, checked arithmetic, calendar and addresses in text, written in C.
 *
 * The ANSI code page is Latin-1 here. What is allocated for a string comes from paged pool with the tag Strg and is freed with
 * RtlFreeUnicodeString and its kind, so that a string that is forgotten is seen when the driver unloads.
 */

static NTSTATUS wsklab_room(PUNICODE_STRING String, SIZE_T Size, BOOLEAN Allocate)
{
    if (Size > 0xFFFF) return STATUS_INVALID_PARAMETER_2;
    if (Allocate) {
        String->Buffer = ExAllocatePoolWithTag(PagedPool, Size ? Size : 1, 'grtS');
        if (!String->Buffer) return STATUS_NO_MEMORY;
        String->MaximumLength = (USHORT)Size;
    }
    return Size > String->MaximumLength ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

static void wsklab_free_string(PUNICODE_STRING String)
{
    if (String->Buffer) ExFreePoolWithTag(String->Buffer, 'grtS');
    String->Buffer = NULL;
    String->Length = String->MaximumLength = 0;
}

/* Free the buffer of a string that a conversion allocated. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
    wsklab_free_string(UnicodeString);
}

/* Free the buffer of a string that a conversion allocated. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void RtlFreeAnsiString(PANSI_STRING AnsiString)
{
    wsklab_free_string((PUNICODE_STRING)AnsiString);
}

/* Free the buffer of a string that a conversion allocated. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void RtlFreeUTF8String(PUTF8_STRING Utf8String)
{
    wsklab_free_string((PUNICODE_STRING)Utf8String);
}

/* Let a counted string describe a text; STATUS_NAME_TOO_LONG when it does not fit into one. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    RtlInitUnicodeString(DestinationString, NULL);
    if (SourceString && wcslen(SourceString) > 0x7FFE) return STATUS_NAME_TOO_LONG;
    RtlInitUnicodeString(DestinationString, SourceString);
    return STATUS_SUCCESS;
}

/* Let a counted string describe a text in UTF-8. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void RtlInitUTF8String(PUTF8_STRING DestinationString, PCSZ SourceString)
{
    RtlInitAnsiString((PANSI_STRING)DestinationString, SourceString);
}

/* Copy as much of a string as the destination holds. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void RtlCopyString(PSTRING DestinationString, const STRING *SourceString)
{
    USHORT size = SourceString ? SourceString->Length : 0;
    if (size > DestinationString->MaximumLength) size = DestinationString->MaximumLength;
    DestinationString->Length = size;
    if (size) memmove(DestinationString->Buffer, SourceString->Buffer, size);
}

/* Append a string; STATUS_BUFFER_TOO_SMALL and no change when it does not fit. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    if (Destination->Length + Source->Length > Destination->MaximumLength) return STATUS_BUFFER_TOO_SMALL;
    if (Source->Length) memmove((PCHAR)Destination->Buffer + Destination->Length, Source->Buffer, Source->Length);
    Destination->Length = (USHORT)(Destination->Length + Source->Length);
    return STATUS_SUCCESS;
}

/* The capital letter of a character. */
_IRQL_requires_max_(DISPATCH_LEVEL)
CHAR RtlUpperChar(CHAR Character)
{
    return (CHAR)RtlUpcaseUnicodeChar((UCHAR)Character);
}

/* Below, equal to or above 0, as the first difference says. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG RtlCompareString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
    USHORT i;
    for (i = 0; i < String1->Length && i < String2->Length; i++) {
        UCHAR one = (UCHAR)(CaseInSensitive ? RtlUpperChar(String1->Buffer[i]) : String1->Buffer[i]);
        UCHAR other = (UCHAR)(CaseInSensitive ? RtlUpperChar(String2->Buffer[i]) : String2->Buffer[i]);
        if (one != other) return (LONG)one - other;
    }
    return (LONG)String1->Length - String2->Length;
}

/* Whether two strings agree. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN RtlEqualString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
    return RtlCompareString(String1, String2, CaseInSensitive) == 0;
}

static BOOLEAN wsklab_part(PCUNICODE_STRING Part, PCUNICODE_STRING Whole, USHORT Start, BOOLEAN CaseInSensitive)
{
    UNICODE_STRING piece;
    if (Part->Length > Whole->Length) return FALSE;
    piece.Buffer = (PWCH)((PCHAR)Whole->Buffer + Start);
    piece.Length = piece.MaximumLength = Part->Length;
    return RtlEqualUnicodeString(Part, &piece, CaseInSensitive);
}

/* Whether the second string begins with the first. */
_IRQL_requires_max_(PASSIVE_LEVEL)
BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    return wsklab_part(String1, String2, 0, CaseInSensitive);
}

/* Whether the second string ends with the first. */
_IRQL_requires_max_(PASSIVE_LEVEL)
BOOLEAN RtlSuffixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    return wsklab_part(String1, String2, (USHORT)(String2->Length - String1->Length), CaseInSensitive);
}

static NTSTATUS wsklab_cased(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString, BOOLEAN Allocate, BOOLEAN Capital)
{
    NTSTATUS status = wsklab_room(DestinationString, SourceString->Length, Allocate);
    USHORT i;
    if (!NT_SUCCESS(status)) return status;
    for (i = 0; i < SourceString->Length / 2; i++) {
        WCHAR letter = SourceString->Buffer[i];
        DestinationString->Buffer[i] = Capital ? RtlUpcaseUnicodeChar(letter) : RtlDowncaseUnicodeChar(letter);
    }
    DestinationString->Length = SourceString->Length;
    return STATUS_SUCCESS;
}

/* A copy of a string in capital letters, in the destination's buffer or in a new one. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString, BOOLEAN AllocateDestinationString)
{
    return wsklab_cased(DestinationString, SourceString, AllocateDestinationString, TRUE);
}

/* A copy of a string in small letters, in the destination's buffer or in a new one. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlDowncaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                  BOOLEAN AllocateDestinationString)
{
    return wsklab_cased(DestinationString, SourceString, AllocateDestinationString, FALSE);
}

/* A copy of a string in a new buffer; with flag 1 a terminator stands behind it, with flag 2 even an empty one gets a buffer. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING SourceString, PUNICODE_STRING DestinationString)
{
    SIZE_T size = SourceString->Length + (Flags & 1 ? sizeof(WCHAR) : 0);
    NTSTATUS status;
    RtlInitUnicodeString(DestinationString, NULL);
    if (!SourceString->Length && !(Flags & 2)) return STATUS_SUCCESS;
    status = wsklab_room(DestinationString, size, TRUE);
    if (!NT_SUCCESS(status)) return status;
    memmove(DestinationString->Buffer, SourceString->Buffer, SourceString->Length);
    if (Flags & 1) DestinationString->Buffer[SourceString->Length / 2] = 0;
    DestinationString->Length = SourceString->Length;
    return STATUS_SUCCESS;
}

/* The bytes that a string takes in UTF-16, terminator included. */
_IRQL_requires_max_(PASSIVE_LEVEL)
ULONG RtlxAnsiStringToUnicodeSize(PCANSI_STRING AnsiString)
{
    return (AnsiString->Length + 1) * sizeof(WCHAR);
}

/* The bytes that a string takes in the ANSI code page, terminator included. */
_IRQL_requires_max_(PASSIVE_LEVEL)
ULONG RtlxUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString)
{
    return UnicodeString->Length / sizeof(WCHAR) + 1;
}

/* Convert a string to UTF-16, terminated, in the destination's buffer or in a new one. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString, PCANSI_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    NTSTATUS status = wsklab_room(DestinationString, RtlxAnsiStringToUnicodeSize(SourceString), AllocateDestinationString);
    USHORT i;
    if (!NT_SUCCESS(status)) return status;
    for (i = 0; i < SourceString->Length; i++) DestinationString->Buffer[i] = (UCHAR)SourceString->Buffer[i];
    DestinationString->Buffer[i] = 0;
    DestinationString->Length = (USHORT)(i * sizeof(WCHAR));
    return STATUS_SUCCESS;
}

/* Convert a string from UTF-16, terminated, in the destination's buffer or in a new one; ? for what the code page lacks. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString, PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    ULONG size = RtlxUnicodeStringToAnsiSize(SourceString), i;
    NTSTATUS status = wsklab_room((PUNICODE_STRING)DestinationString, size, AllocateDestinationString);
    if (!NT_SUCCESS(status)) return status;
    for (i = 0; i < size - 1; i++)
        DestinationString->Buffer[i] = SourceString->Buffer[i] < 0x100 ? (CHAR)SourceString->Buffer[i] : '?';
    DestinationString->Buffer[i] = 0;
    DestinationString->Length = (USHORT)i;
    return STATUS_SUCCESS;
}

/* Convert UTF-16 to UTF-8; with no destination only the size is told. STATUS_SOME_NOT_MAPPED when a surrogate stands alone. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlUnicodeToUTF8N(PCHAR UTF8StringDestination, ULONG UTF8StringMaxByteCount, PULONG UTF8StringActualByteCount,
                           PCWCH UnicodeStringSource, ULONG UnicodeStringByteCount)
{
    ULONG i, done = 0, needed, code, k, count = UnicodeStringByteCount / sizeof(WCHAR);
    UCHAR bytes[4];
    NTSTATUS status = STATUS_SUCCESS;
    for (i = 0; i < count; i++) {
        code = UnicodeStringSource[i];
        if (code >= 0xD800 && code < 0xDC00 && i + 1 < count && (UnicodeStringSource[i + 1] & 0xFC00) == 0xDC00) {
            code = 0x10000 + ((code & 0x3FF) << 10) + (UnicodeStringSource[++i] & 0x3FF);
        } else if ((code & 0xF800) == 0xD800) {
            code = 0xFFFD;
            status = STATUS_SOME_NOT_MAPPED;
        }
        if (code < 0x80) {
            needed = 1;
            bytes[0] = (UCHAR)code;
        } else if (code < 0x800) {
            needed = 2;
            bytes[0] = (UCHAR)(0xC0 | code >> 6);
        } else if (code < 0x10000) {
            needed = 3;
            bytes[0] = (UCHAR)(0xE0 | code >> 12);
        } else {
            needed = 4;
            bytes[0] = (UCHAR)(0xF0 | code >> 18);
        }
        for (k = 1; k < needed; k++) bytes[k] = (UCHAR)(0x80 | (code >> 6 * (needed - 1 - k) & 0x3F));
        if (UTF8StringDestination) {
            if (done + needed > UTF8StringMaxByteCount) {
                *UTF8StringActualByteCount = done;
                return STATUS_BUFFER_TOO_SMALL;
            }
            memcpy(UTF8StringDestination + done, bytes, needed);
        }
        done += needed;
    }
    *UTF8StringActualByteCount = done;
    return status;
}

/* Convert UTF-8 to UTF-16; with no destination only the size is told. STATUS_SOME_NOT_MAPPED when a byte belongs to no character. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlUTF8ToUnicodeN(PWSTR UnicodeStringDestination, ULONG UnicodeStringMaxByteCount, PULONG UnicodeStringActualByteCount,
                           PCCH UTF8StringSource, ULONG UTF8StringByteCount)
{
    ULONG i = 0, done = 0, more, code, units, k;
    NTSTATUS status = STATUS_SUCCESS;
    while (i < UTF8StringByteCount) {
        UCHAR first = (UCHAR)UTF8StringSource[i++];
        more = first < 0x80 ? 0 : first >= 0xC2 && first < 0xE0 ? 1 : (first & 0xF0) == 0xE0 ? 2 : first >= 0xF0 && first < 0xF5 ? 3 : 9;
        code = more == 0 ? first : first & (0x3F >> more);
        for (k = 0; k < more && more < 9; k++) {
            if (i >= UTF8StringByteCount || ((UCHAR)UTF8StringSource[i] & 0xC0) != 0x80) break;
            code = code << 6 | ((UCHAR)UTF8StringSource[i++] & 0x3F);
        }
        if (more == 9 || k < more) {
            code = 0xFFFD;
            status = STATUS_SOME_NOT_MAPPED;
        }
        units = code < 0x10000 ? 1 : 2;
        if (UnicodeStringDestination) {
            if ((done + units) * sizeof(WCHAR) > UnicodeStringMaxByteCount) {
                *UnicodeStringActualByteCount = done * sizeof(WCHAR);
                return STATUS_BUFFER_TOO_SMALL;
            }
            UnicodeStringDestination[done] = (WCHAR)(units == 1 ? code : 0xD7C0 + (code >> 10));
            if (units == 2) UnicodeStringDestination[done + 1] = (WCHAR)(0xDC00 | (code & 0x3FF));
        }
        done += units;
    }
    *UnicodeStringActualByteCount = done * sizeof(WCHAR);
    return status;
}

/* Convert a string to UTF-8, terminated, in the destination's buffer or in a new one. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlUnicodeStringToUTF8String(PUTF8_STRING DestinationString, PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    ULONG size;
    NTSTATUS status, result = RtlUnicodeToUTF8N(NULL, 0, &size, SourceString->Buffer, SourceString->Length);
    status = wsklab_room((PUNICODE_STRING)DestinationString, (SIZE_T)size + 1, AllocateDestinationString);
    if (!NT_SUCCESS(status)) return status;
    RtlUnicodeToUTF8N(DestinationString->Buffer, size, &size, SourceString->Buffer, SourceString->Length);
    DestinationString->Buffer[size] = 0;
    DestinationString->Length = (USHORT)size;
    return result;
}

/* Convert a string from UTF-8, terminated, in the destination's buffer or in a new one. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlUTF8StringToUnicodeString(PUNICODE_STRING DestinationString, PUTF8_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    ULONG size;
    NTSTATUS status, result = RtlUTF8ToUnicodeN(NULL, 0, &size, SourceString->Buffer, SourceString->Length);
    status = wsklab_room(DestinationString, (SIZE_T)size + sizeof(WCHAR), AllocateDestinationString);
    if (!NT_SUCCESS(status)) return status;
    RtlUTF8ToUnicodeN(DestinationString->Buffer, size, &size, SourceString->Buffer, SourceString->Length);
    DestinationString->Buffer[size / sizeof(WCHAR)] = 0;
    DestinationString->Length = (USHORT)size;
    return result;
}

/* Write a number with a base of 2, 8, 10 or 16 (0: 10), terminated where there is room. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String)
{
    WCHAR text[65];
    ULONG place = 64;
    if (Base == 0) Base = 10;
    if (Base != 2 && Base != 8 && Base != 10 && Base != 16) return STATUS_INVALID_PARAMETER;
    do {
        ULONG digit = (ULONG)(Value % Base);
        text[--place] = (WCHAR)(digit < 10 ? '0' + digit : 'A' + digit - 10);
        Value /= Base;
    } while (Value);
    if ((64 - place) * sizeof(WCHAR) > String->MaximumLength) return STATUS_BUFFER_OVERFLOW;
    String->Length = (USHORT)((64 - place) * sizeof(WCHAR));
    memcpy(String->Buffer, text + place, String->Length);
    if (String->Length + sizeof(WCHAR) <= String->MaximumLength) String->Buffer[String->Length / 2] = 0;
    return STATUS_SUCCESS;
}

/* Write a number with a base of 2, 8, 10 or 16 (0: 10), terminated where there is room. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
    return RtlInt64ToUnicodeString(Value, Base, String);
}

/* Read a number with an optional sign; with base 0 the prefixes 0x, 0o and 0b tell the base. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value)
{
    USHORT i = 0, count = String->Length / 2;
    ULONG total = 0, digit;
    BOOLEAN negative = FALSE;
    while (i < count && String->Buffer[i] <= ' ') i++;
    if (i < count && (String->Buffer[i] == '-' || String->Buffer[i] == '+')) negative = String->Buffer[i++] == '-';
    if (Base == 0) {
        Base = 10;
        if (i + 1 < count && String->Buffer[i] == '0') {
            WCHAR kind = String->Buffer[i + 1];
            Base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 10;
            if (Base != 10) i += 2;
        }
    }
    if (Base != 2 && Base != 8 && Base != 10 && Base != 16) return STATUS_INVALID_PARAMETER;
    for (; i < count; i++) {
        WCHAR letter = RtlUpcaseUnicodeChar(String->Buffer[i]);
        digit = letter >= '0' && letter <= '9' ? letter - '0' : letter >= 'A' && letter <= 'F' ? letter - 'A' + 10 : 99;
        if (digit >= Base) break;
        total = total * Base + digit;
    }
    *Value = negative ? 0 - total : total;
    return STATUS_SUCCESS;
}

/* The text of a GUID, {XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}, in a new buffer. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlStringFromGUID(REFGUID Guid, PUNICODE_STRING GuidString)
{
    NTSTATUS status = wsklab_room(GuidString, 39 * sizeof(WCHAR), TRUE);
    if (!NT_SUCCESS(status)) return status;
    RtlStringCchPrintfW(GuidString->Buffer, 39, L"{%08lX-%04hX-%04hX-%02X%02X-%02X%02X%02X%02X%02X%02X}", Guid->Data1, Guid->Data2,
                        Guid->Data3, Guid->Data4[0], Guid->Data4[1], Guid->Data4[2], Guid->Data4[3], Guid->Data4[4], Guid->Data4[5],
                        Guid->Data4[6], Guid->Data4[7]);
    GuidString->Length = 38 * sizeof(WCHAR);
    return STATUS_SUCCESS;
}

static BOOLEAN wsklab_hex(PCUNICODE_STRING Text, USHORT Start, USHORT Count, PULONG Value)
{
    UNICODE_STRING piece;
    USHORT i;
    for (i = Start; i < Start + Count; i++)
        if (!(Text->Buffer[i] < 0x80 && isxdigit(Text->Buffer[i]))) return FALSE;
    piece.Buffer = Text->Buffer + Start;
    piece.Length = piece.MaximumLength = Count * 2;
    return NT_SUCCESS(RtlUnicodeStringToInteger(&piece, 16, Value));
}

/* Read the text of a GUID. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid)
{
    PWCH text = GuidString->Buffer;
    ULONG value, i;
    if (GuidString->Length < 76 || text[0] != '{' || text[9] != '-' || text[14] != '-' || text[19] != '-' || text[24] != '-'
        || text[37] != '}' || !wsklab_hex(GuidString, 1, 8, &Guid->Data1))
        return STATUS_INVALID_PARAMETER;
    if (!wsklab_hex(GuidString, 10, 4, &value)) return STATUS_INVALID_PARAMETER;
    Guid->Data2 = (USHORT)value;
    if (!wsklab_hex(GuidString, 15, 4, &value)) return STATUS_INVALID_PARAMETER;
    Guid->Data3 = (USHORT)value;
    for (i = 0; i < 8; i++) {
        if (!wsklab_hex(GuidString, (USHORT)(20 + 2 * i + (i > 1)), 2, &value)) return STATUS_INVALID_PARAMETER;
        Guid->Data4[i] = (UCHAR)value;
    }
    return STATUS_SUCCESS;
}

/* Bitmaps. */

static void wsklab_bits(PRTL_BITMAP Map, ULONG Start, ULONG Count, BOOLEAN Set)
{
    ULONG i;
    for (i = Start; i < Start + Count; i++)
        Map->Buffer[i / 32] = Set ? Map->Buffer[i / 32] | 1UL << i % 32 : Map->Buffer[i / 32] & ~(1UL << i % 32);
}

/* Let a bitmap describe a buffer. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap)
{
    BitMapHeader->SizeOfBitMap = SizeOfBitMap;
    BitMapHeader->Buffer = BitMapBuffer;
}

/* Set bits. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet)
{
    wsklab_bits(BitMapHeader, StartingIndex, NumberToSet, TRUE);
}

/* Clear bits. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear)
{
    wsklab_bits(BitMapHeader, StartingIndex, NumberToClear, FALSE);
}

/* Set all bits. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void RtlSetAllBits(PRTL_BITMAP BitMapHeader)
{
    memset(BitMapHeader->Buffer, 0xFF, (BitMapHeader->SizeOfBitMap + 31) / 32 * 4);
}

/* Clear all bits. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void RtlClearAllBits(PRTL_BITMAP BitMapHeader)
{
    memset(BitMapHeader->Buffer, 0, (BitMapHeader->SizeOfBitMap + 31) / 32 * 4);
}

/* Whether a bit is set. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN RtlCheckBit(PRTL_BITMAP BitMapHeader, ULONG BitPosition)
{
    return BitMapHeader->Buffer[BitPosition / 32] >> BitPosition % 32 & 1;
}

/* Set the first run of clear bits at or after the hint, else before it; returns its index, or 0xFFFFFFFF when there is none. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG size = BitMapHeader->SizeOfBitMap, first, run, tries;
    if (HintIndex >= size) HintIndex = 0;
    for (tries = 0; tries < size; tries++) {
        first = (HintIndex + tries) % size;
        for (run = 0; run < NumberToFind && first + run < size && !RtlCheckBit(BitMapHeader, first + run); run++)
            ;
        if (run == NumberToFind) {
            wsklab_bits(BitMapHeader, first, NumberToFind, TRUE);
            return first;
        }
    }
    return 0xFFFFFFFF;
}

/* The number of the highest bit that is set, -1 when none is. */
_IRQL_requires_max_(HIGH_LEVEL)
CCHAR RtlFindMostSignificantBit(ULONGLONG Set)
{
    CCHAR bit = -1;
    for (; Set; Set >>= 1) bit++;
    return bit;
}

/* The number of the lowest bit that is set, -1 when none is. */
_IRQL_requires_max_(HIGH_LEVEL)
CCHAR RtlFindLeastSignificantBit(ULONGLONG Set)
{
    return RtlFindMostSignificantBit(Set & (0 - Set));
}

/* Time: 100-nanosecond units since 1601, and the calendar. */

static BOOLEAN wsklab_leap(LONG Year)
{
    return Year % 4 == 0 && (Year % 100 != 0 || Year % 400 == 0);
}

static LONG wsklab_days_before(LONG Year) /* days from 1601 to the first of January of a year */
{
    LONG past = Year - 1601;
    return past * 365 + past / 4 - past / 100 + past / 400;
}

static LONG wsklab_month(LONG Year, LONG Month) /* days of a month */
{
    return Month == 2 ? (wsklab_leap(Year) ? 29 : 28) : Month == 4 || Month == 6 || Month == 9 || Month == 11 ? 30 : 31;
}

/* The calendar date and the time of day of a system time. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void RtlTimeToTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS TimeFields)
{
    LONGLONG milliseconds = Time->QuadPart / 10000;
    LONG days = (LONG)(milliseconds / 86400000), rest = (LONG)(milliseconds % 86400000), year = 1601 + days / 366, month = 1;
    TimeFields->Weekday = (CSHORT)((days + 1) % 7);
    while (wsklab_days_before(year + 1) <= days) year++;
    days -= wsklab_days_before(year);
    while (days >= wsklab_month(year, month)) days -= wsklab_month(year, month++);
    TimeFields->Year = (CSHORT)year;
    TimeFields->Month = (CSHORT)month;
    TimeFields->Day = (CSHORT)(days + 1);
    TimeFields->Hour = (CSHORT)(rest / 3600000);
    TimeFields->Minute = (CSHORT)(rest / 60000 % 60);
    TimeFields->Second = (CSHORT)(rest / 1000 % 60);
    TimeFields->Milliseconds = (CSHORT)(rest % 1000);
}

/* The system time of a calendar date; FALSE when there is no such date. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN RtlTimeFieldsToTime(PTIME_FIELDS TimeFields, PLARGE_INTEGER Time)
{
    LONG year = TimeFields->Year, month = TimeFields->Month, days, each;
    if (year < 1601 || month < 1 || month > 12 || TimeFields->Day < 1 || TimeFields->Day > wsklab_month(year, month)
        || TimeFields->Hour < 0 || TimeFields->Hour > 23 || TimeFields->Minute < 0 || TimeFields->Minute > 59
        || TimeFields->Second < 0 || TimeFields->Second > 59 || TimeFields->Milliseconds < 0 || TimeFields->Milliseconds > 999)
        return FALSE;
    days = wsklab_days_before(year) + TimeFields->Day - 1;
    for (each = 1; each < month; each++) days += wsklab_month(year, each);
    Time->QuadPart = ((((LONGLONG)days * 24 + TimeFields->Hour) * 60 + TimeFields->Minute) * 60 + TimeFields->Second) * 10000000
                     + TimeFields->Milliseconds * 10000;
    return TRUE;
}

/* System time is local time: the machine stands in UTC. */
_IRQL_requires_max_(HIGH_LEVEL)
void ExSystemTimeToLocalTime(PLARGE_INTEGER SystemTime, PLARGE_INTEGER LocalTime)
{
    *LocalTime = *SystemTime;
}

/* Local time is system time: the machine stands in UTC. */
_IRQL_requires_max_(HIGH_LEVEL)
void ExLocalTimeToSystemTime(PLARGE_INTEGER LocalTime, PLARGE_INTEGER SystemTime)
{
    *SystemTime = *LocalTime;
}

/* The version of the system: Windows 10, build 19041, which the headers describe. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlGetVersion(PRTL_OSVERSIONINFOW lpVersionInformation)
{
    lpVersionInformation->dwMajorVersion = 10;
    lpVersionInformation->dwMinorVersion = 0;
    lpVersionInformation->dwBuildNumber = 19041;
    lpVersionInformation->dwPlatformId = 2;
    lpVersionInformation->szCSDVersion[0] = 0;
    return STATUS_SUCCESS;
}

/* Whether the system is this version or a later one. Page: nf-wdm-rtlisntddiversionavailable. */
_IRQL_requires_max_(PASSIVE_LEVEL)
BOOLEAN RtlIsNtDdiVersionAvailable(ULONG Version)
{
    return Version <= NTDDI_WIN10_VB;
}

/* The mask that RtlVerifyVersionInfo takes, with one more condition: three bits for each member. */
_IRQL_requires_max_(HIGH_LEVEL)
ULONGLONG VerSetConditionMask(ULONGLONG ConditionMask, ULONG TypeMask, UCHAR Condition)
{
    ULONG place = 0;
    while (TypeMask > 1) {
        TypeMask >>= 1;
        place += 3;
    }
    return ConditionMask | (ULONGLONG)(Condition & 7) << place;
}

static BOOLEAN wsklab_compares(LONG Is, LONG Wanted, ULONG Condition)
{
    switch (Condition) {
    case VER_EQUAL: return Is == Wanted;
    case VER_GREATER: return Is > Wanted;
    case VER_GREATER_EQUAL: return Is >= Wanted;
    case VER_LESS: return Is < Wanted;
    case VER_LESS_EQUAL: return Is <= Wanted;
    default: return FALSE;
    }
}

/*
 * Whether the system's version meets conditions. Major and minor version and those of the service pack are one after the other: the
 * first that differs decides. The build number and the platform are conditions of their own. Page: nf-wdm-rtlverifyversioninfo.
 */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlVerifyVersionInfo(PRTL_OSVERSIONINFOEXW VersionInfo, ULONG TypeMask, ULONGLONG ConditionMask)
{
    LONG is[] = { 10, 0, 0, 0 };
    LONG wanted[] = { VersionInfo->dwMajorVersion, VersionInfo->dwMinorVersion, VersionInfo->wServicePackMajor,
                      VersionInfo->wServicePackMinor };
    ULONG type[] = { VER_MAJORVERSION, VER_MINORVERSION, VER_SERVICEPACKMAJOR, VER_SERVICEPACKMINOR };
    ULONG shift[] = { 3, 0, 15, 12 };
    BOOLEAN meets = TRUE, decided = FALSE;
    ULONG i;
    if (TypeMask == 0 || ConditionMask == 0) return STATUS_INVALID_PARAMETER;
    if (TypeMask & (VER_SUITENAME | VER_PRODUCT_TYPE)) wsklab_not_modelled("RtlVerifyVersionInfo with a suite or product type");
    for (i = 0; i < RTL_NUMBER_OF(is) && !decided; i++) {
        if (!(TypeMask & type[i])) continue;
        meets = wsklab_compares(is[i], wanted[i], ConditionMask >> shift[i] & 7);
        decided = is[i] != wanted[i];
    }
    if (TypeMask & VER_BUILDNUMBER && !wsklab_compares(19041, VersionInfo->dwBuildNumber, ConditionMask >> 6 & 7)) meets = FALSE;
    if (TypeMask & VER_PLATFORMID && !wsklab_compares(2, VersionInfo->dwPlatformId, ConditionMask >> 9 & 7)) meets = FALSE;
    return meets ? STATUS_SUCCESS : STATUS_REVISION_MISMATCH;
}

/* A number that spreads strings evenly; algorithm 0 is x65599, 1 by name. Page: nf-wdm-rtlhashunicodestring. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS RtlHashUnicodeString(const UNICODE_STRING *String, BOOLEAN CaseInSensitive, ULONG HashAlgorithm, PULONG HashValue)
{
    ULONG hash = 0;
    USHORT i;
    if (!String || !HashValue || HashAlgorithm > HASH_STRING_ALGORITHM_X65599) return STATUS_INVALID_PARAMETER;
    for (i = 0; i < String->Length / sizeof(WCHAR); i++)
        hash = hash * 65599 + (CaseInSensitive ? RtlUpcaseUnicodeChar(String->Buffer[i]) : String->Buffer[i]);
    *HashValue = hash;
    return STATUS_SUCCESS;
}

/* The next number from a seed, below MAXLONG: the same seed gives the same numbers. Page: nf-ntifs-rtlrandomex. */
_IRQL_requires_max_(APC_LEVEL)
ULONG RtlRandomEx(PULONG Seed)
{
    return *Seed = (ULONG)((0x7FFFFFEDULL * *Seed + 0x7FFFFFC3) % 0x7FFFFFFF);
}

/* The next number from a seed, below MAXLONG. Page: nf-ntifs-rtlrandom. */
_IRQL_requires_max_(APC_LEVEL)
ULONG RtlRandom(PULONG Seed)
{
    return RtlRandomEx(Seed);
}

/* The Win32 error of a status; 317 (ERROR_MR_MID_NOT_FOUND) for one that has none. Page: nf-ntifs-rtlntstatustodoserror. */
_IRQL_requires_max_(APC_LEVEL)
ULONG RtlNtStatusToDosErrorNoTeb(NTSTATUS Status)
{
    struct {
        NTSTATUS Status;
        ULONG Error;
    } known[] = {
        { STATUS_SUCCESS, 0 }, { STATUS_NOT_IMPLEMENTED, 1 }, { STATUS_INVALID_DEVICE_REQUEST, 1 },
        { STATUS_OBJECT_NAME_NOT_FOUND, 2 }, { STATUS_NO_SUCH_DEVICE, 2 }, { STATUS_OBJECT_PATH_NOT_FOUND, 3 },
        { STATUS_ACCESS_DENIED, 5 }, { STATUS_DELETE_PENDING, 5 }, { STATUS_INVALID_HANDLE, 6 }, { STATUS_NO_MEMORY, 8 },
        { STATUS_DEVICE_NOT_READY, 21 }, { STATUS_INFO_LENGTH_MISMATCH, 24 }, { STATUS_UNSUCCESSFUL, 31 },
        { STATUS_SHARING_VIOLATION, 32 }, { STATUS_END_OF_FILE, 38 }, { STATUS_NOT_SUPPORTED, 50 },
        { STATUS_INVALID_PARAMETER, 87 }, { STATUS_IO_TIMEOUT, 121 }, { STATUS_BUFFER_TOO_SMALL, 122 },
        { STATUS_DEVICE_BUSY, 170 }, { STATUS_OBJECT_NAME_COLLISION, 183 }, { STATUS_BUFFER_OVERFLOW, 234 },
        { STATUS_NO_MORE_ENTRIES, 259 }, { STATUS_INTEGER_OVERFLOW, 534 }, { STATUS_CANCELLED, 995 }, { STATUS_PENDING, 997 },
        { STATUS_ACCESS_VIOLATION, 998 }, { STATUS_DATATYPE_MISALIGNMENT, 998 }, { STATUS_NOT_FOUND, 1168 },
        { STATUS_CONNECTION_REFUSED, 1225 }, { STATUS_NETWORK_UNREACHABLE, 1231 }, { STATUS_HOST_UNREACHABLE, 1232 },
        { STATUS_INSUFFICIENT_RESOURCES, 1450 }, { STATUS_INVALID_BUFFER_SIZE, 1784 },
    };
    ULONG i;
    for (i = 0; i < RTL_NUMBER_OF(known); i++)
        if (known[i].Status == Status) return known[i].Error;
    return (ULONG)Status >> 16 == 0xC007 ? (ULONG)Status & 0xFFFF : 317;
}

/* The Win32 error of a status. Page: nf-ntifs-rtlntstatustodoserror. */
_IRQL_requires_max_(APC_LEVEL)
ULONG RtlNtStatusToDosError(NTSTATUS Status)
{
    return RtlNtStatusToDosErrorNoTeb(Status);
}
