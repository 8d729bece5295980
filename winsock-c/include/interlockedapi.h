/*
 * interlockedapi.h - lists that threads share without a lock of their own: last in, first out. The
 * operations on single variables are in winnt.h.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/interlockedapi/
 */
#ifndef _INTERLOCKAPI_H_
#define _INTERLOCKAPI_H_

#include <minwinbase.h>

WINSOCK_BEGIN

VOID WINAPI InitializeSListHead(PSLIST_HEADER ListHead);
PSLIST_ENTRY WINAPI InterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry);
PSLIST_ENTRY WINAPI InterlockedPushListSListEx(PSLIST_HEADER ListHead, PSLIST_ENTRY List,
                                               PSLIST_ENTRY ListEnd, ULONG Count);
PSLIST_ENTRY WINAPI InterlockedPopEntrySList(PSLIST_HEADER ListHead);
PSLIST_ENTRY WINAPI InterlockedFlushSList(PSLIST_HEADER ListHead);
USHORT WINAPI QueryDepthSList(PSLIST_HEADER ListHead);

WINSOCK_END

#endif
