/* SRTP contexts: key derivation, replay windows, and packets of RTP (RFC 3711 sections 3.3, 4.1, 4.3; RFC 7714 section 8).
 * Units: bytes. Threads: one. Allocation: ax_srtp_new. */
#include "ax/srtp.h"

#include "ax/err.h"
#include "ax/rtp.h"
#include "ax_rtp_bytes.h"
#include "ax_srtp_internal.h"

#include <stdlib.h>

#define LAST_INDEX (1ull << 48)

static const size_t TAGS[AX_SRTP_PROFILE_END] = {10, 4, AX_GCM_TAG};

void ax_srtp_derive(const uint8_t key[16], const uint8_t salt[14], uint8_t label, uint8_t *out, size_t n)
{
    struct ax_aes aes;
    uint8_t counter[16] = {0};
    memcpy(counter, salt, 14);
    counter[7] ^= label; /* the index is 0: no key derivation rate */
    memset(out, 0, n);
    ax_aes_init(&aes, key);
    ax_aes_ctr(&aes, counter, out, out, n);
    ax_aes_wipe(&aes);
}

static void install(struct ax_srtp *s, struct ax_srtp_side *side, const struct ax_srtp_keys *keys, size_t tag)
{
    ax_gcm_init(&side->cipher, keys->cipher);
    ax_hmac_sha1_init(&side->auth, keys->auth, sizeof keys->auth);
    memcpy(side->salt, keys->salt, s->profile == AX_SRTP_GCM ? 12 : 14);
    side->tag = tag;
}

int ax_srtp_new_derived(struct ax_srtp **out, enum ax_srtp_profile profile, const struct ax_srtp_keys *rtp,
                        const struct ax_srtp_keys *rtcp)
{
    if ((unsigned)profile >= AX_SRTP_PROFILE_END)
        return AX_E_RANGE;
    struct ax_srtp *s = aligned_alloc(_Alignof(struct ax_srtp), sizeof *s); /* its size is a multiple of it */
    if (!s)
        return AX_E_NOMEM;
    memset(s, 0, sizeof *s);
    s->profile = profile;
    install(s, &s->rtp, rtp, TAGS[profile]);
    install(s, &s->rtcp, rtcp, profile == AX_SRTP_CM_32 ? TAGS[AX_SRTP_CM_80] : TAGS[profile]);
    *out = s;
    return AX_OK;
}

int ax_srtp_new(struct ax_srtp **out, enum ax_srtp_profile profile, const uint8_t *key, size_t nkey, const uint8_t *salt,
                size_t nsalt)
{
    struct ax_srtp_keys keys[2];
    uint8_t padded[14] = {0};
    if ((unsigned)profile >= AX_SRTP_PROFILE_END || nkey != 16 || nsalt != (profile == AX_SRTP_GCM ? 12 : 14))
        return AX_E_RANGE;
    memcpy(padded, salt, nsalt);
    for (uint8_t i = 0; i < 2; i++) { /* labels 0 to 2 are RTP, 3 to 5 RTCP */
        ax_srtp_derive(key, padded, (uint8_t)(3 * i), keys[i].cipher, sizeof keys[i].cipher);
        ax_srtp_derive(key, padded, (uint8_t)(3 * i + 1), keys[i].auth, sizeof keys[i].auth);
        ax_srtp_derive(key, padded, (uint8_t)(3 * i + 2), keys[i].salt, sizeof keys[i].salt);
    }
    const int rc = ax_srtp_new_derived(out, profile, &keys[0], &keys[1]);
    explicit_bzero(keys, sizeof keys);
    explicit_bzero(padded, sizeof padded);
    return rc;
}

void ax_srtp_free(struct ax_srtp *s)
{
    if (!s)
        return;
    explicit_bzero(s, sizeof *s);
    free(s);
}

const struct ax_srtp_stats *ax_srtp_stats(const struct ax_srtp *s)
{
    return &s->stats;
}

struct ax_srtp_stream *ax_srtp_find(struct ax_srtp *s, uint32_t ssrc)
{
    for (int i = 0; i < AX_SRTP_STREAMS && s->streams[i].used; i++)
        if (s->streams[i].ssrc == ssrc)
            return &s->streams[i];
    return NULL;
}

