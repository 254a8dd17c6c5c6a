/* The GPIO character device, uAPI v2 (contract in ax/gpio.h; the kernel's in linux/gpio.h).
 *
 * Lost edges: the kernel numbers the edges of each line (line_seqno). When its buffer overflows it drops the oldest, and
 * the next edge read has a gap in its number. */
#include "ax/gpio.h"

#include "ax/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BATCH 64
#define BUFFER_EDGES 1024 /* the most that the kernel allows for one request */
#define BIAS_FLAGS (AX_GPIO_PULL_UP | AX_GPIO_PULL_DOWN | AX_GPIO_BIAS_OFF)

/* One line request: some lines, one descriptor. */
struct request {
    int fd; /* -1: no line, or it failed */
    uint32_t n;
    uint32_t offset[GPIO_V2_LINES_MAX];
    uint32_t index[GPIO_V2_LINES_MAX];   /* which input, output or data line each is */
    uint32_t seqno[GPIO_V2_LINES_MAX];   /* line_seqno of the latest edge */
    bool level[GPIO_V2_LINES_MAX];       /* after the latest edge */
};

struct ax_gpio {
    struct ax_gpio_ops ops;
    uint64_t lost;
    uint32_t readers;
    struct request reader[AX_IO_MAX_READERS], input, output;
    int32_t output_bit[AX_IO_MAX_OUTPUTS]; /* place of an output in its request; -1 = not wired */
};

static int system_open(void *context, const char *path)
{
    (void)context;
    return open(path, O_RDWR | O_CLOEXEC);
}

static int system_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    (void)context;
    return ioctl(fd, request, argument);
}

static ssize_t system_read(void *context, int fd, void *buffer, size_t size)
{
    (void)context;
    return read(fd, buffer, size);
}

static int system_close(void *context, int fd)
{
    (void)context;
    return close(fd);
}

static const struct ax_gpio_ops system_ops = {NULL, system_open, system_ioctl, system_read, system_close};

/* --- taking the lines ------------------------------------------------------------------------------------------------ */

static bool flags_agree(uint32_t flags, bool output)
{
    uint32_t bias = flags & BIAS_FLAGS;
    uint32_t known = BIAS_FLAGS | AX_GPIO_ACTIVE_LOW | (output ? (uint32_t)AX_GPIO_OPEN_DRAIN : 0);
    return (flags & ~known) == 0 && (bias & (bias - 1)) == 0;
}

/* Every wired line of the configuration in one list, to find one that is named twice. */
struct seen {
    size_t n;
    int32_t offset[2 * AX_IO_MAX_READERS + AX_IO_MAX_INPUTS + AX_IO_MAX_OUTPUTS];
};

static int check_line(struct seen *seen, const struct ax_gpio_line *line, bool output)
{
    if (line->offset == -1)
        return AX_OK;
    if (line->offset < -1 || !flags_agree(line->flags, output))
        return AX_E_RANGE;
    for (size_t i = 0; i < seen->n; i++)
        if (seen->offset[i] == line->offset)
            return AX_E_RANGE;
    seen->offset[seen->n++] = line->offset;
    return AX_OK;
}

static int check_config(const struct ax_gpio_config *config, const struct ax_io_config *io)
{
    struct seen seen = {0};
    int err = AX_OK;
    if (io->inputs > AX_IO_MAX_INPUTS || io->outputs > AX_IO_MAX_OUTPUTS || io->readers > AX_IO_MAX_READERS ||
        memchr(config->chip, '\0', sizeof config->chip) == NULL)
        return AX_E_RANGE;
    for (uint32_t i = 0; i < io->readers && err == AX_OK; i++) {
        const struct ax_gpio_line *lines = config->reader[i];
        if ((lines[0].offset == -1) != (lines[1].offset == -1) || lines[0].flags != lines[1].flags)
            return AX_E_RANGE;
        err = check_line(&seen, &lines[0], false);
        if (err == AX_OK)
            err = check_line(&seen, &lines[1], false);
    }
    for (uint32_t i = 0; i < io->inputs && err == AX_OK; i++)
        err = check_line(&seen, &config->input[i], false);
    for (uint32_t i = 0; i < io->outputs && err == AX_OK; i++)
        err = check_line(&seen, &config->output[i], true);
    return err;
}

