/* Rendering: where a position lies in the cycle, chunks of the phase, envelopes, clip, dither; the inner loops are those of
 * the variant. Everything is a function of the position alone. Units: samples. Threads: any. Allocation: none. */
#include "ax_siren_internal.h"
#include "ax_siren_limit.h"

#include "ax/err.h"

#include <math.h>
#include <string.h>

#define FULL 32767.0f

static const struct siren_ops *const LEVELS[] = {
    &ax_siren_generic,
#ifdef AX_HAVE_AVX2
    &ax_siren_avx2,
#endif
#ifdef AX_HAVE_NEON
    &ax_siren_neon,
#endif
};

int ax_siren_levels(void)
{
#ifdef AX_HAVE_AVX2
    if (!__builtin_cpu_supports("avx2"))
        return 1;
#endif
    return sizeof LEVELS / sizeof *LEVELS;
}

const char *ax_siren_level_name(int level)
{
    return level >= 0 && level < ax_siren_levels() ? LEVELS[level]->name : "";
}

int ax_siren_set_level(struct ax_siren *tone, int level)
{
    if (!tone)
        return AX_E_ARG;
    if (level < 0 || level >= ax_siren_levels())
        return AX_E_RANGE;
    tone->ops = LEVELS[level];
    return AX_OK;
}

uint64_t ax_siren_cycle(const struct ax_siren *tone)
{
    return tone->cycle;
}

uint32_t ax_siren_rate(const struct ax_siren *tone)
{
    return tone->rate;
}

/* Cycles, of any size and sign, as a fraction. */
static uint64_t turn(double cycles)
{
    return (uint64_t)((cycles - floor(cycles)) * 18446744073709549568.0); /* The largest double below 2^64. */
}

static uint64_t turn_signed(double cycles)
{
    return (uint64_t)(int64_t)(cycles * 18446744073709551616.0);
}

/* The cubic through phase and frequency at both ends of a chunk of an exponential sweep (Hermite), in the binomial basis. */
static void bend(struct chunk *at, const struct segment *s, uint32_t j)
{
    const double m = s->chunk, e0 = expm1(s->rate * j), e1 = expm1(s->rate * (j + m));
    const double f0 = s->scale * s->rate * (e0 + 1) * m, f1 = s->scale * s->rate * (e1 + 1) * m;
    const double rise = s->scale * (e1 - e0);
    const double square = (3 * rise - 2 * f0 - f1) / (m * m), cube = (f0 + f1 - 2 * rise) / (m * m * m);
    at->p = turn(s->scale * e0);
    at->a = turn_signed(f0 / m + square + cube);
    at->b = turn_signed(2 * square + 6 * cube);
    at->c = turn_signed(6 * cube);
}

static uint64_t pairs(uint64_t n)
{
    return n * (n - 1) / 2; /* C(n, 2); 0 for n = 0 */
}

static uint64_t triples(uint64_t n)
{
    return n * (n - 1) * (n - 2) / 6; /* C(n, 3); 0 for n = 0 and 1 */
}

/* The phase from sample j of a segment on, valid for `*room` samples. Chunks begin on a grid from the start of the segment,
 * so that a sample does not depend on where a block begins. */
static struct chunk chunk_at(const struct segment *s, u128 phase, uint32_t j, uint32_t *room)
{
    const uint32_t start = j & ~(s->chunk - 1), in = j - start;
    struct chunk at;
    if (s->exponential) {
        bend(&at, s, start);
        at.p += (uint64_t)(phase >> 64);
        at.p += at.a * in + at.b * pairs(in) + at.c * triples(in);
        at.a += at.b * in + at.c * pairs(in);
        at.b += at.c * in;
    } else {
        at.p = (uint64_t)((phase + s->c1 * start + s->c2 * pairs(start)) >> 64);
        at.a = (uint64_t)((s->c1 + s->c2 * start) >> 64);
        at.b = (uint64_t)(s->c2 >> 64);
        at.c = 0;
        at.p += at.a * in + at.b * pairs(in);
        at.a += at.b * in;
    }
    *room = s->chunk - in;
    return at;
}

static inline float smooth(float x)
{
    return x * x * (3 - 2 * x);
}

/* Attack and release, for n samples from sample j of the segment on. */
static void shape(float *out, uint32_t n, const struct segment *s, uint32_t j)
{
    const uint32_t sustained = s->n - s->release;
    for (uint32_t i = 0; i < n && j + i < s->attack; i++)
        out[i] *= smooth(((float)(j + i) + 0.5f) * s->attack_inv);
    for (uint32_t i = j < sustained ? sustained - j : 0; i < n; i++) {
        const float x = ((float)(s->n - (j + i)) - 0.5f) * s->release_inv, square = x * x;
        out[i] *= s->decay ? square * square : square * (3 - 2 * x);
    }
}

/* From sample j of a segment on, to its end or for n samples; gives how many. */
static uint32_t render_segment(const struct ax_siren *tone, const struct segment *s, u128 phase, uint32_t j, float *out,
                               uint32_t n)
{
    n = s->n - j < n ? s->n - j : n;
    if (s->silent) {
        memset(out, 0, n * sizeof *out);
        return n;
    }
    for (uint32_t done = 0, room; done < n; done += room) {
        const struct chunk at = chunk_at(s, phase, j + done, &room);
        room = room < n - done ? room : n - done;
        tone->ops->wave(out + done, room, &at, &tone->timbres[s->timbre], s->peak);
    }
    if (j < s->attack || j + n > s->n - s->release)
        shape(out, n, s, j);
    return n;
}

