/* Sound cards and the audio thread: a made-up ALSA (fake_asound.c, its path is the argument), a card in a room. Waits end when
 * the thing happened; nothing here asserts that something is fast. */
#define _GNU_SOURCE
#include "ax/audio_thread.h"
#include "ax/err.h"
#include "ax_test.h"
#include "capture_reader.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATE 48000u
#define FRAME 480

static const char *fake_alsa;

static struct ax_card_alsa alsa(const char *speaker, const char *microphone)
{
    return (struct ax_card_alsa){.rate = RATE, .library = fake_alsa, .speaker = speaker, .microphone = microphone};
}

static void test_alsa(void)
{
    struct ax_card *card = NULL;
    struct ax_card_alsa config = alsa("good", "good");
    int16_t mic[FRAME], speaker[FRAME] = {0};
    CHECK_EQ(ax_card_open_alsa(&card, &config), AX_OK);
    CHECK_EQ(ax_card_fd(card), -1);
    CHECK_EQ(ax_card_talk(card, speaker), AX_E_STATE);
    for (int k = 0; k < 3; k++) {
        CHECK_EQ(ax_card_read(card, mic), 0);
        CHECK(mic[0] == k * FRAME && mic[FRAME - 1] == k * FRAME + FRAME - 1);
        CHECK_EQ(ax_card_write(card, speaker), 0);
    }
    void *fake = dlopen(fake_alsa, RTLD_NOW);
    const unsigned long long *samples = dlsym(fake, "fake_asound_samples"), *recorded = dlsym(fake, "fake_asound_recorded");
    const int *open = dlsym(fake, "fake_asound_open");
    CHECK(samples != NULL && recorded != NULL && open != NULL);
    CHECK_EQ(*samples, 3 * FRAME + 3 * FRAME / 2); /* One and a half frames of silence go ahead. */
    CHECK_EQ(*recorded, 3 * FRAME);
    CHECK_EQ(*open, 2);
    ax_card_close(card);
    CHECK_EQ(*open, 0);
    config = alsa("full", "full");
    CHECK_EQ(ax_card_open_alsa(&card, &config), AX_OK);
    CHECK_EQ(ax_card_read(card, mic), 0);
    CHECK_EQ(ax_card_write(card, speaker), 0);
    ax_card_close(card);
    config = alsa("good", "dry");
    CHECK_EQ(ax_card_open_alsa(&card, &config), AX_OK);
    const unsigned long long before = *samples;
    CHECK_EQ(ax_card_read(card, mic), 1); /* It ran over, and both began again, with two frames from then on. */
    CHECK_EQ(*samples - before, 3 * FRAME / 2 + 2 * FRAME);
    CHECK_EQ(ax_card_write(card, speaker), 0);
    ax_card_close(card);
    const char *const dead[][2] = {{"dead", "good"}, {"good", "dead"}};
    for (int i = 0; i < 2; i++) {
        config = alsa(dead[i][0], dead[i][1]);
        CHECK_EQ(ax_card_open_alsa(&card, &config), AX_OK);
        CHECK_EQ(ax_card_read(card, mic), AX_E_SYS);
        CHECK(mic[0] == 0 && mic[FRAME - 1] == 0);
        CHECK_EQ(ax_card_write(card, speaker), AX_E_SYS);
        ax_card_close(card);
    }
    CHECK_EQ(*open, 0);
    dlclose(fake);
}

static void test_alsa_refusals(void)
{
    static const struct { const char *library, *speaker, *microphone; int error; } bad[] = {
        {"/nonexistent.so", "good", "good", ELIBACC}, {NULL, "none", "good", ENOENT},
        {NULL, "good", "none", ENOENT},               {NULL, "wrong", "good", EINVAL},
        {NULL, "good", "wrong", EINVAL},              {"libm.so.6", "good", "good", ELIBACC},
    };
    struct ax_card *card = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ax_card_alsa config = alsa(bad[i].speaker, bad[i].microphone);
        config.library = bad[i].library ? bad[i].library : fake_alsa;
        CHECK_EQ(ax_card_open_alsa(&card, &config), AX_E_SYS);
        CHECK_EQ(errno, bad[i].error);
        CHECK(card == NULL);
    }
    struct ax_card_alsa config = alsa("good", NULL);
    CHECK_EQ(ax_card_open_alsa(&card, &config), AX_E_ARG);
    ax_card_close(NULL);
    CHECK_EQ(ax_card_fd(NULL), -1);
}

