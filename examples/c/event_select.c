/*
 * An echo server by WSAEventSelect(): each client has an event, which is set when something is to
 * be reported of its socket, and a thread waits for up to 64 of them, so the clients are in groups.
 * A client is received from while nothing is left to be sent to it.
 */
#include "groups.h"

typedef struct {
    SOCKET socket;
    WSAEVENT event;
    BOOL closed; /* The other end sends nothing more: what is here already is still received. */
    BOOL waited; /* It did not take an answer at once: an FD_READ may have been spent meanwhile. */
    int received, sent;
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

/*
 * Sends what is left and receives what is there, in turns, until one of the two has to wait: then
 * FD_WRITE or FD_READ follows. FALSE if the client has left.
 */
static BOOL turn(CLIENT *client)
{
    int count;

    for (;;) {
        if (client->received == 0) {
            count = recv(client->socket, client->buffer, BUFFER_SIZE, 0);
            if (count == 0) {
                return FALSE;
            }
            if (count != SOCKET_ERROR) {
                client->received = count;
            }
        } else {
            count = send(client->socket, client->buffer + client->sent,
                         client->received - client->sent, 0);
            if (count != SOCKET_ERROR) {
                client->sent += count;
            }
            if (client->sent == client->received) {
                client->sent = client->received = 0;
                /* What is more comes with the next FD_READ, which recv() has enabled. */
                if (!client->closed && !client->waited) {
                    return TRUE;
                }
            }
        }
        if (count == SOCKET_ERROR) {
            client->waited = client->received > 0;
            return WSAGetLastError() == WSAEWOULDBLOCK;
        }
    }
}

/* Does what was reported; FALSE if the client has left. */
static BOOL handle(CLIENT *client)
{
    WSANETWORKEVENTS reported;

    if (WSAEnumNetworkEvents(client->socket, client->event, &reported) == SOCKET_ERROR) {
        return FALSE;
    }
    /* Behind FD_CLOSE there is no FD_READ: then recv() has to tell of the end. */
    client->closed |= (reported.lNetworkEvents & FD_CLOSE) != 0;
    return reported.lNetworkEvents == 0 || turn(client);
}

static CLIENT *make_client(SOCKET socket)
{
    CLIENT *client = allocate(sizeof(*client));

    client->socket = socket;
    client->event = WSACreateEvent();
    /* That makes the socket nonblocking, too. */
    if (client->event == WSA_INVALID_EVENT
        || WSAEventSelect(socket, client->event, FD_READ | FD_WRITE | FD_CLOSE) == SOCKET_ERROR) {
        fail("WSAEventSelect", WSAGetLastError());
    }
    return client;
}

static void free_client(CLIENT *client)
{
    closesocket(client->socket);
    WSACloseEvent(client->event);
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
            if (!handle(client)) {
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
                clients[count++] = client;
                events[count] = client->event;
            }
        }
    }
    while (count > 0) {
        free_client(clients[--count]);
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
    listener = listen_at(argc, argv, "event-select");
    serve_in_groups();
    return 0;
}