static void add_line(struct request *r, const struct ax_gpio_line *line, uint32_t index, bool level)
{
    r->offset[r->n] = (uint32_t)line->offset;
    r->index[r->n] = index;
    r->level[r->n] = level;
    r->n++;
}

static uint64_t kernel_flags(uint32_t flags, uint64_t direction)
{
    static const struct { uint32_t ours; uint64_t theirs; } table[] = {
        {AX_GPIO_ACTIVE_LOW, GPIO_V2_LINE_FLAG_ACTIVE_LOW},
        {AX_GPIO_PULL_UP, GPIO_V2_LINE_FLAG_BIAS_PULL_UP},
        {AX_GPIO_PULL_DOWN, GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN},
        {AX_GPIO_BIAS_OFF, GPIO_V2_LINE_FLAG_BIAS_DISABLED},
        {AX_GPIO_OPEN_DRAIN, GPIO_V2_LINE_FLAG_OPEN_DRAIN},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((flags & table[i].ours) != 0)
            direction |= table[i].theirs;
    return direction;
}

/* Lines that share their flags share an attribute: the kernel takes ten of them, of which one may be the output values. */
static int add_flags(struct gpio_v2_line_config *config, uint64_t flags, uint32_t bit)
{
    for (uint32_t i = 0; i < config->num_attrs; i++) {
        if (config->attrs[i].attr.id == GPIO_V2_LINE_ATTR_ID_FLAGS && config->attrs[i].attr.flags == flags) {
            config->attrs[i].mask |= UINT64_C(1) << bit;
            return AX_OK;
        }
    }
    if (config->num_attrs == GPIO_V2_LINE_NUM_ATTRS_MAX)
        return AX_E_RANGE;
    config->attrs[config->num_attrs].attr.id = GPIO_V2_LINE_ATTR_ID_FLAGS;
    config->attrs[config->num_attrs].attr.flags = flags;
    config->attrs[config->num_attrs].mask = UINT64_C(1) << bit;
    config->num_attrs++;
    return AX_OK;
}

static int take(struct ax_gpio *g, int chip, struct request *r, const struct ax_gpio_line *lines, bool output)
{
    struct gpio_v2_line_request ask = {.consumer = "axcore"};
    const uint64_t direction = output ? GPIO_V2_LINE_FLAG_OUTPUT
        : GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;
    if (r->n == 0)
        return AX_OK;
    ask.num_lines = r->n;
    ask.event_buffer_size = output ? 0 : BUFFER_EDGES;
    ask.config.flags = direction;
    if (output) {
        ask.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
        ask.config.num_attrs = 1;
    }
    for (uint32_t i = 0; i < r->n; i++) {
        ask.offsets[i] = r->offset[i];
        if (output && r->level[i])
            ask.config.attrs[0].attr.values |= UINT64_C(1) << i;
        if (output)
            ask.config.attrs[0].mask |= UINT64_C(1) << i;
        uint64_t flags = kernel_flags(lines[r->index[i]].flags, direction);
        if (flags != direction && add_flags(&ask.config, flags, i) != AX_OK)
            return AX_E_RANGE;
    }
    if (g->ops.ioctl(g->ops.context, chip, GPIO_V2_GET_LINE_IOCTL, &ask) < 0)
        return AX_E_SYS;
    r->fd = ask.fd;
    if (!output && fcntl(r->fd, F_SETFL, fcntl(r->fd, F_GETFL) | O_NONBLOCK) < 0)
        return AX_E_SYS;
    return AX_OK;
}

static int take_all(struct ax_gpio *g, int chip, const struct ax_gpio_config *config, const struct ax_io_config *io)
{
    int err = AX_OK;
    for (uint32_t i = 0; i < io->outputs; i++) {
        g->output_bit[i] = config->output[i].offset == -1 ? -1 : (int32_t)g->output.n;
        if (config->output[i].offset != -1)
            add_line(&g->output, &config->output[i], i, io->output[i].normal_high);
    }
    for (uint32_t i = 0; i < io->inputs; i++)
        if (config->input[i].offset != -1)
            add_line(&g->input, &config->input[i], i, io->input[i].normal_high);
    err = take(g, chip, &g->output, config->output, true);
    if (err == AX_OK)
        err = take(g, chip, &g->input, config->input, false);
    for (uint32_t i = 0; i < io->readers && err == AX_OK; i++) {
        if (config->reader[i][0].offset == -1)
            continue;
        add_line(&g->reader[i], &config->reader[i][0], 0, true);
        add_line(&g->reader[i], &config->reader[i][1], 1, true);
        err = take(g, chip, &g->reader[i], config->reader[i], false);
    }
    return err;
}

int ax_gpio_open(struct ax_gpio **out, const struct ax_gpio_config *config, const struct ax_io_config *io,
                 const struct ax_gpio_ops *ops)
{
    if (out == NULL || config == NULL || io == NULL)
        return AX_E_ARG;
    *out = NULL;
    int err = check_config(config, io);
    if (err != AX_OK)
        return err;
    struct ax_gpio *g = calloc(1, sizeof *g);
    if (g == NULL)
        return AX_E_NOMEM;
    g->ops = ops != NULL ? *ops : system_ops;
    g->readers = io->readers;
    g->input.fd = g->output.fd = -1;
    for (uint32_t i = 0; i < AX_IO_MAX_READERS; i++)
        g->reader[i].fd = -1;
    int chip = g->ops.open(g->ops.context, config->chip);
    err = chip < 0 ? AX_E_SYS : take_all(g, chip, config, io);
    int saved = errno;
    if (chip >= 0)
        g->ops.close(g->ops.context, chip); /* the lines live on in their own descriptors */
    if (err != AX_OK) {
        ax_gpio_close(g);
        errno = saved;
        return err;
    }
    *out = g;
    return AX_OK;
}

static void give_back(struct ax_gpio *g, struct request *r)
{
    if (r->fd >= 0)
        g->ops.close(g->ops.context, r->fd);
    r->fd = -1;
}

void ax_gpio_close(struct ax_gpio *g)
{
    if (g == NULL)
        return;
    for (uint32_t i = 0; i < g->readers; i++)
        give_back(g, &g->reader[i]);
    give_back(g, &g->input);
    give_back(g, &g->output);
    free(g);
}

/* --- edges ----------------------------------------------------------------------------------------------------------- */

size_t ax_gpio_poll(const struct ax_gpio *g, struct pollfd *fds)
{
    size_t n = 0;
    if (g->input.fd >= 0)
        fds[n++] = (struct pollfd){.fd = g->input.fd, .events = POLLIN};
    for (uint32_t i = 0; i < g->readers; i++)
        if (g->reader[i].fd >= 0)
            fds[n++] = (struct pollfd){.fd = g->reader[i].fd, .events = POLLIN};
    return n;
}

int ax_gpio_sample(struct ax_gpio *g, uint64_t now_ns, const struct ax_gpio_sink *sink)
{
    struct gpio_v2_line_values values = {0};
    if (g->input.fd < 0)
        return AX_OK;
    for (uint32_t i = 0; i < g->input.n; i++)
        values.mask |= UINT64_C(1) << i;
    if (g->ops.ioctl(g->ops.context, g->input.fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) < 0)
        return AX_E_SYS;
    for (uint32_t i = 0; i < g->input.n; i++)
        sink->input(sink->context, now_ns, g->input.index[i], (values.bits >> i & 1) != 0);
    return AX_OK;
}

/* Which line of the request an edge is of, and how many edges of that line were lost before it. */
static uint32_t place(struct ax_gpio *g, struct request *r, const struct gpio_v2_line_event *event, uint32_t *lost)
{
    uint32_t i = 0;
    while (i < r->n && r->offset[i] != event->offset)
        i++;
    *lost = 0;
    if (i == r->n)
        return i;
    *lost = event->line_seqno - r->seqno[i] - 1;
    r->seqno[i] = event->line_seqno;
    g->lost += *lost;
    return i;
}

static void reader_edges(struct ax_gpio *g, uint32_t reader, const struct gpio_v2_line_event *events, size_t n,
                         const struct ax_gpio_sink *sink)
{
    struct request *r = &g->reader[reader];
    struct ax_edge edges[2 * BATCH];
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t lost, line = place(g, r, &events[i], &lost);
        if (line == r->n)
            continue;
        bool level = events[i].id == GPIO_V2_LINE_EVENT_RISING_EDGE;
        if (lost > 0 && level != r->level[line]) /* else the edge itself repeats a level */
            edges[count++] = (struct ax_edge){events[i].timestamp_ns, line, r->level[line]};
        edges[count++] = (struct ax_edge){events[i].timestamp_ns, line, level};
        r->level[line] = level;
    }
    if (count > 0)
        sink->edges(sink->context, reader, edges, count);
}

