/* The I/O thread from outside: the tap, the event queue, commands from several threads, planned edges, a GPIO chip made
 * of pipes. Nothing here asserts that something is fast; waits end when the thing happened, and give up after a minute. */
#define _GNU_SOURCE
#include "ax/err.h"
#include "ax/io_thread.h"
#include "ax_test.h"
#include "fake_gpio.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#define MS UINT64_C(1000000)
#define MINUTE (60000 * MS)

static char tap_path[108];
static int tap_fd;

static void open_tap(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval minute = {60, 0};
    snprintf(tap_path, sizeof tap_path, "/tmp/ax-test-tap-%d", (int)getpid());
    strcpy(address.sun_path, tap_path);
    unlink(tap_path);
    tap_fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(bind(tap_fd, (struct sockaddr *)&address, sizeof address), 0);
    setsockopt(tap_fd, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute);
}

static void expect_tap(const char *begins)
{
    char text[256] = "";
    ssize_t length = recv(tap_fd, text, sizeof text - 1, 0);
    CHECK(length > 0 && strncmp(text, begins, strlen(begins)) == 0);
    CHECK(length > 0 && text[length - 1] == '}');
    if (strncmp(text, begins, strlen(begins)) != 0)
        fprintf(stderr, "the tap said %s, expected %s\n", text, begins);
}

static struct ax_io_thread_config standard(void)
{
    struct ax_io_thread_config config = {.io = {.inputs = 2, .outputs = 2, .readers = 2}};
    config.io.input[0] = (struct ax_io_input_config){.debounce_ns = MS, .normal_high = 1, .rex_output = 0, .rex_hold_ns = 5 * MS};
    config.io.input[1] = (struct ax_io_input_config){.normal_high = 1, .rex_output = -1};
    ax_wiegand_defaults(&config.io.reader[0]);
    ax_wiegand_defaults(&config.io.reader[1]);
    strcpy(config.output_name[0], "relay1");
    strcpy(config.output_name[1], "relay2");
    return config;
}

static struct ax_io_thread *launch(const struct ax_io_thread_config *config)
{
    struct ax_io_thread *t = NULL;
    CHECK_EQ(ax_io_thread_new(&t, config), AX_OK);
    CHECK_EQ(ax_io_thread_start(t), AX_OK);
    return t;
}

static struct ax_io_event next(struct ax_io_thread *t)
{
    struct ax_io_event event = {0};
    uint64_t until_ns = ax_monotonic_ns() + MINUTE;
    while (ax_io_thread_drain(t, &event, 1) == 0 && ax_monotonic_ns() < until_ns)
        ax_io_thread_wait(t, 1000 * MS);
    return event;
}

static struct ax_io_event next_of(struct ax_io_thread *t, uint32_t kind)
{
    struct ax_io_event event;
    do
        event = next(t);
    while (event.kind != kind && event.kind != 0);
    CHECK_EQ(event.kind, kind);
    return event;
}

static uint64_t progress(const struct ax_io_thread *t)
{
    struct ax_io_thread_counters counters;
    ax_io_thread_count(t, &counters);
    return counters.progress;
}

