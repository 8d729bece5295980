//! Libraries and their functions by name.
//!
//! The system's libraries are this one: whatever a program asks of kernel32 or ws2_32 is looked up
//! in the export table. Other libraries are shared objects of Linux.

use std::ffi::{CString, c_void};

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_MOD_NOT_FOUND, ERROR_PROC_NOT_FOUND,
};
use windows_sys::core::BOOL;
use winsock_sys::linux::release_when_callback_returns;

use crate::exports::{self, Function};
use crate::last::{Code, answer, or_null, or_zero};
use crate::paths::reply;
use crate::text::{self, Unit, in_three_texts};

/// The system's libraries whose functions, as far as they are here, are in the export table.
const SYSTEM: &[&str] = &[
    "advapi32",
    "bcrypt",
    "gdi32",
    "iphlpapi",
    "kernel32",
    "kernelbase",
    "msvcrt",
    "mswsock",
    "ntdll",
    "ole32",
    "shell32",
    "ucrtbase",
    "user32",
    "winmm",
    "ws2_32",
    "wsock32",
];

/// What stands for all of them.
static SELF: u8 = 0;

fn system() -> *mut c_void {
    (&raw const SELF).cast_mut().cast()
}

/// The program's own module, as window classes know it.
fn program() -> *mut c_void {
    // SAFETY: NULL is allowed.
    unsafe { winsock_sys::Win32::System::LibraryLoader::GetModuleHandleA(std::ptr::null()) }
}

/// The last part of a name, without its folder and `.dll`, in lower case.
fn stem(name: &str) -> String {
    let name = name.rsplit(['\\', '/']).next().unwrap_or(name).to_ascii_lowercase();
    name.strip_suffix(".dll").map(str::to_owned).unwrap_or(name)
}

fn is_system(name: &str) -> bool {
    let stem = stem(name);
    SYSTEM.contains(&stem.as_str()) || stem.starts_with("api-ms-win-")
}

in_three_texts! {
    /// A library that is loaded, or with NULL the program: [GetModuleHandleA][ms]. NULL and
    /// ERROR_MOD_NOT_FOUND.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/libloaderapi/nf-libloaderapi-getmodulehandlea
    ///
    /// # Safety
    /// As on Windows: the name is NULL or ends in a NUL.
    GetModuleHandleA GetModuleHandleW = module_handle(name: *const U) -> *mut c_void;

    /// Loads a library: [LoadLibraryA][ms].
    ///
    /// DIFFERS: what is none of the system's is a shared object of Linux: `foo.dll` is foo.so or
    /// libfoo.so.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/libloaderapi/nf-libloaderapi-loadlibrarya
    ///
    /// # Safety
    /// As on Windows: the name ends in a NUL.
    LoadLibraryA LoadLibraryW = load_library(name: *const U) -> *mut c_void;

    /// As LoadLibrary: [LoadLibraryExA][ms].
    ///
    /// DIFFERS: the flags are ignored.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/libloaderapi/nf-libloaderapi-loadlibraryexa
    ///
    /// # Safety
    /// As on Windows: the name ends in a NUL.
    LoadLibraryExA LoadLibraryExW =
        load_library_ex(name: *const U, file: *mut c_void, flags: u32) -> *mut c_void;

    /// The file that a program or a library was loaded from: [GetModuleFileNameA][ms].
    ///
    /// DIFFERS: a Linux path, with slashes.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/libloaderapi/nf-libloaderapi-getmodulefilenamea
    ///
    /// # Safety
    /// As on Windows: `to` has room for `room` characters.
    GetModuleFileNameA GetModuleFileNameW =
        module_file(module: *mut c_void, to: *mut U, room: u32) -> u32;
}

/// # Safety
/// The name is NULL or ends in a NUL.
unsafe fn module_handle<U: Unit>(name: *const U) -> *mut c_void {
    // SAFETY: passed on from our caller.
    match unsafe { text::read(name) } {
        None => program(),
        Some(name) if is_system(&name) => system(),
        Some(name) => or_null(open(&name, libc::RTLD_LAZY | libc::RTLD_NOLOAD)),
    }
}

/// # Safety
/// The name is NULL or ends in a NUL.
unsafe fn load_library<U: Unit>(name: *const U) -> *mut c_void {
    // SAFETY: passed on from our caller.
    or_null(match unsafe { text::read(name) } {
        None => Err(Code(ERROR_INVALID_PARAMETER)),
        Some(name) if is_system(&name) => Ok(system()),
        Some(name) => open(&name, libc::RTLD_NOW),
    })
}

/// # Safety
/// As [`load_library`].
unsafe fn load_library_ex<U: Unit>(name: *const U, _file: *mut c_void, _flags: u32) -> *mut c_void {
    // SAFETY: passed on from our caller.
    unsafe { load_library(name) }
}

