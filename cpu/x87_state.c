#include "cpu/x87_state.h"

#include "cpu/simd.h"
#include "cpu/x87.h"

#include <string.h>

enum { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY, REGISTER_BYTES = 10, FX_REGISTER_BYTES = 16 };

/* Fields of the FXSAVE image (SDM 1 table 10-2). */
enum {
    FX_CONTROL = 0,
    FX_STATUS = 2,
    FX_TAGS = 4,
    FX_OPCODE = 6,
    FX_RIP = 8,
    FX_CS = 12,
    FX_DATA = 16,
    FX_DS = 20,
    FX_MXCSR = 24,
    FX_MXCSR_MASK = 28,
    FX_REGISTERS = 32,
    FX_XMM = 160,
};

static void put(uint8_t *image, unsigned at, uint64_t value, unsigned nr_bytes)
{
    memcpy(image + at, &value, nr_bytes);
}

static uint64_t get(const uint8_t *image, unsigned at, unsigned nr_bytes)
{
    uint64_t value = 0;
    memcpy(&value, image + at, nr_bytes);
    return value;
}

/* ---- Tags: two bits a physical register (SDM 1 8.1.7) ---- */

static unsigned tag_of(const struct x87_register *r)
{
    struct x87_number n = x87_unpack(*r);
    if (n.kind == X87_ZERO)
        return TAG_ZERO;
    return n.kind == X87_FINITE && !n.is_denormal ? TAG_VALID : TAG_SPECIAL;
}

static uint16_t tag_word(const struct fpu *fpu)
{
    unsigned word = 0;
    for (unsigned i = 0; i < 8; i++)
        word |= (fpu->in_use >> i & 1 ? tag_of(&fpu->reg[i]) : TAG_EMPTY) << 2 * i;
    return (uint16_t)word;
}

static uint8_t used_by_tag_word(uint16_t word)
{
    unsigned in_use = 0;
    for (unsigned i = 0; i < 8; i++)
        in_use |= (word >> 2 * i & 3) != TAG_EMPTY ? 1u << i : 0;
    return (uint8_t)in_use;
}

/*
 * ---- Environment: seven fields of 2 or 4 bytes; in real mode pointers are linear (SDM 1 figures 8-9 to
 * 8-12) ----
 */

enum environment_field { ENV_CONTROL, ENV_STATUS, ENV_TAGS, ENV_IP, ENV_CS, ENV_DATA, ENV_DS, NR_ENV_FIELDS };

static void make_environment(const struct cpu *cpu, uint32_t field[NR_ENV_FIELDS], bool is_32bit)
{
    enum { LINEAR_LOW_BITS = 16, HIGH_SHIFT = 12, OPCODE_SHIFT = 16 };
    const struct fpu *fpu = &cpu->fpu;
    uint32_t reserved = 0xffff0000;
    field[ENV_CONTROL] = fpu->control | reserved;
    field[ENV_STATUS] = fpu->status | reserved;
    field[ENV_TAGS] = tag_word(fpu) | reserved;
    if (cpu_is_protected(cpu)) {
        field[ENV_IP] = (uint32_t)fpu->rip;
        field[ENV_CS] = fpu->cs | (is_32bit ? (uint32_t)fpu->opcode << OPCODE_SHIFT : 0);
        field[ENV_DATA] = (uint32_t)fpu->data;
        field[ENV_DS] = fpu->ds | reserved;
        return;
    }
    uint32_t ip = (uint32_t)fpu->rip + ((uint32_t)fpu->cs << 4),
             data = (uint32_t)fpu->data + ((uint32_t)fpu->ds << 4);
    field[ENV_IP] = (ip & UINT16_MAX) | reserved;
    field[ENV_CS] = ip >> LINEAR_LOW_BITS << HIGH_SHIFT | fpu->opcode;
    field[ENV_DATA] = (data & UINT16_MAX) | reserved;
    field[ENV_DS] = data >> LINEAR_LOW_BITS << HIGH_SHIFT;
}

