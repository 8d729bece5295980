/*
 * An echo server by WSAAsyncSelect(): what happens to sockets comes as messages to a window, and so
 * one thread serves all clients, however many. The window is never shown.
 */
#include "echo.h"

/* wParam is the socket, lParam what happened to it. */
#define WM_SOCKET (WM_USER + 1)
#define BUCKETS   1024

typedef struct CLIENT {
    struct CLIENT *next;
    SOCKET socket;
    BOOL closed; /* The other end sends nothing more: what is here already is still received. */
    BOOL waited; /* It did not take an answer at once: an FD_READ may have been spent meanwhile. */
    int received, sent;
    char buffer[BUFFER_SIZE];
} CLIENT;

static SOCKET listener;
static HWND window;
static CLIENT *clients[BUCKETS];

/* What points to the client with this socket, or would. */
static CLIENT **find(SOCKET socket)
{
    CLIENT **link = &clients[socket / 4 % BUCKETS];

    while (*link != NULL && (*link)->socket != socket) {
        link = &(*link)->next;
    }
    return link;
}

static void free_client(CLIENT **link)
{
    CLIENT *client = *link;

    *link = client->next;
    closesocket(client->socket);
    free(client);
}

/*
 * Sends what is left and receives what is there, in turns, until one of the two has to wait: then
 * FD_WRITE or FD_READ follows. FALSE if the client has left.
 */
static BOOL turn(CLIENT *client)
{
    int count;

    for (;;) {
        if (client->received == 0) {
            count = recv(client->socket, client->buffer, BUFFER_SIZE, 0);
            if (count == 0) {
                return FALSE;
            }
            if (count != SOCKET_ERROR) {
                client->received = count;
            }
        } else {
            count = send(client->socket, client->buffer + client->sent,
                         client->received - client->sent, 0);
            if (count != SOCKET_ERROR) {
                client->sent += count;
            }
            if (client->sent == client->received) {
                client->sent = client->received = 0;
                /* What is more comes with the next FD_READ, which recv() has enabled. */
                if (!client->closed && !client->waited) {
                    return TRUE;
                }
            }
        }
        if (count == SOCKET_ERROR) {
            client->waited = client->received > 0;
            return WSAGetLastError() == WSAEWOULDBLOCK;
        }
    }
}

static void accept_client(void)
{
    SOCKET socket = accept(listener, NULL, NULL);
    CLIENT **link, *client;

    if (socket == INVALID_SOCKET) {
        /* FD_ACCEPT would come again at once; perhaps there is room for one more a little later. */
        if (WSAGetLastError() != WSAEWOULDBLOCK) {
            fprintf(stderr, "accept failed with error %d\n", WSAGetLastError());
            WSAAsyncSelect(listener, window, WM_SOCKET, 0);
            SetTimer(window, 1, RETRY_MS, NULL);
        }
        return;
    }
    client = allocate(sizeof(*client));
    client->socket = socket;
    link = find(socket);
    *link = client;
    /* It has inherited what the listener has selected. */
    if (WSAAsyncSelect(socket, window, WM_SOCKET, FD_READ | FD_WRITE | FD_CLOSE) == SOCKET_ERROR) {
        free_client(link);
    }
}

static void on_socket(SOCKET socket, LPARAM what)
{
    CLIENT **link;

    if (socket == listener) {
        accept_client();
        return;
    }
    link = find(socket);
    if (*link == NULL) {
        return; /* It has left since. */
    }
    /* Behind FD_CLOSE there is no FD_READ: then recv() has to tell of the end. */
    (*link)->closed |= WSAGETSELECTEVENT(what) == FD_CLOSE;
    if (WSAGETSELECTERROR(what) != 0 || !turn(*link)) {
        free_client(link);
    }
}

static LRESULT CALLBACK procedure(HWND hwnd, UINT message, WPARAM wparam, LPARAM lparam)
{
    switch (message) {
    case WM_SOCKET:
        on_socket((SOCKET)wparam, lparam);
        return 0;
    case WM_TIMER:
        KillTimer(hwnd, 1);
        WSAAsyncSelect(listener, hwnd, WM_SOCKET, FD_ACCEPT);
        return 0;
    case WM_DESTROY:
        PostQuitMessage(0);
        return 0;
    default:
        return DefWindowProcA(hwnd, message, wparam, lparam);
    }
}

static void stop(void)
{
    PostMessageA(window, WM_CLOSE, 0, 0);
}

int main(int argc, char **argv)
{
    WNDCLASSA class;
    MSG message;

    ZeroMemory(&class, sizeof(class));
    class.lpfnWndProc = procedure;
    class.lpszClassName = "echo";
    RegisterClassA(&class);
    window = CreateWindowA("echo", "echo", 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL);
    if (window == NULL) {
        fail("CreateWindow", (int)GetLastError());
    }
    listener = listen_at(argc, argv, "async-select");
    if (WSAAsyncSelect(listener, window, WM_SOCKET, FD_ACCEPT) == SOCKET_ERROR) {
        fail("WSAAsyncSelect", WSAGetLastError());
    }
    stop_at_ctrl_c();
    while (GetMessageA(&message, NULL, 0, 0) > 0) {
        DispatchMessageA(&message);
    }

    closesocket(listener);
    for (int i = 0; i < BUCKETS; i++) {
        while (clients[i] != NULL) {
            free_client(&clients[i]);
        }
    }
    WSACleanup();
    return 0;
}