static struct ax_pipeline *make_pipeline(uint32_t rate)
{
    const struct ax_pipeline_spec spec = {.rate = rate, .echo = AX_PIPELINE_ECHO_OFF, .threshold = 50, .target_db = -20,
                                          .quiet_db = -60};
    struct ax_pipeline *p = NULL;
    CHECK_EQ(ax_pipeline_new(&p, &spec), AX_OK);
    return p;
}

static void wait_ticks(struct ax_audio_thread *t, uint64_t n)
{
    struct ax_audio_thread_counters c;
    do {
        sched_yield();
        usleep(2000);
        ax_audio_thread_count(t, &c);
    } while (c.ticks < n);
}

static void wait_bell(int fd)
{
    struct pollfd bell = {.fd = fd, .events = POLLIN};
    uint64_t value = 0;
    CHECK_EQ(poll(&bell, 1, 60000), 1);
    CHECK_EQ(read(fd, &value, sizeof value), sizeof value);
    CHECK(value > 0);
}

struct carried {
    atomic_int received, sent;
};

static void count_receive(void *context)
{
    atomic_fetch_add(&((struct carried *)context)->received, 1);
}

static void count_send(void *context)
{
    atomic_fetch_add(&((struct carried *)context)->sent, 1);
}

/* What is carried is called in the ticks, in place of the bell, until it is taken away. */
static void carry(struct ax_audio_thread *t)
{
    struct carried counts = {0};
    const struct ax_audio_carried carried = {count_receive, count_send, &counts};
    struct ax_audio_thread_counters c;
    uint64_t rang;
    ax_audio_thread_carry(t, &carried);
    (void)!read(ax_audio_thread_packets_fd(t), &rang, sizeof rang); /* From before. */
    while (atomic_load(&counts.received) < 4 || atomic_load(&counts.sent) < 2)
        usleep(2000);
    CHECK_EQ(read(ax_audio_thread_packets_fd(t), &rang, sizeof rang), -1);
    ax_audio_thread_carry(t, NULL);
    const int received = atomic_load(&counts.received), sent = atomic_load(&counts.sent);
    CHECK(sent <= received);
    ax_audio_thread_count(t, &c);
    wait_ticks(t, c.ticks + 5);
    CHECK(atomic_load(&counts.received) == received && atomic_load(&counts.sent) == sent);
    wait_bell(ax_audio_thread_packets_fd(t));
}

