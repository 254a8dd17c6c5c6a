/* Frames: annex E byte for byte, both check values, security blocks, resynchronisation, and headers that lie. */
#include "ax/err.h"
#include "ax/osdp.h"
#include "ax_test.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t COMSET_CRC[] = {0x53, 0x7F, 0x0D, 0x00, 0x04, 0x6E, 0x00, 0x80, 0x25, 0x00, 0x00, 0x6E, 0x38};
static const uint8_t COMSET_SUM[] = {0x53, 0x7F, 0x0C, 0x00, 0x00, 0x6E, 0x00, 0x80, 0x25, 0x00, 0x00, 0x0F};

static void annex_e(void)
{
    static const uint8_t data[5] = {0x00, 0x80, 0x25, 0x00, 0x00};
    uint8_t out[32];
    struct ax_osdp_head head = {.address = 0x7F, .control = AX_OSDP_CRC};
    struct ax_osdp_frame f;
    CHECK_EQ(ax_osdp_build(out, sizeof out, &head, AX_OSDP_COMSET, data, 5), sizeof COMSET_CRC);
    CHECK(memcmp(out, COMSET_CRC, sizeof COMSET_CRC) == 0);
    head.control = 0;
    CHECK_EQ(ax_osdp_build(out, sizeof out, &head, AX_OSDP_COMSET, data, 5), sizeof COMSET_SUM);
    CHECK(memcmp(out, COMSET_SUM, sizeof COMSET_SUM) == 0);
    CHECK_EQ(ax_osdp_parse(COMSET_CRC, sizeof COMSET_CRC, &f), sizeof COMSET_CRC);
    CHECK(f.code == AX_OSDP_COMSET && f.size == 5 && !f.mac && f.head.address == 0x7F && f.data == COMSET_CRC + 6);
    CHECK_EQ(ax_osdp_build(out, sizeof COMSET_SUM - 1, &head, AX_OSDP_COMSET, data, 5), AX_E_FULL);
    CHECK_EQ(ax_osdp_build(NULL, 0, &head, AX_OSDP_POLL, NULL, 0), AX_E_ARG);
    CHECK_EQ(ax_osdp_build(out, sizeof out, &head, AX_OSDP_MFG, out, 2000), AX_E_FULL);
    CHECK_EQ(ax_osdp_parse(NULL, 0, &f), AX_E_ARG);
}

static void short_reads_never_overrun(void)
{
    struct ax_osdp_frame f;
    for (size_t n = 0; n < sizeof COMSET_CRC; n++) {
        uint8_t *exact = malloc(n + !n);
        if (!exact)
            return;
        memcpy(exact, COMSET_CRC, n);
        CHECK_EQ(ax_osdp_parse(exact, n, &f), 0);
        free(exact);
    }
    static const uint8_t longest[4] = {0x53, 0, 0xA1, 0x05};
    CHECK_EQ(ax_osdp_parse(longest, 4, &f), AX_E_FORMAT);
    static const uint8_t no_som[1] = {0x54}, tiny[5] = {0x53, 0, 7, 0, 4}, reserved[5] = {0x53, 0, 8, 0, 0x14};
    CHECK_EQ(ax_osdp_parse(no_som, 1, &f), AX_E_FORMAT);
    CHECK_EQ(ax_osdp_parse(tiny, 5, &f), AX_E_FORMAT);
    CHECK_EQ(ax_osdp_parse(reserved, 5, &f), AX_E_FORMAT);
}

/* A frame with the SCB bit and these bytes after the header. */
static int parse_with_scb(uint8_t address, const uint8_t *body, size_t n, struct ax_osdp_frame *f)
{
    static uint8_t out[64];
    struct ax_osdp_head head = {.address = address, .control = 0};
    const int length = ax_osdp_build(out, sizeof out, &head, body[0], body + 1, n - 1);
    out[4] |= AX_OSDP_SCB;
    out[length - 1] = (uint8_t)(out[length - 1] - AX_OSDP_SCB);
    return ax_osdp_parse(out, (size_t)length, f);
}

