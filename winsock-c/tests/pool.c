/*
 * pool.c - every function of the thread pool, through our headers and through mingw's.
 *
 * `cargo xtask headers` compares what it prints. Lines are printed by the main thread alone, once
 * the callbacks have run, so that their order is not chance.
 */
#define _WIN32_WINNT 0x0A00
#include <winsock2.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>

static LONG volatile calls;
static LONG volatile cleaned;

static BOOL come_to(LONG volatile *count, LONG most) {
    for (int tries = 0; tries < 1000; tries++) {
        if (InterlockedCompareExchange(count, 0, 0) >= most)
            return TRUE;
        Sleep(10);
    }
    return FALSE;
}

static BOOL is_set(HANDLE event) {
    return WaitForSingleObject(event, 10000) == WAIT_OBJECT_0;
}

static VOID CALLBACK simple(PTP_CALLBACK_INSTANCE instance, PVOID context) {
    (void)context;
    CallbackMayRunLong(instance);
    InterlockedIncrement(&calls);
}

static VOID CALLBACK work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK self) {
    (void)self;
    if (context != NULL)
        SetEventWhenCallbackReturns(instance, (HANDLE)context);
    InterlockedIncrement(&calls);
}

static VOID CALLBACK timer(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER self) {
    (void)self;
    ReleaseSemaphoreWhenCallbackReturns(instance, (HANDLE)context, 1);
    InterlockedIncrement(&calls);
}

static VOID CALLBACK waited(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT self,
                            TP_WAIT_RESULT result) {
    (void)self;
    *(LONG volatile *)context = (LONG)result;
    DisassociateCurrentThreadFromCallback(instance);
    InterlockedIncrement(&calls);
}

static VOID CALLBACK clean(PVOID object, PVOID context) {
    (void)object;
    (void)context;
    InterlockedIncrement(&cleaned);
}

static VOID CALLBACK old(PVOID context, BOOLEAN fired) {
    *(LONG volatile *)context = 100 + fired;
    InterlockedIncrement(&calls);
}

static DWORD WINAPI item(LPVOID event) {
    SetEvent((HANDLE)event);
    return 0;
}

static VOID CALLBACK io(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped,
                        ULONG result, ULONG_PTR bytes, PTP_IO self) {
    (void)instance;
    (void)overlapped;
    (void)self;
    *(LONG volatile *)context = result == NO_ERROR ? (LONG)bytes : -1;
    InterlockedIncrement(&calls);
}

static HANDLE bound;
static LONG volatile bound_bytes;

static VOID CALLBACK routine(DWORD error, DWORD bytes, LPOVERLAPPED overlapped) {
    (void)overlapped;
    bound_bytes = error == 0 ? (LONG)bytes : -1;
    SetEvent(bound);
}

static void objects(void) {
    PTP_POOL pool = CreateThreadpool(NULL);
    TP_CALLBACK_ENVIRON environment;
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    SetThreadpoolThreadMaximum(pool, 2);
    printf("minimum: %d\n", SetThreadpoolThreadMinimum(pool, 1));
    SetThreadpoolCallbackRunsLong(&environment);
    SetThreadpoolCallbackPriority(&environment, TP_CALLBACK_PRIORITY_HIGH);
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    SetThreadpoolCallbackCleanupGroup(&environment, group, clean);

    HANDLE event = CreateEvent(NULL, FALSE, FALSE, NULL);
    HANDLE semaphore = CreateSemaphore(NULL, 0, 9, NULL);
    printf("submit: %d\n", TrySubmitThreadpoolCallback(simple, NULL, &environment));
    printf("called: %d\n", come_to(&calls, 1));

    PTP_WORK job = CreateThreadpoolWork(work, event, &environment);
    SubmitThreadpoolWork(job);
    WaitForThreadpoolWorkCallbacks(job, FALSE);
    BOOL set = is_set(event);
    printf("work: %ld calls, event %d\n", (long)calls, set);
    CloseThreadpoolWork(job);

    FILETIME now = {(DWORD)-1, (DWORD)-1};
    PTP_TIMER clock = CreateThreadpoolTimer(timer, semaphore, &environment);
    printf("timer set: %d", IsThreadpoolTimerSet(clock));
    SetThreadpoolTimer(clock, &now, 0, 0);
    printf(", then released: %d\n", is_set(semaphore));
    SetThreadpoolTimer(clock, NULL, 0, 0);
    WaitForThreadpoolTimerCallbacks(clock, TRUE);
    CloseThreadpoolTimer(clock);

    LONG volatile result = -1;
    PTP_WAIT wait = CreateThreadpoolWait(waited, (PVOID)&result, &environment);
    SetThreadpoolWait(wait, event, NULL);
    SetEvent(event);
    BOOL came = come_to(&calls, 4);
    printf("waited: %d, result %ld\n", came, (long)result);
    SetThreadpoolWait(wait, event, &now);
    came = come_to(&calls, 5);
    printf("waited: %d, result %ld\n", came, (long)result);
    WaitForThreadpoolWaitCallbacks(wait, TRUE);
    CloseThreadpoolWait(wait);

    PTP_WORK left = CreateThreadpoolWork(work, NULL, &environment);
    SubmitThreadpoolWork(left);
    CloseThreadpoolCleanupGroupMembers(group, FALSE, NULL);
    printf("group: %ld calls, %ld cleaned\n", (long)calls, (long)cleaned);
    CreateThreadpoolWork(work, NULL, &environment);
    CloseThreadpoolCleanupGroupMembers(group, TRUE, NULL);
    printf("group: %ld calls, %ld cleaned\n", (long)calls, (long)cleaned);
    CloseThreadpoolCleanupGroup(group);
    DestroyThreadpoolEnvironment(&environment);
    CloseThreadpool(pool);
    CloseHandle(semaphore);
    CloseHandle(event);
}

