//! `select` and `WSAPoll`: sets of any size, and everything the calls report.

use std::mem::{offset_of, size_of};
use std::ptr::null_mut;
use std::time::{Duration, Instant};

use winsock_sys::Win32::Networking::WinSock::{
    FD_SET, SOCKET, TIMEVAL, WSAPOLLFD, WSAPoll, select,
};

use crate::{Socket, last_wsa_error};

/// Where the sockets of a set begin, in words of the size of a SOCKET.
const FIRST: usize = offset_of!(FD_SET, fd_array) / size_of::<SOCKET>();

/// An `fd_set` with room for any number of sockets, as a program gets it by defining FD_SETSIZE.
#[derive(Clone, Debug, PartialEq)]
pub struct FdSet(Vec<SOCKET>);

impl FdSet {
    /// A set of these, in this order, with no room for more.
    pub fn of(sockets: &[SOCKET]) -> FdSet {
        let mut set = FdSet([&[0; FIRST], sockets].concat());
        set.set_count(sockets.len() as u32);
        set
    }

    /// Writes `fd_count`, to show the calls fewer sockets than there are.
    pub fn set_count(&mut self, count: u32) {
        // SAFETY: `fd_count` comes first and is smaller than the words before the sockets.
        unsafe { self.0.as_mut_ptr().cast::<u32>().write(count) };
    }

    pub fn count(&self) -> usize {
        // SAFETY: as for `set_count`.
        unsafe { self.0.as_ptr().cast::<u32>().read() as usize }
    }

    /// The sockets that are in the set.
    pub fn sockets(&self) -> &[SOCKET] {
        &self.0[FIRST..FIRST + self.count()]
    }

    /// What the calls take.
    pub fn as_mut_ptr(&mut self) -> *mut FD_SET {
        self.0.as_mut_ptr().cast()
    }
}

/// `ms` milliseconds as `select` takes them.
pub fn timeval(ms: u32) -> TIMEVAL {
    TIMEVAL { tv_sec: (ms / 1_000) as i32, tv_usec: (ms % 1_000 * 1_000) as i32 }
}

/// What one call of `select` left in its three sets.
#[derive(Debug, Default, PartialEq)]
pub struct Selected {
    /// What the call returned.
    pub count: usize,
    pub read: Vec<SOCKET>,
    pub write: Vec<SOCKET>,
    pub except: Vec<SOCKET>,
}

/// `select` on three sets, each NULL if it is empty, for at most `ms` milliseconds.
pub fn select_from(
    read: &[SOCKET],
    write: &[SOCKET],
    except: &[SOCKET],
    ms: u32,
) -> Result<Selected, i32> {
    let mut sets = [read, write, except].map(FdSet::of);
    let [read, write, except] = sets.each_mut().map(|set| match set.count() {
        0 => null_mut(),
        _ => set.as_mut_ptr(),
    });
    // SAFETY: each set has as many sockets as its count says; they and the time outlive the call.
    let count = unsafe { select(0, read, write, except, &timeval(ms)) };
    let count = usize::try_from(count).map_err(|_| last_wsa_error())?;
    let [read, write, except] = sets.map(|set| set.sockets().to_vec());
    Ok(Selected { count, read, write, except })
}

/// In the readfds of `select`.
pub const READ: u8 = 1;
/// In the writefds of `select`.
pub const WRITE: u8 = 2;
/// In the exceptfds of `select`.
pub const EXCEPT: u8 = 4;

/// In which sets a `select` with `socket` in all three leaves it, waiting at most `ms` milliseconds
/// for the first.
#[track_caller]
pub fn selected(socket: &Socket, ms: u32) -> u8 {
    let one = [**socket];
    let selected = select_from(&one, &one, &one, ms);
    let selected = selected.unwrap_or_else(|error| panic!("select: {error}"));
    let sets = [(&selected.read, READ), (&selected.write, WRITE), (&selected.except, EXCEPT)];
    let sets = sets.into_iter().filter(|(set, _)| set[..] == one).map(|(_, bit)| bit);
    assert_eq!(sets.clone().count(), selected.count);
    sets.sum()
}

/// Whether [`selected`] answers `sets` within `ms` milliseconds; the last answer if it does not.
pub fn selected_within(socket: &Socket, sets: u8, ms: u32) -> Result<(), u8> {
    let start = Instant::now();
    loop {
        let now = selected(socket, 0);
        if now == sets {
            return Ok(());
        }
        if start.elapsed() >= Duration::from_millis(ms.into()) {
            return Err(now);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// One call of `WSAPoll`: what it returned and each `revents` (0x7bad if it was left alone), or the
/// WSA error with the `revents`.
pub fn poll_all(asked: &[(SOCKET, i16)], ms: i32) -> (Result<i32, i32>, Vec<i16>) {
    let polled = |&(fd, events)| WSAPOLLFD { fd, events, revents: 0x7bad };
    let mut polled: Vec<WSAPOLLFD> = asked.iter().map(polled).collect();
    // SAFETY: the array has as many elements as is said, and outlives the call.
    let count = unsafe { WSAPoll(polled.as_mut_ptr(), polled.len() as u32, ms) };
    let result = if count >= 0 { Ok(count) } else { Err(last_wsa_error()) };
    (result, polled.iter().map(|polled| polled.revents).collect())
}

/// The `revents` of a `WSAPoll` for `events` on one socket, waiting at most `ms` milliseconds.
#[track_caller]
pub fn polled(socket: &Socket, events: i16, ms: i32) -> i16 {
    let (result, revents) = poll_all(&[(**socket, events)], ms);
    assert_eq!(result, Ok(i32::from(revents[0] != 0)), "WSAPoll: revents {:#x}", revents[0]);
    revents[0]
}
