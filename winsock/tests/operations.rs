//! Operations, each with each of its outcomes, with each of the models that complete.

mod common;

use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::{Served, for_each_model, listener, loopback, next, pair, receive, silent};
use winsock::{Chunk, Completion, Error, File, Operations, Port, TcpSocket};

for_each_model! {
    receive_and_send
    a_receive_overwrites_from_the_start
    receives_fill_in_posting_order
    end_of_stream_is_zero_bytes
    an_empty_buffer_waits_and_takes_nothing
    lent_receives_bring_what_comes
    lent_receives_bring_much_in_pieces
    a_lent_receive_hears_the_end
    a_lent_receive_fails_as_others_do
    a_lent_receive_finds_nothing_that_was_taken
    a_reset_gives_the_buffer_back
    refused_operations_complete_with_their_error
    cancel_hits_one_operation
    cancelling_a_socket_hits_all_of_it
    closing_a_socket_ends_its_operations
    cancel_against_arrival
    accept_knows_both_ends
    accept_v6
    closing_a_listener_ends_its_accepts
    connect_and_be_refused
    connect_from_an_address_of_choice
    disconnect_and_use_the_socket_again
    constant_and_shared_bytes
    a_file_goes_out_in_parts
}

fn receive_and_send(model: impl Served<&'static str>) {
    let (near, far) = pair();
    model.recv(&near, Vec::with_capacity(64), "in");
    far.send(b"hello").unwrap();
    let Completion::Recv { token: "in", buf, result: Ok(5) } = next(&model) else { panic!() };
    assert_eq!(buf, b"hello");
    assert!(buf.capacity() >= 64, "the same buffer");
    model.send(&near, buf, "out");
    let Completion::Send { token: "out", buf, result: Ok(5) } = next(&model) else { panic!() };
    assert_eq!(buf, b"hello");
    assert_eq!(receive(&far, 5), b"hello");
    silent(&model);
}

fn a_receive_overwrites_from_the_start(model: impl Served<()>) {
    let (near, far) = pair();
    far.send(b"new").unwrap();
    let old = b"old content".to_vec();
    model.recv(&near, old, ());
    let Completion::Recv { buf, result: Ok(3), .. } = next(&model) else { panic!() };
    assert_eq!(buf, b"new");
}

fn receives_fill_in_posting_order(model: impl Served<usize>) {
    let (near, far) = pair();
    for number in 0..4 {
        model.recv(&near, Vec::with_capacity(4), number);
    }
    assert_eq!(model.in_flight(), 4);
    far.send(b"aaaabbbbccccdddd").unwrap();
    for (number, text) in [b"aaaa", b"bbbb", b"cccc", b"dddd"].into_iter().enumerate() {
        let Completion::Recv { token, buf, result: Ok(4) } = next(&model) else { panic!() };
        assert_eq!((token, &buf[..]), (number, &text[..]));
    }
    assert_eq!(model.in_flight(), 0);
}

fn end_of_stream_is_zero_bytes(model: impl Served<()>) {
    let (near, far) = pair();
    model.recv(&near, vec![1; 8], ());
    far.shutdown(Shutdown::Write).unwrap();
    let Completion::Recv { buf, result: Ok(0), .. } = next(&model) else { panic!() };
    assert!(buf.is_empty());
}

fn an_empty_buffer_waits_and_takes_nothing(model: impl Served<&'static str>) {
    let (near, far) = pair();
    model.recv(&near, Vec::new(), "wait");
    silent(&model);
    far.send(b"x").unwrap();
    let Completion::Recv { token: "wait", result: Ok(0), .. } = next(&model) else { panic!() };
    model.recv(&near, Vec::with_capacity(8), "take");
    let Completion::Recv { token: "take", buf, .. } = next(&model) else { panic!() };
    assert_eq!(buf, b"x");
}

fn lent_receives_bring_what_comes(model: impl Served<usize>) {
    let (near, far) = pair();
    let mut kept = Vec::new();
    for number in 0..100 {
        model.recv_lent(&near, number);
        far.send(&[number as u8; 3]).unwrap();
        let Completion::RecvLent { token, result: Ok(loan) } = next(&model) else { panic!() };
        assert_eq!(token, number);
        kept.push(loan);
    }
    for (number, loan) in kept.iter().enumerate() {
        assert_eq!(loan[..], [number as u8; 3], "a loan is one's own until it is given back");
    }
    // What has come before the receive is there at once.
    far.send(b"before").unwrap();
    thread::sleep(Duration::from_millis(20));
    model.recv_lent(&near, 100);
    let Completion::RecvLent { result: Ok(loan), .. } = next(&model) else { panic!() };
    assert_eq!(*loan, *b"before");
    silent(&model);
}

