//! The codes that ask TCP: SIO_TCP_INFO, SIO_TCP_INITIAL_RTO and SIO_IDEAL_SEND_BACKLOG_QUERY.

use windows_sys::Win32::Networking::WinSock::{
    TCP_INFO_v0, TCP_INITIAL_RTO_PARAMETERS, TCPSTATE, TCPSTATE_CLOSE_WAIT, TCPSTATE_CLOSED,
    TCPSTATE_CLOSING, TCPSTATE_ESTABLISHED, TCPSTATE_FIN_WAIT_1, TCPSTATE_FIN_WAIT_2,
    TCPSTATE_LAST_ACK, TCPSTATE_LISTEN, TCPSTATE_SYN_RCVD, TCPSTATE_SYN_SENT, TCPSTATE_TIME_WAIT,
    WSAEINVAL, WSAENOTCONN, WSAEOPNOTSUPP,
};

use super::{Done, Input, Output, Refusal};
use crate::error::Code;
use crate::object::SocketRef;
use crate::socket::State;
use crate::sys;

/// Linux' tcp_info, as far as it is read here; an older kernel leaves the end of it zero.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Info {
    state: u8,
    avoidance: u8,
    retransmits: u8,
    probes: u8,
    backoff: u8,
    options: u8,
    scales: u8,
    limits: u8,
    times: [u32; 2],
    segments: [u32; 7],
    ages: [u32; 4],
    path_mtu: u32,
    receive_threshold: u32,
    round_trip_us: u32,
    variance_us: u32,
    send_threshold: u32,
    window: u32,
    advertised_segment: u32,
    reordering: u32,
    receive_round_trip_us: u32,
    receive_space: u32,
    retransmitted: u32,
    rates: [u64; 2],
    bytes_acked: u64,
    bytes_received: u64,
    counts: [u32; 3],
    least_round_trip_us: u32,
    data_counts: [u32; 2],
    delivery: [u64; 4],
    delivered: [u32; 2],
    bytes_sent: u64,
    bytes_retransmitted: u64,
    duplicates: u32,
    reordered: u32,
    out_of_order: u32,
    send_window: u32,
    receive_window: u32,
    /// Up to a multiple of eight: what the kernel writes leaves no byte of it undefined.
    rehash: u32,
}

/// Places in [`Info::segments`].
const SEND_SEGMENT: usize = 0;
const UNACKNOWLEDGED: usize = 2;

/// The option of [`Info::options`] that says that segments carry timestamps.
const TIMESTAMPS: u8 = 1;

/// What the kernel knows; a socket that has no descriptor yet knows nothing.
fn ask(state: &State) -> Result<Info, Refusal> {
    let info = |fd| sys::option(fd, libc::IPPROTO_TCP, libc::TCP_INFO, Info::default());
    Ok(state.fd.map_or(Ok(Info::default()), info)?)
}

/// SIO_TCP_INFO, version 0. WSAEINVAL for another version and for what is not TCP.
///
/// DIFFERS: what Linux does not count is 0: DupAcksIn, FastRetrans, TimeoutEpisodes.
pub fn info(socket: &SocketRef, input: &Input, output: &Output) -> Result<Done, Refusal> {
    let invalid = Refusal::Wrong(Code::wsa(WSAEINVAL));
    // SAFETY: an integer.
    let version = unsafe { input.read::<u32>() }?;
    if version != 0 || !socket.form.is_stream() || output.len < size_of::<TCP_INFO_v0>() {
        return Err(invalid);
    }
    let state = socket.lock();
    let info = ask(&state)?;
    let segment = info.segments[SEND_SEGMENT];
    let since = sys::coarse_ms().wrapping_sub(state.connected_at);
    let buffer =
        state.fd.map_or(Ok(0), |fd| sys::option(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, 0i32))?;
    output.write(TCP_INFO_v0 {
        State: tcp_state(info.state, &state),
        Mss: segment,
        ConnectionTimeMs: if state.connected { since.into() } else { 0 },
        TimestampsEnabled: info.options & TIMESTAMPS != 0,
        RttUs: info.round_trip_us,
        MinRttUs: info.least_round_trip_us,
        BytesInFlight: info.segments[UNACKNOWLEDGED].saturating_mul(segment),
        Cwnd: info.window.saturating_mul(segment),
        SndWnd: info.send_window,
        RcvWnd: info.receive_window,
        RcvBuf: buffer as u32,
        BytesOut: info.bytes_sent,
        BytesIn: info.bytes_received,
        BytesReordered: info.reordered.saturating_mul(segment),
        BytesRetrans: u32::try_from(info.bytes_retransmitted).unwrap_or(u32::MAX),
        FastRetrans: 0,
        DupAcksIn: 0,
        TimeoutEpisodes: 0,
        SynRetrans: 0,
    })
}

