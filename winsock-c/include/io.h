/*
 * io.h - files by their descriptors, which are Linux' own.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/low-level-i-o
 *
 * There is no text mode: a newline is one byte. _get_osfhandle and _open_osfhandle are not here, since a
 * HANDLE is the library's and no descriptor.
 */
#ifndef WINSOCK_IO_H
#define WINSOCK_IO_H

#include <winsock/crt.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define _access access
#define _chmod chmod
#define _chsize ftruncate
#define _close close
#define _dup dup
#define _dup2 dup2
#define _isatty isatty
#define _lseek lseek
#define _lseeki64 lseek
#define _open open
#define _unlink unlink

WINSOCK_INLINE int _read(int file, void *to, unsigned room) { return (int)read(file, to, room); }
WINSOCK_INLINE int _write(int file, const void *from, unsigned len) {
    return (int)write(file, from, len);
}

WINSOCK_INLINE long long _filelengthi64(int file) {
    struct stat about;
    return fstat(file, &about) ? -1 : (long long)about.st_size;
}
#define _filelength _filelengthi64

/* The mode that was set before: it is always this. */
WINSOCK_INLINE int _setmode(int file, int mode) {
    (void)mode;
    return fcntl(file, F_GETFD) < 0 ? -1 : O_BINARY;
}

#endif
