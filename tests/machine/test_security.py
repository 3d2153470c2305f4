"""Tokens, impersonation and security descriptors, C in ``include/wdmse.c``. Facts: WSK-GAI-07, WSK-GAI-08, WSK-SHR-02."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest

from wsklab import Lab, Stop

IMPERSONATES = r"""
BOOLEAN Copy, Effective;
SECURITY_IMPERSONATION_LEVEL Level;
NTSTATUS Run(VOID)
{
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsGetCurrentProcess()), Again;
    NTSTATUS Status = PsImpersonateClient(PsGetCurrentThread(), Token, TRUE, FALSE, SecurityImpersonation);
    PsDereferencePrimaryToken(Token);
    Again = PsReferenceImpersonationToken(PsGetCurrentThread(), &Copy, &Effective, &Level);
    DbgPrint("%d %d %d %d %d", NT_SUCCESS(Status), Again == Token, Copy, Effective, Level);
    PsDereferenceImpersonationToken(Again);
    PsRevertToSelf();
    DbgPrint("%d", PsReferenceImpersonationToken(PsGetCurrentThread(), &Copy, &Effective, &Level) == NULL);
    PsDereferenceImpersonationToken(NULL);
    return Status;
}
VOID Twice(VOID)
{
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsGetCurrentProcess());
    PsDereferencePrimaryToken(Token);
    PsDereferencePrimaryToken(Token);
    PsDereferencePrimaryToken(Token);
}
"""

SYSTEM, EVERYBODY, ADMINISTRATORS, SOMEBODY = (5, 18), (1, 0), (5, 32, 544), (5, 21, 7)


def sid(authority: int, *parts: int) -> bytes:
    return pack("<BB6B", 1, len(parts), 0, 0, 0, 0, 0, authority) + pack(f"<{len(parts)}I", *parts)


def test_a_thread_impersonates_and_reverts() -> None:
    lab = Lab()
    assert lab.load(IMPERSONATES).Run() == 0
    assert lab.console == "1 1 1 0 2" + "1"


def test_a_token_that_is_left_once_too_often() -> None:
    lab = Lab()
    with pytest.raises(Stop) as stopped:
        lab.load(IMPERSONATES).Twice()
    assert stopped.value.rule.id in ("reference-not-acquired", "use-after-free")


def descriptor(lab: Any, *entries: tuple[int, tuple[int, ...]], present: bool = True, size: int = 128) -> int:
    """A descriptor in memory with a list of (ACE type, SID)."""
    m, wdk = lab.machine, lab.wdk
    made, listed = m.allocate(40, zero=True), m.allocate(size, zero=True)
    assert wdk.RtlCreateSecurityDescriptor(made, 1) == 0
    assert wdk.RtlCreateAcl(listed, size, 2) == 0
    for kind, parts in entries:
        place, before = m.allocate(32, zero=True), m.u16(listed + 4)
        m.write(place, sid(*parts))
        last = listed + 8 + sum(12 + 4 * (len(each) - 1) + 4 for _, each in entries[:before])
        assert wdk.RtlAddAccessAllowedAce(listed, 2, 0x0001, place) == 0
        m.set_u8(last, kind)
    assert wdk.RtlSetDaclSecurityDescriptor(made, present, listed, False) == 0
    return int(made)


@pytest.mark.parametrize(
    ("entries", "present", "granted"),
    [
        ((), False, True),
        ((), True, False),
        (((0, SYSTEM),), True, True),
        (((0, EVERYBODY),), True, True),
        (((0, ADMINISTRATORS),), True, True),
        (((0, SOMEBODY),), True, False),
        (((1, SYSTEM), (0, EVERYBODY)), True, False),
        (((1, SOMEBODY), (0, EVERYBODY)), True, True),
    ],
)
def test_who_is_let_in(entries: Any, present: bool, granted: bool) -> None:
    """WSK-SHR-02: the first entry about the system or a group of its decides; without a list everybody is let in."""
    lab = Lab()
    made = descriptor(lab, *entries, present=present)
    assert lab.machine.api("wsklab_grants")(made) == granted


def test_lists_and_descriptors_that_cannot_be_made() -> None:
    lab = Lab()
    wdk, m = lab.wdk, lab.machine
    made, listed, who = m.allocate(40, zero=True), m.allocate(16, zero=True), m.allocate(32, zero=True)
    assert [str(wdk.RtlCreateSecurityDescriptor(made, 2)), str(wdk.RtlSetDaclSecurityDescriptor(made, True, listed, False))] == [
        "STATUS_UNKNOWN_REVISION", "STATUS_UNKNOWN_REVISION",
    ]  # fmt: skip
    assert [str(wdk.RtlCreateAcl(listed, size, revision)) for size, revision in ((4, 2), (16, 1), (16, 2))] == [
        "STATUS_BUFFER_TOO_SMALL", "STATUS_INVALID_PARAMETER", "STATUS_SUCCESS",
    ]  # fmt: skip
    assert str(wdk.RtlAddAccessAllowedAce(listed, 2, 1, who)) == "STATUS_INVALID_SID"
    m.write(who, sid(*SYSTEM))
    assert str(wdk.RtlAddAccessAllowedAce(listed, 9, 1, who)) == "STATUS_REVISION_MISMATCH"
    assert str(wdk.RtlAddAccessAllowedAce(listed, 2, 1, who)) == "STATUS_ALLOTTED_SPACE_EXCEEDED"
