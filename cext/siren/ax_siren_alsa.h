/* A sound card by ALSA, loaded at run time. For the sound thread: one thread. Allocation: in open. */
#ifndef AX_SIREN_ALSA_H
#define AX_SIREN_ALSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct siren_card;

/* AX_E_SYS with errno. */
int siren_card_open(struct siren_card **out, const char *library, const char *device, uint32_t rate);
void siren_card_close(struct siren_card *card);
/* Waits for room, a second at most; false: the card does not take it. */
bool siren_card_write(struct siren_card *card, const int16_t *samples, size_t n);

#endif
