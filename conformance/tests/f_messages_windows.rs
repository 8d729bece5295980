//! Section F, the windows behind WSAAsyncSelect: classes, making and destroying, words, text.

use std::cell::{Cell, RefCell};
use std::ptr::{null, null_mut};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    CloseHandle, ERROR_ACCESS_DENIED, ERROR_CANNOT_FIND_WND_CLASS, ERROR_CLASS_ALREADY_EXISTS,
    ERROR_CLASS_DOES_NOT_EXIST, ERROR_CLASS_HAS_WINDOWS, ERROR_INSUFFICIENT_BUFFER,
    ERROR_INVALID_HANDLE, ERROR_INVALID_INDEX, ERROR_INVALID_PARAMETER,
    ERROR_INVALID_WINDOW_HANDLE, ERROR_TLW_WITH_WSCHILD, HINSTANCE, HWND, LPARAM, LRESULT,
    SetLastError, WAIT_FAILED, WPARAM,
};
use winsock_sys::Win32::Graphics::Gdi::{
    BeginPaint, EndPaint, GetStockObject, InvalidateRect, PAINTSTRUCT, UpdateWindow, WHITE_BRUSH,
};
use winsock_sys::Win32::System::LibraryLoader::{GetModuleHandleA, GetModuleHandleW};
use winsock_sys::Win32::System::Threading::{
    GetCurrentProcessId, GetCurrentThreadId, WaitForSingleObject,
};
use winsock_sys::Win32::UI::WindowsAndMessaging::*;

/// What the windows of [`logging`] got, by message.
type Log = Rc<RefCell<Vec<(usize, u32)>>>;

/// The messages about a window's life; others, about looks, depend on the system.
const LIFE: [u32; 4] = [WM_NCCREATE, WM_CREATE, WM_DESTROY, WM_NCDESTROY];

/// A handler that notes the messages of a window's life under `name`.
fn logging(log: &Log, name: usize) -> impl Fn(&Call) -> Option<LRESULT> + use<> {
    let log = log.clone();
    move |call| {
        if LIFE.contains(&call.message) {
            log.borrow_mut().push((name, call.message));
        }
        None
    }
}

// Classes.

#[test]
fn classes_have_one_name_whatever_its_case() {
    let name = wide::<9>("Class-1a\0");
    let atom = register_class(&window_class(&name)).expect("a new name");
    assert!(atom >= 0xC000);
    assert_eq!(register_class(&window_class(&name)), Err(ERROR_CLASS_ALREADY_EXISTS));
    let other_case = wide::<9>("cLASS-1A\0");
    assert_eq!(register_class(&window_class(&other_case)), Err(ERROR_CLASS_ALREADY_EXISTS));
    for known_as in [name.as_ptr(), other_case.as_ptr(), atom as usize as *const u16] {
        destroy_window(create_window(known_as, module()).expect("a window")).expect("own");
    }
    assert_eq!(unregister_class(other_case.as_ptr(), module()), Ok(()));
    assert!(create_window(name.as_ptr(), module()).is_err());
    assert!(register_class(&window_class(&name)).is_ok());
    assert_eq!(unregister_class(name.as_ptr(), module()), Ok(()));
}

#[test]
fn classes_stay_while_they_have_windows() {
    let name = wide::<8>("class-2\0");
    let atom = register_class(&window_class(&name)).expect("a new name") as usize as *const u16;
    let window = create_window(name.as_ptr(), module()).expect("a window");
    assert_eq!(unregister_class(name.as_ptr(), module()), Err(ERROR_CLASS_HAS_WINDOWS));
    assert_eq!(destroy_window(window), Ok(()));
    assert_eq!(unregister_class(atom, module()), Ok(()));
    assert_eq!(unregister_class(name.as_ptr(), module()), Err(ERROR_CLASS_DOES_NOT_EXIST));
}

