/*
 * Telling an observer in short (cpu->room): inlined into the watched executors, since every instruction of a
 * traced run goes through here.
 */
#ifndef LK_CPU_BRIEF_H
#define LK_CPU_BRIEF_H

#include "cpu/cpu_internal.h"

/* A page of code in a mode. Each time that it or what it holds becomes another, it gets another key. */
struct cpu_seen_page {
    uint64_t linear, frame, code_base;
    uint64_t key; /* a multiple of the page's size; 0: none */
    uint8_t code_bits, cpl;
};
enum { CPU_SEEN_PAGES = 256 };

/* An instruction as it is known by: its page's key and its offset there. */
#define CPU_TOLD_NONE UINT64_MAX
static inline uint64_t cpu_told_as(const struct cpu *cpu, const struct insn *insn)
{
    return cpu->seen_key | insn->offset;
}

static inline __attribute__((always_inline)) void cpu_fill_again(struct cpu_seen_again *seen,
                                                                 unsigned waited_for, unsigned place,
                                                                 uint64_t done_cycles, stamp_t issued,
                                                                 stamp_t fetched)
{
    seen->brief = CPU_BRIEF_INSN;
    seen->waited_for = (uint8_t)waited_for;
    seen->place = (uint16_t)place;
    seen->done_cycles = (uint32_t)done_cycles;
    seen->issued_quarter = issued >> STAMP_SLOT_SHIFT;
    seen->fetched = stamp_cycle(fetched);
}

/* A block is fetched, from REG_CODE's page: what it holds is told of from here on. */
static inline __attribute__((always_inline)) void cpu_tell_page(struct cpu *cpu)
{
    const struct cpu_seen_page *page = cpu->seen_page;
    if (UNLIKELY(page->linear != cpu->reg[REG_CODE] || page->frame != cpu->fetch_front->frame.v ||
                 page->code_base != cpu->seen_code_base || page->code_bits != cpu->seen_code_bits ||
                 page->cpl != cpu->seen_cpl || cpu->seen_next != cpu->stats.instructions))
        cpu_observe_page(cpu);
}

static inline __attribute__((always_inline)) void cpu_tell_hit(struct cpu *cpu, uint64_t linear,
                                                               const uint8_t *host, unsigned size_bytes,
                                                               enum cpu_hit_kind kind, stamp_t t)
{
    struct cpu_seen_hit *seen = cpu_brief_take(cpu->room, sizeof *seen);
    seen->form = (struct cpu_hit_form){
        .brief = CPU_BRIEF_HIT,
        .kind = kind == CPU_HIT_STORE ? CPU_ACCESS_STORE : CPU_ACCESS_LOAD,
        .cache = cpu->seen_data_cache,
        .size_bytes = (uint8_t)size_bytes,
        .hit_cycles = (uint16_t)stamp_cycle(cpu->load_hit),
        .is_for_write = kind == CPU_HIT_LOAD_FOR_WRITE,
        .is_user = cpu->front_kind == FRONT_USER,
        .is_paged = (cpu->control.cr0 & CR0_PG) != 0,
    };
    seen->linear = laddr(linear);
    seen->physical = paddr((uint64_t)(host - cpu->params.ram->host));
    seen->ip = cpu->memory_ip;
    seen->asked = stamp_cycle(t);
}

/* False: it takes cpu_observe_insn to tell of it, and nothing has changed. */
static inline __attribute__((always_inline)) bool cpu_tell_again(struct cpu *cpu, const struct insn *insn,
                                                                 stamp_t issued, stamp_t done)
{
    struct cpu_brief_room *room = cpu->room;
    unsigned lost = cpu->lost_reasons;
    uint64_t done_cycles = stamp_cycle(done) - stamp_cycle(issued);
    if (UNLIKELY(!room) || UNLIKELY(lost & (lost - 1)) || UNLIKELY(done_cycles >> 32))
        return false;
    unsigned place = cpu_seen_place(cpu->reg[REG_CODE] + insn->offset);
    uint8_t *at = room->at;
    if (UNLIKELY(cpu->told[place] != cpu_told_as(cpu, insn)) ||
        UNLIKELY((size_t)(room->end - at) < sizeof(struct cpu_seen_again)))
        return false;
    room->at = at + sizeof(struct cpu_seen_again);
    cpu->seen_next++;
    unsigned waited_for = 0;
    if (lost) {
        waited_for = (unsigned)__builtin_ctz(lost);
        cpu->seen_lost[waited_for] = cpu->lost[waited_for];
        cpu->lost_reasons = 0;
    }
    cpu_fill_again((struct cpu_seen_again *)(void *)at, waited_for, place, done_cycles, issued,
                   cpu->seen_fetched);
    return true;
}

static inline __attribute__((always_inline)) void cpu_tell_fetch(struct cpu *cpu, const struct insn *block,
                                                                 stamp_t fetched)
{
    cpu_tell_page(cpu);
    struct cpu_seen_hit *seen = cpu_brief_take(cpu->room, sizeof *seen);
    struct paddr line = paddr(block->imm << cpu->fetch_line_shift);
    seen->form = (struct cpu_hit_form){
        .brief = CPU_BRIEF_HIT,
        .kind = CPU_ACCESS_FETCH,
        .cache = CPU_REQUEST_L1I,
        .size_bytes = 1,
        .hit_cycles = cpu->fetch_hit_cycles,
        .is_user = cpu->front_kind == FRONT_USER,
        .is_paged = (cpu->control.cr0 & CR0_PG) != 0,
    };
    seen->linear = laddr(cpu->reg[REG_CODE] | (line.v & PAGE_MASK));
    seen->physical = line;
    seen->ip = cpu->reg[REG_CODE] + block->offset;
    seen->asked = stamp_cycle(fetched);
    cpu->seen_fetched = fetched;
}

#endif
