/*
 * wsknmr.c: clients of the Network Module Registrar (NMR) that attach to WSK, over the registration functions of wsk.h.
 *
 * A client attaches as soon as the provider is there: inside NmrRegisterClient, or later in a system thread. A client of another
 * interface finds no provider. What NMR keeps of a client stands in memory of the system; a handle is its address.
 */
typedef struct _NMR_CLIENT {
    struct _NMR_CLIENT *Self;
    PNPI_CLIENT_CHARACTERISTICS Characteristics;
    PVOID ClientContext, BindingContext;
    WSK_CLIENT_DISPATCH Version;                /* of the registration below, which only looks whether the provider is there */
    WSK_REGISTRATION Looking, Registration;
    BOOLEAN Looks, Attached, Deregistered, Detaching;
    KEVENT Detached;
    NPI_REGISTRATION_INSTANCE Provider;
    WSK_PROVIDER_CHARACTERISTICS Characteristic;
} NMR_CLIENT, *PNMR_CLIENT;

static void NmrAttach(PNMR_CLIENT Client)
{
    if (!NT_SUCCESS(WskQueryProviderCharacteristics(&Client->Looking, &Client->Characteristic))) return;
    Client->Looks = FALSE;
    WskReleaseProviderNPI(&Client->Looking);
    WskDeregister(&Client->Looking);
    Client->Characteristics->ClientAttachProvider((HANDLE)Client, Client->ClientContext, &Client->Provider);
}

static void NmrLook(PVOID Context)
{
    PNMR_CLIENT client = (PNMR_CLIENT)Context;
    WSK_PROVIDER_NPI provider;
    if (NT_SUCCESS(WskCaptureProviderNPI(&client->Looking, WSK_INFINITE_WAIT, &provider))) NmrAttach(client);
}

/* Register a client; the provider is attached at once if it is there. Facts: WSK-NMR-01 to 05. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS NmrRegisterClient(PNPI_CLIENT_CHARACTERISTICS ClientCharacteristics, PVOID ClientContext, PHANDLE NmrClientHandle)
{
    PNMR_CLIENT client = (PNMR_CLIENT)wsklab_system_buffer(sizeof(NMR_CLIENT));
    const NPI_REGISTRATION_INSTANCE *instance = &ClientCharacteristics->ClientRegistrationInstance;
    WSK_CLIENT_NPI npi;
    WSK_PROVIDER_NPI provider;
    RtlZeroMemory(client, sizeof(NMR_CLIENT));
    client->Self = client;
    client->Characteristics = ClientCharacteristics;
    client->ClientContext = ClientContext;
    client->Version.Version = MAKE_WSK_VERSION(1, 0);
    client->Provider.Size = sizeof(NPI_REGISTRATION_INSTANCE);
    client->Provider.NpiId = instance->NpiId;
    client->Provider.NpiSpecificCharacteristics = &client->Characteristic;
    KeInitializeEvent(&client->Detached, NotificationEvent, FALSE);
    *NmrClientHandle = (HANDLE)client;
    if (instance->NpiId->Data1 != 0x2227E803 || instance->NpiId->Data2 != 0x8D8B || instance->NpiId->Data3 != 0x11D4)
        return STATUS_SUCCESS;
    npi.ClientContext = NULL;
    npi.Dispatch = &client->Version;
    client->Looks = TRUE;
    WskRegister(&npi, &client->Looking);
    if (NT_SUCCESS(WskCaptureProviderNPI(&client->Looking, WSK_NO_WAIT, &provider)))
        NmrAttach(client);
    else
        wsklab_wdf_thread(NmrLook, client);
    return STATUS_SUCCESS;
}

/* Attach to the provider, from ClientAttachProvider; STATUS_NOINTERFACE for a version that it does not have. Facts: WSK-NMR-04,
   WSK-NMR-05, WSK-NMR-10. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS NmrClientAttachProvider(HANDLE NmrBindingHandle, PVOID ClientBindingContext, const VOID *ClientDispatch,
                                 PVOID *ProviderBindingContext, const VOID **ProviderDispatch)
{
    PNMR_CLIENT client = (PNMR_CLIENT)NmrBindingHandle;
    WSK_CLIENT_NPI npi;
    WSK_PROVIDER_NPI provider;
    NTSTATUS status;
    npi.ClientContext = ClientBindingContext;
    npi.Dispatch = (const WSK_CLIENT_DISPATCH *)ClientDispatch;
    status = WskRegister(&npi, &client->Registration);
    if (!NT_SUCCESS(status)) return status;
    status = WskCaptureProviderNPI(&client->Registration, WSK_NO_WAIT, &provider);
    if (!NT_SUCCESS(status)) {
        WskDeregister(&client->Registration);
        return status;
    }
    client->BindingContext = ClientBindingContext;
    client->Attached = TRUE;
    *ProviderBindingContext = provider.Client;
    *ProviderDispatch = provider.Dispatch;
    return STATUS_SUCCESS;
}

static BOOLEAN NmrIsClient(HANDLE Handle)
{
    return Handle != NULL && ((PNMR_CLIENT)Handle)->Self == (PNMR_CLIENT)Handle;
}

/* Start to deregister: the client is asked to detach. Facts: WSK-NMR-06, WSK-NMR-07. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS NmrDeregisterClient(HANDLE NmrClientHandle)
{
    PNMR_CLIENT client = (PNMR_CLIENT)NmrClientHandle;
    if (!NmrIsClient(NmrClientHandle) || client->Deregistered) return STATUS_INVALID_PARAMETER;
    client->Deregistered = TRUE;
    client->Detaching = client->Attached;
    if (client->Attached && client->Characteristics->ClientDetachProvider(client->BindingContext) == STATUS_PENDING)
        return STATUS_PENDING;
    client->Detaching = FALSE;
    KeSetEvent(&client->Detached, 0, FALSE);
    return STATUS_PENDING;
}

/* The client has detached after its callback returned STATUS_PENDING. Facts: WSK-NMR-07. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void NmrClientDetachProviderComplete(HANDLE NmrBindingHandle)
{
    PNMR_CLIENT client = (PNMR_CLIENT)NmrBindingHandle;
    if (!client->Detaching) wsklab_stop("wsk-nmr-not-detaching", client, "function=NmrClientDetachProviderComplete");
    client->Detaching = FALSE;
    KeSetEvent(&client->Detached, 0, FALSE);
}

/* Wait until the client has detached and closed its sockets, then let it free its binding context. Facts: WSK-NMR-06, WSK-NMR-08,
   WSK-NMR-09. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS NmrWaitForClientDeregisterComplete(HANDLE NmrClientHandle)
{
    PNMR_CLIENT client = (PNMR_CLIENT)NmrClientHandle;
    if (!NmrIsClient(NmrClientHandle) || !client->Deregistered) return STATUS_INVALID_PARAMETER;
    KeWaitForSingleObject(&client->Detached, Executive, KernelMode, FALSE, NULL);
    if (client->Looks) WskDeregister(&client->Looking);
    if (client->Attached) {
        WskReleaseProviderNPI(&client->Registration);
        WskDeregister(&client->Registration);
        client->Characteristics->ClientCleanupBindingContext(client->BindingContext);
    }
    wsklab_system_free(client);
    return STATUS_SUCCESS;
}
