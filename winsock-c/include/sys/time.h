/*
 * sys/time.h - glibc's; see winsock/unix_types.h.
 *
 * Beside winsock2.h, gettimeofday fills Windows' struct timeval.
 */
#pragma GCC system_header
#ifndef WINSOCK_SYS_TIME_H
#define WINSOCK_SYS_TIME_H

#include <winsock/platform.h>

#include <winsock/unix_on.h>
#include_next <sys/time.h>
extern int winsock_unix_gettimeofday(struct timeval *, void *) WINSOCK_NOTHROW
    __asm__("gettimeofday");
#ifdef __cplusplus
#undef gettimeofday
extern "C++" {
template <typename Time_>
inline int gettimeofday(Time_ *time, void *zone) {
    struct timeval now;
    int result = winsock_unix_gettimeofday(&now, zone);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_usec;
    return result;
}
}
#endif
#include <winsock/unix_off.h>

#ifdef _WINSOCK2API_
#include <winsock/unix_time.h>
#endif

#endif
