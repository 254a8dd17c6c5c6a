/* SRTP: the vectors of RFC 3711 appendix B, RFC 7714 sections 16.1 and 17.1, RFC 2202 (HMAC) and FIPS 180 (SHA-1); AES in
 * counter mode and the hash of GCM, each level against the portable one; round trips, replay, rollover, damage. */
#include "ax/err.h"
#include "ax/gcm.h"
#include "ax/rtp.h"
#include "ax/sha1.h"
#include "ax/srtp.h"
#include "ax_test.h"

#include <string.h>

static const uint8_t MASTER_KEY[] = {
    0xE1, 0xF9, 0x7A, 0x0D, 0x3E, 0x01, 0x8B, 0xE0, 0xD6, 0x4F, 0xA3, 0x2C, 0x06, 0xDE, 0x41, 0x39,
};
static const uint8_t MASTER_SALT[] = {
    0x0E, 0xC6, 0x75, 0xAD, 0x49, 0x8A, 0xFE, 0xEB, 0xB6, 0x96, 0x0B, 0x3A, 0xAB, 0xE6,
};
static const uint8_t CIPHER_KEY[] = {
    0xC6, 0x1E, 0x7A, 0x93, 0x74, 0x4F, 0x39, 0xEE, 0x10, 0x73, 0x4A, 0xFE, 0x3F, 0xF7, 0xA0, 0x87,
};
static const uint8_t CIPHER_SALT[] = {
    0x30, 0xCB, 0xBC, 0x08, 0x86, 0x3D, 0x8C, 0x85, 0xD4, 0x9D, 0xB3, 0x4A, 0x9A, 0xE1,
};
static const uint8_t AUTH_KEY[] = {
    0xCE, 0xBE, 0x32, 0x1F, 0x6F, 0xF7, 0x71, 0x6B, 0x6F, 0xD4, 0xAB, 0x49, 0xAF, 0x25, 0x6A, 0x15, 0x6D, 0x38,
    0xBA, 0xA4,
};
static const uint8_t B2_KEY[] = {
    0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6, 0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F, 0x3C,
};
static const uint8_t B2_COUNTER[] = {
    0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA, 0xFB, 0xFC, 0xFD, 0x00, 0x00,
};
static const uint8_t B2_STREAM[] = {
    0xE0, 0x3E, 0xAD, 0x09, 0x35, 0xC9, 0x5E, 0x80, 0xE1, 0x66, 0xB1, 0x6D, 0xD9, 0x2B, 0x4E, 0xB4, 0xD2, 0x35,
    0x13, 0x16, 0x2B, 0x02, 0xD0, 0xF7, 0x2A, 0x43, 0xA2, 0xFE, 0x4A, 0x5F, 0x97, 0xAB, 0x41, 0xE9, 0x5B, 0x3B,
    0xB0, 0xA2, 0xE8, 0xDD, 0x47, 0x79, 0x01, 0xE4, 0xFC, 0xA8, 0x94, 0xC0,
};
static const uint8_t RTP[] = {
    0x80, 0x40, 0xF1, 0x7B, 0x80, 0x41, 0xF8, 0xD3, 0x55, 0x01, 0xA0, 0xB2, 0x47, 0x61, 0x6C, 0x6C, 0x69, 0x61,
    0x20, 0x65, 0x73, 0x74, 0x20, 0x6F, 0x6D, 0x6E, 0x69, 0x73, 0x20, 0x64, 0x69, 0x76, 0x69, 0x73, 0x61, 0x20,
    0x69, 0x6E, 0x20, 0x70, 0x61, 0x72, 0x74, 0x65, 0x73, 0x20, 0x74, 0x72, 0x65, 0x73,
};
static const uint8_t SRTP_GCM[] = {
    0x80, 0x40, 0xF1, 0x7B, 0x80, 0x41, 0xF8, 0xD3, 0x55, 0x01, 0xA0, 0xB2, 0xF2, 0x4D, 0xE3, 0xA3, 0xFB, 0x34,
    0xDE, 0x6C, 0xAC, 0xBA, 0x86, 0x1C, 0x9D, 0x7E, 0x4B, 0xCA, 0xBE, 0x63, 0x3B, 0xD5, 0x0D, 0x29, 0x4E, 0x6F,
    0x42, 0xA5, 0xF4, 0x7A, 0x51, 0xC7, 0xD1, 0x9B, 0x36, 0xDE, 0x3A, 0xDF, 0x88, 0x33, 0x89, 0x9D, 0x7F, 0x27,
    0xBE, 0xB1, 0x6A, 0x91, 0x52, 0xCF, 0x76, 0x5E, 0xE4, 0x39, 0x0C, 0xCE,
};
static const uint8_t RTCP[] = {
    0x81, 0xC8, 0x00, 0x0D, 0x4D, 0x61, 0x72, 0x73, 0x4E, 0x54, 0x50, 0x31, 0x4E, 0x54, 0x50, 0x32, 0x52, 0x54,
    0x50, 0x20, 0x00, 0x00, 0x04, 0x2A, 0x00, 0x00, 0xE9, 0x30, 0x4C, 0x75, 0x6E, 0x61, 0xDE, 0xAD, 0xBE, 0xEF,
    0xDE, 0xAD, 0xBE, 0xEF, 0xDE, 0xAD, 0xBE, 0xEF, 0xDE, 0xAD, 0xBE, 0xEF, 0xDE, 0xAD, 0xBE, 0xEF,
};
static const uint8_t SRTCP_GCM[] = {
    0x81, 0xC8, 0x00, 0x0D, 0x4D, 0x61, 0x72, 0x73, 0x63, 0xE9, 0x48, 0x85, 0xDC, 0xDA, 0xB6, 0x7C, 0xA7, 0x27,
    0xD7, 0x66, 0x2F, 0x6B, 0x7E, 0x99, 0x7F, 0xF5, 0xC0, 0xF7, 0x6C, 0x06, 0xF3, 0x2D, 0xC6, 0x76, 0xA5, 0xF1,
    0x73, 0x0D, 0x6F, 0xDA, 0x4C, 0xE0, 0x9B, 0x46, 0x86, 0x30, 0x3D, 0xED, 0x0B, 0xB9, 0x27, 0x5B, 0xC8, 0x4A,
    0xA4, 0x58, 0x96, 0xCF, 0x4D, 0x2F, 0xC5, 0xAB, 0xF8, 0x72, 0x45, 0xD9, 0xEA, 0xDE, 0x80, 0x00, 0x05, 0xD4,
};
static const uint8_t SRTCP_GCM_CLEAR[] = {
    0x81, 0xC8, 0x00, 0x0D, 0x4D, 0x61, 0x72, 0x73, 0x4E, 0x54, 0x50, 0x31, 0x4E, 0x54, 0x50, 0x32, 0x52, 0x54,
    0x50, 0x20, 0x00, 0x00, 0x04, 0x2A, 0x00, 0x00, 0xE9, 0x30, 0x4C, 0x75, 0x6E, 0x61, 0xDE, 0xAD, 0xBE, 0xEF,
    0xDE, 0xAD, 0xBE, 0xEF, 0xDE, 0xAD, 0xBE, 0xEF, 0xDE, 0xAD, 0xBE, 0xEF, 0xDE, 0xAD, 0xBE, 0xEF, 0x84, 0x1D,
    0xD9, 0x68, 0x3D, 0xD7, 0x8E, 0xC9, 0x2A, 0xE5, 0x87, 0x90, 0x12, 0x5F, 0x62, 0xB3, 0x00, 0x00, 0x05, 0xD4,
};

