/* Transforms and spectral loops shared by the audio kernels, with a variant per instruction set.
 *
 * Spectra are split: all real parts, then all imaginary parts, each padded to a multiple of eight floats (`stride`). The
 * transform is a Stockham autosort FFT (radix 8 first, then 2, 3, 4, 5, 8), a real one of n points by a complex one of n / 2.
 * Units: none; scaling is 1 forward and 1 / n back. Threads: plans and variants are constant, any number of threads.
 * Allocation: only ax_fft_new. */
#ifndef AX_DSP_H
#define AX_DSP_H

#include <stddef.h>

enum {
    AX_FFT_PASSES = 5,
    AX_FFT_MAX = 960, /* Points of the largest real transform. */
};

/* A real transform of n points: n / 2 has the factors 8, then 2, 3, 4, 5, 8. */
struct ax_fft {
    int n, half, stride; /* Points; complex points; floats from the real to the imaginary parts of a spectrum. */
    int passes;
    int radix[AX_FFT_PASSES];
    const float *twiddle[AX_FFT_PASSES];
    const float *split; /* cos, then sin, of the step from complex to real. */
    float *pool;
};

/* What one step of the block Kalman filter looks at. Arrays of partitions lie `gap` floats apart. */
struct ax_kalman {
    float *w;             /* [partitions][2][stride]: the echo path. */
    float *p;             /* [partitions][stride]: the variance of what is wrong with it, per bin. */
    const float *const *x; /* [partitions]: spectra of the reference, newest first; each [2][stride]. */
    int partitions, stride;
};

/* One variant of the loops. */
struct ax_dsp {
    const char *name;
    /* x: n floats; spectrum: re at s, im at s + stride; bins 0 .. n / 2. Works out of place. */
    void (*forward)(const struct ax_fft *f, const float *x, float *s);
    void (*inverse)(const struct ax_fft *f, const float *s, float *x);
    /* y = sum of w x; power[0] = sum of p |x|^2; power[1] = sum of |w|^2 |x|^2. */
    void (*predict)(const struct ax_kalman *k, float *y, float *residual, float *echo);
    /* w += p conj(x) e gain; p = keep p (1 - c p |x|^2 gain) + grow |w|^2. */
    void (*update)(const struct ax_kalman *k, const float *e, const float *gain, float c, float keep, float grow);
    /* out[i] = d(x[i + 1]) - emphasis d(x[i]), where d is what lies beyond +-knot. n + 1 floats in, n out. */
    void (*bend)(const float *x, float knot, float emphasis, float *out, int n);
    /* out = in / (|in| + floor) over n bins from `in`, whose parts lie `stride` apart; those of out lie n apart. */
    void (*phase)(const float *in, int stride, float floor, float *out, int n);
    /* Gains per bin: of e with the power e2, `rest` is echo; `clean` is the power that was left the last time, and that is
     * left now. Noise of the power `hiss` (dice: stride random re, then im) fills what is missing. No gain below `least`. */
    void (*attenuate)(float *e, const float *e2, const float *rest, float *clean, const float *hiss, const float *dice,
                      float least, int stride);
    /* Sum of a[i] b[i]. */
    float (*dot)(const float *a, const float *b, int n);
    /* acc = keep acc + conj(x) d over n bins of split spectra of that stride. */
    void (*correlate)(float *acc, const float *x, const float *d, float keep, int n, int stride);
    /* The same with x and d, then with y and e, going through the sums once. */
    void (*correlate2)(float *acc, const float *x, const float *d, const float *y, const float *e, float keep, int n, int stride);
};

extern const struct ax_dsp ax_dsp_generic;
extern const struct ax_dsp ax_dsp_fma;
extern const struct ax_dsp ax_dsp_neon;

/* The fastest variant that this processor runs; by number (0 = portable) for tests, NULL past the last. */
const struct ax_dsp *ax_dsp_best(void);
const struct ax_dsp *ax_dsp_variant(int level);

/* NULL when n cannot be had or memory is short. */
struct ax_fft *ax_fft_new(int n);
void ax_fft_free(struct ax_fft *f);

#endif
