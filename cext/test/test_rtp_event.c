/* Telephone events: one key is one press and one release whatever the network does (RFC 4733 section 2.5). */
#include "ax/err.h"
#include "ax/rtp_event.h"
#include "ax_test.h"

#include <string.h>

static struct ax_rtp_keys keys;
static struct ax_rtp_key out[AX_RTP_EVENT_KEYS];

static int feed(uint32_t ssrc, uint32_t timestamp, uint8_t event, int end, uint16_t duration, uint64_t now)
{
    const uint8_t payload[4] = {event, (uint8_t)(end << 7 | 10), (uint8_t)(duration >> 8), (uint8_t)duration};
    return ax_rtp_keys_feed(&keys, ssrc, timestamp, payload, 4, now, out);
}

static void one_key(void)
{
    memset(&keys, 0, sizeof keys);
    CHECK_EQ(feed(1, 1000, 5, 0, 160, 1), 1);
    CHECK(out[0].phase == AX_RTP_KEY_PRESS && out[0].event == 5 && out[0].volume == 10);
    CHECK_EQ(feed(1, 1000, 5, 0, 320, 2), 0);
    CHECK_EQ(feed(1, 1000, 5, 1, 480, 3), 1);
    CHECK(out[0].phase == AX_RTP_KEY_RELEASE && out[0].duration == 480 && !out[0].lost_end);
    for (int i = 0; i < 20; i++)
        CHECK_EQ(feed(1, 1000, 5, 1, 480, 4), 0);
    CHECK_EQ(feed(1, 1000, 5, 0, 320, 4), 0); /* late */
    CHECK_EQ(keys.stats.repeated, 21);
    CHECK_EQ(feed(1, 2000, 5, 1, 160, 5), 2); /* a lone end of the next key, the same digit */
    CHECK(out[0].phase == AX_RTP_KEY_PRESS && out[1].phase == AX_RTP_KEY_RELEASE);
    CHECK_EQ(feed(1, 1000, 5, 1, 480, 6), 0); /* of the key before */
}

static void lost_end(void)
{
    memset(&keys, 0, sizeof keys);
    CHECK_EQ(feed(1, 1000, 5, 0, 160, 0), 1);
    CHECK_EQ(feed(1, 3000, 6, 0, 160, 1), 2);
    CHECK(out[0].event == 5 && out[0].phase == AX_RTP_KEY_RELEASE && out[0].lost_end);
    CHECK(out[1].event == 6 && out[1].phase == AX_RTP_KEY_PRESS);
    CHECK_EQ(ax_rtp_keys_poll(&keys, AX_RTP_EVENT_QUIET_NS, out), 0);
    CHECK_EQ(ax_rtp_keys_poll(&keys, AX_RTP_EVENT_QUIET_NS + 1, out), 1);
    CHECK(out[0].event == 6 && out[0].lost_end);
    CHECK_EQ(ax_rtp_keys_poll(&keys, AX_RTP_EVENT_QUIET_NS + 2, out), 0);
    CHECK_EQ(feed(1, 5000, 7, 0, 160, 2), 1);
    CHECK_EQ(feed(1, 7000, 8, 1, 160, 3), 2); /* release, press; its own release has no room and follows */
    CHECK_EQ(feed(1, 7000, 8, 1, 160, 4), 1);
    CHECK(out[0].event == 8 && out[0].phase == AX_RTP_KEY_RELEASE);
}

static void source_and_form(void)
{
    memset(&keys, 0, sizeof keys);
    CHECK_EQ(feed(1, 1000, 5, 1, 160, 0), 2);
    CHECK_EQ(feed(2, 9000, 6, 1, 160, 0), 0);
    CHECK_EQ(keys.stats.foreign, 1);
    CHECK_EQ(ax_rtp_keys_feed(&keys, 1, 2000, (const uint8_t *)"\1\1\1", 3, 0, out), 0);
    CHECK_EQ(ax_rtp_keys_feed(&keys, 1, 2000, (const uint8_t *)"\1\1\1\1\1", 5, 0, out), 0);
    CHECK_EQ(keys.stats.malformed, 2);
    ax_rtp_keys_reset(&keys);
    CHECK_EQ(keys.stats.malformed, 2);
    CHECK_EQ(feed(2, 9000, 6, 1, 160, 0), 2);
}

/* What the sender makes, the receiver reads: `duration` ticks in steps of 160, with every `drop`th packet lost. */
static void both_ends(uint32_t duration, int drop)
{
    struct ax_rtp_press press = {0};
    uint8_t payload[4], marker;
    uint32_t timestamp, told = 0;
    int presses = 0, releases = 0, ends = 0, markers = 0, n = 0;
    memset(&keys, 0, sizeof keys);
    CHECK_EQ(ax_rtp_press_start(&press, 11, 63, 0xFFFFFF00u, duration), AX_OK);
    CHECK_EQ(ax_rtp_press_start(&press, 1, 1, 0, 160), AX_E_STATE);
    while (ax_rtp_press_next(&press, 160, payload, &timestamp, &marker)) {
        ends += payload[1] >> 7;
        markers += marker;
        if (drop && ++n % drop == 0)
            continue;
        const int found = ax_rtp_keys_feed(&keys, 9, timestamp, payload, 4, 0, out);
        for (int i = 0; i < found; i++) {
            presses += out[i].phase == AX_RTP_KEY_PRESS;
            releases += out[i].phase == AX_RTP_KEY_RELEASE;
            told = out[i].duration;
            CHECK_EQ(out[i].timestamp, 0xFFFFFF00u);
        }
    }
    CHECK_EQ(presses, 1);
    CHECK_EQ(releases, 1);
    CHECK_EQ(told, duration);
    CHECK_EQ(ends, AX_RTP_EVENT_ENDS);
    CHECK_EQ(markers, 1);
}

int main(void)
{
    struct ax_rtp_press press = {0};
    one_key();
    lost_end();
    source_and_form();
    both_ends(800, 0);
    both_ends(100, 0);
    both_ends(800, 3);
    both_ends(65535, 0);
    both_ends(200000, 0);
    both_ends(200000, 7);
    CHECK_EQ(ax_rtp_press_start(&press, 1, 64, 0, 160), AX_E_RANGE);
    CHECK_EQ(ax_rtp_press_start(&press, 1, 0, 0, 0), AX_E_RANGE);
    return ax_test_done();
}
