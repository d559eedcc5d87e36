/*
 * Runs a statically linked Linux program on a bare core at CPL 3: page tables, descriptor tables and the
 * first stack are made here, and system calls are answered here. What the program writes must be what it
 * writes on the CPU this runs on (user_programs.sh).
 *
 *     user_programs functional|inorder|watched PROGRAM
 *
 * The exit status is the program's; 99 when it does what it should not.
 */
#define CORE_RAM_BYTES (64 << 20)

#include <stdio.h>

#include "tests/oracle/user_calls.h"
#include "tests/unit/core_fixture.h"

/* After ours, whose names of page-fault bits it makes macros of. */
#include <elf.h>

/* Physical addresses; the first 64 KiB lie at the kernel's base, for CPL 0 only. */
enum {
    TABLE_ROOT = 0x1000,
    GDT = 0x2000,
    IDT = 0x3000, /* 256 gates of 16 bytes at most */
    TSS = 0x5000,
    STUB = 0x6000,
    RETURN_INT = 0x6100, /* IRET */
    RETURN_CALL = 0x6110,
    SYSCALL_ENTRY = 0x6200,
    HANDLERS = 0x7000, /* HANDLER_BYTES for each of 256 vectors */
    KERNEL_STACK_TOP = 0xf000,
    KERNEL_BYTES = 0x10000,
    FIRST_FREE_FRAME = 0x10000,
    HANDLER_BYTES = 4,
};

enum {
    KERNEL_CODE = 0x08,
    KERNEL_DATA = 0x10,
    USER_CODE32 = 0x23,
    USER_DATA = 0x2b,
    USER_CODE64 = 0x33,
    TASK = 0x40,
    TLS_ENTRY = 12,
    INT_0X80 = 0x80,
    NR_GATES = 129,
};

#define KERNEL32 0xf0000000u
#define KERNEL64 0xffffc00000000000u
#define STACK32 0xbffff000u
#define STACK64 0x7ffffffff000u
#define MMAP32 0x40000000u
#define MMAP64 0x7fff00000000u

enum { STACK_BYTES = 1 << 20, MAX_INSTRUCTIONS_LOG2 = 33, SLICE_CYCLES = 1 << 20 };

struct process {
    struct core core;
    bool is_64bit;
    uint64_t kernel, next_frame;
    struct user_calls calls;
    uint64_t entry, phdr, nr_phdrs, phdr_bytes;
};

static void fail(const char *what, uint64_t a, uint64_t b)
{
    fflush(stdout);
    fprintf(stderr, "user_programs: %s: %llx, %llx\n", what, (unsigned long long)a, (unsigned long long)b);
    exit(99);
}

static uint64_t new_frame(struct process *p)
{
    uint64_t frame = p->next_frame;
    p->next_frame += PAGE_BYTES;
    if (p->next_frame > CORE_RAM_BYTES)
        fail("out of memory", frame, 0);
    return frame;
}

/* The page-table entry of an address; tables on the way are made. */
static uint8_t *entry_of(struct process *p, uint64_t linear)
{
    unsigned bits = p->is_64bit ? 9 : 10, levels = p->is_64bit ? 4 : 2, size = p->is_64bit ? 8 : 4;
    uint64_t table = TABLE_ROOT;
    for (unsigned level = levels; level-- > 0;) {
        uint64_t index = linear >> (PAGE_SHIFT + level * bits) & ((1u << bits) - 1), entry = 0;
        uint8_t *at = p->core.ram.host + table + index * size;
        if (level == 0)
            return at;
        memcpy(&entry, at, size);
        if (!(entry & PTE_P)) {
            entry = new_frame(p) | PTE_P | PTE_RW | PTE_US | PTE_A;
            memcpy(at, &entry, size);
        }
        table = entry & ~(uint64_t)PAGE_MASK;
    }
    return NULL;
}

static void map_page(struct process *p, uint64_t linear, uint64_t frame, unsigned rights)
{
    uint64_t entry = frame | rights | PTE_P | PTE_RW;
    memcpy(entry_of(p, linear), &entry, p->is_64bit ? 8 : 4);
}

