/*
 * netioapi.h - network adapters by name and by index.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/netioapi/
 */
#ifndef _NETIOAPI_H_
#define _NETIOAPI_H_

#include <winsock2.h>

#include <ifdef.h>
#include <ws2ipdef.h>

WINSOCK_BEGIN

#define IF_NAMESIZE NDIS_IF_MAX_STRING_SIZE

/* Names are Linux'. InterfaceName has room for IF_NAMESIZE + 1. */
IF_INDEX WINAPI if_nametoindex(PCSTR InterfaceName) WINSOCK_OWN(if_nametoindex);
PCHAR WINAPI if_indextoname(NET_IFINDEX InterfaceIndex, PCHAR InterfaceName)
    WINSOCK_OWN(if_indextoname);

WINSOCK_END

#endif
