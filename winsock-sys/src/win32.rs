//! The module tree of windows-sys: its types and constants, our functions.
//!
//! A glob brings in the names of windows-sys, by the thousand. The functions among them are mere
//! declarations, and some would even link on Linux, to something else (`select`). Ours take their
//! place by being named explicitly; those that we do not have are covered by [`absent`], so that
//! the compiler refuses them by name.

/// Covers declarations of windows-sys that have no implementation here.
macro_rules! absent {
    ($($name:ident)*) => {
        $(#[allow(non_snake_case, dead_code)]
        const fn $name() {})*
    };
}

/// The Win32 API, as far as sockets need it.
#[allow(non_snake_case, hidden_glob_reexports)] // Hiding is what `absent` is for.
pub mod Win32 {
    /// Handles, error codes, status codes.
    pub mod Foundation {
        pub use windows_sys::Win32::Foundation::*;

        pub use crate::duplicate::DuplicateHandle;
        pub use crate::error::{GetLastError, RtlNtStatusToDosError, SetLastError};
        pub use crate::handles::{CloseHandle, GetHandleInformation, SetHandleInformation};

        absent! {
            CompareObjectHandles FreeLibrary GlobalFree LocalFree SetLastErrorEx SysAddRefString
            SysAllocString SysAllocStringByteLen SysAllocStringLen SysFreeString
            SysReAllocString SysReAllocStringLen SysReleaseString SysStringByteLen
            SysStringLen
        }
    }

    pub mod Graphics {
        /// What classes carry, and what programs call although nothing is drawn.
        pub mod Gdi {
            pub use windows_sys::Win32::Graphics::Gdi::{
                BLACK_BRUSH, DKGRAY_BRUSH, GET_STOCK_OBJECT_FLAGS, GRAY_BRUSH, HBRUSH, HDC,
                HGDIOBJ, HOLLOW_BRUSH, LTGRAY_BRUSH, NULL_BRUSH, PAINTSTRUCT, WHITE_BRUSH,
            };

            pub use crate::window::paint::{
                BeginPaint, EndPaint, GetStockObject, InvalidateRect, UpdateWindow, ValidateRect,
            };
        }
    }

    pub mod NetworkManagement {
        /// The network adapters.
        pub mod IpHelper {
            pub use windows_sys::Win32::NetworkManagement::IpHelper::{
                GAA_FLAG_INCLUDE_ALL_INTERFACES, GAA_FLAG_INCLUDE_GATEWAYS,
                GAA_FLAG_INCLUDE_PREFIX, GAA_FLAG_INCLUDE_WINS_INFO, GAA_FLAG_SKIP_ANYCAST,
                GAA_FLAG_SKIP_DNS_SERVER, GAA_FLAG_SKIP_FRIENDLY_NAME, GAA_FLAG_SKIP_MULTICAST,
                GAA_FLAG_SKIP_UNICAST, GET_ADAPTERS_ADDRESSES_FLAGS, IF_TYPE_ETHERNET_CSMACD,
                IF_TYPE_IEEE80211, IF_TYPE_OTHER, IF_TYPE_PPP, IF_TYPE_SOFTWARE_LOOPBACK,
                IF_TYPE_TUNNEL, IP_ADAPTER_ADDRESSES_LH, IP_ADAPTER_DNS_SERVER_ADDRESS_XP,
                IP_ADAPTER_GATEWAY_ADDRESS_LH, IP_ADAPTER_INFO, IP_ADAPTER_MULTICAST_ADDRESS_XP,
                IP_ADAPTER_PREFIX_XP, IP_ADAPTER_UNICAST_ADDRESS_LH, IP_ADDR_STRING,
                IP_ADDRESS_STRING,
            };

            pub use crate::adapters::{
                GetAdaptersAddresses, GetAdaptersInfo, GetBestInterface, GetBestInterfaceEx,
                if_indextoname, if_nametoindex,
            };
        }

        /// What adapters are.
        pub mod Ndis {
            pub use windows_sys::Win32::NetworkManagement::Ndis::{
                IF_OPER_STATUS, IfOperStatusDown, IfOperStatusUp, NET_LUID_LH,
            };
        }
    }

    pub mod Networking {
        /// Winsock.
        pub mod WinSock {
            pub use windows_sys::Win32::Networking::WinSock::*;

