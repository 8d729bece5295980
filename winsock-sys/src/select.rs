//! `select` and `WSAPoll`: readiness by the list.
//!
//! Both look at every socket they are given, and sleep in one `ppoll` on all descriptors while none
//! is as wanted. What the kernel does not show, or shows otherwise than Windows, is in
//! [`crate::levels`]; whoever changes such a thing wakes the threads that wait for the socket
//! ([`State::stir`], or closing it). Windows waits alertably here: APCs run, but not if the answer
//! is there already (rules 108 and 135).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use libc::pollfd;
use windows_sys::Win32::Networking::WinSock::{
    FD_SET, POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLRDBAND, POLLRDNORM, POLLWRNORM,
    SOCKET, SOCKET_ERROR, TIMEVAL, WSAEFAULT, WSAEINVAL, WSAENOTSOCK, WSANOTINITIALISED, WSAPOLLFD,
};

use crate::backend;
use crate::blocking;
use crate::error::{self, Code};
use crate::levels::Level;
use crate::object::{self, SocketRef};
use crate::socket::State;
use crate::start;
use crate::sys;
use crate::thread::{self, Thread, Waiting};
use crate::wait::Deadline;

/// One socket of a call.
struct Seat {
    socket: SocketRef,
    /// What the caller wants to know, as the POLL bits that the kernel says it with.
    interest: i16,
    /// What holds, as far as it has been looked at.
    level: Level,
}

/// The thread's seats while it waits: whoever changes something about their sockets finds it there.
struct Audience<'a> {
    thread: &'a Arc<Thread>,
    seats: &'a mut [Seat],
    entries: Vec<pollfd>,
    /// It may sleep, and has to be found then.
    waits: bool,
    /// It can be found: it is listed with every socket.
    listed: bool,
}

/// No descriptor: the kernel passes over the entry.
const VACANT: pollfd = pollfd { fd: -1, events: 0, revents: 0 };

/// How long to sleep where a listener has connections that wait for free descriptors: they keep its
/// descriptor ready, so it is left out, and the kernel does not tell when one is for us.
const STARVED_NAP_MS: u32 = 100;

impl Audience<'_> {
    /// Notes what each socket's state tells, and what to ask the kernel about it.
    fn prepare(&mut self) {
        for (seat, entry) in self.seats.iter_mut().zip(&mut self.entries) {
            let mut state = seat.socket.lock();
            if self.waits && !self.listed {
                state.extra().blocked.push(self.thread.clone());
            }
            seat.level = seat.socket.level(&mut state, 0);
            *entry = seat.question(&mut state);
        }
        self.listed = self.waits;
    }

    fn any(&self, wanted: impl Fn(usize, &Seat) -> bool) -> bool {
        self.seats.iter().enumerate().any(|(at, seat)| wanted(at, seat))
    }

    /// Finds out what the kernel's answers mean. A connection that had to be waited for may have
    /// come about, so that the next question is another.
    fn examine(&mut self, wanted: impl Fn(usize, &Seat) -> bool) {
        for (at, (seat, entry)) in self.seats.iter_mut().zip(&mut self.entries).enumerate() {
            let bits = std::mem::take(&mut entry.revents);
            if bits == 0 {
                continue;
            }
            let mut state = seat.socket.lock();
            if state.fd != Some(entry.fd) {
                // It was closed, or is on another descriptor: this answer is a stranger's.
                seat.level = seat.socket.level(&mut state, 0);
                *entry = seat.question(&mut state);
                continue;
            }
            seat.level = seat.socket.level(&mut state, bits);
            *entry = seat.question(&mut state);
            let over = bits & (libc::POLLHUP | libc::POLLERR) != 0 && seat.socket.form.is_stream();
            let starved = state.listening && backend::is_starved();
            if (over || starved) && entry.fd >= 0 && !wanted(at, seat) {
                // The kernel would go on saying what is no answer to the question.
                *entry = VACANT;
            }
        }
    }
}

impl Drop for Audience<'_> {
    fn drop(&mut self) {
        if self.listed {
            self.seats.iter().for_each(|seat| seat.socket.unlist_blocked(self.thread));
        }
    }
}

impl Seat {
    fn new(socket: SocketRef, interest: i16) -> Seat {
        Seat { socket, interest, level: Level::default() }
    }

    fn question(&self, state: &mut State) -> pollfd {
        let Some(fd) = self.socket.telling_descriptor(state) else { return VACANT };
        let mut events = match state.connecting {
            true => libc::POLLOUT, // Whatever is wanted, that comes first.
            false => self.interest,
        };
        if !state.has_urgent_apart() {
            events &= !libc::POLLPRI;
        }
        pollfd { fd, events, revents: 0 }
    }
}

