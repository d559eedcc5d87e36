/*
 * The state of a core, for checkpoints (sim/base/snap.h). Decoded code is made anew; of it only those bytes
 * are kept that were decoded, for a store to such a page takes another way than one elsewhere. The shortcuts
 * to translations are kept: without TLBs they say what is walked for.
 */
#include "cpu/cpu_internal.h"
#include "cpu/tage.h"
#include "sim/base/snap.h"

#include <string.h>

/* Moments on the core's clock: the reason in them is an index. */
static void stamps_snap(stamp_t *stamp, size_t nr, struct snap *snap)
{
    SNAP_VALUES(snap, stamp, nr);
    for (size_t i = 0; snap->is_load && i < nr; i++) {
        if (stamp_reason(stamp[i]) < NR_REASONS)
            continue;
        snap_fail(snap, "a moment has the reason %u; allowed: below %d", (unsigned)stamp_reason(stamp[i]),
                  NR_REASONS);
        stamp[i] = 0;
    }
}

/* ---- Shortcuts ---- */

static uint64_t number_of(const struct cpu *cpu, const struct tlb *tlb, const struct tlb_entry *entry)
{
    if (!entry || entry == &cpu->mmu.untimed || !tlb)
        return 0;
    return tlb_entry_number(tlb, entry);
}

static void front_snap(struct cpu *cpu, struct front *front, struct tlb *tlb, bool has_host,
                       struct snap *snap)
{
    bool has_entry = front->entry != NULL;
    uint64_t number = number_of(cpu, tlb, front->entry);
    SNAP_OPEN(snap, front);
    for (unsigned kind = 0; kind < NR_FRONT_KINDS; kind++) {
        bool may_be_watched = !snap->is_load && front->tag[kind] != FRONT_NO_PAGE;
        uint64_t tag = may_be_watched ? front->tag[kind] & ~FRONT_WATCHED : front->tag[kind];
        SNAP(snap, tag);
        front->tag[kind] = snap->is_load ? tag : front->tag[kind];
    }
    SNAP_SKIP(snap, front->tag); /* as it is without a debugger */
    SNAP(snap, front->frame.v);
    SNAP(snap, front->id);
    SNAP_FLAG(snap, has_entry);
    SNAP(snap, number);
    SNAP_SKIP(snap, front->host);
    SNAP_SKIP(snap, front->entry);
    SNAP_CLOSE(snap, front);
    if (!snap->is_load)
        return;
    front->entry = number && tlb ? tlb_entry_numbered(tlb, number) : &cpu->mmu.untimed;
    bool is_page = (front->frame.v & PAGE_MASK) == 0 && ram_has(cpu->params.ram, front->frame, PAGE_BYTES);
    if (!front->entry || (has_entry && has_host && !is_page)) {
        snap_fail(snap, "a shortcut to entry %llu and frame %#llx, which are not there",
                  (unsigned long long)number, (unsigned long long)front->frame.v);
        memset(front->tag, 0xff, sizeof front->tag);
        front->entry = &cpu->mmu.untimed;
        return;
    }
    front->host = has_host && is_page ? cpu->params.ram->host + front->frame.v : NULL;
    front->entry = has_entry ? front->entry : NULL;
}

static void data_fronts_snap(struct cpu *cpu, struct snap *snap)
{
    uint32_t nr = cpu->nr_used_fronts;
    if (snap->is_load)
        cpu_drop_fronts(cpu);
    SNAP_BELOW(snap, nr, DATA_FRONT_ENTRIES + 1);
    for (unsigned i = 0; i < nr && snap_is_good(snap); i++) {
        uint16_t index = snap->is_load ? 0 : cpu->used_front[i];
        SNAP_BELOW(snap, index, DATA_FRONT_ENTRIES);
        uint64_t bit = 1ull << index % 64;
        if (snap->is_load && (cpu->is_front_used[index / 64] & bit)) {
            snap_fail(snap, "shortcut %u is there twice", index);
            return;
        }
        if (snap->is_load) {
            cpu->is_front_used[index / 64] |= bit;
            cpu->used_front[cpu->nr_used_fronts++] = index;
        }
        front_snap(cpu, &cpu->data_front[index], cpu->params.dtlb, true, snap);
    }
    SNAP_SKIP(snap, cpu->data_front);
    SNAP_SKIP(snap, cpu->used_front);
    SNAP_SKIP(snap, cpu->is_front_used);
    SNAP_SKIP(snap, cpu->nr_used_fronts);
    for (unsigned i = 0; i < MAX_AC_FRONTS; i++)
        SNAP_BELOW(snap, cpu->ac_front[i], DATA_FRONT_ENTRIES);
    SNAP_BELOW(snap, cpu->nr_ac_fronts, MAX_AC_FRONTS + 2);
}

