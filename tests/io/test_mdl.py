"""Memory descriptor lists. Facts: KRN-01 to KRN-10, BUG-28, MIS-22, MIS-23."""

from __future__ import annotations

from typing import Any

from wsklab.io import irp, mdl
from wsklab.machine import Machine


def pool(m: Machine, size: int, content: bytes = b"") -> int:
    address: int = m.api("ExAllocatePool2")(0x40, size, 0x74736574)
    m.write(address, content)
    return address


def made(m: Machine, address: int, length: int) -> int:
    return int(m.api("IoAllocateMdl")(address, length, 0, 0, 0))


def test_an_mdl_describes_a_range(m: Machine) -> None:
    """KRN-01: the structure and one page number for each page; no page is filled in."""
    buffer = pool(m, 5000)
    view = m.view(made(m, buffer + 10, 4090), "MDL")
    assert (view.Next, view.Size, view.ByteCount, view.ByteOffset) == (0, 48 + 8 * 2, 4090, 10)
    assert int(view.StartVa) == buffer
    assert view.MdlFlags == mdl.FIXED


def test_allocation_can_fail(m: Machine) -> None:
    """KRN-46, MIS-22."""
    m.choices["IoAllocateMdl"] = "fails"
    assert made(m, pool(m, 10), 10) == 0


def test_nonpaged_pool(m: Machine, stops: Any) -> None:
    """KRN-02 to KRN-04."""
    buffer = pool(m, 100)
    one = made(m, buffer, 100)
    with stops("mdl-not-built"):
        m.api("MmGetSystemAddressForMdlSafe")(one, 16)
    m.api("MmBuildMdlForNonPagedPool")(one)
    m.choices["MmGetSystemAddressForMdlSafe"] = "fails"
    assert m.api("MmGetSystemAddressForMdlSafe")(one, 16) == buffer
    with stops("mdl-locked-again") as stop:
        m.api("MmProbeAndLockPages")(one, 0, 0)
    assert stop[0].parameters[0] == "0xB0"
    with stops("mdl-unlocked-nonpaged") as stop:
        m.api("MmUnlockPages")(one)
    assert stop[0].parameters[0] == "0x7D"
    m.api("IoFreeMdl")(one)
    with stops("mdl-freed-twice"):
        m.api("IoFreeMdl")(one)
    with stops("mdl-not-an-mdl"):
        m.api("MmBuildMdlForNonPagedPool")(one)


def test_locking(m: Machine, stops: Any) -> None:
    """KRN-05, KRN-07, KRN-09: one unlock for each lock, before the MDL is freed; mapping can fail."""
    one = made(m, pool(m, 100), 100)
    with stops("mdl-not-locked") as stop:
        m.api("MmUnlockPages")(one)
    assert stop[0].parameters[0] == "0x7C"
    m.api("MmProbeAndLockPages")(one, 0, 1)
    with stops("mdl-locked-again"):
        m.api("MmProbeAndLockPages")(one, 0, 1)
    m.choices["MmGetSystemAddressForMdlSafe"] = "fails"
    assert m.api("MmGetSystemAddressForMdlSafe")(one, 16) == 0
    with stops("mdl-freed-locked"):
        m.api("IoFreeMdl")(one)
    m.api("MmUnlockPages")(one)
    m.api("IoFreeMdl")(one)


def test_buffers_that_cannot_be_described(m: Machine, stops: Any) -> None:
    """KRN-03, KRN-05, MIS-20, MIS-23."""
    build, lock = m.api("MmBuildMdlForNonPagedPool"), m.api("MmProbeAndLockPages")
    with stops("mdl-of-stack"):
        build(made(m, m.allocate(64, "stack"), 64))
    paged = m.api("ExAllocatePool2")(0x100, 64, 0x74736574)
    with stops("mdl-of-paged-pool") as stop:
        build(made(m, paged, 64))
    assert stop[0].parameters[0] == "0x7F"
    lock(made(m, paged, 64), 0, 0)
    with stops("mdl-bad-buffer"):
        build(made(m, pool(m, 10), 11))
    gone = pool(m, 10)
    m.api("ExFreePool")(gone)
    for address in (gone, 0):
        with stops("mdl-bad-buffer"):
            lock(made(m, address, 10), 0, 0)
    m.irql = 2
    with stops("mdl-lock-irql"):
        lock(made(m, paged, 64), 0, 0)


def test_partial(m: Machine, stops: Any) -> None:
    """KRN-10."""
    buffer = pool(m, 100)
    source, part = made(m, buffer, 100), made(m, buffer, 100)
    with stops("mdl-not-built"):
        m.api("IoBuildPartialMdl")(source, part, buffer, 10)
    m.api("MmProbeAndLockPages")(source, 0, 1)
    with stops("mdl-partial-outside"):
        m.api("IoBuildPartialMdl")(source, part, buffer + 95, 10)
    m.api("IoBuildPartialMdl")(source, part, buffer + 40, 0)
    assert (m.view(part, "MDL").ByteCount, m.api("MmGetSystemAddressForMdlSafe")(part, 16)) == (60, buffer + 40)
    with stops("mdl-unlocked-partial"):
        m.api("MmUnlockPages")(part)
    m.api("MmPrepareMdlForReuse")(part)
    m.api("IoFreeMdl")(part)


def test_an_irp_gets_its_mdls(m: Machine) -> None:
    """KRN-01: the first one goes to MdlAddress, secondary ones to the end of the chain."""
    packet = m.api("IoAllocateIrp")(1, 0)
    mdls = [m.api("IoAllocateMdl")(pool(m, 10), 10, secondary, 0, packet) for secondary in (0, 1, 1)]
    assert m.u64(packet + irp.layout().mdl) == mdls[0]
    assert [m.u64(each) for each in mdls] == [*mdls[1:], 0]


def test_freed_while_a_request_uses_it(m: Machine, stops: Any) -> None:
    """MIS-19, BUG-19."""
    one = made(m, pool(m, 10), 10)
    m.model(mdl.Mdls).users[one] = "wsk"
    with stops("mdl-freed-in-use"):
        m.api("IoFreeMdl")(one)
    del m.model(mdl.Mdls).users[one]
    m.api("IoFreeMdl")(one)


def test_only_ones_own_mdls_are_freed(m: Machine, stops: Any) -> None:
    with stops("mdl-not-an-mdl"):
        m.api("IoFreeMdl")(mdl.build(m, pool(m, 10), 10))
    m.api("IoFreeMdl")(mdl.build(m, pool(m, 10), 10, given=True))
