/*
 * The VGA: registers, the planes behind its window by the modes that reach them (IBM PS/2 Hardware Interface
 * Technical Reference), the beam, and what the screen shows.
 */
#include "sim/board/vga.h"

#include "tests/unit/board_fixture.h"

enum { CPU_HZ = 1000000000, TEXT = 0xb8000, GRAPHICS = 0xa0000 };

static struct board_fixture at;
static struct iomap *memory;
static struct vga *vga;
static struct vga_screen screen;

static void setup(void)
{
    fixture_init(&at);
    memory = iomap_create("memory");
    vga = vga_create(&(struct vga_params){.events = at.events, .cpu_hz = CPU_HZ}, at.ports, memory, &at.diag);
    cr_assert(vga);
    vga_set_text_mode(vga);
}

static void teardown(void)
{
    vga_destroy(vga);
    iomap_destroy(memory);
    fixture_fini(&at);
}

TestSuite(vga, .init = setup, .fini = teardown);

static void set(uint16_t port, uint8_t index, uint8_t value)
{
    out(&at, port, index);
    out(&at, port + 1, value);
}

static uint8_t get(uint16_t port, uint8_t index)
{
    out(&at, port, index);
    return in(&at, port + 1);
}

static void poke(uint32_t address, uint8_t value)
{
    iomap_write(memory, address, 1, value);
}

static uint8_t peek(uint32_t address)
{
    return (uint8_t)iomap_read(memory, address, 1);
}

Test(vga, text_is_character_and_attribute_in_turn)
{
    iomap_write(memory, TEXT, 4, 0x1f420741); /* "A" grey on black, "B" white on blue */
    poke(TEXT + (24 * 80 + 79) * 2, 0xdb);
    cr_assert_eq(iomap_read(memory, TEXT, 4), 0x1f420741);
    cr_assert_eq(peek(0xa0000), 0xff); /* the window is B8000h-BFFFFh */
    vga_read_screen(vga, &screen);
    cr_assert(screen.is_text);
    cr_assert_eq(screen.nr_columns, 80);
    cr_assert_eq(screen.nr_rows, 25);
    cr_assert_eq(screen.cells[0][0].character, 'A');
    cr_assert_eq(screen.cells[0][0].attribute, 7);
    cr_assert_eq(screen.cells[0][1].character, 'B');
    cr_assert_eq(screen.cells[0][1].attribute, 0x1f);
    cr_assert_eq(screen.cells[24][79].character, 0xdb);
    cr_assert_eq(screen.cells[12][40].character, ' ');
    cr_assert_eq(vga_code_point(0xdb), 0x2588);
    cr_assert_eq(vga_code_point('~'), '~');
    cr_assert_eq(vga_code_point(0xff), 0xa0);
    cr_assert_eq(vga_code_point(0x80), 0xc7);
    cr_assert_eq(vga_code_point(0xc9), 0x2554); /* double line, top left corner */
}

Test(vga, the_start_address_scrolls_and_the_cursor_has_its_place)
{
    poke(TEXT + 80 * 2, 'x');
    set(0x3d4, 0x0d, 80);
    set(0x3d4, 0x0e, (80 * 3 + 5) >> 8);
    set(0x3d4, 0x0f, (80 * 3 + 5) & 0xff);
    vga_read_screen(vga, &screen);
    cr_assert_eq(screen.cells[0][0].character, 'x');
    cr_assert(screen.has_cursor);
    cr_assert_eq(screen.cursor_row, 2);
    cr_assert_eq(screen.cursor_column, 5);
    set(0x3d4, 0x0a, 0x20);
    vga_read_screen(vga, &screen);
    cr_assert_not(screen.has_cursor);
    set(0x3d4, 0x09, 7); /* characters of 8 lines: 50 rows */
    vga_read_screen(vga, &screen);
    cr_assert_eq(screen.nr_rows, 50);
    set(0x3ce, 6, 5);
    vga_read_screen(vga, &screen);
    cr_assert_not(screen.is_text);
}

