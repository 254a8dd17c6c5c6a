/* Jitter buffer: order, loss, duplicates, pauses, restarts, drift, steps, stretching, bounds. Time is simulated: the caller
 * plays what it is told and asks again when that is over. */
#include "ax/err.h"
#include "ax/jitter.h"
#include "ax_test.h"

#include <stdlib.h>
#include <string.h>

#define MS 1000000ll

static const struct ax_jitter_config CONFIG = {8000, 160, 64, 160, 0, 400, 1, 0};

struct play {
    struct ax_jitter *j;
    int64_t now, first; /* first: when packet 0 is sent */
    int64_t send_ns;    /* packet spacing by the receiver's clock */
    int sent, last, frames, conceals, disorder;
    int64_t delay_ns;   /* of the last frame */
    uint32_t ssrc;
};

static void put(struct play *p, int i, int64_t now)
{
    uint8_t payload[160];
    memset(payload, i & 255, sizeof payload);
    const struct ax_jitter_packet packet = {payload, 160, p->ssrc, (uint32_t)i * 160, (uint16_t)i, 0, 0};
    CHECK(ax_jitter_put(p->j, &packet, (uint64_t)now) >= 0);
}

/* Play until `until`; packet i comes at first + i * 20 ms + delay(i), or never when that is negative. Delays below 20 ms. */
static void run(struct play *p, int64_t until, int64_t (*delay)(int i))
{
    while (p->now < until) {
        struct ax_jitter_out out;
        for (; p->first + p->sent * p->send_ns <= p->now; p->sent++) {
            const int64_t d = delay(p->sent);
            if (d >= 0)
                put(p, p->sent, p->first + p->sent * p->send_ns + d);
        }
        ax_jitter_get(p->j, (uint64_t)p->now, &out);
        CHECK(out.play > 0 && out.play <= 2 * 160);
        if (out.payload) {
            const int i = (int)(out.timestamp / 160);
            p->disorder += i <= p->last || out.payload[0] != (i & 255);
            p->last = i;
            p->frames++;
            p->delay_ns = p->now - p->first - i * p->send_ns;
        }
        p->conceals += out.kind == AX_JITTER_CONCEAL;
        p->now += out.play * (1000 * MS / 8000);
    }
}

static struct play begin(const struct ax_jitter_config *config)
{
    struct play p = {.now = 1000 * MS, .first = 1000 * MS, .send_ns = 20 * MS, .last = -1, .ssrc = 7};
    CHECK_EQ(ax_jitter_new(&p.j, config), AX_OK);
    return p;
}

static int64_t none(int i)
{
    (void)i;
    return 0;
}

static int64_t uneven(int i)
{
    return (int64_t)((uint32_t)i * 2654435761u >> 20) * 1000; /* 0 .. 4 ms */
}

static int64_t every_tenth_lost(int i)
{
    return i % 10 == 9 ? -1 : uneven(i);
}

static int64_t later_after_500(int i)
{
    return uneven(i) + (i >= 500 ? 15 * MS : 0);
}

static void clean(void)
{
    struct play p = begin(&CONFIG);
    run(&p, p.first + 20000 * MS, uneven);
    const struct ax_jitter_stats *s = ax_jitter_stats(p.j);
    CHECK_EQ(p.disorder, 0);
    CHECK_EQ(p.conceals, 0);
    CHECK_EQ(s->lost, 0);
    CHECK(p.frames > 990);
    CHECK(p.delay_ns < 30 * MS);
    CHECK(s->longer + s->shorter < 40);
    ax_jitter_free(p.j);
}

static void loss_is_concealed_once(void)
{
    struct play p = begin(&CONFIG);
    run(&p, p.first + 20000 * MS, every_tenth_lost);
    const struct ax_jitter_stats *s = ax_jitter_stats(p.j);
    CHECK_EQ(p.disorder, 0);
    CHECK(s->lost >= 97 && s->lost <= 101);
    CHECK(s->concealed_ticks <= 101 * 170);
    CHECK(p.frames >= 890);
    ax_jitter_free(p.j);
}

static void follows_a_step(void)
{
    struct play p = begin(&CONFIG);
    run(&p, p.first + 30000 * MS, later_after_500);
    CHECK_EQ(ax_jitter_stats(p.j)->lost, 0);
    CHECK_EQ(p.disorder, 0);
    CHECK(p.delay_ns < 50 * MS);
    ax_jitter_free(p.j);
}

