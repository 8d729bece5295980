//! Section G, thread pools: work, groups, I/O, and what a callback may ask for.

mod pool;

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use conformance::*;
use winsock_sys::Win32::Foundation::{HANDLE, WAIT_ABANDONED, WAIT_TIMEOUT};
use winsock_sys::Win32::System::Threading::{
    CRITICAL_SECTION, CallbackMayRunLong, CloseThreadpoolCleanupGroup,
    CloseThreadpoolCleanupGroupMembers, CreateMutexW, CreateSemaphoreW,
    CreateThreadpoolCleanupGroup, CreateThreadpoolTimer, CreateThreadpoolWait,
    DeleteCriticalSection, DisassociateCurrentThreadFromCallback, EnterCriticalSection, ExitThread,
    GetCurrentThreadId, InitializeCriticalSection, LeaveCriticalSection,
    LeaveCriticalSectionWhenCallbackReturns, PTP_CALLBACK_INSTANCE, PTP_CLEANUP_GROUP, PTP_TIMER,
    PTP_WAIT, PTP_WORK, QueueUserWorkItem, ReleaseMutexWhenCallbackReturns,
    ReleaseSemaphoreWhenCallbackReturns, SetEventWhenCallbackReturns, SetThreadpoolThreadMinimum,
    SetThreadpoolWait, TP_CALLBACK_PRIORITY_HIGH, TP_CALLBACK_PRIORITY_LOW,
    TP_CALLBACK_PRIORITY_NORMAL, TryEnterCriticalSection, TrySubmitThreadpoolCallback,
    WT_EXECUTELONGFUNCTION, WaitForSingleObject,
};

use pool::*;

// Work.

#[test]
fn r157_work_is_called_as_often_as_it_is_submitted() {
    init();
    let stage = Stage::new();
    let work = make_work(work, &stage, null());
    for _ in 0..100 {
        submit(work);
    }
    finish(work, false);
    assert_eq!(stage.calls(), 100);
    submit(work);
    finish(work, false);
    assert_eq!(stage.calls(), 101);
    close(work);
}

#[test]
fn r157_callbacks_run_on_other_threads_and_at_once() {
    init();
    let stage = Stage::new();
    let work = make_work(waiting_work, &stage, null());
    for _ in 0..8 {
        submit(work);
    }
    // They wait for each other's end: only together can they go on.
    // Wine 8.0 now and then makes no thread for one of them until another ends.
    may_differ_on_wine(|| assert!(comes_true(|| stage.inside.load(Ordering::SeqCst) == 8)));
    stage.gate.set();
    finish(work, false);
    assert_eq!(stage.calls(), 8);
    close(work);
}

/// The callbacks sleep where the library does not see it.
#[test]
fn r157_a_pool_grows_when_callbacks_block_elsewhere() {
    unsafe extern "system" fn block(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, _: PTP_WORK) {
        // SAFETY: the test keeps it.
        let stage = unsafe { Stage::of(context) };
        stage.inside.fetch_add(1, Ordering::SeqCst);
        while stage.inside.load(Ordering::SeqCst) < 6 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        stage.calls.fetch_add(1, Ordering::SeqCst);
    }

    init();
    let stage = Stage::new();
    let work = make_work(block, &stage, null());
    for _ in 0..6 {
        submit(work);
    }
    finish(work, false);
    assert_eq!(stage.calls(), 6);
    close(work);
}

#[test]
fn r157_a_simple_callback_is_called_once() {
    init();
    let stage = Stage::new();
    // SAFETY: the stage outlives the callback.
    let submitted = unsafe { TrySubmitThreadpoolCallback(Some(simple), stage.context(), null()) };
    assert_ne!(submitted, 0);
    assert!(comes_true(|| stage.calls() == 1));
}

#[test]
fn r157_a_work_item_is_called_once() {
    init();
    let stage = Stage::new();
    for flags in [0, WT_EXECUTELONGFUNCTION, 600 << 16] {
        // SAFETY: the stage outlives the call.
        assert_ne!(unsafe { QueueUserWorkItem(Some(item), stage.context(), flags) }, 0);
    }
    assert!(comes_true(|| stage.calls() == 3));
    pause();
    assert_eq!(stage.calls(), 3);
}

