/*
 * minwindef.h - the basic types: integers, text, handles; macros that take words apart.
 *
 * https://learn.microsoft.com/en-us/windows/win32/winprog/windows-data-types
 *
 * A `long` of Windows has 32 bits. So everything that is a long there (LONG, ULONG, DWORD) is an int
 * here.
 */
#ifndef _MINWINDEF_
#define _MINWINDEF_

#include <winsock/platform.h>

#include <basetsd.h>
#include <sal.h>

#define WINAPI __stdcall
#define CALLBACK __stdcall
#define WINAPIV __cdecl
#define NTAPI __stdcall
#define APIENTRY WINAPI
#define APIPRIVATE __stdcall
#define PASCAL __stdcall
#define CDECL __cdecl
#define WINBASEAPI
#define WINUSERAPI
#define FAR
#define NEAR
#define far
#define near
#define CONST const
#define CONST_VTBL const
#define IN
#define OUT
#define OPTIONAL

/* Integers. */
#define VOID void
typedef char CHAR, *PCHAR;
typedef unsigned char UCHAR, *PUCHAR;
typedef unsigned char BYTE, *PBYTE, *LPBYTE;
typedef unsigned char BOOLEAN, *PBOOLEAN;
typedef short SHORT, *PSHORT;
typedef unsigned short USHORT, *PUSHORT;
typedef unsigned short WORD, *PWORD, *LPWORD;
typedef int INT, *PINT, *LPINT;
typedef unsigned int UINT, *PUINT;
typedef int BOOL, *PBOOL, *LPBOOL;
typedef int LONG, *PLONG, *LPLONG;
typedef unsigned int ULONG, *PULONG;
typedef unsigned int DWORD, *PDWORD, *LPDWORD;
typedef __int64 LONGLONG, *PLONGLONG;
typedef unsigned __int64 ULONGLONG, *PULONGLONG, DWORDLONG, *PDWORDLONG;
typedef float FLOAT, *PFLOAT;
typedef void *PVOID, *LPVOID;
typedef const void *LPCVOID;
typedef LONG HRESULT;
typedef char CCHAR;
typedef DWORD LCID, *PLCID;
typedef WORD LANGID;

#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE 1
#endif
#ifndef NULL
#ifdef __cplusplus
#define NULL 0
#else
#define NULL ((void *)0)
#endif
#endif

/*
 * Text. A wide character is the compiler's wchar_t, so that an L"" string is a LPCWSTR: 4 bytes
 * (UTF-32), or with -fshort-wchar 2 bytes (UTF-16), as on Windows. The functions take either; see
 * WINSOCK_WIDE. ANSI text is UTF-8.
 */
#ifndef __cplusplus
typedef __WCHAR_TYPE__ WCHAR;
#else
typedef wchar_t WCHAR;
#endif
typedef WCHAR *PWCHAR, *LPWCH, *PWCH;
typedef const WCHAR *LPCWCH, *PCWCH;
typedef WCHAR *NWPSTR, *LPWSTR, *PWSTR;
typedef const WCHAR *LPCWSTR, *PCWSTR;
typedef const WCHAR *LPCUWSTR, *PCUWSTR;
typedef PWSTR *PZPWSTR;
typedef CHAR *LPCH, *PCH;
typedef const CHAR *LPCCH, *PCCH;
typedef CHAR *NPSTR, *LPSTR, *PSTR;
typedef const CHAR *LPCSTR, *PCSTR;
typedef PSTR *PZPSTR;

/* TCHAR and TEXT("...") are wide if UNICODE is defined. */
#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR;
typedef WCHAR TBYTE, *PTBYTE;
typedef LPWSTR LPTSTR, PTSTR, LPTCH, PTCH;
typedef LPCWSTR LPCTSTR, PCTSTR;
#define __TEXT(quote) L##quote
#else
typedef char TCHAR, *PTCHAR;
typedef unsigned char TBYTE, *PTBYTE;
typedef LPSTR LPTSTR, PTSTR, LPTCH, PTCH;
typedef LPCSTR LPCTSTR, PCTSTR;
#define __TEXT(quote) quote
#endif
#define TEXT(quote) __TEXT(quote)

/*
 * Handles. All of them, sockets too, come from one table of the process (rule: a stale handle is
 * refused, never somebody else's object).
 */
typedef void *HANDLE;
typedef HANDLE *PHANDLE, *SPHANDLE, *LPHANDLE;
#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

/* DECLARE_HANDLE(HWND): a type of its own, so that one kind of handle is not taken for another. */
#define DECLARE_HANDLE(name)                                                                       \
    struct name##__ {                                                                              \
        int unused;                                                                                \
    };                                                                                             \
    typedef struct name##__ *name
DECLARE_HANDLE(HINSTANCE);
DECLARE_HANDLE(HKEY);
DECLARE_HANDLE(HRGN);
DECLARE_HANDLE(HRSRC);
typedef HINSTANCE HMODULE;
typedef HANDLE HGLOBAL, HLOCAL, GLOBALHANDLE, LOCALHANDLE;
typedef int HFILE;
typedef WORD ATOM;

/* What a window procedure is given, and what it answers. */
typedef UINT_PTR WPARAM;
typedef LONG_PTR LPARAM;
typedef LONG_PTR LRESULT;

/* A function of a library, to be cast to its real type. */
typedef INT_PTR(WINAPI *FARPROC)(void);
typedef INT_PTR(WINAPI *NEARPROC)(void);
typedef INT_PTR(WINAPI *PROC)(void);

/* 100-nanosecond steps since 1601. */
typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

#ifndef MAX_PATH
#define MAX_PATH 260
#endif

#define MAKEWORD(low, high)                                                                        \
    ((WORD)(((BYTE)(((DWORD_PTR)(low)) & 0xff)) | ((WORD)((BYTE)(((DWORD_PTR)(high)) & 0xff))) << 8))
#define MAKELONG(low, high)                                                                        \
    ((LONG)(((WORD)(((DWORD_PTR)(low)) & 0xffff)) |                                                \
            ((DWORD)((WORD)(((DWORD_PTR)(high)) & 0xffff))) << 16))
#define LOWORD(value) ((WORD)(((DWORD_PTR)(value)) & 0xffff))
#define HIWORD(value) ((WORD)((((DWORD_PTR)(value)) >> 16) & 0xffff))
#define LOBYTE(value) ((BYTE)(((DWORD_PTR)(value)) & 0xff))
#define HIBYTE(value) ((BYTE)((((DWORD_PTR)(value)) >> 8) & 0xff))

/*
 * min and max, unless NOMINMAX. In C++ they are functions, for the headers of the standard library
 * cannot be read while they are macros; like the macros they take two types. std::min and std::max
 * are preferred where both are visible.
 */
#ifndef NOMINMAX
#ifdef __cplusplus
#undef max
#undef min
extern "C++" {
template <typename Left_, typename Right_>
constexpr auto max(const Left_ &a, const Right_ &b) -> decltype(a > b ? a : b) {
    return a > b ? a : b;
}
template <typename Left_, typename Right_>
constexpr auto min(const Left_ &a, const Right_ &b) -> decltype(a < b ? a : b) {
    return a < b ? a : b;
}
}
#else
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#endif
#endif

#define UNREFERENCED_PARAMETER(name) (void)(name)
#define DBG_UNREFERENCED_PARAMETER(name) (void)(name)
#define DBG_UNREFERENCED_LOCAL_VARIABLE(name) (void)(name)

#endif
