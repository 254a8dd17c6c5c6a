/* Any row that passes the check round-trips, and every public row reads any frame without fault.
 * Input: a frame (8 bytes), then bytes that become a row. */
#include "ax/wiegand_format.h"

#include "ax/err.h"
#include "ax/wiegand_out.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static void public_rows(uint64_t frame)
{
    uint8_t rows[64];
    for (int i = 0; i < ax_wiegand_format_count(); i++) {
        const struct ax_wiegand_format *f = ax_wiegand_format_get(i);
        const uint64_t cut = frame & (((uint64_t)1 << f->bits) - 1);
        struct ax_wiegand_card card;
        const int rc = ax_wiegand_format_decode(f, cut, f->bits, &card);
        const int n = ax_wiegand_identify(cut, f->bits, rows, sizeof rows);
        require((rc == AX_OK) == (memchr(rows, i, (size_t)n) != NULL));
    }
    for (unsigned n = 0; n < 70; n++)
        require(ax_wiegand_identify(frame, n, rows, sizeof rows) <= 6);
    (void)ax_wiegand_key_decode(frame, frame & 1 ? 4 : 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ax_wiegand_format f;
    struct ax_wiegand_card card, back;
    uint64_t frame = 0, values[4] = {0};

    if (size < 8)
        return 0;
    memcpy(&frame, data, 8);
    public_rows(frame);
    memset(&f, 0, sizeof f);
    memcpy((char *)&f + offsetof(struct ax_wiegand_format, fixed_mask), data + 8,
           size - 8 < sizeof f - offsetof(struct ax_wiegand_format, fixed_mask)
               ? size - 8
               : sizeof f - offsetof(struct ax_wiegand_format, fixed_mask));
    if (ax_wiegand_format_check(&f) < 0)
        return 0;
    for (unsigned i = 0; i < AX_WIEGAND_FIELDS; i++) {
        values[i] = frame * (2 * i + 1);
        card.value[i] = f.field[i].max == UINT64_MAX ? values[i] : values[i] % (f.field[i].max + 1);
    }
    require(ax_wiegand_format_encode(&f, &card, &frame) == AX_OK);
    require(ax_wiegand_format_decode(&f, frame, f.bits, &back) == AX_OK);
    require(memcmp(&card, &back, sizeof card) == 0);
    return 0;
}
