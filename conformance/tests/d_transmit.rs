//! Section D: TransmitFile, which rule 75 names among the extensions.

use std::path::PathBuf;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    CloseHandle, GENERIC_READ, HANDLE, INVALID_HANDLE_VALUE, STATUS_PENDING,
};
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ, OPEN_EXISTING,
};

const MANY: usize = 20 << 20;

/// Milliseconds that are ample for what takes none, where Wine lets us wait in vain.
const A_WHILE: u32 = if cfg!(windows) { 1000 } else { SOON };

/// A temporary file, open for reading; gone when dropped.
struct File {
    path: PathBuf,
    handle: HANDLE,
}

impl File {
    #[track_caller]
    fn with(data: &[u8]) -> File {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        init();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("winsock-transmit-{}-{number}.bin", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, data).expect("a temporary file");
        let wide: Vec<u16> = path.to_str().unwrap().encode_utf16().chain([0]).collect();
        // SAFETY: `wide` ends in NUL; the other pointers are optional.
        let handle = unsafe {
            CreateFileW(
                wide.as_ptr(),
                GENERIC_READ,
                FILE_SHARE_READ,
                null(),
                OPEN_EXISTING,
                FILE_ATTRIBUTE_NORMAL,
                null_mut(),
            )
        };
        assert_ne!(handle, INVALID_HANDLE_VALUE, "CreateFileW: {}", last_error());
        File { path, handle }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the handle is this file's own.
        unsafe { CloseHandle(self.handle) };
        // A file left behind in the temporary folder is no reason to fail.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// One TransmitFile: the file (or none), how many of its bytes, from where, and what around them.
#[derive(Clone, Copy)]
struct Transmit<'a> {
    file: Option<&'a File>,
    bytes: u32,
    per_send: u32,
    offset: u64,
    around: Option<(&'a [u8], &'a [u8])>,
    flags: u32,
}

impl<'a> Transmit<'a> {
    fn file(file: &'a File) -> Transmit<'a> {
        Transmit { file: Some(file), bytes: 0, per_send: 0, offset: 0, around: None, flags: 0 }
    }

    /// Starts it: `Ok` for an immediate success, or the WSA error, WSA_IO_PENDING included. The
    /// buffers around the file are lent until the operation has ended.
    fn post(self, socket: &Socket, op: &Op) -> Result<(), i32> {
        // SAFETY: no operation uses the OVERLAPPED yet.
        unsafe {
            (*op.ptr()).Anonymous.Anonymous.Offset = self.offset as u32;
            (*op.ptr()).Anonymous.Anonymous.OffsetHigh = (self.offset >> 32) as u32;
        }
        self.call(**socket, op.ptr())
    }

    fn call(
        self,
        socket: SOCKET,
        overlapped: *mut winsock_sys::Win32::System::IO::OVERLAPPED,
    ) -> Result<(), i32> {
        let file = self.file.map_or(null_mut(), |file| file.handle);
        let buffers = self.around.map(|(head, tail)| TRANSMIT_FILE_BUFFERS {
            Head: head.as_ptr().cast_mut().cast(),
            HeadLength: head.len() as u32,
            Tail: tail.as_ptr().cast_mut().cast(),
            TailLength: tail.len() as u32,
        });
        let buffers = buffers.as_ref().map_or(null(), |buffers| &raw const *buffers);
        // SAFETY: the tests keep file, buffers and OVERLAPPED until the operation has ended.
        let ok = unsafe {
            let (bytes, per_send, flags) = (self.bytes, self.per_send, self.flags);
            TransmitFile(socket, file, bytes, per_send, overlapped, buffers, flags)
        };
        if ok != 0 { Ok(()) } else { Err(last_wsa_error()) }
    }

    /// Starts it with an event and waits for it: the bytes sent, or the WSA error of call or
    /// completion.
    #[track_caller]
    fn run(self, socket: &Socket) -> Result<u32, i32> {
        let event = Event::manual_reset();
        let op = Op::with_event(0, &event);
        match self.post(socket, &op) {
            Ok(()) | Err(WSA_IO_PENDING) => {
                assert!(event.is_set_within(SOON));
                wsa_result(socket, &op, false).map(|(bytes, _)| bytes)
            }
            Err(refused) => {
                op.set_status(0);
                Err(refused)
            }
        }
    }
}

#[test]
fn r075_transmit_file_sends_the_whole_file() {
    let data = pattern(100_000);
    let file = File::with(&data);
    let (a, b) = tcp_pair();
    assert_eq!(Transmit::file(&file).run(&a), Ok(100_000));
    assert_eq!(recv_exactly(&b, data.len()), data);
}

#[test]
fn r075_transmit_file_sends_a_part_of_it() {
    let data = pattern(100_000);
    let file = File::with(&data);
    let (a, b) = tcp_pair();
    let part = Transmit { bytes: 1000, offset: 50_000, ..Transmit::file(&file) };
    assert_eq!(part.run(&a), Ok(1000));
    assert_eq!(recv_exactly(&b, 1000), data[50_000..51_000]);
    let rest = Transmit { offset: 99_990, ..Transmit::file(&file) };
    assert_eq!(rest.run(&a), Ok(10), "zero bytes asked for: all from the offset on");
    assert_eq!(recv_exactly(&b, 10), data[99_990..]);
}

#[test]
fn r075_transmit_file_sends_head_and_tail_around_it() {
    let data = pattern(5000);
    let file = File::with(&data);
    let (a, b) = tcp_pair();
    let all = Transmit { around: Some((b"head", b"the tail")), ..Transmit::file(&file) };
    assert_eq!(all.run(&a), Ok(5012), "the count is of all three");
    let received = recv_exactly(&b, 5012);
    assert_eq!(received, [&b"head"[..], &data, b"the tail"].concat());
    let part = Transmit { bytes: 3, offset: 7, ..all };
    assert_eq!(part.run(&a), Ok(15));
    assert_eq!(recv_exactly(&b, 15), [&b"head"[..], &data[7..10], b"the tail"].concat());
}

#[test]
fn r075_transmit_file_sends_an_empty_head_or_tail() {
    let file = File::with(b"file");
    let (a, b) = tcp_pair();
    let head = Transmit { around: Some((b"head", b"")), ..Transmit::file(&file) };
    assert_eq!(head.run(&a), Ok(8));
    let tail = Transmit { around: Some((b"", b"tail")), ..Transmit::file(&file) };
    assert_eq!(tail.run(&a), Ok(8));
    assert_eq!(recv_exactly(&b, 16), b"headfilefiletail");
}

#[test]
fn r075_transmit_file_without_a_file_sends_the_buffers() {
    let file = File::with(b"");
    let (a, b) = tcp_pair();
    let both = Transmit { file: None, around: Some((b"one", b"two")), ..Transmit::file(&file) };
    assert_eq!(both.run(&a), Ok(6));
    assert_eq!(recv_exactly(&b, 6), b"onetwo");
    let none = Transmit { around: None, ..both };
    assert_eq!(none.run(&a), Ok(0));
}

#[test]
fn r075_transmit_file_cuts_sends_as_asked_and_loses_nothing() {
    let data = pattern(10_000);
    let file = File::with(&data);
    let (a, b) = tcp_pair();
    let cut = Transmit { per_send: 7, ..Transmit::file(&file) };
    assert_eq!(cut.run(&a), Ok(10_000));
    assert_eq!(recv_exactly(&b, 10_000), data);
}

#[test]
fn r075_transmit_file_of_an_empty_file_sends_nothing() {
    let file = File::with(b"");
    let (a, b) = tcp_pair();
    assert_eq!(Transmit::file(&file).run(&a), Ok(0));
    send_all(&a, b"x");
    assert_eq!(recv_exactly(&b, 1), b"x");
}

#[test]
fn r075_transmit_file_reports_to_the_port() {
    let data = pattern(3000);
    let file = File::with(&data);
    let (a, b) = tcp_pair();
    let port = port();
    associate(&a, &port, 12);
    let op = Op::new(0);
    let posted = Transmit::file(&file).post(&a, &op);
    assert!(matches!(posted, Ok(()) | Err(WSA_IO_PENDING)), "{posted:?}");
    let packet = dequeue(*port, SOON);
    assert!(packet.ok, "{packet:?}");
    assert_eq!((packet.key, packet.overlapped, packet.bytes), (12, op.ptr(), 3000));
    assert_eq!(recv_exactly(&b, 3000), data);
}

#[test]
fn r075_transmit_file_without_overlapped_waits_and_starts_at_the_files_position() {
    let data = pattern(3000);
    let file = File::with(&data);
    let (a, b) = tcp_pair();
    let part = Transmit { bytes: 1000, ..Transmit::file(&file) };
    assert_eq!(part.call(*a, null_mut()), Ok(()));
    assert!(recv_exactly(&b, 1000) == data[..1000], "from the start");
    assert_eq!(part.call(*a, null_mut()), Ok(()));
    assert!(recv_exactly(&b, 1000) == data[1000..2000], "from where the first has left it");
    let rest = Transmit { bytes: 0, ..part };
    assert_eq!(rest.call(*a, null_mut()), Ok(()));
    assert!(recv_exactly(&b, 1000) == data[2000..], "and the rest");
}

#[test]
fn r075_transmit_file_of_a_large_file_stays_pending_until_all_is_taken() {
    let data = pattern(MANY);
    let file = File::with(&data);
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(0, &event);
    let (head, tail) = (*b"start", *b"stop");
    let all = Transmit { around: Some((&head, &tail)), ..Transmit::file(&file) };
    assert_eq!(all.post(&a, &op), Err(WSA_IO_PENDING));
    assert!(!event.is_set_within(NEVER));
    assert_eq!(op.status(), STATUS_PENDING);
    assert_eq!(recv_exactly(&b, 5), head);
    assert!(recv_exactly(&b, MANY) == data, "a byte is out of place");
    assert_eq!(recv_exactly(&b, 4), tail);
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&a, &op, false).map(|(bytes, _)| bytes), Ok(MANY as u32 + 9));
}

