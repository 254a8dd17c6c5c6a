/* Frames that the I/O core sends: exact on time, stretched and never damaged when late (ax/io.h, ax_io_send). */
#include "ax/err.h"
#include "ax/wiegand.h"
#include "io_recorder.h"

#define US UINT64_C(1000)

static struct ax_io_frame frame_of(uint64_t bits, uint32_t nbits)
{
    struct ax_io_frame frame = {.output = {0, 1}, .bits = {bits}, .nbits = nbits};
    frame.timing = (struct ax_wiegand_timing){.pulse_ns = 50 * US, .interval_ns = 2 * MS, .gap_ns = 50 * MS};
    return frame;
}

/* Pins that were written, without events: bits have none. */
static void expect_bit(uint64_t t_ns, uint32_t output, bool active)
{
    const struct pin *pin = &pins[read_pins++ % LOG];
    CHECK_EQ(pin->t_ns, t_ns);
    CHECK_EQ(pin->output, output);
    CHECK_EQ(pin->active, active);
    CHECK_EQ(pin->level, active != (output == 1)); /* normal of the second is high */
}

static void test_on_time(void)
{
    struct ax_io_frame frame = frame_of(0x5, 4); /* 0101 */
    begin();
    CHECK(!ax_io_sending(io));
    CHECK_EQ(ax_io_send(io, 100 * MS, &frame), AX_OK);
    CHECK(ax_io_sending(io));
    CHECK_EQ(ax_io_send(io, 100 * MS, &frame), AX_E_STATE);
    for (uint64_t t_ns = 100 * MS; t_ns <= 200 * MS; t_ns += 10 * US)
        ax_io_advance(io, t_ns);
    for (uint32_t i = 0; i < 4; i++) {
        expect_bit(100 * MS + i * 2 * MS, i & 1, true);
        expect_bit(100 * MS + i * 2 * MS + 50 * US, i & 1, false);
    }
    CHECK(!ax_io_sending(io));
    CHECK_EQ(ax_io_deadline(io), AX_NEVER);
    end();
}

static void test_gap(void)
{
    struct ax_io_frame frame = frame_of(1, 1);
    begin();
    ax_io_send(io, 0, &frame);
    ax_io_advance(io, 50 * US + 50 * MS - 1);
    CHECK(ax_io_sending(io)); /* the gap belongs to the frame */
    ax_io_advance(io, 50 * US + 50 * MS);
    CHECK(!ax_io_sending(io));
    CHECK_EQ(ax_io_send(io, 60 * MS, &frame), AX_OK);
    expect_bit(0, 1, true);
    expect_bit(50 * US, 1, false);
    expect_bit(60 * MS, 1, true);
    ax_io_rest(io, 60 * MS + 10 * US); /* the end of the thread: no bit stays on a line */
    expect_bit(60 * MS + 10 * US, 1, false);
    CHECK(!ax_io_sending(io));
    end();
}

static void test_long_frame_most_significant_bit_first(void)
{
    struct ax_io_frame frame = frame_of(1, 256);
    frame.bits[3] = UINT64_C(1) << 63;
    begin();
    ax_io_send(io, 0, &frame);
    ax_io_advance(io, 5000 * MS);
    CHECK_EQ(n_pins, 512);
    CHECK_EQ(pins[510 % LOG].output, 1); /* the last bit; the log went round once */
    CHECK_EQ(pins[508 % LOG].output, 0);
    read_pins = n_pins;
    ax_io_send(io, 6000 * MS, &frame);
    ax_io_advance(io, 6000 * MS + 3 * MS);
    expect_bit(6000 * MS, 1, true); /* the first */
    expect_bit(6000 * MS + 50 * US, 1, false);
    expect_bit(6002 * MS, 0, true);
    expect_bit(6002 * MS + 50 * US, 0, false);
    ax_io_rest(io, 6003 * MS);
    end();
}

