//! Section B, socket state notifications: ProcessSocketNotifications.

use std::collections::HashMap;
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    CloseHandle, ERROR_INVALID_HANDLE, ERROR_NOT_FOUND, HANDLE, WAIT_TIMEOUT,
};
use winsock_sys::Win32::Networking::WinSock::{
    POLLHUP, POLLRDNORM, SD_SEND, SO_SNDBUF, SOCK_NOTIFY_EVENT_ERR as ERR,
    SOCK_NOTIFY_EVENT_HANGUP as HANGUP, SOCK_NOTIFY_EVENT_IN as IN, SOCK_NOTIFY_EVENT_OUT as OUT,
    SOCK_NOTIFY_EVENT_REMOVE as REMOVE, SOCK_NOTIFY_OP_NONE, SOCK_NOTIFY_TRIGGER_EDGE as EDGE,
    SOCK_NOTIFY_TRIGGER_LEVEL as LEVEL, SOCK_NOTIFY_TRIGGER_ONESHOT as ONE_SHOT,
    SOCK_NOTIFY_TRIGGER_PERSISTENT as PERSISTENT, SOL_SOCKET, WSAECONNRESET, WSAEINVAL,
    WSAENOTSOCK, WSANOTINITIALISED, connect, send, sendto, shutdown,
};
use winsock_sys::Win32::System::IO::OVERLAPPED_ENTRY;

const INVALID: u32 = WSAEINVAL as u32;
const NOT_SOCKET: u32 = WSAENOTSOCK as u32;

fn expect_no_events(port: &Port) {
    assert_eq!(process(**port, &mut [], NEVER, 1), (WAIT_TIMEOUT, vec![]));
}

/// A connection, one end registered under key 7.
fn registered(events: u32, trigger: u32) -> (Port, Socket, Socket) {
    let (port, (a, b)) = (port(), tcp_pair());
    assert_eq!(register(&port, enabling(*a, 7, events, trigger)), 0);
    (port, a, b)
}

/// Sends until there is no room; the socket is non-blocking.
fn fill(socket: &Socket) {
    let block = vec![1u8; 1 << 16];
    // SAFETY: the buffer outlives the call.
    while unsafe { send(**socket, block.as_ptr(), block.len() as i32, 0) } > 0 {}
    assert_eq!(last_wsa_error(), WSAEWOULDBLOCK);
}

fn shut_sending(socket: &Socket) {
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { shutdown(**socket, SD_SEND) }, 0);
}

#[test]
fn r181_an_array_is_null_if_its_count_is_zero_and_else_not() {
    differs_on_wine(|| {
        let (port, (a, _b)) = (port(), tcp_pair());
        let mut entry = OVERLAPPED_ENTRY::default();
        let mut registration = enabling(*a, 1, IN, LEVEL);
        let (entry, registration) = (&raw mut entry, &raw mut registration);
        let mut taken = 9;
        let taken = &raw mut taken;
        let (no_entry, none, no_place) = (null_mut(), null_mut(), null_mut());
        for (count, registrations, ms, room, entries, place) in [
            (0, registration, 0, 1, entry, taken),
            (1, none, 0, 1, entry, taken),
            (1, registration, 0, 0, entry, no_place),
            (1, registration, 0, 0, no_entry, taken),
            (1, registration, 5, 0, no_entry, no_place),
            (1, registration, 0, 1, no_entry, taken),
            (1, registration, 0, 1, entry, no_place),
        ] {
            // SAFETY: the arrays have one element, and are NULL or there.
            let code =
                unsafe { process_raw(*port, count, registrations, ms, room, entries, place) };
            assert_eq!(code, INVALID, "{count} {ms} {room}");
        }
        // SAFETY: both are ours.
        assert_eq!(unsafe { ((*registration).registrationResult, *taken) }, (u32::MAX, 9));
        assert_eq!(register(&port, removing(*a)), ERROR_NOT_FOUND, "something was registered");
    });
}

#[test]
fn r181_what_is_no_port_registers_nothing() {
    differs_on_wine(|| {
        let (port, (a, _b)) = (port(), tcp_pair());
        let event = Event::manual_reset();
        let closed = {
            let port = conformance::port();
            *port
        };
        for handle in [null_mut(), closed, *event, *a as HANDLE] {
            let mut registrations = [enabling(*a, 1, IN, LEVEL)];
            assert_eq!(process(handle, &mut registrations, 0, 0), (ERROR_INVALID_HANDLE, vec![]));
            assert_eq!(registrations[0].registrationResult, u32::MAX);
        }
        assert_eq!(register(&port, removing(*a)), ERROR_NOT_FOUND);
    });
}

