/* OSDP frames (SIA OSDP 2.2 / IEC 60839-11-5): codes, build, parse, and a receiver that finds frames in a byte stream.
 * The secure channel is in ax/osdp_sc.h, the two ends of the line in ax/osdp_cp.h (ACU) and ax/osdp_pd.h (reader).
 *
 * Frame: 53 | address (bit 7 = reply) | length u16 | control | [security block: length, type, data] | code | data |
 * [MAC 4] | CRC u16 or checksum u8. Numbers are little-endian. `length` counts from 53 to the end.
 * Units: bytes. Threads: an object belongs to one thread. Allocation: none. Nothing reads beyond the given size. */
#ifndef AX_OSDP_H
#define AX_OSDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AX_OSDP_SOM       0x53
#define AX_OSDP_MARK      0xFF
#define AX_OSDP_MAX_FRAME 1440 /**< Longest PDU. */
#define AX_OSDP_MIN_FRAME 7    /**< Shortest: header, code, checksum. */
#define AX_OSDP_MIN_RX    128  /**< What every device must be able to receive. */
#define AX_OSDP_MAX_DATA  1432 /**< Most payload of a frame in clear; 1407 when it is encrypted. */
#define AX_OSDP_CONFIG    0x7F /**< The configuration address: every device on the line answers it. */
#define AX_OSDP_REPLY     0x80 /**< Bit of the address byte of replies. */

/** Bits of the control byte. */
#define AX_OSDP_SQN 0x03
#define AX_OSDP_CRC 0x04
#define AX_OSDP_SCB 0x08

enum ax_osdp_command {
    AX_OSDP_POLL = 0x60, AX_OSDP_ID = 0x61, AX_OSDP_CAP = 0x62, AX_OSDP_LSTAT = 0x64, AX_OSDP_ISTAT = 0x65,
    AX_OSDP_OSTAT = 0x66, AX_OSDP_RSTAT = 0x67, AX_OSDP_OUT = 0x68, AX_OSDP_LED = 0x69, AX_OSDP_BUZ = 0x6A,
    AX_OSDP_TEXT = 0x6B, AX_OSDP_COMSET = 0x6E, AX_OSDP_BIOREAD = 0x73, AX_OSDP_BIOMATCH = 0x74, AX_OSDP_KEYSET = 0x75,
    AX_OSDP_CHLNG = 0x76, AX_OSDP_SCRYPT = 0x77, AX_OSDP_ACURXSIZE = 0x7B, AX_OSDP_FILETRANSFER = 0x7C, AX_OSDP_MFG = 0x80,
    AX_OSDP_XWR = 0xA1, AX_OSDP_ABORT = 0xA2, AX_OSDP_PIVDATA = 0xA3, AX_OSDP_GENAUTH = 0xA4, AX_OSDP_CRAUTH = 0xA5,
    AX_OSDP_KEEPACTIVE = 0xA7,
};

enum ax_osdp_reply {
    AX_OSDP_ACK = 0x40, AX_OSDP_NAK = 0x41, AX_OSDP_PDID = 0x45, AX_OSDP_PDCAP = 0x46, AX_OSDP_LSTATR = 0x48,
    AX_OSDP_ISTATR = 0x49, AX_OSDP_OSTATR = 0x4A, AX_OSDP_RSTATR = 0x4B, AX_OSDP_RAW = 0x50, AX_OSDP_FMT = 0x51,
    AX_OSDP_KEYPAD = 0x53, AX_OSDP_COM = 0x54, AX_OSDP_BIOREADR = 0x57, AX_OSDP_BIOMATCHR = 0x58, AX_OSDP_EXT_PDID = 0x59,
    AX_OSDP_CCRYPT = 0x76, AX_OSDP_RMAC_I = 0x78, AX_OSDP_BUSY = 0x79, AX_OSDP_FTSTAT = 0x7A, AX_OSDP_PIVDATAR = 0x80,
    AX_OSDP_GENAUTHR = 0x81, AX_OSDP_CRAUTHR = 0x82, AX_OSDP_MFGSTATR = 0x83, AX_OSDP_MFGERRR = 0x84, AX_OSDP_MFGREP = 0x90,
    AX_OSDP_XRD = 0xB1,
};

