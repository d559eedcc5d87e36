/* Every way in which a run can end. The last word of the command line says which. */
#include "guest.h"

enum { NOWHERE = 0xdead0000 };

static bool is(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static void jump(u32 to)
{
    __asm__ volatile("jmp *%0" : : "r"(to));
}

/* Triple faults. */

static void no_idt(void)
{
    load_idt(0, 0);
    __asm__ volatile("ud2");
}

static void nowhere(void)
{
    load_idt(0, 0);
    paging_init();
    jump(NOWHERE);
}

static void nowhere_physical(void)
{
    load_idt(0, 0);
    jump(NOWHERE);
}

static void bad_stack(void)
{
    paging_init();
    __asm__ volatile("movl %0, %%esp; ud2" : : "i"(NOWHERE));
}

static void idt_unmapped(void)
{
    paging_init();
    *pte(address(idt)) = 0;
    invlpg(address(idt));
    __asm__ volatile("int $3");
}

/* All of memory goes, code and stack with it. */
static void no_memory(void)
{
    paging_init();
    directory[0] = directory[1] = 0;
    write_cr3(read_cr3());
}

/* Endless loops. */

static void loop(void)
{
    __asm__ volatile("cli; 1: jmp 1b");
}

static void loop_stores(void)
{
    __asm__ volatile(
        "cli; 1: movl $0x200000, %%edi; movl $0x10000, %%ecx; 2: movl %%ecx, (%%edi); addl $64, %%edi; "
        "decl %%ecx; jnz 2b; jmp 1b"
        :
        :
        : "memory");
}

static void loop_string(void)
{
    __asm__ volatile("cli; 1: movl $0x200000, %%edi; movl $0x1000, %%ecx; rep stosl; jmp 1b" : : : "memory");
}

/* #UD, whose handler comes back to it. */
static void loop_faults(void)
{
    TRY("movl $1f, resume_at; 1: ud2", : : : "memory");
}

static void loop_ticks(void)
{
    pic_init();
    pic_mask(0xfe);
    pit_start(2, 1193);
    for (;;)
        __asm__ volatile("sti; hlt");
}

/* Ticks come in between instructions, some of which take long, and into HLT every 64 rounds. */
static void spin_ticks(void)
{
    pic_init();
    pic_mask(0xfe);
    pit_start(2, 2);
    __asm__ volatile(
        "sti; xorl %%ecx, %%ecx; movl $3, %%ebx\n"
        ".globl spin, spin_end\n"
        "spin: xorl %%edx, %%edx; movl %%ecx, %%eax; divl %%ebx; incl %%ecx; testl $63, %%ecx; jnz spin\n"
        "hlt; jmp spin\n"
        "spin_end:"
        :
        :
        : "eax", "ebx", "ecx", "edx");
}

/* The guest's own words. */

static void halt(void)
{
    __asm__ volatile("cli; hlt");
}

/* Interrupts are on, but every line is closed. */
static void halt_masked(void)
{
    pic_init();
    __asm__ volatile("sti; hlt");
}

static void exit_0(void)
{
    MARKER(MARKER_EXIT, 0, 0);
}

static void exit_42(void)
{
    MARKER(MARKER_EXIT, 42, 0);
}

static void port_f4(void)
{
    outb(0xf4, 3);
}

static void panic(void)
{
    MARKER(MARKER_PANIC, "the guest's last words", 0);
}

static void panic_nowhere(void)
{
    paging_init();
    MARKER(MARKER_PANIC, NOWHERE, 0);
}

/* A string that ends nowhere. */
static void panic_long(void)
{
    static char text[2 * PAGE] __attribute__((aligned(PAGE)));
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = 'x';
    paging_init();
    *pte(address(text + PAGE)) = 0;
    invlpg(address(text + PAGE));
    MARKER(MARKER_PANIC, text, 0);
}

static void log_text(void)
{
    MARKER(MARKER_LOG, "logged\n", 7);
    MARKER(MARKER_EXIT, 0, 0);
}

static void log_nowhere(void)
{
    paging_init();
    MARKER(MARKER_LOG, NOWHERE, 0xffffffff);
    MARKER(MARKER_EXIT, 0, 0);
}

/* The probe's answer is the status: 1 from a simulator, 63 elsewhere. */
static void probe(void)
{
    u32 answer = 63;
    __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0; .long 0x4c410000" : "+a"(answer));
    MARKER(MARKER_EXIT, answer, 0);
}

static void work(u32 nr_loops)
{
    __asm__ volatile("1: decl %0; movl %%edx, 0x200000(,%0,4); jnz 1b" : "+r"(nr_loops) : : "memory", "cc");
}

/* Region 5 twice, region 6 within, 7 without an end and 8 without a beginning; a reset and two dumps. */
static void regions(void)
{
    for (u32 i = 1; i <= 2; i++) {
        MARKER(MARKER_ROI_BEGIN, 5, 0);
        work(1000 * i);
        MARKER(MARKER_ROI_BEGIN, 6, 0);
        work(100);
        MARKER(MARKER_ROI_END, 6, 0);
        MARKER(MARKER_ROI_END, 5, 0);
    }
    MARKER(MARKER_DUMP_STATS, 0, 0);
    MARKER(MARKER_RESET_STATS, 0, 0);
    MARKER(MARKER_ROI_BEGIN, 7, 0);
    MARKER(MARKER_ROI_END, 8, 0);
    work(500);
    MARKER(MARKER_MARK, 1, "a mark");
    MARKER(MARKER_DUMP_STATS, 0, 0);
    MARKER(MARKER_EXIT, 0, 0);
}

/* Those that nobody acts on, and NOPs that only look like markers, are NOPs. */
static void unknown_markers(void)
{
    MARKER(0x7777, 1, 2);
    MARKER(0x10, NOWHERE, 0xffffffff);
    MARKER(0x12, NOWHERE, 0xffffffff);
    __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0; .long 0x4c420007" : : "a"(9));
    __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x18; .long 0x4c410007" : : "a"(9), "b"(0));
    __asm__ volatile(".byte 0x0f, 0x1f, 0x80; .long 0x4c410007" : : "a"(9));
    MARKER(MARKER_EXIT, 0, 0);
}

/* SLP_EN in PM1_CNT. */
static void power_off(void)
{
    __asm__ volatile("outw %0, %1" : : "a"((uint16_t)0x2000), "d"((uint16_t)0x604));
}

static void reset(void)
{
    outb(0xcf9, 6);
}

/* Regions, one of them under way at each checkpoint. */
static void checkpoints(void)
{
    for (u32 i = 1; i <= 3; i++) {
        MARKER(MARKER_ROI_BEGIN, 5, 0);
        work(1000 * i);
        MARKER(MARKER_CHECKPOINT, 0, 0);
        work(500 * i);
        MARKER(MARKER_ROI_END, 5, 0);
        MARKER(MARKER_RESET_STATS, 0, 0);
    }
    MARKER(MARKER_EXIT, 5, 0);
}

void main(const char *word)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } ways[] = {
#define WAY(name) {#name, name}
        WAY(no_idt),        WAY(nowhere),         WAY(nowhere_physical),
        WAY(bad_stack),     WAY(idt_unmapped),    WAY(no_memory),
        WAY(loop),          WAY(loop_stores),     WAY(loop_string),
        WAY(loop_faults),   WAY(loop_ticks),      WAY(spin_ticks),
        WAY(halt),          WAY(halt_masked),     WAY(exit_0),
        WAY(exit_42),       WAY(port_f4),         WAY(panic),
        WAY(panic_nowhere), WAY(panic_long),      {"log", log_text},
        WAY(log_nowhere),   WAY(unknown_markers), WAY(probe),
        WAY(regions),       WAY(checkpoints),     WAY(power_off),
        WAY(reset),
    };
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++)
        if (is(word, ways[i].name))
            ways[i].run();
    check("a way to end that there is", 0, 1);
}