static void older(void) {
    HANDLE event = CreateEvent(NULL, FALSE, FALSE, NULL);
    HANDLE done = CreateEvent(NULL, TRUE, FALSE, NULL);
    printf("item: %d", QueueUserWorkItem(item, event, WT_EXECUTEDEFAULT));
    printf(", %d\n", is_set(event));

    LONG volatile fired = 0;
    HANDLE wait = NULL;
    calls = 0;
    printf("register: %d\n", RegisterWaitForSingleObject(&wait, event, old, (PVOID)&fired, INFINITE,
                                                         WT_EXECUTEONLYONCE));
    SetEvent(event);
    BOOL came = come_to(&calls, 1);
    printf("called: %d, %ld\n", came, (long)fired);
    printf("unregister: %d\n", UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
    printf("register: %d\n", RegisterWaitForSingleObject(&wait, event, old, (PVOID)&fired, 1,
                                                         WT_EXECUTEONLYONCE));
    came = come_to(&calls, 2);
    printf("called: %d, %ld\n", came, (long)fired);
    UnregisterWaitEx(wait, done);
    printf("unregistered: %d\n", is_set(done));

    HANDLE queue = CreateTimerQueue(), timers[2];
    printf("timers: %d", CreateTimerQueueTimer(&timers[0], queue, old, (PVOID)&fired, 1, 0, 0));
    printf(" %d\n", CreateTimerQueueTimer(&timers[1], queue, old, (PVOID)&fired, 100000, 0,
                                          WT_EXECUTEINTIMERTHREAD));
    came = come_to(&calls, 3);
    printf("called: %d, %ld\n", came, (long)fired);
    printf("change: %d\n", ChangeTimerQueueTimer(queue, timers[1], 1, 0));
    printf("called: %d\n", come_to(&calls, 4));
    printf("delete: %d", DeleteTimerQueueTimer(queue, timers[0], INVALID_HANDLE_VALUE));
    printf(" %d\n", DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
    CloseHandle(done);
    CloseHandle(event);
}

static void sockets(void) {
    SOCKET one = WSASocket(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    SOCKET two = WSASocket(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    struct sockaddr_in first = {0}, second = {0};
    int length = sizeof first;
    first.sin_family = second.sin_family = AF_INET;
    first.sin_addr.s_addr = second.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(one, (struct sockaddr *)&first, sizeof first);
    bind(two, (struct sockaddr *)&second, sizeof second);
    getsockname(one, (struct sockaddr *)&first, &length);
    getsockname(two, (struct sockaddr *)&second, &length);

    char text[16];
    WSABUF buffer = {sizeof text, text};
    WSAOVERLAPPED overlapped = {0};
    DWORD flags = 0;
    LONG volatile bytes = 0;
    calls = 0;
    PTP_IO object = CreateThreadpoolIo((HANDLE)one, io, (PVOID)&bytes, NULL);
    StartThreadpoolIo(object);
    printf("receive: %d", WSARecv(one, &buffer, 1, NULL, &flags, &overlapped, NULL));
    printf(" %d\n", WSAGetLastError());
    sendto(two, "seven..", 7, 0, (struct sockaddr *)&first, sizeof first);
    BOOL came = come_to(&calls, 1);
    printf("called: %d, %ld bytes\n", came, (long)bytes);
    WaitForThreadpoolIoCallbacks(object, FALSE);
    StartThreadpoolIo(object);
    CancelThreadpoolIo(object);
    WaitForThreadpoolIoCallbacks(object, TRUE);
    CloseThreadpoolIo(object);

    bound = CreateEvent(NULL, FALSE, FALSE, NULL);
    printf("bind: %d\n", BindIoCompletionCallback((HANDLE)two, routine, 0));
    WSAOVERLAPPED other = {0};
    WSARecv(two, &buffer, 1, NULL, &flags, &other, NULL);
    sendto(one, "four", 4, 0, (struct sockaddr *)&second, sizeof second);
    came = is_set(bound);
    printf("called: %d, %ld bytes\n", came, (long)bound_bytes);
    closesocket(one);
    closesocket(two);
}

int main(void) {
    WSADATA data;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    objects();
    older();
    sockets();
    WSACleanup();
    return 0;
}
