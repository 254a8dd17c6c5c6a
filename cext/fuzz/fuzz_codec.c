/* Any octets: decoded without fault by every codec, in any pieces with the same result, by every variant; then encoded again,
 * concealed, taken as comfort noise. Input: a choice, a length of pieces, then octets. */
#include "ax/comfort.h"
#include "ax/err.h"
#include "ax/g711.h"
#include "ax/g722.h"
#include "ax/g726.h"
#include "ax/plc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 4096 };

static int16_t pcm[2][2 * MOST];
static uint8_t octets[2][2 * MOST];

static void require(int condition)
{
    if (!condition)
        abort();
}

static void g711(const uint8_t *in, size_t n)
{
    for (int law = 0; law < AX_G711_LAW_END; law++)
        for (int level = 0; level < ax_g711_levels(); level++) {
            const int at = level != 0;
            require(ax_g711_set_level(level) == AX_OK);
            require(ax_g711_decode(law, in, n, pcm[at]) == AX_OK);
            require(ax_g711_encode(law, pcm[at], n, octets[at]) == AX_OK);
            require(memcmp(pcm[0], pcm[at], n * sizeof(int16_t)) == 0 && memcmp(octets[0], octets[at], n) == 0);
        }
}

static void g722(const uint8_t *in, size_t n, size_t part)
{
    struct ax_g722 *one = NULL, *many = NULL;
    require(ax_g722_new(&one) == AX_OK && ax_g722_new(&many) == AX_OK);
    require(ax_g722_decode(one, in, n, pcm[0]) == (int)(2 * n));
    for (size_t i = 0; i < n; i += part)
        require(ax_g722_decode(many, in + i, n - i < part ? n - i : part, pcm[1] + 2 * i) >= 0);
    require(memcmp(pcm[0], pcm[1], 2 * n * sizeof(int16_t)) == 0);
    ax_g722_reset(one);
    require(ax_g722_encode(one, pcm[1], 2 * n, octets[0]) == (int)n);
    ax_g722_free(one);
    ax_g722_free(many);
}

static void g726(const uint8_t *in, size_t n, size_t part, int aal2)
{
    struct ax_g726 *one = NULL, *many = NULL;
    require(ax_g726_new(&one, aal2) == AX_OK && ax_g726_new(&many, aal2) == AX_OK);
    require(ax_g726_decode(one, in, n, pcm[0]) == (int)(2 * n));
    for (size_t i = 0; i < n; i += part)
        require(ax_g726_decode(many, in + i, n - i < part ? n - i : part, pcm[1] + 2 * i) >= 0);
    require(memcmp(pcm[0], pcm[1], 2 * n * sizeof(int16_t)) == 0);
    ax_g726_reset(one);
    require(ax_g726_encode(one, pcm[1], 2 * n, octets[0]) == (int)n);
    ax_g726_free(one);
    ax_g726_free(many);
}

static void conceal(size_t n, size_t part, uint8_t losses)
{
    struct ax_plc *p = NULL;
    require(ax_plc_new(&p, 8000 + 100 * (uint32_t)losses) == AX_OK);
    for (size_t i = 0, k = 0; i < 2 * n; i += part, k++) {
        const size_t m = 2 * n - i < part ? 2 * n - i : part;
        require((losses >> (k & 7) & 1 ? ax_plc_lost(p, pcm[1] + i, m) : ax_plc_good(p, pcm[1] + i, m)) == AX_OK);
    }
    ax_plc_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ax_comfort noise;
    if (size < 3)
        return 0;
    const size_t part = 1 + data[1], n = size - 2 < MOST ? size - 2 : MOST;
    g711(data + 2, n);
    g722(data + 2, n, part);
    g726(data + 2, n, part, data[0] & 1);
    conceal(n, part, data[0]);
    require(ax_comfort_init(&noise, data[0]) == AX_OK);
    require(ax_comfort_unpack(&noise, data + 2, n) == AX_OK);
    require(ax_comfort_render(&noise, pcm[0], n) == AX_OK);
    if (n >= 80)
        require(ax_comfort_learn(&noise, pcm[1], n < 480 ? n : 480) == AX_OK);
    return 0;
}