#[test]
fn r075_transmit_file_keeps_its_place_among_sends() {
    let data = pattern(MANY);
    let file = File::with(&data);
    let (a, b) = tcp_pair();
    let events = [Event::manual_reset(), Event::manual_reset(), Event::manual_reset()];
    let before = Op::with_event(10, &events[0]);
    let op = Op::with_event(0, &events[1]);
    let after = Op::with_event(10, &events[2]);
    assert!(matches!(post_send(&a, &before), Ok(_) | Err(WSA_IO_PENDING)));
    assert_eq!(Transmit::file(&file).post(&a, &op), Err(WSA_IO_PENDING));
    assert_eq!(post_send(&a, &after), Err(WSA_IO_PENDING));
    assert_eq!(recv_exactly(&b, 10), [0; 10]);
    assert!(recv_exactly(&b, MANY) == data, "a byte is out of place");
    assert_eq!(recv_exactly(&b, 10), [0; 10]);
    assert!(events.iter().all(|event| event.is_set_within(SOON)));
}

#[test]
fn r075_transmit_file_ends_with_an_error_when_the_peer_resets() {
    let file = File::with(&pattern(MANY));
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(0, &event);
    assert_eq!(Transmit::file(&file).post(&a, &op), Err(WSA_IO_PENDING));
    b.reset();
    assert!(event.is_set_within(SOON));
    let result = wsa_result(&a, &op, false);
    assert!(matches!(result, Err(WSAECONNRESET | WSAECONNABORTED)), "{result:?}");
}

