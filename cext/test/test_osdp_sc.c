/* The secure channel: annex E byte for byte, the chain over many frames, padding at every length, and weak keys. */
#include "ax/err.h"
#include "ax/osdp_crc.h"
#include "ax/osdp_sc.h"
#include "ax_test.h"

#include <string.h>

static const uint8_t A[8] = {0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7};
static const uint8_t B[8] = {0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7};

static void annex_e(void)
{
    static const uint8_t client[16] = {0xFD, 0xE5, 0xD2, 0xF4, 0x28, 0xEC, 0x16, 0x31, 0x24, 0x71, 0xEA, 0x3C, 0x02, 0xBD, 0x77, 0x96};
    static const uint8_t server[16] = {0x26, 0xD3, 0x35, 0x6E, 0x07, 0x76, 0x2D, 0x26, 0x28, 0x01, 0xFC, 0x8E, 0x66, 0x65, 0xA8, 0x91};
    static const uint8_t r_mac[16] = {0xB2, 0xA3, 0x00, 0x57, 0xEB, 0x98, 0xBA, 0x22, 0x29, 0xEC, 0x1F, 0x87, 0x56, 0x62, 0xB5, 0x24};
    static const uint8_t keys[3][16] = {
        {0xBF, 0x8D, 0xC2, 0xA8, 0x32, 0x9A, 0xCB, 0x8C, 0x67, 0xC6, 0xD0, 0xCD, 0x9A, 0x45, 0x16, 0x82},
        {0x5E, 0x86, 0xC6, 0x76, 0x60, 0x3B, 0xDE, 0xE2, 0xD8, 0xBE, 0xAF, 0xE1, 0x78, 0x63, 0x73, 0x32},
        {0x6F, 0xDA, 0x86, 0xE8, 0x57, 0x77, 0x7E, 0x81, 0x13, 0x20, 0x35, 0x75, 0x82, 0x39, 0x17, 0x2E},
    };
    struct ax_osdp_sc sc;
    uint8_t got[16], expected[16];
    ax_osdp_sc_keys(&sc, ax_osdp_scbk_d, A);
    struct ax_aes *made[3] = {&sc.enc, &sc.mac1, &sc.mac2}, aes;
    for (int i = 0; i < 3; i++) {
        ax_aes_init(&aes, keys[i]);
        ax_aes_encrypt_block(&aes, client, expected);
        ax_aes_encrypt_block(made[i], client, got);
        CHECK(memcmp(got, expected, 16) == 0);
    }
    ax_osdp_sc_client(&sc, A, B, got);
    CHECK(memcmp(got, client, 16) == 0);
    ax_osdp_sc_server(&sc, A, B, got);
    CHECK(memcmp(got, server, 16) == 0);
    ax_osdp_sc_start(&sc, got, expected);
    CHECK(memcmp(expected, r_mac, 16) == 0);
    ax_osdp_sc_wipe(&sc);
    CHECK_EQ(sc.r_mac[0], 0);
}

static void open_session(struct ax_osdp_sc *sc)
{
    uint8_t server[16], r_mac_i[16];
    ax_osdp_sc_keys(sc, (const uint8_t *)"0123456789abcdeF", A);
    ax_osdp_sc_server(sc, A, B, server);
    ax_osdp_sc_start(sc, server, r_mac_i);
}

