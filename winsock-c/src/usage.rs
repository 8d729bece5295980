//! How much memory the process has.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use windows_sys::Win32::Foundation::{
    ERROR_GEN_FAILURE, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, HANDLE,
};
use windows_sys::Win32::System::ProcessStatus::{
    PROCESS_MEMORY_COUNTERS, PROCESS_MEMORY_COUNTERS_EX,
};
use windows_sys::core::BOOL;

use crate::cpu::is_this_process;
use crate::last::{Code, answer};

/// The most private memory that was ever told; the kernel keeps no such number.
static MOST_PRIVATE: AtomicUsize = AtomicUsize::new(0);

/// How much memory the process has: [GetProcessMemoryInfo][ms]. The working set is what is in
/// memory, private is what belongs to no file, in memory or swapped out.
///
/// DIFFERS: this process only, ERROR_INVALID_HANDLE for another handle; the quotas of the kernel's
/// pools are 0, and the peak of private memory is the highest that was told.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/psapi/nf-psapi-getprocessmemoryinfo
///
/// # Safety
/// As on Windows: `to` has room for `size` bytes.
pub unsafe extern "C" fn GetProcessMemoryInfo(
    process: HANDLE,
    to: *mut PROCESS_MEMORY_COUNTERS,
    size: u32,
) -> BOOL {
    let told = is_this_process(process).and_then(|()| counters()).and_then(|all| {
        let size = size as usize;
        if to.is_null() {
            return Err(Code(ERROR_INVALID_PARAMETER));
        }
        if size < size_of::<PROCESS_MEMORY_COUNTERS>() {
            return Err(Code(ERROR_INSUFFICIENT_BUFFER));
        }
        // The shorter structure is the longer one's beginning.
        let whole = size >= size_of::<PROCESS_MEMORY_COUNTERS_EX>();
        // SAFETY: our caller promises the room.
        unsafe {
            match whole {
                true => to.cast::<PROCESS_MEMORY_COUNTERS_EX>().write(all),
                false => to.write((&raw const all).cast::<PROCESS_MEMORY_COUNTERS>().read()),
            }
        }
        Ok(())
    });
    answer(told)
}

fn counters() -> Result<PROCESS_MEMORY_COUNTERS_EX, Code> {
    let status = fs::read_to_string("/proc/self/status")?;
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        number.map(|kibibytes| kibibytes * 1024)
    };
    let resident = bytes("VmRSS").ok_or(Code(ERROR_GEN_FAILURE))?;
    let private = bytes("RssAnon").unwrap_or(resident) + bytes("VmSwap").unwrap_or(0);
    let most = MOST_PRIVATE.fetch_max(private, Ordering::Relaxed).max(private);
    Ok(PROCESS_MEMORY_COUNTERS_EX {
        cb: size_of::<PROCESS_MEMORY_COUNTERS_EX>() as u32,
        PageFaultCount: faults(),
        PeakWorkingSetSize: bytes("VmHWM").unwrap_or(resident).max(resident),
        WorkingSetSize: resident,
        PagefileUsage: private,
        PeakPagefileUsage: most,
        PrivateUsage: private,
        ..Default::default()
    })
}

fn faults() -> u32 {
    // SAFETY: numbers alone, for which zero is one.
    let mut usage = unsafe { std::mem::zeroed::<libc::rusage>() };
    // SAFETY: a place for the answer.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    (usage.ru_minflt + usage.ru_majflt) as u32
}
