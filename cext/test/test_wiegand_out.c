/* Output: the plan is exact and decodes to what was planned; the manual's keypress vectors. */
#include "ax/wiegand_out.h"

#include "ax/err.h"
#include "ax/wiegand_format.h"
#include "ax_test.h"

#include <string.h>

static struct ax_edge plan[2 * AX_WIEGAND_MAX_BITS];

static void test_plan_is_exact(void)
{
    struct ax_wiegand_timing timing;
    const uint64_t bits[4] = {0x2F623AE, 0, 0, 0};
    uint64_t next = 0;
    ax_wiegand_timing_defaults(&timing);
    CHECK_EQ(ax_wiegand_schedule(&timing, 1000, bits, 26, plan, 52, &next), 52);
    for (uint64_t k = 0; k < 26; k++) {
        CHECK_EQ(plan[2 * k].t_ns, 1000 + k * 2000000);
        CHECK_EQ(plan[2 * k + 1].t_ns, 1000 + k * 2000000 + 50000);
        CHECK_EQ(plan[2 * k].line, 0x2F623AE >> (25 - k) & 1);
        CHECK_EQ(plan[2 * k + 1].line, plan[2 * k].line);
        CHECK(plan[2 * k].level == 0 && plan[2 * k + 1].level == 1);
    }
    CHECK_EQ(next, plan[51].t_ns + 50000000);
}

/* Frames of all lengths, chained, come back from the decoder. */
static void test_round_trip(void)
{
    struct ax_wiegand_timing timing;
    struct ax_wiegand_config config;
    struct ax_wiegand *w;
    struct ax_wiegand_frame frame;
    uint64_t bits[4], t = 0, seed = 7;
    ax_wiegand_timing_defaults(&timing);
    ax_wiegand_defaults(&config);
    config.max_bits = 256;
    CHECK_EQ(ax_wiegand_new(&w, &config), AX_OK);
    for (unsigned n = 4; n <= 256; n++) {
        memset(bits, 0, sizeof bits);
        for (unsigned i = 0; i < n; i++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            bits[i / 64] |= (seed >> 63) << i % 64;
        }
        const int edges = ax_wiegand_schedule(&timing, t, bits, n, plan, sizeof plan / sizeof plan[0], &t);
        CHECK_EQ(ax_wiegand_feed(w, plan, (size_t)edges, &frame, 1, NULL), 0);
        CHECK_EQ(ax_wiegand_advance(w, t, &frame), 1);
        CHECK_EQ(frame.result, AX_WIEGAND_FRAME);
        CHECK_EQ(frame.nbits, n);
        CHECK(memcmp(frame.bits, bits, sizeof bits) == 0);
    }
    ax_wiegand_free(w);
}

static void test_schedule_refuses(void)
{
    const uint64_t bits[4] = {0};
    struct ax_wiegand_timing timing;
    ax_wiegand_timing_defaults(&timing);
    CHECK_EQ(ax_wiegand_schedule(NULL, 0, bits, 4, plan, 8, NULL), AX_E_ARG);
    CHECK_EQ(ax_wiegand_schedule(&timing, 0, NULL, 4, plan, 8, NULL), AX_E_ARG);
    CHECK_EQ(ax_wiegand_schedule(&timing, 0, bits, 4, NULL, 8, NULL), AX_E_ARG);
    CHECK_EQ(ax_wiegand_schedule(&timing, 0, bits, 0, plan, 8, NULL), AX_E_RANGE);
    CHECK_EQ(ax_wiegand_schedule(&timing, 0, bits, 257, plan, 600, NULL), AX_E_RANGE);
    CHECK_EQ(ax_wiegand_schedule(&timing, 0, bits, 4, plan, 7, NULL), AX_E_FULL);
    CHECK_EQ(ax_wiegand_schedule(&timing, UINT64_MAX - 1000, bits, 4, plan, 8, NULL), AX_E_RANGE);
    timing.interval_ns = timing.pulse_ns;
    CHECK_EQ(ax_wiegand_schedule(&timing, 0, bits, 4, plan, 8, NULL), AX_E_RANGE);
    timing.pulse_ns = 0;
    CHECK_EQ(ax_wiegand_schedule(&timing, 0, bits, 4, plan, 8, NULL), AX_E_RANGE);
}

static void expect_keys(enum ax_wiegand_keypress mode, const char *pin, uint16_t nbits, const uint64_t *codes)
{
    struct ax_wiegand_bits out[32];
    const size_t n = strlen(pin);
    CHECK_EQ(ax_wiegand_pin(mode, 0, pin, n, out, 32), n);
    for (size_t i = 0; i < n; i++) {
        CHECK_EQ(out[i].nbits, nbits);
        CHECK_EQ(out[i].bits, codes[i]);
        CHECK_EQ(ax_wiegand_key_decode(out[i].bits, nbits), pin[i]);
    }
}

