/* Sound cards: 10 ms from the microphone, 10 ms to the loudspeaker, at the pace of the card's clock.
 *
 * A simulated card stands in a virtual room (ax/room.h) and keeps time by CLOCK_MONOTONIC; what it plays can be read in a
 * capture (ax/capture.h), and a talker can be brought by frames. A card by ALSA (snd_pcm_*; loaded when it is
 * asked for, so that nothing of it has to be there to build) plays and records through two PCMs of one name or of two.
 *
 * Units: samples of 16 bits, one channel; ns of CLOCK_MONOTONIC. Threads: open, read, write and close belong to one thread;
 * `talk` to one other. Allocation: in open and close only. */
#ifndef AX_CARD_H
#define AX_CARD_H

#include "ax/room.h"

#include <stdbool.h>
#include <stdint.h>

#define AX_CARD_TALK 64 /**< Frames that may wait to be said in the room. */

struct ax_card;

struct ax_card_alsa {
    uint32_t rate;
    const char *library;    /**< Of ALSA; NULL: libasound.so.2. */
    const char *speaker;    /**< ALSA's name of the PCM that plays (`default`, `hw:0`). */
    const char *microphone; /**< Of the one that records. */
};

/** A card in a room, which stays the caller's. `records`: frames that the capture holds, a power of two. AX_E_ARG, AX_E_RANGE,
 * AX_E_NOMEM, AX_E_SYS. */
int ax_card_open_room(struct ax_card **out, struct ax_room *room, uint32_t rate, uint32_t records);
/** AX_E_SYS: errno tells why it cannot be opened (ELIBACC: there is no ALSA). AX_E_ARG, AX_E_NOMEM. */
int ax_card_open_alsa(struct ax_card **out, const struct ax_card_alsa *config);
void ax_card_close(struct ax_card *c);

/** Wait for 10 ms of the microphone, a second at most. Gives how often the card ran over or dry since the last call (0: all is
 * well), or AX_E_SYS when the card gives nothing: `mic` is silence then. */
int ax_card_read(struct ax_card *c, int16_t *mic);
/** 10 ms for the loudspeaker, after each read. As ax_card_read. */
int ax_card_write(struct ax_card *c, const int16_t *speaker);

/** The memfd of what a simulated card played; -1: there is none. Belongs to the card. */
int ax_card_fd(const struct ax_card *c);
/** Somebody says 10 ms in the room of a simulated card. AX_E_FULL; AX_E_STATE: this card is not simulated. */
int ax_card_talk(struct ax_card *c, const int16_t *frame);

#endif
