/* Any sound: the detector gives the same keys for any pieces, and every key that went down comes up once before the next.
 * Input: a rate, a length of pieces, then samples, each octet one: the upper bits of it. */
#include "ax/dtmf.h"
#include "ax/err.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 8192 };

static int16_t x[MOST];
static struct ax_dtmf_event events[2][MOST];

static void require(int condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t RATES[4] = {8000, 16000, 32000, 48000};
    struct ax_dtmf *one = NULL, *many = NULL;
    if (size < 3)
        return 0;
    const uint32_t rate = RATES[data[0] & 3];
    const size_t n = size - 2 < MOST ? size - 2 : MOST, part = 1 + data[1];
    for (size_t i = 0; i < n; i++)
        x[i] = (int16_t)((data[2 + i] - 128) * 256);
    require(ax_dtmf_new(&one, rate) == AX_OK && ax_dtmf_new(&many, rate) == AX_OK);
    const int whole = ax_dtmf_feed(one, x, n, events[0], MOST);
    int pieces = 0;
    for (size_t i = 0; i < n; i += part) {
        const int got = ax_dtmf_feed(many, x + i, n - i < part ? n - i : part, events[1] + pieces, (size_t)(MOST - pieces));
        require(got >= 0);
        pieces += got;
    }
    require(whole == pieces);
    for (int i = 0; i < whole; i++) {
        require(events[0][i].key == events[1][i].key && events[0][i].at == events[1][i].at);
        require((events[0][i].duration == 0) == (i % 2 == 0));
        require(i % 2 == 0 || events[0][i].key == events[0][i - 1].key);
    }
    ax_dtmf_free(one);
    ax_dtmf_free(many);
    return 0;
}
