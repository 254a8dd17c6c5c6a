/* The sound thread from outside: capture, tap, tones given back, sound cards (a made-up ALSA: fake_asound.c, its path is the
 * argument). Waits end when the thing happened; nothing here asserts that something is fast. */
#define _GNU_SOURCE
#include "ax/err.h"
#include "ax/io_thread.h"
#include "ax/sound_thread.h"
#include "ax_test.h"
#include "capture_reader.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RATE 48000u
#define BLOCK 240u
#define MS UINT64_C(1000000)

static char tap_path[108];
static int tap_fd;
static const char *fake_alsa;

static struct ax_siren *make(uint32_t mhz)
{
    const struct ax_siren_segment segment = {
        .duration_us = 1000000, .start_mhz = mhz, .end_mhz = mhz, .peak = AX_SIREN_PEAK};
    const struct ax_siren_voice voice = {&segment, 1};
    const struct ax_siren_program program = {.voices = &voice, .nvoices = 1};
    struct ax_siren *tone = NULL;
    CHECK_EQ(ax_siren_new(&tone, &program, RATE), AX_OK);
    return tone;
}

static void open_tap(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval minute = {60, 0};
    snprintf(tap_path, sizeof tap_path, "/tmp/ax-test-sound-%d", (int)getpid());
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
}

static struct ax_sound_thread_config standard(void)
{
    return (struct ax_sound_thread_config){.rate = RATE, .block = BLOCK, .records = 4096, .tap_path = tap_path,
                                           .name = "horn"};
}

static void wait_blocks(struct ax_sound_thread *t, uint64_t n)
{
    struct ax_sound_thread_counters counters;
    do {
        sched_yield();
        ax_sound_thread_count(t, &counters);
    } while (counters.blocks < n);
}

/* Every captured block from `first` on is the tone where it would be; the first of a run is where the run began. */
static void check_blocks(const struct ax_capture_header *head, const struct ax_siren *tone, uint64_t epoch_ns, uint64_t first,
                         uint64_t last)
{
    const struct ax_siren_play play = {.end = AX_SIREN_ENDLESS, .intensity = 4};
    uint64_t pos = (capture_record(head, first)->t_ns - epoch_ns) * RATE / 1000000000u;
    for (uint64_t k = first + 1; k <= last; k++) {
        const struct ax_capture_record *record = capture_record(head, k);
        int16_t wanted[BLOCK];
        ax_siren_render(tone, &play, pos += BLOCK, wanted, BLOCK);
        CHECK_EQ(record->number, k);
        CHECK(memcmp(record + 1, wanted, sizeof wanted) == 0);
        CHECK_EQ(record->t_ns, capture_record(head, first)->t_ns + 5 * MS * (k - first));
    }
}

