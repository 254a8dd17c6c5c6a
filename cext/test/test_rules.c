/* The rule matcher: one test per sentence of its meaning (D1..D10), limits and errors, and all variants of the step against
 * the portable one on random histories. Test t asks "does property t have value 1"; pulses are tests above the properties. */
#include "ax_test.h"

#include "ax/err.h"
#include "ax/rules.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PROPERTIES = 6, PULSES = 2, TESTS = PROPERTIES + PULSES, S = 1000 };

static struct ax_rules *m;
static struct ax_rules_action out[AX_RULES_ROOM];

/* Event ids: value 0 and 1 of property p, its announcement with 1, its deletion; pulse q. */
static uint32_t off(uint32_t p)
{
    return p * 4;
}
static uint32_t on(uint32_t p)
{
    return p * 4 + 1;
}
static uint32_t announced(uint32_t p)
{
    return p * 4 + 2;
}
static uint32_t gone(uint32_t p)
{
    return p * 4 + 3;
}
static uint32_t pulse(uint32_t q)
{
    return PROPERTIES * 4 + q;
}

static void bind_all(struct ax_rules *r)
{
    for (uint16_t p = 0; p < PROPERTIES; p++) {
        CHECK_EQ(ax_rules_add_instance(r, &p, 1), p);
        CHECK_EQ(ax_rules_bind(r, off(p), AX_RULES_SET, p, NULL, 0), 0);
        CHECK_EQ(ax_rules_bind(r, on(p), AX_RULES_SET, p, &p, 1), 0);
        CHECK_EQ(ax_rules_bind(r, announced(p), AX_RULES_INIT, p, &p, 1), 0);
        CHECK_EQ(ax_rules_bind(r, gone(p), AX_RULES_DELETE, p, NULL, 0), 0);
    }
    for (uint16_t q = 0; q < PULSES; q++) {
        const uint16_t test = (uint16_t)(PROPERTIES + q);
        CHECK_EQ(ax_rules_bind(r, pulse(q), AX_RULES_PULSE, 0, &test, 1), 0);
    }
}

static uint32_t masks = 64; /* Room for short cuts: without it, every property is counted test by test. */

static struct ax_rules *make(const struct ax_rules_rule *rules, uint32_t nrules, const struct ax_rules_condition *conditions,
                             uint32_t nconditions)
{
    struct ax_rules *r = NULL;
    const struct ax_rules_spec spec = {rules, conditions, nrules, nconditions, TESTS, PROPERTIES, 64, 256, masks};
    CHECK_EQ(ax_rules_new(&r, &spec), 0);
    if (!r)
        abort();
    bind_all(r);
    return r;
}

static int feed(uint32_t event, uint64_t t)
{
    const struct ax_rules_input in = {t, event, 0};
    return ax_rules_feed(m, &in, 1, out, AX_RULES_ROOM, NULL);
}

#define ONE_RULE(flags, wait, ...)                                                                                     \
    do {                                                                                                               \
        static const struct ax_rules_condition c_[] = {__VA_ARGS__};                                                   \
        const struct ax_rules_rule r_ = {wait, 0, sizeof c_ / sizeof *c_, flags};                                      \
        ax_rules_free(m);                                                                                              \
        m = make(&r_, 1, c_, sizeof c_ / sizeof *c_);                                                                  \
    } while (0)
#define GIVES(n, w)                                                                                                    \
    do {                                                                                                               \
        const int n_ = (n);                                                                                            \
        CHECK_EQ(n_, 1);                                                                                               \
        CHECK_EQ(out[0].what, w);                                                                                      \
    } while (0)

static void test_level_rules(void)
{
    ONE_RULE(AX_RULES_WHILE, 0, {0, 0}, {1, 0});
    CHECK_EQ(feed(on(0), 1), 0);
    CHECK_EQ(feed(on(1), 2), 0); /* Disabled. */
    GIVES(ax_rules_enable(m, 0, 3, out), AX_RULES_START);
    CHECK_EQ(feed(on(1), 4), 0);
    CHECK_EQ(feed(announced(1), 4), 0);
    GIVES(feed(off(0), 5), AX_RULES_STOP);
    GIVES(feed(on(0), 6), AX_RULES_START);
    CHECK_EQ(out[0].t_ns, 6);
    CHECK_EQ(out[0].cause, 0);
    GIVES(feed(gone(1), 7), AX_RULES_STOP); /* D5. */
    GIVES(feed(announced(1), 8), AX_RULES_START); /* D2: an announcement satisfies. */
    GIVES(ax_rules_disable(m, 0, 9, out), AX_RULES_STOP);
    CHECK_EQ(feed(off(0), 10), 0);
}

