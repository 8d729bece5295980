/*
 * direct.h - folders.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/directory-control
 */
#ifndef WINSOCK_DIRECT_H
#define WINSOCK_DIRECT_H

#include <winsock/platform.h>

#include <sys/stat.h>
#include <unistd.h>

#define _chdir chdir
#define _getcwd getcwd
#define _rmdir rmdir

WINSOCK_INLINE int _mkdir(const char *name) { return mkdir(name, 0777); }

#endif
