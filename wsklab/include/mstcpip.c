/*
 * IP addresses in text. Follows the pages nf-ip2string-rtlipv4addresstostringw and its neighbours.
 */

/* Write an address as four numbers; returns the place of the terminator. The buffer holds 16 characters. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PSTR RtlIpv4AddressToStringA(const struct in_addr *Addr, PSTR S)
{
    return S + sprintf(S, "%u.%u.%u.%u", Addr->S_un.S_un_b.s_b1, Addr->S_un.S_un_b.s_b2, Addr->S_un.S_un_b.s_b3,
                       Addr->S_un.S_un_b.s_b4);
}

static PWSTR wsklab_widen(PCSTR Text, PWSTR Wide)
{
    while ((*Wide = (UCHAR)*Text++) != 0) Wide++;
    return Wide;
}

/* Write an address as four numbers; returns the place of the terminator. The buffer holds 16 characters. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PWSTR RtlIpv4AddressToStringW(const struct in_addr *Addr, PWSTR S)
{
    CHAR text[16];
    RtlIpv4AddressToStringA(Addr, text);
    return wsklab_widen(text, S);
}

/* Write an address, and with a colon the port (in network byte order) unless it is 0; the length counts the terminator. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG RtlIpv4AddressToStringExA(const struct in_addr *Address, USHORT Port, PSTR AddressString, PULONG AddressStringLength)
{
    CHAR text[24];
    PSTR end = RtlIpv4AddressToStringA(Address, text);
    ULONG room = *AddressStringLength;
    if (Port) end += sprintf(end, ":%u", RtlUshortByteSwap(Port));
    *AddressStringLength = (ULONG)(end - text) + 1;
    if (!AddressString || room < *AddressStringLength) return STATUS_INVALID_PARAMETER;
    memcpy(AddressString, text, *AddressStringLength);
    return STATUS_SUCCESS;
}

static LONG wsklab_widened(PCSTR Text, ULONG Size, PWSTR Wide, PULONG Length)
{
    ULONG room = *Length;
    *Length = Size;
    if (!Wide || room < Size) return STATUS_INVALID_PARAMETER;
    wsklab_widen(Text, Wide);
    return STATUS_SUCCESS;
}

/* The same in UTF-16. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG RtlIpv4AddressToStringExW(const struct in_addr *Address, USHORT Port, PWSTR AddressString, PULONG AddressStringLength)
{
    CHAR text[24];
    ULONG size = sizeof(text);
    RtlIpv4AddressToStringExA(Address, Port, text, &size);
    return wsklab_widened(text, size, AddressString, AddressStringLength);
}

/* Write an address in the shortest form, the longest run of zeros as two colons; returns the place of the terminator. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PSTR RtlIpv6AddressToStringA(const struct in6_addr *Addr, PSTR S)
{
    USHORT word[8];
    int i, run, best = 8, longest = 1;
    for (i = 0; i < 8; i++) word[i] = (USHORT)(Addr->u.Byte[2 * i] << 8 | Addr->u.Byte[2 * i + 1]);
    for (i = 0; i < 8; i++) {
        for (run = 0; i + run < 8 && !word[i + run]; run++)
            ;
        if (run > longest) {
            longest = run;
            best = i;
        }
    }
    if (best == 0 && ((longest == 6 && word[6]) || (longest == 5 && word[5] == 0xFFFF))) {
        S += sprintf(S, longest == 5 ? "::ffff:" : "::");
        return RtlIpv4AddressToStringA((const struct in_addr *)&Addr->u.Byte[12], S);
    }
    for (i = 0; i < 8; i++) {
        if (i == best) {
            S += sprintf(S, "::");
            i += longest - 1;
        } else {
            S += sprintf(S, i && i != best + longest ? ":%x" : "%x", word[i]);
        }
    }
    return S;
}

/* Write an address in the shortest form; returns the place of the terminator. The buffer holds 46 characters. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PWSTR RtlIpv6AddressToStringW(const struct in6_addr *Addr, PWSTR S)
{
    CHAR text[48];
    RtlIpv6AddressToStringA(Addr, text);
    return wsklab_widen(text, S);
}

/* Write an address with its scope and, in brackets, its port (in network byte order) unless they are 0. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG RtlIpv6AddressToStringExA(const struct in6_addr *Address, ULONG ScopeId, USHORT Port, PSTR AddressString,
                               PULONG AddressStringLength)
{
    CHAR text[72];
    PSTR end = text;
    ULONG room = *AddressStringLength;
    if (Port) *end++ = '[';
    end = RtlIpv6AddressToStringA(Address, end);
    if (ScopeId) end += sprintf(end, "%%%u", ScopeId);
    if (Port) end += sprintf(end, "]:%u", RtlUshortByteSwap(Port));
    *end = 0;
    *AddressStringLength = (ULONG)(end - text) + 1;
    if (!AddressString || room < *AddressStringLength) return STATUS_INVALID_PARAMETER;
    memcpy(AddressString, text, *AddressStringLength);
    return STATUS_SUCCESS;
}

/* The same in UTF-16. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG RtlIpv6AddressToStringExW(const struct in6_addr *Address, ULONG ScopeId, USHORT Port, PWSTR AddressString,
                               PULONG AddressStringLength)
{
    CHAR text[72];
    ULONG size = sizeof(text);
    RtlIpv6AddressToStringExA(Address, ScopeId, Port, text, &size);
    return wsklab_widened(text, size, AddressString, AddressStringLength);
}

static ULONG wsklab_decimal(PCSTR *Text, ULONG Most) /* a number up to Most, Most + 1 when there is none */
{
    ULONG value = 0;
    if (!isdigit((UCHAR)**Text)) return Most + 1;
    while (isdigit((UCHAR)**Text) && value <= Most) value = value * 10 + (*(*Text)++ - '0');
    return value <= Most ? value : Most + 1;
}

