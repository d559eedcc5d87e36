#include "cpu/cpu.h"

#include "cpu/cpu_internal.h"
#include "cpu/enter.h"
#include "cpu/fpu.h"
#include "cpu/handlers.h"
#include "cpu/tage.h"

#include <stdlib.h>
#include <string.h>

/* The walker asked its cache. */
static void walker_requested(void *opaque, struct paddr at, enum cache_use use, bool is_write, cycle_t now,
                             struct cache_answer answer)
{
    struct cpu *cpu = opaque;
    struct cpu_seen_request seen = {.kind = is_write ? CPU_REQUEST_WRITE : CPU_REQUEST_READ,
                                    .use = use,
                                    .at = at,
                                    .asked = now,
                                    .ready = answer.ready,
                                    .served_by = answer.served_by};
    cpu_observe_request(cpu, cpu->params.walk_cache, seen);
}

static void entry_written(void *opaque, struct paddr at)
{
    struct cpu *cpu = opaque;
    if (cpu_has_code(cpu, at))
        cpu_code_written(cpu, at, sizeof(uint32_t));
}

static exec_fn *const *choose_handlers(const struct cpu_params *params)
{
    if (params->observer)
        return exec_handlers_watched;
    return params->config->cpu_model == CFG_CPU_FUNCTIONAL ? exec_handlers_functional : exec_handlers_inorder;
}

static bool init_predictor(struct predictor *p, const struct config *config)
{
    p->counter_mask = config->cpu_predictor_entries - 1;
    p->history_mask = config->cpu_predictor == CFG_PREDICTOR_GSHARE ? p->counter_mask : 0;
    p->is_counted =
        config->cpu_predictor == CFG_PREDICTOR_GSHARE || config->cpu_predictor == CFG_PREDICTOR_BIMODAL;
    p->static_taken = config->cpu_predictor == CFG_PREDICTOR_TAKEN;
    uint64_t btb_sets = config->cpu_btb_entries / config->cpu_btb_ways;
    p->btb_mask = btb_sets - 1;
    p->btb_rest_ways = (unsigned)config->cpu_btb_ways - 1;
    p->return_entries = (unsigned)config->cpu_return_stack;
    p->counters = malloc(config->cpu_predictor_entries);
    p->btb = malloc(config->cpu_btb_entries * sizeof *p->btb);
    if (!p->counters || !p->btb)
        return false;
    if (p->btb_rest_ways)
        p->btb_rest = p->btb + btb_sets;
    if (config->cpu_predictor == CFG_PREDICTOR_TAGE) {
        p->tage = tage_create(config);
        if (!p->tage)
            return false;
    }
    memset(p->counters, 1, config->cpu_predictor_entries); /* weakly not taken */
    for (uint64_t i = 0; i < config->cpu_btb_entries; i++)
        p->btb[i] = (struct btb_entry){.from = UINT64_MAX};
    return true;
}

static void init_timing(struct cpu *cpu, const struct config *config)
{
    cpu->step = cpu->is_timed ? STAMP_CYCLE / config->cpu_width : STAMP_CYCLE;
    cpu->load_hit = stamp_of_cycle(config->cache_l1d_latency_cycles) | REASON_L1D;
    cycle_t forward_cycles = config->cpu_store_forward_cycles;
    cpu->store_forward = stamp_of_cycle(forward_cycles ? forward_cycles : config->cache_l1d_latency_cycles);
    cpu->store_forward_fail = stamp_of_cycle(config->cpu_store_forward_fail_cycles);
    cpu->frontend = stamp_of_cycle(config->cpu_frontend_cycles);
    cpu->mispredict = stamp_of_cycle(config->cpu_mispredict_cycles);
    cpu->btb_bubble = stamp_of_cycle(config->cpu_frontend_cycles - 1);
    cpu->port_mask = (unsigned)config->cpu_memory_ports - 1;
    cpu->store_entries = (unsigned)config->cpu_store_buffer;
    cpu->fetch_entries = (unsigned)config->cpu_fetch_queue;
    cpu->fetch_hit_cycles = cpu->is_timed ? (uint16_t)cache_hit_cycles(cpu->params.l1i) : 0;
    cpu->fetch_bytes = (unsigned)config->cpu_fetch_bytes;
    cpu->fetch_line_shift = (unsigned)__builtin_ctzll(config->cache_l1d_line_bytes);
    cpu->line_mask = config->cache_l1d_line_bytes - 1;
    if (cpu->is_timed) {
        const struct cache_front *front = cache_front(cpu->params.l1d);
        cpu->l1d_read_line = front->read_line;
        cpu->l1d_write_line = front->write_line;
        cpu->l1d_set_mask = front->set_mask;
        cpu->l1d_line_shift = front->line_shift;
    }
}

