/* An echo server on libuv: what one callback has received the next one sends. One thread. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <uv.h>

enum { BUFFER = 16 * 1024 };

/* A connection receives into one buffer, and stops receiving while that is being sent. */
struct connection {
    uv_tcp_t socket;
    uv_write_t write;
    char buffer[BUFFER];
};

static void closed(uv_handle_t *handle) { free(handle->data); }

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct connection *connection = handle->data;
    (void)suggested;
    *room = uv_buf_init(connection->buffer, BUFFER);
}

static void received(uv_stream_t *stream, ssize_t length, const uv_buf_t *room);

static void sent(uv_write_t *write, int status)
{
    struct connection *connection = write->handle->data;
    if (status < 0)
        uv_close((uv_handle_t *)&connection->socket, closed);
    else
        uv_read_start((uv_stream_t *)&connection->socket, give_room, received);
}

static void received(uv_stream_t *stream, ssize_t length, const uv_buf_t *room)
{
    struct connection *connection = stream->data;
    uv_buf_t data = uv_buf_init(connection->buffer, (unsigned)length);
    int tried;
    (void)room;
    if (length < 0) {
        uv_close((uv_handle_t *)stream, closed);
        return;
    }
    if (length == 0)
        return;
    tried = uv_try_write(stream, &data, 1);
    if (tried == length)
        return;
    if (tried > 0) {
        data.base += tried;
        data.len -= (size_t)tried;
    }
    uv_read_stop(stream);
    uv_write(&connection->write, stream, &data, 1, sent);
}

static void accepted(uv_stream_t *listener, int status)
{
    struct connection *connection = malloc(sizeof *connection);
    if (status < 0 || !connection) {
        free(connection);
        return;
    }
    uv_tcp_init(listener->loop, &connection->socket);
    connection->socket.data = connection;
    if (uv_accept(listener, (uv_stream_t *)&connection->socket) == 0) {
        uv_tcp_nodelay(&connection->socket, 1);
        uv_read_start((uv_stream_t *)&connection->socket, give_room, received);
    } else {
        uv_close((uv_handle_t *)&connection->socket, closed);
    }
}

int main(int argc, char **argv)
{
    char host[64] = "127.0.0.1";
    int port = 5150, i, length = sizeof(struct sockaddr_in);
    struct sockaddr_in at;
    struct rlimit limit;
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    for (i = 1; i + 1 < argc; i += 2)
        if (!strcmp(argv[i], "--bind"))
            sscanf(argv[i + 1], "%63[^:]:%d", host, &port);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    uv_tcp_init(loop, &listener);
    uv_ip4_addr(host, port, &at);
    if (uv_tcp_bind(&listener, (struct sockaddr *)&at, 0) ||
        uv_listen((uv_stream_t *)&listener, 4096, accepted)) {
        fprintf(stderr, "libuv-echo: cannot listen\n");
        return 1;
    }
    uv_tcp_getsockname(&listener, (struct sockaddr *)&at, &length);
    printf("listening on %s:%d peer=libuv threads=1\n", host, ntohs(at.sin_port));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
