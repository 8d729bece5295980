/*
 * ntverp.h - which SDK this is.
 *
 * Programs and libraries ask for VER_PRODUCTBUILD to learn what the headers know: those of Windows 10
 * have 10240 and above.
 */
#ifndef WINSOCK_NTVERP_H
#define WINSOCK_NTVERP_H

#define VER_PRODUCTBUILD 10240
#define VER_PRODUCTBUILD_QFE 16384

#define VER_PRODUCTMAJORVERSION 10
#define VER_PRODUCTMINORVERSION 0

#endif
