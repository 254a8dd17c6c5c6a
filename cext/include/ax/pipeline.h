/* The sound of a door station as one graph, stepped every 10 ms:
 *
 *   microphone -> echo canceller -> [noise suppressor] -> gain control -> voice detector -> to every leg
 *   every leg -> (key detector) -> mix with clips and tones -> volume control, limiter -> loudspeaker
 *
 * The legs (ax/leg.h; six at most) hear the microphone, the other legs where they are in conference, and what is
 * played to them. What a step gives to the loudspeaker is the echo canceller's reference of the same step.
 *
 * Where nobody gets what the microphone says in a step, because every leg needs another frame for its packet, the near side of
 * that step is done together with the next one: the legs get the same samples at the same time, for much less of a processor
 * whose caches forget in 10 ms. Then `near_db` and `talking`, and the events of talk, are those of a step before; their `t_ns`
 * is the frame's.
 *
 * Sans-I/O: samples and time come in, samples go out. Commands come and events go by bounded lock-free queues, so that
 * one thread steps and another commands.
 *
 * Units: samples of 16 bits in frames of 10 ms; ns of CLOCK_MONOTONIC; dB, dBFS; gains are factors. Threads: `step` belongs
 * to one thread, `put` to one, `event` to one; `get`, `done` and `playing` to any. Allocation: in new and free only; the work
 * of a step is bounded. */
#ifndef AX_PIPELINE_H
#define AX_PIPELINE_H

#include "ax/leg.h"
#include "ax/tone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AX_PIPELINE_LEGS 6
#define AX_PIPELINE_PLAYS 8
#define AX_PIPELINE_COMMANDS 64
#define AX_PIPELINE_EVENTS 256
#define AX_PIPELINE_SPEAKER 0x80u /**< In `to`: the loudspeaker; bit k: leg k. */
#define AX_PIPELINE_GAIN_MOST 16.0f

enum ax_pipeline_echo {
    AX_PIPELINE_ECHO_OFF = 0,
    AX_PIPELINE_ECHO_FILTER = 1, /**< The adaptive filter alone. */
    AX_PIPELINE_ECHO_FULL = 2,
};

struct ax_pipeline_spec {
    uint32_t rate;    /**< 8000, 16000, 32000 or 48000. */
    uint32_t echo;    /**< enum ax_pipeline_echo */
    uint32_t tail_ms; /**< Of the echo canceller: 20 .. 400. */
    float max_attenuation_db; /**< Most that the noise suppressor takes noise down by, 0 .. 60; 0: there is none. */
    bool gain_control;
    float target_db;  /**< Of the gain control, -40 .. -6 dBFS. */
    bool volume_control;
    float quiet_db;   /**< Of the volume control: noise up to which the volume stays, -90 .. 0 dBFS. */
    float threshold;  /**< Of the sound level, 0 .. 100 (ax/level.h). */
    uint32_t untold;  /**< Bit k: nobody asks for events of the kind k; they are not told. */
};

enum ax_pipeline_verb {
    AX_PIPELINE_LEG = 1,        /**< `leg` (NULL: nobody) is at `index` from now on; `gain`, `conference` and `mute` apply. */
    AX_PIPELINE_SET_LEG = 2,    /**< `gain`, `conference`, `mute` of the leg at `index`. */
    AX_PIPELINE_PLAY = 3,       /**< Play `tone` or `samples` (both NULL: silence) at `index`, in place of what plays there. */
    AX_PIPELINE_SPEAKER_GAIN = 4,
    AX_PIPELINE_MICROPHONE = 5, /**< `gain` and `mute` of the microphone, behind the echo canceller. */
    AX_PIPELINE_THRESHOLD = 6,  /**< `gain` is the threshold, 0 .. 100. */
    AX_PIPELINE_RESET = 7,      /**< Forget the room, the noise and the talkers. */
    AX_PIPELINE_VERB_END,
};

