/* FD_SETSIZE redefined: 200 clients in one select, each answered once; sets kept and copied. */
#ifdef FD_SETSIZE
#undef FD_SETSIZE
#endif
#define FD_SETSIZE 1024
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
#include <string.h>

#define COUNT 200

static SOCKET clients[COUNT], peers[COUNT];

int main(int argc, char *argv[])
{
    WSADATA wsaData;
    SOCKET listener, maxfd;
    struct sockaddr_in addr;
    int addrlen = sizeof(addr), i, n, answered = 0, rounds = 0, echoed = 0;
    fd_set master, readfds;
    struct timeval timeout;
    unsigned long on = 1;
    BOOL reuse = TRUE;

    WSAStartup(MAKEWORD(2, 2), &wsaData);
    printf("room for %d sockets, %d used\n", FD_SETSIZE,
           (int)(sizeof(master.fd_array) / sizeof(master.fd_array[0])));

    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, (const char *)&reuse, sizeof(reuse));
    memset(&addr, '\0', sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = inet_addr("127.0.0.1");
    if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        perror("bind");
        return 1;
    }
    getsockname(listener, (struct sockaddr *)&addr, &addrlen);
    listen(listener, 200);

    FD_ZERO(&master);
    maxfd = 0;
    for (i = 0; i < COUNT; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(clients[i], (struct sockaddr *)&addr, sizeof(addr)) != 0) {
            printf("connect %d: %d\n", i, WSAGetLastError());
            return 1;
        }
        peers[i] = accept(listener, NULL, NULL);
        ioctlsocket(peers[i], FIONBIO, &on);
        FD_SET(peers[i], &master);
        if (peers[i] > maxfd)
            maxfd = peers[i];
    }
    FD_SET(peers[0], &master);              /* twice is once */
    printf("set holds %u\n", master.fd_count);

    for (i = 0; i < COUNT; i += 2)
        send(clients[i], "ping", 4, 0);

    while (echoed < COUNT / 2 && rounds++ < 10000) {
        readfds = master;
        timeout.tv_sec = 10;
        timeout.tv_usec = 0;
        n = select((int)maxfd + 1, &readfds, NULL, NULL, &timeout);
        if (n <= 0) {
            printf("select: %d, error %d\n", n, WSAGetLastError());
            return 1;
        }
        for (i = 0; i < COUNT; i++) {
            char buf[16];
            if (!FD_ISSET(peers[i], &readfds))
                continue;
            n = recv(peers[i], buf, sizeof(buf), 0);
            if (n > 0) {
                send(peers[i], "pong", n, 0);
                echoed++;
                FD_CLR(peers[i], &master);
            }
        }
    }
    printf("echoed %d, set holds %u\n", echoed, master.fd_count);

    timeout.tv_sec = 0;
    timeout.tv_usec = 1000;
    readfds = master;
    n = select(0, &readfds, NULL, NULL, &timeout);
    printf("select with nothing to read: %d, %u left in the set\n", n, readfds.fd_count);

    for (i = 0; i < COUNT; i++) {
        char buf[16];
        if (i % 2 == 0 && recv(clients[i], buf, sizeof(buf), 0) == 4 && !memcmp(buf, "pong", 4))
            answered++;
    }
    printf("answered %d\n", answered);

    readfds.fd_count = 0;
    n = select(0, &readfds, NULL, NULL, &timeout);
    printf("select of nothing: %d, error %d\n", n, WSAGetLastError());
    for (i = 0; i < COUNT; i++) {
        closesocket(clients[i]);
        closesocket(peers[i]);
    }
    closesocket(listener);
    return WSACleanup();
}
