/* GPIO lines over a fake chip: what is asked of the kernel, edges in batches, lost edges, and a chip that goes away. */
#include "ax/err.h"
#include "ax_test.h"
#include "fake_gpio.h"

#define INPUT (GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING)

/* Order of the requests in the fake chip. */
enum { OUTPUTS, INPUTS, READER };

static struct ax_io_config io = {.inputs = 3, .outputs = 3, .readers = 2};

static struct ax_gpio_config standard(void)
{
    struct ax_gpio_config config = {
        .chip = "/dev/gpiochip7",
        .reader = {{{20, AX_GPIO_PULL_UP}, {21, AX_GPIO_PULL_UP}}, {{-1, 0}, {-1, 0}}},
        .input = {{5, AX_GPIO_PULL_UP}, {-1, 0}, {6, AX_GPIO_PULL_DOWN | AX_GPIO_ACTIVE_LOW}},
        .output = {{10, 0}, {11, AX_GPIO_OPEN_DRAIN}, {-1, 0}},
    };
    io.input[0].normal_high = 1;
    io.output[1].normal_high = 1;
    return config;
}

static struct ax_edge edges[512];
static size_t n_edges;
static struct { uint64_t t_ns; uint32_t input; bool level; } levels[512];
static size_t n_levels;

static void on_edges(void *context, uint32_t reader, const struct ax_edge *batch, size_t n)
{
    (void)context;
    CHECK_EQ(reader, 0);
    memcpy(edges + n_edges, batch, n * sizeof *batch);
    n_edges += n;
}

static void on_input(void *context, uint64_t t_ns, uint32_t input, bool level)
{
    (void)context;
    levels[n_levels].t_ns = t_ns;
    levels[n_levels].input = input;
    levels[n_levels++].level = level;
}

static const struct ax_gpio_sink sink = {NULL, on_edges, on_input};

static void test_requests(void)
{
    struct fake_chip chip;
    struct ax_gpio_ops ops = fake_ops(&chip);
    struct ax_gpio_config config = standard();
    struct ax_gpio *gpio;
    CHECK_EQ(ax_gpio_open(&gpio, &config, &io, &ops), AX_OK);
    CHECK_EQ(chip.requests, 3);
    const struct gpio_v2_line_request *out = &chip.request[OUTPUTS], *in = &chip.request[INPUTS];
    CHECK(strcmp(out->consumer, "axcore") == 0);
    CHECK_EQ(out->num_lines, 2);
    CHECK_EQ(out->offsets[1], 11);
    CHECK_EQ(out->config.flags, GPIO_V2_LINE_FLAG_OUTPUT);
    CHECK_EQ(out->config.num_attrs, 2);
    CHECK_EQ(out->config.attrs[0].attr.id, GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES);
    CHECK_EQ(out->config.attrs[0].mask, 3);
    CHECK_EQ(out->config.attrs[0].attr.values, 2); /* the level at rest: no edge is made */
    CHECK_EQ(out->config.attrs[1].attr.flags, GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_OPEN_DRAIN);
    CHECK_EQ(out->config.attrs[1].mask, 2);
    CHECK_EQ(in->num_lines, 2);
    CHECK_EQ(in->config.flags, INPUT);
    CHECK_EQ(in->event_buffer_size, 1024);
    CHECK_EQ(in->config.attrs[0].attr.flags, INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_UP);
    CHECK_EQ(in->config.attrs[1].attr.flags, INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN | GPIO_V2_LINE_FLAG_ACTIVE_LOW);
    CHECK_EQ(chip.request[READER].config.num_attrs, 1);
    CHECK_EQ(chip.request[READER].config.attrs[0].mask, 3);
    CHECK_EQ(chip.writes, 0);
    CHECK_EQ(ax_gpio_write(gpio, 1, false), AX_OK);
    CHECK_EQ(ax_gpio_write(gpio, 0, true), AX_OK);
    CHECK_EQ(ax_gpio_write(gpio, 2, true), AX_OK); /* not wired */
    CHECK_EQ(chip.output_bits, 1);
    CHECK_EQ(chip.writes, 2);
    chip.refuse_values = true;
    CHECK_EQ(ax_gpio_write(gpio, 0, true), AX_E_SYS);
    CHECK_EQ(ax_gpio_sample(gpio, 1, &sink), AX_E_SYS);
    ax_gpio_close(gpio);
    ax_gpio_close(NULL);
    CHECK_EQ(chip.opened, chip.closed);
    fake_done(&chip);
}