static bool input_edges(struct ax_gpio *g, const struct gpio_v2_line_event *events, size_t n,
                        const struct ax_gpio_sink *sink)
{
    bool any_lost = false;
    for (size_t i = 0; i < n; i++) {
        uint32_t lost, line = place(g, &g->input, &events[i], &lost);
        if (line == g->input.n)
            continue;
        any_lost |= lost > 0;
        sink->input(sink->context, events[i].timestamp_ns, g->input.index[line],
                    events[i].id == GPIO_V2_LINE_EVENT_RISING_EDGE);
    }
    return any_lost;
}

/* One batch: how many edges, 0 when there are none for now, < 0 when the descriptor is of no more use. */
static int read_batch(struct ax_gpio *g, struct request *r, struct gpio_v2_line_event *events)
{
    ssize_t bytes = g->ops.read(g->ops.context, r->fd, events, BATCH * sizeof *events);
    if (bytes > 0)
        return (int)((size_t)bytes / sizeof *events);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    give_back(g, r);
    return AX_E_SYS;
}

int ax_gpio_read(struct ax_gpio *g, uint64_t now_ns, const struct ax_gpio_sink *sink)
{
    struct gpio_v2_line_event events[BATCH];
    int n, err = AX_OK;
    bool any_lost = false;
    for (uint32_t i = 0; i < g->readers; i++) {
        for (n = BATCH; n == BATCH && g->reader[i].fd >= 0;) {
            n = read_batch(g, &g->reader[i], events);
            if (n > 0)
                reader_edges(g, i, events, (size_t)n, sink);
            err = n < 0 ? n : err;
        }
    }
    for (n = BATCH; n == BATCH && g->input.fd >= 0;) {
        n = read_batch(g, &g->input, events);
        if (n > 0)
            any_lost |= input_edges(g, events, (size_t)n, sink);
        err = n < 0 ? n : err;
    }
    if (any_lost && ax_gpio_sample(g, now_ns, sink) != AX_OK)
        err = AX_E_SYS;
    return err;
}

int ax_gpio_write(struct ax_gpio *g, uint32_t output, bool level)
{
    if (g->output_bit[output] < 0)
        return AX_OK;
    struct gpio_v2_line_values values = {.mask = UINT64_C(1) << g->output_bit[output]};
    values.bits = level ? values.mask : 0;
    return g->ops.ioctl(g->ops.context, g->output.fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &values) < 0 ? AX_E_SYS : AX_OK;
}

uint64_t ax_gpio_lost(const struct ax_gpio *g)
{
    return g->lost;
}
