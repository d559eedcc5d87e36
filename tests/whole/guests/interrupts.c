/* Interrupts: the timer's, when they may and may not come, and string instructions that they break into. */
#include "guest.h"

static volatile u32 nr_ticks, tick_eip, tick_flags, tick_ecx, tick_esi, tick_edi;

static void count_tick(struct trap *trap)
{
    nr_ticks++;
    tick_eip = trap->eip;
    tick_flags = trap->eflags;
    tick_ecx = trap->ecx;
    tick_esi = trap->esi;
    tick_edi = trap->edi;
}

/* IRQ 0 asks, and interrupts are off. */
static void make_pending(void)
{
    __asm__ volatile("cli");
    nr_ticks = 0;
    tick_eip = 0;
    pit_start(0, 100);
    while (!pic_has_request(0)) {
    }
}

static void timer(void)
{
    nr_ticks = 0;
    pit_start(2, 1193);
    u32 nr_halts = 0, nr_after_hlt = 0, after_hlt;
    while (nr_ticks < 5) {
        __asm__ volatile("movl $1f, %0; sti; hlt; 1: cli" : "=r"(after_hlt) : : "memory");
        nr_after_hlt += tick_eip == after_hlt;
        nr_halts++;
    }
    check("every tick ends one HLT", nr_halts, 5);
    check("a tick comes back behind HLT", nr_after_hlt, 5);
    check("a tick's flags had IF", tick_flags & FLAGS_IF, FLAGS_IF);
}

static void shadows(void)
{
    u32 wanted;
    make_pending();
    __asm__ volatile("movl $1f, %0; sti; nop; 1: nop; cli" : "=r"(wanted) : : "memory");
    check("STI holds back one instruction", tick_eip, wanted);

    make_pending();
    __asm__ volatile("sti; cli" : : : "memory");
    check("STI, CLI lets none in", nr_ticks, 0);
    check("and it still asks", pic_has_request(0), 1);
    for (int i = 0; i < 100; i++)
        __asm__ volatile("sti; cli" : : : "memory");
    check("however often", nr_ticks, 0);

    __asm__ volatile("movl $1f, %0; sti; sti; 1: nop; cli" : "=r"(wanted) : : "memory");
    check("a second STI holds back nothing more", tick_eip, wanted);

    make_pending();
    __asm__ volatile("movl $1f, %0; sti; hlt; 1: cli" : "=r"(wanted) : : "memory");
    check("STI, HLT with one pending goes on", tick_eip, wanted);

    make_pending();
    __asm__ volatile("movl $1f, %0; pushl $0x202; popfl; 1: nop; cli" : "=r"(wanted) : : "memory");
    check("POPF holds back nothing", tick_eip, wanted);

    make_pending();
    __asm__ volatile("movl $1f, %0; pushl $0x202; pushl %%cs; pushl $1f; iret; 1: nop; cli"
                     : "=r"(wanted)
                     :
                     : "memory");
    check("IRET holds back nothing", tick_eip, wanted);

    make_pending();
    __asm__ volatile("sti; jmp 1f; 1: nop; cli" : : : "memory");
    check("STI before a jump", nr_ticks, 1);

    make_pending();
    pic_mask(0xff);
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
    check("a masked line does not interrupt", nr_ticks, 0);
    pic_mask(0xfe);
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
    check("but when the mask falls", nr_ticks, 1);
}

/* A gate of type 0Eh clears IF, one of type 0Fh does not; either saves it. */
static void gates(void)
{
    make_pending();
    pic_mask(0xff);
    TRY("sti; int $0x41", : : : "memory");
    check("INT saves IF", seen.regs.eflags & FLAGS_IF, FLAGS_IF);
    __asm__ volatile("cli");

    make_pending();
    set_gate(0x42, 0x8f);
    TRY("int $0x42", : : : "memory");
    check("a trap gate lets none in that were off", nr_ticks, 0);
    pic_mask(0xff);
    TRY("sti; nop; int $0x42", : : : "memory");
    u32 flags_in_gate = seen.flags_inside;
    __asm__ volatile("cli");
    check("a trap gate leaves IF", flags_in_gate & FLAGS_IF, FLAGS_IF);
    TRY("sti; nop; int $0x41", : : : "memory");
    flags_in_gate = seen.flags_inside;
    __asm__ volatile("cli");
    check("an interrupt gate clears IF", flags_in_gate & FLAGS_IF, 0);
    pic_mask(0xfe);
}

enum { BYTES = 400000 };
static u8 source[BYTES], target[BYTES];

static u32 nr_inside, nr_wrong;
static volatile u32 string_eip __attribute__((used));

static void look_inside(struct trap *trap)
{
    count_tick(trap);
    if (trap->eip != string_eip)
        return;
    nr_inside += trap->ecx > 0 && trap->ecx < BYTES;
    u32 done = BYTES - trap->ecx;
    nr_wrong += trap->esi != address(source) + done || trap->edi != address(target) + done;
    nr_wrong += done > 0 && target[done - 1] != source[done - 1];
    nr_wrong += done < BYTES && target[done] != 0;
}

static void strings(void)
{
    for (u32 i = 0; i < BYTES; i++)
        source[i] = (u8)(i * 7 + (i >> 8) + 1) | 1;
    for (int round = 0; round < 200 && nr_inside < 3; round++) {
        for (u32 i = 0; i < BYTES; i++)
            target[i] = 0;
        on_tick = look_inside;
        u32 count = BYTES, from = address(source), to = address(target);
        pit_start(2, 60);
        __asm__ volatile("movl $1f, string_eip; sti; nop; 1: rep movsb; cli"
                         : "+c"(count), "+S"(from), "+D"(to)
                         :
                         : "memory");
        on_tick = count_tick;
        nr_wrong += count != 0 || from != address(source) + BYTES || to != address(target) + BYTES;
        for (u32 i = 0; i < BYTES; i++)
            nr_wrong += target[i] != source[i];
    }
    check("interrupts come in the middle of REP MOVSB", nr_inside >= 3, 1);
    check("with registers as far as it got, and it ends right", nr_wrong, 0);
}

void main(const char *word)
{
    (void)word;
    on_tick = count_tick;
    pic_init();
    pic_mask(0xfe);
    timer();
    shadows();
    gates();
    strings();
}