struct cpu *cpu_create(const struct cpu_params *params)
{
    struct cpu *cpu = aligned_alloc(_Alignof(struct cpu), sizeof *cpu);
    if (!cpu)
        return NULL;
    memset(cpu, 0, sizeof *cpu);
    const struct config *config = params->config;
    cpu->params = *params;
    if (!cpu->params.is_code_ram)
        cpu->params.is_code_ram = params->is_ram;
    cpu->features = features_of((enum cfg_isa)config->cpu_isa);
    if (!config->cpu_apic)
        cpu->features &= ~(UINT64_C(1) << FEATURE_APIC);
    cpu->apic_base = 0xfee00000 | APIC_BASE_BSP | APIC_BASE_ENABLE; /* SDM 3A 10.4.4 */
    cpu->is_timed = config->cpu_model != CFG_CPU_FUNCTIONAL;
    cpu->room = cpu->is_timed && params->observer ? params->observer->room : NULL;
    cpu->sees_all = params->observer && !params->observer->wants_no_hits && !cpu->room;
    cpu->is_hit_under_walk = cpu->is_timed && config->mmu_hit_under_walk;
    cpu->handlers = choose_handlers(params);
    cpu->stop_record = (struct insn){.run = cpu->handlers[HANDLER_stop]};
    cpu->nr_code_frames = params->ram->size_bytes >> PAGE_SHIFT;
    cpu->code_frames = calloc(cpu->nr_code_frames, sizeof(struct code_frame *));
    cpu->single = calloc(SINGLE_RECORDS, sizeof *cpu->single);
    if (!init_predictor(&cpu->predictor, config) || !cpu->code_frames || !cpu->single ||
        (cpu->room && !cpu_observe_in_short(cpu))) {
        cpu_destroy(cpu);
        return NULL;
    }
    init_timing(cpu, config);
    cpu->seen_data_cache = params->l1d == params->l1i ? CPU_REQUEST_L1I : CPU_REQUEST_L1D;
    struct mmu_params mmu = {
        .is_timed = cpu->is_timed,
        .itlb = params->itlb,
        .dtlb = params->dtlb,
        .l2_tlb = params->l2_tlb,
        .structure = {params->structure[TLB_PDE], params->structure[TLB_PDPTE], params->structure[TLB_PML4E],
                      params->structure[TLB_PML5E]},
        .l2_tlb_latency_cycles = config->tlb_l2_latency_cycles,
        .nr_walkers = (unsigned)config->mmu_walkers,
        .is_hit_under_walk = config->mmu_hit_under_walk,
        .walk_cache = params->walk_cache,
        .content = params->content,
        .ram = params->ram,
        .physical_bits = cpu_physical_bits(cpu),
        .entry_written = entry_written,
        .requested = params->observer ? walker_requested : NULL,
        .opaque = cpu,
    };
    mmu_init(&cpu->mmu, &mmu);
    cpu->misc_enable = MISC_ENABLE_FAST_STRINGS;
    cpu->data_clock = cpu->is_timed ? tlb_clock(params->dtlb) : &cpu->untimed_clocks[0];
    cpu->fetch_clock = cpu->is_timed ? tlb_clock(params->itlb) : &cpu->untimed_clocks[1];
    cpu->combined_line = CACHE_NO_LINE;
    cpu->fetch_at = cpu->clock = STAMP_CYCLE; /* stamp 0 means "never" where a load answers */
    cpu->lost[REASON_SERIAL] = STAMP_CYCLE;
    cpu->fpu = cpu_fpu_initial();
    cpu->mxcsr = CPU_MXCSR_INITIAL;
    cpu_update_blocked(cpu);
    for (unsigned i = 0; i < JUMP_CACHE_ENTRIES; i++)
        cpu->jump_cache[i].linear = UINT64_MAX;
    cpu_init_fronts(cpu);
    pmu_init(cpu);
    return cpu;
}

