/* Any packets at any time into the jitter buffer: every answer has a length, frames come in order unless it restarted,
 * what it holds is bounded, what is counted adds up. Input: a byte of configuration, then operations of four bytes:
 * (kind, time, sequence, timestamp). Kind, bit 0: a packet comes; otherwise what is to be played is asked for, 1 to 8 times
 * (bits 1..3), each time when the answer before is over (bit 4) or at once. */
#include "ax/err.h"
#include "ax/jitter.h"

#include <stdlib.h>

#define LONGEST 1025 /* 256 operations, 2,048 answers */
#define SLOTS 16
#define PAYLOAD 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* Memory that was freed is kept for as long as an input takes, not for as many as fit into 256 MB. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=4:malloc_context_size=8";
}

static void require(int condition)
{
    if (!condition)
        abort();
}

struct state {
    struct ax_jitter *j;
    uint64_t now, taken, lost;
    uint32_t rate, tick_ns, timestamp, rest;
    uint16_t sequence;
    int last; /* Sequence number of the last frame, -1: none. */
};

static void put(struct state *s, const uint8_t *op)
{
    static const uint8_t payload[PAYLOAD];
    const struct ax_jitter_packet p = {payload, op[0] >> 1 & 15, op[0] >> 1 & 1 ? 7 : 7 + (op[0] >> 4 & 1), s->timestamp,
                                       s->sequence, 0, op[0] >> 3 & 1};
    const int rc = ax_jitter_put(s->j, &p, s->now);
    require(rc >= AX_JITTER_STORED && rc <= AX_JITTER_RESTARTED);
    s->taken += rc == AX_JITTER_STORED || rc == AX_JITTER_RESTARTED;
    s->last = rc == AX_JITTER_RESTARTED ? -1 : s->last;
}

static uint32_t get(struct state *s, uint64_t ahead_ns)
{
    struct ax_jitter_out out;
    ax_jitter_get_ahead(s->j, s->now, ahead_ns, &out);
    require(out.play > 0 && out.ticks > 0 && out.play <= 48000);
    require((out.payload != NULL) == (out.kind == AX_JITTER_FRAME || out.kind == AX_JITTER_STRETCH));
    require(out.kind != AX_JITTER_REST || out.ticks + out.rest == s->rest);
    s->rest = out.rest;
    if (out.payload) {
        const uint64_t passed = ax_jitter_stats(s->j)->lost - s->lost; /* half the numbers: no order any more */
        require(s->last < 0 || passed > 30000 || (int16_t)(out.sequence - (uint16_t)s->last) > 0);
        s->last = out.sequence;
        s->lost += passed;
    }
    return out.play;
}

static void get_some(struct state *s, const uint8_t *op)
{
    uint64_t ahead_ns = s->tick_ns ? op[3] * 100000u : 0;
    for (int left = 1 + (op[0] >> 1 & 7); left > 0; left--) {
        const uint64_t play_ns = get(s, ahead_ns) * (uint64_t)1000000000 / s->rate;
        if (!(op[0] & 16))
            continue;
        ahead_ns += play_ns;
        const uint64_t whole = s->tick_ns ? ahead_ns / s->tick_ns * s->tick_ns : ahead_ns;
        s->now += whole;
        ahead_ns -= whole;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 5)
        return 0;
    size = size < LONGEST ? size : LONGEST;
    const struct ax_jitter_config config = {.rate = data[0] & 1 ? 8000 : 48000, .frame = data[0] & 2 ? 160 : 1,
                                            .slots = SLOTS, .max_payload = PAYLOAD, .max_delay_ms = data[0] & 4 ? 400 : 0,
                                            .stretch = data[0] >> 3 & 1,
                                            .tick_us = data[0] & 16 ? 10000 : 0};
    struct state s = {.rate = config.rate, .tick_ns = config.tick_us * 1000, .last = -1};
    require(ax_jitter_new(&s.j, &config) == AX_OK);
    for (size_t i = 1; i + 4 <= size; i += 4) {
        const uint8_t *op = data + i;
        s.now += (uint64_t)op[1] * (op[0] & 0x80 ? 40000000 : 400000);
        s.sequence = (uint16_t)(s.sequence + (int8_t)op[2] * (op[0] & 0x40 ? 500 : 1));
        s.timestamp += (uint32_t)((int8_t)op[3] * (op[0] & 0x20 ? 1 << 20 : 160));
        (op[0] & 1 ? put : get_some)(&s, op);
        require(ax_jitter_held(s.j) <= SLOTS);
        require(ax_jitter_stats(s.j)->frames + ax_jitter_held(s.j) <= s.taken);
    }
    ax_jitter_free(s.j);
    return 0;
}
