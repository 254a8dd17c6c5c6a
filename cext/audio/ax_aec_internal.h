/* The inside of the echo canceller: one core at 8 or 16 kHz, and what surrounds it at higher rates.
 * Units: samples of full scale 1.0; spectra as in ax_dsp.h. Threads, allocation: see ax/aec.h. */
#ifndef AX_AEC_INTERNAL_H
#define AX_AEC_INTERNAL_H

#include "ax/aec.h"
#include "ax_dsp.h"
#include "ax_ns_internal.h"

#include <stdbool.h>


/* First difference that both signals pass: speech falls towards high frequencies, and the filter likes it level. */
#define AEC_EMPHASIS 0.85f

enum {
    AEC_HOP = 160,                 /* Samples of a frame at 16 kHz, the largest of a core. */
    AEC_FFT = 2 * AEC_HOP,
    AEC_STRIDE = AEC_HOP + 8,
    AEC_SPECTRUM = 2 * AEC_STRIDE,
    AEC_DELAY = 64,                /* Frames that the delay search looks back. */
    AEC_TAIL = 40,                 /* The longest filter, frames. */
    AEC_SLOTS = 128,               /* Spectra of the reference that are kept: a power of two > AEC_DELAY + AEC_TAIL. */
    AEC_SHADOW = 8,                /* Partitions of the shadow filter. */
    AEC_WINDOW = 4,                /* Frames that a spectrum and the windows of the suppressor reach back, and one more. */
    AEC_SEARCH = 40,               /* Bins of the delay search. */
    AEC_KNOTS = 8,                 /* Bends of the loudspeaker's curve. */
    AEC_FRAME = 3 * AEC_HOP,       /* Samples of a frame at 48 kHz. */
    AEC_TAPS = 56,                 /* Room for the low pass between rates; its 49 taps at most. */
    AEC_PEAKS = 7,                 /* Blocks of 20 ms for which the bound of the echo is kept. */
    AEC_SHAKEN = 100,              /* Frames for which a new path is not known well. */
    AEC_DICE = 1024,               /* Random numbers of the comfort noise. */
    AEC_PHASES = 32,               /* Fractions of a sample in the table of the resampler; linear between them. */
    AEC_SINC = 8,
    AEC_DRIFT = 2400,              /* Samples of the reference that the resampler keeps: minutes of drift. */
    AEC_DRIFT_ROOM = AEC_DRIFT + 16 * AEC_HOP,
    AEC_BANDS = 32,                /* At most so many bands of the suppressor. */
};

struct aec_filter {
    float *w, *p;                  /* [partitions] of the filter; see struct ax_kalman. */
    float *noise;                  /* [stride]: power of what is not echo, per bin. */
    const float *x[AEC_TAIL];
    int partitions;
    int turn;                      /* Where the round of constraints goes on. */
    float y[AEC_SPECTRUM], e[AEC_SPECTRUM];
    float residual[AEC_STRIDE];    /* Power that the filter expects to be wrong by. */
    float echo[AEC_STRIDE];        /* Power of the echo, partitions added up as if they were independent. */
    float error_t[AEC_FFT];        /* [hop..] the error signal, behind as many zeros. */
    float estimate[AEC_HOP];       /* The echo as the filter has it. */
    float error_energy;
};

struct aec_search {
    float *acc;                    /* [AEC_DELAY][2][AEC_SEARCH]: smoothed phase products. */
    float *phase;                  /* [AEC_SLOTS][2][AEC_SEARCH]: phases of the reference. */
    float score[AEC_DELAY];
    float earlier[2 * AEC_SEARCH]; /* Phases of the microphone that wait for those of the next frame, */
    int before;                    /* and the reference's slot of then. */
    bool waits;
    float mic[AEC_FFT];            /* The last two frames of the microphone. */
    float weight, clear;
    bool in_step;                  /* Nothing speaks for another delay than the filter's. */
    int turn, candidate, steady;
    int best;                      /* Frames from reference to echo; -1 = not known. */
};

