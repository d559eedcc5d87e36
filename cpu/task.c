/* Task switches (SDM 3A 7.3), for 16- and 32-bit TSSs. */
#include "cpu/cpu_internal.h"

enum { NR_GPRS = 8, TSS_LINK = 0, TSS_CR3 = 28, TSS_TRAP = 100 };

/* Where a TSS keeps what a switch saves and loads (SDM 3A figures 7-2 and 7-10). */
struct layout {
    uint8_t entry_bytes;
    uint8_t ip, flags, gprs; /* EAX ECX EDX EBX ESP EBP ESI EDI */
    uint8_t segments, nr_segments, segment_step, ldt;
    uint8_t min_limit, min_old_limit; /* to be entered; to be left, when less of it is used */
};

static const struct layout tss16 = {2, 14, 16, 18, 34, 4, 2, 42, 0x2b, 0x29};
static const struct layout tss32 = {4, 32, 36, 40, 72, 6, 4, 96, 0x67, 0x5f};

/* What comes out of a TSS. */
struct task_state {
    uint64_t ip, flags, gpr[NR_GPRS], segment[DEC_NR_SEGS], ldt, cr3, trap;
};

static const struct layout *layout_of(const struct descriptor *tss)
{
    bool is_32 = tss->type == SYSTEM_TSS_AVAILABLE || tss->type == SYSTEM_TSS_BUSY;
    return is_32 ? &tss32 : &tss16;
}

static bool is_busy(const struct descriptor *tss)
{
    return tss->type == SYSTEM_TSS16_BUSY || tss->type == SYSTEM_TSS_BUSY;
}

static bool refuse(struct cpu *cpu, enum exception_vector vector, uint16_t selector)
{
    return cpu_set_fault_code(cpu, vector, selector & 0xfffc);
}

static uint64_t type_byte_of(const struct cpu *cpu, uint16_t selector)
{
    return cpu->gdt_base + (selector & SELECTOR_INDEX) + 5;
}

/* The new task's TSS, checked (SDM 3A 7.3 steps 3 and 4, table 7-1). */
static bool find_tss(struct cpu *cpu, const struct task_switch *to, struct descriptor *tss)
{
    bool is_return = to->cause == TASK_BY_RETURN;
    enum exception_vector vector = is_return ? EXCP_TS : EXCP_GP;
    uint64_t raw;
    if ((to->selector & SELECTOR_TI) || (to->selector & ~SELECTOR_RPL) == 0)
        return refuse(cpu, vector, to->selector);
    if (!cpu_read_descriptor(cpu, to->selector, vector, &raw))
        return false;
    *tss = segment_decode(raw);
    bool is_available = tss->type == SYSTEM_TSS16_AVAILABLE || tss->type == SYSTEM_TSS_AVAILABLE;
    if (tss->is_code_or_data || !(is_return ? is_busy(tss) : is_available))
        return refuse(cpu, vector, to->selector);
    if (!tss->is_present)
        return refuse(cpu, EXCP_NP, to->selector);
    if (tss->limit_bytes < layout_of(tss)->min_limit)
        return refuse(cpu, EXCP_TS, to->selector);
    const struct descriptor *old = &cpu->tr.hidden;
    if (!cpu->tr.is_usable || old->limit_bytes < layout_of(old)->min_old_limit)
        return refuse(cpu, EXCP_TS, cpu->tr.selector);
    return true;
}

/* Whatever the switch reads and writes before it is committed is there (SDM 3A 7.3 step 5). */
static bool is_all_there(struct cpu *cpu, const struct task_switch *to, const struct descriptor *tss)
{
    const struct descriptor *old = &cpu->tr.hidden;
    bool is_nested = to->cause == TASK_BY_CALL || to->cause == TASK_BY_EVENT;
    return cpu_probe_system(cpu, old->base, layout_of(old)->min_old_limit + 1u, true) &&
           cpu_probe_system(cpu, tss->base, layout_of(tss)->min_limit + 1u, false) &&
           (!is_nested || cpu_probe_system(cpu, tss->base + TSS_LINK, 2, true)) &&
           (is_nested || cpu_probe_system(cpu, type_byte_of(cpu, cpu->tr.selector), 1, true)) &&
           (to->cause == TASK_BY_RETURN || cpu_probe_system(cpu, type_byte_of(cpu, to->selector), 1, true));
}

