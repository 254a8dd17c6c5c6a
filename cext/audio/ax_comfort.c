/* Comfort noise; see ax/comfort.h. Units: samples. Threads: an object belongs to one. Allocation: none. */
#include "ax/comfort.h"

#include "ax/err.h"
#include "ax_pcm.h"

#include <string.h>

enum { MOST_FRAME = 480, LEAST_FRAME = 80, SMOOTH_FRAMES = 20 };

#define MOST_K 0.98f
#define UNIFORM 1.7320508f /* A uniform number of +-1 has a deviation of 1 over this. */

int ax_comfort_init(struct ax_comfort *c, uint32_t seed)
{
    if (!c)
        return AX_E_ARG;
    memset(c, 0, sizeof *c);
    c->seed = seed ? seed : 1;
    return AX_OK;
}

/* The gain that gives the power back: the prediction error of the coefficients. */
static void set_gain(struct ax_comfort *c)
{
    float error = c->power;
    for (int i = 0; i < AX_COMFORT_ORDER; i++)
        error *= 1 - c->k[i] * c->k[i];
    c->gain = sqrtf(error) * UNIFORM;
}

/* Reflection coefficients from the autocorrelation. */
static void levinson(struct ax_comfort *c)
{
    float a[AX_COMFORT_ORDER + 1] = {1}, error = c->r[0] * 1.0001f + 1e-10f;
    for (int i = 1; i <= AX_COMFORT_ORDER; i++) {
        float sum = c->r[i], next[AX_COMFORT_ORDER + 1];
        for (int j = 1; j < i; j++)
            sum += a[j] * c->r[i - j];
        float k = -sum / error;
        k = k > MOST_K ? MOST_K : k < -MOST_K ? -MOST_K : k;
        memcpy(next, a, sizeof next);
        for (int j = 1; j < i; j++)
            next[j] = a[j] + k * a[i - j];
        next[i] = k;
        memcpy(a, next, sizeof next);
        error *= 1 - k * k;
        c->k[i - 1] = k;
    }
}

int ax_comfort_learn(struct ax_comfort *c, const int16_t *in, size_t n)
{
    float x[MOST_FRAME];
    if (!c || !in)
        return AX_E_ARG;
    if (n < LEAST_FRAME || n > MOST_FRAME)
        return AX_E_RANGE;
    pcm_from_i16(x, in, n);
    const float share = c->learnt < SMOOTH_FRAMES ? 1.0f / (float)(c->learnt + 1) : 1.0f / SMOOTH_FRAMES;
    c->learnt += c->learnt < SMOOTH_FRAMES;
    for (size_t lag = 0; lag <= AX_COMFORT_ORDER; lag++) {
        float sum = 0;
        for (size_t i = lag; i < n; i++)
            sum += x[i] * x[i - lag];
        c->r[lag] += share * (sum / (float)n - c->r[lag]);
    }
    c->power = c->r[0];
    levinson(c);
    set_gain(c);
    return AX_OK;
}

static float noise(struct ax_comfort *c)
{
    uint32_t x = c->seed; /* xorshift32, Marsaglia 2003 */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    c->seed = x;
    return (float)(int32_t)x * 0x1p-31f;
}

int ax_comfort_render(struct ax_comfort *c, int16_t *out, size_t n)
{
    if (!c || (!out && n))
        return AX_E_ARG;
    for (size_t i = 0; i < n; i++) {
        float f = c->gain * noise(c);
        for (int j = AX_COMFORT_ORDER - 1; j >= 0; j--) {
            f -= c->k[j] * c->state[j];
            c->state[j + 1] = c->state[j] + c->k[j] * f;
        }
        c->state[0] = fabsf(f) < 1e-12f ? 0 : f;
        pcm_to_i16(out + i, &f, 1);
    }
    return AX_OK;
}

int ax_comfort_pack(const struct ax_comfort *c, uint8_t *out, size_t room)
{
    if (!c || !out)
        return AX_E_ARG;
    if (room < AX_COMFORT_ORDER + 1)
        return AX_E_FULL;
    const float level = -10.0f * log10f(c->power + 1e-13f);
    out[0] = (uint8_t)(level < 0 ? 0 : level > 127 ? 127 : lrintf(level));
    for (int i = 0; i < AX_COMFORT_ORDER; i++)
        out[1 + i] = (uint8_t)(lrintf(c->k[i] * 127.0f) + 127);
    return AX_COMFORT_ORDER + 1;
}

int ax_comfort_unpack(struct ax_comfort *c, const uint8_t *in, size_t n)
{
    if (!c || (!in && n))
        return AX_E_ARG;
    if (n == 0)
        return AX_E_FORMAT;
    c->power = powf(10.0f, -0.1f * (float)(in[0] & 127));
    for (size_t i = 0; i < AX_COMFORT_ORDER; i++) {
        const float k = i + 1 < n ? ((float)in[1 + i] - 127.0f) * (258.0f / 32768.0f) : 0;
        c->k[i] = k > MOST_K ? MOST_K : k < -MOST_K ? -MOST_K : k;
    }
    set_gain(c);
    return AX_OK;
}
