# The sound thread (cext/include/ax/siren_thread.h); see siren_thread.pyi.
# Units: ns, CLOCK_MONOTONIC; samples. GIL: released in start and stop, which wait. Memory: a SoundThread owns its C thread, and
# keeps each Generator alive until the thread has given it back.
cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

import os
import threading

from .c_siren cimport ax_siren
from .c_siren_thread cimport (
    ax_siren_thread, ax_siren_thread_config, ax_siren_thread_count, ax_siren_thread_counters, ax_siren_thread_fd,
    ax_siren_thread_free, ax_siren_thread_new, ax_siren_thread_play, ax_siren_thread_released, ax_siren_thread_start,
    ax_siren_thread_stop, ax_siren_thread_without_card,
)
from .err cimport ax_check
from .siren cimport Generator


@cython.final
cdef class SoundThread:
    cdef ax_siren_thread *_t
    cdef dict _held  # serial: Generator
    cdef object _lock

    def __cinit__(self, uint32_t rate=48000, uint32_t block=240, uint32_t records=64, *, tap=None, device=None,
                  library=None, uint32_t fifo_priority=0):
        cdef ax_siren_thread_config config
        cdef bytes tap_path, card, alsa
        self._held = {}
        self._lock = threading.Lock()
        memset(&config, 0, sizeof(config))
        config.rate, config.block, config.records, config.fifo_priority = rate, block, records, fifo_priority
        if tap is not None:
            tap_path = os.fsencode(tap)
            config.tap_path = tap_path
        if device is not None:
            card = device.encode()
            config.device = card
        if library is not None:
            alsa = os.fsencode(library)
            config.library = alsa
        ax_check(ax_siren_thread_new(&self._t, &config))

    def __dealloc__(self):
        with nogil:
            ax_siren_thread_free(self._t)

    def start(self):
        cdef int err
        with nogil:
            err = ax_siren_thread_start(self._t)
        ax_check(err)

    def without_card(self):
        ax_siren_thread_without_card(self._t)

    def stop(self):
        with nogil:
            ax_siren_thread_stop(self._t)
        with self._lock:
            self._release()

    cdef int _release(self) except -1:
        cdef uint64_t released = ax_siren_thread_released(self._t)
        for serial in [serial for serial in self._held if serial <= released]:
            del self._held[serial]
        return 0

    def play(self, Generator tone, int intensity=5, uint64_t epoch_ns=0):
        cdef uint64_t serial = 0
        cdef const ax_siren *native = NULL if tone is None else tone._tone
        if not 0 <= intensity < 256:
            intensity = 255  # The kernel says so.
        with self._lock:
            self._release()
            ax_check(ax_siren_thread_play(self._t, native, <uint8_t>intensity, epoch_ns, &serial))
            if tone is not None:
                self._held[serial] = tone

    @property
    def held(self):
        with self._lock:
            self._release()
            return len(self._held)

    @property
    def fd(self):
        return ax_siren_thread_fd(self._t)

    cdef ax_siren_thread_counters _counters(self):
        cdef ax_siren_thread_counters counters
        ax_siren_thread_count(self._t, &counters)
        return counters

    @property
    def blocks(self):
        return self._counters().blocks

    @property
    def missed(self):
        return self._counters().missed

    @property
    def card_errors(self):
        return self._counters().card_errors

    @property
    def tap_errors(self):
        return self._counters().tap_errors
