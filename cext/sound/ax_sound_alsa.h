/* A sound card by ALSA, loaded at run time. For the sound thread: one thread. Allocation: in open. */
#ifndef AX_SOUND_ALSA_H
#define AX_SOUND_ALSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sound_card;

/* AX_E_SYS with errno. */
int sound_card_open(struct sound_card **out, const char *library, const char *device, uint32_t rate);
void sound_card_close(struct sound_card *card);
/* Waits for room, a second at most; false: the card does not take it. */
bool sound_card_write(struct sound_card *card, const int16_t *samples, size_t n);

#endif
