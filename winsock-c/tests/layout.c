/*
 * layout.c - what our headers and mingw's must agree on: sizes, offsets, values.
 *
 * `cargo xtask headers` compiles it twice, with gcc and our headers and with mingw and theirs, runs
 * both, the second under Wine, and compares what they print. The list is made from our headers:
 * layout_headers.h includes them, layout_list.h has a line for every name.
 *
 * wchar_t has two bytes on both sides: ours is compiled with -fshort-wchar.
 */
#ifndef LAYOUT_MACROS_ONLY
#define WIN32_NO_STATUS
#include "layout_headers.h"
#endif

#include <stddef.h>
#include <stdio.h>

#define TYPE(type) printf("%s: %d bytes\n", #type, (int)sizeof(type))
#define FIELD(type, field)                                                                         \
    printf("%s, %s: %d bytes at %d\n", #type, #field, (int)sizeof(((type *)0)->field),             \
           (int)offsetof(type, field))
#define VALUE(name)                                                                                \
    do {                                                                                           \
        _Static_assert(__builtin_constant_p((long long)(name)), "a constant");                     \
        static const long long value = (long long)(name);                                          \
        printf("%s: %lld\n", #name, value);                                                        \
    } while (0)

#ifndef LAYOUT_MACROS_ONLY
int main(void) {
#include "layout_list.h"
    return 0;
}
#endif
