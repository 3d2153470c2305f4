/*
 * library.c: the variables that Windows drivers get from import libraries (netio.lib, uuid.lib, ntoskrnl.lib). Linked into a
 * driver that names one and does not define it itself; the headers declare them extern.
 */
/* The interface of WSK (WSK-OBJ-20). */
const NPIID NPI_WSK_INTERFACE_ID = { 0x2227E803, 0x8D8B, 0x11D4, { 0xAB, 0xAD, 0x00, 0x90, 0x27, 0x71, 0x9E, 0x09 } };
const IN_ADDR in4addr_any = { { { 0, 0, 0, 0 } } };
const IN_ADDR in4addr_loopback = { { { 127, 0, 0, 1 } } };
const IN6_ADDR in6addr_any = { { { 0 } } };
const IN6_ADDR in6addr_loopback = { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } } };

/* Object types: a driver only compares or passes them on. */
static UCHAR objectTypes[5];
static POBJECT_TYPE threadType = (POBJECT_TYPE)&objectTypes[0];
static POBJECT_TYPE processType = (POBJECT_TYPE)&objectTypes[1];
static POBJECT_TYPE fileType = (POBJECT_TYPE)&objectTypes[2];
static POBJECT_TYPE eventType = (POBJECT_TYPE)&objectTypes[3];
static POBJECT_TYPE semaphoreType = (POBJECT_TYPE)&objectTypes[4];
POBJECT_TYPE *PsThreadType = &threadType;
POBJECT_TYPE *PsProcessType = &processType;
POBJECT_TYPE *IoFileObjectType = &fileType;
POBJECT_TYPE *ExEventObjectType = &eventType;
POBJECT_TYPE *ExSemaphoreObjectType = &semaphoreType;

/* Security descriptors of wdmsec.h. */
const UNICODE_STRING SDDL_DEVOBJ_KERNEL_ONLY = RTL_CONSTANT_STRING(L"D:P");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL = RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_ALL = RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)(A;;GA;;;BA)");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_RX = RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)(A;;GRGX;;;BA)");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R = RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R_RES_R =
    RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)(A;;GR;;;RC)");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R =
    RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGW;;;WD)(A;;GR;;;RC)");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RWX_RES_RWX =
    RTL_CONSTANT_STRING(L"D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGWGX;;;WD)(A;;GRGWGX;;;RC)");

/* The C library's state. */
unsigned int wsklab_random = 1;
FILE wsklab_streams[3];
struct wsklab_file *wsklab_files;
