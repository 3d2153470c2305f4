// The WDK's dialect: annotations, alignment, its integers and suffixes, unnamed members, tables of functions, assertions, pragmas.
#include <ntddk.h>
#include <wsk.h>
#include <stdio.h>
#include <stdbool.h>
#include <driverspecs.h>

#define LOG(Format, ...) DbgPrint("%s: "##Format"\n", __FUNCTION__, __VA_ARGS__)

EXTERN_C_START
static_assert(sizeof(wchar_t) == 2, "UTF-16");
EXTERN_C_END
static LOOKASIDE_ALIGN LOOKASIDE_LIST_EX blocks;

static bool scanned(ULONG64 mask)
{
    ULONG first = 77, last = 77;
    bool found = BitScanForward64(&first, mask) && BitScanReverse64(&last, mask);

    LOG("%lu %lu", first, last);
    return found;
}

#pragma warning(push)
#pragma warning(disable : 4201 4214)
#pragma prefast(suppress : 28118, "not in a driver")
#pragma code_seg("PAGE")

#if 0x7FFFFFFFFFFFFFFFLL > 0x7FFFFFFFLL && 'AB' == 0x4142 && defined(_WIN64) && !defined _X86_
#define WIDE_PREPROCESSOR 1
#else
#error "64 bits are missing"
#endif

typedef struct DECLSPEC_ALIGN(32) _ALIGNED {
    char byte;
} ALIGNED;

#pragma pack(push, 1)
typedef struct _PACKED {
    UCHAR first;
    ULONG second;
} PACKED;
#pragma pack(pop)

typedef struct _FLAGS {
    ULONG low : 3;
    ULONG middle : 5;
    LONG sign : 4;
    ULONG : 0;
    ULONG last : 1;
} FLAGS;

typedef struct _PROVIDER {
    int (*open)(int);
    int (*close)(int);
} PROVIDER;

typedef struct _EXTENDED {
    PROVIDER;
    union {
        struct { USHORT low, high; };
        ULONG both;
    };
    int (*more)(int, int);
} EXTENDED;

typedef struct _FLEXIBLE {
    ULONG count;
    UCHAR data[ANYSIZE_ARRAY];
} FLEXIBLE;

C_ASSERT(sizeof(PACKED) == 5);
C_ASSERT(FIELD_OFFSET(PACKED, second) == 1);
C_ASSERT(sizeof(long) == 4 && sizeof(void *) == 8 && sizeof(LONGLONG) == 8 && sizeof(L'x') == 2);

_Must_inspect_result_
_IRQL_requires_max_(DISPATCH_LEVEL)
_Success_(return != 0)
static __forceinline int __cdecl opened(_In_ int number) { return number + 1; }
static NTAPI closed(int number);
static int __stdcall closed(_In_range_(0, 10) int number) { return number - 1; }
static __declspec(noinline) int sum(int left, int right) { return left + right; }
_Function_class_(DRIVER_UNLOAD) static VOID unload(_In_ PDRIVER_OBJECT DriverObject) { UNREFERENCED_PARAMETER(DriverObject); }

static int counted(void)
{
    static int calls = 40;
    static int never;

    never += 2;
    return ++calls + never;
}

static int select(int number)
{
    static int (*const table[])(int) = { opened, closed, [3] = opened };

    return table[number] ? table[number](10) : -1;
}

int main(void)
{
    EXTENDED extended = { .open = opened, .close = closed, .both = 0x20001, .more = sum };
    FLAGS flags = { 7, .sign = -3, .last = 1 };
    WSK_PROVIDER_CONNECTION_DISPATCH dispatch = { 0 };
    const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch = &dispatch;
    FLEXIBLE *flexible;
    UCHAR storage[16] = { 0 };
    ALIGNED aligned[2];
    WCHAR wide[] = L"w\x20AC" L"\u3042";
    LARGE_INTEGER large;
    volatile LONG counter = 0;
    __int64 big = 0x7FFFFFFFFFFFFFFFi64;
    unsigned __int8 small = (unsigned __int8)300;
    short narrow = (short)70000;
    float single = 0.1f;
    double twice = single * 2.0;
    PACKED *packed = &(PACKED){ .second = 'tpcs' };

    printf("%d %d %d\n", extended.open(1), extended.close(1), extended.more(2, 3));
    printf("%d %d %lx\n", extended.low, extended.high, extended.both);
    printf("%lu %lu %ld %lu %zu\n", flags.low, flags.middle, flags.sign, flags.last, sizeof(flags));
    printf("%d %d\n", Dispatch->Basic.WskCloseSocket == NULL, Dispatch->WskCloseSocket == NULL);
    flexible = (FLEXIBLE *)storage;
    flexible->data[3] = 9;
    printf("%d %zu\n", storage[FIELD_OFFSET(FLEXIBLE, data) + 3], sizeof(aligned));
    printf("%d\n", ((ULONG_PTR)&aligned[1] & 31) == 0);
    printf("%d %x %x\n", (int)(sizeof(wide) / sizeof(wide[0])), wide[1], wide[2]);
    large.QuadPart = -2;
    printf("%lx %lx %I64d\n", large.LowPart, (ULONG)large.HighPart, large.QuadPart);
    InterlockedIncrement(&counter);
    printf("%ld %I64d %u %d\n", counter, big, small, narrow);
    printf("%.7f %d %d\n", twice, single == 0.1, (int)-2.9);
    printf("%lx %d\n", packed->second, packed->first);
    printf("%d ", counted());
    printf("%d ", counted());
    printf("%d\n", select(0) + select(1) + select(2) + select(3));
    printf("%d %d %d\n", 5u > -1, -1 >> 1, (UCHAR)200 + (UCHAR)100);
    printf("%d %d %llu\n", 7 / -2, 7 % -2, 1ULL << 40);
    LOG("no argument");
    printf("%d %d ", scanned(0x0000010000000100), scanned(0));
    printf("%d ", BitScanReverse((ULONG *)&counter, 0x90) ? counter : -1);
    counter = BitScanForward((ULONG *)&counter, 0x90) ? counter : -1;
    printf("%ld %d\n", ReadNoFence(&counter), (int)((ULONG_PTR)&blocks % SYSTEM_CACHE_ALIGNMENT_SIZE));
    counter = 1;
    ASSERT(WIDE_PREPROCESSOR);
    NT_ASSERT(counter == 1);
    unload(NULL);
    return 0;
}
#pragma warning(pop)
