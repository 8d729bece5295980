//! What only completion routines do: running at any alertable wait, knowing no limit, and being
//! reached from other threads.

mod common;

use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::{Census, SOON, Served, listener, next, pair, silent};
use winsock::{Completion, Error, Operations, Port, Routines, TcpSocket};
use winsock_sys::Win32::Foundation::WAIT_IO_COMPLETION;
use winsock_sys::Win32::System::Threading::SleepEx;

/// What a library does that waits alertably in passing.
fn sleep_alertably(ms: u32) -> u32 {
    // SAFETY: all routines of this test are those of the object under test.
    unsafe { SleepEx(ms, 1) }
}

#[test]
fn any_number_is_in_flight() {
    let routines = Routines::new().unwrap();
    let pairs: Vec<_> = (0..200).map(|_| pair()).collect();
    for (number, (near, _)) in pairs.iter().enumerate() {
        routines.recv(near, Vec::with_capacity(8), number);
    }
    assert_eq!(routines.in_flight(), 200);
    for (_, far) in pairs.iter().rev() {
        far.send(b"x").unwrap();
    }
    let mut seen = [false; 200];
    for _ in 0..200 {
        let Completion::Recv { token, result: Ok(1), .. } = next(&routines) else { panic!() };
        assert!(!std::mem::replace(&mut seen[token], true));
    }
}

#[test]
fn somebody_elses_alertable_wait_loses_nothing() {
    let routines = Routines::new().unwrap();
    let (near, far) = pair();
    for number in 0..3 {
        routines.recv(&near, Vec::with_capacity(1), number);
    }
    far.send(b"ab").unwrap();
    let started = Instant::now();
    while routines.in_flight() > 1 {
        assert!(sleep_alertably(1000) == WAIT_IO_COMPLETION || started.elapsed() < SOON);
    }
    // They have run; nothing is handed out before it is asked for.
    for number in 0..2 {
        let Completion::Recv { token, buf, .. } = next(&routines) else { panic!() };
        assert_eq!((token, buf), (number, vec![b'a' + number as u8]));
    }
    silent(&routines);
}

#[test]
fn blocking_calls_in_between_lose_nothing() {
    let routines = Routines::new().unwrap();
    let (near, far) = pair();
    let (second, other) = pair();
    routines.recv(&near, Vec::with_capacity(8), ());
    thread::scope(|scope| {
        scope.spawn(|| {
            far.send(b"routine").unwrap();
            thread::sleep(Duration::from_millis(50));
            other.send(b"blocking").unwrap();
        });
        // It waits alertably inside (rule 108).
        assert_eq!(second.recv(&mut [0; 16]), Ok(8));
    });
    let Completion::Recv { result: Ok(7), .. } = next(&routines) else { panic!() };
}

#[test]
fn a_refusal_waits_for_its_turn() {
    let routines = Routines::new().unwrap();
    let (near, far) = pair();
    routines.recv(&near, Vec::with_capacity(4), "data");
    far.send(b"data").unwrap();
    // Let it end without its routine being run.
    thread::sleep(Duration::from_millis(20));
    let unconnected = TcpSocket::new_v4().unwrap();
    routines.recv(&unconnected, Vec::with_capacity(4), "refused");
    let mut seen = vec![*next(&routines).token(), *next(&routines).token()];
    seen.sort_unstable();
    assert_eq!(seen, ["data", "refused"]);
    silent(&routines);
}

#[test]
fn two_objects_on_one_thread() {
    let (first, second) = (Routines::new().unwrap(), Routines::new().unwrap());
    let (near, far) = pair();
    first.recv(&near, Vec::with_capacity(1), "first");
    second.recv(&near, Vec::with_capacity(1), "second");
    far.send(b"ab").unwrap();
    // The wait of one runs the routines of both.
    let Completion::Recv { token: "second", buf, .. } = next(&second) else { panic!() };
    assert_eq!(buf, b"b");
    let Completion::Recv { token: "first", buf, .. } = next(&first) else { panic!() };
    assert_eq!(buf, b"a");
    drop(second);
    silent(&first);
}

#[test]
fn a_socket_of_a_port_takes_no_routine() {
    let (port, routines) = (Port::new().unwrap(), Routines::new().unwrap());
    let (near, far) = pair();
    port.recv(&near, vec![0; 4], ());
    routines.recv(&near, vec![0; 4], ());
    assert_eq!(next(&routines).error(), Some(Error::INVALID));
    far.send(b"port").unwrap();
    assert_eq!(next(&port).error(), None);
}

