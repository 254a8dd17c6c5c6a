/* The light in the I/O thread: its commands, its frames, and where they go (contract in ax/io_thread.h and ax/light.h).
 *
 * Threads: `commands` is filled by whoever has `producers`; the rest belongs to the I/O thread, counters can be read
 * anywhere. Allocation: in new. */
#include "ax/capture.h"
#include "ax_io_thread_internal.h"

#include <stdio.h>

#define LIGHT_NAME "light"

struct io_light {
    struct ax_led_player *player;
    struct ax_capture *capture;
    struct ax_light_out_config out_config;
    struct ax_light_out *out;  /* NULL: nobody but the capture sees it. */
    struct ax_ring commands;
    size_t leds;
    bool lit;                  /* What the tap was told last. */
    uint8_t section[AX_LED_MAX];
    atomic_ullong frames, missed, errors;
};

static void on_frame(void *context, uint64_t t_ns, const uint8_t *rgb, size_t n)
{
    struct io_light *light = context;
    uint64_t now_ns = ax_monotonic_ns();
    (void)n;
    ax_capture_put(light->capture, t_ns, now_ns, rgb);
    if (light->out != NULL)
        ax_light_out_put(light->out, rgb);
    atomic_fetch_add_explicit(&light->frames, 1, memory_order_relaxed);
}

static int build(struct io_light *light, const struct ax_light_config *config)
{
    if (config->leds == 0 || config->leds > AX_LED_MAX || config->places == NULL || config->out.kind >= AX_LIGHT_KIND_END)
        return AX_E_RANGE;
    light->leds = config->leds;
    light->out_config = config->out;
    for (size_t i = 0; i < config->leds; i++)
        light->section[i] = (uint8_t)config->places[i].section;
    int err = ax_led_player_new(&light->player, config->places, config->leds, config->frame_ns, &config->curve, on_frame,
                                light);
    if (err == AX_OK)
        err = ax_capture_new(&light->capture, AX_CAPTURE_LIGHT, (uint32_t)(UINT64_C(1000000000000) / config->frame_ns),
                             (uint32_t)config->leds, (uint32_t)(3 * config->leds), config->records);
    if (err == AX_OK)
        err = ax_ring_init(&light->commands, sizeof(struct ax_led_command), AX_LIGHT_COMMANDS);
    return err;
}

int io_light_new(struct io_light **out, const struct ax_light_config *config)
{
    struct io_light *light = calloc(1, sizeof *light);
    if (light == NULL)
        return AX_E_NOMEM;
    *out = light; /* Freed with the thread, whatever comes of it. */
    return build(light, config);
}

int io_light_start(struct io_light *light)
{
    if (light == NULL || light->out_config.kind == AX_LIGHT_NONE)
        return AX_OK;
    return ax_light_out_new(&light->out, &light->out_config, light->section, light->leds);
}

void io_light_free(struct io_light *light)
{
    if (light == NULL)
        return;
    ax_light_out_free(light->out);
    ax_led_player_free(light->player);
    ax_capture_free(light->capture);
    ax_ring_free(&light->commands);
    free(light);
}

bool io_light_waits(struct io_light *light)
{
    return light != NULL && ax_ring_peek(&light->commands) != NULL;
}

uint64_t io_light_next(const struct io_light *light)
{
    return light == NULL ? AX_NEVER : ax_led_player_next_ns(light->player);
}

static void obey(struct io_light *light, struct ax_led_command *command, uint64_t now_ns)
{
    if (command->at_ns == 0) { /* In place of everything that was to come. */
        command->at_ns = now_ns;
        ax_led_player_cancel(light->player);
    } else if (ax_led_player_put(light->player, command) == AX_OK)
        return;
    else
        ax_led_player_cancel(light->player); /* Full: the newest counts. */
    ax_led_player_put(light->player, command);
}

static void tell(struct io_light *light, struct tap *tap)
{
    bool lit = ax_led_player_next_ns(light->player) != AX_LED_NEVER;
    if (lit == light->lit)
        return;
    light->lit = lit;
    io_tap_send(tap, LIGHT_NAME, lit, ax_monotonic_ns());
}

void io_light_turn(struct io_light *light, struct tap *tap, uint64_t now_ns)
{
    struct ax_led_command command;
    if (light == NULL)
        return;
    while (ax_ring_pop(&light->commands, &command))
        obey(light, &command, now_ns);
    if (ax_led_player_step(light->player, now_ns, NULL) != 1)
        return;
    atomic_store_explicit(&light->missed, ax_led_player_missed(light->player), memory_order_relaxed);
    if (light->out != NULL)
        atomic_store_explicit(&light->errors, ax_light_out_errors(light->out), memory_order_relaxed);
    tell(light, tap);
}

void io_light_dark(struct io_light *light, struct tap *tap, uint64_t now_ns)
{
    struct ax_led_command off = {.at_ns = now_ns, .spec = {.speed = 1, .stretch = AX_LED_AS_LISTED}};
    if (light == NULL)
        return;
    ax_led_player_cancel(light->player);
    ax_led_player_put(light->player, &off);
    io_light_turn(light, tap, now_ns);
}

void io_light_count(const struct io_light *light, struct ax_io_thread_counters *out)
{
    out->frames = light == NULL ? 0 : atomic_load_explicit(&light->frames, memory_order_relaxed);
    out->frames_missed = light == NULL ? 0 : atomic_load_explicit(&light->missed, memory_order_relaxed);
    out->light_errors = light == NULL ? 0 : atomic_load_explicit(&light->errors, memory_order_relaxed);
}

int ax_io_thread_light(struct ax_io_thread *t, const struct ax_led_command *command)
{
    struct ax_led_profile probe;
    if (t == NULL || command == NULL)
        return AX_E_ARG;
    if (t->light == NULL)
        return AX_E_STATE;
    int err = ax_led_compile(&probe, &command->spec);
    if (err != AX_OK)
        return err;
    pthread_mutex_lock(&t->producers);
    bool pushed = ax_ring_push(&t->light->commands, command);
    pthread_mutex_unlock(&t->producers);
    if (!pushed)
        return AX_E_FULL;
    io_thread_kick(t);
    return AX_OK;
}

int ax_io_thread_light_fd(const struct ax_io_thread *t)
{
    return t->light == NULL ? -1 : ax_capture_fd(t->light->capture);
}
