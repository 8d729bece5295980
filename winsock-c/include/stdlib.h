/*
 * stdlib.h - glibc's, with Microsoft's names beyond the standard; see winsock/crt.h.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/data-conversion
 */
#pragma GCC system_header
#include_next <stdlib.h>
#ifndef WINSOCK_STDLIB_H
#define WINSOCK_STDLIB_H

#include <sys/random.h>
#include <winsock/crt.h>
#include <winsock/multibyte.h>

#define _MAX_PATH 260
#define _MAX_DRIVE 3
#define _MAX_DIR 256
#define _MAX_FNAME 256
#define _MAX_EXT 256

/* A number that nobody can foresee. */
WINSOCK_INLINE errno_t rand_s(unsigned *to) {
    if (!to) return EINVAL;
    return getrandom(to, sizeof *to, 0) == (ssize_t)sizeof *to ? 0 : EINVAL;
}

#define __max(a, b) (((a) > (b)) ? (a) : (b))
#define __min(a, b) (((a) < (b)) ? (a) : (b))

#define _atoi64 atoll
#define _strtoi64 strtoll
#define _strtoui64 strtoull

/* Digits of a base from 2 to 36, small letters; a sign in base 10 alone. */
WINSOCK_INLINE errno_t winsock_digits_(unsigned long long value, int negative, char *to,
                                       size_t room, int base) {
    char digits[65];
    size_t count = 0;
    if (!to || room == 0) return EINVAL;
    to[0] = 0;
    if (base < 2 || base > 36) return EINVAL;
    if (negative) value = 0 - value;
    do {
        digits[count++] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % (unsigned)base];
        value /= (unsigned)base;
    } while (value);
    if (negative) digits[count++] = '-';
    if (count >= room) return ERANGE;
    to[count] = 0;
    for (size_t at = 0; at < count; at++) to[at] = digits[count - 1 - at];
    return 0;
}

WINSOCK_INLINE errno_t _itoa_s(int value, char *to, size_t room, int base) {
    if (base == 10) return winsock_digits_((unsigned long long)value, value < 0, to, room, base);
    return winsock_digits_((unsigned)value, 0, to, room, base);
}
WINSOCK_INLINE errno_t _ultoa_s(unsigned long value, char *to, size_t room, int base) {
    return winsock_digits_((unsigned)value, 0, to, room, base);
}
WINSOCK_INLINE errno_t _i64toa_s(long long value, char *to, size_t room, int base) {
    return winsock_digits_((unsigned long long)value, base == 10 && value < 0, to, room, base);
}
WINSOCK_INLINE errno_t _ui64toa_s(unsigned long long value, char *to, size_t room, int base) {
    return winsock_digits_(value, 0, to, room, base);
}
WINSOCK_INLINE char *_itoa(int value, char *to, int base) {
    _itoa_s(value, to, 34, base);
    return to;
}
WINSOCK_INLINE char *_ltoa(long value, char *to, int base) {
    _itoa_s((int)value, to, 34, base);
    return to;
}
WINSOCK_INLINE char *_ultoa(unsigned long value, char *to, int base) {
    _ultoa_s(value, to, 34, base);
    return to;
}
WINSOCK_INLINE char *_i64toa(long long value, char *to, int base) {
    _i64toa_s(value, to, 66, base);
    return to;
}
WINSOCK_INLINE char *_ui64toa(unsigned long long value, char *to, int base) {
    _ui64toa_s(value, to, 66, base);
    return to;
}
#define itoa _itoa
#define ltoa _ltoa
#define ultoa _ultoa

#ifdef __cplusplus
extern "C++" {
template <size_t Room_>
inline errno_t _itoa_s(int value, char (&to)[Room_], int base) {
    return _itoa_s(value, to, Room_, base);
}
}
#endif

WINSOCK_INLINE unsigned short _byteswap_ushort(unsigned short value) {
    return __builtin_bswap16(value);
}
/* An unsigned long of Windows has 32 bits. */
WINSOCK_INLINE unsigned int _byteswap_ulong(unsigned int value) {
    return __builtin_bswap32(value);
}
WINSOCK_INLINE unsigned long long _byteswap_uint64(unsigned long long value) {
    return __builtin_bswap64(value);
}
/* clang with -fms-extensions has these two itself, and takes no others. */
#ifdef __has_builtin
#if __has_builtin(_rotl)
#define WINSOCK_ROTATES
#endif
#endif
#ifndef WINSOCK_ROTATES
WINSOCK_INLINE unsigned int _rotl(unsigned int value, int shift) {
    return value << (shift & 31) | value >> (-shift & 31);
}
WINSOCK_INLINE unsigned int _rotr(unsigned int value, int shift) {
    return value >> (shift & 31) | value << (-shift & 31);
}
#endif

/* `length` is the size with the NUL, 0 if there is no such variable. */
WINSOCK_INLINE errno_t getenv_s(size_t *length, char *to, size_t room, const char *name) {
    if (!length || !name || (!to && room)) return EINVAL;
    const char *value = getenv(name);
    if (to && room) to[0] = 0;
    *length = value ? __builtin_strlen(value) + 1 : 0;
    if (!value || room == 0) return 0;
    if (*length > room) return ERANGE;
    __builtin_memcpy(to, value, *length);
    return 0;
}

/* A copy of the variable, for free(); NULL if there is none. */
WINSOCK_INLINE errno_t _dupenv_s(char **value, size_t *length, const char *name) {
    if (!value || !name) return EINVAL;
    const char *found = getenv(name);
    size_t size = found ? __builtin_strlen(found) + 1 : 0;
    *value = found ? (char *)malloc(size) : NULL;
    if (length) *length = *value ? size : 0;
    if (!found) return 0;
    if (!*value) return ENOMEM;
    __builtin_memcpy(*value, found, size);
    return 0;
}

#endif
