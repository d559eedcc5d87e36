/* What the monitor shows of a machine. */
#include "cpu/debugger.h"
#include "sim/observe/monitor.h"
#include "sim/observe/page_ranges.h"
#include "sim/observe/trace_disasm.h"

#include <inttypes.h>
#include <string.h>

/* ---- Registers ---- */

static void show_flags(uint64_t flags, FILE *to)
{
    static const struct {
        unsigned bit;
        char letter;
    } letters[] = {{11, 'O'}, {10, 'D'}, {9, 'I'}, {8, 'T'}, {7, 'S'},
                   {6, 'Z'},  {4, 'A'},  {2, 'P'}, {0, 'C'}};
    fprintf(to, "flags %08" PRIx64 " [", flags);
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        fputc(flags >> letters[i].bit & 1 ? letters[i].letter : '-', to);
    fputs("]\n", to);
}

void monitor_show_registers(const struct cpu *cpu, FILE *to)
{
    static const char *const names[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    struct cpu_state s = cpu_state(cpu);
    bool is_long = s.efer & EFER_LMA;
    for (unsigned i = 0; i < (is_long ? 16u : 8u); i++) {
        const char *end = (i & 3) == 3 ? "\n" : "  ";
        if (i >= 8)
            fprintf(to, "r%-2u %016" PRIx64 "%s", i, s.gpr[i], end);
        else
            fprintf(to, "%c%s %0*" PRIx64 "%s", is_long ? 'r' : 'e', names[i], is_long ? 16 : 8, s.gpr[i],
                    end);
    }
    fprintf(to, "%cip %0*" PRIx64 "  ", is_long ? 'r' : 'e', is_long ? 16 : 8, s.rip);
    show_flags(s.rflags, to);
    fprintf(to,
            "cr0 %08" PRIx64 "  cr2 %08" PRIx64 "  cr3 %08" PRIx64 "  cr4 %08" PRIx64 "  efer %04" PRIx64
            "\n",
            s.cr0, s.cr2, s.cr3, s.cr4, s.efer);
    for (unsigned i = 0; i < NR_BREAKPOINTS; i++)
        fprintf(to, "dr%u %08" PRIx64 "  ", i, s.debug.address[i]);
    fprintf(to, "\ndr6 %08" PRIx32 "  dr7 %08" PRIx32 "\n", s.debug.dr6, s.debug.dr7);
    fprintf(to, "cycle %" PRIu64 ", %" PRIu64 " instructions%s\n", cpu_now(cpu), cpu_stats(cpu)->instructions,
            cpu_is_halted(cpu) ? ", halted" : "");
}

static void show_segment(const char *name, const struct segment *segment, FILE *to)
{
    const struct descriptor *d = &segment->hidden;
    fprintf(to, "%-4s %04x  base %08" PRIx64 "  limit %08" PRIx32 "  ", name, segment->selector, d->base,
            d->limit_bytes);
    if (!segment->is_usable)
        fputs("null\n", to);
    else if (!d->is_code_or_data)
        fprintf(to, "dpl %u  system, type %u\n", d->dpl, d->type);
    else if (d->type & SEGMENT_CODE)
        fprintf(to, "dpl %u  code, %s bits%s%s\n", d->dpl,
                d->is_long  ? "64"
                : d->is_big ? "32"
                            : "16",
                d->type & SEGMENT_READABLE ? ", readable" : "",
                d->type & SEGMENT_CONFORMING ? ", conforming" : "");
    else
        fprintf(to, "dpl %u  data%s%s%s\n", d->dpl, d->type & SEGMENT_WRITABLE ? ", writable" : "",
                d->type & SEGMENT_EXPAND_DOWN ? ", expand-down" : "", d->is_big ? ", big" : "");
}

void monitor_show_segments(const struct cpu *cpu, FILE *to)
{
    static const char *const names[] = {"es", "cs", "ss", "ds", "fs", "gs"};
    static const unsigned order[] = {1, 2, 3, 0, 4, 5};
    struct cpu_state s = cpu_state(cpu);
    for (unsigned i = 0; i < sizeof order / sizeof *order; i++)
        show_segment(names[order[i]], &s.segment[order[i]], to);
    show_segment("ldtr", &s.ldtr, to);
    show_segment("tr", &s.tr, to);
    fprintf(to, "gdt        base %08" PRIx64 "  limit %08" PRIx32 "\n", s.gdt_base, s.gdt_limit);
    fprintf(to, "idt        base %08" PRIx64 "  limit %08" PRIx32 "\n", s.idt_base, s.idt_limit);
}

/* ---- Pages ---- */

/* The bits of an entry, in the order of QEMU's `info tlb`; a dash where one is clear. */
static void show_entry_bits(const struct walk_step *step, FILE *to)
{
    static const struct {
        uint64_t bit;
        char letter;
    } bits[] = {{PTE_G, 'G'},   {PTE_PS, 'P'},  {PTE_D, 'D'},  {PTE_A, 'A'},
                {PTE_PCD, 'C'}, {PTE_PWT, 'T'}, {PTE_US, 'U'}, {PTE_RW, 'W'}};
    fputc(step->size_bytes == 8 && (step->value & PTE_XD) ? 'X' : '-', to);
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        fputc(step->value & bits[i].bit ? bits[i].letter : '-', to);
}

void monitor_show_walk(const struct cpu *cpu, uint64_t linear, FILE *to)
{
    const struct mmu *mmu = cpu_mmu(cpu);
    struct walk walk;
    struct paddr physical;
    bool is_mapped = mmu_peek(mmu, laddr(linear), &walk, &physical);
    if (walk.kind == PAGING_OFF)
        fputs("paging is off\n", to);
    else
        fprintf(to, "cr3 %08" PRIx64 "\n", mmu->mode.cr3);
    if (walk.kind == PAGING_PAE) {
        unsigned index = paging_pdpte_index(laddr(linear));
        fprintf(to, "PDPTE[%u] in its register = %08" PRIx64 "\n", index, mmu->mode.pdpte[index]);
    }
    for (unsigned i = 0; i < walk.nr_steps; i++) {
        const struct walk_step *step = &walk.step[i];
        fprintf(to, "%s[%u] at %08" PRIx64 " = %0*" PRIx64 "  ", paging_level(walk.kind, i)->name,
                step->index, step->at.v, (int)step->size_bytes * 2, step->value);
        show_entry_bits(step, to);
        fputs(step->value & PTE_P ? "\n" : "  not present\n", to);
    }
    if (is_mapped)
        fprintf(to, "%08" PRIx64 " is at physical %08" PRIx64 "\n", linear, physical.v);
    else
        fprintf(to, "%08" PRIx64 " is not mapped%s\n", linear,
                walk.error_code & PF_RSVD ? ": reserved bits are set" : "");
}

static bool show_range(void *opaque, const struct page_range *range)
{
    fprintf(opaque, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %cr%c%s\n", range->first.v,
            range->first.v + range->size_bytes, range->size_bytes, range->flags & TLB_USER ? 'u' : '-',
            range->flags & TLB_WRITABLE ? 'w' : '-', range->flags & TLB_NO_EXECUTE ? " nx" : "");
    return true;
}

void monitor_show_mappings(const struct cpu *cpu, FILE *to)
{
    if (paging_kind(&cpu_mmu(cpu)->mode) == PAGING_OFF)
        fputs("PG disabled\n", to);
    else if (!page_ranges(cpu, false, show_range, to))
        fputs("... and more than can be shown\n", to);
}

/* ---- TLBs and caches ---- */

/* Whether the page tables in memory still say the same of an entry's page. */
static bool is_stale(const struct cpu *cpu, const struct tlb_entry *entry, struct laddr linear)
{
    struct walk walk;
    struct paddr physical;
    return !mmu_peek(cpu_mmu(cpu), linear, &walk, &physical) || physical.v != entry->frame.v;
}

static void show_tlb_entry(const struct cpu *cpu, const struct tlb_entry *entry, FILE *to)
{
    unsigned shift = tlb_page_shift(entry->page);
    struct laddr linear = laddr(entry->page_number << shift);
    uint64_t kib = 1ull << (shift - 10);
    fprintf(to, "%08" PRIx64 " -> %08" PRIx64 " %4" PRIu64 "%c %c%c%c%c%c", linear.v, entry->frame.v,
            kib < 1024 ? kib : kib / 1024, kib < 1024 ? 'K' : 'M', entry->flags & TLB_NO_EXECUTE ? 'X' : '-',
            entry->flags & TLB_GLOBAL ? 'G' : '-', entry->flags & TLB_DIRTY ? 'D' : '-',
            entry->flags & TLB_USER ? 'U' : '-', entry->flags & TLB_WRITABLE ? 'W' : '-');
    if (entry->pcid)
        fprintf(to, " pcid %u", entry->pcid);
    else if (is_stale(cpu, entry, linear))
        fputs(" stale", to);
    fputc('\n', to);
}

void monitor_show_tlb(const struct cpu *cpu, const char *name, const struct tlb *tlb, FILE *to)
{
    const struct tlb_params *params = tlb_params(tlb);
    for (unsigned array = 0; array < params->nr_arrays; array++) {
        uint64_t nr_ways = params->array[array].nr_ways, nr_sets = params->array[array].nr_entries / nr_ways;
        fprintf(to, "%s, %s pages: %" PRIu64 " sets of %" PRIu64 "\n", name,
                params->array[array].pages == TLB_PAGE_4K  ? "4 KiB"
                : params->array[array].pages & TLB_PAGE_4K ? "all"
                                                           : "large",
                nr_sets, nr_ways);
        for (uint64_t set = 0; set < nr_sets; set++) {
            for (uint64_t way = 0; way < nr_ways; way++) {
                const struct tlb_entry *entry = tlb_view(tlb, array, set, way);
                if (entry->id == 0)
                    continue;
                fprintf(to, "  %3" PRIu64 ".%-2" PRIu64 " ", set, way);
                show_tlb_entry(cpu, entry, to);
            }
        }
    }
}

void monitor_show_cache(const char *name, const struct cache *cache, bool are_lines_shown, FILE *to)
{
    uint64_t nr_sets = cache_nr_sets(cache), nr_ways = cache_nr_ways(cache), nr_valid = 0, nr_dirty = 0;
    unsigned shift = cache_front(cache)->line_shift;
    for (uint64_t set = 0; set < nr_sets; set++) {
        bool is_empty = true;
        for (uint64_t way = 0; way < nr_ways; way++) {
            struct cache_line_view line;
            if (!cache_view(cache, set, way, &line))
                continue;
            nr_valid++;
            nr_dirty += line.is_dirty;
            if (!are_lines_shown)
                continue;
            if (is_empty)
                fprintf(to, "%5" PRIu64 ":", set);
            is_empty = false;
            fprintf(to, " %08" PRIx64 "%s", line.line << shift, line.is_dirty ? "*" : "");
        }
        if (!is_empty)
            fputc('\n', to);
    }
    fprintf(to,
            "%s: %" PRIu64 " sets of %" PRIu64 " lines of %u bytes; %" PRIu64 " hold something, %" PRIu64
            " are dirty\n",
            name, nr_sets, nr_ways, 1u << shift, nr_valid, nr_dirty);
}

/* ---- Memory ---- */

static bool read_memory(const struct cpu *cpu, uint64_t at, bool is_physical, uint8_t *into,
                        size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++) {
        struct paddr physical = paddr(at + i);
        if ((!is_physical && !cpu_peek_address(cpu, laddr(at + i), &physical)) ||
            !cpu_read_physical(cpu, physical, &into[i], 1))
            return false;
    }
    return true;
}

