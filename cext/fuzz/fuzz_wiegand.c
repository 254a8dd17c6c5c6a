/* Any edges at all: the decoder stays within its buffers, gives each burst one result, and does not care how the edges are
 * cut into batches. Input: one byte of configuration, then four bytes an edge: flags, scale, time step (u16). */
#include "ax/wiegand.h"

#include "ax/err.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EDGES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_frame(const struct ax_wiegand_frame *f, const struct ax_wiegand_config *c)
{
    require(f->result < AX_WIEGAND_RESULT_END && f->nbits <= c->max_bits);
    require(f->result != AX_WIEGAND_FRAME || f->nbits >= c->min_bits);
    require(f->t_first_ns <= f->t_last_ns);
    for (unsigned i = f->nbits; i < 256; i++)
        require(!(f->bits[i / 64] >> i % 64 & 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t SCALE[8] = {1, 50, 1000, 5000, 50000, 500000, 1000000, 0x1000000000000};
    static struct ax_edge edges[MAX_EDGES];
    struct ax_wiegand_config c;
    struct ax_wiegand *whole = NULL, *parts = NULL;
    size_t n = 0;
    uint64_t t = 0;

    if (size < 1)
        return 0;
    ax_wiegand_defaults(&c);
    c.expect_bits = data[0] & 1 ? 26 : 0;
    c.max_bits = data[0] & 2 ? 256 : 128;
    c.glitch_ns = data[0] & 4 ? 0 : c.glitch_ns;
    for (size_t i = 1; i + 4 <= size && n < MAX_EDGES; i += 4) {
        const uint64_t step = (data[i + 2] | (uint64_t)data[i + 3] << 8) * SCALE[data[i + 1] & 7];
        t = data[i] & 128 ? t - step : t + step;
        edges[n++] = (struct ax_edge){t, data[i] & 64 ? data[i] & 3 : data[i] & 1, data[i] >> 2 & (data[i] & 32 ? 3 : 1)};
    }
    if (ax_wiegand_new(&whole, &c) < 0 || ax_wiegand_new(&parts, &c) < 0)
        abort();
    for (size_t done = 0, at = 0; done < n;) {
        struct ax_wiegand_frame a[3], b;
        size_t used = 0;
        const int count = ax_wiegand_feed(whole, edges + done, n - done, a, 3, &used);
        require(count >= 0 && count <= 3 && (used == n - done || count == 3));
        for (int k = 0; k < count; k++) {
            check_frame(&a[k], &c);
            while (ax_wiegand_feed(parts, &edges[at++], 1, &b, 1, NULL) == 0)
                require(at < n);
            require(memcmp(&a[k], &b, sizeof b) == 0);
        }
        done += used;
        for (; at < done; at++)
            require(ax_wiegand_feed(parts, &edges[at], 1, &b, 1, NULL) == 0);
    }
    require(ax_wiegand_deadline(whole) == ax_wiegand_deadline(parts));
    require(ax_wiegand_ignored(whole) == ax_wiegand_ignored(parts));
    struct ax_wiegand_frame last;
    if (ax_wiegand_advance(whole, AX_NEVER - 1, &last))
        check_frame(&last, &c);
    require(ax_wiegand_deadline(whole) >= AX_NEVER - 1);
    ax_wiegand_free(whole);
    ax_wiegand_free(parts);
    return 0;
}
