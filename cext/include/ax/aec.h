/* Acoustic echo canceller: takes out of a microphone what the loudspeaker put into it, and leaves the talker alone.
 *
 * A partitioned-block frequency-domain Kalman filter (Enzner and Vary 2006; Kuech, Mabande and Enzner, ICASSP 2014) models
 * the path from loudspeaker to microphone; a shadow filter and a delay search watch it for changes; a suppressor per band
 * takes what is left, by the variance that the Kalman filter gives for its own error. Full duplex: the talker is
 * heard while the loudspeaker plays.
 *
 * Units: samples of full scale 1.0 or 32768, frames of 10 ms, rates in Hz, delays in ms, drift in parts per million.
 * Threads: one canceller belongs to one thread at a time; any number of them side by side. Allocation: only ax_aec_new;
 * the work of a frame is bounded and does not depend on what is in it. */
#ifndef AX_AEC_H
#define AX_AEC_H

#include <stddef.h>
#include <stdint.h>

struct ax_aec;
struct ax_ns;

enum ax_aec_mode {
    AX_AEC_FULL = 0,   /**< Filter and suppressor; `ax_aec_latency` samples of delay, at most 5 ms. */
    AX_AEC_FILTER = 1, /**< The adaptive filter alone; no delay at 8 and 16 kHz. */
};

struct ax_aec_spec {
    int rate;    /**< Hz: 8000, 16000, 32000, 48000. */
    int tail_ms; /**< What the filter covers behind the delay that it finds by itself: 20 .. 400 ms. */
    int mode;    /**< enum ax_aec_mode */
};

struct ax_aec_status {
    float erle_db;   /**< Microphone over output, over about the last second with sound from the loudspeaker; 0 before. */
    float delay_ms;  /**< From reference to the strongest part of the echo; -1 while unknown. */
    float drift_ppm; /**< How much faster the microphone's clock is than the loudspeaker's. */
    int talking;     /**< 1 while somebody is heard at the microphone. */
    float doubt;     /**< How much of what the filter left in the last frame may be echo or noise: 0 = none, 1 = all. */
};

/** Make a canceller. AX_E_ARG, AX_E_RANGE (rate, tail, mode), AX_E_NOMEM. */
int ax_aec_new(struct ax_aec **out, const struct ax_aec_spec *spec);
void ax_aec_free(struct ax_aec *a);

/** Forget the room. */
void ax_aec_reset(struct ax_aec *a);

/** Samples in a frame (10 ms), and samples from microphone to output. */
int ax_aec_frame(const struct ax_aec *a);
int ax_aec_latency(const struct ax_aec *a);

/** One frame: what the microphone heard and what the loudspeaker was given at the same time. `out` may be `mic`.
 * Float samples that are not finite or beyond +-8 are refused (AX_E_RANGE) before anything is changed. */
int ax_aec_process_i16(struct ax_aec *a, const int16_t *mic, const int16_t *ref, int16_t *out);
int ax_aec_process_f32(struct ax_aec *a, const float *mic, const float *ref, float *out);

/** Let a noise suppressor work on the canceller's spectra: no transform and no delay of its own (NULL: no more). It must
 * live as long, and can do nothing else meanwhile. AX_E_RANGE: another rate, or the filter alone; AX_E_STATE: taken. */
int ax_aec_chain(struct ax_aec *a, struct ax_ns *n);

void ax_aec_get(const struct ax_aec *a, struct ax_aec_status *out);
/** The same, but `talking` and `doubt` alone, which cost nothing: the delay takes two transforms. */
void ax_aec_talk(const struct ax_aec *a, struct ax_aec_status *out);

/** Bytes of memory that a canceller holds. */
size_t ax_aec_size(const struct ax_aec *a);

/** The variants of the inner loops: count, name, and the choice for one canceller (AX_E_RANGE if not on this machine). */
int ax_aec_levels(void);
const char *ax_aec_level_name(int level);
int ax_aec_set_level(struct ax_aec *a, int level);

#endif
