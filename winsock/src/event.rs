//! Event objects, and waiting for several of them.

use std::marker::PhantomData;
use std::ptr;
use std::time::Duration;

use winsock_sys::Win32::Foundation::{CloseHandle, HANDLE, WAIT_IO_COMPLETION};
use winsock_sys::Win32::Networking::WinSock as ws;
use winsock_sys::Win32::System::Threading::{CreateEventW, ResetEvent, SetEvent};

use crate::error::{Error, Result};
use crate::socket::{millis, start};

/// An event object: set or not set, and threads can wait for it.
///
/// ```
/// use std::time::Duration;
/// use winsock::Event;
///
/// let stop = Event::manual_reset()?;
/// std::thread::scope(|scope| {
///     scope.spawn(|| stop.set());
///     stop.wait(None)
/// })?;
/// assert!(stop.wait(Some(Duration::ZERO))?); // still set
/// # Ok::<(), winsock::Error>(())
/// ```
///
/// [Event objects](https://learn.microsoft.com/windows/win32/sync/event-objects)
#[derive(Debug)]
pub struct Event {
    raw: HANDLE,
}

// SAFETY: a HANDLE is a name, not memory; every event function may be called from any thread.
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

impl Event {
    /// Once set, it stays set and releases every thread until it is [`reset`](Event::reset).
    pub fn manual_reset() -> Result<Event> {
        Event::create(true)
    }

    /// Each time it is set, it releases one thread, which resets it.
    pub fn auto_reset() -> Result<Event> {
        Event::create(false)
    }

    fn create(manual: bool) -> Result<Event> {
        start()?;
        // SAFETY: no memory is passed: default security, not set, no name.
        let raw = unsafe { CreateEventW(ptr::null(), manual.into(), 0, ptr::null()) };
        if raw.is_null() { Err(Error::last_win32()) } else { Ok(Event { raw }) }
    }

    /// Sets the event.
    ///
    /// [`SetEvent`](https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setevent)
    pub fn set(&self) {
        // SAFETY: the handle is open for as long as `self` lives, so that the call cannot fail.
        let done = unsafe { SetEvent(self.raw) };
        debug_assert_ne!(done, 0);
    }

    /// Makes the event not set.
    ///
    /// [`ResetEvent`](https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-resetevent)
    pub fn reset(&self) {
        // SAFETY: the handle is open for as long as `self` lives, so that the call cannot fail.
        let done = unsafe { ResetEvent(self.raw) };
        debug_assert_ne!(done, 0);
    }

    pub(crate) fn raw(&self) -> HANDLE {
        self.raw
    }

    /// Waits until the event is set (`true`) or the time is up (`false`); `None` waits for ever.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        Ok(wait(&[self.raw], true, timeout)?.is_some())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and not used afterwards.
        unsafe { CloseHandle(self.raw) };
    }
}

/// One to 64 events to wait for at once: as many as Windows allows, and no more by type.
///
/// An array is checked when the program is compiled, a slice when the set is made:
///
/// ```
/// use winsock::{Event, WaitSet};
///
/// let (a, b) = (Event::auto_reset()?, Event::auto_reset()?);
/// b.set();
/// let set = WaitSet::from([&a, &b]);
/// assert_eq!(set.wait_any(None)?, Some(1));
///
/// let many: Vec<Event> = (0..65).map(|_| Event::auto_reset()).collect::<Result<_, _>>()?;
/// assert!(WaitSet::new(&many).is_none());
/// assert!(WaitSet::new(&many[..64]).is_some());
/// # Ok::<(), winsock::Error>(())
/// ```
///
/// ```compile_fail
/// # use winsock::{Event, WaitSet};
/// # let a = Event::auto_reset().unwrap();
/// let set = WaitSet::from([&a; 65]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WaitSet<'a> {
    handles: [HANDLE; WaitSet::MAX],
    len: usize,
    /// Keeps the events open.
    events: PhantomData<&'a Event>,
}

