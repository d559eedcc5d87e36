#include "sim/board/vga.h"

#include "sim/base/snap.h"
#include "sim/board/clock.h"

#include <stdlib.h>
#include <string.h>

enum { PLANE_BYTES = 65536, NR_PLANES = 4 };
enum { NR_CRTC = 25, NR_SEQUENCER = 5, NR_GRAPHICS = 9, NR_ATTRIBUTE = 21, NR_COLOURS = 256 };

/* The CRT controller's ports lie at 3Bxh or 3Dxh (miscellaneous output, bit 0). */
enum {
    PORT_MONO_CRTC = 0x3b4,
    PORT_MONO_STATUS = 0x3ba,
    PORT_ATTRIBUTE = 0x3c0,
    PORT_ATTRIBUTE_READ = 0x3c1,
    PORT_MISC_WRITE = 0x3c2, /* read: input status 0 */
    PORT_ENABLE = 0x3c3,
    PORT_SEQUENCER = 0x3c4,
    PORT_DAC_MASK = 0x3c6,
    PORT_DAC_READ = 0x3c7, /* write: index; read: state */
    PORT_DAC_WRITE = 0x3c8,
    PORT_DAC_DATA = 0x3c9,
    PORT_FEATURE_READ = 0x3ca,
    PORT_MISC_READ = 0x3cc,
    PORT_GRAPHICS = 0x3ce,
    PORT_COLOUR_CRTC = 0x3d4,
    PORT_COLOUR_STATUS = 0x3da,
};

enum { MISC_COLOUR = 1 << 0, MISC_MEMORY = 1 << 1, MISC_CLOCK_28 = 1 << 2 };
enum { STATUS_0_SENSE = 1 << 4, STATUS_NO_DISPLAY = 1 << 0, STATUS_RETRACE = 1 << 3 };
enum { SEQ_RESET, SEQ_CLOCKING, SEQ_MAP_MASK, SEQ_FONT, SEQ_MODE };
enum {
    CLOCKING_8_DOTS = 1 << 0,
    CLOCKING_SCREEN_OFF = 1 << 5,
    MODE_NOT_ODD_EVEN = 1 << 2,
    MODE_CHAIN = 1 << 3
};
enum {
    GFX_SET,
    GFX_ENABLE_SET,
    GFX_COMPARE,
    GFX_ROTATE,
    GFX_READ_PLANE,
    GFX_MODE,
    GFX_MISC,
    GFX_DONT_CARE,
    GFX_BIT_MASK
};
enum {
    MISC_GRAPHICS = 1 << 0,
    MISC_CHAIN_ODD_EVEN = 1 << 1,
    GFX_READ_COMPARES = 1 << 3,
    GFX_READ_ODD_EVEN = 1 << 4
};
enum {
    CRTC_H_TOTAL = 0x00,
    CRTC_H_END = 0x01,
    CRTC_V_TOTAL = 0x06,
    CRTC_OVERFLOW = 0x07,
    CRTC_MAX_SCAN = 0x09,
    CRTC_CURSOR_START = 0x0a,
    CRTC_START = 0x0c,
    CRTC_CURSOR = 0x0e,
    CRTC_V_RETRACE = 0x10,
    CRTC_V_RETRACE_END = 0x11,
    CRTC_V_END = 0x12,
    CRTC_OFFSET = 0x13,
};
enum { CURSOR_OFF = 1 << 5, CRTC_PROTECT = 1 << 7, OVERFLOW_LINE_COMPARE = 1 << 4 };
enum { ATTRIBUTE_MODE = 0x10, ATTRIBUTE_SELECT = 0x14, ATTRIBUTE_SHOWN = 1 << 5, MODE_P54 = 1 << 7 };
enum { DAC_READING = 3, DAC_WRITING = 0 };

/* Some ports in a row. */
struct port_range {
    struct vga *vga;
    uint16_t first, nr_ports;
};
static const struct port_range port_ranges[] = {
    {.first = PORT_MONO_CRTC, .nr_ports = 2},     {.first = PORT_MONO_STATUS, .nr_ports = 1},
    {.first = PORT_ATTRIBUTE, .nr_ports = 16},    {.first = PORT_COLOUR_CRTC, .nr_ports = 2},
    {.first = PORT_COLOUR_STATUS, .nr_ports = 1},
};
enum { NR_PORT_RANGES = sizeof port_ranges / sizeof *port_ranges };

