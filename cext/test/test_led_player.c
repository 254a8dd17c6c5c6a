/* The player: frames on the clock's grid, switches at their very time, fades without a jump, rest in the dark. */
#include "ax/led_player.h"

#include "ax/err.h"
#include "ax_test.h"

#include <stdlib.h>
#include <string.h>

enum { N = 12, MS = 1000000, FRAME = 10 * MS };

static struct ax_led_place places[N];
static struct ax_led_curve linear;
static uint8_t shown[3 * N];
static uint64_t shown_at;
static int frames;

static void output(void *context, uint64_t t_ns, const uint8_t *rgb, size_t n)
{
    CHECK(context == &frames && n == N);
    memcpy(shown, rgb, sizeof shown);
    shown_at = t_ns;
    frames++;
}

static struct ax_led_player *start(void)
{
    struct ax_led_player *player = NULL;
    for (uint32_t i = 0; i < N; i++)
        places[i] = (struct ax_led_place){i * (UINT32_MAX / N), i * (0x80000000u / N), 0, i / 3};
    CHECK_EQ(ax_led_curve_gamma(&linear, 1.0), AX_OK);
    CHECK_EQ(ax_led_player_new(&player, places, N, FRAME, &linear, output, &frames), AX_OK);
    frames = 0;
    return player;
}

static struct ax_led_command show(const char *name, uint64_t at_ns, uint64_t fade_ns, uint16_t red)
{
    struct ax_led_command command = {.at_ns = at_ns, .fade_ns = fade_ns};
    command.spec = (struct ax_led_spec){.epoch_ns = at_ns, .row = (uint8_t)ax_led_find(name), .level = AX_LED_FULL,
                                        .stretch = AX_LED_AS_LISTED};
    command.spec.speed = ax_led_row_get(command.spec.row)->default_speed;
    command.spec.colours = ax_led_row_get(command.spec.row)->min_colours;
    command.spec.colour[0][0] = red;
    return command;
}

static void test_clock(void)
{
    struct ax_led_player *player = start();
    const uint64_t base = 1000000000003u;
    CHECK_EQ(ax_led_player_next_ns(player), 0);
    CHECK_EQ(ax_led_player_step(player, base, NULL), 1); /* Black, then nothing more to do. */
    CHECK_EQ(shown[0], 0);
    CHECK(ax_led_player_next_ns(player) == AX_LED_NEVER);
    CHECK_EQ(ax_led_player_step(player, base + 5 * FRAME, NULL), 0);

    const uint64_t at = base + 7 * FRAME + 4 * MS;
    struct ax_led_command red = show("Steady", at, 0, AX_LED_FULL);
    CHECK_EQ(ax_led_player_put(player, &red), AX_OK);
    CHECK_EQ(ax_led_player_next_ns(player), at);
    CHECK_EQ(ax_led_player_step(player, at - 1, NULL), 0);
    uint8_t copy[3 * N];
    CHECK_EQ(ax_led_player_step(player, at, copy), 1);
    CHECK(shown_at == at && shown[0] == 255 && shown[1] == 0 && memcmp(copy, shown, sizeof copy) == 0);
    const uint64_t next = ax_led_player_next_ns(player); /* Then on the grid again. */
    CHECK(next % FRAME == 0 && next > at && next - at <= FRAME);
    CHECK_EQ(ax_led_player_step(player, next + 3, NULL), 1);
    CHECK_EQ(shown_at, next);
    CHECK_EQ(ax_led_player_missed(player), 0);
    CHECK_EQ(ax_led_player_step(player, next + 4 * FRAME, NULL), 1); /* Late: three are lost, the newest is shown. */
    CHECK_EQ(ax_led_player_missed(player), 3);
    CHECK_EQ(shown_at, next + 4 * FRAME);

    CHECK_EQ(ax_led_player_step(player, base, NULL), 1); /* The clock was set back: it goes on from there. */
    CHECK(shown_at == base - base % FRAME && ax_led_player_next_ns(player) == shown_at + FRAME);

    struct ax_led_command off = show("Off", 0, 0, 0);
    CHECK_EQ(ax_led_player_put(player, &off), AX_OK);
    CHECK_EQ(ax_led_player_next_ns(player), 0);
    CHECK_EQ(ax_led_player_step(player, next + 4 * FRAME + 1, NULL), 1);
    CHECK(shown[0] == 0 && ax_led_player_next_ns(player) == AX_LED_NEVER && ax_led_player_row(player) == 0);
    ax_led_player_free(player);
}