#[test]
fn r157_a_pool_has_no_more_threads_than_it_may() {
    init();
    let (pool, stage) = (Pool::with_most(2), Stage::new());
    let work = make_work(waiting_work, &stage, &pool.environment());
    for _ in 0..6 {
        submit(work);
    }
    assert!(comes_true(|| stage.inside.load(Ordering::SeqCst) == 2));
    pause();
    assert_eq!(stage.inside.load(Ordering::SeqCst), 2);
    stage.gate.set();
    finish(work, false);
    assert_eq!((stage.calls(), stage.most_inside.load(Ordering::SeqCst)), (6, 2));
    close(work);
}

#[test]
fn r157_one_thread_calls_in_order() {
    unsafe extern "system" fn note(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, work: PTP_WORK) {
        // SAFETY: the test keeps it.
        let stage = unsafe { Stage::of(context) };
        // SAFETY: no memory is passed.
        stage.log().extend([work as u32, unsafe { GetCurrentThreadId() }]);
    }

    init();
    let (pool, stage) = (Pool::with_most(1), Stage::new());
    // SAFETY: no memory is passed.
    assert_ne!(unsafe { SetThreadpoolThreadMinimum(pool.0, 1) }, 0);
    let works: [_; 3] = std::array::from_fn(|_| make_work(note, &stage, &pool.environment()));
    // Each once: where one that is submitted again takes its turn is not said.
    works.iter().for_each(|&work| submit(work));
    works.iter().for_each(|&work| finish(work, false));
    let log = stage.log();
    let (order, threads): (Vec<u32>, Vec<u32>) =
        log.chunks(2).map(|note| (note[0], note[1])).unzip();
    assert_eq!(order, works.map(|work| work as u32));
    // SAFETY: no memory is passed.
    assert!(threads.iter().all(|&id| id == threads[0] && id != unsafe { GetCurrentThreadId() }));
    drop(log);
    works.into_iter().for_each(close);
}

#[test]
fn r157_higher_priorities_are_called_first() {
    unsafe extern "system" fn note(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, work: PTP_WORK) {
        // SAFETY: the test keeps it.
        unsafe { Stage::of(context) }.log().push(work as u32);
    }

    init();
    let (pool, stage) = (Pool::with_most(1), Stage::new());
    let blocker = make_work(waiting_work, &stage, &pool.environment());
    let priorities =
        [TP_CALLBACK_PRIORITY_LOW, TP_CALLBACK_PRIORITY_NORMAL, TP_CALLBACK_PRIORITY_HIGH];
    let works = priorities.map(|priority| {
        let mut environment = pool.environment();
        environment.CallbackPriority = priority;
        make_work(note, &stage, &environment)
    });
    submit(blocker);
    assert!(stage.entered.is_set_within(SOON));
    for work in works.into_iter().chain(works) {
        submit(work);
    }
    stage.gate.set();
    works.iter().for_each(|&work| finish(work, false));
    let expected = [2, 2, 1, 1, 0, 0].map(|at: usize| works[at] as u32);
    assert_eq!(*stage.log(), expected);
    works.into_iter().chain([blocker]).for_each(close);
}

#[test]
fn r157_cancelling_takes_back_what_has_not_begun() {
    init();
    let (pool, stage, other) = (Pool::with_most(1), Stage::new(), Stage::new());
    let blocker = make_work(waiting_work, &stage, &pool.environment());
    let cancelled = make_work(work, &other, &pool.environment());
    submit(blocker);
    assert!(stage.entered.is_set_within(SOON));
    for _ in 0..5 {
        submit(cancelled);
    }
    // Nothing of it runs, so this does not wait for the blocker.
    finish(cancelled, true);
    submit(cancelled);
    stage.gate.set();
    finish(cancelled, false);
    finish(blocker, true);
    assert_eq!((stage.calls(), other.calls()), (1, 1));
    close(blocker);
    close(cancelled);
}