static uint32_t seed = 3;

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
}

static void rfc_3711_b2(void)
{
    struct ax_aes aes;
    uint8_t got[48] = {0}, all[16 * 4096] = {0};
    ax_aes_init(&aes, B2_KEY);
    ax_aes_ctr(&aes, B2_COUNTER, got, got, sizeof got);
    CHECK(memcmp(got, B2_STREAM, sizeof got) == 0);
    ax_aes_ctr(&aes, B2_COUNTER, all, all, sizeof all); /* the count passes from one byte to the next */
    uint8_t counter[16], one[16];
    for (unsigned i = 0; i < 4096; i += 255) {
        memcpy(counter, B2_COUNTER, 16);
        counter[14] = (uint8_t)(i >> 8);
        counter[15] = (uint8_t)i;
        ax_aes_encrypt_block(&aes, counter, one);
        CHECK(memcmp(one, all + 16 * i, 16) == 0);
    }
}

static void rfc_3711_b3(void)
{
    uint8_t got[20];
    ax_srtp_derive(MASTER_KEY, MASTER_SALT, 0, got, 16);
    CHECK(memcmp(got, CIPHER_KEY, 16) == 0);
    ax_srtp_derive(MASTER_KEY, MASTER_SALT, 2, got, 14);
    CHECK(memcmp(got, CIPHER_SALT, 14) == 0);
    ax_srtp_derive(MASTER_KEY, MASTER_SALT, 1, got, 20);
    CHECK(memcmp(got, AUTH_KEY, 20) == 0);
}

