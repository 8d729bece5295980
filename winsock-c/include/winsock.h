/*
 * winsock.h - Windows Sockets 1.1. Here it is winsock2.h: what 1.1 has, 2 has too.
 */
#include <winsock2.h>
