/*
 * basetsd.h - integers by their width.
 *
 * https://learn.microsoft.com/en-us/windows/win32/winprog/windows-data-types
 *
 * The pointer-sized ones are the types of size_t and uintptr_t, as on Windows. That makes them
 * `unsigned long` here and ULONGLONG's `unsigned long long` another type, of the same size.
 */
#ifndef _BASETSD_H_
#define _BASETSD_H_

#include <winsock/platform.h>

#include <stddef.h>

typedef signed char INT8, *PINT8;
typedef signed short INT16, *PINT16;
typedef signed int INT32, *PINT32;
typedef signed __int64 INT64, *PINT64;
typedef unsigned char UINT8, *PUINT8;
typedef unsigned short UINT16, *PUINT16;
typedef unsigned int UINT32, *PUINT32;
typedef unsigned __int64 UINT64, *PUINT64;

typedef signed int LONG32, *PLONG32;
typedef signed __int64 LONG64, *PLONG64;
typedef unsigned int ULONG32, *PULONG32;
typedef unsigned __int64 ULONG64, *PULONG64;
typedef unsigned int DWORD32, *PDWORD32;
typedef unsigned __int64 DWORD64, *PDWORD64;

typedef __INTPTR_TYPE__ INT_PTR, *PINT_PTR;
typedef __UINTPTR_TYPE__ UINT_PTR, *PUINT_PTR;
typedef __INTPTR_TYPE__ LONG_PTR, *PLONG_PTR;
typedef __UINTPTR_TYPE__ ULONG_PTR, *PULONG_PTR;
typedef ULONG_PTR DWORD_PTR, *PDWORD_PTR;
typedef ULONG_PTR SIZE_T, *PSIZE_T;
typedef LONG_PTR SSIZE_T, *PSSIZE_T;
typedef ULONG_PTR KAFFINITY;
typedef KAFFINITY *PKAFFINITY;

#define MAXUINT8 ((UINT8)~((UINT8)0))
#define MAXINT8 ((INT8)(MAXUINT8 >> 1))
#define MAXUINT16 ((UINT16)~((UINT16)0))
#define MAXINT16 ((INT16)(MAXUINT16 >> 1))
#define MAXUINT32 ((UINT32)~((UINT32)0))
#define MAXINT32 ((INT32)(MAXUINT32 >> 1))
#define MAXUINT64 ((UINT64)~((UINT64)0))
#define MAXINT64 ((INT64)(MAXUINT64 >> 1))
#define MAXULONG_PTR (~((ULONG_PTR)0))
#define MAXLONG_PTR ((LONG_PTR)(MAXULONG_PTR >> 1))
#define MAXSIZE_T ((SIZE_T)~((SIZE_T)0))

/* Handles and pointers cut to 32 bits and back. A handle fits. */
#define HandleToULong(handle) ((unsigned int)(ULONG_PTR)(handle))
#define HandleToLong(handle) ((int)(LONG_PTR)(handle))
#define ULongToHandle(number) ((HANDLE)(ULONG_PTR)(unsigned int)(number))
#define LongToHandle(number) ((HANDLE)(LONG_PTR)(int)(number))
#define PtrToUlong(pointer) ((unsigned int)(ULONG_PTR)(pointer))
#define PtrToLong(pointer) ((int)(LONG_PTR)(pointer))
#define PtrToUint(pointer) ((unsigned int)(UINT_PTR)(pointer))
#define PtrToInt(pointer) ((int)(INT_PTR)(pointer))
#define UlongToPtr(number) ((void *)(ULONG_PTR)(unsigned int)(number))
#define LongToPtr(number) ((void *)(LONG_PTR)(int)(number))
#define UintToPtr(number) ((void *)(UINT_PTR)(unsigned int)(number))
#define IntToPtr(number) ((void *)(INT_PTR)(int)(number))
#define HandleToUlong HandleToULong
#define UlongToHandle ULongToHandle
#define PtrToULong PtrToUlong
#define ULongToPtr UlongToPtr

#endif
