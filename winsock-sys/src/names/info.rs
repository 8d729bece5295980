//! getaddrinfo, GetAddrInfoW and GetAddrInfoEx, as far as they answer at once.

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, HANDLE};
use windows_sys::Win32::Networking::WinSock::{
    ADDRINFOA, ADDRINFOEXA, ADDRINFOEXW, ADDRINFOW, LPLOOKUPSERVICE_COMPLETION_ROUTINE, NS_ALL,
    NS_DNS, TIMEVAL, WSAEFAULT, WSAEINVAL, WSASERVICE_NOT_FOUND,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::core::{GUID, PCSTR, PCWSTR};

use crate::error::{self, Code};
use crate::text;

use super::later::{self, Report};
use super::list::{self, Info};
use super::lookup::{self, Question};
use super::ready;

/// What these functions return: the code itself, which is the last error too.
pub fn returned(code: Code) -> i32 {
    if code.0 != ERROR_SUCCESS {
        error::set_last(code);
    }
    code.as_wsa()
}

/// The question that the parameters ask.
///
/// # Safety
/// The strings are NULL or end in NUL; `hints` is NULL or valid.
unsafe fn question<I: Info>(
    node: *const I::Unit,
    service: *const I::Unit,
    hints: *const I,
) -> Result<Question, Code> {
    ready()?;
    // SAFETY: the caller promises that hints are valid, and the strings' NULs.
    unsafe {
        let hints = hints.as_ref().map_or(Ok(Question::default()), Info::question)?;
        Ok(Question { node: text::read(node), service: text::read(service), ..hints })
    }
}

/// Answers at once, storing the list or NULL.
///
/// # Safety
/// As for [`question`]; `result` is NULL or writable.
unsafe fn now<I: Info>(
    node: *const I::Unit,
    service: *const I::Unit,
    hints: *const I,
    result: *mut *mut I,
) -> i32 {
    if result.is_null() {
        return returned(Code::wsa(WSAEFAULT));
    }
    // SAFETY: our caller promises what `question` asks for.
    let answered = unsafe { question(node, service, hints) }
        .and_then(|question| Ok(list::make(&question, &lookup::resolve(&question)?)));
    let (list, code) = match answered {
        Ok(list) => (list, Code(ERROR_SUCCESS)),
        Err(code) => (std::ptr::null_mut(), code),
    };
    // SAFETY: our caller promises that `result` is writable.
    unsafe { *result = list };
    returned(code)
}

/// Looks a host and a service up; `*ppresult` becomes a list to be freed with [`freeaddrinfo`].
///
/// A host is a literal address, a name or, if it is NULL, this computer: its wildcard addresses
/// with AI_PASSIVE, its loopback addresses without. `localhost` is every loopback address of the
/// computer; its own name, "" and "..localmachine" are all its other addresses. Names are UTF-8;
/// one that is not ASCII is encoded for DNS unless AI_DISABLE_IDN_ENCODING is set.
///
/// 0, or the error: WSANOTINITIALISED, WSAHOST_NOT_FOUND, WSANO_DATA, WSATRY_AGAIN, WSANO_RECOVERY
/// (also for hints with members set that must be 0), WSATYPE_NOT_FOUND (the service),
/// WSAEAFNOSUPPORT, WSAESOCKTNOSUPPORT, WSAEINVAL (flags), WSAEFAULT, WSA_NOT_ENOUGH_MEMORY.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfo
///
/// # Safety
/// The strings are NULL or end in NUL; `phints` is NULL or valid; `ppresult` is NULL or writable.
pub unsafe extern "system" fn getaddrinfo(
    pnodename: PCSTR,
    pservicename: PCSTR,
    phints: *const ADDRINFOA,
    ppresult: *mut *mut ADDRINFOA,
) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { now(pnodename, pservicename, phints, ppresult) }
}

/// [`getaddrinfo`] for wide strings; the list is freed with [`FreeAddrInfoW`].
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfow
///
/// # Safety
/// As for [`getaddrinfo`].
pub unsafe extern "system" fn GetAddrInfoW(
    pnodename: PCWSTR,
    pservicename: PCWSTR,
    phints: *const ADDRINFOW,
    ppresult: *mut *mut ADDRINFOW,
) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { now(pnodename, pservicename, phints, ppresult) }
}

/// Frees what [`getaddrinfo`] returned, or a tail of it; NULL is fine.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfo
///
/// # Safety
/// `paddrinfo` is NULL or from [`getaddrinfo`], and used by nobody any more.
pub unsafe extern "system" fn freeaddrinfo(paddrinfo: *const ADDRINFOA) {
    // SAFETY: our caller's promise is the same.
    unsafe { list::free(paddrinfo) }
}

/// Frees what [`GetAddrInfoW`] returned, or a tail of it; NULL is fine.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfow
///
/// # Safety
/// `paddrinfo` is NULL or from [`GetAddrInfoW`], and used by nobody any more.
pub unsafe extern "system" fn FreeAddrInfoW(paddrinfo: *const ADDRINFOW) {
    // SAFETY: our caller's promise is the same.
    unsafe { list::free(paddrinfo) }
}

