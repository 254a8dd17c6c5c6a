from libc.stdint cimport int16_t

from .c_ns cimport ax_ns


cdef extern from "ax/aec.h" nogil:
    struct ax_aec:
        pass

    enum ax_aec_mode:
        AX_AEC_FULL
        AX_AEC_FILTER

    struct ax_aec_spec:
        int rate
        int tail_ms
        int mode

    struct ax_aec_status:
        float erle_db
        float delay_ms
        float drift_ppm
        int talking

    int ax_aec_new(ax_aec **out, const ax_aec_spec *spec)
    void ax_aec_free(ax_aec *a)
    void ax_aec_reset(ax_aec *a)
    int ax_aec_frame(const ax_aec *a)
    int ax_aec_latency(const ax_aec *a)
    int ax_aec_process_i16(ax_aec *a, const int16_t *mic, const int16_t *ref, int16_t *out)
    int ax_aec_process_f32(ax_aec *a, const float *mic, const float *ref, float *out)
    int ax_aec_chain(ax_aec *a, ax_ns *n)
    void ax_aec_get(const ax_aec *a, ax_aec_status *out)
    size_t ax_aec_size(const ax_aec *a)
    int ax_aec_levels()
    const char *ax_aec_level_name(int level)
    int ax_aec_set_level(ax_aec *a, int level)
