/* V1, V2. Memory that is contiguous by its addresses only, what it costs, and how much each way gives. */
#include "vmalloc.h"
#include "asm/irqflags.h"
#include "asm/pgtable.h"
#include "lab.h"
#include "mm.h"
#include "slab.h"

#define PIECE_BYTES KMALLOC_MAX_SIZE
#define PIECE_PAGES (PIECE_BYTES / PAGE_SIZE)
#define NR_ROUNDS 8

/* One load a page, over and over: what counts is the translation. */
static u32 read_pages(const volatile char *start)
{
    u32 sum = 0;
    for (u32 round = 0; round < NR_ROUNDS; round++)
        for (u32 page = 0; page < PIECE_PAGES; page++)
            sum += (u8)start[page * PAGE_SIZE + page * 64 % PAGE_SIZE];
    return sum;
}

static void check_frames(const char *area)
{
    u32 nr_highmem = 0, nr_joints = 0;
    for (u32 i = 0; i < PIECE_PAGES; i++) {
        struct page *page = vmalloc_to_page(area + i * PAGE_SIZE);
        nr_highmem += PageHighMem(page);
        if (i > 0)
            nr_joints += page_to_pfn(page) != page_to_pfn(vmalloc_to_page(area + (i - 1) * PAGE_SIZE)) + 1;
    }
    lab_check(nr_joints > 0, "%u of %lu pages do not lie behind the one before", nr_joints, PIECE_PAGES);
    if (contig_page_data.node_zones[ZONE_HIGHMEM].present_pages)
        lab_check(nr_highmem == PIECE_PAGES, "all of them are highmem: the kernel can spare those");
}

static void check_areas(const char *first)
{
    const char *second = vmalloc(PAGE_SIZE);
    const struct vm_struct *area = find_vm_area((unsigned long)first);
    lab_check(area && area->size == PIECE_BYTES + PAGE_SIZE, "the area has a page more than was asked for");
    lab_check(!pte_present(*kernel_pte((unsigned long)first + PIECE_BYTES)),
              "it is not mapped: who runs over the end finds out");
    lab_check((unsigned long)second >= area->addr + area->size, "the next area lies behind it");
    lab_show(vmallocinfo_show);
    vfree(second);
}

struct cost {
    struct lab_region make, read, free;
};

static void measure(struct cost *cost, bool is_virtual, const char *const names[3])
{
    unsigned long flags = local_irq_save();
    lab_region_begin(&cost->make, names[0]);
    char *piece = is_virtual ? vmalloc(PIECE_BYTES) : kmalloc(PIECE_BYTES, GFP_KERNEL);
    lab_region_end(&cost->make);
    lab_region_begin(&cost->read, names[1]);
    read_pages(piece);
    lab_region_end(&cost->read);
    lab_region_begin(&cost->free, names[2]);
    if (is_virtual)
        vfree(piece);
    else
        kfree(piece);
    lab_region_end(&cost->free);
    local_irq_restore(flags);
}

static void compare_costs(void)
{
    static const char *const kmalloc_names[] = {"kmalloc", "reading kmalloc's", "kfree"};
    static const char *const vmalloc_names[] = {"vmalloc", "reading vmalloc's", "vfree"};
    struct cost linear, virtual;
    measure(&linear, false, kmalloc_names);
    measure(&virtual, true, vmalloc_names);
    if (lab_counts_cycles()) {
        lab_figure("kmalloc of 128 KiB", linear.make.counts.cycles, 1, "cycles");
        lab_figure("vmalloc of 128 KiB", virtual.make.counts.cycles, 1, "cycles");
        lab_figure("vfree", virtual.free.counts.cycles, 1, "cycles");
        lab_check(virtual.make.counts.cycles > linear.make.counts.cycles,
                  "vmalloc takes longer than kmalloc");
    }
    if (lab_has_counters()) {
        lab_figure("page walks, reading kmalloc's", linear.read.counts.walks, 1, "walks");
        lab_figure("page walks, reading vmalloc's", virtual.read.counts.walks, 1, "walks");
        lab_check(virtual.read.counts.walks >= PIECE_PAGES && linear.read.counts.walks < PIECE_PAGES / 4,
                  "each of its pages needs a translation; the direct mapping has large ones");
    }
}

/* A page between two others makes the buddy system's next pages lie apart. */
static char *scattered_vmalloc(struct page **odd_one)
{
    struct page *pages[3];
    for (u32 i = 0; i < ARRAY_SIZE(pages); i++)
        pages[i] = alloc_page(GFP_HIGHUSER);
    __free_page(pages[0]);
    __free_page(pages[2]);
    *odd_one = pages[1];
    return vmalloc(PIECE_BYTES);
}

static void vmalloc_lab(void)
{
    struct page *odd_one;
    char *area = scattered_vmalloc(&odd_one);
    lab_say("vmalloc(%lu) gave %08lx", PIECE_BYTES, (unsigned long)area);
    check_frames(area);
    check_areas(area);
    vfree(area);
    __free_page(odd_one);
    compare_costs();
}
LAB("vmalloc", vmalloc_lab);

/* An area goes to the first hole that it fits into, so the largest is the one behind them all. */
static unsigned long largest_hole(void)
{
    unsigned long end = VMALLOC_START;
    for (const struct vm_struct *area = first_vm_area(); area; area = next_vm_area(area))
        end = area->addr + area->size;
    return VMALLOC_END - end;
}

static void check_region(void)
{
    unsigned long hole = largest_hole();
    lab_figure("free in the vmalloc region", hole >> 20, 1, "MiB");
    lab_check(get_vm_area(hole, PAGE_SIZE, VM_MAP, 0) == NULL,
              "not all of it can be had: a guard page must fit");
    struct vm_struct *whole = get_vm_area(hole - PAGE_SIZE, PAGE_SIZE, VM_MAP, 0);
    lab_check(whole != NULL, "an area that is a page smaller can");
    lab_check(get_vm_area(4 * PAGE_SIZE, PAGE_SIZE, VM_MAP, 0) == NULL,
              "and then there is no room for 16 KiB more");
    if (whole)
        free_vm_area(whole);
}

static void limits(void)
{
    void *piece = kmalloc(KMALLOC_MAX_SIZE, GFP_KERNEL);
    lab_check(piece && kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL) == NULL,
              "kmalloc: 128 KiB, and not a byte more");
    kfree(piece);
    unsigned long block = __get_free_pages(GFP_KERNEL, MAX_ORDER - 1);
    lab_check(block && __get_free_pages(GFP_KERNEL | __GFP_NOWARN, MAX_ORDER) == 0,
              "__get_free_pages: 4 MiB, and no more");
    free_pages(block, MAX_ORDER - 1);
    void *large = vmalloc(8ul << 20);
    lab_check(large != NULL, "vmalloc: 8 MiB");
    vfree(large);
    check_region();
}
LAB("limits", limits);
