/* The jitter buffer: a ring of slots by sequence number, and what to play now. Where the delay goes is
 * ax_jitter_delay.c's.
 *
 * A frame whose time has come and that is not here: when later ones are, it is lost, and its place is concealed in the
 * length that the delay wants; when none is, a part of a frame is concealed and the question asked again, so that a frame that
 * is only late is still played. While the next packet is missed, the last frames are stretched to meet it.
 * Units: ns, ticks. Threads: one. Allocation: ax_jitter_new. */
#include "ax/jitter.h"

#include "ax/err.h"
#include "ax_jitter_internal.h"

#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ll
#define DROPOUT 3000
#define MISORDER 100

#define EASE_NS ((int64_t)(AX_DELAY_EASE_MS * 1e6f))
#define WASTE_NS 3000000ll  /* Between a tick and the beginning of a frame: let be. */
#define LACK_PART 4         /* So much of it may a sender's slow clock take away, bit by bit, but no more than this: */
#define LACK_TICK_NS 1000000ll
#define MARGIN_NS 2000000ll /* Over the delay that is aimed at, so that a step less does not lead to a step more. */

struct slot {
    uint32_t timestamp, size;
    uint16_t sequence;
    uint8_t used, payload_type;
};

struct ax_jitter {
    struct ax_jitter_config config;
    struct ax_jitter_stats stats;
    struct ax_delay delay;
    struct slot *slots;
    uint8_t *payloads;
    int64_t newest_ns;  /**< Time of the newest timestamp, from the first one's. */
    int64_t arrived_ns; /**< When the newest packet came. */
    int64_t missing_ns; /**< Concealed since the last frame for frames that were not here. */
    int64_t tick_ns;    /**< 0: the caller asks at any time. */
    int64_t ahead_ns;   /**< From the moment of asking to that of the sound, less than a tick. */
    uint32_t newest_timestamp;
    uint32_t frame;     /**< Learnt ticks of a packet. */
    uint32_t ssrc, other_ssrc;
    uint32_t held;
    uint32_t rest;      /**< Ticks of the frame that is being played. */
    uint32_t play_timestamp; /**< What comes next on the time line of the sender. */
    uint16_t next, highest;
    uint16_t other_next; /**< Expected of a source or a jump that is not believed yet. */
    uint8_t known, playing, other;
};

int ax_jitter_new(struct ax_jitter **out, const struct ax_jitter_config *config)
{
    const struct ax_jitter_config *c = config;
    if (c->rate < 1000 || c->rate > 192000 || c->frame < 1 || c->frame > c->rate / 8)
        return AX_E_RANGE;
    if (c->slots < 16 || c->slots > AX_JITTER_MAX_SLOTS || (c->slots & (c->slots - 1)))
        return AX_E_RANGE;
    if (c->max_payload < 1 || c->max_payload > AX_JITTER_MAX_PAYLOAD)
        return AX_E_RANGE;
    if (c->max_delay_ms > 2000 || c->min_delay_ms > c->max_delay_ms || c->tick_us > 50000)
        return AX_E_RANGE;
    struct ax_jitter *j = calloc(1, sizeof *j);
    if (!j)
        return AX_E_NOMEM;
    j->slots = calloc(c->slots, sizeof *j->slots);
    j->payloads = malloc((size_t)c->slots * c->max_payload);
    if (!j->slots || !j->payloads) {
        ax_jitter_free(j);
        return AX_E_NOMEM;
    }
    j->config = *c;
    j->tick_ns = c->tick_us * 1000ll;
    ax_jitter_reset(j);
    *out = j;
    return AX_OK;
}

void ax_jitter_free(struct ax_jitter *j)
{
    if (!j)
        return;
    free(j->slots);
    free(j->payloads);
    free(j);
}

void ax_jitter_reset(struct ax_jitter *j)
{
    ax_delay_reset(&j->delay);
    for (uint32_t i = 0; i < j->config.slots; i++)
        j->slots[i].used = 0;
    j->frame = j->config.frame;
    j->newest_ns = j->missing_ns = 0;
    j->held = j->rest = 0;
    j->known = j->playing = j->other = 0;
}

