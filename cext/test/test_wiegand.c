/* The decoder: good frames, every typed error, limits at +-1 ns, and that one burst gives one result. */
#include "ax/wiegand.h"

#include "ax/err.h"
#include "ax_test.h"

#include <string.h>

#define US 1000ull
#define MS 1000000ull
#define MAX_EDGES 2048
#define CARD "10111101100010001110101110" /* H10301, facility 123, card 4567 */

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

static uint64_t number(const char *text)
{
    uint64_t value = 0;
    for (; *text; text++)
        value = value << 1 | (uint64_t)(*text == '1');
    return value;
}

static struct ax_wiegand *decoder_with(void (*change)(struct ax_wiegand_config *))
{
    struct ax_wiegand_config config;
    struct ax_wiegand *w = NULL;
    ax_wiegand_defaults(&config);
    if (change)
        change(&config);
    CHECK_EQ(ax_wiegand_new(&w, &config), AX_OK);
    return w;
}

/* Feed the trace, then let time pass; returns the number of frames. Empties the trace. */
static int decode(struct ax_wiegand *w)
{
    size_t used = 0;
    int n = ax_wiegand_feed(w, trace, edges, got, 63, &used);
    CHECK_EQ(used, edges);
    edges = 0;
    n += ax_wiegand_advance(w, AX_NEVER - 1, &got[n]);
    CHECK_EQ(ax_wiegand_deadline(w), AX_NEVER);
    return n;
}

static int decode_with(void (*change)(struct ax_wiegand_config *))
{
    struct ax_wiegand *w = decoder_with(change);
    const int n = decode(w);
    ax_wiegand_free(w);
    return n;
}

/* The trace gives exactly one result, and it is this one. */
static void expect_one(int result)
{
    CHECK_EQ(decode_with(NULL), 1);
    CHECK_EQ(got[0].result, result);
}

static void test_good_frame(void)
{
    const uint64_t end = send(5 * MS, CARD, 50 * US, 2 * MS);
    expect_one(AX_WIEGAND_FRAME);
    CHECK_EQ(got[0].nbits, 26);
    CHECK_EQ(got[0].bits[0], number(CARD));
    CHECK_EQ(got[0].t_first_ns, 5 * MS);
    CHECK_EQ(got[0].t_last_ns, end);
    CHECK_EQ(got[0].t_done_ns, end + 25 * MS);
}

static void up_to_256(struct ax_wiegand_config *c)
{
    c->max_bits = 256;
}

/* Every length from the shortest to the longest, bits checked one by one. */
static void test_lengths(void)
{
    for (unsigned n = 4; n <= 256; n++) {
        uint64_t seed = n * 0x9E3779B97F4A7C15ull, t = 0;
        uint8_t sent[256];
        for (unsigned i = 0; i < n; i++, t += MS) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            sent[i] = (uint8_t)(seed >> 63);
            low(t, sent[i], 50 * US);
        }
        struct ax_wiegand *w = decoder_with(up_to_256); /* Edge by edge first: the same result. */
        for (size_t i = 0; i < edges; i++)
            CHECK_EQ(ax_wiegand_feed(w, &trace[i], 1, got, 1, NULL), 0);
        struct ax_wiegand_frame single;
        CHECK_EQ(ax_wiegand_advance(w, AX_NEVER - 1, &single), 1);
        ax_wiegand_free(w);
        CHECK_EQ(decode_with(up_to_256), 1);
        CHECK_EQ(got[0].result, AX_WIEGAND_FRAME);
        CHECK_EQ(got[0].nbits, n);
        CHECK(memcmp(&single, &got[0], sizeof single) == 0);
        unsigned wrong = 0;
        for (unsigned i = 0; i < n; i++)
            wrong += (got[0].bits[(n - 1 - i) / 64] >> (n - 1 - i) % 64 & 1) != sent[i];
        for (unsigned i = n; i < 256; i++)
            wrong += got[0].bits[i / 64] >> i % 64 & 1;
        CHECK_EQ(wrong, 0);
    }
}

