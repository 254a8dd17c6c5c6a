/* The loops of ax_dsp.h over vectors of VW floats. Included once per instruction set, after
 *   #define VW 8            lanes
 *   #define AX_DSP_VARIANT  the name of its struct ax_dsp, and AX_DSP_NAME the name as text.
 * Units, threads, allocation: see ax_dsp.h. Vectors are the compiler's own, so one text serves SSE, AVX2 and NEON. */
#include "ax_dsp.h"

#include <math.h>
#include <string.h>


typedef float vec __attribute__((vector_size(4 * VW), aligned(4), may_alias));
typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));

#if defined(__clang__) || __GNUC__ >= 12
#define MIX(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#define MIX8(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
typedef int quadi __attribute__((vector_size(16)));
#define MIX(a, b, i, j, k, l) __builtin_shuffle(a, b, (quadi){i, j, k, l})
#if VW == 8
typedef int veci __attribute__((vector_size(32)));
#define MIX8(a, b, ...) __builtin_shuffle(a, b, (veci){__VA_ARGS__})
#endif
#endif

#define V(at) (*(const vec *)(at))
#define SET(at) (*(vec *)(at))
#define R5A 0.30901699437494745f /* cos 72 */
#define R5B 0.80901699437494745f /* -cos 144 */
#define R5C 0.95105651629515353f /* sin 72 */
#define R5D 0.58778525229247314f /* sin 144 */
#define R3 0.86602540378443865f
#define R8 0.70710678118654752f

/* Forward butterflies in place over arrays of real and imaginary vectors. */
#define BUTTERFLY2(T, r, i, a, b)                                                                                                  \
    do {                                                                                                                           \
        const T tr_ = r[a] - r[b], ti_ = i[a] - i[b];                                                                              \
        r[a] += r[b], i[a] += i[b], r[b] = tr_, i[b] = ti_;                                                                        \
    } while (0)

/* Results in the order a, b, c, d = bins 0, 1, 2, 3. */
#define BUTTERFLY4(T, r, i, a, b, c, d)                                                                                            \
    do {                                                                                                                           \
        const T pr_ = r[a] + r[c], pi_ = i[a] + i[c], qr_ = r[a] - r[c], qi_ = i[a] - i[c];                                        \
        const T sr_ = r[b] + r[d], si_ = i[b] + i[d], dr_ = r[b] - r[d], di_ = i[b] - i[d];                                        \
        r[a] = pr_ + sr_, i[a] = pi_ + si_, r[c] = pr_ - sr_, i[c] = pi_ - si_;                                                    \
        r[b] = qr_ + di_, i[b] = qi_ - dr_, r[d] = qr_ - di_, i[d] = qi_ + dr_;                                                    \
    } while (0)

/* In: bins of the two halves at even and odd places. Out: bins 0 .. 7 in order. */
#define BUTTERFLY8(T, r, i)                                                                                                        \
    do {                                                                                                                           \
        BUTTERFLY4(T, r, i, 0, 2, 4, 6);                                                                                           \
        BUTTERFLY4(T, r, i, 1, 3, 5, 7);                                                                                           \
        const T ar_ = (r[3] + i[3]) * R8, ai_ = (i[3] - r[3]) * R8;                                                                \
        const T cr_ = (i[7] - r[7]) * R8, ci_ = -(r[7] + i[7]) * R8;                                                               \
        const T br_ = i[5], bi_ = -r[5];                                                                                           \
        const T o0r_ = r[1], o0i_ = i[1];                                                                                          \
        const T e1r_ = r[2], e1i_ = i[2], e2r_ = r[4], e2i_ = i[4], e3r_ = r[6], e3i_ = i[6], e0r_ = r[0], e0i_ = i[0];             \
        r[0] = e0r_ + o0r_, i[0] = e0i_ + o0i_, r[4] = e0r_ - o0r_, i[4] = e0i_ - o0i_;                                            \
        r[1] = e1r_ + ar_, i[1] = e1i_ + ai_, r[5] = e1r_ - ar_, i[5] = e1i_ - ai_;                                                \
        r[2] = e2r_ + br_, i[2] = e2i_ + bi_, r[6] = e2r_ - br_, i[6] = e2i_ - bi_;                                                \
        r[3] = e3r_ + cr_, i[3] = e3i_ + ci_, r[7] = e3r_ - cr_, i[7] = e3i_ - ci_;                                                \
    } while (0)

