/* winsock/unix_off.h - ends what unix_on.h began. */
#undef FD_SETSIZE
#undef fd_set
#undef gettimeofday
#undef select
#undef socklen_t
#undef timeval
#undef u_long
#pragma pop_macro("FD_SETSIZE")
#pragma pop_macro("fd_set")
#pragma pop_macro("gettimeofday")
#pragma pop_macro("select")
#pragma pop_macro("socklen_t")
#pragma pop_macro("timeval")
#pragma pop_macro("u_long")

#ifndef _WINSOCK2API_
#undef fd_set
#undef socklen_t
#undef timeval
#undef u_long
#define fd_set winsock_unix_fd_set
#define socklen_t winsock_unix_socklen_t
#define timeval winsock_unix_timeval
#define u_long winsock_unix_u_long
#ifndef __cplusplus
#undef gettimeofday
#undef select
#define gettimeofday winsock_unix_gettimeofday
#define select winsock_unix_select
#endif
/* With _WIN32 an FD_SETSIZE is the program's to define. */
#if !defined(FD_SETSIZE) && !defined(_WIN32)
#define FD_SETSIZE winsock_unix_fd_setsize
#endif
#endif
