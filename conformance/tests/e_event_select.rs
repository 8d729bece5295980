//! Section E: `WSAEventSelect` and `WSAEnumNetworkEvents`, what is theirs alone. `e_record.rs` has
//! the rules that messages share.

#[allow(dead_code, reason = "shared with the tests that use all of it")]
mod ledger;

use std::thread;

use conformance::*;
use ledger::{ALL, receive, receive_all, set_non_blocking, shut_down, try_accept};
use winsock_sys::Win32::Foundation::CloseHandle;
use winsock_sys::Win32::Networking::WinSock::*;

/// A handle that nobody has, of an event or of a socket.
const NO_HANDLE: usize = 0x7fff_fff1;

/// `WSAEventSelect` with whatever it may be given.
fn select_raw(socket: SOCKET, event: usize, mask: i32) -> Result<(), i32> {
    // SAFETY: no memory is passed.
    match unsafe { WSAEventSelect(socket, event as WSAEVENT, mask) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

/// The events that a call of `WSAEnumNetworkEvents` reports; the event object is not reset.
#[track_caller]
fn take_record(socket: &Socket) -> u32 {
    enum_events(socket, None).unwrap_or_else(|error| panic!("WSAEnumNetworkEvents: {error}")).events
}

// Arguments.

#[test]
fn r079_selecting_checks_its_arguments() {
    let (socket, _peer) = tcp_pair();
    let event = Event::manual_reset();
    let raw = *event as usize;
    assert_eq!(select_raw(*socket, 0, FD_READ as i32), Err(WSAEINVAL));
    assert_eq!(select_raw(*socket, NO_HANDLE, FD_READ as i32), Err(WSAEINVAL));
    assert_eq!(select_raw(*socket, *socket, FD_READ as i32), Err(WSAEINVAL));
    assert_eq!(select_raw(NO_HANDLE, raw, FD_READ as i32), Err(WSAENOTSOCK));
    assert_eq!(select_raw(INVALID_SOCKET, raw, FD_READ as i32), Err(WSAENOTSOCK));
    assert_eq!(select_raw(raw, raw, FD_READ as i32), Err(WSAENOTSOCK));
    assert_eq!(select_raw(NO_HANDLE, 0, 0), Err(WSAENOTSOCK));
    // What was refused has changed nothing.
    assert_eq!(set_non_blocking(&socket, 0), Ok(()));
}

#[test]
fn r079_deselecting_does_not_look_at_the_event() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ);
    assert_eq!(select_raw(*socket, 0, 0), Ok(()));
    send_all(&peer, b"a");
    expect_no_news(&watch, &socket);
    // Wine 8.0 wants an event or NULL.
    differs_on_wine(|| assert_eq!(select_raw(*socket, NO_HANDLE, 0), Ok(())));
}

#[test]
fn r094_enumerating_checks_its_arguments() {
    init();
    let event = Event::manual_reset();
    event.set();
    let mut record = WSANETWORKEVENTS::default();
    for bad in [NO_HANDLE, INVALID_SOCKET, *event as usize] {
        // SAFETY: the record outlives the call.
        let rc = unsafe { WSAEnumNetworkEvents(bad, *event as WSAEVENT, &raw mut record) };
        assert_eq!((rc, last_wsa_error()), (SOCKET_ERROR, WSAENOTSOCK));
    }
    // Wine 8.0 has reset it all the same.
    differs_on_wine(|| assert!(event.is_set()));
}

#[test]
fn r094_no_place_for_the_record_is_a_fault() {
    // Wine 8.0 crashes.
    differs_on_wine(|| {
        alone("r094_no_place_for_the_record_is_a_fault", || {
            let (socket, peer) = tcp_pair();
            let watch = ByEvent::of(&socket, FD_READ);
            send_all(&peer, b"a");
            assert!(watch.event.is_set_within(SOON));
            let event = *watch.event as WSAEVENT;
            // SAFETY: NULL is refused.
            let rc = unsafe { WSAEnumNetworkEvents(*socket, event, std::ptr::null_mut()) };
            assert_eq!((rc, last_wsa_error()), (SOCKET_ERROR, WSAEFAULT));
            // Neither is the event reset nor the record taken.
            expect_news(&watch, &socket, FD_READ);
        });
    });
}

// Blocking mode.

