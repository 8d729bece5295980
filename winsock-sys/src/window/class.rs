//! Window classes.

use std::sync::{Arc, LazyLock};

use windows_sys::Win32::Foundation::{
    ERROR_CANNOT_FIND_WND_CLASS, ERROR_CLASS_ALREADY_EXISTS, ERROR_CLASS_DOES_NOT_EXIST,
    ERROR_CLASS_HAS_WINDOWS, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, FALSE, HINSTANCE,
    HWND, TRUE,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CS_GLOBALCLASS, WNDCLASSA, WNDCLASSEXA, WNDCLASSEXW, WNDCLASSW, WNDPROC,
};
use windows_sys::core::{BOOL, PCSTR, PCWSTR, PSTR, PWSTR};

use super::procedure::{Encoding, Procedure, Spelling};
use super::{atoms, open};
use crate::error::{self, Code};
use crate::modules;
use crate::sync::{Mutex, lock};
use crate::text::{self, Unit};

/// What the windows of a kind have in common.
pub struct Class {
    pub atom: u16,
    pub name: String,
    /// The module that registered it; 0 for a class of the system's.
    pub instance: usize,
    pub details: Mutex<Details>,
}

/// What SetClassLongPtr may change. Icons, cursors, brushes and menus are carried and given back,
/// never looked at.
#[derive(Clone)]
pub struct Details {
    pub style: u32,
    pub procedure: Procedure,
    pub window_extra: i32,
    pub icon: usize,
    pub small_icon: usize,
    pub cursor: usize,
    pub brush: usize,
    pub menu: usize,
    /// The cbClsExtra bytes.
    pub extra: Box<[u8]>,
    /// How many windows it has.
    windows: usize,
}

impl Drop for Class {
    fn drop(&mut self) {
        atoms::release(self.atom);
    }
}

static CLASSES: LazyLock<Mutex<Vec<Arc<Class>>>> = LazyLock::new(|| {
    // What programs make their message-only windows of when they register no class. Both do what
    // the default procedure does; the controls proper are about drawing.
    let names = ["Message", "Static"];
    Mutex::new(names.into_iter().filter_map(of_system).collect())
});

fn of_system(name: &str) -> Option<Arc<Class>> {
    let procedure = Procedure::of(None, Encoding::Unicode);
    let details = Details {
        style: CS_GLOBALCLASS,
        procedure,
        window_extra: 0,
        icon: 0,
        small_icon: 0,
        cursor: 0,
        brush: 0,
        menu: 0,
        extra: Box::default(),
        windows: 0,
    };
    let atom = atoms::add(name).ok()?;
    let details = Mutex::new(details);
    Some(Arc::new(Class { atom, name: name.to_owned(), instance: 0, details }))
}

/// How callers name a class.
pub enum Name {
    Atom(u16),
    Text(String),
}

impl Name {
    /// What a pointer names; `None` for NULL.
    ///
    /// # Safety
    /// `name` is an atom or a string.
    pub unsafe fn read<U: Unit>(name: *const U) -> Option<Name> {
        match u16::try_from(name.addr()) {
            Ok(0) => None,
            Ok(atom) => Some(Name::Atom(atom)),
            // SAFETY: it is no atom, so our caller vouches for the string.
            Err(_) => unsafe { text::read(name) }.map(Name::Text),
        }
    }

    pub fn names(&self, class: &Class) -> bool {
        match self {
            Name::Atom(atom) => class.atom == *atom,
            Name::Text(text) => atoms::same(&class.name, text),
        }
    }
}

/// The class that a module means by a name: its own first, then a global one, then the system's.
/// `any`: that of any module will do.
fn find(classes: &[Arc<Class>], name: &Name, instance: usize, any: bool) -> Option<Arc<Class>> {
    let of = |fits: &dyn Fn(&Class) -> bool| {
        classes.iter().find(|class| name.names(class) && fits(class)).cloned()
    };
    let is_global = |class: &Class| lock(&class.details).style & CS_GLOBALCLASS != 0;
    of(&|class| class.instance != 0 && (class.instance == instance || any))
        .or_else(|| of(&|class| class.instance != 0 && is_global(class)))
        .or_else(|| of(&|class| class.instance == 0))
}

