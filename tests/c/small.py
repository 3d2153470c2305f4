"""A handful of headers for tests of the front end, so that they do not depend on the lab's own."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from wsklab.c.headers import Headers, read_headers

ALL = """
#pragma once
#define VOID void
#define FALSE 0
#define TRUE 1
#define NULL ((void *)0)
#define STATUS_SUCCESS ((NTSTATUS)0x00000000L)
#define STATUS_PENDING ((NTSTATUS)0x00000103L)
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001L)
#define UNREFERENCED_PARAMETER(P) (P)
#define FIELD_OFFSET(type, field) ((LONG)(LONG_PTR)&(((type *)0)->field))
#define MAXULONG 0xFFFFFFFF
#define TAG 'tset'
#define TEXT "no number"
#define TWICE (DOUBLED * 2)
#define DOUBLED 21
#define DECLSPEC_ALIGN(x) __declspec(align(x))
typedef void *PVOID;
typedef char CHAR;
typedef unsigned char UCHAR, BOOLEAN;
typedef long LONG, NTSTATUS;
typedef __int64 LONG_PTR;
typedef unsigned long ULONG, *PULONG;
typedef unsigned short WCHAR;
typedef struct _LIST_ENTRY { struct _LIST_ENTRY *Flink, *Blink; } LIST_ENTRY, *PLIST_ENTRY;
typedef enum _LEVEL { PassiveLevel, ApcLevel, DispatchLevel = 2, } LEVEL;
typedef struct _IRP {
    short Type;
    union { struct _IRP *Master; long Count; } Associated;
    struct { union { NTSTATUS Status; PVOID Pointer; }; unsigned __int64 Information; } IoStatus;
    LIST_ENTRY ThreadListEntry;
} IRP, *PIRP;
typedef NTSTATUS DRIVER_ROUTINE(PIRP Irp, PVOID Context);
typedef DRIVER_ROUTINE *PDRIVER_ROUTINE;
PIRP IoAllocateIrp(CHAR StackSize, BOOLEAN ChargeQuota);
VOID IoFreeIrp(PIRP Irp);
ULONG DbgPrint(const CHAR *Format, ...);
#include "more.h"
"""
MORE = """
#pragma once
__forceinline BOOLEAN IsListEmpty(const LIST_ENTRY *ListHead)
{
    return (BOOLEAN)(ListHead->Flink == ListHead);
}
"""


@functools.cache
def small_headers() -> Headers:
    """The headers above, parsed."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "all.h").write_text(ALL)
        Path(directory, "more.h").write_text(MORE)
        return read_headers(Path(directory))
