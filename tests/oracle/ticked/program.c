/* Random programs: the tables around the code, and handlers. */
#include "tests/oracle/ticked/program_layout.h"

static void put_tables(struct core *core, struct dice *dice)
{
    core_put64(core, GDT + CODE0, 0x00cf9b000000ffff);
    core_put64(core, GDT + DATA0, 0x00cf93000000ffff);
    core_put64(core, GDT + (CODE3 & ~3), 0x00cffb000000ffff);
    core_put64(core, GDT + (DATA3 & ~3), 0x00cff3000000ffff);
    core_put64(core, GDT + TASK, core_descriptor(TSS, 0x67, 0x8b, 0));
    core_put32(core, TSS + 4, STACK0);
    core_put32(core, TSS + 8, DATA0);
    core_put32(core, DIRECTORY, TABLE | 7);
    core_put32(core, DIRECTORY + 4, ALIASES | 7);
    for (uint32_t at = 0; at < CORE_RAM_BYTES; at += PAGE_BYTES) {
        uint32_t dirty = dice_one_in(dice, 2) ? 0x60 : 0;
        core_put32(core, TABLE + (at >> PAGE_SHIFT) * 4, at | 7 | dirty);
    }
    for (uint32_t i = 0; i < NR_ALIASES; i++) {
        uint32_t page = DATA + dice_below(dice, (DATA_END - DATA) / PAGE_BYTES) * PAGE_BYTES;
        core_put32(core, ALIASES + i * 4, page | 7);
    }
    uint32_t extra = ALIASES + (GONE - ALIAS_BASE) / PAGE_BYTES * 4;
    core_put32(core, extra, 0);
    core_put32(core, extra + 4, (DATA + 0x3000) | 5);
    core_put32(core, extra + 8, (DATA + 0x4000) | 0x1f);
    core_put32(core, extra + 12, 0x100000 | 7);
}

/* Vectors: whatever faults goes on at [RESUME]; an interrupt and a call return; END halts. */
static void put_handlers(struct core *core)
{
    for (unsigned vector = 0; vector < NR_VECTORS; vector++) {
        uint32_t at = HANDLERS + vector * 64;
        bool has_code = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
        core_put64(core, IDT + vector * 8, core_gate(CODE0, at, vector >= END ? 0xee : 0x8e));
        uint8_t code[32];
        unsigned nr = 0;
        if (vector == END || vector == 8) {
            code[nr++] = 0xf4;
        } else if (vector >= INTERRUPT) {
            memcpy(code, "\x50\xff\x05\x00\x70\x01\x00\x58\xcf",
                   9); /* push eax; inc [17000]; pop eax; iret */
            code[3] = 0x20;
            code[4] = (uint8_t)(RESUME >> 8);
            code[5] = 0;
            nr = 9;
        } else {
            if (has_code) {
                memcpy(code, "\x83\xc4\x04", 3); /* add esp, 4 */
                nr = 3;
            }
            /* push eax; mov eax, [RESUME]; mov [esp + 4], eax; pop eax; iret */
            memcpy(code + nr, "\x50\xa1\x00\x70\x00\x00\x89\x44\x24\x04\x58\xcf", 12);
            nr += 12;
        }
        core_put(core, at, code, nr);
    }
}

/* The user may use the ports up to NR_PORTS_ALLOWED; the last byte must be there, and all ones. */
static void put_io_map(struct core *core)
{
    uint8_t map[IO_MAP_BYTES];
    memset(map, 0xff, sizeof map);
    memset(map, 0, NR_PORTS_ALLOWED / 8);
    core_put(core, TSS + 0x66, &(uint16_t){IO_MAP}, 2);
    core_put(core, TSS + IO_MAP, map, sizeof map);
}

void program_put(struct dice *dice, struct core *core, struct cpu_state *state)
{
    static struct program_code code;
    bool is_user = dice_one_in(dice, 2);
    put_tables(core, dice);
    put_handlers(core);
    for (unsigned i = 0; i < DATA_END - DATA; i += 8)
        core_put64(core, DATA + i, dice_next(dice) & dice_next(dice));
    program_write(dice, is_user, &code);
    core_put(core, CODE, code.bytes, code.nr_bytes);
    core_put(core, CODE + code.nr_bytes, is_user ? "\xcd\x30" : "\xf4", is_user ? 2 : 1); /* INT END, HLT */
    core_put32(core, RESUME, CODE + code.nr_bytes); /* until the program says something else */
    core->interrupt_port = PORT;
    core->vector = INTERRUPT;
    *state = (struct cpu_state){.rip = CODE + code.start,
                                .rflags = 2 | (dice_one_in(dice, 2) ? 1 << 9 : 0),
                                .cr0 = 1u | 1u << 31 | 1u << 16 | 1u << 5,
                                .cr3 = DIRECTORY,
                                .cr4 = 1u << 4 | 1u << 9 | 1u << 10,
                                .gdt_base = GDT,
                                .gdt_limit = 0x7f,
                                .idt_base = IDT,
                                .idt_limit = NR_VECTORS * 8 - 1,
                                .mxcsr = CPU_MXCSR_INITIAL};
    state->fpu.control = 0x37f;
    for (unsigned seg = 0; seg < 6; seg++)
        state->segment[seg] =
            is_user ? core_segment(DATA3, 0x00cff3000000ffff) : core_segment(DATA0, 0x00cf93000000ffff);
    state->segment[DEC_SEG_CS] =
        is_user ? core_segment(CODE3, 0x00cffb000000ffff) : core_segment(CODE0, 0x00cf9b000000ffff);
    put_io_map(core);
    state->tr = core_segment(TASK, core_descriptor(TSS, IO_MAP + IO_MAP_BYTES - 1, 0x8b, 0));
    state->gpr[CPU_SP] = is_user ? STACK3 - 64 : STACK0 - 64;
    for (unsigned i = 0; i < 8; i++)
        if (i != CPU_SP && i != CPU_BP)
            state->gpr[i] = (uint32_t)dice_next(dice);
    state->gpr[CPU_BP] = 16;
}
