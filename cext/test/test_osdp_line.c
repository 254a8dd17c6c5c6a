/* Both ends of a line, back to back: set-up, commands, cards, keys, files, parts, repeats, refusals, arguments. What lines
 * do to frames is tested in tests/unit/osdp, in virtual time. */
#include "ax/err.h"
#include "ax/osdp_cp.h"
#include "ax/osdp_pd.h"
#include "ax_test.h"

#include <string.h>

#define MS 1000000ull

static const uint8_t KEY[16] = {0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0x0F};
static const uint8_t CARD[8] = {0, 1, 26, 0, 0xB6, 0x23, 0xAE, 0x40};

struct line {
    struct ax_osdp_cp *cp;
    struct ax_osdp_pd *pd;
    uint64_t t;
    int reader;
    unsigned seen[AX_OSDP_EV_END], told[AX_OSDP_EV_END]; /* Events of the controller and of the device, by kind. */
    struct ax_osdp_event last;
    uint8_t data[AX_OSDP_EVENT_DATA];
};

static void drain(struct line *l)
{
    struct ax_osdp_event e;
    uint8_t data[AX_OSDP_EVENT_DATA];
    while (ax_osdp_cp_event(l->cp, &e, l->data, sizeof l->data) > 0) {
        l->seen[e.kind]++;
        l->last = e;
    }
    while (ax_osdp_pd_event(l->pd, &e, data, sizeof data) > 0) {
        l->told[e.kind]++;
        if (e.kind == AX_OSDP_EV_COMMAND && e.a && e.code == AX_OSDP_FILETRANSFER)
            CHECK_EQ(ax_osdp_pd_answer(l->pd, AX_OSDP_FTSTAT, (const uint8_t *)"\1\0\0\0\0\0\0", 7), AX_OK);
    }
}

static void turns(struct line *l, int n)
{
    uint8_t out[AX_OSDP_MAX_FRAME + 1];
    for (int i = 0; i < n; i++) {
        int size = ax_osdp_cp_advance(l->cp, l->t += MS, out, sizeof out);
        ax_osdp_pd_feed(l->pd, l->t += MS, out, (size_t)size);
        size = ax_osdp_pd_advance(l->pd, l->t, out, sizeof out);
        drain(l);
        if (!size)
            size = ax_osdp_pd_advance(l->pd, l->t, out, sizeof out);
        ax_osdp_cp_feed(l->cp, l->t += MS, out, (size_t)size);
        drain(l);
    }
}

static void open_line(struct line *l, bool secure)
{
    struct ax_osdp_cp_config cp;
    struct ax_osdp_pd_config pd;
    struct ax_osdp_reader_config reader = {.address = 3, .has_key = secure};
    memset(l, 0, sizeof *l);
    ax_osdp_cp_defaults(&cp);
    cp.baud = 0;
    ax_osdp_pd_defaults(&pd);
    pd.address = 3;
    pd.has_key = secure;
    memcpy(pd.key, KEY, 16);
    memcpy(reader.key, KEY, 16);
    CHECK_EQ(ax_osdp_cp_new(&l->cp, &cp), AX_OK);
    CHECK_EQ(ax_osdp_pd_new(&l->pd, &pd), AX_OK);
    CHECK_EQ(ax_osdp_pd_store(l->pd, AX_OSDP_PDID, CARD, 8), AX_OK);
    CHECK_EQ(ax_osdp_pd_store(l->pd, AX_OSDP_PDCAP, (const uint8_t *)"\x09\1\1\x0A\xA0\5", 6), AX_OK);
    l->reader = ax_osdp_cp_open(l->cp, &reader);
    CHECK_EQ(l->reader, 0);
    turns(l, 6);
    CHECK_EQ(ax_osdp_cp_link(l->cp, 0), secure ? AX_OSDP_SECURE : AX_OSDP_CLEAR);
    CHECK_EQ(ax_osdp_pd_link(l->pd), secure ? AX_OSDP_SECURE : AX_OSDP_CLEAR);
}

static void close_line(struct line *l)
{
    ax_osdp_cp_free(l->cp);
    ax_osdp_pd_free(l->pd);
}

