/* See ax/rtp_thread.h and ax_rtp_address.h. Threads: any. Allocation: none. */
#include "ax_rtp_address.h"

#include "ax/err.h"

#include <sys/socket.h>

int ax_rtp_address_make(union ax_rtp_address *out, const uint8_t *host, size_t n, uint16_t port)
{
    memset(out, 0, sizeof *out);
    if (n == sizeof out->v4.sin_addr) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        memcpy(&out->v4.sin_addr, host, n);
    } else if (n == sizeof out->v6.sin6_addr) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        memcpy(&out->v6.sin6_addr, host, n);
    } else {
        return AX_E_RANGE;
    }
    return AX_OK;
}

size_t ax_rtp_address_read(const union ax_rtp_address *a, uint8_t host[16], uint16_t *port)
{
    if (!address_known(a))
        return 0;
    const bool four = a->any.sa_family == AF_INET;
    const size_t n = four ? sizeof a->v4.sin_addr : sizeof a->v6.sin6_addr;
    memcpy(host, four ? (const void *)&a->v4.sin_addr : (const void *)&a->v6.sin6_addr, n);
    *port = ntohs(address_port(a));
    return n;
}

bool rtp_address_tie(int fd, const union ax_rtp_address *peer)
{
    union ax_rtp_address own;
    socklen_t size = sizeof own;
    return getsockname(fd, &own.any, &size) == 0 && !address_open(&own) && connect(fd, &peer->any, address_size(peer)) == 0;
}

void rtp_address_untie(int fd)
{
    static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    union ax_rtp_address own;
    socklen_t size = sizeof own;
    if (getsockname(fd, &own.any, &size) == 0 && connect(fd, &nobody, sizeof nobody) == 0)
        (void)bind(fd, &own.any, size); /* A port that the system chose goes with the peer; any other is still bound. */
}
