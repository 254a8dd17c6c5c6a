/* Reference workloads of the RTP kernel: parse with G.711 decode, SRTP, the jitter buffer. */
#include "workload.h"

#include "ax/err.h"
#include "ax/gcm.h"
#include "ax/jitter.h"
#include "ax/rtp.h"
#include "ax/srtp.h"

#define PACKETS 256
#define SIZE 172

static uint8_t packets[PACKETS][SIZE], sealed[PACKETS][SIZE + AX_SRTP_MAX_EXTRA], out[SIZE + AX_SRTP_MAX_EXTRA];
static int16_t mulaw[256], ring[8][160];
static struct ax_srtp *seal, *unseal;
static struct ax_jitter *jitter;
static int64_t now;
static uint32_t number;

/* G.711 mu-law, one byte. */
static int16_t decode(uint8_t code)
{
    const int u = ~code & 255, exponent = u >> 4 & 7, sample = ((((u & 15) << 3) + 132) << exponent) - 132;
    return (int16_t)(u & 128 ? -sample : sample);
}

static int fill(void)
{
    uint8_t payload[160];
    for (int i = 0; i < 256; i++)
        mulaw[i] = decode((uint8_t)i);
    for (int i = 0; i < PACKETS; i++) {
        struct ax_rtp_packet h = {.ssrc = 7, .sequence = (uint16_t)i, .timestamp = 160u * (uint32_t)i, .payload_size = 160};
        for (size_t k = 0; k < sizeof payload; k++)
            payload[k] = (uint8_t)(k * 7 + (size_t)i);
        const int rc = ax_rtp_build(packets[i], SIZE, &h, NULL, NULL, payload);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static uint64_t parse(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < PACKETS; i++) {
        struct ax_rtp_packet p;
        sum += (uint64_t)ax_rtp_parse(packets[i], SIZE, &p) + p.sequence + p.payload_size;
    }
    return sum;
}

static uint64_t parse_decode(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < PACKETS; i++) {
        struct ax_rtp_packet p;
        if (ax_rtp_parse(packets[i], SIZE, &p) < 0 || p.payload_size != 160)
            return 0;
        int16_t *to = ring[p.sequence & 7];
        const uint8_t *from = packets[i] + p.payload_at;
        for (int k = 0; k < 160; k++)
            to[k] = mulaw[from[k]];
        sum += (uint64_t)to[i % 160];
    }
    return sum;
}

static int open_contexts(enum ax_srtp_profile profile, int portable)
{
    static const uint8_t key[16] = "0123456789abcde", salt[14] = "0123456789abc";
    ax_srtp_free(seal);
    ax_srtp_free(unseal);
    seal = unseal = NULL;
    ax_aes_set_level(portable ? AX_AES_GENERIC : ax_aes_best());
    ax_gcm_set_level(portable ? AX_GCM_GENERIC : ax_gcm_best());
    const size_t nsalt = profile == AX_SRTP_GCM ? 12 : 14;
    const int rc = ax_srtp_new(&seal, profile, key, 16, salt, nsalt);
    number = 0;
    return rc < 0 ? rc : ax_srtp_new(&unseal, profile, key, 16, salt, nsalt) < 0 ? AX_E_NOMEM : fill();
}

static int prepare_cm(void)
{
    return open_contexts(AX_SRTP_CM_80, 0);
}

static int prepare_gcm(void)
{
    return open_contexts(AX_SRTP_GCM, 0);
}

static int prepare_gcm_portable(void)
{
    return open_contexts(AX_SRTP_GCM, 1);
}

static uint64_t both_ways(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < PACKETS; i++, number++) {
        packets[i][2] = (uint8_t)(number >> 8);
        packets[i][3] = (uint8_t)number;
        const int n = ax_srtp_protect(seal, packets[i], SIZE, sealed[i], sizeof sealed[i]);
        const int m = n < 0 ? n : ax_srtp_unprotect(unseal, sealed[i], (size_t)n, out, sizeof out);
        if (m < 0)
            abort();
        sum += (uint64_t)m + out[20];
    }
    return sum;
}

static int prepare_jitter(void)
{
    const struct ax_jitter_config config = {8000, 160, 64, 160, 0, 400, 1, 0};
    ax_jitter_free(jitter);
    jitter = NULL;
    now = 0;
    number = 0;
    return ax_jitter_new(&jitter, &config);
}

/* A packet in, with a delay of 0 to 16 ms and a spike now and then, and a frame out. */
static uint64_t put_get(void)
{
    uint64_t sum = 0;
    static const uint8_t payload[160];
    for (int i = 0; i < PACKETS; i++, number++) {
        const uint32_t noise = number * 2654435761u;
        const int64_t delay = (int64_t)(noise >> 28) * 1000000 + (noise % 97 == 0 ? 60000000 : 0);
        const struct ax_jitter_packet p = {payload, 160, 7, number * 160, (uint16_t)number, 0, 0};
        struct ax_jitter_out o;
        sum += (uint64_t)ax_jitter_put(jitter, &p, (uint64_t)(number * 20000000ll + delay));
        ax_jitter_get(jitter, (uint64_t)(number * 20000000ll + 60000000), &o);
        sum += o.play + o.sequence;
    }
    return sum;
}

int main(int argc, char **argv)
{
    static const struct workload list[] = {
        {"rtp.parse", "packets", PACKETS, fill, parse},
        {"rtp.parse_decode", "packets", PACKETS, fill, parse_decode},
        {"rtp.srtp_cm", "packets", PACKETS, prepare_cm, both_ways},
        {"rtp.srtp_gcm", "packets", PACKETS, prepare_gcm, both_ways},
        {"rtp.srtp_gcm_portable", "packets", PACKETS, prepare_gcm_portable, both_ways},
        {"rtp.jitter", "put+get", PACKETS, prepare_jitter, put_get},
    };
    const int rc = workload_main(list, sizeof list / sizeof *list, argc, argv);
    ax_srtp_free(seal);
    ax_srtp_free(unseal);
    ax_jitter_free(jitter);
    return rc;
}
