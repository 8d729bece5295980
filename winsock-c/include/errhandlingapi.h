/*
 * errhandlingapi.h - the thread's last error.
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

WINSOCK_END

#endif
