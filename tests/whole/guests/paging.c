/* Paging: page faults and their error codes, WP, accessed and dirty bits, big and global pages, INVLPG. */
#include "guest.h"

/* A page of linear addresses that is not mapped at first, and frames to map there. */
enum { HERE = 9 << 20, LARGE_HERE = 16 << 20, LARGE_FRAME = 12 << 20 };
static u32 frame_a[PAGE / 4] __attribute__((aligned(PAGE))), frame_b[PAGE / 4] __attribute__((aligned(PAGE)));

static void map(u32 linear, const void *frame, u32 bits)
{
    *pte(linear) = bits ? address(frame) | bits : 0;
    invlpg(linear);
}

static u32 try_read(u32 linear)
{
    u32 value;
    TRY("movl (%1), %0", : "=&r"(value) : "r"(linear) : "memory");
    return seen.vector == NONE ? 0 : seen.vector << 8 | seen.error;
}

static u32 try_write(u32 linear)
{
    TRY("movl $1, (%0)", : : "r"(linear) : "memory");
    return seen.vector == NONE ? 0 : seen.vector << 8 | seen.error;
}

/* Ring 3 does it, then INT 80h. */
__asm__(".text\n"
        "user_read: movl (%edi), %eax; int $0x80\n"
        "user_write: movl %eax, (%edi); int $0x80\n"
        "user_add: addl %eax, (%edi); int $0x80\n"
        "user_push: pushl %eax; int $0x80\n"
        "user_call: call *%edi\n");
extern const u8 user_read[], user_write[], user_add[], user_push[], user_call[];
static u32 user_stack[256];

static u32 try_user(const u8 *code, u32 linear)
{
    seen.vector = NONE;
    __asm__ volatile("pushl %2; pushl %1; call enter_user; addl $8, %%esp"
                     : "+D"(linear)
                     : "r"(address(code)), "r"(address(user_stack + 256))
                     : "eax", "ecx", "edx", "memory");
    return seen.vector == VECTOR_SYSCALL ? 0 : seen.vector << 8 | seen.error;
}

enum { PF = 14 << 8, ERROR_P = 1, ERROR_W = 2, ERROR_U = 4, ERROR_RSVD = 8 };

static void permissions(void)
{
    map(HERE, 0, 0);
    check("read of what is not there", try_read(HERE + 0x123), PF);
    check("its CR2", seen.cr2, HERE + 0x123);
    check("write of what is not there", try_write(HERE + 8), PF | ERROR_W);
    check("ring 3 reads what is not there", try_user(user_read, HERE), PF | ERROR_U);
    check("ring 3 writes what is not there", try_user(user_write, HERE), PF | ERROR_U | ERROR_W);
    check("ring 3 jumps to what is not there", try_user(user_call, HERE + 5), PF | ERROR_U);
    check("at the place it jumped to", seen.eip, HERE + 5);

    map(HERE, frame_a, PTE_P);
    check("kernel reads kernel page", try_read(HERE), 0);
    check("kernel writes read-only page", try_write(HERE), PF | ERROR_P | ERROR_W);
    check("ring 3 reads kernel page", try_user(user_read, HERE), PF | ERROR_P | ERROR_U);
    check("ring 3 writes kernel page", try_user(user_write, HERE), PF | ERROR_P | ERROR_U | ERROR_W);
    check("ring 3 jumps to kernel page", try_user(user_call, HERE), PF | ERROR_P | ERROR_U);

    map(HERE, frame_a, PTE_P | PTE_U);
    check("ring 3 reads read-only page", try_user(user_read, HERE), 0);
    check("ring 3 writes read-only page", try_user(user_write, HERE), PF | ERROR_P | ERROR_U | ERROR_W);
    check("ring 3 adds to read-only page", try_user(user_add, HERE), PF | ERROR_P | ERROR_U | ERROR_W);
    check("kernel writes it, WP on", try_write(HERE), PF | ERROR_P | ERROR_W);
    write_cr0(read_cr0() & ~CR0_WP);
    check("kernel writes it, WP off", try_write(HERE), 0);
    check("ring 3 writes it, WP off", try_user(user_write, HERE), PF | ERROR_P | ERROR_U | ERROR_W);
    write_cr0(read_cr0() | CR0_WP);
    check("kernel writes it, WP on again", try_write(HERE), PF | ERROR_P | ERROR_W);

    /* The directory's entry has a say too. */
    map(HERE, frame_a, PTE_P | PTE_W | PTE_U);
    check("ring 3 writes user page", try_user(user_write, HERE), 0);
    directory[HERE >> 22] &= ~PTE_U;
    write_cr3(read_cr3());
    check("ring 3 reads user page of kernel table", try_user(user_read, HERE), PF | ERROR_P | ERROR_U);
    directory[HERE >> 22] = (directory[HERE >> 22] | PTE_U) & ~PTE_W;
    write_cr3(read_cr3());
    check("kernel writes page of read-only table", try_write(HERE), PF | ERROR_P | ERROR_W);
    directory[HERE >> 22] |= PTE_W;
    write_cr3(read_cr3());
    check("and again", try_write(HERE), 0);
}