struct vga {
    struct vga_params params;
    struct port_range ports[NR_PORT_RANGES];
    uint8_t planes[NR_PLANES][PLANE_BYTES], latch[NR_PLANES];
    uint8_t crtc[NR_CRTC], sequencer[NR_SEQUENCER], graphics[NR_GRAPHICS], attribute[NR_ATTRIBUTE];
    uint8_t crtc_index, sequencer_index, graphics_index, attribute_index;
    bool attribute_takes_data; /* the flip-flop of port 3C0h */
    uint8_t misc, feature, enable;
    uint8_t dac[NR_COLOURS][3], dac_mask, dac_state, dac_read_index, dac_write_index, dac_part;
    uint64_t nr_accesses;
};

static const uint8_t sequencer_bits[NR_SEQUENCER] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e};
static const uint8_t graphics_bits[NR_GRAPHICS] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff};

/* ---- Timing ---- */

static unsigned with_overflow(const struct vga *vga, unsigned reg, unsigned bit_8, unsigned bit_9)
{
    unsigned overflow = vga->crtc[CRTC_OVERFLOW];
    return vga->crtc[reg] | (overflow >> bit_8 & 1) << 8 | (overflow >> bit_9 & 1) << 9;
}

static unsigned dots_per_character(const struct vga *vga)
{
    return vga->sequencer[SEQ_CLOCKING] & CLOCKING_8_DOTS ? 8 : 9;
}

static unsigned lines_shown(const struct vga *vga)
{
    return with_overflow(vga, CRTC_V_END, 1, 6) + 1;
}

/* Input status 1: where the beam is, counted in dots since power-on. */
static uint8_t beam_status(const struct vga *vga)
{
    const struct dev_clock clock = {.cpu_hz = vga->params.cpu_hz,
                                    .hz = vga->misc & MISC_CLOCK_28 ? 28322000 : 25175000};
    uint64_t dot = dev_clock_ticks(&clock, ev_now(vga->params.events));
    unsigned line_dots = (vga->crtc[CRTC_H_TOTAL] + 5u) * dots_per_character(vga);
    unsigned nr_lines = with_overflow(vga, CRTC_V_TOTAL, 0, 5) + 2;
    unsigned line = (unsigned)(dot / line_dots % nr_lines), column = (unsigned)(dot % line_dots);
    unsigned retrace = with_overflow(vga, CRTC_V_RETRACE, 2, 7);
    unsigned retrace_lines = ((vga->crtc[CRTC_V_RETRACE_END] & 0xfu) - retrace) & 0xf;
    bool is_shown =
        line < lines_shown(vga) && column < (vga->crtc[CRTC_H_END] + 1u) * dots_per_character(vga);
    return (uint8_t)((is_shown ? 0 : STATUS_NO_DISPLAY) |
                     (line >= retrace && line < retrace + retrace_lines ? STATUS_RETRACE : 0));
}

/* ---- Registers ---- */

static uint8_t get(const uint8_t *registers, unsigned nr, unsigned index)
{
    return index < nr ? registers[index] : 0xff;
}

/* With CRTC 11h bit 7 set, 0-7 are write-protected, but for the line compare bit of 7. */
static void write_crtc(struct vga *vga, uint8_t value)
{
    unsigned index = vga->crtc_index;
    if (index >= NR_CRTC)
        return;
    uint8_t writable = 0xff;
    if ((vga->crtc[CRTC_V_RETRACE_END] & CRTC_PROTECT) && index <= CRTC_OVERFLOW)
        writable = index == CRTC_OVERFLOW ? OVERFLOW_LINE_COMPARE : 0;
    vga->crtc[index] = (uint8_t)((vga->crtc[index] & ~writable) | (value & writable));
}

static void write_attribute(struct vga *vga, uint8_t value)
{
    unsigned index = vga->attribute_index & 0x1f;
    if (!vga->attribute_takes_data)
        vga->attribute_index = value & 0x3f;
    else if (index < NR_ATTRIBUTE)
        vga->attribute[index] = value & (index < ATTRIBUTE_MODE ? 0x3f : 0xff);
    vga->attribute_takes_data = !vga->attribute_takes_data;
}

