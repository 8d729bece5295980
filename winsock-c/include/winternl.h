/*
 * winternl.h - the kernel's own side: what a status means to Win32.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/winternl/
 */
#ifndef _WINTERNL_
#define _WINTERNL_

#include <windef.h>

WINSOCK_BEGIN

typedef LONG NTSTATUS, *PNTSTATUS;
#ifndef NT_SUCCESS
#define NT_SUCCESS(status) (((NTSTATUS)(status)) >= 0)
#endif

typedef struct _IO_STATUS_BLOCK {
    WINSOCK_ANONYMOUS union {
        NTSTATUS Status;
        PVOID Pointer;
    };
    ULONG_PTR Information;
} IO_STATUS_BLOCK, *PIO_STATUS_BLOCK;

ULONG NTAPI RtlNtStatusToDosError(NTSTATUS Status);

WINSOCK_END

#endif
