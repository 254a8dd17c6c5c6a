/* AES-128: the portable variant and the choice of the variant. Bitsliced: eight words hold the eight bits of all 16 bytes
 * of one block, so the S-box is a circuit (Boyar and Peralta, "A depth-16 circuit for the AES S-box", 2011, 113 gates and
 * 23 of linear input) and nothing is looked up. One block at a time, because the chains of OSDP are serial anyway.
 * The inverse S-box is the forward one between two inverse affine maps, since inversion in the field is its own inverse.
 * Units: bytes. Threads: contexts are read only. Allocation: none. */
#include "ax/aes.h"

#include "ax/err.h"
#include "ax_aes_internal.h"

#include <string.h>

#if defined(__aarch64__) && defined(AX_HAVE_CRYPTO)
#include <sys/auxv.h>
#endif

/* Word b holds bit b of byte i at bit i; only the low 16 bits are used. Byte i is row i % 4 of column i / 4. */
typedef uint32_t slice[8];

static uint64_t transpose8(uint64_t x)
{
    uint64_t t = (x ^ x >> 7) & 0x00AA00AA00AA00AAull;
    x ^= t ^ t << 7;
    t = (x ^ x >> 14) & 0x0000CCCC0000CCCCull;
    x ^= t ^ t << 14;
    t = (x ^ x >> 28) & 0x00000000F0F0F0F0ull;
    return x ^ t ^ t << 28;
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

static void load(slice q, const uint8_t in[16])
{
    const uint64_t low = transpose8(load64(in)), high = transpose8(load64(in + 8));
    for (int b = 0; b < 8; b++)
        q[b] = (uint32_t)(low >> 8 * b & 255) | (uint32_t)(high >> 8 * b & 255) << 8;
}

static void store(const slice q, uint8_t out[16])
{
    uint64_t low = 0, high = 0;
    for (int b = 0; b < 8; b++) {
        low |= (uint64_t)(q[b] & 255) << 8 * b;
        high |= (uint64_t)(q[b] >> 8 & 255) << 8 * b;
    }
    low = transpose8(low);
    high = transpose8(high);
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)(low >> 8 * i);
        out[8 + i] = (uint8_t)(high >> 8 * i);
    }
}

