//! The console: standard handles, text in and out, and the keys that end a program.

use std::ffi::c_void;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, HANDLE, INVALID_HANDLE_VALUE, TRUE,
};
use windows_sys::Win32::Globalization::CP_UTF8;
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, ENABLE_ECHO_INPUT, ENABLE_LINE_INPUT,
    ENABLE_PROCESSED_INPUT, ENABLE_PROCESSED_OUTPUT, ENABLE_VIRTUAL_TERMINAL_PROCESSING,
    ENABLE_WRAP_AT_EOL_OUTPUT, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
};
use windows_sys::core::BOOL;

use crate::last::{self, Code, answer};
use crate::text::{self, Unit, in_three_texts};

/// A handle of standard input, output or error: [GetStdHandle][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/console/getstdhandle
pub unsafe extern "C" fn GetStdHandle(which: u32) -> HANDLE {
    static HANDLES: [OnceLock<usize>; 3] = [const { OnceLock::new() }; 3];
    let fd = match which {
        STD_INPUT_HANDLE => 0,
        STD_OUTPUT_HANDLE => 1,
        STD_ERROR_HANDLE => 2,
        _ => {
            last::set(Code(ERROR_INVALID_HANDLE));
            return INVALID_HANDLE_VALUE;
        }
    };
    let value = HANDLES[fd as usize].get_or_init(|| {
        // SAFETY: the three descriptors are there from the start; one that was closed is refused.
        let copy = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned();
        copy.map_or(0, |copy| winsock_sys::linux::file_handle(copy).addr())
    });
    std::ptr::without_provenance_mut(*value)
}

/// The descriptor of a handle, if it is a terminal's.
fn with_terminal<R>(handle: HANDLE, f: impl FnOnce(RawFd) -> Result<R, Code>) -> Result<R, Code> {
    let file = winsock_sys::linux::file_of(handle).ok_or(Code(ERROR_INVALID_HANDLE))?;
    // SAFETY: isatty takes any descriptor.
    match unsafe { libc::isatty(file.as_raw_fd()) } {
        1 => f(file.as_raw_fd()),
        _ => Err(Code(ERROR_INVALID_HANDLE)),
    }
}

in_three_texts! {
    /// Writes text: [WriteConsoleA][ms].
    ///
    /// DIFFERS: to a file or a pipe too.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/console/writeconsole
    ///
    /// # Safety
    /// As on Windows: `text` has `len` characters, `written` is NULL or a place for a count.
    WriteConsoleA WriteConsoleW = write_console(
        handle: HANDLE, text: *const U, len: u32, written: *mut u32, reserved: *mut c_void
    ) -> BOOL;

    /// Names the terminal's window: [SetConsoleTitleA][ms].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/console/setconsoletitle
    ///
    /// # Safety
    /// As on Windows: the title ends in a NUL.
    SetConsoleTitleA SetConsoleTitleW = set_title(title: *const U) -> BOOL;
}

/// # Safety
/// As [`ansi::WriteConsoleA`].
unsafe fn write_console<U: Unit>(
    handle: HANDLE,
    text: *const U,
    len: u32,
    written: *mut u32,
    _reserved: *mut c_void,
) -> BOOL {
    if text.is_null() && len != 0 {
        return answer(Err(Code(ERROR_INVALID_PARAMETER)));
    }
    let units: &[U] = match len {
        0 => &[],
        // SAFETY: our caller vouches for the text.
        _ => unsafe { std::slice::from_raw_parts(text, len as usize) },
    };
    let bytes = U::decode(units);
    let mut count = 0;
    // SAFETY: the buffer is the text just made; our caller vouches for the place.
    unsafe {
        let done = winsock_sys::Win32::Storage::FileSystem::WriteFile(
            handle,
            bytes.as_ptr(),
            bytes.len() as u32,
            &mut count,
            std::ptr::null_mut(),
        );
        if !written.is_null() {
            *written = if done == TRUE { len } else { 0 };
        }
        done
    }
}

