/* The RTP thread and its ports: two of them on loopback, with and without SRTP; keys, spoofed sources, floods, refusals. The
 * audio thread is played by the test. Waits end when the thing happened. */
#define _GNU_SOURCE
#include "ax/err.h"
#include "ax/io_thread.h" /* ax_monotonic_ns */
#include "ax/rtp_thread.h"
#include "ax_test.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PCMU 0
#define EVENTS 101

struct side {
    struct ax_rtp_thread *t;
    struct ax_leg *leg;
    int fd, rtcp_fd, bell;
    union ax_rtp_address at;
    uint64_t serial, now_ns;
    struct ax_rtp_thread_event told[64];
    int ntold;
};

static int open_socket(union ax_rtp_address *at, int family, uint16_t port)
{
    const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memset(at, 0, sizeof *at);
    at->any.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        at->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        at->v4.sin_port = htons(port);
    } else {
        at->v6.sin6_addr = in6addr_loopback;
        at->v6.sin6_port = htons(port);
    }
    socklen_t size = family == AF_INET ? sizeof at->v4 : sizeof at->v6;
    if (fd < 0 || bind(fd, &at->any, size) != 0) {
        close(fd);
        return -1;
    }
    getsockname(fd, &at->any, &size);
    return fd;
}

static struct ax_rtp_port_keys no_keys(void)
{
    return (struct ax_rtp_port_keys){.profile = AX_SRTP_PROFILE_END};
}

static struct ax_rtp_thread_port plain(const struct side *s)
{
    struct ax_rtp_thread_port port = {.fd = s->fd, .rtcp_fd = s->rtcp_fd};
    port.config.session = (struct ax_rtp_config){.seed = (uint64_t)s->fd * 77 + 5, .rate = 8000, .frame = 160, .rtcp_ms = 100,
                                                 .payload_type = PCMU, .event_type = EVENTS, .cname = "test"};
    port.config.send = port.config.receive = no_keys();
    return port;
}

static void open_side(struct side *s, int family)
{
    const struct ax_leg_spec spec = {.rate = 16000, .codec = AX_LEG_PCMU, .packet_ms = 20, .max_delay_ms = 200};
    memset(s, 0, sizeof *s);
    s->fd = open_socket(&s->at, family, 0);
    s->rtcp_fd = -1;
    s->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(s->fd >= 0 && s->bell >= 0);
    CHECK_EQ(ax_leg_new(&s->leg, &spec), AX_OK);
    CHECK_EQ(ax_rtp_thread_new(&s->t, s->bell, 0x1234567 + (uint64_t)s->fd, 1), AX_OK);
    CHECK_EQ(ax_rtp_thread_start(s->t), AX_OK);
    CHECK_EQ(ax_rtp_thread_start(s->t), AX_E_STATE);
}

static void close_side(struct side *s)
{
    ax_rtp_thread_free(s->t);
    ax_leg_free(s->leg);
    close(s->fd);
    close(s->bell);
    if (s->rtcp_fd >= 0)
        close(s->rtcp_fd);
}

static void look(struct side *s)
{
    while (s->ntold < 64 && ax_rtp_thread_event(s->t, &s->told[s->ntold]) == 1)
        s->ntold++;
}

static int count_told(const struct side *s, uint32_t kind, uint32_t value)
{
    int n = 0;
    for (int i = 0; i < s->ntold; i++)
        n += s->told[i].kind == kind && s->told[i].value == value;
    return n;
}

/* What the audio thread does in 10 ms: hear, say, ring. */
static void tick(struct side *s)
{
    int16_t frame[160];
    struct ax_leg_key keys[AX_LEG_KEYS];
    for (int i = 0; i < 160; i++)
        frame[i] = (int16_t)(i % 16 < 8 ? 4000 : -4000);
    s->now_ns += 10000000;
    ax_leg_hear(s->leg, s->now_ns, frame, keys);
    if (ax_leg_say(s->leg, frame) > 0)
        CHECK_EQ(eventfd_write(s->bell, 1), 0);
}

static struct ax_rtp_port_stats stats_of(struct side *s)
{
    struct ax_rtp_port_stats stats;
    union ax_rtp_address peer;
    CHECK_EQ(ax_rtp_thread_get(s->t, s->serial, &stats, &peer), AX_OK);
    return stats;
}

