/* The rest of the guest, as far as guest/mm wants it (host_mm.h). */
#include "host_mm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bug.h"
#include "cma.h"
#include "delayacct.h"
#include "highmem.h"
#include "kallsyms.h"
#include "memblock.h"
#include "memcontrol.h"
#include "params.h"
#include "printk.h"
#include "task_pid.h"
#include "vmscan.h"

char *host_ram;
struct boot_params boot_params;

static char console[16384];

void printk(const char *fmt, ...)
{
    size_t used = strlen(console);
    va_list args;
    va_start(args, fmt);
    if (fmt[0] == KERN_SOH[0])
        fmt += 2;
    vsnprintf(console + used, sizeof(console) - used, fmt, args);
    va_end(args);
}

const char *console_text(void)
{
    return console;
}

void clear_console(void)
{
    console[0] = '\0';
}

void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

/* No groups: everything is charged to nobody. */
struct mem_cgroup *mem_cgroups[NR_MEM_CGROUPS];

int mem_cgroup_charge(struct page *page, gfp_t gfp)
{
    (void)page;
    (void)gfp;
    return 0;
}

void mem_cgroup_uncharge(struct page *page)
{
    (void)page;
    panic("a page is charged");
}

void mem_cgroup_migrate(struct page *from, struct page *to)
{
    (void)from;
    (void)to;
}

void mem_cgroup_get(struct mem_cgroup *memcg)
{
    (void)memcg;
}

void mem_cgroup_put(struct mem_cgroup *memcg)
{
    (void)memcg;
}

struct lruvec *mem_cgroup_next_lruvec(struct zone *zone, const struct mem_cgroup *memcg, u32 *cursor)
{
    (void)memcg;
    return (*cursor)++ == 0 ? &zone->lruvec : NULL;
}

/* Nobody waits here. */
void delayacct_start(enum delay_kind kind)
{
    (void)kind;
}

void delayacct_end(enum delay_kind kind)
{
    (void)kind;
}

/* There is one task, and no kswapd. */
bool memory_is_short;

bool current_is_kswapd(void)
{
    return false;
}

bool current_may_have_reserves(void)
{
    return false;
}

bool begin_reclaim(void)
{
    return true;
}

void end_reclaim(unsigned long nr_freed)
{
    (void)nr_freed;
}

void wait_for_kswapd(void)
{
}

void wakeup_kswapd(const struct zone *zone, unsigned int order)
{
    (void)zone;
    (void)order;
}

void clear_highpage(struct page *page)
{
    memset(page_address(page), 0, PAGE_SIZE);
}

void copy_highpage(struct page *to, struct page *from)
{
    memcpy(page_address(to), page_address(from), PAGE_SIZE);
}

void *kmap(struct page *page)
{
    return page_address(page);
}

void kunmap(struct page *page)
{
    (void)page;
}

void *kmap_atomic(struct page *page)
{
    return page_address(page);
}

void kunmap_atomic(void *address)
{
    (void)address;
}

u32 current_pid(void)
{
    return 7;
}

void sprint_symbol(char *buf, size_t size, unsigned long address)
{
    snprintf(buf, size, "0x%lx", address);
}

static u32 random_state = 1;

u32 random_below(u32 limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (u32)(((u64)random_state * limit) >> 32);
}

void start_memory(void)
{
    host_ram = aligned_alloc(PAGE_SIZE << (MAX_ORDER - 1), RAM_PAGES << PAGE_SHIFT);
    if (host_ram == NULL)
        panic("no memory");
    memset(host_ram, 0xA5, RAM_PAGES << PAGE_SHIFT);
    memblock_add(0, 0x9FC00);
    memblock_add(0x100000, (RAM_PAGES << PAGE_SHIFT) - 0x100000);
    memblock_reserve(0, PAGE_SIZE);
    memblock_reserve(0x100000, 0x23456);
    memblock_set_current_limit(LOW_PAGES << PAGE_SHIFT);
    max_pfn = RAM_PAGES;
    max_low_pfn = LOW_PAGES;
    cma_reserve();
    free_area_init();
    mem_init();
}
