/* G.726 at 32 kbit/s: 8 kHz speech in 4 bits a sample by adaptive differential PCM (G.721).
 *
 * Source: ITU-T G.726 (12/1990), clauses 2 and 3, tables for 32 kbit/s, with linear samples in the place of the PCM
 * conversion; packing after RFC 3551 4.5.4 (first sample in the lower half of an octet) or I.366.2 ("AAL2", upper half).
 *
 * Units: 16-bit samples at 8 kHz, of which the codec uses the upper 14 bits; octets. Threads: a coder belongs to one.
 * Allocation: one block in `new`. */
#ifndef AX_G726_H
#define AX_G726_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ax_g726; /**< An encoder or a decoder: use one object for one direction. */

/** `aal2`: the first sample in the upper half of the octet. AX_E_ARG, AX_E_NOMEM. */
int ax_g726_new(struct ax_g726 **out, bool aal2);
void ax_g726_free(struct ax_g726 *g);
void ax_g726_reset(struct ax_g726 *g);

/** `n` samples to n / 2 octets. AX_E_FORMAT when `n` is odd: nothing has happened. Gives the octets. */
int ax_g726_encode(struct ax_g726 *g, const int16_t *in, size_t n, uint8_t *out);
/** `n` octets to 2 n samples. Any octets can be decoded. Gives the samples. */
int ax_g726_decode(struct ax_g726 *g, const uint8_t *in, size_t n, int16_t *out);

#endif
