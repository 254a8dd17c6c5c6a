/* The state of a line and its devices, and what the files of the controller share. Inside cext/osdp only. */
#ifndef AX_OSDP_CP_INTERNAL_H
#define AX_OSDP_CP_INTERNAL_H

#include "ax/osdp_cp.h"
#include "ax_osdp_queue.h"

#define MS             1000000ull
#define CP_EVENTS      65536
#define CP_COMMANDS    8192     /* Bytes of commands that wait, of one device. */
#define CP_NONCES      4
#define CP_FIRST_NS    (20 * MS)  /* Wait for a device that has neighbours. */
#define CP_PROBE_NS    (12 * MS)  /* The same while it is in doubt or off line. */
#define CP_SECOND_NS   (400 * MS) /* Pause before the third try, on lines of at least CP_FAST_BAUD. */
#define CP_FAST_BAUD   38400
#define CP_DOUBT_NS    (1700 * MS) /* Pause between later tries. */
#define CP_ALONE_NS    (500 * MS) /* The same for a device without neighbours, off line. */
#define CP_BUSY_NS     (20 * MS)  /* Pause after BUSY. */
#define CP_REFUSED_NS  (1000 * MS) /* Pause after a handshake that failed. */
#define CP_GAP_NS      (20 * MS)  /* Longest time between two characters. */
#define CP_BURST       4        /* Commands before the next poll. */
#define CP_REFUSALS    4        /* So many restarts at once, then with pauses. */

/* What the next frame to a device is for. */
enum stage {
    STAGE_CHALLENGE, STAGE_SCRYPT, STAGE_KEYSET, STAGE_ID, STAGE_CAP, STAGE_RXSIZE,
    STAGE_RUN, /* Polls, commands, files. */
    STAGE_WAIT, /* No key, but security is wanted. */
};

/* What the frame in flight carries in STAGE_RUN. */
enum load {
    LOAD_POLL, LOAD_COMMAND, LOAD_FILE,
};

/* Head of a queued command. */
struct cp_command {
    uint32_t token;
    uint16_t size;
    uint8_t code;
};

struct cp_file {
    const uint8_t *data;
    uint64_t due_ns;
    uint32_t size, offset, token, part; /* part: size of the one in flight. */
    uint16_t room; /* Longest message the device wants; 0 = not told. */
    uint8_t type;
    bool active, finishing, exclusive, stop;
};

struct cp_reader {
    struct ax_osdp_reader_config config;
    struct ax_osdp_reader_stats stats;
    struct ax_osdp_sc sc;
    struct ax_osdp_queue commands;
    struct cp_file file;
    uint64_t due_ns, heard_ns, install_until_ns;
    uint8_t new_key[16]; /* For KEYSET. */
    uint32_t key_token;
    uint8_t rnd_a[8], rnd_b[CP_NONCES][8], server[16], nonces;
    uint8_t used, stage, load, link, sqn, tries, refusals, bad_macs, wait_tries;
    bool session, default_key, key_waits, again, slow, security_told; /* again: send the same bytes. */
    uint16_t tx_size, peer_rx, part_sent, part; /* Of a command in parts: went out before, and with the frame in flight. */
    uint8_t in_code, burst, suspect; /* burst: frames since the last poll. suspect: restarts by the command in flight. */
    uint32_t in_total, in_got, in_token; /* in_token: the command that is answered in parts. */
    uint8_t tx[AX_OSDP_MAX_FRAME];
    uint8_t in_parts[AX_OSDP_EVENT_DATA];
    uint8_t command_bytes[CP_COMMANDS];
};

struct ax_osdp_cp {
    struct ax_osdp_cp_config config;
    struct ax_osdp_rx rx;
    struct ax_osdp_queue events;
    struct cp_reader *readers[AX_OSDP_READERS];
    uint64_t now, sent_ns, timeout_ns, quiet_ns, byte_ns;
    uint32_t lost;
    int count, high, active, last; /* Devices; one past the last index; index in flight or -1; the last one served. */
    bool noise;              /* Something came during this wait. */
    uint8_t event_bytes[CP_EVENTS];
    uint8_t plain[AX_OSDP_MAX_FRAME];
};

void ax_osdp_cp_tell(struct ax_osdp_cp *cp, int at, uint8_t kind, uint8_t code, uint32_t a, uint32_t b, uint32_t token);
void ax_osdp_cp_tell_data(struct ax_osdp_cp *cp, int at, uint8_t kind, uint8_t code, uint32_t token, const uint8_t *data, size_t n);
void ax_osdp_cp_attack(struct ax_osdp_cp *cp, int at, uint32_t attack, uint8_t code);
void ax_osdp_cp_set_link(struct ax_osdp_cp *cp, int at, uint8_t link, uint32_t why);
/* Begin anew with sequence 0 after `pause_ns`; the session is gone. */
void ax_osdp_cp_restart(struct ax_osdp_cp *cp, int at, uint32_t why, uint64_t pause_ns);
/* Fail every command that waits. */
void ax_osdp_cp_fail_all(struct ax_osdp_cp *cp, int at, uint32_t why);
/* Build the next frame of a device into its tx. False when there is nothing to send. */
bool ax_osdp_cp_compose(struct ax_osdp_cp *cp, int at);
/* A reply with the right address; true when it ends the wait. */
bool ax_osdp_cp_reply(struct ax_osdp_cp *cp, int at, const struct ax_osdp_frame *f);
/* Replies of the stages before STAGE_RUN. */
void ax_osdp_cp_setup_reply(struct ax_osdp_cp *cp, int at, const struct ax_osdp_frame *f, const uint8_t *data, size_t size);
/* The stage to begin with. */
uint8_t ax_osdp_cp_first_stage(const struct ax_osdp_cp *cp, const struct cp_reader *r);
/* Build the frame of a set-up stage. */
int ax_osdp_cp_setup_frame(struct ax_osdp_cp *cp, struct cp_reader *r, struct ax_osdp_head *head);
/* Files: next message, and what the device said to it. */
size_t ax_osdp_cp_file_message(struct cp_reader *r, uint8_t *out);
void ax_osdp_cp_file_reply(struct ax_osdp_cp *cp, int at, uint8_t code, const uint8_t *data, size_t size);
/* Forget a reply whose parts do not come. */
void ax_osdp_cp_drop_parts(struct ax_osdp_cp *cp, int at, uint32_t why);
/* Time that bytes take. */
uint64_t ax_osdp_cp_wire_ns(const struct ax_osdp_cp *cp, size_t bytes);
/* Most payload that a frame to this device can carry. */
size_t ax_osdp_cp_most_data(const struct cp_reader *r, size_t frame);

#endif
