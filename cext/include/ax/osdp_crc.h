/* The two check values of an OSDP frame (SIA OSDP 2.2, 5.8): CRC-16 with polynomial 0x1021, start 0x1D0F, not reflected
 * (known as CRC-16/SPI-FUJITSU or AUG-CCITT), and the checksum, the two's complement of the sum of bytes.
 *
 * Units: bytes. Threads: any; the level is chosen once. Allocation: none. */
#ifndef AX_OSDP_CRC_H
#define AX_OSDP_CRC_H

#include <stddef.h>
#include <stdint.h>

#define AX_OSDP_CRC_INIT 0x1D0F /**< Where the CRC of a frame starts. */

/** Variants of the CRC. All of them give the same values. */
enum ax_osdp_crc_level {
    AX_OSDP_CRC_GENERIC = 0, /**< Tables, 16 bytes a step. */
    AX_OSDP_CRC_CLMUL = 1,   /**< Carry-less multiplication, 64 bytes a step: PCLMULQDQ or PMULL. */
    AX_OSDP_CRC_VCLMUL = 2,  /**< 256 bytes a step: VPCLMULQDQ with 512-bit registers. */
    AX_OSDP_CRC_LEVEL_END,
};

/** CRC of `n` bytes, going on from `crc` (AX_OSDP_CRC_INIT for a new frame). */
uint16_t ax_osdp_crc(uint16_t crc, const void *data, size_t n);
/** Two's complement of the sum of `n` bytes. */
uint8_t ax_osdp_checksum(const void *data, size_t n);

/** The best level of this machine. */
int ax_osdp_crc_best(void);
/** Test hook: use this level from now on. AX_E_RANGE when the machine or the build does not have it. */
int ax_osdp_crc_set_level(int level);

#endif
