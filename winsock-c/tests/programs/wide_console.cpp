// Wide and narrow output in turn, under the names that Windows has for locales.
// Compile with -municode
#include <winsock2.h>
#include <windows.h>
#include <iostream>
#include <locale>
#include <locale.h>
#include <stdio.h>
#include <string>

int wmain(int argc, wchar_t **argv)
{
    (void)argc, (void)argv;
    printf("%d\n", setlocale(LC_ALL, "korean") != NULL);
    printf("%d\n", setlocale(LC_ALL, "Korean_Korea.949") != NULL);
    printf("%d\n", _wsetlocale(LC_ALL, L"korean") != NULL);
    printf("%d\n", setlocale(LC_ALL, "no such locale") == NULL);
    printf("%d\n", setlocale(LC_ALL, "") != NULL);
    fflush(stdout);
    std::wstring name = L"wide";
    std::wcout << L"a " << name << L" line" << std::endl;
    std::cout << "a narrow one" << std::endl;
    printf("by printf\n");
    fflush(stdout);
    std::wcout << L"n = " << 12345 << L", " << (int)sizeof(int) << L'!' << std::endl;
    std::wcout.width(6);
    std::wcout << 42 << L"|" << std::endl;
    wprintf(L"by wprintf: %ls\n", L"text");
    fflush(stdout);
    std::wcout << (std::wcout.good() ? L"good" : L"failed") << std::endl;
    return 0;
}
