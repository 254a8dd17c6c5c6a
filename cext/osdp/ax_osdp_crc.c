/* CRC-16 of OSDP: portable slicing by 16 (Kounavis and Berry, 2005) and the choice of the variant. Poll frames have 6 to 12
 * bytes under the CRC, so short lengths go through at most three steps and never reach a variant.
 * Units: bytes. Threads: any; the level is one word, written at load and by the test hook. Allocation: none. */
#include "ax/osdp_crc.h"

#include "ax/err.h"
#include "ax_osdp_crc_internal.h"

#if defined(__aarch64__) && defined(AX_HAVE_CRYPTO)
#include <sys/auxv.h>
#endif

#define LONG 128 /* From here on, carry-less multiplication pays. */

static int level = -1;

uint16_t ax_osdp_crc_generic(uint16_t crc, const uint8_t *p, size_t n)
{
    for (; n >= 16; p += 16, n -= 16)
        crc = ax_osdp_crc_16(crc, p);
    if (n & 8) {
        crc = ax_osdp_crc_8(crc, p);
        p += 8;
    }
    return ax_osdp_crc_tail(crc, p, n & 7);
}

int ax_osdp_crc_best(void)
{
#ifdef AX_HAVE_VPCLMUL
    if (__builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("pclmul"))
        return AX_OSDP_CRC_VCLMUL;
#endif
#ifdef AX_HAVE_PCLMUL
    if (__builtin_cpu_supports("pclmul") && __builtin_cpu_supports("ssse3"))
        return AX_OSDP_CRC_CLMUL;
#endif
#if defined(__aarch64__) && defined(AX_HAVE_CRYPTO)
    if (getauxval(AT_HWCAP) & 1UL << 4) /* HWCAP_PMULL */
        return AX_OSDP_CRC_CLMUL;
#endif
    return AX_OSDP_CRC_GENERIC;
}

int ax_osdp_crc_set_level(int wanted)
{
    if (wanted < 0 || wanted > ax_osdp_crc_best())
        return AX_E_RANGE;
    level = wanted;
    return AX_OK;
}

static uint16_t long_crc(uint16_t crc, const uint8_t *p, size_t n)
{
    if (level < 0)
        level = ax_osdp_crc_best();
#ifdef AX_HAVE_VPCLMUL
    if (level == AX_OSDP_CRC_VCLMUL && n >= 256)
        return ax_osdp_crc_vpclmul(crc, p, n);
#endif
#ifdef AX_HAVE_PCLMUL
    if (level >= AX_OSDP_CRC_CLMUL)
        return ax_osdp_crc_pclmul(crc, p, n);
#endif
#if defined(__aarch64__) && defined(AX_HAVE_CRYPTO)
    if (level >= AX_OSDP_CRC_CLMUL)
        return ax_osdp_crc_pmull(crc, p, n);
#endif
    return ax_osdp_crc_generic(crc, p, n);
}

uint16_t ax_osdp_crc(uint16_t crc, const void *data, size_t n)
{
    return n < LONG ? ax_osdp_crc_generic(crc, data, n) : long_crc(crc, data, n);
}

uint8_t ax_osdp_checksum(const void *data, size_t n)
{
    const uint8_t *p = data;
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += p[i];
    return (uint8_t)(0u - sum);
}
