/*
 * wchar.h - glibc's, with Microsoft's names beyond the standard; see winsock/crt.h and stdio.h.
 *
 * With -fshort-wchar what stands here takes the 2-byte wchar_t, and so do wcslen, wcscpy, wcstol and
 * their like, of winsock/short_wchar.h. What reads other encodings (mbrtowc) is glibc's, and does not:
 * it is compiled for 4 bytes.
 *
 * wscanf and its family have Microsoft's formats, and they and fgetws read a stream as UTF-8. It may
 * be read by scanf and fgets too.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/string-manipulation-crt
 */
#pragma GCC system_header
#include <winsock/platform.h>

#include <features.h>
#pragma push_macro("__USE_FORTIFY_LEVEL")
#undef __USE_FORTIFY_LEVEL
#define __USE_FORTIFY_LEVEL 0
#define fgetws winsock_glibc_fgetws
#define wscanf winsock_glibc_wscanf
#define fwscanf winsock_glibc_fwscanf
#define swscanf winsock_glibc_swscanf
#define vwscanf winsock_glibc_vwscanf
#define vfwscanf winsock_glibc_vfwscanf
#define vswscanf winsock_glibc_vswscanf
#if __SIZEOF_WCHAR_T__ == 2
#define wmemcpy winsock_glibc_wmemcpy
#define wmemmove winsock_glibc_wmemmove
#define wmemset winsock_glibc_wmemset
#define wmemcmp winsock_glibc_wmemcmp
#define wmemchr winsock_glibc_wmemchr
#define wcsnlen winsock_glibc_wcsnlen
#define wcslen winsock_glibc_wcslen
#define wcscpy winsock_glibc_wcscpy
#define wcsncpy winsock_glibc_wcsncpy
#define wcscat winsock_glibc_wcscat
#define wcsncat winsock_glibc_wcsncat
#define wcsncmp winsock_glibc_wcsncmp
#define wcscmp winsock_glibc_wcscmp
#define wcscoll winsock_glibc_wcscoll
#define wcsxfrm winsock_glibc_wcsxfrm
#define wcschr winsock_glibc_wcschr
#define wcsrchr winsock_glibc_wcsrchr
#define wcsstr winsock_glibc_wcsstr
#define wcsspn winsock_glibc_wcsspn
#define wcscspn winsock_glibc_wcscspn
#define wcspbrk winsock_glibc_wcspbrk
#define wcstok winsock_glibc_wcstok
#define wcstol winsock_glibc_wcstol
#define wcstoul winsock_glibc_wcstoul
#define wcstoll winsock_glibc_wcstoll
#define wcstoull winsock_glibc_wcstoull
#define wcstof winsock_glibc_wcstof
#define wcstod winsock_glibc_wcstod
#define wcstold winsock_glibc_wcstold
#define wcsdup winsock_glibc_wcsdup
#endif
#include_next <wchar.h>
#undef fgetws
#undef wscanf
#undef fwscanf
#undef swscanf
#undef vwscanf
#undef vfwscanf
#undef vswscanf
#if __SIZEOF_WCHAR_T__ == 2
#undef wmemcpy
#undef wmemmove
#undef wmemset
#undef wmemcmp
#undef wmemchr
#undef wcsnlen
#undef wcslen
#undef wcscpy
#undef wcsncpy
#undef wcscat
#undef wcsncat
#undef wcsncmp
#undef wcscmp
#undef wcscoll
#undef wcsxfrm
#undef wcschr
#undef wcsrchr
#undef wcsstr
#undef wcsspn
#undef wcscspn
#undef wcspbrk
#undef wcstok
#undef wcstol
#undef wcstoul
#undef wcstoll
#undef wcstoull
#undef wcstof
#undef wcstod
#undef wcstold
#undef wcsdup
#endif
#pragma pop_macro("__USE_FORTIFY_LEVEL")
/* Parts of glibc take no more of it than mbstate_t, and come back for the rest. */
#if !defined(WINSOCK_WCHAR_H) && defined(_WCHAR_H)
#define WINSOCK_WCHAR_H

