/* Formats: every row is sound, round trips at its limits and at random, and refuses what it must; published vectors. */
#include "ax/wiegand_format.h"

#include "ax/err.h"
#include "ax_test.h"

#include <string.h>

static uint64_t state = 1;

static uint64_t random64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void test_rows(void)
{
    CHECK_EQ(ax_wiegand_format_count(), 43);
    CHECK(ax_wiegand_format_get(-1) == NULL);
    CHECK(ax_wiegand_format_get(43) == NULL);
    for (int i = 0; i < 43; i++) {
        const struct ax_wiegand_format *f = ax_wiegand_format_get(i);
        CHECK_EQ(ax_wiegand_format_check(f), AX_OK);
        CHECK_EQ(ax_wiegand_format_find(f->name), i);
        CHECK(i == 0 || f->bits >= ax_wiegand_format_get(i - 1)->bits);
    }
    CHECK_EQ(ax_wiegand_format_find("h10301"), AX_E_ARG);
    CHECK_EQ(ax_wiegand_format_find("H1030"), AX_E_ARG);
    CHECK_EQ(ax_wiegand_format_find(NULL), AX_E_ARG);
}

static void round_trip(int row, const struct ax_wiegand_card *card)
{
    const struct ax_wiegand_format *f = ax_wiegand_format_get(row);
    struct ax_wiegand_card back;
    uint64_t frame = 0;
    uint8_t rows[64];
    CHECK_EQ(ax_wiegand_format_encode(f, card, &frame), AX_OK);
    CHECK_EQ(ax_wiegand_format_decode(f, frame, f->bits, &back), AX_OK);
    CHECK(memcmp(card, &back, sizeof back) == 0);
    const int n = ax_wiegand_identify(frame, f->bits, rows, sizeof rows);
    CHECK(memchr(rows, row, (size_t)n) != NULL);
    /* Each rule sees each bit that it covers. */
    for (unsigned r = 0; r < f->rules; r++) {
        const uint64_t own = (uint64_t)1 << (f->bits - 1 - f->rule[r].at);
        CHECK(ax_wiegand_format_decode(f, frame ^ own, f->bits, &back) < 0);
        for (unsigned b = 0; b < f->bits; b++)
            if (f->rule[r].mask >> b & 1 && f->rules == 1)
                CHECK_EQ(ax_wiegand_format_decode(f, frame ^ (uint64_t)1 << b, f->bits, &back), AX_E_PARITY);
    }
}

static void test_round_trips(void)
{
    for (int i = 0; i < 43; i++) {
        const struct ax_wiegand_format *f = ax_wiegand_format_get(i);
        struct ax_wiegand_card card = {{0}};
        uint64_t frame;
        round_trip(i, &card);
        for (int k = 0; k < AX_WIEGAND_FIELDS; k++)
            card.value[k] = f->field[k].max;
        round_trip(i, &card);
        for (int n = 0; n < 50; n++) {
            for (int k = 0; k < AX_WIEGAND_FIELDS; k++)
                card.value[k] = f->field[k].max ? random64() % (f->field[k].max + 1) : 0;
            round_trip(i, &card);
        }
        for (int k = 0; k < AX_WIEGAND_FIELDS; k++) {
            struct ax_wiegand_card over = card;
            over.value[k] = f->field[k].max + 1;
            CHECK_EQ(ax_wiegand_format_encode(f, &over, &frame), AX_E_RANGE);
        }
        CHECK_EQ(ax_wiegand_format_decode(f, 0, f->bits + 1u, &card), AX_E_FORMAT);
        CHECK_EQ(card.value[AX_WIEGAND_CARD], 0);
        CHECK_EQ(ax_wiegand_format_decode(f, (uint64_t)1 << f->bits, f->bits, &card), AX_E_FORMAT);
    }
}

static uint64_t encoded(const char *name, uint64_t facility, uint64_t number)
{
    uint64_t frame = 0;
    struct ax_wiegand_card card = {{facility, number, 0, 0}};
    CHECK_EQ(ax_wiegand_format_encode(ax_wiegand_format_get(ax_wiegand_format_find(name)), &card, &frame), AX_OK);
    return frame;
}

static void test_vectors(void)
{
    CHECK_EQ(encoded("H10301", 123, 4567), 0x2F623AE); /* 2006F623AE with its transport header, as published */
    CHECK_EQ(encoded("H10301", 0, 10213), 0x2004FCB);
    CHECK_EQ(encoded("C1k35s", 1337, 2137), 0x4A72010B3); /* as a reader sent it */
    CHECK_EQ(encoded("H10304", 1234, 56789), 0x104D21BBAA);
    CHECK_EQ(encoded("IR56", 123, 123), 0x7B0000007B);
}

