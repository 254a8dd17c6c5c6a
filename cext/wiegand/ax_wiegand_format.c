/* One pack, unpack and check for every Wiegand format; the formats themselves are rows of ax_wiegand_formats.c.
 * Units: bits. Threads: no state. Allocation: none. */
#include "ax/wiegand_format.h"

#include "ax/err.h"

#include <stdbool.h>

static inline uint64_t ones(unsigned n)
{
    return n >= 64 ? UINT64_MAX : ((uint64_t)1 << n) - 1;
}

static inline uint64_t bit_at(const struct ax_wiegand_format *f, unsigned at)
{
    return (uint64_t)1 << (f->bits - 1 - at);
}

/* Parity by folding: as quick as popcnt where that is missing, and portable. */
static inline unsigned parity(uint64_t x)
{
#if defined(__GNUC__)
    return (unsigned)__builtin_parityll(x);
#else
    for (unsigned shift = 32; shift; shift >>= 1)
        x ^= x >> shift;
    return (unsigned)(x & 1);
#endif
}

static uint64_t spread(const struct ax_wiegand_format *f, const struct ax_wiegand_field *field, uint64_t value)
{
    uint64_t frame = 0;
    for (unsigned i = field->runs; i-- > 0;) {
        const struct ax_wiegand_run run = field->run[i];
        frame |= (value & ones(run.len)) << (f->bits - run.at - run.len);
        value = run.len >= 64 ? 0 : value >> run.len;
    }
    return frame;
}

static uint64_t gather(const struct ax_wiegand_format *f, const struct ax_wiegand_field *field, uint64_t frame)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < field->runs; i++) {
        const struct ax_wiegand_run run = field->run[i];
        value = (run.len >= 64 ? 0 : value << run.len) | (frame >> (f->bits - run.at - run.len) & ones(run.len));
    }
    return value;
}

static unsigned width(const struct ax_wiegand_field *field)
{
    unsigned n = 0;
    for (unsigned i = 0; i < field->runs; i++)
        n += field->run[i].len;
    return n;
}

static uint64_t to_bcd(uint64_t value)
{
    uint64_t digits = 0;
    for (unsigned shift = 0; value && shift < 64; shift += 4, value /= 10)
        digits |= value % 10 << shift;
    return digits;
}

static bool from_bcd(uint64_t digits, uint64_t *value)
{
    *value = 0;
    for (int shift = 60; shift >= 0; shift -= 4) {
        const unsigned digit = (unsigned)(digits >> shift & 15);
        if (digit > 9) {
            *value = 0;
            return false;
        }
        *value = *value * 10 + digit;
    }
    return true;
}

static bool rules_hold(const struct ax_wiegand_format *f, uint64_t frame)
{
    for (unsigned i = 0; i < f->rules; i++)
        if (parity(frame & (f->rule[i].mask | bit_at(f, f->rule[i].at))) != f->rule[i].odd)
            return false;
    return true;
}

int ax_wiegand_format_find(const char *name)
{
    for (int i = 0; name && i < ax_wiegand_format_count(); i++) {
        const char *a = ax_wiegand_format_get(i)->name, *b = name;
        while (*a && *a == *b)
            a++, b++;
        if (*a == *b)
            return i;
    }
    return AX_E_ARG;
}

/* Take positions into `used`; false when one is outside the frame or used already. */
static bool claim(const struct ax_wiegand_format *f, struct ax_wiegand_run run, uint64_t *used)
{
    if (run.len == 0 || run.at + run.len > f->bits)
        return false;
    const uint64_t mask = ones(run.len) << (f->bits - run.at - run.len);
    if (*used & mask)
        return false;
    *used |= mask;
    return true;
}

