/*
 * What the echo servers have in common: where they listen, and how they end. In all else they
 * differ, since each is told in another way that there is something to do.
 *
 *     SERVER [ADDRESS] [PORT]        127.0.0.1 and 5150, if nothing is said; ends at Ctrl+C
 *
 * All can be compiled for both systems:
 *
 *     winsock cc completion_port.c -o completion_port
 *     x86_64-w64-mingw32-gcc completion_port.c -o completion_port.exe -lws2_32 -lmswsock -luser32
 */
#ifndef ECHO_H
#define ECHO_H

#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one receive takes at most. */
#define BUFFER_SIZE 16384

/* After so long a server tries again to accept, if that has failed: it may be out of sockets. */
#define RETRY_MS 100

/* Every server has its own way to end; the system calls this on a thread of its own. */
static void stop(void);

static void fail(const char *what, int error)
{
    fprintf(stderr, "%s failed with error %d\n", what, error);
    exit(1);
}

static inline void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        fail("calloc", ERROR_NOT_ENOUGH_MEMORY);
    }
    return memory;
}

static BOOL WINAPI on_console_event(DWORD event)
{
    (void)event;
    stop();
    return TRUE;
}

/* The listening socket; its first line on standard output says where. */
static SOCKET listen_at(int argc, char **argv, const char *model)
{
    struct addrinfo hints, *found;
    SOCKADDR_STORAGE address;
    int length = sizeof(address), on = 1, error;
    char host[NI_MAXHOST], service[NI_MAXSERV];
    SOCKET listener;
    WSADATA data;

    error = WSAStartup(MAKEWORD(2, 2), &data);
    if (error != 0) {
        fail("WSAStartup", error);
    }

    ZeroMemory(&hints, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_protocol = IPPROTO_TCP;
    hints.ai_flags = AI_PASSIVE;
    error = getaddrinfo(argc > 1 ? argv[1] : "127.0.0.1", argc > 2 ? argv[2] : "5150", &hints,
                        &found);
    if (error != 0) {
        fail("getaddrinfo", error);
    }

    listener = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (listener == INVALID_SOCKET) {
        fail("socket", WSAGetLastError());
    }
    /* Accepted connections inherit it: no answer waits for the one after it. */
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof(on));
    if (bind(listener, found->ai_addr, (int)found->ai_addrlen) == SOCKET_ERROR) {
        fail("bind", WSAGetLastError());
    }
    freeaddrinfo(found);
    if (listen(listener, SOMAXCONN) == SOCKET_ERROR) {
        fail("listen", WSAGetLastError());
    }
    if (getsockname(listener, (SOCKADDR *)&address, &length) == SOCKET_ERROR) {
        fail("getsockname", WSAGetLastError());
    }

    error = getnameinfo((SOCKADDR *)&address, length, host, sizeof(host), service,
                        sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV);
    if (error != 0) {
        fail("getnameinfo", error);
    }
    printf("listening on %s:%s model=%s\n", host, service, model);
    fflush(stdout);
    return listener;
}

/* When RETRY_MS are over, as the timers of thread pools are told. */
static inline FILETIME retry_time(void)
{
    LARGE_INTEGER due;
    FILETIME time;

    due.QuadPart = -10000LL * RETRY_MS; /* From now, in steps of 100 ns. */
    time.dwLowDateTime = due.LowPart;
    time.dwHighDateTime = (DWORD)due.HighPart;
    return time;
}

/* For what is seldom done: coming and leaving. */
static inline HANDLE make_lock(void)
{
    HANDLE lock = CreateMutexW(NULL, FALSE, NULL);

    if (lock == NULL) {
        fail("CreateMutex", (int)GetLastError());
    }
    return lock;
}

/* To be called as soon as there is something that stop() can stop. */
static void stop_at_ctrl_c(void)
{
    if (!SetConsoleCtrlHandler(on_console_event, TRUE)) {
        fail("SetConsoleCtrlHandler", (int)GetLastError());
    }
}

#endif
