/*
 * winsock/scan.h - what scan_of.h shares between its kinds of characters: streams read as UTF-8.
 */
#ifndef WINSOCK_SCAN_H
#define WINSOCK_SCAN_H

#include <stdarg.h>

#include <winsock/crt.h>

WINSOCK_BEGIN
struct _IO_FILE;
extern struct _IO_FILE *stdin;
int winsock_unix_fgetc_(struct _IO_FILE *stream) __asm__("fgetc");
int winsock_unix_ungetc_(int c, struct _IO_FILE *stream) __asm__("ungetc");
unsigned long long winsock_unix_strtoull_(const char *text, char **end, int base)
    __asm__("strtoull");
long double winsock_unix_strtold_(const char *text, char **end) __asm__("strtold");
WINSOCK_END

/* The next character of a stream; -1 at its end, and U+FFFD for what is none. */
WINSOCK_INLINE int winsock_get_point_(struct _IO_FILE *stream) {
    int lead = winsock_unix_fgetc_(stream);
    if (lead < 0x80) return lead;
    if (lead < 0xc2 || lead > 0xf4) return 0xfffd;
    int more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    int point = lead & (0x3f >> more);
    for (; more > 0; more--) {
        int next = winsock_unix_fgetc_(stream);
        if (next < 0x80 || next > 0xbf) {
            if (next >= 0) winsock_unix_ungetc_(next, stream);
            return 0xfffd;
        }
        point = point << 6 | (next & 0x3f);
    }
    return point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? 0xfffd : point;
}

/* The bytes of a character, and how many there are. */
WINSOCK_INLINE int winsock_utf8_(int point, char *to) {
    int more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    to[0] = (char)(more ? (0xf00 >> more & 0xff) | point >> 6 * more : point);
    for (int at = 1; at <= more; at++) to[at] = (char)(0x80 | (point >> 6 * (more - at) & 0x3f));
    return more + 1;
}

/* Adds a character to a text with `room` for one unit more than this adds; 0 if it has less. */
WINSOCK_INLINE int winsock_put_point_(void *to, size_t *length, size_t room, int wide, int point) {
    wchar_t units[2];
    char bytes[4];
    size_t count = 1;
    if (!wide) {
        count = (size_t)winsock_utf8_(point, bytes);
    } else if (sizeof(wchar_t) == 2 && point > 0xffff) {
        units[0] = (wchar_t)(0xd7c0 + (point >> 10));
        units[1] = (wchar_t)(0xdc00 | (point & 0x3ff));
        count = 2;
    } else {
        units[0] = (wchar_t)point;
    }
    if (count > room || *length > room - count) return 0;
    if (wide) __builtin_memcpy((wchar_t *)to + *length, units, count * sizeof(wchar_t));
    else __builtin_memcpy((char *)to + *length, bytes, count);
    *length += count;
    return 1;
}

WINSOCK_INLINE int winsock_blank_(int c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether `c` may stand behind the `count` characters of a number; base 1 is for reals. */
WINSOCK_INLINE int winsock_in_number_(const char *digits, size_t count, int base, int c) {
    size_t sign = count > 0 && (digits[0] == '-' || digits[0] == '+');
    if (c == '-' || c == '+') {
        return count == 0 || (base == 1 && (digits[count - 1] == 'e' || digits[count - 1] == 'E'));
    }
    int has_point = 0, has_power = 0;
    for (size_t at = 0; at < count; at++) {
        has_point |= digits[at] == '.';
        has_power |= digits[at] == 'e' || digits[at] == 'E';
    }
    if (base == 1 && c == '.') return !has_point && !has_power;
    if (base == 1 && (c == 'e' || c == 'E')) return count > sign && !has_power;
    if (c == 'x' || c == 'X') {
        return (base == 16 || base == 0) && count == sign + 1 && digits[sign] == '0';
    }
    if (base == 0) {
        int zero = count > sign && digits[sign] == '0';
        base = !zero ? 10 : count > sign + 1 && (digits[sign + 1] | 32) == 'x' ? 16 : 8;
    }
    if (base == 1) base = 10;
    int letter = (c | 32) >= 'a' && (c | 32) <= 'f';
    int value = c >= '0' && c <= '9' ? c - '0' : letter ? (c | 32) - 'a' + 10 : 99;
    return c < 0x80 && value < base;
}

/* Stores a whole number where there is a char, a short, an int, a long or a long long. */
WINSOCK_INLINE void winsock_store_(void *to, int size, unsigned long long value) {
    if (size == 'b') *(char *)to = (char)value;
    else if (size == 'h') *(short *)to = (short)value;
    else if (size == 'l') *(long *)to = (long)value;
    else if (size == 'q') *(long long *)to = (long long)value;
    else *(int *)to = (int)value;
}

#endif
