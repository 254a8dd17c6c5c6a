/* The tap, for the threads that own outputs: see ax_io_tap.c. A tap belongs to one thread; `errors` may be read anywhere. */
#ifndef AX_IO_TAP_H
#define AX_IO_TAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

struct tap {
    int fd; /**< -1 when there is none. */
    struct sockaddr_un to;
    atomic_ullong errors;
};

/* `path` NULL: none. AX_E_RANGE for one that is too long. */
int io_tap_open(struct tap *tap, const char *path);
void io_tap_close(struct tap *tap);
void io_tap_send(struct tap *tap, const char *name, bool active, uint64_t t_ns);

#endif
