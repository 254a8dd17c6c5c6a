/* See ax/rtp_thread.h. One turn: sleep until a socket, the legs, a command or a deadline has something; then receive, send,
 * report, under the lock. Carried by another thread, its tick takes the place of the sleep. The arrays of recvmmsg and sendmmsg
 * point into buffers of the thread once and for all. A datagram has come when the system says that it came, not when it is read.
 * Units, threads: as there. Allocation: in new and add. */
#define _GNU_SOURCE /* recvmmsg, sendmmsg, ppoll */
#include "ax/rtp_thread.h"

#include "ax/err.h"
#include "ax/io_thread.h" /* ax_monotonic_ns */
#include "ax/ring.h"
#include "ax/thread.h"
#include "ax_rtp_address.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 16, ROUNDS = 4, CONTROL_TICKS = 8, FDS = 2 + 2 * AX_RTP_PORTS, PEER = 1, ROOM = AX_RTP_PORT_DATAGRAM + 64 };

#define SECOND_NS UINT64_C(1000000000)
#define OLDEST_NS (SECOND_NS / 10) /* That a datagram waited for more is not believed; it is more than CONTROL_TICKS. */
#define NTP_EPOCH UINT64_C(2208988800) /* 1970 in seconds since 1900. */

struct seat {
    uint64_t serial; /* 0: free. */
    struct ax_rtp_port *port;
    int fd[2];                    /* RTP, RTCP; -1: none. */
    union ax_rtp_address peer[2];
    bool pinned;                  /* The peer was told, and not learned. */
    bool tied;                    /* The socket of RTP, to the peer. */
    uint32_t state;               /* That was told. */
};

struct ax_rtp_thread {
    int packets_fd, wake_fd, events_fd;
    uint32_t fifo_priority;
    uint64_t seed, serial;
    pthread_t pthread;
    bool started;
    atomic_bool stopping;
    pthread_mutex_t lock; /* Of everything below. */
    struct seat seat[AX_RTP_PORTS];
    struct ax_ring events;
    bool told;
    struct ax_rtp_thread_counters counters;
    struct mmsghdr in[BATCH], out[BATCH];
    struct iovec in_at[BATCH], out_at[BATCH];
    union ax_rtp_address from[BATCH];
    _Alignas(struct cmsghdr) uint8_t stamp[BATCH][CMSG_SPACE(sizeof(struct timespec))]; /* What is told beside the bytes. */
    uint8_t in_data[BATCH][ROOM], out_data[BATCH][ROOM];
};

/* Tie the socket of RTP to a peer that was told; without one, to nobody. */
static void tie(struct seat *s)
{
    const bool before = s->tied;
    s->tied = s->pinned && rtp_address_tie(s->fd[0], &s->peer[0]);
    if (before && !s->tied)
        rtp_address_untie(s->fd[0]);
}

/* --- events ----------------------------------------------------------------------------------------------------------- */

static void tell(struct ax_rtp_thread *t, const struct ax_rtp_thread_event *event)
{
    if (ax_ring_push(&t->events, event))
        t->told = true;
    else
        t->counters.events_lost++;
}

static void tell_keys(struct ax_rtp_thread *t, const struct seat *s, const struct ax_rtp_key *keys, int n, uint32_t rate)
{
    for (int i = 0; i < n; i++) {
        const bool down = keys[i].phase == AX_RTP_KEY_PRESS;
        const struct ax_rtp_thread_event event = {
            .t_ns = keys[i].t_ns, .serial = s->serial, .kind = down ? AX_RTP_EVENT_DOWN : AX_RTP_EVENT_UP,
            .value = keys[i].event, .ms = down ? 0 : (uint32_t)((uint64_t)keys[i].duration * 1000 / rate),
        };
        tell(t, &event);
    }
}