#[test]
fn r075_transmit_file_writes_behind() {
    let file = File::with(b"behind");
    let (a, b) = tcp_pair();
    let behind = Transmit { flags: TF_WRITE_BEHIND, ..Transmit::file(&file) };
    assert_eq!(behind.run(&a), Ok(6));
    assert_eq!(recv_exactly(&b, 6), b"behind");
}

#[test]
fn r075_transmit_file_takes_the_worker_flags() {
    let file = File::with(b"work");
    let (a, b) = tcp_pair();
    for flags in [TF_USE_DEFAULT_WORKER, TF_USE_SYSTEM_THREAD, TF_USE_KERNEL_APC] {
        let worker = Transmit { flags, ..Transmit::file(&file) };
        assert_eq!(worker.run(&a), Ok(4));
        assert_eq!(recv_exactly(&b, 4), b"work");
    }
}

#[test]
fn r075_transmit_file_needs_a_connected_stream_socket() {
    let file = File::with(b"file");
    let transmit = Transmit::file(&file);
    assert_eq!(transmit.run(&tcp_socket()), Err(WSAENOTCONN));
    assert_eq!(transmit.run(&Socket::own(0xabcd_ef00)), Err(WSAENOTSOCK));
    let (a, _b) = tcp_pair();
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { shutdown(*a, SD_SEND) }, 0);
    assert_eq!(transmit.run(&a), Err(WSAESHUTDOWN));
}

