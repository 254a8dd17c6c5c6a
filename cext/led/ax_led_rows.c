/* The catalogue: a row per light pattern. Names and order: the strobe siren's manual, "Light pattern names". How each looks
 * is ours: the manual gives names only. Speeds: the first is the slowest; the default of each is one that the flash analyser
 * finds harmless (at most three flashes in any second). Units: ms, per mille, turns. Threads, allocation: constant data. */
#include "ax_led_rows.h"

#include <string.h>

#define FLASH(paint_base, paint_over, how, count, gap, length)                                                         \
    .kind = KIND_FLASH, .base = PAINT_##paint_base, .over = PAINT_##paint_over, .shape = SHAPE_##how, .flashes = (count), \
    .spacing = (gap), .on = (length)
#define WINDOW(along, against, how_many, rise, stay, fall, by_square)                                                  \
    .kind = KIND_WINDOW, .base = PAINT_FIRST, .over = PAINT_WHITE, .axis = AXIS_##along, .reverse = (against),         \
    .windows = (how_many), .edge = (rise), .hold = (stay), .tail = (fall), .square = (by_square)
#define BAND(along, against) WINDOW(along, against, 1, 0.04f, 0.06f, 0.1f, 1)

static const struct led_row ROWS[AX_LED_ROWS] = {
    {.face = {"Off", 1, 1, 0, 0, {1000}}, .kind = KIND_FLAT, .base = PAINT_BLACK},
    {.face = {"Steady", 1, 1, 1, 1, {1000}}, .kind = KIND_FLAT, .base = PAINT_FIRST},
    {.face = {"Steady white + flash color", 3, 2, 1, 1, {2000, 1000, 500}}, FLASH(WHITE, FIRST, HARD, 1, 1000, 500)},
    {.face = {"Alternate", 2, 1, 2, 4, {1000, 500}}, .kind = KIND_ALTERNATE},
    {.face = {"Pulse", 3, 2, 1, 4, {4000, 2000, 1000}}, FLASH(BLACK, FIRST, SMOOTH, 1, 1000, 1000)},
    {.face = {"Escalate 3 steps", 3, 2, 1, 1, {4500, 3000, 1500}}, .kind = KIND_ESCALATE, .over = PAINT_FIRST},
    {.face = {"Blink 3x", 3, 1, 1, 1, {2400, 1600, 1200}}, FLASH(BLACK, FIRST, HARD, 3, 166, 83)},
    {.face = {"Blink 4x", 3, 1, 1, 1, {2800, 1750, 1400}}, FLASH(BLACK, FIRST, HARD, 4, 142, 71)},
    {.face = {"Blink 3x fade", 3, 1, 1, 1, {2400, 1600, 1200}}, FLASH(BLACK, FIRST, FADE, 3, 166, 140)},
    {.face = {"Blink 4x fade", 3, 1, 1, 1, {2800, 1750, 1400}}, FLASH(BLACK, FIRST, FADE, 4, 142, 120)},
    {.face = {"Flash 1x", 4, 2, 1, 1, {2000, 1000, 500, 250}}, FLASH(BLACK, FIRST, HARD, 1, 1000, 100)},
    {.face = {"Flash 3x", 4, 1, 1, 1, {2000, 1500, 1200, 900}}, FLASH(BLACK, FIRST, HARD, 3, 100, 50)},
    {.face = {"Flash 1x white + steady color", 4, 2, 0, 1, {2000, 1000, 500, 250}}, FLASH(FIRST, WHITE, HARD, 1, 1000, 100)},
    {.face = {"Flash 3x white + steady color", 4, 1, 0, 1, {2000, 1500, 1200, 900}}, FLASH(FIRST, WHITE, HARD, 3, 100, 50)},
    {.face = {"Direction A + steady color", 4, 2, 0, 1, {4000, 2000, 1000, 500}}, BAND(X, 0)},
    {.face = {"Direction B + steady color", 4, 2, 0, 1, {4000, 2000, 1000, 500}}, BAND(Y, 0)},
    {.face = {"Direction C + steady color", 4, 2, 0, 1, {4000, 2000, 1000, 500}}, BAND(X, 1)},
    {.face = {"Direction D + steady color", 4, 2, 0, 1, {4000, 2000, 1000, 500}}, BAND(Y, 1)},
    {.face = {"Rotate white + steady color", 4, 2, 0, 1, {4000, 2000, 1000, 500}}, WINDOW(TURN, 0, 1, 0.05f, 0.15f, 0.05f, 0)},
    {.face = {"Rotate tail white + steady color", 4, 2, 0, 1, {4000, 2000, 1000, 500}}, WINDOW(TURN, 0, 1, 0.0f, 0.0f, 0.75f, 1)},
    {.face = {"Random white + steady color", 3, 2, 0, 1, {1000, 500, 250}}, .kind = KIND_RANDOM, .base = PAINT_FIRST, .over = PAINT_WHITE},
    {.face = {"Spin white + steady color", 4, 2, 0, 1, {4000, 2000, 1500, 1000}}, WINDOW(TURN, 0, 2, 0.1f, 0.15f, 0.1f, 0)},
    {.face = {"Steady white + steady color", 1, 1, 0, 1, {1000}}, .kind = KIND_SPLIT},
    {.face = {"Maintenance", 1, 1, 0, 0, {2000}}, .kind = KIND_TRIANGLE, .over = PAINT_WHITE, .flashes = 1, .shape = SHAPE_SMOOTH,
     .spacing = 1000, .on = 1000},
    {.face = {"Identify", 1, 1, 0, 0, {1000}}, FLASH(BLACK, WHITE, HARD, 1, 1000, 500)},
    {.face = {"Health check", 1, 1, 0, 0, {1000}}, .kind = KIND_SECTION, .over = PAINT_WHITE},
};

const struct led_row *ax_led_row_at(unsigned row)
{
    return row < AX_LED_ROWS ? &ROWS[row] : NULL;
}

const struct ax_led_row *ax_led_row_get(int row)
{
    return row >= 0 && row < AX_LED_ROWS ? &ROWS[row].face : NULL;
}

int ax_led_find(const char *name)
{
    for (int i = 0; name && i < AX_LED_ROWS; i++)
        if (strcmp(ROWS[i].face.name, name) == 0)
            return i;
    return -1;
}
