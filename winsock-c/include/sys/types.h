/* sys/types.h - glibc's; see winsock/unix_types.h. */
#pragma GCC system_header
#ifndef WINSOCK_SYS_TYPES_H
#define WINSOCK_SYS_TYPES_H

#include <winsock/unix_on.h>
#include_next <sys/types.h>
#include <winsock/unix_off.h>

#endif
