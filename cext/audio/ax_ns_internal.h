/* The inside of the noise suppressor: a core that changes spectra in place, and what surrounds it when it works alone.
 * Units: samples of full scale 1.0; spectra as in ax_dsp.h. Threads, allocation: see ax/ns.h. */
#ifndef AX_NS_INTERNAL_H
#define AX_NS_INTERNAL_H

#include "ax/ns.h"
#include "ax_dsp.h"

#include <stdbool.h>

enum {
    NS_BANDS = 32,
    NS_PAD = 2,                              /* Bands beyond each end, for what looks at neighbours. */
    NS_ROW = NS_BANDS + 8,                   /* Floats from row to row: NS_PAD, the bands, and room. */
    NS_FEATURES = 6,
    NS_TAPS = 2 * NS_PAD + 1,
    NS_INPUTS = NS_FEATURES * NS_TAPS,
    NS_FRONT = 16,                           /* Outputs of the first layer per band, */
    NS_STATES = 24,                          /* and states of the gated unit. */
    NS_REGIONS = 4,                          /* Groups of bands of which each gate sees the mean. */
    NS_REGION = NS_BANDS / NS_REGIONS,
    NS_BINS = 161,
    NS_SPECTRUM = 2 * 168,
};

#define NS_UNIT 1024.0f

/* Weights that all bands share, in 1/NS_UNIT; rows are outputs, columns inputs. Gates in the order update, reset, candidate. */
struct ns_weights {
    float front[NS_FRONT][NS_INPUTS], front_bias[NS_FRONT][NS_BANDS];
    float input[3 * NS_STATES][NS_FRONT], past[3 * NS_STATES][NS_STATES];
    float whole[3 * NS_STATES][NS_REGIONS * NS_STATES];
    float bias[3 * NS_STATES];
    float gain[2][3 * NS_STATES], gain_bias[2];
};

extern const struct ns_weights ns_weights;

struct ns_net {
    float feature[NS_FEATURES][NS_ROW];
    float state[NS_STATES][NS_ROW];
    float gain[2][NS_BANDS]; /* Of the two halves of a frame, 0 .. 1. */
};

/* One step of the network. */
typedef void ns_step(const struct ns_weights *w, struct ns_net *net, int bands);
ns_step ns_step_generic, ns_step_fma, ns_step_neon;

/* A high pass, and how much of it is heard. */
struct ns_low_cut {
    float zero, pole[2];          /* Its numerator is zero (1 - 2/z + 1/zz). */
    float kept[2];
    float amount, last;           /* 0 .. 1: now, and at the end of the last frame. */
    float rumble;                 /* log2 of the power below that is not talk. */
};

struct ns_core {
    int bins, stride, bands;
    ns_step *step;
    float least;                  /* Least gain. */
    bool started;
    int edge[NS_BANDS + 1];       /* First bin of each band. */
    int left[NS_BINS + 7];        /* A bin's gain lies between those of band `left` and the next, */
    float part[NS_BINS + 7];      /* so far from the first. */
    float floor[NS_BANDS], mean[NS_BANDS], still[NS_BANDS], loud; /* log2 of power: trackers of each band, and of the talk. */
    float last[NS_SPECTRUM], turn[NS_SPECTRUM]; /* Of the second half of the last frame; its phases against the one before. */
    float turned[NS_BANDS];       /* Power of the turn. */
    struct ns_net net;
    struct ns_low_cut low;
    float quietest;               /* The least of the mean gain of the last seconds. */
    float upper;                  /* Gain for what lies above the core's band. */
    float before, after;          /* Power of the last frame. */
};

/* For bins of 50 Hz up to `bins`; spectra with that stride. */
void ns_core_init(struct ns_core *c, int bins, int stride, float max_attenuation_db, ns_step *step);
void ns_core_reset(struct ns_core *c);

/* The spectra of the two halves of a frame, in place. */
void ns_core_frame(struct ns_core *c, float *first, float *second);

/* A frame of sound that was made of those: what a high pass takes where there is rumble. In place. */
void ns_core_low_cut(struct ns_core *c, float *sound, int n);

/* ax_ns.c */
struct ns_core *ax_ns_core(struct ax_ns *n);
int ax_ns_rate(const struct ax_ns *n);
void ax_ns_take(struct ax_ns *n, bool taken);
bool ax_ns_taken(const struct ax_ns *n);

#endif
