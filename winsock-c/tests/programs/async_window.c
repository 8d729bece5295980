/*
 * WinMain, a window class, a window procedure, and WSAAsyncSelect on every socket: an echo server
 * and its client as two kinds of messages to one window.
 */
#include <windows.h>
#include <winsock.h>
#include <stdio.h>
#include <stdlib.h>

#define WM_SERVER   (WM_USER + 1)
#define WM_CLIENT   (WM_USER + 2)
#define IDT_GUARD   1

static const char szClassName[] = "AsyncEchoClass";
static SOCKET sListen, sServer = INVALID_SOCKET, sClient;
static char   szEcho[64];
static int    nEchoLen;

static const char *EventName(WORD wEvent)
{
    switch (wEvent)
    {
    case FD_READ:    return "FD_READ";
    case FD_WRITE:   return "FD_WRITE";
    case FD_ACCEPT:  return "FD_ACCEPT";
    case FD_CONNECT: return "FD_CONNECT";
    case FD_CLOSE:   return "FD_CLOSE";
    default:         return "?";
    }
}

static LRESULT OnServer(HWND hWnd, SOCKET s, WORD wEvent, WORD wError)
{
    char buf[64];
    int  n;

    if (wEvent != FD_WRITE)
        printf("server %s, error %d\n", EventName(wEvent), wError);
    switch (wEvent)
    {
    case FD_ACCEPT:
        sServer = accept(s, NULL, NULL);
        if (sServer == INVALID_SOCKET)
        {
            MessageBox(hWnd, "accept failed", "Error", MB_OK | MB_ICONERROR);
            break;
        }
        WSAAsyncSelect(sServer, hWnd, WM_SERVER, FD_READ | FD_WRITE | FD_CLOSE);
        break;
    case FD_READ:
        n = recv(s, buf, sizeof buf, 0);
        if (n > 0)
            send(s, buf, n, 0);
        break;
    case FD_CLOSE:
        closesocket(s);
        PostMessage(hWnd, WM_CLOSE, 0, 0);
        break;
    }
    return 0;
}

static LRESULT OnClient(HWND hWnd, SOCKET s, WORD wEvent, WORD wError)
{
    int n;

    (void)hWnd;
    if (wEvent != FD_READ)
        printf("client %s, error %d\n", EventName(wEvent), wError);
    switch (wEvent)
    {
    case FD_WRITE:
        send(s, "a message for a message", 23, 0);
        break;
    case FD_READ:
        n = recv(s, szEcho + nEchoLen, (int)sizeof szEcho - nEchoLen, 0);
        if (n > 0)
            nEchoLen += n;
        if (nEchoLen == 23)
        {
            printf("client has \"%.*s\"\n", nEchoLen, szEcho);
            closesocket(s);
        }
        break;
    }
    return 0;
}

LRESULT CALLBACK WndProc(HWND hWnd, UINT uMsg, WPARAM wParam, LPARAM lParam)
{
    switch (uMsg)
    {
    case WM_CREATE:
        printf("WM_CREATE, parameter %s\n",
               (char *)((LPCREATESTRUCT)lParam)->lpCreateParams);
        return 0;
    case WM_SERVER:
        return OnServer(hWnd, (SOCKET)wParam, WSAGETSELECTEVENT(lParam), WSAGETSELECTERROR(lParam));
    case WM_CLIENT:
        return OnClient(hWnd, (SOCKET)wParam, WSAGETSELECTEVENT(lParam), WSAGETSELECTERROR(lParam));
    case WM_TIMER:
        printf("nothing happened for too long\n");
        DestroyWindow(hWnd);
        return 0;
    case WM_CLOSE:
        printf("WM_CLOSE\n");
        DestroyWindow(hWnd);
        return 0;
    case WM_DESTROY:
        KillTimer(hWnd, IDT_GUARD);
        PostQuitMessage(7);
        return 0;
    }
    return DefWindowProc(hWnd, uMsg, wParam, lParam);
}

int APIENTRY WinMain(HINSTANCE hInstance, HINSTANCE hPrevInstance, LPSTR lpCmdLine, int nCmdShow)
{
    WNDCLASS    wc;
    HWND        hWnd;
    MSG         msg;
    WSADATA     wsa;
    SOCKADDR_IN addr;
    int         len = sizeof addr;

    if (hPrevInstance != NULL)
        return 1;
    if (WSAStartup(MAKEWORD(1, 1), &wsa))
        return 1;

    wc.style = CS_HREDRAW | CS_VREDRAW;
    wc.lpfnWndProc = WndProc;
    wc.cbClsExtra = 0;
    wc.cbWndExtra = 0;
    wc.hInstance = hInstance;
    wc.hIcon = LoadIcon(NULL, IDI_APPLICATION);
    wc.hCursor = LoadCursor(NULL, IDC_ARROW);
    wc.hbrBackground = (HBRUSH)(COLOR_WINDOW + 1);
    wc.lpszMenuName = NULL;
    wc.lpszClassName = szClassName;
    if (!RegisterClass(&wc))
        return 1;
    hWnd = CreateWindow(szClassName, "Echo", WS_OVERLAPPEDWINDOW, CW_USEDEFAULT, CW_USEDEFAULT,
                        320, 200, NULL, NULL, hInstance, (LPVOID)"hello");
    if (hWnd == NULL)
        return 1;
    ShowWindow(hWnd, nCmdShow);
    UpdateWindow(hWnd);
    SetTimer(hWnd, IDT_GUARD, 15000, NULL);

    sListen = socket(AF_INET, SOCK_STREAM, 0);
    memset(&addr, 0, sizeof addr);
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(sListen, (LPSOCKADDR)&addr, sizeof addr);
    listen(sListen, 5);
    getsockname(sListen, (LPSOCKADDR)&addr, &len);
    WSAAsyncSelect(sListen, hWnd, WM_SERVER, FD_ACCEPT);

    sClient = socket(AF_INET, SOCK_STREAM, 0);
    WSAAsyncSelect(sClient, hWnd, WM_CLIENT, FD_CONNECT | FD_READ | FD_WRITE | FD_CLOSE);
    if (connect(sClient, (LPSOCKADDR)&addr, sizeof addr) != SOCKET_ERROR ||
        WSAGetLastError() != WSAEWOULDBLOCK)
        printf("connect: %d\n", WSAGetLastError());

    while (GetMessage(&msg, NULL, 0, 0))
    {
        TranslateMessage(&msg);
        DispatchMessage(&msg);
    }
    printf("quit with %d, arguments \"%s\"\n", (int)msg.wParam, lpCmdLine);
    closesocket(sListen);
    WSACleanup();
    return msg.wParam == 7 ? 0 : 1;
}
