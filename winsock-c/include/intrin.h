/*
 * intrin.h - functions that Microsoft's compiler has built in.
 *
 * https://learn.microsoft.com/en-us/cpp/intrinsics/compiler-intrinsics
 *
 * The index of a bit goes through a pointer to an `unsigned long`, which here may have 32 bits
 * (DWORD) or 64: these are macros, for which it does not matter.
 */
#pragma GCC system_header
#ifndef WINSOCK_INTRIN_H
#define WINSOCK_INTRIN_H

#include <winsock/platform.h>

#include <stdlib.h>

#include <winnt.h>

#if defined(__x86_64__)
#include <x86intrin.h>

#include <cpuid.h>
#undef __cpuid

WINSOCK_INLINE void winsock_cpuid_(int info[4], int leaf, int part) {
    unsigned a, b, c, d;
    __cpuid_count((unsigned)leaf, (unsigned)part, a, b, c, d);
    info[0] = (int)a;
    info[1] = (int)b;
    info[2] = (int)c;
    info[3] = (int)d;
}
#define __cpuid(info, leaf) winsock_cpuid_(info, leaf, 0)
#define __cpuidex(info, leaf, part) winsock_cpuid_(info, leaf, part)
#define __nop() __asm__ __volatile__("nop")
#else
#define __yield() __asm__ __volatile__("yield")
#define __nop() __asm__ __volatile__("nop")
#endif

#define _AddressOfReturnAddress() ((void *)((char *)__builtin_frame_address(0) + sizeof(void *)))
#define _ReturnAddress() __builtin_return_address(0)

#define WINSOCK_SCAN_(type, index, mask, number)                       \
    __extension__({                                                    \
        type winsock_mask_ = (type)(mask);                             \
        if (winsock_mask_ != 0) *(index) = (unsigned)(number);         \
        (unsigned char)(winsock_mask_ != 0);                           \
    })
#define _BitScanForward(index, mask) \
    WINSOCK_SCAN_(unsigned, index, mask, __builtin_ctz(winsock_mask_))
#define _BitScanReverse(index, mask) \
    WINSOCK_SCAN_(unsigned, index, mask, 31 - __builtin_clz(winsock_mask_))
#define _BitScanForward64(index, mask) \
    WINSOCK_SCAN_(unsigned long long, index, mask, __builtin_ctzll(winsock_mask_))
#define _BitScanReverse64(index, mask) \
    WINSOCK_SCAN_(unsigned long long, index, mask, 63 - __builtin_clzll(winsock_mask_))

#define __popcnt16(value) ((unsigned short)__builtin_popcount((unsigned short)(value)))
#define __popcnt(value) ((unsigned)__builtin_popcount((unsigned)(value)))
#define __popcnt64(value) ((unsigned long long)__builtin_popcountll(value))
#define __lzcnt(value) \
    ((unsigned)(value) ? (unsigned)__builtin_clz((unsigned)(value)) : 32u)
#define __lzcnt64(value) \
    ((unsigned long long)((value) ? __builtin_clzll((unsigned long long)(value)) : 64))

#define _bittest(base, bit) \
    ((unsigned char)((((const unsigned *)(base))[(bit) >> 5] >> ((bit) & 31)) & 1))
#define _bittest64(base, bit) \
    ((unsigned char)((((const unsigned long long *)(base))[(bit) >> 6] >> ((bit) & 63)) & 1))

#define _rotl64(value, shift)                                                        \
    ((unsigned long long)(value) << ((shift) & 63) |                                 \
     (unsigned long long)(value) >> (-(shift) & 63))
#define _rotr64(value, shift)                                                        \
    ((unsigned long long)(value) >> ((shift) & 63) |                                 \
     (unsigned long long)(value) << (-(shift) & 63))

#define _umul128(left, right, high)                                                  \
    __extension__({                                                                  \
        unsigned __int128 winsock_product_ =                                         \
            (unsigned __int128)(unsigned long long)(left) * (unsigned long long)(right); \
        *(high) = (unsigned long long)(winsock_product_ >> 64);                      \
        (unsigned long long)winsock_product_;                                        \
    })
#define __umulh(left, right)                                                         \
    ((unsigned long long)(__extension__((unsigned __int128)(unsigned long long)(left) *  \
                                        (unsigned long long)(right)) >> 64))

#endif
