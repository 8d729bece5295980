/* unistd.h - glibc's; see winsock/unix_types.h. */
#pragma GCC system_header
#ifndef WINSOCK_UNISTD_H
#define WINSOCK_UNISTD_H

#include <winsock/unix_on.h>
#include_next <unistd.h>
#include <winsock/unix_off.h>

#endif
