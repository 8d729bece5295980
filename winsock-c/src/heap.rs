//! Heaps: the process heap, heaps of a program's own, and the older LocalAlloc and GlobalAlloc.
//!
//! A block has a head before it, with its size and, in a heap that can be destroyed, the list it is
//! in. The memory is malloc's, so tools that watch malloc see every block.

use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY, HANDLE, TRUE,
};
use windows_sys::Win32::System::Memory::{
    HEAP_REALLOC_IN_PLACE_ONLY, HEAP_ZERO_MEMORY, LMEM_ZEROINIT,
};
use windows_sys::core::BOOL;

use crate::last::{self, Code, or_null, or_zero};

/// What stands before each block. 32 bytes, so that the block keeps malloc's alignment.
#[repr(C, align(16))]
struct Head {
    size: usize,
    /// Where the heap's list has this block, if the heap keeps one.
    index: usize,
    /// Tells a block from something else, until it is freed.
    mark: usize,
}

const HEAD: usize = size_of::<Head>();
const MARK: usize = 0x5765_6c6c_426c_6f63;

/// A heap that HeapCreate made: its blocks, for HeapDestroy.
struct Heap {
    /// HEAP_ZERO_MEMORY and its like, given once for all blocks.
    options: u32,
    /// Most bytes; 0 for no limit.
    most: usize,
    blocks: Mutex<Blocks>,
}

#[derive(Default)]
struct Blocks {
    bytes: usize,
    all: Vec<*mut Head>,
}

/// The process heap's handle: no address of ours.
const PROCESS: HANDLE = std::ptr::without_provenance_mut(0x10);

/// A zeroed or raw block; NULL when there is no memory.
pub fn allocate(size: usize, zeroed: bool) -> *mut c_void {
    let Some(bytes) = size.checked_add(HEAD) else { return std::ptr::null_mut() };
    // SAFETY: plain allocation.
    let head: *mut Head =
        unsafe { if zeroed { libc::calloc(1, bytes) } else { libc::malloc(bytes) } }.cast();
    if head.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: there is room for the head, and the block after it.
    unsafe {
        head.write(Head { size, index: 0, mark: MARK });
        head.add(1).cast()
    }
}

