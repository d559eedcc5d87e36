#include "sim/start_state.h"

#include "mmu/control_registers.h"

enum { SEG_CS = 1, NR_SEGMENTS = 6, RESET_SIGNATURE_FAMILY_6 = 0x600 };
enum { FLAGS_FIXED = 2, FLAGS_IF = 1 << 9, REAL_LIMIT = 0xffff, TSS_LIMIT = 0x67 };

/* A flat 4 GiB segment, as loaded from a descriptor that the guest need not have. */
static struct segment flat_segment(uint16_t selector, uint8_t type)
{
    return (struct segment){
        .selector = selector,
        .is_usable = true,
        .hidden = {.limit_bytes = UINT32_MAX,
                   .type = type | SEGMENT_ACCESSED,
                   .is_code_or_data = true,
                   .is_present = true,
                   .is_big = true,
                   .is_granular = true},
    };
}

static struct segment real_segment(uint16_t selector, uint64_t base)
{
    return (struct segment){
        .selector = selector,
        .is_usable = true,
        .hidden = {.base = base,
                   .limit_bytes = REAL_LIMIT,
                   .type = SEGMENT_WRITABLE | SEGMENT_ACCESSED,
                   .is_code_or_data = true,
                   .is_present = true},
    };
}

static void set_flat(struct cpu_state *state, const struct load_start *start)
{
    const bool is_long = start->mode == LOAD_LONG;
    for (unsigned seg = 0; seg < NR_SEGMENTS; seg++)
        state->segment[seg] = flat_segment(start->data_selector, SEGMENT_WRITABLE);
    state->segment[SEG_CS] = flat_segment(start->code_selector, SEGMENT_CODE | SEGMENT_READABLE);
    state->segment[SEG_CS].hidden.is_long = is_long;
    state->segment[SEG_CS].hidden.is_big = !is_long;
    state->cr0 = CR0_PE | CR0_ET;
    state->rip = start->entry;
    if (start->has_task)
        state->tr = (struct segment){
            .is_usable = true,
            .hidden = {.limit_bytes = TSS_LIMIT, .type = SYSTEM_TSS_BUSY, .is_present = true}};
    if (!is_long)
        return;
    state->cr0 |= CR0_PG;
    state->cr3 = start->page_tables.v;
    state->cr4 = CR4_PAE;
    state->efer = EFER_LME | EFER_LMA;
}

static void set_real(struct cpu_state *state, const struct load_start *start)
{
    const uint64_t segment = start->entry & 0xf0000;
    for (unsigned seg = 0; seg < NR_SEGMENTS; seg++)
        state->segment[seg] = real_segment(0, 0);
    state->segment[SEG_CS] = real_segment((uint16_t)(segment >> 4), segment);
    state->rip = start->entry - segment;
    state->rflags |= FLAGS_IF;
    state->idt_limit = 0x3ff;
    state->cr0 = CR0_ET;
}

/* SDM 3A table 9-1: the code segment's base is not what its selector says. */
static void set_reset(struct cpu_state *state)
{
    for (unsigned seg = 0; seg < NR_SEGMENTS; seg++)
        state->segment[seg] = real_segment(0, 0);
    state->segment[SEG_CS] = real_segment(0xf000, 0xffff0000);
    state->rip = 0xfff0;
    state->gdt_limit = state->idt_limit = REAL_LIMIT;
    state->ldtr.hidden =
        (struct descriptor){.limit_bytes = REAL_LIMIT, .type = SYSTEM_LDT, .is_present = true};
    state->tr.hidden =
        (struct descriptor){.limit_bytes = REAL_LIMIT, .type = SYSTEM_TSS_BUSY, .is_present = true};
    state->cr0 = CR0_CD | CR0_NW | CR0_ET;
    state->gpr[CPU_DX] = RESET_SIGNATURE_FAMILY_6;
}

struct cpu_state start_state(const struct load_start *start)
{
    struct cpu_state state = {.rflags = FLAGS_FIXED, .gdt_base = start->gdt.v, .gdt_limit = start->gdt_limit};
    state.fpu = cpu_fpu_initial();
    state.mxcsr = CPU_MXCSR_INITIAL;
    state.gpr[CPU_AX] = start->eax;
    state.gpr[CPU_BX] = start->ebx;
    state.gpr[CPU_DX] = start->edx;
    state.gpr[CPU_SI] = start->esi;
    state.gpr[CPU_SP] = start->esp;
    switch (start->mode) {
    case LOAD_PROTECTED:
    case LOAD_LONG:
        set_flat(&state, start);
        break;
    case LOAD_REAL:
        set_real(&state, start);
        break;
    case LOAD_RESET:
        set_reset(&state);
        break;
    }
    return state;
}