/// Linux' number of a state. A kernel that tells none has the one that we know of.
fn tcp_state(linux: u8, state: &State) -> TCPSTATE {
    const STATES: [TCPSTATE; 11] = [
        TCPSTATE_ESTABLISHED,
        TCPSTATE_SYN_SENT,
        TCPSTATE_SYN_RCVD,
        TCPSTATE_FIN_WAIT_1,
        TCPSTATE_FIN_WAIT_2,
        TCPSTATE_TIME_WAIT,
        TCPSTATE_CLOSED,
        TCPSTATE_CLOSE_WAIT,
        TCPSTATE_LAST_ACK,
        TCPSTATE_LISTEN,
        TCPSTATE_CLOSING,
    ];
    match usize::from(linux).checked_sub(1) {
        Some(at) => STATES.get(at).copied().unwrap_or(TCPSTATE_CLOSED),
        None if state.listening => TCPSTATE_LISTEN,
        None if state.connected => TCPSTATE_ESTABLISHED,
        None => TCPSTATE_CLOSED,
    }
}

/// SIO_TCP_INITIAL_RTO: how often the first segment of a connection is sent again. WSAEINVAL once
/// there is a connection, WSAEOPNOTSUPP for what is not TCP.
///
/// DIFFERS: the first time-out is Linux' own second.
pub fn initial_rto(socket: &SocketRef, input: &Input) -> Result<Done, Refusal> {
    /// "Unspecified": as it was.
    const KEEP: u8 = u8::MAX;
    /// "Default": two, on Windows.
    const DEFAULT: u8 = 0;
    // SAFETY: a struct of integers.
    let asked = unsafe { input.read::<TCP_INITIAL_RTO_PARAMETERS>() }?;
    if !socket.form.is_stream() {
        return Err(Refusal::Wrong(Code::wsa(WSAEOPNOTSUPP)));
    }
    let mut state = socket.lock();
    if state.connected || state.connecting || state.listening {
        return Err(Refusal::Wrong(Code::wsa(WSAEINVAL)));
    }
    let times: i32 = match asked.MaxSynRetransmissions {
        KEEP => return Ok(Done::Later(0)),
        DEFAULT => 2,
        times => times.min(127).into(), // Linux takes no more.
    };
    let fd = socket.descriptor(&mut state)?;
    sys::set_option(fd, libc::IPPROTO_TCP, libc::TCP_SYNCNT, times)?;
    Ok(Done::Later(0))
}

/// SIO_IDEAL_SEND_BACKLOG_QUERY: how many bytes to keep on their way: what the congestion window
/// takes, and no less than Windows starts with. WSAENOTCONN without a connection.
pub fn ideal_send_backlog(socket: &SocketRef, output: &Output) -> Result<Done, Refusal> {
    const LEAST: u32 = 64 << 10;
    if !socket.form.is_stream() {
        return Err(Refusal::Wrong(Code::wsa(WSAEOPNOTSUPP)));
    }
    let state = socket.lock();
    if !state.connected {
        return Err(Refusal::Wrong(Code::wsa(WSAENOTCONN)));
    }
    let info = ask(&state)?;
    output.write(info.window.saturating_mul(info.segments[SEND_SEGMENT]).max(LEAST))
}
