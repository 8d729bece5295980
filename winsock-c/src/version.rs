//! Which Windows this is: 10, as far as its functions go.

use std::cmp::Ordering;

use windows_sys::Win32::Foundation::{
    ERROR_BAD_ARGUMENTS, ERROR_INSUFFICIENT_BUFFER, ERROR_OLD_WIN_VERSION,
};
use windows_sys::Win32::System::SystemInformation::{
    VER_BUILDNUMBER, VER_FLAGS, VER_MAJORVERSION, VER_MINORVERSION, VER_PLATFORMID,
    VER_PRODUCT_TYPE, VER_SERVICEPACKMAJOR, VER_SERVICEPACKMINOR, VER_SUITENAME,
};
use windows_sys::core::BOOL;

use crate::last::{Code, answer};
use crate::text::{Unit, in_three_texts};

/// OSVERSIONINFO, whose text is of any unit.
#[repr(C)]
pub struct Version<U> {
    size: u32,
    major: u32,
    minor: u32,
    build: u32,
    platform: u32,
    service_pack: [U; 128],
}

/// OSVERSIONINFOEX.
#[repr(C)]
pub struct VersionEx<U> {
    version: Version<U>,
    service_pack_major: u16,
    service_pack_minor: u16,
    suite: u16,
    product: u8,
    reserved: u8,
}

const MAJOR: u32 = 10;
const MINOR: u32 = 0;
const BUILD: u32 = 19045;
/// VER_PLATFORM_WIN32_NT.
const PLATFORM: u32 = 2;
/// VER_SUITE_SINGLEUSERTS.
const SUITE: u16 = 0x100;
/// VER_NT_WORKSTATION.
const PRODUCT: u8 = 1;

in_three_texts! {
    /// The version, 10.0: [GetVersionExA][ms]. ERROR_INSUFFICIENT_BUFFER for a wrong size.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/sysinfoapi/nf-sysinfoapi-getversionexa
    ///
    /// # Safety
    /// As on Windows: `info` is as long as its first member says.
    GetVersionExA GetVersionExW = version(info: *mut Version<U>) -> BOOL;

    /// Whether the version is as asked: [VerifyVersionInfoA][ms]. FALSE: ERROR_OLD_WIN_VERSION, or
    /// ERROR_BAD_ARGUMENTS if nothing is asked or a condition is missing.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-verifyversioninfoa
    ///
    /// # Safety
    /// As on Windows: `info` is an OSVERSIONINFOEX.
    VerifyVersionInfoA VerifyVersionInfoW =
        verify(info: *const VersionEx<U>, types: VER_FLAGS, conditions: u64) -> BOOL;
}

/// # Safety
/// `info` is as long as its first member says.
unsafe fn version<U: Unit>(info: *mut Version<U>) -> BOOL {
    // SAFETY: passed on from our caller.
    let size = unsafe { (*info).size };
    let extended = size as usize == size_of::<VersionEx<U>>();
    if !extended && size as usize != size_of::<Version<U>>() {
        return answer(Err(Code(ERROR_INSUFFICIENT_BUFFER)));
    }
    let version = Version {
        size,
        major: MAJOR,
        minor: MINOR,
        build: BUILD,
        platform: PLATFORM,
        service_pack: [U::default(); 128],
    };
    // SAFETY: our caller vouches for as many bytes as `size` says.
    unsafe {
        if extended {
            info.cast::<VersionEx<U>>().write(VersionEx {
                version,
                service_pack_major: 0,
                service_pack_minor: 0,
                suite: SUITE,
                product: PRODUCT,
                reserved: 0,
            });
        } else {
            info.write(version);
        }
    }
    answer(Ok(()))
}

