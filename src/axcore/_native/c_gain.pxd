from libc.stdint cimport int16_t, uint8_t, uint32_t


cdef extern from "ax/limit.h" nogil:
    struct ax_limit:
        pass

    int ax_limit_new(ax_limit **out, uint32_t rate, float ceiling)
    void ax_limit_free(ax_limit *l)
    void ax_limit_reset(ax_limit *l)
    uint32_t ax_limit_latency(const ax_limit *l)
    uint32_t ax_limit_frame(const ax_limit *l)
    int ax_limit_i16(ax_limit *l, const int16_t *source, int16_t *out)
    int ax_limit_f32(ax_limit *l, const float *source, float *out)
    int ax_limit_mix(ax_limit *l, const int16_t **sources, const float *gains, size_t n, int16_t *out)


cdef extern from "ax/agc.h" nogil:
    struct ax_agc:
        pass

    struct ax_agc_spec:
        uint32_t rate
        float target_db
        float most_db
        float least_db

    int ax_agc_new(ax_agc **out, const ax_agc_spec *spec)
    void ax_agc_free(ax_agc *a)
    void ax_agc_reset(ax_agc *a)
    uint32_t ax_agc_frame(const ax_agc *a)
    uint32_t ax_agc_latency(const ax_agc *a)
    float ax_agc_gain_db(const ax_agc *a)
    int ax_agc_i16(ax_agc *a, const int16_t *source, int16_t *out)
    int ax_agc_f32(ax_agc *a, const float *source, float *out)

    struct ax_avc:
        pass

    struct ax_avc_spec:
        uint32_t rate
        float quiet_db
        float most_db
        float slope

    int ax_avc_new(ax_avc **out, const ax_avc_spec *spec)
    void ax_avc_free(ax_avc *a)
    void ax_avc_reset(ax_avc *a)
    uint32_t ax_avc_frame(const ax_avc *a)
    uint32_t ax_avc_latency(const ax_avc *a)
    float ax_avc_gain_db(const ax_avc *a)
    float ax_avc_noise_db(const ax_avc *a)
    int ax_avc_ambient(ax_avc *a, const int16_t *mic)
    int ax_avc_play(ax_avc *a, const int16_t *source, int16_t *out)


cdef extern from "ax/level.h" nogil:
    struct ax_level:
        uint32_t frame
        float threshold
        float db
        bint above

    int ax_level_init(ax_level *l, uint32_t rate, float threshold)
    int ax_level_set(ax_level *l, float threshold)
    int ax_level_feed(ax_level *l, const int16_t *source)
    float ax_level_get(const ax_level *l)

    struct ax_vad:
        uint32_t frame
        float smooth
        float floor_db
        bint talks

    int ax_vad_init(ax_vad *v, uint32_t rate)
    int ax_vad_feed(ax_vad *v, const int16_t *source)


cdef extern from "ax/comfort.h" nogil:
    struct ax_comfort:
        float power

    int ax_comfort_init(ax_comfort *c, uint32_t seed)
    int ax_comfort_learn(ax_comfort *c, const int16_t *source, size_t n)
    int ax_comfort_render(ax_comfort *c, int16_t *out, size_t n)
    int ax_comfort_pack(const ax_comfort *c, uint8_t *out, size_t room)
    int ax_comfort_unpack(ax_comfort *c, const uint8_t *source, size_t n)
