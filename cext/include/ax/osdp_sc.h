/* The OSDP secure channel (SIA OSDP 2.2, annex D): session keys, cryptograms, MAC chain and encryption.
 *
 * A session starts with keys from SCBK and the ACU's nonce; both ends prove the keys by a cryptogram; then every frame
 * carries four bytes of a MAC that is chained over both directions, and data is encrypted. One object per link and end.
 * Units: bytes. Threads: one per object. Allocation: none. */
#ifndef AX_OSDP_SC_H
#define AX_OSDP_SC_H

#include "ax/aes.h"
#include "ax/osdp.h"

/** The published key 30..3F, for installation only. */
extern const uint8_t ax_osdp_scbk_d[16];

/** Keys and chain of one session. Wipe with ax_osdp_sc_wipe. */
struct ax_osdp_sc {
    struct ax_aes enc, mac1, mac2;
    uint8_t c_mac[16]; /**< Last MAC sent by the ACU. */
    uint8_t r_mac[16]; /**< Last MAC sent by the device. */
};

/** Session keys from the base key and the ACU's nonce. */
void ax_osdp_sc_keys(struct ax_osdp_sc *sc, const uint8_t scbk[16], const uint8_t rnd_a[8]);
/** What the device proves with: E(enc, A B). */
void ax_osdp_sc_client(const struct ax_osdp_sc *sc, const uint8_t rnd_a[8], const uint8_t rnd_b[8], uint8_t out[16]);
/** What the ACU proves with: E(enc, B A). */
void ax_osdp_sc_server(const struct ax_osdp_sc *sc, const uint8_t rnd_a[8], const uint8_t rnd_b[8], uint8_t out[16]);
/** Start of the MAC chain, R-MAC-I = E(mac2, E(mac1, server cryptogram)); also kept as the last MAC of the device. */
void ax_osdp_sc_start(struct ax_osdp_sc *sc, const uint8_t server[16], uint8_t r_mac_i[16]);
void ax_osdp_sc_wipe(struct ax_osdp_sc *sc);

/** Build a secured frame (types 15 to 18, from the direction and whether there is data) and move the chain on. Returns the
 * length; AX_E_FULL when it does not fit: nothing moved. `head->scb_type` is not read. */
int ax_osdp_seal(struct ax_osdp_sc *sc, uint8_t *out, size_t cap, const struct ax_osdp_head *head, uint8_t code,
                 const uint8_t *data, size_t size);
/** Check the MAC of a parsed frame, move the chain on, and decrypt its data into `plain` (room for frame->size bytes).
 * Returns the size of the data. AX_E_PARITY: the MAC does not hold, nothing moved. AX_E_FORMAT: no such security block, or
 * the MAC holds and the padding does not. */
int ax_osdp_open(struct ax_osdp_sc *sc, const struct ax_osdp_frame *frame, uint8_t *plain);

/** Keys that must not be used: those with a constant step between neighbours, which are all-equal bytes, ramps up and down
 * and the published default key. */
bool ax_osdp_key_weak(const uint8_t key[16]);

/** Where nonces come from: fill `out`, return 0. Anything else: no handshake is started. */
typedef int (*ax_osdp_random)(void *context, uint8_t *out, size_t n);
/** The generator of the operating system, getrandom(2). */
int ax_osdp_getrandom(void *context, uint8_t *out, size_t n);

#endif