static void test_edges(void)
{
    struct fake_chip chip;
    struct ax_gpio_ops ops = fake_ops(&chip);
    struct ax_gpio_config config = standard();
    struct ax_gpio *gpio;
    struct pollfd fds[AX_GPIO_POLL_MAX];
    n_edges = n_levels = 0;
    CHECK_EQ(ax_gpio_open(&gpio, &config, &io, &ops), AX_OK);
    CHECK_EQ(ax_gpio_poll(gpio, fds), 2);
    CHECK_EQ(ax_gpio_read(gpio, 0, &sink), AX_OK); /* nothing there */
    chip.input_bits = 2;
    CHECK_EQ(ax_gpio_sample(gpio, 77, &sink), AX_OK);
    CHECK_EQ(n_levels, 2);
    CHECK(levels[0].input == 0 && !levels[0].level && levels[0].t_ns == 77);
    CHECK(levels[1].input == 2 && levels[1].level);
    for (uint64_t i = 0; i < 200; i++) /* more than a batch */
        fake_edge(&chip, READER, i, i / 2 % 2 == 0 ? 20 : 21, i % 2 == 1, 0);
    fake_edge(&chip, READER, 1, 33, true, 0); /* a line that is none of ours */
    fake_edge(&chip, INPUTS, 300, 6, true, 0);
    fake_edge(&chip, INPUTS, 301, 34, true, 0);
    CHECK_EQ(ax_gpio_read(gpio, 400, &sink), AX_OK);
    CHECK_EQ(n_edges, 200);
    for (uint64_t i = 0; i < 200; i++)
        CHECK(edges[i].t_ns == i && edges[i].line == i / 2 % 2 && edges[i].level == i % 2);
    CHECK_EQ(n_levels, 3);
    CHECK(levels[2].input == 2 && levels[2].level && levels[2].t_ns == 300);
    CHECK_EQ(ax_gpio_lost(gpio), 0);
    ax_gpio_close(gpio);
    fake_done(&chip);
}

static void test_lost_edges(void)
{
    struct fake_chip chip;
    struct ax_gpio_ops ops = fake_ops(&chip);
    struct ax_gpio_config config = standard();
    struct ax_gpio *gpio;
    n_edges = n_levels = 0;
    CHECK_EQ(ax_gpio_open(&gpio, &config, &io, &ops), AX_OK);
    fake_edge(&chip, READER, 10, 20, false, 0);
    fake_edge(&chip, READER, 20, 20, true, 2);  /* a whole pulse is missing: only the number tells */
    fake_edge(&chip, READER, 30, 20, true, 1);  /* the edge itself repeats a level */
    fake_edge(&chip, READER, 40, 21, false, 0);
    CHECK_EQ(ax_gpio_read(gpio, 50, &sink), AX_OK);
    CHECK_EQ(n_edges, 5);
    CHECK(edges[1].line == 0 && edges[1].level == 0 && edges[1].t_ns == 20); /* a repeated level: ORDER */
    CHECK(edges[2].level == 1 && edges[3].level == 1 && edges[4].line == 1);
    CHECK_EQ(ax_gpio_lost(gpio), 3);
    chip.input_bits = 1;
    fake_edge(&chip, INPUTS, 60, 5, false, 3); /* the line is read anew */
    CHECK_EQ(ax_gpio_read(gpio, 70, &sink), AX_OK);
    CHECK_EQ(n_levels, 3);
    CHECK(levels[0].t_ns == 60 && !levels[0].level);
    CHECK(levels[1].t_ns == 70 && levels[1].input == 0 && levels[1].level);
    CHECK_EQ(ax_gpio_lost(gpio), 6);
    chip.refuse_values = true;
    fake_edge(&chip, INPUTS, 80, 5, true, 1);
    CHECK_EQ(ax_gpio_read(gpio, 90, &sink), AX_E_SYS);
    ax_gpio_close(gpio);
    fake_done(&chip);
}

static void test_the_chip_goes_away(void)
{
    struct fake_chip chip;
    struct ax_gpio_ops ops = fake_ops(&chip);
    struct ax_gpio_config config = standard();
    struct ax_gpio *gpio;
    struct pollfd fds[AX_GPIO_POLL_MAX];
    CHECK_EQ(ax_gpio_open(&gpio, &config, &io, &ops), AX_OK);
    chip.read_errno = EINTR;
    CHECK_EQ(ax_gpio_read(gpio, 0, &sink), AX_OK);
    CHECK_EQ(ax_gpio_poll(gpio, fds), 2);
    chip.read_errno = ENODEV;
    CHECK_EQ(ax_gpio_read(gpio, 0, &sink), AX_E_SYS);
    CHECK_EQ(ax_gpio_poll(gpio, fds), 0); /* not asked again */
    CHECK_EQ(ax_gpio_read(gpio, 0, &sink), AX_OK);
    CHECK_EQ(ax_gpio_sample(gpio, 0, &sink), AX_OK);
    ax_gpio_close(gpio);
    CHECK_EQ(chip.opened, chip.closed);
    fake_done(&chip);
}

