/* Siren tones: exact phase, no clicks, variants and blocks that agree, clips, ends, and programs that are refused. */
#include "ax/siren.h"

#include "ax/err.h"
#include "ax_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RATE 48000
#define TAU 6.283185307179586476925
#define HOURS_72 (UINT64_C(72) * 3600 * RATE)
#define N 8192
#define US(ms) ((ms) * 1000u)

static const uint32_t RATES[] = {8000, 16000, 32000, 44100, 48000};
static const struct ax_siren_play PLAIN = {.end = AX_SIREN_ENDLESS, .intensity = 5};
static float sets[1][AX_SIREN_PARTIALS] = {{1, 0, 0.5f, -0.25f}};

/* A slow whoop, a chord that changes with glides and decays, and a bird: all laws, waves and shapes. */
static const struct ax_siren_segment WHOOP[] = {
    {.duration_us = US(3500), .start_mhz = 500000, .end_mhz = 1200000, .attack_us = 5000, .release_us = 5000, .peak = 32768},
    {.duration_us = US(500)},
};
static const struct ax_siren_segment GLIDES[] = {
    {.duration_us = US(100), .start_mhz = 400000, .end_mhz = 400000, .peak = 12000, .wave = AX_SIREN_SAW},
    {.duration_us = 33333, .start_mhz = 400000, .end_mhz = 900500, .peak = 12000, .wave = AX_SIREN_SAW, .law = 1},
    {.duration_us = 66667, .start_mhz = 900500, .end_mhz = 400000, .peak = 12000, .wave = AX_SIREN_SAW},
};
static const struct ax_siren_segment BELLS[] = {
    {.duration_us = US(90), .start_mhz = 700000, .end_mhz = 700000, .attack_us = 1000, .release_us = US(80), .peak = 9000,
     .wave = AX_SIREN_SET, .release = AX_SIREN_DECAY},
    {.duration_us = US(60)},
    {.duration_us = US(50), .start_mhz = 3000000, .end_mhz = 1000000, .attack_us = 2000, .release_us = US(10), .peak = 9000,
     .wave = AX_SIREN_SQUARE, .law = AX_SIREN_EXPONENTIAL},
};
static const struct ax_siren_segment TRIANGLES[] = {
    {.duration_us = US(200), .start_mhz = 310000, .end_mhz = 310000, .peak = 8000, .wave = AX_SIREN_TRIANGLE},
};

static struct ax_siren *tone_of(const struct ax_siren_segment *segments, uint32_t n, uint32_t rate)
{
    const struct ax_siren_voice voice = {segments, n};
    const struct ax_siren_program program = {.voices = &voice, .nvoices = 1, .sets = sets[0], .nsets = 1};
    struct ax_siren *tone = NULL;
    CHECK_EQ(ax_siren_new(&tone, &program, rate), AX_OK);
    return tone;
}

static struct ax_siren *steady(uint32_t mhz, uint32_t rate)
{
    const struct ax_siren_segment s = {.duration_us = US(10), .start_mhz = mhz, .end_mhz = mhz, .peak = AX_SIREN_PEAK};
    return tone_of(&s, 1, rate);
}

static struct ax_siren *everything(uint32_t rate)
{
    const struct ax_siren_voice voices[] = {{GLIDES, 3}, {BELLS, 3}, {TRIANGLES, 1}};
    const struct ax_siren_program program = {.voices = voices, .nvoices = 3, .sets = sets[0], .nsets = 1};
    struct ax_siren *tone = NULL;
    CHECK_EQ(ax_siren_new(&tone, &program, rate), AX_OK);
    return tone;
}

/* sin of a frequency at a position, with the whole turns taken off in integers. */
static double exact(uint64_t mhz, uint32_t rate, uint64_t pos)
{
    const uint64_t cycle = UINT64_C(1000) * rate;
    return sin(TAU * (double)(mhz * pos % cycle) / (double)cycle);
}

static void test_frequency_is_exact_after_72_hours(void)
{
    static const uint32_t TONES[] = {970000, 440001, 1, 3919999, 123457};
    static int16_t out[N];
    static float fine[N];
    for (size_t i = 0; i < sizeof TONES / sizeof *TONES; i++)
        for (size_t r = 0; r < sizeof RATES / sizeof *RATES; r++) {
            struct ax_siren *tone = steady(TONES[i], RATES[r]);
            const uint64_t pos = UINT64_C(72) * 3600 * RATES[r];
            double worst = 0, worst_fine = 0;
            CHECK_EQ(ax_siren_render(tone, &PLAIN, pos, out, N), N);
            CHECK_EQ(ax_siren_render_float(tone, &PLAIN, pos, fine, N), N);
            for (uint32_t j = 0; j < N; j++) {
                worst = fmax(worst, fabs(out[j] - 32767 * exact(TONES[i], RATES[r], pos + j)));
                worst_fine = fmax(worst_fine, fabs((double)fine[j] - exact(TONES[i], RATES[r], pos + j)));
            }
            CHECK(worst < 0.51);
            CHECK(worst_fine < 3e-7);
            ax_siren_free(tone);
        }
}

