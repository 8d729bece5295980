// C++20: a thread pool's I/O object per connection, unique_ptr with Win32 deleters, std::span.
// Compile with -std=c++20
#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0601
#include <windows.h>
#include <winsock2.h>
#include <array>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

struct io_closer {
    using pointer = PTP_IO;
    void operator()(PTP_IO io) const noexcept {
        WaitForThreadpoolIoCallbacks(io, FALSE);
        CloseThreadpoolIo(io);
    }
};
struct event_closer {
    void operator()(HANDLE event) const noexcept { CloseHandle(event); }
};
struct socket_closer {
    using pointer = SOCKET;
    void operator()(SOCKET s) const noexcept { ::closesocket(s); }
};

using unique_io = std::unique_ptr<TP_IO, io_closer>;
using unique_event = std::unique_ptr<std::remove_pointer_t<HANDLE>, event_closer>;

class session {
public:
    explicit session(SOCKET s) : socket_{s}, done_{CreateEventW(nullptr, TRUE, FALSE, nullptr)} {
        io_.reset(CreateThreadpoolIo(reinterpret_cast<HANDLE>(s), &session::on_io, this, nullptr));
        if (!io_) std::printf("CreateThreadpoolIo: %lu\n", (unsigned long)GetLastError());
    }
    ~session() {
        io_.reset();
        ::closesocket(socket_);
    }
    void read() {
        state_ = state::reading;
        start(std::as_writable_bytes(std::span{buffer_}), [this](WSABUF& data) {
            DWORD flags = 0;
            return WSARecv(socket_, &data, 1, nullptr, &flags, &overlapped_, nullptr);
        });
    }
    bool wait() const { return WaitForSingleObject(done_.get(), 20'000) == WAIT_OBJECT_0; }
    unsigned long echoed() const { return echoed_; }

private:
    enum class state { reading, writing };

    void write(std::span<std::byte> bytes) {
        state_ = state::writing;
        start(bytes, [this](WSABUF& data) {
            return WSASend(socket_, &data, 1, nullptr, 0, &overlapped_, nullptr);
        });
    }
    template <class Call> void start(std::span<std::byte> bytes, Call call) {
        overlapped_ = {};
        WSABUF data{static_cast<ULONG>(bytes.size()), reinterpret_cast<CHAR*>(bytes.data())};
        StartThreadpoolIo(io_.get());
        if (call(data) == SOCKET_ERROR && WSAGetLastError() != WSA_IO_PENDING) {
            CancelThreadpoolIo(io_.get());
            std::printf("failed at once: %d\n", WSAGetLastError());
            SetEvent(done_.get());
        }
    }
    static VOID CALLBACK on_io(PTP_CALLBACK_INSTANCE, PVOID context, PVOID, ULONG result,
                               ULONG_PTR bytes, PTP_IO) {
        auto& self = *static_cast<session*>(context);
        if (result != NO_ERROR || bytes == 0) {
            SetEvent(self.done_.get());
        } else if (self.state_ == state::reading) {
            self.write(std::as_writable_bytes(std::span{self.buffer_}).first(bytes));
        } else {
            self.echoed_ += static_cast<unsigned long>(bytes);
            self.read();
        }
    }

    SOCKET socket_;
    unique_event done_;
    unique_io io_;
    OVERLAPPED overlapped_{};
    std::array<char, 512> buffer_{};
    state state_ = state::reading;
    unsigned long echoed_ = 0;
};

int main() {
    WSADATA wsa;
    if (WSAStartup(MAKEWORD(2, 2), &wsa) != 0) return 1;
    const SOCKET listener = ::socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    sockaddr_in address{.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int size = sizeof(address);
    ::bind(listener, reinterpret_cast<const sockaddr*>(&address), size);
    ::listen(listener, SOMAXCONN);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);

    std::array<SOCKET, 5> clients{};
    std::array<std::unique_ptr<session>, 5> sessions;
    for (std::size_t i = 0; i < clients.size(); ++i) {
        clients[i] = ::socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
        ::connect(clients[i], reinterpret_cast<const sockaddr*>(&address), size);
        sessions[i] = std::make_unique<session>(::accept(listener, nullptr, nullptr));
        sessions[i]->read();
    }
    constexpr std::string_view text = "from the pool";
    for (auto client : clients) {
        std::array<char, 64> answer{};
        ::send(client, text.data(), static_cast<int>(text.size()), 0);
        int got = 0;
        while (got < static_cast<int>(text.size())) {
            const int n = ::recv(client, answer.data() + got, static_cast<int>(answer.size()) - got, 0);
            if (n <= 0) break;
            got += n;
        }
        std::printf("%.*s\n", got, answer.data());
        ::shutdown(client, SD_SEND);
    }
    for (auto& s : sessions) {
        const bool ended = s->wait();
        std::printf("ended: %d, %lu bytes\n", ended, s->echoed());
    }
    for (auto client : clients) ::closesocket(client);
    for (auto& s : sessions) s.reset();
    ::closesocket(listener);
    WSACleanup();
}
