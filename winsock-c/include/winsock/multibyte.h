/*
 * winsock/multibyte.h - mbstowcs_s and wcstombs_s. Bytes are UTF-8, whatever the locale.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/mbstowcs-s-mbstowcs-s-l
 */
#ifndef WINSOCK_MULTIBYTE_H
#define WINSOCK_MULTIBYTE_H

#include <winsock/scan.h>

/* The character that begins here, which `text` passes; -1 if there is none. */
WINSOCK_INLINE int winsock_from_bytes_(const char **text) {
    const unsigned char *bytes = (const unsigned char *)*text;
    int point = bytes[0], more = point < 0x80 ? 0 : point < 0xe0 ? 1 : point < 0xf0 ? 2 : 3;
    if (more && (point < 0xc2 || point > 0xf4)) return -1;
    if (more) point &= 0x3f >> more;
    for (int at = 1; at <= more; at++) {
        if ((bytes[at] & 0xc0) != 0x80) return -1;
        point = point << 6 | (bytes[at] & 0x3f);
    }
    int least = more == 2 ? 0x800 : more == 3 ? 0x10000 : 0;
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return -1;
    *text += more + 1;
    return point;
}

WINSOCK_INLINE int winsock_from_wide_(const wchar_t **text) {
    unsigned point = (unsigned)*(*text)++;
    if (sizeof(wchar_t) == 2 && point >= 0xd800 && point < 0xdc00) {
        unsigned low = (unsigned)**text;
        if (low < 0xdc00 || low > 0xdfff) return -1;
        (*text)++;
        return (int)(0x10000 + ((point & 0x3ff) << 10 | (low & 0x3ff)));
    }
    return point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? -1 : (int)point;
}

/* Both directions: `count` is of what is written, and so is what `converted` says, with the NUL. */
WINSOCK_INLINE errno_t winsock_convert_(size_t *converted, void *to, size_t room, const void *from,
                                        size_t count, int wide) {
    const char *bytes = (const char *)from;
    const wchar_t *units = (const wchar_t *)from;
    size_t length = 0;
    errno_t error = 0;
    if (converted) *converted = 0;
    if (!from || (!to) != (room == 0)) error = EINVAL;
    size_t most = !to ? (size_t)-1 : room - 1;
    if (to && count != _TRUNCATE && count < most) most = count;
    while (!error) {
        int point = wide ? winsock_from_bytes_(&bytes) : winsock_from_wide_(&units);
        if (point == 0) break;
        size_t size = 1;
        char scratch[4];
        if (!wide) size = (size_t)winsock_utf8_(point < 0 ? 0 : point, scratch);
        else if (sizeof(wchar_t) == 2 && point > 0xffff) size = 2;
        if (point < 0) {
            error = EILSEQ;
        } else if (!to) {
            length += size;
        } else if (!winsock_put_point_(to, &length, most, wide, point)) {
            if (count == _TRUNCATE) error = STRUNCATE;
            else if (length + size > count) break;
            else error = ERANGE;
        }
    }
    int whole = error == 0 || error == STRUNCATE;
    if (to && room > 0) {
        if (wide) ((wchar_t *)to)[whole ? length : 0] = 0;
        else ((char *)to)[whole ? length : 0] = 0;
    }
    if (converted && whole) *converted = length + 1;
    if (!whole) errno = error;
    return error;
}

WINSOCK_INLINE errno_t mbstowcs_s(size_t *converted, wchar_t *to, size_t room, const char *from,
                                  size_t count) {
    return winsock_convert_(converted, to, room, from, count, 1);
}

WINSOCK_INLINE errno_t wcstombs_s(size_t *converted, char *to, size_t room, const wchar_t *from,
                                  size_t count) {
    return winsock_convert_(converted, to, room, from, count, 0);
}

#ifdef __cplusplus
extern "C++" {
template <size_t Room_>
inline errno_t mbstowcs_s(size_t *converted, wchar_t (&to)[Room_], const char *from, size_t count) {
    return mbstowcs_s(converted, to, Room_, from, count);
}
template <size_t Room_>
inline errno_t wcstombs_s(size_t *converted, char (&to)[Room_], const wchar_t *from, size_t count) {
    return wcstombs_s(converted, to, Room_, from, count);
}
}
#endif

#endif
