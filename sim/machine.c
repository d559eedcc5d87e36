#include "sim/machine_internal.h"

#include "cache/content.h"
#include "dma/master.h"
#include "sim/base/iomap.h"
#include "sim/board/cmos.h"
#include "sim/board/tables.h"
#include "sim/load/firmware_rom.h"
#include "sim/start_state.h"
#include "tlb/tlb_config.h"

#include <stdlib.h>
#include <string.h>

#define NOWHERE UINT64_MAX

/* Numbers of the markers that this machine acts on (docs/markers.md). */
enum marker {
    MARKER_PROBE = 0,
    MARKER_ROI_BEGIN = 1,
    MARKER_ROI_END = 2,
    MARKER_MARK = 3,
    MARKER_RESET_STATS = 4,
    MARKER_DUMP_STATS = 5,
    MARKER_CHECKPOINT = 6,
    MARKER_EXIT = 7,
    MARKER_PANIC = 8,
    MARKER_LOG = 9,
    MARKER_MM_EVENT = 0x12,
};

enum { MARKER_VERSION = 1 };

/* ---- What the core asks of the board ---- */

/* Events that are due fire before the access, so that a device answers as of now. */
static void come_to(struct machine *machine, cycle_t now)
{
    ev_run(machine->events, now);
    ev_set_now(machine->events, now);
}

/* An access may have made an event due earlier than the core means to stop, or ended the run. */
static void come_back_in_time(struct machine *machine, cycle_t now)
{
    if (ev_next(machine->events) <= now || machine->end != MACHINE_RUNNING)
        cpu_request_stop(machine->cpu);
    else
        cpu_shorten_run(machine->cpu, ev_next(machine->events));
}

static uint64_t port_read(void *opaque, uint16_t port, unsigned size, cycle_t now)
{
    struct machine *machine = opaque;
    come_to(machine, now);
    uint64_t value = iomap_read(board_ports(machine->board), port, size);
    come_back_in_time(machine, now);
    return value;
}

static void port_write(void *opaque, uint16_t port, unsigned size, uint64_t value, cycle_t now)
{
    struct machine *machine = opaque;
    come_to(machine, now);
    iomap_write(board_ports(machine->board), port, size, value);
    come_back_in_time(machine, now);
}

/* Where the core's own local APIC answers, in front of all else. */
static bool is_lapic(const struct machine *machine, struct paddr at)
{
    return (at.v & ~(uint64_t)PAGE_MASK) == machine->lapic_page;
}

static uint64_t memory_read(void *opaque, struct paddr at, unsigned size, cycle_t now)
{
    struct machine *machine = opaque;
    come_to(machine, now);
    uint64_t value = is_lapic(machine, at) ? lapic_read(board_lapic(machine->board), at.v & PAGE_MASK, size)
                                           : iomap_read(board_memory(machine->board), at.v, size);
    come_back_in_time(machine, now);
    return value;
}

static void memory_write(void *opaque, struct paddr at, unsigned size, uint64_t value, cycle_t now)
{
    struct machine *machine = opaque;
    come_to(machine, now);
    if (is_lapic(machine, at))
        lapic_write(board_lapic(machine->board), at.v & PAGE_MASK, size, value);
    else
        iomap_write(board_memory(machine->board), at.v, size, value);
    come_back_in_time(machine, now);
}

static unsigned acknowledge(void *opaque, cycle_t now)
{
    struct machine *machine = opaque;
    come_to(machine, now);
    return board_acknowledge(machine->board);
}

/* ---- The local APIC, which is the core's and the board's ---- */

static void performance_interrupt(void *opaque, cycle_t now)
{
    struct machine *machine = opaque;
    come_to(machine, now);
    lapic_performance_interrupt(board_lapic(machine->board));
    come_back_in_time(machine, now);
}