static inline void butterfly3(vec *r, vec *i)
{
    const vec sr = r[1] + r[2], si = i[1] + i[2], dr = (r[1] - r[2]) * R3, di = (i[1] - i[2]) * R3;
    const vec mr = r[0] - 0.5f * sr, mi = i[0] - 0.5f * si;
    r[0] += sr, i[0] += si;
    r[1] = mr + di, i[1] = mi - dr, r[2] = mr - di, i[2] = mi + dr;
}

static inline void butterfly5(vec *r, vec *i)
{
    const vec ar = r[1] + r[4], ai = i[1] + i[4], br = r[2] + r[3], bi = i[2] + i[3];
    const vec cr = r[1] - r[4], ci = i[1] - i[4], dr = r[2] - r[3], di = i[2] - i[3];
    const vec er = r[0] + R5A * ar - R5B * br, ei = i[0] + R5A * ai - R5B * bi;
    const vec fr = r[0] - R5B * ar + R5A * br, fi = i[0] - R5B * ai + R5A * bi;
    const vec gr = R5C * cr + R5D * dr, gi = R5C * ci + R5D * di;
    const vec hr = R5D * cr - R5C * dr, hi = R5D * ci - R5C * di;
    r[0] += ar + br, i[0] += ai + bi;
    r[1] = er + gi, i[1] = ei - gr, r[4] = er - gi, i[4] = ei + gr;
    r[2] = fr + hi, i[2] = fi - hr, r[3] = fr - hi, i[3] = fi + hr;
}

/* Four vectors of four become their transpose, stored eight floats apart. */
static inline void store_turned(float *out, quad a, quad b, quad c, quad d)
{
    const quad ac0 = MIX(a, c, 0, 4, 1, 5), ac1 = MIX(a, c, 2, 6, 3, 7);
    const quad bd0 = MIX(b, d, 0, 4, 1, 5), bd1 = MIX(b, d, 2, 6, 3, 7);
    *(quad *)(out) = MIX(ac0, bd0, 0, 4, 1, 5);
    *(quad *)(out + 8) = MIX(ac0, bd0, 2, 6, 3, 7);
    *(quad *)(out + 16) = MIX(ac1, bd1, 0, 4, 1, 5);
    *(quad *)(out + 24) = MIX(ac1, bd1, 2, 6, 3, 7);
}