#[test]
fn r079_the_socket_stays_non_blocking_when_deselected() {
    let (socket, _peer) = tcp_pair();
    assert_eq!(event_deselect(&socket), Ok(()), "not even selected");
    assert_eq!(receive(&socket, 1, 0), Err(WSAEWOULDBLOCK));
    assert_eq!(set_non_blocking(&socket, 0), Ok(()));
    let _watch = ByEvent::of(&socket, ALL);
    assert_eq!(event_deselect(&socket), Ok(()));
    assert_eq!(receive(&socket, 1, 0), Err(WSAEWOULDBLOCK));
}

#[test]
fn r080_wsaioctl_cannot_make_it_blocking_either() {
    let (socket, _peer) = tcp_pair();
    let _watch = ByEvent::of(&socket, FD_READ);
    let control = |on: u32| {
        let (input, mut bytes) = ((&raw const on).cast(), 0);
        // SAFETY: input and count outlive the call.
        let rc = unsafe {
            let (code, none) = (FIONBIO as u32, std::ptr::null_mut());
            WSAIoctl(*socket, code, input, 4, none, 0, &raw mut bytes, none.cast(), None)
        };
        if rc == 0 { Ok(()) } else { Err(last_wsa_error()) }
    };
    assert_eq!(control(0), Err(WSAEINVAL));
    assert_eq!(control(1), Ok(()));
    assert_eq!(event_deselect(&socket), Ok(()));
    assert_eq!(control(0), Ok(()));
}

// One selection per socket.

#[test]
fn r081_a_new_call_replaces_event_and_mask() {
    let (socket, peer) = tcp_pair();
    let first = ByEvent::of(&socket, FD_READ);
    let second = ByEvent::of(&socket, FD_CLOSE);
    send_all(&peer, b"a");
    expect_no_news(&second, &socket);
    assert!(!first.event.is_set());
    shut_down(&peer, SD_SEND);
    assert_eq!(receive_all(&socket), 1);
    expect_news(&second, &socket, FD_CLOSE);
    assert!(!first.event.is_set());
}

#[test]
fn r081_what_nobody_has_taken_sets_the_next_event() {
    let (socket, peer) = tcp_pair();
    let first = ByEvent::of(&socket, FD_READ);
    send_all(&peer, b"a");
    assert!(first.event.is_set_within(SOON));
    let second = ByEvent::of(&socket, FD_READ);
    assert!(second.event.is_set());
    assert_eq!(second.news(&socket, 0), [(FD_READ, 0)]);
    // The first was set before it was replaced, and nobody has reset it.
    assert!(first.event.is_set());
}

#[test]
fn r081_one_event_may_serve_many_sockets() {
    let pairs: Vec<(Socket, Socket)> = (0..8).map(|_| tcp_pair()).collect();
    let watch = ByEvent::new();
    for (socket, _) in &pairs {
        assert_eq!(watch.select(socket, FD_READ), Ok(()));
    }
    for told in [3, 0, 7] {
        send_all(&pairs[told].1, b"a");
        assert!(watch.event.is_set_within(SOON));
        watch.event.reset();
        let records: Vec<u32> = pairs.iter().map(|(socket, _)| take_record(socket)).collect();
        let expected = |i| if i == told { FD_READ } else { 0 };
        assert!(records.iter().copied().eq((0..8).map(expected)), "{records:?}");
        assert_eq!(receive_all(&pairs[told].0), 1);
    }
}

#[test]
fn r081_threads_that_select_at_once_leave_one_selection() {
    let (socket, peer) = tcp_pair();
    let watches: Vec<ByEvent> = (0..4).map(|_| ByEvent::new()).collect();
    thread::scope(|scope| {
        for watch in &watches {
            let socket = &socket;
            scope.spawn(move || {
                for mask in [FD_READ, FD_READ | FD_CLOSE].into_iter().cycle().take(500) {
                    assert_eq!(watch.select(socket, mask), Ok(()));
                }
            });
        }
    });
    watches.iter().for_each(|watch| watch.event.reset());
    send_all(&peer, b"a");
    assert!(comes_true(|| watches.iter().any(|watch| watch.event.is_set())));
    pause();
    let set = watches.iter().filter(|watch| watch.event.is_set()).count();
    assert_eq!((set, take_record(&socket)), (1, FD_READ));
}

// Record once, and again.

