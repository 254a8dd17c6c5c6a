/* A leg; see ax/leg.h. What the jitter buffer answers is rendered into `sound`, behind the last LEG_PAST_MS of it, until 10 ms
 * are ready: the buffer is asked for the moment at which the answer will sound.
 * Units, threads: as there. Allocation: in new. */
#include "ax/leg.h"

#include "ax/err.h"
#include "ax_leg_internal.h"

#define SECOND_NS UINT64_C(1000000000)
#define TICK_US 10000u

/* --- packets in and out ----------------------------------------------------------------------------------------------- */

int ax_leg_offer(struct ax_leg *l, const struct ax_leg_packet *packet, uint64_t arrived_ns)
{
    if (!l || !packet || (!packet->payload && packet->size))
        return AX_E_ARG;
    atomic_fetch_add_explicit(&l->offers, 1, memory_order_relaxed);
    const bool fits = l->jitter ? packet->size <= l->most : packet->size == l->frame * sizeof(int16_t);
    struct leg_item item = {.arrived_ns = arrived_ns, .size = packet->size, .ssrc = packet->ssrc,
                            .timestamp = packet->timestamp, .sequence = packet->sequence, .marker = packet->marker};
    bool taken = fits;
    if (fits) {
        memcpy(l->offered, &item, sizeof item);
        if (packet->size)
            memcpy(l->offered + sizeof item, packet->payload, packet->size);
        taken = ax_ring_push(&l->in, l->offered);
    }
    if (!taken)
        atomic_fetch_add_explicit(&l->refused, 1, memory_order_relaxed);
    return taken ? AX_OK : fits ? AX_E_FULL : AX_E_RANGE;
}

int ax_leg_take(struct ax_leg *l, uint32_t *timestamp, uint8_t *out, size_t room)
{
    if (!l || !timestamp || !out)
        return AX_E_ARG;
    const unsigned char *oldest = ax_ring_peek(&l->out);
    struct leg_item item;
    if (!oldest)
        return 0;
    memcpy(&item, oldest, sizeof item);
    if (item.size > room)
        return AX_E_FULL;
    *timestamp = item.timestamp;
    memcpy(out, oldest + sizeof item, item.size);
    ax_ring_drop(&l->out);
    return (int)item.size;
}

/* --- what the partner says -------------------------------------------------------------------------------------------- */

static void collect(struct ax_leg *l)
{
    const unsigned char *oldest;
    while ((oldest = ax_ring_peek(&l->in)) != NULL) {
        struct leg_item item;
        memcpy(&item, oldest, sizeof item);
        const struct ax_jitter_packet packet = {
            .payload = oldest + sizeof item, .size = item.size, .ssrc = item.ssrc, .timestamp = item.timestamp,
            .sequence = item.sequence, .marker = item.marker,
        };
        (void)ax_jitter_put(l->jitter, &packet, item.arrived_ns); /* Its size was looked at by offer. */
        ax_ring_drop(&l->in);
    }
}

/* The packet of an answer, or what is left of one, to `at`: as much as the answer is of it. */
static size_t fetch(struct ax_leg *l, const struct ax_jitter_out *answer, int16_t *at)
{
    size_t got = l->rest_n;
    if (answer->payload)
        got = leg_decode(&l->decode, answer->payload, answer->size, at);
    else
        memcpy(at, l->rest, got * sizeof *at);
    const size_t part = (size_t)answer->ticks * (l->decode.rate / l->decode.clock), n = answer->rest && part < got ? part : got;
    l->rest_n = (uint32_t)(got - n);
    memcpy(l->rest, at + n, l->rest_n * sizeof *at);
    return n;
}

