/* Wiegand workloads: edges to frames, and the format table. Cards are H10301 (26 bits) of one facility, timing as a common
 * reader sends it: 50 us pulses every 2 ms, 50 ms between frames. */
#include "workload.h"

#include "ax/wiegand.h"
#include "ax/wiegand_format.h"

enum { FRAMES = 64, BITS = 26, EDGES = FRAMES * BITS * 2 };

static struct ax_edge edges[EDGES];
static struct ax_wiegand_frame frames[FRAMES + 1];
static uint64_t cards[FRAMES];
static const struct ax_wiegand_format *format;
static struct ax_wiegand *decoder;
static uint64_t start_ns;

static int prepare(void)
{
    struct ax_wiegand_config config;
    int row = ax_wiegand_format_find("H10301");
    if (row < 0)
        return row;
    format = ax_wiegand_format_get(row);
    uint64_t t = 1000000000;
    size_t n = 0;
    for (int i = 0; i < FRAMES; i++) {
        struct ax_wiegand_card card = {.value = {[AX_WIEGAND_FACILITY] = 17, [AX_WIEGAND_CARD] = (uint64_t)(i * 997 % 65536)}};
        int rc = ax_wiegand_format_encode(format, &card, &cards[i]);
        if (rc < 0)
            return rc;
        for (int bit = BITS - 1; bit >= 0; bit--, t += 2000000) {
            uint32_t line = (uint32_t)(cards[i] >> bit & 1);
            edges[n++] = (struct ax_edge){t, line, 0};
            edges[n++] = (struct ax_edge){t + 50000, line, 1};
        }
        t += 50000000;
    }
    start_ns = t;
    ax_wiegand_defaults(&config);
    return ax_wiegand_new(&decoder, &config);
}

static uint64_t decode(void)
{
    size_t consumed = 0;
    ax_wiegand_reset(decoder);
    int n = ax_wiegand_feed(decoder, edges, EDGES, frames, FRAMES, &consumed);
    n += ax_wiegand_advance(decoder, start_ns, &frames[FRAMES]);
    return (uint64_t)n + frames[0].bits[0] + frames[FRAMES].bits[0];
}

static uint64_t format_encode(void)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < FRAMES; i++) {
        struct ax_wiegand_card card = {.value = {[AX_WIEGAND_FACILITY] = 17, [AX_WIEGAND_CARD] = i}};
        uint64_t frame = 0;
        sum += (uint64_t)ax_wiegand_format_encode(format, &card, &frame);
        sum += frame;
    }
    return sum;
}

static uint64_t format_decode(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < FRAMES; i++) {
        struct ax_wiegand_card card;
        sum += (uint64_t)ax_wiegand_format_decode(format, cards[i], BITS, &card);
        sum += card.value[AX_WIEGAND_CARD];
    }
    return sum;
}

static uint64_t identify(void)
{
    uint8_t rows[64];
    uint64_t sum = 0;
    for (int i = 0; i < FRAMES; i++)
        sum += (uint64_t)ax_wiegand_identify(cards[i], BITS, rows, sizeof rows);
    return sum;
}

int main(int argc, char **argv)
{
    static const struct workload list[] = {
        {"wiegand.decode", "edges", EDGES, prepare, decode},
        {"wiegand.format_encode", "frames", FRAMES, prepare, format_encode},
        {"wiegand.format_decode", "frames", FRAMES, prepare, format_decode},
        {"wiegand.identify", "frames", FRAMES, prepare, identify},
    };
    int rc = workload_main(list, sizeof list / sizeof *list, argc, argv);
    ax_wiegand_free(decoder);
    return rc;
}