static void traffic(bool secure)
{
    struct line l;
    static uint8_t file[5000], big[3000];
    open_line(&l, secure);
    CHECK_EQ(ax_osdp_cp_command(l.cp, 0, AX_OSDP_LED, file, 28, 5), AX_OK);
    CHECK_EQ(ax_osdp_cp_command(l.cp, 0, AX_OSDP_TEXT, (const uint8_t *)"\0\1\0\1\1\2hi", 8, 6), AX_OK);
    CHECK_EQ(ax_osdp_cp_command(l.cp, 0, AX_OSDP_MFG, file, 9, 7), AX_OK);   /* refused: no policy */
    CHECK_EQ(ax_osdp_cp_command(l.cp, 0, AX_OSDP_LSTAT, NULL, 0, 8), AX_OK); /* refused: not stored */
    CHECK_EQ(ax_osdp_cp_command(l.cp, 0, AX_OSDP_ID, file, 1, 9), AX_OK);
    turns(&l, 8);
    CHECK_EQ(l.seen[AX_OSDP_EV_DONE], 2);
    CHECK_EQ(l.seen[AX_OSDP_EV_FAILED], 2);
    CHECK_EQ(l.told[AX_OSDP_EV_COMMAND], 2);
    CHECK_EQ(ax_osdp_pd_post(l.pd, AX_OSDP_RAW, CARD, 8), AX_OK);
    turns(&l, 3);
    CHECK(l.last.code == AX_OSDP_RAW && memcmp(l.data, CARD, 8) == 0 && (l.last.link == AX_OSDP_SECURE) == secure);
    CHECK_EQ(ax_osdp_pd_set_policy(l.pd, AX_OSDP_FILETRANSFER, AX_OSDP_ASK), AX_OK);
    CHECK_EQ(ax_osdp_cp_file(l.cp, 0, 1, file, sizeof file, 100, 44), AX_OK);
    CHECK_EQ(ax_osdp_cp_file(l.cp, 0, 1, file, sizeof file, 0, 45), AX_E_STATE);
    turns(&l, 20);
    CHECK(l.seen[AX_OSDP_EV_FILE] >= 4 && l.seen[AX_OSDP_EV_DONE] == 3);
    CHECK_EQ(ax_osdp_pd_post(l.pd, AX_OSDP_PIVDATAR, big, sizeof big), AX_OK);
    turns(&l, 6);
    CHECK(l.last.code == AX_OSDP_PIVDATAR && l.last.size == sizeof big);
    CHECK_EQ(ax_osdp_pd_set_policy(l.pd, AX_OSDP_CRAUTH, AX_OSDP_ACCEPT), AX_OK);
    CHECK_EQ(ax_osdp_cp_command(l.cp, 0, AX_OSDP_CRAUTH, big, sizeof big, 50), AX_OK);
    turns(&l, 8);
    CHECK_EQ(l.told[AX_OSDP_EV_COMMAND], 2 + 4 + 1);
    struct ax_osdp_reader_stats stats;
    CHECK_EQ(ax_osdp_cp_get_stats(l.cp, 0, &stats), AX_OK);
    CHECK(stats.retries == 0 && stats.attacks == 0 && stats.replies == stats.frames && stats.naks == 2);
    close_line(&l);
}

static void keys_and_windows(void)
{
    struct line l;
    uint8_t other[16];
    memcpy(other, KEY, 16);
    other[0] = 99;
    open_line(&l, true);
    CHECK_EQ(ax_osdp_cp_keyset(l.cp, 0, other, 3), AX_OK);
    CHECK_EQ(ax_osdp_cp_keyset(l.cp, 0, other, 3), AX_E_STATE);
    CHECK_EQ(ax_osdp_cp_keyset(l.cp, 0, ax_osdp_scbk_d, 3), AX_E_RANGE);
    turns(&l, 10);
    CHECK(l.seen[AX_OSDP_EV_KEY] == 1 && l.told[AX_OSDP_EV_KEY] == 1 && ax_osdp_cp_link(l.cp, 0) == AX_OSDP_SECURE);
    CHECK_EQ(ax_osdp_pd_set_key(l.pd, l.t, KEY), AX_OK);
    turns(&l, 20);
    CHECK(ax_osdp_cp_link(l.cp, 0) == AX_OSDP_OFFLINE && l.seen[AX_OSDP_EV_ATTACK] > 0);
    CHECK_EQ(ax_osdp_cp_set_key(l.cp, 0, KEY), AX_OK);
    turns(&l, 10);
    CHECK_EQ(ax_osdp_cp_link(l.cp, 0), AX_OSDP_SECURE);
    CHECK_EQ(ax_osdp_pd_install(l.pd, l.t, 5000 * MS), AX_OK);
    CHECK_EQ(ax_osdp_cp_install(l.cp, 0, l.t, 5000 * MS, other), AX_OK);
    CHECK_EQ(ax_osdp_cp_install(l.cp, 0, l.t, 601000 * MS, other), AX_E_RANGE);
    turns(&l, 12);
    CHECK(l.seen[AX_OSDP_EV_INSTALL] == 2 && l.told[AX_OSDP_EV_INSTALL] == 2 && ax_osdp_cp_link(l.cp, 0) == AX_OSDP_SECURE);
    CHECK_EQ(ax_osdp_pd_install(l.pd, l.t, AX_OSDP_INSTALL_MAX_NS + 1), AX_E_RANGE);
    close_line(&l);
}

