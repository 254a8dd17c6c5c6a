/* Counts flashes in frames of light: general and red flashes in any second.
 *
 * Source: WCAG 2.2, success criterion 2.3.1 and the definition of general flash and red flash thresholds. A general flash is
 * a pair of opposing changes of relative luminance (ITU-R BT.709) by 10 % or more of the maximum where the darker state is
 * below 0.80. A red flash is a pair of opposing changes of (R - G - B) * 320 by more than 20 that involve a saturated red,
 * R / (R + G + B) >= 0.8; light that is not saturated counts as 0.
 *
 * The maximum is the brightest light of what is analysed: in the dark a dim flash is a flash. So the frames come twice, first
 * to `look`, then to `feed`. Up to 16 LEDs, evenly chosen, are looked at, and their mean besides.
 *
 * Units: ns, times rise; 16-bit linear light. Threads: one. Allocation: only in ax_led_flash_new. */
#ifndef AX_LED_FLASH_H
#define AX_LED_FLASH_H

#include "ax/led.h"

#define AX_LED_FLASH_WINDOW 1000000000u /**< ns in which flashes are counted. */
#define AX_LED_FLASH_MOST 32            /**< Flashes in a second that are told apart; more are as many. */

/** What was found. */
struct ax_led_flash_report {
    uint64_t worst_ns; /**< When the second with most flashes begins; 0 if there are none. */
    uint32_t general;  /**< Most general flashes in any second, at the worst place. */
    uint32_t red;      /**< Most red flashes in any second, at the worst place. */
    uint32_t changes;  /**< General changes from `from_ns` on, at the place with most; two are a flash. */
    uint32_t pad;
};

struct ax_led_flash;

/** For frames of `n` LEDs. AX_E_RANGE. */
int ax_led_flash_new(struct ax_led_flash **out, size_t n, uint64_t from_ns);
void ax_led_flash_free(struct ax_led_flash *flash);
/** First pass: 3 * n values. */
int ax_led_flash_look(struct ax_led_flash *flash, const uint16_t *light);
/** Second pass. */
int ax_led_flash_feed(struct ax_led_flash *flash, uint64_t t_ns, const uint16_t *light);
int ax_led_flash_result(const struct ax_led_flash *flash, struct ax_led_flash_report *out);
/** Both passes over `count` frames of a profile, `step_ns` apart, the first `first_ns` after its epoch. */
int ax_led_flash_run(struct ax_led_flash *flash, const struct ax_led *led, const struct ax_led_profile *profile,
                     uint64_t first_ns, uint64_t step_ns, size_t count);

#endif