static void fetch_fronts_snap(struct cpu *cpu, struct snap *snap)
{
    uint32_t current = cpu->fetch_front ? (uint32_t)(cpu->fetch_front - cpu->fetch_fronts) + 1 : 0;
    for (unsigned i = 0; i < FETCH_FRONT_ENTRIES; i++)
        front_snap(cpu, &cpu->fetch_fronts[i], cpu->params.itlb, false, snap);
    SNAP_BELOW(snap, current, FETCH_FRONT_ENTRIES + 1);
    SNAP_SKIP(snap, cpu->fetch_fronts);
    SNAP_SKIP(snap, cpu->fetch_front);
    if (!snap->is_load)
        return;
    cpu->fetch_front = current ? &cpu->fetch_fronts[current - 1] : NULL;
    for (unsigned i = 0; i < JUMP_CACHE_ENTRIES; i++)
        cpu->jump_cache[i].linear = UINT64_MAX;
    SNAP_REQUIRE(snap, current || !cpu->is_mid_block);
}

/* ---- Registers ---- */

static void segment_snap(struct segment *segment, struct snap *snap)
{
    struct descriptor *d = &segment->hidden;
    SNAP_OPEN(snap, segment);
    SNAP(snap, segment->selector);
    SNAP_FLAG(snap, segment->is_usable);
    SNAP(snap, d->base);
    SNAP(snap, d->limit_bytes);
    SNAP(snap, d->type);
    SNAP(snap, d->dpl);
    SNAP_FLAG(snap, d->is_code_or_data);
    SNAP_FLAG(snap, d->is_present);
    SNAP_FLAG(snap, d->is_long);
    SNAP_FLAG(snap, d->is_big);
    SNAP_FLAG(snap, d->is_granular);
    SNAP_FLAG(snap, d->is_available);
    SNAP_CLOSE(snap, segment);
}

static void fpu_snap(struct fpu *fpu, struct snap *snap)
{
    SNAP_OPEN(snap, fpu);
    for (unsigned i = 0; i < sizeof fpu->reg / sizeof *fpu->reg; i++) {
        SNAP(snap, fpu->reg[i].mantissa);
        SNAP(snap, fpu->reg[i].sign_exponent);
    }
    SNAP(snap, fpu->control);
    SNAP(snap, fpu->status);
    SNAP(snap, fpu->in_use);
    SNAP(snap, fpu->opcode);
    SNAP(snap, fpu->cs);
    SNAP(snap, fpu->ds);
    SNAP(snap, fpu->rip);
    SNAP(snap, fpu->data);
    SNAP_CLOSE(snap, fpu);
}

static void fault_snap(struct fault *fault, struct snap *snap)
{
    SNAP_OPEN(snap, fault);
    SNAP(snap, fault->vector);
    SNAP_FLAG(snap, fault->has_error_code);
    SNAP_FLAG(snap, fault->leaves_rf);
    SNAP(snap, fault->error_code);
    SNAP(snap, fault->cr2);
    SNAP_CLOSE(snap, fault);
}

static void history_snap(struct cpu_fault_record *record, struct snap *snap)
{
    SNAP_OPEN(snap, record);
    SNAP(snap, record->vector);
    SNAP_FLAG(snap, record->has_error_code);
    SNAP(snap, record->error_code);
    SNAP(snap, record->cr2);
    SNAP(snap, record->rip);
    SNAP(snap, record->cs);
    SNAP(snap, record->cycle);
    SNAP_CLOSE(snap, record);
}

