/* winsock/unix_on.h - until unix_off.h, glibc's names stand for glibc's types; see unix_types.h. */
#pragma push_macro("FD_SETSIZE")
#pragma push_macro("fd_set")
#pragma push_macro("gettimeofday")
#pragma push_macro("select")
#pragma push_macro("socklen_t")
#pragma push_macro("timeval")
#pragma push_macro("u_long")
#undef FD_SETSIZE
#undef fd_set
#undef gettimeofday
#undef select
#undef socklen_t
#undef timeval
#undef u_long
#define fd_set winsock_unix_fd_set
#define gettimeofday winsock_unix_gettimeofday
#define select winsock_unix_select
#define socklen_t winsock_unix_socklen_t
#define timeval winsock_unix_timeval
#define u_long winsock_unix_u_long
