"""Slots of the dispatch tables that are not modelled yet: calling one says so, it never makes up a result."""

from __future__ import annotations

from typing import Any, NoReturn

from wsklab.machine import Machine, wdk

SLOTS = {
    "WskControlClient": "PFN_WSK_CONTROL_CLIENT",
    "WskGetAddressInfo": "PFN_WSK_GET_ADDRESS_INFO",
    "WskFreeAddressInfo": "PFN_WSK_FREE_ADDRESS_INFO",
    "WskGetNameInfo": "PFN_WSK_GET_NAME_INFO",
    "WskInspectComplete": "PFN_WSK_INSPECT_COMPLETE",
    "WskConnectEx": "PFN_WSK_CONNECT_EX",
    "WskSendEx": "PFN_WSK_SEND_EX",
    "WskReceiveEx": "PFN_WSK_RECEIVE_EX",
    "WskSendMessages": "PFN_WSK_SEND_MESSAGES",
    "WskReleaseDataIndicationList": "PFN_WSK_RELEASE_DATA_INDICATION_LIST",
    "WskReleaseDatagramIndicationList": "PFN_WSK_RELEASE_DATAGRAM_INDICATION_LIST",
}
"""Function → function-pointer type of its slot."""


def _declare(name: str, prototype: str) -> None:
    def missing(m: Machine, *_arguments: Any) -> NoReturn:
        m.not_modelled(name)

    missing.__doc__ = f"{name}: not modelled yet."
    wdk(lane="wsk", prototype=prototype, name=name)(missing)


for _name, _prototype in SLOTS.items():
    _declare(_name, _prototype)