#[test]
fn classes_belong_to_modules() {
    let name = wide::<8>("class-3\0");
    let (mine, other) = (module(), 0x12_0000 as HINSTANCE);
    assert!(register_class(&WNDCLASSW { hInstance: null_mut(), ..window_class(&name) }).is_ok());
    assert_eq!(
        register_class(&window_class(&name)),
        Err(ERROR_CLASS_ALREADY_EXISTS),
        "NULL is the program"
    );
    assert!(register_class(&WNDCLASSW { hInstance: other, ..window_class(&name) }).is_ok());
    for instance in [mine, other] {
        let window = create_window(name.as_ptr(), instance).expect("a window");
        // SAFETY: no memory is passed.
        assert_eq!(unsafe { GetClassLongPtrW(window, GCLP_HMODULE) }, instance as usize);
        assert_eq!(destroy_window(window), Ok(()));
        assert_eq!(unregister_class(name.as_ptr(), instance), Ok(()));
        let fails = create_window(name.as_ptr(), instance);
        // Wine 8.0: ERROR_CLASS_DOES_NOT_EXIST.
        differs_on_wine(|| assert_eq!(fails, Err(ERROR_CANNOT_FIND_WND_CLASS)));
        assert!(fails.is_err());
    }
}

#[test]
fn classes_must_make_sense() {
    let name = wide::<8>("class-4\0");
    let bad = Err(ERROR_INVALID_PARAMETER);
    assert_eq!(register_class(&WNDCLASSW { cbWndExtra: -1, ..window_class(&name) }), bad);
    assert_eq!(register_class(&WNDCLASSW { cbClsExtra: -1, ..window_class(&name) }), bad);
    let full = WNDCLASSEXW {
        cbSize: size_of::<WNDCLASSEXW>() as u32,
        lpfnWndProc: Some(DefWindowProcW),
        hInstance: module(),
        lpszClassName: name.as_ptr(),
        ..Default::default()
    };
    for wrong in [0, full.cbSize - 1, full.cbSize + 8, size_of::<WNDCLASSW>() as u32] {
        // SAFETY: the structure is valid but for its size.
        let atom = unsafe { RegisterClassExW(&WNDCLASSEXW { cbSize: wrong, ..full }) };
        assert_eq!((atom, last_error()), (0, ERROR_INVALID_PARAMETER));
    }
    // SAFETY: the structure is valid.
    assert_ne!(unsafe { RegisterClassExW(&full) }, 0);
    assert_eq!(unregister_class(name.as_ptr(), module()), Ok(()));
}

#[test]
fn classes_tell_what_they_are() {
    let name = wide::<8>("class-5\0");
    // SAFETY: the names are the system's own numbers.
    let (icon, small, cursor, brush) = unsafe {
        (
            LoadIconW(null_mut(), IDI_APPLICATION),
            0x77 as HICON,
            LoadCursorW(null_mut(), IDC_ARROW),
            GetStockObject(WHITE_BRUSH),
        )
    };
    assert!(!icon.is_null() && !cursor.is_null() && !brush.is_null());
    let full = WNDCLASSEXW {
        cbSize: size_of::<WNDCLASSEXW>() as u32,
        style: CS_DBLCLKS,
        lpfnWndProc: Some(DefWindowProcW),
        cbClsExtra: 16,
        cbWndExtra: 24,
        hInstance: module(),
        hIcon: icon,
        hCursor: cursor,
        hbrBackground: brush,
        lpszMenuName: null(),
        lpszClassName: name.as_ptr(),
        hIconSm: small,
    };
    let mut told = WNDCLASSEXW { cbSize: full.cbSize, ..Default::default() };
    let mut short = WNDCLASSW::default();
    // SAFETY: the structures are valid, the names end in NUL.
    unsafe {
        let atom = RegisterClassExW(&full);
        assert_eq!(GetClassInfoExW(module(), name.as_ptr(), &mut told), i32::from(atom));
        assert_ne!(GetClassInfoW(module(), name.as_ptr(), &mut short), 0);
        let none = wide::<5>("none\0");
        assert_eq!(GetClassInfoExW(module(), none.as_ptr(), &mut told), 0);
        assert_eq!(last_error(), ERROR_CLASS_DOES_NOT_EXIST);
        assert_eq!(GetClassInfoExW(null_mut(), name.as_ptr(), &mut told), 0);
    }
    let sizes = |extra: (i32, i32)| assert_eq!(extra, (16, 24));
    sizes((told.cbClsExtra, told.cbWndExtra));
    sizes((short.cbClsExtra, short.cbWndExtra));
    assert_eq!((told.style, told.hInstance, told.hbrBackground), (CS_DBLCLKS, module(), brush));
    assert_eq!((told.hIcon, told.hIconSm, told.hCursor), (icon, small, cursor));
    assert!(told.lpfnWndProc.is_some_and(|procedure| {
        std::ptr::fn_addr_eq(procedure, full.lpfnWndProc.expect("set"))
    }));

    let window = create_window(name.as_ptr(), module()).expect("a window");
    let mut spelled = [0; 16];
    // SAFETY: the buffer has that room; no other memory is passed.
    unsafe {
        assert_eq!(GetClassNameW(window, spelled.as_mut_ptr(), 16), 7);
        assert_eq!(spelled[..8], name);
        assert_eq!(GetClassNameW(window, spelled.as_mut_ptr(), 4), 3);
        assert_eq!(spelled[..4], wide::<4>("cla\0"));
        assert_eq!(GetClassNameW(window, spelled.as_mut_ptr(), 0), 0);
        assert_eq!(last_error(), ERROR_INSUFFICIENT_BUFFER);
        assert_eq!(GetClassLongPtrW(window, GCL_CBCLSEXTRA), 16);
        assert_eq!(GetClassLongPtrW(window, GCL_CBWNDEXTRA), 24);
        assert_eq!(GetClassLongW(window, GCL_STYLE), CS_DBLCLKS);
        assert_eq!(SetClassLongPtrW(window, 8, 5), 0);
        assert_eq!(SetClassLongPtrW(window, 8, 6), 5);
        SetLastError(0);
        assert_eq!(SetClassLongPtrW(window, 9, 6), 0);
        assert_eq!(last_error(), ERROR_INVALID_INDEX);
    }
    assert_eq!(destroy_window(window), Ok(()));
    assert_eq!(unregister_class(name.as_ptr(), module()), Ok(()));
}

