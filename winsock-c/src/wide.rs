//! The W functions of `winsock-sys` for programs whose wide characters have four bytes, as Linux'
//! have: text goes in and out as UTF-32, and to the functions as UTF-16.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{LazyLock, Mutex, PoisonError};

use windows_sys::Win32::Foundation::{HANDLE, HINSTANCE, HWND};
use windows_sys::Win32::Networking::WinSock::{
    ADDRINFOEXW, ADDRINFOW, SOCKADDR, SOCKET, SOCKET_ERROR, TIMEVAL, WSAENOBUFS, WSAPROTOCOL_INFOW,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::Win32::UI::WindowsAndMessaging::{HMENU, WNDCLASSEXW, WNDCLASSW};
use windows_sys::core::{BOOL, GUID};
use winsock_sys::Win32::Networking::WinSock as winsock;
use winsock_sys::Win32::Storage::FileSystem as files;
use winsock_sys::Win32::System::Pipes as pipes;
use winsock_sys::Win32::System::Threading as threading;
use winsock_sys::Win32::UI::WindowsAndMessaging as windows;

use crate::text;

/// A parameter that is text: NULL, an atom (a small number), or characters up to a NUL.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Text(*const u32);

/// A text while the call lasts.
struct Held {
    atom: *const u16,
    units: Option<Vec<u16>>,
}

impl Text {
    const LARGEST_ATOM: usize = 0xffff;

    /// # Safety
    /// What the type promises.
    unsafe fn hold(self) -> Held {
        match self.0.addr() <= Text::LARGEST_ATOM {
            true => Held { atom: self.0.cast(), units: None },
            // SAFETY: the caller's promise.
            false => Held { atom: std::ptr::null(), units: unsafe { text::convert(self.0) } },
        }
    }
}

impl Held {
    fn pointer(&self) -> *const u16 {
        match &self.units {
            Some(units) => units.as_ptr(),
            None => self.atom,
        }
    }
}

/// Functions whose texts go in: `Text` parameters are converted, the others passed on.
macro_rules! with_texts {
    ($(
        $function:path as $name:ident(
            $($argument:ident: $type:ident $(<$inner:ty>)?),*
        ) -> $result:ty;
    )*) => {$(
        #[doc = concat!("`", stringify!($name), "` with UTF-32.")]
        ///
        /// # Safety
        /// As there.
        #[allow(clippy::too_many_arguments)] // As there.
        pub unsafe extern "C" fn $name($($argument: $type $(<$inner>)?),*) -> $result {
            // SAFETY: passed on from our caller.
            unsafe {
                $(let $argument = with_texts!(@hold $type $argument);)*
                $function($(with_texts!(@pass $type $argument)),*)
            }
        }
    )*};
    (@hold Text $argument:ident) => { $argument.hold() };
    (@hold $type:ident $argument:ident) => { $argument };
    (@pass Text $argument:ident) => { $argument.pointer() };
    (@pass $type:ident $argument:ident) => { $argument };
}

/// Pointers under a name that the macro can read.
type In<T> = *const T;
type Out<T> = *mut T;

with_texts! {
    threading::CreateEventW as CreateEventW(
        security: In<SECURITY_ATTRIBUTES>, manual_reset: BOOL, set: BOOL, name: Text
    ) -> HANDLE;

    threading::CreateEventExW as CreateEventExW(
        security: In<SECURITY_ATTRIBUTES>, name: Text, flags: u32, access: u32
    ) -> HANDLE;

    threading::OpenEventW as OpenEventW(access: u32, inherit: BOOL, name: Text) -> HANDLE;

    threading::CreateMutexW as CreateMutexW(
        security: In<SECURITY_ATTRIBUTES>, owned: BOOL, name: Text
    ) -> HANDLE;

    threading::CreateMutexExW as CreateMutexExW(
        security: In<SECURITY_ATTRIBUTES>, name: Text, flags: u32, access: u32
    ) -> HANDLE;

    pipes::CreateNamedPipeW as CreateNamedPipeW(
        name: Text, open_mode: u32, pipe_mode: u32, most: u32, out_size: u32, in_size: u32,
        timeout: u32, security: In<SECURITY_ATTRIBUTES>
    ) -> HANDLE;

    threading::OpenMutexW as OpenMutexW(access: u32, inherit: BOOL, name: Text) -> HANDLE;

    threading::CreateSemaphoreW as CreateSemaphoreW(
        security: In<SECURITY_ATTRIBUTES>, count: i32, most: i32, name: Text
    ) -> HANDLE;

    threading::CreateSemaphoreExW as CreateSemaphoreExW(
        security: In<SECURITY_ATTRIBUTES>, count: i32, most: i32, name: Text, flags: u32,
        access: u32
    ) -> HANDLE;

    threading::OpenSemaphoreW as OpenSemaphoreW(access: u32, inherit: BOOL, name: Text) -> HANDLE;

    threading::CreateWaitableTimerW as CreateWaitableTimerW(
        security: In<SECURITY_ATTRIBUTES>, manual_reset: BOOL, name: Text
    ) -> HANDLE;

    threading::CreateWaitableTimerExW as CreateWaitableTimerExW(
        security: In<SECURITY_ATTRIBUTES>, name: Text, flags: u32, access: u32
    ) -> HANDLE;

    threading::OpenWaitableTimerW as OpenWaitableTimerW(
        access: u32, inherit: BOOL, name: Text
    ) -> HANDLE;

    files::CreateFileW as CreateFileW(
        name: Text, access: u32, share: u32, security: In<SECURITY_ATTRIBUTES>, disposition: u32,
        flags: u32, template: HANDLE
    ) -> HANDLE;

    winsock::InetPtonW as InetPtonW(family: i32, address: Text, to: Out<c_void>) -> i32;

    winsock::WSAStringToAddressW as WSAStringToAddressW(
        address: Text, family: i32, info: In<WSAPROTOCOL_INFOW>, to: Out<SOCKADDR>, room: Out<i32>
    ) -> i32;

    winsock::WSAConnectByNameW as WSAConnectByNameW(
        s: SOCKET, node: Text, service: Text, local_len: Out<u32>, local: Out<SOCKADDR>,
        remote_len: Out<u32>, remote: Out<SOCKADDR>, timeout: In<TIMEVAL>,
        reserved: In<OVERLAPPED>
    ) -> BOOL;

    windows::UnregisterClassW as UnregisterClassW(class: Text, instance: HINSTANCE) -> BOOL;

    windows::RegisterWindowMessageW as RegisterWindowMessageW(name: Text) -> u32;

    windows::CreateWindowExW as CreateWindowExW(
        extended_style: u32, class: Text, title: Text, style: u32, x: i32, y: i32, width: i32,
        height: i32, parent: HWND, menu: HMENU, instance: HINSTANCE, parameter: In<c_void>
    ) -> HWND;

    windows::FindWindowW as FindWindowW(class: Text, title: Text) -> HWND;

    windows::FindWindowExW as FindWindowExW(
        parent: HWND, after: HWND, class: Text, title: Text
    ) -> HWND;

    windows::SetWindowTextW as SetWindowTextW(window: HWND, text: Text) -> BOOL;
}

/// `RegisterClassW` with UTF-32.
///
/// # Safety
/// As there.
pub unsafe extern "C" fn RegisterClassW(class: *const WNDCLASSW) -> u16 {
    // SAFETY: passed on from our caller.
    unsafe {
        let Some(class) = class.as_ref() else { return windows::RegisterClassW(class) };
        let name = Text(class.lpszClassName.cast()).hold();
        let menu = Text(class.lpszMenuName.cast()).hold();
        windows::RegisterClassW(&WNDCLASSW {
            lpszClassName: name.pointer(),
            lpszMenuName: menu.pointer(),
            ..*class
        })
    }
}

/// `RegisterClassExW` with UTF-32.
///
/// # Safety
/// As there.
pub unsafe extern "C" fn RegisterClassExW(class: *const WNDCLASSEXW) -> u16 {
    // SAFETY: passed on from our caller.
    unsafe {
        let Some(class) = class.as_ref() else { return windows::RegisterClassExW(class) };
        let name = Text(class.lpszClassName.cast()).hold();
        let menu = Text(class.lpszMenuName.cast()).hold();
        windows::RegisterClassExW(&WNDCLASSEXW {
            lpszClassName: name.pointer(),
            lpszMenuName: menu.pointer(),
            ..*class
        })
    }
}

/// Lets a function write UTF-16 into a buffer of `room` units, and hands it on as UTF-32.
///
/// # Safety
/// `to` is NULL or writable for `room` units.
unsafe fn receive<R>(
    to: *mut u32,
    room: usize,
    write: impl FnOnce(*mut u16, usize) -> (R, bool),
) -> R {
    if to.is_null() {
        return write(std::ptr::null_mut(), room).0;
    }
    let mut units = vec![0u16; room.min(1 << 16)];
    let (result, written) = write(units.as_mut_ptr(), units.len());
    if written {
        let end = units.iter().position(|&unit| unit == 0).unwrap_or(units.len());
        // UTF-32 has no more units than UTF-16, so it fits.
        // SAFETY: the caller's promise.
        let _ = unsafe { text::write(&String::from_utf16_lossy(&units[..end]), to, room) };
    }
    result
}

/// `InetNtopW` with UTF-32.
///
/// # Safety
/// As there.
pub unsafe extern "C" fn InetNtopW(
    family: i32,
    address: *const c_void,
    to: *mut u32,
    room: usize,
) -> *const u32 {
    // SAFETY: passed on from our caller.
    unsafe {
        receive(to, room, |units, room| {
            match winsock::InetNtopW(family, address, units, room).is_null() {
                true => (std::ptr::null(), false),
                false => (to.cast_const(), true),
            }
        })
    }
}

/// `GetHostNameW` with UTF-32.
///
/// # Safety
/// As there.
pub unsafe extern "C" fn GetHostNameW(to: *mut u32, room: i32) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe {
        receive(to, room.max(0) as usize, |units, _| {
            let result = winsock::GetHostNameW(units, room);
            (result, result == 0)
        })
    }
}

