/*
 * fcntl.h - glibc's, with Microsoft's names for how a file is opened.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/file-constants
 */
#pragma GCC system_header
#include_next <fcntl.h>
#ifndef WINSOCK_FCNTL_H
#define WINSOCK_FCNTL_H

#define _O_RDONLY O_RDONLY
#define _O_WRONLY O_WRONLY
#define _O_RDWR O_RDWR
#define _O_APPEND O_APPEND
#define _O_CREAT O_CREAT
#define _O_TRUNC O_TRUNC
#define _O_EXCL O_EXCL
#define _O_NOINHERIT O_CLOEXEC

/* Files have no modes. What is asked for besides changes nothing. */
#define O_BINARY 0
#define O_TEXT 0
#define _O_BINARY 0
#define _O_TEXT 0
#define _O_RANDOM 0
#define _O_SEQUENTIAL 0

#endif
