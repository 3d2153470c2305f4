/*
 * wdmse.c: security as far as WSK asks for it: descriptors with a list of who may do what, and threads that impersonate a client.
 *
 * The machine has one process, of the local system. A client's token is whatever PsReferencePrimaryToken returns; which thread has
 * one stands in its thread object.
 */
typedef struct _WSKLAB_TOKEN {
    ULONG References;
} WSKLAB_TOKEN, *PWSKLAB_TOKEN;
typedef struct _WSKLAB_PROCESS {
    DISPATCHER_HEADER Header;
    PWSKLAB_TOKEN Token;
} WSKLAB_PROCESS, *PWSKLAB_PROCESS;

static void wsklab_token_leave(PWSKLAB_TOKEN Token, PCSTR Function)
{
    if (!Token) return;
    if (Token->References == 0) wsklab_stop("reference-not-acquired", Token, "function=%s", Function);
    if (--Token->References == 0) wsklab_system_free(Token);
}

/* The token of a process, with one more reference. Page: PsReferencePrimaryToken. */
_IRQL_requires_max_(PASSIVE_LEVEL)
PACCESS_TOKEN PsReferencePrimaryToken(PEPROCESS Process)
{
    PWSKLAB_PROCESS process = (PWSKLAB_PROCESS)Process;
    if (!process->Token) {
        process->Token = (PWSKLAB_TOKEN)wsklab_system_buffer(sizeof(WSKLAB_TOKEN));
        process->Token->References = 1; /* the process's own */
    }
    process->Token->References++;
    return process->Token;
}

/* One reference less to a token. Page: PsDereferencePrimaryToken. */
_IRQL_requires_max_(APC_LEVEL)
void PsDereferencePrimaryToken(PACCESS_TOKEN PrimaryToken)
{
    wsklab_token_leave((PWSKLAB_TOKEN)PrimaryToken, "PsDereferencePrimaryToken");
}

/* Let a thread act for the client whose token it is; NULL ends that. Page: PsImpersonateClient. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS PsImpersonateClient(PETHREAD Thread, PACCESS_TOKEN Token, BOOLEAN CopyOnOpen, BOOLEAN EffectiveOnly,
                             SECURITY_IMPERSONATION_LEVEL ImpersonationLevel)
{
    PWSKLAB_THREAD thread = (PWSKLAB_THREAD)Thread;
    PWSKLAB_TOKEN before = thread->Token;
    if (Token) ((PWSKLAB_TOKEN)Token)->References++;
    thread->Token = (PWSKLAB_TOKEN)Token;
    thread->Level = ImpersonationLevel;
    thread->CopyOnOpen = CopyOnOpen;
    thread->EffectiveOnly = EffectiveOnly;
    wsklab_token_leave(before, "PsImpersonateClient");
    return STATUS_SUCCESS;
}

/* End every impersonation of the calling thread. Page: PsRevertToSelf. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void PsRevertToSelf(void)
{
    PsImpersonateClient(PsGetCurrentThread(), NULL, FALSE, FALSE, SecurityAnonymous);
}

/* The token for which a thread acts, with one more reference; NULL when it impersonates nobody. Page: PsReferenceImpersonationToken. */
_IRQL_requires_max_(PASSIVE_LEVEL)
PACCESS_TOKEN PsReferenceImpersonationToken(PETHREAD Thread, PBOOLEAN CopyOnOpen, PBOOLEAN EffectiveOnly,
                                            PSECURITY_IMPERSONATION_LEVEL ImpersonationLevel)
{
    PWSKLAB_THREAD thread = (PWSKLAB_THREAD)Thread;
    if (!thread->Token) return NULL;
    thread->Token->References++;
    *CopyOnOpen = thread->CopyOnOpen;
    *EffectiveOnly = thread->EffectiveOnly;
    *ImpersonationLevel = thread->Level;
    return thread->Token;
}

/* One reference less to a token; nothing for NULL. Page: PsDereferenceImpersonationToken. */
_IRQL_requires_max_(APC_LEVEL)
void PsDereferenceImpersonationToken(PACCESS_TOKEN ImpersonationToken)
{
    wsklab_token_leave((PWSKLAB_TOKEN)ImpersonationToken, "PsDereferenceImpersonationToken");
}

