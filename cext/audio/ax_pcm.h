/* Small loops over samples that the gain, level and rate kernels share: between 16 bits and floating point, power, peak,
 * whether all are numbers. Sums run in eight lanes, so that a compiler may take registers for them.
 * Units: float samples of full scale 1.0. Threads: any. Allocation: none. */
#ifndef AX_PCM_H
#define AX_PCM_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PCM_LANES = 8 };

static inline void pcm_from_i16(float *out, const int16_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)in[i] * (1.0f / 32768.0f);
}

/* Rounded to nearest even; beyond full scale: held there. */
static inline void pcm_to_i16(int16_t *out, const float *in, size_t n)
{
    const float round = 0x1.8p23f; /* Added, it leaves no bits below one. */
    for (size_t i = 0; i < n; i++) {
        float x = in[i] * 32768.0f;
        x = x > 32767.0f ? 32767.0f : x;
        x = x < -32768.0f ? -32768.0f : x;
        out[i] = (int16_t)((x + round) - round);
    }
}

/* All are numbers, and none is beyond `most`. */
static inline bool pcm_is_sound(const float *in, size_t n, float most)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= !(in[i] <= most) | !(in[i] >= -most);
    return !bad;
}

static inline float pcm_power(const float *in, size_t n)
{
    float lane[PCM_LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + PCM_LANES <= n; i += PCM_LANES)
        for (size_t k = 0; k < PCM_LANES; k++)
            lane[k] += in[i + k] * in[i + k];
    for (; i < n; i++)
        sum += in[i] * in[i];
    for (size_t k = 0; k < PCM_LANES; k++)
        sum += lane[k];
    return n ? sum / (float)n : 0;
}

static inline float pcm_power_i16(const int16_t *in, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)(in[i] * in[i]);
    return n ? (float)sum / (0x1p30f * (float)n) : 0;
}

typedef float pcm_quad __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t pcm_bits __attribute__((vector_size(16), aligned(4), may_alias));

/* By lanes of four, which compilers do not find in a comparison of single numbers. */
static inline float pcm_peak(const float *in, size_t n)
{
    const pcm_bits size = (pcm_bits){0} + INT32_MAX; /* All but the sign. */
    pcm_quad lane = {0};
    float most = 0;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const pcm_bits x = *(const pcm_bits *)(in + i) & size, more = (pcm_quad)x > lane;
        lane = (pcm_quad)((more & x) | (~more & (pcm_bits)lane));
    }
    for (; i < n; i++)
        most = fmaxf(most, fabsf(in[i]));
    for (size_t k = 0; k < 4; k++)
        most = lane[k] > most ? lane[k] : most;
    return most;
}

/* dB of a power; 0 is that of a square wave of full scale, silence -100. */
static inline float pcm_db(float power)
{
    return 10.0f * log10f(power + 1e-10f);
}

#endif
