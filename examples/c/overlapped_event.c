/*
 * An echo server by overlapped operations with events: each client's operation sets the client's
 * event when it ends, and a thread waits for up to 64 of them, so the clients are in groups. A
 * client has one operation under way at any time, a receive or a send.
 */
#include "groups.h"

typedef struct {
    WSAOVERLAPPED overlapped;
    SOCKET socket;
    BOOL sending;
    DWORD received, sent;
    char buffer[BUFFER_SIZE];
} CLIENT;

static BOOL make_wake(CLIENT_GROUP *group)
{
    group->wake = CreateEventW(NULL, FALSE, FALSE, NULL);
    return group->wake != NULL;
}

static void wake_up(CLIENT_GROUP *group)
{
    WSASetEvent(group->wake);
}

static void unmake_wake(CLIENT_GROUP *group)
{
    WSACloseEvent(group->wake);
}

/* Receives, or sends what is left to be sent; FALSE if the client has left. */
static BOOL start_operation(CLIENT *client)
{
    DWORD flags = 0;
    WSABUF buffer;
    int result;

    if (client->sending) {
        buffer.buf = client->buffer + client->sent;
        buffer.len = client->received - client->sent;
        result = WSASend(client->socket, &buffer, 1, NULL, 0, &client->overlapped, NULL);
    } else {
        buffer.buf = client->buffer;
        buffer.len = BUFFER_SIZE;
        result = WSARecv(client->socket, &buffer, 1, NULL, &flags, &client->overlapped, NULL);
    }
    /* The event is set as well if it ended at once. */
    return result == 0 || WSAGetLastError() == WSA_IO_PENDING;
}

/* Does what follows on the end of an operation; FALSE if the client has left. */
static BOOL follow(CLIENT *client)
{
    DWORD count, flags;

    if (!WSAGetOverlappedResult(client->socket, &client->overlapped, &count, FALSE, &flags)
        || count == 0) {
        return FALSE;
    }
    if (client->sending) {
        client->sent += count;
        client->sending = client->sent < client->received;
    } else {
        client->received = count;
        client->sent = 0;
        client->sending = TRUE;
    }
    return start_operation(client);
}

static CLIENT *make_client(SOCKET socket)
{
    CLIENT *client = allocate(sizeof(*client));

    client->socket = socket;
    client->overlapped.hEvent = WSACreateEvent();
    if (client->overlapped.hEvent == WSA_INVALID_EVENT) {
        fail("WSACreateEvent", WSAGetLastError());
    }
    return client;
}

/* Nothing of the client's may be under way any more. */
static void free_client(CLIENT *client)
{
    closesocket(client->socket);
    WSACloseEvent(client->overlapped.hEvent);
    free(client);
}

static DWORD WINAPI serve(void *argument)
{
    CLIENT_GROUP *group = argument;
    CLIENT *clients[SEATS];
    SOCKET arrivals[SEATS];
    WSAEVENT events[SEATS + 1];
    DWORD count = 0;

    events[0] = group->wake;
    while (!stopping) {
        DWORD first = WSAWaitForMultipleEvents(count + 1, events, FALSE, WSA_INFINITE, FALSE);

        if (first == WSA_WAIT_FAILED) {
            fail("WSAWaitForMultipleEvents", WSAGetLastError());
        }
        /* The lowest that is set was told: those above have their turn, too. Event N is client
           N - 1's; from the end, since the last client takes the place of one that leaves. */
        for (DWORD i = count; i > 0 && i >= first; i--) {
            CLIENT *client = clients[i - 1];

            if (WSAWaitForMultipleEvents(1, &events[i], FALSE, 0, FALSE) != WSA_WAIT_EVENT_0) {
                continue;
            }
            WSAResetEvent(events[i]);
            if (!follow(client)) {
                free_client(client);
                clients[i - 1] = clients[count - 1];
                events[i] = events[count];
                count--;
                free_seat(group);
            }
        }
        if (first == WSA_WAIT_EVENT_0) {
            int arrived = take_arrivals(group, arrivals);

            for (int i = 0; i < arrived; i++) {
                CLIENT *client = make_client(arrivals[i]);

                if (start_operation(client)) {
                    clients[count++] = client;
                    events[count] = client->overlapped.hEvent;
                } else {
                    free_client(client);
                    free_seat(group);
                }
            }
        }
    }
    while (count > 0) {
        CLIENT *client = clients[--count];

        CancelIoEx((HANDLE)client->socket, NULL);
        WSAWaitForMultipleEvents(1, &client->overlapped.hEvent, FALSE, WSA_INFINITE, FALSE);
        free_client(client);
    }
    /* Those that came when it was too late. */
    count = take_arrivals(group, arrivals);
    while (count > 0) {
        closesocket(arrivals[--count]);
    }
    return 0;
}

int main(int argc, char **argv)
{
    listener = listen_at(argc, argv, "overlapped-event");
    serve_in_groups();
    return 0;
}