            pub use crate::accept::{AcceptEx, GetAcceptExSockaddrs, WSAAccept, accept};
            pub use crate::async_select::WSAAsyncSelect;
            pub use crate::by_name::{WSAConnectByList, WSAConnectByNameA, WSAConnectByNameW};
            pub use crate::catalogue::{WSAEnumProtocolsA, WSAEnumProtocolsW};
            pub use crate::connect::{
                WSAConnect, WSARecvDisconnect, WSASendDisconnect, bind, connect, listen, shutdown,
            };
            pub use crate::convert::{
                InetNtopW, InetPtonW, WSAAddressToStringA, WSAAddressToStringW,
                WSAStringToAddressA, WSAStringToAddressW, inet_addr, inet_ntoa, inet_ntop,
                inet_pton,
            };
            pub use crate::data::{
                WSARecv, WSARecvFrom, WSASend, WSASendTo, recv, recvfrom, send, sendto,
            };
            pub use crate::duplicate::{WSADuplicateSocketA, WSADuplicateSocketW};
            pub use crate::error::{WSAGetLastError, WSASetLastError};
            pub use crate::event_select::{WSAEnumNetworkEvents, WSAEventSelect};
            pub use crate::events::{WSACloseEvent, WSACreateEvent, WSAResetEvent, WSASetEvent};
            pub use crate::handles::{getpeername, getsockname};
            pub use crate::ioctl::{WSAIoctl, ioctlsocket};
            pub use crate::messages::WSASendMsg;
            pub use crate::names::{
                FreeAddrInfoEx, FreeAddrInfoExW, FreeAddrInfoW, GetAddrInfoExA,
                GetAddrInfoExCancel, GetAddrInfoExOverlappedResult, GetAddrInfoExW, GetAddrInfoW,
                GetHostNameW, GetNameInfoW, freeaddrinfo, getaddrinfo, gethostbyaddr,
                gethostbyname, gethostname, getnameinfo, getprotobyname, getprotobynumber,
                getservbyname, getservbyport,
            };
            pub use crate::notify::ProcessSocketNotifications;
            pub use crate::options::{getsockopt, setsockopt};
            pub use crate::order::{
                WSAHtonl, WSAHtons, WSANtohl, WSANtohs, htonl, htons, ntohl, ntohs,
            };
            pub use crate::overlapped::WSAGetOverlappedResult;
            pub use crate::select::{__WSAFDIsSet, WSAPoll, select};
            pub use crate::start::{
                WSACleanup, WSASocketA, WSASocketW, WSAStartup, closesocket, socket,
            };
            pub use crate::transmit::TransmitFile;
            pub use crate::waits::WSAWaitForMultipleEvents;

            absent! {
                EnumProtocolsA EnumProtocolsW
                GetAddressByNameA GetAddressByNameW GetNameByTypeA
                GetNameByTypeW GetServiceA GetServiceW GetTypeByNameA
                GetTypeByNameW
                RtlEthernetAddressToStringA RtlEthernetAddressToStringW
                RtlEthernetStringToAddressA RtlEthernetStringToAddressW
                RtlIpv4AddressToStringA RtlIpv4AddressToStringExA
                RtlIpv4AddressToStringExW RtlIpv4AddressToStringW
                RtlIpv4StringToAddressA RtlIpv4StringToAddressExA
                RtlIpv4StringToAddressExW RtlIpv4StringToAddressW
                RtlIpv6AddressToStringA RtlIpv6AddressToStringExA
                RtlIpv6AddressToStringExW RtlIpv6AddressToStringW
                RtlIpv6StringToAddressA RtlIpv6StringToAddressExA
                RtlIpv6StringToAddressExW RtlIpv6StringToAddressW
                SetSocketMediaStreamingMode WPUCompleteOverlappedRequest
                WSAAsyncGetHostByAddr WSAAsyncGetHostByName
                WSAAsyncGetProtoByName WSAAsyncGetProtoByNumber
                WSAAsyncGetServByName WSAAsyncGetServByPort
                WSACancelAsyncRequest WSACancelBlockingCall
                WSADeleteSocketPeerTargetName WSAEnumNameSpaceProvidersA
                WSAEnumNameSpaceProvidersW
                WSAGetQOSByName WSAGetServiceClassInfoA WSAGetServiceClassInfoW
                WSAGetServiceClassNameByClassIdA
                WSAGetServiceClassNameByClassIdW WSAImpersonateSocketPeer
                WSAInstallServiceClassA WSAInstallServiceClassW WSAIsBlocking
                WSAJoinLeaf WSALookupServiceEnd WSANSPIoctl
                WSAProviderCompleteAsyncCall WSAProviderConfigChange
                WSAQuerySocketSecurity WSARecvEx WSARemoveServiceClass
                WSARevertImpersonation WSASetBlockingHook
                WSASetSocketPeerTargetName WSASetSocketSecurity
                WSAUnadvertiseProvider WSAUnhookBlockingHook
                WSCDeinstallProvider WSCDeinstallProvider32 WSCEnableNSProvider
                WSCEnableNSProvider32 WSCEnumNameSpaceProviders32
                WSCEnumProtocols WSCEnumProtocols32 WSCGetApplicationCategory
                WSCGetProviderInfo WSCGetProviderInfo32 WSCGetProviderPath
                WSCGetProviderPath32 WSCInstallNameSpace WSCInstallNameSpace32
                WSCInstallProvider WSCInstallProvider64_32
                WSCInstallProviderAndChains64_32 WSCSetApplicationCategory
                WSCSetProviderInfo WSCSetProviderInfo32 WSCUnInstallNameSpace
                WSCUnInstallNameSpace32 WSCUpdateProvider WSCUpdateProvider32
                WSCWriteNameSpaceOrder WSCWriteNameSpaceOrder32
                WSCWriteProviderOrder WSCWriteProviderOrder32
            }
        }
    }