/* An empty security descriptor: without a list, everybody may do everything. Page: RtlCreateSecurityDescriptor. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlCreateSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Revision)
{
    if (Revision != SECURITY_DESCRIPTOR_REVISION) return STATUS_UNKNOWN_REVISION;
    memset(SecurityDescriptor, 0, sizeof(SECURITY_DESCRIPTOR));
    ((PISECURITY_DESCRIPTOR)SecurityDescriptor)->Revision = (UCHAR)Revision;
    return STATUS_SUCCESS;
}

/* Give a security descriptor its list, or with FALSE take it away. Page: RtlSetDaclSecurityDescriptor. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS RtlSetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN DaclPresent, PACL Dacl, BOOLEAN DaclDefaulted)
{
    PISECURITY_DESCRIPTOR descriptor = (PISECURITY_DESCRIPTOR)SecurityDescriptor;
    if (descriptor->Revision != SECURITY_DESCRIPTOR_REVISION) return STATUS_UNKNOWN_REVISION;
    descriptor->Control &= ~(SE_DACL_PRESENT | SE_DACL_DEFAULTED);
    if (DaclPresent) descriptor->Control |= SE_DACL_PRESENT | (DaclDefaulted ? SE_DACL_DEFAULTED : 0);
    descriptor->Dacl = DaclPresent ? Dacl : NULL;
    return STATUS_SUCCESS;
}

/* An empty list in AclLength bytes: nobody may do anything. Page: RtlCreateAcl. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS RtlCreateAcl(PACL Acl, ULONG AclLength, ULONG AclRevision)
{
    if (AclLength < sizeof(ACL)) return STATUS_BUFFER_TOO_SMALL;
    if (AclRevision < ACL_REVISION || AclRevision > ACL_REVISION_DS || AclLength > 0xFFFF) return STATUS_INVALID_PARAMETER;
    memset(Acl, 0, AclLength);
    Acl->AclRevision = (UCHAR)AclRevision;
    Acl->AclSize = (USHORT)AclLength;
    return STATUS_SUCCESS;
}

static PACCESS_ALLOWED_ACE wsklab_ace(PACL Acl, USHORT Number)
{
    PUCHAR place = (PUCHAR)(Acl + 1);
    while (Number--) place += ((PACE_HEADER)place)->AceSize;
    return (PACCESS_ALLOWED_ACE)place;
}

/* Add to a list that a SID is allowed something. Page: RtlAddAccessAllowedAce. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS RtlAddAccessAllowedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid)
{
    PACCESS_ALLOWED_ACE ace = wsklab_ace(Acl, Acl->AceCount);
    ULONG size = FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart) + 8 + 4 * ((PISID)Sid)->SubAuthorityCount;
    if (AceRevision > ACL_REVISION_DS) return STATUS_REVISION_MISMATCH;
    if (((PISID)Sid)->Revision != SID_REVISION) return STATUS_INVALID_SID;
    if ((PUCHAR)ace + size > (PUCHAR)Acl + Acl->AclSize) return STATUS_ALLOTTED_SPACE_EXCEEDED;
    ace->Header.AceType = ACCESS_ALLOWED_ACE_TYPE;
    ace->Header.AceFlags = 0;
    ace->Header.AceSize = (USHORT)size;
    ace->Mask = AccessMask;
    memmove(&ace->SidStart, Sid, size - FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart));
    Acl->AceCount++;
    return STATUS_SUCCESS;
}

/* The SIDs of the system's token: itself, everybody, the administrators, authenticated users. */
static BOOLEAN wsklab_system_has(PISID Sid)
{
    ULONG authority = Sid->IdentifierAuthority.Value[5], first = Sid->SubAuthority[0];
    if (Sid->SubAuthorityCount == 1) return authority == 1 ? first == 0 : authority == 5 && (first == 18 || first == 11);
    return Sid->SubAuthorityCount == 2 && authority == 5 && first == 32 && Sid->SubAuthority[1] == 544;
}

/* Whether a descriptor lets the local system do anything at all: the first entry about it decides. Facts: WSK-SHR-02. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN wsklab_grants(PISECURITY_DESCRIPTOR Descriptor)
{
    USHORT i;
    if (!(Descriptor->Control & SE_DACL_PRESENT) || !Descriptor->Dacl) return TRUE;
    for (i = 0; i < Descriptor->Dacl->AceCount; i++) {
        PACCESS_ALLOWED_ACE ace = wsklab_ace(Descriptor->Dacl, i);
        if (ace->Header.AceType <= ACCESS_DENIED_ACE_TYPE && ace->Mask && wsklab_system_has((PISID)&ace->SidStart))
            return ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE;
    }
    return FALSE;
}
