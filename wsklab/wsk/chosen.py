"""Statuses that the documents do not name. Facts WSK-GAP-13, WSK-GAP-14.

This is the one place where the model made a choice about a status. Each entry says why; the limits page is made from the
table, and no test relies on a number: tests name the entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from wsklab.machine import status


@dataclass(frozen=True)
class Chosen:
    """One choice.

    Attributes:
        status: the NTSTATUS by name.
        reason: why this one.
        facts: the facts that leave it open or suggest it.
    """

    status: str
    reason: str
    facts: tuple[str, ...]


_STATE = "the only documented status for a socket in the wrong state"

CHOSEN: Final = {
    "wrong state": Chosen("STATUS_INVALID_DEVICE_STATE", _STATE, ("WSK-GLA-07", "WSK-SEND-14", "WSK-GAP-13")),
    "second bind": Chosen("STATUS_INVALID_DEVICE_STATE", _STATE, ("WSK-BIND-11", "WSK-GLA-07")),
    "fixed address before the bind": Chosen("STATUS_INVALID_DEVICE_STATE", _STATE, ("WSK-SRA-05", "WSK-SSA-01", "WSK-GLA-07")),
    "option after the bind": Chosen("STATUS_INVALID_DEVICE_STATE", _STATE, ("WSK-BIND-09", "WSK-GLA-07")),
    "wrong family": Chosen(
        "STATUS_INVALID_PARAMETER", "the argument does not fit the socket", ("WSK-BIND-11", "WSK-AF-01", "WSK-GAP-13")
    ),
    "bad argument": Chosen("STATUS_INVALID_PARAMETER", "an argument has a value that means nothing", ("WSK-GAP-13",)),
    "wrong category of option": Chosen(
        "STATUS_INVALID_DEVICE_REQUEST",
        "documented for an inspect id asked of another kind of socket",
        ("WSK-SQI-02", "WSK-GAP-13"),
    ),
    "wrong size of option buffer": Chosen(
        "STATUS_INVALID_PARAMETER", "input and output sizes are parameters", ("WSK-SOO-04", "WSK-GAP-13")
    ),
    "protocol 0": Chosen("STATUS_PROTOCOL_UNREACHABLE", "what two libraries report from real systems", ("WSK-AF-05",)),
    "no such transport": Chosen(
        "STATUS_INVALID_PARAMETER",
        "family, type and protocol must fit the category",
        ("WSK-AF-02", "WSK-SOCK-13"),
    ),
    "not a local address": Chosen(
        "STATUS_INVALID_ADDRESS_COMPONENT", "its text says that part of a network address is invalid here", ("WSK-BIND-04",)
    ),
    "no destination": Chosen("STATUS_INVALID_PARAMETER", "RemoteAddress is needed and missing", ("WSK-STO-04", "WSK-GAP-13")),
    "oversize datagram": Chosen(
        "STATUS_INVALID_BUFFER_SIZE", "its text says that the size of the buffer is invalid for the operation", ("WSK-STO-10",)
    ),
    "broadcast not allowed": Chosen("STATUS_ACCESS_DENIED", "as user-mode Winsock reports it (WSAEACCES)", ("WSK-STO-09",)),
    "connect refused": Chosen("STATUS_CONNECTION_REFUSED", "the natural one of the list", ("WSK-CONN-06",)),
    "connect timed out": Chosen("STATUS_IO_TIMEOUT", "the natural one of the list", ("WSK-CONN-06",)),
    "connect unreachable": Chosen("STATUS_HOST_UNREACHABLE", "the natural one of the list", ("WSK-CONN-06",)),
    "reset": Chosen("STATUS_CONNECTION_RESET", "what the transport says when the peer resets", ("WSK-GAP-13", "WSK-DEV-04")),
    "aborted": Chosen(
        "STATUS_CANCELLED", "pending transmit operations are cancelled by an abortive disconnect", ("WSK-DISC-03", "WSK-USE-29")
    ),
    "after a break": Chosen(
        "STATUS_FILE_FORCED_CLOSED",
        "the socket no longer works: close it",
        ("WSK-DEV-04", "WSK-SEND-05", "WSK-GAP-13"),
    ),
    "closed": Chosen("STATUS_CANCELLED", "the close cancels and completes everything pending", ("WSK-CLOSE-05", "WSK-USE-29")),
    "cancelled": Chosen("STATUS_CANCELLED", "the generic rule for a cancelled IRP", ("WSK-USE-29", "IRP-30")),
    "unknown flag": Chosen(
        "STATUS_NOT_SUPPORTED", "documented for a flag the transport does not support", ("WSK-SEND-04", "WSK-RECV-06")
    ),
}
"""What happened → the status it gets."""


@cache
def chosen(what: str) -> int:
    """The chosen status for `what`, as a signed NTSTATUS."""
    value: int = getattr(status, CHOSEN[what].status.removeprefix("STATUS_"))
    return value
