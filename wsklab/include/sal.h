/*
 * sal.h: words that annotate or decorate declarations and that this kit reads past.
 *
 * Rules: every annotation word is an empty macro, with as many arguments as it likes; calling conventions are empty because
 * x64 has one; `__declspec(align(n))` is the only decoration with an effect, it becomes `_Alignas(n)`.
 * Follows the pages "Using SAL annotations", "Annotating function behaviour" and "SAL 2.0 annotations for Windows drivers".
 */
#ifndef _WSKLAB_SAL_H_
#define _WSKLAB_SAL_H_

/* Keywords of the Microsoft compiler. */
#define __cdecl
#define __stdcall
#define __fastcall
#define __vectorcall
#define __ptr64
#define __ptr32
#define __w64
#define __unaligned
#define __restrict
#define __inline inline
#define _inline inline
#define __forceinline static inline
#define __int8 char
#define __int16 short
#define __int32 int
#define __int64 long long
#define __pragma(...)
#define __assume(...)
#define __noop(...) ((void)0)
#define __annotation(...)
#define __nullterminated
#define __alignof(type) _Alignof(type)
#define _alignof(type) _Alignof(type)
#define static_assert _Static_assert

/* __declspec(x): pasted onto the word inside, so that only `align` does something. */
#define __declspec(word) __declspec_##word
#define _declspec(word) __declspec_##word
#define __declspec_align(bytes) _Alignas(bytes)
#define __declspec_dllimport
#define __declspec_dllexport
#define __declspec_noreturn
#define __declspec_noinline
#define __declspec_nothrow
#define __declspec_novtable
#define __declspec_restrict
#define __declspec_noalias
#define __declspec_selectany
#define __declspec_naked
#define __declspec_thread
#define __declspec_deprecated
#define __declspec_allocate(section)
#define __declspec_code_seg(section)
#define __declspec_uuid(text)
#define DECLSPEC_ALIGN(bytes) _Alignas(bytes)
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(64)
#define DECLSPEC_IMPORT
#define DECLSPEC_EXPORT
#define DECLSPEC_NORETURN
#define DECLSPEC_NOINLINE
#define DECLSPEC_NOVTABLE
#define DECLSPEC_SELECTANY
#define DECLSPEC_DEPRECATED
#define DECLSPEC_DEPRECATED_DDK
#define DECLSPEC_ADDRSAFE
#define DECLSPEC_UUID(text)

/* Calling conventions and linkage words of the Windows headers. */
#define NTAPI
#define NTSYSAPI
#define NTSYSCALLAPI
#define NTKERNELAPI
#define NTHALAPI
#define NTAPI_INLINE
#define NTOSAPI
#define FASTCALL
#define WINAPI
#define WSAAPI
#define WSKAPI
#define CALLBACK
#define APIENTRY
#define PASCAL
#define CDECL
#define STDAPICALLTYPE
#define STDMETHODCALLTYPE
#define WDFAPI
#define WDFEXPORT(name) name
#define EXTERN_C extern
#define FAR
#define NEAR
#define UNALIGNED
#define RESTRICTED_POINTER
#define CONST const
#define FORCEINLINE static inline
#define CFORCEINLINE static inline
#define DECLSPEC_INLINE static inline

/* Direction words of the oldest listings. */
#define IN
#define OUT
#define INOUT
#define OPTIONAL

/* SAL 2: what a parameter is for. */
#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _In_reads_(...)
#define _In_reads_opt_(...)
#define _In_reads_z_(...)
#define _In_reads_opt_z_(...)
#define _In_reads_or_z_(...)
#define _In_reads_or_z_opt_(...)
#define _In_reads_bytes_(...)
#define _In_reads_bytes_opt_(...)
#define _In_reads_to_ptr_(...)
#define _In_reads_to_ptr_opt_(...)
#define _In_range_(...)
#define _In_bound_
#define _In_defensive_(...)
#define _In_function_class_(...)
#define _In_function_class_opt_(...)
#define _Out_
#define _Out_opt_
#define _Out_range_(...)
#define _Out_bound_
#define _Out_writes_(...)
#define _Out_writes_opt_(...)
#define _Out_writes_z_(...)
#define _Out_writes_opt_z_(...)
#define _Out_writes_to_(...)
#define _Out_writes_to_opt_(...)
#define _Out_writes_all_(...)
#define _Out_writes_all_opt_(...)
#define _Out_writes_bytes_(...)
#define _Out_writes_bytes_opt_(...)
#define _Out_writes_bytes_to_(...)
#define _Out_writes_bytes_to_opt_(...)
#define _Out_writes_bytes_all_(...)
#define _Out_writes_bytes_all_opt_(...)
#define _Out_writes_to_ptr_(...)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Outptr_opt_result_maybenull_
#define _Outptr_result_z_
#define _Outptr_opt_result_z_
#define _Outptr_result_nullonfailure_
#define _Outptr_opt_result_nullonfailure_
#define _Outptr_result_buffer_(...)
#define _Outptr_opt_result_buffer_(...)
#define _Outptr_result_buffer_to_(...)
#define _Outptr_result_buffer_maybenull_(...)
#define _Outptr_result_bytebuffer_(...)
#define _Outptr_opt_result_bytebuffer_(...)
#define _Outptr_result_bytebuffer_maybenull_(...)
#define _Outref_
#define _Outref_result_maybenull_
#define _COM_Outptr_
#define _COM_Outptr_opt_
#define _Inout_
#define _Inout_opt_
#define _Inout_z_
#define _Inout_opt_z_
#define _Inout_defensive_(...)
#define _Inout_updates_(...)
#define _Inout_updates_opt_(...)
#define _Inout_updates_z_(...)
#define _Inout_updates_to_(...)
#define _Inout_updates_all_(...)
#define _Inout_updates_bytes_(...)
#define _Inout_updates_bytes_opt_(...)
#define _Inout_updates_bytes_to_(...)
#define _Inout_updates_bytes_all_(...)
#define _Reserved_
#define _Const_
#define _Points_to_data_

