from libc.stdint cimport uint16_t, uint32_t, uint64_t

from .c_wiegand cimport ax_edge


cdef extern from "ax/wiegand_out.h" nogil:
    const int AX_WIEGAND_MAX_PIN

    struct ax_wiegand_timing:
        uint32_t pulse_ns
        uint32_t interval_ns
        uint32_t gap_ns

    struct ax_wiegand_bits:
        uint64_t bits
        uint16_t nbits

    enum ax_wiegand_keypress:
        AX_WIEGAND_FOUR_BIT
        AX_WIEGAND_EIGHT_ZERO
        AX_WIEGAND_EIGHT_INVERT
        AX_WIEGAND_PIN26
        AX_WIEGAND_PIN34
        AX_WIEGAND_PIN37
        AX_WIEGAND_PIN37_FACILITY
        AX_WIEGAND_KEYPRESS_END

    int ax_wiegand_schedule(const ax_wiegand_timing *timing, uint64_t t_ns, const uint64_t *bits, unsigned nbits,
                            ax_edge *out, size_t cap, uint64_t *next_ns)
    int ax_wiegand_key_decode(uint64_t frame, unsigned nbits)
    int ax_wiegand_pin(ax_wiegand_keypress mode, uint64_t facility, const char *pin, size_t n, ax_wiegand_bits *out,
                       size_t cap)