static void tell_state(struct ax_rtp_thread *t, struct seat *s, uint64_t now_ns)
{
    const uint32_t state = ax_rtp_port_state(s->port, now_ns);
    if (state == s->state)
        return;
    s->state = state;
    const struct ax_rtp_thread_event event = {.t_ns = now_ns, .serial = s->serial, .kind = AX_RTP_EVENT_STATE, .value = state};
    tell(t, &event);
}

/* --- in --------------------------------------------------------------------------------------------------------------- */

/* What the session takes for the address of a datagram; 0: it is not listened to. */
static uint64_t remote_of(const struct ax_rtp_thread *t, const struct seat *s, int which, const union ax_rtp_address *from)
{
    if (which == 1 && !address_same_host(from, &s->peer[0])) /* RTCP comes from the host of RTP. */
        return 0;
    if (s->pinned)
        return which == 1 || address_same(from, &s->peer[0]) ? PEER : 0;
    return which == 1 ? address_number(t->seed, &s->peer[0]) : address_number(t->seed, from);
}

static uint64_t wall_ns(void)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    return (uint64_t)wall.tv_sec * SECOND_NS + (uint64_t)wall.tv_nsec;
}

/* When a datagram came; read at `now_ns`, which is `wall` by the system's other clock. */
static uint64_t arrived(struct msghdr *m, uint64_t now_ns, uint64_t wall)
{
    const struct cmsghdr *c = CMSG_FIRSTHDR(m);
    struct timespec at;
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS || c->cmsg_len < CMSG_LEN(sizeof at))
        return now_ns;
    memcpy(&at, CMSG_DATA(c), sizeof at);
    const uint64_t waited = wall - ((uint64_t)at.tv_sec * SECOND_NS + (uint64_t)at.tv_nsec);
    return waited < OLDEST_NS && waited < now_ns ? now_ns - waited : now_ns;
}

static void take(struct ax_rtp_thread *t, struct seat *s, int which, int i, uint64_t now_ns)
{
    struct ax_rtp_key keys[AX_RTP_PORT_TOLD];
    const size_t n = t->in[i].msg_len;
    int told = 0;
    t->counters.received++;
    if ((t->in[i].msg_hdr.msg_flags & MSG_TRUNC) || n > AX_RTP_PORT_DATAGRAM) {
        t->counters.oversize++;
        return;
    }
    const uint64_t remote = remote_of(t, s, which, &t->from[i]);
    if (remote == 0) {
        t->counters.foreign++;
        return;
    }
    const int verdict = ax_rtp_port_receive(s->port, remote, t->in_data[i], n, now_ns, keys, &told);
    if (!s->pinned && which == 0 && (verdict == AX_RTP_TAKE || verdict == AX_RTP_TAKE_EVENT) && !address_same(&s->peer[0], &t->from[i])) {
        s->peer[0] = t->from[i];
        s->peer[1] = address_after(&t->from[i]);
    }
    tell_keys(t, s, keys, told, ax_rtp_port_rate(s->port));
}

static void receive(struct ax_rtp_thread *t, struct seat *s, int which)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BATCH; i++) {
            t->in[i].msg_hdr.msg_namelen = sizeof t->from[i];
            t->in[i].msg_hdr.msg_controllen = sizeof t->stamp[i];
            t->in[i].msg_hdr.msg_flags = 0;
        }
        const int n = recvmmsg(s->fd[which], t->in, BATCH, MSG_DONTWAIT, NULL);
        t->counters.calls_in++;
        if (n <= 0) /* Empty, or an error of an earlier datagram (ICMP), which is read by this. */
            return;
        const uint64_t now_ns = ax_monotonic_ns(), wall = wall_ns();
        for (int i = 0; i < n; i++)
            take(t, s, which, i, arrived(&t->in[i].msg_hdr, now_ns, wall));
        if (n < BATCH)
            return;
    }
}

/* --- out -------------------------------------------------------------------------------------------------------------- */