/* 300 ppm: a minute moves the clocks 18 ms apart; the delay does not move with it. */
static void drift(int64_t ppm)
{
    struct play p = begin(&CONFIG);
    p.send_ns += 20 * MS * ppm / 1000000;
    run(&p, p.first + 10000 * MS, none);
    const int64_t early = p.delay_ns;
    run(&p, p.first + 120000 * MS, none);
    CHECK(llabs(p.delay_ns - early) < 12 * MS);
    CHECK_EQ(ax_jitter_stats(p.j)->lost, 0);
    CHECK(ax_jitter_stats(p.j)->concealed_ticks <= 120 * 8); /* 1 ms a second at most */
    CHECK_EQ(p.disorder, 0);
    ax_jitter_free(p.j);
}

/* Asked at ticks of 10 ms; packets come `early` before a tick. Gives the delay of the last frame, and by how much later than
 * a tick it began. */
static int64_t in_ticks(int64_t early, int64_t until, int64_t (*delay)(int i), int64_t *waste)
{
    struct ax_jitter_config config = CONFIG;
    config.tick_us = 10000;
    struct play p = begin(&config);
    uint32_t rest = 0;
    int64_t ahead = 0;
    p.first += 10 * MS - early;
    while (p.now < p.first + until) {
        for (; p.first + p.sent * p.send_ns + delay(p.sent) <= p.now; p.sent++)
            put(&p, p.sent, p.first + p.sent * p.send_ns + delay(p.sent));
        for (; ahead < 10 * MS;) {
            struct ax_jitter_out out;
            ax_jitter_get_ahead(p.j, (uint64_t)p.now, (uint64_t)ahead, &out);
            CHECK(out.play > 0 && (out.kind != AX_JITTER_WAIT || ahead + out.play * 125000 <= 20 * MS));
            if (out.payload) {
                p.disorder += (int)(out.timestamp / 160) <= p.last;
                p.last = (int)(out.timestamp / 160);
                p.delay_ns = p.now + ahead - p.first - p.last * p.send_ns;
                *waste = ahead;
                CHECK_EQ(out.ticks + out.rest, 160);
            }
            if (out.kind == AX_JITTER_REST)
                CHECK_EQ(out.ticks + out.rest, rest);
            CHECK(out.payload || out.kind == AX_JITTER_REST || rest == 0);
            rest = out.rest;
            p.conceals += out.kind == AX_JITTER_CONCEAL;
            ahead += out.play * 125000;
        }
        ahead -= 10 * MS;
        p.now += 10 * MS;
    }
    CHECK_EQ(p.conceals + p.disorder, 0);
    CHECK_EQ(ax_jitter_stats(p.j)->lost, 0);
    ax_jitter_free(p.j);
    return p.delay_ns;
}

static int64_t at_most_half_a_ms(int i)
{
    return uneven(i) / 8;
}

/* A frame begins with a tick, and waits for no more than that and the least delay that is aimed at. */
static void frames_begin_with_a_tick(void)
{
    for (int64_t early = 0; early < 10; early++) {
        int64_t waste = -1;
        const int64_t first = in_ticks(early * MS, 500 * MS, at_most_half_a_ms, &waste);
        CHECK_EQ(waste, 0);
        CHECK(first >= early * MS && first <= 18 * MS);
        const int64_t later = in_ticks(early * MS, 15000 * MS, at_most_half_a_ms, &waste);
        CHECK_EQ(later % (10 * MS) / MS, early);
        CHECK_EQ(waste, 0);
        CHECK(later <= 14 * MS);
    }
}

static void order_copies_and_lateness(void)
{
    struct play p = begin(&CONFIG);
    struct ax_jitter_out out;
    static const int order[] = {1, 0, 3, 2, 2, 4};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        put(&p, order[i], p.now + (int64_t)i);
    CHECK_EQ(ax_jitter_held(p.j), 5);
    CHECK_EQ(ax_jitter_stats(p.j)->duplicates, 1);
    CHECK_EQ(ax_jitter_stats(p.j)->reordered, 2);
    for (int i = 0; i < 5;) {
        ax_jitter_get(p.j, (uint64_t)p.now, &out);
        if (out.payload)
            CHECK_EQ(out.sequence, i++);
        p.now += out.play * (1000 * MS / 8000);
    }
    const struct ax_jitter_packet old = {(const uint8_t *)"", 0, 7, 0, 0, 0, 0};
    CHECK_EQ(ax_jitter_put(p.j, &old, (uint64_t)p.now), AX_JITTER_LATE);
    CHECK_EQ(ax_jitter_stats(p.j)->late, 1);
    ax_jitter_free(p.j);
}

