/* The controller end of an OSDP line (ACU, "control panel") with up to 126 devices, sans-I/O: bytes and time in, bytes and
 * events out. One object per line.
 *
 * Devices are polled in turn, as fast as the line allows or every `poll_ns`. A lost or damaged reply costs one retry of the
 * same bytes; the session survives. After `offline_ns` without a good reply a device is off line; it is probed from then on
 * and back within 2 s. On a line with neighbours a silent device is waited for in milliseconds, not in 200 ms, so that all
 * its probes together cost them at most 200 ms in 8 s. With a key, nothing is accepted in clear, ever.
 * Units: nanoseconds on one monotonic clock, bytes. Threads: one per object. Allocation: in new and in open. */
#ifndef AX_OSDP_CP_H
#define AX_OSDP_CP_H

#include "ax/osdp.h"
#include "ax/osdp_event.h"
#include "ax/osdp_sc.h"

#define AX_OSDP_READERS 126

struct ax_osdp_cp;

struct ax_osdp_cp_config {
    uint32_t baud;       /**< For the time that bytes take; 0 = none (memory, tests). Default 9600. */
    uint64_t reply_ns;   /**< Longest wait for a reply. Default 200 ms. */
    uint64_t offline_ns; /**< Default 8 s. */
    ax_osdp_random random;
    void *random_context;
};

struct ax_osdp_reader_config {
    uint8_t address;  /**< 0 to 7E, or 7F when there is one device only and its address is not known. */
    bool checksum;    /**< Send checksums instead of CRCs. */
    bool secure;      /**< Wait for a key rather than work in clear. Implied by a key. */
    bool has_key;
    uint8_t key[16];  /**< SCBK; weak keys are refused (AX_E_RANGE). */
    uint64_t poll_ns; /**< Least time between polls; 0 = as fast as the line allows. */
};

struct ax_osdp_reader_stats {
    uint64_t frames;     /**< Sent. */
    uint64_t replies;    /**< Accepted. */
    uint64_t retries;    /**< Sent again. */
    uint64_t timeouts;   /**< Silence. */
    uint64_t damaged;    /**< Replies with a wrong check value, or noise. */
    uint64_t stale;      /**< Replies out of sequence or unasked, ignored. */
    uint64_t naks;       /**< Received. */
    uint64_t busy;       /**< BUSY replies. */
    uint64_t handshakes; /**< Sessions opened. */
    uint64_t attacks;    /**< AX_OSDP_EV_ATTACK events. */
    uint64_t delay_ns;   /**< From the end of the last command to its reply. */
    uint64_t delay_max_ns;
};

void ax_osdp_cp_defaults(struct ax_osdp_cp_config *config);
int ax_osdp_cp_new(struct ax_osdp_cp **out, const struct ax_osdp_cp_config *config);
void ax_osdp_cp_free(struct ax_osdp_cp *cp);
/** Add a device; returns its index, AX_E_FULL, AX_E_RANGE (address, weak key) or AX_E_ARG (address in use). */
int ax_osdp_cp_open(struct ax_osdp_cp *cp, const struct ax_osdp_reader_config *config);
/** Remove a device; its index may be given to another. */
int ax_osdp_cp_close(struct ax_osdp_cp *cp, int reader);

/** Bytes that came from the line. */
int ax_osdp_cp_feed(struct ax_osdp_cp *cp, uint64_t t_ns, const uint8_t *bytes, size_t n);
/** Do what is due. Returns how many bytes to send were written to `out` (`cap` >= AX_OSDP_MAX_FRAME + 1), 0 = none. */
int ax_osdp_cp_advance(struct ax_osdp_cp *cp, uint64_t t_ns, uint8_t *out, size_t cap);
/** When advance has something to do without new bytes; UINT64_MAX when never. */
uint64_t ax_osdp_cp_deadline(const struct ax_osdp_cp *cp);
/** The oldest event and its data (`cap` >= AX_OSDP_EVENT_DATA): 1, or 0 when there is none. */
int ax_osdp_cp_event(struct ax_osdp_cp *cp, struct ax_osdp_event *event, uint8_t *data, size_t cap);

/** Queue a command; REPLY, DONE or FAILED come back with `token`. GENAUTH and CRAUTH are given whole and cut into parts.
 * AX_E_ARG for codes that are none or belong to the protocol (POLL, CHLNG, SCRYPT, KEYSET, FILETRANSFER), AX_E_RANGE when
 * the size is wrong, AX_E_FULL when the queue is. */
int ax_osdp_cp_command(struct ax_osdp_cp *cp, int reader, uint8_t code, const uint8_t *data, size_t size, uint32_t token);
/** Change the base key of the device over the secure channel, and start a session under it. AX_E_RANGE for weak keys. */
int ax_osdp_cp_keyset(struct ax_osdp_cp *cp, int reader, const uint8_t key[16], uint32_t token);
/** For `duration_ns` (at most 10 minutes; 0 closes): open the channel with the published key and set `key`. */
int ax_osdp_cp_install(struct ax_osdp_cp *cp, int reader, uint64_t t_ns, uint64_t duration_ns, const uint8_t key[16]);
/** A key learnt elsewhere; the session starts anew. */
int ax_osdp_cp_set_key(struct ax_osdp_cp *cp, int reader, const uint8_t key[16]);
/** Transfer a file from `offset` on. `data` is borrowed until DONE or FAILED. After a loss of the link it goes on where it
 * was. AX_E_STATE when one is under way. */
int ax_osdp_cp_file(struct ax_osdp_cp *cp, int reader, uint8_t type, const uint8_t *data, uint32_t size, uint32_t offset,
                    uint32_t token);
/** Stop the transfer; FAILED tells the end, its b is how far it got. */
int ax_osdp_cp_file_stop(struct ax_osdp_cp *cp, int reader);

/** enum ax_osdp_link, or AX_E_ARG. */
int ax_osdp_cp_link(const struct ax_osdp_cp *cp, int reader);
int ax_osdp_cp_get_stats(const struct ax_osdp_cp *cp, int reader, struct ax_osdp_reader_stats *stats);
/** The new speed of the line, for time. */
int ax_osdp_cp_set_baud(struct ax_osdp_cp *cp, uint32_t baud);

#endif
