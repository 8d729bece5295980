//! Pages of memory: VirtualAlloc, and files mapped into memory.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use windows_sys::Win32::Foundation::{
    ERROR_FILE_INVALID, ERROR_INVALID_ADDRESS, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER,
    ERROR_NOT_ENOUGH_MEMORY, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::Memory::{
    FILE_MAP_COPY, FILE_MAP_WRITE, MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE,
    PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_EXECUTE_WRITECOPY, PAGE_NOACCESS,
    PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY,
};
use windows_sys::core::BOOL;

use crate::last::{Code, answer, or_null};

/// What is mapped, by its address: munmap wants the length that VirtualFree and UnmapViewOfFile do
/// not say.
static REGIONS: Mutex<BTreeMap<usize, Region>> = Mutex::new(BTreeMap::new());

struct Region {
    length: usize,
    /// What VirtualProtect answers as the old protection.
    protection: u32,
}

fn regions() -> MutexGuard<'static, BTreeMap<usize, Region>> {
    REGIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn page() -> usize {
    // SAFETY: sysconf takes a number.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// The pages that hold a stretch of memory.
fn whole_pages(address: usize, length: usize) -> (usize, usize) {
    let page = page();
    let start = address / page * page;
    let end = (address + length).next_multiple_of(page);
    (start, end - start)
}

fn protection(windows: u32) -> Option<i32> {
    Some(match windows & 0xff {
        PAGE_NOACCESS => libc::PROT_NONE,
        PAGE_READONLY => libc::PROT_READ,
        PAGE_READWRITE | PAGE_WRITECOPY => libc::PROT_READ | libc::PROT_WRITE,
        PAGE_EXECUTE => libc::PROT_EXEC,
        PAGE_EXECUTE_READ => libc::PROT_READ | libc::PROT_EXEC,
        PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY => {
            libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC
        }
        _ => return None,
    })
}

/// Reserves pages, commits them, or both: [VirtualAlloc][ms]. NULL on failure.
///
/// Reserved pages that are not committed cannot be touched. An address asks for that place and is
/// rounded down to a page.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/memoryapi/nf-memoryapi-virtualalloc
///
/// # Safety
/// As on Windows: pages committed at an address are the program's to commit.
pub unsafe extern "C" fn VirtualAlloc(
    address: *mut c_void,
    size: usize,
    kind: u32,
    protect: u32,
) -> *mut c_void {
    let Some(allowed) = protection(protect).filter(|_| size != 0) else {
        return or_null(Err(Code(ERROR_INVALID_PARAMETER)));
    };
    let mut regions = regions();
    let (start, length) = whole_pages(address.addr(), size);
    let reserved = regions
        .range_mut(..=start)
        .next_back()
        .filter(|(at, region)| start + length <= **at + region.length);
    if kind & MEM_COMMIT != 0
        && let Some((_, region)) = reserved.filter(|_| !address.is_null())
    {
        region.protection = protect;
        let place = address.with_addr(start);
        // SAFETY: the pages are of a region that the program reserved.
        return or_null(match unsafe { libc::mprotect(place, length, allowed) } {
            0 => Ok(place),
            _ => Err(Code(ERROR_INVALID_ADDRESS)),
        });
    }
    if kind & (MEM_RESERVE | MEM_COMMIT) == 0 {
        return or_null(Err(Code(ERROR_INVALID_PARAMETER)));
    }
    let allowed = if kind & MEM_COMMIT != 0 { allowed } else { libc::PROT_NONE };
    let mut flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    if !address.is_null() {
        flags |= libc::MAP_FIXED_NOREPLACE;
    }
    // SAFETY: new memory, which takes no one's place.
    let place = unsafe { libc::mmap(address.with_addr(start), length, allowed, flags, -1, 0) };
    if place == libc::MAP_FAILED {
        return or_null(Err(Code(match address.is_null() {
            true => ERROR_NOT_ENOUGH_MEMORY,
            false => ERROR_INVALID_ADDRESS,
        })));
    }
    regions.insert(place.addr(), Region { length, protection: protect });
    place
}

/// Gives pages back, or makes them reserved again: [VirtualFree][ms]. ERROR_INVALID_ADDRESS for
/// what is none of VirtualAlloc's, ERROR_INVALID_PARAMETER for a size with MEM_RELEASE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/memoryapi/nf-memoryapi-virtualfree
///
/// # Safety
/// As on Windows: nobody uses the pages any more.
pub unsafe extern "C" fn VirtualFree(address: *mut c_void, size: usize, kind: u32) -> BOOL {
    let mut regions = regions();
    match kind {
        MEM_RELEASE if size != 0 => answer(Err(Code(ERROR_INVALID_PARAMETER))),
        MEM_RELEASE => answer(match regions.remove(&address.addr()) {
            Some(region) => {
                // SAFETY: the region is VirtualAlloc's, whole.
                unsafe { libc::munmap(address, region.length) };
                Ok(())
            }
            None => Err(Code(ERROR_INVALID_ADDRESS)),
        }),
        MEM_DECOMMIT => {
            let (start, mut length) = whole_pages(address.addr(), size);
            let region = regions.range(..=start).next_back();
            let Some((at, region)) = region.filter(|(at, region)| start < **at + region.length)
            else {
                return answer(Err(Code(ERROR_INVALID_ADDRESS)));
            };
            if size == 0 {
                length = at + region.length - start;
            }
            let place = address.with_addr(start);
            // SAFETY: the pages are of a region of VirtualAlloc's, and given up.
            unsafe {
                libc::madvise(place, length, libc::MADV_DONTNEED);
                libc::mprotect(place, length, libc::PROT_NONE);
            }
            answer(Ok(()))
        }
        _ => answer(Err(Code(ERROR_INVALID_PARAMETER))),
    }
}

/// Changes what may be done with pages: [VirtualProtect][ms].
///
/// DIFFERS: the old protection is that of the whole region's last change.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/memoryapi/nf-memoryapi-virtualprotect
///
/// # Safety
/// As on Windows: the pages are the program's; `old` is a place for the old protection.
pub unsafe extern "C" fn VirtualProtect(
    address: *mut c_void,
    size: usize,
    protect: u32,
    old: *mut u32,
) -> BOOL {
    let Some(allowed) = protection(protect).filter(|_| !old.is_null()) else {
        return answer(Err(Code(ERROR_INVALID_PARAMETER)));
    };
    let (start, length) = whole_pages(address.addr(), size);
    let mut regions = regions();
    let region = regions.range_mut(..=start).next_back();
    let region = region.filter(|(at, region)| start < **at + region.length);
    // SAFETY: our caller vouches for the pages and the place.
    answer(unsafe {
        match libc::mprotect(address.with_addr(start), length, allowed) {
            0 => {
                *old = match region {
                    Some((_, region)) => std::mem::replace(&mut region.protection, protect),
                    None => PAGE_READWRITE,
                };
                Ok(())
            }
            _ => Err(Code(ERROR_INVALID_ADDRESS)),
        }
    })
}

/// Keeps pages in memory: [VirtualLock][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/memoryapi/nf-memoryapi-virtuallock
pub unsafe extern "C" fn VirtualLock(address: *mut c_void, size: usize) -> BOOL {
    // SAFETY: the kernel refuses what is not mapped.
    match unsafe { libc::mlock(address, size) } {
        0 => answer(Ok(())),
        _ => answer(Err(std::io::Error::last_os_error().into())),
    }
}

/// Undoes [`VirtualLock`]: [VirtualUnlock][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/memoryapi/nf-memoryapi-virtualunlock
pub unsafe extern "C" fn VirtualUnlock(address: *mut c_void, size: usize) -> BOOL {
    // SAFETY: the kernel refuses what is not mapped.
    match unsafe { libc::munlock(address, size) } {
        0 => answer(Ok(())),
        _ => answer(Err(std::io::Error::last_os_error().into())),
    }
}

/// A file or new memory to be mapped: [CreateFileMappingA][ms]. NULL on failure.
///
/// DIFFERS: a name is accepted and ignored: the memory is not shared between processes.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-createfilemappinga
///
/// # Safety
/// None beyond Windows': the pointers are not followed.
pub unsafe extern "C" fn CreateFileMappingA(
    file: HANDLE,
    _security: *const c_void,
    _protect: u32,
    size_high: u32,
    size_low: u32,
    _name: *const c_void,
) -> HANDLE {
    let size = u64::from(size_high) << 32 | u64::from(size_low);
    or_null(mappable(file, size).map(winsock_sys::linux::file_handle))
}

/// The descriptor to map, with at least `size` bytes behind it.
fn mappable(file: HANDLE, size: u64) -> Result<OwnedFd, Code> {
    if file == INVALID_HANDLE_VALUE {
        if size == 0 {
            return Err(Code(ERROR_INVALID_PARAMETER));
        }
        // SAFETY: a new descriptor, which is ours.
        let memory = unsafe {
            match libc::memfd_create(c"mapping".as_ptr(), libc::MFD_CLOEXEC) {
                -1 => return Err(Code(ERROR_NOT_ENOUGH_MEMORY)),
                fd => File::from_raw_fd(fd),
            }
        };
        memory.set_len(size).map_err(|_| Code(ERROR_NOT_ENOUGH_MEMORY))?;
        return Ok(memory.into());
    }
    let copy = winsock_sys::linux::file_of(file).ok_or(Code(ERROR_INVALID_HANDLE))?;
    let length = copy.metadata()?.len();
    if length == 0 && size == 0 {
        return Err(Code(ERROR_FILE_INVALID));
    }
    if size > length {
        copy.set_len(size)?;
    }
    Ok(copy.into())
}

/// Maps a stretch of it: [MapViewOfFile][ms]. NULL on failure.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffile
///
/// # Safety
/// None: new memory takes no one's place.
pub unsafe extern "C" fn MapViewOfFile(
    mapping: HANDLE,
    access: u32,
    offset_high: u32,
    offset_low: u32,
    size: usize,
) -> *mut c_void {
    let offset = u64::from(offset_high) << 32 | u64::from(offset_low);
    or_null(map(mapping, access, offset, size))
}

fn map(mapping: HANDLE, access: u32, offset: u64, size: usize) -> Result<*mut c_void, Code> {
    let file = winsock_sys::linux::file_of(mapping).ok_or(Code(ERROR_INVALID_HANDLE))?;
    let length = match size {
        0 => file.metadata()?.len().saturating_sub(offset) as usize,
        size => size,
    };
    let (allowed, sharing) = match access {
        FILE_MAP_COPY => (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE),
        _ if access & FILE_MAP_WRITE != 0 => (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED),
        _ => (libc::PROT_READ, libc::MAP_SHARED),
    };
    let (fd, offset) = (file.as_raw_fd(), offset as i64);
    // SAFETY: new memory, which takes no one's place.
    let place = unsafe { libc::mmap(std::ptr::null_mut(), length, allowed, sharing, fd, offset) };
    if place == libc::MAP_FAILED {
        return Err(std::io::Error::last_os_error().into());
    }
    let (_, length) = whole_pages(place.addr(), length);
    regions().insert(place.addr(), Region { length, protection: PAGE_READWRITE });
    Ok(place)
}

/// Ends a mapping: [UnmapViewOfFile][ms]. ERROR_INVALID_ADDRESS.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/memoryapi/nf-memoryapi-unmapviewoffile
///
/// # Safety
/// As on Windows: nobody uses the memory any more.
pub unsafe extern "C" fn UnmapViewOfFile(address: *const c_void) -> BOOL {
    answer(match regions().remove(&address.addr()) {
        Some(region) => {
            // SAFETY: the region is a view of ours, whole.
            unsafe { libc::munmap(address.cast_mut(), region.length) };
            Ok(())
        }
        None => Err(Code(ERROR_INVALID_ADDRESS)),
    })
}

/// Writes a mapping's pages to its file: [FlushViewOfFile][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/memoryapi/nf-memoryapi-flushviewoffile
pub unsafe extern "C" fn FlushViewOfFile(address: *const c_void, size: usize) -> BOOL {
    let (start, mut length) = whole_pages(address.addr(), size);
    if let Some(region) = regions().get(&start).filter(|_| size == 0) {
        length = region.length;
    }
    let place = address.cast_mut().with_addr(start);
    // SAFETY: the kernel refuses what is not mapped.
    match unsafe { libc::msync(place, length, libc::MS_SYNC) } {
        0 => answer(Ok(())),
        _ => answer(Err(Code(ERROR_INVALID_ADDRESS))),
    }
}
