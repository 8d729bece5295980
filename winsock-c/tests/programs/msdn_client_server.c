// The pair of the getting-started guide in one process: getaddrinfo with hints, iResult checked
// after each call, a server thread that echoes until the client shuts down its sending side.
#define WIN32_LEAN_AND_MEAN

#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>
#include <stdlib.h>
#include <stdio.h>

// Need to link with Ws2_32.lib, Mswsock.lib, and Advapi32.lib
#pragma comment (lib, "Ws2_32.lib")
#pragma comment (lib, "Mswsock.lib")

#define DEFAULT_BUFLEN 512

static char ListenPort[NI_MAXSERV];

DWORD WINAPI ServerThread(LPVOID lpParam)
{
    SOCKET ListenSocket = (SOCKET) lpParam;
    SOCKET ClientSocket = INVALID_SOCKET;
    int iResult, iSendResult;
    char recvbuf[DEFAULT_BUFLEN];
    int recvbuflen = DEFAULT_BUFLEN;

    ClientSocket = accept(ListenSocket, NULL, NULL);
    if (ClientSocket == INVALID_SOCKET) {
        printf("accept failed with error: %d\n", WSAGetLastError());
        return 1;
    }

    // Receive until the peer shuts down the connection
    do {
        iResult = recv(ClientSocket, recvbuf, recvbuflen, 0);
        if (iResult > 0) {
            iSendResult = send(ClientSocket, recvbuf, iResult, 0);
            if (iSendResult == SOCKET_ERROR) {
                printf("send failed with error: %d\n", WSAGetLastError());
                closesocket(ClientSocket);
                return 1;
            }
        }
        else if (iResult < 0) {
            printf("recv failed with error: %d\n", WSAGetLastError());
            closesocket(ClientSocket);
            return 1;
        }
    } while (iResult > 0);

    iResult = shutdown(ClientSocket, SD_SEND);
    if (iResult == SOCKET_ERROR) {
        printf("shutdown failed with error: %d\n", WSAGetLastError());
        closesocket(ClientSocket);
        return 1;
    }
    closesocket(ClientSocket);
    return 0;
}

int __cdecl main(void)
{
    WSADATA wsaData;
    int iResult;
    SOCKET ListenSocket = INVALID_SOCKET;
    SOCKET ConnectSocket = INVALID_SOCKET;
    struct addrinfo *result = NULL, *ptr = NULL, hints;
    struct sockaddr_storage name;
    int namelen = sizeof(name);
    const char *sendbuf = "this is a test";
    char recvbuf[DEFAULT_BUFLEN];
    int total = 0;
    HANDLE hThread;
    DWORD dwThreadId, dwExit;

    // Initialize Winsock
    iResult = WSAStartup(MAKEWORD(2,2), &wsaData);
    if (iResult != 0) {
        printf("WSAStartup failed with error: %d\n", iResult);
        return 1;
    }

    ZeroMemory(&hints, sizeof(hints));
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_protocol = IPPROTO_TCP;
    hints.ai_flags = AI_NUMERICHOST;

    // Resolve the server address and port
    iResult = getaddrinfo("127.0.0.1", "0", &hints, &result);
    if (iResult != 0) {
        printf("getaddrinfo failed with error: %d\n", iResult);
        WSACleanup();
        return 1;
    }

    ListenSocket = socket(result->ai_family, result->ai_socktype, result->ai_protocol);
    if (ListenSocket == INVALID_SOCKET) {
        printf("socket failed with error: %ld\n", WSAGetLastError());
        freeaddrinfo(result);
        WSACleanup();
        return 1;
    }
    iResult = bind(ListenSocket, result->ai_addr, (int)result->ai_addrlen);
    if (iResult == SOCKET_ERROR) {
        printf("bind failed with error: %d\n", WSAGetLastError());
        freeaddrinfo(result);
        closesocket(ListenSocket);
        WSACleanup();
        return 1;
    }
    freeaddrinfo(result);
    iResult = listen(ListenSocket, SOMAXCONN);
    if (iResult == SOCKET_ERROR) {
        printf("listen failed with error: %d\n", WSAGetLastError());
        return 1;
    }
    getsockname(ListenSocket, (SOCKADDR *) &name, &namelen);
    iResult = getnameinfo((SOCKADDR *) &name, namelen, NULL, 0, ListenPort, NI_MAXSERV,
                          NI_NUMERICSERV);
    if (iResult != 0) {
        printf("getnameinfo failed with error: %d\n", iResult);
        return 1;
    }

    hThread = CreateThread(NULL, 0, ServerThread, (LPVOID) ListenSocket, 0, &dwThreadId);
    if (hThread == NULL) {
        printf("CreateThread failed with error: %d\n", GetLastError());
        return 1;
    }

    hints.ai_family = AF_UNSPEC;
    hints.ai_flags = 0;
    iResult = getaddrinfo("localhost", ListenPort, &hints, &result);
    if (iResult != 0) {
        printf("getaddrinfo failed with error: %d\n", iResult);
        return 1;
    }
    // Attempt to connect to an address until one succeeds
    for (ptr = result; ptr != NULL; ptr = ptr->ai_next) {
        ConnectSocket = socket(ptr->ai_family, ptr->ai_socktype, ptr->ai_protocol);
        if (ConnectSocket == INVALID_SOCKET)
            continue;
        iResult = connect(ConnectSocket, ptr->ai_addr, (int)ptr->ai_addrlen);
        if (iResult == SOCKET_ERROR) {
            closesocket(ConnectSocket);
            ConnectSocket = INVALID_SOCKET;
            continue;
        }
        break;
    }
    freeaddrinfo(result);
    if (ConnectSocket == INVALID_SOCKET) {
        printf("Unable to connect to server!\n");
        WSACleanup();
        return 1;
    }

    iResult = send(ConnectSocket, sendbuf, (int)strlen(sendbuf), 0);
    printf("Bytes Sent: %ld\n", iResult);
    iResult = shutdown(ConnectSocket, SD_SEND);
    if (iResult == SOCKET_ERROR)
        printf("shutdown failed with error: %d\n", WSAGetLastError());

    do {
        iResult = recv(ConnectSocket, recvbuf + total, DEFAULT_BUFLEN - total, 0);
        if (iResult > 0)
            total += iResult;
        else if (iResult == 0)
            printf("Connection closed\n");
        else
            printf("recv failed with error: %d\n", WSAGetLastError());
    } while (iResult > 0);
    printf("Bytes received: %d: %.*s\n", total, total, recvbuf);

    WaitForSingleObject(hThread, INFINITE);
    GetExitCodeThread(hThread, &dwExit);
    printf("Server thread returned %lu\n", dwExit);
    CloseHandle(hThread);
    closesocket(ConnectSocket);
    closesocket(ListenSocket);
    WSACleanup();
    return 0;
}
