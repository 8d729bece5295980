//! Variable arguments: reading a C `va_list`, and functions that take `...`.
//!
//! Stable Rust can pass a `va_list` on but neither read nor make one. Both are laid down by the
//! processor's calling convention: System V AMD64 ABI, section 3.5.7; Procedure Call Standard for
//! the Arm 64-bit Architecture, appendix B.

/// What a `va_list` points to. Functions get its address, on both processors. A copy is what
/// `va_copy` makes.
#[cfg(target_arch = "x86_64")]
#[derive(Clone)]
#[repr(C)]
pub struct VaList {
    gp_offset: u32,
    fp_offset: u32,
    overflow_arg_area: *const u64,
    reg_save_area: *const u8,
}

#[cfg(target_arch = "aarch64")]
#[derive(Clone)]
#[repr(C)]
pub struct VaList {
    stack: *const u64,
    gr_top: *const u8,
    vr_top: *const u8,
    gr_offs: i32,
    vr_offs: i32,
}

impl VaList {
    /// The next argument, which is an integer or a pointer. Of an `int` the lower half counts.
    ///
    /// # Safety
    /// The caller of the C function passed one more argument, and it is no floating-point number.
    #[cfg(target_arch = "x86_64")]
    pub unsafe fn next(&mut self) -> u64 {
        const GENERAL_REGISTERS_END: u32 = 48;
        // SAFETY: the convention: registers first, then the stack.
        unsafe {
            if self.gp_offset < GENERAL_REGISTERS_END {
                let value = self.reg_save_area.add(self.gp_offset as usize).cast::<u64>().read();
                self.gp_offset += 8;
                return value;
            }
            let value = self.overflow_arg_area.read();
            self.overflow_arg_area = self.overflow_arg_area.add(1);
            value
        }
    }

    /// As above.
    ///
    /// # Safety
    /// As above.
    #[cfg(target_arch = "aarch64")]
    pub unsafe fn next(&mut self) -> u64 {
        // SAFETY: the convention: registers first, then the stack.
        unsafe {
            if self.gr_offs < 0 {
                let value = self.gr_top.offset(self.gr_offs as isize).cast::<u64>().read();
                self.gr_offs += 8;
                return value;
            }
            let value = self.stack.read();
            self.stack = self.stack.add(1);
            value
        }
    }

    /// Goes past an argument that is a floating-point number.
    ///
    /// # Safety
    /// The caller of the C function passed one more argument, and it is a `double`, or a
    /// `long double` if `is_long`.
    #[cfg(target_arch = "x86_64")]
    pub unsafe fn skip_float(&mut self, is_long: bool) {
        const VECTOR_REGISTERS_END: u32 = 176;
        if is_long {
            // Never in registers, and aligned to its size.
            let at = self.overflow_arg_area;
            let padding = at.addr() % 16 / 8;
            // SAFETY: the convention: the caller laid down 16 bytes.
            self.overflow_arg_area = unsafe { at.add(padding + 2) };
        } else if self.fp_offset < VECTOR_REGISTERS_END {
            self.fp_offset += 16;
        } else {
            // SAFETY: the convention: registers first, then the stack.
            self.overflow_arg_area = unsafe { self.overflow_arg_area.add(1) };
        }
    }

    /// As above.
    ///
    /// # Safety
    /// As above.
    #[cfg(target_arch = "aarch64")]
    pub unsafe fn skip_float(&mut self, is_long: bool) {
        if self.vr_offs < 0 {
            self.vr_offs += 16;
            return;
        }
        // SAFETY: the convention: registers first, then the stack; 16 bytes are aligned.
        unsafe {
            if is_long {
                let padding = self.stack.addr() % 16 / 8;
                self.stack = self.stack.add(padding + 2);
            } else {
                self.stack = self.stack.add(1);
            }
        }
    }
}

/// `variadic!(wsprintfA(2) => wvsprintfA)`: a function with two parameters and `...`, which calls
/// the other with the two and a [`VaList`].
///
/// It does what a C compiler makes of `va_start`: all argument registers go to memory, and the list
/// says where they and the arguments on the stack are.
macro_rules! variadic {
    ($($(#[$meta:meta])* $name:ident($fixed:tt) => $function:path;)*) => {$(
        $(#[$meta])*
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            #[cfg(target_arch = "x86_64")]
            core::arch::naked_asm!(
                "sub rsp, 216",
                "mov [rsp + 32], rdi",
                "mov [rsp + 40], rsi",
                "mov [rsp + 48], rdx",
                "mov [rsp + 56], rcx",
                "mov [rsp + 64], r8",
                "mov [rsp + 72], r9",
                "test al, al",
                "je 2f",
                "movaps [rsp + 80], xmm0",
                "movaps [rsp + 96], xmm1",
                "movaps [rsp + 112], xmm2",
                "movaps [rsp + 128], xmm3",
                "movaps [rsp + 144], xmm4",
                "movaps [rsp + 160], xmm5",
                "movaps [rsp + 176], xmm6",
                "movaps [rsp + 192], xmm7",
                "2:",
                "mov dword ptr [rsp], {offset}",
                "mov dword ptr [rsp + 4], 48",
                "lea rax, [rsp + 224]",
                "mov [rsp + 8], rax",
                "lea rax, [rsp + 32]",
                "mov [rsp + 16], rax",
                variadic!(@x86_64 $fixed),
                "call {function}",
                "add rsp, 216",
                "ret",
                offset = const 8 * $fixed,
                function = sym $function,
            );
            #[cfg(target_arch = "aarch64")]
            core::arch::naked_asm!(
                "stp x29, x30, [sp, #-256]!",
                "mov x29, sp",
                "stp x0, x1, [sp, #16]",
                "stp x2, x3, [sp, #32]",
                "stp x4, x5, [sp, #48]",
                "stp x6, x7, [sp, #64]",
                "stp q0, q1, [sp, #80]",
                "stp q2, q3, [sp, #112]",
                "stp q4, q5, [sp, #144]",
                "stp q6, q7, [sp, #176]",
                "add x9, sp, #256",
                "add x10, sp, #80",
                "stp x9, x10, [sp, #208]",
                "add x9, sp, #208",
                "str x9, [sp, #224]",
                "mov w9, #-{left}",
                "mov w10, #-128",
                "stp w9, w10, [sp, #232]",
                variadic!(@aarch64 $fixed),
                "bl {function}",
                "ldp x29, x30, [sp], #256",
                "ret",
                left = const 8 * (8 - $fixed),
                function = sym $function,
            );
        }
    )*};
    (@x86_64 1) => { "mov rsi, rsp" };
    (@x86_64 2) => { "mov rdx, rsp" };
    (@x86_64 3) => { "mov rcx, rsp" };
    (@x86_64 4) => { "mov r8, rsp" };
    (@aarch64 1) => { "add x1, sp, #208" };
    (@aarch64 2) => { "add x2, sp, #208" };
    (@aarch64 3) => { "add x3, sp, #208" };
    (@aarch64 4) => { "add x4, sp, #208" };
}

pub(crate) use variadic;
