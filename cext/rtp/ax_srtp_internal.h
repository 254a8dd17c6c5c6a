/* The state of an SRTP context, shared by the files of cext/rtp. Units: bytes, packet indices. Threads: one.
 * Allocation: ax_srtp_new. */
#ifndef AX_SRTP_INTERNAL_H
#define AX_SRTP_INTERNAL_H

#include "ax/gcm.h"
#include "ax/sha1.h"
#include "ax/srtp.h"

/** A sliding window (RFC 3711 section 3.3.2): bit i of `seen` is index highest - i. */
struct ax_srtp_window {
    uint64_t highest;
    uint64_t seen[2];
    int started;
};

struct ax_srtp_stream {
    struct ax_srtp_window rtp, rtcp;
    uint32_t ssrc;
    int used;
};

/** Keys of RTP or of RTCP. */
struct ax_srtp_side {
    struct ax_gcm cipher; /**< CM uses its `aes` only. */
    struct ax_hmac_sha1 auth;
    uint8_t salt[16];
    size_t tag;
};

struct ax_srtp {
    struct ax_srtp_side rtp, rtcp;
    struct ax_srtp_stream streams[AX_SRTP_STREAMS];
    struct ax_srtp_stats stats;
    enum ax_srtp_profile profile;
};

/** The stream of `ssrc`, NULL when unknown. */
struct ax_srtp_stream *ax_srtp_find(struct ax_srtp *s, uint32_t ssrc);
/** The same, made when unknown; NULL when there is no room. */
struct ax_srtp_stream *ax_srtp_claim(struct ax_srtp *s, uint32_t ssrc);
/** 1: new; 0: seen, or too old to tell. */
int ax_srtp_fresh(const struct ax_srtp_window *w, uint64_t index);
void ax_srtp_mark(struct ax_srtp_window *w, uint64_t index);
/** Counter block of CM (RFC 3711 section 4.1.1) or nonce of GCM (RFC 7714 sections 8.1, 9.1; the first 12 bytes). */
void ax_srtp_iv(const struct ax_srtp *s, const struct ax_srtp_side *side, uint32_t ssrc, uint64_t index, uint8_t iv[16]);
/** Whether two tags are the same, in constant time. */
int ax_srtp_same(const uint8_t *a, const uint8_t *b, size_t n);

#endif
