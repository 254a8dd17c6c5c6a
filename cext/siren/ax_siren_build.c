/* From a program to a tone: checks, samples, phases as fractions of a cycle, partials below half the sample rate.
 *
 * Units: mHz and us in, samples and 2^-128 cycles out. Threads: any. Allocation: one block in `new`. */
#include "ax_siren_internal.h"

#include "ax/err.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FREQUENCY 0.49 /* Of the sample rate. */
#define PI 3.14159265358979323846
#define TABLE 4096 /* Points of a wave at which its peak is looked for. */
#define NEAR 1e-8 /* Cycles between an exponential sweep and the cubics that stand for it. */
#define ROOM 1.0005 /* The true peak is at most this much over the highest point. */

static bool silent(const struct ax_siren_segment *s)
{
    return s->start_mhz == 0 && s->end_mhz == 0;
}

static bool length_ok(uint32_t us)
{
    return us == 0 || us >= AX_SIREN_MIN_US;
}

static int check_segment(const struct ax_siren_segment *s, const struct ax_siren_program *program, uint32_t rate)
{
    const double top = MAX_FREQUENCY * rate * 1000;
    if (s->duration_us < AX_SIREN_MIN_US || s->duration_us > AX_SIREN_MAX_US)
        return AX_E_RANGE;
    if (silent(s))
        return AX_OK;
    if (s->start_mhz == 0 || s->end_mhz == 0 || s->start_mhz >= top || s->end_mhz >= top)
        return AX_E_RANGE;
    if (!length_ok(s->attack_us) || !length_ok(s->release_us) ||
        (uint64_t)s->attack_us + s->release_us > s->duration_us)
        return AX_E_RANGE;
    if (s->peak == 0 || s->peak > AX_SIREN_PEAK || s->law >= AX_SIREN_LAW_END || s->wave >= AX_SIREN_WAVE_END ||
        s->release >= AX_SIREN_RELEASE_END || (s->wave == AX_SIREN_SET && s->set >= program->nsets))
        return AX_E_RANGE;
    return AX_OK;
}

/* Two segments that follow each other: both zero where they meet, or one sound. */
static bool meets(const struct ax_siren_segment *a, const struct ax_siren_segment *b)
{
    const bool ends = silent(a) || a->release_us, starts = silent(b) || b->attack_us;
    if (ends || starts)
        return ends && starts;
    return a->peak == b->peak && a->wave == b->wave && (a->wave != AX_SIREN_SET || a->set == b->set);
}

/* Adds the voice's length and peak. */
static int check_voice(const struct ax_siren_voice *v, const struct ax_siren_program *program, uint32_t rate,
                       uint64_t *length_us, uint32_t *peak)
{
    uint32_t loudest = 0;
    if (!v->segments || v->n == 0 || v->n > AX_SIREN_SEGMENTS)
        return AX_E_RANGE;
    *length_us = 0;
    for (uint32_t i = 0; i < v->n; i++) {
        const int rc = check_segment(&v->segments[i], program, rate);
        if (rc < 0)
            return rc;
        *length_us += v->segments[i].duration_us;
        if (!silent(&v->segments[i]) && v->segments[i].peak > loudest)
            loudest = v->segments[i].peak;
    }
    for (uint32_t i = 0; i < v->n; i++)
        if (!meets(&v->segments[i], &v->segments[(i + 1) % v->n]))
            return AX_E_FORMAT;
    *peak += loudest;
    return *length_us % AX_SIREN_GRID_US ? AX_E_RANGE : AX_OK;
}

static int check(const struct ax_siren_program *program, uint32_t rate, uint64_t *cycle_us)
{
    static const uint32_t RATES[] = {8000, 16000, 32000, 44100, 48000};
    uint32_t peak = 0, known = 0;
    for (size_t i = 0; i < sizeof RATES / sizeof *RATES; i++)
        known |= RATES[i] == rate;
    if (!known || program->nvoices == 0 || program->nvoices > AX_SIREN_VOICES || program->nsets > AX_SIREN_SETS)
        return AX_E_RANGE;
    for (uint32_t i = 0; i < program->nsets * AX_SIREN_PARTIALS; i++)
        if (!(fabsf(program->sets[i]) <= 1e6f))
            return AX_E_RANGE;
    for (uint32_t i = 0; i < program->nvoices; i++) {
        uint64_t length_us;
        const int rc = check_voice(&program->voices[i], program, rate, &length_us, &peak);
        if (rc < 0)
            return rc;
        if (i && length_us != *cycle_us)
            return AX_E_RANGE;
        *cycle_us = length_us;
    }
    return peak > AX_SIREN_PEAK ? AX_E_RANGE : AX_OK;
}

