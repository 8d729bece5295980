/* A server as it is in a project for Windows: it serves one client of its own thread, and ends. */
#include <WinSock2.h>
#include <WS2tcpip.h>
#include <Windows.h>
#include <stdio.h>
#include <tchar.h>

#pragma comment(lib, "Ws2_32.lib")

static DWORD WINAPI Client(LPVOID address)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    connect(s, (struct sockaddr *)address, sizeof(struct sockaddr_in));
    send(s, "hello", 5, 0);
    closesocket(s);
    return 0;
}

int _tmain(int argc, _TCHAR *argv[])
{
    WSADATA data;
    struct sockaddr_in address = {0};
    int length = sizeof address;
    char buffer[16];
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, SOMAXCONN);
    getsockname(listener, (struct sockaddr *)&address, &length);
    HANDLE client = CreateThread(NULL, 0, Client, &address, 0, NULL);
    SOCKET s = accept(listener, NULL, NULL);
    int got = recv(s, buffer, sizeof buffer, MSG_WAITALL);
    printf("%.*s, %d arguments, wchar_t of %d\n", got, buffer, argv[argc] == NULL ? argc : -1,
           (int)sizeof(wchar_t));
    WaitForSingleObject(client, INFINITE);
    CloseHandle(client);
    closesocket(s);
    closesocket(listener);
    WSACleanup();
    return 0;
}
