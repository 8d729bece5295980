//! Section C: which buffer gets which byte, how long a send stays pending, and time-outs.

use std::collections::VecDeque;
use std::ptr::null_mut;
use std::thread;
use std::time::{Duration, Instant};

use conformance::*;
use winsock_sys::Win32::Foundation::{STATUS_PENDING, WAIT_TIMEOUT};
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::Win32::System::IO::CancelIoEx;

const MANY: usize = 20 << 20;

/// The op's buffer cut into WSABUFs of these lengths, which add up to it.
fn cut(op: &Op, lens: &[usize]) -> Vec<WSABUF> {
    let whole = op.wsabuf();
    assert_eq!(lens.iter().sum::<usize>(), whole.len as usize);
    let starts = lens.iter().scan(0, |end, len| {
        let start = *end;
        *end += len;
        Some(start)
    });
    starts
        .zip(lens)
        .map(|(start, len)| WSABUF { len: *len as u32, buf: whole.buf.wrapping_add(start) })
        .collect()
}

/// Overlapped `WSARecv` into `buffers`, parts of the op's buffer.
fn recv_into(socket: &Socket, op: &Op, buffers: &[WSABUF]) -> Result<u32, i32> {
    let (mut bytes, mut flags) = (0, 0);
    let count = buffers.len() as u32;
    // SAFETY: the op keeps OVERLAPPED and buffer in place until the operation has ended.
    let rc = unsafe {
        WSARecv(**socket, buffers.as_ptr(), count, &raw mut bytes, &raw mut flags, op.ptr(), None)
    };
    if rc == 0 { Ok(bytes) } else { Err(last_wsa_error()) }
}

/// Overlapped `WSASend` of `buffers`, parts of the op's buffer.
fn send_from(socket: &Socket, op: &Op, buffers: &[WSABUF]) -> Result<u32, i32> {
    let mut bytes = 0;
    let count = buffers.len() as u32;
    // SAFETY: the op keeps OVERLAPPED and buffer in place until the operation has ended.
    let rc =
        unsafe { WSASend(**socket, buffers.as_ptr(), count, &raw mut bytes, 0, op.ptr(), None) };
    if rc == 0 { Ok(bytes) } else { Err(last_wsa_error()) }
}

/// What a caller may do with its WSABUF array once the call has returned.
fn spoil(buffers: &mut [WSABUF]) {
    buffers.fill(WSABUF { len: u32::MAX, buf: 8 as *mut u8 });
}

/// Waits for an operation with an event and gives the bytes it moved.
#[track_caller]
fn bytes_of(socket: &Socket, op: &Op, event: &Event) -> usize {
    assert!(event.is_set_within(SOON), "still pending");
    let (bytes, _) = wsa_result(socket, op, false).expect("a success");
    bytes as usize
}

fn with_event(len: usize) -> (Op, Event) {
    let event = Event::manual_reset();
    (Op::with_event(len, &event), event)
}

fn sending(bytes: &[u8]) -> (Op, Event) {
    let event = Event::manual_reset();
    let op = Op::sending(bytes);
    // SAFETY: no operation uses the OVERLAPPED yet.
    unsafe { (*op.ptr()).hEvent = *event };
    (op, event)
}

#[test]
fn r058_receives_complete_in_posting_order() {
    let lens = [16, 1, 7, 4096, 3, 900];
    let (a, b) = tcp_pair();
    let ops: Vec<(Op, Event)> = lens.iter().map(|len| with_event(*len)).collect();
    for (op, _) in &ops {
        assert_eq!(post_recv(&a, op), Err(WSA_IO_PENDING));
    }
    let data = pattern(lens.iter().sum());
    send_all(&b, &data);
    let mut received = Vec::new();
    for (op, event) in &ops {
        let bytes = bytes_of(&a, op, event);
        received.extend_from_slice(&op.data()[..bytes]);
    }
    assert_eq!(received, data, "one buffer is filled after the other");
}