void cpu_destroy(struct cpu *cpu)
{
    if (!cpu)
        return;
    if (cpu->code_frames)
        cpu_drop_all_code(cpu);
    cpu_free_dead_code(cpu);
    free(cpu->code_frames);
    free(cpu->single);
    free(cpu->told);
    free(cpu->seen_pages);
    free(cpu->predictor.counters);
    free(cpu->predictor.btb);
    tage_destroy(cpu->predictor.tage);
    free(cpu);
}

bool cpu_state_is_64bit_code(const struct cpu_state *state)
{
    return (state->efer & EFER_LMA) && state->segment[DEC_SEG_CS].hidden.is_long;
}

uint64_t cpu_state_code_linear(const struct cpu_state *state)
{
    return cpu_state_is_64bit_code(state)
               ? state->rip
               : (state->rip + state->segment[DEC_SEG_CS].hidden.base) & UINT32_MAX;
}

unsigned cpu_state_cpl(const struct cpu_state *state)
{
    if (!(state->cr0 & CR0_PE))
        return 0;
    return state->rflags & EFLAGS_VM ? 3 : state->segment[DEC_SEG_CS].selector & SELECTOR_RPL;
}

struct cpu_state cpu_state(const struct cpu *cpu)
{
    struct cpu_state state = {
        .rip = cpu->rip,
        .rflags = cpu_flags(cpu),
        .cr0 = cpu->control.cr0,
        .cr2 = cpu->cr2,
        .cr3 = cpu->control.cr3,
        .cr4 = cpu->control.cr4,
        .efer = cpu->control.efer,
        .ldtr = cpu->ldtr,
        .tr = cpu->tr,
        .gdt_base = cpu->gdt_base,
        .gdt_limit = cpu->gdt_limit,
        .idt_base = cpu->idt_base,
        .idt_limit = cpu->idt_limit,
        .debug = cpu->debug.registers,
        .fpu = cpu->fpu,
        .mxcsr = cpu->mxcsr,
    };
    memcpy(state.gpr, cpu->reg, sizeof state.gpr);
    memcpy(state.xmm, cpu->xmm, sizeof state.xmm);
    memcpy(state.segment, cpu->segment, sizeof state.segment);
    return state;
}

void cpu_set_state(struct cpu *cpu, const struct cpu_state *state)
{
    cpu->rip = state->rip;
    cpu->eflags = state->rflags & ~(uint64_t)(EFLAGS_STATUS | EFLAGS_FIXED);
    cpu_set_status_flags(cpu, state->rflags);
    cpu_set_control(cpu, state);
    cpu->cr2 = state->cr2;
    cpu->ldtr = state->ldtr;
    cpu->tr = state->tr;
    cpu->gdt_base = state->gdt_base;
    cpu->gdt_limit = state->gdt_limit;
    cpu->idt_base = state->idt_base;
    cpu->idt_limit = state->idt_limit;
    debug_set_registers(cpu, &state->debug);
    cpu->fpu = state->fpu;
    cpu_settle_x87_status(cpu);
    cpu->mxcsr = state->mxcsr;
    memcpy(cpu->xmm, state->xmm, sizeof state->xmm);
    memcpy(cpu->reg, state->gpr, sizeof state->gpr);
    memcpy(cpu->segment, state->segment, sizeof state->segment);
    cpu->is_mid_block = cpu->is_mid_insn = false;
    cpu->is_halted = cpu->is_shut_down = cpu->interrupt_shadow = false;
    cpu->cpl = cpu->control.cr0 & CR0_PE ? cpu->segment[DEC_SEG_CS].selector & SELECTOR_RPL : 0;
    mmu_set_mode(&cpu->mmu, &cpu->control);
    mmu_load_cr3(&cpu->mmu, &cpu->control, false);
    cpu_drop_fronts(cpu);
    cpu_mode_changed(cpu);
    cpu_update_blocked(cpu);
}

