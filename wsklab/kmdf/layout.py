"""Offsets that the framework needs on every request, read from the headers once per machine, and names of major functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsklab.machine import Machine

MJ_READ, MJ_WRITE, MJ_DEVICE_CONTROL, MJ_INTERNAL_DEVICE_CONTROL = 3, 4, 0xE, 0xF
TYPE_OTHER, TYPE_NO_FORMAT = 0x1C, 0xFF
METHOD_BUFFERED, METHOD_IN_DIRECT, METHOD_OUT_DIRECT, METHOD_NEITHER = range(4)
NEITHER, BUFFERED, DIRECT = 1, 2, 3
"""WDF_DEVICE_IO_TYPE (KMDF-CON-16)."""
SL_INVOKE_ALL = 0xE0

# Structure, prefix of the attributes, then attribute=member; the structure's size is PREFIX_size.
_TABLE = """
IRP irp_ flags=Flags mdl=MdlAddress system_buffer=AssociatedIrp.SystemBuffer user_buffer=UserBuffer status=IoStatus.Status
    information=IoStatus.Information pending_returned=PendingReturned mode=RequestorMode cancel=Cancel stack_count=StackCount
    current=CurrentLocation stack=Tail.Overlay.CurrentStackLocation
IO_STACK_LOCATION sl_ major=MajorFunction minor=MinorFunction flags=Flags control=Control length=Parameters.Read.Length
    byte_offset=Parameters.Read.ByteOffset output_length=Parameters.DeviceIoControl.OutputBufferLength
    input_length=Parameters.DeviceIoControl.InputBufferLength code=Parameters.DeviceIoControl.IoControlCode
    type3=Parameters.DeviceIoControl.Type3InputBuffer argument1=Parameters.Others.Argument1 argument2=Parameters.Others.Argument2
    argument4=Parameters.Others.Argument4 file=FileObject routine=CompletionRoutine context=Context
WDF_REQUEST_COMPLETION_PARAMS cp_ type=Type status=IoStatus.Status information=IoStatus.Information
    buffer=Parameters.Read.Buffer length=Parameters.Read.Length offset=Parameters.Read.Offset code=Parameters.Ioctl.IoControlCode
    input=Parameters.Ioctl.Input.Buffer input_offset=Parameters.Ioctl.Input.Offset output=Parameters.Ioctl.Output.Buffer
    output_offset=Parameters.Ioctl.Output.Offset output_length=Parameters.Ioctl.Output.Length
    argument1=Parameters.Others.Argument1.Ptr argument2=Parameters.Others.Argument2.Ptr argument4=Parameters.Others.Argument4.Ptr
WDF_REQUEST_SEND_OPTIONS options_ flags=Flags timeout=Timeout
WDF_REQUEST_REUSE_PARAMS reuse_ flags=Flags status=Status irp=NewIrp
WDF_OBJECT_ATTRIBUTES attributes_ parent=ParentObject
DEVICE_OBJECT device_ flags=Flags stack_size=StackSize
"""


class Layout:
    """Offsets in bytes as attributes, see the table above: ``layout.irp_status``, ``layout.sl_size``."""

    def __init__(self, m: Machine) -> None:
        for words in map(str.split, _TABLE.replace("\n    ", " ").strip().splitlines()):
            structure, prefix = words[:2]
            setattr(self, prefix + "size", m.sizeof(structure))
            for name, path in (word.split("=") for word in words[2:]):
                setattr(self, prefix + name, m.offset(structure, path))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> int: ...


MAJOR_NAMES = dict(enumerate(["CREATE", "CREATE_NAMED_PIPE", "CLOSE", "READ", "WRITE"])) | {
    9: "FLUSH_BUFFERS", 0xE: "DEVICE_CONTROL", 0xF: "INTERNAL_DEVICE_CONTROL", 0x12: "CLEANUP", 0x16: "POWER", 0x1B: "PNP",
}  # fmt: skip


def major_name(major: int) -> str:
    """The name of a major function code."""
    return f"IRP_MJ_{MAJOR_NAMES.get(major, f'{major:#04x}')}"
