// A chat of threads: one for each guest, whose name is in a slot of TLS; the room is a vector in a
// critical section. A guest says a line, and all others hear it.
#include <WinSock2.h>
#include <WS2tcpip.h>
#include <Windows.h>
#include <process.h>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#pragma comment(lib, "Ws2_32.lib")

class Lock
{
public:
    explicit Lock(CRITICAL_SECTION &cs) : m_cs(cs) { EnterCriticalSection(&m_cs); }
    ~Lock() { LeaveCriticalSection(&m_cs); }

private:
    CRITICAL_SECTION &m_cs;
};

static CRITICAL_SECTION g_cs;
static std::vector<SOCKET> g_room;
static DWORD g_slot = TLS_OUT_OF_INDEXES;
static LONG g_lines = 0;

static bool ReadLine(SOCKET s, std::string &line)
{
    line.clear();
    for (;;) {
        char c;
        int n = recv(s, &c, 1, 0);
        if (n <= 0)
            return false;
        if (c == '\n')
            return true;
        line += c;
    }
}

static void SayAs(SOCKET from, const std::string &what)
{
    const char *name = static_cast<const char *>(TlsGetValue(g_slot));
    std::string line = std::string(name ? name : "?") + ": " + what + "\n";
    Lock lock(g_cs);
    for (SOCKET s : g_room) {
        if (s != from)
            send(s, line.c_str(), static_cast<int>(line.size()), 0);
    }
    InterlockedIncrement(&g_lines);
}

static unsigned __stdcall Guest(void *param)
{
    SOCKET s = reinterpret_cast<SOCKET>(param);
    std::string name, line;
    if (ReadLine(s, name)) {
        TlsSetValue(g_slot, const_cast<char *>(name.c_str()));
        {
            Lock lock(g_cs);
            g_room.push_back(s);
        }
        send(s, "welcome\n", 8, 0);
        while (ReadLine(s, line))
            SayAs(s, line);
        Lock lock(g_cs);
        for (size_t i = 0; i < g_room.size(); ++i) {
            if (g_room[i] == s) {
                g_room.erase(g_room.begin() + i);
                break;
            }
        }
    }
    closesocket(s);
    return 7;
}

static SOCKET Dial(const char *port, const char *name)
{
    ADDRINFOA hints = {}, *found = nullptr;
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo("127.0.0.1", port, &hints, &found) != 0)
        return INVALID_SOCKET;
    SOCKET s = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (connect(s, found->ai_addr, static_cast<int>(found->ai_addrlen)) == SOCKET_ERROR)
        printf("connect: %d\n", WSAGetLastError());
    freeaddrinfo(found);
    std::string hello = std::string(name) + "\n", answer;
    send(s, hello.c_str(), static_cast<int>(hello.size()), 0);
    ReadLine(s, answer);
    printf("%s hears %s\n", name, answer.c_str());
    return s;
}

int main()
{
    WSADATA wsa;
    if (WSAStartup(MAKEWORD(2, 2), &wsa) != 0)
        return 1;
    InitializeCriticalSectionAndSpinCount(&g_cs, 4000);
    g_slot = TlsAlloc();

    SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    sockaddr_in sin = {};
    int len = sizeof(sin);
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, reinterpret_cast<sockaddr *>(&sin), sizeof(sin));
    listen(listener, SOMAXCONN);
    getsockname(listener, reinterpret_cast<sockaddr *>(&sin), &len);
    char port[16];
    sprintf_s(port, sizeof(port), "%d", ntohs(sin.sin_port));

    struct Hall {
        static unsigned __stdcall Run(void *param)
        {
            SOCKET hall = reinterpret_cast<SOCKET>(param);
            std::vector<HANDLE> guests;
            for (SOCKET s; (s = accept(hall, nullptr, nullptr)) != INVALID_SOCKET;) {
                void *arg = reinterpret_cast<void *>(s);
                guests.push_back((HANDLE)_beginthreadex(nullptr, 0, Guest, arg, 0, nullptr));
            }
            DWORD count = static_cast<DWORD>(guests.size()), codes = 0, code = 0;
            WaitForMultipleObjects(count, guests.data(), TRUE, INFINITE);
            for (HANDLE h : guests) {
                GetExitCodeThread(h, &code);
                codes += code;
                CloseHandle(h);
            }
            return codes;
        }
    };
    void *arg = reinterpret_cast<void *>(listener);
    HANDLE hall = (HANDLE)_beginthreadex(nullptr, 0, &Hall::Run, arg, 0, nullptr);

    const char *names[] = {"ann", "bob", "cid"};
    SOCKET guests[3];
    for (int i = 0; i < 3; ++i)
        guests[i] = Dial(port, names[i]);
    for (int i = 0; i < 3; ++i) {
        std::string said = std::string("it is turn ") + char('1' + i) + "\n", heard;
        send(guests[i], said.c_str(), static_cast<int>(said.size()), 0);
        for (int j = 0; j < 3; ++j) {
            if (j != i && ReadLine(guests[j], heard))
                printf("%s hears %s\n", names[j], heard.c_str());
        }
    }
    for (SOCKET s : guests) {
        shutdown(s, SD_SEND);
        std::string end;
        printf("the end: %s\n", ReadLine(s, end) ? end.c_str() : "yes");
        closesocket(s);
    }
    closesocket(listener);
    DWORD codes = 0;
    WaitForSingleObject(hall, INFINITE);
    GetExitCodeThread(hall, &codes);
    CloseHandle(hall);
    printf("%ld lines, %u guests are left, codes %lu\n", g_lines, (unsigned)g_room.size(),
           (unsigned long)codes);
    printf("TlsFree %d\n", TlsFree(g_slot));
    DeleteCriticalSection(&g_cs);
    WSACleanup();
    return 0;
}
