/*
 * ws2ipdef.h: TCP/IP on top of ws2def.h: SOCKADDR_IN6, SOCKADDR_INET, options of levels IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP.
 * Follows the pages af-inet6, ns-ws2ipdef-sockaddr_in6_lh, "IPPROTO_TCP socket options".
 */
#ifndef _WS2IPDEF_
#define _WS2IPDEF_

#include "ws2def.h"
#include "in6addr.h"
#include "wdmrtl.h"

/* IPv6 socket addresses, and either kind. */
typedef struct sockaddr_in6 {
    ADDRESS_FAMILY sin6_family;
    USHORT sin6_port;
    ULONG sin6_flowinfo;
    IN6_ADDR sin6_addr;
    union {
        ULONG sin6_scope_id;
        SCOPE_ID sin6_scope_struct;
    };
} SOCKADDR_IN6, *PSOCKADDR_IN6, *LPSOCKADDR_IN6, SOCKADDR_IN6_LH, *PSOCKADDR_IN6_LH;

typedef union _SOCKADDR_INET {
    SOCKADDR_IN Ipv4;
    SOCKADDR_IN6 Ipv6;
    ADDRESS_FAMILY si_family;
} SOCKADDR_INET, *PSOCKADDR_INET;

#define SS_PORT(ssp) (((PSOCKADDR_IN)(ssp))->sin_port)
#define INET_ADDRSTRLEN 22
#define INET6_ADDRSTRLEN 65
#define IN6ADDR_ANY_INIT { 0 }
#define IN6ADDR_LOOPBACK_INIT { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }
#define IN6ADDR_ALLNODESONLINK_INIT { 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01 }
extern const IN_ADDR in4addr_any;
extern const IN_ADDR in4addr_loopback;
extern const IN6_ADDR in6addr_any;
extern const IN6_ADDR in6addr_loopback;

/* Tests on addresses. */
FORCEINLINE BOOLEAN IN4_IS_ADDR_UNSPECIFIED(const IN_ADDR *a)
{
    return (BOOLEAN)(a->s_addr == 0);
}
FORCEINLINE BOOLEAN IN4_IS_ADDR_LOOPBACK(const IN_ADDR *a)
{
    return (BOOLEAN)(*((PUCHAR)a) == 0x7f);
}
FORCEINLINE BOOLEAN IN4_IS_ADDR_MULTICAST(const IN_ADDR *a)
{
    return (BOOLEAN)((*((PUCHAR)a) & 0xf0) == 0xe0);
}
FORCEINLINE BOOLEAN IN4_ADDR_EQUAL(const IN_ADDR *a, const IN_ADDR *b)
{
    return (BOOLEAN)(a->s_addr == b->s_addr);
}
FORCEINLINE BOOLEAN IN6_ADDR_EQUAL(const IN6_ADDR *x, const IN6_ADDR *y)
{
    return (BOOLEAN)(memcmp(x, y, sizeof(IN6_ADDR)) == 0);
}
FORCEINLINE BOOLEAN IN6_IS_ADDR_UNSPECIFIED(const IN6_ADDR *a)
{
    return (BOOLEAN)(a->s6_words[0] == 0 && a->s6_words[1] == 0 && a->s6_words[2] == 0 && a->s6_words[3] == 0 &&
                     a->s6_words[4] == 0 && a->s6_words[5] == 0 && a->s6_words[6] == 0 && a->s6_words[7] == 0);
}
FORCEINLINE BOOLEAN IN6_IS_ADDR_LOOPBACK(const IN6_ADDR *a)
{
    return (BOOLEAN)(a->s6_words[0] == 0 && a->s6_words[1] == 0 && a->s6_words[2] == 0 && a->s6_words[3] == 0 &&
                     a->s6_words[4] == 0 && a->s6_words[5] == 0 && a->s6_words[6] == 0 && a->s6_words[7] == 0x0100);
}
FORCEINLINE BOOLEAN IN6_IS_ADDR_MULTICAST(const IN6_ADDR *a)
{
    return (BOOLEAN)(a->s6_bytes[0] == 0xff);
}
FORCEINLINE BOOLEAN IN6_IS_ADDR_LINKLOCAL(const IN6_ADDR *a)
{
    return (BOOLEAN)(a->s6_bytes[0] == 0xfe && (a->s6_bytes[1] & 0xc0) == 0x80);
}
FORCEINLINE VOID IN4ADDR_SETANY(PSOCKADDR_IN a)
{
    memset(a, 0, sizeof(SOCKADDR_IN));
    a->sin_family = AF_INET;
}
/* An IPv4 address as an IPv6 one, ::ffff:a.b.c.d, as sockets for both families have it (WSK-AF-06). */
FORCEINLINE BOOLEAN IN6_IS_ADDR_V4MAPPED(const IN6_ADDR *a)
{
    return a->u.Word[0] == 0 && a->u.Word[1] == 0 && a->u.Word[2] == 0 && a->u.Word[3] == 0 && a->u.Word[4] == 0 &&
           a->u.Word[5] == 0xFFFF;
}
FORCEINLINE const UCHAR *IN6_GET_ADDR_V4MAPPED(const IN6_ADDR *a)
{
    return &a->u.Byte[12];
}
FORCEINLINE VOID IN6_SET_ADDR_V4MAPPED(PIN6_ADDR a6, const IN_ADDR *a4)
{
    memset(a6, 0, sizeof(IN6_ADDR));
    a6->u.Word[5] = 0xFFFF;
    memcpy(&a6->u.Byte[12], a4, sizeof(IN_ADDR));
}
FORCEINLINE BOOLEAN IN6ADDR_ISV4MAPPED(const SOCKADDR_IN6 *a)
{
    return IN6_IS_ADDR_V4MAPPED(&a->sin6_addr);
}
FORCEINLINE VOID IN6ADDR_SETV4MAPPED(PSOCKADDR_IN6 a6, const IN_ADDR *a4, SCOPE_ID scope, USHORT port)
{
    memset(a6, 0, sizeof(SOCKADDR_IN6));
    a6->sin6_family = AF_INET6;
    a6->sin6_port = port;
    IN6_SET_ADDR_V4MAPPED(&a6->sin6_addr, a4);
    a6->sin6_scope_struct = scope;
}
FORCEINLINE VOID IN6ADDR_SETANY(PSOCKADDR_IN6 a)
{
    memset(a, 0, sizeof(SOCKADDR_IN6));
    a->sin6_family = AF_INET6;
}
FORCEINLINE VOID IN6ADDR_SETLOOPBACK(PSOCKADDR_IN6 a)
{
    IN6ADDR_SETANY(a);
    a->sin6_addr.s6_bytes[15] = 1;
}

