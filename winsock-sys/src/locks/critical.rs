//! Critical sections: a lock that its thread may take again (rule 164).

use std::cell::Cell;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FALSE, TRUE};
use windows_sys::Win32::System::Threading::{
    CRITICAL_SECTION, RTL_CRITICAL_SECTION_ALL_FLAG_BITS, RTL_CRITICAL_SECTION_FLAG_DYNAMIC_SPIN,
    RTL_CRITICAL_SECTION_FLAG_FORCE_DEBUG_INFO, RTL_CRITICAL_SECTION_FLAG_NO_DEBUG_INFO,
    RTL_CRITICAL_SECTION_FLAG_RESOURCE_TYPE, RTL_CRITICAL_SECTION_FLAG_STATIC_INIT,
};
use windows_sys::core::BOOL;

use super::word::Word;
use crate::error::{self, Code};

/// LockCount as a debugger reads it: the lowest bit is cleared while it is held, the next one while
/// a thread that was woken is on its way, the others count who waits; all inverted.
const FREE: u32 = -1_i32 as u32;
const HELD: u32 = -2_i32 as u32;
/// Held, and one or more wait.
const CROWDED: u32 = -6_i32 as u32;

/// How often to look before sleeping, if the program does not say. Sleeping costs some thousand
/// cycles.
const SPINS: u32 = 100;

/// A CRITICAL_SECTION as the threads share it.
#[repr(C)]
pub struct Section {
    debug_info: AtomicPtr<()>,
    lock_count: AtomicU32,
    /// How often its owner has taken it; only the owner writes it.
    recursion: AtomicI32,
    /// The number of the thread that owns it.
    owner: AtomicUsize,
    semaphore: AtomicPtr<()>,
    spins: AtomicUsize,
}

const _: () = assert!(size_of::<Section>() == size_of::<CRITICAL_SECTION>());

impl Section {
    /// # Safety
    /// `section` is valid as long as the result is used.
    #[inline(always)]
    pub unsafe fn of<'a>(section: *mut CRITICAL_SECTION) -> &'a Section {
        // SAFETY: our caller vouches for it; the layout is the same.
        unsafe { &*section.cast() }
    }

    fn initialize(&self, spins: u32) {
        const NO_DEBUG_INFO: *mut () = std::ptr::without_provenance_mut(usize::MAX);
        self.debug_info.store(NO_DEBUG_INFO, Ordering::Relaxed);
        self.recursion.store(0, Ordering::Relaxed);
        self.owner.store(0, Ordering::Relaxed);
        self.semaphore.store(std::ptr::null_mut(), Ordering::Relaxed);
        self.spins.store(spins as usize, Ordering::Relaxed);
        self.lock_count.store(FREE, Ordering::Release);
    }