/* The segment that holds sample `at` of the cycle. */
static uint32_t find(const struct voice *v, uint32_t at)
{
    uint32_t low = 0, high = v->n;
    while (high - low > 1) {
        const uint32_t middle = (low + high) / 2;
        if (v->segments[middle].begin <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void render_voice(const struct ax_siren *tone, const struct voice *v, uint64_t pos, float *out, uint32_t n)
{
    uint64_t cycle = pos / tone->cycle;
    uint32_t at = (uint32_t)(pos % tone->cycle), i = find(v, at), done = 0;
    while (done < n) {
        const struct segment *s = &v->segments[i];
        const u128 phase = s->base + v->advance * cycle;
        done += render_segment(tone, s, phase, at - s->begin, out + done, n - done);
        if (++i == v->n) {
            i = 0;
            cycle++;
        }
        at = v->segments[i].begin;
    }
    for (uint32_t j = 0; v->fade_in && j < n && pos + j < tone->fade; j++)
        out[j] *= smooth(((float)(pos + j) + 0.5f) * tone->fade_inv);
}

/* A 32-bit hash of the position, for dither: multiply and shift, as the finishing steps of hash functions do. */
static inline uint32_t noise(uint64_t pos)
{
    uint32_t h = (uint32_t)pos ^ (uint32_t)(pos >> 32) * 0x9E3779B1u;
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    return h ^ h >> 16;
}

static void mix_clip(const struct ax_siren_clip *clip, uint64_t pos, float *acc, uint32_t n)
{
    const float gain = clip->gain / 32768.0f;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t at = pos + i - clip->start;
        float sample = 0;
        if (pos + i >= clip->start && (clip->repeat || at < clip->n)) {
            at = clip->repeat ? at % clip->n : at;
            sample = clip->samples[at] * gain;
        }
        acc[i] = siren_limit(acc[i] + sample);
    }
}

static float gain_of(int intensity)
{
    static const float GAIN[AX_SIREN_INTENSITIES + 1] = {0, 0.0630957344f, 0.125892541f, 0.251188643f, 0.501187234f, 1};
    return GAIN[intensity];
}

/* All voices and what lies on top, at most BLOCK samples; gives the factor that is still to be applied. */
static float mix(const struct ax_siren *tone, const struct ax_siren_play *play, uint64_t pos, float *acc, uint32_t n)
{
    float more[BLOCK + PAD], gain = gain_of(play->intensity);
    render_voice(tone, &tone->voice[0], pos, acc, n);
    for (uint32_t v = 1; v < tone->nvoices; v++) {
        render_voice(tone, &tone->voice[v], pos, more, n);
        for (uint32_t i = 0; i < n; i++)
            acc[i] += more[i];
    }
    if (play->clip) {
        for (uint32_t i = 0; i < n; i++)
            acc[i] *= gain;
        mix_clip(play->clip, pos, acc, n);
        gain = 1;
    }
    for (uint64_t i = play->end - pos > tone->fade ? play->end - pos - tone->fade : 0; i < n; i++)
        acc[i] *= smooth(((float)(play->end - pos - i) - 0.5f) * tone->fade_inv);
    return gain;
}

static int check_play(const struct ax_siren *tone, const struct ax_siren_play *play, uint64_t pos, const void *out, size_t n)
{
    if (!tone || !play || (!out && n))
        return AX_E_ARG;
    if (play->intensity > AX_SIREN_INTENSITIES || pos > AX_SIREN_MAX_POS || n > INT32_MAX)
        return AX_E_RANGE;
    if (!play->clip)
        return AX_OK;
    if (!play->clip->samples || play->clip->n == 0)
        return AX_E_ARG;
    return play->clip->gain >= 0 && play->clip->gain <= 16 ? AX_OK : AX_E_RANGE;
}

/* How many of n samples are before the end. */
static uint32_t before_end(const struct ax_siren_play *play, uint64_t pos, size_t n)
{
    const uint64_t left = pos < play->end ? play->end - pos : 0;
    return (uint32_t)(left < n ? left : n);
}

int ax_siren_render(const struct ax_siren *tone, const struct ax_siren_play *play, uint64_t pos, int16_t *out, size_t n)
{
    float acc[BLOCK + PAD];
    const int rc = check_play(tone, play, pos, out, n);
    if (rc < 0)
        return rc;
    const uint32_t heard = before_end(play, pos, n);
    for (uint32_t done = 0, m; done < heard; done += m) {
        m = heard - done < BLOCK ? heard - done : BLOCK;
        float gain = mix(tone, play, pos + done, acc, m);
        for (uint32_t i = 0; play->dither && i < m; i++) {
            const uint32_t h = noise(pos + done + i);
            acc[i] = acc[i] * gain + (float)((int32_t)(h >> 16) - (int32_t)(h & 0xFFFF)) * (1 / (65536.0f * FULL));
        }
        tone->ops->store(out + done, acc, m, (play->dither ? 1 : gain) * FULL);
    }
    if (heard < n)
        memset(out + heard, 0, (n - heard) * sizeof *out);
    return (int)heard;
}

int ax_siren_render_float(const struct ax_siren *tone, const struct ax_siren_play *play, uint64_t pos, float *out, size_t n)
{
    float acc[BLOCK + PAD];
    const int rc = check_play(tone, play, pos, out, n);
    if (rc < 0)
        return rc;
    const uint32_t heard = before_end(play, pos, n);
    for (uint32_t done = 0, m; done < heard; done += m) {
        m = heard - done < BLOCK ? heard - done : BLOCK;
        const float gain = mix(tone, play, pos + done, acc, m);
        for (uint32_t i = 0; i < m; i++) {
            const float x = acc[i] * gain;
            out[done + i] = x > 1 ? 1 : x < -1 ? -1 : x;
        }
    }
    if (heard < n)
        memset(out + heard, 0, (n - heard) * sizeof *out);
    return (int)heard;
}
