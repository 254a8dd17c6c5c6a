/* Noise suppressor: takes steady and passing noise out of what a microphone heard, and leaves talk alone.
 *
 * Short-time spectra (windows of 20 ms every 5 ms, 4 ms of delay) in 32 bands; the gain of each band comes from a small
 * recurrent network (a gated unit of 24 states per band; Valin, arXiv 1709.08243, has the idea of gains for bands). All
 * bands share the same weights and look at their neighbours, at the means of four regions, and at how far they are above
 * their own floor: what was learned from some talkers and from random noises does not know a talker's or a noise's spectrum.
 * While the network is not sure that anything is noise (as among other talkers), no band above 300 Hz goes down by more than
 * 12 dB, so that the talker is understood no worse than before. Where there was wind or an engine in the lowest band for the
 * last seconds, a high pass of 250 Hz (second order) comes after the spectra; with nothing else that is surely noise it is
 * wind, and gains are less than half of the network's, in dB.
 *
 * Behind an echo canceller (ax_aec_chain) it works on the canceller's spectra: no transform and no delay of its own.
 *
 * Units: samples of full scale 1.0 or 32768, frames of 10 ms, rates in Hz. Above 8 kHz one gain serves all.
 * Threads: one suppressor belongs to one thread at a time. Allocation: only ax_ns_new; the work of a frame does not depend
 * on what is in it. */
#ifndef AX_NS_H
#define AX_NS_H

#include <stddef.h>
#include <stdint.h>

struct ax_ns;

struct ax_ns_spec {
    int rate;                 /**< Hz: 8000, 16000, 32000, 48000. */
    float max_attenuation_db; /**< Most that noise is taken down by: 0 .. 60 dB; below 200 Hz in wind about as much again. */
};

/** Make a suppressor. AX_E_ARG, AX_E_RANGE (rate, attenuation), AX_E_NOMEM. */
int ax_ns_new(struct ax_ns **out, const struct ax_ns_spec *spec);
void ax_ns_free(struct ax_ns *n);

/** Forget what was heard. */
void ax_ns_reset(struct ax_ns *n);

/** Samples in a frame (10 ms), and samples from input to output (at most 5 ms). */
int ax_ns_frame(const struct ax_ns *n);
int ax_ns_latency(const struct ax_ns *n);

/** One frame; `out` may be `in`. Float samples that are not finite or beyond +-8 are refused (AX_E_RANGE) before anything is
 * changed; AX_E_STATE while a canceller has it. */
int ax_ns_process_i16(struct ax_ns *n, const int16_t *in, int16_t *out);
int ax_ns_process_f32(struct ax_ns *n, const float *in, float *out);

/** By how much the last frame was taken down, dB, all bands alike (0 = nothing). */
float ax_ns_attenuation_db(const struct ax_ns *n);

/** Bytes of memory that a suppressor holds. */
size_t ax_ns_size(const struct ax_ns *n);

/** The variants of the inner loops: as ax_aec_levels and so on. */
int ax_ns_set_level(struct ax_ns *n, int level);

#endif