static void test_window_limits(void)
{
    static const struct {
        uint64_t width, interval;
        int result;
    } cases[] = {
        {10 * US, MS, AX_WIEGAND_FRAME},       {10 * US - 1, MS, AX_WIEGAND_PULSE}, {5 * US, MS, AX_WIEGAND_PULSE},
        {400 * US, MS, AX_WIEGAND_FRAME},      {400 * US + 1, MS, AX_WIEGAND_PULSE}, {10 * US, 82500, AX_WIEGAND_FRAME},
        {10 * US, 82499, AX_WIEGAND_GAP},      {50 * US, 24 * MS, AX_WIEGAND_FRAME},
        {50 * US, 24 * MS + 1, AX_WIEGAND_GAP}, {50 * US, 25 * MS, AX_WIEGAND_GAP},
        {50 * US, 25 * MS + 50 * US - 1, AX_WIEGAND_GAP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        send(0, "10110", cases[i].width, cases[i].interval);
        expect_one(cases[i].result);
    }
    send(0, "1011", 50 * US, MS); /* A quiet time of exactly the gap: two frames. */
    send(3 * MS + 50 * US + 25 * MS, "0100", 50 * US, MS);
    CHECK_EQ(decode_with(NULL), 2);
    CHECK_EQ(got[0].bits[0], 11);
    CHECK_EQ(got[1].bits[0], 4);
    send(0, "1011", 50 * US, MS); /* One ns less: one burst, and its interval is too long. */
    send(3 * MS + 50 * US + 25 * MS - 1, "0100", 50 * US, MS);
    expect_one(AX_WIEGAND_GAP);
}

static void test_lengths_out_of_range(void)
{
    send(0, "101", 50 * US, MS);
    expect_one(AX_WIEGAND_SHORT);
    CHECK_EQ(got[0].nbits, 3);
    for (int i = 0; i < 129; i++)
        low((uint64_t)i * MS, i & 1, 50 * US);
    expect_one(AX_WIEGAND_LONG);
    CHECK_EQ(got[0].nbits, 128);
}

static void test_glitches_never_matter(void)
{
    low(1 * MS, 0, 1 * US); /* Before the frame: counted, but starts nothing. */
    for (int i = 0; i < 26; i++) {
        const uint64_t t = (uint64_t)(10 + 2 * i) * MS;
        const uint32_t line = CARD[i] == '1';
        edge(t, line, 0);
        low(t + 10 * US, !line, 4999); /* Crosstalk within the pulse. */
        edge(t + 50 * US, line, 1);
        low(t + MS, line, 1 * US);
    }
    struct ax_wiegand *w = decoder_with(NULL);
    CHECK_EQ(decode(w), 1);
    CHECK_EQ(got[0].result, AX_WIEGAND_FRAME);
    CHECK_EQ(got[0].bits[0], number(CARD));
    /* The very first pulse holds one that came before the frame had its first bit. */
    CHECK_EQ(got[0].glitches, 51);
    CHECK_EQ(ax_wiegand_ignored(w), 53);
    ax_wiegand_free(w);

    send(0, "1011", 50 * US, MS); /* A glitch over the end of the gap neither spoils the frame nor delays its time. */
    low(3 * MS + 50 * US + 25 * MS - 1, 0, 4 * US);
    expect_one(AX_WIEGAND_FRAME);
    CHECK_EQ(got[0].t_done_ns, 3 * MS + 50 * US + 25 * MS);
    CHECK_EQ(got[0].glitches, 1);
}

/* A high of less than glitch_ns within a pulse: the pulse goes on. Short lows around a pulse's edges (ringing) are none. */
static void test_glitches_within_a_pulse(void)
{
    for (unsigned n = 4; n < 140; n += 5) { /* over the 64-bit words, in batches and edge by edge */
        uint64_t t = 0, spikes = 0;
        struct ax_wiegand *single = decoder_with(up_to_256);
        struct ax_wiegand_frame one;
        for (unsigned i = 0; i < n; i++, t += MS) {
            const uint32_t line = i % 3 == 0;
            edge(t, line, 0);
            for (unsigned k = 0; k < i % 4; k++, spikes++) {
                edge(t + (10 + 10 * k) * US, line, 1);
                edge(t + (10 + 10 * k) * US + 4999, line, 0);
            }
            edge(t + 50 * US, line, 1);
        }
        for (size_t i = 0; i < edges; i++)
            CHECK_EQ(ax_wiegand_feed(single, &trace[i], 1, &one, 1, NULL), 0);
        CHECK_EQ(ax_wiegand_advance(single, AX_NEVER - 1, &one), 1);
        ax_wiegand_free(single);
        CHECK_EQ(decode_with(up_to_256), 1);
        CHECK(memcmp(&one, got, sizeof one) == 0);
        CHECK_EQ(got[0].result, AX_WIEGAND_FRAME);
        CHECK_EQ(got[0].nbits, n);
        CHECK_EQ(got[0].glitches, spikes);
        CHECK_EQ(got[0].t_last_ns, t - MS + 50 * US);
        for (unsigned i = 0; i < n; i++)
            CHECK_EQ(got[0].bits[(n - 1 - i) / 64] >> (n - 1 - i) % 64 & 1, i % 3 == 0);
    }
    low(0, 0, 7 * US); /* Too short by itself, but only the first part of a pulse. */
    low(9 * US, 0, 41 * US);
    send(MS, "1011", 50 * US, MS);
    expect_one(AX_WIEGAND_FRAME);
    CHECK_EQ(got[0].nbits, 5);
    CHECK_EQ(got[0].t_first_ns, 0);
    CHECK_EQ(got[0].glitches, 0); /* There was no frame yet. */
    low(0, 0, 50 * US); /* 5 us are no glitch. */
    low(55 * US, 0, 50 * US);
    expect_one(AX_WIEGAND_GAP);
    low(0, 0, 200 * US); /* Together the parts are too long, or meet the other line. */
    low(204 * US, 0, 200 * US);
    expect_one(AX_WIEGAND_PULSE);
    low(0, 0, 50 * US);
    edge(52 * US, 1, 0);
    edge(53 * US, 0, 0);
    edge(90 * US, 0, 1);
    edge(95 * US, 1, 1);
    expect_one(AX_WIEGAND_OVERLAP);
}

static void test_overlap(void)
{
    send(0, "1011", 50 * US, MS);
    edge(4 * MS, 0, 0);
    edge(4 * MS + 20 * US, 1, 0);
    edge(4 * MS + 50 * US, 0, 1);
    edge(4 * MS + 70 * US, 1, 1);
    send(6 * MS, "1011", 50 * US, MS);
    expect_one(AX_WIEGAND_OVERLAP);
    edge(0, 0, 0); /* One pulse within the other. */
    low(10 * US, 1, 20 * US);
    edge(60 * US, 0, 1);
    expect_one(AX_WIEGAND_OVERLAP);
    edge(0, 0, 0); /* The later pulse turns out to be a glitch: nothing happened. */
    edge(48 * US, 1, 0);
    edge(50 * US, 0, 1);
    edge(51 * US, 1, 1);
    send(MS, "011", 50 * US, MS);
    expect_one(AX_WIEGAND_FRAME);
    CHECK_EQ(got[0].bits[0], 3);
}

static void test_stuck(void)
{
    struct ax_wiegand *w = decoder_with(NULL);
    send(0, "1011", 50 * US, MS);
    edge(4 * MS, 0, 0);
    size_t used;
    CHECK_EQ(ax_wiegand_feed(w, trace, edges, got, 64, &used), 0);
    edges = 0;
    CHECK_EQ(ax_wiegand_deadline(w), 29 * MS);
    CHECK_EQ(ax_wiegand_advance(w, 29 * MS - 1, got), 0);
    CHECK_EQ(ax_wiegand_advance(w, 29 * MS, got), 1);
    CHECK_EQ(got[0].result, AX_WIEGAND_STUCK);
    CHECK_EQ(ax_wiegand_deadline(w), AX_NEVER);
    send(100 * MS, "1111", 50 * US, MS); /* The other line goes on: still the same burst. */
    edge(200 * MS, 0, 1);
    send(210 * MS, "1111", 50 * US, MS);
    CHECK_EQ(decode(w), 0);
    send(300 * MS, "1010", 50 * US, MS); /* Quiet since 213.05 ms: a new frame. */
    CHECK_EQ(decode(w), 1);
    CHECK_EQ(got[0].result, AX_WIEGAND_FRAME);
    ax_wiegand_free(w);

    edge(0, 1, 0); /* Both lines, nothing before: told from the older fall. */
    edge(MS, 0, 0);
    expect_one(AX_WIEGAND_STUCK);
    CHECK_EQ(got[0].t_first_ns, 0);
    CHECK_EQ(got[0].t_done_ns, 25 * MS);
    edge(0, 0, 0);
    edge(MS, 1, 0);
    expect_one(AX_WIEGAND_STUCK);
    low(0, 0, 25 * MS - 1); /* One ns before it is stuck it is only a wrong pulse. */
    expect_one(AX_WIEGAND_PULSE);
}

static void test_order(void)
{
    send(50 * MS, "1011", 50 * US, MS); /* Time runs backwards, then on from there. */
    send(10 * MS, "1011", 50 * US, MS);
    expect_one(AX_WIEGAND_ORDER);
    CHECK_EQ(got[0].t_first_ns, 10 * MS);
    edge(0, 0, 1); /* A level repeats. */
    expect_one(AX_WIEGAND_ORDER);
    edge(0, 0, 0);
    edge(10 * US, 0, 0);
    edge(60 * US, 0, 1);
    send(MS, "1011", 50 * US, MS);
    expect_one(AX_WIEGAND_ORDER);
    send(0, "1011", 50 * US, MS);
    edge(4 * MS, 2, 0); /* No such line, no such level. */
    send(5 * MS, "1011", 50 * US, MS);
    expect_one(AX_WIEGAND_ORDER);
    send(0, "1011", 50 * US, MS);
    edge(4 * MS, 1, 2);
    expect_one(AX_WIEGAND_ORDER);
    /* A late edge, from before the end of a frame that `advance` has already given: never a frame of its own. */
    struct ax_wiegand *w = decoder_with(NULL);
    send(0, "1011", 50 * US, MS);
    CHECK_EQ(decode(w), 1);
    send(4 * MS, "1011", 50 * US, MS);
    CHECK_EQ(decode(w), 1);
    CHECK_EQ(got[0].result, AX_WIEGAND_ORDER);
    ax_wiegand_free(w);
}

static void only_26(struct ax_wiegand_config *c)
{
    c->expect_bits = 26;
}

static void test_expected_length(void)
{
    const uint64_t end = send(0, CARD, 50 * US, 2 * MS);
    struct ax_wiegand *w = decoder_with(only_26);
    CHECK_EQ(ax_wiegand_feed(w, trace, edges, got, 64, NULL), 1); /* No gap needed. */
    CHECK_EQ(got[0].result, AX_WIEGAND_FRAME);
    CHECK_EQ(got[0].t_done_ns, end);
    edges = 0;
    send(end + MS, "10110111", 50 * US, 2 * MS); /* What hangs on to it is no second frame. */
    CHECK_EQ(decode(w), 0);
    send(200 * MS, "1011", 50 * US, 2 * MS); /* A key after the gap. */
    CHECK_EQ(decode(w), 1);
    CHECK_EQ(got[0].nbits, 4);
    ax_wiegand_free(w);
    send(0, CARD, 50 * US, 2 * MS); /* The other line is low at the end: wait what becomes of it. */
    edge(end - 10 * US, 0, 0);
    struct ax_edge swap = trace[edges - 1];
    trace[edges - 1] = trace[edges - 2];
    trace[edges - 2] = swap;
    const uint32_t line = trace[edges - 1].line;
    trace[edges - 2].line = !line;
    edge(end + 40 * US, !line, 1);
    CHECK_EQ(decode_with(only_26), 1);
    CHECK_EQ(got[0].result, AX_WIEGAND_OVERLAP);
}

/* The same edges one by one, in pieces and at once; with room for one frame at a time. */
static void test_batches(void)
{
    for (int f = 0; f < 8; f++)
        send((uint64_t)f * 200 * MS, f == 3 ? "10" : CARD, 50 * US, 2 * MS);
    struct ax_wiegand *w = decoder_with(NULL);
    size_t done = 0, used;
    int frames = 0;
    while (done < edges) {
        const int n = ax_wiegand_feed(w, trace + done, edges - done, &got[frames], 1, &used);
        CHECK(n == 1 || done + used == edges);
        frames += n;
        done += used;
    }
    CHECK_EQ(frames, 7);
    ax_wiegand_reset(w);
    CHECK_EQ(ax_wiegand_deadline(w), AX_NEVER);
    frames = 0;
    for (size_t i = 0; i < edges; i++) {
        struct ax_wiegand_frame one;
        const int n = ax_wiegand_feed(w, &trace[i], 1, &one, 1, NULL);
        if (n == 1)
            CHECK(memcmp(&one, &got[frames++], sizeof one) == 0);
    }
    CHECK_EQ(frames, 7);
    CHECK_EQ(ax_wiegand_feed(w, trace, edges, NULL, 0, &used), 0);
    CHECK_EQ(used, 0);
    edges = 0;
    ax_wiegand_free(w);
}

static void test_arguments(void)
{
    struct ax_wiegand_config c;
    struct ax_wiegand *w = NULL;
    ax_wiegand_defaults(&c);
    CHECK_EQ(ax_wiegand_new(NULL, &c), AX_E_ARG);
    CHECK_EQ(ax_wiegand_new(&w, NULL), AX_E_ARG);
    CHECK_EQ(ax_wiegand_new(&w, &c), AX_OK);
    CHECK_EQ(ax_wiegand_configure(w, NULL), AX_E_ARG);
    CHECK_EQ(ax_wiegand_configure(NULL, &c), AX_E_ARG);
    CHECK_EQ(ax_wiegand_feed(NULL, NULL, 0, NULL, 0, NULL), AX_E_ARG);
    CHECK_EQ(ax_wiegand_feed(w, NULL, 1, got, 1, NULL), AX_E_ARG);
    CHECK_EQ(ax_wiegand_feed(w, trace, 1, NULL, 1, NULL), AX_E_ARG);
    CHECK_EQ(ax_wiegand_feed(w, NULL, 0, got, SIZE_MAX, NULL), 0);
#define REFUSED(statement)                                                                                             \
    do {                                                                                                               \
        struct ax_wiegand *none = w;                                                                                   \
        ax_wiegand_defaults(&c);                                                                                       \
        statement;                                                                                                     \
        CHECK_EQ(ax_wiegand_configure(w, &c), AX_E_RANGE);                                                             \
        CHECK_EQ(ax_wiegand_new(&none, &c), AX_E_RANGE);                                                               \
        CHECK(none == NULL);                                                                                           \
    } while (0)
    REFUSED(c.glitch_ns = c.min_pulse_ns + 1);
    REFUSED(c.max_pulse_ns = c.min_pulse_ns - 1);
    REFUSED(c.max_pulse_ns = c.frame_gap_ns);
    REFUSED(c.min_interval_ns = c.max_interval_ns + 1);
    REFUSED(c.max_interval_ns = c.frame_gap_ns);
    REFUSED(c.min_bits = 0);
    REFUSED(c.min_bits = 129);
    REFUSED(c.max_bits = 257);
    REFUSED(c.expect_bits = 3);
    REFUSED(c.expect_bits = 129);
    ax_wiegand_free(w);
    ax_wiegand_free(NULL);
}

static void test_configure_drops_the_frame(void)
{
    struct ax_wiegand *w = decoder_with(NULL);
    struct ax_wiegand_config c;
    ax_wiegand_defaults(&c);
    c.min_bits = 1;
    send(0, "101", 50 * US, MS);
    CHECK_EQ(ax_wiegand_feed(w, trace, edges, got, 64, NULL), 0);
    edges = 0;
    CHECK_EQ(ax_wiegand_configure(w, &c), AX_OK);
    send(3 * MS, "111", 50 * US, MS);
    CHECK_EQ(decode(w), 0);
    send(100 * MS, "1", 50 * US, MS);
    CHECK_EQ(decode(w), 1);
    CHECK_EQ(got[0].nbits, 1);
    CHECK_EQ(ax_wiegand_configure(w, &c), AX_OK);
    send(200 * MS, "1", 50 * US, MS);
    CHECK_EQ(decode(w), 1);
    ax_wiegand_free(w);
}

/* Times up to the end of the clock: no overflow makes a frame. */
static void test_end_of_time(void)
{
    struct ax_wiegand *w = decoder_with(NULL);
    const uint64_t t = AX_NEVER - 10 * MS;
    send(t, "1011", 50 * US, MS);
    CHECK_EQ(ax_wiegand_feed(w, trace, edges, got, 64, NULL), 0);
    edges = 0;
    CHECK_EQ(ax_wiegand_deadline(w), AX_NEVER);
    CHECK_EQ(ax_wiegand_advance(w, AX_NEVER - 1, got), 0);
    ax_wiegand_free(w);
    /* Past its end lies the beginning: that is backwards, however near it is. */
    send(t, "1011", 50 * US, 2 * MS);
    send(t + 8 * MS + 4 * MS, "1011", 50 * US, 2 * MS);
    expect_one(AX_WIEGAND_ORDER);
}

int main(void)
{
    test_good_frame();
    test_lengths();
    test_window_limits();
    test_lengths_out_of_range();
    test_glitches_never_matter();
    test_glitches_within_a_pulse();
    test_overlap();
    test_stuck();
    test_order();
    test_expected_length();
    test_batches();
    test_arguments();
    test_configure_drops_the_frame();
    test_end_of_time();
    return ax_test_done();
}
