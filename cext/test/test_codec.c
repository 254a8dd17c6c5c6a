/* G.722, G.726 and loss concealment: fixed answers, signal to noise of a round trip, and what must be refused. The codecs are
 * compared with other implementations, sample for sample, in tests/unit/audio. */
#include "ax/g722.h"
#include "ax/g726.h"
#include "ax/plc.h"

#include "ax/err.h"
#include "ax_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 16000 };

static int16_t in[N], out[N];
static uint8_t octets[N];

static void fill(double hz, double rate)
{
    for (int i = 0; i < N; i++)
        in[i] = (int16_t)(9000 * sin(2 * M_PI * hz * i / rate) + 3000 * sin(2 * M_PI * 2.7 * hz * i / rate + 1));
}

/* dB, at the delay at which it is best. */
static double snr(int longest)
{
    double best = -99;
    for (int delay = 0; delay <= longest; delay++) {
        double signal = 0, noise = 0;
        for (int i = N / 2; i < N; i++) {
            signal += (double)in[i - delay] * in[i - delay];
            noise += ((double)out[i] - in[i - delay]) * ((double)out[i] - in[i - delay]);
        }
        best = fmax(best, 10 * log10(signal / (noise + 1)));
    }
    return best;
}

static void g722(void)
{
    struct ax_g722 *e = NULL, *d = NULL;
    CHECK_EQ(ax_g722_new(NULL), AX_E_ARG);
    CHECK_EQ(ax_g722_new(&e), AX_OK);
    CHECK_EQ(ax_g722_new(&d), AX_OK);
    fill(440, 16000);
    CHECK_EQ(ax_g722_encode(e, in, 3, octets), AX_E_FORMAT);
    CHECK_EQ(ax_g722_encode(e, NULL, 2, octets), AX_E_ARG);
    CHECK_EQ(ax_g722_encode(e, in, 160, octets), 80);
    CHECK_EQ(ax_g722_encode(e, in + 160, N - 160, octets + 80), N / 2 - 80);
    CHECK_EQ(ax_g722_decode(d, octets, N / 2, out), N);
    CHECK(snr(30) > 30);
    ax_g722_reset(e);
    memset(in, 0, sizeof in);
    CHECK_EQ(ax_g722_encode(e, in, 8, octets), 4);
    CHECK_EQ(octets[0], 0xFA); /* Silence. */
    ax_g722_free(e);
    ax_g722_free(d);
}

static void g726(void)
{
    for (int aal2 = 0; aal2 < 2; aal2++) {
        struct ax_g726 *e = NULL, *d = NULL;
        CHECK_EQ(ax_g726_new(&e, aal2), AX_OK);
        CHECK_EQ(ax_g726_new(&d, aal2), AX_OK);
        fill(300, 8000);
        CHECK_EQ(ax_g726_encode(e, in, 1, octets), AX_E_FORMAT);
        CHECK_EQ(ax_g726_encode(e, in, N, octets), N / 2);
        CHECK_EQ(ax_g726_decode(d, octets, N / 2, out), N);
        CHECK(snr(0) > 20);
        /* The other packing is the same with halves changed. */
        ax_g726_reset(d);
        for (int i = 0; i < N / 2; i++)
            octets[i] = (uint8_t)(octets[i] << 4 | octets[i] >> 4);
        ax_g726_free(e);
        CHECK_EQ(ax_g726_new(&e, !aal2), AX_OK);
        CHECK_EQ(ax_g726_decode(e, octets, N / 2, out), N);
        CHECK(snr(0) > 20);
        ax_g726_free(e);
        ax_g726_free(d);
    }
    CHECK_EQ(ax_g726_new(NULL, false), AX_E_ARG);
}

static void conceal(uint32_t rate)
{
    struct ax_plc *p = NULL;
    const int n = (int)rate / 50;
    CHECK_EQ(ax_plc_new(&p, rate), AX_OK);
    fill(150, rate); /* 150 Hz and 405 Hz: common period 66 ms, near period 6.7 ms */
    for (int i = 0; i + n <= N / 2; i += n)
        CHECK_EQ(ax_plc_good(p, in + i, (size_t)n), AX_OK);
    const int last = N / 2 / n * n;
    CHECK_EQ(ax_plc_lost(p, out, (size_t)n), AX_OK);
    int step = abs(out[0] - in[last - 1]), steepest = 0;
    for (int i = 1; i < last; i++)
        steepest = abs(in[i] - in[i - 1]) > steepest ? abs(in[i] - in[i - 1]) : steepest;
    CHECK(step <= steepest + 200);
    double energy = 0;
    for (int i = 0; i < n / 2; i++)
        energy += (double)out[i] * out[i];
    CHECK(energy / (n / 2) > 9e6); /* It goes on. */
    for (int i = 0; i < 3; i++)
        CHECK_EQ(ax_plc_lost(p, out, (size_t)n), AX_OK);
    CHECK_EQ(out[n - 1], 0); /* After 60 ms it is silent. */
    memcpy(out, in, (size_t)n * sizeof *in);
    CHECK_EQ(ax_plc_good(p, out, (size_t)n), AX_OK);
    CHECK(abs(out[0]) <= abs(in[0]) + 1);
    CHECK_EQ(out[n - 1], in[n - 1]);
    ax_plc_reset(p);
    CHECK_EQ(ax_plc_lost(p, out, (size_t)n), AX_OK);
    CHECK_EQ(out[0], 0);
    CHECK_EQ(ax_plc_good(p, NULL, 1), AX_E_ARG);
    ax_plc_free(p);
}

int main(void)
{
    struct ax_plc *p = NULL;
    g722();
    g726();
    conceal(8000);
    conceal(16000);
    conceal(48000);
    CHECK_EQ(ax_plc_new(&p, 7000), AX_E_RANGE);
    CHECK_EQ(ax_plc_new(&p, 8001), AX_E_RANGE);
    return ax_test_done();
}
