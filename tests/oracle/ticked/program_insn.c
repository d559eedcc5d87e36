/* The instructions of random programs, but for branches. */
#include "tests/oracle/ticked/program_layout.h"

void emit(struct program *p, unsigned byte)
{
    if (p->at < CODE_END - CODE - 64)
        p->code[p->at++] = (uint8_t)byte;
}

void emit32(struct program *p, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        emit(p, value >> i * 8 & 0xff);
}

/* Any general register but ESP; EBP now and then. */
static unsigned any_register(struct program *p)
{
    static const uint8_t registers[] = {0, 1, 2, 3, 6, 7, 0, 1, 2, 3, 6, 7, 5};
    return registers[BELOW(sizeof registers)];
}

/* A linear address of data, sometimes just before the end of a line or page. */
static uint32_t any_address(struct program *p)
{
    static const uint32_t small[] = {DATA, DATA + 0x40, DATA + 0x1000};
    uint32_t at;
    switch (BELOW(8)) {
    case 0:
        at = ALIAS_BASE + BELOW(NR_ALIASES * PAGE_BYTES - 64);
        break;
    case 1:
        at = ALIAS_BASE + BELOW(NR_ALIASES) * PAGE_BYTES + BELOW(256);
        break;
    case 2:
        at = DATA + BELOW(DATA_END - DATA - 64);
        break;
    case 3:
        at = DATA + PAGE_BYTES * (1 + BELOW(60)) - 1 - BELOW(8); /* around the end of a page */
        break;
    case 4:
        at = DATA + 64 * (1 + BELOW(100)) - 1 - BELOW(8); /* of a line */
        break;
    default:
        at = small[BELOW(3)] + BELOW(64);
        break;
    }
    if (ONE_IN(2))
        at &= ~7u;
    if (ONE_IN(120))
        at = UNCACHED + BELOW(256);
    if (ONE_IN(200))
        at = DEVICE + BELOW(64) * 8;
    if (p->knows_resume && ONE_IN(60))
        at = (ONE_IN(2) ? GONE : READ_ONLY) + BELOW(PAGE_BYTES - 16);
    return at;
}

/* A ModRM byte and what belongs to it: memory, or a register where that is allowed. */
static void operand(struct program *p, unsigned reg, bool may_be_register)
{
    if (may_be_register && ONE_IN(2)) {
        emit(p, 0xc0 | reg << 3 | any_register(p));
        return;
    }
    uint32_t address = any_address(p);
    unsigned base;
    switch (BELOW(4)) {
    case 0:
        emit(p, reg << 3 | 5);
        emit32(p, address);
        return;
    case 1: /* base + disp32: EBP holds a small number */
        emit(p, 0x80 | reg << 3 | 5);
        emit32(p, address);
        return;
    case 2: /* EBP + EBP * scale + disp32 */
        emit(p, 0x80 | reg << 3 | 4);
        emit(p, BELOW(4) << 6 | 5 << 3 | 5);
        emit32(p, address);
        return;
    default:
        base = 4; /* ESP, near the top of the stack, without an index */
        emit(p, 0x40 | reg << 3 | 4);
        emit(p, base << 3 | base);
        emit(p, BELOW(32));
        return;
    }
}

static void memory(struct program *p, unsigned reg)
{
    operand(p, reg, false);
}

/* EBP becomes a small number that depends on what came before. */
void program_make_base(struct program *p)
{
    if (ONE_IN(3)) {
        emit(p, 0x89); /* mov ebp, reg */
        emit(p, 0xc0 | any_register(p) << 3 | 5);
    }
    emit(p, 0x83); /* and ebp, imm8 */
    emit(p, 0xe5);
    emit(p, BELOW(128) & ~3u);
}

static void size_prefix(struct program *p)
{
    if (ONE_IN(6))
        emit(p, 0x66);
}

static bool has_prefix(const struct program *p)
{
    return p->at > 0 && p->code[p->at - 1] == 0x66;
}

static void immediate(struct program *p)
{
    emit(p, BELOW(256));
}

