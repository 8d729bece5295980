//! The lists that getaddrinfo and its kin return and take back: four layouts, one shape.
//!
//! A node of a list is one allocation with its address in it, and one more for its canonical name.
//! Any tail of a list can be freed by itself.

use std::ptr::null_mut;

use windows_sys::Win32::Networking::WinSock::{
    ADDRINFOA, ADDRINFOEXA, ADDRINFOEXW, ADDRINFOW, SOCKADDR_IN6, WSANO_RECOVERY,
};

use crate::address::{self, Address};
use crate::error::Code;
use crate::text::Unit;

use super::lookup::{Answer, Question};

/// One of the four layouts.
pub trait Info: Default + Copy {
    type Unit: Unit;

    /// Fills in what the four have in common.
    fn fill(&mut self, question: &Question, address: &Address);
    fn set_name(&mut self, name: *mut Self::Unit);
    fn set_address(&mut self, address: *mut SOCKADDR_IN6);
    fn set_next(&mut self, next: *mut Self);
    fn next(&self) -> *mut Self;

    /// A question from hints: WSANO_RECOVERY if a member is set that must not be.
    fn question(&self) -> Result<Question, Code>;
}

macro_rules! layout {
    ($info:ty, $unit:ty) => {
        impl Info for $info {
            type Unit = $unit;

            fn fill(&mut self, question: &Question, address: &Address) {
                self.ai_flags = question.flags as i32;
                self.ai_family = i32::from(address::family_from_linux(address.family()));
                self.ai_socktype = question.kind;
                self.ai_protocol = question.protocol;
                self.ai_addrlen = address.windows_len();
            }

            fn set_name(&mut self, name: *mut $unit) {
                self.ai_canonname = name;
            }

            fn set_address(&mut self, address: *mut SOCKADDR_IN6) {
                self.ai_addr = address.cast();
            }

            fn set_next(&mut self, next: *mut Self) {
                self.ai_next = next;
            }

            fn next(&self) -> *mut Self {
                self.ai_next
            }

            fn question(&self) -> Result<Question, Code> {
                let pointers = [self.ai_canonname.cast(), self.ai_addr, self.ai_next.cast()];
                if self.ai_addrlen != 0 || pointers.iter().any(|pointer| !pointer.is_null()) {
                    return Err(Code::wsa(WSANO_RECOVERY));
                }
                Ok(Question {
                    node: None,
                    service: None,
                    flags: self.ai_flags as u32,
                    family: self.ai_family,
                    kind: self.ai_socktype,
                    protocol: self.ai_protocol,
                })
            }
        }
    };
}

layout!(ADDRINFOA, u8);
layout!(ADDRINFOW, u16);
layout!(ADDRINFOEXA, u8);
layout!(ADDRINFOEXW, u16);

/// One node; a program's pointer to its `info` is a pointer to the whole.
#[repr(C)]
struct Node<I: Info> {
    info: I,
    address: SOCKADDR_IN6,
    /// What `info` points to as the canonical name.
    name: Vec<I::Unit>,
}

/// Makes the list of an answer; only the first node has the canonical name.
pub fn make<I: Info>(question: &Question, answer: &Answer) -> *mut I {
    let mut head: *mut Node<I> = null_mut();
    for (at, address) in answer.addresses.iter().enumerate().rev() {
        let name = answer.canonical.as_deref().filter(|_| at == 0);
        let mut node = Box::new(Node {
            info: I::default(),
            address: SOCKADDR_IN6::default(),
            name: name.map(I::Unit::encode).unwrap_or_default(),
        });
        node.info.fill(question, address);
        node.info.set_next(head.cast());
        if name.is_some() {
            let name = node.name.as_mut_ptr();
            node.info.set_name(name);
        }
        let node = Box::into_raw(node);
        // SAFETY: the node is ours until the head is returned, and it has room for any address.
        unsafe {
            let to = &raw mut (*node).address;
            address::write_raw(address, to.cast());
            (*node).info.set_address(to);
        }
        head = node;
    }
    head.cast()
}

/// Frees a list, or a tail of one; NULL is an empty list.
///
/// # Safety
/// `list` is NULL, or a node of a list that [`make`] made of the same layout and nobody freed.
pub unsafe fn free<I: Info>(list: *const I) {
    let mut next = list.cast_mut();
    while !next.is_null() {
        // SAFETY: the caller promises a node of ours, which a box gave up.
        let node = unsafe { Box::from_raw(next.cast::<Node<I>>()) };
        next = node.info.next();
    }
}

#[cfg(test)]
mod tests {
    use libc::{AF_INET, AF_INET6};
    use windows_sys::Win32::Networking::WinSock::{AF_INET as WINDOWS_INET, SOCK_STREAM};

    use super::*;
    use crate::text;

    fn make_and_free<I: Info>() {
        let question = Question { flags: 2, kind: SOCK_STREAM, ..Question::default() };
        let addresses = vec![Address::loopback(AF_INET6, 80), Address::loopback(AF_INET, 80)];
        let answer = Answer { addresses, canonical: Some("zürich".into()) };
        let list: *mut I = make(&question, &answer);
        // SAFETY: the list has two nodes; the first is freed together with the second.
        unsafe {
            assert!(!(*list).next().is_null() && (*(*list).next()).next().is_null());
            free(list);
            free::<I>(null_mut());
        }
    }

    #[test]
    fn all_layouts() {
        make_and_free::<ADDRINFOA>();
        make_and_free::<ADDRINFOW>();
        make_and_free::<ADDRINFOEXA>();
        make_and_free::<ADDRINFOEXW>();
    }

    #[test]
    fn members() {
        let question = Question { flags: 2, kind: SOCK_STREAM, protocol: 6, ..Question::default() };
        let addresses = vec![Address::loopback(AF_INET, 80), Address::loopback(AF_INET6, 0)];
        let list: *mut ADDRINFOW =
            make(&question, &Answer { addresses, canonical: Some("zürich".into()) });
        // SAFETY: the list is ours; its members point into it.
        unsafe {
            let first = *list;
            assert_eq!((first.ai_flags, first.ai_socktype, first.ai_protocol), (2, SOCK_STREAM, 6));
            assert_eq!((first.ai_family, first.ai_addrlen), (i32::from(WINDOWS_INET), 16));
            assert_eq!(text::read(first.ai_canonname).as_deref(), Some("zürich"));
            let address = address::read(first.ai_addr, first.ai_addrlen as i32);
            assert_eq!(address, Ok(Address::loopback(AF_INET, 80)));
            let second = *first.ai_next;
            assert!(second.ai_canonname.is_null());
            assert_eq!(second.ai_addrlen, 28);
            // A tail can be freed by itself.
            free(first.ai_next);
            (*list).ai_next = null_mut();
            free(list);
        }
    }
}