/// The head of a program's block.
///
/// # Safety
/// `block` is NULL or was allocated here and not freed; a wild pointer is found out only by luck.
unsafe fn head_of(block: *const c_void) -> Result<*mut Head, Code> {
    if block.is_null() {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    // SAFETY: the caller's promise.
    unsafe {
        let head = block.cast::<Head>().cast_mut().sub(1);
        match (*head).mark == MARK {
            true => Ok(head),
            false => Err(Code(ERROR_INVALID_PARAMETER)),
        }
    }
}

/// Frees a block that is in no list.
///
/// # Safety
/// As [`head_of`].
pub unsafe fn release(block: *mut c_void) -> Result<(), Code> {
    // SAFETY: the caller's promise.
    unsafe {
        let head = head_of(block)?;
        (*head).mark = 0;
        libc::free(head.cast());
    }
    Ok(())
}

/// Makes a block of another size, at the same or at another place.
///
/// # Safety
/// As [`head_of`]; the old place is no longer used.
unsafe fn resize(block: *mut c_void, size: usize, zeroed: bool) -> Result<*mut c_void, Code> {
    // SAFETY: the caller's promise; realloc keeps what both sizes have.
    unsafe {
        let head = head_of(block)?;
        let old = (*head).size;
        let bytes = size.checked_add(HEAD).ok_or(Code(ERROR_NOT_ENOUGH_MEMORY))?;
        let head: *mut Head = libc::realloc(head.cast(), bytes).cast();
        if head.is_null() {
            return Err(Code(ERROR_NOT_ENOUGH_MEMORY));
        }
        (*head).size = size;
        let block: *mut u8 = head.add(1).cast();
        if zeroed && size > old {
            block.add(old).write_bytes(0, size - old);
        }
        Ok(block.cast())
    }
}

impl Heap {
    fn lock(&self) -> std::sync::MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn allocate(&self, flags: u32, size: usize) -> Result<*mut c_void, Code> {
        let mut blocks = self.lock();
        let full = self.most != 0 && blocks.bytes.saturating_add(size) > self.most;
        let block = match full {
            true => std::ptr::null_mut(),
            false => allocate(size, (flags | self.options) & HEAP_ZERO_MEMORY != 0),
        };
        // SAFETY: it was just made, if it was.
        let head = unsafe { head_of(block) }.map_err(|_| Code(ERROR_NOT_ENOUGH_MEMORY))?;
        // SAFETY: as above.
        unsafe { (*head).index = blocks.all.len() };
        blocks.bytes += size;
        blocks.all.push(head);
        Ok(block)
    }

    /// # Safety
    /// As [`head_of`].
    unsafe fn resize(
        &self,
        flags: u32,
        block: *mut c_void,
        size: usize,
    ) -> Result<*mut c_void, Code> {
        let mut blocks = self.lock();
        let zeroed = (flags | self.options) & HEAP_ZERO_MEMORY != 0;
        // SAFETY: the caller's promise; the list follows the block to its new place.
        unsafe {
            let head = head_of(block)?;
            let (index, old) = ((*head).index, (*head).size);
            if blocks.all.get(index) != Some(&head) {
                return Err(Code(ERROR_INVALID_PARAMETER));
            }
            let block = resize(block, size, zeroed)?;
            blocks.all[index] = head_of(block)?;
            blocks.bytes = blocks.bytes - old + size;
            Ok(block)
        }
    }

    /// # Safety
    /// As [`head_of`].
    unsafe fn release(&self, block: *mut c_void) -> Result<(), Code> {
        let mut blocks = self.lock();
        // SAFETY: the caller's promise, and the list's.
        unsafe {
            let head = head_of(block)?;
            let index = (*head).index;
            if blocks.all.get(index) != Some(&head) {
                return Err(Code(ERROR_INVALID_PARAMETER));
            }
            blocks.bytes -= (*head).size;
            blocks.all.swap_remove(index);
            if let Some(&moved) = blocks.all.get(index) {
                (*moved).index = index;
            }
            release(block)
        }
    }
}

// SAFETY: the heads are touched under the lock only.
unsafe impl Sync for Heap {}

/// The heap of a handle; `None` is the process heap.
///
/// # Safety
/// `heap` is a heap's handle.
unsafe fn heap_of<'a>(heap: HANDLE) -> Result<Option<&'a Heap>, Code> {
    match heap {
        PROCESS => Ok(None),
        // SAFETY: the caller's promise.
        _ if !heap.is_null() => Ok(Some(unsafe { &*heap.cast::<Heap>() })),
        _ => Err(Code(ERROR_INVALID_HANDLE)),
    }
}

/// The heap that every process has: [GetProcessHeap][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/heapapi/nf-heapapi-getprocessheap
pub unsafe extern "C" fn GetProcessHeap() -> HANDLE {
    PROCESS
}

/// Makes a heap: [HeapCreate][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/heapapi/nf-heapapi-heapcreate
pub unsafe extern "C" fn HeapCreate(options: u32, _initial: usize, most: usize) -> HANDLE {
    Box::into_raw(Box::new(Heap { options, most, blocks: Mutex::default() })).cast()
}

/// Frees a heap with all its blocks: [HeapDestroy][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/heapapi/nf-heapapi-heapdestroy
///
/// # Safety
/// As on Windows: the heap is one of HeapCreate, and neither it nor its blocks are used any more.
pub unsafe extern "C" fn HeapDestroy(heap: HANDLE) -> BOOL {
    if heap.is_null() || heap == PROCESS {
        return last::answer(Err(Code(ERROR_INVALID_HANDLE)));
    }
    // SAFETY: our caller vouches for the heap.
    let heap = unsafe { Box::from_raw(heap.cast::<Heap>()) };
    for head in std::mem::take(&mut heap.lock().all) {
        // SAFETY: the heap's blocks are the heap's.
        unsafe { libc::free(head.cast()) };
    }
    TRUE
}

/// A block: [HeapAlloc][ms]. NULL when there is no memory.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/heapapi/nf-heapapi-heapalloc
///
/// # Safety
/// As on Windows: `heap` is a heap.
pub unsafe extern "C" fn HeapAlloc(heap: HANDLE, flags: u32, size: usize) -> *mut c_void {
    // SAFETY: our caller vouches for the heap.
    or_null(unsafe { heap_of(heap) }.and_then(|heap| match heap {
        None => match allocate(size, flags & HEAP_ZERO_MEMORY != 0) {
            block if block.is_null() => Err(Code(ERROR_NOT_ENOUGH_MEMORY)),
            block => Ok(block),
        },
        Some(heap) => heap.allocate(flags, size),
    }))
}

/// Changes a block's size: [HeapReAlloc][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/heapapi/nf-heapapi-heaprealloc
///
/// # Safety
/// As on Windows: `block` is the heap's.
pub unsafe extern "C" fn HeapReAlloc(
    heap: HANDLE,
    flags: u32,
    block: *mut c_void,
    size: usize,
) -> *mut c_void {
    // SAFETY: our caller vouches for heap and block.
    or_null(unsafe {
        heap_of(heap).and_then(|heap| {
            if flags & HEAP_REALLOC_IN_PLACE_ONLY != 0 {
                // malloc may have more than was asked for, and does not say.
                return match size <= (*head_of(block)?).size {
                    true => Ok(block),
                    false => Err(Code(ERROR_NOT_ENOUGH_MEMORY)),
                };
            }
            match heap {
                None => resize(block, size, flags & HEAP_ZERO_MEMORY != 0),
                Some(heap) => heap.resize(flags, block, size),
            }
        })
    })
}

/// Frees a block; NULL is one: [HeapFree][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/heapapi/nf-heapapi-heapfree
///
/// # Safety
/// As on Windows: `block` is NULL or the heap's.
pub unsafe extern "C" fn HeapFree(heap: HANDLE, _flags: u32, block: *mut c_void) -> BOOL {
    if block.is_null() {
        return TRUE;
    }
    // SAFETY: our caller vouches for heap and block.
    last::answer(unsafe {
        heap_of(heap).and_then(|heap| match heap {
            None => release(block),
            Some(heap) => heap.release(block),
        })
    })
}

/// A block's size, or `usize::MAX`: [HeapSize][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/heapapi/nf-heapapi-heapsize
///
/// # Safety
/// As [`HeapFree`].
pub unsafe extern "C" fn HeapSize(_heap: HANDLE, _flags: u32, block: *const c_void) -> usize {
    // SAFETY: our caller vouches for the block.
    unsafe { head_of(block).map_or(usize::MAX, |head| (*head).size) }
}

/// A block of the process heap: [LocalAlloc][ms]. Its handle is its address, movable or not.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-localalloc
pub unsafe extern "C" fn LocalAlloc(flags: u32, size: usize) -> *mut c_void {
    or_null(match allocate(size, flags & LMEM_ZEROINIT != 0) {
        block if block.is_null() => Err(Code(ERROR_NOT_ENOUGH_MEMORY)),
        block => Ok(block),
    })
}

/// Changes a block's size: [LocalReAlloc][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-localrealloc
///
/// # Safety
/// As on Windows: `block` is one of LocalAlloc.
pub unsafe extern "C" fn LocalReAlloc(block: *mut c_void, size: usize, flags: u32) -> *mut c_void {
    // SAFETY: our caller vouches for the block.
    or_null(unsafe { resize(block, size, flags & LMEM_ZEROINIT != 0) })
}

/// A block's size: [LocalSize][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-localsize
///
/// # Safety
/// As [`LocalReAlloc`].
pub unsafe extern "C" fn LocalSize(block: *mut c_void) -> usize {
    // SAFETY: our caller vouches for the block.
    or_zero(unsafe { head_of(block).map(|head| (*head).size) })
}

/// A block's address, which is its handle: [LocalLock][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-locallock
pub unsafe extern "C" fn LocalLock(block: *mut c_void) -> *mut c_void {
    block
}

/// Undoes [`LocalLock`]: [LocalUnlock][ms]. FALSE without an error: it is locked no more.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-localunlock
pub unsafe extern "C" fn LocalUnlock(_block: *mut c_void) -> BOOL {
    last::answer(Err(Code(0)))
}

/// Frees a block, FormatMessage's too: [LocalFree][ms]. NULL on success.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-localfree
///
/// # Safety
/// As on Windows: `block` is NULL or one of LocalAlloc.
pub unsafe extern "C" fn LocalFree(block: *mut c_void) -> *mut c_void {
    // SAFETY: our caller vouches for the block.
    match block.is_null() || unsafe { release(block) }.is_ok() {
        true => std::ptr::null_mut(),
        false => {
            last::set(Code(ERROR_INVALID_HANDLE));
            block
        }
    }
}
