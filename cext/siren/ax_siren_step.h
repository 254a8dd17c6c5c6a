/* The inner loops on LANES samples at once, in the compiler's vector types. Included by each variant (_avx2.c, _neon.c),
 * which defines before:
 *
 *   LANES              floats in a register
 *   ORDER_0, ORDER_1   which samples the lanes of two registers of 64-bit phases hold, so that
 *   high(p0, p1)       the upper halves of both, is in the order of samples
 *   hold(x, most)      x, held within +-most
 *   narrow(out, in)    store integers as 16 bits
 *
 * Operation for operation as ax_siren_generic.c. Units: 2^-64 cycles, samples. Threads: any. Allocation: none. */
#ifndef AX_SIREN_STEP_H
#define AX_SIREN_STEP_H

#include "ax_siren_internal.h"

#include <string.h>

#define TOGETHER 4 /* TOGETHER * LANES is at most PAD. */

typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int32_t vi __attribute__((vector_size(4 * LANES)));
typedef uint32_t vu __attribute__((vector_size(4 * LANES)));
typedef uint64_t vq __attribute__((vector_size(4 * LANES)));

static inline vu high(vq p0, vq p1);
static inline vf hold(vf x, vf most);
static inline void narrow(int16_t *out, vi in);

/* Phases of LANES samples, and what comes to each of them until the next LANES. */
struct lanes {
    vq p[2], a[2], b[2], c;
};

/* The binomial recurrence, sample by sample for three registers' worth: then its differences are known. */
static inline void begin(struct lanes *l, const struct chunk *at)
{
    static const int ORDER[2][LANES / 2] = {ORDER_0, ORDER_1};
    uint64_t x[4 * LANES], p = at->p, a = at->a, b = at->b;
    for (int i = 0; i < 4 * LANES; i++) {
        x[i] = p;
        p += a;
        a += b;
        b += at->c;
    }
    for (int half = 0; half < 2; half++)
        for (int lane = 0; lane < LANES / 2; lane++) {
            const uint64_t *y = x + ORDER[half][lane];
            l->p[half][lane] = y[0];
            l->a[half][lane] = y[LANES] - y[0];
            l->b[half][lane] = y[2 * LANES] - 2 * y[LANES] + y[0];
            l->c[lane] = y[3 * LANES] - 3 * y[2 * LANES] + 3 * y[LANES] - y[0];
        }
}

static inline vu phases(struct lanes *l)
{
    const vu t = high(l->p[0], l->p[1]);
    for (int half = 0; half < 2; half++) {
        l->p[half] += l->a[half];
        l->a[half] += l->b[half];
        l->b[half] += l->c;
    }
    return t;
}

static inline vf sine(vu t)
{
    const vu outer = (vu)((vi)(t ^ t << 1) >> 31);
    const vf u = __builtin_convertvector((vi)((t ^ outer) + (outer & 0x80000001u)), vf) * 0x1p-30f, y = u * u;
    return u * (S1 + y * (S3 + y * (S5 + y * (S7 + y * S9))));
}

/* Four registers at a time: each waits for its own recurrence. */
static inline void partials(float *out, struct lanes *l, const struct timbre *timbre, float peak)
{
    vu t[TOGETHER];
    vf c[TOGETHER], b[TOGETHER] = {{0}}, last[TOGETHER] = {{0}};
    for (int i = 0; i < TOGETHER; i++) {
        t[i] = phases(l);
        c[i] = 2 * sine(t[i] + 0x40000000u);
    }
    for (uint32_t k = timbre->n; k-- > 0;)
        for (int i = 0; i < TOGETHER; i++) {
            const vf next = (timbre->amplitude[k] - last[i]) + c[i] * b[i];
            last[i] = b[i];
            b[i] = next;
        }
    for (int i = 0; i < TOGETHER; i++) {
        const vf x = peak * (sine(t[i]) * b[i]);
        memcpy(out + i * LANES, &x, sizeof x);
    }
}

static void wave(float *out, size_t n, const struct chunk *at, const struct timbre *timbre, float peak)
{
    struct lanes l;
    begin(&l, at);
    if (timbre->n == 1) {
        for (size_t i = 0; i < n; i += LANES) {
            const vf x = peak * sine(phases(&l));
            memcpy(out + i, &x, sizeof x);
        }
        return;
    }
    for (size_t i = 0; i < n; i += TOGETHER * LANES)
        partials(out + i, &l, timbre, peak);
}

static inline vi rounded(const float *in, float scale)
{
    const float round = 0x1.8p23f;
    vf x;
    memcpy(&x, in, sizeof x);
    x = hold(x * scale, (vf){0} + 32767.0f);
    return __builtin_convertvector((x + round) - round, vi);
}

static void store(int16_t *out, const float *in, size_t n, float scale)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        narrow(out + i, rounded(in + i, scale));
    if (i < n) {
        float rest[LANES] = {0};
        int16_t last[LANES];
        memcpy(rest, in + i, (n - i) * sizeof *in);
        narrow(last, rounded(rest, scale));
        memcpy(out + i, last, (n - i) * sizeof *out);
    }
}

#endif
