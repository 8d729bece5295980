/*
 * timeapi.h - winmm's clock in milliseconds. Its steps are fine whatever timeBeginPeriod asks.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/timeapi/
 */
#ifndef _TIMEAPI_H_
#define _TIMEAPI_H_

#include <minwindef.h>

WINSOCK_BEGIN

typedef UINT MMRESULT;
#define TIMERR_NOERROR 0
#define TIMERR_NOCANDO 97
DWORD WINAPI timeGetTime(void);
MMRESULT WINAPI timeBeginPeriod(UINT uPeriod);
MMRESULT WINAPI timeEndPeriod(UINT uPeriod);

WINSOCK_END

#endif