/* Both sides tick, faster than the clock, until the condition holds. */
#define UNTIL(a, b, condition)                                                                                             \
    do {                                                                                                                   \
        for (int ax_turn_ = 0; ax_turn_ < 20000 && !(condition); ax_turn_++) {                                             \
            tick(a);                                                                                                       \
            tick(b);                                                                                                       \
            usleep(500);                                                                                                   \
            look(a);                                                                                                       \
            look(b);                                                                                                       \
        }                                                                                                                  \
        CHECK(condition);                                                                                                  \
    } while (0)

static void test_a_call(int family, uint32_t profile, bool own_rtcp)
{
    struct side a, b;
    struct ax_rtp_thread_counters counters;
    open_side(&a, family);
    open_side(&b, family);
    struct ax_rtp_thread_port pa = plain(&a), pb = plain(&b);
    if (own_rtcp) {
        union ax_rtp_address ra, rb;
        pa.rtcp_fd = a.rtcp_fd = open_socket(&ra, family, 0);
        pb.rtcp_fd = b.rtcp_fd = open_socket(&rb, family, 0);
        pa.rtcp_peer = rb;
        pb.rtcp_peer = ra;
    }
    pa.peer = b.at;
    pb.peer = a.at;
    if (profile != AX_SRTP_PROFILE_END) {
        pa.config.send = pb.config.receive = (struct ax_rtp_port_keys){.profile = profile, .key = {1, 2}, .salt = {3}};
        pb.config.send = pa.config.receive = (struct ax_rtp_port_keys){.profile = profile, .key = {4, 5}, .salt = {6}};
    }
    CHECK_EQ(ax_rtp_thread_add(a.t, &pa, a.leg, &a.serial), AX_OK);
    CHECK_EQ(ax_rtp_thread_add(b.t, &pb, b.leg, &b.serial), AX_OK);
    UNTIL(&a, &b, stats_of(&a).rtp.taken > 50 && stats_of(&b).rtp.taken > 50);
    CHECK_EQ(ax_rtp_thread_press(a.t, a.serial, 5, 100), AX_OK);
    CHECK_EQ(ax_rtp_thread_press(a.t, a.serial, 11, 40), AX_OK);
    UNTIL(&a, &b, count_told(&b, AX_RTP_EVENT_UP, 5) && count_told(&b, AX_RTP_EVENT_UP, 11));
    UNTIL(&a, &b, stats_of(&a).rtp.rtt_us > 0 && stats_of(&b).rtp.rtt_us > 0); /* Reports went both ways. */
    CHECK_EQ(count_told(&b, AX_RTP_EVENT_DOWN, 5), 1);
    CHECK_EQ(count_told(&b, AX_RTP_EVENT_UP, 5), 1);
    CHECK_EQ(count_told(&b, AX_RTP_EVENT_UP, 11), 1);
    CHECK_EQ(count_told(&b, AX_RTP_EVENT_STATE, AX_RTP_ACTIVE), 1);
    for (int i = 0; i < b.ntold; i++)
        CHECK(b.told[i].kind != AX_RTP_EVENT_UP || b.told[i].ms == (b.told[i].value == 5 ? 100 : 40));
    CHECK_EQ(ax_rtp_thread_remove(a.t, a.serial), AX_OK); /* Goodbye. */
    UNTIL(&b, &b, count_told(&b, AX_RTP_EVENT_STATE, AX_RTP_ENDED));
    struct ax_leg_stats heard;
    ax_leg_get(b.leg, &heard);
    const struct ax_rtp_port_stats got = stats_of(&b);
    CHECK(heard.offered > 50 && heard.offered + got.keys.packets == got.rtp.taken);
    CHECK_EQ(got.rtp.lost, 0);
    CHECK_EQ(got.srtp.not_authentic, 0);
    ax_rtp_thread_count(b.t, &counters);
    CHECK(counters.received >= got.rtp.taken && counters.sent > 50 && counters.foreign == 0 && counters.unsent == 0);
    close_side(&a);
    close_side(&b);
}

