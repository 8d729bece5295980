/* tchar_files.c - reads a list of hosts from a file, in a program written for either kind of text. */
/* Compile with -DUNICODE -D_UNICODE */
#define _CRT_SECURE_NO_WARNINGS
#include <windows.h>
#include <tchar.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    TCHAR folder[MAX_PATH], path[MAX_PATH], line[64], *word, host[32];
    TCHAR list[] = _T("one,two;;three"), *rest;
    wchar_t wide[8];
    char bytes[8];
    size_t count = 99;
    int port, error;
    FILE *file;

    /* Bytes and wide characters */
    error = mbstowcs_s(&count, wide, _countof(wide), "abc", _TRUNCATE);
    printf("%d %d %d\n", error, (int)count, wcscmp(wide, L"abc"));
    error = mbstowcs_s(&count, wide, _countof(wide), "abcdefghi", 2);
    printf("%d %d %d\n", error, (int)count, wcscmp(wide, L"ab"));
    error = mbstowcs_s(&count, NULL, 0, "abcdefghi", 0);
    printf("%d %d\n", error, (int)count);
    error = mbstowcs_s(&count, wide, _countof(wide), "abcdefghi", _TRUNCATE);
    printf("%d %d %d\n", error == STRUNCATE, (int)count, wcscmp(wide, L"abcdefg"));
    error = wcstombs_s(&count, bytes, sizeof(bytes), L"1234567", sizeof(bytes) - 1);
    printf("%d %d %s\n", error, (int)count, bytes);
    error = wcstombs_s(&count, bytes, sizeof(bytes), L"12345678", _TRUNCATE);
    printf("%d %d %s\n", error == STRUNCATE, (int)count, bytes);
    error = wcstombs_s(&count, NULL, 0, L"12345678", 0);
    printf("%d %d\n", error, (int)count);

    /* A file of lines */
    GetTempPath(MAX_PATH, folder);
    GetTempFileName(folder, _T("hos"), 0, path);
    if (_tfopen_s(&file, path, _T("w")) != 0) return 1;
    _ftprintf(file, _T("127.0.0.1 80\nlocalhost 443\n"));
    fclose(file);
    file = _tfopen(path, _T("r"));
    if (!file) return 2;
    while (_fgetts(line, _countof(line), file)) {
        port = 0;
        error = _stscanf_s(line, _T("%31s %d"), host, (unsigned)_countof(host), &port);
        printf("%d %d %d\n", error, (int)_tcslen(host), port);
    }
    printf("%d\n", feof(file) != 0);
    fclose(file);

    /* The same in UTF-8 */
    if (_tfopen_s(&file, path, _T("w, ccs=UTF-8")) != 0) return 3;
    fputws(L"Gr\u00fc\u00dfe 7\n", file);
    fclose(file);
    if (_tfopen_s(&file, path, _T("rt, ccs=UTF-8")) != 0) return 4;
    if (fgetws(wide, 6, file)) printf("%d\n", wcscmp(wide, L"Gr\u00fc\u00dfe"));
    if (fgetws(wide, 8, file)) printf("%d\n", _wtoi(wide));
    fclose(file);
    printf("%d\n", DeleteFile(path));
    printf("%d\n", _tfopen_s(&file, path, _T("r")) == ENOENT && file == NULL);
    printf("%d\n", _tfopen(path, _T("r")) == NULL && errno == ENOENT);

    /* Pieces */
    for (word = _tcstok_s(list, _T(",;"), &rest); word; word = _tcstok_s(NULL, _T(",;"), &rest))
        printf("%d ", (int)_tcslen(word));
    printf("%d %d %.1f\n", _ttoi(_T(" 42x")), (int)_ttol(_T("-7")), _tstof(_T("2.5")));
    return 0;
}