/* A clip is played in a room: the microphone hears it, its end and the packets of a leg are told of. */
static void test_thread_in_a_room(void)
{
    struct ax_pipeline *p = make_pipeline(16000);
    const struct ax_room_spec house = {.rate = 16000, .seed = 1};
    const struct ax_leg_spec pcmu = {.rate = 16000, .codec = AX_LEG_PCMU, .packet_ms = 20, .max_delay_ms = 200};
    struct ax_pipeline_command leg_command = {.verb = AX_PIPELINE_LEG, .gain = 1};
    struct ax_room *room = NULL;
    struct ax_card *card = NULL;
    struct ax_leg *leg = NULL;
    struct ax_audio_thread *t = NULL;
    static int16_t clip[1600];
    uint64_t serial = 0;
    for (int i = 0; i < 1600; i++)
        clip[i] = i % 2 ? 6000 : -6000;
    CHECK_EQ(ax_room_new(&room, &house), AX_OK);
    CHECK_EQ(ax_card_open_room(&card, room, 8000, 64), AX_E_RANGE);
    CHECK_EQ(ax_card_open_room(&card, room, 16000, 60), AX_E_RANGE);
    CHECK_EQ(ax_card_open_room(&card, room, 16000, 64), AX_OK);
    CHECK_EQ(ax_leg_new(&leg, &pcmu), AX_OK);
    leg_command.leg = leg;
    CHECK_EQ(ax_pipeline_put(p, &leg_command, &serial), AX_OK);
    const struct ax_pipeline_command play = {
        .verb = AX_PIPELINE_PLAY, .samples = clip, .n = 1600, .repeat = 1, .to = AX_PIPELINE_SPEAKER, .gain = 1};
    CHECK_EQ(ax_pipeline_put(p, &play, &serial), AX_OK);
    CHECK_EQ(ax_audio_thread_new(&t, p, card, 1), AX_OK); /* The priority is granted or not. */
    CHECK_EQ(ax_audio_thread_start(t), AX_OK);
    CHECK_EQ(ax_audio_thread_start(t), AX_E_STATE);
    wait_bell(ax_audio_thread_packets_fd(t));
    wait_bell(ax_audio_thread_events_fd(t));
    struct ax_pipeline_event event = {0};
    bool rose = false, ended = false;
    while (!rose || !ended) {
        while (ax_pipeline_event(p, &event) == 1) {
            rose |= event.kind == AX_PIPELINE_RISE;
            ended |= event.kind == AX_PIPELINE_ENDED && event.serial == serial;
        }
        usleep(1000);
    }
    CHECK_EQ(ax_card_talk(card, clip), AX_OK);
    wait_ticks(t, 20);
    ax_audio_thread_stop(t);
    ax_audio_thread_stop(t);
    struct ax_audio_thread_counters c;
    ax_audio_thread_count(t, &c);
    CHECK(c.ticks >= 20 && c.card_errors == 0 && c.last_ns > 0 && c.running == 0);
    CHECK(c.worst_ns > 0 && c.busy_ns >= c.worst_ns);
    const struct ax_capture_header *head = capture_map(ax_card_fd(card));
    CHECK(head != NULL && head->rate == 16000 && head->written == c.ticks);
    const struct ax_capture_record *record = capture_record(head, head->written > 64 ? head->written - 63 : 1);
    CHECK(record->done_ns >= record->t_ns);
    CHECK_EQ(ax_audio_thread_start(t), AX_OK); /* Again. */
    wait_ticks(t, c.ticks + 2);
    carry(t);
    ax_audio_thread_free(t);
    ax_pipeline_free(p);
    ax_leg_free(leg);
    ax_card_close(card);
    ax_room_free(room);
}

/* A card that gives nothing: the pipeline is stepped all the same. */
static void test_thread_without_card(void)
{
    struct ax_pipeline *p = make_pipeline(RATE), *other = make_pipeline(16000);
    struct ax_card *card = NULL;
    struct ax_card_alsa config = alsa("good", "dead");
    struct ax_audio_thread *t = NULL;
    CHECK_EQ(ax_card_open_alsa(&card, &config), AX_OK);
    CHECK_EQ(ax_audio_thread_new(&t, other, card, 0), AX_E_RANGE);
    CHECK_EQ(ax_audio_thread_new(&t, p, NULL, 0), AX_E_ARG);
    CHECK_EQ(ax_audio_thread_new(&t, p, card, 0), AX_OK);
    CHECK_EQ(ax_audio_thread_start(t), AX_OK);
    wait_ticks(t, 5);
    ax_audio_thread_stop(t);
    struct ax_audio_thread_counters c;
    struct ax_pipeline_stats stats;
    ax_audio_thread_count(t, &c);
    ax_pipeline_get(p, &stats);
    CHECK(c.card_errors >= 1 && c.card_errors < c.ticks);
    CHECK_EQ(stats.steps, c.ticks);
    ax_audio_thread_free(t);
    ax_audio_thread_free(NULL);
    ax_card_close(card);
    ax_pipeline_free(p);
    ax_pipeline_free(other);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    fake_alsa = argv[1];
    test_alsa();
    test_alsa_refusals();
    test_thread_in_a_room();
    test_thread_without_card();
    return ax_test_done();
}