static void refuse(int line, const struct ax_gpio_config *config, const struct ax_io_config *counts, int expected)
{
    struct fake_chip chip;
    struct ax_gpio_ops ops = fake_ops(&chip);
    struct ax_gpio *gpio;
    int err = ax_gpio_open(&gpio, config, counts, &ops);
    if (err != expected)
        fprintf(stderr, "refuse() of line %d\n", line);
    CHECK_EQ(err, expected);
    CHECK(gpio == NULL);
    CHECK_EQ(chip.opened, chip.closed);
    fake_done(&chip);
}

#define REFUSED(change, expected)                                                                                      \
    do {                                                                                                               \
        struct ax_gpio_config config = standard();                                                                     \
        struct ax_io_config counts = io;                                                                               \
        change;                                                                                                        \
        refuse(__LINE__, &config, &counts, expected);                                                                  \
    } while (0)

static void test_bad_configurations(void)
{
    REFUSED(config.reader[0][1].offset = -1, AX_E_RANGE);
    REFUSED(config.reader[0][1].flags = 0, AX_E_RANGE);
    REFUSED(config.reader[0][0].offset = 21, AX_E_RANGE);
    REFUSED(config.reader[0][0].offset = -2, AX_E_RANGE);
    REFUSED(config.input[0].offset = 20, AX_E_RANGE);
    REFUSED(config.output[0].offset = 6, AX_E_RANGE);
    REFUSED(config.input[0].flags = AX_GPIO_OPEN_DRAIN, AX_E_RANGE);
    REFUSED(config.input[0].flags = AX_GPIO_PULL_UP | AX_GPIO_BIAS_OFF, AX_E_RANGE);
    REFUSED(config.output[0].flags = 1024, AX_E_RANGE);
    REFUSED(memset(config.chip, 'x', sizeof config.chip), AX_E_RANGE);
    REFUSED(counts.inputs = AX_IO_MAX_INPUTS + 1, AX_E_RANGE);
    REFUSED(counts.outputs = AX_IO_MAX_OUTPUTS + 1, AX_E_RANGE);
    REFUSED(counts.readers = AX_IO_MAX_READERS + 1, AX_E_RANGE);
    REFUSED(config.chip[0] = 'x', AX_E_SYS);
    /* One request has ten attributes: nine kinds of lines fit, a dozen kinds of outputs do not. */
    struct ax_gpio_config many = standard();
    struct ax_io_config counts_of_many = io;
    counts_of_many.outputs = 12;
    for (uint32_t i = 0; i < 12; i++) {
        static const uint32_t bias[] = {0, AX_GPIO_PULL_UP, AX_GPIO_PULL_DOWN};
        uint32_t flags = bias[i / 4] | (i & 1 ? AX_GPIO_ACTIVE_LOW : 0) | (i & 2 ? AX_GPIO_OPEN_DRAIN : 0);
        many.output[i] = (struct ax_gpio_line){40 + (int32_t)i, flags};
    }
    refuse(__LINE__, &many, &counts_of_many, AX_E_RANGE);
}

static void test_the_driver_refuses(void)
{
    struct ax_gpio_config config = standard();
    struct ax_gpio *gpio;
    for (int request = 0; request < 3; request++) {
        struct fake_chip chip;
        struct ax_gpio_ops ops = fake_ops(&chip);
        chip.refuse_request = request;
        CHECK_EQ(ax_gpio_open(&gpio, &config, &io, &ops), AX_E_SYS);
        CHECK_EQ(errno, EBUSY);
        CHECK_EQ(chip.opened, chip.closed);
        fake_done(&chip);
    }
    struct fake_chip chip;
    struct ax_gpio_ops ops = fake_ops(&chip);
    chip.bad_descriptor = true;
    CHECK_EQ(ax_gpio_open(&gpio, &config, &io, &ops), AX_E_SYS);
    fake_done(&chip);
    CHECK_EQ(ax_gpio_open(NULL, &config, &io, &ops), AX_E_ARG);
    CHECK_EQ(ax_gpio_open(&gpio, NULL, &io, &ops), AX_E_ARG);
    CHECK_EQ(ax_gpio_open(&gpio, &config, NULL, &ops), AX_E_ARG);
}

/* The real calls, on a file that is no chip. */
static void test_system_calls(void)
{
    struct ax_gpio_config config = standard();
    struct ax_gpio *gpio;
    strcpy(config.chip, "/dev/null");
    CHECK_EQ(ax_gpio_open(&gpio, &config, &io, NULL), AX_E_SYS);
    CHECK(errno == ENOTTY || errno == ENOSYS); /* ENOSYS: an emulator that does not know the call */
    strcpy(config.chip, "/dev/no such chip");
    CHECK_EQ(ax_gpio_open(&gpio, &config, &io, NULL), AX_E_SYS);
    CHECK_EQ(errno, ENOENT);
}

int main(void)
{
    test_requests();
    test_edges();
    test_lost_edges();
    test_the_chip_goes_away();
    test_bad_configurations();
    test_the_driver_refuses();
    test_system_calls();
    return ax_test_done();
}
