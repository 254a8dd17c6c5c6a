/* A session: pacing and catching up, who is believed, loss and jitter (RFC 3550 appendix A), reports and goodbye. */
#include "ax/err.h"
#include "ax/rtp_session.h"
#include "ax_test.h"

#include <string.h>

#define MS 1000000ull

static const struct ax_rtp_config CONFIG = {
    .seed = 5, .rate = 8000, .frame = 160, .rtcp_ms = 5000, .payload_type = 0, .event_type = 101, .cname = "door"};
static uint8_t out[600];
static const uint8_t PAYLOAD[160] = {1, 2, 3};

static struct ax_rtp_session make(uint64_t seed)
{
    struct ax_rtp_session s;
    struct ax_rtp_config config = CONFIG;
    config.seed = seed;
    CHECK_EQ(ax_rtp_session_init(&s, &config), AX_OK);
    return s;
}

static void pacing(void)
{
    struct ax_rtp_session s = make(1);
    struct ax_rtp_packet p, q;
    CHECK_EQ(ax_rtp_session_due(&s), 0);
    CHECK_EQ(ax_rtp_session_send(&s, PAYLOAD, 160, 100 * MS, out, sizeof out), 172);
    CHECK_EQ(ax_rtp_parse(out, 172, &p), AX_OK);
    CHECK_EQ(p.marker, 1);
    CHECK_EQ(ax_rtp_session_due(&s), 120 * MS);
    CHECK_EQ(ax_rtp_session_send(&s, PAYLOAD, 160, 119 * MS, out, sizeof out), 0);
    CHECK_EQ(ax_rtp_session_send(&s, PAYLOAD, 160, 125 * MS, out, sizeof out), 172);
    CHECK_EQ(ax_rtp_parse(out, 172, &q), AX_OK);
    CHECK(q.marker == 0 && q.sequence == p.sequence + 1 && q.timestamp == p.timestamp + 160);
    CHECK_EQ(ax_rtp_session_due(&s), 140 * MS); /* lateness does not add up */
    CHECK_EQ(ax_rtp_session_send(&s, PAYLOAD, 160, 1140 * MS, out, sizeof out), 172);
    CHECK_EQ(ax_rtp_parse(out, 172, &q), AX_OK);
    CHECK_EQ(s.stats.skipped, 50);
    CHECK(q.marker == 1 && q.sequence == p.sequence + 2 && q.timestamp == p.timestamp + 52 * 160);
    CHECK_EQ(ax_rtp_session_send(&s, NULL, 0, 1160 * MS, out, sizeof out), 0); /* silence */
    CHECK_EQ(ax_rtp_session_send(&s, PAYLOAD, 160, 1180 * MS, out, sizeof out), 172);
    CHECK_EQ(ax_rtp_parse(out, 172, &q), AX_OK);
    CHECK(q.marker == 1 && q.timestamp == p.timestamp + 54 * 160);
    CHECK_EQ(ax_rtp_session_send(&s, PAYLOAD, 160, 2000 * MS, out, 100), AX_E_FULL);
    CHECK_EQ(ax_rtp_session_send(&s, PAYLOAD, 65530, 2000 * MS, out, sizeof out), AX_E_RANGE);
}

static void a_key(void)
{
    struct ax_rtp_session s = make(1), r = make(2);
    struct ax_rtp_press press = {0};
    struct ax_rtp_packet p;
    uint64_t now = 1;
    CHECK_EQ(ax_rtp_press_start(&press, 3, 10, ax_rtp_session_timestamp(&s), 480), AX_OK);
    int sent = 0;
    for (; press.active; now += 20 * MS) {
        const int n = ax_rtp_session_send_event(&s, &press, now, out, sizeof out);
        CHECK_EQ(n, 16);
        CHECK_EQ(ax_rtp_session_receive(&r, 9, out, (size_t)n, now, &p), AX_RTP_TAKE_EVENT);
        CHECK_EQ(p.marker, sent++ == 0);
    }
    CHECK_EQ(sent, 5);
    CHECK_EQ(ax_rtp_session_send_event(&s, &press, now, out, sizeof out), 0);
    CHECK_EQ(ax_rtp_session_send_event(&s, &press, now, out, 15), AX_E_FULL);
    s.config.event_type = 255;
    CHECK_EQ(ax_rtp_session_send_event(&s, &press, now, out, sizeof out), AX_E_STATE);
}

