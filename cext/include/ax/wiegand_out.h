/* The output side of Wiegand: frames to a plan of edges, keypad digits to frames and back (manual: Reader > Reader
 * protocol > Wiegand, "Keypress format").
 *
 * Units: nanoseconds. Threads: no state. Allocation: none. */
#ifndef AX_WIEGAND_OUT_H
#define AX_WIEGAND_OUT_H

#include "ax/wiegand.h"

#include <stddef.h>
#include <stdint.h>

struct ax_wiegand_format;

#define AX_WIEGAND_MAX_PIN 32 /**< Longest PIN, and so the most frames that one PIN becomes. */

struct ax_wiegand_timing {
    uint32_t pulse_ns;    /**< Low time of a bit; typical 50 us. */
    uint32_t interval_ns; /**< From the start of a bit to the start of the next; typical 2 ms. More than pulse_ns. */
    uint32_t gap_ns;      /**< Quiet time after a frame before the next may start; at least the receiver's frame gap. */
};

/** A frame of up to 64 bits; first bit sent = most significant of the nbits-long number. */
struct ax_wiegand_bits {
    uint64_t bits;
    uint16_t nbits;
};

enum ax_wiegand_keypress {
    AX_WIEGAND_FOUR_BIT = 0,          /**< 1234 -> 0x1 0x2 0x3 0x4: a frame of 4 bits per key. */
    AX_WIEGAND_EIGHT_ZERO = 1,        /**< 1234 -> 0x01 0x02 0x03 0x04. */
    AX_WIEGAND_EIGHT_INVERT = 2,      /**< 1234 -> 0xE1 0xD2 0xC3 0xB4: upper half = lower half inverted. */
    AX_WIEGAND_PIN26 = 3,             /**< The PIN's number as 16-bit id with an 8-bit facility code (H10301). */
    AX_WIEGAND_PIN34 = 4,             /**< ... 16-bit id, 16-bit facility code (H10306). */
    AX_WIEGAND_PIN37 = 5,             /**< ... 35-bit id (H10302). */
    AX_WIEGAND_PIN37_FACILITY = 6,    /**< ... 19-bit id, 16-bit facility code (H10304). */
    AX_WIEGAND_KEYPRESS_END,
};

void ax_wiegand_timing_defaults(struct ax_wiegand_timing *timing);
/** Plan the 2 * nbits edges of a frame that starts at `t_ns`: exact, edge i of bit k at t_ns + k * interval (+ pulse).
 * Returns how many edges were written; AX_E_FULL when `cap` is less, AX_E_RANGE for a bad timing or length. `*next_ns`
 * (may be NULL) is when the next frame may start, for chained frames. `bits` as in struct ax_wiegand_frame. */
int ax_wiegand_schedule(const struct ax_wiegand_timing *timing, uint64_t t_ns, const uint64_t bits[4], unsigned nbits,
                        struct ax_edge *out, size_t cap, uint64_t *next_ns);

/** Code of a key: '0'-'9' -> 0-9, '*' -> 10, '#' -> 11; AX_E_RANGE for others. */
int ax_wiegand_key_code(char key);
/** The key of a 4 or 8 bit frame (either padding); AX_E_FORMAT when the frame is no key. */
int ax_wiegand_key_decode(uint64_t frame, unsigned nbits);
/** The row (ax/wiegand_format.h) that a keypress format puts a PIN into; NULL for the formats that send keys. */
const struct ax_wiegand_format *ax_wiegand_keypress_format(enum ax_wiegand_keypress mode);
/** A PIN of n keys as frames. Returns how many were written (n, or 1 for the formats that send a number); AX_E_RANGE when
 * a key cannot be sent or the number or facility code does not fit, AX_E_FULL when `cap` is too small. */
int ax_wiegand_pin(enum ax_wiegand_keypress mode, uint64_t facility, const char *pin, size_t n, struct ax_wiegand_bits *out,
                   size_t cap);

#endif
