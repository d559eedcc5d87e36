#include "cpu/fpu.h"

#include <string.h>

struct fpu cpu_fpu_initial(void)
{
    return (struct fpu){.control = X87_CONTROL_INITIAL};
}

void cpu_x87_init(struct cpu *cpu)
{
    struct fpu fpu = cpu_fpu_initial();
    memcpy(fpu.reg, cpu->fpu.reg, sizeof fpu.reg);
    cpu->fpu = fpu;
    cpu->ignores_x87_error = false;
}

void cpu_update_blocked(struct cpu *cpu)
{
    bool is_emulated = cpu->control.cr0 & CR0_EM, is_switched = cpu->control.cr0 & CR0_TS;
    bool has_sse = cpu->control.cr4 & CR4_OSFXSR;
    cpu->x87_blocked = is_emulated || is_switched ? EXCP_NM : 0;
    cpu->mmx_blocked = is_emulated ? EXCP_UD : is_switched ? EXCP_NM : 0;
    cpu->sse_blocked = is_emulated || !has_sse ? EXCP_UD : is_switched ? EXCP_NM : 0;
}

void cpu_settle_x87_status(struct cpu *cpu)
{
    struct fpu *fpu = &cpu->fpu;
    fpu->control = (fpu->control & X87_CONTROL_WRITABLE) | X87_CONTROL_FIXED;
    fpu->status &= (uint16_t) ~(X87_ES | X87_B);
    if (fpu->status & ~fpu->control & X87_EXCEPTIONS)
        fpu->status |= X87_ES | X87_B;
    else
        cpu->ignores_x87_error = false;
}

void cpu_x87_clear_exceptions(struct cpu *cpu)
{
    cpu->fpu.status &= X87_TOP | X87_CONDITIONS;
    cpu->ignores_x87_error = false;
}

void cpu_x87_report_error(struct cpu *cpu)
{
    const struct cpu_board *board = &cpu->params.board;
    if (board->coprocessor_error)
        board->coprocessor_error(board->opaque, stamp_cycle(cpu->clock));
    cpu->is_halted = true;
}

void cpu_ignore_coprocessor_error(struct cpu *cpu)
{
    cpu->ignores_x87_error = cpu->fpu.status & X87_ES;
}
