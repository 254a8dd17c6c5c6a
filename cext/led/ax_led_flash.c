/* The flash analyser: per place two signals (luminance, saturated red), each with the changes of the last second.
 * Source, units, threads, allocation: see ax/led_flash.h. */
#include "ax/led_flash.h"

#include "ax/err.h"

#include <stdlib.h>
#include <string.h>

#define PROBES 16
#define RING (2 * AX_LED_FLASH_MOST)

enum signal { GENERAL, RED, SIGNALS };

static const double CHANGE[SIGNALS] = {0.10, 20.0 / 320.0};
static const double DARK[SIGNALS] = {0.80, 2.0}; /* The darker state is below; for red it always is. */

struct track {
    double low, high;     /* Since the last change. */
    int direction;        /* Of the last change; 0: none yet. */
    uint32_t head, count; /* Changes of the last second. */
    uint32_t worst;       /* Most changes in a second. */
    uint32_t changes;     /* From from_ns on. */
    uint64_t worst_ns;
    uint64_t times[RING];
};

struct ax_led_flash {
    uint64_t from_ns;
    double peak, top;      /* Brightest luminance and channel of the first pass. */
    uint32_t n, nprobes, fed;
    uint32_t probe[PROBES];
    uint16_t light[3 * AX_LED_MAX];
    struct track track[PROBES + 1][SIGNALS];
};

int ax_led_flash_new(struct ax_led_flash **out, size_t n, uint64_t from_ns)
{
    if (!out)
        return AX_E_ARG;
    if (n == 0 || n > AX_LED_MAX)
        return AX_E_RANGE;
    struct ax_led_flash *flash = calloc(1, sizeof *flash);
    if (!flash)
        return AX_E_NOMEM;
    flash->from_ns = from_ns;
    flash->n = (uint32_t)n;
    flash->nprobes = n < PROBES ? (uint32_t)n : PROBES;
    for (uint32_t i = 0; i < flash->nprobes; i++)
        flash->probe[i] = (uint32_t)(i * n / flash->nprobes);
    *out = flash;
    return AX_OK;
}

void ax_led_flash_free(struct ax_led_flash *flash)
{
    free(flash);
}

static double luminance(const double light[3])
{
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
}

static double saturated_red(const double light[3])
{
    const double red = light[0], others = light[1] + light[2];
    return red > 0.0 && red >= 0.8 * (red + others) ? red - others : 0.0;
}

static void pixel(const struct ax_led_flash *flash, uint32_t i, const uint16_t *light, double out[3])
{
    for (int c = 0; c < 3; c++)
        out[c] = light[3 * flash->probe[i] + c];
}

int ax_led_flash_look(struct ax_led_flash *flash, const uint16_t *light)
{
    if (!flash || !light)
        return AX_E_ARG;
    for (uint32_t i = 0; i < flash->nprobes; i++) {
        double seen[3];
        pixel(flash, i, light, seen);
        const double bright = luminance(seen);
        flash->peak = bright > flash->peak ? bright : flash->peak;
        for (int c = 0; c < 3; c++)
            flash->top = seen[c] > flash->top ? seen[c] : flash->top;
    }
    return AX_OK;
}

/* A change happened: forget those of more than a second ago, count, start anew from here. */
static void turn(struct track *track, uint64_t t_ns, double value, int direction, int counted)
{
    while (track->count && t_ns - track->times[track->head] >= AX_LED_FLASH_WINDOW) {
        track->head = (track->head + 1) % RING;
        track->count--;
    }
    if (track->count == RING) {
        track->head = (track->head + 1) % RING;
        track->count--;
    }
    track->times[(track->head + track->count++) % RING] = t_ns;
    if (track->count > track->worst) {
        track->worst = track->count;
        track->worst_ns = track->times[track->head];
    }
    track->changes += (uint32_t)counted;
    track->direction = direction;
    track->low = track->high = value;
}

static void follow(struct ax_led_flash *flash, struct track *track, int signal, uint64_t t_ns, double value)
{
    if (!flash->fed)
        track->low = track->high = value;
    track->low = value < track->low ? value : track->low;
    track->high = value > track->high ? value : track->high;
    const int counted = t_ns >= flash->from_ns;
    if (track->direction <= 0 && value - track->low >= CHANGE[signal] && track->low < DARK[signal])
        turn(track, t_ns, value, 1, counted);
    else if (track->direction >= 0 && track->high - value >= CHANGE[signal] && value < DARK[signal])
        turn(track, t_ns, value, -1, counted);
}

int ax_led_flash_feed(struct ax_led_flash *flash, uint64_t t_ns, const uint16_t *light)
{
    if (!flash || !light)
        return AX_E_ARG;
    if (flash->top == 0.0)
        return AX_OK;
    double mean[3] = {0.0, 0.0, 0.0}, seen[3];
    for (uint32_t i = 0; i <= flash->nprobes; i++) {
        if (i < flash->nprobes)
            pixel(flash, i, light, seen);
        else
            memcpy(seen, mean, sizeof seen);
        for (int c = 0; c < 3; c++)
            mean[c] += seen[c] / flash->nprobes;
        follow(flash, &flash->track[i][GENERAL], GENERAL, t_ns, luminance(seen) / flash->peak);
        follow(flash, &flash->track[i][RED], RED, t_ns, saturated_red(seen) / flash->top);
    }
    flash->fed = 1;
    return AX_OK;
}

int ax_led_flash_result(const struct ax_led_flash *flash, struct ax_led_flash_report *out)
{
    if (!flash || !out)
        return AX_E_ARG;
    uint32_t worst = 1; /* A single change is no flash. */
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i <= flash->nprobes; i++) {
        const struct track *general = &flash->track[i][GENERAL], *red = &flash->track[i][RED];
        out->general = general->worst / 2 > out->general ? general->worst / 2 : out->general;
        out->red = red->worst / 2 > out->red ? red->worst / 2 : out->red;
        out->changes = general->changes > out->changes ? general->changes : out->changes;
        for (int signal = 0; signal < SIGNALS; signal++)
            if (flash->track[i][signal].worst > worst) {
                worst = flash->track[i][signal].worst;
                out->worst_ns = flash->track[i][signal].worst_ns;
            }
    }
    return AX_OK;
}

int ax_led_flash_run(struct ax_led_flash *flash, const struct ax_led *led, const struct ax_led_profile *profile,
                     uint64_t first_ns, uint64_t step_ns, size_t count)
{
    if (!flash || !led || !profile)
        return AX_E_ARG;
    if (flash->n != ax_led_count(led))
        return AX_E_ARG;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < count; i++) {
            const uint64_t t_ns = first_ns + i * step_ns;
            const int rc = ax_led_frame(led, profile, profile->spec.epoch_ns + t_ns, flash->light);
            if (rc < 0)
                return rc;
            if (pass == 0)
                (void)ax_led_flash_look(flash, flash->light);
            else
                (void)ax_led_flash_feed(flash, t_ns, flash->light);
        }
    return AX_OK;
}
