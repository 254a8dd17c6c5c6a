/* What the files of the light kernel share: the layout, and what a variant per instruction set offers.
 * Units, threads, allocation: see ax/led.h. */
#ifndef AX_LED_INTERNAL_H
#define AX_LED_INTERNAL_H

#include "ax/led.h"

enum led_axis { AXIS_TURN, AXIS_X, AXIS_Y, AXES };

/* A window that moves over the LEDs, and the two colours that it blends. In order, in single precision:
 *
 *   u = (position * mult + offset) mod 2^32, halved: how far the LED is behind the front of the window
 *   w = min(u * up, (total - u) * down, 1), not below 0
 *   e = w * (linear + square * w)
 *   light = a + d * e, cut off (a has the half that rounds) */
struct led_window {
    uint32_t mult, offset;
    int32_t total;
    float up, down;
    float linear, square;
    float a[3], d[3];
};

#define DITHER_ROOM 64 /* A variant reads so many thresholds at once at most. */

struct led_ops {
    const char *name;
    void (*window)(const struct led_window *w, const uint32_t *position, size_t n, uint16_t *out);
    void (*mix)(const uint16_t *from, const uint16_t *to, size_t n, uint32_t weight, uint16_t *out);
    /* `phase` is where in the row of thresholds the first value is. */
    void (*encode)(const struct ax_led_curve *curve, const uint16_t *light, size_t n, uint32_t phase, uint8_t *out);
};

struct ax_led {
    const struct led_ops *ops;
    uint32_t n, sections;
    uint32_t pitch[AXES];  /* Least distance of the LEDs on average: an edge is not sharper. */
    uint32_t *position[AXES];
    uint16_t *scratch;     /* One frame. */
    uint16_t first[AX_LED_MAX_SECTIONS + 1]; /* Where each section begins; then n. */
};

/* Thresholds of the dither: bits of 0 .. 255 reversed, and DITHER_ROOM of them again. */
extern const uint8_t ax_led_thresholds[256 + DITHER_ROOM];

extern const struct led_ops ax_led_generic;
extern const struct led_ops ax_led_sse4;
extern const struct led_ops ax_led_avx2;
extern const struct led_ops ax_led_avx512;
extern const struct led_ops ax_led_neon;

#endif
