//! Leaving a thread from the depth of its calls.
//!
//! `ExitThread` does not return to its caller, nor to the caller of that, nor are their frames
//! unwound: C has nothing to unwind, and Rust cannot be unwound through the `extern "system"`
//! functions that such frames are. [`call`] remembers where it was called; [`leave`] goes on there,
//! as if what was called had returned. Then the thread ends as every thread does: its thread-locals
//! are dropped, its stack is given back.
//!
//! What the frames in between own is leaked. And since their memory is used again, nothing may
//! refer to it any more, and none of them may rely on being left in an orderly way (a scoped
//! thread's owner does, a `Pin` on the stack does): whoever calls `ExitThread` vouches for that.

use std::ffi::c_void;

/// Where [`call`] was called: the stack pointer, below which lies what a function must preserve.
pub type Place = *mut c_void;

/// Calls `f` with `data`, and says before in `place` where to [`leave`] to.
///
/// # Safety
/// `place` is writable. `f` may be called with `data`.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub unsafe extern "C" fn call(
    place: *mut Place,
    f: unsafe extern "C" fn(*mut c_void),
    data: *mut c_void,
) {
    std::arch::naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        // The modes of floating-point arithmetic; and the stack is aligned for the call.
        "sub rsp, 8",
        "stmxcsr [rsp]",
        "fnstcw [rsp + 4]",
        "mov [rdi], rsp",
        "mov rdi, rdx",
        "call rsi",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// Returns from the [`call`] that said `place`.
///
/// # Safety
/// That call is one of this thread and has not returned. Nothing refers to the frames above it, and
/// nothing relies on their being left in an orderly way.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub unsafe extern "C" fn leave(place: Place) -> ! {
    std::arch::naked_asm!(
        "mov rsp, rdi",
        "ldmxcsr [rsp]",
        "fldcw [rsp + 4]",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// Calls `f` with `data`, and says before in `place` where to [`leave`] to.
///
/// # Safety
/// `place` is writable. `f` may be called with `data`.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub unsafe extern "C" fn call(
    place: *mut Place,
    f: unsafe extern "C" fn(*mut c_void),
    data: *mut c_void,
) {
    std::arch::naked_asm!(
        "stp x29, x30, [sp, #-160]!",
        "stp x19, x20, [sp, #16]",
        "stp x21, x22, [sp, #32]",
        "stp x23, x24, [sp, #48]",
        "stp x25, x26, [sp, #64]",
        "stp x27, x28, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "mov x29, sp",
        "str x29, [x0]",
        "mov x0, x2",
        "blr x1",
        "ldp x19, x20, [sp, #16]",
        "ldp x21, x22, [sp, #32]",
        "ldp x23, x24, [sp, #48]",
        "ldp x25, x26, [sp, #64]",
        "ldp x27, x28, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "ldp x29, x30, [sp], #160",
        "ret",
    )
}

/// Returns from the [`call`] that said `place`.
///
/// # Safety
/// That call is one of this thread and has not returned. Nothing refers to the frames above it, and
/// nothing relies on their being left in an orderly way.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub unsafe extern "C" fn leave(place: Place) -> ! {
    std::arch::naked_asm!(
        "mov sp, x0",
        "ldp x19, x20, [sp, #16]",
        "ldp x21, x22, [sp, #32]",
        "ldp x23, x24, [sp, #48]",
        "ldp x25, x26, [sp, #64]",
        "ldp x27, x28, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "ldp x29, x30, [sp], #160",
        "ret",
    )
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    struct Deep {
        place: Place,
        left: u32,
        depth: u32,
    }

    unsafe extern "C" fn descend(data: *mut c_void) {
        // SAFETY: the test passes a `Deep` of its own.
        let deep = unsafe { &mut *data.cast::<Deep>() };
        deep.depth += 1;
        if deep.left == 0 {
            // SAFETY: the test's call is below, and these frames are plain.
            unsafe { leave(deep.place) };
        }
        deep.left -= 1;
        // SAFETY: as our caller.
        unsafe { descend(data) };
        unreachable!("the deepest call never returns");
    }

    #[test]
    fn leaves_from_any_depth_and_preserves_what_a_call_preserves() {
        for left in [0, 1, 100] {
            let kept: [u64; 12] = std::array::from_fn(|at| std::hint::black_box(at as u64 * 7));
            let scale = std::hint::black_box(1.5_f64);
            let mut deep = Deep { place: std::ptr::null_mut(), left, depth: 0 };
            let data = &raw mut deep;
            // SAFETY: `descend` may be called with it, and the place is ours.
            unsafe { call(&raw mut (*data).place, descend, data.cast()) };
            assert_eq!(deep.depth, left + 1);
            assert_eq!(kept.map(|value| value as f64 * scale)[11], 77.0 * 1.5);
        }
    }

    #[test]
    fn a_call_that_is_not_left_returns() {
        unsafe extern "C" fn note(data: *mut c_void) {
            // SAFETY: the test passes a number.
            unsafe { *data.cast::<u32>() += 1 };
        }
        let (mut place, mut noted) = (std::ptr::null_mut(), 0_u32);
        // SAFETY: `note` may be called with it, and the place is ours.
        unsafe { call(&raw mut place, note, (&raw mut noted).cast()) };
        assert_eq!(noted, 1);
        assert!(!place.is_null());
    }
}
