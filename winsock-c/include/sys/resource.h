/* sys/resource.h - glibc's; see winsock/unix_types.h. */
#pragma GCC system_header
#ifndef WINSOCK_SYS_RESOURCE_H
#define WINSOCK_SYS_RESOURCE_H

#include <winsock/unix_on.h>
#include_next <sys/resource.h>
#include <winsock/unix_off.h>

#endif