/* One answer of the jitter buffer, behind what is ready. */
static void render(struct ax_leg *l, uint64_t now_ns)
{
    const uint32_t scale = l->decode.rate / l->decode.clock;
    int16_t *at = l->sound + l->past + l->ready;
    struct ax_jitter_out answer;
    ax_jitter_get_ahead(l->jitter, now_ns, l->ready * SECOND_NS / l->decode.rate, &answer);
    size_t n = (size_t)answer.play * scale;
    const size_t most = l->decode.rate * LEG_RENDER_MS / 1000;
    n = n > most ? most : n;
    const bool here = answer.kind == AX_JITTER_REST ? l->rest_n > 0 : answer.payload && answer.size > 0;
    if (here) {
        const size_t got = fetch(l, &answer, at);
        (void)ax_plc_good(l->plc, at, got);
        const int wanted = (int)answer.play - (int)answer.ticks;
        n = wanted ? leg_stretch(at, got, l->past + l->ready, l->decode.rate, wanted * (int)scale) : got;
        l->stats.stretched += n != got;
    } else if (answer.kind == AX_JITTER_WAIT) {
        l->rest_n = 0;
        memset(at, 0, n * sizeof *at);
        (void)ax_plc_good(l->plc, at, n);
    } else {
        l->rest_n = 0;
        (void)ax_plc_lost(l->plc, at, n);
        l->stats.concealed_ms += n * 1000 / l->decode.rate;
    }
    l->ready += (uint32_t)n;
}

/* 10 ms at the codec's rate; the place stays as it is until the next call. */
static int16_t *next_frame(struct ax_leg *l, uint64_t now_ns)
{
    const uint32_t past = l->decode.rate * LEG_PAST_MS / 1000;
    if (l->past > past) { /* What is older is not looked at again. */
        memmove(l->sound, l->sound + l->past - past, (past + l->ready) * sizeof *l->sound);
        l->past = past;
    }
    while (l->ready < l->codec_frame)
        render(l, now_ns);
    int16_t *frame = l->sound + l->past;
    l->past += l->codec_frame;
    l->ready -= l->codec_frame;
    return frame;
}

static int listen(struct ax_leg *l, const int16_t *frame, struct ax_leg_key *keys)
{
    struct ax_dtmf_event events[AX_LEG_KEYS];
    if (!l->dtmf)
        return 0;
    const int n = ax_dtmf_feed(l->dtmf, frame, l->frame, events, AX_LEG_KEYS);
    for (int i = 0; i < n; i++) {
        keys[i].key = events[i].key;
        keys[i].down = events[i].duration == 0;
        keys[i].ms = (uint32_t)((uint64_t)events[i].duration * 1000 / l->spec.rate);
    }
    return n < 0 ? 0 : n;
}

int ax_leg_hear(struct ax_leg *l, uint64_t now_ns, int16_t *out, struct ax_leg_key *keys)
{
    if (!l || !out || !keys)
        return AX_E_ARG;
    if (l->jitter) {
        collect(l);
        const int16_t *frame = next_frame(l, now_ns);
        if (l->up)
            (void)ax_resample_i16(l->up, frame, l->codec_frame, out, l->frame);
        else if (l->frame == 2 * l->codec_frame)
            (void)ax_halfband_up(&l->twice, frame, l->codec_frame, out);
        else
            memcpy(out, frame, l->frame * sizeof *out);
    } else {
        const unsigned char *oldest = ax_ring_peek(&l->in);
        if (oldest) {
            memcpy(out, oldest + sizeof(struct leg_item), l->frame * sizeof *out);
            ax_ring_drop(&l->in);
        } else {
            memset(out, 0, l->frame * sizeof *out);
            l->stats.underruns++;
        }
    }
    return listen(l, out, keys);
}

/* --- what the partner hears ------------------------------------------------------------------------------------------- */

