/* The light: outputs on pipes and files, and frames in the I/O thread with capture and tap. Waits end when the thing
 * happened; nothing here asserts that something is fast. */
#define _GNU_SOURCE
#include "ax/err.h"
#include "ax/io_thread.h"
#include "ax/led_out.h"
#include "ax_test.h"
#include "capture_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MS UINT64_C(1000000)
#define LEDS 6

static char folder[64];
static const uint8_t sections[LEDS] = {0, 0, 0, 1, 1, 2};

static void in_folder(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%.63s/%.60s", folder, name);
}

static void write_file(const char *name, const char *text)
{
    char path[AX_LIGHT_PATH_MAX + 1];
    in_folder(path, sizeof path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void read_file(const char *name, char *text, size_t size)
{
    char path[AX_LIGHT_PATH_MAX + 1];
    in_folder(path, sizeof path, name);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
}

/* --- outputs --------------------------------------------------------------------------------------------------------- */

static void wait_written(struct ax_light_out *out, uint64_t n)
{
    while (ax_light_out_written(out) + ax_light_out_errors(out) < n)
        sched_yield();
}

static void test_spi(uint32_t kind)
{
    struct ax_light_out_config config = {.kind = kind, .current = 9, .paths = 1};
    struct ax_light_out *out = NULL;
    uint8_t rgb[3 * LEDS], wanted[1024], found[1024];
    in_folder(config.path[0], sizeof config.path[0], "spi");
    CHECK_EQ(mkfifo(config.path[0], 0600), 0);
    CHECK_EQ(ax_light_out_new(&out, &config, sections, LEDS), AX_E_SYS); /* Nobody reads. */
    CHECK_EQ(errno, ENXIO);
    int fifo = open(config.path[0], O_RDONLY | O_NONBLOCK);
    CHECK_EQ(ax_light_out_new(&out, &config, sections, LEDS), AX_OK);
    fcntl(fifo, F_SETFL, 0);
    for (int k = 1; k <= 3; k++) {
        for (size_t i = 0; i < sizeof rgb; i++)
            rgb[i] = (uint8_t)(k * 16 + (int)i);
        int size = kind == AX_LIGHT_APA102 ? ax_led_apa102(rgb, LEDS, 9, wanted, sizeof wanted)
                                           : ax_led_ws2812(rgb, LEDS, 3, wanted, sizeof wanted);
        ax_light_out_put(out, rgb);
        for (int got = 0; got < size;) {
            ssize_t n = read(fifo, found + got, (size_t)(size - got));
            CHECK(n > 0);
            got += n > 0 ? (int)n : size;
        }
        CHECK(memcmp(found, wanted, (size_t)size) == 0);
        wait_written(out, (uint64_t)k);
    }
    CHECK_EQ(ax_light_out_written(out), 3);
    close(fifo); /* Who reads goes away: an error, and nothing else. */
    ax_light_out_put(out, rgb);
    wait_written(out, 4);
    CHECK_EQ(ax_light_out_errors(out), 1);
    ax_light_out_put(out, rgb);
    ax_light_out_free(out);
    unlink(config.path[0]);
}

/* A reader that takes nothing holds nobody up: frames are left out, the last one is tried, the end comes. */
static void test_slow_reader(void)
{
    struct ax_light_out_config config = {.kind = AX_LIGHT_WS2812, .paths = 1};
    struct ax_light_out *out = NULL;
    uint8_t rgb[3 * LEDS] = {0};
    in_folder(config.path[0], sizeof config.path[0], "slow");
    CHECK_EQ(mkfifo(config.path[0], 0600), 0);
    int fifo = open(config.path[0], O_RDONLY | O_NONBLOCK);
    CHECK_EQ(fcntl(fifo, F_SETPIPE_SZ, 4096), 4096);
    CHECK_EQ(ax_light_out_new(&out, &config, sections, LEDS), AX_OK);
    while (ax_light_out_errors(out) == 0)
        ax_light_out_put(out, rgb);
    CHECK(ax_light_out_written(out) > 0);
    ax_light_out_free(out);
    close(fifo);
    unlink(config.path[0]);
}

static void test_led_class(void)
{
    struct ax_light_out_config config = {.kind = AX_LIGHT_CLASS, .paths = 2};
    struct ax_light_out *out = NULL;
    char text[64];
    in_folder(config.path[0], sizeof config.path[0], "a");
    in_folder(config.path[1], sizeof config.path[1], "b");
    mkdir(config.path[0], 0700);
    mkdir(config.path[1], 0700);
    CHECK_EQ(ax_light_out_new(&out, &config, sections, LEDS), AX_E_SYS);
    CHECK_EQ(errno, ENOENT);
    static const char *const files[] = {"a/multi_intensity", "a/brightness", "b/multi_intensity", "b/brightness"};
    for (int i = 0; i < 4; i++)
        write_file(files[i], "");
    write_file("a/max_brightness", "255\n");
    write_file("b/max_brightness", "1000\n");
    CHECK_EQ(ax_light_out_new(&out, &config, sections, LEDS), AX_OK);
    /* Section 0: red 255, 255, 0: the mean is two thirds. Section 1: half of green and blue. Section 2 has no directory. */
    const uint8_t rgb[3 * LEDS] = {255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 128, 128, 0, 128, 128, 9, 9, 9};
    ax_light_out_put(out, rgb);
    wait_written(out, 1);
    CHECK_EQ(ax_light_out_errors(out), 0);
    read_file("a/multi_intensity", text, sizeof text);
    CHECK(strcmp(text, "255 0 0\n") == 0);
    read_file("a/brightness", text, sizeof text);
    CHECK(strcmp(text, "170\n") == 0);
    read_file("b/multi_intensity", text, sizeof text);
    CHECK(strcmp(text, "0 1000 1000\n") == 0);
    read_file("b/brightness", text, sizeof text);
    CHECK(strcmp(text, "502\n") == 0);
    /* The same again is not written again: who changed the file meanwhile keeps it. */
    write_file("a/brightness", "7\n");
    ax_light_out_put(out, rgb);
    wait_written(out, 2);
    read_file("a/brightness", text, sizeof text);
    CHECK(strcmp(text, "7\n") == 0);
    ax_light_out_free(out);
}

static void test_outputs_refused(void)
{
    struct ax_light_out_config config = {.kind = AX_LIGHT_APA102, .paths = 1, .path = {"/nowhere/spidev0.0"}};
    struct ax_light_out *out = NULL;
    CHECK_EQ(ax_light_out_new(NULL, &config, sections, LEDS), AX_E_ARG);
    CHECK_EQ(ax_light_out_new(&out, NULL, sections, LEDS), AX_E_ARG);
    CHECK_EQ(ax_light_out_new(&out, &config, NULL, LEDS), AX_E_ARG);
    CHECK_EQ(ax_light_out_new(&out, &config, sections, 0), AX_E_RANGE);
    CHECK_EQ(ax_light_out_new(&out, &config, sections, LEDS), AX_E_SYS);
    CHECK_EQ(errno, ENOENT);
    config.current = 32;
    CHECK_EQ(ax_light_out_new(&out, &config, sections, LEDS), AX_E_RANGE);
    config.current = 0;
    config.paths = 2;
    CHECK_EQ(ax_light_out_new(&out, &config, sections, LEDS), AX_E_RANGE);
    config.kind = AX_LIGHT_CLASS;
    CHECK_EQ(ax_light_out_new(&out, &config, sections, LEDS), AX_E_RANGE); /* The second has no path. */
    config.kind = AX_LIGHT_KIND_END;
    CHECK_EQ(ax_light_out_new(&out, &config, sections, LEDS), AX_E_RANGE);
    CHECK(out == NULL);
    ax_light_out_free(NULL);
}

/* --- in the I/O thread ----------------------------------------------------------------------------------------------- */

static int tap_fd;
static struct sockaddr_un tap = {.sun_family = AF_UNIX};

static void open_tap(void)
{
    struct timeval minute = {60, 0};
    in_folder(tap.sun_path, sizeof tap.sun_path, "tap");
    tap_fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(bind(tap_fd, (struct sockaddr *)&tap, sizeof tap), 0);
    setsockopt(tap_fd, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute);
}

static void expect_tap(const char *begins)
{
    char text[256] = "";
    ssize_t length = recv(tap_fd, text, sizeof text - 1, 0);
    CHECK(length > 0 && strncmp(text, begins, strlen(begins)) == 0);
}

static struct ax_led_place places[LEDS];

static struct ax_light_config light_config(void)
{
    struct ax_light_config light = {.places = places, .leds = LEDS, .frame_ns = 2 * MS, .records = 256};
    for (uint32_t i = 0; i < LEDS; i++)
        places[i] = (struct ax_led_place){.turn = i << 28, .section = sections[i]};
    ax_led_curve_gamma(&light.curve, 1.0);
    return light;
}

static struct ax_led_command steady(uint16_t red)
{
    struct ax_led_command command = {
        .spec = {.stretch = AX_LED_AS_LISTED, .level = AX_LED_FULL, .row = (uint8_t)ax_led_find("Steady"), .speed = 1,
                 .colours = 1, .colour = {{red, 0, 0}}}};
    return command;
}

static const uint8_t *frame(const struct ax_capture_header *head, uint64_t number)
{
    while (capture_written(head) < number)
        sched_yield();
    return (const uint8_t *)(capture_record(head, number) + 1);
}

static uint64_t missed(const struct ax_io_thread *t)
{
    struct ax_io_thread_counters counters;
    ax_io_thread_count(t, &counters);
    return counters.frames_missed;
}

static void test_frames_in_the_thread(void)
{
    struct ax_light_config light = light_config();
    struct ax_io_thread_config config = {.io = {.outputs = 1}, .output_name = {"relay1"}, .light = &light};
    struct ax_io_thread *t = NULL;
    struct ax_led_command command = steady(AX_LED_FULL), off = {.spec = {.speed = 1, .stretch = AX_LED_AS_LISTED}};
    config.tap_path = tap.sun_path;
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_OK);
    memset(places, 0, sizeof places); /* They were copied. */
    const struct ax_capture_header *head = capture_map(ax_io_thread_light_fd(t));
    CHECK(head != NULL && head->kind == AX_CAPTURE_LIGHT && head->detail == LEDS && head->rate == 500000);
    CHECK_EQ(ax_io_thread_start(t), AX_OK);
    CHECK_EQ(frame(head, 1)[0], 0); /* Dark at the start, and that is known. */
    CHECK_EQ(ax_io_thread_light(t, &command), AX_OK);
    expect_tap("{\"io\":\"light\",\"active\":true,\"t_ns\":");
    for (uint64_t k = 2; k < 12; k++) {
        const uint8_t *rgb = frame(head, k);
        CHECK(rgb[0] == 255 && rgb[1] == 0 && rgb[3 * LEDS - 3] == 255);
        if (k > 2 && missed(t) == 0)
            CHECK_EQ(capture_record(head, k)->t_ns % (2 * MS), 0); /* The frame clock; the first is when it was asked for. */
        CHECK(capture_record(head, k)->done_ns >= capture_record(head, k)->t_ns);
    }
    /* Pins go on beside it. */
    CHECK_EQ(ax_io_thread_pulse(t, 0, true, MS, 0), AX_OK);
    expect_tap("{\"io\":\"relay1\",\"active\":true");
    expect_tap("{\"io\":\"relay1\",\"active\":false");
    /* What waits for its time is gone when something is shown at once; dark is told and stays. */
    command = steady(30000);
    for (int i = 0; i < AX_LED_PENDING + 2; i++) {
        command.at_ns = ax_monotonic_ns() + 3600000 * MS;
        while (ax_io_thread_light(t, &command) == AX_E_FULL)
            sched_yield();
    }
    CHECK_EQ(ax_io_thread_light(t, &off), AX_OK);
    expect_tap("{\"io\":\"light\",\"active\":false");
    CHECK_EQ(frame(head, capture_written(head))[0], 0);
    /* The thread ends: dark, and told. */
    CHECK_EQ(ax_io_thread_light(t, &(struct ax_led_command){.spec = steady(9).spec}), AX_OK);
    expect_tap("{\"io\":\"light\",\"active\":true");
    ax_io_thread_stop(t);
    expect_tap("{\"io\":\"light\",\"active\":false");
    CHECK_EQ(frame(head, capture_written(head))[0], 0);
    struct ax_io_thread_counters counters;
    ax_io_thread_count(t, &counters);
    CHECK_EQ(counters.frames, capture_written(head));
    CHECK_EQ(counters.light_errors, 0);
    ax_io_thread_free(t);
}

static void test_output_of_the_thread(void)
{
    struct ax_light_config light = light_config();
    struct ax_io_thread_config config = {.light = &light};
    struct ax_led_command command = steady(AX_LED_FULL);
    struct ax_io_thread *t = NULL;
    uint8_t found[4096], wanted[1024], rgb[3 * LEDS] = {0};
    light.out = (struct ax_light_out_config){.kind = AX_LIGHT_APA102, .current = 31, .paths = 1};
    in_folder(light.out.path[0], sizeof light.out.path[0], "strip");
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_OK);
    CHECK_EQ(ax_io_thread_start(t), AX_E_SYS); /* There is no such device. */
    CHECK_EQ(errno, ENOENT);
    ax_io_thread_free(t);
    mkfifo(light.out.path[0], 0600);
    int fifo = open(light.out.path[0], O_RDONLY | O_NONBLOCK);
    fcntl(fifo, F_SETPIPE_SZ, 1 << 20);
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_OK);
    CHECK_EQ(ax_io_thread_start(t), AX_OK);
    CHECK_EQ(ax_io_thread_light(t, &command), AX_OK);
    const struct ax_capture_header *head = capture_map(ax_io_thread_light_fd(t));
    CHECK_EQ(frame(head, 4)[0], 255);
    ssize_t n = 0, size = ax_led_apa102(rgb, LEDS, 31, wanted, sizeof wanted), all = 1;
    while (read(fifo, found, (size_t)size) != size) /* Some may be passed over; the first is not there yet. */
        sched_yield();
    ax_io_thread_stop(t);
    ax_io_thread_free(t); /* The last frame is out. */
    while ((n = read(fifo, found, (size_t)size)) == size)
        all++;
    CHECK(all >= 2 && n == 0);
    CHECK(memcmp(found, wanted, (size_t)size) == 0); /* Dark. */
    close(fifo);
}