static void set_apic_base(void *opaque, uint64_t base, cycle_t now)
{
    struct machine *machine = opaque;
    come_to(machine, now);
    machine->lapic_page = base & LAPIC_BASE_ENABLE ? base & ~(uint64_t)PAGE_MASK : NOWHERE;
    lapic_set_base(board_lapic(machine->board), base);
    come_back_in_time(machine, now);
}

static unsigned task_priority(void *opaque)
{
    return lapic_task_priority(board_lapic(((struct machine *)opaque)->board));
}

static void set_task_priority(void *opaque, unsigned priority, cycle_t now)
{
    struct machine *machine = opaque;
    come_to(machine, now);
    lapic_set_task_priority(board_lapic(machine->board), priority);
    come_back_in_time(machine, now);
}

static bool is_ram(void *opaque, struct paddr page)
{
    const struct machine *machine = opaque;
    if (is_lapic(machine, page))
        return false;
    if (memory_is_hole(page))
        return machine->board && board_is_ram(machine->board, page);
    return page.v < machine->ram.size_bytes;
}

/* Firmware write-protects its copy of itself, and goes on running from there. */
static bool is_code_ram(void *opaque, struct paddr page)
{
    const struct machine *machine = opaque;
    if (!is_lapic(machine, page) && memory_is_hole(page))
        return machine->board && board_reads_ram(machine->board, page);
    return is_ram(opaque, page);
}

/* Reads a string of the guest's, up to its end, a page that is not there, or the buffer's end. */
static void read_text(const struct machine *machine, uint32_t linear, char *into, size_t size_bytes)
{
    size_t i = 0;
    while (i + 1 < size_bytes && cpu_peek(machine->cpu, laddr(linear + i), &into[i], 1) && into[i])
        i++;
    into[i] = '\0';
}

static void log_text(const struct machine *machine, uint32_t linear, uint32_t nr_bytes)
{
    char buffer[256];
    while (machine->params.log && nr_bytes > 0) {
        uint32_t part = nr_bytes < sizeof buffer ? nr_bytes : (uint32_t)sizeof buffer;
        if (!cpu_peek(machine->cpu, laddr(linear), buffer, part))
            return;
        machine->params.log(machine->params.opaque, buffer, part);
        linear += part;
        nr_bytes -= part;
    }
}

static void note(const struct machine *machine, enum machine_note what, uint32_t id, const char *text)
{
    if (machine->params.note)
        machine->params.note(machine->params.opaque, what, id, text);
}

static void finish(struct machine *machine, enum machine_end end)
{
    if (machine->end == MACHINE_RUNNING)
        machine->end = end;
    cpu_request_stop(machine->cpu);
}

static bool marker(void *opaque, unsigned number, uint32_t *eax, uint32_t edx, uint32_t ecx, cycle_t now)
{
    struct machine *machine = opaque;
    char text[PANIC_TEXT_BYTES];
    switch (number) {
    case MARKER_ROI_BEGIN:
        note(machine, MACHINE_NOTE_ROI_BEGIN, *eax, "");
        return machine->must_return;
    case MARKER_ROI_END:
        note(machine, MACHINE_NOTE_ROI_END, *eax, "");
        return false;
    case MARKER_MARK:
        read_text(machine, edx, text, sizeof text);
        note(machine, MACHINE_NOTE_MARK, *eax, text);
        return false;
    case MARKER_RESET_STATS:
        note(machine, MACHINE_NOTE_RESET_STATS, *eax, "");
        return false;
    case MARKER_DUMP_STATS:
        note(machine, MACHINE_NOTE_DUMP_STATS, *eax, "");
        return false;
    case MARKER_CHECKPOINT:
        note(machine, MACHINE_NOTE_CHECKPOINT, 0, "");
        return machine->must_return;
    case MARKER_PROBE:
        *eax = MARKER_VERSION;
        return false;
    case MARKER_EXIT:
        machine->guest_status = *eax & 63;
        finish(machine, MACHINE_GUEST_EXIT);
        return true;
    case MARKER_PANIC:
        read_text(machine, *eax, machine->panic_text, sizeof machine->panic_text);
        finish(machine, MACHINE_PANIC);
        return true;
    case MARKER_LOG:
        log_text(machine, *eax, edx);
        return false;
    case MARKER_MM_EVENT:
        if (machine->params.mm_event) {
            struct mm_event event = {.kind = *eax, .edx = edx, .ecx = ecx, .cycle = now};
            machine->params.mm_event(machine->params.opaque, &event);
        }
        return false;
    default:
        return false;
    }
}

