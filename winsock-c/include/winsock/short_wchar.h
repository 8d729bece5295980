/*
 * winsock/short_wchar.h - the wide functions of the C library for a wchar_t of 2 bytes.
 *
 * glibc's are compiled for 4. wchar.h includes this with -fshort-wchar, after it took glibc's
 * declarations under other names. So does C++'s <string>, whose wchar_t functions call these.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/string-manipulation-crt
 */
#ifndef WINSOCK_SHORT_WCHAR_H
#define WINSOCK_SHORT_WCHAR_H

/*
 * std::wstring as libstdc++ has compiled it has 4 bytes as well. Have it compiled here: before C++20
 * its header asks this macro.
 */
#if defined(__cplusplus) && __has_include(<bits/c++config.h>)
#include <bits/c++config.h>
#undef _GLIBCXX_EXTERN_TEMPLATE
#define _GLIBCXX_EXTERN_TEMPLATE -1
#endif

/* Blocks. */

WINSOCK_INLINE wchar_t *wmemcpy(wchar_t *to, const wchar_t *from, size_t count) {
    return (wchar_t *)__builtin_memcpy(to, from, count * sizeof(wchar_t));
}

WINSOCK_INLINE wchar_t *wmemmove(wchar_t *to, const wchar_t *from, size_t count) {
    return (wchar_t *)__builtin_memmove(to, from, count * sizeof(wchar_t));
}

WINSOCK_INLINE wchar_t *wmemset(wchar_t *to, wchar_t unit, size_t count) {
    for (size_t at = 0; at < count; at++) to[at] = unit;
    return to;
}

WINSOCK_INLINE int wmemcmp(const wchar_t *left, const wchar_t *right, size_t count) {
    for (size_t at = 0; at < count; at++)
        if (left[at] != right[at]) return left[at] < right[at] ? -1 : 1;
    return 0;
}

WINSOCK_INLINE wchar_t *winsock_wmemchr_(const wchar_t *text, wchar_t unit, size_t count) {
    for (size_t at = 0; at < count; at++)
        if (text[at] == unit) return (wchar_t *)text + at;
    return NULL;
}

/* Lengths and copies. */

WINSOCK_INLINE size_t wcsnlen(const wchar_t *text, size_t most) {
    size_t length = 0;
    while (length < most && text[length]) length++;
    return length;
}

WINSOCK_INLINE size_t wcslen(const wchar_t *text) {
    return wcsnlen(text, (size_t)-1);
}

WINSOCK_INLINE wchar_t *wcscpy(wchar_t *to, const wchar_t *from) {
    return wmemcpy(to, from, wcslen(from) + 1);
}

WINSOCK_INLINE wchar_t *wcsncpy(wchar_t *to, const wchar_t *from, size_t count) {
    size_t length = wcsnlen(from, count);
    wmemset(wmemcpy(to, from, length) + length, 0, count - length);
    return to;
}

WINSOCK_INLINE wchar_t *wcscat(wchar_t *to, const wchar_t *from) {
    wcscpy(to + wcslen(to), from);
    return to;
}

WINSOCK_INLINE wchar_t *wcsncat(wchar_t *to, const wchar_t *from, size_t count) {
    size_t length = wcsnlen(from, count);
    wchar_t *end = to + wcslen(to);
    wmemcpy(end, from, length)[length] = 0;
    return to;
}

/* Order: of the units, whatever the locale. */

WINSOCK_INLINE int wcsncmp(const wchar_t *left, const wchar_t *right, size_t count) {
    for (size_t at = 0; at < count; at++) {
        if (left[at] != right[at]) return left[at] < right[at] ? -1 : 1;
        if (!left[at]) break;
    }
    return 0;
}

WINSOCK_INLINE int wcscmp(const wchar_t *left, const wchar_t *right) {
    return wcsncmp(left, right, (size_t)-1);
}

WINSOCK_INLINE int wcscoll(const wchar_t *left, const wchar_t *right) {
    return wcscmp(left, right);
}

WINSOCK_INLINE size_t wcsxfrm(wchar_t *to, const wchar_t *from, size_t room) {
    if (room) wcsncpy(to, from, room);
    return wcslen(from);
}

/* Searches. */

WINSOCK_INLINE wchar_t *winsock_wcschr_(const wchar_t *text, wchar_t unit) {
    return winsock_wmemchr_(text, unit, wcslen(text) + 1);
}

WINSOCK_INLINE wchar_t *winsock_wcsrchr_(const wchar_t *text, wchar_t unit) {
    for (size_t at = wcslen(text) + 1; at > 0; at--)
        if (text[at - 1] == unit) return (wchar_t *)text + at - 1;
    return NULL;
}

WINSOCK_INLINE wchar_t *winsock_wcsstr_(const wchar_t *text, const wchar_t *part) {
    size_t length = wcslen(part);
    for (;; text++) {
        if (wcsncmp(text, part, length) == 0) return (wchar_t *)text;
        if (!*text) return NULL;
    }
}

WINSOCK_INLINE size_t wcsspn(const wchar_t *text, const wchar_t *set) {
    size_t length = 0;
    while (text[length] && winsock_wcschr_(set, text[length])) length++;
    return length;
}