static void another_source_and_a_restart(void)
{
    struct play p = begin(&CONFIG);
    run(&p, p.first + 1000 * MS, none);
    uint8_t payload[4] = {0};
    struct ax_jitter_packet packet = {payload, 4, 8, 5000000, 900, 0, 0};
    CHECK_EQ(ax_jitter_put(p.j, &packet, (uint64_t)p.now), AX_JITTER_STRANGE);
    packet.sequence = 950; /* does not follow */
    CHECK_EQ(ax_jitter_put(p.j, &packet, (uint64_t)p.now), AX_JITTER_STRANGE);
    packet.sequence = 951;
    packet.timestamp += 160;
    CHECK_EQ(ax_jitter_put(p.j, &packet, (uint64_t)p.now), AX_JITTER_RESTARTED);
    CHECK_EQ(ax_jitter_held(p.j), 1);
    packet.sequence = 40000; /* the same source starts anew */
    CHECK_EQ(ax_jitter_put(p.j, &packet, (uint64_t)p.now), AX_JITTER_STRANGE);
    packet.sequence++;
    CHECK_EQ(ax_jitter_put(p.j, &packet, (uint64_t)p.now), AX_JITTER_RESTARTED);
    CHECK_EQ(ax_jitter_stats(p.j)->restarts, 2);
    CHECK_EQ(ax_jitter_stats(p.j)->strange, 3);
    ax_jitter_free(p.j);
}

static void silence_and_an_outage(void)
{
    struct play p = begin(&CONFIG);
    struct ax_jitter_out out;
    ax_jitter_get(p.j, (uint64_t)p.now, &out);
    CHECK_EQ(out.kind, AX_JITTER_WAIT);
    CHECK_EQ(out.play, 160);
    run(&p, p.first + 1000 * MS, none);
    int waits = 0;
    for (int i = 0; i < 400; i++) { /* nothing comes: concealed for a while, then silence */
        ax_jitter_get(p.j, (uint64_t)p.now, &out);
        waits += out.kind == AX_JITTER_WAIT;
        p.now += out.play * (1000 * MS / 8000);
    }
    CHECK(waits > 300);
    p.sent = (int)((p.now - p.first) / p.send_ns);
    run(&p, p.now + 2000 * MS, none);
    CHECK_EQ(p.disorder, 0);
    CHECK(p.delay_ns < 100 * MS);
    ax_jitter_free(p.j);
}

/* A whole second arrives at once: what is older than the greatest delay is dropped, the rest is caught up with. */
static void a_bunch(void)
{
    struct play p = begin(&CONFIG);
    run(&p, p.first + 1000 * MS, none);
    for (int i = p.sent; i < p.sent + 60; i++)
        put(&p, i, p.now + 1200 * MS);
    p.sent += 60;
    p.now += 1200 * MS;
    CHECK(ax_jitter_held(p.j) <= 64);
    run(&p, p.now + 5000 * MS, none);
    CHECK_EQ(p.disorder, 0);
    CHECK(p.delay_ns < 100 * MS);
    CHECK(ax_jitter_stats(p.j)->lost > 30);
    ax_jitter_free(p.j);
}

static void a_pause_between_words(void)
{
    struct play p = begin(&CONFIG);
    struct ax_jitter_out out;
    uint8_t payload[160] = {0};
    for (int i = 0; i < 10; i++) {
        const uint32_t timestamp = (uint32_t)(i < 5 ? i : i + 100) * 160;
        const struct ax_jitter_packet packet = {payload, 160, 7, timestamp, (uint16_t)i, 0, i == 5};
        const int64_t at = p.first + timestamp * (1000 * MS / 8000);
        while (p.now < at) {
            ax_jitter_get(p.j, (uint64_t)p.now, &out);
            p.now += out.play * (1000 * MS / 8000);
        }
        CHECK(ax_jitter_put(p.j, &packet, (uint64_t)at) == AX_JITTER_STORED);
    }
    for (int i = 0; i < 20; i++) {
        ax_jitter_get(p.j, (uint64_t)p.now, &out);
        p.now += out.play * (1000 * MS / 8000);
    }
    CHECK_EQ(ax_jitter_stats(p.j)->lost, 0);
    CHECK_EQ(ax_jitter_stats(p.j)->frames, 10);
    ax_jitter_free(p.j);
}

