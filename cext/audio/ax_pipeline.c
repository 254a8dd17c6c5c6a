/* The graph of a door station; see ax/pipeline.h. A step goes through it once, from the far side to the near: first what the
 * loudspeaker gets, so that the echo canceller has it as the reference of the same step.
 * Units, threads: as there. Allocation: in new. */
#include "ax_pipeline_internal.h"

#include "ax/err.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_STEPS = 10 };

#define CEILING 0.966f /* -0.3 dB */
#define MOST_GAIN_DB 30.0f
#define LEAST_GAIN_DB (-20.0f)
#define VOLUME_MOST_DB 18.0f
#define VOLUME_SLOPE 0.7f

/* --- commands and events ---------------------------------------------------------------------------------------------- */

int ax_pipeline_put(struct ax_pipeline *p, const struct ax_pipeline_command *c, uint64_t *serial)
{
    if (!p || !c || !serial)
        return AX_E_ARG;
    const bool of_leg = c->verb == AX_PIPELINE_LEG || c->verb == AX_PIPELINE_SET_LEG;
    const float most = c->verb == AX_PIPELINE_THRESHOLD ? 100.0f : AX_PIPELINE_GAIN_MOST;
    if (c->verb < 1 || c->verb >= AX_PIPELINE_VERB_END || (of_leg && c->index >= LEGS) ||
        (c->verb == AX_PIPELINE_PLAY && (c->index >= PLAYS || (c->tone && c->samples) || (c->samples && c->n == 0) ||
                                           (c->tone && ax_tone_length(c->tone) == 0))) ||
        !(c->gain >= 0 && c->gain <= most))
        return AX_E_RANGE;
    if (!ax_ring_push(&p->commands, c))
        return AX_E_FULL;
    *serial = ++p->serial;
    return AX_OK;
}

void pipeline_tell(struct ax_pipeline *p, const struct ax_pipeline_event *event)
{
    if (p->spec.untold >> event->kind & 1)
        return;
    p->told++;
    p->stats.events_lost += !ax_ring_push(&p->events, event);
}

static void set_playing(struct ax_pipeline *p, uint32_t index, uint64_t serial)
{
    p->play[index].serial = serial;
    atomic_store_explicit(&p->playing[index], serial, memory_order_release);
}

static void begin_play(struct ax_pipeline *p, const struct ax_pipeline_command *c, uint64_t serial)
{
    p->play[c->index] = (struct play){
        .tone = c->tone, .samples = c->samples, .n = c->tone ? (size_t)ax_tone_length(c->tone) : c->n,
        .left = c->repeat ? c->repeat - 1 : 0, .endless = c->repeat == 0, .to = c->to, .gain = c->gain,
    };
    set_playing(p, c->index, c->tone || c->samples ? serial : 0);
}

static void sit_down(struct ax_pipeline *p, const struct ax_pipeline_command *c)
{
    struct seat *s = &p->seat[c->index];
    if (c->verb == AX_PIPELINE_LEG) {
        s->leg = c->leg;
        p->last.legs &= ~(1u << c->index);
        ax_limit_reset(s->limit);
        memset(&p->stats.leg[c->index], 0, sizeof p->stats.leg[0]);
    }
    s->gain = c->gain;
    s->conference = c->conference;
    s->mute = c->mute;
}

static void reset(struct ax_pipeline *p)
{
    if (p->aec)
        ax_aec_reset(p->aec);
    if (p->ns)
        ax_ns_reset(p->ns);
    if (p->agc)
        ax_agc_reset(p->agc);
    if (p->avc)
        ax_avc_reset(p->avc);
    (void)ax_vad_init(&p->vad, p->spec.rate);
}