unsigned cpu_x87_put_environment(const struct cpu *cpu, uint8_t *image, bool is_32bit)
{
    uint32_t field[NR_ENV_FIELDS];
    unsigned field_bytes = is_32bit ? 4 : 2;
    make_environment(cpu, field, is_32bit);
    for (unsigned i = 0; i < NR_ENV_FIELDS; i++)
        put(image, i * field_bytes, field[i], field_bytes);
    return NR_ENV_FIELDS * field_bytes;
}

void cpu_x87_get_environment(struct cpu *cpu, const uint8_t *image, bool is_32bit)
{
    enum { OPCODE_MASK = 0x7ff };
    struct fpu *fpu = &cpu->fpu;
    uint32_t field[NR_ENV_FIELDS];
    unsigned field_bytes = is_32bit ? 4 : 2;
    for (unsigned i = 0; i < NR_ENV_FIELDS; i++)
        field[i] = (uint32_t)get(image, i * field_bytes, field_bytes);
    fpu->control = (uint16_t)field[ENV_CONTROL];
    fpu->status = (uint16_t)field[ENV_STATUS];
    fpu->in_use = used_by_tag_word((uint16_t)field[ENV_TAGS]);
    cpu_settle_x87_status(cpu);
    if (cpu_is_protected(cpu)) {
        fpu->rip = field[ENV_IP];
        fpu->cs = (uint16_t)field[ENV_CS];
        fpu->data = field[ENV_DATA];
        fpu->ds = (uint16_t)field[ENV_DS];
        fpu->opcode = is_32bit ? field[ENV_CS] >> 16 & OPCODE_MASK : 0;
        return;
    }
    fpu->rip = (field[ENV_IP] & UINT16_MAX) | field[ENV_CS] >> 12 << 16;
    fpu->data = (field[ENV_DATA] & UINT16_MAX) | field[ENV_DS] >> 12 << 16;
    fpu->cs = fpu->ds = 0;
    fpu->opcode = field[ENV_CS] & OPCODE_MASK;
}

void cpu_x87_put_registers(const struct cpu *cpu, uint8_t *image)
{
    for (unsigned i = 0; i < 8; i++) {
        const struct x87_register *r = &cpu->fpu.reg[x87_place(&cpu->fpu, i)];
        put(image, i * REGISTER_BYTES, r->mantissa, 8);
        put(image, i * REGISTER_BYTES + 8, r->sign_exponent, 2);
    }
}

static struct x87_register get_register(const uint8_t *image)
{
    return (struct x87_register){get(image, 0, 8), (uint16_t)get(image, 8, 2)};
}

void cpu_x87_get_registers(struct cpu *cpu, const uint8_t *image)
{
    for (unsigned i = 0; i < 8; i++)
        cpu->fpu.reg[x87_place(&cpu->fpu, i)] = get_register(image + i * REGISTER_BYTES);
}

/* ---- FXSAVE and FXRSTOR ---- */

/* XMM8 to XMM15 exist in 64-bit mode only, and none where the system does not say that it saves them. */
static unsigned nr_xmm(const struct cpu *cpu)
{
    if (!(cpu->control.cr4 & CR4_OSFXSR))
        return 0;
    return cpu_is_64bit(cpu) ? CPU_NR_XMM : CPU_NR_XMM / 2;
}

unsigned cpu_put_fx_image(const struct cpu *cpu, uint8_t image[X87_STATE_MAX_BYTES], bool is_wide)
{
    const struct fpu *fpu = &cpu->fpu;
    put(image, FX_CONTROL, fpu->control, 2);
    put(image, FX_STATUS, fpu->status, 2);
    put(image, FX_TAGS, fpu->in_use, 2);
    put(image, FX_OPCODE, fpu->opcode, 2);
    put(image, FX_RIP, fpu->rip, 8);
    put(image, FX_DATA, fpu->data, 8);
    if (!is_wide) {
        put(image, FX_CS, fpu->cs, 4);
        put(image, FX_DS, fpu->ds, 4);
    }
    put(image, FX_MXCSR, cpu->mxcsr, 4);
    put(image, FX_MXCSR_MASK, MXCSR_KNOWN, 4);
    for (unsigned i = 0; i < 8; i++) {
        const struct x87_register *r = &fpu->reg[x87_place(fpu, i)];
        put(image, FX_REGISTERS + i * FX_REGISTER_BYTES, r->mantissa, 8);
        put(image, FX_REGISTERS + i * FX_REGISTER_BYTES + 8, r->sign_exponent, 8);
    }
    memcpy(image + FX_XMM, cpu->xmm, nr_xmm(cpu) * sizeof *cpu->xmm);
    return FX_XMM + nr_xmm(cpu) * (unsigned)sizeof *cpu->xmm;
}

