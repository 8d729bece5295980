/*
 * errhandlingapi.h - the thread's last error, and what a program does about errors.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/errhandlingapi/
 */
#ifndef _ERRHANDLING_H_
#define _ERRHANDLING_H_

#include <minwinbase.h>

WINSOCK_BEGIN

/* WSAGetLastError's, too: there is one. */
DWORD WINAPI GetLastError(VOID);
VOID WINAPI SetLastError(DWORD dwErrCode);

/* Which boxes the system may show. It shows none here; the mode is kept and given back. */
#define SEM_FAILCRITICALERRORS 0x0001
#define SEM_NOGPFAULTERRORBOX 0x0002
#define SEM_NOALIGNMENTFAULTEXCEPT 0x0004
#define SEM_NOOPENFILEERRORBOX 0x8000
UINT WINAPI GetErrorMode(void);
UINT WINAPI SetErrorMode(UINT uMode);

WINSOCK_END

#endif
