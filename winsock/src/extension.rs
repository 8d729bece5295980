//! The functions that Winsock hands out by identifier instead of exporting them (rule 75).

use std::ffi::c_void;
use std::net::SocketAddr;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use winsock_sys::Win32::Networking::WinSock as ws;
use winsock_sys::core::GUID;

use crate::address;
use crate::error::{Error, Result, winsock};
use crate::socket::Socket;

/// Defines a function that finds one of the extension functions, and looks it up only once.
macro_rules! extension {
    ($name:ident, $id:path, $kind:path) => {
        pub(crate) fn $name(socket: &Socket) -> Result<<$kind as Function>::Pointer> {
            static FOUND: OnceLock<<$kind as Function>::Pointer> = OnceLock::new();
            if let Some(found) = FOUND.get() {
                return Ok(*found);
            }
            let mut function: $kind = None;
            find(socket, &$id, (&raw mut function).cast())?;
            // It may fail for one socket and not for the next, so only success is remembered.
            Ok(*FOUND.get_or_init(|| function.expect("WSAIoctl has filled it")))
        }
    };
}

/// `Option<fn>`, as windows-sys spells the pointer types, and the `fn` in it.
pub(crate) trait Function {
    type Pointer: Copy;
}

impl<P: Copy> Function for Option<P> {
    type Pointer = P;
}

extension!(accept_ex, ws::WSAID_ACCEPTEX, ws::LPFN_ACCEPTEX);
extension!(connect_ex, ws::WSAID_CONNECTEX, ws::LPFN_CONNECTEX);
extension!(disconnect_ex, ws::WSAID_DISCONNECTEX, ws::LPFN_DISCONNECTEX);
extension!(transmit_file, ws::WSAID_TRANSMITFILE, ws::LPFN_TRANSMITFILE);
extension!(sockaddrs, ws::WSAID_GETACCEPTEXSOCKADDRS, ws::LPFN_GETACCEPTEXSOCKADDRS);

fn find(socket: &Socket, id: &GUID, function: *mut c_void) -> Result<()> {
    let mut returned = 0;
    // SAFETY: the identifier and the room for one pointer outlive the call, which is not
    // overlapped.
    winsock(unsafe {
        ws::WSAIoctl(
            socket.raw(),
            ws::SIO_GET_EXTENSION_FUNCTION_POINTER,
            ptr::from_ref(id).cast(),
            size_of::<GUID>() as u32,
            function,
            size_of::<usize>() as u32,
            &raw mut returned,
            ptr::null_mut(),
            None,
        )
    })
    .map(drop)
}

/// AcceptEx wants 16 bytes more than the longest address for each of the two (rule 69).
const ADDRESS: usize = address::Address::ROOM as usize + 16;

/// Where AcceptEx puts the two addresses of a connection. It moves freely while it is lent: the
/// memory is elsewhere.
#[derive(Debug)]
pub(crate) struct AddressBlock(NonNull<Bytes>);

#[repr(C, align(8))]
struct Bytes([u8; 2 * ADDRESS]);

// SAFETY: the memory belongs to the block alone.
unsafe impl Send for AddressBlock {}

impl AddressBlock {
    /// Of each of the two.
    pub const ROOM: u32 = ADDRESS as u32;

    pub fn new() -> AddressBlock {
        AddressBlock(NonNull::from(Box::leak(Box::new(Bytes([0; 2 * ADDRESS])))))
    }

    pub fn as_ptr(&self) -> *mut c_void {
        self.0.as_ptr().cast()
    }

    /// The local and the remote address that an AcceptEx has left here.
    pub fn read(&self, socket: &Socket) -> Result<(SocketAddr, SocketAddr)> {
        let sockaddrs = sockaddrs(socket)?;
        let (mut local, mut remote) = (ptr::null_mut(), ptr::null_mut());
        let (mut local_len, mut remote_len) = (0, 0);
        // SAFETY: the block has the size and the division that AcceptEx was told; the outputs
        // outlive the call.
        unsafe {
            sockaddrs(
                self.as_ptr(),
                0,
                AddressBlock::ROOM,
                AddressBlock::ROOM,
                &raw mut local,
                &raw mut local_len,
                &raw mut remote,
                &raw mut remote_len,
            );
        }
        if local.is_null() || remote.is_null() {
            return Err(Error::INVALID);
        }
        // SAFETY: both point into the block, to addresses that AcceptEx wrote.
        unsafe { Ok((address::read(local)?, address::read(remote)?)) }
    }
}

impl Drop for AddressBlock {
    fn drop(&mut self) {
        // SAFETY: made from a box in `new`.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}
