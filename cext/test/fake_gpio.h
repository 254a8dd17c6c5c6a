/* A GPIO chip made of pipes: each line request is a pipe whose read end is the request's descriptor. */
#ifndef FAKE_GPIO_H
#define FAKE_GPIO_H

#include "ax/gpio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define FAKE_REQUESTS 8

struct fake_chip {
    struct gpio_v2_line_request request[FAKE_REQUESTS]; /* as asked, in the order of asking */
    int feed[FAKE_REQUESTS];                            /* write end of each */
    int requests;
    int refuse_request;                                 /* number of the request that is refused; -1 = none */
    bool refuse_open, refuse_values, bad_descriptor;
    int read_errno;                                     /* what the next reads fail with; 0 = they do not */
    atomic_ullong input_bits, output_bits, writes;      /* levels by place in the request */
    int opened, closed;
    uint32_t seqno[64];                                 /* by offset: of the latest edge */
};

static int fake_open(void *context, const char *path)
{
    struct fake_chip *chip = context;
    if (chip->refuse_open || strcmp(path, "/dev/gpiochip7") != 0) {
        errno = ENOENT;
        return -1;
    }
    chip->opened++;
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int fake_request(struct fake_chip *chip, struct gpio_v2_line_request *ask)
{
    int ends[2];
    if (chip->requests == chip->refuse_request || pipe(ends) != 0) {
        errno = EBUSY;
        return -1;
    }
    ask->fd = ends[0];
    if (chip->bad_descriptor) { /* a descriptor that nothing can be done with */
        close(ends[0]);
        ask->fd = 1 << 20;
    }
    chip->feed[chip->requests] = ends[1];
    chip->request[chip->requests++] = *ask;
    chip->opened++;
    return 0;
}

static int fake_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    struct fake_chip *chip = context;
    struct gpio_v2_line_values *values = argument;
    (void)fd;
    if (request == GPIO_V2_GET_LINE_IOCTL)
        return fake_request(chip, argument);
    if (chip->refuse_values) {
        errno = EIO;
        return -1;
    }
    if (request == GPIO_V2_LINE_GET_VALUES_IOCTL) {
        values->bits = atomic_load(&chip->input_bits) & values->mask;
        return 0;
    }
    unsigned long long bits = atomic_load(&chip->output_bits);
    atomic_store(&chip->output_bits, (bits & ~values->mask) | (values->bits & values->mask));
    atomic_fetch_add(&chip->writes, 1);
    return 0;
}

static ssize_t fake_read(void *context, int fd, void *buffer, size_t size)
{
    struct fake_chip *chip = context;
    if (chip->read_errno != 0) {
        errno = chip->read_errno;
        return -1;
    }
    return read(fd, buffer, size);
}

static int fake_close(void *context, int fd)
{
    ((struct fake_chip *)context)->closed++;
    return close(fd);
}

static struct ax_gpio_ops fake_ops(struct fake_chip *chip)
{
    memset(chip, 0, sizeof *chip);
    chip->refuse_request = -1;
    return (struct ax_gpio_ops){chip, fake_open, fake_ioctl, fake_read, fake_close};
}

/* One edge of a line, with `lost` edges before it that nobody will see. */
static inline void fake_edge(struct fake_chip *chip, int request, uint64_t t_ns, uint32_t offset, bool level, uint32_t lost)
{
    struct gpio_v2_line_event event = {.timestamp_ns = t_ns, .offset = offset};
    event.id = level ? GPIO_V2_LINE_EVENT_RISING_EDGE : GPIO_V2_LINE_EVENT_FALLING_EDGE;
    event.line_seqno = chip->seqno[offset] += lost + 1;
    ssize_t written = write(chip->feed[request], &event, sizeof event);
    (void)written;
}

static inline void fake_done(struct fake_chip *chip)
{
    for (int i = 0; i < chip->requests; i++)
        close(chip->feed[i]);
}

#endif
