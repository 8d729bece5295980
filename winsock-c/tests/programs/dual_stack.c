/*
 * A server for both families, as getaddrinfo() lists them: one socket for each address, and
 * select() over all. One client comes by each family that there is.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <string.h>

#pragma comment(lib, "ws2_32.lib")

static SOCKET g_listen[FD_SETSIZE];
static int g_family[FD_SETSIZE];
static char g_port[FD_SETSIZE][NI_MAXSERV];
static int g_count = 0;

static const char *FamilyName(int family)
{
    return family == AF_INET6 ? "PF_INET6" : family == AF_INET ? "PF_INET" : "unknown";
}

static void OpenAll(const char *host)
{
    ADDRINFOA hints, *list = NULL, *ai;
    int rc;

    memset(&hints, 0, sizeof(hints));
    hints.ai_family = PF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
    rc = getaddrinfo(host, "0", &hints, &list);
    if (rc != 0) {
        fprintf(stderr, "getaddrinfo failed with error %d: %s\n", rc, gai_strerrorA(rc));
        return;
    }
    for (ai = list; ai != NULL && g_count < FD_SETSIZE; ai = ai->ai_next) {
        SOCKADDR_STORAGE name;
        int length = sizeof(name);
        SOCKET s;

        if (ai->ai_family != PF_INET && ai->ai_family != PF_INET6)
            continue;
        s = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
        if (s == INVALID_SOCKET) {
            fprintf(stderr, "socket failed with error %d\n", WSAGetLastError());
            continue;
        }
        if (bind(s, ai->ai_addr, (int)ai->ai_addrlen) == SOCKET_ERROR
            || listen(s, 5) == SOCKET_ERROR
            || getsockname(s, (LPSOCKADDR)&name, &length) == SOCKET_ERROR
            || getnameinfo((LPSOCKADDR)&name, length, NULL, 0, g_port[g_count], NI_MAXSERV,
                           NI_NUMERICSERV) != 0) {
            fprintf(stderr, "bind failed with error %d\n", WSAGetLastError());
            closesocket(s);
            continue;
        }
        printf("listening on %s, protocol family %s\n", host, FamilyName(ai->ai_family));
        g_family[g_count] = ai->ai_family;
        g_listen[g_count++] = s;
    }
    freeaddrinfo(list);
}

static DWORD WINAPI Client(LPVOID param)
{
    int i = (int)(INT_PTR)param;
    const char *host = g_family[i] == PF_INET6 ? "::1" : "127.0.0.1";
    ADDRINFOA hints, *ai = NULL;
    char answer[64] = "";
    SOCKET s;
    int n = 0, got;

    memset(&hints, 0, sizeof(hints));
    hints.ai_family = PF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, g_port[i], &hints, &ai) != 0)
        return 1;
    s = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
    if (connect(s, ai->ai_addr, (int)ai->ai_addrlen) == SOCKET_ERROR)
        return 2;
    freeaddrinfo(ai);
    send(s, host, (int)strlen(host), 0);
    shutdown(s, SD_SEND);
    while ((got = recv(s, answer + n, sizeof(answer) - 1 - n, 0)) > 0)
        n += got;
    closesocket(s);
    return strcmp(answer, host) == 0 ? 0 : 3;
}

static void ServeOne(void)
{
    SOCKADDR_STORAGE from;
    int i, length = sizeof(from), amount;
    char buffer[64], host[NI_MAXHOST];
    SOCKET conn;
    FD_SET set;

    FD_ZERO(&set);
    for (i = 0; i < g_count; i++)
        FD_SET(g_listen[i], &set);
    if (select(g_count, &set, 0, 0, 0) == SOCKET_ERROR)
        return;
    for (i = 0; i < g_count && !FD_ISSET(g_listen[i], &set); i++)
        ;
    conn = accept(g_listen[i], (LPSOCKADDR)&from, &length);
    getnameinfo((LPSOCKADDR)&from, length, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
    printf("accepted connection from %s\n", host);
    while ((amount = recv(conn, buffer, sizeof(buffer), 0)) > 0) {
        printf("received %d bytes: [%.*s]\n", amount, amount, buffer);
        send(conn, buffer, amount, 0);
    }
    closesocket(conn);
}

int main(void)
{
    WSADATA wsa;
    HANDLE thread;
    DWORD code;
    int i;

    if (WSAStartup(MAKEWORD(2, 2), &wsa) != 0)
        return 1;
    OpenAll("127.0.0.1");
    OpenAll("::1");
    for (i = 0; i < g_count; i++) {
        thread = CreateThread(NULL, 0, Client, (LPVOID)(INT_PTR)i, 0, NULL);
        ServeOne();
        WaitForSingleObject(thread, INFINITE);
        GetExitCodeThread(thread, &code);
        printf("the client ends with %lu\n", (unsigned long)code);
        CloseHandle(thread);
    }
    for (i = 0; i < g_count; i++)
        closesocket(g_listen[i]);
    WSACleanup();
    return 0;
}