#if VW == 8
/* Eight vectors of eight become their transpose, in one piece. */
static inline void store_turned8(float *out, const vec r[8])
{
    vec s[8];
    for (int k = 0; k < 8; k += 4) {
        const vec ab0 = MIX8(r[k], r[k + 1], 0, 8, 1, 9, 4, 12, 5, 13), ab1 = MIX8(r[k], r[k + 1], 2, 10, 3, 11, 6, 14, 7, 15);
        const vec cd0 = MIX8(r[k + 2], r[k + 3], 0, 8, 1, 9, 4, 12, 5, 13);
        const vec cd1 = MIX8(r[k + 2], r[k + 3], 2, 10, 3, 11, 6, 14, 7, 15);
        s[k] = MIX8(ab0, cd0, 0, 1, 8, 9, 4, 5, 12, 13);
        s[k + 1] = MIX8(ab0, cd0, 2, 3, 10, 11, 6, 7, 14, 15);
        s[k + 2] = MIX8(ab1, cd1, 0, 1, 8, 9, 4, 5, 12, 13);
        s[k + 3] = MIX8(ab1, cd1, 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (int k = 0; k < 4; k++) {
        SET(out + 8 * k) = MIX8(s[k], s[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        SET(out + 8 * (k + 4)) = MIX8(s[k], s[k + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/* The first pass, radix 8, with eight p at a time; m is eight at least. */
static void first_pass8(const struct ax_fft *f, const float *xr, const float *xi, float *yr, float *yi)
{
    const int m = f->half / 8;
    const float *t = f->twiddle[0];
    for (int at = 0; at < m; at += 8) {
        const int p = at + 8 <= m ? at : m - 8;
        vec r[8], i[8];
        for (int k = 0; k < 8; k++) {
            r[k] = V(xr + p + m * k);
            i[k] = V(xi + p + m * k);
        }
        BUTTERFLY8(vec, r, i);
        for (int j = 1; j < 8; j++) {
            const vec c = V(t + 2 * (j - 1) * m + p), s = V(t + 2 * (j - 1) * m + m + p);
            const vec re = r[j] * c - i[j] * s;
            i[j] = r[j] * s + i[j] * c;
            r[j] = re;
        }
        store_turned8(yr + 8 * p, r);
        store_turned8(yi + 8 * p, i);
    }
}
#endif

/* The first pass, radix 8: four p at a time (the last four overlap when m is not a multiple of four). */
static void first_pass(const struct ax_fft *f, const float *xr, const float *xi, float *yr, float *yi)
{
    const int m = f->half / 8;
    const float *t = f->twiddle[0];
    for (int at = 0; at < m; at += 4) {
        const int p = at + 4 <= m ? at : m - 4;
        quad r[8], i[8];
        for (int k = 0; k < 8; k++) {
            r[k] = *(const quad *)(xr + p + m * k);
            i[k] = *(const quad *)(xi + p + m * k);
        }
        BUTTERFLY8(quad, r, i);
        for (int j = 1; j < 8; j++) {
            const quad c = *(const quad *)(t + 2 * (j - 1) * m + p), s = *(const quad *)(t + 2 * (j - 1) * m + m + p);
            const quad re = r[j] * c - i[j] * s;
            i[j] = r[j] * s + i[j] * c;
            r[j] = re;
        }
        store_turned(yr + 8 * p, r[0], r[1], r[2], r[3]);
        store_turned(yr + 8 * p + 4, r[4], r[5], r[6], r[7]);
        store_turned(yi + 8 * p, i[0], i[1], i[2], i[3]);
        store_turned(yi + 8 * p + 4, i[4], i[5], i[6], i[7]);
    }
}

#define PASS(R, BUTTERFLY)                                                                                                         \
    static void pass##R(const float *t, int m, int s, const float *xr, const float *xi, float *yr, float *yi)                      \
    {                                                                                                                              \
        for (int p = 0; p < m; p++, t += 2 * (R - 1))                                                                              \
            for (int q = 0; q < s; q += VW) {                                                                                      \
                vec r[R], i[R];                                                                                                    \
                for (int k = 0; k < R; k++)                                                                                        \
                    r[k] = V(xr + q + s * (p + m * k)), i[k] = V(xi + q + s * (p + m * k));                                        \
                BUTTERFLY;                                                                                                         \
                SET(yr + q + s * R * p) = r[0], SET(yi + q + s * R * p) = i[0];                                                    \
                for (int j = 1; j < R; j++) {                                                                                      \
                    const float c = t[2 * j - 2], d = t[2 * j - 1];                                                                \
                    SET(yr + q + s * (R * p + j)) = r[j] * c - i[j] * d;                                                           \
                    SET(yi + q + s * (R * p + j)) = r[j] * d + i[j] * c;                                                           \
                }                                                                                                                  \
            }                                                                                                                      \
    }

PASS(2, BUTTERFLY2(vec, r, i, 0, 1))
PASS(3, butterfly3(r, i))
PASS(4, BUTTERFLY4(vec, r, i, 0, 1, 2, 3))
PASS(5, butterfly5(r, i))
PASS(8, BUTTERFLY8(vec, r, i))

/* a holds the input (real, imaginary, `stride` apart) and is overwritten; the result lies in a or b. */
static float *complex_forward(const struct ax_fft *f, float *a, float *b)
{
    const int h = f->stride;
#if VW == 8
    if (f->half >= 64)
        first_pass8(f, a, a + h, b, b + h);
    else
#endif
        first_pass(f, a, a + h, b, b + h);
    int s = 8, m = f->half / 8;
    for (int i = 1; i < f->passes; i++) {
        float *x = b;
        b = a;
        a = x;
        const int r = f->radix[i];
        m /= r;
        switch (r) {
        case 2: pass2(f->twiddle[i], m, s, a, a + h, b, b + h); break;
        case 3: pass3(f->twiddle[i], m, s, a, a + h, b, b + h); break;
        case 4: pass4(f->twiddle[i], m, s, a, a + h, b, b + h); break;
        case 5: pass5(f->twiddle[i], m, s, a, a + h, b, b + h); break;
        default: pass8(f->twiddle[i], m, s, a, a + h, b, b + h); break;
        }
        s *= r;
    }
    return b;
}

enum { ROOM = 2 * (AX_FFT_MAX / 2 + 8) };

static void forward(const struct ax_fft *f, const float *restrict x, float *restrict out)
{
    float a[ROOM], b[ROOM];
    const int n = f->half, h = f->stride;
    for (int i = 0; i < n; i++) {
        a[i] = x[2 * i];
        a[h + i] = x[2 * i + 1];
    }
    float *z = complex_forward(f, a, b);
    z[n] = z[0], z[h + n] = z[h];
    const float *c = f->split, *s = f->split + h;
    for (int k = 0; k <= n; k++) {
        const float er = 0.5f * (z[k] + z[n - k]), ei = 0.5f * (z[h + k] - z[h + n - k]);
        const float or = 0.5f * (z[h + k] + z[h + n - k]), oi = 0.5f * (z[n - k] - z[k]);
        out[k] = er + or * c[k] - oi * s[k];
        out[h + k] = ei + or * s[k] + oi * c[k];
    }
    for (int k = n + 1; k < h; k++)
        out[k] = out[h + k] = 0.0f;
}

static void inverse(const struct ax_fft *f, const float *restrict in, float *restrict x)
{
    float a[ROOM], b[ROOM];
    const int n = f->half, h = f->stride;
    const float *c = f->split, *s = f->split + h;
    const float scale = 0.5f / (float)n;
    /* The inverse is the forward transform with the parts exchanged. */
    for (int k = 0; k < n; k++) {
        const float er = in[k] + in[n - k], ei = in[h + k] - in[h + n - k];
        const float dr = in[k] - in[n - k], di = in[h + k] + in[h + n - k];
        const float or = dr * c[k] + di * s[k], oi = di * c[k] - dr * s[k];
        a[h + k] = (er - oi) * scale;
        a[k] = (ei + or) * scale;
    }
    const float *z = complex_forward(f, a, b);
    for (int i = 0; i < n; i++) {
        x[2 * i] = z[h + i];
        x[2 * i + 1] = z[i];
    }
}

static void predict(const struct ax_kalman *k, float *restrict y, float *restrict residual, float *restrict echo)
{
    const int h = k->stride;
    for (int b = 0; b < h; b += VW) {
        vec yr = {0}, yi = {0}, res = {0}, pow = {0};
        for (int n = 0; n < k->partitions; n++) {
            const float *w = k->w + (size_t)n * 2 * (size_t)h + b, *x = k->x[n] + b;
            const vec wr = V(w), wi = V(w + h), xr = V(x), xi = V(x + h);
            const vec x2 = xr * xr + xi * xi;
            yr += wr * xr - wi * xi;
            yi += wr * xi + wi * xr;
            res += V(k->p + n * h + b) * x2;
            pow += (wr * wr + wi * wi) * x2;
        }
        SET(y + b) = yr, SET(y + h + b) = yi;
        SET(residual + b) = res, SET(echo + b) = pow;
    }
}

static void update(const struct ax_kalman *k, const float *restrict e, const float *restrict gain, float c, float keep, float grow)
{
    const int h = k->stride;
    for (int n = 0; n < k->partitions; n++) {
        float *restrict w = k->w + (size_t)n * 2 * (size_t)h, *restrict p = k->p + (size_t)n * (size_t)h;
        const float *restrict x = k->x[n];
        for (int b = 0; b < h; b += VW) {
            const vec xr = V(x + b), xi = V(x + h + b), er = V(e + b), ei = V(e + h + b), old = V(p + b);
            const vec g = old * V(gain + b);
            const vec wr = V(w + b) + g * (xr * er + xi * ei), wi = V(w + h + b) + g * (xr * ei - xi * er);
            SET(w + b) = wr, SET(w + h + b) = wi;
            SET(p + b) = keep * (old - c * old * g * (xr * xr + xi * xi)) + grow * (wr * wr + wi * wi);
        }
    }
}

static void bend(const float *restrict x, float knot, float emphasis, float *restrict out, int n)
{
    for (int i = 0; i < n; i++) {
        float now = x[i + 1] > knot ? knot : x[i + 1], before = x[i] > knot ? knot : x[i];
        now = now < -knot ? -knot : now;
        before = before < -knot ? -knot : before;
        out[i] = (x[i + 1] - now) - emphasis * (x[i] - before);
    }
}

static void phase(const float *restrict in, int stride, float floor, float *restrict out, int n)
{
    for (int k = 0; k < n; k++) {
        const float re = in[k], im = in[stride + k];
        const float g = 1.0f / (sqrtf(re * re + im * im) + floor);
        out[k] = re * g;
        out[n + k] = im * g;
    }
}

static void attenuate(float *restrict e, const float *restrict e2, const float *restrict rest, float *restrict clean,
                      const float *restrict hiss, const float *restrict dice, float least, int stride)
{
    for (int k = 0; k < stride; k++) {
        const float over = e2[k] - rest[k], q = 0.4f * clean[k] + 0.6f * (over > 0.0f ? over : 0.0f);
        float g = q / (q + rest[k] + 1e-12f);
        g = g > least ? g : least;
        const float g2 = g * g, fill = (1.0f - g2) * hiss[k], amplitude = sqrtf(fill > 0.0f ? fill : 0.0f);
        clean[k] = g2 * e2[k];
        e[k] = g * e[k] + amplitude * dice[k];
        e[stride + k] = g * e[stride + k] + amplitude * dice[stride + k];
    }
}

static float dot(const float *a, const float *b, int n)
{
    vec sum0 = {0}, sum1 = {0};
    int i = 0;
    for (; i + 2 * VW <= n; i += 2 * VW) {
        sum0 += V(a + i) * V(b + i);
        sum1 += V(a + i + VW) * V(b + i + VW);
    }
    sum0 += sum1;
    float sum = 0.0f;
    for (int j = 0; j < VW; j++)
        sum += sum0[j];
    for (; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void correlate(float *restrict acc, const float *restrict x, const float *restrict d, float keep, int n, int stride)
{
    for (int b = 0; b < n; b += VW) {
        const vec xr = V(x + b), xi = V(x + stride + b), dr = V(d + b), di = V(d + stride + b);
        SET(acc + b) = keep * V(acc + b) + xr * dr + xi * di;
        SET(acc + stride + b) = keep * V(acc + stride + b) + xr * di - xi * dr;
    }
}

static void correlate2(float *restrict acc, const float *restrict x, const float *restrict d, const float *restrict y,
                       const float *restrict e, float keep, int n, int stride)
{
    for (int b = 0; b < n; b += VW) {
        const vec xr = V(x + b), xi = V(x + stride + b), dr = V(d + b), di = V(d + stride + b);
        const vec yr = V(y + b), yi = V(y + stride + b), er = V(e + b), ei = V(e + stride + b);
        const vec re = keep * V(acc + b) + xr * dr + xi * di, im = keep * V(acc + stride + b) + xr * di - xi * dr;
        SET(acc + b) = keep * re + yr * er + yi * ei;
        SET(acc + stride + b) = keep * im + yr * ei - yi * er;
    }
}

const struct ax_dsp AX_DSP_VARIANT = {
    .name = AX_DSP_NAME,
    .forward = forward,
    .inverse = inverse,
    .predict = predict,
    .update = update,
    .bend = bend,
    .phase = phase,
    .attenuate = attenuate,
    .dot = dot,
    .correlate = correlate,
    .correlate2 = correlate2,
};
