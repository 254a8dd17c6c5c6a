/* The light kernel: the catalogue, patterns as functions of time and place, codes and their dither, crossfades, the wires, and
 * that every variant gives the bits of the portable one. */
#include "ax/led.h"

#include "ax/err.h"
#include "ax/led_out.h"
#include "ax_test.h"

#include <stdlib.h>
#include <string.h>

enum { STRIP = 100, SECTIONS = 10, MS = 1000000 };

static struct ax_led_place places[AX_LED_MAX];
static uint16_t light[3 * AX_LED_MAX], other[3 * AX_LED_MAX];
static uint8_t codes[3 * AX_LED_MAX], other_codes[3 * AX_LED_MAX];

/* n LEDs along a strip, in equal sections. */
static struct ax_led *strip(size_t n, size_t sections)
{
    struct ax_led *led = NULL;
    for (size_t i = 0; i < n; i++) {
        const uint32_t along = (uint32_t)(((uint64_t)i << 32) / n);
        places[i] = (struct ax_led_place){along, along / 2, along / 2, (uint32_t)(i * sections / n)};
    }
    CHECK_EQ(ax_led_new(&led, places, n), AX_OK);
    return led;
}

static struct ax_led_spec spec_of(const char *name)
{
    const int row = ax_led_find(name);
    CHECK(row >= 0);
    struct ax_led_spec spec = {.row = (uint8_t)row, .level = AX_LED_FULL, .stretch = AX_LED_AS_LISTED};
    const struct ax_led_row *face = ax_led_row_get(row);
    spec.speed = face->default_speed;
    spec.colours = face->max_colours;
    for (int i = 0; i < spec.colours; i++)
        spec.colour[i][i % 3] = AX_LED_FULL;
    return spec;
}

static struct ax_led_profile profile_of(const char *name)
{
    struct ax_led_profile profile;
    const struct ax_led_spec spec = spec_of(name);
    CHECK_EQ(ax_led_compile(&profile, &spec), AX_OK);
    return profile;
}

static void at(const struct ax_led *led, const struct ax_led_profile *profile, uint64_t ms)
{
    CHECK_EQ(ax_led_frame(led, profile, ms * MS, light), AX_OK);
}

static int is(size_t i, unsigned r, unsigned g, unsigned b)
{
    return light[3 * i] == r && light[3 * i + 1] == g && light[3 * i + 2] == b;
}

static void test_catalogue(void)
{
    CHECK_EQ(ax_led_find("Off"), 0);
    CHECK_EQ(ax_led_find("Steady white + steady color"), AX_LED_CATALOGUE - 1);
    CHECK_EQ(ax_led_find("Maintenance"), AX_LED_MAINTENANCE);
    CHECK_EQ(ax_led_find("Identify"), AX_LED_IDENTIFY);
    CHECK_EQ(ax_led_find("Health check"), AX_LED_HEALTH);
    CHECK_EQ(ax_led_find("steady"), -1);
    CHECK_EQ(ax_led_find(NULL), -1);
    CHECK(ax_led_row_get(-1) == NULL && ax_led_row_get(AX_LED_ROWS) == NULL);
    for (int i = 0; i < AX_LED_ROWS; i++) {
        const struct ax_led_row *row = ax_led_row_get(i);
        CHECK_EQ(ax_led_find(row->name), i);
        CHECK(row->default_speed >= 1 && row->default_speed <= row->speeds && row->speeds <= AX_LED_MAX_SPEEDS);
        CHECK(row->min_colours <= row->max_colours && row->max_colours <= AX_LED_MAX_COLOURS);
        for (int s = 0; s < row->speeds; s++)
            CHECK(row->period_ms[s] > 0 && (s == 0 || row->period_ms[s] < row->period_ms[s - 1]));
    }
}

