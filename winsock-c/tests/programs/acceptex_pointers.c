/* AcceptEx on a completion port, its address and GetAcceptExSockaddrs' fetched by WSAIoctl. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <stdio.h>
#include <stdlib.h>

#pragma comment(lib, "ws2_32.lib")
#pragma comment(lib, "mswsock.lib")

#define MAX_POST_ACCEPT 4
#define MAX_BUFFER_LEN  1024

typedef enum { OP_ACCEPT = 1, OP_RECV, OP_SEND } OPERATION_TYPE;

typedef struct _PER_IO_CONTEXT {
    OVERLAPPED     m_Overlapped;
    SOCKET         m_sockAccept;
    WSABUF         m_wsaBuf;
    char           m_szBuffer[MAX_BUFFER_LEN];
    OPERATION_TYPE m_OpType;
} PER_IO_CONTEXT, *PPER_IO_CONTEXT;

static LPFN_ACCEPTEX             lpfnAcceptEx;
static LPFN_GETACCEPTEXSOCKADDRS lpfnGetAcceptExSockAddrs;
static SOCKET                    sListen;
static HANDLE                    hPort;

static BOOL PostAccept(PPER_IO_CONTEXT pIo)
{
    DWORD dwBytes = 0;
    memset(&pIo->m_Overlapped, 0, sizeof(OVERLAPPED));
    pIo->m_OpType = OP_ACCEPT;
    pIo->m_sockAccept = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (INVALID_SOCKET == pIo->m_sockAccept)
        return FALSE;
    if (FALSE == lpfnAcceptEx(sListen, pIo->m_sockAccept, pIo->m_szBuffer,
                              MAX_BUFFER_LEN - ((sizeof(SOCKADDR_IN) + 16) * 2),
                              sizeof(SOCKADDR_IN) + 16, sizeof(SOCKADDR_IN) + 16, &dwBytes,
                              &pIo->m_Overlapped))
    {
        if (WSA_IO_PENDING != WSAGetLastError())
        {
            printf("AcceptEx: %d\n", WSAGetLastError());
            return FALSE;
        }
    }
    return TRUE;
}

static void DoAccept(PPER_IO_CONTEXT pIo, DWORD dwBytes)
{
    SOCKADDR_IN *ClientAddr = NULL, *LocalAddr = NULL, Peer;
    int remoteLen = sizeof(SOCKADDR_IN), localLen = sizeof(SOCKADDR_IN), peerLen = sizeof(Peer);

    lpfnGetAcceptExSockAddrs(pIo->m_szBuffer, MAX_BUFFER_LEN - ((sizeof(SOCKADDR_IN) + 16) * 2),
                             sizeof(SOCKADDR_IN) + 16, sizeof(SOCKADDR_IN) + 16,
                             (LPSOCKADDR *)&LocalAddr, &localLen, (LPSOCKADDR *)&ClientAddr,
                             &remoteLen);
    printf("client %s, %u bytes at once: %.*s\n", inet_ntoa(ClientAddr->sin_addr), dwBytes,
           (int)dwBytes, pIo->m_szBuffer);
    setsockopt(pIo->m_sockAccept, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&sListen,
               sizeof(sListen));
    peerLen = sizeof(Peer);
    printf("getpeername after: %d, ", getpeername(pIo->m_sockAccept, (SOCKADDR *)&Peer, &peerLen));
    printf("ports %s\n", Peer.sin_port == ClientAddr->sin_port ? "agree" : "differ");
    CreateIoCompletionPort((HANDLE)pIo->m_sockAccept, hPort, (ULONG_PTR)pIo->m_sockAccept, 0);
    memset(&pIo->m_Overlapped, 0, sizeof(OVERLAPPED));
    pIo->m_OpType = OP_SEND;
    pIo->m_wsaBuf.buf = pIo->m_szBuffer;
    pIo->m_wsaBuf.len = dwBytes;
    if (WSASend(pIo->m_sockAccept, &pIo->m_wsaBuf, 1, NULL, 0, &pIo->m_Overlapped, NULL) != 0 &&
        WSAGetLastError() != WSA_IO_PENDING)
        printf("WSASend: %d\n", WSAGetLastError());
}

int main()
{
    GUID GuidAcceptEx = WSAID_ACCEPTEX;
    GUID GuidGetAcceptExSockAddrs = WSAID_GETACCEPTEXSOCKADDRS;
    GUID GuidNone = { 1, 2, 3, { 4, 5, 6, 7, 8, 9, 10, 11 } };
    WSADATA wsaData;
    SOCKADDR_IN ServerAddress;
    int i, len = sizeof(ServerAddress), ended = 0;
    DWORD dwBytes = 0;
    void *pNone = NULL;
    PPER_IO_CONTEXT apIo[MAX_POST_ACCEPT];

    WSAStartup(MAKEWORD(2, 2), &wsaData);
    hPort = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    sListen = WSASocket(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    CreateIoCompletionPort((HANDLE)sListen, hPort, (ULONG_PTR)sListen, 0);
    ZeroMemory((char *)&ServerAddress, sizeof(ServerAddress));
    ServerAddress.sin_family = AF_INET;
    ServerAddress.sin_addr.s_addr = inet_addr("127.0.0.1");
    bind(sListen, (struct sockaddr *)&ServerAddress, sizeof(ServerAddress));
    listen(sListen, SOMAXCONN);
    getsockname(sListen, (struct sockaddr *)&ServerAddress, &len);

    if (SOCKET_ERROR == WSAIoctl(sListen, SIO_GET_EXTENSION_FUNCTION_POINTER, &GuidAcceptEx,
                                 sizeof(GuidAcceptEx), &lpfnAcceptEx, sizeof(lpfnAcceptEx),
                                 &dwBytes, NULL, NULL))
        return 1;
    printf("a pointer of %u bytes\n", dwBytes == sizeof(void *) ? 8 : dwBytes);
    if (SOCKET_ERROR == WSAIoctl(sListen, SIO_GET_EXTENSION_FUNCTION_POINTER,
                                 &GuidGetAcceptExSockAddrs, sizeof(GuidGetAcceptExSockAddrs),
                                 &lpfnGetAcceptExSockAddrs, sizeof(lpfnGetAcceptExSockAddrs),
                                 &dwBytes, NULL, NULL))
        return 1;
    i = WSAIoctl(sListen, SIO_GET_EXTENSION_FUNCTION_POINTER, &GuidNone, sizeof(GuidNone), &pNone,
                 sizeof(pNone), &dwBytes, NULL, NULL);
    printf("no such function: %d, %d\n", i, WSAGetLastError());

    for (i = 0; i < MAX_POST_ACCEPT; i++)
    {
        apIo[i] = (PPER_IO_CONTEXT)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(**apIo));
        if (!PostAccept(apIo[i]))
            return 1;
    }
    for (i = 0; i < 2; i++)
    {
        ULONG_PTR key = 0;
        OVERLAPPED *pOverlapped = NULL;
        char szText[64];
        int n;
        SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
        connect(s, (struct sockaddr *)&ServerAddress, sizeof(ServerAddress));
        n = sprintf(szText, "hello %d", i);
        send(s, szText, n, 0);
        for (;;)
        {
            BOOL bOk = GetQueuedCompletionStatus(hPort, &dwBytes, &key, &pOverlapped, 20000);
            PPER_IO_CONTEXT pIo = CONTAINING_RECORD(pOverlapped, PER_IO_CONTEXT, m_Overlapped);
            if (!bOk)
                return 1;
            if (pIo->m_OpType == OP_ACCEPT)
            {
                DoAccept(pIo, dwBytes);
                continue;
            }
            printf("sent %u bytes, key %s\n", dwBytes, key == pIo->m_sockAccept ? "right" : "wrong");
            break;
        }
        n = recv(s, szText, sizeof(szText), 0);
        printf("echo: %.*s\n", n, szText);
        closesocket(s);
    }
    closesocket(sListen);
    while (ended < MAX_POST_ACCEPT - 2)
    {
        ULONG_PTR key;
        OVERLAPPED *pOverlapped = NULL;
        if (GetQueuedCompletionStatus(hPort, &dwBytes, &key, &pOverlapped, 20000) || !pOverlapped)
            return 1;
        printf("accept ended with %u\n", GetLastError());
        ended++;
    }
    for (i = 0; i < MAX_POST_ACCEPT; i++)
    {
        closesocket(apIo[i]->m_sockAccept);
        HeapFree(GetProcessHeap(), 0, apIo[i]);
    }
    CloseHandle(hPort);
    WSACleanup();
    return 0;
}