static void test_inversion_and_the_unknown(void)
{
    ONE_RULE(0, 0, {0, AX_RULES_INVERT});
    CHECK_EQ(ax_rules_enable(m, 0, 0, out), 0); /* D5: not known is false, inverted too. */
    GIVES(feed(off(0), 1), AX_RULES_FIRE);
    CHECK_EQ(feed(on(0), 2), 0);
    CHECK_EQ(feed(gone(0), 3), 0);
    GIVES(feed(off(0), 4), AX_RULES_FIRE);
}

static void test_edge_rules(void)
{
    ONE_RULE(AX_RULES_EDGE, 0, {0, 0}, {1, 0});
    CHECK_EQ(ax_rules_enable(m, 0, 0, out), 0);
    CHECK_EQ(feed(announced(0), 1), 0);
    CHECK_EQ(feed(on(1), 1), 0);
    CHECK_EQ(feed(off(0), 2), 0);
    CHECK_EQ(feed(announced(0), 3), 0); /* D2, also of what is known. */
    CHECK_EQ(feed(off(0), 3), 0);
    GIVES(feed(on(0), 4), AX_RULES_FIRE);
    CHECK_EQ(feed(off(1), 5), 0);
    CHECK_EQ(feed(on(1), 5), 0); /* Only the first one starts. */
    CHECK_EQ(feed(off(0), 5), 0);
    CHECK_EQ(feed(off(1), 5), 0);
    CHECK_EQ(feed(on(0), 6), 0); /* The other does not hold. */

    ONE_RULE(AX_RULES_EDGE | AX_RULES_WHILE, 0, {PROPERTIES, 0}, {1, AX_RULES_INVERT});
    CHECK_EQ(ax_rules_enable(m, 0, 0, out), 0);
    CHECK_EQ(feed(pulse(0), 1), 0);
    CHECK_EQ(feed(off(1), 2), 0);
    GIVES(feed(pulse(0), 3), AX_RULES_START);
    CHECK_EQ(feed(pulse(0), 4), 0); /* D3. */
    CHECK_EQ(feed(pulse(1), 4), 0);
    GIVES(feed(on(1), 5), AX_RULES_STOP);

    ONE_RULE(AX_RULES_EDGE, 0, {0, AX_RULES_INVERT});
    CHECK_EQ(ax_rules_enable(m, 0, 0, out), 0);
    CHECK_EQ(feed(off(0), 1), 0);
    CHECK_EQ(feed(on(0), 1), 0);
    GIVES(feed(off(0), 2), AX_RULES_FIRE);
    CHECK_EQ(feed(on(0), 3), 0);
    CHECK_EQ(feed(gone(0), 3), 0); /* True, then unknown: the inverted level never rose. */
    CHECK_EQ(feed(off(0), 4), 0);
}

