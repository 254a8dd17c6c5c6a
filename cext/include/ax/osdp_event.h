/* What the two ends of an OSDP line tell: events of ax/osdp_cp.h and ax/osdp_pd.h.
 * Units: nanoseconds on the caller's monotonic clock, bytes. */
#ifndef AX_OSDP_EVENT_H
#define AX_OSDP_EVENT_H

#include <stdint.h>

#define AX_OSDP_EVENT_DATA 8192 /**< Most payload of an event (a reassembled message). */

enum ax_osdp_event_kind {
    AX_OSDP_EV_LINK = 1,    /**< a = enum ax_osdp_link, b = enum ax_osdp_why. */
    AX_OSDP_EV_REPLY = 2,   /**< ACU: a reply with data, to a poll (token 0) or to a command, which is done. code, data. */
    AX_OSDP_EV_DONE = 3,    /**< ACU: a command was acknowledged, a file transferred (a = bytes). code = command. */
    AX_OSDP_EV_FAILED = 4,  /**< ACU: a command was not carried out. a = enum ax_osdp_why, b = code of a NAK. */
    AX_OSDP_EV_COMMAND = 5, /**< Device: a command. code, data; a = 1 when it waits for an answer. */
    AX_OSDP_EV_ATTACK = 6,  /**< a = enum ax_osdp_attack, code = code of the frame. Nothing was accepted. */
    AX_OSDP_EV_KEY = 7,     /**< The base key changed. Device: data = the new key, to be stored. */
    AX_OSDP_EV_INSTALL = 8, /**< a = 1: the install window opened, 0: it closed; b = 1: because a key was set. */
    AX_OSDP_EV_FILE = 9,    /**< ACU: a = bytes transferred, b = size of the file, token. */
    AX_OSDP_EV_COMSET = 10, /**< a = new address, b = new speed in baud: apply it to the line now. */
    AX_OSDP_EV_LOST = 11,   /**< a = events that found no room. */
    AX_OSDP_EV_END,
};

enum ax_osdp_link {
    AX_OSDP_OFFLINE = 0,
    AX_OSDP_CLEAR = 1,  /**< On line, not secured. */
    AX_OSDP_SECURE = 2, /**< On line, secure channel with a key of its own. */
    AX_OSDP_INSTALL = 3 /**< Secure channel with the published key, inside the install window. */
};

enum ax_osdp_why {
    AX_OSDP_WHY_NONE = 0,
    AX_OSDP_WHY_SILENCE = 1,   /**< Nothing heard for offline_ns. */
    AX_OSDP_WHY_RESTART = 2,   /**< Sequence or session was started anew by the other end. */
    AX_OSDP_WHY_HANDSHAKE = 3, /**< The secure channel could not be set up. */
    AX_OSDP_WHY_NAK = 4,       /**< Refused by the device. */
    AX_OSDP_WHY_ATTACK = 5,
    AX_OSDP_WHY_ABORT = 6,     /**< File: stopped by the device (b = its status as u16) or by the caller. */
    AX_OSDP_WHY_REKEY = 7,     /**< A new base key. */
    AX_OSDP_WHY_INSECURE = 8,  /**< The command needs the secure channel. */
};

enum ax_osdp_attack {
    AX_OSDP_ATTACK_CLEAR = 1,       /**< A frame in clear where the secure channel is due. */
    AX_OSDP_ATTACK_MAC = 2,         /**< A MAC that does not hold. */
    AX_OSDP_ATTACK_DEFAULT_KEY = 3, /**< The published key outside the install window. */
    AX_OSDP_ATTACK_KEY_SWAP = 4,    /**< The device answered with another key than was asked for. */
    AX_OSDP_ATTACK_CRYPTOGRAM = 5,  /**< A cryptogram that does not hold: the other end has another key. */
    AX_OSDP_ATTACK_RMAC = 6,        /**< RMAC_I with a failure status or a wrong value. */
    AX_OSDP_ATTACK_NONCE = 7,       /**< A nonce that was used before. */
    AX_OSDP_ATTACK_KEYSET = 8,      /**< A key set in clear, or a weak key. */
    AX_OSDP_ATTACK_DOWNGRADE = 9,   /**< The device says that it has no security, but it has a key. */
    AX_OSDP_ATTACK_NULL_CIPHER = 10, /**< Data under a MAC but not encrypted. */
    AX_OSDP_ATTACK_REPLAY = 11,     /**< A secured frame out of sequence. */
    AX_OSDP_ATTACK_PADDING = 12,    /**< The MAC holds, the padding does not. */
    AX_OSDP_ATTACK_CONFIG = 13,     /**< A command that the configuration address must not carry. */
    AX_OSDP_ATTACK_END,
};

struct ax_osdp_event {
    uint64_t t_ns;
    uint32_t token; /**< As given with the command; 0 = none. */
    uint32_t a, b;  /**< See enum ax_osdp_event_kind. */
    uint16_t size;  /**< Bytes of data. */
    uint8_t kind;   /**< enum ax_osdp_event_kind */
    uint8_t reader; /**< ACU: which reader. */
    uint8_t code;
    uint8_t link;   /**< enum ax_osdp_link at that moment: whether the data came under the secure channel. */
};

#endif
