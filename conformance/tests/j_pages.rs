//! Section J, rule 136, to the byte: what the calls are given ends where its page ends, and the
//! next page cannot be touched.

use std::ptr::null_mut;

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;

/// Two pages, of which the second is out of reach; given back when dropped.
struct Pages {
    first: *mut u8,
}

/// The size of a page, or a multiple of it.
const PAGE: usize = 65_536;

impl Pages {
    /// Where `T`s, so many of them, end with the first page.
    fn last<T>(&self, count: usize) -> *mut T {
        let bytes = count * size_of::<T>();
        assert!(bytes <= PAGE && PAGE.is_multiple_of(align_of::<T>()));
        // SAFETY: that is in the first page.
        unsafe { self.first.add(PAGE - bytes).cast() }
    }
}

#[cfg(windows)]
mod system {
    use std::ffi::c_void;
    use std::ptr::null_mut;

    use super::{PAGE, Pages};

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn VirtualAlloc(at: *mut c_void, size: usize, kind: u32, protection: u32) -> *mut c_void;
        fn VirtualFree(at: *mut c_void, size: usize, kind: u32) -> i32;
    }

    const COMMIT: u32 = 0x1000;
    const RESERVE: u32 = 0x2000;
    const RELEASE: u32 = 0x8000;
    const READ_WRITE: u32 = 4;
    const NO_ACCESS: u32 = 1;

    impl Pages {
        pub fn new() -> Pages {
            // SAFETY: new memory is asked for, and the first page of that.
            unsafe {
                let both = VirtualAlloc(null_mut(), 2 * PAGE, RESERVE, NO_ACCESS);
                let first = VirtualAlloc(both, PAGE, COMMIT, READ_WRITE);
                assert!(!first.is_null());
                Pages { first: first.cast() }
            }
        }
    }

    impl Drop for Pages {
        fn drop(&mut self) {
            // SAFETY: the memory is ours.
            unsafe { VirtualFree(self.first.cast(), 0, RELEASE) };
        }
    }
}

#[cfg(not(windows))]
mod system {
    use std::ptr::null_mut;

    use super::{PAGE, Pages};

    impl Pages {
        pub fn new() -> Pages {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            // SAFETY: new memory is asked for, and the first page of that.
            unsafe {
                let both = libc::mmap(null_mut(), 2 * PAGE, libc::PROT_NONE, flags, -1, 0);
                assert_ne!(both, libc::MAP_FAILED);
                let access = libc::PROT_READ | libc::PROT_WRITE;
                assert_eq!(libc::mprotect(both, PAGE, access), 0);
                Pages { first: both.cast() }
            }
        }
    }

    impl Drop for Pages {
        fn drop(&mut self) {
            // SAFETY: the memory is ours.
            unsafe { libc::munmap(self.first.cast(), 2 * PAGE) };
        }
    }
}

/// An fd_set of these sockets, and nothing behind it.
fn set_of(pages: &Pages, sockets: &[SOCKET]) -> *mut FD_SET {
    // The count takes the place of a socket.
    let words = pages.last::<SOCKET>(1 + sockets.len());
    // SAFETY: there is room for the count and the sockets.
    unsafe {
        words.cast::<u32>().write(sockets.len() as u32);
        words.add(1).copy_from_nonoverlapping(sockets.as_ptr(), sockets.len());
    }
    words.cast()
}

/// The sockets in a set made by [`set_of`] when it held `most`.
fn sockets_in(pages: &Pages, most: usize) -> Vec<SOCKET> {
    let words = pages.last::<SOCKET>(1 + most);
    // SAFETY: the set is there still.
    unsafe {
        let count = words.cast::<u32>().read() as usize;
        assert!(count <= most);
        std::slice::from_raw_parts(words.add(1), count).to_vec()
    }
}

#[test]
fn r136_a_set_may_end_with_its_page() {
    let (socket, _peer) = tcp_pair();
    let other = tcp_socket();
    let zero = timeval(0);
    for most in [1, 2, 63, 64, 65, 200] {
        let sets = [Pages::new(), Pages::new(), Pages::new()];
        // The one that is ready comes last.
        let mut sockets = vec![*other; most];
        sockets[most - 1] = *socket;
        let [read, write, except] = sets.each_ref().map(|pages| set_of(pages, &sockets));
        // SAFETY: each set has as many sockets as its count says.
        let count = unsafe {
            assert_ne!(__WSAFDIsSet(*socket, read), 0);
            assert_eq!(__WSAFDIsSet(INVALID_SOCKET, read), 0);
            select(0, read, write, except, &zero)
        };
        assert_eq!(count, 1, "{most}: {}", last_wsa_error());
        let left = sets.each_ref().map(|pages| sockets_in(pages, most));
        assert_eq!(left, [vec![], vec![*socket], vec![]]);
    }
}

#[test]
fn r136_so_may_an_empty_one() {
    let (socket, _peer) = tcp_pair();
    let pages = [Pages::new(), Pages::new()];
    let empty = set_of(&pages[0], &[]);
    let write = set_of(&pages[1], &[*socket]);
    // SAFETY: the count of the first set says that it has no sockets; the other has its one.
    unsafe {
        assert_eq!(__WSAFDIsSet(*socket, empty), 0);
        assert_eq!(select(0, empty, write, empty, &timeval(0)), 1);
        assert_eq!(empty.cast::<u32>().read(), 0);
    }
}

#[test]
fn r136_a_time_out_and_an_array_may_end_with_their_pages() {
    let (socket, _peer) = tcp_pair();
    let pages = [Pages::new(), Pages::new(), Pages::new()];
    let timeout = pages[0].last::<TIMEVAL>(1);
    let read = set_of(&pages[1], &[*socket]);
    let polled = pages[2].last::<WSAPOLLFD>(2);
    // SAFETY: all of it is in the pages.
    unsafe {
        timeout.write(timeval(1));
        assert_eq!(select(0, read, null_mut(), null_mut(), timeout), 0);
        polled.write(WSAPOLLFD { fd: *socket, events: POLLIN, revents: 0 });
        polled.add(1).write(WSAPOLLFD { fd: *socket, events: POLLOUT, revents: 0 });
        assert!(WSAPoll(polled, 2, 0) > 0);
        assert_eq!((*polled).revents, 0);
        assert_eq!((*polled.add(1)).revents, POLLWRNORM);
    }
}

#[test]
fn r136_a_record_of_network_events_may_end_with_its_page() {
    let (socket, _peer) = tcp_pair();
    let watch = ByEvent::of(&socket, FD_WRITE);
    let pages = Pages::new();
    let record = pages.last::<WSANETWORKEVENTS>(1);
    // SAFETY: the record is in the page.
    unsafe {
        assert_eq!(WSAEnumNetworkEvents(*socket, *watch.event as WSAEVENT, record), 0);
        assert_eq!((*record).lNetworkEvents as u32, FD_WRITE);
    }
}

#[test]
fn r136_the_next_page_is_out_of_reach() {
    // What the others say is worth as much as this.
    let test = "r136_the_next_page_is_out_of_reach";
    let reached = std::panic::catch_unwind(|| {
        alone(test, || {
            let pages = Pages::new();
            // SAFETY: none: this is meant to end the process.
            unsafe { pages.first.add(PAGE).read_volatile() };
        });
    });
    if std::env::var_os("CONFORMANCE_ALONE").is_none() {
        assert!(reached.is_err());
    }
}
