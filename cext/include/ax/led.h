/* Light patterns: what each LED of a layout shows at a time, as a pure function of that time.
 *
 * Words. A *layout* is where the LEDs are: each has a section, an angle on the face, and two coordinates. A *row* is a
 * pattern of the catalogue: the 23 of the strobe siren's manual ("Light pattern names") under exactly these names, then three
 * that only the device itself starts. A *profile* is a row with colours, speed and level. A *frame* is the light of all
 * LEDs: red, green, blue in linear light, 16 bits each, 65535 = all that the LED can give.
 *
 * Time. The phase of a pattern is (t - epoch) modulo its period, nothing else is remembered: devices that share a clock (PTP,
 * NTP) and an epoch show the same frame at the same time, whenever they were started. With epoch 0 that clock's own zero
 * counts. Before its epoch a pattern is at its first instant.
 *
 * Motion is continuous: a head that is between two LEDs lights both in part. The edge of a moving window is never sharper
 * than the distance of two LEDs.
 *
 * Codes. An output wants 8 bits. `ax_led_encode` sends light through a curve of 256 straight pieces and adds an ordered
 * temporal dither: over 256 frames in a row the mean of a channel is its 16-bit code exactly. A PWM output is linear in
 * light already (gamma 1); a screen is not (gamma 2.2).
 *
 * Units: nanoseconds; angles in turns of 2^32; coordinates in 0 .. 2^31 over the extent of the face. Threads: a layout
 * belongs to one thread (it has room for one frame), profiles and curves can be shared once they are made. Allocation: only
 * in ax_led_new. Variants per instruction set give the same bits as the portable one: floats are IEEE single without
 * contraction, in a fixed order. */
#ifndef AX_LED_H
#define AX_LED_H

#include <stddef.h>
#include <stdint.h>

#define AX_LED_MAX 1024          /**< LEDs of a layout. */
#define AX_LED_MAX_SECTIONS 64
#define AX_LED_MAX_COLOURS 4     /**< Colours of a profile. */
#define AX_LED_MAX_SPEEDS 4
#define AX_LED_CATALOGUE 23      /**< Rows that users may choose; they come first. */
#define AX_LED_MAINTENANCE 23    /**< Row: a white triangle that pulsates. */
#define AX_LED_IDENTIFY 24       /**< Row: the whole light blinks white. */
#define AX_LED_HEALTH 25         /**< Row: one section after the other. */
#define AX_LED_ROWS 26
#define AX_LED_FULL 65535        /**< All that an LED can give; the level of a profile that is not dimmed. */
#define AX_LED_AS_LISTED 65536u  /**< Stretch: the period of the catalogue. */

/** Where an LED is. */
struct ax_led_place {
    uint32_t turn;    /**< Angle, 2^32 = a whole turn; on a strip the position along it. */
    uint32_t x, y;    /**< 0 .. 2^31: left to right, top to bottom. */
    uint32_t section; /**< 0 .. AX_LED_MAX_SECTIONS - 1; LEDs are listed section by section. */
};

/** A row of the catalogue. */
struct ax_led_row {
    const char *name;       /**< As the manual writes it. */
    uint8_t speeds;         /**< 1 .. AX_LED_MAX_SPEEDS; speeds are 1 .. speeds. */
    uint8_t default_speed;
    uint8_t min_colours;    /**< Colours that a profile gives; white that is in the name is not counted. */
    uint8_t max_colours;
    uint16_t period_ms[AX_LED_MAX_SPEEDS]; /**< Of each speed; of one step, where the light goes in steps. */
};

/** What to show. Colours that are not given are black. */
struct ax_led_spec {
    uint64_t epoch_ns;                       /**< When the pattern is at its first instant. */
    uint32_t stretch;                        /**< Period in 65536ths of the listed one: AX_LED_AS_LISTED .. 2^24. */
    uint16_t level;                          /**< 0 .. AX_LED_FULL: share of the light that is given. */
    uint8_t row;                             /**< 0 .. AX_LED_ROWS - 1 */
    uint8_t speed;                           /**< 1 .. the row's speeds */
    uint8_t colours;                         /**< How many are given: the row's min .. max. */
    uint8_t pad[7];                          /**< Zero. */
    uint16_t colour[AX_LED_MAX_COLOURS][3];  /**< Linear light: red, green, blue. */
};

/** A checked spec, ready to be drawn. Made by ax_led_compile; its fields are private. */
struct ax_led_profile {
    struct ax_led_spec spec;
    uint64_t period_ns;
    float colour[AX_LED_MAX_COLOURS][3]; /* Dimmed by the level. */
    float white[3];
};

/** Light to 8-bit code: knots at each 256th of full light. Made by ax_led_curve_gamma; values of 0 .. 32767, 32640 = 255. */
struct ax_led_curve {
    uint16_t knot[257];
    uint16_t pad; /* So that the last pair of knots can be read as a word. */
};

struct ax_led;

/** `name` or -1. */
int ax_led_find(const char *name);
/** NULL beyond the last. */
const struct ax_led_row *ax_led_row_get(int row);

/** A layout. AX_E_RANGE: no LEDs or too many; AX_E_ARG: sections that are not listed in order without a gap. */
int ax_led_new(struct ax_led **out, const struct ax_led_place *places, size_t n);
void ax_led_free(struct ax_led *led);
size_t ax_led_count(const struct ax_led *led);
size_t ax_led_sections(const struct ax_led *led);

/** AX_E_RANGE when a field is outside its range. */
int ax_led_compile(struct ax_led_profile *profile, const struct ax_led_spec *spec);
/** After this time the profile shows the same again. A profile that does not move has 0. `sections` of the layout: how often
 * a pattern that visits them all steps before it begins anew. */
uint64_t ax_led_period_ns(const struct ax_led_profile *profile, size_t sections);
/** The frame at `t_ns`: 3 * count values. */
int ax_led_frame(const struct ax_led *led, const struct ax_led_profile *profile, uint64_t t_ns, uint16_t *out);

/** code = 255 * light^(1 / gamma) at 256ths of full light, a straight line between them; so the first piece is a line through
 * black, as in sRGB. AX_E_RANGE unless 0.25 <= gamma <= 4. */
int ax_led_curve_gamma(struct ax_led_curve *curve, double gamma);
/** `n` values of light to codes. `frame` counts up by one from frame to frame. */
int ax_led_encode(const struct ax_led *led, const struct ax_led_curve *curve, const uint16_t *light, size_t n,
                  uint32_t frame, uint8_t *out);
/** Frame and codes in one: 3 * count bytes. */
int ax_led_frame8(struct ax_led *led, const struct ax_led_profile *profile, const struct ax_led_curve *curve, uint64_t t_ns,
                  uint32_t frame, uint8_t *out);
/** A crossfade: `n` values, from * (1 - weight) + to * weight with weight in 65536ths, 0 .. 65536. `out` may be either. */
int ax_led_mix(const struct ax_led *led, const uint16_t *from, const uint16_t *to, size_t n, uint32_t weight, uint16_t *out);

/** Variants that this build and this machine have: 0 = portable, then faster ones. `set_level` is for tests and benches;
 * AX_E_RANGE. New layouts take the fastest. */
int ax_led_levels(void);
const char *ax_led_level_name(int level);
int ax_led_set_level(struct ax_led *led, int level);

#endif