#[test]
fn r082_the_event_is_set_again_only_by_a_new_record() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ);
    send_all(&peer, b"ab");
    assert!(watch.event.is_set_within(SOON));
    watch.event.reset();
    assert!(repeats_reports() || !watch.event.is_set_within(NEVER));
    assert_eq!(receive(&socket, 1, 0), Ok(1));
    assert!(watch.event.is_set_within(SOON));
    assert_eq!(take_record(&socket), FD_READ);
    assert!(repeats_reports() || take_record(&socket) == 0);
}

#[test]
fn r082_a_receive_takes_the_record_back_but_not_the_signal() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ);
    send_all(&peer, b"a");
    assert!(watch.event.is_set_within(SOON));
    assert_eq!(receive_all(&socket), 1);
    assert_eq!(take_record(&socket), 0);
    assert!(watch.event.is_set());
}

#[test]
fn r082_an_auto_reset_event_serves_too() {
    let (socket, peer) = tcp_pair();
    let event = Event::auto_reset();
    assert_eq!(event_select(&socket, &event, FD_READ | FD_CLOSE), Ok(()));
    for _ in 0..10 {
        send_all(&peer, b"a");
        assert!(event.is_set_within(SOON));
        assert!(repeats_reports() || !event.is_set());
        assert_eq!(take_record(&socket), FD_READ);
        assert_eq!(receive_all(&socket), 1);
    }
}

#[test]
fn r084_new_data_signals_again() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ);
    send_all(&peer, b"a");
    expect_news(&watch, &socket, FD_READ);
    // Wine 8.0 waits for a receive, as Microsoft's page says.
    differs_on_wine(|| {
        for _ in 0..3 {
            send_all(&peer, b"a");
            expect_news(&watch, &socket, FD_READ);
            expect_no_news(&watch, &socket);
        }
    });
}

#[test]
fn r084_a_new_connection_signals_again() {
    let (listener, addr) = listener();
    let watch = ByEvent::of(&listener, FD_ACCEPT);
    let _first = connect_to(&addr);
    expect_news(&watch, &listener, FD_ACCEPT);
    // Wine 8.0 waits for an accept, as Microsoft's page says.
    differs_on_wine(|| {
        let _second = connect_to(&addr);
        expect_news(&watch, &listener, FD_ACCEPT);
        expect_no_news(&watch, &listener);
    });
}

// FD_WRITE and FD_CONNECT.

#[test]
fn r085_a_successful_send_does_not_clear_what_is_recorded() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_WRITE);
    assert!(watch.event.is_set());
    send_all(&socket, b"a");
    assert_eq!(recv_exactly(&peer, 1), b"a");
    expect_news(&watch, &socket, FD_WRITE);
    expect_no_news(&watch, &socket);
}

#[test]
fn r086_a_connection_made_before_selecting_is_recorded() {
    let (_listener, addr) = listener();
    let socket = connect_to(&addr);
    let watch = ByEvent::of(&socket, ALL);
    assert_eq!(watch.news(&socket, 0), [(FD_WRITE, 0), (FD_CONNECT, 0)]);
    expect_no_news(&watch, &socket);
}

#[test]
fn r086_a_connection_refused_before_selecting_is_recorded() {
    let socket = tcp_socket();
    assert_eq!(ledger::try_connect(&socket, &nobody()), Err(WSAECONNREFUSED));
    let watch = ByEvent::of(&socket, ALL);
    assert_eq!(watch.news(&socket, SOON), [(FD_CONNECT, WSAECONNREFUSED)]);
    expect_no_news(&watch, &socket);
}

#[test]
fn r086_a_connection_that_goes_on_is_recorded_when_it_is_made() {
    let (_listener, addr) = listener();
    let socket = tcp_socket();
    non_blocking(&socket, true);
    assert_eq!(ledger::try_connect(&socket, &addr), Err(WSAEWOULDBLOCK));
    let watch = ByEvent::of(&socket, ALL);
    expect_news(&watch, &socket, FD_CONNECT | FD_WRITE);
}

#[test]
fn r086_an_accepted_socket_has_not_connected() {
    let (listener, addr) = listener();
    let _client = connect_to(&addr);
    let socket = accept_one(&listener);
    let watch = ByEvent::of(&socket, ALL);
    expect_news(&watch, &socket, FD_WRITE);
    expect_no_news(&watch, &socket);
}

