/* What the variants of the CRC share: the tables and the short tail. Inside cext/osdp only. */
#ifndef AX_OSDP_CRC_INTERNAL_H
#define AX_OSDP_CRC_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/* x^n modulo the polynomial: what moves a lane n bits up the message. */
#define K128 0xAEFC
#define K192 0x650B
#define K256 0x8E29
#define K320 0x26AA
#define K384 0xCDE2
#define K448 0x2535
#define K512 0x13FC
#define K576 0x8832
#define K2048 0xFD50
#define K2112 0xF17E

/** [k][b] is the CRC, from 0, of byte b followed by k zero bytes. */
extern const uint16_t ax_osdp_crc_table[16][256];

uint16_t ax_osdp_crc_generic(uint16_t crc, const uint8_t *p, size_t n);
uint16_t ax_osdp_crc_pclmul(uint16_t crc, const uint8_t *p, size_t n);
uint16_t ax_osdp_crc_vpclmul(uint16_t crc, const uint8_t *p, size_t n);
uint16_t ax_osdp_crc_pmull(uint16_t crc, const uint8_t *p, size_t n);

/* Four bytes at a time, then one or two: for lengths below 8. */
static inline uint16_t ax_osdp_crc_tail(uint16_t crc, const uint8_t *p, size_t n)
{
    const uint16_t(*t)[256] = ax_osdp_crc_table;
    if (n & 4) {
        crc = t[3][p[0] ^ crc >> 8] ^ t[2][p[1] ^ (crc & 255)] ^ t[1][p[2]] ^ t[0][p[3]];
        p += 4;
    }
    if (n & 2) {
        crc = t[1][p[0] ^ crc >> 8] ^ t[0][p[1] ^ (crc & 255)];
        p += 2;
    }
    if (n & 1)
        crc = (uint16_t)(crc << 8) ^ t[0][p[0] ^ crc >> 8];
    return crc;
}

static inline uint16_t ax_osdp_crc_8(uint16_t crc, const uint8_t *p)
{
    const uint16_t(*t)[256] = ax_osdp_crc_table;
    return t[7][p[0] ^ crc >> 8] ^ t[6][p[1] ^ (crc & 255)] ^ t[5][p[2]] ^ t[4][p[3]] ^ t[3][p[4]] ^ t[2][p[5]] ^
           t[1][p[6]] ^ t[0][p[7]];
}

static inline uint16_t ax_osdp_crc_16(uint16_t crc, const uint8_t *p)
{
    const uint16_t(*t)[256] = ax_osdp_crc_table;
    return t[15][p[0] ^ crc >> 8] ^ t[14][p[1] ^ (crc & 255)] ^ t[13][p[2]] ^ t[12][p[3]] ^ t[11][p[4]] ^ t[10][p[5]] ^
           t[9][p[6]] ^ t[8][p[7]] ^ t[7][p[8]] ^ t[6][p[9]] ^ t[5][p[10]] ^ t[4][p[11]] ^ t[3][p[12]] ^ t[2][p[13]] ^
           t[1][p[14]] ^ t[0][p[15]];
}

#endif
