/* Throughput of the decoder and the formats alone, in one thread. Prints one JSON object; not a test. */
#define _POSIX_C_SOURCE 200809L
#include "ax/err.h"
#include "ax/wiegand.h"
#include "ax/wiegand_format.h"
#include "ax/wiegand_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FRAMES 2000
#define ROUNDS 40

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Best of ROUNDS: million edges a second for frames of `nbits`. */
static double decode_rate(unsigned nbits)
{
    const size_t n = (size_t)FRAMES * 2 * nbits;
    struct ax_edge *edges = malloc(n * sizeof *edges);
    struct ax_wiegand_frame *out = malloc(FRAMES * sizeof *out);
    struct ax_wiegand_timing timing;
    struct ax_wiegand_config config;
    struct ax_wiegand *w = NULL;
    uint64_t t = 0;
    double best = 1e9;

    ax_wiegand_timing_defaults(&timing);
    ax_wiegand_defaults(&config);
    if (!edges || !out || ax_wiegand_new(&w, &config) < 0)
        exit(1);
    for (size_t f = 0; f < FRAMES; f++) {
        const uint64_t bits[4] = {f * 0x9E3779B97F4A7C15ull, f, 0, 0};
        if (ax_wiegand_schedule(&timing, t, bits, nbits, edges + f * 2 * nbits, 2 * nbits, &t) < 0)
            exit(1);
    }
    for (int r = 0; r < ROUNDS; r++) {
        ax_wiegand_reset(w);
        const double start = seconds();
        const int frames = ax_wiegand_feed(w, edges, n, out, FRAMES, NULL);
        const double took = seconds() - start;
        if (frames != FRAMES - 1)
            exit(1);
        best = took < best ? took : best;
    }
    ax_wiegand_free(w);
    free(out);
    free(edges);
    return (double)n / best / 1e6;
}

int main(void)
{
    uint8_t rows[64];
    int found = 0;
    const double start = seconds();
    for (uint64_t i = 0; i < 100000; i++)
        found += ax_wiegand_identify(i * 0x9E3779B9 & 0x1FFFFFFFFF, 37, rows, sizeof rows);
    const double identify_ns = (seconds() - start) * 1e4;
    printf("{\"medges_26\": %.0f, \"medges_37\": %.0f, \"medges_128\": %.0f, \"identify37_ns\": %.0f, \"found\": %d}\n",
           decode_rate(26), decode_rate(37), decode_rate(128), identify_ns, found);
    return 0;
}
