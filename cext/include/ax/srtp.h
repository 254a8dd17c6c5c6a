/* SRTP and SRTCP (RFC 3711): AES counter mode with HMAC-SHA1 (80 or 32 bit tags) and AES-128-GCM (RFC 7714).
 *
 * A context has one master key and one direction. It keeps rollover counter and replay window (128 packets) for up to
 * AX_SRTP_STREAMS sources; a source of the receiving side is remembered only after its first packet was authentic.
 * A packet that is refused changes nothing. No key derivation rate and no MKI.
 * Units: bytes. `in` and `out` may be the same buffer. Threads: a context belongs to one. Allocation: in new. */
#ifndef AX_SRTP_H
#define AX_SRTP_H

#include <stddef.h>
#include <stdint.h>

#define AX_SRTP_STREAMS 16
#define AX_SRTP_WINDOW 128
#define AX_SRTP_MAX_EXTRA 20 /**< What protecting adds at most: RTP 16, RTCP 20. */

enum ax_srtp_profile {
    AX_SRTP_CM_80 = 0,     /**< AES_CM_128_HMAC_SHA1_80: key 16, salt 14. */
    AX_SRTP_CM_32 = 1,     /**< AES_CM_128_HMAC_SHA1_32; SRTCP has 80 bits all the same. */
    AX_SRTP_GCM = 2,       /**< AEAD_AES_128_GCM: key 16, salt 12. */
    AX_SRTP_PROFILE_END,
};

struct ax_srtp_stats {
    uint64_t packets;
    uint64_t malformed;
    uint64_t not_authentic;
    uint64_t replayed; /**< And older than the window. */
    uint64_t no_room;  /**< Of a source too many. */
};

struct ax_srtp;

/** Keys of one direction after derivation: for tests with the vectors of the standards. */
struct ax_srtp_keys {
    uint8_t cipher[16];
    uint8_t auth[20]; /**< Not used by GCM. */
    uint8_t salt[14]; /**< GCM: the first 12. */
};

/** `nkey` and `nsalt` as the profile says. AX_E_RANGE, AX_E_NOMEM. */
int ax_srtp_new(struct ax_srtp **out, enum ax_srtp_profile profile, const uint8_t *key, size_t nkey, const uint8_t *salt,
                size_t nsalt);
int ax_srtp_new_derived(struct ax_srtp **out, enum ax_srtp_profile profile, const struct ax_srtp_keys *rtp,
                        const struct ax_srtp_keys *rtcp);
/** Overwrites the keys. NULL is allowed. */
void ax_srtp_free(struct ax_srtp *s);
const struct ax_srtp_stats *ax_srtp_stats(const struct ax_srtp *s);

/** The size that came out; or AX_E_FORMAT, AX_E_FULL (cap, or a source too many), AX_E_STATE (this index was used before,
 * or the key is worn out: 2^48 packets), and on the receiving side AX_E_PARITY (not authentic) and AX_E_STATE (replayed). */
int ax_srtp_protect(struct ax_srtp *s, const uint8_t *in, size_t n, uint8_t *out, size_t cap);
int ax_srtp_unprotect(struct ax_srtp *s, const uint8_t *in, size_t n, uint8_t *out, size_t cap);
int ax_srtp_protect_rtcp(struct ax_srtp *s, const uint8_t *in, size_t n, uint8_t *out, size_t cap);
int ax_srtp_unprotect_rtcp(struct ax_srtp *s, const uint8_t *in, size_t n, uint8_t *out, size_t cap);

/** The rollover counter of a source is known from signalling (late joiner): set before its first packet. AX_E_FULL. */
int ax_srtp_set_roc(struct ax_srtp *s, uint32_t ssrc, uint32_t roc, uint16_t sequence);
/** As above for the next SRTCP index to be sent, below 2^31. */
int ax_srtp_set_rtcp_index(struct ax_srtp *s, uint32_t ssrc, uint32_t index);

/** Key derivation, RFC 3711 section 4.3: `n` bytes for `label`. `salt` has 14 bytes. */
void ax_srtp_derive(const uint8_t key[16], const uint8_t salt[14], uint8_t label, uint8_t *out, size_t n);

#endif
