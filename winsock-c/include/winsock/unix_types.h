/*
 * winsock/unix_types.h - takes over the names that glibc and Windows both define.
 *
 * fd_set, struct timeval, u_long, socklen_t and select come with <stdlib.h>, <time.h> and <unistd.h>, in glibc's shape. The
 * headers in sys/ and bits/ of this folder stand before glibc's. They have it declare those as
 * winsock_unix_fd_set and so on, between unix_on.h and unix_off.h. A file without winsock2.h sees
 * nothing of this: there the usual names are macros for glibc's types. winsock2.h takes the macros
 * away, here, and declares Windows' types under the free names.
 *
 * `select` is a macro in C only. In C++ both functions have the name; their arguments tell them apart.
 */
#include <winsock/unix_on.h>
#include <sys/select.h>
#include <time.h>
#include <winsock/unix_off.h>

#ifndef WINSOCK_SYS_SELECT_H
#error "the folder of winsock2.h must come before glibc's headers: add it by -I or -isystem"
#endif

#undef FD_CLR
#undef FD_ISSET
#undef FD_SET
#undef FD_ZERO
#undef fd_set
#undef gettimeofday
#undef select
#undef socklen_t
#undef timeval
#undef u_long
#undef timercmp
#undef timerclear
#undef timerisset

/* Not a number: glibc's, and not the program's. */
#if defined(FD_SETSIZE) && FD_SETSIZE + 0 == 0
#undef FD_SETSIZE
#endif