/// # Safety
/// The title is NULL or ends in a NUL.
unsafe fn set_title<U: Unit>(title: *const U) -> BOOL {
    // SAFETY: passed on from our caller.
    let title = unsafe { text::read(title) }.unwrap_or_default();
    escape(1, &format!("\x1b]0;{title}\x07"));
    TRUE
}

/// Says something to a terminal that only a terminal understands.
fn escape(fd: RawFd, sequence: &str) {
    // SAFETY: the buffer is the sequence; isatty takes any descriptor.
    unsafe {
        if libc::isatty(fd) == 1 {
            // A terminal that is gone has no colours either.
            let _ = libc::write(fd, sequence.as_ptr().cast(), sequence.len());
        }
    }
}

/// Reads text, a line at a time: [ReadConsoleA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/console/readconsole
///
/// # Safety
/// As on Windows: `to` has room for `room` characters, `count` is a place for their number.
pub unsafe extern "C" fn ReadConsoleA(
    handle: HANDLE,
    to: *mut u8,
    room: u32,
    count: *mut u32,
    _control: *mut c_void,
) -> BOOL {
    // SAFETY: passed on from our caller.
    unsafe {
        winsock_sys::Win32::Storage::FileSystem::ReadFile(
            handle,
            to,
            room,
            count,
            std::ptr::null_mut(),
        )
    }
}

fn termios(fd: RawFd) -> Result<libc::termios, Code> {
    // SAFETY: a termios is plain data, which the call fills.
    unsafe {
        let mut settings = std::mem::zeroed();
        match libc::tcgetattr(fd, &mut settings) {
            0 => Ok(settings),
            _ => Err(Code(ERROR_INVALID_HANDLE)),
        }
    }
}

/// Which of the terminal's settings are which bits of a console's input mode.
const INPUT_MODES: [(u32, libc::tcflag_t); 3] = [
    (ENABLE_PROCESSED_INPUT, libc::ISIG),
    (ENABLE_LINE_INPUT, libc::ICANON),
    (ENABLE_ECHO_INPUT, libc::ECHO),
];

fn is_input(fd: RawFd) -> bool {
    // SAFETY: fcntl takes any descriptor.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    // A terminal's three descriptors are often one, open for both; the first is for input.
    flags & libc::O_ACCMODE == libc::O_RDONLY
}

/// How a console treats what is typed or written: [GetConsoleMode][ms]. ERROR_INVALID_HANDLE for
/// what is no terminal.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/console/getconsolemode
///
/// # Safety
/// As on Windows: `mode` is a place for it.
pub unsafe extern "C" fn GetConsoleMode(handle: HANDLE, mode: *mut u32) -> BOOL {
    answer(with_terminal(handle, |fd| {
        let value = match handle_is_input(handle, fd) {
            true => {
                let settings = termios(fd)?;
                let set = INPUT_MODES.iter().filter(|(_, flag)| settings.c_lflag & flag != 0);
                set.fold(0, |mode, (bit, _)| mode | bit)
            }
            false => {
                ENABLE_PROCESSED_OUTPUT
                    | ENABLE_WRAP_AT_EOL_OUTPUT
                    | ENABLE_VIRTUAL_TERMINAL_PROCESSING
            }
        };
        // SAFETY: our caller vouches for the place.
        unsafe { mode.write(value) };
        Ok(())
    }))
}

fn handle_is_input(handle: HANDLE, fd: RawFd) -> bool {
    // SAFETY: it takes a number.
    is_input(fd) || handle == unsafe { GetStdHandle(STD_INPUT_HANDLE) }
}

/// Changes how a console treats what is typed: [SetConsoleMode][ms].
///
/// DIFFERS: PROCESSED, LINE and ECHO count; a terminal's output is as it is.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/console/setconsolemode
pub unsafe extern "C" fn SetConsoleMode(handle: HANDLE, mode: u32) -> BOOL {
    answer(with_terminal(handle, |fd| {
        if !handle_is_input(handle, fd) {
            return Ok(());
        }
        let mut settings = termios(fd)?;
        for (bit, flag) in INPUT_MODES {
            match mode & bit != 0 {
                true => settings.c_lflag |= flag,
                false => settings.c_lflag &= !flag,
            }
        }
        // SAFETY: the settings are the terminal's own, changed.
        match unsafe { libc::tcsetattr(fd, libc::TCSANOW, &settings) } {
            0 => Ok(()),
            _ => Err(Code(ERROR_INVALID_HANDLE)),
        }
    }))
}

