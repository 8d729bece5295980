/*
 * wingdi.h - what window classes name of drawing. Nothing is drawn.
 */
#ifndef _WINGDI_
#define _WINGDI_

#include <windef.h>

WINSOCK_BEGIN

#define WHITE_BRUSH 0
#define LTGRAY_BRUSH 1
#define GRAY_BRUSH 2
#define DKGRAY_BRUSH 3
#define BLACK_BRUSH 4
#define NULL_BRUSH 5
#define HOLLOW_BRUSH NULL_BRUSH
#define RGB(r, g, b)                                                                               \
    ((COLORREF)(((BYTE)(r) | ((WORD)((BYTE)(g)) << 8)) | (((DWORD)(BYTE)(b)) << 16)))

HGDIOBJ WINAPI GetStockObject(int i);

WINSOCK_END

#endif
