/* The thread of the OSDP lines over socket pairs: both roles, commands and events from outside, descriptors that fail and are
 * replaced, many lines, life cycle. Waits end when the thing happened; nothing here asserts that something is fast. */
#define _GNU_SOURCE
#include "ax/err.h"
#include "ax/osdp_thread.h"
#include "ax_test.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const uint8_t KEY[16] = {0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0x0F};
static const uint8_t CARD[8] = {0, 1, 26, 0, 0xB6, 0x23, 0xAE, 0x40};

struct pair {
    struct ax_osdp_cp *cp;
    struct ax_osdp_pd *pd;
    struct ax_osdp_line *controller, *device;
    int fd[2], reader;
};

static void open_pair(struct pair *p, struct ax_osdp_thread *t)
{
    struct ax_osdp_cp_config cp;
    struct ax_osdp_pd_config pd;
    struct ax_osdp_reader_config reader = {.address = 3, .has_key = true};
    memcpy(reader.key, KEY, sizeof KEY);
    ax_osdp_cp_defaults(&cp);
    cp.baud = 115200;
    ax_osdp_pd_defaults(&pd);
    pd.address = 3;
    pd.has_key = true;
    memcpy(pd.key, KEY, sizeof KEY);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->fd), 0);
    CHECK_EQ(ax_osdp_cp_new(&p->cp, &cp), AX_OK);
    CHECK_EQ(ax_osdp_pd_new(&p->pd, &pd), AX_OK);
    CHECK_EQ(ax_osdp_line_open(t, p->cp, NULL, p->fd[0], &p->controller), AX_OK);
    CHECK_EQ(ax_osdp_line_open(t, NULL, p->pd, p->fd[1], &p->device), AX_OK);
    ax_osdp_line_enter(p->controller);
    p->reader = ax_osdp_cp_open(p->cp, &reader);
    ax_osdp_line_leave(p->controller, true);
    CHECK_EQ(p->reader, 0);
}

static void close_pair(struct pair *p)
{
    ax_osdp_line_close(p->controller);
    ax_osdp_line_close(p->device);
    ax_osdp_cp_free(p->cp);
    ax_osdp_pd_free(p->pd);
    close(p->fd[0]);
    close(p->fd[1]);
}

static int link_of(struct pair *p)
{
    ax_osdp_line_enter(p->controller);
    const int link = ax_osdp_cp_link(p->cp, p->reader);
    ax_osdp_line_leave(p->controller, false);
    return link;
}

static void nap(void)
{
    const struct timespec ms = {0, 1000000};
    nanosleep(&ms, NULL);
}

/* Wait for an event of a kind at the controller's end. */
static struct ax_osdp_event expect(struct pair *p, uint8_t kind, uint8_t code)
{
    struct ax_osdp_event e;
    uint8_t data[AX_OSDP_EVENT_DATA];
    for (int i = 0; i < 20000; i++) {
        ax_osdp_line_enter(p->controller);
        const int n = ax_osdp_cp_event(p->cp, &e, data, sizeof data);
        ax_osdp_line_leave(p->controller, false);
        if (n > 0 && e.kind == kind && e.code == code)
            return e;
        if (n <= 0)
            nap();
    }
    CHECK(!"the event came");
    return (struct ax_osdp_event){0};
}

static void test_both_roles(void)
{
    struct ax_osdp_thread *t = NULL;
    struct pair p;
    const int event_fd = eventfd(0, EFD_NONBLOCK);
    CHECK_EQ(ax_osdp_thread_new(&t, event_fd, 1), AX_OK);
    CHECK_EQ(ax_osdp_thread_start(t), AX_OK);
    CHECK_EQ(ax_osdp_thread_start(t), AX_E_STATE);
    open_pair(&p, t);
    const struct ax_osdp_event link = expect(&p, AX_OSDP_EV_LINK, 0);
    CHECK_EQ(link.a, AX_OSDP_SECURE);
    struct pollfd told = {.fd = event_fd, .events = POLLIN};
    CHECK_EQ(poll(&told, 1, 60000), 1); /* the descriptor that was given hears of it */

    ax_osdp_line_enter(p.device);
    CHECK_EQ(ax_osdp_pd_post(p.pd, AX_OSDP_RAW, CARD, sizeof CARD), AX_OK);
    ax_osdp_line_leave(p.device, true);
    const struct ax_osdp_event card = expect(&p, AX_OSDP_EV_REPLY, AX_OSDP_RAW);
    CHECK_EQ(card.size, sizeof CARD);
    CHECK_EQ(card.link, AX_OSDP_SECURE);

    static const uint8_t buzz[5] = {0, 2, 1, 1, 1};
    ax_osdp_line_enter(p.controller);
    CHECK_EQ(ax_osdp_cp_command(p.cp, p.reader, AX_OSDP_BUZ, buzz, sizeof buzz, 7), AX_OK);
    ax_osdp_line_leave(p.controller, true);
    CHECK_EQ(expect(&p, AX_OSDP_EV_DONE, AX_OSDP_BUZ).token, 7);

    struct ax_osdp_thread_counters count;
    ax_osdp_thread_count(t, &count);
    CHECK(count.progress && count.reads && count.writes && !count.lost && !count.failures);
    ax_osdp_thread_stop(t);
    ax_osdp_thread_stop(t);
    ax_osdp_thread_free(t); /* the lines go on to hold it */
    CHECK_EQ(link_of(&p), AX_OSDP_SECURE);
    close_pair(&p);
    close(event_fd);
}