static void test_refusals(void)
{
    struct ax_led *led = NULL;
    struct ax_led_profile profile;
    struct ax_led_curve curve;
    struct ax_led_spec spec = spec_of("Steady");
    CHECK_EQ(ax_led_new(&led, places, 0), AX_E_RANGE);
    CHECK_EQ(ax_led_new(&led, places, AX_LED_MAX + 1), AX_E_RANGE);
    CHECK_EQ(ax_led_new(NULL, places, 1), AX_E_ARG);
    const struct ax_led_place gap[2] = {{.section = 0}, {.section = 2}}, back[2] = {{.section = 0}, {.x = 0x80000001u}};
    const struct ax_led_place late = {.section = 1}, many = {.section = AX_LED_MAX_SECTIONS};
    CHECK_EQ(ax_led_new(&led, gap, 2), AX_E_ARG);
    CHECK_EQ(ax_led_new(&led, back, 2), AX_E_RANGE);
    CHECK_EQ(ax_led_new(&led, &late, 1), AX_E_ARG);
    CHECK_EQ(ax_led_new(&led, &many, 1), AX_E_RANGE);
    CHECK(led == NULL && ax_led_count(led) == 0 && ax_led_sections(led) == 0);
#define REFUSED(field, value)                                                                                          \
    do {                                                                                                               \
        struct ax_led_spec wrong = spec;                                                                               \
        wrong.field = (value);                                                                                         \
        CHECK_EQ(ax_led_compile(&profile, &wrong), AX_E_RANGE);                                                        \
    } while (0)
    REFUSED(row, AX_LED_ROWS);
    REFUSED(speed, 0);
    REFUSED(speed, 2);
    REFUSED(colours, 0);
    REFUSED(colours, 2);
    REFUSED(stretch, AX_LED_AS_LISTED - 1);
    REFUSED(stretch, (1u << 24) + 1);
    CHECK_EQ(ax_led_compile(NULL, &spec), AX_E_ARG);
    CHECK_EQ(ax_led_curve_gamma(&curve, 0.2), AX_E_RANGE);
    CHECK_EQ(ax_led_curve_gamma(&curve, 4.1), AX_E_RANGE);
    CHECK_EQ(ax_led_curve_gamma(NULL, 1.0), AX_E_ARG);
    CHECK_EQ(ax_led_frame(NULL, &profile, 0, light), AX_E_ARG);
    CHECK_EQ(ax_led_encode(NULL, &curve, light, 1, 0, codes), AX_E_ARG);
    CHECK_EQ(ax_led_frame8(NULL, &profile, &curve, 0, 0, codes), AX_E_ARG);
    CHECK_EQ(ax_led_set_level(NULL, 0), AX_E_ARG);
    CHECK_EQ(ax_led_period_ns(NULL, 1), 0);
    led = strip(1, 1);
    CHECK_EQ(ax_led_set_level(led, ax_led_levels()), AX_E_RANGE);
    CHECK_EQ(ax_led_mix(led, light, other, 1, 65537, light), AX_E_RANGE);
    CHECK_EQ(ax_led_mix(led, NULL, other, 1, 1, light), AX_E_ARG);
    memset(&profile, 0, sizeof profile);
    CHECK_EQ(ax_led_frame(led, &profile, 0, light), AX_E_ARG);
    CHECK(ax_led_level_name(-1)[0] == 0 && ax_led_level_name(0)[0] == 'p');
    ax_led_free(led);
}

static void test_flashes(void)
{
    struct ax_led *led = strip(STRIP, SECTIONS);
    struct ax_led_profile p = profile_of("Blink 3x");
    int rises = 0, lit = 0;
    for (uint64_t ms = 0; ms < 2400; ms++) {
        at(led, &p, ms);
        CHECK(is(0, AX_LED_FULL, 0, 0) || is(0, 0, 0, 0));
        CHECK(light[0] == light[3 * (STRIP - 1)]);
        rises += !lit && light[0];
        lit = light[0] != 0;
    }
    CHECK_EQ(rises, 3);
    p = profile_of("Steady white + flash color");
    at(led, &p, 0);
    CHECK(is(7, AX_LED_FULL, 0, 0));
    at(led, &p, 999);
    CHECK(is(7, AX_LED_FULL, AX_LED_FULL, AX_LED_FULL));
    p = profile_of("Pulse");
    at(led, &p, 1000);
    CHECK(is(0, AX_LED_FULL, 0, 0));
    at(led, &p, 500);
    CHECK(abs(light[0] - AX_LED_FULL / 2) <= 1);
    at(led, &p, 3000); /* The colours take turns. */
    CHECK(is(0, 0, AX_LED_FULL, 0));
    p = profile_of("Blink 4x fade");
    at(led, &p, 0);
    const unsigned first = light[0];
    at(led, &p, 168); /* Half of 2800 * 0.12 ms: a quarter of the light. */
    CHECK(first == AX_LED_FULL && abs(light[0] - AX_LED_FULL / 4) <= 1);
    p = profile_of("Escalate 3 steps");
    for (unsigned step = 1; step <= 3; step++) {
        at(led, &p, step * 1000 - 1);
        CHECK(abs(light[0] - (int)(AX_LED_FULL * step * step / 9)) <= 1);
    }
    ax_led_free(led);
}