static int64_t ticks_ns(const struct ax_jitter *j, int64_t ticks)
{
    return ticks * SECOND / j->config.rate;
}

static struct slot *slot_of(struct ax_jitter *j, uint16_t sequence)
{
    return &j->slots[sequence & (j->config.slots - 1)];
}

static int here(struct ax_jitter *j, uint16_t sequence)
{
    const struct slot *s = slot_of(j, sequence);
    return s->used && s->sequence == sequence;
}

/* Time of a timestamp near the newest one, on the line that began with the first packet. */
static int64_t time_of(const struct ax_jitter *j, uint32_t timestamp)
{
    return j->newest_ns + ticks_ns(j, (int32_t)(timestamp - j->newest_timestamp));
}

static void learn(struct ax_jitter *j, const struct ax_jitter_packet *p)
{
    const struct slot *before = slot_of(j, (uint16_t)(p->sequence - 1));
    const uint32_t ticks = p->timestamp - before->timestamp;
    if (before->sequence == (uint16_t)(p->sequence - 1) && p->sequence == (uint16_t)(j->highest + 1) && !p->marker &&
        ticks >= j->config.rate / 400 && ticks <= j->config.rate / 8 && j->known)
        j->frame = ticks;
}

static void store(struct ax_jitter *j, const struct ax_jitter_packet *p)
{
    struct slot *s = slot_of(j, p->sequence);
    j->held += !s->used;
    *s = (struct slot){.timestamp = p->timestamp, .size = p->size, .sequence = p->sequence, .used = 1,
                       .payload_type = p->payload_type};
    if (p->size)
        memcpy(j->payloads + (size_t)(p->sequence & (j->config.slots - 1)) * j->config.max_payload, p->payload, p->size);
}

static void begin(struct ax_jitter *j, const struct ax_jitter_packet *p)
{
    ax_jitter_reset(j);
    j->known = 1;
    j->ssrc = p->ssrc;
    j->next = j->highest = p->sequence;
    j->newest_timestamp = j->play_timestamp = p->timestamp;
}

/* A jump or another source: 1 when the packet before it was of the same kind, and the new order is taken. */
static int believe(struct ax_jitter *j, const struct ax_jitter_packet *p)
{
    if (j->other && p->ssrc == j->other_ssrc && p->sequence == j->other_next)
        return 1;
    j->other = 1;
    j->other_ssrc = p->ssrc;
    j->other_next = (uint16_t)(p->sequence + 1);
    return 0;
}

/* Make room: the ring holds the numbers next .. next + slots - 1. */
static void advance_to(struct ax_jitter *j, uint16_t sequence)
{
    while ((uint16_t)(sequence - j->next) >= j->config.slots) {
        if (j->held == 0) { /* the rest of them at once */
            const uint16_t passed = (uint16_t)(sequence - j->next - j->config.slots + 1);
            j->stats.lost += j->playing ? passed : 0;
            j->next = (uint16_t)(j->next + passed);
            break;
        }
        struct slot *s = slot_of(j, j->next);
        if (s->used && s->sequence == j->next) {
            s->used = 0;
            j->held--;
            j->stats.overflow++;
            j->play_timestamp = s->timestamp + j->frame;
        } else if (j->playing) {
            j->stats.lost++;
        }
        j->next++;
    }
}

static void measure(struct ax_jitter *j, const struct ax_jitter_packet *p, int64_t now)
{
    const int64_t at = time_of(j, p->timestamp);
    ax_delay_add(&j->delay, now - at, now, ticks_ns(j, j->frame), j->config.stretch ? j->tick_ns : -1);
    if ((int16_t)(p->sequence - j->highest) > 0 || j->delay.packets == 1) {
        j->newest_ns = at;
        j->newest_timestamp = p->timestamp;
        j->highest = p->sequence;
        j->arrived_ns = now;
    } else {
        j->stats.reordered++;
    }
}

