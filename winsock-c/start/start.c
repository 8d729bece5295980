/*
 * start.c - main, for programs that begin somewhere else.
 *
 * `winsock cc` compiles this file into a program that has a wmain, WinMain or wWinMain. The one
 * that is there is called as Microsoft's run-time library calls it. A main of the program's own
 * goes before this one, which is weak.
 */
#include <windows.h>

#include <stdlib.h>

#define IF_THERE(symbol) __asm__(symbol) __attribute__((__weak__))

/* The header declares both, so they have C's linkage in C++ too. */
extern int win_main(HINSTANCE, HINSTANCE, LPSTR, int) IF_THERE("WinMain");
extern int wide_win_main(HINSTANCE, HINSTANCE, LPWSTR, int) IF_THERE("wWinMain");

/* Microsoft's C++ gives wmain C's linkage. Here its name tells the parameters. */
typedef int wide_main(int, wchar_t **, wchar_t **);
extern wide_main wmain_c IF_THERE("wmain");
extern wide_main wmain_none IF_THERE("_Z5wmainv");
extern wide_main wmain_two IF_THERE("_Z5wmainiPPw");
extern wide_main wmain_const_two IF_THERE("_Z5wmainiPPKw");
extern wide_main wmain_two_const IF_THERE("_Z5wmainiPKPw");
extern wide_main wmain_const_const IF_THERE("_Z5wmainiPKPKw");
extern wide_main wmain_three IF_THERE("_Z5wmainiPPwS0_");

/* A wmain that says no exit code: `winsock cc` has it called otherwise. */
typedef void silent_main(int, wchar_t **, wchar_t **);
extern silent_main silent_c IF_THERE("winsock_wmain");
extern silent_main silent_none IF_THERE("_Z13winsock_wmainv");
extern silent_main silent_two IF_THERE("_Z13winsock_wmainiPPw");
extern silent_main silent_const_two IF_THERE("_Z13winsock_wmainiPPKw");
extern silent_main silent_two_const IF_THERE("_Z13winsock_wmainiPKPw");
extern silent_main silent_const_const IF_THERE("_Z13winsock_wmainiPKPKw");
extern silent_main silent_three IF_THERE("_Z13winsock_wmainiPPwS0_");

/* `void main` of C++, which no compiler here takes: `winsock cc` has it called otherwise. */
typedef void void_main(int, char **, char **);
extern void_main void_main_none IF_THERE("_Z12winsock_mainv");
extern void_main void_main_two IF_THERE("_Z12winsock_mainiPPc");
extern void_main void_main_const_two IF_THERE("_Z12winsock_mainiPPKc");
extern void_main void_main_two_const IF_THERE("_Z12winsock_mainiPKPc");
extern void_main void_main_three IF_THERE("_Z12winsock_mainiPPcS0_");

static wchar_t *wide(const char *text)
{
    int count = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    wchar_t *copy = malloc((count + 1) * sizeof *copy);
    if (copy == NULL)
        abort();
    copy[MultiByteToWideChar(CP_UTF8, 0, text, -1, copy, count)] = 0;
    return copy;
}

static wchar_t **wide_all(char **texts)
{
    size_t count = 0;
    while (texts[count] != NULL)
        count++;
    wchar_t **copies = calloc(count + 1, sizeof *copies);
    if (copies == NULL)
        abort();
    for (size_t at = 0; at < count; at++)
        copies[at] = wide(texts[at]);
    return copies;
}

/* The command line behind the program's name. */
static char *command_line(void)
{
    char *at = GetCommandLineA();
    int quoted = 0;
    for (; *at != 0 && (quoted || (*at != ' ' && *at != '\t')); at++)
        if (*at == '"')
            quoted = !quoted;
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static int run_void(int argc, char **argv, char **envp)
{
    void_main *const all[] = {void_main_none, void_main_two, void_main_const_two,
                              void_main_two_const, void_main_three};
    for (size_t at = 0; at < sizeof all / sizeof *all; at++) {
        if (all[at] != NULL) {
            all[at](argc, argv, envp);
            return 1;
        }
    }
    return 0;
}

__attribute__((__weak__)) int main(int argc, char **argv, char **envp)
{
    wide_main *const all[] = {wmain_c,         wmain_none,        wmain_two,  wmain_const_two,
                              wmain_two_const, wmain_const_const, wmain_three};
    for (size_t at = 0; at < sizeof all / sizeof *all; at++)
        if (all[at] != NULL)
            return all[at](argc, wide_all(argv), wide_all(envp));
    silent_main *const silent[] = {silent_c,         silent_none,        silent_two,  silent_const_two,
                                   silent_two_const, silent_const_const, silent_three};
    for (size_t at = 0; at < sizeof silent / sizeof *silent; at++) {
        if (silent[at] != NULL) {
            silent[at](argc, wide_all(argv), wide_all(envp));
            return 0;
        }
    }
    if (run_void(argc, argv, envp))
        return 0;
    if (wide_win_main != NULL)
        return wide_win_main(GetModuleHandleA(NULL), NULL, wide(command_line()), SW_SHOWDEFAULT);
    if (win_main != NULL)
        return win_main(GetModuleHandleA(NULL), NULL, command_line(), SW_SHOWDEFAULT);
    static const char none[] = "this program has no main, wmain, WinMain or wWinMain\n";
    WriteFile(GetStdHandle(STD_ERROR_HANDLE), none, sizeof none - 1, &(DWORD){0}, NULL);
    return 1;
}
