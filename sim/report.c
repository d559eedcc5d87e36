#include "sim/report.h"

#include "sim/base/stamp.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static const char *reason_name(unsigned reason)
{
    static const char *const names[] = {
        "base",
#define REASON(id, name, sentence) #name,
#include "sim/base/reasons.def"
#undef REASON
    };
    return names[reason];
}

/* A part a column, five columns a line. */
static void print_cpi_stack(const struct stat_registry *stats, uint64_t instructions, uint64_t cycles,
                            FILE *to)
{
    enum { COLUMNS = 5 };
    for (unsigned i = 0; i < NR_REASONS; i++) {
        char name[64];
        snprintf(name, sizeof name, "cpu0.cpi_stack.%s", reason_name(i));
        uint64_t part = stat_count(stats, name);
        const char *label = i == 0 ? "CPI stack" : "";
        if (i % COLUMNS == 0)
            fprintf(to, "  %-15s ", label);
        fprintf(to, "%6s %5.3f %4.1f %%%s", reason_name(i), (double)part / (double)instructions,
                percent(part, cycles), i % COLUMNS == COLUMNS - 1 || i == NR_REASONS - 1 ? "\n" : "  ");
    }
}

static void print_rate(const struct stat_registry *stats, const char *label, const char *path,
                       uint64_t instructions, FILE *to)
{
    char misses_name[64], accesses_name[64];
    uint64_t misses = 0, accesses = 0;
    snprintf(misses_name, sizeof misses_name, "%s.misses", path);
    snprintf(accesses_name, sizeof accesses_name, "%s.accesses", path);
    if (!stat_get_count(stats, misses_name, &misses) || !stat_get_count(stats, accesses_name, &accesses))
        return; /* the machine has none */
    fprintf(to, "  %-15s %12" PRIu64 " misses of %" PRIu64 " (%.3f %%, %.2f per 1000 instructions)\n", label,
            misses, accesses, percent(misses, accesses), 1000.0 * (double)misses / (double)instructions);
}

static void print_memory_system(const struct stat_registry *stats, uint64_t instructions, FILE *to)
{
    static const struct {
        const char *label, *path;
    } rows[] = {
        {"L1 ITLB", "cpu0.tlb.l1i"},
        {"L1 DTLB", "cpu0.tlb.l1d"},
        {"L2 TLB", "cpu0.tlb.l2"},
        {"PDE cache", "cpu0.tlb.pde"},
        {"PDPTE cache", "cpu0.tlb.pdpte"},
        {"PML4 cache", "cpu0.tlb.pml4e"},
        {"PML5 cache", "cpu0.tlb.pml5e"},
        {"L1I", "cache.l1i0"},
        {"L1D", "cache.l1d0"},
        {"L2", "cache.l2"},
        {"L3", "cache.l3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        print_rate(stats, rows[i].label, rows[i].path, instructions, to);
    fprintf(to, "  DRAM            %12" PRIu64 " row hits, %" PRIu64 " misses, %" PRIu64 " conflicts\n",
            stat_count(stats, "dram.row_hits"), stat_count(stats, "dram.row_misses"),
            stat_count(stats, "dram.row_conflicts"));
    uint64_t branches = stat_count(stats, "cpu0.branches"),
             mispredicts = stat_count(stats, "cpu0.mispredicts");
    fprintf(to, "  branches        %12" PRIu64 " mispredicted of %" PRIu64 " (%.2f %%)\n", mispredicts,
            branches, percent(mispredicts, branches));
}

static void print_walks(const struct stat_registry *stats, bool is_timed, FILE *to)
{
    uint64_t walks = stat_count(stats, "cpu0.mmu.walks"), reads = stat_count(stats, "cpu0.mmu.walk_reads");
    fprintf(to, "  page walks      %12" PRIu64 ", %" PRIu64 " entries read", walks, reads);
    if (!is_timed || !walks || !reads) {
        fprintf(to, "\n");
        return;
    }
    static const struct {
        const char *label, *path;
    } servers[] = {{"L1D", "cpu0.mmu.walk_reads_l1d"},
                   {"L2", "cpu0.mmu.walk_reads_l2"},
                   {"L3", "cpu0.mmu.walk_reads_l3"},
                   {"DRAM", "cpu0.mmu.walk_reads_dram"}},
      buckets[] = {
          {"0-7", "cpu0.mmu.walks_0_to_7_cycles"},         {"8-15", "cpu0.mmu.walks_8_to_15_cycles"},
          {"16-31", "cpu0.mmu.walks_16_to_31_cycles"},     {"32-63", "cpu0.mmu.walks_32_to_63_cycles"},
          {"64-127", "cpu0.mmu.walks_64_to_127_cycles"},   {"128-255", "cpu0.mmu.walks_128_to_255_cycles"},
          {"256-511", "cpu0.mmu.walks_256_to_511_cycles"}, {"512-", "cpu0.mmu.walks_512_cycles_up"}};
    const char *before = ": ";
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        uint64_t served = stat_count(stats, servers[i].path);
        if (served)
            fprintf(to, "%s%s %.1f %%", before, servers[i].label, percent(served, reads));
        before = served ? ", " : before;
    }
    fprintf(to, "\n  a walk's cycles %12.1f;",
            (double)stat_count(stats, "cpu0.mmu.walk_cycles") / (double)walks);
    before = " ";
    for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++) {
        uint64_t in_bucket = stat_count(stats, buckets[i].path);
        if (in_bucket)
            fprintf(to, "%s%s: %.1f %%", before, buckets[i].label, percent(in_bucket, walks));
        before = in_bucket ? ", " : before;
    }
    fprintf(to, "\n");
}

