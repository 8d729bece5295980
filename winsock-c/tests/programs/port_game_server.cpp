// The skeleton of a game server on a completion port: PER_HANDLE_DATA, PER_IO_DATA found by
// CONTAINING_RECORD, AcceptEx through WSAIoctl, packets with a length and a type, four workers.
#define WIN32_LEAN_AND_MEAN
#include <Windows.h>
#include <WinSock2.h>
#include <MSWSock.h>
#include <process.h>
#include <stdio.h>
#include <string.h>

#pragma comment(lib, "ws2_32.lib")
#pragma comment(lib, "mswsock.lib")

enum IO_TYPE { IO_ACCEPT, IO_RECV, IO_SEND };

#pragma pack(push, 1)
struct PACKET_HEADER
{
    WORD size;
    BYTE type;
};
struct MOVE_PACKET
{
    PACKET_HEADER header;
    INT32 x;
    INT32 y;
};
#pragma pack(pop)

const BYTE C2S_MOVE = 1;
const BYTE S2C_MOVE = 2;
const int MAX_USERS = 4;
const int WORKERS = 4;

struct PER_IO_DATA
{
    IO_TYPE type;
    WSAOVERLAPPED overlapped;
    WSABUF wsabuf;
    SOCKET client;
    char buffer[256];
};
typedef PER_IO_DATA *LPPER_IO_DATA;

struct PER_HANDLE_DATA
{
    SOCKET socket;
    SOCKADDR_IN address;
    int received;
    INT32 x, y;
    char stream[512];
};
typedef PER_HANDLE_DATA *LPPER_HANDLE_DATA;

static HANDLE g_port;
static SOCKET g_listen;
static LPFN_ACCEPTEX g_acceptEx;
static LPFN_GETACCEPTEXSOCKADDRS g_getAcceptExSockaddrs;
static volatile LONG g_users, g_left, g_moves;
static HANDLE g_allLeft;

static void err_quit(const char *msg)
{
    printf("[%s] error %d\n", msg, WSAGetLastError());
    ExitProcess(1);
}

static void PostAccept()
{
    LPPER_IO_DATA io = new PER_IO_DATA;
    ZeroMemory(io, sizeof(*io));
    io->type = IO_ACCEPT;
    io->client = WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    DWORD bytes = 0;
    BOOL ok = g_acceptEx(g_listen, io->client, io->buffer, 0, sizeof(SOCKADDR_IN) + 16,
                         sizeof(SOCKADDR_IN) + 16, &bytes, &io->overlapped);
    if (!ok && WSAGetLastError() != ERROR_IO_PENDING)
        err_quit("AcceptEx");
}

static void PostRecv(LPPER_HANDLE_DATA handle, LPPER_IO_DATA io)
{
    DWORD flags = 0;
    ZeroMemory(&io->overlapped, sizeof(io->overlapped));
    io->type = IO_RECV;
    io->wsabuf.buf = io->buffer;
    io->wsabuf.len = sizeof(io->buffer);
    if (WSARecv(handle->socket, &io->wsabuf, 1, NULL, &flags, &io->overlapped, NULL) ==
            SOCKET_ERROR &&
        WSAGetLastError() != WSA_IO_PENDING)
        err_quit("WSARecv");
}

static void PostSend(LPPER_HANDLE_DATA handle, const void *data, int size)
{
    LPPER_IO_DATA io = new PER_IO_DATA;
    ZeroMemory(io, sizeof(*io));
    io->type = IO_SEND;
    memcpy(io->buffer, data, size);
    io->wsabuf.buf = io->buffer;
    io->wsabuf.len = size;
    DWORD sent;
    if (WSASend(handle->socket, &io->wsabuf, 1, &sent, 0, &io->overlapped, NULL) == SOCKET_ERROR &&
        WSAGetLastError() != WSA_IO_PENDING)
        err_quit("WSASend");
}

static void OnPacket(LPPER_HANDLE_DATA handle, PACKET_HEADER *packet)
{
    if (packet->type != C2S_MOVE)
        return;
    MOVE_PACKET *move = reinterpret_cast<MOVE_PACKET *>(packet);
    handle->x += move->x;
    handle->y += move->y;
    InterlockedIncrement(&g_moves);
    MOVE_PACKET answer = { { sizeof(MOVE_PACKET), S2C_MOVE }, handle->x, handle->y };
    PostSend(handle, &answer, sizeof(answer));
}