    pub mod Security {
        pub use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
    }

    pub mod Storage {
        /// Files and pipes.
        pub mod FileSystem {
            pub use windows_sys::Win32::Storage::FileSystem::{
                CREATE_ALWAYS, CREATE_NEW, FILE_APPEND_DATA, FILE_ATTRIBUTE_NORMAL, FILE_BEGIN,
                FILE_CREATION_DISPOSITION, FILE_CURRENT, FILE_END, FILE_FLAG_DELETE_ON_CLOSE,
                FILE_FLAG_OVERLAPPED, FILE_FLAG_SEQUENTIAL_SCAN, FILE_FLAGS_AND_ATTRIBUTES,
                FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_SHARE_DELETE, FILE_SHARE_MODE,
                FILE_SHARE_NONE, FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_TYPE, FILE_TYPE_CHAR,
                FILE_TYPE_DISK, FILE_TYPE_PIPE, FILE_TYPE_UNKNOWN, INVALID_FILE_SIZE,
                INVALID_SET_FILE_POINTER, OPEN_ALWAYS, OPEN_EXISTING, SET_FILE_POINTER_MOVE_METHOD,
                TRUNCATE_EXISTING,
            };

            pub use crate::file_io::{ReadFile, ReadFileEx, WriteFile, WriteFileEx};
            pub use crate::files::{
                CreateFileA, CreateFileW, FlushFileBuffers, GetFileSize, GetFileSizeEx,
                GetFileType, SetEndOfFile, SetFilePointer, SetFilePointerEx,
            };
            pub use crate::ports::SetFileCompletionNotificationModes;
        }
    }

    pub mod System {
        /// Overlapped I/O and completion ports.
        pub mod IO {
            pub use windows_sys::Win32::System::IO::{
                LPOVERLAPPED_COMPLETION_ROUTINE, OVERLAPPED, OVERLAPPED_0, OVERLAPPED_0_0,
                OVERLAPPED_ENTRY,
            };

            pub use crate::overlapped::{
                CancelIo, CancelIoEx, GetOverlappedResult, GetOverlappedResultEx,
            };
            pub use crate::pools::BindIoCompletionCallback;
            pub use crate::ports::{
                CreateIoCompletionPort, GetQueuedCompletionStatus, GetQueuedCompletionStatusEx,
                PostQueuedCompletionStatus,
            };
        }

        /// Interlocked lists, as they lie in memory.
        pub mod Kernel {
            pub use windows_sys::Win32::System::Kernel::{SLIST_ENTRY, SLIST_HEADER};
        }

        /// The program's own module.
        pub mod LibraryLoader {
            pub use crate::modules::{GetModuleHandleA, GetModuleHandleW};
        }

        /// How precisely time passes.
        pub mod Performance {
            pub use crate::timers::{QueryPerformanceCounter, QueryPerformanceFrequency};
        }

        /// What time it is.
        pub mod SystemInformation {
            pub use crate::timers::{
                GetSystemTimeAsFileTime, GetSystemTimePreciseAsFileTime, GetTickCount,
                GetTickCount64,
            };
        }

