/*
 * winsock/interlocked.h - atomic operations on variables; winnt.h includes it.
 *
 * https://learn.microsoft.com/en-us/windows/win32/sync/interlocked-variable-access
 *
 * Each is a full barrier, but for those that end in NoFence, Acquire or Release.
 *
 * InterlockedIncrement and its kin take a LONG, which programs also spell `long`. Here that is another
 * type, with 64 bits. Both are taken, in C++ by overloads, in C by a macro that looks at the size.
 */
#ifndef WINSOCK_INTERLOCKED_H
#define WINSOCK_INTERLOCKED_H

#include <minwindef.h>

/*
 * The operations on one integer type. `width` is what the name carries for it: nothing, 64, 16.
 * Increment, Decrement, Add and those with Return in C++'s sense answer the new value; Exchange,
 * ExchangeAdd, CompareExchange, And, Or, Xor the old one.
 */
#define WINSOCK_INTERLOCKED_ON_(width, type, barrier, order)                                       \
    WINSOCK_INLINE type InterlockedIncrement##width##barrier(type volatile *value) {               \
        return __atomic_add_fetch(value, 1, order);                                                \
    }                                                                                              \
    WINSOCK_INLINE type InterlockedDecrement##width##barrier(type volatile *value) {               \
        return __atomic_sub_fetch(value, 1, order);                                                \
    }                                                                                              \
    WINSOCK_INLINE type InterlockedExchange##width##barrier(type volatile *value, type other) {    \
        return __atomic_exchange_n(value, other, order);                                           \
    }                                                                                              \
    WINSOCK_INLINE type InterlockedExchangeAdd##width##barrier(type volatile *value, type more) {  \
        return __atomic_fetch_add(value, more, order);                                             \
    }                                                                                              \
    WINSOCK_INLINE type InterlockedAdd##width##barrier(type volatile *value, type more) {          \
        return __atomic_add_fetch(value, more, order);                                             \
    }                                                                                              \
    WINSOCK_INLINE type InterlockedAnd##width##barrier(type volatile *value, type mask) {          \
        return __atomic_fetch_and(value, mask, order);                                             \
    }                                                                                              \
    WINSOCK_INLINE type InterlockedOr##width##barrier(type volatile *value, type mask) {           \
        return __atomic_fetch_or(value, mask, order);                                              \
    }                                                                                              \
    WINSOCK_INLINE type InterlockedXor##width##barrier(type volatile *value, type mask) {          \
        return __atomic_fetch_xor(value, mask, order);                                             \
    }                                                                                              \
    WINSOCK_INLINE type InterlockedCompareExchange##width##barrier(type volatile *value,           \
                                                                   type other, type expected) {    \
        __atomic_compare_exchange_n(value, &expected, other, 0, order, __ATOMIC_RELAXED);          \
        return expected;                                                                           \
    }

/*
 * One bit, by its number, which may lead beyond the first integer. They answer what it was.
 */
#define WINSOCK_INTERLOCKED_BIT_(name, type)                                                       \
    WINSOCK_INTERLOCKED_BIT_ON_(name, type, , __ATOMIC_SEQ_CST)                                    \
    WINSOCK_INTERLOCKED_BIT_ON_(name, type, Acquire, __ATOMIC_ACQUIRE)                             \
    WINSOCK_INTERLOCKED_BIT_ON_(name, type, Release, __ATOMIC_RELEASE)