/* ---- What the board asks of the machine ---- */

static void set_intr(void *opaque, unsigned number, bool level)
{
    (void)number;
    cpu_set_interrupt_line(((struct machine *)opaque)->cpu, level);
}

static void set_nmi(void *opaque)
{
    cpu_raise_nmi(((struct machine *)opaque)->cpu);
}

/* The only processor starts anew at the firmware's entry: with no firmware that ends the run, as a reset. */
static void init(void *opaque)
{
    finish(opaque, MACHINE_RESET);
}

static void power_off(void *opaque)
{
    finish(opaque, MACHINE_POWER_OFF);
}

static void reset(void *opaque)
{
    finish(opaque, MACHINE_RESET);
}

static void debug_exit(void *opaque, uint32_t status)
{
    struct machine *machine = opaque;
    if (machine->end == MACHINE_RUNNING) /* the core may come to a second write before it stops */
        machine->guest_status = status & 0xff;
    finish(machine, MACHINE_GUEST_EXIT);
}

static void debug_put(void *opaque, uint8_t byte)
{
    const struct machine *machine = opaque;
    char text = (char)byte;
    if (machine->params.log)
        machine->params.log(machine->params.opaque, &text, 1);
}

static void uart_put(void *opaque, uint8_t byte)
{
    const struct machine *machine = opaque;
    if (machine->params.console)
        machine->params.console(machine->params.opaque, byte);
}

/* ---- Making the parts ---- */

static bool create_caches(struct machine *machine)
{
    const struct config *c = &machine->config;
    struct dram_params dram = dram_params_of(c);
    machine->dram = dram_create(&dram);
    return machine->dram && cache_hierarchy_create(&machine->caches, c, machine->dram);
}

static void written_by_device(void *opaque, struct paddr at, uint64_t size_bytes)
{
    cpu_code_written(((struct machine *)opaque)->cpu, at, size_bytes);
}

static bool create_content(struct machine *machine)
{
    const struct cache_content_params params = {.ram = &machine->ram,
                                                .caches = &machine->caches,
                                                .line_bytes = machine->config.cache_l1d_line_bytes,
                                                .changed = written_by_device,
                                                .opaque = machine};
    if (machine->config.dma_coherence != DMA_NONE)
        return true;
    machine->content = cache_content_create(&params);
    return machine->content;
}

static bool create_tlbs(struct machine *machine)
{
    const struct config *c = &machine->config;
    struct tlb_params itlb = tlb_l1i_params(c), dtlb = tlb_l1d_params(c), l2 = tlb_l2_params(c);
    machine->itlb = tlb_create(&itlb);
    machine->dtlb = tlb_create(&dtlb);
    machine->l2_tlb = tlb_create(&l2);
    bool is_good = machine->itlb && machine->dtlb && machine->l2_tlb;
    for (unsigned i = 0; i < NR_TLB_STRUCTURES && is_good; i++) {
        struct tlb_params params;
        if (!tlb_structure_params(c, i, &params))
            continue;
        machine->structure[i] = tlb_create(&params);
        is_good = machine->structure[i] != NULL;
    }
    return is_good;
}

enum { COPROCESSOR_IRQ = 13, COPROCESSOR_PORT = 0xf0 };

static void coprocessor_error(void *opaque, cycle_t now)
{
    struct machine *machine = opaque;
    come_to(machine, now);
    struct irq_line line = board_irq_line(machine->board, COPROCESSOR_IRQ);
    irq_set(&line, true);
    come_back_in_time(machine, now);
}

