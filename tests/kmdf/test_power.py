"""A device leaves its working state and comes back: what becomes of the requests that the driver has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.conftest import whole_driver
from wsklab.kmdf import scene
from wsklab.machine.status import name_of

DRIVER = whole_driver("""
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
EVT_WDF_IO_QUEUE_IO_STOP Stop;
EVT_WDF_IO_QUEUE_IO_RESUME Resume;
EVT_WDF_REQUEST_CANCEL Cancel;
WDFREQUEST kept;
NTSTATUS D0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState) { DbgPrint("D0Entry(%d) ", PreviousState); return 0; }
NTSTATUS D0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState) { DbgPrint("D0Exit(%d) ", TargetState); return 0; }
VOID Read(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    DbgPrint("Read(%d) ", (int)Length);
    kept = Request;
    MARK
}
VOID Cancel(WDFREQUEST Request) { DbgPrint("Cancel "); WdfRequestComplete(Request, STATUS_CANCELLED); }
VOID Stop(WDFQUEUE Queue, WDFREQUEST Request, ULONG ActionFlags) { DbgPrint("Stop(%x) ", ActionFlags); ANSWER }
VOID Resume(WDFQUEUE Queue, WDFREQUEST Request) { DbgPrint("Resume "); }
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_IO_QUEUE_CONFIG config;
    WDFDEVICE device;
    NTSTATUS status;
    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDeviceD0Entry = D0Entry;
    callbacks.EvtDeviceD0Exit = D0Exit;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);
    status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    if (!NT_SUCCESS(status)) return status;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchDISPATCH);
    config.PowerManaged = MANAGED;
    HANDLER
    config.EvtIoStop = EVT;
    config.EvtIoResume = Resume;
    return WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}
