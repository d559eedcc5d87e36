/* Packets of gdb's remote protocol as bytes, and the registers that gdb is told of. */
#include "cpu/debugger.h"
#include "sim/observe/gdb_packet.h"
#include "sim/observe/gdb_registers.h"
#include "sim/observe/gdb_server.h"
#include "tests/unit/core_fixture.h"

#include <criterion/criterion.h>

static struct gdb_link gdb_link_of_test;

static void end_link(void)
{
    gdb_link_fini(&gdb_link_of_test);
}

TestSuite(gdb_packet, .fini = end_link);

static enum gdb_event take(const char *text, size_t *nr_taken)
{
    return gdb_link_take(&gdb_link_of_test, (const uint8_t *)text, strlen(text), nr_taken);
}

/* All that is to be sent is this; and it is sent. */
static void expect_output(const char *text)
{
    struct gdb_link *link = &gdb_link_of_test;
    cr_assert_eq(link->nr_out, strlen(text), "%.*s", (int)link->nr_out, (const char *)link->out);
    cr_assert(link->nr_out == 0 || memcmp(link->out, text, link->nr_out) == 0);
    link->nr_out = 0;
}

Test(gdb_packet, is_taken_with_its_checksum)
{
    /* The examples of the gdb manual's "Overview" and of its session of packets. */
    size_t nr_taken;
    cr_assert_eq(take("$qC#b4$g#67", &nr_taken), GDB_EVENT_PACKET);
    cr_assert_eq(nr_taken, 6);
    cr_assert_str_eq(gdb_link_of_test.packet, "qC");
    expect_output("+");
    cr_assert_eq(take("$g#67", &nr_taken), GDB_EVENT_PACKET);
    cr_assert_str_eq(gdb_link_of_test.packet, "g");
    expect_output("+");
}

Test(gdb_packet, with_another_checksum_is_refused)
{
    size_t nr_taken;
    cr_assert_eq(take("$qC#b5", &nr_taken), GDB_EVENT_NONE);
    expect_output("-");
    cr_assert_eq(take("$qC#bg", &nr_taken), GDB_EVENT_NONE);
    expect_output("-");
}

Test(gdb_packet, may_come_byte_by_byte)
{
    static const char text[] = "+$m0,4#fd";
    size_t nr_taken;
    for (size_t i = 0; i + 2 < sizeof text; i++)
        cr_assert_eq(gdb_link_take(&gdb_link_of_test, (const uint8_t *)text + i, 1, &nr_taken),
                     GDB_EVENT_NONE);
    cr_assert_eq(take("d", &nr_taken), GDB_EVENT_PACKET);
    cr_assert_str_eq(gdb_link_of_test.packet, "m0,4");
}

Test(gdb_packet, has_its_bytes_unescaped)
{
    size_t nr_taken;
    /* "Binary data ... 0x7d 0x03 stands for #": the sum is that of the bytes as they are sent. */
    cr_assert_eq(take("$X}\x03}\x04}\x5d}\x0a#ba", &nr_taken), GDB_EVENT_PACKET);
    cr_assert_eq(gdb_link_of_test.packet_bytes, 5);
    cr_assert(memcmp(gdb_link_of_test.packet, "X#$}*", 5) == 0);
}

Test(gdb_packet, replies_are_escaped_and_sent_again_when_asked)
{
    size_t nr_taken;
    gdb_link_reply(&gdb_link_of_test, "OK", 2);
    expect_output("$OK#9a");
    gdb_link_reply(&gdb_link_of_test, "a#$}*", 5);
    static const char sent[] = "$a}\x03}\x04}\x5d}\x0a#c3";
    expect_output(sent);
    cr_assert_eq(take("-", &nr_taken), GDB_EVENT_NONE);
    expect_output(sent);
    cr_assert_eq(take("+", &nr_taken), GDB_EVENT_NONE);
    expect_output("");
}

Test(gdb_packet, break_counts_between_packets_only)
{
    size_t nr_taken;
    cr_assert_eq(take("\x03", &nr_taken), GDB_EVENT_BREAK);
    cr_assert_eq(take("$X\x03#5b", &nr_taken), GDB_EVENT_PACKET);
    cr_assert_eq(gdb_link_of_test.packet_bytes, 2);
}