#define WINSOCK_INTERLOCKED_BIT_ON_(width, type, barrier, order)                                   \
    WINSOCK_INLINE BOOLEAN InterlockedBitTestAndSet##width##barrier(type volatile *base,           \
                                                                    type bit) {                    \
        type mask = WINSOCK_BIT_MASK_(type, bit);                                                  \
        return (__atomic_fetch_or(WINSOCK_BIT_PLACE_(base, bit), mask, order) & mask) != 0;        \
    }                                                                                              \
    WINSOCK_INLINE BOOLEAN InterlockedBitTestAndReset##width##barrier(type volatile *base,         \
                                                                      type bit) {                  \
        type mask = WINSOCK_BIT_MASK_(type, bit);                                                  \
        return (__atomic_fetch_and(WINSOCK_BIT_PLACE_(base, bit), ~mask, order) & mask) != 0;      \
    }                                                                                              \
    WINSOCK_INLINE BOOLEAN InterlockedBitTestAndComplement##width##barrier(type volatile *base,    \
                                                                           type bit) {             \
        type mask = WINSOCK_BIT_MASK_(type, bit);                                                  \
        return (__atomic_fetch_xor(WINSOCK_BIT_PLACE_(base, bit), mask, order) & mask) != 0;       \
    }
#define WINSOCK_BIT_MASK_(type, bit) ((type)(1ull << ((bit) & (type)(sizeof(type) * 8 - 1))))
#define WINSOCK_BIT_PLACE_(base, bit) ((base) + ((bit) >> (sizeof(*(base)) == 8 ? 6 : 5)))

#define WINSOCK_INTERLOCKED_(width, type)                                                          \
    WINSOCK_INTERLOCKED_ON_(width, type, , __ATOMIC_SEQ_CST)                                       \
    WINSOCK_INTERLOCKED_ON_(width, type, NoFence, __ATOMIC_RELAXED)                                \
    WINSOCK_INTERLOCKED_ON_(width, type, Acquire, __ATOMIC_ACQUIRE)                                \
    WINSOCK_INTERLOCKED_ON_(width, type, Release, __ATOMIC_RELEASE)

#ifdef __cplusplus
extern "C++" {
WINSOCK_INTERLOCKED_(, int)
WINSOCK_INTERLOCKED_(, unsigned int)
WINSOCK_INTERLOCKED_(, long)
WINSOCK_INTERLOCKED_(, unsigned long)
WINSOCK_INTERLOCKED_(64, long long)
WINSOCK_INTERLOCKED_(64, unsigned long long)
WINSOCK_INTERLOCKED_(64, long)
WINSOCK_INTERLOCKED_(64, unsigned long)
WINSOCK_INTERLOCKED_(16, short)
WINSOCK_INTERLOCKED_BIT_(, int)
WINSOCK_INTERLOCKED_BIT_(, long)
WINSOCK_INTERLOCKED_BIT_(64, long long)
WINSOCK_INTERLOCKED_BIT_(64, long)
}
#else
WINSOCK_INTERLOCKED_(, LONG)
WINSOCK_INTERLOCKED_(64, LONG64)
WINSOCK_INTERLOCKED_(16, SHORT)
WINSOCK_INTERLOCKED_BIT_(, LONG)
WINSOCK_INTERLOCKED_BIT_(64, LONG64)

/* In C, InterlockedIncrement(&n) is InterlockedIncrement64(&n) if n has 8 bytes. */
#define WINSOCK_BY_SIZE_(name, value, ...)                                                         \
    __builtin_choose_expr(sizeof(*(value)) == 8,                                                   \
                          name##64((LONG64 volatile *)(void volatile *)(value)__VA_ARGS__),        \
                          (name)((LONG volatile *)(void volatile *)(value)__VA_ARGS__))
#define InterlockedIncrement(value) WINSOCK_BY_SIZE_(InterlockedIncrement, value, )
#define InterlockedDecrement(value) WINSOCK_BY_SIZE_(InterlockedDecrement, value, )
#define InterlockedExchange(value, other) WINSOCK_BY_SIZE_(InterlockedExchange, value, , other)
#define InterlockedExchangeAdd(value, more) WINSOCK_BY_SIZE_(InterlockedExchangeAdd, value, , more)
#define InterlockedAdd(value, more) WINSOCK_BY_SIZE_(InterlockedAdd, value, , more)
#define InterlockedAnd(value, mask) WINSOCK_BY_SIZE_(InterlockedAnd, value, , mask)
#define InterlockedOr(value, mask) WINSOCK_BY_SIZE_(InterlockedOr, value, , mask)
#define InterlockedXor(value, mask) WINSOCK_BY_SIZE_(InterlockedXor, value, , mask)
#define InterlockedCompareExchange(value, other, expected)                                         \
    WINSOCK_BY_SIZE_(InterlockedCompareExchange, value, , other, expected)
