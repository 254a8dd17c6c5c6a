/* Wiegand decoder: a stream of line transitions to frames. Timing after SIA AC-01 (pulse 20-100 us, interval 200 us-20 ms),
 * with windows that are far wider by default, because real readers are. See ax/wiegand.h for the promises.
 *
 * A pulse is judged when it ends. Shorter than `glitch_ns`: it never was (counted only), so crosstalk cannot turn a good
 * frame into an overlap. A high shorter than that within a pulse never was either: the judgement is taken back. Two pulses that are no glitches and share a moment: OVERLAP, told by the one that ends last. The
 * first fault of a burst is kept; all that follows is swallowed until both lines were quiet for `frame_gap_ns`.
 * A window [a, b] accepts both a and b; a gap of exactly `frame_gap_ns` ends the frame.
 *
 * Units: ns. Threads: one decoder, one thread. Allocation: only in new. */
#include "ax/wiegand.h"

#include "ax/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum phase {
    IDLE,  /* No pulse yet (one may be in progress). */
    FRAME, /* Bits or an error are being collected. */
    TAIL,  /* The result was given (expect_bits, stuck line): swallow until quiet. */
};

/* The state before the newest pulse was judged, while that can still be taken back. */
struct undo {
    uint64_t fall, end, start, last, acc;
    uint32_t nbits, line, met;
    enum phase phase;
    uint16_t error;
    bool valid;
};

struct ax_wiegand {
    struct ax_wiegand_config config;
    uint64_t now;     /* Time of the newest edge, or of the end of the last frame. */
    uint64_t fall[2]; /* Start of the pulse in progress on each line. */
    uint64_t first;   /* Start of the first pulse of the frame. */
    uint64_t start;   /* Start of the last pulse of the frame. */
    uint64_t last;    /* End of the last pulse that was no glitch: the quiet gap counts from here. */
    uint64_t acc;     /* The newest 64 bits. */
    uint64_t full[3]; /* Older bits, 64 at a time. */
    uint64_t ignored; /* Glitches since reset. */
    uint32_t nbits;
    uint32_t glitches;
    uint32_t low;     /* Mask of lines that are low. */
    uint32_t met;     /* Mask of low lines whose pulse met a real pulse of the other line. */
    enum phase phase;
    uint16_t error;
    struct undo undo;
};

void ax_wiegand_defaults(struct ax_wiegand_config *config)
{
    *config = (struct ax_wiegand_config){
        .min_pulse_ns = 10000,
        .max_pulse_ns = 400000,
        .glitch_ns = 5000,
        .min_interval_ns = 82500,
        .max_interval_ns = 24000000,
        .frame_gap_ns = 25000000,
        .min_bits = 4,
        .max_bits = 128,
        .expect_bits = 0,
    };
}

static bool config_ok(const struct ax_wiegand_config *c)
{
    if (c->glitch_ns > c->min_pulse_ns || c->min_pulse_ns > c->max_pulse_ns || c->max_pulse_ns >= c->frame_gap_ns)
        return false;
    if (c->min_interval_ns > c->max_interval_ns || c->max_interval_ns >= c->frame_gap_ns)
        return false;
    if (c->min_bits < 1 || c->min_bits > c->max_bits || c->max_bits > AX_WIEGAND_MAX_BITS)
        return false;
    return c->expect_bits == 0 || (c->expect_bits >= c->min_bits && c->expect_bits <= c->max_bits);
}

int ax_wiegand_new(struct ax_wiegand **out, const struct ax_wiegand_config *config)
{
    if (!out || !config)
        return AX_E_ARG;
    *out = NULL;
    if (!config_ok(config))
        return AX_E_RANGE;
    struct ax_wiegand *w = calloc(1, sizeof *w);
    if (!w)
        return AX_E_NOMEM;
    w->config = *config;
    *out = w;
    return AX_OK;
}

void ax_wiegand_free(struct ax_wiegand *w)
{
    free(w);
}

