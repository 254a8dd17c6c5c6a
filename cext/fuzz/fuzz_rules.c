/* Any rules and any history: the matcher stays within its tables, gives actions that make sense, does not care how events
 * are cut into batches, which variant of the step it is, or whether values have short cuts, and comes back from anything.
 *
 * Input: number of rules, then two bytes a rule (wait and flags, conditions), then two bytes an operation. */
#include "ax/rules.h"

#include "ax/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { RULES = 96, EACH = 3, INSTANCES = 7, TESTS = 8, VALUES = 4, EVENTS = INSTANCES * (VALUES + 1) + 2, BATCH = 16 };

struct watch {
    uint8_t on[RULES];     /* Enabled. */
    uint8_t active[RULES]; /* START was seen. */
    uint64_t last;         /* Newest action. */
};

static struct ax_rules_rule rules[RULES];
static struct ax_rules_condition conditions[RULES * EACH];
static struct ax_rules_action a[AX_RULES_ROOM * BATCH], b[AX_RULES_ROOM];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* Instances 0..4 have a test each; 5 and 6 share the tests 5 and 6. Value v of an instance meets its tests where v has a bit.
 * The last event of each instance is its deletion; two pulses meet test 7 and nothing. */
static struct ax_rules *make(uint32_t n, uint32_t masks)
{
    const struct ax_rules_spec spec = {rules, conditions, n, n * EACH, TESTS, INSTANCES, EVENTS, 128, masks};
    struct ax_rules *m = NULL;
    require(ax_rules_new(&m, &spec) == AX_OK);
    for (uint32_t i = 0; i < INSTANCES; i++) {
        const uint16_t tests[2] = {(uint16_t)(i < 5 ? i : 5), 6};
        const size_t own = i < 5 ? 1 : 2;
        require(ax_rules_add_instance(m, tests, own) == (int)i);
        for (uint32_t v = 0; v < VALUES; v++) {
            const uint16_t both[2] = {tests[0], tests[1]}, *from = v & 1 ? both : both + 1;
            const size_t holds = (v & 1) + (own == 2 && v & 2 ? 1u : 0u);
            const int kind = v == 3 ? AX_RULES_INIT : AX_RULES_SET;
            require(ax_rules_bind(m, i * (VALUES + 1) + v, kind, i, holds ? from : NULL, holds) == AX_OK);
        }
        require(ax_rules_bind(m, i * (VALUES + 1) + VALUES, AX_RULES_DELETE, i, NULL, 0) == AX_OK);
    }
    const uint16_t pulse = TESTS - 1;
    require(ax_rules_bind(m, EVENTS - 2, AX_RULES_PULSE, 0, &pulse, 1) == AX_OK);
    return m;
}

/* Actions of enabled rules only, in time, START and STOP in turn. */
static void check(struct watch *w, const struct ax_rules_action *actions, int n)
{
    require(n >= 0);
    for (int i = 0; i < n; i++) {
        const uint32_t rule = actions[i].rule;
        const bool lasting = rules[rule].flags & AX_RULES_WHILE;
        require(rule < RULES && w->on[rule] && actions[i].t_ns >= w->last);
        require(lasting == (actions[i].what != AX_RULES_FIRE) && actions[i].what <= AX_RULES_STOP);
        require(!lasting || w->active[rule] == (actions[i].what == AX_RULES_STOP));
        w->active[rule] = actions[i].what == AX_RULES_START;
        w->last = actions[i].t_ns;
    }
}

