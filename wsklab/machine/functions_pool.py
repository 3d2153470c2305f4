"""Pool: allocating, freeing, and what a driver still has when it is unloaded.

Every allocation can be made to fail: ``choices["ExAllocatePool2"] = "fails"`` (KRN-46). Blocks that the system hands to the
driver are not in this table, so freeing them with ExFreePool is seen. Facts: KRN-11 to KRN-17, BUG-08, BUG-26.
"""

from __future__ import annotations

from typing import NoReturn

from wsklab.machine.api import APC_LEVEL, quiet, wdk
from wsklab.machine.exceptions import ExRaiseStatus
from wsklab.machine.functions_memory import c_text
from wsklab.machine.machine import Machine
from wsklab.machine.memory import LARGEST_BLOCK, Block

UNINITIALIZED, RAISE, NON_PAGED, NON_PAGED_EXECUTE, PAGED = 0x2, 0x20, 0x40, 0x80, 0x100
INSUFFICIENT_RESOURCES = 0xC000_009A


class Pool(dict[int, Block]):
    """The driver's live pool blocks by address."""


def tag_text(tag: int) -> str:
    """A tag as the debugger shows it: 'Fred' in C appears as derF (KRN-17)."""
    content = (tag & 0xFFFF_FFFF).to_bytes(4, "little")
    return content.decode("latin-1") if all(32 <= byte < 127 for byte in content) else f"{tag:#x}"


def is_paged(m: Machine, address: int) -> bool:
    """Whether an address lies in paged pool."""
    block = m.block_at(address)
    return block is not None and block.paged


def refuse_paged(m: Machine, address: int, function: str) -> None:
    """Stop when a synchronisation object lies in paged pool. Facts: KRN-18, KRN-25, BUG-27."""
    if is_paged(m, address):
        m.refuse("object-in-paged-pool", address, function)


def _allocate(m: Machine, function: str, size: int, tag: int, *, paged: bool, zero: bool, fails: bool) -> int:
    if size == 0:
        m.stop("pool-zero-size", function=function, type=int(paged))
    if paged and m.irql > APC_LEVEL:
        m.stop("pool-at-wrong-irql", function=function, code="0x1", size=f"{size:#x}")
    if size > LARGEST_BLOCK or fails:
        return 0
    block = m.block_at(m.allocate(size, "pool", tag=tag, zero=zero))
    assert block is not None
    if paged:
        m.memory.make_paged(block)
    m.model(Pool)[block.address] = block
    return block.address


@wdk()
def ExAllocatePool2(m: Machine, Flags: int, NumberOfBytes: int, Tag: int) -> int:
    """Allocate pool, zeroed unless POOL_FLAG_UNINITIALIZED; NULL on failure and for tag 0. Facts: KRN-12, KRN-14."""
    kinds = [kind for kind in (NON_PAGED, NON_PAGED_EXECUTE, PAGED) if Flags & kind]
    if len(kinds) != 1:
        m.stop("pool-bad-flags", function="ExAllocatePool2", flags=f"{Flags:#x}", count=len(kinds))
    if Tag == 0:
        return 0
    zero, fails = not Flags & UNINITIALIZED, m.choose("ExAllocatePool2", ("succeeds", "fails")) == "fails"
    address = _allocate(m, "ExAllocatePool2", NumberOfBytes, Tag, paged=kinds == [PAGED], zero=zero, fails=fails)
    if not address and Flags & RAISE:
        ExRaiseStatus(m, INSUFFICIENT_RESOURCES)
    return address


@quiet()
def wsklab_pool(m: Machine, Function: int, Size: int, Tag: int, Paged: int, Zero: int, Fails: int) -> int:
    """Pool by one of its older names; NULL when there is none. Facts: KRN-12, KRN-13."""
    return _allocate(m, c_text(m, Function), Size, Tag, paged=bool(Paged), zero=bool(Zero), fails=bool(Fails))


