/*
 * winsock/strsafe_of.h - the functions of strsafe.h for one kind of character, CHAR_, and the last
 * letter of their names, in SAFE_(StringCchCopy).
 */

/* Puts at most `count` characters behind the `length` that are there. */
WINSOCK_INLINE HRESULT SAFE_(winsock_safe_)(CHAR_ *to, size_t room, size_t length, const CHAR_ *from,
                                            size_t count) {
    if (room == 0 || room > STRSAFE_MAX_CCH || length >= room) return STRSAFE_E_INVALID_PARAMETER;
    size_t at = 0;
    for (; at < count && from[at] && length < room - 1; at++) to[length++] = from[at];
    to[length] = 0;
    return at < count && from[at] ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}

WINSOCK_INLINE HRESULT SAFE_(StringCchLength)(const CHAR_ *text, size_t room, size_t *length) {
    size_t at = 0;
    if (text && room <= STRSAFE_MAX_CCH) {
        while (at < room && text[at]) at++;
        if (at < room) {
            if (length) *length = at;
            return S_OK;
        }
    }
    if (length) *length = 0;
    return STRSAFE_E_INVALID_PARAMETER;
}

WINSOCK_INLINE HRESULT SAFE_(StringCchCopy)(CHAR_ *to, size_t room, const CHAR_ *from) {
    return SAFE_(winsock_safe_)(to, room, 0, from, STRSAFE_MAX_CCH);
}

WINSOCK_INLINE HRESULT SAFE_(StringCchCopyN)(CHAR_ *to, size_t room, const CHAR_ *from,
                                             size_t count) {
    if (count > STRSAFE_MAX_CCH) {
        if (room) *to = 0;
        return STRSAFE_E_INVALID_PARAMETER;
    }
    return SAFE_(winsock_safe_)(to, room, 0, from, count);
}

WINSOCK_INLINE HRESULT SAFE_(StringCchCat)(CHAR_ *to, size_t room, const CHAR_ *from) {
    size_t length;
    if (SAFE_(StringCchLength)(to, room, &length) != S_OK) return STRSAFE_E_INVALID_PARAMETER;
    return SAFE_(winsock_safe_)(to, room, length, from, STRSAFE_MAX_CCH);
}

WINSOCK_INLINE HRESULT SAFE_(StringCchCatN)(CHAR_ *to, size_t room, const CHAR_ *from,
                                            size_t count) {
    size_t length;
    if (count > STRSAFE_MAX_CCH || SAFE_(StringCchLength)(to, room, &length) != S_OK)
        return STRSAFE_E_INVALID_PARAMETER;
    return SAFE_(winsock_safe_)(to, room, length, from, count);
}

WINSOCK_INLINE HRESULT SAFE_(StringCchVPrintf)(CHAR_ *to, size_t room, const CHAR_ *format,
                                               va_list list) {
    if (room == 0 || room > STRSAFE_MAX_CCH) return STRSAFE_E_INVALID_PARAMETER;
    int length = PRINT_(to, room, format, list);
    to[room - 1] = 0;
    return length < 0 || (size_t)length >= room ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}

WINSOCK_INLINE HRESULT SAFE_(StringCchPrintf)(CHAR_ *to, size_t room, const CHAR_ *format, ...) {
    va_list list;
    va_start(list, format);
    HRESULT result = SAFE_(StringCchVPrintf)(to, room, format, list);
    va_end(list);
    return result;
}

/* The same with sizes in bytes. */

WINSOCK_INLINE HRESULT SAFE_(StringCbLength)(const CHAR_ *text, size_t size, size_t *length) {
    HRESULT result = SAFE_(StringCchLength)(text, size / sizeof(CHAR_), length);
    if (length) *length *= sizeof(CHAR_);
    return result;
}

WINSOCK_INLINE HRESULT SAFE_(StringCbCopy)(CHAR_ *to, size_t size, const CHAR_ *from) {
    return SAFE_(StringCchCopy)(to, size / sizeof(CHAR_), from);
}

WINSOCK_INLINE HRESULT SAFE_(StringCbCopyN)(CHAR_ *to, size_t size, const CHAR_ *from,
                                            size_t bytes) {
    return SAFE_(StringCchCopyN)(to, size / sizeof(CHAR_), from, bytes / sizeof(CHAR_));
}

WINSOCK_INLINE HRESULT SAFE_(StringCbCat)(CHAR_ *to, size_t size, const CHAR_ *from) {
    return SAFE_(StringCchCat)(to, size / sizeof(CHAR_), from);
}

WINSOCK_INLINE HRESULT SAFE_(StringCbCatN)(CHAR_ *to, size_t size, const CHAR_ *from,
                                           size_t bytes) {
    return SAFE_(StringCchCatN)(to, size / sizeof(CHAR_), from, bytes / sizeof(CHAR_));
}

WINSOCK_INLINE HRESULT SAFE_(StringCbVPrintf)(CHAR_ *to, size_t size, const CHAR_ *format,
                                              va_list list) {
    return SAFE_(StringCchVPrintf)(to, size / sizeof(CHAR_), format, list);
}

WINSOCK_INLINE HRESULT SAFE_(StringCbPrintf)(CHAR_ *to, size_t size, const CHAR_ *format, ...) {
    va_list list;
    va_start(list, format);
    HRESULT result = SAFE_(StringCchVPrintf)(to, size / sizeof(CHAR_), format, list);
    va_end(list);
    return result;
}
