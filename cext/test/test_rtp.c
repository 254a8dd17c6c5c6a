/* RTP packets: RFC 3550 section 5.1 field by field, every length that does not hold, RFC 8285 elements in both forms. */
#include "ax/err.h"
#include "ax/rtp.h"
#include "ax_test.h"

#include <string.h>

static void fields(void)
{
    static const uint8_t p[] = {0xB2, 0x88, 0x12, 0x34, 1, 2, 3, 4, 0xAA, 0xBB, 0xCC, 0xDD, 0, 0, 0, 1, 0, 0, 0, 2,
                                0xBE, 0xDE, 0, 1, 0x10, 0xFF, 0, 0, 'a', 'b', 0, 2};
    struct ax_rtp_packet h;
    CHECK_EQ(ax_rtp_parse(p, sizeof p, &h), AX_OK);
    CHECK_EQ(h.payload_type, 8);
    CHECK_EQ(h.marker, 1);
    CHECK_EQ(h.sequence, 0x1234);
    CHECK_EQ(h.timestamp, 0x01020304);
    CHECK_EQ(h.ssrc, 0xAABBCCDD);
    CHECK_EQ(h.csrc_count, 2);
    CHECK_EQ(ax_rtp_csrc(p, 1), 2);
    CHECK_EQ(h.extension_profile, AX_RTP_ONE_BYTE);
    CHECK_EQ(h.extension_size, 4);
    CHECK_EQ(h.payload_at, 28);
    CHECK_EQ(h.payload_size, 2);
    CHECK_EQ(h.padding, 2);
    uint8_t again[64];
    const uint32_t csrc[] = {1, 2};
    CHECK_EQ(ax_rtp_build(again, sizeof again, &h, csrc, p + h.extension_at, p + h.payload_at), sizeof p);
    CHECK(memcmp(again, p, sizeof p) == 0);
    CHECK_EQ(ax_rtp_build(again, sizeof p - 1, &h, csrc, p + h.extension_at, p + h.payload_at), AX_E_FULL);
    for (size_t n = 0; n < sizeof p; n++) /* cut anywhere: the last byte is then a wrong padding, or too little is there */
        if (n != 31 && n != 25 && n != 28)
            CHECK(ax_rtp_parse(p, n, &h) == AX_E_FORMAT || (size_t)(h.payload_at + h.payload_size + h.padding) == n);
}

static void refused(void)
{
    uint8_t p[32] = {0x80};
    struct ax_rtp_packet h;
    CHECK_EQ(ax_rtp_parse(p, 11, &h), AX_E_FORMAT);
    CHECK_EQ(ax_rtp_parse(p, 12, &h), AX_OK);
    CHECK_EQ(h.payload_size, 0);
    p[0] = 0x40; /* version 1 */
    CHECK_EQ(ax_rtp_parse(p, 32, &h), AX_E_FORMAT);
    p[0] = 0x8F; /* 15 sources do not fit */
    CHECK_EQ(ax_rtp_parse(p, 32, &h), AX_E_FORMAT);
    p[0] = 0xA0; /* padding of 0, then of too much */
    CHECK_EQ(ax_rtp_parse(p, 32, &h), AX_E_FORMAT);
    p[31] = 21;
    CHECK_EQ(ax_rtp_parse(p, 32, &h), AX_E_FORMAT);
    p[31] = 20;
    CHECK_EQ(ax_rtp_parse(p, 32, &h), AX_OK);
    p[0] = 0x90; /* extension of 65,535 words */
    p[14] = p[15] = 255;
    CHECK_EQ(ax_rtp_parse(p, 32, &h), AX_E_FORMAT);
    CHECK_EQ(ax_rtp_parse(p, 15, &h), AX_E_FORMAT);
    static uint8_t long_one[AX_RTP_MAX_PACKET + 1] = {0x80};
    CHECK_EQ(ax_rtp_parse(long_one, sizeof long_one, &h), AX_E_FORMAT);
}

static void build_checks(void)
{
    uint8_t out[64], payload[4] = {0};
    struct ax_rtp_packet h = {.payload_type = 128};
    CHECK_EQ(ax_rtp_build(out, sizeof out, &h, NULL, NULL, NULL), AX_E_RANGE);
    h = (struct ax_rtp_packet){.csrc_count = 1};
    CHECK_EQ(ax_rtp_build(out, sizeof out, &h, NULL, NULL, NULL), AX_E_ARG);
    h = (struct ax_rtp_packet){.payload_size = 4};
    CHECK_EQ(ax_rtp_build(out, sizeof out, &h, NULL, NULL, NULL), AX_E_ARG);
    h = (struct ax_rtp_packet){.payload_size = 65530, .padding = 4};
    CHECK_EQ(ax_rtp_build(out, sizeof out, &h, NULL, NULL, payload), AX_E_RANGE);
    h = (struct ax_rtp_packet){.extension_size = 3, .extension_profile = 7, .payload_size = 4};
    CHECK_EQ(ax_rtp_build(out, sizeof out, &h, NULL, payload, payload), 24);
    CHECK_EQ(h.extension_size, 4);
}