static void debug_snap(struct debug_state *debug, struct snap *snap)
{
    SNAP_OPEN(snap, debug);
    SNAP_ARRAY(snap, debug->registers.address);
    SNAP(snap, debug->registers.dr6);
    SNAP(snap, debug->registers.dr7);
    SNAP(snap, debug->pending);
    SNAP_FLAG(snap, debug->shadow);
    SNAP_FLAG(snap, debug->is_rf_new);
    SNAP_CLOSE(snap, debug);
}

static void pmu_snap(struct pmu *pmu, struct snap *snap)
{
    SNAP_OPEN(snap, pmu);
    for (unsigned i = 0; i < PMU_NR_COUNTERS; i++) {
        struct pmu_counter *counter = &pmu->counter[i];
        SNAP_OPEN(snap, counter);
        SNAP(snap, counter->value);
        SNAP(snap, counter->start);
        SNAP(snap, counter->event);
        SNAP_FLAG(snap, counter->is_running);
        SNAP_CLOSE(snap, counter);
    }
    SNAP_ARRAY(snap, pmu->select);
    SNAP(snap, pmu->fixed_control);
    SNAP(snap, pmu->global_control);
    SNAP(snap, pmu->global_status);
    SNAP_FLAG(snap, pmu->is_split);
    SNAP_FLAG(snap, pmu->is_user);
    SNAP_FLAG(snap, pmu->has_interrupts);
    SNAP(snap, pmu->nr_ahead);
    SNAP_CLOSE(snap, pmu);
}

static void registers_snap(struct cpu *cpu, struct snap *snap)
{
    SNAP_ARRAY(snap, cpu->reg);
    SNAP_REQUIRE(snap, cpu->reg[REG_ZERO] == 0);
    SNAP(snap, cpu->flag_result);
    SNAP(snap, cpu->flag_carry);
    SNAP(snap, cpu->rip);
    SNAP(snap, cpu->eflags);
    SNAP(snap, cpu->cr2);
    for (unsigned i = 0; i < DEC_NR_SEGS; i++)
        segment_snap(&cpu->segment[i], snap);
    SNAP_SKIP(snap, cpu->segment); /* all of them: DEC_NR_SEGS */
    segment_snap(&cpu->ldtr, snap);
    segment_snap(&cpu->tr, snap);
    SNAP(snap, cpu->gdt_base);
    SNAP(snap, cpu->idt_base);
    SNAP(snap, cpu->gdt_limit);
    SNAP(snap, cpu->idt_limit);
    SNAP_BELOW(snap, cpu->cpl, 4);
    paging_mode_snap(&cpu->control, snap);
    fpu_snap(&cpu->fpu, snap);
    for (unsigned i = 0; i < CPU_NR_XMM; i++)
        SNAP_ARRAY(snap, cpu->xmm[i].half);
    SNAP(snap, cpu->mxcsr);
    SNAP_ARRAY(snap, cpu->wide.half);
    debug_snap(&cpu->debug, snap);
    pmu_snap(&cpu->pmu, snap);
    SNAP(snap, cpu->sysenter_cs);
    SNAP(snap, cpu->sysenter_esp);
    SNAP(snap, cpu->sysenter_eip);
    SNAP(snap, cpu->star);
    SNAP(snap, cpu->lstar);
    SNAP(snap, cpu->cstar);
    SNAP(snap, cpu->sfmask);
    SNAP(snap, cpu->kernel_gs_base);
    SNAP(snap, cpu->tsc_aux);
    SNAP(snap, cpu->cr8);
    SNAP(snap, cpu->apic_base);
    SNAP(snap, cpu->platform_id);
    SNAP(snap, cpu->microcode_revision);
    SNAP(snap, cpu->misc_enable);
    SNAP(snap, cpu->tsc_offset_cycles);
}

