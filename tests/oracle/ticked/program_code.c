/*
 * The code of random programs. Faults lead to a handler that goes on at the next safe place, which the
 * program names before anything that may fault.
 */
#include "tests/oracle/ticked/program_layout.h"

static void patch32(struct program *p, unsigned at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        p->code[at + i] = (uint8_t)(value >> i * 8);
}

static void chunk(struct program *p, unsigned nr);

/* jcc over a few instructions; sometimes a near one. */
static void skip(struct program *p)
{
    bool is_loop = ONE_IN(8);
    emit(p, 0x0f);
    emit(p, 0x80 | BELOW(16));
    unsigned at = p->at;
    emit32(p, 0);
    if (is_loop) { /* jecxz to the next instruction */
        emit(p, 0xe3);
        emit(p, 0);
    }
    unsigned pushed = p->nr_pushed;
    chunk(p, 1 + BELOW(5));
    if (p->nr_pushed != pushed) { /* both ways agree on the stack: lea esp, [esp + n] */
        emit(p, 0x8d);
        emit(p, 0x64);
        emit(p, 0x24);
        emit(p, (p->nr_pushed - pushed) * 4 & 0xff);
        p->nr_pushed = pushed;
    }
    patch32(p, at, p->at - at - 4);
}

static void loop(struct program *p)
{
    if (p->depth == 2 || p->is_function)
        return;
    unsigned pushed = p->nr_pushed;
    uint32_t counter = RESUME + 64 + p->depth * 4;
    p->depth++;
    emit(p, 0xc7); /* mov dword [counter], n */
    emit(p, 0x05);
    emit32(p, counter);
    emit32(p, 1 + BELOW(p->depth == 2 ? 6 : 30));
    if (ONE_IN(3)) /* not aligned */
        emit(p, 0x90);
    unsigned begin = p->at;
    chunk(p, 2 + BELOW(12));
    emit(p, 0x81); /* add esp, n: what the body left there */
    emit(p, 0xc4);
    emit32(p, (p->nr_pushed - pushed) * 4);
    p->nr_pushed = pushed;
    emit(p, 0xff); /* dec dword [counter] */
    emit(p, 0x0d);
    emit32(p, counter);
    emit(p, 0x0f);
    emit(p, 0x85);
    emit32(p, begin - p->at - 4);
    p->depth--;
}

static void call(struct program *p)
{
    if (p->nr_functions == 0 || p->is_function)
        return;
    unsigned function = p->functions[BELOW(p->nr_functions)];
    uint32_t cell = RESUME + 128 + BELOW(4) * 4;
    switch (BELOW(4)) {
    case 0:
    case 1:
        emit(p, 0xe8);
        emit32(p, function - p->at - 4);
        return;
    case 2:
        emit(p, 0xb8); /* mov eax, function; call eax */
        emit32(p, CODE + function);
        emit(p, 0xff);
        emit(p, 0xd0);
        return;
    default:
        emit(p, 0xc7); /* mov dword [cell], function; call [cell] */
        emit(p, 0x05);
        emit32(p, cell);
        emit32(p, CODE + function);
        emit(p, 0xff);
        emit(p, 0x15);
        emit32(p, cell);
        return;
    }
}

static void jump(struct program *p)
{
    unsigned at;
    switch (BELOW(3)) {
    case 0: /* jmp over some bytes that are never run */
        emit(p, 0xe9);
        at = p->at;
        emit32(p, 0);
        for (unsigned i = BELOW(40); i > 0; i--)
            emit(p, 0xcc);
        patch32(p, at, p->at - at - 4);
        return;
    case 1: /* mov ecx, n; jmp ecx */
        emit(p, 0xb9);
        at = p->at;
        emit32(p, 0);
        emit(p, 0xff);
        emit(p, 0xe1);
        for (unsigned i = BELOW(20); i > 0; i--)
            emit(p, 0xcc);
        patch32(p, at, CODE + p->at);
        return;
    default: /* push n; ret */
        emit(p, 0x68);
        at = p->at;
        emit32(p, 0);
        emit(p, 0xc3);
        patch32(p, at, CODE + p->at);
        return;
    }
}

/* From here on a fault goes on at the place that is filled in later: mov dword [RESUME], n. */
static unsigned name_resume(struct program *p)
{
    emit(p, 0xc7);
    emit(p, 0x05);
    emit32(p, RESUME);
    unsigned at = p->at;
    emit32(p, 0);
    return at;
}

static void instruction(struct program *p)
{
    unsigned choice = BELOW(100);
    if (choice < 5)
        skip(p);
    else if (choice < 7)
        loop(p);
    else if (choice < 10)
        call(p);
    else if (choice < 12)
        jump(p);
    else
        program_plain(p);
}

static void chunk(struct program *p, unsigned nr)
{
    while (nr-- > 0)
        instruction(p);
}

static void function(struct program *p)
{
    p->functions[p->nr_functions++] = p->at;
    p->is_function = true;
    p->nr_pushed = 0;
    chunk(p, 1 + BELOW(8));
    if (p->nr_pushed > 0) {
        emit(p, 0x81);
        emit(p, 0xc4);
        emit32(p, p->nr_pushed * 4);
        p->nr_pushed = 0;
    }
    emit(p, 0xc3);
    p->is_function = false;
}

/* Chunks, each with a stack of its own beginning, and a place to go on at behind it. */
static void main_code(struct program *p)
{
    for (unsigned nr = 3 + BELOW(10); nr > 0; nr--) {
        bool may_fault = ONE_IN(3);
        unsigned resume = may_fault ? name_resume(p) : 0;
        p->knows_resume = may_fault;
        p->depth = p->nr_pushed = 0;
        emit(p, 0xbd); /* mov ebp, n */
        emit32(p, BELOW(64) * 4);
        chunk(p, 5 + BELOW(30));
        if (may_fault)
            patch32(p, resume, CODE + p->at);
        emit(p, 0xbc); /* mov esp, n */
        emit32(p, (p->is_user ? STACK3 : (unsigned)STACK0) - 64 - BELOW(64) * 4);
        emit(p, 0xbd);
        emit32(p, 64);
        emit(p, 0xfc);
    }
}

void program_write(struct dice *dice, bool is_user, struct program_code *code)
{
    struct program program = {.dice = dice, .code = code->bytes, .is_user = is_user};
    struct program *p = &program;
    for (unsigned i = 1 + BELOW(6); i > 0; i--)
        function(p);
    code->start = p->at;
    main_code(p);
    code->nr_bytes = p->at;
}