#[test]
fn r181_each_registration_has_a_result_of_its_own() {
    differs_on_wine(|| {
        let (port, (a, b)) = (port(), tcp_pair());
        let closed = {
            let socket = tcp_socket();
            *socket
        };
        let mut both = enabling(*a, 1, IN, LEVEL);
        both.operation |= removing(*a).operation;
        let mut nothing = enabling(*a, 1, 0xffff, 0xff);
        nothing.operation = SOCK_NOTIFY_OP_NONE as u8;
        let cases = [
            (enabling(closed, 1, IN, LEVEL), NOT_SOCKET),
            (enabling(*port as usize, 1, IN, LEVEL), NOT_SOCKET),
            (enabling(usize::MAX, 1, IN, LEVEL), NOT_SOCKET),
            (both, INVALID),
            (nothing, 0),
            (enabling(*a, 1, IN, 0), INVALID),
            (enabling(*a, 1, IN, ONE_SHOT), INVALID),
            (enabling(*a, 1, IN, LEVEL | EDGE), INVALID),
            (enabling(*a, 1, IN, LEVEL | ONE_SHOT | PERSISTENT), INVALID),
            (enabling(*a, 1, IN, LEVEL | 0x10), INVALID),
            (enabling(*a, 1, IN | ERR, LEVEL), INVALID),
            (enabling(*a, 1, IN | 8, LEVEL), INVALID),
            (disabling(*a), ERROR_NOT_FOUND),
            (removing(*a), ERROR_NOT_FOUND),
            (enabling(*b, 2, OUT, LEVEL | PERSISTENT), 0),
        ];
        let mut registrations = cases.map(|(registration, _)| registration);
        send_all(&b, b"there is something");
        assert_eq!(process(*port, &mut registrations, SOON, 9), (0, vec![(2, OUT)]));
        for (at, (registration, (_, result))) in registrations.iter().zip(cases).enumerate() {
            assert_eq!(registration.registrationResult, result, "case {at}");
        }
    });
}

#[test]
fn r181_it_waits_as_long_as_it_is_told_and_takes_packets_of_any_kind() {
    differs_on_wine(|| {
        let (port, (a, b)) = (port(), tcp_pair());
        let mut registrations = [enabling(*a, 7, IN, LEVEL | ONE_SHOT)];
        let timed_out = (WAIT_TIMEOUT, vec![]);
        assert_eq!(process(*port, &mut registrations, 10, 4), timed_out);
        assert_eq!(registrations[0].registrationResult, 0);
        assert_eq!(process(*port, &mut [], 0, 4), timed_out);
        assert_eq!(process(*port, &mut [], 0, 0), (0, vec![]));
        assert_eq!(post(*port, 5, 1, null_mut()), Ok(()));
        let op = Op::new(8);
        associate(&b, &port, 2);
        assert_eq!(post_recv(&b, &op), Err(WSA_IO_PENDING));
        send_all(&a, b"four");
        let mut packets = process(*port, &mut [], SOON, 1).1;
        packets.extend(process(*port, &mut [], SOON, 1).1);
        assert_eq!(packets, [(1, 5), (2, 4)]);
        send_all(&b, b"x");
        let packet = dequeue(*port, SOON);
        assert_eq!((packet.ok, packet.key, packet.bytes), (true, 7, IN));
    });
}

#[test]
fn r181_a_thread_that_waits_hears_that_the_port_is_closed() {
    differs_on_wine(|| {
        let port = port();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| process(*port, &mut [], SOON, 1));
            pause();
            // SAFETY: no memory is passed.
            unsafe { CloseHandle(*port) };
            let (code, packets) = waiting.join().unwrap();
            assert!(code != 0 && code != WAIT_TIMEOUT && packets.is_empty(), "{code}");
        });
    });
}

#[test]
fn r181_before_start_up_nothing_is_registered() {
    alone("r181_before_start_up_nothing_is_registered", || {
        differs_on_wine(|| {
            let not_started = (WSANOTINITIALISED as u32, vec![]);
            assert_eq!(process(null_mut(), &mut [], 0, 0), not_started);
        });
    });
}

