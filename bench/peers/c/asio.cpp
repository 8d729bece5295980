// An echo server on standalone Asio: one handler chain for each connection, one thread or several.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include <asio.hpp>

using asio::ip::tcp;

class connection : public std::enable_shared_from_this<connection> {
public:
    explicit connection(tcp::socket socket) : socket_(std::move(socket)) {}

    void receive()
    {
        socket_.async_read_some(asio::buffer(buffer_),
            [self = shared_from_this()](asio::error_code error, std::size_t length) {
                if (!error) self->send(length);
            });
    }

private:
    void send(std::size_t length)
    {
        asio::async_write(socket_, asio::buffer(buffer_, length),
            [self = shared_from_this()](asio::error_code error, std::size_t) {
                if (!error) self->receive();
            });
    }

    tcp::socket socket_;
    std::array<char, 16 * 1024> buffer_;
};

static void accept(tcp::acceptor& acceptor)
{
    acceptor.async_accept([&acceptor](asio::error_code error, tcp::socket socket) {
        if (!error) {
            socket.set_option(tcp::no_delay(true), error);
            std::make_shared<connection>(std::move(socket))->receive();
        }
        accept(acceptor);
    });
}

int main(int argc, char** argv)
{
    const char* bind = "127.0.0.1:5150";
    int threads = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!std::strcmp(argv[i], "--bind")) bind = argv[i + 1];
        if (!std::strcmp(argv[i], "--threads")) threads = std::atoi(argv[i + 1]);
    }
    const std::string at = bind;
    const auto colon = at.rfind(':');
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    asio::io_context context(threads);
    tcp::acceptor acceptor(context,
        tcp::endpoint(asio::ip::make_address(at.substr(0, colon)), std::stoi(at.substr(colon + 1))));
    acceptor.listen(4096);
    std::printf("listening on %s:%u peer=asio threads=%d\n",
        acceptor.local_endpoint().address().to_string().c_str(),
        acceptor.local_endpoint().port(), threads);
    std::fflush(stdout);
    accept(acceptor);
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back([&] { context.run(); });
    context.run();
    for (auto& other : others) other.join();
}
