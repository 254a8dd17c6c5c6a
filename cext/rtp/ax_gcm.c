/* AES-128-GCM after NIST SP 800-38D sections 6 and 7, and its hash in portable constant time.
 *
 * The hash multiplies polynomials with integer multiplications: operands are cut into four, each with three zero bits
 * between two bits, so that sums of products do not carry into the bit that is kept. Bits are reflected, so the product
 * of 128 by 128 bits comes out one place too low.
 * Units: bytes. Threads: any. Allocation: none. */
#include "ax/gcm.h"

#include "ax/err.h"
#include "ax_ghash.h"
#include "ax_rtp_bytes.h"

#define EVERY_FOURTH 0x1111111111111111ull

/* The low 64 bits of the carry-less product. Up to 16 terms meet in a column and fill its four bits. */
static uint64_t product_low(uint64_t x, uint64_t y)
{
    uint64_t xs[4], ys[4], out = 0;
    for (int i = 0; i < 4; i++) {
        xs[i] = x & EVERY_FOURTH << i;
        ys[i] = y & EVERY_FOURTH << i;
    }
    for (int k = 0; k < 4; k++) {
        uint64_t sum = 0;
        for (int i = 0; i < 4; i++)
            sum ^= xs[i] * ys[(k - i) & 3];
        out |= sum & EVERY_FOURTH << k;
    }
    return out;
}

static uint64_t reverse(uint64_t x)
{
    x = (x & 0x5555555555555555ull) << 1 | (x >> 1 & 0x5555555555555555ull);
    x = (x & 0x3333333333333333ull) << 2 | (x >> 2 & 0x3333333333333333ull);
    x = (x & 0x0F0F0F0F0F0F0F0Full) << 4 | (x >> 4 & 0x0F0F0F0F0F0F0F0Full);
    return __builtin_bswap64(x);
}

/* 64 by 64 to 128 bits: the high half is the low half of the product of the reversed operands. */
static void product(uint64_t x, uint64_t y, uint64_t out[2])
{
    out[1] = product_low(x, y);
    out[0] = reverse(product_low(reverse(x), reverse(y))) >> 1;
}

/* y = y * key modulo x^128 + x^7 + x^2 + x + 1, reflected. */
static void multiply(uint64_t y[2], const uint64_t key[2])
{
    uint64_t high[2], low[2], middle[2];
    product(y[0], key[0], high);
    product(y[1], key[1], low);
    product(y[0] ^ y[1], key[0] ^ key[1], middle);
    middle[0] ^= high[0] ^ low[0];
    middle[1] ^= high[1] ^ low[1];
    uint64_t z3 = high[0], z2 = high[1] ^ middle[0], z1 = low[0] ^ middle[1], z0 = low[1];
    z3 = z3 << 1 | z2 >> 63; /* one place up */
    z2 = z2 << 1 | z1 >> 63;
    z1 = z1 << 1 | z0 >> 63;
    z0 <<= 1;
    /* z1 and z0 hold x^128 and more; fold them into z3 and z2, low end first. */
    z2 ^= z0 ^ z0 >> 1 ^ z0 >> 2 ^ z0 >> 7;
    z1 ^= z0 << 63 ^ z0 << 62 ^ z0 << 57;
    z3 ^= z1 ^ z1 >> 1 ^ z1 >> 2 ^ z1 >> 7;
    z2 ^= z1 << 63 ^ z1 << 62 ^ z1 << 57;
    y[0] = z3;
    y[1] = z2;
}

void ax_ghash_generic(uint64_t y[2], const uint64_t key[2], const uint8_t *data, size_t blocks)
{
    for (; blocks; blocks--, data += 16) {
        y[0] ^= ax_get64(data);
        y[1] ^= ax_get64(data + 8);
        multiply(y, key);
    }
}

static int level = -1;

int ax_gcm_best(void)
{
#ifdef AX_HAVE_PCLMUL
    if (__builtin_cpu_supports("pclmul") && __builtin_cpu_supports("ssse3"))
        return AX_GCM_NATIVE;
#endif
    return AX_GCM_GENERIC;
}

