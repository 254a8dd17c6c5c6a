/* The state of a device and what its files share. Inside cext/osdp only. */
#ifndef AX_OSDP_PD_INTERNAL_H
#define AX_OSDP_PD_INTERNAL_H

#include "ax/osdp_pd.h"
#include "ax_osdp_queue.h"

#define PD_STORED   7    /* Replies that are stored: see ax_osdp_pd_stored. */
#define PD_STORE    1024 /* Most bytes of one. */
#define PD_EVENTS   32768
#define PD_REPLIES  16384
#define PD_NONCES   4    /* Nonces of the ACU that are remembered. */
#define PD_CHARACTER_NS 20000000 /* Longest time between two characters of a frame. */
#define PD_NO_SQN   4    /* Before the first frame. */

/* Head of a reply in the queue. */
struct pd_reply {
    uint16_t size;
    uint8_t code;
};

struct ax_osdp_pd {
    struct ax_osdp_pd_config config;
    struct ax_osdp_rx rx;
    struct ax_osdp_sc sc;
    struct ax_osdp_pd_stats stats;
    struct ax_osdp_queue events, replies;
    uint64_t now, heard_ns, byte_ns, install_until_ns, busy_ns; /* busy_ns: when the waiting command gets BUSY, 0 = not waiting. */
    uint32_t lost;
    uint8_t address, sqn, link, next_address; /* next_address: after a COMSET was answered; 0xFF = none. */
    uint8_t policy[256];
    /* Handshake. */
    uint8_t rnd_a[PD_NONCES][8], rnd_b[8], nonces, key_choice;
    bool challenged, session, default_key;
    /* The last command and its reply, for repeats. */
    uint8_t command[AX_OSDP_MAX_FRAME], reply[AX_OSDP_MAX_FRAME], plain[AX_OSDP_MAX_FRAME];
    uint16_t command_size, reply_size;
    bool replied, send, send_refusal; /* The reply belongs to the last command; it, or the refusal, has to go out. */
    uint8_t refusal[16], refusal_size;
    struct ax_osdp_head head; /* Of the command that is being answered. */
    /* A command that waits for its answer, and the answer when it came after BUSY. */
    bool waiting, answered;
    uint8_t wait_code, answer_code;
    uint16_t answer_size;
    uint8_t answer[AX_OSDP_MAX_FRAME];
    /* Parts: coming in (GENAUTH, CRAUTH) and going out. */
    uint8_t in_code, out_code;
    uint32_t in_total, in_got, out_total, out_sent;
    uint8_t in_parts[AX_OSDP_EVENT_DATA], out_parts[AX_OSDP_EVENT_DATA];
    uint16_t peer_rx; /* Longest frame that the ACU takes. */
    uint16_t store_size[PD_STORED];
    uint8_t store[PD_STORED][PD_STORE];
    uint8_t event_bytes[PD_EVENTS], reply_bytes[PD_REPLIES];
};

void ax_osdp_pd_tell(struct ax_osdp_pd *pd, uint8_t kind, uint8_t code, uint32_t a, uint32_t b, const uint8_t *data, size_t size);
void ax_osdp_pd_attack(struct ax_osdp_pd *pd, uint32_t attack, uint8_t code);
void ax_osdp_pd_set_link(struct ax_osdp_pd *pd, uint8_t link, uint32_t why);
void ax_osdp_pd_end_session(struct ax_osdp_pd *pd);
/* Give the reply to the command in `head`: sealed in a session, kept for repeats. */
void ax_osdp_pd_respond(struct ax_osdp_pd *pd, uint8_t code, const uint8_t *data, size_t size);
/* A refusal that is not kept, outside of the session. */
void ax_osdp_pd_refuse(struct ax_osdp_pd *pd, uint8_t nak);
/* Carry out a command that passed sequence and security. */
void ax_osdp_pd_execute(struct ax_osdp_pd *pd, uint8_t code, const uint8_t *data, size_t size);
void ax_osdp_pd_challenge(struct ax_osdp_pd *pd, const struct ax_osdp_frame *f);
void ax_osdp_pd_scrypt(struct ax_osdp_pd *pd, const struct ax_osdp_frame *f);
/* Index of a stored reply, -1 when the code is none. */
int ax_osdp_pd_stored(uint8_t reply);

#endif
