/* The delay to aim at: 24 small buffers, each with a delay of its own, are tried on every packet that comes, with the
 * stretching and concealing that the real one would do, and the one with the least impairment of late shows the way.
 *
 * Impairment after ITU-T G.107: a millisecond of delay costs 0.024 (below 177 ms); a percent of frames that are concealed
 * costs about 3.3 near the losses of real networks (G.711 with concealment: Ie 0, Bpl 25.1). Trials, and not quantiles of
 * the delay: a link that was blocked lets its packets go in one bunch, and only the first of them is too late for a
 * buffer that waits for it.
 * Units: ns outside, ms inside. Threads: one. Allocation: none. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("no-trapping-math") /* Clang's rule: without it GCC makes branches of every choice between two floats. */
#endif

#include "ax_jitter_internal.h"

#include <string.h>

#define KEEP 0.0005f     /* what a packet weighs in the mean: 40 s of packets of 20 ms */
#define FIRST 100.f      /* packets that the first belief is worth */
#define FIRST_TRIAL 3    /* Low: a call begins soon, and a packet that comes late raises it at once. */
#define PER_MS 0.024f    /* impairment of a millisecond */
#define PER_FRAME 330.f  /* of a concealed frame */
#define PER_STRETCH 4.3f /* of a stretched one */
#define STAY 0.03f       /* by so much another trial must be better */
#define RISE_MS 10.f     /* how fast the usual lateness is followed */
#define FACTOR 0.15f
#define PLUS_MS 3.f
#define MORE 0.5f     /* The first packets count as so much later than they are: the latest of few is not the latest of many. */
#define MORE_PACKETS 150.f
#define CHOOSE_PACKETS 4 /* How often it is chosen while none is late. */
#define OUTAGE_MS 260.f /* later than what any trial would bridge: says nothing about which is best */
#define OUTAGE_PACKETS 25

static const float TRIALS[AX_DELAY_TRIALS] = {2,  4,  6,  8,  11, 14, 17, 21, 24, 28, 32,  36,
                                              41, 46, 51, 56, 62, 72, 82, 95, 110, 130, 160, 200};

void ax_delay_reset(struct ax_delay *d)
{
    memset(d, 0, sizeof *d);
    d->trial = FIRST_TRIAL;
    for (int i = 0; i < AX_DELAY_TRIALS; i++) /* what is believed at first: most ways are fair */
        d->cost[i] = PER_MS * (TRIALS[i] > TRIALS[d->trial] ? TRIALS[i] : 2 * TRIALS[d->trial] - TRIALS[i]);
    memcpy(d->now_ms, TRIALS, sizeof d->now_ms);
    d->target = (int64_t)(TRIALS[d->trial] * 1e6f);
}

static void move_base(struct ax_delay *d, int64_t base)
{
    const float by = (float)(d->base - base) * 1e-6f;
    for (int i = 0; i < AX_DELAY_TRIALS; i++)
        d->now_ms[i] += by;
    d->usual_ms += by;
    d->base = base;
}

static void update_base(struct ax_delay *d, int64_t transit, int64_t now)
{
    if (d->packets == 0) {
        for (int i = 0; i < AX_DELAY_SPANS; i++)
            d->span_min[i] = INT64_MAX;
        d->base = d->span_min[0] = transit;
        d->span_end = now + AX_DELAY_SPAN_NS;
        return;
    }
    if (now >= d->span_end) {
        d->span = (d->span + 1) % AX_DELAY_SPANS;
        d->span_min[d->span] = transit;
        d->span_end = now + AX_DELAY_SPAN_NS;
        int64_t least = transit;
        for (int i = 0; i < AX_DELAY_SPANS; i++)
            least = d->span_min[i] < least ? d->span_min[i] : least;
        if (least != d->base)
            move_base(d, least);
    }
    if (transit < d->span_min[d->span])
        d->span_min[d->span] = transit;
    if (transit < d->base)
        move_base(d, transit);
}

/* When the next packet is missed: this much later than the fastest. */
float ax_delay_missed_ms(const struct ax_delay *d)
{
    return FACTOR * d->usual_ms + PLUS_MS;
}

