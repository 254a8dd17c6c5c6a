/* Any datagrams at a port with a leg behind it: nothing leaves its buffer, keys go down before they go up, what is sent can be
 * parsed. Input: a byte (bits 0..1: protection, bit 2: keys are pressed), then datagrams, each after a byte with its length and
 * one with the time that passes (ms) and, in the top bit, who sends it. */
#include "ax/rtp_port.h"

#include <stdlib.h>
#include <string.h>

#define TICK_NS 10000000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* Memory that was freed is kept for as long as an input takes, not for as many as fit into 256 MB. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=4:malloc_context_size=8";
}

static void require(int condition)
{
    if (!condition)
        abort();
}

static void tick(struct ax_rtp_port *p, struct ax_leg *leg, uint64_t now_ns, int bare, int held)
{
    static const int16_t silence[80];
    int16_t out[80];
    uint8_t datagram[AX_RTP_PORT_DATAGRAM];
    struct ax_leg_key keys[AX_LEG_KEYS];
    struct ax_rtp_packet packet;
    int n;
    ax_leg_hear(leg, now_ns, out, keys);
    ax_leg_say(leg, silence);
    while ((n = ax_rtp_port_send(p, now_ns, datagram, sizeof datagram)) != 0) {
        require(!held && n >= AX_RTP_HEADER && n <= (int)sizeof datagram);
        require(!bare || ax_rtp_parse(datagram, (size_t)n, &packet) == 0);
    }
    require(ax_rtp_port_report(p, now_ns, now_ns, NULL, datagram, sizeof datagram) <= (int)sizeof datagram);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ax_leg_spec spec = {.rate = 8000, .codec = AX_LEG_PCMU, .packet_ms = 20, .max_delay_ms = 100};
    struct ax_rtp_port_config config = {.session = {.seed = 1, .rate = 8000, .frame = 160, .rtcp_ms = 500, .event_type = 101}};
    struct ax_leg *leg = NULL;
    struct ax_rtp_port *p = NULL;
    uint64_t now_ns = 1000000000, ticked_ns = 0;
    int down = 0;
    if (size == 0)
        return 0;
    config.send.profile = config.receive.profile = AX_SRTP_PROFILE_END - (data[0] & 3);
    require(ax_leg_new(&leg, &spec) == 0 && ax_rtp_port_new(&p, &config, leg) == 0);
    for (int i = 0; (data[0] & 4) && i < AX_RTP_PORT_KEYS; i++)
        require(ax_rtp_port_press(p, (uint32_t)i % 17, 40) == 0);
    for (size_t at = 1; at + 2 <= size;) {
        struct ax_rtp_key keys[AX_RTP_PORT_TOLD + 1];
        const size_t n = data[at] < size - at - 2 ? data[at] : size - at - 2;
        uint8_t *datagram = malloc(n ? n : 1); /* Its own, so that a step beyond it is seen. */
        int told = 0;
        if (!datagram)
            break;
        memcpy(datagram, data + at + 2, n);
        now_ns += (uint64_t)(data[at + 1] & 127) * 1000000;
        const int verdict = ax_rtp_port_receive(p, 1 + (data[at + 1] >> 7), datagram, n, now_ns, keys, &told);
        require(verdict >= 0 && verdict < AX_RTP_VERDICT_END && told >= 0 && told <= AX_RTP_PORT_TOLD);
        told += ax_rtp_port_poll(p, now_ns, keys + told);
        for (int i = 0; i < told; i++) {
            require(keys[i].phase == AX_RTP_KEY_PRESS ? !down : down);
            down = keys[i].phase == AX_RTP_KEY_PRESS;
        }
        free(datagram);
        const uint32_t hold = n % 7 <= AX_RTP_HOLD_ALL ? (uint32_t)(n % 7) : AX_RTP_HOLD_NONE;
        require(ax_rtp_port_hold(p, hold) == 0);
        if (now_ns - ticked_ns >= TICK_NS) { /* What comes within a tick comes between two of them. */
            ticked_ns = now_ns;
            tick(p, leg, now_ns, config.send.profile == AX_SRTP_PROFILE_END, hold != AX_RTP_HOLD_NONE);
        }
        at += 2 + n;
    }
    struct ax_rtp_port_stats stats;
    ax_rtp_port_get(p, now_ns, &stats);
    require(stats.rtp.taken <= size && stats.refused <= stats.rtp.taken);
    ax_rtp_port_free(p);
    ax_leg_free(leg);
    return 0;
}