/* Partial k (from 1) of a wave that has n. */
static double partial(const struct ax_siren_program *program, const struct ax_siren_segment *s, uint32_t k, uint32_t n)
{
    const double x = PI * k / (n + 1), taper = sin(x) / x;
    switch (s->wave) {
    case AX_SIREN_SINE: return k == 1;
    case AX_SIREN_SQUARE: return k & 1 ? taper / k : 0;
    case AX_SIREN_SAW: return taper / k;
    case AX_SIREN_TRIANGLE: return k & 1 ? (k & 2 ? -1.0 : 1.0) / k / k : 0;
    default: return (double)program->sets[s->set * AX_SIREN_PARTIALS + k - 1];
    }
}

/* The wave of a segment with as many partials as the highest frequency of its voice leaves room for. */
static int make_timbre(struct timbre *t, const struct ax_siren_program *program, const struct ax_siren_segment *s,
                       uint32_t top_mhz, uint32_t rate)
{
    double a[AX_SIREN_PARTIALS], peak = 0;
    const double fit = MAX_FREQUENCY * rate * 1000 / top_mhz;
    const uint32_t n = s->wave == AX_SIREN_SINE ? 1 : fit < AX_SIREN_PARTIALS ? (uint32_t)fit : AX_SIREN_PARTIALS;
    t->n = 0;
    for (uint32_t k = 1; k <= n; k++) {
        a[k - 1] = partial(program, s, k, n);
        if (a[k - 1] != 0)
            t->n = k;
    }
    if (t->n == 0)
        return AX_E_RANGE; /* Nothing of the set is left. */
    for (uint32_t i = 0; i < TABLE; i++) {
        double sum = 0;
        for (uint32_t k = 1; k <= t->n; k++)
            sum += a[k - 1] * sin(2 * PI * (double)(i * k % TABLE) / TABLE);
        peak = fmax(peak, fabs(sum));
    }
    peak = t->n == 1 ? fabs(a[0]) : peak * ROOM;
    for (uint32_t k = 0; k < t->n; k++)
        t->amplitude[k] = (float)(a[k] / peak);
    return AX_OK;
}

/* num / den of a cycle, |num| < den < 2^63, to the nearest 2^-128 below. */
static u128 fraction(int64_t num, uint64_t den)
{
    const u128 n = (u128)(uint64_t)(num < 0 ? -num : num) << 64;
    const uint64_t high = (uint64_t)(n / den);
    const u128 value = (u128)high << 64 | (uint64_t)(((n % den) << 64) / den);
    return num < 0 ? -value : value;
}

/* Integral of a frequency that goes from f0 to f1 in n samples, by the binomial basis: j^2 = 2 C(j, 2) + j. */
static void straight(struct segment *s, int64_t f0, int64_t f1, uint32_t rate)
{
    const uint64_t cycle = UINT64_C(1000) * rate; /* mHz of one cycle a sample. */
    s->c1 = fraction(2 * f0 * s->n + (f1 - f0), 2 * cycle * s->n);
    s->c2 = fraction(f1 - f0, cycle * s->n);
}

/* The whole length is rounded to 2^-32 cycles; the sweep is stretched by so much. */
static void bent(struct segment *s, double f0, double f1, uint32_t rate)
{
    const double whole = 4294967296.0;
    s->exponential = true;
    s->rate = log(f1 / f0) / s->n;
    const double length = f0 / (1000.0 * rate) / s->rate * expm1(s->rate * s->n);
    s->scale = nearbyint(length * whole) / whole / expm1(s->rate * s->n);
    /* Hermite's remainder: the fourth derivative of the phase, times the chunk to the fourth, over 384. */
    const double fourth = fmax(f0, f1) / (1000.0 * rate) * fabs(s->rate * s->rate * s->rate);
    while (s->chunk > CHUNK_MIN && fourth * pow(s->chunk, 4) / 384 > NEAR)
        s->chunk /= 2;
}

static u128 length_of(const struct segment *s)
{
    if (s->exponential)
        return (u128)(uint64_t)nearbyint(s->scale * expm1(s->rate * s->n) * 4294967296.0) << 96;
    return s->c1 * s->n + s->c2 * ((u128)s->n * (s->n - 1) / 2);
}

static uint32_t samples(uint64_t us, uint32_t rate)
{
    return (uint32_t)((us * rate + 500000) / 1000000);
}