static void hashes(void)
{
    static const uint8_t abc[20] = {0xA9, 0x99, 0x3E, 0x36, 0x47, 0x06, 0x81, 0x6A, 0xBA, 0x3E,
                                    0x25, 0x71, 0x78, 0x50, 0xC2, 0x6C, 0x9C, 0xD0, 0xD8, 0x9D};
    static const uint8_t jefe[20] = {0xEF, 0xFC, 0xDF, 0x6A, 0xE5, 0xEB, 0x2F, 0xA2, 0xD2, 0x74,
                                     0x16, 0xD5, 0xF1, 0x84, 0xDF, 0x9C, 0x25, 0x9A, 0x7C, 0x79};
    static const uint8_t long_key[20] = {0xAA, 0x4A, 0xE5, 0xE1, 0x52, 0x72, 0xD0, 0x0E, 0x95, 0x70,
                                         0x56, 0x37, 0xCE, 0x8A, 0x3B, 0x55, 0xED, 0x40, 0x21, 0x12};
    struct ax_sha1 h;
    struct ax_hmac_sha1 key;
    uint8_t got[20], parts[20], data[300], aa[80];
    ax_sha1_init(&h);
    ax_sha1_add(&h, (const uint8_t *)"abc", 3);
    ax_sha1_end(&h, got);
    CHECK(memcmp(got, abc, 20) == 0);
    ax_hmac_sha1_init(&key, (const uint8_t *)"Jefe", 4);
    ax_hmac_sha1(&key, (const uint8_t *)"what do ya want ", 16, (const uint8_t *)"for nothing?", 12, got);
    CHECK(memcmp(got, jefe, 20) == 0);
    memset(aa, 0xAA, sizeof aa);
    ax_hmac_sha1_init(&key, aa, sizeof aa);
    ax_hmac_sha1(&key, (const uint8_t *)"Test Using Larger Than Block-Size Key - Hash Key First", 54, got, 0, got);
    CHECK(memcmp(got, long_key, 20) == 0);
    fill(data, sizeof data);
    for (size_t cut = 0; cut < sizeof data; cut++) { /* it does not matter how a message is cut */
        ax_sha1_init(&h);
        ax_sha1_add(&h, data, cut);
        ax_sha1_add(&h, data + cut, sizeof data - cut);
        ax_sha1_end(&h, cut ? parts : got);
        CHECK(cut == 0 || memcmp(got, parts, 20) == 0);
    }
}