Test(vga, registers_keep_the_bits_they_have)
{
    static const struct {
        uint16_t port;
        uint8_t index, bits;
    } rows[] = {{0x3c4, 0, 0x03}, {0x3c4, 1, 0x3d}, {0x3c4, 2, 0x0f}, {0x3c4, 4, 0x0e}, {0x3ce, 0, 0x0f},
                {0x3ce, 3, 0x1f}, {0x3ce, 4, 0x03}, {0x3ce, 5, 0x7b}, {0x3ce, 8, 0xff}, {0x3d4, 0x0c, 0xff}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set(rows[i].port, rows[i].index, 0xff);
        cr_assert_eq(get(rows[i].port, rows[i].index), rows[i].bits, "row %zu", i);
    }
    cr_assert_eq(get(0x3c4, 7), 0xff);
    cr_assert_eq(in(&at, 0x3cc), 0x67);
    iomap_write(at.ports, 0x3d4, 2, 0x5a0f); /* index and value at once */
    cr_assert_eq(get(0x3d4, 0x0f), 0x5a);
}

Test(vga, crtc_protection)
{
    set(0x3d4, 0x00, 0x12); /* bit 7 of register 11h is set */
    cr_assert_eq(get(0x3d4, 0x00), 0x5f);
    set(0x3d4, 0x07, 0x00);
    cr_assert_eq(get(0x3d4, 0x07), 0x0f); /* of 1Fh only the line compare bit went */
    set(0x3d4, 0x11, 0x0e);
    set(0x3d4, 0x00, 0x12);
    cr_assert_eq(get(0x3d4, 0x00), 0x12);
}

Test(vga, the_attribute_controller_takes_index_and_data_in_turn)
{
    in(&at, 0x3da);
    out(&at, 0x3c0, 0x01);
    out(&at, 0x3c0, 0x3c);
    out(&at, 0x3c0, 0x01);
    cr_assert_eq(in(&at, 0x3c1), 0x3c);
    in(&at, 0x3da);
    out(&at, 0x3c0, 0x10);
    cr_assert_eq(in(&at, 0x3c1), 0x0c);
    vga_read_screen(vga, &screen); /* index without bit 5: the screen is off */
    cr_assert_not(screen.is_text);
    in(&at, 0x3da);
    out(&at, 0x3c0, 0x20);
    vga_read_screen(vga, &screen);
    cr_assert(screen.is_text);
}

Test(vga, dac)
{
    cr_assert_eq(vga_colour(vga, 0), 0);
    cr_assert_eq(vga_colour(vga, 7), 0xaaaaaa);
    cr_assert_eq(vga_colour(vga, 6), 0xaa5500); /* brown, not dark yellow */
    cr_assert_eq(vga_colour(vga, 15), 0xffffff);
    out(&at, 0x3c8, 1);
    for (unsigned i = 0; i < 6; i++)
        out(&at, 0x3c9, (uint8_t)(0xc0 | i * 4));
    cr_assert_eq(in(&at, 0x3c7), 0);
    out(&at, 0x3c7, 1);
    cr_assert_eq(in(&at, 0x3c7), 3);
    for (unsigned i = 0; i < 6; i++)
        cr_assert_eq(in(&at, 0x3c9), i * 4);
}

Test(vga, monochrome_moves_the_crtc)
{
    cr_assert_eq(in(&at, 0x3b5), 0xff);
    out(&at, 0x3c2, 0x66);
    cr_assert_eq(get(0x3b4, 0x01), 0x4f);
    cr_assert_eq(in(&at, 0x3d5), 0xff);
    cr_assert_neq(in(&at, 0x3ba), 0xff);
}

/* 28.322 MHz, 900 dots a line, 449 lines, of which 400 are shown; retrace in lines 412 and 413. */
Test(vga, the_beam)
{
    const double line_cycles = 900e9 / 28322000;
    static const struct {
        double line;
        uint8_t status;
    } rows[] = {{0.5, 0},   {0.9, 1},   {399.5, 0}, {400.1, 1}, {411.9, 1}, {412.1, 9},
                {413.9, 9}, {414.1, 1}, {448.5, 1}, {449.5, 0}, {861.1, 9}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        go_to(&at, (cycle_t)(rows[i].line * line_cycles));
        cr_assert_eq(in(&at, 0x3da), rows[i].status, "line %f", rows[i].line);
    }
}

