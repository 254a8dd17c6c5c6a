/* The noise suppressor: what it leaves alone, what it takes, its variants against each other, and that bad input changes
 * nothing. Signals are seeded; nothing depends on the machine's speed. */
#include "ax/aec.h"
#include "ax/err.h"
#include "ax/ns.h"
#include "../audio/ax_ns_internal.h"
#include "ax_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

enum { MOST = 480, SECONDS = 6 };

static const int RATES[4] = {8000, 16000, 32000, 48000};

static uint32_t seed = 1;

static float hiss(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed * (1.0f / 2147483648.0f);
}

static struct ax_ns *make(int rate, float db)
{
    struct ax_ns *n = NULL;
    const struct ax_ns_spec spec = {.rate = rate, .max_attenuation_db = db};
    CHECK_EQ(ax_ns_new(&n, &spec), AX_OK);
    CHECK_EQ(ax_ns_frame(n), rate / 100);
    return n;
}

/* Like a voice: harmonics of 140 Hz that come and go in syllables. */
static float voice(int i, int rate)
{
    const double t = (double)i / rate, beat = sin(2 * PI * 2.3 * t);
    double sum = 0.0;
    for (int k = 1; k < 20; k++)
        sum += sin(2 * PI * (140 + 12 * sin(2 * PI * 0.7 * t)) * k * t + k) / k;
    return (float)(beat > 0 ? 0.15 * beat * sum : 0.0);
}

