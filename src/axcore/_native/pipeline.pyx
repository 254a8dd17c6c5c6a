# Legs, the pipeline of a door station and the virtual room (cext/audio/ax_leg.c, ax_pipeline.c, ax_room.c); see pipeline.pyi.
# Units: 16-bit samples in frames of 10 ms; ns of CLOCK_MONOTONIC; dB. Threads: any may command and read, `step` is refused
# while a native thread steps; the GIL is released for a step. Memory: a Pipeline keeps what its thread may still use.
cimport cython
from cpython.buffer cimport PyBuffer_Release
from libc.stdint cimport int16_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

import threading

from axcore.errors import RangeError, StateError

from .c_dtmf cimport ax_tone
from .c_pipeline cimport (
    AX_PIPELINE_LEG, AX_PIPELINE_LEGS, AX_PIPELINE_MICROPHONE, AX_PIPELINE_PLAY, AX_PIPELINE_PLAYS, AX_PIPELINE_RESET,
    AX_PIPELINE_SET_LEG, AX_PIPELINE_SPEAKER, AX_PIPELINE_SPEAKER_GAIN, AX_PIPELINE_THRESHOLD, ax_leg_clock,
    ax_leg_codec_rate, ax_leg_free, ax_leg_most, ax_leg_new, ax_leg_offer, ax_leg_packet, ax_leg_spec, ax_leg_stats,
    ax_leg_take, ax_leg_ticks, ax_pipeline_command, ax_pipeline_done, ax_pipeline_event, ax_pipeline_event_t, ax_pipeline_far_latency,
    ax_pipeline_frame, ax_pipeline_free, ax_pipeline_get, ax_pipeline_near_latency, ax_pipeline_new,
    ax_pipeline_playing, ax_pipeline_put, ax_pipeline_spec, ax_pipeline_stats, ax_pipeline_step, ax_room_frame,
    ax_room_free, ax_room_new, ax_room_set, ax_room_spec, ax_room_step,
)
from .dtmf cimport Tone
from .err cimport ax_check
from .pcm cimport pcm_like, pcm_take

LEGS = AX_PIPELINE_LEGS
PLAYS = AX_PIPELINE_PLAYS
SPEAKER = AX_PIPELINE_SPEAKER
LEG_STATS = ("offered", "refused", "late", "lost", "concealed_ms", "stretched", "underruns", "made", "dropped",
             "delay_ms", "held")


@cython.final
cdef class Leg:
    def __cinit__(self, uint32_t rate, uint32_t codec, uint32_t codec_rate=0, uint32_t packet_ms=20,
                  uint32_t min_delay_ms=0, uint32_t max_delay_ms=500, bint keys=False):
        cdef ax_leg_spec spec
        spec.rate, spec.codec, spec.codec_rate, spec.packet_ms = rate, codec, codec_rate, packet_ms
        spec.min_delay_ms, spec.max_delay_ms, spec.keys = min_delay_ms, max_delay_ms, keys
        ax_check(ax_leg_new(&self._l, &spec))
        self._offering = threading.Lock()
        self._taking = threading.Lock()
        self.rate = rate
        self.codec_rate = ax_leg_codec_rate(self._l)
        self.clock = ax_leg_clock(self._l)
        self.most = ax_leg_most(self._l)
        self.ticks = ax_leg_ticks(self._l)
        self._payload = bytearray(self.most)

    def __dealloc__(self):
        ax_leg_free(self._l)

    def offer(self, payload, uint64_t arrived_ns, uint16_t sequence=0, uint32_t timestamp=0, uint32_t ssrc=0,
              bint marker=False):
        cdef Py_buffer a
        cdef ax_leg_packet packet
        pcm_take(payload, &a, "B", -1, "payload", False)
        try:
            packet.payload = <const uint8_t *>a.buf
            packet.size = <uint32_t>a.len
            packet.sequence, packet.timestamp, packet.ssrc, packet.marker = sequence, timestamp, ssrc, marker
            with self._offering:
                if self.carried:
                    raise StateError("the RTP thread carries the packets of this leg")
                ax_check(ax_leg_offer(self._l, &packet, arrived_ns))
        finally:
            PyBuffer_Release(&a)

    def take(self):
        cdef uint32_t timestamp = 0
        cdef int n
        with self._taking:
            if self.carried:
                raise StateError("the RTP thread carries the packets of this leg")
            n = ax_check(ax_leg_take(self._l, &timestamp, <uint8_t *>self._payload, self.most))
            return None if n == 0 else (timestamp, bytes(self._payload[:n]))


