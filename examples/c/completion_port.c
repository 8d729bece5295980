/*
 * An echo server on a completion port: all operations end in one queue, at which one thread for
 * each processor waits, or so many as a third argument says. A client has one operation under way
 * at any time, a receive or a send, and so only one thread at a time deals with it.
 */
#include "echo.h"

/* So many connections are taken before the first of them is served. */
#define ACCEPTS     32
#define MAX_WORKERS 64

/* What a packet is about. */
enum { KEY_ACCEPT = 1, KEY_CLIENT, KEY_STOP };

/* An OVERLAPPED comes first in what it belongs to, so that the one's address is the other's. */
typedef struct {
    OVERLAPPED overlapped;
    SOCKET socket;
    PTP_TIMER retry;
    char addresses[2 * (sizeof(SOCKADDR_STORAGE) + 16)];
} ACCEPT;

typedef struct CLIENT {
    OVERLAPPED overlapped;
    SOCKET socket;
    BOOL sending;
    DWORD received, sent;
    struct CLIENT *next, **link;
    char buffer[BUFFER_SIZE];
} CLIENT;

static HANDLE port;
static SOCKET listener;
static DWORD workers;
static HANDLE lock;
static CLIENT *clients; /* Under the lock. */
static volatile LONG stopping;
static volatile LONG owners; /* Accepts and clients that are left. */

/* The last that goes sends the workers home. */
static void leave(void)
{
    if (InterlockedDecrement(&owners) == 0) {
        for (DWORD i = 0; i < workers; i++) {
            PostQueuedCompletionStatus(port, 0, KEY_STOP, NULL);
        }
    }
}

static void remove_client(CLIENT *client)
{
    WaitForSingleObject(lock, INFINITE);
    *client->link = client->next;
    if (client->next != NULL) {
        client->next->link = client->link;
    }
    ReleaseMutex(lock);
    closesocket(client->socket);
    free(client);
    leave();
}

/* Receives, or sends what is left to be sent. From then on the client is the next packet's. */
static void start_operation(CLIENT *client)
{
    SOCKET socket = client->socket;
    DWORD flags = 0;
    WSABUF buffer;
    int result;

    ZeroMemory(&client->overlapped, sizeof(client->overlapped));
    if (client->sending) {
        buffer.buf = client->buffer + client->sent;
        buffer.len = client->received - client->sent;
        result = WSASend(socket, &buffer, 1, NULL, 0, &client->overlapped, NULL);
    } else {
        buffer.buf = client->buffer;
        buffer.len = BUFFER_SIZE;
        result = WSARecv(socket, &buffer, 1, NULL, &flags, &client->overlapped, NULL);
    }
    if (result == SOCKET_ERROR && WSAGetLastError() != WSA_IO_PENDING) {
        remove_client(client);
    } else if (stopping) {
        /* stop() may have looked before there was anything to cancel. */
        CancelIoEx((HANDLE)socket, NULL);
    }
}

static void add_client(SOCKET socket)
{
    CLIENT *client = allocate(sizeof(*client));

    client->socket = socket;
    InterlockedIncrement(&owners);
    WaitForSingleObject(lock, INFINITE);
    client->next = clients;
    client->link = &clients;
    if (clients != NULL) {
        clients->link = &client->next;
    }
    clients = client;
    ReleaseMutex(lock);
    if (CreateIoCompletionPort((HANDLE)socket, port, KEY_CLIENT, 0) == NULL) {
        remove_client(client);
    } else {
        start_operation(client);
    }
}

/* The timer's packet has no socket: it says that it is time to try again. */
static VOID CALLBACK on_retry(PTP_CALLBACK_INSTANCE instance, PVOID accept, PTP_TIMER retry)
{
    (void)instance, (void)retry;
    PostQueuedCompletionStatus(port, 0, KEY_ACCEPT, &((ACCEPT *)accept)->overlapped);
}

static ACCEPT *make_accept(void)
{
    ACCEPT *accept = allocate(sizeof(*accept));

    accept->retry = CreateThreadpoolTimer(on_retry, accept, NULL);
    if (accept->retry == NULL) {
        fail("CreateThreadpoolTimer", (int)GetLastError());
    }
    return accept;
}

static void free_accept(ACCEPT *accept)
{
    CloseThreadpoolTimer(accept->retry);
    free(accept);
    leave();
}

