/* What the wires to the LEDs want, from codes or light: bytes for SPI, values for the LED class of Linux, white LEDs.
 *
 * Sources: APA102-2020 and SK9822 data sheets (start frame, 111 and 5 bits of current, blue green red, end frame); WS2812B and
 * SK6812 data sheets (green red blue (white), most significant bit first; a bit is 1.25 us, high for about 0.4 us or 0.8 us;
 * 280 us low latch); Linux, Documentation/leds/leds-class-multicolor.rst.
 *
 * Units: bytes. Threads: no state. Allocation: none. */
#ifndef AX_LED_OUT_H
#define AX_LED_OUT_H

#include <stddef.h>
#include <stdint.h>

#define AX_LED_WS2812_HZ 2400000u /**< SPI clock at which three bits are one bit of the LED. */
#define AX_LED_WS2812_LATCH 90u   /**< Zero bytes after the frame: 300 us. */

/** Bytes of a frame of `n` LEDs on APA102: start, four a LED, end (half a clock a LED, and 32 bits for SK9822). */
size_t ax_led_apa102_size(size_t n);
/** `rgb`: 3 * n codes. `current`: 0 .. 31, of all LEDs. Returns the bytes written, AX_E_FULL if `cap` is less. */
int ax_led_apa102(const uint8_t *rgb, size_t n, unsigned current, uint8_t *out, size_t cap);

/** Bytes of a frame of `n` LEDs on WS2812 (channels 3) or SK6812 with white (channels 4), the latch among them. */
size_t ax_led_ws2812_size(size_t n, unsigned channels);
/** `codes`: channels * n, red green blue (white). Returns the bytes written; AX_E_FULL, AX_E_RANGE. */
int ax_led_ws2812(const uint8_t *codes, size_t n, unsigned channels, uint8_t *out, size_t cap);

/** Light of LEDs that have a white one as well: what red, green and blue have in common goes there. 4 * n values. */
int ax_led_rgbw(const uint16_t *rgb, size_t n, uint16_t *out);

/** The LED class: `brightness` and `multi_intensity` of one LED, both 0 .. max_brightness; the driver gives each colour
 * brightness * intensity / max_brightness. The strongest colour has the whole brightness, so that dim light keeps its hue. */
int ax_led_class(const uint16_t rgb[3], uint32_t max_brightness, uint32_t *brightness, uint32_t intensity[3]);

#endif