/* SAL 2: results, conditions, fields, locks. */
#define _Ret_
#define _Ret_z_
#define _Ret_maybenull_
#define _Ret_maybenull_z_
#define _Ret_notnull_
#define _Ret_null_
#define _Ret_valid_
#define _Ret_opt_
#define _Ret_opt_z_
#define _Ret_range_(...)
#define _Ret_writes_(...)
#define _Ret_writes_z_(...)
#define _Ret_writes_bytes_(...)
#define _Ret_writes_bytes_maybenull_(...)
#define _Ret_writes_maybenull_(...)
#define _Return_type_success_(...)
#define _Must_inspect_result_
#define _Check_return_
#define _Check_return_opt_
#define _Success_(...)
#define _On_failure_(...)
#define _Always_(...)
#define _When_(...)
#define _At_(...)
#define _At_buffer_(...)
#define _Group_(...)
#define _Pre_
#define _Pre_valid_
#define _Pre_opt_valid_
#define _Pre_null_
#define _Pre_maybenull_
#define _Pre_notnull_
#define _Pre_invalid_
#define _Pre_unknown_
#define _Pre_readable_size_(...)
#define _Pre_readable_byte_size_(...)
#define _Pre_writable_size_(...)
#define _Pre_writable_byte_size_(...)
#define _Pre_satisfies_(...)
#define _Pre_equal_to_(...)
#define _Pre_cap_(...)
#define _Post_
#define _Post_valid_
#define _Post_invalid_
#define _Post_notnull_
#define _Post_maybenull_
#define _Post_null_
#define _Post_ptr_invalid_
#define _Post_equal_to_(...)
#define _Post_satisfies_(...)
#define _Post_readable_size_(...)
#define _Post_readable_byte_size_(...)
#define _Post_writable_size_(...)
#define _Post_writable_byte_size_(...)
#define _Post_z_
#define _Field_size_(...)
#define _Field_size_opt_(...)
#define _Field_size_part_(...)
#define _Field_size_full_(...)
#define _Field_size_bytes_(...)
#define _Field_size_bytes_opt_(...)
#define _Field_size_bytes_part_(...)
#define _Field_size_bytes_full_(...)
#define _Field_z_
#define _Field_range_(...)
#define _Struct_size_bytes_(...)
#define _Null_terminated_
#define _NullNull_terminated_
#define _Notnull_
#define _Maybenull_
#define _Maybevalid_
#define _Valid_
#define _Null_
#define _Deref_out_
#define _Deref_out_opt_
#define _Deref_out_range_(...)
#define _Deref_in_range_(...)
#define _Deref_post_opt_valid_
#define _Deref_pre_valid_
#define _Printf_format_string_
#define _Scanf_format_string_
#define _Literal_
#define _Notliteral_
#define _Readable_bytes_(...)
#define _Readable_elements_(...)
#define _Writable_bytes_(...)
#define _Writable_elements_(...)
#define _Satisfies_(...)
#define _Strict_type_match_
#define _Enum_is_bitflag_
#define _Use_decl_annotations_
#define _Function_class_(...)
#define _Analysis_assume_(...)
#define _Analysis_assume_lock_acquired_(...)
#define _Analysis_assume_lock_released_(...)
#define _Analysis_assume_nullterminated_(...)
#define _Analysis_noreturn_
#define _Analysis_mode_(...)
#define __analysis_assume(...)
#define _Acquires_lock_(...)
#define _Acquires_exclusive_lock_(...)
#define _Acquires_shared_lock_(...)
#define _Acquires_nonreentrant_lock_(...)
#define _Releases_lock_(...)
#define _Releases_exclusive_lock_(...)
#define _Releases_shared_lock_(...)
#define _Releases_nonreentrant_lock_(...)
#define _Requires_lock_held_(...)
#define _Requires_lock_not_held_(...)
#define _Requires_exclusive_lock_held_(...)
#define _Requires_shared_lock_held_(...)
#define _Requires_no_locks_held_
#define _Guarded_by_(...)
#define _Write_guarded_by_(...)
#define _Interlocked_
#define _Interlocked_operand_
#define _Has_lock_kind_(...)
#define _Has_lock_level_(...)
#define _Create_lock_level_(...)
#define _Lock_level_order_(...)
#define _No_competing_thread_
#define _Benign_race_begin_
#define _Benign_race_end_