#[test]
fn r058_a_short_burst_leaves_the_later_receives_pending() {
    let (a, b) = tcp_pair();
    let ops: Vec<(Op, Event)> = (0..4).map(|_| with_event(4)).collect();
    for (op, _) in &ops {
        assert_eq!(post_recv(&a, op), Err(WSA_IO_PENDING));
    }
    send_all(&b, b"1234567");
    assert_eq!(bytes_of(&a, &ops[0].0, &ops[0].1), 4);
    assert_eq!(bytes_of(&a, &ops[1].0, &ops[1].1), 3);
    assert!(!ops[2].1.is_set_within(NEVER));
    send_all(&b, b"8");
    assert_eq!(bytes_of(&a, &ops[2].0, &ops[2].1), 1);
    assert_eq!(
        [&ops[0].0.data()[..4], &ops[1].0.data()[..3], &ops[2].0.data()[..1]].concat(),
        b"12345678"
    );
    assert!(!ops[3].1.is_set());
    assert_eq!(b.close(), Ok(()));
    assert_eq!(bytes_of(&a, &ops[3].0, &ops[3].1), 0, "the end goes to the last");
}

#[test]
fn r058_a_later_receive_does_not_overtake_with_data_at_hand() {
    let (a, b) = tcp_pair();
    let data = pattern(64);
    send_all(&b, &data);
    let ops: Vec<(Op, Event)> = (0..64).map(|_| with_event(1)).collect();
    for (op, _) in &ops {
        assert!(matches!(post_recv(&a, op), Ok(1) | Err(WSA_IO_PENDING)));
    }
    for ((op, event), byte) in ops.iter().zip(&data) {
        assert_eq!(bytes_of(&a, op, event), 1);
        assert_eq!(op.data(), [*byte]);
    }
}

#[test]
fn r058_packets_come_in_posting_order_too() {
    const COUNT: usize = 50;
    let (a, b) = tcp_pair();
    let port = port();
    associate(&a, &port, 3);
    let ops: Vec<Op> = (0..COUNT).map(|_| Op::new(3)).collect();
    for op in &ops {
        assert_eq!(post_recv(&a, op), Err(WSA_IO_PENDING));
    }
    let data = pattern(3 * COUNT);
    send_all(&b, &data);
    for (op, expected) in ops.iter().zip(data.chunks(3)) {
        let packet = dequeue(*port, SOON);
        assert!(packet.ok, "{packet:?}");
        assert_eq!((packet.overlapped, packet.bytes), (op.ptr(), 3));
        assert_eq!(op.data(), expected);
    }
}

#[test]
fn r058_sends_leave_in_posting_order() {
    let (a, b) = tcp_pair();
    let data = pattern(3 * (MANY / 4) + 5);
    let parts = [&data[..MANY / 4], &data[MANY / 4..MANY / 4 + 5], &data[MANY / 4 + 5..]];
    let ops = parts.map(sending);
    for (op, _) in &ops {
        assert!(matches!(post_send(&a, op), Ok(_) | Err(WSA_IO_PENDING)));
    }
    assert!(recv_exactly(&b, data.len()) == data, "a byte is out of place");
    for ((op, event), part) in ops.iter().zip(parts) {
        assert_eq!(bytes_of(&a, op, event), part.len());
    }
}

#[test]
fn r058_a_cancelled_receive_leaves_the_order_of_the_others() {
    let (a, b) = tcp_pair();
    let ops: Vec<(Op, Event)> = (0..4).map(|_| with_event(2)).collect();
    for (op, _) in &ops {
        assert_eq!(post_recv(&a, op), Err(WSA_IO_PENDING));
    }
    for cancelled in [0, 2] {
        let (op, event) = &ops[cancelled];
        // SAFETY: the op is alive.
        assert_ne!(unsafe { CancelIoEx(*a as _, op.ptr()) }, 0);
        assert!(event.is_set_within(SOON));
        assert_eq!(wsa_result(&a, op, false), Err(WSA_OPERATION_ABORTED));
    }
    send_all(&b, b"1234");
    assert_eq!(bytes_of(&a, &ops[1].0, &ops[1].1), 2);
    assert_eq!(bytes_of(&a, &ops[3].0, &ops[3].1), 2);
    assert_eq!([ops[1].0.data(), ops[3].0.data()].concat(), b"1234");
}

/// Sizes from 1 to `most`, the same in every run.
fn sizes(most: usize) -> impl Iterator<Item = usize> {
    pattern(65_521).into_iter().map(move |noise| 1 + noise as usize * most / 256)
}