bool cpu_get_fx_image(struct cpu *cpu, const uint8_t image[X87_STATE_MAX_BYTES], bool is_wide)
{
    struct fpu *fpu = &cpu->fpu;
    uint32_t mxcsr = (uint32_t)get(image, FX_MXCSR, 4);
    if (cpu->control.cr4 & CR4_OSFXSR) {
        if (mxcsr & ~(uint32_t)MXCSR_KNOWN)
            return false;
        cpu->mxcsr = mxcsr;
    }
    fpu->control = (uint16_t)get(image, FX_CONTROL, 2);
    fpu->status = (uint16_t)get(image, FX_STATUS, 2);
    fpu->in_use = image[FX_TAGS];
    fpu->opcode = get(image, FX_OPCODE, 2) & 0x7ff;
    fpu->rip = get(image, FX_RIP, is_wide ? 8 : 4);
    fpu->data = get(image, FX_DATA, is_wide ? 8 : 4);
    fpu->cs = is_wide ? 0 : (uint16_t)get(image, FX_CS, 2);
    fpu->ds = is_wide ? 0 : (uint16_t)get(image, FX_DS, 2);
    cpu_settle_x87_status(cpu);
    for (unsigned i = 0; i < 8; i++)
        fpu->reg[x87_place(fpu, i)] = get_register(image + FX_REGISTERS + i * FX_REGISTER_BYTES);
    memcpy(cpu->xmm, image + FX_XMM, nr_xmm(cpu) * sizeof *cpu->xmm);
    return true;
}

/* ---- Memory ---- */

enum { PIECE_BYTES = 16 };

static uint64_t next_address(const struct cpu *cpu, uint64_t linear, unsigned distance)
{
    return cpu_is_64bit(cpu) ? linear + distance : (linear + distance) & UINT32_MAX;
}

static unsigned piece_bytes(unsigned done, unsigned nr_bytes)
{
    return nr_bytes - done < PIECE_BYTES ? nr_bytes - done : PIECE_BYTES;
}

bool cpu_read_bytes(struct cpu *cpu, uint64_t linear, uint8_t *bytes, unsigned nr_bytes)
{
    stamp_t t = cpu->clock, all_ready = t;
    for (unsigned done = 0; done < nr_bytes; done += PIECE_BYTES) {
        stamp_t ready = cpu_load_wide_slow(cpu, next_address(cpu, linear, done), piece_bytes(done, nr_bytes),
                                           cpu_port(cpu, t), bytes + done);
        t = cpu->slow_issue;
        if (!ready) {
            cpu->clock = t;
            return false;
        }
        all_ready = stamp_later(all_ready, ready);
    }
    cpu->clock = cpu_wait(cpu, t, all_ready);
    return true;
}

/* No more than two pages. */
bool cpu_may_write_bytes(struct cpu *cpu, uint64_t linear, unsigned nr_bytes)
{
    uint64_t last = next_address(cpu, linear, nr_bytes - 1);
    if (!cpu_probe_write(cpu, linear, 1))
        return false;
    return (last ^ linear) >> PAGE_SHIFT == 0 || cpu_probe_write(cpu, last & ~(uint64_t)PAGE_MASK, 1);
}

void cpu_write_bytes(struct cpu *cpu, uint64_t linear, const uint8_t *bytes, unsigned nr_bytes)
{
    for (unsigned done = 0; done < nr_bytes; done += PIECE_BYTES) {
        stamp_t t = cpu_wait(cpu, cpu_port(cpu, cpu->clock), cpu->store_buffer[cpu->store_index]);
        (void)!cpu_store_wide_slow(cpu, next_address(cpu, linear, done), piece_bytes(done, nr_bytes),
                                   bytes + done, t);
        cpu->clock = cpu->slow_issue;
    }
}
