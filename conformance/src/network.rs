//! Network events: `WSAEventSelect` and `WSAAsyncSelect`, and what is the same with both.

use std::time::{Duration, Instant};

use winsock_sys::Win32::Foundation::HWND;
use winsock_sys::Win32::Networking::WinSock::{
    FD_ACCEPT, FD_MAX_EVENTS, FD_READ, WSAAsyncSelect, WSAEVENT, WSAEnumNetworkEvents,
    WSAEventSelect, WSANETWORKEVENTS,
};
use winsock_sys::Win32::UI::WindowsAndMessaging::{MSG, WM_APP};

use crate::{Event, NEVER, SOON, Socket, Window, init, last_wsa_error, next_message_to};

/// One network event: its FD_ bit and its error.
pub type News = (u32, i32);

/// A way to hear of network events.
pub trait Watch {
    /// Selects the events in `mask`; the WSA error on refusal.
    fn select(&self, socket: &Socket, mask: u32) -> Result<(), i32>;

    /// What has happened on `socket` since the last time this was asked; if it is nothing, what
    /// happens within `ms` milliseconds.
    fn news(&self, socket: &Socket, ms: u32) -> Vec<News>;
}

/// Asserts that these network events, and no others, are reported soon, each once, none failed.
#[track_caller]
pub fn expect_news(watch: &impl Watch, socket: &Socket, mask: u32) {
    let bits = (0..FD_MAX_EVENTS).map(|bit| 1 << bit).filter(|bit| mask & bit != 0);
    let wanted: Vec<News> = bits.map(|bit| (bit, 0)).collect();
    let mut news = news_within(watch, socket, mask, SOON);
    news.sort_unstable();
    assert_eq!(news, wanted, "event and error");
}

/// Asserts that this network event is reported soon, and nothing beside it.
#[track_caller]
pub fn expect_failure(watch: &impl Watch, socket: &Socket, event: u32, error: i32) {
    assert_eq!(news_within(watch, socket, event, SOON), [(event, error)], "event and error");
}

/// Asserts that nothing is reported.
#[track_caller]
pub fn expect_no_news(watch: &impl Watch, socket: &Socket) {
    assert_eq!(news_within(watch, socket, 0, NEVER), [], "event and error");
}

/// The network events reported until all of `mask` have been, or for `ms`, in their order.
fn news_within(watch: &impl Watch, socket: &Socket, mask: u32, ms: u32) -> Vec<News> {
    let end = Instant::now() + Duration::from_millis(ms.into());
    let mut all: Vec<News> = Vec::new();
    loop {
        let left = end.saturating_duration_since(Instant::now()).as_millis() as u32;
        for (event, error) in watch.news(socket, left) {
            let is_known = |&(other, _): &News| other == event;
            let may_be_noise = mask & event == 0 || all.iter().any(is_known);
            if !(may_be_noise && repeats_reports() && matches!(event, FD_READ | FD_ACCEPT)) {
                all.push((event, error));
            }
        }
        let reported = all.iter().fold(0, |reported, (event, _)| reported | event);
        if left == 0 || (reported != 0 && mask & !reported == 0) {
            return all;
        }
    }
}

/// Whether the kernel says now and then again what it has said, as the scripted one does with odd
/// seeds. For an event object that is an arrival (rule 84): it is set once more for what is still
/// there to receive. Programs live with such signals, and so do the tests.
pub fn repeats_reports() -> bool {
    let backend = std::env::var("WINSOCK_BACKEND").unwrap_or_default();
    let seed = backend.strip_prefix("fake").map(|seed| seed.strip_prefix(':').unwrap_or("1"));
    seed.is_some_and(|seed| seed.parse().is_ok_and(|seed: u64| seed % 2 == 1))
}

/// What one call of `WSAEnumNetworkEvents` said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// The FD_ bits of what happened.
    pub events: u32,
    /// One for each bit; [`Record::UNTOUCHED`] where the call left it alone.
    pub errors: [i32; FD_MAX_EVENTS as usize],
}

impl Record {
    pub const UNTOUCHED: i32 = 0x5eed_5eed;

    /// What happened, each with its error.
    pub fn news(&self) -> Vec<News> {
        let bits = self.errors.iter().enumerate().map(|(bit, &error)| (1 << bit, error));
        bits.filter(|(event, _)| self.events & event != 0).collect()
    }
}