#[test]
fn r058_sends_and_receives_of_all_sizes_keep_the_stream_whole() {
    const TOTAL: usize = 1 << 20;
    const DEPTH: usize = 8;
    let (a, b) = tcp_pair();
    let sender = thread::spawn(move || {
        let data = pattern(TOTAL);
        let mut rest = &data[..];
        for size in sizes(9000) {
            let (now, later) = rest.split_at(size.min(rest.len()));
            send_all(&b, now);
            rest = later;
        }
        assert!(rest.is_empty());
    });
    let port = port();
    associate(&a, &port, 0);
    let mut lens = sizes(4000).step_by(3);
    let mut posted = VecDeque::new();
    let mut received = Vec::new();
    loop {
        while posted.len() < DEPTH {
            let op = Op::new(lens.next().unwrap());
            assert!(matches!(post_recv(&a, &op), Ok(_) | Err(WSA_IO_PENDING)));
            posted.push_back(op);
        }
        let packet = dequeue(*port, SOON);
        let op = posted.pop_front().unwrap();
        assert!(packet.ok, "{packet:?}");
        assert_eq!(packet.overlapped, op.ptr(), "packets come in posting order");
        if packet.bytes == 0 {
            break;
        }
        received.extend_from_slice(&op.data()[..packet.bytes as usize]);
    }
    sender.join().unwrap();
    assert!(received == pattern(TOTAL), "{} bytes, not all in place", received.len());
}

/// Overlapped `WSARecv` with MSG_WAITALL, whose value is not that of Linux.
fn recv_all(socket: &Socket, op: &Op) -> Result<u32, i32> {
    let (buffer, mut bytes, mut flags) = (op.wsabuf(), 0, MSG_WAITALL as u32);
    // SAFETY: the op keeps OVERLAPPED and buffer in place until the operation has ended.
    let rc =
        unsafe { WSARecv(**socket, &buffer, 1, &raw mut bytes, &raw mut flags, op.ptr(), None) };
    if rc == 0 { Ok(bytes) } else { Err(last_wsa_error()) }
}

#[test]
fn r058_waitall_completes_when_the_buffer_is_full() {
    let (a, b) = tcp_pair();
    let (op, event) = with_event(8);
    assert_eq!(recv_all(&a, &op), Err(WSA_IO_PENDING));
    send_all(&b, b"half");
    differs_on_wine(|| {
        assert!(!event.is_set_within(NEVER));
        send_all(&b, b" and half");
        assert_eq!(bytes_of(&a, &op, &event), 8);
        assert_eq!(op.data(), b"half and");
        assert_eq!(recv_exactly(&a, 5), b" half");
    });
}

#[test]
fn r058_waitall_completes_when_the_peer_closes() {
    let (a, b) = tcp_pair();
    let (op, event) = with_event(8);
    assert_eq!(recv_all(&a, &op), Err(WSA_IO_PENDING));
    send_all(&b, b"half");
    assert_eq!(b.close(), Ok(()));
    assert_eq!(bytes_of(&a, &op, &event), 4);
    assert_eq!(&op.data()[..4], b"half");
}

#[test]
fn r059_the_buffer_array_of_a_pending_receive_may_be_overwritten() {
    let (a, b) = tcp_pair();
    let (op, event) = with_event(30);
    let mut buffers = cut(&op, &[1, 0, 9, 20]);
    assert_eq!(recv_into(&a, &op, &buffers), Err(WSA_IO_PENDING));
    spoil(&mut buffers);
    drop(buffers);
    let data = pattern(30);
    send_all(&b, &data);
    assert_eq!(bytes_of(&a, &op, &event), 30);
    assert_eq!(op.data(), data, "filled in the order of the array, without holes");
}

#[test]
fn r059_the_buffer_array_of_a_pending_send_may_be_overwritten() {
    let (a, b) = tcp_pair();
    let data = pattern(MANY);
    let (op, event) = sending(&data);
    let mut buffers = cut(&op, &[1, 7, MANY / 2, 0, MANY / 2 - 8]);
    assert_eq!(send_from(&a, &op, &buffers), Err(WSA_IO_PENDING));
    spoil(&mut buffers);
    drop(buffers);
    assert!(recv_exactly(&b, MANY) == data, "a byte is out of place");
    assert_eq!(bytes_of(&a, &op, &event), MANY);
}

#[test]
fn r059_a_short_receive_fills_the_first_buffers_only() {
    let (a, b) = tcp_pair();
    let (op, event) = with_event(30);
    let buffers = cut(&op, &[4, 4, 22]);
    assert_eq!(recv_into(&a, &op, &buffers), Err(WSA_IO_PENDING));
    send_all(&b, b"sixsix");
    assert_eq!(bytes_of(&a, &op, &event), 6);
    assert_eq!(&op.data()[..6], b"sixsix");
    assert!(op.data()[6..].iter().all(|byte| *byte == 0));
}

