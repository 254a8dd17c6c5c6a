from libc.stdint cimport uint16_t, uint32_t, uint64_t


cdef extern from "ax/wiegand.h" nogil:
    const int AX_WIEGAND_MAX_BITS
    const uint64_t AX_NEVER

    struct ax_edge:
        uint64_t t_ns
        uint32_t line
        uint32_t level

    struct ax_wiegand_config:
        uint32_t min_pulse_ns
        uint32_t max_pulse_ns
        uint32_t glitch_ns
        uint32_t min_interval_ns
        uint32_t max_interval_ns
        uint32_t frame_gap_ns
        uint16_t min_bits
        uint16_t max_bits
        uint16_t expect_bits

    struct ax_wiegand_frame:
        uint64_t t_first_ns
        uint64_t t_last_ns
        uint64_t t_done_ns
        uint64_t bits[4]
        uint16_t nbits
        uint16_t result
        uint32_t glitches

    struct ax_wiegand:
        pass

    int ax_wiegand_new(ax_wiegand **out, const ax_wiegand_config *config)
    void ax_wiegand_free(ax_wiegand *w)
    void ax_wiegand_reset(ax_wiegand *w)
    int ax_wiegand_configure(ax_wiegand *w, const ax_wiegand_config *config)
    int ax_wiegand_feed(ax_wiegand *w, const ax_edge *edges, size_t n, ax_wiegand_frame *out, size_t cap,
                        size_t *consumed)
    int ax_wiegand_advance(ax_wiegand *w, uint64_t now_ns, ax_wiegand_frame *out)
    uint64_t ax_wiegand_ignored(const ax_wiegand *w)
    uint64_t ax_wiegand_deadline(const ax_wiegand *w)
