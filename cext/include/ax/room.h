/* A virtual room: what a microphone hears of the loudspeaker beside it. The loudspeaker's curve (none, soft or hard limit),
 * a delay, an impulse response, a talker, noise of the room; and what goes wrong: a loudspeaker that is broken, a microphone
 * that is covered. The same seed gives the same samples.
 *
 * Units: samples of 16 bits in frames of 10 ms; dB, dBFS (0 dB is the power of a square wave of full scale). Threads: `step`
 * belongs to one; `set` may be called by another. Allocation: in new and free only. */
#ifndef AX_ROOM_H
#define AX_ROOM_H

#include <stddef.h>
#include <stdint.h>

#define AX_ROOM_DELAY_MOST 500 /**< Most. */
#define AX_ROOM_TAPS 24000   /**< Most. */

enum ax_room_curve {
    AX_ROOM_LINEAR = 0,
    AX_ROOM_SOFT = 1, /**< 0.5 tanh(2 x): an amplifier near its limit. */
    AX_ROOM_HARD = 2, /**< Clipped at a quarter of full scale. */
    AX_ROOM_CURVE_END,
};

struct ax_room_spec {
    uint32_t rate;    /**< 8000, 16000, 32000 or 48000. */
    uint32_t curve;   /**< enum ax_room_curve */
    uint32_t rt60_ms; /**< Reverberation time of a made-up response, 0 .. 1000; 0: the direct sound alone. */
    uint32_t seed;    /**< Of the response and the noise. */
    const float *response; /**< Impulse response; NULL: made up. */
    size_t taps;      /**< Of `response`, 1 .. AX_ROOM_TAPS. */
};

enum ax_room_part {
    AX_ROOM_ECHO_DB = 0,  /**< Gain from loudspeaker to microphone, by energy: -100 .. 20. At first -10. */
    AX_ROOM_DELAY = 1, /**< 0 .. AX_ROOM_DELAY_MOST ms. At first 0. */
    AX_ROOM_NOISE_DB = 2, /**< Noise in the room, -100 .. 0 dBFS. At first -70. */
    AX_ROOM_COVER_DB = 3, /**< How much a cover on the microphone takes from everything, 0 .. 80. At first 0. */
    AX_ROOM_SPEAKER = 4,  /**< 1: works, as at first; 0: is broken. */
    AX_ROOM_PART_END,
};

struct ax_room;

/** AX_E_ARG, AX_E_RANGE, AX_E_NOMEM. */
int ax_room_new(struct ax_room **out, const struct ax_room_spec *spec);
void ax_room_free(struct ax_room *r);
uint32_t ax_room_frame(const struct ax_room *r);
/** From the next step on. AX_E_RANGE. */
int ax_room_set(struct ax_room *r, int part, float value);
/** 10 ms: what the loudspeaker was given, what a talker says (NULL: nobody), what the microphone hears. */
int ax_room_step(struct ax_room *r, const int16_t *speaker, const int16_t *talker, int16_t *mic);

#endif
