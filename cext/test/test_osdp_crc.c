/* CRC and checksum: the examples of annex E, the check value of the catalogue, and every level against bit by bit. */
#include "ax/err.h"
#include "ax/osdp_crc.h"
#include "ax_test.h"

#include <stdlib.h>

static uint16_t bitwise(uint16_t crc, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= (uint16_t)(p[i] << 8);
        for (int b = 0; b < 8; b++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

static void annex_e(void)
{
    static const uint8_t comset[] = {0x53, 0x7F, 0x0D, 0x00, 0x04, 0x6E, 0x00, 0x80, 0x25, 0x00, 0x00};
    static const uint8_t id[] = {0x53, 0x00, 0x09, 0x00, 0x04, 0x61, 0x00};
    CHECK_EQ(ax_osdp_crc(AX_OSDP_CRC_INIT, comset, sizeof comset), 0x386E);
    CHECK_EQ(ax_osdp_crc(AX_OSDP_CRC_INIT, id, sizeof id), 0x66C0);
    CHECK_EQ(ax_osdp_crc(AX_OSDP_CRC_INIT, "123456789", 9), 0xE5CC);
    static const uint8_t comset_sum[] = {0x53, 0x7F, 0x0C, 0x00, 0x00, 0x6E, 0x00, 0x80, 0x25, 0x00, 0x00};
    static const uint8_t id_sum[] = {0x53, 0x00, 0x08, 0x00, 0x00, 0x61, 0x00};
    CHECK_EQ(ax_osdp_checksum(comset_sum, sizeof comset_sum), 0x0F);
    CHECK_EQ(ax_osdp_checksum(id_sum, sizeof id_sum), 0x44);
    CHECK_EQ(ax_osdp_checksum(NULL, 0), 0);
}

static void levels_agree(void)
{
    enum { MAX = 1600 };
    uint32_t seed = 1;
    for (int level = 0; level <= ax_osdp_crc_best(); level++) {
        CHECK_EQ(ax_osdp_crc_set_level(level), AX_OK);
        int wrong = 0;
        for (size_t n = 0; n < MAX; n++) {
            uint8_t *exact = malloc(n + 1); /* no byte to spare, and not aligned */
            if (!exact)
                return;
            for (size_t i = 0; i <= n; i++)
                exact[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
            const uint16_t start = (uint16_t)(seed >> 8);
            wrong += ax_osdp_crc(start, exact + 1, n) != bitwise(start, exact + 1, n);
            free(exact);
        }
        CHECK_EQ(wrong, 0);
    }
    CHECK_EQ(ax_osdp_crc_set_level(ax_osdp_crc_best() + 1), AX_E_RANGE);
    CHECK_EQ(ax_osdp_crc_set_level(-1), AX_E_RANGE);
    ax_osdp_crc_set_level(ax_osdp_crc_best());
}

int main(void)
{
    annex_e();
    levels_agree();
    return ax_test_done();
}
