/*
 * An echo server by select(): a thread asks about all its sockets, again and again. An fd_set has
 * room for 64, so the clients are in groups. A client is received from while nothing is left to be
 * sent to it, and is asked about for writing otherwise.
 */
#include "groups.h"

typedef struct {
    SOCKET socket;
    int received, sent;
    char buffer[BUFFER_SIZE];
} CLIENT;

/* A socket that sends to itself: select() waits for nothing but sockets. */
static BOOL make_wake(CLIENT_GROUP *group)
{
    SOCKADDR_IN address;
    int length = sizeof(address);

    ZeroMemory(&address, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    group->bell = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    if (group->bell == INVALID_SOCKET) {
        return FALSE;
    }
    if (bind(group->bell, (SOCKADDR *)&address, sizeof(address)) == SOCKET_ERROR
        || getsockname(group->bell, (SOCKADDR *)&address, &length) == SOCKET_ERROR
        || connect(group->bell, (SOCKADDR *)&address, length) == SOCKET_ERROR) {
        closesocket(group->bell);
        return FALSE;
    }
    return TRUE;
}

static void wake_up(CLIENT_GROUP *group)
{
    send(group->bell, "", 1, 0);
}

static void unmake_wake(CLIENT_GROUP *group)
{
    closesocket(group->bell);
}

/* Sends what is left; FALSE if the client has left. */
static BOOL send_rest(CLIENT *client)
{
    int count = send(client->socket, client->buffer + client->sent,
                     client->received - client->sent, 0);

    if (count == SOCKET_ERROR) {
        return WSAGetLastError() == WSAEWOULDBLOCK;
    }
    client->sent += count;
    if (client->sent == client->received) {
        client->sent = client->received = 0;
    }
    return TRUE;
}

/* Receives and answers; FALSE if the client has left. */
static BOOL receive(CLIENT *client)
{
    int count = recv(client->socket, client->buffer, BUFFER_SIZE, 0);

    if (count == SOCKET_ERROR) {
        return WSAGetLastError() == WSAEWOULDBLOCK;
    }
    client->received = count;
    return count > 0 && send_rest(client);
}

static CLIENT *make_client(SOCKET socket)
{
    CLIENT *client = allocate(sizeof(*client));
    u_long nonblocking = 1;

    client->socket = socket;
    ioctlsocket(socket, FIONBIO, &nonblocking);
    return client;
}

static void free_client(CLIENT *client)
{
    closesocket(client->socket);
    free(client);
}

static DWORD WINAPI serve(void *argument)
{
    CLIENT_GROUP *group = argument;
    CLIENT *clients[SEATS];
    SOCKET arrivals[SEATS];
    fd_set readable, writable;
    int count = 0;

    while (!stopping) {
        FD_ZERO(&readable);
        FD_ZERO(&writable);
        FD_SET(group->bell, &readable);
        for (int i = 0; i < count; i++) {
            FD_SET(clients[i]->socket, clients[i]->received > 0 ? &writable : &readable);
        }
        if (select(0, &readable, &writable, NULL, NULL) == SOCKET_ERROR) {
            fail("select", WSAGetLastError());
        }

        /* From the end, since the last client takes the place of one that leaves. */
        for (int i = count - 1; i >= 0; i--) {
            BOOL stays = TRUE;

            if (FD_ISSET(clients[i]->socket, &writable)) {
                stays = send_rest(clients[i]);
            } else if (FD_ISSET(clients[i]->socket, &readable)) {
                stays = receive(clients[i]);
            }
            if (!stays) {
                free_client(clients[i]);
                clients[i] = clients[--count];
                free_seat(group);
            }
        }
        if (FD_ISSET(group->bell, &readable)) {
            char ring;
            int arrived;

            recv(group->bell, &ring, 1, 0);
            arrived = take_arrivals(group, arrivals);
            for (int i = 0; i < arrived; i++) {
                clients[count++] = make_client(arrivals[i]);
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
    listener = listen_at(argc, argv, "select");
    serve_in_groups();
    return 0;
}