WINSOCK_INLINE size_t wcscspn(const wchar_t *text, const wchar_t *set) {
    size_t length = 0;
    while (text[length] && !winsock_wcschr_(set, text[length])) length++;
    return length;
}

WINSOCK_INLINE wchar_t *winsock_wcspbrk_(const wchar_t *text, const wchar_t *set) {
    const wchar_t *found = text + wcscspn(text, set);
    return *found ? (wchar_t *)found : NULL;
}

WINSOCK_INLINE wchar_t *wcstok(wchar_t *text, const wchar_t *set, wchar_t **rest) {
    if (!text) text = *rest;
    text += wcsspn(text, set);
    wchar_t *end = text + wcscspn(text, set);
    *rest = *end ? end + 1 : end;
    if (end == text) return NULL;
    *end = 0;
    return text;
}

/* In C++ once for const text and once for other, where glibc has it so and not <cwchar>. */
#ifdef __CORRECT_ISO_CPP_WCHAR_H_PROTO
#define WINSOCK_SEARCH_(name, parameters, arguments) \
    extern "C++" { \
    inline const wchar_t *name(const wchar_t *text, parameters) { \
        return winsock_##name##_ arguments; \
    } \
    inline wchar_t *name(wchar_t *text, parameters) { return winsock_##name##_ arguments; } \
    }
#else
#define WINSOCK_SEARCH_(name, parameters, arguments) \
    WINSOCK_INLINE wchar_t *name(const wchar_t *text, parameters) { \
        return winsock_##name##_ arguments; \
    }
#endif
#define WINSOCK_AND_ ,
WINSOCK_SEARCH_(wmemchr, wchar_t unit WINSOCK_AND_ size_t count, (text, unit, count))
WINSOCK_SEARCH_(wcschr, wchar_t unit, (text, unit))
WINSOCK_SEARCH_(wcsrchr, wchar_t unit, (text, unit))
WINSOCK_SEARCH_(wcsstr, const wchar_t *part, (text, part))
WINSOCK_SEARCH_(wcspbrk, const wchar_t *set, (text, set))
#undef WINSOCK_SEARCH_
#undef WINSOCK_AND_

/*
 * Numbers: the narrow functions read them, whose text is the same.
 *
 * More digits than fit are cut: such a number is out of range, or its last digits do not matter.
 */
#define WINSOCK_DIGITS_ 1100

WINSOCK_BEGIN
long winsock_strtol_(const char *text, char **end, int base) __asm__("strtol");
unsigned long winsock_strtoul_(const char *text, char **end, int base) __asm__("strtoul");
long long winsock_strtoll_(const char *text, char **end, int base) __asm__("strtoll");
unsigned long long winsock_strtoull_(const char *text, char **end, int base) __asm__("strtoull");
float winsock_strtof_(const char *text, char **end) __asm__("strtof");
double winsock_strtod_(const char *text, char **end) __asm__("strtod");
long double winsock_strtold_(const char *text, char **end) __asm__("strtold");
WINSOCK_END

WINSOCK_INLINE const wchar_t *winsock_narrow_(const wchar_t *text, char *to) {
    const wchar_t *start = text;
    size_t count = 0;
    while (*start == L' ' || (*start >= L'\t' && *start <= L'\r')) start++;
    while (count < WINSOCK_DIGITS_ - 1 && start[count] > L' ' && start[count] < 0x7f) {
        to[count] = (char)start[count];
        count++;
    }
    to[count] = 0;
    return start;
}

#define WINSOCK_NUMBER_(type, name, parameters, call) \
    WINSOCK_INLINE type name parameters { \
        char digits[WINSOCK_DIGITS_], *past; \
        const wchar_t *start = winsock_narrow_(text, digits); \
        type value = call; \
        if (end) *end = (wchar_t *)(past == digits ? text : start + (past - digits)); \
        return value; \
    }
#define WINSOCK_INTEGER_(type, name, call) \
    WINSOCK_NUMBER_(type, name, (const wchar_t *text, wchar_t **end, int base), \
                    call(digits, &past, base))
#define WINSOCK_REAL_(type, name, call) \
    WINSOCK_NUMBER_(type, name, (const wchar_t *text, wchar_t **end), call(digits, &past))

WINSOCK_INTEGER_(long, wcstol, winsock_strtol_)
WINSOCK_INTEGER_(unsigned long, wcstoul, winsock_strtoul_)
WINSOCK_INTEGER_(long long, wcstoll, winsock_strtoll_)
WINSOCK_INTEGER_(unsigned long long, wcstoull, winsock_strtoull_)
WINSOCK_REAL_(float, wcstof, winsock_strtof_)
WINSOCK_REAL_(double, wcstod, winsock_strtod_)
WINSOCK_REAL_(long double, wcstold, winsock_strtold_)
#undef WINSOCK_INTEGER_
#undef WINSOCK_REAL_
#undef WINSOCK_NUMBER_

WINSOCK_INLINE wchar_t *wcsdup(const wchar_t *text) {
    size_t count = wcslen(text) + 1;
    wchar_t *copy = (wchar_t *)__builtin_malloc(count * sizeof(wchar_t));
    return copy ? wmemcpy(copy, text, count) : NULL;
}

#endif
