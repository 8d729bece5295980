/*
 * fibersapi.h - values local to a fiber. There are no fibers: each thread has its own.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/fibersapi/
 */
#ifndef _FIBERS_H_
#define _FIBERS_H_

#include <minwinbase.h>

WINSOCK_BEGIN

#define FLS_OUT_OF_INDEXES ((DWORD)0xFFFFFFFF)
DWORD WINAPI FlsAlloc(PFLS_CALLBACK_FUNCTION lpCallback);
PVOID WINAPI FlsGetValue(DWORD dwFlsIndex);
BOOL WINAPI FlsSetValue(DWORD dwFlsIndex, PVOID lpFlsData);
BOOL WINAPI FlsFree(DWORD dwFlsIndex);

WINSOCK_END

#endif
