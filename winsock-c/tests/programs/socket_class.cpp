// C++ of 1998: a class hierarchy whose methods are called as Winsock's functions are, with ::bind
// and ::send inside.
#include <winsock2.h>
#include <iostream>
#include <string>
#include <cstring>
#include <stdexcept>

class SocketException : public std::runtime_error
{
public:
    SocketException(const std::string &what, int code) : std::runtime_error(what), m_code(code) {}
    virtual ~SocketException() throw() {}
    int code() const { return m_code; }

private:
    int m_code;
};

class WinsockSession
{
public:
    WinsockSession()
    {
        WSADATA data;
        int result = ::WSAStartup(MAKEWORD(2, 2), &data);
        if (result != 0)
            throw SocketException("WSAStartup", result);
    }
    ~WinsockSession() { ::WSACleanup(); }
};

class Address
{
public:
    explicit Address(const char *host = "0.0.0.0", unsigned short port = 0)
    {
        std::memset(&m_addr, 0, sizeof m_addr);
        m_addr.sin_family = AF_INET;
        m_addr.sin_addr.s_addr = ::inet_addr(host);
        m_addr.sin_port = ::htons(port);
    }
    operator sockaddr *() { return reinterpret_cast<sockaddr *>(&m_addr); }
    operator const sockaddr *() const { return reinterpret_cast<const sockaddr *>(&m_addr); }
    int size() const { return sizeof m_addr; }
    unsigned short port() const { return ::ntohs(m_addr.sin_port); }
    std::string host() const { return ::inet_ntoa(m_addr.sin_addr); }

private:
    sockaddr_in m_addr;
};

class Socket
{
public:
    Socket(int type, int protocol) : m_socket(::socket(AF_INET, type, protocol))
    {
        if (m_socket == INVALID_SOCKET)
            fail("socket");
    }
    virtual ~Socket() { close(); }

    void bind(const Address &address) { check(::bind(m_socket, address, address.size()), "bind"); }
    void connect(const Address &address)
    {
        check(::connect(m_socket, address, address.size()), "connect");
    }
    void shutdown(int how) { check(::shutdown(m_socket, how), "shutdown"); }
    void close()
    {
        if (m_socket != INVALID_SOCKET)
            ::closesocket(m_socket);
        m_socket = INVALID_SOCKET;
    }
    Address getsockname() const
    {
        Address address;
        int size = address.size();
        check(::getsockname(m_socket, address, &size), "getsockname");
        return address;
    }
    template <class T> void setsockopt(int level, int name, const T &value)
    {
        check(::setsockopt(m_socket, level, name, (const char *)&value, sizeof value), "setsockopt");
    }
    template <class T> T getsockopt(int level, int name) const
    {
        T value = T();
        int size = sizeof value;
        check(::getsockopt(m_socket, level, name, (char *)&value, &size), "getsockopt");
        return value;
    }

protected:
    explicit Socket(SOCKET s) : m_socket(s) {}
    static void fail(const char *where) { throw SocketException(where, ::WSAGetLastError()); }
    static void check(int result, const char *where)
    {
        if (result == SOCKET_ERROR)
            fail(where);
    }
    SOCKET m_socket;

private:
    Socket(const Socket &);
    Socket &operator=(const Socket &);
};

class Stream : public Socket
{
public:
    Stream() : Socket(SOCK_STREAM, IPPROTO_TCP) {}
    explicit Stream(SOCKET s) : Socket(s) {}
    void send(const std::string &text)
    {
        std::string::size_type sent = 0;
        while (sent < text.size())
        {
            int n = ::send(m_socket, text.data() + sent, static_cast<int>(text.size() - sent), 0);
            check(n, "send");
            sent += n;
        }
    }
    std::string recv(int most)
    {
        std::string text(most, '\0');
        int n = ::recv(m_socket, &text[0], most, 0);
        check(n, "recv");
        text.resize(n);
        return text;
    }
};

class Server : public Socket
{
public:
    Server() : Socket(SOCK_STREAM, IPPROTO_TCP) {}
    void listen(int backlog = SOMAXCONN) { check(::listen(m_socket, backlog), "listen"); }
    Stream *accept(Address &peer)
    {
        int size = peer.size();
        SOCKET s = ::accept(m_socket, peer, &size);
        if (s == INVALID_SOCKET)
            fail("accept");
        return new Stream(s);
    }
};

int main()
{
    using std::cout;
    using std::endl;
    try
    {
        WinsockSession session;
        Server server;
        server.setsockopt<BOOL>(SOL_SOCKET, SO_EXCLUSIVEADDRUSE, TRUE);
        server.bind(Address("127.0.0.1"));
        server.listen();

        Stream client;
        client.connect(server.getsockname());
        Address peer;
        Stream *connection = server.accept(peer);
        cout << "accepted " << peer.host() << ", port "
             << (peer.port() == client.getsockname().port() ? "as expected" : "unexpected") << endl;

        client.setsockopt<BOOL>(IPPROTO_TCP, TCP_NODELAY, TRUE);
        cout << "nodelay " << (client.getsockopt<BOOL>(IPPROTO_TCP, TCP_NODELAY) ? 1 : 0) << endl;
        linger l = { 1, 5 };
        client.setsockopt(SOL_SOCKET, SO_LINGER, l);
        l = client.getsockopt<linger>(SOL_SOCKET, SO_LINGER);
        cout << "linger " << l.l_onoff << " " << l.l_linger << endl;
        cout << "type " << client.getsockopt<int>(SOL_SOCKET, SO_TYPE) << endl;

        client.send("objects all the way");
        cout << "received: " << connection->recv(7) << endl;
        cout << "received: " << connection->recv(100) << endl;
        connection->send("down");
        connection->shutdown(SD_SEND);
        cout << "answer: " << client.recv(100) << endl;
        cout << "then " << client.recv(100).size() << " bytes" << endl;

        delete connection;
        client.close();
        client.send("too late");
    }
    catch (const SocketException &e)
    {
        cout << e.what() << " failed with " << e.code() << endl;
        return e.code() == WSAENOTSOCK ? 0 : 1;
    }
    return 1;
}