static void test_play_and_stop(void)
{
    struct ax_sound_thread_config config = standard();
    struct ax_sound_thread *t = NULL;
    struct ax_siren *tone = make(440000);
    uint64_t serial = 0;
    config.fifo_priority = 1; /* Granted or not. */
    CHECK_EQ(ax_sound_thread_new(&t, &config), AX_OK);
    CHECK_EQ(ax_sound_thread_start(t), AX_OK);
    CHECK_EQ(ax_sound_thread_start(t), AX_E_STATE);
    const struct ax_capture_header *head = capture_map(ax_sound_thread_fd(t));
    CHECK(head != NULL && head->kind == AX_CAPTURE_SOUND && head->rate == RATE && head->size == 2 * BLOCK);
    uint64_t epoch_ns = ax_monotonic_ns() - 10000 * MS;
    CHECK_EQ(ax_sound_thread_play(t, tone, 4, epoch_ns, &serial), AX_OK);
    CHECK_EQ(serial, 1);
    expect_tap("{\"io\":\"horn\",\"active\":true,\"t_ns\":");
    wait_blocks(t, 8);
    CHECK_EQ(ax_sound_thread_released(t), 0);
    CHECK_EQ(ax_sound_thread_play(t, NULL, 0, 0, &serial), AX_OK);
    expect_tap("{\"io\":\"horn\",\"active\":false,\"t_ns\":");
    while (ax_sound_thread_released(t) < 2 && ax_sound_thread_play(t, NULL, 0, 0, &serial) == AX_OK)
        sched_yield();
    uint64_t blocks = capture_written(head);
    CHECK(blocks >= 9);
    struct ax_sound_thread_counters counters;
    ax_sound_thread_count(t, &counters);
    if (counters.missed == 0) /* Else this machine had no time for us, and runs began anew. */
        check_blocks(head, tone, epoch_ns, 1, blocks - 1);
    CHECK_EQ(counters.tap_errors, 0);
    CHECK_EQ(counters.card_errors, 0);
    CHECK_EQ(capture_written(head), blocks); /* Silence makes nothing. */
    /* What sounds at the stop fades out, and is told. */
    CHECK_EQ(ax_sound_thread_play(t, tone, 4, ax_monotonic_ns(), &serial), AX_OK);
    expect_tap("{\"io\":\"horn\",\"active\":true");
    ax_sound_thread_stop(t);
    expect_tap("{\"io\":\"horn\",\"active\":false");
    CHECK_EQ(ax_sound_thread_released(t), serial);
    ax_sound_thread_stop(t);
    ax_sound_thread_free(t);
    ax_siren_free(tone);
}

static void test_every_tone_is_given_back(void)
{
    struct ax_sound_thread_config config = standard();
    struct ax_sound_thread *t = NULL;
    struct ax_siren *tone[32] = {NULL};
    uint64_t serial = 0;
    config.tap_path = NULL;
    CHECK_EQ(ax_sound_thread_new(&t, &config), AX_OK);
    CHECK_EQ(ax_sound_thread_start(t), AX_OK);
    for (uint32_t i = 0; i < 32; i++) {
        tone[i] = make(300000 + 10000 * i);
        CHECK_EQ(ax_sound_thread_play(t, tone[i], 4, ax_monotonic_ns(), &serial), AX_OK);
        if (i % 4 == 3)
            wait_blocks(t, i / 4);
        for (uint32_t k = 0; k < 32 && k < ax_sound_thread_released(t); k++) { /* Use after this is for sanitizers to find. */
            ax_siren_free(tone[k]);
            tone[k] = NULL;
        }
    }
    CHECK(tone[31] != NULL);
    ax_sound_thread_stop(t);
    CHECK_EQ(ax_sound_thread_released(t), 32);
    for (int i = 0; i < 32; i++)
        ax_siren_free(tone[i]);
    ax_sound_thread_free(t);
}