static void rfc_7714(void)
{
    struct ax_srtp_keys keys = {.salt = "Quid pro quo"};
    struct ax_srtp *s, *r;
    uint8_t out[100], back[100];
    for (uint8_t i = 0; i < 16; i++)
        keys.cipher[i] = i;
    CHECK_EQ(ax_srtp_new_derived(&s, AX_SRTP_GCM, &keys, &keys), AX_OK);
    CHECK_EQ(ax_srtp_new_derived(&r, AX_SRTP_GCM, &keys, &keys), AX_OK);
    CHECK_EQ(ax_srtp_protect(s, RTP, sizeof RTP, out, sizeof out), sizeof SRTP_GCM);
    CHECK(memcmp(out, SRTP_GCM, sizeof SRTP_GCM) == 0);
    CHECK_EQ(ax_srtp_unprotect(r, out, sizeof SRTP_GCM, back, sizeof back), sizeof RTP);
    CHECK(memcmp(back, RTP, sizeof RTP) == 0);
    CHECK_EQ(ax_srtp_set_rtcp_index(s, 0x4D617273, 0x5D4), AX_OK);
    CHECK_EQ(ax_srtp_protect_rtcp(s, RTCP, sizeof RTCP, out, sizeof out), sizeof SRTCP_GCM);
    CHECK(memcmp(out, SRTCP_GCM, sizeof SRTCP_GCM) == 0);
    CHECK_EQ(ax_srtp_unprotect_rtcp(r, SRTCP_GCM, sizeof SRTCP_GCM, back, sizeof back), sizeof RTCP);
    CHECK(memcmp(back, RTCP, sizeof RTCP) == 0);
    ax_srtp_free(r);
    CHECK_EQ(ax_srtp_new_derived(&r, AX_SRTP_GCM, &keys, &keys), AX_OK);
    CHECK_EQ(ax_srtp_unprotect_rtcp(r, SRTCP_GCM_CLEAR, sizeof SRTCP_GCM_CLEAR, back, sizeof back), sizeof RTCP);
    CHECK(memcmp(back, RTCP, sizeof RTCP) == 0);
    ax_srtp_free(s);
    ax_srtp_free(r);
}

static struct ax_srtp *make(enum ax_srtp_profile profile)
{
    struct ax_srtp *s = NULL;
    CHECK_EQ(ax_srtp_new(&s, profile, MASTER_KEY, 16, MASTER_SALT, profile == AX_SRTP_GCM ? 12 : 14), AX_OK);
    return s;
}

static size_t packet(uint8_t *out, uint32_t ssrc, uint16_t sequence, uint16_t size)
{
    uint8_t payload[300];
    fill(payload, size);
    struct ax_rtp_packet h = {.ssrc = ssrc, .sequence = sequence, .timestamp = sequence * 160u, .payload_size = size};
    if (sequence % 3 == 0)
        h.padding = 4;
    h.extension_profile = AX_RTP_ONE_BYTE;
    h.extension_size = 4;
    return (size_t)ax_rtp_build(out, 400, &h, NULL, sequence % 2 ? payload : NULL, payload);
}

static void round_trips(enum ax_srtp_profile profile)
{
    struct ax_srtp *s = make(profile), *r = make(profile);
    uint8_t in[400], out[420], back[420];
    for (uint32_t i = 0; i < 300; i++) { /* over a rollover, in place or not */
        const size_t n = packet(in, 7, (uint16_t)(65400 + i), (uint16_t)i);
        const int size = ax_srtp_protect(s, in, n, out, sizeof out);
        CHECK(size > (int)n && memcmp(in, out, 12) == 0);
        CHECK_EQ(ax_srtp_protect(s, in, n, back, sizeof back), AX_E_STATE); /* never the same key stream twice */
        CHECK_EQ(ax_srtp_unprotect(r, out, (size_t)size, i % 2 ? out : back, sizeof out), n);
        CHECK(memcmp(i % 2 ? out : back, in, n) == 0);
    }
    CHECK_EQ(ax_srtp_stats(r)->packets, 300);
    for (uint32_t i = 0; i < 50; i++) {
        const int size = ax_srtp_protect_rtcp(s, RTCP, sizeof RTCP, out, sizeof out);
        CHECK_EQ(ax_srtp_unprotect_rtcp(r, out, (size_t)size, back, sizeof back), sizeof RTCP);
        CHECK(memcmp(back, RTCP, sizeof RTCP) == 0);
        CHECK_EQ(ax_srtp_unprotect_rtcp(r, out, (size_t)size, back, sizeof back), AX_E_STATE);
    }
    CHECK_EQ(ax_srtp_stats(r)->replayed, 50);
    ax_srtp_free(s);
    ax_srtp_free(r);
}

