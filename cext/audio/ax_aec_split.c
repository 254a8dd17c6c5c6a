/* The bands of 32 and 48 kHz: a core at 16 kHz takes what lies below 8 kHz, the rest follows by one gain.
 *
 * Down and up go through one linear-phase low pass of 16 taps per millisecond. The output is the microphone, delayed, times
 * the gain of the upper band, plus the difference that the core made, brought up: so where the core changes nothing and
 * the gain is one, the output is the microphone to the last bit of a float. Units: full scale 1.0. Threads, allocation:
 * see ax/aec.h. */
#include "ax_aec_internal.h"

#include <math.h>
#include <string.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

void aec_split_init(struct aec_split *s, int factor)
{
    memset(s, 0, sizeof *s);
    s->factor = factor;
    s->taps = 16 * factor + 1;
    const double cut = 7400.0 / (16000.0 * factor), middle = 8.0 * factor;
    double sum = 0.0, h[AEC_TAPS];
    for (int i = 0; i < s->taps; i++) {
        const double t = i - middle, phase = (i + 1.0) / (s->taps + 1.0);
        const double window = 0.42 - 0.5 * cos(2 * M_PI * phase) + 0.08 * cos(4 * M_PI * phase);
        h[i] = window * (t == 0.0 ? 2 * cut : sin(2 * M_PI * cut * t) / (M_PI * t));
        sum += h[i];
    }
    for (int i = 0; i < s->taps; i++)
        s->low_pass[i] = (float)(h[i] / sum);
    /* Phase p of the way up: every factor-th tap, backwards, so that it is a dot product with the past. */
    for (int p = 0; p < factor; p++) {
        int n = 0;
        for (int i = p; i < s->taps; i += factor)
            n++;
        s->length[p] = n;
        for (int j = 0; j < n; j++)
            s->up[p][j] = (float)factor * s->low_pass[p + (n - 1 - j) * factor];
    }
}

/* One frame down to 16 kHz. `past` holds the taps - 1 samples before it. */
void aec_split_down(const struct ax_dsp *dsp, const struct aec_split *s, float *past, const float *in, float *out)
{
    float x[AEC_TAPS + AEC_FRAME];
    const int keep = s->taps - 1, n = AEC_HOP * s->factor;
    memcpy(x, past, (size_t)keep * sizeof *x);
    memcpy(x + keep, in, (size_t)n * sizeof *x);
    for (int i = 0; i < AEC_HOP; i++)
        out[i] = dsp->dot(s->low_pass, x + i * s->factor, s->taps);
    memcpy(past, x + n, (size_t)keep * sizeof *x);
}

/* Samples of the whole way down and up, at the higher rate. */
int aec_split_delay(const struct aec_split *s)
{
    return s->taps - 1;
}

/* The difference that the core made comes up and is added to the microphone, which has waited for it. */
void aec_split_merge(const struct ax_dsp *dsp, struct aec_split *s, const float *mic, const float *low, const float *core,
                     int lag, float gain, float *out)
{
    const int f = s->factor, n = AEC_HOP * f, wait = aec_split_delay(s) + lag * f;
    float d[AEC_TAPS + AEC_HOP];
    enum { KEEP = 20 }; /* More than the taps of one phase. */
    memcpy(d, s->difference, KEEP * sizeof *d);
    memcpy(s->waiting + wait, mic, (size_t)n * sizeof *mic);
    memcpy(s->low + lag, low, AEC_HOP * sizeof *low);
    const float step = (gain - s->gain) / (float)AEC_HOP;
    for (int i = 0; i < AEC_HOP; i++) {
        const float g = s->gain + step * (float)i;
        d[KEEP + i] = core[i] - g * s->low[i];
        for (int p = 0; p < f; p++)
            out[i * f + p] = g * s->waiting[i * f + p];
    }
    for (int i = 0; i < AEC_HOP; i++)
        for (int p = 0; p < f; p++)
            out[i * f + p] += dsp->dot(s->up[p], d + KEEP + i - s->length[p] + 1, s->length[p]);
    s->gain = gain;
    memcpy(s->difference, d + AEC_HOP, KEEP * sizeof *d);
    memmove(s->waiting, s->waiting + n, (size_t)wait * sizeof *mic);
    memmove(s->low, s->low + AEC_HOP, (size_t)lag * sizeof *low);
}
