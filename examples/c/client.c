/*
 * A client for the echo servers: client [ADDRESS] [PORT] [MESSAGES]. It sends so many messages, one
 * after the other, and checks that every byte comes back.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE 64

static int fail(const char *what, int error)
{
    fprintf(stderr, "%s failed with error %d\n", what, error);
    return 1;
}

/* Sends all of it; what does not fit at once goes later. */
static int send_all(SOCKET s, const char *buffer, int length)
{
    int sent = 0;

    while (sent < length) {
        int count = send(s, buffer + sent, length - sent, 0);

        if (count == SOCKET_ERROR) {
            return SOCKET_ERROR;
        }
        sent += count;
    }
    return sent;
}

/* Less than `length` if the server closes the connection first. */
static int recv_all(SOCKET s, char *buffer, int length)
{
    int received = 0;

    while (received < length) {
        int count = recv(s, buffer + received, length - received, 0);

        if (count == SOCKET_ERROR) {
            return SOCKET_ERROR;
        }
        if (count == 0) {
            break;
        }
        received += count;
    }
    return received;
}

int main(int argc, char **argv)
{
    const char *address = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "5150";
    int messages = argc > 3 ? atoi(argv[3]) : 100;
    struct addrinfo hints, *found;
    char message[MESSAGE], answer[MESSAGE];
    WSADATA data;
    SOCKET s;
    int error;

    error = WSAStartup(MAKEWORD(2, 2), &data);
    if (error != 0) {
        return fail("WSAStartup", error);
    }
    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_protocol = IPPROTO_TCP;
    error = getaddrinfo(address, port, &hints, &found);
    if (error != 0) {
        return fail("getaddrinfo", error);
    }
    s = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (s == INVALID_SOCKET) {
        return fail("socket", WSAGetLastError());
    }
    if (connect(s, found->ai_addr, (int)found->ai_addrlen) == SOCKET_ERROR) {
        return fail("connect", WSAGetLastError());
    }
    freeaddrinfo(found);

    for (int i = 0; i < messages; i++) {
        /* No message is like the one before it. */
        for (int at = 0; at < MESSAGE; at++) {
            message[at] = (char)(7 * i + at);
        }
        if (send_all(s, message, MESSAGE) == SOCKET_ERROR) {
            return fail("send", WSAGetLastError());
        }
        if (recv_all(s, answer, MESSAGE) != MESSAGE) {
            return fail("recv", WSAGetLastError());
        }
        if (memcmp(message, answer, MESSAGE) != 0) {
            fprintf(stderr, "message %d came back changed\n", i);
            return 1;
        }
    }

    closesocket(s);
    WSACleanup();
    printf("%d messages have come back\n", messages);
    return 0;
}