static void accessed_and_dirty(void)
{
    enum { BITS = PTE_A | PTE_D };
    directory[HERE >> 22] &= ~PTE_A;
    write_cr3(read_cr3());
    map(HERE, frame_a, PTE_P | PTE_W);
    check("not accessed yet", *pte(HERE) & BITS, 0);
    try_read(HERE);
    check("a read sets A", *pte(HERE) & BITS, PTE_A);
    check("in the directory too", directory[HERE >> 22] & BITS, PTE_A);
    try_write(HERE);
    check("a write after it sets D", *pte(HERE) & BITS, PTE_A | PTE_D);
    check("but not in the directory", directory[HERE >> 22] & BITS, PTE_A);

    *pte(HERE) &= ~BITS;
    invlpg(HERE);
    try_write(HERE);
    check("a write sets both", *pte(HERE) & BITS, PTE_A | PTE_D);
    map(HERE, frame_a, PTE_P);
    try_write(HERE);
    check("a write that is refused sets no D", *pte(HERE) & PTE_D, 0);
    map(HERE, frame_a, PTE_P | PTE_W);
    __asm__ volatile("lock; cmpxchgl %%ecx, (%0)"
                     :
                     : "r"(HERE), "a"(frame_a[0] + 1), "c"(0)
                     : "memory", "cc");
    check("CMPXCHG that fails sets D as well", *pte(HERE) & BITS, PTE_A | PTE_D);
}

static void large_pages(bool is_qemu)
{
    u32 large = LARGE_FRAME | PTE_P | PTE_W | PTE_PS;
    directory[LARGE_HERE >> 22] = large;
    write_cr3(read_cr3());
    write_cr4(read_cr4() | CR4_PSE);
    *pte(HERE) = (LARGE_FRAME + 0x345000) | PTE_P | PTE_W;
    invlpg(HERE);
    *at(HERE + 0x678) = 0xfeedbeef;
    check("a 4 MiB page shows what a 4 KiB page wrote", *at(LARGE_HERE + 0x345678), 0xfeedbeef);
    check("A in it", directory[LARGE_HERE >> 22] & (PTE_A | PTE_D), PTE_A);
    *at(LARGE_HERE + 0x345678) = 1;
    check("D in it", directory[LARGE_HERE >> 22] & (PTE_A | PTE_D), PTE_A | PTE_D);
    check("and the other way round", *at(HERE + 0x678), 1);
    directory[LARGE_HERE >> 22] = 0;
    invlpg(LARGE_HERE + 0x12345);
    check("INVLPG of any address in it drops all of it", try_read(LARGE_HERE + 0x345678), PF);
    directory[LARGE_HERE >> 22] = large & ~PTE_W;
    check("a read-only one", try_write(LARGE_HERE + 0x345678), PF | ERROR_P | ERROR_W);
    directory[LARGE_HERE >> 22] = large | 1 << 21;
    invlpg(LARGE_HERE);
    /* RSVD comes with P only (SDM 3A 4.7), which QEMU 7.2 leaves out. */
    check("a reserved bit in it", try_read(LARGE_HERE), PF | ERROR_RSVD | (is_qemu ? 0 : ERROR_P));
    directory[LARGE_HERE >> 22] = 0;
    invlpg(LARGE_HERE);
}

/* An instruction that faults has done nothing; one that is repeated has done what its registers say. */
static u32 mended_at, mended_ecx, nr_mended;
static bool map_here(struct trap *trap)
{
    if (trap->vector != 14 || read_cr2() - HERE >= 2 * PAGE)
        return false;
    mended_at = read_cr2();
    mended_ecx = trap->ecx;
    nr_mended++;
    map(mended_at, mended_at < HERE + PAGE ? frame_a : frame_b, PTE_P | PTE_W | PTE_U);
    return true;
}

