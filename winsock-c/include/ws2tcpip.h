/*
 * ws2tcpip.h - names and addresses of both IP versions.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/
 */
#ifndef _WS2TCPIP_H_
#define _WS2TCPIP_H_

#include <winsock2.h>

#include <string.h>
#include <ws2ipdef.h>

WINSOCK_BEGIN

typedef int socklen_t;

/* Errors of getaddrinfo and getnameinfo: Winsock's, under the names of the standard. */
#define EAI_AGAIN WSATRY_AGAIN
#define EAI_BADFLAGS WSAEINVAL
#define EAI_FAIL WSANO_RECOVERY
#define EAI_FAMILY WSAEAFNOSUPPORT
#define EAI_MEMORY WSA_NOT_ENOUGH_MEMORY
#define EAI_NOSECURENAME WSA_SECURE_HOST_NOT_FOUND
#define EAI_NONAME WSAHOST_NOT_FOUND
#define EAI_NODATA EAI_NONAME
#define EAI_SERVICE WSATYPE_NOT_FOUND
#define EAI_SOCKTYPE WSAESOCKTNOSUPPORT
#define EAI_IPSECPOLICY WSA_IPSEC_NAME_POLICY_ERROR

/*
 * Names to addresses and back.
 */
INT WSAAPI getaddrinfo(PCSTR pNodeName, PCSTR pServiceName, const ADDRINFOA *pHints,
                       PADDRINFOA *ppResult) WINSOCK_OWN(getaddrinfo);
INT WSAAPI GetAddrInfoW(PCWSTR pNodeName, PCWSTR pServiceName, const ADDRINFOW *pHints,
                        PADDRINFOW *ppResult) WINSOCK_WIDE(GetAddrInfoW);
VOID WSAAPI freeaddrinfo(PADDRINFOA pAddrInfo) WINSOCK_OWN(freeaddrinfo);
VOID WSAAPI FreeAddrInfoW(PADDRINFOW pAddrInfo) WINSOCK_WIDE(FreeAddrInfoW);
INT WSAAPI getnameinfo(const SOCKADDR *pSockaddr, socklen_t SockaddrLength, PCHAR pNodeBuffer,
                       DWORD NodeBufferSize, PCHAR pServiceBuffer, DWORD ServiceBufferSize,
                       INT Flags) WINSOCK_OWN(getnameinfo);
INT WSAAPI GetNameInfoW(const SOCKADDR *pSockaddr, socklen_t SockaddrLength, PWCHAR pNodeBuffer,
                        DWORD NodeBufferSize, PWCHAR pServiceBuffer, DWORD ServiceBufferSize,
                        INT Flags) WINSOCK_WIDE(GetNameInfoW);

typedef void(CALLBACK *LPLOOKUPSERVICE_COMPLETION_ROUTINE)(DWORD dwError, DWORD dwBytes,
                                                           LPWSAOVERLAPPED lpOverlapped);
INT WSAAPI GetAddrInfoExA(PCSTR pName, PCSTR pServiceName, DWORD dwNameSpace, LPGUID lpNspId,
                          const ADDRINFOEXA *hints, PADDRINFOEXA *ppResult,
                          struct timeval *timeout, LPOVERLAPPED lpOverlapped,
                          LPLOOKUPSERVICE_COMPLETION_ROUTINE lpCompletionRoutine,
                          LPHANDLE lpNameHandle);
INT WSAAPI GetAddrInfoExW(PCWSTR pName, PCWSTR pServiceName, DWORD dwNameSpace, LPGUID lpNspId,
                          const ADDRINFOEXW *hints, PADDRINFOEXW *ppResult,
                          struct timeval *timeout, LPOVERLAPPED lpOverlapped,
                          LPLOOKUPSERVICE_COMPLETION_ROUTINE lpCompletionRoutine,
                          LPHANDLE lpHandle) WINSOCK_WIDE(GetAddrInfoExW);
