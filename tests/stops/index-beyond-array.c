// The byte behind the name is the first of the number, which a memory check cannot tell from it.
typedef struct _ENTRY {
    CHAR Name[8];
    ULONG Number;
} ENTRY;

ULONG Run(VOID)
{
    ENTRY Entries[2] = { { "first", 1 }, { "second", 2 } };
    ULONG Index, Length = 0;
    CHAR *End = &Entries[0].Name[8];

    for (Index = 0; Index <= 8; Index++) {
        if (Entries[0].Name[Index] != 'x') Length = Index;
    }
    return Length + (ULONG)(End - Entries[0].Name);
}
