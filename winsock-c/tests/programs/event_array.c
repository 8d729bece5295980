/*
 * WSAEventSelect with parallel arrays of sockets and events, WSAEnumNetworkEvents and the error of
 * each event by its bit, until the array is empty again.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <stdio.h>
#include <stdlib.h>

SOCKET   SocketArray[WSA_MAXIMUM_WAIT_EVENTS];
WSAEVENT EventArray[WSA_MAXIMUM_WAIT_EVENTS];
DWORD    EventTotal = 0;

static BOOL AddSocket(SOCKET s, long lEvents)
{
    if (EventTotal == WSA_MAXIMUM_WAIT_EVENTS)
        return FALSE;
    if ((EventArray[EventTotal] = WSACreateEvent()) == WSA_INVALID_EVENT)
    {
        printf("WSACreateEvent() failed with error %d\n", WSAGetLastError());
        return FALSE;
    }
    if (WSAEventSelect(s, EventArray[EventTotal], lEvents) == SOCKET_ERROR)
    {
        printf("WSAEventSelect() failed with error %d\n", WSAGetLastError());
        return FALSE;
    }
    SocketArray[EventTotal++] = s;
    return TRUE;
}

static void RemoveSocket(DWORD Index)
{
    closesocket(SocketArray[Index]);
    WSACloseEvent(EventArray[Index]);
    for (EventTotal--; Index < EventTotal; Index++)
    {
        SocketArray[Index] = SocketArray[Index + 1];
        EventArray[Index] = EventArray[Index + 1];
    }
}

static DWORD WINAPI Client(LPVOID lpPort)
{
    struct sockaddr_in sa = { AF_INET };
    SOCKET s;
    char buf[32];
    int i, n;

    sa.sin_port = htons((u_short)(ULONG_PTR)lpPort);
    inet_pton(AF_INET, "127.0.0.1", &sa.sin_addr);
    for (i = 0; i < 3; i++)
    {
        s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
        if (connect(s, (struct sockaddr *)&sa, sizeof(sa)) == SOCKET_ERROR)
            return WSAGetLastError();
        n = sprintf(buf, "message %d", i);
        send(s, buf, n, 0);
        if (recv(s, buf, sizeof(buf), 0) != n)
            return 1;
        /* No next connection before the server has seen the end of this one */
        shutdown(s, SD_SEND);
        if (recv(s, buf, sizeof(buf), 0) != 0)
            return 2;
        closesocket(s);
    }
    return 0;
}

int main(void)
{
    WSADATA wsaData;
    WSANETWORKEVENTS NetworkEvents;
    struct sockaddr_in addr = { 0 };
    int len = sizeof(addr), n, closed = 0;
    SOCKET Listen, Accept;
    HANDLE hClient;
    DWORD Event, dwExit;
    char buf[128];

    if (WSAStartup(MAKEWORD(2,2), &wsaData) != 0)
        return 1;
    Listen = socket(PF_INET, SOCK_STREAM, 0);
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(Listen, (PSOCKADDR)&addr, sizeof(addr));
    getsockname(Listen, (PSOCKADDR)&addr, &len);
    if (!AddSocket(Listen, FD_ACCEPT | FD_CLOSE) || listen(Listen, 5) == SOCKET_ERROR)
        return 1;
    hClient = CreateThread(NULL, 0, Client, (LPVOID)(ULONG_PTR)ntohs(addr.sin_port), 0, NULL);

    while (closed < 3)
    {
        Event = WSAWaitForMultipleEvents(EventTotal, EventArray, FALSE, 20000, FALSE);
        if (Event == WSA_WAIT_FAILED || Event == WSA_WAIT_TIMEOUT)
        {
            printf("WSAWaitForMultipleEvents: %u, error %d\n", Event, WSAGetLastError());
            return 1;
        }
        Event -= WSA_WAIT_EVENT_0;
        if (WSAEnumNetworkEvents(SocketArray[Event], EventArray[Event], &NetworkEvents)
            == SOCKET_ERROR)
        {
            printf("WSAEnumNetworkEvents failed with error %d\n", WSAGetLastError());
            return 1;
        }
        if (NetworkEvents.lNetworkEvents & FD_ACCEPT)
        {
            if (NetworkEvents.iErrorCode[FD_ACCEPT_BIT] != 0)
            {
                printf("FD_ACCEPT failed with error %d\n", NetworkEvents.iErrorCode[FD_ACCEPT_BIT]);
                break;
            }
            if ((Accept = accept(SocketArray[Event], NULL, NULL)) == INVALID_SOCKET)
            {
                printf("accept() failed with error %d\n", WSAGetLastError());
                break;
            }
            if (!AddSocket(Accept, FD_READ | FD_WRITE | FD_CLOSE))
                break;
            printf("accepted\n");
        }
        if (NetworkEvents.lNetworkEvents & FD_READ)
        {
            if (NetworkEvents.iErrorCode[FD_READ_BIT] == 0)
            {
                n = recv(SocketArray[Event], buf, sizeof(buf), 0);
                if (n > 0)
                {
                    printf("read \"%.*s\"\n", n, buf);
                    send(SocketArray[Event], buf, n, 0);
                }
            }
        }
        if (NetworkEvents.lNetworkEvents & FD_CLOSE)
        {
            printf("closed with error %d\n", NetworkEvents.iErrorCode[FD_CLOSE_BIT]);
            RemoveSocket(Event);
            closed++;
        }
    }
    WaitForSingleObject(hClient, INFINITE);
    GetExitCodeThread(hClient, &dwExit);
    printf("client ended with %u, %u event left\n", dwExit, EventTotal);
    CloseHandle(hClient);
    RemoveSocket(0);
    WSACleanup();
    return 0;
}