/// One overlapped send of `count` buffers of three bytes each.
fn send_of_many_buffers(count: usize) {
    let (a, b) = tcp_pair();
    let data = pattern(3 * count);
    let (op, event) = sending(&data);
    let sent = send_from(&a, &op, &cut(&op, &vec![3; count]));
    assert!(matches!(sent, Ok(_) | Err(WSA_IO_PENDING)), "{sent:?}");
    assert_eq!(bytes_of(&a, &op, &event), data.len());
    assert_eq!(recv_exactly(&b, data.len()), data);
}

/// One overlapped receive into `count` buffers of three bytes each.
fn receive_of_many_buffers(count: usize) {
    let (a, b) = tcp_pair();
    let data = pattern(3 * count);
    let (op, event) = with_event(data.len());
    let posted = recv_into(&a, &op, &cut(&op, &vec![3; count]));
    assert_eq!(posted, Err(WSA_IO_PENDING));
    send_all(&b, &data);
    assert_eq!(bytes_of(&a, &op, &event), data.len());
    assert_eq!(op.data(), data);
}

#[test]
fn r059_many_buffers_are_filled_and_sent_in_order() {
    send_of_many_buffers(1000);
    receive_of_many_buffers(1000);
}

/// Linux takes 1024 at a time (IOV_MAX); Windows names no limit.
#[test]
fn r059_so_are_more_buffers_than_the_kernel_takes_at_once() {
    differs_on_wine(|| send_of_many_buffers(1500));
    differs_on_wine(|| receive_of_many_buffers(1500));
}

#[test]
fn r060_no_buffers_at_all_is_invalid() {
    let (a, _b) = tcp_pair();
    differs_on_wine(|| {
        let op = Op::new(0);
        assert_eq!(recv_into(&a, &op, &[]), Err(WSAEINVAL));
    });
}

#[test]
fn r060_an_empty_buffer_waits_until_there_is_something_to_read() {
    let (a, b) = tcp_pair();
    let (op, event) = with_event(0);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    assert!(!event.is_set_within(NEVER));
    send_all(&b, b"still there");
    assert_eq!(bytes_of(&a, &op, &event), 0);
    assert_eq!(recv_exactly(&a, 11), b"still there");
}

#[test]
fn r060_an_empty_buffer_with_data_at_hand_completes_at_once() {
    let (a, b) = tcp_pair();
    send_all(&b, b"here");
    thread::sleep(Duration::from_millis(NEVER.into()));
    let (op, event) = with_event(0);
    assert_eq!(post_recv(&a, &op), Ok(0));
    assert_eq!(bytes_of(&a, &op, &event), 0);
    assert_eq!(recv_exactly(&a, 4), b"here");
}

#[test]
fn r060_an_empty_buffer_hears_of_the_end() {
    let (a, b) = tcp_pair();
    let (op, event) = with_event(0);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    assert_eq!(b.close(), Ok(()));
    assert_eq!(bytes_of(&a, &op, &event), 0);
    assert_eq!(recv_some(&a), Ok(vec![]));
}

#[test]
fn r060_an_empty_buffer_does_not_take_the_next_ones_data() {
    let (a, b) = tcp_pair();
    let (empty, empty_event) = with_event(0);
    let (next, next_event) = with_event(8);
    assert_eq!(post_recv(&a, &empty), Err(WSA_IO_PENDING));
    assert_eq!(post_recv(&a, &next), Err(WSA_IO_PENDING));
    send_all(&b, b"for next");
    assert_eq!(bytes_of(&a, &empty, &empty_event), 0);
    assert_eq!(bytes_of(&a, &next, &next_event), 8);
    assert_eq!(next.data(), b"for next");
}

#[test]
fn r060_an_empty_send_completes_with_no_bytes() {
    let (a, b) = tcp_pair();
    let (op, event) = with_event(0);
    assert!(matches!(post_send(&a, &op), Ok(0) | Err(WSA_IO_PENDING)));
    assert_eq!(bytes_of(&a, &op, &event), 0);
    send_all(&a, b"x");
    assert_eq!(recv_exactly(&b, 1), b"x");
}

