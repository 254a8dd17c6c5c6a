/* Addresses of IPv4 and IPv6 with their ports. Threads: any. Allocation: none. */
#ifndef AX_RTP_ADDRESS_H
#define AX_RTP_ADDRESS_H

#include "ax/rtp_thread.h"

#include <stdbool.h>
#include <string.h>

/* Tie a socket to its peer: it sends without asking for the way each time, and what others send does not take its room. False:
 * it is bound to all addresses, and the peer may send to another one than packets leave from; or the system says no. */
bool rtp_address_tie(int fd, const union ax_rtp_address *peer);
/* It is bound as before, and hears everybody. */
void rtp_address_untie(int fd);

static inline socklen_t address_size(const union ax_rtp_address *a)
{
    return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

static inline bool address_known(const union ax_rtp_address *a)
{
    return a->any.sa_family == AF_INET || a->any.sa_family == AF_INET6;
}

static inline bool address_same_host(const union ax_rtp_address *a, const union ax_rtp_address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    return a->any.sa_family == AF_INET ? a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr
                                       : memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

/* Of all of a machine's addresses. */
static inline bool address_open(const union ax_rtp_address *a)
{
    return a->any.sa_family == AF_INET6 ? memcmp(&a->v6.sin6_addr, &in6addr_any, sizeof in6addr_any) == 0
                                        : a->v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

static inline in_port_t address_port(const union ax_rtp_address *a)
{
    return a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port;
}

static inline bool address_same(const union ax_rtp_address *a, const union ax_rtp_address *b)
{
    return address_same_host(a, b) && address_port(a) == address_port(b);
}

static inline union ax_rtp_address address_after(const union ax_rtp_address *a)
{
    union ax_rtp_address next = *a;
    if (next.any.sa_family == AF_INET)
        next.v4.sin_port = htons((uint16_t)(ntohs(next.v4.sin_port) + 1));
    else if (next.any.sa_family == AF_INET6)
        next.v6.sin6_port = htons((uint16_t)(ntohs(next.v6.sin6_port) + 1));
    return next;
}

/* A number for an address that others cannot foresee (mixing of MurmurHash3's finaliser, keyed). Never 0 or 1. */
static inline uint64_t address_number(uint64_t seed, const union ax_rtp_address *a)
{
    uint64_t words[3] = {address_port(a), 0, 0};
    if (a->any.sa_family == AF_INET)
        words[1] = a->v4.sin_addr.s_addr;
    else
        memcpy(words + 1, &a->v6.sin6_addr, 16);
    uint64_t h = seed;
    for (int i = 0; i < 3; i++) {
        h ^= words[i];
        h = (h ^ h >> 33) * 0xFF51AFD7ED558CCDull;
        h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53ull;
        h ^= h >> 33;
    }
    return h | 2;
}

#endif