#define InterlockedBitTestAndSet(base, bit) WINSOCK_BY_SIZE_(InterlockedBitTestAndSet, base, , bit)
#define InterlockedBitTestAndReset(base, bit)                                                      \
    WINSOCK_BY_SIZE_(InterlockedBitTestAndReset, base, , bit)
#define InterlockedBitTestAndComplement(base, bit)                                                 \
    WINSOCK_BY_SIZE_(InterlockedBitTestAndComplement, base, , bit)
#endif

/* Where the width comes last. */
#define InterlockedIncrementNoFence64 InterlockedIncrement64NoFence
#define InterlockedIncrementAcquire64 InterlockedIncrement64Acquire
#define InterlockedIncrementRelease64 InterlockedIncrement64Release
#define InterlockedDecrementNoFence64 InterlockedDecrement64NoFence
#define InterlockedDecrementAcquire64 InterlockedDecrement64Acquire
#define InterlockedDecrementRelease64 InterlockedDecrement64Release
#define InterlockedExchangeNoFence64 InterlockedExchange64NoFence
#define InterlockedExchangeAcquire64 InterlockedExchange64Acquire
#define InterlockedExchangeAddNoFence64 InterlockedExchangeAdd64NoFence
#define InterlockedExchangeAddAcquire64 InterlockedExchangeAdd64Acquire
#define InterlockedExchangeAddRelease64 InterlockedExchangeAdd64Release
#define InterlockedAddNoFence64 InterlockedAdd64NoFence
#define InterlockedAddAcquire64 InterlockedAdd64Acquire
#define InterlockedAddRelease64 InterlockedAdd64Release
#define InterlockedCompareExchangeNoFence64 InterlockedCompareExchange64NoFence
#define InterlockedCompareExchangeAcquire64 InterlockedCompareExchange64Acquire
#define InterlockedCompareExchangeRelease64 InterlockedCompareExchange64Release
#define InterlockedCompareExchangeNoFence16 InterlockedCompareExchange16NoFence
#define InterlockedCompareExchangeAcquire16 InterlockedCompareExchange16Acquire
#define InterlockedCompareExchangeRelease16 InterlockedCompareExchange16Release

/*
 * 128 bits, at an address that 16 divides. If they are as in `expected`, the low half of which comes
 * first, they are replaced; if not, `expected` learns what they are.
 */
WINSOCK_INLINE BOOLEAN InterlockedCompareExchange128(LONG64 volatile *value, LONG64 high, LONG64 low,
                                                     LONG64 *expected) {
    struct both {
        LONG64 low, high;
    } volatile *both = (struct both volatile *)value;
#if defined(__x86_64__)
    BOOLEAN equal;
    __asm__ __volatile__("lock cmpxchg16b %[value]\n\tsetz %[equal]"
                         : [equal] "=q"(equal), [value] "+m"(*both), "+a"(expected[0]),
                           "+d"(expected[1])
                         : "b"(low), "c"(high)
                         : "cc", "memory");
    return equal;
#else
    LONG64 was_low, was_high, new_low, new_high;
    DWORD failed;
    __asm__ __volatile__("1:\n\t"
                         "ldaxp %[was_low], %[was_high], %[value]\n\t"
                         "cmp %[was_low], %[first]\n\t"
                         "ccmp %[was_high], %[second], #0, eq\n\t"
                         "csel %[new_low], %[low], %[was_low], eq\n\t"
                         "csel %[new_high], %[high], %[was_high], eq\n\t"
                         "stlxp %w[failed], %[new_low], %[new_high], %[value]\n\t"
                         "cbnz %w[failed], 1b\n\t"
                         "dmb ish"
                         : [was_low] "=&r"(was_low), [was_high] "=&r"(was_high),
                           [new_low] "=&r"(new_low), [new_high] "=&r"(new_high),
                           [failed] "=&r"(failed), [value] "+Q"(*both)
                         : [first] "r"(expected[0]), [second] "r"(expected[1]), [low] "r"(low),
                           [high] "r"(high)
                         : "cc", "memory");
    BOOLEAN equal = was_low == expected[0] && was_high == expected[1];
    expected[0] = was_low;
    expected[1] = was_high;
    return equal;
#endif
}