#[test]
fn r061_the_time_outs_read_back_as_milliseconds() {
    let (a, _b) = tcp_pair();
    for name in [SO_RCVTIMEO, SO_SNDTIMEO] {
        assert_eq!(option::<u32>(*a, SOL_SOCKET, name), Ok(0));
        assert_eq!(set_option(*a, SOL_SOCKET, name, 1234_u32), Ok(()));
        assert_eq!(option::<u32>(*a, SOL_SOCKET, name), Ok(1234));
    }
}

#[test]
fn r061_a_blocking_receive_times_out() {
    let (a, b) = tcp_pair();
    assert_eq!(set_option(*a, SOL_SOCKET, SO_RCVTIMEO, 200_u32), Ok(()));
    let start = Instant::now();
    assert_eq!(recv_some(&a), Err(WSAETIMEDOUT));
    assert!(start.elapsed() >= Duration::from_millis(100), "{:?}", start.elapsed());
    assert_eq!(plain_recv(&a), Err(WSAETIMEDOUT), "WSARecv without OVERLAPPED too");
    send_all(&b, b"in time");
    assert_eq!(plain_recv(&a), Ok(7));
}

/// `WSARecv` without OVERLAPPED and routine.
fn plain_recv(socket: &Socket) -> Result<u32, i32> {
    let mut data = [0_u8; 16];
    let buffer = WSABUF { len: 16, buf: data.as_mut_ptr() };
    let (mut bytes, mut flags) = (0, 0);
    // SAFETY: without OVERLAPPED nothing outlives the call.
    let rc =
        unsafe { WSARecv(**socket, &buffer, 1, &raw mut bytes, &raw mut flags, null_mut(), None) };
    if rc == 0 { Ok(bytes) } else { Err(last_wsa_error()) }
}

#[test]
fn r061_a_blocking_send_times_out() {
    let (a, _b) = tcp_pair();
    assert_eq!(set_option(*a, SOL_SOCKET, SO_SNDTIMEO, 200_u32), Ok(()));
    let chunk = pattern(1 << 20);
    let error = (0..256).find_map(|_| {
        // SAFETY: `chunk` is readable for its length.
        let sent = unsafe { send(*a, chunk.as_ptr(), chunk.len() as i32, 0) };
        (sent < 0).then(last_wsa_error)
    });
    assert_eq!(error, Some(WSAETIMEDOUT));
}

#[test]
fn r061_an_overlapped_receive_does_not_time_out() {
    let (a, b) = tcp_pair();
    assert_eq!(set_option(*a, SOL_SOCKET, SO_RCVTIMEO, 50_u32), Ok(()));
    let (op, event) = with_event(8);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    assert!(!event.is_set_within(300));
    assert_eq!(op.status(), STATUS_PENDING);
    send_all(&b, b"patience");
    assert_eq!(bytes_of(&a, &op, &event), 8);
}

#[test]
fn r061_an_overlapped_send_does_not_time_out() {
    let (a, b) = tcp_pair();
    assert_eq!(set_option(*a, SOL_SOCKET, SO_SNDTIMEO, 50_u32), Ok(()));
    let (op, event) = sending(&pattern(MANY));
    assert_eq!(post_send(&a, &op), Err(WSA_IO_PENDING));
    assert!(!event.is_set_within(300));
    assert!(recv_exactly(&b, MANY) == pattern(MANY), "a byte is out of place");
    assert_eq!(bytes_of(&a, &op, &event), MANY);
}

#[test]
fn r063_a_large_send_stays_pending_until_all_is_taken() {
    let (a, b) = tcp_pair();
    // Left to itself the kernel grows this buffer until all of the rest fits.
    assert_eq!(set_option(*b, SOL_SOCKET, SO_RCVBUF, 1_i32 << 18), Ok(()));
    let data = pattern(MANY);
    let (op, event) = sending(&data);
    assert_eq!(post_send(&a, &op), Err(WSA_IO_PENDING));
    let half = recv_exactly(&b, MANY / 4);
    assert!(!event.is_set_within(NEVER), "no short success");
    assert_eq!(op.status(), STATUS_PENDING);
    let rest = recv_exactly(&b, MANY - half.len());
    assert_eq!(bytes_of(&a, &op, &event), MANY);
    assert!([half, rest].concat() == data, "a byte is out of place");
}