#[test]
fn r157_waiting_waits_for_what_runs() {
    init();
    let stage = Stage::new();
    let work = make_work(waiting_work, &stage, null());
    submit(work);
    assert!(stage.entered.is_set_within(SOON));
    std::thread::scope(|scope| {
        for cancel in [false, true] {
            let waiter = scope.spawn(move || finish(work, cancel));
            pause();
            assert!(!waiter.is_finished());
        }
        stage.gate.set();
    });
    assert_eq!(stage.calls(), 1);
    close(work);
}

#[test]
fn r157_what_is_queued_runs_after_the_object_is_closed() {
    init();
    let (pool, stage) = (Pool::with_most(1), Stage::new());
    let work = make_work(waiting_work, &stage, &pool.environment());
    for _ in 0..3 {
        submit(work);
    }
    close(work);
    drop(pool);
    stage.gate.set();
    assert!(comes_true(|| stage.calls() == 3));
}

#[test]
fn r157_a_callback_submits_itself() {
    unsafe extern "system" fn again(
        _: PTP_CALLBACK_INSTANCE,
        context: *mut c_void,
        work: PTP_WORK,
    ) {
        // SAFETY: the test keeps it.
        let stage = unsafe { Stage::of(context) };
        if stage.calls.fetch_add(1, Ordering::SeqCst) < 500 {
            submit(work);
        }
    }

    init();
    let stage = Stage::new();
    let work = make_work(again, &stage, null());
    submit(work);
    finish(work, false);
    assert_eq!(stage.calls(), 501);
    close(work);
}

#[test]
fn r157_a_callback_closes_its_own_object() {
    unsafe extern "system" fn last(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, work: PTP_WORK) {
        close(work);
        // SAFETY: the test keeps it.
        unsafe { Stage::of(context) }.act(false);
    }

    init();
    let stage = Stage::new();
    submit(make_work(last, &stage, null()));
    assert!(comes_true(|| stage.calls() == 1));
}

/// The thread is gone, and the object does not wait for it for ever; another thread takes its
/// place.
#[test]
#[cfg_attr(windows, ignore = "Windows forbids it")]
fn r157_exitthread_in_a_callback_ends_the_callback() {
    unsafe extern "system" fn exit(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, _: PTP_WORK) {
        // SAFETY: the test keeps it.
        unsafe { Stage::of(context) }.calls.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the frames between own nothing that anybody waits for.
        unsafe { ExitThread(0) };
    }

    init();
    let (pool, stage) = (Pool::with_most(1), Stage::new());
    let work = make_work(exit, &stage, &pool.environment());
    for _ in 0..3 {
        submit(work);
    }
    finish(work, false);
    assert_eq!(stage.calls(), 3);
    close(work);
}

#[test]
fn r157_many_submit_and_wait_at_once() {
    init();
    let stage = Stage::new();
    let work = make_work(work, &stage, null());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    (0..10).for_each(|_| submit(work));
                    finish(work, false);
                }
            });
        }
    });
    assert_eq!(stage.calls(), 2000);
    close(work);
}

// What a callback may ask for.

static EVENT: AtomicUsize = AtomicUsize::new(0);
static SEMAPHORE: AtomicUsize = AtomicUsize::new(0);
static MUTEX: AtomicUsize = AtomicUsize::new(0);

