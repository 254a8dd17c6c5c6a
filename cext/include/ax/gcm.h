/* AES-128-GCM (NIST SP 800-38D) with nonces of 12 bytes and tags of 16, for SRTP (RFC 7714).
 *
 * Variants of the hash: carry-less multiplication of the processor (x86), or a portable one made of integer
 * multiplications. Neither reads memory nor branches by key or data. AES as in ax/aes.h.
 * Units: bytes. `in` and `out` may be the same buffer. Threads: keys are read only after init. Allocation: none. */
#ifndef AX_GCM_H
#define AX_GCM_H

#include "ax/aes.h"

#define AX_GCM_NONCE 12
#define AX_GCM_TAG 16

enum ax_gcm_level {
    AX_GCM_GENERIC = 0,
    AX_GCM_NATIVE = 1,
};

struct ax_gcm {
    struct ax_aes aes;
    uint64_t key[2]; /**< Of the hash: high half first. */
    int level;
};

/** What is authenticated but not encrypted, in two pieces. */
struct ax_gcm_aad {
    const uint8_t *data, *tail;
    size_t n, ntail;
};

void ax_gcm_init(struct ax_gcm *gcm, const uint8_t key[16]);
void ax_gcm_wipe(struct ax_gcm *gcm);
void ax_gcm_seal(const struct ax_gcm *gcm, const uint8_t nonce[AX_GCM_NONCE], const struct ax_gcm_aad *aad,
                 const uint8_t *in, uint8_t *out, size_t n, uint8_t tag[AX_GCM_TAG]);
/** AX_OK, or AX_E_PARITY: the tag does not hold and nothing was written. */
int ax_gcm_open(const struct ax_gcm *gcm, const uint8_t nonce[AX_GCM_NONCE], const struct ax_gcm_aad *aad,
                const uint8_t *in, uint8_t *out, size_t n, const uint8_t tag[AX_GCM_TAG]);

/** The best level of the hash on this machine. */
int ax_gcm_best(void);
/** Test hook: keys made from now on use this level. AX_E_RANGE when it is not there. */
int ax_gcm_set_level(int level);

#endif
