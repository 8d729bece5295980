//! Names of objects: events, mutexes, semaphores and timers share one space of them.
//!
//! DIFFERS: names are known to one process only. There is no session either: `Local\x` is `x`, and
//! `Global\x` is another object, as for a program that does not run in session 0.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER,
    ERROR_PATH_NOT_FOUND, ERROR_SUCCESS, HANDLE,
};

use crate::error::{self, Code};
use crate::handle::Ref;
use crate::object::{self, Object, TABLE};
use crate::text::{self, Unit};

/// Which of the kinds that have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Event,
    Mutex,
    Semaphore,
    Timer,
}

impl Kind {
    fn of(object: &Object) -> Option<Kind> {
        match object {
            Object::Event => Some(Kind::Event),
            Object::Mutex(_) => Some(Kind::Mutex),
            Object::Semaphore(_) => Some(Kind::Semaphore),
            Object::Timer(_) => Some(Kind::Timer),
            _ => None,
        }
    }
}

/// A named object. It keeps its name as long as it has a handle, whoever else refers to it.
struct Entry {
    name: String,
    handles: usize,
}

#[derive(Default)]
struct Names {
    /// The table's value of each object, by its name.
    values: HashMap<String, usize>,
    /// By the table's value.
    entries: HashMap<usize, Entry>,
}

static NAMES: Mutex<Option<Names>> = Mutex::new(None);

/// How many objects have names, so that the others are closed without a look at them.
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn with<R>(f: impl FnOnce(&mut Names) -> R) -> R {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    let result = f(names);
    COUNT.store(names.entries.len(), Ordering::Relaxed);
    result
}

/// Reads an object's name; `None` for NULL and for the empty one, which both mean an object
/// without.
///
/// # Safety
/// `name` is NULL or readable up to a NUL.
pub unsafe fn read<U: Unit>(name: *const U) -> Result<Option<String>, Code> {
    // SAFETY: passed on from our caller.
    let name = unsafe { text::read(name) }.filter(|name| !name.is_empty());
    let Some(name) = name else { return Ok(None) };
    let (global, rest) = match (name.strip_prefix("Global\\"), name.strip_prefix("Local\\")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => (false, &name[..]),
    };
    match rest.contains('\\') {
        true => Err(Code(ERROR_PATH_NOT_FOUND)),
        false => Ok(Some(if global { name } else { rest.to_owned() })),
    }
}

/// What a CreateXxx answers: a handle to a new object that `make` opens, or to the one that has the
/// name already. The last error tells which, and is ERROR_INVALID_HANDLE if that one is of another
/// kind.
pub fn create(
    name: Result<Option<String>, Code>,
    kind: Kind,
    make: impl FnOnce() -> Result<HANDLE, Code>,
) -> HANDLE {
    let opened = name.and_then(|name| match name {
        None => make().map(|handle| (handle, ERROR_SUCCESS)),
        Some(name) => with(|names| match names.find(&name) {
            Some(object) => Ok((names.open(object, kind)?, ERROR_ALREADY_EXISTS)),
            None => {
                let handle = make()?;
                names.values.insert(name.clone(), handle.addr());
                names.entries.insert(handle.addr(), Entry { name, handles: 1 });
                Ok((handle, ERROR_SUCCESS))
            }
        }),
    });
    error::handle_of(opened.map(|(handle, code)| {
        error::set_last(Code(code));
        handle
    }))
}

/// What an OpenXxx answers: a handle to the object that has the name. ERROR_FILE_NOT_FOUND,
/// ERROR_INVALID_HANDLE if it is of another kind, ERROR_INVALID_PARAMETER without a name.
pub fn open(name: Result<Option<String>, Code>, kind: Kind) -> HANDLE {
    error::handle_of(name.and_then(|name| {
        let name = name.ok_or(Code(ERROR_INVALID_PARAMETER))?;
        with(|names| match names.find(&name) {
            Some(object) => names.open(object, kind),
            None => Err(Code(ERROR_FILE_NOT_FOUND)),
        })
    }))
}

/// Opens one more handle to an object that may have a name.
pub fn alias(original: &Ref<Object>) -> Result<HANDLE, Code> {
    if COUNT.load(Ordering::Relaxed) == 0 {
        return object::insert_alias(original.clone());
    }
    with(|names| names.alias(original.clone()))
}

/// A handle to an object that may have a name has been closed.
pub fn close(original: &Ref<Object>) {
    if COUNT.load(Ordering::Relaxed) == 0 {
        return;
    }
    with(|names| {
        let value = original.value();
        let Some(entry) = names.entries.get_mut(&value) else { return };
        entry.handles -= 1;
        if entry.handles == 0 {
            names.forget(value);
        }
    });
}

impl Names {
    /// The object that has the name.
    fn find(&mut self, name: &str) -> Option<Ref<Object>> {
        let value = *self.values.get(name)?;
        let object = TABLE.live(value);
        if object.is_none() {
            self.forget(value); // Its last handle is being closed at this moment.
        }
        object
    }

    fn forget(&mut self, value: usize) {
        if let Some(entry) = self.entries.remove(&value) {
            self.values.remove(&entry.name);
        }
    }

    fn open(&mut self, object: Ref<Object>, kind: Kind) -> Result<HANDLE, Code> {
        match Kind::of(&object) == Some(kind) {
            true => self.alias(object),
            false => Err(Code(ERROR_INVALID_HANDLE)),
        }
    }

    fn alias(&mut self, original: Ref<Object>) -> Result<HANDLE, Code> {
        let value = original.value();
        let handle = object::insert_alias(original)?;
        if let Some(entry) = self.entries.get_mut(&value) {
            entry.handles += 1;
        }
        Ok(handle)
    }
}
