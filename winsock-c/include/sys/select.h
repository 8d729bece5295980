/* sys/select.h - glibc's; see winsock/unix_types.h. */
#pragma GCC system_header
#ifndef WINSOCK_SYS_SELECT_H
#define WINSOCK_SYS_SELECT_H

#include <winsock/unix_on.h>
#include_next <sys/select.h>
enum { winsock_unix_fd_setsize = __FD_SETSIZE };
#ifdef __cplusplus
extern "C" int winsock_unix_select(int, fd_set *, fd_set *, fd_set *, timeval *) __asm__("select");
#undef select
/* A template gives way to Windows' select where NULLs leave the choice. */
extern "C++" {
template <typename Count_>
inline int select(Count_ count, fd_set *reads, fd_set *writes, fd_set *excepts, timeval *timeout) {
    return winsock_unix_select(count, reads, writes, excepts, timeout);
}
}
#else
extern int winsock_unix_select(int, fd_set *, fd_set *, fd_set *, struct timeval *)
    __asm__("select");
#endif
#include <winsock/unix_off.h>

#endif
