//! The export table: the functions of this package.

use super::Function;

exports! {
    sockets of crate::sockets {
        gai_strerrorA,
        gai_strerrorW,
        winsock_fd,
    }

    threads of crate::threads {
        OpenMutexA,
        OpenSemaphoreA,
        _beginthread,
        _beginthreadex,
        _endthread,
        _endthreadex,
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
        ws_GetAdaptersAddresses = GetAdaptersAddresses,
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
        ws_WSAConnectByNameW = WSAConnectByNameW,
        ws_WSADuplicateSocketW = WSADuplicateSocketW,
        ws_WSAEnumProtocolsW = WSAEnumProtocolsW,
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

    cpu of crate::cpu {
        GetCurrentProcessorNumber,
        GetProcessAffinityMask,
        GetProcessTimes,
        GetSystemTimes,
        GetThreadTimes,
        SetThreadAffinityMask,
        SetThreadDescription,
    }

    cpu_more of crate::cpu::wide {
        ws_SetThreadDescription = SetThreadDescription,
    }

    usage of crate::usage {
        GetProcessMemoryInfo,
        K32GetProcessMemoryInfo = GetProcessMemoryInfo,
    }

    locale of crate::locale {
        winsock_newlocale,
        ws_setlocale = setlocale,
    }

    locale_utf16 of crate::locale::utf16 {
        _wsetlocale,
    }

    locale_utf32 of crate::locale::utf32 {
        ws__wsetlocale = _wsetlocale,
    }

    crypt of crate::crypt {
        CryptGenRandom,
        CryptReleaseContext,
    }

    crypt_ansi of crate::crypt::ansi {
        CryptAcquireContextA,
    }

    crypt_utf16 of crate::crypt::utf16 {
        CryptAcquireContextW,
    }

    crypt_utf32 of crate::crypt::utf32 {
        ws_CryptAcquireContextW = CryptAcquireContextW,
    }

    process of crate::process {
        ExitProcess,
        GetCommandLineA,
        GetCommandLineW,
        GetErrorMode,
        SetErrorMode,
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
        FreeLibraryWhenCallbackReturns,
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
