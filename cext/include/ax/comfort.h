/* Comfort noise: the level and the colour of the background, learnt, sent (RFC 3389) and made again.
 *
 * Source: linear prediction of order 8 from a smoothed autocorrelation (Levinson 1947, Durbin 1960), synthesis by a lattice,
 * which is stable for reflection coefficients below 1; payload after RFC 3389 3 (level in -dBov, coefficients of 8 bits).
 *
 * Units: samples of 16 bits; dBov is dB under a square wave of full scale. Threads: an object belongs to one. Allocation: the
 * caller's struct. */
#ifndef AX_COMFORT_H
#define AX_COMFORT_H

#include <stddef.h>
#include <stdint.h>

#define AX_COMFORT_ORDER 8

struct ax_comfort {
    float r[AX_COMFORT_ORDER + 1]; /**< Autocorrelation, smoothed, for a sample. */
    float k[AX_COMFORT_ORDER];     /**< Reflection coefficients, in (-1, 1). */
    float state[AX_COMFORT_ORDER + 1];
    float gain;                    /**< Of the excitation. */
    float power;
    uint32_t seed;
    uint32_t learnt;               /**< Frames. */
};

/** `seed`: where the noise starts. AX_E_ARG. */
int ax_comfort_init(struct ax_comfort *c, uint32_t seed);
/** Sound in which nobody talks, 80 to 480 samples. AX_E_RANGE for other lengths. */
int ax_comfort_learn(struct ax_comfort *c, const int16_t *in, size_t n);
/** Noise like it. */
int ax_comfort_render(struct ax_comfort *c, int16_t *out, size_t n);
/** 9 octets of payload. AX_E_FULL when there is less room. Gives 9. */
int ax_comfort_pack(const struct ax_comfort *c, uint8_t *out, size_t room);
/** Take a payload of 1 octet or more; coefficients beyond the eighth are left out. AX_E_FORMAT when there is none. */
int ax_comfort_unpack(struct ax_comfort *c, const uint8_t *in, size_t n);

#endif