static void obey(struct ax_pipeline *p)
{
    struct ax_pipeline_command c;
    uint64_t done = atomic_load_explicit(&p->done, memory_order_relaxed);
    while (ax_ring_pop(&p->commands, &c)) {
        done++;
        switch (c.verb) {
        case AX_PIPELINE_LEG:
        case AX_PIPELINE_SET_LEG:
            sit_down(p, &c);
            break;
        case AX_PIPELINE_PLAY:
            begin_play(p, &c, done);
            break;
        case AX_PIPELINE_SPEAKER_GAIN:
            p->speaker_gain = c.gain;
            break;
        case AX_PIPELINE_MICROPHONE:
            p->mic_gain = c.gain;
            p->mic_mute = c.mute;
            break;
        case AX_PIPELINE_THRESHOLD:
            (void)ax_level_set(&p->level, c.gain);
            break;
        default:
            reset(p);
        }
    }
    atomic_store_explicit(&p->done, done, memory_order_release);
}

/* --- sources ---------------------------------------------------------------------------------------------------------- */

static void hear(struct ax_pipeline *p, uint64_t now_ns)
{
    struct ax_leg_key keys[AX_LEG_KEYS];
    p->stats.legs = 0;
    for (uint32_t k = 0; k < LEGS; k++) {
        struct seat *s = &p->seat[k];
        if (!s->leg)
            continue;
        p->stats.legs |= 1u << k;
        const int n = ax_leg_hear(s->leg, now_ns, p->heard[k], keys);
        for (int i = 0; i < n; i++) {
            const struct ax_pipeline_event event = {
                .t_ns = now_ns, .kind = keys[i].down ? AX_PIPELINE_KEY_DOWN : AX_PIPELINE_KEY_UP, .index = k,
                .value = keys[i].ms, .key = keys[i].key,
            };
            pipeline_tell(p, &event);
        }
    }
}

/* 10 ms of one place; where a round ends, the next begins in the same frame. */
static void play(struct ax_pipeline *p, uint32_t index, uint64_t now_ns)
{
    struct play *s = &p->play[index];
    int16_t *out = p->played[index];
    uint32_t filled = 0;
    while (filled < p->frame && s->serial) {
        const size_t rest = s->n - s->at, n = rest < p->frame - filled ? rest : p->frame - filled;
        if (s->tone)
            (void)ax_tone_render(s->tone, s->at, out + filled, n);
        else
            memcpy(out + filled, s->samples + s->at, n * sizeof *out);
        filled += (uint32_t)n;
        s->at += n;
        if (s->at < s->n)
            break;
        s->at = 0;
        if (!s->endless && s->left-- == 0) {
            const struct ax_pipeline_event event = {
                .t_ns = now_ns, .kind = AX_PIPELINE_ENDED, .index = index, .serial = s->serial};
            set_playing(p, index, 0);
            pipeline_tell(p, &event);
        }
    }
    memset(out + filled, 0, (p->frame - filled) * sizeof *out);
}

size_t pipeline_add_plays(const struct ax_pipeline *p, uint32_t to, float gain, uint32_t sounding, const int16_t **frames,
                          float *gains, size_t n)
{
    for (uint32_t i = 0; i < PLAYS; i++)
        if ((sounding >> i & 1) && (p->play[i].to & to)) {
            frames[n] = p->played[i];
            gains[n++] = p->play[i].gain * gain;
        }
    return n;
}

/* --- the far side ----------------------------------------------------------------------------------------------------- */

static float bounded(float gain)
{
    return gain > AX_PIPELINE_GAIN_MOST ? AX_PIPELINE_GAIN_MOST : gain;
}

static void make_speaker(struct ax_pipeline *p, uint32_t sounding)
{
    const int16_t *frames[SOURCES];
    float gains[SOURCES];
    size_t n = 0;
    for (uint32_t k = 0; k < LEGS; k++)
        if (p->seat[k].leg && !p->seat[k].mute) {
            frames[n] = p->heard[k];
            gains[n++] = p->seat[k].gain * p->speaker_gain;
        }
    n = pipeline_add_plays(p, AX_PIPELINE_SPEAKER, p->speaker_gain, sounding, frames, gains, n);
    for (size_t i = 0; i < n; i++)
        gains[i] = bounded(gains[i]);
    (void)ax_limit_mix(p->limit, frames, gains, n, p->out);
    if (p->avc)
        (void)ax_avc_play(p->avc, p->out, p->out);
    p->stats.speaker_db = pcm_power_i16(p->out, p->frame);
}

/* --- a step ----------------------------------------------------------------------------------------------------------- */

