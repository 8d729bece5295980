/* An echo server on libevent's bufferevents: what has come in is moved to what goes out. One thread. */

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

static void received(struct bufferevent *connection, void *unused)
{
    (void)unused;
    evbuffer_add_buffer(bufferevent_get_output(connection), bufferevent_get_input(connection));
}

static void ended(struct bufferevent *connection, short what, void *unused)
{
    (void)unused;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        bufferevent_free(connection);
}

static void accepted(struct evconnlistener *listener, evutil_socket_t socket,
                     struct sockaddr *peer, int length, void *base)
{
    int on = 1;
    struct bufferevent *connection = bufferevent_socket_new(base, socket, BEV_OPT_CLOSE_ON_FREE);
    (void)listener, (void)peer, (void)length;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bufferevent_setcb(connection, received, NULL, ended, NULL);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
}

int main(int argc, char **argv)
{
    char host[64] = "127.0.0.1";
    int port = 5150, i;
    struct sockaddr_in at;
    socklen_t length = sizeof at;
    struct rlimit limit;
    struct event_base *base = event_base_new();
    struct evconnlistener *listener;
    for (i = 1; i + 1 < argc; i += 2)
        if (!strcmp(argv[i], "--bind"))
            sscanf(argv[i + 1], "%63[^:]:%d", host, &port);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_port = htons((unsigned short)port);
    inet_pton(AF_INET, host, &at.sin_addr);
    listener = evconnlistener_new_bind(base, accepted, base,
                                       LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 4096,
                                       (struct sockaddr *)&at, sizeof at);
    if (!listener) {
        fprintf(stderr, "libevent-echo: cannot listen\n");
        return 1;
    }
    getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&at, &length);
    printf("listening on %s:%d peer=libevent threads=1\n", host, ntohs(at.sin_port));
    fflush(stdout);
    return event_base_dispatch(base);
}