#include <stdarg.h>

#include <winsock/crt.h>
#include <winsock/scan.h>

#if __SIZEOF_WCHAR_T__ == 2
#include <winsock/short_wchar.h>
#endif

#define CHAR_ wchar_t
#define TEXT_(name) wcs##name
#define UNDER_(name) _wcs##name
#define WINSOCK_LETTER_ winsock_wlower_
#define WINSOCK_UNIT_(unit) ((int)(unit))
#define WINSOCK_APPEND_ winsock_wappend_
#include <winsock/strings_of.h>
#undef CHAR_
#undef TEXT_
#undef UNDER_
#undef WINSOCK_LETTER_
#undef WINSOCK_UNIT_
#undef WINSOCK_APPEND_

/* A number at the start of a text, as atoll has it. */
WINSOCK_INLINE long long _wtoi64(const wchar_t *text) {
    unsigned long long value = 0;
    while (*text == L' ' || (*text >= L'\t' && *text <= L'\r')) text++;
    int negative = *text == L'-';
    if (negative || *text == L'+') text++;
    for (; *text >= L'0' && *text <= L'9'; text++) value = value * 10 + (unsigned)(*text - L'0');
    return (long long)(negative ? 0 - value : value);
}
WINSOCK_INLINE int _wtoi(const wchar_t *text) {
    return (int)_wtoi64(text);
}
#define _wtol _wtoi

WINSOCK_INLINE double _wtof(const wchar_t *text) {
    return wcstod(text, NULL);
}

/* wcstok with two arguments, as _tcstok has: every thread has a place of its own. */
WINSOCK_BEGIN
__attribute__((weak)) __thread wchar_t *winsock_wcstok_rest_;
WINSOCK_END
WINSOCK_INLINE wchar_t *winsock_wcstok_(wchar_t *text, const wchar_t *separators) {
    if (text) winsock_wcstok_rest_ = text;
    if (!winsock_wcstok_rest_) return NULL;
    return wcstok_s(text, separators, &winsock_wcstok_rest_);
}

#define wcsicmp _wcsicmp
#define wcsnicmp _wcsnicmp

WINSOCK_INLINE errno_t wmemcpy_s(wchar_t *to, size_t room, const wchar_t *from, size_t count) {
    if (count == 0) return 0;
    if (!to) return EINVAL;
    if (!from || room < count) {
        __builtin_memset(to, 0, room * sizeof(wchar_t));
        return from ? ERANGE : EINVAL;
    }
    __builtin_memcpy(to, from, count * sizeof(wchar_t));
    return 0;
}

WINSOCK_BEGIN

struct _IO_FILE;
int wprintf(const wchar_t *__restrict format, ...) WINSOCK_WIDE_OWN(wprintf);
int fwprintf(struct _IO_FILE *__restrict stream, const wchar_t *__restrict format, ...)
    WINSOCK_WIDE_OWN(fwprintf);
int swprintf(wchar_t *__restrict to, size_t room, const wchar_t *__restrict format, ...)
    WINSOCK_NOTHROW WINSOCK_WIDE_OWN(swprintf);
int vwprintf(const wchar_t *__restrict format, va_list list) WINSOCK_WIDE_OWN(vwprintf);
int vfwprintf(struct _IO_FILE *__restrict stream, const wchar_t *__restrict format, va_list list)
    WINSOCK_WIDE_OWN(vfwprintf);
int vswprintf(wchar_t *__restrict to, size_t room, const wchar_t *__restrict format, va_list list)
    WINSOCK_NOTHROW WINSOCK_WIDE_OWN(vswprintf);
int fputws(const wchar_t *__restrict text, struct _IO_FILE *__restrict stream)
    WINSOCK_WIDE_OWN(fputws);
int __cdecl _vsnwprintf(wchar_t *to, size_t room, const wchar_t *format, va_list list)
    WINSOCK_WIDE_OWN(_vsnwprintf);

WINSOCK_END