static void test_pulse_and_rex_on_the_tap(void)
{
    struct ax_io_thread_config config = standard();
    config.tap_path = tap_path;
    config.fifo_priority = 1; /* granted or not */
    struct ax_io_thread *t = launch(&config);
    config.tap_path = "gone"; /* it was copied */
    uint64_t before_ns = ax_monotonic_ns();
    CHECK_EQ(ax_io_thread_pulse(t, 1, true, 3 * MS, 5), AX_OK);
    expect_tap("{\"io\":\"relay2\",\"active\":true,\"t_ns\":");
    expect_tap("{\"io\":\"relay2\",\"active\":false,\"t_ns\":");
    struct ax_io_event on = next(t), off = next(t);
    CHECK(on.kind == AX_IO_OUTPUT && on.index == 1 && on.value == 1 && on.reason == AX_IO_BY_PULSE && on.token == 5);
    CHECK(off.kind == AX_IO_OUTPUT && off.value == 0 && off.reason == AX_IO_BY_PULSE_END && off.token == 5);
    CHECK(on.t_ns >= before_ns && off.t_ns >= on.t_ns + 3 * MS - MS);
    CHECK_EQ(ax_io_thread_feed_input(t, 0, false, 6), AX_OK);
    expect_tap("{\"io\":\"relay1\",\"active\":true");
    CHECK(ax_io_thread_output_active(t, 0));
    struct ax_io_event pressed = next(t);
    CHECK(pressed.kind == AX_IO_INPUT && pressed.index == 0 && pressed.value == 1 && pressed.token == 6);
    CHECK_EQ(next(t).reason, AX_IO_BY_REX);
    CHECK(ax_io_thread_input_active(t, 0));
    CHECK_EQ(ax_io_thread_feed_input(t, 0, true, 7), AX_OK);
    expect_tap("{\"io\":\"relay1\",\"active\":false");
    struct ax_io_thread_counters counters;
    ax_io_thread_count(t, &counters);
    CHECK_EQ(counters.tap_errors, 0);
    /* A pulse that runs ends with the thread, and is told; a second stop does nothing. */
    CHECK_EQ(ax_io_thread_pulse(t, 1, true, MINUTE, 8), AX_OK);
    expect_tap("{\"io\":\"relay2\",\"active\":true");
    ax_io_thread_stop(t);
    expect_tap("{\"io\":\"relay2\",\"active\":false");
    ax_io_thread_stop(t);
    CHECK_EQ(ax_io_thread_start(t), AX_E_STATE);
    ax_io_thread_free(t);
}

