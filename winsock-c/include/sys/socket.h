/* sys/socket.h - glibc's, which winsock2.h replaces. */
#pragma GCC system_header
#ifdef _WINSOCK2API_
#error "winsock2.h and sys/socket.h cannot be in one file: winsock2.h, with ws2tcpip.h, replaces it"
#else
#include_next <sys/socket.h>
#endif
