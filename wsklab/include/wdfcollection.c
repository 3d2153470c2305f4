/*
 * wdfcollection.c: collections: ordered, they hold a reference on each member and nothing else; nobody synchronizes them for the
 * driver. Facts: KMDF-AUX-10 to 12, KMDF-OBJ-28.
 */

/* An empty collection. Facts: KMDF-OBJ-04. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfCollectionCreate(PWDF_OBJECT_ATTRIBUTES CollectionAttributes, WDFCOLLECTION *Collection)
{
    NTSTATUS status;
    PFX_COLLECTION collection;
    wsklab_given(Collection, "Collection");
    status = wsklab_wdf_create(FX_TYPE_COLLECTION, FX_TAKES_PARENT, CollectionAttributes, NULL, Collection);
    if (!NT_SUCCESS(status)) return status;
    collection = (PFX_COLLECTION)wsklab_wdf(*Collection, FX_TYPE_COLLECTION);
    InitializeListHead(&collection->Members);
    return status;
}

/* How many members a collection has. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG WdfCollectionGetCount(WDFCOLLECTION Collection)
{
    return ((PFX_COLLECTION)wsklab_wdf(Collection, FX_TYPE_COLLECTION))->Count;
}

/* Append an object and reference it. Facts: KMDF-AUX-10. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfCollectionAdd(WDFCOLLECTION Collection, WDFOBJECT Object)
{
    PFX_COLLECTION collection = (PFX_COLLECTION)wsklab_wdf(Collection, FX_TYPE_COLLECTION);
    PFX_MEMBER member;
    wsklab_wdf(Object, FX_TYPE_OBJECT);
    member = (PFX_MEMBER)wsklab_allocate(sizeof(FX_MEMBER));
    if (member == NULL) return STATUS_UNSUCCESSFUL;
    wsklab_wdf_hold(Object);
    member->Object = Object;
    InsertTailList(&collection->Members, &member->Entry);
    collection->Count++;
    return STATUS_SUCCESS;
}

static PFX_MEMBER FxMemberAt(PFX_COLLECTION Collection, ULONG Index)
{
    PLIST_ENTRY entry = Collection->Members.Flink;
    if (Index >= Collection->Count) return NULL;
    while (Index-- > 0) entry = entry->Flink;
    return CONTAINING_RECORD(entry, FX_MEMBER, Entry);
}

static void FxRemoveMember(PFX_COLLECTION Collection, PFX_MEMBER Member)
{
    WDFOBJECT object = Member->Object;
    RemoveEntryList(&Member->Entry);
    Collection->Count--;
    wsklab_free(Member);
    wsklab_wdf_release(object);
}

/* Take an object out and give its reference back. Facts: KMDF-AUX-10, RULE-40. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfCollectionRemove(WDFCOLLECTION Collection, WDFOBJECT Item)
{
    PFX_COLLECTION collection = (PFX_COLLECTION)wsklab_wdf(Collection, FX_TYPE_COLLECTION);
    PLIST_ENTRY entry;
    wsklab_wdf(Item, FX_TYPE_OBJECT);
    for (entry = collection->Members.Flink; entry != &collection->Members; entry = entry->Flink) {
        PFX_MEMBER member = CONTAINING_RECORD(entry, FX_MEMBER, Entry);
        if (member->Object == Item) {
            FxRemoveMember(collection, member);
            return;
        }
    }
    wsklab_wdf_break("kmdf-not-in-collection", Collection, "what=%p", Item);
}

/* Take out the object at an index; those behind it move up. Facts: KMDF-AUX-10, 12. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfCollectionRemoveItem(WDFCOLLECTION Collection, ULONG Index)
{
    PFX_COLLECTION collection = (PFX_COLLECTION)wsklab_wdf(Collection, FX_TYPE_COLLECTION);
    PFX_MEMBER member = FxMemberAt(collection, Index);
    if (member != NULL) FxRemoveMember(collection, member);
    else wsklab_wdf_break("kmdf-not-in-collection", Collection, "what=%u", Index);
}

/* The object at an index, NULL when there is none; no reference is taken. Facts: KMDF-AUX-10. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFOBJECT WdfCollectionGetItem(WDFCOLLECTION Collection, ULONG Index)
{
    PFX_MEMBER member = FxMemberAt((PFX_COLLECTION)wsklab_wdf(Collection, FX_TYPE_COLLECTION), Index);
    return member != NULL ? member->Object : NULL;
}

/* The first object, NULL when the collection is empty. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFOBJECT WdfCollectionGetFirstItem(WDFCOLLECTION Collection)
{
    return WdfCollectionGetItem(Collection, 0);
}

/* The last object, NULL when the collection is empty. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFOBJECT WdfCollectionGetLastItem(WDFCOLLECTION Collection)
{
    return WdfCollectionGetItem(Collection, WdfCollectionGetCount(Collection) - 1);
}

/* A collection is deleted: it gives its references back, its members stay. Facts: KMDF-OBJ-28, KMDF-AUX-11. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_wdfcollection_disposed(WDFCOLLECTION Collection)
{
    PFX_COLLECTION collection = (PFX_COLLECTION)wsklab_wdf(Collection, FX_TYPE_COLLECTION);
    while (collection->Count > 0) FxRemoveMember(collection, FxMemberAt(collection, 0));
}
