/* Lines of a Linux GPIO chip, through the GPIO character device, uAPI v2 (linux/gpio.h; Documentation/userspace-api/gpio).
 *
 * Each reader, all inputs and all outputs are one line request each. Edges carry the kernel's CLOCK_MONOTONIC time.
 * Outputs are requested with the level that they are at rest in, so that taking them makes no edge.
 * Levels are the kernel's logical ones: a line with AX_GPIO_ACTIVE_LOW is inverted before we see it.
 * Threads: a struct ax_gpio belongs to one thread. Allocation: only in open. */
#ifndef AX_GPIO_H
#define AX_GPIO_H

#include "ax/io.h"

#include <poll.h>
#include <sys/types.h>

#define AX_GPIO_PATH_MAX 63
#define AX_GPIO_POLL_MAX (AX_IO_MAX_READERS + 1) /**< Descriptors to poll: one per reader, one for the inputs. */

enum ax_gpio_flag {
    AX_GPIO_ACTIVE_LOW = 1, /**< Low voltage is level 1. */
    AX_GPIO_PULL_UP = 2,
    AX_GPIO_PULL_DOWN = 4,
    AX_GPIO_BIAS_OFF = 8,
    AX_GPIO_OPEN_DRAIN = 16, /**< Outputs only. */
};

struct ax_gpio_line {
    int32_t offset; /**< Number of the line on the chip; -1 = not wired (an input stays normal, an output only shows). */
    uint32_t flags; /**< enum ax_gpio_flag */
};

struct ax_gpio_config {
    char chip[AX_GPIO_PATH_MAX + 1]; /**< "/dev/gpiochip0" */
    struct ax_gpio_line reader[AX_IO_MAX_READERS][2]; /**< DATA0 and DATA1; both wired or none. */
    struct ax_gpio_line input[AX_IO_MAX_INPUTS];
    struct ax_gpio_line output[AX_IO_MAX_OUTPUTS];
};

/** The system calls, replaceable by a fake chip. Results and errno as in the real ones. */
struct ax_gpio_ops {
    void *context;
    int (*open)(void *context, const char *path);
    int (*ioctl)(void *context, int fd, unsigned long request, void *argument);
    ssize_t (*read)(void *context, int fd, void *buffer, size_t size);
    int (*close)(void *context, int fd);
};

/** What ax_gpio_read() finds. */
struct ax_gpio_sink {
    void *context;
    void (*edges)(void *context, uint32_t reader, const struct ax_edge *edges, size_t n);
    void (*input)(void *context, uint64_t t_ns, uint32_t input, bool level);
};

struct ax_gpio;

/** Takes the lines. `io` tells how many there are and where outputs rest. AX_E_RANGE: half a reader, a line named twice or
 * contradicting flags; AX_E_SYS: the driver refuses (errno). */
int ax_gpio_open(struct ax_gpio **out, const struct ax_gpio_config *config, const struct ax_io_config *io,
                 const struct ax_gpio_ops *ops);
void ax_gpio_close(struct ax_gpio *gpio);

/** Fill `fds` (room for AX_GPIO_POLL_MAX); returns how many. A descriptor that failed is left out from then on. */
size_t ax_gpio_poll(const struct ax_gpio *gpio, struct pollfd *fds);
/** Report the level of every input (at start). */
int ax_gpio_sample(struct ax_gpio *gpio, uint64_t now_ns, const struct ax_gpio_sink *sink);
/** Read everything that waits. After edges that the kernel had to drop, a reader gets one edge that repeats a
 * level, so that its decoder refuses the frame (AX_WIEGAND_ORDER), and inputs are read anew. */
int ax_gpio_read(struct ax_gpio *gpio, uint64_t now_ns, const struct ax_gpio_sink *sink);
int ax_gpio_write(struct ax_gpio *gpio, uint32_t output, bool level);
/** Edges that the kernel dropped so far. */
uint64_t ax_gpio_lost(const struct ax_gpio *gpio);

#endif
