/* The hash of GCM over whole blocks. Inside cext/rtp only. State and key: the 128-bit string as it is read, high half
 * first (the coefficient of x^0 is the highest bit). Units: blocks of 16 bytes. Threads: any. Allocation: none. */
#ifndef AX_GHASH_H
#define AX_GHASH_H

#include <stddef.h>
#include <stdint.h>

void ax_ghash_generic(uint64_t y[2], const uint64_t key[2], const uint8_t *data, size_t blocks);
void ax_ghash_pclmul(uint64_t y[2], const uint64_t key[2], const uint8_t *data, size_t blocks);

#endif