        /// Events and what else to wait for, waits, threads, APCs.
        pub mod Threading {
            pub use windows_sys::Win32::System::Threading::{
                CONDITION_VARIABLE, CONDITION_VARIABLE_INIT, CONDITION_VARIABLE_LOCKMODE_SHARED,
                CREATE_EVENT, CREATE_EVENT_INITIAL_SET, CREATE_EVENT_MANUAL_RESET,
                CREATE_MUTEX_INITIAL_OWNER, CREATE_SUSPENDED,
                CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, CREATE_WAITABLE_TIMER_MANUAL_RESET,
                CRITICAL_SECTION, CRITICAL_SECTION_DEBUG, EVENT_ALL_ACCESS, EVENT_MODIFY_STATE,
                FLS_OUT_OF_INDEXES, INFINITE, INIT_ONCE, INIT_ONCE_ASYNC, INIT_ONCE_CHECK_ONLY,
                INIT_ONCE_CTX_RESERVED_BITS, INIT_ONCE_INIT_FAILED, INIT_ONCE_STATIC_INIT,
                LPTHREAD_START_ROUTINE, MUTEX_ALL_ACCESS, MUTEX_MODIFY_STATE,
                PFLS_CALLBACK_FUNCTION, PINIT_ONCE_FN, PTIMERAPCROUTINE, PTP_CALLBACK_INSTANCE,
                PTP_CLEANUP_GROUP, PTP_CLEANUP_GROUP_CANCEL_CALLBACK, PTP_IO, PTP_POOL,
                PTP_SIMPLE_CALLBACK, PTP_TIMER, PTP_TIMER_CALLBACK, PTP_WAIT, PTP_WAIT_CALLBACK,
                PTP_WIN32_IO_CALLBACK, PTP_WORK, PTP_WORK_CALLBACK, REASON_CONTEXT,
                REASON_CONTEXT_0, REASON_CONTEXT_0_0, RTL_CRITICAL_SECTION_ALL_FLAG_BITS,
                RTL_CRITICAL_SECTION_FLAG_DYNAMIC_SPIN, RTL_CRITICAL_SECTION_FLAG_FORCE_DEBUG_INFO,
                RTL_CRITICAL_SECTION_FLAG_NO_DEBUG_INFO, SEMAPHORE_ALL_ACCESS,
                SEMAPHORE_MODIFY_STATE, SRWLOCK, SRWLOCK_INIT, STACK_SIZE_PARAM_IS_A_RESERVATION,
                SYNCHRONIZATION_ACCESS_RIGHTS, SYNCHRONIZATION_BARRIER,
                SYNCHRONIZATION_BARRIER_FLAGS_BLOCK_ONLY, SYNCHRONIZATION_BARRIER_FLAGS_NO_DELETE,
                SYNCHRONIZATION_BARRIER_FLAGS_SPIN_ONLY, SYNCHRONIZATION_DELETE,
                SYNCHRONIZATION_READ_CONTROL, SYNCHRONIZATION_SYNCHRONIZE,
                SYNCHRONIZATION_WRITE_DAC, SYNCHRONIZATION_WRITE_OWNER, THREAD_ACCESS_RIGHTS,
                THREAD_ALL_ACCESS, THREAD_CREATE_RUN_IMMEDIATELY, THREAD_CREATION_FLAGS,
                THREAD_MODE_BACKGROUND_BEGIN, THREAD_MODE_BACKGROUND_END, THREAD_PRIORITY,
                THREAD_PRIORITY_ABOVE_NORMAL, THREAD_PRIORITY_BELOW_NORMAL,
                THREAD_PRIORITY_HIGHEST, THREAD_PRIORITY_IDLE, THREAD_PRIORITY_LOWEST,
                THREAD_PRIORITY_MIN, THREAD_PRIORITY_NORMAL, THREAD_PRIORITY_TIME_CRITICAL,
                THREAD_QUERY_INFORMATION, THREAD_SET_CONTEXT, THREAD_SUSPEND_RESUME,
                TIMER_ALL_ACCESS, TIMER_MODIFY_STATE, TIMER_QUERY_STATE, TLS_OUT_OF_INDEXES,
                TP_CALLBACK_ENVIRON_V3, TP_CALLBACK_ENVIRON_V3_0, TP_CALLBACK_ENVIRON_V3_0_0,
                TP_CALLBACK_PRIORITY, TP_CALLBACK_PRIORITY_COUNT, TP_CALLBACK_PRIORITY_HIGH,
                TP_CALLBACK_PRIORITY_INVALID, TP_CALLBACK_PRIORITY_LOW,
                TP_CALLBACK_PRIORITY_NORMAL, TP_POOL_STACK_INFORMATION, WAITORTIMERCALLBACK,
                WORKER_THREAD_FLAGS, WT_EXECUTEDEFAULT, WT_EXECUTEINIOTHREAD,
                WT_EXECUTEINPERSISTENTTHREAD, WT_EXECUTEINTIMERTHREAD, WT_EXECUTEINWAITTHREAD,
                WT_EXECUTELONGFUNCTION, WT_EXECUTEONLYONCE, WT_TRANSFER_IMPERSONATION,
            };