static unsigned int WINAPI WorkerThread(LPVOID)
{
    for (;;)
    {
        DWORD bytes = 0;
        LPPER_HANDLE_DATA handle = NULL;
        LPOVERLAPPED overlapped = NULL;
        BOOL ok = GetQueuedCompletionStatus(g_port, &bytes, (PULONG_PTR)&handle, &overlapped,
                                            INFINITE);
        if (overlapped == NULL)
            return 0; // told to end
        LPPER_IO_DATA io = CONTAINING_RECORD(overlapped, PER_IO_DATA, overlapped);

        if (io->type == IO_ACCEPT)
        {
            if (!ok)
            {
                closesocket(io->client);
                delete io;
                continue;
            }
            setsockopt(io->client, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&g_listen,
                       sizeof(g_listen));
            SOCKADDR *local, *remote;
            int localLen, remoteLen;
            g_getAcceptExSockaddrs(io->buffer, 0, sizeof(SOCKADDR_IN) + 16,
                                   sizeof(SOCKADDR_IN) + 16, &local, &localLen, &remote,
                                   &remoteLen);
            LPPER_HANDLE_DATA user = new PER_HANDLE_DATA;
            ZeroMemory(user, sizeof(*user));
            user->socket = io->client;
            memcpy(&user->address, remote, remoteLen);
            CreateIoCompletionPort((HANDLE)user->socket, g_port, (ULONG_PTR)user, 0);
            if (InterlockedIncrement(&g_users) < MAX_USERS)
                PostAccept();
            PostRecv(user, io);
            continue;
        }
        if (io->type == IO_SEND)
        {
            delete io;
            continue;
        }
        if (!ok || bytes == 0)
        {
            closesocket(handle->socket);
            delete handle;
            delete io;
            if (InterlockedIncrement(&g_left) == MAX_USERS)
                SetEvent(g_allLeft);
            continue;
        }
        memcpy(handle->stream + handle->received, io->buffer, bytes);
        handle->received += bytes;
        for (;;)
        {
            PACKET_HEADER *packet = (PACKET_HEADER *)handle->stream;
            if (handle->received < (int)sizeof(PACKET_HEADER) || handle->received < packet->size)
                break;
            WORD size = packet->size;
            OnPacket(handle, packet);
            handle->received -= size;
            memmove(handle->stream, handle->stream + size, handle->received);
        }
        PostRecv(handle, io);
    }
}

static bool RecvAll(SOCKET s, char *to, int size)
{
    while (size > 0)
    {
        int n = recv(s, to, size, 0);
        if (n <= 0)
            return false;
        to += n;
        size -= n;
    }
    return true;
}

int main()
{
    WSADATA wsa;
    if (WSAStartup(MAKEWORD(2, 2), &wsa) != 0)
        return 1;
    g_port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    g_listen = WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    g_allLeft = CreateEvent(NULL, TRUE, FALSE, NULL);

    SOCKADDR_IN addr;
    ZeroMemory(&addr, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int len = sizeof(addr);
    if (bind(g_listen, (SOCKADDR *)&addr, sizeof(addr)) == SOCKET_ERROR)
        err_quit("bind()");
    if (listen(g_listen, SOMAXCONN) == SOCKET_ERROR)
        err_quit("listen()");
    getsockname(g_listen, (SOCKADDR *)&addr, &len);
    CreateIoCompletionPort((HANDLE)g_listen, g_port, 0, 0);

    GUID guidAcceptEx = WSAID_ACCEPTEX, guidSockaddrs = WSAID_GETACCEPTEXSOCKADDRS;
    DWORD bytes = 0;
    if (WSAIoctl(g_listen, SIO_GET_EXTENSION_FUNCTION_POINTER, &guidAcceptEx, sizeof(guidAcceptEx),
                 &g_acceptEx, sizeof(g_acceptEx), &bytes, NULL, NULL) == SOCKET_ERROR)
        err_quit("WSAIoctl(AcceptEx)");
    if (WSAIoctl(g_listen, SIO_GET_EXTENSION_FUNCTION_POINTER, &guidSockaddrs,
                 sizeof(guidSockaddrs), &g_getAcceptExSockaddrs, sizeof(g_getAcceptExSockaddrs),
                 &bytes, NULL, NULL) == SOCKET_ERROR)
        err_quit("WSAIoctl(GetAcceptExSockaddrs)");

    HANDLE threads[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        threads[i] = (HANDLE)_beginthreadex(NULL, 0, WorkerThread, NULL, 0, NULL);
    PostAccept();

    SOCKET users[MAX_USERS];
    for (int i = 0; i < MAX_USERS; i++)
    {
        users[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(users[i], (SOCKADDR *)&addr, sizeof(addr)) == SOCKET_ERROR)
            err_quit("connect");
    }
    for (int i = 0; i < MAX_USERS; i++)
    {
        // Three moves, cut where no packet ends.
        char out[3 * sizeof(MOVE_PACKET)];
        for (int n = 0; n < 3; n++)
        {
            MOVE_PACKET move = { { sizeof(MOVE_PACKET), C2S_MOVE }, i, -n };
            memcpy(out + n * sizeof(move), &move, sizeof(move));
        }
        send(users[i], out, 5, 0);
        Sleep(1);
        send(users[i], out + 5, sizeof(out) - 5, 0);
    }
    for (int i = 0; i < MAX_USERS; i++)
    {
        MOVE_PACKET moved;
        for (int n = 0; n < 3; n++)
            if (!RecvAll(users[i], (char *)&moved, sizeof(moved)))
                err_quit("recv");
        printf("user %d is at (%d, %d)\n", i, moved.x, moved.y);
    }
    for (int i = 0; i < MAX_USERS; i++)
        closesocket(users[i]);
    printf("all left: %s\n", WaitForSingleObject(g_allLeft, 20000) == WAIT_OBJECT_0 ? "yes" : "no");
    printf("%ld users, %ld moves\n", g_users, g_moves);

    for (int i = 0; i < WORKERS; i++)
        PostQueuedCompletionStatus(g_port, 0, 0, NULL);
    WaitForMultipleObjects(WORKERS, threads, TRUE, INFINITE);
    for (int i = 0; i < WORKERS; i++)
        CloseHandle(threads[i]);
    closesocket(g_listen);
    CloseHandle(g_allLeft);
    CloseHandle(g_port);
    WSACleanup();
    return 0;
}
