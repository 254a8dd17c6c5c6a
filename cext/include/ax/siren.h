/* Siren sounds: a tone program, that is a table of segments, rendered as a pure function of the sample position.
 *
 * A program has up to four voices that sound together; a voice is a cycle of segments (steady, sweeping or silent) that
 * repeats for ever. The phase of every sample comes in closed form from its position, in integers: 128-bit fractions of a
 * cycle where a block starts, 64-bit ones from sample to sample. So there is no state: any split into blocks gives the same
 * bits, any position can be rendered first, two devices that agree on the time make the same sound, and after 72 h the phase
 * is what it would be in exact arithmetic. Only exponential sweeps use floating point, inside one segment; their length in
 * cycles is rounded to 2^-32, so that they do not drift either.
 *
 * Sources: the sounds are tables of axcore.siren; the sum of partials is Clenshaw's recurrence (1955); TPDF dither after
 * Lipshitz, Wannamaker and Vanderkooy (1992). A single sine has a signal to noise ratio of 98 dB in 16 bits.
 *
 * Units: mHz, us, samples. Threads: a tone never changes after `new` (but for the test hook) and may be rendered by several
 * threads at once. Allocation: one block in `new`, none in `render`. */
#ifndef AX_SIREN_H
#define AX_SIREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AX_SIREN_VOICES 4          /**< Most voices of a program. */
#define AX_SIREN_SEGMENTS 256      /**< Most segments of a voice. */
#define AX_SIREN_SETS 8            /**< Most sets of partials of a program. */
#define AX_SIREN_PARTIALS 32       /**< Most partials of a waveform. */
#define AX_SIREN_INTENSITIES 5     /**< Intensity 1 .. 5. */
#define AX_SIREN_INTENSITY_DB 6    /**< Between two of them; 5 is full scale. */
#define AX_SIREN_PEAK 32768        /**< Full scale of `peak`. */
#define AX_SIREN_GRID_US 10000     /**< A cycle is a multiple of this, which is whole samples at every rate. */
#define AX_SIREN_MIN_US 1000       /**< Shortest segment, attack and release. */
#define AX_SIREN_MAX_US 60000000   /**< Longest segment. */
#define AX_SIREN_FADE_US 5000      /**< At a start and an end that the program does not shape itself. */
#define AX_SIREN_ENDLESS UINT64_MAX
#define AX_SIREN_MAX_POS (UINT64_C(1) << 62) /**< Positions are below this: three million years. */

/** How the frequency goes from start to end. */
enum ax_siren_law {
    AX_SIREN_LINEAR = 0,      /**< Equal hertz in equal times. */
    AX_SIREN_EXPONENTIAL = 1, /**< Equal ratios (musical intervals) in equal times. */
    AX_SIREN_LAW_END,
};

/** Waveforms. All are sums of partials below 0.49 of the sample rate, at most AX_SIREN_PARTIALS: nothing aliases. */
enum ax_siren_wave {
    AX_SIREN_SINE = 0,
    AX_SIREN_SQUARE = 1,   /**< Odd partials 1/k, tapered against ringing (Lanczos). */
    AX_SIREN_SAW = 2,      /**< All partials 1/k, tapered. */
    AX_SIREN_TRIANGLE = 3, /**< Odd partials 1/k^2, alternating. */
    AX_SIREN_SET = 4,      /**< A set of partials of the program. */
    AX_SIREN_WAVE_END,
};

/** How a segment dies away in its release. */
enum ax_siren_release {
    AX_SIREN_SMOOTH = 0, /**< 3x^2 - 2x^3. */
    AX_SIREN_DECAY = 1,  /**< x^4: near to what a struck thing does, and zero at the end. */
    AX_SIREN_RELEASE_END,
};

struct ax_siren_segment {
    uint32_t duration_us;
    uint32_t start_mhz;  /**< Frequency at the start; 0 together with end_mhz: silence. */
    uint32_t end_mhz;    /**< Frequency at the end; equal to start_mhz: steady. */
    uint32_t attack_us;  /**< 0: goes on without a break from the segment before. Else phase 0 at amplitude 0. */
    uint32_t release_us; /**< 0: goes on into the segment after. */
    uint16_t peak;       /**< Amplitude of the waveform's peak, 1 .. AX_SIREN_PEAK; any for silence. */
    uint8_t law;         /**< enum ax_siren_law */
    uint8_t wave;        /**< enum ax_siren_wave */
    uint8_t set;         /**< Which set, for AX_SIREN_SET. */
    uint8_t release;     /**< enum ax_siren_release */
};

struct ax_siren_voice {
    const struct ax_siren_segment *segments;
    uint32_t n;
};

struct ax_siren_program {
    const struct ax_siren_voice *voices; /**< All cycles have the same length. */
    uint32_t nvoices;       /**< 1 .. AX_SIREN_VOICES */
    const float *sets;      /**< Amplitudes of partials 1, 2, ... AX_SIREN_PARTIALS; any scale: the peak becomes 1. */
    uint32_t nsets;         /**< Each AX_SIREN_PARTIALS numbers of `sets`. */
};

/** A recorded clip on top of the tone. While one is given, the sum goes through a limiter: untouched below three quarters of
 *  full scale, bent smoothly above, never over it. */
struct ax_siren_clip {
    const int16_t *samples; /**< At the rate of the tone. */
    uint64_t start;         /**< Position of the first. */
    uint32_t n;
    float gain;             /**< 0 .. 16 */
    bool repeat;            /**< Again and again, until the tone ends. */
};

/** How a tone is played. All zero but `intensity` and `end` is the plain way. */
struct ax_siren_play {
    uint64_t end;                     /**< First position after the sound, which fades out before it; AX_SIREN_ENDLESS. */
    uint8_t intensity;                /**< 1 .. 5; 0: only the clip is heard. */
    bool dither;                      /**< TPDF of 2 LSB, for 16 bits; a function of the position too. */
    const struct ax_siren_clip *clip; /**< Or NULL. */
};

struct ax_siren; /**< A program made ready for one sample rate. */

/** Check a program and make it ready. `rate` is 8000, 16000, 32000, 44100 or 48000.
 *  AX_E_RANGE: a number out of range (frequencies are below 0.49 of the rate, the peaks of all voices add up to full scale at
 *  most, cycles are on the grid and equally long). AX_E_FORMAT: two segments meet with a click: one has no release or attack
 *  towards silence, or differs from its neighbour in wave or peak. AX_E_NOMEM. */
int ax_siren_new(struct ax_siren **tone, const struct ax_siren_program *program, uint32_t rate);
void ax_siren_free(struct ax_siren *tone);

/** Samples of a cycle. */
uint64_t ax_siren_cycle(const struct ax_siren *tone);
uint32_t ax_siren_rate(const struct ax_siren *tone);

/** Samples `pos` .. `pos + n - 1`: 16 bits, rounded to nearest, never below -32767. Gives how many of them are before the
 *  end; the others are zero. AX_E_ARG, AX_E_RANGE: nothing is written. At most INT32_MAX samples. */
int ax_siren_render(const struct ax_siren *tone, const struct ax_siren_play *play, uint64_t pos, int16_t *out, size_t n);
/** The same in 32-bit floating point, -1 .. 1; no dither. */
int ax_siren_render_float(const struct ax_siren *tone, const struct ax_siren_play *play, uint64_t pos, float *out, size_t n);

/** Variants (0 = portable): how many this machine has. All give the same bits. */
int ax_siren_levels(void);
const char *ax_siren_level_name(int level);
/** Test hook. */
int ax_siren_set_level(struct ax_siren *tone, int level);

#endif