    #[inline]
    fn word(&self) -> Word<'_, FREE, HELD, CROWDED> {
        Word(&self.lock_count)
    }

    /// Takes it once more, if the thread owns it.
    #[inline]
    fn enter_again(&self, own: usize) -> bool {
        // Only the thread itself writes its own number here.
        let owned = self.owner.load(Ordering::Relaxed) == own;
        if owned {
            self.recursion.store(self.recursion.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
        owned
    }

    #[inline]
    fn begin(&self, own: usize) {
        self.owner.store(own, Ordering::Relaxed);
        self.recursion.store(1, Ordering::Relaxed);
    }

    #[inline]
    pub fn enter(&self) {
        let own = own_number();
        if self.enter_again(own) {
            return;
        }
        if !self.word().try_lock() {
            self.word().lock((self.spins.load(Ordering::Relaxed) as u32).max(SPINS));
        }
        self.begin(own);
    }

    #[inline]
    fn try_enter(&self) -> bool {
        let own = own_number();
        if self.enter_again(own) {
            return true;
        }
        let taken = self.word().try_lock();
        if taken {
            self.begin(own);
        }
        taken
    }

    #[inline]
    pub fn leave(&self) {
        let left = self.recursion.load(Ordering::Relaxed) - 1;
        if left < 0 {
            return; // Nobody is inside.
        }
        self.recursion.store(left, Ordering::Relaxed);
        if left == 0 {
            self.owner.store(0, Ordering::Relaxed);
            self.word().unlock();
        }
    }
}

/// The calling thread's number, as GetCurrentThreadId has it.
#[inline]
fn own_number() -> usize {
    thread_local! {
        /// Zero until it is asked for.
        static OWN: Cell<u32> = const { Cell::new(0) };
    }
    match OWN.get() {
        0 => {
            let own = crate::thread::on_current(|thread| thread.tid as u32);
            OWN.set(own);
            own as usize
        }
        own => own as usize,
    }
}

/// Makes a critical section: [InitializeCriticalSection][ms] (rule 164).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-initializecriticalsection
///
/// # Safety
/// As on Windows: `section` is a place for it, where it stays.
pub unsafe extern "system" fn InitializeCriticalSection(section: *mut CRITICAL_SECTION) {
    // SAFETY: our caller vouches for the place.
    unsafe { Section::of(section) }.initialize(0);
}

/// As [`InitializeCriticalSection`], and says how often to look before sleeping:
/// [InitializeCriticalSectionAndSpinCount][ms]. TRUE always.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-initializecriticalsectionandspincount
///
/// # Safety
/// As [`InitializeCriticalSection`].
pub unsafe extern "system" fn InitializeCriticalSectionAndSpinCount(
    section: *mut CRITICAL_SECTION,
    spins: u32,
) -> BOOL {
    // SAFETY: our caller vouches for the place.
    unsafe { Section::of(section) }.initialize(spins & !RTL_CRITICAL_SECTION_ALL_FLAG_BITS);
    TRUE
}

/// As [`InitializeCriticalSectionAndSpinCount`], with flags: [InitializeCriticalSectionEx][ms].
/// They change nothing: there is no debug information.
///
/// ERROR_INVALID_PARAMETER for a flag that is none, or for a count of more than 24 bits.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-initializecriticalsectionex
///
/// # Safety
/// As [`InitializeCriticalSection`].
pub unsafe extern "system" fn InitializeCriticalSectionEx(
    section: *mut CRITICAL_SECTION,
    spins: u32,
    flags: u32,
) -> BOOL {
    const FLAGS: u32 = RTL_CRITICAL_SECTION_FLAG_NO_DEBUG_INFO
        | RTL_CRITICAL_SECTION_FLAG_DYNAMIC_SPIN
        | RTL_CRITICAL_SECTION_FLAG_STATIC_INIT
        | RTL_CRITICAL_SECTION_FLAG_RESOURCE_TYPE
        | RTL_CRITICAL_SECTION_FLAG_FORCE_DEBUG_INFO;
    if flags & !FLAGS != 0 || spins & RTL_CRITICAL_SECTION_ALL_FLAG_BITS != 0 {
        error::set_last(Code(ERROR_INVALID_PARAMETER));
        return FALSE;
    }
    // SAFETY: our caller vouches for the place.
    unsafe { Section::of(section) }.initialize(spins);
    TRUE
}

/// Says how often to look before sleeping: [SetCriticalSectionSpinCount][ms]. The count before.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-setcriticalsectionspincount
///
/// # Safety
/// As [`EnterCriticalSection`].
pub unsafe extern "system" fn SetCriticalSectionSpinCount(
    section: *mut CRITICAL_SECTION,
    spins: u32,
) -> u32 {
    let spins = spins & !RTL_CRITICAL_SECTION_ALL_FLAG_BITS;
    // SAFETY: our caller vouches for it.
    unsafe { Section::of(section) }.spins.swap(spins as usize, Ordering::Relaxed) as u32
}

/// Takes a critical section, as soon as no other thread owns it: [EnterCriticalSection][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-entercriticalsection
///
/// # Safety
/// As on Windows: `section` has been initialized and not been deleted.
pub unsafe extern "system" fn EnterCriticalSection(section: *mut CRITICAL_SECTION) {
    // SAFETY: our caller vouches for it.
    unsafe { Section::of(section) }.enter();
}

/// As [`EnterCriticalSection`], if that need not wait: [TryEnterCriticalSection][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-tryentercriticalsection
///
/// # Safety
/// As [`EnterCriticalSection`].
pub unsafe extern "system" fn TryEnterCriticalSection(section: *mut CRITICAL_SECTION) -> BOOL {
    // SAFETY: our caller vouches for it.
    unsafe { Section::of(section) }.try_enter().into()
}

/// Gives a critical section back: [LeaveCriticalSection][ms]. Another thread has it when it has
/// been left as often as entered.
///
/// Who leaves is not checked, as on Windows. One that nobody has entered stays as it is.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-leavecriticalsection
///
/// # Safety
/// As [`EnterCriticalSection`].
pub unsafe extern "system" fn LeaveCriticalSection(section: *mut CRITICAL_SECTION) {
    // SAFETY: our caller vouches for it.
    unsafe { Section::of(section) }.leave();
}

/// Ends a critical section: [DeleteCriticalSection][ms]. It may be initialized again.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-deletecriticalsection
///
/// # Safety
/// As on Windows: no thread owns it or waits for it.
pub unsafe extern "system" fn DeleteCriticalSection(section: *mut CRITICAL_SECTION) {
    // SAFETY: our caller vouches for it.
    let section = unsafe { Section::of(section) };
    section.initialize(0);
    section.debug_info.store(std::ptr::null_mut(), Ordering::Relaxed);
}