#[test]
fn classes_of_the_system_need_no_registering() {
    for name in [&wide::<7>("STATIC\0")[..], &wide::<8>("Message\0")[..]] {
        let window = create_window(name.as_ptr(), null_mut()).expect("a class of the system");
        assert_eq!(destroy_window(window), Ok(()));
    }
}

// Making windows.

#[test]
fn windows_hear_of_their_making_and_their_end() {
    let log = Log::default();
    let window = Window::handling(logging(&log, 1));
    assert_eq!(*log.borrow(), [(1, WM_NCCREATE), (1, WM_CREATE)]);
    log.borrow_mut().clear();
    assert!(is_window(*window));
    assert_eq!(destroy_window(*window), Ok(()));
    assert_eq!(*log.borrow(), [(1, WM_DESTROY), (1, WM_NCDESTROY)]);
    assert!(!is_window(*window));
}

#[test]
fn windows_see_what_they_are_made_of() {
    unsafe extern "system" fn procedure(
        hwnd: HWND,
        message: u32,
        wparam: WPARAM,
        lparam: LPARAM,
    ) -> LRESULT {
        if message == WM_NCCREATE || message == WM_CREATE {
            // SAFETY: the message says so.
            let create = unsafe { &*(lparam as *const CREATESTRUCTW) };
            // SAFETY: the test passes a cell.
            let seen = unsafe { &*create.lpCreateParams.cast::<Cell<u32>>() };
            // SAFETY: the test passes a name.
            let starts_with_t = unsafe { *create.lpszName } == u16::from(b't');
            let place = (create.x, create.y, create.cx, create.cy);
            let right = place == (1, 2, 3, 4)
                && starts_with_t
                && !create.hwndParent.is_null()
                && create.hInstance == module()
                && create.style as u32 & WS_DISABLED != 0
                && create.dwExStyle & WS_EX_TOOLWINDOW != 0;
            seen.set(seen.get() + u32::from(right));
        }
        // SAFETY: passed on.
        unsafe { DefWindowProcW(hwnd, message, wparam, lparam) }
    }

    let name = wide::<8>("class-6\0");
    register_class(&WNDCLASSW { lpfnWndProc: Some(procedure), ..window_class(&name) })
        .expect("a new name");
    let seen = Cell::new(0);
    // SAFETY: the strings end in NUL, the procedure knows what the parameter is.
    let window = unsafe {
        CreateWindowExW(
            WS_EX_TOOLWINDOW,
            name.as_ptr(),
            wide::<6>("title\0").as_ptr(),
            WS_DISABLED,
            1,
            2,
            3,
            4,
            HWND_MESSAGE,
            null_mut(),
            module(),
            (&raw const seen).cast(),
        )
    };
    assert!(!window.is_null());
    assert_eq!(seen.get(), 2);
    assert_eq!(window_text(window), "title");
    assert_ne!(window_long(window, GWL_STYLE) as u32 & WS_DISABLED, 0);
    assert_ne!(window_long(window, GWL_EXSTYLE) as u32 & WS_EX_TOOLWINDOW, 0);
    assert_eq!(window_long(window, GWLP_HINSTANCE), module() as isize);
    assert_eq!(destroy_window(window), Ok(()));
    assert_eq!(unregister_class(name.as_ptr(), module()), Ok(()));
}