static void arguments(void)
{
    struct line l;
    uint8_t out[AX_OSDP_MAX_FRAME + 1];
    struct ax_osdp_reader_config reader = {.address = 3};
    struct ax_osdp_event e;
    open_line(&l, false);
    CHECK_EQ(ax_osdp_cp_open(l.cp, &reader), AX_E_ARG);
    reader.address = 0x80;
    CHECK_EQ(ax_osdp_cp_open(l.cp, &reader), AX_E_RANGE);
    for (reader.address = 4; reader.address < 0x7F; reader.address++)
        ax_osdp_cp_open(l.cp, &reader);
    for (reader.address = 0; reader.address < 3; reader.address++)
        CHECK_EQ(ax_osdp_cp_open(l.cp, &reader), reader.address < 2 ? 124 + reader.address : AX_E_FULL);
    CHECK_EQ(ax_osdp_cp_close(l.cp, 1), AX_OK);
    CHECK_EQ(ax_osdp_cp_close(l.cp, 1), AX_E_ARG);
    CHECK_EQ(ax_osdp_cp_command(l.cp, 0, AX_OSDP_POLL, NULL, 0, 0), AX_E_ARG);
    CHECK_EQ(ax_osdp_cp_command(l.cp, 0, AX_OSDP_BUZ, out, 3, 0), AX_E_RANGE);
    int queued = 0;
    while (ax_osdp_cp_command(l.cp, 0, AX_OSDP_LED, out, 1400, 0) == AX_OK)
        queued++;
    CHECK_EQ(queued, 5);
    CHECK_EQ(ax_osdp_cp_advance(l.cp, 0, out, 10), AX_E_FULL);
    CHECK_EQ(ax_osdp_pd_advance(l.pd, 0, out, 10), AX_E_FULL);
    CHECK_EQ(ax_osdp_cp_event(NULL, &e, out, 0), AX_E_ARG);
    CHECK_EQ(ax_osdp_cp_file(l.cp, 0, 1, NULL, 0, 0, 0), AX_E_ARG);
    CHECK_EQ(ax_osdp_cp_file_stop(l.cp, 0), AX_E_STATE);
    CHECK_EQ(ax_osdp_cp_link(l.cp, 300), AX_E_ARG);
    CHECK_EQ(ax_osdp_pd_answer(l.pd, AX_OSDP_ACK, NULL, 0), AX_E_STATE);
    CHECK_EQ(ax_osdp_pd_post(l.pd, AX_OSDP_BUSY, NULL, 0), AX_E_ARG);
    CHECK_EQ(ax_osdp_pd_set_policy(l.pd, AX_OSDP_POLL, AX_OSDP_REFUSE), AX_E_ARG);
    CHECK_EQ(ax_osdp_pd_store(l.pd, AX_OSDP_RAW, out, 1), AX_E_ARG);
    int posted = 0;
    while (ax_osdp_pd_post(l.pd, AX_OSDP_RAW, CARD, 8) == AX_OK)
        posted++;
    CHECK(posted > 1000);
    CHECK_EQ(ax_osdp_pd_address(l.pd), 3);
    close_line(&l);
    ax_osdp_cp_free(NULL);
    ax_osdp_pd_free(NULL);
}

/* A device that tells more than anyone reads: the oldest events stay, the rest is counted. */
static void events_are_bounded(void)
{
    struct line l;
    struct ax_osdp_event e;
    uint8_t out[AX_OSDP_MAX_FRAME + 1], data[AX_OSDP_EVENT_DATA];
    open_line(&l, false);
    for (int i = 0; i < 3000; i++) {
        ax_osdp_pd_post(l.pd, AX_OSDP_RAW, CARD, 8);
        int size = ax_osdp_cp_advance(l.cp, l.t += MS, out, sizeof out);
        ax_osdp_pd_feed(l.pd, l.t, out, (size_t)size);
        size = ax_osdp_pd_advance(l.pd, l.t, out, sizeof out);
        ax_osdp_cp_feed(l.cp, l.t += MS, out, (size_t)size);
    }
    unsigned read = 0;
    CHECK_EQ(ax_osdp_cp_event(l.cp, &e, data, 1), AX_E_FULL);
    while (ax_osdp_cp_event(l.cp, &e, data, sizeof data) == 1 && e.kind != AX_OSDP_EV_LOST)
        read++;
    CHECK(read > 1000 && e.kind == AX_OSDP_EV_LOST && e.a + read >= 2999);
    close_line(&l);
}

int main(void)
{
    traffic(false);
    traffic(true);
    keys_and_windows();
    arguments();
    events_are_bounded();
    return ax_test_done();
}
