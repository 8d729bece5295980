//! Whether the oracle is Windows or Wine, and what to do where the two differ.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Whether this process runs under Wine: its `ntdll` exports `wine_get_version`.
#[cfg(windows)]
pub fn is_wine() -> bool {
    use std::ffi::{c_char, c_void};

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleA(name: *const c_char) -> *mut c_void;
        fn GetProcAddress(module: *mut c_void, name: *const c_char) -> *mut c_void;
    }

    // SAFETY: both names are literals ending in NUL; ntdll is loaded in every process.
    unsafe {
        let ntdll = GetModuleHandleA(c"ntdll.dll".as_ptr());
        !GetProcAddress(ntdll, c"wine_get_version".as_ptr()).is_null()
    }
}

/// Wine is a Windows implementation: a native Linux process is not it.
#[cfg(not(windows))]
pub fn is_wine() -> bool {
    false
}

/// Asserts what Windows does, in a place where Wine 8.0 does something else.
///
/// Everywhere but under Wine `check` must simply pass. Under Wine it must panic: the day it does
/// not, Wine has caught up and this fails as an alarm, so that the mark is removed.
#[track_caller]
pub fn differs_on_wine(check: impl FnOnce()) {
    if !is_wine() {
        return check();
    }
    expect_difference(catch_unwind(AssertUnwindSafe(check)).is_err());
}

/// As [`differs_on_wine`], where Wine does by luck what Windows does by rule: under Wine one of ten
/// attempts must panic.
#[track_caller]
pub fn differs_on_wine_at_times(check: impl Fn()) {
    if !is_wine() {
        return check();
    }
    expect_difference((0..10).any(|_| catch_unwind(AssertUnwindSafe(&check)).is_err()));
}

/// As [`differs_on_wine`], where it is luck whether Wine differs, and no number of attempts must
/// show it: natively the check holds, under Wine it may.
#[track_caller]
pub fn may_differ_on_wine(check: impl FnOnce()) {
    if !is_wine() {
        return check();
    }
    if catch_unwind(AssertUnwindSafe(check)).is_err() {
        println!("differs on Wine, as known");
    }
}

#[track_caller]
fn expect_difference(differs: bool) {
    assert!(differs, "Wine behaves like Windows here now: remove the wine-todo mark");
    // `cargo xtask conformance-table` looks for this line.
    println!("differs on Wine, as known");
}
