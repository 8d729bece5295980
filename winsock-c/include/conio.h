/*
 * conio.h - the keyboard, key by key. If the standard input is no terminal, its bytes are the keys.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/console-and-port-i-o
 */
#ifndef _INC_CONIO
#define _INC_CONIO

#include <winsock/platform.h>

#include <stdio.h>

WINSOCK_BEGIN

int __cdecl _kbhit(void); /* whether a key waits */
int __cdecl _getch(void); /* the next key, not echoed */
int __cdecl _getche(void);
int __cdecl _putch(int c);
#define kbhit _kbhit
#define getch _getch
#define getche _getche
#define putch _putch
#define _cprintf printf
#define _cputs(text) fputs(text, stdout)

WINSOCK_END

#endif
