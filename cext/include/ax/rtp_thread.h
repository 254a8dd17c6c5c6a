/* The RTP thread: the sockets of calls and their ports (ax/rtp_port.h). A datagram that comes goes into the jitter buffer of its
 * leg; a packet that the audio thread has made goes out; keys, and who is heard, are told by events. Datagrams are received
 * and sent many at a time (recvmmsg, sendmmsg).
 *
 * A thread of its own wakes for each datagram (`start`). Where the audio thread ticks anyway, that thread does the work in its
 * ticks and this one is not started (`receive`, `send`; ax/audio_thread.h): sound is not earlier for being read earlier, and
 * wake-ups cost more than all the work between them. A key is told up to a tick later then.
 *
 * Who is listened to: with a `peer`, that address alone, and others do not get as far as SRTP; where the socket is bound to one
 * address, the system drops what they send (the thread connects it, and takes that back at the end). Without one, the first source
 * that brings RTP (with SRTP: that is authentic); what is sent goes there (symmetric RTP, RFC 4961), and nothing is sent
 * before. A flood on one socket waits in the system while the others are served.
 *
 * Units: ns of CLOCK_MONOTONIC. Threads: new, start, stop and free belong to the owner; the others to any. They hold a lock with
 * priority inheritance against the thread for some microseconds. Allocation: in new, start and add. */
#ifndef AX_RTP_THREAD_H
#define AX_RTP_THREAD_H

#include "ax/rtp_port.h"

#include <netinet/in.h>

#define AX_RTP_PORTS 8
#define AX_RTP_THREAD_EVENTS 256

/** An IPv4 or IPv6 address with its port; family AF_UNSPEC: not known. */
union ax_rtp_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/** From the `n` bytes of an IPv4 (4) or IPv6 (16) address, in network order. AX_E_RANGE. */
int ax_rtp_address_make(union ax_rtp_address *out, const uint8_t *host, size_t n, uint16_t port);
/** Size of the address, 4 or 16 bytes in `host`; 0: not known. */
size_t ax_rtp_address_read(const union ax_rtp_address *a, uint8_t host[16], uint16_t *port);

enum ax_rtp_thread_event_kind {
    AX_RTP_EVENT_DOWN = 1,  /**< A key; `value`: its number. */
    AX_RTP_EVENT_UP = 2,    /**< `value`: number, `ms`: how long. */
    AX_RTP_EVENT_STATE = 3, /**< `value`: enum ax_rtp_state. */
};

struct ax_rtp_thread_event {
    uint64_t t_ns;
    uint64_t serial; /**< Of the port: what `add` gave. */
    uint32_t kind, value, ms;
};

struct ax_rtp_thread_port {
    int fd;                    /**< A UDP socket, which stays the caller's until the port is removed. */
    int rtcp_fd;               /**< Of RTCP; -1: RTP and RTCP share `fd` (RFC 5761). */
    union ax_rtp_address peer; /**< AF_UNSPEC: the first that is believed. */
    union ax_rtp_address rtcp_peer; /**< AF_UNSPEC: the port after that of the peer. Not used without `rtcp_fd`. */
    struct ax_rtp_port_config config; /**< `session.remote` is the thread's. */
};

/** Rise only. */
struct ax_rtp_thread_counters {
    uint64_t turns;       /**< How often the thread woke, or `receive` was called. */
    uint64_t received, sent; /**< Datagrams. */
    uint64_t calls_in, calls_out; /**< Of the system, for them. */
    uint64_t foreign;     /**< From another address than the peer's, as far as the system let them through. */
    uint64_t oversize;    /**< Longer than AX_RTP_PORT_DATAGRAM. */
    uint64_t unsent;      /**< The system did not take them. */
    uint64_t events_lost; /**< There was no room for them. */
};

struct ax_rtp_thread;

/** `packets_fd`: an eventfd that is written when legs have packets (that of the audio thread, or the caller's); it stays the
 * caller's. `seed`: random. `fifo_priority`: as in ax/thread.h. AX_E_ARG, AX_E_NOMEM, AX_E_SYS. */
int ax_rtp_thread_new(struct ax_rtp_thread **out, int packets_fd, uint64_t seed, uint32_t fifo_priority);
/** AX_E_SYS; AX_E_STATE when it runs. */
int ax_rtp_thread_start(struct ax_rtp_thread *t);
/** Again: no effect. It can be started again. */
void ax_rtp_thread_stop(struct ax_rtp_thread *t);
/** In the place of a thread, every 10 ms: what came into the legs, what is due told and reported. No more than a bounded number of
 * datagrams to a port; RTCP every eighth time. */
void ax_rtp_thread_receive(struct ax_rtp_thread *t);
/** In the place of a thread: what the legs have made goes out. */
void ax_rtp_thread_send(struct ax_rtp_thread *t);
/** Says goodbye at every port. */
void ax_rtp_thread_free(struct ax_rtp_thread *t);

/** A port for a leg, which stays the caller's until it is removed. `*serial`: its number, never 0. AX_E_FULL: there are
 * AX_RTP_PORTS; AX_E_SYS: a socket cannot be used; errors of ax_rtp_port_new. */
int ax_rtp_thread_add(struct ax_rtp_thread *t, const struct ax_rtp_thread_port *port, struct ax_leg *leg, uint64_t *serial);
/** Says goodbye. When it returns, sockets and leg are the caller's again. AX_E_RANGE: there is no such port. */
int ax_rtp_thread_remove(struct ax_rtp_thread *t, uint64_t serial);
/** Listen to and send to another address (signalling has said so). AX_E_RANGE. */
int ax_rtp_thread_set_peer(struct ax_rtp_thread *t, uint64_t serial, const union ax_rtp_address *peer);
/** As ax_rtp_port_hold. When it returns, nothing of what is not to be sent goes out any more. */
int ax_rtp_thread_hold(struct ax_rtp_thread *t, uint64_t serial, uint32_t hold);
/** As ax_rtp_port_press. */
int ax_rtp_thread_press(struct ax_rtp_thread *t, uint64_t serial, uint32_t event, uint32_t ms);
/** AX_E_RANGE. */
int ax_rtp_thread_get(struct ax_rtp_thread *t, uint64_t serial, struct ax_rtp_port_stats *out, union ax_rtp_address *peer);

/** The oldest event: 1, or 0. */
int ax_rtp_thread_event(struct ax_rtp_thread *t, struct ax_rtp_thread_event *out);
/** Readable when there are events. Belongs to the thread. */
int ax_rtp_thread_events_fd(const struct ax_rtp_thread *t);
void ax_rtp_thread_count(struct ax_rtp_thread *t, struct ax_rtp_thread_counters *out);

#endif