#[test]
fn r157_events_semaphores_and_mutexes_when_the_callback_returns() {
    unsafe extern "system" fn ask(
        instance: PTP_CALLBACK_INSTANCE,
        context: *mut c_void,
        _: PTP_WORK,
    ) {
        let [event, semaphore, mutex] =
            [&EVENT, &SEMAPHORE, &MUTEX].map(|raw| raw.load(Ordering::SeqCst) as HANDLE);
        // SAFETY: the instance is ours.
        unsafe {
            WaitForSingleObject(mutex, SOON);
            SetEventWhenCallbackReturns(instance, event);
            ReleaseSemaphoreWhenCallbackReturns(instance, semaphore, 2);
            ReleaseMutexWhenCallbackReturns(instance, mutex);
            Stage::of(context).act(true);
        }
    }

    let (stage, event) = (Stage::new(), Event::auto_reset());
    // SAFETY: no memory is passed.
    let semaphore = Handle::of(unsafe { CreateSemaphoreW(null(), 0, 5, null()) });
    // SAFETY: no memory is passed.
    let mutex = Handle::of(unsafe { CreateMutexW(null(), 0, null()) });
    EVENT.store(*event as usize, Ordering::SeqCst);
    SEMAPHORE.store(*semaphore as usize, Ordering::SeqCst);
    MUTEX.store(*mutex as usize, Ordering::SeqCst);
    let work = make_work(ask, &stage, null());
    submit(work);
    assert!(stage.entered.is_set_within(SOON));
    assert!(!event.is_set());
    assert_eq!((wait(*semaphore, 0), wait(*mutex, 0)), (WAIT_TIMEOUT, WAIT_TIMEOUT));
    stage.gate.set();
    finish(work, false);
    assert!(event.is_set());
    assert_eq!([0; 3].map(|_| wait(*semaphore, 0)), [0, 0, WAIT_TIMEOUT]);
    let freed = wait(*mutex, 0);
    assert!(freed == 0, "{freed} {WAIT_ABANDONED}");
    close(work);
}

static SECTION: AtomicPtr<CRITICAL_SECTION> = AtomicPtr::new(std::ptr::null_mut());

#[test]
fn r157_a_critical_section_is_left_when_the_callback_returns() {
    unsafe extern "system" fn ask(
        instance: PTP_CALLBACK_INSTANCE,
        context: *mut c_void,
        _: PTP_WORK,
    ) {
        let section = SECTION.load(Ordering::SeqCst);
        // SAFETY: the instance is ours, the section the test's, which waits for this.
        unsafe {
            EnterCriticalSection(section);
            LeaveCriticalSectionWhenCallbackReturns(instance, section);
            Stage::of(context).act(true);
        }
    }

    let stage = Stage::new();
    let mut section = Box::new(CRITICAL_SECTION::default());
    let raw = &raw mut *section;
    // SAFETY: a place for it, which stays until the work is done.
    unsafe { InitializeCriticalSection(raw) };
    SECTION.store(raw, Ordering::SeqCst);
    let work = make_work(ask, &stage, null());
    submit(work);
    assert!(stage.entered.is_set_within(SOON));
    // SAFETY: it is initialized.
    assert_eq!(unsafe { TryEnterCriticalSection(raw) }, 0);
    stage.gate.set();
    finish(work, false);
    // SAFETY: as above; then nobody uses it any more.
    unsafe {
        assert_ne!(TryEnterCriticalSection(raw), 0);
        LeaveCriticalSection(raw);
        DeleteCriticalSection(raw);
    }
    close(work);
}

#[test]
fn r157_a_callback_that_may_run_long_leaves_a_thread_for_others() {
    unsafe extern "system" fn long(
        instance: PTP_CALLBACK_INSTANCE,
        context: *mut c_void,
        _: PTP_WORK,
    ) {
        // SAFETY: the instance is ours, the stage the test's.
        let stage = unsafe { Stage::of(context) };
        // SAFETY: as above.
        stage.log().push(unsafe { CallbackMayRunLong(instance) } as u32);
        // Computing, not waiting.
        spin_until(SOON, || stage.gate.is_set_within(0));
        stage.calls.fetch_add(1, Ordering::SeqCst);
    }

    init();
    let (stage, other) = (Stage::new(), Stage::new());
    let long = make_work(long, &stage, null());
    let short = make_work(work, &other, null());
    for _ in 0..4 {
        submit(long);
    }
    assert!(comes_true(|| stage.log().len() == 4));
    submit(short);
    finish(short, false);
    assert_eq!((stage.calls(), other.calls()), (0, 1));
    stage.gate.set();
    finish(long, false);
    assert!(stage.log().iter().all(|&more| more != 0));
    close(long);
    close(short);
}