static void print_disks(struct stat_registry *stats, FILE *to)
{
    if (stat_count(stats, "disk.commands") == 0)
        return;
    fprintf(to,
            "  disks           %12" PRIu64 " sectors read, %" PRIu64 " written, %" PRIu64
            " seeks; errors: %" PRIu64 "\n",
            stat_count(stats, "disk.sectors_read"), stat_count(stats, "disk.sectors_written"),
            stat_count(stats, "disk.seeks"), stat_count(stats, "disk.errors"));
}

void report_summary(struct machine *machine, double seconds, FILE *to)
{
    struct stat_registry *stats = machine_stats(machine);
    uint64_t instructions = stat_count(stats, "cpu0.instructions"), cycles = stat_count(stats, "cpu0.cycles");
    if (instructions == 0)
        return;
    uint64_t idle = stat_count(stats, "cpu0.cpi_stack.idle");
    fprintf(to, "  instructions    %12" PRIu64, instructions);
    if (seconds > 0)
        fprintf(to, " in %.2f s of the host's time: %.1f M instructions/s", seconds,
                (double)cpu_stats(machine_parts(machine).cpu)->instructions / seconds / 1e6);
    fprintf(to, "\n  cycles          %12" PRIu64 " (%" PRIu64 " idle), CPI %.3f without idling\n", cycles,
            idle, (double)(cycles - idle) / (double)instructions);
    if (machine_parts(machine).l1d) {
        print_cpi_stack(stats, instructions, cycles, to);
        print_memory_system(stats, instructions, to);
    }
    print_walks(stats, machine_parts(machine).l1d != NULL, to);
    fprintf(to,
            "  exceptions      %12" PRIu64 ", of which page faults %" PRIu64 "; interrupts %" PRIu64
            ", system calls and other INT %" PRIu64 "\n",
            stat_count(stats, "cpu0.exceptions"), stat_count(stats, "cpu0.page_faults"),
            stat_count(stats, "cpu0.interrupts"), stat_count(stats, "cpu0.software_interrupts"));
    print_disks(stats, to);
    uint64_t unimplemented = stat_count(stats, "cpu0.unimplemented");
    if (unimplemented)
        fprintf(to,
                "  unimplemented   %12" PRIu64
                " instructions raised #UD or #GP because lookaside lacks them\n",
                unimplemented);
}

static const char *vector_name(unsigned vector)
{
    static const char *const names[] = {
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "CSO",
        "#TS", "#NP", "#SS", "#GP", "#PF", "15",  "#MF", "#AC", "#MC", "#XM",
    };
    return vector < sizeof names / sizeof *names ? names[vector] : "INT";
}

static void print_walk(const struct cpu *cpu, uint64_t linear, FILE *to)
{
    struct walk walk;
    struct paddr physical;
    bool is_mapped = mmu_peek(cpu_mmu(cpu), laddr(linear), &walk, &physical);
    fprintf(to, "  page walk of %08" PRIx64 ":", linear);
    if (walk.kind == PAGING_OFF)
        fprintf(to, " paging is off");
    else if (walk.nr_steps == 0)
        fprintf(to, " PDPTE[%u] = %08" PRIx64 " (not present)", paging_pdpte_index(laddr(linear)),
                cpu_mmu(cpu)->mode.pdpte[paging_pdpte_index(laddr(linear))]);
    for (unsigned i = 0; i < walk.nr_steps; i++)
        fprintf(to, "%s %s[%u] at %08" PRIx64 " = %08" PRIx64 "%s", i ? " ->" : "",
                paging_level(walk.kind, i)->name, walk.step[i].index, walk.step[i].at.v, walk.step[i].value,
                walk.step[i].value & PTE_P ? "" : " (not present)");
    if (is_mapped)
        fprintf(to, " -> physical %08" PRIx64, physical.v);
    fprintf(to, "\n");
}

