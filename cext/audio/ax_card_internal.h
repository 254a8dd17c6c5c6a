/* What every sound card is made of: what it can do, and the state behind it. Units, threads: as in ax/card.h. */
#ifndef AX_CARD_INTERNAL_H
#define AX_CARD_INTERNAL_H

#include "ax/card.h"

struct ax_card {
    int (*read)(struct ax_card *c, int16_t *mic);
    int (*write)(struct ax_card *c, const int16_t *speaker);
    void (*close)(struct ax_card *c); /* Frees. */
    int (*talk)(struct ax_card *c, const int16_t *frame); /* NULL: cannot. */
    int fd;                                               /* Of a capture; -1. */
    uint32_t rate, frame;
};

#endif
