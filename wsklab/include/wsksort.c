/*
 * wsksort.c: the order in which SIO_ADDRESS_LIST_SORT puts addresses. The pages leave it to the transport; the kit's is the
 * destination address selection of RFC 6724, section 6: rules 2, 5, 6, 8 and 9, in this order. Rule 1 (is there a way at all) and
 * rule 10 (else as given) are the caller's; rules 3, 4 and 7 ask for what the simulated machine does not have: deprecated and
 * home addresses, tunnels.
 *
 * Addresses are IPv6 ones of two halves, IPv4 ones mapped.
 */
typedef struct _WSKLAB_POLICY {
    ULONG64 High, Low;
    ULONG Length;
    UCHAR Precedence, Label;
} WSKLAB_POLICY;

static BOOLEAN wsklab_prefix(ULONG64 High, ULONG64 Low, ULONG64 OtherHigh, ULONG64 OtherLow, ULONG Length)
{
    if (Length > 64) return High == OtherHigh && (Low ^ OtherLow) >> (128 - Length) == 0;
    return Length == 0 || (High ^ OtherHigh) >> (64 - Length) == 0;
}

static WSKLAB_POLICY wsklab_policy(ULONG64 High, ULONG64 Low)
{
    const WSKLAB_POLICY table[] = { /* RFC 6724, section 2.1, longest prefix first */
        { 0, 1, 128, 50, 0 },                              /* ::1 */
        { 0, 0x0000FFFF00000000, 96, 35, 4 },              /* ::ffff:0:0/96 */
        { 0, 0, 96, 1, 3 },                                /* ::/96 */
        { 0x2001000000000000, 0, 32, 5, 5 },               /* Teredo */
        { 0x2002000000000000, 0, 16, 30, 2 },              /* 6to4 */
        { 0x3FFE000000000000, 0, 16, 1, 12 },              /* 6bone */
        { 0xFEC0000000000000, 0, 10, 1, 11 },              /* site-local */
        { 0xFC00000000000000, 0, 7, 3, 13 },               /* unique local */
        { 0, 0, 0, 40, 1 },
    };
    ULONG i = 0;
    while (!wsklab_prefix(High, Low, table[i].High, table[i].Low, table[i].Length)) i++;
    return table[i];
}

static ULONG wsklab_scope(ULONG64 High, ULONG64 Low)
{
    if (High >> 56 == 0xFF) return (ULONG)(High >> 48) & 0xF; /* multicast says its scope */
    if (High == 0 && Low >> 32 == 0xFFFF) {                   /* IPv4: loopback and 169.254/16 are link-local */
        ULONG ip = (ULONG)Low;
        return ip >> 24 == 127 || ip >> 16 == 0xA9FE ? 2 : 14;
    }
    if (High == 0 && Low == 1 || High >> 54 == 0xFE80 >> 6) return 2;
    return High >> 54 == 0xFEC0 >> 6 ? 5 : 14;
}

/* The rank of a destination that is reached from a source: lower ones come first. Facts: WSK-CTL-12. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG wsklab_destination_rank(ULONG64 DestinationHigh, ULONG64 DestinationLow, ULONG64 SourceHigh, ULONG64 SourceLow)
{
    WSKLAB_POLICY policy = wsklab_policy(DestinationHigh, DestinationLow);
    ULONG scope = wsklab_scope(DestinationHigh, DestinationLow), common = 128, rank;
    while (!wsklab_prefix(DestinationHigh, DestinationLow, SourceHigh, SourceLow, common)) common--;
    rank = scope != wsklab_scope(SourceHigh, SourceLow);               /* rule 2: the same scope */
    rank = rank << 1 | (policy.Label != wsklab_policy(SourceHigh, SourceLow).Label); /* rule 5: the same label */
    rank = rank << 8 | (0xFF - policy.Precedence);                     /* rule 6: the higher precedence */
    rank = rank << 4 | scope;                                          /* rule 8: the smaller scope */
    return rank << 8 | (128 - common);                                 /* rule 9: the longer common prefix */
}
