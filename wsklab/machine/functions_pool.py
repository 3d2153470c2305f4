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
PAGED_POOL, QUOTA_FAILS = 1, 8
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


def _allocate(m: Machine, function: str, size: int, tag: int, *, paged: bool, zero: bool) -> int:
    if size == 0:
        m.stop("pool-zero-size", function=function, type=int(paged))
    if paged and m.irql > APC_LEVEL:
        m.stop("pool-at-wrong-irql", function=function, code="0x1", size=f"{size:#x}")
    if size > LARGEST_BLOCK or m.choose(function, ("succeeds", "fails")) == "fails":
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
    zero = not Flags & UNINITIALIZED
    address = _allocate(m, "ExAllocatePool2", NumberOfBytes, Tag, paged=kinds == [PAGED], zero=zero)
    if not address and Flags & RAISE:
        ExRaiseStatus(m, INSUFFICIENT_RESOURCES)
    return address


def _declare_old_style(function: str, zero: bool, doc: str, quota: bool = False) -> None:
    def allocate(m: Machine, PoolType: int, NumberOfBytes: int, Tag: int) -> int:
        if Tag == 0:
            m.stop("pool-zero-tag", function=function, type=PoolType, size=f"{NumberOfBytes:#x}")
        address = _allocate(m, function, NumberOfBytes, Tag, paged=bool(PoolType & PAGED_POOL), zero=zero)
        if not address and quota and not PoolType & QUOTA_FAILS:
            ExRaiseStatus(m, INSUFFICIENT_RESOURCES)
        return address

    answer = "raises on failure, unless POOL_QUOTA_FAIL_INSTEAD_OF_RAISE" if quota else "NULL on failure"
    allocate.__doc__ = f"Allocate {doc}; {answer}. Facts: KRN-12, KRN-13."
    wdk(function)(allocate)


_declare_old_style("ExAllocatePoolWithTag", False, "pool that is not initialised (deprecated since Windows 10 2004)")
_declare_old_style("ExAllocatePoolZero", True, "zeroed pool")
_declare_old_style("ExAllocatePoolUninitialized", False, "pool that is not initialised")
_declare_old_style("ExAllocatePoolWithQuotaTag", False, "pool that is charged to this process's quota", quota=True)
_declare_old_style("ExAllocatePoolQuotaUninitialized", False, "pool that is charged to this process's quota", quota=True)
_declare_old_style("ExAllocatePoolQuotaZero", True, "zeroed pool that is charged to this process's quota", quota=True)


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
