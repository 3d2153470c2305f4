"""Values of rule texts that are words of a language and not identifiers: what stands for each, as a translation key.

``{holder}``, ``{maker}``, ``{to}``, ``{what}``, ``{state}`` and ``{expected}`` are filled with these; every other value
(addresses, names of C functions, statuses, numbers) is shown as it is.
"""

from __future__ import annotations

_ACTORS = {
    "wsk": "WSK",
    "framework": "the framework",
    "driver": "the driver",
    "device": "the lower device",
    "io": "the I/O manager",
    "app": "an application",
}
_WORDS = (
    "read",
    "write",
    "has been closed",
    "was never opened",
    "is NULL",
    "was never allocated",
    "lies inside another block",
    "was not allocated by the driver",
    "it has been freed",
    "no memory is there",
    "the block ends before",
    "IoAllocateMdl did not return it",
    "it is an associated IRP itself",
    "it asks for buffered I/O",
    "locked",
    "built for nonpaged pool",
    "built as a partial MDL",
    "it has to be DISPATCH_LEVEL",
    "the saved IRQL is another one",
    "KeRaiseIrql has not been called before",
    "acquiring the lock raised the IRQL, and this call does not lower it",
    "the cancel spin lock",
    "dispatcher object",
    "work item",
    "timer",
    "a conversion has no argument",
    "a conversion is not supported in the kernel",
    "a % without a conversion",
    "assignment",
    "initialiser",
    "return value",
    "the function",
    "the size of an array",
    "the width of a bit-field",
    "a case label",
    "a static assertion",
    "an alignment",
    "an array index",
    "an enum constant",
)
PHRASES: dict[str, str] = {**_ACTORS, **{words: words for words in _WORDS}}
"""Value → the English text that stands for it, to be translated."""
