/* SHA-1 after FIPS 180-4 section 6.1, HMAC after RFC 2104. Units: bytes. Threads: any. Allocation: none. */
#include "ax/sha1.h"

#include "ax_rtp_bytes.h"

static inline uint32_t rol(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

#define STEP(f, k)                                                                                                     \
    do {                                                                                                               \
        const uint32_t t = rol(a, 5) + (f) + e + (k) + w[i & 15];                                                      \
        e = d, d = c, c = rol(b, 30), b = a, a = t;                                                                    \
    } while (0)
#define NEXT() (w[i & 15] = rol(w[(i + 13) & 15] ^ w[(i + 8) & 15] ^ w[(i + 2) & 15] ^ w[i & 15], 1))

static void compress(uint32_t state[5], const uint8_t *block)
{
    uint32_t w[16], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    int i;
    for (i = 0; i < 16; i++)
        w[i] = ax_get32(block + 4 * i);
    for (i = 0; i < 16; i++)
        STEP((b & c) | (~b & d), 0x5A827999u);
    for (; i < 20; i++) {
        NEXT();
        STEP((b & c) | (~b & d), 0x5A827999u);
    }
    for (; i < 40; i++) {
        NEXT();
        STEP(b ^ c ^ d, 0x6ED9EBA1u);
    }
    for (; i < 60; i++) {
        NEXT();
        STEP((b & c) | (b & d) | (c & d), 0x8F1BBCDCu);
    }
    for (; i < 80; i++) {
        NEXT();
        STEP(b ^ c ^ d, 0xCA62C1D6u);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

void ax_sha1_init(struct ax_sha1 *h)
{
    static const uint32_t start[5] = {0x67452301u, 0xEFCDAB89u, 0x98BADCFEu, 0x10325476u, 0xC3D2E1F0u};
    memcpy(h->state, start, sizeof start);
    h->held = 0;
    h->size = 0;
}

void ax_sha1_add(struct ax_sha1 *h, const uint8_t *data, size_t n)
{
    h->size += n;
    if (h->held) {
        const size_t part = n < 64 - h->held ? n : 64 - h->held;
        if (part == 0)
            return;
        memcpy(h->block + h->held, data, part);
        h->held += (uint32_t)part;
        data += part;
        n -= part;
        if (h->held < 64)
            return;
        compress(h->state, h->block);
        h->held = 0;
    }
    for (; n >= 64; data += 64, n -= 64)
        compress(h->state, data);
    if (n) {
        memcpy(h->block, data, n);
        h->held = (uint32_t)n;
    }
}

void ax_sha1_end(struct ax_sha1 *h, uint8_t out[AX_SHA1_SIZE])
{
    h->block[h->held++] = 0x80;
    if (h->held > 56) {
        memset(h->block + h->held, 0, 64 - h->held);
        compress(h->state, h->block);
        h->held = 0;
    }
    memset(h->block + h->held, 0, 56 - h->held);
    ax_put64(h->block + 56, 8 * h->size);
    compress(h->state, h->block);
    for (int i = 0; i < 5; i++)
        ax_put32(out + 4 * i, h->state[i]);
}

static void padded_key(uint32_t state[5], const uint8_t key[64], uint8_t pad)
{
    struct ax_sha1 h;
    uint8_t block[64];
    for (int i = 0; i < 64; i++)
        block[i] = key[i] ^ pad;
    ax_sha1_init(&h);
    compress(h.state, block);
    memcpy(state, h.state, sizeof h.state);
    explicit_bzero(block, sizeof block);
}

void ax_hmac_sha1_init(struct ax_hmac_sha1 *key, const uint8_t *data, size_t n)
{
    uint8_t block[64] = {0};
    if (n > 64) {
        struct ax_sha1 h;
        ax_sha1_init(&h);
        ax_sha1_add(&h, data, n);
        ax_sha1_end(&h, block);
    } else if (n) {
        memcpy(block, data, n);
    }
    padded_key(key->inner, block, 0x36);
    padded_key(key->outer, block, 0x5C);
    explicit_bzero(block, sizeof block);
}

void ax_hmac_sha1(const struct ax_hmac_sha1 *key, const uint8_t *data, size_t n, const uint8_t *tail, size_t ntail,
                  uint8_t out[AX_SHA1_SIZE])
{
    struct ax_sha1 h = {.size = 64};
    memcpy(h.state, key->inner, sizeof h.state);
    ax_sha1_add(&h, data, n);
    ax_sha1_add(&h, tail, ntail);
    ax_sha1_end(&h, out);
    h.size = 64;
    h.held = 0;
    memcpy(h.state, key->outer, sizeof h.state);
    ax_sha1_add(&h, out, AX_SHA1_SIZE);
    ax_sha1_end(&h, out);
}
