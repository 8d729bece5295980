/*
 * winsock/crt.h - what the headers of Microsoft's C run-time library share.
 *
 * stdio.h, stdlib.h, string.h, time.h and wchar.h of this folder are glibc's, with the names that
 * Microsoft's have beyond the standard.
 *
 * The functions in _s end a Windows program that calls them wrongly, unless it has set a handler for
 * that. Here they do what they do after the handler returns: they answer EINVAL or ERANGE, with an
 * empty text at the destination.
 */
#ifndef WINSOCK_CRT_H
#define WINSOCK_CRT_H

#include <winsock/platform.h>

#include <errno.h>
#include <stddef.h>

#ifndef _ERRNO_T_DEFINED
#define _ERRNO_T_DEFINED
typedef int errno_t;
#endif
typedef size_t rsize_t;

#define _TRUNCATE ((size_t)-1)
#define STRUNCATE 80

#ifdef __cplusplus
extern "C++" {
template <typename Type_, size_t Count_>
char (*winsock_countof_(Type_ (&array)[Count_]))[Count_];
}
#define _countof(array) sizeof(*winsock_countof_(array))
#else
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
#endif

#endif
