/*
 * ntstrsafe.h: string functions that know the size of what they write to. Cb counts bytes, Cch characters; A is char, W is WCHAR.
 *
 * Rules: sizes include the terminating zero; a result cut short is STATUS_BUFFER_OVERFLOW. Copying, appending and measuring are
 * C, what formats is a prototype.
 * Follows "Using safe string functions" and the ntstrsafe.h pages.
 */
#ifndef _NTSTRSAFE_H_INCLUDED_
#define _NTSTRSAFE_H_INCLUDED_

#include "wdmrtl.h"

#define NTSTRSAFE_MAX_CCH 2147483647
#define NTSTRSAFE_UNICODE_STRING_MAX_CCH (0xffff / sizeof(wchar_t))
#define STRSAFE_FILL_BEHIND_NULL 0x00000200

/* Length in characters, not counting the zero; STATUS_INVALID_PARAMETER if there is none within the limit. */
FORCEINLINE NTSTATUS RtlStringCchLengthA(PCSTR psz, size_t cchMax, size_t *pcchLength)
{
    size_t count = 0;

    while (psz != NULL && count < cchMax && psz[count] != 0) {
        count++;
    }
    if (pcchLength != NULL) {
        *pcchLength = (psz != NULL && count < cchMax) ? count : 0;
    }
    return (psz != NULL && count < cchMax) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}
FORCEINLINE NTSTATUS RtlStringCchLengthW(PCWSTR psz, size_t cchMax, size_t *pcchLength)
{
    size_t count = 0;

    while (psz != NULL && count < cchMax && psz[count] != 0) {
        count++;
    }
    if (pcchLength != NULL) {
        *pcchLength = (psz != NULL && count < cchMax) ? count : 0;
    }
    return (psz != NULL && count < cchMax) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}
FORCEINLINE NTSTATUS RtlStringCbLengthA(PCSTR psz, size_t cbMax, size_t *pcbLength)
{
    return RtlStringCchLengthA(psz, cbMax, pcbLength);
}
FORCEINLINE NTSTATUS RtlStringCbLengthW(PCWSTR psz, size_t cbMax, size_t *pcbLength)
{
    NTSTATUS Status = RtlStringCchLengthW(psz, cbMax / sizeof(WCHAR), pcbLength);

    if (pcbLength != NULL) {
        *pcbLength *= sizeof(WCHAR);
    }
    return Status;
}