            pub use crate::events::{
                CreateEventA, CreateEventExA, CreateEventExW, CreateEventW, OpenEventA, OpenEventW,
                PulseEvent, ResetEvent, SetEvent,
            };
            pub use crate::fiber_locals::{FlsAlloc, FlsFree, FlsGetValue, FlsSetValue};
            pub use crate::locals::{TlsAlloc, TlsFree, TlsGetValue, TlsSetValue};
            pub use crate::locks::address::{WaitOnAddress, WakeByAddressAll, WakeByAddressSingle};
            pub use crate::locks::barrier::{
                DeleteSynchronizationBarrier, EnterSynchronizationBarrier,
                InitializeSynchronizationBarrier,
            };
            pub use crate::locks::condition::{
                InitializeConditionVariable, SleepConditionVariableCS, SleepConditionVariableSRW,
                WakeAllConditionVariable, WakeConditionVariable,
            };
            pub use crate::locks::critical::{
                DeleteCriticalSection, EnterCriticalSection, InitializeCriticalSection,
                InitializeCriticalSectionAndSpinCount, InitializeCriticalSectionEx,
                LeaveCriticalSection, SetCriticalSectionSpinCount, TryEnterCriticalSection,
            };
            pub use crate::locks::list::{
                InitializeSListHead, InterlockedFlushSList, InterlockedPopEntrySList,
                InterlockedPushEntrySList, InterlockedPushListSListEx, QueryDepthSList,
            };
            pub use crate::locks::once::{
                InitOnceBeginInitialize, InitOnceComplete, InitOnceExecuteOnce, InitOnceInitialize,
            };
            pub use crate::locks::slim::{
                AcquireSRWLockExclusive, AcquireSRWLockShared, InitializeSRWLock,
                ReleaseSRWLockExclusive, ReleaseSRWLockShared, TryAcquireSRWLockExclusive,
                TryAcquireSRWLockShared,
            };
            pub use crate::mutexes::{
                CreateMutexA, CreateMutexExA, CreateMutexExW, CreateMutexW, OpenMutexW,
                ReleaseMutex,
            };
            pub use crate::pools::{
                CallbackMayRunLong, CancelThreadpoolIo, ChangeTimerQueueTimer, CloseThreadpool,
                CloseThreadpoolCleanupGroup, CloseThreadpoolCleanupGroupMembers, CloseThreadpoolIo,
                CloseThreadpoolTimer, CloseThreadpoolWait, CloseThreadpoolWork, CreateThreadpool,
                CreateThreadpoolCleanupGroup, CreateThreadpoolIo, CreateThreadpoolTimer,
                CreateThreadpoolWait, CreateThreadpoolWork, CreateTimerQueue,
                CreateTimerQueueTimer, DeleteTimerQueue, DeleteTimerQueueEx, DeleteTimerQueueTimer,
                DisassociateCurrentThreadFromCallback, IsThreadpoolTimerSet,
                LeaveCriticalSectionWhenCallbackReturns, QueryThreadpoolStackInformation,
                QueueUserWorkItem, RegisterWaitForSingleObject, ReleaseMutexWhenCallbackReturns,
                ReleaseSemaphoreWhenCallbackReturns, SetEventWhenCallbackReturns,
                SetThreadpoolStackInformation, SetThreadpoolThreadMaximum,
                SetThreadpoolThreadMinimum, SetThreadpoolTimer, SetThreadpoolTimerEx,
                SetThreadpoolWait, SetThreadpoolWaitEx, StartThreadpoolIo, SubmitThreadpoolWork,
                TrySubmitThreadpoolCallback, UnregisterWait, UnregisterWaitEx,
                WaitForThreadpoolIoCallbacks, WaitForThreadpoolTimerCallbacks,
                WaitForThreadpoolWaitCallbacks, WaitForThreadpoolWorkCallbacks,
            };
            pub use crate::semaphores::{
                CreateSemaphoreA, CreateSemaphoreExA, CreateSemaphoreExW, CreateSemaphoreW,
                OpenSemaphoreW, ReleaseSemaphore,
            };
            pub use crate::threads::{
                CreateThread, ExitThread, GetCurrentProcess, GetCurrentProcessId, GetCurrentThread,
                GetCurrentThreadId, GetExitCodeThread, GetThreadId, GetThreadPriority, OpenThread,
                QueueUserAPC, ResumeThread, SetThreadPriority, SuspendThread, SwitchToThread,
                TerminateThread,
            };
            pub use crate::timers::{
                CancelWaitableTimer, CreateWaitableTimerA, CreateWaitableTimerExA,
                CreateWaitableTimerExW, CreateWaitableTimerW, OpenWaitableTimerA,
                OpenWaitableTimerW, SetWaitableTimer, SetWaitableTimerEx,
            };
            pub use crate::waits::{
                SignalObjectAndWait, Sleep, SleepEx, WaitForMultipleObjects,
                WaitForMultipleObjectsEx, WaitForSingleObject, WaitForSingleObjectEx,
            };
        }