/// Frees what [`GetAddrInfoExA`] returned, or a tail of it; NULL is fine.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfoex
///
/// # Safety
/// `paddrinfoex` is NULL or from [`GetAddrInfoExA`], and used by nobody any more.
pub unsafe extern "system" fn FreeAddrInfoEx(paddrinfoex: *const ADDRINFOEXA) {
    // SAFETY: our caller's promise is the same.
    unsafe { list::free(paddrinfoex) }
}

/// Frees what [`GetAddrInfoExW`] returned, or a tail of it; NULL is fine.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-freeaddrinfoexw
///
/// # Safety
/// `paddrinfoex` is NULL or from [`GetAddrInfoExW`], and used by nobody any more.
pub unsafe extern "system" fn FreeAddrInfoExW(paddrinfoex: *const ADDRINFOEXW) {
    // SAFETY: our caller's promise is the same.
    unsafe { list::free(paddrinfoex) }
}

/// There is the DNS name space and no other, and its only provider has no GUID.
fn check_name_space(name_space: u32, provider: *const GUID) -> Result<(), Code> {
    match provider.is_null() && matches!(name_space, NS_ALL | NS_DNS) {
        true => Ok(()),
        false => Err(Code::wsa(WSASERVICE_NOT_FOUND)),
    }
}

/// [`getaddrinfo`] with a name space, which must be NS_ALL or NS_DNS without a provider
/// (WSASERVICE_NOT_FOUND otherwise). The last four parameters must be NULL (WSAEINVAL). The list is
/// freed with [`FreeAddrInfoEx`].
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfoexa
///
/// # Safety
/// As for [`getaddrinfo`].
pub unsafe extern "system" fn GetAddrInfoExA(
    pname: PCSTR,
    pservicename: PCSTR,
    dwnamespace: u32,
    lpnspid: *const GUID,
    hints: *const ADDRINFOEXA,
    ppresult: *mut *mut ADDRINFOEXA,
    timeout: *const TIMEVAL,
    lpoverlapped: *const OVERLAPPED,
    lpcompletionroutine: LPLOOKUPSERVICE_COMPLETION_ROUTINE,
    lpnamehandle: *mut HANDLE,
) -> i32 {
    let reserved = !timeout.is_null()
        || !lpoverlapped.is_null()
        || lpcompletionroutine.is_some()
        || !lpnamehandle.is_null();
    if reserved {
        return returned(Code::wsa(WSAEINVAL));
    }
    if let Err(code) = check_name_space(dwnamespace, lpnspid) {
        return returned(code);
    }
    // SAFETY: our caller's promise is the same.
    unsafe { now(pname, pservicename, hints, ppresult) }
}

/// [`GetAddrInfoW`] with a name space (as [`GetAddrInfoExA`]), a time-out and, if `lpoverlapped` is
/// given, later: it then returns WSA_IO_PENDING and reports through the event in `hEvent` or, on a
/// thread of its own, through the routine. The list is freed with [`FreeAddrInfoExW`].
///
/// Errors as [`getaddrinfo`]; WSAETIMEDOUT after the time-out; WSAEINVAL for an OVERLAPPED with
/// neither or both of event and routine, or a routine or handle without one.
///
/// DIFFERS: Windows answers some questions at once even if an OVERLAPPED is given; here the answer
/// to a good question always comes later.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-getaddrinfoexw
///
/// # Safety
/// As for [`getaddrinfo`]; `timeout` is NULL or valid; `lphandle` is NULL or writable.
/// `lpoverlapped` is NULL or, like `ppresult`, the look-up's until it reports.
pub unsafe extern "system" fn GetAddrInfoExW(
    pname: PCWSTR,
    pservicename: PCWSTR,
    dwnamespace: u32,
    lpnspid: *const GUID,
    hints: *const ADDRINFOEXW,
    ppresult: *mut *mut ADDRINFOEXW,
    timeout: *const TIMEVAL,
    lpoverlapped: *const OVERLAPPED,
    lpcompletionroutine: LPLOOKUPSERVICE_COMPLETION_ROUTINE,
    lphandle: *mut HANDLE,
) -> i32 {
    if ppresult.is_null() {
        return returned(Code::wsa(WSAEFAULT));
    }
    // SAFETY: our caller promises that `ppresult` is writable.
    unsafe { *ppresult = std::ptr::null_mut() };
    let ask = || {
        check_name_space(dwnamespace, lpnspid)?;
        // SAFETY: our caller promises what these ask for.
        unsafe {
            let question = question(pname, pservicename, hints)?;
            let report = Report::new(ppresult, lpoverlapped, lpcompletionroutine)?;
            if report.is_none() && !lphandle.is_null() {
                return Err(Code::wsa(WSAEINVAL));
            }
            Ok((question, report, timeout.as_ref().map(later::duration).transpose()?))
        }
    };
    let (question, report, timeout) = match ask() {
        Ok(asked) => asked,
        Err(code) => return returned(code),
    };
    let Some(report) = report else {
        let answered = later::within(&question, timeout);
        let list = answered.map(|answer| list::make(&question, &answer));
        return match list {
            Ok(list) => {
                // SAFETY: as above.
                unsafe { *ppresult = list };
                0
            }
            Err(code) => returned(code),
        };
    };
    // SAFETY: our caller promises that `lphandle` is NULL or writable.
    returned(unsafe { later::start(question, report, timeout, lphandle) })
}
