/* A profile at a time: which colours, which weight, and which of the three ways to draw (all LEDs alike, section by section,
 * a window that moves). Only the last touches each LED with arithmetic; that is a step of the variant.
 * Units, threads, allocation: see ax/led.h. */
#include "ax_led_rows.h"

#include "ax/err.h"

#include <string.h>

#define HALF 0x80000000u  /* The extent of a coordinate. */
#define ROUNDS 16         /* Orders of the sections before a random pattern begins anew. */

static int check(const struct ax_led_spec *spec)
{
    const struct led_row *row = ax_led_row_at(spec->row);
    if (!row || spec->speed < 1 || spec->speed > row->face.speeds)
        return AX_E_RANGE;
    if (spec->colours < row->face.min_colours || spec->colours > row->face.max_colours)
        return AX_E_RANGE;
    return spec->stretch < AX_LED_AS_LISTED || spec->stretch > 1u << 24 ? AX_E_RANGE : AX_OK;
}

int ax_led_compile(struct ax_led_profile *profile, const struct ax_led_spec *spec)
{
    if (!profile || !spec)
        return AX_E_ARG;
    const int rc = check(spec);
    if (rc < 0)
        return rc;
    const float level = (float)spec->level / 65535.0f;
    profile->spec = *spec;
    profile->period_ns = ax_led_row_at(spec->row)->face.period_ms[spec->speed - 1] * (uint64_t)1000000;
    profile->period_ns = profile->period_ns * spec->stretch >> 16;
    for (int i = 0; i < AX_LED_MAX_COLOURS; i++)
        for (int c = 0; c < 3; c++)
            profile->colour[i][c] = i < spec->colours ? (float)spec->colour[i][c] * level : 0.0f;
    for (int c = 0; c < 3; c++)
        profile->white[c] = 65535.0f * level;
    return AX_OK;
}

uint64_t ax_led_period_ns(const struct ax_led_profile *profile, size_t sections)
{
    if (!profile)
        return 0;
    switch (ax_led_row_at(profile->spec.row)->kind) {
    case KIND_FLAT:
    case KIND_SPLIT:
        return 0;
    case KIND_FLASH:
        return profile->spec.colours > 1 ? profile->period_ns * profile->spec.colours : profile->period_ns;
    case KIND_ALTERNATE:
        return profile->period_ns * profile->spec.colours;
    case KIND_RANDOM:
        return profile->period_ns * sections * ROUNDS;
    case KIND_SECTION:
        return profile->period_ns * sections;
    default:
        return profile->period_ns;
    }
}

static void paint(const struct ax_led_profile *profile, int which, float out[3])
{
    const float black[3] = {0.0f, 0.0f, 0.0f};
    memcpy(out, which == PAINT_WHITE ? profile->white : which == PAINT_FIRST ? profile->colour[0] : black, sizeof black);
}

/* The same colour for `n` LEDs: the first one, then what is there doubled. */
static void fill(uint16_t *out, size_t n, const float colour[3])
{
    if (n == 0)
        return;
    for (int c = 0; c < 3; c++)
        out[c] = (uint16_t)(colour[c] + 0.5f);
    for (size_t done = 1; done < n;) {
        const size_t more = done < n - done ? done : n - done;
        memcpy(out + 3 * done, out, 3 * more * sizeof *out);
        done += more;
    }
}

static void fill_section(const struct ax_led *led, size_t section, const float colour[3], uint16_t *out)
{
    fill(out + 3 * led->first[section], (size_t)(led->first[section + 1] - led->first[section]), colour);
}

/* How far the light has gone from base to over: 0 .. 1. `r` of `period` ns are over. */
static float envelope(const struct led_row *row, uint64_t r, uint64_t period)
{
    const uint64_t spacing = period * row->spacing / 1000, on = period * row->on / 1000;
    const uint64_t flash = r / spacing, q = r % spacing;
    if (flash >= row->flashes || q >= on)
        return 0.0f;
    const double x = (double)q / (double)on;
    if (row->shape == SHAPE_FADE)
        return (float)((1.0 - x) * (1.0 - x));
    if (row->shape == SHAPE_SMOOTH) {
        const double z = x < 0.5 ? 2.0 * x : 2.0 - 2.0 * x;
        return (float)(z * z * (3.0 - 2.0 * z));
    }
    return 1.0f;
}

static void blend(const float a[3], const float b[3], float weight, float out[3])
{
    for (int c = 0; c < 3; c++)
        out[c] = a[c] + (b[c] - a[c]) * weight;
}

static void draw_flash(const struct ax_led *led, const struct led_row *row, const struct ax_led_profile *profile,
                       uint64_t since, uint16_t *out)
{
    float base[3], over[3], colour[3];
    paint(profile, row->base, base);
    paint(profile, row->over, over);
    if (row->over == PAINT_FIRST && profile->spec.colours > 1)
        memcpy(over, profile->colour[since / profile->period_ns % profile->spec.colours], sizeof over);
    const uint64_t r = since % profile->period_ns;
    if (row->kind == KIND_ESCALATE) {
        const float step = (float)(r * 3 / profile->period_ns + 1) / 3.0f;
        blend(base, over, step * step, colour);
    } else {
        blend(base, over, envelope(row, r, profile->period_ns), colour);
    }
    if (row->kind != KIND_TRIANGLE) {
        fill(out, led->n, colour);
        return;
    }
    fill(out, led->n, base);
    for (uint32_t corner = 0; corner < 3; corner++)
        fill_section(led, corner * led->sections / 3, colour, out);
}