/// Waits until a seat's socket is as wanted, or until the deadline.
fn wait(
    seats: &mut [Seat],
    deadline: Deadline,
    wanted: impl Fn(usize, &Seat) -> bool,
) -> Result<(), Code> {
    let thread = thread::current();
    let entries = vec![VACANT; seats.len()];
    let waits = !matches!(deadline, Deadline::Now);
    let mut audience = Audience { thread: &thread, seats, entries, waits, listed: false };
    let mut waiting = None;
    let mut stirred = true;
    loop {
        if stirred {
            audience.prepare();
        }
        let starved = audience.entries.iter().any(|entry| entry.fd < 0) && backend::is_starved();
        let (nap, left) = match starved {
            true => (deadline.or_after_ms(STARVED_NAP_MS).left_ns(), deadline.left_ns()),
            false => (deadline.left_ns(), deadline.left_ns()),
        };
        let ready = audience.any(&wanted);
        let entries = &mut audience.entries;
        let count = match nap {
            // An APC that is queued runs only if there is nothing to report.
            Some(timeout_ns) if !ready && !thread.has_apcs() => {
                waiting.get_or_insert_with(Waiting::begin);
                blocking::sleep(&thread, entries, timeout_ns)
            }
            _ => sys::look_at(entries),
        };
        if count > 0 {
            audience.examine(&wanted);
        }
        if audience.any(&wanted) || left.is_none() {
            return Ok(());
        }
        if thread.is_condemned() {
            return Err(Code::THREAD_ENDS);
        }
        // An APC may have waited too, and taken a wake-up that was for us.
        stirred = thread.run_apcs() || count == 0;
    }
}

/// What a set asks, and its answer.
type Asked = u8;
const READ: Asked = 1;
const WRITE: Asked = 2;
const EXCEPT: Asked = 4;

/// An `fd_set` of the program: a count and as many sockets, whatever room the type has (rule 111).
struct Set {
    at: *mut FD_SET,
    asked: Asked,
    /// The seat of each entry.
    seats: Vec<u32>,
}

impl Set {
    fn places(&self) -> *mut SOCKET {
        // SAFETY: the program passes a set, which may end before the type does: the array's place
        // is computed, and nothing of it is touched.
        unsafe { (&raw mut (*self.at).fd_array).cast() }
    }

    /// # Safety
    /// `at` is an fd_set.
    unsafe fn count(&self) -> usize {
        // SAFETY: our caller vouches for the set.
        unsafe { (*self.at).fd_count as usize }
    }

    /// Keeps those sockets that are as asked, each once, in their order.
    ///
    /// # Safety
    /// `at` is an fd_set, and still holds as many sockets as there are seats noted.
    unsafe fn keep(&self, answers: &[Asked]) -> u32 {
        let mut counted = vec![false; answers.len()];
        let mut kept = 0;
        for (from, &seat) in self.seats.iter().enumerate() {
            let seat = seat as usize;
            if answers[seat] & self.asked == 0 || std::mem::replace(&mut counted[seat], true) {
                continue;
            }
            // SAFETY: both places are among those that the set holds.
            unsafe {
                let socket = self.places().add(from).read_unaligned();
                self.places().add(kept).write_unaligned(socket);
            }
            kept += 1;
        }
        // SAFETY: our caller vouches for the set.
        unsafe { (*self.at).fd_count = kept as u32 };
        kept as u32
    }
}

/// The sockets of all sets, each once.
struct Roll {
    seats: Vec<Seat>,
    asked: Vec<Asked>,
    numbers: HashMap<SOCKET, u32>,
}

impl Roll {
    fn seat(&mut self, s: SOCKET, asked: Asked) -> Result<u32, Code> {
        let next = self.seats.len() as u32;
        let number = *self.numbers.entry(s).or_insert(next);
        if number == next {
            self.seats.push(Seat::new(object::socket(s)?, 0));
            self.asked.push(0);
        }
        self.asked[number as usize] |= asked;
        self.seats[number as usize].interest |= interest_of(asked);
        Ok(number)
    }
}

fn interest_of(asked: Asked) -> i16 {
    let bits = |set, bits: i16| if asked & set != 0 { bits } else { 0 };
    bits(READ, libc::POLLIN | libc::POLLRDHUP)
        | bits(WRITE, libc::POLLOUT)
        | bits(EXCEPT, libc::POLLPRI)
}