/// Colours what is written from now on: [SetConsoleTextAttribute][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/console/setconsoletextattribute
pub unsafe extern "C" fn SetConsoleTextAttribute(handle: HANDLE, attributes: u16) -> BOOL {
    // Windows counts blue, green, red; terminals red, green, blue.
    let colour = |bits: u16| bits >> 2 & 1 | bits & 2 | (bits & 1) << 2;
    let base = |bits: u16, dark, bright| if bits & 8 != 0 { bright } else { dark };
    let front = base(attributes, 30, 90) + colour(attributes);
    let back = base(attributes >> 4, 40, 100) + colour(attributes >> 4);
    let back = if attributes & 0xf0 == 0 { String::new() } else { format!(";{back}") };
    let sequence = match attributes & 0xff {
        7 => "\x1b[0m".into(), // What a console begins with.
        _ => format!("\x1b[0;{front}{back}m"),
    };
    answer(with_terminal(handle, |fd| {
        escape(fd, &sequence);
        Ok(())
    }))
}

/// The code page of what is typed: [GetConsoleCP][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/console/getconsolecp
pub unsafe extern "C" fn GetConsoleCP() -> u32 {
    CP_UTF8
}

/// The code page of what is written: [GetConsoleOutputCP][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/console/getconsoleoutputcp
pub unsafe extern "C" fn GetConsoleOutputCP() -> u32 {
    CP_UTF8
}

/// Changes the code page of what is typed: [SetConsoleCP][ms].
///
/// DIFFERS: UTF-8 (65001) it is already; others are ERROR_INVALID_PARAMETER.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/console/setconsolecp
pub unsafe extern "C" fn SetConsoleCP(page: u32) -> BOOL {
    answer(if page == CP_UTF8 { Ok(()) } else { Err(Code(ERROR_INVALID_PARAMETER)) })
}

/// Changes the code page of what is written: [SetConsoleOutputCP][ms].
///
/// DIFFERS: as [`SetConsoleCP`].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/console/setconsoleoutputcp
pub unsafe extern "C" fn SetConsoleOutputCP(page: u32) -> BOOL {
    // SAFETY: it takes a number.
    unsafe { SetConsoleCP(page) }
}

type Handler = unsafe extern "C" fn(u32) -> BOOL;

struct Handlers {
    /// The last one is asked first.
    all: Vec<Handler>,
    /// SetConsoleCtrlHandler(NULL, TRUE): CTRL+C does nothing.
    deaf: bool,
}

static HANDLERS: Mutex<Handlers> = Mutex::new(Handlers { all: Vec::new(), deaf: false });

fn handlers() -> MutexGuard<'static, Handlers> {
    HANDLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The signals that ask a program to end, and what a console calls them.
const SIGNALS: [(i32, u32); 4] = [
    (libc::SIGINT, CTRL_C_EVENT),
    (libc::SIGQUIT, CTRL_BREAK_EVENT),
    (libc::SIGTERM, CTRL_CLOSE_EVENT),
    (libc::SIGHUP, CTRL_CLOSE_EVENT),
];

/// Where the signal handler writes the signal's number; the thread that calls the program's
/// handlers reads it.
static PIPE: OnceLock<(RawFd, RawFd)> = OnceLock::new();

