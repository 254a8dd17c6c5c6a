/* The sound thread (contract in ax/sound_thread.h): commands, the pace, and where blocks go. */
#define _GNU_SOURCE /* ppoll */
#include "ax/sound_thread.h"

#include "../io/ax_io_tap.h"
#include "ax/capture.h"
#include "ax/err.h"
#include "ax/io_thread.h" /* ax_monotonic_ns */
#include "ax/ring.h"
#include "ax/thread.h"
#include "ax_sound_alsa.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
#define LATE_NS (SECOND_NS / 4) /* Later than this the sound goes on where it would be; up to here it catches up. */
#define NAME "speaker"
#define ALSA "libasound.so.2"

struct command {
    bool is_clip;
    union {
        struct ax_sound sound;
        struct ax_sound_clip clip;
    };
};

struct ax_sound_thread {
    struct ax_sound_thread_config config;
    char *device, *library, *name;
    bool without_card;              /* Owner's. */
    struct ax_sound_mixer *mixer;   /* The thread's, as the next four. */
    struct ax_capture *capture;
    struct sound_card *card;
    struct tap tap;
    int16_t *block;
    uint64_t began_ns, made;        /* When this run of blocks began, and how many it has. */
    bool playing, unpaced;          /* `unpaced`: the card did not take the latest block. */
    pthread_mutex_t producers;      /* Among those who play; never the thread. */
    struct ax_ring commands;
    uint64_t serial, clip_serial;   /* Under `producers`. */
    int wake_fd;
    atomic_bool stopping;
    bool started, running;          /* Owner's. */
    pthread_t pthread;
    atomic_ullong released, clips_released, blocks, missed, card_errors;
};

/* --- the thread ------------------------------------------------------------------------------------------------------ */

static uint64_t block_ns(const struct ax_sound_thread *t, uint64_t number)
{
    uint64_t samples = number * t->config.block;
    return t->began_ns + samples / t->config.rate * SECOND_NS + samples % t->config.rate * SECOND_NS / t->config.rate;
}