void ax_wiegand_reset(struct ax_wiegand *w)
{
    const struct ax_wiegand_config config = w->config;
    memset(w, 0, sizeof *w);
    w->config = config;
}

int ax_wiegand_configure(struct ax_wiegand *w, const struct ax_wiegand_config *config)
{
    if (!w || !config)
        return AX_E_ARG;
    if (!config_ok(config))
        return AX_E_RANGE;
    /* What is left of a frame in progress must not become a frame of its own: swallow it. */
    if (w->phase == FRAME || w->low)
        w->phase = TAIL;
    w->undo.valid = false;
    w->config = *config;
    return AX_OK;
}

uint64_t ax_wiegand_ignored(const struct ax_wiegand *w)
{
    return w->ignored;
}

static inline void put_bit(struct ax_wiegand *w, uint32_t bit)
{
    if (w->nbits && w->nbits % 64 == 0)
        w->full[w->nbits / 64 - 1] = w->acc;
    w->acc = w->acc << 1 | bit;
    w->nbits++;
}

/* Right-align: `full` holds the oldest bits first, `acc` the newest (at most 64 of them are new). */
static void copy_bits(const struct ax_wiegand *w, uint64_t bits[4])
{
    const uint32_t tail = w->nbits ? (w->nbits - 1) % 64 + 1 : 0;
    const uint32_t words = w->nbits ? (w->nbits - 1) / 64 : 0;
    memset(bits, 0, 4 * sizeof bits[0]);
    bits[0] = tail == 64 ? w->acc : w->acc & (((uint64_t)1 << tail) - 1);
    for (uint32_t i = 0; i < words; i++) {
        const uint64_t word = w->full[words - 1 - i];
        if (tail == 64) {
            bits[i + 1] = word;
        } else {
            bits[i] |= word << tail;
            bits[i + 1] = word >> (64 - tail);
        }
    }
}

static void begin(struct ax_wiegand *w, uint64_t t_ns)
{
    w->phase = FRAME;
    w->first = t_ns;
    w->last = t_ns;
    w->acc = 0;
    w->nbits = 0;
    w->glitches = 0;
    w->error = AX_WIEGAND_FRAME;
}

static void fail(struct ax_wiegand *w, uint64_t t_ns, uint16_t error)
{
    if (w->phase == IDLE)
        begin(w, t_ns);
    if (w->error == AX_WIEGAND_FRAME)
        w->error = error;
}

/* Give the one result of the present burst. */
static void finish(struct ax_wiegand *w, uint64_t t_done, enum phase next, struct ax_wiegand_frame *out)
{
    uint16_t result = w->error;
    if (result == AX_WIEGAND_FRAME && w->nbits < w->config.min_bits)
        result = AX_WIEGAND_SHORT;
    out->t_first_ns = w->first;
    out->t_last_ns = w->last;
    out->t_done_ns = t_done;
    copy_bits(w, out->bits);
    out->nbits = (uint16_t)w->nbits;
    out->result = result;
    out->glitches = w->glitches;
    w->phase = next;
    w->undo.valid = false;
    w->nbits = 0;
    w->glitches = 0;
    if (w->now < t_done)
        w->now = t_done;
}

static inline uint64_t later(uint64_t t_ns, uint64_t delay_ns)
{
    return t_ns > UINT64_MAX - delay_ns ? UINT64_MAX : t_ns + delay_ns;
}

/* Start of the oldest pulse in progress; only when a line is low. */
static uint64_t oldest_fall(const struct ax_wiegand *w)
{
    if (w->low == 3)
        return w->fall[0] < w->fall[1] ? w->fall[0] : w->fall[1];
    return w->fall[w->low >> 1];
}

uint64_t ax_wiegand_deadline(const struct ax_wiegand *w)
{
    if (w->phase == TAIL)
        return AX_NEVER;
    if (w->low)
        return later(oldest_fall(w), w->config.frame_gap_ns);
    return w->phase == FRAME ? later(w->last, w->config.frame_gap_ns) : AX_NEVER;
}