static double energy(const float *x, int n)
{
    double sum = 1e-15;
    for (int i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static void test_arguments(void)
{
    struct ax_ns *n = NULL;
    struct ax_ns_spec spec = {.rate = 16000, .max_attenuation_db = 30};
    CHECK_EQ(ax_ns_new(NULL, &spec), AX_E_ARG);
    CHECK_EQ(ax_ns_new(&n, NULL), AX_E_ARG);
    spec.rate = 44100;
    CHECK_EQ(ax_ns_new(&n, &spec), AX_E_RANGE);
    spec.rate = 16000;
    const float wrong[4] = {-0.1f, 60.1f, NAN, INFINITY};
    for (int i = 0; i < 4; i++) {
        spec.max_attenuation_db = wrong[i];
        CHECK_EQ(ax_ns_new(&n, &spec), AX_E_RANGE);
    }
    CHECK(n == NULL);
    ax_ns_free(NULL);
    n = make(16000, 30);
    int16_t x[MOST] = {0};
    float f[MOST] = {0};
    CHECK_EQ(ax_ns_process_i16(NULL, x, x), AX_E_ARG);
    CHECK_EQ(ax_ns_process_i16(n, NULL, x), AX_E_ARG);
    CHECK_EQ(ax_ns_process_f32(n, f, NULL), AX_E_ARG);
    CHECK_EQ(ax_ns_set_level(n, 9), AX_E_RANGE);
    CHECK_EQ(ax_ns_set_level(NULL, 0), AX_E_ARG);
    CHECK(ax_ns_size(n) > sizeof(struct ns_core));
    ax_ns_free(n);
}

/* The greatest difference. Not by fmax: gcc 12 for aarch64 breaks down when it makes vectors of that. */
static float apart(const float *a, const float *b, int n)
{
    float worst = 0.0f;
    for (int i = 0; i < n; i++)
        if (fabsf(a[i] - b[i]) > worst)
            worst = fabsf(a[i] - b[i]);
    return worst;
}

/* With nothing to take, what comes out is what came in, and so late as is said: at most 6 ms. */
static void test_nothing_to_take_is_a_delay(int rate)
{
    struct ax_ns *n = make(rate, 0);
    const int frame = rate / 100, late = ax_ns_latency(n), all = 50 * frame;
    float *x = calloc((size_t)all, sizeof *x), *y = calloc((size_t)all, sizeof *y);
    CHECK(late * 1000 <= 6 * rate);
    if (x != NULL && y != NULL) {
        for (int i = 0; i < all; i++)
            x[i] = 0.3f * hiss();
        for (int i = 0; i < all; i += frame)
            CHECK_EQ(ax_ns_process_f32(n, x + i, y + i), AX_OK);
        CHECK(apart(y + late, x, all - late) < 2e-5f);
        CHECK(fabs((double)ax_ns_attenuation_db(n)) < 0.01);
    }
    free(x);
    free(y);
    ax_ns_free(n);
}

/* Steady noise goes down, by no more than was allowed; a voice without noise stays. */
static void test_noise_goes_and_voice_stays(int rate)
{
    const int frame = rate / 100;
    float x[MOST], y[MOST];
    double in = 0.0, out = 0.0;
    struct ax_ns *n = make(rate, 20);
    for (int t = 0; t < SECONDS * 100; t++) {
        for (int i = 0; i < frame; i++)
            x[i] = 0.01f * hiss();
        CHECK_EQ(ax_ns_process_f32(n, x, y), AX_OK);
        if (t > 300) {
            in += energy(x, frame);
            out += energy(y, frame);
        }
    }
    const double down = 10 * log10(in / out);
    CHECK(down > 12);
    CHECK(down < 20.5);
    ax_ns_reset(n);
    in = out = 0.0;
    for (int t = 0; t < SECONDS * 100; t++) {
        for (int i = 0; i < frame; i++)
            x[i] = voice(t * frame + i, rate);
        CHECK_EQ(ax_ns_process_f32(n, x, y), AX_OK);
        in += energy(x, frame);
        out += energy(y, frame);
    }
    CHECK(fabs(10 * log10(in / out)) < 0.5);
    ax_ns_free(n);
}

/* One step of the network by both variants, from random states. */
static void test_network_variants(void)
{
    static struct ns_net one, two;
    struct ax_ns *n = make(16000, 30);
    if (ax_ns_set_level(n, 1) == AX_OK) {
        ns_step *fast = ax_ns_core(n)->step;
        for (int t = 0; t < 200; t++) {
            const int bands = t % 2 ? 32 : 23;
            for (int f = 0; f < NS_FEATURES; f++)
                for (int b = 0; b < NS_ROW; b++)
                    one.feature[f][b] = 4.0f * hiss();
            for (int s = 0; s < NS_STATES; s++)
                for (int b = 0; b < NS_ROW; b++)
                    one.state[s][b] = hiss();
            two = one;
            ns_step_generic(&ns_weights, &one, bands);
            fast(&ns_weights, &two, bands);
            for (int i = 0; i < 2; i++)
                CHECK(apart(one.gain[i], two.gain[i], bands) < 1e-4f);
            for (int k = 0; k < NS_STATES; k++)
                CHECK(apart(one.state[k] + NS_PAD, two.state[k] + NS_PAD, bands) < 1e-4f);
        }
    }
    ax_ns_free(n);
}

static void test_variants_agree(int rate)
{
    struct ax_ns *one = make(rate, 30), *two = make(rate, 30);
    const int frame = rate / 100;
    float x[MOST], y[MOST], z[MOST];
    CHECK_EQ(ax_ns_set_level(one, 0), AX_OK);
    for (int t = 0; t < 300; t++) {
        for (int i = 0; i < frame; i++)
            x[i] = voice(t * frame + i, rate) + 0.02f * hiss();
        CHECK_EQ(ax_ns_process_f32(one, x, y), AX_OK);
        CHECK_EQ(ax_ns_process_f32(two, x, z), AX_OK);
        CHECK(apart(y, z, frame) < 1e-3f);
    }
    ax_ns_free(one);
    ax_ns_free(two);
}

static void test_bad_samples_change_nothing(void)
{
    struct ax_ns *one = make(16000, 30), *two = make(16000, 30);
    float x[160], y[160], z[160], bad[160];
    const float wrong[4] = {NAN, INFINITY, -8.1f, 1e30f};
    for (int t = 0; t < 60; t++) {
        for (int i = 0; i < 160; i++)
            x[i] = 0.1f * hiss();
        memcpy(bad, x, sizeof bad);
        bad[t] = wrong[t % 4];
        memcpy(z, x, sizeof z);
        CHECK_EQ(ax_ns_process_f32(two, bad, z), AX_E_RANGE);
        CHECK(memcmp(z, x, sizeof z) == 0);
        CHECK_EQ(ax_ns_process_f32(one, x, y), AX_OK);
        CHECK_EQ(ax_ns_process_f32(two, z, z), AX_OK); /* In place. */
        CHECK(memcmp(y, z, sizeof y) == 0);
    }
    ax_ns_free(one);
    ax_ns_free(two);
}

/* Silence, denormals, full scale, one sample: all stays finite, and after a reset nothing is left of it. */
static void test_hostile_signals(void)
{
    struct ax_ns *n = make(16000, 60), *fresh = make(16000, 60);
    float x[160], y[160], z[160];
    for (int t = 0; t < 800; t++) {
        for (int i = 0; i < 160; i++)
            switch (t / 100) {
            case 0: x[i] = 0.0f; break;
            case 1: x[i] = 1e-40f * (float)(i + 1); break;
            case 2: x[i] = i & 1 ? 8.0f : -8.0f; break;
            case 3: x[i] = i == 0 && t % 9 == 0 ? 1.0f : 0.0f; break;
            case 4: x[i] = 1.0f; break;
            case 5: x[i] = 1e-20f * hiss(); break;
            default: x[i] = hiss() * (t % 50 < 25 ? 8.0f : 0.0f); break;
            }
        CHECK_EQ(ax_ns_process_f32(n, x, y), AX_OK);
        for (int i = 0; i < 160; i++)
            CHECK(isfinite(y[i]) && fabsf(y[i]) < 40.0f);
        CHECK(isfinite(ax_ns_attenuation_db(n)));
    }
    ax_ns_reset(n);
    for (int t = 0; t < 50; t++) {
        for (int i = 0; i < 160; i++)
            x[i] = 0.1f * hiss();
        CHECK_EQ(ax_ns_process_f32(n, x, y), AX_OK);
        CHECK_EQ(ax_ns_process_f32(fresh, x, z), AX_OK);
        CHECK(memcmp(y, z, sizeof y) == 0);
    }
    ax_ns_free(n);
    ax_ns_free(fresh);
}

static void test_integers_equal_floats(void)
{
    struct ax_ns *one = make(16000, 30), *two = make(16000, 30);
    int16_t x[160], y[160];
    float f[160], g[160];
    for (int t = 0; t < 100; t++) {
        for (int i = 0; i < 160; i++) {
            x[i] = (int16_t)(3000 * hiss());
            f[i] = (float)x[i] / 32768.0f;
        }
        CHECK_EQ(ax_ns_process_i16(one, x, y), AX_OK);
        CHECK_EQ(ax_ns_process_f32(two, f, g), AX_OK);
        for (int i = 0; i < 160; i++)
            CHECK(fabsf((float)y[i] - 32768.0f * g[i]) <= 0.51f);
    }
    ax_ns_free(one);
    ax_ns_free(two);
}

/* Behind a canceller: its delay only, and the same noise is taken. */
static void test_chain(int rate)
{
    struct ax_aec *a = NULL, *b = NULL, *filter = NULL;
    struct ax_aec_spec spec = {.rate = rate, .tail_ms = 100, .mode = AX_AEC_FULL};
    CHECK_EQ(ax_aec_new(&a, &spec), AX_OK);
    CHECK_EQ(ax_aec_new(&b, &spec), AX_OK);
    spec.mode = AX_AEC_FILTER;
    CHECK_EQ(ax_aec_new(&filter, &spec), AX_OK);
    struct ax_ns *n = make(rate, 20), *other = make(rate == 16000 ? 8000 : 16000, 20);
    const int frame = rate / 100, late = ax_aec_latency(a);
    float x[MOST], y[MOST];
    const float quiet[MOST] = {0};
    CHECK_EQ(ax_aec_chain(NULL, n), AX_E_ARG);
    CHECK_EQ(ax_aec_chain(a, other), AX_E_RANGE);
    CHECK_EQ(ax_aec_chain(filter, n), AX_E_RANGE);
    CHECK_EQ(ax_aec_chain(a, n), AX_OK);
    CHECK_EQ(ax_aec_chain(a, n), AX_OK);
    CHECK_EQ(ax_aec_chain(b, n), AX_E_STATE);
    CHECK_EQ(ax_ns_process_f32(n, quiet, y), AX_E_STATE);
    CHECK_EQ(ax_aec_latency(a), late);
    double in = 0.0, out = 0.0;
    for (int t = 0; t < SECONDS * 100; t++) {
        for (int i = 0; i < frame; i++)
            x[i] = 0.01f * hiss();
        CHECK_EQ(ax_aec_process_f32(a, x, quiet, y), AX_OK);
        if (t > 300) {
            in += energy(x, frame);
            out += energy(y, frame);
        }
    }
    CHECK(10 * log10(in / out) > 12);
    CHECK(ax_ns_attenuation_db(n) > 6);
    ax_aec_reset(a);
    CHECK_EQ(ax_aec_chain(a, NULL), AX_OK);
    CHECK_EQ(ax_ns_process_f32(n, quiet, y), AX_OK);
    CHECK_EQ(ax_aec_chain(b, n), AX_OK);
    ax_aec_free(b); /* Lets it go. */
    CHECK_EQ(ax_ns_process_f32(n, quiet, y), AX_OK);
    ax_aec_free(a);
    ax_aec_free(filter);
    ax_ns_free(n);
    ax_ns_free(other);
}

/* Networks that are sure of one band only: the talker is in all others, or nowhere. */
static void but_one(const struct ns_weights *w, struct ns_net *net, int bands)
{
    (void)w;
    for (int b = 0; b < bands; b++)
        net->gain[0][b] = net->gain[1][b] = b == 12 ? 0.0f : 0.9f;
}

static void nowhere(const struct ns_weights *w, struct ns_net *net, int bands)
{
    (void)w;
    for (int b = 0; b < bands; b++)
        net->gain[0][b] = net->gain[1][b] = 0.0f;
}

static void lowest(const struct ns_weights *w, struct ns_net *net, int bands)
{
    (void)w;
    for (int b = 0; b < bands; b++)
        net->gain[0][b] = net->gain[1][b] = b < 1 ? 0.1f : 0.6f;
}

/* While nothing has been noise for certain, no band above 300 Hz goes down by more than 12 dB; then by what is allowed. */
static void test_doubt_bounds_what_is_taken(void)
{
    static struct ns_core core;
    float first[NS_SPECTRUM], second[NS_SPECTRUM];
    ns_core_init(&core, NS_BINS, NS_SPECTRUM / 2, 30.0f, but_one);
    for (int t = 0; t < 700; t++) {
        if (t == 200)
            core.step = nowhere;
        if (t == 300)
            core.step = but_one;
        for (int k = 0; k < NS_SPECTRUM; k++)
            first[k] = second[k] = k % (NS_SPECTRUM / 2) < NS_BINS ? 0.1f : 0.0f;
        ns_core_frame(&core, first, second);
        const float sure = core.net.gain[0][12], low = core.net.gain[0][0];
        if (t < 200 || t == 699)
            CHECK(fabsf(sure - 0.25f) < 1e-3f);
        if (t > 220 && t < 310)
            CHECK(sure < 0.033f && sure > 0.031f);
        if (t > 200 && t < 300)
            CHECK(low < 0.033f);
    }
}

/* In doubt and with rumble (a network that takes the lowest bands only), a gain is the mean of the root and the fourth root of the network's; without
 * rumble it is the network's. */
static void test_wind_takes_less(void)
{
    for (int rumbles = 0; rumbles < 2; rumbles++) {
        static struct ns_core core;
        float first[NS_SPECTRUM], second[NS_SPECTRUM];
        ns_core_init(&core, NS_BINS, NS_SPECTRUM / 2, 30.0f, lowest);
        for (int t = 0; t < 300; t++) {
            for (int k = 0; k < NS_SPECTRUM; k++)
                first[k] = second[k] = k % (NS_SPECTRUM / 2) < 2 ? (float)rumbles : k % (NS_SPECTRUM / 2) < NS_BINS ? 0.01f : 0.0f;
            ns_core_frame(&core, first, second);
        }
        CHECK(rumbles ? core.low.amount > 0.9f : core.low.amount == 0.0f);
        CHECK(fabsf(core.net.gain[0][20] - (rumbles ? 0.827f : 0.6f)) < 1e-2f);
    }
}

/* The high pass alone: the curve of 1.9 at 250 Hz (1.41 would be Butterworth's), at both rates of the core; and what comes
 * in where it is not heard. */
static void test_high_pass(int rate)
{
    static struct ns_core core;
    const int hop = rate / 100;
    const float hertz[4] = {62.5f, 125, 250, 1500};
    for (int j = 0; j < 8; j++) {
        double in = 0.0, out = 0.0;
        ns_core_init(&core, hop + 1, (hop + 8) / 8 * 8, 30.0f, ns_step_generic);
        core.low.amount = core.low.last = j < 4 ? 1.0f : 0.0f;
        for (int t = 0; t < 100; t++) {
            float x[160], y[160];
            for (int i = 0; i < hop; i++)
                x[i] = y[i] = sinf((float)(2 * PI * hertz[j % 4] * (t * hop + i) / rate));
            ns_core_low_cut(&core, y, hop);
            if (j >= 4)
                CHECK(memcmp(x, y, (size_t)hop * sizeof *x) == 0);
            in += t < 20 ? 0.0 : energy(x, hop);
            out += t < 20 ? 0.0 : energy(y, hop);
        }
        const double u = pow(hertz[j % 4] / 250.0, 2), left = u * u / ((1 - u) * (1 - u) + 1.9 * 1.9 * u);
        if (j < 4)
            CHECK(fabs(10 * log10(out / in) - 10 * log10(left)) < 0.5);
    }
}

/* Wind below a voice turns it on, and it goes off again in the seconds after it. */
static void test_rumble_calls_for_the_high_pass(int rate)
{
    struct ax_ns *n = make(rate, 20);
    const int frame = rate / 100;
    float x[MOST], y[MOST], slow[2] = {0};
    const float part = 300.0f / (float)rate;
    for (int t = 0; t < 3000; t++) {
        for (int i = 0; i < frame; i++) {
            slow[0] += part * (hiss() - slow[0]);
            slow[1] += part * (slow[0] - slow[1]);
            x[i] = voice(t * frame + i, rate) + (t < 1000 ? 5.0f * slow[1] : 0.001f * hiss());
        }
        CHECK_EQ(ax_ns_process_f32(n, x, y), AX_OK);
        if (t == 999)
            CHECK(ax_ns_core(n)->low.amount > 0.85f);
        if (t == 2999)
            CHECK(ax_ns_core(n)->low.amount < 0.5f);
    }
    ax_ns_free(n);
}

int main(void)
{
    test_arguments();
    test_high_pass(8000);
    test_high_pass(16000);
    test_doubt_bounds_what_is_taken();
    test_wind_takes_less();
    test_network_variants();
    for (int i = 0; i < 4; i++) {
        test_nothing_to_take_is_a_delay(RATES[i]);
        test_noise_goes_and_voice_stays(RATES[i]);
        test_variants_agree(RATES[i]);
        test_rumble_calls_for_the_high_pass(RATES[i]);
        test_chain(RATES[i]);
    }
    test_bad_samples_change_nothing();
    test_hostile_signals();
    test_integers_equal_floats();
    return ax_test_done();
}
