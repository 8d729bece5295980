//! The records that gethostbyname, getservbyname, getprotobyname and their kin return.
//!
//! Each thread has one record of each kind; the next call of the kind on that thread overwrites it.

use std::cell::RefCell;
use std::ptr::null_mut;

use windows_sys::Win32::Networking::WinSock::{HOSTENT, PROTOENT, SERVENT};

use crate::address::{self, Address};

use super::database::Entry;

/// A record and all that it points to.
struct Record<T> {
    entry: T,
    strings: Vec<Vec<u8>>,
    lists: Vec<Vec<*mut i8>>,
}

impl<T: Default> Record<T> {
    fn new() -> Box<Record<T>> {
        Box::new(Record { entry: T::default(), strings: Vec::new(), lists: Vec::new() })
    }

    /// Keeps bytes and says where; they stay there, whatever else is kept.
    fn keep(&mut self, bytes: &[u8]) -> *mut u8 {
        self.strings.push(bytes.to_vec());
        self.strings.last_mut().map_or(null_mut(), |kept| kept.as_mut_ptr())
    }

    fn keep_text(&mut self, text: &str) -> *mut u8 {
        let ended: Vec<u8> = text.bytes().chain([0]).collect();
        self.keep(&ended)
    }

    /// Keeps a list of pointers, ended by NULL.
    fn keep_list(&mut self, pointers: Vec<*mut u8>) -> *mut *mut i8 {
        let ended = pointers.into_iter().chain([null_mut()]).map(<*mut u8>::cast).collect();
        self.lists.push(ended);
        self.lists.last_mut().map_or(null_mut(), |kept| kept.as_mut_ptr())
    }

    fn keep_texts(&mut self, texts: &[String]) -> *mut *mut i8 {
        let pointers = texts.iter().map(|text| self.keep_text(text)).collect();
        self.keep_list(pointers)
    }
}

/// Puts a record in the place of the thread's last one of its kind; where its entry is now.
fn replace<T>(place: &RefCell<Option<Box<Record<T>>>>, record: Box<Record<T>>) -> *mut T {
    let mut place = place.borrow_mut();
    &raw mut place.insert(record).entry
}

/// The thread's host record, with addresses of one family.
pub fn host(name: &str, aliases: &[String], addresses: &[Address]) -> *mut HOSTENT {
    thread_local! {
        static PLACE: RefCell<Option<Box<Record<HOSTENT>>>> = const { RefCell::new(None) };
    }
    let mut record = Record::<HOSTENT>::new();
    let family = addresses.first().map_or(libc::AF_INET, Address::family);
    let length = addresses.first().map_or(0, |address| address.host().len());
    record.entry.h_name = record.keep_text(name);
    record.entry.h_aliases = record.keep_texts(aliases);
    record.entry.h_addrtype = address::family_from_linux(family) as i16;
    record.entry.h_length = length as i16;
    let hosts = addresses.iter().map(|address| record.keep(address.host())).collect();
    record.entry.h_addr_list = record.keep_list(hosts);
    PLACE.with(|place| replace(place, record))
}

/// The thread's service record.
pub fn service(service: &Entry) -> *mut SERVENT {
    thread_local! {
        static PLACE: RefCell<Option<Box<Record<SERVENT>>>> = const { RefCell::new(None) };
    }
    let mut record = Record::<SERVENT>::new();
    record.entry.s_name = record.keep_text(&service.name);
    record.entry.s_aliases = record.keep_texts(&service.aliases);
    record.entry.s_port = service.number.to_be() as i16;
    record.entry.s_proto = record.keep_text(&service.protocol);
    PLACE.with(|place| replace(place, record))
}

/// The thread's protocol record.
pub fn protocol(protocol: &Entry) -> *mut PROTOENT {
    thread_local! {
        static PLACE: RefCell<Option<Box<Record<PROTOENT>>>> = const { RefCell::new(None) };
    }
    let mut record = Record::<PROTOENT>::new();
    record.entry.p_name = record.keep_text(&protocol.name);
    record.entry.p_aliases = record.keep_texts(&protocol.aliases);
    record.entry.p_proto = protocol.number as i16;
    PLACE.with(|place| replace(place, record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn one_host_record_a_thread() {
        let addresses = [Address::v4([1, 2, 3, 4], 0), Address::v4([5, 6, 7, 8], 0)];
        let first = host("one", &["uno".into(), "eins".into()], &addresses);
        // SAFETY: the record is this thread's until the next call.
        unsafe {
            let record = *first;
            assert_eq!(text::read(record.h_name).as_deref(), Some("one"));
            let aliases = [0, 1].map(|at| text::read((*record.h_aliases.add(at)).cast::<u8>()));
            assert_eq!(aliases.map(Option::unwrap), ["uno", "eins"]);
            assert!((*record.h_aliases.add(2)).is_null());
            assert_eq!((*record.h_addr_list.add(1)).cast::<[u8; 4]>().read(), [5, 6, 7, 8]);
            assert!((*record.h_addr_list.add(2)).is_null());
            assert_eq!((record.h_addrtype, record.h_length), (2, 4));
        }
        let second = host("two", &[], &[Address::loopback(libc::AF_INET6, 0)]);
        // SAFETY: as above.
        let record = unsafe { *second };
        assert_eq!((record.h_addrtype, record.h_length), (23, 16));
    }
}