INT WSAAPI GetAddrInfoExCancel(LPHANDLE lpHandle);
INT WSAAPI GetAddrInfoExOverlappedResult(LPOVERLAPPED lpOverlapped);
void WSAAPI FreeAddrInfoEx(PADDRINFOEXA pAddrInfoEx);
void WSAAPI FreeAddrInfoExW(PADDRINFOEXW pAddrInfoEx) WINSOCK_WIDE(FreeAddrInfoExW);

#define GetAddrInfoA getaddrinfo
#define FreeAddrInfoA freeaddrinfo
#define GetNameInfoA getnameinfo
#define FreeAddrInfoExA FreeAddrInfoEx
#ifdef UNICODE
#define GetAddrInfo GetAddrInfoW
#define FreeAddrInfo FreeAddrInfoW
#define GetNameInfo GetNameInfoW
#define GetAddrInfoEx GetAddrInfoExW
#undef FreeAddrInfoEx
#define FreeAddrInfoEx FreeAddrInfoExW
#else
#define GetAddrInfo GetAddrInfoA
#define FreeAddrInfo FreeAddrInfoA
#define GetNameInfo GetNameInfoA
#define GetAddrInfoEx GetAddrInfoExA
#endif

/* The text of getaddrinfo's error. As on Windows, the next call overwrites it. */
char *WSAAPI gai_strerrorA(int ecode);
WCHAR *WSAAPI gai_strerrorW(int ecode) WINSOCK_WIDE(gai_strerrorW);
#define GAI_STRERROR_BUFFER_SIZE 1024
#ifdef UNICODE
#define gai_strerror gai_strerrorW
#else
#define gai_strerror gai_strerrorA
#endif

/*
 * Addresses as text.
 */
INT WSAAPI inet_pton(INT Family, PCSTR pszAddrString, PVOID pAddrBuf) WINSOCK_OWN(inet_pton);
INT WSAAPI InetPtonW(INT Family, PCWSTR pszAddrString, PVOID pAddrBuf) WINSOCK_WIDE(InetPtonW);
PCSTR WSAAPI inet_ntop(INT Family, const VOID *pAddr, PSTR pStringBuf, size_t StringBufSize)
    WINSOCK_OWN(inet_ntop);
PCWSTR WSAAPI InetNtopW(INT Family, const VOID *pAddr, PWSTR pStringBuf, size_t StringBufSize)
    WINSOCK_WIDE(InetNtopW);
#define InetPtonA inet_pton
#define InetNtopA inet_ntop
#ifdef UNICODE
#define InetPton InetPtonW
#define InetNtop InetNtopW
#else
#define InetPton InetPtonA
#define InetNtop InetNtopA
#endif

/*
 * What an address is: IN4_ for IPv4, IN6_ for IPv6, INETADDR_ for a socket address of either.
 */
extern const IN6_ADDR in6addr_any WINSOCK_OWN(in6addr_any);
extern const IN6_ADDR in6addr_loopback WINSOCK_OWN(in6addr_loopback);

