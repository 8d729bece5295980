//! Seam A on Windows: the kernel already is what the Linux side imitates.

#[allow(non_snake_case)]
pub use windows_sys::Win32;
pub use windows_sys::core;
