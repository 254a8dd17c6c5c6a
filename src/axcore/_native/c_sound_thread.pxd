from libc.stdint cimport int16_t, uint8_t, uint32_t, uint64_t

from .c_siren cimport ax_siren


cdef extern from "ax/sound_mixer.h" nogil:
    struct ax_sound_clip:
        const int16_t *samples
        uint32_t n
        uint32_t times
        float gain
        uint64_t serial


cdef extern from "ax/sound_thread.h" nogil:
    struct ax_sound_thread_config:
        uint32_t rate
        uint32_t block
        uint32_t records
        uint32_t fifo_priority
        const char *tap_path
        const char *device
        const char *library
        const char *name

    struct ax_sound_thread_counters:
        uint64_t blocks
        uint64_t missed
        uint64_t card_errors
        uint64_t tap_errors

    struct ax_sound_thread:
        pass

    int ax_sound_thread_new(ax_sound_thread **out, const ax_sound_thread_config *config)
    int ax_sound_thread_start(ax_sound_thread *t)
    void ax_sound_thread_without_card(ax_sound_thread *t)
    void ax_sound_thread_stop(ax_sound_thread *t)
    void ax_sound_thread_free(ax_sound_thread *t)
    int ax_sound_thread_play(ax_sound_thread *t, const ax_siren *tone, uint8_t intensity, uint64_t epoch_ns,
                             uint64_t *serial)
    int ax_sound_thread_play_clip(ax_sound_thread *t, const ax_sound_clip *clip, uint64_t *serial)
    uint64_t ax_sound_thread_clips_released(const ax_sound_thread *t)
    uint64_t ax_sound_thread_released(const ax_sound_thread *t)
    int ax_sound_thread_fd(const ax_sound_thread *t)
    void ax_sound_thread_count(const ax_sound_thread *t, ax_sound_thread_counters *out)