fn lent_receives_bring_much_in_pieces(model: impl Served<()>) {
    let (near, far) = pair();
    let all: Vec<u8> = (0..200_000u32).map(|number| (number % 251) as u8).collect();
    thread::scope(|scope| {
        scope.spawn(|| far.send(&all).unwrap());
        let mut got = Vec::new();
        while got.len() < all.len() {
            model.recv_lent(&near, ());
            let Completion::RecvLent { result: Ok(loan), .. } = next(&model) else { panic!() };
            assert!(!loan.is_empty() && loan.len() <= 64 * 1024);
            got.extend_from_slice(&loan);
        }
        assert!(got == all);
    });
}

fn a_lent_receive_hears_the_end(model: impl Served<()>) {
    let (near, far) = pair();
    model.recv_lent(&near, ());
    far.send(b"last").unwrap();
    far.shutdown(Shutdown::Write).unwrap();
    let Completion::RecvLent { result: Ok(loan), .. } = next(&model) else { panic!() };
    assert_eq!(*loan, *b"last");
    model.recv_lent(&near, ());
    let Completion::RecvLent { result: Ok(loan), .. } = next(&model) else { panic!() };
    assert!(loan.is_empty());
}

fn a_lent_receive_fails_as_others_do(model: impl Served<&'static str>) {
    let lent_error = |model: &_, wanted: &str| {
        let Completion::RecvLent { token, result: Err(error) } = next(model) else { panic!() };
        assert_eq!(token, wanted);
        error
    };
    model.recv_lent(&TcpSocket::new_v4().unwrap(), "not connected");
    assert_eq!(lent_error(&model, "not connected"), Error::NOT_CONNECTED);
    let (near, far) = pair();
    let ticket = model.recv_lent(&near, "cancelled");
    assert!(model.cancel(ticket));
    assert_eq!(lent_error(&model, "cancelled"), Error::OPERATION_ABORTED);
    model.recv_lent(&near, "reset");
    far.set_linger(Some(Duration::ZERO)).unwrap();
    drop(far);
    assert_eq!(lent_error(&model, "reset"), Error::CONNECTION_RESET);
    let (near, _far) = pair();
    model.recv_lent(&near, "closed");
    drop(near);
    let expected = [Error::OPERATION_ABORTED, Error::CONNECTION_ABORTED];
    assert!(expected.contains(&lent_error(&model, "closed")));
    silent(&model);
}

fn a_lent_receive_finds_nothing_that_was_taken(model: impl Served<&'static str>) {
    let (near, far) = pair();
    model.recv_lent(&near, "wait");
    far.send(b"x").unwrap();
    thread::sleep(Duration::from_millis(20));
    assert_eq!(near.recv(&mut [0; 8]), Ok(1), "this one does not wait");
    let Completion::RecvLent { token: "wait", result: Err(error) } = next(&model) else { panic!() };
    assert_eq!(error, Error::WOULD_BLOCK);
    model.recv_lent(&near, "again");
    far.send(b"y").unwrap();
    let Completion::RecvLent { token: "again", result: Ok(loan) } = next(&model) else { panic!() };
    assert_eq!(*loan, *b"y");
}

fn a_reset_gives_the_buffer_back(model: impl Served<()>) {
    let (near, far) = pair();
    model.recv(&near, Vec::with_capacity(77), ());
    far.set_linger(Some(Duration::ZERO)).unwrap();
    drop(far);
    let Completion::Recv { buf, result, .. } = next(&model) else { panic!() };
    assert_eq!(result, Err(Error::CONNECTION_RESET));
    assert!(buf.is_empty() && buf.capacity() >= 77);
    // And what the system refuses at once comes back, too.
    model.send(&near, b"too late".to_vec(), ());
    let Completion::Send { buf, result, .. } = next(&model) else { panic!() };
    assert!(result.is_err(), "{result:?}");
    assert_eq!(buf, b"too late");
}