static void test_waits(void)
{
    ONE_RULE(AX_RULES_EDGE, 10 * S, {PROPERTIES, 0});
    CHECK_EQ(ax_rules_enable(m, 0, 0, out), 0);
    GIVES(feed(pulse(0), 5 * S), AX_RULES_FIRE);
    CHECK_EQ(feed(pulse(0), 15 * S - 1), 0); /* D4: lost. */
    CHECK_EQ(ax_rules_deadline(m), AX_RULES_NEVER);
    GIVES(feed(pulse(0), 15 * S), AX_RULES_FIRE); /* The boundary is allowed. */
    CHECK_EQ(ax_rules_disable(m, 0, 15 * S, out), 0);
    CHECK_EQ(ax_rules_enable(m, 0, 15 * S, out), 0);
    GIVES(feed(pulse(0), 15 * S + 1), AX_RULES_FIRE); /* D6. */

    ONE_RULE(AX_RULES_WHILE, 10 * S, {0, 0});
    CHECK_EQ(ax_rules_enable(m, 0, 0, out), 0);
    GIVES(feed(on(0), 100 * S), AX_RULES_START);
    GIVES(feed(off(0), 101 * S), AX_RULES_STOP);
    CHECK_EQ(feed(on(0), 102 * S), 0);
    CHECK_EQ(ax_rules_deadline(m), 110 * S);
    CHECK_EQ(feed(off(0), 103 * S), 0);
    CHECK_EQ(ax_rules_deadline(m), AX_RULES_NEVER);
    CHECK_EQ(feed(on(0), 104 * S), 0);
    CHECK_EQ(ax_rules_advance(m, 110 * S - 1, out), 0);
    GIVES(ax_rules_advance(m, 500 * S, out), AX_RULES_START);
    CHECK_EQ(out[0].t_ns, 110 * S);
    CHECK_EQ(out[0].cause, AX_RULES_TIMER);
    CHECK_EQ(ax_rules_now(m), 500 * S);
    GIVES(feed(off(0), 3), AX_RULES_STOP); /* Time does not run backwards. */
    CHECK_EQ(out[0].t_ns, 500 * S);
}

static void test_the_longest_wait(void)
{
    ONE_RULE(0, UINT64_MAX, {0, 0});
    CHECK_EQ(ax_rules_enable(m, 0, 5, out), 0);
    GIVES(feed(on(0), 6), AX_RULES_FIRE);
    CHECK_EQ(feed(off(0), 7), 0);
    CHECK_EQ(feed(on(0), 8), 0);
    CHECK(ax_rules_deadline(m) == AX_RULES_NEVER - 1);
}

static void test_the_order_at_one_instant(void)
{
    ONE_RULE(AX_RULES_WHILE, 10, {0, 0});
    CHECK_EQ(ax_rules_enable(m, 0, 0, out), 0);
    GIVES(feed(on(0), 100), AX_RULES_START);
    GIVES(feed(off(0), 101), AX_RULES_STOP);
    CHECK_EQ(feed(on(0), 102), 0);
    CHECK_EQ(feed(off(0), 110), 2); /* D9: the wait ends, then the event. */
    CHECK_EQ(out[0].what, AX_RULES_START);
    CHECK_EQ(out[1].what, AX_RULES_STOP);
    CHECK_EQ(feed(on(0), 111), 0);
    const struct ax_rules_input early = {120, off(0), AX_RULES_EARLY};
    CHECK_EQ(ax_rules_feed(m, &early, 1, out, AX_RULES_ROOM, NULL), 0); /* A schedule's edge comes first. */
    CHECK_EQ(ax_rules_advance(m, 1000, out), 0);
}

static void test_rules_act_in_order(void)
{
    static const struct ax_rules_condition conditions[] = {{0, 0}, {1, 0}, {0, AX_RULES_INVERT}, {0, 0}};
    struct ax_rules_rule rules[AX_RULES_MAX];
    for (uint32_t i = 0; i < AX_RULES_MAX; i++)
        rules[i] = (struct ax_rules_rule){0, i % 3, (uint16_t)(i % 3 == 0 ? 1 : 2), 0};
    rules[1].flags = rules[3].flags = AX_RULES_WHILE;
    ax_rules_free(m);
    m = make(rules, AX_RULES_MAX, conditions, 4);
    for (uint32_t i = AX_RULES_MAX; i-- > 0;)
        CHECK_EQ(ax_rules_enable(m, i, 0, out), 0);
    const int n = feed(on(0), 1);
    CHECK_EQ(n, 86); /* Every third; a rule that contradicts itself never. */
    for (int i = 0; i < n; i++) {
        CHECK_EQ(out[i].rule, 3 * i);
        CHECK_EQ(out[i].what, i == 1 ? AX_RULES_START : AX_RULES_FIRE);
    }
    GIVES(feed(off(0), 2), AX_RULES_STOP);
    CHECK_EQ(out[0].rule, 3);
    /* A batch stops where the room for the next event ends. */
    struct ax_rules_action small[AX_RULES_ROOM + 85];
    const struct ax_rules_input in[] = {{3, on(0), 0}, {4, off(0), 0}, {5, on(0), 0}};
    size_t taken = 0;
    CHECK_EQ(ax_rules_feed(m, in, 3, small, AX_RULES_ROOM + 85, &taken), 86);
    CHECK_EQ(taken, 1);
    CHECK_EQ(ax_rules_feed(m, in + 1, 2, small, AX_RULES_ROOM + 85, &taken), 87);
    CHECK_EQ(taken, 2);
    CHECK_EQ(small[86].cause, 1);
}

