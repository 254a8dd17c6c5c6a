/* A player: shows profiles on a frame clock. Sans-I/O: time comes in, codes go out; made for the native I/O thread.
 *
 * The frame clock is the time itself: frames are at multiples of `frame_ns`, so that players on one clock make the same frames.
 * A command says what to show from which time on; the frame at that very time is made besides those of the clock, so a
 * profile starts when it should and not a frame later. A command may fade: both profiles run, and light goes from one to the
 * other in linear light. Commands are plain data of AX_LED_COMMAND_SIZE bytes and fit a ring.
 *
 * A player whose light stands still in black asks for no frames.
 *
 * Units: ns of the clock that the caller steps with (the synchronised one, where devices shall agree). Threads: one. Allocation:
 * only in ax_led_player_new. */
#ifndef AX_LED_PLAYER_H
#define AX_LED_PLAYER_H

#include "ax/led.h"

#define AX_LED_NEVER UINT64_MAX
#define AX_LED_PENDING 8          /**< Commands that wait for their time. */
#define AX_LED_COMMAND_SIZE 64

/** Show this from `at_ns` on. */
struct ax_led_command {
    uint64_t at_ns;   /**< A time that is over means at once. */
    uint64_t fade_ns; /**< 0 = no fade. */
    struct ax_led_spec spec;
};

/** Takes the codes of a frame: 3 * count bytes, valid during the call. */
typedef void (*ax_led_output)(void *context, uint64_t t_ns, const uint8_t *rgb, size_t n);

struct ax_led_player;

/** Black, with nothing pending. `frame_ns`: 1,000,000 .. 1,000,000,000. `output` may be NULL. */
int ax_led_player_new(struct ax_led_player **out, const struct ax_led_place *places, size_t n, uint64_t frame_ns,
                      const struct ax_led_curve *curve, ax_led_output output, void *context);
void ax_led_player_free(struct ax_led_player *player);

/** Takes a command; commands of one time count in the order in which they came. AX_E_RANGE for a spec that is wrong, AX_E_FULL
 * when AX_LED_PENDING wait. */
int ax_led_player_put(struct ax_led_player *player, const struct ax_led_command *command);
/** Forget commands that wait; what is shown stays. */
void ax_led_player_cancel(struct ax_led_player *player);
/** When `step` would make a frame; AX_LED_NEVER. 0: at once. */
uint64_t ax_led_player_next_ns(const struct ax_led_player *player);
/** It is `now_ns`. Makes the newest frame that is due, if any: 1 (written to `out`, if that is not NULL, and given to the
 * output), else 0. Frames that were missed are not made up for. When the clock was set back the next step makes a frame and
 * the frame clock goes on from there; so step once after that, whatever next_ns said. */
int ax_led_player_step(struct ax_led_player *player, uint64_t now_ns, uint8_t *out);
/** Frames that were missed because `step` came late. */
uint64_t ax_led_player_missed(const struct ax_led_player *player);
/** The row that is shown, or is being faded to; 0 (Off) at first. */
int ax_led_player_row(const struct ax_led_player *player);

#endif