static void print_general_registers(const struct cpu_state *s, FILE *to)
{
    static const char *const names[] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
    for (unsigned i = 0; i < 8; i++)
        fprintf(to, "%s%s %08" PRIx64, i % 4 ? "  " : "\n  ", names[i], s->gpr[i]);
    fprintf(to, "\n  eip %08" PRIx64 "  eflags %08" PRIx64, s->rip, s->rflags);
}

static void print_general_registers_64bit(const struct cpu_state *s, FILE *to)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8 ", "r9 ", "r10", "r11", "r12", "r13", "r14", "r15"};
    for (unsigned i = 0; i < 16; i++)
        fprintf(to, "%s%s %016" PRIx64, i % 4 ? "  " : "\n  ", names[i], s->gpr[i]);
    fprintf(to, "\n  rip %016" PRIx64 "  rflags %08" PRIx64 "  efer %04" PRIx64, s->rip, s->rflags, s->efer);
}

static void print_registers(const struct cpu_state *s, FILE *to)
{
    static const char *const segments[] = {"es", "cs", "ss", "ds", "fs", "gs"};
    if (s->efer & EFER_LMA)
        print_general_registers_64bit(s, to);
    else
        print_general_registers(s, to);
    fprintf(to, "\n  cr0 %08" PRIx64 "  cr2 %08" PRIx64 "  cr3 %08" PRIx64 "  cr4 %08" PRIx64, s->cr0, s->cr2,
            s->cr3, s->cr4);
    fprintf(to, "\n  gdt %08" PRIx64 " limit %04" PRIx32 "  idt %08" PRIx64 " limit %04" PRIx32, s->gdt_base,
            s->gdt_limit, s->idt_base, s->idt_limit);
    for (unsigned i = 0; i < 6; i++)
        fprintf(to, "%s%s %04x base %08" PRIx64 " limit %08" PRIx32, i % 2 ? "  " : "\n  ", segments[i],
                s->segment[i].selector, s->segment[i].hidden.base, s->segment[i].hidden.limit_bytes);
    fprintf(to, "\n");
}

enum { PAGE_FAULT = 14 };

/* Whether an earlier exception (later in `record`) was a page fault at the same address as number i. */
static bool is_walk_printed(const struct cpu_fault_record *record, unsigned nr, unsigned i)
{
    for (unsigned j = i + 1; j < nr; j++)
        if (record[j].vector == PAGE_FAULT && record[j].cr2 == record[i].cr2)
            return true;
    return false;
}

void report_triple_fault(const struct machine *machine, FILE *to)
{
    const struct cpu *cpu = machine_parts(machine).cpu;
    struct cpu_fault_record record[CPU_FAULT_HISTORY];
    unsigned nr = cpu_fault_history(cpu, record);
    struct cpu_state state = cpu_state(cpu);
    fprintf(to,
            "triple fault in cycle %" PRIu64
            ": the processor shut down. The last exceptions, oldest first:\n",
            cpu_now(cpu));
    for (unsigned i = nr; i-- > 0;) {
        fprintf(to, "  cycle %" PRIu64 "  %s", record[i].cycle, vector_name(record[i].vector));
        if (record[i].has_error_code)
            fprintf(to, " error %04" PRIx32, record[i].error_code);
        if (record[i].vector == PAGE_FAULT)
            fprintf(to, " cr2 %08" PRIx64, record[i].cr2);
        fprintf(to, " at %04x:%08" PRIx64 "\n", record[i].cs, record[i].rip);
    }
    fprintf(to, "registers:");
    print_registers(&state, to);
    uint8_t bytes[16];
    uint64_t linear = cpu_state_code_linear(&state);
    fprintf(to, cpu_state_is_64bit_code(&state) ? "code at rip:" : "code at cs:eip:");
    if (cpu_peek(cpu, laddr(linear), bytes, sizeof bytes))
        for (unsigned i = 0; i < sizeof bytes; i++)
            fprintf(to, " %02x", bytes[i]);
    else
        fprintf(to, " not mapped");
    fprintf(to, "\n");
    print_walk(cpu, linear, to);
    for (unsigned i = nr; i-- > 0;)
        if (record[i].vector == PAGE_FAULT && record[i].cr2 != linear && !is_walk_printed(record, nr, i))
            print_walk(cpu, record[i].cr2, to);
}

void report_disks(const struct machine *machine, FILE *to)
{
    struct machine_parts parts = machine_parts(machine);
    for (unsigned i = 0; i < MACHINE_NR_DISKS; i++) {
        struct disk_host_errors errors = {0};
        if (parts.disks[i])
            errors = disk_host_errors(parts.disks[i]);
        if (errors.nr_errors)
            fprintf(to, "lookaside: %s: the guest got %" PRIu64 " disk errors; the first since: %s\n",
                    errors.file, errors.nr_errors,
                    errors.first_errno ? strerror(errors.first_errno) : "the file has become shorter");
    }
}
