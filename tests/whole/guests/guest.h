/*
 * What the small guests of tests/whole share. A guest checks the machine it runs on and ends with port
 * F4h, which QEMU has too (isa-debug-exit): status 33 when every check held, 35 otherwise.
 * Its words go to port E9h.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t u32;
typedef uint8_t u8;

enum { PAGE = 4096, LARGE_PAGE = 4 << 20 };
enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 0x20, PTE_D = 0x40, PTE_PS = 0x80, PTE_G = 0x100 };
enum { CR0_WP = 1 << 16, CR0_PG = 1 << 31, CR4_PSE = 1 << 4, CR4_PGE = 1 << 7 };
enum { FLAGS_IF = 1 << 9 };
enum { VECTOR_IRQ0 = 0x20, VECTOR_SYSCALL = 0x80 };

struct trap {
    u32 edi, esi, ebp, unused_esp, ebx, edx, ecx, eax;
    u32 vector, error, eip, cs, eflags, user_esp, user_ss;
};

/* The last exception that was expected (TRY, enter_user); vector is NONE while there was none. */
enum { NONE = 256 };
struct seen {
    struct trap regs;
    u32 vector, error, eip, cr2;
    u32 flags_inside; /* EFLAGS in the handler */
};
extern volatile struct seen seen;

extern volatile u32 resume_at;

/* Runs assembly that may fault; a fault is recorded in `seen`, and execution goes on after it. */
#define TRY(code, ...)                                                                                       \
    do {                                                                                                     \
        seen.vector = NONE;                                                                                  \
        __asm__ volatile("movl $9f, resume_at\n\t" code "\n9:\tmovl $0, resume_at" __VA_ARGS__);             \
    } while (0)

/* Called for each exception first; true: it mended the cause, and the instruction is to be tried again. */
extern bool (*mend)(struct trap *trap);
/* Called for each IRQ 0, after its end was told to the PIC. */
extern void (*on_tick)(struct trap *trap);

void main(const char *word); /* the guest: `word` is the last of its command line */

void check(const char *what, u32 got, u32 wanted);
void say(const char *text);
_Noreturn void finish(void);

void enter_user(u32 eip, u32 esp);

void set_gate(unsigned vector, unsigned type_and_dpl);
void load_idt(u32 base, u32 limit);
extern u8 idt[256 * 8];

/* PICs at 20h and 28h, all lines closed. */
void pic_init(void);
void pic_mask(u8 mask);
bool pic_has_request(unsigned irq);
/* Channel 0: mode 2 (again and again) or 0 (once), after so many of its clocks. */
void pit_start(unsigned mode, unsigned count);

/* 0-8 MiB mapped one to one by 4 KiB pages, of ring 3 too; *pte(a) for a below 12 MiB. Turns paging on. */
void paging_init(void);
extern u32 directory[1024];
volatile u32 *pte(u32 linear);

static inline void outb(uint16_t port, u8 value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 inb(uint16_t port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void outl(uint16_t port, u32 value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline u32 inl(uint16_t port)
{
    u32 value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/* lookaside's markers (docs/markers.md): an operand each in EAX and EDX. */
#define MARKER(number, a, d)                                                                                 \
    __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0; .long 0x4c410000 + %c0"                                     \
                     :                                                                                       \
                     : "i"(number), "a"(a), "d"(d)                                                           \
                     : "memory")
enum {
    MARKER_ROI_BEGIN = 1,
    MARKER_ROI_END = 2,
    MARKER_MARK = 3,
    MARKER_RESET_STATS = 4,
    MARKER_DUMP_STATS = 5,
    MARKER_CHECKPOINT = 6,
    MARKER_EXIT = 7,
    MARKER_PANIC = 8,
    MARKER_LOG = 9
};

static inline void invlpg(u32 linear)
{
    __asm__ volatile("invlpg (%0)" : : "r"(linear) : "memory");
}

#define CONTROL_REGISTER(n)                                                                                  \
    static inline u32 read_cr##n(void)                                                                       \
    {                                                                                                        \
        u32 value;                                                                                           \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(value));                                                \
        return value;                                                                                        \
    }                                                                                                        \
    static inline void write_cr##n(u32 value)                                                                \
    {                                                                                                        \
        __asm__ volatile("mov %0, %%cr" #n : : "r"(value) : "memory");                                       \
    }
CONTROL_REGISTER(0)
CONTROL_REGISTER(2)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)

static inline volatile u32 *at(u32 linear)
{
    return (volatile u32 *)(uintptr_t)linear;
}

static inline u32 address(const volatile void *p)
{
    return (u32)(uintptr_t)p;
}

#endif
