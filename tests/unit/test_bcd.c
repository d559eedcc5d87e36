/*
 * AAA, AAS, DAA, DAS, AAM and AAD, over every AL, AF and CF (and what else they read), against what they are
 * for: the arithmetic of decimal digits. The formulas here do not follow the manual's pseudo-code, which the
 * executors do.
 */
#include <criterion/criterion.h>

#include "cpu/cpu.h"
#include "cpu/decode.h"

enum { RAM_BYTES = 1 << 20, CODE = 0x8000, HANDLER = 0x9000, IDT = 0xA000, GDT = 0xB000, STACK = 0x7000 };
enum { CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80 };

static struct cfg *cfg;
static struct ram ram;
static struct cpu *cpu;

static bool is_ram(void *opaque, struct paddr page)
{
    (void)opaque;
    return page.v < RAM_BYTES;
}

static uint64_t read_nothing(void *opaque, struct paddr at, unsigned size, cycle_t now)
{
    (void)opaque, (void)at, (void)size, (void)now;
    return 0;
}

static void write_nothing(void *opaque, struct paddr at, unsigned size, uint64_t value, cycle_t now)
{
    (void)opaque, (void)at, (void)size, (void)value, (void)now;
}

static uint64_t port_read(void *opaque, uint16_t port, unsigned size, cycle_t now)
{
    (void)opaque, (void)port, (void)size, (void)now;
    return 0;
}

/* The code under test ends in OUT, and so does the handler of #DE. */
static void port_write(void *opaque, uint16_t port, unsigned size, uint64_t value, cycle_t now)
{
    (void)opaque, (void)port, (void)size, (void)value, (void)now;
    cpu_request_stop(cpu);
}

static void setup(void)
{
    struct diag diag;
    diag_init(&diag);
    cfg = cfg_create();
    cr_assert(cfg && cfg_set(cfg, "cpu.model=functional", &diag));
    cr_assert(ram_init(&ram, RAM_BYTES));
    struct cpu_params params = {
        .config = cfg_values(cfg),
        .ram = &ram,
        .board = {.port_read = port_read,
                  .port_write = port_write,
                  .memory_read = read_nothing,
                  .memory_write = write_nothing},
        .is_ram = is_ram,
    };
    cpu = cpu_create(&params);
    cr_assert_not_null(cpu);
    diag_fini(&diag);
}

static void teardown(void)
{
    cpu_destroy(cpu);
    ram_fini(&ram);
    cfg_destroy(cfg);
}

TestSuite(bcd, .init = setup, .fini = teardown);

static void put_code(const uint8_t *bytes, size_t nr_bytes)
{
    static const uint8_t stop[] = {0xe6, 0x80, 0xeb, 0xfc}; /* out 0x80, al; jmp back */
    cr_assert(ram_write(&ram, paddr(CODE), bytes, nr_bytes) &&
              ram_write(&ram, paddr(CODE + nr_bytes), stop, sizeof stop));
    cr_assert(ram_write(&ram, paddr(HANDLER), stop, sizeof stop));
    cpu_code_written(cpu, paddr(CODE), nr_bytes + sizeof stop);
}

static struct segment flat(uint16_t selector, uint8_t type)
{
    struct descriptor hidden = {.limit_bytes = UINT32_MAX,
                                .type = type,
                                .is_code_or_data = true,
                                .is_present = true,
                                .is_big = true,
                                .is_granular = true};
    return (struct segment){selector, true, hidden};
}

static struct cpu_state run(uint32_t eax, uint32_t flags)
{
    struct cpu_state state = {.rip = CODE,
                              .rflags = flags | 2,
                              .cr0 = CR0_PE,
                              .idt_base = IDT,
                              .idt_limit = 7,
                              .gdt_base = GDT,
                              .gdt_limit = 15};
    state.gpr[CPU_AX] = eax;
    state.gpr[CPU_SP] = STACK;
    for (unsigned seg = 0; seg < 6; seg++)
        state.segment[seg] = flat(0x10, SEGMENT_WRITABLE | SEGMENT_ACCESSED);
    state.segment[DEC_SEG_CS] = flat(0x08, SEGMENT_CODE | SEGMENT_READABLE | SEGMENT_ACCESSED);
    cpu_set_state(cpu, &state);
    cr_assert_eq(cpu_run(cpu, cpu_now(cpu) + 10000), CPU_STOP_DEADLINE);
    return cpu_state(cpu);
}

