/* Automatic gain for a talker (GainControl), and a volume that follows the noise around a loudspeaker (VolumeControl). Both
 * end in the limiter of ax/limit.h and add its delay.
 *
 * Gain control: the power of the frames in which somebody talks (well above the noise floor, which is the least level of the
 * last seconds) is averaged over 3 s of talk. The last 3 to 150 frames of talk are compared with the 300 before them: a
 * difference that a talker who stays as loud hardly ever makes is a step, and what was before it is forgotten. Talk of even
 * level settles within 1 s (up) and 0.3 s (down) of a step of 4 to 35 dB, real speech does in the median; bench/gain_quality.py
 * tells how often it does. The gain moves while somebody talks and rests in pauses. Sound of one level (within 3 dB for
 * 0.4 s) is noise, however loud: it raises no gain, and what was learnt of it is unlearnt.
 *
 * Units: samples of 16 bits or float32 of full scale 1.0, in frames of 10 ms; levels are dBFS, where 0 dB is the power of a
 * square wave of full scale. Threads: an object belongs to one. Allocation: one block in `new`, and its limiter. */
#ifndef AX_AGC_H
#define AX_AGC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ax_agc;

struct ax_agc_spec {
    uint32_t rate;     /**< 8000, 16000, 32000, 44100 or 48000. */
    float target_db;   /**< Level of talk that is aimed at, -40 .. -6 dBFS. */
    float most_db;     /**< Most gain, 0 .. 40. */
    float least_db;    /**< Least gain, -40 .. 0. */
};

/** AX_E_ARG, AX_E_RANGE, AX_E_NOMEM. */
int ax_agc_new(struct ax_agc **out, const struct ax_agc_spec *spec);
void ax_agc_free(struct ax_agc *a);
void ax_agc_reset(struct ax_agc *a);
uint32_t ax_agc_frame(const struct ax_agc *a);
uint32_t ax_agc_latency(const struct ax_agc *a);
/** `resting`: what comes is not the talker, and the gain stays as it is (echo that was left over). */
void ax_agc_rest(struct ax_agc *a, bool resting);
/** The gain of now, dB. */
float ax_agc_gain_db(const struct ax_agc *a);

/** One frame; `out` may be `in`. AX_E_RANGE when a sample is no number or beyond 8: nothing has happened. */
int ax_agc_i16(struct ax_agc *a, const int16_t *in, int16_t *out);
int ax_agc_f32(struct ax_agc *a, const float *in, float *out);

struct ax_avc;

struct ax_avc_spec {
    uint32_t rate;
    float quiet_db; /**< Ambient noise, dBFS at the microphone, up to which the volume stays: -90 .. 0. */
    float most_db;  /**< Most gain, 0 .. 30. */
    float slope;    /**< dB of gain for a dB of noise, 0 .. 1. */
};

int ax_avc_new(struct ax_avc **out, const struct ax_avc_spec *spec);
void ax_avc_free(struct ax_avc *a);
void ax_avc_reset(struct ax_avc *a);
uint32_t ax_avc_frame(const struct ax_avc *a);
uint32_t ax_avc_latency(const struct ax_avc *a);
float ax_avc_gain_db(const struct ax_avc *a);
float ax_avc_noise_db(const struct ax_avc *a);
/** A frame of the microphone. While the loudspeaker plays, and 300 ms after, it is not listened to: that would be its echo. */
int ax_avc_ambient(struct ax_avc *a, const int16_t *mic);
/** A frame on the way to the loudspeaker; `out` may be `in`. */
int ax_avc_play(struct ax_avc *a, const int16_t *in, int16_t *out);

#endif