static void post(struct ax_rtp_thread *t, struct seat *s, int which, int n)
{
    if (n == 0)
        return;
    if (s->fd[which] < 0 || !address_known(&s->peer[which])) {
        t->counters.unsent += (uint64_t)n;
        return;
    }
    const bool tied = which == 0 && s->tied;
    for (int i = 0; i < n; i++) {
        t->out[i].msg_hdr.msg_name = tied ? NULL : &s->peer[which];
        t->out[i].msg_hdr.msg_namelen = tied ? 0 : address_size(&s->peer[which]);
    }
    for (int at = 0; at < n;) {
        const int sent = sendmmsg(s->fd[which], t->out + at, (unsigned)(n - at), MSG_DONTWAIT | MSG_NOSIGNAL);
        t->counters.calls_out++;
        if (sent <= 0) { /* The first of them is lost. */
            t->counters.unsent++;
            at++;
            continue;
        }
        t->counters.sent += (uint64_t)sent;
        at += sent;
    }
}

static void send_media(struct ax_rtp_thread *t, struct seat *s, uint64_t now_ns)
{
    int n, size;
    do {
        for (n = 0; n < BATCH && (size = ax_rtp_port_send(s->port, now_ns, t->out_data[n], ROOM)) > 0; n++)
            t->out_at[n].iov_len = (size_t)size;
        post(t, s, 0, n);
    } while (n == BATCH);
}

static uint64_t ntp_now(void)
{
    const uint64_t now_ns = wall_ns();
    return (now_ns / SECOND_NS + NTP_EPOCH) << 32 | (now_ns % SECOND_NS << 32) / SECOND_NS;
}

static void report(struct ax_rtp_thread *t, struct seat *s, uint64_t now_ns, const char *bye)
{
    const int which = s->fd[1] >= 0;
    if (!address_known(&s->peer[which]))
        return;
    const int size = ax_rtp_port_report(s->port, now_ns, ntp_now(), bye, t->out_data[0], ROOM);
    if (size <= 0)
        return;
    t->out_at[0].iov_len = (size_t)size;
    post(t, s, which, 1);
}

/* --- a turn ----------------------------------------------------------------------------------------------------------- */

static void drain(int fd)
{
    uint64_t value;
    const ssize_t n = read(fd, &value, sizeof value);
    (void)n;
}

static void ring_bell(int fd)
{
    const uint64_t one = 1;
    const ssize_t n = write(fd, &one, sizeof one);
    (void)n;
}

/* What to wait for, and until when. */
static uint64_t gather(struct ax_rtp_thread *t, struct pollfd fds[FDS], uint64_t serials[AX_RTP_PORTS], uint64_t now_ns)
{
    uint64_t due_ns = now_ns + SECOND_NS;
    fds[0] = (struct pollfd){.fd = t->wake_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = t->packets_fd, .events = POLLIN};
    for (int k = 0; k < AX_RTP_PORTS; k++) {
        const struct seat *s = &t->seat[k];
        serials[k] = s->serial;
        for (int which = 0; which < 2; which++)
            fds[2 + 2 * k + which] = (struct pollfd){.fd = s->serial ? s->fd[which] : -1, .events = POLLIN};
        if (s->serial) {
            const uint64_t port_ns = ax_rtp_port_due(s->port);
            const bool waits = !address_known(&s->peer[0]) && port_ns <= now_ns; /* Nobody to report to yet. */
            due_ns = !waits && port_ns < due_ns ? port_ns : due_ns;
        }
    }
    return due_ns;
}

/* What is due at a port, whatever came. */
static void look_after(struct ax_rtp_thread *t, struct seat *s, uint64_t now_ns)
{
    struct ax_rtp_key key;
    if (ax_rtp_port_due(s->port) <= now_ns) {
        if (ax_rtp_port_poll(s->port, now_ns, &key) == 1)
            tell_keys(t, s, &key, 1, ax_rtp_port_rate(s->port));
        report(t, s, now_ns, NULL);
    }
    tell_state(t, s, now_ns);
}

