/*
 * An echo server by completion routines: the system calls a function at the end of each operation,
 * on the thread that started it, as soon as that waits alertably. So one thread serves all clients,
 * and another accepts them and hands them over in the same way, by QueueUserAPC().
 */
#include "echo.h"

/* The OVERLAPPED comes first, so that its address is the client's. */
typedef struct CLIENT {
    WSAOVERLAPPED overlapped;
    SOCKET socket;
    BOOL sending;
    DWORD received, sent;
    struct CLIENT *next, **link;
    char buffer[BUFFER_SIZE];
} CLIENT;

static SOCKET listener;
static volatile LONG stopping;
/* The serving thread's alone, as all that is called there: */
static CLIENT *clients;
static BOOL complete; /* Nobody arrives any more. */

static void free_client(CLIENT *client)
{
    *client->link = client->next;
    if (client->next != NULL) {
        client->next->link = client->link;
    }
    closesocket(client->socket);
    free(client);
}

static void CALLBACK on_end(DWORD error, DWORD count, LPWSAOVERLAPPED overlapped, DWORD flags);

/* Receives, or sends what is left to be sent. */
static void start_operation(CLIENT *client)
{
    DWORD flags = 0;
    WSABUF buffer;
    int result;

    if (client->sending) {
        buffer.buf = client->buffer + client->sent;
        buffer.len = client->received - client->sent;
        result = WSASend(client->socket, &buffer, 1, NULL, 0, &client->overlapped, on_end);
    } else {
        buffer.buf = client->buffer;
        buffer.len = BUFFER_SIZE;
        result = WSARecv(client->socket, &buffer, 1, NULL, &flags, &client->overlapped, on_end);
    }
    /* The routine is called as well if it ended at once. */
    if (result == SOCKET_ERROR && WSAGetLastError() != WSA_IO_PENDING) {
        free_client(client);
    }
}

static void CALLBACK on_end(DWORD error, DWORD count, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    CLIENT *client = (CLIENT *)overlapped;

    (void)flags;
    if (error != 0 || count == 0 || stopping) {
        free_client(client);
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

static void CALLBACK on_arrival(ULONG_PTR argument)
{
    CLIENT *client = allocate(sizeof(*client));

    client->socket = (SOCKET)argument;
    client->next = clients;
    client->link = &clients;
    if (clients != NULL) {
        clients->link = &client->next;
    }
    clients = client;
    start_operation(client);
}

/* Cancelled operations end, too: their routines free the clients. */
static void CALLBACK on_stop(ULONG_PTR unused)
{
    (void)unused;
    complete = TRUE;
    for (CLIENT *client = clients; client != NULL; client = client->next) {
        CancelIoEx((HANDLE)client->socket, NULL);
    }
}

static DWORD WINAPI serve(void *unused)
{
    (void)unused;
    /* Whoever is handed over is so before on_stop() is called. */
    while (!complete || clients != NULL) {
        SleepEx(INFINITE, TRUE);
    }
    return 0;
}

static void stop(void)
{
    InterlockedExchange(&stopping, TRUE);
    closesocket(listener); /* That ends accept(). */
}

int main(int argc, char **argv)
{
    HANDLE thread;

    listener = listen_at(argc, argv, "completion-routine");
    thread = CreateThread(NULL, 0, serve, NULL, 0, NULL);
    if (thread == NULL) {
        fail("CreateThread", (int)GetLastError());
    }
    stop_at_ctrl_c();
    for (;;) {
        SOCKET socket = accept(listener, NULL, NULL);

        if (stopping) {
            if (socket != INVALID_SOCKET) {
                closesocket(socket);
            }
            break;
        }
        if (socket == INVALID_SOCKET) {
            fprintf(stderr, "accept failed with error %d\n", WSAGetLastError());
            Sleep(RETRY_MS); /* Perhaps there is room then. */
        } else if (!QueueUserAPC(on_arrival, thread, (ULONG_PTR)socket)) {
            closesocket(socket);
        }
    }

    QueueUserAPC(on_stop, thread, 0);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    WSACleanup();
    return 0;
}
