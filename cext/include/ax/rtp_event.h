/* Named telephone events in RTP (RFC 4733 section 2): keys received and sent.
 *
 * One key pressed is one press and one release, however often the end is repeated, lost or delivered twice, and however
 * many segments a long key has (section 2.5.1.3). The source is the SSRC of the first packet until reset; the session
 * above pins the address.
 * Units: durations in ticks of the event's clock; time in ns, monotonic. Threads: one. Allocation: none. */
#ifndef AX_RTP_EVENT_H
#define AX_RTP_EVENT_H

#include <stddef.h>
#include <stdint.h>

#define AX_RTP_EVENT_SIZE 4
#define AX_RTP_EVENT_ENDS 3                  /**< How often the end is sent. */
#define AX_RTP_EVENT_QUIET_NS 200000000      /**< A key whose end never came is released after this. */
#define AX_RTP_EVENT_KEYS 2                  /**< The most that one call tells. */

enum ax_rtp_key_phase {
    AX_RTP_KEY_PRESS = 1,
    AX_RTP_KEY_RELEASE = 2,
};

struct ax_rtp_key {
    uint64_t t_ns;      /**< When it was known. */
    uint32_t timestamp; /**< RTP timestamp of the press. */
    uint32_t duration;  /**< Ticks so far; at the release the whole. */
    uint8_t event;      /**< 0..15 are DTMF: 0-9, *, #, A-D; 16 is flash. */
    uint8_t volume;     /**< 0..63: -dBm0 */
    uint8_t phase;      /**< ax_rtp_key_phase */
    uint8_t lost_end;   /**< 1: released because nothing came any more. */
};

struct ax_rtp_key_stats {
    uint64_t packets;
    uint64_t repeated;  /**< Ends of keys that were released before, and copies. */
    uint64_t foreign;   /**< Of another source. */
    uint64_t malformed;
};

/** Receiver. Zero it, or ax_rtp_keys_reset, before use. */
struct ax_rtp_keys {
    struct ax_rtp_key_stats stats;
    uint64_t last_ns;
    uint32_t ssrc;
    uint32_t start;   /**< Timestamp of the press. */
    uint32_t segment; /**< Timestamp of the segment that goes on. */
    uint32_t before;  /**< Ticks of the segments before. */
    uint32_t duration;
    uint8_t event;
    uint8_t volume;
    uint8_t pinned; /**< `ssrc` is known. */
    uint8_t seen;   /**< A key was seen: `start` and `segment` are known. */
    uint8_t down;
};

/** Sender of one key after the other. Zero it before use. */
struct ax_rtp_press {
    uint32_t timestamp; /**< Of the packets of this segment. */
    uint32_t elapsed;   /**< Ticks of this segment told so far. */
    uint32_t left;      /**< Ticks until the end, what is told already not counted. */
    uint8_t event;
    uint8_t volume;
    uint8_t ends; /**< Ends that are still to be sent. */
    uint8_t first;
    uint8_t active;
};

/** Forget the source and the key. Counters stay. */
void ax_rtp_keys_reset(struct ax_rtp_keys *keys);
/** A payload of the event's payload type. Returns how many of `out` were filled, 0..2. Malformed ones are counted. */
int ax_rtp_keys_feed(struct ax_rtp_keys *keys, uint32_t ssrc, uint32_t timestamp, const uint8_t *payload, size_t n,
                     uint64_t now_ns, struct ax_rtp_key out[AX_RTP_EVENT_KEYS]);
/** Releases a key whose end was lost: 0 or 1. Call now and then. */
int ax_rtp_keys_poll(struct ax_rtp_keys *keys, uint64_t now_ns, struct ax_rtp_key *out);

/** Begin a key at `timestamp`. AX_E_RANGE: volume above 63 or no duration. AX_E_STATE: one is under way. */
int ax_rtp_press_start(struct ax_rtp_press *press, uint8_t event, uint8_t volume, uint32_t timestamp, uint32_t duration);
/** The payload of the next packet, `step` ticks after the last: 1 with *timestamp and *marker, 0 when all is sent. */
int ax_rtp_press_next(struct ax_rtp_press *press, uint32_t step, uint8_t payload[AX_RTP_EVENT_SIZE],
                      uint32_t *timestamp, uint8_t *marker);

#endif