/* Pages that are there already stay. */
static void map_user(void *opaque, uint64_t linear, uint64_t size_bytes)
{
    struct process *p = opaque;
    for (uint64_t at = linear & ~(uint64_t)PAGE_MASK; at < linear + size_bytes; at += PAGE_BYTES)
        if (!(*entry_of(p, at) & PTE_P))
            map_page(p, at, new_frame(p), PTE_US);
}

static uint8_t *user_byte(void *opaque, uint64_t linear)
{
    struct process *p = opaque;
    uint64_t entry = 0;
    memcpy(&entry, entry_of(p, linear), p->is_64bit ? 8 : 4);
    if (!(entry & PTE_P) || !(entry & PTE_US))
        return NULL;
    return p->core.ram.host + (entry & ~(uint64_t)PAGE_MASK) + (linear & PAGE_MASK);
}

static void put_user(struct process *p, uint64_t linear, const void *from, size_t size_bytes)
{
    const uint8_t *bytes = from;
    for (size_t i = 0; i < size_bytes; i++) {
        uint8_t *to = user_byte(p, linear + i);
        if (!to)
            fail("no such page", linear + i, 0);
        *to = bytes[i];
    }
}

/* The segments of an ELF image; both classes have the same fields. */
#define LOAD_SEGMENTS(bits)                                                                                  \
    static void load##bits(struct process *p, const uint8_t *image)                                          \
    {                                                                                                        \
        Elf##bits##_Ehdr header;                                                                             \
        memcpy(&header, image, sizeof header);                                                               \
        p->entry = header.e_entry;                                                                           \
        p->nr_phdrs = header.e_phnum;                                                                        \
        p->phdr_bytes = header.e_phentsize;                                                                  \
        for (unsigned i = 0; i < header.e_phnum; i++) {                                                      \
            Elf##bits##_Phdr ph;                                                                             \
            memcpy(&ph, image + header.e_phoff + i * sizeof ph, sizeof ph);                                  \
            if (ph.p_type != PT_LOAD)                                                                        \
                continue;                                                                                    \
            map_user(p, ph.p_vaddr, ph.p_memsz);                                                             \
            put_user(p, ph.p_vaddr, image + ph.p_offset, ph.p_filesz);                                       \
            if (ph.p_offset == 0)                                                                            \
                p->phdr = ph.p_vaddr + header.e_phoff;                                                       \
            if (ph.p_vaddr + ph.p_memsz > p->calls.brk)                                                      \
                p->calls.brk = (ph.p_vaddr + ph.p_memsz + PAGE_MASK) & ~(uint64_t)PAGE_MASK;                 \
        }                                                                                                    \
    }
LOAD_SEGMENTS(32)
LOAD_SEGMENTS(64)

static uint8_t *read_file(const char *path, size_t *nr_bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        fail(path, 0, 0);
    long size = ftell(file);
    uint8_t *bytes = size > 0 ? malloc((size_t)size) : NULL;
    rewind(file);
    if (!bytes || fread(bytes, 1, (size_t)size, file) != (size_t)size)
        fail(path, 0, 0);
    fclose(file);
    *nr_bytes = (size_t)size;
    return bytes;
}

static void push(struct process *p, uint64_t *sp, uint64_t value)
{
    unsigned size = p->is_64bit ? 8 : 4;
    *sp -= size;
    put_user(p, *sp, &value, size);
}

static uint64_t push_bytes(struct process *p, uint64_t *sp, const void *from, size_t size_bytes)
{
    *sp -= size_bytes;
    put_user(p, *sp, from, size_bytes);
    return *sp;
}

