# Gain, limiter, mixer, volume, level, voice and comfort noise (cext/audio/ax_agc.c, ax_avc.c, ax_limit.c, ax_level.c,
# ax_comfort.c); see gain.pyi. Units: frames of 10 ms, 16-bit samples or float32 of full scale 1.0; dBFS. Threads: calls hold
# the GIL, so that they come one after the other. Allocation: one block per object; the result, if no `out` is given.
from cpython.buffer cimport PyBuffer_Release
from libc.stdint cimport int16_t, uint8_t, uint32_t

from axcore.errors import RangeError

from .c_gain cimport (
    ax_agc, ax_agc_f32, ax_agc_frame, ax_agc_free, ax_agc_gain_db, ax_agc_i16, ax_agc_latency, ax_agc_new, ax_agc_reset,
    ax_agc_spec, ax_avc, ax_avc_ambient, ax_avc_frame, ax_avc_free, ax_avc_gain_db, ax_avc_latency, ax_avc_new,
    ax_avc_noise_db, ax_avc_play, ax_avc_reset, ax_avc_spec, ax_comfort, ax_comfort_init, ax_comfort_learn,
    ax_comfort_pack, ax_comfort_render, ax_comfort_unpack, ax_level, ax_level_feed, ax_level_get, ax_level_init,
    ax_level_set, ax_limit, ax_limit_f32, ax_limit_frame, ax_limit_free, ax_limit_i16, ax_limit_latency, ax_limit_mix,
    ax_limit_new, ax_limit_reset, ax_vad, ax_vad_feed, ax_vad_init,
)
from .err cimport ax_check
from .pcm cimport pcm_like, pcm_take

cdef enum:
    MIXED = 64


cdef class Limit:
    cdef ax_limit *_l
    cdef readonly uint32_t rate

    def __cinit__(self, uint32_t rate, float ceiling):
        ax_check(ax_limit_new(&self._l, rate, ceiling))
        self.rate = rate

    def __dealloc__(self):
        ax_limit_free(self._l)

    @property
    def frame(self):
        return ax_limit_frame(self._l)

    @property
    def latency(self):
        return ax_limit_latency(self._l)

    def reset(self):
        ax_limit_reset(self._l)

    def process(self, samples, out=None):
        cdef Py_buffer a
        cdef Py_buffer b
        cdef Py_ssize_t frame = ax_limit_frame(self._l)
        cdef bint fine
        cdef int rc
        pcm_take(samples, &a, "hf", frame, "samples", False)
        try:
            fine = a.itemsize == 4
            kind = "f" if fine else "h"
            if out is None:
                out = pcm_like(samples, kind, frame)
            pcm_take(out, &b, kind, frame, "out", True)
            try:
                if fine:
                    rc = ax_limit_f32(self._l, <const float *>a.buf, <float *>b.buf)
                else:
                    rc = ax_limit_i16(self._l, <const int16_t *>a.buf, <int16_t *>b.buf)
            finally:
                PyBuffer_Release(&b)
        finally:
            PyBuffer_Release(&a)
        if rc < 0:
            raise RangeError("samples: must be numbers from -4096 to 4096; full scale is 1")
        return out

    def mix(self, frames, gains, like, out):
        cdef Py_buffer views[MIXED]
        cdef Py_buffer b
        cdef const int16_t *sources[MIXED]
        cdef float factors[MIXED]
        cdef Py_ssize_t frame = ax_limit_frame(self._l)
        cdef int held = 0, i, n = <int>len(frames)
        if n > MIXED or (gains is not None and len(gains) != n):
            raise RangeError("frames: at most 64, with a gain for each")
        try:
            for i in range(n):
                pcm_take(frames[i], &views[i], "h", frame, f"frames[{i}]", False)
                held += 1
                sources[i] = <const int16_t *>views[i].buf
                factors[i] = 1.0 if gains is None else gains[i]
            if out is None:
                out = pcm_like(like, "h", frame)
            pcm_take(out, &b, "h", frame, "out", True)
            try:
                if ax_limit_mix(self._l, sources, factors, <size_t>n, <int16_t *>b.buf) < 0:
                    raise RangeError("gains: must be numbers from -16 to 16")
            finally:
                PyBuffer_Release(&b)
        finally:
            for i in range(held):
                PyBuffer_Release(&views[i])
        return out


cdef class Agc:
    cdef ax_agc *_a
    cdef readonly uint32_t rate

    def __cinit__(self, uint32_t rate, float target_db, float most_db, float least_db):
        cdef ax_agc_spec spec
        spec.rate = rate
        spec.target_db = target_db
        spec.most_db = most_db
        spec.least_db = least_db
        ax_check(ax_agc_new(&self._a, &spec))
        self.rate = rate

    def __dealloc__(self):
        ax_agc_free(self._a)

    @property
    def frame(self):
        return ax_agc_frame(self._a)

    @property
    def latency(self):
        return ax_agc_latency(self._a)

    @property
    def gain_db(self):
        return ax_agc_gain_db(self._a)

    def reset(self):
        ax_agc_reset(self._a)

    def process(self, samples, out=None):
        cdef Py_buffer a
        cdef Py_buffer b
        cdef Py_ssize_t frame = ax_agc_frame(self._a)
        cdef bint fine
        cdef int rc
        pcm_take(samples, &a, "hf", frame, "samples", False)
        try:
            fine = a.itemsize == 4
            kind = "f" if fine else "h"
            if out is None:
                out = pcm_like(samples, kind, frame)
            pcm_take(out, &b, kind, frame, "out", True)
            try:
                if fine:
                    rc = ax_agc_f32(self._a, <const float *>a.buf, <float *>b.buf)
                else:
                    rc = ax_agc_i16(self._a, <const int16_t *>a.buf, <int16_t *>b.buf)
            finally:
                PyBuffer_Release(&b)
        finally:
            PyBuffer_Release(&a)
        if rc < 0:
            raise RangeError("samples: must be numbers from -8 to 8; full scale is 1")
        return out


