/*
 * interlocked.c - every Interlocked operation once, through our headers and through mingw's.
 *
 * `cargo xtask headers` compares what it prints.
 */
#include <windows.h>
#include <stdio.h>

#ifdef __MINGW32__
/* What mingw leaves out, by what says the same. */
#define InterlockedIncrementNoFence InterlockedIncrement
#define InterlockedDecrementNoFence InterlockedDecrement
#define InterlockedExchangeAcquire InterlockedExchange
#define InterlockedExchangeNoFence InterlockedExchange
#define InterlockedExchangeAddAcquire InterlockedExchangeAdd
#define InterlockedExchangeAddRelease InterlockedExchangeAdd
#define InterlockedExchangeAddNoFence InterlockedExchangeAdd
#define InterlockedCompareExchangeNoFence InterlockedCompareExchange
#define InterlockedAndAcquire InterlockedAnd
#define InterlockedAndRelease InterlockedAnd
#define InterlockedAndNoFence InterlockedAnd
#define InterlockedOrAcquire InterlockedOr
#define InterlockedOrRelease InterlockedOr
#define InterlockedOrNoFence InterlockedOr
#define InterlockedXorAcquire InterlockedXor
#define InterlockedXorRelease InterlockedXor
#define InterlockedXorNoFence InterlockedXor
#define InterlockedExchangeSubtract __sync_fetch_and_sub
#define _InterlockedOr16 __sync_fetch_and_or
#define _InterlockedExchangeAdd16 __sync_fetch_and_add
#define _InterlockedAnd8 __sync_fetch_and_and
#define _InterlockedOr8 __sync_fetch_and_or
#define _InterlockedXor8 __sync_fetch_and_xor
static BOOLEAN InterlockedCompareExchange128(LONG64 volatile *value, LONG64 high, LONG64 low,
                                             LONG64 *expected) {
    BOOLEAN equal = value[0] == expected[0] && value[1] == expected[1];
    expected[0] = value[0];
    expected[1] = value[1];
    if (equal) {
        value[0] = low;
        value[1] = high;
    }
    return equal;
}
#endif

/* An operation on a value, its answer, and the value afterwards. */
#define ON(type, before, call)                                                                     \
    do {                                                                                           \
        type value = before;                                                                       \
        long long answer = call;                                                                   \
        printf("%d: %lld, %lld\n", __LINE__, answer, (long long)value);                            \
    } while (0)

#define IN_EVERY_ORDER(type, name, arguments)                                                      \
    ON(type, 12, name arguments);                                                                  \
    ON(type, 12, name##Acquire arguments);                                                         \
    ON(type, 12, name##Release arguments);                                                         \
    ON(type, 12, name##NoFence arguments)

static void words(void) {
    IN_EVERY_ORDER(LONG, InterlockedIncrement, (&value));
    IN_EVERY_ORDER(LONG, InterlockedDecrement, (&value));
    ON(LONG, 12, InterlockedExchange(&value, 7));
    ON(LONG, 12, InterlockedExchangeAcquire(&value, 7));
    ON(LONG, 12, InterlockedExchangeNoFence(&value, 7));
    IN_EVERY_ORDER(LONG, InterlockedExchangeAdd, (&value, -20));
    IN_EVERY_ORDER(LONG, InterlockedCompareExchange, (&value, 3, 12));
    IN_EVERY_ORDER(LONG, InterlockedCompareExchange, (&value, 3, 13));
    IN_EVERY_ORDER(LONG, InterlockedAnd, (&value, 6));
    IN_EVERY_ORDER(LONG, InterlockedOr, (&value, 6));
    IN_EVERY_ORDER(LONG, InterlockedXor, (&value, 6));
    ON(LONG, MAXLONG, InterlockedIncrement(&value));
    ON(ULONG, 12, (LONG)InterlockedExchangeSubtract(&value, 5));
}

static void others(void) {
    ON(LONG64, 1ll << 40, InterlockedIncrement64(&value));
    ON(LONG64, 1ll << 40, InterlockedDecrement64(&value));
    ON(LONG64, 1ll << 40, InterlockedExchange64(&value, 5));
    ON(LONG64, 1ll << 40, InterlockedExchangeAdd64(&value, -1));
    ON(LONG64, 1ll << 40, InterlockedCompareExchange64(&value, 9, 1ll << 40));
    ON(LONG64, 1ll << 40, InterlockedCompareExchangeAcquire64(&value, 9, 0));
    ON(LONG64, 1ll << 40, InterlockedCompareExchangeRelease64(&value, 9, 1ll << 40));
    ON(LONG64, 0xff, InterlockedAnd64(&value, 0x1ff0));
    ON(LONG64, 0xff, InterlockedOr64(&value, 1ll << 50));
    ON(LONG64, 0xff, InterlockedXor64(&value, 0x10f));
    ON(SHORT, 32767, InterlockedIncrement16(&value));
    ON(SHORT, -32768, InterlockedDecrement16(&value));
    ON(SHORT, 12, InterlockedCompareExchange16(&value, 4, 12));
    ON(SHORT, 12, _InterlockedOr16(&value, 3));
    ON(SHORT, 12, _InterlockedExchangeAdd16(&value, 3));
    ON(CHAR, 12, _InterlockedAnd8(&value, 6));
    ON(CHAR, 12, _InterlockedOr8(&value, 3));
    ON(CHAR, 12, _InterlockedXor8(&value, 6));
}

static void bits(void) {
    LONG many[3] = {0};
    ON(LONG, 5, InterlockedBitTestAndSet(&value, 2));
    ON(LONG, 5, InterlockedBitTestAndSet(&value, 31));
    ON(LONG, 5, InterlockedBitTestAndReset(&value, 0));
    ON(LONG, 5, InterlockedBitTestAndReset(&value, 1));
    ON(LONG, 5, InterlockedBitTestAndComplement(&value, 4));
    ON(LONG64, 5, InterlockedBitTestAndSet64(&value, 40));
    ON(LONG64, 5, InterlockedBitTestAndReset64(&value, 2));
    printf("far: %d", InterlockedBitTestAndSet(many, 70));
    printf(", %d", InterlockedBitTestAndSet(many + 2, -31));
    printf(", %x %x %x\n", (unsigned)many[0], (unsigned)many[1], (unsigned)many[2]);
}

static void pairs(void) {
    static DECLSPEC_ALIGN(16) LONG64 value[2] = {1, 2};
    LONG64 expected[2] = {1, 3};
    BOOLEAN swapped = InterlockedCompareExchange128(value, 20, 10, expected);
    printf("%d: %d %d, %d %d\n", swapped, (int)value[0], (int)value[1], (int)expected[0],
           (int)expected[1]);
    swapped = InterlockedCompareExchange128(value, 20, 10, expected);
    printf("%d: %d %d, %d %d\n", swapped, (int)value[0], (int)value[1], (int)expected[0],
           (int)expected[1]);
}

static void pointers(void) {
    int one, two;
    PVOID value = &one;
    printf("%d", InterlockedExchangePointer(&value, &two) == &one);
    printf(" %d", InterlockedCompareExchangePointer(&value, &one, &one) == &two);
    printf(" %d", value == &two);
    printf(" %d", InterlockedCompareExchangePointer(&value, &one, &two) == &two);
    printf(" %d\n", value == &one);
}

int main(void) {
    words();
    others();
    bits();
    pairs();
    pointers();
    return 0;
}