/* Names as in the paper: x0 is the most significant bit. */
static void sub_bytes(slice q)
{
    const uint32_t x0 = q[7], x1 = q[6], x2 = q[5], x3 = q[4], x4 = q[3], x5 = q[2], x6 = q[1], x7 = q[0];
    const uint32_t y14 = x3 ^ x5, y13 = x0 ^ x6, y9 = x0 ^ x3, y8 = x0 ^ x5, t0 = x1 ^ x2;
    const uint32_t y1 = t0 ^ x7, y4 = y1 ^ x3, y12 = y13 ^ y14, y2 = y1 ^ x0, y5 = y1 ^ x6, y3 = y5 ^ y8;
    const uint32_t t1 = x4 ^ y12, y15 = t1 ^ x5, y20 = t1 ^ x1, y6 = y15 ^ x7, y10 = y15 ^ t0, y11 = y20 ^ y9;
    const uint32_t y7 = x7 ^ y11, y17 = y10 ^ y11, y19 = y10 ^ y8, y16 = t0 ^ y11, y21 = y13 ^ y16, y18 = x0 ^ y16;
    const uint32_t t2 = y12 & y15, t7 = y13 & y16, t12 = y9 & y11;
    const uint32_t t4 = (y3 & y6) ^ t2, t6 = (y4 & x7) ^ t2, t9 = (y5 & y1) ^ t7, t11 = (y2 & y7) ^ t7;
    const uint32_t t14 = (y14 & y17) ^ t12, t16 = (y8 & y10) ^ t12;
    const uint32_t t21 = t4 ^ t14 ^ y20, t22 = t6 ^ t16 ^ y19, t23 = t9 ^ t14 ^ y21, t24 = t11 ^ t16 ^ y18;
    const uint32_t t25 = t21 ^ t22, t26 = t21 & t23, t27 = t24 ^ t26, t29 = (t25 & t27) ^ t22, t30 = t23 ^ t24;
    const uint32_t t33 = ((t22 ^ t26) & t30) ^ t24, t34 = t23 ^ t33, t36 = t24 & (t27 ^ t33), t37 = t36 ^ t34;
    const uint32_t t40 = t25 ^ (t29 & (t27 ^ t36)), t41 = t40 ^ t37, t42 = t29 ^ t33, t43 = t29 ^ t40;
    const uint32_t t44 = t33 ^ t37, t45 = t42 ^ t41;
    const uint32_t z0 = t44 & y15, z1 = t37 & y6, z2 = t33 & x7, z3 = t43 & y16, z4 = t40 & y1, z5 = t29 & y7;
    const uint32_t z6 = t42 & y11, z7 = t45 & y17, z8 = t41 & y10, z9 = t44 & y12, z10 = t37 & y3, z11 = t33 & y4;
    const uint32_t z12 = t43 & y13, z13 = t40 & y5, z14 = t29 & y2, z15 = t42 & y9, z16 = t45 & y14, z17 = t41 & y8;
    const uint32_t t46 = z15 ^ z16, t47 = z10 ^ z11, t48 = z5 ^ z13, t49 = z9 ^ z10, t50 = z2 ^ z12, t51 = z2 ^ z5;
    const uint32_t t52 = z7 ^ z8, t53 = z0 ^ z3, t54 = z6 ^ z7, t55 = z16 ^ z17, t56 = z12 ^ t48, t57 = t50 ^ t53;
    const uint32_t t58 = z4 ^ t46, t59 = z3 ^ t54, t60 = t46 ^ t57, t61 = z14 ^ t57, t62 = t52 ^ t58, t63 = t49 ^ t58;
    const uint32_t t64 = z4 ^ t59, t65 = t61 ^ t62, t66 = z1 ^ t63, t67 = t64 ^ t65, s3 = t53 ^ t66;
    q[7] = t59 ^ t63;
    q[6] = t64 ^ ~s3;
    q[5] = t55 ^ ~t67;
    q[4] = s3;
    q[3] = t51 ^ t66;
    q[2] = t47 ^ t65;
    q[1] = t56 ^ ~t62;
    q[0] = t48 ^ ~t60;
}

static void inverse_affine(slice q)
{
    slice x;
    q[0] = ~q[0], q[1] = ~q[1], q[5] = ~q[5], q[6] = ~q[6]; /* 0x63 */
    memcpy(x, q, sizeof x);
    for (int b = 0; b < 8; b++)
        q[b] = x[(b + 2) & 7] ^ x[(b + 5) & 7] ^ x[(b + 7) & 7];
}

static void inverse_sub_bytes(slice q)
{
    inverse_affine(q);
    sub_bytes(q);
    inverse_affine(q);
}

/* Rotate the 16 positions by whole columns, row by row. */
static uint32_t shift_rows(uint32_t w)
{
    w = (w & 0xFFFF) * 0x10001u;
    return (w & 0x1111) | (w >> 4 & 0x2222) | (w >> 8 & 0x4444) | (w >> 12 & 0x8888);
}

static uint32_t inverse_shift_rows(uint32_t w)
{
    w = (w & 0xFFFF) * 0x10001u;
    return (w & 0x1111) | (w >> 12 & 0x2222) | (w >> 8 & 0x4444) | (w >> 4 & 0x8888);
}

static uint32_t next_row(uint32_t w)
{
    return (w >> 1 & 0x7777) | (w << 3 & 0x8888);
}

static uint32_t second_row(uint32_t w)
{
    return (w >> 2 & 0x3333) | (w << 2 & 0xCCCC);
}

