/*
 * The real CPU. The case runs in this very process, in pages at fixed addresses below 2 GiB, surrounded by
 * host_frame.S; what it raises comes back as a signal, on a stack of its own.
 */
#include <asm/ldt.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/oracle/host.h"
#include "tests/oracle/host_frame.h"

enum { HWCAP2_HAS_FSGSBASE = 2, LDT_WRITE = 1, LDT_DATA = 0, LDT_EXPAND_DOWN = 1, LDT_CODE = 2 };

struct native_area {
    uint64_t gpr[16], out_gpr[16], out_flags;
    uint64_t saved_sp;
    uint64_t is_taken;
    uint64_t on_signal;
    uint64_t host_fs, fs_base, gs_base, out_fs_base, out_gs_base;
    uint64_t iret[5]; /* RIP, CS, RFLAGS, RSP, SS */
    uint16_t selector[6], out_selector[6];
    uint32_t has_selectors, is_running;
    union host_fx host_fx, fx, out_fx;
    uint64_t trap, error_code, cr2, rip; /* trap is the vector + 1 */
};

#define CHECK_OFFSET(field, offset)                                                                          \
    _Static_assert(offsetof(struct native_area, field) == (offset), "host_frame.h knows where " #field " i"  \
                                                                    "s")
CHECK_OFFSET(gpr, AREA_GPR);
CHECK_OFFSET(out_gpr, AREA_OUT_GPR);
CHECK_OFFSET(out_flags, AREA_OUT_FLAGS);
CHECK_OFFSET(saved_sp, AREA_SAVED_SP);
CHECK_OFFSET(is_taken, AREA_IS_TAKEN);
CHECK_OFFSET(on_signal, AREA_ON_SIGNAL);
CHECK_OFFSET(host_fs, AREA_HOST_FS);
CHECK_OFFSET(fs_base, AREA_FS_BASE);
CHECK_OFFSET(gs_base, AREA_GS_BASE);
CHECK_OFFSET(out_fs_base, AREA_OUT_FS_BASE);
CHECK_OFFSET(out_gs_base, AREA_OUT_GS_BASE);
CHECK_OFFSET(iret, AREA_IRET);
CHECK_OFFSET(selector, AREA_SELECTOR);
CHECK_OFFSET(out_selector, AREA_OUT_SELECTOR);
CHECK_OFFSET(has_selectors, AREA_HAS_SELECTORS);
CHECK_OFFSET(is_running, AREA_IS_RUNNING);
CHECK_OFFSET(host_fx, AREA_HOST_FX);
CHECK_OFFSET(fx, AREA_FX);
CHECK_OFFSET(out_fx, AREA_OUT_FX);

/* host_frame.S */
extern const uint8_t native_frame[], native_frame_store[], native_frame_store_taken[], native_frame_leave[],
    native_frame_signal[], native_frame_end[];

static struct {
    uint8_t *data;
    union host_fx initial_fx;
    uint32_t code_offset; /* of the case whose code is in HOST_CODE */
} native;

static struct native_area *area(void)
{
    return (struct native_area *)(uintptr_t)NATIVE_AREA;
}

static uint32_t in_frame(const uint8_t *label)
{
    return (uint32_t)(NATIVE_FRAME + (label - native_frame));
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    ucontext_t *user = context;
    greg_t *gregs = user->uc_mcontext.gregs;
    struct native_area *a = area();
    (void)info;
    if (!a->is_running) { /* not the case: our own bug */
        signal(number, SIG_DFL);
        return;
    }
    a->is_running = 0;
    for (unsigned i = 0; i < 16; i++)
        a->out_gpr[i] = (uint64_t)gregs[order[i]];
    a->out_flags = (uint64_t)gregs[REG_EFL];
    a->out_selector[DEC_SEG_SS] = (uint16_t)((uint64_t)gregs[REG_CSGSFS] >> 48);
    a->trap = (uint64_t)gregs[REG_TRAPNO] + 1;
    a->error_code = (uint64_t)gregs[REG_ERR];
    a->cr2 = (uint64_t)gregs[REG_CR2];
    a->rip = (uint64_t)gregs[REG_RIP];
    memcpy(&a->out_fx, user->uc_mcontext.fpregs, sizeof a->out_fx);
    gregs[REG_RIP] = in_frame(native_frame_leave);
    gregs[REG_EFL] = 2;
    gregs[REG_CSGSFS] = (greg_t)((uint64_t)HOST_DATA32 << 48 | HOST_CODE64);
}

