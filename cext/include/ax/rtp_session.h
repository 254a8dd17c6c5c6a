/* One RTP stream each way (RFC 3550): pacing and numbering of what is sent, who is listened to, loss and jitter of what is
 * received (appendices A.1, A.3, A.8), and when RTCP goes out and says what (sections 6.3, 6.4).
 *
 * Sans-I/O: bytes and time go in, bytes and verdicts come out. Random start values are the caller's (`seed` from the
 * system's random source).
 * Units: bytes; ns, monotonic; `ntp` is 32.32 seconds since 1900 (wall clock); ticks of the payload's clock. Threads: one.
 * Allocation: none; the caller owns the struct. */
#ifndef AX_RTP_SESSION_H
#define AX_RTP_SESSION_H

#include "ax/rtcp.h"
#include "ax/rtp.h"
#include "ax/rtp_event.h"

#define AX_RTP_PROBATION 2          /**< Packets in sequence before a new source is believed. */
#define AX_RTP_MAX_DROPOUT 3000
#define AX_RTP_MAX_MISORDER 100
#define AX_RTP_SILENT_NS 2000000000 /**< No packet for so long: state SILENT. */
#define AX_RTP_CNAME 64
#define AX_RTP_SR_KEPT 4

enum ax_rtp_state {
    AX_RTP_IDLE = 0,   /**< Nothing came yet. */
    AX_RTP_ACTIVE = 1,
    AX_RTP_SILENT = 2, /**< Nothing came for AX_RTP_SILENT_NS. */
    AX_RTP_ENDED = 3,  /**< The source said goodbye; a new one may follow. */
};

enum ax_rtp_verdict {
    AX_RTP_TAKE = 0,       /**< Media: give the payload to the jitter buffer. */
    AX_RTP_TAKE_EVENT = 1, /**< A telephone event: give it to ax_rtp_keys_feed. */
    AX_RTP_TAKE_RTCP = 2,  /**< RTCP, already worked in. */
    AX_RTP_DROP_FORMAT = 3,
    AX_RTP_DROP_TYPE = 4,   /**< A payload type that was not agreed. */
    AX_RTP_DROP_SOURCE = 5, /**< Another address or SSRC, not (yet) believed. */
    AX_RTP_DROP_JUMP = 6,   /**< A sequence number far off, not (yet) believed. */
    AX_RTP_DROP_LOOP = 7,   /**< Our own SSRC. */
    AX_RTP_DROP_OTHER = 8,  /**< Neither RTP nor RTCP. */
    AX_RTP_VERDICT_END,
};

struct ax_rtp_config {
    uint64_t seed;         /**< Random. */
    uint64_t remote;       /**< Whatever stands for the address of the peer; 0: the first that is believed. */
    uint32_t ssrc;         /**< Ours; 0: from the seed. */
    uint32_t rate;         /**< Ticks a second, 1000..192000. */
    uint32_t frame;        /**< Ticks of a packet, 1..rate. */
    uint32_t rtcp_ms;      /**< Mean interval of reports, 100..60000; 0: no RTCP is sent. */
    uint8_t payload_type;  /**< Of media, both ways. */
    uint8_t event_type;    /**< Of telephone events; 255: none. */
    char cname[AX_RTP_CNAME];
};

struct ax_rtp_stats {
    uint64_t sent, sent_bytes, skipped; /**< skipped: frames left out because the sender was late. */
    uint64_t taken, taken_bytes;
    uint64_t verdicts[AX_RTP_VERDICT_END];
    uint64_t duplicates, reordered, restarts;
    int64_t lost;       /**< Expected minus received. */
    uint32_t jitter;    /**< Ticks, RFC 3550 6.4.1. */
    uint32_t rtt_us;    /**< 0: not known. */
    uint8_t remote_fraction; /**< What the peer last said of our stream, 1/256. */
    int32_t remote_lost;
    uint32_t remote_jitter;
};

