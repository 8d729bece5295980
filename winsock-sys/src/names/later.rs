//! GetAddrInfoExW with an OVERLAPPED: look-ups that report later, and can be called off.
//!
//! Each has a thread of its own, because the C library's resolver blocks. A look-up that is called
//! off or timed out has reported; its thread goes on until the resolver lets it go, and finds
//! nobody to report to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, HANDLE};
use windows_sys::Win32::Networking::WinSock::{
    ADDRINFOEXW, LPLOOKUPSERVICE_COMPLETION_ROUTINE, TIMEVAL, WSA_E_CANCELLED, WSA_INVALID_HANDLE,
    WSA_IO_PENDING, WSA_NOT_ENOUGH_MEMORY, WSAEINPROGRESS, WSAEINVAL, WSAETIMEDOUT,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

use crate::error::Code;
use crate::object::{self, EventRef, WAITS};

use super::list;
use super::lookup::{self, Answer, Question};

/// The look-ups that have not reported, by token. Whoever takes one out reports, nobody else.
static PENDING: Mutex<BTreeMap<usize, Asked>> = Mutex::new(BTreeMap::new());

fn pending() -> MutexGuard<'static, BTreeMap<usize, Asked>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Asked {
    question: Question,
    report: Report,
}

/// Where a look-up reports: memory lent by the program, and a way to tell it.
pub struct Report {
    result: *mut *mut ADDRINFOEXW,
    overlapped: *mut OVERLAPPED,
    signal: Signal,
}

// SAFETY: the pointers are the program's promise, which holds on every thread until the report.
unsafe impl Send for Report {}

enum Signal {
    /// Held, so that closing the event early harms nobody; `None` if `hEvent` is no event.
    Event(Option<EventRef>),
    Routine(unsafe extern "system" fn(u32, u32, *const OVERLAPPED)),
}

impl Report {
    /// `None` if the program wants its answer at once. WSAEINVAL if it gives neither an event nor a
    /// routine, or both.
    ///
    /// # Safety
    /// `overlapped` is NULL or valid; it and `result` are the look-up's until it reports.
    pub unsafe fn new(
        result: *mut *mut ADDRINFOEXW,
        overlapped: *const OVERLAPPED,
        routine: LPLOOKUPSERVICE_COMPLETION_ROUTINE,
    ) -> Result<Option<Report>, Code> {
        let invalid = Code::wsa(WSAEINVAL);
        let overlapped = overlapped.cast_mut();
        if overlapped.is_null() {
            return if routine.is_none() { Ok(None) } else { Err(invalid) };
        }
        // SAFETY: the caller promises that it is valid.
        let event = unsafe { (*overlapped).hEvent };
        let signal = match (routine, event.is_null()) {
            (Some(routine), true) => Signal::Routine(routine),
            (None, false) => Signal::Event(object::event(event.addr())),
            (Some(_), false) | (None, true) => return Err(invalid),
        };
        Ok(Some(Report { result, overlapped, signal }))
    }

    /// Marks the OVERLAPPED as that of a look-up on its way.
    fn begin(&self) {
        // SAFETY: the memory is ours until the report.
        unsafe { (*self.overlapped).Anonymous.Pointer = self.result.cast() };
        self.internal().store(WSAEINPROGRESS as usize, Ordering::Release);
    }

    /// Hands the memory back and tells the program.
    fn finish(self, question: &Question, answer: Result<Answer, Code>) {
        let code = match answer {
            Ok(answer) => {
                // SAFETY: the memory is ours until `Internal` says otherwise.
                unsafe { *self.result = list::make(question, &answer) };
                Code(ERROR_SUCCESS)
            }
            Err(code) => code,
        };
        self.internal().store(code.0 as usize, Ordering::Release);
        match self.signal {
            // SAFETY: the routine is the program's, called once, with no lock of ours held.
            Signal::Routine(routine) => unsafe { routine(code.0, 0, self.overlapped) },
            Signal::Event(Some(event)) => event.set(&WAITS),
            // A program with a wild `hEvent` has GetAddrInfoExOverlappedResult to ask.
            Signal::Event(None) => {}
        }
    }

    /// The WSA code so far: GetAddrInfoExOverlappedResult reads it on any thread.
    fn internal(&self) -> &AtomicUsize {
        // SAFETY: the OVERLAPPED is ours until the report, and aligned for its members.
        unsafe { AtomicUsize::from_ptr(&raw mut (*self.overlapped).Internal) }
    }
}