static void security_blocks(void)
{
    struct ax_osdp_frame f;
    static const uint8_t secure[] = {2, 0x15, 0x60, 1, 2, 3, 4}, challenge[] = {3, 0x11, 1, 0x76, 9};
    CHECK_EQ(parse_with_scb(0, secure, sizeof secure, &f), 13);
    CHECK(f.code == 0x60 && f.size == 0 && f.mac && f.mac[0] == 1 && f.head.scb_type == AX_OSDP_SCS_15);
    CHECK_EQ(parse_with_scb(0, challenge, sizeof challenge, &f), 11);
    CHECK(f.code == 0x76 && f.size == 1 && !f.mac && f.head.scb_data == 1);
    static const uint8_t wrong[][5] = {{9, 0x15, 0x60, 1, 2}, {2, 0x11, 0x76, 1, 2}, {2, 0x19, 0x60, 1, 2}, {1, 0x15, 1, 1, 1},
                                       {2, 0x15, 1, 2, 3}, {5, 0x15, 0x60, 1, 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_EQ(parse_with_scb(0, wrong[i], 5, &f), AX_E_RANGE);
    CHECK_EQ(parse_with_scb(0x80, secure, sizeof secure, &f), AX_E_RANGE); /* a command's block in a reply */
    uint8_t out[64];
    struct ax_osdp_head head = {.address = 0x81, .control = 5, .scb_type = AX_OSDP_SCS_14, .scb_data = 1};
    CHECK_EQ(ax_osdp_build(out, sizeof out, &head, AX_OSDP_RMAC_I, secure, 4), 15);
    CHECK_EQ(ax_osdp_parse(out, 15, &f), 15);
    CHECK(f.head.scb_type == AX_OSDP_SCS_14 && f.head.scb_data == 1 && f.size == 4 && (f.head.control & AX_OSDP_SQN) == 1);
}

static void receiver(void)
{
    static struct ax_osdp_rx rx;
    struct ax_osdp_frame f;
    uint8_t line[128], inner[32];
    size_t n = 0;
    ax_osdp_rx_reset(&rx);
    memcpy(line, "\xFF\xFF\x01\x53\x00\xFF\xFF", 7); /* marks, noise, a length that is too large */
    n = 7;
    memcpy(line + n, COMSET_CRC, sizeof COMSET_CRC);
    n += sizeof COMSET_CRC;
    for (size_t i = 0; i < n; i++) {
        CHECK_EQ(ax_osdp_rx_next(&rx, &f), 0);
        CHECK_EQ(ax_osdp_rx_push(&rx, line + i, 1), 1);
    }
    CHECK_EQ(ax_osdp_rx_next(&rx, &f), sizeof COMSET_CRC);
    CHECK_EQ(ax_osdp_rx_next(&rx, &f), 0);
    CHECK_EQ(rx.skipped, 3);
    CHECK_EQ(ax_osdp_rx_pending(&rx), 0);
    /* A whole frame inside the data of a damaged one is not found. */
    struct ax_osdp_head head = {.address = 1, .control = AX_OSDP_CRC};
    const int size = ax_osdp_build(inner, sizeof inner, &head, AX_OSDP_POLL, NULL, 0);
    const int outer = ax_osdp_build(line, sizeof line, &head, AX_OSDP_MFG, inner, (size_t)size);
    line[outer - 1] ^= 1;
    ax_osdp_rx_push(&rx, line, (size_t)outer);
    CHECK_EQ(ax_osdp_rx_next(&rx, &f), AX_E_PARITY);
    CHECK_EQ(f.head.address, 1);
    CHECK_EQ(ax_osdp_rx_next(&rx, &f), 0);
    static const uint8_t big[3000] = {0};
    CHECK(ax_osdp_rx_push(&rx, big, sizeof big) < sizeof big);
    CHECK_EQ(ax_osdp_rx_next(&rx, &f), 0);
}

static void sizes_and_compare(void)
{
    uint16_t least = 9, most = 9;
    int commands = 0;
    for (int code = 0; code < 256; code++)
        commands += ax_osdp_command_size((uint8_t)code, &least, &most);
    CHECK_EQ(commands, 26);
    CHECK(ax_osdp_command_size(AX_OSDP_KEYSET, &least, &most) && least == 18 && most == 18);
    CHECK(ax_osdp_equal("abc", "abd", 2) && !ax_osdp_equal("abc", "abd", 3));
}

int main(void)
{
    annex_e();
    short_reads_never_overrun();
    security_blocks();
    receiver();
    sizes_and_compare();
    return ax_test_done();
}