/* Each clip has a sample value of its own, so that a block tells which clips it has heard. */
static void test_clips(void)
{
    enum { N = BLOCK + 60, CLIPS = 16 };
    struct ax_sound_thread_config config = standard();
    struct ax_sound_thread *t = NULL;
    struct ax_siren *tone = make(440000);
    uint64_t serial = 0;
    int16_t *samples[CLIPS];
    CHECK_EQ(ax_sound_thread_new(&t, &config), AX_OK);
    CHECK_EQ(ax_sound_thread_start(t), AX_OK);
    const struct ax_capture_header *head = capture_map(ax_sound_thread_fd(t));
    for (int i = 0; i < CLIPS; i++) {
        samples[i] = calloc(N, sizeof *samples[i]);
        for (int k = 0; k < N; k++)
            samples[i][k] = (int16_t)(1000 * (i + 1));
    }
    /* Alone and twice: 600 samples, and then silence by itself. */
    CHECK_EQ(ax_sound_thread_play_clip(t, &(struct ax_sound_clip){samples[0], N, 2, 2.0f, 77}, &serial), AX_OK);
    CHECK_EQ(serial, 1);
    expect_tap("{\"io\":\"horn\",\"active\":true");
    expect_tap("{\"io\":\"horn\",\"active\":false");
    while (ax_sound_thread_clips_released(t) < 1)
        sched_yield();
    CHECK_EQ(capture_written(head), 3);
    const int16_t *last = (const int16_t *)(capture_record(head, 3) + 1);
    CHECK(last[0] == 2000 && last[119] == 2000 && last[120] == 0 && last[BLOCK - 1] == 0);
    /* Replaced while a tone goes on: every one is given back but the last, which is when it is stopped. */
    CHECK_EQ(ax_sound_thread_play(t, tone, 1, ax_monotonic_ns(), &serial), AX_OK);
    for (int i = 0; i < CLIPS; i++)
        CHECK_EQ(ax_sound_thread_play_clip(t, &(struct ax_sound_clip){samples[i], N, 0, 1.0f, 0}, &serial), AX_OK);
    CHECK_EQ(serial, CLIPS + 1);
    while (ax_sound_thread_clips_released(t) < CLIPS)
        sched_yield();
    for (int i = 0; i < CLIPS - 1; i++)
        free(samples[i]);
    wait_blocks(t, 20);
    CHECK_EQ(ax_sound_thread_clips_released(t), CLIPS);
    CHECK_EQ(ax_sound_thread_released(t), 0);
    CHECK_EQ(ax_sound_thread_play_clip(t, &(struct ax_sound_clip){.times = 0}, &serial), AX_OK);
    while (ax_sound_thread_clips_released(t) < CLIPS + 2)
        sched_yield();
    free(samples[CLIPS - 1]);
    CHECK_EQ(ax_sound_thread_play_clip(NULL, &(struct ax_sound_clip){.times = 0}, &serial), AX_E_ARG);
    CHECK_EQ(ax_sound_thread_play_clip(t, NULL, &serial), AX_E_ARG);
    CHECK_EQ(ax_sound_thread_play_clip(t, &(struct ax_sound_clip){samples[0], 0, 1, 1.0f, 0}, &serial), AX_E_RANGE);
    ax_sound_thread_free(t);
    expect_tap("{\"io\":\"horn\",\"active\":true");
    expect_tap("{\"io\":\"horn\",\"active\":false");
    ax_siren_free(tone);
}

static void test_refused(void)
{
    struct ax_sound_thread_config config = standard();
    struct ax_sound_thread *t = NULL;
    struct ax_siren *tone = make(440000);
    uint64_t serial = 0;
    char path[200];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    CHECK_EQ(ax_sound_thread_new(NULL, &config), AX_E_ARG);
    CHECK_EQ(ax_sound_thread_new(&t, NULL), AX_E_ARG);
    CHECK_EQ(ax_sound_thread_start(NULL), AX_E_ARG);
    config.rate = 1;
    CHECK_EQ(ax_sound_thread_new(&t, &config), AX_E_RANGE);
    config = standard();
    config.records = 3;
    CHECK_EQ(ax_sound_thread_new(&t, &config), AX_E_RANGE);
    config = standard();
    config.tap_path = path;
    CHECK_EQ(ax_sound_thread_new(&t, &config), AX_E_RANGE);
    config = standard();
    config.rate = 8000;
    CHECK_EQ(ax_sound_thread_new(&t, &config), AX_OK);
    CHECK_EQ(ax_sound_thread_play(NULL, tone, 5, 0, &serial), AX_E_ARG);
    CHECK_EQ(ax_sound_thread_play(t, tone, 5, 0, NULL), AX_E_ARG);
    CHECK_EQ(ax_sound_thread_play(t, tone, 5, 0, &serial), AX_E_RANGE); /* Another rate. */
    ax_sound_thread_free(t); /* Never started. */
    config.rate = RATE;
    CHECK_EQ(ax_sound_thread_new(&t, &config), AX_OK);
    CHECK_EQ(ax_sound_thread_play(t, tone, 0, 0, &serial), AX_E_RANGE);
    CHECK_EQ(ax_sound_thread_play(t, tone, 6, 0, &serial), AX_E_RANGE);
    for (int i = 0; i < AX_SOUND_COMMANDS; i++)
        CHECK_EQ(ax_sound_thread_play(t, tone, 5, 0, &serial), AX_OK);
    CHECK_EQ(ax_sound_thread_play(t, tone, 5, 0, &serial), AX_E_FULL);
    CHECK_EQ(serial, AX_SOUND_COMMANDS);
    ax_sound_thread_stop(NULL);
    ax_sound_thread_stop(t); /* Never started. */
    ax_sound_thread_free(t);
    ax_sound_thread_free(NULL);
    ax_siren_free(tone);
}