static void mix_columns(slice q)
{
    slice r, t;
    for (int b = 0; b < 8; b++) {
        r[b] = next_row(q[b]);
        t[b] = q[b] ^ r[b];
    }
    for (int b = 0; b < 8; b++) {
        const uint32_t doubled = (b ? t[b - 1] : 0) ^ (b == 0 || b == 1 || b == 3 || b == 4 ? t[7] : 0);
        q[b] = doubled ^ r[b] ^ second_row(t[b]);
    }
}

/* The inverse matrix is the forward one times (5, 0, 4, 0): x + 4 (x + second row). */
static void inverse_mix_columns(slice q)
{
    slice t;
    for (int b = 0; b < 8; b++)
        t[b] = q[b] ^ second_row(q[b]);
    for (int b = 0; b < 8; b++) { /* four times: shift by two, fold the two highest bits back */
        uint32_t v = b > 1 ? t[b - 2] : 0;
        v ^= b == 0 || b == 1 || b == 3 || b == 4 ? t[6] : 0;
        v ^= b == 1 || b == 2 || b == 4 || b == 5 ? t[7] : 0;
        q[b] ^= v;
    }
    mix_columns(q);
}

static void add_key(slice q, const uint8_t key[16])
{
    uint16_t k[8];
    memcpy(k, key, sizeof k);
    for (int b = 0; b < 8; b++)
        q[b] ^= k[b];
}

void ax_aes_expand(const uint8_t key[16], uint8_t out[11][16])
{
    uint8_t rcon = 1;
    memcpy(out[0], key, 16);
    for (int round = 1; round <= 10; round++) {
        const uint8_t *before = out[round - 1];
        uint8_t word[16] = {before[13], before[14], before[15], before[12]};
        slice q;
        load(q, word);
        sub_bytes(q);
        store(q, word);
        word[0] ^= rcon;
        rcon = (uint8_t)(rcon << 1 ^ (0x1B & (0u - (rcon >> 7))));
        for (int i = 0; i < 16; i++)
            out[round][i] = before[i] ^ (i < 4 ? word[i] : out[round][i - 4]);
    }
}

static void generic_init(struct ax_aes *aes, const uint8_t key[16])
{
    ax_aes_expand(key, aes->encrypt);
    for (int round = 0; round <= 10; round++) {
        slice q;
        uint16_t k[8];
        load(q, aes->encrypt[round]);
        for (int b = 0; b < 8; b++)
            k[b] = (uint16_t)q[b];
        memcpy(aes->encrypt[round], k, sizeof k);
    }
}

static void generic_encrypt(const struct ax_aes *aes, const uint8_t in[16], uint8_t out[16])
{
    slice q;
    load(q, in);
    add_key(q, aes->encrypt[0]);
    for (int round = 1; round <= 10; round++) {
        sub_bytes(q);
        for (int b = 0; b < 8; b++)
            q[b] = shift_rows(q[b]);
        if (round < 10)
            mix_columns(q);
        add_key(q, aes->encrypt[round]);
    }
    store(q, out);
}

static void generic_decrypt(const struct ax_aes *aes, const uint8_t in[16], uint8_t out[16])
{
    slice q;
    load(q, in);
    add_key(q, aes->encrypt[10]);
    for (int round = 9; round >= 0; round--) {
        for (int b = 0; b < 8; b++)
            q[b] = inverse_shift_rows(q[b]);
        inverse_sub_bytes(q);
        add_key(q, aes->encrypt[round]);
        if (round)
            inverse_mix_columns(q);
    }
    store(q, out);
}

static void xor16(uint8_t x[16], const uint8_t y[16])
{
    for (int i = 0; i < 16; i++)
        x[i] ^= y[i];
}

static void generic_cbc_encrypt(const struct ax_aes *aes, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
    uint8_t chain[16];
    memcpy(chain, iv, 16);
    for (size_t i = 0; i < blocks; i++) {
        xor16(chain, in + 16 * i);
        generic_encrypt(aes, chain, chain);
        memcpy(out + 16 * i, chain, 16);
    }
}