/* argc, argv, envp and the auxiliary vector, as the ABI's supplement for the processor has them. */
static uint64_t make_stack(struct process *p)
{
    uint64_t sp = p->is_64bit ? STACK64 : STACK32;
    map_user(p, sp - STACK_BYTES, STACK_BYTES);
    uint64_t name = push_bytes(p, &sp, "program", 8);
    const char *machine = p->is_64bit ? "x86_64" : "i686";
    uint64_t platform = push_bytes(p, &sp, machine, strlen(machine) + 1);
    uint64_t random = push_bytes(p, &sp, "0123456789abcdef", 16);
    const uint64_t auxv[][2] = {
        {AT_NULL, 0},
        {AT_PLATFORM, platform},
        {AT_RANDOM, random},
        {AT_SECURE, 0},
        {AT_EGID, 0},
        {AT_GID, 0},
        {AT_EUID, 0},
        {AT_UID, 0},
        {AT_ENTRY, p->entry},
        {AT_FLAGS, 0},
        {AT_BASE, 0},
        {AT_PHNUM, p->nr_phdrs},
        {AT_PHENT, p->phdr_bytes},
        {AT_PHDR, p->phdr},
        {AT_CLKTCK, 100},
        {AT_PAGESZ, PAGE_BYTES},
        {AT_HWCAP, 0},
    };
    unsigned nr = sizeof auxv / sizeof *auxv, nr_words = nr * 2 + 4; /* and NULL, NULL, argv[0], argc */
    sp &= ~15ull;
    sp -= nr_words * (p->is_64bit ? 8 : 4) & 15 ? 8 : 0;
    for (unsigned i = 0; i < nr; i++) {
        push(p, &sp, auxv[i][1]);
        push(p, &sp, auxv[i][0]);
    }
    push(p, &sp, 0);
    push(p, &sp, 0);
    push(p, &sp, name);
    push(p, &sp, 1);
    return sp;
}

static void put_gate(struct process *p, unsigned vector, unsigned rights)
{
    uint64_t at = p->kernel + HANDLERS + vector * HANDLER_BYTES;
    uint32_t gate = IDT + vector * (p->is_64bit ? 16 : 8);
    static const uint8_t handler[] = {0xf4, 0xeb, 0xfd}; /* hlt; jmp back */
    core_put64(&p->core, gate,
               (at & 0xffff) | KERNEL_CODE << 16 | (uint64_t)rights << 40 | (at >> 16 & 0xffff) << 48);
    if (p->is_64bit)
        core_put64(&p->core, gate + 8, at >> 32);
    core_put(&p->core, HANDLERS + vector * HANDLER_BYTES, handler, sizeof handler);
}

static void make_tables(struct process *p)
{
    static const uint8_t syscall_entry[] = {0xf4, 0xeb, 0xfd};
    static const uint8_t iret[] = {0x48, 0xcf}, sysret[] = {0x48, 0x0f, 0x07};
    for (uint64_t at = 0; at < KERNEL_BYTES; at += PAGE_BYTES)
        map_page(p, p->kernel + at, at, 0);
    core_put64(&p->core, GDT + KERNEL_CODE, p->is_64bit ? 0x00af9b000000ffff : 0x00cf9b000000ffff);
    core_put64(&p->core, GDT + KERNEL_DATA, 0x00cf93000000ffff);
    core_put64(&p->core, GDT + (USER_CODE32 & SELECTOR_INDEX), 0x00cffb000000ffff);
    core_put64(&p->core, GDT + (USER_DATA & SELECTOR_INDEX), 0x00cff3000000ffff);
    core_put64(&p->core, GDT + (USER_CODE64 & SELECTOR_INDEX), 0x00affb000000ffff);
    for (unsigned vector = 0; vector < 32; vector++)
        put_gate(p, vector, 0x8e);
    put_gate(p, INT_0X80, 0xee);
    uint64_t stack = p->kernel + KERNEL_STACK_TOP;
    core_put(&p->core, TSS + 4, &stack, p->is_64bit ? 8 : 4);
    if (!p->is_64bit)
        core_put32(&p->core, TSS + 8, KERNEL_DATA);
    core_put(&p->core, SYSCALL_ENTRY, syscall_entry, sizeof syscall_entry);
    core_put(&p->core, RETURN_INT, iret + !p->is_64bit, sizeof iret - !p->is_64bit);
    core_put(&p->core, RETURN_CALL, sysret, sizeof sysret);
}

