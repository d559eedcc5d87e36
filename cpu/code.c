/*
 * Decoded code, kept by physical page and by what it was decoded for (cpu->code_key). A run of records begins
 * where a branch went and ends at a transfer that never falls through, at the end of the page, or where it
 * grows long.
 *
 * When a byte of a decoded instruction is written, all runs of its page die at once: each record is turned
 * into one that goes and looks again, and the memory is freed when no executor can be inside.
 */
#include "cpu/cpu_internal.h"
#include "cpu/handlers.h"
#include "sim/base/snap.h"

#include <stdlib.h>
#include <string.h>

enum {
    RUN_SOFT_LIMIT = 48, /* records after which a run ends before the next instruction */
    /* The last instruction may bring the records of as many blocks as a page has, and the run's end. */
    RUN_HARD_LIMIT = RUN_SOFT_LIMIT + PAGE_BYTES / 8 + 2,
    BITMAP_WORDS = PAGE_BYTES / 64,
    MAX_DEAD_FRAMES = 64, /* so many may wait until the core comes out of its records */
};

struct run {
    struct run *next;
    unsigned nr_records;
    struct insn records[];
};

/* The runs of a page for one key. */
struct code_page {
    struct code_page *next;
    uint32_t key;
    struct run *runs;
    const struct insn **heads; /* where runs begin */
    unsigned nr_heads, max_heads;
    uint16_t entry[PAGE_BYTES]; /* by offset: index in heads + 1 */
};

struct code_frame {
    struct code_frame *next_dead;
    struct paddr frame;
    struct code_page *pages;
    uint64_t decoded[BITMAP_WORDS]; /* a bit a byte: part of a decoded instruction */
};

static struct code_frame *add_frame(struct cpu *cpu, uint64_t pfn)
{
    struct code_frame *frame = calloc(1, sizeof *frame);
    if (frame)
        frame->frame = paddr(pfn << PAGE_SHIFT);
    return cpu->code_frames[pfn] = frame;
}

static struct code_page *page_for_key(struct cpu *cpu, struct paddr frame)
{
    uint64_t pfn = frame.v >> PAGE_SHIFT;
    struct code_frame *code_frame = cpu->code_frames[pfn];
    if (!code_frame) {
        code_frame = add_frame(cpu, pfn);
        if (!code_frame)
            return NULL;
        cpu_drop_write_fronts(cpu, frame);
    }
    struct code_page *page = code_frame->pages;
    while (page && page->key != cpu->code_key)
        page = page->next;
    if (page)
        return page;
    page = calloc(1, sizeof *page);
    if (!page)
        return NULL;
    page->key = cpu->code_key;
    page->next = code_frame->pages;
    code_frame->pages = page;
    return page;
}

static enum dec_mode code_mode(const struct cpu *cpu)
{
    if (cpu->code_key & CODE_KEY_64BIT)
        return DEC_64;
    return cpu->segment[DEC_SEG_CS].hidden.is_big ? DEC_32 : DEC_16;
}

static struct insn plain_record(const struct cpu *cpu, enum handler handler, unsigned offset,
                                unsigned position)
{
    return (struct insn){.run = cpu->handlers[handler],
                         .offset = (uint16_t)offset,
                         .position = (uint8_t)position,
                         .base = REG_ZERO,
                         .index = REG_ZERO};
}

/*
 * The record of the fetch block at `at`, for the instruction at `offset`; the L1I's word on its line is one
 * load away. A block that only holds the rest of the instruction is no place to stop at: whoever goes on
 * there would fetch the instruction's beginning once more.
 */
static struct insn block_record(const struct cpu *cpu, struct paddr at, unsigned offset, unsigned position)
{
    bool is_rest = offset / cpu->fetch_bytes != (at.v & PAGE_MASK) / cpu->fetch_bytes;
    struct insn record = plain_record(cpu, is_rest ? HANDLER_block_rest : HANDLER_block, offset, position);
    record.imm = at.v >> cpu->fetch_line_shift;
    if (cpu->is_timed) {
        const struct cache_front *front = cache_front(cpu->params.l1i);
        record.target = (const struct insn *)&front->read_line[record.imm & front->set_mask];
    }
    return record;
}

