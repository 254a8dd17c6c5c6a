/* The OSDP secure channel (SIA OSDP 2.2, annex D). The MAC is CBC under mac1 with the last block under mac2; its start
 * value is the last whole MAC of the other direction, so a lost or doubled frame cannot pass. Data is always padded (80 00
 * ...) and encrypted with the complement of the same value. Keys and plain text never steer a branch or an address.
 * Units: bytes. Threads: one per object. Allocation: none. */
#include "ax/osdp_sc.h"

#include "ax/err.h"
#include "ax/osdp_crc.h"

#include <string.h>
#include <sys/random.h>

const uint8_t ax_osdp_scbk_d[16] = {
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F,
};

void ax_osdp_sc_keys(struct ax_osdp_sc *sc, const uint8_t scbk[16], const uint8_t rnd_a[8])
{
    static const uint8_t label[3] = {0x82, 0x01, 0x02};
    struct ax_aes *const made[3] = {&sc->enc, &sc->mac1, &sc->mac2};
    struct ax_aes base;
    uint8_t key[16];
    ax_aes_init(&base, scbk);
    for (int i = 0; i < 3; i++) {
        memset(key, 0, sizeof key);
        key[0] = 0x01;
        key[1] = label[i];
        memcpy(key + 2, rnd_a, 6);
        ax_aes_encrypt_block(&base, key, key);
        ax_aes_init(made[i], key);
    }
    explicit_bzero(key, sizeof key);
    ax_aes_wipe(&base);
}

static void cryptogram(const struct ax_osdp_sc *sc, const uint8_t first[8], const uint8_t second[8], uint8_t out[16])
{
    uint8_t both[16];
    memcpy(both, first, 8);
    memcpy(both + 8, second, 8);
    ax_aes_encrypt_block(&sc->enc, both, out);
}

void ax_osdp_sc_client(const struct ax_osdp_sc *sc, const uint8_t rnd_a[8], const uint8_t rnd_b[8], uint8_t out[16])
{
    cryptogram(sc, rnd_a, rnd_b, out);
}

void ax_osdp_sc_server(const struct ax_osdp_sc *sc, const uint8_t rnd_a[8], const uint8_t rnd_b[8], uint8_t out[16])
{
    cryptogram(sc, rnd_b, rnd_a, out);
}

void ax_osdp_sc_start(struct ax_osdp_sc *sc, const uint8_t server[16], uint8_t r_mac_i[16])
{
    ax_aes_encrypt_block(&sc->mac1, server, sc->r_mac);
    ax_aes_encrypt_block(&sc->mac2, sc->r_mac, sc->r_mac);
    memset(sc->c_mac, 0, sizeof sc->c_mac);
    memcpy(r_mac_i, sc->r_mac, 16);
}

void ax_osdp_sc_wipe(struct ax_osdp_sc *sc)
{
    explicit_bzero(sc, sizeof *sc);
}

/* MAC over `n` bytes. Whole blocks are read in place, the rest is padded beside. */
static void mac(const struct ax_osdp_sc *sc, const uint8_t iv[16], const uint8_t *in, size_t n, uint8_t out[16])
{
    uint8_t last[16] = {0};
    const size_t whole = n / 16, rest = n % 16;
    if (!rest) {
        ax_aes_cbc_mac(&sc->mac1, &sc->mac2, iv, in, whole, out);
        return;
    }
    memcpy(last, in + 16 * whole, rest);
    last[rest] = 0x80;
    if (whole) {
        ax_aes_cbc_mac(&sc->mac1, &sc->mac1, iv, in, whole, out);
        iv = out;
    }
    ax_aes_cbc_mac(&sc->mac2, &sc->mac2, iv, last, 1, out);
}

static void complement(uint8_t out[16], const uint8_t in[16])
{
    for (int i = 0; i < 16; i++)
        out[i] = (uint8_t)~in[i];
}