/** The believed source. Read only for callers. */
struct ax_rtp_source {
    uint64_t heard_ns;
    uint64_t recent; /**< Bit i: highest - i was received. */
    uint32_t ssrc, candidate;
    uint32_t cycles, base, received, expected_before, received_before;
    uint32_t transit, jitter16; /**< jitter in 1/16 ticks */
    uint32_t bad;               /**< Next sequence number of a jump that may be a restart; 2^16 + 1: none. */
    uint32_t sr_middle;         /**< Middle bits of the last SR's NTP time; 0: none. */
    uint64_t sr_ns;
    uint64_t remote;
    uint16_t highest, next;     /**< next: expected of the candidate. */
    uint8_t known, probation, ended;
};

struct ax_rtp_session {
    struct ax_rtp_config config;
    struct ax_rtp_stats stats;
    struct ax_rtp_source source;
    uint64_t random;
    uint64_t start_ns, frames; /**< Frame k is due at start + k * frame / rate. */
    uint64_t rtcp_ns;          /**< Next report. */
    uint64_t reported;         /**< stats.sent at the last report. */
    struct {
        uint64_t t_ns;
        uint32_t middle;
    } sent_sr[AX_RTP_SR_KEPT]; /**< Our last reports, for the round trip. */
    uint32_t timestamp;        /**< Of frame 0. */
    uint32_t last_timestamp;
    uint64_t last_ns;
    uint16_t sequence;
    uint8_t started, talk, rtcp_started, next_sr;
};

/** AX_OK or AX_E_RANGE. */
int ax_rtp_session_init(struct ax_rtp_session *s, const struct ax_rtp_config *config);
enum ax_rtp_state ax_rtp_session_state(const struct ax_rtp_session *s, uint64_t now_ns);

/** When the next frame is due; 0 before the first. */
uint64_t ax_rtp_session_due(const struct ax_rtp_session *s);
/** The packet of the frame that is due: its size; 0 when it is not due yet; AX_E_FULL, AX_E_RANGE. A sender that is more
 * than 4 frames late leaves frames out, so that the receiver is not flooded. `payload` NULL: silence, the frame passes
 * and the next packet carries the marker. */
int ax_rtp_session_send(struct ax_rtp_session *s, const uint8_t *payload, size_t n, uint64_t now_ns, uint8_t *out, size_t cap);
/** Timestamp of the frame that is due: where a key begins. */
uint32_t ax_rtp_session_timestamp(const struct ax_rtp_session *s);
/** As ax_rtp_session_send, with a telephone event in place of media. AX_E_STATE without an agreed event type. */
int ax_rtp_session_send_event(struct ax_rtp_session *s, struct ax_rtp_press *press, uint64_t now_ns, uint8_t *out,
                              size_t cap);

/** As ax_rtp_session_send and ..._send_event, but the caller's clock is the pace: the frame is due now. */
int ax_rtp_session_pack(struct ax_rtp_session *s, const uint8_t *payload, size_t n, uint64_t now_ns, uint8_t *out, size_t cap);
int ax_rtp_session_pack_event(struct ax_rtp_session *s, struct ax_rtp_press *press, uint64_t now_ns, uint8_t *out, size_t cap);
/** So many frames pass without a packet; the next packet of media carries the marker. */
void ax_rtp_session_skip(struct ax_rtp_session *s, uint32_t frames);

/** From now on `remote` alone is believed (0: the first); who was heard before is forgotten. */
void ax_rtp_session_pin(struct ax_rtp_session *s, uint64_t remote);
/** One datagram from `remote` (for RTCP on a port of its own: the remote of its RTP). `packet` is filled for AX_RTP_TAKE and AX_RTP_TAKE_EVENT. */
enum ax_rtp_verdict ax_rtp_session_receive(struct ax_rtp_session *s, uint64_t remote, const uint8_t *data, size_t n,
                                           uint64_t now_ns, struct ax_rtp_packet *packet);

/** When ax_rtp_session_report should be called; UINT64_MAX: never. */
uint64_t ax_rtp_session_report_due(const struct ax_rtp_session *s);
/** A report (SR when we sent since the last, else RR) with the CNAME; with `bye`, a goodbye, at once. Its size, 0 when
 * not due, or an error. */
int ax_rtp_session_report(struct ax_rtp_session *s, uint64_t now_ns, uint64_t ntp, const char *bye, uint8_t *out, size_t cap);

#endif