/* A packet as a stranger makes it up. */
static size_t forge(uint8_t *out, uint16_t sequence, uint32_t ssrc, size_t payload)
{
    memset(out, 0, 12 + payload);
    out[0] = 0x80;
    out[2] = (uint8_t)(sequence >> 8);
    out[3] = (uint8_t)sequence;
    out[7] = (uint8_t)sequence;
    memcpy(out + 8, &ssrc, 4);
    return 12 + payload;
}

static void fire(int fd, const union ax_rtp_address *to, const uint8_t *data, size_t n)
{
    const socklen_t size = to->any.sa_family == AF_INET ? sizeof to->v4 : sizeof to->v6;
    CHECK_EQ(sendto(fd, data, n, 0, &to->any, size), n);
}

static void wait_count(struct side *s, uint64_t received)
{
    struct ax_rtp_thread_counters c;
    do {
        usleep(500);
        ax_rtp_thread_count(s->t, &c);
    } while (c.received < received);
}

static void open_to_all(struct side *s)
{
    const struct sockaddr_in any = {.sin_family = AF_INET};
    socklen_t size = sizeof s->at.v4;
    close(s->fd);
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(s->fd, (const struct sockaddr *)&any, sizeof any), 0);
    getsockname(s->fd, &s->at.any, &size);
    s->at.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* Bound to all addresses, the thread sorts them out; bound to one, the system. */
static void test_strangers(bool all)
{
    struct side s;
    union ax_rtp_address stranger, friend_, peer;
    uint8_t data[2000];
    struct ax_rtp_thread_counters c;
    const uint64_t foreign = all ? 20 : 0;
    open_side(&s, AF_INET);
    if (all)
        open_to_all(&s);
    const int foe = open_socket(&stranger, AF_INET, 0), mate = open_socket(&friend_, AF_INET, 0);
    struct ax_rtp_thread_port port = plain(&s);
    port.config.session.rtcp_ms = 0;
    port.peer = friend_;
    CHECK_EQ(ax_rtp_thread_add(s.t, &port, s.leg, &s.serial), AX_OK);
    ax_rtp_thread_stop(s.t); /* So that they come together. */
    for (uint16_t i = 0; i < 20; i++) {
        fire(foe, &s.at, data, forge(data, i, 7, 160));
        fire(mate, &s.at, data, forge(data, i, 7, 160));
    }
    fire(mate, &s.at, data, forge(data, 99, 7, 1700)); /* Too long. */
    fire(mate, &s.at, (const uint8_t *)"x", 1);        /* Nothing. */
    CHECK_EQ(ax_rtp_thread_start(s.t), AX_OK);
    wait_count(&s, 22 + foreign);
    ax_rtp_thread_count(s.t, &c);
    CHECK_EQ(c.foreign, foreign);
    CHECK_EQ(c.oversize, 1);
    CHECK(c.calls_in <= (c.received + 15) / 16 + 1); /* Many at a time. */
    struct ax_rtp_port_stats stats = stats_of(&s);
    CHECK_EQ(stats.rtp.taken, 20);
    CHECK_EQ(stats.rtp.verdicts[AX_RTP_DROP_OTHER] + stats.rtp.verdicts[AX_RTP_DROP_FORMAT], 1);
    CHECK_EQ(ax_rtp_thread_remove(s.t, s.serial), AX_OK);
    CHECK_EQ(recv(mate, data, sizeof data, 0), 56); /* A goodbye. */
    /* Without a peer: the first is believed, and who comes later is not. */
    port.peer.any.sa_family = AF_UNSPEC;
    CHECK_EQ(ax_rtp_thread_add(s.t, &port, s.leg, &s.serial), AX_OK);
    for (uint16_t i = 0; i < 20; i++) {
        fire(mate, &s.at, data, forge(data, i, 7, 160));
        if (i > 2)
            fire(foe, &s.at, data, forge(data, i, 7, 160));
    }
    wait_count(&s, 22 + foreign + 37);
    CHECK_EQ(ax_rtp_thread_get(s.t, s.serial, &stats, &peer), AX_OK);
    CHECK_EQ(stats.rtp.taken, 20);
    CHECK_EQ(stats.rtp.verdicts[AX_RTP_DROP_SOURCE], 17);
    CHECK_EQ(peer.v4.sin_port, friend_.v4.sin_port);
    tick(&s);
    tick(&s);
    CHECK_EQ(poll(&(struct pollfd){.fd = mate, .events = POLLIN}, 1, 60000), 1); /* Symmetric: what we send goes to who was believed. */
    CHECK_EQ(recv(mate, data, sizeof data, 0), 172);
    /* Signalling says that it is another one now. */
    CHECK_EQ(ax_rtp_thread_set_peer(s.t, s.serial, &stranger), AX_OK);
    fire(mate, &s.at, data, forge(data, 21, 7, 160));
    fire(foe, &s.at, data, forge(data, 500, 8, 160));
    wait_count(&s, 22 + foreign + 37 + 1 + all);
    CHECK_EQ(stats_of(&s).rtp.taken, 21);
    close(foe);
    close(mate);
    close_side(&s);
}

