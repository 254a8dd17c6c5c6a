/* Reference workloads of the OSDP kernel: check values, frames clear and secured (both AES variants), a whole exchange. */
#include "workload.h"

#include "ax/osdp_cp.h"
#include "ax/osdp_crc.h"
#include "ax/osdp_pd.h"

#define FRAMES 100

static uint8_t data[1440], frame[AX_OSDP_MAX_FRAME], plain[AX_OSDP_MAX_FRAME];
static struct ax_osdp_sc acu, device;
static struct ax_osdp_cp *cp;
static struct ax_osdp_pd *pd;
static uint64_t now;
static const uint8_t KEY[16] = "0123456789abcdeF", RND[8] = "nonce A";

static int fill(void)
{
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31);
    return 0;
}

static int open_sessions(int level)
{
    uint8_t mac[16];
    int rc = ax_aes_set_level(level);
    ax_osdp_sc_keys(&acu, KEY, RND);
    ax_osdp_sc_keys(&device, KEY, RND);
    ax_osdp_sc_start(&acu, KEY, mac);
    ax_osdp_sc_start(&device, KEY, mac);
    return rc < 0 ? rc : fill();
}

static int prepare_secure(void)
{
    return open_sessions(ax_aes_best());
}

static int prepare_portable(void)
{
    return open_sessions(AX_AES_GENERIC);
}

static uint64_t crc_8(void)
{
    uint16_t crc = AX_OSDP_CRC_INIT;
    for (int i = 0; i < FRAMES; i++)
        crc = ax_osdp_crc(crc, data, 8);
    return crc;
}

static uint64_t crc_1440(void)
{
    uint16_t crc = AX_OSDP_CRC_INIT;
    for (int i = 0; i < FRAMES; i++)
        crc = ax_osdp_crc(crc, data, 1440);
    return crc;
}

static uint64_t clear(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < FRAMES; i++) {
        const struct ax_osdp_head head = {.address = (uint8_t)i, .control = (uint8_t)(i & 3) | AX_OSDP_CRC};
        struct ax_osdp_frame f;
        const int n = ax_osdp_build(frame, sizeof frame, &head, AX_OSDP_POLL, NULL, 0);
        sum += (uint64_t)ax_osdp_parse(frame, (size_t)n, &f) + f.code + f.head.address;
    }
    return sum;
}

static uint64_t secure(uint8_t code, size_t size)
{
    uint64_t sum = 0;
    for (int i = 0; i < FRAMES; i++) {
        struct ax_osdp_head head = {.address = i & 1 ? 0x81 : 1, .control = AX_OSDP_CRC | 1};
        struct ax_osdp_frame f;
        const int n = ax_osdp_seal(i & 1 ? &device : &acu, frame, sizeof frame, &head, code, data, size);
        sum += (uint64_t)ax_osdp_parse(frame, (size_t)n, &f);
        sum += (uint64_t)ax_osdp_open(i & 1 ? &acu : &device, &f, plain);
    }
    return sum;
}

static uint64_t secure_poll(void)
{
    return secure(AX_OSDP_POLL, 0);
}

static uint64_t secure_led(void)
{
    return secure(AX_OSDP_LED, 14);
}

static uint64_t secure_file(void)
{
    return secure(AX_OSDP_FILETRANSFER, 1400);
}

static uint64_t turns(int n)
{
    uint64_t sum = 0;
    uint8_t out[AX_OSDP_MAX_FRAME + 1];
    for (int i = 0; i < n; i++) {
        int size = ax_osdp_cp_advance(cp, now += 1000000, out, sizeof out);
        ax_osdp_pd_feed(pd, now, out, (size_t)size);
        size = ax_osdp_pd_advance(pd, now, out, sizeof out);
        ax_osdp_cp_feed(cp, now, out, (size_t)size);
        sum += (uint64_t)size;
    }
    return sum;
}

static int prepare_engine(void)
{
    struct ax_osdp_cp_config c;
    struct ax_osdp_pd_config p;
    struct ax_osdp_reader_config r = {.has_key = true};
    memcpy(r.key, KEY, 16);
    ax_osdp_cp_defaults(&c);
    ax_osdp_pd_defaults(&p);
    c.baud = 0;
    p.has_key = true;
    memcpy(p.key, KEY, 16);
    int rc = ax_aes_set_level(ax_aes_best());
    rc = rc < 0 ? rc : ax_osdp_cp_new(&cp, &c);
    rc = rc < 0 ? rc : ax_osdp_pd_new(&pd, &p);
    rc = rc < 0 ? rc : ax_osdp_cp_open(cp, &r);
    if (rc >= 0)
        turns(10);
    return rc >= 0 && ax_osdp_cp_link(cp, 0) != AX_OSDP_SECURE ? -1 : rc;
}

static uint64_t engine(void)
{
    return turns(FRAMES);
}

int main(int argc, char **argv)
{
    static const struct workload list[] = {
        {"osdp.crc_8", "calls", FRAMES, fill, crc_8},
        {"osdp.crc_1440", "calls", FRAMES, fill, crc_1440},
        {"osdp.clear", "frames", FRAMES, fill, clear},
        {"osdp.secure_poll", "frames", FRAMES, prepare_secure, secure_poll},
        {"osdp.secure_led", "frames", FRAMES, prepare_secure, secure_led},
        {"osdp.secure_file", "frames", FRAMES, prepare_secure, secure_file},
        {"osdp.portable_poll", "frames", FRAMES, prepare_portable, secure_poll},
        {"osdp.engine", "exchanges", FRAMES, prepare_engine, engine},
    };
    int rc = workload_main(list, sizeof list / sizeof *list, argc, argv);
    ax_osdp_cp_free(cp);
    ax_osdp_pd_free(pd);
    return rc;
}
