/* Telephone events after RFC 4733 sections 2.3 to 2.5. A press is told by its first packet, whichever that is: a lone
 * end tells press and release together.
 * Units: ticks, ns. Threads: one. Allocation: none. */
#include "ax/rtp_event.h"

#include "ax/err.h"
#include "ax_rtp_bytes.h"

#define LONGEST 0xFFFFu /* of a segment */

void ax_rtp_keys_reset(struct ax_rtp_keys *keys)
{
    const struct ax_rtp_key_stats stats = keys->stats;
    memset(keys, 0, sizeof *keys);
    keys->stats = stats;
}

static void tell(const struct ax_rtp_keys *k, struct ax_rtp_key *out, uint64_t now_ns, enum ax_rtp_key_phase phase)
{
    out->t_ns = now_ns;
    out->timestamp = k->start;
    out->duration = k->before + k->duration;
    out->event = k->event;
    out->volume = k->volume;
    out->phase = (uint8_t)phase;
    out->lost_end = 0;
}

static int release(struct ax_rtp_keys *k, uint64_t now_ns, struct ax_rtp_key *out)
{
    if (!k->down)
        return 0;
    tell(k, out, now_ns, AX_RTP_KEY_RELEASE);
    k->down = 0;
    return 1;
}

/* A long key goes on in a new segment, whose timestamp is the end of the last. The end of the old one may be a packet
 * short of the greatest duration when packets were lost. */
static int goes_on(const struct ax_rtp_keys *k, uint8_t event, uint32_t timestamp)
{
    return k->down && event == k->event && timestamp - k->segment == LONGEST;
}

int ax_rtp_keys_feed(struct ax_rtp_keys *k, uint32_t ssrc, uint32_t timestamp, const uint8_t *payload, size_t n,
                     uint64_t now_ns, struct ax_rtp_key out[AX_RTP_EVENT_KEYS])
{
    int told = 0;
    k->stats.packets++;
    if (n < AX_RTP_EVENT_SIZE || n % AX_RTP_EVENT_SIZE) {
        k->stats.malformed++;
        return 0;
    }
    if (k->pinned && ssrc != k->ssrc) {
        k->stats.foreign++;
        return 0;
    }
    k->pinned = 1;
    k->ssrc = ssrc;
    const uint8_t event = payload[0], end = payload[1] >> 7;
    const uint16_t duration = ax_get16(payload + 2);
    const int32_t ahead = (int32_t)(timestamp - k->segment);
    if (k->seen && (ahead < 0 || (ahead == 0 && (!k->down || event != k->event)))) {
        k->stats.repeated++;
        return 0;
    }
    if (goes_on(k, event, timestamp)) {
        k->before += LONGEST;
        k->segment = timestamp;
        k->duration = 0;
    } else if (!k->seen || ahead > 0) {
        told += release(k, now_ns, out);
        if (told)
            out[0].lost_end = 1;
        k->seen = k->down = 1;
        k->start = k->segment = timestamp;
        k->before = 0;
        k->duration = duration;
        k->event = event;
        k->volume = payload[1] & 63;
        tell(k, out + told++, now_ns, AX_RTP_KEY_PRESS);
    }
    if (duration > k->duration) /* packets may be late */
        k->duration = duration;
    k->last_ns = now_ns;
    if (end && told < AX_RTP_EVENT_KEYS)
        told += release(k, now_ns, out + told);
    return told; /* an end that found no room is told by its repetition or by the poll */
}

int ax_rtp_keys_poll(struct ax_rtp_keys *k, uint64_t now_ns, struct ax_rtp_key *out)
{
    if (!k->down || now_ns < k->last_ns || now_ns - k->last_ns < AX_RTP_EVENT_QUIET_NS)
        return 0;
    release(k, now_ns, out);
    out->lost_end = 1;
    return 1;
}

int ax_rtp_press_start(struct ax_rtp_press *p, uint8_t event, uint8_t volume, uint32_t timestamp, uint32_t duration)
{
    if (p->active)
        return AX_E_STATE;
    if (volume > 63 || duration == 0)
        return AX_E_RANGE;
    *p = (struct ax_rtp_press){.timestamp = timestamp, .left = duration, .event = event, .volume = volume,
                               .ends = AX_RTP_EVENT_ENDS, .first = 1, .active = 1};
    return AX_OK;
}

int ax_rtp_press_next(struct ax_rtp_press *p, uint32_t step, uint8_t payload[AX_RTP_EVENT_SIZE], uint32_t *timestamp,
                      uint8_t *marker)
{
    if (!p->active)
        return 0;
    if (step > LONGEST)
        step = LONGEST;
    if (p->left && p->elapsed == LONGEST) { /* the next segment */
        p->timestamp += LONGEST;
        p->elapsed = 0;
    }
    if (step > p->left)
        step = p->left;
    if (step > LONGEST - p->elapsed)
        step = LONGEST - p->elapsed;
    p->elapsed += step;
    p->left -= step;
    const int end = p->left == 0;
    payload[0] = p->event;
    payload[1] = (uint8_t)(end << 7 | p->volume);
    ax_put16(payload + 2, (uint16_t)p->elapsed);
    *timestamp = p->timestamp;
    *marker = p->first;
    p->first = 0;
    if (end && --p->ends == 0)
        p->active = 0;
    return 1;
}
