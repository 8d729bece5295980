/*
 * string.h - glibc's, with Microsoft's names beyond the standard; see winsock/crt.h.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/string-manipulation-crt
 */
#pragma GCC system_header
#include_next <string.h>
#ifndef WINSOCK_STRING_H
#define WINSOCK_STRING_H

#include <winsock/crt.h>

#define CHAR_ char
#define TEXT_(name) str##name
#define UNDER_(name) _str##name
#define WINSOCK_LETTER_ winsock_lower_
#define WINSOCK_UNIT_(unit) ((unsigned char)(unit))
#define WINSOCK_APPEND_ winsock_append_
#include <winsock/strings_of.h>
#undef CHAR_
#undef TEXT_
#undef UNDER_
#undef WINSOCK_LETTER_
#undef WINSOCK_UNIT_
#undef WINSOCK_APPEND_

#define _strcmpi _stricmp
#define stricmp _stricmp
#define strnicmp _strnicmp
#define strcmpi _stricmp

WINSOCK_INLINE errno_t memcpy_s(void *to, size_t room, const void *from, size_t count) {
    if (count == 0) return 0;
    if (!to) return EINVAL;
    if (!from || room < count) {
        __builtin_memset(to, 0, room);
        return from ? ERANGE : EINVAL;
    }
    __builtin_memcpy(to, from, count);
    return 0;
}

WINSOCK_INLINE errno_t memmove_s(void *to, size_t room, const void *from, size_t count) {
    if (count == 0) return 0;
    if (!to || !from) return EINVAL;
    if (room < count) return ERANGE;
    __builtin_memmove(to, from, count);
    return 0;
}

#define _memicmp(left, right, count) _strnicmp((const char *)(left), (const char *)(right), count)

WINSOCK_INLINE errno_t strerror_s(char *to, size_t room, int error) {
    return strncpy_s(to, room, strerror(error), _TRUNCATE) == EINVAL ? EINVAL : 0;
}

#endif
