/* AES-128 (FIPS 197) in the ways that OSDP (CBC, and CBC with the last block under a second key as
 * MAC) and SRTP (counter mode) use it.
 *
 * Variants: the processor's AES instructions (x86 AES-NI, Arm Cryptography Extension), or a bitsliced portable one. None
 * reads memory or branches by key or data. A context stays with the variant it was made with.
 * Units: bytes; a block has 16. `in` and `out` may be the same buffer. Threads: contexts are read only after init.
 * Allocation: none. */
#ifndef AX_AES_H
#define AX_AES_H

#include <stddef.h>
#include <stdint.h>

#define AX_AES_BLOCK 16

enum ax_aes_level {
    AX_AES_GENERIC = 0, /**< Bitsliced, constant time. */
    AX_AES_NATIVE = 1,  /**< AES instructions of the processor. */
    AX_AES_LEVEL_END,
};

struct ax_aes_ops;

/** Expanded keys, in the form of the variant that expanded them. Wipe with ax_aes_wipe. */
struct ax_aes {
    _Alignas(16) uint8_t encrypt[11][AX_AES_BLOCK];
    _Alignas(16) uint8_t decrypt[11][AX_AES_BLOCK]; /**< Not used by the portable variant. */
    const struct ax_aes_ops *ops;
};

void ax_aes_init(struct ax_aes *aes, const uint8_t key[16]);
/** Overwrite the keys; the compiler may not leave this out. */
void ax_aes_wipe(struct ax_aes *aes);
void ax_aes_encrypt_block(const struct ax_aes *aes, const uint8_t in[16], uint8_t out[16]);
/** CBC over whole blocks. `iv` is not changed. */
void ax_aes_cbc_encrypt(const struct ax_aes *aes, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t blocks);
void ax_aes_cbc_decrypt(const struct ax_aes *aes, const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t blocks);
/** The last block of CBC over `blocks` >= 1 blocks, all under `first` but the last, which is under `last`. */
void ax_aes_cbc_mac(const struct ax_aes *first, const struct ax_aes *last, const uint8_t iv[16], const uint8_t *in,
                    size_t blocks, uint8_t mac[16]);

/** Counter mode: `in` XOR the encrypted counters. The last four bytes of `counter` count the blocks, from what they are on;
 * `n` bytes are at most 2^32 blocks. `counter` is not changed. */
void ax_aes_ctr(const struct ax_aes *aes, const uint8_t counter[16], const uint8_t *in, uint8_t *out, size_t n);

/** The best level of this machine. */
int ax_aes_best(void);
/** Test hook: contexts made from now on use this level. AX_E_RANGE when it is not there. */
int ax_aes_set_level(int level);

#endif