int ax_jitter_put(struct ax_jitter *j, const struct ax_jitter_packet *p, uint64_t now_ns)
{
    int rc = AX_JITTER_STORED;
    if (p->size > j->config.max_payload || (p->size && !p->payload))
        return AX_E_RANGE;
    j->stats.put++;
    const uint16_t ahead = (uint16_t)(p->sequence - j->highest), behind = (uint16_t)(j->highest - p->sequence);
    const int32_t apart = (int32_t)(p->timestamp - j->newest_timestamp);
    const int64_t reach = 10ll * j->config.rate * (ahead < DROPOUT ? 1 + ahead / 50 : 1); /* pauses between words are long */
    if (!j->known) {
        begin(j, p);
    } else if (p->ssrc != j->ssrc || (ahead >= DROPOUT && behind >= MISORDER) || apart > reach || apart < -reach) {
        if (!believe(j, p)) {
            j->stats.strange++;
            return AX_JITTER_STRANGE;
        }
        begin(j, p);
        j->stats.restarts++;
        rc = AX_JITTER_RESTARTED;
    }
    j->other = 0;
    if (here(j, p->sequence)) {
        j->stats.duplicates++;
        return AX_JITTER_DUPLICATE;
    }
    learn(j, p);
    measure(j, p, (int64_t)now_ns);
    if ((int16_t)(p->sequence - j->next) < 0) {
        if (j->playing || (uint16_t)(j->highest - p->sequence) >= j->config.slots) {
            j->stats.late++;
            return AX_JITTER_LATE;
        }
        j->next = p->sequence; /* nothing was played yet: begin earlier */
        j->play_timestamp = p->timestamp;
    }
    advance_to(j, p->sequence);
    store(j, p);
    return rc;
}

/* From the moment of the sound until a frame may begin that would be `early` now. At a tick: it is asked for then. */
static int64_t until_due(const struct ax_jitter *j, int64_t early)
{
    return j->tick_ns ? (early + j->tick_ns - 1) / j->tick_ns * j->tick_ns - j->ahead_ns : early;
}

/* Ticks until what comes now can be played: to the next tick, or `otherwise`. */
static uint32_t to_tick(const struct ax_jitter *j, uint32_t otherwise)
{
    const uint32_t ticks = (uint32_t)(((j->tick_ns - j->ahead_ns) * (int64_t)j->config.rate + SECOND / 2) / SECOND);
    return !j->tick_ns ? otherwise : ticks < 1 ? 1 : ticks;
}

/* By how much the first piece of a frame is to be longer, so that the delay comes nearer to the one that is aimed at. */
static int64_t nearer(const struct ax_jitter *j, int64_t excess, int64_t frame, int64_t first)
{
    const int64_t step = frame / AX_DELAY_SHRINK, most = step < first / 2 ? step : first / 2;
    const int64_t part = j->delay.target / LACK_PART, most_lack = j->tick_ns ? LACK_TICK_NS : EASE_NS;
    const int64_t lack = part < most_lack ? part : most_lack;
    if (!j->tick_ns) {
        const int64_t less = excess - EASE_NS / 2;
        if (excess > EASE_NS)
            return -(less < most ? less : most);
        const int64_t more = EASE_NS / 2 - excess;
        return excess >= -lack ? 0 : more < first ? more : first;
    }
    if (excess < -lack) {
        const int64_t more = until_due(j, -excess);
        return more < first ? more : first;
    }
    const int64_t steps = excess > MARGIN_NS ? (excess - MARGIN_NS) / j->tick_ns : 0;
    const int64_t less = j->ahead_ns + steps * j->tick_ns;
    return less < WASTE_NS ? 0 : -(less < most ? less : most);
}

/* The next packet would be here by now, had the way not become longer: what is played meanwhile is stretched. Not while as
 * much as the delay that is aimed at is still held: that is what it is for. */
static int is_missed(const struct ax_jitter *j, int64_t now)
{
    if ((int64_t)j->held * ticks_ns(j, j->frame) >= j->delay.target)
        return 0;
    const int64_t age = now - j->newest_ns - ticks_ns(j, j->frame) - j->delay.base;
    return age > (int64_t)(ax_delay_missed_ms(&j->delay) * 1e6f);
}

