/* A server whose accepting thread is ended from outside, as older servers stop theirs. */
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>

#pragma comment(lib, "ws2_32.lib")

static HANDLE started;

static DWORD WINAPI AcceptLoop(LPVOID parameter)
{
    SOCKET listener = (SOCKET)parameter;

    SetEvent(started);
    for (;;) {
        SOCKET client = accept(listener, NULL, NULL);

        if (client == INVALID_SOCKET)
            return 1;
        closesocket(client);
    }
}

static DWORD WINAPI WaitForever(LPVOID parameter)
{
    SetEvent(started);
    WaitForSingleObject((HANDLE)parameter, INFINITE);
    return 2;
}

static void stop(const char *what, HANDLE thread)
{
    DWORD code = 0;

    WaitForSingleObject(started, INFINITE);
    Sleep(50);
    GetExitCodeThread(thread, &code);
    printf("%s: running %d", what, code == STILL_ACTIVE);
    printf(", terminated %d", TerminateThread(thread, 99) != 0);
    printf(", ended %d", WaitForSingleObject(thread, 10000) == WAIT_OBJECT_0);
    GetExitCodeThread(thread, &code);
    printf(", code %lu\n", (unsigned long)code);
    CloseHandle(thread);
}

int main(void)
{
    WSADATA data;
    SOCKET listener;
    struct sockaddr_in address = {0};
    HANDLE never;

    WSAStartup(MAKEWORD(2, 2), &data);
    started = CreateEvent(NULL, FALSE, FALSE, NULL);
    never = CreateEvent(NULL, FALSE, FALSE, NULL);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&address, sizeof(address));
    listen(listener, 5);

    stop("accept", CreateThread(NULL, 0, AcceptLoop, (LPVOID)listener, 0, NULL));
    stop("wait", CreateThread(NULL, 0, WaitForever, never, 0, NULL));
    printf("closesocket %d\n", closesocket(listener));
    WSACleanup();
    return 0;
}