/* SAL 2 for drivers: IRQL, memory, dispatch routines. */
#define _IRQL_requires_max_(...)
#define _IRQL_requires_min_(...)
#define _IRQL_requires_(...)
#define _IRQL_requires_same_
#define _IRQL_always_function_max_(...)
#define _IRQL_always_function_min_(...)
#define _IRQL_raises_(...)
#define _IRQL_saves_
#define _IRQL_restores_
#define _IRQL_saves_global_(...)
#define _IRQL_restores_global_(...)
#define _IRQL_uses_cancel_
#define _IRQL_is_cancel_
#define _Dispatch_type_(...)
#define _Kernel_float_saved_
#define _Kernel_float_restored_
#define _Kernel_float_used_
#define _Kernel_requires_resource_held_(...)
#define _Kernel_requires_resource_not_held_(...)
#define _Kernel_acquires_resource_(...)
#define _Kernel_releases_resource_(...)
#define _Kernel_clear_do_init_(...)
#define _Kernel_IoGetDmaAdapter_
#define _Kernel_entry_
#define _Kernel_entry_always_

/* The words SAL 2 replaced: __drv_* and the two-underscore forms. */
#define __drv_aliasesMem
#define __drv_freesMem(...)
#define __drv_allocatesMem(...)
#define __drv_acquiresResource(...)
#define __drv_releasesResource(...)
#define __drv_acquiresCriticalRegion
#define __drv_releasesCriticalRegion
#define __drv_mustHold(...)
#define __drv_mustHoldCriticalRegion
#define __drv_neverHold(...)
#define __drv_arg(...)
#define __drv_at(...)
#define __drv_when(...)
#define __drv_in(...)
#define __drv_out(...)
#define __drv_in_deref(...)
#define __drv_out_deref(...)
#define __drv_deref(...)
#define __drv_ret(...)
#define __drv_reportError(...)
#define __drv_preferredFunction(...)
#define __drv_functionClass(...)
#define __drv_sameIRQL
#define __drv_maxIRQL(...)
#define __drv_minIRQL(...)
#define __drv_maxFunctionIRQL(...)
#define __drv_minFunctionIRQL(...)
#define __drv_raisesIRQL(...)
#define __drv_requiresIRQL(...)
#define __drv_savesIRQL
#define __drv_restoresIRQL
#define __drv_savesIRQLGlobal(...)
#define __drv_restoresIRQLGlobal(...)
#define __drv_setsIRQL(...)
#define __drv_useCancelIRQL
#define __drv_isCancelIRQL
#define __drv_dispatchType(...)
#define __drv_dispatchType_other
#define __drv_clearDoInit(...)
#define __drv_interlocked
#define __drv_inTry
#define __drv_notInTry
#define __drv_isObjectPointer
#define __drv_notPointer
#define __drv_constant
#define __drv_nonConstant
#define __drv_formatString(...)
#define __drv_strictType(...)
#define __drv_strictTypeMatch(...)
#define __drv_typeConst
#define __drv_typeCond
#define __drv_typeBitset
#define __drv_typeExpr
#define __drv_innerAcquiresGlobal(...)
#define __drv_innerMustHoldGlobal(...)
#define __drv_valueIs(...)
#define __drv_mustInspectResult
#define __drv_unit(...)
#define __in
#define __in_opt
#define __in_bcount(...)
#define __in_bcount_opt(...)
#define __in_ecount(...)
#define __in_ecount_opt(...)
#define __in_z
#define __in_data_source(...)
#define __out
#define __out_opt
#define __out_bcount(...)
#define __out_bcount_opt(...)
#define __out_bcount_part(...)
#define __out_ecount(...)
#define __out_ecount_opt(...)
#define __out_awcount(...)
#define __inout
#define __inout_opt
#define __inout_bcount(...)
#define __inout_ecount(...)
#define __deref_out
#define __deref_out_opt
#define __deref_opt_out
#define __deref_opt_out_opt
#define __deref_inout
#define __deref_out_range(...)
#define __deref_out_ecount(...)
#define __deref_out_bcount(...)
#define __field_bcount(...)
#define __field_bcount_opt(...)
#define __field_ecount(...)
#define __field_ecount_opt(...)
#define __reserved
#define __checkReturn
#define __success(...)
#define __nullterminated
#define __callback
#define __volatile
#define __control_entrypoint(...)

#endif
