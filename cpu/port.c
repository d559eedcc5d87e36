#include "cpu/cpu_internal.h"

/* Where a 32-bit TSS says its I/O permission bitmap begins (SDM 3A figure 7-2). */
enum { TSS_IO_BITMAP_BASE = 102 };

bool cpu_port_allowed(struct cpu *cpu, uint16_t port, unsigned size_bytes)
{
    unsigned iopl = (unsigned)(cpu->eflags & EFLAGS_IOPL) >> 12;
    if (!(cpu->control.cr0 & CR0_PE) || (cpu->cpl <= iopl && !(cpu->eflags & EFLAGS_VM)))
        return true;
    const struct descriptor *tss = &cpu->tr.hidden;
    if (!cpu->tr.is_usable || (tss->type != SYSTEM_TSS_BUSY && tss->type != SYSTEM_TSS_AVAILABLE) ||
        tss->limit_bytes < TSS_IO_BITMAP_BASE + 1)
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    uint64_t base, bits;
    if (!cpu_read(cpu, tss->base + TSS_IO_BITMAP_BASE, 2, true, &base))
        return false;
    uint64_t at = base + port / 8u;
    /* Two bytes are read, always, so that an access that spans two is checked whole. */
    if (at + 1 > tss->limit_bytes)
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    if (!cpu_read(cpu, tss->base + at, 2, true, &bits))
        return false;
    uint64_t mask = ((1ull << size_bytes) - 1) << port % 8u;
    return !(bits & mask) || cpu_set_fault_code(cpu, EXCP_GP, 0);
}

uint64_t cpu_port_read(struct cpu *cpu, uint16_t port, unsigned size_bytes, cycle_t now)
{
    const struct cpu_board *board = &cpu->params.board;
    cpu->stats.port_reads++;
    debug_note_port(cpu, port, size_bytes);
    return board->port_read(board->opaque, port, size_bytes, now);
}

void cpu_port_write(struct cpu *cpu, uint16_t port, unsigned size_bytes, uint64_t value, cycle_t now)
{
    const struct cpu_board *board = &cpu->params.board;
    cpu->stats.port_writes++;
    debug_note_port(cpu, port, size_bytes);
    board->port_write(board->opaque, port, size_bytes, value, now);
}

void cpu_marker(struct cpu *cpu, unsigned number, cycle_t now)
{
    const struct cpu_board *board = &cpu->params.board;
    cpu->stats.markers++;
    if (!board->marker)
        return;
    uint32_t eax = (uint32_t)cpu->reg[CPU_AX];
    if (board->marker(board->opaque, number, &eax, (uint32_t)cpu->reg[CPU_DX], (uint32_t)cpu->reg[CPU_CX],
                      now)) {
        cpu->stop_for_marker = true;
        cpu_request_stop(cpu);
    }
    if (eax != (uint32_t)cpu->reg[CPU_AX])
        cpu->reg[CPU_AX] = eax;
}
