/* secure_input.c - reads what a user types, as tutorials do since Visual Studio asks for scanf_s. */
#define _CRT_SECURE_NO_WARNINGS
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const char typed[] = "127.0.0.1 27015\nhello world\n  42 0x1F 017 -5 3.5 1e3\n"
                            "name=value; rest\nlast line\n";

int main(void)
{
    char host[32], word[16], name[8], value[8], small[4], one = '?', pair[2];
    wchar_t wide[16];
    int port = 0, count, a = 0, b = 0, c = 0, at = 0;
    float real = 0;
    double big = 0;
    long long huge = 0;
    char folder[MAX_PATH], path[MAX_PATH];
    FILE *file;

    /* Texts */
    count = sscanf_s("10.0.0.1:8080", "%31[0-9.]:%d", host, (unsigned)sizeof(host), &port);
    printf("%d %s %d\n", count, host, port);
    count = sscanf_s("abc def", "%s%c%c", word, (unsigned)_countof(word), &one, 1u, pair, 2u);
    printf("%d %s [%c] [%c]\n", count, word, one, pair[0]);
    count = sscanf_s("xy", "%2c", pair, (unsigned)sizeof(pair));
    printf("%d %c%c\n", count, pair[0], pair[1]);
    count = sscanf_s("toolong 5", "%s %d", small, (unsigned)sizeof(small), &a);
    printf("%d [%s] %d\n", count, small, a);
    count = sscanf_s("7 toolong 5", "%d %s %d", &b, small, (unsigned)sizeof(small), &a);
    printf("%d %d [%s] %d\n", count, b, small, a);
    count = sscanf_s("abc", "%3s", small, (unsigned)sizeof(small));
    printf("%d [%s]\n", count, small);
    count = sscanf_s("skip this 9", "%*s %*s %d", &a);
    printf("%d %d\n", count, a);
    count = sscanf_s("a-z]", "%7[]a-z-]", name, (unsigned)sizeof(name));
    printf("%d %s\n", count, name);
    count = sscanf_s("key=val;", "%[^=]=%[^;];%n", name, (unsigned)sizeof(name), value,
                     (unsigned)sizeof(value), &at);
    printf("%d %s %s %d\n", count, name, value, at);
    count = sscanf_s("wide text", "%ls %S", wide, (unsigned)_countof(wide), wide + 8, 8u);
    printf("%d %d %d\n", count, (int)wcslen(wide), wcscmp(wide + 8, L"text"));

    /* Numbers */
    count = sscanf_s("12 -7 ff 0x10 017", "%d %i %x %i %i", &a, &b, &c, &port, &at);
    printf("%d %d %d %d %d %d\n", count, a, b, c, port, at);
    count = sscanf_s("1.5 -2.25e2 12345678901234", "%f %lf %I64d", &real, &big, &huge);
    printf("%d %.2f %.2f %I64d\n", count, real, big, huge);
    count = sscanf_s("123456", "%3d%d", &a, &b);
    printf("%d %d %d\n", count, a, b);
    count = sscanf_s("50% off", "%d%% %s", &a, word, (unsigned)sizeof(word));
    printf("%d %d %s\n", count, a, word);
    a = -1;
    printf("%d ", sscanf_s("x", "%d", &a));
    printf("%d ", sscanf_s("", "%d", &a));
    printf("%d ", sscanf_s("1 x", "%d %d", &b, &a));
    printf("%d ", sscanf_s("1", "%d %d", &b, &a));
    printf("%d\n", sscanf_s("  ", "%s", word, (unsigned)sizeof(word)));

    /* Wide */
    count = swscanf_s(L"tcp 443 x", L"%s %d %hs", wide, (unsigned)_countof(wide), &port, word,
                      (unsigned)sizeof(word));
    printf("%d %d %d %s\n", count, wcscmp(wide, L"tcp"), port, word);
    count = swscanf(L"udp/53", L"%[^/]/%d", wide, &port);
    printf("%d %d %d\n", count, wcscmp(wide, L"udp"), port);
    count = swscanf_s(L"overlong", L"%s", wide, 4u);
    printf("%d %d\n", count, wide[0]);

    /* A file, and then what is typed */
    GetTempPathA(MAX_PATH, folder);
    GetTempFileNameA(folder, "inp", 0, path);
    if (fopen_s(&file, path, "wb") != 0) return 1;
    fwrite(typed, 1, sizeof(typed) - 1, file);
    fclose(file);

    if (fopen_s(&file, path, "r") != 0) return 2;
    count = fscanf_s(file, "%s %d", host, (unsigned)sizeof(host), &port);
    printf("%d %s %d\n", count, host, port);
    count = fscanf_s(file, " %[^\n]", word, (unsigned)sizeof(word));
    printf("%d %s\n", count, word);
    count = fwscanf_s(file, L"%d %x %o", &a, &b, &c);
    printf("%d %d %d %d\n", count, a, b, c);
    if (fgetws(wide, 4, file)) printf("%d\n", wcscmp(wide, L" -5"));
    if (fgetws(wide, _countof(wide), file)) printf("%d\n", wcscmp(wide, L" 3.5 1e3\n"));
    fclose(file);

    if (freopen_s(&file, path, "r", stdin) != 0) return 3;
    count = scanf_s("%31s", host, (unsigned)_countof(host));
    printf("%d %s\n", count, host);
    count = scanf_s("%d", &port);
    printf("%d %d\n", count, port);
    count = wscanf_s(L"%s", wide, (unsigned)_countof(wide));
    printf("%d %d\n", count, wcscmp(wide, L"hello"));
    count = scanf_s(" %c", &one, 1u);
    printf("%d %c\n", count, one);
    fclose(stdin);
    printf("%d\n", DeleteFileA(path));
    return 0;
}