/// A time-out of the program; WSAEINVAL if it is negative.
pub fn duration(timeout: &TIMEVAL) -> Result<Duration, Code> {
    let invalid = |_| Code::wsa(WSAEINVAL);
    let seconds = u64::try_from(timeout.tv_sec).map_err(invalid)?;
    let micros = u64::try_from(timeout.tv_usec).map_err(invalid)?;
    Ok(Duration::from_secs(seconds) + Duration::from_micros(micros))
}

/// Answers while the caller waits; WSAETIMEDOUT if that takes too long.
pub fn within(question: &Question, timeout: Option<Duration>) -> Result<Answer, Code> {
    let Some(timeout) = timeout else {
        return lookup::resolve(question);
    };
    let (sender, answers) = mpsc::channel();
    let question = question.clone();
    // A caller that gave up dropped the other end: nobody wants the answer.
    let ask = move || drop(sender.send(lookup::resolve(&question)));
    thread::Builder::new().spawn(ask).map_err(|_| Code::wsa(WSA_NOT_ENOUGH_MEMORY))?;
    answers.recv_timeout(timeout).unwrap_or(Err(Code::wsa(WSAETIMEDOUT)))
}

/// Starts a look-up and stores its handle: WSA_IO_PENDING, or WSA_NOT_ENOUGH_MEMORY and no report.
///
/// # Safety
/// `handle` is NULL or writable.
pub unsafe fn start(
    question: Question,
    report: Report,
    timeout: Option<Duration>,
    handle: *mut HANDLE,
) -> Code {
    /// Odd, so that no token is the value of a handle.
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let token = NEXT.fetch_add(2, Ordering::Relaxed);
    report.begin();
    if !handle.is_null() {
        // SAFETY: the caller promises that it is writable. It must be written by now: once the
        // thread runs, the report may come and the program free everything.
        unsafe { *handle = std::ptr::without_provenance_mut(token) };
    }
    pending().insert(token, Asked { question: question.clone(), report });
    let started = spawn(token, question, timeout);
    let withdrawn = started.is_err().then(|| pending().remove(&token)).flatten();
    match withdrawn {
        Some(_) => Code::wsa(WSA_NOT_ENOUGH_MEMORY),
        None => Code::wsa(WSA_IO_PENDING),
    }
}

/// Starts the thread that asks and, if there is a time-out, the one that watches it.
fn spawn(token: usize, question: Question, timeout: Option<Duration>) -> std::io::Result<()> {
    let (done, watched) = mpsc::channel::<()>();
    if let Some(timeout) = timeout {
        thread::Builder::new().spawn(move || match watched.recv_timeout(timeout) {
            Err(RecvTimeoutError::Timeout) => {
                report(token, Err(Code::wsa(WSAETIMEDOUT)));
            }
            // The asking thread has reported, or never came to be.
            Err(RecvTimeoutError::Disconnected) | Ok(()) => {}
        })?;
    }
    thread::Builder::new().spawn(move || {
        report(token, lookup::resolve(&question));
        drop(done);
    })?;
    Ok(())
}

/// Reports, unless somebody else has.
fn report(token: usize, answer: Result<Answer, Code>) -> bool {
    // The lock is released before the program's routine runs.
    let asked = pending().remove(&token);
    match asked {
        Some(asked) => {
            asked.report.finish(&asked.question, answer);
            true
        }
        None => false,
    }
}

/// What became of a [`GetAddrInfoExW`](super::GetAddrInfoExW) with this OVERLAPPED: 0 or its error,
/// WSAEINPROGRESS before it has reported, WSAEINVAL for NULL.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfoexoverlappedresult
///
/// # Safety
/// `lpoverlapped` is NULL or was passed to GetAddrInfoExW.
pub unsafe extern "system" fn GetAddrInfoExOverlappedResult(
    lpoverlapped: *const OVERLAPPED,
) -> i32 {
    if lpoverlapped.is_null() {
        return WSAEINVAL;
    }
    // SAFETY: our caller promises an OVERLAPPED; a thread of ours may be writing this member.
    let internal = unsafe { AtomicUsize::from_ptr(&raw mut (*lpoverlapped.cast_mut()).Internal) };
    internal.load(Ordering::Acquire) as i32
}