static void restarts(bool is_qemu)
{
    static u8 bytes[64];
    u32 count, from, to;
    map(HERE, frame_a, PTE_P | PTE_W);
    map(HERE + PAGE, 0, 0);
    for (u32 i = 0; i < sizeof bytes; i++)
        bytes[i] = (u8)(i + 1);
    frame_a[PAGE / 4 - 1] = 0;

    count = 20, from = address(bytes), to = HERE + PAGE - 5;
    TRY("rep movsb", : "+c"(count), "+S"(from), "+D"(to) : : "memory");
    check("REP MOVSB faults at its sixth byte", seen.cr2, HERE + PAGE);
    check("with ECX of then", seen.regs.ecx, 15);
    check("and ESI", seen.regs.esi, address(bytes) + 5);
    check("and EDI", seen.regs.edi, HERE + PAGE);
    check("and five bytes copied", frame_a[PAGE / 4 - 1], 0x05040302);

    mend = map_here;
    TRY("rep movsb", : "+c"(count), "+S"(from), "+D"(to) : : "memory");
    check("mended it goes on", frame_b[0], 0x09080706);
    check("to the end", frame_b[3] & 0xffffff, 0x141312);
    check("after one fault", nr_mended, 1);
    check("at", mended_at, HERE + PAGE);

    map(HERE + PAGE, 0, 0);
    count = 8, from = HERE + PAGE + 3, to = address(bytes) + 40;
    __asm__ volatile("std; rep movsb; cld" : "+c"(count), "+S"(from), "+D"(to) : : "memory");
    check("backwards, from a page to be mended", mended_at, HERE + PAGE + 3);
    check("copied", *(u32 *)(bytes + 37), 0x09080706);
    map(HERE, 0, 0);
    count = 4, from = HERE + PAGE - 8, to = address(bytes);
    __asm__ volatile("rep movsl" : "+c"(count), "+S"(from), "+D"(to) : : "memory");
    check("REP MOVSD from a page to be mended", mended_at, HERE + PAGE - 8);
    check("with ECX of then", mended_ecx, 4);
    mend = 0;

    /* Across the end of a page, the second not there. */
    map(HERE + PAGE, 0, 0);
    frame_a[PAGE / 4 - 1] = 0x11223344;
    TRY("stc; movl $0x55667788, (%0)", : : "r"(HERE + PAGE - 2) : "memory", "cc");
    check("a store across pages: CR2", seen.cr2, HERE + PAGE);
    check("nothing stored", frame_a[PAGE / 4 - 1], 0x11223344);
    TRY("stc; addl $0x55667788, (%0)", : : "r"(HERE + PAGE - 2) : "memory", "cc");
    check("ADD across pages leaves the flags", seen.regs.eflags & 0x8d5, 1 | (seen.regs.eflags & 0x8d4));
    map(HERE + PAGE, frame_b, PTE_P);
    TRY("stc; addl $0x55667788, (%0)", : : "r"(HERE + PAGE - 2) : "memory", "cc");
    check("into a read-only page", seen.error << 16 | (seen.cr2 & 0xffff),
          3u << 16 | ((HERE + PAGE) & 0xffff));
    check("nothing added", frame_a[PAGE / 4 - 1], 0x11223344);
    map(HERE, frame_a, PTE_P);
    map(HERE + PAGE, frame_b, PTE_P | PTE_W);
    frame_b[0] = 0xaabbccdd;
    TRY("movl $0x55667788, (%0)", : : "r"(HERE + PAGE - 2) : "memory");
    check("from a read-only page", frame_b[0], 0xaabbccdd);
    check("its CR2", seen.cr2, HERE + PAGE - 2);

    map(HERE, 0, 0);
    u32 before, after;
    TRY("movl %%esp, %0; pushl (%2); 9: movl %%esp, %1; movl %0, %%esp",
        : "=&r"(before), "=&r"(after)
        : "r"(HERE)
        : "memory");
    check("PUSH from nowhere leaves ESP", after, before);
    TRY("pushl $1; movl %%esp, %0; popl (%2); 9: movl %%esp, %1; leal 4(%0), %%esp",
        : "=&r"(before), "=&r"(after)
        : "r"(HERE)
        : "memory");
    check("POP to nowhere leaves ESP", after, before);
    TRY("movl %%esp, %0; call *(%2); 9: movl %%esp, %1; movl %0, %%esp",
        : "=&r"(before), "=&r"(after)
        : "r"(HERE)
        : "memory");
    check("CALL through nowhere leaves ESP", after, before);
    u32 eax = 5;
    TRY("xchgl %0, (%1)", : "+a"(eax) : "r"(HERE) : "memory");
    check("XCHG with nowhere leaves its register", eax, 5);
    /* Processors read with the intent to write; QEMU reads first. */
    check("and is a write", seen.error, is_qemu ? 0 : ERROR_W);
    TRY("cmpxchgl %%ecx, (%1)", : "+a"(eax) : "r"(HERE) : "memory", "cc");
    check("CMPXCHG is a write", seen.error, is_qemu ? 0 : ERROR_W);
    TRY("testl %%eax, (%0)", : : "r"(HERE) : "memory", "cc");
    check("TEST is a read", seen.error, 0);
}