#[test]
fn r086_connect_ex_is_recorded_too() {
    let (_listener, addr) = listener();
    let socket = tcp_socket();
    bind_to(&socket, &sockaddr_v4(0));
    let watch = ByEvent::of(&socket, ALL);
    let event = Event::manual_reset();
    let op = Op::with_event(0, &event);
    let started = post_connect(&socket, &addr, &op);
    assert!(matches!(started, Ok(_) | Err(WSA_IO_PENDING)), "{started:?}");
    assert!(event.is_set_within(SOON));
    expect_news(&watch, &socket, FD_CONNECT | FD_WRITE);
}

// Narrower and wider masks.

#[test]
fn r091_selecting_the_same_again_repeats_nothing() {
    let (listener, addr) = listener();
    let _client = connect_to(&addr);
    let watch = ByEvent::of(&listener, FD_ACCEPT);
    expect_news(&watch, &listener, FD_ACCEPT);
    let (socket, peer) = tcp_pair();
    let by_event = ByEvent::of(&socket, ALL);
    send_all(&peer, b"a");
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    expect_news(&by_event, &socket, FD_READ | FD_WRITE | FD_CONNECT);
    for _ in 0..3 {
        assert_eq!(watch.select(&listener, FD_ACCEPT), Ok(()));
        assert_eq!(by_event.select(&socket, ALL), Ok(()));
    }
    expect_no_news(&watch, &listener);
    expect_no_news(&by_event, &socket);
    // Nor does another event object.
    let other = ByEvent::of(&socket, ALL);
    expect_no_news(&other, &socket);
}

#[test]
fn r091_what_came_while_the_mask_was_narrow_comes_when_it_is_wide() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_CLOSE);
    send_all(&peer, b"a");
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    expect_no_news(&watch, &socket);
    assert_eq!(watch.select(&socket, FD_READ | FD_CLOSE), Ok(()));
    assert_eq!(watch.news(&socket, 0), [(FD_READ, 0)]);
    expect_no_news(&watch, &socket);
}

#[test]
fn r091_what_was_not_taken_survives_a_narrow_mask() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ);
    send_all(&peer, b"a");
    assert!(watch.event.is_set_within(SOON));
    for narrow in [FD_CLOSE, 0] {
        assert_eq!(watch.select(&socket, narrow), Ok(()));
        assert_eq!(take_record(&socket), 0);
        watch.event.reset();
        assert_eq!(watch.select(&socket, FD_READ), Ok(()));
        assert!(watch.event.is_set());
    }
    assert_eq!(watch.news(&socket, 0), [(FD_READ, 0)]);
}

#[test]
fn r091_what_was_taken_does_not_come_back_with_a_wide_mask() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ | FD_CLOSE);
    send_all(&peer, b"a");
    expect_news(&watch, &socket, FD_READ);
    assert_eq!(watch.select(&socket, FD_CLOSE), Ok(()));
    assert_eq!(watch.select(&socket, FD_READ | FD_CLOSE), Ok(()));
    expect_no_news(&watch, &socket);
    // A receive enables it, whether it is selected at that time or not.
    send_all(&peer, b"b");
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    assert_eq!(watch.select(&socket, FD_CLOSE), Ok(()));
    assert_eq!(receive(&socket, 1, 0), Ok(1));
    assert_eq!(watch.select(&socket, FD_READ | FD_CLOSE), Ok(()));
    expect_news(&watch, &socket, FD_READ);
}

// Inheritance.

#[test]
fn r093_an_accepted_socket_inherits_event_and_mask() {
    let (listener, addr) = listener();
    let watch = ByEvent::of(&listener, FD_ACCEPT | FD_READ | FD_CLOSE);
    let client = connect_to(&addr);
    expect_news(&watch, &listener, FD_ACCEPT);
    let socket = try_accept(&listener).expect("a client");
    expect_no_news(&watch, &socket);
    assert_eq!(receive(&socket, 1, 0), Err(WSAEWOULDBLOCK));
    assert_eq!(set_non_blocking(&socket, 0), Err(WSAEINVAL));
    send_all(&client, b"a");
    expect_news(&watch, &socket, FD_READ);
    assert_eq!(take_record(&listener), 0);
    drop(client);
    assert_eq!(receive_all(&socket), 1);
    expect_news(&watch, &socket, FD_CLOSE);
}