int ax_gcm_set_level(int wanted)
{
    if (wanted < 0 || wanted > ax_gcm_best())
        return AX_E_RANGE;
    level = wanted;
    return AX_OK;
}

static void hash_blocks(const struct ax_gcm *gcm, uint64_t y[2], const uint8_t *data, size_t blocks)
{
#ifdef AX_HAVE_PCLMUL
    if (gcm->level == AX_GCM_NATIVE) {
        ax_ghash_pclmul(y, gcm->key, data, blocks);
        return;
    }
#endif
    ax_ghash_generic(y, gcm->key, data, blocks);
}

void ax_gcm_init(struct ax_gcm *gcm, const uint8_t key[16])
{
    uint8_t block[16] = {0};
    if (level < 0)
        level = ax_gcm_best();
    gcm->level = level;
    ax_aes_init(&gcm->aes, key);
    ax_aes_encrypt_block(&gcm->aes, block, block);
    gcm->key[0] = ax_get64(block);
    gcm->key[1] = ax_get64(block + 8);
    explicit_bzero(block, sizeof block);
}

void ax_gcm_wipe(struct ax_gcm *gcm)
{
    explicit_bzero(gcm, sizeof *gcm);
}

/* Two pieces as one string, filled up with zeros to whole blocks. */
static void hash(const struct ax_gcm *gcm, uint64_t y[2], const uint8_t *data, size_t n, const uint8_t *tail, size_t ntail)
{
    uint8_t block[16];
    hash_blocks(gcm, y, data, n / 16);
    size_t held = n % 16;
    if (held)
        memcpy(block, data + n - held, held);
    for (; ntail; ntail--) {
        block[held++] = *tail++;
        if (held == 16) {
            hash_blocks(gcm, y, block, 1);
            held = 0;
        }
    }
    if (held) {
        memset(block + held, 0, 16 - held);
        hash_blocks(gcm, y, block, 1);
    }
}

static void make_tag(const struct ax_gcm *gcm, const uint8_t counter[16], const struct ax_gcm_aad *aad, const uint8_t *cipher,
                     size_t n, uint8_t tag[16])
{
    uint64_t y[2] = {0, 0};
    uint8_t sizes[16], mask[16];
    hash(gcm, y, aad->data, aad->n, aad->tail, aad->ntail);
    hash(gcm, y, cipher, n, NULL, 0);
    ax_put64(sizes, 8 * (uint64_t)(aad->n + aad->ntail));
    ax_put64(sizes + 8, 8 * (uint64_t)n);
    hash_blocks(gcm, y, sizes, 1);
    ax_aes_encrypt_block(&gcm->aes, counter, mask);
    ax_put64(tag, y[0] ^ ax_get64(mask));
    ax_put64(tag + 8, y[1] ^ ax_get64(mask + 8));
}

void ax_gcm_seal(const struct ax_gcm *gcm, const uint8_t nonce[AX_GCM_NONCE], const struct ax_gcm_aad *aad,
                 const uint8_t *in, uint8_t *out, size_t n, uint8_t tag[AX_GCM_TAG])
{
    uint8_t counter[16];
    memcpy(counter, nonce, AX_GCM_NONCE);
    ax_put32(counter + 12, 2);
    ax_aes_ctr(&gcm->aes, counter, in, out, n);
    counter[15] = 1;
    make_tag(gcm, counter, aad, out, n, tag);
}

int ax_gcm_open(const struct ax_gcm *gcm, const uint8_t nonce[AX_GCM_NONCE], const struct ax_gcm_aad *aad,
                const uint8_t *in, uint8_t *out, size_t n, const uint8_t tag[AX_GCM_TAG])
{
    uint8_t counter[16], right[16], wrong = 0;
    memcpy(counter, nonce, AX_GCM_NONCE);
    ax_put32(counter + 12, 1);
    make_tag(gcm, counter, aad, in, n, right);
    for (int i = 0; i < AX_GCM_TAG; i++)
        wrong |= right[i] ^ tag[i];
    if (wrong)
        return AX_E_PARITY;
    counter[15] = 2;
    ax_aes_ctr(&gcm->aes, counter, in, out, n);
    return AX_OK;
}
