/* Packet loss concealment: what was lost is filled with the pitch of what was heard before, and fades away.
 *
 * After the idea of ITU-T G.711 Appendix I (09/1999): the pitch of the last sound by normalised correlation, its last period
 * repeated, after 10 ms two and after 20 ms three periods of it, so that it does not buzz; 20 % less with every 10 ms from
 * the second on, silence after 60 ms; an overlap with the sound that comes back. Other than there nothing is delayed: the
 * step at the start of a loss is taken up by a ramp over a quarter of a period.
 *
 * Units: samples of 16 bits at any rate of 8 to 48 kHz. Threads: an object belongs to one. Allocation: one block in `new`. */
#ifndef AX_PLC_H
#define AX_PLC_H

#include <stddef.h>
#include <stdint.h>

struct ax_plc;

/** `rate` 8000 .. 48000 samples a second, a multiple of 100. AX_E_ARG, AX_E_RANGE, AX_E_NOMEM. */
int ax_plc_new(struct ax_plc **out, uint32_t rate);
void ax_plc_free(struct ax_plc *p);
void ax_plc_reset(struct ax_plc *p);

/** Sound that arrived, `n` samples, in place: its start is blended with the concealment before it, if there was any. */
int ax_plc_good(struct ax_plc *p, int16_t *samples, size_t n);
/** `n` samples in the place of what was lost. */
int ax_plc_lost(struct ax_plc *p, int16_t *out, size_t n);

#endif