static void generic_cbc_decrypt(const struct ax_aes *aes, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
    uint8_t chain[16], next[16], plain[16];
    memcpy(chain, iv, 16);
    for (size_t i = 0; i < blocks; i++) {
        memcpy(next, in + 16 * i, 16);
        generic_decrypt(aes, next, plain);
        xor16(plain, chain);
        memcpy(out + 16 * i, plain, 16);
        memcpy(chain, next, 16);
    }
}

static void generic_cbc_mac(const struct ax_aes *first, const struct ax_aes *last, const uint8_t iv[16], const uint8_t *in,
                            size_t blocks, uint8_t mac[16])
{
    uint8_t chain[16];
    memcpy(chain, iv, 16);
    for (size_t i = 0; i < blocks; i++) {
        xor16(chain, in + 16 * i);
        generic_encrypt(i + 1 < blocks ? first : last, chain, chain);
    }
    memcpy(mac, chain, 16);
}

static void generic_ctr(const struct ax_aes *aes, const uint8_t counter[16], const uint8_t *in, uint8_t *out, size_t n)
{
    uint8_t block[16], key[16];
    memcpy(block, counter, 16);
    for (size_t i = 0; i < n; i += 16) {
        generic_encrypt(aes, block, key);
        ax_aes_count(block, 1);
        for (size_t j = 0; j < 16 && i + j < n; j++)
            out[i + j] = in[i + j] ^ key[j];
    }
    explicit_bzero(key, sizeof key);
}

const struct ax_aes_ops ax_aes_ops_generic = {
    generic_init, generic_encrypt, generic_cbc_encrypt, generic_cbc_decrypt, generic_cbc_mac, generic_ctr,
};

static int level = -1;

int ax_aes_best(void)
{
#ifdef AX_HAVE_AESNI
    if (__builtin_cpu_supports("aes"))
        return AX_AES_NATIVE;
#endif
#if defined(__aarch64__) && defined(AX_HAVE_CRYPTO)
    if (getauxval(AT_HWCAP) & 1UL << 3) /* HWCAP_AES */
        return AX_AES_NATIVE;
#endif
    return AX_AES_GENERIC;
}

int ax_aes_set_level(int wanted)
{
    if (wanted < 0 || wanted > ax_aes_best())
        return AX_E_RANGE;
    level = wanted;
    return AX_OK;
}

static const struct ax_aes_ops *choose(void)
{
    if (level < 0)
        level = ax_aes_best();
#ifdef AX_HAVE_AESNI
    if (level == AX_AES_NATIVE)
        return &ax_aes_ops_ni;
#endif
#if defined(__aarch64__) && defined(AX_HAVE_CRYPTO)
    if (level == AX_AES_NATIVE)
        return &ax_aes_ops_ce;
#endif
    return &ax_aes_ops_generic;
}

void ax_aes_init(struct ax_aes *aes, const uint8_t key[16])
{
    aes->ops = choose();
    aes->ops->init(aes, key);
}

void ax_aes_wipe(struct ax_aes *aes)
{
    explicit_bzero(aes, sizeof *aes);
}

void ax_aes_encrypt_block(const struct ax_aes *aes, const uint8_t in[16], uint8_t out[16])
{
    aes->ops->encrypt(aes, in, out);
}

void ax_aes_cbc_encrypt(const struct ax_aes *aes, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
    aes->ops->cbc_encrypt(aes, iv, in, out, blocks);
}

void ax_aes_cbc_decrypt(const struct ax_aes *aes, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
    aes->ops->cbc_decrypt(aes, iv, in, out, blocks);
}

void ax_aes_cbc_mac(const struct ax_aes *first, const struct ax_aes *last, const uint8_t iv[16], const uint8_t *in,
                    size_t blocks, uint8_t mac[16])
{
    first->ops->cbc_mac(first, last, iv, in, blocks, mac);
}

void ax_aes_ctr(const struct ax_aes *aes, const uint8_t counter[16], const uint8_t *in, uint8_t *out, size_t n)
{
    aes->ops->ctr(aes, counter, in, out, n);
}
