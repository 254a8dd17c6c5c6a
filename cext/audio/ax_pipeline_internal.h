/* What the two sides of the pipeline share; see ax/pipeline.h and ax_pipeline.c. Units, threads: as there. */
#ifndef AX_PIPELINE_INTERNAL_H
#define AX_PIPELINE_INTERNAL_H

#include "ax/aec.h"
#include "ax/agc.h"
#include "ax/level.h"
#include "ax/limit.h"
#include "ax/ns.h"
#include "ax/pipeline.h"
#include "ax/ring.h"
#include "ax_pcm.h"

enum { LEGS = AX_PIPELINE_LEGS, PLAYS = AX_PIPELINE_PLAYS, MOST = 480, SOURCES = LEGS + PLAYS + 1 };

struct seat {
    struct ax_leg *leg; /* NULL: nobody. */
    float gain;
    bool conference, mute;
    struct ax_limit *limit; /* Of what the leg hears. */
};

struct play {
    const struct ax_tone *tone;
    const int16_t *samples;
    size_t n, at; /* Samples; of the present round. */
    uint32_t left; /* Rounds after this one. */
    bool endless;
    uint32_t to;
    float gain;
    uint64_t serial; /* 0: nothing plays. */
};

/* A frame whose near side waits for the next step: see may_wait. */
struct near {
    bool waits;
    uint64_t now_ns;
    float speaker_power;
    uint32_t legs; /* Bit k: leg k is to hear it. */
    int16_t mic[MOST], out[MOST];
};

struct shared {
    atomic_uint turn; /* Odd while the words are written. */
    atomic_uint words[sizeof(struct ax_pipeline_stats) / sizeof(uint32_t)];
};

struct ax_pipeline {
    struct ax_pipeline_spec spec;
    uint32_t frame;
    struct ax_aec *aec;
    struct ax_ns *ns;
    bool chained; /* The canceller has the suppressor, which then has no delay of its own. */
    struct ax_agc *agc;
    struct ax_avc *avc;
    struct ax_limit *limit;
    struct ax_level level;
    struct ax_vad vad;
    struct seat seat[LEGS];
    struct play play[PLAYS];
    float speaker_gain, mic_gain;
    uint32_t rings; /* Frames that the loudspeaker may still be heard for. */
    bool mic_mute;
    struct ax_ring commands, events;
    uint64_t serial; /* Of the thread that commands. */
    uint64_t told;
    atomic_ullong done, playing[PLAYS];
    struct ax_pipeline_stats stats; /* Its `mic_db`, `near_db` and `speaker_db` are powers: who reads them takes the logarithms. */
    struct shared shared;
    struct near last;
    int16_t heard[LEGS][MOST], played[PLAYS][MOST], near[MOST], out[MOST];
};

/* An event of the step, if somebody asks for its kind. */
void pipeline_tell(struct ax_pipeline *p, const struct ax_pipeline_event *event);
/* What plays for `to` (in AX_PIPELINE_PLAY's terms), behind the `n` that are in `frames` and `gains`; gives how many there are
 * then. `sounding`: places that have something in this step. */
size_t pipeline_add_plays(const struct ax_pipeline *p, uint32_t to, float gain, uint32_t sounding, const int16_t **frames,
                          float *gains, size_t n);
/* The near side of this step, and before it that of the last one if it waits. Gives the number of packets. */
int pipeline_near(struct ax_pipeline *p, uint64_t now_ns, const int16_t *mic, uint32_t sounding);

#endif