/* The section that is lit in this step: every one once, then in another order. */
static uint32_t random_section(uint64_t step, uint32_t sections)
{
    const uint32_t round = (uint32_t)(step / sections % ROUNDS), at = (uint32_t)(step % sections);
    uint32_t mixed = (round + 1) * 0x9e3779b1u;
    mixed ^= mixed >> 15;
    mixed *= 0x85ebca77u;
    mixed ^= mixed >> 13;
    uint32_t stride = 1 + mixed % sections;
    for (;; stride++) { /* Coprime with the number of sections; 1 modulo it at the latest. */
        uint32_t a = stride, b = sections;
        while (b) {
            const uint32_t rest = a % b;
            a = b;
            b = rest;
        }
        if (a == 1)
            break;
    }
    return (at * stride + (mixed >> 8)) % sections;
}

static void draw_sections(const struct ax_led *led, const struct led_row *row, const struct ax_led_profile *profile,
                          uint64_t since, uint16_t *out)
{
    const uint64_t step = since / profile->period_ns;
    float base[3], over[3];
    paint(profile, row->base, base);
    paint(profile, row->over, over);
    if (row->kind == KIND_ALTERNATE) {
        for (uint32_t s = 0; s < led->sections; s++)
            fill_section(led, s, profile->colour[(s + step) % profile->spec.colours], out);
        return;
    }
    if (row->kind == KIND_SPLIT) {
        blend(profile->white, profile->colour[0], 0.5f, base); /* One section: both at half. */
        for (uint32_t s = 0; s < led->sections; s++)
            fill_section(led, s, led->sections == 1 ? base : s % 2 ? profile->colour[0] : profile->white, out);
        return;
    }
    fill(out, led->n, base);
    const uint32_t lit = row->kind == KIND_RANDOM ? random_section(step, led->sections) : (uint32_t)(step % led->sections);
    fill_section(led, lit, over, out);
}

/* Turns to halves of 2^32, and never sharper than the LEDs are apart. */
static double halves(float turns, double least)
{
    const double wide = (double)turns * 2147483648.0;
    return wide > least ? wide : least;
}

static void draw_window(const struct ax_led *led, const struct led_row *row, const struct ax_led_profile *profile,
                        uint64_t since, uint16_t *out)
{
    const double phase = (double)(since % profile->period_ns) / (double)profile->period_ns;
    const double pitch = 0.5 * (double)led->pitch[row->axis] * row->windows;
    const double edge = halves(row->edge, pitch), tail = halves(row->tail, pitch), hold = halves(row->hold, 0.0);
    const double total = edge + hold + tail < 2147483520.0 ? edge + hold + tail : 2147483520.0;
    struct led_window w;
    float over[3];
    /* On a turn the head goes round once (it passes `windows` of them); along the face it starts before the first LED and
     * goes on until the last has left the window. */
    const double way = row->axis == AXIS_TURN ? 4294967296.0 * row->windows : 2147483648.0 + 2.0 * total;
    const uint32_t head = (uint32_t)(uint64_t)(phase * way);
    w.mult = row->reverse ? row->windows : 0u - row->windows;
    w.offset = row->axis == AXIS_TURN ? head + 2 * (uint32_t)edge : row->reverse ? head - HALF : head;
    w.total = (int32_t)total;
    w.up = (float)(1.0 / edge);
    w.down = (float)(1.0 / tail);
    w.linear = row->square ? 0.0f : 1.0f;
    w.square = row->square ? 1.0f : 0.0f;
    paint(profile, row->base, w.a);
    paint(profile, row->over, over);
    for (int c = 0; c < 3; c++) {
        w.d[c] = over[c] - w.a[c];
        w.a[c] += 0.5f;
    }
    led->ops->window(&w, led->position[row->axis], led->n, out);
}

int ax_led_frame(const struct ax_led *led, const struct ax_led_profile *profile, uint64_t t_ns, uint16_t *out)
{
    if (!led || !profile || !out)
        return AX_E_ARG;
    const struct led_row *row = ax_led_row_at(profile->spec.row);
    const uint64_t since = t_ns > profile->spec.epoch_ns ? t_ns - profile->spec.epoch_ns : 0;
    if (!row || profile->period_ns == 0)
        return AX_E_ARG;
    switch (row->kind) {
    case KIND_FLAT: {
        float colour[3];
        paint(profile, row->base, colour);
        fill(out, led->n, colour);
        return AX_OK;
    }
    case KIND_WINDOW:
        draw_window(led, row, profile, since, out);
        return AX_OK;
    case KIND_FLASH:
    case KIND_ESCALATE:
    case KIND_TRIANGLE:
        draw_flash(led, row, profile, since, out);
        return AX_OK;
    default:
        draw_sections(led, row, profile, since, out);
        return AX_OK;
    }
}