/// `GetNameInfoW` with UTF-32.
///
/// # Safety
/// As there.
pub unsafe extern "C" fn GetNameInfoW(
    address: *const SOCKADDR,
    len: i32,
    node: *mut u32,
    node_room: u32,
    service: *mut u32,
    service_room: u32,
    flags: i32,
) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe {
        receive(node, node_room as usize, |node, _| {
            let result = receive(service, service_room as usize, |service, _| {
                let (node_room, service_room) = (node_room, service_room);
                let result = winsock::GetNameInfoW(
                    address,
                    len,
                    node,
                    node_room,
                    service,
                    service_room,
                    flags,
                );
                (result, result == 0)
            });
            (result, result == 0)
        })
    }
}

/// `WSAAddressToStringW` with UTF-32.
///
/// # Safety
/// As there.
pub unsafe extern "C" fn WSAAddressToStringW(
    address: *const SOCKADDR,
    len: u32,
    info: *const WSAPROTOCOL_INFOW,
    to: *mut u32,
    room: *mut u32,
) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe {
        let units = room.as_ref().map_or(0, |room| *room as usize);
        receive(to, units, |to, _| {
            let result = winsock::WSAAddressToStringW(address, len, info, to, room);
            (result, result == 0)
        })
    }
}

/// `GetAdaptersAddresses` with UTF-32.
///
/// # Safety
/// As there.
pub unsafe extern "C" fn GetAdaptersAddresses(
    family: u32,
    flags: u32,
    _reserved: *const c_void,
    to: *mut c_void,
    size: *mut u32,
) -> u32 {
    // SAFETY: passed on from our caller.
    unsafe { winsock_sys::linux::adapters_addresses_utf32(family, flags, to.cast(), size) }
}

