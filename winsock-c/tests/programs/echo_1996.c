/*
 * A select echo server and three clients in one thread, in the C of 1996: Hungarian names, winsock
 * in capitals, one loop.
 */
#include <WINSOCK2.H>
#include <STDIO.H>
#include <stdlib.h>
#include <string.h>

#pragma comment(lib, "ws2_32.lib")

#define MAX_CONN   8
#define BUF_SIZE   256

typedef struct tagCONN
{
    SOCKET  sd;
    int     nBytes;
    char    szBuf[BUF_SIZE];
} CONN, FAR *LPCONN;

CONN g_aConn[MAX_CONN];
int  g_nConn = 0;

void Die(LPCSTR lpszWhere)
{
    printf("%s failed, error %d\n", lpszWhere, WSAGetLastError());
    WSACleanup();
    exit(1);
}

SOCKET MakeListener(LPSOCKADDR_IN psin)
{
    SOCKET sdListen;
    int    cbAddr = sizeof(SOCKADDR_IN);
    u_long ulNonBlock = 1;

    sdListen = socket(PF_INET, SOCK_STREAM, 0);
    if (sdListen == INVALID_SOCKET)
        Die("socket()");

    memset(psin, 0, sizeof(SOCKADDR_IN));
    psin->sin_family = AF_INET;
    psin->sin_addr.S_un.S_addr = inet_addr("127.0.0.1");
    psin->sin_port = htons(0);
    if (bind(sdListen, (LPSOCKADDR)psin, sizeof(SOCKADDR_IN)) == SOCKET_ERROR)
        Die("bind()");
    if (listen(sdListen, SOMAXCONN) == SOCKET_ERROR)
        Die("listen()");
    if (getsockname(sdListen, (struct sockaddr FAR *)psin, &cbAddr) == SOCKET_ERROR)
        Die("getsockname()");
    if (ioctlsocket(sdListen, FIONBIO, &ulNonBlock) == SOCKET_ERROR)
        Die("ioctlsocket()");
    return sdListen;
}

BOOL ServeOnce(SOCKET sdListen)
{
    fd_set         fdsRead, fdsWrite;
    struct timeval tv = { 10, 0 };
    int            i, nReady, nRet;

    FD_ZERO(&fdsRead);
    FD_ZERO(&fdsWrite);
    FD_SET(sdListen, &fdsRead);
    for (i = 0; i < g_nConn; i++)
    {
        if (g_aConn[i].nBytes > 0)
            FD_SET(g_aConn[i].sd, &fdsWrite);
        else
            FD_SET(g_aConn[i].sd, &fdsRead);
    }

    nReady = select(0, &fdsRead, &fdsWrite, (fd_set FAR *)NULL, &tv);
    if (nReady == SOCKET_ERROR)
        Die("select()");
    if (nReady == 0)
        return FALSE;

    if (FD_ISSET(sdListen, &fdsRead) && g_nConn < MAX_CONN)
    {
        SOCKADDR_IN sinPeer;
        int         cbPeer = sizeof(sinPeer);
        LPCONN      lpConn = &g_aConn[g_nConn];

        lpConn->sd = accept(sdListen, (LPSOCKADDR)&sinPeer, &cbPeer);
        lpConn->nBytes = 0;
        if (lpConn->sd != INVALID_SOCKET)
        {
            g_nConn++;
            printf("server: connection from %s\n", inet_ntoa(sinPeer.sin_addr));
        }
    }

    for (i = 0; i < g_nConn; i++)
    {
        LPCONN lpConn = &g_aConn[i];
        if (FD_ISSET(lpConn->sd, &fdsRead))
        {
            nRet = recv(lpConn->sd, lpConn->szBuf, BUF_SIZE, 0);
            if (nRet <= 0)
            {
                printf("server: connection closed\n");
                closesocket(lpConn->sd);
                g_aConn[i--] = g_aConn[--g_nConn];
                continue;
            }
            lpConn->nBytes = nRet;
        }
        else if (FD_ISSET(lpConn->sd, &fdsWrite))
        {
            nRet = send(lpConn->sd, lpConn->szBuf, lpConn->nBytes, 0);
            if (nRet == SOCKET_ERROR && WSAGetLastError() != WSAEWOULDBLOCK)
                Die("send()");
            lpConn->nBytes = 0;
        }
    }
    return TRUE;
}

int main(int argc, char **argv)
{
    WSADATA     wsaData;
    WORD        wVersionRequested = MAKEWORD(2, 0);
    SOCKADDR_IN sinServer;
    SOCKET      sdListen, asdClient[3];
    int         i, nRet;

    if (WSAStartup(wVersionRequested, &wsaData) != 0)
    {
        printf("Could not find Windows Sockets DLL.\n");
        return 1;
    }
    if (LOBYTE(wsaData.wVersion) != 2 || HIBYTE(wsaData.wVersion) != 0)
        Die("version check");
    printf("using Winsock %d.%d\n", LOBYTE(wsaData.wVersion), HIBYTE(wsaData.wVersion));

    sdListen = MakeListener(&sinServer);
    for (i = 0; i < 3; i++)
    {
        asdClient[i] = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
        if (connect(asdClient[i], (LPSOCKADDR)&sinServer, sizeof(sinServer)) == SOCKET_ERROR)
            Die("connect()");
        while (g_nConn <= i)
            if (!ServeOnce(sdListen))
                Die("accepting");
    }

    for (i = 0; i < 3; i++)
    {
        char szText[BUF_SIZE];
        int  cb;
        u_long ulWaiting = 0;

        wsprintf(szText, "line %d of %s", i + 1, "text");
        cb = lstrlen(szText);
        send(asdClient[i], szText, cb, 0);
        do
        {
            ServeOnce(sdListen);
            if (ioctlsocket(asdClient[i], FIONREAD, &ulWaiting) == SOCKET_ERROR)
                Die("FIONREAD");
        } while (ulWaiting < (u_long)cb);
        nRet = recv(asdClient[i], szText, sizeof(szText), 0);
        printf("client %d: %d bytes back: %.*s\n", i + 1, nRet, nRet, szText);
    }

    for (i = 0; i < 3; i++)
        closesocket(asdClient[i]);
    while (g_nConn > 0)
        ServeOnce(sdListen);
    closesocket(sdListen);
    WSACleanup();
    return 0;
}
