#include "lockstep.h"

#include "cpu/cpu_internal.h"
#include "sim/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ours {
    struct cfg *cfg;
    struct machine *machine;
    struct cpu *cpu;
    struct ram *ram;
};

static void complain(const struct diag *diag, const char *what)
{
    fprintf(stderr, "lockstep: %s: %s\n", what, diag->nr_lines > 0 ? diag->lines[0] : "failed");
}

struct ours *ours_create(const char *image, const char *arguments, const char *const *settings,
                         size_t nr_settings)
{
    struct diag diag;
    diag_init(&diag);
    struct ours *ours = calloc(1, sizeof *ours);
    bool is_good = ours && (ours->cfg = cfg_create());
    for (size_t i = 0; is_good && i < nr_settings; i++)
        is_good = cfg_set(ours->cfg, settings[i], &diag);
    is_good = is_good && cfg_check(ours->cfg, &diag);
    if (is_good) {
        struct machine_params params = {.config = cfg_values(ours->cfg)};
        ours->machine = machine_create(&params, &diag);
        is_good = ours->machine && machine_load(ours->machine, image, arguments, NULL, 0, &diag);
    }
    if (!is_good) {
        complain(&diag, image);
        ours_destroy(ours);
        ours = NULL;
    } else {
        struct machine_parts parts = machine_parts(ours->machine);
        ours->cpu = parts.cpu;
        ours->ram = parts.cpu->params.ram;
    }
    diag_fini(&diag);
    return ours;
}

void ours_destroy(struct ours *ours)
{
    if (!ours)
        return;
    if (ours->machine)
        machine_destroy(ours->machine);
    if (ours->cfg)
        cfg_destroy(ours->cfg);
    free(ours);
}

enum ours_stop ours_step(struct ours *ours)
{
    cpu_set_interrupt_line(ours->cpu, false); /* interrupts come when QEMU takes one */
    enum cpu_stop why = cpu_step(ours->cpu);
    if (machine_how_ended(ours->machine) != MACHINE_RUNNING)
        return OURS_ENDED;
    if (why == CPU_STOP_SHUTDOWN)
        return OURS_SHUTDOWN;
    return ours->cpu->is_halted ? OURS_HALTED : OURS_STEPPED;
}

void ours_interrupt(struct ours *ours, unsigned vector)
{
    ours->cpu->is_halted = false;
    cpu_hardware_interrupt(ours->cpu, vector);
}

/* Where the general registers stand in the order of fields.def, which is not that of their numbers. */
static const enum state_field gpr_field[16] = {
    FIELD_rax, FIELD_rcx, FIELD_rdx, FIELD_rbx, FIELD_rsp, FIELD_rbp, FIELD_rsi, FIELD_rdi,
    FIELD_r8,  FIELD_r9,  FIELD_r10, FIELD_r11, FIELD_r12, FIELD_r13, FIELD_r14, FIELD_r15,
};
static const enum state_field segment_field[6] = {FIELD_es, FIELD_cs, FIELD_ss, FIELD_ds, FIELD_fs, FIELD_gs};

void ours_state(const struct ours *ours, struct state *state)
{
    struct cpu_state cpu = cpu_state(ours->cpu);
    uint64_t *v = state->v;
    memset(state, 0, sizeof *state);
    for (unsigned i = 0; i < 16; i++)
        v[gpr_field[i]] = cpu.gpr[i];
    for (unsigned i = 0; i < 6; i++)
        v[segment_field[i]] = cpu.segment[i].selector;
    v[FIELD_rip] = cpu.rip;
    v[FIELD_eflags] = cpu.rflags;
    v[FIELD_fs_base] = cpu.segment[DEC_SEG_FS].hidden.base;
    v[FIELD_gs_base] = cpu.segment[DEC_SEG_GS].hidden.base;
    v[FIELD_cr0] = cpu.cr0;
    v[FIELD_cr2] = cpu.cr2;
    v[FIELD_cr3] = cpu.cr3;
    v[FIELD_cr4] = cpu.cr4;
    v[FIELD_efer] = cpu.efer;
    for (unsigned i = 0; i < 8; i++) {
        v[FIELD_st0 + 2 * i] = cpu.fpu.reg[i].mantissa;
        v[FIELD_st0 + 2 * i + 1] = cpu.fpu.reg[i].sign_exponent;
    }
    v[FIELD_fctrl] = cpu.fpu.control;
    v[FIELD_fstat] = cpu.fpu.status;
    for (unsigned i = 0; i < 16; i++) {
        v[FIELD_xmm0 + 2 * i] = cpu.xmm[i].half[0];
        v[FIELD_xmm0 + 2 * i + 1] = cpu.xmm[i].half[1];
    }
    v[FIELD_mxcsr] = cpu.mxcsr;
}