static void test_sixteen_conditions_and_doubles(void)
{
    static const struct ax_rules_condition doubled[] = {
        {0, 0}, {0, 0}, {1, 0}, {1, 0}, {2, 0}, {2, 0}, {3, 0}, {3, 0},
        {4, 0}, {4, 0}, {5, 0}, {5, 0}, {0, 0}, {1, 0}, {2, 0}, {3, 0},
    };
    const struct ax_rules_rule rule = {0, 0, 16, AX_RULES_WHILE};
    ax_rules_free(m);
    m = make(&rule, 1, doubled, 16);
    CHECK_EQ(ax_rules_enable(m, 0, 0, out), 0);
    for (uint32_t p = 0; p < PROPERTIES; p++)
        CHECK_EQ(feed(on(p), p), p == PROPERTIES - 1);
    GIVES(feed(off(3), 9), AX_RULES_STOP);
}

/* A test over several instances: holds while any does; inverted, while none does and one is known. */
static void test_any_instance(void)
{
    static const struct ax_rules_condition conditions[] = {{0, 0}, {0, AX_RULES_INVERT}};
    const struct ax_rules_rule rules[] = {{0, 0, 1, AX_RULES_WHILE}, {0, 1, 1, AX_RULES_EDGE}};
    const struct ax_rules_spec spec = {rules, conditions, 2, 2, 1, 2, 8, 8, 8};
    const uint16_t test = 0;
    ax_rules_free(m);
    CHECK_EQ(ax_rules_new(&m, &spec), 0);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQ(ax_rules_add_instance(m, &test, 1), i);
        CHECK_EQ(ax_rules_bind(m, off(i), AX_RULES_SET, i, NULL, 0), 0);
        CHECK_EQ(ax_rules_bind(m, on(i), AX_RULES_SET, i, &test, 1), 0);
        CHECK_EQ(ax_rules_bind(m, gone(i), AX_RULES_DELETE, i, NULL, 0), 0);
    }
    CHECK_EQ(ax_rules_enable(m, 0, 0, out), 0);
    CHECK_EQ(ax_rules_enable(m, 1, 0, out), 0);
    GIVES(feed(on(0), 1), AX_RULES_START);
    CHECK_EQ(feed(on(1), 1), 0);
    CHECK_EQ(feed(off(0), 2), 0);
    CHECK_EQ(feed(off(1), 3), 2);
    CHECK_EQ(out[0].what, AX_RULES_STOP);
    CHECK_EQ(out[1].what, AX_RULES_FIRE);
    CHECK_EQ(feed(on(1), 4), 1);
    CHECK_EQ(feed(gone(1), 5), 2); /* The other one is known still: the inverted level rises. */
    uint32_t known = 0, holds = 9;
    CHECK_EQ(ax_rules_test_state(m, 0, &known, &holds), 0);
    CHECK_EQ(known, 1);
    CHECK_EQ(holds, 0);
    CHECK_EQ(ax_rules_value(m, 0), off(0));
    CHECK_EQ(ax_rules_value(m, 1), AX_RULES_NONE);
    CHECK_EQ(ax_rules_test_state(m, 1, &known, &holds), AX_E_ARG);
}

