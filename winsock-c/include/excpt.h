/*
 * excpt.h - structured exception handling, as far as it can be had.
 *
 * https://learn.microsoft.com/en-us/cpp/cpp/structured-exception-handling-c-cpp
 *
 *   __try { ... __leave; ... } __finally { ... }
 *   __try { ... __leave; ... } __except (filter) { ... }
 *
 * In C: __leave goes to the end of the block, and a __finally block runs after it. No exception is
 * ever raised, so an __except block never runs: what would raise one on Windows ends the program with
 * a signal here. Leaving the __try block of a __finally by return, break, continue or goto passes the
 * __finally block by. `winsock cc` refuses that where it stands in the source; other compilers say
 * nothing. Write __leave.
 *
 * In C++: __leave and C++'s own exceptions are caught; __try is `try`, as the standard library has it.
 */
#ifndef _INC_EXCPT
#define _INC_EXCPT

#include <winsock/platform.h>

#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

#ifdef __cplusplus
struct winsock_leave_ {};
#undef __try
#define __try try
#define __leave throw winsock_leave_()
#define __finally                                                                                  \
    catch (const winsock_leave_ &) {                                                               \
    }
#define __except(filter)                                                                           \
    catch (const winsock_leave_ &) {                                                               \
    }                                                                                              \
    catch (...)
#else
#define __try                                                                                      \
    {                                                                                              \
        __label__ winsock_leave_;
#define __leave goto winsock_leave_
#define __finally                                                                                  \
    goto winsock_leave_;                                                                           \
    winsock_leave_:;                                                                               \
    }
#define __except(filter)                                                                           \
    goto winsock_leave_;                                                                           \
    winsock_leave_:;                                                                               \
    }                                                                                              \
    if (0)
#endif

#define GetExceptionCode() 0u
#define _exception_code() 0u
#define AbnormalTermination() 0
#define _abnormal_termination() 0

#endif