static uint8_t read_dac(struct vga *vga)
{
    uint8_t value = vga->dac[vga->dac_read_index][vga->dac_part];
    vga->dac_part = (uint8_t)((vga->dac_part + 1) % 3);
    vga->dac_read_index = (uint8_t)(vga->dac_read_index + (vga->dac_part == 0));
    return value;
}

static void write_dac(struct vga *vga, uint8_t value)
{
    vga->dac[vga->dac_write_index][vga->dac_part] = value & 0x3f;
    vga->dac_part = (uint8_t)((vga->dac_part + 1) % 3);
    vga->dac_write_index = (uint8_t)(vga->dac_write_index + (vga->dac_part == 0));
}

/* The port as if the CRT controller were the colour one; 0: it is not decoded now. */
static unsigned port_of(const struct port_range *range, uint64_t offset)
{
    const struct vga *vga = range->vga;
    unsigned port = range->first + (unsigned)offset;
    bool is_mono = port < PORT_ATTRIBUTE, is_colour = port >= PORT_COLOUR_CRTC;
    if (is_mono)
        return vga->misc & MISC_COLOUR ? 0 : port + PORT_COLOUR_CRTC - PORT_MONO_CRTC;
    return is_colour && !(vga->misc & MISC_COLOUR) ? 0 : port;
}

static uint64_t read_port(void *opaque, uint64_t offset, unsigned size)
{
    const struct port_range *range = opaque;
    struct vga *vga = range->vga;
    (void)size;
    switch (port_of(range, offset)) {
    case PORT_ATTRIBUTE:
        return vga->attribute_index;
    case PORT_ATTRIBUTE_READ:
        return get(vga->attribute, NR_ATTRIBUTE, vga->attribute_index & 0x1f);
    case PORT_MISC_WRITE:
        return STATUS_0_SENSE;
    case PORT_ENABLE:
        return vga->enable;
    case PORT_SEQUENCER:
        return vga->sequencer_index;
    case PORT_SEQUENCER + 1:
        return get(vga->sequencer, NR_SEQUENCER, vga->sequencer_index);
    case PORT_DAC_MASK:
        return vga->dac_mask;
    case PORT_DAC_READ:
        return vga->dac_state;
    case PORT_DAC_WRITE:
        return vga->dac_write_index;
    case PORT_DAC_DATA:
        return read_dac(vga);
    case PORT_FEATURE_READ:
        return vga->feature;
    case PORT_MISC_READ:
        return vga->misc;
    case PORT_GRAPHICS:
        return vga->graphics_index;
    case PORT_GRAPHICS + 1:
        return get(vga->graphics, NR_GRAPHICS, vga->graphics_index);
    case PORT_COLOUR_CRTC:
        return vga->crtc_index;
    case PORT_COLOUR_CRTC + 1:
        return get(vga->crtc, NR_CRTC, vga->crtc_index);
    case PORT_COLOUR_STATUS:
        vga->attribute_takes_data = false;
        return beam_status(vga);
    default:
        return 0xff;
    }
}

static void write_port(void *opaque, uint64_t offset, unsigned size, uint64_t wide_value)
{
    const struct port_range *range = opaque;
    struct vga *vga = range->vga;
    uint8_t value = (uint8_t)wide_value;
    (void)size;
    switch (port_of(range, offset)) {
    case PORT_ATTRIBUTE:
        write_attribute(vga, value);
        break;
    case PORT_MISC_WRITE:
        vga->misc = value & 0xef;
        break;
    case PORT_ENABLE:
        vga->enable = value & 1;
        break;
    case PORT_SEQUENCER:
        vga->sequencer_index = value & 7;
        break;
    case PORT_SEQUENCER + 1:
        if (vga->sequencer_index < NR_SEQUENCER)
            vga->sequencer[vga->sequencer_index] = value & sequencer_bits[vga->sequencer_index];
        break;
    case PORT_DAC_MASK:
        vga->dac_mask = value;
        break;
    case PORT_DAC_READ:
        vga->dac_read_index = value;
        vga->dac_part = 0;
        vga->dac_state = DAC_READING;
        break;
    case PORT_DAC_WRITE:
        vga->dac_write_index = value;
        vga->dac_part = 0;
        vga->dac_state = DAC_WRITING;
        break;
    case PORT_DAC_DATA:
        write_dac(vga, value);
        break;
    case PORT_GRAPHICS:
        vga->graphics_index = value & 0xf;
        break;
    case PORT_GRAPHICS + 1:
        if (vga->graphics_index < NR_GRAPHICS)
            vga->graphics[vga->graphics_index] = value & graphics_bits[vga->graphics_index];
        break;
    case PORT_COLOUR_CRTC:
        vga->crtc_index = value & 0x3f;
        break;
    case PORT_COLOUR_CRTC + 1:
        write_crtc(vga, value);
        break;
    case PORT_COLOUR_STATUS:
        vga->feature = value & 3;
        break;
    default:
        break;
    }
}

