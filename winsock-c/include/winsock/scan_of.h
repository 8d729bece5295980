/*
 * winsock/scan_of.h - scanf and its family with Microsoft's formats, for one kind of character.
 *
 * stdio.h includes it with CHAR_ char, wchar.h with wchar_t. The functions in _s take the room of a
 * text behind its address, an `unsigned`. A `long` (%ld) is that of the compiler, as for glibc's.
 */

struct SCAN_(source) {
    struct _IO_FILE *stream;
    const CHAR_ *text;
    unsigned long long taken;
    int low; /* the second unit of a character of two */
};

/* The next unit; -1 at the end. */
WINSOCK_INLINE int SCAN_(get)(struct SCAN_(source) *from) {
    int c = from->low;
    if (c) {
        from->low = 0;
    } else if (!from->stream) {
        c = sizeof(CHAR_) == 1 ? (unsigned char)*from->text : (int)*from->text;
        if (!c) return -1;
        from->text++;
    } else {
        c = sizeof(CHAR_) == 1 ? winsock_unix_fgetc_(from->stream)
                               : winsock_get_point_(from->stream);
    }
    if (sizeof(CHAR_) == 2 && c > 0xffff) {
        from->low = 0xdc00 | (c & 0x3ff);
        c = 0xd7c0 + (c >> 10);
    }
    from->taken += c >= 0;
    return c;
}

/* Returns the unit that was read last. */
WINSOCK_INLINE void SCAN_(back)(struct SCAN_(source) *from, int c) {
    if (c < 0) return;
    from->taken--;
    if (!from->stream) {
        from->text--;
    } else if (sizeof(CHAR_) == 1) {
        winsock_unix_ungetc_(c, from->stream);
    } else if (c >= 0xdc00 && c < 0xe000) {
        from->low = c;
    } else {
        char bytes[4];
        if (from->low) c = 0x10000 + ((c & 0x3ff) << 10 | (from->low & 0x3ff));
        from->low = 0;
        for (int count = winsock_utf8_(c, bytes); count > 0; count--)
            winsock_unix_ungetc_((unsigned char)bytes[count - 1], from->stream);
    }
}

/* The character that begins with this unit. */
WINSOCK_INLINE int SCAN_(point)(struct SCAN_(source) *from, int c) {
    if (sizeof(CHAR_) == 2 && c >= 0xd800 && c < 0xdc00) {
        int low = SCAN_(get)(from);
        if (low >= 0xdc00 && low < 0xe000) return 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
        SCAN_(back)(from, low);
    }
    if (sizeof(CHAR_) == 1 && c >= 0xc2 && c <= 0xf4) {
        int more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
        int point = c & (0x3f >> more);
        for (; more > 0; more--) {
            int next = SCAN_(get)(from);
            if (next < 0x80 || next > 0xbf) {
                SCAN_(back)(from, next);
                return 0xfffd;
            }
            point = point << 6 | (next & 0x3f);
        }
        return point;
    }
    return c;
}

WINSOCK_INLINE void SCAN_(blanks)(struct SCAN_(source) *from) {
    int c = 0;
    while (winsock_blank_(c = SCAN_(get)(from))) {}
    SCAN_(back)(from, c);
}

/* Whether the set between brackets, from behind [ to before ], has the unit. */
WINSOCK_INLINE int SCAN_(in_set)(const CHAR_ *set, const CHAR_ *end, int c) {
    int inverse = *set == '^', found = 0;
    for (set += inverse; set < end; set++) {
        int first = sizeof(CHAR_) == 1 ? (unsigned char)*set : (int)*set, last = first;
        if (end - set > 2 && set[1] == '-') {
            set += 2;
            last = sizeof(CHAR_) == 1 ? (unsigned char)*set : (int)*set;
        }
        found |= first <= last ? c >= first && c <= last : c >= last && c <= first;
    }
    return found != inverse;
}

/* One text: 1, 0 if it is another or has not the room, or -1 at the end. */
WINSOCK_INLINE int SCAN_(text)(struct SCAN_(source) *from, int kind, const CHAR_ *set,
                               const CHAR_ *end, size_t width, int wide, void *to, size_t room) {
    int one = kind == 'c' || kind == 'C';
    int set_first = !one && room > 0;
    size_t taken = 0, length = 0;
    int c = -1, fits = room > 0;
    if (one && !width) width = 1;
    if (!one && !set) SCAN_(blanks)(from);
    while (fits && (!width || taken < width)) {
        c = SCAN_(get)(from);
        if (c < 0) break;
        if (!one && (set ? !SCAN_(in_set)(set, end, c) : winsock_blank_(c))) {
            SCAN_(back)(from, c);
            break;
        }
        taken++;
        if (!to) continue;
        if (wide != (sizeof(CHAR_) > 1)) {
            fits = winsock_put_point_(to, &length, room - set_first, wide, SCAN_(point)(from, c));
        } else if ((fits = length < room - (size_t)set_first)) {
            ((CHAR_ *)to)[length++] = (CHAR_)c;
        }
    }
    int good = fits && taken > 0 && (!one || taken == width);
    if (to && room > 0 && (!one || !fits)) {
        size_t at = fits ? length : 0;
        if (good || !fits) {
            if (wide) ((wchar_t *)to)[at] = 0;
            else ((char *)to)[at] = 0;
        }
    }
    if (!fits) errno = ENOMEM;
    return good ? 1 : c < 0 && fits ? -1 : 0;
}