static void emit(struct process *p, uint32_t *at, const void *bytes, size_t nr_bytes)
{
    core_put(&p->core, *at, bytes, nr_bytes);
    *at += (uint32_t)nr_bytes;
}

/* mov ecx, number; mov eax, low; mov edx, high; wrmsr */
static void emit_wrmsr(struct process *p, uint32_t *at, uint32_t number, uint64_t value)
{
    uint8_t code[17] = {0xb9, 0, 0, 0, 0, 0xb8, 0, 0, 0, 0, 0xba, 0, 0, 0, 0, 0x0f, 0x30};
    uint32_t low = (uint32_t)value, high = (uint32_t)(value >> 32);
    memcpy(code + 1, &number, 4);
    memcpy(code + 6, &low, 4);
    memcpy(code + 11, &high, 4);
    emit(p, at, code, sizeof code);
}

/* What the core begins with: the MSRs of SYSCALL, registers that are zero, and IRET into the program. */
static void make_stub(struct process *p, uint64_t sp)
{
    enum { STAR = 0xc0000081, LSTAR, CSTAR, FMASK };
    static const uint8_t clear[] = {0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2}; /* xor eax, eax; ecx; edx */
    uint32_t at = STUB;
    if (p->is_64bit) {
        emit_wrmsr(p, &at, STAR, (uint64_t)KERNEL_CODE << 32 | (uint64_t)USER_CODE32 << 48);
        emit_wrmsr(p, &at, LSTAR, p->kernel + SYSCALL_ENTRY);
        emit_wrmsr(p, &at, FMASK, 0x700);
    }
    emit(p, &at, clear, sizeof clear);
    static const uint8_t iret[] = {0x48, 0xcf};
    emit(p, &at, iret + !p->is_64bit, sizeof iret - !p->is_64bit);
    const uint64_t frame[5] = {p->entry, p->is_64bit ? USER_CODE64 : USER_CODE32, 0x202, sp, USER_DATA};
    unsigned size = p->is_64bit ? 8 : 4;
    for (unsigned i = 0; i < 5; i++)
        core_put(&p->core, KERNEL_STACK_TOP - (5 - i) * size, &frame[i], size);
}

static struct segment segment_from(struct process *p, uint16_t selector)
{
    uint64_t raw = 0;
    (void)ram_read(&p->core.ram, paddr(GDT + (selector & SELECTOR_INDEX)), &raw, sizeof raw);
    return (struct segment){selector, selector > SELECTOR_RPL, segment_decode(raw)};
}

static void start(struct process *p)
{
    struct cpu_state state = {
        .rip = p->kernel + STUB,
        .rflags = 2,
        .cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG,
        .cr3 = TABLE_ROOT,
        .cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | (p->is_64bit ? CR4_PAE : 0),
        .efer = p->is_64bit ? EFER_LME | EFER_LMA | EFER_SCE : 0,
        .gdt_base = p->kernel + GDT,
        .gdt_limit = 0x7f,
        .idt_base = p->kernel + IDT,
        .idt_limit = NR_GATES * (p->is_64bit ? 16 : 8) - 1,
        .fpu = cpu_fpu_initial(),
        .mxcsr = CPU_MXCSR_INITIAL,
    };
    for (unsigned seg = 0; seg < DEC_NR_SEGS; seg++)
        state.segment[seg] = segment_from(p, seg == DEC_SEG_SS ? KERNEL_DATA : p->is_64bit ? 0 : USER_DATA);
    state.segment[DEC_SEG_CS] = segment_from(p, KERNEL_CODE);
    state.tr = (struct segment){
        TASK,
        true,
        {.base = p->kernel + TSS, .limit_bytes = 0x67, .type = SYSTEM_TSS_BUSY, .is_present = true}};
    unsigned frame_bytes = 5 * (p->is_64bit ? 8 : 4);
    state.gpr[CPU_SP] = p->kernel + KERNEL_STACK_TOP - frame_bytes;
    cpu_set_state(p->core.cpu, &state);
}

static void set_tls(void *opaque, uint64_t raw)
{
    struct process *p = opaque;
    core_put64(&p->core, GDT + TLS_ENTRY * 8, raw);
}