/*
 * A PC/AT's port F0h: the latch of IRQ 13 is cleared, and IGNNE# lets the handler use the unit (SDM 1 D.2.1).
 */
static void coprocessor_port(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct machine *machine = opaque;
    struct irq_line line = board_irq_line(machine->board, COPROCESSOR_IRQ);
    (void)offset, (void)size, (void)value;
    irq_set(&line, false);
    cpu_ignore_coprocessor_error(machine->cpu);
}

static bool has_apic(const struct machine *machine)
{
    return machine->config.cpu_apic && machine->config.cpu_isa != CFG_ISA_I486;
}

static bool create_cpu(struct machine *machine)
{
    struct cpu_params params = {
        .config = &machine->config,
        .ram = &machine->ram,
        .board = {.opaque = machine,
                  .port_read = port_read,
                  .port_write = port_write,
                  .memory_read = memory_read,
                  .memory_write = memory_write,
                  .acknowledge = acknowledge,
                  .marker = marker,
                  .coprocessor_error = coprocessor_error},
        .itlb = machine->itlb,
        .dtlb = machine->dtlb,
        .l2_tlb = machine->l2_tlb,
        .structure = {machine->structure[TLB_PDE], machine->structure[TLB_PDPTE],
                      machine->structure[TLB_PML4E], machine->structure[TLB_PML5E]},
        .l1i = machine->caches.l1i,
        .l1d = machine->caches.l1d,
        .content = machine->content,
        .walk_cache = cache_hierarchy_walk(&machine->caches, &machine->config),
        .observer = machine->params.observer,
        .is_ram = is_ram,
        .is_code_ram = is_code_ram,
        .is_ram_opaque = machine,
    };
    if (has_apic(machine)) {
        params.board.performance_interrupt = performance_interrupt;
        params.board.apic_base = set_apic_base;
        params.board.task_priority = task_priority;
        params.board.set_task_priority = set_task_priority;
    }
    machine->cpu = cpu_create(&params);
    return machine->cpu;
}

static bool create_dma(struct machine *machine)
{
    struct dma_memory_params params = {
        .ram = &machine->ram,
        .is_ram = is_ram,
        .written = written_by_device,
        .opaque = machine,
        .caches = machine->dram ? &machine->caches : NULL,
        .dram = machine->dram,
        .content = machine->content,
        .line_bytes = machine->config.cache_l1d_line_bytes,
        .observer = machine->params.dma_observer,
    };
    machine->dma = dma_memory_create(&params);
    return machine->dma;
}

static void set_a20(void *opaque, bool is_open)
{
    cpu_set_a20(((struct machine *)opaque)->cpu, is_open);
}

static void memory_changed(void *opaque, struct paddr at, uint64_t size_bytes)
{
    cpu_memory_changed(((struct machine *)opaque)->cpu, at, size_bytes);
}

static bool open_disks(struct machine *machine, struct diag *diag)
{
    bool is_good = true;
    for (unsigned i = 0; i < MACHINE_NR_DISKS; i++) {
        const struct disk_source *source = &machine->params.disks[i];
        if (!source->file)
            continue;
        machine->disks[i] = disk_open(source, diag);
        is_good &= machine->disks[i] != NULL;
    }
    return is_good;
}

static bool open_wire(struct machine *machine, struct diag *diag)
{
    const struct config *config = &machine->config;
    const struct ether_wire_params params = {
        .kind = (enum ether_wire_kind)config->nic_wire,
        .sent = machine->params.nic_sent,
        .received = machine->params.nic_received,
        .first = machine->params.nic_first,
        .cpu_hz = config->cpu_frequency_hz,
        .start_seconds = CMOS_DEFAULT_DATE,
    };
    if (!config->nic_present)
        return true;
    machine->wire = ether_wire_open(&params, diag);
    return machine->wire;
}

