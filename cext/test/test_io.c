/* The I/O core with a made-up clock: every claim, every end of a claim, and time that comes late. */
#include "ax/err.h"
#include "io_recorder.h"

static void test_init_is_silent(void)
{
    begin();
    CHECK_EQ(ax_io_deadline(io), AX_NEVER);
    CHECK_EQ(ax_io_advance(io, 1000 * MS), AX_OK);
    for (uint32_t i = 0; i < 3; i++)
        CHECK(!ax_io_input_active(io, i));
    for (uint32_t i = 0; i < 2; i++)
        CHECK(!ax_io_output_active(io, i));
    end();
}

static void test_debounce(void)
{
    begin();
    ax_io_input(io, 100 * MS, 1, false, 7);
    CHECK_EQ(ax_io_deadline(io), 110 * MS);
    ax_io_input(io, 104 * MS, 1, true, 7); /* bounce */
    CHECK_EQ(ax_io_deadline(io), AX_NEVER);
    ax_io_input(io, 105 * MS, 1, false, 8);
    ax_io_input(io, 107 * MS, 1, false, 9); /* says nothing new */
    ax_io_advance(io, 115 * MS - 1);
    CHECK(!ax_io_input_active(io, 1));
    ax_io_advance(io, 115 * MS);
    expect_input(115 * MS, 1, 1, 8);
    CHECK(ax_io_input_active(io, 1));
    ax_io_input(io, 200 * MS, 2, true, 1); /* no debounce: at once */
    expect_input(200 * MS, 2, 1, 1);
    /* A late thread gets a pulse as long as the debounce time and its end in one go: it counts, at its own times. */
    ax_io_advance(io, 330 * MS);
    ax_io_input(io, 300 * MS, 0, false, 4);
    ax_io_input(io, 305 * MS, 0, true, 5);
    expect_input(330 * MS, 0, 1, 4);
    expect_pin(330 * MS, 0, true, AX_IO_BY_REX, 4);
    ax_io_advance(io, 330 * MS);
    expect_input(330 * MS, 0, 0, 5);
    end();
}

static void test_rex(void)
{
    begin();
    ax_io_input(io, 0, 0, false, 3);
    ax_io_advance(io, 5 * MS);
    expect_input(5 * MS, 0, 1, 3);
    expect_pin(5 * MS, 0, true, AX_IO_BY_REX, 3);
    CHECK_EQ(ax_io_deadline(io), AX_NEVER); /* open as long as it is pressed */
    ax_io_set(io, 20 * MS, 0, true, 1);
    ax_io_set(io, 21 * MS, 0, false, 1);
    ax_io_pulse(io, 22 * MS, 0, false, 10 * MS, 1); /* nothing closes it */
    ax_io_hold(io, 23 * MS, 0, true, false, 1);
    ax_io_fault(io, 24 * MS, 0, 1);
    CHECK(ax_io_output_active(io, 0));
    ax_io_input(io, 100 * MS, 0, true, 4);
    ax_io_advance(io, 106 * MS);
    expect_input(105 * MS, 0, 0, 4);
    CHECK_EQ(ax_io_deadline(io), 5005 * MS);
    ax_io_input(io, 1000 * MS, 0, false, 5); /* pressed again: longer */
    ax_io_input(io, 1100 * MS, 0, true, 6);
    ax_io_advance(io, 5005 * MS);
    expect_input(1005 * MS, 0, 1, 5);
    expect_input(1105 * MS, 0, 0, 6);
    ax_io_advance(io, 9000 * MS);
    expect_pin(6005 * MS, 0, false, AX_IO_BY_REX_END, 5);
    ax_io_input(io, 10000 * MS, 0, false, 7); /* held longer than the time: closes on release */
    ax_io_input(io, 20000 * MS, 0, true, 8);
    ax_io_advance(io, 30000 * MS);
    expect_input(10005 * MS, 0, 1, 7);
    expect_pin(10005 * MS, 0, true, AX_IO_BY_REX, 7);
    expect_input(20005 * MS, 0, 0, 8);
    expect_pin(20005 * MS, 0, false, AX_IO_BY_REX_END, 7);
    end();
}