/// `WSAEventSelect`; the WSA error on refusal.
pub fn event_select(socket: &Socket, event: &Event, mask: u32) -> Result<(), i32> {
    // SAFETY: no memory is passed.
    match unsafe { WSAEventSelect(**socket, **event as WSAEVENT, mask as i32) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

/// `WSAEventSelect` for nothing: deselects; the WSA error on refusal.
pub fn event_deselect(socket: &Socket) -> Result<(), i32> {
    // SAFETY: no memory is passed.
    match unsafe { WSAEventSelect(**socket, 0, 0) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

/// `WSAEnumNetworkEvents`, resetting `event` if there is one; the WSA error on refusal.
pub fn enum_events(socket: &Socket, event: Option<&Event>) -> Result<Record, i32> {
    let errors = [Record::UNTOUCHED; FD_MAX_EVENTS as usize];
    let mut record = WSANETWORKEVENTS { lNetworkEvents: 0, iErrorCode: errors };
    let event = event.map_or(0, |event| **event as WSAEVENT);
    // SAFETY: the record outlives the call.
    match unsafe { WSAEnumNetworkEvents(**socket, event, &raw mut record) } {
        0 => Ok(Record { events: record.lNetworkEvents as u32, errors: record.iErrorCode }),
        _ => Err(last_wsa_error()),
    }
}

/// Hears of network events by an event object, as `WSAEventSelect` reports them.
pub struct ByEvent {
    pub event: Event,
}

impl ByEvent {
    pub fn new() -> ByEvent {
        ByEvent { event: Event::manual_reset() }
    }

    /// With these events of `socket` selected.
    #[track_caller]
    pub fn of(socket: &Socket, mask: u32) -> ByEvent {
        let watch = ByEvent::new();
        assert_eq!(watch.select(socket, mask), Ok(()), "WSAEventSelect");
        watch
    }
}

impl Default for ByEvent {
    fn default() -> ByEvent {
        ByEvent::new()
    }
}

impl Watch for ByEvent {
    fn select(&self, socket: &Socket, mask: u32) -> Result<(), i32> {
        event_select(socket, &self.event, mask)
    }

    /// Nothing counts that has not set the event.
    #[track_caller]
    fn news(&self, socket: &Socket, ms: u32) -> Vec<News> {
        let end = Instant::now() + Duration::from_millis(ms.into());
        loop {
            let left = end.saturating_duration_since(Instant::now()).as_millis() as u32;
            if !self.event.is_set_within(left) {
                return Vec::new();
            }
            let record = enum_events(socket, Some(&self.event));
            let record = record.unwrap_or_else(|error| panic!("WSAEnumNetworkEvents: {error}"));
            // The event may outlive what it was set for.
            if record.events != 0 || left == 0 {
                return record.news();
            }
        }
    }
}

/// The message that the tests have posted, unless they say otherwise.
pub const WM_NEWS: u32 = WM_APP + 7;

/// `WSAAsyncSelect`; the WSA error on refusal.
pub fn async_select(socket: &Socket, window: HWND, message: u32, mask: u32) -> Result<(), i32> {
    // SAFETY: no memory is passed.
    match unsafe { WSAAsyncSelect(**socket, window, message, mask as i32) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

/// What a message of `WSAAsyncSelect` says: LOWORD and HIWORD of lParam.
pub fn news_of(message: &MSG) -> News {
    (message.lParam as u32 & 0xffff, (message.lParam as u32 >> 16) as i32)
}

/// Hears of network events by messages to a window, as `WSAAsyncSelect` posts them.
pub struct ByMessage {
    pub window: Window,
}

impl ByMessage {
    pub fn new() -> ByMessage {
        init();
        ByMessage { window: Window::new() }
    }

    /// With these events of `socket` selected.
    #[track_caller]
    pub fn of(socket: &Socket, mask: u32) -> ByMessage {
        let watch = ByMessage::new();
        assert_eq!(watch.select(socket, mask), Ok(()), "WSAAsyncSelect");
        watch
    }
}

impl Default for ByMessage {
    fn default() -> ByMessage {
        ByMessage::new()
    }
}

impl Watch for ByMessage {
    fn select(&self, socket: &Socket, mask: u32) -> Result<(), i32> {
        async_select(socket, *self.window, WM_NEWS, mask)
    }

    /// In the order in which they were posted.
    #[track_caller]
    fn news(&self, socket: &Socket, ms: u32) -> Vec<News> {
        let mut all = Vec::new();
        let left = |all: &Vec<News>| if all.is_empty() { ms } else { 0 };
        while let Some(message) = next_message_to(*self.window, left(&all)) {
            assert_eq!((message.message, message.wParam), (WM_NEWS, **socket), "message, wParam");
            all.push(news_of(&message));
        }
        all
    }
}