static void arithmetic(struct program *p)
{
    unsigned op = BELOW(8), reg = any_register(p);
    switch (BELOW(6)) {
    case 0:
        size_prefix(p);
        emit(p, op << 3 | 1);
        operand(p, reg, true);
        return;
    case 1:
        size_prefix(p);
        emit(p, op << 3 | 3);
        operand(p, reg, true);
        return;
    case 2:
        emit(p, op << 3 | (ONE_IN(2) ? 0 : 2));
        operand(p, BELOW(8), true);
        return;
    case 3:
        size_prefix(p);
        emit(p, 0x83);
        operand(p, op, true);
        immediate(p);
        return;
    case 4:
        emit(p, 0x80);
        operand(p, op, true);
        immediate(p);
        return;
    default:
        size_prefix(p);
        emit(p, ONE_IN(2) ? 0x85 : 0x84);
        operand(p, has_prefix(p) ? reg : BELOW(4), true);
        return;
    }
}

static void unary(struct program *p)
{
    unsigned reg = any_register(p);
    switch (BELOW(5)) {
    case 0:
        emit(p, 0x40 | BELOW(2) << 3 | reg);
        return;
    case 1:
        size_prefix(p);
        emit(p, 0xff);
        operand(p, BELOW(2), true);
        return;
    case 2:
        size_prefix(p);
        emit(p, 0xf7);
        operand(p, 2 + BELOW(2), true);
        return;
    case 3:
        emit(p, 0xfe);
        operand(p, BELOW(2), true);
        return;
    default:
        emit(p, 0xf6);
        operand(p, 2 + BELOW(2), true);
        return;
    }
}

static void move(struct program *p)
{
    unsigned reg = any_register(p);
    switch (BELOW(10)) {
    case 0:
    case 1:
        size_prefix(p);
        emit(p, 0x89);
        operand(p, reg, true);
        return;
    case 2:
    case 3:
        size_prefix(p);
        emit(p, 0x8b);
        operand(p, reg, true);
        return;
    case 4:
        emit(p, 0x88 | BELOW(2) << 1);
        operand(p, BELOW(8), true);
        return;
    case 5:
        emit(p, 0xb8 | reg);
        emit32(p, (uint32_t)dice_next(p->dice));
        return;
    case 6:
        emit(p, 0xc7);
        operand(p, 0, true);
        emit32(p, (uint32_t)dice_next(p->dice));
        return;
    case 7:
        emit(p, 0x0f);
        emit(p, (ONE_IN(2) ? 0xb6 : 0xbe) + BELOW(2));
        operand(p, reg, true);
        return;
    case 8:
        emit(p, 0x8d);
        memory(p, reg);
        return;
    default:
        emit(p, 0xb0 | BELOW(8));
        immediate(p);
        return;
    }
}

static void shift(struct program *p)
{
    unsigned op = BELOW(8), reg = any_register(p);
    switch (BELOW(4)) {
    case 0:
        size_prefix(p);
        emit(p, ONE_IN(2) ? 0xc1 : 0xc0);
        operand(p, op, true);
        emit(p, BELOW(34));
        return;
    case 1:
        size_prefix(p);
        emit(p, ONE_IN(2) ? 0xd1 : 0xd0);
        operand(p, op, true);
        return;
    case 2:
        size_prefix(p);
        emit(p, ONE_IN(2) ? 0xd3 : 0xd2);
        operand(p, op, true);
        return;
    default:
        size_prefix(p);
        emit(p, 0x0f);
        emit(p, (ONE_IN(2) ? 0xa4 : 0xac) + BELOW(2));
        bool has_count = !(p->code[p->at - 1] & 1);
        operand(p, reg, true);
        if (has_count)
            immediate(p);
        return;
    }
}

static void bits(struct program *p)
{
    unsigned reg = any_register(p);
    size_prefix(p);
    emit(p, 0x0f);
    switch (BELOW(3)) {
    case 0:
        emit(p, 0xba);
        operand(p, 4 + BELOW(4), true);
        immediate(p);
        return;
    case 1:
        emit(p, 0xbc + BELOW(2));
        operand(p, reg, true);
        return;
    default:
        emit(p, 0xa3 | BELOW(4) << 3);
        emit(p, 0xc0 | reg << 3 | any_register(p));
        return;
    }
}

static void multiply(struct program *p)
{
    unsigned reg = any_register(p);
    size_prefix(p);
    switch (BELOW(4)) {
    case 0:
        emit(p, 0x0f);
        emit(p, 0xaf);
        operand(p, reg, true);
        return;
    case 1:
        emit(p, 0x6b);
        operand(p, reg, true);
        immediate(p);
        return;
    default:
        emit(p, ONE_IN(2) ? 0xf7 : 0xf6);
        operand(p, 4 + BELOW(2), true);
        return;
    }
}