/* Noise in dB below a full sine; `sweep` gives the cycles after t seconds of a sweep that lasts T. */
static double snr(double (*sweep)(double t, double f0, double f1, double T), double f0, double f1, double T, int law)
{
    const struct ax_siren_segment s[] = {
        {.duration_us = (uint32_t)(T * 1e6), .start_mhz = (uint32_t)(f0 * 1e3), .end_mhz = (uint32_t)(f1 * 1e3),
         .attack_us = 1000, .release_us = 1000, .peak = AX_SIREN_PEAK, .law = (uint8_t)law},
    };
    struct ax_siren *tone = tone_of(s, 1, RATE);
    const uint32_t n = (uint32_t)ax_siren_cycle(tone), edge = RATE / 1000;
    int16_t *out = malloc(n * sizeof *out);
    double noise = 0, signal = 0;
    CHECK(out != NULL);
    CHECK_EQ(ax_siren_render(tone, &PLAIN, HOURS_72 - HOURS_72 % n, out, n), n);
    for (uint32_t j = edge; j < n - edge; j++) {
        const double x = 32767 * sin(TAU * sweep((double)j / RATE, f0, f1, T));
        signal += x * x;
        noise += (out[j] - x) * (out[j] - x);
    }
    free(out);
    ax_siren_free(tone);
    return 10 * log10(signal / noise);
}

static double linear(double t, double f0, double f1, double T)
{
    return f0 * t + (f1 - f0) / T * t * t / 2;
}

static double exponential(double t, double f0, double f1, double T)
{
    return f0 * T / log(f1 / f0) * expm1(log(f1 / f0) * t / T);
}

static void test_sweeps_have_the_noise_of_16_bits(void)
{
    CHECK(snr(linear, 500, 1200, 3.5, AX_SIREN_LINEAR) >= 98.0);
    CHECK(snr(linear, 1200, 500, 1.0, AX_SIREN_LINEAR) >= 98.0);
    CHECK(snr(linear, 20, 20000, 60.0, AX_SIREN_LINEAR) >= 98.0);
    CHECK(snr(exponential, 500, 1200, 3.5, AX_SIREN_EXPONENTIAL) >= 98.0);
    CHECK(snr(exponential, 1200, 500, 1.0, AX_SIREN_EXPONENTIAL) >= 98.0);
    CHECK(snr(exponential, 3000, 8000, 0.05, AX_SIREN_EXPONENTIAL) >= 98.0);
    CHECK(snr(exponential, 20, 20000, 60.0, AX_SIREN_EXPONENTIAL) >= 98.0);
}

static void test_variants_and_blocks_agree(void)
{
    static int16_t whole[N], part[N];
    static float fine[N], fine_part[N];
    const struct ax_siren_play plays[] = {PLAIN, {.end = 5000, .intensity = 3, .dither = true}};
    for (size_t r = 0; r < sizeof RATES / sizeof *RATES; r++)
        for (int what = 0; what < 2; what++) {
            struct ax_siren *tone = what ? tone_of(WHOOP, 2, RATES[r]) : everything(RATES[r]);
            CHECK_EQ(ax_siren_set_level(tone, 0), AX_OK);
            CHECK_EQ(ax_siren_render(tone, &plays[r & 1], 17, whole, N), r & 1 ? 4983 : N);
            CHECK(ax_siren_render_float(tone, &plays[r & 1], 17, fine, N) > 0);
            for (int level = 0; level < ax_siren_levels(); level++) {
                CHECK_EQ(ax_siren_set_level(tone, level), AX_OK);
                uint32_t seed = 1 + (uint32_t)level;
                for (uint32_t done = 0, m; done < N; done += m) {
                    seed = seed * 1664525 + 1013904223;
                    m = seed >> 22;
                    m = m < N - done ? m : N - done;
                    CHECK(ax_siren_render(tone, &plays[r & 1], 17 + done, part + done, m) >= 0);
                    CHECK(ax_siren_render_float(tone, &plays[r & 1], 17 + done, fine_part + done, m) >= 0);
                }
                CHECK(memcmp(whole, part, sizeof whole) == 0);
                CHECK(memcmp(fine, fine_part, sizeof fine) == 0);
                CHECK(ax_siren_level_name(level)[0] != 0);
            }
            ax_siren_free(tone);
        }
}