static bool create_board(struct machine *machine, struct diag *diag)
{
    _Static_assert((int)MACHINE_NR_DISKS == (int)PIIX3_IDE_NR_DISKS, "disks without a place");
    struct board_params params = {
        .events = machine->events,
        .cpu_hz = machine->config.cpu_frequency_hz,
        .ram_bytes = machine->config.machine_ram,
        .ram = &machine->ram,
        .memory_changed = memory_changed,
        .dma = machine->dma,
        .dma_coherence = (enum dma_coherence)machine->config.dma_coherence,
        .engine = dma_engine_params_of(&machine->config),
        .iommu = iommu_params_of(&machine->config),
        .nic = {.wire = machine->wire,
                .speed = (enum nic_speed)machine->config.nic_speed,
                .path = {.address_bits = 64,
                         .bytes_per_cycle = machine->config.nic_bytes_per_cycle,
                         .burst_bytes = machine->config.nic_burst_bytes,
                         .bursts_in_flight = machine->config.nic_bursts_in_flight,
                         .coherence = (enum dma_coherence)machine->config.dma_coherence}},
        .disk_timing = {.command_cycles = machine->config.disk_command_cycles,
                        .seek_cycles = machine->config.disk_seek_cycles,
                        .sector_cycles = machine->config.disk_sector_cycles},
        .has_apic = has_apic(machine),
        .apic_hz = machine->config.cpu_apic_frequency_hz,
        .core = {.intr = {.set = set_intr, .opaque = machine},
                 .nmi = set_nmi,
                 .init = init,
                 .opaque = machine},
        .power = {.power_off = power_off,
                  .reset = reset,
                  .debug_exit = debug_exit,
                  .debug_put = debug_put,
                  .opaque = machine},
        .uart_put = uart_put,
        .a20 = set_a20,
        .opaque = machine,
    };
    memcpy(params.disks, machine->disks, sizeof params.disks);
    machine->board = board_create(&params, diag);
    machine->lapic_page = has_apic(machine) ? LAPIC_DEFAULT_BASE : NOWHERE;
    struct io_range port = {.name = "coprocessor error",
                            .base = COPROCESSOR_PORT,
                            .size = 1,
                            .widths = IO_WIDTH_1,
                            .write = coprocessor_port,
                            .opaque = machine};
    return machine->board && iomap_add(board_ports(machine->board), &port, diag);
}

static bool register_structures(struct machine *machine)
{
    static const char *const paths[NR_TLB_STRUCTURES] = {[TLB_PDE] = "cpu0.tlb.pde",
                                                         [TLB_PDPTE] = "cpu0.tlb.pdpte",
                                                         [TLB_PML4E] = "cpu0.tlb.pml4e",
                                                         [TLB_PML5E] = "cpu0.tlb.pml5e"};
    for (unsigned i = 0; i < NR_TLB_STRUCTURES; i++)
        if (machine->structure[i] && !tlb_register_stats(machine->structure[i], machine->stats, paths[i]))
            return false;
    return true;
}

/* What a model does not have is left out: a reader must not take it for zero. */
static bool register_stats(struct machine *machine)
{
    struct stat_registry *r = machine->stats = stat_registry_create();
    if (!r || !cpu_register_stats(machine->cpu, r, "cpu0"))
        return false;
    bool is_good = true;
    if (machine->config.cpu_model != CFG_CPU_FUNCTIONAL)
        is_good = tlb_register_stats(machine->itlb, r, "cpu0.tlb.l1i") &&
                  tlb_register_stats(machine->dtlb, r, "cpu0.tlb.l1d") &&
                  tlb_register_stats(machine->l2_tlb, r, "cpu0.tlb.l2") && register_structures(machine) &&
                  cache_hierarchy_register_stats(&machine->caches, r) &&
                  dram_register_stats(machine->dram, r, "dram") &&
                  dma_memory_register_stats(machine->dma, r, "dma") &&
                  (!machine->content || cache_content_register_stats(machine->content, r, "dma"));
    struct dma_engine *engine = board_dma_engine(machine->board);
    struct iommu *iommu = board_iommu(machine->board);
    size_t nr_rows;
    const struct stat_row *rows = board_stat_rows(&nr_rows);
    return is_good && (!engine || dma_engine_register_stats(engine, r)) &&
           (!iommu || iommu_register_stats(iommu, r, "iommu")) &&
           stat_register(r, "board", rows, nr_rows, board_stats(machine->board)) &&
           board_register_device_stats(machine->board, r);
}

