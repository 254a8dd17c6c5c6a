/* How loud it is (LevelDetector), and whether somebody talks (VoiceActivity).
 *
 * The level is the power of 10 ms in dB under a sine of full scale, rises at once and falls with 20 dB in 300 ms. The scale of
 * 0 to 100 is linear in dB: 0 is -80 dB and less, 100 is 0 dB; a threshold of 0 is thus the most sensitive, 100 the least.
 * It is passed when the level comes to it from below, and again when the level is 2 points under it.
 *
 * Voice: the power after a difference of first order (which takes hum away) against the noise floor, which is the least of
 * the last 1.5 s (minimum statistics, Martin 2001, in one band); 200 ms of hangover.
 *
 * Units: samples of 16 bits in frames of 10 ms. Threads: an object belongs to one. Allocation: the caller's structs. */
#ifndef AX_LEVEL_H
#define AX_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

enum ax_level_event {
    AX_LEVEL_NONE = 0,
    AX_LEVEL_RISE = 1, /**< From below the threshold to it or above. */
    AX_LEVEL_FALL = 2, /**< Below again. Either is a pass. */
};

struct ax_level {
    uint32_t frame;
    float threshold; /**< 0 .. 100 */
    float db;        /**< Now, -100 .. 3. */
    bool above;
};

/** `rate` 8000, 16000, 32000, 44100 or 48000; `threshold` 0 .. 100. AX_E_ARG, AX_E_RANGE. */
int ax_level_init(struct ax_level *l, uint32_t rate, float threshold);
/** Another threshold; the next frame tells on which side it is. */
int ax_level_set(struct ax_level *l, float threshold);
/** One frame. Gives enum ax_level_event. */
int ax_level_feed(struct ax_level *l, const int16_t *in);
/** The level of now on the scale of 0 to 100. */
float ax_level_get(const struct ax_level *l);

#define AX_VAD_MINIMA 6

struct ax_vad {
    uint32_t frame;
    float last;                   /**< Sample before. */
    float smooth;                 /**< Power, dB. */
    float minimum[AX_VAD_MINIMA]; /**< Of pieces of 250 ms. */
    float floor_db;
    int count, active, hang;
    bool talks;
};

int ax_vad_init(struct ax_vad *v, uint32_t rate);
/** One frame. Gives 1 while somebody talks. */
int ax_vad_feed(struct ax_vad *v, const int16_t *in);

#endif
