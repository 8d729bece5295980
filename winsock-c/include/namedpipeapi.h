/*
 * namedpipeapi.h - pipes within the process.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/
 */
#ifndef _NAMEDPIPE_H_
#define _NAMEDPIPE_H_

#include <minwinbase.h>

WINSOCK_BEGIN

BOOL WINAPI CreatePipe(PHANDLE hReadPipe, PHANDLE hWritePipe,
                       LPSECURITY_ATTRIBUTES lpPipeAttributes, DWORD nSize);

/* The server's end of a pipe \\.\pipe\NAME of bytes; CreateFile opens the client's. */
HANDLE WINAPI CreateNamedPipeW(LPCWSTR lpName, DWORD dwOpenMode, DWORD dwPipeMode,
                               DWORD nMaxInstances, DWORD nOutBufferSize, DWORD nInBufferSize,
                               DWORD nDefaultTimeOut, LPSECURITY_ATTRIBUTES lpSecurityAttributes)
    WINSOCK_WIDE(CreateNamedPipeW);
#ifdef UNICODE
#define CreateNamedPipe CreateNamedPipeW
#endif

WINSOCK_END

#endif
