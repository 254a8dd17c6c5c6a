from libc.stdint cimport int16_t, uint32_t, uint64_t


cdef extern from "ax/dtmf.h" nogil:
    struct ax_dtmf_event:
        uint64_t at
        uint32_t duration
        char key

    struct ax_dtmf:
        pass

    int ax_dtmf_new(ax_dtmf **out, uint32_t rate)
    void ax_dtmf_free(ax_dtmf *d)
    void ax_dtmf_reset(ax_dtmf *d)
    int ax_dtmf_feed(ax_dtmf *d, const int16_t *source, size_t n, ax_dtmf_event *out, size_t room)
    char ax_dtmf_key(const ax_dtmf *d)


cdef extern from "ax/tone.h" nogil:
    enum:
        AX_TONE_SEGMENTS
        AX_TONE_SINES

    struct ax_tone_segment:
        uint32_t duration_us
        uint32_t mhz[4]
        float amplitude[4]

    struct ax_tone:
        pass

    int ax_tone_new(ax_tone **out, const ax_tone_segment *segments, size_t n, bint repeat, uint32_t rate)
    void ax_tone_free(ax_tone *t)
    uint64_t ax_tone_length(const ax_tone *t)
    int ax_tone_render(const ax_tone *t, uint64_t pos, int16_t *out, size_t n)