/// Each member that can be asked for, and the place of its condition.
const PLACES: [(VER_FLAGS, u32); 8] = [
    (VER_PRODUCT_TYPE, 7),
    (VER_SUITENAME, 6),
    (VER_SERVICEPACKMAJOR, 5),
    (VER_SERVICEPACKMINOR, 4),
    (VER_PLATFORMID, 3),
    (VER_BUILDNUMBER, 2),
    (VER_MAJORVERSION, 1),
    (VER_MINORVERSION, 0),
];
const CONDITION_BITS: u32 = 3;
const CONDITION: u64 = 7;

/// Adds a condition to those of VerifyVersionInfo: [VerSetConditionMask][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winnt/nf-winnt-versetconditionmask
pub unsafe extern "C" fn VerSetConditionMask(conditions: u64, types: u32, condition: u8) -> u64 {
    let place = PLACES.iter().find(|(kind, _)| types & kind != 0);
    place.map_or(conditions, |(_, place)| {
        conditions | (u64::from(condition) & CONDITION) << (place * CONDITION_BITS)
    })
}

/// The condition that was set for a member.
fn condition(conditions: u64, kind: VER_FLAGS) -> u64 {
    let place = PLACES.iter().find(|(other, _)| *other == kind).map_or(0, |&(_, place)| place);
    conditions >> (place * CONDITION_BITS) & CONDITION
}

/// Whether `ours`, compared with what is asked for, fulfils the condition; `None` if it is none.
fn fulfils(ours: Ordering, condition: u64) -> Option<bool> {
    Some(match condition {
        1 => ours.is_eq(),
        2 => ours.is_gt(),
        3 => ours.is_ge(),
        4 => ours.is_lt(),
        5 => ours.is_le(),
        _ => return None,
    })
}

/// # Safety
/// `info` is an OSVERSIONINFOEX.
unsafe fn verify<U: Unit>(info: *const VersionEx<U>, types: VER_FLAGS, conditions: u64) -> BOOL {
    // SAFETY: passed on from our caller.
    let asked = unsafe { &*info };
    answer(match is_as_asked(asked, types, conditions) {
        Some(true) => Ok(()),
        Some(false) => Err(Code(ERROR_OLD_WIN_VERSION)),
        None => Err(Code(ERROR_BAD_ARGUMENTS)),
    })
}

fn is_as_asked<U>(asked: &VersionEx<U>, types: VER_FLAGS, conditions: u64) -> Option<bool> {
    if types == 0 {
        return None;
    }
    let version = &asked.version;
    let mut all = true;
    let alone = [
        (VER_PRODUCT_TYPE, u32::from(PRODUCT).cmp(&asked.product.into())),
        (VER_PLATFORMID, PLATFORM.cmp(&version.platform)),
        (VER_BUILDNUMBER, BUILD.cmp(&version.build)),
    ];
    for (kind, ours) in alone.into_iter().filter(|(kind, _)| types & kind != 0) {
        all &= fulfils(ours, condition(conditions, kind))?;
    }
    if types & VER_SUITENAME != 0 {
        let shared = SUITE & asked.suite;
        all &= match condition(conditions, VER_SUITENAME) {
            6 => shared == asked.suite,
            7 => shared != 0 || asked.suite == 0,
            _ => return None,
        };
    }
    // The rest is one number: a member counts if those before it are equal.
    let in_order = [
        (VER_MAJORVERSION, MAJOR.cmp(&version.major)),
        (VER_MINORVERSION, MINOR.cmp(&version.minor)),
        (VER_SERVICEPACKMAJOR, 0.cmp(&asked.service_pack_major)),
        (VER_SERVICEPACKMINOR, 0.cmp(&asked.service_pack_minor)),
    ];
    let mut number = in_order.into_iter().filter(|(kind, _)| types & kind != 0).peekable();
    if let Some(&(first, _)) = number.peek() {
        let ours = number.map(|(_, ours)| ours).find(|ours| ours.is_ne());
        let ours = ours.unwrap_or(Ordering::Equal);
        all &= fulfils(ours, condition(conditions, first))?;
    }
    Some(all)
}