/* Writes the old task into its TSS (SDM 3A 7.3 step 8). What a task never changes is not written. */
static bool save(struct cpu *cpu, uint64_t flags)
{
    const struct layout *at = layout_of(&cpu->tr.hidden);
    uint64_t base = cpu->tr.hidden.base;
    if (!cpu_write(cpu, base + at->ip, at->entry_bytes, true, cpu->rip) ||
        !cpu_write(cpu, base + at->flags, at->entry_bytes, true, flags))
        return false;
    for (unsigned reg = 0; reg < NR_GPRS; reg++)
        if (!cpu_write(cpu, base + at->gprs + reg * at->entry_bytes, at->entry_bytes, true, cpu->reg[reg]))
            return false;
    for (unsigned seg = 0; seg < at->nr_segments; seg++)
        if (!cpu_write(cpu, base + at->segments + seg * at->segment_step, 2, true,
                       cpu->segment[seg].selector))
            return false;
    return true;
}

/* Of a 16-bit TSS come no FS, no GS and no CR3. */
static bool load(struct cpu *cpu, const struct descriptor *tss, struct task_state *state)
{
    const struct layout *at = layout_of(tss);
    uint64_t base = tss->base;
    *state = (struct task_state){0};
    if (!cpu_read(cpu, base + at->ip, at->entry_bytes, true, &state->ip) ||
        !cpu_read(cpu, base + at->flags, at->entry_bytes, true, &state->flags) ||
        !cpu_read(cpu, base + at->ldt, 2, true, &state->ldt))
        return false;
    for (unsigned reg = 0; reg < NR_GPRS; reg++)
        if (!cpu_read(cpu, base + at->gprs + reg * at->entry_bytes, at->entry_bytes, true, &state->gpr[reg]))
            return false;
    for (unsigned seg = 0; seg < at->nr_segments; seg++)
        if (!cpu_read(cpu, base + at->segments + seg * at->segment_step, 2, true, &state->segment[seg]))
            return false;
    return at == &tss16 || (cpu_read(cpu, base + TSS_CR3, 4, true, &state->cr3) &&
                            cpu_read(cpu, base + TSS_TRAP, 2, true, &state->trap));
}

static bool set_busy(struct cpu *cpu, uint16_t selector, bool is_busy)
{
    enum { BUSY = 2 };
    uint64_t at = type_byte_of(cpu, selector), old;
    return cpu_read(cpu, at, 1, true, &old) &&
           cpu_write(cpu, at, 1, true, is_busy ? old | BUSY : old & ~(uint64_t)BUSY);
}

/* Busy bits and the link, as table 7-2 of SDM 3A has them. */
static bool link_tasks(struct cpu *cpu, const struct task_switch *to, const struct descriptor *tss)
{
    switch (to->cause) {
    case TASK_BY_JUMP:
        return set_busy(cpu, cpu->tr.selector, false) && set_busy(cpu, to->selector, true);
    case TASK_BY_RETURN:
        return set_busy(cpu, cpu->tr.selector, false);
    default:
        return cpu_write(cpu, tss->base + TSS_LINK, 2, true, cpu->tr.selector) &&
               set_busy(cpu, to->selector, true);
    }
}

/*
 * The new task's registers. Its segment registers have their selectors; what these stand for is loaded after
 * this, in the new task.
 */
static bool enter(struct cpu *cpu, const struct task_switch *to, const struct descriptor *tss,
                  const struct task_state *state)
{
    bool is_nested = to->cause == TASK_BY_CALL || to->cause == TASK_BY_EVENT;
    bool is_good = true;
    cpu->tr = (struct segment){.selector = to->selector, .is_usable = true, .hidden = *tss};
    cpu->tr.hidden.type |= SYSTEM_TSS16_BUSY & ~SYSTEM_TSS16_AVAILABLE;
    for (unsigned reg = 0; reg < NR_GPRS; reg++)
        cpu->reg[reg] = state->gpr[reg];
    cpu->rip = state->ip;
    cpu_set_flags(cpu, state->flags | (is_nested ? EFLAGS_NT : 0), EFLAGS_DEFINED);
    for (unsigned seg = 0; seg < DEC_NR_SEGS; seg++)
        cpu->segment[seg] = (struct segment){.selector = (uint16_t)state->segment[seg], .is_usable = false};
    cpu->ldtr = (struct segment){.selector = (uint16_t)state->ldt, .is_usable = false};
    cpu->cpl = state->segment[DEC_SEG_CS] & SELECTOR_RPL;
    cpu_mode_changed(cpu);
    if (layout_of(tss) == &tss32 && (cpu->control.cr0 & CR0_PG))
        is_good = cpu_write_cr(cpu, 3, state->cr3);
    return cpu_write_cr(cpu, 0, cpu->control.cr0 | CR0_TS) && is_good;
}

