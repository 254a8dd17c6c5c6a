/* AES-128: FIPS 197 appendices A and B, SP 800-38A CBC, and every level against the portable one on random blocks. */
#include "ax/aes.h"
#include "ax/err.h"
#include "ax_test.h"

#include <string.h>

static const uint8_t KEY[16] = {0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6, 0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F, 0x3C};

static void fips_197(void)
{
    static const uint8_t in[16] = {0x32, 0x43, 0xF6, 0xA8, 0x88, 0x5A, 0x30, 0x8D, 0x31, 0x31, 0x98, 0xA2, 0xE0, 0x37, 0x07, 0x34};
    static const uint8_t out[16] = {0x39, 0x25, 0x84, 0x1D, 0x02, 0xDC, 0x09, 0xFB, 0xDC, 0x11, 0x85, 0x97, 0x19, 0x6A, 0x0B, 0x32};
    uint8_t got[16];
    struct ax_aes aes;
    ax_aes_init(&aes, KEY);
    ax_aes_encrypt_block(&aes, in, got);
    CHECK(memcmp(got, out, 16) == 0);
    static const uint8_t zero[sizeof aes];
    ax_aes_wipe(&aes);
    CHECK(memcmp(&aes, zero, sizeof aes) == 0);
}

static void sp_800_38a_cbc(void)
{
    static const uint8_t plain[32] = {0x6B, 0xC1, 0xBE, 0xE2, 0x2E, 0x40, 0x9F, 0x96, 0xE9, 0x3D, 0x7E,
                                      0x11, 0x73, 0x93, 0x17, 0x2A, 0xAE, 0x2D, 0x8A, 0x57, 0x1E, 0x03,
                                      0xAC, 0x9C, 0x9E, 0xB7, 0x6F, 0xAC, 0x45, 0xAF, 0x8E, 0x51};
    static const uint8_t cipher[32] = {0x76, 0x49, 0xAB, 0xAC, 0x81, 0x19, 0xB2, 0x46, 0xCE, 0xE9, 0x8E,
                                       0x9B, 0x12, 0xE9, 0x19, 0x7D, 0x50, 0x86, 0xCB, 0x9B, 0x50, 0x72,
                                       0x19, 0xEE, 0x95, 0xDB, 0x11, 0x3A, 0x91, 0x76, 0x78, 0xB2};
    uint8_t iv[16], got[32], mac[16];
    struct ax_aes aes;
    for (uint8_t i = 0; i < 16; i++)
        iv[i] = i;
    ax_aes_init(&aes, KEY);
    ax_aes_cbc_encrypt(&aes, iv, plain, got, 2);
    CHECK(memcmp(got, cipher, 32) == 0);
    ax_aes_cbc_decrypt(&aes, iv, got, got, 2);
    CHECK(memcmp(got, plain, 32) == 0);
    ax_aes_cbc_mac(&aes, &aes, iv, plain, 2, mac);
    CHECK(memcmp(mac, cipher + 16, 16) == 0);
}

static void levels_agree(void)
{
    uint32_t seed = 7;
    int wrong = 0;
    for (int round = 0; round < 200; round++) {
        uint8_t key[2][16], iv[16], in[16 * 9], out[2][16 * 9], back[16 * 9], mac[2][16];
        struct ax_aes a[2], b[2];
        for (size_t i = 0; i < sizeof in; i++)
            in[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
        memcpy(key, in, 32);
        memcpy(iv, in + 32, 16);
        for (int level = 0; level < 2; level++) {
            if (ax_aes_set_level(level) < 0)
                return;
            ax_aes_init(&a[level], key[0]);
            ax_aes_init(&b[level], key[1]);
            ax_aes_cbc_encrypt(&a[level], iv, in, out[level], 9);
            ax_aes_cbc_decrypt(&a[level], iv, out[level], back, 9);
            wrong += memcmp(back, in, sizeof in) != 0;
            ax_aes_cbc_mac(&a[level], &b[level], iv, in, 9, mac[level]);
        }
        wrong += memcmp(out[0], out[1], sizeof out[0]) != 0 || memcmp(mac[0], mac[1], 16) != 0;
    }
    CHECK_EQ(wrong, 0);
}

int main(void)
{
    for (int level = 0; level <= ax_aes_best(); level++) {
        CHECK_EQ(ax_aes_set_level(level), AX_OK);
        fips_197();
        sp_800_38a_cbc();
    }
    CHECK_EQ(ax_aes_set_level(ax_aes_best() + 1), AX_E_RANGE);
    levels_agree();
    return ax_test_done();
}