static void test_sections(void)
{
    struct ax_led *led = strip(STRIP, SECTIONS);
    CHECK_EQ(ax_led_count(led), STRIP);
    CHECK_EQ(ax_led_sections(led), SECTIONS);
    struct ax_led_profile p = profile_of("Alternate"); /* Red, green, blue, red. */
    at(led, &p, 0);
    CHECK(is(0, AX_LED_FULL, 0, 0) && is(10, 0, AX_LED_FULL, 0) && is(19, 0, AX_LED_FULL, 0) && is(20, 0, 0, AX_LED_FULL));
    at(led, &p, 1000);
    CHECK(is(0, 0, AX_LED_FULL, 0) && is(10, 0, 0, AX_LED_FULL));
    CHECK_EQ(ax_led_period_ns(&p, SECTIONS), 4000ull * MS);
    p = profile_of("Steady white + steady color");
    at(led, &p, 12345);
    CHECK(is(0, AX_LED_FULL, AX_LED_FULL, AX_LED_FULL) && is(10, AX_LED_FULL, 0, 0));
    CHECK_EQ(ax_led_period_ns(&p, SECTIONS), 0);
    p = profile_of("Maintenance");
    at(led, &p, 1000);
    int lit = 0;
    for (size_t i = 0; i < STRIP; i++)
        lit += is(i, AX_LED_FULL, AX_LED_FULL, AX_LED_FULL);
    CHECK_EQ(lit, 3 * STRIP / SECTIONS);
    p = profile_of("Health check");
    for (uint64_t s = 0; s < SECTIONS; s++) {
        at(led, &p, 1000 * s + 500);
        for (size_t i = 0; i < STRIP; i++)
            CHECK_EQ(light[3 * i] != 0, i / (STRIP / SECTIONS) == s);
    }
    p = profile_of("Random white + steady color");
    int visits[SECTIONS] = {0};
    for (uint64_t step = 0; step < 3 * SECTIONS; step++) {
        at(led, &p, 500 * step);
        for (size_t s = 0; s < SECTIONS; s++)
            visits[s] += is(s * STRIP / SECTIONS, AX_LED_FULL, AX_LED_FULL, AX_LED_FULL);
    }
    for (size_t s = 0; s < SECTIONS; s++)
        CHECK_EQ(visits[s], 3);
    ax_led_free(led);
    led = strip(5, 1); /* One section: both colours in one. */
    p = profile_of("Steady white + steady color");
    at(led, &p, 0);
    CHECK(is(3, AX_LED_FULL, 32768, 32768));
    ax_led_free(led);
}

/* Where the white is, as the mean position in LEDs; -1 for none. */
static double centre(size_t n, double *sum)
{
    double where = 0.0, all = 0.0;
    for (size_t i = 0; i < n; i++) {
        all += light[3 * i + 1];
        where += light[3 * i + 1] * (double)i;
    }
    *sum = all;
    return all > 0.0 ? where / all : -1.0;
}

