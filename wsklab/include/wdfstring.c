/* wdfstring.c: strings: a copy of a UNICODE_STRING that lives as long as its object. Follows the wdfstring.h pages. */

static NTSTATUS FxSetString(PFX_STRING String, PCUNICODE_STRING Text)
{
    PWCH buffer = (PWCH)wsklab_allocate(Text->Length + sizeof(WCHAR));
    if (buffer == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    wsklab_free(String->Text.Buffer);
    String->Text.Length = Text->Length;
    String->Text.MaximumLength = Text->Length + sizeof(WCHAR);
    String->Text.Buffer = buffer;
    RtlCopyMemory(buffer, Text->Buffer, Text->Length);
    return STATUS_SUCCESS;
}

/* A string object with a copy of a string, empty when none is given. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfStringCreate(PCUNICODE_STRING UnicodeString, PWDF_OBJECT_ATTRIBUTES StringAttributes, WDFSTRING *String)
{
    NTSTATUS status;
    wsklab_given(String, "String");
    status = wsklab_wdf_create(FX_TYPE_STRING, FX_TAKES_PARENT, StringAttributes, NULL, String);
    if (!NT_SUCCESS(status) || UnicodeString == NULL) return status;
    status = FxSetString((PFX_STRING)wsklab_wdf(*String, FX_TYPE_STRING), UnicodeString);
    if (!NT_SUCCESS(status)) WdfObjectDelete(*String);
    return status;
}

/* The string; its buffer belongs to the object. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfStringGetUnicodeString(WDFSTRING String, PUNICODE_STRING UnicodeString)
{
    PFX_STRING string = (PFX_STRING)wsklab_wdf(String, FX_TYPE_STRING);
    wsklab_given(UnicodeString, "UnicodeString");
    *UnicodeString = string->Text;
}

/* The memory of a string goes with its object. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_wdfstring_destroyed(PFX_STRING String)
{
    wsklab_free(String->Text.Buffer);
}
