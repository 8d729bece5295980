/* WSAAccept with a condition function that rejects every second caller, and one that puts off. */
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>

static int nCalls;

int CALLBACK ConditionAcceptFunc(LPWSABUF lpCallerId, LPWSABUF lpCallerData, LPQOS pQos,
                                 LPQOS lpGQOS, LPWSABUF lpCalleeId, LPWSABUF lpCalleeData,
                                 GROUP FAR *g, DWORD_PTR dwCallbackData)
{
    SOCKADDR_IN *pCaller = (SOCKADDR_IN *)lpCallerId->buf;

    (void)lpCallerData; (void)pQos; (void)lpGQOS; (void)lpCalleeId; (void)lpCalleeData; (void)g;
    nCalls++;
    printf("condition: caller %s, data %u\n", inet_ntoa(pCaller->sin_addr),
           (unsigned)dwCallbackData);
    switch (dwCallbackData)
    {
    case 0:  return CF_REJECT;
    case 1:  return CF_DEFER;
    default: return CF_ACCEPT;
    }
}

int __cdecl main(void)
{
    WSADATA wsaData;
    SOCKET ListenSocket, Client, Server;
    struct sockaddr_in service, saClient;
    int iClientSize, n, iLen = sizeof(service);
    char Byte;
    u_long ulNonBlocking = 1;

    if (WSAStartup(MAKEWORD(2, 2), &wsaData) != NO_ERROR) {
        printf("Error at WSAStartup().\n");
        return 1;
    }
    ListenSocket = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    service.sin_family = AF_INET;
    service.sin_addr.s_addr = inet_addr("127.0.0.1");
    service.sin_port = htons(0);
    if (bind(ListenSocket, (SOCKADDR *) & service, sizeof (service)) == SOCKET_ERROR) {
        printf("bind failed with error: %u\n", WSAGetLastError());
        return 1;
    }
    getsockname(ListenSocket, (SOCKADDR *) & service, &iLen);
    listen(ListenSocket, 2);

    /* rejected */
    Client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    connect(Client, (SOCKADDR *) & service, sizeof(service));
    iClientSize = sizeof(saClient);
    Server = WSAAccept(ListenSocket, (SOCKADDR *) & saClient, &iClientSize, &ConditionAcceptFunc, 0);
    printf("rejected: %s, error %d\n", Server == INVALID_SOCKET ? "no socket" : "a socket",
           WSAGetLastError());
    n = recv(Client, &Byte, 1, 0);
    printf("its caller: %s\n", n <= 0 ? "is cut off" : "receives");
    closesocket(Client);

    /* put off, and taken the second time */
    Client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    connect(Client, (SOCKADDR *) & service, sizeof(service));
    Server = WSAAccept(ListenSocket, NULL, NULL, &ConditionAcceptFunc, 1);
    printf("deferred: %s, error %d\n", Server == INVALID_SOCKET ? "no socket" : "a socket",
           WSAGetLastError());
    iClientSize = sizeof(saClient);
    Server = WSAAccept(ListenSocket, (SOCKADDR *) & saClient, &iClientSize, &ConditionAcceptFunc, 2);
    printf("accepted: %s, %d bytes of address\n",
           Server == INVALID_SOCKET ? "no socket" : "a socket", iClientSize);
    send(Server, "!", 1, 0);
    n = recv(Client, &Byte, 1, 0);
    printf("its caller has %d: %c\n", n, Byte);
    closesocket(Server);
    closesocket(Client);

    ioctlsocket(ListenSocket, FIONBIO, &ulNonBlocking);
    Server = WSAAccept(ListenSocket, NULL, NULL, &ConditionAcceptFunc, 2);
    printf("nobody there: %s, error %d\n", Server == INVALID_SOCKET ? "no socket" : "a socket",
           WSAGetLastError());
    printf("%d calls\n", nCalls);
    closesocket(ListenSocket);
    WSACleanup();
    return 0;
}