/* Read an address of four numbers; Terminator is where reading ended. Forms with fewer numbers are not read, strict or not. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS RtlIpv4StringToAddressA(PCSTR S, BOOLEAN Strict, PCSTR *Terminator, struct in_addr *Addr)
{
    UCHAR bytes[4];
    ULONG i, value;
    *Terminator = S;
    for (i = 0; i < 4; i++) {
        if (i && *(*Terminator)++ != '.') return STATUS_INVALID_PARAMETER;
        value = wsklab_decimal(Terminator, 255);
        if (value > 255) return STATUS_INVALID_PARAMETER;
        bytes[i] = (UCHAR)value;
    }
    memcpy(Addr, bytes, 4);
    return STATUS_SUCCESS;
}

/* Read an address in hexadecimal groups, with two colons for zeros and four numbers at its end where they stand there. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS RtlIpv6StringToAddressA(PCSTR S, PCSTR *Terminator, struct in6_addr *Addr)
{
    UCHAR bytes[16] = { 0 };
    ULONG at = 0, gap = 99, digits, value;
    PCSTR start;
    *Terminator = S;
    if (S[0] == ':' && S[1] != ':') return STATUS_INVALID_PARAMETER;
    while (at < 16) {
        if ((*Terminator)[0] == ':' && (*Terminator)[1] == ':' && gap == 99) {
            *Terminator += 2;
            gap = at;
        } else if (at && at != gap && *(*Terminator) == ':') {
            (*Terminator)++;
        } else if (at && at != gap) {
            break;
        }
        start = *Terminator;
        for (value = digits = 0; digits < 4 && isxdigit((UCHAR)**Terminator); digits++, (*Terminator)++)
            value = value << 4 | (isdigit((UCHAR)**Terminator) ? **Terminator - '0' : (**Terminator | 32) - 'a' + 10);
        if (!digits) {
            if (at == gap) break;
            return STATUS_INVALID_PARAMETER;
        }
        if (**Terminator == '.' && at <= 12) {
            if (!NT_SUCCESS(RtlIpv4StringToAddressA(start, TRUE, Terminator, (struct in_addr *)&bytes[at])))
                return STATUS_INVALID_PARAMETER;
            at += 4;
            break;
        }
        bytes[at++] = (UCHAR)(value >> 8);
        bytes[at++] = (UCHAR)value;
    }
    if (gap == 99 ? at != 16 : at > 14) return STATUS_INVALID_PARAMETER;
    if (gap != 99) {
        memmove(bytes + 16 - (at - gap), bytes + gap, at - gap);
        memset(bytes + gap, 0, 16 - at);
    }
    memcpy(Addr, bytes, 16);
    return STATUS_SUCCESS;
}

static void wsklab_narrow(PCWSTR Wide, PSTR Text, ULONG Room)
{
    ULONG i;
    for (i = 0; i + 1 < Room && Wide[i]; i++) Text[i] = Wide[i] < 0x80 ? (CHAR)Wide[i] : '?';
    Text[i] = 0;
}

/* Read an address of four numbers; Terminator is where reading ended. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS RtlIpv4StringToAddressW(PCWSTR S, BOOLEAN Strict, LPCWSTR *Terminator, struct in_addr *Addr)
{
    CHAR text[24];
    PCSTR end;
    NTSTATUS status;
    wsklab_narrow(S, text, sizeof(text));
    status = RtlIpv4StringToAddressA(text, Strict, &end, Addr);
    *Terminator = S + (end - text);
    return status;
}

/* Read an address; Terminator is where reading ended. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS RtlIpv6StringToAddressW(PCWSTR S, PCWSTR *Terminator, struct in6_addr *Addr)
{
    CHAR text[72];
    PCSTR end;
    NTSTATUS status;
    wsklab_narrow(S, text, sizeof(text));
    status = RtlIpv6StringToAddressA(text, &end, Addr);
    *Terminator = S + (end - text);
    return status;
}

static NTSTATUS wsklab_port(PCSTR Text, PUSHORT Port) /* what stands behind a colon, in network byte order */
{
    ULONG value = wsklab_decimal(&Text, 65535);
    if (value > 65535 || *Text) return STATUS_INVALID_PARAMETER;
    *Port = RtlUshortByteSwap((USHORT)value);
    return STATUS_SUCCESS;
}

