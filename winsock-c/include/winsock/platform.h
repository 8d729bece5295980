/*
 * winsock/platform.h - what lets a compiler for Linux read sources written for Windows.
 *
 * Every header of this folder begins with this one. It holds
 *   1. the compilers and systems these headers are for,
 *   2. the keywords that Microsoft's compiler has and gcc and clang have not,
 *   3. how names are bound to the library.
 */
#ifndef WINSOCK_PLATFORM_H
#define WINSOCK_PLATFORM_H

/* 1. Linux on 64 bits, gcc or clang, C11 or C++11 and later. */

#if !defined(__linux__) || !defined(__LP64__)
#error "these headers are for 64-bit Linux; on Windows, use the Windows SDK"
#endif
#ifndef __GNUC__
#error "these headers are for gcc and clang"
#endif

/* Visual Studio's projects and windef.h define it; many programs ask for it instead of _WIN32. */
#if defined(_WIN32) && !defined(WIN32)
#define WIN32 1
#endif

/* Boost declares Windows' functions itself, with a long of 32 bits, unless it is told not to. */
#if defined(_WIN32) && !defined(BOOST_USE_WINDOWS_H)
#define BOOST_USE_WINDOWS_H
#endif

/*
 * 2. Keywords.
 *
 * Calling conventions: there is one on 64-bit Windows, and one here.
 */
#ifndef __cdecl
#define __cdecl
#endif
#define __stdcall
#define __fastcall
#define __thiscall
#define __vectorcall
#define __pascal
#define _cdecl
#define _stdcall
#define _fastcall

/* Integers by their width. Macros, since programs write `unsigned __int64`. */
#define __int8 char
#define __int16 short
#define __int32 int
#define __int64 long long
#define _int64 long long

#define __forceinline inline __attribute__((__always_inline__))
#define _inline inline
#define __unaligned
#define __w64
#define __ptr32
#define __ptr64
#define __pragma(directive)
#define __noop(...) ((void)0)
#define __assume(condition) ((condition) ? (void)0 : __builtin_unreachable())
#ifndef __FUNCSIG__
#define __FUNCSIG__ __PRETTY_FUNCTION__
#endif
#define __debugbreak() __builtin_trap()

/* __declspec(x): the words that mean something on Linux, and those that need not. */
#ifndef __declspec
#define __declspec(word) WINSOCK_DECLSPEC_(word)
#endif
#define WINSOCK_DECLSPEC_(word) __declspec_##word
#define __declspec_align(bytes) __attribute__((__aligned__(bytes)))
#define __declspec_deprecated __attribute__((__deprecated__))
#define __declspec_dllexport __attribute__((__visibility__("default")))
#define __declspec_noinline __attribute__((__noinline__))
#define __declspec_noreturn __attribute__((__noreturn__))
#define __declspec_selectany __attribute__((__weak__))
#define __declspec_thread __thread
#define __declspec_allocator
#define __declspec_dllimport
#define __declspec_empty_bases
#define __declspec_noalias
#define __declspec_nothrow
#define __declspec_novtable
#define __declspec_restrict
#define __declspec_safebuffers
#define __declspec_uuid(text)

/*
 * Every header of Microsoft's run-time library brings intptr_t and uintptr_t. ssize_t it has not;
 * programs that make it a macro must find glibc's typedef behind them.
 */
#ifndef __ASSEMBLER__
#ifndef __intptr_t_defined
#define __intptr_t_defined
typedef __INTPTR_TYPE__ intptr_t;
#endif
typedef __UINTPTR_TYPE__ uintptr_t;
#ifndef __ssize_t_defined
#define __ssize_t_defined
typedef __PTRDIFF_TYPE__ ssize_t;
#endif
#endif

/*
 * 3. Names.
 *
 * The library exports most functions under their own names. Some it cannot:
 *
 *   WINSOCK_OWN(recv)   a function that glibc has as well. The library's is called ws_recv; an
 *                       assembler label says so, which unlike a macro leaves a member or a method of
 *                       that name alone.
 *   WINSOCK_WIDE(name)  a function with text in wchar_t. Windows' has 2 bytes (UTF-16). Linux' has 4
 *                       (UTF-32), unless the program is compiled with -fshort-wchar, and so do its
 *                       L"" strings. The library has each such function twice: `name` takes UTF-16,
 *                       `ws_name` UTF-32.
 *   WINSOCK_WIDE_OWN(printf)  both: `ws16_printf` or `ws_printf`.
 */
#define WINSOCK_OWN(name) __asm__("ws_" #name)
#if __SIZEOF_WCHAR_T__ == 2
#define WINSOCK_WIDE(name) __asm__(#name)
#define WINSOCK_WIDE_OWN(name) __asm__("ws16_" #name)
#else
#define WINSOCK_WIDE_OWN(name) __asm__("ws_" #name)
#define WINSOCK_WIDE(name) __asm__("ws_" #name)
#endif

#ifdef __cplusplus
#define WINSOCK_BEGIN extern "C" {
#define WINSOCK_END }
#define WINSOCK_NOTHROW noexcept(true) /* as glibc declares the same name */
#else
#define WINSOCK_BEGIN
#define WINSOCK_END
#define WINSOCK_NOTHROW
#endif

/* An inline function of a header: a copy in each object that uses it, and none in the others. */
#define WINSOCK_INLINE static __inline__ __attribute__((__unused__))

/* An anonymous member, also where the dialect has none. */
#define WINSOCK_ANONYMOUS __extension__

#endif
