/*
 * profileapi.h - the clock with the finest steps, of which there are QueryPerformanceFrequency a
 * second.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/profileapi/
 */
#ifndef _PROFILEAPI_H_
#define _PROFILEAPI_H_

#include <minwinbase.h>

WINSOCK_BEGIN

BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *lpPerformanceCount);
BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *lpFrequency);

WINSOCK_END

#endif