#[test]
fn windows_may_refuse_to_be_made() {
    for (refusing, answer) in [(WM_NCCREATE, 0), (WM_CREATE, -1)] {
        let log = Log::default();
        let (note, seen) = (logging(&log, 1), Rc::new(Cell::new(null_mut())));
        let made = Window::try_handling(HWND_MESSAGE, {
            let seen = seen.clone();
            move |call| {
                note(call);
                seen.set(call.hwnd);
                (call.message == refusing).then_some(answer)
            }
        });
        assert!(made.is_err());
        assert_eq!(log.borrow().last(), Some(&(1, WM_NCDESTROY)));
        assert!(!is_window(seen.get()));
    }
    // Any other answer to WM_CREATE will do.
    assert!(
        Window::try_handling(HWND_MESSAGE, |call| { (call.message == WM_CREATE).then_some(-2) })
            .is_ok()
    );
}

#[test]
fn windows_need_a_class_and_a_parent_that_exist() {
    let name = wide::<7>("no one\0");
    // Wine 8.0: ERROR_CLASS_DOES_NOT_EXIST.
    differs_on_wine(|| {
        assert_eq!(create_window(name.as_ptr(), module()), Err(ERROR_CANNOT_FIND_WND_CLASS));
    });
    let name = wide::<7>("Static\0");
    let gone = *Window::new();
    for parent in [gone, 0x1234 as HWND] {
        for style in [0, WS_CHILD] {
            let made = create_window_in(parent, style, name.as_ptr(), module());
            assert_eq!(made, Err(ERROR_INVALID_WINDOW_HANDLE));
        }
    }
    let made = create_window_in(null_mut(), WS_CHILD, name.as_ptr(), module());
    assert_eq!(made, Err(ERROR_TLW_WITH_WSCHILD));
}

#[test]
fn windows_of_other_styles_can_be_made_and_shown() {
    let shown = Rc::new(Cell::new(0));
    let window = Window::styled(WS_OVERLAPPEDWINDOW, null_mut(), {
        let shown = shown.clone();
        move |call| {
            if call.message == WM_SHOWWINDOW {
                shown.set(shown.get() + if call.wparam == 0 { -1 } else { 1 });
            }
            None
        }
    })
    .expect("a top-level window");
    let mut paint = PAINTSTRUCT::default();
    // SAFETY: the structure is ours.
    unsafe {
        assert_eq!(IsWindowVisible(*window), 0);
        assert_eq!(ShowWindow(*window, SW_SHOW), 0);
        assert_ne!(IsWindowVisible(*window), 0);
        assert_eq!(shown.get(), 1);
        assert_ne!(InvalidateRect(*window, null(), 0), 0);
        assert_ne!(UpdateWindow(*window), 0);
        BeginPaint(*window, &mut paint);
        assert_ne!(EndPaint(*window, &paint), 0);
        assert_ne!(ShowWindow(*window, SW_HIDE), 0);
        assert_eq!(shown.get(), 0);
        assert_eq!(IsWindowVisible(*window), 0);
    }
}

// Destroying them.

#[test]
fn windows_take_their_children_along() {
    let log = Log::default();
    let parent = Window::handling(logging(&log, 1));
    let child = Window::styled(WS_CHILD, *parent, logging(&log, 2)).expect("a child");
    let grandchild = Window::styled(WS_CHILD, *child, logging(&log, 3)).expect("a child");
    log.borrow_mut().clear();
    assert_eq!(destroy_window(*parent), Ok(()));
    assert!(!is_window(*child) && !is_window(*grandchild));
    let (destroyed, gone) = (WM_DESTROY, WM_NCDESTROY);
    let order = [(1, destroyed), (2, destroyed), (3, destroyed), (3, gone), (2, gone), (1, gone)];
    assert_eq!(*log.borrow(), order);
}

