/* Adaptive jitter buffer for packets of audio: what to play now, a frame, a frame stretched, or a concealment.
 *
 * Sans-I/O. The buffer is pulled: the caller asks at the moment it needs sound, renders `play` ticks of what it is told,
 * and asks again when they are over. A rendered length other than the frame's own is time stretching, by which the delay
 * moves between the frames (Liang, Faerber, Girod, "Adaptive playout scheduling and loss concealment for voice over IP",
 * IEEE Trans. Multimedia 5(4), 2003: single packets from half to double length). The delay that is aimed at is the one
 * with the least impairment by the E-model (ITU-T G.107): what delay costs against what late packets cost, by the delays
 * of the last seconds. Delays count from the fastest packet of the last seconds, so that the drift of a sender's clock
 * moves the whole scale and needs no handling of its own. A frame is played in parts, so that what is left of it can still
 * be stretched when the next one is missed meanwhile.
 *
 * Units: ns, monotonic; ticks of the payload's clock; bytes. Threads: one. Allocation: in new; bounded by slots times
 * max_payload. */
#ifndef AX_JITTER_H
#define AX_JITTER_H

#include <stddef.h>
#include <stdint.h>

#define AX_JITTER_MAX_SLOTS 1024
#define AX_JITTER_MAX_PAYLOAD 8192

enum ax_jitter_kind {
    AX_JITTER_WAIT = 0,    /**< Nothing to say yet or between words: silence or comfort noise. */
    AX_JITTER_FRAME = 1,   /**< A frame in its own length. */
    AX_JITTER_STRETCH = 2, /**< A frame, rendered in `play` ticks instead of `ticks`. */
    AX_JITTER_CONCEAL = 3, /**< Nothing is here: conceal from what was played before. */
    AX_JITTER_REST = 4,    /**< The next `ticks` of the frame that is being played, in `play`. */
};

enum ax_jitter_put {
    AX_JITTER_STORED = 0,
    AX_JITTER_LATE = 1,      /**< Its time is over; dropped. */
    AX_JITTER_DUPLICATE = 2, /**< Dropped. */
    AX_JITTER_STRANGE = 3,   /**< A far sequence number or another source, not yet believed; dropped. */
    AX_JITTER_RESTARTED = 4, /**< Stored; another source or a restart, and what was held is gone. */
};

struct ax_jitter_config {
    uint32_t rate;         /**< Ticks a second, 1000..192000. */
    uint32_t frame;        /**< Ticks of a packet until it is learnt, 1..rate / 8. */
    uint32_t slots;        /**< Packets held at most, a power of two, 16..AX_JITTER_MAX_SLOTS. */
    uint32_t max_payload;  /**< Bytes, 1..AX_JITTER_MAX_PAYLOAD. */
    uint32_t min_delay_ms; /**< 0..max_delay_ms */
    uint32_t max_delay_ms; /**< ..2000; what is later is dropped. */
    uint8_t stretch;       /**< 1: frames may be stretched; 0: the delay moves by whole concealments and pauses only. */
    uint32_t tick_us;      /**< The caller makes sound in steps of this length, 0..50000 (ax_jitter_get_ahead); 0: at any time. */
};

struct ax_jitter_packet {
    const uint8_t *payload;
    uint32_t size;
    uint32_t ssrc;
    uint32_t timestamp;
    uint16_t sequence;
    uint8_t payload_type;
    uint8_t marker;
};

struct ax_jitter_out {
    const uint8_t *payload; /**< Valid until the next put or get; NULL unless FRAME or STRETCH. */
    uint32_t size;
    uint32_t play;      /**< Ticks to render; never 0. */
    uint32_t ticks;     /**< What of the frame this is, in its own length. */
    uint32_t rest;      /**< Ticks of the frame that are left for the next answers. */
    uint32_t timestamp;
    uint32_t delay_us;  /**< Delay of this frame over the fastest packet. */
    uint16_t sequence;
    uint8_t payload_type;
    uint8_t kind;       /**< ax_jitter_kind */
};

struct ax_jitter_stats {
    uint64_t put, late, duplicates, reordered, strange, restarts;
    uint64_t overflow;  /**< Dropped from the old end because there was no room. */
    uint64_t frames;    /**< Played, stretched ones included. */
    uint64_t longer, shorter; /**< Stretched ones. */
    uint64_t lost;      /**< Never came, or came too late. */
    uint64_t concealed_ticks;
    uint64_t played_ticks;
    uint64_t waits;
};

struct ax_jitter;

/** AX_OK, AX_E_RANGE, AX_E_NOMEM. */
int ax_jitter_new(struct ax_jitter **out, const struct ax_jitter_config *config);
/** NULL is allowed. */
void ax_jitter_free(struct ax_jitter *j);
/** As new; counters stay. */
void ax_jitter_reset(struct ax_jitter *j);
/** A packet arrived. ax_jitter_put, or AX_E_RANGE: longer than max_payload. */
int ax_jitter_put(struct ax_jitter *j, const struct ax_jitter_packet *packet, uint64_t now_ns);
/** What to play from now on. */
void ax_jitter_get(struct ax_jitter *j, uint64_t now_ns, struct ax_jitter_out *out);
/** What to play from `ahead_ns` after now on, asked at a tick: a frame that comes before that moment and after now is too late
 * for it. So frames are made to begin with a tick, where they have waited least. */
void ax_jitter_get_ahead(struct ax_jitter *j, uint64_t now_ns, uint64_t ahead_ns, struct ax_jitter_out *out);
const struct ax_jitter_stats *ax_jitter_stats(const struct ax_jitter *j);
/** The delay that is aimed at, us over the fastest packet. */
uint32_t ax_jitter_target_us(const struct ax_jitter *j);
/** Packets held. */
uint32_t ax_jitter_held(const struct ax_jitter *j);

#endif
