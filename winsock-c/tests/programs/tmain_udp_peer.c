/* _tmain, UNICODE, _tprintf: two UDP peers with WSARecvFrom and WSASendTo, overlapped. */
/* Compile with -municode */
#define UNICODE
#define _UNICODE
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <tchar.h>
#include <stdio.h>
#include <strsafe.h>

#pragma comment(lib, "Ws2_32.lib")

static void ShowAddress(LPCTSTR pszWho, SOCKADDR *pAddr, int cbAddr)
{
    TCHAR szAddr[64];
    DWORD cch = ARRAYSIZE(szAddr);

    ((SOCKADDR_IN *)pAddr)->sin_port = htons(7);
    if (WSAAddressToString(pAddr, cbAddr, NULL, szAddr, &cch) != 0)
        _tprintf(TEXT("WSAAddressToString failed: %d\n"), WSAGetLastError());
    else
        _tprintf(TEXT("%s: %s, %u characters\n"), pszWho, szAddr, cch);
}

static SOCKET MakePeer(SOCKADDR_IN *pAddr)
{
    SOCKET s = WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED);
    TCHAR szLoopback[] = _T("127.0.0.1");
    INT cb = sizeof(*pAddr);

    if (s == INVALID_SOCKET)
        return s;
    if (WSAStringToAddress(szLoopback, AF_INET, NULL, (SOCKADDR *)pAddr, &cb) != 0)
        _tprintf(_T("WSAStringToAddress failed: %d\n"), WSAGetLastError());
    if (bind(s, (SOCKADDR *)pAddr, sizeof(*pAddr)) == SOCKET_ERROR)
        _tprintf(_T("bind failed: %d\n"), WSAGetLastError());
    getsockname(s, (SOCKADDR *)pAddr, &cb);
    return s;
}

int _tmain(int argc, _TCHAR *argv[])
{
    WSADATA wsaData;
    SOCKET sOne, sTwo;
    SOCKADDR_IN addrOne, addrTwo, addrFrom;
    INT cbFrom = sizeof(addrFrom);
    WSAOVERLAPPED Overlapped = {0};
    WCHAR wszText[32] = L"", wszSmall[4];
    TCHAR szMessage[64];
    WSABUF Buf;
    DWORD cbDone = 0, dwFlags = 0;
    int i;

    (void)argv;
    if (WSAStartup(MAKEWORD(2, 2), &wsaData) != 0)
        return 1;
    _tprintf(_T("%d argument(s), %hs\n"), argc, wsaData.szDescription);
    sOne = MakePeer(&addrOne);
    sTwo = MakePeer(&addrTwo);

    Overlapped.hEvent = WSACreateEvent();
    for (i = 1; i <= 3; i++) {
        Buf.buf = (CHAR *)wszText;
        Buf.len = sizeof(wszText);
        dwFlags = 0;
        cbFrom = sizeof(addrFrom);
        WSAResetEvent(Overlapped.hEvent);
        if (WSARecvFrom(sTwo, &Buf, 1, NULL, &dwFlags, (SOCKADDR *)&addrFrom, &cbFrom,
                        &Overlapped, NULL) != SOCKET_ERROR ||
            WSAGetLastError() != WSA_IO_PENDING)
            _tprintf(_T("WSARecvFrom: %d\n"), WSAGetLastError());

        StringCchPrintf(szMessage, ARRAYSIZE(szMessage), TEXT("datagram %d, %s"), i, TEXT("wide"));
        Buf.buf = (CHAR *)szMessage;
        Buf.len = (ULONG)(lstrlen(szMessage) + 1) * sizeof(TCHAR);
        if (WSASendTo(sOne, &Buf, 1, &cbDone, 0, (SOCKADDR *)&addrTwo, sizeof(addrTwo), NULL,
                      NULL) == SOCKET_ERROR)
            _tprintf(_T("WSASendTo: %d\n"), WSAGetLastError());
        if (WSAWaitForMultipleEvents(1, &Overlapped.hEvent, TRUE, 10000, FALSE) != WSA_WAIT_EVENT_0)
            return 1;
        if (!WSAGetOverlappedResult(sTwo, &Overlapped, &cbDone, FALSE, &dwFlags))
            _tprintf(_T("WSAGetOverlappedResult: %d\n"), WSAGetLastError());
        _tprintf(_T("%u characters: %ls\n"), (UINT)(cbDone / sizeof(TCHAR)), wszText);
    }
    _tprintf(_T("sender is %s\n"),
             addrFrom.sin_port == addrOne.sin_port ? _T("the first peer") : _T("somebody else"));
    ShowAddress(_T("sender"), (SOCKADDR *)&addrFrom, cbFrom);

    Buf.buf = (CHAR *)"far too much";
    Buf.len = 12;
    WSASendTo(sTwo, &Buf, 1, &cbDone, 0, (SOCKADDR *)&addrOne, sizeof(addrOne), NULL, NULL);
    Buf.buf = (CHAR *)wszSmall;
    Buf.len = 3;
    dwFlags = 0;
    i = WSARecvFrom(sOne, &Buf, 1, &cbDone, &dwFlags, NULL, NULL, NULL, NULL);
    _tprintf(_T("a small buffer: %d, %d, \"%.3hs\"\n"), i, WSAGetLastError(), (char *)wszSmall);

    closesocket(sOne);
    closesocket(sTwo);
    WSACloseEvent(Overlapped.hEvent);
    WSACleanup();
    return 0;
}