#[test]
fn windows_take_those_along_that_they_own() {
    let owner = Window::styled(WS_POPUP, null_mut(), |_| None).expect("a window");
    let owned = Window::styled(WS_POPUP, *owner, |_| None).expect("a window");
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { GetParent(*owned) }, *owner);
    assert_eq!(destroy_window(*owner), Ok(()));
    assert!(!is_window(*owned));
}

#[test]
fn windows_tell_their_parents() {
    let log: Rc<RefCell<Vec<(usize, LPARAM)>>> = Rc::default();
    let parent = Window::handling({
        let log = log.clone();
        move |call| {
            if call.message == WM_PARENTNOTIFY {
                log.borrow_mut().push((call.wparam & 0xFFFF, call.lparam));
            }
            None
        }
    });
    let child = Window::styled(WS_CHILD, *parent, |_| None).expect("a child");
    let name = *child as LPARAM;
    assert_eq!(*log.borrow(), [(WM_CREATE as usize, name)]);
    assert_eq!(destroy_window(*child), Ok(()));
    assert_eq!(*log.borrow(), [(WM_CREATE as usize, name), (WM_DESTROY as usize, name)]);
}

#[test]
fn windows_can_be_destroyed_by_their_own_thread_only() {
    let window = Window::new();
    let name = *window as usize;
    let other = std::thread::spawn(move || destroy_window(name as HWND));
    assert_eq!(other.join().unwrap(), Err(ERROR_ACCESS_DENIED));
    assert!(is_window(*window));
    assert_eq!(destroy_window(*window), Ok(()));
    // Wine 8.0: ERROR_ACCESS_DENIED.
    differs_on_wine(|| {
        for hwnd in [*window, null_mut(), 0x1234 as HWND] {
            assert_eq!(destroy_window(hwnd), Err(ERROR_INVALID_WINDOW_HANDLE));
        }
    });
}

#[test]
fn windows_may_destroy_themselves_inside_their_procedure() {
    let window = Window::handling(|call| {
        (call.message == WM_USER).then(|| {
            destroy_window(call.hwnd).expect("own");
            isize::from(is_window(call.hwnd)) + 7
        })
    });
    window.post(WM_USER, 0, 0);
    window.post(WM_USER, 0, 0);
    assert_eq!(dispatch(&try_message().expect("posted")), 7);
    assert!(try_message().is_none());
}

