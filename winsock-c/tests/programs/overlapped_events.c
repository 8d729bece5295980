/*
 * Overlapped receives and sends with an event each; the answer by WSAGetOverlappedResult, by
 * HasOverlappedIoCompleted, and after a cancel.
 */
#define _WINSOCK_DEPRECATED_NO_WARNINGS
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>

typedef struct _CONNECTION {
    SOCKET         Socket;
    WSAOVERLAPPED  RecvOverlapped;
    WSAOVERLAPPED  SendOverlapped;
    WSABUF         RecvBuf[2];
    CHAR           Head[4];
    CHAR           Body[60];
} CONNECTION, *PCONNECTION;

static void Pair(SOCKET *a, SOCKET *b)
{
    SOCKET l = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    SOCKADDR_IN sin;
    INT cb = sizeof sin;
    ZeroMemory(&sin, sizeof sin);
    sin.sin_family = AF_INET;
    sin.sin_addr.S_un.S_un_b.s_b1 = 127;
    sin.sin_addr.S_un.S_un_b.s_b4 = 1;
    bind(l, (PSOCKADDR)&sin, cb);
    listen(l, 1);
    getsockname(l, (PSOCKADDR)&sin, &cb);
    *a = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    WSAConnect(*a, (PSOCKADDR)&sin, sizeof sin, NULL, NULL, NULL, NULL);
    *b = accept(l, NULL, NULL);
    closesocket(l);
}

int __cdecl main(int argc, char **argv)
{
    WSADATA Data;
    CONNECTION c = {0};
    SOCKET peer;
    DWORD cbTransferred, dwFlags = 0, dwWait;
    int err;

    if (WSAStartup(MAKEWORD(2, 2), &Data)) {
        fprintf(stderr, "no Winsock\n");
        return 1;
    }
    Pair(&c.Socket, &peer);
    c.RecvOverlapped.hEvent = WSACreateEvent();
    c.SendOverlapped.hEvent = CreateEvent(NULL, TRUE, FALSE, NULL);
    c.RecvBuf[0].buf = c.Head; c.RecvBuf[0].len = sizeof c.Head;
    c.RecvBuf[1].buf = c.Body; c.RecvBuf[1].len = sizeof c.Body;

    err = WSARecv(c.Socket, c.RecvBuf, 2, &cbTransferred, &dwFlags, &c.RecvOverlapped, NULL);
    printf("receive posted: %d, %d\n", err, err ? WSAGetLastError() : 0);
    printf("completed: %d\n", HasOverlappedIoCompleted(&c.RecvOverlapped) ? 1 : 0);
    if (!WSAGetOverlappedResult(c.Socket, &c.RecvOverlapped, &cbTransferred, FALSE, &dwFlags))
        printf("result now: %d\n", WSAGetLastError());
    dwWait = WSAWaitForMultipleEvents(1, &c.RecvOverlapped.hEvent, TRUE, 20, FALSE);
    printf("wait: %s\n", dwWait == WSA_WAIT_TIMEOUT ? "timeout" : "?");

    send(peer, "HEADthe body", 12, 0);
    dwWait = WSAWaitForMultipleEvents(1, &c.RecvOverlapped.hEvent, TRUE, WSA_INFINITE, FALSE);
    printf("wait: %u\n", dwWait - WSA_WAIT_EVENT_0);
    if (WSAGetOverlappedResult(c.Socket, &c.RecvOverlapped, &cbTransferred, FALSE, &dwFlags))
        printf("received %u: %.4s, %.*s; flags %u\n", cbTransferred, c.Head,
               (int)cbTransferred - 4, c.Body, dwFlags);

    WSAResetEvent(c.RecvOverlapped.hEvent);
    WSARecv(c.Socket, c.RecvBuf, 2, NULL, &dwFlags, &c.RecvOverlapped, NULL);
    {
        WSABUF out[3] = { { 6, "three " }, { 8, "buffers " }, { 5, "there" } };
        char back[32];
        err = WSASend(c.Socket, out, 3, NULL, 0, &c.SendOverlapped, NULL);
        if (err == 0 || WSAGetLastError() == WSA_IO_PENDING)
            WSAGetOverlappedResult(c.Socket, &c.SendOverlapped, &cbTransferred, TRUE, &dwFlags);
        printf("sent %u\n", cbTransferred);
        printf("event of the send: %u\n", WaitForSingleObject(c.SendOverlapped.hEvent, 0));
        err = recv(peer, back, sizeof back, 0);
        printf("peer has %d: %.*s\n", err, err, back);
    }

    CancelIo((HANDLE)c.Socket);
    if (!WSAGetOverlappedResult(c.Socket, &c.RecvOverlapped, &cbTransferred, TRUE, &dwFlags))
        printf("cancelled: %d, %u bytes\n", WSAGetLastError(), cbTransferred);

    WSAResetEvent(c.RecvOverlapped.hEvent);
    WSARecv(c.Socket, c.RecvBuf, 2, NULL, &dwFlags, &c.RecvOverlapped, NULL);
    shutdown(peer, SD_SEND);
    if (WSAGetOverlappedResult(c.Socket, &c.RecvOverlapped, &cbTransferred, TRUE, &dwFlags))
        printf("end of stream: %u bytes\n", cbTransferred);

    WSACloseEvent(c.RecvOverlapped.hEvent);
    CloseHandle(c.SendOverlapped.hEvent);
    closesocket(peer);
    closesocket(c.Socket);
    printf("cleanup: %d\n", WSACleanup());
    printf("once more: %d\n", WSACleanup() == SOCKET_ERROR ? WSAGetLastError() : 0);
    return 0;
}
