/* What lies on the user's stack while a handler runs: Linux's layouts for i386 (sigreturn(2)). */
#pragma once

#include "signal.h"

struct sigcontext {
    u32 gs, fs, es, ds;
    u32 di, si, bp, sp, bx, dx, cx, ax;
    u32 trapno, err;
    u32 ip, cs, flags, sp_at_signal, ss;
    u32 fpstate; /* user address of a struct fpstate; 0: no FPU registers */
    u32 oldmask; /* the lower half of the mask, in struct sigframe */
    u32 cr2;
};

/* FNSAVE's 108 bytes, and behind them what FXSAVE wrote if there is FXSAVE (magic 0). */
struct fpstate {
    u32 cw, sw, tag, ip_offset, cs_selector, data_offset, data_selector;
    u8 st[8][10];
    u16 status, magic;
    u8 fxsave[512];
};
#define FPSTATE_HAS_FXSAVE 0x0000u
#define FPSTATE_FNSAVE_ONLY 0xFFFFu
#define FPSTATE_FNSAVE_BYTES offsetof(struct fpstate, fxsave)

struct sigframe {
    u32 pretcode; /* return address */
    u32 sig;
    struct sigcontext sc;
    u8 unused[sizeof(struct fpstate)]; /* where FPU registers once were */
    u32 extramask;
    u8 retcode[8];
};

struct ucontext {
    u32 uc_flags, uc_link;
    struct sigaltstack uc_stack;
    struct sigcontext uc_mcontext;
    sigset_t uc_sigmask;
};

struct rt_sigframe {
    u32 pretcode;
    u32 sig, pinfo, puc;
    struct siginfo info;
    u8 info_padding[SIGINFO_USER_BYTES - sizeof(struct siginfo)];
    struct ucontext uc;
    u8 retcode[8];
};

_Static_assert(sizeof(struct sigcontext) == 88, "sigcontext");
_Static_assert(sizeof(struct fpstate) == 624, "fpstate");
_Static_assert(offsetof(struct rt_sigframe, uc) == 16 + SIGINFO_USER_BYTES, "rt_sigframe");

/* sigframe_fpu.c: 0 or -EFAULT. Bytes that it takes; 0: the task has used no FPU. */
u32 fpstate_bytes(void);
int save_fpstate(u32 user_fpstate);
int restore_fpstate(u32 user_fpstate);
