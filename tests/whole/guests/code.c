/* Code that changes under the processor, lies across pages, or is not there. */
#include "guest.h"

/* A function that returns its immediate: B8 imm32 (mov eax), C3 (ret). Two places to map it at. */
enum { HERE = 9 << 20, THERE = HERE + (1 << 19) };
enum { PF = 14 };
static u8 frame_a[PAGE] __attribute__((aligned(PAGE))), frame_b[PAGE] __attribute__((aligned(PAGE)));
static u8 frame_c[PAGE] __attribute__((aligned(PAGE)));

static void map(u32 linear, const void *frame, u32 bits)
{
    *pte(linear) = bits ? address(frame) | bits : 0;
    invlpg(linear);
}

static void poke32(u8 *to, u32 value)
{
    for (int i = 0; i < 4; i++)
        ((volatile u8 *)to)[i] = (u8)(value >> 8 * i);
}

static void put_function(u8 *to, u32 value)
{
    to[0] = 0xb8;
    poke32(to + 1, value);
    to[5] = 0xc3;
    __asm__ volatile("" : : : "memory");
}

static u32 call(u32 linear)
{
    u32 value;
    TRY("call *%1", : "=a"(value) : "r"(linear) : "ecx", "edx", "memory", "cc");
    return seen.vector == NONE ? value : seen.vector;
}

static void written(void)
{
    map(HERE, frame_a, PTE_P | PTE_W);
    map(THERE, frame_a, PTE_P | PTE_W);
    put_function(frame_a + 16, 1);
    check("as written", call(HERE + 16), 1);
    poke32(frame_a + 17, 2);
    check("written through the other mapping", call(HERE + 16), 2);
    for (u32 i = 0, wrong = 0; i < 200; i++) {
        *(volatile u8 *)at(HERE + 17) = (u8)i;
        wrong += call(HERE + 16) != i || call(THERE + 16) != i;
        if (i == 199)
            check("again and again", wrong, 0);
    }
    *at(THERE + 17) = 4;
    check("written through a second mapping", call(HERE + 16), 4);
    check("and seen in both", call(THERE + 16), 4);
    put_function(frame_a + 64, 5);
    check("a neighbour", call(HERE + 64), 5);
    check("the first is still there", call(HERE + 16), 4);
    static const u8 inc[] = {0x40, 0x40, 0xc3};
    u32 count = 3, from = address(inc), to = HERE + 21;
    __asm__ volatile("rep movsb" : "+c"(count), "+S"(from), "+D"(to) : : "memory");
    check("by REP MOVSB", call(HERE + 16), 6);
    frame_a[21] = 0xc3;

    /* The frame of a page is another one. */
    put_function(frame_b + 16, 7);
    map(HERE, frame_b, PTE_P | PTE_W);
    check("another frame", call(HERE + 16), 7);
    check("the old one elsewhere", call(THERE + 16), 4);
    map(HERE, frame_a, PTE_P | PTE_W);
    check("and back", call(HERE + 16), 4);
    map(HERE, 0, 0);
    check("gone", call(HERE + 16), PF);
    check("its CR2", seen.cr2, HERE + 16);
    check("its EIP", seen.eip, HERE + 16);
}

/* The instructions change themselves. */
static void itself(void)
{
    u32 value;
    __asm__ volatile("movl $7, 1f + 1\n"
                     "1: movl $1, %0"
                     : "=a"(value)
                     :
                     : "memory");
    check("the next instruction", value, 7);
    __asm__ volatile("movl $9, 1f + 1; movl $8, 1f + 1\n"
                     "nop; nop\n"
                     "1: movl $1, %0"
                     : "=a"(value)
                     :
                     : "memory");
    check("one that is soon to come", value, 8);
    __asm__ volatile("xorl %%ecx, %%ecx\n"
                     "1: movl $0, %%edx; addl %%edx, %%ecx; incl 1b + 1; cmpl $100, 1b + 1; jne 1b"
                     : "=c"(value)
                     :
                     : "edx", "memory", "cc");
    check("a loop that counts in its own code", value, 4950);
    u32 count = 6, to;
    __asm__ volatile("movl $1f, %%edi; movb $0x40, %%al; movl $0, %%ebx; jmp 2f\n"
                     "2: rep stosb\n" /* INC EAX over the six that follow */
                     "1: incl %%ebx; incl %%ebx; incl %%ebx; incl %%ebx; incl %%ebx; incl %%ebx\n"
                     "subl $0x40, %%eax"
                     : "+c"(count), "=&D"(to), "=&a"(value)
                     :
                     : "ebx", "memory", "cc");
    check("what follows REP STOSB", value & 0xff, 6);
    __asm__ volatile("movl $2f, %%eax; subl $1f, %%eax; movb %%al, 1f - 1\n"
                     "jmp 1f; 1: movl $1, %%eax; jmp 3f; 2: movl $2, %%eax; 3:"
                     : "=&a"(value)
                     :
                     : "memory", "cc");
    check("the target of the next jump", value, 2);
}