/// `GetWindowTextW` with UTF-32.
///
/// # Safety
/// As there.
pub unsafe extern "C" fn GetWindowTextW(window: HWND, to: *mut u32, room: i32) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe {
        receive(to, room.max(0) as usize, |to, _| (windows::GetWindowTextW(window, to, room), true))
    }
}

/// `GetClassNameW` with UTF-32.
///
/// # Safety
/// As there.
pub unsafe extern "C" fn GetClassNameW(window: HWND, to: *mut u32, room: i32) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe {
        receive(to, room.max(0) as usize, |to, _| {
            let result = windows::GetClassNameW(window, to, room);
            (result, result != 0)
        })
    }
}

/// A WSAPROTOCOL_INFOW whose name has units of four bytes; up to the name both are the same.
#[repr(C)]
pub struct ProtocolInfo {
    before: [u8; std::mem::offset_of!(WSAPROTOCOL_INFOW, szProtocol)],
    name: [u32; 256],
}

impl ProtocolInfo {
    /// # Safety
    /// `to` is a place for one.
    pub unsafe fn write(info: &WSAPROTOCOL_INFOW, to: *mut ProtocolInfo) {
        // SAFETY: the structures begin alike, and our caller vouches for the place.
        unsafe {
            let to = to.cast::<u8>();
            let length = size_of::<WSAPROTOCOL_INFOW>() - size_of_val(&info.szProtocol);
            (&raw const *info).cast::<u8>().copy_to_nonoverlapping(to, length);
            let name = info.szProtocol.map(u32::from);
            to.add(length).cast::<[u32; 256]>().write_unaligned(name);
        }
    }
}

