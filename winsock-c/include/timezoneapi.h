/*
 * timezoneapi.h - points of time in their two shapes.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/timezoneapi/
 */
#ifndef _TIMEZONEAPI_H_
#define _TIMEZONEAPI_H_

#include <minwinbase.h>

WINSOCK_BEGIN

BOOL WINAPI FileTimeToSystemTime(const FILETIME *lpFileTime, LPSYSTEMTIME lpSystemTime);
BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME *lpSystemTime, LPFILETIME lpFileTime);

WINSOCK_END

#endif
