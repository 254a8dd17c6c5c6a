/* How a row of the catalogue is drawn: the part of it that only the kernel knows. Units: per mille of a period; turns.
 * Threads, allocation: constant data. */
#ifndef AX_LED_ROWS_H
#define AX_LED_ROWS_H

#include "ax_led_internal.h"

enum led_kind {
    KIND_FLAT,      /* The base, always. */
    KIND_FLASH,     /* The whole light goes from base to over and back; in each period over has the next colour. */
    KIND_ESCALATE,  /* Three steps of brightness, then again. */
    KIND_ALTERNATE, /* The sections take turns with the colours. */
    KIND_SPLIT,     /* Sections white and coloured in turn. */
    KIND_WINDOW,    /* A window of `over` moves over the base. */
    KIND_RANDOM,    /* One section at a time, in no order. */
    KIND_TRIANGLE,  /* Three sections pulsate. */
    KIND_SECTION,   /* One section at a time, in order. */
};

enum led_paint { PAINT_BLACK, PAINT_WHITE, PAINT_FIRST };

enum led_shape { SHAPE_HARD, SHAPE_FADE, SHAPE_SMOOTH };

struct led_row {
    struct ax_led_row face;
    uint8_t kind;     /* enum led_kind */
    uint8_t base;     /* enum led_paint */
    uint8_t over;
    uint8_t shape;    /* enum led_shape; of a flash. */
    uint8_t flashes;  /* In a period. */
    uint8_t axis;     /* enum led_axis; of a window. */
    uint8_t reverse;  /* Against the axis. */
    uint8_t windows;  /* On a turn. */
    uint16_t spacing; /* From flash to flash, per mille of the period. */
    uint16_t on;      /* A flash, per mille of the period. */
    float edge, hold, tail; /* Turns: how the window rises, stays and falls. */
    uint8_t square;   /* The tail falls with the square: even to the eye. */
};

/* NULL beyond the last. */
const struct led_row *ax_led_row_at(unsigned row);

#endif