static void kinds(void)
{
    static const uint8_t rtp[] = {0x80, 0}, sr[] = {0x81, 200}, stun[] = {0, 1}, marked[] = {0x80, 0x88};
    CHECK_EQ(ax_rtp_kind(rtp, 2), AX_RTP_MEDIA);
    CHECK_EQ(ax_rtp_kind(marked, 2), AX_RTP_MEDIA);
    CHECK_EQ(ax_rtp_kind(sr, 2), AX_RTP_CONTROL);
    CHECK_EQ(ax_rtp_kind(stun, 2), AX_RTP_OTHER);
    CHECK_EQ(ax_rtp_kind(rtp, 1), AX_RTP_OTHER);
}

static void elements(uint16_t profile)
{
    uint8_t body[64];
    struct ax_rtp_element e;
    size_t at = 0, from = 0;
    CHECK_EQ(ax_rtp_element_put(body, sizeof body, profile, &at, 1, (const uint8_t *)"x", 1), AX_OK);
    CHECK_EQ(ax_rtp_element_put(body, sizeof body, profile, &at, 14, (const uint8_t *)"0123456789abcdef", 16), AX_OK);
    body[at++] = 0; /* padding */
    CHECK_EQ(ax_rtp_element_put(body, at + 2, profile, &at, 3, (const uint8_t *)"abc", 3), AX_E_FULL);
    CHECK_EQ(ax_rtp_element_put(body, sizeof body, profile, &at, 0, (const uint8_t *)"a", 1), AX_E_RANGE);
    CHECK_EQ(ax_rtp_element_next(body, at, profile, &from, &e), 1);
    CHECK(e.id == 1 && e.size == 1 && *e.data == 'x');
    CHECK_EQ(ax_rtp_element_next(body, at, profile, &from, &e), 1);
    CHECK(e.id == 14 && e.size == 16 && e.data[15] == 'f');
    CHECK_EQ(ax_rtp_element_next(body, at, profile, &from, &e), 0);
    from = 0; /* an element longer than the body */
    CHECK_EQ(ax_rtp_element_next(body, 1, profile, &from, &e), AX_E_FORMAT);
}

static void element_limits(void)
{
    uint8_t body[300];
    static const uint8_t stop[] = {0xF0, 1, 0, 0}, odd[] = {0x01, 0, 0, 0}, empty[] = {5, 0, 0, 0};
    struct ax_rtp_element e;
    size_t at = 0;
    CHECK_EQ(ax_rtp_element_put(body, sizeof body, AX_RTP_ONE_BYTE, &at, 15, stop, 1), AX_E_RANGE);
    CHECK_EQ(ax_rtp_element_put(body, sizeof body, AX_RTP_ONE_BYTE, &at, 1, stop, 0), AX_E_RANGE);
    CHECK_EQ(ax_rtp_element_put(body, sizeof body, AX_RTP_TWO_BYTE, &at, 255, NULL, 0), AX_OK);
    CHECK_EQ(ax_rtp_element_put(body, sizeof body, 0x1234, &at, 1, stop, 1), AX_E_RANGE);
    at = 0;
    CHECK_EQ(ax_rtp_element_next(stop, 4, AX_RTP_ONE_BYTE, &at, &e), 0);
    at = 0;
    CHECK_EQ(ax_rtp_element_next(odd, 4, AX_RTP_ONE_BYTE, &at, &e), AX_E_FORMAT);
    at = 0;
    CHECK_EQ(ax_rtp_element_next(empty, 4, AX_RTP_TWO_BYTE + 3, &at, &e), 1);
    CHECK_EQ(e.size, 0);
    CHECK_EQ(ax_rtp_element_next(empty, 4, 0x1234, &at, &e), AX_E_FORMAT);
    at = 0;
    CHECK_EQ(ax_rtp_element_next(empty, 1, AX_RTP_TWO_BYTE, &at, &e), AX_E_FORMAT);
}

int main(void)
{
    fields();
    refused();
    build_checks();
    kinds();
    elements(AX_RTP_ONE_BYTE);
    elements(AX_RTP_TWO_BYTE);
    element_limits();
    return ax_test_done();
}
