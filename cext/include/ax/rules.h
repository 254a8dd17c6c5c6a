/* Rules: which actions run when properties change and pulses happen. Levels, trigger edges, inversion, waits, deletion.
 *
 * Words. A *test* is a question about an event ("port 1 is active"); what it asks is the caller's business, the kernel
 * knows a number. An *instance* is one property (topic and source) with the list of tests that look at it. An *event* is
 * a shape that can happen again and again: instance 7 gets a value for which the tests 3 and 9 hold. Shapes are bound to
 * small ids once; on the hot path an event is an id and a time.
 *
 * Meaning. The level of a test is true while it holds for the value of at least one known instance; inverted, while at
 * least one instance is known and it holds for none. What is not known is false, inverted or not. A *level rule* is
 * satisfied while all its conditions are; an *edge rule* starts at a pulse, or at a level that rises (not by an
 * announcement), while all other conditions hold; it ends when one of those falls. One-shot rules FIRE; the others START
 * and STOP. A start before `wait_ns` has passed since the last one is lost (edge rules) or made up for at the end of the
 * wait, if the rule is satisfied then (level rules). At one instant: waits that are over, then events in order; an event
 * marked EARLY (a schedule's edge) comes before the waits. Rules act in the order of their slots.
 *
 * Method: each rule's count of conditions that are not met is spread over five planes of 256 bits; an event adds or
 * subtracts the mask of the rules that look at it, all at once (bit-sliced counters; the counting algorithm of Yan and
 * Garcia-Molina, ACM TODS 1999, turned by 90 degrees).
 *
 * Units: nanoseconds on a monotonic clock; a time before the newest one counts as the newest. Threads: one matcher
 * belongs to one thread. Allocation: only in new. */
#ifndef AX_RULES_H
#define AX_RULES_H

#include <stddef.h>
#include <stdint.h>

#define AX_RULES_MAX 256            /**< Rules. */
#define AX_RULES_ROOM 512           /**< Actions of one event at most, the waits that end before it among them. */
#define AX_RULES_MAX_CONDITIONS 16  /**< Conditions of a rule. */
#define AX_RULES_MAX_TESTS 4096     /**< Different tests: as many as all conditions of all rules. */
#define AX_RULES_MAX_EVENTS 65535   /**< Event ids, and instances. */
#define AX_RULES_NEVER UINT64_MAX   /**< A deadline that does not exist. */
#define AX_RULES_TIMER UINT32_MAX   /**< The cause of an action that no event caused: a wait is over. */
#define AX_RULES_NONE UINT32_MAX    /**< No event: the value of a property that is not known. */

enum ax_rules_condition_flag {
    AX_RULES_INVERT = 1, /**< The opposite of the test, while something is known. */
};

/** One condition: a test and how it is looked at. */
struct ax_rules_condition {
    uint16_t test;  /**< 0 .. ntests - 1 */
    uint16_t flags; /**< enum ax_rules_condition_flag */
};

enum ax_rules_rule_flag {
    AX_RULES_EDGE = 1,  /**< The first condition is a start event: a pulse, or a level that rises. */
    AX_RULES_WHILE = 2, /**< The action runs while the rule is active: START and STOP instead of FIRE. */
};

/** One rule. Its conditions are `count` entries of the condition table, from `first` on. */
struct ax_rules_rule {
    uint64_t wait_ns; /**< Least time between two activations; 0 = none. */
    uint32_t first;
    uint16_t count;   /**< 1 .. AX_RULES_MAX_CONDITIONS */
    uint16_t flags;   /**< enum ax_rules_rule_flag */
};

/** What a matcher is compiled from. The tables are copied. */
struct ax_rules_spec {
    const struct ax_rules_rule *rules;           /**< In the order in which they act; slot = index. */
    const struct ax_rules_condition *conditions;
    uint32_t nrules;                             /**< 0 .. AX_RULES_MAX */
    uint32_t nconditions;
    uint32_t ntests;                             /**< 0 .. AX_RULES_MAX_TESTS */
    uint32_t max_instances;                      /**< Properties that can be bound. */
    uint32_t max_events;                         /**< Event ids are 0 .. max_events - 1. */
    uint32_t max_links;                          /**< Sum of the lengths of all lists of tests. */
    uint32_t max_masks;                          /**< Events that get a short cut, 32 bytes each; 0 .. max_events. */
};

enum ax_rules_kind {
    AX_RULES_UNBOUND = 0, /**< No shape yet: nothing happens. */
    AX_RULES_PULSE = 1,   /**< Something that happened; its tests start edge rules. */
    AX_RULES_SET = 2,     /**< A property has this value now. The first value of an instance is an announcement. */
    AX_RULES_INIT = 3,    /**< The same, and an announcement in any case: never a trigger. */
    AX_RULES_DELETE = 4,  /**< A property is not known any more. */
    AX_RULES_KIND_END,
};

enum ax_rules_input_flag {
    AX_RULES_EARLY = 1, /**< Comes before waits that end at the same instant: edges and pulses of schedules. */
};