/// Adds or removes a function that is told of CTRL+C and its like: [SetConsoleCtrlHandler][ms].
///
/// SIGINT is CTRL_C_EVENT, SIGQUIT CTRL_BREAK_EVENT, SIGTERM and SIGHUP CTRL_CLOSE_EVENT. Functions
/// are called in a thread of their own, the last one added first, until one answers TRUE. If none
/// does, the signal does what it does to any program.
///
/// DIFFERS: after a TRUE to CTRL_CLOSE_EVENT the process has five seconds left, not none.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/console/setconsolectrlhandler
///
/// # Safety
/// As on Windows: the function may be called in another thread.
pub unsafe extern "C" fn SetConsoleCtrlHandler(handler: Option<Handler>, add: BOOL) -> BOOL {
    listen();
    let mut handlers = handlers();
    match (handler, add != 0) {
        (None, deaf) => handlers.deaf = deaf,
        (Some(handler), true) => handlers.all.push(handler),
        (Some(handler), false) => {
            let found =
                handlers.all.iter().rposition(|&other| std::ptr::fn_addr_eq(other, handler));
            match found {
                Some(at) => drop(handlers.all.remove(at)),
                None => return answer(Err(Code(ERROR_INVALID_PARAMETER))),
            }
        }
    }
    TRUE
}

/// Takes the signals over, once.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut ends = [0; 2];
        // SAFETY: the array has room for the two descriptors.
        if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
            return;
        }
        let _ = PIPE.set((ends[0], ends[1]));
        std::thread::spawn(deliver);
        for (signal, _) in SIGNALS {
            // SAFETY: the handler does nothing but write to a pipe.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = on_signal as *const () as usize;
                action.sa_flags = libc::SA_RESTART;
                libc::sigaction(signal, &action, std::ptr::null_mut());
            }
        }
    });
}

extern "C" fn on_signal(signal: i32) {
    let Some(&(_, end)) = PIPE.get() else { return };
    // SAFETY: write is safe in a signal handler, if errno is put back.
    unsafe {
        let errno = *libc::__errno_location();
        // A pipe that is full has news enough.
        let _ = libc::write(end, (&raw const signal).cast(), size_of::<i32>());
        *libc::__errno_location() = errno;
    }
}

/// Reads signals off the pipe and tells the program's handlers.
fn deliver() {
    let Some(&(end, _)) = PIPE.get() else { return };
    loop {
        let mut signal = 0i32;
        // SAFETY: the buffer is the number.
        let read = unsafe { libc::read(end, (&raw mut signal).cast(), size_of::<i32>()) };
        if read != size_of::<i32>() as isize {
            continue;
        }
        let event = SIGNALS.iter().find(|(number, _)| *number == signal);
        let event = event.map_or(CTRL_C_EVENT, |(_, event)| *event);
        if event == CTRL_C_EVENT && handlers().deaf {
            continue;
        }
        // No lock is held while a handler runs: it may remove itself.
        let all = handlers().all.clone();
        // SAFETY: the program gave the functions to be called so.
        let handled = all.iter().rev().any(|handler| unsafe { handler(event) } != 0);
        match (handled, event) {
            (true, CTRL_CLOSE_EVENT) => {
                std::thread::sleep(Duration::from_secs(5));
                end_by(signal);
            }
            (true, _) => {}
            (false, _) => end_by(signal),
        }
    }
}

/// Ends the process as the signal would have.
fn end_by(signal: i32) {
    // SAFETY: the signal gets its default action back, and is sent to this thread.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        libc::raise(signal);
    }
}

/// Sends CTRL+C or CTRL+BREAK: [GenerateConsoleCtrlEvent][ms].
///
/// DIFFERS: group 0 is this process alone; another number is a process group of Linux.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/console/generateconsolectrlevent
pub unsafe extern "C" fn GenerateConsoleCtrlEvent(event: u32, group: u32) -> BOOL {
    let signal = match event {
        CTRL_C_EVENT => libc::SIGINT,
        CTRL_BREAK_EVENT => libc::SIGQUIT,
        _ => return answer(Err(Code(ERROR_INVALID_PARAMETER))),
    };
    // SAFETY: kill touches no memory.
    let sent = unsafe {
        match group {
            0 => libc::kill(libc::getpid(), signal),
            group => libc::killpg(group as i32, signal),
        }
    };
    answer(if sent == 0 { Ok(()) } else { Err(Code(ERROR_INVALID_PARAMETER)) })
}
