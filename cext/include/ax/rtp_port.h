/* One media stream of a call, between datagrams and a leg of the pipeline (ax/leg.h): SRTP, who is listened to, numbering,
 * the leg's packets, telephone events both ways, reports. Sans-I/O.
 *
 * The leg's clock is the pace: a packet is sent when the audio thread has made it, stamped with the leg's time. A key that is
 * sent takes the place of the sound for as long as it is down (RFC 4733), with KEY_GAP packets of sound before the next.
 *
 * Units: bytes; ns of CLOCK_MONOTONIC; `ntp` 32.32 seconds since 1900. Threads: one; it is the thread that offers to the leg and
 * takes from it. Allocation: in new and free only. */
#ifndef AX_RTP_PORT_H
#define AX_RTP_PORT_H

#include "ax/leg.h"
#include "ax/rtp_session.h"
#include "ax/srtp.h"

#define AX_RTP_PORT_KEYS 32     /**< Keys that may wait to be sent. */
#define AX_RTP_PORT_TOLD (AX_RTP_EVENT_KEYS + 1) /**< The most keys that one call tells of. */
#define AX_RTP_PORT_DATAGRAM 1500 /**< Longer datagrams are dropped, and none is sent that is longer. */

/** Keys of SRTP for one direction; `profile` AX_SRTP_PROFILE_END: none, packets are not protected. */
struct ax_rtp_port_keys {
    uint32_t profile;
    uint8_t key[16], salt[14]; /**< GCM: 12 bytes of salt. */
};

struct ax_rtp_port_config {
    struct ax_rtp_config session; /**< `rate`, `frame`: of the leg's clock and packets, or AX_E_RANGE. */
    struct ax_rtp_port_keys send, receive; /**< Both or none (AX_E_RANGE). */
};

struct ax_rtp_port_stats {
    struct ax_rtp_stats rtp;
    struct ax_srtp_stats srtp; /**< Of the receiving side. */
    struct ax_rtp_key_stats keys;
    uint64_t refused;          /**< Packets that the leg had no room for. */
    uint32_t state;            /**< enum ax_rtp_state */
    uint64_t remote;           /**< That is believed; 0: none. */
};

/** What is not sent. */
enum ax_rtp_hold {
    AX_RTP_HOLD_NONE = 0,
    AX_RTP_HOLD_MEDIA = 1, /**< No media: the far side only speaks, or nobody does (RFC 3264 sections 5.1, 6.1). Reports go on. */
    AX_RTP_HOLD_ALL = 2,   /**< No reports either: there is no address to send to (`c=0.0.0.0`, section 8.4). */
};

struct ax_rtp_port;

/** The leg stays the caller's. AX_E_ARG, AX_E_RANGE, AX_E_NOMEM. */
int ax_rtp_port_new(struct ax_rtp_port **out, const struct ax_rtp_port_config *config, struct ax_leg *leg);
/** Overwrites the keys. */
void ax_rtp_port_free(struct ax_rtp_port *p);

/** A datagram from `remote` (as in ax_rtp_session_receive; never 0). `data` is used as working memory. `*told`: how many of
 * `keys` were filled. Gives enum ax_rtp_verdict; what is not authentic is AX_RTP_DROP_SOURCE. */
int ax_rtp_port_receive(struct ax_rtp_port *p, uint64_t remote, uint8_t *data, size_t n, uint64_t now_ns,
                        struct ax_rtp_key keys[AX_RTP_PORT_TOLD], int *told);
/** The next datagram that is ready: its size, 0 when there is none, AX_E_FULL when `cap` is too small. */
int ax_rtp_port_send(struct ax_rtp_port *p, uint64_t now_ns, uint8_t *out, size_t cap);
/** A report that is due, or with `bye` a goodbye: its size or 0. */
int ax_rtp_port_report(struct ax_rtp_port *p, uint64_t now_ns, uint64_t ntp, const char *bye, uint8_t *out, size_t cap);
/** A key whose end was lost: 0 or 1. */
int ax_rtp_port_poll(struct ax_rtp_port *p, uint64_t now_ns, struct ax_rtp_key *out);
/** When report or poll should be called again; UINT64_MAX: never. */
uint64_t ax_rtp_port_due(const struct ax_rtp_port *p);
/** Send a key (0..16) for `ms` 40..6000. AX_E_STATE: no event type was agreed, or no media is sent; AX_E_RANGE; AX_E_FULL. */
int ax_rtp_port_press(struct ax_rtp_port *p, uint32_t event, uint32_t ms);
/** What is not sent from now on (enum ax_rtp_hold). The leg's packets are taken and left out meanwhile, and keys that wait are
 * forgotten; what is sent after that has the next sequence number, the leg's time, and the marker (RFC 3550 section 5.1, RFC
 * 3551 section 4.1). AX_E_RANGE. */
int ax_rtp_port_hold(struct ax_rtp_port *p, uint32_t hold);
uint32_t ax_rtp_port_state(const struct ax_rtp_port *p, uint64_t now_ns);
/** Ticks of its clock in a second. */
uint32_t ax_rtp_port_rate(const struct ax_rtp_port *p);
/** From now on this remote alone is believed; who was heard before is forgotten. A key that was down is released: 0 or 1. */
int ax_rtp_port_pin(struct ax_rtp_port *p, uint64_t remote, uint64_t now_ns, struct ax_rtp_key *out);
void ax_rtp_port_get(const struct ax_rtp_port *p, uint64_t now_ns, struct ax_rtp_port_stats *out);

#endif
