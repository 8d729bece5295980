//! Section F: `WSAAsyncSelect`, what is its alone. `f_record.rs` has the rules that event objects
//! share.

#[allow(dead_code, reason = "shared with the tests that use all of it")]
mod ledger;

use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use conformance::*;
use ledger::{ALL, receive, receive_all, set_non_blocking, shut_down, try_accept};
use winsock_sys::Win32::Foundation::{CloseHandle, HANDLE, HWND};
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::Win32::UI::WindowsAndMessaging::{DestroyWindow, WM_APP, WM_NULL};

/// A handle that nobody has, of a window or of a socket.
const NO_HANDLE: usize = 0x7fff_fff1;

/// `WSAAsyncSelect` with whatever it may be given.
fn select_raw(socket: SOCKET, window: HWND, message: u32, mask: i32) -> Result<(), i32> {
    // SAFETY: no memory is passed.
    match unsafe { WSAAsyncSelect(socket, window, message, mask) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

/// The next message of [`WM_NEWS`], from whatever socket, soon.
#[track_caller]
fn next_news(watch: &ByMessage) -> (SOCKET, u32, i32) {
    let message = next_message_to(*watch.window, SOON).expect("a message");
    assert_eq!(message.message, WM_NEWS);
    let (event, error) = news_of(&message);
    (message.wParam, event, error)
}

// What a message says.

#[test]
fn r097_a_message_says_socket_event_and_error() {
    let socket = tcp_socket();
    let watch = ByMessage::of(&socket, FD_CONNECT);
    assert_eq!(ledger::try_connect(&socket, &nobody()), Err(WSAEWOULDBLOCK));
    let message = next_message_to(*watch.window, SOON).expect("a message");
    assert_eq!((message.hwnd, message.message), (*watch.window, WM_NEWS));
    assert_eq!(message.wParam, *socket);
    assert_eq!(message.lParam as u32, FD_CONNECT | (WSAECONNREFUSED as u32) << 16);
}

#[test]
fn r097_the_message_is_the_one_selected() {
    let (socket, peer) = tcp_pair();
    let window = Window::new();
    // Any number will do, even that of another message.
    for message in [WM_APP, WM_APP + 0x3fff, 0x400, 0xc123, WM_NULL + 1] {
        assert_eq!(async_select(&socket, *window, message, FD_READ), Ok(()));
        send_all(&peer, b"a");
        let posted = next_message_to(*window, SOON).expect("a message");
        assert_eq!((posted.message, news_of(&posted)), (message, (FD_READ, 0)));
        assert_eq!(receive_all(&socket), 1);
    }
}

#[test]
fn r097_the_window_procedure_gets_it() {
    use std::cell::RefCell;
    use std::rc::Rc;

    let (socket, peer) = tcp_pair();
    let calls = Rc::new(RefCell::new(Vec::new()));
    let of_window = calls.clone();
    let window = Window::handling(move |call| {
        (call.message == WM_NEWS).then(|| of_window.borrow_mut().push(*call))?;
        Some(0)
    });
    assert_eq!(async_select(&socket, *window, WM_NEWS, FD_READ | FD_CLOSE), Ok(()));
    send_all(&peer, b"a");
    assert!(pump_until(|| calls.borrow().len() == 1));
    assert_eq!(receive_all(&socket), 1);
    drop(peer);
    assert!(pump_until(|| calls.borrow().len() == 2));
    let calls = calls.borrow();
    let said: Vec<_> = calls.iter().map(|call| (call.wparam, call.lparam as u32)).collect();
    assert_eq!(said, [(*socket, FD_READ), (*socket, FD_CLOSE)]);
}

#[test]
fn r097_new_data_posts_nothing_before_a_receive() {
    let (socket, peer) = tcp_pair();
    let watch = ByMessage::of(&socket, FD_READ);
    send_all(&peer, b"a");
    expect_news(&watch, &socket, FD_READ);
    for _ in 0..3 {
        send_all(&peer, b"a");
    }
    expect_no_news(&watch, &socket);
    assert_eq!(receive(&socket, 1, 0), Ok(1));
    expect_news(&watch, &socket, FD_READ);
}

#[test]
fn r097_a_new_connection_posts_nothing_before_an_accept() {
    let (listener, addr) = listener();
    let watch = ByMessage::of(&listener, FD_ACCEPT);
    let _clients = [connect_to(&addr), connect_to(&addr), connect_to(&addr)];
    expect_news(&watch, &listener, FD_ACCEPT);
    expect_no_news(&watch, &listener);
}

#[test]
fn r097_a_receive_while_the_message_waits_posts_one_more() {
    let (socket, peer) = tcp_pair();
    let watch = ByMessage::of(&socket, FD_READ);
    send_all(&peer, b"ab");
    assert!(comes_true(|| receive(&socket, 1, MSG_PEEK) == Ok(1)));
    pause();
    let posted = watch.news(&socket, SOON);
    assert!(!posted.is_empty() && posted.iter().all(|news| *news == (FD_READ, 0)), "{posted:?}");
    // A receive while it is not selected posts nothing, and enables it.
    assert_eq!(watch.select(&socket, FD_CLOSE), Ok(()));
    assert_eq!(receive(&socket, 1, 0), Ok(1));
    expect_no_news(&watch, &socket);
    assert_eq!(watch.select(&socket, FD_READ), Ok(()));
    expect_news(&watch, &socket, FD_READ);
}

#[test]
fn r097_an_accepted_socket_inherits_window_message_and_mask() {
    let (listener, addr) = listener();
    let watch = ByMessage::of(&listener, FD_ACCEPT | FD_READ | FD_WRITE | FD_CLOSE);
    let client = connect_to(&addr);
    assert_eq!(next_news(&watch), (*listener, FD_ACCEPT, 0));
    let socket = try_accept(&listener).expect("a client");
    assert_eq!(next_news(&watch), (*socket, FD_WRITE, 0));
    send_all(&client, b"a");
    assert_eq!(next_news(&watch), (*socket, FD_READ, 0));
    assert_eq!(receive_all(&socket), 1);
    drop(client);
    assert_eq!(next_news(&watch), (*socket, FD_CLOSE, 0));
    assert_eq!(set_non_blocking(&socket, 0), Err(WSAEINVAL));
    let _second = connect_to(&addr);
    assert_eq!(next_news(&watch), (*listener, FD_ACCEPT, 0));
}

#[test]
fn r097_a_connection_made_or_refused_before_selecting_is_no_news() {
    let (_listener, addr) = listener();
    let socket = connect_to(&addr);
    expect_news(&ByMessage::of(&socket, FD_CONNECT | FD_WRITE), &socket, FD_WRITE);
    let refused = tcp_socket();
    assert_eq!(ledger::try_connect(&refused, &nobody()), Err(WSAECONNREFUSED));
    expect_no_news(&ByMessage::of(&refused, ALL), &refused);
}

#[test]
fn r097_the_record_is_not_for_wsaenumnetworkevents() {
    let (socket, peer) = tcp_pair();
    let watch = ByMessage::of(&socket, FD_READ);
    send_all(&peer, b"a");
    expect_news(&watch, &socket, FD_READ);
    assert_eq!(enum_events(&socket, None).map(|record| record.events), Ok(0));
}

// Selecting again.

#[test]
fn r098_selecting_again_posts_again_what_holds() {
    let (socket, peer) = tcp_pair();
    let mask = FD_READ | FD_WRITE | FD_CLOSE;
    let watch = ByMessage::of(&socket, mask);
    expect_news(&watch, &socket, FD_WRITE);
    for _ in 0..3 {
        assert_eq!(watch.select(&socket, mask), Ok(()));
        expect_news(&watch, &socket, FD_WRITE);
    }
    send_all(&peer, b"a");
    expect_news(&watch, &socket, FD_READ);
    for _ in 0..3 {
        assert_eq!(watch.select(&socket, mask), Ok(()));
        expect_news(&watch, &socket, FD_READ | FD_WRITE);
    }
    assert_eq!(receive_all(&socket), 1);
    shut_down(&peer, SD_SEND);
    expect_news(&watch, &socket, FD_CLOSE);
    for _ in 0..3 {
        assert_eq!(watch.select(&socket, mask), Ok(()));
        expect_news(&watch, &socket, FD_WRITE | FD_CLOSE);
    }
    expect_no_news(&watch, &socket);
}

#[test]
fn r098_a_connection_that_waits_is_posted_again() {
    let (listener, addr) = listener();
    let _client = connect_to(&addr);
    let watch = ByMessage::of(&listener, FD_ACCEPT);
    expect_news(&watch, &listener, FD_ACCEPT);
    for _ in 0..3 {
        assert_eq!(watch.select(&listener, FD_ACCEPT), Ok(()));
        expect_news(&watch, &listener, FD_ACCEPT);
    }
    try_accept(&listener).expect("a client");
    assert_eq!(watch.select(&listener, FD_ACCEPT), Ok(()));
    expect_no_news(&watch, &listener);
}

#[test]
fn r098_room_is_not_posted_while_there_is_none() {
    let (socket, peer) = tcp_pair();
    let watch = ByMessage::of(&socket, FD_WRITE);
    expect_news(&watch, &socket, FD_WRITE);
    let mut sent = ledger::fill(&socket);
    while !watch.news(&socket, NEVER).is_empty() {
        sent += ledger::fill(&socket);
    }
    assert_eq!(watch.select(&socket, FD_WRITE), Ok(()));
    expect_no_news(&watch, &socket);
    ledger::drain(&peer, sent);
    expect_news(&watch, &socket, FD_WRITE);
    assert_eq!(watch.select(&socket, FD_WRITE), Ok(()));
    expect_news(&watch, &socket, FD_WRITE);
}

#[test]
fn r098_a_connection_is_not_posted_again() {
    let (_listener, addr) = listener();
    let socket = tcp_socket();
    let watch = ByMessage::of(&socket, ALL);
    assert_eq!(ledger::try_connect(&socket, &addr), Err(WSAEWOULDBLOCK));
    expect_news(&watch, &socket, FD_CONNECT | FD_WRITE);
    assert_eq!(watch.select(&socket, ALL), Ok(()));
    expect_news(&watch, &socket, FD_WRITE);
}

#[test]
fn r098_another_message_replaces_the_first() {
    let (socket, peer) = tcp_pair();
    let (first, second) = (Window::new(), Window::new());
    send_all(&peer, b"a");
    assert_eq!(async_select(&socket, *first, WM_APP, FD_READ), Ok(()));
    assert_eq!(async_select(&socket, *second, WM_APP + 1, FD_CLOSE), Ok(()));
    // What was posted stays (rule 99).
    while next_message_to(*first, NEVER).is_some() {}
    assert_eq!(receive_all(&socket), 1);
    send_all(&peer, b"b");
    assert!(comes_true(|| receive(&socket, 1, 0) == Ok(1)));
    drop(peer);
    let message = next_message_to(*second, SOON).expect("a message");
    assert_eq!((message.message, news_of(&message)), (WM_APP + 1, (FD_CLOSE, 0)));
    assert!(next_message_to(*first, NEVER).is_none());
}

// Two ways, one selection.

#[test]
fn r099_an_event_object_replaces_the_window() {
    let (socket, peer) = tcp_pair();
    let by_message = ByMessage::of(&socket, FD_READ | FD_CLOSE);
    let by_event = ByEvent::of(&socket, FD_READ);
    send_all(&peer, b"a");
    expect_news(&by_event, &socket, FD_READ);
    expect_no_news(&by_message, &socket);
    let by_message = ByMessage::of(&socket, FD_READ | FD_CLOSE);
    expect_news(&by_message, &socket, FD_READ);
    assert_eq!(receive_all(&socket), 1);
    drop(peer);
    expect_news(&by_message, &socket, FD_CLOSE);
    assert!(!by_event.event.is_set());
    assert_eq!(enum_events(&socket, None).map(|record| record.events), Ok(0));
}

#[test]
fn r099_what_is_posted_stays_when_deselected() {
    let (socket, peer) = tcp_pair();
    let watch = ByMessage::of(&socket, FD_READ | FD_CLOSE);
    send_all(&peer, b"a");
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    pause();
    assert_eq!(select_raw(*socket, null_mut(), 0, 0), Ok(()));
    assert_eq!(watch.news(&socket, 0), [(FD_READ, 0)]);
    assert_eq!(receive_all(&socket), 1);
    drop(peer);
    expect_no_news(&watch, &socket);
}

#[test]
fn r099_what_is_posted_stays_when_the_socket_is_closed() {
    let (socket, peer) = tcp_pair();
    let watch = ByMessage::of(&socket, FD_READ | FD_CLOSE);
    send_all(&peer, b"a");
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    pause();
    let raw = *socket;
    assert_eq!(socket.close(), Ok(()));
    assert_eq!(next_news(&watch), (raw, FD_READ, 0));
    assert!(next_message_to(*watch.window, NEVER).is_none());
}

#[test]
fn r099_deselecting_takes_any_window() {
    let (socket, peer) = tcp_pair();
    for window in [null_mut(), *Window::new()] {
        let watch = ByMessage::of(&socket, FD_READ);
        assert_eq!(select_raw(*socket, window, WM_APP, 0), Ok(()));
        send_all(&peer, b"a");
        expect_no_news(&watch, &socket);
        assert_eq!(receive_all(&socket), 1);
        assert_eq!(set_non_blocking(&socket, 0), Ok(()));
    }
}

// Order.

#[test]
fn r100_connect_comes_before_write() {
    let (_listener, addr) = listener();
    for _ in 0..10 {
        let socket = tcp_socket();
        let watch = ByMessage::of(&socket, ALL);
        assert_eq!(ledger::try_connect(&socket, &addr), Err(WSAEWOULDBLOCK));
        assert_eq!(next_news(&watch), (*socket, FD_CONNECT, 0));
        assert_eq!(next_news(&watch), (*socket, FD_WRITE, 0));
    }
}

#[test]
fn r100_read_comes_before_close() {
    for _ in 0..10 {
        let (socket, peer) = tcp_pair();
        let watch = ByMessage::of(&socket, FD_READ | FD_CLOSE);
        send_all(&peer, b"a");
        drop(peer);
        assert_eq!(next_news(&watch), (*socket, FD_READ, 0));
        assert_eq!(receive_all(&socket), 1);
        assert_eq!(next_news(&watch), (*socket, FD_CLOSE, 0));
    }
    // Also if both are there when they are selected.
    let (socket, peer) = tcp_pair();
    send_all(&peer, b"a");
    drop(peer);
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    pause();
    let watch = ByMessage::of(&socket, FD_READ | FD_CLOSE);
    assert_eq!(next_news(&watch), (*socket, FD_READ, 0));
    assert_eq!(receive_all(&socket), 1);
    assert_eq!(next_news(&watch), (*socket, FD_CLOSE, 0));
}

#[test]
fn r100_each_socket_keeps_its_order_among_many() {
    const SOCKETS: usize = 50;
    let pairs: Vec<(Socket, Socket)> = (0..SOCKETS).map(|_| tcp_pair()).collect();
    let watch = ByMessage::new();
    for (socket, _) in &pairs {
        assert_eq!(watch.select(socket, FD_READ | FD_CLOSE), Ok(()));
    }
    let mut received = vec![Vec::new(); SOCKETS];
    let mut closed = 0;
    let (sockets, peers): (Vec<Socket>, Vec<Socket>) = pairs.into_iter().unzip();
    thread::scope(|scope| {
        scope.spawn(|| {
            for byte in 0..20 {
                peers.iter().for_each(|peer| send_all(peer, &[byte]));
            }
            drop(peers);
        });
        while closed < SOCKETS {
            let (raw, event, error) = next_news(&watch);
            assert_eq!(error, 0);
            let at = sockets.iter().position(|socket| **socket == raw).expect("one of ours");
            // What is left comes with the close (rule 88), or is told of again.
            while let Ok(bytes) = recv_some(&sockets[at])
                && !bytes.is_empty()
            {
                received[at].extend(bytes);
                if event != FD_CLOSE {
                    break;
                }
            }
            closed += usize::from(event == FD_CLOSE);
        }
    });
    assert!(received.iter().all(|received| received.iter().copied().eq(0..20)), "{received:?}");
}

// Closing.

#[test]
fn r101_closesocket_posts_nothing() {
    let (socket, peer) = tcp_pair();
    let watch = ByMessage::of(&socket, FD_READ | FD_CLOSE | FD_OOB | FD_ACCEPT);
    assert_eq!(socket.close(), Ok(()));
    drop(peer);
    assert!(next_message_to(*watch.window, NEVER).is_none());
}

#[test]
fn r101_closehandle_posts_fd_close() {
    let (socket, _peer) = tcp_pair();
    let watch = ByMessage::of(&socket, FD_READ | FD_CLOSE);
    let raw = socket.into_raw();
    // SAFETY: CloseHandle takes any value.
    assert_ne!(unsafe { CloseHandle(raw as HANDLE) }, 0);
    // Wine 8.0 posts nothing.
    differs_on_wine(|| {
        let message = next_message_to(*watch.window, 1_000).expect("a message");
        assert_eq!((message.wParam, news_of(&message).0), (raw, FD_CLOSE));
    });
    assert!(next_message_to(*watch.window, NEVER).is_none());
}

// Windows that are none.

#[test]
fn r102_what_is_no_window_is_refused() {
    let (socket, peer) = tcp_pair();
    let window = Window::new();
    let gone = {
        let gone = Window::new();
        *gone
    };
    let select = |window| select_raw(*socket, window, WM_NEWS, FD_READ as i32);
    for bad in [null_mut(), NO_HANDLE as HWND, *socket as HWND, gone] {
        // Wine 8.0 takes anything.
        differs_on_wine(|| assert_eq!(select(bad), Err(WSAEINVAL), "{bad:?}"));
    }
    // What was refused has changed nothing.
    assert_eq!(select(*window), Ok(()));
    differs_on_wine(|| assert_eq!(select(null_mut()), Err(WSAEINVAL)));
    if is_wine() {
        assert_eq!(select(*window), Ok(()));
    }
    send_all(&peer, b"a");
    let message = next_message_to(*window, SOON).expect("a message");
    assert_eq!(news_of(&message), (FD_READ, 0));
}

#[test]
fn r102_what_is_no_socket_is_refused_first() {
    init();
    let window = Window::new();
    for bad in [NO_HANDLE, INVALID_SOCKET] {
        assert_eq!(select_raw(bad, *window, WM_NEWS, FD_READ as i32), Err(WSAENOTSOCK));
        assert_eq!(select_raw(bad, null_mut(), WM_NEWS, FD_READ as i32), Err(WSAENOTSOCK));
        assert_eq!(select_raw(bad, null_mut(), 0, 0), Err(WSAENOTSOCK));
    }
}

#[test]
fn r102_a_window_that_goes_takes_its_messages_with_it() {
    let (socket, peer) = tcp_pair();
    let window = Window::new();
    assert_eq!(async_select(&socket, *window, WM_NEWS, FD_READ | FD_CLOSE), Ok(()));
    drop(window);
    send_all(&peer, b"a");
    assert!(comes_true(|| receive(&socket, 1, 0) == Ok(1)));
    drop(peer);
    assert!(next_message(NEVER).is_none_or(|message| message.message != WM_NEWS));
    assert_eq!(receive(&socket, 1, 0), Ok(0));
}

// Threads.

#[test]
fn r097_the_message_goes_to_the_windows_thread() {
    let (socket, peer) = tcp_pair();
    let (here, there) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let windowed = thread::spawn(move || {
        let window = Window::new();
        here.0.send(*window as usize).expect("a receiver");
        let message = next_message_to(*window, SOON).expect("a message");
        there.0.send(news_of(&message)).expect("a receiver");
    });
    let window = here.1.recv().expect("a window") as HWND;
    assert_eq!(async_select(&socket, window, WM_NEWS, FD_READ), Ok(()));
    send_all(&peer, b"a");
    assert_eq!(there.1.recv(), Ok((FD_READ, 0)));
    windowed.join().expect("no panic");
    assert!(try_message().is_none());
}

/// Windows come and go while their sockets have news: nothing hangs and nobody gets the news of
/// another.
#[test]
fn r102_windows_may_go_while_news_comes() {
    let rounds = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let (socket, peer) = tcp_pair();
                    let window = Window::new();
                    let mask = FD_READ | FD_CLOSE;
                    assert_eq!(async_select(&socket, *window, WM_NEWS, mask), Ok(()));
                    thread::scope(|inner| {
                        inner.spawn(move || {
                            send_all(&peer, b"a");
                            drop(peer);
                        });
                        // SAFETY: no memory is passed.
                        assert_ne!(unsafe { DestroyWindow(*window) }, 0);
                    });
                    while let Some(message) = try_message() {
                        assert!(message.message != WM_NEWS || message.wParam == *socket);
                    }
                    rounds.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(rounds.load(Ordering::SeqCst), 200);
}
