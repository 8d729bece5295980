/*
 * winsock/strings_of.h - the text functions beyond the standard, for one kind of character.
 *
 * string.h includes it with CHAR_ char and TEXT_(copy) strcopy, wchar.h with wchar_t and wcscopy;
 * UNDER_(copy) has an underscore before that. Letters are those of the C locale.
 */

WINSOCK_INLINE size_t TEXT_(nlen_s)(const CHAR_ *text, size_t room) {
    size_t length = 0;
    while (text && length < room && text[length]) length++;
    return length;
}

WINSOCK_INLINE int WINSOCK_LETTER_(int letter) {
    return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter;
}

WINSOCK_INLINE int UNDER_(nicmp)(const CHAR_ *left, const CHAR_ *right, size_t count) {
    int difference = 0;
    for (size_t at = 0; at < count && !difference; at++) {
        difference = WINSOCK_LETTER_(WINSOCK_UNIT_(left[at]));
        difference -= WINSOCK_LETTER_(WINSOCK_UNIT_(right[at]));
        if (!left[at]) break;
    }
    return difference;
}

WINSOCK_INLINE int UNDER_(icmp)(const CHAR_ *left, const CHAR_ *right) {
    return UNDER_(nicmp)(left, right, (size_t)-1);
}

WINSOCK_INLINE CHAR_ *UNDER_(lwr)(CHAR_ *text) {
    for (CHAR_ *at = text; *at; at++) *at = (CHAR_)WINSOCK_LETTER_(*at);
    return text;
}

WINSOCK_INLINE CHAR_ *UNDER_(upr)(CHAR_ *text) {
    for (CHAR_ *at = text; *at; at++)
        if (*at >= 'a' && *at <= 'z') *at = (CHAR_)(*at - 'a' + 'A');
    return text;
}

WINSOCK_INLINE CHAR_ *UNDER_(rev)(CHAR_ *text) {
    size_t length = TEXT_(nlen_s)(text, (size_t)-1);
    for (size_t at = 0; at < length / 2; at++) {
        CHAR_ other = text[at];
        text[at] = text[length - 1 - at];
        text[length - 1 - at] = other;
    }
    return text;
}

/* NULL and no error if there is no memory; free() takes it. */
WINSOCK_INLINE CHAR_ *UNDER_(dup)(const CHAR_ *text) {
    if (!text) return NULL;
    size_t size = (TEXT_(nlen_s)(text, (size_t)-1) + 1) * sizeof(CHAR_);
    CHAR_ *copy = (CHAR_ *)__builtin_malloc(size);
    return copy ? (CHAR_ *)__builtin_memcpy(copy, text, size) : NULL;
}

/* Copies at most `count` characters behind the `length` that are there. */
WINSOCK_INLINE errno_t WINSOCK_APPEND_(CHAR_ *to, size_t room, size_t length, const CHAR_ *from,
                                       size_t count) {
    if (!to || room == 0) return EINVAL;
    if (!from && count != 0) {
        to[0] = 0;
        return EINVAL;
    }
    if (length == room) { /* no NUL in it */
        to[0] = 0;
        return EINVAL;
    }
    size_t more = TEXT_(nlen_s)(from, count == _TRUNCATE ? (size_t)-1 : count);
    if (more < room - length) {
        if (more) __builtin_memmove(to + length, from, more * sizeof(CHAR_));
        to[length + more] = 0;
        return 0;
    }
    if (count != _TRUNCATE) {
        to[0] = 0;
        return ERANGE;
    }
    __builtin_memmove(to + length, from, (room - length - 1) * sizeof(CHAR_));
    to[room - 1] = 0;
    return STRUNCATE;
}

WINSOCK_INLINE errno_t TEXT_(cpy_s)(CHAR_ *to, size_t room, const CHAR_ *from) {
    return WINSOCK_APPEND_(to, room, 0, from, (size_t)-2);
}

WINSOCK_INLINE errno_t TEXT_(ncpy_s)(CHAR_ *to, size_t room, const CHAR_ *from, size_t count) {
    if (!to && room == 0 && count == 0) return 0;
    return WINSOCK_APPEND_(to, room, 0, from, count);
}

WINSOCK_INLINE errno_t TEXT_(cat_s)(CHAR_ *to, size_t room, const CHAR_ *from) {
    return WINSOCK_APPEND_(to, room, TEXT_(nlen_s)(to, room), from, (size_t)-2);
}

WINSOCK_INLINE errno_t TEXT_(ncat_s)(CHAR_ *to, size_t room, const CHAR_ *from, size_t count) {
    if (!to && room == 0 && count == 0) return 0;
    return WINSOCK_APPEND_(to, room, TEXT_(nlen_s)(to, room), from, count);
}

WINSOCK_INLINE errno_t UNDER_(lwr_s)(CHAR_ *text, size_t room) {
    if (!text || TEXT_(nlen_s)(text, room) == room) return EINVAL;
    UNDER_(lwr)(text);
    return 0;
}

WINSOCK_INLINE errno_t UNDER_(upr_s)(CHAR_ *text, size_t room) {
    if (!text || TEXT_(nlen_s)(text, room) == room) return EINVAL;
    UNDER_(upr)(text);
    return 0;
}

/* The next piece between separators; `rest` keeps the place. */
WINSOCK_INLINE CHAR_ *TEXT_(tok_s)(CHAR_ *text, const CHAR_ *separators, CHAR_ **rest) {
    if (!rest || !separators || (!text && !*rest)) {
        errno = EINVAL;
        return NULL;
    }
    CHAR_ *start = text ? text : *rest;
    CHAR_ *piece = NULL;
    for (; *start; start++) {
        const CHAR_ *separator = separators;
        while (*separator && *separator != *start) separator++;
        if (!*separator && !piece) piece = start;
        if (*separator && piece) {
            *start++ = 0;
            break;
        }
    }
    *rest = start;
    return piece;
}

#ifdef __cplusplus
extern "C++" {
template <size_t Room_>
inline errno_t TEXT_(cpy_s)(CHAR_ (&to)[Room_], const CHAR_ *from) {
    return TEXT_(cpy_s)(to, Room_, from);
}
template <size_t Room_>
inline errno_t TEXT_(ncpy_s)(CHAR_ (&to)[Room_], const CHAR_ *from, size_t count) {
    return TEXT_(ncpy_s)(to, Room_, from, count);
}
template <size_t Room_>
inline errno_t TEXT_(cat_s)(CHAR_ (&to)[Room_], const CHAR_ *from) {
    return TEXT_(cat_s)(to, Room_, from);
}
template <size_t Room_>
inline errno_t TEXT_(ncat_s)(CHAR_ (&to)[Room_], const CHAR_ *from, size_t count) {
    return TEXT_(ncat_s)(to, Room_, from, count);
}
}
#endif