int ax_wiegand_advance(struct ax_wiegand *w, uint64_t now_ns, struct ax_wiegand_frame *out)
{
    const uint64_t deadline = ax_wiegand_deadline(w);
    if (deadline == AX_NEVER || now_ns < deadline)
        return 0;
    if (w->low) {
        fail(w, oldest_fall(w), AX_WIEGAND_STUCK);
        finish(w, deadline, TAIL, out);
    } else {
        finish(w, deadline, IDLE, out);
    }
    return 1;
}

/* Time ran backwards or a level repeated: edges were lost or made up. Take the edge as the new truth. */
static void resync(struct ax_wiegand *w, const struct ax_edge *e)
{
    fail(w, e->t_ns, AX_WIEGAND_ORDER);
    w->undo.valid = false;
    w->fall[0] = w->fall[1] = w->last = e->t_ns;
    if (w->first > e->t_ns)
        w->first = e->t_ns;
    if (e->line > 1 || e->level > 1)
        return;
    const uint32_t bit = (uint32_t)1 << e->line;
    w->low = e->level ? w->low & ~bit : w->low | bit;
    w->met = 0;
}

/* A pulse that is no glitch has ended on `line`. */
static void pulse(struct ax_wiegand *w, uint64_t t_ns, uint32_t line)
{
    const struct ax_wiegand_config *c = &w->config;
    const uint64_t start = w->fall[line];
    const uint64_t width = t_ns - start;
    const bool met = w->met >> line & 1;

    w->undo = (struct undo){.fall = start, .end = t_ns, .start = w->start, .last = w->last, .acc = w->acc,
                            .nbits = w->nbits, .line = line, .met = w->met, .phase = w->phase, .error = w->error,
                            .valid = w->phase != TAIL};
    w->met = w->low; /* What is low on the other line has met this pulse. */
    if (w->phase == TAIL) {
        w->last = t_ns;
        return;
    }
    if (w->phase == IDLE)
        begin(w, start);
    if (met)
        fail(w, start, AX_WIEGAND_OVERLAP);
    else if (width < c->min_pulse_ns || width > c->max_pulse_ns)
        fail(w, start, AX_WIEGAND_PULSE);
    else if (w->nbits && (start - w->start < c->min_interval_ns || start - w->start > c->max_interval_ns))
        fail(w, start, AX_WIEGAND_GAP);
    else if (w->nbits == c->max_bits)
        fail(w, start, AX_WIEGAND_LONG);
    w->start = start;
    w->last = t_ns;
    if (w->error == AX_WIEGAND_FRAME)
        put_bit(w, line);
}

/* A line is low again after so short a high that its pulse goes on. */
static void take_back(struct ax_wiegand *w)
{
    const struct undo *u = &w->undo;
    w->fall[u->line] = u->fall;
    w->start = u->start;
    w->last = u->last;
    w->acc = u->acc;
    w->nbits = u->nbits;
    w->met = u->met;
    w->phase = u->phase;
    w->error = u->error;
    w->ignored++;
    w->glitches += w->phase == FRAME;
    w->undo.valid = false;
}

