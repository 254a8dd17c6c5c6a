/* Frames whose near side waits for the next step (ax_pipeline.c, may_wait): what legs, loudspeaker and events get is bit for
 * bit what they get without. */
#include "ax/err.h"
#include "ax/leg.h"
#include "ax/pipeline.h"
#include "ax_test.h"

#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

enum { FRAME = 160, PAYLOAD = 1300, STEPS = 606, SETTLED = 6, EVENTS = 256 };

static uint32_t seed = 1;

static uint32_t chance(uint32_t of)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % of;
}

/* A station with one leg that sends packets. Where nothing may wait, there is one of PCM, too, which gets a packet each step. */
struct station {
    struct ax_pipeline *p;
    struct ax_leg *leg, *pcm;
    uint8_t sent[STEPS][PAYLOAD];
    int sizes[STEPS];
    struct ax_pipeline_event events[EVENTS];
    int nevents;
    uint32_t waited;
};

static void put(struct station *s, struct ax_pipeline_command command)
{
    uint64_t serial;
    CHECK_EQ(ax_pipeline_put(s->p, &command, &serial), AX_OK);
}

static void open_station(struct station *s, const struct ax_leg_spec *spec, bool waits)
{
    const struct ax_pipeline_spec graph = {
        .rate = 16000, .echo = AX_PIPELINE_ECHO_FULL, .tail_ms = 100, .max_attenuation_db = 20, .gain_control = true,
        .target_db = -20, .volume_control = true, .quiet_db = -50, .threshold = 60,
    };
    const struct ax_leg_spec pcm = {.rate = 16000, .codec = AX_LEG_PCM, .packet_ms = 10};
    memset(s, 0, sizeof *s);
    CHECK_EQ(ax_pipeline_new(&s->p, &graph), AX_OK);
    CHECK_EQ(ax_leg_new(&s->leg, spec), AX_OK);
    CHECK_EQ(ax_leg_new(&s->pcm, &pcm), AX_OK);
    put(s, (struct ax_pipeline_command){.verb = AX_PIPELINE_LEG, .index = 1, .leg = s->leg, .gain = 1});
    if (!waits)
        put(s, (struct ax_pipeline_command){.verb = AX_PIPELINE_LEG, .index = 4, .leg = s->pcm, .gain = 0, .mute = true});
}

static void close_station(struct station *s)
{
    ax_leg_free(s->leg);
    ax_leg_free(s->pcm);
    ax_pipeline_free(s->p);
}

static void step(struct station *s, uint32_t k, const int16_t *mic, int16_t *speaker)
{
    struct ax_pipeline_stats before, after;
    uint32_t timestamp;
    int16_t ignored[FRAME];
    ax_pipeline_get(s->p, &before);
    CHECK(ax_pipeline_step(s->p, k * 10 * MS, mic, speaker) >= 0);
    ax_pipeline_get(s->p, &after);
    s->waited += k >= SETTLED && after.near_db == before.near_db;
    s->sizes[k] = ax_leg_take(s->leg, &timestamp, s->sent[k], PAYLOAD);
    (void)ax_leg_take(s->pcm, &timestamp, (uint8_t *)ignored, sizeof ignored);
    while (s->nevents < EVENTS && ax_pipeline_event(s->p, &s->events[s->nevents]) == 1)
        s->nevents++;
}

/* Talk with pauses, so that there are events; and noise. */
static void microphone(int16_t *mic, uint32_t k)
{
    const int16_t loud = k / 60 % 2 ? 9000 : 300;
    for (int i = 0; i < FRAME; i++)
        mic[i] = (int16_t)((int32_t)chance(65536) - 32768) / (32768 / loud);
}

static void far(struct station *s, uint32_t k, uint32_t noise)
{
    uint8_t payload[FRAME];
    for (int i = 0; i < FRAME; i++)
        payload[i] = (uint8_t)((noise = noise * 1664525u + 1013904223u) >> 24 & 0x8F) | 0x20;
    const struct ax_leg_packet packet = {
        .payload = payload, .size = FRAME, .ssrc = 7, .timestamp = k * 80, .sequence = (uint16_t)(k / 2)};
    CHECK_EQ(ax_leg_offer(s->leg, &packet, k * 10 * MS), AX_OK);
}