static void test_snapshot_and_run_state(void)
{
    ONE_RULE(AX_RULES_WHILE, 10, {0, 0});
    CHECK_EQ(ax_rules_enable(m, 0, 0, out), 0);
    const size_t size = ax_rules_state_size(m);
    void *before = malloc(size), *again = malloc(size);
    struct ax_rules_run run;
    GIVES(feed(on(0), 1), AX_RULES_START);
    CHECK_EQ(ax_rules_snapshot(m, before, size), 0);
    GIVES(feed(off(0), 2), AX_RULES_STOP);
    CHECK_EQ(feed(on(0), 3), 0);
    CHECK_EQ(ax_rules_get_run(m, 0, &run), 0);
    CHECK_EQ(run.last_ns, 1);
    CHECK_EQ(run.due_ns, 11);
    CHECK(run.enabled && !run.active && run.met);
    CHECK_EQ(ax_rules_restore(m, before, size), 0);
    CHECK_EQ(ax_rules_snapshot(m, again, size), 0);
    CHECK(memcmp(before, again, size) == 0);
    GIVES(feed(off(0), 2), AX_RULES_STOP);
    CHECK_EQ(ax_rules_snapshot(m, before, size - 1), AX_E_FORMAT);
    CHECK_EQ(ax_rules_restore(m, before, size + 1), AX_E_FORMAT);
    free(before);
    free(again);
    /* The run state moves to another matcher. */
    ONE_RULE(AX_RULES_WHILE, 10, {0, 0});
    CHECK_EQ(feed(on(0), 3), 0);
    CHECK_EQ(ax_rules_set_run(m, 0, &run), 0);
    CHECK_EQ(ax_rules_deadline(m), 11);
    GIVES(ax_rules_advance(m, 11, out), AX_RULES_START);
    CHECK_EQ(ax_rules_get_run(m, 0, &run), 0);
    CHECK_EQ(run.last_ns, 11);
    CHECK(run.active);
}

