// wide_strings.cpp - what a program built for Unicode does to text all day.
// Compile with -municode
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <string>
#include <vector>

static std::string utf8(const std::wstring &text)
{
    char bytes[256];
    WideCharToMultiByte(CP_UTF8, 0, text.c_str(), -1, bytes, sizeof(bytes), NULL, NULL);
    return bytes;
}

int wmain(int argc, wchar_t **argv)
{
    (void)argc, (void)argv;

    // The C library
    wchar_t buffer[64];
    wcscpy(buffer, L"abc");
    wcscat(buffer, L"def");
    wcsncat(buffer, L"ghi", 2);
    printf("%s %d\n", utf8(buffer).c_str(), (int)wcslen(buffer));
    printf("%d %d %d\n", wcscmp(buffer, L"abcdefgh") == 0, wcscmp(L"a", L"b") < 0, wcsncmp(L"abc", L"abd", 2));
    printf("%d %d %d\n", (int)(wcschr(buffer, L'd') - buffer), (int)(wcsrchr(buffer, L'h') - buffer),
           wcschr(buffer, L'z') == NULL);
    printf("%d %d\n", (int)(wcsstr(L"aab", L"ab") != NULL), wcsstr(L"aab", L"ba") == NULL);
    printf("%d %d %s\n", (int)wcsspn(L"1234x", L"0123456789"), (int)wcscspn(L"key=value", L"="),
           utf8(wcspbrk(L"one;two,", L",;")).c_str());
    wchar_t *end;
    long number = wcstol(L"  42x", &end, 10);
    printf("%ld %s %lu %g\n", number, utf8(end).c_str(), wcstoul(L"ff", NULL, 16), wcstod(L"-2.5", NULL));
    wchar_t *copy = _wcsdup(L"copied");
    printf("%s\n", utf8(copy).c_str());
    free(copy);
    wmemset(buffer, L'-', 5);
    buffer[5] = 0;
    printf("%s %d\n", utf8(buffer).c_str(), wmemcmp(buffer, L"-----", 5));
    wcsncpy(buffer, L"ab", 5);
    printf("%d\n", buffer[4]);

    // The C++ library
    std::wstring text = L"Hello";
    text += L", ";
    text += std::wstring(L"wide world, longer than what fits in the object");
    std::wstring other = text.substr(7);
    other.insert(0, L"<<").append(5, L'x').replace(0, 2, L"[");
    std::vector<std::wstring> all(3, other);
    all.push_back(text);
    printf("%s\n%s\n", utf8(all[3]).c_str(), utf8(all[0]).c_str());
    printf("%d %d %d\n", (int)text.find(L"world"), text.compare(L"Hello") > 0, text == L"Hello");
    std::wstring numbers;
    for (int i = 0; i < 100; i++)
        numbers += std::to_wstring(i) + L" ";
    printf("%d %d\n", (int)numbers.size(), (int)numbers.rfind(L"99"));
    return 0;
}
