/* Rule matcher workloads. Sparse: 256 rules of three conditions over 400 properties, events about any of them, half of them
 * news. Worst: every rule looks at the property that changes with every event, and is satisfied every second time. */
#include "workload.h"

#include "ax/rules.h"

enum { RULES = AX_RULES_MAX, PROPERTIES = 400, EACH = 3, EVENTS = 16384 };

static struct ax_rules *matcher;
static struct ax_rules_input inputs[EVENTS];
static struct ax_rules_action actions[AX_RULES_MAX * 64];
static uint32_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

/* Event 2p: property p is off; 2p + 1: it is on, and test p holds. */
static int compile(const struct ax_rules_condition *conditions)
{
    static struct ax_rules_rule rules[RULES];
    for (uint32_t i = 0; i < RULES; i++)
        rules[i] = (struct ax_rules_rule){0, i * EACH, EACH, 0};
    const struct ax_rules_spec spec = {rules, conditions, RULES, RULES * EACH, PROPERTIES, PROPERTIES, 2 * PROPERTIES,
                                       2 * PROPERTIES, 2 * PROPERTIES};
    ax_rules_free(matcher);
    int rc = ax_rules_new(&matcher, &spec);
    for (uint16_t p = 0; p < PROPERTIES && rc >= 0; p++) {
        rc = ax_rules_add_instance(matcher, &p, 1);
        rc = rc < 0 ? rc : ax_rules_bind(matcher, 2u * p, AX_RULES_SET, p, NULL, 0);
        rc = rc < 0 ? rc : ax_rules_bind(matcher, 2u * p + 1, AX_RULES_SET, p, &p, 1);
    }
    for (uint32_t i = 0; i < RULES && rc >= 0; i++)
        rc = ax_rules_enable(matcher, i, 0, actions);
    return rc < 0 ? rc : 0;
}

static int prepare_sparse(void)
{
    static struct ax_rules_condition conditions[RULES * EACH];
    seed = 1;
    for (uint32_t i = 0; i < RULES * EACH; i++)
        conditions[i] = (struct ax_rules_condition){(uint16_t)draw(PROPERTIES), (uint16_t)draw(2)};
    for (uint32_t i = 0; i < EVENTS; i++)
        inputs[i] = (struct ax_rules_input){i, draw(2 * PROPERTIES), 0};
    return compile(conditions);
}

static int prepare_worst(void)
{
    static struct ax_rules_condition conditions[RULES * EACH];
    for (uint32_t i = 0; i < RULES * EACH; i++)
        conditions[i] = (struct ax_rules_condition){(uint16_t)(i % EACH), 0};
    for (uint32_t i = 0; i < EVENTS; i++)
        inputs[i] = (struct ax_rules_input){i, i < 2 ? 2 * i + 1 : 4 + (i & 1), 0};
    return compile(conditions);
}

static uint64_t feed(void)
{
    uint64_t sum = 0;
    for (size_t done = 0; done < EVENTS;) {
        size_t taken = 0;
        const int n = ax_rules_feed(matcher, inputs + done, EVENTS - done, actions, sizeof actions / sizeof *actions, &taken);
        if (n < 0 || taken == 0)
            return 0;
        sum += (uint64_t)n + actions[n / 2].rule;
        done += taken;
    }
    return sum;
}

int main(int argc, char **argv)
{
    static const struct workload list[] = {
        {"rules.sparse", "events", EVENTS, prepare_sparse, feed},
        {"rules.worst", "events", EVENTS, prepare_worst, feed},
    };
    const int rc = workload_main(list, sizeof list / sizeof *list, argc, argv);
    ax_rules_free(matcher);
    return rc;
}