WINSOCK_INLINE int _snwprintf(wchar_t *to, size_t room, const wchar_t *format, ...) {
    va_list list;
    va_start(list, format);
    int length = _vsnwprintf(to, room, format, list);
    va_end(list);
    return length;
}

WINSOCK_INLINE int _vscwprintf(const wchar_t *format, va_list list) {
    return _vsnwprintf(NULL, 0, format, list);
}

WINSOCK_INLINE int _vsnwprintf_s(wchar_t *to, size_t room, size_t count, const wchar_t *format,
                                 va_list list) {
    if (!to || room == 0 || !format) {
        errno = EINVAL;
        return -1;
    }
    size_t most = count < room ? count + 1 : room;
    int length = vswprintf(to, most, format, list);
    if (length < 0 && count != _TRUNCATE && count >= room) {
        to[0] = 0;
        errno = ERANGE;
    }
    return length;
}

WINSOCK_INLINE int vswprintf_s(wchar_t *to, size_t room, const wchar_t *format, va_list list) {
    return _vsnwprintf_s(to, room, (size_t)-2, format, list);
}

WINSOCK_INLINE int swprintf_s(wchar_t *to, size_t room, const wchar_t *format, ...) {
    va_list list;
    va_start(list, format);
    int length = vswprintf_s(to, room, format, list);
    va_end(list);
    return length;
}

WINSOCK_INLINE int _snwprintf_s(wchar_t *to, size_t room, size_t count, const wchar_t *format, ...) {
    va_list list;
    va_start(list, format);
    int length = _vsnwprintf_s(to, room, count, format, list);
    va_end(list);
    return length;
}

#ifdef __cplusplus
extern "C++" {
template <size_t Room_, typename... More_>
inline int swprintf_s(wchar_t (&to)[Room_], const wchar_t *format, More_... more) {
    return swprintf_s(to, Room_, format, more...);
}
template <size_t Room_, typename... More_>
inline int _snwprintf_s(wchar_t (&to)[Room_], size_t count, const wchar_t *format, More_... more) {
    return _snwprintf_s(to, Room_, count, format, more...);
}
}
#endif

#define CHAR_ wchar_t
#define SCAN_(name) winsock_wscan_##name##_
#include <winsock/scan_of.h>
WINSOCK_SCANS_(wscanf, , stdin, NULL, 0)
WINSOCK_SCANS_(wscanf_s, , stdin, NULL, 1)
WINSOCK_SCANS_(fwscanf, struct _IO_FILE *stream WINSOCK_COMMA_, stream, NULL, 0)
WINSOCK_SCANS_(fwscanf_s, struct _IO_FILE *stream WINSOCK_COMMA_, stream, NULL, 1)
WINSOCK_SCANS_(swscanf, const wchar_t *text WINSOCK_COMMA_, NULL, text, 0)
WINSOCK_SCANS_(swscanf_s, const wchar_t *text WINSOCK_COMMA_, NULL, text, 1)
#undef WINSOCK_SCANS_
#undef WINSOCK_COMMA_
#undef SCAN_
#undef CHAR_

/* A line with its end, or as much of it as there is room for. */
WINSOCK_INLINE wchar_t *fgetws(wchar_t *to, int room, struct _IO_FILE *stream) {
    if (!to || room <= 0 || !stream) {
        errno = EINVAL;
        return NULL;
    }
    struct winsock_wscan_source_ from = {stream, NULL, 0, 0};
    int length = 0, c = 0;
    while (length < room - 1 && c != '\n') {
        c = winsock_wscan_get_(&from);
        if (c < 0) break;
        to[length++] = (wchar_t)c;
    }
    /* Half a character stays for the next line. */
    if (from.low && length > 1) winsock_wscan_back_(&from, (int)to[--length]);
    to[length] = 0;
    return length > 0 || room == 1 ? to : NULL;
}

#define wprintf_s wprintf
#define fwprintf_s fwprintf
#define _swprintf(to, ...) swprintf(to, (size_t)-1 / sizeof(wchar_t), __VA_ARGS__)

#endif