/* Copying at most so many characters. */
FORCEINLINE NTSTATUS RtlStringCchCopyNA(PSTR pszDest, size_t cchDest, PCSTR pszSrc, size_t cchToCopy)
{
    size_t count = 0;

    if (cchDest == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    while (count < cchToCopy && count < cchDest - 1 && pszSrc[count] != 0) {
        pszDest[count] = pszSrc[count];
        count++;
    }
    pszDest[count] = 0;
    return (count < cchToCopy && pszSrc[count] != 0) ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}
FORCEINLINE NTSTATUS RtlStringCchCopyNW(PWSTR pszDest, size_t cchDest, PCWSTR pszSrc, size_t cchToCopy)
{
    size_t count = 0;

    if (cchDest == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    while (count < cchToCopy && count < cchDest - 1 && pszSrc[count] != 0) {
        pszDest[count] = pszSrc[count];
        count++;
    }
    pszDest[count] = 0;
    return (count < cchToCopy && pszSrc[count] != 0) ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}
#define RtlStringCchCopyA(pszDest, cchDest, pszSrc) RtlStringCchCopyNA((pszDest), (cchDest), (pszSrc), NTSTRSAFE_MAX_CCH)
#define RtlStringCchCopyW(pszDest, cchDest, pszSrc) RtlStringCchCopyNW((pszDest), (cchDest), (pszSrc), NTSTRSAFE_MAX_CCH)
#define RtlStringCbCopyA(pszDest, cbDest, pszSrc) RtlStringCchCopyNA((pszDest), (cbDest), (pszSrc), NTSTRSAFE_MAX_CCH)
#define RtlStringCbCopyW(pszDest, cbDest, pszSrc) \
    RtlStringCchCopyNW((pszDest), (cbDest) / sizeof(WCHAR), (pszSrc), NTSTRSAFE_MAX_CCH)
#define RtlStringCbCopyNA(pszDest, cbDest, pszSrc, cbToCopy) RtlStringCchCopyNA((pszDest), (cbDest), (pszSrc), (cbToCopy))
#define RtlStringCbCopyNW(pszDest, cbDest, pszSrc, cbToCopy) \
    RtlStringCchCopyNW((pszDest), (cbDest) / sizeof(WCHAR), (pszSrc), (cbToCopy) / sizeof(WCHAR))

/* Appending. */
FORCEINLINE NTSTATUS RtlStringCchCatA(PSTR pszDest, size_t cchDest, PCSTR pszSrc)
{
    size_t length;
    NTSTATUS Status = RtlStringCchLengthA(pszDest, cchDest, &length);

    return NT_SUCCESS(Status) ? RtlStringCchCopyA(pszDest + length, cchDest - length, pszSrc) : Status;
}
FORCEINLINE NTSTATUS RtlStringCchCatW(PWSTR pszDest, size_t cchDest, PCWSTR pszSrc)
{
    size_t length;
    NTSTATUS Status = RtlStringCchLengthW(pszDest, cchDest, &length);

    return NT_SUCCESS(Status) ? RtlStringCchCopyW(pszDest + length, cchDest - length, pszSrc) : Status;
}
#define RtlStringCbCatA(pszDest, cbDest, pszSrc) RtlStringCchCatA((pszDest), (cbDest), (pszSrc))
#define RtlStringCbCatW(pszDest, cbDest, pszSrc) RtlStringCchCatW((pszDest), (cbDest) / sizeof(WCHAR), (pszSrc))

/* Formatting. No floating point here. */
FORCEINLINE NTSTATUS RtlStringCchVPrintfA(PSTR pszDest, size_t cchDest, PCSTR pszFormat, va_list argList)
{
    if (cchDest == 0 || cchDest > NTSTRSAFE_MAX_CCH) return STATUS_INVALID_PARAMETER;
    if (wsklab_format(pszDest, cchDest, 1, pszFormat, argList, FALSE) < cchDest) return STATUS_SUCCESS;
    pszDest[cchDest - 1] = 0;
    return STATUS_BUFFER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlStringCchVPrintfW(PWSTR pszDest, size_t cchDest, PCWSTR pszFormat, va_list argList)
{
    if (cchDest == 0 || cchDest > NTSTRSAFE_MAX_CCH) return STATUS_INVALID_PARAMETER;
    if (wsklab_format(pszDest, cchDest, 2, pszFormat, argList, FALSE) < cchDest) return STATUS_SUCCESS;
    pszDest[cchDest - 1] = 0;
    return STATUS_BUFFER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlStringCchPrintfA(PSTR pszDest, size_t cchDest, PCSTR pszFormat, ...)
{
    va_list arguments;
    va_start(arguments, pszFormat);
    return RtlStringCchVPrintfA(pszDest, cchDest, pszFormat, arguments);
}
FORCEINLINE NTSTATUS RtlStringCchPrintfW(PWSTR pszDest, size_t cchDest, PCWSTR pszFormat, ...)
{
    va_list arguments;
    va_start(arguments, pszFormat);
    return RtlStringCchVPrintfW(pszDest, cchDest, pszFormat, arguments);
}
#define RtlStringCbVPrintfA(pszDest, cbDest, pszFormat, argList) RtlStringCchVPrintfA((pszDest), (cbDest), (pszFormat), (argList))
#define RtlStringCbVPrintfW(pszDest, cbDest, pszFormat, argList) \
    RtlStringCchVPrintfW((pszDest), (cbDest) / sizeof(WCHAR), (pszFormat), (argList))
#define RtlStringCbPrintfA(pszDest, cbDest, ...) RtlStringCchPrintfA((pszDest), (cbDest), __VA_ARGS__)
#define RtlStringCbPrintfW(pszDest, cbDest, ...) RtlStringCchPrintfW((pszDest), (cbDest) / sizeof(WCHAR), __VA_ARGS__)
FORCEINLINE NTSTATUS RtlUnicodeStringPrintf(PUNICODE_STRING DestinationString, PCWSTR pszFormat, ...)
{
    size_t count = DestinationString->MaximumLength / sizeof(WCHAR), length;
    va_list arguments;
    va_start(arguments, pszFormat);
    length = wsklab_format(DestinationString->Buffer, count, 2, pszFormat, arguments, FALSE);
    DestinationString->Length = (USHORT)((length > count ? count : length) * sizeof(WCHAR));
    return length > count ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* Counted strings: no zero is added, and what does not fit is cut off. */
FORCEINLINE NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING DestinationString, PCWSTR pszSrc)
{
    if (pszSrc != NULL && wcslen(pszSrc) >= NTSTRSAFE_UNICODE_STRING_MAX_CCH) return STATUS_INVALID_PARAMETER;
    RtlInitUnicodeString(DestinationString, pszSrc);
    return STATUS_SUCCESS;
}
FORCEINLINE NTSTATUS wsklab_put_behind(PUNICODE_STRING DestinationString, size_t Kept, PCWSTR Source, size_t Count)
{
    size_t room = DestinationString->MaximumLength / sizeof(WCHAR) - Kept, fitting = Count < room ? Count : room;

    if (fitting != 0) RtlMoveMemory(DestinationString->Buffer + Kept, Source, fitting * sizeof(WCHAR));
    DestinationString->Length = (USHORT)((Kept + fitting) * sizeof(WCHAR));
    return Count > room ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}
FORCEINLINE NTSTATUS RtlUnicodeStringCopy(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    return wsklab_put_behind(DestinationString, 0, SourceString->Buffer, SourceString->Length / sizeof(WCHAR));
}
FORCEINLINE NTSTATUS RtlUnicodeStringCopyString(PUNICODE_STRING DestinationString, PCWSTR pszSrc)
{
    return wsklab_put_behind(DestinationString, 0, pszSrc, wcslen(pszSrc));
}
FORCEINLINE NTSTATUS RtlUnicodeStringCat(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    size_t count = SourceString->Length / sizeof(WCHAR);

    return wsklab_put_behind(DestinationString, DestinationString->Length / sizeof(WCHAR), SourceString->Buffer, count);
}
FORCEINLINE NTSTATUS RtlUnicodeStringCatString(PUNICODE_STRING DestinationString, PCWSTR pszSrc)
{
    return wsklab_put_behind(DestinationString, DestinationString->Length / sizeof(WCHAR), pszSrc, wcslen(pszSrc));
}

#endif
