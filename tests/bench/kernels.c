/*
 * The loads of ./dev bench, one guest: the last word of its command line is KERNEL or KERNEL=ROUNDS. Each
 * round does the same work on the same data, and the sum that is printed at the end is the same wherever the
 * guest runs. Words go to COM1. It starts and handles exceptions as the small guests of tests/whole do.
 */
#include "tests/whole/guests/guest.h"

enum { COM1 = 0x3f8, PM1A_CONTROL = 0x604, SLEEP_ENABLE = 1 << 13 };
enum { WORDS = 2 << 20, PAGES = 1024, FAULT_BASE = 8 << 20, FAULT_PAGES = 512, SWITCHES = 20000 };

static u32 memory[WORDS] __attribute__((aligned(PAGE)));

/* 115200 baud, 8 bits, no parity (16550 data sheet). */
static void console_init(void)
{
    outb(COM1 + 3, 0x80);
    outb(COM1, 1);
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 3);
}

static void put(const char *text)
{
    for (; *text; text++) {
        while (!(inb(COM1 + 5) & 0x20)) /* the transmitter is not empty yet */
            ;
        outb(COM1, (u8)*text);
    }
}

static void put_number(u32 value, unsigned base)
{
    char digits[12], *at = digits + sizeof digits;
    *--at = 0;
    do
        *--at = "0123456789abcdef"[value % base];
    while (value /= base);
    put(at);
}

static u32 random_state;

static u32 random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static u32 mix(u32 sum, u32 value)
{
    return (sum << 5 | sum >> 27) ^ value;
}

/* A cycle through `nr` places that lie `stride` words apart, in random order (Sattolo's algorithm). */
static void make_ring(u32 nr, u32 stride)
{
    for (u32 i = 0; i < nr; i++)
        memory[i * stride] = i * stride;
    for (u32 i = nr - 1; i > 0; i--) {
        u32 j = random_number() % i, old = memory[i * stride];
        memory[i * stride] = memory[j * stride];
        memory[j * stride] = old;
    }
}

static u32 follow_ring(u32 steps)
{
    static u32 at;
    for (u32 i = 0; i < steps; i++)
        at = memory[at];
    return at;
}

static u32 chase(u32 round)
{
    if (round == 0)
        make_ring(WORDS / 16, 16);
    return follow_ring(1000003);
}

static u32 pages(u32 round)
{
    if (round == 0) {
        paging_init();
        make_ring(PAGES, PAGE / 4 + 16);
    }
    return follow_ring(1000003);
}

static u32 stream(u32 round)
{
    u32 *a = memory, *b = memory + WORDS / 2;
    for (u32 i = 0; i < WORDS / 2; i++)
        b[i] = a[i] + 3 * i + round;
    for (u32 i = 0; i < WORDS / 2; i++)
        a[i] = b[i];
    return a[WORDS / 4];
}

static void sort_words(u32 *first, u32 *last)
{
    while (first < last) {
        u32 pivot = first[(last - first) / 2], *low = first, *high = last;
        while (low <= high) {
            while (*low < pivot)
                low++;
            while (*high > pivot)
                high--;
            if (low > high)
                break;
            u32 value = *low;
            *low++ = *high;
            *high-- = value;
        }
        sort_words(first, high);
        first = low;
    }
}

static u32 sort(u32 round)
{
    enum { NR = 1 << 16 };
    u32 sum = round;
    for (u32 i = 0; i < NR; i++)
        memory[i] = random_number();
    sort_words(memory, memory + NR - 1);
    for (u32 i = 0; i < NR; i += 64)
        sum = mix(sum, memory[i]);
    return sum;
}

static u32 hash(u32 round)
{
    enum { SLOTS = 1 << 17, KEYS = 1 << 16 };
    u32 found = round;
    for (u32 i = 0; i < SLOTS; i++)
        memory[i] = 0;
    for (u32 i = 0; i < KEYS; i++) {
        u32 key = random_number() | 1, slot = key * 2654435761u >> 15;
        while (memory[slot] && memory[slot] != key)
            slot = (slot + 1) % SLOTS;
        memory[slot] = key;
    }
    for (u32 i = 0; i < 2 * KEYS; i++) {
        u32 key = i * 2 + 1, slot = key * 2654435761u >> 15;
        while (memory[slot] && memory[slot] != key)
            slot = (slot + 1) % SLOTS;
        found += memory[slot] == key;
    }
    return found;
}

static u32 sieve(u32 round)
{
    enum { NR = 1 << 20 };
    u8 *composite = (u8 *)memory;
    u32 primes = round;
    for (u32 i = 0; i < NR; i++)
        composite[i] = 0;
    for (u32 i = 2; i < NR; i++) {
        if (composite[i])
            continue;
        primes++;
        for (u32 j = 2 * i; j < NR; j += i)
            composite[j] = 1;
    }
    return primes;
}