#[test]
fn r093_an_accepted_socket_has_room_at_once() {
    let (listener, addr) = listener();
    let watch = ByEvent::of(&listener, FD_ACCEPT | FD_WRITE);
    for _ in 0..3 {
        let _client = connect_to(&addr);
        expect_news(&watch, &listener, FD_ACCEPT);
        let socket = try_accept(&listener).expect("a client");
        expect_news(&watch, &socket, FD_WRITE);
        expect_no_news(&watch, &socket);
    }
}

#[test]
fn r093_data_that_came_before_the_accept_is_recorded() {
    let (listener, addr) = listener();
    let watch = ByEvent::of(&listener, FD_ACCEPT | FD_READ | FD_CLOSE);
    let client = connect_to(&addr);
    send_all(&client, b"a");
    expect_news(&watch, &listener, FD_ACCEPT);
    let socket = try_accept(&listener).expect("a client");
    expect_news(&watch, &socket, FD_READ);
    let gone = connect_to(&addr);
    drop(gone);
    expect_news(&watch, &listener, FD_ACCEPT);
    let socket = try_accept(&listener).expect("a client");
    expect_news(&watch, &socket, FD_CLOSE);
}

#[test]
fn r093_selecting_on_one_leaves_the_other_alone() {
    let (listener, addr) = listener();
    let watch = ByEvent::of(&listener, FD_ACCEPT | FD_READ);
    let client = connect_to(&addr);
    expect_news(&watch, &listener, FD_ACCEPT);
    let socket = try_accept(&listener).expect("a client");
    let own = ByEvent::of(&socket, FD_READ);
    send_all(&client, b"a");
    expect_news(&own, &socket, FD_READ);
    assert!(!watch.event.is_set());
    assert_eq!(event_deselect(&socket), Ok(()));
    let _second = connect_to(&addr);
    expect_news(&watch, &listener, FD_ACCEPT);
    // And the other way round.
    let socket = try_accept(&listener).expect("a client");
    assert_eq!(event_deselect(&listener), Ok(()));
    send_all(&_second, b"a");
    expect_news(&watch, &socket, FD_READ);
}

#[test]
fn r093_a_listener_that_is_not_selected_hands_nothing_down() {
    let (listener, addr) = listener();
    let _watch = ByEvent::of(&listener, FD_ACCEPT | FD_READ);
    assert_eq!(event_deselect(&listener), Ok(()));
    assert_eq!(set_non_blocking(&listener, 0), Ok(()));
    let client = connect_to(&addr);
    let socket = accept_one(&listener);
    send_all(&client, b"abc");
    assert_eq!(recv_exactly(&socket, 3), b"abc");
}

#[test]
fn r093_a_socket_of_accept_ex_keeps_its_own_selection() {
    let (listener, addr) = listener();
    let watch = ByEvent::of(&listener, FD_ACCEPT | FD_READ | FD_CLOSE);
    let acceptor = tcp_socket();
    let event = Event::manual_reset();
    let op = Op::with_event(2 * ADDRESS_ROOM as usize, &event);
    assert_eq!(post_accept(&listener, &acceptor, &op, 0), Err(WSA_IO_PENDING));
    let client = connect_to(&addr);
    assert!(event.is_set_within(SOON));
    assert_eq!(update_accepted(&acceptor, &listener), Ok(()));
    send_all(&client, b"a");
    expect_no_news(&watch, &acceptor);
    let own = ByEvent::of(&acceptor, FD_READ);
    expect_news(&own, &acceptor, FD_READ);
}

// Taking the record.

#[test]
fn r094_taking_the_record_clears_it_and_resets_the_event() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ);
    send_all(&peer, b"a");
    assert!(watch.event.is_set_within(SOON));
    let record = enum_events(&socket, Some(&watch.event)).expect("a record");
    assert_eq!(record.events, FD_READ);
    assert!(!watch.event.is_set());
    let record = enum_events(&socket, Some(&watch.event)).expect("a record");
    assert_eq!(record.events, 0);
}

#[test]
fn r094_without_an_event_none_is_reset() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ);
    send_all(&peer, b"a");
    assert!(watch.event.is_set_within(SOON));
    assert_eq!(take_record(&socket), FD_READ);
    assert!(watch.event.is_set());
    // Any event may be named, and that is the one reset.
    let other = Event::manual_reset();
    other.set();
    assert_eq!(enum_events(&socket, Some(&other)).map(|record| record.events), Ok(0));
    assert!(watch.event.is_set() && !other.is_set());
}

