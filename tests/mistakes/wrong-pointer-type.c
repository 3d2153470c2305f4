void f(PDEVICE_OBJECT Device)
{
    IoFreeIrp(Device);
}