static void test_srtp_is_asked_for(void)
{
    struct side s;
    union ax_rtp_address mine;
    uint8_t data[300];
    open_side(&s, AF_INET);
    const int fd = open_socket(&mine, AF_INET, 0);
    struct ax_rtp_thread_port port = plain(&s);
    port.config.send = port.config.receive = (struct ax_rtp_port_keys){.profile = AX_SRTP_GCM, .key = {1}, .salt = {2}};
    CHECK_EQ(ax_rtp_thread_add(s.t, &port, s.leg, &s.serial), AX_OK);
    for (uint16_t i = 0; i < 5; i++)
        fire(fd, &s.at, data, forge(data, i, 7, 160));
    fire(fd, &s.at, (const uint8_t *)"\x80\xc9\0\1\0\0\0\7", 8); /* RTCP without protection. */
    fire(fd, &s.at, (const uint8_t *)"\0\1\0\0", 4);            /* STUN, or so. */
    wait_count(&s, 7);
    const struct ax_rtp_port_stats stats = stats_of(&s);
    CHECK_EQ(stats.rtp.taken, 0);
    CHECK_EQ(stats.rtp.verdicts[AX_RTP_DROP_SOURCE], 7);
    CHECK(stats.srtp.not_authentic >= 5);
    CHECK_EQ(stats.remote, 0); /* And nobody was believed. */
    close(fd);
    close_side(&s);
}

