/*
 * Calls the functions of Winsock as nobody should: with handles that are none, sockets that are
 * closed, null pointers, lengths that are too small, in the wrong state, on the wrong type. Every
 * line tells what the call returned and which error it left.
 *
 * Left out is what Wine answers otherwise than Microsoft's pages say: connect() to NULL and to too
 * short an address, bind() to another family's, send() on a datagram socket without a peer, a
 * window that is none, getnameinfo(), inet_ntop() and WSAAddressToString() without room, an event
 * twice in a wait for all, CancelIoEx() with nothing under way, and recv() after WSACleanup().
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <string.h>

#pragma comment(lib, "ws2_32.lib")

static SOCKET closed, tcp, udp, listener;

/* Prints a call, whether it failed, and how; the error before it is none. */
#define REPORT(text, value)                                                                        \
    do {                                                                                           \
        long long result;                                                                          \
        WSASetLastError(0);                                                                        \
        result = (long long)(value);                                                               \
        printf("%-72s %s %d\n", text, result < 0 ? "fails" : "works",                              \
               result < 0 ? WSAGetLastError() : 0);                                                \
    } while (0)
#define TRY(call) REPORT(#call, call)
/* As above, for those that answer FALSE or NULL. */
#define TRY_BOOL(call) REPORT(#call, (call) ? 0 : -1)
/* And for those that return the error. */
#define TELL(call) printf("%-72s gives %d\n", #call, (int)(call))

static void handles(SOCKET s)
{
    struct sockaddr_in address;
    char bytes[64] = "";
    int length = sizeof(address), value = 0;
    DWORD count = 0, flags = 0;
    WSABUF buffer = {sizeof(bytes), bytes};
    WSANETWORKEVENTS events;
    WSAOVERLAPPED overlapped;
    u_long on = 1;

    memset(&address, 0, sizeof(address));
    memset(&overlapped, 0, sizeof(overlapped));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    TRY(accept(s, NULL, NULL));
    TRY(bind(s, (SOCKADDR *)&address, sizeof(address)));
    TRY(closesocket(s));
    TRY(connect(s, (SOCKADDR *)&address, sizeof(address)));
    TRY(getpeername(s, (SOCKADDR *)&address, &length));
    TRY(getsockname(s, (SOCKADDR *)&address, &length));
    TRY(getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&value, &length));
    TRY(ioctlsocket(s, FIONBIO, &on));
    TRY(listen(s, 1));
    TRY(recv(s, bytes, sizeof(bytes), 0));
    TRY(recvfrom(s, bytes, sizeof(bytes), 0, NULL, NULL));
    TRY(send(s, bytes, sizeof(bytes), 0));
    TRY(sendto(s, bytes, sizeof(bytes), 0, (SOCKADDR *)&address, sizeof(address)));
    TRY(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, sizeof(value)));
    TRY(shutdown(s, SD_BOTH));
    TRY(WSAAccept(s, NULL, NULL, NULL, 0));
    TRY(WSAEnumNetworkEvents(s, NULL, &events));
    TRY(WSAEventSelect(s, NULL, 0));
    TRY(WSAIoctl(s, FIONREAD, NULL, 0, &on, sizeof(on), &count, NULL, NULL));
    TRY(WSARecv(s, &buffer, 1, &count, &flags, NULL, NULL));
    TRY(WSARecvFrom(s, &buffer, 1, &count, &flags, NULL, NULL, NULL, NULL));
    TRY(WSASend(s, &buffer, 1, &count, 0, NULL, NULL));
    TRY(WSASendTo(s, &buffer, 1, &count, 0, (SOCKADDR *)&address, sizeof(address), NULL, NULL));
    TRY_BOOL(WSAGetOverlappedResult(s, &overlapped, &count, FALSE, &flags));
}

static void pointers(void)
{
    struct sockaddr_in address;
    char bytes[64] = "";
    int length, value = 0;

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    TRY(bind(tcp, NULL, sizeof(address)));
    TRY(bind(tcp, (SOCKADDR *)&address, sizeof(address) - 1));
    TRY(getsockname(listener, NULL, NULL));
    length = sizeof(address) - 1;
    TRY(getsockname(listener, (SOCKADDR *)&address, &length));
    length = 1;
    TRY(getsockopt(tcp, SOL_SOCKET, SO_RCVBUF, (char *)&value, &length));
    TRY(getsockopt(tcp, SOL_SOCKET, SO_TYPE, NULL, NULL));
    TRY(getsockopt(tcp, SOL_SOCKET, 0x7777, (char *)&value, &length));
    TRY(setsockopt(tcp, SOL_SOCKET, SO_RCVBUF, NULL, sizeof(value)));
    TRY(setsockopt(tcp, SOL_SOCKET, SO_RCVBUF, (char *)&value, 1));
    TRY(ioctlsocket(tcp, FIONBIO, NULL));
    TRY(ioctlsocket(tcp, 0x7777, (u_long *)bytes));
    TRY(select(0, NULL, NULL, NULL, NULL));
    TRY(WSAPoll(NULL, 1, 0));
    TRY(gethostname(NULL, 10));
    TRY(gethostname(bytes, 0));
}

