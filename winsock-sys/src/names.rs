//! Names: of hosts, services and protocols.
//!
//! | module | what it holds |
//! |---|---|
//! | `info`, `later` | getaddrinfo, GetAddrInfoW, GetAddrInfoEx; the last with an OVERLAPPED |
//! | `reverse` | getnameinfo, GetNameInfoW |
//! | `entries` | Winsock 1.1: gethostbyname, getservbyname, getprotobyname and their kin |
//! | `lookup` | from a name to addresses |
//! | `local`, `database`, `punycode` | this computer; services and protocols; international names |
//! | `list`, `record` | the lists and the records that programs get |

mod database;
mod entries;
mod info;
mod later;
mod list;
mod local;
mod lookup;
mod punycode;
mod record;
mod reverse;

use windows_sys::Win32::Networking::WinSock::WSANOTINITIALISED;

use crate::error::Code;
use crate::start;

pub use entries::{
    GetHostNameW, gethostbyaddr, gethostbyname, gethostname, getprotobyname, getprotobynumber,
    getservbyname, getservbyport,
};
pub use info::{
    FreeAddrInfoEx, FreeAddrInfoExW, FreeAddrInfoW, GetAddrInfoExA, GetAddrInfoExW, GetAddrInfoW,
    freeaddrinfo, getaddrinfo,
};
pub use later::{GetAddrInfoExCancel, GetAddrInfoExOverlappedResult};
pub use lookup::{Question, resolve};
pub use reverse::{GetNameInfoW, getnameinfo};

/// Rule 5.
fn ready() -> Result<(), Code> {
    match start::started() {
        true => Ok(()),
        false => Err(Code::wsa(WSANOTINITIALISED)),
    }
}
