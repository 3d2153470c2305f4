"""Socket categories and their states, as tables. Facts WSK-CAT, WSK-SEND-12, WSK-DEV-03, WSK-CLOSE-09.

The provider asks these tables whether a call is legal and what it leads to, and the pictures are drawn from them. A step that
does not stand in a state's row is refused, and a refused call leaves the socket as it was.

Steps written like a function are calls of the driver; ``peer finishes`` and ``connection breaks`` are what the other side does.
WskControlSocket and WskCloseSocket are legal in every state but ``closing`` and are not repeated in the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Category:
    """One category of sockets.

    Attributes:
        flag: the WSK_FLAG_… that asks for it.
        table: the provider dispatch table in the headers.
        slots: member of the table → modelled function behind it.
        kinds: allowed pairs of socket type and protocol by header name, None for any protocol (WSK-AF-02).
    """

    flag: str
    table: str
    slots: dict[str, str]
    kinds: tuple[tuple[str, str | None], ...]


_BASIC = {"WskControlSocket": "WskControlSocket", "WskCloseSocket": "WskCloseSocket"}
_TCP = (("SOCK_STREAM", "IPPROTO_TCP"),)
_UDP = (("SOCK_DGRAM", "IPPROTO_UDP"),)
_RAW = (("SOCK_RAW", None),)


def _slots(*names: str, **others: str) -> dict[str, str]:
    return _BASIC | {name: name for name in names} | others


CATEGORIES: Final = {
    "basic": Category("WSK_FLAG_BASIC_SOCKET", "WSK_PROVIDER_BASIC_DISPATCH", _BASIC, _TCP + _UDP + _RAW),
    "listening": Category(
        "WSK_FLAG_LISTEN_SOCKET",
        "WSK_PROVIDER_LISTEN_DISPATCH",
        _slots("WskBind", "WskAccept", "WskInspectComplete", "WskGetLocalAddress"),
        _TCP,
    ),
    "datagram": Category(
        "WSK_FLAG_DATAGRAM_SOCKET",
        "WSK_PROVIDER_DATAGRAM_DISPATCH",
        _slots(
            "WskBind", "WskSendTo", "WskReceiveFrom", "WskGetLocalAddress", "WskSendMessages",
            WskRelease="WskReleaseDatagramIndicationList",
        ),
        _UDP + _RAW,
    ),
    "connection": Category(
        "WSK_FLAG_CONNECTION_SOCKET",
        "WSK_PROVIDER_CONNECTION_DISPATCH",
        _slots(
            "WskBind", "WskConnect", "WskGetLocalAddress", "WskGetRemoteAddress", "WskSend", "WskReceive", "WskDisconnect",
            "WskConnectEx", "WskSendEx", "WskReceiveEx", WskRelease="WskReleaseDataIndicationList",
        ),
        _TCP,
    ),
}  # fmt: skip
"""The categories that are modelled (WSK-CAT-01, WSK-CAT-02). Stream sockets are not yet."""


def _stay(state: str, *steps: str) -> dict[str, str]:
    return {step: state for step in steps}


_ENDS: Final = {"connection breaks": "broken", "WskDisconnect abortive": "broken"}
_ADDRESSES: Final = ("WskGetLocalAddress", "WskGetRemoteAddress")

STATES: Final[dict[str, dict[str, dict[str, str]]]] = {
    "basic": {"open": {}},
    "listening": {
        "created": {"WskBind": "listening"},
        "listening": _stay("listening", "WskAccept", "WskGetLocalAddress"),
    },
    "datagram": {
        "created": {"WskBind": "bound"},
        "bound": _stay(
            "bound", "WskSendTo", "WskReceiveFrom", "WskGetLocalAddress",
            "SIO_WSK_SET_REMOTE_ADDRESS", "SIO_WSK_SET_SENDTO_ADDRESS",
        ),
    },
    "connection": {
        "created": {"WskBind": "bound"},
        "bound": {"WskConnect": "connecting"} | _stay("bound", "WskGetLocalAddress"),
        "connecting": {"connected": "connected", "connect failed": "bound"} | _stay("connecting", "WskGetLocalAddress"),
        "connected": {"WskDisconnect": "sending closed", "peer finishes": "receiving closed"}
        | _stay("connected", "WskSend", "WskReceive", *_ADDRESSES)
        | _ENDS,
        "sending closed": {"peer finishes": "disconnected"} | _stay("sending closed", "WskReceive", *_ADDRESSES) | _ENDS,
        "receiving closed": {"WskDisconnect": "disconnected"}
        | _stay("receiving closed", "WskSend", "WskReceive", *_ADDRESSES)
        | _ENDS,
        "disconnected": _stay("disconnected", "WskReceive", *_ADDRESSES) | _ENDS,
        "broken": {},
    },
}  # fmt: skip
"""Category → state → step → next state. The first state of a category is where WskSocket leaves a new socket."""

DEAD: Final = "dead"
"""The state, common to all categories, of a socket whose transport went away: every call but the close is refused."""

CLOSING: Final = "closing"
"""The state, common to all categories, from the call of WskCloseSocket on: every call is a broken rule."""


def first_state(category: str) -> str:
    """The state of a socket that WskSocket has just made."""
    return next(iter(STATES[category]))


def next_state(category: str, state: str, step: str) -> str | None:
    """Where `step` leads, None when it is not legal in `state`."""
    return STATES[category].get(state, {}).get(step)