static float not_more(float a, float b)
{
    return a < b ? a : b;
}

static float not_less(float a, float b)
{
    return a > b ? a : b;
}

/* One packet through every trial. Pieces of frames that begin while it is missed are stretched to twice their length; what
 * that does not bridge is concealed, part by part. */
static void try_all(struct ax_delay *d, float delay, float frame, float tick)
{
    /* The caller learns at its next tick that a packet is missed: half of one later in the mean. */
    const float step = frame / AX_DELAY_SHRINK, missed = ax_delay_missed_ms(d) + 0.5f * tick, per_frame = 1 / frame;
    const float piece = frame / AX_DELAY_PIECES, per_piece = AX_DELAY_PIECES / frame, part = frame / AX_DELAY_PARTS;
    const float per_part = AX_DELAY_PARTS / frame, most = tick < 0 ? 0 : AX_DELAY_PIECES;
    const float mean = 1 / (FIRST + (float)d->packets), weight = mean > KEEP ? mean : KEEP;
    if (delay > OUTAGE_MS)
        d->outage = OUTAGE_PACKETS;
    if (d->outage) { /* and the bunch that follows */
        d->outage--;
        return;
    }
    for (int i = 0; i < AX_DELAY_TRIALS; i++) { /* no branches: four at once */
        const float was = d->now_ms[i];
        const float can = (float)(int)((was - missed) * per_piece), held = (float)(int)(TRIALS[i] * per_frame + 0.999f) * most;
        const float pieces = not_less(not_more(can, held), 0);
        const float first = was - piece * pieces;
        const float wanted = (float)(int)(not_less(delay - first, -piece) * per_piece * 0.5f + 1.f);
        const float longer = not_more(wanted * (float)(delay > first), pieces);
        const float reached = was + piece * longer;
        const float lack = (float)(int)(not_less(delay - reached, 0) * per_part + 1.f), parts = lack * (float)(delay > reached);
        const float at = reached + part * parts;
        const float cost = PER_MS * at + PER_FRAME / AX_DELAY_PARTS * parts + PER_STRETCH / AX_DELAY_PIECES * longer;
        d->cost[i] += weight * (cost - d->cost[i]);
        const float excess = at - TRIALS[i] - AX_DELAY_EASE_MS / 2;
        const float less = at - not_more(excess, step), more = not_less(at, TRIALS[i]);
        d->now_ms[i] = excess > AX_DELAY_EASE_MS / 2 ? less : more;
    }
    d->usual_ms += delay > d->usual_ms ? 0.9f * RISE_MS : -0.1f * RISE_MS;
    d->usual_ms = d->usual_ms < 0 ? 0 : d->usual_ms;
}

/* By the costs of a trial and of its neighbours: where the pieces of frames fall favours single ones by chance. */
static void choose(struct ax_delay *d)
{
    float least = 1e30f;
    int best = 0;
    for (int i = 0; i < AX_DELAY_TRIALS; i++) {
        const float beside = d->cost[i > 0 ? i - 1 : i] + d->cost[i < AX_DELAY_TRIALS - 1 ? i + 1 : i];
        const float cost = 0.5f * d->cost[i] + 0.25f * beside - (i == d->trial ? STAY : 0);
        if (cost < least) {
            least = cost;
            best = i;
        }
    }
    d->trial = best;
    d->target = (int64_t)(TRIALS[best] * 1e6f);
}

void ax_delay_add(struct ax_delay *d, int64_t transit, int64_t now, int64_t frame_ns, int64_t tick_ns)
{
    update_base(d, transit, now);
    const float later = 1 + MORE * MORE_PACKETS / (MORE_PACKETS + (float)d->packets);
    const float delay = later * (float)(transit - d->base) * 1e-6f;
    const int late = delay > d->now_ms[d->trial];
    try_all(d, delay, (float)frame_ns * 1e-6f, (float)tick_ns * 1e-6f);
    if (late || d->packets % CHOOSE_PACKETS == 0)
        choose(d);
    if (d->packets < UINT32_MAX)
        d->packets++;
}
