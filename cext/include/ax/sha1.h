/* SHA-1 (FIPS 180-4 section 6.1) and HMAC (RFC 2104) with it, for SRTP (RFC 3711 section 4.2.1). For nothing new: SHA-1
 * no longer resists collisions; as HMAC it still stands. Neither reads memory nor branches by key or data.
 * Units: bytes. Threads: a key is read only after init; a hash belongs to one thread. Allocation: none. */
#ifndef AX_SHA1_H
#define AX_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define AX_SHA1_SIZE 20

struct ax_sha1 {
    uint32_t state[5];
    uint32_t held; /**< Bytes in `block`. */
    uint64_t size;
    uint8_t block[64];
};

/** A key: the states after the two padded keys, so that a message costs two blocks less. */
struct ax_hmac_sha1 {
    uint32_t inner[5], outer[5];
};

void ax_sha1_init(struct ax_sha1 *h);
void ax_sha1_add(struct ax_sha1 *h, const uint8_t *data, size_t n);
void ax_sha1_end(struct ax_sha1 *h, uint8_t out[AX_SHA1_SIZE]);

void ax_hmac_sha1_init(struct ax_hmac_sha1 *key, const uint8_t *data, size_t n);
/** The MAC of `data` followed by `tail`. */
void ax_hmac_sha1(const struct ax_hmac_sha1 *key, const uint8_t *data, size_t n, const uint8_t *tail, size_t ntail,
                  uint8_t out[AX_SHA1_SIZE]);

#endif
