from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from .c_pipeline cimport ax_leg
from .c_rtp cimport ax_rtp_config, ax_rtp_key_stats, ax_rtp_stats


cdef extern from "ax/srtp.h" nogil:
    const int AX_SRTP_PROFILE_END

    struct ax_srtp_port_stats "ax_srtp_stats":
        uint64_t packets, malformed, not_authentic, replayed, no_room


cdef extern from "ax/rtp_port.h" nogil:
    struct ax_rtp_port_keys:
        uint32_t profile
        uint8_t key[16]
        uint8_t salt[14]

    struct ax_rtp_port_config:
        ax_rtp_config session
        ax_rtp_port_keys send, receive

    struct ax_rtp_port_stats:
        ax_rtp_stats rtp
        ax_srtp_port_stats srtp
        ax_rtp_key_stats keys
        uint64_t refused
        uint32_t state
        uint64_t remote


cdef extern from "ax/rtp_thread.h" nogil:
    union ax_rtp_address:
        pass

    struct ax_rtp_thread_event_t "ax_rtp_thread_event":
        uint64_t t_ns
        uint64_t serial
        uint32_t kind, value, ms

    struct ax_rtp_thread_port:
        int fd, rtcp_fd
        ax_rtp_address peer, rtcp_peer
        ax_rtp_port_config config

    struct ax_rtp_thread_counters:
        uint64_t turns, received, sent, calls_in, calls_out, foreign, oversize, unsent, events_lost

    struct ax_rtp_thread:
        pass

    int ax_rtp_address_make(ax_rtp_address *out, const uint8_t *host, size_t n, uint16_t port)
    size_t ax_rtp_address_read(const ax_rtp_address *a, uint8_t *host, uint16_t *port)
    int ax_rtp_thread_new(ax_rtp_thread **out, int packets_fd, uint64_t seed, uint32_t fifo_priority)
    void ax_rtp_thread_receive(ax_rtp_thread *t)
    void ax_rtp_thread_send(ax_rtp_thread *t)
    void ax_rtp_thread_free(ax_rtp_thread *t)
    int ax_rtp_thread_add(ax_rtp_thread *t, const ax_rtp_thread_port *port, ax_leg *leg, uint64_t *serial)
    int ax_rtp_thread_remove(ax_rtp_thread *t, uint64_t serial)
    int ax_rtp_thread_set_peer(ax_rtp_thread *t, uint64_t serial, const ax_rtp_address *peer)
    int ax_rtp_thread_press(ax_rtp_thread *t, uint64_t serial, uint32_t event, uint32_t ms)
    int ax_rtp_thread_hold(ax_rtp_thread *t, uint64_t serial, uint32_t hold)
    int ax_rtp_thread_get(ax_rtp_thread *t, uint64_t serial, ax_rtp_port_stats *out, ax_rtp_address *peer)
    int ax_rtp_thread_event(ax_rtp_thread *t, ax_rtp_thread_event_t *out)
    int ax_rtp_thread_events_fd(const ax_rtp_thread *t)
    void ax_rtp_thread_count(ax_rtp_thread *t, ax_rtp_thread_counters *out)