#[test]
fn windows_end_with_their_thread_and_hear_nothing_of_it() {
    static HEARD: AtomicU32 = AtomicU32::new(0);

    unsafe extern "system" fn procedure(
        hwnd: HWND,
        message: u32,
        wparam: WPARAM,
        lparam: LPARAM,
    ) -> LRESULT {
        if message == WM_DESTROY || message == WM_NCDESTROY {
            HEARD.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: passed on.
        unsafe { DefWindowProcW(hwnd, message, wparam, lparam) }
    }

    let (tell, told) = mpsc::channel();
    let (go, wait) = mpsc::channel();
    let thread = Thread::start(move || {
        let name = wide::<9>("class-10\0");
        let class = WNDCLASSW { lpfnWndProc: Some(procedure), ..window_class(&name) };
        register_class(&class).expect("a new name");
        let window = create_window(name.as_ptr(), module()).expect("a window");
        let mut process = 0;
        // SAFETY: the place for the number is ours.
        unsafe {
            assert_eq!(GetWindowThreadProcessId(window, &mut process), GetCurrentThreadId());
            assert_eq!(process, GetCurrentProcessId());
        }
        tell.send(window as usize).unwrap();
        wait.recv().unwrap();
    });
    let hwnd = told.recv().unwrap() as HWND;
    assert!(is_window(hwnd));
    go.send(()).unwrap();
    thread.join();
    assert!(!is_window(hwnd));
    assert_eq!(post_to(hwnd, WM_USER, 0, 0), Err(ERROR_INVALID_WINDOW_HANDLE));
    assert_eq!(HEARD.load(Ordering::Relaxed), 0);
}

#[test]
fn windows_are_no_handles() {
    let window = Window::new();
    // SAFETY: no memory is passed.
    unsafe {
        assert_eq!(CloseHandle(*window), 0);
        assert_eq!(last_error(), ERROR_INVALID_HANDLE);
        assert_eq!(WaitForSingleObject(*window, 0), WAIT_FAILED);
        assert_eq!(last_error(), ERROR_INVALID_HANDLE);
        // Windows promises that an HWND survives being kept in 32 bits.
        assert_eq!(*window as isize, *window as isize as i32 as isize);
    }
    assert!(is_window(*window));
    let event = Event::manual_reset();
    assert!(!is_window(*event));
}

#[test]
fn windows_that_are_gone_are_never_mistaken_for_new_ones() {
    let gone = *Window::new();
    for _ in 0..1000 {
        assert_ne!(*Window::new(), gone);
    }
    assert!(!is_window(gone));
}

// What is done by default.

#[test]
fn windows_close_by_default() {
    for (message, wparam) in [(WM_CLOSE, 0), (WM_SYSCOMMAND, SC_CLOSE as usize)] {
        let window = Window::new();
        window.post(message, wparam, 0);
        dispatch(&try_message().expect("posted"));
        assert!(!is_window(*window));
    }
    let stays = Window::handling(|call| (call.message == WM_CLOSE).then_some(0));
    stays.post(WM_CLOSE, 0, 0);
    dispatch(&try_message().expect("posted"));
    assert!(is_window(*stays));
}

// Looking for windows.

#[test]
fn windows_can_be_found() {
    let name = wide::<8>("class-9\0");
    register_class(&window_class(&name)).expect("a new name");
    let hidden = create_window(name.as_ptr(), module()).expect("a window");
    set_window_text(hidden, "Needle-1");
    let top = create_window_in(null_mut(), WS_POPUP, name.as_ptr(), module()).expect("a window");
    set_window_text(top, "Needle-2");
    let (first, second) = (wide::<9>("needle-1\0"), wide::<9>("NEEDLE-2\0"));
    let none = null_mut();
    // SAFETY: the strings end in NUL.
    unsafe {
        assert_eq!(FindWindowW(name.as_ptr(), second.as_ptr()), top);
        assert_eq!(FindWindowW(null(), second.as_ptr()), top);
        assert_eq!(FindWindowA(c"class-9".as_ptr().cast(), null()), top, "top-level ones first");
        assert_eq!(FindWindowW(name.as_ptr(), first.as_ptr()), hidden);
        assert_eq!(FindWindowExW(HWND_MESSAGE, none, null(), first.as_ptr()), hidden);
        assert!(FindWindowExW(HWND_MESSAGE, none, name.as_ptr(), second.as_ptr()).is_null());
        assert!(FindWindowExW(HWND_MESSAGE, hidden, null(), first.as_ptr()).is_null());
        assert!(FindWindowW(wide::<5>("none\0").as_ptr(), null()).is_null());
        let title = c"Needle-1".as_ptr().cast();
        assert_eq!(FindWindowExA(HWND_MESSAGE, none, null(), title), hidden);
    }
    assert_eq!(destroy_window(hidden), Ok(()));
    assert_eq!(destroy_window(top), Ok(()));
    assert_eq!(unregister_class(name.as_ptr(), module()), Ok(()));
}

#[test]
fn windows_have_parents() {
    let parent = Window::styled(WS_POPUP, null_mut(), |_| None).expect("a window");
    let other = Window::styled(WS_POPUP, null_mut(), |_| None).expect("a window");
    let child = Window::styled(WS_CHILD, *parent, |_| None).expect("a child");
    let grandchild = Window::styled(WS_CHILD, *child, |_| None).expect("a child");
    // SAFETY: no memory is passed.
    unsafe {
        assert_eq!(GetParent(*child), *parent);
        assert!(GetParent(*parent).is_null());
        assert_ne!(IsChild(*parent, *grandchild), 0);
        assert_eq!(IsChild(*child, *parent), 0);
        assert_eq!(IsChild(*child, *child), 0);
        assert_eq!(SetParent(*child, *other), *parent);
        assert_eq!(GetParent(*child), *other);
        assert_eq!(IsChild(*parent, *grandchild), 0);
        assert_ne!(IsChild(*other, *grandchild), 0);
    }
    assert_eq!(destroy_window(*other), Ok(()));
    assert!(!is_window(*grandchild) && is_window(*parent));
}

#[test]
fn windows_belong_to_the_module_of_the_program() {
    // SAFETY: the name ends in NUL.
    unsafe {
        assert!(!GetModuleHandleW(null()).is_null());
        assert_eq!(GetModuleHandleA(null()), GetModuleHandleW(null()));
        assert!(GetModuleHandleA(c"no-such-module.dll".as_ptr().cast()).is_null());
    }
}
