/*
 * process.h - threads of the C run-time library.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/beginthread-beginthreadex
 */
#ifndef _INC_PROCESS
#define _INC_PROCESS

#include <winsock/platform.h>

#include <stdint.h>

WINSOCK_BEGIN

typedef void(__cdecl *_beginthread_proc_type)(void *);
typedef unsigned(__stdcall *_beginthreadex_proc_type)(void *);

/* -1 on failure; the handle closes itself when the thread ends. */
uintptr_t __cdecl _beginthread(_beginthread_proc_type start_address, unsigned stack_size,
                               void *arglist);
/* 0 on failure. */
uintptr_t __cdecl _beginthreadex(void *security, unsigned stack_size,
                                 _beginthreadex_proc_type start_address, void *arglist,
                                 unsigned initflag, unsigned *thrdaddr);
void __cdecl _endthread(void) __attribute__((__noreturn__));
void __cdecl _endthreadex(unsigned retval) __attribute__((__noreturn__));

int __cdecl _getpid(void);

WINSOCK_END

#endif