/** One event that happened. */
struct ax_rules_input {
    uint64_t t_ns;
    uint32_t event; /**< A bound id. */
    uint32_t flags; /**< enum ax_rules_input_flag */
};

enum ax_rules_what {
    AX_RULES_FIRE = 0,  /**< Run a one-shot action. */
    AX_RULES_START = 1, /**< Start an action that lasts. */
    AX_RULES_STOP = 2,  /**< End it. */
};

/** Something to do for a rule. */
struct ax_rules_action {
    uint64_t t_ns;  /**< When: the event's time, or the end of the wait. */
    uint32_t cause; /**< Index of the event in its batch; AX_RULES_TIMER. */
    uint16_t rule;  /**< Slot. */
    uint16_t what;  /**< enum ax_rules_what */
};

/** What is remembered of a rule while it is enabled; moves a running rule to another matcher. */
struct ax_rules_run {
    uint64_t last_ns; /**< Last activation that a wait counts from; AX_RULES_NEVER = none. */
    uint64_t due_ns;  /**< When a start that is made up for comes: last_ns and the wait; AX_RULES_NEVER = none. */
    uint8_t enabled;
    uint8_t active;   /**< START was given, STOP was not. */
    uint8_t met;      /**< All counted conditions hold now. Read only. */
    uint8_t pad[5];   /**< Zero. */
};

struct ax_rules;

/** AX_E_RANGE when a number is beyond its limit, AX_E_ARG when a table contradicts itself. Every rule is disabled. */
int ax_rules_new(struct ax_rules **out, const struct ax_rules_spec *spec);
void ax_rules_free(struct ax_rules *m);
/** Bytes that the matcher takes, tables and state. */
size_t ax_rules_size(const struct ax_rules *m);

/** Make a property known to the matcher; `tests` (rising) are those that can hold for one of its values. Returns its number.
 * AX_E_FULL when there is no room. */
int ax_rules_add_instance(struct ax_rules *m, const uint16_t *tests, size_t n);
/** Give a free event id its shape; `tests` (rising) are those that hold; a property's must be among its instance's.
 * `instance` means nothing for a pulse. AX_E_STATE when the id has a shape already, AX_E_FULL when there is no room. */
int ax_rules_bind(struct ax_rules *m, uint32_t event, int kind, uint32_t instance, const uint16_t *tests, size_t n);

/** Feed events in order. Returns the number of actions written to `out` (<= cap), or < 0. `*consumed` tells how many
 * inputs were taken; fewer than n when less than AX_RULES_ROOM is left for the next (AX_E_ARG if that is so for the first)
 * or when the next has an id beyond the table (AX_E_RANGE if it is the first). */
int ax_rules_feed(struct ax_rules *m, const struct ax_rules_input *in, size_t n, struct ax_rules_action *out, size_t cap,
                  size_t *consumed);
/** It is `now_ns`: activates what has waited long enough, at the time when that was. Actions <= AX_RULES_MAX. */
int ax_rules_advance(struct ax_rules *m, uint64_t now_ns, struct ax_rules_action *out);
/** When `advance` would activate something; AX_RULES_NEVER. */
uint64_t ax_rules_deadline(const struct ax_rules *m);
/** The newest time that was told. */
uint64_t ax_rules_now(const struct ax_rules *m);

/** Turn a rule on: nothing is remembered of it; a level rule that is satisfied activates. Both advance to `now_ns` first.
 * Actions <= AX_RULES_ROOM. */
int ax_rules_enable(struct ax_rules *m, uint32_t rule, uint64_t now_ns, struct ax_rules_action *out);
/** Turn a rule off: what it holds is let go. */
int ax_rules_disable(struct ax_rules *m, uint32_t rule, uint64_t now_ns, struct ax_rules_action *out);

/** The run state of a rule, and putting one in without any action. */
int ax_rules_get_run(const struct ax_rules *m, uint32_t rule, struct ax_rules_run *run);
int ax_rules_set_run(struct ax_rules *m, uint32_t rule, const struct ax_rules_run *run);
/** How many instances are known that a test looks at, and for how many of them it holds. */
int ax_rules_test_state(const struct ax_rules *m, uint32_t test, uint32_t *known, uint32_t *holds);
/** The event that gave an instance its value; AX_RULES_NONE = not known. */
uint32_t ax_rules_value(const struct ax_rules *m, uint32_t instance);

/** All that changes while events are fed, as bytes; ids bound and instances added later are not undone, but are unknown
 * after `restore`. AX_E_FORMAT when `size` is not ax_rules_state_size. */
size_t ax_rules_state_size(const struct ax_rules *m);
int ax_rules_snapshot(const struct ax_rules *m, void *out, size_t size);
int ax_rules_restore(struct ax_rules *m, const void *state, size_t size);

/** Variants of the step that this build and this machine have: 0 = portable, then faster ones. `set_level` is for tests
 * and benches; AX_E_RANGE. New matchers take the fastest. */
int ax_rules_levels(void);
const char *ax_rules_level_name(int level);
int ax_rules_set_level(struct ax_rules *m, int level);

#endif
