/* An echo server after the text on socket state notifications (Windows 11): several threads share one
 * port, listener and connections are registered one-shot and level-triggered, and a connection that
 * ends is removed before it is closed. Not for Wine, which has no ProcessSocketNotifications. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#pragma comment(lib, "Ws2_32")

#define CLIENTS 6
#define ROUNDS 20
#define WORKERS 3
#define DEQUEUE 3
#define EXIT_KEY ((ULONG_PTR)-1)

typedef struct CONTEXT {
    SOCKET socket;
    BOOL listens;
} CONTEXT;

static HANDLE port;
static volatile LONG accepted, removed, echoed;

static void fail(const char *what, DWORD error) {
    printf("%s: error %lu\n", what, (unsigned long)error);
    exit(1);
}

static SOCK_NOTIFY_REGISTRATION *enable(SOCK_NOTIFY_REGISTRATION *r, CONTEXT *context) {
    r->socket = context->socket;
    r->completionKey = context;
    r->operation = SOCK_NOTIFY_OP_ENABLE;
    r->triggerFlags = SOCK_NOTIFY_TRIGGER_ONESHOT | SOCK_NOTIFY_TRIGGER_LEVEL;
    r->eventFilter = SOCK_NOTIFY_REGISTER_EVENT_IN;
    if (!context->listens)
        r->eventFilter |= SOCK_NOTIFY_REGISTER_EVENT_HANGUP;
    return r + 1;
}

/* All that waits is accepted, and registered; then the listener again. */
static SOCK_NOTIFY_REGISTRATION *accept_one(SOCK_NOTIFY_REGISTRATION *r, CONTEXT *listener) {
    CONTEXT *context;
    SOCKET s = accept(listener->socket, NULL, NULL);
    if (s == INVALID_SOCKET)
        fail("accept", WSAGetLastError());
    context = calloc(1, sizeof(*context));
    context->socket = s;
    InterlockedIncrement(&accepted);
    return enable(enable(r, context), listener);
}

static SOCK_NOTIFY_REGISTRATION *serve(SOCK_NOTIFY_REGISTRATION *r, CONTEXT *context,
                                       UINT32 events) {
    char buffer[512];
    int got;
    if (events & SOCK_NOTIFY_EVENT_REMOVE) {
        closesocket(context->socket);
        free(context);
        if (InterlockedIncrement(&removed) == CLIENTS)
            PostQueuedCompletionStatus(port, 0, EXIT_KEY, NULL);
        return r;
    }
    got = recv(context->socket, buffer, sizeof(buffer), 0);
    if (got > 0) {
        InterlockedAdd(&echoed, got);
        if (send(context->socket, buffer, got, 0) != got)
            fail("send", WSAGetLastError());
        return enable(r, context);
    }
    if (got < 0)
        fail("recv", WSAGetLastError());
    if (!(events & SOCK_NOTIFY_EVENT_HANGUP))
        printf("an end without a hang-up\n");
    r->socket = context->socket;
    r->completionKey = context;
    r->operation = SOCK_NOTIFY_OP_REMOVE;
    return r + 1;
}

static DWORD WINAPI work(LPVOID unused) {
    SOCK_NOTIFY_REGISTRATION registrations[DEQUEUE * 2], *end = registrations, *r;
    OVERLAPPED_ENTRY entries[DEQUEUE];
    UINT32 count, i;
    (void)unused;
    for (;;) {
        UINT32 ready = (UINT32)(end - registrations);
        DWORD error = ProcessSocketNotifications(port, ready, ready ? registrations : NULL, INFINITE,
                                                 DEQUEUE, entries, &count);
        if (error != ERROR_SUCCESS)
            fail("ProcessSocketNotifications", error);
        for (r = registrations; r < end; r++)
            if (r->registrationResult != ERROR_SUCCESS)
                fail("a registration", r->registrationResult);
        memset(registrations, 0, sizeof(registrations));
        end = registrations;
        for (i = 0; i < count; i++) {
            CONTEXT *context = (CONTEXT *)entries[i].lpCompletionKey;
            if (entries[i].lpCompletionKey == EXIT_KEY) {
                PostQueuedCompletionStatus(port, 0, EXIT_KEY, NULL); /* for the next thread */
                return 0;
            }
            end = context->listens
                      ? accept_one(end, context)
                      : serve(end, context, SocketNotificationRetrieveEvents(&entries[i]));
        }
    }
}

static DWORD WINAPI talk(LPVOID address) {
    char text[32], answer[32];
    int round, got, len;
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (connect(s, (struct sockaddr *)address, sizeof(struct sockaddr_in)) != 0)
        fail("connect", WSAGetLastError());
    for (round = 0; round < ROUNDS; round++) {
        len = sprintf(text, "round %d", round);
        if (send(s, text, len, 0) != len)
            fail("a client's send", WSAGetLastError());
        for (got = 0; got < len;) {
            int more = recv(s, answer + got, len - got, 0);
            if (more <= 0)
                fail("a client's recv", WSAGetLastError());
            got += more;
        }
        if (memcmp(text, answer, len) != 0)
            printf("a wrong answer\n");
    }
    closesocket(s);
    return 0;
}

int main(void) {
    WSADATA data;
    struct sockaddr_in address = {0};
    int len = sizeof(address), i;
    CONTEXT listener = {INVALID_SOCKET, TRUE};
    SOCK_NOTIFY_REGISTRATION registration = {0};
    HANDLE threads[WORKERS + CLIENTS];

    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    listener.socket = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener.socket, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener.socket, SOMAXCONN) != 0 ||
        getsockname(listener.socket, (struct sockaddr *)&address, &len) != 0)
        fail("listening", WSAGetLastError());

    registration.triggerFlags = 0;
    registration.socket = listener.socket;
    registration.operation = SOCK_NOTIFY_OP_ENABLE;
    if (ProcessSocketNotifications(port, 1, &registration, 0, 0, NULL, NULL) != ERROR_SUCCESS)
        return 1;
    printf("neither level nor edge: %lu\n", (unsigned long)registration.registrationResult);
    enable(&registration, &listener);
    if (ProcessSocketNotifications(port, 1, &registration, 0, 0, NULL, NULL) != ERROR_SUCCESS)
        return 1;
    printf("the listener: %lu\n", (unsigned long)registration.registrationResult);
    printf("without an array: %lu\n",
           (unsigned long)ProcessSocketNotifications(port, 1, NULL, 0, 0, NULL, NULL));

    for (i = 0; i < WORKERS; i++)
        threads[i] = CreateThread(NULL, 0, work, NULL, 0, NULL);
    for (i = 0; i < CLIENTS; i++)
        threads[WORKERS + i] = CreateThread(NULL, 0, talk, &address, 0, NULL);
    if (WaitForMultipleObjects(WORKERS + CLIENTS, threads, TRUE, 60000) != WAIT_OBJECT_0)
        fail("waiting", GetLastError());
    for (i = 0; i < WORKERS + CLIENTS; i++)
        CloseHandle(threads[i]);
    printf("%ld accepted, %ld removed, %ld bytes echoed\n", (long)accepted, (long)removed,
           (long)echoed);
    closesocket(listener.socket);
    CloseHandle(port);
    WSACleanup();
    return 0;
}
