#include "cpu/debugger.h"

#include "cpu/cpu_internal.h"
#include "cpu/fpu.h"
#include "cpu/simd.h"

#include <string.h>

#define MXCSR_DEFINED 0xffffu

static bool has_selectors(const struct cpu *cpu, const struct cpu_state *state)
{
    for (unsigned i = 0; i < DEC_NR_SEGS; i++)
        if (state->segment[i].selector != cpu->segment[i].selector)
            return false;
    return true;
}

/* Those that differ, as MOV sets them, but for time. */
static bool change_control(struct cpu *cpu, const struct cpu_state *state)
{
    struct fault fault = cpu->fault;
    bool is_good = (state->cr4 == cpu->control.cr4 || cpu_write_cr(cpu, 4, state->cr4)) &&
                   (state->cr3 == cpu->control.cr3 || cpu_write_cr(cpu, 3, state->cr3)) &&
                   (state->cr0 == cpu->control.cr0 || cpu_write_cr(cpu, 0, state->cr0));
    cpu->fault = fault;
    cpu->cr2 = is_good ? state->cr2 : cpu->cr2;
    return is_good;
}

bool cpu_change_state(struct cpu *cpu, const struct cpu_state *state)
{
    bool are_plain = !cpu_is_protected(cpu);
    uint64_t changed = cpu_flags(cpu) ^ state->rflags;
    if ((!are_plain && !has_selectors(cpu, state)) || (changed & EFLAGS_VM) ||
        (state->mxcsr & ~MXCSR_DEFINED) || !change_control(cpu, state))
        return false;
    memcpy(cpu->reg, state->gpr, sizeof state->gpr);
    cpu_set_flags(cpu, state->rflags, EFLAGS_DEFINED & ~(uint64_t)EFLAGS_VM);
    if (changed & state->rflags & EFLAGS_RF)
        cpu->debug.is_rf_new = true;
    cpu->fpu = state->fpu;
    cpu_settle_x87_status(cpu);
    memcpy(cpu->xmm, state->xmm, sizeof cpu->xmm);
    cpu->mxcsr = state->mxcsr;
    for (unsigned i = 0; i < DEC_NR_SEGS; i++)
        if (state->segment[i].selector != cpu->segment[i].selector)
            cpu_load_segment_real(cpu, i, state->segment[i].selector);
    if (state->rip != cpu->rip) {
        cpu->rip = state->rip & cpu_rip_mask(cpu);
        cpu->is_mid_block = cpu->is_mid_insn = cpu->is_halted = false;
    }
    return true;
}

struct cpu_more_state cpu_more_state(const struct cpu *cpu)
{
    return (struct cpu_more_state){.kernel_gs_base = cpu->kernel_gs_base, .cr8 = cpu_read_cr8(cpu)};
}

bool cpu_is_halted(const struct cpu *cpu)
{
    return cpu->is_halted;
}

bool cpu_peek_address(const struct cpu *cpu, struct laddr at, struct paddr *physical)
{
    struct walk walk;
    return mmu_peek(&cpu->mmu, at, &walk, physical);
}

/* How many of the bytes lie in the page of the first. */
static size_t in_page(struct paddr at, size_t size_bytes)
{
    size_t rest = PAGE_BYTES - (at.v & PAGE_MASK);
    return rest < size_bytes ? rest : size_bytes;
}

static bool is_all_ram(const struct cpu *cpu, bool (*is_ram)(void *opaque, struct paddr page),
                       struct paddr at, size_t size_bytes)
{
    if (!ram_has(cpu->params.ram, at, size_bytes))
        return false;
    for (size_t done = 0; done < size_bytes; done += in_page(paddr(at.v + done), size_bytes - done))
        if (!is_ram(cpu->params.is_ram_opaque, paddr(at.v + done)))
            return false;
    return true;
}

bool cpu_read_physical(const struct cpu *cpu, struct paddr at, void *into, size_t size_bytes)
{
    return is_all_ram(cpu, cpu->params.is_code_ram, at, size_bytes) &&
           ram_read(cpu->params.ram, at, into, size_bytes);
}

bool cpu_is_writable(const struct cpu *cpu, struct paddr at, size_t size_bytes)
{
    return is_all_ram(cpu, cpu->params.is_ram, at, size_bytes);
}

bool cpu_write_physical(struct cpu *cpu, struct paddr at, const void *from, size_t size_bytes)
{
    if (!cpu_is_writable(cpu, at, size_bytes))
        return false;
    uint64_t line_bytes = cpu->params.content ? cpu->line_mask + 1 : PAGE_BYTES;
    for (size_t done = 0; done < size_bytes;) {
        struct paddr part = paddr(at.v + done);
        size_t rest = (size_t)(line_bytes - part.v % line_bytes);
        rest = rest < size_bytes - done ? rest : size_bytes - done;
        if (cpu->params.content)
            cache_content_write_through(cpu->params.content, part, (unsigned)rest);
        ram_write(cpu->params.ram, part, (const uint8_t *)from + done, rest);
        done += rest;
    }
    cpu_code_written(cpu, at, size_bytes);
    return true;
}
