//! What the tests of thread pools share. Each file uses its part of this.

#![allow(dead_code)]

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr::null;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

use conformance::*;
use winsock_sys::Win32::System::Threading::{
    CloseThreadpool, CloseThreadpoolWork, CreateThreadpool, CreateThreadpoolWork,
    PTP_CALLBACK_INSTANCE, PTP_CLEANUP_GROUP, PTP_POOL, PTP_WORK, SetThreadpoolThreadMaximum,
    SubmitThreadpoolWork, TP_CALLBACK_ENVIRON_V3, TP_CALLBACK_PRIORITY_NORMAL,
    WaitForThreadpoolWorkCallbacks,
};

/// Something a callback's context points to: it counts, tells and waits.
pub struct Stage {
    pub calls: AtomicU32,
    pub inside: AtomicU32,
    pub most_inside: AtomicU32,
    /// Who ran, or what was told.
    pub log: Mutex<Vec<u32>>,
    /// A callback that shall wait waits for this.
    pub gate: Event,
    pub entered: Event,
}

impl Stage {
    pub fn new() -> Stage {
        Stage {
            calls: AtomicU32::new(0),
            inside: AtomicU32::new(0),
            most_inside: AtomicU32::new(0),
            log: Mutex::new(Vec::new()),
            gate: Event::manual_reset(),
            entered: Event::auto_reset(),
        }
    }

    pub fn context(&self) -> *mut c_void {
        std::ptr::from_ref(self).expose_provenance() as *mut c_void
    }

    /// # Safety
    /// `context` is that of a stage that outlives the callback.
    pub unsafe fn of<'a>(context: *mut c_void) -> &'a Stage {
        // SAFETY: our caller vouches for it.
        unsafe { &*std::ptr::with_exposed_provenance(context as usize) }
    }

    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }

    pub fn log(&self) -> MutexGuard<'_, Vec<u32>> {
        self.log.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// One call, which lasts as long as the gate is closed if `waits`.
    pub fn act(&self, waits: bool) {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_inside.fetch_max(inside, Ordering::SeqCst);
        self.entered.set();
        if waits {
            wait(*self.gate, SOON);
        }
        self.inside.fetch_sub(1, Ordering::SeqCst);
        self.calls.fetch_add(1, Ordering::SeqCst);
    }
}

pub unsafe extern "system" fn work(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, _: PTP_WORK) {
    // SAFETY: the tests keep their stages until they have waited for the callbacks.
    unsafe { Stage::of(context) }.act(false);
}

pub unsafe extern "system" fn waiting_work(
    _: PTP_CALLBACK_INSTANCE,
    context: *mut c_void,
    _: PTP_WORK,
) {
    // SAFETY: as above.
    unsafe { Stage::of(context) }.act(true);
}

pub unsafe extern "system" fn simple(_: PTP_CALLBACK_INSTANCE, context: *mut c_void) {
    // SAFETY: as above.
    unsafe { Stage::of(context) }.act(false);
}

pub unsafe extern "system" fn waiting_simple(_: PTP_CALLBACK_INSTANCE, context: *mut c_void) {
    // SAFETY: as above.
    unsafe { Stage::of(context) }.act(true);
}

pub unsafe extern "system" fn item(context: *mut c_void) -> u32 {
    // SAFETY: as above.
    unsafe { Stage::of(context) }.act(false);
    0
}

/// A pool of its own, closed when dropped.
pub struct Pool(pub PTP_POOL);

impl Pool {
    pub fn with_most(most: u32) -> Pool {
        // SAFETY: no memory is passed.
        unsafe {
            let pool = CreateThreadpool(null());
            assert_ne!(pool, 0);
            SetThreadpoolThreadMaximum(pool, most);
            Pool(pool)
        }
    }

    pub fn environment(&self) -> TP_CALLBACK_ENVIRON_V3 {
        environment(self.0, 0)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: it is ours.
        unsafe { CloseThreadpool(self.0) };
    }
}

pub fn environment(pool: PTP_POOL, group: PTP_CLEANUP_GROUP) -> TP_CALLBACK_ENVIRON_V3 {
    TP_CALLBACK_ENVIRON_V3 {
        Version: 3,
        Pool: pool,
        CleanupGroup: group,
        CallbackPriority: TP_CALLBACK_PRIORITY_NORMAL,
        Size: size_of::<TP_CALLBACK_ENVIRON_V3>() as u32,
        ..Default::default()
    }
}

type WorkCallback = unsafe extern "system" fn(PTP_CALLBACK_INSTANCE, *mut c_void, PTP_WORK);

pub fn make_work(
    callback: WorkCallback,
    stage: &Stage,
    environment: *const TP_CALLBACK_ENVIRON_V3,
) -> PTP_WORK {
    // SAFETY: the callbacks of this file may be called with a stage.
    let made = unsafe { CreateThreadpoolWork(Some(callback), stage.context(), environment) };
    assert_ne!(made, 0, "no work: {}", last_error());
    made
}

pub fn submit(work: PTP_WORK) {
    // SAFETY: no memory is passed.
    unsafe { SubmitThreadpoolWork(work) };
}

pub fn finish(work: PTP_WORK, cancel: bool) {
    // SAFETY: no memory is passed.
    unsafe { WaitForThreadpoolWorkCallbacks(work, cancel.into()) };
}

pub fn close(work: PTP_WORK) {
    // SAFETY: no memory is passed.
    unsafe { CloseThreadpoolWork(work) };
}