cdef class Avc:
    cdef ax_avc *_a
    cdef readonly uint32_t rate

    def __cinit__(self, uint32_t rate, float quiet_db, float most_db, float slope):
        cdef ax_avc_spec spec
        spec.rate = rate
        spec.quiet_db = quiet_db
        spec.most_db = most_db
        spec.slope = slope
        ax_check(ax_avc_new(&self._a, &spec))
        self.rate = rate

    def __dealloc__(self):
        ax_avc_free(self._a)

    @property
    def frame(self):
        return ax_avc_frame(self._a)

    @property
    def latency(self):
        return ax_avc_latency(self._a)

    @property
    def gain_db(self):
        return ax_avc_gain_db(self._a)

    @property
    def noise_db(self):
        return ax_avc_noise_db(self._a)

    def reset(self):
        ax_avc_reset(self._a)

    def ambient(self, mic):
        cdef Py_buffer a
        pcm_take(mic, &a, "h", ax_avc_frame(self._a), "mic", False)
        try:
            ax_check(ax_avc_ambient(self._a, <const int16_t *>a.buf))
        finally:
            PyBuffer_Release(&a)

    def process(self, samples, out=None):
        cdef Py_buffer a
        cdef Py_buffer b
        cdef Py_ssize_t frame = ax_avc_frame(self._a)
        pcm_take(samples, &a, "h", frame, "samples", False)
        try:
            if out is None:
                out = pcm_like(samples, "h", frame)
            pcm_take(out, &b, "h", frame, "out", True)
            try:
                ax_check(ax_avc_play(self._a, <const int16_t *>a.buf, <int16_t *>b.buf))
            finally:
                PyBuffer_Release(&b)
        finally:
            PyBuffer_Release(&a)
        return out


cdef class Level:
    cdef ax_level _l

    def __cinit__(self, uint32_t rate, float threshold):
        ax_check(ax_level_init(&self._l, rate, threshold))

    @property
    def frame(self):
        return self._l.frame

    @property
    def threshold(self):
        return self._l.threshold

    @threshold.setter
    def threshold(self, float value):
        ax_check(ax_level_set(&self._l, value))

    @property
    def level(self):
        return ax_level_get(&self._l)

    @property
    def above(self):
        return bool(self._l.above)

    def feed(self, samples):
        cdef Py_buffer a
        pcm_take(samples, &a, "h", self._l.frame, "samples", False)
        try:
            return ax_check(ax_level_feed(&self._l, <const int16_t *>a.buf))
        finally:
            PyBuffer_Release(&a)


cdef class Vad:
    cdef ax_vad _v
    cdef readonly uint32_t rate

    def __cinit__(self, uint32_t rate):
        ax_check(ax_vad_init(&self._v, rate))
        self.rate = rate

    @property
    def frame(self):
        return self._v.frame

    @property
    def talks(self):
        return bool(self._v.talks)

    def reset(self):
        ax_check(ax_vad_init(&self._v, self.rate))

    def feed(self, samples):
        cdef Py_buffer a
        pcm_take(samples, &a, "h", self._v.frame, "samples", False)
        try:
            return bool(ax_check(ax_vad_feed(&self._v, <const int16_t *>a.buf)))
        finally:
            PyBuffer_Release(&a)


cdef class Comfort:
    cdef ax_comfort _c

    def __cinit__(self, uint32_t seed=1):
        ax_check(ax_comfort_init(&self._c, seed))

    def learn(self, samples):
        cdef Py_buffer a
        pcm_take(samples, &a, "h", -1, "samples", False)
        try:
            ax_check(ax_comfort_learn(&self._c, <const int16_t *>a.buf, <size_t>a.len // 2))
        finally:
            PyBuffer_Release(&a)

    def render(self, out):
        cdef Py_buffer a
        pcm_take(out, &a, "h", -1, "out", True)
        try:
            ax_check(ax_comfort_render(&self._c, <int16_t *>a.buf, <size_t>a.len // 2))
        finally:
            PyBuffer_Release(&a)
        return out

    def pack(self):
        cdef uint8_t payload[16]
        cdef int n = ax_check(ax_comfort_pack(&self._c, payload, sizeof(payload)))
        return bytes(payload[:n])

    def unpack(self, octets):
        cdef Py_buffer a
        pcm_take(octets, &a, "B", -1, "octets", False)
        try:
            ax_check(ax_comfort_unpack(&self._c, <const uint8_t *>a.buf, <size_t>a.len))
        finally:
            PyBuffer_Release(&a)
