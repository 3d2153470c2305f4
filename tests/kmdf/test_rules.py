"""The table of the framework's rules: complete, and the ones that no other test breaks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.kmdf.queues import PARALLEL, Queues
from wsklab.rules import RULES

WSKLAB = Path(__file__).parents[2] / "wsklab"


def test_the_table_and_the_code_name_the_same_rules() -> None:
    files = [*(WSKLAB / "kmdf").glob("*.py"), *(WSKLAB / "include").glob("*.c")]
    used = {rule for path in files for rule in re.findall(r'"(kmdf-[a-z-]+)"', path.read_text("utf-8"))}
    assert used == {rule for rule in RULES if rule.startswith("kmdf-")}


def test_every_rule_says_where_it_comes_from() -> None:
    for name, rule in RULES.items():
        if name.startswith("kmdf-"):
            assert rule.page and rule.facts and all(re.match(r"(KMDF|RULE)-", fact) for fact in rule.facts), name
            assert rule.bugcheck in (None, 0x10D, 0x44, 0x7E, 0x9F), name


def test_a_title_has_no_placeholder() -> None:
    assert not [name for name, rule in RULES.items() if "{" in rule.title]


def test_no_driver(kit: Any) -> None:
    """KMDF-OBJ-04, RULE-83."""
    with kit.stops("kmdf-no-driver"):
        kit.wdk.WdfObjectCreate(0, kit.out())


def test_completion_params(make_kit: Any) -> None:
    """KMDF-GET-05, 06, RULE-26: a breakpoint; a wrong Size writes nothing, no format gives an empty structure."""
    kit = make_kit()
    request, params = kit.request(kit.target()), kit.m.new("WDF_REQUEST_COMPLETION_PARAMS", kind="native")
    kit.m.set_u32(params, 71)
    with kit.stops("kmdf-structure-size"):
        kit.wdk.WdfRequestGetCompletionParams(request, params)
    kit.m.set_u32(params, 72)
    with kit.stops("kmdf-completion-params"):
        kit.wdk.WdfRequestGetCompletionParams(request, params)
    kit.fw.verifier = "continue"
    kit.m.set_u64(params + 24, 5)
    kit.wdk.WdfRequestGetCompletionParams(request, params)
    assert kit.m.read(params, 72) == bytes([72, 0, 0, 0, 0xFF]) + bytes(67)


def test_a_callback_comes_back_at_its_irql(kit: Any) -> None:
    """KMDF-VER-05: a lock that EvtIoRead takes and does not release; parameters are the IRQL before and after."""
    queues = Queues(kit)
    lock = kit.out()
    kit.wdk.KeInitializeSpinLock(lock)
    queues.queue(PARALLEL, default=True, EvtIoRead=lambda request: kit.wdk.KeAcquireSpinLockRaiseToDpc(lock))
    with kit.stops("kmdf-callback-changed-irql", "0xE", "0", "2"):
        queues.read()


STATIC = """
DeferredRequestCompleted RequestCompleted RequestCompletedLocal DoubleCompletion DoubleCompletionLocal InvalidReqAccess
InvalidReqAccessLocal CompleteCanceledReq MarkCancOnCancReqLocal ReqIsCancOnCancReq ReqMarkCancelableSend ReqNotCanceledLocal
ReqCompletionRoutine ReqDelete ReqSendFail ReqSendWhileSpinlock RequestFormattedValid RequestGetStatusValid
RequestSendAndForgetNoFormatting RequestSendAndForgetNoFormatting2 SyncReqSend SyncReqSend2 WdfRequestSendSyncAtDispatch
KmdfIrql KmdfIrql2 ReadReqs WriteReqs IoctlReqs InternalIoctlReqs EvtIoStopCancel EvtIoStopCompleteOrStopAck EvtIoStopResume
EvtIoStopGetParam EvtIoResumeGetParam StopAckWithinEvtIoStop DrvAckIoStop EvtSurpriseRemoveNoRequestComplete
NoCancelFromEvtSurpriseRemove EvtSurpriseRemoveNoSuspendQueue ChangeQueueState WdfIoQueueFindRequestFailed
WdfIoQueueRetrieveFoundRequest WdfIoQueueRetrieveNextRequest ParentObjectCheck ParentObjectCheckLock WdfSpinlock
WdfSpinlockRelease WdfWaitlock WdfWaitlockRelease DriverCreate FileObjectConfigured SetCompletionRoutineFromDispatch
FwdIrpToIoQueueValid
"""


def test_rules_have_the_names_of_static_analysis() -> None:
    """RULE-45 to RULE-66, 71 to 77, 79, 81, 82, 84, 85: what a run decides has Static Driver Verifier's name beside our id."""
    assert {name for rule in RULES.values() for name in rule.static} >= set(STATIC.split())
