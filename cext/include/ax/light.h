/* The light of a device: what the I/O thread needs to make frames, and the outputs that frames go to.
 *
 * The I/O thread makes a frame (ax/led_player.h) and gives it out in three ways, none of which it waits for: into a
 * capture (ax/capture.h), to the tap (when the light begins and ends), and to an output, a thread of its own that writes
 * to a device. A transfer over SPI takes milliseconds; the I/O thread leaves the frame in one of three buffers and goes on.
 * An output that is too slow shows the newest frame and leaves out those between.
 *
 * Outputs: APA102 and WS2812 over spidev (bytes of ax/led_out.h; each frame is one write), and the LED class of Linux
 * (Documentation/leds/leds-class-multicolor.rst), where each LED directory shows the mean of one section.
 *
 * Units: ns, CLOCK_MONOTONIC. Allocation: in new only. */
#ifndef AX_LIGHT_H
#define AX_LIGHT_H

#include "ax/led_player.h"

#include <stdbool.h>

#define AX_LIGHT_PATH_MAX 127
#define AX_LIGHT_CLASS_MAX 16     /**< Directories of the LED class. */
#define AX_LIGHT_COMMANDS 16      /**< Commands that may wait for the I/O thread. */

enum ax_light_kind {
    AX_LIGHT_NONE = 0,
    AX_LIGHT_APA102 = 1,
    AX_LIGHT_WS2812 = 2,
    AX_LIGHT_CLASS = 3,
    AX_LIGHT_KIND_END,
};

/** Where frames go. */
struct ax_light_out_config {
    uint32_t kind;      /**< enum ax_light_kind */
    uint32_t speed_hz;  /**< SPI clock; 0: 2.4 MHz for WS2812, 4 MHz for APA102. */
    uint32_t current;   /**< APA102: 0 .. 31, of all LEDs. */
    uint32_t paths;     /**< SPI: 1. LED class: how many directories, one for each section. */
    char path[AX_LIGHT_CLASS_MAX][AX_LIGHT_PATH_MAX + 1]; /**< /dev/spidev0.0; /sys/class/leds/rgb:status */
};

/** The light of an I/O thread. */
struct ax_light_config {
    const struct ax_led_place *places; /**< Copied. */
    size_t leds;                       /**< 1 .. AX_LED_MAX */
    uint64_t frame_ns;                 /**< 1,000,000 .. 1,000,000,000 */
    struct ax_led_curve curve;
    uint32_t records;                  /**< Frames that the capture holds, a power of two. */
    struct ax_light_out_config out;
};

struct ax_light_out;

/** Opens the device and starts the thread. AX_E_SYS: errno tells why it cannot be opened; AX_E_RANGE: a number or a path
 * outside its range. `sections` has the section of each LED, in order. */
int ax_light_out_new(struct ax_light_out **out, const struct ax_light_out_config *config, const uint8_t *sections, size_t leds);
/** Writes the last frame that was given, then ends. */
void ax_light_out_free(struct ax_light_out *out);
/** The newest frame: 3 * leds codes. Never waits. One thread. */
void ax_light_out_put(struct ax_light_out *out, const uint8_t *rgb);
/** Frames written, and writes that failed. Any thread. */
uint64_t ax_light_out_written(const struct ax_light_out *out);
uint64_t ax_light_out_errors(const struct ax_light_out *out);

#endif
