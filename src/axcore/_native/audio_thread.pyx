# Sound cards and the audio thread (cext/audio/ax_card.c, ax_card_alsa.c, ax_audio_thread.c); see audio_thread.pyi.
# Units: ns of CLOCK_MONOTONIC; 16-bit samples. GIL: released while a card is opened and closed and the thread started and
# stopped. Memory: a thread keeps its pipeline and its card; a card in a room keeps the room. Neither takes part in the search
# for cycles: what a running thread uses must not be cleared before the thread has ended.
cimport cython
from cpython.buffer cimport PyBuffer_Release
from libc.stdint cimport int16_t, uint32_t

import os

from axcore.errors import StateError

from .c_audio_thread cimport (
    ax_audio_thread, ax_audio_thread_count, ax_audio_thread_counters, ax_audio_thread_events_fd, ax_audio_thread_free,
    ax_audio_thread_new, ax_audio_thread_packets_fd, ax_audio_thread_start, ax_audio_thread_stop, ax_card,
    ax_card_alsa, ax_card_close, ax_card_fd, ax_card_open_alsa, ax_card_open_room, ax_card_talk,
)
from .err cimport ax_check
from .pcm cimport pcm_take
from .pipeline cimport Pipeline, Room


@cython.final
@cython.no_gc
cdef class Card:
    @staticmethod
    def in_room(Room room not None, uint32_t records=64):
        cdef Card card = Card.__new__(Card)
        ax_check(ax_card_open_room(&card._c, room._r, room.rate, records))
        card._room = room
        card.rate, card.frame = room.rate, room.frame
        return card

    @staticmethod
    def alsa(uint32_t rate, str speaker not None, str microphone not None, library=None):
        cdef Card card = Card.__new__(Card)
        cdef ax_card_alsa config
        cdef bytes out = speaker.encode(), mic = microphone.encode()
        cdef bytes path = b"" if library is None else os.fsencode(library)
        cdef int err
        config.rate, config.speaker, config.microphone = rate, out, mic
        config.library = NULL if library is None else <const char *>path
        with nogil:
            err = ax_card_open_alsa(&card._c, &config)
        ax_check(err)
        card.rate, card.frame = rate, rate // 100
        return card

    def __dealloc__(self):
        with nogil:
            ax_card_close(self._c)

    cdef int _ready(self) except -1:
        if self._c is NULL:
            raise StateError("a card is made by in_room or alsa")
        return 0

    def talk(self, frame):
        cdef Py_buffer a
        self._ready()
        pcm_take(frame, &a, "h", self.frame, "frame", False)
        try:
            ax_check(ax_card_talk(self._c, <const int16_t *>a.buf))
        finally:
            PyBuffer_Release(&a)

    @property
    def fd(self):
        return ax_card_fd(self._c)


@cython.final
@cython.no_gc
cdef class AudioThread:
    def __cinit__(self, Pipeline pipeline not None, Card card not None, uint32_t fifo_priority=0):
        card._ready()
        if card._used:
            raise StateError("the card has a thread already")
        ax_check(ax_audio_thread_new(&self._t, pipeline._p, card._c, fifo_priority))
        self._pipeline = pipeline
        self._card = card
        card._used = True

    def __dealloc__(self):
        with nogil:
            ax_audio_thread_free(self._t)
        if self._started:
            self._pipeline.running = False
        if self._card is not None:
            self._card._used = False

    def start(self):
        cdef int err
        with self._pipeline._lock:
            if self._pipeline.running or self._pipeline._busy:
                raise StateError("the pipeline is stepped already")
            with nogil:
                err = ax_audio_thread_start(self._t)
            ax_check(err)
            self._pipeline.running = self._started = True

    def stop(self):
        if self._started:
            with nogil:
                ax_audio_thread_stop(self._t)
            self._started = self._pipeline.running = False

    @property
    def packets_fd(self):
        return ax_audio_thread_packets_fd(self._t)

    @property
    def events_fd(self):
        return ax_audio_thread_events_fd(self._t)

    def counters(self):
        cdef ax_audio_thread_counters c
        ax_audio_thread_count(self._t, &c)
        return {"ticks": c.ticks, "xruns": c.xruns, "card_errors": c.card_errors, "late": c.late, "busy_ns": c.busy_ns,
                "worst_ns": c.worst_ns, "last_ns": c.last_ns}
