/* A leg: one partner of a conversation, from packets to sound and back. Packets go through a jitter buffer (ax/jitter.h), a
 * decoder, loss concealment (ax/plc.h), time stretching and a rate converter to frames of 10 ms; frames go through a rate
 * converter and an encoder to packets. A leg of PCM carries frames as they are, for what lives in this process.
 *
 * Payloads after RFC 3551: PCMU, PCMA, G.722 (whose clock counts 8000 a second), G726-32, L16 (network byte order).
 *
 * Units: samples of 16 bits; ns of CLOCK_MONOTONIC; timestamps in ticks of the payload's clock. Threads: `hear` and `say`
 * belong to the thread of the pipeline; `offer` to one thread that brings packets, `take` to one that fetches them: between
 * them are bounded lock-free queues. Allocation: in new and free only. */
#ifndef AX_LEG_H
#define AX_LEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AX_LEG_PAYLOAD_MS 60 /**< Longest packet that is understood. */
#define AX_LEG_PACKETS 32    /**< Packets that may wait on either side. */
#define AX_LEG_KEYS 4        /**< Keys that one frame can tell of. */

enum ax_leg_codec {
    AX_LEG_PCM = 0, /**< Frames at the pipeline's rate, in this machine's byte order; no jitter buffer. */
    AX_LEG_PCMU = 1,
    AX_LEG_PCMA = 2,
    AX_LEG_G722 = 3,
    AX_LEG_G726 = 4,
    AX_LEG_L16 = 5,
    AX_LEG_CODEC_END,
};

struct ax_leg_spec {
    uint32_t rate;         /**< Of the pipeline: 8000, 16000, 32000 or 48000. */
    uint32_t codec;        /**< enum ax_leg_codec */
    uint32_t codec_rate;   /**< L16: 8000, 16000, 32000, 44100 or 48000. Of the other codecs it is known: 0. */
    uint32_t packet_ms;    /**< Of what is sent: 10 .. AX_LEG_PAYLOAD_MS in steps of 10; PCM: 10. */
    uint32_t min_delay_ms; /**< Of the jitter buffer. */
    uint32_t max_delay_ms; /**< min_delay_ms .. 2000 */
    bool keys;             /**< Listen for DTMF in what is heard. */
};

struct ax_leg_packet {
    const uint8_t *payload;
    uint32_t size;      /**< Bytes. */
    uint32_t ssrc;
    uint32_t timestamp;
    uint16_t sequence;
    bool marker;
};

struct ax_leg_key {
    char key;
    bool down;
    uint32_t ms; /**< How long it was down, once it is up. */
};

/** Rise only, but for the last four. */
struct ax_leg_stats {
    uint64_t offered, refused; /**< Packets that came; that found no room or were too long. */
    uint64_t late, lost;       /**< As the jitter buffer counts. */
    uint64_t concealed_ms;
    uint64_t stretched;        /**< Packets that were made longer or shorter. */
    uint64_t underruns;        /**< PCM: frames that were not there in time. */
    uint64_t made, dropped;    /**< Packets made; that nobody fetched in time. */
    uint32_t delay_ms;         /**< That the jitter buffer aims at. */
    uint32_t held;             /**< Packets that wait there. */
};

struct ax_leg;

/** AX_E_ARG, AX_E_RANGE (rate, codec, codec_rate, packet_ms, delays), AX_E_NOMEM. */
int ax_leg_new(struct ax_leg **out, const struct ax_leg_spec *spec);
void ax_leg_free(struct ax_leg *l);

/** Samples of the codec in a second, ticks of its clock in a second, most bytes of a payload. */
uint32_t ax_leg_codec_rate(const struct ax_leg *l);
uint32_t ax_leg_clock(const struct ax_leg *l);
uint32_t ax_leg_most(const struct ax_leg *l);
/** Ticks and bytes of a packet that it makes. */
uint32_t ax_leg_ticks(const struct ax_leg *l);
uint32_t ax_leg_octets(const struct ax_leg *l);

/** A packet came at `arrived_ns`. AX_E_FULL: no room; AX_E_RANGE: too long (PCM: not one frame). Either is counted. */
int ax_leg_offer(struct ax_leg *l, const struct ax_leg_packet *packet, uint64_t arrived_ns);
/** The oldest packet that was made: its bytes, 0 when there is none, or AX_E_FULL when `room` is too small (and it stays). */
int ax_leg_take(struct ax_leg *l, uint32_t *timestamp, uint8_t *out, size_t room);

/** The next 10 ms of what the partner says. Gives the keys in it (at most AX_LEG_KEYS). */
int ax_leg_hear(struct ax_leg *l, uint64_t now_ns, int16_t *out, struct ax_leg_key *keys);
/** 10 ms for the partner. Gives 1 when a packet became complete, else 0. */
int ax_leg_say(struct ax_leg *l, const int16_t *in);
/** Frames that `say` needs for the next packet, 1 or more. The pipeline's thread. */
uint32_t ax_leg_missing(const struct ax_leg *l);
/** The pipeline's thread. */
void ax_leg_get(const struct ax_leg *l, struct ax_leg_stats *out);

#endif
