/*
 * threadpoollegacyapiset.h - the older thread pool: work items, registered waits, timer queues.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/
 *
 * RegisterWaitForSingleObject, UnregisterWait and BindIoCompletionCallback are in winbase.h.
 */
#ifndef _THREADPOOLLEGACYAPISET_H_
#define _THREADPOOLLEGACYAPISET_H_

#include <minwinbase.h>

WINSOCK_BEGIN

BOOL WINAPI QueueUserWorkItem(LPTHREAD_START_ROUTINE Function, PVOID Context, ULONG Flags);

/* CompletionEvent: NULL, an event to be set, or INVALID_HANDLE_VALUE to wait for the callbacks. */
BOOL WINAPI UnregisterWaitEx(HANDLE WaitHandle, HANDLE CompletionEvent);

/* Times are in milliseconds; a timer without a queue belongs to that of the process. */
HANDLE WINAPI CreateTimerQueue(VOID);
BOOL WINAPI CreateTimerQueueTimer(PHANDLE phNewTimer, HANDLE TimerQueue,
                                  WAITORTIMERCALLBACK Callback, PVOID Parameter, DWORD DueTime,
                                  DWORD Period, ULONG Flags);
BOOL WINAPI ChangeTimerQueueTimer(HANDLE TimerQueue, HANDLE Timer, ULONG DueTime, ULONG Period);
BOOL WINAPI DeleteTimerQueueTimer(HANDLE TimerQueue, HANDLE Timer, HANDLE CompletionEvent);
BOOL WINAPI DeleteTimerQueue(HANDLE TimerQueue);
BOOL WINAPI DeleteTimerQueueEx(HANDLE TimerQueue, HANDLE CompletionEvent);

WINSOCK_END

#endif