// SAFETY: a HANDLE is a name, not memory, and the events are shared.
unsafe impl Send for WaitSet<'_> {}
// SAFETY: as above.
unsafe impl Sync for WaitSet<'_> {}

impl<'a> WaitSet<'a> {
    /// `WSA_MAXIMUM_WAIT_EVENTS`.
    pub const MAX: usize = ws::WSA_MAXIMUM_WAIT_EVENTS as usize;

    /// The events of `events`; `None` if there is none or there are more than
    /// [`MAX`](WaitSet::MAX).
    pub fn new(events: impl IntoIterator<Item = &'a Event>) -> Option<WaitSet<'a>> {
        let mut set = WaitSet::EMPTY;
        for event in events {
            *set.handles.get_mut(set.len)? = event.raw;
            set.len += 1;
        }
        (set.len > 0).then_some(set)
    }

    /// Not a valid set; to be filled.
    const EMPTY: WaitSet<'a> =
        WaitSet { handles: [ptr::null_mut(); WaitSet::MAX], len: 0, events: PhantomData };

    /// Waits until one of the events is set and tells its index, the lowest if there are several
    /// (rule 104); only that one is reset, if it is of the auto-reset kind. `None` if the time is
    /// up first.
    ///
    /// [`WSAWaitForMultipleEvents`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsawaitformultipleevents)
    pub fn wait_any(&self, timeout: Option<Duration>) -> Result<Option<usize>> {
        wait(self.handles(), false, timeout)
    }

    /// Waits until all the events are set at the same time (`true`) or the time is up (`false`).
    /// Auto-reset events are taken together or not at all (rule 105).
    ///
    /// An event must not be in the set twice; this is the error `WSA_INVALID_PARAMETER`.
    pub fn wait_all(&self, timeout: Option<Duration>) -> Result<bool> {
        Ok(wait(self.handles(), true, timeout)?.is_some())
    }

    fn handles(&self) -> &[HANDLE] {
        &self.handles[..self.len]
    }
}

/// The index of the handle that ended the wait; `None` if the time was up.
fn wait(handles: &[HANDLE], all: bool, timeout: Option<Duration>) -> Result<Option<usize>> {
    let ms = timeout.map_or(ws::WSA_INFINITE, millis);
    Ok(match wait_for(handles, all, ms, false)? {
        Woken::Event(index) => Some(index),
        Woken::TimedOut | Woken::ByRoutines => None,
    })
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// The lowest index that is set.
    Event(usize),
    TimedOut,
    /// Completion routines, or APCs, have run; whatever is set is still set (rule 107).
    ByRoutines,
}

/// `WSAWaitForMultipleEvents` for `handles`, of which there are 1 to 64.
pub(crate) fn wait_for(handles: &[HANDLE], all: bool, ms: u32, alertable: bool) -> Result<Woken> {
    let (count, first) = (handles.len() as u32, handles.as_ptr());
    // SAFETY: pointer and length are those of `handles`.
    let woken =
        unsafe { ws::WSAWaitForMultipleEvents(count, first, all.into(), ms, alertable.into()) };
    match woken {
        ws::WSA_WAIT_TIMEOUT => Ok(Woken::TimedOut),
        WAIT_IO_COMPLETION => Ok(Woken::ByRoutines),
        ws::WSA_WAIT_FAILED => Err(Error::last()),
        index => Ok(Woken::Event(index as usize)),
    }
}

impl<'a, const N: usize> From<[&'a Event; N]> for WaitSet<'a> {
    fn from(events: [&'a Event; N]) -> WaitSet<'a> {
        const { assert!(N >= 1 && N <= WaitSet::MAX, "one to 64 events") };
        let mut set = WaitSet::EMPTY;
        for (handle, event) in set.handles.iter_mut().zip(events) {
            *handle = event.raw;
        }
        set.len = N;
        set
    }
}