        /// Pipes within the process.
        pub mod Pipes {
            pub use windows_sys::Win32::System::Pipes::{
                NAMED_PIPE_MODE, PIPE_ACCEPT_REMOTE_CLIENTS, PIPE_NOWAIT, PIPE_READMODE_BYTE,
                PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_UNLIMITED_INSTANCES, PIPE_WAIT,
            };

            pub use crate::files::CreatePipe;
            pub use crate::named_pipes::{CreateNamedPipeA, CreateNamedPipeW};
        }

        pub mod WindowsProgramming {
            pub use windows_sys::Win32::System::WindowsProgramming::{
                FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, FILE_SKIP_SET_EVENT_ON_HANDLE,
            };
        }
    }

    pub mod UI {
        /// Window classes, windows, messages, as far as they have to do with waiting: nothing is
        /// drawn.
        pub mod WindowsAndMessaging {
            pub use windows_sys::Win32::UI::WindowsAndMessaging::*;

            pub use crate::window::atoms::{RegisterWindowMessageA, RegisterWindowMessageW};
            pub use crate::window::class::{
                GetClassInfoA, GetClassInfoExA, GetClassInfoExW, GetClassInfoW, GetClassNameA,
                GetClassNameW, RegisterClassA, RegisterClassExA, RegisterClassExW, RegisterClassW,
                UnregisterClassA, UnregisterClassW,
            };
            pub use crate::window::class_long::{
                GetClassLongA, GetClassLongPtrA, GetClassLongPtrW, GetClassLongW, SetClassLongA,
                SetClassLongPtrA, SetClassLongPtrW, SetClassLongW,
            };
            pub use crate::window::create::{CreateWindowExA, CreateWindowExW, DestroyWindow};
            pub use crate::window::default::{DefWindowProcA, DefWindowProcW};
            pub use crate::window::find::{
                FindWindowA, FindWindowExA, FindWindowExW, FindWindowW, GetParent,
                GetWindowThreadProcessId, IsChild, IsWindow, IsWindowUnicode, IsWindowVisible,
                SetParent,
            };
            pub use crate::window::long::{
                GetWindowLongA, GetWindowLongPtrA, GetWindowLongPtrW, GetWindowLongW,
                SetWindowLongA, SetWindowLongPtrA, SetWindowLongPtrW, SetWindowLongW,
            };
            pub use crate::window::paint::{
                LoadCursorA, LoadCursorW, LoadIconA, LoadIconW, ShowWindow,
            };
            pub use crate::window::procedure::{CallWindowProcA, CallWindowProcW};
            pub use crate::window::retrieve::{
                DispatchMessageA, DispatchMessageW, GetMessageA, GetMessageExtraInfo,
                GetMessagePos, GetMessageTime, GetMessageW, GetQueueStatus, PeekMessageA,
                PeekMessageW, PostQuitMessage, SetMessageExtraInfo, TranslateMessage, WaitMessage,
            };
            pub use crate::window::send::{
                InSendMessage, InSendMessageEx, PostMessageA, PostMessageW, PostThreadMessageA,
                PostThreadMessageW, ReplyMessage, SendMessageA, SendMessageCallbackA,
                SendMessageCallbackW, SendMessageTimeoutA, SendMessageTimeoutW, SendMessageW,
                SendNotifyMessageA, SendNotifyMessageW,
            };
            pub use crate::window::text::{
                GetWindowTextA, GetWindowTextLengthA, GetWindowTextLengthW, GetWindowTextW,
                SetWindowTextA, SetWindowTextW,
            };
            pub use crate::window::timer::{KillTimer, SetTimer};
            pub use crate::window::wait::{MsgWaitForMultipleObjects, MsgWaitForMultipleObjectsEx};

