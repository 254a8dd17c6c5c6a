/* The inside of a matcher: tables that never change while events are fed, and one block of state that does.
 *
 * Masks of rules are 256 bits in four words; in the pool only the words that are not zero are kept. A reference to a mask
 * is its place in the pool and a bitmap of its words. Units: ns. */
#ifndef AX_RULES_INTERNAL_H
#define AX_RULES_INTERNAL_H

#include "ax/rules.h"

#include <stdbool.h>

enum {
    WORDS = AX_RULES_MAX / 64,
    PLANES = 5, /* Counts of 0 .. 16 conditions. */
    ALL_WORDS = (1 << WORDS) - 1,
};

#define NO_VALUE UINT16_MAX /* An instance that is not known. */

struct rule_mask {
    uint16_t at : 12;   /* First word in the pool: at most one a condition, 4096. */
    uint16_t words : 4; /* Bitmap of the words that are there; 0 = no rule. */
};

/* Which rules look at a test; [0] as it is, [1] inverted. */
struct test_rules {
    struct rule_mask level[2]; /* It is a condition that must hold. */
    struct rule_mask edge[2];  /* Its rise (or its pulse, [0]) starts the rule. */
};

struct event_shape {
    uint32_t list;     /* Tests that hold, in `links`. */
    uint16_t n : 13;
    uint16_t kind : 3;
    uint16_t instance;
    uint16_t mask;     /* Rules with a condition that this value meets, in `masks`; 0 = none of them. */
};

/* An instance is *simple* while no other one shares a test with it, none of its tests starts a rule, and no value meets two
 * conditions of one rule. Then all that a value means is one mask, and a change is the difference of two. */
struct instance_tests {
    uint32_t list; /* Tests that can hold, in `links`. */
    uint16_t n;
    uint16_t simple;
};

struct test_count {
    uint16_t holds; /* Instances for whose value it holds. */
    uint16_t known; /* Instances that are known and could hold. */
    uint16_t owner; /* The one instance that the test looks at; NO_OWNER, SHARED. */
};

#define NO_OWNER UINT16_MAX
#define SHARED (UINT16_MAX - 1) /* There are at most 65535 instances, and the last number is never a simple one's. */

/* The fixed head of the state block; the arrays follow it. */
struct state {
    uint64_t plane[PLANES][WORDS]; /* Conditions that are not met, one bit-sliced counter a rule. */
    uint64_t met[WORDS];           /* The counter is zero. */
    uint64_t enabled[WORDS];
    uint64_t active[WORDS];
    uint64_t pending[WORDS];       /* A start is made up for when the wait is over. */
    uint64_t cooling[WORDS];       /* last_ns counts. */
    uint64_t now;
    uint64_t next_due;             /* Not later than the first due time; NEVER. */
};

struct ax_rules {
    struct state *state;
    uint64_t *last_ns;             /* State: of each rule. */
    uint16_t *value;               /* State: of each instance, its event. */
    struct test_count *counts;     /* Of each test, from values; not kept for tests of simple instances. */
    const struct rules_ops *ops;
    uint64_t *wait_ns;             /* Of each rule. */
    uint64_t *pool;
    uint64_t (*masks)[WORDS];      /* What the values of simple instances mean; the first is empty. */
    struct test_rules *tests;
    struct event_shape *events;
    struct instance_tests *instances;
    uint16_t *links;
    uint64_t level_rules[WORDS];
    uint64_t while_rules[WORDS];
    uint64_t wait_rules[WORDS];
    uint64_t defined[WORDS];
    uint32_t nrules, ntests, ninstances, nlinks, nmasks;
    uint32_t max_instances, max_events, max_links, max_masks;
    int planes;                    /* As many as the rule with the most conditions needs. */
    size_t state_size, size;
};

/* What a variant of the step offers. */
struct rules_ops {
    const char *name;
    int (*feed)(struct ax_rules *m, const struct ax_rules_input *in, size_t n, struct ax_rules_action *out, size_t cap,
                size_t *consumed);
};

extern const struct rules_ops ax_rules_generic;
extern const struct rules_ops ax_rules_avx2;
extern const struct rules_ops ax_rules_neon;

/* ax_rules_build.c: masks, counters at "nothing is known". */
int ax_rules_build(struct ax_rules *m, const struct ax_rules_spec *spec);
/* ax_rules_bind.c: the counts of tests from the values of instances. */
void ax_rules_recount(struct ax_rules *m);
/* ax_rules_time.c: activate what is due up to `until`; at most the room in `out`. Strict: not what is due at `until`. */
size_t ax_rules_run_due(struct ax_rules *m, uint64_t until, bool strict, struct ax_rules_action *out);
/* ax_rules_time.c: of the candidates of a word, those that their wait does not hold back. */
uint64_t ax_rules_hold_back(struct ax_rules *m, uint32_t word, uint64_t candidates, uint64_t deferrable, uint64_t t_ns);


#endif
