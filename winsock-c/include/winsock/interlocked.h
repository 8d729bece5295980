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
}
#else
WINSOCK_INTERLOCKED_(, LONG)
WINSOCK_INTERLOCKED_(64, LONG64)
WINSOCK_INTERLOCKED_(16, SHORT)

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
#endif

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

/* One bit, by its number. Answers what it was. */

WINSOCK_INLINE BOOLEAN InterlockedBitTestAndSet(LONG volatile *base, LONG bit) {
    LONG mask = (LONG)(1u << (bit & 31));
    return (__atomic_fetch_or(base + (bit >> 5), mask, __ATOMIC_SEQ_CST) & mask) != 0;
}
WINSOCK_INLINE BOOLEAN InterlockedBitTestAndReset(LONG volatile *base, LONG bit) {
    LONG mask = (LONG)(1u << (bit & 31));
    return (__atomic_fetch_and(base + (bit >> 5), ~mask, __ATOMIC_SEQ_CST) & mask) != 0;
}
WINSOCK_INLINE BOOLEAN InterlockedBitTestAndComplement(LONG volatile *base, LONG bit) {
    LONG mask = (LONG)(1u << (bit & 31));
    return (__atomic_fetch_xor(base + (bit >> 5), mask, __ATOMIC_SEQ_CST) & mask) != 0;
}

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
WINSOCK_INLINE VOID WriteRelease64(LONG64 volatile *target, LONG64 value) {
    __atomic_store_n(target, value, __ATOMIC_RELEASE);
}
WINSOCK_INLINE PVOID ReadPointerAcquire(PVOID const volatile *source) {
    return __atomic_load_n(source, __ATOMIC_ACQUIRE);
}
WINSOCK_INLINE VOID WritePointerRelease(PVOID volatile *target, PVOID value) {
    __atomic_store_n(target, value, __ATOMIC_RELEASE);
}

#endif
