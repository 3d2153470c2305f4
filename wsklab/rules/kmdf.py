"""Rules of the driver framework: handles and objects, requests, I/O targets.

`KMDF` bug checks are 0x10D WDF_VIOLATION. A rule whose source is "KMDF verifier" and that has no bug check is a breakpoint of the
framework's verifier: Windows breaks into the debugger, and the machine stops there unless `lab.verifier` is "continue".
"Windows" are those the framework reports with or without its verifier; "Static Driver Verifier" and "ours" are seen by no run
on Windows.

`{handle}` is the handle the driver passed, `{kind}` its type, `{irp}` the request's IRP.
"""

from __future__ import annotations

from wsklab.rules.rule import Rule

KMDF = 0x10D
BUGCHECK_PAGE = "bug-check-0x10d---wdf-violation"
_VERIFIER, _STATIC = "KMDF verifier", "Static Driver Verifier"

_OBJECTS = (
    Rule(
        "kmdf-wrong-handle",
        "The handle is not a {wanted}",
        "A {wanted} was expected and {handle} is {found}.",
        "Pass the handle that the create function stored, and check its status first: after a failure the handle is NULL.",
        KMDF,
        ("0x5", "{handle}", "{wanted_type}", "0"),
        BUGCHECK_PAGE,
        ("KMDF-OBJ-23", "RULE-37"),
    ),
    Rule(
        "kmdf-stale-handle",
        "The object behind the handle is gone",
        "The {kind} {handle} has been deleted and its memory freed; the handle leads to freed pool.",
        "Do not use a handle after WdfObjectDelete or after its parent was deleted. Whoever needs it longer takes a "
        "reference with "
        "WdfObjectReference before.",
        None,
        (),
        "framework-object-life-cycle",
        ("KMDF-OBJ-24",),
        "ours",
    ),
    Rule(
        "kmdf-null-parameter",
        "A required pointer is NULL",
        "{name} must not be NULL.",
        "Pass the address of a variable of the right type.",
        KMDF,
        ("0x4", "0", "{ip}", "0"),
        BUGCHECK_PAGE,
        ("KMDF-OBJ-25", "RULE-37"),
    ),
    Rule(
        "kmdf-dereferenced-to-zero",
        "The last reference of an object that was never deleted is gone",
        "WdfObjectDereference, or a completion that counts as one, took the last reference of the {kind} {handle}, which is "
        "still in the tree of objects.",
        "The first reference belongs to the object's life: end it with WdfObjectDelete, and dereference only what you "
        "referenced.",
        KMDF,
        ("0x7", "{handle}", "0", "0"),
        BUGCHECK_PAGE,
        ("KMDF-OBJ-20", "RULE-38"),
    ),
    Rule(
        "kmdf-not-deletable",
        "This object cannot be deleted by the driver",
        "WdfObjectDelete was called for the {kind} {handle}, which the framework deletes itself.",
        "Leave drivers, PnP devices, default queues, local targets and received requests alone; a received request is completed.",
        None,
        (),
        "nf-wdfobject-wdfobjectdelete",
        ("KMDF-OBJ-17", "KMDF-OBJ-18", "RULE-39"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-not-a-context",
        "The pointer is not an object's context",
        "No object has a context at {address}.",
        "Pass the pointer that the typed accessor returned, unchanged.",
        None,
        (),
        "nf-wdfobject-wdfobjectcontextgetobject",
        ("KMDF-CTX-13",),
        "ours",
    ),
    Rule(
        "kmdf-no-driver",
        "There is no framework driver object yet",
        "An object without a stated parent goes under the WDFDRIVER, and WdfDriverCreate has not succeeded yet.",
        "Call WdfDriverCreate in DriverEntry before any other framework function.",
        None,
        (),
        "kmdf-drivercreate",
        ("KMDF-OBJ-04", "RULE-83"),
        _STATIC,
    ),
    Rule(
        "kmdf-collection-not-in",
        "The object is not in the collection",
        "{what} was to be removed from the collection {handle}, which does not hold it.",
        "Find out who removed it before: the collection needs a lock when a completion routine removes from it.",
        None,
        (),
        "framework-object-collections",
        ("KMDF-AUX-10", "RULE-40"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-lock-recursive",
        "The lock is held already",
        "The {kind} {handle} was acquired although this thread holds it.",
        "Do not call anything that may come back (WdfRequestSend, WdfRequestCancelSentRequest) while holding a lock its "
        "completion routine takes.",
        KMDF,
        ("0x2", "{handle}", "0", "0"),
        BUGCHECK_PAGE,
        ("KMDF-CAN-08", "KMDF-MIS-21"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-lock-not-held",
        "The lock is not held by this thread",
        "The {kind} {handle} was released, and {holder}.",
        "Acquire and release in pairs, in the same thread.",
        KMDF,
        ("0xB", "{handle}", "0x1", "0"),
        BUGCHECK_PAGE,
        ("KMDF-AUX-09", "RULE-41", "RULE-82"),
        _VERIFIER,
    ),
)

_SENDING = (
    Rule(
        "kmdf-request-unformatted",
        "A request was sent that is not formatted",
        "WdfRequestSend was called for the request {handle}, whose next stack location was not filled for this send. The "
        "framework's verifier "
        "refuses it with STATUS_REQUEST_NOT_ACCEPTED; without the verifier whatever stands there goes down.",
        "Format the request before every send, with WdfIoTargetFormatRequestFor… or WdfRequestFormatRequestUsingCurrentType."
        " Formatting lasts for "
        "one send, and WdfRequestChangeTarget undoes it.",
        None,
        (),
        "kmdf-requestformattedvalid",
        ("KMDF-SND-10", "KMDF-CHG-08", "RULE-08", "RULE-59"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-request-already-sent",
        "A request was sent that is still on its way",
        "WdfRequestSend was called for the request {handle}, which an I/O target still has.",
        "Send it again from its completion routine or after it, never before. For several transfers at once, use several "
        "requests.",
        KMDF,
        ("0x6", "0x3", "{handle}", "{irp}"),
        BUGCHECK_PAGE,
        ("KMDF-SND-09", "RULE-09"),
    ),
    Rule(
        "kmdf-too-few-stack-locations",
        "The IRP has too few stack locations for this target",
        "The request {handle} has {left} stack locations left and the target needs {needed}.",
        "Call WdfRequestChangeTarget (or format for this very target) before sending to it, and check its status.",
        None,
        (),
        "nf-wdfrequest-wdfrequestchangetarget",
        ("KMDF-SND-10", "KMDF-FMT-22", "RULE-14"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-no-completion-routine",
        "A received request was sent without a completion routine",
        "WdfRequestSend was called for the request {handle}, which came from a queue, and nobody would complete it when it "
        "comes back.",
        "Call WdfRequestSetCompletionRoutine before each send (the registration lasts for one send), or send and forget.",
        None,
        (),
        "kmdf-reqcompletionroutine",
        ("KMDF-SND-06", "KMDF-CRT-02", "RULE-16"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-send-options",
        "The send options are not valid",
        "The WDF_REQUEST_SEND_OPTIONS for the request {handle} has Size {size} and Flags {flags}.",
        "Initialise it with WDF_REQUEST_SEND_OPTIONS_INIT; WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET goes with no other flag.",
        None,
        (),
        "ns-wdfrequest-_wdf_request_send_options",
        ("KMDF-OPT-03", "KMDF-SND-02", "RULE-17"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-sync-send-irql",
        "A request was sent synchronously above PASSIVE_LEVEL",
        "WdfRequestSend with WDF_REQUEST_SEND_OPTION_SYNCHRONOUS was called for the request {handle} at {irql_name}; it "
        "would have to wait there.",
        "Send synchronously at PASSIVE_LEVEL only. In a completion routine, send asynchronously.",
        None,
        (),
        "wdfrequestsendsyncatdispatch",
        ("KMDF-SND-22", "KMDF-SND-23", "RULE-64"),
        _STATIC,
    ),
    Rule(
        "kmdf-forget-formatted",
        "A formatted request cannot be sent and forgotten",
        "The request {handle} has been formatted with a WdfIoTargetFormatRequestFor… function.",
        "Before a send-and-forget use WdfRequestFormatRequestUsingCurrentType or nothing at all.",
        None,
        (),
        "kmdf-requestsendandforgetnoformatting2",
        ("KMDF-SAF-02", "RULE-18"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-forget-with-routine",
        "A completion routine was set for a request that is sent and forgotten",
        "The completion routine of the request {handle} will never be called.",
        "Drop either the routine or the flag.",
        None,
        (),
        "ne-wdfrequest-_wdf_request_send_options_flags",
        ("KMDF-SAF-09", "RULE-20"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-formatted-while-sent",
        "A request was changed while an I/O target has it",
        "The request {handle} is on its way; formatting it or changing its target now would rewrite the IRP {irp} under the "
        "lower driver's hands. "
        "The framework does not check this.",
        "Wait for the completion routine.",
        None,
        (),
        "nf-wdfiotarget-wdfiotargetformatrequestforwrite",
        ("KMDF-FMT-18", "KMDF-CHG-13"),
        "ours",
    ),
    Rule(
        "kmdf-reused-while-sent",
        "A request was reused while an I/O target has it",
        "WdfRequestReuse was called for the request {handle}, which is on its way.",
        "Reuse it in its completion routine or after it.",
        None,
        (),
        "nf-wdfrequest-wdfrequestreuse",
        ("KMDF-REU-04", "RULE-22"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-deleted-while-sent",
        "A request was deleted while an I/O target has it",
        "The request {handle} was deleted, directly or with its parent, while it is on its way.",
        "Cancel it with WdfRequestCancelSentRequest and delete it in its completion routine; close a target before deleting it.",
        None,
        (),
        "nf-wdfobject-wdfobjectdelete",
        ("RULE-23", "RULE-24", "KMDF-IOT-15"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-no-irp",
        "The request has no IRP",
        "The request {handle} was created without a target and has no IRP yet.",
        "Only a received request has a stack location to copy. Format a request of your own with WdfIoTargetFormatRequestFor….",
        KMDF,
        ("0x6", "0x2", "{handle}", "0"),
        BUGCHECK_PAGE,
        ("KMDF-FCU-02", "KMDF-CRE-05", "RULE-15"),
    ),
    Rule(
        "kmdf-no-stack-location",
        "There is no stack location to format",
        "The request {handle} has no stack location below the driver's own, or none of the driver's own to copy.",
        "Only a received request can be formatted with its current type. A request of your own is formatted with "
        "WdfIoTargetFormatRequestFor….",
        KMDF,
        ("0x6", "0x1", "{irp}", "{handle}"),
        BUGCHECK_PAGE,
        ("KMDF-FCU-02", "KMDF-CRE-04", "RULE-15"),
    ),
)

_COMPLETING = (
    Rule(
        "kmdf-double-completion",
        "The request was completed twice",
        "WdfRequestComplete was called for the request {handle}, which has been completed before.",
        "Complete in one place: when WdfRequestSend returns FALSE the completion routine does not run, when it returns TRUE "
        "it does.",
        None,
        (),
        "kmdf-doublecompletion",
        ("RULE-01", "RULE-48", "KMDF-MIS-04"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-completed-driver-created",
        "A request of the driver's own was completed",
        "WdfRequestComplete was called for the request {handle}, although {origin}.",
        "Complete only what a queue presented. Reuse your own request with WdfRequestReuse or delete it with WdfObjectDelete.",
        KMDF,
        ("0x7", "{handle}", "0", "0"),
        "kmdf-reqdelete",
        ("KMDF-CMP-15", "KMDF-CRE-11", "RULE-04", "RULE-56"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-completed-not-owned",
        "A request was completed that the driver does not own",
        "The request {handle} is in a queue.",
        "Complete a request only between its presentation to a handler and giving it away.",
        None,
        (),
        "nf-wdfrequest-wdfrequestcomplete",
        ("KMDF-CMP-03", "RULE-02"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-completed-while-sent",
        "A request was completed while an I/O target has it",
        "The request {handle} was sent on and is not back; its IRP {irp} would be completed by two drivers.",
        "Complete it in its completion routine. To hurry it, call WdfRequestCancelSentRequest.",
        0x44,
        ("{irp}", "0", "0", "0"),
        "kmdf-invalidreqaccess",
        ("KMDF-CMP-16", "KMDF-CMP-17", "RULE-03"),
    ),
    Rule(
        "kmdf-memory-referenced",
        "A request was completed while something still refers to its buffer",
        "{count} references are left on the input or output memory of the request {handle}: another request is still "
        "formatted with it.",
        "First reuse, reformat or delete the request that was formatted with this memory; its completion alone does not let "
        "go of it.",
        KMDF,
        ("0x3", "{handle}", "{count}", "0"),
        BUGCHECK_PAGE,
        ("KMDF-CMP-11", "KMDF-FMT-08", "RULE-06", "KMDF-MIS-10"),
    ),
    Rule(
        "kmdf-information-too-large",
        "More bytes were reported than the buffer holds",
        "The request {handle} was completed successfully with Information {information}, and its buffer has {allowed} bytes.",
        "Report what was written into the sender's own buffer, not what a lower device reported for a larger one.",
        KMDF,
        ("0x6", "0x4", "{irp}", "{information}"),
        BUGCHECK_PAGE,
        ("KMDF-CMP-05", "RULE-07", "KMDF-MIS-36"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-request-touched-after-completion",
        "A request was used after it had been completed",
        "The request {handle} has been completed; the handle and everything that came with it are gone.",
        "Read what you need before WdfRequestComplete, and do not touch the request afterwards.",
        None,
        (),
        "kmdf-invalidreqaccess",
        ("RULE-11", "RULE-49", "KMDF-CMP-14"),
        _STATIC,
    ),
    Rule(
        "kmdf-request-touched-after-send-and-forget",
        "A request was used after it had been sent and forgotten",
        "The request {handle} was sent with WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET; the handle is gone.",
        "After TRUE from a send-and-forget do not touch the request; after FALSE complete it.",
        None,
        (),
        "kmdf-invalidreqaccess",
        ("RULE-11", "KMDF-SAF-14", "KMDF-MIS-44"),
        _STATIC,
    ),
    Rule(
        "kmdf-completion-params",
        "There are no completion parameters to read",
        "WdfRequestGetCompletionParams was called for the request {handle}: {why}.",
        "Initialise the structure with WDF_REQUEST_COMPLETION_PARAMS_INIT, and ask only after a format with "
        "WdfIoTargetFormatRequestFor….",
        None,
        (),
        "nf-wdfrequest-wdfrequestgetcompletionparams",
        ("KMDF-GET-05", "RULE-26"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-request-parameters",
        "The request has no parameters to read",
        "Parameters, buffers or the IRP of the request {handle} were asked for: {why}.",
        "Ask only for a request that a queue presented and that has not been completed.",
        None,
        (),
        "nf-wdfrequest-wdfrequestgetparameters",
        ("KMDF-GET-07", "KMDF-CRE-04", "RULE-27", "RULE-28"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-request-never-completed",
        "A received request was never completed",
        "The device is being removed and {count} received requests are still in the driver's hands, the first is {handle}. "
        "Removal would wait for ever.",
        "Complete every received request on every path, also when WdfRequestSend returns FALSE.",
        None,
        (),
        "kmdf-requestcompleted",
        ("RULE-42", "RULE-46", "KMDF-MIS-03"),
        "ours",
    ),
)

_TARGETS = (
    Rule(
        "kmdf-passive-only",
        "This needs PASSIVE_LEVEL",
        "{function} was called for the {kind} {handle} at {irql_name}; the framework's verifier refuses that.",
        "Call it at PASSIVE_LEVEL, for example from a work item.",
        None,
        (),
        "nf-wdfiotarget-wdfiotargetstop",
        ("KMDF-TSS-02", "KMDF-TSS-04", "RULE-34"),
        _VERIFIER,
    ),
    Rule(
        "kmdf-irp-sent-to-nowhere",
        "A request was sent and forgotten to a closed target",
        "The target {target} has no device behind it, and a send-and-forget does not look at the target's state.",
        "Do not send and forget to remote targets.",
        0x7E,
        ("0xFFFFFFFFC0000005", "{ip}", "0", "0"),
        "ne-wdfrequest-_wdf_request_send_options_flags",
        ("KMDF-SAF-07", "KMDF-SAF-12"),
    ),
)

RULES = (*_OBJECTS, *_SENDING, *_COMPLETING, *_TARGETS)
"""Objects, sending, completing, targets."""
