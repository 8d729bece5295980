/*
 * An echo server in C++17: a pool of threads waits at one completion port, and every object ends
 * what it began. A client has one operation under way at any time, and belongs to that operation:
 * whoever takes its packet takes the client, and lets it go by not starting the next.
 */
#define NOMINMAX
#include "echo.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

class Socket {
public:
    explicit Socket(SOCKET socket) : socket(socket) {}
    Socket(const Socket &) = delete;
    Socket &operator=(const Socket &) = delete;
    ~Socket() { if (socket != INVALID_SOCKET) closesocket(socket); }

    SOCKET get() const { return socket; }

private:
    SOCKET socket;
};

/* Whatever has operations under way: its packets come to done(). */
class Operation : public OVERLAPPED {
public:
    virtual ~Operation() = default;
    virtual void done(BOOL succeeded, DWORD count) = 0;

protected:
    /* For the next operation. */
    OVERLAPPED *fresh()
    {
        *static_cast<OVERLAPPED *>(this) = OVERLAPPED();
        return this;
    }

    /* Whether a packet will come. */
    static bool begun(bool result) { return result || WSAGetLastError() == WSA_IO_PENDING; }
};

/* The port, and the threads that wait at it. They go home when the last guest has left. */
class Pool {
public:
    explicit Pool(unsigned threads)
        : port(CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 0)), threads(threads)
    {
        if (port == nullptr) fail("CreateIoCompletionPort", static_cast<int>(GetLastError()));
    }
    ~Pool() { CloseHandle(port); }

    bool bind(SOCKET socket) const
    {
        return CreateIoCompletionPort(reinterpret_cast<HANDLE>(socket), port, 0, 0) != nullptr;
    }

    /* One more guest, whose operations are on this socket. */
    void enter(SOCKET socket)
    {
        std::lock_guard<std::mutex> guard(lock);
        sockets.insert(socket);
    }

    void leave(SOCKET socket)
    {
        std::lock_guard<std::mutex> guard(lock);
        sockets.erase(sockets.find(socket));
        if (sockets.empty()) {
            for (unsigned i = 0; i < threads; i++) PostQueuedCompletionStatus(port, 0, 0, nullptr);
        }
    }

    /* Every operation ends, and then finds that it is not to be followed by another. */
    void cancel()
    {
        stopping = true;
        std::lock_guard<std::mutex> guard(lock);
        for (SOCKET socket : sockets) CancelIoEx(reinterpret_cast<HANDLE>(socket), nullptr);
    }

    /* cancel() may have looked before this operation began. */
    void begin(SOCKET socket) const
    {
        if (stopping) CancelIoEx(reinterpret_cast<HANDLE>(socket), nullptr);
    }

    bool is_stopping() const { return stopping; }

    /* done() is called by a worker, soon. */
    void post(Operation *operation) const { PostQueuedCompletionStatus(port, 0, 0, operation); }

    void run()
    {
        std::vector<std::thread> workers;

        for (unsigned i = 0; i < threads; i++) workers.emplace_back([this] { work(); });
        for (std::thread &worker : workers) worker.join();
    }

private:
    void work() const
    {
        for (;;) {
            OVERLAPPED *overlapped = nullptr;
            ULONG_PTR key = 0;
            DWORD count = 0;
            BOOL succeeded = GetQueuedCompletionStatus(port, &count, &key, &overlapped, INFINITE);

            if (overlapped == nullptr) return;
            static_cast<Operation *>(overlapped)->done(succeeded, count);
        }
    }

    HANDLE port;
    const unsigned threads;
    std::atomic<bool> stopping{false};
    std::mutex lock;
    std::unordered_multiset<SOCKET> sockets;
};

class Client : public Operation {
public:
    static void serve(Pool &pool, SOCKET socket)
    {
        auto client = std::make_unique<Client>(pool, socket);

        if (pool.bind(socket)) start(std::move(client));
    }

    Client(Pool &pool, SOCKET socket) : pool(pool), socket(socket) { pool.enter(socket); }
    /* While the socket is open, its number is nobody else's. */
    ~Client() override { pool.leave(socket.get()); }