static void damage(enum ax_srtp_profile profile)
{
    struct ax_srtp *s = make(profile), *r = make(profile);
    uint8_t in[400], out[420], bad[420], back[420];
    const size_t n = packet(in, 7, 10, 40);
    const size_t size = (size_t)ax_srtp_protect(s, in, n, out, sizeof out);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        memcpy(bad, out, size);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const int rc = ax_srtp_unprotect(r, bad, size, back, sizeof back);
        CHECK(rc == AX_E_PARITY || rc == AX_E_FORMAT);
    }
    for (size_t cut = 0; cut < size; cut++)
        CHECK(ax_srtp_unprotect(r, out, cut, back, sizeof back) < 0);
    CHECK_EQ(ax_srtp_unprotect(r, out, size, back, sizeof back), n); /* nothing of that left a trace */
    const size_t rtcp = (size_t)ax_srtp_protect_rtcp(s, RTCP, sizeof RTCP, out, sizeof out);
    for (size_t bit = 0; bit < 8 * rtcp; bit++) {
        memcpy(bad, out, rtcp);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(ax_srtp_unprotect_rtcp(r, bad, rtcp, back, sizeof back) < 0);
    }
    for (size_t cut = 0; cut < rtcp; cut++)
        CHECK(ax_srtp_unprotect_rtcp(r, out, cut, back, sizeof back) < 0);
    CHECK_EQ(ax_srtp_unprotect_rtcp(r, out, rtcp, back, sizeof back), sizeof RTCP);
    CHECK_EQ(ax_srtp_unprotect(r, out, size, back, 10), AX_E_FULL);
    CHECK_EQ(ax_srtp_protect(s, in, n, out, n), AX_E_FULL);
    CHECK_EQ(ax_srtp_protect_rtcp(s, RTCP, sizeof RTCP, out, sizeof RTCP), AX_E_FULL);
    CHECK_EQ(ax_srtp_protect(s, in, 5, out, sizeof out), AX_E_FORMAT);
    CHECK_EQ(ax_srtp_protect_rtcp(s, RTCP, 5, out, sizeof out), AX_E_FORMAT);
    ax_srtp_free(s);
    ax_srtp_free(r);
}

/* 300 packets kept and given in another order: inside the window each is taken once, what is older is not. */
static void window(void)
{
    struct ax_srtp *s = make(AX_SRTP_CM_80), *r = make(AX_SRTP_CM_80);
    static uint8_t kept[300][420];
    size_t sizes[300];
    uint8_t in[400], back[420];
    for (uint16_t i = 0; i < 300; i++) {
        const size_t n = packet(in, 7, (uint16_t)(65400 + i), 20);
        sizes[i] = (size_t)ax_srtp_protect(s, in, n, kept[i], sizeof kept[i]);
    }
    for (int i = 0; i < 200; i += 2)
        CHECK(ax_srtp_unprotect(r, kept[i], sizes[i], back, sizeof back) > 0);
    for (int i = 199; i >= 0; i--) {
        const int rc = ax_srtp_unprotect(r, kept[i], sizes[i], back, sizeof back);
        CHECK(i % 2 && i > 199 - AX_SRTP_WINDOW ? rc > 0 : rc == AX_E_STATE);
    }
    CHECK(ax_srtp_unprotect(r, kept[299], sizes[299], back, sizeof back) > 0); /* a step of 100 */
    CHECK(ax_srtp_unprotect(r, kept[200], sizes[200], back, sizeof back) > 0);
    CHECK_EQ(ax_srtp_unprotect(r, kept[199], sizes[199], back, sizeof back), AX_E_STATE);
    ax_srtp_free(s);
    ax_srtp_free(r);
}