int ax_leg_say(struct ax_leg *l, const int16_t *in)
{
    if (!l || !in)
        return AX_E_ARG;
    if (l->down)
        (void)ax_resample_i16(l->down, in, l->frame, l->said + l->said_n, l->codec_frame);
    else if (l->frame == 2 * l->codec_frame)
        (void)ax_halfband_down(&l->half, in, l->codec_frame, l->said + l->said_n);
    else
        memcpy(l->said + l->said_n, in, l->frame * sizeof *in);
    l->said_n += l->codec_frame;
    if (l->said_n < l->codec_frame * (l->spec.packet_ms / 10))
        return 0;
    struct leg_item item = {.timestamp = l->timestamp};
    item.size = (uint32_t)leg_encode(&l->encode, l->said, l->said_n, l->made + sizeof item);
    memcpy(l->made, &item, sizeof item);
    l->timestamp += l->said_n / (l->encode.rate / l->encode.clock);
    l->said_n = 0;
    if (ax_ring_push(&l->out, l->made))
        l->stats.made++;
    else
        l->stats.dropped++;
    return 1;
}

uint32_t ax_leg_missing(const struct ax_leg *l)
{
    return (uint32_t)(l->spec.packet_ms / 10 - l->said_n / l->codec_frame);
}

void ax_leg_get(const struct ax_leg *l, struct ax_leg_stats *out)
{
    *out = l->stats;
    out->offered = atomic_load_explicit(&l->offers, memory_order_relaxed);
    out->refused = atomic_load_explicit(&l->refused, memory_order_relaxed);
    if (!l->jitter)
        return;
    const struct ax_jitter_stats *stats = ax_jitter_stats(l->jitter);
    out->late = stats->late;
    out->lost = stats->lost;
    out->delay_ms = ax_jitter_target_us(l->jitter) / 1000;
    out->held = ax_jitter_held(l->jitter);
}

uint32_t ax_leg_codec_rate(const struct ax_leg *l)
{
    return l->decode.rate;
}

uint32_t ax_leg_clock(const struct ax_leg *l)
{
    return l->decode.clock;
}

uint32_t ax_leg_most(const struct ax_leg *l)
{
    return l->most;
}

uint32_t ax_leg_ticks(const struct ax_leg *l)
{
    return l->decode.clock * l->spec.packet_ms / 1000;
}

uint32_t ax_leg_octets(const struct ax_leg *l)
{
    return (uint32_t)leg_octets(&l->encode, l->codec_frame * (l->spec.packet_ms / 10));
}

/* --- life ------------------------------------------------------------------------------------------------------------- */

static int check(const struct ax_leg_spec *s, struct leg_codec *codec)
{
    static const uint32_t rates[AX_LEG_CODEC_END] = {0, 8000, 8000, 16000, 8000, 0};
    const bool known = s->rate == 8000 || s->rate == 16000 || s->rate == 32000 || s->rate == 48000;
    if (!known || s->codec >= AX_LEG_CODEC_END || s->packet_ms < 10 || s->packet_ms > AX_LEG_PAYLOAD_MS || s->packet_ms % 10 ||
        s->max_delay_ms > 2000 || s->min_delay_ms > s->max_delay_ms || (s->codec != AX_LEG_L16 && s->codec_rate) ||
        (s->codec == AX_LEG_PCM && s->packet_ms != 10))
        return AX_E_RANGE;
    const uint32_t r = s->codec == AX_LEG_L16 ? s->codec_rate : s->codec == AX_LEG_PCM ? s->rate : rates[s->codec];
    if (r != 8000 && r != 16000 && r != 32000 && r != 44100 && r != 48000)
        return AX_E_RANGE;
    codec->codec = s->codec;
    codec->rate = r;
    codec->clock = s->codec == AX_LEG_G722 ? 8000 : r;
    return AX_OK;
}

static int open_codec(struct leg_codec *c)
{
    return c->codec == AX_LEG_G722 ? ax_g722_new(&c->g722) : c->codec == AX_LEG_G726 ? ax_g726_new(&c->g726, false) : AX_OK;
}