static void show_unreadable(uint64_t at, FILE *to)
{
    fprintf(to, "%08" PRIx64 ": not mapped, or no RAM\n", at);
}

static void show_instructions(const struct cpu *cpu, uint64_t count, uint64_t at, bool is_physical, FILE *to)
{
    struct cpu_state s = cpu_state(cpu);
    struct trace_disasm *disasm = trace_disasm_create();
    if (!disasm) {
        fputs("out of memory\n", to);
        return;
    }
    while (count-- > 0) {
        struct cpu_seen_insn insn = {.rip = at, .linear = laddr(at)};
        char text[TRACE_DISASM_CHARS];
        insn.code_bits = cpu_state_is_64bit_code(&s) ? 64 : s.segment[1].hidden.is_big ? 32 : 16;
        while (insn.length_bytes < sizeof insn.bytes &&
               read_memory(cpu, at + insn.length_bytes, is_physical, &insn.bytes[insn.length_bytes], 1))
            insn.length_bytes++;
        if (insn.length_bytes == 0) {
            show_unreadable(at, to);
            break;
        }
        unsigned length = trace_disasm(disasm, &insn, text);
        fprintf(to, "%08" PRIx64 ": %s\n", at, text);
        at += length ? length : 1;
    }
    trace_disasm_destroy(disasm);
}

