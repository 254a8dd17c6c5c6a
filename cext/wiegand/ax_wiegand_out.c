/* Wiegand output: edge plans, and PINs as the manual's seven keypress formats. Units: ns. No state, no allocation. */
#include "ax/wiegand_out.h"

#include "ax/err.h"
#include "ax/wiegand_format.h"

void ax_wiegand_timing_defaults(struct ax_wiegand_timing *timing)
{
    *timing = (struct ax_wiegand_timing){.pulse_ns = 50000, .interval_ns = 2000000, .gap_ns = 50000000};
}

int ax_wiegand_schedule(const struct ax_wiegand_timing *timing, uint64_t t_ns, const uint64_t bits[4], unsigned nbits,
                        struct ax_edge *out, size_t cap, uint64_t *next_ns)
{
    if (!timing || !bits || !out)
        return AX_E_ARG;
    if (nbits < 1 || nbits > AX_WIEGAND_MAX_BITS || timing->pulse_ns == 0 || timing->interval_ns <= timing->pulse_ns)
        return AX_E_RANGE;
    const uint64_t length = (uint64_t)(nbits - 1) * timing->interval_ns + timing->pulse_ns;
    if (t_ns > UINT64_MAX - length - timing->gap_ns)
        return AX_E_RANGE;
    if (cap < 2 * (size_t)nbits)
        return AX_E_FULL;
    for (unsigned k = 0; k < nbits; k++) {
        const unsigned place = nbits - 1 - k;
        const uint32_t line = (uint32_t)(bits[place / 64] >> place % 64 & 1);
        const uint64_t start = t_ns + (uint64_t)k * timing->interval_ns;
        out[2 * k] = (struct ax_edge){start, line, 0};
        out[2 * k + 1] = (struct ax_edge){start + timing->pulse_ns, line, 1};
    }
    if (next_ns)
        *next_ns = t_ns + length + timing->gap_ns;
    return (int)(2 * nbits);
}

int ax_wiegand_key_code(char key)
{
    if (key >= '0' && key <= '9')
        return key - '0';
    if (key == '*')
        return 10;
    return key == '#' ? 11 : AX_E_RANGE;
}

int ax_wiegand_key_decode(uint64_t frame, unsigned nbits)
{
    const uint64_t code = frame & 15, upper = frame >> 4;
    if ((nbits != 4 && nbits != 8) || code > 11 || (nbits == 4 && upper) || (upper != 0 && upper != (code ^ 15)))
        return AX_E_FORMAT;
    return "0123456789*#"[code];
}

const struct ax_wiegand_format *ax_wiegand_keypress_format(enum ax_wiegand_keypress mode)
{
    static const char *const NAMES[AX_WIEGAND_KEYPRESS_END] = {
        [AX_WIEGAND_PIN26] = "H10301",
        [AX_WIEGAND_PIN34] = "H10306",
        [AX_WIEGAND_PIN37] = "H10302",
        [AX_WIEGAND_PIN37_FACILITY] = "H10304",
    };
    if ((unsigned)mode >= AX_WIEGAND_KEYPRESS_END || !NAMES[mode])
        return NULL;
    return ax_wiegand_format_get(ax_wiegand_format_find(NAMES[mode]));
}

/* The PIN's number as the id of a card frame. */
static int pin_as_id(const struct ax_wiegand_format *format, uint64_t facility, const char *pin, size_t n,
                     struct ax_wiegand_bits *out)
{
    struct ax_wiegand_card card = {.value = {[AX_WIEGAND_FACILITY] = facility}};
    for (size_t i = 0; i < n; i++) {
        const int code = ax_wiegand_key_code(pin[i]);
        if (code < 0 || code > 9)
            return AX_E_RANGE;
        card.value[AX_WIEGAND_CARD] = card.value[AX_WIEGAND_CARD] * 10 + (uint64_t)code;
        if (card.value[AX_WIEGAND_CARD] > format->field[AX_WIEGAND_CARD].max)
            return AX_E_RANGE;
    }
    const int rc = ax_wiegand_format_encode(format, &card, &out->bits);
    out->nbits = format->bits;
    return rc < 0 ? rc : 1;
}

int ax_wiegand_pin(enum ax_wiegand_keypress mode, uint64_t facility, const char *pin, size_t n, struct ax_wiegand_bits *out,
                   size_t cap)
{
    if (!pin || !out)
        return AX_E_ARG;
    if ((unsigned)mode >= AX_WIEGAND_KEYPRESS_END || n < 1 || n > AX_WIEGAND_MAX_PIN)
        return AX_E_RANGE;
    const struct ax_wiegand_format *format = ax_wiegand_keypress_format(mode);
    if (cap < (format ? 1 : n))
        return AX_E_FULL;
    if (format)
        return pin_as_id(format, facility, pin, n, out);
    for (size_t i = 0; i < n; i++) {
        const int code = ax_wiegand_key_code(pin[i]);
        if (code < 0)
            return AX_E_RANGE;
        const uint64_t upper = mode == AX_WIEGAND_EIGHT_INVERT ? (uint64_t)(code ^ 15) << 4 : 0;
        out[i] = (struct ax_wiegand_bits){upper | (uint64_t)code, mode == AX_WIEGAND_FOUR_BIT ? 4 : 8};
    }
    return (int)n;
}