#[test]
fn r182_what_holds_is_told_until_it_does_not() {
    differs_on_wine(|| {
        let (port, a, b) = registered(IN, LEVEL | PERSISTENT);
        expect_no_events(&port);
        send_all(&b, b"twice");
        for _ in 0..3 {
            expect_events(&port, 7, IN);
        }
        assert_eq!(recv_exactly(&a, 2), b"tw");
        expect_events(&port, 7, IN);
        assert_eq!(recv_exactly(&a, 3), b"ice");
        expect_no_events(&port);
        send_all(&b, b"again");
        expect_events(&port, 7, IN);
    });
}

#[test]
fn r182_what_holds_already_is_told_at_once() {
    differs_on_wine(|| {
        let (port, (a, b)) = (port(), tcp_pair());
        send_all(&b, b"early");
        assert_eq!(polled(&a, POLLRDNORM, SOON as i32), POLLRDNORM);
        let mut registrations = [enabling(*a, 3, IN | OUT | HANGUP, LEVEL)];
        assert_eq!(process(*port, &mut registrations, 0, 9), (0, vec![(3, IN | OUT)]));
    });
}

#[test]
fn r182_what_has_happened_is_in_one_packet() {
    differs_on_wine(|| {
        let (port, a, b) = registered(IN | HANGUP, LEVEL);
        send_all(&b, b"bye");
        shut_sending(&b);
        // Both have come before anybody takes the packet.
        assert!(spin_until(SOON, || polled(&a, POLLRDNORM, 1) & POLLHUP != 0));
        let mut seen = 0;
        while seen & HANGUP == 0 {
            let (code, packets) = process(*port, &mut [], SOON, 9);
            assert_eq!((code, packets.len(), packets[0].0), (0, 1, 7));
            seen = packets[0].1;
        }
        assert_eq!(seen, IN | HANGUP);
        assert_eq!(recv_exactly(&a, 3), b"bye");
        expect_events(&port, 7, IN | HANGUP); // The end can be received, too.
    });
}

#[test]
fn r182_a_reset_is_an_error_whatever_is_asked_for() {
    differs_on_wine(|| {
        let (port, _a, b) = registered(0, LEVEL | ONE_SHOT);
        let (hangups, c, d) = registered(HANGUP, LEVEL | ONE_SHOT);
        b.reset();
        d.reset();
        expect_events(&port, 7, ERR);
        expect_events(&hangups, 7, ERR | HANGUP);
        assert_eq!(recv_some(&c), Err(WSAECONNRESET));
    });
}

#[test]
fn r182_a_connect_is_told_with_how_it_went() {
    differs_on_wine(|| {
        let port = port();
        let (_listener, addr) = listener();
        let (good, bad) = (tcp_socket(), tcp_socket());
        for (key, socket, to) in [(1, &good, addr), (2, &bad, nobody())] {
            non_blocking(socket, true);
            assert_eq!(register(&port, enabling(**socket, key, OUT, LEVEL | ONE_SHOT)), 0);
            // SAFETY: an address of this length.
            let rc = unsafe { connect(**socket, to.as_ptr(), to.len) };
            assert!(rc == 0 || last_wsa_error() == WSAEWOULDBLOCK);
        }
        let mut told = HashMap::new();
        while told.len() < 2 {
            let (code, packets) = process(*port, &mut [], SOON, 2);
            assert_eq!(code, 0, "{told:?}");
            told.extend(packets);
        }
        assert_eq!((told[&1], told[&2]), (OUT, OUT | ERR));
    });
}

#[test]
fn r182_a_listener_has_input_while_a_connection_waits() {
    differs_on_wine(|| {
        let (port, (listener, addr)) = (port(), listener());
        assert_eq!(register(&port, enabling(*listener, 1, IN | OUT | HANGUP, LEVEL)), 0);
        expect_no_events(&port);
        let _clients = [connect_to(&addr), connect_to(&addr)];
        for _ in 0..2 {
            expect_events(&port, 1, IN);
            drop(accept_one(&listener));
        }
        expect_no_events(&port);
    });
}

#[test]
fn r182_datagrams_are_input_and_an_unbound_socket_may_be_registered() {
    differs_on_wine(|| {
        let (port, unbound) = (port(), udp_socket());
        assert_eq!(register(&port, enabling(*unbound, 1, IN | HANGUP, LEVEL)), 0);
        bind_to(&unbound, &sockaddr_v4(0));
        expect_no_events(&port);
        let (to, from) = (local_addr(*unbound), udp_socket());
        for text in [b"one", b"two"] {
            // SAFETY: the text and the address outlive the call.
            let sent = unsafe { sendto(*from, text.as_ptr(), 3, 0, to.as_ptr(), to.len) };
            assert_eq!(sent, 3);
        }
        for text in [b"one", b"two"] {
            expect_events(&port, 1, IN);
            assert_eq!(recv_some(&unbound).as_deref(), Ok(&text[..]));
        }
        expect_no_events(&port);
    });
}

