from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "ax/jitter.h" nogil:
    struct ax_jitter_config:
        uint32_t rate
        uint32_t frame
        uint32_t slots
        uint32_t max_payload
        uint32_t min_delay_ms
        uint32_t max_delay_ms
        uint8_t stretch
        uint32_t tick_us

    struct ax_jitter_packet:
        const uint8_t *payload
        uint32_t size
        uint32_t ssrc
        uint32_t timestamp
        uint16_t sequence
        uint8_t payload_type
        uint8_t marker

    struct ax_jitter_out:
        const uint8_t *payload
        uint32_t size
        uint32_t play
        uint32_t ticks
        uint32_t rest
        uint32_t timestamp
        uint32_t delay_us
        uint16_t sequence
        uint8_t payload_type
        uint8_t kind

    struct ax_jitter_stats_t "ax_jitter_stats":
        uint64_t put
        uint64_t late
        uint64_t duplicates
        uint64_t reordered
        uint64_t strange
        uint64_t restarts
        uint64_t overflow
        uint64_t frames
        uint64_t longer
        uint64_t shorter
        uint64_t lost
        uint64_t concealed_ticks
        uint64_t played_ticks
        uint64_t waits

    struct ax_jitter:
        pass

    int ax_jitter_new(ax_jitter **out, const ax_jitter_config *config)
    void ax_jitter_free(ax_jitter *j)
    void ax_jitter_reset(ax_jitter *j)
    int ax_jitter_put(ax_jitter *j, const ax_jitter_packet *packet, uint64_t now_ns)
    void ax_jitter_get_ahead(ax_jitter *j, uint64_t now_ns, uint64_t ahead_ns, ax_jitter_out *out)
    const ax_jitter_stats_t *ax_jitter_stats(const ax_jitter *j)
    uint32_t ax_jitter_target_us(const ax_jitter *j)
    uint32_t ax_jitter_held(const ax_jitter *j)