/* Pointers. */

#define WINSOCK_INTERLOCKED_POINTER_(barrier, order)                                               \
    WINSOCK_INLINE PVOID InterlockedExchangePointer##barrier(PVOID volatile *target, PVOID value) {\
        return __atomic_exchange_n(target, value, order);                                          \
    }                                                                                              \
    WINSOCK_INLINE PVOID InterlockedCompareExchangePointer##barrier(PVOID volatile *target,        \
                                                                    PVOID value, PVOID expected) { \
        __atomic_compare_exchange_n(target, &expected, value, 0, order, __ATOMIC_RELAXED);         \
        return expected;                                                                           \
    }
WINSOCK_INTERLOCKED_POINTER_(, __ATOMIC_SEQ_CST)
WINSOCK_INTERLOCKED_POINTER_(NoFence, __ATOMIC_RELAXED)
WINSOCK_INTERLOCKED_POINTER_(Acquire, __ATOMIC_ACQUIRE)
WINSOCK_INTERLOCKED_POINTER_(Release, __ATOMIC_RELEASE)

/* 8 bits. */

WINSOCK_INLINE char InterlockedExchange8(char volatile *value, char other) {
    return __atomic_exchange_n(value, other, __ATOMIC_SEQ_CST);
}
WINSOCK_INLINE char InterlockedAnd8(char volatile *value, char mask) {
    return __atomic_fetch_and(value, mask, __ATOMIC_SEQ_CST);
}
WINSOCK_INLINE char InterlockedOr8(char volatile *value, char mask) {
    return __atomic_fetch_or(value, mask, __ATOMIC_SEQ_CST);
}
WINSOCK_INLINE char InterlockedXor8(char volatile *value, char mask) {
    return __atomic_fetch_xor(value, mask, __ATOMIC_SEQ_CST);
}

/* Unsigned integers by their own names. */

WINSOCK_INLINE ULONG InterlockedExchangeSubtract(ULONG volatile *value, ULONG less) {
    return __atomic_fetch_sub(value, less, __ATOMIC_SEQ_CST);
}
#define InterlockedIncrementSizeT(value) InterlockedIncrement64((LONG64 volatile *)(value))
#define InterlockedDecrementSizeT(value) InterlockedDecrement64((LONG64 volatile *)(value))
#define InterlockedExchangeAddSizeT(value, more)                                                   \
    InterlockedExchangeAdd64((LONG64 volatile *)(value), (LONG64)(more))

