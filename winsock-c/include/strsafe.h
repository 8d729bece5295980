/*
 * strsafe.h - text into buffers of known size, always with a NUL at its end.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/strsafe/
 *
 * S_OK; STRSAFE_E_INSUFFICIENT_BUFFER with the text cut; STRSAFE_E_INVALID_PARAMETER for a size of 0
 * or beyond STRSAFE_MAX_CCH. StringCch* count characters, StringCb* bytes.
 */
#ifndef _STRSAFE_H_INCLUDED_
#define _STRSAFE_H_INCLUDED_

#include <winsock/platform.h>

#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

#include <winerror.h>
#include <winnt.h>

#define STRSAFE_MAX_CCH 2147483647
#define STRSAFE_E_INSUFFICIENT_BUFFER ((HRESULT)0x8007007AL)
#define STRSAFE_E_INVALID_PARAMETER ((HRESULT)0x80070057L)
#define STRSAFE_E_END_OF_FILE ((HRESULT)0x80070026L)

#define CHAR_ char
#define SAFE_(name) name##A
#define PRINT_ vsnprintf
#include <winsock/strsafe_of.h>
#undef CHAR_
#undef SAFE_
#undef PRINT_

#define CHAR_ WCHAR
#define SAFE_(name) name##W
#define PRINT_ _vsnwprintf
#include <winsock/strsafe_of.h>
#undef CHAR_
#undef SAFE_
#undef PRINT_

#ifdef UNICODE
#define StringCchLength StringCchLengthW
#define StringCchCopy StringCchCopyW
#define StringCchCopyN StringCchCopyNW
#define StringCchCat StringCchCatW
#define StringCchCatN StringCchCatNW
#define StringCchVPrintf StringCchVPrintfW
#define StringCchPrintf StringCchPrintfW
#define StringCbLength StringCbLengthW
#define StringCbCopy StringCbCopyW
#define StringCbCopyN StringCbCopyNW
#define StringCbCat StringCbCatW
#define StringCbCatN StringCbCatNW
#define StringCbVPrintf StringCbVPrintfW
#define StringCbPrintf StringCbPrintfW
#else
#define StringCchLength StringCchLengthA
#define StringCchCopy StringCchCopyA
#define StringCchCopyN StringCchCopyNA
#define StringCchCat StringCchCatA
#define StringCchCatN StringCchCatNA
#define StringCchVPrintf StringCchVPrintfA
#define StringCchPrintf StringCchPrintfA
#define StringCbLength StringCbLengthA
#define StringCbCopy StringCbCopyA
#define StringCbCopyN StringCbCopyNA
#define StringCbCat StringCbCatA
#define StringCbCatN StringCbCatNA
#define StringCbVPrintf StringCbVPrintfA
#define StringCbPrintf StringCbPrintfA
#endif

#endif
