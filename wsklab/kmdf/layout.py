"""Offsets that the framework needs on every request, read from the headers once per machine.

`IrpView` is the framework's hand on one IRP and the stack location its target will see; it exists to keep formatting and
sending short and quick. Nothing here decides anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsklab.machine import Machine

MJ_READ, MJ_WRITE, MJ_DEVICE_CONTROL, MJ_INTERNAL_DEVICE_CONTROL = 3, 4, 0xE, 0xF
TYPE_OTHER, TYPE_NO_FORMAT = 0x1C, 0xFF
METHOD_BUFFERED, METHOD_IN_DIRECT, METHOD_OUT_DIRECT, METHOD_NEITHER = range(4)
SL_INVOKE_ALL, SL_PENDING_RETURNED = 0xE0, 0x01


class Layout:
    """Offsets in bytes: `irp_…` into IRP, `sl_…` into IO_STACK_LOCATION, `cp_…` into WDF_REQUEST_COMPLETION_PARAMS."""

    def __init__(self, m: Machine) -> None:
        irp = "IRP"
        self.irp_flags = m.offset(irp, "Flags")
        self.irp_mdl = m.offset(irp, "MdlAddress")
        self.irp_system_buffer = m.offset(irp, "AssociatedIrp.SystemBuffer")
        self.irp_user_buffer = m.offset(irp, "UserBuffer")
        self.irp_status = m.offset(irp, "IoStatus.Status")
        self.irp_information = m.offset(irp, "IoStatus.Information")
        self.irp_pending_returned = m.offset(irp, "PendingReturned")
        self.irp_mode = m.offset(irp, "RequestorMode")
        self.irp_cancel = m.offset(irp, "Cancel")
        self.irp_stack_count = m.offset(irp, "StackCount")
        self.irp_current = m.offset(irp, "CurrentLocation")
        self.irp_stack = m.offset(irp, "Tail.Overlay.CurrentStackLocation")
        sl = "IO_STACK_LOCATION"
        self.sl_size = m.sizeof(sl)
        self.sl_major = m.offset(sl, "MajorFunction")
        self.sl_minor = m.offset(sl, "MinorFunction")
        self.sl_flags = m.offset(sl, "Flags")
        self.sl_control = m.offset(sl, "Control")
        self.sl_length = m.offset(sl, "Parameters.Read.Length")
        self.sl_byte_offset = m.offset(sl, "Parameters.Read.ByteOffset")
        self.sl_output_length = m.offset(sl, "Parameters.DeviceIoControl.OutputBufferLength")
        self.sl_input_length = m.offset(sl, "Parameters.DeviceIoControl.InputBufferLength")
        self.sl_code = m.offset(sl, "Parameters.DeviceIoControl.IoControlCode")
        self.sl_type3 = m.offset(sl, "Parameters.DeviceIoControl.Type3InputBuffer")
        self.sl_arguments = tuple(m.offset(sl, f"Parameters.Others.Argument{n}") for n in (1, 2, 3, 4))
        self.sl_device = m.offset(sl, "DeviceObject")
        self.sl_file = m.offset(sl, "FileObject")
        self.sl_routine = m.offset(sl, "CompletionRoutine")
        self.sl_context = m.offset(sl, "Context")
        cp = "WDF_REQUEST_COMPLETION_PARAMS"
        self.cp_size = m.sizeof(cp)
        self.cp_type = m.offset(cp, "Type")
        self.cp_status = m.offset(cp, "IoStatus.Status")
        self.cp_information = m.offset(cp, "IoStatus.Information")
        self.cp_buffer = m.offset(cp, "Parameters.Read.Buffer")
        self.cp_length = m.offset(cp, "Parameters.Read.Length")
        self.cp_offset = m.offset(cp, "Parameters.Read.Offset")
        self.cp_code = m.offset(cp, "Parameters.Ioctl.IoControlCode")
        self.cp_input = m.offset(cp, "Parameters.Ioctl.Input.Buffer")
        self.cp_input_offset = m.offset(cp, "Parameters.Ioctl.Input.Offset")
        self.cp_output = m.offset(cp, "Parameters.Ioctl.Output.Buffer")
        self.cp_output_offset = m.offset(cp, "Parameters.Ioctl.Output.Offset")
        self.cp_output_length = m.offset(cp, "Parameters.Ioctl.Output.Length")
        self.cp_arguments = tuple(m.offset(cp, f"Parameters.Others.Argument{n}.Ptr") for n in (1, 2, 3, 4))
        reuse = "WDF_REQUEST_REUSE_PARAMS"
        self.reuse_size = m.sizeof(reuse)
        self.reuse_flags, self.reuse_status = m.offset(reuse, "Flags"), m.offset(reuse, "Status")
        self.reuse_irp = m.offset(reuse, "NewIrp")
        self.options_size = m.sizeof("WDF_REQUEST_SEND_OPTIONS")
        self.options_flags = m.offset("WDF_REQUEST_SEND_OPTIONS", "Flags")
        self.options_timeout = m.offset("WDF_REQUEST_SEND_OPTIONS", "Timeout")


MAJOR_NAMES = {
    0: "IRP_MJ_CREATE",
    2: "IRP_MJ_CLOSE",
    3: "IRP_MJ_READ",
    4: "IRP_MJ_WRITE",
    9: "IRP_MJ_FLUSH_BUFFERS",
    0xE: "IRP_MJ_DEVICE_CONTROL",
    0xF: "IRP_MJ_INTERNAL_DEVICE_CONTROL",
    0x12: "IRP_MJ_CLEANUP",
    0x16: "IRP_MJ_POWER",
    0x1B: "IRP_MJ_PNP",
}


def major_name(major: int) -> str:
    """The name of a major function code."""
    return MAJOR_NAMES.get(major, f"IRP_MJ 0x{major:02X}")
