//! Pipes with a name, between threads of this process.
//!
//! Both ends are sockets inside, so that they are read and written overlapped, tied to ports and
//! cancelled as sockets are; `transfer.rs` says what a pipe calls otherwise.

use std::collections::BTreeMap;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_FILE_NOT_FOUND, ERROR_INVALID_NAME, ERROR_INVALID_PARAMETER,
    ERROR_NOT_SUPPORTED, ERROR_PIPE_BUSY, GENERIC_ALL, GENERIC_READ, GENERIC_WRITE, HANDLE,
    INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Networking::WinSock::SOCKET;
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, FILE_FLAGS_AND_ATTRIBUTES, FILE_READ_DATA,
    FILE_WRITE_DATA, PIPE_ACCESS_DUPLEX, PIPE_ACCESS_INBOUND, PIPE_ACCESS_OUTBOUND,
};
use windows_sys::Win32::System::Pipes::{
    NAMED_PIPE_MODE, PIPE_READMODE_MESSAGE, PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES,
};
use windows_sys::core::{PCSTR, PCWSTR};

use crate::error::{self, Code};
use crate::object::{SocketRef, TABLE};
use crate::socket::{self, Form};
use crate::{sys, text};

const PREFIX: &str = r"\\.\pipe\";

/// A server's end and what belongs to it.
struct Instance {
    /// A handle that is closed finds nothing: then the pipe is gone.
    server: SOCKET,
    /// Until a client takes it.
    client: Option<OwnedFd>,
    access: FILE_FLAGS_AND_ATTRIBUTES,
}

/// The pipes by their names, which know no case.
static PIPES: Mutex<BTreeMap<String, Vec<Instance>>> = Mutex::new(BTreeMap::new());

/// The name of a pipe, if a path is one.
pub fn name(path: &str) -> Option<String> {
    let begins = path.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
    begins.then(|| path[PREFIX.len()..].to_lowercase()).filter(|name| !name.is_empty())
}

/// Makes an instance of a pipe: [CreateNamedPipeW][ms]. INVALID_HANDLE_VALUE on failure:
/// ERROR_INVALID_NAME, ERROR_INVALID_PARAMETER, ERROR_PIPE_BUSY when there are as many instances as
/// there may be, ERROR_ACCESS_DENIED when it is not the first.
///
/// CreateFile with the name opens the other end.
///
/// DIFFERS: the pipe is known in this process only, and carries bytes, no messages
/// (ERROR_NOT_SUPPORTED). An end that has no peer yet may be read and written.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-createnamedpipew
///
/// # Safety
/// As on Windows: `name` is a terminated UTF-16 string.
pub unsafe extern "system" fn CreateNamedPipeW(
    name: PCWSTR,
    open_mode: FILE_FLAGS_AND_ATTRIBUTES,
    pipe_mode: NAMED_PIPE_MODE,
    most: u32,
    _out_size: u32,
    _in_size: u32,
    _timeout: u32,
    _security: *const SECURITY_ATTRIBUTES,
) -> HANDLE {
    // SAFETY: our caller vouches for the terminator.
    handle(create(unsafe { text::read(name) }, open_mode, pipe_mode, most))
}

/// As [`CreateNamedPipeW`], with a byte string: [CreateNamedPipeA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-createnamedpipea
///
/// # Safety
/// As on Windows: `name` is a terminated string.
pub unsafe extern "system" fn CreateNamedPipeA(
    name: PCSTR,
    open_mode: FILE_FLAGS_AND_ATTRIBUTES,
    pipe_mode: NAMED_PIPE_MODE,
    most: u32,
    _out_size: u32,
    _in_size: u32,
    _timeout: u32,
    _security: *const SECURITY_ATTRIBUTES,
) -> HANDLE {
    // SAFETY: our caller vouches for the terminator.
    handle(create(unsafe { text::read(name) }, open_mode, pipe_mode, most))
}

fn handle(end: Result<SOCKET, Code>) -> HANDLE {
    match end {
        Ok(handle) => std::ptr::without_provenance_mut(handle),
        Err(code) => {
            error::set_last(code);
            INVALID_HANDLE_VALUE
        }
    }
}

fn create(
    path: Option<String>,
    open_mode: FILE_FLAGS_AND_ATTRIBUTES,
    pipe_mode: NAMED_PIPE_MODE,
    most: u32,
) -> Result<SOCKET, Code> {
    let name = path.as_deref().and_then(name).ok_or(Code(ERROR_INVALID_NAME))?;
    let access = open_mode & PIPE_ACCESS_DUPLEX;
    if access == 0 || most == 0 || most > PIPE_UNLIMITED_INSTANCES {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    if pipe_mode & (PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE) != 0 {
        return Err(Code(ERROR_NOT_SUPPORTED));
    }
    let mut pipes = PIPES.lock().unwrap_or_else(PoisonError::into_inner);
    pipes.retain(|_, instances| {
        instances.retain(|instance| TABLE.open(instance.server).is_some());
        !instances.is_empty()
    });
    let count = pipes.get(&name).map_or(0, Vec::len);
    if count > 0 && open_mode & FILE_FLAG_FIRST_PIPE_INSTANCE != 0 {
        return Err(Code(ERROR_ACCESS_DENIED));
    }
    if most != PIPE_UNLIMITED_INSTANCES && count >= most as usize {
        return Err(Code(ERROR_PIPE_BUSY));
    }
    let (ours, client) = sys::pair().map_err(|errno| error::wsa_of_errno(errno.0))?;
    let server = end(ours, open_mode)?;
    pipes.entry(name).or_default().push(Instance { server, client: Some(client), access });
    Ok(server)
}

/// Opens the client's end of a pipe. ERROR_FILE_NOT_FOUND, ERROR_PIPE_BUSY when every instance has
/// its client, ERROR_ACCESS_DENIED for the wrong direction.
pub fn open(name: &str, access: u32, flags: FILE_FLAGS_AND_ATTRIBUTES) -> Result<HANDLE, Code> {
    let reads = access & (GENERIC_READ | GENERIC_ALL | FILE_READ_DATA) != 0;
    let writes = access & (GENERIC_WRITE | GENERIC_ALL | FILE_WRITE_DATA) != 0;
    let mut pipes = PIPES.lock().unwrap_or_else(PoisonError::into_inner);
    let instances = pipes.get_mut(name).ok_or(Code(ERROR_FILE_NOT_FOUND))?;
    instances.retain(|instance| TABLE.open(instance.server).is_some());
    if instances.is_empty() {
        return Err(Code(ERROR_FILE_NOT_FOUND));
    }
    let free = instances.iter_mut().find(|instance| instance.client.is_some());
    let instance = free.ok_or(Code(ERROR_PIPE_BUSY))?;
    let refused = reads && instance.access & PIPE_ACCESS_OUTBOUND == 0
        || writes && instance.access & PIPE_ACCESS_INBOUND == 0;
    if refused {
        return Err(Code(ERROR_ACCESS_DENIED));
    }
    let client = instance.client.take().ok_or(Code(ERROR_PIPE_BUSY))?;
    Ok(handle(end(client, flags)))
}

/// A handle for one end.
fn end(descriptor: OwnedFd, flags: FILE_FLAGS_AND_ATTRIBUTES) -> Result<SOCKET, Code> {
    let overlapped = flags & FILE_FLAG_OVERLAPPED != 0;
    let handle = socket::open(Form { overlapped, ..Form::PIPE })?;
    if let Some(socket) = TABLE.open(handle).and_then(SocketRef::of) {
        socket.lock().connect_to(descriptor.into_raw_fd());
    }
    Ok(handle)
}
