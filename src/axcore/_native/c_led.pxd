from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "ax/led.h" nogil:
    const int AX_LED_MAX
    const int AX_LED_MAX_SECTIONS
    const int AX_LED_MAX_COLOURS
    const int AX_LED_CATALOGUE
    const int AX_LED_ROWS
    const int AX_LED_FULL
    const uint32_t AX_LED_AS_LISTED

    struct ax_led_place:
        uint32_t turn
        uint32_t x
        uint32_t y
        uint32_t section

    struct ax_led_row:
        const char *name
        uint8_t speeds
        uint8_t default_speed
        uint8_t min_colours
        uint8_t max_colours
        uint16_t period_ms[4]

    struct ax_led_spec:
        uint64_t epoch_ns
        uint32_t stretch
        uint16_t level
        uint8_t row
        uint8_t speed
        uint8_t colours
        uint16_t colour[4][3]

    struct ax_led_profile:
        ax_led_spec spec

    struct ax_led_curve:
        uint16_t knot[257]

    struct ax_led:
        pass

    int ax_led_find(const char *name)
    const ax_led_row *ax_led_row_get(int row)
    int ax_led_new(ax_led **out, const ax_led_place *places, size_t n)
    void ax_led_free(ax_led *led)
    size_t ax_led_count(const ax_led *led)
    size_t ax_led_sections(const ax_led *led)
    int ax_led_compile(ax_led_profile *profile, const ax_led_spec *spec)
    uint64_t ax_led_period_ns(const ax_led_profile *profile, size_t sections)
    int ax_led_frame(const ax_led *led, const ax_led_profile *profile, uint64_t t_ns, uint16_t *out)
    int ax_led_curve_gamma(ax_led_curve *curve, double gamma)
    int ax_led_encode(const ax_led *led, const ax_led_curve *curve, const uint16_t *light, size_t n, uint32_t frame,
                      uint8_t *out)
    int ax_led_frame8(ax_led *led, const ax_led_profile *profile, const ax_led_curve *curve, uint64_t t_ns,
                      uint32_t frame, uint8_t *out)
    int ax_led_mix(const ax_led *led, const uint16_t *a, const uint16_t *b, size_t n, uint32_t weight, uint16_t *out)
    int ax_led_levels()
    const char *ax_led_level_name(int level)
    int ax_led_set_level(ax_led *led, int level)


cdef extern from "ax/led_player.h" nogil:
    const uint64_t AX_LED_NEVER
    const int AX_LED_PENDING

    struct ax_led_command:
        uint64_t at_ns
        uint64_t fade_ns
        ax_led_spec spec

    struct ax_led_player:
        pass

    ctypedef void (*ax_led_output)(void *context, uint64_t t_ns, const uint8_t *rgb, size_t n)

    int ax_led_player_new(ax_led_player **out, const ax_led_place *places, size_t n, uint64_t frame_ns,
                          const ax_led_curve *curve, ax_led_output output, void *context)
    void ax_led_player_free(ax_led_player *player)
    int ax_led_player_put(ax_led_player *player, const ax_led_command *command)
    void ax_led_player_cancel(ax_led_player *player)
    uint64_t ax_led_player_next_ns(const ax_led_player *player)
    int ax_led_player_step(ax_led_player *player, uint64_t now_ns, uint8_t *out)
    uint64_t ax_led_player_missed(const ax_led_player *player)
    int ax_led_player_row(const ax_led_player *player)


cdef extern from "ax/led_flash.h" nogil:
    struct ax_led_flash_report:
        uint64_t worst_ns
        uint32_t general
        uint32_t red
        uint32_t changes

    struct ax_led_flash:
        pass

    int ax_led_flash_new(ax_led_flash **out, size_t n, uint64_t from_ns)
    void ax_led_flash_free(ax_led_flash *flash)
    int ax_led_flash_look(ax_led_flash *flash, const uint16_t *light)
    int ax_led_flash_feed(ax_led_flash *flash, uint64_t t_ns, const uint16_t *light)
    int ax_led_flash_result(const ax_led_flash *flash, ax_led_flash_report *out)
    int ax_led_flash_run(ax_led_flash *flash, const ax_led *led, const ax_led_profile *profile, uint64_t first_ns,
                         uint64_t step_ns, size_t count)


cdef extern from "ax/led_out.h" nogil:
    const uint32_t AX_LED_WS2812_HZ
    size_t ax_led_apa102_size(size_t n)
    int ax_led_apa102(const uint8_t *rgb, size_t n, unsigned current, uint8_t *out, size_t cap)
    size_t ax_led_ws2812_size(size_t n, unsigned channels)
    int ax_led_ws2812(const uint8_t *codes, size_t n, unsigned channels, uint8_t *out, size_t cap)
    int ax_led_rgbw(const uint16_t *rgb, size_t n, uint16_t *out)
    int ax_led_class(const uint16_t *rgb, uint32_t max_brightness, uint32_t *brightness, uint32_t *intensity)