static enum ax_rtp_verdict give(struct ax_rtp_session *s, uint64_t remote, uint32_t ssrc, uint16_t sequence, uint64_t now)
{
    struct ax_rtp_packet p = {.ssrc = ssrc, .sequence = sequence, .timestamp = sequence * 160u, .payload_size = 160};
    const int n = ax_rtp_build(out, sizeof out, &p, NULL, NULL, PAYLOAD);
    return ax_rtp_session_receive(s, remote, out, (size_t)n, now, &p);
}

static void belief(void)
{
    struct ax_rtp_session s = make(1);
    CHECK_EQ(ax_rtp_session_state(&s, 0), AX_RTP_IDLE);
    CHECK_EQ(give(&s, 1, 77, 100, 1), AX_RTP_TAKE);
    CHECK_EQ(ax_rtp_session_state(&s, 2), AX_RTP_ACTIVE);
    CHECK_EQ(ax_rtp_session_state(&s, 3000 * MS), AX_RTP_SILENT);
    CHECK_EQ(give(&s, 2, 77, 101, 2), AX_RTP_DROP_SOURCE); /* another address, while the first speaks */
    CHECK_EQ(give(&s, 2, 77, 102, 2), AX_RTP_DROP_SOURCE);
    CHECK_EQ(give(&s, 1, 78, 5, 3), AX_RTP_DROP_SOURCE); /* another SSRC of the same address */
    CHECK_EQ(give(&s, 1, 78, 7, 3), AX_RTP_DROP_SOURCE);
    CHECK_EQ(give(&s, 1, 78, 8, 3), AX_RTP_TAKE);
    CHECK_EQ(s.stats.restarts, 1);
    CHECK_EQ(give(&s, 1, 78, 20000, 4), AX_RTP_DROP_JUMP);
    CHECK_EQ(give(&s, 1, 78, 20001, 4), AX_RTP_TAKE);
    CHECK_EQ(s.stats.restarts, 2);
    CHECK_EQ(give(&s, 2, 79, 1, 5000 * MS), AX_RTP_DROP_SOURCE); /* silent: another address may speak */
    CHECK_EQ(give(&s, 2, 79, 2, 5000 * MS), AX_RTP_TAKE);
    CHECK_EQ(give(&s, 2, s.config.ssrc, 3, 5000 * MS), AX_RTP_DROP_LOOP);
    s.config.remote = 3;
    CHECK_EQ(give(&s, 4, 80, 3, 9000 * MS), AX_RTP_DROP_SOURCE);
    CHECK_EQ(give(&s, 4, 80, 4, 9000 * MS), AX_RTP_DROP_SOURCE);
    struct ax_rtp_packet p;
    CHECK_EQ(ax_rtp_session_receive(&s, 2, (const uint8_t *)"\0\1", 2, 1, &p), AX_RTP_DROP_OTHER);
    CHECK_EQ(ax_rtp_session_receive(&s, 2, (const uint8_t *)"\x80\1", 2, 1, &p), AX_RTP_DROP_FORMAT);
    CHECK_EQ(ax_rtp_session_receive(&s, 2, (const uint8_t *)"\x81\xC8\0\0", 4, 1, &p), AX_RTP_DROP_FORMAT);
    CHECK_EQ(ax_rtp_session_receive(&s, 2, (const uint8_t *)"\x80\x60zzzzzzzzzz", 12, 1, &p), AX_RTP_DROP_TYPE);
    CHECK_EQ(s.stats.verdicts[AX_RTP_DROP_FORMAT], 2);
}