static void test_frames_on_the_tap(void)
{
    struct ax_io_thread_config config = standard();
    config.tap_path = tap_path;
    struct ax_io_thread *t = launch(&config);
    struct ax_io_frame frames[AX_IO_FRAMES + 1];
    for (uint32_t i = 0; i <= AX_IO_FRAMES; i++) {
        frames[i] = (struct ax_io_frame){.output = {0, 1}, .bits = {2 - i % 2}, .nbits = 2};
        frames[i].timing = (struct ax_wiegand_timing){.pulse_ns = 50000, .interval_ns = 200000, .gap_ns = MS};
    }
    CHECK_EQ(ax_io_thread_send(t, frames, AX_IO_FRAMES + 1), AX_E_FULL); /* none is sent */
    CHECK_EQ(ax_io_thread_send(t, NULL, 1), AX_E_ARG);
    CHECK_EQ(ax_io_thread_send(NULL, frames, 1), AX_E_ARG);
    CHECK_EQ(ax_io_thread_send(t, frames, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_send(t, frames, 2), AX_OK);
    static const char *const lines[] = {"relay2", "relay1", "relay1", "relay2"}; /* 10, then 01 */
    for (size_t i = 0; i < 8; i++) {
        char begins[64];
        snprintf(begins, sizeof begins, "{\"io\":\"%s\",\"active\":%s,", lines[i / 2], i % 2 == 0 ? "true" : "false");
        expect_tap(begins);
    }
    frames[0].nbits = 0;
    CHECK_EQ(ax_io_thread_send(t, frames, 1), AX_E_RANGE);
    ax_io_thread_free(t);
}

static void test_every_command(void)
{
    struct ax_io_thread_config config = standard();
    struct ax_io_thread *t = launch(&config);
    const struct ax_io_step steps[] = {{MS, 1}, {MS, 0}}, bad = {0, 2};
    CHECK_EQ(ax_io_thread_sequence(t, 0, steps, 2, 1), AX_OK);
    struct ax_io_event ended = next_of(t, AX_IO_SEQUENCE_END);
    CHECK(ended.value == 1 && ended.token == 1);
    CHECK_EQ(ax_io_thread_sequence(t, 0, (struct ax_io_step[]){{MINUTE, 1}}, 1, 2), AX_OK);
    CHECK_EQ(ax_io_thread_sequence(t, 0, steps, 2, 3), AX_E_STATE);
    CHECK_EQ(ax_io_thread_configure_output(t, 0, &config.io.output[0]), AX_OK);
    ended = next_of(t, AX_IO_SEQUENCE_END);
    CHECK(ended.value == 0 && ended.token == 2);
    CHECK_EQ(ax_io_thread_set(t, 1, true, 4), AX_OK);
    CHECK_EQ(next_of(t, AX_IO_OUTPUT).value, 0);
    CHECK_EQ(next_of(t, AX_IO_OUTPUT).reason, AX_IO_BY_SET);
    CHECK_EQ(ax_io_thread_hold(t, 1, true, false, 5), AX_OK);
    CHECK_EQ(next_of(t, AX_IO_OUTPUT).reason, AX_IO_BY_HOLD);
    config.io.output[1].fault_active = 1;
    CHECK_EQ(ax_io_thread_configure_output(t, 1, &config.io.output[1]), AX_OK);
    CHECK_EQ(ax_io_thread_fault(t, 1, 6), AX_OK);
    CHECK_EQ(next_of(t, AX_IO_OUTPUT).reason, AX_IO_BY_FAULT);
    config.io.input[1].normal_high = 0;
    CHECK_EQ(ax_io_thread_configure_input(t, 1, &config.io.input[1]), AX_OK);
    CHECK_EQ(next_of(t, AX_IO_INPUT).reason, AX_IO_BY_CONFIG);
    config.io.reader[1].expect_bits = 26;
    CHECK_EQ(ax_io_thread_configure_reader(t, 1, &config.io.reader[1]), AX_OK);
    CHECK_EQ(ax_io_thread_feed_key(t, 0, '7', 8), AX_OK);
    CHECK_EQ(next_of(t, AX_IO_KEY).value, '7');
    CHECK_EQ(ax_io_thread_feed_label(t, 99, 9), AX_OK);
    struct ax_io_event label = next_of(t, AX_IO_LABEL);
    CHECK(label.value == 99 && label.token == 9 && label.t_ns != 0);
    /* What is refused. */
    CHECK_EQ(ax_io_thread_set(NULL, 0, true, 0), AX_E_ARG);
    CHECK_EQ(ax_io_thread_set(t, 2, true, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_pulse(t, 0, true, 0, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_sequence(t, 0, NULL, 1, 0), AX_E_ARG);
    CHECK_EQ(ax_io_thread_sequence(t, 2, steps, 1, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_sequence(t, 0, &bad, 1, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_configure_input(t, 0, NULL), AX_E_ARG);
    CHECK_EQ(ax_io_thread_configure_input(t, 2, &config.io.input[0]), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_configure_output(t, 0, NULL), AX_E_ARG);
    CHECK_EQ(ax_io_thread_configure_output(t, 0, &(struct ax_io_output_config){.normal_high = 2}), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_configure_reader(t, 0, NULL), AX_E_ARG);
    CHECK_EQ(ax_io_thread_configure_reader(t, 2, &config.io.reader[0]), AX_E_RANGE);
    config.io.reader[0].min_bits = 0;
    CHECK_EQ(ax_io_thread_configure_reader(t, 0, &config.io.reader[0]), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_feed_input(NULL, 0, true, 0), AX_E_ARG);
    CHECK_EQ(ax_io_thread_feed_input(t, 2, true, 0), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_feed_key(NULL, 0, '1', 0), AX_E_ARG);
    CHECK_EQ(ax_io_thread_feed_key(t, 0, 'x', 0), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_feed_key(t, 0, '\0', 0), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_feed_label(NULL, 0, 0), AX_E_ARG);
    ax_io_thread_free(t); /* while it runs */
}

/* 26 bits, alternating. */
static size_t card(struct ax_edge *edges)
{
    for (uint64_t i = 0; i < 26; i++) {
        edges[2 * i] = (struct ax_edge){1000 + i * 2 * MS, i & 1, 0};
        edges[2 * i + 1] = (struct ax_edge){1000 + i * 2 * MS + 50000, i & 1, 1};
    }
    return 52;
}

static void test_planned_edges(void)
{
    struct ax_io_thread_config config = standard();
    config.io.reader[0].expect_bits = 26;
    struct ax_io_thread *t = launch(&config);
    struct ax_edge edges[AX_IO_PLAN_EDGES + 1] = {{0}};
    uint64_t first_ns = 0, second_ns = 0, other_ns = 0;
    size_t n = card(edges);
    uint64_t start_ns = ax_monotonic_ns() + 100 * MS;
    CHECK_EQ(ax_io_thread_feed_edges(t, 0, edges, n, start_ns, 11, &first_ns), AX_OK);
    CHECK_EQ(first_ns, start_ns + 50 * MS + 50000);
    CHECK_EQ(ax_io_thread_feed_edges(t, 0, edges, n, 0, 12, &second_ns), AX_OK);
    CHECK_EQ(second_ns, first_ns + 26 * MS + 50 * MS + 50000); /* after the first, a gap and 1 ms */
    CHECK_EQ(ax_io_thread_feed_edges(t, 1, edges, n, 0, 13, &other_ns), AX_OK); /* another reader does not wait */
    CHECK(other_ns < second_ns);
    unsigned seen = 0;
    for (int i = 0; i < 3; i++) {
        struct ax_io_event event = next_of(t, AX_IO_FRAME);
        CHECK_EQ(event.frame.nbits, 26);
        CHECK_EQ(event.frame.bits[0], 0x1555555);
        CHECK_EQ(event.frame.t_last_ns, event.token == 11 ? first_ns : event.token == 12 ? second_ns : other_ns);
        CHECK_EQ(event.t_ns, event.token == 13 ? other_ns + 25 * MS : event.frame.t_last_ns);
        seen |= 1u << (event.token - 11);
    }
    CHECK_EQ(seen, 7);
    /* An edge out of order, a plan too long, and what is refused. */
    edges[1].t_ns = 0;
    CHECK_EQ(ax_io_thread_feed_edges(t, 0, edges, 2, 0, 14, &first_ns), AX_OK);
    CHECK_EQ(next_of(t, AX_IO_FRAME).frame.result, AX_WIEGAND_ORDER);
    for (size_t i = 0; i < AX_IO_PLAN_EDGES; i++)
        edges[i] = (struct ax_edge){i * MS * 500, 0, i & 1};
    CHECK_EQ(ax_io_thread_feed_edges(t, 1, edges, AX_IO_PLAN_EDGES, 0, 15, &first_ns), AX_OK);
    CHECK_EQ(ax_io_thread_feed_edges(t, 1, edges, 64, 0, 15, &first_ns), AX_E_FULL);
    CHECK_EQ(ax_io_thread_feed_edges(t, 0, edges, AX_IO_PLAN_EDGES + 1, 0, 15, &first_ns), AX_E_FULL);
    CHECK_EQ(ax_io_thread_feed_edges(t, 2, edges, 1, 0, 15, &first_ns), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_feed_edges(t, 0, edges, 1, UINT64_MAX, 15, &first_ns), AX_E_RANGE);
    CHECK_EQ(ax_io_thread_feed_edges(t, 0, edges, 0, 0, 15, &first_ns), AX_E_ARG);
    CHECK_EQ(ax_io_thread_feed_edges(t, 0, NULL, 1, 0, 15, &first_ns), AX_E_ARG);
    edges[1].line = 2;
    CHECK_EQ(ax_io_thread_feed_edges(t, 0, edges, 2, 0, 15, &first_ns), AX_E_RANGE);
    edges[1] = (struct ax_edge){3600001 * MS, 0, 1};
    CHECK_EQ(ax_io_thread_feed_edges(t, 0, edges, 2, 0, 15, &first_ns), AX_E_RANGE);
    ax_io_thread_free(t);
}

/* Nobody drains: REX and relays go on, the loss is counted and told once there is room. */
static void test_full_event_ring(void)
{
    struct ax_io_thread_config config = standard();
    struct ax_io_thread_counters counters;
    config.tap_path = tap_path;
    struct ax_io_thread *t = launch(&config);
    for (uint32_t i = 0; i < AX_IO_EVENTS + 10; i++)
        while (ax_io_thread_feed_label(t, i, 0) == AX_E_FULL)
            sched_yield();
    while (ax_io_thread_feed_input(t, 0, false, 1) == AX_E_FULL)
        sched_yield();
    expect_tap("{\"io\":\"relay1\",\"active\":true");
    for (uint64_t turn = progress(t); progress(t) == turn;)
        ax_io_thread_feed_input(t, 0, false, 1), sched_yield();
    ax_io_thread_count(t, &counters);
    CHECK_EQ(counters.dropped, 12);
    for (uint32_t i = 0; i < AX_IO_EVENTS; i++) {
        struct ax_io_event event = next(t);
        CHECK(event.kind == AX_IO_LABEL && event.value == i);
    }
    struct ax_io_event told = next(t);
    CHECK(told.kind == AX_IO_DROPPED && told.value == 12);
    CHECK_EQ(ax_io_thread_feed_label(t, 5, 0), AX_OK);
    CHECK_EQ(next(t).value, 5);
    ax_io_thread_free(t);
}

static void *pulses(void *context)
{
    struct ax_io_thread *t = context;
    for (uint64_t i = 0; i < 2000; i++)
        while (ax_io_thread_feed_label(t, (uint32_t)i, 1) == AX_E_FULL)
            sched_yield();
    return NULL;
}

/* A consumer that gets no processor loses events; it is told how many. */
static void test_many_producers(void)
{
    struct ax_io_thread_config config = standard();
    struct ax_io_thread *t = launch(&config);
    pthread_t threads[3];
    uint64_t sum = 0, got = 0, lost = 0;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, pulses, t), 0);
    struct ax_io_event events[64];
    uint64_t until_ns = ax_monotonic_ns() + MINUTE;
    while (got + lost < 6000 && ax_monotonic_ns() < until_ns) {
        ax_io_thread_wait(t, 1000 * MS);
        for (size_t n; (n = ax_io_thread_drain(t, events, 64)) > 0;)
            for (size_t i = 0; i < n; i++) {
                bool told = events[i].kind == AX_IO_DROPPED;
                lost += told ? events[i].value : 0;
                got += !told;
                sum += told ? 0 : events[i].value;
            }
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(got + lost, 6000);
    CHECK(lost > 0 || sum == 3 * 2000 * 1999 / 2);
    ax_io_thread_free(t);
}

static void test_wait_and_wake(void)
{
    struct ax_io_thread_config config = standard();
    struct ax_io_thread *t = launch(&config);
    struct pollfd fd = {.fd = ax_io_thread_event_fd(t), .events = POLLIN};
    CHECK_EQ(ax_io_thread_wait(t, 0), 0);
    ax_io_thread_wake(t);
    CHECK_EQ(poll(&fd, 1, 60000), 1);
    CHECK_EQ(ax_io_thread_wait(t, AX_NEVER), 1);
    CHECK_EQ(ax_io_thread_wait(t, MS), 0);
    ax_io_thread_feed_label(t, 1, 0);
    CHECK_EQ(ax_io_thread_wait(t, MINUTE), 1);
    CHECK_EQ(ax_io_thread_wait(t, MINUTE), 1); /* the event still waits */
    uint64_t turns = progress(t);
    CHECK_EQ(poll(&fd, 1, 2500), 0);
    CHECK(progress(t) >= turns + 1); /* it shows that it lives */
    CHECK(progress(t) <= turns + 20); /* and sleeps in between */
    ax_io_thread_free(t);
}

/* While a frame comes in the consumer is let go now and then, and is there when it is over. */
static void test_wait_dozes_while_a_frame_comes_in(void)
{
    struct ax_io_thread_config config = standard();
    struct ax_io_thread *t = launch(&config);
    struct ax_edge edges[52];
    uint64_t last_ns = 0, began_ns = ax_monotonic_ns();
    int early = 0;
    card(edges);
    CHECK_EQ(ax_io_thread_feed_edges(t, 0, edges, 52, 0, 1, &last_ns), AX_OK);
    while (ax_io_thread_wait(t, MINUTE) == 0 || ax_monotonic_ns() < last_ns)
        early++;
    CHECK(early > 0);
    CHECK(ax_monotonic_ns() - began_ns < MINUTE);
    CHECK_EQ(next_of(t, AX_IO_FRAME).frame.bits[0], 0x1555555);
    ax_io_thread_free(t);
}

/* The same while an input is debounced; who waits can see what for. */
static void test_wait_dozes_while_an_input_is_debounced(void)
{
    struct ax_io_thread_config config = standard();
    config.io.input[0].debounce_ns = 50 * MS;
    struct ax_io_thread *t = launch(&config);
    uint32_t frame = 7;
    CHECK_EQ(ax_io_thread_changing(t, &frame), 0);
    CHECK_EQ(frame, 0);
    CHECK(!ax_io_thread_expects(t));
    CHECK(!ax_io_thread_news(t));
    CHECK_EQ(ax_io_thread_feed_input(t, 0, false, 0), AX_OK);
    int early = 0;
    uint32_t seen = 0;
    bool expected = false;
    while (!ax_io_thread_input_active(t, 0)) {
        expected |= ax_io_thread_expects(t);
        early += ax_io_thread_wait(t, MINUTE) == 0;
        seen |= ax_io_thread_changing(t, &frame);
    }
    CHECK(early > 0);
    CHECK_EQ(seen, 1);
    CHECK(expected);
    while (!ax_io_thread_news(t))
        ax_io_thread_wait(t, MINUTE);
    CHECK_EQ(next_of(t, AX_IO_INPUT).index, 0);
    while (ax_io_thread_expects(t) || ax_io_thread_changing(t, &frame) != 0) /* the turn of the thread ends */
        ax_io_thread_wait(t, MS);
    CHECK_EQ(frame, 0);
    ax_io_thread_free(t);
}

/* Others make room before the news is there, not only then. */
static void test_news_is_told_before_it_falls_due(void)
{
    struct ax_io_thread_config config = standard();
    config.io.input[0].debounce_ns = 5 * MS;
    struct ax_io_thread *t = launch(&config);
    struct ax_io_event event;
    bool soon = false;
    for (int n = 0; n < 100 && !soon; n++) { /* a busy machine may sleep through the moment */
        bool active = n % 2 == 0;
        CHECK_EQ(ax_io_thread_feed_input(t, 0, !active, 0), AX_OK);
        while (ax_io_thread_input_active(t, 0) != active)
            soon |= ax_io_thread_news(t) && ax_io_thread_input_active(t, 0) != active;
        while (ax_io_thread_drain(t, &event, 1) == 0 || event.kind != AX_IO_INPUT)
            ;
    }
    CHECK(soon);
    ax_io_thread_free(t);
}

/* A card over GPIO lines, then one of which the kernel lost edges. */
static void check_gpio_reader(struct ax_io_thread *t, struct fake_chip *chip)
{
    struct ax_io_thread_counters counters;
    struct ax_edge edges[52];
    uint64_t start_ns = ax_monotonic_ns();
    card(edges);
    for (int i = 0; i < 52; i++)
        fake_edge(chip, 2, start_ns + edges[i].t_ns, edges[i].line, edges[i].level, 0);
    CHECK_EQ(next_of(t, AX_IO_FRAME).frame.bits[0], 0x1555555);
    for (int i = 0; i < 10; i++) /* the kernel lost a pulse */
        fake_edge(chip, 2, start_ns + 500 * MS + edges[i].t_ns, 0, edges[i].level, i == 4 ? 2 : 0);
    CHECK_EQ(next_of(t, AX_IO_FRAME).frame.result, AX_WIEGAND_ORDER);
    ax_io_thread_count(t, &counters);
    CHECK_EQ(counters.lost_edges, 2);
    CHECK_EQ(counters.gpio_errors, 0);
}

static void test_gpio_chip(void)
{
    struct fake_chip chip;
    struct ax_gpio_ops ops = fake_ops(&chip);
    struct ax_gpio_config lines = {.chip = "/dev/gpiochip7"};
    struct ax_io_thread_config config = standard();
    struct ax_io_thread_counters counters;
    for (int32_t i = 0; i < 2; i++) {
        lines.reader[0][i].offset = i;
        lines.reader[1][i].offset = -1;
        lines.input[i].offset = 10 + i;
        lines.output[i].offset = 20 + i;
    }
    config.gpio = &lines;
    config.gpio_ops = &ops;
    chip.input_bits = 1; /* the second input is low at start: active */
    struct ax_io_thread *t = launch(&config);
    struct ax_io_event event = next(t);
    CHECK(event.kind == AX_IO_INPUT && event.index == 1 && event.value == 1);
    CHECK_EQ(chip.writes, 0);
    fake_edge(&chip, 1, ax_monotonic_ns(), 10, false, 0); /* REX */
    event = next_of(t, AX_IO_OUTPUT);
    CHECK(event.index == 0 && event.reason == AX_IO_BY_REX);
    CHECK_EQ(atomic_load(&chip.output_bits), 1);
    fake_edge(&chip, 1, ax_monotonic_ns(), 10, true, 0);
    CHECK_EQ(next_of(t, AX_IO_OUTPUT).reason, AX_IO_BY_REX_END);
    CHECK_EQ(atomic_load(&chip.output_bits), 0);
    check_gpio_reader(t, &chip);
    close(chip.feed[1]); /* the input lines go away */
    do {
        sched_yield();
        ax_io_thread_count(t, &counters);
    } while (counters.gpio_errors == 0);
    CHECK_EQ(ax_io_thread_set(t, 1, true, 1), AX_OK);
    CHECK_EQ(next_of(t, AX_IO_OUTPUT).value, 1); /* the rest goes on */
    ax_io_thread_free(t);
    close(chip.feed[0]);
    close(chip.feed[2]);
    ops = fake_ops(&chip);
    chip.refuse_open = true;
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_OK);
    CHECK_EQ(ax_io_thread_start(t), AX_E_SYS);
    chip.refuse_open = false;
    chip.refuse_values = true;
    CHECK_EQ(ax_io_thread_start(t), AX_OK);
    CHECK_EQ(ax_io_thread_set(t, 1, true, 1), AX_OK);
    CHECK_EQ(next_of(t, AX_IO_OUTPUT).value, 1);
    ax_io_thread_count(t, &counters);
    CHECK_EQ(counters.gpio_errors, 2); /* the look at the inputs, and the pin */
    ax_io_thread_free(t);
    fake_done(&chip);
}

static void test_new_refuses(void)
{
    struct ax_io_thread_config config = standard();
    struct ax_io_thread *t;
    char long_path[200];
    CHECK_EQ(ax_io_thread_new(NULL, &config), AX_E_ARG);
    CHECK_EQ(ax_io_thread_new(&t, NULL), AX_E_ARG);
    CHECK_EQ(ax_io_thread_start(NULL), AX_E_ARG);
    ax_io_thread_stop(NULL);
    ax_io_thread_free(NULL);
    config.output_name[1][0] = '\0';
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_E_RANGE);
    strcpy(config.output_name[1], "a\"b");
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_E_RANGE);
    memset(config.output_name[1], 'x', sizeof config.output_name[1]);
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_E_RANGE);
    strcpy(config.output_name[1], "relay2");
    config.io.outputs = AX_IO_MAX_OUTPUTS + 1;
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_E_RANGE);
    config = standard();
    config.io.input[0].rex_output = 7;
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_E_RANGE);
    config = standard();
    memset(long_path, 'x', sizeof long_path);
    long_path[199] = '\0';
    config.tap_path = long_path;
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_E_RANGE);
    config.tap_path = "/nobody/listens";
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_OK);
    for (int i = 0; i < AX_IO_COMMANDS; i++) /* not started: commands wait, until there is no room */
        CHECK_EQ(ax_io_thread_set(t, 0, i & 1, 0), AX_OK);
    CHECK_EQ(ax_io_thread_set(t, 0, true, 0), AX_E_FULL);
    CHECK_EQ(ax_io_thread_feed_label(t, 0, 0), AX_E_FULL);
    CHECK_EQ(ax_io_thread_sequence(t, 0, &(struct ax_io_step){0, 1}, 1, 0), AX_E_FULL);
    CHECK_EQ(ax_io_thread_configure_reader(t, 0, &config.io.reader[0]), AX_E_FULL);
    CHECK_EQ(ax_io_thread_start(t), AX_OK);
    ax_io_thread_stop(t);
    struct ax_io_thread_counters counters;
    ax_io_thread_count(t, &counters);
    CHECK_EQ(counters.tap_errors, AX_IO_COMMANDS - 1); /* the first command changed nothing */
    CHECK_EQ(ax_io_thread_sequence(t, 0, &(struct ax_io_step){0, 1}, 1, 0), AX_OK); /* room again, busy no more */
    ax_io_thread_free(t); /* never ran again */
}

int main(void)
{
    open_tap();
    test_pulse_and_rex_on_the_tap();
    test_frames_on_the_tap();
    test_every_command();
    test_planned_edges();
    test_full_event_ring();
    test_many_producers();
    test_wait_and_wake();
    test_wait_dozes_while_a_frame_comes_in();
    test_wait_dozes_while_an_input_is_debounced();
    test_news_is_told_before_it_falls_due();
    test_gpio_chip();
    test_new_refuses();
    close(tap_fd);
    unlink(tap_path);
    return ax_test_done();
}