static void both_ends_agree(void)
{
    static uint8_t data[AX_OSDP_MAX_FRAME], frame[AX_OSDP_MAX_FRAME], plain[AX_OSDP_MAX_FRAME], old[2][AX_OSDP_MAX_FRAME];
    struct ax_osdp_sc acu, pd;
    struct ax_osdp_frame f;
    open_session(&acu);
    open_session(&pd);
    int wrong = 0;
    for (size_t n = 0; n <= 1407; n++) {
        struct ax_osdp_head head = {.address = n & 1 ? 0x85 : 0x05, .control = (uint8_t)((n % 3 + 1) | (n & 2 ? AX_OSDP_CRC : 0))};
        struct ax_osdp_sc *from = n & 1 ? &pd : &acu, *to = n & 1 ? &acu : &pd;
        data[n / 2] = (uint8_t)n;
        const int length = ax_osdp_seal(from, frame, sizeof frame, &head, 0x80, data, n);
        wrong += length <= 0 || ax_osdp_parse(frame, (size_t)length, &f) != length;
        wrong += f.head.scb_type != 0x15 + (n ? 2 : 0) + (n & 1);
        wrong += ax_osdp_open(to, &f, plain) != (int)n || memcmp(plain, data, n) != 0;
        if (n >= 2) { /* one exchange later, the same frame is worth nothing */
            wrong += ax_osdp_parse(old[n & 1], sizeof old[0], &f) <= 0 || ax_osdp_open(to, &f, plain) != AX_E_PARITY;
        }
        memcpy(old[n & 1], frame, sizeof old[0]);
    }
    CHECK_EQ(wrong, 0);
    struct ax_osdp_head head = {.address = 5};
    CHECK_EQ(ax_osdp_seal(&acu, frame, sizeof frame, &head, 0x80, data, 1430), AX_E_FULL);
    CHECK_EQ(ax_osdp_seal(&acu, frame, sizeof frame, &head, 0x80, data, 5000), AX_E_FULL);
    CHECK_EQ(ax_osdp_seal(&acu, frame, sizeof frame, &head, 0x80, NULL, 1), AX_E_ARG);
    CHECK_EQ(ax_osdp_open(NULL, &f, plain), AX_E_ARG);
}

static void bits_flipped_are_found(void)
{
    static uint8_t frame[64], plain[64];
    struct ax_osdp_sc acu, pd, before;
    struct ax_osdp_frame f;
    struct ax_osdp_head head = {.address = 0, .control = 1 | AX_OSDP_CRC};
    open_session(&acu);
    open_session(&pd);
    const int length = ax_osdp_seal(&acu, frame, sizeof frame, &head, AX_OSDP_LED, (const uint8_t *)"fourteen bytes", 14);
    CHECK_EQ(length, 30);
    before = pd;
    int accepted = 0;
    for (int bit = 8 * 7; bit < 8 * (length - 2); bit++) {
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const uint16_t crc = ax_osdp_crc(AX_OSDP_CRC_INIT, frame, (size_t)length - 2);
        frame[length - 2] = (uint8_t)crc, frame[length - 1] = (uint8_t)(crc >> 8);
        accepted += ax_osdp_parse(frame, (size_t)length, &f) == length && ax_osdp_open(&pd, &f, plain) >= 0;
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_EQ(accepted, 0);
    CHECK(memcmp(&before, &pd, sizeof pd) == 0);
    f.head.scb_type = 0;
    CHECK_EQ(ax_osdp_open(&pd, &f, plain), AX_E_FORMAT);
}

/* A peer with the right keys that encrypts wrongly: the MAC holds, the data does not. */
static void wrong_padding(void)
{
    static uint8_t frame[64], plain[64];
    struct ax_osdp_sc acu, pd;
    struct ax_osdp_frame f;
    struct ax_osdp_head head = {.address = 0, .control = 1};
    for (int kind = 0; kind < 2; kind++) {
        open_session(&acu);
        open_session(&pd);
        ax_aes_init(&acu.enc, kind ? frame : (const uint8_t *)"some other key!!");
        int length = ax_osdp_seal(&acu, frame, sizeof frame, &head, AX_OSDP_MFG, (const uint8_t *)"abc", 3);
        CHECK_EQ(ax_osdp_parse(frame, (size_t)length, &f), length);
        CHECK_EQ(ax_osdp_open(&pd, &f, plain), AX_E_FORMAT);
    }
}

static void weak_keys(void)
{
    uint8_t key[16];
    int weak = 0;
    for (int start = 0; start < 256; start++) {
        for (int step = -1; step <= 1; step++) {
            for (int i = 0; i < 16; i++)
                key[i] = (uint8_t)(start + i * step);
            weak += ax_osdp_key_weak(key);
        }
    }
    CHECK_EQ(weak, 768);
    CHECK(ax_osdp_key_weak(ax_osdp_scbk_d));
    CHECK(!ax_osdp_key_weak((const uint8_t *)"0123456789abcdeF"));
    CHECK_EQ(ax_osdp_getrandom(NULL, key, sizeof key), AX_OK);
    CHECK(!ax_osdp_key_weak(key));
}

int main(void)
{
    for (int level = 0; level <= ax_aes_best(); level++) {
        ax_aes_set_level(level);
        annex_e();
        both_ends_agree();
        bits_flipped_are_found();
        wrong_padding();
    }
    weak_keys();
    return ax_test_done();
}
