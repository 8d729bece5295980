/*
 * crt.c - what the C run-time library does beyond the standard, printed.
 *
 * `cargo xtask headers` compiles it with gcc and our headers, for both kinds of wide characters, and
 * with mingw and theirs. All must print the same.
 */
#include <winsock2.h>
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <tchar.h>

#define STRSAFE_NO_DEPRECATE
#include <strsafe.h>

static void formats(void) {
    printf("[%I64d %I64u %Iu %I32d]\n", -5LL, 18446744073709551615ULL, (size_t)7, -8);
    printf("[%ld %lu %lx %08lX]\n", (LONG)-1, (DWORD)-1, (DWORD)0xbeef, (DWORD)0xC0000005);
    printf("[%hd %hu %#x %#o %+d % d]\n", 65535, 65537, 255, 8, 5, 5);
    printf("[%5d|%-5d|%05d|%.3d|%*d|%-*d]\n", 42, 42, -42, 7, 4, 1, 4, 2);
    printf("[%f %.2f %g %8.3f %-8.1f|]\n", 1.5, 3.14159, 0.5, 2.0, 2.5);
    printf("[%s %S %ls %hs %ws]\n", "narrow", L"wide", L"wide", "narrow", L"wide");
    printf("[%8s|%-8s|%.2s|%.*s]\n", "right", "left", "cut", 3, "counted");
    printf("[%c%C%lc%hc %p %%]\n", 'a', L'b', L'c', 'd', (void *)0xbeef);
    printf("[%d %d %d %d %d %d %d %f %s %f]\n", 1, 2, 3, 4, 5, 6, 7, 8.0, "nine", 10.0);
    wprintf(L"[%s %S %hs %ls %c %C %d %I64d]\n", L"wide", "narrow", "narrow", L"wide", L'a', 'b', 3,
            4LL);
    fwprintf(stdout, L"[%8s|%-8s|%.2s]\n", L"right", L"left", L"cut");
}

static void buffers(void) {
    char text[8];
    wchar_t wide[8];
    memset(text, '#', sizeof text);
    printf("%d %.8s\n", _snprintf(text, 3, "%s", "hello"), text);
    memset(text, '#', sizeof text);
    printf("%d %.6s\n", _snprintf(text, 5, "%s", "hello"), text);
    printf("%d %s\n", _snprintf(text, 8, "%s", "hello"), text);
    printf("%d\n", _scprintf("%d-%s", 12, "abc"));
    printf("%d %s\n", sprintf_s(text, 8, "%d", 1234567), text);
    printf("%d %s\n", _snprintf_s(text, 8, 3, "%s", "hello"), text);
    printf("%d %s\n", _snprintf_s(text, 4, _TRUNCATE, "%s", "hello"), text);
    printf("%d %S\n", swprintf_s(wide, 8, L"%s-%d", L"ab", 5), wide);
    printf("%d %S\n", _snwprintf(wide, 8, L"%S", "hello"), wide);
}

static void texts(void) {
    char text[8];
    wchar_t wide[8];
    printf("%d %s\n", strcpy_s(text, 8, "abc"), text);
    printf("%d %s\n", strcat_s(text, 8, "def"), text);
    printf("%d %s\n", strncpy_s(text, 4, "abcdef", _TRUNCATE), text);
    printf("%d %s\n", strncpy_s(text, 8, "abcdef", 2), text);
    printf("%d %s\n", strncat_s(text, 8, "xyz", 1), text);
    printf("%d %S\n", wcscpy_s(wide, 8, L"abc"), wide);
    printf("%d %d\n", _stricmp("AbC", "aBc"), _strnicmp("abX", "ABy", 2));
    printf("%d %d\n", _wcsicmp(L"A", L"b") < 0, _wcsnicmp(L"abX", L"ABy", 3) < 0);
    strcpy_s(text, 8, "aBc1");
    printf("%s\n", _strupr(text));
    printf("%s\n", _strrev(text));
    printf("%s ", _itoa(-255, text, 10));
    printf("%s ", _itoa(255, text, 16));
    printf("%d %d %I64d\n", _wtoi(L" -42x"), _wtoi(L"7"), _atoi64("12345678901"));
    char list[] = ",a,,b;c,";
    char *rest = NULL;
    for (char *piece = strtok_s(list, ",;", &rest); piece; piece = strtok_s(NULL, ",;", &rest))
        printf("<%s>", piece);
    printf("\n%d %d\n", memcpy_s(text, 8, "abc", 4), (int)_countof(wide));
}

static void safe(void) {
    char text[8];
    wchar_t wide[8];
    size_t length = 99;
    printf("%08lX %s\n", StringCchCopyA(text, 8, "abc"), text);
    printf("%08lX %s\n", StringCchCopyA(text, 3, "abc"), text);
    printf("%08lX\n", StringCchCopyA(text, 0, "abc"));
    printf("%08lX %s\n", StringCchCatA(text, 8, "cdefgh"), text);
    printf("%08lX %s\n", StringCchCopyNA(text, 8, "abcdef", 2), text);
    printf("%08lX %s\n", StringCchPrintfA(text, 8, "%s-%d", "abc", 12345), text);
    printf("%08lX %S\n", StringCbPrintfW(wide, sizeof wide, L"%s-%d", L"abc", 123), wide);
    printf("%08lX %S\n", StringCbCopyW(wide, 3 * sizeof *wide, L"abc"), wide);
    printf("%08lX\n", StringCchLengthA("abc", 8, &length));
    printf("%Iu\n", length);
    printf("%08lX\n", StringCchLengthA("abc", 3, &length));
    printf("%Iu\n", length);
}

int main(void) {
    formats();
    buffers();
    texts();
    safe();
    return 0;
}
