/* RTCP: compound packets built and read back, and every length that does not hold (RFC 3550 section 6, RFC 5506). */
#include "ax/err.h"
#include "ax/rtcp.h"
#include "ax_test.h"

#include <string.h>

static uint8_t out[600];

static const struct ax_rtcp_report REPORTS[2] = {
    {.ssrc = 1, .highest = 0x10002, .jitter = 3, .lsr = 4, .dlsr = 5, .lost = -6, .fraction = 7},
    {.ssrc = 8, .highest = 9, .lost = 0x7FFFFF},
};

static int full(const char *bye)
{
    static const struct ax_rtcp_sender sender = {.ntp = 0x0102030405060708ull, .timestamp = 9, .packets = 10, .octets = 11};
    const struct ax_rtcp_compound what = {
        .ssrc = 42, .sender = &sender, .reports = REPORTS, .nreports = 2, .cname = "door@host", .bye = bye};
    return ax_rtcp_build(out, sizeof out, &what);
}

static void round_trip(void)
{
    struct ax_rtcp_block b;
    struct ax_rtcp_sender sender;
    struct ax_rtcp_report r;
    struct ax_rtcp_item item = {0};
    const uint8_t *reason = NULL;
    uint32_t ssrc = 0;
    size_t at = 0, in = 0;
    const int n = full("gone");
    CHECK(n > 0 && n % 4 == 0);
    CHECK_EQ(ax_rtcp_check(out, (size_t)n, 0), AX_OK);
    CHECK_EQ(ax_rtcp_next(out, (size_t)n, &at, &b), 1);
    CHECK_EQ(b.type, AX_RTCP_SR);
    CHECK_EQ(ax_rtcp_speaker(&b, &ssrc, &sender), 1);
    CHECK(ssrc == 42 && sender.ntp == 0x0102030405060708ull && sender.octets == 11);
    CHECK_EQ(ax_rtcp_report(&b, 0, &r), AX_OK);
    CHECK(r.ssrc == 1 && r.lost == -6 && r.fraction == 7 && r.highest == 0x10002 && r.dlsr == 5);
    CHECK_EQ(ax_rtcp_report(&b, 1, &r), AX_OK);
    CHECK_EQ(r.lost, 0x7FFFFF);
    CHECK_EQ(ax_rtcp_report(&b, 2, &r), AX_E_FORMAT);
    CHECK_EQ(ax_rtcp_next(out, (size_t)n, &at, &b), 1);
    CHECK_EQ(ax_rtcp_item_next(&b, &in, &item), 1);
    CHECK(item.ssrc == 42 && item.type == 1 && item.size == 9 && memcmp(item.data, "door@host", 9) == 0);
    CHECK_EQ(ax_rtcp_item_next(&b, &in, &item), 0);
    CHECK_EQ(ax_rtcp_report(&b, 0, &r), AX_E_FORMAT);
    CHECK_EQ(ax_rtcp_speaker(&b, &ssrc, &sender), AX_E_FORMAT);
    CHECK_EQ(ax_rtcp_next(out, (size_t)n, &at, &b), 1);
    CHECK_EQ(b.type, AX_RTCP_BYE);
    CHECK_EQ(ax_rtcp_leaving(&b, 0, &ssrc), AX_OK);
    CHECK_EQ(ax_rtcp_leaving(&b, 1, &ssrc), AX_E_FORMAT);
    CHECK_EQ(ax_rtcp_reason(&b, &reason), 4);
    CHECK(memcmp(reason, "gone", 4) == 0);
    in = 0;
    CHECK_EQ(ax_rtcp_item_next(&b, &in, &item), AX_E_FORMAT);
    CHECK_EQ(ax_rtcp_next(out, (size_t)n, &at, &b), 0);
}

static void receiver_report(void)
{
    struct ax_rtcp_compound what = {.ssrc = 42, .bye = ""};
    struct ax_rtcp_block b;
    struct ax_rtcp_sender sender;
    const uint8_t *reason;
    uint32_t ssrc;
    size_t at = 0;
    const int n = ax_rtcp_build(out, sizeof out, &what);
    CHECK_EQ(n, 16);
    CHECK_EQ(ax_rtcp_check(out, 16, 0), AX_OK);
    CHECK_EQ(ax_rtcp_next(out, 16, &at, &b), 1);
    CHECK_EQ(ax_rtcp_speaker(&b, &ssrc, &sender), 0);
    CHECK_EQ(ax_rtcp_next(out, 16, &at, &b), 1);
    CHECK_EQ(ax_rtcp_reason(&b, &reason), 0);
    CHECK_EQ(ax_rtcp_build(out, 15, &what), AX_E_FULL);
    what.nreports = 32;
    CHECK_EQ(ax_rtcp_build(out, sizeof out, &what), AX_E_RANGE);
    CHECK_EQ(ax_rtcp_check(out + 8, 8, 0), AX_E_FORMAT); /* a BYE alone */
    CHECK_EQ(ax_rtcp_check(out + 8, 8, 1), AX_OK);
    CHECK_EQ(ax_rtcp_check(out, 0, 1), AX_E_FORMAT);
}

/* A flipped bit or a cut anywhere: an answer, never a byte outside (the sanitizer looks on). */
static void damage(void)
{
    const int n = full("gone");
    uint8_t copy[600];
    for (int i = 0; i < n * 8; i++) {
        memcpy(copy, out, (size_t)n);
        copy[i / 8] ^= (uint8_t)(1 << i % 8);
        const int rc = ax_rtcp_check(copy, (size_t)n, 1);
        CHECK(rc == AX_OK || rc == AX_E_FORMAT);
    }
    for (int i = 0; i < n; i++)
        CHECK(ax_rtcp_check(out, (size_t)i, 0) == AX_E_FORMAT || i == 76 || i == 96);
}

static void padding(void)
{
    uint8_t p[] = {0x80, 201, 0, 1, 0, 0, 0, 1, 0xA0, 204, 0, 3, 0, 0, 0, 2, 'n', 'a', 'm', 'e', 0, 0, 0, 4};
    struct ax_rtcp_block b;
    size_t at = 0;
    CHECK_EQ(ax_rtcp_check(p, sizeof p, 0), AX_OK);
    ax_rtcp_next(p, sizeof p, &at, &b);
    ax_rtcp_next(p, sizeof p, &at, &b);
    CHECK_EQ(b.size, 8);
    p[23] = 16;
    CHECK_EQ(ax_rtcp_check(p, sizeof p, 0), AX_E_FORMAT);
    p[23] = 3;
    CHECK_EQ(ax_rtcp_check(p, sizeof p, 0), AX_E_FORMAT);
    p[23] = 4;
    p[0] = 0xA0; /* not the last block */
    CHECK_EQ(ax_rtcp_check(p, sizeof p, 1), AX_E_FORMAT);
}

int main(void)
{
    round_trip();
    receiver_report();
    damage();
    padding();
    return ax_test_done();
}
