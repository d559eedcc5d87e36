/* What the monitor shows of the guest's kernel. */
#include "sim/observe/linear_space.h"
#include "sim/observe/monitor.h"
#include "sim/observe/view_model.h"

#include <inttypes.h>
#include <stdlib.h>

enum { KIB_PER_PAGE = PAGE_BYTES / 1024 };

/* With a line when tasks, areas and zones are not known. */
static bool is_known(const struct guest_kernel *kernel, FILE *to)
{
    const char *lacks = guest_kernel_lacks(kernel);
    if (lacks)
        fprintf(to, "%s\n", lacks);
    return !lacks;
}

/* ---- Processes ---- */

struct listing {
    struct guest_task current;
    bool has_current;
    FILE *to;
};

static bool show_process(void *opaque, const struct guest_task *task)
{
    struct listing *listing = opaque;
    bool is_current = listing->has_current && task->pid == listing->current.pid;
    fprintf(listing->to, "%c %5" PRIu32 " %6" PRIu32 "  %c  %9" PRIu64 "  %09" PRIx64 "  %s\n",
            is_current ? '*' : ' ', task->pid, task->parent_pid, task->state ? task->state : '-',
            task->nr_pages * KIB_PER_PAGE, task->root, task->name);
    return true;
}

void monitor_show_processes(const struct guest_kernel *kernel, FILE *to)
{
    struct listing listing = {.to = to};
    if (!is_known(kernel, to))
        return;
    listing.has_current = guest_kernel_current_task(kernel, &listing.current);
    fputs("    pid parent state vsz KiB  tables at  name\n", to);
    guest_kernel_tasks(kernel, show_process, &listing);
}

/* ---- Areas ---- */

struct search {
    uint64_t pid;
    struct guest_task task;
    bool is_found;
};

static bool find_process(void *opaque, const struct guest_task *task)
{
    struct search *search = opaque;
    search->is_found = task->pid == search->pid;
    if (search->is_found)
        search->task = *task;
    return !search->is_found;
}

/* How many pages of the area the process's page tables map; looks at so many as are left. */
static uint64_t count_resident(struct linear_space *space, const struct guest_area *area, uint64_t *nr_left)
{
    uint64_t nr = 0;
    struct paddr physical;
    for (uint64_t at = area->start; at<area->end && * nr_left> 0; at += PAGE_BYTES, --*nr_left)
        nr += linear_translate(space, at, &physical);
    return nr;
}

static void show_area(const struct guest_area *area, uint64_t nr_resident, FILE *to)
{
    static const char *const names[] = {[GUEST_AREA_OTHER] = "",
                                        [GUEST_AREA_CODE] = "[text]",
                                        [GUEST_AREA_HEAP] = "[heap]",
                                        [GUEST_AREA_STACK] = "[stack]"};
    fprintf(to, "%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64 " %9" PRIu64 "  %s\n", area->start,
            area->end, area->rights & GUEST_AREA_READ ? 'r' : '-',
            area->rights & GUEST_AREA_WRITE ? 'w' : '-', area->rights & GUEST_AREA_EXECUTE ? 'x' : '-',
            area->is_shared ? 's' : 'p', area->file_offset, nr_resident * KIB_PER_PAGE,
            area->path[0] ? area->path : names[area->kind]);
}

void monitor_show_areas(const struct guest_kernel *kernel, const struct cpu *cpu, const uint64_t *pid,
                        FILE *to)
{
    enum { MAX_PAGES = 1 << 22 };
    struct search search = {.pid = pid ? *pid : 0};
    if (!is_known(kernel, to))
        return;
    if (pid)
        guest_kernel_tasks(kernel, find_process, &search);
    else
        search.is_found = guest_kernel_current_task(kernel, &search.task);
    if (!search.is_found) {
        fputs(pid ? "no process has this number; see info processes\n" : "no process runs yet\n", to);
        return;
    }
    struct guest_area *area = calloc(GUEST_MAX_AREAS, sizeof *area);
    unsigned nr = area ? guest_kernel_areas(kernel, &search.task, area) : 0;
    enum paging_kind kind = paging_kind(&cpu_mmu(cpu)->mode);
    struct linear_space space;
    uint64_t nr_left = kind == PAGING_OFF || search.task.root == 0 ? 0 : MAX_PAGES;
    linear_space_init(&space, kernel->ram, kind, search.task.root);
    fprintf(to, "process %" PRIu32 ", %s: %u areas%s\n", search.task.pid, search.task.name, nr,
            nr == GUEST_MAX_AREAS ? ", and perhaps more" : "");
    if (nr)
        fputs("area              rights offset  resident KiB\n", to);
    for (unsigned i = 0; i < nr; i++)
        show_area(&area[i], count_resident(&space, &area[i], &nr_left), to);
    free(area);
}

/* ---- Memory ---- */

void monitor_show_owners(const struct guest_kernel *kernel, const uint64_t *address, FILE *to)
{
    pfn_t nr_frames = kernel->ram->size_bytes / PAGE_BYTES;
    uint64_t nr_by_owner[NR_GUEST_OWNERS] = {0};
    uint8_t *owner = malloc(nr_frames);
    if (!owner || !guest_kernel_owners(kernel, owner, NULL, nr_frames))
        fputs("no page descriptors are known in memory\n", to);
    else if (address && *address / PAGE_BYTES >= nr_frames)
        fprintf(to, "%08" PRIx64 " is behind the end of RAM\n", *address);
    else if (address)
        fprintf(to, "frame %" PRIx64 ": %s\n", *address / PAGE_BYTES,
                view_owner_name((enum view_owner)owner[*address / PAGE_BYTES]));
    else {
        for (pfn_t pfn = 0; pfn < nr_frames; pfn++)
            nr_by_owner[owner[pfn]]++;
        for (unsigned i = 0; i < NR_GUEST_OWNERS; i++)
            fprintf(to, "%-12s %9" PRIu64 " frames %10" PRIu64 " KiB\n", view_owner_name((enum view_owner)i),
                    nr_by_owner[i], nr_by_owner[i] * KIB_PER_PAGE);
    }
    free(owner);
}

void monitor_show_zones(const struct guest_kernel *kernel, FILE *to)
{
    struct guest_zone zone;
    if (!is_known(kernel, to))
        return;
    fputs("zone      first frame    managed       free        min        low       high\n", to);
    for (unsigned i = 0; i < GUEST_MAX_ZONES; i++)
        if (guest_kernel_zone(kernel, i, &zone))
            fprintf(to,
                    "%-10s %10" PRIx64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64
                    "\n",
                    zone.name, zone.start_pfn, zone.managed_pages, zone.free_pages, zone.watermark_pages[0],
                    zone.watermark_pages[1], zone.watermark_pages[2]);
}
