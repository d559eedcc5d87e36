/*
 * The FPU's registers in a signal frame. Programs from before FXSAVE look at FNSAVE's layout, others at
 * FXSAVE's behind it: both are written, and what a handler changed in the first one counts (SDM 1 8.1.10,
 * 10.5.1).
 */
#include "asm/fpu.h"
#include "asm/uaccess.h"
#include "sigframe.h"
#include "slab.h"
#include "string.h"

struct fxsave {
    u16 cw, sw;
    u8 tag, reserved;
    u16 opcode;
    u32 ip_offset, cs_selector, data_offset, data_selector, mxcsr, mxcsr_mask;
    u8 st[8][16];
    u8 rest[352];
};
_Static_assert(sizeof(struct fxsave) == FXSAVE_BYTES, "SDM 1, table 10-2");

enum { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

u32 fpstate_bytes(void)
{
    if (!current->thread.fpu.is_initialized)
        return 0;
    return fpu_has_fxsr() ? sizeof(struct fpstate) : (u32)FPSTATE_FNSAVE_BYTES;
}

static u32 tag_of(const u8 st[10])
{
    u16 exponent;
    u32 low, high;
    memcpy(&low, st, 4);
    memcpy(&high, st + 4, 4);
    memcpy(&exponent, st + 8, 2);
    exponent &= 0x7FFF;
    if (exponent == 0)
        return low == 0 && high == 0 ? TAG_ZERO : TAG_SPECIAL;
    return exponent == 0x7FFF || !(high & 0x80000000u) ? TAG_SPECIAL : TAG_VALID;
}

/* FXSAVE keeps a bit a register, by its number; FNSAVE two; registers are stored from the stack's top on. */
static u32 full_tags(const struct fxsave *fx)
{
    u32 tags = 0, top = fx->sw >> 11 & 7;
    for (u32 i = 0; i < 8; i++) {
        u32 tag = fx->tag & 1u << i ? tag_of(fx->st[(i - top) & 7]) : TAG_EMPTY;
        tags |= tag << 2 * i;
    }
    return tags;
}

static u8 short_tags(u32 tags)
{
    u32 bits = 0;
    for (u32 i = 0; i < 8; i++)
        bits |= (tags >> 2 * i & 3) != TAG_EMPTY ? 1u << i : 0;
    return (u8)bits;
}

static void to_fnsave(struct fpstate *to, const struct fxsave *fx)
{
    to->cw = fx->cw | 0xFFFF0000u;
    to->sw = fx->sw | 0xFFFF0000u;
    to->tag = full_tags(fx) | 0xFFFF0000u;
    to->ip_offset = fx->ip_offset;
    to->cs_selector = (fx->cs_selector & 0xFFFF) | (u32)fx->opcode << 16;
    to->data_offset = fx->data_offset;
    to->data_selector = fx->data_selector;
    for (u32 i = 0; i < 8; i++)
        memcpy(to->st[i], fx->st[i], sizeof(to->st[i]));
}

static void from_fnsave(struct fxsave *fx, const struct fpstate *from)
{
    fx->cw = (u16)from->cw;
    fx->sw = (u16)from->sw;
    fx->tag = short_tags(from->tag);
    fx->opcode = (u16)(from->cs_selector >> 16);
    fx->ip_offset = from->ip_offset;
    fx->cs_selector = from->cs_selector & 0xFFFF;
    fx->data_offset = from->data_offset;
    fx->data_selector = from->data_selector;
    for (u32 i = 0; i < 8; i++)
        memcpy(fx->st[i], from->st[i], sizeof(from->st[i]));
}

int save_fpstate(u32 user_fpstate)
{
    struct fpstate frame;
    const struct fpu *fpu = fpu_save();
    if (fpu_has_fxsr()) {
        to_fnsave(&frame, (const struct fxsave *)(const void *)fpu->state);
        memcpy(frame.fxsave, fpu->state, sizeof(frame.fxsave));
        frame.magic = FPSTATE_HAS_FXSAVE;
    } else {
        memcpy(&frame, fpu->state, FNSAVE_BYTES);
        frame.magic = FPSTATE_FNSAVE_ONLY;
    }
    frame.status = (u16)frame.sw;
    return copy_to_user((void *)user_fpstate, &frame, fpstate_bytes()) ? -EFAULT : 0;
}

int restore_fpstate(u32 user_fpstate)
{
    struct fpu *fpu = &current->thread.fpu;
    struct fpstate frame;
    if (user_fpstate == 0) {
        fpu_clear(fpu);
        return 0;
    }
    if (copy_from_user(&frame, (const void *)user_fpstate, FPSTATE_FNSAVE_BYTES))
        return -EFAULT;
    bool has_fxsave = fpu_has_fxsr() && frame.magic == FPSTATE_HAS_FXSAVE;
    if (has_fxsave &&
        copy_from_user(frame.fxsave, (const u8 *)user_fpstate + FPSTATE_FNSAVE_BYTES, sizeof(frame.fxsave)))
        return -EFAULT;
    if (!fpu_prepare())
        return 0;
    if (has_fxsave)
        memcpy(fpu->state, frame.fxsave, sizeof(frame.fxsave));
    if (fpu_has_fxsr())
        from_fnsave((struct fxsave *)(void *)fpu->state, &frame);
    else
        memcpy(fpu->state, &frame, FNSAVE_BYTES);
    fpu_sanitize(fpu);
    return 0;
}