struct machine *machine_create(const struct machine_params *params, struct diag *diag)
{
    struct machine *machine = calloc(1, sizeof *machine);
    if (!machine) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
        return NULL;
    }
    machine->params = *params;
    machine->config = *params->config;
    machine->map = memory_map(machine->config.machine_ram);
    if (!ram_init(&machine->ram, machine->config.machine_ram)) {
        diag_add(diag, EXIT_STATUS_INTERNAL,
                 "machine.ram: the host cannot reserve %llu bytes of address space",
                 (unsigned long long)machine->config.machine_ram);
        machine_destroy(machine);
        return NULL;
    }
    bool is_timed = machine->config.cpu_model != CFG_CPU_FUNCTIONAL;
    machine->events = ev_queue_create();
    bool has_parts =
        machine->events &&
        (!is_timed || (create_caches(machine) && create_content(machine) && create_tlbs(machine))) &&
        create_cpu(machine) && create_dma(machine);
    if (!has_parts)
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    if (!has_parts || !open_disks(machine, diag) || !open_wire(machine, diag) ||
        !create_board(machine, diag)) {
        machine_destroy(machine);
        return NULL;
    }
    if (!register_stats(machine)) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
        machine_destroy(machine);
        return NULL;
    }
    return machine;
}

void machine_destroy(struct machine *machine)
{
    if (!machine)
        return;
    load_result_fini(&machine->image);
    fwcfg_destroy(machine->fwcfg);
    stat_registry_destroy(machine->stats);
    if (machine->board)
        board_destroy(machine->board);
    for (unsigned i = 0; i < MACHINE_NR_DISKS; i++)
        disk_close(machine->disks[i]);
    ether_wire_close(machine->wire);
    dma_memory_destroy(machine->dma);
    cpu_destroy(machine->cpu);
    tlb_destroy(machine->itlb);
    tlb_destroy(machine->dtlb);
    tlb_destroy(machine->l2_tlb);
    for (unsigned i = 0; i < NR_TLB_STRUCTURES; i++)
        tlb_destroy(machine->structure[i]);
    cache_hierarchy_destroy(&machine->caches);
    cache_content_destroy(machine->content);
    dram_destroy(machine->dram);
    ev_queue_destroy(machine->events);
    ram_fini(&machine->ram);
    free(machine);
}

static struct tables_params tables_params(const struct machine *machine)
{
    enum { LEAF_FEATURES = 1, EAX = 0, EDX = 3 };
    uint32_t identity[4];
    cpu_answer_cpuid(machine->cpu, LEAF_FEATURES, identity);
    return (struct tables_params){
        .ram_bytes = machine->config.machine_ram,
        .has_apic = has_apic(machine),
        .has_iommu = board_iommu(machine->board),
        .cpu_signature = identity[EAX],
        .cpu_features = identity[EDX],
    };
}

bool machine_load_guest(struct machine *machine, const struct load_params *guest, struct diag *diag)
{
    struct load_params params = *guest;
    params.map = &machine->map;
    params.has_long_mode = machine->config.cpu_isa >= CFG_ISA_X86_64;
    params.rsdp = TABLES_LOW_BASE; /* the tables begin with it */
    if (!load_image(&params, &machine->ram, &machine->image, diag))
        return false;
    const struct tables_params tables = tables_params(machine);
    tables_write(&tables, &machine->ram); /* what a firmware that boots a kernel leaves in memory */
    struct cpu_state state = start_state(&machine->image.start);
    cpu_set_state(machine->cpu, &state);
    return true;
}