static void make_segment(struct segment *s, const struct ax_siren_segment *from, uint32_t rate)
{
    s->silent = silent(from);
    s->chunk = CHUNK;
    if (s->silent)
        return;
    s->attack = samples(from->attack_us, rate);
    s->release = samples(from->release_us, rate);
    s->attack_inv = s->attack ? 1 / (float)s->attack : 0;
    s->release_inv = s->release ? 1 / (float)s->release : 0;
    s->decay = from->release == AX_SIREN_DECAY;
    s->peak = (float)from->peak / AX_SIREN_PEAK;
    if (from->law == AX_SIREN_EXPONENTIAL && from->start_mhz != from->end_mhz)
        bent(s, from->start_mhz, from->end_mhz, rate);
    else
        straight(s, from->start_mhz, from->end_mhz, rate);
}

/* Phases at the starts of segments. Where an attack sets the phase to zero somewhere in the cycle, every cycle is the same:
 * the first one begins in the middle of what the last one left. */
static void link_phases(struct voice *v, const struct ax_siren_segment *from)
{
    u128 phase = 0;
    bool anew = false;
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < v->n; i++) {
            if (v->segments[i].silent || from[i].attack_us) {
                anew = true;
                phase = 0;
            }
            v->segments[i].base = phase;
            if (!v->segments[i].silent)
                phase += length_of(&v->segments[i]);
        }
        if (!anew)
            break;
    }
    v->advance = anew ? 0 : phase;
    v->fade_in = !v->segments[0].silent && from[0].attack_us == 0;
}

static int make_voice(struct ax_siren *tone, struct voice *v, const struct ax_siren_program *program,
                      const struct ax_siren_voice *from, struct timbre **timbre)
{
    uint64_t us = 0;
    uint32_t top = 0;
    for (uint32_t i = 0; i < from->n; i++) {
        const struct ax_siren_segment *s = &from->segments[i];
        top = s->start_mhz > top ? s->start_mhz : top;
        top = s->end_mhz > top ? s->end_mhz : top;
    }
    for (uint32_t i = 0; i < from->n; us += from->segments[i++].duration_us) {
        const struct ax_siren_segment *s = &from->segments[i];
        struct segment *made = &v->segments[i];
        made->begin = samples(us, tone->rate);
        made->n = samples(us + s->duration_us, tone->rate) - made->begin;
        made->timbre = (uint16_t)(*timbre - tone->timbres);
        make_segment(made, s, tone->rate);
        const int rc = made->silent ? AX_OK : make_timbre((*timbre)++, program, s, top, tone->rate);
        if (rc < 0)
            return rc;
    }
    link_phases(v, from->segments);
    return AX_OK;
}

static struct ax_siren *alloc_tone(const struct ax_siren_program *program, uint32_t nsegments)
{
    struct ax_siren *tone = calloc(1, sizeof *tone + nsegments * (sizeof(struct segment) + sizeof(struct timbre)));
    if (!tone)
        return NULL;
    struct segment *segment = (void *)(tone + 1);
    tone->nvoices = program->nvoices;
    for (uint32_t i = 0; i < program->nvoices; i++) {
        tone->voice[i].segments = segment;
        tone->voice[i].n = program->voices[i].n;
        segment += program->voices[i].n;
    }
    tone->timbres = (void *)segment;
    return tone;
}

int ax_siren_new(struct ax_siren **tone, const struct ax_siren_program *program, uint32_t rate)
{
    uint64_t cycle_us = 0;
    uint32_t nsegments = 0;
    if (!tone || !program || !program->voices || (program->nsets && !program->sets))
        return AX_E_ARG;
    int rc = check(program, rate, &cycle_us);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < program->nvoices; i++)
        nsegments += program->voices[i].n;
    struct ax_siren *made = alloc_tone(program, nsegments);
    if (!made)
        return AX_E_NOMEM;
    struct timbre *timbre = made->timbres;
    made->rate = rate;
    made->cycle = samples(cycle_us, rate);
    made->fade = samples(AX_SIREN_FADE_US, rate);
    made->fade_inv = 1 / (float)made->fade;
    for (uint32_t i = 0; i < program->nvoices && rc >= 0; i++)
        rc = make_voice(made, &made->voice[i], program, &program->voices[i], &timbre);
    if (rc < 0) {
        ax_siren_free(made);
        return rc;
    }
    (void)ax_siren_set_level(made, ax_siren_levels() - 1);
    *tone = made;
    return AX_OK;
}

void ax_siren_free(struct ax_siren *tone)
{
    free(tone);
}