int ax_wiegand_format_check(const struct ax_wiegand_format *f)
{
    if (!f)
        return AX_E_ARG;
    if (f->bits < 1 || f->bits > AX_WIEGAND_FORMAT_BITS || f->rules > AX_WIEGAND_RULES)
        return AX_E_RANGE;
    uint64_t used = f->fixed_mask;
    if ((f->fixed_mask & ~ones(f->bits)) || (f->fixed & ~f->fixed_mask))
        return AX_E_RANGE;
    for (unsigned i = 0; i < AX_WIEGAND_FIELDS; i++) {
        const struct ax_wiegand_field *field = &f->field[i];
        if (field->runs > AX_WIEGAND_RUNS)
            return AX_E_RANGE;
        for (unsigned j = 0; j < field->runs; j++)
            if (!claim(f, field->run[j], &used))
                return AX_E_RANGE;
        const bool bcd = i == AX_WIEGAND_CARD && f->encoding == AX_WIEGAND_BCD;
        if ((bcd ? to_bcd(field->max) : field->max) > ones(width(field)))
            return AX_E_RANGE;
    }
    for (unsigned i = 0; i < f->rules; i++) {
        const struct ax_wiegand_rule *rule = &f->rule[i];
        if (!claim(f, (struct ax_wiegand_run){rule->at, 1}, &used) || rule->odd > 1)
            return AX_E_RANGE;
        /* A rule may cover the parity bits of earlier rules, never its own or a later one's: those are not yet known. */
        uint64_t unknown = 0;
        for (unsigned j = i; j < f->rules; j++)
            unknown |= f->rule[j].at < f->bits ? bit_at(f, f->rule[j].at) : 0;
        if ((rule->mask & unknown) || (rule->mask & ~ones(f->bits)))
            return AX_E_RANGE;
    }
    return AX_OK;
}

int ax_wiegand_format_encode(const struct ax_wiegand_format *f, const struct ax_wiegand_card *card, uint64_t *frame)
{
    if (!f || !card || !frame)
        return AX_E_ARG;
    uint64_t out = f->fixed;
    for (unsigned i = 0; i < AX_WIEGAND_FIELDS; i++) {
        const struct ax_wiegand_field *field = &f->field[i];
        uint64_t value = card->value[i];
        if (value > field->max)
            return AX_E_RANGE;
        if (i == AX_WIEGAND_CARD && f->encoding == AX_WIEGAND_BCD)
            value = to_bcd(value);
        out |= spread(f, field, value);
    }
    for (unsigned i = 0; i < f->rules; i++)
        if (parity(out & f->rule[i].mask) ^ f->rule[i].odd)
            out |= bit_at(f, f->rule[i].at);
    *frame = out;
    return AX_OK;
}

int ax_wiegand_format_decode(const struct ax_wiegand_format *f, uint64_t frame, unsigned nbits,
                             struct ax_wiegand_card *card)
{
    int rc = AX_OK;
    if (!f || !card)
        return AX_E_ARG;
    for (unsigned i = 0; i < AX_WIEGAND_FIELDS; i++)
        card->value[i] = nbits == f->bits ? gather(f, &f->field[i], frame) : 0;
    if (nbits != f->bits || (frame & ~ones(nbits)))
        return AX_E_FORMAT;
    if (!rules_hold(f, frame))
        rc = AX_E_PARITY;
    if ((frame & f->fixed_mask) != f->fixed)
        rc = AX_E_FORMAT;
    if (f->encoding == AX_WIEGAND_BCD && !from_bcd(card->value[AX_WIEGAND_CARD], &card->value[AX_WIEGAND_CARD]))
        rc = AX_E_FORMAT;
    return rc;
}

/* As decode, without the card. */
static bool holds(const struct ax_wiegand_format *f, uint64_t frame)
{
    uint64_t number;
    if ((frame & f->fixed_mask) != f->fixed || !rules_hold(f, frame))
        return false;
    return f->encoding != AX_WIEGAND_BCD || from_bcd(gather(f, &f->field[AX_WIEGAND_CARD], frame), &number);
}

/* First row of each length; rows are ordered by length, so a length's rows end where the next begin. */
static const uint8_t FIRST[AX_WIEGAND_FORMAT_BITS + 2] = {
    [27] = 2,  [28] = 5,  [29] = 6,  [30] = 7,  [31] = 8,  [32] = 9,  [33] = 14, [34] = 15, [35] = 20,
    [36] = 21, [37] = 25, [38] = 31, [39] = 33, [40] = 34, [41] = 38, [42] = 38, [43] = 39, [44] = 39,
    [45] = 39, [46] = 39, [47] = 40, [48] = 40, [49] = 41, [50] = 41, [51] = 41, [52] = 41, [53] = 41,
    [54] = 41, [55] = 41, [56] = 41, [57] = 43, [58] = 43, [59] = 43, [60] = 43, [61] = 43, [62] = 43,
    [63] = 43, [64] = 43, [65] = 43,
};

int ax_wiegand_identify(uint64_t frame, unsigned nbits, uint8_t *out, size_t cap)
{
    int count = 0;
    if (nbits < 1 || nbits > AX_WIEGAND_FORMAT_BITS || (frame & ~ones(nbits)) || !out)
        return 0;
    for (int i = FIRST[nbits]; i < FIRST[nbits + 1] && (size_t)count < cap; i++)
        if (holds(ax_wiegand_format_get(i), frame))
            out[count++] = (uint8_t)i;
    return count;
}