struct aec_drift {
    float sinc[AEC_PHASES + 1][AEC_SINC];
    float past[AEC_DRIFT_ROOM];    /* What is kept is AEC_DRIFT samples from `at` on. */
    int at;
    float then[AEC_SPECTRUM];      /* The strongest partition at the last look, ... */
    int partition;                 /* ... and which it was; -1 = none. */
    int age, heard, looks;
    float trend;                   /* ppm */
    double delay;                  /* Samples by which the reference is late by now. */
    bool active, due;              /* It resamples; it will from the next frame on. */
};

struct aec_curve {
    float knot[AEC_KNOTS], slope[AEC_KNOTS];
    float matrix[AEC_KNOTS * AEC_KNOTS], vector[AEC_KNOTS], total, level, gain;
    float *history;                /* [AEC_SLOTS][hop]: the reference as it came. */
    float *spectra;                /* [2][AEC_KNOTS][2][stride]: of what bends, of this frame and the last. */
    int turn, delay, certain, frames, rest;
    bool active;
};

/* Mean powers per band, of half a frame. */
struct aec_bands {
    float error[AEC_BANDS], estimate[AEC_BANDS], residual[AEC_BANDS], echo[AEC_BANDS], played[AEC_BANDS];
};

/* What to expect of a frame. */
struct aec_expected {
    float residual[AEC_STRIDE];
    float residual_band[AEC_BANDS], echo[AEC_BANDS], played[AEC_BANDS];
};

struct aec_suppressor {
    int edge[AEC_BANDS + 1];       /* First bin of each band. */
    int bands;
    int lap;                       /* Samples in which two half frames overlap: the delay. */
    float upper;                   /* Gain for what lies above the core's band. */
    float analysis[AEC_FFT], synthesis[AEC_HOP];
    float error[AEC_FFT + AEC_HOP / 2], echo[AEC_FFT + AEC_HOP / 2]; /* The last samples, newest at the end. */
    float overlap[AEC_HOP / 2];
    float residual[AEC_STRIDE];    /* Of the frame before. */
    float clean[AEC_STRIDE];       /* Power of the last output, for the decision-directed estimate. */
    float peak[AEC_PEAKS][AEC_BANDS]; /* Most of the echo, each over 20 ms. */
    float bound[AEC_BANDS];        /* Most that an echo could be. */
    float path[AEC_BANDS];         /* Power gain of the echo path, not long ago, */
    float known[AEC_BANDS];        /* and as the filter has it. */
    float noise[AEC_BANDS], low[AEC_BANDS], smooth[AEC_BANDS]; /* The room's noise by minima. */
    int heard;                     /* Half frames since the microphone gave anything at all, the first few. */
    int age, beat;
    float near;                    /* 0 .. 1: somebody is talking at the microphone. */
    float doubt;                   /* What may be echo or noise, as a part of what is left. */
    float odd;                     /* Half frames in which more was left than can be explained. */
    int suspect;                   /* Half frames for which a jump is likely. */
    float caution;                 /* What the filter leaves, as a part of what it says. */
    float cross, own, left;        /* Products of error and estimate, of some 25 ms. */
    float mixed;                   /* How much of the estimate is in the error; -1 = it is not in the microphone. */
    float share;                   /* Error over estimate. */
    uint32_t seed;
    float dice[AEC_DICE];          /* Random numbers from -1 to 1. */
};

struct aec_split {
    int factor, taps, length[3];
    float low_pass[AEC_TAPS], up[3][20];
    float waiting[AEC_FRAME + 48 + AEC_FRAME]; /* The microphone, while the core is at work. */
    float low[2 * AEC_HOP];
    float difference[20];
    float gain;
};