static void test_no_step_is_steeper_than_the_sound(void)
{
    /* Peak 32767 at 1200 Hz climbs by at most 32767 sin(2 pi 1200 / 48000) in a sample, and the attack adds 1.5 / 240. */
    const double steepest = 32767 * (TAU * 1200 / RATE + 1.5 / 240) + 1;
    static int16_t out[4 * RATE + 1];
    struct ax_siren *tone = tone_of(WHOOP, 2, RATE);
    CHECK_EQ(ax_siren_cycle(tone), 4 * RATE);
    CHECK_EQ(ax_siren_rate(tone), RATE);
    ax_siren_render(tone, &PLAIN, 4 * HOURS_72, out, 4 * RATE + 1);
    int worst = 0, loudest = 0;
    for (uint32_t i = 0; i < 4 * RATE; i++) {
        worst = abs(out[i + 1] - out[i]) > worst ? abs(out[i + 1] - out[i]) : worst;
        loudest = abs(out[i]) > loudest ? abs(out[i]) : loudest;
    }
    CHECK(worst < steepest);
    CHECK(loudest > 32760);
    for (uint32_t i = 7 * RATE / 2; i < 4 * RATE; i++)
        CHECK_EQ(out[i], 0);
    ax_siren_free(tone);
}

static void test_steady_sound_starts_and_ends_softly(void)
{
    static int16_t out[N];
    struct ax_siren *tone = steady(1000000, RATE);
    const struct ax_siren_play play = {.end = 4801, .intensity = 5};
    CHECK_EQ(ax_siren_render(tone, &play, 0, out, N), 4801);
    CHECK(abs(out[0]) < 5);
    CHECK(abs(out[12]) < 1000);
    CHECK(abs(out[4801 - 13]) < 1000);
    CHECK(abs(out[4800]) < 5);
    CHECK(abs(out[2400 + 12]) > 32700);
    for (int i = 4801; i < N; i++)
        CHECK_EQ(out[i], 0);
    CHECK_EQ(ax_siren_render(tone, &play, 4801, out, 10), 0);
    CHECK_EQ(ax_siren_render(tone, &play, 9000, out, 10), 0);
    const struct ax_siren_play brief = {.end = 100, .intensity = 5}; /* Shorter than a fade. */
    CHECK_EQ(ax_siren_render(tone, &brief, 0, out, 200), 100);
    CHECK(abs(out[99]) < 5);
    ax_siren_free(tone);
}

static void test_intensities_are_6_db_apart(void)
{
    static float out[480];
    struct ax_siren *tone = steady(1000000, RATE);
    for (int intensity = 0; intensity <= AX_SIREN_INTENSITIES; intensity++) {
        const struct ax_siren_play play = {.end = AX_SIREN_ENDLESS, .intensity = (uint8_t)intensity};
        float peak = 0;
        ax_siren_render_float(tone, &play, RATE, out, 480);
        for (int i = 0; i < 480; i++)
            peak = fmaxf(peak, out[i]);
        const double expected = intensity ? pow(10, -AX_SIREN_INTENSITY_DB * (5 - intensity) / 20.0) : 0;
        CHECK(fabs((double)peak - expected) < 1e-6);
    }
    ax_siren_free(tone);
}