static void test_refusals(void)
{
    struct side s;
    open_side(&s, AF_INET);
    struct ax_rtp_thread_port port = plain(&s), bad;
    struct ax_rtp_port_stats stats;
    union ax_rtp_address peer;
    uint64_t serial = 0, serials[AX_RTP_PORTS];
    int ends[2], stream = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(pipe(ends), 0);
    bad = port, bad.fd = ends[0];
    CHECK_EQ(ax_rtp_thread_add(s.t, &bad, s.leg, &serial), AX_E_SYS);
    CHECK_EQ(errno, ENOTSOCK);
    bad = port, bad.rtcp_fd = stream;
    CHECK_EQ(ax_rtp_thread_add(s.t, &bad, s.leg, &serial), AX_E_SYS);
    CHECK_EQ(errno, EPROTOTYPE);
    bad = port, bad.config.session.rate = 16000;
    CHECK_EQ(ax_rtp_thread_add(s.t, &bad, s.leg, &serial), AX_E_RANGE);
    bad = port, bad.config.session.frame = 80;
    CHECK_EQ(ax_rtp_thread_add(s.t, &bad, s.leg, &serial), AX_E_RANGE);
    bad = port, bad.config.send.profile = AX_SRTP_CM_80;
    CHECK_EQ(ax_rtp_thread_add(s.t, &bad, s.leg, &serial), AX_E_RANGE);
    bad = port, bad.config.session.payload_type = 200;
    CHECK_EQ(ax_rtp_thread_add(s.t, &bad, s.leg, &serial), AX_E_RANGE);
    CHECK_EQ(ax_rtp_thread_add(s.t, &port, NULL, &serial), AX_E_ARG);
    for (int k = 0; k < AX_RTP_PORTS; k++)
        CHECK_EQ(ax_rtp_thread_add(s.t, &port, s.leg, &serials[k]), AX_OK);
    CHECK_EQ(ax_rtp_thread_add(s.t, &port, s.leg, &serial), AX_E_FULL);
    CHECK_EQ(ax_rtp_thread_press(s.t, serials[0], 17, 100), AX_E_RANGE);
    CHECK_EQ(ax_rtp_thread_press(s.t, serials[0], 1, 39), AX_E_RANGE);
    for (int i = 0; i < AX_RTP_PORT_KEYS; i++)
        CHECK_EQ(ax_rtp_thread_press(s.t, serials[0], 1, 40), AX_OK);
    CHECK_EQ(ax_rtp_thread_press(s.t, serials[0], 1, 40), AX_E_FULL);
    for (int k = 0; k < AX_RTP_PORTS; k++)
        CHECK_EQ(ax_rtp_thread_remove(s.t, serials[k]), AX_OK);
    CHECK_EQ(ax_rtp_thread_remove(s.t, serials[0]), AX_E_RANGE);
    CHECK_EQ(ax_rtp_thread_remove(s.t, 0), AX_E_RANGE);
    CHECK_EQ(ax_rtp_thread_press(s.t, 0, 1, 100), AX_E_RANGE);
    CHECK_EQ(ax_rtp_thread_get(s.t, serials[0], &stats, &peer), AX_E_RANGE);
    CHECK_EQ(ax_rtp_thread_set_peer(s.t, serials[0], &s.at), AX_E_RANGE);
    peer.any.sa_family = AF_UNSPEC;
    CHECK_EQ(ax_rtp_thread_set_peer(s.t, serials[0], &peer), AX_E_ARG);
    port.config.session.event_type = 255;
    CHECK_EQ(ax_rtp_thread_add(s.t, &port, s.leg, &serial), AX_OK);
    CHECK_EQ(ax_rtp_thread_press(s.t, serial, 1, 100), AX_E_STATE);
    CHECK_EQ(ax_rtp_thread_new(NULL, -1, 1, 0), AX_E_ARG);
    CHECK_EQ(ax_rtp_thread_start(NULL), AX_E_ARG);
    ax_rtp_thread_stop(NULL);
    ax_rtp_thread_free(NULL);
    close(ends[0]);
    close(ends[1]);
    close(stream);
    close_side(&s);
}

/* L16 at 48 kHz does not fit into a datagram; a hole in the leg's packets is a hole in the stream. */
static void test_port(void)
{
    struct ax_leg *wide = NULL, *leg = NULL;
    struct ax_rtp_port *p = NULL;
    const struct ax_leg_spec l16 = {.rate = 48000, .codec = AX_LEG_L16, .codec_rate = 48000, .packet_ms = 20, .max_delay_ms = 100};
    const struct ax_leg_spec pcmu = {.rate = 8000, .codec = AX_LEG_PCMU, .packet_ms = 10, .max_delay_ms = 100};
    struct ax_rtp_port_config config = {.session = {.rate = 48000, .frame = 960, .event_type = 255}};
    int16_t frame[80] = {0};
    uint8_t out[AX_RTP_PORT_DATAGRAM];
    config.send = config.receive = no_keys();
    CHECK_EQ(ax_leg_new(&wide, &l16), AX_OK);
    CHECK_EQ(ax_rtp_port_new(&p, &config, wide), AX_E_RANGE);
    CHECK_EQ(ax_rtp_port_new(&p, &config, NULL), AX_E_ARG);
    CHECK_EQ(ax_leg_new(&leg, &pcmu), AX_OK);
    config.session = (struct ax_rtp_config){.seed = 9, .rate = 8000, .frame = 80, .event_type = 255};
    CHECK_EQ(ax_rtp_port_new(&p, &config, leg), AX_OK);
    CHECK_EQ(ax_rtp_port_due(p), UINT64_MAX);
    for (int i = 0; i < AX_LEG_PACKETS + 5; i++) /* The last five find no room. */
        ax_leg_say(leg, frame);
    CHECK_EQ(ax_rtp_port_send(p, 1, out, 50), AX_E_FULL);
    struct ax_rtp_packet first, packet;
    for (int i = 0; i < AX_LEG_PACKETS; i++) {
        const int n = ax_rtp_port_send(p, 1, out, sizeof out);
        CHECK_EQ(ax_rtp_parse(out, (size_t)n, i ? &packet : &first), AX_OK);
    }
    CHECK(first.marker == 1 && packet.marker == 0);
    CHECK_EQ(ax_rtp_port_send(p, 1, out, sizeof out), 0);
    ax_leg_say(leg, frame);
    CHECK_EQ(ax_rtp_port_send(p, 1, out, sizeof out), 92);
    CHECK_EQ(ax_rtp_parse(out, 92, &packet), AX_OK);
    CHECK_EQ(packet.timestamp - first.timestamp, (AX_LEG_PACKETS + 5) * 80);
    CHECK_EQ((uint16_t)(packet.sequence - first.sequence), AX_LEG_PACKETS);
    CHECK_EQ(packet.marker, 1);
    ax_rtp_port_free(p);
    ax_rtp_port_free(NULL);
    ax_leg_free(leg);
    ax_leg_free(wide);
}

