/* Big-endian numbers in packets. Inside cext/rtp only. Units: bytes. Threads: any. Allocation: none. */
#ifndef AX_RTP_BYTES_H
#define AX_RTP_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t ax_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t ax_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t ax_get64(const uint8_t *p)
{
    return (uint64_t)ax_get32(p) << 32 | ax_get32(p + 4);
}

static inline void ax_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void ax_put32(uint8_t *p, uint32_t v)
{
    ax_put16(p, (uint16_t)(v >> 16));
    ax_put16(p + 2, (uint16_t)v);
}

static inline void ax_put64(uint8_t *p, uint64_t v)
{
    ax_put32(p, (uint32_t)(v >> 32));
    ax_put32(p + 4, (uint32_t)v);
}

#endif
