//! What becomes of a line of the export table.

/// An export is a jump to the function, so that no signature is written a second time. What the
/// headers declare is compared with the signatures in Rust by `cargo xtask headers`.
macro_rules! export {
    ($symbol:ident, $function:path) => {
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $symbol() {
            #[cfg(target_arch = "x86_64")]
            core::arch::naked_asm!("jmp {}", sym $function);
            #[cfg(target_arch = "aarch64")]
            core::arch::naked_asm!("b {}", sym $function);
        }
    };
}

macro_rules! exports {
    ($($module:ident of $($path:ident)::+ { $($symbol:ident $(= $name:ident)?,)* })*) => {
        $(mod $module {
            use super::*;
            use $($path)::+ as of;

            $(exports!(@export $symbol $($name)?);)*

            pub const ALL: &[(&str, Function)] = &[$((stringify!($symbol), $symbol)),*];
        })*

        /// Every export by its symbol.
        pub const ALL: &[&[(&str, Function)]] = &[$($module::ALL),*];
    };
    (@export $symbol:ident) => { export!($symbol, of::$symbol); };
    (@export $symbol:ident $name:ident) => { export!($symbol, of::$name); };
}