#[test]
fn r094_errors_of_events_that_did_not_happen_are_left_alone() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ | FD_CLOSE);
    send_all(&peer, b"a");
    assert!(watch.event.is_set_within(SOON));
    let record = enum_events(&socket, Some(&watch.event)).expect("a record");
    let expected = |bit| if bit == FD_READ_BIT { 0 } else { Record::UNTOUCHED };
    assert!(record.errors.iter().copied().eq((0..FD_MAX_EVENTS).map(expected)), "{record:x?}");
    let record = enum_events(&socket, Some(&watch.event)).expect("a record");
    assert_eq!((record.events, record.errors), (0, [Record::UNTOUCHED; FD_MAX_EVENTS as usize]));
}

#[test]
fn r094_what_is_not_selected_is_not_taken() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ | FD_WRITE);
    send_all(&peer, b"a");
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    pause();
    assert_eq!(watch.select(&socket, FD_WRITE), Ok(()));
    assert_eq!(take_record(&socket), FD_WRITE);
    assert_eq!(watch.select(&socket, FD_READ | FD_WRITE), Ok(()));
    assert_eq!(take_record(&socket), FD_READ);
}

#[test]
fn r094_a_socket_that_is_not_selected_has_an_empty_record() {
    let (socket, peer) = tcp_pair();
    send_all(&peer, b"a");
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    assert_eq!(take_record(&socket), 0);
    assert_eq!(take_record(&tcp_socket()), 0);
    assert_eq!(take_record(&udp_socket()), 0);
}

/// A program that only asks, and never waits, hears of everything too.
#[test]
fn r094_the_record_may_be_polled() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ | FD_CLOSE);
    for _ in 0..10 {
        send_all(&peer, b"a");
        assert!(comes_true(|| take_record(&socket) == FD_READ));
        assert_eq!(receive_all(&socket), 1);
    }
    drop(peer);
    assert!(comes_true(|| take_record(&socket) == FD_CLOSE));
    assert!(watch.event.is_set());
}

/// Two threads take the record: each arrival is in one of their hands, none in both or neither.
#[test]
fn r094_a_record_is_taken_by_one_thread_only() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ);
    for _ in 0..200 {
        send_all(&peer, b"a");
        assert!(watch.event.is_set_within(SOON));
        let taken = thread::scope(|scope| {
            let takers: [_; 2] = std::array::from_fn(|_| scope.spawn(|| take_record(&socket)));
            takers.map(|taker| taker.join().expect("no panic"))
        });
        let count = taken.into_iter().filter(|events| *events == FD_READ).count();
        assert!(count == 1 || (count == 2 && repeats_reports()), "{taken:?}");
        watch.event.reset();
        assert_eq!(receive_all(&socket), 1);
    }
}

// Sockets at rest.

#[test]
fn r095_an_unconnected_stream_has_nothing_to_tell() {
    let socket = tcp_socket();
    let watch = ByEvent::of(&socket, ALL);
    expect_no_news(&watch, &socket);
    bind_to(&socket, &sockaddr_v4(0));
    expect_no_news(&watch, &socket);
    // SAFETY: listen takes any value.
    assert_eq!(unsafe { listen(*socket, 4) }, 0);
    expect_no_news(&watch, &socket);
    // A listener that was selected before it listened tells of its clients.
    let _client = connect_to(&local_addr(*socket));
    expect_news(&watch, &socket, FD_ACCEPT);
}

#[test]
fn r095_a_bound_datagram_socket_has_room_once() {
    let (socket, _) = udp_bound();
    let watch = ByEvent::of(&socket, ALL);
    expect_news(&watch, &socket, FD_WRITE);
    expect_no_news(&watch, &socket);
    assert_eq!(watch.select(&socket, ALL), Ok(()));
    expect_no_news(&watch, &socket);
}

// Closing.

#[test]
fn r096_closing_the_socket_is_no_event() {
    let (socket, _peer) = tcp_pair();
    let watch = ByEvent::of(&socket, ALL & !(FD_WRITE | FD_CONNECT));
    assert_eq!(socket.close(), Ok(()));
    assert!(!watch.event.is_set_within(NEVER));
    // The event is there still, and serves another socket.
    let (socket, peer) = tcp_pair();
    assert_eq!(watch.select(&socket, FD_READ), Ok(()));
    send_all(&peer, b"a");
    expect_news(&watch, &socket, FD_READ);
}

