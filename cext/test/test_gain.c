/* Limiter, mixer, gain, volume, level, voice and comfort noise: nothing clips, levels settle, bad input changes nothing. */
#include "ax/agc.h"
#include "ax/comfort.h"
#include "ax/level.h"
#include "ax/limit.h"

#include "ax/err.h"
#include "ax_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t RATES[5] = {8000, 16000, 32000, 44100, 48000};

static int16_t frame[480], out[480];
static uint32_t seed = 1;

static double noise(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (double)(int32_t)seed / 2147483648.0;
}

/* Noise in syllables: 160 ms of sound, 80 ms of almost none, as loud as `db` while it sounds. */
static void talk(uint32_t rate, int at, double db)
{
    const double a = 32768 * pow(10, db / 20) * sqrt(3) * (at % 24 < 16 ? 1 : 0.01);
    for (uint32_t i = 0; i < rate / 100; i++) {
        const double y = a * noise();
        frame[i] = (int16_t)(y > 32767 ? 32767 : y < -32768 ? -32768 : y);
    }
}

static double level_of(const int16_t *x, uint32_t n)
{
    double sum = 1e-3;
    for (uint32_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    return 10 * log10(sum / n / 32768 / 32768);
}

static void limiter(uint32_t rate)
{
    struct ax_limit *l = NULL;
    float f[480], g[480];
    CHECK_EQ(ax_limit_new(&l, rate, 0.5f), AX_OK);
    const uint32_t n = ax_limit_frame(l), late = ax_limit_latency(l);
    CHECK_EQ(n, rate / 100);
    CHECK(late <= rate / 800);
    for (int k = 0; k < 300; k++) {
        const float size = (float)(k % 7 == 3 ? 100 * fabs(noise()) : 0.3);
        for (uint32_t i = 0; i < n; i++)
            f[i] = size * (float)noise();
        CHECK_EQ(ax_limit_f32(l, f, g), AX_OK);
        for (uint32_t i = 0; i < n; i++)
            CHECK(fabsf(g[i]) <= 0.5f);
    }
    ax_limit_reset(l);
    for (uint32_t i = 0; i < n; i++)
        frame[i] = (int16_t)(12000 * sin(0.01 * i));
    CHECK_EQ(ax_limit_i16(l, frame, out), AX_OK);
    CHECK(memcmp(frame, out + late, (n - late) * sizeof *out) == 0); /* What is below comes through as it is. */
    const int16_t *three[3] = {frame, frame, frame};
    const float gains[3] = {1, 1, -1.5f}, bad[3] = {1, NAN, 1};
    CHECK_EQ(ax_limit_mix(l, three, bad, 3, out), AX_E_RANGE);
    ax_limit_reset(l);
    CHECK_EQ(ax_limit_mix(l, three, gains, 3, out), AX_OK);
    for (uint32_t i = late; i < n; i++)
        CHECK(abs(out[i] - frame[i - late] / 2) <= 1);
    CHECK_EQ(ax_limit_mix(l, three, NULL, 3, out), AX_OK);
    CHECK_EQ(ax_limit_mix(l, NULL, NULL, 0, out), AX_OK);
    CHECK_EQ(ax_limit_mix(l, three, NULL, 65, out), AX_E_RANGE);
    memcpy(g, f, sizeof g);
    f[3] = NAN;
    CHECK_EQ(ax_limit_f32(l, f, g), AX_E_RANGE);
    CHECK_EQ(ax_limit_f32(l, NULL, g), AX_E_ARG);
    CHECK_EQ(ax_limit_i16(l, frame, NULL), AX_E_ARG);
    ax_limit_free(l);
}

static void agc(uint32_t rate)
{
    static const double LEVELS[4] = {-45, -30, -20, -10};
    const struct ax_agc_spec spec = {rate, -20, 30, -20};
    struct ax_agc *a = NULL;
    CHECK_EQ(ax_agc_new(&a, &spec), AX_OK);
    const uint32_t n = ax_agc_frame(a);
    for (int k = 0; k < 4; k++) {
        ax_agc_reset(a);
        for (int t = 0; t < 500; t++) {
            talk(rate, t, LEVELS[k]);
            CHECK_EQ(ax_agc_i16(a, frame, out), AX_OK);
            for (uint32_t i = 0; i < n; i++)
                CHECK(abs(out[i]) < 32700);
            const int settled = LEVELS[k] > -20 ? 30 : 100; /* 0.3 s down, 1 s up. */
            if (t > settled && t % 24 > 1 && t % 24 < 15)
                CHECK(fabs(level_of(out, n) + 20) < 2);
        }
        CHECK(fabs(ax_agc_gain_db(a) - (-20 - LEVELS[k])) < 1.5);
    }
    float f[480] = {0}, g[480];
    const float before = ax_agc_gain_db(a);
    f[7] = INFINITY;
    CHECK_EQ(ax_agc_f32(a, f, g), AX_E_RANGE);
    CHECK(ax_agc_gain_db(a) == before);
    f[7] = 0.5f;
    CHECK_EQ(ax_agc_f32(a, f, g), AX_OK);
    /* Noise alone is left alone. */
    ax_agc_reset(a);
    for (int t = 0; t < 500; t++) {
        talk(rate, 0, -64);
        CHECK_EQ(ax_agc_i16(a, frame, out), AX_OK);
    }
    CHECK(ax_agc_gain_db(a) == 0);
    CHECK(ax_agc_latency(a) > 0);
    ax_agc_free(a);
}

static void refusals(void)
{
    struct ax_agc *a = NULL;
    struct ax_avc *v = NULL;
    struct ax_limit *l = NULL;
    struct ax_agc_spec spec = {22050, -20, 30, -20};
    struct ax_avc_spec volume = {16000, -55, 12, NAN};
    CHECK_EQ(ax_agc_new(&a, &spec), AX_E_RANGE);
    spec.rate = 8000;
    spec.most_db = NAN;
    CHECK_EQ(ax_agc_new(&a, &spec), AX_E_RANGE);
    CHECK_EQ(ax_agc_new(&a, NULL), AX_E_ARG);
    CHECK_EQ(ax_avc_new(&v, &volume), AX_E_RANGE);
    volume.slope = 0.5f;
    volume.rate = 1;
    CHECK_EQ(ax_avc_new(&v, &volume), AX_E_RANGE);
    CHECK_EQ(ax_limit_new(&l, 8000, 0), AX_E_RANGE);
    CHECK_EQ(ax_limit_new(&l, 8001, 1), AX_E_RANGE);
    CHECK_EQ(ax_limit_new(NULL, 8000, 1), AX_E_ARG);
    ax_agc_free(NULL);
    ax_avc_free(NULL);
}

static void volume(void)
{
    const struct ax_avc_spec spec = {16000, -55, 12, 0.6f};
    struct ax_avc *v = NULL;
    CHECK_EQ(ax_avc_new(&v, &spec), AX_OK);
    CHECK_EQ(ax_avc_frame(v), 160);
    for (int t = 0; t < 1500; t++) { /* A lorry. */
        talk(16000, 0, -40);
        CHECK_EQ(ax_avc_ambient(v, frame), AX_OK);
        memset(frame, 0, sizeof frame);
        CHECK_EQ(ax_avc_play(v, frame, out), AX_OK);
    }
    CHECK(fabsf(ax_avc_noise_db(v) + 40) < 2);
    CHECK(fabsf(ax_avc_gain_db(v) - 9) < 1.5f);
    const float before = ax_avc_noise_db(v);
    for (int t = 0; t < 300; t++) { /* Its own sound is no noise; and it does not clip. */
        talk(16000, 0, -5);
        CHECK_EQ(ax_avc_play(v, frame, out), AX_OK);
        CHECK_EQ(ax_avc_ambient(v, frame), AX_OK);
        for (int i = 0; i < 160; i++)
            CHECK(abs(out[i]) < 32000);
    }
    CHECK(ax_avc_noise_db(v) == before);
    ax_avc_reset(v);
    CHECK(ax_avc_gain_db(v) == 0 && ax_avc_latency(v) == 16);
    ax_avc_free(v);
}

static void level(uint32_t rate)
{
    struct ax_level l;
    int rises = 0, falls = 0;
    CHECK_EQ(ax_level_init(&l, rate, 60), AX_OK);
    for (int t = 0; t < 300; t++) {
        const double a = t >= 100 && t < 200 ? 8000 : 50;
        for (uint32_t i = 0; i < rate / 100; i++)
            frame[i] = (int16_t)(a * sin(2 * M_PI * 1000 * i / rate));
        const int event = ax_level_feed(&l, frame);
        if (event == AX_LEVEL_RISE) {
            rises++;
            CHECK_EQ(t, 100);
        }
        if (event == AX_LEVEL_FALL) {
            falls++;
            CHECK(t > 200 && t < 240);
        }
        if (t == 150)
            CHECK(fabsf(ax_level_get(&l) - (100 + (float)(20 * log10(8000 / 32768.0)) * 1.25f)) < 1);
    }
    CHECK_EQ(rises, 1);
    CHECK_EQ(falls, 1);
    CHECK_EQ(ax_level_set(&l, NAN), AX_E_RANGE);
    CHECK_EQ(ax_level_set(&l, 101), AX_E_RANGE);
    CHECK_EQ(ax_level_init(&l, 1, 50), AX_E_RANGE);
    CHECK_EQ(ax_level_init(&l, rate, 0), AX_OK); /* 0 hears anything. */
    frame[0] = 400;
    CHECK_EQ(ax_level_feed(&l, frame), AX_LEVEL_RISE);
    CHECK_EQ(ax_level_feed(&l, NULL), AX_E_ARG);
}

static void voice(uint32_t rate)
{
    struct ax_vad v;
    int wrong = 0;
    CHECK_EQ(ax_vad_init(&v, rate), AX_OK);
    for (int t = 0; t < 1000; t++) {
        const bool talks = t >= 400 && t < 600;
        talk(rate, 0, talks && t % 24 < 16 ? -30 : -55);
        const int found = ax_vad_feed(&v, frame);
        if ((t > 200 && t < 400) || (t > 410 && t < 590) || t > 640)
            wrong += found != talks;
    }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(ax_vad_init(&v, 11025), AX_E_RANGE);
    CHECK_EQ(ax_vad_init(NULL, 8000), AX_E_ARG);
    CHECK_EQ(ax_vad_feed(NULL, frame), AX_E_ARG);
}

static void comfort(void)
{
    struct ax_comfort c, other;
    uint8_t payload[16];
    double last = 0, want = 0;
    CHECK_EQ(ax_comfort_init(&c, 7), AX_OK);
    CHECK_EQ(ax_comfort_init(&other, 9), AX_OK);
    for (int t = 0; t < 100; t++) {
        for (int i = 0; i < 160; i++) { /* Brown: little of the high. */
            last = 0.9 * last + 200 * noise();
            frame[i] = (int16_t)last;
        }
        want += level_of(frame, 160) / 100;
        CHECK_EQ(ax_comfort_learn(&c, frame, 160), AX_OK);
    }
    CHECK_EQ(ax_comfort_pack(&c, payload, 16), 9);
    CHECK(abs(payload[0] + (int)lrint(want)) <= 1);
    CHECK_EQ(ax_comfort_unpack(&other, payload, 9), AX_OK);
    struct ax_comfort *both[2] = {&c, &other};
    for (int k = 0; k < 2; k++) {
        static int16_t made[16000];
        double now = 0, before = 0;
        CHECK_EQ(ax_comfort_render(both[k], made, 16000), AX_OK);
        CHECK(fabs(level_of(made, 16000) - want) < 1.5);
        for (int i = 1; i < 16000; i++) {
            now += (double)made[i] * made[i];
            before += (double)made[i] * made[i - 1];
        }
        CHECK(before / now > 0.85 && before / now < 0.95); /* Its colour. */
    }
    memset(payload, 255, sizeof payload);
    CHECK_EQ(ax_comfort_unpack(&other, payload, 16), AX_OK);
    CHECK_EQ(ax_comfort_render(&other, out, 480), AX_OK);
    CHECK_EQ(ax_comfort_unpack(&other, payload, 0), AX_E_FORMAT);
    CHECK_EQ(ax_comfort_pack(&c, payload, 8), AX_E_FULL);
    CHECK_EQ(ax_comfort_learn(&c, frame, 79), AX_E_RANGE);
    CHECK_EQ(ax_comfort_init(NULL, 1), AX_E_ARG);
}

int main(void)
{
    for (int i = 0; i < 5; i++) {
        limiter(RATES[i]);
        agc(RATES[i]);
        level(RATES[i]);
        voice(RATES[i]);
    }
    refusals();
    volume();
    comfort();
    return ax_test_done();
}
