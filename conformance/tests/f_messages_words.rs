//! Section F, the windows behind WSAAsyncSelect: their words and their text.

use std::cell::RefCell;
use std::ffi::CStr;
use std::ptr::{null, null_mut};
use std::rc::Rc;
use std::sync::Mutex;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_INVALID_INDEX, ERROR_INVALID_WINDOW_HANDLE, HWND, LPARAM, LRESULT, SetLastError, WPARAM,
};
use winsock_sys::Win32::UI::WindowsAndMessaging::*;

#[test]
fn words_are_kept_for_the_program() {
    let name = wide::<8>("class-7\0");
    register_class(&WNDCLASSW { cbWndExtra: 20, ..window_class(&name) }).expect("a new name");
    let window = create_window(name.as_ptr(), module()).expect("a window");
    let value: isize = 0x1122_3344_5566_7788;
    // SAFETY: no memory is passed.
    unsafe {
        assert_eq!(SetWindowLongPtrW(window, GWLP_USERDATA, value), 0);
        assert_eq!(SetWindowLongPtrA(window, GWLP_USERDATA, value + 1), value);
        assert_eq!(GetWindowLongPtrA(window, GWLP_USERDATA), value + 1);
        assert_eq!(GetWindowLongW(window, GWLP_USERDATA), 0x5566_7789);

        assert_eq!(GetWindowLongPtrW(window, 0), 0);
        assert_eq!(SetWindowLongPtrW(window, 12, value), 0);
        assert_eq!(SetWindowLongW(window, 16, -1), 0x1122_3344);
        assert_eq!(GetWindowLongW(window, 12), 0x5566_7788);
        assert_eq!(GetWindowLongA(window, 16), -1);
        assert_eq!(GetWindowLongPtrW(window, 8), 0x5566_7788 << 32);
        for (index, fits_long) in [(13, true), (17, false), (-1, false), (-5, false), (100, false)]
        {
            SetLastError(0);
            assert_eq!(SetWindowLongPtrW(window, index, 1), 0);
            assert_eq!(last_error(), ERROR_INVALID_INDEX, "{index}");
            SetLastError(0);
            assert_eq!(GetWindowLongPtrW(window, index), 0);
            assert_eq!(last_error(), ERROR_INVALID_INDEX, "{index}");
            SetLastError(0);
            SetWindowLongA(window, index, 1);
            assert_eq!(last_error() == 0, fits_long, "{index}");
        }
        for pointer in [GWLP_WNDPROC, GWLP_HINSTANCE, GWLP_HWNDPARENT] {
            SetLastError(0);
            assert_eq!(GetWindowLongW(window, pointer), 0);
            assert_eq!(last_error(), ERROR_INVALID_INDEX);
        }
    }
    assert_eq!(destroy_window(window), Ok(()));
    // SAFETY: no memory is passed.
    unsafe {
        SetLastError(0);
        assert_eq!(GetWindowLongPtrW(window, GWLP_USERDATA), 0);
        assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
    }
    assert_eq!(unregister_class(name.as_ptr(), module()), Ok(()));
}

#[test]
fn words_of_style_are_announced() {
    let log: Rc<RefCell<Vec<u32>>> = Rc::default();
    let window = Window::handling({
        let log = log.clone();
        move |call| {
            if matches!(call.message, WM_STYLECHANGING | WM_STYLECHANGED) {
                // SAFETY: the message says so.
                let change = unsafe { &mut *(call.lparam as *mut STYLESTRUCT) };
                assert_eq!(call.wparam as i32, GWL_STYLE);
                log.borrow_mut().push(call.message);
                log.borrow_mut().push(change.styleNew & WS_DISABLED);
                change.styleNew |= WS_GROUP;
            }
            None
        }
    });
    let old = window_long(*window, GWL_STYLE);
    // SAFETY: no memory is passed.
    let before = unsafe { SetWindowLongPtrW(*window, GWL_STYLE, old | WS_DISABLED as isize) };
    assert_eq!(before, old);
    let told = [WM_STYLECHANGING, WS_DISABLED, WM_STYLECHANGED, WS_DISABLED];
    assert_eq!(*log.borrow(), told);
    // What the window made of it is what it got.
    let both = WS_DISABLED | WS_GROUP;
    assert_eq!(window_long(*window, GWL_STYLE) as u32 & both, both);
}

#[test]
fn words_of_another_window_procedure_make_a_subclass() {
    static OLD: Mutex<isize> = Mutex::new(0);

    unsafe extern "system" fn subclass(
        hwnd: HWND,
        message: u32,
        wparam: WPARAM,
        lparam: LPARAM,
    ) -> LRESULT {
        // SAFETY: it is what SetWindowLongPtrW returned.
        let old = unsafe { std::mem::transmute::<isize, WNDPROC>(*OLD.lock().unwrap()) };
        // SAFETY: passed on.
        let answer = unsafe { CallWindowProcW(old, hwnd, message, wparam, lparam) };
        if message == WM_USER { answer + 1 } else { answer }
    }

    let window = Window::handling(|call| (call.message == WM_USER).then_some(10));
    let procedure = subclass as *const () as isize;
    // SAFETY: it is a window procedure.
    unsafe {
        assert_eq!(SendMessageW(*window, WM_USER, 0, 0), 10);
        *OLD.lock().unwrap() = SetWindowLongPtrW(*window, GWLP_WNDPROC, procedure);
        assert_eq!(GetWindowLongPtrW(*window, GWLP_WNDPROC), procedure);
        assert_eq!(SendMessageW(*window, WM_USER, 0, 0), 11);
    }
    window.post(WM_USER, 0, 0);
    assert_eq!(dispatch(&try_message().expect("posted")), 11);
}