/* Read an address and, behind a colon, its port; nothing may follow. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS RtlIpv4StringToAddressExA(PCSTR AddressString, BOOLEAN Strict, struct in_addr *Address, PUSHORT Port)
{
    PCSTR end;
    *Port = 0;
    if (!NT_SUCCESS(RtlIpv4StringToAddressA(AddressString, Strict, &end, Address))) return STATUS_INVALID_PARAMETER;
    return *end == ':' ? wsklab_port(end + 1, Port) : *end ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

/* The same in UTF-16. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS RtlIpv4StringToAddressExW(PCWSTR AddressString, BOOLEAN Strict, struct in_addr *Address, PUSHORT Port)
{
    CHAR text[24];
    wsklab_narrow(AddressString, text, sizeof(text));
    return RtlIpv4StringToAddressExA(text, Strict, Address, Port);
}

/* Read an address with its scope and, when it stands in brackets, its port; nothing may follow. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS RtlIpv6StringToAddressExA(PCSTR AddressString, struct in6_addr *Address, PULONG ScopeId, PUSHORT Port)
{
    PCSTR end;
    BOOLEAN bracket = *AddressString == '[';
    *Port = 0;
    *ScopeId = 0;
    if (!NT_SUCCESS(RtlIpv6StringToAddressA(AddressString + bracket, &end, Address))) return STATUS_INVALID_PARAMETER;
    if (*end == '%') {
        end++;
        if (!isdigit((UCHAR)*end)) return STATUS_INVALID_PARAMETER;
        *ScopeId = wsklab_decimal(&end, 0x7FFFFFFF);
    }
    if (bracket && *end++ != ']') return STATUS_INVALID_PARAMETER;
    return bracket && *end == ':' ? wsklab_port(end + 1, Port) : *end ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

/* The same in UTF-16. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS RtlIpv6StringToAddressExW(PCWSTR AddressString, struct in6_addr *Address, PULONG ScopeId, PUSHORT Port)
{
    CHAR text[72];
    wsklab_narrow(AddressString, text, sizeof(text));
    return RtlIpv6StringToAddressExA(text, Address, ScopeId, Port);
}