static void states(void)
{
    struct sockaddr_in address;
    char bytes[64] = "";
    int length = sizeof(address);
    fd_set set;

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    TRY(accept(tcp, NULL, NULL));
    TRY(accept(udp, NULL, NULL));
    TRY(listen(tcp, 1));
    TRY(recv(tcp, bytes, sizeof(bytes), 0));
    TRY(getpeername(tcp, (SOCKADDR *)&address, &length));
    TRY(getpeername(listener, (SOCKADDR *)&address, &length));
    TRY(getsockname(tcp, (SOCKADDR *)&address, &length));
    TRY(shutdown(tcp, SD_BOTH));
    TRY(shutdown(listener, 77));
    TRY(bind(listener, (SOCKADDR *)&address, sizeof(address)));
    TRY(socket(AF_INET, 77, 0));
    TRY(socket(77, SOCK_STREAM, 0));
    TRY(WSAEventSelect(tcp, NULL, FD_READ));
    FD_ZERO(&set);
    TRY(select(0, &set, NULL, NULL, NULL));
    FD_SET(closed, &set);
    TRY(select(0, &set, NULL, NULL, NULL));
}

static void names(void)
{
    struct addrinfo hints, *found = NULL;
    struct sockaddr_in address;
    char host[64], bytes[16];
    int length = sizeof(address);

    memset(&hints, 0, sizeof(hints));
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    TELL(getaddrinfo(NULL, NULL, NULL, &found));
    hints.ai_socktype = 77;
    TELL(getaddrinfo("127.0.0.1", "80", &hints, &found));
    hints.ai_socktype = 0;
    hints.ai_family = 77;
    TELL(getaddrinfo("127.0.0.1", "80", &hints, &found));
    hints.ai_family = AF_INET;
    hints.ai_flags = AI_NUMERICHOST;
    TELL(getaddrinfo("not.a.number", "80", &hints, &found));
    TRY((int)inet_pton(77, "127.0.0.1", bytes));
    TRY_BOOL(inet_ntop(77, &address.sin_addr, host, sizeof(host)));
    TRY(WSAStringToAddressA((char *)"1.2.3.4.5", AF_INET, NULL, (SOCKADDR *)&address, &length));
}

static void events(void)
{
    HANDLE event = WSACreateEvent();
    HANDLE pair[2];
    DWORD count = 0;
    ULONG_PTR key = 0;
    OVERLAPPED *done = NULL;

    pair[0] = pair[1] = event;
    TRY_BOOL(WSACloseEvent((HANDLE)0x7770));
    TRY_BOOL(WSASetEvent((HANDLE)0x7770));
    TRY_BOOL(WSAResetEvent((HANDLE)0x7770));
    TRY((int)WSAWaitForMultipleEvents(0, pair, FALSE, 0, FALSE));
    TRY((int)WSAWaitForMultipleEvents(65, pair, FALSE, 0, FALSE));
    TRY_BOOL(WSACloseEvent(event));
    TRY((int)WSAWaitForMultipleEvents(1, pair, FALSE, 0, FALSE));
    TRY_BOOL(CreateIoCompletionPort((HANDLE)closed, NULL, 0, 0));
    TRY_BOOL(CreateIoCompletionPort((HANDLE)tcp, (HANDLE)0x7770, 0, 0));
    TRY_BOOL(GetQueuedCompletionStatus((HANDLE)0x7770, &count, &key, &done, 0));
    TRY_BOOL(PostQueuedCompletionStatus((HANDLE)0x7770, 0, 0, NULL));
    TRY_BOOL(CancelIoEx((HANDLE)closed, NULL));
}

int main(void)
{
    struct sockaddr_in address;
    WSADATA data;

    setvbuf(stdout, NULL, _IONBF, 0);
    TRY(socket(AF_INET, SOCK_STREAM, 0));
    TRY(WSACleanup());
    TELL(WSAStartup(MAKEWORD(2, 2), NULL));
    TELL(WSAStartup(0, &data));
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        return 1;
    }
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    closed = socket(AF_INET, SOCK_STREAM, 0);
    tcp = socket(AF_INET, SOCK_STREAM, 0);
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (SOCKADDR *)&address, sizeof(address)) != 0 || listen(listener, 5) != 0) {
        return 1;
    }
    closesocket(closed);

    puts("-- a handle that is none");
    handles(INVALID_SOCKET);
    puts("-- a closed socket");
    handles(closed);
    puts("-- null pointers and lengths");
    pointers();
    puts("-- the wrong state, the wrong type");
    states();
    puts("-- names");
    names();
    puts("-- events and ports");
    events();

    closesocket(tcp);
    closesocket(udp);
    closesocket(listener);
    TRY(WSACleanup());
    TRY(WSACleanup());
    return 0;
}
