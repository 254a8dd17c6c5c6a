from libc.stdint cimport int16_t


cdef extern from "ax/ns.h" nogil:
    struct ax_ns:
        pass

    struct ax_ns_spec:
        int rate
        float max_attenuation_db

    int ax_ns_new(ax_ns **out, const ax_ns_spec *spec)
    void ax_ns_free(ax_ns *n)
    void ax_ns_reset(ax_ns *n)
    int ax_ns_frame(const ax_ns *n)
    int ax_ns_latency(const ax_ns *n)
    int ax_ns_process_i16(ax_ns *n, const int16_t *samples, int16_t *out)
    int ax_ns_process_f32(ax_ns *n, const float *samples, float *out)
    float ax_ns_attenuation_db(const ax_ns *n)
    size_t ax_ns_size(const ax_ns *n)
    int ax_ns_set_level(ax_ns *n, int level)
