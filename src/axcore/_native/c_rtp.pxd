from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "ax/rtp.h" nogil:
    const int AX_RTP_MAX_PACKET

    struct ax_rtp_packet:
        uint32_t timestamp
        uint32_t ssrc
        uint16_t sequence
        uint16_t payload_at
        uint16_t payload_size
        uint16_t extension_at
        uint16_t extension_size
        uint16_t extension_profile
        uint8_t payload_type
        uint8_t marker
        uint8_t csrc_count
        uint8_t padding

    struct ax_rtp_element:
        const uint8_t *data
        uint8_t id
        uint8_t size

    int ax_rtp_parse(const uint8_t *data, size_t n, ax_rtp_packet *out)
    uint32_t ax_rtp_csrc(const uint8_t *data, unsigned i)
    int ax_rtp_build(uint8_t *out, size_t cap, ax_rtp_packet *head, const uint32_t *csrc, const uint8_t *extension,
                     const uint8_t *payload)
    int ax_rtp_element_next(const uint8_t *body, size_t size, uint16_t profile, size_t *at, ax_rtp_element *out)
    int ax_rtp_element_put(uint8_t *body, size_t cap, uint16_t profile, size_t *at, uint8_t id, const uint8_t *data,
                           size_t n)


cdef extern from "ax/rtcp.h" nogil:
    struct ax_rtcp_block:
        const uint8_t *body
        uint32_t size
        uint8_t type
        uint8_t count

    struct ax_rtcp_sender:
        uint64_t ntp
        uint32_t timestamp
        uint32_t packets
        uint32_t octets

    struct ax_rtcp_report:
        uint32_t ssrc
        uint32_t highest
        uint32_t jitter
        uint32_t lsr
        uint32_t dlsr
        int32_t lost
        uint8_t fraction

    struct ax_rtcp_item:
        const uint8_t *data
        uint32_t ssrc
        uint8_t type
        uint8_t size

    struct ax_rtcp_compound:
        uint32_t ssrc
        const ax_rtcp_sender *sender
        const ax_rtcp_report *reports
        uint32_t nreports
        const char *cname
        const char *bye

    int ax_rtcp_check(const uint8_t *data, size_t n, int reduced)
    int ax_rtcp_next(const uint8_t *data, size_t n, size_t *at, ax_rtcp_block *out)
    int ax_rtcp_speaker(const ax_rtcp_block *block, uint32_t *ssrc, ax_rtcp_sender *sender)
    int ax_rtcp_report_get "ax_rtcp_report"(const ax_rtcp_block *block, unsigned i, ax_rtcp_report *out)
    int ax_rtcp_leaving(const ax_rtcp_block *block, unsigned i, uint32_t *ssrc)
    int ax_rtcp_reason(const ax_rtcp_block *block, const uint8_t **reason)
    int ax_rtcp_item_next(const ax_rtcp_block *block, size_t *at, ax_rtcp_item *item)
    int ax_rtcp_build(uint8_t *out, size_t cap, const ax_rtcp_compound *what)


cdef extern from "ax/rtp_event.h" nogil:
    const int AX_RTP_KEY_PRESS

    struct ax_rtp_key:
        uint64_t t_ns
        uint32_t timestamp
        uint32_t duration
        uint8_t event
        uint8_t volume
        uint8_t phase
        uint8_t lost_end

    struct ax_rtp_key_stats:
        uint64_t packets
        uint64_t repeated
        uint64_t foreign
        uint64_t malformed

    struct ax_rtp_keys:
        ax_rtp_key_stats stats

    struct ax_rtp_press:
        uint8_t active

    void ax_rtp_keys_reset(ax_rtp_keys *keys)
    int ax_rtp_keys_feed(ax_rtp_keys *keys, uint32_t ssrc, uint32_t timestamp, const uint8_t *payload, size_t n,
                         uint64_t now_ns, ax_rtp_key *out)
    int ax_rtp_keys_poll(ax_rtp_keys *keys, uint64_t now_ns, ax_rtp_key *out)
    int ax_rtp_press_start(ax_rtp_press *press, uint8_t event, uint8_t volume, uint32_t timestamp, uint32_t duration)


cdef extern from "ax/rtp_session.h" nogil:
    const int AX_RTP_TAKE
    const int AX_RTP_TAKE_EVENT

    struct ax_rtp_config:
        uint64_t seed
        uint64_t remote
        uint32_t ssrc
        uint32_t rate
        uint32_t frame
        uint32_t rtcp_ms
        uint8_t payload_type
        uint8_t event_type
        char cname[64]

    struct ax_rtp_stats:
        uint64_t sent
        uint64_t sent_bytes
        uint64_t skipped
        uint64_t taken
        uint64_t taken_bytes
        uint64_t verdicts[9]
        uint64_t duplicates
        uint64_t reordered
        uint64_t restarts
        int64_t lost
        uint32_t jitter
        uint32_t rtt_us
        uint8_t remote_fraction
        int32_t remote_lost
        uint32_t remote_jitter

    struct ax_rtp_session:
        ax_rtp_config config
        ax_rtp_stats stats

    int ax_rtp_session_init(ax_rtp_session *s, const ax_rtp_config *config)
    int ax_rtp_session_state(const ax_rtp_session *s, uint64_t now_ns)
    uint64_t ax_rtp_session_due(const ax_rtp_session *s)
    int ax_rtp_session_send(ax_rtp_session *s, const uint8_t *payload, size_t n, uint64_t now_ns, uint8_t *out, size_t cap)
    uint32_t ax_rtp_session_timestamp(const ax_rtp_session *s)
    int ax_rtp_session_send_event(ax_rtp_session *s, ax_rtp_press *press, uint64_t now_ns, uint8_t *out, size_t cap)
    int ax_rtp_session_receive(ax_rtp_session *s, uint64_t remote, const uint8_t *data, size_t n, uint64_t now_ns,
                               ax_rtp_packet *packet)
    uint64_t ax_rtp_session_report_due(const ax_rtp_session *s)
    int ax_rtp_session_report(ax_rtp_session *s, uint64_t now_ns, uint64_t ntp, const char *bye, uint8_t *out, size_t cap)
