/* The near side of the pipeline, from the microphone to the legs; see ax/pipeline.h. Units, threads: as there.
 * Allocation: none. */
#include "ax_pipeline_internal.h"

#include <string.h>

#define FAR 1e-6f     /* -60 dBFS: the loudspeaker makes an echo, */
#define FAR_FRAMES 40 /* which rings for so long; */
#define DOUBT 0.3f    /* if more of a frame may be echo, it is not talk to go by; */
#define NEAR 1e-5f    /* -50 dBFS: meanwhile what is fainter is what was left of it, whatever else it looks like. */

/* What the microphone hears may be the loudspeaker alone, or somebody under an echo that the filter has not learnt yet:
 * nobody's voice to set a gain by. */
static bool only_echo(struct ax_pipeline *p, float speaker_power)
{
    struct ax_aec_status status;
    p->rings = speaker_power > FAR ? FAR_FRAMES : p->rings - (p->rings > 0);
    if (!p->aec || p->spec.echo != AX_PIPELINE_ECHO_FULL || p->rings == 0)
        return false;
    ax_aec_talk(p->aec, &status);
    return !status.talking || status.doubt > DOUBT || pcm_power_i16(p->near, p->frame) < NEAR;
}

/* What is wanted of the microphone without delay, and is little work. */
static void take_level(struct ax_pipeline *p, uint64_t now_ns, const int16_t *mic)
{
    const int passed = ax_level_feed(&p->level, mic);
    if (passed == AX_LEVEL_RISE || passed == AX_LEVEL_FALL) {
        const struct ax_pipeline_event event = {
            .t_ns = now_ns, .kind = passed == AX_LEVEL_RISE ? AX_PIPELINE_RISE : AX_PIPELINE_FALL,
            .value = (uint32_t)(ax_level_get(&p->level) + 0.5f)};
        pipeline_tell(p, &event);
    }
    if (p->avc)
        (void)ax_avc_ambient(p->avc, mic);
}

static void make_near(struct ax_pipeline *p, uint64_t now_ns, const int16_t *mic, const int16_t *out, float speaker_power)
{
    if (p->aec)
        (void)ax_aec_process_i16(p->aec, mic, out, p->near);
    else
        memcpy(p->near, mic, p->frame * sizeof *mic);
    if (p->ns && !p->chained)
        (void)ax_ns_process_i16(p->ns, p->near, p->near);
    if (p->agc) {
        ax_agc_rest(p->agc, only_echo(p, speaker_power));
        (void)ax_agc_i16(p->agc, p->near, p->near);
    }
    const bool talks = ax_vad_feed(&p->vad, p->near) > 0;
    if (talks != (bool)p->stats.talking) {
        const struct ax_pipeline_event event = {.t_ns = now_ns, .kind = talks ? AX_PIPELINE_TALK : AX_PIPELINE_QUIET};
        p->stats.talking = talks;
        pipeline_tell(p, &event);
    }
}

/* Who is to be heard by leg k, and how loud. */
struct mix {
    const int16_t *frames[SOURCES];
    float gains[SOURCES];
    size_t n;
};

static void add_near(const struct ax_pipeline *p, struct mix *m)
{
    if (p->mic_mute)
        return;
    m->frames[m->n] = p->near;
    m->gains[m->n++] = p->mic_gain;
}

static int say_mix(struct ax_pipeline *p, uint32_t k, const struct mix *m)
{
    int16_t mixed[MOST];
    (void)ax_limit_mix(p->seat[k].limit, m->frames, m->gains, m->n, mixed);
    return ax_leg_say(p->seat[k].leg, mixed);
}

/* The microphone alone. */
static int say_near(struct ax_pipeline *p, uint32_t k)
{
    struct mix m = {.n = 0};
    add_near(p, &m);
    return say_mix(p, k, &m);
}

static int say(struct ax_pipeline *p, uint32_t k, uint32_t sounding)
{
    const struct seat *me = &p->seat[k];
    struct mix m = {.n = 0};
    add_near(p, &m);
    for (uint32_t i = 0; i < LEGS; i++) {
        const struct seat *s = &p->seat[i];
        if (i != k && s->leg && s->conference && me->conference && !s->mute) {
            m.frames[m.n] = p->heard[i];
            m.gains[m.n++] = s->gain;
        }
    }
    m.n = pipeline_add_plays(p, 1u << k, 1.0f, sounding, m.frames, m.gains, m.n);
    return say_mix(p, k, &m);
}

/* Whether the near side of this step can wait for the next one, because nobody gets it before: each leg needs more than
 * this frame for a packet, and hears the microphone alone. Two frames at once cost much less than one and one 10 ms later,
 * which finds nothing left of its code and data in the processor's caches. */
static bool may_wait(const struct ax_pipeline *p, uint32_t sounding)
{
    uint32_t conference = 0;
    if (p->last.waits || !p->stats.legs)
        return false;
    for (uint32_t k = 0; k < LEGS; k++)
        if (p->seat[k].leg) {
            conference += p->seat[k].conference;
            if (ax_leg_missing(p->seat[k].leg) < 2)
                return false;
        }
    for (uint32_t i = 0; i < PLAYS; i++)
        if ((sounding >> i & 1) && (p->play[i].to & ~AX_PIPELINE_SPEAKER))
            return false;
    return conference < 2;
}

static void keep(struct ax_pipeline *p, uint64_t now_ns, const int16_t *mic)
{
    struct near *w = &p->last;
    w->waits = true;
    w->now_ns = now_ns;
    w->speaker_power = p->stats.speaker_db;
    w->legs = p->stats.legs;
    memcpy(w->mic, mic, p->frame * sizeof *mic);
    memcpy(w->out, p->out, p->frame * sizeof *p->out);
}

int pipeline_near(struct ax_pipeline *p, uint64_t now_ns, const int16_t *mic, uint32_t sounding)
{
    struct near *w = &p->last;
    int packets = 0;
    take_level(p, now_ns, mic);
    if (may_wait(p, sounding)) {
        keep(p, now_ns, mic);
        return 0;
    }
    if (w->waits) {
        w->waits = false;
        make_near(p, w->now_ns, w->mic, w->out, w->speaker_power);
        for (uint32_t k = 0; k < LEGS; k++)
            if (w->legs >> k & 1)
                packets += say_near(p, k);
    }
    make_near(p, now_ns, mic, p->out, p->stats.speaker_db);
    for (uint32_t k = 0; k < LEGS; k++)
        if (p->seat[k].leg)
            packets += say(p, k, sounding);
    return packets;
}