/* ---- Memory ---- */

/* Where in a plane an address of A0000h-BFFFFh leads, and which planes it may reach. False: nowhere. */
static bool find(const struct vga *vga, uint64_t offset, bool is_read, unsigned *at, unsigned *planes)
{
    static const struct {
        uint32_t base, bytes;
    } windows[] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};
    unsigned window = vga->graphics[GFX_MISC] >> 2 & 3;
    if (!(vga->misc & MISC_MEMORY) || offset - windows[window].base >= windows[window].bytes)
        return false;
    *at = (unsigned)(offset - windows[window].base) % PLANE_BYTES;
    bool is_odd_even = is_read ? vga->graphics[GFX_MODE] & GFX_READ_ODD_EVEN
                               : !(vga->sequencer[SEQ_MODE] & MODE_NOT_ODD_EVEN);
    *planes = is_read ? 1u << vga->graphics[GFX_READ_PLANE] : 0xf;
    if (vga->sequencer[SEQ_MODE] & MODE_CHAIN) {
        *planes = 1u << (*at & 3);
        *at &= ~3u;
    } else if (is_odd_even) {
        *planes = (*at & 1) ? 0xa : 0x5;
        if (is_read)
            *planes &= 3u << (vga->graphics[GFX_READ_PLANE] & 2);
        if (vga->graphics[GFX_MISC] & MISC_CHAIN_ODD_EVEN)
            *at &= ~1u;
    }
    return true;
}

static uint64_t read_memory(void *opaque, uint64_t offset, unsigned size)
{
    struct vga *vga = opaque;
    unsigned at, planes;
    (void)size;
    vga->nr_accesses++;
    if (!find(vga, offset, true, &at, &planes))
        return 0xff;
    for (unsigned plane = 0; plane < NR_PLANES; plane++)
        vga->latch[plane] = vga->planes[plane][at];
    if (!(vga->graphics[GFX_MODE] & GFX_READ_COMPARES))
        return vga->latch[__builtin_ctz(planes)];
    uint8_t differs = 0;
    for (unsigned plane = 0; plane < NR_PLANES; plane++) {
        if (vga->graphics[GFX_DONT_CARE] >> plane & 1)
            differs |= vga->latch[plane] ^ (vga->graphics[GFX_COMPARE] >> plane & 1 ? 0xff : 0);
    }
    return (uint8_t)~differs;
}

static uint8_t combine(const struct vga *vga, uint8_t value, uint8_t latch)
{
    switch (vga->graphics[GFX_ROTATE] >> 3) {
    case 1:
        return value & latch;
    case 2:
        return value | latch;
    case 3:
        return value ^ latch;
    default:
        return value;
    }
}

/* What one plane gets of a byte written, by write mode. */
static uint8_t plane_value(const struct vga *vga, unsigned plane, uint8_t value)
{
    unsigned rotation = vga->graphics[GFX_ROTATE] & 7;
    uint8_t rotated = (uint8_t)(value >> rotation | value << (8 - rotation)),
            mask = vga->graphics[GFX_BIT_MASK];
    uint8_t latch = vga->latch[plane], set = vga->graphics[GFX_SET] >> plane & 1 ? 0xff : 0;
    switch (vga->graphics[GFX_MODE] & 3) {
    case 0:
        if (!(vga->graphics[GFX_ENABLE_SET] >> plane & 1))
            set = rotated;
        break;
    case 1:
        return latch;
    case 2:
        set = value >> plane & 1 ? 0xff : 0;
        break;
    default:
        mask &= rotated;
        break;
    }
    return (uint8_t)((combine(vga, set, latch) & mask) | (latch & ~mask));
}

