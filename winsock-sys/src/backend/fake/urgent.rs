//! Urgent data: the one byte of a stream that overtakes the others.
//!
//! As in Linux, the last byte of a send with MSG_OOB is urgent, the newest one counts, and who
//! receives past the place where it stood has missed it.

use libc::c_int;

use super::socket::Id;
use super::{Lent, Net};
use crate::sys::{Errno, Result};

/// An urgent byte that nobody has received.
pub struct Urgent {
    byte: u8,
    /// How many bytes of the inbox were sent before it.
    ahead: usize,
}

impl Urgent {
    /// SIOCATMARK: the next byte to be received was sent behind it.
    pub fn is_next(&self) -> bool {
        self.ahead == 0
    }
}

impl Net {
    pub fn urgent_arrives(&mut self, id: Id, byte: u8) {
        let socket = self.socket_mut(id);
        if socket.flag(libc::SOL_SOCKET, libc::SO_OOBINLINE) || socket.shut_in && socket.shut_out {
            return self.bytes_arrive(id, vec![byte]);
        }
        self.miss_urgent(id);
        let stream = self.socket_mut(id).stream_mut();
        stream.urgent = Some(Urgent { byte, ahead: stream.there() });
    }

    /// The urgent byte is gone unread.
    fn miss_urgent(&mut self, id: Id) {
        let stream = self.socket_mut(id).stream_mut();
        if stream.urgent.take().is_some() {
            stream.unread -= 1;
        }
    }

    /// How many bytes a plain receive may take at most: it stops at the urgent byte, and the next
    /// one goes past it.
    pub fn bytes_before_urgent(&mut self, id: Id, peek: bool) -> usize {
        match &self.socket(id).stream().urgent {
            Some(urgent) if urgent.ahead > 0 => urgent.ahead,
            Some(_) if !peek => {
                self.miss_urgent(id);
                usize::MAX
            }
            Some(_) | None => usize::MAX,
        }
    }

    /// The program has received so many bytes of the inbox.
    pub fn move_towards_urgent(&mut self, id: Id, bytes: usize) {
        if let Some(urgent) = &mut self.socket_mut(id).stream_mut().urgent {
            urgent.ahead -= bytes;
        }
    }

    /// A receive with MSG_OOB.
    pub fn recv_urgent(&mut self, id: Id, lent: &mut Lent<'_>, flags: c_int) -> Result<usize> {
        let stream = self.socket(id).stream();
        // Linux' word for "there is none".
        let byte = stream.urgent.as_ref().ok_or(Errno(libc::EINVAL))?.byte;
        let taken = lent.write(0, &[byte]);
        if flags & libc::MSG_PEEK == 0 {
            self.miss_urgent(id);
        }
        Ok(taken)
    }
}
