/* The inner loops in plain C: the reference of the variants, which do the same operations in the same order on several
 * samples at once. Units: 2^-64 cycles, samples. Threads: any. Allocation: none. */
#include "ax_siren_internal.h"

/* sin(2 pi t / 2^32). The outer half of the cycle is folded in: sin(pi - x) = sin x. */
static inline float sine(uint32_t t)
{
    const uint32_t outer = (uint32_t)((int32_t)(t ^ t << 1) >> 31);
    const float u = (float)(int32_t)((t ^ outer) + (outer & 0x80000001u)) * 0x1p-30f, y = u * u;
    return u * (S1 + y * (S3 + y * (S5 + y * (S7 + y * S9))));
}

static inline float partials(uint32_t t, const struct timbre *timbre)
{
    const float c = 2 * sine(t + 0x40000000u);
    float b1 = 0, b2 = 0;
    for (uint32_t k = timbre->n; k-- > 0;) {
        const float b = (timbre->amplitude[k] - b2) + c * b1;
        b2 = b1;
        b1 = b;
    }
    return sine(t) * b1;
}

static void wave(float *out, size_t n, const struct chunk *at, const struct timbre *timbre, float peak)
{
    uint64_t p = at->p, a = at->a, b = at->b;
    uint32_t t[CHUNK + PAD];
    for (size_t i = 0; i < n; i++) {
        t[i] = (uint32_t)(p >> 32);
        p += a;
        a += b;
        b += at->c;
    }
    if (timbre->n == 1) {
        for (size_t i = 0; i < n; i++)
            out[i] = peak * sine(t[i]);
        return;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = peak * partials(t[i], timbre);
}

static void store(int16_t *out, const float *in, size_t n, float scale)
{
    const float round = 0x1.8p23f; /* Added, it leaves no bits below one. */
    for (size_t i = 0; i < n; i++) {
        float x = in[i] * scale;
        x = x > 32767 ? 32767 : x;
        x = x < -32767 ? -32767 : x;
        out[i] = (int16_t)((x + round) - round);
    }
}

const struct siren_ops ax_siren_generic = {"generic", wave, store};