Test(gdb_packet, too_long_is_told_of_once)
{
    static char text[3 * GDB_PACKET_BYTES];
    size_t nr_taken;
    uint8_t sum = 0;
    memset(text, '0', sizeof text);
    text[0] = '$';
    for (size_t i = 1; i < sizeof text - 4; i++)
        sum = (uint8_t)(sum + '0');
    snprintf(text + sizeof text - 4, 4, "#%02x", sum);
    cr_assert_eq(take(text, &nr_taken), GDB_EVENT_TOO_LONG);
    cr_assert_eq(nr_taken, sizeof text - 1);
    expect_output("+");
    cr_assert_eq(take("$g#67", &nr_taken), GDB_EVENT_PACKET);
}

Test(gdb_packet, acknowledgements_end_behind_the_reply_that_says_so)
{
    size_t nr_taken;
    gdb_link_of_test.starts_no_acks = true;
    gdb_link_reply(&gdb_link_of_test, "OK", 2);
    cr_assert_eq(take("+$g#00", &nr_taken), GDB_EVENT_PACKET);
    expect_output("$OK#9a");
}

/* ---- Registers ---- */

static struct gdb_registers registers;
static struct gdb_values values;

static unsigned number_of(const char *name)
{
    for (unsigned i = 0; i < registers.nr; i++)
        if (strcmp(registers.reg[i].name, name) == 0)
            return i;
    cr_assert_fail("no register %s", name);
    return 0;
}

static uint64_t value_of(const char *name)
{
    uint8_t bytes[GDB_MAX_REGISTER_BYTES];
    uint64_t value;
    gdb_register_get(&registers, number_of(name), &values, bytes);
    memcpy(&value, bytes, sizeof value);
    return value;
}

static bool set_value(const char *name, uint64_t value)
{
    uint8_t bytes[GDB_MAX_REGISTER_BYTES] = {0};
    memcpy(bytes, &value, sizeof value);
    return gdb_register_set(&registers, number_of(name), &values, bytes);
}

Test(gdb_registers, of_the_x87_unit_follow_the_top_of_its_stack)
{
    gdb_registers_init(&registers, false, true);
    values = (struct gdb_values){0};
    struct fpu *fpu = &values.state.fpu;
    fpu->status = 6 << 11; /* TOP 6: ST(0) is register 6, ST(2) register 0 */
    fpu->in_use = 1 << 6 | 1 << 7 | 1 << 0 | 1 << 1;
    fpu->reg[6] = (struct x87_register){.mantissa = 1ull << 63, .sign_exponent = 0x3fff};
    fpu->reg[7] = (struct x87_register){.mantissa = 1ull << 63, .sign_exponent = 0x7fff}; /* infinity */
    fpu->reg[1] = (struct x87_register){.mantissa = 1, .sign_exponent = 0};               /* denormal */
    cr_assert_eq(value_of("st0"), 1ull << 63);
    /* SDM 1 figure 8-7: two bits a physical register; 0 valid, 1 zero, 2 special, 3 empty. */
    cr_assert_eq(value_of("ftag"), 2u << 14 | 0u << 12 | 0xff0u | 2u << 2 | 1u);
    cr_assert(set_value("ftag", 0xffff));
    cr_assert_eq(fpu->in_use, 0);
    cr_assert(set_value("st2", 77));
    cr_assert_eq(fpu->reg[0].mantissa, 77);
}

Test(gdb_registers, that_cannot_be_written_take_the_value_that_they_have)
{
    gdb_registers_init(&registers, false, true);
    values = (struct gdb_values){.cycles = 1234};
    values.state.gdt_base = 0x5000;
    cr_assert(set_value("gdt_base", 0x5000));
    cr_assert_not(set_value("gdt_base", 0x5001));
    cr_assert(set_value("cycles", 1234));
    cr_assert_not(set_value("cycles", 1));
    cr_assert_not(set_value("cs", 0x10000));
    cr_assert(set_value("cs", 0x8));
}