fn refused_operations_complete_with_their_error(model: impl Served<usize>) {
    let socket = TcpSocket::new_v4().unwrap();
    model.recv(&socket, vec![0; 4], 1);
    model.send(&socket, vec![0; 4], 2);
    let Completion::Recv { token: 1, buf, result: Err(error) } = next(&model) else { panic!() };
    assert_eq!((buf.capacity(), error), (4, Error::NOT_CONNECTED));
    // Wine calls this one a reset.
    let Completion::Send { token: 2, buf, result: Err(_) } = next(&model) else { panic!() };
    assert_eq!(buf, [0; 4]);
    silent(&model);
}

fn cancel_hits_one_operation(model: impl Served<&'static str>) {
    let (near, far) = pair();
    let first = model.recv(&near, Vec::with_capacity(4), "first");
    let second = model.recv(&near, Vec::with_capacity(4), "second");
    assert!(model.cancel(second));
    let Completion::Recv { token: "second", buf, result } = next(&model) else { panic!() };
    assert_eq!(result, Err(Error::OPERATION_ABORTED));
    assert!(buf.capacity() >= 4);
    assert!(!model.cancel(second), "it has ended");
    far.send(b"data").unwrap();
    let Completion::Recv { token: "first", buf, .. } = next(&model) else { panic!() };
    assert_eq!(buf, b"data");
    assert!(!model.cancel(first));
    // The record is used again; the old ticket does not name the new operation.
    let third = model.recv(&near, Vec::with_capacity(4), "third");
    assert!(!model.cancel(first) && !model.cancel(second));
    assert!(!Port::<()>::new().unwrap().cancel(third), "not of that model");
    assert!(model.cancel(third));
    assert_eq!(next(&model).error(), Some(Error::OPERATION_ABORTED));
}

fn cancelling_a_socket_hits_all_of_it(model: impl Served<usize>) {
    let (near, _far) = pair();
    for number in 0..3 {
        model.recv(&near, vec![0; 4], number);
    }
    assert!(near.cancel());
    for _ in 0..3 {
        assert_eq!(next(&model).error(), Some(Error::OPERATION_ABORTED));
    }
    silent(&model);
}

fn closing_a_socket_ends_its_operations(model: impl Served<()>) {
    let (near, _far) = pair();
    model.recv(&near, Vec::with_capacity(4), ());
    drop(near);
    let Completion::Recv { buf, result: Err(error), .. } = next(&model) else { panic!() };
    let expected = [Error::OPERATION_ABORTED, Error::CONNECTION_ABORTED];
    assert!(expected.contains(&error), "{error}");
    assert!(buf.capacity() >= 4);
    silent(&model);
}

fn cancel_against_arrival(model: impl Served<()>) {
    let (near, far) = pair();
    let mut received = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                far.send(b"abc").unwrap();
            }
        });
        while received < 1500 {
            let ticket = model.recv(&near, Vec::with_capacity(3), ());
            model.cancel(ticket);
            let Completion::Recv { buf, result, .. } = next(&model) else { panic!() };
            match result {
                Ok(count) => assert_eq!(count, buf.len()),
                Err(error) => assert_eq!(error, Error::OPERATION_ABORTED),
            }
            assert!(buf.capacity() >= 3);
            received += buf.len();
        }
    });
    silent(&model);
}

fn accept_knows_both_ends(model: impl Served<&'static str>) {
    let (listener, address) = listener();
    model.accept(&listener, "door");
    let client = TcpSocket::connect(address).unwrap();
    let Completion::Accept { token: "door", result: Ok(accepted) } = next(&model) else { panic!() };
    assert_eq!(accepted.local, address);
    assert_eq!(accepted.peer, client.local_addr().unwrap());
    // The accept context is there: these fail without it (rule 73).
    assert_eq!(accepted.socket.peer_addr(), Ok(accepted.peer));
    assert_eq!(accepted.socket.local_addr(), Ok(address));
    accepted.socket.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.recv(&mut [0; 4]), Ok(0));
}

fn accept_v6(model: impl Served<()>) {
    let Ok(listener) = winsock::Listener::bind("[::1]:0") else { return }; // No IPv6 here.
    model.accept(&listener, ());
    model.connect(listener.local_addr().unwrap(), ());
    for _ in 0..2 {
        match next(&model) {
            Completion::Accept { result: Ok(accepted), .. } => assert!(accepted.peer.is_ipv6()),
            Completion::Connect { result: Ok(socket), .. } => {
                assert_eq!(socket.peer_addr(), listener.local_addr());
            }
            other => panic!("{other:?}"),
        }
    }
}