            absent! {
                AdjustWindowRect AdjustWindowRectEx AllowSetForegroundWindow AnimateWindow
                AnyPopup AppendMenuA AppendMenuW ArrangeIconicWindows BeginDeferWindowPos
                BringWindowToTop CalculatePopupWindowPosition CallMsgFilterA CallMsgFilterW
                CallNextHookEx CancelShutdown CascadeWindows ChangeMenuA ChangeMenuW
                ChangeWindowMessageFilter ChangeWindowMessageFilterEx CharLowerA
                CharLowerBuffA CharLowerBuffW CharLowerW CharNextA CharNextExA CharNextW
                CharPrevA CharPrevExA CharPrevW CharToOemA CharToOemBuffA CharToOemBuffW
                CharToOemW CharUpperA CharUpperBuffA CharUpperBuffW CharUpperW CheckMenuItem
                CheckMenuRadioItem ChildWindowFromPoint ChildWindowFromPointEx ClipCursor
                CloseWindow CopyAcceleratorTableA CopyAcceleratorTableW CopyIcon CopyImage
                CreateAcceleratorTableA CreateAcceleratorTableW CreateCaret CreateCursor
                CreateDialogIndirectParamA CreateDialogIndirectParamW CreateDialogParamA
                CreateDialogParamW CreateIcon CreateIconFromResource
                CreateIconFromResourceEx CreateIconIndirect CreateMDIWindowA
                CreateMDIWindowW CreateMenu CreatePopupMenu CreateResourceIndexer
                DefDlgProcA DefDlgProcW DefFrameProcA DefFrameProcW DefMDIChildProcA
                DefMDIChildProcW DeferWindowPos DeleteMenu DeregisterShellHookWindow
                DestroyAcceleratorTable DestroyCaret DestroyCursor DestroyIcon
                DestroyIndexedResults DestroyMenu DestroyResourceIndexer
                DialogBoxIndirectParamA DialogBoxIndirectParamW DialogBoxParamA
                DialogBoxParamW DisableProcessWindowsGhosting DragObject DrawIcon DrawIconEx
                DrawMenuBar EnableMenuItem EndDeferWindowPos EndDialog EndMenu
                EnumChildWindows EnumPropsA EnumPropsExA EnumPropsExW EnumPropsW
                EnumThreadWindows EnumWindows FlashWindow FlashWindowEx GetAltTabInfoA
                GetAltTabInfoW GetAncestor GetCaretBlinkTime GetCaretPos GetClassWord
                GetClientRect GetClipCursor GetCursor GetCursorInfo GetCursorPos
                GetDesktopWindow GetDialogBaseUnits GetDlgCtrlID GetDlgItem GetDlgItemInt
                GetDlgItemTextA GetDlgItemTextW GetForegroundWindow GetGUIThreadInfo
                GetIconInfo GetIconInfoExA GetIconInfoExW GetInputState GetLastActivePopup
                GetLayeredWindowAttributes GetMenu GetMenuBarInfo GetMenuCheckMarkDimensions
                GetMenuDefaultItem GetMenuInfo GetMenuItemCount GetMenuItemID
                GetMenuItemInfoA GetMenuItemInfoW GetMenuItemRect GetMenuState
                GetMenuStringA GetMenuStringW GetNextDlgGroupItem GetNextDlgTabItem
                GetPhysicalCursorPos GetProcessDefaultLayout GetPropA GetPropW
                GetScrollBarInfo GetScrollInfo GetScrollPos GetScrollRange GetShellWindow
                GetSubMenu GetSystemMenu GetSystemMetrics GetTitleBarInfo GetTopWindow
                GetWindow GetWindowDisplayAffinity GetWindowInfo GetWindowModuleFileNameA
                GetWindowModuleFileNameW GetWindowPlacement GetWindowRect GetWindowWord
                HideCaret HiliteMenuItem IndexFilePath InheritWindowMonitor InsertMenuA
                InsertMenuItemA InsertMenuItemW InsertMenuW InternalGetWindowText
                IsCharAlphaA IsCharAlphaNumericA IsCharAlphaNumericW IsCharAlphaW
                IsCharLowerA IsCharUpperA IsCharUpperW IsDialogMessageA IsDialogMessageW
                IsGUIThread IsHungAppWindow IsIconic IsMenu IsProcessDPIAware
                IsWindowArranged IsWow64Message IsZoomed LoadAcceleratorsA LoadAcceleratorsW
                LoadCursorFromFileA LoadCursorFromFileW LoadImageA LoadImageW LoadMenuA
                LoadMenuIndirectA LoadMenuIndirectW LoadMenuW LoadStringA LoadStringW
                LockSetForegroundWindow LogicalToPhysicalPoint LookupIconIdFromDirectory
                LookupIconIdFromDirectoryEx MapDialogRect MenuItemFromPoint MessageBoxA
                MessageBoxExA MessageBoxExW MessageBoxIndirectA MessageBoxIndirectW
                MessageBoxW ModifyMenuA ModifyMenuW MoveWindow MrmCreateConfig
                MrmCreateConfigInMemory MrmCreateResourceFile MrmCreateResourceFileInMemory
                MrmCreateResourceFileWithChecksum MrmCreateResourceIndexer
                MrmCreateResourceIndexerFromPreviousPriData
                MrmCreateResourceIndexerFromPreviousPriFile
                MrmCreateResourceIndexerFromPreviousSchemaData
                MrmCreateResourceIndexerFromPreviousSchemaFile
                MrmCreateResourceIndexerWithFlags MrmDestroyIndexerAndMessages
                MrmDumpPriDataInMemory MrmDumpPriFile MrmDumpPriFileInMemory MrmFreeMemory
                MrmGetPriFileContentChecksum MrmIndexEmbeddedData MrmIndexFile
                MrmIndexFileAutoQualifiers MrmIndexResourceContainerAutoQualifiers
                MrmIndexString MrmPeekResourceIndexerMessages OemToCharA OemToCharBuffA
                OemToCharBuffW OemToCharW OpenIcon PhysicalToLogicalPoint
                PrivateExtractIconsA PrivateExtractIconsW RealChildWindowFromPoint
                RealGetWindowClassA RealGetWindowClassW RegisterDeviceNotificationA
                RegisterDeviceNotificationW RegisterForTooltipDismissNotification
                RegisterShellHookWindow RemoveMenu RemovePropA RemovePropW ScrollDC
                ScrollWindow ScrollWindowEx SendDlgItemMessageA SendDlgItemMessageW
                SetAdditionalForegroundBoostProcesses SetCaretBlinkTime SetCaretPos
                SetClassWord SetCoalescableTimer SetCursor SetCursorPos SetDebugErrorLevel
                SetDlgItemInt SetDlgItemTextA SetDlgItemTextW SetForegroundWindow
                SetLayeredWindowAttributes SetMenu SetMenuDefaultItem SetMenuInfo
                SetMenuItemBitmaps SetMenuItemInfoA SetMenuItemInfoW SetMessageQueue
                SetPhysicalCursorPos SetProcessDPIAware SetProcessDefaultLayout SetPropA
                SetPropW SetSystemCursor SetWindowDisplayAffinity SetWindowPlacement
                SetWindowPos SetWindowWord SetWindowsHookA SetWindowsHookExA
                SetWindowsHookExW SetWindowsHookW ShowCaret ShowCursor ShowOwnedPopups
                ShowWindowAsync SoundSentry SwitchToThisWindow SystemParametersInfoA
                SystemParametersInfoW TileWindows TrackPopupMenu TrackPopupMenuEx
                TranslateAcceleratorA TranslateAcceleratorW TranslateMDISysAccel
                UnhookWindowsHook UnhookWindowsHookEx UnregisterDeviceNotification
                UpdateLayeredWindow UpdateLayeredWindowIndirect WindowFromPhysicalPoint
                WindowFromPoint wvsprintfA wvsprintfW
            }
        }
    }
}
