from libc.stdint cimport uint8_t, uint32_t, uint64_t, uint16_t


cdef extern from "ax/srtp.h" nogil:
    const int AX_SRTP_MAX_EXTRA

    struct ax_srtp:
        pass

    struct ax_srtp_stats_t "ax_srtp_stats":
        uint64_t packets
        uint64_t malformed
        uint64_t not_authentic
        uint64_t replayed
        uint64_t no_room

    enum ax_srtp_profile:
        pass

    int ax_srtp_new(ax_srtp **out, ax_srtp_profile profile, const uint8_t *key, size_t nkey, const uint8_t *salt, size_t nsalt)
    void ax_srtp_free(ax_srtp *s)
    const ax_srtp_stats_t *ax_srtp_stats(const ax_srtp *s)
    int ax_srtp_protect(ax_srtp *s, const uint8_t *data, size_t n, uint8_t *out, size_t cap)
    int ax_srtp_unprotect(ax_srtp *s, const uint8_t *data, size_t n, uint8_t *out, size_t cap)
    int ax_srtp_protect_rtcp(ax_srtp *s, const uint8_t *data, size_t n, uint8_t *out, size_t cap)
    int ax_srtp_unprotect_rtcp(ax_srtp *s, const uint8_t *data, size_t n, uint8_t *out, size_t cap)
    int ax_srtp_set_roc(ax_srtp *s, uint32_t ssrc, uint32_t roc, uint16_t sequence)


cdef extern from "ax/gcm.h" nogil:
    int ax_gcm_best()
    int ax_gcm_set_level(int level)


cdef extern from "ax/aes.h" nogil:
    int ax_aes_best()
    int ax_aes_set_level(int level)


cdef extern from "ax/sha1.h" nogil:
    struct ax_sha1:
        pass
    struct ax_hmac_sha1_key "ax_hmac_sha1":
        pass
    void ax_sha1_init(ax_sha1 *h)
    void ax_sha1_add(ax_sha1 *h, const uint8_t *data, size_t n)
    void ax_sha1_end(ax_sha1 *h, uint8_t *out)
    void ax_hmac_sha1_init(ax_hmac_sha1_key *key, const uint8_t *data, size_t n)
    void ax_hmac_sha1(const ax_hmac_sha1_key *key, const uint8_t *data, size_t n, const uint8_t *tail, size_t ntail,
                      uint8_t *out)