/* Decodes one instruction into `insn`. Returns its length, or 0 when its bytes run out. */
static unsigned decode(struct cpu *cpu, const uint8_t *bytes, size_t nr_bytes, unsigned offset,
                       unsigned position, struct insn *insn, bool *is_last)
{
    struct dec_insn dec;
    enum dec_result result = dec_decode(bytes, nr_bytes, code_mode(cpu), &dec);
    if (result == DEC_NEED_MORE)
        return 0;
    *insn =
        plain_record(cpu, result == DEC_TOO_LONG ? HANDLER_too_long : HANDLER_undefined, offset, position);
    insn->length_bytes = dec.length;
    *is_last = result != DEC_OK;
    if (result != DEC_OK)
        return dec.length ? dec.length : 1;
    cpu_bind(cpu, &dec, insn);
    bool falls_through = !(dec.flags & DEC_FLAG_BRANCH) || dec.op == DEC_JCC || dec.op == DEC_LOOP ||
                         dec.op == DEC_LOOPE || dec.op == DEC_LOOPNE || dec.op == DEC_JCXZ ||
                         dec.op == DEC_INTO;
    *is_last = !falls_through;
    return dec.length;
}

static void mark_decoded(struct code_frame *frame, unsigned offset, unsigned nr_bytes)
{
    for (unsigned i = offset; i < offset + nr_bytes && i < PAGE_BYTES; i++)
        frame->decoded[i / 64] |= 1ull << i % 64;
}

/* Decodes the run that begins at `offset` into `records`. Returns how many there are. */
static unsigned decode_run(struct cpu *cpu, struct paddr frame, unsigned offset,
                           struct insn records[RUN_HARD_LIMIT])
{
    const uint8_t *bytes = cpu->params.ram->host + frame.v;
    struct code_frame *code_frame = cpu->code_frames[frame.v >> PAGE_SHIFT];
    unsigned fetched_to = offset - offset % cpu->fetch_bytes + cpu->fetch_bytes;
    unsigned nr = 0, position = 0;
    bool is_last = false;
    records[nr++] = block_record(cpu, paddr(frame.v + offset), offset, 0);
    while (!is_last) {
        struct insn insn;
        unsigned length = 0;
        if (offset < PAGE_BYTES)
            length = decode(cpu, bytes + offset, PAGE_BYTES - offset, offset, position, &insn, &is_last);
        unsigned last = offset + (length ? length - 1 : 0);
        if (offset == PAGE_BYTES || nr >= RUN_SOFT_LIMIT) {
            records[nr++] = plain_record(cpu, HANDLER_run_end, offset, position);
            break;
        }
        if (length == 0) {
            for (; fetched_to < PAGE_BYTES;
                 fetched_to += cpu->fetch_bytes) { /* the page's last bytes come first */
                records[nr++] = block_record(cpu, paddr(frame.v + fetched_to), offset, position);
                position = 0;
            }
            records[nr++] = plain_record(cpu, HANDLER_straddle, offset, position);
            mark_decoded(code_frame, offset, PAGE_BYTES - offset);
            break;
        }
        for (; last >= fetched_to; fetched_to += cpu->fetch_bytes) {
            records[nr++] = block_record(cpu, paddr(frame.v + fetched_to), offset, position);
            position = 0;
        }
        insn.position = (uint8_t)position++;
        mark_decoded(code_frame, offset, length);
        records[nr++] = insn;
        offset += length;
    }
    return nr;
}

/* What the executors run when the host has no memory left for decoded code: they stop. */
static const struct insn *out_of_memory(struct cpu *cpu)
{
    cpu->is_shut_down = true;
    for (unsigned i = 0; i < SINGLE_RECORDS; i++)
        cpu->single[i] = cpu->stop_record;
    return cpu->single;
}

const struct insn *cpu_code_at(struct cpu *cpu, struct paddr frame, unsigned offset)
{
    struct code_page *page = page_for_key(cpu, frame);
    if (!page)
        return out_of_memory(cpu);
    if (page->entry[offset])
        return page->heads[page->entry[offset] - 1];
    struct insn records[RUN_HARD_LIMIT];
    unsigned nr = decode_run(cpu, frame, offset, records);
    struct run *run = malloc(sizeof *run + nr * sizeof *records);
    if (!run)
        return out_of_memory(cpu);
    if (page->nr_heads == page->max_heads) {
        unsigned max_heads = page->max_heads ? page->max_heads * 2 : 16;
        const struct insn **heads = reallocarray(page->heads, max_heads, sizeof(void *));
        if (!heads) {
            free(run);
            return out_of_memory(cpu);
        }
        page->heads = heads;
        page->max_heads = max_heads;
    }
    memcpy(run->records, records, nr * sizeof *records);
    run->nr_records = nr;
    run->next = page->runs;
    page->runs = run;
    page->heads[page->nr_heads++] = run->records;
    page->entry[offset] = (uint16_t)page->nr_heads;
    return run->records;
}