/* A descriptor that the new task's selector names; null is none. */
static bool read_descriptor(struct cpu *cpu, uint16_t selector, struct descriptor *d)
{
    uint64_t raw;
    if ((selector & ~SELECTOR_RPL) == 0)
        return refuse(cpu, EXCP_TS, selector);
    if (!cpu_read_descriptor(cpu, selector, EXCP_TS, &raw))
        return false;
    *d = segment_decode(raw);
    return true;
}

static bool load_ldt(struct cpu *cpu)
{
    uint16_t selector = cpu->ldtr.selector;
    struct descriptor d;
    if ((selector & ~SELECTOR_RPL) == 0)
        return true;
    if (selector & SELECTOR_TI)
        return refuse(cpu, EXCP_TS, selector);
    if (!read_descriptor(cpu, selector, &d))
        return false;
    if (d.is_code_or_data || d.type != SYSTEM_LDT || !d.is_present)
        return refuse(cpu, EXCP_TS, selector);
    cpu->ldtr = (struct segment){.selector = selector, .is_usable = true, .hidden = d};
    return true;
}

static bool set_loaded(struct cpu *cpu, unsigned seg, const struct descriptor *d)
{
    uint16_t selector = cpu->segment[seg].selector;
    if (!cpu_mark_accessed(cpu, selector, d))
        return false;
    cpu_set_segment(cpu, seg, selector, d);
    return true;
}

/* A code segment that is one, with a DPL that its RPL, the new CPL, does not fit. */
static bool has_wrong_dpl(const struct cpu *cpu, const struct descriptor *d)
{
    if (!d->is_code_or_data || !(d->type & SEGMENT_CODE))
        return false;
    return d->type & SEGMENT_CONFORMING ? d->dpl > cpu->cpl : d->dpl != cpu->cpl;
}

static bool load_code(struct cpu *cpu)
{
    uint16_t selector = cpu->segment[DEC_SEG_CS].selector;
    struct descriptor d;
    if (!read_descriptor(cpu, selector, &d))
        return false;
    if (!d.is_code_or_data || !(d.type & SEGMENT_CODE) || has_wrong_dpl(cpu, &d))
        return refuse(cpu, EXCP_TS, selector);
    if (!d.is_present)
        return refuse(cpu, EXCP_NP, selector);
    return set_loaded(cpu, DEC_SEG_CS, &d);
}

static bool load_stack(struct cpu *cpu)
{
    uint16_t selector = cpu->segment[DEC_SEG_SS].selector;
    struct descriptor d;
    if (!read_descriptor(cpu, selector, &d))
        return false;
    if (!d.is_code_or_data || (d.type & SEGMENT_CODE) || !(d.type & SEGMENT_WRITABLE))
        return refuse(cpu, EXCP_TS, selector);
    if (!d.is_present)
        return refuse(cpu, EXCP_SS, selector);
    if (d.dpl != cpu->cpl)
        return refuse(cpu, EXCP_TS, selector);
    return set_loaded(cpu, DEC_SEG_SS, &d);
}

/* CS and SS, in the order of table 7-1: a DPL of CS that is wrong comes first, the rest of CS behind SS. */
static bool load_code_and_stack(struct cpu *cpu)
{
    struct segment *code = &cpu->segment[DEC_SEG_CS], *stack = &cpu->segment[DEC_SEG_SS];
    struct descriptor d;
    bool is_readable = read_descriptor(cpu, code->selector, &d);
    if (!is_readable && cpu->fault.vector == EXCP_PF)
        return false;
    if (is_readable && has_wrong_dpl(cpu, &d))
        return refuse(cpu, EXCP_TS, code->selector);
    if (!load_stack(cpu) || !load_code(cpu))
        return false;
    if ((stack->selector & SELECTOR_RPL) == cpu->cpl)
        return true;
    stack->is_usable = false;
    return refuse(cpu, EXCP_TS, stack->selector);
}

