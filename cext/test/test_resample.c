/* Sample rates: stop band, images, pass band, whole frames, pieces, variants. */
#include "ax/resample.h"

#include "ax/err.h"
#include "ax_test.h"

#include <math.h>
#include <string.h>

enum { N = 48000 };

static const uint32_t RATES[5] = {8000, 16000, 32000, 44100, 48000};
static float in[N], out[6 * N], other[6 * N];
static int16_t short_in[N], short_out[6 * N];

/* dB of what comes out beside the sine itself (`hz` 0: of all) for a sine of full scale that goes in. */
static double rest(uint32_t from, uint32_t to, double in_hz, double hz)
{
    struct ax_resample *r = NULL;
    const size_t n = from / 5;
    double s = 0, c = 0, ss = 0, sum = 0;
    CHECK_EQ(ax_resample_new(&r, from, to, 96), AX_OK);
    for (size_t i = 0; i < n; i++)
        in[i] = (float)sin(2 * M_PI * in_hz * (double)i / from);
    const int made = ax_resample_f32(r, in, n, out, to);
    CHECK_EQ(made, to / 5);
    const int a = made / 2;
    for (int i = a; i < made; i++) { /* 0.1 s: whole periods of multiples of 10 Hz. */
        const double t = 2 * M_PI * hz * i / to;
        s += (double)out[i] * sin(t);
        c += (double)out[i] * cos(t);
        ss += sin(t) * sin(t);
    }
    for (int i = a; i < made; i++) {
        const double t = 2 * M_PI * hz * i / to, y = hz > 0 ? (s * sin(t) + c * cos(t)) / ss : 0;
        sum += ((double)out[i] - y) * ((double)out[i] - y);
    }
    if (hz > 0)
        CHECK(fabs(20 * log10(sqrt(s * s + c * c) / ss)) < 0.01); /* Flat. */
    ax_resample_free(r);
    return 10 * log10(2 * sum / (made - a) + 1e-20);
}

static void bands(uint32_t from, uint32_t to)
{
    const uint32_t low = from < to ? from : to;
    for (int k = 1; k <= 8; k++) {
        const double hz = floor(low / 2 * 0.87 * k / 8 / 10) * 10;
        CHECK(rest(from, to, hz, hz) < -90);
    }
    for (int k = 0; k < 8 && from > to; k++)
        CHECK(rest(from, to, floor((to / 2 + (from / 2 - to / 2) * k / 8.1) / 10) * 10 + 10, 0) < -90);
}

static void pieces(uint32_t from, uint32_t to)
{
    struct ax_resample *one = NULL, *many = NULL;
    const size_t n = from / 10;
    size_t got = 0;
    CHECK_EQ(ax_resample_new(&one, from, to, 64), AX_OK);
    CHECK_EQ(ax_resample_new(&many, from, to, 64), AX_OK);
    CHECK_EQ(ax_resample_set_level(many, 0), AX_OK);
    for (size_t i = 0; i < n; i++) {
        in[i] = (float)sin(0.05 * (double)i) * 0.5f;
        short_in[i] = (int16_t)(in[i] * 32768);
        in[i] = (float)short_in[i] / 32768;
    }
    CHECK_EQ(ax_resample_count(one, n), to / 10);
    CHECK_EQ(ax_resample_f32(one, in, n, out, to), to / 10);
    for (size_t i = 0, part = 1; i < n; i += part, part = part % 700 + 13) {
        part = i + part > n ? n - i : part;
        const size_t want = ax_resample_count(many, part);
        if (want)
            CHECK_EQ(ax_resample_f32(many, in + i, part, other + got, want - 1), AX_E_FULL);
        CHECK_EQ(ax_resample_f32(many, in + i, part, other + got, want), want);
        got += want;
    }
    CHECK_EQ(got, to / 10);
    CHECK(memcmp(out, other, got * sizeof *out) == 0); /* All variants, all pieces: the same bits. */
    ax_resample_reset(one);
    CHECK_EQ(ax_resample_i16(one, short_in, n, short_out, to), to / 10);
    int worst = 0;
    for (size_t i = 0; i < got; i++) {
        const int apart = (int)fabs((double)short_out[i] - (double)out[i] * 32768);
        worst = apart > worst ? apart : worst;
    }
    CHECK(worst <= 1);
    in[1] = NAN;
    CHECK_EQ(ax_resample_f32(one, in, 2, out, to), AX_E_RANGE);
    CHECK_EQ(ax_resample_count(one, from / 100), to / 100);
    ax_resample_free(one);
    ax_resample_free(many);
}

int main(void)
{
    struct ax_resample *r = NULL;
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++) {
            pieces(RATES[i], RATES[k]);
            if (i != k)
                bands(RATES[i], RATES[k]);
        }
    CHECK_EQ(ax_resample_new(&r, 8000, 22050, 96), AX_E_RANGE);
    CHECK_EQ(ax_resample_new(&r, 8000, 16000, 95), AX_E_RANGE);
    CHECK_EQ(ax_resample_new(NULL, 8000, 16000, 96), AX_E_ARG);
    CHECK_EQ(ax_resample_new(&r, 8000, 16000, 96), AX_OK);
    CHECK_EQ(ax_resample_latency(r), 96);
    CHECK_EQ(ax_resample_set_level(r, 99), AX_E_RANGE);
    CHECK_EQ(ax_resample_set_level(NULL, 0), AX_E_ARG);
    CHECK_EQ(ax_resample_i16(NULL, short_in, 1, short_out, 1), AX_E_ARG);
    CHECK(strcmp(ax_resample_level_name(0), "generic") == 0);
    ax_resample_free(r);
    return ax_test_done();
}