static void write_memory(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct vga *vga = opaque;
    unsigned at, planes;
    (void)size;
    vga->nr_accesses++;
    if (!find(vga, offset, false, &at, &planes))
        return;
    planes &= vga->sequencer[SEQ_MAP_MASK];
    for (unsigned plane = 0; plane < NR_PLANES; plane++) {
        if (planes >> plane & 1)
            vga->planes[plane][at] = plane_value(vga, plane, (uint8_t)value);
    }
}

/* ---- What is shown ---- */

unsigned vga_code_point(uint8_t character)
{
    static const uint16_t low[32] = {
        ' ',    0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022, 0x25d8, 0x25cb, 0x25d9,
        0x2642, 0x2640, 0x266a, 0x266b, 0x263c, 0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7,
        0x25ac, 0x21a8, 0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc,
    };
    static const uint16_t high[129] = {
        0x2302, 0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8,
        0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb,
        0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3,
        0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab,
        0x00bb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551,
        0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e,
        0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565,
        0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590,
        0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9,
        0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7,
        0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
    };
    return character < 32 ? low[character] : character < 127 ? character : high[character - 127];
}

uint32_t vga_colour(const struct vga *vga, unsigned colour)
{
    unsigned index = vga->attribute[colour & 15] & 0x3f, select = vga->attribute[ATTRIBUTE_SELECT];
    if (vga->attribute[ATTRIBUTE_MODE] & MODE_P54)
        index = (index & 0xf) | (select & 3) << 4;
    index = (index | (select & 0xc) << 4) & vga->dac_mask;
    uint32_t rgb = 0;
    for (unsigned part = 0; part < 3; part++)
        rgb = rgb << 8 | (vga->dac[index][part] * 255u + 31) / 63;
    return rgb;
}

void vga_read_screen(const struct vga *vga, struct vga_screen *screen)
{
    *screen = (struct vga_screen){.is_text = false};
    unsigned scans = (vga->crtc[CRTC_MAX_SCAN] & 0x1fu) + 1, nr_rows = lines_shown(vga) / scans;
    bool is_shown = (vga->attribute_index & ATTRIBUTE_SHOWN) &&
                    !(vga->sequencer[SEQ_CLOCKING] & CLOCKING_SCREEN_OFF) && (vga->misc & MISC_MEMORY);
    if (!is_shown || (vga->graphics[GFX_MISC] & MISC_GRAPHICS))
        return;
    screen->is_text = true;
    screen->nr_columns = vga->crtc[CRTC_H_END] + 1u;
    screen->nr_rows = nr_rows < VGA_MAX_ROWS ? nr_rows : VGA_MAX_ROWS;
    unsigned start = (unsigned)(vga->crtc[CRTC_START] << 8 | vga->crtc[CRTC_START + 1]);
    unsigned cursor = (unsigned)(vga->crtc[CRTC_CURSOR] << 8 | vga->crtc[CRTC_CURSOR + 1]);
    unsigned stride = vga->crtc[CRTC_OFFSET] * 2u;
    for (unsigned row = 0; row < screen->nr_rows; row++) {
        for (unsigned column = 0; column < screen->nr_columns; column++) {
            unsigned character = start + row * stride + column, at = character * 2 % PLANE_BYTES;
            screen->cells[row][column] = (struct vga_cell){vga->planes[0][at], vga->planes[1][at]};
            if ((character & 0xffff) != cursor || (vga->crtc[CRTC_CURSOR_START] & CURSOR_OFF))
                continue;
            screen->has_cursor = true;
            screen->cursor_column = column;
            screen->cursor_row = row;
        }
    }
}

uint64_t vga_nr_accesses(const struct vga *vga)
{
    return vga->nr_accesses;
}

/* ---- Making it ---- */

