/* Wiegand card formats as data: one table row per format, one pack and one unpack for all of them.
 *
 * A frame is a number of `bits` bits; positions count from the first bit received (position 0, the most significant).
 * Masks are in the number's own order (bit 0 = last bit received). Rules are filled in the order they stand, so that a
 * later parity bit may cover an earlier one.
 * Threads: everything is const or the caller's. Allocation: none. */
#ifndef AX_WIEGAND_FORMAT_H
#define AX_WIEGAND_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define AX_WIEGAND_FORMAT_BITS 64 /**< Longest frame that a format can describe. */
#define AX_WIEGAND_RUNS 16
#define AX_WIEGAND_RULES 8

/** `len` bits that lie together, first at position `at`. */
struct ax_wiegand_run {
    uint8_t at, len;
};

/** A number within the frame: its runs, most significant first. No runs = the format has no such field. */
struct ax_wiegand_field {
    uint64_t max; /**< Largest value that encode takes; may be less than the runs can hold. */
    uint8_t runs;
    struct ax_wiegand_run run[AX_WIEGAND_RUNS];
};

/** The bit at position `at` makes the count of ones in `mask` and itself even (odd = 0) or odd (odd = 1). */
struct ax_wiegand_rule {
    uint64_t mask;
    uint8_t at, odd;
};

enum ax_wiegand_encoding {
    AX_WIEGAND_BINARY = 0,
    AX_WIEGAND_BCD = 1, /**< The card field is decimal digits of four bits each. */
};

enum ax_wiegand_field_index { AX_WIEGAND_FACILITY, AX_WIEGAND_CARD, AX_WIEGAND_ISSUE, AX_WIEGAND_OEM, AX_WIEGAND_FIELDS };

struct ax_wiegand_format {
    const char *name, *title;
    uint64_t fixed_mask; /**< Bits that always have the value in `fixed`. */
    uint64_t fixed;
    struct ax_wiegand_field field[AX_WIEGAND_FIELDS];
    struct ax_wiegand_rule rule[AX_WIEGAND_RULES];
    uint8_t bits, rules;
    uint8_t encoding;    /**< enum ax_wiegand_encoding */
    uint8_t unconfirmed; /**< 1: no public description of the layout was found to check this row against. */
    uint16_t oem_default; /**< What encoders write as OEM code when none is given. */
};

struct ax_wiegand_card {
    uint64_t value[AX_WIEGAND_FIELDS]; /**< By enum ax_wiegand_field_index; 0 for a field that the format lacks. */
};

int ax_wiegand_format_count(void);
/** NULL when out of range. Rows are ordered by length. */
const struct ax_wiegand_format *ax_wiegand_format_get(int index);
/** Row of a name (exact, case matters); AX_E_ARG when there is none. */
int ax_wiegand_format_find(const char *name);

/** AX_E_RANGE when a row contradicts itself: for rows that users define. */
int ax_wiegand_format_check(const struct ax_wiegand_format *format);
/** AX_E_RANGE when a value is above its field's max (or not 0 where the format has no such field). */
int ax_wiegand_format_encode(const struct ax_wiegand_format *format, const struct ax_wiegand_card *card, uint64_t *frame);
/** Always fills `card`. AX_E_FORMAT: wrong length, wrong fixed bits or digits above 9; AX_E_PARITY: a rule does not hold. */
int ax_wiegand_format_decode(const struct ax_wiegand_format *format, uint64_t frame, unsigned nbits,
                             struct ax_wiegand_card *card);
/** Rows whose length, fixed bits, digits and parity all hold. Returns how many were written to `out` (<= cap). */
int ax_wiegand_identify(uint64_t frame, unsigned nbits, uint8_t *out, size_t cap);

#endif
