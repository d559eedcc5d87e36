/*
 * Many processes at once that map, unmap, move, protect, throw away, write and fork at random, each
 * against a model of what its memory must hold. stress.processes=N, stress.steps=N, stress.seed=N.
 */
#include "lab.h"
#include "mman.h"
#include "ulib.h"

#define PAGE_BYTES 4096u
#define READ_WRITE (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define WINDOW ((u8 *)0x30000000)
#define WINDOW_PAGES 96u
#define MOST_PAGES 8u /* that a call is about */
#define HEAP_PAGES 32u
#define MOST_CHILDREN 2u
#define STEPS_PER_FORK 50u
#define WNOHANG 1

#define DEFAULT_PROCESSES 4u
#define DEFAULT_STEPS 400u

struct page_model {
    bool is_mapped;
    u32 prot, value;
};
static struct page_model model[WINDOW_PAGES];
static u32 heap_values[HEAP_PAGES], nr_heap_pages, heap_start;
static u32 random_state, nr_children, nr_wrong, depth;

static u32 random_below(u32 limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (u32)(((u64)random_state * limit) >> 32);
}

static u8 *address_of(u32 page)
{
    return WINDOW + page * PAGE_BYTES;
}

static volatile u32 *word_of(u32 page)
{
    return (volatile u32 *)(void *)(address_of(page) + page * 4);
}

static void expect(bool holds)
{
    nr_wrong += !holds;
}

static u32 random_prot(void)
{
    static const u32 prots[] = {PROT_READ, READ_WRITE, READ_WRITE, 0};
    return prots[random_below(ARRAY_SIZE(prots))];
}

static void set_model(u32 first, u32 count, struct page_model like)
{
    for (u32 i = first; i < first + count; i++)
        model[i] = like;
}

static void map(u32 first, u32 count, u32 prot)
{
    expect(mmap(address_of(first), count * PAGE_BYTES, (int)prot, ANON | MAP_FIXED) == address_of(first));
    set_model(first, count, (struct page_model){.is_mapped = true, .prot = prot});
}

static void unmap(u32 first, u32 count)
{
    expect(munmap(address_of(first), count * PAGE_BYTES) == 0);
    set_model(first, count, (struct page_model){0});
}

/* A call that stops at the first hole: the pages up to it, at least. */
static u32 mapped_run(u32 first, u32 count)
{
    u32 nr = 0;
    while (nr < count && model[first + nr].is_mapped)
        nr++;
    return nr;
}

static void protect(u32 first, u32 count, u32 prot)
{
    u32 nr = mapped_run(first, count);
    expect((mprotect(address_of(first), count * PAGE_BYTES, (int)prot) == 0) == (nr == count));
    for (u32 i = first; i < first + nr; i++)
        model[i].prot = prot;
}

static void throw_away(u32 first, u32 count)
{
    u32 nr = mapped_run(first, count);
    if (nr == 0)
        return;
    expect(madvise(address_of(first), nr * PAGE_BYTES, MADV_DONTNEED) == 0);
    for (u32 i = first; i < first + nr; i++)
        model[i].value = 0;
}

static void fill(u32 first, u32 count)
{
    for (u32 i = first; i < first + count; i++)
        if (model[i].is_mapped && (model[i].prot & PROT_WRITE))
            *word_of(i) = model[i].value = random_below(1u << 31);
}

/* A new area with pages, moved to where it does not overlap itself. */
static void move(u32 first, u32 count)
{
    u32 to = random_below(WINDOW_PAGES - count + 1);
    if (to + count > first && first + count > to)
        return;
    map(first, count, READ_WRITE);
    u32 value = random_below(1u << 31);
    for (u32 i = 0; i < count; i++)
        ((volatile u32 *)(void *)address_of(first + i))[to + i] = model[first + i].value = value + i;
    expect(mremap_to(address_of(first), count * PAGE_BYTES, address_of(to)) == address_of(to));
    for (u32 i = 0; i < count; i++)
        model[to + i] = model[first + i];
    set_model(first, count, (struct page_model){0});
}

static volatile u32 *heap_word(u32 page)
{
    return (volatile u32 *)(uintptr_t)(heap_start + page * PAGE_BYTES);
}