fn closing_a_listener_ends_its_accepts(model: impl Served<()>) {
    let (listener, _) = listener();
    model.accept(&listener, ());
    model.accept(&listener, ());
    drop(listener);
    for _ in 0..2 {
        assert_eq!(next(&model).error(), Some(Error::OPERATION_ABORTED));
    }
}

fn connect_and_be_refused(model: impl Served<&'static str>) {
    let (listener, address) = listener();
    model.connect(address, "there");
    let Completion::Connect { token: "there", result: Ok(socket) } = next(&model) else { panic!() };
    assert_eq!(socket.peer_addr(), Ok(address));
    drop((socket, listener));
    model.connect(address, "gone");
    let Completion::Connect { token: "gone", result } = next(&model) else { panic!() };
    assert_eq!(result.err(), Some(Error::CONNECTION_REFUSED));
}

fn connect_from_an_address_of_choice(model: impl Served<()>) {
    let (listener, address) = listener();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(loopback()).unwrap();
    let from = socket.local_addr().unwrap();
    model.connect_from(socket, address, ());
    assert_eq!(next(&model).error(), None);
    assert_eq!(listener.accept().unwrap().1, from);
}

fn disconnect_and_use_the_socket_again(model: impl Served<()>) {
    let (listener, address) = listener();
    let first = TcpSocket::connect(address).unwrap();
    model.accept(&listener, ());
    let Completion::Accept { result: Ok(accepted), .. } = next(&model) else { panic!() };
    drop(first);
    model.disconnect(accepted.socket, ());
    let Completion::Disconnect { result, .. } = next(&model) else { panic!() };
    model.accept_into(&listener, result.unwrap(), ());
    let second = TcpSocket::connect(address).unwrap();
    let Completion::Accept { result, .. } = next(&model) else { panic!() };
    let accepted = result.unwrap();
    assert_eq!(accepted.peer, second.local_addr().unwrap());
    second.send(b"again").unwrap();
    model.recv(&accepted.socket, vec![0; 8], ());
    let Completion::Recv { result: Ok(5), .. } = next(&model) else { panic!() };
}

fn constant_and_shared_bytes(model: impl Served<&'static str, Chunk>) {
    let (near, far) = pair();
    let shared: Arc<[u8]> = Arc::from(&b"shared"[..]);
    model.send(&near, Chunk::Static(b"static "), "static");
    let Completion::Send { buf: Chunk::Static(_), .. } = next(&model) else { panic!() };
    for _ in 0..2 {
        model.send(&near, shared.clone().into(), "shared");
        let Completion::Send { buf: Chunk::Shared(_), .. } = next(&model) else { panic!() };
    }
    assert_eq!(Arc::strong_count(&shared), 1);
    assert_eq!(receive(&far, 19), b"static sharedshared");
}

fn a_file_goes_out_in_parts(model: impl Served<&'static str>) {
    // The models have this test at the same time: a file for each.
    static FILES: AtomicUsize = AtomicUsize::new(0);
    let file = FILES.fetch_add(1, Ordering::Relaxed);
    let name = format!("winsock-transmit-{}-{file}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let content: Vec<u8> = (0..100_000).map(|at| (at % 251) as u8).collect();
    std::fs::write(&path, &content).unwrap();
    let file = Arc::new(File::open(&path).unwrap());
    assert_eq!(file.len(), Ok(100_000));
    let (near, far) = pair();
    thread::scope(|scope| {
        scope.spawn(|| {
            assert!(receive(&far, 90_000) == content[10_000..]);
        });
        for part in [10_000..60_000, 60_000..100_000] {
            model.transmit(&near, file.clone(), part.clone(), "part");
            let Completion::Transmit { token: "part", result, .. } = next(&model) else { panic!() };
            assert_eq!(result, Ok((part.end - part.start) as usize));
        }
    });
    for (part, error) in [(7..7, Error::INVALID), (0..1 << 31, Error::MESSAGE_TOO_LONG)] {
        model.transmit(&near, file.clone(), part, "wrong");
        assert_eq!(next(&model).error(), Some(error));
    }
    assert_eq!(Arc::strong_count(&file), 1);
    drop(file);
    std::fs::remove_file(&path).unwrap();
    let error = File::open(&path).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}