/* Level IPPROTO_IP. */
#define IP_OPTIONS 1
#define IP_HDRINCL 2
#define IP_TOS 3
#define IP_TTL 4
#define IP_MULTICAST_IF 9
#define IP_MULTICAST_TTL 10
#define IP_MULTICAST_LOOP 11
#define IP_ADD_MEMBERSHIP 12
#define IP_DROP_MEMBERSHIP 13
#define IP_DONTFRAGMENT 14
#define IP_ADD_SOURCE_MEMBERSHIP 15
#define IP_DROP_SOURCE_MEMBERSHIP 16
#define IP_BLOCK_SOURCE 17
#define IP_UNBLOCK_SOURCE 18
#define IP_PKTINFO 19
#define IP_HOPLIMIT 21
#define IP_RECEIVE_BROADCAST 22
#define IP_RECVIF 24
#define IP_RECVDSTADDR 25
#define IP_IFLIST 28
#define IP_ADD_IFLIST 29
#define IP_DEL_IFLIST 30
#define IP_UNICAST_IF 31
#define IP_DEFAULT_MULTICAST_TTL 1
#define IP_DEFAULT_MULTICAST_LOOP 1
typedef struct ip_mreq {
    IN_ADDR imr_multiaddr;
    IN_ADDR imr_interface;
} IP_MREQ, *PIP_MREQ;
typedef struct in_pktinfo {
    IN_ADDR ipi_addr;
    ULONG ipi_ifindex;
} IN_PKTINFO, *PIN_PKTINFO;

/* Level IPPROTO_IPV6. */
#define IPV6_HOPOPTS 1
#define IPV6_HDRINCL 2
#define IPV6_UNICAST_HOPS 4
#define IPV6_MULTICAST_IF 9
#define IPV6_MULTICAST_HOPS 10
#define IPV6_MULTICAST_LOOP 11
#define IPV6_ADD_MEMBERSHIP 12
#define IPV6_JOIN_GROUP IPV6_ADD_MEMBERSHIP
#define IPV6_DROP_MEMBERSHIP 13
#define IPV6_LEAVE_GROUP IPV6_DROP_MEMBERSHIP
#define IPV6_DONTFRAG 14
#define IPV6_PKTINFO 19
#define IPV6_HOPLIMIT 21
#define IPV6_PROTECTION_LEVEL 23
#define IPV6_RECVIF 24
#define IPV6_RECVDSTADDR 25
#define IPV6_CHECKSUM 26
#define IPV6_V6ONLY 27
#define IPV6_UNICAST_IF 31
typedef struct ipv6_mreq {
    IN6_ADDR ipv6mr_multiaddr;
    ULONG ipv6mr_interface;
} IPV6_MREQ, *PIPV6_MREQ;
typedef struct in6_pktinfo {
    IN6_ADDR ipi6_addr;
    ULONG ipi6_ifindex;
} IN6_PKTINFO, *PIN6_PKTINFO;

/* Level IPPROTO_TCP and IPPROTO_UDP. */
#define TCP_OFFLOAD_NO_PREFERENCE 0
#define TCP_OFFLOAD_NOT_PREFERRED 1
#define TCP_OFFLOAD_PREFERRED 2
#define TCP_EXPEDITED_1122 0x0002
#define TCP_KEEPALIVE 3
#define TCP_MAXSEG 4
#define TCP_MAXRT 5
#define TCP_STDURG 6
#define TCP_NOURG 7
#define TCP_ATMARK 8
#define TCP_NOSYNRETRIES 9
#define TCP_TIMESTAMPS 10
#define TCP_OFFLOAD_PREFERENCE 11
#define TCP_CONGESTION_ALGORITHM 12
#define TCP_DELAY_FIN_ACK 13
#define TCP_MAXRTMS 14
#define TCP_FASTOPEN 15
#define TCP_KEEPCNT 16
#define TCP_KEEPIDLE TCP_KEEPALIVE
#define TCP_KEEPINTVL 17
#define UDP_NOCHECKSUM 1
#define UDP_CHECKSUM_COVERAGE 20

#endif