/// The class for a new window, which counts from now on. ERROR_CANNOT_FIND_WND_CLASS.
pub fn for_window(name: Option<Name>, instance: usize) -> Result<Arc<Class>, Code> {
    let classes = lock(&CLASSES);
    let found = name.and_then(|name| find(&classes, &name, instance, instance == 0));
    let class = found.ok_or(Code(ERROR_CANNOT_FIND_WND_CLASS))?;
    lock(&class.details).windows += 1;
    Ok(class)
}

impl Class {
    /// A window less.
    pub fn let_go(&self) {
        lock(&self.details).windows -= 1;
    }
}

/// A WNDCLASS of any of the four kinds.
struct Form<U> {
    style: u32,
    procedure: WNDPROC,
    class_extra: i32,
    window_extra: i32,
    instance: HINSTANCE,
    icon: usize,
    small_icon: usize,
    cursor: usize,
    brush: usize,
    menu: usize,
    name: *const U,
}

/// # Safety
/// The form's name is NULL, an atom or a string.
unsafe fn register<U: Spelling>(form: Form<U>) -> Result<u16, Code> {
    let invalid = Code(ERROR_INVALID_PARAMETER);
    let class_extra = usize::try_from(form.class_extra).map_err(|_| invalid)?;
    if form.window_extra < 0 {
        return Err(invalid);
    }
    // SAFETY: passed on from our caller.
    let name = match unsafe { Name::read(form.name) }.ok_or(invalid)? {
        Name::Text(text) => text,
        Name::Atom(atom) => atoms::name(atom).ok_or(invalid)?,
    };
    let instance = match form.instance.addr() {
        0 => modules::MAIN,
        instance => instance,
    };
    let mut classes = lock(&CLASSES);
    let taken = |class: &Arc<Class>| class.instance == instance && atoms::same(&class.name, &name);
    if classes.iter().any(taken) {
        return Err(Code(ERROR_CLASS_ALREADY_EXISTS));
    }
    let details = Details {
        style: form.style,
        procedure: Procedure::of(form.procedure, U::ENCODING),
        window_extra: form.window_extra,
        icon: form.icon,
        small_icon: form.small_icon,
        cursor: form.cursor,
        brush: form.brush,
        menu: form.menu,
        extra: vec![0; class_extra].into(),
        windows: 0,
    };
    let atom = atoms::add(&name).map_err(|_| invalid)?;
    // The latest first: it is what a caller who names no module means.
    classes.insert(0, Arc::new(Class { atom, name, instance, details: Mutex::new(details) }));
    Ok(atom)
}

fn atom_or(result: Result<u16, Code>) -> u16 {
    result.unwrap_or_else(|code| {
        error::set_last(code);
        0
    })
}

/// A caller's WNDCLASSA or WNDCLASSW as a form.
macro_rules! form_of {
    ($class:expr) => {{
        let class = $class;
        Form {
            style: class.style,
            procedure: class.lpfnWndProc,
            class_extra: class.cbClsExtra,
            window_extra: class.cbWndExtra,
            instance: class.hInstance,
            icon: class.hIcon.addr(),
            small_icon: 0,
            cursor: class.hCursor.addr(),
            brush: class.hbrBackground.addr(),
            menu: class.lpszMenuName.expose_provenance(),
            name: class.lpszClassName,
        }
    }};
}

/// Registers a window class: [RegisterClassW][ms]. Its atom, or 0: ERROR_CLASS_ALREADY_EXISTS,
/// ERROR_INVALID_PARAMETER.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-registerclassw
///
/// # Safety
/// As on Windows: the structure and its name are valid, the procedure is a window procedure.
pub unsafe extern "system" fn RegisterClassW(class: *const WNDCLASSW) -> u16 {
    if class.is_null() {
        return atom_or(Err(Code(ERROR_INVALID_PARAMETER)));
    }
    // SAFETY: our caller vouches for the structure.
    atom_or(unsafe { register(form_of!(&*class)) })
}

/// As [`RegisterClassW`], for ANSI: [RegisterClassA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-registerclassa
///
/// # Safety
/// As [`RegisterClassW`].
pub unsafe extern "system" fn RegisterClassA(class: *const WNDCLASSA) -> u16 {
    if class.is_null() {
        return atom_or(Err(Code(ERROR_INVALID_PARAMETER)));
    }
    // SAFETY: our caller vouches for the structure.
    atom_or(unsafe { register(form_of!(&*class)) })
}

