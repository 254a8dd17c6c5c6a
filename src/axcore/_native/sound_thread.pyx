# The sound thread (cext/include/ax/sound_thread.h); see sound_thread.pyi.
# Units: ns, CLOCK_MONOTONIC; samples. GIL: released in start and stop, which wait. Memory: a SoundThread owns its C thread, and
# keeps each Generator and the samples of each clip alive until the thread has given them back.
cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

import os
import threading

from .c_siren cimport ax_siren
from .c_sound_thread cimport (
    ax_sound_clip, ax_sound_thread, ax_sound_thread_clips_released, ax_sound_thread_config, ax_sound_thread_count,
    ax_sound_thread_counters, ax_sound_thread_fd, ax_sound_thread_free, ax_sound_thread_new, ax_sound_thread_play,
    ax_sound_thread_play_clip, ax_sound_thread_released, ax_sound_thread_start, ax_sound_thread_stop,
    ax_sound_thread_without_card,
)
from .err cimport ax_check
from .siren cimport Clip, Generator


@cython.final
cdef class SoundThread:
    cdef ax_sound_thread *_t
    cdef dict _held  # serial: Generator
    cdef dict _clips  # serial: Clip
    cdef object _lock

    def __cinit__(self, uint32_t rate=48000, uint32_t block=240, uint32_t records=64, *, tap=None, device=None,
                  library=None, uint32_t fifo_priority=0, name=None):
        cdef ax_sound_thread_config config
        cdef bytes tap_path, card, alsa, named
        self._held = {}
        self._clips = {}
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
        if name is not None:
            named = name.encode()
            config.name = named
        ax_check(ax_sound_thread_new(&self._t, &config))

    def __dealloc__(self):
        with nogil:
            ax_sound_thread_free(self._t)

    def start(self):
        cdef int err
        with nogil:
            err = ax_sound_thread_start(self._t)
        ax_check(err)

    def without_card(self):
        ax_sound_thread_without_card(self._t)

    def stop(self):
        with nogil:
            ax_sound_thread_stop(self._t)
        with self._lock:
            self._release()

    cdef int _release(self) except -1:
        cdef uint64_t released = ax_sound_thread_released(self._t)
        for serial in [serial for serial in self._held if serial <= released]:
            del self._held[serial]
        released = ax_sound_thread_clips_released(self._t)
        for serial in [serial for serial in self._clips if serial <= released]:
            del self._clips[serial]
        return 0

    def play(self, Generator tone, int intensity=5, uint64_t epoch_ns=0):
        cdef uint64_t serial = 0
        cdef const ax_siren *native = NULL if tone is None else tone._tone
        if not 0 <= intensity < 256:
            intensity = 255  # The kernel says so.
        with self._lock:
            self._release()
            ax_check(ax_sound_thread_play(self._t, native, <uint8_t>intensity, epoch_ns, &serial))
            if tone is not None:
                self._held[serial] = tone

    def play_clip(self, Clip clip, uint32_t times=1):
        cdef uint64_t serial = 0
        cdef ax_sound_clip native
        memset(&native, 0, sizeof(native))
        if clip is not None:
            native.samples, native.n = clip._clip.samples, clip._clip.n
            native.gain, native.times = clip._clip.gain, times
        with self._lock:
            self._release()
            ax_check(ax_sound_thread_play_clip(self._t, &native, &serial))
            if clip is not None:
                self._clips[serial] = clip

    @property
    def held(self):
        with self._lock:
            self._release()
            return len(self._held) + len(self._clips)

    @property
    def fd(self):
        return ax_sound_thread_fd(self._t)

    cdef ax_sound_thread_counters _counters(self):
        cdef ax_sound_thread_counters counters
        ax_sound_thread_count(self._t, &counters)
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
