/* Plans of the transform and the choice of a variant. See ax_dsp.h. Units: none. Threads: any. Allocation: ax_fft_new. */
#define _GNU_SOURCE
#include "ax_dsp.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static bool factor(struct ax_fft *f)
{
    static const int radices[] = {8, 4, 5, 3, 2};
    int rest = f->half;
    if (rest % 8 != 0)
        return false;
    f->radix[0] = 8;
    f->passes = 1;
    rest /= 8;
    for (int i = 0; rest > 1 && i < 5;) {
        if (rest % radices[i] != 0) {
            i++;
            continue;
        }
        if (f->passes == AX_FFT_PASSES)
            return false;
        f->radix[f->passes++] = radices[i];
        rest /= radices[i];
    }
    return rest == 1;
}

static int table_size(const struct ax_fft *f)
{
    int n = f->half, size = 2 * f->stride;
    for (int i = 0; i < f->passes; i++) {
        const int m = n / f->radix[i];
        size += 2 * (f->radix[i] - 1) * ((m + 7) / 8 * 8);
        n = m;
    }
    return size;
}

/* Pass 0 runs over p in vectors: [j - 1][re, im][m]. The others take one p at a time: [p][j - 1][re, im]. */
static float *fill_pass(const struct ax_fft *f, int pass, int n, float *at)
{
    const int r = f->radix[pass], m = n / r;
    for (int p = 0; p < m; p++)
        for (int j = 1; j < r; j++) {
            const double a = -2 * M_PI * (double)(p * j) / n;
            float *t = pass == 0 ? at + 2 * (j - 1) * m + p : at + 2 * (p * (r - 1) + j - 1);
            t[0] = (float)cos(a);
            t[pass == 0 ? m : 1] = (float)sin(a);
        }
    return at + 2 * (r - 1) * ((m + 7) / 8 * 8);
}

struct ax_fft *ax_fft_new(int n)
{
    struct ax_fft *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->n = n;
    f->half = n / 2;
    f->stride = (n / 2 + 1 + 7) / 8 * 8;
    void *pool = NULL;
    if (n < 64 || n > AX_FFT_MAX || n % 2 != 0 || !factor(f) ||
        posix_memalign(&pool, 64, (size_t)table_size(f) * sizeof(float)) != 0) {
        free(f);
        return NULL;
    }
    float *at = f->pool = pool;
    for (int i = 0, rest = f->half; i < f->passes; rest /= f->radix[i], i++) {
        f->twiddle[i] = at;
        at = fill_pass(f, i, rest, at);
    }
    f->split = at;
    for (int k = 0; k < f->stride; k++) {
        at[k] = (float)cos(-2 * M_PI * k / n);
        at[f->stride + k] = (float)sin(-2 * M_PI * k / n);
    }
    return f;
}

void ax_fft_free(struct ax_fft *f)
{
    if (f != NULL)
        free(f->pool);
    free(f);
}

const struct ax_dsp *ax_dsp_variant(int level)
{
    const struct ax_dsp *found[2] = {&ax_dsp_generic, NULL};
#ifdef AX_HAVE_FMA
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        found[1] = &ax_dsp_fma;
#endif
#ifdef AX_HAVE_NEON
    found[1] = &ax_dsp_neon;
#endif
    return level >= 0 && level < 2 ? found[level] : NULL;
}

const struct ax_dsp *ax_dsp_best(void)
{
    const struct ax_dsp *fast = ax_dsp_variant(1);
    return fast != NULL ? fast : &ax_dsp_generic;
}
