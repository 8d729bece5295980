/*
 * inttypes.h - glibc's. Its 64-bit formats are of %ld, which is Windows' here; see stdio.h.
 */
#pragma GCC system_header
#include_next <inttypes.h>
#ifndef WINSOCK_INTTYPES_H
#define WINSOCK_INTTYPES_H

#undef PRId64
#undef PRIi64
#undef PRIo64
#undef PRIu64
#undef PRIx64
#undef PRIX64
#define PRId64 "jd"
#define PRIi64 "ji"
#define PRIo64 "jo"
#define PRIu64 "ju"
#define PRIx64 "jx"
#define PRIX64 "jX"
#undef PRIdMAX
#undef PRIuMAX
#undef PRIxMAX
#define PRIdMAX "jd"
#define PRIuMAX "ju"
#define PRIxMAX "jx"
#undef PRIdPTR
#undef PRIuPTR
#undef PRIxPTR
#undef PRIXPTR
#define PRIdPTR "jd"
#define PRIuPTR "ju"
#define PRIxPTR "jx"
#define PRIXPTR "jX"

#endif