static void test_refusals(void)
{
    struct ax_wiegand_card card;
    const struct ax_wiegand_format *bcd = ax_wiegand_format_get(ax_wiegand_format_find("H10320"));
    uint64_t frame = encoded("H10320", 0, 12345678);
    CHECK_EQ(ax_wiegand_format_decode(bcd, frame ^ 0x1000000000, 37, &card), AX_E_FORMAT); /* its leading one */
    CHECK_EQ(card.value[AX_WIEGAND_CARD], 12345678);
    /* Digits 1 and 3 made 11 and 9: every column keeps its parity, but 11 is no digit. */
    frame ^= (uint64_t)0xA << 32 | (uint64_t)0xA << 24;
    CHECK_EQ(ax_wiegand_format_decode(bcd, frame, 37, &card), AX_E_FORMAT);
    CHECK_EQ(card.value[AX_WIEGAND_CARD], 0);
    uint8_t rows[2];
    CHECK_EQ(ax_wiegand_format_encode(NULL, &card, &frame), AX_E_ARG);
    CHECK_EQ(ax_wiegand_format_encode(bcd, NULL, &frame), AX_E_ARG);
    CHECK_EQ(ax_wiegand_format_encode(bcd, &card, NULL), AX_E_ARG);
    CHECK_EQ(ax_wiegand_format_decode(NULL, frame, 37, &card), AX_E_ARG);
    CHECK_EQ(ax_wiegand_format_decode(bcd, frame, 37, NULL), AX_E_ARG);
    CHECK_EQ(ax_wiegand_identify((uint64_t)1 << 27, 27, rows, 2), 0); /* More bits than the length says. */
    CHECK_EQ(ax_wiegand_identify(0, 0, rows, 2), 0);
    CHECK_EQ(ax_wiegand_identify(0, 65, rows, 2), 0);
    CHECK_EQ(ax_wiegand_identify(0, 26, NULL, 2), 0);
    CHECK_EQ(ax_wiegand_identify(0, 25, rows, 2), 0);
    CHECK_EQ(ax_wiegand_identify(0, 64, rows, 2), 0);
    CHECK_EQ(ax_wiegand_identify(0, 27, rows, 2), 2); /* Three hold; there is room for two. */
    CHECK_EQ(ax_wiegand_identify(1, 26, rows, 2), 2);
    CHECK_EQ(ax_wiegand_identify(0, 26, rows, 2), 0);
}

static void test_check(void)
{
    const struct ax_wiegand_format good = {
        .name = "x", .bits = 8, .rules = 2, .fixed_mask = 0x40, .fixed = 0x40,
        .field = {{.max = 15, .runs = 1, .run = {{2, 4}}}},
        .rule = {{.mask = 0x3C, .at = 0, .odd = 1}, {.mask = 0xBC, .at = 7}},
    };
    struct ax_wiegand_format f = good;
    CHECK_EQ(ax_wiegand_format_check(&f), AX_OK);
    CHECK_EQ(ax_wiegand_format_check(NULL), AX_E_ARG);
#define BAD(statement)                                                                                                 \
    do {                                                                                                               \
        f = good;                                                                                                      \
        statement;                                                                                                     \
        CHECK_EQ(ax_wiegand_format_check(&f), AX_E_RANGE);                                                             \
    } while (0)
    BAD(f.bits = 0);
    BAD(f.bits = 65);
    BAD(f.rules = 9);
    BAD(f.fixed_mask = 0x140);
    BAD(f.fixed = 1);
    BAD(f.field[0].runs = 17);
    BAD(f.field[0].run[0].len = 7);
    BAD(f.field[0].run[0].len = 0);
    BAD(f.field[0].run[0].at = 1);
    BAD(f.field[0].max = 16);
    BAD(f.field[1].max = 1);
    BAD(f.rule[0].at = 3);
    BAD(f.rule[0].at = 8);
    BAD(f.rule[1].at = 200);
    BAD(f.rule[0].odd = 2);
    BAD(f.rule[0].mask = 1);     /* covers the later rule's bit */
    BAD(f.rule[0].mask = 0x80);  /* covers itself */
    BAD(f.rule[0].mask = 0x100); /* outside */
    /* A field of all 64 bits. */
    const struct ax_wiegand_format wide = {
        .name = "w", .bits = 64, .field = {{.max = 0}, {.max = UINT64_MAX, .runs = 1, .run = {{0, 64}}}}};
    struct ax_wiegand_card card = {{0, UINT64_MAX - 5, 0, 0}}, back;
    uint64_t frame = 0;
    CHECK_EQ(ax_wiegand_format_check(&wide), AX_OK);
    CHECK_EQ(ax_wiegand_format_encode(&wide, &card, &frame), AX_OK);
    CHECK(frame == UINT64_MAX - 5);
    CHECK_EQ(ax_wiegand_format_decode(&wide, frame, 64, &back), AX_OK);
    CHECK(back.value[1] == UINT64_MAX - 5);
}

int main(void)
{
    test_rows();
    test_round_trips();
    test_vectors();
    test_refusals();
    test_check();
    return ax_test_done();
}
