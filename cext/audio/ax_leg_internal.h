/* What the files of a leg share: its state, and the codecs as one pair of functions. Units, threads: as in ax/leg.h. */
#ifndef AX_LEG_INTERNAL_H
#define AX_LEG_INTERNAL_H

#include "ax/dtmf.h"
#include "ax/g722.h"
#include "ax/g726.h"
#include "ax/halfband.h"
#include "ax/jitter.h"
#include "ax/leg.h"
#include "ax/plc.h"
#include "ax/resample.h"
#include "ax/ring.h"

enum {
    LEG_FRAME_MOST = 480,
    LEG_PAST_MS = 40,   /* Sound that time stretching may look back at, */
    LEG_TURN_MS = 5,    /* and over which it crosses from one place to another. */
    LEG_RENDER_MS = 125 /* Longest that one answer of the jitter buffer sounds, and more than twice the longest packet. */
};

/* A packet in a queue; its payload follows. */
struct leg_item {
    uint64_t arrived_ns;
    uint32_t size, ssrc, timestamp;
    uint16_t sequence;
    bool marker;
};

struct leg_codec {
    uint32_t codec, rate, clock;
    struct ax_g722 *g722;
    struct ax_g726 *g726;
};

struct ax_leg {
    struct ax_leg_spec spec;
    struct leg_codec decode, encode;
    uint32_t frame, codec_frame; /* Samples in 10 ms. */
    uint32_t most;
    struct ax_ring in, out;
    unsigned char *offered, *made; /* An item each: the producer's of `in`, and of `out`. */
    struct ax_jitter *jitter;      /* NULL: PCM. */
    struct ax_plc *plc;
    struct ax_dtmf *dtmf;          /* NULL: not asked for. */
    struct ax_resample *up, *down; /* NULL: the rates are the same, or one is twice the other: */
    struct ax_halfband twice, half;
    int16_t *sound;                /* LEG_PAST_MS that were played, then what is ready. */
    uint32_t past, ready, room;    /* Samples of each, and of all. */
    int16_t *rest;                 /* What is left of the packet that is being played. */
    uint32_t rest_n;
    int16_t *said;                 /* The packet that is being filled. */
    uint32_t said_n, timestamp;
    struct ax_leg_stats stats;
    atomic_ullong offers, refused; /* Of the thread that brings packets. */
};

/* The samples that come out of `size` octets, at most; and the octets of `n` samples. */
size_t leg_samples(const struct leg_codec *c, size_t size);
size_t leg_octets(const struct leg_codec *c, size_t n);
/* Give the samples or the octets that came out. */
size_t leg_decode(struct leg_codec *c, const uint8_t *in, size_t size, int16_t *out);
size_t leg_encode(struct leg_codec *c, const int16_t *in, size_t n, uint8_t *out);

/* `frame` holds n samples and has room for as many again; before it lie `past` samples that were played. Makes it longer or
 * shorter by about `wanted` samples: by a whole number of periods of the sound where it has some. Shorter by no more than
 * that; longer by no less, unless twice as long is wanted. Gives the new length. */
size_t leg_stretch(int16_t *frame, size_t n, size_t past, uint32_t rate, int wanted);

#endif
