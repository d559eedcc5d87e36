/* Handlers: how a program gets into one, and out again. */
#include "signal.h"
#include "asm/ptrace.h"
#include "asm/segment.h"
#include "asm/switch_to.h"
#include "asm/uaccess.h"
#include "sched.h"
#include "sigframe.h"
#include "string.h"
#include "sys_signal.h"
#include "syscalls.h"

/* The flags that a program may change: AC OF DF TF SF ZF AF PF CF RF. */
#define FIX_EFLAGS 0x50DD5u
#define EFLAGS_DF 0x400u
#define EFLAGS_TF 0x100u
#define EFLAGS_RF 0x10000u
#define RPL_USER 3u
#define INT80_BYTES 2u

static bool is_on_stack(const struct sigaltstack *sas, u32 sp)
{
    return sp - sas->ss_sp < sas->ss_size;
}

/* Room for a frame of so many bytes, and for the FPU's registers above it. */
static u32 get_sigframe(const struct k_sigaction *action, const struct pt_regs *regs, u32 bytes, u32 *fpstate)
{
    struct sigaltstack *sas = &current->sas;
    u32 sp = regs->sp, fpu_bytes = fpstate_bytes();
    bool nests = is_on_stack(sas, sp);
    if ((action->sa_flags & SA_ONSTACK) && !nests && sas->ss_size)
        sp = sas->ss_sp + sas->ss_size;
    *fpstate = 0;
    if (fpu_bytes)
        *fpstate = sp = ALIGN_DOWN(sp - fpu_bytes, 16u);
    /* As if a call had pushed the return address on an aligned stack (System V ABI, i386). */
    sp = ALIGN_DOWN(sp - bytes + 4, 16u) - 4;
    /* A frame that would leave the alternate stack must not fall on what lies below it. */
    if (nests && !is_on_stack(sas, sp))
        return 0;
    return sp;
}

static void fill_sigcontext(struct sigcontext *sc, const struct pt_regs *regs, u32 fpstate, sigset_t mask)
{
    *sc = (struct sigcontext){
        .gs = regs->gs & 0xFFFF,
        .fs = regs->fs & 0xFFFF,
        .es = regs->es & 0xFFFF,
        .ds = regs->ds & 0xFFFF,
        .di = regs->di,
        .si = regs->si,
        .bp = regs->bp,
        .sp = regs->sp,
        .bx = regs->bx,
        .dx = regs->dx,
        .cx = regs->cx,
        .ax = regs->ax,
        .trapno = current->thread.trap_nr,
        .err = current->thread.error_code,
        .ip = regs->ip,
        .cs = regs->cs & 0xFFFF,
        .flags = regs->flags,
        .sp_at_signal = regs->sp,
        .ss = regs->ss & 0xFFFF,
        .fpstate = fpstate,
        .oldmask = (u32)mask,
        .cr2 = current->thread.cr2,
    };
}

/* popl %eax (old frames only); movl $number, %eax; int $0x80: for programs that bring no code for it. */
static void fill_retcode(u8 retcode[8], bool is_rt)
{
    static const u8 old[8] = {0x58, 0xB8, __NR_sigreturn, 0, 0, 0, 0xCD, 0x80};
    static const u8 rt[8] = {0xB8, __NR_rt_sigreturn, 0, 0, 0, 0xCD, 0x80, 0};
    memcpy(retcode, is_rt ? rt : old, 8);
}

static void enter_handler(struct pt_regs *regs, u32 handler, u32 sp)
{
    regs->sp = sp;
    regs->ip = handler;
    regs->ds = regs->es = regs->ss = __USER_DS;
    regs->cs = __USER_CS;
    regs->flags &= ~(EFLAGS_DF | EFLAGS_TF | EFLAGS_RF);
}

