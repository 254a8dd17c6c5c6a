from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "ax/rules.h" nogil:
    const int AX_RULES_MAX
    const int AX_RULES_ROOM
    const int AX_RULES_MAX_CONDITIONS
    const int AX_RULES_MAX_TESTS
    const int AX_RULES_MAX_EVENTS
    const uint64_t AX_RULES_NEVER
    const uint32_t AX_RULES_TIMER
    const uint32_t AX_RULES_NONE

    enum:
        AX_RULES_INVERT
        AX_RULES_EDGE
        AX_RULES_WHILE
        AX_RULES_PULSE
        AX_RULES_SET
        AX_RULES_INIT
        AX_RULES_DELETE
        AX_RULES_EARLY
        AX_RULES_FIRE
        AX_RULES_START
        AX_RULES_STOP

    struct ax_rules_condition:
        uint16_t test
        uint16_t flags

    struct ax_rules_rule:
        uint64_t wait_ns
        uint32_t first
        uint16_t count
        uint16_t flags

    struct ax_rules_spec:
        const ax_rules_rule *rules
        const ax_rules_condition *conditions
        uint32_t nrules
        uint32_t nconditions
        uint32_t ntests
        uint32_t max_instances
        uint32_t max_events
        uint32_t max_links
        uint32_t max_masks

    struct ax_rules_input:
        uint64_t t_ns
        uint32_t event
        uint32_t flags

    struct ax_rules_action:
        uint64_t t_ns
        uint32_t cause
        uint16_t rule
        uint16_t what

    struct ax_rules_run:
        uint64_t last_ns
        uint64_t due_ns
        uint8_t enabled
        uint8_t active
        uint8_t met
        uint8_t pad[5]

    struct ax_rules:
        pass

    int ax_rules_new(ax_rules **out, const ax_rules_spec *spec)
    void ax_rules_free(ax_rules *m)
    size_t ax_rules_size(const ax_rules *m)
    int ax_rules_add_instance(ax_rules *m, const uint16_t *tests, size_t n)
    int ax_rules_bind(ax_rules *m, uint32_t event, int kind, uint32_t instance, const uint16_t *tests, size_t n)
    int ax_rules_feed(ax_rules *m, const ax_rules_input *input, size_t n, ax_rules_action *out, size_t cap,
                      size_t *consumed)
    int ax_rules_advance(ax_rules *m, uint64_t now_ns, ax_rules_action *out)
    uint64_t ax_rules_deadline(const ax_rules *m)
    uint64_t ax_rules_now(const ax_rules *m)
    int ax_rules_enable(ax_rules *m, uint32_t rule, uint64_t now_ns, ax_rules_action *out)
    int ax_rules_disable(ax_rules *m, uint32_t rule, uint64_t now_ns, ax_rules_action *out)
    int ax_rules_get_run(const ax_rules *m, uint32_t rule, ax_rules_run *run)
    int ax_rules_set_run(ax_rules *m, uint32_t rule, const ax_rules_run *run)
    int ax_rules_test_state(const ax_rules *m, uint32_t test, uint32_t *known, uint32_t *holds)
    uint32_t ax_rules_value(const ax_rules *m, uint32_t instance)
    size_t ax_rules_state_size(const ax_rules *m)
    int ax_rules_snapshot(const ax_rules *m, void *out, size_t size)
    int ax_rules_restore(ax_rules *m, const void *state, size_t size)
    int ax_rules_levels()
    const char *ax_rules_level_name(int level)
    int ax_rules_set_level(ax_rules *m, int level)
