from libc.stdint cimport int16_t, uint8_t, uint32_t


cdef extern from "ax/g711.h" nogil:
    enum:
        AX_G711_MU
        AX_G711_A

    int ax_g711_encode(int law, const int16_t *source, size_t n, uint8_t *out)
    int ax_g711_decode(int law, const uint8_t *source, size_t n, int16_t *out)
    int ax_g711_levels()
    const char *ax_g711_level_name(int level)
    int ax_g711_set_level(int level)


cdef extern from "ax/g722.h" nogil:
    struct ax_g722:
        pass

    int ax_g722_new(ax_g722 **out)
    void ax_g722_free(ax_g722 *g)
    void ax_g722_reset(ax_g722 *g)
    int ax_g722_encode(ax_g722 *g, const int16_t *source, size_t n, uint8_t *out)
    int ax_g722_decode(ax_g722 *g, const uint8_t *source, size_t n, int16_t *out)


cdef extern from "ax/g726.h" nogil:
    struct ax_g726:
        pass

    int ax_g726_new(ax_g726 **out, bint aal2)
    void ax_g726_free(ax_g726 *g)
    void ax_g726_reset(ax_g726 *g)
    int ax_g726_encode(ax_g726 *g, const int16_t *source, size_t n, uint8_t *out)
    int ax_g726_decode(ax_g726 *g, const uint8_t *source, size_t n, int16_t *out)


cdef extern from "ax/plc.h" nogil:
    struct ax_plc:
        pass

    int ax_plc_new(ax_plc **out, uint32_t rate)
    void ax_plc_free(ax_plc *p)
    void ax_plc_reset(ax_plc *p)
    int ax_plc_good(ax_plc *p, int16_t *samples, size_t n)
    int ax_plc_lost(ax_plc *p, int16_t *out, size_t n)