struct ax_srtp_stream *ax_srtp_claim(struct ax_srtp *s, uint32_t ssrc)
{
    for (int i = 0; i < AX_SRTP_STREAMS; i++) {
        if (!s->streams[i].used) {
            s->streams[i].used = 1;
            s->streams[i].ssrc = ssrc;
        }
        if (s->streams[i].ssrc == ssrc)
            return &s->streams[i];
    }
    return NULL;
}

int ax_srtp_fresh(const struct ax_srtp_window *w, uint64_t index)
{
    if (!w->started || index > w->highest)
        return 1;
    const uint64_t behind = w->highest - index;
    return behind < AX_SRTP_WINDOW && !(w->seen[behind / 64] >> behind % 64 & 1);
}

void ax_srtp_mark(struct ax_srtp_window *w, uint64_t index)
{
    if (!w->started || index > w->highest) {
        const uint64_t step = w->started ? index - w->highest : AX_SRTP_WINDOW;
        if (step >= AX_SRTP_WINDOW)
            w->seen[0] = w->seen[1] = 0;
        else if (step >= 64) {
            w->seen[1] = w->seen[0] << (step - 64);
            w->seen[0] = 0;
        } else {
            w->seen[1] = w->seen[1] << step | w->seen[0] >> (64 - step);
            w->seen[0] <<= step;
        }
        w->seen[0] |= 1;
        w->highest = index;
        w->started = 1;
        return;
    }
    const uint64_t behind = w->highest - index;
    if (behind < AX_SRTP_WINDOW)
        w->seen[behind / 64] |= 1ull << behind % 64;
}

void ax_srtp_iv(const struct ax_srtp *s, const struct ax_srtp_side *side, uint32_t ssrc, uint64_t index, uint8_t iv[16])
{
    const size_t at = s->profile == AX_SRTP_GCM ? 2 : 4; /* where the SSRC begins */
    uint8_t mask[16] = {0};
    ax_put32(mask + at, ssrc);
    ax_put16(mask + at + 4, (uint16_t)(index >> 32));
    ax_put32(mask + at + 6, (uint32_t)index);
    for (int i = 0; i < 16; i++)
        iv[i] = side->salt[i] ^ mask[i];
}

int ax_srtp_same(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint8_t differs = 0;
    for (size_t i = 0; i < n; i++)
        differs |= a[i] ^ b[i];
    return differs == 0;
}

/* The index of a packet from its 16 bits, section 3.3.1: the rollover that brings it nearest to the highest. */
static uint64_t guess(const struct ax_srtp_stream *stream, uint16_t sequence)
{
    if (!stream || !stream->rtp.started)
        return sequence;
    const uint64_t roc = stream->rtp.highest >> 16;
    const int32_t apart = (int32_t)sequence - (int32_t)(stream->rtp.highest & 0xFFFF);
    if (apart > 0x8000 && roc > 0)
        return (roc - 1) << 16 | sequence;
    return (roc + (apart < -0x8000)) << 16 | sequence;
}

static void cm_tag(const struct ax_srtp_side *side, const uint8_t *packet, size_t n, uint64_t index, uint8_t tag[20])
{
    uint8_t roc[4];
    ax_put32(roc, (uint32_t)(index >> 16));
    ax_hmac_sha1(&side->auth, packet, n, roc, sizeof roc, tag);
}