cycle_t cpu_now(const struct cpu *cpu)
{
    return stamp_cycle(cpu->clock);
}

void cpu_idle_until(struct cpu *cpu, cycle_t cycle)
{
    stamp_t until = stamp_of_cycle(cycle);
    if (until <= cpu->clock)
        return;
    cpu->lost[REASON_IDLE] += until - cpu->clock;
    cpu->lost_reasons |= 1u << REASON_IDLE;
    cpu->clock = until;
    cpu_redirect(cpu, until);
}

void cpu_set_interrupt_line(struct cpu *cpu, bool level)
{
    cpu->interrupt_line = level;
    if (level && (cpu->eflags & EFLAGS_IF))
        cpu->deadline = 0;
}

void cpu_raise_nmi(struct cpu *cpu)
{
    cpu->nmi_pending = true;
    if (!cpu->is_nmi_blocked)
        cpu->deadline = 0;
}

void cpu_request_stop(struct cpu *cpu)
{
    cpu->must_stop = true;
    cpu->deadline = 0;
}

void cpu_shorten_run(struct cpu *cpu, cycle_t cycle)
{
    if (cycle < cpu->deadline >> STAMP_CYCLE_SHIFT) {
        cpu->deadline = stamp_of_cycle(cycle);
        cpu->must_stop = true;
    }
}

bool cpu_can_interrupt(const struct cpu *cpu)
{
    return (cpu->eflags & EFLAGS_IF) || cpu_is_nmi_due(cpu);
}

static void take_interrupt(struct cpu *cpu)
{
    const struct cpu_board *board = &cpu->params.board;
    cpu->is_halted = false;
    if (cpu_is_nmi_due(cpu)) {
        cpu->nmi_pending = false;
        cpu->is_nmi_blocked = true;
        cpu_hardware_interrupt(cpu, EXCP_NMI);
        return;
    }
    cpu_hardware_interrupt(cpu, board->acknowledge(board->opaque, stamp_cycle(cpu->clock)));
}

/* NMIs first (SDM 3A table 6-2). */
static bool is_interrupt_due(const struct cpu *cpu)
{
    bool is_intr = cpu->interrupt_line && (cpu->eflags & EFLAGS_IF);
    return (is_intr || cpu_is_nmi_due(cpu)) && !cpu->interrupt_shadow && !cpu->is_shut_down;
}

/* Takes an interrupt that is due. False when there is a reason not to run, which is then in *why. */
static bool is_ready_to_run(struct cpu *cpu, stamp_t end, enum cpu_stop *why)
{
    if (!cpu->is_shut_down)
        debug_deliver_trap(cpu); /* comes before an interrupt (SDM 3A table 6-2) */
    if (is_interrupt_due(cpu))
        take_interrupt(cpu);
    if (cpu->is_shut_down) {
        *why = CPU_STOP_SHUTDOWN;
        return false;
    }
    if (cpu->stop_for_marker) {
        cpu->stop_for_marker = cpu->must_stop = false;
        *why = CPU_STOP_MARKER;
        return false;
    }
    if (cpu->is_halted) {
        *why = CPU_STOP_HALTED;
        return false;
    }
    if (cpu->must_stop || cpu->clock >= end) {
        cpu->must_stop = false;
        *why = CPU_STOP_DEADLINE;
        return false;
    }
    return true;
}

static void run_until(struct cpu *cpu, stamp_t end)
{
    cpu_free_dead_code(cpu);
    cpu->deadline = is_interrupt_due(cpu) ? 0 : end;
    const struct insn *insn = cpu_fetch(cpu, NULL);
    while (insn)
        insn = cpu_enter(cpu, insn, cpu->clock, insn->run);
}

/* One instruction, or what comes instead of it. */
static void run_one(struct cpu *cpu)
{
    if (debug_deliver_trap(cpu) || debug_deliver_breakpoint(cpu))
        return;
    debug_begin_instruction(cpu);
    cpu->is_stepping = true;
    cpu->steps_left = 1;
    run_until(cpu, 0);
    cpu->is_stepping = false;
    debug_end_instruction(cpu);
    debug_deliver_trap(cpu);
}

