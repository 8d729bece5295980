/*
 * iphlpapi.h - the network adapters of this computer.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/iphlpapi/
 */
#ifndef __IPHLPAPI_H__
#define __IPHLPAPI_H__

#include <winsock2.h>

#include <ipexport.h>
#include <iptypes.h>
#include <netioapi.h>

WINSOCK_BEGIN

/*
 * Both fill the caller's memory with a list. Too little of it: ERROR_BUFFER_OVERFLOW, and SizePointer
 * says how much it takes.
 */
ULONG WINAPI GetAdaptersAddresses(ULONG Family, ULONG Flags, PVOID Reserved,
                                  PIP_ADAPTER_ADDRESSES AdapterAddresses, PULONG SizePointer)
    WINSOCK_WIDE(GetAdaptersAddresses);
ULONG WINAPI GetAdaptersInfo(PIP_ADAPTER_INFO AdapterInfo, PULONG SizePointer);

/* The adapter that leads to an address. */
DWORD WINAPI GetBestInterface(IPAddr dwDestAddr, PDWORD pdwBestIfIndex);
DWORD WINAPI GetBestInterfaceEx(struct sockaddr *pDestAddr, PDWORD pdwBestIfIndex);

WINSOCK_END

#endif