/// What holds, set by set (rules 116 to 118).
fn answer_of(level: &Level) -> Asked {
    let bit = |holds, set| if holds { set } else { 0 };
    bit(level.input || level.ended || level.reset || level.closed, READ)
        | bit(level.room, WRITE)
        | bit(level.failed || level.urgent, EXCEPT)
}

/// Waits until a socket can be received from, can be sent to, or is exceptional: [select][ms].
///
/// A set may hold any number of sockets, and nothing behind those is touched (rules 111 and 136).
/// Each set keeps the sockets that are ready, in their order and each once; the answer counts them
/// over all sets, 0 when the time is up. The same set may be passed twice (rule 114). A socket that
/// another thread closes is readable (rule 118).
///
/// WSAEINVAL when all sets are empty (rule 113); WSAENOTSOCK when a set holds something else, or
/// one that was closed meanwhile and was not to be read. A negative time-out is up already.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-select
///
/// # Safety
/// As on Windows: each set is NULL or a count and as many sockets, the time-out is NULL or a
/// TIMEVAL.
pub unsafe extern "system" fn select(
    _nfds: i32,
    readfds: *mut FD_SET,
    writefds: *mut FD_SET,
    exceptfds: *mut FD_SET,
    timeout: *const TIMEVAL,
) -> i32 {
    let sets = [(readfds, READ), (writefds, WRITE), (exceptfds, EXCEPT)];
    // SAFETY: passed on from our caller.
    count_or(unsafe { select_in(sets, timeout) })
}

fn count_or(result: Result<u32, Code>) -> i32 {
    match result {
        Ok(count) => count as i32,
        Err(code) => {
            error::set_last(code);
            SOCKET_ERROR
        }
    }
}

/// # Safety
/// As [`select`].
unsafe fn select_in(sets: [(*mut FD_SET, Asked); 3], timeout: *const TIMEVAL) -> Result<u32, Code> {
    if !start::started() {
        return Err(Code::wsa(WSANOTINITIALISED));
    }
    // SAFETY: passed on from our caller.
    let deadline = unsafe { deadline_of(timeout) };
    // SAFETY: passed on from our caller.
    let (sets, mut roll) = unsafe { call_roll(sets) }?;
    if roll.seats.is_empty() {
        return Err(Code::wsa(WSAEINVAL));
    }
    let asked = &roll.asked;
    let is_answered =
        |at: usize, seat: &Seat| answer_of(&seat.level) & asked[at] != 0 || seat.level.closed;
    wait(&mut roll.seats, deadline, is_answered)?;
    let closed = |(seat, asked): (&Seat, &Asked)| seat.level.closed && asked & READ == 0;
    if roll.seats.iter().zip(&roll.asked).any(closed) {
        return Err(Code::wsa(WSAENOTSOCK));
    }
    let answers: Vec<Asked> = roll.seats.iter().map(|seat| answer_of(&seat.level)).collect();
    // SAFETY: passed on from our caller; the seats were noted from these sets.
    Ok(sets.iter().map(|set| unsafe { set.keep(&answers) }).sum())
}

/// Reads the sets, of which those at one place are one.
///
/// # Safety
/// As [`select`].
unsafe fn call_roll(sets: [(*mut FD_SET, Asked); 3]) -> Result<(Vec<Set>, Roll), Code> {
    let mut merged: Vec<Set> = Vec::with_capacity(3);
    for (at, asked) in sets.into_iter().filter(|(at, _)| !at.is_null()) {
        match merged.iter_mut().find(|set| set.at == at) {
            Some(set) => set.asked |= asked,
            None => merged.push(Set { at, asked, seats: Vec::new() }),
        }
    }
    let mut roll = Roll { seats: Vec::new(), asked: Vec::new(), numbers: HashMap::new() };
    for set in &mut merged {
        // SAFETY: our caller vouches for the set.
        let count = unsafe { set.count() };
        set.seats.reserve_exact(count);
        for place in 0..count {
            // SAFETY: the set holds so many sockets.
            let s = unsafe { set.places().add(place).read_unaligned() };
            let seat = roll.seat(s, set.asked)?;
            set.seats.push(seat);
        }
    }
    Ok((merged, roll))
}

/// # Safety
/// `timeout` is NULL or a TIMEVAL.
unsafe fn deadline_of(timeout: *const TIMEVAL) -> Deadline {
    if timeout.is_null() {
        return Deadline::Never;
    }
    // SAFETY: our caller vouches for it; it is read only (rule 115).
    let TIMEVAL { tv_sec, tv_usec } = unsafe { *timeout };
    let micros = i64::from(tv_sec) * 1_000_000 + i64::from(tv_usec);
    // Programs turn their own -1 for "for ever" into {0, -1000}, and are answered at once.
    Deadline::after(Duration::from_micros(micros.max(0) as u64))
}