// Text.

#[test]
fn text_can_be_set_and_read() {
    let window = Window::new();
    assert_eq!(window_text(*window), "");
    set_window_text(*window, "grüße");
    assert_eq!(window_text(*window), "grüße");
    let mut cut = [0x7F; 4];
    // SAFETY: the buffer has that room.
    unsafe {
        assert_eq!(GetWindowTextLengthW(*window), 5);
        assert_eq!(GetWindowTextW(*window, cut.as_mut_ptr(), 4), 3);
        assert_eq!(cut, [u16::from(b'g'), u16::from(b'r'), 0xFC, 0]);
        assert_ne!(SetWindowTextW(*window, null()), 0);
    }
    assert_eq!(window_text(*window), "");
    let gone = *window;
    drop(window);
    // SAFETY: as above.
    unsafe {
        SetLastError(0);
        assert_eq!(GetWindowTextW(gone, cut.as_mut_ptr(), 4), 0);
        assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
        SetLastError(0);
        assert_eq!(SetWindowTextW(gone, null()), 0);
        assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
    }
}

#[test]
fn text_is_a_message() {
    let window = Window::handling(|call| match call.message {
        WM_GETTEXT => {
            let word = wide::<5>("mine\0");
            // SAFETY: the message says that there is room.
            unsafe { word.as_ptr().copy_to_nonoverlapping(call.lparam as *mut u16, 5) };
            Some(4)
        }
        WM_GETTEXTLENGTH => Some(99),
        _ => None,
    });
    assert_eq!(window_text(*window), "mine");
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { GetWindowTextLengthW(*window) }, 99);
}

#[test]
fn text_is_translated_between_ansi_and_unicode() {
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

    /// Speaks ANSI: notes text that it gets.
    unsafe extern "system" fn ansi(
        hwnd: HWND,
        message: u32,
        wparam: WPARAM,
        lparam: LPARAM,
    ) -> LRESULT {
        let text = match message {
            WM_SETTEXT => lparam as *const u8,
            // SAFETY: the message says so.
            WM_NCCREATE => unsafe { (*(lparam as *const CREATESTRUCTA)).lpszName },
            _ => null(),
        };
        if !text.is_null() {
            // SAFETY: it is a string.
            let text = unsafe { CStr::from_ptr(text.cast()) };
            SEEN.lock().unwrap().push(text.to_string_lossy().into_owned());
        }
        // SAFETY: passed on.
        unsafe { DefWindowProcA(hwnd, message, wparam, lparam) }
    }

    let ansi_class = WNDCLASSA {
        lpfnWndProc: Some(ansi),
        hInstance: module(),
        lpszClassName: c"class-8".as_ptr().cast(),
        ..Default::default()
    };
    let name = wide::<8>("class-8\0");
    let mut buffer = [0; 16];
    // SAFETY: all strings end in NUL, all buffers have the room they are said to have.
    unsafe {
        assert_ne!(RegisterClassA(&ansi_class), 0);
        let title = wide::<4>("one\0");
        let (menu, parameter) = (null_mut(), null());
        let parent = HWND_MESSAGE;
        let window = CreateWindowExW(
            0,
            name.as_ptr(),
            title.as_ptr(),
            0,
            0,
            0,
            0,
            0,
            parent,
            menu,
            module(),
            parameter,
        );
        assert!(!window.is_null());
        assert_eq!(IsWindowUnicode(window), 0);
        assert_eq!(window_text(window), "one");
        set_window_text(window, "two");
        assert_ne!(SetWindowTextA(window, c"three".as_ptr().cast()), 0);
        assert_eq!(*SEEN.lock().unwrap(), ["one", "two", "three"]);
        assert_eq!(GetWindowTextLengthW(window), 5);
        assert_eq!(GetWindowTextLengthA(window), 5);
        assert_eq!(GetWindowTextA(window, buffer.as_mut_ptr(), 4), 3);
        assert_eq!(&buffer[..4], b"thr\0");
        assert_eq!(GetClassNameA(window, buffer.as_mut_ptr(), 16), 7);
        assert_eq!(&buffer[..8], b"class-8\0");

        // Its procedure is a riddle to who expects Unicode, but CallWindowProcW can read it.
        let riddle = GetWindowLongPtrW(window, GWLP_WNDPROC);
        assert_ne!(riddle, ansi as *const () as isize);
        assert_eq!(GetWindowLongPtrA(window, GWLP_WNDPROC), ansi as *const () as isize);
        let riddle = std::mem::transmute::<isize, WNDPROC>(riddle);
        let four = wide::<5>("four\0");
        CallWindowProcW(riddle, window, WM_SETTEXT, 0, four.as_ptr() as LPARAM);
        assert_eq!(SEEN.lock().unwrap().last().map(String::as_str), Some("four"));

        // A Unicode procedure makes it a window that speaks Unicode.
        SetWindowLongPtrW(window, GWLP_WNDPROC, DefWindowProcW as *const () as isize);
        assert_ne!(IsWindowUnicode(window), 0);
        assert_eq!(GetWindowTextA(window, buffer.as_mut_ptr(), 16), 4);
        assert_eq!(&buffer[..5], b"four\0");
        assert_eq!(destroy_window(window), Ok(()));
        assert_ne!(UnregisterClassA(c"class-8".as_ptr().cast(), module()), 0);
    }
}