enum cpu_stop cpu_run(struct cpu *cpu, cycle_t deadline)
{
    stamp_t end = deadline >= UINT64_MAX >> STAMP_CYCLE_SHIFT ? UINT64_MAX : stamp_of_cycle(deadline);
    enum cpu_stop why;
    while (is_ready_to_run(cpu, end, &why)) {
        if (debug_is_careful(cpu))
            run_one(cpu);
        else
            run_until(cpu, cpu->pmu.has_interrupts ? pmu_look_for_overflow(cpu, end) : end);
    }
    return why;
}

enum cpu_stop cpu_step(struct cpu *cpu)
{
    enum cpu_stop why;
    if (!cpu->stop_for_marker)
        cpu->must_stop = false; /* a step returns anyway */
    if (!is_ready_to_run(cpu, UINT64_MAX, &why))
        return why;
    run_one(cpu);
    return cpu->is_shut_down ? CPU_STOP_SHUTDOWN : CPU_STOP_DEADLINE;
}

bool cpu_is_between_blocks(const struct cpu *cpu)
{
    bool is_in_block = cpu->is_mid_block && !cpu->is_mid_insn;
    return debug_is_careful(cpu) || cpu_is_near_limit(cpu) || (!is_in_block && !cpu->interrupt_shadow);
}

/* Whether the block that comes next, and the one behind it, can run as ever. */
static bool can_run_block(const struct cpu *cpu)
{
    uint64_t linear = cpu_code_linear(cpu, cpu->rip), block = linear & ~(uint64_t)(cpu->fetch_bytes - 1);
    return cpu_is_between_blocks(cpu) && !debug_is_careful(cpu) && !cpu->stops.has_data_points &&
           !stop_is_near_point(cpu, linear, block + 2 * (uint64_t)cpu->fetch_bytes - linear);
}

enum cpu_stop cpu_run_piece(struct cpu *cpu, cycle_t deadline, bool is_alone)
{
    stamp_t end = deadline >= UINT64_MAX >> STAMP_CYCLE_SHIFT ? UINT64_MAX : stamp_of_cycle(deadline);
    enum cpu_stop why;
    if (cpu_is_between_blocks(cpu)) {
        if (!is_ready_to_run(cpu, end, &why))
            return why;
        if (cpu->pmu.has_interrupts)
            pmu_look_for_overflow(cpu, end);
    }
    if (stop_is_at_point(cpu))
        return CPU_STOP_POINT;
    if (is_alone || !can_run_block(cpu))
        run_one(cpu);
    else
        run_until(cpu, cpu->clock + 1);
    if (cpu->is_shut_down)
        return CPU_STOP_SHUTDOWN;
    return cpu->stops.is_met ? CPU_STOP_POINT : CPU_STOP_DEADLINE;
}

const struct mmu *cpu_mmu(const struct cpu *cpu)
{
    return &cpu->mmu;
}

unsigned cpu_fault_history(const struct cpu *cpu, struct cpu_fault_record record[CPU_FAULT_HISTORY])
{
    unsigned nr = cpu->nr_faults < CPU_FAULT_HISTORY ? (unsigned)cpu->nr_faults : CPU_FAULT_HISTORY;
    for (unsigned i = 0; i < nr; i++)
        record[i] = cpu->history[(cpu->nr_faults - 1 - i) % CPU_FAULT_HISTORY];
    return nr;
}

const uint32_t *cpu_unimplemented(const struct cpu *cpu)
{
    return cpu->unimplemented;
}

bool cpu_peek(const struct cpu *cpu, struct laddr at, void *into, size_t size_bytes)
{
    uint8_t *bytes = into;
    while (size_bytes > 0) {
        struct walk walk;
        struct paddr physical;
        size_t part = PAGE_BYTES - (at.v & PAGE_MASK);
        part = part < size_bytes ? part : size_bytes;
        if (!mmu_peek(&cpu->mmu, at, &walk, &physical) || !ram_read(cpu->params.ram, physical, bytes, part))
            return false;
        bytes += part;
        size_bytes -= part;
        at.v = (at.v + part) & cpu->linear_mask;
    }
    return true;
}