/* Whether that is what cpu->single holds already; if not, it will be. */
static bool is_same_single(struct cpu *cpu, const uint8_t *bytes, size_t nr_bytes, struct paddr physical)
{
    struct single_key key = {
        .physical = physical.v, .rip = cpu->rip, .code_key = cpu->code_key, .nr_bytes = (uint32_t)nr_bytes};
    memcpy(key.bytes, bytes, nr_bytes);
    bool is_same = memcmp(&key, &cpu->single_key, sizeof key) == 0 && !(cpu->code_key & CODE_KEY_LIMITED);
    cpu->single_key = key;
    return is_same;
}

const struct insn *cpu_code_single(struct cpu *cpu, const uint8_t *bytes, size_t nr_bytes,
                                   struct paddr physical)
{
    if (is_same_single(cpu, bytes, nr_bytes, physical))
        return cpu->single;
    unsigned offset = (unsigned)(physical.v & PAGE_MASK);
    unsigned fetched_to = offset - offset % cpu->fetch_bytes + cpu->fetch_bytes, nr = 0;
    struct insn insn;
    bool is_last;
    unsigned length = decode(cpu, bytes, nr_bytes, offset, 0, &insn, &is_last);
    unsigned last = length ? offset + length - 1 : PAGE_BYTES - 1;
    if (length && !cpu_is_code_address(cpu, cpu->rip + length - 1))
        insn = plain_record(cpu, HANDLER_too_long, offset, 0); /* for CS, and #GP(0) too */
    cpu->single[nr++] = block_record(cpu, physical, offset, 0);
    for (; last >= fetched_to && fetched_to < PAGE_BYTES; fetched_to += cpu->fetch_bytes)
        cpu->single[nr++] = block_record(cpu, paddr(physical.v - offset + fetched_to), offset, 0);
    if (length == 0) /* the page ends before the instruction does: it goes on as a straddling one */
        insn = plain_record(cpu, HANDLER_straddle, offset, 0);
    cpu->single[nr++] = insn;
    cpu->single[nr] = plain_record(cpu, HANDLER_single_end, offset + length, 1);
    return cpu->single;
}

void cpu_link(struct cpu *cpu, const struct insn *branch, uint64_t rip)
{
    if (branch >= cpu->single && branch < cpu->single + SINGLE_RECORDS)
        return;
    /* Records are constant to those who run them; here and below is where they are completed. */
    unsigned offset = (unsigned)(cpu_code_linear(cpu, rip) & PAGE_MASK);
    ((struct insn *)(uintptr_t)branch)->target = cpu_code_at(cpu, cpu->fetch_front->frame, offset);
}

void cpu_link_run(struct cpu *cpu, const struct insn *run_end)
{
    unsigned offset = run_end->offset;
    if (offset == PAGE_BYTES || cpu->code_key & CODE_KEY_LIMITED)
        return;
    const struct insn *block = cpu_code_at(cpu, cpu->fetch_front->frame, offset);
    ((struct insn *)(uintptr_t)run_end)->target = offset % cpu->fetch_bytes == 0 ? block : block + 1;
}

static void forget_jumps_to(struct cpu *cpu, struct paddr frame)
{
    for (unsigned i = 0; i < JUMP_CACHE_ENTRIES; i++)
        if (cpu->jump_cache[i].frame.v == frame.v)
            cpu->jump_cache[i].linear = UINT64_MAX;
}

