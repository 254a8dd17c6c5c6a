/* G.722 at 64 kbit/s: 16 kHz sound in one octet for two samples, as two bands of adaptive differential PCM.
 *
 * Source: ITU-T G.722 (09/2012), mode 1: the quadrature mirror filter (3.1, 5.2.1), 6 bits for the lower and 2 for the
 * higher band (3.6), adaptation of the predictors and the scale factors in the standard's fixed-point arithmetic.
 *
 * Units: samples of 16 bits at 16 kHz; octets, of which the upper two bits are the higher band's. Threads: a coder belongs to
 * one. Allocation: one block in `new`. */
#ifndef AX_G722_H
#define AX_G722_H

#include <stddef.h>
#include <stdint.h>

struct ax_g722; /**< An encoder or a decoder: use one object for one direction. */

/** AX_E_ARG, AX_E_NOMEM. */
int ax_g722_new(struct ax_g722 **out);
void ax_g722_free(struct ax_g722 *g);
void ax_g722_reset(struct ax_g722 *g);

/** `n` samples to n / 2 octets. AX_E_FORMAT when `n` is odd: nothing has happened. Gives the octets. */
int ax_g722_encode(struct ax_g722 *g, const int16_t *in, size_t n, uint8_t *out);
/** `n` octets to 2 n samples. Any octets can be decoded. Gives the samples. */
int ax_g722_decode(struct ax_g722 *g, const uint8_t *in, size_t n, int16_t *out);

#endif