/* Answers the call that stopped the core, and lets it return. */
static void serve(struct process *p, struct cpu_state *state, bool is_syscall)
{
    static const unsigned order[2][6] = {{CPU_BX, CPU_CX, CPU_DX, CPU_SI, CPU_DI, CPU_BP},
                                         {CPU_DI, CPU_SI, CPU_DX, 10, 8, 9}};
    uint64_t mask = p->is_64bit ? UINT64_MAX : UINT32_MAX, argument[6];
    for (unsigned i = 0; i < 6; i++)
        argument[i] = state->gpr[order[p->is_64bit][i]] & mask;
    p->calls.fs_base = state->segment[DEC_SEG_FS].hidden.base;
    state->gpr[CPU_AX] = user_call(&p->calls, state->gpr[CPU_AX] & mask, argument) & mask;
    state->segment[DEC_SEG_FS].hidden.base = p->calls.fs_base;
    state->rip = p->kernel + (is_syscall ? RETURN_CALL : RETURN_INT);
    cpu_set_state(p->core.cpu, state);
}

static void run(struct process *p)
{
    for (;;) {
        if (cpu_stats(p->core.cpu)->instructions >> MAX_INSTRUCTIONS_LOG2)
            fail("it does not end", cpu_state(p->core.cpu).rip, 0);
        enum cpu_stop stop = cpu_run(p->core.cpu, cpu_now(p->core.cpu) + SLICE_CYCLES);
        if (stop == CPU_STOP_DEADLINE)
            continue;
        struct cpu_state state = cpu_state(p->core.cpu);
        uint64_t at = state.rip - p->kernel;
        bool is_syscall = at == SYSCALL_ENTRY + 1;
        if (stop != CPU_STOP_HALTED || (!is_syscall && at != HANDLERS + INT_0X80 * HANDLER_BYTES + 1)) {
            struct cpu_fault_record fault[CPU_FAULT_HISTORY] = {{0}};
            (void)cpu_fault_history(p->core.cpu, fault);
            fprintf(stderr, "user_programs: vector %u, error code %x, cr2 %llx\n", fault[0].vector,
                    fault[0].error_code, (unsigned long long)fault[0].cr2);
            fail("an exception; rip", fault[0].rip, at);
        }
        serve(p, &state, is_syscall);
    }
}

int main(int argc, char **argv)
{
    static const char *const kinds[NR_CORE_KINDS] = {
        [CORE_FUNCTIONAL] = "functional", [CORE_INORDER] = "inorder", [CORE_WATCHED] = "watched"};
    static struct process process;
    struct process *p = &process;
    unsigned kind = 0;
    while (argc == 3 && kind < NR_CORE_KINDS && strcmp(kinds[kind], argv[1]) != 0)
        kind++;
    if (argc != 3 || kind == NR_CORE_KINDS) {
        fprintf(stderr, "usage: user_programs functional|inorder|watched PROGRAM\n");
        return 64;
    }
    size_t nr_bytes;
    uint8_t *image = read_file(argv[2], &nr_bytes);
    if (nr_bytes < sizeof(Elf64_Ehdr) || memcmp(image, ELFMAG, SELFMAG) != 0)
        fail("no ELF image", nr_bytes, 0);
    core_init(&p->core, (enum core_kind)kind, NULL);
    p->is_64bit = image[EI_CLASS] == ELFCLASS64;
    p->kernel = p->is_64bit ? KERNEL64 : KERNEL32;
    p->next_frame = FIRST_FREE_FRAME;
    p->calls = (struct user_calls){.is_64bit = p->is_64bit,
                                   .mmap_top = p->is_64bit ? MMAP64 : MMAP32,
                                   .opaque = p,
                                   .map = map_user,
                                   .byte = user_byte,
                                   .set_tls = set_tls};
    (p->is_64bit ? load64 : load32)(p, image);
    free(image);
    make_tables(p);
    make_stub(p, make_stack(p));
    start(p);
    run(p);
    return 0;
}
