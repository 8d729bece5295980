//! Cleanup groups.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use super::item::Item;
use crate::sync::{Mutex, lock};

/// Objects that are closed together.
#[derive(Default)]
pub struct Group {
    /// In the order in which they were made.
    members: Mutex<Vec<Arc<Item>>>,
}

impl Group {
    pub fn join(&self, item: &Arc<Item>) {
        lock(&self.members).push(item.clone());
    }

    pub fn leave(&self, item: &Item) {
        let left = {
            let mut members = lock(&self.members);
            let at = members.iter().rposition(|member| ptr::eq(&**member, item));
            at.map(|at| members.remove(at))
        };
        drop(left); // Perhaps for good, and not under the lock.
    }

    /// Closes all members and waits until no thread is in one of their callbacks. Those that have
    /// not begun are cancelled if `cancel`, and then each member says so; else they run.
    pub fn close_members(&self, cancel: bool, context: *mut c_void) {
        let members = std::mem::take(&mut *lock(&self.members));
        for member in &members {
            super::close(member.handle());
            member.close();
            if cancel {
                member.cancel();
            }
        }
        for member in &members {
            member.await_desertion();
        }
        for member in members.iter().filter(|_| cancel) {
            member.tell_cancelled(context);
        }
    }
}
