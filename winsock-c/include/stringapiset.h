/*
 * stringapiset.h - wide text to bytes and back.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/stringapiset/
 *
 * CP_ACP and CP_OEMCP are UTF-8. Other code pages are refused: ERROR_INVALID_PARAMETER.
 */
#ifndef _APISETSTRING_
#define _APISETSTRING_

#include <minwinbase.h>

WINSOCK_BEGIN

#define CP_ACP 0
#define CP_OEMCP 1
#define CP_MACCP 2
#define CP_THREAD_ACP 3
#define CP_SYMBOL 42
#define CP_UTF7 65000
#define CP_UTF8 65001
#define MB_PRECOMPOSED 0x00000001
#define MB_COMPOSITE 0x00000002
#define MB_USEGLYPHCHARS 0x00000004
#define MB_ERR_INVALID_CHARS 0x00000008
#define WC_DISCARDNS 0x00000010
#define WC_SEPCHARS 0x00000020
#define WC_DEFAULTCHAR 0x00000040
#define WC_COMPOSITECHECK 0x00000200
#define WC_ERR_INVALID_CHARS 0x00000080
#define WC_NO_BEST_FIT_CHARS 0x00000400

int WINAPI MultiByteToWideChar(UINT CodePage, DWORD dwFlags, LPCCH lpMultiByteStr, int cbMultiByte,
                               LPWSTR lpWideCharStr, int cchWideChar)
    WINSOCK_WIDE(MultiByteToWideChar);
int WINAPI WideCharToMultiByte(UINT CodePage, DWORD dwFlags, LPCWCH lpWideCharStr, int cchWideChar,
                               LPSTR lpMultiByteStr, int cbMultiByte, LPCCH lpDefaultChar,
                               LPBOOL lpUsedDefaultChar) WINSOCK_WIDE(WideCharToMultiByte);
UINT WINAPI GetACP(void);
UINT WINAPI GetOEMCP(void);

WINSOCK_END

#endif