/* A user stack whose next page is missing: ESP stays, and the handler can supply it. */
static void user_stack_grows(void)
{
    map(HERE, 0, 0);
    map(HERE + PAGE, frame_b, PTE_P | PTE_W | PTE_U);
    seen.vector = NONE;
    enter_user(address(user_push), HERE + PAGE);
    check("PUSH into a missing page", seen.vector << 8 | seen.error, PF | ERROR_U | ERROR_W);
    check("its CR2", seen.cr2, HERE + PAGE - 4);
    check("its ESP", seen.regs.user_esp, HERE + PAGE);
    mend = map_here;
    enter_user(address(user_push), HERE + PAGE);
    mend = 0;
    check("mended", seen.vector, VECTOR_SYSCALL);
    check("ESP of then", seen.regs.user_esp, HERE + PAGE - 4);
}

/* What changes in the tables must be seen after INVLPG, a load of CR3, or a change of CR0.PG and CR4.PGE. */
static void changes(bool has_tlbs)
{
    frame_a[0] = 0xa, frame_b[0] = 0xb;
    map(HERE, frame_a, PTE_P | PTE_W);
    check("mapped", *at(HERE), 0xa);
    *pte(HERE) = address(frame_b) | PTE_P | PTE_W;
    if (has_tlbs)
        check("the TLB still has the old frame", *at(HERE), 0xa);
    invlpg(HERE + 0xfff);
    check("INVLPG shows the new one", *at(HERE), 0xb);
    *pte(HERE) = address(frame_a) | PTE_P | PTE_W;
    write_cr3(read_cr3());
    check("a load of CR3 too", *at(HERE), 0xa);
    *pte(HERE) = 0;
    if (has_tlbs)
        check("a page that is gone can still be read", try_read(HERE), 0);
    write_cr3(read_cr3());
    check("until CR3 is loaded", try_read(HERE), PF);
    *pte(HERE) = address(frame_b) | PTE_P | PTE_W;
    check("what was not present needs no INVLPG", *at(HERE), 0xb);
    *pte(HERE) = address(frame_b) | PTE_P;
    invlpg(HERE);
    check("read-only", try_write(HERE), PF | ERROR_P | ERROR_W);
    *pte(HERE) |= PTE_W;
    check("more rights may need none either", try_write(HERE), 0);

    write_cr4(read_cr4() | CR4_PGE);
    map(HERE, frame_a, PTE_P | PTE_W | PTE_G);
    frame_a[0] = 0xa, frame_b[0] = 0xb;
    check("global", *at(HERE), 0xa);
    *pte(HERE) = address(frame_b) | PTE_P | PTE_W | PTE_G;
    write_cr3(read_cr3());
    if (has_tlbs)
        check("a load of CR3 keeps a global page", *at(HERE), 0xa);
    invlpg(HERE);
    check("INVLPG does not", *at(HERE), 0xb);
    *pte(HERE) = address(frame_a) | PTE_P | PTE_W | PTE_G;
    write_cr4(read_cr4() & ~CR4_PGE);
    check("nor does PGE", *at(HERE), 0xa);
    *pte(HERE) = address(frame_b) | PTE_P | PTE_W;
    write_cr0(read_cr0() & ~CR0_PG);
    write_cr0(read_cr0() | CR0_PG);
    check("nor does PG", *at(HERE), 0xb);

    /* A table's own frame is changed through another mapping of it. */
    map(HERE, (const void *)(pte(0)), PTE_P | PTE_W);
    map(HERE + PAGE, frame_a, PTE_P | PTE_W);
    volatile u32 *entry = at((HERE & ~0xfffu) + (address(pte(HERE + PAGE)) & 0xfff));
    map(HERE, (const void *)(uintptr_t)(address(pte(HERE + PAGE)) & ~0xfffu), PTE_P | PTE_W);
    *entry = address(frame_b) | PTE_P;
    invlpg(HERE + PAGE);
    check("tables may be written through any mapping", *at(HERE + PAGE), 0xb);
}

void main(const char *word)
{
    bool is_qemu = word[0] == 'q', has_tlbs = word[0] == 'i';
    paging_init();
    permissions();
    accessed_and_dirty();
    large_pages(is_qemu);
    restarts(is_qemu);
    user_stack_grows();
    changes(has_tlbs);
}
