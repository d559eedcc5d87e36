#include "asm/fpu.h"
#include "asm/cpuid.h"
#include "asm/irqflags.h"
#include "string.h"

#define X86_FEATURE_FXSR (1u << 24)
#define X86_FEATURE_XMM (1u << 25)

/* After FNINIT (SDM 1 8.1.5, 8.1.6): all exceptions masked, 64-bit precision. */
#define FPU_CONTROL_WORD 0x37Fu
#define MXCSR_DEFAULT 0x1F80u /* SDM 1 10.2.3 */
#define FXSAVE_MXCSR 24
#define FXSAVE_MXCSR_MASK 28
#define FNSAVE_TAGS_EMPTY 0xFFFFu

#define MXCSR_MASKS_SHIFT 7
#define MXCSR_MASK_DEFAULT 0xFFBFu /* where FXSAVE says nothing (SDM 1 11.6.6) */

static bool has_fpu, has_fxsr, has_sse;
static u32 mxcsr_mask = MXCSR_MASK_DEFAULT;

static void set_ts(void)
{
    write_cr0(read_cr0() | X86_CR0_TS);
}

static void clear_ts(void)
{
    __asm__ volatile("clts" ::: "memory");
}

bool fpu_has_fxsr(void)
{
    return has_fxsr;
}

/* A 486SX has none, and leaves memory as it was (SDM 3A 9.2.1). */
static bool __init probe_fpu(void)
{
    u16 status = 0x5A5A;
    __asm__ volatile("fninit\n\tfnstsw %0" : "+m"(status));
    return status == 0;
}

static void save(struct fpu *fpu)
{
    /* FNSAVE also empties the registers. */
    if (has_fxsr)
        __asm__ volatile("fxsave %0" : "=m"(fpu->state));
    else
        __asm__ volatile("fnsave %0\n\tfwait" : "=m"(fpu->state));
}

static void restore(const struct fpu *fpu)
{
    if (has_fxsr)
        __asm__ volatile("fxrstor %0" ::"m"(fpu->state));
    else
        __asm__ volatile("frstor %0" ::"m"(fpu->state));
}

void __init fpu_init(void)
{
    u32 features = cpu_features();
    /* MP: WAIT heeds TS too; NE: errors are exception 16, not an interrupt (SDM 3A 9.2.1, 2.5). */
    write_cr0((read_cr0() & ~(X86_CR0_EM | X86_CR0_TS)) | X86_CR0_MP | X86_CR0_NE);
    has_fpu = probe_fpu();
    if (!has_fpu) {
        write_cr0(read_cr0() | X86_CR0_EM);
        return;
    }
    has_fxsr = features & X86_FEATURE_FXSR;
    has_sse = has_fxsr && (features & X86_FEATURE_XMM);
    if (has_fxsr)
        write_cr4(read_cr4() | X86_CR4_OSFXSR | (has_sse ? X86_CR4_OSXMMEXCPT : 0));
    if (has_sse) {
        struct fpu probe;
        memset(probe.state, 0, sizeof(probe.state));
        save(&probe);
        u32 mask = ((const u32 *)(const void *)probe.state)[FXSAVE_MXCSR_MASK / sizeof(u32)];
        mxcsr_mask = mask ? mask : MXCSR_MASK_DEFAULT;
    }
    set_ts();
}

/* As after FNINIT, and all registers 0: what the last user left in them is nobody's business. */
static void init_state(struct fpu *fpu)
{
    u32 *words = (u32 *)(void *)fpu->state;
    memset(fpu->state, 0, sizeof(fpu->state));
    words[0] = FPU_CONTROL_WORD;
    if (has_fxsr)
        words[FXSAVE_MXCSR / sizeof(u32)] = MXCSR_DEFAULT;
    else
        words[2] = FNSAVE_TAGS_EMPTY;
    fpu->is_initialized = true;
}

bool fpu_load(void)
{
    struct fpu *fpu = &current->thread.fpu;
    if (!has_fpu)
        return false;
    unsigned long flags = local_irq_save();
    clear_ts();
    if (!fpu->is_initialized)
        init_state(fpu);
    restore(fpu);
    fpu->is_loaded = true;
    local_irq_restore(flags);
    return true;
}

/* With interrupts off: the task cannot be switched out half way. */
static void unload(struct fpu *fpu)
{
    if (!fpu->is_loaded)
        return;
    save(fpu);
    fpu->is_loaded = false;
    set_ts();
}

void fpu_switch_out(struct task_struct *task)
{
    unload(&task->thread.fpu);
}

struct fpu *fpu_save(void)
{
    struct fpu *fpu = &current->thread.fpu;
    unsigned long flags = local_irq_save();
    unload(fpu);
    local_irq_restore(flags);
    return fpu->is_initialized ? fpu : NULL;
}

void fpu_fork(struct task_struct *task)
{
    const struct fpu *fpu = fpu_save();
    if (fpu)
        task->thread.fpu = *fpu;
}

void fpu_clear(struct fpu *fpu)
{
    unsigned long flags = local_irq_save();
    if (fpu->is_loaded)
        set_ts();
    fpu->is_initialized = fpu->is_loaded = false;
    local_irq_restore(flags);
}

bool fpu_prepare(void)
{
    struct fpu *fpu = &current->thread.fpu;
    if (has_fpu && fpu_save() == NULL)
        init_state(fpu);
    return has_fpu;
}

/* FXRSTOR of an MXCSR with reserved bits is a general protection fault. */
void fpu_sanitize(struct fpu *fpu)
{
    if (has_fxsr)
        ((u32 *)(void *)fpu->state)[FXSAVE_MXCSR / sizeof(u32)] &= mxcsr_mask;
}

/* Flags of the status word, the control word's masks and MXCSR's lower bits: IE DE ZE OE UE PE. */
static int code_of_flags(u32 flags)
{
    static const int codes[] = {FPE_FLTINV, FPE_FLTUND, FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES};
    for (u32 i = 0; i < ARRAY_SIZE(codes); i++)
        if (flags & 1u << i)
            return codes[i];
    return SI_KERNEL;
}

int fpu_exception_code(bool is_simd)
{
    const struct fpu *fpu = fpu_save();
    const u32 *words = (const void *)fpu->state;
    if (is_simd) {
        u32 mxcsr = words[FXSAVE_MXCSR / sizeof(u32)];
        return code_of_flags(mxcsr & ~(mxcsr >> MXCSR_MASKS_SHIFT));
    }
    u32 control = words[0] & 0xFFFF, status = has_fxsr ? words[0] >> 16 : words[1];
    return code_of_flags(status & ~control);
}
