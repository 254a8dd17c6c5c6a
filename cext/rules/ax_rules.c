/* The rule matcher: memory, snapshots, and the choice of the step's variant. See
 * ax/rules.h for the meaning, ax_rules_step.h for the step, ax_rules_bind.c for properties and events, ax_rules_time.c for waits.
 *
 * A matcher is one block of memory: its head, the tables, and at the end the state, which a snapshot copies as it is.
 * Units: ns. Threads: one matcher, one thread. Allocation: only in new. */
#include "ax_rules_internal.h"

#include "ax/err.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct rules_ops *const LEVELS[] = {
    &ax_rules_generic,
#ifdef AX_HAVE_AVX2
    &ax_rules_avx2,
#endif
#ifdef AX_HAVE_NEON
    &ax_rules_neon,
#endif
};

int ax_rules_levels(void)
{
    const int built = (int)(sizeof LEVELS / sizeof *LEVELS);
#ifdef AX_HAVE_AVX2
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2"))
        return 1;
#endif
    return built;
}

const char *ax_rules_level_name(int level)
{
    return level >= 0 && level < ax_rules_levels() ? LEVELS[level]->name : "";
}

int ax_rules_set_level(struct ax_rules *m, int level)
{
    if (!m)
        return AX_E_ARG;
    if (level < 0 || level >= ax_rules_levels())
        return AX_E_RANGE;
    m->ops = LEVELS[level];
    return AX_OK;
}

/* Where the next table of `count` items of `item` bytes goes, at 8-byte boundaries. */
static size_t reserve(size_t *used, size_t count, size_t item)
{
    const size_t at = *used;
    *used += (count * item + 7) & ~(size_t)7;
    return at;
}

static int spec_ok(const struct ax_rules_spec *spec)
{
    if ((spec->nrules && !spec->rules) || (spec->nconditions && !spec->conditions))
        return AX_E_ARG;
    if (spec->nrules > AX_RULES_MAX || spec->nconditions > AX_RULES_MAX * AX_RULES_MAX_CONDITIONS)
        return AX_E_RANGE;
    if (spec->ntests > AX_RULES_MAX_TESTS || spec->max_events > AX_RULES_MAX_EVENTS)
        return AX_E_RANGE;
    if (spec->max_instances > AX_RULES_MAX_EVENTS || spec->max_links > INT_MAX)
        return AX_E_RANGE;
    return spec->max_masks > spec->max_events ? AX_E_RANGE : AX_OK;
}

/* A word of a mask for each condition of each rule is the most that there can be; rules may share conditions. */
static size_t pool_words(const struct ax_rules_spec *spec)
{
    size_t words = 0;
    for (uint32_t r = 0; r < spec->nrules; r++)
        words += spec->rules[r].count < AX_RULES_MAX_CONDITIONS ? spec->rules[r].count : AX_RULES_MAX_CONDITIONS;
    return words;
}

int ax_rules_new(struct ax_rules **out, const struct ax_rules_spec *spec)
{
    if (!out || !spec)
        return AX_E_ARG;
    *out = NULL;
    int rc = spec_ok(spec);
    if (rc < 0)
        return rc;
    size_t used = 0;
    reserve(&used, 1, sizeof(struct ax_rules));
    const size_t wait = reserve(&used, spec->nrules, sizeof(uint64_t));
    const size_t pool = reserve(&used, pool_words(spec), sizeof(uint64_t));
    const size_t tests = reserve(&used, spec->ntests, sizeof(struct test_rules));
    const size_t events = reserve(&used, spec->max_events, sizeof(struct event_shape));
    const size_t instances = reserve(&used, spec->max_instances, sizeof(struct instance_tests));
    const size_t links = reserve(&used, spec->max_links, sizeof(uint16_t));
    const size_t counts = reserve(&used, spec->ntests, sizeof(struct test_count));
    const size_t masks = reserve(&used, spec->max_masks + 1, sizeof(uint64_t[WORDS]));
    const size_t state = reserve(&used, 1, sizeof(struct state));
    const size_t last = reserve(&used, spec->nrules, sizeof(uint64_t));
    const size_t values = reserve(&used, spec->max_instances, sizeof(uint16_t));
    char *block = calloc(1, used);
    if (!block)
        return AX_E_NOMEM;
    struct ax_rules *m = (struct ax_rules *)(void *)block;
    *m = (struct ax_rules){
        .state = (void *)(block + state), .last_ns = (void *)(block + last), .masks = (void *)(block + masks),
        .counts = (void *)(block + counts), .value = (void *)(block + values), .ops = LEVELS[ax_rules_levels() - 1],
        .wait_ns = (void *)(block + wait), .pool = (void *)(block + pool), .tests = (void *)(block + tests),
        .events = (void *)(block + events), .instances = (void *)(block + instances), .links = (void *)(block + links),
        .nrules = spec->nrules, .ntests = spec->ntests, .max_instances = spec->max_instances,
        .max_events = spec->max_events, .max_links = spec->max_links, .max_masks = spec->max_masks, .nmasks = 1, .planes = 1,
        .state_size = used - state, .size = used,
    };
    m->state->next_due = AX_RULES_NEVER;
    memset(m->value, 0xff, spec->max_instances * sizeof *m->value);
    for (uint32_t test = 0; test < spec->ntests; test++)
        m->counts[test].owner = NO_OWNER;
    rc = ax_rules_build(m, spec);
    if (rc < 0) {
        free(m);
        return rc;
    }
    *out = m;
    return AX_OK;
}

void ax_rules_free(struct ax_rules *m)
{
    free(m);
}

size_t ax_rules_size(const struct ax_rules *m)
{
    return m->size;
}

int ax_rules_feed(struct ax_rules *m, const struct ax_rules_input *in, size_t n, struct ax_rules_action *out, size_t cap,
                  size_t *consumed)
{
    size_t taken = 0;
    if (consumed)
        *consumed = 0;
    if (!m || (n && !in) || !out || cap < AX_RULES_ROOM || (!consumed && n > 1))
        return AX_E_ARG;
    if (n >= AX_RULES_TIMER)
        n = AX_RULES_TIMER - 1;
    const int count = m->ops->feed(m, in, n, out, cap > INT_MAX ? INT_MAX : cap, &taken);
    if (consumed)
        *consumed = taken;
    return count;
}

size_t ax_rules_state_size(const struct ax_rules *m)
{
    return m->state_size;
}

int ax_rules_snapshot(const struct ax_rules *m, void *out, size_t size)
{
    if (!m || !out)
        return AX_E_ARG;
    if (size != m->state_size)
        return AX_E_FORMAT;
    memcpy(out, m->state, size);
    return AX_OK;
}

int ax_rules_restore(struct ax_rules *m, const void *state, size_t size)
{
    if (!m || !state)
        return AX_E_ARG;
    if (size != m->state_size)
        return AX_E_FORMAT;
    memcpy(m->state, state, size);
    ax_rules_recount(m);
    return AX_OK;
}
