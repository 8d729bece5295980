//! One operation, in the place where the system finds it.
//!
//! A record begins with the OVERLAPPED that is passed to the system, so that the pointer that comes
//! back in a packet is the record. Behind it lies everything the operation owns. A record goes
//! through three states, and in each only one party touches it:
//!
//! | state | who | until |
//! |---|---|---|
//! | idle, in the [pool](crate::pool) | the pool | [`lend`](Op::lend) |
//! | in flight | the system; cancelling reads `socket` | its end is heard of: [`land`](Op::land) |
//! | landed | the thread that heard of it | [`take_back`](Op::take_back) |

use std::cell::UnsafeCell;
use std::mem::{MaybeUninit, offset_of, replace};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use winsock_sys::Win32::Foundation::{HANDLE, NTSTATUS, STATUS_BUFFER_OVERFLOW, STATUS_PENDING};
use winsock_sys::Win32::Networking::WinSock::{
    INVALID_SOCKET, LPWSAOVERLAPPED_COMPLETION_ROUTINE, SOCKET,
};
use winsock_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};

use crate::address::Address;
use crate::buffer::Buffer;
use crate::error::{Error, Result};
use crate::extension::AddressBlock;
use crate::file::File;
use crate::model::Report;
use crate::tcp::TcpSocket;

/// What an operation does, and what it owns meanwhile.
pub(crate) enum Work<T, B> {
    /// Nothing: the record is in the pool.
    Idle {
        next: Option<Op<T, B>>,
    },
    /// There is no socket if none could be made.
    Accept {
        token: T,
        socket: Option<TcpSocket>,
        block: AddressBlock,
    },
    /// There is no socket if none could be made.
    Connect {
        token: T,
        socket: Option<TcpSocket>,
    },
    Disconnect {
        token: T,
        socket: TcpSocket,
    },
    Recv {
        token: T,
        buf: B,
    },
    /// A receive without room: what has come is received when its end is handed out.
    RecvLent {
        token: T,
    },
    Send {
        token: T,
        buf: B,
    },
    RecvFrom {
        token: T,
        buf: B,
    },
    SendTo {
        token: T,
        buf: B,
    },
    /// The file stays open for as long as it is sent.
    Transmit {
        token: T,
        file: Arc<File>,
    },
    Post {
        token: T,
    },
}

/// The memory of an operation, as calls take it; valid until the record is taken back.
pub(crate) struct Lent {
    pub data: *mut u8,
    pub len: usize,
    /// Not initialised; for those calls that want an address, or room for one.
    pub address: *mut Address,
    pub overlapped: *mut OVERLAPPED,
    /// For those calls that take one.
    pub routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
}

impl<T, B: Buffer> Work<T, B> {
    /// Where the buffer is, if there is one.
    fn buffer(&mut self) -> (*mut u8, usize) {
        match self {
            Work::Recv { buf, .. } | Work::RecvFrom { buf, .. } => {
                let room = buf.room();
                (room.as_mut_ptr().cast(), room.len())
            }
            Work::Send { buf, .. } | Work::SendTo { buf, .. } => {
                let bytes = buf.bytes();
                // The system only reads what is sent.
                (bytes.as_ptr().cast_mut(), bytes.len())
            }
            Work::Idle { .. }
            | Work::Accept { .. }
            | Work::Connect { .. }
            | Work::Disconnect { .. }
            | Work::RecvLent { .. }
            | Work::Transmit { .. }
            | Work::Post { .. } => (ptr::null_mut(), 0),
        }
    }
}

/// See the [module](self). It begins a cache line, so as not to touch one more than it must.
#[repr(C, align(64))]
pub(crate) struct Record<T, B> {
    overlapped: UnsafeCell<OVERLAPPED>,
    /// [`HELD`], [`IN_FLIGHT`] and, above them, how often the record was lent. The latter tells a
    /// ticket's operation from a later one in the same record.
    phase: AtomicU64,
    /// The socket that the operation was issued on: what CancelIoEx wants to know. The program may
    /// have closed it; then the system is aborting the operation, and does not find it any more.
    socket: UnsafeCell<SOCKET>,
    /// Why the system did not accept the operation, 0 if it did.
    refusal: UnsafeCell<i32>,
    work: UnsafeCell<Work<T, B>>,
    /// The other end of a datagram or a connection to be. Apart from `work`, so that operations
    /// that need none do not carry it around.
    address: UnsafeCell<MaybeUninit<Address>>,
}

/// What the crate's documentation promises: two cache lines, with a word for a token.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Record<usize, Vec<u8>>>() == 128);

/// A thread is calling CancelIoEx: the record must not be used for something else meanwhile.
const HELD: u64 = 1;
const IN_FLIGHT: u64 = 2;
const LENT_ONCE: u64 = 4;

