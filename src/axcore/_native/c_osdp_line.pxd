from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from .c_osdp cimport ax_osdp_random


cdef extern from "ax/osdp_event.h" nogil:
    const int AX_OSDP_EVENT_DATA
    enum:
        AX_OSDP_EV_FILE
        AX_OSDP_EV_DONE
        AX_OSDP_EV_FAILED

    struct ax_osdp_event:
        uint64_t t_ns
        uint32_t token
        uint32_t a
        uint32_t b
        uint16_t size
        uint8_t kind
        uint8_t reader
        uint8_t code
        uint8_t link


cdef extern from "ax/osdp_pd.h" nogil:
    struct ax_osdp_pd:
        pass

    struct ax_osdp_pd_config:
        uint8_t address
        bint secure
        bint has_key
        uint8_t key[16]
        uint8_t cuid[8]
        uint64_t answer_ns
        uint64_t offline_ns
        ax_osdp_random random
        void *random_context

    struct ax_osdp_pd_stats:
        uint64_t commands
        uint64_t repeats
        uint64_t naks
        uint64_t bad_checks
        uint64_t busy
        uint64_t attacks

    void ax_osdp_pd_defaults(ax_osdp_pd_config *config)
    int ax_osdp_pd_new(ax_osdp_pd **out, const ax_osdp_pd_config *config)
    void ax_osdp_pd_free(ax_osdp_pd *pd)
    void ax_osdp_pd_reset(ax_osdp_pd *pd)
    int ax_osdp_pd_feed(ax_osdp_pd *pd, uint64_t t_ns, const uint8_t *data, size_t n)
    int ax_osdp_pd_advance(ax_osdp_pd *pd, uint64_t t_ns, uint8_t *out, size_t cap)
    uint64_t ax_osdp_pd_deadline(const ax_osdp_pd *pd)
    int ax_osdp_pd_event(ax_osdp_pd *pd, ax_osdp_event *event, uint8_t *data, size_t cap)
    int ax_osdp_pd_store(ax_osdp_pd *pd, uint8_t reply, const uint8_t *data, size_t size)
    int ax_osdp_pd_set_policy(ax_osdp_pd *pd, uint8_t command, int policy)
    int ax_osdp_pd_answer(ax_osdp_pd *pd, uint8_t reply, const uint8_t *data, size_t size)
    int ax_osdp_pd_post(ax_osdp_pd *pd, uint8_t reply, const uint8_t *data, size_t size)
    int ax_osdp_pd_set_key(ax_osdp_pd *pd, uint64_t t_ns, const uint8_t *key)
    int ax_osdp_pd_install(ax_osdp_pd *pd, uint64_t t_ns, uint64_t duration_ns)
    int ax_osdp_pd_link(const ax_osdp_pd *pd)
    uint8_t ax_osdp_pd_address(const ax_osdp_pd *pd)
    void ax_osdp_pd_get_stats(const ax_osdp_pd *pd, ax_osdp_pd_stats *stats)


cdef extern from "ax/osdp_cp.h" nogil:
    const int AX_OSDP_READERS

    struct ax_osdp_cp:
        pass

    struct ax_osdp_cp_config:
        uint32_t baud
        uint64_t reply_ns
        uint64_t offline_ns
        ax_osdp_random random
        void *random_context

    struct ax_osdp_reader_config:
        uint8_t address
        bint checksum
        bint secure
        bint has_key
        uint8_t key[16]
        uint64_t poll_ns

    struct ax_osdp_reader_stats:
        uint64_t frames
        uint64_t replies
        uint64_t retries
        uint64_t timeouts
        uint64_t damaged
        uint64_t stale
        uint64_t naks
        uint64_t busy
        uint64_t handshakes
        uint64_t attacks
        uint64_t delay_ns
        uint64_t delay_max_ns

    void ax_osdp_cp_defaults(ax_osdp_cp_config *config)
    int ax_osdp_cp_new(ax_osdp_cp **out, const ax_osdp_cp_config *config)
    void ax_osdp_cp_free(ax_osdp_cp *cp)
    int ax_osdp_cp_open(ax_osdp_cp *cp, const ax_osdp_reader_config *config)
    int ax_osdp_cp_close(ax_osdp_cp *cp, int reader)
    int ax_osdp_cp_feed(ax_osdp_cp *cp, uint64_t t_ns, const uint8_t *data, size_t n)
    int ax_osdp_cp_advance(ax_osdp_cp *cp, uint64_t t_ns, uint8_t *out, size_t cap)
    uint64_t ax_osdp_cp_deadline(const ax_osdp_cp *cp)
    int ax_osdp_cp_event(ax_osdp_cp *cp, ax_osdp_event *event, uint8_t *data, size_t cap)
    int ax_osdp_cp_command(ax_osdp_cp *cp, int reader, uint8_t code, const uint8_t *data, size_t size, uint32_t token)
    int ax_osdp_cp_keyset(ax_osdp_cp *cp, int reader, const uint8_t *key, uint32_t token)
    int ax_osdp_cp_install(ax_osdp_cp *cp, int reader, uint64_t t_ns, uint64_t duration_ns, const uint8_t *key)
    int ax_osdp_cp_set_key(ax_osdp_cp *cp, int reader, const uint8_t *key)
    int ax_osdp_cp_file(ax_osdp_cp *cp, int reader, uint8_t type, const uint8_t *data, uint32_t size, uint32_t offset,
                        uint32_t token)
    int ax_osdp_cp_file_stop(ax_osdp_cp *cp, int reader)
    int ax_osdp_cp_link(const ax_osdp_cp *cp, int reader)
    int ax_osdp_cp_get_stats(const ax_osdp_cp *cp, int reader, ax_osdp_reader_stats *stats)
    int ax_osdp_cp_set_baud(ax_osdp_cp *cp, uint32_t baud)