static void show_unit(const struct monitor_format *format, uint64_t value, FILE *to)
{
    static const int hex_digits[] = {[1] = 2, [2] = 4, [4] = 8, [8] = 16};
    unsigned unused = 64 - format->size_bytes * 8;
    switch (format->format) {
    case 'd':
        fprintf(to, " %" PRId64, (int64_t)(value << unused) >> unused);
        break;
    case 'u':
        fprintf(to, " %" PRIu64, value);
        break;
    case 'o':
        fprintf(to, " 0%" PRIo64, value);
        break;
    case 'c':
        fprintf(to, value >= ' ' && value < 127 ? " '%c'" : " '\\%03o'", (unsigned)value);
        break;
    default:
        fprintf(to, " 0x%0*" PRIx64, hex_digits[format->size_bytes], value);
        break;
    }
}

void monitor_show_memory(const struct cpu *cpu, const struct monitor_format *format, uint64_t at,
                         bool is_physical, FILE *to)
{
    if (format->format == 'i') {
        show_instructions(cpu, format->count, at, is_physical, to);
        return;
    }
    unsigned per_line = 16 / format->size_bytes;
    for (uint64_t i = 0; i < format->count; i++, at += format->size_bytes) {
        uint64_t value = 0;
        bool is_good = read_memory(cpu, at, is_physical, (uint8_t *)&value, format->size_bytes);
        if (i % per_line == 0 && is_good)
            fprintf(to, "%s%08" PRIx64 ":", i ? "\n" : "", at);
        if (!is_good) {
            if (i)
                fputc('\n', to);
            show_unreadable(at, to);
            return;
        }
        show_unit(format, value, to);
    }
    fputc('\n', to);
}
