/* The echo canceller on rooms made of a few lines: transforms against a plain sum, variants against each other, and what a
 * door station needs of it. Signals are seeded; nothing depends on the machine's speed. */
#include "ax/aec.h"
#include "ax/err.h"
#include "../audio/ax_dsp.h"
#include "ax_test.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

enum { RATE = 16000, FRAME = 160, SECOND = RATE, LONG = 8 * SECOND };

static uint32_t seed = 1;

static float noise(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed * (1.0f / 2147483648.0f);
}

/* Like speech: noise with a spectrum that falls, in syllables with pauses. */
static void speak(float *x, int n, uint32_t from, float level)
{
    seed = from;
    float low = 0.0f;
    for (int i = 0; i < n; i++) {
        const double t = (double)i / RATE, beat = sin(2 * PI * (3.1 + (double)(from % 7) * 0.17) * t + from);
        low = 0.85f * low + 0.5f * noise();
        x[i] = level * low * (float)(beat > -0.3 ? 0.3 + beat : 0.0);
    }
}

/* A room of some 60 ms that fades, behind `delay` samples; room 0, 1 and so on differ. */
static void room(const float *x, int n, int delay, uint32_t which, float gain, float *y)
{
    enum { TAPS = 900 };
    float h[TAPS];
    seed = 77 + which;
    for (int i = 0; i < TAPS; i++)
        h[i] = (i == 0 ? 0.6f : 0.15f * noise()) * expf(-(float)i / 130.0f) * gain;
    for (int i = 0; i < n; i++) {
        float sum = 0.0f;
        for (int k = 0; k < TAPS && k <= i - delay; k++)
            sum += h[k] * x[i - delay - k];
        y[i] = sum;
    }
}

static float far[LONG], mic[LONG], out[LONG], near[LONG], other[LONG];