static uint32_t read_rules(const uint8_t *data, size_t size)
{
    static const uint64_t WAITS[4] = {0, 1, 30, UINT64_MAX};
    const uint32_t n = data[0] % (RULES + 1);
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t one = 1 + 2 * i < size ? data[1 + 2 * i] : 0, two = 2 + 2 * i < size ? data[2 + 2 * i] : 0;
        const uint16_t flags = one & (AX_RULES_EDGE | AX_RULES_WHILE);
        rules[i] = (struct ax_rules_rule){WAITS[one >> 2 & 3], i * EACH, (uint16_t)(1 + (one >> 4) % EACH), flags};
        for (uint32_t k = 0; k < EACH; k++) {
            const uint16_t test = (uint16_t)((two >> 2 * k) + k * 3u) % TESTS;
            conditions[i * EACH + k] = (struct ax_rules_condition){test, one >> (5 + k) & 1u};
        }
    }
    return n;
}

/* Both matchers go through the same operations; the second in single steps. */
static void run(struct ax_rules *x, struct ax_rules *y, uint32_t n, const uint8_t *ops, size_t count)
{
    struct ax_rules_input batch[BATCH];
    struct watch w = {0};
    size_t held = 0;
    uint64_t t = 0;
    for (size_t i = 0; i + 2 <= count; i += 2) {
        t += ops[i + 1] & 31;
        const uint32_t rule = n ? ops[i] % n : 0;
        const bool feeds = ops[i + 1] < 192;
        if (feeds)
            batch[held++] = (struct ax_rules_input){t, ops[i] % EVENTS, ops[i + 1] >> 5 & 1};
        if (held == BATCH || (held && !feeds) || i + 4 > count) {
            size_t taken = 0;
            const int total = ax_rules_feed(x, batch, held, a, sizeof a / sizeof *a, &taken);
            require(taken == held);
            for (size_t k = 0, at = 0; k < held; k++) {
                const int some = ax_rules_feed(y, &batch[k], 1, b, AX_RULES_ROOM, NULL);
                for (int j = 0; j < some; j++, at++) {
                    require(at < (size_t)total && a[at].cause == (b[j].cause == AX_RULES_TIMER ? AX_RULES_TIMER : k));
                    require(a[at].t_ns == b[j].t_ns && a[at].rule == b[j].rule && a[at].what == b[j].what);
                }
            }
            check(&w, a, total);
            held = 0;
        }
        if (feeds || !n)
            continue;
        if (ops[i + 1] < 208) {
            const int some = ax_rules_advance(x, t, a);
            require(ax_rules_advance(y, t, b) == some && memcmp(a, b, (size_t)some * sizeof *a) == 0);
            check(&w, a, some);
            require(ax_rules_deadline(x) > t || ax_rules_deadline(x) == AX_RULES_NEVER);
        } else {
            const bool enable = ops[i + 1] < 240;
            const int some = enable ? ax_rules_enable(x, rule, t, a) : ax_rules_disable(x, rule, t, a);
            require(some == (enable ? ax_rules_enable(y, rule, t, b) : ax_rules_disable(y, rule, t, b)));
            w.on[rule] |= enable;
            check(&w, a, some);
            w.on[rule] = enable;
        }
        require(ax_rules_deadline(x) == ax_rules_deadline(y));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const uint32_t n = read_rules(data, size);
    const size_t head = 1 + 2 * (size_t)n < size ? 1 + 2 * (size_t)n : size;
    struct ax_rules *x = make(n, EVENTS), *y = make(n, 0);
    require(ax_rules_set_level(y, 0) == AX_OK);
    const size_t state = ax_rules_state_size(x);
    void *before = malloc(state), *after = malloc(state), *again = malloc(state);
    require(before && after && again);
    require(ax_rules_snapshot(x, before, state) == AX_OK);
    run(x, y, n, data + head, size - head);
    require(ax_rules_snapshot(x, after, state) == AX_OK);
    require(ax_rules_restore(x, before, state) == AX_OK && ax_rules_restore(y, before, state) == AX_OK);
    run(x, y, n, data + head, size - head);
    require(ax_rules_snapshot(x, again, state) == AX_OK);
    require(memcmp(after, again, state) == 0);
    free(before);
    free(after);
    free(again);
    ax_rules_free(x);
    ax_rules_free(y);
    return 0;
}