/* A thread that is late in every way never makes a pulse, a rest or an interval shorter: a decoder gets the frame. */
static void test_late(void)
{
    struct ax_wiegand_config config;
    struct ax_wiegand *decoder;
    struct ax_wiegand_frame got[1];
    struct ax_edge edges[64];
    struct ax_io_frame frame = frame_of(0x2A5F31B, 26);
    begin();
    ax_wiegand_defaults(&config);
    CHECK_EQ(ax_wiegand_new(&decoder, &config), AX_OK);
    uint64_t now_ns = 10 * MS, random = 1;
    ax_io_send(io, now_ns, &frame);
    while (ax_io_sending(io)) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        late_ns = (random >> 40) % (300 * US); /* a write takes up to 0.3 ms ... */
        now_ns = ax_io_deadline(io) + ((random >> 20) % 4 == 0 ? 0 : (random >> 33) % (50 * US)); /* ... a wake-up 50 us */
        ax_io_advance(io, now_ns);
    }
    CHECK_EQ(n_pins, 52);
    for (size_t i = 0; i < 52; i++) {
        edges[i] = (struct ax_edge){pins[i].t_ns, pins[i].output, !pins[i].active};
        if (i > 0)
            CHECK(edges[i].t_ns >= edges[i - 1].t_ns + 50 * US);
        if (i > 1 && i % 2 == 0)
            CHECK(edges[i].t_ns >= edges[i - 2].t_ns + 2 * MS);
    }
    size_t consumed;
    int count = ax_wiegand_feed(decoder, edges, 52, got, 1, &consumed);
    if (count == 0)
        count = ax_wiegand_advance(decoder, now_ns, got);
    CHECK_EQ(count, 1);
    CHECK(got[0].result == 0 && got[0].nbits == 26 && got[0].bits[0] == 0x2A5F31B);
    ax_wiegand_free(decoder);
    read_pins = n_pins;
    end();
}

static void test_claims(void)
{
    struct ax_io_frame frame = frame_of(0, 2);
    begin();
    ax_io_send(io, 0, &frame);
    expect_bit(0, 0, true);
    ax_io_fault(io, 10 * US, 0, 0); /* a fault of a line ends the frame */
    expect_bit(10 * US, 0, false);
    CHECK(!ax_io_sending(io));
    CHECK_EQ(ax_io_send(io, 1 * MS, &frame), AX_OK);
    expect_bit(1 * MS, 0, true);
    ax_io_advance(io, 1 * MS + 60 * US);
    expect_bit(1 * MS + 50 * US, 0, false);
    struct ax_io_output_config config = {0};
    CHECK_EQ(ax_io_configure_output(io, 2 * MS, 0, &config), AX_OK);
    CHECK(!ax_io_sending(io));
    ax_io_advance(io, 100 * MS);
    end();
}

static void test_bad_arguments(void)
{
    begin();
    struct ax_io_frame frame = frame_of(1, 26);
    CHECK_EQ(ax_io_send(NULL, 0, &frame), AX_E_ARG);
    CHECK_EQ(ax_io_send(io, 0, NULL), AX_E_ARG);
    CHECK_EQ(ax_io_send(io, AX_NEVER, &frame), AX_E_RANGE);
    frame.output[1] = 2;
    CHECK_EQ(ax_io_send(io, 0, &frame), AX_E_RANGE);
    frame.output[1] = 0;
    CHECK_EQ(ax_io_send(io, 0, &frame), AX_E_RANGE);
    frame = frame_of(1, 0);
    CHECK_EQ(ax_io_send(io, 0, &frame), AX_E_RANGE);
    frame = frame_of(1, AX_WIEGAND_MAX_BITS + 1);
    CHECK_EQ(ax_io_send(io, 0, &frame), AX_E_RANGE);
    frame = frame_of(1, 26);
    frame.timing.interval_ns = frame.timing.pulse_ns;
    CHECK_EQ(ax_io_send(io, 0, &frame), AX_E_RANGE);
    frame = frame_of(1, 26);
    frame.timing.pulse_ns = 0;
    CHECK_EQ(ax_io_send(io, 0, &frame), AX_E_RANGE);
    CHECK(!ax_io_sending(io) && !ax_io_sending(NULL));
    end();
}

int main(void)
{
    test_on_time();
    test_gap();
    test_long_frame_most_significant_bit_first();
    test_late();
    test_claims();
    test_bad_arguments();
    return ax_test_done();
}