static double energy(const float *x, int from, int to)
{
    double sum = 1e-12;
    for (int i = from; i < to; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static double gain_db(const float *a, const float *b, int from, int to)
{
    return 10 * log10(energy(a, from, to) / energy(b, from, to));
}

static struct ax_aec *make(int rate, int mode)
{
    struct ax_aec *a = NULL;
    const struct ax_aec_spec spec = {.rate = rate, .tail_ms = 200, .mode = mode};
    CHECK_EQ(ax_aec_new(&a, &spec), AX_OK);
    return a;
}

static void run(struct ax_aec *a, int n)
{
    const int frame = ax_aec_frame(a);
    for (int i = 0; i + frame <= n; i += frame)
        CHECK_EQ(ax_aec_process_f32(a, mic + i, far + i, out + i), AX_OK);
}

static void test_transforms(void)
{
    static const int sizes[] = {64, 128, 160, 192, 256, 320, 512, 640, 768, 960};
    float x[AX_FFT_MAX], s[2 * (AX_FFT_MAX / 2 + 8)], back[AX_FFT_MAX];
    for (int level = 0; level < ax_aec_levels(); level++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            const int n = sizes[j];
            const struct ax_dsp *dsp = ax_dsp_variant(level);
            struct ax_fft *f = ax_fft_new(n);
            CHECK(f != NULL);
            if (f == NULL)
                continue;
            for (int i = 0; i < n; i++)
                x[i] = noise();
            dsp->forward(f, x, s);
            double worst = 0.0;
            for (int k = 0; k <= n / 2; k++) {
                double re = 0.0, im = 0.0;
                for (int i = 0; i < n; i++) {
                    re += x[i] * cos(2 * PI * k * i / n);
                    im -= x[i] * sin(2 * PI * k * i / n);
                }
                worst = fmax(worst, hypot(re - s[k], im - s[f->stride + k]));
            }
            CHECK(worst < 2e-5);
            dsp->inverse(f, s, back);
            for (int i = 0; i < n; i++)
                CHECK(fabsf(back[i] - x[i]) < 1e-6f);
            ax_fft_free(f);
        }
    CHECK(ax_fft_new(70) == NULL);
    CHECK(ax_fft_new(2 * AX_FFT_MAX) == NULL);
    CHECK(ax_fft_new(16 * 7) == NULL);
}

static float arena[16][2048];

static void fill(void)
{
    for (int i = 0; i < 16; i++)
        for (int k = 0; k < 2048; k++)
            arena[i][k] = noise();
}

/* Every loop of a variant against the portable one, on the same numbers. */
static void loops(const struct ax_dsp *dsp, float result[8][2048])
{
    const int h = 168;
    memset(result, 0, 8 * sizeof *result);
    float w[2048], p[2048];
    memcpy(w, arena[0], sizeof w);
    for (int i = 0; i < 2048; i++)
        p[i] = arena[1][i] * arena[1][i];
    const float *x[3] = {arena[2], arena[3], arena[4]};
    const struct ax_kalman k = {.w = w, .p = p, .x = x, .partitions = 3, .stride = h};
    dsp->predict(&k, result[0], result[1], result[2]);
    dsp->update(&k, arena[5], p, 0.4f, 0.9f, 0.1f);
    memcpy(result[3], w, sizeof w);
    memcpy(result[4], p, sizeof p);
    dsp->bend(arena[6], 0.3f, 0.85f, result[5], 320);
    dsp->phase(arena[7], h, 1e-3f, result[6], 40);
    result[6][100] = dsp->dot(arena[8], arena[9], 333);
    memcpy(result[7], arena[10], sizeof result[7]);
    dsp->correlate(result[7], arena[11], arena[12], 0.9f, 40, 40);
    float clean[2048];
    memcpy(clean, p, sizeof clean);
    memcpy(result[7] + 600, arena[13], 400 * sizeof(float));
    dsp->attenuate(result[7] + 600, p, p + 200, clean, p + 400, arena[14], 0.02f, h);
    memcpy(result[7] + 1200, clean, (size_t)h * sizeof(float));
    memcpy(result[7] + 1400, arena[15], 80 * sizeof(float));
    dsp->correlate2(result[7] + 1400, arena[11], arena[12], arena[13], arena[14], 0.9f, 40, 40);
    memcpy(result[7] + 1500, arena[15], 80 * sizeof(float)); /* Two steps in one are the two steps. */
    dsp->correlate(result[7] + 1500, arena[11], arena[12], 0.9f, 40, 40);
    dsp->correlate(result[7] + 1500, arena[13], arena[14], 0.9f, 40, 40);
    for (int i = 0; i < 80; i++)
        CHECK(fabsf(result[7][1400 + i] - result[7][1500 + i]) < 1e-5f);
}

static void test_variants_agree(void)
{
    static float plain[8][2048], fast[8][2048];
    fill();
    loops(ax_dsp_variant(0), plain);
    for (int level = 1; level < ax_aec_levels(); level++) {
        loops(ax_dsp_variant(level), fast);
        for (int i = 0; i < 8; i++)
            for (int k = 0; k < 2048; k++)
                CHECK(fabsf(plain[i][k] - fast[i][k]) < 2e-4f * (1.0f + fabsf(plain[i][k])));
    }
    CHECK(ax_dsp_variant(ax_aec_levels()) == NULL);
    CHECK(ax_aec_level_name(ax_aec_levels()) == NULL);
    CHECK(strcmp(ax_aec_level_name(0), "generic") == 0);
}

static void test_arguments(void)
{
    struct ax_aec *a = NULL;
    static const struct ax_aec_spec wrong[] = {
        {.rate = 44100, .tail_ms = 200}, {.rate = 16000, .tail_ms = 19},           {.rate = 16000, .tail_ms = 401},
        {.rate = 0, .tail_ms = 200},     {.rate = 16000, .tail_ms = 200, .mode = 2}, {.rate = 16000, .tail_ms = 200, .mode = -1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_EQ(ax_aec_new(&a, &wrong[i]), AX_E_RANGE);
    CHECK_EQ(ax_aec_new(NULL, &wrong[0]), AX_E_ARG);
    CHECK_EQ(ax_aec_new(&a, NULL), AX_E_ARG);
    CHECK(a == NULL);
    ax_aec_free(NULL);
    a = make(RATE, AX_AEC_FULL);
    int16_t s[FRAME] = {0};
    CHECK_EQ(ax_aec_process_i16(a, NULL, s, s), AX_E_ARG);
    CHECK_EQ(ax_aec_process_f32(a, far, NULL, out), AX_E_ARG);
    CHECK_EQ(ax_aec_set_level(a, 17), AX_E_RANGE);
    CHECK_EQ(ax_aec_set_level(NULL, 0), AX_E_ARG);
    CHECK(ax_aec_size(a) > 100000 && ax_aec_size(a) < 1500000);
    ax_aec_free(a);
}

/* What is refused leaves no trace: two cancellers, of which one is offered bad frames in between, stay equal. */
static void test_bad_samples_change_nothing(void)
{
    static float bad[FRAME], again[LONG];
    struct ax_aec *a = make(RATE, AX_AEC_FULL), *b = make(RATE, AX_AEC_FULL);
    speak(far, 2 * SECOND, 3, 0.1f);
    room(far, 2 * SECOND, 40, 0, 1.0f, mic);
    run(a, 2 * SECOND);
    memcpy(again, out, sizeof again);
    const float poison[] = {NAN, INFINITY, -INFINITY, 9.0f, -8.5f};
    for (int i = 0; i + FRAME <= 2 * SECOND; i += FRAME) {
        memcpy(bad, mic + i, sizeof bad);
        bad[i / FRAME % FRAME] = poison[i / FRAME % 5];
        CHECK_EQ(ax_aec_process_f32(b, bad, far + i, bad), AX_E_RANGE);
        memcpy(bad, far + i, sizeof bad);
        bad[FRAME - 1] = poison[i / FRAME % 5];
        CHECK_EQ(ax_aec_process_f32(b, mic + i, bad, out + i), AX_E_RANGE);
        CHECK_EQ(ax_aec_process_f32(b, mic + i, far + i, out + i), AX_OK);
    }
    CHECK(memcmp(again, out, 2 * SECOND * sizeof *out) == 0);
    ax_aec_reset(b);
    run(b, 2 * SECOND);
    CHECK(memcmp(again, out, 2 * SECOND * sizeof *out) == 0);
    ax_aec_free(a);
    ax_aec_free(b);
}

/* While nothing at all is played, what would come of nothing is not computed: beside one who gets what nobody can hear,
 * and computes it all, before, meanwhile and after. */
static void test_nothing_played_is_nothing_lost(void)
{
    static float again[LONG];
    struct ax_aec *a = make(RATE, AX_AEC_FULL), *b = make(RATE, AX_AEC_FULL);
    const int from = 2 * SECOND, to = 6 * SECOND;
    speak(far, LONG, 5, 0.1f);
    memset(far + from, 0, (size_t)(to - from) * sizeof *far);
    room(far, LONG, 100, 0, 1.0f, mic);
    speak(near, LONG, 9, 0.1f);
    for (int i = 0; i < LONG; i++)
        mic[i] += 1e-4f * noise() + (i > 3 * SECOND && i < 5 * SECOND ? near[i] : 0.0f);
    run(a, LONG);
    memcpy(again, out, sizeof again);
    for (int i = from; i < to; i++)
        far[i] = 1e-14f * noise();
    run(b, LONG);
    float most = 0.0f;
    for (int i = 0; i < LONG; i++)
        most = fmaxf(most, fabsf(out[i] - again[i]));
    CHECK(most < 1e-5f);
    CHECK(gain_db(out, mic, 7 * SECOND, LONG) < -30);
    ax_aec_free(a);
    ax_aec_free(b);
}

static void test_echo_goes(void)
{
    struct ax_aec_status s;
    speak(far, LONG, 5, 0.1f);
    room(far, LONG, 100, 0, 1.0f, mic);
    struct ax_aec *a = make(RATE, AX_AEC_FILTER);
    CHECK_EQ(ax_aec_latency(a), 0);
    ax_aec_get(a, &s);
    CHECK(s.delay_ms == -1.0f && s.erle_db == 0.0f);
    run(a, LONG);
    CHECK(gain_db(mic, out, 4 * SECOND, LONG) > 28.0);
    ax_aec_get(a, &s);
    CHECK(fabsf(s.delay_ms - 100.0f / 16.0f) < 0.2f);
    CHECK(s.erle_db > 25.0f);
    ax_aec_free(a);
    a = make(RATE, AX_AEC_FULL);
    CHECK(ax_aec_latency(a) > 0 && ax_aec_latency(a) <= RATE / 200);
    run(a, LONG);
    CHECK(gain_db(mic, out, SECOND / 2, SECOND) > 20.0);
    CHECK(gain_db(mic, out, 4 * SECOND, LONG) > 38.0);
    ax_aec_get(a, &s);
    CHECK_EQ(s.talking, 0);
    ax_aec_free(a);
}

static void test_talker_is_kept(void)
{
    struct ax_aec_status s;
    speak(far, LONG, 5, 0.1f);
    room(far, LONG, 30, 0, 1.0f, mic);
    speak(near, LONG, 11, 0.06f);
    memset(near, 0, 3 * SECOND * sizeof *near);
    for (int i = 0; i < LONG; i++)
        mic[i] += near[i];
    struct ax_aec *a = make(RATE, AX_AEC_FULL);
    run(a, LONG);
    const int late = ax_aec_latency(a), from = 3 * SECOND + SECOND / 2, to = LONG - FRAME;
    for (int i = 0; i < LONG - late; i++)
        other[i] = out[i + late] - near[i];
    CHECK(gain_db(near, other, from, to) > 14.0); /* Talker over everything else in the output. */
    CHECK(fabs(gain_db(out + late, near, from, to)) < 1.0);
    ax_aec_get(a, &s);
    CHECK_EQ(s.talking, 1);
    ax_aec_free(a);
}

/* Two frames of zeros, as a card gives before its first samples, are no minimum of the room's noise: that noise alone is
 * nobody who talks, and the echo goes. What an unlearnt filter leaves is told as doubt. */
static void test_silence_is_no_room(void)
{
    struct ax_aec_status s;
    speak(far, LONG, 5, 0.1f);
    memset(far, 0, SECOND / 2 * sizeof *far);
    room(far, LONG, 100, 0, 1.0f, mic);
    seed = 9;
    for (int i = 2 * FRAME; i < LONG; i++)
        mic[i] += 1e-3f * noise(); /* -65 dB */
    struct ax_aec *a = make(RATE, AX_AEC_FULL);
    int talking = 0;
    for (int at = 0; at + FRAME <= LONG; at += FRAME) {
        CHECK_EQ(ax_aec_process_f32(a, mic + at, far + at, out + at), AX_OK);
        ax_aec_get(a, &s);
        talking += s.talking;
        if (at == SECOND / 2 + 10 * FRAME)
            CHECK(s.doubt > 0.3f);
    }
    CHECK(talking < 20);
    CHECK(gain_db(mic, out, 4 * SECOND, LONG) > 30.0);
    ax_aec_free(a);
}

/* With nothing from the loudspeaker the output is the microphone, late. */
static void test_transparent(void)
{
    static const int rates[] = {8000, 16000, 32000, 48000};
    for (int mode = AX_AEC_FULL; mode <= AX_AEC_FILTER; mode++)
        for (size_t r = 0; r < 4; r++) {
            struct ax_aec *a = make(rates[r], mode);
            const int late = ax_aec_latency(a), n = SECOND;
            speak(mic, n, 8, 0.2f);
            memset(far, 0, sizeof far);
            run(a, n);
            for (int i = 0; i < n - late; i++)
                other[i] = out[i + late] - mic[i];
            CHECK(gain_db(mic, other, rates[r] / 10, n - late - rates[r] / 50) > 70.0);
            CHECK(late * 1000 <= 5 * rates[r]);
            ax_aec_free(a);
        }
}

static void test_delay_jump(void)
{
    static float moved[LONG];
    /* From, to, and what must be reached in the first second and after it: the second jump falls into a pause. */
    static const int jumps[][4] = {{160, 640, 8, 30}, {100, 791, 5, 10}, {900, 333, 20, 30}};
    for (size_t j = 0; j < 3; j++) {
        struct ax_aec_status s;
        speak(far, LONG, 5, 0.1f);
        room(far, LONG, jumps[j][0], 0, 1.0f, mic);
        room(far, LONG, jumps[j][1], 0, 1.0f, moved);
        memcpy(mic + 5 * SECOND, moved + 5 * SECOND, 3 * SECOND * sizeof *mic);
        struct ax_aec *a = make(RATE, AX_AEC_FULL);
        run(a, LONG);
        CHECK(gain_db(mic, out, 5 * SECOND, 6 * SECOND) > jumps[j][2]);
        CHECK(gain_db(mic, out, 6 * SECOND, LONG) > jumps[j][3]);
        ax_aec_get(a, &s);
        CHECK(fabsf(s.delay_ms - (float)jumps[j][1] / 16.0f) < 0.3f);
        ax_aec_free(a);
    }
}

/* 450 ms are found, although the filter covers 200. */
static void test_long_delay(void)
{
    struct ax_aec_status s;
    speak(far, LONG, 6, 0.1f);
    room(far, LONG, 7200, 0, 1.0f, mic);
    struct ax_aec *a = make(RATE, AX_AEC_FILTER);
    run(a, LONG);
    ax_aec_get(a, &s);
    CHECK(fabsf(s.delay_ms - 450.0f) < 0.3f);
    CHECK(gain_db(mic, out, 5 * SECOND, LONG) > 25.0);
    ax_aec_free(a);
}

/* As a clock hears it that is faster by `ppm` and set back by `late` samples (x is smooth enough for a cubic). */
static void drift(const float *x, int n, double ppm, double late, float *y)
{
    for (int i = 0; i < n; i++) {
        const double at = i * (1 - ppm * 1e-6) - late;
        const int k = (int)floor(at);
        const float t = (float)(at - k);
        if (k < 1 || k + 2 >= n) {
            y[i] = 0.0f;
            continue;
        }
        const float a = x[k - 1], b = x[k], c = x[k + 1], d = x[k + 2];
        y[i] = b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
    }
}

static void test_drift(void)
{
    static const double ppms[] = {60, -60, 100};
    for (size_t j = 0; j < 3; j++) {
        struct ax_aec_status s;
        speak(far, LONG, 5, 0.1f);
        for (int i = LONG - 1; i > 0; i--)
            far[i] = 0.5f * (far[i] + far[i - 1]);
        room(far, LONG, 40, 0, 1.0f, other);
        drift(other, LONG, ppms[j], j == 1 ? 2000 : 0, mic);
        struct ax_aec *a = make(RATE, AX_AEC_FILTER);
        run(a, LONG);
        ax_aec_get(a, &s);
        CHECK(fabs(s.drift_ppm - ppms[j]) < 5.0);
        CHECK(gain_db(mic, out, 5 * SECOND, LONG) > 24.0);
        ax_aec_free(a);
    }
}

/* More than a minute at 180 ppm: a slow clock eats up the delay that was put by, and more is put by. */
static void test_long_drift(void)
{
    static float part[LONG];
    for (int sign = -1; sign <= 1; sign += 2) {
        struct ax_aec_status s;
        struct ax_aec *a = make(RATE, AX_AEC_FILTER);
        double late = sign > 0 ? 500 : 2600;
        for (int round = 0; round < 40; round++) {
            speak(far, 2 * SECOND, 5 + (uint32_t)round, 0.1f);
            for (int i = 2 * SECOND - 1; i > 0; i--)
                far[i] = 0.5f * (far[i] + far[i - 1]);
            const int n = 2 * SECOND;
            memcpy(part, far, (size_t)n * sizeof *part);
            drift(part, n, sign * 180.0, late, mic);
            late += sign * 180e-6 * n;
            run(a, n);
        }
        ax_aec_get(a, &s);
        CHECK(fabs(s.drift_ppm) <= 200.0f && fabs(s.drift_ppm) > 100.0f);
        CHECK(isfinite(s.delay_ms) && s.erle_db > 3.0f);
        ax_aec_free(a);
    }
}

static void test_bent_loudspeaker(void)
{
    static float bent[LONG];
    speak(far, LONG, 5, 0.15f);
    const float clip = (float)sqrt(energy(far, 0, LONG) / LONG);
    for (int i = 0; i < LONG; i++)
        bent[i] = fmaxf(-clip, fminf(clip, far[i]));
    room(bent, LONG, 30, 0, 1.0f, mic);
    struct ax_aec *a = make(RATE, AX_AEC_FILTER);
    run(a, LONG);
    CHECK(gain_db(mic, out, 5 * SECOND, LONG) > 18.0); /* A linear filter stops at about ten. */
    ax_aec_free(a);
}

static void test_path_change(void)
{
    static float moved[LONG];
    speak(far, LONG, 5, 0.1f);
    room(far, LONG, 30, 0, 1.0f, mic);
    room(far, LONG, 30, 3, 0.8f, moved);
    memcpy(mic + 5 * SECOND, moved + 5 * SECOND, 3 * SECOND * sizeof *mic);
    struct ax_aec *a = make(RATE, AX_AEC_FULL);
    run(a, LONG);
    CHECK(gain_db(mic, out, 5 * SECOND, 6 * SECOND) > 20.0);
    CHECK(gain_db(mic, out, 6 * SECOND, LONG) > 30.0);
    ax_aec_free(a);
}

/* Loud, clipped, alternating, constant: whatever comes, the output is finite and no louder than the input by much. */
static void test_hostile_signals(void)
{
    for (int kind = 0; kind < 6; kind++) {
        struct ax_aec *a = make(RATE, AX_AEC_FULL);
        seed = 4;
        for (int i = 0; i < 3 * SECOND; i++) {
            const float n = noise(), sine = (float)sin(i * 0.1);
            far[i] = kind == 0 ? 8.0f : kind == 1 ? (i & 1 ? 8.0f : -8.0f) : kind == 2 ? 8 * n : kind == 3 ? sine : 1e-30f * n;
            mic[i] = kind == 0 ? -8.0f : kind == 1 ? 8 * n : kind == 2 ? (i % 999 ? 0.0f : 8.0f) : kind == 3 ? -sine : 1e-25f * n;
            if (kind == 5 && i > SECOND)
                far[i] = mic[i] = 0.0f;
        }
        run(a, 3 * SECOND);
        for (int i = 0; i < 3 * SECOND; i++)
            CHECK(isfinite(out[i]) && fabsf(out[i]) < 200.0f);
        ax_aec_free(a);
    }
}

/* Sounds that fade into silence end in numbers that are too small to be normal, which cost a hundred times as much: none
 * comes out, and the caller's arithmetic still has them. */
static void test_no_denormals(void)
{
    speak(far, LONG, 5, 0.1f);
    room(far, LONG, 100, 0, 1.0f, mic);
    for (int i = 2 * SECOND; i < LONG; i++) {
        const float fade = expf(-(float)(i - 2 * SECOND) * 0.002f); /* Down to 1e-45 within 3 s. */
        far[i] *= fade;
        mic[i] *= fade;
    }
    for (int mode = AX_AEC_FULL; mode <= AX_AEC_FILTER; mode++) {
        struct ax_aec *a = make(RATE, mode);
        int tiny = 0;
        run(a, LONG);
        for (int i = 0; i < LONG; i++)
            tiny += fpclassify(out[i]) == FP_SUBNORMAL;
        CHECK_EQ(tiny, 0);
        volatile float least = 1.2e-38f;
        CHECK(least * 0.5f > 0.0f);
        ax_aec_free(a);
    }
}

static void test_rates(void)
{
    static const int rates[] = {8000, 32000, 48000};
    for (size_t r = 0; r < 3; r++) {
        struct ax_aec *a = make(rates[r], AX_AEC_FULL);
        speak(far, LONG, 5, 0.1f);
        room(far, LONG, 30, 0, 1.0f, mic);
        run(a, LONG);
        CHECK(gain_db(mic, out, LONG / 2, LONG) > 25.0);
        ax_aec_free(a);
    }
}

static void test_integers_equal_floats(void)
{
    struct ax_aec *a = make(RATE, AX_AEC_FULL), *b = make(RATE, AX_AEC_FULL);
    speak(far, SECOND, 5, 0.1f);
    room(far, SECOND, 30, 0, 1.0f, mic);
    for (int i = 0; i < SECOND; i += FRAME) {
        int16_t m[FRAME], r[FRAME];
        for (int k = 0; k < FRAME; k++) {
            m[k] = (int16_t)lrintf(mic[i + k] * 32768), r[k] = (int16_t)lrintf(far[i + k] * 32768);
            mic[i + k] = m[k] / 32768.0f, far[i + k] = r[k] / 32768.0f;
        }
        CHECK_EQ(ax_aec_process_i16(a, m, r, m), AX_OK);
        CHECK_EQ(ax_aec_process_f32(b, mic + i, far + i, out + i), AX_OK);
        for (int k = 0; k < FRAME; k++)
            CHECK(fabsf(m[k] - out[i + k] * 32768) < 0.51f);
    }
    ax_aec_free(a);
    ax_aec_free(b);
}

int main(void)
{
    test_transforms();
    test_variants_agree();
    test_arguments();
    test_bad_samples_change_nothing();
    test_nothing_played_is_nothing_lost();
    test_echo_goes();
    test_talker_is_kept();
    test_silence_is_no_room();
    test_transparent();
    test_delay_jump();
    test_long_delay();
    test_drift();
    test_long_drift();
    test_bent_loudspeaker();
    test_path_change();
    test_hostile_signals();
    test_no_denormals();
    test_rates();
    test_integers_equal_floats();
    return ax_test_done();
}