/// A record's address. Records live as long as their model.
pub(crate) struct Op<T, B>(NonNull<Record<T, B>>);

impl<T, B> Clone for Op<T, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, B> Copy for Op<T, B> {}

impl<T, B> Record<T, B> {
    pub fn idle() -> Record<T, B> {
        Record {
            overlapped: UnsafeCell::new(OVERLAPPED::default()),
            phase: AtomicU64::new(0),
            socket: UnsafeCell::new(INVALID_SOCKET),
            refusal: UnsafeCell::new(0),
            work: UnsafeCell::new(Work::Idle { next: None }),
            address: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    pub fn is_in_flight(&self) -> bool {
        self.phase.load(Ordering::Acquire) & IN_FLIGHT != 0
    }
}

/// What an operation came to: its socket, its work and how it ended.
pub(crate) struct Ended<T, B> {
    pub socket: SOCKET,
    pub work: Work<T, B>,
    /// What is in [`Lent::address`].
    pub address: MaybeUninit<Address>,
    pub result: Result<usize>,
    /// Also set when the operation failed: a datagram that was cut off has filled its buffer.
    pub bytes: usize,
}

/// All of these demand that the record's model still exists.
impl<T, B> Op<T, B> {
    pub fn new(record: NonNull<Record<T, B>>) -> Op<T, B> {
        Op(record)
    }

    /// The record that begins with this OVERLAPPED.
    pub fn from_overlapped(overlapped: *mut OVERLAPPED) -> Op<T, B> {
        const { assert!(offset_of!(Record<T, B>, overlapped) == 0) };
        Op(NonNull::new(overlapped.cast()).expect("every report of ours has a record"))
    }

    pub fn overlapped(self) -> *mut OVERLAPPED {
        // The pointer keeps its right to the whole record.
        self.0.as_ptr().cast()
    }

    pub fn name(self) -> *mut () {
        self.0.as_ptr().cast()
    }

    pub fn from_name(name: *mut ()) -> Op<T, B> {
        Op(NonNull::new(name.cast()).expect("a ticket has a record"))
    }

    /// # Safety
    /// The record is idle and the caller's.
    pub unsafe fn next(self) -> Option<Op<T, B>> {
        // SAFETY: the caller's.
        match unsafe { &*self.0.as_ref().work.get() } {
            Work::Idle { next } => *next,
            _ => unreachable!("only idle records are in the pool"),
        }
    }

    /// # Safety
    /// The record is idle and the caller's.
    pub unsafe fn set_next(self, next: Option<Op<T, B>>) {
        // SAFETY: the caller's. What was there is idle too, so that nothing is left undropped.
        unsafe { self.0.as_ref().work.get().write(Work::Idle { next }) };
    }

    /// Ends a flight: the packet has come.
    ///
    /// # Safety
    /// The record is in flight, and the caller has dequeued its packet.
    #[inline]
    pub unsafe fn land(self) {
        // SAFETY: the caller's: the record exists.
        let phase = unsafe { &self.0.as_ref().phase };
        let before = phase.fetch_sub(IN_FLIGHT, Ordering::AcqRel);
        debug_assert_ne!(before & IN_FLIGHT, 0);
        if before & HELD != 0 {
            // The other thread is in a system call that does not wait.
            while phase.load(Ordering::Acquire) & HELD != 0 {
                std::thread::yield_now();
            }
        }
    }

    /// Undoes [`land`](Op::land): the packet is to come once more.
    ///
    /// # Safety
    /// The record has landed and is the caller's, who posts the packet.
    pub unsafe fn relaunch(self) {
        // SAFETY: the caller's: the record exists.
        unsafe { self.0.as_ref() }.phase.fetch_add(IN_FLIGHT, Ordering::Release);
    }

    /// Whether a call that failed with `WSAEMSGSIZE` has queued a packet nevertheless.
    ///
    /// For the I/O system a datagram that was cut off is a completion with a warning, even if
    /// Winsock calls it a failure (rule 64). The system has then written the status before the
    /// call returned; if it is not there any more, another thread has seen the packet already.
    ///
    /// # Safety
    /// The caller has lent the record in `phase`.
    pub unsafe fn was_cut_off(self, phase: u64) -> bool {
        // SAFETY: the record exists, and whoever may write the status meanwhile does it atomically.
        let status = unsafe { status(self.overlapped()).load(Ordering::Acquire) };
        // SAFETY: the record exists.
        let now = unsafe { &self.0.as_ref().phase }.load(Ordering::Acquire);
        status as NTSTATUS == STATUS_BUFFER_OVERFLOW || now & !HELD != phase
    }

    /// Whether the system has ended the operation, as `HasOverlappedIoCompleted` tells.
    ///
    /// # Safety
    /// The record's model exists, and the system has accepted the operation.
    #[inline]
    pub unsafe fn has_ended(self) -> bool {
        // SAFETY: the caller's. What was written before the status is seen with it.
        let status = unsafe { status(self.overlapped()).load(Ordering::Acquire) };
        status as NTSTATUS != STATUS_PENDING
    }

    /// Says why the system did not accept the operation.
    ///
    /// # Safety
    /// The record is in flight for us, but not for the system, and the caller's.
    pub unsafe fn refuse(self, error: Error) {
        // SAFETY: the caller's.
        unsafe { *self.0.as_ref().refusal.get() = error.code() };
    }

    /// Takes everything back that [`lend`](Op::lend) has lent; leaves the record idle.
    ///
    /// # Safety
    /// The record has landed and is the caller's.
    #[inline]
    pub unsafe fn take_back(self) -> Ended<T, B> {
        // SAFETY: the caller's.
        let record = unsafe { self.0.as_ref() };
        // SAFETY: as above; the system is done with the record.
        unsafe {
            let overlapped = &*record.overlapped.get();
            // Zero when the record was lent, and so for what was refused.
            let bytes = overlapped.InternalHigh;
            let result = match (*record.refusal.get(), overlapped.Internal as NTSTATUS) {
                (0, 0..) => Ok(bytes),
                (0, status) => Err(Error::from_status(status)),
                (refusal, _) => Err(Error::from_code(refusal)),
            };
            let work = replace(&mut *record.work.get(), Work::Idle { next: None });
            let (socket, address) = (*record.socket.get(), *record.address.get());
            Ended { socket, work, address, result, bytes }
        }
    }

    /// Cancels the operation that was lent in `phase`; `false` if it has ended.
    ///
    /// # Safety
    /// The record's model exists.
    pub unsafe fn cancel(self, phase: u64) -> bool {
        // SAFETY: the caller's.
        let record = unsafe { self.0.as_ref() };
        let hold = record.phase.compare_exchange(
            phase,
            phase | HELD,
            Ordering::Acquire,
            Ordering::Relaxed,
        );
        match hold {
            Ok(_) => {
                // SAFETY: in flight and held, so that nobody writes `socket`; the OVERLAPPED is
                // only compared with those that are pending.
                let found =
                    unsafe { CancelIoEx(*record.socket.get() as HANDLE, self.overlapped()) != 0 };
                record.phase.fetch_and(!HELD, Ordering::Release);
                found
            }
            // Somebody else is cancelling this very operation.
            Err(now) => now == phase | HELD,
        }
    }

    /// Cancels whatever is in flight, in the model's last hour.
    ///
    /// # Safety
    /// The record is in flight, and nobody else cancels or dequeues.
    pub unsafe fn abandon(self) {
        // SAFETY: the caller's.
        unsafe { CancelIoEx(*self.0.as_ref().socket.get() as HANDLE, self.overlapped()) };
    }
}

impl<T, B: Buffer> Op<T, B> {
    /// Marks the record as in flight and fills it. Returns the memory for the call, which is not
    /// touched here again until the operation has ended, and the phase for a ticket.
    ///
    /// # Safety
    /// The record is idle and the caller's.
    #[inline]
    pub unsafe fn lend(self, socket: SOCKET, report: Report, work: Work<T, B>) -> (Lent, u64) {
        // SAFETY: the caller's.
        let record = unsafe { self.0.as_ref() };
        // SAFETY: as above: idle, so that nobody else looks at it; an idle work needs no drop.
        let (data, len) = unsafe {
            let overlapped = record.overlapped.get();
            status(overlapped).store(0, Ordering::Release);
            (*overlapped).InternalHigh = 0;
            (*overlapped).Anonymous.Pointer = ptr::null_mut();
            (*overlapped).hEvent = report.event;
            *record.socket.get() = socket;
            *record.refusal.get() = 0;
            record.work.get().write(work);
            (*record.work.get()).buffer()
        };
        let address = record.address.get().cast();
        let phase = record.phase.load(Ordering::Relaxed) + (LENT_ONCE | IN_FLIGHT);
        record.phase.store(phase, Ordering::Release);
        let (overlapped, routine) = (self.overlapped(), report.routine);
        (Lent { data, len, address, overlapped, routine }, phase)
    }
}

/// The status of an operation, which may be read at any time.
///
/// # Safety
/// `overlapped` points to the OVERLAPPED of a record.
unsafe fn status<'a>(overlapped: *mut OVERLAPPED) -> &'a AtomicUsize {
    // SAFETY: the caller's; records live as long as their model.
    unsafe { AtomicUsize::from_ptr(&raw mut (*overlapped).Internal) }
}