/// As [`RegisterClassW`], with a small icon: [RegisterClassExW][ms]. ERROR_INVALID_PARAMETER for a
/// wrong cbSize too.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-registerclassexw
///
/// # Safety
/// As [`RegisterClassW`].
pub unsafe extern "system" fn RegisterClassExW(class: *const WNDCLASSEXW) -> u16 {
    // SAFETY: our caller vouches for the structure.
    match unsafe { class.as_ref() } {
        Some(class) if class.cbSize as usize == size_of::<WNDCLASSEXW>() => {
            let form = Form { small_icon: class.hIconSm.addr(), ..form_of!(class) };
            // SAFETY: and for what is in it.
            atom_or(unsafe { register(form) })
        }
        _ => atom_or(Err(Code(ERROR_INVALID_PARAMETER))),
    }
}

/// As [`RegisterClassExW`], for ANSI: [RegisterClassExA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-registerclassexa
///
/// # Safety
/// As [`RegisterClassW`].
pub unsafe extern "system" fn RegisterClassExA(class: *const WNDCLASSEXA) -> u16 {
    // SAFETY: our caller vouches for the structure.
    match unsafe { class.as_ref() } {
        Some(class) if class.cbSize as usize == size_of::<WNDCLASSEXA>() => {
            let form = Form { small_icon: class.hIconSm.addr(), ..form_of!(class) };
            // SAFETY: and for what is in it.
            atom_or(unsafe { register(form) })
        }
        _ => atom_or(Err(Code(ERROR_INVALID_PARAMETER))),
    }
}

/// Takes a class back: [UnregisterClassW][ms]. ERROR_CLASS_DOES_NOT_EXIST,
/// ERROR_CLASS_HAS_WINDOWS.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-unregisterclassw
///
/// # Safety
/// As on Windows: `name` is a string or an atom.
pub unsafe extern "system" fn UnregisterClassW(name: PCWSTR, instance: HINSTANCE) -> BOOL {
    // SAFETY: passed on from our caller.
    unregister(unsafe { Name::read(name) }, instance)
}

/// As [`UnregisterClassW`], for ANSI: [UnregisterClassA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-unregisterclassa
///
/// # Safety
/// As [`UnregisterClassW`].
pub unsafe extern "system" fn UnregisterClassA(name: PCSTR, instance: HINSTANCE) -> BOOL {
    // SAFETY: passed on from our caller.
    unregister(unsafe { Name::read(name) }, instance)
}

fn unregister(name: Option<Name>, instance: HINSTANCE) -> BOOL {
    let instance = match instance.addr() {
        0 => modules::MAIN,
        instance => instance,
    };
    let mut classes = lock(&CLASSES);
    let is_it = |class: &Arc<Class>| {
        class.instance == instance && name.as_ref().is_some_and(|name| name.names(class))
    };
    let failure = match classes.iter().position(is_it) {
        None => ERROR_CLASS_DOES_NOT_EXIST,
        Some(at) if lock(&classes[at].details).windows > 0 => ERROR_CLASS_HAS_WINDOWS,
        Some(at) => {
            classes.remove(at);
            return TRUE;
        }
    };
    error::set_last(Code(failure));
    FALSE
}

/// The class that a module means by a name, for the functions that tell of it; without a module,
/// one of the system's.
fn inquire(name: Option<Name>, instance: HINSTANCE) -> Option<Arc<Class>> {
    let found = name.and_then(|name| find(&lock(&CLASSES), &name, instance.addr(), false));
    let found = found.filter(|class| !instance.is_null() || class.instance == 0);
    if found.is_none() {
        error::set_last(Code(ERROR_CLASS_DOES_NOT_EXIST));
    }
    found
}

/// Fills a caller's WNDCLASS of any of the four kinds, but for what only the newer two have.
macro_rules! fill {
    ($info:expr, $class:expr, $name:expr, $encoding:expr) => {{
        let details = lock(&$class.details).clone();
        $info.style = details.style;
        $info.lpfnWndProc = details.procedure.as_wndproc($encoding);
        $info.cbClsExtra = details.extra.len() as i32;
        $info.cbWndExtra = details.window_extra;
        $info.hInstance = std::ptr::without_provenance_mut($class.instance);
        $info.hIcon = std::ptr::without_provenance_mut(details.icon);
        $info.hCursor = std::ptr::without_provenance_mut(details.cursor);
        $info.hbrBackground = std::ptr::without_provenance_mut(details.brush);
        $info.lpszMenuName = std::ptr::with_exposed_provenance(details.menu);
        $info.lpszClassName = $name;
        details.small_icon
    }};
}