int ax_osdp_seal(struct ax_osdp_sc *sc, uint8_t *out, size_t cap, const struct ax_osdp_head *head, uint8_t code,
                 const uint8_t *data, size_t size)
{
    if (!sc || !out || !head || (size && !data))
        return AX_E_ARG;
    const bool crc = head->control & AX_OSDP_CRC, reply = head->address & AX_OSDP_REPLY;
    if (size > AX_OSDP_MAX_FRAME)
        return AX_E_FULL;
    const size_t padded = size ? (size / 16 + 1) * 16 : 0, before = 8 + padded;
    const size_t length = before + 4 + (crc ? 2 : 1);
    if (length > cap || length > AX_OSDP_MAX_FRAME)
        return AX_E_FULL;
    const uint8_t *other = reply ? sc->c_mac : sc->r_mac;
    uint8_t *own = reply ? sc->r_mac : sc->c_mac;
    if (size) {
        uint8_t iv[16];
        memmove(out + 8, data, size);
        out[8 + size] = 0x80;
        memset(out + 9 + size, 0, padded - size - 1);
        complement(iv, other);
        ax_aes_cbc_encrypt(&sc->enc, iv, out + 8, out + 8, padded / 16);
    }
    out[0] = AX_OSDP_SOM;
    out[1] = head->address;
    out[2] = (uint8_t)length;
    out[3] = (uint8_t)(length >> 8);
    out[4] = (uint8_t)((head->control & (AX_OSDP_SQN | AX_OSDP_CRC)) | AX_OSDP_SCB);
    out[5] = 2;
    out[6] = (uint8_t)(AX_OSDP_SCS_15 + (size ? 2 : 0) + (reply ? 1 : 0));
    out[7] = code;
    mac(sc, other, out, before, own);
    memcpy(out + before, own, 4);
    if (crc) {
        const uint16_t check = ax_osdp_crc(AX_OSDP_CRC_INIT, out, length - 2);
        out[length - 2] = (uint8_t)check;
        out[length - 1] = (uint8_t)(check >> 8);
    } else {
        out[length - 1] = ax_osdp_checksum(out, length - 1);
    }
    return (int)length;
}

/* Size of the data before the padding, or -1: 80 and up to 15 zeros. The padding is under the MAC. */
static int unpad(const uint8_t *plain, size_t n)
{
    for (size_t i = n; i > 0 && n - i < 16; i--) {
        if (plain[i - 1] == 0x80)
            return (int)(i - 1);
        if (plain[i - 1])
            return -1;
    }
    return -1;
}

int ax_osdp_open(struct ax_osdp_sc *sc, const struct ax_osdp_frame *f, uint8_t *plain)
{
    if (!sc || !f || (f->size && !plain))
        return AX_E_ARG;
    const bool reply = f->head.address & AX_OSDP_REPLY, encrypted = f->head.scb_type >= AX_OSDP_SCS_17;
    if (f->head.scb_type < AX_OSDP_SCS_15 || !f->mac)
        return AX_E_FORMAT;
    const uint8_t *other = reply ? sc->c_mac : sc->r_mac;
    uint8_t found[16], iv[16];
    mac(sc, other, f->start, (size_t)(f->mac - f->start), found);
    if (!ax_osdp_equal(found, f->mac, 4))
        return AX_E_PARITY;
    complement(iv, other);
    memcpy(reply ? sc->r_mac : sc->c_mac, found, 16);
    if (!encrypted) {
        if (f->size)
            memcpy(plain, f->data, f->size);
        return f->size;
    }
    if (!f->size || f->size % 16)
        return AX_E_FORMAT;
    ax_aes_cbc_decrypt(&sc->enc, iv, f->data, plain, f->size / 16);
    const int size = unpad(plain, f->size);
    return size < 0 ? AX_E_FORMAT : size;
}

bool ax_osdp_key_weak(const uint8_t key[16])
{
    const uint8_t step = (uint8_t)(key[1] - key[0]);
    unsigned other = 0;
    for (int i = 1; i < 16; i++)
        other |= (uint8_t)(key[i] - key[i - 1] - step);
    return other == 0;
}

int ax_osdp_getrandom(void *context, uint8_t *out, size_t n)
{
    (void)context;
    return getrandom(out, n, 0) == (ssize_t)n ? AX_OK : AX_E_SYS;
}
