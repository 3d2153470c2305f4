"""What a format leaves with its request until the next one, a reuse or the request's end (KMDF-FMT-14).

The functions that format are C in include/wdfformat.c; here are completion params, references on memory objects (KMDF-FMT-07) and
the IRP fields to put back (KMDF-FRW-03). Facts: KMDF-FMT, FRW, FIO, CPP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsklab.kmdf import wdm
from wsklab.kmdf.memory import Memory

if TYPE_CHECKING:
    from wsklab.kmdf.request import Request

TYPE_NO_FORMAT, COMPLETION_PARAMS = 0xFF, "WDF_REQUEST_COMPLETION_PARAMS"
USB = range(2, 6)  # families of formats for USB targets
FIELDS = ("AssociatedIrp.SystemBuffer", "UserBuffer", "MdlAddress")  # of an IRP, overwritten by formats


class FormatContext:
    """What a format leaves with its request. `active` is False after release, until the next format fills it again.

    `params` is the address of the completion params; the length that `counted` leads to becomes Information at completion.
    """

    def __init__(self, request: Request, family: int) -> None:
        self.m, self.request, self.family = request.m, request, family
        self.size = self.m.sizeof(COMPLETION_PARAMS)
        self.params = self.m.new(COMPLETION_PARAMS)
        self.fields = [self.m.offset("IRP", field) for field in FIELDS]
        self.memories, self.saved = list[Memory](), list[int]()
        self.system = self.system_size = self.mdl = self.counted = 0
        self.copy_back = self.active = False
        self._blank()

    def _blank(self) -> None:
        """Completion params of type NoFormat."""
        self.m.write(self.params, bytes(self.size))
        self.m.set_u32(self.params, self.size)
        self.m.set_u32(self.params + 4, TYPE_NO_FORMAT)

    def save(self) -> None:
        """Remember the IRP's buffer fields. Facts: KMDF-FRW-03."""
        self.saved = [self.m.u64(self.request.irp + field) for field in self.fields]

    def finish(self, counted: int, copy_back: int, *memories: int) -> None:
        """References on the memories, the verifier's mark. Facts: KMDF-FMT-07, 19."""
        self.memories = [self.request.fw.get(handle, Memory) for handle in memories if handle]
        for memory in self.memories:
            memory.references += 1
        self.counted, self.copy_back = counted, bool(copy_back)
        self.active = self.request.formatted = True

    def release(self) -> None:
        """Give the references back, put the IRP's fields back, empty the params.

        Facts: KMDF-FMT-08, 09, KMDF-CHG-02, KMDF-REU-06, KMDF-MUL-02, KMDF-MEM-10, KMDF-CRT-11, KMDF-MIS-07.
        """
        for field, value in zip(self.fields, self.saved, strict=False):
            if self.request.irp:
                self.m.set_u64(self.request.irp + field, value)
        if self.mdl:
            wdm.free_mdl(self.m, self.mdl)
        memories, self.memories, self.saved = self.memories, [], []
        self.mdl, self.copy_back, self.active, self.counted = 0, False, False, 0
        for memory in memories:
            memory.release()
        self._blank()

    def free(self) -> None:
        """Release, and give back the context's own memory."""
        self.release()
        if self.system:
            self.m.free(self.system)
        self.m.free(self.params)
        self.request.context = None

    def system_buffer(self, size: int) -> int:
        """A non-paged buffer of so many bytes, or room for a URB, kept for later formats. Facts: KMDF-FRW-05, 07, KMDF-FMT-15."""
        if size > self.system_size:
            if self.system:
                self.m.free(self.system)
            self.system = self.m.allocate(size, kind="pool", label="URB" if self.family in USB else "system buffer", zero=True)
            self.system_size = size
        return self.system

    def direct(self, handle: int, address: int, length: int, write: int) -> int:
        """The MDL of a direct transfer: the memory's own, or one built over the buffer. Facts: KMDF-FRW-08, KMDF-FIO-06."""
        _, size, own = self.request.fw.get(handle, Memory).place
        if own and length == size:
            return own
        self.mdl = wdm.build_mdl(self.m, address, length, write=bool(write))
        return self.mdl

    def completed(self) -> None:
        """The IRP is back: status and length into the params, buffered output into the driver's buffer.

        The copy takes Information bytes, whatever status and length are (KMDF-CPL-07, KMDF-FRW-12, KMDF-FIO-10, 11, KMDF-CPP-04).
        """
        if not self.active:
            return
        m, packet = self.m, self.request.packet
        information = packet.IoStatus.Information
        m.set_i32(self.params + 8, packet.IoStatus.Status)
        m.set_u64(self.params + 16, information)
        if self.counted:
            m.set_u64(self.counted, information)
        if self.copy_back and information:
            m.write(int(packet.UserBuffer), m.read(int(packet.AssociatedIrp.SystemBuffer), information))
        if self.family in USB:
            self.request.fw.c("wsklab_usb_completed", self.params, self.system)