static void test_descriptors(void)
{
    struct ax_osdp_thread *t = NULL;
    struct pair p;
    CHECK_EQ(ax_osdp_thread_new(&t, -1, 0), AX_OK);
    CHECK(ax_osdp_thread_event_fd(t) >= 0);
    CHECK_EQ(ax_osdp_thread_start(t), AX_OK);
    open_pair(&p, t);
    expect(&p, AX_OSDP_EV_LINK, 0);
    CHECK(ax_osdp_line_up(p.controller));

    shutdown(p.fd[0], SHUT_RDWR); /* the line is gone: both ends read its end */
    for (int i = 0; i < 20000 && (ax_osdp_line_up(p.controller) || ax_osdp_line_up(p.device)); i++)
        nap();
    CHECK(!ax_osdp_line_up(p.controller));
    CHECK(!ax_osdp_line_up(p.device));
    struct ax_osdp_thread_counters count;
    ax_osdp_thread_count(t, &count);
    CHECK(count.failures >= 2);

    const int gone[2] = {p.fd[0], p.fd[1]};
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p.fd), 0);
    ax_osdp_line_set_fd(p.controller, p.fd[0]);
    ax_osdp_line_set_fd(p.device, p.fd[1]);
    CHECK(ax_osdp_line_up(p.controller));
    close(gone[0]);
    close(gone[1]);
    ax_osdp_line_enter(p.device);
    CHECK_EQ(ax_osdp_pd_post(p.pd, AX_OSDP_RAW, CARD, sizeof CARD), AX_OK);
    ax_osdp_line_leave(p.device, true);
    CHECK_EQ(expect(&p, AX_OSDP_EV_REPLY, AX_OSDP_RAW).link, AX_OSDP_SECURE); /* the session was kept */
    ax_osdp_line_set_fd(p.controller, -1);
    CHECK(!ax_osdp_line_up(p.controller));
    close_pair(&p);
    ax_osdp_thread_free(t);
}

static void test_many(void)
{
    struct ax_osdp_thread *t = NULL;
    struct pair p[AX_OSDP_LINES / 2];
    CHECK_EQ(ax_osdp_thread_new(&t, -1, 0), AX_OK);
    for (int i = 0; i < AX_OSDP_LINES / 2; i++)
        open_pair(&p[i], t);
    struct ax_osdp_line *more = NULL;
    CHECK_EQ(ax_osdp_line_open(t, p[0].cp, NULL, -1, &more), AX_E_FULL);
    CHECK(!more);
    CHECK_EQ(ax_osdp_thread_start(t), AX_OK);
    for (int i = 0; i < AX_OSDP_LINES / 2; i++)
        CHECK_EQ(expect(&p[i], AX_OSDP_EV_LINK, 0).a, AX_OSDP_SECURE);
    for (int i = 0; i < AX_OSDP_LINES / 2; i++)
        close_pair(&p[i]);
    ax_osdp_thread_free(t);
}

static void test_arguments(void)
{
    struct ax_osdp_thread *t = NULL;
    struct ax_osdp_line *line = NULL;
    CHECK_EQ(ax_osdp_thread_new(NULL, -1, 0), AX_E_ARG);
    CHECK_EQ(ax_osdp_thread_new(&t, 1 << 20, 0), AX_E_SYS); /* no such descriptor */
    CHECK(!t);
    CHECK_EQ(ax_osdp_thread_start(NULL), AX_E_ARG);
    CHECK_EQ(ax_osdp_thread_new(&t, -1, 0), AX_OK);
    CHECK_EQ(ax_osdp_line_open(t, NULL, NULL, -1, &line), AX_E_ARG);
    CHECK_EQ(ax_osdp_line_open(NULL, NULL, NULL, -1, &line), AX_E_ARG);
    ax_osdp_thread_stop(NULL);
    ax_osdp_thread_free(NULL);
    ax_osdp_line_close(NULL);
    ax_osdp_line_enter(NULL);
    ax_osdp_line_leave(NULL, true);
    ax_osdp_thread_free(t);
}

int main(void)
{
    test_both_roles();
    test_descriptors();
    test_many();
    test_arguments();
    return ax_test_done();
}
