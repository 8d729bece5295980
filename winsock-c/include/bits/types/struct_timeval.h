/* bits/types/struct_timeval.h - glibc's; see winsock/unix_types.h. */
#pragma GCC system_header
#ifndef WINSOCK_STRUCT_TIMEVAL_H
#define WINSOCK_STRUCT_TIMEVAL_H

#include <winsock/unix_on.h>
#include_next <bits/types/struct_timeval.h>
#include <winsock/unix_off.h>

#endif
