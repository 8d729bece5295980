/*
 * winsock/wide_streams.h - what std::wcout, std::wcerr and std::wclog write to.
 *
 * libstdc++'s own buffers turn C's streams into wide ones, to which printf and std::cout cannot write
 * any more, and fail at the first character that the locale has not. These write UTF-8 as bytes, so
 * that a program may use all of them in turn, as on Windows.
 */
#ifndef WINSOCK_WIDE_STREAMS_H
#define WINSOCK_WIDE_STREAMS_H

#if defined(__cplusplus) && defined(__GLIBCXX__)

#include <stdio.h>
#include <wchar.h>

#include <iostream>
#include <streambuf>

namespace winsock_wide {

class buffer : public std::wstreambuf {
public:
    explicit buffer(FILE *stream) : stream_(stream), first_(0) {}

protected:
    int_type overflow(int_type unit = traits_type::eof()) override {
        if (!traits_type::eq_int_type(unit, traits_type::eof())) put(unsigned(unit));
        return traits_type::not_eof(unit);
    }

    std::streamsize xsputn(const wchar_t *text, std::streamsize count) override {
#if __SIZEOF_WCHAR_T__ == 2
        /* Numbers are spelled by code in the library, whose wchar_t has 4 bytes. */
        if (count > 1 && text[1] == 0) {
            for (std::streamsize at = 0; at < count; at++) put(unsigned(text[2 * at]));
            return count;
        }
#endif
        for (std::streamsize at = 0; at < count; at++) put(unsigned(text[at]));
        return count;
    }

    int sync() override { return fflush(stream_) == 0 ? 0 : -1; }

private:
    void put(unsigned unit) {
        if (unit >= 0xD800 && unit < 0xDC00) {
            first_ = unit;
            return;
        }
        if (unit >= 0xDC00 && unit < 0xE000)
            unit = first_ ? 0x10000 + ((first_ - 0xD800) << 10) + (unit - 0xDC00) : 0xFFFD;
        first_ = 0;
        if (unit > 0x10FFFF) unit = 0xFFFD;
        char bytes[4];
        size_t length = 0;
        if (unit < 0x80) {
            bytes[length++] = char(unit);
        } else {
            if (unit >= 0x10000) bytes[length++] = char(0xF0 | unit >> 18);
            if (unit >= 0x800)
                bytes[length++] = char(unit >= 0x10000 ? 0x80 | (unit >> 12 & 0x3F) : 0xE0 | unit >> 12);
            bytes[length] = char(unit >= 0x800 ? 0x80 | (unit >> 6 & 0x3F) : 0xC0 | unit >> 6);
            length++;
            bytes[length++] = char(0x80 | (unit & 0x3F));
        }
        fwrite(bytes, 1, length, stream_);
    }

    FILE *stream_;
    /* The first half of a character of UTF-16. */
    unsigned first_;
};

#if __SIZEOF_WCHAR_T__ == 2
}
/* The library's own would measure the text in characters of 4 bytes. */
namespace std {
inline wostream &operator<<(wostream &out, const wchar_t *text) {
    if (text) return __ostream_insert(out, text, (streamsize)wcslen(text));
    out.setstate(ios_base::badbit);
    return out;
}
}
namespace winsock_wide {
#endif

/* One a program, and never destroyed: the streams are written to until the end. */
inline void set() {
    static bool done = false;
    if (done) return;
    done = true;
    std::wcout.rdbuf(new buffer(stdout));
    std::wcerr.rdbuf(new buffer(stderr));
    std::wclog.rdbuf(std::wcerr.rdbuf());
}

/* Each source's own objects may write as soon as they are made. */
static struct setter {
    setter() { set(); }
} set_ __attribute__((__unused__));

}

#endif
#endif