static u32 crc(u32 round)
{
    static u32 table[256];
    const u8 *bytes = (const u8 *)memory;
    u32 value = ~round;
    for (u32 i = 0; i < 256; i++) {
        table[i] = i;
        for (unsigned bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
    }
    for (u32 i = 0; i < 1 << 20; i++)
        value = table[(value ^ bytes[i]) & 255] ^ value >> 8;
    return ~value;
}

static u32 matmul(u32 round)
{
    enum { N = 96 };
    u32 *a = memory, *b = a + N * N, *c = b + N * N, sum = round;
    for (u32 i = 0; i < N * N; i++) {
        a[i] = random_number() >> 16;
        b[i] = random_number() >> 16;
    }
    for (u32 i = 0; i < N; i++)
        for (u32 j = 0; j < N; j++) {
            u32 dot = 0;
            for (u32 k = 0; k < N; k++)
                dot += a[i * N + k] * b[k * N + j];
            c[i * N + j] = dot;
        }
    for (u32 i = 0; i < N * N; i++)
        sum = mix(sum, c[i]);
    return sum;
}

static u32 branches(u32 round)
{
    u32 sum = round;
    for (u32 i = 0; i < 1 << 20; i++) {
        u32 value = random_number();
        if (value & 1)
            sum += value;
        else
            sum ^= i;
        if (i % 7 == 3)
            sum++;
    }
    return sum;
}

static u32 strings(u32 round)
{
    enum { BYTES = 1 << 20 };
    u8 *from = (u8 *)memory, *to = from + BYTES;
    u32 sum = round;
    for (u32 i = 0; i < BYTES / 4; i++)
        memory[i] = random_number();
    for (u32 length = 1; length < 4096; length = length * 2 + 1) {
        for (u32 i = 0; i < 64; i++) {
            void *si = from + i, *di = to + i * 3;
            u32 count = length;
            __asm__ volatile("rep movsb" : "+S"(si), "+D"(di), "+c"(count) : : "memory");
            count = length;
            __asm__ volatile("std; repne scasb; cld" : "+D"(di), "+c"(count) : "a"(0xff) : "memory", "cc");
            sum = mix(sum, count);
        }
    }
    void *di = to;
    u32 count = BYTES / 4;
    __asm__ volatile("rep stosl" : "+D"(di), "+c"(count) : "a"(sum) : "memory");
    return sum;
}

/* Each page of a range is touched, faults, is mapped by the handler, and unmapped again. */
static bool map_touched(struct trap *trap)
{
    (void)trap;
    u32 linear = read_cr2() & ~(u32)(PAGE - 1);
    *pte(linear) = address(memory) | PTE_P | PTE_W;
    return true;
}

static u32 faults(u32 round)
{
    u32 sum = round;
    if (round == 0)
        paging_init();
    mend = map_touched;
    for (u32 i = 0; i < FAULT_PAGES; i++) {
        u32 linear = FAULT_BASE + i * PAGE;
        sum = mix(sum, ++*at(linear));
        *pte(linear) = 0;
        invlpg(linear);
    }
    return sum;
}

/*
 * Two threads on stacks of their own that hand over to each other, with a load of CR3 as between processes.
 */
static u32 thread_stack[1024], *volatile stack_pointer[2];
static volatile u32 handed_over;

__attribute__((noipa, naked)) static void hand_over(u32 *volatile *save __attribute__((unused)),
                                                    u32 *load __attribute__((unused)))
{
    __asm__("movl 4(%esp), %eax\n\t"
            "movl 8(%esp), %edx\n\t"
            "pushl %ebx; pushl %esi; pushl %edi; pushl %ebp\n\t"
            "movl %esp, (%eax)\n\t"
            "movl %cr3, %ecx\n\t"
            "movl %ecx, %cr3\n\t"
            "movl %edx, %esp\n\t"
            "popl %ebp; popl %edi; popl %esi; popl %ebx\n\t"
            "ret");
}

static void other_thread(void)
{
    for (;;) {
        handed_over = handed_over * 5 + 2;
        hand_over(&stack_pointer[1], stack_pointer[0]);
    }
}

static u32 switches(u32 round)
{
    if (round == 0) {
        paging_init();
        u32 *top = thread_stack + sizeof thread_stack / sizeof *thread_stack - 8;
        top[4] = address((void *)other_thread);
        stack_pointer[1] = top;
    }
    for (u32 i = 0; i < SWITCHES; i++) {
        hand_over(&stack_pointer[0], stack_pointer[1]);
        handed_over ^= i;
    }
    return handed_over;
}

static const struct kernel {
    const char *name;
    u32 (*run)(u32 round);
} kernels[] = {
    {"chase", chase},       {"pages", pages},     {"stream", stream}, {"sort", sort},
    {"hash", hash},         {"sieve", sieve},     {"crc", crc},       {"matmul", matmul},
    {"branches", branches}, {"strings", strings}, {"faults", faults}, {"switches", switches},
};

/* Whether `word` is `name`, or `name` and "=", behind which a number stands. */
static bool is_named(const char *word, const char *name, u32 *rounds)
{
    for (; *name; name++, word++)
        if (*word != *name)
            return false;
    *rounds = *word == '=' ? 0 : 1;
    if (*word == '=')
        for (word++; *word >= '0' && *word <= '9'; word++)
            *rounds = *rounds * 10 + (u32)(*word - '0');
    return *word == 0;
}

void main(const char *word)
{
    u32 rounds = 0, sum = 0;
    console_init();
    const struct kernel *kernel = kernels;
    while (kernel < kernels + sizeof kernels / sizeof *kernels && !is_named(word, kernel->name, &rounds))
        kernel++;
    if (kernel == kernels + sizeof kernels / sizeof *kernels) {
        put("no such kernel: ");
        put(word);
    } else {
        random_state = 2463534242u;
        for (u32 round = 0; round < rounds; round++)
            sum = mix(sum, kernel->run(round));
        put(kernel->name);
        put(" ");
        put_number(rounds, 10);
        put(" rounds: ");
        put_number(sum, 16);
    }
    put("\nPower down.\n");
    __asm__ volatile("outw %0, %1" : : "a"((uint16_t)SLEEP_ENABLE), "Nd"((uint16_t)PM1A_CONTROL));
}
