#include "guest.h"

enum { EXIT_GOOD = 0x10, EXIT_BAD = 0x11 }; /* the status is (v << 1) | 1 */

volatile struct seen seen;
volatile u32 resume_at;
bool (*mend)(struct trap *trap);
void (*on_tick)(struct trap *trap);

u8 idt[256 * 8] __attribute__((aligned(PAGE)));
u32 directory[1024] __attribute__((aligned(PAGE)));
static u32 tables[3][1024] __attribute__((aligned(PAGE)));
static unsigned nr_failed;

extern const u8 stubs[256][16];
_Noreturn void leave_user(void);

void say(const char *text)
{
    for (; *text; text++)
        outb(0xe9, (u8)*text);
}

static void say_hex(u32 value)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        outb(0xe9, (u8) "0123456789abcdef"[value >> shift & 15]);
}

void check(const char *what, u32 got, u32 wanted)
{
    say(got == wanted ? "ok   " : "FAIL ");
    say(what);
    if (got != wanted) {
        nr_failed++;
        say(": got ");
        say_hex(got);
        say(", wanted ");
        say_hex(wanted);
    }
    say("\n");
}

_Noreturn void finish(void)
{
    outb(0xf4, nr_failed ? EXIT_BAD : EXIT_GOOD);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void trap(struct trap *trap)
{
    if (trap->vector == VECTOR_IRQ0) {
        outb(0x20, 0x20);
        if (on_tick)
            on_tick(trap);
        return;
    }
    if (mend && mend(trap))
        return;
    bool is_user = trap->cs & 3;
    if (!is_user && !resume_at) {
        say("FAIL unexpected exception ");
        say_hex(trap->vector);
        say(" at ");
        say_hex(trap->eip);
        say(", cr2 ");
        say_hex(read_cr2());
        say("\n");
        nr_failed++;
        finish();
    }
    seen.regs = *trap;
    seen.vector = trap->vector;
    seen.error = trap->error;
    seen.eip = trap->eip;
    seen.cr2 = read_cr2();
    __asm__ volatile("pushfl; popl %0" : "=r"(seen.flags_inside));
    if (is_user)
        leave_user();
    trap->eip = resume_at;
}

void set_gate(unsigned vector, unsigned type_and_dpl)
{
    u32 handler = address(stubs[vector]);
    volatile u32 *gate = at(address(idt + vector * 8));
    gate[0] = 0x00080000 | (handler & 0xffff);
    gate[1] = (handler & 0xffff0000) | type_and_dpl << 8;
}

void load_idt(u32 base, u32 limit)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        u32 base;
    } pointer = {(uint16_t)limit, base};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

void pic_init(void)
{
    static const struct {
        uint16_t port;
        u8 value;
    } writes[] = {
        {0x20, 0x11}, {0x21, VECTOR_IRQ0},     {0x21, 4}, {0x21, 1}, {0x21, 0xff},
        {0xa0, 0x11}, {0xa1, VECTOR_IRQ0 + 8}, {0xa1, 2}, {0xa1, 1}, {0xa1, 0xff},
    };
    for (unsigned i = 0; i < sizeof writes / sizeof *writes; i++)
        outb(writes[i].port, writes[i].value);
}

void pic_mask(u8 mask)
{
    outb(0x21, mask);
}

bool pic_has_request(unsigned irq)
{
    outb(0x20, 0x0a);
    return inb(0x20) >> irq & 1;
}

void pit_start(unsigned mode, unsigned count)
{
    outb(0x43, (u8)(0x30 | mode << 1));
    outb(0x40, (u8)count);
    outb(0x40, (u8)(count >> 8));
}

volatile u32 *pte(u32 linear)
{
    return &tables[linear >> 22][linear >> 12 & 1023];
}

void paging_init(void)
{
    for (unsigned i = 0; i < 3; i++)
        directory[i] = address(tables[i]) | PTE_P | PTE_W | PTE_U;
    for (u32 linear = 0; linear < 8u << 20; linear += PAGE)
        *pte(linear) = linear | PTE_P | PTE_W | PTE_U;
    write_cr3(address(directory));
    write_cr0(read_cr0() | CR0_PG | CR0_WP);
}

/* Multiboot information: flags, two words of memory, boot device, command line. */
void start(const u32 *info)
{
    const char *word = "";
    if (info[0] & 4) {
        const char *text = (const char *)(uintptr_t)info[4];
        for (word = text; *text; text++)
            if (*text == ' ')
                word = text + 1;
    }
    for (unsigned vector = 0; vector < 256; vector++)
        set_gate(vector, vector == VECTOR_SYSCALL || vector == 3 ? 0xee : 0x8e);
    load_idt(address(idt), sizeof idt - 1);
    main(word);
    finish();
}
