from libc.stdint cimport int16_t, uint32_t


cdef extern from "ax/resample.h" nogil:
    struct ax_resample:
        pass

    int ax_resample_new(ax_resample **out, uint32_t source, uint32_t to, uint32_t taps)
    void ax_resample_free(ax_resample *r)
    void ax_resample_reset(ax_resample *r)
    uint32_t ax_resample_latency(const ax_resample *r)
    size_t ax_resample_count(const ax_resample *r, size_t n)
    int ax_resample_i16(ax_resample *r, const int16_t *source, size_t n, int16_t *out, size_t room)
    int ax_resample_f32(ax_resample *r, const float *source, size_t n, float *out, size_t room)
    int ax_resample_levels()
    const char *ax_resample_level_name(int level)
    int ax_resample_set_level(ax_resample *r, int level)
