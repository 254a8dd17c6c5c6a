/* The light kernel: layouts, curves, codes, crossfades, and the choice of the variant. Units, threads, allocation: see
 * ax/led.h. */
#include "ax_led_internal.h"

#include "ax/err.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STRIDE 37u /* Thresholds from frame to frame: odd, and in the low bits a mixed order. */

#define ROW(a) (a), (a) + 128, (a) + 64, (a) + 192, (a) + 32, (a) + 160, (a) + 96, (a) + 224
#define ROW64(a) ROW(a), ROW((a) + 16), ROW((a) + 8), ROW((a) + 24), ROW((a) + 4), ROW((a) + 20), ROW((a) + 12), ROW((a) + 28)
const uint8_t ax_led_thresholds[256 + DITHER_ROOM] = {ROW64(0), ROW64(2), ROW64(1), ROW64(3), ROW64(0)};

static const struct led_ops *const LEVELS[] = {
    &ax_led_generic,
#ifdef AX_HAVE_SSE4
    &ax_led_sse4,
#endif
#ifdef AX_HAVE_AVX2
    &ax_led_avx2,
#endif
#ifdef AX_HAVE_AVX512
    &ax_led_avx512,
#endif
#ifdef AX_HAVE_NEON
    &ax_led_neon,
#endif
};

int ax_led_levels(void)
{
    int built = (int)(sizeof LEVELS / sizeof *LEVELS);
#ifdef AX_HAVE_AVX512
    if (!__builtin_cpu_supports("avx512bw"))
        built--;
    else
        return built;
#endif
#ifdef AX_HAVE_AVX2
    if (!__builtin_cpu_supports("avx2"))
        built--;
    else
        return built;
#endif
#ifdef AX_HAVE_SSE4
    if (!__builtin_cpu_supports("sse4.1"))
        built--;
#endif
    return built;
}

const char *ax_led_level_name(int level)
{
    return level >= 0 && level < ax_led_levels() ? LEVELS[level]->name : "";
}

int ax_led_set_level(struct ax_led *led, int level)
{
    if (!led)
        return AX_E_ARG;
    if (level < 0 || level >= ax_led_levels())
        return AX_E_RANGE;
    led->ops = LEVELS[level];
    return AX_OK;
}

static int check(const struct ax_led_place *places, size_t n)
{
    if (n == 0 || n > AX_LED_MAX)
        return AX_E_RANGE;
    for (size_t i = 0; i < n; i++) {
        const uint32_t before = i ? places[i - 1].section : 0;
        if (places[i].x > 0x80000000u || places[i].y > 0x80000000u || places[i].section >= AX_LED_MAX_SECTIONS)
            return AX_E_RANGE;
        if (places[i].section < before || places[i].section > before + (i != 0))
            return AX_E_ARG;
    }
    return AX_OK;
}

int ax_led_new(struct ax_led **out, const struct ax_led_place *places, size_t n)
{
    if (!out || !places)
        return AX_E_ARG;
    const int rc = check(places, n);
    if (rc < 0)
        return rc;
    struct ax_led *led = calloc(1, sizeof *led + AXES * n * sizeof(uint32_t) + 3 * n * sizeof(uint16_t));
    if (!led)
        return AX_E_NOMEM;
    uint32_t *memory = (uint32_t *)(void *)(led + 1);
    for (int axis = 0; axis < AXES; axis++, memory += n)
        led->position[axis] = memory;
    led->scratch = (uint16_t *)(void *)memory;
    led->ops = LEVELS[ax_led_levels() - 1];
    led->n = (uint32_t)n;
    for (uint32_t i = 0; i < n; i++) {
        led->position[AXIS_TURN][i] = places[i].turn;
        led->position[AXIS_X][i] = places[i].x;
        led->position[AXIS_Y][i] = places[i].y;
        if (i == 0 || places[i].section != places[i - 1].section)
            led->first[led->sections++] = (uint16_t)i;
    }
    led->first[led->sections] = (uint16_t)n;
    /* Few LEDs: an edge of an eighth of a turn at most, or a window would not leave the face. */
    const uint32_t apart = (uint32_t)(((uint64_t)1 << 32) / (n < 8 ? 8 : n));
    led->pitch[AXIS_TURN] = apart;
    led->pitch[AXIS_X] = led->pitch[AXIS_Y] = apart / 2;
    *out = led;
    return AX_OK;
}

void ax_led_free(struct ax_led *led)
{
    free(led);
}

size_t ax_led_count(const struct ax_led *led)
{
    return led ? led->n : 0;
}

size_t ax_led_sections(const struct ax_led *led)
{
    return led ? led->sections : 0;
}

int ax_led_curve_gamma(struct ax_led_curve *curve, double gamma)
{
    if (!curve)
        return AX_E_ARG;
    if (!(gamma >= 0.25 && gamma <= 4.0))
        return AX_E_RANGE;
    for (int i = 0; i <= 256; i++) /* The last knot is a little beyond full light, 65536 for 65535. */
        curve->knot[i] = (uint16_t)(32640.0 * pow(i * 256 / 65535.0, 1.0 / gamma) + 0.5);
    while (curve->knot[255] + 255 * curve->knot[256] < 65280 << 7)
        curve->knot[256]++;
    curve->pad = 0;
    return AX_OK;
}

int ax_led_encode(const struct ax_led *led, const struct ax_led_curve *curve, const uint16_t *light, size_t n,
                  uint32_t frame, uint8_t *out)
{
    if (!led || !curve || !light || !out)
        return AX_E_ARG;
    led->ops->encode(curve, light, n, frame * STRIDE & 255, out);
    return AX_OK;
}

int ax_led_frame8(struct ax_led *led, const struct ax_led_profile *profile, const struct ax_led_curve *curve, uint64_t t_ns,
                  uint32_t frame, uint8_t *out)
{
    if (!led || !curve || !out)
        return AX_E_ARG;
    const int rc = ax_led_frame(led, profile, t_ns, led->scratch);
    if (rc == AX_OK)
        led->ops->encode(curve, led->scratch, (size_t)3 * led->n, frame * STRIDE & 255, out);
    return rc;
}

int ax_led_mix(const struct ax_led *led, const uint16_t *from, const uint16_t *to, size_t n, uint32_t weight, uint16_t *out)
{
    if (!led || !from || !to || !out)
        return AX_E_ARG;
    if (weight > 65536)
        return AX_E_RANGE;
    led->ops->mix(from, to, n, weight, out);
    return AX_OK;
}
