# SRTP contexts, SHA-1 and HMAC (cext/rtp); see srtp.pyi.
# Units: bytes. Threads: a Context belongs to one; calls hold the GIL. Allocation: a context, and what is given back. Keys are
# overwritten when a context goes, and nothing gives them back.
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from axcore.errors import FormatError, ParityError, QueueFullError, RangeError, StateError

from .c_srtp cimport (
    AX_SRTP_MAX_EXTRA, ax_aes_best, ax_aes_set_level, ax_gcm_best, ax_gcm_set_level, ax_hmac_sha1, ax_hmac_sha1_init,
    ax_hmac_sha1_key, ax_sha1, ax_sha1_add, ax_sha1_end, ax_sha1_init, ax_srtp, ax_srtp_free, ax_srtp_new,
    ax_srtp_profile, ax_srtp_protect, ax_srtp_protect_rtcp, ax_srtp_set_roc, ax_srtp_stats, ax_srtp_stats_t,
    ax_srtp_unprotect, ax_srtp_unprotect_rtcp,
)
from .err cimport ax_check

PROFILES = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM")


def levels():
    return ax_aes_best() + 1, ax_gcm_best() + 1


def set_levels(int aes, int gcm):
    ax_check(ax_aes_set_level(aes))
    ax_check(ax_gcm_set_level(gcm))


def sha1(bytes data not None):
    cdef ax_sha1 h
    cdef uint8_t out[20]
    ax_sha1_init(&h)
    ax_sha1_add(&h, <const uint8_t *>PyBytes_AS_STRING(data), <size_t>PyBytes_GET_SIZE(data))
    ax_sha1_end(&h, out)
    return PyBytes_FromStringAndSize(<const char *>out, 20)


def hmac_sha1(bytes key not None, bytes data not None):
    cdef ax_hmac_sha1_key state
    cdef uint8_t out[20]
    ax_hmac_sha1_init(&state, <const uint8_t *>PyBytes_AS_STRING(key), <size_t>PyBytes_GET_SIZE(key))
    ax_hmac_sha1(&state, <const uint8_t *>PyBytes_AS_STRING(data), <size_t>PyBytes_GET_SIZE(data), out, 0, out)
    return PyBytes_FromStringAndSize(<const char *>out, 20)


ctypedef int (*_call)(ax_srtp *s, const uint8_t *data, size_t n, uint8_t *out, size_t cap) noexcept nogil


cdef class Context:
    cdef ax_srtp *_s

    def __cinit__(self, str profile not None, bytes key not None, bytes salt not None):
        if profile not in PROFILES:
            raise RangeError(f"a profile is one of {', '.join(PROFILES)}")
        nsalt = 12 if profile == PROFILES[2] else 14
        if len(key) != 16 or len(salt) != nsalt:
            raise RangeError(f"{profile} takes a key of 16 bytes and a salt of {nsalt}")
        ax_check(ax_srtp_new(&self._s, <ax_srtp_profile><int>PROFILES.index(profile),
                             <const uint8_t *>PyBytes_AS_STRING(key), 16, <const uint8_t *>PyBytes_AS_STRING(salt),
                             <size_t>len(salt)))

    def __dealloc__(self):
        ax_srtp_free(self._s)

    cdef bytes _run(self, _call call, bytes data):
        cdef uint8_t out[65535 + 32]
        cdef Py_ssize_t n = PyBytes_GET_SIZE(data)
        cdef int rc
        if n > 65535:
            raise FormatError("a packet has at most 65,535 bytes")
        rc = call(self._s, <const uint8_t *>PyBytes_AS_STRING(data), <size_t>n, out, sizeof(out))
        if rc >= 0:
            return PyBytes_FromStringAndSize(<const char *>out, rc)
        if rc == -4:
            raise QueueFullError("a context keeps 16 sources; this is one too many")
        if rc == -5:
            raise StateError("this index was used before, or is too old to tell")
        if rc == -8:
            raise ParityError("not authentic: wrong key, or changed on the way")
        raise FormatError("not an RTP or RTCP packet")

    def protect(self, bytes packet not None):
        return self._run(ax_srtp_protect, packet)

    def unprotect(self, bytes packet not None):
        return self._run(ax_srtp_unprotect, packet)

    def protect_rtcp(self, bytes packet not None):
        return self._run(ax_srtp_protect_rtcp, packet)

    def unprotect_rtcp(self, bytes packet not None):
        return self._run(ax_srtp_unprotect_rtcp, packet)

    def set_roc(self, uint32_t ssrc, uint32_t roc, uint16_t sequence=0):
        ax_check(ax_srtp_set_roc(self._s, ssrc, roc, sequence))

    @property
    def stats(self):
        cdef const ax_srtp_stats_t *s = ax_srtp_stats(self._s)
        return {"packets": s.packets, "malformed": s.malformed, "not_authentic": s.not_authentic,
                "replayed": s.replayed, "no_room": s.no_room}
