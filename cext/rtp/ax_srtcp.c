/* SRTCP (RFC 3711 section 3.4; RFC 7714 section 9): the index travels with each packet, beside a bit that says whether it
 * is encrypted. What we send always is; what we receive may be authenticated only.
 * Units: bytes. Threads: one. Allocation: none. */
#include "ax/err.h"
#include "ax/rtp.h"
#include "ax_rtp_bytes.h"
#include "ax_srtp_internal.h"

#define HEADER 8
#define WORD 4
#define ENCRYPTED 0x80000000u

int ax_srtp_set_rtcp_index(struct ax_srtp *s, uint32_t ssrc, uint32_t index)
{
    struct ax_srtp_stream *stream = ax_srtp_claim(s, ssrc);
    if (!stream)
        return AX_E_FULL;
    stream->rtcp = (struct ax_srtp_window){.started = index > 0, .highest = index > 0 ? index - 1 : 0};
    return AX_OK;
}

int ax_srtp_protect_rtcp(struct ax_srtp *s, const uint8_t *in, size_t n, uint8_t *out, size_t cap)
{
    const struct ax_srtp_side *side = &s->rtcp;
    uint8_t iv[16], word[WORD], tag[20];
    if (n < HEADER || n > AX_RTP_MAX_PACKET || in[0] >> 6 != 2) {
        s->stats.malformed++;
        return AX_E_FORMAT;
    }
    if (cap < n + side->tag + WORD)
        return AX_E_FULL;
    const uint32_t ssrc = ax_get32(in + 4);
    struct ax_srtp_stream *stream = ax_srtp_claim(s, ssrc);
    if (!stream) {
        s->stats.no_room++;
        return AX_E_FULL;
    }
    const uint64_t index = stream->rtcp.started ? stream->rtcp.highest + 1 : 0;
    if (index >= ENCRYPTED) {
        s->stats.replayed++;
        return AX_E_STATE;
    }
    ax_srtp_iv(s, side, ssrc, index, iv);
    ax_put32(word, ENCRYPTED | (uint32_t)index);
    memmove(out, in, HEADER);
    if (s->profile == AX_SRTP_GCM) {
        const struct ax_gcm_aad aad = {.data = out, .n = HEADER, .tail = word, .ntail = WORD};
        ax_gcm_seal(&side->cipher, iv, &aad, in + HEADER, out + HEADER, n - HEADER, out + n);
        memcpy(out + n + side->tag, word, WORD);
    } else {
        ax_aes_ctr(&side->cipher.aes, iv, in + HEADER, out + HEADER, n - HEADER);
        ax_hmac_sha1(&side->auth, out, n, word, WORD, tag);
        memcpy(out + n, word, WORD);
        memcpy(out + n + WORD, tag, side->tag);
    }
    ax_srtp_mark(&stream->rtcp, index);
    s->stats.packets++;
    return (int)(n + side->tag + WORD);
}

static int open_gcm(const struct ax_srtp *s, const uint8_t iv[16], const uint8_t *in, size_t n, int encrypted, uint8_t *out)
{
    const struct ax_srtp_side *side = &s->rtcp;
    struct ax_gcm_aad aad = {.data = in, .n = encrypted ? HEADER : n, .tail = in + n + side->tag, .ntail = WORD};
    const size_t body = n - aad.n;
    if (ax_gcm_open(&side->cipher, iv, &aad, in + aad.n, out + aad.n, body, in + n) < 0)
        return AX_E_PARITY;
    memmove(out, in, aad.n);
    return AX_OK;
}

static int open_cm(const struct ax_srtp *s, const uint8_t iv[16], const uint8_t *in, size_t n, int encrypted, uint8_t *out)
{
    const struct ax_srtp_side *side = &s->rtcp;
    uint8_t tag[20];
    ax_hmac_sha1(&side->auth, in, n, in + n, WORD, tag);
    if (!ax_srtp_same(tag, in + n + WORD, side->tag))
        return AX_E_PARITY;
    if (encrypted)
        ax_aes_ctr(&side->cipher.aes, iv, in + HEADER, out + HEADER, n - HEADER);
    memmove(out, in, encrypted ? HEADER : n);
    return AX_OK;
}

int ax_srtp_unprotect_rtcp(struct ax_srtp *s, const uint8_t *in, size_t n, uint8_t *out, size_t cap)
{
    const size_t extra = s->rtcp.tag + WORD;
    uint8_t iv[16];
    if (n < HEADER + extra || n > AX_RTP_MAX_PACKET || in[0] >> 6 != 2) {
        s->stats.malformed++;
        return AX_E_FORMAT;
    }
    const size_t size = n - extra;
    if (cap < size)
        return AX_E_FULL;
    const int gcm = s->profile == AX_SRTP_GCM;
    const uint32_t word = ax_get32(gcm ? in + n - WORD : in + size), index = word & ~ENCRYPTED, ssrc = ax_get32(in + 4);
    struct ax_srtp_stream *stream = ax_srtp_find(s, ssrc);
    if (stream && !ax_srtp_fresh(&stream->rtcp, index)) {
        s->stats.replayed++;
        return AX_E_STATE;
    }
    ax_srtp_iv(s, &s->rtcp, ssrc, index, iv);
    const int encrypted = word >> 31;
    if ((gcm ? open_gcm : open_cm)(s, iv, in, size, encrypted, out) < 0) {
        s->stats.not_authentic++;
        return AX_E_PARITY;
    }
    stream = ax_srtp_claim(s, ssrc);
    if (!stream) {
        s->stats.no_room++;
        return AX_E_FULL;
    }
    ax_srtp_mark(&stream->rtcp, index);
    s->stats.packets++;
    return (int)size;
}
