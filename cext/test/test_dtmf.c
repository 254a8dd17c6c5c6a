/* DTMF by Q.24: what must be heard and what not, for every key and rate, and that the pieces do not matter. */
#include "ax/dtmf.h"

#include "ax/err.h"
#include "ax/tone.h"
#include "ax_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 48000 };

static const double ROW[4] = {697, 770, 852, 941}, COLUMN[4] = {1209, 1336, 1477, 1633};
static int16_t x[MOST];
static struct ax_dtmf_event events[1000];

static void burst(uint32_t rate, int key, double ms, double beside, double twist_db, double dbm0)
{
    const double a = 32767 * pow(10, (dbm0 - 3.14) / 20), b = a * pow(10, twist_db / 20);
    const int from = (int)rate / 10 + 13 * key, n = (int)(ms * rate / 1000);
    memset(x, 0, sizeof x);
    for (int i = 0; i < n; i++) {
        const double t = 2 * M_PI * (1 + beside) * i / rate;
        x[from + i] = (int16_t)lrint(a * sin(ROW[key / 4] * t + key) + b * sin(COLUMN[key % 4] * t + 0.7 * key));
    }
}

/* How many keys went down; -1 when one was wrong. */
static int heard(uint32_t rate, int key)
{
    struct ax_dtmf *d = NULL;
    int downs = 0;
    CHECK_EQ(ax_dtmf_new(&d, rate), AX_OK);
    const int n = ax_dtmf_feed(d, x, rate / 2, events, 1000);
    for (int i = 0; i < n; i++) {
        if (events[i].key != AX_DTMF_KEYS[key])
            downs = -1000;
        downs += events[i].duration == 0;
    }
    ax_dtmf_free(d);
    return downs;
}

static void q24(uint32_t rate)
{
    for (int key = 0; key < 16; key++) {
        static const double TWIST[3] = {0, 4, -8}, BESIDE[3] = {0, 0.015, -0.015};
        for (int i = 0; i < 9; i++) {
            burst(rate, key, 40, BESIDE[i % 3], TWIST[i / 3], i / 3 == 2 ? -22 : -30);
            CHECK_EQ(heard(rate, key), 1);
        }
        burst(rate, key, 20, 0, 0, -10);
        CHECK_EQ(heard(rate, key), 0);
        burst(rate, key, 100, 0.035, 0, -10);
        CHECK_EQ(heard(rate, key), 0);
        burst(rate, key, 100, -0.035, 0, -10);
        CHECK_EQ(heard(rate, key), 0);
        burst(rate, key, 100, 0, 0, -45);
        CHECK_EQ(heard(rate, key), 0);
        burst(rate, key, 300, 0, 0, -10);
        memset(x + rate / 5, 0, rate / 100 * sizeof *x); /* An interruption of 10 ms makes no second key. */
        CHECK_EQ(heard(rate, key), 1);
    }
}

static void pieces(void)
{
    struct ax_dtmf *one = NULL, *many = NULL;
    struct ax_dtmf_event other[64];
    int n = 0;
    burst(8000, 5, 80, 0, 0, -10);
    CHECK_EQ(ax_dtmf_new(&one, 8000), AX_OK);
    CHECK_EQ(ax_dtmf_new(&many, 8000), AX_OK);
    CHECK_EQ(ax_dtmf_feed(one, x, 8000, events, 1000), 2);
    for (int i = 0, part = 1; i < 8000; i += part, part = part % 97 + 1) {
        part = i + part > 8000 ? 8000 - i : part;
        const int got = ax_dtmf_feed(many, x + i, (size_t)part, other + n, 8);
        CHECK(got >= 0);
        n += got;
        if (n == 1)
            CHECK_EQ(ax_dtmf_key(many), '5');
    }
    CHECK_EQ(n, 2);
    for (int i = 0; i < 2; i++)
        CHECK(events[i].at == other[i].at && events[i].duration == other[i].duration && events[i].key == other[i].key);
    CHECK(labs((long)events[0].at - (800 + 65)) <= 40);
    CHECK(labs((long)events[1].duration - 640) <= 80);
    CHECK_EQ(ax_dtmf_key(many), 0);
    CHECK_EQ(ax_dtmf_feed(one, x, 8000, events, 100), AX_E_FULL);
    ax_dtmf_reset(one);
    CHECK_EQ(ax_dtmf_feed(one, x, 8000, events, 1000), 2);
    ax_dtmf_free(one);
    ax_dtmf_free(many);
    CHECK_EQ(ax_dtmf_new(&one, 44100), AX_E_RANGE);
    CHECK_EQ(ax_dtmf_new(NULL, 8000), AX_E_ARG);
}

static void tones(void)
{
    struct ax_tone *t = NULL;
    struct ax_tone_segment s[2] = {{.duration_us = 100000, .mhz = {697000, 1209000}, .amplitude = {0.4f, 0.4f}},
                                   {.duration_us = 50000}};
    int16_t whole[3000], part[3000];
    CHECK_EQ(ax_tone_new(&t, s, 2, true, 8000), AX_OK);
    CHECK_EQ(ax_tone_length(t), 1200);
    CHECK_EQ(ax_tone_render(t, 0, whole, 3000), 3000);
    for (uint64_t i = 0; i < 3000; i += 7)
        CHECK(ax_tone_render(t, i, part + i, i + 7 > 3000 ? 3000 - i : 7) > 0);
    CHECK(memcmp(whole, part, sizeof whole) == 0);
    CHECK(memcmp(whole, whole + 1200, 1200 * sizeof *whole) == 0);
    CHECK_EQ(whole[900], 0);
    for (int i = 20; i < 780; i++) {
        const double u = 2 * M_PI * i / 8000;
        CHECK(fabs(whole[i] - 0.4 * 32767 * (sin(697 * u) + sin(1209 * u))) < 1.6);
    }
    ax_tone_free(t);
    CHECK_EQ(ax_tone_new(&t, s, 2, false, 8000), AX_OK);
    CHECK_EQ(ax_tone_render(t, 1000, whole, 3000), 200);
    CHECK_EQ(whole[2999], 0);
    ax_tone_free(t);
    s[0].amplitude[0] = 0.7f;
    CHECK_EQ(ax_tone_new(&t, s, 2, false, 8000), AX_E_RANGE);
    s[0].amplitude[0] = NAN;
    CHECK_EQ(ax_tone_new(&t, s, 2, false, 8000), AX_E_RANGE);
    s[0].duration_us = 10;
    CHECK_EQ(ax_tone_new(&t, s, 2, false, 8000), AX_E_RANGE);
    CHECK_EQ(ax_tone_new(&t, s, 0, false, 8000), AX_E_RANGE);
    CHECK_EQ(ax_tone_new(&t, NULL, 1, false, 8000), AX_E_ARG);
}

int main(void)
{
    q24(8000);
    q24(16000);
    q24(32000);
    q24(48000);
    pieces();
    tones();
    return ax_test_done();
}