    void done(BOOL succeeded, DWORD count) override
    {
        std::unique_ptr<Client> self(this);

        if (!succeeded || count == 0 || pool.is_stopping()) return;
        if (sent == received) {
            received = count;
            sent = 0;
        } else {
            sent += count;
        }
        start(std::move(self));
    }

private:
    /* Sends what is left, or receives. From then on the client is the next packet's. */
    static void start(std::unique_ptr<Client> client)
    {
        Pool &pool = client->pool;
        SOCKET socket = client->socket.get();
        OVERLAPPED *overlapped = client->fresh();
        DWORD flags = 0;
        WSABUF part;
        int result;

        if (client->sent < client->received) {
            part = {client->received - client->sent, client->buffer + client->sent};
            result = WSASend(socket, &part, 1, nullptr, 0, overlapped, nullptr);
        } else {
            part = {sizeof(client->buffer), client->buffer};
            result = WSARecv(socket, &part, 1, nullptr, &flags, overlapped, nullptr);
        }
        if (begun(result == 0)) {
            client.release();
            pool.begin(socket);
        }
    }

    Pool &pool;
    Socket socket;
    DWORD received = 0, sent = 0;
    char buffer[BUFFER_SIZE];
};

/* One of the accepts that wait for a connection. */
class Accept : public Operation {
public:
    static void serve(Pool &pool, SOCKET listener)
    {
        start(std::make_unique<Accept>(pool, listener));
    }

    Accept(Pool &pool, SOCKET listener)
        : pool(pool), listener(listener), retry(CreateThreadpoolTimer(again, this, nullptr))
    {
        if (retry == nullptr) fail("CreateThreadpoolTimer", static_cast<int>(GetLastError()));
        pool.enter(listener);
    }
    ~Accept() override
    {
        CloseThreadpoolTimer(retry);
        pool.leave(listener);
    }

    void done(BOOL succeeded, DWORD) override
    {
        std::unique_ptr<Accept> self(this);
        SOCKET taken = std::exchange(accepted, INVALID_SOCKET);

        if (taken != INVALID_SOCKET && (!succeeded || pool.is_stopping())) {
            int error = static_cast<int>(GetLastError());

            closesocket(taken);
            if (!pool.is_stopping()) return later(std::move(self), error);
        } else if (taken != INVALID_SOCKET) {
            setsockopt(taken, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
                       reinterpret_cast<const char *>(&listener), sizeof(listener));
            Client::serve(pool, taken);
        }
        start(std::move(self));
    }

private:
    static void start(std::unique_ptr<Accept> accept)
    {
        const DWORD address = sizeof(SOCKADDR_STORAGE) + 16;
        Pool &pool = accept->pool;
        SOCKET listener = accept->listener;
        WSAPROTOCOL_INFO info;
        int length = sizeof(info);
        DWORD count;

        if (pool.is_stopping()) return;
        getsockopt(listener, SOL_SOCKET, SO_PROTOCOL_INFO, reinterpret_cast<char *>(&info),
                   &length);
        accept->accepted = ::socket(info.iAddressFamily, SOCK_STREAM, IPPROTO_TCP);
        if (accept->accepted == INVALID_SOCKET) return later(std::move(accept), WSAGetLastError());
        if (begun(AcceptEx(listener, accept->accepted, accept->addresses, 0, address, address,
                           &count, accept->fresh()))) {
            accept.release();
            pool.begin(listener);
        } else {
            int error = WSAGetLastError();

            closesocket(std::exchange(accept->accepted, INVALID_SOCKET));
            later(std::move(accept), error);
        }
    }

    /* Without a socket, done() tries again. */
    static void later(std::unique_ptr<Accept> accept, int error)
    {
        FILETIME time = retry_time();

        fprintf(stderr, "AcceptEx failed with error %d\n", error);
        SetThreadpoolTimer(accept.release()->retry, &time, 0, 0);
    }

    static VOID CALLBACK again(PTP_CALLBACK_INSTANCE, PVOID accept, PTP_TIMER)
    {
        static_cast<Accept *>(accept)->pool.post(static_cast<Accept *>(accept));
    }

    Pool &pool;
    SOCKET listener, accepted = INVALID_SOCKET;
    PTP_TIMER retry;
    char addresses[2 * (sizeof(SOCKADDR_STORAGE) + 16)];
};

/* So many connections are taken before the first of them is served. */
const int ACCEPTS = 32;

static std::unique_ptr<Pool> pool;

static void stop(void)
{
    pool->cancel();
}

int main(int argc, char **argv)
{
    Socket listener(listen_at(argc, argv, "thread-pool"));

    pool = std::make_unique<Pool>(std::max(1u, std::thread::hardware_concurrency()));
    if (!pool->bind(listener.get())) fail("CreateIoCompletionPort", WSAGetLastError());
    for (int i = 0; i < ACCEPTS; i++) Accept::serve(*pool, listener.get());
    stop_at_ctrl_c();
    pool->run();
    return 0;
}