/* How much of a frame with so many ticks left is played before the next answer: to a tick, but not too little to stretch. */
static uint32_t piece(const struct ax_jitter *j, uint32_t ticks)
{
    const uint32_t least = j->config.rate / 200 * 2;
    uint32_t whole = to_tick(j, (j->frame + AX_DELAY_PIECES - 1) / AX_DELAY_PIECES);
    if (j->tick_ns && whole < least)
        whole += (uint32_t)(j->tick_ns * (int64_t)j->config.rate / SECOND);
    return !j->config.stretch || whole < least || ticks < whole + least / 2 ? ticks : whole;
}

/* Play `ticks` of the frame, in `ticks + change`. */
static void play_piece(struct ax_jitter *j, uint32_t ticks, int64_t change_ns, struct ax_jitter_out *out)
{
    out->ticks = ticks;
    out->play = (uint32_t)((int64_t)ticks + change_ns * (int64_t)j->config.rate / SECOND);
    out->rest = j->rest -= ticks;
    j->stats.longer += out->play > ticks;
    j->stats.shorter += out->play < ticks;
    j->stats.played_ticks += out->play;
}

static void go_on(struct ax_jitter *j, int64_t now, struct ax_jitter_out *out)
{
    const uint32_t ticks = piece(j, j->rest);
    out->kind = AX_JITTER_REST;
    play_piece(j, ticks, is_missed(j, now) ? ticks_ns(j, ticks) : 0, out);
}

static void wait(struct ax_jitter *j, int64_t ns, struct ax_jitter_out *out)
{
    int64_t ticks = (ns * (int64_t)j->config.rate + (j->tick_ns ? SECOND / 2 : 0)) / SECOND;
    if (ticks > j->frame)
        ticks = j->frame;
    out->kind = AX_JITTER_WAIT;
    out->play = ticks < 1 ? 1 : (uint32_t)ticks;
    out->ticks = out->play;
    j->stats.waits++;
}

static void conceal(struct ax_jitter *j, uint32_t play, struct ax_jitter_out *out)
{
    out->kind = AX_JITTER_CONCEAL;
    out->play = out->ticks = play > 0 ? play : 1;
    out->timestamp = j->play_timestamp;
    out->sequence = j->next;
    j->stats.concealed_ticks += out->play;
}

static void play(struct ax_jitter *j, int64_t now, int64_t excess, struct ax_jitter_out *out)
{
    struct slot *s = slot_of(j, j->next);
    s->used = 0;
    j->held--;
    j->next++;
    uint32_t ticks = j->frame;
    if (here(j, j->next)) { /* its own length, unless a pause follows */
        const uint32_t to_next = slot_of(j, j->next)->timestamp - s->timestamp;
        ticks = to_next > 0 && to_next < ticks ? to_next : ticks;
    }
    j->rest = ticks;
    const uint32_t first = piece(j, ticks);
    int64_t change = 0;
    if (j->config.stretch)
        change = is_missed(j, now) ? ticks_ns(j, first) : nearer(j, excess, ticks_ns(j, ticks), ticks_ns(j, first));
    play_piece(j, first, change, out);
    out->kind = out->play == first ? AX_JITTER_FRAME : AX_JITTER_STRETCH;
    out->payload = j->payloads + (size_t)(s->sequence & (j->config.slots - 1)) * j->config.max_payload;
    out->size = s->size;
    out->timestamp = s->timestamp;
    out->sequence = s->sequence;
    out->payload_type = s->payload_type;
    const int64_t delay = excess + j->delay.target;
    out->delay_us = delay > 0 ? (uint32_t)(delay / 1000) : 0;
    j->play_timestamp = s->timestamp + ticks;
    j->missing_ns = 0;
    j->stats.frames++;
}

static int64_t target(const struct ax_jitter *j)
{
    const int64_t least = j->config.min_delay_ms * 1000000ll, most = j->config.max_delay_ms * 1000000ll;
    return j->delay.target < least ? least : j->delay.target > most ? most : j->delay.target;
}

