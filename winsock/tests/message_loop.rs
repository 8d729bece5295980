//! What only a message loop does: timers, quitting, and sharing its thread with other loops.

mod common;

use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use common::{NEVER, SOON, pair};
use winsock::{AnySocket, Interest, Key, Message, MessageLoop};
use winsock_sys::Win32::UI::WindowsAndMessaging::{
    DispatchMessageW, MSG, PM_REMOVE, PeekMessageW, PostQuitMessage,
};

type Loop = MessageLoop<(), u32>;

#[track_caller]
fn next(messages: &mut Loop) -> Message<u32> {
    messages.next(Some(SOON)).expect("the loop works").expect("a message in time")
}

/// What somebody else's loop does, a dialogue's, say.
fn dispatch_what_there_is() -> usize {
    let mut count = 0;
    let mut msg = MSG::default();
    // SAFETY: the message outlives the calls, and is dispatched as it was retrieved.
    unsafe {
        while PeekMessageW(&mut msg, ptr::null_mut(), 0, 0, PM_REMOVE) != 0 {
            DispatchMessageW(&msg);
            count += 1;
        }
    }
    count
}

fn receive(messages: &Loop, key: Key) -> usize {
    let Some((AnySocket::Tcp(socket), ())) = messages.get(key) else { panic!() };
    socket.recv(&mut [0; 64]).unwrap()
}

#[test]
fn timers_are_due_again_and_again() {
    let mut messages = Loop::new().unwrap();
    let often = messages.set_timer(Duration::from_millis(10)).unwrap();
    let seldom = messages.set_timer(Duration::from_millis(60)).unwrap();
    let (mut often_due, mut seldom_due) = (0, 0);
    // Times that a late thread has missed do not pile up: it may meet both equally often.
    while seldom_due < 2 || often_due < 3 {
        match next(&mut messages) {
            Message::Timer(timer) if timer == often => often_due += 1,
            Message::Timer(timer) if timer == seldom => seldom_due += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(messages.kill_timer(seldom) && messages.kill_timer(often));
    assert!(!messages.kill_timer(often));
    assert_eq!(messages.next(Some(NEVER)).unwrap(), None);
}

#[test]
fn a_killed_timer_is_not_handed_out() {
    let mut messages = Loop::new().unwrap();
    let timer = messages.set_timer(Duration::from_millis(10)).unwrap();
    thread::sleep(Duration::from_millis(30));
    // Its message has been dispatched by another loop, and waits for ours.
    dispatch_what_there_is();
    messages.kill_timer(timer);
    assert_eq!(messages.next(Some(NEVER)).unwrap(), None);
}

#[test]
fn quitting() {
    let mut messages = Loop::new().unwrap();
    let poster = messages.poster();
    messages.quit(7);
    poster.post(1).unwrap();
    // All else comes first.
    assert_eq!(next(&mut messages), Message::Post(1));
    assert_eq!(next(&mut messages), Message::Quit(7));
    assert_eq!(messages.next(Some(NEVER)).unwrap(), None);
    // SAFETY: no memory is passed.
    unsafe { PostQuitMessage(8) };
    assert_eq!(next(&mut messages), Message::Quit(8));
}

#[test]
fn another_loop_of_the_thread_takes_nothing_away() {
    let mut messages = Loop::new().unwrap();
    let (near, far) = pair();
    let key = messages.insert(near, (), Interest::READ).unwrap();
    let poster = messages.poster();
    far.send(b"data").unwrap();
    poster.post(1).unwrap();
    // Until both have been dispatched there; a writable socket is told of, too.
    let started = Instant::now();
    let mut count = 0;
    while count < 3 {
        count += dispatch_what_there_is();
        assert!(started.elapsed() < SOON);
    }
    let (mut posts, mut told) = (0, 0);
    while (posts, told) != (1, 1) {
        match next(&mut messages) {
            Message::Post(1) => posts += 1,
            Message::Ready(ready) if ready.readable => {
                assert_eq!(receive(&messages, ready.key), 4);
                told += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    far.send(b"and on").unwrap();
    assert!(matches!(next(&mut messages), Message::Ready(ready) if ready.key == key));
}

#[test]
fn two_loops_on_one_thread() {
    let (mut first, mut second) = (Loop::new().unwrap(), Loop::new().unwrap());
    let (near, far) = pair();
    let key = first.insert(near, (), Interest::READ).unwrap();
    far.send(b"data").unwrap();
    assert_eq!(second.next(Some(NEVER)).unwrap(), None);
    let Message::Ready(ready) = next(&mut first) else { panic!() };
    assert_eq!(ready.key, key);
    drop(second);
    assert_eq!(receive(&first, key), 4);
    far.send(b"more").unwrap();
    assert!(matches!(next(&mut first), Message::Ready(_)));
}

#[test]
fn numbers_are_used_again_without_what_they_told_before() {
    let mut messages = Loop::new().unwrap();
    for round in 0..60 {
        let (near, far) = pair();
        let key = messages.insert(near, (), Interest::READ).unwrap();
        far.send(b"x").unwrap();
        drop(far);
        if round % 2 == 0 {
            // In the queue, or in the hands of another loop, when the socket leaves.
            dispatch_what_there_is();
        }
        messages.remove(key).unwrap();
    }
    let (near, _far) = pair();
    messages.insert(near, (), Interest::READ).unwrap();
    assert_eq!(messages.next(Some(NEVER)).unwrap(), None);
}

#[test]
fn two_hundred_sockets() {
    let mut messages = Loop::new().unwrap();
    let mut fars = Vec::new();
    for _ in 0..200 {
        let (near, far) = pair();
        messages.insert(near, (), Interest::READ).unwrap();
        fars.push(far);
    }
    for far in &fars {
        far.send(b"x").unwrap();
    }
    for _ in 0..200 {
        let Message::Ready(ready) = next(&mut messages) else { panic!() };
        assert_eq!(receive(&messages, ready.key), 1);
    }
    assert_eq!(messages.next(Some(NEVER)).unwrap(), None);
}

#[test]
fn a_removed_socket_leaves_the_quit_message_alone() {
    let mut messages = Loop::new().unwrap();
    let (near, far) = pair();
    let key = messages.insert(near, (), Interest::READ).unwrap();
    far.send(b"x").unwrap();
    messages.quit(3);
    messages.remove(key).unwrap();
    assert_eq!(next(&mut messages), Message::Quit(3));
}
