/* The portable steps of the light kernel: what every variant must equal, bit by bit. Also the ends of rows that do not fill
 * a register. Method: see ax_led_internal.h. Units, threads, allocation: see ax/led.h. */
#include "ax_led_internal.h"

static void window(const struct led_window *w, const uint32_t *position, size_t n, uint16_t *out)
{
    for (size_t i = 0; i < n; i++, out += 3) {
        const int32_t u = (int32_t)((position[i] * w->mult + w->offset) >> 1);
        const float front = (float)u * w->up, back = (float)(w->total - u) * w->down;
        float weight = front < back ? front : back;
        weight = weight < 1.0f ? weight : 1.0f;
        weight = weight > 0.0f ? weight : 0.0f;
        const float eased = weight * (w->linear + w->square * weight);
        for (int c = 0; c < 3; c++)
            out[c] = (uint16_t)(int32_t)(w->a[c] + w->d[c] * eased);
    }
}

static void mix(const uint16_t *from, const uint16_t *to, size_t n, uint32_t weight, uint16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint16_t)((from[i] * (65536 - (uint64_t)weight) + to[i] * (uint64_t)weight + 32768) >> 16);
}

static void encode(const struct ax_led_curve *curve, const uint16_t *light, size_t n, uint32_t phase, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t piece = light[i] >> 8, part = light[i] & 255;
        uint32_t code = (curve->knot[piece] * (256 - part) + curve->knot[piece + 1] * part) >> 7;
        code = code < 65280 ? code : 65280;
        out[i] = (uint8_t)((code + ax_led_thresholds[(phase + i) & 255]) >> 8);
    }
}

const struct led_ops ax_led_generic = {"portable", window, mix, encode};
