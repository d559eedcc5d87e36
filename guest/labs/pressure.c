/*
 * Memory is short (user/squeeze.c), and the kernel goes on asking for what is hard to get then: blocks of the
 * CMA region, which processes' pages must leave, and pages of its own that the DMA engine copies while
 * everybody else runs. What either of them got holds what was written to it.
 */
#include "asm/switch_to.h"
#include "binfmts.h"
#include "cma.h"
#include "dmaengine.h"
#include "fdtable.h"
#include "fs_struct.h"
#include "highmem.h"
#include "kthread.h"
#include "lab.h"
#include "params.h"
#include "sched.h"

#define PAGE_WORDS (PAGE_SIZE / 4)
#define MOST_CMA_PAGES 256ul
#define NR_DMA_PAGES 4u
/* Requests, before others have their turn: a block takes long to find where everything is in use. */
#define BLOCKS_AT_ONCE 2u
#define COPIES_AT_ONCE 16u

struct asker {
    struct task_struct *thread;
    u32 random_state;
    u32 nr_done, nr_refused, nr_wrong, nr_errors;
};

static u32 random_below(struct asker *asker, u32 limit)
{
    asker->random_state = asker->random_state * 1664525u + 1013904223u;
    return (u32)(((u64)asker->random_state * limit) >> 32);
}

static void fill_page(struct page *page, u32 seed)
{
    u32 *words = kmap_atomic(page);
    for (u32 i = 0; i < PAGE_WORDS; i++)
        words[i] = seed += 0x9E3779B9u;
    kunmap_atomic(words);
}

static bool holds(struct page *page, u32 seed)
{
    u32 wrong = 0, *words = kmap_atomic(page);
    for (u32 i = 0; i < PAGE_WORDS; i++)
        wrong |= words[i] ^ (seed += 0x9E3779B9u);
    kunmap_atomic(words);
    return wrong == 0;
}

/* ---- The contiguous area ---- */

static void ask_for_block(struct asker *asker, bool keeps_it)
{
    unsigned long nr_pages = 1 + random_below(asker, (u32)min(cma_total_pages() / 2, MOST_CMA_PAGES));
    struct page *block = cma_alloc(nr_pages, 0);
    if (block == NULL) {
        asker->nr_refused++;
        return;
    }
    u32 seed = random_below(asker, 1u << 31);
    for (unsigned long i = 0; i < nr_pages; i++)
        fill_page(block + i, seed + (u32)i);
    if (keeps_it)
        schedule_timeout_uninterruptible((long)(1 + random_below(asker, 3)));
    for (unsigned long i = 0; i < nr_pages; i++)
        asker->nr_wrong += !holds(block + i, seed + (u32)i);
    asker->nr_errors += !cma_release(block, nr_pages);
    asker->nr_done++;
}

static int cma_asker(void *arg)
{
    struct asker *asker = arg;
    while (!kthread_should_stop()) {
        for (u32 i = 0; i < BLOCKS_AT_ONCE && cma_total_pages(); i++)
            ask_for_block(asker, i + 1 == BLOCKS_AT_ONCE);
        schedule_timeout_uninterruptible((long)(1 + random_below(asker, 4)));
    }
    return 0;
}

/* ---- The DMA engine ---- */

static u32 take_pages(struct scatterlist sg[], u32 nr)
{
    u32 got = 0;
    for (; got < nr; got++) {
        struct page *page = alloc_page(GFP_KERNEL | __GFP_HIGHMEM | __GFP_NOWARN);
        if (page == NULL)
            break;
        sg[got] = (struct scatterlist){.page = page, .length = PAGE_SIZE};
    }
    return got;
}

static void give_back(const struct scatterlist sg[], u32 nr)
{
    for (u32 i = 0; i < nr; i++)
        __free_page(sg[i].page);
}

