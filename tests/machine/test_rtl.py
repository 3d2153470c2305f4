"""What ``wdmrtl.c`` holds, run from C: counted strings, numbers and GUIDs in text, bitmaps, the calendar, IP addresses."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsklab import Lab, Stop
from wsklab.driverlife import start, unload


def memory(lab: Lab, content: bytes) -> int:
    """Memory of the machine with some content."""
    address = lab.machine.allocate(len(content), "pool")
    lab.machine.write(address, content)
    return address


STRINGS = r"""
VOID Run(VOID)
{
    WCHAR Buffer[64];
    UNICODE_STRING Text, Other;
    ANSI_STRING Ansi;
    ULONG Value;
    GUID Guid = { 0x12345678, 0x9ABC, 0xDEF0, { 1, 2, 3, 4, 5, 6, 7, 0xAB } }, Again;

    RtlInitEmptyUnicodeString(&Text, Buffer, sizeof(Buffer));
    RtlInitUnicodeString(&Other, L"\\Device\\");
    DbgPrint("%x ", RtlAppendUnicodeStringToString(&Text, &Other));
    RtlAppendUnicodeToString(&Text, L"Echo0");
    DbgPrint("%wZ %d", &Text, RtlPrefixUnicodeString(&Other, &Text, FALSE));
    RtlInitUnicodeString(&Other, L"echo0");
    DbgPrint("%d%d ", RtlSuffixUnicodeString(&Other, &Text, TRUE), RtlSuffixUnicodeString(&Other, &Text, FALSE));
    DbgPrint("%x ", RtlUnicodeStringToAnsiString(&Ansi, &Text, TRUE));
    DbgPrint("%Z ", &Ansi);
    RtlFreeAnsiString(&Ansi);
    DbgPrint("%x ", RtlUpcaseUnicodeString(&Other, &Text, TRUE));
    DbgPrint("%wZ ", &Other);
    RtlFreeUnicodeString(&Other);
    RtlInitAnsiString(&Ansi, "caf\xe9");
    RtlAnsiStringToUnicodeString(&Other, &Ansi, TRUE);
    DbgPrint("%wZ %u\n", &Other, Other.Length);
    RtlFreeUnicodeString(&Other);

    RtlIntegerToUnicodeString(48879, 16, &Text);
    DbgPrint("%wZ ", &Text);
    DbgPrint("%x %u ", RtlUnicodeStringToInteger(&Text, 16, &Value), Value);
    RtlInitUnicodeString(&Other, L" -0x10");
    RtlUnicodeStringToInteger(&Other, 0, &Value);
    DbgPrint("%d ", Value);
    Text.MaximumLength = 4;
    DbgPrint("%x\n", RtlIntegerToUnicodeString(1234, 10, &Text));

    RtlStringFromGUID(&Guid, &Other);
    DbgPrint("%wZ %x ", &Other, RtlGUIDFromString(&Other, &Again));
    DbgPrint("%d ", IsEqualGUID(&Guid, &Again));
    Other.Buffer[3] = L'x';
    DbgPrint("%x\n", RtlGUIDFromString(&Other, &Again));
    RtlFreeUnicodeString(&Other);
}
"""


def test_counted_strings() -> None:
    lab = Lab()
    lab.load(STRINGS).Run()
    assert lab.console.splitlines() == [
        r"0 \Device\Echo0 110 0 \Device\Echo0 0 \DEVICE\ECHO0 café 8",
        "BEEF 0 48879 -16 80000005",
        "{12345678-9ABC-DEF0-0102-0304050607AB} 0 1 c000000d",
    ]


def test_a_string_that_is_not_freed_is_a_leak() -> None:
    lab = Lab()
    driver: Any = lab.load(r"""
        VOID Unload(PDRIVER_OBJECT DriverObject) { UNREFERENCED_PARAMETER(DriverObject); }
        NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
        {
            UNICODE_STRING Copy;
            DriverObject->DriverUnload = Unload;
            return RtlDuplicateUnicodeString(1, RegistryPath, &Copy);
        }
    """)
    with pytest.raises(Stop) as found:
        unload(lab, start(lab, driver, "test"))
    assert (found.value.rule.id, found.value.values["tag"]) == ("pool-leaked", "Strg")


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=12))
def test_utf_8_and_back(text: str) -> None:
    """Every text, astral characters too; a lone surrogate becomes the replacement character and is told."""
    lab = Lab(trace=False)
    wide = text.encode("utf-16-le", "surrogatepass")
    source, target, size = memory(lab, wide + b"\0"), memory(lab, bytes(64)), memory(lab, bytes(4))
    status = lab.wdk.RtlUnicodeToUTF8N(target, 64, size, source, len(wide))
    length = lab.machine.u32(size)
    if status == 0:
        assert lab.machine.read(target, length) == wide.decode("utf-16-le").encode()
    back = memory(lab, bytes(64))
    assert lab.wdk.RtlUTF8ToUnicodeN(back, 64, size, target, length) == 0
    if status == 0:
        assert lab.machine.read(back, lab.machine.u32(size)) == wide


def test_utf_8_that_is_none() -> None:
    lab = Lab()
    target, size = memory(lab, bytes(16)), memory(lab, bytes(4))
    assert str(lab.wdk.RtlUTF8ToUnicodeN(target, 16, size, memory(lab, b"a\xffb"), 3)) == "STATUS_SOME_NOT_MAPPED"
    assert lab.machine.read(target, lab.machine.u32(size)).decode("utf-16-le") == "a\ufffdb"


def test_bitmaps_and_bits() -> None:
    lab = Lab()
    lab.load(r"""
        VOID Run(VOID)
        {
            ULONG Words[2];
            RTL_BITMAP Map;
            ULONG Result;
            RtlInitializeBitMap(&Map, Words, 40);
            RtlClearAllBits(&Map);
            RtlSetBits(&Map, 0, 33);
            RtlClearBits(&Map, 4, 3);
            DbgPrint("%u %u ", RtlFindClearBitsAndSet(&Map, 4, 0), RtlFindClearBitsAndSet(&Map, 3, 20));
            DbgPrint("%x %x ", Words[0], Words[1]);
            DbgPrint("%x ", RtlFindClearBitsAndSet(&Map, 4, 0));
            DbgPrint("%d %d ", RtlFindMostSignificantBit(0x90), RtlFindLeastSignificantBit(0x90));
            DbgPrint("%d ", RtlFindLeastSignificantBit(0));
            DbgPrint("%x %x", RtlULongAdd(0xFFFFFFFF, 1, &Result), Result);
        }
    """).Run()
    assert lab.console == "33 37 ffffff8f ff ffffffff 7 4 -1 c0000095 ffffffff"


@settings(max_examples=30, deadline=None)
@given(st.datetimes(datetime(1601, 1, 1), datetime(2400, 12, 31)))
def test_the_calendar_agrees_with_pythons(moment: datetime) -> None:
    lab = Lab(trace=False)
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    time, fields, again = memory(lab, bytes(8)), lab.machine.new("TIME_FIELDS"), memory(lab, bytes(8))
    ticks = (moment - datetime(1601, 1, 1)) // timedelta(microseconds=1) * 10
    lab.machine.set_i64(time, ticks)
    lab.wdk.RtlTimeToTimeFields(time, fields)
    view = lab.view(fields, "TIME_FIELDS")
    expected = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond // 1000)
    assert (view.Year, view.Month, view.Day, view.Hour, view.Minute, view.Second, view.Milliseconds) == expected
    assert view.Weekday == moment.replace(tzinfo=UTC).isoweekday() % 7
    assert (lab.wdk.RtlTimeFieldsToTime(fields, again), lab.machine.i64(again)) == (1, ticks)


ADDRESSES = r"""
VOID Four(PIN_ADDR Address)
{
    WCHAR Text[32];
    ULONG Length = 32;
    IN_ADDR Again;
    USHORT Port;
    RtlIpv4AddressToStringExW(Address, 0x901F, Text, &Length);
    DbgPrint("%ws %u ", Text, Length);
    DbgPrint("%x ", RtlIpv4StringToAddressExW(Text, TRUE, &Again, &Port));
    DbgPrint("%d %x", Again.S_un.S_addr == Address->S_un.S_addr, Port);
}
VOID Six(PIN6_ADDR Address)
{
    WCHAR Text[72];
    ULONG Length = 72, Scope;
    IN6_ADDR Again;
    USHORT Port;
    RtlIpv6AddressToStringExW(Address, 3, 0x901F, Text, &Length);
    DbgPrint("%ws ", Text);
    DbgPrint("%x ", RtlIpv6StringToAddressExW(Text, &Again, &Scope, &Port));
    DbgPrint("%d %u %x", IN6_ADDR_EQUAL(Address, &Again), Scope, Port);
}
VOID Narrow(PIN_ADDR Four, PIN6_ADDR Six)
{
    CHAR Text[72];
    ULONG Length = 14, Scope;
    USHORT Port;
    DbgPrint("%x ", RtlIpv4AddressToStringExA(Four, 0x901F, Text, &Length));
    DbgPrint("%x ", RtlIpv4AddressToStringExA(Four, 0x901F, Text, &Length));
    DbgPrint("%s %u ", Text, Length);
    DbgPrint("%x ", RtlIpv4StringToAddressExA(Text, TRUE, Four, &Port));
    DbgPrint("%x\n", Port);
    Length = 72;
    DbgPrint("%x ", RtlIpv6AddressToStringExA(Six, 3, 0x901F, Text, &Length));
    DbgPrint("%s %u ", Text, Length);
    DbgPrint("%x ", RtlIpv6StringToAddressExA(Text, Six, &Scope, &Port));
    DbgPrint("%u %x", Scope, Port);
}
VOID Mapped(PIN_ADDR Four)
{
    SOCKADDR_IN6 Address;
    SCOPE_ID Scope = { 0 };
    CHAR Text[46];
    IN6ADDR_SETV4MAPPED(&Address, Four, Scope, 0x901F);
    RtlIpv6AddressToStringA(&Address.sin6_addr, Text);
    DbgPrint("%s %d %d ", Text, IN6ADDR_ISV4MAPPED(&Address), IN6_IS_ADDR_V4MAPPED(&in6addr_loopback));
    DbgPrint("%d %x", memcmp(IN6_GET_ADDR_V4MAPPED(&Address.sin6_addr), Four, 4), Address.sin6_port);
}
NTSTATUS Read(PCSTR Text) { IN6_ADDR Address; PCSTR End; return RtlIpv6StringToAddressA(Text, &End, &Address); }
"""


def test_ip_version_4() -> None:
    lab = Lab()
    lab.load(ADDRESSES).Four(memory(lab, bytes([192, 0, 2, 1])))
    assert lab.console == "192.0.2.1:8080 15 0 1 901f"


def test_an_address_of_version_4_in_one_of_version_6() -> None:
    lab = Lab()
    lab.load(ADDRESSES).Mapped(memory(lab, bytes([192, 0, 2, 1])))
    assert lab.console == "::ffff:192.0.2.1 1 0 0 901f"


def test_both_versions_in_ansi() -> None:
    lab = Lab()
    lab.load(ADDRESSES).Narrow(memory(lab, bytes([192, 0, 2, 1])), memory(lab, bytes(15) + b"\1"))
    first, second = lab.console.split("\n")
    assert first == "c000000d 0 192.0.2.1:8080 15 0 901f"
    assert second == "0 [::1%3]:8080 13 0 3 901f"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([0, 0, 0, 1, 0x20, 0xFFFF, 0x2001, 0xDB8]), min_size=8, max_size=8))
def test_ip_version_6_agrees_with_pythons(words: list[int]) -> None:
    lab = Lab(trace=False)
    packed = b"".join(word.to_bytes(2, "big") for word in words)
    lab.load(ADDRESSES).Six(memory(lab, packed))
    text, *rest = lab.console.split()
    assert rest == ["0", "1", "3", "901f"]
    assert text.startswith("[") and text.endswith("%3]:8080")
    assert ipaddress.IPv6Address(text[1:].split("%")[0]).packed == packed


@pytest.mark.parametrize("text", ["", ":", "1", "1:2", "12345::", ":1::", "1:2:3:4:5:6:7:", "1::2::3", "g::"])
def test_what_is_no_address_is_refused(text: str) -> None:
    lab = Lab()
    driver: Any = lab.load(ADDRESSES)
    assert str(driver.Read(memory(lab, text.encode() + b"\0"))) == "STATUS_INVALID_PARAMETER"
