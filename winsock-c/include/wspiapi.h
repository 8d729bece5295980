/* wspiapi.h - getaddrinfo for Windows 2000, which lacked it. Here it is in ws2tcpip.h. */
#include <ws2tcpip.h>