static void test_fade(void)
{
    struct ax_led_player *player = start();
    struct ax_led_command command = show("Steady", 0, 0, 40000);
    CHECK_EQ(ax_led_player_put(player, &command), AX_OK);
    uint64_t t = 100 * (uint64_t)FRAME;
    CHECK_EQ(ax_led_player_step(player, t, NULL), 1);
    int last = shown[0];
    command = show("Steady", t + FRAME / 2, 50 * FRAME, 0);
    CHECK_EQ(ax_led_player_put(player, &command), AX_OK);
    for (int i = 0; i < 120; i++) { /* In the middle of the fade, another one: no jump anywhere. */
        if (i == 25) {
            command = show("Steady", ax_led_player_next_ns(player), 50 * FRAME, AX_LED_FULL);
            CHECK_EQ(ax_led_player_put(player, &command), AX_OK);
        }
        t = ax_led_player_next_ns(player);
        CHECK_EQ(ax_led_player_step(player, t, NULL), 1);
        CHECK(abs(shown[0] - last) <= 6);
        CHECK(i < 2 || i > 24 || shown[0] < 155);
        last = shown[0];
    }
    CHECK_EQ(last, 255);
    ax_led_player_free(player);
}

static void test_commands(void)
{
    struct ax_led_player *player = start(), *none = NULL;
    struct ax_led_command command = show("Steady", 500 * (uint64_t)MS, 0, 100);
    for (uint64_t i = 0; i < AX_LED_PENDING; i++) {
        command.at_ns = (500 - 10 * i) * MS; /* In any order; of one time the last counts. */
        command.spec.colour[0][0] = (uint16_t)(1000 * i);
        CHECK_EQ(ax_led_player_put(player, &command), AX_OK);
    }
    CHECK_EQ(ax_led_player_put(player, &command), AX_E_FULL);
    CHECK_EQ(ax_led_player_next_ns(player), 0);
    CHECK_EQ(ax_led_player_step(player, 1, NULL), 1);
    CHECK_EQ(ax_led_player_next_ns(player), (500 - 10 * (AX_LED_PENDING - 1)) * (uint64_t)MS);
    CHECK_EQ(ax_led_player_step(player, 455 * (uint64_t)MS, NULL), 1);
    CHECK_EQ(ax_led_player_next_ns(player), 460 * (uint64_t)MS);
    ax_led_player_cancel(player);
    CHECK_EQ(ax_led_player_next_ns(player), 460 * (uint64_t)MS); /* The frame clock. */
    command.spec.speed = 9;
    CHECK_EQ(ax_led_player_put(player, &command), AX_E_RANGE);
    CHECK_EQ(ax_led_player_put(NULL, &command), AX_E_ARG);
    CHECK_EQ(ax_led_player_step(NULL, 0, NULL), AX_E_ARG);
    CHECK(ax_led_player_next_ns(NULL) == AX_LED_NEVER && ax_led_player_missed(NULL) == 0 && ax_led_player_row(NULL) == 0);
    CHECK_EQ(ax_led_player_new(&none, places, N, 999999, &linear, NULL, NULL), AX_E_RANGE);
    CHECK_EQ(ax_led_player_new(&none, places, 0, FRAME, &linear, NULL, NULL), AX_E_RANGE);
    CHECK_EQ(ax_led_player_new(&none, places, N, FRAME, NULL, NULL, NULL), AX_E_ARG);
    CHECK(none == NULL);
    ax_led_player_cancel(NULL);
    ax_led_player_free(NULL);
    ax_led_player_free(player);
}

/* Two players that began at different times show the same. */
static void test_together(void)
{
    struct ax_led_player *one = start(), *two = start();
    struct ax_led_command command = show("Rotate tail white + steady color", 0, 0, 0);
    uint8_t a[3 * N], b[3 * N];
    command.spec.epoch_ns = 0;
    CHECK_EQ(ax_led_player_put(one, &command), AX_OK);
    CHECK_EQ(ax_led_player_step(one, 3 * FRAME, a), 1);
    command.at_ns = 777 * (uint64_t)MS;
    CHECK_EQ(ax_led_player_put(two, &command), AX_OK);
    CHECK_EQ(ax_led_player_step(two, 790 * (uint64_t)MS, b), 1);
    for (uint64_t k = 80; k < 120; k++) {
        CHECK_EQ(ax_led_player_step(one, k * FRAME + 1, a), 1);
        CHECK_EQ(ax_led_player_step(two, k * FRAME + 9 * MS, b), 1);
        CHECK(memcmp(a, b, sizeof a) == 0);
    }
    ax_led_player_free(one);
    ax_led_player_free(two);
}

int main(void)
{
    test_clock();
    test_fade();
    test_commands();
    test_together();
    return ax_test_done();
}
