/* G.711: speech as 8-bit codes of logarithmic steps, A-law and mu-law, from and to 16-bit samples.
 *
 * Source: ITU-T G.711 (11/1988), tables 1a to 2b. A-law codes have their even bits inverted, mu-law codes all bits, as on the
 * line. 16-bit samples are the tables' values scaled to full range: A-law works on the upper 13 bits, mu-law on the upper 14.
 * A negative sample has the magnitude of its one's complement, so that no value overflows and both signs have equally many.
 *
 * Units: samples, one octet each. Threads: any; the level is chosen once. Allocation: none. */
#ifndef AX_G711_H
#define AX_G711_H

#include <stddef.h>
#include <stdint.h>

enum ax_g711_law {
    AX_G711_MU = 0, /**< PCMU, RTP payload type 0. */
    AX_G711_A = 1,  /**< PCMA, RTP payload type 8. */
    AX_G711_LAW_END,
};

/** `n` samples to `n` codes, or back. AX_E_ARG for a law that is none. `out` does not overlap `in`. */
int ax_g711_encode(int law, const int16_t *in, size_t n, uint8_t *out);
int ax_g711_decode(int law, const uint8_t *in, size_t n, int16_t *out);

/** Variants (0 = portable): how many this machine has. All give the same codes. */
int ax_g711_levels(void);
const char *ax_g711_level_name(int level);
/** Test hook: use this level from now on. */
int ax_g711_set_level(int level);

#endif
