/*
 * ipexport.h - an IPv4 address as a number, and how an IP request ended.
 *
 * https://learn.microsoft.com/en-us/windows/win32/api/ipexport/
 */
#ifndef IP_EXPORT_INCLUDED
#define IP_EXPORT_INCLUDED

#include <minwindef.h>

typedef ULONG IPAddr, IPMask; /* network byte order */
typedef ULONG IP_STATUS;

#define IP_SUCCESS 0
#define IP_BUF_TOO_SMALL 11001
#define IP_DEST_NET_UNREACHABLE 11002
#define IP_DEST_HOST_UNREACHABLE 11003
#define IP_DEST_PROT_UNREACHABLE 11004
#define IP_DEST_PORT_UNREACHABLE 11005
#define IP_NO_RESOURCES 11006
#define IP_BAD_OPTION 11007
#define IP_HW_ERROR 11008
#define IP_PACKET_TOO_BIG 11009
#define IP_REQ_TIMED_OUT 11010
#define IP_BAD_REQ 11011
#define IP_BAD_ROUTE 11012
#define IP_TTL_EXPIRED_TRANSIT 11013
#define IP_TTL_EXPIRED_REASSEM 11014
#define IP_PARAM_PROBLEM 11015
#define IP_SOURCE_QUENCH 11016
#define IP_OPTION_TOO_BIG 11017
#define IP_BAD_DESTINATION 11018
#define IP_GENERAL_FAILURE 11050

#endif