@cython.final
cdef class Room:
    def __cinit__(self, uint32_t rate, uint32_t curve=0, uint32_t rt60_ms=200, uint32_t seed=1, response=None):
        cdef ax_room_spec spec
        cdef Py_buffer a
        memset(&spec, 0, sizeof(spec))
        spec.rate, spec.curve, spec.rt60_ms, spec.seed = rate, curve, rt60_ms, seed
        if response is None:
            ax_check(ax_room_new(&self._r, &spec))
        else:
            pcm_take(response, &a, "f", -1, "response", False)
            try:
                spec.response = <const float *>a.buf
                spec.taps = <size_t>(a.len // 4)
                ax_check(ax_room_new(&self._r, &spec))
            finally:
                PyBuffer_Release(&a)
        self.rate = rate
        self.frame = ax_room_frame(self._r)

    def __dealloc__(self):
        ax_room_free(self._r)

    def set(self, int part, float value):
        ax_check(ax_room_set(self._r, part, value))

    def step(self, speaker, talker=None, out=None):
        cdef Py_buffer a
        cdef Py_buffer b
        cdef Py_buffer c
        cdef bint talks = talker is not None
        pcm_take(speaker, &a, "h", self.frame, "speaker", False)
        try:
            pcm_take(talker if talks else speaker, &b, "h", self.frame, "talker", False)
            try:
                if out is None:
                    out = pcm_like(speaker, "h", self.frame)
                pcm_take(out, &c, "h", self.frame, "out", True)
                try:
                    ax_check(ax_room_step(self._r, <const int16_t *>a.buf, <const int16_t *>b.buf if talks else NULL,
                                          <int16_t *>c.buf))
                finally:
                    PyBuffer_Release(&c)
            finally:
                PyBuffer_Release(&b)
        finally:
            PyBuffer_Release(&a)
        return out


cdef class _Samples:
    """Sound that is held for the thread that plays it."""
    cdef Py_buffer view

    def __cinit__(self, samples):
        pcm_take(samples, &self.view, "h", -1, "samples", False)

    def __dealloc__(self):
        PyBuffer_Release(&self.view)


@cython.final
cdef class Pipeline:
    def __cinit__(self, uint32_t rate, uint32_t echo, uint32_t tail_ms, float max_attenuation_db,
                  bint gain_control, float target_db, bint volume_control, float quiet_db, float threshold,
                  uint32_t untold=0):
        cdef ax_pipeline_spec spec
        spec.rate, spec.echo, spec.tail_ms, spec.max_attenuation_db = rate, echo, tail_ms, max_attenuation_db
        spec.gain_control = gain_control
        spec.target_db, spec.volume_control, spec.quiet_db = target_db, volume_control, quiet_db
        spec.threshold, spec.untold = threshold, untold
        ax_check(ax_pipeline_new(&self._p, &spec))
        self._lock = threading.Lock()
        self._held = {}
        self.rate = rate
        self.frame = ax_pipeline_frame(self._p)
        self.near_latency = ax_pipeline_near_latency(self._p)
        self.far_latency = ax_pipeline_far_latency(self._p)

    def __dealloc__(self):
        ax_pipeline_free(self._p)

    cdef int _release(self) except -1:
        """Let go what the thread does not use any more."""
        cdef uint64_t done = ax_pipeline_done(self._p)
        for (verb, index), rows in self._held.items():
            while len(rows) > 1 and rows[1][0] <= done:
                self._drop(rows.pop(0)[1])
            if (verb == AX_PIPELINE_PLAY and len(rows) == 1 and rows[0][0] <= done
                    and ax_pipeline_playing(self._p, index) != rows[0][0]):
                rows.clear()
        return 0

    def _drop(self, held):
        if isinstance(held, Leg):
            (<Leg>held).seated = False

    cdef object _put(self, uint32_t verb, uint32_t index, object held, float gain, bint conference, bint mute,
                     uint32_t repeat, uint32_t to):
        cdef ax_pipeline_command c
        cdef uint64_t serial = 0
        memset(&c, 0, sizeof(c))
        c.verb, c.index, c.gain, c.conference, c.mute = verb, index, gain, conference, mute
        c.repeat, c.to = repeat, to
        if isinstance(held, Leg):
            c.leg = (<Leg>held)._l
        elif isinstance(held, Tone):
            c.tone = (<Tone>held)._t
        elif isinstance(held, _Samples):
            c.samples = <const int16_t *>(<_Samples>held).view.buf
            c.n = <size_t>((<_Samples>held).view.len // 2)
        with self._lock:
            self._release()
            if isinstance(held, Leg) and (<Leg>held).seated:
                raise StateError("the leg has a seat already")
            ax_check(ax_pipeline_put(self._p, &c, &serial))
            if verb == AX_PIPELINE_LEG or verb == AX_PIPELINE_PLAY:
                self._held.setdefault((verb, index), []).append((serial, held))
            if isinstance(held, Leg):
                (<Leg>held).seated = True
        return serial

    def seat(self, uint32_t index, Leg leg, float gain=1.0, bint conference=False, bint mute=False):
        if leg is not None and leg.rate != self.rate:
            raise RangeError("the leg was made for another rate")
        return self._put(AX_PIPELINE_LEG, index, leg, gain, conference, mute, 0, 0)

    def adjust(self, uint32_t index, float gain, bint conference, bint mute):
        return self._put(AX_PIPELINE_SET_LEG, index, None, gain, conference, mute, 0, 0)

    def play(self, uint32_t index, sound, uint32_t repeat=1, uint32_t to=SPEAKER, float gain=1.0):
        if isinstance(sound, Tone):
            if (<Tone>sound).rate != self.rate:
                raise RangeError("the tone was made for another rate")
        elif sound is not None:
            sound = _Samples(sound)
            if (<_Samples>sound).view.len == 0:
                raise RangeError("there is no sample to play")
        return self._put(AX_PIPELINE_PLAY, index, sound, gain, False, False, repeat, to)

    def speaker_gain(self, float gain):
        return self._put(AX_PIPELINE_SPEAKER_GAIN, 0, None, gain, False, False, 0, 0)

    def microphone(self, float gain, bint mute):
        return self._put(AX_PIPELINE_MICROPHONE, 0, None, gain, False, mute, 0, 0)

    def threshold(self, float threshold):
        return self._put(AX_PIPELINE_THRESHOLD, 0, None, threshold, False, False, 0, 0)

    def reset(self):
        return self._put(AX_PIPELINE_RESET, 0, None, 0, False, False, 0, 0)

    @property
    def done(self):
        return ax_pipeline_done(self._p)

    @property
    def held(self):
        with self._lock:
            self._release()
            return sum(1 for rows in self._held.values() for _, held in rows if held is not None)

    def playing(self, uint32_t index):
        return ax_pipeline_playing(self._p, index)

    def events(self):
        cdef ax_pipeline_event_t e
        found = []
        with self._lock:
            while ax_pipeline_event(self._p, &e) == 1:
                found.append((e.kind, e.t_ns, e.index, e.value, chr(e.key) if e.key else "", e.serial))
        return found

    def step(self, uint64_t now_ns, mic, out=None):
        cdef Py_buffer a
        cdef Py_buffer b
        with self._lock:
            if self.running or self._busy:
                raise StateError("a thread steps this pipeline")
            self._busy = True
        try:
            pcm_take(mic, &a, "h", self.frame, "mic", False)
            try:
                if out is None:
                    out = pcm_like(mic, "h", self.frame)
                pcm_take(out, &b, "h", self.frame, "out", True)
                with nogil:
                    ax_pipeline_step(self._p, now_ns, <const int16_t *>a.buf, <int16_t *>b.buf)
                PyBuffer_Release(&b)
            finally:
                PyBuffer_Release(&a)
        finally:
            self._busy = False
        return out

    def stats(self):
        cdef ax_pipeline_stats s
        cdef ax_leg_stats g
        ax_pipeline_get(self._p, &s)
        legs = {}
        for k in range(AX_PIPELINE_LEGS):
            if s.legs >> <uint32_t>k & 1:
                g = s.leg[k]
                legs[k] = (g.offered, g.refused, g.late, g.lost, g.concealed_ms, g.stretched, g.underruns, g.made,
                           g.dropped, g.delay_ms, g.held)
        return {
            "steps": s.steps, "events_lost": s.events_lost, "mic_db": s.mic_db, "near_db": s.near_db,
            "speaker_db": s.speaker_db, "level": s.level, "erle_db": s.erle_db,
            "echo_delay_ms": None if s.echo_delay_ms < 0 else s.echo_delay_ms, "drift_ppm": s.drift_ppm,
            "gain_db": s.gain_db, "volume_db": s.volume_db, "noise_db": s.noise_db, "talking": bool(s.talking),
        }, legs
