/* From spectra to features, and from gains of bands to gains of bins. See ax_ns_internal.h. */
#include "ax_ns_internal.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define QUIET 1e-9f      /* Power of a band that counts as silence. */
#define QUIET_ALL 1e-7f
#define FALL 0.15f       /* How a band's floor follows, per frame: down, */
#define RISE 0.006f      /* and up. */
#define SLOW 0.02f       /* The same for a band's mean, */
#define STILL_RISE 0.02f /* The floor of long: 6 dB a second. */
#define UNHEARD 22.0f    /* log2 of power: a noise that stays 66 dB below the talk in a band is left alone; */
#define UNHEARD_DEEP 21.3f  /* 64 dB in the lowest, */
#define DEEP 2           /* those below 200 Hz. */
#define LOW 3            /* Bands below 300 Hz do not tell how loud the talk is: wind is there. */
#define LOUDER 0.2f      /* As RISE and FALL, for the loudness of all. */
#define FAINTER 0.002f
#define QUIETER 0.3f     /* As RISE and FALL, for the least of the mean gain. */
#define BACK 0.005f
#define NO_DOUBT 0.25f   /* Where that is in a steady noise, */
#define ALL_DOUBT 0.45f  /* and where it is among other talkers. */
#define DOUBTED 0.25f    /* Least gain then: 12 dB. */
#define CUT_HZ 250.0f    /* The high pass, */
#define CUT_BEND 1.9f    /* bent wider than Butterworth's (1.41), */
#define CUT_FROM -12.5f  /* heard when what is taken in the lowest band, log2 of power over the talk's, is more than this, */
#define CUT_WHOLE -11.5f /* and alone from here on. */
#define CUT_GUSTS 4.0f   /* It counts up to 12 dB over what was there all along: a voice's own depth comes and goes. */
#define CUT_ON 0.1f      /* As RISE and FALL, for that power. */
#define CUT_OFF 0.005f

static const int EDGES[NS_BANDS + 1] = {0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20, 22, 24,  27,  30,  33, 36,
                                        39, 42, 46, 50, 54, 58, 64, 72, 80, 90, 102, 114, 126, 138, 150, 161};

/* log2 to 1e-4, for what is above zero. */
static float log2_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const int exponent = (int)(bits >> 23) - 127;
    bits = (bits & 0x7fffffu) | 0x3f800000u;
    float m;
    memcpy(&m, &bits, sizeof m);
    m -= 1.0f;
    return (float)exponent + m + m * (1.0f - m) * (0.4425273f + m * (-0.2753862f + m * (0.1811542f + m * (-0.0948148f + m * 0.0252855f))));
}