#[test]
fn r063_without_a_send_buffer_every_send_is_whole() {
    let (a, b) = tcp_pair();
    assert_eq!(set_option(*a, SOL_SOCKET, SO_SNDBUF, 0_i32), Ok(()));
    assert_eq!(option::<i32>(*a, SOL_SOCKET, SO_SNDBUF), Ok(0));
    let data = pattern(MANY);
    let (op, event) = sending(&data);
    assert_eq!(post_send(&a, &op), Err(WSA_IO_PENDING));
    assert!(recv_exactly(&b, MANY) == data, "a byte is out of place");
    assert_eq!(bytes_of(&a, &op, &event), MANY);
}

#[test]
fn r063_a_blocking_send_returns_the_full_length() {
    let (a, b) = tcp_pair();
    let sender = thread::spawn(move || {
        let data = pattern(MANY);
        // SAFETY: `data` is readable for its length.
        let sent = unsafe { send(*a, data.as_ptr(), data.len() as i32, 0) };
        (sent, a)
    });
    thread::sleep(Duration::from_millis(50));
    assert!(recv_exactly(&b, MANY) == pattern(MANY), "a byte is out of place");
    let (sent, _a) = sender.join().unwrap();
    assert_eq!(sent, MANY as i32);
}

#[test]
fn r063_a_peer_that_only_half_closes_still_gets_everything() {
    let (a, b) = tcp_pair();
    let data = pattern(MANY);
    let (op, event) = sending(&data);
    assert_eq!(post_send(&a, &op), Err(WSA_IO_PENDING));
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { shutdown(*b, SD_SEND) }, 0);
    let (end, end_event) = with_event(4);
    assert!(matches!(post_recv(&a, &end), Ok(0) | Err(WSA_IO_PENDING)));
    assert_eq!(bytes_of(&a, &end, &end_event), 0);
    assert!(recv_exactly(&b, MANY) == data, "a byte is out of place");
    assert_eq!(bytes_of(&a, &op, &event), MANY);
}

#[test]
fn r063_large_sends_in_both_directions_do_not_block_each_other() {
    let pair = <[Socket; 2]>::from(tcp_pair());
    let sent = [sending(&pattern(MANY)), sending(&pattern(MANY))];
    for (socket, (op, _)) in pair.iter().zip(&sent) {
        assert_eq!(post_send(socket, op), Err(WSA_IO_PENDING));
    }
    thread::scope(|scope| {
        for socket in &pair {
            scope.spawn(|| assert!(recv_exactly(socket, MANY) == pattern(MANY)));
        }
    });
    for (socket, (op, event)) in pair.iter().zip(&sent) {
        assert_eq!(bytes_of(socket, op, event), MANY);
    }
}

#[test]
fn r063_a_reset_ends_a_pending_send_with_an_error() {
    let (a, b) = tcp_pair();
    let (op, event) = sending(&pattern(MANY));
    assert_eq!(post_send(&a, &op), Err(WSA_IO_PENDING));
    b.reset();
    assert!(event.is_set_within(SOON));
    let result = wsa_result(&a, &op, false);
    assert!(matches!(result, Err(WSAECONNRESET | WSAECONNABORTED)), "{result:?}");
}

#[test]
fn r063_the_last_bytes_arrive_before_the_end_of_a_shut_down_sender() {
    let (a, b) = tcp_pair();
    let data = pattern(MANY);
    let (op, event) = sending(&data);
    assert_eq!(post_send(&a, &op), Err(WSA_IO_PENDING));
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { shutdown(*a, SD_SEND) }, 0);
    assert!(recv_exactly(&b, MANY + 1) == data, "all that was accepted, then the end");
    assert_eq!(bytes_of(&a, &op, &event), MANY);
}

#[test]
fn r063_a_send_drains_without_any_thread_waiting() {
    let (a, b) = tcp_pair();
    let port = port();
    associate(&a, &port, 9);
    let data = pattern(MANY);
    let op = Op::sending(&data);
    assert_eq!(post_send(&a, &op), Err(WSA_IO_PENDING));
    assert!(recv_exactly(&b, MANY) == data, "a byte is out of place");
    let packet = dequeue(*port, SOON);
    assert!(packet.ok && packet.overlapped == op.ptr(), "{packet:?}");
    assert_eq!((packet.key, packet.bytes as usize), (9, MANY));
    assert_eq!(dequeue(*port, 0).error, WAIT_TIMEOUT);
}
