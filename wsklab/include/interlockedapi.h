/*
 * interlockedapi.h: the interlocked operations' further names. The lab's operations are always whole and in order, so that those
 * with acquire or release semantics, and those without a fence, are the same. Facts: KRN-40.
 */
#ifndef _WSKLAB_INTERLOCKEDAPI_H_
#define _WSKLAB_INTERLOCKEDAPI_H_

#define InterlockedIncrementAcquire InterlockedIncrement
#define InterlockedIncrementRelease InterlockedIncrement
#define InterlockedIncrementNoFence InterlockedIncrement
#define InterlockedDecrementAcquire InterlockedDecrement
#define InterlockedDecrementRelease InterlockedDecrement
#define InterlockedDecrementNoFence InterlockedDecrement
#define InterlockedAddAcquire InterlockedAdd
#define InterlockedAddRelease InterlockedAdd
#define InterlockedAddNoFence InterlockedAdd
#define InterlockedExchangeAcquire InterlockedExchange
#define InterlockedExchangeRelease InterlockedExchange
#define InterlockedExchangeNoFence InterlockedExchange
#define InterlockedExchangeAddAcquire InterlockedExchangeAdd
#define InterlockedExchangeAddRelease InterlockedExchangeAdd
#define InterlockedExchangeAddNoFence InterlockedExchangeAdd
#define InterlockedAndAcquire InterlockedAnd
#define InterlockedAndRelease InterlockedAnd
#define InterlockedAndNoFence InterlockedAnd
#define InterlockedOrAcquire InterlockedOr
#define InterlockedOrRelease InterlockedOr
#define InterlockedOrNoFence InterlockedOr
#define InterlockedXorAcquire InterlockedXor
#define InterlockedXorRelease InterlockedXor
#define InterlockedXorNoFence InterlockedXor
#define InterlockedCompareExchangeAcquire InterlockedCompareExchange
#define InterlockedCompareExchangeRelease InterlockedCompareExchange
#define InterlockedCompareExchangeNoFence InterlockedCompareExchange
#define InterlockedIncrementAcquire64 InterlockedIncrement64
#define InterlockedIncrementRelease64 InterlockedIncrement64
#define InterlockedIncrementNoFence64 InterlockedIncrement64
#define InterlockedDecrementAcquire64 InterlockedDecrement64
#define InterlockedDecrementRelease64 InterlockedDecrement64
#define InterlockedDecrementNoFence64 InterlockedDecrement64
#define InterlockedAddAcquire64 InterlockedAdd64
#define InterlockedAddRelease64 InterlockedAdd64
#define InterlockedAddNoFence64 InterlockedAdd64
#define InterlockedExchangeAcquire64 InterlockedExchange64
#define InterlockedExchangeRelease64 InterlockedExchange64
#define InterlockedExchangeNoFence64 InterlockedExchange64
#define InterlockedExchangeAddAcquire64 InterlockedExchangeAdd64
#define InterlockedExchangeAddRelease64 InterlockedExchangeAdd64
#define InterlockedExchangeAddNoFence64 InterlockedExchangeAdd64
#define InterlockedAndAcquire64 InterlockedAnd64
#define InterlockedAndRelease64 InterlockedAnd64
#define InterlockedAndNoFence64 InterlockedAnd64
#define InterlockedOrAcquire64 InterlockedOr64
#define InterlockedOrRelease64 InterlockedOr64
#define InterlockedOrNoFence64 InterlockedOr64
#define InterlockedCompareExchangeAcquire64 InterlockedCompareExchange64
#define InterlockedCompareExchangeRelease64 InterlockedCompareExchange64
#define InterlockedCompareExchangeNoFence64 InterlockedCompareExchange64
#define InterlockedExchangePointerAcquire InterlockedExchangePointer
#define InterlockedExchangePointerRelease InterlockedExchangePointer
#define InterlockedExchangePointerNoFence InterlockedExchangePointer
#define InterlockedCompareExchangePointerAcquire InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerRelease InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerNoFence InterlockedCompareExchangePointer
#define InterlockedExchangeAddSizeT(Addend, Value) InterlockedExchangeAdd64((LONG64 volatile *)(Addend), (LONG64)(Value))
#define InterlockedIncrementSizeT(Addend) InterlockedIncrement64((LONG64 volatile *)(Addend))
#define InterlockedDecrementSizeT(Addend) InterlockedDecrement64((LONG64 volatile *)(Addend))

FORCEINLINE char InterlockedAnd8(char volatile *Destination, char Value)
{
    char before = *Destination;
    *Destination &= Value;
    return before;
}
FORCEINLINE char InterlockedOr8(char volatile *Destination, char Value)
{
    char before = *Destination;
    *Destination |= Value;
    return before;
}
FORCEINLINE char InterlockedXor8(char volatile *Destination, char Value)
{
    char before = *Destination;
    *Destination ^= Value;
    return before;
}
FORCEINLINE SHORT InterlockedAnd16(SHORT volatile *Destination, SHORT Value)
{
    SHORT before = *Destination;
    *Destination &= Value;
    return before;
}
FORCEINLINE SHORT InterlockedOr16(SHORT volatile *Destination, SHORT Value)
{
    SHORT before = *Destination;
    *Destination |= Value;
    return before;
}
FORCEINLINE SHORT InterlockedXor16(SHORT volatile *Destination, SHORT Value)
{
    SHORT before = *Destination;
    *Destination ^= Value;
    return before;
}

/* Reads and writes of one value. */
#define ReadAcquire(Source) (*(Source))
#define ReadULongAcquire(Source) (*(Source))
#define ReadPointerAcquire(Source) (*(Source))
#define ReadAcquire64(Source) (*(Source))
#define ReadULong64Acquire(Source) (*(Source))
#define ReadNoFence(Source) (*(Source))
#define ReadULongNoFence(Source) (*(Source))
#define ReadPointerNoFence(Source) (*(Source))
#define ReadNoFence64(Source) (*(Source))
#define ReadULong64NoFence(Source) (*(Source))
#define WriteRelease(Destination, Value) ((void)(*(Destination) = (Value)))
#define WriteULongRelease(Destination, Value) ((void)(*(Destination) = (Value)))
#define WritePointerRelease(Destination, Value) ((void)(*(Destination) = (Value)))
#define WriteRelease64(Destination, Value) ((void)(*(Destination) = (Value)))
#define WriteULong64Release(Destination, Value) ((void)(*(Destination) = (Value)))
#define WriteNoFence(Destination, Value) ((void)(*(Destination) = (Value)))
#define WriteULongNoFence(Destination, Value) ((void)(*(Destination) = (Value)))
#define WritePointerNoFence(Destination, Value) ((void)(*(Destination) = (Value)))
#define WriteNoFence64(Destination, Value) ((void)(*(Destination) = (Value)))
#define WriteULong64NoFence(Destination, Value) ((void)(*(Destination) = (Value)))

#endif
