//! [`ioctlsocket`] and [`WSAIoctl`].

mod interfaces;
mod sort;
mod tcp;
#[cfg(test)]
mod tests;

use std::ffi::c_void;
use std::ptr;

use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_NOT_SUPPORTED, STATUS_SUCCESS};
use windows_sys::Win32::Networking::WinSock::{
    FIONBIO, FIONREAD, LPWSAOVERLAPPED_COMPLETION_ROUTINE, SIO_ADDRESS_LIST_QUERY,
    SIO_ADDRESS_LIST_SORT, SIO_BASE_HANDLE, SIO_BSP_HANDLE, SIO_BSP_HANDLE_POLL,
    SIO_BSP_HANDLE_SELECT, SIO_ENABLE_CIRCULAR_QUEUEING, SIO_GET_BROADCAST_ADDRESS,
    SIO_GET_EXTENSION_FUNCTION_POINTER, SIO_KEEPALIVE_VALS, SIO_LOOPBACK_FAST_PATH,
    SIO_MULTICAST_SCOPE, SIO_MULTIPOINT_LOOPBACK, SIO_ROUTING_INTERFACE_QUERY, SIO_TCP_INFO,
    SIO_TCP_INITIAL_RTO, SIO_UDP_CONNRESET, SIO_UDP_NETRESET, SIOCATMARK, SOCKET, WSA_IO_PENDING,
    WSAEFAULT, WSAEINVAL, WSAENOPROTOOPT, WSAEOPNOTSUPP, WSAID_ACCEPTEX, WSAID_CONNECTEX,
    WSAID_DISCONNECTEX, WSAID_GETACCEPTEXSOCKADDRS, WSAID_TRANSMITFILE, WSAID_WSARECVMSG,
    WSAID_WSASENDMSG, tcp_keepalive,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::core::GUID;

use crate::accept::{AcceptEx, GetAcceptExSockaddrs};
use crate::address::{self, Address};
use crate::connect::{ConnectEx, DisconnectEx};
use crate::error::{self, Code};
use crate::messages::{WSARecvMsg, WSASendMsg};
use crate::object::{self, SocketRef};
use crate::op::{Kind, Op, When};
use crate::options;
use crate::start::answer;
use crate::sys::{self, Errno};
use crate::transmit::TransmitFile;

/// windows-sys has no names for these.
const SIO_GET_INTERFACE_LIST: u32 = 0x4004_747F;
const SIO_IDEAL_SEND_BACKLOG_QUERY: u32 = 0x4004_747B;

/// Controls a socket's mode: [ioctlsocket][ms]. FIONBIO, FIONREAD and SIOCATMARK.
///
/// WSAEFAULT for NULL, WSAEOPNOTSUPP for other commands, WSAEINVAL for SIOCATMARK on a datagram
/// socket.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock/nf-winsock-ioctlsocket
///
/// # Safety
/// As on Windows: `argp` is NULL or a u_long, which is 32 bits wide (rule 14).
pub unsafe extern "system" fn ioctlsocket(s: SOCKET, cmd: i32, argp: *mut u32) -> i32 {
    let carried_out = object::socket(s).and_then(|socket| {
        if !matches!(cmd, FIONBIO | FIONREAD | SIOCATMARK) {
            return Err(Code::wsa(WSAEOPNOTSUPP));
        }
        let len = if argp.is_null() { 0 } else { size_of::<u32>() };
        let input = Input { at: argp.cast(), len };
        let output = Output { at: argp.cast(), len };
        match carry_out(&socket, s, cmd as u32, &input, &output) {
            Ok(_) => Ok(()),
            Err(refusal) => Err(refusal.code()),
        }
    });
    answer(carried_out)
}

/// Controls a socket: [WSAIoctl][ms].
///
/// FIONBIO, FIONREAD, SIOCATMARK, SIO_ADDRESS_LIST_QUERY, SIO_ADDRESS_LIST_SORT, SIO_BASE_HANDLE,
/// SIO_BSP_HANDLE and its kin, SIO_ENABLE_CIRCULAR_QUEUEING, SIO_GET_BROADCAST_ADDRESS,
/// SIO_GET_EXTENSION_FUNCTION_POINTER (rule 75), SIO_GET_INTERFACE_LIST,
/// SIO_IDEAL_SEND_BACKLOG_QUERY, SIO_KEEPALIVE_VALS, SIO_LOOPBACK_FAST_PATH, SIO_MULTICAST_SCOPE,
/// SIO_MULTIPOINT_LOOPBACK, SIO_ROUTING_INTERFACE_QUERY, SIO_TCP_INFO, SIO_TCP_INITIAL_RTO,
/// SIO_UDP_CONNRESET and SIO_UDP_NETRESET; every other code is WSAEOPNOTSUPP. WSAEFAULT for buffers
/// that are NULL or too short, and when there is neither a place for the count nor an OVERLAPPED
/// (rule 122).
///
/// DIFFERS: SIO_ADDRESS_LIST_CHANGE and SIO_ROUTING_INTERFACE_CHANGE are refused; a full queue of
/// datagrams loses the newest whatever SIO_ENABLE_CIRCULAR_QUEUEING says; a datagram whose time to
/// live ran out is not reported whatever SIO_UDP_NETRESET says.
///
/// With an OVERLAPPED what the code came to is reported like any operation's result (rule 139): 0
/// bytes as a rule, for the count has been given already.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaioctl
///
/// # Safety
/// As on Windows: the buffers are NULL or as long as they are said to be, and so are `returned` and
/// the OVERLAPPED, which is lent until the operation completes.
pub unsafe extern "system" fn WSAIoctl(
    s: SOCKET,
    code: u32,
    input: *const c_void,
    input_len: u32,
    output: *mut c_void,
    output_len: u32,
    returned: *mut u32,
    overlapped: *mut OVERLAPPED,
    routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> i32 {
    answer(object::socket(s).and_then(|socket| {
        if returned.is_null() && overlapped.is_null() {
            return Err(Code::wsa(WSAEFAULT));
        }
        if routine.is_some() && !overlapped.is_null() && socket.lock().associated {
            return Err(Code::wsa(WSAEINVAL)); // Rule 27.
        }
        let usable = |is_null: bool, len: u32| if is_null { 0 } else { len as usize };
        let input = Input { at: input.cast(), len: usable(input.is_null(), input_len) };
        let output = Output { at: output.cast(), len: usable(output.is_null(), output_len) };
        let result = carry_out(&socket, s, code, &input, &output);
        // SAFETY: passed on from our caller.
        unsafe { report(&socket, result, returned, overlapped, routine) }
    }))
}

/// What a code came to.
#[derive(Clone, Copy)]
enum Done {
    /// So many bytes of output.
    AtOnce(u32),
    /// As `AtOnce`, where Windows asks the transport: overlapped, it is reported as if it had
    /// waited.
    Later(u32),
}

/// Why a code was not carried out.
enum Refusal {
    /// We do not have it. Windows would ask the transport and hear so.
    Unsupported,
    /// The call cannot be right.
    Wrong(Code),
    /// There is too little room for the output; so much would do.
    TooShort(usize),
}

impl Refusal {
    fn code(self) -> Code {
        match self {
            Refusal::Unsupported => Code::wsa(WSAEOPNOTSUPP),
            Refusal::Wrong(code) => code,
            Refusal::TooShort(_) => Code::wsa(WSAEFAULT),
        }
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Refusal {
        Refusal::Wrong(error::wsa_of_errno(errno.0))
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Refusal {
        Refusal::Wrong(code)
    }
}

/// Tells the caller, and with an OVERLAPPED everybody else whom it concerns.
///
/// # Safety
/// `returned` and `overlapped` are NULL or the program's, as [`WSAIoctl`] demands.
unsafe fn report(
    socket: &SocketRef,
    result: Result<Done, Refusal>,
    returned: *mut u32,
    overlapped: *mut OVERLAPPED,
    routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> Result<(), Code> {
    let give_count = |count: u32| {
        if !returned.is_null() {
            // SAFETY: our caller vouches for it.
            unsafe { *returned = count };
        }
    };
    let complete = |status: NTSTATUS, bytes: u32, when: When| {
        // SAFETY: our caller vouches for the OVERLAPPED.
        let op = unsafe { Op::new(Kind::NOTHING, overlapped, routine) };
        socket.report(&socket.lock(), op, status, bytes, when);
    };
    let is_overlapped = !overlapped.is_null();
    match result {
        Ok(Done::AtOnce(bytes)) => {
            give_count(bytes);
            if is_overlapped {
                complete(STATUS_SUCCESS, 0, When::AtOnce);
            }
            Ok(())
        }
        Ok(Done::Later(bytes)) if is_overlapped => {
            complete(STATUS_SUCCESS, bytes, When::Later);
            Err(Code::wsa(WSA_IO_PENDING))
        }
        Ok(Done::Later(bytes)) => {
            give_count(bytes);
            Ok(())
        }
        Err(Refusal::Unsupported) if is_overlapped => {
            complete(STATUS_NOT_SUPPORTED, 0, When::Later);
            Err(Code::wsa(WSA_IO_PENDING))
        }
        Err(refusal) => {
            match refusal {
                Refusal::Unsupported => give_count(0),
                Refusal::TooShort(needed) => give_count(needed as u32),
                Refusal::Wrong(_) => {}
            }
            Err(refusal.code())
        }
    }
}

/// The caller's input; `len` is 0 for NULL.
struct Input {
    at: *const u8,
    len: usize,
}

impl Input {
    /// Plain data. WSAEFAULT if the input is shorter.
    ///
    /// # Safety
    /// Any bytes are a valid T.
    unsafe fn read<T: Copy>(&self) -> Result<T, Refusal> {
        match self.len < size_of::<T>() {
            true => Err(Refusal::Wrong(Code::wsa(WSAEFAULT))),
            // SAFETY: the caller of WSAIoctl promises the length, ours that any bytes will do.
            false => Ok(unsafe { ptr::read_unaligned(self.at.cast()) }),
        }
    }

    /// A BOOL, of which one byte is enough.
    fn flag(&self) -> Result<bool, Refusal> {
        // SAFETY: integers.
        unsafe {
            self.read::<u32>().map(|long| long != 0).or(self.read::<u8>().map(|byte| byte != 0))
        }
    }
}

/// The caller's room for output; `len` is 0 for NULL.
struct Output {
    at: *mut u8,
    len: usize,
}

impl Output {
    fn wants(&self, bytes: usize) -> Result<(), Refusal> {
        if self.len < bytes { Err(Refusal::TooShort(bytes)) } else { Ok(()) }
    }

    /// WSAEFAULT if there is too little room, without a word on how much it takes.
    fn write<T: Copy>(&self, value: T) -> Result<Done, Refusal> {
        if self.len < size_of::<T>() {
            return Err(Refusal::Wrong(Code::wsa(WSAEFAULT)));
        }
        // SAFETY: the caller of WSAIoctl promises the room.
        unsafe { ptr::write_unaligned(self.at.cast(), value) };
        Ok(Done::AtOnce(size_of::<T>() as u32))
    }
}

fn carry_out(
    socket: &SocketRef,
    s: SOCKET,
    code: u32,
    input: &Input,
    output: &Output,
) -> Result<Done, Refusal> {
    /// FIONBIO and its like, which windows-sys has as signed numbers.
    const MODE: u32 = FIONBIO as u32;
    const UNREAD: u32 = FIONREAD as u32;
    const AT_MARK: u32 = SIOCATMARK as u32;
    match code {
        MODE => {
            // SAFETY: an integer.
            let mode = unsafe { input.read::<u32>() }?;
            let mut state = socket.lock();
            let selected = state.ledger().is_some_and(|ledger| ledger.selection().mask != 0);
            if mode == 0 && selected {
                return Err(Refusal::Wrong(Code::wsa(WSAEINVAL))); // Rule 80.
            }
            state.nonblocking = mode != 0; // Descriptors are non-blocking always.
            Ok(Done::AtOnce(0))
        }
        UNREAD => output.write(unread(socket)?),
        AT_MARK => output.write(is_at_mark(socket)?),
        SIO_ADDRESS_LIST_QUERY => interfaces::list_addresses(socket.form.family, output),
        SIO_ADDRESS_LIST_SORT => sort::sort(input, output),
        // There are no layers above us.
        SIO_BASE_HANDLE | SIO_BSP_HANDLE | SIO_BSP_HANDLE_POLL | SIO_BSP_HANDLE_SELECT => {
            output.write(s)
        }
        SIO_ENABLE_CIRCULAR_QUEUEING => match socket.form.is_stream() {
            true => Err(Refusal::Wrong(Code::wsa(WSAENOPROTOOPT))),
            false => Ok(Done::Later(0)),
        },
        SIO_GET_BROADCAST_ADDRESS => broadcast_address(socket, output),
        SIO_GET_EXTENSION_FUNCTION_POINTER => output.write(extension(input)?),
        SIO_GET_INTERFACE_LIST => interfaces::list(socket.form.family, output),
        SIO_KEEPALIVE_VALS => {
            if !socket.form.is_stream() {
                return Err(Refusal::Wrong(Code::wsa(WSAENOPROTOOPT)));
            }
            // SAFETY: a struct of integers.
            options::set_keep_alive(socket, unsafe { input.read::<tcp_keepalive>() }?)?;
            Ok(Done::AtOnce(0))
        }
        SIO_IDEAL_SEND_BACKLOG_QUERY => tcp::ideal_send_backlog(socket, output),
        SIO_LOOPBACK_FAST_PATH => {
            input.flag()?;
            match socket.form.is_stream() {
                true => Ok(Done::Later(0)), // Linux' loopback has no slower path.
                false => Err(Refusal::Wrong(Code::wsa(WSAEOPNOTSUPP))),
            }
        }
        SIO_MULTICAST_SCOPE => {
            // SAFETY: an integer.
            options::set_multicast_scope(socket, unsafe { input.read::<u32>() }?)?;
            Ok(Done::AtOnce(0))
        }
        SIO_MULTIPOINT_LOOPBACK => {
            options::set_multicast_loopback(socket, input.flag()?)?;
            Ok(Done::AtOnce(0))
        }
        SIO_ROUTING_INTERFACE_QUERY => route(input, output),
        SIO_TCP_INFO => tcp::info(socket, input, output),
        SIO_TCP_INITIAL_RTO => tcp::initial_rto(socket, input),
        SIO_UDP_NETRESET => {
            input.flag()?;
            Ok(Done::AtOnce(0))
        }
        SIO_UDP_CONNRESET => {
            let report = input.flag()?;
            if !socket.form.is_stream() {
                options::report_unreachable(socket, report)?;
            }
            Ok(Done::AtOnce(0))
        }
        _ => Err(Refusal::Unsupported),
    }
}

/// SIO_GET_BROADCAST_ADDRESS: 255.255.255.255. WSAENOPROTOOPT for IPv6, which has none.
fn broadcast_address(socket: &SocketRef, output: &Output) -> Result<Done, Refusal> {
    if socket.form.family != libc::AF_INET {
        return Err(Refusal::Wrong(Code::wsa(WSAENOPROTOOPT)));
    }
    let address = Address::v4([255; 4], 0);
    output.wants(address.windows_len())?;
    // SAFETY: there is room for an address of this family.
    let len = unsafe { address::write_raw(&address, output.at) };
    Ok(Done::AtOnce(len as u32))
}

/// FIONREAD: what a receive would find. DIFFERS: for datagrams the next one's size, where Windows
/// adds up all of them.
fn unread(socket: &SocketRef) -> Result<u32, Refusal> {
    let fd = {
        let state = socket.lock();
        state.fd.filter(|_| !state.listening)
    };
    let unread = fd.map_or(Ok(0), |fd| sys::query(fd, libc::FIONREAD))?;
    Ok(unread as u32)
}

/// SIOCATMARK: 1 when no urgent data is in the way.
fn is_at_mark(socket: &SocketRef) -> Result<u32, Refusal> {
    /// As in Linux' sockios.h.
    const LINUX_SIOCATMARK: libc::c_ulong = 0x8905;
    if !socket.form.is_stream() {
        return Err(Refusal::Wrong(Code::wsa(WSAEINVAL)));
    }
    let fd = {
        let state = socket.lock();
        state.fd.filter(|_| state.connected)
    };
    let at_mark = fd.map_or(Ok(1), |fd| sys::query(fd, LINUX_SIOCATMARK))?;
    Ok((at_mark != 0).into())
}

/// The extension function of a GUID: WSAEINVAL for one that we do not have (rule 75).
fn extension(input: &Input) -> Result<usize, Refusal> {
    // SAFETY: a struct of integers.
    let wanted = unsafe { input.read::<GUID>() }?;
    let known: [(GUID, *const ()); 7] = [
        (WSAID_ACCEPTEX, AcceptEx as *const ()),
        (WSAID_CONNECTEX, ConnectEx as *const ()),
        (WSAID_DISCONNECTEX, DisconnectEx as *const ()),
        (WSAID_GETACCEPTEXSOCKADDRS, GetAcceptExSockaddrs as *const ()),
        (WSAID_TRANSMITFILE, TransmitFile as *const ()),
        (WSAID_WSARECVMSG, WSARecvMsg as *const ()),
        (WSAID_WSASENDMSG, WSASendMsg as *const ()),
    ];
    let parts = |guid: &GUID| (guid.data1, guid.data2, guid.data3, guid.data4);
    match known.iter().find(|(guid, _)| parts(guid) == parts(&wanted)) {
        Some((_, function)) => Ok(function.expose_provenance()),
        None => Err(Refusal::Wrong(Code::wsa(WSAEINVAL))),
    }
}

/// SIO_ROUTING_INTERFACE_QUERY: the local address that leads to the one given. A datagram socket
/// that connects sends nothing, but the kernel picks the route.
fn route(input: &Input, output: &Output) -> Result<Done, Refusal> {
    // SAFETY: the caller of WSAIoctl promises the length.
    let mut to = unsafe { address::read(input.at.cast(), input.len as i32) }?;
    to.set_port(if to.port() == 0 { 9 } else { to.port() }); // Linux wants some port to connect.
    output.wants(to.windows_len())?;
    let fd = sys::socket(to.family(), libc::SOCK_DGRAM, 0)?;
    let connected = sys::connect(fd, &to).and_then(|()| sys::local_address(fd));
    sys::close(fd);
    let mut local: Address = connected?;
    local.set_port(0);
    // SAFETY: there is room for an address of this family.
    let len = unsafe { address::write_raw(&local, output.at) };
    Ok(Done::AtOnce(len as u32))
}
