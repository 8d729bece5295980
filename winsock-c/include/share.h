/*
 * share.h - what others may do with a file that _fsopen and _sopen_s open: anything. A Linux file is
 * never closed to others.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/sharing-constants
 */
#ifndef _INC_SHARE
#define _INC_SHARE

#include <winsock/platform.h>

#define _SH_COMPAT 0x00
#define _SH_DENYRW 0x10
#define _SH_DENYWR 0x20
#define _SH_DENYRD 0x30
#define _SH_DENYNO 0x40
#define _SH_SECURE 0x80

#define SH_COMPAT _SH_COMPAT
#define SH_DENYRW _SH_DENYRW
#define SH_DENYWR _SH_DENYWR
#define SH_DENYRD _SH_DENYRD
#define SH_DENYNO _SH_DENYNO

#endif