static void test_what_new_refuses(void)
{
    const struct ax_rules_condition conditions[] = {{0, 0}, {1, 0}, {0, 2}};
    const struct ax_rules_rule good = {0, 0, 1, 0};
    const struct ax_rules_spec spec = {&good, conditions, 1, 3, 2, 1, 4, 2, 4};
    struct ax_rules_spec bad = spec;
    struct ax_rules *r = NULL;
    CHECK_EQ(ax_rules_new(NULL, &spec), AX_E_ARG);
    bad.nrules = 257;
    CHECK_EQ(ax_rules_new(&r, &bad), AX_E_RANGE);
    bad = spec;
    bad.conditions = NULL;
    CHECK_EQ(ax_rules_new(&r, &bad), AX_E_ARG);
    bad = spec;
    bad.max_events = 65536;
    CHECK_EQ(ax_rules_new(&r, &bad), AX_E_RANGE);
    bad = spec;
    bad.max_links = UINT32_MAX;
    CHECK_EQ(ax_rules_new(&r, &bad), AX_E_RANGE);
    bad = spec;
    bad.max_masks = 5;
    CHECK_EQ(ax_rules_new(&r, &bad), AX_E_RANGE);
    const struct ax_rules_rule wrong[] = {{0, 0, 0, 0}, {0, 0, 17, 0}, {0, 3, 1, 0}, {0, 4, 1, 0}, {0, 0, 1, 4}, {0, 2, 1, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        bad = spec;
        bad.rules = &wrong[i];
        CHECK(ax_rules_new(&r, &bad) < 0);
        CHECK(r == NULL);
    }
    bad = spec;
    bad.ntests = 0;
    CHECK_EQ(ax_rules_new(&r, &bad), AX_E_RANGE);
}

static void test_errors(void)
{
    const struct ax_rules_condition conditions[] = {{0, 0}, {1, 0}};
    const struct ax_rules_rule good = {0, 0, 1, 0};
    const struct ax_rules_spec spec = {&good, conditions, 1, 2, 2, 1, 4, 2, 4};
    struct ax_rules *r = NULL;
    CHECK_EQ(ax_rules_new(&r, &spec), 0);
    CHECK(ax_rules_size(r) < 1024);
    const uint16_t tests[] = {0, 1, 1, 2};
    CHECK_EQ(ax_rules_add_instance(r, tests + 1, 2), AX_E_ARG);
    CHECK_EQ(ax_rules_add_instance(r, tests + 3, 1), AX_E_ARG);
    CHECK_EQ(ax_rules_bind(r, 0, AX_RULES_SET, 0, NULL, 0), AX_E_ARG);
    CHECK_EQ(ax_rules_add_instance(r, tests, 1), 0);
    CHECK_EQ(ax_rules_add_instance(r, tests, 1), AX_E_FULL);
    CHECK_EQ(ax_rules_bind(r, 0, AX_RULES_SET, 0, tests + 1, 1), AX_E_ARG);
    CHECK_EQ(ax_rules_bind(r, 0, AX_RULES_DELETE, 0, tests, 1), AX_E_ARG);
    CHECK_EQ(ax_rules_bind(r, 0, AX_RULES_KIND_END, 0, NULL, 0), AX_E_ARG);
    CHECK_EQ(ax_rules_bind(r, 4, AX_RULES_PULSE, 0, NULL, 0), AX_E_RANGE);
    CHECK_EQ(ax_rules_bind(r, 0, AX_RULES_PULSE, 0, tests, 2), AX_E_FULL);
    CHECK_EQ(ax_rules_bind(r, 0, AX_RULES_SET, 0, tests, 1), 0);
    CHECK_EQ(ax_rules_bind(r, 0, AX_RULES_SET, 0, tests, 1), AX_E_STATE);
    struct ax_rules_input in[] = {{1, 3, 0}, {2, 4, 0}};
    size_t taken = 0;
    CHECK_EQ(ax_rules_feed(r, in, 2, out, AX_RULES_ROOM, &taken), 0);
    CHECK_EQ(taken, 1);
    CHECK_EQ(ax_rules_feed(r, in + 1, 1, out, AX_RULES_ROOM, &taken), AX_E_RANGE);
    CHECK_EQ(ax_rules_feed(r, in, 1, out, AX_RULES_ROOM - 1, &taken), AX_E_ARG);
    CHECK_EQ(ax_rules_feed(r, in, 2, out, AX_RULES_ROOM, NULL), AX_E_ARG);
    CHECK_EQ(ax_rules_enable(r, 1, 0, out), AX_E_ARG);
    CHECK_EQ(ax_rules_disable(r, 1, 0, out), AX_E_ARG);
    CHECK_EQ(ax_rules_advance(r, 0, NULL), AX_E_ARG);
    CHECK_EQ(ax_rules_set_level(r, -1), AX_E_RANGE);
    CHECK_EQ(ax_rules_set_level(r, ax_rules_levels()), AX_E_RANGE);
    CHECK(ax_rules_level_name(ax_rules_levels())[0] == '\0');
    ax_rules_free(r);
    ax_rules_free(NULL);
}

static uint32_t draw(uint32_t below)
{
    static uint64_t seed = 88172645463325252u;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % below;
}

static struct ax_rules_condition some_conditions[AX_RULES_MAX * 4];
static struct ax_rules_rule some_rules[AX_RULES_MAX];

static void draw_rules(bool edges)
{
    for (uint32_t i = 0; i < AX_RULES_MAX; i++) {
        const uint32_t flags = edges ? draw(4) : draw(2) * AX_RULES_WHILE;
        some_rules[i] = (struct ax_rules_rule){draw(3) ? 0 : draw(50), i * 4, (uint16_t)(1 + draw(4)), (uint16_t)flags};
        for (uint32_t k = 0; k < 4; k++) {
            const uint32_t tests = k || !(flags & AX_RULES_EDGE) ? PROPERTIES : TESTS;
            some_conditions[i * 4 + k] = (struct ax_rules_condition){(uint16_t)draw(tests), (uint16_t)draw(2)};
        }
    }
}

/* One random operation on both; they give the same. */
static void step_both(struct ax_rules *x, struct ax_rules *y, uint64_t t)
{
    static struct ax_rules_action a[AX_RULES_ROOM], b[AX_RULES_ROOM];
    int n, k;
    if (draw(10) == 0) {
        const uint32_t rule = draw(AX_RULES_MAX);
        const bool enable = draw(4) != 0;
        n = enable ? ax_rules_enable(x, rule, t, a) : ax_rules_disable(x, rule, t, a);
        k = enable ? ax_rules_enable(y, rule, t, b) : ax_rules_disable(y, rule, t, b);
    } else {
        const struct ax_rules_input in = {t, draw(PROPERTIES * 4 + PULSES), draw(2)};
        n = ax_rules_feed(x, &in, 1, a, AX_RULES_ROOM, NULL);
        k = ax_rules_feed(y, &in, 1, b, AX_RULES_ROOM, NULL);
    }
    CHECK(n == k && n >= 0 && memcmp(a, b, (size_t)n * sizeof *a) == 0);
}

/* Every variant of the step, with and without short cuts, against the portable one without. */
static void test_variants_agree(void)
{
    for (int round = 0; round < 60; round++) {
        const int level = round % ax_rules_levels();
        draw_rules(round % 3 != 0);
        masks = 0;
        struct ax_rules *x = make(some_rules, AX_RULES_MAX, some_conditions, AX_RULES_MAX * 4);
        masks = round % 5 ? 64 : 0;
        struct ax_rules *y = make(some_rules, AX_RULES_MAX, some_conditions, AX_RULES_MAX * 4);
        masks = 64;
        CHECK(level == 0 || strcmp(ax_rules_level_name(level), "generic") != 0);
        CHECK_EQ(ax_rules_set_level(x, 0), 0);
        CHECK_EQ(ax_rules_set_level(y, level), 0);
        uint64_t t = 0;
        for (int step = 0; step < 2000; step++)
            step_both(x, y, t += draw(8));
        ax_rules_free(x);
        ax_rules_free(y);
    }
}

/* A second instance that shares a test ends the short cut of the first, whatever that is known to be. */
static void test_a_shared_test(void)
{
    static const struct ax_rules_condition conditions[] = {{0, 0}, {1, AX_RULES_INVERT}};
    const struct ax_rules_rule rule = {0, 0, 2, AX_RULES_WHILE};
    const struct ax_rules_spec spec = {&rule, conditions, 1, 2, 2, 4, 8, 16, 8};
    const uint16_t tests[] = {0, 1};
    ax_rules_free(m);
    CHECK_EQ(ax_rules_new(&m, &spec), 0);
    CHECK_EQ(ax_rules_add_instance(m, tests, 1), 0);
    CHECK_EQ(ax_rules_add_instance(m, tests + 1, 1), 1);
    CHECK_EQ(ax_rules_bind(m, 0, AX_RULES_SET, 0, tests, 1), 0);
    CHECK_EQ(ax_rules_bind(m, 1, AX_RULES_SET, 1, NULL, 0), 0);
    CHECK_EQ(ax_rules_bind(m, 2, AX_RULES_DELETE, 0, NULL, 0), 0);
    CHECK_EQ(ax_rules_enable(m, 0, 0, out), 0);
    CHECK_EQ(feed(0, 1), 0);
    GIVES(feed(1, 1), AX_RULES_START);
    void *before = malloc(ax_rules_state_size(m));
    CHECK_EQ(ax_rules_snapshot(m, before, ax_rules_state_size(m)), 0);
    CHECK_EQ(ax_rules_add_instance(m, tests, 2), 2); /* Shares both. */
    CHECK_EQ(ax_rules_bind(m, 3, AX_RULES_SET, 2, tests, 2), 0);
    CHECK_EQ(ax_rules_bind(m, 4, AX_RULES_DELETE, 2, NULL, 0), 0);
    for (int round = 0; round < 2; round++) {
        GIVES(feed(3, 2), AX_RULES_STOP); /* Test 1 holds for instance 2. */
        CHECK_EQ(feed(2, 3), 0);
        CHECK_EQ(feed(4, 4), 0);
        GIVES(feed(0, 5), AX_RULES_START);
        CHECK_EQ(ax_rules_restore(m, before, ax_rules_state_size(m)), 0);
    }
    free(before);
}

int main(void)
{
    test_level_rules();
    test_inversion_and_the_unknown();
    test_edge_rules();
    test_waits();
    test_the_longest_wait();
    test_the_order_at_one_instant();
    test_rules_act_in_order();
    test_sixteen_conditions_and_doubles();
    test_any_instance();
    test_snapshot_and_run_state();
    test_what_new_refuses();
    test_errors();
    test_variants_agree();
    test_a_shared_test();
    ax_rules_free(m);
    return ax_test_done();
}