static void divide(struct program *p)
{
    bool may_fault = p->knows_resume && ONE_IN(4);
    if (!may_fault) { /* mov ecx, 1 + n; and eax, imm8; xor edx, edx */
        emit(p, 0xb9);
        emit32(p, 1 + BELOW(1000));
        emit(p, 0x83);
        emit(p, 0xe0);
        emit(p, BELOW(128));
        emit(p, 0x31);
        emit(p, 0xd2);
        emit(p, 0xf7);
        emit(p, 0xc1 | (6 + BELOW(2)) << 3);
        return;
    }
    emit(p, 0xf7);
    operand(p, 6 + BELOW(2), true);
}

static void conditional(struct program *p)
{
    unsigned reg = any_register(p);
    size_prefix(p);
    emit(p, 0x0f);
    if (ONE_IN(2)) {
        emit(p, 0x40 | BELOW(16));
        operand(p, reg, true);
    } else {
        emit(p, 0x90 | BELOW(16));
        operand(p, 0, true);
    }
}

static void exchange(struct program *p)
{
    unsigned reg = any_register(p);
    bool is_locked = ONE_IN(3);
    if (is_locked)
        emit(p, 0xf0);
    switch (BELOW(5)) {
    case 0:
        emit(p, 0x87);
        break;
    case 1:
        emit(p, 0x0f);
        emit(p, 0xc0 + BELOW(2));
        break;
    case 2:
        emit(p, 0x0f);
        emit(p, 0xb0 + BELOW(2));
        break;
    case 3:
        emit(p, 0x0f);
        emit(p, 0xc7);
        memory(p, 1);
        return;
    default:
        emit(p, BELOW(8) << 3 & 0x30);
        break;
    }
    operand(p, p->code[p->at - 1] & 1 ? reg : BELOW(4), !is_locked);
}

static void one_byte(struct program *p)
{
    static const uint8_t ops[] = {0x90, 0x98, 0x99, 0x9f, 0x9e, 0xf8, 0xf9,
                                  0xf5, 0x27, 0x2f, 0x37, 0x3f, 0xd6, 0xfc};
    if (ONE_IN(4)) {
        emit(p, 0x66);
        emit(p, 0x98 + BELOW(2));
        return;
    }
    if (ONE_IN(6)) {
        emit(p, 0xd4 + BELOW(2)); /* AAM, AAD */
        emit(p, 10);
        return;
    }
    if (ONE_IN(8)) {
        emit(p, 0x0f);
        emit(p, 0xc8 | any_register(p));
        return;
    }
    emit(p, ops[BELOW(sizeof ops)]);
}

static void stack(struct program *p)
{
    switch (BELOW(9)) {
    case 0:
    case 1:
        emit(p, 0x50 | any_register(p));
        p->nr_pushed++;
        return;
    case 2:
        emit(p, 0x6a);
        immediate(p);
        p->nr_pushed++;
        return;
    case 3:
        emit(p, 0xff);
        memory(p, 6);
        p->nr_pushed++;
        return;
    case 4:
        emit(p, 0x9c);
        p->nr_pushed++;
        return;
    case 5:
        if (p->nr_pushed == 0)
            return;
        emit(p, 0x8f);
        memory(p, 0);
        p->nr_pushed--;
        return;
    case 6:
        if (ONE_IN(4)) {
            emit(p, 0x60);
            emit(p, 0x61);
        } else {
            emit(p, 0xc8); /* enter */
            emit(p, BELOW(64));
            emit(p, 0);
            emit(p, BELOW(3));
            emit(p, 0xc9);
            program_make_base(p);
        }
        return;
    default:
        if (p->nr_pushed == 0)
            return;
        emit(p, 0x58 | any_register(p));
        p->nr_pushed--;
        if (p->code[p->at - 1] == 0x5d)
            program_make_base(p);
        return;
    }
}

static void string(struct program *p)
{
    static const uint8_t ops[] = {0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad, 0xa6, 0xa7, 0xae, 0xaf};
    emit(p, 0xbe); /* mov esi, edi, ecx */
    emit32(p, DATA + 0x400 + BELOW(DATA_END - DATA - 0x800));
    emit(p, 0xbf);
    emit32(p, (ONE_IN(2) ? DATA : (unsigned)ALIAS_BASE) + 0x400 + BELOW(DATA_END - DATA - 0x800));
    emit(p, 0xb9);
    emit32(p, ONE_IN(4) ? BELOW(200) : BELOW(12));
    emit(p, ONE_IN(3) ? 0xfd : 0xfc);
    if (!ONE_IN(3))
        emit(p, 0xf2 + BELOW(2));
    emit(p, ops[BELOW(sizeof ops)]);
    emit(p, 0xfc);
}

