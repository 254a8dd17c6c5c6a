/* AES-128 by the AES instructions of x86 (Gueron, Intel, 2012). Decryption runs four blocks side by side.
 * Units: bytes. Threads: contexts are read only. Allocation: none. Compiled with -maes -mssse3. */
#include "ax_aes_internal.h"

#include <immintrin.h>

static inline __m128i get(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline void put(uint8_t *p, __m128i x)
{
    _mm_storeu_si128((__m128i *)(void *)p, x);
}

static inline __m128i next_key(__m128i key, __m128i assist)
{
    assist = _mm_shuffle_epi32(assist, 0xFF);
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
    return _mm_xor_si128(key, assist);
}

static void init(struct ax_aes *aes, const uint8_t key[16])
{
    __m128i k[11];
    k[0] = get(key);
    k[1] = next_key(k[0], _mm_aeskeygenassist_si128(k[0], 0x01));
    k[2] = next_key(k[1], _mm_aeskeygenassist_si128(k[1], 0x02));
    k[3] = next_key(k[2], _mm_aeskeygenassist_si128(k[2], 0x04));
    k[4] = next_key(k[3], _mm_aeskeygenassist_si128(k[3], 0x08));
    k[5] = next_key(k[4], _mm_aeskeygenassist_si128(k[4], 0x10));
    k[6] = next_key(k[5], _mm_aeskeygenassist_si128(k[5], 0x20));
    k[7] = next_key(k[6], _mm_aeskeygenassist_si128(k[6], 0x40));
    k[8] = next_key(k[7], _mm_aeskeygenassist_si128(k[7], 0x80));
    k[9] = next_key(k[8], _mm_aeskeygenassist_si128(k[8], 0x1B));
    k[10] = next_key(k[9], _mm_aeskeygenassist_si128(k[9], 0x36));
    for (int round = 0; round <= 10; round++) {
        put(aes->encrypt[round], k[round]);
        put(aes->decrypt[round], round && round < 10 ? _mm_aesimc_si128(k[10 - round]) : k[10 - round]);
    }
}

static inline __m128i encrypt1(const struct ax_aes *aes, __m128i x)
{
    x = _mm_xor_si128(x, get(aes->encrypt[0]));
    for (int round = 1; round < 10; round++)
        x = _mm_aesenc_si128(x, get(aes->encrypt[round]));
    return _mm_aesenclast_si128(x, get(aes->encrypt[10]));
}

static inline __m128i decrypt1(const struct ax_aes *aes, __m128i x)
{
    x = _mm_xor_si128(x, get(aes->decrypt[0]));
    for (int round = 1; round < 10; round++)
        x = _mm_aesdec_si128(x, get(aes->decrypt[round]));
    return _mm_aesdeclast_si128(x, get(aes->decrypt[10]));
}

static void encrypt(const struct ax_aes *aes, const uint8_t in[16], uint8_t out[16])
{
    put(out, encrypt1(aes, get(in)));
}

static void cbc_encrypt(const struct ax_aes *aes, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
    __m128i chain = get(iv);
    for (size_t i = 0; i < blocks; i++) {
        chain = encrypt1(aes, _mm_xor_si128(chain, get(in + 16 * i)));
        put(out + 16 * i, chain);
    }
}

static void cbc_decrypt(const struct ax_aes *aes, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
    __m128i chain = get(iv);
    size_t i = 0;
    for (; i + 4 <= blocks; i += 4) {
        const __m128i c0 = get(in + 16 * i), c1 = get(in + 16 * i + 16), c2 = get(in + 16 * i + 32), c3 = get(in + 16 * i + 48);
        __m128i k = get(aes->decrypt[0]);
        __m128i a = _mm_xor_si128(c0, k), b = _mm_xor_si128(c1, k), c = _mm_xor_si128(c2, k), d = _mm_xor_si128(c3, k);
        for (int round = 1; round < 10; round++) {
            k = get(aes->decrypt[round]);
            a = _mm_aesdec_si128(a, k);
            b = _mm_aesdec_si128(b, k);
            c = _mm_aesdec_si128(c, k);
            d = _mm_aesdec_si128(d, k);
        }
        k = get(aes->decrypt[10]);
        put(out + 16 * i, _mm_xor_si128(_mm_aesdeclast_si128(a, k), chain));
        put(out + 16 * i + 16, _mm_xor_si128(_mm_aesdeclast_si128(b, k), c0));
        put(out + 16 * i + 32, _mm_xor_si128(_mm_aesdeclast_si128(c, k), c1));
        put(out + 16 * i + 48, _mm_xor_si128(_mm_aesdeclast_si128(d, k), c2));
        chain = c3;
    }
    for (; i < blocks; i++) {
        const __m128i c = get(in + 16 * i);
        put(out + 16 * i, _mm_xor_si128(decrypt1(aes, c), chain));
        chain = c;
    }
}

static void cbc_mac(const struct ax_aes *first, const struct ax_aes *last, const uint8_t iv[16], const uint8_t *in,
                    size_t blocks, uint8_t mac[16])
{
    __m128i chain = get(iv);
    for (size_t i = 0; i + 1 < blocks; i++)
        chain = encrypt1(first, _mm_xor_si128(chain, get(in + 16 * i)));
    put(mac, encrypt1(last, _mm_xor_si128(chain, get(in + 16 * (blocks - 1)))));
}

/* Four counters side by side: the instructions take four turns to answer, and one to begin. */
static void keys4(const struct ax_aes *aes, __m128i counter, __m128i out[4])
{
    const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m128i k = get(aes->encrypt[0]);
    for (int i = 0; i < 4; i++)
        out[i] = _mm_xor_si128(_mm_shuffle_epi8(_mm_add_epi32(counter, _mm_set_epi32(i, 0, 0, 0)), swap), k);
    for (int round = 1; round < 10; round++) {
        k = get(aes->encrypt[round]);
        for (int i = 0; i < 4; i++)
            out[i] = _mm_aesenc_si128(out[i], k);
    }
    k = get(aes->encrypt[10]);
    for (int i = 0; i < 4; i++)
        out[i] = _mm_aesenclast_si128(out[i], k);
}

static void ctr(const struct ax_aes *aes, const uint8_t counter[16], const uint8_t *in, uint8_t *out, size_t n)
{
    const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m128i count = _mm_shuffle_epi8(get(counter), swap), keys[4];
    uint8_t last[64];
    for (; n >= 64; n -= 64, in += 64, out += 64) {
        keys4(aes, count, keys);
        for (int i = 0; i < 4; i++)
            put(out + 16 * i, _mm_xor_si128(get(in + 16 * i), keys[i]));
        count = _mm_add_epi32(count, _mm_set_epi32(4, 0, 0, 0));
    }
    if (n == 0)
        return;
    keys4(aes, count, keys);
    for (int i = 0; i < 4; i++)
        put(last + 16 * i, keys[i]);
    for (size_t i = 0; i < n; i++)
        out[i] = in[i] ^ last[i];
}

const struct ax_aes_ops ax_aes_ops_ni = {init, encrypt, cbc_encrypt, cbc_decrypt, cbc_mac, ctr};
