// C++11: operations are OVERLAPPED with a lambda, a completion key is a counter of its socket's
// packets, and two threads run whatever comes off the port.
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <mswsock.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

struct Op : OVERLAPPED
{
    std::function<void(DWORD error, DWORD bytes)> done;

    explicit Op(std::function<void(DWORD, DWORD)> f) : OVERLAPPED(), done(std::move(f)) {}
};

struct Key
{
    std::atomic<int> packets{0};
};

static HANDLE port;
static std::atomic<int> sessions{0};
static HANDLE all_gone;

static void run()
{
    for (;;) {
        DWORD bytes = 0;
        ULONG_PTR key = 0;
        LPOVERLAPPED ov = nullptr;
        BOOL ok = GetQueuedCompletionStatus(port, &bytes, &key, &ov, INFINITE);
        if (!ov)
            return;
        DWORD error = ok ? 0 : GetLastError();
        reinterpret_cast<Key *>(key)->packets++;
        std::unique_ptr<Op> op(static_cast<Op *>(ov));
        op->done(error, bytes);
    }
}

struct Session : std::enable_shared_from_this<Session>
{
    SOCKET s;
    Key key;
    char buf[512];
    int echoed = 0;

    explicit Session(SOCKET s_) : s(s_) { sessions++; }
    ~Session()
    {
        // A message may have come in pieces, but each was received and sent, and then the end came.
        printf("a session ends: %d bytes, %s\n", echoed, key.packets % 2 ? "odd" : "even");
        closesocket(s);
        if (--sessions == 0)
            SetEvent(all_gone);
    }

    void start()
    {
        CreateIoCompletionPort(reinterpret_cast<HANDLE>(s), port,
                               reinterpret_cast<ULONG_PTR>(&key), 0);
        read();
    }

    void read()
    {
        auto self = shared_from_this();
        auto op = new Op([self](DWORD error, DWORD n) {
            if (error == 0 && n > 0)
                self->write(n);
        });
        WSABUF b = {sizeof(buf), buf};
        DWORD flags = 0;
        if (WSARecv(s, &b, 1, nullptr, &flags, op, nullptr) != 0
            && WSAGetLastError() != WSA_IO_PENDING)
            delete op;
    }

    void write(DWORD n)
    {
        auto self = shared_from_this();
        auto op = new Op([self](DWORD error, DWORD sent) {
            self->echoed += sent;
            if (error == 0)
                self->read();
        });
        WSABUF b = {n, buf};
        if (WSASend(s, &b, 1, nullptr, 0, op, nullptr) != 0 && WSAGetLastError() != WSA_IO_PENDING)
            delete op;
    }
};

int main()
{
    WSADATA wd;
    if (WSAStartup(0x0202, &wd))
        return 1;
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 2);
    all_gone = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++)
        threads.emplace_back(run);

    SOCKET ls = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0, WSA_FLAG_OVERLAPPED);
    sockaddr_in at = {};
    int len = sizeof(at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(ls, (sockaddr *)&at, sizeof(at)) || listen(ls, 16))
        return 2;
    getsockname(ls, (sockaddr *)&at, &len);

    auto dial = [&at] {
        SOCKET c = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
        if (connect(c, (sockaddr *)&at, sizeof(at)) != 0)
            printf("connect: %d\n", WSAGetLastError());
        return c;
    };
    auto talk = [](SOCKET c, const std::string &text) {
        std::string heard(text.size(), ' ');
        send(c, text.data(), (int)text.size(), 0);
        int n = recv(c, &heard[0], (int)heard.size(), MSG_WAITALL);
        printf("%d bytes, %s\n", n, heard == text ? "the same" : "others");
    };

    std::vector<SOCKET> clients;
    for (int i = 0; i < 3; i++) {
        clients.push_back(dial());
        std::make_shared<Session>(accept(ls, nullptr, nullptr))->start();
    }
    for (int round = 1; round <= 4; round++) {
        for (SOCKET c : clients)
            talk(c, std::string(100 * round, char('a' + round)));
    }
    for (SOCKET c : clients)
        closesocket(c);
    printf("all gone: %lu\n", (unsigned long)WaitForSingleObject(all_gone, INFINITE));
    for (size_t i = 0; i < threads.size(); i++)
        PostQueuedCompletionStatus(port, 0, 0, nullptr);
    for (auto &t : threads)
        t.join();
    closesocket(ls);
    CloseHandle(all_gone);
    CloseHandle(port);
    WSACleanup();
    return 0;
}
