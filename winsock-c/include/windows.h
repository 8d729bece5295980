/*
 * windows.h - the Win32 that network programs use.
 *
 * https://learn.microsoft.com/en-us/windows/win32/winprog/using-the-windows-headers
 *
 * What is declared works; what does not work is not declared. winsock-c/API.md lists all of it with
 * its limits. With WIN32_LEAN_AND_MEAN, Winsock and the smaller parts at the end stay out.
 */
#ifndef _WINDOWS_
#define _WINDOWS_
#ifndef _INC_WINDOWS
#define _INC_WINDOWS
#endif

#include <winsock/platform.h>

#include <sal.h>
#include <sdkddkver.h>

#include <excpt.h>
#include <stdarg.h>
#include <windef.h>

#include <winbase.h>
#include <wincon.h>
#include <wingdi.h>
#include <winnls.h>
#include <winuser.h>

#ifndef WIN32_LEAN_AND_MEAN
#include <mmsystem.h>
#include <wincrypt.h>
#define interface struct
#if !defined(_WINSOCKAPI_) && !defined(_WINSOCK2API_)
#include <winsock2.h>
#endif
#endif

#endif