#[test]
fn r182_a_pending_receive_takes_what_comes_first() {
    differs_on_wine(|| {
        let (port, a, b) = registered(IN, LEVEL);
        let op = Op::new(4);
        assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
        send_all(&b, b"1234");
        assert_eq!(wsa_result(&a, &op, false).or_else(|_| wsa_result(&a, &op, true)), Ok((4, 0)));
        expect_no_events(&port);
        let op = Op::new(2);
        assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
        send_all(&b, b"1234");
        expect_events(&port, 7, IN);
        assert_eq!((op.bytes(), recv_exactly(&a, 2)), (2, b"34".to_vec()));
    });
}

/// "Avoid multiple threads receiving notifications for a state change": without ONE_SHOT they do.
#[test]
fn r182_every_thread_that_waits_is_told_while_it_holds() {
    differs_on_wine(|| {
        let (port, a, b) = registered(IN, LEVEL);
        let told = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    expect_events(&port, 7, IN);
                    told.fetch_add(1, Ordering::SeqCst);
                    // Counts as running until all have come.
                    pause();
                    assert!(spin_until(SOON, || {
                        thread::sleep(std::time::Duration::from_millis(1));
                        told.load(Ordering::SeqCst) == 3
                    }));
                });
            }
            pause();
            send_all(&b, b"for all");
        });
        assert_eq!(recv_exactly(&a, 7), b"for all");
    });
}

#[test]
fn r183_what_holds_already_is_no_edge() {
    differs_on_wine(|| {
        let (port, (a, b)) = (port(), tcp_pair());
        non_blocking(&a, true);
        send_all(&b, b"early");
        assert_eq!(polled(&a, POLLRDNORM, SOON as i32), POLLRDNORM);
        assert_eq!(register(&port, enabling(*a, 7, IN | OUT, EDGE)), 0);
        expect_no_events(&port);
        assert_eq!(recv_exactly(&a, 5), b"early");
        assert_eq!(recv_some(&a), Err(WSAEWOULDBLOCK));
        expect_no_events(&port);
        send_all(&b, b"late");
        expect_events(&port, 7, IN);
    });
}

#[test]
fn r183_an_edge_is_told_once() {
    differs_on_wine(|| {
        let (port, a, b) = registered(IN | HANGUP, EDGE | PERSISTENT);
        non_blocking(&a, true);
        for _ in 0..3 {
            send_all(&b, b"edge");
            expect_events(&port, 7, IN);
            expect_no_events(&port);
            send_all(&b, b" and more");
            expect_no_events(&port);
            assert_eq!(recv_exactly(&a, 13), b"edge and more");
            assert_eq!(recv_some(&a), Err(WSAEWOULDBLOCK));
        }
        shut_sending(&b);
        expect_events(&port, 7, IN | HANGUP);
        expect_no_events(&port);
        assert_eq!(recv_some(&a).as_deref(), Ok(&b""[..]));
        expect_no_events(&port);
    });
}

/// Nobody calls recv a second time to see that there is nothing: the edge comes all the same.
#[test]
fn r183_an_edge_is_told_after_a_receive_that_took_just_all() {
    differs_on_wine(|| {
        let (port, a, b) = registered(IN, EDGE);
        for _ in 0..100 {
            send_all(&b, b"1234");
            expect_events(&port, 7, IN);
            assert_eq!(recv_exactly(&a, 4), b"1234");
        }
    });
}

#[test]
fn r183_room_is_an_edge_after_a_send_that_found_none() {
    differs_on_wine(|| {
        let (port, a, b) = registered(OUT, EDGE);
        let _ = set_option(*a, SOL_SOCKET, SO_SNDBUF, 1 << 16);
        non_blocking(&a, true);
        non_blocking(&b, true);
        expect_no_events(&port); // There is room, and has been.
        for _ in 0..3 {
            fill(&a);
            assert!(spin_until(SOON, || {
                while recv_some(&b).is_ok() {}
                process(*port, &mut [], 1, 1) == (0, vec![(7, OUT)])
            }));
        }
    });
}