/* Queues, buffers and codecs of any leg. */
static int init_common(struct ax_leg *l)
{
    const size_t item = (sizeof(struct leg_item) + l->most + 7) & ~(size_t)7;
    int rc = ax_ring_init(&l->in, item, AX_LEG_PACKETS);
    if (rc == AX_OK)
        rc = ax_ring_init(&l->out, item, AX_LEG_PACKETS);
    if (rc == AX_OK)
        rc = open_codec(&l->decode);
    if (rc == AX_OK)
        rc = open_codec(&l->encode);
    if (rc == AX_OK && l->spec.keys)
        rc = ax_dtmf_new(&l->dtmf, l->spec.rate);
    l->offered = calloc(1, item);
    l->made = calloc(1, item);
    l->said = calloc(l->codec_frame * (l->spec.packet_ms / 10), sizeof *l->said);
    return rc != AX_OK ? rc : l->offered && l->made && l->said ? AX_OK : AX_E_NOMEM;
}

/* The way from packets to sound. */
static int init_network(struct ax_leg *l)
{
    const uint32_t rate = l->decode.rate, clock = l->decode.clock;
    const struct ax_jitter_config config = {
        .rate = clock, .frame = clock * l->spec.packet_ms / 1000, .slots = 256, .max_payload = l->most,
        .min_delay_ms = l->spec.min_delay_ms, .max_delay_ms = l->spec.max_delay_ms, .stretch = 1, .tick_us = TICK_US,
    };
    l->room = rate * (LEG_PAST_MS + 10 + 10 + LEG_RENDER_MS) / 1000 + 64;
    l->sound = calloc(l->room, sizeof *l->sound);
    l->past = rate * LEG_PAST_MS / 1000;
    l->rest = calloc(rate * AX_LEG_PAYLOAD_MS / 1000, sizeof *l->rest);
    int rc = l->sound && l->rest ? ax_jitter_new(&l->jitter, &config) : AX_E_NOMEM;
    if (rc == AX_OK)
        rc = ax_plc_new(&l->plc, rate);
    const bool twice = l->frame == 2 * l->codec_frame, other = rate != l->spec.rate && !twice;
    if (rc == AX_OK && twice)
        rc = ax_halfband_init(&l->twice);
    if (rc == AX_OK && twice)
        rc = ax_halfband_init(&l->half);
    if (rc == AX_OK && other)
        rc = ax_resample_new(&l->up, rate, l->spec.rate, 96);
    if (rc == AX_OK && other)
        rc = ax_resample_new(&l->down, l->spec.rate, rate, 96);
    return rc;
}

int ax_leg_new(struct ax_leg **out, const struct ax_leg_spec *spec)
{
    struct leg_codec codec = {0};
    if (!out || !spec)
        return AX_E_ARG;
    *out = NULL;
    int rc = check(spec, &codec);
    if (rc != AX_OK)
        return rc;
    struct ax_leg *l = calloc(1, sizeof *l);
    if (!l)
        return AX_E_NOMEM;
    l->spec = *spec;
    l->decode = l->encode = codec;
    l->frame = spec->rate / 100;
    l->codec_frame = codec.rate / 100;
    l->most = (uint32_t)leg_octets(&codec, spec->codec == AX_LEG_PCM ? l->frame : codec.rate * AX_LEG_PAYLOAD_MS / 1000);
    rc = init_common(l);
    if (rc == AX_OK && spec->codec != AX_LEG_PCM)
        rc = init_network(l);
    if (rc != AX_OK) {
        ax_leg_free(l);
        return rc;
    }
    *out = l;
    return AX_OK;
}

void ax_leg_free(struct ax_leg *l)
{
    if (!l)
        return;
    ax_ring_free(&l->in);
    ax_ring_free(&l->out);
    ax_g722_free(l->decode.g722);
    ax_g722_free(l->encode.g722);
    ax_g726_free(l->decode.g726);
    ax_g726_free(l->encode.g726);
    ax_jitter_free(l->jitter);
    ax_plc_free(l->plc);
    ax_dtmf_free(l->dtmf);
    ax_resample_free(l->up);
    ax_resample_free(l->down);
    free(l->offered);
    free(l->made);
    free(l->sound);
    free(l->rest);
    free(l->said);
    free(l);
}