bool machine_set_firmware(struct machine *machine, const void *bytes, uint64_t size_bytes, struct diag *diag)
{
    enum { COM1_PORT = 0x3f8 };
    if (!board_set_rom(machine->board, bytes, size_bytes, diag))
        return false;
    const struct tables_params tables = tables_params(machine);
    struct tables_files *files = calloc(1, sizeof *files);
    if (!files)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "firmware: out of memory");
    tables_write_files(&tables, files);
    const struct fwcfg_params asks = {
        .ram_bytes = machine->config.machine_ram, .console_port = COM1_PORT, .tables = files};
    machine->fwcfg = fwcfg_create(&asks, board_ports(machine->board), diag);
    free(files);
    return machine->fwcfg;
}

bool machine_load_firmware(struct machine *machine, const char *file, struct diag *diag)
{
    struct firmware_rom rom;
    if (!firmware_rom_open(&rom, file, diag))
        return false;
    bool is_set = machine_set_firmware(machine, rom.bytes, rom.size, diag);
    firmware_rom_close(&rom);
    if (!is_set)
        return false;
    struct cpu_state state = start_state(&(struct load_start){.mode = LOAD_RESET});
    cpu_set_state(machine->cpu, &state);
    return true;
}

bool machine_load(struct machine *machine, const char *file, const char *arguments,
                  const struct load_module *modules, size_t nr_modules, struct diag *diag)
{
    const struct load_params guest = {
        .file = file, .arguments = arguments, .modules = modules, .nr_modules = nr_modules};
    return machine_load_guest(machine, &guest, diag);
}

bool machine_input(struct machine *machine, uint8_t byte)
{
    ev_set_now(machine->events, cpu_now(machine->cpu));
    return board_uart_input(machine->board, byte);
}

bool machine_type(struct machine *machine, uint8_t character)
{
    ev_set_now(machine->events, cpu_now(machine->cpu));
    return board_type(machine->board, character);
}

unsigned machine_guest_status(const struct machine *machine)
{
    return machine->guest_status;
}

const char *machine_panic_text(const struct machine *machine)
{
    return machine->panic_text;
}

bool machine_finish_files(struct machine *machine, struct diag *diag)
{
    return !machine->wire || ether_wire_finish(machine->wire, diag);
}

struct stat_registry *machine_stats(struct machine *machine)
{
    cpu_settle(machine->cpu);
    board_stats(machine->board);
    return machine->stats;
}

struct machine_parts machine_parts(const struct machine *machine)
{
    struct machine_parts parts = {
        .cpu = machine->cpu,
        .ram = &machine->ram,
        .itlb = machine->itlb,
        .dtlb = machine->dtlb,
        .l2_tlb = machine->l2_tlb,
        .l1i = machine->caches.l1i,
        .l1d = machine->caches.l1d,
        .l2 = machine->caches.l2,
        .l3 = machine->caches.l3,
        .dram = machine->dram,
        .dma = machine->dma,
        .vga = board_vga(machine->board),
        .config = &machine->config,
        .note = machine->image.note,
        .note_bytes = machine->image.note_bytes,
    };
    memcpy(parts.disks, machine->disks, sizeof parts.disks);
    return parts;
}

void machine_count_fills(struct machine *machine, uint16_t *nr_fills, uint64_t nr_frames)
{
    if (machine->caches.l1i)
        cache_count_fills(machine->caches.l1i, nr_fills, nr_frames);
    if (machine->caches.l1d)
        cache_count_fills(machine->caches.l1d, nr_fills, nr_frames);
}

const struct cache_stale *machine_stale(const struct machine *machine, size_t *nr)
{
    *nr = 0;
    return machine->content ? cache_content_stale(machine->content, nr) : NULL;
}