/* Says for 20 ms; the datagram that comes of it, or 0. */
static int say(struct ax_rtp_port *p, struct ax_leg *leg, uint8_t *out, struct ax_rtp_packet *packet)
{
    int16_t frame[80] = {0};
    ax_leg_say(leg, frame);
    ax_leg_say(leg, frame);
    const int n = ax_rtp_port_send(p, 1, out, AX_RTP_PORT_DATAGRAM);
    CHECK(n == 0 || ax_rtp_parse(out, (size_t)n, packet) == AX_OK);
    return n;
}

/* Held: no media, or nothing; the stream goes on after it as if it had been silent (RFC 3550 section 5.1). */
static void test_hold(void)
{
    struct ax_leg *leg = NULL;
    struct ax_rtp_port *p = NULL;
    const struct ax_leg_spec pcmu = {.rate = 8000, .codec = AX_LEG_PCMU, .packet_ms = 20, .max_delay_ms = 100};
    struct ax_rtp_port_config config = {.session = {.seed = 9, .rate = 8000, .frame = 160, .event_type = EVENTS, .rtcp_ms = 100}};
    struct ax_rtp_packet before = {0}, after = {0};
    uint8_t out[AX_RTP_PORT_DATAGRAM];
    uint64_t now_ns = 1000000000;
    config.send = config.receive = no_keys();
    CHECK_EQ(ax_leg_new(&leg, &pcmu), AX_OK);
    CHECK_EQ(ax_rtp_port_new(&p, &config, leg), AX_OK);
    CHECK(say(p, leg, out, &before) > 0);
    CHECK(say(p, leg, out, &before) > 0 && before.marker == 0);
    CHECK_EQ(ax_rtp_port_hold(p, 3), AX_E_RANGE);
    CHECK_EQ(ax_rtp_port_press(p, 5, 1000), AX_OK);
    CHECK(say(p, leg, out, &before) > 0 && before.payload_type == EVENTS);
    for (uint32_t hold = AX_RTP_HOLD_MEDIA; hold <= AX_RTP_HOLD_ALL; hold++) {
        CHECK_EQ(ax_rtp_port_hold(p, hold), AX_OK);
        CHECK_EQ(ax_rtp_port_press(p, 5, 100), AX_E_STATE);
        int reports = 0;
        for (int i = 0; i < 3 * AX_LEG_PACKETS; i++) {
            CHECK_EQ(say(p, leg, out, &after), 0);
            now_ns += 20000000;
            reports += ax_rtp_port_report(p, now_ns, now_ns, NULL, out, sizeof out) > 0;
            CHECK(ax_rtp_port_due(p) > now_ns);
        }
        CHECK(hold == AX_RTP_HOLD_MEDIA ? reports >= 3 : reports == 0);
    }
    CHECK(ax_rtp_port_report(p, now_ns, now_ns, "", out, sizeof out) > 0); /* Goodbye is said even so. */
    for (int i = 0; i < 2 * AX_LEG_PACKETS; i++) /* Nobody fetches these: they are lost. */
        ax_leg_say(leg, (int16_t[80]){0});
    CHECK_EQ(ax_rtp_port_send(p, 1, out, sizeof out), 0);
    CHECK_EQ(ax_rtp_port_hold(p, AX_RTP_HOLD_NONE), AX_OK);
    CHECK(say(p, leg, out, &after) > 0);
    CHECK_EQ((uint16_t)(after.sequence - before.sequence), 1);
    CHECK_EQ(after.ssrc, before.ssrc);
    CHECK_EQ(after.marker, 1);
    CHECK_EQ(after.payload_type, PCMU);
    /* The first of the key was at the time of the third packet; 7 times AX_LEG_PACKETS of 20 ms were left out. */
    CHECK_EQ(after.timestamp - before.timestamp, (7 * AX_LEG_PACKETS + 1) * 160);
    const uint32_t then = after.timestamp;
    CHECK(say(p, leg, out, &after) > 0 && after.marker == 0);
    CHECK_EQ(after.timestamp - then, 160);
    ax_rtp_port_free(p);
    ax_leg_free(leg);
}