static void accept_later(ACCEPT *accept)
{
    FILETIME time = retry_time();

    fprintf(stderr, "AcceptEx failed with error %d\n", WSAGetLastError());
    if (accept->socket != INVALID_SOCKET) {
        closesocket(accept->socket);
        accept->socket = INVALID_SOCKET;
    }
    SetThreadpoolTimer(accept->retry, &time, 0, 0);
}

/* Takes the next connection, as long as there are to be any. */
static void start_accept(ACCEPT *accept)
{
    WSAPROTOCOL_INFO info;
    int length = sizeof(info), address = sizeof(SOCKADDR_STORAGE) + 16;
    DWORD count;

    if (stopping) {
        free_accept(accept);
        return;
    }
    getsockopt(listener, SOL_SOCKET, SO_PROTOCOL_INFO, (char *)&info, &length);
    accept->socket = socket(info.iAddressFamily, SOCK_STREAM, IPPROTO_TCP);
    ZeroMemory(&accept->overlapped, sizeof(accept->overlapped));
    if (accept->socket != INVALID_SOCKET
        && (AcceptEx(listener, accept->socket, accept->addresses, 0, (DWORD)address,
                     (DWORD)address, &count, &accept->overlapped)
            || WSAGetLastError() == ERROR_IO_PENDING)) {
        if (stopping) {
            CancelIoEx((HANDLE)listener, NULL);
        }
    } else {
        accept_later(accept);
    }
}

static void on_accept(ACCEPT *accept, BOOL accepted)
{
    SOCKET socket = accept->socket;

    if (accepted && !stopping && socket != INVALID_SOCKET) {
        setsockopt(socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&listener,
                   sizeof(listener));
        add_client(socket);
    } else if (!accepted && !stopping) {
        accept_later(accept);
        return;
    } else if (socket != INVALID_SOCKET) {
        closesocket(socket);
    }
    start_accept(accept);
}

static void on_client(CLIENT *client, BOOL succeeded, DWORD count)
{
    if (!succeeded || count == 0 || stopping) {
        remove_client(client);
        return;
    }
    if (client->sending) {
        client->sent += count;
        client->sending = client->sent < client->received;
    } else {
        client->received = count;
        client->sent = 0;
        client->sending = TRUE;
    }
    start_operation(client);
}

static DWORD WINAPI serve(void *unused)
{
    (void)unused;
    for (;;) {
        OVERLAPPED *overlapped = NULL;
        ULONG_PTR key = 0;
        DWORD count = 0;
        BOOL succeeded = GetQueuedCompletionStatus(port, &count, &key, &overlapped, INFINITE);

        if (key == KEY_ACCEPT) {
            on_accept((ACCEPT *)overlapped, succeeded);
        } else if (key == KEY_CLIENT) {
            on_client((CLIENT *)overlapped, succeeded, count);
        } else {
            return 0;
        }
    }
}

/* Ends all operations; their packets then find that there is nothing to follow. */
static void stop(void)
{
    InterlockedExchange(&stopping, TRUE);
    CancelIoEx((HANDLE)listener, NULL);
    WaitForSingleObject(lock, INFINITE);
    for (CLIENT *client = clients; client != NULL; client = client->next) {
        CancelIoEx((HANDLE)client->socket, NULL);
    }
    ReleaseMutex(lock);
}

int main(int argc, char **argv)
{
    HANDLE threads[MAX_WORKERS];
    SYSTEM_INFO system;

    listener = listen_at(argc, argv, "completion-port");
    GetSystemInfo(&system);
    workers = argc > 3 ? (DWORD)atoi(argv[3]) : system.dwNumberOfProcessors;
    workers = max(1, min(workers, MAX_WORKERS));
    lock = make_lock();
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    if (port == NULL || CreateIoCompletionPort((HANDLE)listener, port, KEY_ACCEPT, 0) == NULL) {
        fail("CreateIoCompletionPort", (int)GetLastError());
    }
    owners = ACCEPTS;
    for (int i = 0; i < ACCEPTS; i++) {
        start_accept(make_accept());
    }
    for (DWORD i = 0; i < workers; i++) {
        threads[i] = CreateThread(NULL, 0, serve, NULL, 0, NULL);
        if (threads[i] == NULL) {
            fail("CreateThread", (int)GetLastError());
        }
    }
    stop_at_ctrl_c();

    WaitForMultipleObjects(workers, threads, TRUE, INFINITE);
    for (DWORD i = 0; i < workers; i++) {
        CloseHandle(threads[i]);
    }
    CloseHandle(port);
    closesocket(listener);
    CloseHandle(lock);
    WSACleanup();
    return 0;
}
