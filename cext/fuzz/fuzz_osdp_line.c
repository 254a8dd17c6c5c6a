/* Both ends of a line against a hostile middle. Input: a byte of options, then operations: let time pass, pass a frame on,
 * lose it, flip a bit (with and without a new check value), send the line's own bytes again, send bytes of the input as a
 * frame. Whatever happens: no report by a sanitizer, bounded output, and with a key the controller is told only what the
 * device posted (the card 0xB623AE40), the device only what the controller sent. */
#include "ax/err.h"
#include "ax/osdp_cp.h"
#include "ax/osdp_crc.h"
#include "ax/osdp_pd.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t KEY[16] = {0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0x0F};
static const uint8_t CARD[8] = {0, 1, 26, 0, 0xB6, 0x23, 0xAE, 0x40};

static struct ax_osdp_cp *cp;
static struct ax_osdp_pd *pd;
static bool secure;
static uint64_t t;
static uint8_t flying[2][AX_OSDP_MAX_FRAME + 1], old[2][AX_OSDP_MAX_FRAME + 1]; /* 0: to the device, 1: to the controller */
static int sizes[2], old_sizes[2];

static void require(int condition)
{
    if (!condition)
        abort();
}

static int next_nonce(void *context, uint8_t *out, size_t n)
{
    uint64_t *count = context;
    memset(out, 0, n);
    ++*count;
    memcpy(out, count, n < 8 ? n : 8);
    return 0;
}

static void read_events(void)
{
    static uint8_t data[AX_OSDP_EVENT_DATA];
    struct ax_osdp_event e;
    while (ax_osdp_cp_event(cp, &e, data, sizeof data) == 1) {
        require(e.kind > 0 && e.kind < AX_OSDP_EV_END);
        if (secure && e.kind == AX_OSDP_EV_REPLY && (e.code == AX_OSDP_RAW || e.code == AX_OSDP_KEYPAD))
            require(e.size == 8 && memcmp(data, CARD, 8) == 0 && e.link == AX_OSDP_SECURE);
        if (secure && e.kind == AX_OSDP_EV_LINK)
            require(e.a != AX_OSDP_CLEAR && e.a != AX_OSDP_INSTALL);
    }
    while (ax_osdp_pd_event(pd, &e, data, sizeof data) == 1) {
        require(e.kind > 0 && e.kind < AX_OSDP_EV_END && e.kind != AX_OSDP_EV_KEY);
        if (secure && e.kind == AX_OSDP_EV_COMMAND)
            require(e.code == AX_OSDP_LED && e.size == 14);
        if (e.kind == AX_OSDP_EV_COMMAND && e.a)
            ax_osdp_pd_answer(pd, AX_OSDP_MFGREP, data, e.size);
    }
}

static void keep(int way, int n)
{
    require(n >= 0 && n <= AX_OSDP_MAX_FRAME + 1);
    if (!n)
        return;
    sizes[way] = n;
    memcpy(old[way], flying[way], (size_t)n);
    old_sizes[way] = n;
}

static void deliver(int way, const uint8_t *bytes, size_t n)
{
    if (way == 0) {
        ax_osdp_pd_feed(pd, t, bytes, n);
        read_events();
        keep(1, ax_osdp_pd_advance(pd, t, flying[1], sizeof flying[1]));
    } else {
        ax_osdp_cp_feed(cp, t, bytes, n);
        read_events();
    }
}

static void fix_check(uint8_t *frame, int n)
{
    if (n < 8 || !(frame[4] & AX_OSDP_CRC))
        return;
    const uint16_t crc = ax_osdp_crc(AX_OSDP_CRC_INIT, frame, (size_t)n - 2);
    frame[n - 2] = (uint8_t)crc;
    frame[n - 1] = (uint8_t)(crc >> 8);
}

