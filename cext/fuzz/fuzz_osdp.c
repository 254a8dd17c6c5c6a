/* Any bytes as a line: the parser and the receiver stay within their buffers, what is found can be built again byte for
 * byte, and it does not matter how the bytes are cut. Input: one byte that says where to cut, then the line. */
#include "ax/osdp.h"

#include "ax/err.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_frame(const struct ax_osdp_frame *f, int length)
{
    uint8_t again[AX_OSDP_MAX_FRAME];
    require(f->length == length && length >= AX_OSDP_MIN_FRAME && length <= AX_OSDP_MAX_FRAME);
    require(f->data >= f->start && f->data + f->size <= f->start + length);
    if (f->mac || (f->head.scb_type && f->start[5] != 3))
        return;
    require(ax_osdp_build(again, sizeof again, &f->head, f->code, f->data, f->size) == length);
    require(memcmp(again, f->start, (size_t)length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ax_osdp_rx whole, parts;
    struct ax_osdp_frame f, g;
    if (size < 1 || size > 60000)
        return 0;
    const size_t cut = data[0] % 64 + 1;
    uint8_t *exact = malloc(size); /* no byte to spare */
    if (!exact)
        return 0;
    memcpy(exact, data + 1, size - 1);
    const int rc = ax_osdp_parse(exact, size - 1, &f);
    if (rc > 0)
        check_frame(&f, rc);
    free(exact);
    ax_osdp_rx_reset(&whole);
    ax_osdp_rx_reset(&parts);
    for (size_t done = 1, at = 1; done < size;) {
        const size_t n = size - done < 600 ? size - done : 600;
        require(ax_osdp_rx_push(&whole, data + done, n) == n);
        done += n;
        for (int a; (a = ax_osdp_rx_next(&whole, &f)) != 0;) {
            int b = 0;
            while ((b = ax_osdp_rx_next(&parts, &g)) == 0) {
                require(at < done);
                const size_t step = done - at < cut ? done - at : cut;
                require(ax_osdp_rx_push(&parts, data + at, step) == step);
                at += step;
            }
            require(a == b && (a < 0 || memcmp(f.start, g.start, f.length) == 0));
            if (a > 0)
                check_frame(&f, a);
        }
        while (at < done) {
            require(ax_osdp_rx_next(&parts, &g) == 0);
            const size_t step = done - at < cut ? done - at : cut;
            require(ax_osdp_rx_push(&parts, data + at, step) == step);
            at += step;
        }
        require(ax_osdp_rx_next(&parts, &g) == 0);
    }
    require(ax_osdp_rx_pending(&whole) == ax_osdp_rx_pending(&parts) && whole.skipped == parts.skipped);
    return 0;
}
