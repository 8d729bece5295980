//! Message queues: who waits for a message gets it, and who waits for an answer gets it in time or
//! not at all.

use std::ptr::null_mut;
use std::sync::Arc;
use std::time::Instant;

use loom::thread;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    PM_QS_POSTMESSAGE, WM_GETTEXT, WM_QUIT, WM_USER,
};

use super::{explore, join};
use crate::queue::{Answer, Call, Filter, Message, Of, Own, Queue, Sent, SentBy};
use crate::wait::Deadline;
use crate::window::Encoding;

const EVERYTHING: Filter =
    Filter { of: Of::Everyone, first: 0, last: u32::MAX, kinds: PM_QS_POSTMESSAGE >> 16 };

fn post(queue: &Queue, message: u32) {
    queue.post(None, Message::new(null_mut(), message, 0, 0)).expect("room");
}

/// Posts wake a thread that sleeps, or keep it from falling asleep; and nothing is lost.
#[test]
fn messages_reach_who_waits_for_them() {
    explore(|| {
        let own = Own::unlisted(super::thread());
        let queues = [own.queue.clone(), own.queue.clone()];
        let posters = queues.map(|queue| thread::spawn(move || post(&queue, WM_USER)));
        for _ in 0..2 {
            assert_eq!(own.get(&EVERYTHING).message, WM_USER);
        }
        join(posters);
    });
}

/// A filter does not make a waiting thread miss what it admits.
#[test]
fn messages_that_a_filter_admits_are_found_behind_others() {
    explore(|| {
        let own = Own::unlisted(super::thread());
        let queue = own.queue.clone();
        let poster = thread::spawn(move || {
            post(&queue, WM_USER);
            post(&queue, WM_USER + 1);
        });
        let filter = Filter { first: WM_USER + 1, ..EVERYTHING };
        assert_eq!(own.get(&filter).message, WM_USER + 1);
        assert_eq!(own.get(&EVERYTHING).message, WM_USER);
        join([poster]);
    });
}

/// WM_QUIT waits until what was posted before it is taken.
#[test]
fn quit_comes_last() {
    explore(|| {
        let own = Own::unlisted(super::thread());
        let queue = own.queue.clone();
        let poster = thread::spawn(move || {
            post(&queue, WM_USER);
            queue.quit(0);
        });
        assert_eq!(own.get(&EVERYTHING).message, WM_USER);
        assert_eq!(own.get(&EVERYTHING).message, WM_QUIT);
        join([poster]);
    });
}

/// A wait for anything new ends by what comes before it begins, while it begins or later.
#[test]
fn waits_for_input_end_by_a_post() {
    explore(|| {
        let own = Own::unlisted(super::thread());
        let queue = own.queue.clone();
        let poster = thread::spawn(move || post(&queue, WM_USER));
        own.wait_for_input();
        assert_eq!(own.get(&EVERYTHING).message, WM_USER);
        join([poster]);
    });
}

/// A sender whose time is up leaves either with the answer, text included, or without; in that case
/// nothing is written to its memory any more.
#[test]
fn answers_come_in_time_with_their_text_or_not_at_all() {
    explore(|| {
        let own = Own::unlisted(super::thread());
        let receiver = Own::unlisted(super::thread());
        let mut text = [b'-'; 4];
        let place = text.as_mut_ptr().expose_provenance();
        let call = Call::new(null_mut(), WM_GETTEXT, 4, place as isize, Encoding::Ansi);
        let waiting = SentBy::Waiting(own.queue.thread.clone());
        // SAFETY: the text has the room that the message says.
        let sent = unsafe { Sent::new(call, waiting) };
        let answering = thread::spawn({
            let sent = sent.clone();
            move || {
                let memory = std::ptr::with_exposed_provenance_mut(sent.call().lparam as usize);
                // SAFETY: the message says that there is room.
                unsafe { b"yes\0".as_ptr().copy_to_nonoverlapping(memory, 4) };
                sent.answer(Answer::Result(3));
                sent.answer(Answer::Died); // Comes too late to count.
            }
        });
        let soon = Deadline::At(Instant::now());
        let answer = own.wait_for_answer(&receiver.queue, &sent, soon, 0);
        // SAFETY: what the other thread writes it writes before it answers, and not after we left.
        let seen = |text: &[u8; 4]| unsafe { std::ptr::read_volatile(text) };
        let before = seen(&text);
        join([answering]);
        let expected = match answer {
            Some(answer) => {
                assert_eq!(answer, Answer::Result(3));
                *b"yes\0"
            }
            None => *b"----",
        };
        assert_eq!((before, seen(&text)), (expected, expected));
        assert_eq!(Arc::strong_count(&sent), 1);
    });
}

/// A sender without a limit always gets its answer.
#[test]
fn answers_wake_who_waits_for_them() {
    explore(|| {
        let own = Own::unlisted(super::thread());
        let receiver = Own::unlisted(super::thread());
        let call = Call::new(null_mut(), WM_USER, 0, 0, Encoding::Ansi);
        let waiting = SentBy::Waiting(own.queue.thread.clone());
        // SAFETY: the message refers to no memory.
        let sent = unsafe { Sent::new(call, waiting) };
        let answering = thread::spawn({
            let sent = sent.clone();
            move || sent.answer(Answer::Result(7))
        });
        let answer = own.wait_for_answer(&receiver.queue, &sent, Deadline::Never, 0);
        assert_eq!(answer, Some(Answer::Result(7)));
        join([answering]);
    });
}