WINSOCK_INLINE BOOLEAN IN6_ADDR_EQUAL(const IN6_ADDR *x, const IN6_ADDR *y) {
    return memcmp(x, y, sizeof(IN6_ADDR)) == 0;
}
#define IN6_ARE_ADDR_EQUAL IN6_ADDR_EQUAL
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_UNSPECIFIED(const IN6_ADDR *a) {
    return IN6_ADDR_EQUAL(a, &in6addr_any);
}
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_LOOPBACK(const IN6_ADDR *a) {
    return IN6_ADDR_EQUAL(a, &in6addr_loopback);
}
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_MULTICAST(const IN6_ADDR *a) {
    return a->s6_bytes[0] == 0xff;
}
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_LINKLOCAL(const IN6_ADDR *a) {
    return a->s6_bytes[0] == 0xfe && (a->s6_bytes[1] & 0xc0) == 0x80;
}
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_SITELOCAL(const IN6_ADDR *a) {
    return a->s6_bytes[0] == 0xfe && (a->s6_bytes[1] & 0xc0) == 0xc0;
}
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_GLOBAL(const IN6_ADDR *a) {
    ULONG high = a->s6_bytes[0] & 0xe0;
    return high != 0 && high != 0xe0;
}
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_V4MAPPED(const IN6_ADDR *a) {
    static const UCHAR prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a, prefix, sizeof(prefix)) == 0;
}
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_V4COMPAT(const IN6_ADDR *a) {
    static const UCHAR prefix[12] = {0};
    return memcmp(a, prefix, sizeof(prefix)) == 0 && (a->s6_words[6] != 0 || a->s6_bytes[14] != 0 ||
                                                      a->s6_bytes[15] > 1);
}
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_MC_NODELOCAL(const IN6_ADDR *a) {
    return IN6_IS_ADDR_MULTICAST(a) && (a->s6_bytes[1] & 0xf) == 1;
}
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_MC_LINKLOCAL(const IN6_ADDR *a) {
    return IN6_IS_ADDR_MULTICAST(a) && (a->s6_bytes[1] & 0xf) == 2;
}
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_MC_SITELOCAL(const IN6_ADDR *a) {
    return IN6_IS_ADDR_MULTICAST(a) && (a->s6_bytes[1] & 0xf) == 5;
}
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_MC_ORGLOCAL(const IN6_ADDR *a) {
    return IN6_IS_ADDR_MULTICAST(a) && (a->s6_bytes[1] & 0xf) == 8;
}
WINSOCK_INLINE BOOLEAN IN6_IS_ADDR_MC_GLOBAL(const IN6_ADDR *a) {
    return IN6_IS_ADDR_MULTICAST(a) && (a->s6_bytes[1] & 0xf) == 0xe;
}
WINSOCK_INLINE VOID IN6_SET_ADDR_UNSPECIFIED(PIN6_ADDR a) {
    *a = in6addr_any;
}
WINSOCK_INLINE VOID IN6_SET_ADDR_LOOPBACK(PIN6_ADDR a) {
    *a = in6addr_loopback;
}
WINSOCK_INLINE VOID IN6ADDR_SETANY(PSOCKADDR_IN6 a) {
    memset(a, 0, sizeof(*a));
    a->sin6_family = AF_INET6;
}
WINSOCK_INLINE VOID IN6ADDR_SETLOOPBACK(PSOCKADDR_IN6 a) {
    IN6ADDR_SETANY(a);
    a->sin6_addr = in6addr_loopback;
}
WINSOCK_INLINE BOOLEAN IN6ADDR_ISANY(const SOCKADDR_IN6 *a) {
    return IN6_IS_ADDR_UNSPECIFIED(&a->sin6_addr);
}
WINSOCK_INLINE BOOLEAN IN6ADDR_ISLOOPBACK(const SOCKADDR_IN6 *a) {
    return IN6_IS_ADDR_LOOPBACK(&a->sin6_addr);
}
WINSOCK_INLINE VOID IN6ADDR_SETV4MAPPED(PSOCKADDR_IN6 a, const IN_ADDR *v4, SCOPE_ID scope,
                                        USHORT port) {
    IN6ADDR_SETANY(a);
    a->sin6_port = port;
    a->sin6_addr.s6_words[5] = 0xffff;
    memcpy(&a->sin6_addr.s6_bytes[12], v4, sizeof(*v4));
    a->sin6_scope_struct = scope;
}