/* What follows from the registers, in the words of the fast paths. */
static void mode_snap(struct cpu *cpu, struct snap *snap)
{
    SNAP_BELOW(snap, cpu->front_kind, NR_FRONT_KINDS);
    SNAP_REQUIRE(snap, cpu->front_kind == FRONT_SUPERVISOR || cpu->front_kind == FRONT_USER);
    SNAP(snap, cpu->linear_mask);
    SNAP(snap, cpu->stack_mask);
    SNAP(snap, cpu->code_base);
    SNAP(snap, cpu->code_bias);
    SNAP(snap, cpu->code_limit);
    SNAP(snap, cpu->code_key);
    SNAP_FLAG(snap, cpu->checks_alignment);
    SNAP(snap, cpu->x87_blocked);
    SNAP(snap, cpu->mmx_blocked);
    SNAP(snap, cpu->sse_blocked);
}

static void progress_snap(struct cpu *cpu, struct snap *snap)
{
    fault_snap(&cpu->fault, snap);
    SNAP_FLAG(snap, cpu->interrupt_line);
    SNAP_FLAG(snap, cpu->nmi_pending);
    SNAP_FLAG(snap, cpu->is_nmi_blocked);
    SNAP_FLAG(snap, cpu->interrupt_shadow);
    SNAP_FLAG(snap, cpu->fetches_anew);
    SNAP_FLAG(snap, cpu->is_mid_block);
    SNAP_FLAG(snap, cpu->is_mid_insn);
    SNAP(snap, cpu->next_page.v);
    SNAP_FLAG(snap, cpu->is_stepping);
    SNAP(snap, cpu->steps_left);
    SNAP_FLAG(snap, cpu->is_halted);
    SNAP_FLAG(snap, cpu->is_shut_down);
    SNAP_FLAG(snap, cpu->must_stop);
    SNAP_FLAG(snap, cpu->stop_for_marker);
    SNAP_FLAG(snap, cpu->is_simd_fault);
    SNAP_FLAG(snap, cpu->ignores_x87_error);
    SNAP(snap, cpu->x87_raised);
    SNAP(snap, cpu->memory_ip);
    SNAP(snap, cpu->combined_line);
}

/* ---- Time ---- */

static void buffered_snap(struct cpu *cpu, struct buffered_store *store, struct snap *snap)
{
    const struct ram *ram = cpu->params.ram;
    SNAP_OPEN(snap, store);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t at = store->host[i] ? (uint64_t)(store->host[i] - ram->host) + 1 : 0;
        SNAP_BELOW(snap, at, ram->size_bytes + 1);
        if (snap->is_load)
            store->host[i] = at ? ram->host + (at - 1) : NULL;
        SNAP_BELOW(snap, store->size_bytes[i], sizeof(struct xmm) + 1);
    }
    SNAP_SKIP(snap, store->host);
    stamps_snap(&store->data, 1, snap);
    SNAP_CLOSE(snap, store);
}

static void time_snap(struct cpu *cpu, struct snap *snap)
{
    stamps_snap(cpu->ready, NR_READY, snap);
    stamps_snap(&cpu->deadline, 1, snap);
    SNAP(snap, cpu->fast_stores);
    stamps_snap(cpu->port_free, MAX_PORTS, snap);
    SNAP_BELOW(snap, cpu->port_index, cpu->port_mask + 1);
    SNAP_BELOW(snap, cpu->store_index, cpu->store_entries);
    stamps_snap(&cpu->store_drained, 1, snap);
    stamps_snap(&cpu->store_met, 1, snap);
    stamps_snap(&cpu->iterative_free, 1, snap);
    stamps_snap(&cpu->fetch_at, 1, snap);
    SNAP_BELOW(snap, cpu->fetch_index, cpu->fetch_entries);
    stamps_snap(cpu->store_buffer, MAX_STORE_BUFFER, snap);
    stamps_snap(cpu->store_seen, STORE_SEEN_ENTRIES, snap);
    for (unsigned i = 0; i < MAX_STORE_BUFFER; i++)
        buffered_snap(cpu, &cpu->buffered[i], snap);
    stamps_snap(cpu->fetch_left, MAX_FETCH_QUEUE, snap);
    stamps_snap(&cpu->clock, 1, snap);
    stamps_snap(&cpu->slow_issue, 1, snap);
    stamps_snap(&cpu->io_wait, 1, snap);
    SNAP_ARRAY(snap, cpu->untimed_clocks);
}

