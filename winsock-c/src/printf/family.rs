// The functions of printf.rs, included there once for each kind of wide character.

/// Prints: [vprintf][ms].
///
/// DIFFERS: `%ld` prints 32 bits, as on Windows, unless its argument is a larger number.
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/format-specification-syntax-printf-and-wprintf-functions
///
/// # Safety
/// The format is NULL or ends in a NUL, and the arguments are what it says.
pub unsafe extern "C" fn vprintf(format: *const u8, list: *mut VaList) -> i32 {
    // SAFETY: passed on from our caller; the C library's own stream.
    unsafe { to_stream::<u8, Wide>(stdout, format, list) }
}

/// As [`vprintf`] to a stream: [vfprintf][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/vfprintf-vfprintf-l-vfwprintf-vfwprintf-l
///
/// # Safety
/// As [`vprintf`], and the stream is open.
pub unsafe extern "C" fn vfprintf(
    stream: *mut libc::FILE,
    format: *const u8,
    list: *mut VaList,
) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { to_stream::<u8, Wide>(stream, format, list) }
}

/// As [`vprintf`] to memory: [vsprintf][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/vsprintf-vsprintf-l-vswprintf-vswprintf-l-vswprintf-l
///
/// # Safety
/// As [`vprintf`], and there is room for what is printed.
pub unsafe extern "C" fn vsprintf(to: *mut u8, format: *const u8, list: *mut VaList) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { to_buffer::<u8, Wide>(to, usize::MAX, format, list, Long::Told) }
}

/// As [`vprintf`] to memory, cut where the room ends: [vsnprintf][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/vsnprintf-vsnprintf-vsnprintf-l-vsnwprintf-vsnwprintf-l
///
/// # Safety
/// As [`vprintf`], and `to` has room for `room` bytes.
pub unsafe extern "C" fn vsnprintf(
    to: *mut u8,
    room: usize,
    format: *const u8,
    list: *mut VaList,
) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { to_buffer::<u8, Wide>(to, room, format, list, Long::Told) }
}

/// As [`vsnprintf`], without a NUL where the text takes all the room, and -1 if it takes more:
/// [_vsnprintf][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/vsnprintf-vsnprintf-vsnprintf-l-vsnwprintf-vsnwprintf-l
///
/// # Safety
/// As [`vsnprintf`].
pub unsafe extern "C" fn _vsnprintf(
    to: *mut u8,
    room: usize,
    format: *const u8,
    list: *mut VaList,
) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { to_buffer::<u8, Wide>(to, room, format, list, Long::Open) }
}

/// As [`vprintf`] with a wide format: [vwprintf][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/vprintf-vprintf-l-vwprintf-vwprintf-l
///
/// # Safety
/// As [`vprintf`].
pub unsafe extern "C" fn vwprintf(format: *const Wide, list: *mut VaList) -> i32 {
    // SAFETY: passed on from our caller; the C library's own stream.
    unsafe { to_stream::<Wide, Wide>(stdout, format, list) }
}

/// As [`vfprintf`] with a wide format: [vfwprintf][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/vfprintf-vfprintf-l-vfwprintf-vfwprintf-l
///
/// # Safety
/// As [`vfprintf`].
pub unsafe extern "C" fn vfwprintf(
    stream: *mut libc::FILE,
    format: *const Wide,
    list: *mut VaList,
) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { to_stream::<Wide, Wide>(stream, format, list) }
}

/// As [`vsnprintf`] in wide characters, and -1 if the text is cut: [vswprintf][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/vsprintf-vsprintf-l-vswprintf-vswprintf-l-vswprintf-l
///
/// # Safety
/// As [`vsnprintf`].
pub unsafe extern "C" fn vswprintf(
    to: *mut Wide,
    room: usize,
    format: *const Wide,
    list: *mut VaList,
) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { to_buffer::<Wide, Wide>(to, room, format, list, Long::Cut) }
}

/// As [`_vsnprintf`] in wide characters: [_vsnwprintf][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/vsnprintf-vsnprintf-vsnprintf-l-vsnwprintf-vsnwprintf-l
///
/// # Safety
/// As [`_vsnprintf`].
pub unsafe extern "C" fn _vsnwprintf(
    to: *mut Wide,
    room: usize,
    format: *const Wide,
    list: *mut VaList,
) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { to_buffer::<Wide, Wide>(to, room, format, list, Long::Open) }
}

/// Writes wide text to a stream: [fputws][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/fputs-fputws
///
/// # Safety
/// The text ends in a NUL, the stream is open.
pub unsafe extern "C" fn fputws(from: *const Wide, stream: *mut libc::FILE) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { text::units(from).map_or(-1, |units| write(stream, units)) }
}

variadic! {
    /// Prints: [printf][ms]. See [`vprintf`].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/format-specification-syntax-printf-and-wprintf-functions
    printf(1) => vprintf;

    /// Prints to a stream: [fprintf][ms]. See [`vprintf`].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/fprintf-fprintf-l-fwprintf-fwprintf-l
    fprintf(2) => vfprintf;

    /// Prints to memory: [sprintf][ms]. See [`vprintf`].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/sprintf-sprintf-l-swprintf-swprintf-swprintf-l
    sprintf(2) => vsprintf;

    /// Prints to memory, cut where the room ends: [snprintf][ms]. See [`vprintf`].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/snprintf-snprintf-snprintf-l-snwprintf-snwprintf-l
    snprintf(3) => vsnprintf;

    /// Prints wide text: [wprintf][ms]. See [`vprintf`].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/printf-printf-l-wprintf-wprintf-l
    wprintf(1) => vwprintf;

    /// Prints wide text to a stream: [fwprintf][ms]. See [`vprintf`].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/fprintf-fprintf-l-fwprintf-fwprintf-l
    fwprintf(2) => vfwprintf;

    /// Prints wide text to memory; -1 if it is cut: [swprintf][ms]. See [`vprintf`].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/sprintf-sprintf-l-swprintf-swprintf-swprintf-l
    swprintf(3) => vswprintf;
}
