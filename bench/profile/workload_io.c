/* I/O core workloads on a made-up clock: a bouncing input, a pulse from command to end, a card at a reader. */
#include "workload.h"

#include "ax/io.h"

enum { ROUNDS = 256, BITS = 26, EDGES = BITS * 2 };

static struct ax_io *io;
static uint64_t now_ns;
static uint64_t seen;
static struct ax_edge card[EDGES];

static uint64_t on_write(void *context, uint32_t output, bool level, bool active, uint64_t t_ns)
{
    (void)context;
    seen += output + (level ? 2 : 0) + (active ? 4 : 0) + (t_ns & 1);
    return t_ns;
}

static void on_event(void *context, const struct ax_io_event *event)
{
    (void)context;
    seen += event->kind + event->value;
}

static int prepare(void)
{
    static const struct ax_io_sink sink = {NULL, on_write, on_event};
    struct ax_io_config config = {.inputs = 8, .outputs = 6, .readers = 1};
    for (int i = 0; i < 8; i++)
        config.input[i] = (struct ax_io_input_config){.debounce_ns = 10000000, .normal_high = 1, .rex_output = -1};
    config.input[4].rex_output = 0;
    config.input[4].rex_hold_ns = 5000000000;
    ax_wiegand_defaults(&config.reader[0]);
    now_ns = 1000000000;
    return ax_io_new(&io, &config, &sink);
}

/* Twenty edges of contact bounce, then quiet until the new state is accepted. */
static uint64_t debounce(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (int bounce = 0; bounce < 20; bounce++) {
            now_ns += 200000;
            seen += (uint64_t)ax_io_input(io, now_ns, 1, ((round + bounce) & 1) != 0, 7);
        }
        now_ns += 20000000;
        seen += (uint64_t)ax_io_advance(io, now_ns);
    }
    return seen;
}

static uint64_t pulse(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        seen += (uint64_t)ax_io_pulse(io, now_ns, 0, true, 7000000000, 7);
        now_ns = ax_io_deadline(io);
        seen += (uint64_t)ax_io_advance(io, now_ns);
        now_ns += 1000000;
    }
    return seen;
}

static uint64_t swipe(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (int bit = 0; bit < BITS; bit++, now_ns += 2000000) {
            uint32_t line = (uint32_t)((round >> (bit & 7)) & 1);
            card[2 * bit] = (struct ax_edge){now_ns, line, 0};
            card[2 * bit + 1] = (struct ax_edge){now_ns + 50000, line, 1};
        }
        seen += (uint64_t)ax_io_edges(io, 0, card, EDGES, 7);
        now_ns += 50000000;
        seen += (uint64_t)ax_io_advance(io, now_ns);
    }
    return seen;
}

int main(int argc, char **argv)
{
    static const struct workload list[] = {
        {"io.debounce", "edges", ROUNDS * 20, prepare, debounce},
        {"io.pulse", "pulses", ROUNDS, prepare, pulse},
        {"io.swipe", "cards", ROUNDS, prepare, swipe},
    };
    int rc = workload_main(list, sizeof list / sizeof *list, argc, argv);
    ax_io_free(io);
    return rc;
}
