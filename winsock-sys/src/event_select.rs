//! `WSAEventSelect` and `WSAEnumNetworkEvents`: network events by event object.

use windows_sys::Win32::Networking::WinSock::{
    FD_CLOSE_BIT, FD_CONNECT_BIT, FD_MAX_EVENTS, SOCKET, WSAEFAULT, WSAEINVAL, WSAEVENT,
    WSANETWORKEVENTS,
};

use crate::backend;
use crate::error::Code;
use crate::object::{self, EventRef};
use crate::readiness::{ALL_EVENTS, Selection, Sink};
use crate::start::answer;
use crate::sys;
use crate::thread;

/// Has an event object set whenever one of the network events in `mask` happens on a socket:
/// [WSAEventSelect][ms].
///
/// It replaces what this function or [`WSAAsyncSelect`] selected before; a mask of 0 selects
/// nothing, and the event is not looked at (rules 81 and 99). Either way the socket is non-blocking
/// from now on (rule 79). What holds already is told at once (rule 90); what was recorded and not
/// yet taken stays recorded (rule 91).
///
/// DIFFERS: FD_QOS, FD_GROUP_QOS, FD_ROUTING_INTERFACE_CHANGE and FD_ADDRESS_LIST_CHANGE never
/// happen.
///
/// WSAENOTSOCK; WSAEINVAL for a handle that is no event, or for bits that are no events.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaeventselect
/// [`WSAAsyncSelect`]: crate::Win32::Networking::WinSock::WSAAsyncSelect
pub unsafe extern "system" fn WSAEventSelect(s: SOCKET, event: WSAEVENT, mask: i32) -> i32 {
    answer(object::socket(s).and_then(|socket| {
        let mask = mask as u32;
        if mask & !ALL_EVENTS != 0 {
            return Err(Code::wsa(WSAEINVAL));
        }
        let sink = match mask {
            0 => Sink::Nowhere,
            _ => Sink::Event(event_of(event)?),
        };
        socket.select(Selection { sink, mask })
    }))
}

fn event_of(event: WSAEVENT) -> Result<EventRef, Code> {
    object::event(event as usize).ok_or(Code::wsa(WSAEINVAL))
}

/// Takes the record of the selected network events that have happened, and resets the event if one
/// is passed, in one step: [WSAEnumNetworkEvents][ms] (rule 94).
///
/// An element of `iErrorCode` is written only if its event is in the record. WSAENOTSOCK, WSAEFAULT
/// for NULL, WSAEINVAL for a handle that is no event; nothing is taken then.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaenumnetworkevents
///
/// # Safety
/// As on Windows: `events` is NULL or a WSANETWORKEVENTS.
pub unsafe extern "system" fn WSAEnumNetworkEvents(
    s: SOCKET,
    event: WSAEVENT,
    events: *mut WSANETWORKEVENTS,
) -> i32 {
    answer(object::socket(s).and_then(|socket| {
        if events.is_null() {
            return Err(Code::wsa(WSAEFAULT));
        }
        let event = match event {
            0 => None,
            event => Some(event_of(event)?),
        };
        let take = || {
            let mut state = socket.lock();
            if let Some(event) = &event {
                event.reset();
            }
            state.ledger().map(|ledger| ledger.take())
        };
        let mut taken = take();
        if taken.as_ref().is_some_and(|taken| taken.events == 0) && is_stale() {
            // A program that only asks still hears of what the kernel has to report.
            thread::on_current(backend::poll);
            taken = take();
        }
        // SAFETY: our caller vouches for the structure, which is plain data.
        let events = unsafe { &mut *events };
        events.lNetworkEvents = 0;
        let Some(taken) = taken else { return Ok(()) };
        events.lNetworkEvents = taken.events as i32;
        for bit in (0..FD_MAX_EVENTS).filter(|bit| taken.events & 1 << bit != 0) {
            events.iErrorCode[bit as usize] = match bit {
                FD_CONNECT_BIT => taken.connect_error.as_wsa(),
                FD_CLOSE_BIT => taken.close_error.as_wsa(),
                _ => 0,
            };
        }
        Ok(())
    }))
}

/// Whether the backend has not been asked for a tick of the coarse clock.
fn is_stale() -> bool {
    backend::reaped_at() != sys::coarse_ms()
}
