/* DisconnectEx with TF_REUSE_SOCKET: one socket serves three connections, accepted by AcceptEx. */
#include <winsock2.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>

#define ADDRESS_SIZE (sizeof(struct sockaddr_in) + 16)

static LPFN_DISCONNECTEX g_DisconnectEx;

static DWORD Finish(SOCKET s, OVERLAPPED *ov, BOOL ok, const char *what)
{
    DWORD bytes = 0, flags = 0;

    if (!ok && WSAGetLastError() != ERROR_IO_PENDING)
    {
        printf("%s: %d\n", what, WSAGetLastError());
        return 0;
    }
    if (!WSAGetOverlappedResult(s, ov, &bytes, TRUE, &flags))
        printf("%s ended with %d\n", what, WSAGetLastError());
    ResetEvent(ov->hEvent);
    return bytes;
}

int main(void)
{
    WSADATA wsa;
    SOCKET listener, served, client;
    struct sockaddr_in addr = { 0 };
    int len = sizeof(addr), round, n;
    GUID guid = WSAID_DISCONNECTEX;
    DWORD bytes;
    OVERLAPPED ov = { 0 };
    char addresses[2 * ADDRESS_SIZE], text[32];

    WSAStartup(MAKEWORD(2, 2), &wsa);
    listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&addr, sizeof(addr));
    listen(listener, 5);
    getsockname(listener, (struct sockaddr *)&addr, &len);
    served = WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (WSAIoctl(served, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &g_DisconnectEx,
                 sizeof(g_DisconnectEx), &bytes, NULL, NULL) == SOCKET_ERROR)
        return 1;
    ov.hEvent = CreateEvent(NULL, TRUE, FALSE, NULL);

    Finish(served, &ov, g_DisconnectEx(served, &ov, 0, 0), "DisconnectEx, not connected");
    for (round = 1; round <= 3; round++)
    {
        BOOL ok = AcceptEx(listener, served, addresses, 0, ADDRESS_SIZE, ADDRESS_SIZE, &bytes, &ov);
        if (!ok && WSAGetLastError() != ERROR_IO_PENDING)
        {
            printf("AcceptEx: %d\n", WSAGetLastError());
            return 1;
        }
        client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
        connect(client, (struct sockaddr *)&addr, sizeof(addr));
        Finish(listener, &ov, TRUE, "AcceptEx");
        setsockopt(served, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&listener,
                   sizeof(listener));
        n = sprintf(text, "round %d", round);
        send(client, text, n, 0);
        n = recv(served, text, sizeof(text), 0);
        printf("served: %.*s\n", n, text);
        shutdown(client, SD_SEND);
        printf("end of stream: %d\n", recv(served, text, sizeof(text), 0));
        Finish(served, &ov, g_DisconnectEx(served, &ov, TF_REUSE_SOCKET, 0), "DisconnectEx");
        printf("client sees: %d\n", recv(client, text, sizeof(text), 0));
        closesocket(client);
    }
    CloseHandle(ov.hEvent);
    closesocket(served);
    closesocket(listener);
    WSACleanup();
    return 0;
}
