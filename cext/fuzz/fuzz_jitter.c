/* Any packets at any time into the jitter buffer: every answer has a length, frames come in order unless it restarted,
 * what it holds is bounded, what is counted adds up. Input: a byte of configuration, then operations of four bytes:
 * (kind, time, sequence, timestamp). */
#include "ax/err.h"
#include "ax/jitter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ax_jitter *j;
    struct ax_jitter_out out;
    uint8_t payload[16] = {0};
    if (size < 5 || size > 4096)
        return 0;
    const struct ax_jitter_config config = {.rate = data[0] & 1 ? 8000 : 48000, .frame = data[0] & 2 ? 160 : 1,
                                            .slots = 16, .max_payload = 16, .max_delay_ms = data[0] & 4 ? 400 : 0,
                                            .stretch = data[0] >> 3 & 1,
                                            .tick_us = data[0] & 16 ? 10000 : 0};
    if (ax_jitter_new(&j, &config) < 0)
        return 0;
    uint64_t now = 0, taken = 0, lost = 0;
    uint16_t sequence = 0;
    uint32_t timestamp = 0, rest = 0;
    int last = -1;
    for (size_t i = 1; i + 4 <= size; i += 4) {
        const uint8_t *op = data + i;
        now += (uint64_t)op[1] * (op[0] & 0x80 ? 40000000 : 400000);
        sequence = (uint16_t)(sequence + (int8_t)op[2] * (op[0] & 0x40 ? 500 : 1));
        timestamp += (uint32_t)((int8_t)op[3] * (op[0] & 0x20 ? 1 << 20 : 160));
        if (op[0] & 1) {
            const struct ax_jitter_packet p = {payload, op[0] >> 1 & 15, op[0] >> 1 & 1 ? 7 : 7 + (op[0] >> 4 & 1),
                                               timestamp, sequence, 0, op[0] >> 3 & 1};
            const int rc = ax_jitter_put(j, &p, now);
            require(rc >= AX_JITTER_STORED && rc <= AX_JITTER_RESTARTED);
            taken += rc == AX_JITTER_STORED || rc == AX_JITTER_RESTARTED;
            last = rc == AX_JITTER_RESTARTED ? -1 : last;
        } else {
            ax_jitter_get_ahead(j, now, data[0] & 16 ? op[3] * 100000u : 0, &out);
            require(out.play > 0 && out.ticks > 0 && out.play <= 48000);
            require((out.payload != NULL) == (out.kind == AX_JITTER_FRAME || out.kind == AX_JITTER_STRETCH));
            require(out.kind != AX_JITTER_REST || out.ticks + out.rest == rest);
            rest = out.rest;
            if (out.payload) {
                const uint64_t passed = ax_jitter_stats(j)->lost - lost; /* half the numbers: no order any more */
                require(last < 0 || passed > 30000 || (int16_t)(out.sequence - (uint16_t)last) > 0);
                last = out.sequence;
                lost += passed;
            }
        }
        require(ax_jitter_held(j) <= 16);
        require(ax_jitter_stats(j)->frames + ax_jitter_held(j) <= taken);
    }
    ax_jitter_free(j);
    return 0;
}