static void serve(struct ax_rtp_thread *t, const struct pollfd fds[FDS], const uint64_t serials[AX_RTP_PORTS])
{
    for (int k = 0; k < AX_RTP_PORTS; k++) {
        struct seat *s = &t->seat[k];
        if (!s->serial)
            continue;
        for (int which = 0; which < 2; which++) {
            const int events = s->serial == serials[k] ? fds[2 + 2 * k + which].revents : 0;
            if (events & POLLNVAL)
                s->fd[which] = -1; /* Somebody closed it: nothing comes any more. */
            else if (events)
                receive(t, s, which);
        }
        const uint64_t now_ns = ax_monotonic_ns();
        send_media(t, s, now_ns);
        look_after(t, s, now_ns);
    }
}

/* Under the lock, at the end of what one turn does: whether somebody has to be told. */
static bool told_now(struct ax_rtp_thread *t)
{
    const bool told = t->told;
    t->told = false;
    return told;
}

void ax_rtp_thread_receive(struct ax_rtp_thread *t)
{
    pthread_mutex_lock(&t->lock);
    const bool control = t->counters.turns++ % CONTROL_TICKS == 0;
    for (int k = 0; k < AX_RTP_PORTS; k++) {
        struct seat *s = &t->seat[k];
        if (!s->serial)
            continue;
        receive(t, s, 0);
        if (control && s->fd[1] >= 0)
            receive(t, s, 1);
        look_after(t, s, ax_monotonic_ns());
    }
    const bool told = told_now(t);
    pthread_mutex_unlock(&t->lock);
    if (told)
        ring_bell(t->events_fd);
}

void ax_rtp_thread_send(struct ax_rtp_thread *t)
{
    pthread_mutex_lock(&t->lock);
    for (int k = 0; k < AX_RTP_PORTS; k++)
        if (t->seat[k].serial)
            send_media(t, &t->seat[k], ax_monotonic_ns());
    pthread_mutex_unlock(&t->lock);
}