static void test_motion(void)
{
    struct ax_led *led = strip(STRIP, SECTIONS);
    double sum, before = 0.0;
    struct ax_led_profile p = profile_of("Direction A + steady color"); /* 2 s; red below, so green shows the white. */
    at(led, &p, 0);
    CHECK(centre(STRIP, &sum) < 0.0);
    at(led, &p, 1999);
    CHECK(centre(STRIP, &sum) < 0.0 || sum < 100.0);
    for (uint64_t ms = 700; ms < 1300; ms += 3) { /* A third of an LED a step, and never back. */
        at(led, &p, ms);
        const double now = centre(STRIP, &sum);
        CHECK(ms == 700 || (now > before && now - before < 0.6));
        before = now;
    }
    p = profile_of("Direction C + steady color");
    for (uint64_t ms = 700; ms < 1300; ms += 3) {
        at(led, &p, ms);
        const double now = centre(STRIP, &sum);
        CHECK(ms == 700 || (now < before && before - now < 0.6));
        before = now;
    }
    p = profile_of("Rotate tail white + steady color");
    at(led, &p, 1000);
    CHECK(light[3 * 50 + 1] == AX_LED_FULL || light[3 * 49 + 1] > 60000);
    CHECK(light[3 * 52 + 1] == 0 && light[3 * 40 + 1] > light[3 * 30 + 1] && light[3 * 30 + 1] > light[3 * 10 + 1]);
    p = profile_of("Spin white + steady color");
    at(led, &p, 321);
    for (size_t i = 0; i < STRIP / 2; i++)
        CHECK(abs(light[3 * i + 1] - light[3 * (i + STRIP / 2) + 1]) <= 1);
    ax_led_free(led);
}

static void test_time(void)
{
    struct ax_led *led = strip(33, 4);
    for (int row = 0; row < AX_LED_ROWS; row++) {
        struct ax_led_spec spec = spec_of(ax_led_row_get(row)->name);
        struct ax_led_profile p, later, slow;
        CHECK_EQ(ax_led_compile(&p, &spec), AX_OK);
        spec.epoch_ns = 1234567890123456789u;
        CHECK_EQ(ax_led_compile(&later, &spec), AX_OK);
        const uint64_t period = ax_led_period_ns(&p, ax_led_sections(led));
        for (uint64_t t = 0; t < 4; t++) {
            const uint64_t ns = t * 777777777u;
            CHECK_EQ(ax_led_frame(led, &p, ns, light), AX_OK);
            CHECK_EQ(ax_led_frame(led, &p, ns + 5 * period, other), AX_OK);
            CHECK(memcmp(light, other, 3 * 33 * sizeof *light) == 0);
            CHECK_EQ(ax_led_frame(led, &later, spec.epoch_ns + ns, other), AX_OK);
            CHECK(memcmp(light, other, 3 * 33 * sizeof *light) == 0);
        }
        CHECK_EQ(ax_led_frame(led, &p, 0, light), AX_OK);
        CHECK_EQ(ax_led_frame(led, &later, 5, other), AX_OK); /* Before its epoch: the first instant. */
        CHECK(memcmp(light, other, 3 * 33 * sizeof *light) == 0);
        spec.epoch_ns = 0;
        spec.stretch = 2 * AX_LED_AS_LISTED;
        CHECK_EQ(ax_led_compile(&slow, &spec), AX_OK);
        CHECK_EQ(ax_led_period_ns(&slow, ax_led_sections(led)), 2 * period);
    }
    ax_led_free(led);
}