static void test_refused(void)
{
    struct ax_light_config light = light_config();
    struct ax_io_thread_config config = {.light = NULL};
    struct ax_led_command command = steady(1);
    struct ax_io_thread *t = NULL;
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_OK);
    CHECK_EQ(ax_io_thread_light(t, &command), AX_E_STATE);
    CHECK_EQ(ax_io_thread_light_fd(t), -1);
    ax_io_thread_free(t);
    config.light = &light;
    light.leds = 0;
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_E_RANGE);
    light = light_config();
    light.records = 100;
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_E_RANGE);
    light = light_config();
    light.frame_ns = 0;
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_E_RANGE);
    light = light_config();
    CHECK_EQ(ax_io_thread_new(&t, &config), AX_OK);
    CHECK_EQ(ax_io_thread_light(t, NULL), AX_E_ARG);
    CHECK_EQ(ax_io_thread_light(NULL, &command), AX_E_ARG);
    command.spec.row = AX_LED_ROWS;
    CHECK_EQ(ax_io_thread_light(t, &command), AX_E_RANGE);
    command = steady(1);
    for (int i = 0; i < AX_LIGHT_COMMANDS; i++)
        CHECK_EQ(ax_io_thread_light(t, &command), AX_OK);
    CHECK_EQ(ax_io_thread_light(t, &command), AX_E_FULL); /* It does not run. */
    ax_io_thread_free(t);
}

int main(void)
{
    strcpy(folder, "/tmp/ax-test-light-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    open_tap();
    test_spi(AX_LIGHT_APA102);
    test_spi(AX_LIGHT_WS2812);
    test_slow_reader();
    test_led_class();
    test_outputs_refused();
    test_frames_in_the_thread();
    test_output_of_the_thread();
    test_refused();
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK_EQ(system(command), 0);
    return ax_test_done();
}