#[test]
fn r157_a_disassociated_callback_is_not_waited_for() {
    unsafe extern "system" fn leave(
        instance: PTP_CALLBACK_INSTANCE,
        context: *mut c_void,
        _: PTP_WORK,
    ) {
        // SAFETY: the instance is ours, the stage the test's.
        unsafe {
            DisassociateCurrentThreadFromCallback(instance);
            Stage::of(context).act(true);
        }
    }

    init();
    let stage = Stage::new();
    // SAFETY: no memory is passed.
    let group = unsafe { CreateThreadpoolCleanupGroup() };
    let work = make_work(leave, &stage, &environment(0, group));
    submit(work);
    assert!(stage.entered.is_set_within(SOON));
    finish(work, false);
    assert_eq!(stage.calls(), 0);
    // Its group waits for it.
    std::thread::scope(|scope| {
        // SAFETY: no memory is passed.
        let closer = scope.spawn(move || unsafe {
            CloseThreadpoolCleanupGroupMembers(group, 0, null_mut());
        });
        pause();
        assert!(!closer.is_finished());
        stage.gate.set();
    });
    assert_eq!(stage.calls(), 1);
    // SAFETY: no memory is passed.
    unsafe { CloseThreadpoolCleanupGroup(group) };
}

#[test]
fn r157_the_finalization_callback_comes_last() {
    unsafe extern "system" fn finally(_: PTP_CALLBACK_INSTANCE, context: *mut c_void) {
        // SAFETY: the test keeps it.
        let stage = unsafe { Stage::of(context) };
        let calls = stage.calls();
        stage.log().push(calls);
    }

    init();
    let stage = Stage::new();
    let mut environment = environment(0, 0);
    environment.FinalizationCallback = Some(finally);
    let work = make_work(work, &stage, &environment);
    submit(work);
    finish(work, false);
    assert_eq!(*stage.log(), [1]);
    close(work);
}

// Groups.

/// Objects of a group, of which one runs, two wait and some do nothing.
struct Company {
    pool: Pool,
    group: PTP_CLEANUP_GROUP,
    // The callbacks know where they are.
    stage: Box<Stage>,
    idle: Box<Stage>,
}

unsafe extern "system" fn note_cancelled(object: *mut c_void, cleanup: *mut c_void) {
    // SAFETY: the test keeps both.
    unsafe {
        let calls = Stage::of(object).calls();
        Stage::of(cleanup).log().push(calls);
    }
}

unsafe extern "system" fn timer(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, _: PTP_TIMER) {
    // SAFETY: as above.
    unsafe { Stage::of(context) }.act(false);
}

unsafe extern "system" fn waited(
    _: PTP_CALLBACK_INSTANCE,
    context: *mut c_void,
    _: PTP_WAIT,
    _: u32,
) {
    // SAFETY: as above.
    unsafe { Stage::of(context) }.act(false);
}

impl Company {
    fn new(event: &Event) -> Company {
        // SAFETY: no memory is passed.
        let group = unsafe { CreateThreadpoolCleanupGroup() };
        let (stage, idle) = (Box::new(Stage::new()), Box::new(Stage::new()));
        let company = Company { pool: Pool::with_most(1), group, stage, idle };
        let mut environment = environment(company.pool.0, group);
        environment.CleanupGroupCancelCallback = Some(note_cancelled);
        let running = make_work(waiting_work, &company.stage, &environment);
        submit(running);
        assert!(company.stage.entered.is_set_within(SOON));
        let queued = make_work(work, &company.stage, &environment);
        submit(queued);
        submit(queued);
        make_work(work, &company.stage, &environment);
        // SAFETY: the stages outlive the group.
        unsafe {
            let context = company.stage.context();
            TrySubmitThreadpoolCallback(Some(simple), context, &environment);
            CreateThreadpoolTimer(Some(timer), company.idle.context(), &environment);
            let wait = CreateThreadpoolWait(Some(waited), company.idle.context(), &environment);
            SetThreadpoolWait(wait, **event, null());
        }
        company
    }