static void test_codes(void)
{
    struct ax_led *led = strip(1, 1);
    struct ax_led_curve curve;
    const double gammas[] = {0.25, 0.5, 1.0, 2.0, 2.2, 2.8, 4.0};
    for (size_t g = 0; g < sizeof gammas / sizeof *gammas; g++) {
        CHECK_EQ(ax_led_curve_gamma(&curve, gammas[g]), AX_OK);
        unsigned last = 0;
        for (uint32_t x = 0; x < 65536; x += 51) {
            const uint16_t value = (uint16_t)x;
            unsigned sum = 0;
            for (uint32_t frame = 0; frame < 256; frame++) {
                CHECK_EQ(ax_led_encode(led, &curve, &value, 1, frame, codes), AX_OK);
                sum += codes[0];
            }
            CHECK(sum >= last && sum <= 65280);
            CHECK((x == 0) <= (sum == 0) && (x == 65535) <= (sum == 65280));
            last = sum;
        }
        CHECK_EQ(last, 65280);
    }
    CHECK_EQ(ax_led_curve_gamma(&curve, 1.0), AX_OK);
    for (uint32_t x = 0; x < 65536; x += 997) { /* A PWM output: the mean over 256 frames is the light. */
        const uint16_t value = (uint16_t)x;
        unsigned sum = 0;
        for (uint32_t frame = 1000; frame < 1256; frame++) {
            CHECK_EQ(ax_led_encode(led, &curve, &value, 1, frame, codes), AX_OK);
            sum += codes[0];
        }
        CHECK(abs((int)sum - (int)((uint64_t)x * 65280 / 65535)) <= 2);
    }
    ax_led_free(led);
}

static void test_crossfade(void)
{
    struct ax_led *led = strip(STRIP, SECTIONS);
    for (uint32_t i = 0; i < 300; i++) {
        light[i] = (uint16_t)(i * 219);
        other[i] = (uint16_t)(65535 - i * 131);
    }
    uint16_t out[300];
    CHECK_EQ(ax_led_mix(led, light, other, 300, 0, out), AX_OK);
    CHECK(memcmp(out, light, sizeof out) == 0);
    CHECK_EQ(ax_led_mix(led, light, other, 300, 65536, out), AX_OK);
    CHECK(memcmp(out, other, sizeof out) == 0);
    CHECK_EQ(ax_led_mix(led, light, other, 300, 32768, out), AX_OK);
    for (int i = 0; i < 300; i++)
        CHECK_EQ(out[i], (light[i] + other[i] + 1) / 2);
    ax_led_free(led);
}

/* Every variant, odd lengths and any place of the buffer: the bits of the portable one. */
static void test_variants(void)
{
    static const size_t counts[] = {1, 2, 3, 7, 8, 15, 17, 31, 33, 100, 144, 1000, 1024};
    struct ax_led_curve curve;
    CHECK_EQ(ax_led_curve_gamma(&curve, 2.2), AX_OK);
    for (int level = 1; level < ax_led_levels(); level++) {
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            const size_t n = counts[c];
            struct ax_led *led = strip(n, n < 12 ? 1 : 12);
            for (int row = 0; row < AX_LED_ROWS; row++) {
                struct ax_led_spec spec = spec_of(ax_led_row_get(row)->name);
                struct ax_led_profile p;
                spec.level = (uint16_t)(40000 + 999 * row);
                CHECK_EQ(ax_led_compile(&p, &spec), AX_OK);
                for (uint64_t t = 0; t < 20; t++) {
                    const uint64_t ns = t * 123456789u;
                    CHECK_EQ(ax_led_set_level(led, 0), AX_OK);
                    CHECK_EQ(ax_led_frame(led, &p, ns, light), AX_OK);
                    CHECK_EQ(ax_led_encode(led, &curve, light, 3 * n, (uint32_t)t, codes), AX_OK);
                    CHECK_EQ(ax_led_set_level(led, level), AX_OK);
                    CHECK_EQ(ax_led_frame(led, &p, ns, other), AX_OK);
                    CHECK(memcmp(light, other, 3 * n * sizeof *light) == 0);
                    CHECK_EQ(ax_led_frame8(led, &p, &curve, ns, (uint32_t)t, other_codes), AX_OK);
                    CHECK(memcmp(codes, other_codes, 3 * n) == 0);
                }
            }
            uint32_t seed = 12345;
            static uint16_t mixed[2][3 * AX_LED_MAX];
            for (size_t i = 0; i < 3 * n; i++) {
                seed = seed * 1664525u + 1013904223u;
                light[i] = (uint16_t)(seed >> 16);
                other[i] = (uint16_t)(seed >> 8);
            }
            for (uint32_t weight = 0; weight <= 65536; weight += 8191) {
                CHECK_EQ(ax_led_set_level(led, 0), AX_OK);
                CHECK_EQ(ax_led_mix(led, light, other, 3 * n, weight, mixed[0]), AX_OK);
                CHECK_EQ(ax_led_encode(led, &curve, light + 1, 3 * n - 1, weight, codes), AX_OK);
                CHECK_EQ(ax_led_set_level(led, level), AX_OK);
                CHECK_EQ(ax_led_mix(led, light, other, 3 * n, weight, mixed[1]), AX_OK);
                CHECK(memcmp(mixed[0], mixed[1], 3 * n * sizeof *light) == 0);
                CHECK_EQ(ax_led_encode(led, &curve, light + 1, 3 * n - 1, weight, other_codes), AX_OK);
                CHECK(memcmp(codes, other_codes, 3 * n - 1) == 0);
            }
            ax_led_free(led);
        }
    }
}