static void *run(void *context)
{
    struct ax_rtp_thread *t = context;
    struct pollfd fds[FDS];
    uint64_t serials[AX_RTP_PORTS];
    ax_thread_exact_timers();
    while (!atomic_load(&t->stopping)) {
        pthread_mutex_lock(&t->lock);
        const uint64_t now_ns = ax_monotonic_ns(), due_ns = gather(t, fds, serials, now_ns);
        pthread_mutex_unlock(&t->lock);
        const uint64_t sleep_ns = due_ns > now_ns ? due_ns - now_ns : 0;
        const struct timespec sleep = {(time_t)(sleep_ns / SECOND_NS), (long)(sleep_ns % SECOND_NS)};
        if (ppoll(fds, FDS, &sleep, NULL) < 0)
            continue;
        if (fds[0].revents)
            drain(t->wake_fd);
        if (fds[1].revents)
            drain(t->packets_fd);
        pthread_mutex_lock(&t->lock);
        t->counters.turns++;
        serve(t, fds, serials);
        const bool told = told_now(t);
        pthread_mutex_unlock(&t->lock);
        if (told)
            ring_bell(t->events_fd);
    }
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------------------------------- */

static void init_messages(struct ax_rtp_thread *t)
{
    for (int i = 0; i < BATCH; i++) {
        t->in_at[i] = (struct iovec){t->in_data[i], ROOM};
        t->in[i].msg_hdr = (struct msghdr){.msg_name = &t->from[i], .msg_iov = &t->in_at[i], .msg_iovlen = 1,
                                           .msg_control = t->stamp[i]};
        t->out_at[i] = (struct iovec){t->out_data[i], 0};
        t->out[i].msg_hdr = (struct msghdr){.msg_iov = &t->out_at[i], .msg_iovlen = 1};
    }
}

int ax_rtp_thread_new(struct ax_rtp_thread **out, int packets_fd, uint64_t seed, uint32_t fifo_priority)
{
    if (!out)
        return AX_E_ARG;
    *out = NULL;
    struct ax_rtp_thread *t = calloc(1, sizeof *t);
    if (!t)
        return AX_E_NOMEM;
    t->packets_fd = packets_fd;
    t->seed = seed;
    t->fifo_priority = fifo_priority;
    ax_thread_init_lock(&t->lock);
    init_messages(t);
    t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    t->events_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = t->wake_fd < 0 || t->events_fd < 0 ? AX_E_SYS : AX_OK;
    if (rc == AX_OK)
        rc = ax_ring_init(&t->events, sizeof(struct ax_rtp_thread_event), AX_RTP_THREAD_EVENTS);
    if (rc != AX_OK) {
        ax_rtp_thread_free(t);
        return rc;
    }
    *out = t;
    return AX_OK;
}

int ax_rtp_thread_start(struct ax_rtp_thread *t)
{
    if (!t)
        return AX_E_ARG;
    if (t->started)
        return AX_E_STATE;
    atomic_store(&t->stopping, false);
    const int err = ax_thread_start(&t->pthread, run, t, "ax-rtp", t->fifo_priority);
    t->started = err == AX_OK;
    return err;
}

void ax_rtp_thread_stop(struct ax_rtp_thread *t)
{
    if (!t || !t->started)
        return;
    atomic_store(&t->stopping, true);
    ring_bell(t->wake_fd);
    pthread_join(t->pthread, NULL);
    t->started = false;
}

static void vacate(struct ax_rtp_thread *t, struct seat *s)
{
    report(t, s, ax_monotonic_ns(), "");
    s->pinned = false;
    tie(s);
    ax_rtp_port_free(s->port);
    memset(s, 0, sizeof *s);
}

void ax_rtp_thread_free(struct ax_rtp_thread *t)
{
    if (!t)
        return;
    ax_rtp_thread_stop(t);
    for (int k = 0; k < AX_RTP_PORTS; k++)
        if (t->seat[k].serial)
            vacate(t, &t->seat[k]);
    if (t->wake_fd >= 0)
        close(t->wake_fd);
    if (t->events_fd >= 0)
        close(t->events_fd);
    ax_ring_free(&t->events);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* --- commands --------------------------------------------------------------------------------------------------------- */

static struct seat *find(struct ax_rtp_thread *t, uint64_t serial)
{
    for (int k = 0; k < AX_RTP_PORTS; k++)
        if (t->seat[k].serial == serial)
            return &t->seat[k];
    return NULL;
}

/* Whether it is one; it tells times of arrival from then on. */
static bool is_datagram(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
        return false;
    errno = type == SOCK_DGRAM ? 0 : EPROTOTYPE;
    const int on = 1;
    if (type == SOCK_DGRAM)
        (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on); /* Without it, reading is arriving. */
    return type == SOCK_DGRAM;
}

int ax_rtp_thread_add(struct ax_rtp_thread *t, const struct ax_rtp_thread_port *port, struct ax_leg *leg, uint64_t *serial)
{
    if (!t || !port || !leg || !serial)
        return AX_E_ARG;
    if (!is_datagram(port->fd) || (port->rtcp_fd >= 0 && !is_datagram(port->rtcp_fd)))
        return AX_E_SYS;
    struct ax_rtp_port_config config = port->config;
    const bool pinned = address_known(&port->peer);
    config.session.remote = pinned ? PEER : 0;
    struct ax_rtp_port *made = NULL;
    const int rc = ax_rtp_port_new(&made, &config, leg);
    if (rc != AX_OK)
        return rc;
    pthread_mutex_lock(&t->lock);
    struct seat *s = find(t, 0);
    if (s) {
        *s = (struct seat){.serial = ++t->serial, .port = made, .fd = {port->fd, port->rtcp_fd >= 0 ? port->rtcp_fd : -1},
                           .peer = {port->peer, address_known(&port->rtcp_peer) ? port->rtcp_peer : address_after(&port->peer)}, .pinned = pinned};
        tie(s);
        *serial = s->serial;
    }
    pthread_mutex_unlock(&t->lock);
    if (!s) {
        ax_rtp_port_free(made);
        return AX_E_FULL;
    }
    ring_bell(t->wake_fd);
    return AX_OK;
}

int ax_rtp_thread_remove(struct ax_rtp_thread *t, uint64_t serial)
{
    if (!t)
        return AX_E_ARG;
    pthread_mutex_lock(&t->lock);
    struct seat *s = serial ? find(t, serial) : NULL;
    if (s)
        vacate(t, s);
    pthread_mutex_unlock(&t->lock);
    ring_bell(t->wake_fd);
    return s ? AX_OK : AX_E_RANGE;
}

int ax_rtp_thread_set_peer(struct ax_rtp_thread *t, uint64_t serial, const union ax_rtp_address *peer)
{
    struct ax_rtp_key key;
    if (!t || !peer || !address_known(peer))
        return AX_E_ARG;
    pthread_mutex_lock(&t->lock);
    struct seat *s = serial ? find(t, serial) : NULL;
    if (s) {
        tell_keys(t, s, &key, ax_rtp_port_pin(s->port, PEER, ax_monotonic_ns(), &key), ax_rtp_port_rate(s->port));
        s->peer[0] = *peer;
        s->peer[1] = address_after(peer);
        s->pinned = true;
        tie(s);
    }
    pthread_mutex_unlock(&t->lock);
    ring_bell(t->wake_fd);
    return s ? AX_OK : AX_E_RANGE;
}

int ax_rtp_thread_press(struct ax_rtp_thread *t, uint64_t serial, uint32_t event, uint32_t ms)
{
    if (!t)
        return AX_E_ARG;
    pthread_mutex_lock(&t->lock);
    struct seat *s = serial ? find(t, serial) : NULL;
    const int rc = s ? ax_rtp_port_press(s->port, event, ms) : AX_E_RANGE;
    pthread_mutex_unlock(&t->lock);
    return rc;
}

int ax_rtp_thread_hold(struct ax_rtp_thread *t, uint64_t serial, uint32_t hold)
{
    if (!t)
        return AX_E_ARG;
    pthread_mutex_lock(&t->lock);
    struct seat *s = serial ? find(t, serial) : NULL;
    const int rc = s ? ax_rtp_port_hold(s->port, hold) : AX_E_RANGE;
    pthread_mutex_unlock(&t->lock);
    return rc;
}

int ax_rtp_thread_get(struct ax_rtp_thread *t, uint64_t serial, struct ax_rtp_port_stats *out, union ax_rtp_address *peer)
{
    if (!t || !out || !peer)
        return AX_E_ARG;
    pthread_mutex_lock(&t->lock);
    const struct seat *s = serial ? find(t, serial) : NULL;
    if (s) {
        ax_rtp_port_get(s->port, ax_monotonic_ns(), out);
        *peer = s->peer[0];
    }
    pthread_mutex_unlock(&t->lock);
    return s ? AX_OK : AX_E_RANGE;
}

int ax_rtp_thread_event(struct ax_rtp_thread *t, struct ax_rtp_thread_event *out)
{
    return t && out ? ax_ring_pop(&t->events, out) : AX_E_ARG;
}

int ax_rtp_thread_events_fd(const struct ax_rtp_thread *t)
{
    return t->events_fd;
}

void ax_rtp_thread_count(struct ax_rtp_thread *t, struct ax_rtp_thread_counters *out)
{
    pthread_mutex_lock(&t->lock);
    *out = t->counters;
    pthread_mutex_unlock(&t->lock);
}