enum ax_osdp_nak {
    AX_OSDP_NAK_CHECK = 1,    /**< CRC or checksum. */
    AX_OSDP_NAK_LENGTH = 2,   /**< Length of the command. */
    AX_OSDP_NAK_UNKNOWN = 3,  /**< Command not known or not implemented. */
    AX_OSDP_NAK_SEQUENCE = 4, /**< Unexpected sequence number. */
    AX_OSDP_NAK_SECURITY = 5, /**< Security block or key not supported. */
    AX_OSDP_NAK_ENCRYPT = 6,  /**< Security conditions not met. */
    AX_OSDP_NAK_BIO_TYPE = 7,
    AX_OSDP_NAK_BIO_FORMAT = 8,
    AX_OSDP_NAK_RECORD = 9,   /**< A record of the command cannot be carried out. */
};

/** Types of the security block. Odd types travel to the device. */
enum ax_osdp_scs {
    AX_OSDP_SCS_11 = 0x11, AX_OSDP_SCS_12 = 0x12, AX_OSDP_SCS_13 = 0x13, AX_OSDP_SCS_14 = 0x14, /* handshake */
    AX_OSDP_SCS_15 = 0x15, AX_OSDP_SCS_16 = 0x16, /* MAC, no data */
    AX_OSDP_SCS_17 = 0x17, AX_OSDP_SCS_18 = 0x18, /* MAC, encrypted data */
};

/** What a frame says about itself besides code and data. */
struct ax_osdp_head {
    uint8_t address;  /**< With bit 7 in replies. */
    uint8_t control;  /**< Sequence number and AX_OSDP_CRC; the SCB bit follows from scb_type. */
    uint8_t scb_type; /**< enum ax_osdp_scs, 0 = no security block. */
    uint8_t scb_data; /**< Data byte of the block in the handshake (types 11 to 14). */
};

/** A frame in the buffer it was parsed from. */
struct ax_osdp_frame {
    const uint8_t *start; /**< The SOM. */
    const uint8_t *data;  /**< Payload: still encrypted in types 17 and 18. */
    const uint8_t *mac;   /**< Four bytes, NULL when the type carries none. */
    uint16_t length;      /**< Whole frame. */
    uint16_t size;        /**< Payload. */
    uint8_t code;
    struct ax_osdp_head head;
};

/** Build a frame without MAC into `out`; returns its length. AX_E_FULL when `cap` or AX_OSDP_MAX_FRAME is too small. */
int ax_osdp_build(uint8_t *out, size_t cap, const struct ax_osdp_head *head, uint8_t code, const uint8_t *data, size_t size);
/** Parse the frame at `buf`, which starts with the SOM. Returns its length, 0 when bytes are missing, AX_E_FORMAT when
 * the header is wrong, AX_E_PARITY when the check value is, AX_E_RANGE when only the security block is (then `frame` holds
 * the header). */
int ax_osdp_parse(const uint8_t *buf, size_t n, struct ax_osdp_frame *frame);

/** Least and most payload bytes of a command, for NAK 2; false when the code is no command. */
bool ax_osdp_command_size(uint8_t code, uint16_t *least, uint16_t *most);
/** Compare in time that depends on `n` only. */
bool ax_osdp_equal(const void *a, const void *b, size_t n);

/** Bytes of a line, and the frames in them. Treat as opaque. */
struct ax_osdp_rx {
    uint16_t start; /**< First byte not yet taken. */
    uint16_t end;   /**< One past the last byte. */
    uint32_t skipped; /**< Bytes that belonged to no frame (marks are not counted). */
    uint8_t bytes[AX_OSDP_MAX_FRAME + 608];
};

void ax_osdp_rx_reset(struct ax_osdp_rx *rx);
/** Add bytes; returns how many were taken. All are, if ax_osdp_rx_next was called until 0 since the last call and n <= 608. */
size_t ax_osdp_rx_push(struct ax_osdp_rx *rx, const uint8_t *bytes, size_t n);
/** The next frame: its length, 0 when there is none yet, AX_E_PARITY for a frame with a wrong check value and AX_E_RANGE for
 * a wrong security block, which are skipped as a whole (a frame inside the data of a damaged frame is never found). `frame`
 * points into rx and lives until the next call of push or reset. Wrong headers are skipped and counted. */
int ax_osdp_rx_next(struct ax_osdp_rx *rx, struct ax_osdp_frame *frame);
/** Bytes of a frame that is not complete. */
size_t ax_osdp_rx_pending(const struct ax_osdp_rx *rx);

#endif