WINSOCK_INLINE BOOLEAN IN4_ADDR_EQUAL(const IN_ADDR *x, const IN_ADDR *y) {
    return x->s_addr == y->s_addr;
}
WINSOCK_INLINE BOOLEAN IN4_IS_ADDR_UNSPECIFIED(const IN_ADDR *a) {
    return a->s_addr == 0;
}
WINSOCK_INLINE BOOLEAN IN4_IS_ADDR_LOOPBACK(const IN_ADDR *a) {
    return a->s_net == 127;
}
WINSOCK_INLINE BOOLEAN IN4_IS_ADDR_BROADCAST(const IN_ADDR *a) {
    return a->s_addr == 0xffffffff;
}
WINSOCK_INLINE BOOLEAN IN4_IS_ADDR_MULTICAST(const IN_ADDR *a) {
    return (a->s_net & 0xf0) == 0xe0;
}
WINSOCK_INLINE BOOLEAN IN4_IS_ADDR_LINKLOCAL(const IN_ADDR *a) {
    return a->s_net == 169 && a->s_host == 254;
}

WINSOCK_INLINE SIZE_T INET_ADDR_LENGTH(ADDRESS_FAMILY af) {
    return af == AF_INET ? sizeof(IN_ADDR) : sizeof(IN6_ADDR);
}
WINSOCK_INLINE SIZE_T INET_SOCKADDR_LENGTH(ADDRESS_FAMILY af) {
    return af == AF_INET ? sizeof(SOCKADDR_IN) : sizeof(SOCKADDR_IN6);
}
WINSOCK_INLINE BOOLEAN INETADDR_ISANY(const SOCKADDR *a) {
    return a->sa_family == AF_INET
               ? IN4_IS_ADDR_UNSPECIFIED(&((const SOCKADDR_IN *)(const void *)a)->sin_addr)
               : IN6ADDR_ISANY((const SOCKADDR_IN6 *)(const void *)a);
}
WINSOCK_INLINE BOOLEAN INETADDR_ISLOOPBACK(const SOCKADDR *a) {
    return a->sa_family == AF_INET
               ? IN4_IS_ADDR_LOOPBACK(&((const SOCKADDR_IN *)(const void *)a)->sin_addr)
               : IN6ADDR_ISLOOPBACK((const SOCKADDR_IN6 *)(const void *)a);
}
WINSOCK_INLINE BOOLEAN INETADDR_ISV4MAPPED(const SOCKADDR *a) {
    return a->sa_family == AF_INET6 &&
           IN6_IS_ADDR_V4MAPPED(&((const SOCKADDR_IN6 *)(const void *)a)->sin6_addr);
}
WINSOCK_INLINE VOID INETADDR_SETANY(PSOCKADDR a) {
    ADDRESS_FAMILY family = a->sa_family;
    memset(a, 0, INET_SOCKADDR_LENGTH(family));
    a->sa_family = family;
}
WINSOCK_INLINE VOID INETADDR_SETLOOPBACK(PSOCKADDR a) {
    INETADDR_SETANY(a);
    if (a->sa_family == AF_INET)
        ((PSOCKADDR_IN)(void *)a)->sin_addr.s_addr = 0x0100007f;
    else
        ((PSOCKADDR_IN6)(void *)a)->sin6_addr = in6addr_loopback;
}
WINSOCK_INLINE USHORT INETADDR_PORT(const SOCKADDR *a) {
    return ((const SOCKADDR_IN *)(const void *)a)->sin_port; /* both families have it there */
}
WINSOCK_INLINE VOID INETADDR_SET_PORT(PSOCKADDR a, USHORT port) {
    ((PSOCKADDR_IN)(void *)a)->sin_port = port;
}
WINSOCK_INLINE PUCHAR INETADDR_ADDRESS(const SOCKADDR *a) {
    return a->sa_family == AF_INET ? (PUCHAR) & ((PSOCKADDR_IN)(void *)a)->sin_addr
                                   : (PUCHAR) & ((PSOCKADDR_IN6)(void *)a)->sin6_addr;
}
#define SS_PORT(a) (((PSOCKADDR_IN)(a))->sin_port)

#define SIO_GET_INTERFACE_LIST _IOR('t', 127, ULONG)
#define SIO_GET_INTERFACE_LIST_EX _IOR('t', 126, ULONG)

WINSOCK_END

#endif
