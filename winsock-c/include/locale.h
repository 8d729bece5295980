/*
 * locale.h - glibc's, with Windows' names of locales and Microsoft's names beyond the standard.
 *
 * "korean", "Korean_Korea.949", "ko-KR" and "" are taken wherever the system has no such locale: text is
 * UTF-8 here in all of them. What is no locale's name is refused.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/setlocale-wsetlocale
 */
#pragma GCC system_header
#include_next <locale.h>
#ifndef WINSOCK_LOCALE_H
#define WINSOCK_LOCALE_H

#include <winsock/crt.h>

WINSOCK_BEGIN

char *setlocale(int category, const char *name) WINSOCK_NOTHROW WINSOCK_OWN(setlocale);
wchar_t *__cdecl _wsetlocale(int category, const wchar_t *name) WINSOCK_WIDE(_wsetlocale);
/* What C++'s std::locale makes itself of. */
void *winsock_newlocale(int categories, const char *name, void *base);

WINSOCK_END

#endif
