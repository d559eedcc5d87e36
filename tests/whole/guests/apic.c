/* The local APIC and the I/O APIC: identity, priorities, the timer, and the 8254's tick by pin 2. */
#include "guest.h"

enum { LAPIC = 0xfee00000, IOAPIC = 0xfec00000, MSR_APIC_BASE = 0x1b };
enum { ID = 0x20, VERSION = 0x30, TPR = 0x80, PPR = 0xa0, END = 0xb0, SVR = 0xf0, ISR = 0x100, IRR = 0x200 };
enum { ICR = 0x300, LVT_TIMER = 0x320, LVT_LINT0 = 0x350, LVT_LINT1 = 0x360 };
enum { INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0 };
enum { MASKED = 1 << 16, PERIODIC = 1 << 17, SELF = 1 << 18, VECTOR_LOW = 0x41, VECTOR_HIGH = 0x61 };

static volatile u32 nr_seen[256], order[8], nr_in_order;

static bool take(struct trap *trap)
{
    if (trap->vector < 0x40)
        return false;
    nr_seen[trap->vector]++;
    if (nr_in_order < 8)
        order[nr_in_order++] = trap->vector;
    *at(LAPIC + END) = 0;
    return true;
}

static void let_in(void)
{
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

static u32 ioapic(u32 reg)
{
    *at(IOAPIC) = reg;
    return *at(IOAPIC + 0x10);
}

static void set_ioapic(u32 reg, u32 value)
{
    *at(IOAPIC) = reg;
    *at(IOAPIC + 0x10) = value;
}

static void identity(void)
{
    u32 eax = 1, ebx, ecx = 0, edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    check("CPUID claims a local APIC", edx >> 9 & 1, 1);
    check("its initial ID", ebx >> 24, 0);
    __asm__ volatile("rdmsr" : "=a"(eax), "=d"(edx) : "c"(MSR_APIC_BASE));
    check("IA32_APIC_BASE", eax, 0xfee00900);
    check("version", *at(LAPIC + VERSION) & 0xff00ff, 0x50014);
    check("ID", *at(LAPIC + ID), 0);
    check("virtual wire: enabled", *at(LAPIC + SVR) & 0x100, 0x100);
    check("virtual wire: LINT0 is ExtINT", *at(LAPIC + LVT_LINT0) & 0x10700, 0x700);
    check("virtual wire: LINT1 is NMI", *at(LAPIC + LVT_LINT1) & 0x10700, 0x400);
    check("the I/O APIC has 24 pins", ioapic(1) >> 16 & 0xff, 23);
    check("its pin 16 is masked", ioapic(0x10 + 2 * 16) & MASKED, MASKED);
}

static void priorities(void)
{
    nr_in_order = 0;
    *at(LAPIC + ICR) = SELF | VECTOR_LOW;
    *at(LAPIC + ICR) = SELF | VECTOR_HIGH;
    check("a request shows", *at(LAPIC + IRR + 0x20), 1 << (VECTOR_LOW % 32));
    let_in();
    check("the higher vector comes first", order[0], VECTOR_HIGH);
    check("then the lower", order[1], VECTOR_LOW);
    check("each once", nr_in_order, 2);
    *at(LAPIC + TPR) = 0x40;
    *at(LAPIC + ICR) = SELF | VECTOR_LOW;
    let_in();
    check("the task priority holds back its class", nr_in_order, 2);
    check("processor priority", *at(LAPIC + PPR), 0x40);
    *at(LAPIC + TPR) = 0x30;
    let_in();
    check("and lets it in when it falls", nr_in_order, 3);
    *at(LAPIC + TPR) = 0;
}

static void timer(void)
{
    nr_seen[VECTOR_LOW] = 0;
    *at(LAPIC + DIVIDE) = 3;
    *at(LAPIC + LVT_TIMER) = VECTOR_LOW;
    *at(LAPIC + INITIAL) = 20000;
    __asm__ volatile("sti; hlt; cli" : : : "memory");
    check("one shot: it ends a HLT", nr_seen[VECTOR_LOW], 1);
    check("and stays at zero", *at(LAPIC + CURRENT), 0);
    *at(LAPIC + LVT_TIMER) = PERIODIC | VECTOR_LOW;
    *at(LAPIC + INITIAL) = 20000;
    while (nr_seen[VECTOR_LOW] < 6)
        __asm__ volatile("sti; hlt; cli" : : : "memory");
    u32 count = *at(LAPIC + CURRENT);
    check("periodic: it goes on", count > 0 && count <= 20000, 1);
    *at(LAPIC + LVT_TIMER) = MASKED | VECTOR_LOW;
    *at(LAPIC + INITIAL) = 0;
    let_in();
    nr_seen[VECTOR_LOW] = 0;
    let_in();
    check("stopped", nr_seen[VECTOR_LOW], 0);
}

static void tick_by_pin_2(void)
{
    pic_mask(0xff);
    *at(LAPIC + LVT_LINT0) = MASKED;
    nr_seen[VECTOR_HIGH] = 0;
    set_ioapic(0x11 + 2 * 2, 0);
    set_ioapic(0x10 + 2 * 2, VECTOR_HIGH);
    pit_start(2, 1193);
    while (nr_seen[VECTOR_HIGH] < 3)
        __asm__ volatile("sti; hlt; cli" : : : "memory");
    set_ioapic(0x10 + 2 * 2, MASKED | VECTOR_HIGH);
    let_in();
    nr_seen[VECTOR_HIGH] = 0;
    for (int i = 0; i < 100000; i++)
        let_in();
    check("a masked pin is silent", nr_seen[VECTOR_HIGH], 0);
}

void main(const char *word)
{
    (void)word;
    mend = take;
    pic_init();
    pic_mask(0xff);
    identity();
    priorities();
    timer();
    tick_by_pin_2();
}
