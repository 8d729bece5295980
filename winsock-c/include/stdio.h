/*
 * stdio.h - glibc's, with Microsoft's formats and names beyond the standard; see winsock/crt.h.
 *
 * printf and its family understand what Microsoft's do: %I64d, %Iu, %hs, %S, and in wide formats a
 * %s that is wide. They are the library's. A stream may be written to by printf and wprintf.
 *
 * A `long` in a format (%ld, %lu) is Windows': 32 bits are printed, unless the argument is a larger
 * number. scanf, fscanf and sscanf are glibc's: %I64d is read as a width of 64 there, write %lld.
 * Those in _s and the wide ones are the library's, and know it.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/stream-i-o
 */
#pragma GCC system_header
#ifndef WINSOCK_STDIO_H
#define WINSOCK_STDIO_H

#include <winsock/platform.h>

/* glibc's inline forms of printf would stand before the library's. */
#include <features.h>
#pragma push_macro("__USE_FORTIFY_LEVEL")
#pragma push_macro("__USE_EXTERN_INLINES")
#undef __USE_FORTIFY_LEVEL
#define __USE_FORTIFY_LEVEL 0
#undef __USE_EXTERN_INLINES
#include_next <stdio.h>
#pragma pop_macro("__USE_FORTIFY_LEVEL")
#pragma pop_macro("__USE_EXTERN_INLINES")

#include <stdarg.h>
#include <stdlib.h> /* libstdc++'s <cstdlib> passes by ours */
#include <string.h>
#include <wchar.h>

#include <winsock/crt.h>

#define _fdopen fdopen
#define _fileno fileno
#define _pclose pclose
#define _popen popen

WINSOCK_BEGIN

int printf(const char *__restrict format, ...) WINSOCK_WIDE_OWN(printf);
int fprintf(FILE *__restrict stream, const char *__restrict format, ...) WINSOCK_WIDE_OWN(fprintf);
int sprintf(char *__restrict to, const char *__restrict format, ...) WINSOCK_NOTHROW
    WINSOCK_WIDE_OWN(sprintf);
int snprintf(char *__restrict to, size_t room, const char *__restrict format, ...) WINSOCK_NOTHROW
    WINSOCK_WIDE_OWN(snprintf);
int vprintf(const char *__restrict format, va_list list) WINSOCK_WIDE_OWN(vprintf);
int vfprintf(FILE *__restrict stream, const char *__restrict format, va_list list)
    WINSOCK_WIDE_OWN(vfprintf);
int vsprintf(char *__restrict to, const char *__restrict format, va_list list) WINSOCK_NOTHROW
    WINSOCK_WIDE_OWN(vsprintf);
int vsnprintf(char *__restrict to, size_t room, const char *__restrict format, va_list list)
    WINSOCK_NOTHROW WINSOCK_WIDE_OWN(vsnprintf);
/* No NUL where the text takes all the room; -1 where it takes more. */
int __cdecl _vsnprintf(char *to, size_t room, const char *format, va_list list)
    WINSOCK_WIDE_OWN(_vsnprintf);

WINSOCK_END

WINSOCK_INLINE int _snprintf(char *to, size_t room, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = _vsnprintf(to, room, format, list);
    va_end(list);
    return length;
}

/* The length that the text would have. */
WINSOCK_INLINE int _vscprintf(const char *format, va_list list) {
    return vsnprintf(NULL, 0, format, list);
}

WINSOCK_INLINE int _scprintf(const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = _vscprintf(format, list);
    va_end(list);
    return length;
}

/* At most `count` characters; with _TRUNCATE what there is room for, and -1 if that is not all. */
WINSOCK_INLINE int _vsnprintf_s(char *to, size_t room, size_t count, const char *format,
                                va_list list) {
    if (!to || room == 0 || !format) {
        errno = EINVAL;
        return -1;
    }
    size_t most = count < room ? count + 1 : room;
    int length = vsnprintf(to, most, format, list);
    if (length >= 0 && (size_t)length < most) return length;
    if (count != _TRUNCATE && count >= room) {
        to[0] = 0;
        errno = ERANGE;
    }
    return -1;
}

WINSOCK_INLINE int vsprintf_s(char *to, size_t room, const char *format, va_list list) {
    return _vsnprintf_s(to, room, (size_t)-2, format, list);
}

WINSOCK_INLINE int sprintf_s(char *to, size_t room, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = vsprintf_s(to, room, format, list);
    va_end(list);
    return length;
}

WINSOCK_INLINE int _snprintf_s(char *to, size_t room, size_t count, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = _vsnprintf_s(to, room, count, format, list);
    va_end(list);
    return length;
}

#ifdef __cplusplus
extern "C++" {
template <size_t Room_, typename... More_>
inline int sprintf_s(char (&to)[Room_], const char *format, More_... more) {
    return sprintf_s(to, Room_, format, more...);
}
template <size_t Room_, typename... More_>
inline int _snprintf_s(char (&to)[Room_], size_t count, const char *format, More_... more) {
    return _snprintf_s(to, Room_, count, format, more...);
}
template <size_t Room_>
inline int vsprintf_s(char (&to)[Room_], const char *format, va_list list) {
    return vsprintf_s(to, Room_, format, list);
}
}
#endif