    /// Closes the members while one runs; how often the cancel callback was called.
    fn close(&self, cancel: bool) -> usize {
        let cleanup = Stage::new();
        let (group, context) = (self.group, cleanup.context() as usize);
        std::thread::scope(|scope| {
            // SAFETY: the cleanup's stage outlives the call.
            let closer = scope.spawn(move || unsafe {
                let context = context as *mut c_void;
                CloseThreadpoolCleanupGroupMembers(group, cancel.into(), context);
            });
            pause();
            assert!(!closer.is_finished());
            self.stage.gate.set();
        });
        cleanup.log().len()
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        // SAFETY: no memory is passed.
        unsafe { CloseThreadpoolCleanupGroup(self.group) };
    }
}

#[test]
fn r161_closing_the_members_runs_what_is_queued() {
    let event = Event::auto_reset();
    let company = Company::new(&event);
    assert_eq!(company.close(false), 0);
    assert_eq!((company.stage.calls(), company.idle.calls()), (4, 0));
    // The wait is over too.
    event.set();
    pause();
    assert!(event.is_set());
    assert_eq!(company.idle.calls(), 0);
}

#[test]
fn r161_cancelling_the_members_tells_each_of_them_once() {
    let event = Event::auto_reset();
    let company = Company::new(&event);
    // Three works, one simple callback, a timer, a wait.
    assert_eq!(company.close(true), 6);
    assert_eq!((company.stage.calls(), company.idle.calls()), (1, 0));
    event.set();
    pause();
    assert!(event.is_set());
}

#[test]
fn r161_a_group_can_be_used_again() {
    init();
    let stage = Stage::new();
    // SAFETY: no memory is passed.
    let group = unsafe { CreateThreadpoolCleanupGroup() };
    for round in 1..=3 {
        let work = make_work(work, &stage, &environment(0, group));
        submit(work);
        // SAFETY: no memory is passed.
        unsafe { CloseThreadpoolCleanupGroupMembers(group, 0, null_mut()) };
        assert_eq!(stage.calls(), round);
    }
    // SAFETY: no memory is passed.
    unsafe { CloseThreadpoolCleanupGroup(group) };
}

/// What is submitted before the members are closed runs or is cancelled; nothing runs afterwards.
#[test]
fn r161_closing_meets_submitting() {
    init();
    for round in 0..100 {
        let stage = Stage::new();
        // SAFETY: no memory is passed.
        let group = unsafe { CreateThreadpoolCleanupGroup() };
        std::thread::scope(|scope| {
            let stage = &stage;
            scope.spawn(move || {
                let environment = environment(0, group);
                for _ in 0..10 {
                    // SAFETY: the stage outlives the group's members.
                    unsafe {
                        let context = stage.context();
                        TrySubmitThreadpoolCallback(Some(simple), context, &environment);
                    }
                }
            });
            // SAFETY: no memory is passed.
            unsafe {
                CloseThreadpoolCleanupGroupMembers(group, i32::from(round % 2 == 0), null_mut());
            }
        });
        // SAFETY: no memory is passed.
        unsafe {
            CloseThreadpoolCleanupGroupMembers(group, 0, null_mut());
            let calls = stage.calls();
            CloseThreadpoolCleanupGroup(group);
            assert_eq!((stage.calls(), stage.inside.load(Ordering::SeqCst)), (calls, 0));
        }
    }
}

/// Not used by every test.
#[test]
fn r157_callbacks_of_all_kinds_may_wait() {
    init();
    let stage = Stage::new();
    // SAFETY: the stage outlives the callbacks.
    unsafe {
        for _ in 0..3 {
            TrySubmitThreadpoolCallback(Some(waiting_simple), stage.context(), null());
        }
    }
    assert!(comes_true(|| stage.inside.load(Ordering::SeqCst) == 3));
    stage.gate.set();
    assert!(comes_true(|| stage.calls() == 3));
}