/// Opens the first of the files that a name may mean.
fn open(name: &str, flags: i32) -> Result<*mut c_void, Code> {
    let path = winsock_sys::linux::path(name);
    let path = path.to_string_lossy();
    let bare = path.strip_suffix(".dll").or(path.strip_suffix(".DLL")).unwrap_or(&path);
    let (folder, file) = bare
        .rsplit_once('/')
        .map_or(("", bare), |(_, file)| (&bare[..bare.len() - file.len()], file));
    let names = [path.to_string(), format!("{bare}.so"), format!("{folder}lib{file}.so")];
    names
        .into_iter()
        .filter_map(|name| CString::new(name).ok())
        // SAFETY: the name ends in a NUL; what a library does when it is loaded is its own.
        .map(|name| unsafe { libc::dlopen(name.as_ptr(), flags) })
        .find(|library| !library.is_null())
        .ok_or(Code(ERROR_MOD_NOT_FOUND))
}

/// # Safety
/// `to` has room for `room` units.
unsafe fn module_file<U: Unit>(_module: *mut c_void, to: *mut U, room: u32) -> u32 {
    let file = std::env::current_exe().map_err(Code::from);
    or_zero(file.map(|file| {
        // SAFETY: passed on from our caller.
        match unsafe { reply(&file.to_string_lossy(), to, room) } {
            len if len > room => room, // Windows cuts the name off; we write none.
            len => len,
        }
    }))
}

/// Gives a library back: [FreeLibrary][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/libloaderapi/nf-libloaderapi-freelibrary
///
/// # Safety
/// As on Windows: the module is one of LoadLibrary.
pub unsafe extern "C" fn FreeLibrary(module: *mut c_void) -> BOOL {
    answer(match module {
        module if module == system() || module == program() => Ok(()),
        module if module.is_null() => Err(Code(ERROR_INVALID_HANDLE)),
        // SAFETY: our caller vouches for the module.
        module => match unsafe { libc::dlclose(module) } {
            0 => Ok(()),
            _ => Err(Code(ERROR_INVALID_HANDLE)),
        },
    })
}

/// Gives a library back when the callback of a pool returns: [FreeLibraryWhenCallbackReturns][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-freelibrarywhencallbackreturns
///
/// # Safety
/// As on Windows: the instance is that of the callback that calls this, the module one of
/// LoadLibrary.
pub unsafe extern "C" fn FreeLibraryWhenCallbackReturns(
    instance: winsock_sys::Win32::System::Threading::PTP_CALLBACK_INSTANCE,
    module: *mut c_void,
) {
    // SAFETY: passed on from our caller.
    unsafe { release_when_callback_returns(instance, FreeLibrary, module) };
}

/// A function of a library: [GetProcAddress][ms]. NULL and ERROR_PROC_NOT_FOUND.
///
/// DIFFERS: by its name, not by its number.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/libloaderapi/nf-libloaderapi-getprocaddress
///
/// # Safety
/// As on Windows: the module is one of LoadLibrary or GetModuleHandle, the name ends in a NUL.
pub unsafe extern "C" fn GetProcAddress(module: *mut c_void, name: *const u8) -> *mut c_void {
    // SAFETY: passed on from our caller.
    unsafe { function(module, name, exports::find) }
}

/// [`GetProcAddress`] where a wide character has four bytes.
pub mod wide {
    use super::*;

    /// [`super::GetProcAddress`], which prefers the functions for such text.
    ///
    /// # Safety
    /// As there.
    pub unsafe extern "C" fn GetProcAddress(module: *mut c_void, name: *const u8) -> *mut c_void {
        // SAFETY: passed on from our caller.
        unsafe { function(module, name, exports::find_wide) }
    }
}

/// # Safety
/// As [`GetProcAddress`].
unsafe fn function(
    module: *mut c_void,
    name: *const u8,
    find: fn(&str) -> Option<Function>,
) -> *mut c_void {
    const LARGEST_NUMBER: usize = 0xffff;
    if name.addr() <= LARGEST_NUMBER {
        return or_null(Err(Code(ERROR_PROC_NOT_FOUND)));
    }
    let found = if module == system() {
        // SAFETY: our caller vouches for the name.
        let name = unsafe { text::read(name) }.unwrap_or_default();
        find(&name).map_or(std::ptr::null_mut(), |function| function as *mut c_void)
    } else {
        let module = if module == program() { libc::RTLD_DEFAULT } else { module };
        // SAFETY: our caller vouches for module and name.
        unsafe { libc::dlsym(module, name.cast()) }
    };
    or_null(if found.is_null() { Err(Code(ERROR_PROC_NOT_FOUND)) } else { Ok(found) })
}