static void streams_and_limits(void)
{
    struct ax_srtp *s = make(AX_SRTP_GCM), *r = make(AX_SRTP_GCM);
    uint8_t in[400], out[420], back[420];
    for (uint32_t ssrc = 0; ssrc < AX_SRTP_STREAMS; ssrc++) {
        const size_t n = packet(in, ssrc, 1, 20), size = (size_t)ax_srtp_protect(s, in, n, out, sizeof out);
        CHECK_EQ(ax_srtp_unprotect(r, out, size, back, sizeof back), n);
    }
    size_t n = packet(in, 99, 1, 20);
    CHECK_EQ(ax_srtp_protect(s, in, n, out, sizeof out), AX_E_FULL);
    CHECK_EQ(ax_srtp_set_roc(s, 99, 1, 1), AX_E_FULL);
    CHECK_EQ(ax_srtp_set_rtcp_index(s, 99, 1), AX_E_FULL);
    CHECK_EQ(ax_srtp_set_roc(s, 0, UINT32_MAX, 65535), AX_OK); /* the last index, and none after it */
    n = packet(in, 0, 65535, 20);
    CHECK(ax_srtp_protect(s, in, n, out, sizeof out) > 0);
    n = packet(in, 0, 0, 20);
    CHECK_EQ(ax_srtp_protect(s, in, n, out, sizeof out), AX_E_STATE);
    uint8_t report[] = {0x80, 201, 0, 1, 0, 0, 0, 1};
    CHECK_EQ(ax_srtp_set_rtcp_index(s, 1, 0x7FFFFFFF), AX_OK);
    CHECK_EQ(ax_srtp_protect_rtcp(s, report, sizeof report, out, sizeof out), 28);
    CHECK_EQ(ax_srtp_protect_rtcp(s, report, sizeof report, out, sizeof out), AX_E_STATE);
    struct ax_srtp *bad = NULL;
    CHECK_EQ(ax_srtp_new(&bad, AX_SRTP_PROFILE_END, MASTER_KEY, 16, MASTER_SALT, 14), AX_E_RANGE);
    CHECK_EQ(ax_srtp_new(&bad, AX_SRTP_CM_80, MASTER_KEY, 15, MASTER_SALT, 14), AX_E_RANGE);
    CHECK_EQ(ax_srtp_new(&bad, AX_SRTP_GCM, MASTER_KEY, 16, MASTER_SALT, 14), AX_E_RANGE);
    ax_srtp_free(NULL);
    ax_srtp_free(s);
    ax_srtp_free(r);
}

static void levels_agree(void)
{
    int wrong = 0;
    for (int round = 0; round < 300; round++) {
        uint8_t key[16], nonce[12], data[600], out[2][600], tag[2][16];
        const size_t n = (size_t)round * 2, head = (size_t)round % 50;
        fill(key, sizeof key);
        fill(nonce, sizeof nonce);
        fill(data, sizeof data);
        const struct ax_gcm_aad aad = {.data = data, .n = head, .tail = nonce, .ntail = head % 5};
        for (int level = 0; level < 2; level++) {
            struct ax_gcm gcm;
            ax_gcm_set_level(level < ax_gcm_best() ? level : ax_gcm_best());
            ax_aes_set_level(level < ax_aes_best() ? level : ax_aes_best());
            ax_gcm_init(&gcm, key);
            ax_gcm_seal(&gcm, nonce, &aad, data, out[level], n, tag[level]);
            ax_gcm_wipe(&gcm);
        }
        wrong += memcmp(out[0], out[1], n) != 0 || memcmp(tag[0], tag[1], 16) != 0;
    }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(ax_gcm_set_level(ax_gcm_best() + 1), AX_E_RANGE);
}

int main(void)
{
    hashes();
    for (int level = 0; level < 2; level++) {
        ax_aes_set_level(level < ax_aes_best() ? level : ax_aes_best());
        ax_gcm_set_level(level < ax_gcm_best() ? level : ax_gcm_best());
        rfc_3711_b2();
        rfc_3711_b3();
        rfc_7714();
        for (int profile = 0; profile < AX_SRTP_PROFILE_END; profile++) {
            round_trips((enum ax_srtp_profile)profile);
            damage((enum ax_srtp_profile)profile);
        }
    }
    window();
    streams_and_limits();
    levels_agree();
    return ax_test_done();
}
