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
}
