/* DTMF: which key was pressed, from sound.
 *
 * Source: ITU-T Q.23 (the eight frequencies) and Q.24 (what a receiver takes: +-1.5 % of frequency, 40 ms, a high group 4 dB
 * above to 8 dB below the low group; what it refuses: +-3.5 %, 20 ms). The sound is taken down to 8 kHz, and every 5 ms the
 * Fourier sum at the eight frequencies over a Hann window of 25 ms is taken (what Goertzel's recurrence gives, in a form
 * that runs on all eight at once). The phase from one sum to the next gives the frequency to a few hertz; the two tones
 * must hold almost all of the energy, and hold for 30 ms.
 *
 * Units: samples of 16 bits; positions count samples of the input from the first on. Levels: 0 dBm0 is 3.14 dB below a sine of
 * full scale; each tone is heard from -36 dBm0 on. Threads: a detector belongs to one. Allocation: one block in `new`. */
#ifndef AX_DTMF_H
#define AX_DTMF_H

#include <stddef.h>
#include <stdint.h>

#define AX_DTMF_KEYS "123A456B789C*0#D" /**< By row and column. */

struct ax_dtmf_event {
    uint64_t at;       /**< Sample at which the key went down, to 5 ms. */
    uint32_t duration; /**< Samples; 0 while the key is down. */
    char key;          /**< '0' .. '9', 'A' .. 'D', '*', '#' */
};

struct ax_dtmf;

/** `rate` 8000, 16000, 32000 or 48000. AX_E_ARG, AX_E_RANGE, AX_E_NOMEM. */
int ax_dtmf_new(struct ax_dtmf **out, uint32_t rate);
void ax_dtmf_free(struct ax_dtmf *d);
void ax_dtmf_reset(struct ax_dtmf *d);

/** Listen to `n` samples. A key gives two events, when it is sure to be down (duration 0) and when it was let go. Gives the
 *  events written; with room for n / (rate / 200) + 2 none is lost, and AX_E_FULL without having listened when there is less. */
int ax_dtmf_feed(struct ax_dtmf *d, const int16_t *in, size_t n, struct ax_dtmf_event *out, size_t room);
/** The key that is down, or 0. */
char ax_dtmf_key(const struct ax_dtmf *d);

#endif
