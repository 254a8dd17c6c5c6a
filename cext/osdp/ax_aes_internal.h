/* What a variant of AES gives to the dispatcher. Inside cext/osdp only. */
#ifndef AX_AES_INTERNAL_H
#define AX_AES_INTERNAL_H

#include "ax/aes.h"

/** One variant. Contracts as in ax/aes.h. */
struct ax_aes_ops {
    void (*init)(struct ax_aes *aes, const uint8_t key[16]);
    void (*encrypt)(const struct ax_aes *aes, const uint8_t in[16], uint8_t out[16]);
    void (*cbc_encrypt)(const struct ax_aes *aes, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t blocks);
    void (*cbc_decrypt)(const struct ax_aes *aes, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t blocks);
    void (*cbc_mac)(const struct ax_aes *first, const struct ax_aes *last, const uint8_t iv[16], const uint8_t *in,
                    size_t blocks, uint8_t mac[16]);
    void (*ctr)(const struct ax_aes *aes, const uint8_t counter[16], const uint8_t *in, uint8_t *out, size_t n);
};

/** Add `by` to the last four bytes, big endian. */
static inline void ax_aes_count(uint8_t counter[16], uint32_t by)
{
    const uint32_t was = (uint32_t)counter[12] << 24 | (uint32_t)counter[13] << 16 | (uint32_t)counter[14] << 8 | counter[15];
    for (int i = 0; i < 4; i++)
        counter[12 + i] = (uint8_t)((was + by) >> (24 - 8 * i));
}

extern const struct ax_aes_ops ax_aes_ops_generic;
extern const struct ax_aes_ops ax_aes_ops_ni;
extern const struct ax_aes_ops ax_aes_ops_ce;

/** The key schedule in plain bytes, in constant time. */
void ax_aes_expand(const uint8_t key[16], uint8_t out[11][16]);

#endif