static void test_wires(void)
{
    const uint8_t rgb[6] = {1, 2, 3, 0xff, 0x80, 0x01}, rgbw[4] = {0, 0, 0, 0xff};
    uint8_t out[256];
    CHECK_EQ(ax_led_apa102(rgb, 2, 31, out, sizeof out), 4 + 8 + 4 + 1);
    const uint8_t apa[12] = {0, 0, 0, 0, 0xff, 3, 2, 1, 0xff, 0x01, 0x80, 0xff};
    CHECK(memcmp(out, apa, sizeof apa) == 0 && out[12] == 0 && out[16] == 0);
    CHECK_EQ(ax_led_apa102(rgb, 2, 32, out, sizeof out), AX_E_RANGE);
    CHECK_EQ(ax_led_apa102(rgb, 2, 1, out, 16), AX_E_FULL);
    CHECK_EQ(ax_led_apa102(NULL, 2, 1, out, 16), AX_E_ARG);
    CHECK_EQ(ax_led_ws2812(rgb + 3, 1, 3, out, sizeof out), 9 + (int)AX_LED_WS2812_LATCH);
    const uint8_t ws[10] = {0xd2, 0x49, 0x24, 0xdb, 0x6d, 0xb6, 0x92, 0x49, 0x26, 0}; /* Green 80, red ff, blue 01. */
    CHECK(memcmp(out, ws, sizeof ws) == 0);
    CHECK_EQ(ax_led_ws2812(rgbw, 1, 4, out, sizeof out), 12 + (int)AX_LED_WS2812_LATCH);
    CHECK(out[9] == 0xdb && out[0] == 0x92);
    CHECK_EQ(ax_led_ws2812(rgb, 2, 5, out, sizeof out), AX_E_RANGE);
    CHECK_EQ(ax_led_ws2812(rgb, 2, 3, out, 10), AX_E_FULL);
    CHECK_EQ(ax_led_ws2812(rgb, 2, 3, NULL, 10), AX_E_ARG);
    const uint16_t pixel[3] = {1000, 3000, 2000};
    uint16_t four[4];
    CHECK_EQ(ax_led_rgbw(pixel, 1, four), AX_OK);
    CHECK(four[0] == 0 && four[1] == 2000 && four[2] == 1000 && four[3] == 1000);
    CHECK_EQ(ax_led_rgbw(NULL, 1, four), AX_E_ARG);
    uint32_t brightness, intensity[3];
    CHECK_EQ(ax_led_class(pixel, 255, &brightness, intensity), AX_OK);
    CHECK(brightness == 12 && intensity[0] == 85 && intensity[1] == 255 && intensity[2] == 170);
    const uint16_t black[3] = {0, 0, 0};
    CHECK_EQ(ax_led_class(black, 255, &brightness, intensity), AX_OK);
    CHECK(brightness == 0 && intensity[1] == 0);
    CHECK_EQ(ax_led_class(pixel, 0, &brightness, intensity), AX_E_RANGE);
    CHECK_EQ(ax_led_class(pixel, 255, NULL, intensity), AX_E_ARG);
}

int main(void)
{
    test_catalogue();
    test_refusals();
    test_flashes();
    test_sections();
    test_motion();
    test_time();
    test_codes();
    test_crossfade();
    test_variants();
    test_wires();
    return ax_test_done();
}