static bool map(uintptr_t at, size_t size_bytes, int protection, int file, size_t offset)
{
    void *wanted = (void *)at;
    int flags = (file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) | MAP_FIXED_NOREPLACE | MAP_POPULATE;
    return mmap(wanted, size_bytes, protection, flags, file, (off_t)offset) == wanted;
}

/* The data pages as cases see them. */
static bool map_data(uintptr_t at, int file)
{
    for (unsigned page = 0; page < HOST_DATA_PAGES; page++) {
        int protection = page == HOST_READ_ONLY_PAGE ? PROT_READ : PROT_READ | PROT_WRITE;
        size_t offset = (size_t)page * HOST_PAGE_BYTES;
        if (page != HOST_ABSENT_PAGE && !map(at + offset, HOST_PAGE_BYTES, protection, file, offset))
            return false;
    }
    return true;
}

static bool map_all(void)
{
    int file = memfd_create("host_data", 0);
    if (file < 0 || ftruncate(file, HOST_DATA_BYTES) != 0)
        return false;
    native.data = mmap(NULL, HOST_DATA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    bool is_good = native.data != MAP_FAILED && map_data(HOST_DATA, file) && map_data(HOST_HIGH, file) &&
                   map(NATIVE_FRAME, HOST_PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, -1, 0) &&
                   map(NATIVE_AREA, NATIVE_STACK_TOP - NATIVE_AREA, PROT_READ | PROT_WRITE, -1, 0) &&
                   map(HOST_CODE, HOST_CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, -1, 0);
    close(file);
    if (is_good)
        memset((void *)(uintptr_t)HOST_CODE, HOST_FILLER, HOST_CODE_BYTES);
    return is_good;
}

static bool make_ldt(void)
{
    const struct user_desc entries[] = {
        {.entry_number = HOST_CODE16 >> 3, .base_addr = HOST_CODE, .limit = 0xffff, .contents = LDT_CODE},
        {.entry_number = HOST_DATA16 >> 3, .base_addr = HOST_DATA, .limit = 0xffff, .contents = LDT_DATA},
        {.entry_number = HOST_WINDOWED >> 3, .base_addr = HOST_DATA + 0x100, .limit = 0x11ff, .seg_32bit = 1},
        {.entry_number = HOST_DOWNWARD >> 3,
         .base_addr = HOST_DATA,
         .limit = 0x10ff,
         .contents = LDT_EXPAND_DOWN,
         .seg_32bit = 1},
        {.entry_number = HOST_UNWRITABLE >> 3,
         .base_addr = HOST_DATA,
         .limit = 0xfffff,
         .limit_in_pages = 1,
         .read_exec_only = 1,
         .seg_32bit = 1},
    };
    for (unsigned i = 0; i < sizeof entries / sizeof *entries; i++)
        if (syscall(SYS_modify_ldt, LDT_WRITE, &entries[i], sizeof entries[i]) != 0)
            return false;
    return true;
}

bool native_init(void)
{
    static const int signals[] = {SIGFPE, SIGSEGV, SIGILL, SIGBUS, SIGTRAP};
    if (!(getauxval(AT_HWCAP2) & HWCAP2_HAS_FSGSBASE) || !map_all() || !make_ldt())
        return false;
    memcpy((void *)(uintptr_t)NATIVE_FRAME, native_frame, (size_t)(native_frame_end - native_frame));
    size_t stack_bytes = 64 * 1024;
    void *stack = mmap(NULL, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED || sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = stack_bytes}, NULL) != 0)
        return false;
    area()->on_signal = (uint64_t)(uintptr_t)on_signal;
    void (*entry)(int, siginfo_t *, void *);
    uintptr_t signal_entry = in_frame(native_frame_signal);
    memcpy(&entry, &signal_entry, sizeof entry);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action = {.sa_sigaction = entry, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        if (sigaction(signals[i], &action, NULL) != 0)
            return false;
    }
    native.initial_fx = (union host_fx){.control = 0x37f, .mxcsr = 0x1f80};
    return true;
}