static void count(atomic_ullong *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static void obey(struct ax_sound_thread *t)
{
    struct command command;
    while (ax_ring_pop(&t->commands, &command)) { /* Was checked by play. */
        if (command.is_clip)
            ax_sound_mixer_put_clip(t->mixer, &command.clip);
        else
            ax_sound_mixer_put(t->mixer, &command.sound);
    }
    atomic_store_explicit(&t->released, ax_sound_mixer_done(t->mixer), memory_order_release);
    atomic_store_explicit(&t->clips_released, ax_sound_mixer_clips_done(t->mixer), memory_order_release);
}

/* Until a command comes, or `until_ns`. */
static void rest(struct ax_sound_thread *t, uint64_t until_ns)
{
    struct pollfd fd = {.fd = t->wake_fd, .events = POLLIN};
    uint64_t now_ns = ax_monotonic_ns(), value, left = until_ns > now_ns ? until_ns - now_ns : 0;
    struct timespec timeout = {(time_t)(left / SECOND_NS), (long)(left % SECOND_NS)};
    if (ppoll(&fd, 1, until_ns == UINT64_MAX ? NULL : &timeout, NULL) == 1) {
        ssize_t n = read(t->wake_fd, &value, sizeof value);
        (void)n;
    }
}

/* Whether the next block follows the one before: false when a new run of blocks begins. */
static bool follows(struct ax_sound_thread *t, uint64_t now_ns)
{
    if (t->playing) {
        uint64_t due_ns = block_ns(t, t->made);
        if (now_ns < due_ns + LATE_NS)
            return true;
        count(&t->missed, (now_ns - due_ns) / (SECOND_NS * t->config.block / t->config.rate));
    }
    t->began_ns = now_ns;
    t->made = 0;
    return false;
}

static void make_block(struct ax_sound_thread *t)
{
    bool resume = !follows(t, ax_monotonic_ns()) && t->playing;
    uint64_t t_ns = block_ns(t, t->made++);
    ax_sound_mixer_block(t->mixer, t_ns, resume, t->block);
    uint64_t done_ns = ax_monotonic_ns();
    ax_capture_put(t->capture, t_ns, done_ns, t->block);
    if (!t->playing)
        io_tap_send(&t->tap, t->name, true, done_ns);
    t->playing = true;
    count(&t->blocks, 1);
    t->unpaced = t->card == NULL || !sound_card_write(t->card, t->block, t->config.block);
    if (t->card != NULL && t->unpaced)
        count(&t->card_errors, 1);
    if (ax_sound_mixer_sounds(t->mixer))
        return;
    t->playing = false;
    io_tap_send(&t->tap, t->name, false, ax_monotonic_ns());
}

static void *run(void *context)
{
    struct ax_sound_thread *t = context;
    bool stop = false;
    ax_thread_exact_timers();
    for (;;) {
        if (!stop)
            obey(t);
        if (!stop && atomic_load(&t->stopping)) {
            ax_sound_mixer_put(t->mixer, &(struct ax_sound){.serial = UINT64_MAX});
            ax_sound_mixer_put_clip(t->mixer, &(struct ax_sound_clip){.serial = UINT64_MAX});
            stop = true;
        }
        if (!ax_sound_mixer_sounds(t->mixer)) {
            if (stop)
                return NULL;
            rest(t, UINT64_MAX);
        } else if (t->playing && t->unpaced && ax_monotonic_ns() < block_ns(t, t->made))
            rest(t, block_ns(t, t->made));
        else
            make_block(t);
    }
}

/* --- life cycle ------------------------------------------------------------------------------------------------------ */

static int init_parts(struct ax_sound_thread *t)
{
    const struct ax_sound_thread_config *config = &t->config;
    int err = ax_sound_mixer_new(&t->mixer, config->rate, config->block);
    if (err == AX_OK)
        err = ax_capture_new(&t->capture, AX_CAPTURE_SOUND, config->rate, config->block,
                             config->block * (uint32_t)sizeof *t->block, config->records);
    if (err == AX_OK)
        err = io_tap_open(&t->tap, config->tap_path);
    if (err == AX_OK)
        err = ax_ring_init(&t->commands, sizeof(struct command), AX_SOUND_COMMANDS);
    if (err != AX_OK)
        return err;
    t->block = calloc(config->block, sizeof *t->block);
    t->device = config->device == NULL ? NULL : strdup(config->device);
    t->library = strdup(config->library == NULL ? ALSA : config->library);
    t->name = strdup(config->name == NULL ? NAME : config->name);
    if (t->block == NULL || t->library == NULL || t->name == NULL || (t->device == NULL) != (config->device == NULL))
        return AX_E_NOMEM;
    t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return t->wake_fd < 0 ? AX_E_SYS : AX_OK;
}

int ax_sound_thread_new(struct ax_sound_thread **out, const struct ax_sound_thread_config *config)
{
    if (out == NULL || config == NULL)
        return AX_E_ARG;
    *out = NULL;
    struct ax_sound_thread *t = calloc(1, sizeof *t);
    if (t == NULL)
        return AX_E_NOMEM;
    t->config = *config;
    t->tap.fd = t->wake_fd = -1;
    pthread_mutex_init(&t->producers, NULL);
    int err = init_parts(t);
    t->config.tap_path = t->config.device = t->config.library = t->config.name = NULL; /* The caller's. */
    if (err == AX_OK) {
        *out = t;
        return AX_OK;
    }
    int saved = errno;
    ax_sound_thread_free(t);
    errno = saved;
    return err;
}

static int spawn(struct ax_sound_thread *t)
{
    return ax_thread_start(&t->pthread, run, t, "ax-sound", t->config.fifo_priority);
}

int ax_sound_thread_start(struct ax_sound_thread *t)
{
    if (t == NULL)
        return AX_E_ARG;
    if (t->started)
        return AX_E_STATE;
    int err = AX_OK;
    if (t->device != NULL && !t->without_card && t->card == NULL)
        err = sound_card_open(&t->card, t->library, t->device, t->config.rate);
    if (err == AX_OK)
        err = spawn(t);
    t->started = t->running = err == AX_OK;
    return err;
}

void ax_sound_thread_without_card(struct ax_sound_thread *t)
{
    t->without_card = true;
}

void ax_sound_thread_stop(struct ax_sound_thread *t)
{
    uint64_t one = 1;
    if (t == NULL || !t->running)
        return;
    atomic_store(&t->stopping, true);
    ssize_t n = write(t->wake_fd, &one, sizeof one);
    (void)n;
    pthread_join(t->pthread, NULL);
    t->running = false;
    sound_card_close(t->card);
    t->card = NULL;
    pthread_mutex_lock(&t->producers);
    atomic_store_explicit(&t->released, t->serial, memory_order_release);
    atomic_store_explicit(&t->clips_released, t->clip_serial, memory_order_release);
    pthread_mutex_unlock(&t->producers);
}

void ax_sound_thread_free(struct ax_sound_thread *t)
{
    if (t == NULL)
        return;
    ax_sound_thread_stop(t);
    sound_card_close(t->card);
    ax_sound_mixer_free(t->mixer);
    ax_capture_free(t->capture);
    io_tap_close(&t->tap);
    ax_ring_free(&t->commands);
    if (t->wake_fd >= 0)
        close(t->wake_fd);
    pthread_mutex_destroy(&t->producers);
    free(t->block);
    free(t->device);
    free(t->library);
    free(t->name);
    free(t);
}

/* --- commands -------------------------------------------------------------------------------------------------------- */

/* Number a command and hand it over. */
static int give(struct ax_sound_thread *t, struct command *command, uint64_t *counter, uint64_t *serial)
{
    uint64_t one = 1;
    pthread_mutex_lock(&t->producers);
    *(command->is_clip ? &command->clip.serial : &command->sound.serial) = *counter + 1;
    bool pushed = ax_ring_push(&t->commands, command);
    if (pushed)
        *serial = ++*counter;
    pthread_mutex_unlock(&t->producers);
    if (!pushed)
        return AX_E_FULL;
    ssize_t n = write(t->wake_fd, &one, sizeof one);
    (void)n;
    return AX_OK;
}

int ax_sound_thread_play(struct ax_sound_thread *t, const struct ax_siren *tone, uint8_t intensity, uint64_t epoch_ns,
                         uint64_t *serial)
{
    if (t == NULL || serial == NULL)
        return AX_E_ARG;
    if (tone != NULL
        && (ax_siren_rate(tone) != t->config.rate || intensity < 1 || intensity > AX_SIREN_INTENSITIES))
        return AX_E_RANGE;
    struct command command = {.sound = {.tone = tone, .epoch_ns = epoch_ns, .intensity = intensity}};
    return give(t, &command, &t->serial, serial);
}

int ax_sound_thread_play_clip(struct ax_sound_thread *t, const struct ax_sound_clip *clip, uint64_t *serial)
{
    if (t == NULL || clip == NULL || serial == NULL)
        return AX_E_ARG;
    int err = ax_sound_mixer_check_clip(clip);
    if (err != AX_OK)
        return err;
    struct command command = {.is_clip = true, .clip = *clip};
    return give(t, &command, &t->clip_serial, serial);
}

uint64_t ax_sound_thread_released(const struct ax_sound_thread *t)
{
    return atomic_load_explicit(&t->released, memory_order_acquire);
}

uint64_t ax_sound_thread_clips_released(const struct ax_sound_thread *t)
{
    return atomic_load_explicit(&t->clips_released, memory_order_acquire);
}

int ax_sound_thread_fd(const struct ax_sound_thread *t)
{
    return ax_capture_fd(t->capture);
}

void ax_sound_thread_count(const struct ax_sound_thread *t, struct ax_sound_thread_counters *out)
{
    out->blocks = atomic_load_explicit(&t->blocks, memory_order_relaxed);
    out->missed = atomic_load_explicit(&t->missed, memory_order_relaxed);
    out->card_errors = atomic_load_explicit(&t->card_errors, memory_order_relaxed);
    out->tap_errors = atomic_load_explicit(&t->tap.errors, memory_order_relaxed);
}