static void floating(struct program *p)
{
    static const uint8_t plain[] = {0xe8, 0xeb, 0xee, 0xe0, 0xe1, 0xe4, 0xe5, 0xfa, 0xfc, 0xf6, 0xf7};
    switch (BELOW(8)) {
    case 0:
        emit(p, 0xd9);
        emit(p, plain[BELOW(sizeof plain)]);
        return;
    case 1:
        emit(p, ONE_IN(2) ? 0xd8 : 0xdc);
        emit(p, 0xc0 | BELOW(64));
        return;
    case 2:
        emit(p, 0xde);
        emit(p, (ONE_IN(2) ? 0xc0 : 0xc8) | BELOW(8));
        return;
    case 3:
        emit(p, ONE_IN(2) ? 0xd9 : 0xdd);
        memory(p, 0);
        return;
    case 4:
        emit(p, ONE_IN(2) ? 0xdb : 0xdf);
        memory(p, 0);
        return;
    case 5:
        emit(p, ONE_IN(2) ? 0xd9 : 0xdd);
        memory(p, 2 + BELOW(2));
        return;
    case 6:
        emit(p, 0xdb);
        emit(p, (ONE_IN(2) ? 0xe8 : 0xf0) | BELOW(8));
        return;
    default:
        emit(p, 0xd9);
        emit(p, 0xc0 | BELOW(16));
        return;
    }
}

static void vector(struct program *p)
{
    static const uint8_t packed[] = {0x58, 0x59, 0x5c, 0x5e, 0x5d, 0x5f, 0x54, 0x57, 0x51, 0x14, 0x28};
    static const uint8_t whole[] = {0xfe, 0xef, 0xeb, 0xdb, 0xd5, 0xf4, 0x72, 0x61, 0x6f, 0x74};
    unsigned reg = BELOW(8);
    unsigned op;
    switch (BELOW(7)) {
    case 0:
        if (ONE_IN(2))
            emit(p, ONE_IN(2) ? 0xf3 : 0xf2); /* the scalar ones may lie anywhere */
        else if (ONE_IN(2))
            emit(p, 0x66);
        emit(p, 0x0f);
        op = packed[BELOW(9)];
        emit(p, op);
        if (op == 0x54 || op == 0x57)
            p->code[p->at - 1] = 0x58;
        emit(p, 0xc0 | reg << 3 | BELOW(8));
        return;
    case 1:
        emit(p, ONE_IN(2) ? 0xf3 : 0xf2);
        emit(p, 0x0f);
        emit(p, packed[BELOW(6)]);
        memory(p, reg);
        return;
    case 2:
        emit(p, ONE_IN(2) ? 0xf3 : 0xf2);
        emit(p, 0x0f);
        emit(p, 0x10 + BELOW(2));
        operand(p, reg, false);
        return;
    case 3:
        emit(p, 0x66);
        emit(p, 0x0f);
        op = whole[BELOW(6)];
        emit(p, op);
        emit(p, 0xc0 | reg << 3 | BELOW(8));
        return;
    case 4: /* MOVD */
        emit(p, 0x66);
        emit(p, 0x0f);
        emit(p, ONE_IN(2) ? 0x6e : 0x7e);
        operand(p, reg, true);
        return;
    case 5: /* MOVUPS */
        emit(p, 0x0f);
        emit(p, 0x10 + BELOW(2));
        memory(p, reg);
        return;
    default: /* CVTSI2SD, CVTTSD2SI, UCOMISD */
        switch (BELOW(3)) {
        case 0:
            emit(p, 0xf2);
            emit(p, 0x0f);
            emit(p, 0x2a);
            operand(p, reg, true);
            return;
        case 1:
            emit(p, 0xf2);
            emit(p, 0x0f);
            emit(p, 0x2c);
            emit(p, 0xc0 | any_register(p) << 3 | reg);
            return;
        default:
            emit(p, 0x66);
            emit(p, 0x0f);
            emit(p, 0x2e);
            emit(p, 0xc0 | BELOW(8) << 3 | reg);
            return;
        }
    }
}