/* Packets are held, but not the next one: it is lost, unless there is still time. 1: `out` says what to do. */
static int pass_lost(struct ax_jitter *j, int64_t now, struct ax_jitter_out *out)
{
    uint16_t lost = 0;
    while (!here(j, j->next)) {
        j->next++;
        lost++;
    }
    const uint32_t timestamp = slot_of(j, j->next)->timestamp;
    const int64_t excess = now - time_of(j, timestamp) - j->delay.base - target(j);
    const int64_t gap = ticks_ns(j, (int32_t)(timestamp - j->play_timestamp));
    const int64_t frame = ticks_ns(j, j->frame);
    /* The frame that is here is due when excess is 0: the place before it is filled until then, but no more than what is
     * missing, and no more than once. */
    int64_t fill = excess < 0 ? until_due(j, -excess) : 0;
    if (fill > gap + frame / 2)
        fill = gap + frame / 2;
    if (gap <= 0 || fill < frame / 4) {
        j->stats.lost += lost;
        return 0;
    }
    if (lost > 1 && fill > frame) { /* one by one */
        j->next = (uint16_t)(j->next - lost + 1);
        j->stats.lost++;
        j->play_timestamp += j->frame;
        conceal(j, j->frame, out);
        return 1;
    }
    j->stats.lost += lost;
    j->play_timestamp = timestamp;
    uint32_t ticks = (uint32_t)(fill * (int64_t)j->config.rate / SECOND);
    conceal(j, ticks < j->frame + j->frame / 2 ? ticks : j->frame + j->frame / 2, out);
    return 1;
}

/* What is older than the greatest delay is left out. */
static int64_t drop_old(struct ax_jitter *j, int64_t now)
{
    for (;;) {
        const int64_t delay = now - time_of(j, slot_of(j, j->next)->timestamp) - j->delay.base;
        if (delay <= j->config.max_delay_ms * 1000000ll + ticks_ns(j, j->frame) || j->held < 2)
            return delay;
        slot_of(j, j->next)->used = 0;
        j->held--;
        j->stats.lost++;
        j->stats.late++;
        j->next++;
        while (!here(j, j->next)) {
            j->next++;
            j->stats.lost++;
        }
    }
}

void ax_jitter_get(struct ax_jitter *j, uint64_t now_ns, struct ax_jitter_out *out)
{
    ax_jitter_get_ahead(j, now_ns, 0, out);
}

void ax_jitter_get_ahead(struct ax_jitter *j, uint64_t now_ns, uint64_t ahead_ns, struct ax_jitter_out *out)
{
    j->ahead_ns = j->tick_ns ? (int64_t)(ahead_ns % (uint64_t)j->tick_ns) : 0;
    const int64_t now = (int64_t)(now_ns + ahead_ns) - j->ahead_ns;
    memset(out, 0, sizeof *out);
    out->play = out->ticks = to_tick(j, j->frame);
    if (j->rest) {
        go_on(j, now, out);
        return;
    }
    if (!j->held) {
        if (!j->playing || j->missing_ns > 10 * ticks_ns(j, j->frame)) { /* not begun, or a long silence */
            j->stats.waits++;
            return;
        }
        const uint32_t part = to_tick(j, j->frame > AX_DELAY_PARTS ? j->frame / AX_DELAY_PARTS : 1);
        j->missing_ns += ticks_ns(j, part);
        conceal(j, part, out);
        return;
    }
    if (!here(j, j->next) && pass_lost(j, now, out))
        return;
    const int64_t delay = drop_old(j, now), excess = delay - target(j);
    const int64_t pause = j->playing ? ticks_ns(j, (int32_t)(slot_of(j, j->next)->timestamp - j->play_timestamp)) : SECOND;
    if (excess < 0 && pause > 0) { /* the beginning, or between words */
        wait(j, until_due(j, -excess), out);
        return;
    }
    j->playing = 1;
    play(j, now, excess, out);
}

const struct ax_jitter_stats *ax_jitter_stats(const struct ax_jitter *j)
{
    return &j->stats;
}

uint32_t ax_jitter_target_us(const struct ax_jitter *j)
{
    return (uint32_t)(target(j) / 1000);
}

uint32_t ax_jitter_held(const struct ax_jitter *j)
{
    return j->held;
}