static void test_pulse(void)
{
    begin();
    CHECK_EQ(ax_io_pulse(io, 0, 1, true, 0, 1), AX_E_RANGE);
    ax_io_pulse(io, 0, 1, true, 100 * MS, 1);
    expect_pin(0, 1, true, AX_IO_BY_PULSE, 1);
    CHECK(!pins[0].level); /* normal is high */
    ax_io_pulse(io, 10 * MS, 1, true, 20 * MS, 2); /* never shortens */
    CHECK_EQ(ax_io_deadline(io), 100 * MS);
    ax_io_pulse(io, 50 * MS, 1, true, 100 * MS, 3); /* extends */
    ax_io_advance(io, 149 * MS);
    CHECK(ax_io_output_active(io, 1));
    ax_io_advance(io, 1000 * MS); /* late: still the right time */
    expect_pin(150 * MS, 1, false, AX_IO_BY_PULSE_END, 3);
    ax_io_pulse(io, 2000 * MS, 1, true, 500 * MS, 4);
    expect_pin(2000 * MS, 1, true, AX_IO_BY_PULSE, 4);
    ax_io_pulse(io, 2100 * MS, 1, false, 50 * MS, 5); /* the other state replaces it */
    expect_pin(2100 * MS, 1, false, AX_IO_BY_PULSE, 5);
    CHECK_EQ(ax_io_deadline(io), 2150 * MS);
    ax_io_advance(io, 2150 * MS);
    CHECK_EQ(ax_io_deadline(io), AX_NEVER);
    ax_io_pulse(io, 3000 * MS, 1, true, AX_NEVER, 6); /* without end */
    expect_pin(3000 * MS, 1, true, AX_IO_BY_PULSE, 6);
    CHECK_EQ(ax_io_deadline(io), AX_NEVER);
    ax_io_advance(io, AX_NEVER - 1);
    end();
}

static void test_claims_and_what_is_below(void)
{
    begin();
    ax_io_hold(io, 0, 0, true, true, 1);
    expect_pin(0, 0, true, AX_IO_BY_HOLD, 1);
    ax_io_set(io, 1 * MS, 0, true, 2);
    ax_io_pulse(io, 2 * MS, 0, false, 10 * MS, 3);
    expect_pin(2 * MS, 0, false, AX_IO_BY_PULSE, 3);
    ax_io_hold(io, 3 * MS, 0, false, false, 4);
    ax_io_advance(io, 12 * MS);
    expect_pin(12 * MS, 0, true, AX_IO_BY_PULSE_END, 3);
    ax_io_set(io, 13 * MS, 0, false, 5);
    expect_pin(13 * MS, 0, false, AX_IO_BY_SET, 5);
    end();
}

