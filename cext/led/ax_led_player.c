/* The player of light profiles: pending commands in order of time, at most two profiles at once. Units, threads, allocation:
 * see ax/led_player.h. */
#include "ax/led_player.h"

#include "ax/err.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct ax_led_spec) == 48, "commands stay small");
_Static_assert(sizeof(struct ax_led_command) == AX_LED_COMMAND_SIZE, "one cache line");

struct ax_led_player {
    struct ax_led *led;
    struct ax_led_curve curve;
    ax_led_output output;
    void *context;
    uint64_t frame_ns;
    uint64_t next_ns;  /* Of the frame clock. 0: nothing was shown yet. */
    uint64_t last_ns;  /* Of the newest step. */
    uint64_t missed;
    uint64_t fade_from_ns, fade_ns; /* fade_ns 0: no fade. */
    struct ax_led_profile old, now;
    struct ax_led_command pending[AX_LED_PENDING];
    uint32_t npending;
    uint32_t resting;   /* Black, and has been shown. */
    uint32_t frozen;    /* A fade from light[1] as it is, not from `old`. */
    uint16_t *light[2]; /* A frame each. */
    uint8_t *codes;
};

int ax_led_player_new(struct ax_led_player **out, const struct ax_led_place *places, size_t n, uint64_t frame_ns,
                      const struct ax_led_curve *curve, ax_led_output output, void *context)
{
    const struct ax_led_spec off = {.speed = 1, .stretch = AX_LED_AS_LISTED};
    if (!out || !curve)
        return AX_E_ARG;
    if (frame_ns < 1000000 || frame_ns > 1000000000)
        return AX_E_RANGE;
    struct ax_led *led = NULL;
    int rc = ax_led_new(&led, places, n);
    if (rc < 0)
        return rc;
    struct ax_led_player *player = calloc(1, sizeof *player + 3 * n * (2 * sizeof(uint16_t) + 1));
    if (!player) {
        ax_led_free(led);
        return AX_E_NOMEM;
    }
    player->led = led;
    player->curve = *curve;
    player->output = output;
    player->context = context;
    player->frame_ns = frame_ns;
    player->light[0] = (uint16_t *)(void *)(player + 1);
    player->light[1] = player->light[0] + 3 * n;
    player->codes = (uint8_t *)(void *)(player->light[1] + 3 * n);
    rc = ax_led_compile(&player->now, &off);
    *out = player;
    return rc;
}

void ax_led_player_free(struct ax_led_player *player)
{
    if (player)
        ax_led_free(player->led);
    free(player);
}

int ax_led_player_put(struct ax_led_player *player, const struct ax_led_command *command)
{
    struct ax_led_profile profile;
    if (!player || !command)
        return AX_E_ARG;
    const int rc = ax_led_compile(&profile, &command->spec);
    if (rc < 0)
        return rc;
    if (player->npending == AX_LED_PENDING)
        return AX_E_FULL;
    uint32_t at = player->npending++;
    for (; at > 0 && player->pending[at - 1].at_ns > command->at_ns; at--)
        player->pending[at] = player->pending[at - 1];
    player->pending[at] = *command;
    return AX_OK;
}

void ax_led_player_cancel(struct ax_led_player *player)
{
    if (player)
        player->npending = 0;
}

uint64_t ax_led_player_next_ns(const struct ax_led_player *player)
{
    if (!player)
        return AX_LED_NEVER;
    const uint64_t clock = player->resting ? AX_LED_NEVER : player->next_ns;
    const uint64_t command = player->npending ? player->pending[0].at_ns : AX_LED_NEVER;
    return clock < command ? clock : command;
}

/* The light at a time, faded if need be, in light[0]. */
static void mixed_light(struct ax_led_player *player, uint64_t t_ns)
{
    (void)ax_led_frame(player->led, &player->now, t_ns, player->light[0]);
    if (player->fade_ns && t_ns - player->fade_from_ns >= player->fade_ns)
        player->fade_ns = 0;
    if (player->fade_ns == 0)
        return;
    const double gone = (double)(t_ns - player->fade_from_ns) / (double)player->fade_ns;
    if (!player->frozen)
        (void)ax_led_frame(player->led, &player->old, t_ns, player->light[1]);
    (void)ax_led_mix(player->led, player->light[1], player->light[0], 3 * ax_led_count(player->led),
                     (uint32_t)(gone * 65536.0), player->light[0]);
}

/* The commands whose time has come. Returns the time of the last. */
static uint64_t obey(struct ax_led_player *player, uint64_t now_ns, uint64_t grid)
{
    uint32_t done = 0;
    uint64_t at = 0;
    for (; done < player->npending && player->pending[done].at_ns <= now_ns; done++) {
        const struct ax_led_command *command = &player->pending[done];
        at = command->at_ns;
        /* A frame late is still on time, so that devices agree; what is older begins now. */
        const uint64_t begin = now_ns - at <= player->frame_ns ? at : grid;
        if (player->fade_ns && command->fade_ns && begin >= player->fade_from_ns) {
            /* Out of the middle of a fade: from the light as it is. */
            mixed_light(player, begin);
            memcpy(player->light[1], player->light[0], 3 * ax_led_count(player->led) * sizeof *player->light[0]);
            player->frozen = 1;
        } else {
            player->frozen = 0;
        }
        player->fade_ns = command->fade_ns;
        player->fade_from_ns = begin;
        player->old = player->now;
        (void)ax_led_compile(&player->now, &command->spec); /* Was checked by put. */
        player->resting = 0;
    }
    player->npending -= done;
    memmove(player->pending, player->pending + done, player->npending * sizeof *player->pending);
    return at;
}

/* Whether there will be nothing but black until a command comes. */
static int rests(const struct ax_led_player *player)
{
    return player->fade_ns == 0 && (player->now.spec.row == 0 || player->now.spec.level == 0);
}

int ax_led_player_step(struct ax_led_player *player, uint64_t now_ns, uint8_t *out)
{
    if (!player)
        return AX_E_ARG;
    const int back = now_ns < player->last_ns; /* The clock was set. */
    player->last_ns = now_ns;
    if (now_ns < ax_led_player_next_ns(player) && !(back && !player->resting))
        return 0;
    const int clocked = !player->resting && player->next_ns != 0;
    const uint64_t grid = now_ns - now_ns % player->frame_ns, at = obey(player, now_ns, grid);
    const uint64_t t_ns = at > grid ? at : grid; /* The newest time that is due: the clock's, or a command's after it. */
    if (clocked && grid > player->next_ns)
        player->missed += (grid - player->next_ns) / player->frame_ns;
    player->next_ns = grid + player->frame_ns;
    const size_t size = 3 * ax_led_count(player->led);
    mixed_light(player, t_ns);
    (void)ax_led_encode(player->led, &player->curve, player->light[0], size, (uint32_t)(t_ns / player->frame_ns),
                        player->codes);
    player->resting = (uint32_t)rests(player);
    if (out)
        memcpy(out, player->codes, size);
    if (player->output)
        player->output(player->context, t_ns, player->codes, size / 3);
    return 1;
}

uint64_t ax_led_player_missed(const struct ax_led_player *player)
{
    return player ? player->missed : 0;
}

int ax_led_player_row(const struct ax_led_player *player)
{
    return player ? player->now.spec.row : 0;
}
