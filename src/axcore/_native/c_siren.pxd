from libc.stdint cimport int16_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "ax/siren.h" nogil:
    const int AX_SIREN_VOICES
    const int AX_SIREN_SEGMENTS
    const int AX_SIREN_SETS
    const int AX_SIREN_PARTIALS
    const int AX_SIREN_INTENSITIES
    const int AX_SIREN_INTENSITY_DB
    const uint64_t AX_SIREN_ENDLESS
    const uint64_t AX_SIREN_MAX_POS

    struct ax_siren_segment:
        uint32_t duration_us
        uint32_t start_mhz
        uint32_t end_mhz
        uint32_t attack_us
        uint32_t release_us
        uint16_t peak
        uint8_t law
        uint8_t wave
        uint8_t set
        uint8_t release

    struct ax_siren_voice:
        const ax_siren_segment *segments
        uint32_t n

    struct ax_siren_program:
        const ax_siren_voice *voices
        uint32_t nvoices
        const float *sets
        uint32_t nsets

    struct ax_siren_clip:
        const int16_t *samples
        uint64_t start
        uint32_t n
        float gain
        bint repeat

    struct ax_siren_play:
        uint64_t end
        uint8_t intensity
        bint dither
        const ax_siren_clip *clip

    struct ax_siren:
        pass

    int ax_siren_new(ax_siren **tone, const ax_siren_program *program, uint32_t rate)
    void ax_siren_free(ax_siren *tone)
    uint64_t ax_siren_cycle(const ax_siren *tone)
    int ax_siren_render(const ax_siren *tone, const ax_siren_play *play, uint64_t pos, int16_t *out, size_t n)
    int ax_siren_render_float(const ax_siren *tone, const ax_siren_play *play, uint64_t pos, float *out, size_t n)
    int ax_siren_levels()
    const char *ax_siren_level_name(int level)
    int ax_siren_set_level(ax_siren *tone, int level)