/* What a device does takes its time, and the pages stay where they are for as long. */
static void copy_by_engine(struct asker *asker, struct dma_chan *chan, struct scatterlist from[],
                           struct scatterlist to[])
{
    struct device *engine = dma_engine_device();
    u32 seed = random_below(asker, 1u << 31), bytes = NR_DMA_PAGES * PAGE_SIZE;
    for (u32 i = 0; i < NR_DMA_PAGES; i++)
        fill_page(from[i].page, seed + i);
    const struct dma_request request = {
        .operation = DMA_OP_COPY,
        .bytes = bytes,
        .source = {.sg = from, .nents = dma_map_sg(engine, from, NR_DMA_PAGES, DMA_TO_DEVICE)},
        .destination = {.sg = to, .nents = dma_map_sg(engine, to, NR_DMA_PAGES, DMA_FROM_DEVICE)}};
    if (request.source.nents && request.destination.nents)
        asker->nr_errors += dma_run(chan, &request, NULL) != 0;
    if (request.destination.nents)
        dma_unmap_sg(engine, to, NR_DMA_PAGES, DMA_FROM_DEVICE);
    if (request.source.nents)
        dma_unmap_sg(engine, from, NR_DMA_PAGES, DMA_TO_DEVICE);
    if (!request.source.nents || !request.destination.nents) {
        asker->nr_refused++;
        return;
    }
    for (u32 i = 0; i < NR_DMA_PAGES; i++)
        asker->nr_wrong += !holds(to[i].page, seed + i) || !holds(from[i].page, seed + i);
    asker->nr_done++;
}

static int dma_asker(void *arg)
{
    struct asker *asker = arg;
    struct dma_chan *chan = dma_engine_device() ? dma_request_channel() : NULL;
    for (u32 turn = 1; !kthread_should_stop(); turn++) {
        struct scatterlist from[NR_DMA_PAGES], to[NR_DMA_PAGES];
        u32 nr_from = chan ? take_pages(from, NR_DMA_PAGES) : 0,
            nr_to = chan ? take_pages(to, NR_DMA_PAGES) : 0;
        if (nr_from == NR_DMA_PAGES && nr_to == NR_DMA_PAGES)
            copy_by_engine(asker, chan, from, to);
        else
            asker->nr_refused += chan != NULL;
        give_back(from, nr_from);
        give_back(to, nr_to);
        if (turn % COPIES_AT_ONCE == 0)
            schedule_timeout_uninterruptible(1);
    }
    if (chan)
        dma_release_channel(chan);
    return 0;
}

/* ---- The lab ---- */

static int squeeze(void *unused)
{
    static const char *const argv[] = {"squeeze", NULL};
    (void)unused;
    int error = do_execve(argv[0], argv, boot_params.envp);
    if (error)
        do_exit(1 << 8);
    return 0;
}

static int run_squeeze(void)
{
    int exit_code = -1;
    struct task_struct *task = kernel_thread(squeeze, NULL, "squeeze");
    /* The kernel's threads have no files and no root; a program is found by its path. */
    if (task && copy_files(0, task) == 0 && copy_fs(0, task) == 0)
        kernel_wait(task->pid, &exit_code);
    return exit_code;
}

static void pressure_lab(void)
{
    static struct asker cma = {.random_state = 1}, dma = {.random_state = 2};
    cma.thread = kthread_run(cma_asker, &cma, "cma-asker");
    dma.thread = kthread_run(dma_asker, &dma, "dma-asker");
    if (!lab_check(cma.thread && dma.thread, "two threads of the kernel ask for memory, too"))
        return;
    int exit_code = run_squeeze();
    kthread_stop(cma.thread);
    kthread_stop(dma.thread);
    lab_check(exit_code == 0, "the programs found what they had written");
    lab_say("contiguous blocks: %u, refused %u; copies of the DMA engine: %u, refused %u", cma.nr_done,
            cma.nr_refused, dma.nr_done, dma.nr_refused);
    lab_check(cma.nr_wrong == 0 && cma.nr_errors == 0 && (cma.nr_done || cma_total_pages() == 0),
              "contiguous blocks held what was written to them");
    lab_check(dma.nr_wrong == 0 && dma.nr_errors == 0 && (dma.nr_done || dma_engine_device() == NULL),
              "the engine's copies are what was copied");
    lab_show(vmstat_show);
}
LAB("pressure", pressure_lab);