/// `WSADuplicateSocketW` with UTF-32. `WSASocketW` reads nothing of the name, and is the same for
/// both.
///
/// # Safety
/// As there.
pub unsafe extern "C" fn WSADuplicateSocketW(
    s: SOCKET,
    process: u32,
    info: *mut ProtocolInfo,
) -> i32 {
    let mut filled = WSAPROTOCOL_INFOW::default();
    // SAFETY: passed on from our caller.
    unsafe {
        let place = if info.is_null() { std::ptr::null_mut() } else { &mut filled };
        let result = winsock::WSADuplicateSocketW(s, process, place);
        if result == 0 {
            ProtocolInfo::write(&filled, info);
        }
        result
    }
}

/// `WSAEnumProtocolsW` with UTF-32.
///
/// # Safety
/// As there.
pub unsafe extern "C" fn WSAEnumProtocolsW(
    wanted: *const i32,
    to: *mut ProtocolInfo,
    room: *mut u32,
) -> i32 {
    /// More than there are protocols.
    const MOST: usize = 16;
    let mut all = vec![WSAPROTOCOL_INFOW::default(); MOST];
    let mut used = (MOST * size_of::<WSAPROTOCOL_INFOW>()) as u32;
    // SAFETY: passed on from our caller; the list has the room that is said.
    unsafe {
        if room.is_null() {
            return winsock::WSAEnumProtocolsW(wanted, std::ptr::null_mut(), room);
        }
        let count = winsock::WSAEnumProtocolsW(wanted, all.as_mut_ptr(), &mut used);
        let needed = count.max(0) as usize * size_of::<ProtocolInfo>();
        let given = std::mem::replace(&mut *room, needed as u32) as usize;
        if count >= 0 && (given < needed || to.is_null()) {
            winsock::WSASetLastError(WSAENOBUFS);
            return SOCKET_ERROR;
        }
        for (nth, info) in all.iter().take(count.max(0) as usize).enumerate() {
            ProtocolInfo::write(info, to.add(nth));
        }
        count
    }
}

/// A result's canonical name: where it is in UTF-16, and UTF-32 as the program sees it.
type Name = (usize, Vec<u32>);

/// The names of results, by the address of the entry that has one.
static NAMES: LazyLock<Mutex<HashMap<usize, Name>>> = LazyLock::new(Mutex::default);