uint8_t *native_data(void)
{
    return native.data;
}

enum { EXIT_BYTES = 8 };

/* A jump to the frame, which is 64-bit code. */
static void put_exit(uint32_t at, enum dec_mode mode, const uint8_t *label)
{
    uint8_t bytes[EXIT_BYTES] = {0x66, 0xea};
    unsigned start = mode == DEC_16 ? 0 : 1, nr = 6;
    uint32_t to = in_frame(label);
    uint16_t selector = HOST_CODE64;
    if (mode == DEC_64) {
        bytes[1] = 0xe9;
        to -= at + 5;
    } else {
        memcpy(bytes + nr, &selector, 2);
        nr += 2;
    }
    memcpy(bytes + 2, &to, 4);
    if (at - HOST_CODE <= HOST_CODE_BYTES - EXIT_BYTES)
        memcpy((void *)(uintptr_t)at, bytes + start, nr - start);
}

static void clear_code(void)
{
    uint32_t room = HOST_CODE_BYTES - native.code_offset,
             most = HOST_MAX_LENGTH + HOST_JUMP_BYTES + EXIT_BYTES;
    memset((void *)((uintptr_t)HOST_CODE + native.code_offset), HOST_FILLER, most < room ? most : room);
}

static void put_code(const struct host_case *c)
{
    clear_code();
    native.code_offset = c->code_offset;
    uint32_t at = HOST_CODE + c->code_offset;
    uint32_t room = HOST_CODE_BYTES - c->code_offset;
    memcpy((void *)(uintptr_t)at, c->bytes, c->length < room ? c->length : room);
    put_exit(at + c->length, c->mode, native_frame_store);
    put_exit(at + c->length + HOST_JUMP_BYTES, c->mode, native_frame_store_taken);
}

void native_run(const struct host_case *c, struct host_result *result)
{
    static const uint16_t code_selectors[] = {HOST_CODE16, HOST_CODE32, HOST_CODE64};
    struct native_area *a = area();
    put_code(c);
    memcpy(a->gpr, c->gpr, sizeof a->gpr);
    uint64_t code = HOST_CODE + c->code_offset;
    a->iret[0] = c->mode == DEC_16 ? c->code_offset : code;
    a->iret[1] = code_selectors[c->mode];
    a->iret[2] = c->flags | 0x202;
    a->iret[3] = c->gpr[4];
    a->iret[4] = c->mode == DEC_64 ? HOST_DATA32 : c->selector[DEC_SEG_SS];
    a->fs_base = c->fs_base;
    a->gs_base = c->gs_base;
    a->has_selectors = c->mode != DEC_64;
    memcpy(a->selector, c->selector, sizeof a->selector);
    a->fx = c->has_fx ? c->fx : native.initial_fx;
    a->is_taken = a->trap = a->error_code = a->cr2 = a->rip = 0;
    for (unsigned i = 0; i < HOST_WINDOWS; i++)
        memcpy(native.data + c->window[i].at, c->window[i].bytes, c->window[i].nr_bytes);

    void (*run)(void);
    uintptr_t entry = NATIVE_FRAME;
    memcpy(&run, &entry, sizeof run);
    run();

    *result = (struct host_result){.flags = a->out_flags,
                                   .rip = a->rip,
                                   .fs_base = a->out_fs_base,
                                   .gs_base = a->out_gs_base,
                                   .fx = a->out_fx,
                                   .vector = (int)a->trap - 1,
                                   .error_code = (uint32_t)a->error_code,
                                   .cr2 = a->cr2,
                                   .is_taken = a->is_taken};
    memcpy(result->gpr, a->out_gpr, sizeof result->gpr);
    memcpy(result->selector, a->out_selector, sizeof result->selector);
}