#[test]
fn accepts_are_limited_to_64() {
    let routines = Routines::<usize>::new().unwrap();
    let (listener, address) = listener();
    for number in 0..65 {
        routines.accept(&listener, number);
    }
    let Completion::Accept { token: 64, result } = next(&routines) else { panic!() };
    assert_eq!(result.unwrap_err(), Error::NO_BUFFER_SPACE);
    let _clients: Vec<_> = (0..64).map(|_| TcpSocket::connect(address).unwrap()).collect();
    for _ in 0..64 {
        assert_eq!(next(&routines).error(), None);
    }
    silent(&routines);
}

/// Routines that are always queued do not keep events from being seen, nor other sockets.
#[test]
fn a_flood_does_not_starve_the_others() {
    let routines = Routines::new().unwrap();
    let (listener, address) = listener();
    let (quiet, other) = pair();
    let udp = winsock::UdpSocket::bind(common::loopback()).unwrap();
    let nowhere = udp.local_addr().unwrap();
    routines.accept(&listener, "door");
    routines.recv(&quiet, Vec::with_capacity(8), "quiet");
    routines.send_to(&udp, vec![0; 8], nowhere, "flood");
    other.send(b"hello").unwrap();
    let _client = TcpSocket::connect(address).unwrap();
    let mut heard = 0;
    for _ in 0..100_000 {
        match next(&routines) {
            Completion::SendTo { buf, .. } => {
                routines.send_to(&udp, buf, nowhere, "flood");
            }
            Completion::Recv { .. } | Completion::Accept { .. } => heard += 1,
            other => panic!("{other:?}"),
        }
        if heard == 2 {
            return;
        }
    }
    panic!("{heard} of 2 were heard");
}

#[test]
fn time_out_is_no_error() {
    let routines = Routines::<()>::new().unwrap();
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        assert!(routines.next(Some(timeout)).unwrap().is_none());
    }
}

#[test]
fn posted_from_another_thread() {
    let routines = Routines::new().unwrap();
    let (near, far) = pair();
    routines.recv(&near, Vec::with_capacity(8), 1000);
    let poster = routines.poster();
    let (done, wait) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..500 {
                poster.post(number).unwrap();
                if number % 50 == 0 {
                    wait.recv().unwrap();
                }
            }
        });
        for number in 0..500 {
            let Completion::Post { token } = next(&routines) else { panic!() };
            assert_eq!(token, number);
            if number % 50 == 0 {
                done.send(()).unwrap();
            }
        }
    });
    far.send(b"last").unwrap();
    assert_eq!(next(&routines).token(), &1000);
}

#[test]
fn a_poster_outlives_object_and_thread() {
    let census = Census::default();
    let poster = thread::spawn({
        let members = [census.member(), census.member()];
        move || {
            let routines = Routines::<_>::new().unwrap();
            let poster = routines.poster();
            for member in members {
                poster.post(member).unwrap();
            }
            drop(next(&routines));
            poster
        }
    });
    let poster = poster.join().unwrap();
    assert_eq!(census.alive(), 0);
    assert!(poster.post(census.member()).is_err());
}

#[test]
fn dropped_between_an_end_and_its_routine() {
    let census = Census::default();
    let (near, far) = pair();
    let routines = Routines::new().unwrap();
    routines.recv(&near, census.buffer(Vec::with_capacity(8)), census.member());
    routines.send(&near, census.buffer(*b"at once"), census.member());
    far.send(b"arrives").unwrap();
    drop(routines);
    assert_eq!(census.alive(), 0);
    assert_eq!(sleep_alertably(0), 0, "no routine is left behind");
}

#[test]
fn forgotten_in_flight_is_leaked_and_harmless() {
    /// What is leaked on purpose stays in sight of a leak checker.
    static LEAKED: AtomicPtr<Routines<()>> = AtomicPtr::new(std::ptr::null_mut());
    let (near, far) = pair();
    let routines = Routines::new().unwrap();
    routines.recv(&near, Vec::with_capacity(8), ());
    LEAKED.store(Box::leak(Box::new(routines)), Ordering::Relaxed);
    far.send(b"too late").unwrap();
    let started = Instant::now();
    while sleep_alertably(1000) != WAIT_IO_COMPLETION {
        assert!(started.elapsed() < SOON);
    }
}

#[test]
fn without_waiting_it_is_asked_again() {
    let routines = Routines::new().unwrap();
    let (near, far) = pair();
    routines.recv(&near, Vec::with_capacity(8), ());
    let now = Some(Duration::ZERO);
    assert!(routines.take(now).unwrap().is_none());
    far.send(b"now").unwrap();
    let started = Instant::now();
    while routines.next(now).unwrap().is_none() {
        assert!(started.elapsed() < SOON, "polling sees it");
    }
}
