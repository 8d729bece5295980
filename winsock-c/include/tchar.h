/*
 * tchar.h - names that mean the wide function with _UNICODE, and the one with bytes without.
 *
 * https://learn.microsoft.com/en-us/cpp/text/generic-text-mappings-in-tchar-h
 */
#ifndef _INC_TCHAR
#define _INC_TCHAR

#include <winsock/platform.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#include <minwindef.h>

#ifdef _UNICODE

typedef wchar_t _TCHAR;
typedef wchar_t _TSCHAR, _TUCHAR, _TXCHAR;
typedef wint_t _TINT;
#define __T(quote) L##quote
#define _tmain wmain
#define _tWinMain wWinMain

#define _fgetts        fgetws
#define _fputts        fputws
#define _ftprintf      fwprintf
#define _ftprintf_s    fwprintf_s
#define _ftscanf       fwscanf
#define _ftscanf_s     fwscanf_s
#define _getts_s       _getws_s
#define _istalnum      iswalnum
#define _istalpha      iswalpha
#define _istdigit      iswdigit
#define _istlower      iswlower
#define _istprint      iswprint
#define _istpunct      iswpunct
#define _istspace      iswspace
#define _istupper      iswupper
#define _istxdigit     iswxdigit
#define _putts         _putws
#define _sntprintf     _snwprintf
#define _sntprintf_s   _snwprintf_s
#define _stprintf      _swprintf
#define _stprintf_s    swprintf_s
#define _stscanf       swscanf
#define _stscanf_s     swscanf_s
#define _tcscat        wcscat
#define _tcscat_s      wcscat_s
#define _tcschr        wcschr
#define _tcsclen       wcslen
#define _tcscmp        wcscmp
#define _tcscoll       wcscoll
#define _tcscpy        wcscpy
#define _tcscpy_s      wcscpy_s
#define _tcscspn       wcscspn
#define _tcsdup        _wcsdup
#define _tcsftime      wcsftime
#define _tcsicmp       _wcsicmp
#define _tcslen        wcslen
#define _tcslwr        _wcslwr
#define _tcsncat       wcsncat
#define _tcsncat_s     wcsncat_s
#define _tcsnccpy      wcsncpy
#define _tcsncmp       wcsncmp
#define _tcsncpy       wcsncpy
#define _tcsncpy_s     wcsncpy_s
#define _tcsnicmp      _wcsnicmp
#define _tcsnlen       wcsnlen
#define _tcspbrk       wcspbrk
#define _tcsrchr       wcsrchr
#define _tcsrev        _wcsrev
#define _tcsspn        wcsspn
#define _tcsstr        wcsstr
#define _tcstod        wcstod
#define _tcstok        winsock_wcstok_
#define _tcstok_s      wcstok_s
#define _tcstol        wcstol
#define _tcstoul       wcstoul
#define _tcsupr        _wcsupr
#define _tfopen        _wfopen
#define _tfopen_s      _wfopen_s
#define _totlower      towlower
#define _totupper      towupper
#define _tprintf       wprintf
#define _tprintf_s     wprintf_s
#define _tscanf        wscanf
#define _tscanf_s      wscanf_s
#define _tsetlocale    _wsetlocale
#define _tstof         _wtof
#define _tstoi         _wtoi
#define _ttof          _wtof
#define _ttoi          _wtoi
#define _ttoi64        _wtoi64
#define _ttol          _wtol
#define _vftprintf     vfwprintf
#define _vsctprintf    _vscwprintf
#define _vsntprintf    _vsnwprintf
#define _vsntprintf_s  _vsnwprintf_s
#define _vstprintf_s   vswprintf_s
#define _vtprintf      vwprintf

#else

typedef char _TCHAR;
typedef signed char _TSCHAR;
typedef unsigned char _TUCHAR;
typedef char _TXCHAR;
typedef int _TINT;
#define __T(quote) quote
#define _tmain main
#define _tWinMain WinMain

#define _fgetts        fgets
#define _fputts        fputs
#define _ftprintf      fprintf
#define _ftprintf_s    fprintf_s
#define _ftscanf       fscanf
#define _ftscanf_s     fscanf_s
#define _getts_s       gets_s
#define _istalnum      isalnum
#define _istalpha      isalpha
#define _istdigit      isdigit
#define _istlower      islower
#define _istprint      isprint
#define _istpunct      ispunct
#define _istspace      isspace
#define _istupper      isupper
#define _istxdigit     isxdigit
#define _putts         puts
#define _sntprintf     _snprintf
#define _sntprintf_s   _snprintf_s
#define _stprintf      sprintf
#define _stprintf_s    sprintf_s
#define _stscanf       sscanf
#define _stscanf_s     sscanf_s
#define _tcscat        strcat
#define _tcscat_s      strcat_s
#define _tcschr        strchr
#define _tcsclen       strlen
#define _tcscmp        strcmp
#define _tcscoll       strcoll
#define _tcscpy        strcpy
#define _tcscpy_s      strcpy_s
#define _tcscspn       strcspn
#define _tcsdup        _strdup
#define _tcsftime      strftime
#define _tcsicmp       _stricmp
#define _tcslen        strlen
#define _tcslwr        _strlwr
#define _tcsncat       strncat
#define _tcsncat_s     strncat_s
#define _tcsnccpy      strncpy
#define _tcsncmp       strncmp
#define _tcsncpy       strncpy
#define _tcsncpy_s     strncpy_s
#define _tcsnicmp      _strnicmp
#define _tcsnlen       strnlen
#define _tcspbrk       strpbrk
#define _tcsrchr       strrchr
#define _tcsrev        _strrev
#define _tcsspn        strspn
#define _tcsstr        strstr
#define _tcstod        strtod
#define _tcstok        strtok
#define _tcstok_s      strtok_s
#define _tcstol        strtol
#define _tcstoul       strtoul
#define _tcsupr        _strupr
#define _tfopen        fopen
#define _tfopen_s      fopen_s
#define _totlower      tolower
#define _totupper      toupper
#define _tprintf       printf
#define _tprintf_s     printf_s
#define _tscanf        scanf
#define _tscanf_s      scanf_s
#define _tsetlocale    setlocale
#define _tstof         atof
#define _tstoi         atoi
#define _ttof          atof
#define _ttoi          atoi
#define _ttoi64        _atoi64
#define _ttol          atol
#define _vftprintf     vfprintf
#define _vsctprintf    _vscprintf
#define _vsntprintf    _vsnprintf
#define _vsntprintf_s  _vsnprintf_s
#define _vstprintf_s   vsprintf_s
#define _vtprintf      vprintf

#endif

#define _T(quote) __T(quote)
#define _TEXT(quote) __T(quote)

#endif
