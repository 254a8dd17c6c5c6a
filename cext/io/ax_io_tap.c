/* The tap: each output edge as one JSON datagram, sent by the I/O thread at the moment the pin changes, so that it is seen
 * from outside even if the process dies next. It never waits: what the socket does not take is counted. */
#include "ax_io_tap.h"

#include "ax/err.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int io_tap_open(struct tap *tap, const char *path)
{
    tap->fd = -1;
    if (path == NULL)
        return AX_OK;
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof tap->to.sun_path)
        return AX_E_RANGE;
    memset(&tap->to, 0, sizeof tap->to);
    tap->to.sun_family = AF_UNIX;
    memcpy(tap->to.sun_path, path, length + 1);
    tap->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return tap->fd < 0 ? AX_E_SYS : AX_OK;
}

void io_tap_close(struct tap *tap)
{
    if (tap->fd >= 0)
        close(tap->fd);
    tap->fd = -1;
}

void io_tap_send(struct tap *tap, const char *name, bool active, uint64_t t_ns)
{
    char text[128];
    if (tap->fd < 0)
        return;
    int length = snprintf(text, sizeof text, "{\"io\":\"%s\",\"active\":%s,\"t_ns\":%" PRIu64 "}", name,
                          active ? "true" : "false", t_ns);
    ssize_t sent = sendto(tap->fd, text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)&tap->to, sizeof tap->to);
    if (sent != length)
        atomic_fetch_add_explicit(&tap->errors, 1, memory_order_relaxed);
}
