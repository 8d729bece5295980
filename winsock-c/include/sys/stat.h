/*
 * sys/stat.h - glibc's, with Microsoft's names beyond the standard.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/stat-functions
 */
#pragma GCC system_header
#include_next <sys/stat.h>
#ifndef WINSOCK_SYS_STAT_H
#define WINSOCK_SYS_STAT_H

/* Both the structure and the function. */
#define _stat stat
#define _stat64 stat
#define _stati64 stat
#define _fstat fstat
#define _fstat64 fstat
#define _fstati64 fstat

#define _S_IFMT S_IFMT
#define _S_IFDIR S_IFDIR
#define _S_IFREG S_IFREG
#define _S_IREAD S_IRUSR
#define _S_IWRITE S_IWUSR

#endif