static void test_clip_is_mixed_and_limited(void)
{
    static int16_t clip_samples[1000], out[4000];
    static float fine[4000];
    for (int i = 0; i < 1000; i++)
        clip_samples[i] = i & 1 ? INT16_MIN : INT16_MAX;
    struct ax_siren *tone = steady(1000000, RATE);
    struct ax_siren_clip clip = {.samples = clip_samples, .start = RATE + 1000, .n = 1000, .gain = 16};
    struct ax_siren_play play = {.end = AX_SIREN_ENDLESS, .intensity = 5, .clip = &clip};
    CHECK_EQ(ax_siren_render(tone, &play, RATE, out, 4000), 4000);
    CHECK_EQ(ax_siren_render_float(tone, &play, RATE, fine, 4000), 4000);
    for (int i = 1000; i < 2000; i++) {
        CHECK(i & 1 ? out[i] < -30000 : out[i] > 30000); /* It never wraps, */
        CHECK(fabsf(fine[i]) <= 1);
    }
    play.intensity = 0;
    clip.gain = 0.5f;
    CHECK_EQ(ax_siren_render(tone, &play, RATE, out, 4000), 4000);
    for (int i = 0; i < 4000; i++) /* and leaves what is not loud as it was. */
        CHECK(i >= 1000 && i < 2000 ? abs(out[i] - clip_samples[i - 1000] / 2) <= 1 : out[i] == 0);
    clip.repeat = true;
    CHECK_EQ(ax_siren_render(tone, &play, RATE, out, 4000), 4000);
    CHECK(abs(out[3999] - clip_samples[999] / 2) <= 1);
    clip.gain = NAN;
    CHECK_EQ(ax_siren_render(tone, &play, 0, out, 4), AX_E_RANGE);
    clip.gain = 17;
    CHECK_EQ(ax_siren_render(tone, &play, 0, out, 4), AX_E_RANGE);
    clip.n = 0;
    CHECK_EQ(ax_siren_render(tone, &play, 0, out, 4), AX_E_ARG);
    ax_siren_free(tone);
}

static void test_dither_is_triangular(void)
{
    static int16_t out[1 << 16];
    const struct ax_siren_segment rest = {.duration_us = US(10)};
    struct ax_siren *tone = tone_of(&rest, 1, RATE);
    const struct ax_siren_play play = {.end = AX_SIREN_ENDLESS, .intensity = 5, .dither = true};
    int counts[3] = {0};
    double sum = 0;
    ax_siren_render(tone, &play, HOURS_72, out, 1 << 16);
    for (int i = 0; i < 1 << 16; i++) {
        CHECK(abs(out[i]) <= 1);
        counts[out[i] + 1]++;
        sum += out[i];
    }
    CHECK(fabs(sum) < 600); /* No offset, */
    CHECK(abs(counts[0] - 8192) < 500 && abs(counts[2] - 8192) < 500); /* an eighth beyond half a step on either side. */
    ax_siren_free(tone);
}

static int refused(const struct ax_siren_segment *segments, uint32_t n, uint32_t rate)
{
    const struct ax_siren_voice voice = {segments, n};
    const struct ax_siren_program program = {.voices = &voice, .nvoices = 1, .sets = sets[0], .nsets = 1};
    struct ax_siren *tone = NULL;
    const int rc = ax_siren_new(&tone, &program, rate);
    CHECK(rc < 0 && tone == NULL);
    return rc;
}

static void test_clicks_are_refused(void)
{
    const struct ax_siren_segment s = {.duration_us = US(50), .start_mhz = 500000, .end_mhz = 500000, .peak = 1000};
    struct ax_siren_segment two[2] = {s, {.duration_us = US(50)}};
    CHECK_EQ(refused(two, 2, RATE), AX_E_FORMAT); /* Sound cut off by silence */
    two[0].release_us = 1000;
    CHECK_EQ(refused(two, 2, RATE), AX_E_FORMAT); /* and cut in. */
    two[0] = two[1] = s;
    two[1].peak = 1001;
    CHECK_EQ(refused(two, 2, RATE), AX_E_FORMAT);
    two[1] = s;
    two[1].wave = AX_SIREN_SAW;
    CHECK_EQ(refused(two, 2, RATE), AX_E_FORMAT);
    two[1] = s;
    two[1].attack_us = 1000;
    CHECK_EQ(refused(two, 2, RATE), AX_E_FORMAT);
}

static void test_numbers_out_of_range_are_refused(void)
{
    const struct ax_siren_segment good = {.duration_us = US(50), .start_mhz = 500000, .end_mhz = 500000, .peak = 1000};
    struct ax_siren_segment s = good;
    CHECK_EQ(refused(&s, 1, 11025), AX_E_RANGE);
    CHECK_EQ(refused(&s, 0, RATE), AX_E_RANGE);
    CHECK_EQ(refused(NULL, 1, RATE), AX_E_RANGE);
    CHECK_EQ(refused(&s, AX_SIREN_SEGMENTS + 1, RATE), AX_E_RANGE);
#define REFUSE(field, value)                                                                                           \
    do {                                                                                                               \
        s = good;                                                                                                      \
        s.field = (value);                                                                                             \
        CHECK_EQ(refused(&s, 1, RATE), AX_E_RANGE);                                                                    \
    } while (0)
    REFUSE(duration_us, 999);
    REFUSE(duration_us, 60000001);
    REFUSE(duration_us, 55000); /* Not on the grid. */
    REFUSE(start_mhz, 0);
    REFUSE(end_mhz, 0);
    REFUSE(end_mhz, 23520000);
    REFUSE(attack_us, 999);
    REFUSE(release_us, 50001);
    REFUSE(peak, 0);
    REFUSE(peak, 32769);
    REFUSE(law, AX_SIREN_LAW_END);
    REFUSE(wave, AX_SIREN_WAVE_END);
    REFUSE(release, AX_SIREN_RELEASE_END);
    s = good;
    s.wave = AX_SIREN_SET;
    s.set = 1;
    CHECK_EQ(refused(&s, 1, RATE), AX_E_RANGE);
}

