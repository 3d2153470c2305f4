"""WDFDRIVER: made once in DriverEntry, the root of the tree.

Facts: KMDF-DEV-01 to 03, KMDF-WHO-01. Page: nf-wdfdriver-wdfdrivercreate.md.
"""

from __future__ import annotations

from typing import ClassVar

from wsklab.kmdf.attributes import ROOT, commit, creation
from wsklab.kmdf.objects import Framework, Object, framework
from wsklab.machine import DISPATCH_LEVEL, PASSIVE_LEVEL, Machine, status, wdk

NON_PNP, NO_DISPATCH_OVERRIDE = 1, 2


class Driver(Object):
    """The driver object: its DRIVER_OBJECT and the callbacks of its WDF_DRIVER_CONFIG."""

    KIND: ClassVar[str] = "WDFDRIVER"
    TYPE: ClassVar[int] = 0x1001
    PASSIVE_DISPOSAL: ClassVar[bool] = True

    def __init__(self, fw: Framework, driver_object: int, device_add: int, unload: int) -> None:
        super().__init__(fw)
        self.object, self.device_add, self.unload = driver_object, device_add, unload
        self.deletable = False


@wdk(irql=PASSIVE_LEVEL, lane="framework")
def WdfDriverCreate(
    m: Machine, DriverObject: int, RegistryPath: int, DriverAttributes: int, DriverConfig: int, Driver: int
) -> int:
    """The framework driver object. Facts: KMDF-DEV-01, 02."""
    fw = framework(m)
    fw.required(DriverObject, "DriverObject")
    fw.required(RegistryPath, "RegistryPath")
    fw.required(DriverConfig, "DriverConfig")
    if Driver:
        m.set_u64(Driver, 0)
    config = m.view(DriverConfig, "WDF_DRIVER_CONFIG")
    if config.Size != m.sizeof("WDF_DRIVER_CONFIG"):
        return status.INFO_LENGTH_MISMATCH
    if config.DriverInitFlags & ~(NON_PNP | NO_DISPATCH_OVERRIDE):
        return status.INVALID_PARAMETER
    if fw.driver is not None:
        return status.DRIVER_INTERNAL_ERROR
    answer, _ = creation(fw, DriverAttributes, ROOT)
    if answer < 0:
        return answer
    device_add, unload = int(config.EvtDriverDeviceAdd), int(config.EvtDriverUnload)
    if config.DriverInitFlags & NON_PNP and device_add:
        return status.INVALID_PARAMETER
    made = _Driver(fw, DriverObject, device_add, unload)
    answer = commit(fw, made, DriverAttributes)
    if answer < 0:
        return answer
    fw.driver = made
    fw.driver_object = DriverObject
    if Driver:
        m.set_u64(Driver, made.handle)
    return 0


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfGetDriver(m: Machine) -> int:
    """The driver object, NULL before WdfDriverCreate."""
    fw = framework(m)
    return fw.driver.handle if fw.driver else 0


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfDriverWdmGetDriverObject(m: Machine, Driver: int) -> int:
    """The DRIVER_OBJECT behind a WDFDRIVER."""
    return framework(m).get(Driver, _Driver).object


_Driver = Driver
# The out parameter of WdfDriverCreate carries the name of Microsoft's page; inside it the class goes by this name.