/* The registers of mode 3 with 400 lines, as the VGA's BIOS sets them. */
void vga_set_text_mode(struct vga *vga)
{
    static const uint8_t crtc[NR_CRTC] = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00,
                                          0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e,
                                          0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff};
    static const uint8_t sequencer[NR_SEQUENCER] = {0x03, 0x00, 0x03, 0x00, 0x02};
    static const uint8_t graphics[NR_GRAPHICS] = {0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff};
    static const uint8_t attribute[NR_ATTRIBUTE] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14,
                                                    0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d,
                                                    0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00};
    memcpy(vga->crtc, crtc, sizeof crtc);
    memcpy(vga->sequencer, sequencer, sizeof sequencer);
    memcpy(vga->graphics, graphics, sizeof graphics);
    memcpy(vga->attribute, attribute, sizeof attribute);
    vga->attribute_index = ATTRIBUTE_SHOWN;
    vga->misc = 0x67;
    vga->enable = 1;
    vga->dac_mask = 0xff;
    /* The EGA's 64 colours: bits 2-0 are two thirds of red, green and blue, bits 5-3 one third. */
    for (unsigned i = 0; i < 64; i++) {
        for (unsigned part = 0; part < 3; part++)
            vga->dac[i][part] = (uint8_t)((i >> (2 - part) & 1) * 0x2a + (i >> (5 - part) & 1) * 0x15);
    }
    for (unsigned at = 0; at < PLANE_BYTES; at += 2) {
        vga->planes[0][at] = ' ';
        vga->planes[1][at] = 0x07;
    }
}

struct vga *vga_create(const struct vga_params *params, struct iomap *ports, struct iomap *memory,
                       struct diag *diag)
{
    struct vga *vga = calloc(1, sizeof *vga);
    if (!vga) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "VGA: out of memory");
        return NULL;
    }
    vga->params = *params;
    const struct io_range planes = {"VGA memory", 0xa0000,      0x20000, IO_WIDTH_1,
                                    read_memory,  write_memory, vga};
    bool is_good = iomap_add(memory, &planes, diag);
    for (size_t i = 0; is_good && i < NR_PORT_RANGES; i++) {
        vga->ports[i] = port_ranges[i];
        vga->ports[i].vga = vga;
        const struct io_range range = {.name = "VGA",
                                       .base = port_ranges[i].first,
                                       .size = port_ranges[i].nr_ports,
                                       .widths = IO_WIDTH_1,
                                       .read = read_port,
                                       .write = write_port,
                                       .opaque = &vga->ports[i]};
        is_good = iomap_add(ports, &range, diag);
    }
    if (!is_good) {
        vga_destroy(vga);
        return NULL;
    }
    return vga;
}

void vga_destroy(struct vga *vga)
{
    free(vga);
}

void vga_snap(struct vga *vga, struct snap *snap)
{
    SNAP_OPEN(snap, vga);
    SNAP_SKIP(snap, vga->params);
    SNAP_SKIP(snap, vga->ports);
    for (unsigned i = 0; i < NR_PLANES; i++)
        SNAP_ARRAY(snap, vga->planes[i]);
    SNAP_ARRAY(snap, vga->latch);
    SNAP_ARRAY(snap, vga->crtc);
    SNAP_ARRAY(snap, vga->sequencer);
    SNAP_ARRAY(snap, vga->graphics);
    SNAP_ARRAY(snap, vga->attribute);
    SNAP(snap, vga->crtc_index);
    SNAP(snap, vga->sequencer_index);
    SNAP(snap, vga->graphics_index);
    SNAP(snap, vga->attribute_index);
    SNAP_FLAG(snap, vga->attribute_takes_data);
    SNAP(snap, vga->misc);
    SNAP(snap, vga->feature);
    SNAP(snap, vga->enable);
    for (unsigned i = 0; i < NR_COLOURS; i++)
        SNAP_ARRAY(snap, vga->dac[i]);
    SNAP(snap, vga->dac_mask);
    SNAP(snap, vga->dac_state);
    SNAP(snap, vga->dac_read_index);
    SNAP(snap, vga->dac_write_index);
    SNAP_BELOW(snap, vga->dac_part, 3);
    SNAP(snap, vga->nr_accesses);
    SNAP_CLOSE(snap, vga);
}