/* INS and OUTS; some of them of a port that the user may not use. */
static void port_string(struct program *p)
{
    emit(p, 0xba); /* mov edx, esi, edi, ecx */
    emit32(p, p->knows_resume && ONE_IN(4) ? NR_PORTS_ALLOWED - 2 + BELOW(4) : PORT - 1 + BELOW(2));
    emit(p, 0xbe);
    emit32(p, DATA + 0x400 + BELOW(DATA_END - DATA - 0x800));
    emit(p, 0xbf);
    emit32(p, (ONE_IN(2) ? DATA : (unsigned)ALIAS_BASE) + 0x400 + BELOW(DATA_END - DATA - 0x800));
    emit(p, 0xb9);
    emit32(p, BELOW(6));
    emit(p, 0xfc);
    if (ONE_IN(3))
        emit(p, 0x66);
    if (!ONE_IN(3))
        emit(p, 0xf3);
    emit(p, 0x6c + BELOW(4));
}

static void rare(struct program *p)
{
    switch (BELOW(p->is_user ? 11 : 16)) {
    case 0:
        emit(p, 0x0f);
        emit(p, 0xa2); /* CPUID */
        return;
    case 1:
        emit(p, 0x0f);
        emit(p, 0x31); /* RDTSC */
        return;
    case 2:
        emit(p, 0x0f);
        emit(p, 0xae);
        emit(p, 0xe8 | BELOW(3) << 3); /* fences */
        return;
    case 3:
        emit(p, 0xcd); /* INT n */
        emit(p, CALL);
        return;
    case 4:
        emit(p, 0x0f);
        emit(p, 0xae);
        memory(p, 7); /* CLFLUSH */
        return;
    case 5: /* mov eax, DATA; mov es, eax */
        emit(p, 0xb8);
        emit32(p, p->is_user ? DATA3 : DATA0);
        emit(p, 0x8e);
        emit(p, 0xc0);
        return;
    case 6: /* push es, pop es */
        emit(p, 0x06);
        emit(p, 0x07);
        return;
    case 7: /* pushf, popf */
        emit(p, 0x9c);
        emit(p, 0x9d);
        return;
    case 8:
        if (p->knows_resume && ONE_IN(3)) {
            emit(p, 0xf1); /* INT1, whose handler does as if it had faulted */
        } else if (p->knows_resume) {
            emit(p, 0x0f);
            emit(p, 0x0b); /* UD2 */
        }
        return;
    case 9:
        emit(p, (ONE_IN(2) ? 0xe6 : 0xe4) | BELOW(2)); /* OUT: raises the interrupt line; IN */
        emit(p, PORT);
        return;
    case 10:
        port_string(p);
        return;
    case 11: /* mov eax, cr3; mov cr3, eax */
        emit(p, 0x0f);
        emit(p, 0x20);
        emit(p, 0xd8);
        emit(p, 0x0f);
        emit(p, 0x22);
        emit(p, 0xd8);
        return;
    case 12:
        emit(p, 0x0f);
        emit(p, 0x01);
        memory(p, 7); /* INVLPG */
        return;
    case 13:
        emit(p, 0xfa);
        emit(p, 0xfb); /* CLI, STI */
        return;
    case 14:
        emit(p, 0x0f);
        emit(p, 0x09); /* WBINVD */
        return;
    default: /* SGDT to data */
        emit(p, 0x0f);
        emit(p, 0x01);
        emit(p, 0x05);
        emit32(p, DATA + BELOW(0x2000));
        return;
    }
}

void program_plain(struct program *p)
{
    unsigned choice = BELOW(88);
    if (choice < 20)
        arithmetic(p);
    else if (choice < 40)
        move(p);
    else if (choice < 46)
        unary(p);
    else if (choice < 52)
        shift(p);
    else if (choice < 55)
        bits(p);
    else if (choice < 59)
        multiply(p);
    else if (choice < 61)
        divide(p);
    else if (choice < 64)
        conditional(p);
    else if (choice < 67)
        exchange(p);
    else if (choice < 70)
        one_byte(p);
    else if (choice < 77)
        stack(p);
    else if (choice < 79)
        string(p);
    else if (choice < 82)
        floating(p);
    else if (choice < 85)
        vector(p);
    else if (choice < 86)
        rare(p);
    else
        program_make_base(p);
}