static bool load_data(struct cpu *cpu, unsigned seg)
{
    uint16_t selector = cpu->segment[seg].selector;
    struct descriptor d;
    if ((selector & ~SELECTOR_RPL) == 0)
        return true;
    if (!read_descriptor(cpu, selector, &d))
        return false;
    bool is_code = d.type & SEGMENT_CODE;
    if (!d.is_code_or_data || (is_code && !(d.type & SEGMENT_READABLE)))
        return refuse(cpu, EXCP_TS, selector);
    if (!d.is_present)
        return refuse(cpu, EXCP_NP, selector);
    bool is_conforming = is_code && (d.type & SEGMENT_CONFORMING);
    if (!is_conforming && (d.dpl < cpu->cpl || d.dpl < (selector & SELECTOR_RPL)))
        return refuse(cpu, EXCP_TS, selector);
    return set_loaded(cpu, seg, &d);
}

/* The descriptors of the new task (SDM 3A 7.3 step 13). */
static bool load_descriptors(struct cpu *cpu)
{
    if (!load_ldt(cpu))
        return false;
    if (cpu->eflags & EFLAGS_VM) {
        for (unsigned seg = 0; seg < DEC_NR_SEGS; seg++)
            cpu_load_segment_real(cpu, seg, cpu->segment[seg].selector);
        return true;
    }
    return load_code_and_stack(cpu) && load_data(cpu, DEC_SEG_DS) && load_data(cpu, DEC_SEG_ES) &&
           load_data(cpu, DEC_SEG_FS) && load_data(cpu, DEC_SEG_GS);
}

/* An exception's error code goes on the new task's stack, in the width of its TSS. */
static bool push_error_code(struct cpu *cpu, const struct task_switch *to)
{
    uint64_t sp = cpu->reg[CPU_SP];
    if (!to->has_error_code)
        return true;
    if (!cpu_push_at(cpu, &sp, layout_of(&cpu->tr.hidden)->entry_bytes, to->error_code))
        return false;
    cpu_set_sp(cpu, sp);
    return true;
}

enum task_outcome cpu_switch_task(struct cpu *cpu, const struct task_switch *to)
{
    struct descriptor tss;
    struct task_state state;
    uint64_t flags = to->flags;
    if (to->cause == TASK_BY_RETURN)
        flags &= ~(uint64_t)EFLAGS_NT;
    if (!find_tss(cpu, to, &tss) || !is_all_there(cpu, to, &tss) || !save(cpu, flags) ||
        !load(cpu, &tss, &state) || !link_tasks(cpu, to, &tss))
        return TASK_REFUSED;
    cpu->stats.task_switches++;
    debug_task_switched(cpu, state.trap & 1);
    cpu->interrupt_shadow = false;
    if (!enter(cpu, to, &tss, &state) || !load_descriptors(cpu) || !push_error_code(cpu, to))
        return TASK_FAULTED;
    if (cpu->rip > cpu->segment[DEC_SEG_CS].hidden.limit_bytes) {
        cpu_set_fault_code(cpu, EXCP_GP, 0);
        return TASK_FAULTED;
    }
    if (cpu_has_virtual_interrupt(cpu)) {
        cpu_set_fault_code(cpu, EXCP_GP, 0);
        return TASK_FAULTED;
    }
    return TASK_ENTERED;
}

bool cpu_go_to_task(struct cpu *cpu, uint16_t selector, enum task_cause cause)
{
    struct task_switch to = {.cause = cause, .selector = selector, .flags = cpu_flags(cpu)};
    enum task_outcome outcome = cpu_switch_task(cpu, &to);
    if (outcome == TASK_FAULTED)
        cpu_deliver_fault(cpu);
    return outcome != TASK_REFUSED;
}

bool cpu_return_to_task(struct cpu *cpu)
{
    uint64_t link;
    if (cpu->tr.hidden.limit_bytes < TSS_LINK + 1 || !cpu->tr.is_usable)
        return refuse(cpu, EXCP_TS, cpu->tr.selector);
    if (!cpu_read(cpu, cpu->tr.hidden.base + TSS_LINK, 2, true, &link))
        return false;
    return cpu_go_to_task(cpu, (uint16_t)link, TASK_BY_RETURN);
}
