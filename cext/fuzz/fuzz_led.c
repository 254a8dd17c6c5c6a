/* Any layout, spec and time: refused or drawn without fault, by every variant with the same bits; then through a player, whose
 * time may jump. Input: a spec (48 bytes), a time, a gamma, a frame number, a weight, then places of 7 bytes each. */
#include "ax/led.h"

#include "ax/err.h"
#include "ax/led_out.h"
#include "ax/led_player.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 48 + 8 + 1 + 4 + 2, PLACE = 7 };

static struct ax_led_place places[AX_LED_MAX];
static uint16_t light[2][3 * AX_LED_MAX];
static uint8_t codes[2][3 * AX_LED_MAX], wire[3 * 4 * AX_LED_MAX + 1024];

static void require(int condition)
{
    if (!condition)
        abort();
}

static void play(size_t n, const struct ax_led_curve *curve, const struct ax_led_spec *spec, uint64_t t_ns)
{
    struct ax_led_player *player = NULL;
    struct ax_led_command command = {.at_ns = t_ns, .fade_ns = t_ns % 50000000, .spec = *spec};
    require(ax_led_player_new(&player, places, n, 10000000, curve, NULL, NULL) == AX_OK);
    require(ax_led_player_put(player, &command) == AX_OK);
    command.at_ns += 30000000;
    require(ax_led_player_put(player, &command) == AX_OK);
    const uint64_t now[] = {0, t_ns / 2, t_ns, t_ns + 7000000, t_ns + 31000000, 5, t_ns + 99000000};
    for (size_t i = 0; i < sizeof now / sizeof *now; i++)
        require(ax_led_player_step(player, now[i], codes[0]) >= 0);
    ax_led_player_free(player);
}

static void draw(struct ax_led *led, size_t n, const struct ax_led_profile *profile, const struct ax_led_curve *curve,
                 uint64_t t_ns, uint32_t frame, uint32_t weight)
{
    for (int level = 0; level < ax_led_levels(); level++) {
        const int at = level != 0;
        require(ax_led_set_level(led, level) == AX_OK);
        require(ax_led_frame(led, profile, t_ns, light[at]) == AX_OK);
        require(ax_led_frame8(led, profile, curve, t_ns, frame, codes[at]) == AX_OK);
        require(memcmp(light[0], light[at], 3 * n * sizeof(uint16_t)) == 0 && memcmp(codes[0], codes[at], 3 * n) == 0);
        require(ax_led_mix(led, light[at], light[0], 3 * n, weight, light[at]) == AX_OK);
        require(level || memcmp(light[0], light[at], 3 * n * sizeof(uint16_t)) == 0);
    }
    require(ax_led_apa102(codes[0], n, frame & 31, wire, sizeof wire) == (int)ax_led_apa102_size(n));
    require(ax_led_ws2812(codes[0], n, 3, wire, sizeof wire) == (int)ax_led_ws2812_size(n, 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ax_led_spec spec;
    struct ax_led_profile profile;
    struct ax_led_curve curve;
    struct ax_led *led = NULL;
    uint64_t t_ns;
    uint32_t frame;
    uint16_t weight;
    if (size < HEAD + PLACE)
        return 0;
    memcpy(&spec, data, 48);
    memcpy(&t_ns, data + 48, 8);
    memcpy(&frame, data + 57, 4);
    memcpy(&weight, data + 61, 2);
    require(ax_led_curve_gamma(&curve, 0.25 + data[56] / 70.0) == AX_OK);
    size_t n = (size - HEAD) / PLACE;
    n = n < AX_LED_MAX ? n : AX_LED_MAX;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = data + HEAD + PLACE * i;
        places[i] = (struct ax_led_place){(uint32_t)(p[0] << 8 | p[1]) << 16, (uint32_t)(p[2] << 8 | p[3]) << 15,
                                          (uint32_t)(p[4] << 8 | p[5]) << 15, p[6]};
    }
    if (ax_led_new(&led, places, n) < 0)
        return 0;
    if (ax_led_compile(&profile, &spec) == AX_OK) {
        require(ax_led_period_ns(&profile, ax_led_sections(led)) < UINT64_MAX / 2);
        draw(led, n, &profile, &curve, t_ns, frame, weight);
        play(n, &curve, &spec, t_ns % (UINT64_MAX / 2));
    }
    ax_led_free(led);
    return 0;
}
