/* The inside of a tone: segments with their phase as 128-bit fractions of a cycle, waveforms as partials, and what a variant
 * of the inner loops offers. Units: samples, cycles. */
#ifndef AX_SIREN_INTERNAL_H
#define AX_SIREN_INTERNAL_H

#include "ax/siren.h"

__extension__ typedef unsigned __int128 u128;

enum {
    BLOCK = 512,     /* Samples that are mixed at a time, on the stack. */
    PAD = 32,        /* A variant may write this many samples more than it is asked for. */
    CHUNK = 256,     /* A polynomial of the phase is followed at most this far. */
    CHUNK_MIN = 8,
};

/* Phase of sample j of a chunk: p + a j + b C(j, 2) + c C(j, 3), in 2^-64 cycles, modulo a cycle: exact in integers. */
struct chunk {
    uint64_t p, a, b, c;
};

struct timbre {
    uint32_t n;
    float amplitude[AX_SIREN_PARTIALS]; /* Of sin(k phase); the peak of the sum is 1. */
};

struct segment {
    u128 base;          /* Phase at its start, since the phase was last zero, */
    u128 c1, c2;        /* and after j samples: base + c1 j + c2 C(j, 2), in 2^-128 cycles. */
    double scale, rate; /* Exponential: scale (e^(rate j) - 1) instead, in cycles. */
    uint32_t begin, n;  /* Samples in the cycle. */
    uint32_t attack, release;
    uint32_t chunk;     /* A power of two: how far a cubic stands for the exponential. */
    float attack_inv, release_inv; /* 1 / samples */
    float peak;
    uint16_t timbre;
    bool silent, exponential, decay;
};

struct voice {
    struct segment *segments;
    uint32_t n;
    bool fade_in;  /* It starts in full sound. */
    u128 advance;  /* Phase of one cycle; 0 where an attack starts it anew. */
};

/* What a variant offers. Elementwise, in the same order of the same operations: the same bits. */
struct siren_ops {
    const char *name;
    /* n samples (and up to PAD more) of a waveform. */
    void (*wave)(float *out, size_t n, const struct chunk *at, const struct timbre *timbre, float peak);
    /* Scale, hold within +-32767, round to nearest even. */
    void (*store)(int16_t *out, const float *in, size_t n, float scale);
};

struct ax_siren {
    const struct siren_ops *ops;
    uint32_t cycle, rate, fade, nvoices;
    float fade_inv;
    struct voice voice[AX_SIREN_VOICES];
    struct timbre *timbres;
};

extern const struct siren_ops ax_siren_generic;
extern const struct siren_ops ax_siren_avx2;
extern const struct siren_ops ax_siren_neon;

/* sin(pi u / 2) for -1 <= u <= 1 is u (S1 + S3 u^2 + S5 u^4 + S7 u^6 + S9 u^8). */
#define S1 1.57079625f
#define S3 (-0.645963371f)
#define S5 0.079688482f
#define S7 (-0.00467222789f)
#define S9 0.000150820561f

#endif