struct ax_pipeline_command {
    uint32_t verb;
    uint32_t index;          /**< Of a leg, or of a place for what is played. */
    struct ax_leg *leg;      /**< Of the pipeline's rate. */
    const struct ax_tone *tone; /**< Made for the pipeline's rate. */
    const int16_t *samples;
    size_t n;
    uint32_t repeat;         /**< Rounds; 0: without end. */
    uint32_t to;             /**< AX_PIPELINE_SPEAKER and bits of legs. */
    float gain;              /**< 0 .. AX_PIPELINE_GAIN_MOST */
    bool conference;         /**< The leg hears the other legs in conference, and they hear it. */
    bool mute;               /**< The partner is not heard; or the microphone is not. */
};

enum ax_pipeline_event_kind {
    AX_PIPELINE_KEY_DOWN = 1, /**< `index`: leg, `key` */
    AX_PIPELINE_KEY_UP = 2,   /**< `value`: ms that it was down. */
    AX_PIPELINE_TALK = 3,     /**< Somebody began to talk at the microphone. */
    AX_PIPELINE_QUIET = 4,
    AX_PIPELINE_RISE = 5,     /**< The microphone's level came to the threshold; `value`: the level, 0 .. 100. */
    AX_PIPELINE_FALL = 6,
    AX_PIPELINE_ENDED = 7,    /**< What was played at `index` is over; `serial`: of the command that began it. */
};

struct ax_pipeline_event {
    uint64_t t_ns;
    uint64_t serial;
    uint32_t kind;
    uint32_t index;
    uint32_t value;
    char key;
};

struct ax_pipeline_stats {
    uint64_t steps;
    uint64_t events_lost; /**< There was no room for them. */
    float mic_db, near_db, speaker_db; /**< Power of the last frame, dBFS: microphone, what the legs hear of it, loudspeaker. */
    float level;      /**< Of the microphone, 0 .. 100. */
    float erle_db, echo_delay_ms, drift_ppm; /**< Of the echo canceller, every 100 ms; delay -1: not known. */
    float gain_db;    /**< Of the gain control. */
    float volume_db, noise_db; /**< Of the volume control; the noise that it heard. */
    uint32_t talking; /**< Somebody talks at the microphone. */
    uint32_t legs;    /**< Bit k: there is a leg k. */
    struct ax_leg_stats leg[AX_PIPELINE_LEGS];
};

struct ax_pipeline;

/** AX_E_ARG, AX_E_RANGE, AX_E_NOMEM. */
int ax_pipeline_new(struct ax_pipeline **out, const struct ax_pipeline_spec *spec);
/** Legs, tones and samples stay the caller's. */
void ax_pipeline_free(struct ax_pipeline *p);

uint32_t ax_pipeline_rate(const struct ax_pipeline *p);
uint32_t ax_pipeline_frame(const struct ax_pipeline *p);
/** Samples from microphone to legs, and from legs to loudspeaker, without what the legs add. */
uint32_t ax_pipeline_near_latency(const struct ax_pipeline *p);
uint32_t ax_pipeline_far_latency(const struct ax_pipeline *p);

/** A command for the next step. `*serial` is its number, 1 for the first. AX_E_RANGE, AX_E_FULL. */
int ax_pipeline_put(struct ax_pipeline *p, const struct ax_pipeline_command *command, uint64_t *serial);
/** Commands up to this number are obeyed: what they put in the place of something else is not used any more. */
uint64_t ax_pipeline_done(const struct ax_pipeline *p);
/** Serial of what plays at `index`; 0: nothing, or not yet. */
uint64_t ax_pipeline_playing(const struct ax_pipeline *p, uint32_t index);
/** Events ever told. The thread that steps. */
uint64_t ax_pipeline_told(const struct ax_pipeline *p);
/** The oldest event: 1, or 0 when there is none. */
int ax_pipeline_event(struct ax_pipeline *p, struct ax_pipeline_event *out);

/** 10 ms. Gives the number of packets that legs completed. */
int ax_pipeline_step(struct ax_pipeline *p, uint64_t now_ns, const int16_t *mic, int16_t *speaker);
/** As of the end of the last step. */
void ax_pipeline_get(const struct ax_pipeline *p, struct ax_pipeline_stats *out);

#endif