#define printf_s printf
#define fprintf_s fprintf
#define vprintf_s vprintf
#define vfprintf_s vfprintf

/*
 * b and t change nothing. With "ccs=UTF-8" the file begins with a byte order mark; the other
 * encodings are refused, for wide text in a file is UTF-8. fopen's modes are glibc's to judge.
 */
WINSOCK_INLINE errno_t fopen_s(FILE **stream, const char *name, const char *mode) {
    char plain[8];
    size_t length = 0;
    if (!stream) return EINVAL;
    *stream = NULL;
    if (!name || !mode) return EINVAL;
    while (length < sizeof plain - 1 && mode[length] && mode[length] != ',') {
        plain[length] = mode[length];
        length++;
    }
    plain[length] = 0;
    const char *ccs = __builtin_strstr(mode, "ccs=");
    if (ccs && _stricmp(ccs, "ccs=UTF-8") != 0) return EINVAL;
    *stream = fopen(name, plain);
    if (!*stream) return errno;
    if (!ccs) return 0;
    if (plain[0] == 'r') {
        if (fgetc(*stream) != 0xef || fgetc(*stream) != 0xbb || fgetc(*stream) != 0xbf) {
            rewind(*stream);
        }
    } else if (fseek(*stream, 0, SEEK_END) == 0 && ftell(*stream) == 0) {
        fputs("\xef\xbb\xbf", *stream);
    }
    return 0;
}

WINSOCK_INLINE errno_t _wfopen_s(FILE **stream, const wchar_t *name, const wchar_t *mode) {
    char path[4096], kind[64];
    size_t length;
    if (!stream) return EINVAL;
    *stream = NULL;
    if (!name || !mode || wcstombs_s(&length, kind, sizeof kind, mode, (size_t)-2)) return EINVAL;
    errno_t error = wcstombs_s(&length, path, sizeof path, name, (size_t)-2);
    return error == ERANGE ? ENOENT : error ? error : fopen_s(stream, path, kind);
}

WINSOCK_INLINE FILE *_wfopen(const wchar_t *name, const wchar_t *mode) {
    FILE *stream;
    errno_t error = _wfopen_s(&stream, name, mode);
    if (error) errno = error;
    return stream;
}

WINSOCK_INLINE errno_t freopen_s(FILE **stream, const char *name, const char *mode, FILE *old) {
    if (!stream || !mode || !old) return EINVAL;
    *stream = freopen(name, mode, old);
    return *stream ? 0 : errno;
}

/* A line without its end; an empty text and NULL if there is none, or not the room for it. */
WINSOCK_INLINE char *gets_s(char *to, size_t room) {
    if (!to || room == 0) {
        errno = EINVAL;
        return NULL;
    }
    size_t length = 0;
    int c = 0;
    while ((c = getchar()) != EOF && c != '\n') {
        if (length + 1 < room) to[length] = (char)c;
        length++;
    }
    to[length < room ? length : 0] = 0;
    if (length >= room) errno = ERANGE;
    return (c == EOF && length == 0) || length >= room ? NULL : to;
}
#ifdef __cplusplus
extern "C++" {
template <size_t Room_>
inline char *gets_s(char (&to)[Room_]) {
    return gets_s(to, Room_);
}
}
#endif

#define CHAR_ char
#define SCAN_(name) winsock_scan_##name##_
#include <winsock/scan_of.h>
WINSOCK_SCANS_(scanf_s, , stdin, NULL, 1)
WINSOCK_SCANS_(fscanf_s, struct _IO_FILE *stream WINSOCK_COMMA_, stream, NULL, 1)
WINSOCK_SCANS_(sscanf_s, const char *text WINSOCK_COMMA_, NULL, text, 1)
#undef WINSOCK_SCANS_
#undef WINSOCK_COMMA_
#undef SCAN_
#undef CHAR_

WINSOCK_INLINE wchar_t *_getws_s(wchar_t *to, size_t room) {
    if (!to || room == 0) {
        errno = EINVAL;
        return NULL;
    }
    struct winsock_wscan_source_ from = {stdin, NULL, 0, 0};
    size_t length = 0;
    int c = 0;
    while ((c = winsock_wscan_get_(&from)) >= 0 && c != '\n') {
        if (length + 1 < room) to[length] = (wchar_t)c;
        length++;
    }
    to[length < room ? length : 0] = 0;
    if (length >= room) errno = ERANGE;
    return (c < 0 && length == 0) || length >= room ? NULL : to;
}

WINSOCK_INLINE int _putws(const wchar_t *text) {
    return fputws(text, stdout) < 0 || putchar('\n') == EOF ? -1 : 0;
}

#endif
