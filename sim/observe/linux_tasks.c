/* Linux' processes, and the areas of their address spaces. */
#include "sim/observe/linux_internal.h"

#include <stdio.h>
#include <string.h>

enum { MAX_TASKS = 1 << 16 };

static bool read_task(struct linux_guest *guest, uint64_t at, struct guest_task *task)
{
    const struct linux_layout *layout = &guest->layout;
    uint64_t pid, parent, pgd, total, state, exit_state;
    struct paddr root;
    *task = (struct guest_task){.pid = 0};
    if (at == 0 || !linux_read_member(guest, at, &layout->task_pid, &pid) ||
        !linux_read_member(guest, at, &layout->task_mm, &task->mm))
        return false;
    task->pid = (uint32_t)pid;
    linux_read_text(guest, at + layout->task_comm.offset_bytes, task->name, sizeof task->name);
    if (linux_read_member(guest, at, &layout->task_parent, &parent) &&
        linux_read_member(guest, parent, &layout->task_pid, &pid))
        task->parent_pid = (uint32_t)pid;
    /* As in /proc/PID/stat (include/linux/sched.h): an idle kernel thread sleeps and is not counted. */
    linux_read_member(guest, at, &layout->task_state, &state);
    linux_read_member(guest, at, &layout->task_exit_state, &exit_state);
    task->state = exit_state & 0x20   ? 'Z'
                  : exit_state & 0x10 ? 'X'
                  : state == 0        ? 'R'
                  : state == 0x402    ? 'I'
                  : state & 1         ? 'S'
                  : state & 2         ? 'D'
                  : state & 4         ? 'T'
                  : state & 8         ? 't'
                                      : '?';
    if (linux_read_member(guest, task->mm, &layout->mm_pgd, &pgd) &&
        linear_translate(&guest->kernel, pgd, &root))
        task->root = root.v;
    if (linux_read_member(guest, task->mm, &layout->mm_total, &total))
        task->nr_pages = total;
    return true;
}

bool linux_guest_current_task(struct linux_guest *guest, struct guest_task *task)
{
    uint64_t current, offsets, offset = 0, at;
    *task = (struct guest_task){.pid = 0};
    /* From 6.2 on it is the first member of another variable. */
    if (!guest->has_layouts || (!elf_symbols_address(guest->symbols, "current_task", &current) &&
                                !elf_symbols_address(guest->symbols, "pcpu_hot", &current)))
        return false;
    if (elf_symbols_address(guest->symbols, "__per_cpu_offset", &offsets) &&
        !linux_read_word(guest, offsets, &offset))
        return false;
    return linux_read_word(guest, current + offset, &at) && read_task(guest, at, task);
}

void linux_guest_tasks(struct linux_guest *guest, bool (*each)(void *opaque, const struct guest_task *task),
                       void *opaque)
{
    uint64_t first, node, offset = guest->layout.task_tasks.offset_bytes;
    struct guest_task task;
    if (!guest->has_layouts || !elf_symbols_address(guest->symbols, "init_task", &first))
        return;
    uint64_t at = first;
    for (unsigned i = 0; i < MAX_TASKS && read_task(guest, at, &task) && each(opaque, &task); i++) {
        if (!linux_read_word(guest, at + offset, &node) || node - offset == first)
            return;
        at = node - offset;
    }
}

/* ---- Areas ---- */

/* An address space as it is read. */
struct areas {
    struct linux_guest *guest;
    uint64_t code[2], heap[2], stack; /* from, to */
    struct guest_area *area;
    unsigned nr;
    unsigned nr_looks; /* at slots: a tree that is being changed may lead to itself */
};

/* The path of a file within its file system, from its end, as the entries lead up. */
static void read_path(struct linux_guest *guest, uint64_t file, char path[GUEST_PATH_CHARS])
{
    enum { MAX_DEPTH = 32 };
    const struct linux_layout *layout = &guest->layout;
    char text[GUEST_PATH_CHARS], name[GUEST_PATH_CHARS];
    uint64_t entry, parent, name_at;
    path[0] = 0;
    if (!linux_read_member(guest, file, &layout->file_dentry, &entry))
        return;
    for (unsigned i = 0; i < MAX_DEPTH && linux_read_member(guest, entry, &layout->dentry_parent, &parent) &&
                         parent != entry && linux_read_member(guest, entry, &layout->dentry_name, &name_at);
         i++) {
        linux_read_text(guest, name_at, name, sizeof name);
        int length = snprintf(text, sizeof text, "/%s%s", name, path);
        if (length < 0 || (size_t)length >= sizeof text) /* what is there of it is its end */
            return;
        memcpy(path, text, (size_t)length + 1);
        entry = parent;
    }
}

