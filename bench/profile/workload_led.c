/* Light workloads: frames at 100 a second from a time of today, by the portable steps: the best variant, and so its count,
 * would depend on the machine. The player takes the best; its frames have 144 LEDs. */
#include "workload.h"

#include "ax/led.h"
#include "ax/led_player.h"

enum { STRIP = 1024, SIREN = 144, FRAMES = 10 };

static const uint64_t START = 1700000000000000000u;
static struct ax_led_place places[STRIP];
static struct ax_led *led;
static struct ax_led_player *player;
static struct ax_led_profile tail, rows[AX_LED_CATALOGUE];
static struct ax_led_curve curve;
static uint8_t codes[3 * STRIP];

static int compile(int row, struct ax_led_profile *profile)
{
    const struct ax_led_row *face = ax_led_row_get(row);
    const struct ax_led_spec spec = {
        .row = (uint8_t)row, .speed = face->default_speed, .colours = face->max_colours, .level = AX_LED_FULL,
        .stretch = AX_LED_AS_LISTED, .colour = {{AX_LED_FULL, 0, 0}, {0, 0, AX_LED_FULL}, {0, AX_LED_FULL, 0}},
    };
    return ax_led_compile(profile, &spec);
}

static int prepare(uint32_t n, int level)
{
    for (uint32_t i = 0; i < n; i++)
        places[i] = (struct ax_led_place){(uint32_t)(((uint64_t)i << 32) / n), (uint32_t)(((uint64_t)i << 31) / n),
                                          (uint32_t)(((uint64_t)i << 31) / n), i * 12 / n};
    ax_led_free(led);
    led = NULL;
    int rc = ax_led_new(&led, places, n);
    for (int row = 0; row < AX_LED_CATALOGUE && rc == 0; row++)
        rc = compile(row, &rows[row]);
    if (rc == 0)
        rc = compile(ax_led_find("Rotate tail white + steady color"), &tail);
    if (rc == 0)
        rc = ax_led_curve_gamma(&curve, 2.2);
    return rc == 0 ? ax_led_set_level(led, level) : rc;
}

static int prepare_portable(void)
{
    return prepare(STRIP, 0);
}

static int prepare_catalogue(void)
{
    return prepare(SIREN, 0);
}

static int prepare_player(void)
{
    int rc = prepare(SIREN, 0);
    ax_led_player_free(player);
    player = NULL;
    return rc == 0 ? ax_led_player_new(&player, places, SIREN, 10000000, &curve, NULL, NULL) : rc;
}

static uint64_t run_tail(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < FRAMES; i++) {
        (void)ax_led_frame8(led, &tail, &curve, START + i * 10000000u, i, codes);
        sum += codes[i];
    }
    return sum;
}

static uint64_t run_catalogue(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < FRAMES; i++)
        for (int row = 0; row < AX_LED_CATALOGUE; row++) {
            (void)ax_led_frame8(led, &rows[row], &curve, START + i * 10000000u, i, codes);
            sum += codes[i];
        }
    return sum;
}

/* A profile, then another with a fade: commands, two frames at once, the mixer. */
static uint64_t run_player(void)
{
    struct ax_led_command command = {.at_ns = START, .spec = rows[10].spec};
    uint64_t sum = (uint64_t)ax_led_player_put(player, &command);
    command = (struct ax_led_command){.at_ns = START + 35000000, .fade_ns = 50000000, .spec = tail.spec};
    sum += (uint64_t)ax_led_player_put(player, &command);
    for (uint64_t t = START; t < START + 110000000; t += 5000000)
        sum += (uint64_t)ax_led_player_step(player, t, codes) + codes[0];
    return sum;
}

int main(int argc, char **argv)
{
    static const struct workload list[] = {
        {"led.tail_1024", "frames", FRAMES, prepare_portable, run_tail},
        {"led.catalogue_144", "frames", FRAMES * AX_LED_CATALOGUE, prepare_catalogue, run_catalogue},
        {"led.player", "frames", 12, prepare_player, run_player},
    };
    int rc = workload_main(list, sizeof list / sizeof *list, argc, argv);
    ax_led_free(led);
    ax_led_player_free(player);
    return rc;
}
