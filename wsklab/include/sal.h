/*
 * sal.h: words that decorate declarations and mean nothing here.
 *
 * Rules: annotations (_In_, _IRQL_requires_max_(x), __drv_*), __declspec(...), __cdecl, __int64 and their like never reach a
 * header: the compiler's reader knows their form (wsklab/c/reader.py). What is listed here are the words whose form tells
 * nothing. Calling conventions are empty because x64 has one; only alignment has an effect.
 * Follows "SAL 2.0 annotations for Windows drivers" and the headers' own conventions.
 */
#ifndef _WSKLAB_SAL_H_
#define _WSKLAB_SAL_H_

/* Calling conventions and linkage. */
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
#define EXTERN_C_START
#define EXTERN_C_END
#define DEFINE_ENUM_FLAG_OPERATORS(Type)
#define FORCEINLINE static inline
#define CFORCEINLINE static inline
#define DECLSPEC_INLINE static inline

/* Alignment, and decorations without effect. */
#define DECLSPEC_ALIGN(bytes) __declspec(align(bytes))
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
#define UNALIGNED
#define RESTRICTED_POINTER
#define FAR
#define NEAR
#define CONST const

/* Direction words of the oldest listings. */
#define IN
#define OUT
#define INOUT
#define OPTIONAL

/* Annotations and hints whose form does not tell what they are. */
#define __assume(...) ((void)0)
#define __noop(...) ((void)0)
#define __analysis_assume(...) ((void)0)
#define _Analysis_assume_(...) ((void)0)
#define __field_bcount(...)
#define __field_bcount_opt(...)
#define __field_ecount(...)
#define __field_ecount_opt(...)
#define __reserved
#define __control_entrypoint(...)

#endif