/// Whether a set holds a socket: what the macro FD_ISSET calls ([select][ms]).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-select
///
/// # Safety
/// `set` is NULL or a count and as many sockets.
pub unsafe extern "system" fn __WSAFDIsSet(s: SOCKET, set: *mut FD_SET) -> i32 {
    if set.is_null() {
        return 0;
    }
    let set = Set { at: set, asked: 0, seats: Vec::new() };
    // SAFETY: our caller vouches for the set.
    let holds =
        unsafe { (0..set.count()).any(|place| set.places().add(place).read_unaligned() == s) };
    holds.into()
}

/// Waits until one of an array's sockets is as asked: [WSAPoll][ms].
///
/// POLLRDNORM, POLLRDBAND and POLLWRNORM can be asked for, alone or together. POLLHUP (the peer has
/// ended), POLLERR (with POLLHUP: reset, or the connect has failed, rule 120) and POLLNVAL come
/// unasked. Returns how many sockets have an answer; one that was none to begin with has POLLNVAL
/// and is not counted (rule 119).
///
/// WSAEINVAL without sockets or for other events, WSAEFAULT for NULL, WSAENOTSOCK when no entry is
/// a socket.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsapoll
///
/// # Safety
/// As on Windows: `array` is NULL or holds `count` entries.
pub unsafe extern "system" fn WSAPoll(array: *mut WSAPOLLFD, count: u32, timeout_ms: i32) -> i32 {
    // SAFETY: passed on from our caller.
    count_or(unsafe { poll(array, count, timeout_ms) })
}

/// # Safety
/// As [`WSAPoll`].
unsafe fn poll(array: *mut WSAPOLLFD, count: u32, timeout_ms: i32) -> Result<u32, Code> {
    const ASKABLE: i16 = POLLIN | POLLOUT;
    if !start::started() {
        return Err(Code::wsa(WSANOTINITIALISED));
    }
    if count == 0 {
        return Err(Code::wsa(WSAEINVAL));
    }
    if array.is_null() {
        return Err(Code::wsa(WSAEFAULT));
    }
    // SAFETY: our caller vouches for the array.
    let array = unsafe { std::slice::from_raw_parts_mut(array, count as usize) };
    if array.iter().any(|entry| entry.events & !ASKABLE != 0) {
        return Err(Code::wsa(WSAEINVAL));
    }
    let mut seats = Vec::with_capacity(array.len());
    let mut events = Vec::with_capacity(array.len());
    let mut numbers = Vec::with_capacity(array.len());
    for entry in array.iter() {
        let socket = object::socket(entry.fd).ok();
        numbers.push(socket.is_some().then_some(seats.len()));
        if let Some(socket) = socket {
            seats.push(Seat::new(socket, poll_interest(entry.events)));
            events.push(entry.events);
        }
    }
    if seats.is_empty() {
        array.iter_mut().for_each(|entry| entry.revents = POLLNVAL);
        return Err(Code::wsa(WSAENOTSOCK));
    }
    // Negative is for ever; as a u32, -1 alone is.
    let deadline = Deadline::after_ms(u32::try_from(timeout_ms).unwrap_or(u32::MAX));
    wait(&mut seats, deadline, |at, seat| poll_answer(&seat.level, events[at]) != 0)?;
    let mut answered = 0;
    for (entry, number) in array.iter_mut().zip(numbers) {
        let answer = number.map(|at| poll_answer(&seats[at].level, entry.events));
        entry.revents = answer.unwrap_or(POLLNVAL);
        answered += u32::from(answer.is_some_and(|answer| answer != 0));
    }
    Ok(answered)
}

fn poll_interest(events: i16) -> i16 {
    let bits = |event, bits: i16| if events & event != 0 { bits } else { 0 };
    bits(POLLRDNORM, libc::POLLIN)
        | bits(POLLRDBAND, libc::POLLPRI)
        | bits(POLLWRNORM, libc::POLLOUT)
        | libc::POLLRDHUP
}

fn poll_answer(level: &Level, events: i16) -> i16 {
    let bits = |holds, bits: i16| if holds { bits } else { 0 };
    bits(level.input, events & POLLRDNORM)
        | bits(level.urgent, events & POLLRDBAND)
        | bits(level.room || level.failed, events & POLLWRNORM)
        | bits(level.ended || level.reset || level.failed, POLLHUP)
        | bits(level.reset || level.failed, POLLERR)
        | bits(level.closed, POLLNVAL)
}