/* A core that was functional begins its time in the model that it is now: nothing is on its way. */
static void begin_time(struct cpu *cpu)
{
    memset(cpu->ready, 0, sizeof cpu->ready);
    memset(cpu->port_free, 0, sizeof cpu->port_free);
    memset(cpu->store_buffer, 0, sizeof cpu->store_buffer);
    memset(cpu->store_seen, 0, sizeof cpu->store_seen);
    memset(cpu->buffered, 0, sizeof cpu->buffered);
    memset(cpu->fetch_left, 0, sizeof cpu->fetch_left);
    cpu->port_index = cpu->store_index = cpu->fetch_index = 0;
    cpu->store_drained = cpu->store_met = cpu->iterative_free = 0;
    cpu->fast_stores = 0;
    cpu->is_mid_block = cpu->is_mid_insn = false;
    cpu->fetch_front = NULL;
    cpu->clock = stamp_ceiling(cpu->clock);
    cpu->fetch_at = cpu->clock;
    cpu->mmu.untimed.id++;
    cpu->mmu.stats = (struct mmu_stats){0}; /* its walks were no misses of a TLB */
    cpu_drop_fronts(cpu);
}

static void predictor_snap(struct cpu *cpu, struct snap *snap)
{
    struct predictor *p = &cpu->predictor;
    uint64_t nr_targets = (p->btb_mask + 1) * (p->btb_rest_ways + 1);
    SNAP_OPEN(snap, p);
    SNAP_SKIP(snap, p->counter_mask); /* of the configuration, as is all that is skipped here */
    SNAP_SKIP(snap, p->history_mask);
    SNAP(snap, p->history);
    SNAP_SKIP(snap, p->is_counted);
    SNAP_SKIP(snap, p->static_taken);
    SNAP_SKIP(snap, p->btb_mask);
    SNAP_SKIP(snap, p->btb_rest_ways);
    SNAP_ARRAY(snap, p->return_stack);
    SNAP_BELOW(snap, p->return_top, p->return_entries);
    SNAP_SKIP(snap, p->return_entries);
    SNAP_BELOW(snap, p->return_depth, p->return_entries + 1);
    SNAP_SKIP(snap, p->counters); /* their own arrays, below */
    SNAP_SKIP(snap, p->btb);
    SNAP_SKIP(snap, p->btb_rest);
    SNAP_SKIP(snap, p->tage);
    SNAP_CLOSE(snap, p);
    SNAP_VALUES(snap, p->counters, p->counter_mask + 1);
    for (uint64_t i = 0; i < nr_targets; i++) {
        SNAP(snap, p->btb[i].from);
        SNAP(snap, p->btb[i].to);
    }
    if (p->tage)
        tage_snap(p->tage, snap);
}

/* ---- All of it ---- */

static void observed_snap(struct cpu *cpu, struct snap *snap)
{
    for (unsigned i = 0; i < CPU_FAULT_HISTORY; i++)
        history_snap(&cpu->history[i], snap);
    SNAP(snap, cpu->nr_faults);
    SNAP_ARRAY(snap, cpu->unimplemented);
    SNAP_ARRAY(snap, cpu->seen_lost);
    SNAP(snap, cpu->seen_sent);
    SNAP_SKIP(snap, cpu->seen_in_flight); /* of the access that is being made */
    SNAP(snap, cpu->seen_taken_branches);
    stamps_snap(&cpu->seen_fetched, 1, snap);
    SNAP(snap, cpu->seen_code_base);
    SNAP(snap, cpu->seen_code_bits);
    SNAP(snap, cpu->seen_cpl);
    SNAP_SKIP(snap, cpu->lost_reasons);
    if (snap->is_load) {
        cpu->lost_reasons = (1u << NR_REASONS) - (1u << (REASON_BASE + 1));
        cpu_observe_anew(cpu);
    }
}

