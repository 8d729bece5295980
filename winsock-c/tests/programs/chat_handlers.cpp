// A chat server in the C++ of 1998: virtual handlers, a reactor over select, FD_SET and a map.
#include <winsock.h>
#include <map>
#include <string>
#include <vector>
#include <iostream>

#pragma comment(lib, "wsock32.lib")

typedef std::vector<std::string> Lines;

class CEventHandler
{
public:
    CEventHandler(SOCKET s) : m_hSocket(s) {}
    virtual ~CEventHandler() { ::closesocket(m_hSocket); }
    virtual BOOL OnReadable() = 0;
    SOCKET Handle() const { return m_hSocket; }

protected:
    SOCKET m_hSocket;
};

class CReactor
{
public:
    typedef std::map<SOCKET, CEventHandler *> Handlers;
    ~CReactor()
    {
        for (Handlers::iterator it = m_handlers.begin(); it != m_handlers.end(); ++it)
            delete it->second;
    }
    void Add(CEventHandler *p) { m_handlers[p->Handle()] = p; }
    size_t Count() const { return m_handlers.size(); }
    Handlers &All() { return m_handlers; }
    BOOL Run(long seconds)
    {
        fd_set fds;
        FD_ZERO(&fds);
        for (Handlers::iterator it = m_handlers.begin(); it != m_handlers.end(); ++it)
            FD_SET(it->first, &fds);
        timeval tv = { seconds, 0 };
        if (::select(0, &fds, NULL, NULL, &tv) <= 0)
            return FALSE;
        for (u_int i = 0; i < fds.fd_count; i++)
        {
            Handlers::iterator it = m_handlers.find(fds.fd_array[i]);
            if (it != m_handlers.end() && !it->second->OnReadable())
            {
                delete it->second;
                m_handlers.erase(it);
            }
        }
        return TRUE;
    }

private:
    Handlers m_handlers;
};

class CMember : public CEventHandler
{
public:
    CMember(SOCKET s, CReactor &r, int id) : CEventHandler(s), m_reactor(r), m_id(id) {}
    virtual BOOL OnReadable()
    {
        char buf[256];
        int n = ::recv(m_hSocket, buf, sizeof(buf), 0);
        if (n == SOCKET_ERROR || n == 0)
        {
            std::cout << "member " << m_id << " leaves" << std::endl;
            return FALSE;
        }
        CReactor::Handlers &all = m_reactor.All();
        for (CReactor::Handlers::iterator it = all.begin(); it != all.end(); ++it)
            if (it->second != this && dynamic_cast<CMember *>(it->second) != NULL)
                ::send(it->first, buf, n, 0);
        return TRUE;
    }

private:
    CReactor &m_reactor;
    int m_id;
};

class CDoor : public CEventHandler
{
public:
    CDoor(SOCKET s, CReactor &r) : CEventHandler(s), m_reactor(r), m_nNext(1) {}
    virtual BOOL OnReadable()
    {
        SOCKADDR_IN sin;
        int cb = sizeof(sin);
        SOCKET s = ::accept(m_hSocket, (LPSOCKADDR)&sin, &cb);
        if (s == INVALID_SOCKET)
            return TRUE;
        std::cout << "member " << m_nNext << " from " << ::inet_ntoa(sin.sin_addr) << std::endl;
        m_reactor.Add(new CMember(s, m_reactor, m_nNext++));
        return TRUE;
    }

private:
    CReactor &m_reactor;
    int m_nNext;
};

static std::string Line(SOCKET s)
{
    std::string line;
    char c;
    while (::recv(s, &c, 1, 0) == 1 && c != '\n')
        line += c;
    return line;
}

int main()
{
    WSADATA wd;
    if (::WSAStartup(0x0101, &wd) != 0)
        return 1;
    SOCKADDR_IN sin = { AF_INET };
    int cb = sizeof(sin);
    sin.sin_addr.S_un.S_un_b.s_b1 = 127;
    sin.sin_addr.S_un.S_un_b.s_b4 = 1;
    SOCKET door = ::socket(AF_INET, SOCK_STREAM, 0);
    ::bind(door, (LPSOCKADDR)&sin, sizeof(sin));
    ::listen(door, 5);
    ::getsockname(door, (LPSOCKADDR)&sin, &cb);
    {
        CReactor reactor;
        reactor.Add(new CDoor(door, reactor));
        SOCKET guests[3];
        for (int i = 0; i < 3; i++)
        {
            guests[i] = ::socket(AF_INET, SOCK_STREAM, 0);
            ::connect(guests[i], (LPSOCKADDR)&sin, sizeof(sin));
            reactor.Run(10);
        }
        ::send(guests[0], "hello, all\n", 11, 0);
        reactor.Run(10);
        std::cout << "guest 2 reads: " << Line(guests[1]) << std::endl;
        std::cout << "guest 3 reads: " << Line(guests[2]) << std::endl;
        ::closesocket(guests[1]);
        reactor.Run(10);
        ::send(guests[2], "who is left?\n", 13, 0);
        reactor.Run(10);
        std::cout << "guest 1 reads: " << Line(guests[0]) << std::endl;
        std::cout << reactor.Count() << " handlers" << std::endl;
        ::closesocket(guests[0]);
        ::closesocket(guests[2]);
    }
    ::WSACleanup();
    return 0;
}
