/*
 * wdfbugcodes.h: what bug check 0x10D WDF_VIOLATION says: its first parameter, and structures that another parameter points to.
 * Follows the page bug-check-0x10d---wdf-violation and fact sheet 3.2. Three are never raised here: there is no DMA (0x8), the
 * framework does not use 0x9, and 0x6 with 0x5 guards lists of its own.
 */
#ifndef _WDFBUGCODES_H_
#define _WDFBUGCODES_H_

#include "wdftypes.h"

typedef enum _WDF_BUGCHECK_CODES {
    WDF_POWER_ROUTINE_TIMED_OUT = 0x1,
    WDF_RECURSIVE_LOCK = 0x2,
    WDF_VERIFIER_FATAL_ERROR = 0x3,
    WDF_REQUIRED_PARAMETER_IS_NULL = 0x4,
    WDF_INVALID_HANDLE = 0x5,
    WDF_REQUEST_FATAL_ERROR = 0x6,
    WDF_OBJECT_ERROR = 0x7,
    WDF_DMA_FATAL_ERROR = 0x8,
    WDF_INVALID_INTERRUPT = 0x9,
    WDF_QUEUE_FATAL_ERROR = 0xA,
    WDF_INVALID_LOCK_OPERATION = 0xB,
    WDF_PNP_FATAL_ERROR = 0xC,
    WDF_POWER_MULTIPLE_PPO = 0xD,
    WDF_VERIFIER_IRQL_MISMATCH = 0xE,
    WDF_VERIFIER_CRITICAL_REGION_MISMATCH = 0xF,
    WDF_API_UNAVAILABLE = 0x10
} WDF_BUGCHECK_CODES;

/*
 * The states of the power state machine that a device is in while a callback of its driver runs: between the working state and
 * sleep, one that does not touch paged memory (NP). The state machine of the power policy is not modelled: its state stays 0.
 */
enum { WdfDevStateNP = 0x8000 };
typedef enum _WDF_DEVICE_POWER_STATE {
    WdfDevStatePowerInvalid = 0x00,
    WdfDevStatePowerGotoDxNP = 0x31B | WdfDevStateNP,
    WdfDevStatePowerGotoDxIoStoppedNP = 0x31D | WdfDevStateNP,
    WdfDevStatePowerStartSelfManagedIoNP = 0x32C | WdfDevStateNP,
    WdfDevStatePowerWakingNP = 0x334 | WdfDevStateNP,
    WdfDevStatePowerWakingConnectInterruptNP = 0x336 | WdfDevStateNP
} WDF_DEVICE_POWER_STATE, *PWDF_DEVICE_POWER_STATE;
typedef enum _WDF_DEVICE_POWER_POLICY_STATE {
    WdfDevStatePwrPolInvalid = 0x00
} WDF_DEVICE_POWER_POLICY_STATE, *PWDF_DEVICE_POWER_POLICY_STATE;

/* What parameter 2 points to after WDF_POWER_ROUTINE_TIMED_OUT. */
typedef struct _WDF_POWER_ROUTINE_TIMED_OUT_DATA {
    WDF_DEVICE_POWER_STATE PowerState;
    WDF_DEVICE_POWER_POLICY_STATE PowerPolicyState;
    PDEVICE_OBJECT DeviceObject;
    WDFDEVICE Device;
    PKTHREAD TimedOutThread;
} WDF_POWER_ROUTINE_TIMED_OUT_DATA;

/* What parameter 2 points to after WDF_QUEUE_FATAL_ERROR. */
typedef struct _WDF_QUEUE_FATAL_ERROR_DATA {
    WDFQUEUE Queue;
    WDFREQUEST Request;
    NTSTATUS Status;
} WDF_QUEUE_FATAL_ERROR_DATA, *PWDF_QUEUE_FATAL_ERROR_DATA;

/* What parameter 2 is after WDF_REQUEST_FATAL_ERROR, and what parameter 3 points to for the fourth. */
typedef enum _WDF_REQUEST_FATAL_ERROR_CODES {
    WDF_REQUEST_FATAL_ERROR_NO_MORE_STACK_LOCATIONS = 0x1,
    WDF_REQUEST_FATAL_ERROR_NULL_IRP = 0x2,
    WDF_REQUEST_FATAL_ERROR_REQUEST_ALREADY_SENT = 0x3,
    WDF_REQUEST_FATAL_ERROR_INFORMATION_LENGTH_MISMATCH = 0x4,
    WDF_REQUEST_FATAL_ERROR_REQUEST_NOT_IN_QUEUE = 0x5
} WDF_REQUEST_FATAL_ERROR_CODES;
typedef struct _WDF_REQUEST_FATAL_ERROR_INFORMATION_LENGTH_MISMATCH_DATA {
    WDFREQUEST Request;
    PIRP Irp;
    ULONG OutputBufferLength;
    ULONG_PTR Information;
    UCHAR MajorFunction;
} WDF_REQUEST_FATAL_ERROR_INFORMATION_LENGTH_MISMATCH_DATA, *PWDF_REQUEST_FATAL_ERROR_INFORMATION_LENGTH_MISMATCH_DATA;

#endif