/* 2 to the x to 2e-3, for -100 to 100. */
static float exp2_of(float x)
{
    x = x < -100.0f ? -100.0f : x > 100.0f ? 100.0f : x;
    const float whole = floorf(x), part = x - whole;
    const uint32_t bits = (uint32_t)((int)whole + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return power * (1.0f + part * (0.6565f + part * 0.3435f));
}

static float clip(float x, float least, float most)
{
    x = x < least ? least : x;
    return x > most ? most : x;
}

void ns_core_init(struct ns_core *c, int bins, int stride, float max_attenuation_db, ns_step *step)
{
    memset(c, 0, sizeof *c);
    c->bins = bins;
    c->stride = stride;
    c->step = step;
    c->least = powf(10.0f, -max_attenuation_db / 20.0f);
    while (c->bands < NS_BANDS && EDGES[c->bands + 1] < bins)
        c->bands++;
    if (EDGES[c->bands] < bins - 1)
        c->bands++;
    memcpy(c->edge, EDGES, sizeof c->edge);
    c->edge[c->bands] = bins;
    for (int k = 0, b = 0; k < bins; k++) {
        const int *e = c->edge;
        while (b + 2 < c->bands && k > (e[b + 1] + e[b + 2] - 1) / 2)
            b++;
        const float from = 0.5f * (float)(e[b] + e[b + 1] - 1), to = 0.5f * (float)(e[b + 1] + e[b + 2] - 1);
        c->left[k] = b;
        c->part[k] = clip(((float)k - from) / (to - from), 0.0f, 1.0f);
    }
    /* Second order, by the bilinear transform; bins of 50 Hz tell the rate. */
    const float w = tanf(3.14159265f * CUT_HZ / (100.0f * (float)(bins - 1))), q = CUT_BEND;
    const float all = 1.0f + q * w + w * w;
    c->low.zero = 1.0f / all;
    c->low.pole[0] = 2.0f * (w * w - 1.0f) / all;
    c->low.pole[1] = (1.0f - q * w + w * w) / all;
    ns_core_reset(c);
}

void ns_core_reset(struct ns_core *c)
{
    memset(&c->net, 0, sizeof c->net);
    memset(c->last, 0, sizeof c->last);
    memset(c->turn, 0, sizeof c->turn);
    memset(c->turned, 0, sizeof c->turned);
    memset(c->low.kept, 0, sizeof c->low.kept);
    c->low.amount = c->low.last = 0.0f;
    c->low.rumble = log2_of(QUIET_ALL);
    c->started = false;
    c->upper = c->quietest = 1.0f;
    c->before = c->after = 0.0f;
}

static float band_sum(const struct ns_core *c, int b, const float *x)
{
    float sum = 0.0f;
    for (int k = c->edge[b]; k < c->edge[b + 1]; k++)
        sum += x[k];
    return sum;
}

/* How well the turn of the phases from frame to frame repeats itself, -1 .. 1: a voice's harmonics do, noise does not. */
static void tonality(struct ns_core *c, const float *now, float *out)
{
    const int h = c->stride;
    float power[NS_SPECTRUM / 2], same[NS_SPECTRUM / 2];
    for (int k = 0; k < h; k++) {
        const float re = now[k] * c->last[k] + now[h + k] * c->last[h + k];
        const float im = now[h + k] * c->last[k] - now[k] * c->last[h + k];
        power[k] = re * re + im * im;
        same[k] = re * c->turn[k] + im * c->turn[h + k];
        c->turn[k] = re;
        c->turn[h + k] = im;
    }
    memcpy(c->last, now, 2 * (size_t)h * sizeof *now);
    for (int b = 0; b < c->bands; b++) {
        const float turned = band_sum(c, b, power);
        out[b] = band_sum(c, b, same) / sqrtf(turned * c->turned[b] + 1e-24f);
        c->turned[b] = turned;
    }
}

/* log2 of the power of each band; returns the power of all but the lowest. */
static float levels(const struct ns_core *c, const float *spectrum, float *out)
{
    const int h = c->stride;
    float power[NS_BINS + 7], all = 0.0f;
    for (int k = 0; k < h; k++)
        power[k] = spectrum[k] * spectrum[k] + spectrum[h + k] * spectrum[h + k];
    for (int b = 0; b < c->bands; b++) {
        const float sum = band_sum(c, b, power);
        if (b >= LOW)
            all += sum;
        out[b] = log2_of(sum + QUIET);
    }
    return all;
}

static void track(struct ns_core *c, const float *now, float all)
{
    const float loud = log2_of(all + QUIET_ALL);
    if (!c->started) {
        memcpy(c->floor, now, sizeof c->floor);
        memcpy(c->mean, now, sizeof c->mean);
        memcpy(c->still, now, sizeof c->still);
        c->loud = loud;
        c->started = true;
    }
    for (int b = 0; b < c->bands; b++) {
        const float over = now[b] - c->floor[b];
        c->floor[b] += (over < 0.0f ? FALL : RISE) * clip(over, -20.0f, 4.0f);
        c->still[b] += clip(now[b] - c->still[b], -1.0f, STILL_RISE);
        c->mean[b] += SLOW * (now[b] - c->mean[b]);
    }
    c->loud += (loud > c->loud ? LOUDER : FAINTER) * (loud - c->loud);
}

/* All features are differences of levels: how loud it is at all does not matter. */
static void look(struct ns_core *c, const float *first, const float *second)
{
    float now[2][NS_BANDS] = {{0}}, both[NS_BANDS], tones[NS_BANDS];
    const float all = levels(c, first, now[0]) + levels(c, second, now[1]);
    for (int b = 0; b < NS_BANDS; b++)
        both[b] = 0.5f * (now[0][b] + now[1][b]);
    track(c, both, all);
    tonality(c, second, tones);
    for (int b = 0; b < c->bands; b++) {
        const float f[NS_FEATURES] = {now[0][b] - c->floor[b], now[1][b] - c->floor[b], c->mean[b] - c->floor[b],
                                      c->floor[b] - c->loud + 4.0f, now[1][b] - c->loud + 4.0f, 4.0f * tones[b]};
        for (int i = 0; i < NS_FEATURES; i++)
            c->net.feature[i][NS_PAD + b] = clip(0.25f * f[i], -4.0f, 4.0f);
    }
}

static void apply(struct ns_core *c, const float *gain, float *spectrum)
{
    const int h = c->stride;
    float before = 0.0f, after = 0.0f;
    for (int k = 0; k < c->bins; k++) {
        const int b = c->left[k];
        const float g = gain[b] + c->part[k] * (gain[b + 1] - gain[b]), re = spectrum[k], im = spectrum[h + k];
        before += re * re + im * im;
        spectrum[k] = g * re;
        spectrum[h + k] = g * im;
        after += g * g * (re * re + im * im);
    }
    c->before += before;
    c->after += after;
}

/* How much doubt there is that anything is noise, 0 .. 1: with a steady noise around, the mean gain comes down to nearly
 * nothing whenever the talker takes a breath; among other talkers it does not. */
static float doubt(struct ns_core *c)
{
    float mean = 0.0f;
    for (int b = LOW; b < c->bands; b++)
        mean += c->net.gain[0][b] + c->net.gain[1][b];
    mean /= 2.0f * (float)(c->bands - LOW);
    c->quietest += (mean < c->quietest ? QUIETER : BACK) * (mean - c->quietest);
    return clip((c->quietest - NO_DOUBT) / (ALL_DOUBT - NO_DOUBT), 0.0f, 1.0f);
}

/* How much of the high pass is heard. Wind and engines are loudest below any voice, and what windows as short as these
 * leave of them there is still heard; so it goes after them, as long as it was there in the last seconds. A voice has nothing
 * in the lowest band but what leaks there, and that comes and goes. Returns how much rumble there is, 0 .. 1. */
static float low_cut(struct ns_core *c, const float *first, const float *second)
{
    const int h = c->stride;
    const float g = 1.0f - c->net.gain[0][0], f = 1.0f - c->net.gain[1][0];
    float sum = 0.0f;
    for (int k = 0; k < c->edge[1]; k++)
        sum += g * g * (first[k] * first[k] + first[h + k] * first[h + k]) +
               f * f * (second[k] * second[k] + second[h + k] * second[h + k]);
    const float now = fminf(log2_of(sum + QUIET_ALL), c->still[0] + CUT_GUSTS);
    c->low.rumble += (now > c->low.rumble ? CUT_ON : CUT_OFF) * (now - c->low.rumble);
    c->low.last = c->low.amount;
    const float rumbles = clip((c->low.rumble - c->loud - CUT_FROM) / (CUT_WHOLE - CUT_FROM), 0.0f, 1.0f);
    c->low.amount = (1.0f - c->least) * rumbles;
    return rumbles;
}

void ns_core_low_cut(struct ns_core *c, float *sound, int n)
{
    struct ns_low_cut *l = &c->low;
    if (l->last == 0.0f && l->amount == 0.0f) { /* Not heard; when it is to be, it begins anew under a share that rises. */
        l->kept[0] = l->kept[1] = 0.0f;
        return;
    }
    const float step = (l->amount - l->last) / (float)n;
    const float zero = l->zero, pole = l->pole[0], far = l->pole[1]; /* Only what was kept is waited for: see `before`. */
    const float of_one = (2.0f + pole) * zero, of_two = (1.0f - far) * zero;
    float share = l->last, one = l->kept[0], two = l->kept[1];
    for (int i = 0; i < n; i++) {
        const float x = sound[i], y = zero * x + one, before = one;
        one = two - of_one * x - pole * before;
        two = of_two * x - far * before;
        share += step;
        sound[i] = x + share * (y - x);
    }
    l->kept[0] = one;
    l->kept[1] = two;
}

/* The network is careful; a little less of what it doubts sounds better, unless it doubts everything: then what it takes
 * for noise may be the talker, and goes down by so much only that he is understood as well as before. Below 300 Hz half of it is
 * enough: the high pass takes its part there, and a voice's envelope is easily spoilt. No gain goes below what the user
 * allows, nor below what brings the noise out of hearing: so what is clean stays as it is.
 *
 * Rumble, and doubt that anything else is noise, is wind: it lies below the talker, whom the network then takes too much
 * of. Less than half of the dB are enough there in all bands. */
static void shape(struct ns_core *c, float rumbles)
{
    const float doubted = doubt(c), windy = rumbles * doubted;
    for (int b = 0; b < c->bands; b++) {
        const float unheard = b < DEEP ? UNHEARD_DEEP : UNHEARD;
        const float bound = b < LOW ? c->least : fmaxf(c->least, DOUBTED * doubted);
        const float least = clip(exp2_of(0.5f * (c->loud - unheard - c->still[b])), bound, 1.0f);
        for (int i = 0; i < 2; i++) {
            const float gain = c->net.gain[i][b], root = sqrtf(sqrtf(gain));
            const float calm = b < LOW ? root * root : gain * (root + doubted * (1.0f - root));
            c->net.gain[i][b] = clip(calm + windy * (0.5f * (root + root * root) - calm), least, 1.0f);
        }
    }
}

void ns_core_frame(struct ns_core *c, float *first, float *second)
{
    look(c, first, second);
    c->step(&ns_weights, &c->net, c->bands);
    c->before = c->after = 0.0f;
    shape(c, low_cut(c, first, second));
    apply(c, c->net.gain[0], first);
    apply(c, c->net.gain[1], second);
    float top = 0.0f;
    for (int b = c->bands - 4; b < c->bands; b++)
        top += 0.125f * (c->net.gain[0][b] + c->net.gain[1][b]);
    c->upper = top;
}
