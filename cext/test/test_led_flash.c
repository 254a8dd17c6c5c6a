/* The flash analyser: signals that are counted by hand, and patterns of the catalogue. */
#include "ax/led_flash.h"

#include "ax/err.h"
#include "ax_test.h"

enum { MS = 1000000 };

static const uint16_t BLACK[3] = {0, 0, 0}, WHITE[3] = {65535, 65535, 65535}, RED[3] = {65535, 0, 0};

/* `on` ms of one light, `off` ms of another, for three seconds. */
static struct ax_led_flash_report flicker(const uint16_t *first, uint64_t on, const uint16_t *second, uint64_t off)
{
    struct ax_led_flash *flash = NULL;
    struct ax_led_flash_report report;
    CHECK_EQ(ax_led_flash_new(&flash, 1, 1000 * (uint64_t)MS), AX_OK);
    CHECK_EQ(ax_led_flash_look(flash, first), AX_OK);
    CHECK_EQ(ax_led_flash_look(flash, second), AX_OK);
    for (uint64_t t = 0; t < 3000; t++)
        CHECK_EQ(ax_led_flash_feed(flash, t * MS, t % (on + off) < on ? first : second), AX_OK);
    CHECK_EQ(ax_led_flash_result(flash, &report), AX_OK);
    ax_led_flash_free(flash);
    return report;
}

static void test_counts(void)
{
    const uint16_t grey[3] = {60000, 60000, 60000}, pale[3] = {53000, 53000, 53000}, dim[3] = {52000, 52000, 52000};
    const uint16_t even[3] = {13933, 13933, 13933}; /* As bright as the red. */
    CHECK_EQ(flicker(WHITE, 500, BLACK, 500).general, 1);
    CHECK_EQ(flicker(WHITE, 100, BLACK, 250).general, 3);
    CHECK_EQ(flicker(WHITE, 100, BLACK, 150).general, 4);
    CHECK_EQ(flicker(WHITE, 100, BLACK, 150).changes, 16);
    CHECK_EQ(flicker(WHITE, 5, BLACK, 5).general, AX_LED_FLASH_MOST);
    CHECK_EQ(flicker(WHITE, 50, grey, 50).general, 0);
    CHECK_EQ(flicker(WHITE, 50, pale, 50).general, 0);
    CHECK_EQ(flicker(WHITE, 50, dim, 50).general, 10);
    CHECK_EQ(flicker(WHITE, 50, BLACK, 50).red, 0);
    CHECK_EQ(flicker(RED, 100, even, 100).general, 0);
    CHECK_EQ(flicker(RED, 100, even, 100).red, 5);
    CHECK_EQ(flicker(BLACK, 100, BLACK, 100).general, 0);
}

static struct ax_led_flash_report judge(struct ax_led *led, const char *name, uint8_t speed)
{
    struct ax_led_spec spec = {.row = (uint8_t)ax_led_find(name), .speed = speed, .colours = 1, .level = 100,
                               .stretch = AX_LED_AS_LISTED, .epoch_ns = 12345, .colour = {{65535, 0, 0}}};
    struct ax_led_profile profile;
    struct ax_led_flash *flash = NULL;
    struct ax_led_flash_report report;
    CHECK_EQ(ax_led_compile(&profile, &spec), AX_OK);
    CHECK_EQ(ax_led_flash_new(&flash, ax_led_count(led), 0), AX_OK);
    CHECK_EQ(ax_led_flash_run(flash, led, &profile, 0, 2 * MS, 2500), AX_OK);
    CHECK_EQ(ax_led_flash_result(flash, &report), AX_OK);
    ax_led_flash_free(flash);
    return report;
}

static void test_patterns(void)
{
    static struct ax_led_place places[40];
    struct ax_led *led = NULL;
    for (uint32_t i = 0; i < 40; i++)
        places[i] = (struct ax_led_place){.turn = i << 26, .section = i / 10};
    CHECK_EQ(ax_led_new(&led, places, 40), AX_OK);
    CHECK_EQ(judge(led, "Blink 4x", 1).general, 3);
    CHECK_EQ(judge(led, "Blink 4x", 2).general, 4);
    CHECK_EQ(judge(led, "Blink 4x", 2).red, 4);
    CHECK_EQ(judge(led, "Flash 1x", 4).general, 4);
    CHECK_EQ(judge(led, "Rotate white + steady color", 4).general, 2);
    CHECK_EQ(judge(led, "Steady", 1).general, 0);
    struct ax_led_flash *flash = NULL;
    struct ax_led_profile profile = {.period_ns = 0};
    CHECK_EQ(ax_led_flash_new(&flash, 41, 0), AX_OK);
    CHECK_EQ(ax_led_flash_run(flash, led, &profile, 0, MS, 1), AX_E_ARG); /* For 41 LEDs. */
    ax_led_flash_free(flash);
    CHECK_EQ(ax_led_flash_new(&flash, 40, 0), AX_OK);
    CHECK_EQ(ax_led_flash_run(flash, led, &profile, 0, MS, 1), AX_E_ARG); /* A profile that nobody made. */
    CHECK_EQ(ax_led_flash_run(NULL, led, &profile, 0, MS, 1), AX_E_ARG);
    ax_led_flash_free(flash);
    ax_led_free(led);
    CHECK_EQ(ax_led_flash_new(&flash, 0, 0), AX_E_RANGE);
    CHECK_EQ(ax_led_flash_new(NULL, 1, 0), AX_E_ARG);
    CHECK_EQ(ax_led_flash_look(NULL, BLACK), AX_E_ARG);
    CHECK_EQ(ax_led_flash_feed(NULL, 0, BLACK), AX_E_ARG);
    CHECK_EQ(ax_led_flash_result(NULL, NULL), AX_E_ARG);
}

int main(void)
{
    test_counts();
    test_patterns();
    return ax_test_done();
}