static void publish(struct ax_pipeline *p)
{
    uint32_t words[sizeof p->stats / sizeof(uint32_t)];
    const unsigned turn = atomic_load_explicit(&p->shared.turn, memory_order_relaxed);
    memcpy(words, &p->stats, sizeof p->stats);
    atomic_store_explicit(&p->shared.turn, turn + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        atomic_store_explicit(&p->shared.words[i], words[i], memory_order_relaxed);
    atomic_store_explicit(&p->shared.turn, turn + 2, memory_order_release);
}

static void measure(struct ax_pipeline *p, const int16_t *mic)
{
    struct ax_pipeline_stats *s = &p->stats;
    struct ax_aec_status status;
    const bool looks = s->steps % LOOK_STEPS == 0; /* At what takes its time to tell. */
    s->steps++;
    s->mic_db = pcm_power_i16(mic, p->frame);
    s->near_db = pcm_power_i16(p->near, p->frame);
    s->level = ax_level_get(&p->level);
    if (p->aec && looks) {
        ax_aec_get(p->aec, &status);
        s->erle_db = status.erle_db;
        s->echo_delay_ms = status.delay_ms;
        s->drift_ppm = status.drift_ppm;
    }
    s->gain_db = p->agc ? ax_agc_gain_db(p->agc) : 0;
    s->volume_db = p->avc ? ax_avc_gain_db(p->avc) : 0;
    s->noise_db = p->avc ? ax_avc_noise_db(p->avc) : -100;
    for (uint32_t k = 0; k < LEGS; k++)
        if (p->seat[k].leg)
            ax_leg_get(p->seat[k].leg, &s->leg[k]);
    publish(p);
}

int ax_pipeline_step(struct ax_pipeline *p, uint64_t now_ns, const int16_t *mic, int16_t *speaker)
{
    if (!p || !mic || !speaker)
        return AX_E_ARG;
    uint32_t sounding = 0;
    obey(p);
    hear(p, now_ns);
    for (uint32_t i = 0; i < PLAYS; i++)
        if (p->play[i].serial) {
            sounding |= 1u << i;
            play(p, i, now_ns);
        }
    make_speaker(p, sounding);
    const int packets = pipeline_near(p, now_ns, mic, sounding);
    measure(p, mic);
    memcpy(speaker, p->out, p->frame * sizeof *speaker);
    return packets;
}

/* --- from other threads ----------------------------------------------------------------------------------------------- */

void ax_pipeline_get(const struct ax_pipeline *p, struct ax_pipeline_stats *out)
{
    uint32_t words[sizeof *out / sizeof(uint32_t)];
    unsigned before, after;
    do {
        before = atomic_load_explicit(&p->shared.turn, memory_order_acquire);
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            words[i] = atomic_load_explicit(&p->shared.words[i], memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(&p->shared.turn, memory_order_relaxed);
    } while (before != after || (before & 1));
    memcpy(out, words, sizeof *out);
    out->mic_db = pcm_db(out->mic_db);
    out->near_db = pcm_db(out->near_db);
    out->speaker_db = pcm_db(out->speaker_db);
}

uint64_t ax_pipeline_done(const struct ax_pipeline *p)
{
    return atomic_load_explicit(&p->done, memory_order_acquire);
}

uint64_t ax_pipeline_playing(const struct ax_pipeline *p, uint32_t index)
{
    return index < PLAYS ? atomic_load_explicit(&p->playing[index], memory_order_acquire) : 0;
}

uint64_t ax_pipeline_told(const struct ax_pipeline *p)
{
    return p->told;
}

int ax_pipeline_event(struct ax_pipeline *p, struct ax_pipeline_event *out)
{
    return p && out ? ax_ring_pop(&p->events, out) : AX_E_ARG;
}

uint32_t ax_pipeline_rate(const struct ax_pipeline *p)
{
    return p->spec.rate;
}

uint32_t ax_pipeline_frame(const struct ax_pipeline *p)
{
    return p->frame;
}

uint32_t ax_pipeline_near_latency(const struct ax_pipeline *p)
{
    return (p->aec ? (uint32_t)ax_aec_latency(p->aec) : 0) + (p->ns && !p->chained ? (uint32_t)ax_ns_latency(p->ns) : 0) +
           (p->agc ? ax_agc_latency(p->agc) : 0) + ax_limit_latency(p->limit);
}

uint32_t ax_pipeline_far_latency(const struct ax_pipeline *p)
{
    return ax_limit_latency(p->limit) + (p->avc ? ax_avc_latency(p->avc) : 0);
}

/* --- life ------------------------------------------------------------------------------------------------------------- */

static int init_stages(struct ax_pipeline *p)
{
    const struct ax_pipeline_spec *s = &p->spec;
    const struct ax_aec_spec aec = {
        .rate = (int)s->rate, .tail_ms = (int)s->tail_ms,
        .mode = s->echo == AX_PIPELINE_ECHO_FULL ? AX_AEC_FULL : AX_AEC_FILTER};
    const struct ax_ns_spec ns = {(int)s->rate, s->max_attenuation_db};
    const struct ax_agc_spec agc = {s->rate, s->target_db, MOST_GAIN_DB, LEAST_GAIN_DB};
    const struct ax_avc_spec avc = {s->rate, s->quiet_db, VOLUME_MOST_DB, VOLUME_SLOPE};
    int rc = s->echo == AX_PIPELINE_ECHO_OFF ? AX_OK : ax_aec_new(&p->aec, &aec);
    if (rc == AX_OK && s->max_attenuation_db != 0)
        rc = ax_ns_new(&p->ns, &ns);
    p->chained = rc == AX_OK && p->ns && s->echo == AX_PIPELINE_ECHO_FULL;
    if (p->chained)
        rc = ax_aec_chain(p->aec, p->ns);
    if (rc == AX_OK && s->gain_control)
        rc = ax_agc_new(&p->agc, &agc);
    if (rc == AX_OK && s->volume_control)
        rc = ax_avc_new(&p->avc, &avc);
    if (rc == AX_OK)
        rc = ax_limit_new(&p->limit, s->rate, CEILING);
    for (int k = 0; k < LEGS && rc == AX_OK; k++)
        rc = ax_limit_new(&p->seat[k].limit, s->rate, CEILING);
    if (rc == AX_OK)
        rc = ax_level_init(&p->level, s->rate, s->threshold);
    if (rc == AX_OK)
        rc = ax_vad_init(&p->vad, s->rate);
    if (rc == AX_OK)
        rc = ax_ring_init(&p->commands, sizeof(struct ax_pipeline_command), AX_PIPELINE_COMMANDS);
    if (rc == AX_OK)
        rc = ax_ring_init(&p->events, sizeof(struct ax_pipeline_event), AX_PIPELINE_EVENTS);
    return rc;
}

int ax_pipeline_new(struct ax_pipeline **out, const struct ax_pipeline_spec *spec)
{
    if (!out || !spec)
        return AX_E_ARG;
    *out = NULL;
    if ((spec->rate != 8000 && spec->rate != 16000 && spec->rate != 32000 && spec->rate != 48000) ||
        spec->echo > AX_PIPELINE_ECHO_FULL)
        return AX_E_RANGE;
    struct ax_pipeline *p = calloc(1, sizeof *p);
    if (!p)
        return AX_E_NOMEM;
    p->spec = *spec;
    p->frame = spec->rate / 100;
    p->speaker_gain = p->mic_gain = 1;
    const int rc = init_stages(p);
    if (rc != AX_OK) {
        ax_pipeline_free(p);
        return rc;
    }
    p->stats.echo_delay_ms = -1;
    publish(p);
    *out = p;
    return AX_OK;
}

void ax_pipeline_free(struct ax_pipeline *p)
{
    if (!p)
        return;
    ax_aec_free(p->aec);
    ax_ns_free(p->ns);
    ax_agc_free(p->agc);
    ax_avc_free(p->avc);
    ax_limit_free(p->limit);
    for (int k = 0; k < LEGS; k++)
        ax_limit_free(p->seat[k].limit);
    ax_ring_free(&p->commands);
    ax_ring_free(&p->events);
    free(p);
}