int ax_srtp_protect(struct ax_srtp *s, const uint8_t *in, size_t n, uint8_t *out, size_t cap)
{
    struct ax_rtp_packet p;
    uint8_t iv[16], tag[20];
    const struct ax_srtp_side *side = &s->rtp;
    if (ax_rtp_parse(in, n, &p) < 0 || n + side->tag > AX_RTP_MAX_PACKET) {
        s->stats.malformed++;
        return AX_E_FORMAT;
    }
    if (cap < n + side->tag)
        return AX_E_FULL;
    struct ax_srtp_stream *stream = ax_srtp_claim(s, p.ssrc);
    if (!stream) {
        s->stats.no_room++;
        return AX_E_FULL;
    }
    const uint64_t index = guess(stream, p.sequence);
    if (index >= LAST_INDEX || !ax_srtp_fresh(&stream->rtp, index)) {
        s->stats.replayed++;
        return AX_E_STATE; /* the same key stream twice would give both away */
    }
    const size_t head = p.payload_at, body = n - head;
    ax_srtp_iv(s, side, p.ssrc, index, iv);
    memmove(out, in, head);
    if (s->profile == AX_SRTP_GCM) {
        const struct ax_gcm_aad aad = {.data = out, .n = head};
        ax_gcm_seal(&side->cipher, iv, &aad, in + head, out + head, body, out + n);
    } else {
        ax_aes_ctr(&side->cipher.aes, iv, in + head, out + head, body);
        cm_tag(side, out, n, index, tag);
        memcpy(out + n, tag, side->tag);
    }
    ax_srtp_mark(&stream->rtp, index);
    s->stats.packets++;
    return (int)(n + side->tag);
}

/* AX_OK when `packet` (with its tag after `n` bytes) is authentic; then `out` has it in the clear. */
static int open_rtp(struct ax_srtp *s, const uint8_t *in, size_t head, size_t n, uint32_t ssrc, uint64_t index, uint8_t *out)
{
    const struct ax_srtp_side *side = &s->rtp;
    uint8_t iv[16], tag[20];
    ax_srtp_iv(s, side, ssrc, index, iv);
    if (s->profile == AX_SRTP_GCM) {
        const struct ax_gcm_aad aad = {.data = in, .n = head};
        if (ax_gcm_open(&side->cipher, iv, &aad, in + head, out + head, n - head, in + n) < 0)
            return AX_E_PARITY;
    } else {
        cm_tag(side, in, n, index, tag);
        if (!ax_srtp_same(tag, in + n, side->tag))
            return AX_E_PARITY;
        ax_aes_ctr(&side->cipher.aes, iv, in + head, out + head, n - head);
    }
    memmove(out, in, head);
    return AX_OK;
}

/* Offset of the payload. Padding is encrypted, so that the packet as a whole is looked at only in the clear. */
static size_t header_size(const uint8_t *in, size_t n)
{
    if (n < AX_RTP_HEADER || in[0] >> 6 != 2)
        return 0;
    size_t at = AX_RTP_HEADER + 4u * (in[0] & 15);
    if (in[0] & 0x10)
        at = at + 4 > n ? n + 1 : at + 4 + 4u * ax_get16(in + at + 2);
    return at > n ? 0 : at;
}

int ax_srtp_unprotect(struct ax_srtp *s, const uint8_t *in, size_t n, uint8_t *out, size_t cap)
{
    const size_t tag = s->rtp.tag;
    const size_t head = n > tag && n <= AX_RTP_MAX_PACKET ? header_size(in, n - tag) : 0;
    if (head == 0) {
        s->stats.malformed++;
        return AX_E_FORMAT;
    }
    if (cap < n - tag)
        return AX_E_FULL;
    const uint32_t ssrc = ax_get32(in + 8);
    struct ax_srtp_stream *stream = ax_srtp_find(s, ssrc);
    const uint64_t index = guess(stream, ax_get16(in + 2));
    if (index >= LAST_INDEX || (stream && !ax_srtp_fresh(&stream->rtp, index))) {
        s->stats.replayed++;
        return AX_E_STATE;
    }
    if (open_rtp(s, in, head, n - tag, ssrc, index, out) < 0) {
        s->stats.not_authentic++;
        return AX_E_PARITY;
    }
    stream = ax_srtp_claim(s, ssrc);
    if (!stream) {
        s->stats.no_room++;
        return AX_E_FULL;
    }
    ax_srtp_mark(&stream->rtp, index);
    s->stats.packets++;
    return (int)(n - tag);
}

int ax_srtp_set_roc(struct ax_srtp *s, uint32_t ssrc, uint32_t roc, uint16_t sequence)
{
    struct ax_srtp_stream *stream = ax_srtp_claim(s, ssrc);
    if (!stream)
        return AX_E_FULL;
    const uint64_t next = (uint64_t)roc << 16 | sequence;
    stream->rtp = (struct ax_srtp_window){.started = next > 0, .highest = next > 0 ? next - 1 : 0};
    return AX_OK;
}
