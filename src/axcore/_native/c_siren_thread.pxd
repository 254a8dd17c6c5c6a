from libc.stdint cimport uint8_t, uint32_t, uint64_t

from .c_siren cimport ax_siren


cdef extern from "ax/siren_thread.h" nogil:
    struct ax_siren_thread_config:
        uint32_t rate
        uint32_t block
        uint32_t records
        uint32_t fifo_priority
        const char *tap_path
        const char *device
        const char *library

    struct ax_siren_thread_counters:
        uint64_t blocks
        uint64_t missed
        uint64_t card_errors
        uint64_t tap_errors

    struct ax_siren_thread:
        pass

    int ax_siren_thread_new(ax_siren_thread **out, const ax_siren_thread_config *config)
    int ax_siren_thread_start(ax_siren_thread *t)
    void ax_siren_thread_without_card(ax_siren_thread *t)
    void ax_siren_thread_stop(ax_siren_thread *t)
    void ax_siren_thread_free(ax_siren_thread *t)
    int ax_siren_thread_play(ax_siren_thread *t, const ax_siren *tone, uint8_t intensity, uint64_t epoch_ns,
                             uint64_t *serial)
    uint64_t ax_siren_thread_released(const ax_siren_thread *t)
    int ax_siren_thread_fd(const ax_siren_thread *t)
    void ax_siren_thread_count(const ax_siren_thread *t, ax_siren_thread_counters *out)