/* What may come at any time, one step in six: a clip for the partner, whose frames wait no more while it plays. */
static void disturb(struct station *a, struct station *b)
{
    static const int16_t clip[5 * FRAME / 2] = {900, -900, 700};
    const struct ax_pipeline_command command = {
        .verb = AX_PIPELINE_PLAY, .index = 2, .samples = clip, .n = sizeof clip / sizeof *clip, .repeat = 1, .gain = 1,
        .to = chance(2) ? 1u << 1 : AX_PIPELINE_SPEAKER,
    };
    if (chance(6))
        return;
    put(a, command);
    put(b, command);
}

/* The next event of a kind after `*at`; NULL: there is none. */
static const struct ax_pipeline_event *next(const struct station *s, uint32_t kind, int *at)
{
    while (*at < s->nevents)
        if (s->events[(*at)++].kind == kind)
            return &s->events[*at - 1];
    return NULL;
}

/* Talk is told a step later where it waits: the order of events differs, but not what each kind tells. */
static void compare_events(const struct station *a, const struct station *b)
{
    CHECK_EQ(a->nevents, b->nevents);
    for (uint32_t kind = AX_PIPELINE_KEY_DOWN; kind <= AX_PIPELINE_ENDED; kind++) {
        const struct ax_pipeline_event *x, *y;
        int i = 0, j = 0;
        while ((x = next(a, kind, &i)) && (y = next(b, kind, &j)))
            CHECK(x->t_ns == y->t_ns && x->value == y->value && x->index == y->index);
    }
}

/* `waited`: of six steps, those whose near side waits; fewer if disturbed. */
static void test_same(uint32_t codec, uint32_t packet_ms, uint32_t waited, bool disturbed)
{
    static struct station a, b;
    const struct ax_leg_spec spec = {.rate = 16000, .codec = codec, .packet_ms = packet_ms, .max_delay_ms = 200,
                                     .codec_rate = codec == AX_LEG_L16 ? 16000 : 0};
    const uint32_t most = (STEPS - SETTLED) * waited / 6;
    int16_t mic[FRAME], out[2][FRAME];
    open_station(&a, &spec, true);
    open_station(&b, &spec, false);
    for (uint32_t k = 0; k < STEPS; k++) {
        const uint32_t noise = chance(1u << 24);
        microphone(mic, k);
        if (codec == AX_LEG_PCMU && k % 2 == 0) {
            far(&a, k, noise);
            far(&b, k, noise);
        }
        if (disturbed)
            disturb(&a, &b);
        step(&a, k, mic, out[0]);
        step(&b, k, mic, out[1]);
        CHECK_EQ(a.sizes[k], b.sizes[k]);
        CHECK(memcmp(a.sent[k], b.sent[k], PAYLOAD) == 0);
        CHECK(memcmp(out[0], out[1], sizeof out[0]) == 0);
    }
    compare_events(&a, &b);
    CHECK(a.nevents > 4 && a.nevents < EVENTS);
    CHECK_EQ(b.waited, 0);
    CHECK(disturbed ? a.waited > 0 && a.waited < most : a.waited == most);
    close_station(&a);
    close_station(&b);
}

/* A leg that goes while a frame waits, and one that comes: the frame is for who was there when it was said. */
static void test_leg_changes(void)
{
    static struct station s;
    const struct ax_leg_spec spec = {.rate = 16000, .codec = AX_LEG_PCMU, .packet_ms = 20, .max_delay_ms = 200};
    struct ax_leg *other = NULL;
    int16_t mic[FRAME], out[FRAME];
    CHECK_EQ(ax_leg_new(&other, &spec), AX_OK);
    open_station(&s, &spec, true);
    for (uint32_t k = 0; k < 6; k++) {
        microphone(mic, k);
        if (k == 3) {
            put(&s, (struct ax_pipeline_command){.verb = AX_PIPELINE_LEG, .index = 1});
            put(&s, (struct ax_pipeline_command){.verb = AX_PIPELINE_LEG, .index = 2, .leg = other, .gain = 1});
        }
        step(&s, k, mic, out);
        CHECK_EQ(ax_leg_missing(s.leg), 2);
        CHECK_EQ(ax_leg_missing(other), k == 3 ? 1 : 2);
    }
    ax_leg_free(other);
    close_station(&s);
}

int main(void)
{
    test_same(AX_LEG_PCMU, 20, 3, false);
    test_same(AX_LEG_PCMU, 20, 3, true);
    test_same(AX_LEG_G722, 60, 3, false);
    test_same(AX_LEG_L16, 40, 3, false);
    test_same(AX_LEG_PCMA, 30, 2, false);
    test_same(AX_LEG_PCMA, 10, 0, false);
    test_leg_changes();
    return ax_test_done();
}