static void test_keys(void)
{
    expect_keys(AX_WIEGAND_FOUR_BIT, "1234", 4, (const uint64_t[]){1, 2, 3, 4});
    expect_keys(AX_WIEGAND_EIGHT_ZERO, "1234", 8, (const uint64_t[]){1, 2, 3, 4});
    expect_keys(AX_WIEGAND_EIGHT_INVERT, "1234", 8, (const uint64_t[]){0xE1, 0xD2, 0xC3, 0xB4});
    expect_keys(AX_WIEGAND_FOUR_BIT, "90*#", 4, (const uint64_t[]){9, 0, 10, 11});
    expect_keys(AX_WIEGAND_EIGHT_INVERT, "90*#", 8, (const uint64_t[]){0x69, 0xF0, 0x5A, 0x4B});
    CHECK_EQ(ax_wiegand_key_code('A'), AX_E_RANGE);
    CHECK_EQ(ax_wiegand_key_decode(12, 4), AX_E_FORMAT);
    CHECK_EQ(ax_wiegand_key_decode(0x11, 4), AX_E_FORMAT);
    CHECK_EQ(ax_wiegand_key_decode(0xE2, 8), AX_E_FORMAT);
    CHECK_EQ(ax_wiegand_key_decode(0x1E1, 8), AX_E_FORMAT);
    CHECK_EQ(ax_wiegand_key_decode(1, 5), AX_E_FORMAT);
}

static void test_pin_as_number(void)
{
    static const struct {
        enum ax_wiegand_keypress mode;
        const char *format;
        uint64_t facility;
    } cases[] = {
        {AX_WIEGAND_PIN26, "H10301", 200},
        {AX_WIEGAND_PIN34, "H10306", 40000},
        {AX_WIEGAND_PIN37, "H10302", 0},
        {AX_WIEGAND_PIN37_FACILITY, "H10304", 40000},
    };
    for (size_t i = 0; i < 4; i++) {
        struct ax_wiegand_bits out;
        struct ax_wiegand_card card;
        const struct ax_wiegand_format *f = ax_wiegand_keypress_format(cases[i].mode);
        CHECK(f && strcmp(f->name, cases[i].format) == 0);
        CHECK_EQ(ax_wiegand_pin(cases[i].mode, cases[i].facility, "01234", 5, &out, 1), 1);
        CHECK_EQ(ax_wiegand_format_decode(f, out.bits, out.nbits, &card), AX_OK);
        CHECK_EQ(card.value[AX_WIEGAND_CARD], 1234);
        CHECK_EQ(card.value[AX_WIEGAND_FACILITY], cases[i].facility);
        CHECK_EQ(ax_wiegand_pin(cases[i].mode, 0, "12#", 3, &out, 1), AX_E_RANGE);
        CHECK_EQ(ax_wiegand_pin(cases[i].mode, 1 << 16, "1", 1, &out, 1), AX_E_RANGE);
        CHECK_EQ(ax_wiegand_pin(cases[i].mode, 0, "99999999999999999999999999999999", 32, &out, 1), AX_E_RANGE);
        CHECK_EQ(ax_wiegand_pin(cases[i].mode, 0, "1", 1, &out, 0), AX_E_FULL);
    }
    struct ax_wiegand_bits out[32];
    CHECK_EQ(ax_wiegand_pin(AX_WIEGAND_PIN26, 0, "65535", 5, out, 1), 1);
    CHECK_EQ(ax_wiegand_pin(AX_WIEGAND_PIN26, 0, "65536", 5, out, 1), AX_E_RANGE);
    CHECK_EQ(ax_wiegand_pin(AX_WIEGAND_FOUR_BIT, 0, NULL, 5, out, 32), AX_E_ARG);
    CHECK_EQ(ax_wiegand_pin(AX_WIEGAND_FOUR_BIT, 0, "1", 1, NULL, 32), AX_E_ARG);
    CHECK_EQ(ax_wiegand_pin(AX_WIEGAND_FOUR_BIT, 0, "", 0, out, 32), AX_E_RANGE);
    CHECK_EQ(ax_wiegand_pin(AX_WIEGAND_FOUR_BIT, 0, "1", 33, out, 32), AX_E_RANGE);
    CHECK_EQ(ax_wiegand_pin(AX_WIEGAND_FOUR_BIT, 0, "1x", 2, out, 32), AX_E_RANGE);
    CHECK_EQ(ax_wiegand_pin(AX_WIEGAND_FOUR_BIT, 0, "12", 2, out, 1), AX_E_FULL);
    CHECK_EQ(ax_wiegand_pin(AX_WIEGAND_KEYPRESS_END, 0, "12", 2, out, 2), AX_E_RANGE);
    CHECK(ax_wiegand_keypress_format(AX_WIEGAND_KEYPRESS_END) == NULL);
    CHECK(ax_wiegand_keypress_format(AX_WIEGAND_FOUR_BIT) == NULL);
}

int main(void)
{
    test_plan_is_exact();
    test_round_trip();
    test_schedule_refuses();
    test_keys();
    test_pin_as_number();
    return ax_test_done();
}