static uint32_t sign_zero_parity(uint32_t al)
{
    unsigned ones = 0;
    for (unsigned bit = 0; bit < 8; bit++)
        ones += al >> bit & 1;
    return (al & 0x80 ? SF : 0) | (al == 0 ? ZF : 0) | (ones % 2 ? 0 : PF);
}

static uint32_t flags_of(uint32_t inputs)
{
    return (inputs & 1 ? CF : 0) | (inputs & 2 ? AF : 0);
}

static void expect(const char *name, uint32_t eax, uint32_t flags_in, uint32_t eax_out, uint32_t flags_out,
                   uint32_t defined)
{
    struct cpu_state state = run(eax, flags_in);
    cr_assert_eq((uint32_t)state.gpr[CPU_AX], eax_out, "%s of %x, flags %x: %x, not %x", name, eax, flags_in,
                 (uint32_t)state.gpr[CPU_AX], eax_out);
    cr_assert_eq((uint32_t)state.rflags & defined, flags_out & defined,
                 "%s of %x, flags %x: flags %x, not %x", name, eax, flags_in,
                 (uint32_t)state.rflags & defined, flags_out & defined);
}

enum { HIGH = 0xbeef0000 }; /* must survive */

Test(bcd, aaa_carries_a_digit_above_9_into_ah)
{
    put_code((const uint8_t[]){0x37}, 1);
    for (uint32_t i = 0; i < 256 * 4 * 3; i++) {
        uint32_t al = i & 0xff, flags = flags_of(i >> 8), ah = (const uint32_t[]){0, 0x7f, 0xff}[i >> 10];
        bool is_above = al % 16 >= 10 || flags & AF;
        /* Six is added to all of AX: a carry out of AL comes on top of the digit's. */
        uint32_t ax = is_above ? ((ah + 1) * 256 + al + 6) % 65536 : ah * 256 + al;
        ax -= ax / 16 % 16 * 16;
        expect("AAA", HIGH | ah << 8 | al, flags, HIGH | ax, is_above ? AF | CF : 0, AF | CF);
    }
}

Test(bcd, aas_borrows_a_digit_from_ah)
{
    put_code((const uint8_t[]){0x3f}, 1);
    for (uint32_t i = 0; i < 256 * 4 * 3; i++) {
        uint32_t al = i & 0xff, flags = flags_of(i >> 8), ah = (const uint32_t[]){0, 0x80, 0xff}[i >> 10];
        bool is_borrowed = al % 16 >= 10 || flags & AF;
        uint32_t ax = is_borrowed ? (65536 + ah * 256 + al - 6 - 256) % 65536 : ah * 256 + al;
        ax -= ax / 16 % 16 * 16;
        expect("AAS", HIGH | ah << 8 | al, flags, HIGH | ax, is_borrowed ? AF | CF : 0, AF | CF);
    }
}

Test(bcd, daa_of_every_al_af_and_cf)
{
    put_code((const uint8_t[]){0x27}, 1);
    for (uint32_t i = 0; i < 256 * 4; i++) {
        uint32_t al = i & 0xff, flags = flags_of(i >> 8);
        uint32_t units = al % 16 >= 10 || flags & AF ? 6 : 0, tens = al >= 154 || flags & CF ? 96 : 0;
        uint32_t sum = (al + units + tens) % 256;
        expect("DAA", HIGH | 0x5a00 | al, flags, HIGH | 0x5a00 | sum,
               sign_zero_parity(sum) | (units ? AF : 0) | (tens ? CF : 0), SF | ZF | AF | PF | CF);
    }
}

Test(bcd, das_of_every_al_af_and_cf)
{
    put_code((const uint8_t[]){0x2f}, 1);
    for (uint32_t i = 0; i < 256 * 4; i++) {
        uint32_t al = i & 0xff, flags = flags_of(i >> 8);
        int units = al % 16 >= 10 || flags & AF ? 6 : 0, tens = al >= 154 || flags & CF ? 96 : 0;
        uint32_t rest = (uint32_t)(((int)al - units - tens + 512) % 256);
        bool is_carry = tens || (int)al < units;
        expect("DAS", HIGH | 0x5a00 | al, flags, HIGH | 0x5a00 | rest,
               sign_zero_parity(rest) | (units ? AF : 0) | (is_carry ? CF : 0), SF | ZF | AF | PF | CF);
    }
}