#[test]
fn r183_an_edge_while_disabled_is_lost() {
    differs_on_wine(|| {
        let (port, a, b) = registered(IN, EDGE);
        non_blocking(&a, true);
        assert_eq!(register(&port, disabling(*a)), 0);
        send_all(&b, b"unheard");
        assert_eq!(polled(&a, POLLRDNORM, SOON as i32), POLLRDNORM);
        expect_no_events(&port);
        assert_eq!(register(&port, enabling(*a, 7, IN, EDGE)), 0);
        expect_no_events(&port);
        assert_eq!(recv_exactly(&a, 7), b"unheard");
        assert_eq!(recv_some(&a), Err(WSAEWOULDBLOCK));
        send_all(&b, b"heard");
        expect_events(&port, 7, IN);
    });
}

#[test]
fn r184_one_shot_tells_once_and_is_disabled() {
    differs_on_wine(|| {
        let (port, a, b) = registered(IN, LEVEL | ONE_SHOT);
        for _ in 0..3 {
            send_all(&b, b"x");
            expect_events(&port, 7, IN);
            expect_no_events(&port);
            send_all(&b, b"y");
            expect_no_events(&port);
            let mut registrations = [enabling(*a, 7, IN, LEVEL | ONE_SHOT)];
            assert_eq!(process(*port, &mut registrations, SOON, 1), (0, vec![(7, IN)]));
            assert_eq!(recv_exactly(&a, 2), b"xy");
            assert_eq!(register(&port, enabling(*a, 7, IN, LEVEL | ONE_SHOT)), 0);
        }
        expect_no_events(&port);
    });
}

#[test]
fn r184_what_is_disabled_queues_nothing() {
    differs_on_wine(|| {
        let (port, a, b) = registered(IN | OUT, LEVEL);
        expect_events(&port, 7, OUT);
        assert_eq!(register(&port, disabling(*a)), 0);
        // What was queued before may still come.
        process(*port, &mut [], 0, 1);
        send_all(&b, b"quiet");
        expect_no_events(&port);
        assert_eq!(register(&port, disabling(*a)), 0);
        assert_eq!(register(&port, enabling(*a, 7, IN, LEVEL)), 0);
        expect_events(&port, 7, IN);
    });
}

/// Microsoft's advice for several threads: each message is handled by one of them.
#[test]
fn r184_threads_share_one_shot_levels_and_lose_nothing() {
    const CLIENTS: usize = 8;
    const ROUNDS: usize = 50;
    differs_on_wine(|| {
        let port = port_for(0);
        let pairs: Vec<_> = (0..CLIENTS).map(|_| tcp_pair()).collect();
        let busy: Vec<_> = (0..CLIENTS).map(|_| Mutex::new(())).collect();
        let trigger = LEVEL | ONE_SHOT;
        for (key, (server, _)) in pairs.iter().enumerate() {
            non_blocking(server, true);
            assert_eq!(register(&port, enabling(**server, key, IN | HANGUP, trigger)), 0);
        }
        let serve = || {
            let mut registrations = Vec::new();
            loop {
                let (code, packets) = process(*port, &mut registrations, SOON, 3);
                assert_eq!(code, 0);
                assert!(registrations.iter().all(|done| done.registrationResult == 0));
                registrations.clear();
                for (key, events) in packets {
                    if key == CLIENTS {
                        return post_key(&port, CLIENTS); // For the next one.
                    }
                    assert_eq!(events & !(IN | HANGUP), 0);
                    let _alone = busy[key].try_lock().expect("one thread has it");
                    let text = recv_some(&pairs[key].0).expect("told, so there is something");
                    send_all(&pairs[key].0, &text);
                    registrations.push(enabling(*pairs[key].0, key, IN | HANGUP, trigger));
                }
            }
        };
        thread::scope(|scope| {
            (0..4).for_each(|_| drop(scope.spawn(serve)));
            let ask = |client: &Socket| {
                for round in 0..ROUNDS {
                    let text = format!("{round:8}");
                    send_all(client, text.as_bytes());
                    assert_eq!(recv_exactly(client, 8), text.as_bytes());
                }
            };
            let clients: Vec<_> =
                pairs.iter().map(|(_, client)| scope.spawn(move || ask(client))).collect();
            clients.into_iter().for_each(|client| client.join().unwrap());
            post_key(&port, CLIENTS);
        });
    });
}

