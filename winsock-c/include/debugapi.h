/*
 * debugapi.h - words to a debugger; they go to stderr.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/debugapi/
 */
#ifndef _APISETDEBUG_
#define _APISETDEBUG_

#include <minwinbase.h>

WINSOCK_BEGIN

VOID WINAPI OutputDebugStringA(LPCSTR lpOutputString);
VOID WINAPI OutputDebugStringW(LPCWSTR lpOutputString) WINSOCK_WIDE(OutputDebugStringW);
BOOL WINAPI IsDebuggerPresent(VOID);
VOID WINAPI DebugBreak(VOID);

#ifdef UNICODE
#define OutputDebugString OutputDebugStringW
#else
#define OutputDebugString OutputDebugStringA
#endif

WINSOCK_END

#endif