#[test]
fn r096_an_event_closed_too_early_harms_nobody() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ);
    drop(watch);
    send_all(&peer, b"a");
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    // The record is kept without it.
    assert!(comes_true(|| take_record(&socket) == FD_READ));
    let watch = ByEvent::of(&socket, FD_READ | FD_CLOSE);
    assert_eq!(receive_all(&socket), 1);
    drop(peer);
    expect_news(&watch, &socket, FD_CLOSE);
}

#[test]
fn r096_a_handles_value_used_again_is_not_the_old_event() {
    let (socket, peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_READ);
    let raw = *watch.event;
    // SAFETY: CloseHandle takes any value.
    assert_ne!(unsafe { CloseHandle(raw) }, 0);
    let others: Vec<Event> = (0..100).map(|_| Event::manual_reset()).collect();
    std::mem::forget(watch);
    send_all(&peer, b"a");
    assert!(comes_true(|| take_record(&socket) == FD_READ));
    assert!(others.iter().all(|other| !other.is_set()));
}

/// Sockets are closed while their peers send: nothing hangs, and no event is set by a socket that
/// has the handle of one that is gone.
#[test]
fn r096_closing_may_meet_what_happens() {
    for _ in 0..100 {
        let (socket, peer) = tcp_pair();
        let watch = ByEvent::of(&socket, FD_READ | FD_CLOSE);
        thread::scope(|scope| {
            scope.spawn(move || {
                send_all(&peer, b"a");
                drop(peer);
            });
            assert_eq!(socket.close(), Ok(()));
        });
        watch.event.reset();
        assert!(!watch.event.is_set());
    }
}

// A server's day.

/// The classic loop: one event per socket, 64 at most, one receive for each FD_READ.
#[test]
fn r083_an_echo_server_loses_no_byte() {
    const CLIENTS: usize = 40;
    const BYTES: usize = 20_000;
    let (listener, addr) = listener();
    let server = thread::spawn(move || serve(&listener, CLIENTS));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            thread::spawn(move || {
                let client = connect_to(&addr);
                let sent = pattern(BYTES);
                for piece in sent.chunks(777) {
                    send_all(&client, piece);
                    assert_eq!(recv_exactly(&client, piece.len()), piece);
                }
                shut_down(&client, SD_SEND);
                assert_eq!(recv_some(&client).as_deref(), Ok(&[][..]));
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client.join().expect("no panic"));
    server.join().expect("no panic");
}

/// Echoes until as many clients have come and gone.
fn serve(listener: &Socket, clients: usize) {
    let listening = ByEvent::of(listener, FD_ACCEPT);
    let mut watches = vec![listening];
    let mut sockets: Vec<Option<Socket>> = vec![None];
    let mut gone = 0;
    while gone < clients {
        let events: Vec<WSAEVENT> = watches.iter().map(|watch| *watch.event as WSAEVENT).collect();
        // SAFETY: `events` is readable for its length.
        let first = unsafe {
            let events = events.as_ptr().cast();
            WSAWaitForMultipleEvents(watches.len() as u32, events, 0, SOON, 0) as usize
        };
        assert!(first < watches.len(), "{first:#x}, {gone} clients gone");
        let socket = sockets[first].as_ref().unwrap_or(listener);
        for (event, error) in watches[first].news(socket, 0) {
            assert_eq!(error, 0);
            match event {
                FD_ACCEPT => {
                    let client = try_accept(listener).expect("a client");
                    watches.push(ByEvent::of(&client, FD_READ | FD_CLOSE));
                    sockets.push(Some(client));
                }
                FD_READ => echo(sockets[first].as_ref().expect("a client"), 1_000),
                _ => {
                    // Data may be left (rule 88).
                    let client = sockets.remove(first).expect("a client");
                    echo(&client, usize::MAX);
                    watches.remove(first);
                    gone += 1;
                    break;
                }
            }
        }
    }
}

/// Sends back what one receive gets, or all there is until the end.
fn echo(client: &Socket, most: usize) {
    let mut buffer = vec![0; most.min(4_096)];
    loop {
        // SAFETY: `buffer` is writable for its length.
        let got = unsafe { recv(**client, buffer.as_mut_ptr(), buffer.len() as i32, 0) };
        match got {
            1.. => send_all(client, &buffer[..got as usize]),
            0 => return,
            _ => return assert_eq!(last_wsa_error(), WSAEWOULDBLOCK),
        }
        if most < usize::MAX {
            return;
        }
    }
}