/* One edge, every case. Returns 1 when a frame was written to `out`. */
static int step(struct ax_wiegand *w, const struct ax_edge *e, struct ax_wiegand_frame *out)
{
    int n = 0;
    if (e->t_ns >= w->now) {
        n = ax_wiegand_advance(w, e->t_ns, out);
        if (w->phase == TAIL && !w->low && e->t_ns - w->last >= w->config.frame_gap_ns)
            w->phase = IDLE;
    }
    const uint32_t was_low = w->low >> (e->line & 1) & 1;
    const bool good = e->t_ns >= w->now && e->line <= 1 && e->level <= 1 && was_low == e->level;
    w->now = e->t_ns;
    if (!good) {
        resync(w, e);
        return n;
    }
    w->low ^= (uint32_t)1 << e->line;
    if (!e->level) {
        if (w->undo.valid && w->undo.line == e->line && e->t_ns - w->undo.end < w->config.glitch_ns) {
            take_back(w);
            return n;
        }
        w->fall[e->line] = e->t_ns;
        w->met &= ~((uint32_t)1 << e->line);
        w->undo.met &= ~((uint32_t)1 << e->line);
        return n;
    }
    if (e->t_ns - w->fall[e->line] < w->config.glitch_ns) {
        w->ignored++;
        w->glitches += w->phase == FRAME;
    } else {
        pulse(w, e->t_ns, e->line);
    }
    if (w->phase == FRAME && w->error == AX_WIEGAND_FRAME && w->nbits == w->config.expect_bits && w->nbits && !w->low) {
        finish(w, e->t_ns, TAIL, out);
        return 1;
    }
    return n;
}

/* The common case, two edges at a time: clean pulses inside a frame that is not about to end. Returns edges taken. */
static size_t run(struct ax_wiegand *w, const struct ax_edge *e, size_t n)
{
    const struct ax_wiegand_config *c = &w->config;
    const uint32_t limit = c->expect_bits ? (uint32_t)c->expect_bits - 1 : c->max_bits; /* step() takes the last one. */
    const uint64_t pulse_span = c->max_pulse_ns - c->min_pulse_ns;
    const uint64_t interval_span = c->max_interval_ns - c->min_interval_ns;
    const uint64_t min_pulse = c->min_pulse_ns, min_interval = c->min_interval_ns, glitch = c->glitch_ns;
    const uint64_t gap_span = c->frame_gap_ns - glitch;
    uint64_t start = w->start, last = w->last, acc = w->acc;
    uint64_t old_start = 0, old_last = 0, old_acc = 0; /* Before the newest bit, in case it is taken back. */
    uint32_t nbits = w->nbits;
    size_t i = 0;

    if (w->phase != FRAME || w->error || w->low || w->now != w->last || nbits == 0)
        return 0;
    for (; i + 1 < n && nbits < limit; i += 2) {
        const uint64_t t0 = e[i].t_ns, t1 = e[i + 1].t_ns;
        /* Unsigned differences: below the window is a huge number. Order is checked apart, as differences may wrap. */
        const bool ok = (t0 >= last) & (t1 >= t0) & (t0 - last - glitch < gap_span) & (t1 - t0 - min_pulse <= pulse_span)
                      & (t0 - start - min_interval <= interval_span) & (e[i].line == e[i + 1].line) & (e[i].line <= 1)
                      & (e[i].level == 0) & (e[i + 1].level == 1);
        if (!ok)
            break;
        if (nbits % 64 == 0)
            w->full[nbits / 64 - 1] = acc;
        old_start = start;
        old_last = last;
        old_acc = acc;
        acc = acc << 1 | e[i].line;
        nbits++;
        start = t0;
        last = t1;
    }
    w->acc = acc;
    w->nbits = nbits;
    w->start = start;
    w->last = w->now = last;
    if (i)
        w->undo = (struct undo){.fall = start, .end = last, .start = old_start, .last = old_last, .acc = old_acc,
                                .nbits = nbits - 1, .line = (uint32_t)acc & 1, .phase = FRAME, .valid = true};
    return i;
}

int ax_wiegand_feed(struct ax_wiegand *w, const struct ax_edge *edges, size_t n, struct ax_wiegand_frame *out, size_t cap,
                    size_t *consumed)
{
    size_t i = 0, count = 0;
    if (consumed)
        *consumed = 0;
    if (!w || (n && !edges) || (cap && !out))
        return AX_E_ARG;
    if (cap > INT_MAX)
        cap = INT_MAX;
    while (i < n && count < cap) {
        count += (size_t)step(w, &edges[i++], &out[count]);
        i += run(w, &edges[i], n - i);
    }
    if (consumed)
        *consumed = i;
    return (int)count;
}