#[test]
fn r185_removing_sends_one_last_packet() {
    differs_on_wine(|| {
        let (port, a, b) = registered(IN, LEVEL);
        assert_eq!(register(&port, removing(*a)), 0);
        assert_eq!(register(&port, removing(*a)), 0, "its packet has not been taken");
        assert_eq!(register(&port, disabling(*a)), ERROR_NOT_FOUND);
        expect_events(&port, 7, REMOVE);
        assert_eq!(register(&port, removing(*a)), ERROR_NOT_FOUND);
        send_all(&b, b"too late");
        expect_no_events(&port);
        assert_eq!(register(&port, enabling(*a, 8, IN, LEVEL)), 0);
        expect_events(&port, 8, IN);
    });
}

#[test]
fn r185_the_last_packet_has_what_was_queued() {
    differs_on_wine(|| {
        let (port, a, b) = registered(OUT, LEVEL | ONE_SHOT);
        assert_eq!(register(&port, disabling(*a)), 0);
        send_all(&b, b"not heard");
        assert_eq!(register(&port, removing(*a)), 0);
        let (code, packets) = process(*port, &mut [], SOON, 4);
        assert_eq!((code, &packets[..]), (0, &[(7, OUT | REMOVE)][..]));
        expect_no_events(&port);
    });
}

#[test]
fn r185_a_socket_that_registers_anew_before_it_heard_is_told_in_order() {
    differs_on_wine(|| {
        let (port, a, b) = registered(IN, LEVEL);
        assert_eq!(register(&port, removing(*a)), 0);
        assert_eq!(register(&port, enabling(*a, 8, IN, LEVEL)), 0);
        send_all(&b, b"x");
        expect_events(&port, 7, REMOVE);
        expect_events(&port, 8, IN);
    });
}

#[test]
fn r185_closing_the_socket_sends_none() {
    differs_on_wine(|| {
        let (port, a, b) = registered(IN | HANGUP, LEVEL);
        drop(a);
        expect_no_events(&port);
        drop(b);
        let (port, a, b) = registered(IN, LEVEL);
        send_all(&b, b"queued");
        expect_events(&port, 7, IN);
        drop(a);
        // One that was queued may still come, and nothing after it.
        process(*port, &mut [], 0, 4);
        expect_no_events(&port);
    });
}

#[test]
fn r185_a_socket_is_registered_with_one_port_under_one_key() {
    differs_on_wine(|| {
        let (first, a, b) = registered(IN, LEVEL);
        let other = port();
        assert_eq!(register(&other, enabling(*a, 9, IN, LEVEL)), INVALID);
        assert_eq!(register(&other, disabling(*a)), ERROR_NOT_FOUND);
        assert_eq!(register(&other, removing(*a)), ERROR_NOT_FOUND);
        assert_eq!(register(&first, enabling(*a, 9, OUT, LEVEL | ONE_SHOT)), 0);
        expect_events(&first, 7, OUT);
        assert_eq!(register(&first, removing(*a)), 0);
        expect_events(&first, 7, REMOVE);
        assert_eq!(register(&other, enabling(*a, 9, IN, LEVEL)), 0);
        drop(other);
        send_all(&b, b"x");
        assert_eq!(register(&first, enabling(*a, 10, IN, LEVEL)), 0, "its port is gone");
        expect_events(&first, 10, IN);
    });
}

/// Packets are taken while another thread closes, removes and registers anew.
#[test]
fn r185_nothing_is_told_after_the_last_packet_whoever_races() {
    const ROUNDS: usize = 200;
    differs_on_wine(|| {
        let (port, (a, b)) = (port(), tcp_pair());
        let removed = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    assert_eq!(register(&port, enabling(*a, round, IN | OUT, LEVEL)), 0);
                    send_all(&b, b"x");
                    assert_eq!(register(&port, removing(*a)), 0);
                    let is_heard = || removed.load(Ordering::SeqCst) == round;
                    assert!(spin_until(SOON, || {
                        thread::yield_now();
                        is_heard()
                    }));
                }
            });
            let mut heard = 0;
            while heard < ROUNDS {
                let (code, packets) = process(*port, &mut [], SOON, 3);
                assert_eq!(code, 0);
                for (key, events) in packets {
                    assert_eq!(key, heard + 1, "a packet after the last one");
                    if events & REMOVE != 0 {
                        heard = key;
                        removed.store(heard, Ordering::SeqCst);
                    }
                }
            }
        });
        expect_no_events(&port);
    });
}