static int setup_frame(int sig, const struct k_sigaction *action, struct pt_regs *regs, sigset_t mask)
{
    struct sigframe frame;
    u32 fpstate, sp = get_sigframe(action, regs, sizeof(frame), &fpstate);
    if (sp == 0 || (fpstate && save_fpstate(fpstate)))
        return -EFAULT;
    memset(&frame, 0, sizeof(frame));
    frame.sig = (u32)sig;
    fill_sigcontext(&frame.sc, regs, fpstate, mask);
    frame.extramask = (u32)(mask >> 32);
    fill_retcode(frame.retcode, false);
    frame.pretcode =
        action->sa_flags & SA_RESTORER ? action->sa_restorer : sp + (u32)offsetof(struct sigframe, retcode);
    if (copy_to_user((void *)sp, &frame, sizeof(frame)))
        return -EFAULT;
    enter_handler(regs, action->sa_handler, sp);
    /* For handlers that take their arguments in registers. */
    regs->ax = (u32)sig;
    regs->dx = regs->cx = 0;
    return 0;
}

static int setup_rt_frame(const struct siginfo *info, const struct k_sigaction *action, struct pt_regs *regs,
                          sigset_t mask)
{
    struct rt_sigframe frame;
    u32 fpstate, sp = get_sigframe(action, regs, sizeof(frame), &fpstate);
    if (sp == 0 || (fpstate && save_fpstate(fpstate)))
        return -EFAULT;
    memset(&frame, 0, sizeof(frame));
    frame.sig = (u32)info->si_signo;
    frame.pinfo = sp + (u32)offsetof(struct rt_sigframe, info);
    frame.puc = sp + (u32)offsetof(struct rt_sigframe, uc);
    frame.info = *info;
    frame.uc.uc_stack = current->sas;
    frame.uc.uc_stack.ss_flags = sas_flags(regs->sp);
    fill_sigcontext(&frame.uc.uc_mcontext, regs, fpstate, mask);
    frame.uc.uc_sigmask = mask;
    fill_retcode(frame.retcode, true);
    frame.pretcode = action->sa_flags & SA_RESTORER ? action->sa_restorer
                                                    : sp + (u32)offsetof(struct rt_sigframe, retcode);
    if (copy_to_user((void *)sp, &frame, sizeof(frame)))
        return -EFAULT;
    enter_handler(regs, action->sa_handler, sp);
    regs->ax = (u32)info->si_signo;
    regs->dx = frame.pinfo;
    regs->cx = frame.puc;
    if (current->sas.ss_flags & SS_AUTODISARM)
        current->sas = (struct sigaltstack){.ss_flags = SS_DISABLE};
    return 0;
}

u32 sas_flags(u32 sp)
{
    const struct sigaltstack *sas = &current->sas;
    u32 flags = sas->ss_flags & SS_AUTODISARM;
    if (sas->ss_size == 0)
        return SS_DISABLE;
    return is_on_stack(sas, sp) ? flags | SS_ONSTACK : flags;
}

static bool was_system_call(const struct pt_regs *regs)
{
    return (s32)regs->orig_ax >= 0;
}

static void restart(struct pt_regs *regs, u32 number)
{
    regs->ax = number;
    regs->ip -= INT80_BYTES;
}

/* A handler runs: which interrupted calls begin anew after it is the handler's choice. */
static void restart_after_handler(struct pt_regs *regs, const struct k_sigaction *action)
{
    switch (-(s32)regs->ax) {
    case ERESTARTSYS:
        if (action->sa_flags & SA_RESTART)
            restart(regs, regs->orig_ax);
        else
            regs->ax = (u32)-EINTR;
        break;
    case ERESTARTNOINTR:
        restart(regs, regs->orig_ax);
        break;
    case ERESTARTNOHAND:
    case ERESTART_RESTARTBLOCK:
        regs->ax = (u32)-EINTR;
        break;
    default:
        break;
    }
}

