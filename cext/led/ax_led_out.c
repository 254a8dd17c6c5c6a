/* Frames on the wire: APA102, WS2812 over SPI, the LED class, RGBW. Sources and units: see ax/led_out.h. Threads: no state.
 * Allocation: none. */
#include "ax/led_out.h"

#include "ax/err.h"

#include <limits.h>
#include <string.h>

#define MOST (1u << 20) /* LEDs: sizes stay far from overflow. */

size_t ax_led_apa102_size(size_t n)
{
    return 4 + 4 * n + 4 + (n + 15) / 16;
}

int ax_led_apa102(const uint8_t *rgb, size_t n, unsigned current, uint8_t *out, size_t cap)
{
    if (!rgb || !out)
        return AX_E_ARG;
    if (n > MOST || current > 31)
        return AX_E_RANGE;
    const size_t size = ax_led_apa102_size(n);
    if (cap < size)
        return AX_E_FULL;
    memset(out, 0, 4);
    uint8_t *p = out + 4;
    for (size_t i = 0; i < n; i++, rgb += 3, p += 4) {
        p[0] = (uint8_t)(0xe0 | current);
        p[1] = rgb[2];
        p[2] = rgb[1];
        p[3] = rgb[0];
    }
    memset(p, 0, (size_t)(out + size - p)); /* Clock edges only: ones could light an LED beyond the last. */
    return (int)size;
}

size_t ax_led_ws2812_size(size_t n, unsigned channels)
{
    return n * channels * 3 + AX_LED_WS2812_LATCH;
}

/* Eight bits to 24: 1 is 110, 0 is 100. */
static uint32_t widen(uint32_t code)
{
    uint32_t x = code;
    x = (x | x << 8) & 0x00f00f;
    x = (x | x << 4) & 0x0c30c3;
    x = (x | x << 2) & 0x249249;
    return x << 1 | 0x924924;
}

int ax_led_ws2812(const uint8_t *codes, size_t n, unsigned channels, uint8_t *out, size_t cap)
{
    static const uint8_t order[4] = {1, 0, 2, 3};
    if (!codes || !out)
        return AX_E_ARG;
    if (n > MOST || (channels != 3 && channels != 4))
        return AX_E_RANGE;
    const size_t size = ax_led_ws2812_size(n, channels);
    if (cap < size)
        return AX_E_FULL;
    uint8_t *p = out;
    for (size_t i = 0; i < n; i++, codes += channels)
        for (unsigned c = 0; c < channels; c++, p += 3) {
            const uint32_t bits = widen(codes[order[c]]);
            p[0] = (uint8_t)(bits >> 16);
            p[1] = (uint8_t)(bits >> 8);
            p[2] = (uint8_t)bits;
        }
    memset(p, 0, AX_LED_WS2812_LATCH);
    return (int)size;
}

int ax_led_rgbw(const uint16_t *rgb, size_t n, uint16_t *out)
{
    if (!rgb || !out)
        return AX_E_ARG;
    for (size_t i = 0; i < n; i++, rgb += 3, out += 4) {
        uint16_t white = rgb[0] < rgb[1] ? rgb[0] : rgb[1];
        white = white < rgb[2] ? white : rgb[2];
        for (int c = 0; c < 3; c++)
            out[c] = (uint16_t)(rgb[c] - white);
        out[3] = white;
    }
    return AX_OK;
}

int ax_led_class(const uint16_t rgb[3], uint32_t max_brightness, uint32_t *brightness, uint32_t intensity[3])
{
    if (!rgb || !brightness || !intensity)
        return AX_E_ARG;
    if (max_brightness == 0 || max_brightness > INT_MAX)
        return AX_E_RANGE;
    uint32_t most = rgb[0];
    for (int c = 1; c < 3; c++)
        most = rgb[c] > most ? rgb[c] : most;
    *brightness = (uint32_t)(((uint64_t)most * max_brightness + 32767) / 65535);
    for (int c = 0; c < 3; c++)
        intensity[c] = most ? (uint32_t)(((uint64_t)rgb[c] * max_brightness + most / 2) / most) : 0;
    return AX_OK;
}
