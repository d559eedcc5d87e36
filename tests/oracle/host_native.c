/*
 * The real CPU. A frame of 64-bit code loads all registers but R8-R15 and the flags, runs one instruction,
 * and stores them again; everything it touches lies below 2 GiB, so that it needs no register for itself, not
 * even RSP. Signals arrive on a stack of their own.
 */
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/oracle/host_cpu.h"

enum {
    NATIVE_CODE = 0x70000000,
    NATIVE_SLOT = NATIVE_CODE + 0x800, /* of the instruction */
    NATIVE_AREA = 0x70010000,
    NATIVE_STACK_TOP = NATIVE_AREA + 0x1000,
    PAGE = 0x1000,
};

struct native_area {
    uint64_t gpr[8], flags;
    uint64_t out_gpr[8], out_flags;
    uint64_t saved_sp;
    uint64_t is_taken;
    uint64_t trap, error_code, cr2; /* trap is the vector + 1 */
};

#define AREA(field) (uint32_t)(NATIVE_AREA + offsetof(struct native_area, field))

static struct native_area *area(void)
{
    return (struct native_area *)(uintptr_t)NATIVE_AREA;
}

struct emitter {
    uint32_t at;
};

static void emit(struct emitter *e, const char *bytes, size_t nr_bytes)
{
    memcpy((void *)(uintptr_t)e->at, bytes, nr_bytes);
    e->at += (uint32_t)nr_bytes;
}

static void emit32(struct emitter *e, uint32_t v)
{
    memcpy((void *)(uintptr_t)e->at, &v, 4);
    e->at += 4;
}

/* Two bytes of opcode, and [disp32] with its ModRM and SIB. */
static void emit_absolute(struct emitter *e, uint8_t rex, uint8_t opcode, unsigned reg, uint32_t address)
{
    char bytes[] = {(char)rex, (char)opcode, (char)(reg << 3 | 4), 0x25};
    emit(e, bytes, 4);
    emit32(e, address);
}

static void emit_jump(struct emitter *e, uint32_t to)
{
    emit(e, "\xe9", 1);
    emit32(e, to - (e->at + 4));
}

enum { REX_W = 0x48, REX = 0x40, SP = 4 };

/* Where the parts of the frame begin. */
struct frame {
    uint32_t store, store_taken, leave;
};

static struct frame frame;

/* push rbx, rbp, r12-r15; ... */
static void emit_frame(void)
{
    struct emitter e = {NATIVE_CODE};
    emit(&e, "\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57", 10);
    emit_absolute(&e, REX_W, 0x89, SP, AREA(saved_sp)); /* mov [], rsp */
    emit(&e, "\x48\xc7\xc4", 3);                        /* mov rsp, imm32 */
    emit32(&e, NATIVE_STACK_TOP);
    emit_absolute(&e, REX, 0xff, 6, AREA(flags)); /* push [] */
    emit(&e, "\x9d", 1);                          /* popfq */
    for (unsigned i = 0; i < 8; i++)
        emit_absolute(&e, REX_W, 0x8b, i, (uint32_t)(AREA(gpr) + i * 8));
    emit_jump(&e, NATIVE_SLOT);

    frame.store_taken = e.at;
    emit_absolute(&e, REX_W, 0xc7, 0, AREA(is_taken)); /* mov [], imm32 */
    emit32(&e, 1);
    frame.store = e.at;
    for (unsigned i = 0; i < 8; i++)
        emit_absolute(&e, REX_W, 0x89, i, (uint32_t)(AREA(out_gpr) + i * 8));
    emit(&e, "\x48\xc7\xc4", 3);
    emit32(&e, NATIVE_STACK_TOP);
    emit(&e, "\x9c", 1);                              /* pushfq */
    emit_absolute(&e, REX, 0x8f, 0, AREA(out_flags)); /* pop [] */
    frame.leave = e.at;
    emit_absolute(&e, REX_W, 0x8b, SP, AREA(saved_sp));               /* mov rsp, [] */
    emit(&e, "\xfc\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3", 12); /* cld; pop r15-r12, rbp, rbx; ret */
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    static const int order[8] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI};
    ucontext_t *user = context;
    (void)info;
    uint64_t rip = (uint64_t)user->uc_mcontext.gregs[REG_RIP];
    if (rip < NATIVE_SLOT ||
        rip >= NATIVE_SLOT + 2 * HOST_MAX_LENGTH) { /* not the instruction: our own bug */
        signal(number, SIG_DFL);
        return;
    }
    for (unsigned i = 0; i < 8; i++)
        area()->out_gpr[i] = (uint64_t)user->uc_mcontext.gregs[order[i]];
    area()->out_flags = (uint64_t)user->uc_mcontext.gregs[REG_EFL];
    area()->trap = (uint64_t)user->uc_mcontext.gregs[REG_TRAPNO] + 1;
    area()->error_code = (uint64_t)user->uc_mcontext.gregs[REG_ERR];
    area()->cr2 = (uint64_t)user->uc_mcontext.gregs[REG_CR2];
    user->uc_mcontext.gregs[REG_RIP] = frame.leave;
}

static bool map(uintptr_t at, size_t size_bytes, int protection)
{
    void *wanted = (void *)at;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    return mmap(wanted, size_bytes, protection, flags, -1, 0) == wanted;
}

bool native_init(void)
{
    static const int signals[] = {SIGFPE, SIGSEGV, SIGILL, SIGBUS};
    if (!map(NATIVE_CODE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) ||
        !map(NATIVE_AREA, PAGE, PROT_READ | PROT_WRITE) ||
        !map(HOST_DATA, HOST_DATA_BYTES, PROT_READ | PROT_WRITE))
        return false;
    size_t stack_bytes = 64 * 1024;
    void *stack = mmap(NULL, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED || sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = stack_bytes}, NULL) != 0)
        return false;
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        if (sigaction(signals[i], &action, NULL) != 0)
            return false;
    }
    emit_frame();
    return true;
}

uint8_t *native_data(void)
{
    return (uint8_t *)(uintptr_t)HOST_DATA;
}

void native_run(const struct host_case *c, struct host_result *result)
{
    struct emitter e = {NATIVE_SLOT};
    emit(&e, "\x67", 1);
    emit(&e, (const char *)c->bytes, c->length);
    uint32_t behind = e.at;
    emit_jump(&e, frame.store);
    if (c->form->encoding == HOST_JUMP) {
        e.at = behind + HOST_JUMP_BYTES;
        emit_jump(&e, frame.store_taken);
    }
    memset(area(), 0, sizeof *area());
    for (unsigned i = 0; i < 8; i++)
        area()->gpr[i] = c->gpr[i];
    area()->flags = c->flags | 0x202;
    memcpy(native_data() + (c->window_at - HOST_DATA), c->window, HOST_WINDOW_BYTES);

    void (*run)(void);
    uintptr_t entry = NATIVE_CODE;
    memcpy(&run, &entry, sizeof run);
    run();

    *result = (struct host_result){.flags = (uint32_t)area()->out_flags, .vector = (int)area()->trap - 1};
    for (unsigned i = 0; i < 8; i++)
        result->gpr[i] = (uint32_t)area()->out_gpr[i];
    result->error_code = (uint32_t)area()->error_code;
    result->cr2 = (uint32_t)area()->cr2;
    result->is_taken = area()->is_taken;
}