static void without_stretching_every_frame_has_its_length(void)
{
    struct ax_jitter_config config = CONFIG;
    config.stretch = 0;
    struct play p = begin(&config);
    run(&p, p.first + 20000 * MS, every_tenth_lost);
    const struct ax_jitter_stats *s = ax_jitter_stats(p.j);
    CHECK_EQ(s->longer + s->shorter, 0);
    CHECK_EQ(s->played_ticks, s->frames * 160);
    CHECK_EQ(p.disorder, 0);
    ax_jitter_free(p.j);
}

static void bad_configurations(void)
{
    static const struct ax_jitter_config bad[] = {
        {999, 160, 64, 160, 0, 400, 1, 0},  {8000, 0, 64, 160, 0, 400, 1, 0},   {8000, 1001, 64, 160, 0, 400, 1, 0},
        {8000, 160, 63, 160, 0, 400, 1, 0}, {8000, 160, 8, 160, 0, 400, 1, 0},  {8000, 160, 2048, 160, 0, 400, 1, 0},
        {8000, 160, 64, 0, 0, 400, 1, 0},   {8000, 160, 64, 9000, 0, 400, 1, 0}, {8000, 160, 64, 160, 401, 400, 1, 0},
        {8000, 160, 64, 160, 0, 400, 1, 50001}, {8000, 160, 64, 160, 0, 2001, 1, 0}, {200000, 160, 64, 160, 0, 400, 1, 0},
    };
    struct ax_jitter *j = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_EQ(ax_jitter_new(&j, &bad[i]), AX_E_RANGE);
    ax_jitter_free(NULL);
    CHECK_EQ(ax_jitter_new(&j, &CONFIG), AX_OK);
    uint8_t payload[161] = {0};
    const struct ax_jitter_packet packet = {payload, 161, 7, 0, 0, 0, 0};
    CHECK_EQ(ax_jitter_put(j, &packet, 0), AX_E_RANGE);
    CHECK(ax_jitter_target_us(j) > 0);
    ax_jitter_free(j);
}

/* A sender's clock that is 250 ppm slow takes 30 ms in two minutes: frames are stretched for it before one is missed. */
static void a_slow_sender_is_never_concealed(uint32_t tick_us)
{
    struct ax_jitter_config config = CONFIG;
    config.tick_us = tick_us;
    struct play p = begin(&config);
    const int64_t period = 20 * MS + 5000, tick = tick_us * 1000ll;
    int64_t ahead = 0;
    while (p.now < 120000 * MS) {
        struct ax_jitter_out out;
        for (int64_t at; (at = p.first + p.sent * period + uneven(p.sent) / 8) <= p.now; p.sent++)
            put(&p, p.sent, at);
        ax_jitter_get_ahead(p.j, (uint64_t)p.now, (uint64_t)ahead, &out);
        p.conceals += out.kind == AX_JITTER_CONCEAL;
        ahead += out.play * (1000 * MS / 8000);
        const int64_t whole = tick ? ahead / tick * tick : ahead;
        p.now += whole;
        ahead -= whole;
    }
    CHECK_EQ(p.conceals, 0);
    CHECK_EQ(ax_jitter_stats(p.j)->lost, 0);
    CHECK(ax_jitter_stats(p.j)->longer >= 2);
    ax_jitter_free(p.j);
}

/* Frames of one tick of the clock, some of them lost: what is concealed for them still has a length. */
static void a_concealment_has_a_length(void)
{
    static const struct ax_jitter_config tiny = {8000, 1, 16, 16, 0, 400, 0, 10000};
    struct play p = begin(&tiny);
    for (int i = 0; i < 4000; i++) {
        struct ax_jitter_out out;
        const struct ax_jitter_packet packet = {NULL, 0, 7, (uint32_t)i * 40, (uint16_t)(i * 3), 0, 0};
        if (i % 3 == 0)
            CHECK(ax_jitter_put(p.j, &packet, (uint64_t)p.now) >= 0);
        ax_jitter_get_ahead(p.j, (uint64_t)p.now, (uint64_t)(i % 100) * 100000, &out);
        CHECK(out.play > 0 && out.ticks > 0);
        p.now += i % 7 * 500000;
    }
    ax_jitter_free(p.j);
}

int main(void)
{
    clean();
    loss_is_concealed_once();
    follows_a_step();
    drift(300);
    drift(-300);
    drift(0);
    a_slow_sender_is_never_concealed(0);
    a_slow_sender_is_never_concealed(10000);
    a_concealment_has_a_length();
    frames_begin_with_a_tick();
    order_copies_and_lateness();
    another_source_and_a_restart();
    silence_and_an_outage();
    a_bunch();
    a_pause_between_words();
    without_stretching_every_frame_has_its_length();
    bad_configurations();
    return ax_test_done();
}
