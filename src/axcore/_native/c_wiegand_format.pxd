from libc.stdint cimport uint8_t, uint16_t, uint64_t


cdef extern from "ax/wiegand_format.h" nogil:
    const int AX_WIEGAND_RUNS
    const int AX_WIEGAND_RULES
    const int AX_WIEGAND_FIELDS
    const int AX_WIEGAND_FACILITY
    const int AX_WIEGAND_CARD
    const int AX_WIEGAND_ISSUE
    const int AX_WIEGAND_OEM
    const int AX_WIEGAND_BCD

    struct ax_wiegand_run:
        uint8_t at
        uint8_t len

    struct ax_wiegand_field:
        uint64_t max
        uint8_t runs
        ax_wiegand_run run[16]

    struct ax_wiegand_rule:
        uint64_t mask
        uint8_t at
        uint8_t odd

    struct ax_wiegand_format:
        const char *name
        const char *title
        uint64_t fixed_mask
        uint64_t fixed
        ax_wiegand_field field[4]
        ax_wiegand_rule rule[8]
        uint8_t bits
        uint8_t rules
        uint8_t encoding
        uint8_t unconfirmed
        uint16_t oem_default

    struct ax_wiegand_card:
        uint64_t value[4]

    int ax_wiegand_format_count()
    const ax_wiegand_format *ax_wiegand_format_get(int index)
    int ax_wiegand_format_check(const ax_wiegand_format *format)
    int ax_wiegand_format_encode(const ax_wiegand_format *format, const ax_wiegand_card *card, uint64_t *frame)
    int ax_wiegand_format_decode(const ax_wiegand_format *format, uint64_t frame, unsigned nbits, ax_wiegand_card *card)
    int ax_wiegand_identify(uint64_t frame, unsigned nbits, uint8_t *out, size_t cap)


cdef extern from "Python.h":
    # Without Cython's own check, which would raise: the caller looks at the error and forgets it.
    unsigned long long long_as_u64 "PyLong_AsUnsignedLongLong"(object value) noexcept