struct aec_core {
    const struct ax_dsp *dsp;
    struct ax_fft *fft;
    int hop, stride, partitions;
    int slot;                      /* Newest spectrum in `spectra`. */
    int shift;                     /* Frames from the reference to the filter's first partition. */
    float *spectra;                /* [AEC_SLOTS][2][stride] */
    float frame[AEC_FFT];          /* The last two frames of the reference. */
    struct aec_filter main, shadow;
    struct aec_search search;
    struct aec_suppressor suppressor;
    struct aec_curve curve;
    struct aec_drift drift;
    struct ns_core *noise;         /* Of a noise suppressor that works on the same spectra; NULL = none. */
    float mic_last, ref_last, bent_last; /* For the emphasis. */
    float mic_energy, ref_energy;
    float ref_level;
    float smooth_main, smooth_shadow, smooth_mic; /* Energies of errors over some 60 ms. */
    int shaken;                    /* Frames for which a new path is not known well. */
    int calm;                      /* Frames since the filter was last told of a change. */
    int strongest;                 /* The partition with most of the path. */
    int tries;                     /* To follow a jump. */
    int trial;                     /* Frames until the filter must explain something, after it has followed a jump. */
    int found;                     /* Where the search saw the echo while filter and search agreed. */
    bool slid;                     /* The filters were moved in this frame: work that can wait does. */
    bool locked;                   /* The echo has been found once. */
    bool far_long;                 /* It has played within what the delay search looks at. */
    int far_age;
    int hush;                      /* Frames since the loudspeaker got anything at all. */
    bool far;                      /* The loudspeaker plays. */
    float drift_ppm;
    float *pool;
    size_t size;                   /* Bytes of the pool. */
};

/* ax_aec_filter.c */
void aec_core_frame(struct aec_core *c, const float *mic, const float *ref);
void aec_core_reset(struct aec_core *c);

/* ax_aec_delay.c */
void aec_search_frame(struct aec_core *c, const float *mic);

/* The whole response of both filters begins `by` samples later (negative: earlier; less than a hop). The shadow gets the
 * main filter's, and all is constrained by that. */
void aec_slide(struct aec_core *c, int by);

/* Where in a partition of the main filter the highest tap is. */
int aec_peak(const struct aec_core *c, int partition);

/* ax_aec_drift.c */
void aec_drift_reset(struct aec_core *c);
void aec_drift_begin(struct aec_core *c);
void aec_drift_apply(struct aec_core *c, const float *raw, float *out);
void aec_drift_frame(struct aec_core *c);

/* ax_aec_curve.c */
void aec_curve_reset(struct aec_core *c);
void aec_curve_apply(const struct aec_core *c, const float *x, float *out);
void aec_curve_frame(struct aec_core *c, const float *raw);

/* Spectrum of the reference, so many frames ago. */
static inline const float *aec_reference(const struct aec_core *c, int back)
{
    return c->spectra + (size_t)((c->slot - back) & (AEC_SLOTS - 1)) * 2 * (size_t)c->stride;
}

/* No spectrum that the filters look at, and no window of the suppressor, holds anything that was played: all that is made of
 * it is nothing, nothing is learnt of it, and it need not be computed. */
static inline bool aec_idle(const struct aec_core *c)
{
    return !c->far && c->hush > c->shift + c->partitions + AEC_WINDOW;
}

/* Without the library's care for what is not a number: that never gets here. */
static inline float aec_max(float a, float b)
{
    return a > b ? a : b;
}

static inline float aec_min(float a, float b)
{
    return a < b ? a : b;
}

/* ax_aec_suppress.c */
void aec_suppress_reset(struct aec_core *c);
void aec_suppress_frame(struct aec_core *c, float *out);
int aec_suppress_lag(const struct aec_core *c);

/* Mean of a power spectrum in each band. */
void aec_band_means(const struct aec_suppressor *s, const float *power, float *out);

/* ax_aec_judge.c */
void aec_judge(struct aec_core *c, const struct aec_bands *p, float leak);

/* ax_aec_split.c */
void aec_split_init(struct aec_split *s, int factor);
void aec_split_down(const struct ax_dsp *dsp, const struct aec_split *s, float *past, const float *in, float *out);
int aec_split_delay(const struct aec_split *s);
void aec_split_merge(const struct ax_dsp *dsp, struct aec_split *s, const float *mic, const float *low, const float *core,
                     int lag, float gain, float *out);

#endif
