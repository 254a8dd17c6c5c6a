/* The converter by two: pass band, stop band, images, delay, pieces, bad arguments. */
#include "ax/halfband.h"

#include "ax/err.h"
#include "ax_test.h"

#include <math.h>
#include <string.h>

enum { N = 8000 };

static int16_t in[2 * N], out[2 * N], other[2 * N];

/* dB of a sine of `hz` in `n` samples of the second half of `x`. */
static double level(const int16_t *x, int n, int rate, double hz)
{
    double s = 0, c = 0;
    for (int i = n / 2; i < n; i++) {
        s += x[i] * sin(2 * M_PI * hz * i / rate);
        c += x[i] * cos(2 * M_PI * hz * i / rate);
    }
    return 20 * log10(sqrt(s * s + c * c) / (n / 4) / 20000 + 1e-9);
}

static void sine(int rate, double hz)
{
    for (int i = 0; i < 2 * N; i++)
        in[i] = (int16_t)lrint(20000 * sin(2 * M_PI * hz * i / rate));
}

/* Rounding to 16 bits is 100 dB below the sine in one bin of it: the filter's 91 dB can be seen. */
static void test_bands(void)
{
    struct ax_halfband h;
    CHECK_EQ(ax_halfband_init(&h), AX_OK);
    for (double hz = 100; hz <= 3900; hz += 200) {
        sine(8000, hz);
        CHECK_EQ(ax_halfband_up(&h, in, N, out), AX_OK);
        CHECK(fabs(level(out, 2 * N, 16000, hz)) < 0.01);
        CHECK(level(out, 2 * N, 16000, 8000 - hz) < -85); /* Image. */
        sine(16000, hz);
        CHECK_EQ(ax_halfband_down(&h, in, N, out), AX_OK);
        CHECK(fabs(level(out, N, 8000, hz)) < 0.01);
    }
    for (double hz = 4100; hz < 8000; hz += 200) {
        sine(16000, hz);
        CHECK_EQ(ax_halfband_down(&h, in, N, out), AX_OK);
        CHECK(level(out, N, 8000, 8000 - hz) < -85); /* Alias. */
    }
}

/* Where the middle of a tone burst's energy comes out. */
static double centre(const int16_t *x, int n)
{
    double sum = 0, at = 0;
    for (int i = 0; i < n; i++) {
        sum += (double)x[i] * x[i];
        at += (double)x[i] * x[i] * i;
    }
    return at / sum;
}

static void test_delay(void)
{
    struct ax_halfband h;
    int16_t narrow[N];
    CHECK_EQ(ax_halfband_init(&h), AX_OK);
    for (int hz = 300; hz <= 3000; hz += 900) {
        for (int i = 0; i < 2 * N; i++) {
            const double t = (i - N) / 1000.0;
            in[i] = (int16_t)lrint(20000 * exp(-t * t) * sin(2 * M_PI * hz * i / 16000));
        }
        ax_halfband_reset(&h);
        CHECK_EQ(ax_halfband_down(&h, in, N, narrow), AX_OK);
        const double down_ms = centre(narrow, N) / 8 - centre(in, 2 * N) / 16;
        CHECK_EQ(ax_halfband_up(&h, narrow, N, out), AX_OK);
        const double both_ms = centre(out, 2 * N) / 16 - centre(in, 2 * N) / 16;
        CHECK(down_ms > 0 && down_ms < 0.7);
        CHECK(both_ms > down_ms && both_ms < 1.3);
    }
}

static void test_pieces(void)
{
    struct ax_halfband one, many;
    CHECK_EQ(ax_halfband_init(&one), AX_OK);
    CHECK_EQ(ax_halfband_init(&many), AX_OK);
    for (int i = 0; i < 2 * N; i++) /* Beyond full scale on the way: held there, not wrapped. */
        in[i] = i % 97 < 48 ? 32767 : -32768;
    CHECK_EQ(ax_halfband_up(&one, in, N, out), AX_OK);
    for (size_t i = 0, part = 1; i < N; i += part, part = part % 131 + 1) {
        part = i + part > N ? N - i : part;
        CHECK_EQ(ax_halfband_up(&many, in + i, part, other + 2 * i), AX_OK);
    }
    CHECK(memcmp(out, other, 2 * N * sizeof *out) == 0);
    for (int i = 200; i < 2 * N; i++) {
        const int near = in[i / 2 - 8] > 0 && in[i / 2 + 1] > 0 ? 1 : in[i / 2 - 8] < 0 && in[i / 2 + 1] < 0 ? -1 : 0;
        CHECK(near * out[i] >= 0);
    }
    ax_halfband_reset(&one);
    memset(in, 0, sizeof in);
    CHECK_EQ(ax_halfband_down(&one, in, N, out), AX_OK);
    CHECK(out[0] == 0 && out[N - 1] == 0);
}

int main(void)
{
    struct ax_halfband h;
    test_bands();
    test_delay();
    test_pieces();
    CHECK_EQ(ax_halfband_init(NULL), AX_E_ARG);
    CHECK_EQ(ax_halfband_init(&h), AX_OK);
    CHECK_EQ(ax_halfband_up(NULL, in, 1, out), AX_E_ARG);
    CHECK_EQ(ax_halfband_up(&h, NULL, 1, out), AX_E_ARG);
    CHECK_EQ(ax_halfband_down(&h, in, 1, NULL), AX_E_ARG);
    CHECK_EQ(ax_halfband_down(&h, NULL, 0, NULL), AX_OK);
    return ax_test_done();
}
