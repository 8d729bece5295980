// Compile with -std=c++17
// C++17: move-only handles, std::thread per connection, string_view, structured bindings.
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <WinSock2.h>
#include <WS2tcpip.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace net {

[[noreturn]] void raise(const char* where) {
    throw std::system_error(WSAGetLastError(), std::system_category(), where);
}

class socket_handle {
public:
    socket_handle() noexcept = default;
    explicit socket_handle(SOCKET s) noexcept : s_{s} {}
    socket_handle(socket_handle&& other) noexcept : s_{std::exchange(other.s_, INVALID_SOCKET)} {}
    socket_handle& operator=(socket_handle&& other) noexcept {
        std::swap(s_, other.s_);
        return *this;
    }
    ~socket_handle() {
        if (s_ != INVALID_SOCKET) closesocket(s_);
    }
    explicit operator bool() const noexcept { return s_ != INVALID_SOCKET; }
    SOCKET get() const noexcept { return s_; }

    void send(std::string_view data) const {
        while (!data.empty()) {
            const int n = ::send(s_, data.data(), static_cast<int>(data.size()), 0);
            if (n == SOCKET_ERROR) raise("send");
            data.remove_prefix(static_cast<std::size_t>(n));
        }
    }

    std::optional<std::string> read_line() const {
        std::string line;
        for (char c{}; ::recv(s_, &c, 1, 0) == 1;) {
            if (c == '\n') return line;
            line += c;
        }
        return std::nullopt;
    }

private:
    SOCKET s_ = INVALID_SOCKET;
};

using addrinfo_ptr = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

addrinfo_ptr resolve(const char* host, const std::string& service, int flags) {
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* list = nullptr;
    if (const int error = ::getaddrinfo(host, service.c_str(), &hints, &list); error != 0)
        throw std::system_error(error, std::system_category(), "getaddrinfo");
    return {list, &freeaddrinfo};
}

std::pair<socket_handle, std::uint16_t> listen_on_loopback() {
    const auto where = resolve("127.0.0.1", "0", AI_PASSIVE | AI_NUMERICHOST);
    socket_handle s{::socket(where->ai_family, where->ai_socktype, where->ai_protocol)};
    if (!s) raise("socket");
    if (::bind(s.get(), where->ai_addr, static_cast<int>(where->ai_addrlen))) raise("bind");
    if (::listen(s.get(), SOMAXCONN)) raise("listen");
    sockaddr_in name{};
    int size = sizeof(name);
    if (::getsockname(s.get(), reinterpret_cast<sockaddr*>(&name), &size)) raise("getsockname");
    return {std::move(s), ntohs(name.sin_port)};
}

}  // namespace net

struct winsock {
    WSADATA data{};
    winsock() {
        if (const int error = WSAStartup(MAKEWORD(2, 2), &data))
            throw std::system_error(error, std::system_category());
    }
    ~winsock() { WSACleanup(); }
};

static std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

int main() try {
    using namespace std::chrono_literals;
    constexpr int clients = 16;
    const winsock library;
    auto [listener, port] = net::listen_on_loopback();

    std::atomic<int> served{0};
    std::thread acceptor{[&listener = listener, &served] {
        std::vector<std::thread> sessions;
        for (int i = 0; i < clients; ++i) {
            net::socket_handle peer{::accept(listener.get(), nullptr, nullptr)};
            if (!peer) net::raise("accept");
            sessions.emplace_back([peer = std::move(peer), &served] {
                while (auto line = peer.read_line()) {
                    peer.send(upper(*line) + '\n');
                    ++served;
                }
            });
        }
        for (auto& session : sessions) session.join();
    }};

    std::mutex lock;
    std::vector<std::pair<int, std::string>> answers;
    std::vector<std::thread> threads;
    for (int id = 0; id < clients; ++id) {
        threads.emplace_back([&, id, port = port] {
            const auto where = net::resolve("127.0.0.1", std::to_string(port), 0);
            net::socket_handle s{::socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)};
            if (::connect(s.get(), where->ai_addr, static_cast<int>(where->ai_addrlen)))
                net::raise("connect");
            for (int round = 0; round < 3; ++round) {
                s.send("client " + std::to_string(id) + " round " + std::to_string(round) + "\n");
                auto answer = s.read_line().value_or("<nothing>");
                const std::lock_guard guard{lock};
                answers.emplace_back(id, std::move(answer));
            }
        });
    }
    for (auto& thread : threads) thread.join();
    acceptor.join();

    std::sort(answers.begin(), answers.end());
    for (const auto& [id, text] : answers) std::printf("%2d: %s\n", id, text.c_str());
    std::cout << "served " << served << " lines, longest "
              << std::max_element(answers.begin(), answers.end(),
                                  [](auto& a, auto& b) { return a.second.size() < b.second.size(); })
                     ->second.size()
              << std::endl;
    const auto before = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(20ms);
    std::cout << "time passes: " << std::boolalpha
              << (std::chrono::steady_clock::now() - before >= 10ms) << '\n';
} catch (const std::exception& e) {
    std::cout << "failed: " << e.what() << std::endl;
    return 1;
}