/* Takes a frame's code out of use. */
static void kill_frame(struct cpu *cpu, struct code_frame *frame)
{
    exec_fn *block = cpu->handlers[HANDLER_block];
    exec_fn *stale = cpu->handlers[HANDLER_stale], *stale_block = cpu->handlers[HANDLER_stale_block];
    for (struct code_page *page = frame->pages; page; page = page->next)
        for (struct run *run = page->runs; run; run = run->next)
            for (unsigned i = 0; i < run->nr_records; i++)
                run->records[i].run = run->records[i].run == block ? stale_block : stale;
    cpu->code_frames[frame->frame.v >> PAGE_SHIFT] = NULL;
    frame->next_dead = cpu->dead_frames;
    cpu->dead_frames = frame;
    if (++cpu->nr_dead_frames >= MAX_DEAD_FRAMES)
        cpu->deadline = 0;
    forget_jumps_to(cpu, frame->frame);
    cpu_observe_code_gone(cpu, frame->frame);
}

bool cpu_code_is_kept(const struct cpu *cpu, struct paddr at, unsigned size_bytes)
{
    uint64_t pfn = at.v >> PAGE_SHIFT, first = at.v & PAGE_MASK, last = first + size_bytes - 1;
    const struct code_frame *frame = pfn < cpu->nr_code_frames ? cpu->code_frames[pfn] : NULL;
    bool is_kept = frame && last < PAGE_BYTES;
    for (uint64_t i = first; is_kept && i <= last; i++)
        is_kept = frame->decoded[i / 64] >> i % 64 & 1;
    return is_kept;
}

void cpu_code_written(struct cpu *cpu, struct paddr at, uint64_t size_bytes)
{
    for (uint64_t i = 0; i < size_bytes; i++) {
        uint64_t address = at.v + i, pfn = address >> PAGE_SHIFT, offset = address & PAGE_MASK;
        if (pfn >= cpu->nr_code_frames || !cpu->code_frames[pfn]) {
            i += PAGE_BYTES - 1 - offset;
            continue;
        }
        struct code_frame *frame = cpu->code_frames[pfn];
        if (frame->decoded[offset / 64] >> offset % 64 & 1) {
            kill_frame(cpu, frame);
        }
    }
}

void cpu_free_dead_code(struct cpu *cpu)
{
    while (cpu->dead_frames) {
        struct code_frame *frame = cpu->dead_frames;
        cpu->dead_frames = frame->next_dead;
        cpu->nr_dead_frames--;
        while (frame->pages) {
            struct code_page *page = frame->pages;
            frame->pages = page->next;
            while (page->runs) {
                struct run *run = page->runs;
                page->runs = run->next;
                free(run);
            }
            free(page->heads);
            free(page);
        }
        free(frame);
    }
}

void cpu_drop_all_code(struct cpu *cpu)
{
    for (uint64_t pfn = 0; pfn < cpu->nr_code_frames; pfn++)
        if (cpu->code_frames[pfn])
            kill_frame(cpu, cpu->code_frames[pfn]);
}

static void load_frames(struct cpu *cpu, struct snap *snap)
{
    cpu_drop_all_code(cpu);
    cpu_free_dead_code(cpu);
    memset(&cpu->single_key, 0, sizeof cpu->single_key);
    uint64_t nr = 0;
    SNAP_BELOW(snap, nr, cpu->nr_code_frames + 1);
    for (uint64_t i = 0; i < nr && snap_is_good(snap); i++) {
        uint64_t pfn = 0;
        SNAP_BELOW(snap, pfn, cpu->nr_code_frames);
        SNAP_REQUIRE(snap, !cpu->code_frames[pfn]);
        if (!snap_is_good(snap))
            return;
        struct code_frame *frame = add_frame(cpu, pfn);
        if (!frame) {
            snap_out_of_memory(snap);
            return;
        }
        SNAP_ARRAY(snap, frame->decoded);
    }
}

void cpu_code_snap(struct cpu *cpu, struct snap *snap)
{
    uint64_t nr = 0;
    if (snap->is_load) {
        load_frames(cpu, snap);
        return;
    }
    for (uint64_t pfn = 0; pfn < cpu->nr_code_frames; pfn++)
        nr += cpu->code_frames[pfn] != NULL;
    SNAP(snap, nr);
    for (uint64_t pfn = 0; pfn < cpu->nr_code_frames; pfn++) {
        if (!cpu->code_frames[pfn])
            continue;
        SNAP(snap, pfn);
        SNAP_ARRAY(snap, cpu->code_frames[pfn]->decoded);
    }
}