static struct ax_sound_thread *with_card(const char *name, const char *library)
{
    struct ax_sound_thread_config config = standard();
    struct ax_sound_thread *t = NULL;
    config.tap_path = NULL;
    config.device = name;
    config.library = library;
    CHECK_EQ(ax_sound_thread_new(&t, &config), AX_OK);
    return t;
}

static void test_cards(void)
{
    struct ax_sound_thread_counters counters;
    struct ax_siren *tone = make(440000);
    void *library = dlopen(fake_alsa, RTLD_NOW);
    uint64_t serial = 0;
    CHECK(library != NULL);
    int *opened = library == NULL ? NULL : dlsym(library, "fake_asound_open");
    unsigned long long *samples = library == NULL ? NULL : dlsym(library, "fake_asound_samples");
    if (opened == NULL || samples == NULL)
        return;
    static const char *const names[] = {"good", "dry", "full", "dead"};
    for (int i = 0; i < 4; i++) {
        struct ax_sound_thread *t = with_card(names[i], fake_alsa);
        CHECK_EQ(ax_sound_thread_start(t), AX_OK);
        CHECK_EQ(*opened, 1);
        *samples = 0;
        CHECK_EQ(ax_sound_thread_play(t, tone, 4, ax_monotonic_ns(), &serial), AX_OK);
        wait_blocks(t, 5);
        ax_sound_thread_stop(t);
        ax_sound_thread_count(t, &counters);
        CHECK_EQ(*samples, names[i][1] == 'e' ? 0 : BLOCK * counters.blocks);
        CHECK_EQ(counters.card_errors, names[i][1] == 'e' ? counters.blocks : 0);
        CHECK_EQ(*opened, 0);
        ax_sound_thread_free(t);
    }
    struct ax_sound_thread *t = with_card("none", fake_alsa);
    CHECK_EQ(ax_sound_thread_start(t), AX_E_SYS);
    CHECK_EQ(errno, ENOENT);
    ax_sound_thread_without_card(t); /* Go on without. */
    CHECK_EQ(ax_sound_thread_start(t), AX_OK);
    ax_sound_thread_without_card(t); /* Too late: no effect. */
    ax_sound_thread_free(t);
    t = with_card("wrong", fake_alsa);
    CHECK_EQ(ax_sound_thread_start(t), AX_E_SYS);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(*opened, 0);
    ax_sound_thread_free(t);
    t = with_card("good", "libthere-is-none.so.1");
    CHECK_EQ(ax_sound_thread_start(t), AX_E_SYS);
    CHECK_EQ(errno, ELIBACC);
    ax_sound_thread_free(t);
    t = with_card("good", "libpthread.so.0"); /* A library, but another one. */
    CHECK_EQ(ax_sound_thread_start(t), AX_E_SYS);
    ax_sound_thread_free(t);
    dlclose(library);
    ax_siren_free(tone);
}

int main(int argc, char **argv)
{
    fake_alsa = argc > 1 ? argv[1] : "./libfake_asound.so";
    open_tap();
    test_play_and_stop();
    test_every_tone_is_given_back();
    test_clips();
    test_refused();
    test_cards();
    close(tap_fd);
    unlink(tap_path);
    return ax_test_done();
}