/// Calls off a [`GetAddrInfoExW`](super::GetAddrInfoExW): it reports WSA_E_CANCELLED before this
/// returns. 0, or WSA_INVALID_HANDLE if it has reported already or `*lphandle` never was a look-up.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfoexcancel
///
/// # Safety
/// `lphandle` is NULL or valid.
pub unsafe extern "system" fn GetAddrInfoExCancel(lphandle: *const HANDLE) -> i32 {
    // SAFETY: our caller promises that it is valid.
    let token = unsafe { lphandle.as_ref() }.map(|handle| handle.addr());
    match token.is_some_and(|token| report(token, Err(Code::wsa(WSA_E_CANCELLED)))) {
        true => 0,
        false => WSA_INVALID_HANDLE,
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::{null, null_mut};
    use std::sync::Mutex;

    use windows_sys::Win32::System::IO::OVERLAPPED;

    use super::*;

    static REPORTED: Mutex<Vec<(u32, usize)>> = Mutex::new(Vec::new());

    unsafe extern "system" fn note(error: u32, _bytes: u32, overlapped: *const OVERLAPPED) {
        REPORTED.lock().unwrap().push((error, overlapped.addr()));
    }

    fn reported(overlapped: &OVERLAPPED) -> Vec<u32> {
        let at = std::ptr::from_ref(overlapped).addr();
        let all = REPORTED.lock().unwrap();
        all.iter().filter(|report| report.1 == at).map(|report| report.0).collect()
    }

    #[test]
    fn a_look_up_that_is_called_off_reports_once() {
        let (mut list, overlapped) = (null_mut(), OVERLAPPED::default());
        // SAFETY: list and OVERLAPPED live until the report.
        let report = unsafe { Report::new(&mut list, &overlapped, Some(note)) };
        let asked = Asked { question: Question::default(), report: report.unwrap().unwrap() };
        asked.report.begin();
        // A look-up whose thread has not got an answer yet.
        pending().insert(0, asked);
        let handle: HANDLE = null_mut();
        // SAFETY: all pointers are to live variables.
        unsafe {
            assert_eq!(GetAddrInfoExOverlappedResult(&overlapped), WSAEINPROGRESS);
            assert_eq!(GetAddrInfoExCancel(&handle), 0);
            assert_eq!(GetAddrInfoExOverlappedResult(&overlapped), WSA_E_CANCELLED);
            assert_eq!(GetAddrInfoExCancel(&handle), WSA_INVALID_HANDLE);
        }
        assert!(!super::report(0, Err(Code::wsa(WSAETIMEDOUT))));
        assert_eq!(reported(&overlapped), [WSA_E_CANCELLED as u32]);
        assert!(list.is_null());
    }

    #[test]
    fn event_or_routine() {
        let mut list = null_mut();
        let mut overlapped = OVERLAPPED::default();
        let mut make = |overlapped: *const OVERLAPPED, routine| {
            // SAFETY: nothing is started, so nothing is lent.
            let report = unsafe { Report::new(&mut list, overlapped, routine) };
            report.map(|report| report.is_some()).map_err(Code::as_wsa)
        };
        assert_eq!(make(null(), None), Ok(false));
        assert_eq!(make(null(), Some(note)), Err(WSAEINVAL));
        assert_eq!(make(&overlapped, None), Err(WSAEINVAL));
        assert_eq!(make(&overlapped, Some(note)), Ok(true));
        overlapped.hEvent = std::ptr::without_provenance_mut(4);
        assert_eq!(make(&overlapped, None), Ok(true));
        assert_eq!(make(&overlapped, Some(note)), Err(WSAEINVAL));
    }

    #[test]
    fn time_outs() {
        let (second, milli) = (Duration::from_secs(1), Duration::from_millis(1));
        assert_eq!(duration(&TIMEVAL { tv_sec: 1, tv_usec: 1000 }), Ok(second + milli));
        assert_eq!(duration(&TIMEVAL { tv_sec: -1, tv_usec: 0 }), Err(Code::wsa(WSAEINVAL)));
        let question = Question { node: Some("127.0.0.1".into()), ..Question::default() };
        assert!(within(&question, Some(Duration::from_secs(60))).is_ok());
    }
}