/* `mov eax, imm32; ret` with so many of its bytes on the first page. */
static void straddling(void)
{
    u32 wrong_values = 0, wrong_faults = 0, wrong_tails = 0;
    for (u32 nr_first = 1; nr_first <= 5; nr_first++) {
        u32 entry = HERE + PAGE - nr_first, value = 0x10203040 + nr_first;
        u8 bytes[6];
        put_function(bytes, value);
        for (u32 i = 0; i < 6; i++)
            *(i < nr_first ? frame_a + PAGE - nr_first + i : frame_b + i - nr_first) = bytes[i];
        for (u32 i = nr_first; i < 6; i++)
            frame_c[i - nr_first] = i == 4 ? 0x77 : bytes[i];
        map(HERE, frame_a, PTE_P);
        map(HERE + PAGE, frame_b, PTE_P);
        wrong_values += call(entry) != value;
        map(HERE + PAGE, 0, 0);
        /* All of MOV may lie on the first page: then it is RET that is not there. */
        u32 first_missing = nr_first < 5 ? entry : HERE + PAGE;
        wrong_faults +=
            call(entry) != PF || seen.cr2 != HERE + PAGE || seen.eip != first_missing || seen.error != 0;
        map(HERE + PAGE, frame_c, PTE_P);
        wrong_tails += call(entry) != (nr_first < 5 ? (value & 0xffffff) | 0x77000000 : value);
        frame_c[nr_first < 5 ? 4 - nr_first : 0] = nr_first < 5 ? 0x78 : 0xc3;
        __asm__ volatile("" : : : "memory");
        wrong_tails += call(entry) != (nr_first < 5 ? (value & 0xffffff) | 0x78000000 : value);
        if (nr_first > 1) {
            frame_a[PAGE - nr_first + 1] = 0x99;
            __asm__ volatile("" : : : "memory");
            wrong_tails += (call(entry) & 0xff) != 0x99;
        }
        map(HERE, 0, 0);
        wrong_faults += call(entry) != PF || seen.cr2 != entry || seen.eip != entry;
    }
    check("code across pages", wrong_values, 0);
    check("its second page not there, or its first", wrong_faults, 0);
    check("its second page another one, or written", wrong_tails, 0);

    /* Code may end where its page does. */
    map(HERE, frame_a, PTE_P);
    map(HERE + PAGE, 0, 0);
    put_function(frame_a + PAGE - 6, 0x1234);
    check("RET as a page's last byte", call(HERE + PAGE - 6), 0x1234);
    frame_a[PAGE - 1] = 0x90;
    __asm__ volatile("" : : : "memory");
    check("no RET there", call(HERE + PAGE - 6), PF);
    check("EIP in the next page", seen.eip, HERE + PAGE);
    check("CR2 too", seen.cr2, HERE + PAGE);
}

/* The straddling one is changed by the instruction before it, and by itself. */
static void straddling_written(void)
{
    map(HERE, frame_a, PTE_P | PTE_W);
    map(HERE + PAGE, frame_b, PTE_P | PTE_W);
    static const u8 before[] = {0xc6, 0x05}; /* movb $imm8, disp32 */
    u8 *to = frame_a + PAGE - 9;
    to[0] = before[0], to[1] = before[1];
    poke32(to + 2, HERE + PAGE + 1); /* the last but one byte of the immediate */
    to[6] = 0x55;
    to[7] = 0xb8, to[8] = 1;
    frame_b[0] = 2, frame_b[1] = 3, frame_b[2] = 4, frame_b[3] = 0xc3;
    __asm__ volatile("" : : : "memory");
    check("the next instruction, across pages", call(HERE + PAGE - 9), 0x04550201);
    frame_b[1] = 3;
    to[6] = 0x56;
    __asm__ volatile("" : : : "memory");
    check("and once more", call(HERE + PAGE - 9), 0x04560201);
}

/* What a code page maps to is looked at again after INVLPG only. */
static void stale(bool has_tlbs)
{
    map(HERE, frame_a, PTE_P);
    put_function(frame_a, 0xa);
    put_function(frame_b, 0xb);
    check("called", call(HERE), 0xa);
    *pte(HERE) = address(frame_b) | PTE_P;
    if (has_tlbs)
        check("the ITLB still has the old frame", call(HERE), 0xa);
    invlpg(HERE);
    check("INVLPG shows the new one", call(HERE), 0xb);
    *pte(HERE) = address(frame_a) | PTE_P;
    write_cr3(read_cr3());
    check("a load of CR3 too", call(HERE), 0xa);
}

void main(const char *word)
{
    bool has_tlbs = word[0] == 'i';
    paging_init();
    written();
    itself();
    straddling();
    straddling_written();
    stale(has_tlbs);
}
