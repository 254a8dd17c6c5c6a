/* AES-128 by the Cryptography Extension of 64-bit Arm. AESE adds the key before the round, so the last key is added apart.
 * The key schedule is the portable one: it runs once in a handshake.
 * Units: bytes. Threads: contexts are read only. Allocation: none. Compiled with -march=armv8-a+crypto. */
#include "ax_aes_internal.h"

#include <arm_neon.h>

static void init(struct ax_aes *aes, const uint8_t key[16])
{
    ax_aes_expand(key, aes->encrypt);
    for (int round = 0; round <= 10; round++) {
        const uint8x16_t k = vld1q_u8(aes->encrypt[10 - round]);
        vst1q_u8(aes->decrypt[round], round && round < 10 ? vaesimcq_u8(k) : k);
    }
}

static inline uint8x16_t encrypt1(const struct ax_aes *aes, uint8x16_t x)
{
    for (int round = 0; round < 9; round++)
        x = vaesmcq_u8(vaeseq_u8(x, vld1q_u8(aes->encrypt[round])));
    return veorq_u8(vaeseq_u8(x, vld1q_u8(aes->encrypt[9])), vld1q_u8(aes->encrypt[10]));
}

static inline uint8x16_t decrypt1(const struct ax_aes *aes, uint8x16_t x)
{
    for (int round = 0; round < 9; round++)
        x = vaesimcq_u8(vaesdq_u8(x, vld1q_u8(aes->decrypt[round])));
    return veorq_u8(vaesdq_u8(x, vld1q_u8(aes->decrypt[9])), vld1q_u8(aes->decrypt[10]));
}

static void encrypt(const struct ax_aes *aes, const uint8_t in[16], uint8_t out[16])
{
    vst1q_u8(out, encrypt1(aes, vld1q_u8(in)));
}

static void cbc_encrypt(const struct ax_aes *aes, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
    uint8x16_t chain = vld1q_u8(iv);
    for (size_t i = 0; i < blocks; i++) {
        chain = encrypt1(aes, veorq_u8(chain, vld1q_u8(in + 16 * i)));
        vst1q_u8(out + 16 * i, chain);
    }
}

static void cbc_decrypt(const struct ax_aes *aes, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
    uint8x16_t chain = vld1q_u8(iv);
    for (size_t i = 0; i < blocks; i++) {
        const uint8x16_t c = vld1q_u8(in + 16 * i);
        vst1q_u8(out + 16 * i, veorq_u8(decrypt1(aes, c), chain));
        chain = c;
    }
}

static void cbc_mac(const struct ax_aes *first, const struct ax_aes *last, const uint8_t iv[16], const uint8_t *in,
                    size_t blocks, uint8_t mac[16])
{
    uint8x16_t chain = vld1q_u8(iv);
    for (size_t i = 0; i + 1 < blocks; i++)
        chain = encrypt1(first, veorq_u8(chain, vld1q_u8(in + 16 * i)));
    vst1q_u8(mac, encrypt1(last, veorq_u8(chain, vld1q_u8(in + 16 * (blocks - 1)))));
}

static void ctr(const struct ax_aes *aes, const uint8_t counter[16], const uint8_t *in, uint8_t *out, size_t n)
{
    uint8_t block[16], key[16];
    vst1q_u8(block, vld1q_u8(counter));
    for (size_t i = 0; i < n; i += 16) {
        vst1q_u8(key, encrypt1(aes, vld1q_u8(block)));
        ax_aes_count(block, 1);
        for (size_t j = 0; j < 16 && i + j < n; j++)
            out[i + j] = in[i + j] ^ key[j];
    }
}

const struct ax_aes_ops ax_aes_ops_ce = {init, encrypt, cbc_encrypt, cbc_decrypt, cbc_mac, ctr};