#[test]
fn r075_transmit_file_refuses_a_datagram_socket() {
    let file = File::with(b"file");
    differs_on_wine(|| assert_eq!(Transmit::file(&file).run(&udp_bound().0), Err(WSAEINVAL)));
}

// What the page names as invalid; Wine sends nothing and succeeds.

#[test]
fn r075_transmit_file_does_not_reuse_without_disconnecting() {
    let file = File::with(b"file");
    let (a, _b) = tcp_pair();
    let reuse_alone = Transmit { flags: TF_REUSE_SOCKET, ..Transmit::file(&file) };
    differs_on_wine(|| assert_eq!(reuse_alone.run(&a), Err(WSAEINVAL)));
}

#[test]
fn r075_transmit_file_sends_two_gigabytes_less_two_bytes_at_most() {
    let file = File::with(b"file");
    let (a, _b) = tcp_pair();
    let too_many = Transmit { bytes: 0x7fff_ffff, ..Transmit::file(&file) };
    differs_on_wine(|| assert_eq!(too_many.run(&a), Err(WSAEINVAL)));
}

#[test]
fn r075_transmit_file_does_not_start_beyond_the_end() {
    let file = File::with(b"file");
    let (a, _b) = tcp_pair();
    let beyond = Transmit { offset: 5, ..Transmit::file(&file) };
    differs_on_wine(|| assert_eq!(beyond.run(&a), Err(WSAEINVAL)));
}

/// Wine does not disconnect.
#[test]
fn r075_transmit_file_disconnects_if_asked() {
    let file = File::with(b"the last");
    let (a, b) = tcp_pair();
    let last = Transmit { flags: TF_DISCONNECT, ..Transmit::file(&file) };
    assert_eq!(last.run(&a), Ok(8));
    assert_eq!(recv_exactly(&b, 8), b"the last");
    differs_on_wine(|| {
        assert_eq!(set_option(*b, SOL_SOCKET, SO_RCVTIMEO, A_WHILE), Ok(()));
        assert_eq!(recv_some(&b), Ok(vec![]), "then the end");
        assert_eq!(post_send(&a, &Op::new(1)), Err(WSAESHUTDOWN));
    });
}

/// Wine neither disconnects nor reuses.
#[test]
fn r075_transmit_file_makes_an_accepted_socket_reusable() {
    let (listener, addr) = listener();
    let (acceptor, port) = (tcp_socket(), port());
    associate(&listener, &port, 0);
    let file = File::with(b"bye");
    let flags = TF_DISCONNECT | TF_REUSE_SOCKET;
    let serve_and_disconnect = || {
        let op = accept_op(0);
        assert_eq!(post_accept(&listener, &acceptor, &op, 0), Err(WSA_IO_PENDING));
        let client = connect_to(&addr);
        assert!(dequeue(*port, A_WHILE).ok);
        assert_eq!(update_accepted(&acceptor, &listener), Ok(()));
        let event = Event::manual_reset();
        let last = Op::with_event(0, &event);
        let transmit = Transmit { flags, ..Transmit::file(&file) };
        assert_eq!(transmit.post(&acceptor, &last), Err(WSA_IO_PENDING));
        assert_eq!(recv_exactly(&client, 3), b"bye");
        assert_eq!(set_option(*client, SOL_SOCKET, SO_RCVTIMEO, A_WHILE), Ok(()));
        assert_eq!(recv_some(&client), Ok(vec![]), "and then the end");
        assert_eq!(client.close(), Ok(()));
        assert!(event.is_set_within(A_WHILE));
        assert_eq!(wsa_result(&acceptor, &last, false).map(|(bytes, _)| bytes), Ok(3));
    };
    differs_on_wine(|| {
        serve_and_disconnect();
        serve_and_disconnect();
    });
}