/// Tells of a class: [GetClassInfoExW][ms]. Its atom, or 0: ERROR_CLASS_DOES_NOT_EXIST.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getclassinfoexw
///
/// # Safety
/// As on Windows: `name` is a string or an atom, `info` a place for the answer.
pub unsafe extern "system" fn GetClassInfoExW(
    instance: HINSTANCE,
    name: PCWSTR,
    info: *mut WNDCLASSEXW,
) -> BOOL {
    // SAFETY: passed on from our caller.
    let Some(class) = inquire(unsafe { Name::read(name) }, instance) else { return FALSE };
    // SAFETY: our caller vouches for the place.
    let info = unsafe { &mut *info };
    let small_icon = fill!(info, class, name, Encoding::Unicode);
    info.hIconSm = std::ptr::without_provenance_mut(small_icon);
    class.atom.into()
}

/// As [`GetClassInfoExW`], for ANSI: [GetClassInfoExA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getclassinfoexa
///
/// # Safety
/// As [`GetClassInfoExW`].
pub unsafe extern "system" fn GetClassInfoExA(
    instance: HINSTANCE,
    name: PCSTR,
    info: *mut WNDCLASSEXA,
) -> BOOL {
    // SAFETY: passed on from our caller.
    let Some(class) = inquire(unsafe { Name::read(name) }, instance) else { return FALSE };
    // SAFETY: our caller vouches for the place.
    let info = unsafe { &mut *info };
    let small_icon = fill!(info, class, name, Encoding::Ansi);
    info.hIconSm = std::ptr::without_provenance_mut(small_icon);
    class.atom.into()
}

/// As [`GetClassInfoExW`], without the small icon: [GetClassInfoW][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getclassinfow
///
/// # Safety
/// As [`GetClassInfoExW`].
pub unsafe extern "system" fn GetClassInfoW(
    instance: HINSTANCE,
    name: PCWSTR,
    info: *mut WNDCLASSW,
) -> BOOL {
    // SAFETY: passed on from our caller.
    let Some(class) = inquire(unsafe { Name::read(name) }, instance) else { return FALSE };
    // SAFETY: our caller vouches for the place.
    let info = unsafe { &mut *info };
    fill!(info, class, name, Encoding::Unicode);
    class.atom.into()
}

/// As [`GetClassInfoW`], for ANSI: [GetClassInfoA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getclassinfoa
///
/// # Safety
/// As [`GetClassInfoExW`].
pub unsafe extern "system" fn GetClassInfoA(
    instance: HINSTANCE,
    name: PCSTR,
    info: *mut WNDCLASSA,
) -> BOOL {
    // SAFETY: passed on from our caller.
    let Some(class) = inquire(unsafe { Name::read(name) }, instance) else { return FALSE };
    // SAFETY: our caller vouches for the place.
    let info = unsafe { &mut *info };
    fill!(info, class, name, Encoding::Ansi);
    class.atom.into()
}

/// Copies as much of the name of a window's class as fits; the units before the NUL:
/// [GetClassNameW][ms]. ERROR_INVALID_WINDOW_HANDLE, ERROR_INSUFFICIENT_BUFFER.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getclassnamew
///
/// # Safety
/// As on Windows: `name` has room for `room` units.
pub unsafe extern "system" fn GetClassNameW(hwnd: HWND, name: PWSTR, room: i32) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { class_name(hwnd, name, room) }
}

/// As [`GetClassNameW`], for ANSI: [GetClassNameA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getclassnamea
///
/// # Safety
/// As [`GetClassNameW`].
pub unsafe extern "system" fn GetClassNameA(hwnd: HWND, name: PSTR, room: i32) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { class_name(hwnd, name, room) }
}

/// # Safety
/// `name` has room for `room` units.
unsafe fn class_name<U: Unit>(hwnd: HWND, name: *mut U, room: i32) -> i32 {
    let failure = match open(hwnd) {
        Ok(_) if room <= 0 => Code(ERROR_INSUFFICIENT_BUFFER),
        // SAFETY: passed on from our caller.
        Ok(window) => unsafe {
            return text::write_cut(&window.class.name, name, room as usize) as i32;
        },
        Err(code) => code,
    };
    error::set_last(failure);
    0
}
