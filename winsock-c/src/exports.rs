//! The export table: one line a function.
//!
//! A line is a function's name, and after `=` the one behind it if that has another. `ws_` stands
//! before the names that glibc has too, and before the W functions for wide characters of four
//! bytes; `ws16_` before the names that glibc has too for wide characters of two.

/// An exported function, whatever its signature.
pub type Function = unsafe extern "C" fn();

fn symbol(name: &str) -> Option<Function> {
    ALL.iter().copied().flatten().find(|(symbol, _)| *symbol == name).map(|&(_, function)| function)
}

/// The function of a Windows name, for programs whose wide characters have two bytes.
pub fn find(name: &str) -> Option<Function> {
    symbol(name)
        .or_else(|| symbol(&format!("ws16_{name}")))
        .or_else(|| symbol(&format!("ws_{name}")))
}

/// The function of a Windows name, for programs whose wide characters have four bytes.
pub fn find_wide(name: &str) -> Option<Function> {
    symbol(&format!("ws_{name}")).or_else(|| symbol(name))
}

exports! {
    foundation of winsock_sys::Win32::Foundation {
        CloseHandle,
        DuplicateHandle,
        GetHandleInformation,
        GetLastError,
        RtlNtStatusToDosError,
        SetHandleInformation,
        SetLastError,
    }

    winsock of winsock_sys::Win32::Networking::WinSock {
        AcceptEx,
        FreeAddrInfoEx,
        FreeAddrInfoExW,
        FreeAddrInfoW,
        GetAcceptExSockaddrs,
        GetAddrInfoExA,
        GetAddrInfoExCancel,
        GetAddrInfoExOverlappedResult,
        GetAddrInfoExW,
        GetAddrInfoW,
        GetHostNameW,
        GetNameInfoW,
        InetNtopW,
        InetPtonW,
        TransmitFile,
        WSAAccept,
        WSAAddressToStringA,
        WSAAddressToStringW,
        WSAAsyncSelect,
        WSACleanup,
        WSACloseEvent,
        WSAConnect,
        WSACreateEvent,
        WSADuplicateSocketA,
        WSADuplicateSocketW,
        WSAEnumNetworkEvents,
        WSAEventSelect,
        WSAGetLastError,
        WSAGetOverlappedResult,
        WSAHtonl,
        WSAHtons,
        WSAIoctl,
        WSANtohl,
        WSANtohs,
        WSAPoll,
        WSARecv,
        WSARecvDisconnect,
        WSARecvFrom,
        WSAResetEvent,
        WSASend,
        WSASendDisconnect,
        WSASendMsg,
        WSASendTo,
        WSASetEvent,
        WSASetLastError,
        WSASocketA,
        WSASocketW,
        WSAStartup,
        WSAStringToAddressA,
        WSAStringToAddressW,
        WSAWaitForMultipleEvents,
        __WSAFDIsSet,
        closesocket,
        ioctlsocket,
        ws_accept = accept,
        ws_bind = bind,
        ws_connect = connect,
        ws_freeaddrinfo = freeaddrinfo,
        ws_getaddrinfo = getaddrinfo,
        ws_gethostbyaddr = gethostbyaddr,
        ws_gethostbyname = gethostbyname,
        ws_gethostname = gethostname,
        ws_getnameinfo = getnameinfo,
        ws_getpeername = getpeername,
        ws_getprotobyname = getprotobyname,
        ws_getprotobynumber = getprotobynumber,
        ws_getservbyname = getservbyname,
        ws_getservbyport = getservbyport,
        ws_getsockname = getsockname,
        ws_getsockopt = getsockopt,
        ws_htonl = htonl,
        ws_htons = htons,
        ws_inet_addr = inet_addr,
        ws_inet_ntoa = inet_ntoa,
        ws_inet_ntop = inet_ntop,
        ws_inet_pton = inet_pton,
        ws_listen = listen,
        ws_ntohl = ntohl,
        ws_ntohs = ntohs,
        ws_recv = recv,
        ws_recvfrom = recvfrom,
        ws_select = select,
        ws_send = send,
        ws_sendto = sendto,
        ws_setsockopt = setsockopt,
        ws_shutdown = shutdown,
        ws_socket = socket,
    }

    sockets of crate::sockets {
        gai_strerrorA,
        gai_strerrorW,
        winsock_fd,
    }

    io of winsock_sys::Win32::System::IO {
        BindIoCompletionCallback,
        CancelIo,
        CancelIoEx,
        CreateIoCompletionPort,
        GetOverlappedResult,
        GetOverlappedResultEx,
        GetQueuedCompletionStatus,
        GetQueuedCompletionStatusEx,
        PostQueuedCompletionStatus,
    }

    threading of winsock_sys::Win32::System::Threading {
        AcquireSRWLockExclusive,
        AcquireSRWLockShared,
        CallbackMayRunLong,
        CancelThreadpoolIo,
        CancelWaitableTimer,
        ChangeTimerQueueTimer,
        CloseThreadpool,
        CloseThreadpoolCleanupGroup,
        CloseThreadpoolCleanupGroupMembers,
        CloseThreadpoolIo,
        CloseThreadpoolTimer,
        CloseThreadpoolWait,
        CloseThreadpoolWork,
        CreateEventA,
        CreateEventExA,
        CreateEventExW,
        CreateEventW,
        CreateMutexA,
        CreateMutexExA,
        CreateMutexExW,
        CreateMutexW,
        CreateSemaphoreA,
        CreateSemaphoreExA,
        CreateSemaphoreExW,
        CreateSemaphoreW,
        CreateThread,
        CreateThreadpool,
        CreateThreadpoolCleanupGroup,
        CreateThreadpoolIo,
        CreateThreadpoolTimer,
        CreateThreadpoolWait,
        CreateThreadpoolWork,
        CreateTimerQueue,
        CreateTimerQueueTimer,
        CreateWaitableTimerA,
        CreateWaitableTimerExA,
        CreateWaitableTimerExW,
        CreateWaitableTimerW,
        DeleteCriticalSection,
        DeleteTimerQueue,
        DeleteTimerQueueEx,
        DeleteTimerQueueTimer,
        DisassociateCurrentThreadFromCallback,
        EnterCriticalSection,
        ExitThread,
        GetCurrentProcess,
        GetCurrentProcessId,
        GetCurrentThread,
        GetCurrentThreadId,
        GetExitCodeThread,
        GetThreadId,
        GetThreadPriority,
        InitOnceBeginInitialize,
        InitOnceComplete,
        InitOnceExecuteOnce,
        InitOnceInitialize,
        InitializeConditionVariable,
        InitializeCriticalSection,
        InitializeCriticalSectionAndSpinCount,
        InitializeCriticalSectionEx,
        InitializeSListHead,
        InitializeSRWLock,
        InterlockedFlushSList,
        InterlockedPopEntrySList,
        InterlockedPushEntrySList,
        InterlockedPushListSListEx,
        IsThreadpoolTimerSet,
        LeaveCriticalSection,
        OpenEventA,
        OpenEventW,
        OpenMutexW,
        OpenSemaphoreW,
        OpenThread,
        OpenWaitableTimerA,
        OpenWaitableTimerW,
        PulseEvent,
        QueryDepthSList,
        QueryThreadpoolStackInformation,
        QueueUserAPC,
        QueueUserWorkItem,
        RegisterWaitForSingleObject,
        ReleaseMutex,
        ReleaseMutexWhenCallbackReturns,
        ReleaseSRWLockExclusive,
        ReleaseSRWLockShared,
        ReleaseSemaphore,
        ReleaseSemaphoreWhenCallbackReturns,
        ResetEvent,
        ResumeThread,
        SetCriticalSectionSpinCount,
        SetEvent,
        SetEventWhenCallbackReturns,
        SetThreadPriority,
        SetThreadpoolStackInformation,
        SetThreadpoolThreadMaximum,
        SetThreadpoolThreadMinimum,
        SetThreadpoolTimer,
        SetThreadpoolTimerEx,
        SetThreadpoolWait,
        SetThreadpoolWaitEx,
        SetWaitableTimer,
        SetWaitableTimerEx,
        SignalObjectAndWait,
        Sleep,
        SleepConditionVariableCS,
        SleepConditionVariableSRW,
        SleepEx,
        StartThreadpoolIo,
        SubmitThreadpoolWork,
        SuspendThread,
        SwitchToThread,
        TlsAlloc,
        TlsFree,
        TlsGetValue,
        TlsSetValue,
        TryAcquireSRWLockExclusive,
        TryAcquireSRWLockShared,
        TryEnterCriticalSection,
        TrySubmitThreadpoolCallback,
        UnregisterWait,
        UnregisterWaitEx,
        WaitForMultipleObjects,
        WaitForMultipleObjectsEx,
        WaitForSingleObject,
        WaitForSingleObjectEx,
        WaitForThreadpoolIoCallbacks,
        WaitForThreadpoolTimerCallbacks,
        WaitForThreadpoolWaitCallbacks,
        WaitForThreadpoolWorkCallbacks,
        WaitOnAddress,
        WakeAllConditionVariable,
        WakeByAddressAll,
        WakeByAddressSingle,
        WakeConditionVariable,
        _getpid = GetCurrentProcessId,
    }

    clock of winsock_sys::Win32::System::SystemInformation {
        GetSystemTimeAsFileTime,
        GetSystemTimePreciseAsFileTime,
        GetTickCount,
        GetTickCount64,
        timeGetTime = GetTickCount,
    }

    performance of winsock_sys::Win32::System::Performance {
        QueryPerformanceCounter,
        QueryPerformanceFrequency,
    }

    threads of crate::threads {
        OpenMutexA,
        OpenSemaphoreA,
        _beginthread,
        _beginthreadex,
        _endthread,
        _endthreadex,
    }

    files of winsock_sys::Win32::Storage::FileSystem {
        CreateFileA,
        CreateFileW,
        FlushFileBuffers,
        GetFileSize,
        GetFileSizeEx,
        GetFileType,
        ReadFile,
        ReadFileEx,
        SetEndOfFile,
        SetFileCompletionNotificationModes,
        SetFilePointer,
        SetFilePointerEx,
        WriteFile,
        WriteFileEx,
    }

    pipes of winsock_sys::Win32::System::Pipes {
        CreateNamedPipeA,
        CreateNamedPipeW,
        CreatePipe,
    }

    paths_ansi of crate::paths::ansi {
        CopyFileA,
        CreateDirectoryA,
        DeleteFileA,
        GetCurrentDirectoryA,
        GetFileAttributesA,
        GetTempFileNameA,
        GetTempPathA,
        MoveFileA,
        MoveFileExA,
        RemoveDirectoryA,
        SetCurrentDirectoryA,
    }

    paths of crate::paths::utf16 {
        CopyFileW,
        CreateDirectoryW,
        DeleteFileW,
        GetCurrentDirectoryW,
        GetFileAttributesW,
        GetTempFileNameW,
        GetTempPathW,
        MoveFileExW,
        MoveFileW,
        RemoveDirectoryW,
        SetCurrentDirectoryW,
    }

    paths_wide of crate::paths::utf32 {
        ws_CopyFileW = CopyFileW,
        ws_CreateDirectoryW = CreateDirectoryW,
        ws_DeleteFileW = DeleteFileW,
        ws_GetCurrentDirectoryW = GetCurrentDirectoryW,
        ws_GetFileAttributesW = GetFileAttributesW,
        ws_GetTempFileNameW = GetTempFileNameW,
        ws_GetTempPathW = GetTempPathW,
        ws_MoveFileExW = MoveFileExW,
        ws_MoveFileW = MoveFileW,
        ws_RemoveDirectoryW = RemoveDirectoryW,
        ws_SetCurrentDirectoryW = SetCurrentDirectoryW,
    }

    windows of winsock_sys::Win32::UI::WindowsAndMessaging {
        CallWindowProcA,
        CallWindowProcW,
        CreateWindowExA,
        CreateWindowExW,
        DefWindowProcA,
        DefWindowProcW,
        DestroyWindow,
        DispatchMessageA,
        DispatchMessageW,
        FindWindowA,
        FindWindowExA,
        FindWindowExW,
        FindWindowW,
        GetClassNameA,
        GetClassNameW,
        GetMessageA,
        GetMessageExtraInfo,
        GetMessagePos,
        GetMessageTime,
        GetMessageW,
        GetParent,
        GetQueueStatus,
        GetWindowLongA,
        GetWindowLongPtrA,
        GetWindowLongPtrW,
        GetWindowLongW,
        GetWindowTextA,
        GetWindowTextLengthA,
        GetWindowTextLengthW,
        GetWindowTextW,
        GetWindowThreadProcessId,
        InSendMessage,
        IsChild,
        IsWindow,
        IsWindowUnicode,
        IsWindowVisible,
        KillTimer,
        LoadCursorA,
        LoadCursorW,
        LoadIconA,
        LoadIconW,
        MsgWaitForMultipleObjects,
        MsgWaitForMultipleObjectsEx,
        PeekMessageA,
        PeekMessageW,
        PostMessageA,
        PostMessageW,
        PostQuitMessage,
        PostThreadMessageA,
        PostThreadMessageW,
        RegisterClassA,
        RegisterClassExA,
        RegisterClassExW,
        RegisterClassW,
        RegisterWindowMessageA,
        RegisterWindowMessageW,
        ReplyMessage,
        SendMessageA,
        SendMessageTimeoutA,
        SendMessageTimeoutW,
        SendMessageW,
        SendNotifyMessageA,
        SendNotifyMessageW,
        SetParent,
        SetTimer,
        SetWindowLongA,
        SetWindowLongPtrA,
        SetWindowLongPtrW,
        SetWindowLongW,
        SetWindowTextA,
        SetWindowTextW,
        ShowWindow,
        TranslateMessage,
        UnregisterClassA,
        UnregisterClassW,
        WaitMessage,
    }

    painting of winsock_sys::Win32::Graphics::Gdi {
        BeginPaint,
        EndPaint,
        GetStockObject,
        InvalidateRect,
        UpdateWindow,
        ValidateRect,
    }

    wide of crate::wide {
        ws_CreateEventExW = CreateEventExW,
        ws_CreateEventW = CreateEventW,
        ws_CreateFileW = CreateFileW,
        ws_CreateNamedPipeW = CreateNamedPipeW,
        ws_CreateMutexExW = CreateMutexExW,
        ws_CreateMutexW = CreateMutexW,
        ws_CreateSemaphoreExW = CreateSemaphoreExW,
        ws_CreateSemaphoreW = CreateSemaphoreW,
        ws_CreateWaitableTimerExW = CreateWaitableTimerExW,
        ws_CreateWaitableTimerW = CreateWaitableTimerW,
        ws_CreateWindowExW = CreateWindowExW,
        ws_FindWindowExW = FindWindowExW,
        ws_FindWindowW = FindWindowW,
        ws_FreeAddrInfoExW = FreeAddrInfoExW,
        ws_FreeAddrInfoW = FreeAddrInfoW,
        ws_GetAddrInfoExW = GetAddrInfoExW,
        ws_GetAddrInfoW = GetAddrInfoW,
        ws_GetClassNameW = GetClassNameW,
        ws_GetHostNameW = GetHostNameW,
        ws_GetNameInfoW = GetNameInfoW,
        ws_GetWindowTextW = GetWindowTextW,
        ws_InetNtopW = InetNtopW,
        ws_InetPtonW = InetPtonW,
        ws_OpenEventW = OpenEventW,
        ws_OpenMutexW = OpenMutexW,
        ws_OpenSemaphoreW = OpenSemaphoreW,
        ws_OpenWaitableTimerW = OpenWaitableTimerW,
        ws_RegisterClassExW = RegisterClassExW,
        ws_RegisterClassW = RegisterClassW,
        ws_RegisterWindowMessageW = RegisterWindowMessageW,
        ws_SetWindowTextW = SetWindowTextW,
        ws_UnregisterClassW = UnregisterClassW,
        ws_WSAAddressToStringW = WSAAddressToStringW,
        ws_WSADuplicateSocketW = WSADuplicateSocketW,
        ws_WSAStringToAddressW = WSAStringToAddressW,
    }

    sockets_wide of crate::sockets::wide {
        ws_gai_strerrorW = gai_strerrorW,
    }

    heap of crate::heap {
        GetProcessHeap,
        GlobalAlloc = LocalAlloc,
        GlobalFree = LocalFree,
        GlobalLock = LocalLock,
        GlobalReAlloc = LocalReAlloc,
        GlobalSize = LocalSize,
        GlobalUnlock = LocalUnlock,
        HeapAlloc,
        HeapCreate,
        HeapDestroy,
        HeapFree,
        HeapReAlloc,
        HeapSize,
        LocalAlloc,
        LocalFree,
        LocalLock,
        LocalReAlloc,
        LocalSize,
        LocalUnlock,
    }

    memory of crate::memory {
        CreateFileMappingA,
        CreateFileMappingW = CreateFileMappingA,
        FlushViewOfFile,
        MapViewOfFile,
        UnmapViewOfFile,
        VirtualAlloc,
        VirtualFree,
        VirtualLock,
        VirtualProtect,
        VirtualUnlock,
        ws_CreateFileMappingW = CreateFileMappingA,
    }

    message of crate::message {
        DebugBreak,
        FormatMessageA,
        FormatMessageW,
        IsDebuggerPresent,
        MessageBeep,
        MessageBoxA,
        MessageBoxW,
        OutputDebugStringA,
        OutputDebugStringW,
    }

    message_wide of crate::message::wide {
        ws_FormatMessageW = FormatMessageW,
        ws_MessageBoxW = MessageBoxW,
        ws_OutputDebugStringW = OutputDebugStringW,
    }

    format of crate::format {
        wsprintfA,
        wsprintfW,
        wvsprintfA,
        wvsprintfW,
    }

    format_wide of crate::format::wide {
        ws_wsprintfA = wsprintfA,
        ws_wsprintfW = wsprintfW,
        ws_wvsprintfA = wvsprintfA,
        ws_wvsprintfW = wvsprintfW,
    }

    printf_utf16 of crate::printf::utf16 {
        ws16__vsnprintf = _vsnprintf,
        ws16__vsnwprintf = _vsnwprintf,
        ws16_fprintf = fprintf,
        ws16_fputws = fputws,
        ws16_fwprintf = fwprintf,
        ws16_printf = printf,
        ws16_snprintf = snprintf,
        ws16_sprintf = sprintf,
        ws16_swprintf = swprintf,
        ws16_vfprintf = vfprintf,
        ws16_vfwprintf = vfwprintf,
        ws16_vprintf = vprintf,
        ws16_vsnprintf = vsnprintf,
        ws16_vsprintf = vsprintf,
        ws16_vswprintf = vswprintf,
        ws16_vwprintf = vwprintf,
        ws16_wprintf = wprintf,
    }

    printf_utf32 of crate::printf::utf32 {
        ws__vsnprintf = _vsnprintf,
        ws__vsnwprintf = _vsnwprintf,
        ws_fprintf = fprintf,
        ws_fputws = fputws,
        ws_fwprintf = fwprintf,
        ws_printf = printf,
        ws_snprintf = snprintf,
        ws_sprintf = sprintf,
        ws_swprintf = swprintf,
        ws_vfprintf = vfprintf,
        ws_vfwprintf = vfwprintf,
        ws_vprintf = vprintf,
        ws_vsnprintf = vsnprintf,
        ws_vsprintf = vsprintf,
        ws_vswprintf = vswprintf,
        ws_vwprintf = vwprintf,
        ws_wprintf = wprintf,
    }

    strings of crate::strings {
        GetACP,
        GetOEMCP,
        MultiByteToWideChar,
        WideCharToMultiByte,
    }

    strings_more of crate::strings::wide {
        ws_MultiByteToWideChar = MultiByteToWideChar,
        ws_WideCharToMultiByte = WideCharToMultiByte,
    }

    strings_ansi of crate::strings::ansi {
        lstrcatA,
        lstrcmpA,
        lstrcmpiA,
        lstrcpyA,
        lstrcpynA,
        lstrlenA,
    }

    strings_utf16 of crate::strings::utf16 {
        lstrcatW,
        lstrcmpW,
        lstrcmpiW,
        lstrcpyW,
        lstrcpynW,
        lstrlenW,
    }

    strings_utf32 of crate::strings::utf32 {
        ws_lstrcatW = lstrcatW,
        ws_lstrcmpW = lstrcmpW,
        ws_lstrcmpiW = lstrcmpiW,
        ws_lstrcpyW = lstrcpyW,
        ws_lstrcpynW = lstrcpynW,
        ws_lstrlenW = lstrlenW,
    }

    system of crate::system {
        BCryptGenRandom,
        CompareFileTime,
        FileTimeToLocalFileTime,
        FileTimeToSystemTime,
        GetLocalTime,
        GetNativeSystemInfo = GetSystemInfo,
        GetSystemInfo,
        GetSystemTime,
        GlobalMemoryStatusEx,
        SystemTimeToFileTime,
        timeBeginPeriod,
        timeEndPeriod,
    }

    process of crate::process {
        ExitProcess,
        GetCommandLineA,
        GetCommandLineW,
        TerminateProcess,
    }

    process_more of crate::process::wide {
        ws_GetCommandLineW = GetCommandLineW,
    }

    process_ansi of crate::process::ansi {
        GetComputerNameA,
        GetEnvironmentVariableA,
        SetEnvironmentVariableA,
    }

    process_utf16 of crate::process::utf16 {
        GetComputerNameW,
        GetEnvironmentVariableW,
        SetEnvironmentVariableW,
    }

    process_utf32 of crate::process::utf32 {
        ws_GetComputerNameW = GetComputerNameW,
        ws_GetEnvironmentVariableW = GetEnvironmentVariableW,
        ws_SetEnvironmentVariableW = SetEnvironmentVariableW,
    }

    serial of crate::serial {
        GetCommState,
        SetCommState,
        SetCommTimeouts,
    }

    version of crate::version {
        VerSetConditionMask,
    }

    version_ansi of crate::version::ansi {
        GetVersionExA,
        VerifyVersionInfoA,
    }

    version_utf16 of crate::version::utf16 {
        GetVersionExW,
        VerifyVersionInfoW,
    }

    version_utf32 of crate::version::utf32 {
        ws_GetVersionExW = GetVersionExW,
        ws_VerifyVersionInfoW = VerifyVersionInfoW,
    }

    modules of crate::modules {
        FreeLibrary,
        GetProcAddress,
    }

    modules_more of crate::modules::wide {
        ws_GetProcAddress = GetProcAddress,
    }

    modules_ansi of crate::modules::ansi {
        GetModuleFileNameA,
        GetModuleHandleA,
        LoadLibraryA,
        LoadLibraryExA,
    }

    modules_utf16 of crate::modules::utf16 {
        GetModuleFileNameW,
        GetModuleHandleW,
        LoadLibraryExW,
        LoadLibraryW,
    }

    modules_utf32 of crate::modules::utf32 {
        ws_GetModuleFileNameW = GetModuleFileNameW,
        ws_GetModuleHandleW = GetModuleHandleW,
        ws_LoadLibraryExW = LoadLibraryExW,
        ws_LoadLibraryW = LoadLibraryW,
    }

    console of crate::console {
        GenerateConsoleCtrlEvent,
        GetConsoleCP,
        GetConsoleMode,
        GetConsoleOutputCP,
        GetStdHandle,
        ReadConsoleA,
        SetConsoleCP,
        SetConsoleCtrlHandler,
        SetConsoleMode,
        SetConsoleOutputCP,
        SetConsoleTextAttribute,
    }

    console_ansi of crate::console::ansi {
        SetConsoleTitleA,
        WriteConsoleA,
    }

    console_utf16 of crate::console::utf16 {
        SetConsoleTitleW,
        WriteConsoleW,
    }

    console_utf32 of crate::console::utf32 {
        ws_SetConsoleTitleW = SetConsoleTitleW,
        ws_WriteConsoleW = WriteConsoleW,
    }

    conio of crate::conio {
        _getch,
        _getche,
        _kbhit,
        _putch,
    }
}