static void test_programs_out_of_range_are_refused(void)
{
    const struct ax_siren_segment loud = {.duration_us = US(50), .start_mhz = 500000, .end_mhz = 500000, .peak = 20000};
    struct ax_siren_segment other = loud;
    struct ax_siren_voice voices[] = {{&loud, 1}, {&other, 1}};
    float bad[1][AX_SIREN_PARTIALS] = {{0}};
    struct ax_siren_program program = {.voices = voices, .nvoices = 2, .sets = bad[0], .nsets = 1};
    struct ax_siren *tone = NULL;
    CHECK_EQ(ax_siren_new(&tone, &program, RATE), AX_E_RANGE); /* Louder than full scale together. */
    other.peak = 1000;
    other.duration_us = US(60);
    CHECK_EQ(ax_siren_new(&tone, &program, RATE), AX_E_RANGE); /* Cycles of two lengths. */
    other.duration_us = US(50);
    other.wave = AX_SIREN_SET; /* A set without any partial. */
    CHECK_EQ(ax_siren_new(&tone, &program, RATE), AX_E_RANGE);
    bad[0][2] = INFINITY;
    CHECK_EQ(ax_siren_new(&tone, &program, RATE), AX_E_RANGE);
    program.nvoices = 0;
    CHECK_EQ(ax_siren_new(&tone, &program, RATE), AX_E_RANGE);
    program.voices = NULL;
    CHECK_EQ(ax_siren_new(&tone, &program, RATE), AX_E_ARG);
    CHECK_EQ(ax_siren_new(NULL, &program, RATE), AX_E_ARG);
    CHECK(tone == NULL);
}

static void test_calls_out_of_range_are_refused(void)
{
    int16_t out[4] = {7, 7, 7, 7};
    struct ax_siren *tone = steady(970000, RATE);
    struct ax_siren_play play = PLAIN;
    CHECK_EQ(ax_siren_render(NULL, &play, 0, out, 4), AX_E_ARG);
    CHECK_EQ(ax_siren_render(tone, NULL, 0, out, 4), AX_E_ARG);
    CHECK_EQ(ax_siren_render(tone, &play, 0, NULL, 4), AX_E_ARG);
    CHECK_EQ(ax_siren_render(tone, &play, 0, NULL, 0), 0);
    CHECK_EQ(ax_siren_render(tone, &play, AX_SIREN_MAX_POS + 1, out, 4), AX_E_RANGE);
    CHECK_EQ(ax_siren_render(tone, &play, AX_SIREN_MAX_POS, out, 4), 4);
    play.intensity = 6;
    out[0] = 7;
    CHECK_EQ(ax_siren_render(tone, &play, 0, out, 4), AX_E_RANGE);
    CHECK_EQ(ax_siren_render_float(tone, &play, 0, (float[4]){0}, 4), AX_E_RANGE);
    CHECK_EQ(out[0], 7);
    CHECK_EQ(ax_siren_set_level(tone, ax_siren_levels()), AX_E_RANGE);
    CHECK_EQ(ax_siren_set_level(NULL, 0), AX_E_ARG);
    CHECK_EQ(ax_siren_level_name(-1)[0], 0);
    ax_siren_free(tone);
    ax_siren_free(NULL);
}

int main(void)
{
    test_frequency_is_exact_after_72_hours();
    test_sweeps_have_the_noise_of_16_bits();
    test_variants_and_blocks_agree();
    test_no_step_is_steeper_than_the_sound();
    test_steady_sound_starts_and_ends_softly();
    test_intensities_are_6_db_apart();
    test_clip_is_mixed_and_limited();
    test_dither_is_triangular();
    test_clicks_are_refused();
    test_numbers_out_of_range_are_refused();
    test_programs_out_of_range_are_refused();
    test_calls_out_of_range_are_refused();
    return ax_test_done();
}
