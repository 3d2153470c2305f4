/* wdfsync.c: spin locks and wait locks as objects. Facts: KMDF-AUX-08, 09, RULE-41, RULE-82. */

/* A spin lock, free. Facts: KMDF-OBJ-04. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfSpinLockCreate(PWDF_OBJECT_ATTRIBUTES SpinLockAttributes, WDFSPINLOCK *SpinLock)
{
    wsklab_given(SpinLock, "SpinLock");
    return wsklab_wdf_create(FX_TYPE_SPIN_LOCK, FX_TAKES_PARENT, SpinLockAttributes, NULL, SpinLock);
}

/* Take a spin lock: from now on the IRQL is DISPATCH_LEVEL. Facts: KMDF-AUX-08. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfSpinLockAcquire(WDFSPINLOCK SpinLock)
{
    PFX_SPIN_LOCK lock = (PFX_SPIN_LOCK)wsklab_wdf(SpinLock, FX_TYPE_SPIN_LOCK);
    KIRQL before;
    if (lock->Owner != NULL) wsklab_wdf_stop("kmdf-lock-recursive", SpinLock, "function=WdfSpinLockAcquire");
    KeAcquireSpinLock(&lock->Lock, &before);
    lock->Irql = before;
    lock->Owner = KeGetCurrentThread();
}

/* Release a spin lock and go back to the IRQL before. Facts: KMDF-AUX-09, RULE-41. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfSpinLockRelease(WDFSPINLOCK SpinLock)
{
    PFX_SPIN_LOCK lock = (PFX_SPIN_LOCK)wsklab_wdf(SpinLock, FX_TYPE_SPIN_LOCK);
    if (lock->Owner != KeGetCurrentThread()) wsklab_wdf_stop("kmdf-lock-not-owned", SpinLock, "function=WdfSpinLockRelease");
    lock->Owner = NULL;
    KeReleaseSpinLock(&lock->Lock, lock->Irql);
}

/* A wait lock, free. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfWaitLockCreate(PWDF_OBJECT_ATTRIBUTES LockAttributes, WDFWAITLOCK *Lock)
{
    NTSTATUS status;
    wsklab_given(Lock, "Lock");
    status = wsklab_wdf_create(FX_TYPE_WAIT_LOCK, FX_TAKES_PARENT, LockAttributes, NULL, Lock);
    if (NT_SUCCESS(status))
        KeInitializeEvent(&((PFX_WAIT_LOCK)wsklab_wdf(*Lock, FX_TYPE_WAIT_LOCK))->Free, SynchronizationEvent, TRUE);
    return status;
}

/* Take a wait lock; STATUS_TIMEOUT when it is not free in time. A zero timeout never waits and is allowed at DISPATCH_LEVEL. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfWaitLockAcquire(WDFWAITLOCK Lock, PLONGLONG Timeout)
{
    PFX_WAIT_LOCK lock = (PFX_WAIT_LOCK)wsklab_wdf(Lock, FX_TYPE_WAIT_LOCK);
    NTSTATUS status;
    if (lock->Owner == KeGetCurrentThread()) wsklab_wdf_stop("kmdf-lock-recursive", Lock, "function=WdfWaitLockAcquire");
    status = KeWaitForSingleObject(&lock->Free, Executive, KernelMode, FALSE, (PLARGE_INTEGER)Timeout);
    if (status == STATUS_SUCCESS) lock->Owner = KeGetCurrentThread();
    return status;
}

/* Give a wait lock back. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfWaitLockRelease(WDFWAITLOCK Lock)
{
    PFX_WAIT_LOCK lock = (PFX_WAIT_LOCK)wsklab_wdf(Lock, FX_TYPE_WAIT_LOCK);
    if (lock->Owner != KeGetCurrentThread()) wsklab_wdf_stop("kmdf-lock-not-owned", Lock, "function=WdfWaitLockRelease");
    lock->Owner = NULL;
    KeSetEvent(&lock->Free, 0, FALSE);
}
