/* ntifs.h: what a file system driver includes: ntddk.h, impersonation, and lists of who may do what (wdmse.c). */
#ifndef _NTIFS_
#define _NTIFS_

#include "ntddk.h"

PACCESS_TOKEN PsReferencePrimaryToken(PEPROCESS Process);
void PsDereferencePrimaryToken(PACCESS_TOKEN PrimaryToken);
NTSTATUS PsImpersonateClient(PETHREAD Thread, PACCESS_TOKEN Token, BOOLEAN CopyOnOpen, BOOLEAN EffectiveOnly,
                             SECURITY_IMPERSONATION_LEVEL ImpersonationLevel);
void PsRevertToSelf(void);
PACCESS_TOKEN PsReferenceImpersonationToken(PETHREAD Thread, PBOOLEAN CopyOnOpen, PBOOLEAN EffectiveOnly,
                                            PSECURITY_IMPERSONATION_LEVEL ImpersonationLevel);
void PsDereferenceImpersonationToken(PACCESS_TOKEN ImpersonationToken);
NTSTATUS RtlCreateAcl(PACL Acl, ULONG AclLength, ULONG AclRevision);
NTSTATUS RtlAddAccessAllowedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid);

#endif