def _free(m: Machine, function: str, address: int, tag: int) -> None:
    known = m.model(Pool).get(address)
    if known is None:
        _not_freeable(m, function, address, tag)
    if tag and known.tag and known.tag != tag:
        m.stop("pool-wrong-tag", objects=(address,), function=function, address=f"{address:#018x}",
               tag=tag_text(known.tag), given=tag_text(tag))  # fmt: skip
    if known.paged and m.irql > APC_LEVEL:
        m.stop("pool-at-wrong-irql", objects=(address,), function=function, code="0x11", size=f"{known.size:#x}")
    del m.model(Pool)[address]
    m.free(address)


def _not_freeable(m: Machine, function: str, address: int, tag: int) -> NoReturn:
    block = m.block_at(address)
    where, objects = f"{address:#018x}", (block.address,) if block else ()
    what = "is NULL" if address == 0 else "was never allocated"
    if block is not None:
        if block.kind == "irp" and block.live:
            m.stop("irp-pool-freed", objects=objects, irp=where, function=function)
        if block.kind == "pool" and not block.live and block.address == address:
            m.stop("pool-freed-twice", objects=objects, address=where, function=function, tag=tag_text(tag or block.tag))
        what = "was not allocated by the driver" if block.address == address else "lies inside another block"
    m.stop("pool-not-allocated", objects=objects, address=where, function=function, what=what)


@wdk()
def ExFreePool(m: Machine, P: int) -> None:
    """Free a pool block. Facts: KRN-16, BUG-08."""
    _free(m, "ExFreePool", P, 0)


@wdk()
def ExFreePoolWithTag(m: Machine, P: int, Tag: int) -> None:
    """Free a pool block that was allocated with Tag; Tag 0 fits every block. Facts: KRN-16, BUG-08."""
    _free(m, "ExFreePoolWithTag", P, Tag)


def check_pool(m: Machine, driver: str = "driver") -> None:
    """At unload: stop when pool of the driver is left. Facts: BUG-26, BUG-35, MIS-59."""
    left = list(m.model(Pool).values())
    if left:
        m.stop("pool-leaked", objects=tuple(block.address for block in left), count=len(left), driver=driver,
               size=sum(block.size for block in left), address=f"{left[0].address:#018x}", tag=tag_text(left[0].tag))  # fmt: skip


# Memory of the system, for kernel functions that are written in C


class Lent(dict[int, str]):
    """What the driver got from the system and has to give back, by address: the function that it came from."""


@quiet()
def wsklab_system_object(m: Machine, Size: int, What: int, From: int) -> int:
    """Memory of the system, zeroed; when the name of a function is given, the driver has to give it back."""
    address = m.allocate(Size, "native", label=c_text(m, What), zero=True)
    if From:
        m.model(Lent)[address] = c_text(m, From)
    return address


@quiet()
def wsklab_give_back(m: Machine, Object: int, From: int, Function: int) -> None:
    """The driver gives back what it got from a function; a stop when it did not get it there."""
    origin = c_text(m, From)
    if m.model(Lent).get(Object) != origin:
        m.u8(Object)  # NULL and what is freed already stop here
        m.refuse("object-not-lent", Object, c_text(m, Function), origin=origin)
    del m.model(Lent)[Object]
    m.free(Object)


@quiet()
def wsklab_fails(m: Machine, Function: int) -> int:
    """Whether a function fails now."""
    return int(m.choose(c_text(m, Function), ("succeeds", "fails")) == "fails")


@quiet()
def wsklab_is_there(m: Machine, Address: int) -> int:
    """Whether an access to an address would find memory now."""
    block = m.block_at(Address)
    return int(block is not None and block.live and not (block.paged and m.irql > APC_LEVEL))


def check_lent(m: Machine) -> None:
    """At unload: stop when the driver has not given back what it got from the system."""
    for address, function in m.model(Lent).items():
        m.refuse("object-not-returned", address, function)
