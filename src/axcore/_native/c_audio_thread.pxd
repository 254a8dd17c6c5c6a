from libc.stdint cimport int16_t, uint32_t, uint64_t

from .c_pipeline cimport ax_pipeline, ax_room


cdef extern from "ax/card.h" nogil:
    struct ax_card:
        pass

    struct ax_card_alsa:
        uint32_t rate
        const char *library
        const char *speaker
        const char *microphone

    int ax_card_open_room(ax_card **out, ax_room *room, uint32_t rate, uint32_t records)
    int ax_card_open_alsa(ax_card **out, const ax_card_alsa *config)
    void ax_card_close(ax_card *c)
    int ax_card_fd(const ax_card *c)
    int ax_card_talk(ax_card *c, const int16_t *frame)


cdef extern from "ax/audio_thread.h" nogil:
    struct ax_audio_thread_counters:
        uint64_t ticks, xruns, card_errors, late, busy_ns, worst_ns, last_ns, running

    struct ax_audio_carried:
        void (*receive)(void *context) noexcept nogil
        void (*send)(void *context) noexcept nogil
        void *context

    struct ax_audio_thread:
        pass

    int ax_audio_thread_new(ax_audio_thread **out, ax_pipeline *pipeline, ax_card *card, uint32_t fifo_priority)
    int ax_audio_thread_start(ax_audio_thread *t)
    void ax_audio_thread_stop(ax_audio_thread *t)
    void ax_audio_thread_free(ax_audio_thread *t)
    void ax_audio_thread_carry(ax_audio_thread *t, const ax_audio_carried *carried)
    int ax_audio_thread_packets_fd(const ax_audio_thread *t)
    int ax_audio_thread_events_fd(const ax_audio_thread *t)
    void ax_audio_thread_count(const ax_audio_thread *t, ax_audio_thread_counters *out)