void ours_take(struct ours *ours, const struct state *state, uint64_t flags_mask)
{
    for (unsigned i = 0; i < 16; i++)
        ours->cpu->reg[i] = state->v[gpr_field[i]];
    cpu_set_flags(ours->cpu, state->v[FIELD_eflags], flags_mask);
}

void ours_take_units(struct ours *ours, const struct state *state)
{
    struct cpu_state cpu = cpu_state(ours->cpu);
    cpu.fpu.control = (uint16_t)state->v[FIELD_fctrl];
    cpu.fpu.status = (uint16_t)state->v[FIELD_fstat];
    cpu.mxcsr = (uint32_t)state->v[FIELD_mxcsr];
    cpu_set_state(ours->cpu, &cpu);
}

uint64_t ours_linear_rip(const struct ours *ours)
{
    return ours->cpu->segment[DEC_SEG_CS].hidden.base + ours->cpu->rip;
}

size_t ours_code(const struct ours *ours, uint8_t bytes[15], unsigned *bits)
{
    const struct descriptor *cs = &ours->cpu->segment[DEC_SEG_CS].hidden;
    size_t nr = 15;
    *bits = cpu_is_64bit(ours->cpu) ? 64 : cs->is_big ? 32 : 16;
    while (nr > 0 && !cpu_peek(ours->cpu, laddr(ours_linear_rip(ours)), bytes, nr))
        nr--;
    return nr;
}

bool ours_peek(const struct ours *ours, uint64_t linear, void *into, size_t size_bytes)
{
    return cpu_peek(ours->cpu, laddr(linear), into, size_bytes);
}

uint64_t ours_handler(const struct ours *ours, unsigned vector)
{
    const struct cpu *cpu = ours->cpu;
    uint64_t raw[2] = {0};
    if (!(cpu->control.cr0 & CR0_PE))
        return cpu_peek(cpu, laddr(cpu->idt_base + vector * 4), raw, 2) ? raw[0] : UINT64_MAX;
    unsigned bytes = cpu_is_long_mode(cpu) ? 16 : 8;
    if (vector * bytes + bytes - 1 > cpu->idt_limit ||
        !cpu_peek(cpu, laddr(cpu->idt_base + vector * bytes), raw, bytes) || !(raw[0] >> 47 & 1))
        return UINT64_MAX;
    return (raw[0] & 0xffff) | (raw[0] >> 48) << 16 | (raw[1] & UINT32_MAX) << 32;
}

uint64_t ours_descriptor_type(const struct ours *ours, unsigned selector)
{
    const struct cpu *cpu = ours->cpu;
    uint64_t base = selector & 4 ? cpu->ldtr.hidden.base : cpu->gdt_base;
    struct walk walk;
    struct paddr at;
    bool is_there = (cpu->control.cr0 & CR0_PE) && !(cpu_state(cpu).rflags & EFLAGS_VM) && selector > 3 &&
                    mmu_peek(&cpu->mmu, laddr(base + (selector & 0xfff8) + 5), &walk, &at);
    return is_there && at.v < ours->ram->size_bytes ? at.v : UINT64_MAX;
}

uint8_t *ours_ram(const struct ours *ours, uint64_t *size_bytes)
{
    *size_bytes = ours->ram->size_bytes;
    return ours->ram->host;
}
