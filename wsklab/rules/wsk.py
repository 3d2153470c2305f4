"""Rules of the Winsock Kernel: the contracts between a driver and the subsystem.

Few of them have a bug check of their own: the real subsystem trusts its clients, and breaking a contract ends in corrupted
memory or a hang somewhere else (BUG-36). So most are ours.
"""

from __future__ import annotations

from wsklab.rules.rule import Rule


def _ours(id: str, title: str, text: str, advice: str, page: str, *facts: str) -> Rule:
    return Rule(id, title, text, advice, page=page, facts=(*facts, "BUG-36"), source="ours")


RULES = (
    _ours(
        "wsk-no-irp",
        "A WSK call without an IRP",
        "{function} was called with a NULL IRP, and it reports its result through the IRP.",
        "Allocate an IRP, set a completion routine with all three Invoke flags, and pass it.",
        "using-irps-with-winsock-kernel-functions",
        "WSK-USE-01", "WSK-SOCK-02", "WSK-CLOSE-01",
    ),
    _ours(
        "wsk-call-after-close",
        "A socket was used after it was closed",
        "{function} was called on {object} after WskCloseSocket had been called on it.",
        "After WskCloseSocket no function of the socket may be called, whatever it returned. Keep a flag or a reference count.",
        "nc-wsk-pfn_wsk_close_socket",
        "WSK-CLOSE-09", "WSK-CLOSE-14",
    ),
    _ours(
        "wsk-second-close",
        "A socket was closed twice",
        "WskCloseSocket was called on {object}, on which it had already been called.",
        "Close a socket once. Several operations that fail at the same time must not each close it.",
        "nc-wsk-pfn_wsk_close_socket",
        "WSK-CLOSE-09",
    ),
    _ours(
        "wsk-close-while-call-runs",
        "A socket was closed while one of its functions was running",
        "WskCloseSocket was called on {object} while {running} had not returned yet.",
        "Every call on a socket must have returned before the close: do not close from a completion routine that may run inline.",
        "closing-a-socket",
        "WSK-CLOSE-04",
    ),
    _ours(
        "wsk-not-a-socket",
        "The argument is not a socket",
        "{function} was called with {address}, which is not a socket the subsystem made.",
        "Take the socket from IoStatus.Information, and only after a success: on failure it means nothing.",
        "ns-wsk-_wsk_socket",
        "WSK-OBJ-04", "WSK-SOCK-11",
    ),
    _ours(
        "wsk-wrong-dispatch",
        "A function of another socket category was called",
        "{function} was called on {object}, a {category} socket, which has no such function.",
        "Cast Socket->Dispatch to the table of the category the socket was created with.",
        "winsock-kernel-socket-categories",
        "WSK-CAT-01", "WSK-CAT-10",
    ),
    _ours(
        "wsk-flags-not-zero",
        "Flags must be zero",
        "{function} was called with the flags {flags}; it has none, and the argument must be zero.",
        "Pass 0.",
        "nc-wsk-pfn_wsk_bind",
        "WSK-BIND-01", "WSK-CONN-01", "WSK-ACC-01", "WSK-STO-01", "WSK-RFR-01", "WSK-SC-01",
    ),
    _ours(
        "wsk-reserved-not-zero",
        "A reserved member must be zero",
        "WSK_CLIENT_DISPATCH.Reserved is {value}.",
        "Initialise the whole table; its Reserved member is zero.",
        "ns-wsk-_wsk_client_dispatch",
        "WSK-OBJ-13",
    ),
    _ours(
        "wsk-not-registered",
        "The registration block is not registered",
        "{function} was called with {object}, which is not the block of a successful WskRegister.",
        "Register first, and pass the same block; do not move or copy it.",
        "nf-wsk-wskregister",
        "WSK-REG-06", "WSK-REG-03",
    ),
    _ours(
        "wsk-registered-twice",
        "A registration block was registered twice",
        "WskRegister was called with {object}, which is still registered.",
        "Use a block of its own for every registration, or deregister the first one.",
        "nf-wsk-wskregister",
        "WSK-REG-05",
    ),
    _ours(
        "wsk-deregistered-twice",
        "A registration was ended twice",
        "WskDeregister was called with {object}, whose registration has already been ended.",
        "Call WskDeregister exactly once for each successful WskRegister.",
        "nf-wsk-wskderegister",
        "WSK-REG-06",
    ),
    _ours(
        "wsk-not-deregistered",
        "The driver was unloaded while it was registered with WSK",
        "{object} was registered with WskRegister and WskDeregister was never called.",
        "Call WskDeregister before Unload returns, and before DriverEntry returns a failure.",
        "nf-wsk-wskderegister",
        "WSK-DER-06", "WSK-DER-10",
    ),
    _ours(
        "wsk-released-too-often",
        "A provider NPI was released that was not captured",
        "WskReleaseProviderNPI was called with {object} although no capture is left to release.",
        "Release once for each successful WskCaptureProviderNPI.",
        "nf-wsk-wskreleaseprovidernpi",
        "WSK-REL-02", "WSK-CAP-06",
    ),
    _ours(
        "wsk-npi-not-captured",
        "A provider function was called without a captured NPI",
        "{function} was called for {object}, whose provider NPI is not captured.",
        "Call functions of WSK_PROVIDER_DISPATCH only between WskCaptureProviderNPI and WskReleaseProviderNPI.",
        "nf-wsk-wskreleaseprovidernpi",
        "WSK-REL-03", "WSK-OBJ-07",
    ),
    _ours(
        "wsk-not-a-client",
        "The argument is not a WSK client",
        "{function} was called with {address} as its Client.",
        "Pass WSK_PROVIDER_NPI.Client as WskCaptureProviderNPI filled it in.",
        "ns-wsk-_wsk_provider_npi",
        "WSK-OBJ-02", "WSK-OBJ-14",
    ),
    _ours(
        "wsk-buffer-offset",
        "The offset of a WSK_BUF lies outside its first MDL",
        "{function} got a WSK_BUF with offset {offset}, and its first MDL holds {size} bytes.",
        "Offset is an offset into the first MDL of the chain.",
        "ns-wsk-_wsk_buf",
        "WSK-STR-01", "WSK-STR-04",
    ),
    _ours(
        "wsk-buffer-length",
        "A WSK_BUF is longer than its MDL chain",
        "{function} got a WSK_BUF of {length} bytes from offset {offset}, and its MDLs hold {size} bytes.",
        "Offset and Length together must not exceed the sum of the MDLs' byte counts.",
        "ns-wsk-_wsk_buf",
        "WSK-STR-01", "WSK-STR-04",
    ),
    _ours(
        "wsk-buffer-no-mdl",
        "A WSK_BUF has no MDL",
        "{function} got a WSK_BUF with a NULL MDL and a length of {length} bytes.",
        "Only a WSK_BUF of length 0 may have no MDL.",
        "ns-wsk-_wsk_buf",
        "WSK-STR-01",
    ),
    _ours(
        "wsk-buffer-not-locked",
        "An MDL describes memory that is neither locked nor non-paged",
        "{function} got {object}, an MDL that was neither built for non-paged pool nor locked.",
        "Call MmBuildMdlForNonPagedPool, or MmProbeAndLockPages for pageable memory, before passing it on.",
        "ns-wsk-_wsk_buf",
        "WSK-STR-03", "WSK-STR-04",
    ),
    _ours(
        "wsk-buffer-freed",
        "The buffer of a pending request was freed",
        "{object} was freed while the request of {function} that uses it was pending.",
        "The MDLs and the memory behind them belong to the request until its completion routine runs.",
        "nc-wsk-pfn_wsk_send",
        "WSK-SEND-08", "WSK-RECV-10", "WSK-STO-08",
    ),
    _ours(
        "wsk-buffer-changed",
        "The data of a pending send was changed",
        "The bytes behind {object} were changed while {function} was still sending them.",
        "Nothing is copied: leave the data alone until the completion routine runs.",
        "nc-wsk-pfn_wsk_send",
        "WSK-SEND-09",
    ),
)  # fmt: skip
"""Sockets, registration, IRPs and buffers."""
