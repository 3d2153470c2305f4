/*
 * wdfstring.h: string objects.
 * Follows the wdfstring.h pages.
 */
#ifndef _WDFSTRING_H_
#define _WDFSTRING_H_

#include "wdfobject.h"

/* Strings. */
NTSTATUS WdfStringCreate(PCUNICODE_STRING UnicodeString, PWDF_OBJECT_ATTRIBUTES StringAttributes, WDFSTRING *String);
VOID WdfStringGetUnicodeString(WDFSTRING String, PUNICODE_STRING UnicodeString);

#endif