static void restart_without_handler(struct pt_regs *regs)
{
    switch (-(s32)regs->ax) {
    case ERESTARTSYS:
    case ERESTARTNOINTR:
    case ERESTARTNOHAND:
        restart(regs, regs->orig_ax);
        break;
    case ERESTART_RESTARTBLOCK:
        restart(regs, __NR_restart_syscall);
        break;
    default:
        break;
    }
}

static void handle_signal(const struct siginfo *info, const struct k_sigaction *action, struct pt_regs *regs)
{
    int sig = info->si_signo;
    sigset_t mask = current->restores_sigmask ? current->saved_sigmask : current->blocked;
    int error = action->sa_flags & SA_SIGINFO ? setup_rt_frame(info, action, regs, mask)
                                              : setup_frame(sig, action, regs, mask);
    if (error) {
        /* Not even this can be told to a program without a stack. */
        if (sig == SIGSEGV)
            current->sighand->action[SIGSEGV - 1].sa_handler = SIG_DFL;
        force_sig(SIGSEGV);
        return;
    }
    current->restores_sigmask = false;
    signal_delivered(sig, action);
}

void do_signal(struct pt_regs *regs)
{
    struct k_sigaction action;
    struct siginfo info;
    int sig = signal_pending(current) ? get_signal(&action, &info) : 0;
    if (was_system_call(regs)) {
        if (sig)
            restart_after_handler(regs, &action);
        else
            restart_without_handler(regs);
        regs->orig_ax = ~0u;
    }
    if (sig)
        handle_signal(&info, &action, regs);
    else
        restore_saved_sigmask_unless(false);
}

/* A program may have written anything here: no selector and no flag gives it more rights than it has. */
static int restore_sigcontext(struct pt_regs *regs, const struct sigcontext *sc)
{
    regs->gs = sc->gs & 0xFFFF;
    regs->fs = sc->fs & 0xFFFF;
    regs->es = sc->es & 0xFFFF;
    regs->ds = sc->ds & 0xFFFF;
    regs->cs = (sc->cs & 0xFFFF) | RPL_USER;
    regs->ss = (sc->ss & 0xFFFF) | RPL_USER;
    regs->di = sc->di;
    regs->si = sc->si;
    regs->bp = sc->bp;
    regs->sp = sc->sp;
    regs->bx = sc->bx;
    regs->dx = sc->dx;
    regs->cx = sc->cx;
    regs->ax = sc->ax;
    regs->ip = sc->ip;
    regs->flags = (regs->flags & ~FIX_EFLAGS) | (sc->flags & FIX_EFLAGS);
    regs->orig_ax = ~0u;
    return restore_fpstate(sc->fpstate);
}

static long bad_frame(void)
{
    force_sig(SIGSEGV);
    return 0;
}

long sys_sigreturn(const struct pt_regs *entry_regs)
{
    struct pt_regs *regs = task_pt_regs(current);
    struct sigcontext sc;
    u32 extramask, frame = entry_regs->sp - 8;
    if (copy_from_user(&sc, (const void *)(frame + offsetof(struct sigframe, sc)), sizeof(sc)) ||
        get_user_u32(&extramask, (const u32 *)(frame + offsetof(struct sigframe, extramask))))
        return bad_frame();
    set_current_blocked(sc.oldmask | (u64)extramask << 32);
    return restore_sigcontext(regs, &sc) ? bad_frame() : (long)regs->ax;
}

long sys_rt_sigreturn(const struct pt_regs *entry_regs)
{
    struct pt_regs *regs = task_pt_regs(current);
    struct ucontext uc;
    u32 frame = entry_regs->sp - 4;
    if (copy_from_user(&uc, (const void *)(frame + offsetof(struct rt_sigframe, uc)), sizeof(uc)))
        return bad_frame();
    set_current_blocked(uc.uc_sigmask);
    if (restore_sigcontext(regs, &uc.uc_mcontext))
        return bad_frame();
    set_sigaltstack(&uc.uc_stack, regs->sp);
    return (long)regs->ax;
}