/* The same as functions of the compiler, which some programs name. */
#define _InterlockedIncrement InterlockedIncrement
#define _InterlockedDecrement InterlockedDecrement
#define _InterlockedExchange InterlockedExchange
#define _InterlockedExchangeAdd InterlockedExchangeAdd
#define _InterlockedCompareExchange InterlockedCompareExchange
#define _InterlockedAnd InterlockedAnd
#define _InterlockedOr InterlockedOr
#define _InterlockedXor InterlockedXor
#define _InterlockedIncrement64 InterlockedIncrement64
#define _InterlockedDecrement64 InterlockedDecrement64
#define _InterlockedExchange64 InterlockedExchange64
#define _InterlockedExchangeAdd64 InterlockedExchangeAdd64
#define _InterlockedCompareExchange64 InterlockedCompareExchange64
#define _InterlockedAnd64 InterlockedAnd64
#define _InterlockedOr64 InterlockedOr64
#define _InterlockedXor64 InterlockedXor64
#define _InterlockedIncrement16 InterlockedIncrement16
#define _InterlockedDecrement16 InterlockedDecrement16
#define _InterlockedExchange16 InterlockedExchange16
#define _InterlockedExchangeAdd16 InterlockedExchangeAdd16
#define _InterlockedCompareExchange16 InterlockedCompareExchange16
#define _InterlockedAnd16 InterlockedAnd16
#define _InterlockedOr16 InterlockedOr16
#define _InterlockedXor16 InterlockedXor16
#define _InterlockedExchange8 InterlockedExchange8
#define _InterlockedAnd8 InterlockedAnd8
#define _InterlockedOr8 InterlockedOr8
#define _InterlockedXor8 InterlockedXor8
#define _InterlockedCompareExchange128 InterlockedCompareExchange128
#define _interlockedbittestandset InterlockedBitTestAndSet
#define _interlockedbittestandreset InterlockedBitTestAndReset
#define _interlockedbittestandset64 InterlockedBitTestAndSet64
#define _interlockedbittestandreset64 InterlockedBitTestAndReset64
WINSOCK_INLINE char WinsockExchangeAdd8_(char volatile *value, char more) {
    return __atomic_fetch_add(value, more, __ATOMIC_SEQ_CST);
}
WINSOCK_INLINE char WinsockCompareExchange8_(char volatile *value, char other, char expected) {
    __atomic_compare_exchange_n(value, &expected, other, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    return expected;
}
#define _InterlockedExchangeAdd8 WinsockExchangeAdd8_
#define _InterlockedCompareExchange8 WinsockCompareExchange8_
#define _InterlockedExchangePointer InterlockedExchangePointer
#define _InterlockedCompareExchangePointer InterlockedCompareExchangePointer

/* Plain variables that threads share, read and written without tearing. */
WINSOCK_INLINE LONG ReadAcquire(LONG const volatile *source) {
    return __atomic_load_n(source, __ATOMIC_ACQUIRE);
}
WINSOCK_INLINE LONG ReadNoFence(LONG const volatile *source) {
    return __atomic_load_n(source, __ATOMIC_RELAXED);
}
WINSOCK_INLINE VOID WriteRelease(LONG volatile *target, LONG value) {
    __atomic_store_n(target, value, __ATOMIC_RELEASE);
}
WINSOCK_INLINE VOID WriteNoFence(LONG volatile *target, LONG value) {
    __atomic_store_n(target, value, __ATOMIC_RELAXED);
}
WINSOCK_INLINE LONG64 ReadAcquire64(LONG64 const volatile *source) {
    return __atomic_load_n(source, __ATOMIC_ACQUIRE);
}
WINSOCK_INLINE LONG64 ReadNoFence64(LONG64 const volatile *source) {
    return __atomic_load_n(source, __ATOMIC_RELAXED);
}
WINSOCK_INLINE VOID WriteNoFence64(LONG64 volatile *target, LONG64 value) {
    __atomic_store_n(target, value, __ATOMIC_RELAXED);
}
WINSOCK_INLINE VOID WriteRelease64(LONG64 volatile *target, LONG64 value) {
    __atomic_store_n(target, value, __ATOMIC_RELEASE);
}
WINSOCK_INLINE PVOID ReadPointerAcquire(PVOID const volatile *source) {
    return __atomic_load_n(source, __ATOMIC_ACQUIRE);
}
WINSOCK_INLINE PVOID ReadPointerNoFence(PVOID const volatile *source) {
    return __atomic_load_n(source, __ATOMIC_RELAXED);
}
WINSOCK_INLINE VOID WritePointerNoFence(PVOID volatile *target, PVOID value) {
    __atomic_store_n(target, value, __ATOMIC_RELAXED);
}
WINSOCK_INLINE VOID WritePointerRelease(PVOID volatile *target, PVOID value) {
    __atomic_store_n(target, value, __ATOMIC_RELEASE);
}

#endif