/* A socket that somebody closed must not keep the thread turning. */
static void test_closed_socket(void)
{
    struct side s;
    struct ax_rtp_thread_counters before, after;
    open_side(&s, AF_INET);
    struct ax_rtp_thread_port port = plain(&s);
    port.fd = dup(s.fd);
    port.peer = s.at;
    port.config.session.rtcp_ms = 0;
    CHECK_EQ(ax_rtp_thread_add(s.t, &port, s.leg, &s.serial), AX_OK);
    close(port.fd);
    tick(&s);
    tick(&s);
    do {
        ax_rtp_thread_count(s.t, &before);
    } while (before.unsent == 0 && before.turns < 100000);
    usleep(50000);
    ax_rtp_thread_count(s.t, &after);
    CHECK(after.turns - before.turns < 1000);
    close_side(&s);
}

/* In another thread's ticks: what waited has come when the system got it, not when it was read. A machine that sleeps too long
 * in between, or has only begun to tell, says so later: it is asked again. */
static void test_time_of_arrival(void)
{
    struct side s;
    union ax_rtp_address mine;
    uint8_t data[300];
    bool found = false;
    open_side(&s, AF_INET);
    const int fd = open_socket(&mine, AF_INET, 0), on = 1;
    const bool stamped = setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0; /* No emulator knows it. */
    struct ax_rtp_thread_port port = plain(&s);
    port.peer = mine;
    port.config.session.rtcp_ms = 0;
    CHECK_EQ(ax_rtp_thread_add(s.t, &port, s.leg, &s.serial), AX_OK);
    ax_rtp_thread_stop(s.t);
    for (uint16_t i = 0; i < (stamped ? 2000 : 100) && !found; i++) {
        const size_t n = forge(data, i, 7, 4);
        data[1] = EVENTS;
        memcpy(data + 4, (const uint8_t[]){0, (uint8_t)(i >> 8), (uint8_t)i, 0}, 4); /* Each is another press. */
        memcpy(data + 12, (const uint8_t[]){5, 10, 0, 160}, 4);
        fire(fd, &s.at, data, n);
        const uint64_t fired_ns = ax_monotonic_ns();
        usleep(1000);
        ax_rtp_thread_receive(s.t);
        s.ntold = 0;
        look(&s);
        for (int k = 0; k < s.ntold; k++)
            found |= s.told[k].kind == AX_RTP_EVENT_DOWN && s.told[k].t_ns <= fired_ns;
    }
    CHECK(found == stamped);
    tick(&s);
    tick(&s);
    ax_rtp_thread_send(s.t);
    CHECK_EQ(recv(fd, data, sizeof data, 0), 172);
    close(fd);
    close_side(&s);
}

int main(void)
{
    test_time_of_arrival();
    test_a_call(AF_INET, AX_SRTP_PROFILE_END, false);
    test_a_call(AF_INET, AX_SRTP_CM_80, false);
    test_a_call(AF_INET, AX_SRTP_GCM, true);
    union ax_rtp_address any;
    const int six = open_socket(&any, AF_INET6, 0); /* Not every machine has it. */
    if (six >= 0) {
        close(six);
        test_a_call(AF_INET6, AX_SRTP_CM_32, false);
    }
    test_strangers(false);
    test_strangers(true);
    test_srtp_is_asked_for();
    test_refusals();
    test_port();
    test_hold();
    test_closed_socket();
    return ax_test_done();
}