static void test_sequence(void)
{
    const struct ax_io_step steps[] = {{10 * MS, 1}, {20 * MS, 0}, {0, 1}, {0, 0}, {30 * MS, 1}};
    const struct ax_io_step bad = {0, 2};
    begin();
    CHECK_EQ(ax_io_sequence(io, 0, 0, NULL, 1, 0), AX_E_ARG);
    CHECK_EQ(ax_io_sequence(io, 0, 0, steps, 0, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_sequence(io, 0, 0, steps, AX_IO_MAX_SEQUENCE + 1, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_sequence(io, 0, 0, &bad, 1, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_sequence(io, 0, 9, steps, 1, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_sequence(io, 0, 0, steps, 5, 9), AX_OK);
    expect_pin(0, 0, true, AX_IO_BY_SEQUENCE, 9);
    CHECK_EQ(ax_io_sequence(io, 5 * MS, 0, steps, 5, 10), AX_E_STATE);
    ax_io_advance(io, 1000 * MS);
    expect_pin(10 * MS, 0, false, AX_IO_BY_SEQUENCE, 9);
    expect_pin(30 * MS, 0, true, AX_IO_BY_SEQUENCE, 9);
    expect_pin(30 * MS, 0, false, AX_IO_BY_SEQUENCE, 9);
    expect_pin(30 * MS, 0, true, AX_IO_BY_SEQUENCE, 9);
    expect_sequence_end(60 * MS, 0, 1, 9);
    CHECK(ax_io_output_active(io, 0)); /* the last state stays */
    /* A newer pulse wins over a sequence, a newer sequence over a pulse; ends at one moment make no blink. */
    ax_io_sequence(io, 2000 * MS, 0, (struct ax_io_step[]){{50 * MS, 0}}, 1, 11);
    expect_pin(2000 * MS, 0, false, AX_IO_BY_SEQUENCE, 11);
    ax_io_pulse(io, 2010 * MS, 0, true, 40 * MS, 12);
    expect_pin(2010 * MS, 0, true, AX_IO_BY_PULSE, 12);
    ax_io_advance(io, 2050 * MS);
    expect_pin(2050 * MS, 0, false, AX_IO_BY_PULSE_END, 12);
    expect_sequence_end(2050 * MS, 0, 1, 11);
    ax_io_pulse(io, 3000 * MS, 0, true, 100 * MS, 13);
    expect_pin(3000 * MS, 0, true, AX_IO_BY_PULSE, 13);
    ax_io_sequence(io, 3010 * MS, 0, (struct ax_io_step[]){{50 * MS, 0}}, 1, 14);
    expect_pin(3010 * MS, 0, false, AX_IO_BY_SEQUENCE, 14);
    ax_io_sequence(io, 3010 * MS, 1, (struct ax_io_step[]){{0, 0}}, 1, 15);
    expect_sequence_end(3010 * MS, 1, 1, 15);
    ax_io_fault(io, 3020 * MS, 0, 16);
    expect_sequence_end(3020 * MS, 0, 0, 14);
    end();
}

static void test_fault_configure_rest(void)
{
    begin();
    ax_io_fault(io, 0, 1, 5);
    expect_pin(0, 1, true, AX_IO_BY_FAULT, 5);
    struct ax_io_output_config config = {.normal_high = 0};
    ax_io_configure_output(io, 1 * MS, 1, &config); /* active was low, normal is low now: told though the level stays */
    expect_pin(1 * MS, 1, false, AX_IO_BY_CONFIG, 0);
    CHECK(!pins[read_pins - 1].level);
    config.normal_high = 1; /* the rest level changes under a pin at rest */
    ax_io_configure_output(io, 2 * MS, 1, &config);
    expect_pin(2 * MS, 1, false, AX_IO_BY_CONFIG, 0);
    CHECK(pins[read_pins - 1].level);
    ax_io_hold(io, 3 * MS, 1, true, true, 6);
    expect_pin(3 * MS, 1, true, AX_IO_BY_HOLD, 6);
    ax_io_set(io, 3 * MS, 0, true, 7);
    expect_pin(3 * MS, 0, true, AX_IO_BY_SET, 7);
    ax_io_input(io, 3 * MS, 0, false, 8);
    ax_io_advance(io, 8 * MS);
    expect_input(8 * MS, 0, 1, 8);
    ax_io_configure_output(io, 9 * MS, 0, &(struct ax_io_output_config){0}); /* REX stays */
    CHECK(ax_io_output_active(io, 0));
    CHECK_EQ(ax_io_rest(io, 10 * MS), AX_OK);
    expect_pin(10 * MS, 0, false, AX_IO_BY_STOP, 0);
    expect_pin(10 * MS, 1, false, AX_IO_BY_STOP, 0);
    end();
}

static void test_end(void)
{
    begin();
    ax_io_pulse(io, 0, 0, true, 100 * MS, 1);
    expect_pin(0, 0, true, AX_IO_BY_PULSE, 1);
    CHECK_EQ(ax_io_end(io, 10 * MS, 0, 2), AX_OK);
    expect_pin(10 * MS, 0, false, AX_IO_BY_PULSE_END, 2);
    CHECK_EQ(ax_io_end(io, 11 * MS, 0, 3), AX_OK); /* nothing to end, nothing told */
    ax_io_input(io, 20 * MS, 0, false, 4);
    ax_io_advance(io, 25 * MS);
    expect_input(25 * MS, 0, 1, 4);
    expect_pin(25 * MS, 0, true, AX_IO_BY_REX, 4);
    ax_io_end(io, 30 * MS, 0, 5); /* held: free egress */
    CHECK(ax_io_output_active(io, 0));
    ax_io_input(io, 40 * MS, 0, true, 6);
    ax_io_advance(io, 45 * MS);
    expect_input(45 * MS, 0, 0, 6);
    expect_pin(45 * MS, 0, false, AX_IO_BY_REX_END, 4); /* at once, without its hold time */
    ax_io_set(io, 50 * MS, 0, true, 7);
    expect_pin(50 * MS, 0, true, AX_IO_BY_SET, 7);
    ax_io_end(io, 60 * MS, 0, 8); /* the base stays */
    CHECK(ax_io_output_active(io, 0));
    CHECK_EQ(ax_io_end(io, 60 * MS, 2, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_end(NULL, 0, 0, 0), AX_E_ARG);
    end();
}

static void test_configure_input(void)
{
    struct ax_io_config config = standard();
    begin();
    ax_io_input(io, 0, 0, false, 1);
    config.input[0].debounce_ns = 50 * MS;
    ax_io_configure_input(io, 2 * MS, 0, &config.input[0]);
    CHECK_EQ(ax_io_deadline(io), 52 * MS);
    config.input[0].debounce_ns = 0;
    ax_io_configure_input(io, 3 * MS, 0, &config.input[0]);
    expect_input(3 * MS, 0, 1, 1);
    expect_pin(3 * MS, 0, true, AX_IO_BY_REX, 1);
    config.input[0].rex_output = 1; /* opens the other door from now on; the first one closes on time */
    ax_io_configure_input(io, 10 * MS, 0, &config.input[0]);
    expect_pin(10 * MS, 1, true, AX_IO_BY_REX, 1);
    ax_io_advance(io, 6000 * MS);
    expect_pin(5003 * MS, 0, false, AX_IO_BY_REX_END, 1);
    config.input[0].normal_high = 0; /* normal now: and no other door opens in passing */
    config.input[0].rex_output = 0;
    ax_io_configure_input(io, 7000 * MS, 0, &config.input[0]);
    expect_input(7000 * MS, 0, 0, 1);
    expect_pin(7000 * MS, 1, false, AX_IO_BY_REX_END, 1);
    CHECK_EQ(events[read_events - 2].reason, AX_IO_BY_CONFIG);
    end();
}

static void feed_bits(uint64_t t_ns, uint32_t reader, unsigned bits, int n, uint64_t token)
{
    for (int i = 0; i < n; i++) {
        uint32_t line = bits >> (n - 1 - i) & 1;
        struct ax_edge edges[] = {{t_ns, line, 0}, {t_ns + 50000, line, 1}};
        CHECK_EQ(ax_io_edges(io, reader, edges, 2, token), AX_OK);
        t_ns += 2 * MS;
    }
}

static void expect_frame(uint32_t reader, uint64_t t_ns, unsigned bits, unsigned n, uint64_t token)
{
    const struct ax_io_event *e = &events[read_events++ % LOG];
    CHECK_EQ(e->kind, AX_IO_FRAME);
    CHECK_EQ(e->index, reader);
    CHECK_EQ(e->t_ns, t_ns);
    CHECK_EQ(e->token, token);
    CHECK_EQ(e->frame.result, AX_WIEGAND_FRAME);
    CHECK_EQ(e->frame.nbits, n);
    CHECK_EQ(e->frame.bits[0], bits);
}

static void test_readers(void)
{
    const uint64_t last = 10 * MS + 50000, gap = 25 * MS;
    begin();
    feed_bits(0, 0, 0x2a, 6, 1);
    CHECK_EQ(ax_io_deadline(io), last + gap);
    ax_io_advance(io, 1000 * MS);
    expect_frame(0, last + gap, 0x2a, 6, 1);
    /* The edge that ends a frame belongs to the next one, and so does its token. */
    feed_bits(2000 * MS, 0, 0x15, 6, 2);
    feed_bits(2100 * MS, 0, 0x33, 6, 3);
    expect_frame(0, 2000 * MS + last + gap, 0x15, 6, 2);
    ax_io_advance(io, 3000 * MS);
    expect_frame(0, 2100 * MS + last + gap, 0x33, 6, 3);
    /* Two readers, a late thread: the edges of one do not end the frame of the other. */
    feed_bits(4000 * MS, 0, 7, 3, 4);
    feed_bits(4100 * MS, 1, 9, 4, 5);
    feed_bits(4006 * MS, 0, 0, 3, 4);
    ax_io_advance(io, 5000 * MS);
    expect_frame(0, 4000 * MS + last + gap, 0x38, 6, 4);
    expect_frame(1, 4106 * MS + 50000 + gap, 9, 4, 5);
    /* One call with many frames in it. */
    struct ax_edge burst[6 * 8 * 2];
    for (uint64_t i = 0; i < 48; i++) {
        uint64_t t_ns = 6000 * MS + i / 8 * 100 * MS + i % 8 * 2 * MS;
        burst[2 * i] = (struct ax_edge){t_ns, 1, 0};
        burst[2 * i + 1] = (struct ax_edge){t_ns + 50000, 1, 1};
    }
    CHECK_EQ(ax_io_edges(io, 1, burst, 96, 6), AX_OK);
    ax_io_advance(io, 8000 * MS);
    for (uint64_t i = 0; i < 6; i++)
        expect_frame(1, 6000 * MS + i * 100 * MS + 14 * MS + 50000 + gap, 0xff, 8, 6);
    struct ax_io_config config = standard();
    config.reader[0].expect_bits = 6;
    CHECK_EQ(ax_io_configure_reader(io, 0, &config.reader[0]), AX_OK);
    feed_bits(9000 * MS, 0, 0x2a, 6, 7);
    expect_frame(0, 9000 * MS + last, 0x2a, 6, 7);
    CHECK_EQ(ax_io_edges(io, 0, NULL, 0, 0), AX_OK);
    end();
}

static void test_keys(void)
{
    begin();
    CHECK_EQ(ax_io_key(io, 5, 2, '#', 3), AX_OK);
    CHECK_EQ(events[0].kind, AX_IO_KEY);
    CHECK_EQ(events[0].index, 2);
    CHECK_EQ(events[0].value, '#');
    CHECK_EQ(events[0].token, 3);
    read_events++;
    CHECK_EQ(ax_io_key(io, 5, 2, 'x', 3), AX_E_RANGE);
    CHECK_EQ(ax_io_key(io, 5, 2, '\0', 3), AX_E_RANGE);
    CHECK_EQ(ax_io_key(io, AX_NEVER, 2, '1', 3), AX_E_RANGE);
    CHECK_EQ(ax_io_key(NULL, 5, 2, '1', 3), AX_E_ARG);
    end();
}

/* A REX, two pulses and a sequence that all fell due while nobody looked come out in the order of their times. */
static void test_late_advance_keeps_order(void)
{
    begin();
    ax_io_pulse(io, 0, 0, true, 50 * MS, 1);
    ax_io_pulse(io, 0, 1, true, 20 * MS, 2);
    ax_io_input(io, 40 * MS, 0, false, 3);
    ax_io_advance(io, 100000 * MS);
    expect_pin(0, 0, true, AX_IO_BY_PULSE, 1);
    expect_pin(0, 1, true, AX_IO_BY_PULSE, 2);
    expect_pin(20 * MS, 1, false, AX_IO_BY_PULSE_END, 2);
    expect_input(45 * MS, 0, 1, 3);
    CHECK(ax_io_output_active(io, 0));
    ax_io_pulse(io, 0, 1, true, 20 * MS, 4); /* time runs backwards: now is the latest time seen */
    expect_pin(100000 * MS, 1, true, AX_IO_BY_PULSE, 4);
    CHECK_EQ(ax_io_deadline(io), 100020 * MS);
    end();
}

static void test_bad_arguments(void)
{
    const struct ax_io_sink sink = {NULL, on_write, on_event}, no_write = {NULL, NULL, on_event}, no_event = {NULL, on_write, NULL};
    struct ax_io_config good = standard(), bad;
    struct ax_io *other = NULL;
    const struct ax_edge edge = {AX_NEVER, 0, 0};
    CHECK_EQ(ax_io_new(NULL, &good, &sink), AX_E_ARG);
    CHECK_EQ(ax_io_new(&other, NULL, &sink), AX_E_ARG);
    CHECK_EQ(ax_io_new(&other, &good, NULL), AX_E_ARG);
    CHECK_EQ(ax_io_new(&other, &good, &no_write), AX_E_ARG);
    CHECK_EQ(ax_io_new(&other, &good, &no_event), AX_E_ARG);
#define REFUSED(change) do { bad = good; bad.change; CHECK_EQ(ax_io_new(&other, &bad, &sink), AX_E_RANGE); } while (0)
    REFUSED(inputs = AX_IO_MAX_INPUTS + 1);
    REFUSED(outputs = AX_IO_MAX_OUTPUTS + 1);
    REFUSED(readers = AX_IO_MAX_READERS + 1);
    REFUSED(input[1].rex_output = 2);
    REFUSED(output[0].normal_high = 2);
    REFUSED(reader[1].min_bits = 0);
    CHECK(other == NULL);
    ax_io_free(NULL);
    begin();
    CHECK_EQ(ax_io_input(NULL, 0, 0, true, 0), AX_E_ARG);
    CHECK_EQ(ax_io_input(io, 0, 3, true, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_input(io, AX_NEVER, 0, true, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_edges(NULL, 0, &edge, 1, 0), AX_E_ARG);
    CHECK_EQ(ax_io_edges(io, 0, NULL, 1, 0), AX_E_ARG);
    CHECK_EQ(ax_io_edges(io, 2, &edge, 1, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_edges(io, 0, &edge, 1, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_set(NULL, 0, 0, true, 0), AX_E_ARG);
    CHECK_EQ(ax_io_set(io, 0, 2, true, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_pulse(io, 0, 2, true, 1, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_hold(io, 0, 2, true, true, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_fault(io, 0, 2, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_configure_input(io, 0, 0, NULL), AX_E_ARG);
    CHECK_EQ(ax_io_configure_input(io, 0, 3, &good.input[0]), AX_E_RANGE);
    CHECK_EQ(ax_io_configure_input(io, AX_NEVER, 0, &good.input[0]), AX_E_RANGE);
    CHECK_EQ(ax_io_configure_output(io, 0, 0, NULL), AX_E_ARG);
    CHECK_EQ(ax_io_configure_output(io, 0, 2, &good.output[0]), AX_E_RANGE);
    CHECK_EQ(ax_io_configure_output(io, 0, 0, &(struct ax_io_output_config){.fault_active = 2}), AX_E_RANGE);
    CHECK_EQ(ax_io_configure_reader(io, 0, NULL), AX_E_ARG);
    CHECK_EQ(ax_io_configure_reader(io, 2, &good.reader[0]), AX_E_RANGE);
    CHECK_EQ(ax_io_advance(NULL, 0), AX_E_ARG);
    CHECK_EQ(ax_io_rest(NULL, 0), AX_E_ARG);
    CHECK_EQ(ax_io_deadline(NULL), AX_NEVER);
    CHECK(!ax_io_input_active(io, 3) && !ax_io_output_active(io, 2));
    CHECK(!ax_io_input_active(NULL, 0) && !ax_io_output_active(NULL, 0));
    end();
}

int main(void)
{
    test_init_is_silent();
    test_debounce();
    test_rex();
    test_pulse();
    test_claims_and_what_is_below();
    test_sequence();
    test_fault_configure_rest();
    test_end();
    test_configure_input();
    test_readers();
    test_keys();
    test_late_advance_keeps_order();
    test_bad_arguments();
    return ax_test_done();
}