/* Mode 12h's way to its planes. */
static void open_planes(void)
{
    set(0x3c4, 4, 0x06);
    set(0x3c4, 2, 0x0f);
    set(0x3ce, 5, 0x00);
    set(0x3ce, 6, 0x05);
}

static uint8_t plane(unsigned number, uint32_t offset)
{
    set(0x3ce, 4, (uint8_t)number);
    return peek(GRAPHICS + offset);
}

Test(vga, write_modes)
{
    open_planes();
    poke(GRAPHICS + 9, 0xa5); /* mode 0: all planes of the map mask */
    set(0x3c4, 2, 0x05);
    poke(GRAPHICS + 9, 0x3c);
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(plane(i, 9), i & 1 ? 0xa5 : 0x3c);
    set(0x3c4, 2, 0x0f);
    set(0x3ce, 5, 1); /* mode 1: the latches */
    peek(GRAPHICS + 9);
    poke(GRAPHICS + 10, 0);
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(plane(i, 10), i & 1 ? 0xa5 : 0x3c);
    set(0x3ce, 5, 2); /* mode 2: a colour, through the bit mask */
    set(0x3ce, 8, 0x0f);
    peek(GRAPHICS + 10);
    poke(GRAPHICS + 10, 0x09);
    cr_assert_eq(plane(0, 10), 0x3f);
    cr_assert_eq(plane(1, 10), 0xa0);
    cr_assert_eq(plane(2, 10), 0x30);
    cr_assert_eq(plane(3, 10), 0xaf);
    set(0x3ce, 5, 3); /* mode 3: the byte masks set/reset */
    set(0x3ce, 8, 0xff);
    set(0x3ce, 0, 0x02);
    peek(GRAPHICS + 11);
    poke(GRAPHICS + 11, 0x18);
    cr_assert_eq(plane(0, 11), 0);
    cr_assert_eq(plane(1, 11), 0x18);
    set(0x3ce, 5, 0);
    set(0x3ce, 3, 0x18 | 4); /* XOR, rotated by 4 */
    peek(GRAPHICS + 11);
    poke(GRAPHICS + 11, 0x81);
    cr_assert_eq(plane(0, 11), 0x18);
    cr_assert_eq(plane(1, 11), 0x00);
    set(0x3ce, 3, 0);
    set(0x3ce, 1, 0x0f); /* enable set/reset: whatever is written */
    poke(GRAPHICS + 12, 0x00);
    cr_assert_eq(plane(0, 12), 0);
    cr_assert_eq(plane(1, 12), 0xff);
}

Test(vga, colour_compare)
{
    open_planes();
    set(0x3ce, 5, 2);
    for (unsigned i = 0; i < 8; i++) {
        set(0x3ce, 8, (uint8_t)(1 << i));
        peek(GRAPHICS);
        poke(GRAPHICS, (uint8_t)i); /* pixel i has colour i */
    }
    set(0x3ce, 5, 0x08);
    set(0x3ce, 2, 5);
    set(0x3ce, 7, 0x0f);
    cr_assert_eq(peek(GRAPHICS), 1 << 5);
    set(0x3ce, 7, 0x01); /* plane 0 alone: the odd colours */
    cr_assert_eq(peek(GRAPHICS), 0xaa);
}

Test(vga, chained_planes)
{
    open_planes();
    set(0x3c4, 4, 0x0e);
    for (unsigned i = 0; i < 8; i++)
        poke(GRAPHICS + i, (uint8_t)(0x10 + i));
    cr_assert_eq(iomap_read(memory, GRAPHICS, 8), 0x1716151413121110);
    set(0x3c4, 4, 0x06);
    cr_assert_eq(plane(1, 0), 0x11);
    cr_assert_eq(plane(3, 4), 0x17);
}
