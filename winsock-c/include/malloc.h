/*
 * malloc.h - glibc's, with Microsoft's names beyond the standard.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/memory-allocation
 */
#pragma GCC system_header
#include_next <malloc.h>
#ifndef WINSOCK_MALLOC_H
#define WINSOCK_MALLOC_H

#include <stdlib.h>

#define _alloca(size) __builtin_alloca(size)

/* From the stack if it is little, on Windows. _freea knows where it came from. */
#define _malloca(size) malloc(size)
#define _freea(memory) free(memory)

WINSOCK_INLINE void *_aligned_malloc(size_t size, size_t alignment) {
    void *memory = NULL;
    if (alignment < sizeof(void *)) alignment = sizeof(void *);
    int failed = posix_memalign(&memory, alignment, size);
    if (failed) errno = failed;
    return failed ? NULL : memory;
}
#define _aligned_free(memory) free(memory)

#endif
