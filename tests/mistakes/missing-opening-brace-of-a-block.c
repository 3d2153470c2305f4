NTSTATUS f(PIRP Irp, int kind)
{
    switch (kind)
    case 1:
        kind = 2;
        break;
    default:
        kind = unknown;
    }
    for (int i = 0; i < kind; i++) {
        if (Irp == NULL)
            break;
        }
    }
    return STATUS_SUCCESS;
}
NTSTATUS g(PIRP Irp)
{
    NTSTATUS status = STATUS_SUCCESS;
    if (Irp == NULL)
        status = STATUS_UNSUCCESSFUL;
    } else {
        IoFreeIrp(Irp);
    }
    return status;
}
int h(void) { return unknown; }