/* What gdb 13 wants of a description (gdb manual, "i386 Features"): these registers, in these widths. */
Test(gdb_registers, have_what_the_standard_features_want)
{
    static const char *const wide[] = {"rax", "r15", "rip"};
    for (unsigned is_64bit = 0; is_64bit < 2; is_64bit++) {
        char *text;
        size_t nr_bytes;
        gdb_registers_init(&registers, is_64bit, true);
        FILE *to = open_memstream(&text, &nr_bytes);
        gdb_registers_describe(&registers, to);
        fclose(to);
        cr_assert_eq(registers.reg[number_of("st7")].bits, 80);
        cr_assert_eq(registers.reg[number_of(is_64bit ? "xmm15" : "xmm7")].bits, 128);
        for (unsigned i = 0; is_64bit && i < 3; i++)
            cr_assert_eq(registers.reg[number_of(wide[i])].bits, 64);
        cr_assert(strstr(text, is_64bit ? ">i386:x86-64<" : ">i386<"));
        free(text);
        for (unsigned i = 0; i < registers.nr; i++)
            cr_assert_eq(number_of(registers.reg[i].name), i, "%s twice", registers.reg[i].name);
    }
    gdb_registers_init(&registers, false, false);
    for (unsigned i = 0; i < registers.nr; i++)
        cr_assert(strncmp(registers.reg[i].name, "xmm", 3) != 0);
}

/* ---- What a debugger changes ---- */

enum { CODE = 0x1000 };

/* As reset leaves all but CS. */
static const struct segment real = {
    .is_usable = true,
    .hidden = {.limit_bytes = UINT16_MAX, .type = 3, .is_code_or_data = true, .is_present = true}};

Test(gdb_core, code_that_is_written_over_runs_as_it_is)
{
    for (enum core_kind kind = 0; kind < NR_CORE_KINDS; kind++) {
        struct core core;
        core_init(&core, kind, NULL);
        struct cpu_state state = cpu_state(core.cpu);
        state.rip = CODE;
        state.rflags = 2;
        for (unsigned i = 0; i < 6; i++)
            state.segment[i] = real;
        cpu_set_state(core.cpu, &state);
        core_put(&core, CODE, (const uint8_t[]){0x40, 0xeb, 0xfd}, 3); /* inc ax; jmp to it */
        cpu_run(core.cpu, cpu_now(core.cpu) + 1000);
        cr_assert(cpu_write_physical(core.cpu, paddr(CODE), (const uint8_t[]){0x43}, 1)); /* inc bx */
        uint64_t old = cpu_state(core.cpu).gpr[CPU_AX];
        cpu_step(core.cpu);
        cpu_step(core.cpu);
        cpu_run(core.cpu, cpu_now(core.cpu) + 1000);
        cr_assert_leq(cpu_state(core.cpu).gpr[CPU_AX], old + 1);
        cr_assert_gt(cpu_state(core.cpu).gpr[CPU_BX], 100);
        cr_assert_not(cpu_write_physical(core.cpu, paddr(CORE_RAM_BYTES - 1), "ab", 2));
        core_fini(&core);
    }
}

Test(gdb_core, state_that_cannot_be_is_refused_whole)
{
    struct core core;
    core_init(&core, CORE_FUNCTIONAL, NULL);
    struct cpu_state state = cpu_state(core.cpu), wrong = state;
    wrong.gpr[CPU_AX] = 77;
    wrong.cr0 |= 1u << 31; /* paging without protection */
    cr_assert_not(cpu_change_state(core.cpu, &wrong));
    cr_assert_eq(cpu_state(core.cpu).gpr[CPU_AX], state.gpr[CPU_AX]);
    wrong = state;
    wrong.gpr[CPU_AX] = 78;
    wrong.segment[3].selector = 0x1234; /* DS in real-address mode */
    cr_assert(cpu_change_state(core.cpu, &wrong));
    cr_assert_eq(cpu_state(core.cpu).segment[3].hidden.base, 0x12340);
    cr_assert_eq(cpu_state(core.cpu).gpr[CPU_AX], 78);
    core_fini(&core);
}