/* One number, in the same manner; base 1 is for reals. */
WINSOCK_INLINE int SCAN_(number)(struct SCAN_(source) *from, int base, size_t width, char *digits,
                                 size_t room) {
    size_t count = 0;
    int c = 0;
    SCAN_(blanks)(from);
    while ((!width || count < width) && count < room - 1) {
        c = SCAN_(get)(from);
        if (c < 0 || !winsock_in_number_(digits, count, base, c)) {
            SCAN_(back)(from, c);
            break;
        }
        digits[count++] = (char)c;
    }
    digits[count] = 0;
    size_t sign = count > 0 && (digits[0] == '-' || digits[0] == '+');
    return count > sign ? 1 : c < 0 && count == 0 ? -1 : 0;
}

WINSOCK_INLINE int SCAN_(run)(struct SCAN_(source) from, const CHAR_ *format, int sized,
                              va_list list) {
    int filled = 0, done = 0;
    if ((!from.stream && !from.text) || !format) {
        errno = EINVAL;
        return -1;
    }
    for (; *format; format++) {
        if (winsock_blank_((int)*format)) {
            SCAN_(blanks)(&from);
            continue;
        }
        if (*format != '%' || format[1] == '%') {
            format += *format == '%';
            int c = SCAN_(get)(&from);
            if (c >= 0 && (CHAR_)c == *format) continue;
            SCAN_(back)(&from, c);
            return c < 0 && !done ? -1 : filled;
        }
        format++;
        int skip = *format == '*', size = 'i', sizes = 1;
        size_t width = 0;
        for (format += skip; *format >= '0' && *format <= '9'; format++)
            width = width * 10 + (size_t)(*format - '0');
        while (sizes) {
            switch (*format) {
            case 'h': size = size == 'h' ? 'b' : 'h'; break;
            case 'l': size = size == 'l' ? 'q' : 'l'; break;
            case 'w': size = 'l'; break;
            case 'L': case 'j': case 'z': case 't': size = 'q'; break;
            case 'I': {
                int number = format[1] == '6' && format[2] == '4' ? 64
                             : format[1] == '3' && format[2] == '2' ? 32 : 0;
                size = number == 32 ? 'i' : 'q';
                format += number ? 2 : 0;
                break;
            }
            default: sizes = 0; break;
            }
            format += sizes;
        }
        int kind = (int)*format, result = 0, base = 10;
        const CHAR_ *set = NULL;
        void *to = NULL;
        char digits[512];
        switch (kind) {
        case '[':
            set = ++format;
            if (*format == '^') format++;
            if (*format == ']') format++;
            while (*format && *format != ']') format++;
            if (!*format) return filled;
            /* fallthrough */
        case 's': case 'S': case 'c': case 'C': {
            int wide = sizeof(CHAR_) > 1;
            if (kind == 'S' || kind == 'C') wide = !wide;
            if (size == 'h') wide = 0;
            if (size == 'l') wide = 1;
            size_t room = (size_t)-1 / sizeof(wchar_t);
            if (!skip) to = va_arg(list, void *);
            if (!skip && sized) room = va_arg(list, unsigned);
            if (!skip && !to) {
                errno = EINVAL;
                return -1;
            }
            result = SCAN_(text)(&from, kind, set, format, width, wide, to, room);
            break;
        }
        case 'n':
            if (!skip) winsock_store_(va_arg(list, void *), size, from.taken);
            continue;
        case 'a': case 'A': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
            result = SCAN_(number)(&from, 1, width, digits, sizeof digits);
            if (result < 1 || skip) break;
            to = va_arg(list, void *);
            if (size == 'l') *(double *)to = (double)winsock_unix_strtold_(digits, NULL);
            else if (size == 'q') *(long double *)to = winsock_unix_strtold_(digits, NULL);
            else *(float *)to = (float)winsock_unix_strtold_(digits, NULL);
            break;
        case 'd': case 'u': case 'i': case 'o': case 'x': case 'X': case 'p':
            if (kind == 'i') base = 0;
            if (kind == 'o') base = 8;
            if (kind == 'x' || kind == 'X' || kind == 'p') base = 16;
            if (kind == 'p') size = 'q';
            result = SCAN_(number)(&from, base, width, digits, sizeof digits);
            if (result < 1 || skip) break;
            winsock_store_(va_arg(list, void *), size, winsock_unix_strtoull_(digits, NULL, base));
            break;
        default: return filled;
        }
        if (result < 1) return result < 0 && !done ? -1 : filled;
        done = 1;
        filled += !skip;
    }
    return filled;
}

/* A function with the arguments listed, and one with them as they are. */
#define WINSOCK_SCANS_(name, parameter, stream, text, sized) \
    WINSOCK_INLINE int v##name(parameter const CHAR_ *format, va_list list) { \
        struct SCAN_(source) from = {stream, text, 0, 0}; \
        return SCAN_(run)(from, format, sized, list); \
    } \
    WINSOCK_INLINE int name(parameter const CHAR_ *format, ...) { \
        va_list list; \
        va_start(list, format); \
        struct SCAN_(source) from = {stream, text, 0, 0}; \
        int filled = SCAN_(run)(from, format, sized, list); \
        va_end(list); \
        return filled; \
    }
#define WINSOCK_COMMA_ ,