static void change_heap(void)
{
    u32 wanted = random_below(HEAP_PAGES + 1);
    long pages = (long)wanted - (long)nr_heap_pages;
    expect(sbrk(pages * (long)PAGE_BYTES) != (void *)-1);
    for (u32 i = nr_heap_pages; i < wanted; i++) {
        expect(*heap_word(i) == 0);
        *heap_word(i) = heap_values[i] = random_below(1u << 31);
    }
    nr_heap_pages = wanted;
}

static void random_step(void)
{
    u32 first = random_below(WINDOW_PAGES), count = 1 + random_below(min(MOST_PAGES, WINDOW_PAGES - first));
    switch (random_below(12)) {
    case 0:
        unmap(first, count);
        break;
    case 1:
    case 2:
        map(first, count, random_prot());
        break;
    case 3:
    case 4:
        protect(first, count, random_prot());
        break;
    case 5:
        throw_away(first, count);
        break;
    case 6:
        move(first, count);
        break;
    case 7:
        change_heap();
        break;
    default:
        fill(first, count);
    }
}

/* All of it, also what may not be read at the moment. */
static void compare(void)
{
    for (u32 i = 0; i < WINDOW_PAGES; i++) {
        if (!model[i].is_mapped)
            continue;
        if (model[i].prot == 0)
            expect(mprotect(address_of(i), PAGE_BYTES, PROT_READ) == 0);
        expect(*word_of(i) == model[i].value);
        if (model[i].prot == 0)
            expect(mprotect(address_of(i), PAGE_BYTES, 0) == 0);
    }
    for (u32 i = 0; i < nr_heap_pages; i++)
        expect(*heap_word(i) == heap_values[i]);
}

static void reap(int options)
{
    int status;
    while (nr_children > 0 && waitpid(-1, &status, options) > 0) {
        nr_children--;
        expect(status == 0);
    }
}

static __noreturn void work(u32 seed, u32 nr_steps);

/* The child compares what it has inherited, and goes its own way. */
static void start_child(u32 nr_steps)
{
    int pid = fork();
    if (pid == 0) {
        depth++;
        nr_children = 0;
        compare();
        work(random_state ^ (u32)getpid() << 8, nr_steps);
    }
    expect(pid > 0);
    nr_children += pid > 0;
}

static __noreturn void work(u32 seed, u32 nr_steps)
{
    random_state = seed;
    for (u32 step = 1; step <= nr_steps; step++) {
        random_step();
        if (step % STEPS_PER_FORK)
            continue;
        compare();
        reap(WNOHANG);
        if (depth < 2 && nr_children < MOST_CHILDREN)
            start_child(nr_steps / 4);
    }
    compare();
    reap(0);
    exit(nr_wrong ? 1 : 0);
}

int main(int argc, char **argv, char **envp);

int main(int argc, char **argv, char **envp)
{
    (void)argc;
    (void)argv;
    u32 nr_processes = getenv_u32(envp, "stress.processes", DEFAULT_PROCESSES);
    u32 nr_steps = getenv_u32(envp, "stress.steps", DEFAULT_STEPS), seed = getenv_u32(envp, "stress.seed", 1);
    u32 nr_good = 0;
    /* From a page boundary on, so that what is given back is pages. */
    heap_start = (u32)(uintptr_t)sbrk(0);
    sbrk((long)(-heap_start % PAGE_BYTES));
    heap_start += -heap_start % PAGE_BYTES;
    lab_say("%u processes take %u random steps each, and so do their children", nr_processes, nr_steps);
    for (u32 i = 0; i < nr_processes; i++) {
        int pid = fork();
        if (pid == 0)
            work(seed + i * 7919, nr_steps);
        nr_children += pid > 0;
    }
    u32 nr_started = nr_children;
    int status;
    while (nr_children > 0 && waitpid(-1, &status, 0) > 0) {
        nr_children--;
        nr_good += status == 0;
    }
    lab_check(nr_started == nr_processes && nr_good == nr_started,
              "in %u processes and their children, every page held what it should", nr_good);
    return (int)lab_status();
}