/* A frame of the input's own: kind of security block, code, and data. */
static size_t forge(int way, const uint8_t *data, size_t size)
{
    uint8_t frame[128];
    if (size < 4)
        return size;
    const size_t n = data[3] % 64 < size - 4 ? data[3] % 64 : size - 4;
    const struct ax_osdp_head head = {
        .address = way ? 0x81 : data[1] & 0x40 ? 0x7F : 1, .control = data[0] & 7,
        .scb_type = data[1] & 3 ? (uint8_t)(AX_OSDP_SCS_11 + (data[1] & 6) + way) : 0, .scb_data = data[0] >> 7,
    };
    const int length = ax_osdp_build(frame, sizeof frame, &head, data[2], data + 4, n);
    if (length > 0)
        deliver(way, frame, (size_t)length);
    return 4 + n;
}

static void start(uint8_t options, uint64_t *count)
{
    struct ax_osdp_cp_config c;
    struct ax_osdp_pd_config p;
    struct ax_osdp_reader_config r = {.address = 1, .checksum = options & 2, .has_key = secure, .poll_ns = options & 4 ? 50 * MS : 0};
    ax_osdp_cp_defaults(&c);
    ax_osdp_pd_defaults(&p);
    c.random = p.random = next_nonce;
    c.random_context = p.random_context = count;
    c.baud = options & 8 ? 9600 : 0;
    p.address = 1;
    p.has_key = secure;
    memcpy(p.key, KEY, 16);
    memcpy(r.key, KEY, 16);
    if (ax_osdp_cp_new(&cp, &c) < 0 || ax_osdp_pd_new(&pd, &p) < 0 || ax_osdp_cp_open(cp, &r) < 0)
        abort();
    ax_osdp_pd_store(pd, AX_OSDP_PDID, CARD, 8);
    ax_osdp_pd_store(pd, AX_OSDP_PDCAP, (const uint8_t *)"\x09\1\1\x0A\xA0\5", 6);
    ax_osdp_pd_set_policy(pd, AX_OSDP_MFG, AX_OSDP_ASK);
    ax_osdp_pd_set_policy(pd, AX_OSDP_GENAUTH, AX_OSDP_ACCEPT);
    r.address = 2;
    if (options & 16)
        ax_osdp_cp_open(cp, &r);
}

static void step(uint8_t operation)
{
    const int way = operation >> 3 & 1;
    switch (operation & 7) {
    case 0:
        t += (uint64_t)(operation >> 4) * 20 * MS;
        break;
    case 1:
        sizes[way] = 0;
        break;
    case 2: /* flip a bit, and mend the check value or not */
        if (sizes[way] > 8) {
            uint8_t *frame = flying[way] + (way == 0);
            frame[(operation >> 4) * 7 % (sizes[way] - 1)] ^= (uint8_t)(1 << (operation >> 5));
            if (operation & 16)
                fix_check(frame, sizes[way] - (way == 0));
        }
        break;
    case 3:
        if (old_sizes[way])
            deliver(way, old[way], (size_t)old_sizes[way]);
        break;
    case 4:
        ax_osdp_pd_post(pd, AX_OSDP_RAW, CARD, 8);
        ax_osdp_cp_command(cp, 0, AX_OSDP_LED, old[0], 14, 1);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t count = 0;
    if (size < 1 || size > 4096)
        return 0;
    memset(sizes, 0, sizeof sizes);
    memset(old_sizes, 0, sizeof old_sizes);
    secure = data[0] & 1;
    t = 1000 * MS;
    start(data[0], &count);
    for (size_t at = 1; at < size;) {
        const uint8_t operation = data[at++];
        if ((operation & 7) == 7)
            at += forge(operation >> 3 & 1, data + at, size - at);
        else
            step(operation);
        for (int way = 0; way < 2; way++) { /* what is left of the frames arrives */
            const int n = sizes[way];
            sizes[way] = 0;
            if (n)
                deliver(way, flying[way], (size_t)n);
        }
        t += MS;
        keep(0, ax_osdp_cp_advance(cp, t, flying[0], sizeof flying[0]));
        keep(1, ax_osdp_pd_advance(pd, t, flying[1], sizeof flying[1]));
        read_events();
    }
    ax_osdp_cp_free(cp);
    ax_osdp_pd_free(pd);
    return 0;
}