VOID Finish(VOID) { WdfRequestComplete(kept, STATUS_SUCCESS); }
""")


class Powered:
    """The driver, its device started, and one read under way."""

    def __init__(
        self,
        kit: Any,
        stop: str = "",
        *,
        mark: str = "",
        evt: str = "Stop",
        managed: str = "WdfUseDefault",
        dispatch: str = "Parallel",
        resume: str = "Resume",
    ) -> None:
        text = DRIVER.replace("MARK", mark).replace("ANSWER", stop).replace("EVT;", f"{evt};").replace("MANAGED", managed)
        text = text.replace("DISPATCH", dispatch).replace("EvtIoResume = Resume", f"EvtIoResume = {resume}")
        self.driver = kit.lab.load(text.replace("HANDLER", "" if dispatch == "Manual" else "config.EvtIoRead = Read;"))
        self.kit, self.scene = kit, scene.load_driver(kit.m, self.driver.image)
        self.answer = self.scene.read(4)

    @property
    def said(self) -> list[str]:
        return str(self.kit.lab.console).split()


def test_acknowledged_and_resumed(kit: Any) -> None:
    """KMDF-MCA-11, 12, KMDF-CON-05: Suspend is 1; new requests wait until the device works again."""
    powered = Powered(kit, "WdfRequestStopAcknowledge(Request, FALSE);")
    powered.scene.suspend()
    later = powered.scene.read(5)
    assert powered.said == ["D0Entry(5)", "Read(4)", "Stop(1)", "D0Exit(4)"]
    powered.scene.resume()
    assert powered.said[4:] == ["D0Entry(4)", "Resume", "Read(5)"]
    powered.driver.Finish()
    assert (powered.answer.done, later.done) == (False, True)


def test_given_back_to_the_queue(kit: Any) -> None:
    """KMDF-MCA-12: Requeue TRUE; the queue presents it again."""
    powered = Powered(kit, "WdfRequestStopAcknowledge(Request, TRUE);")
    powered.scene.suspend()
    powered.scene.resume()
    powered.driver.Finish()
    assert powered.said[2:] == ["Stop(1)", "D0Exit(4)", "D0Entry(4)", "Read(4)"]
    assert powered.answer.status == 0


def test_completed_in_the_callback(kit: Any) -> None:
    """KMDF-MCA-11."""
    powered = Powered(kit, "WdfRequestComplete(Request, STATUS_UNSUCCESSFUL);")
    powered.scene.suspend()
    assert name_of(powered.answer.status) == "STATUS_UNSUCCESSFUL"


def test_a_cancelable_request_says_so(kit: Any) -> None:
    """KMDF-CON-05, KMDF-MCA-12: unmarked before it is given back."""
    stop = "if (NT_SUCCESS(WdfRequestUnmarkCancelable(Request))) WdfRequestStopAcknowledge(Request, TRUE);"
    powered = Powered(kit, stop, mark="WdfRequestMarkCancelable(Request, Cancel);")
    powered.scene.suspend()
    assert powered.said[2:] == ["Stop(10000001)", "D0Exit(4)"]
    assert powered.answer.cancel()
    assert name_of(powered.answer.status) == "STATUS_CANCELLED"


def test_given_back_while_cancelable(kit: Any) -> None:
    """KMDF-MCA-14, RULE-05."""
    powered = Powered(kit, "WdfRequestStopAcknowledge(Request, TRUE);", mark="WdfRequestMarkCancelable(Request, Cancel);")
    with kit.stops("kmdf-still-cancelable"):
        powered.scene.suspend()


@pytest.mark.parametrize("evt", ["Stop", "NULL"])
def test_an_unanswered_stop_blocks_the_transition(kit: Any, evt: str) -> None:
    """KMDF-MCA-13, RULE-71, RULE-75."""
    powered = Powered(kit, evt=evt)
    with kit.stops("kmdf-power-blocked", "0x3"):
        powered.scene.suspend()


def test_the_transition_waits_for_a_request_that_is_completed_later(kit: Any) -> None:
    """KMDF-MCA-13."""
    powered = Powered(kit)
    kit.m.after(70, powered.driver.Finish)
    powered.scene.suspend()
    assert (powered.answer.status, kit.m.time, powered.said[-1]) == (0, 70, "D0Exit(4)")


def test_a_queue_that_is_not_power_managed_goes_on(kit: Any) -> None:
    """KMDF-QUE-03."""
    powered = Powered(kit, managed="WdfFalse")
    powered.scene.suspend()
    powered.scene.read(6)
    assert powered.said[2:] == ["D0Exit(4)", "Read(6)"]


def test_a_manual_queue_is_paused(kit: Any) -> None:
    """KMDF-QUE-14, KMDF-CON-12: state bit PnpHeld."""
    powered, out = Powered(kit, dispatch="Manual"), kit.out()
    (queue,) = (known.handle for known in kit.fw.live.values() if known.KIND == "WDFQUEUE")
    powered.scene.suspend()
    assert name_of(kit.wdk.WdfIoQueueRetrieveNextRequest(queue, out)) == "STATUS_WDF_PAUSED"
    assert kit.wdk.WdfIoQueueGetState(queue, 0, 0) == 0x1B
    powered.scene.resume()
    assert kit.wdk.WdfIoQueueRetrieveNextRequest(queue, out) == 0


def test_removal_purges(kit: Any) -> None:
    """KMDF-CON-05, KMDF-MCA-12: Purge is 2; what is marked cancelable is cancelled first."""
    powered = Powered(kit, "WdfRequestComplete(Request, STATUS_CANCELLED);")
    scene.unload_driver(kit.m, powered.scene)
    assert (powered.said[2], name_of(powered.answer.status)) == ("Stop(2)", "STATUS_CANCELLED")
    cancelable = Powered(kit.__class__(), mark="WdfRequestMarkCancelable(Request, Cancel);")
    scene.unload_driver(cancelable.kit.m, cancelable.scene)
    assert (cancelable.said[2], name_of(cancelable.answer.status)) == ("Cancel", "STATUS_CANCELLED")


def test_a_request_that_is_never_completed_holds_up_the_removal(kit: Any) -> None:
    """RULE-42, RULE-46."""
    powered = Powered(kit)
    with kit.stops("kmdf-request-never-completed"):
        scene.unload_driver(kit.m, powered.scene)


def test_kept_over_the_sleep_without_a_callback_for_the_end(make_kit: Any) -> None:
    """RULE-72: EvtIoStopResume, seen in strict mode."""
    for strict in (False, True):
        kit = make_kit()
        kit.fw.strict = strict
        powered = Powered(kit, "WdfRequestStopAcknowledge(Request, FALSE);", resume="NULL")
        if strict:
            with kit.stops("kmdf-stop-without-resume"):
                powered.scene.suspend()
        else:
            powered.scene.suspend()
            assert powered.said[2:] == ["Stop(1)", "D0Exit(4)"]


def test_parameters_in_the_callback(make_kit: Any) -> None:
    """RULE-73: EvtIoStopGetParam, seen in strict mode."""
    stop = """WDF_REQUEST_PARAMETERS parameters;
    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    WdfRequestGetParameters(Request, &parameters);
    DbgPrint("Length(%d) ", (int)parameters.Parameters.Read.Length);
    WdfRequestStopAcknowledge(Request, FALSE);"""
    for strict in (False, True):
        kit = make_kit()
        kit.fw.strict = strict
        powered = Powered(kit, stop)
        if strict:
            with kit.stops("kmdf-parameters-in-io-stop"):
                powered.scene.suspend()
        else:
            powered.scene.suspend()
            assert powered.said[2:] == ["Stop(1)", "Length(4)", "D0Exit(4)"]