static void numbering(void)
{
    struct ax_rtp_session s = make(1);
    static const uint16_t order[] = {65530, 65531, 65533, 65532, 65535, 65535, 2, 1};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        CHECK_EQ(give(&s, 1, 77, order[i], i * 20 * MS), AX_RTP_TAKE);
    CHECK_EQ(s.stats.duplicates, 1);
    CHECK_EQ(s.stats.reordered, 2);
    CHECK_EQ(s.stats.lost, 2); /* 65534 and 0 */
    CHECK_EQ(s.source.cycles, 65536);
    struct ax_rtp_session even = make(1);
    for (uint16_t i = 0; i < 50; i++)
        give(&even, 1, 77, i, i * 20 * MS);
    CHECK(even.stats.jitter <= 1);
    for (uint16_t i = 50; i < 150; i++)
        give(&even, 1, 77, i, i * 20 * MS + i % 2 * 10 * MS);
    CHECK(even.stats.jitter > 70 && even.stats.jitter <= 80);
}

static void reports(void)
{
    struct ax_rtp_session a = make(1), b = make(2);
    struct ax_rtp_packet p;
    uint64_t now = 1000 * MS;
    CHECK_EQ(ax_rtp_session_report(&a, now, 0, NULL, out, 10), AX_E_FULL);
    for (int i = 0; i < 100; i++, now += 20 * MS) {
        const int n = ax_rtp_session_send(&a, PAYLOAD, 160, now, out, sizeof out);
        if (i % 10 != 5) /* a tenth is lost */
            CHECK_EQ(ax_rtp_session_receive(&b, 1, out, (size_t)n, now, &p), AX_RTP_TAKE);
    }
    int n = ax_rtp_session_report(&a, now, 0x1234567800000000ull, NULL, out, sizeof out);
    CHECK(n > 28);
    CHECK(ax_rtp_session_report_due(&a) > now + 1000 * MS && ax_rtp_session_report_due(&a) < now + 4000 * MS);
    CHECK_EQ(ax_rtp_session_report(&a, now, 0, NULL, out + n, 100), 0);
    CHECK_EQ(ax_rtp_session_receive(&b, 1, out, (size_t)n, now + 30 * MS, &p), AX_RTP_TAKE_RTCP);
    n = ax_rtp_session_report(&b, now + 1030 * MS, 0, NULL, out, sizeof out);
    CHECK(n > 0 && out[1] == AX_RTCP_RR);
    CHECK_EQ(ax_rtp_session_receive(&a, 2, out, (size_t)n, now + 1070 * MS, &p), AX_RTP_TAKE_RTCP);
    CHECK_EQ(a.stats.remote_lost, 10);
    CHECK(a.stats.remote_fraction >= 25 && a.stats.remote_fraction <= 26);
    CHECK(a.stats.rtt_us > 69000 && a.stats.rtt_us < 71000);
    n = ax_rtp_session_report(&a, now + 1100 * MS, 0, "bye", out, sizeof out);
    CHECK_EQ(ax_rtp_session_receive(&b, 7, out, (size_t)n, now + 1100 * MS, &p), AX_RTP_DROP_SOURCE);
    CHECK_EQ(ax_rtp_session_receive(&b, 1, out, (size_t)n, now + 1100 * MS, &p), AX_RTP_TAKE_RTCP);
    CHECK_EQ(ax_rtp_session_state(&b, now + 1100 * MS), AX_RTP_ENDED);
}

static void bad_configurations(void)
{
    struct ax_rtp_session s;
    struct ax_rtp_config c = CONFIG;
    c.rate = 10;
    CHECK_EQ(ax_rtp_session_init(&s, &c), AX_E_RANGE);
    c = CONFIG, c.payload_type = 128;
    CHECK_EQ(ax_rtp_session_init(&s, &c), AX_E_RANGE);
    c = CONFIG, c.rtcp_ms = 99;
    CHECK_EQ(ax_rtp_session_init(&s, &c), AX_E_RANGE);
    c = CONFIG, c.event_type = 0;
    CHECK_EQ(ax_rtp_session_init(&s, &c), AX_E_RANGE);
    c = CONFIG, c.rtcp_ms = 0;
    CHECK_EQ(ax_rtp_session_init(&s, &c), AX_OK);
    CHECK(ax_rtp_session_report_due(&s) == UINT64_MAX);
}

int main(void)
{
    pacing();
    a_key();
    belief();
    numbering();
    reports();
    bad_configurations();
    return ax_test_done();
}