static void skip_made_anew(struct cpu *cpu, struct snap *snap)
{
    SNAP_SKIP(snap, cpu->step); /* of the configuration, down to the feature bits */
    SNAP_SKIP(snap, cpu->load_hit);
    SNAP_SKIP(snap, cpu->store_forward);
    SNAP_SKIP(snap, cpu->store_forward_fail);
    SNAP_SKIP(snap, cpu->l1d_read_line);
    SNAP_SKIP(snap, cpu->l1d_write_line);
    SNAP_SKIP(snap, cpu->l1d_set_mask);
    SNAP_SKIP(snap, cpu->l1d_line_shift);
    SNAP_SKIP(snap, cpu->line_mask);
    SNAP_SKIP(snap, cpu->data_clock);
    SNAP_SKIP(snap, cpu->fetch_clock);
    SNAP_SKIP(snap, cpu->port_mask);
    SNAP_SKIP(snap, cpu->store_entries);
    SNAP_SKIP(snap, cpu->frontend);
    SNAP_SKIP(snap, cpu->mispredict);
    SNAP_SKIP(snap, cpu->btb_bubble);
    SNAP_SKIP(snap, cpu->fetch_entries);
    SNAP_SKIP(snap, cpu->is_timed);
    SNAP_SKIP(snap, cpu->is_hit_under_walk);
    SNAP_SKIP(snap, cpu->features);
    SNAP_SKIP(snap, cpu->sees_all);
    SNAP_SKIP(snap, cpu->room);
    SNAP_SKIP(snap, cpu->told); /* of the code that is decoded */
    SNAP_SKIP(snap, cpu->seen_key);
    SNAP_SKIP(snap, cpu->seen_next);
    SNAP_SKIP(snap, cpu->seen_gap);
    SNAP_SKIP(snap, cpu->seen_page);
    SNAP_SKIP(snap, cpu->seen_pages);
    SNAP_SKIP(snap, cpu->nr_seen_keys);
    SNAP_SKIP(snap, cpu->seen_data_cache);
    SNAP_SKIP(snap, cpu->fetch_hit_cycles);
    SNAP_SKIP(snap, cpu->predictor); /* in timed models, and only there */
    SNAP_SKIP(snap, cpu->jump_cache);
    SNAP_SKIP(snap, cpu->code_frames); /* code.c's */
    SNAP_SKIP(snap, cpu->nr_code_frames);
    SNAP_SKIP(snap, cpu->dead_frames);
    SNAP_SKIP(snap, cpu->nr_dead_frames);
    SNAP_SKIP(snap, cpu->single);
    SNAP_SKIP(snap, cpu->single_key);
    SNAP_SKIP(snap, cpu->stop_record);
    SNAP_SKIP(snap, cpu->fetch_bytes);
    SNAP_SKIP(snap, cpu->fetch_line_shift);
    SNAP_SKIP(snap, cpu->handlers);
    SNAP_SKIP(snap, cpu->params);
    SNAP_SKIP(snap, cpu->stops); /* a debugger's */
}

void cpu_snap(struct cpu *cpu, bool begins_time, struct snap *snap)
{
    snap_section(snap, "cpu0");
    SNAP_OPEN(snap, cpu);
    skip_made_anew(cpu, snap);
    registers_snap(cpu, snap);
    mode_snap(cpu, snap);
    progress_snap(cpu, snap);
    SNAP_COUNTERS(snap, cpu->stats);
    SNAP_ARRAY(snap, cpu->lost);
    time_snap(cpu, snap);
    mmu_snap(&cpu->mmu, snap);
    observed_snap(cpu, snap);
    cpu_code_snap(cpu, snap);
    snap_section(snap, "cpu0 shortcuts");
    if (snap->is_load && begins_time) {
        /* They are of a core without TLBs: read, and forgotten. */
        struct tlb *itlb = cpu->params.itlb, *dtlb = cpu->params.dtlb;
        cpu->params.itlb = cpu->params.dtlb = NULL;
        data_fronts_snap(cpu, snap);
        fetch_fronts_snap(cpu, snap);
        cpu->params.itlb = itlb;
        cpu->params.dtlb = dtlb;
        begin_time(cpu);
    } else {
        data_fronts_snap(cpu, snap);
        fetch_fronts_snap(cpu, snap);
    }
    SNAP_CLOSE(snap, cpu);
    if (!cpu->is_timed || begins_time)
        return;
    snap_section(snap, "cpu0 predictor");
    predictor_snap(cpu, snap);
}
