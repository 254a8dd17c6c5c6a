/* The device end of an OSDP line (PD: reader, keypad, lock), sans-I/O: bytes and time in, bytes and events out.
 *
 * Answers by itself: polls from a queue, identity and states from what was stored, the handshake, repeats, wrong frames.
 * Other commands are told as events and are acknowledged, answered later (ASK) or refused, as set by policy. With a key,
 * nothing but ID, CAP and an empty poll is answered in clear, and KEYSET never.
 * Units: nanoseconds on one monotonic clock, bytes. Threads: one per object. Allocation: only in new. */
#ifndef AX_OSDP_PD_H
#define AX_OSDP_PD_H

#include "ax/osdp.h"
#include "ax/osdp_event.h"
#include "ax/osdp_sc.h"

#define AX_OSDP_INSTALL_MAX_NS 600000000000ull /**< Longest install window: 10 minutes. */

struct ax_osdp_pd;

struct ax_osdp_pd_config {
    uint8_t address;     /**< 0 to 7E. */
    bool secure;         /**< Refuse to work in clear. Implied by a key. */
    bool has_key;
    uint8_t key[16];     /**< SCBK; weak keys are refused (AX_E_RANGE). */
    uint8_t cuid[8];     /**< Client id told in the handshake. */
    uint64_t answer_ns;  /**< A command that is not answered after this gets BUSY. Default 100 ms. */
    uint64_t offline_ns; /**< Silence that takes the device off line. Default 8 s. */
    ax_osdp_random random;
    void *random_context;
};

enum ax_osdp_pd_policy {
    AX_OSDP_REFUSE = 0, /**< NAK 3. */
    AX_OSDP_ACCEPT = 1, /**< Told, and acknowledged at once (queries: answered from what was stored). */
    AX_OSDP_ASK = 2,    /**< Told with a = 1; ax_osdp_pd_answer gives the reply. */
};

struct ax_osdp_pd_stats {
    uint64_t commands;   /**< Accepted. */
    uint64_t repeats;    /**< Answered with the stored reply. */
    uint64_t naks;       /**< Sent. */
    uint64_t bad_checks; /**< Frames for this address with a wrong CRC or checksum. */
    uint64_t busy;       /**< BUSY replies. */
    uint64_t attacks;    /**< AX_OSDP_EV_ATTACK events. */
};

/** Defaults: address 0, no key, getrandom(2). */
void ax_osdp_pd_defaults(struct ax_osdp_pd_config *config);
int ax_osdp_pd_new(struct ax_osdp_pd **out, const struct ax_osdp_pd_config *config);
void ax_osdp_pd_free(struct ax_osdp_pd *pd);
/** As after new, with the present key, address and stored answers; a reply in progress and the session are dropped. */
void ax_osdp_pd_reset(struct ax_osdp_pd *pd);

/** Bytes that came from the line. Call ax_osdp_pd_advance after it. */
int ax_osdp_pd_feed(struct ax_osdp_pd *pd, uint64_t t_ns, const uint8_t *bytes, size_t n);
/** Do what is due. Returns how many bytes to send were written to `out` (`cap` >= AX_OSDP_MAX_FRAME), 0 = none. */
int ax_osdp_pd_advance(struct ax_osdp_pd *pd, uint64_t t_ns, uint8_t *out, size_t cap);
/** When advance has something to do without new bytes; UINT64_MAX when never, 0 when now. */
uint64_t ax_osdp_pd_deadline(const struct ax_osdp_pd *pd);
/** The oldest event and its data (`cap` >= AX_OSDP_EVENT_DATA): 1, or 0 when there is none. */
int ax_osdp_pd_event(struct ax_osdp_pd *pd, struct ax_osdp_event *event, uint8_t *data, size_t cap);

/** Store what a query is answered with: reply code PDID, EXT_PDID, PDCAP, LSTATR, ISTATR, OSTATR or RSTATR. At most 1024 bytes. */
int ax_osdp_pd_store(struct ax_osdp_pd *pd, uint8_t reply, const uint8_t *data, size_t size);
/** What becomes of a command. Those of the protocol itself (POLL, CHLNG, SCRYPT, KEYSET, ACURXSIZE) cannot be changed. */
int ax_osdp_pd_set_policy(struct ax_osdp_pd *pd, uint8_t command, int policy);
/** The reply to the command that waits (ASK). AX_E_STATE when none does. */
int ax_osdp_pd_answer(struct ax_osdp_pd *pd, uint8_t reply, const uint8_t *data, size_t size);
/** Queue a reply for the next free poll: card, keys, states, results. Replies of the kind that has parts (PIVDATAR,
 * GENAUTHR, CRAUTHR, EXT_PDID) are given whole and cut as needed. AX_E_FULL when the queue is. */
int ax_osdp_pd_post(struct ax_osdp_pd *pd, uint8_t reply, const uint8_t *data, size_t size);

/** Change the base key; the session ends. AX_E_RANGE for weak keys. */
int ax_osdp_pd_set_key(struct ax_osdp_pd *pd, uint64_t t_ns, const uint8_t key[16]);
/** Accept the published key, and a KEYSET under it, for `duration_ns` (at most AX_OSDP_INSTALL_MAX_NS; 0 closes). */
int ax_osdp_pd_install(struct ax_osdp_pd *pd, uint64_t t_ns, uint64_t duration_ns);

/** enum ax_osdp_link */
int ax_osdp_pd_link(const struct ax_osdp_pd *pd);
uint8_t ax_osdp_pd_address(const struct ax_osdp_pd *pd);
void ax_osdp_pd_get_stats(const struct ax_osdp_pd *pd, struct ax_osdp_pd_stats *stats);

#endif
