/* G.711 against the tables of the standard: every decision value and every code, and all variants against each other. */
#include "ax/g711.h"

#include "ax/err.h"
#include "ax_test.h"

#include <string.h>

/* Tables 1a and 2a: where each segment of 16 steps begins, and the step, in units of the table. */
static const int A_BEGIN[8] = {0, 32, 64, 128, 256, 512, 1024, 2048}, A_STEP[8] = {2, 2, 4, 8, 16, 32, 64, 128};
static const int MU_BEGIN[8] = {-1, 31, 95, 223, 479, 991, 2015, 4063}, MU_STEP[8] = {2, 4, 8, 16, 32, 64, 128, 256};

static void every_code(void)
{
    uint8_t codes[256];
    int16_t a[256], mu[256];
    for (int i = 0; i < 256; i++)
        codes[i] = (uint8_t)i;
    CHECK_EQ(ax_g711_decode(AX_G711_A, codes, 256, a), AX_OK);
    CHECK_EQ(ax_g711_decode(AX_G711_MU, codes, 256, mu), AX_OK);
    for (int segment = 0; segment < 8; segment++)
        for (int step = 0; step < 16; step++) {
            const int character = segment << 4 | step;
            const int ya = 2 * (A_BEGIN[segment] + step * A_STEP[segment]) + A_STEP[segment]; /* Twice the middle. */
            CHECK_EQ(a[(character | 0x80) ^ 0x55], ya * 4);
            CHECK_EQ(a[character ^ 0x55], -ya * 4);
            const int ymu = character ? MU_BEGIN[segment] + step * MU_STEP[segment] + MU_STEP[segment] / 2 : 0;
            CHECK_EQ(mu[0xFF - character], ymu * 4);
            CHECK_EQ(mu[0x7F - character], -ymu * 4);
        }
}

/* A value just at a decision value belongs to the step above it. */
static void every_decision(void)
{
    for (int segment = 0; segment < 8; segment++)
        for (int step = 0; step < 16; step++) {
            const int xa = 8 * (A_BEGIN[segment] + step * A_STEP[segment]);
            const int xmu = 4 * (MU_BEGIN[segment] + step * MU_STEP[segment]);
            const int16_t in[4] = {(int16_t)xa, (int16_t)~xa, (int16_t)(xmu < 0 ? 0 : xmu),
                                   (int16_t)~(xmu < 0 ? 0 : xmu)};
            uint8_t out[4];
            CHECK_EQ(ax_g711_encode(AX_G711_A, in, 2, out), AX_OK);
            CHECK_EQ(ax_g711_encode(AX_G711_MU, in + 2, 2, out + 2), AX_OK);
            CHECK_EQ(out[0], ((segment << 4 | step) | 0x80) ^ 0x55);
            CHECK_EQ(out[1], (segment << 4 | step) ^ 0x55);
            CHECK_EQ(out[2], 0xFF - (segment << 4 | step));
            CHECK_EQ(out[3], 0x7F - (segment << 4 | step));
        }
}

static void variants(void)
{
    static int16_t in[65536 + 7], back[2][65536 + 7];
    static uint8_t out[2][65536 + 7];
    const size_t n = sizeof in / sizeof *in;
    for (size_t i = 0; i < n; i++)
        in[i] = (int16_t)(i - 32768);
    for (int level = 0; level < ax_g711_levels(); level++)
        for (int law = 0; law < AX_G711_LAW_END; law++) {
            CHECK_EQ(ax_g711_set_level(0), AX_OK);
            CHECK_EQ(ax_g711_encode(law, in, n, out[0]), AX_OK);
            CHECK_EQ(ax_g711_decode(law, out[0], n, back[0]), AX_OK);
            CHECK_EQ(ax_g711_set_level(level), AX_OK);
            CHECK_EQ(ax_g711_encode(law, in, n, out[1]), AX_OK);
            CHECK_EQ(ax_g711_decode(law, out[1], n, back[1]), AX_OK);
            CHECK(memcmp(out[0], out[1], n) == 0);
            CHECK(memcmp(back[0], back[1], sizeof in) == 0);
        }
    CHECK(strcmp(ax_g711_level_name(0), "generic") == 0);
    CHECK(strcmp(ax_g711_level_name(-1), "") == 0);
    CHECK_EQ(ax_g711_set_level(ax_g711_levels()), AX_E_RANGE);
    CHECK_EQ(ax_g711_encode(2, in, 1, out[0]), AX_E_ARG);
    CHECK_EQ(ax_g711_decode(0, NULL, 1, in), AX_E_ARG);
}

int main(void)
{
    every_code();
    every_decision();
    variants();
    return ax_test_done();
}