static void add_area(struct areas *areas, uint64_t vma)
{
    enum { READ_WRITE_EXECUTE = 7, PRIVATE = 8 };
    struct linux_guest *guest = areas->guest;
    const struct linux_layout *layout = &guest->layout;
    uint64_t file;
    struct guest_area *area = &areas->area[areas->nr];
    uint64_t flags;
    *area = (struct guest_area){.kind = GUEST_AREA_OTHER};
    if (!linux_read_member(guest, vma, &layout->vma_start, &area->start) ||
        !linux_read_member(guest, vma, &layout->vma_end, &area->end) ||
        !linux_read_member(guest, vma, &layout->vma_flags, &flags) || area->end <= area->start)
        return;
    area->rights = (uint8_t)(flags & READ_WRITE_EXECUTE);
    area->is_shared = flags & PRIVATE; /* VM_SHARED is the bit; private areas have it clear */
    if (linux_read_member(guest, vma, &layout->vma_file, &file) && file) {
        uint64_t pgoff;
        read_path(guest, file, area->path);
        if (linux_read_member(guest, vma, &layout->vma_pgoff, &pgoff))
            area->file_offset = pgoff * PAGE_BYTES;
    }
    bool is_code = area->start < areas->code[1] && area->end > areas->code[0];
    area->kind = area->start <= areas->stack && area->end >= areas->stack && !file     ? GUEST_AREA_STACK
                 : is_code && area->rights & GUEST_AREA_EXECUTE                        ? GUEST_AREA_CODE
                 : !file && area->start < areas->heap[1] && area->end > areas->heap[0] ? GUEST_AREA_HEAP
                                                                                       : GUEST_AREA_OTHER;
    areas->nr++;
}

/*
 * The maple tree (include/linux/maple_tree.h, lib/maple_tree.c of Linux). A slot that leads to a node has bit
 * 1 set and bit 0 clear; the bits above say which kind of node it is, and nodes lie at multiples of 256.
 */
enum { MAPLE_LEAF_64 = 1, MAPLE_RANGE_64, MAPLE_ARANGE_64, MAPLE_MAX_DEPTH = 16, MAPLE_MAX_LOOKS = 1 << 16 };

static bool is_maple_node(uint64_t slot)
{
    return (slot & 3) == 2 && slot > PAGE_BYTES;
}

static void read_maple_node(struct areas *areas, uint64_t encoded, uint64_t max, unsigned depth)
{
    struct linux_guest *guest = areas->guest;
    const struct linux_layout *layout = &guest->layout;
    uint64_t node = encoded & ~(uint64_t)0xff;
    unsigned kind = encoded >> 3 & 0xf, word = guest->word_bytes;
    const struct btf_member *pivots = kind == MAPLE_ARANGE_64 ? &layout->arange_pivot : &layout->range_pivot,
                            *slots = kind == MAPLE_ARANGE_64 ? &layout->arange_slot : &layout->range_slot;
    if (kind < MAPLE_LEAF_64 || kind > MAPLE_ARANGE_64 || depth > MAPLE_MAX_DEPTH)
        return;
    for (unsigned i = 0; i < slots->nr_elements && areas->nr_looks++ < MAPLE_MAX_LOOKS; i++) {
        uint64_t last = 0, slot;
        if (areas->nr == GUEST_MAX_AREAS)
            return;
        if (i < pivots->nr_elements &&
            !linux_read_word(guest, node + pivots->offset_bytes + (uint64_t)i * word, &last))
            return;
        /* Behind the last pivot that is used comes a 0, or the node's end. */
        if (i >= pivots->nr_elements || (last == 0 && i > 0) || last > max)
            last = max;
        if (!linux_read_word(guest, node + slots->offset_bytes + (uint64_t)i * word, &slot))
            return;
        if (kind == MAPLE_LEAF_64 && slot && !(slot & 3))
            add_area(areas, slot);
        else if (kind != MAPLE_LEAF_64 && is_maple_node(slot))
            read_maple_node(areas, slot, last, depth + 1);
        if (last == max)
            return;
    }
}

unsigned linux_guest_areas(struct linux_guest *guest, const struct guest_task *task,
                           struct guest_area area[GUEST_MAX_AREAS])
{
    const struct linux_layout *layout = &guest->layout;
    struct areas areas = {.guest = guest, .area = area};
    uint64_t root, max = guest->word_bytes == 4 ? UINT32_MAX : UINT64_MAX;
    if (!linux_read_member(guest, task->mm, &layout->mm_areas, &root))
        return 0;
    linux_read_member(guest, task->mm, &layout->mm_start_code, &areas.code[0]);
    linux_read_member(guest, task->mm, &layout->mm_end_code, &areas.code[1]);
    linux_read_member(guest, task->mm, &layout->mm_start_brk, &areas.heap[0]);
    linux_read_member(guest, task->mm, &layout->mm_brk, &areas.heap[1]);
    linux_read_member(guest, task->mm, &layout->mm_start_stack, &areas.stack);
    if (is_maple_node(root))
        read_maple_node(&areas, root, max, 0);
    else if (root && !(root & 3))
        add_area(&areas, root);
    return areas.nr;
}