/// An entry of a list of addresses.
trait Entry {
    fn name(&mut self) -> &mut *mut u16;
    fn next(&self) -> *mut Self;
}

impl Entry for ADDRINFOW {
    fn name(&mut self) -> &mut *mut u16 {
        &mut self.ai_canonname
    }
    fn next(&self) -> *mut ADDRINFOW {
        self.ai_next
    }
}

impl Entry for ADDRINFOEXW {
    fn name(&mut self) -> &mut *mut u16 {
        &mut self.ai_canonname
    }
    fn next(&self) -> *mut ADDRINFOEXW {
        self.ai_next
    }
}

/// Replaces the names of a list by UTF-32.
///
/// # Safety
/// `list` is NULL or a list of addresses.
unsafe fn widen<E: Entry>(mut list: *mut E) {
    // SAFETY: the caller's promise.
    while let Some(entry) = unsafe { list.as_mut() } {
        // SAFETY: as above.
        if let Some(mut wide) = unsafe { text::convert::<u16, u32>(*entry.name()) } {
            let narrow = std::mem::replace(entry.name(), wide.as_mut_ptr().cast());
            let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
            names.insert(list.addr(), (narrow.expose_provenance(), wide));
        }
        list = entry.next();
    }
}

/// Puts back the names of a list that is about to be freed.
///
/// # Safety
/// As [`widen`].
unsafe fn restore<E: Entry>(mut list: *mut E) {
    // SAFETY: the caller's promise.
    while let Some(entry) = unsafe { list.as_mut() } {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((narrow, _)) = names.remove(&list.addr()) {
            *entry.name() = std::ptr::with_exposed_provenance_mut(narrow);
        }
        list = entry.next();
    }
}

/// `GetAddrInfoW` with UTF-32.
///
/// # Safety
/// As there.
pub unsafe extern "C" fn GetAddrInfoW(
    node: Text,
    service: Text,
    hints: *const ADDRINFOW,
    result: *mut *mut ADDRINFOW,
) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe {
        let (node, service) = (node.hold(), service.hold());
        let code = winsock::GetAddrInfoW(node.pointer(), service.pointer(), hints, result);
        if code == 0 {
            widen(*result);
        }
        code
    }
}

/// `FreeAddrInfoW` for [`GetAddrInfoW`].
///
/// # Safety
/// As there.
pub unsafe extern "C" fn FreeAddrInfoW(list: *mut ADDRINFOW) {
    // SAFETY: passed on from our caller.
    unsafe {
        restore(list);
        winsock::FreeAddrInfoW(list);
    }
}

/// `GetAddrInfoExW` with UTF-32. What an overlapped look-up finds later keeps its canonical name in
/// UTF-16.
///
/// # Safety
/// As there.
#[allow(clippy::too_many_arguments)] // As there.
pub unsafe extern "C" fn GetAddrInfoExW(
    name: Text,
    service: Text,
    space: u32,
    provider: *const GUID,
    hints: *const ADDRINFOEXW,
    result: *mut *mut ADDRINFOEXW,
    timeout: *const TIMEVAL,
    overlapped: *const OVERLAPPED,
    routine: winsock::LPLOOKUPSERVICE_COMPLETION_ROUTINE,
    handle: *mut HANDLE,
) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe {
        let (name, service) = (name.hold(), service.hold());
        let code = winsock::GetAddrInfoExW(
            name.pointer(),
            service.pointer(),
            space,
            provider,
            hints,
            result,
            timeout,
            overlapped,
            routine,
            handle,
        );
        if code == 0 {
            widen(*result);
        }
        code
    }
}

/// `FreeAddrInfoExW` for [`GetAddrInfoExW`].
///
/// # Safety
/// As there.
pub unsafe extern "C" fn FreeAddrInfoExW(list: *mut ADDRINFOEXW) {
    // SAFETY: passed on from our caller.
    unsafe {
        restore(list);
        winsock::FreeAddrInfoExW(list);
    }
}