/* What DAA is for: the sum of two packed numbers is the packed sum of the numbers. */
Test(bcd, add_and_daa_add_packed_decimals)
{
    put_code((const uint8_t[]){0x00, 0xe0, 0x27}, 3); /* add al, ah; daa */
    for (uint32_t a = 0; a < 100; a++)
        for (uint32_t b = 0; b < 100; b++) {
            uint32_t sum = (a + b) % 100, packed_a = a / 10 * 16 + a % 10, packed_b = b / 10 * 16 + b % 10;
            expect("ADD, DAA", packed_b << 8 | packed_a, 0, packed_b << 8 | (sum / 10 * 16 + sum % 10),
                   a + b > 99 ? CF : 0, CF);
        }
}

Test(bcd, sub_and_das_subtract_packed_decimals)
{
    put_code((const uint8_t[]){0x28, 0xe0, 0x2f}, 3); /* sub al, ah; das */
    for (uint32_t a = 0; a < 100; a++)
        for (uint32_t b = 0; b < 100; b++) {
            uint32_t rest = (100 + a - b) % 100, packed_a = a / 10 * 16 + a % 10,
                     packed_b = b / 10 * 16 + b % 10;
            expect("SUB, DAS", packed_b << 8 | packed_a, 0, packed_b << 8 | (rest / 10 * 16 + rest % 10),
                   a < b ? CF : 0, CF);
        }
}

Test(bcd, add_and_aaa_add_two_digits_of_text)
{
    put_code((const uint8_t[]){0x00, 0xe0, 0xb4, 0, 0x37}, 5); /* add al, ah; mov ah, 0; aaa */
    for (uint32_t a = 0; a < 10; a++)
        for (uint32_t b = 0; b < 10; b++)
            expect("ADD, AAA", ('0' + b) << 8 | ('0' + a), 0, (a + b) / 10 << 8 | (a + b) % 10,
                   a + b > 9 ? CF : 0, CF);
}

Test(bcd, aam_splits_al_in_every_base)
{
    for (uint32_t base = 1; base < 256; base++) {
        put_code((const uint8_t[]){0xd4, (uint8_t)base}, 2);
        for (uint32_t al = base % 3; al < 256; al += 3) {
            uint32_t quotient = 0, rest = al;
            for (; rest >= base; rest -= base)
                quotient++;
            expect("AAM", HIGH | 0x5a00 | al, CF, HIGH | quotient << 8 | rest, sign_zero_parity(rest),
                   SF | ZF | PF);
        }
    }
}

Test(bcd, aam_by_zero_is_a_divide_error_and_changes_nothing)
{
    static const uint8_t gate[] = {HANDLER & 0xff, HANDLER >> 8, 0x08, 0, 0, 0x8e, 0, 0};
    static const uint64_t code = 0x00cf9b000000ffff;
    struct cpu_fault_record fault[CPU_FAULT_HISTORY];
    put_code((const uint8_t[]){0xd4, 0}, 2);
    cr_assert(ram_write(&ram, paddr(IDT), gate, sizeof gate));
    cr_assert(ram_write(&ram, paddr(GDT + 8), &code, sizeof code));
    expect("AAM 0", HIGH | 0x1234, CF | SF, HIGH | 0x1234, CF | SF, CF | PF | AF | ZF | SF);
    cr_assert_eq(cpu_fault_history(cpu, fault), 1);
    cr_assert_eq(fault[0].vector, 0);
    cr_assert_eq(fault[0].rip, CODE);
}

Test(bcd, aad_is_al_plus_ah_digits)
{
    for (uint32_t base = 0; base < 256; base += 5) {
        put_code((const uint8_t[]){0xd5, (uint8_t)base}, 2);
        for (uint32_t i = 0; i < 65536; i += 251) {
            uint32_t al = i & 0xff, ah = i >> 8, sum = al;
            for (uint32_t digit = 0; digit < ah; digit++)
                sum = (sum + base) % 256;
            expect("AAD", HIGH | i, CF, HIGH | sum, sign_zero_parity(sum), SF | ZF | PF);
        }
    }
}
