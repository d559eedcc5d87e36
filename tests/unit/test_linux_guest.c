/*
 * A guest's memory with what a Linux kernel leaves in it, made here from plain C structures; what is read of
 * it is compared with what was put in. The real thing: tests/foreign.
 */
#include "sim/observe/linux_guest.h"

#include "sim/observe/guest_kernel.h"
#include "tests/unit/btf_bytes.h"
#include "tests/unit/linux_sample.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>

enum {
    RAM_BYTES = 8 << 20,
    NR_FRAMES = RAM_BYTES / PAGE_BYTES,
    PML4 = 0x1000,
    PDPT = 0x2000,
    DIRECTORY = 0x3000,
    INFO = 0x5000,
    PER_CPU = 0x6000, /* linear address of the first processor's, minus the base */
    CURRENT_TASK = 0x48,
    HEAP = 0x100000,
    MAX_SYMBOLS = 32,
};
#define KERNEL 0xffffffff80000000ull /* physical address 0 lies there */
#define TEXT (KERNEL + 0x80000)

static struct ram ram;
static uint64_t free_at;
static char *info_end;

/* ---- Memory ---- */

static void *host(uint64_t linear)
{
    return ram.host + (linear - KERNEL);
}

/* Room in the guest; its linear address. */
static uint64_t take(size_t nr_bytes, size_t alignment)
{
    free_at = (free_at + alignment - 1) & ~(uint64_t)(alignment - 1);
    uint64_t at = KERNEL + free_at;
    free_at += nr_bytes;
    cr_assert_lt(free_at, RAM_BYTES);
    return at;
}

static uint64_t put(const void *from, size_t nr_bytes)
{
    uint64_t at = take(nr_bytes, 8);
    memcpy(host(at), from, nr_bytes);
    return at;
}

static uint64_t put_text(const char *text)
{
    return put(text, strlen(text) + 1);
}

/* A pointer as the guest has it. */
static void *pointer(uint64_t linear)
{
    return (void *)(uintptr_t)linear; /* NOLINT(performance-no-int-to-ptr) */
}

static void __attribute__((format(printf, 1, 2))) inform(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    info_end += vsprintf(info_end, format, arguments);
    va_end(arguments);
}

/* ---- Symbols ---- */

static struct symbol {
    uint64_t address;
    char text[40]; /* the kind before the name */
} symbols[MAX_SYMBOLS];
static unsigned nr_symbols;

static void name(uint64_t address, const char *text)
{
    cr_assert_lt(nr_symbols, MAX_SYMBOLS);
    symbols[nr_symbols].address = address;
    snprintf(symbols[nr_symbols++].text, sizeof symbols->text, "%s", text);
}

static int compare(const void *a, const void *b)
{
    const struct symbol *p = a, *q = b;
    return p->address < q->address ? -1 : p->address > q->address;
}

/* As scripts/kallsyms.c does it, with tokens of one character, and one of more: 1 stands for "_ta". */
static void put_symbols(void)
{
    uint8_t names[MAX_SYMBOLS * 42], *to = names;
    int32_t offsets[MAX_SYMBOLS];
    char tokens[3 * 256], *token = tokens;
    uint16_t index[256];
    qsort(symbols, nr_symbols, sizeof *symbols, compare);
    for (unsigned i = 0; i < nr_symbols; i++) {
        uint8_t *length = to++;
        for (const char *text = symbols[i].text; *text; ++*length) {
            bool is_token = strncmp(text, "_ta", 3) == 0;
            if (length == to - 1)
                *length = 0;
            *to++ = is_token ? 1 : (uint8_t)*text;
            text += is_token ? 3 : 1;
        }
        bool is_absolute = symbols[i].address < KERNEL;
        offsets[i] = (int32_t)(is_absolute ? symbols[i].address : TEXT - 1 - symbols[i].address);
    }
    for (unsigned i = 0; i < 256; i++) {
        index[i] = (uint16_t)(token - tokens);
        token += i == 1 ? sprintf(token, "_ta") : i ? sprintf(token, "%c", (char)i) : 0;
        *token++ = 0;
    }
    const uint64_t base = TEXT;
    const uint32_t number = nr_symbols;
    inform("SYMBOL(kallsyms_names)=%" PRIx64 "\n", put(names, (size_t)(to - names)));
    inform("SYMBOL(kallsyms_token_table)=%" PRIx64 "\n", put(tokens, (size_t)(token - tokens)));
    inform("SYMBOL(kallsyms_token_index)=%" PRIx64 "\n", put(index, sizeof index));
    inform("SYMBOL(kallsyms_num_syms)=%" PRIx64 "\n", put(&number, sizeof number));
    inform("SYMBOL(kallsyms_offsets)=%" PRIx64 "\n", put(offsets, sizeof offsets));
    inform("SYMBOL(kallsyms_relative_base)=%" PRIx64 "\n", put(&base, sizeof base));
}

/* ---- Processes ---- */

static uint64_t tasks[4]; /* init_task, and three more */

static uint64_t put_file(const char *folder, const char *leaf)
{
    struct dentry root = {.d_name.name = pointer(put_text("/"))};
    uint64_t at = put(&root, sizeof root);
    ((struct dentry *)host(at))->d_parent = pointer(at);
    struct dentry up = {.d_parent = pointer(at), .d_name.name = pointer(put_text(folder))};
    struct dentry entry = {.d_parent = pointer(put(&up, sizeof up)), .d_name.name = pointer(put_text(leaf))};
    struct file file = {.f_path.dentry = pointer(put(&entry, sizeof entry))};
    return put(&file, sizeof file);
}

static const struct vm_area_struct areas[] = {
    {.vm_start = 0x400000, .vm_end = 0x401000, .vm_flags = 1},
    {.vm_start = 0x401000, .vm_end = 0x480000, .vm_flags = 5, .vm_pgoff = 1},
    {.vm_start = 0x500000, .vm_end = 0x520000, .vm_flags = 3},
    {.vm_start = 0x600000, .vm_end = 0x601000, .vm_flags = 3 | 8},
    {.vm_start = 0x7fff0000, .vm_end = 0x80000000, .vm_flags = 3 | 0x100},
};
enum { NR_AREAS = sizeof areas / sizeof *areas };

/* A slot that leads to a node of that kind: 1 is a leaf, 3 has gaps. */
static void *node_slot(uint64_t node, unsigned kind)
{
    return pointer(node | kind << 3 | 6);
}

static uint64_t leaf_at;

/* Two leaves below a root; holes between areas are slots without a pointer. */
static uint64_t put_areas(void)
{
    uint64_t file = put_file("bin", "sample"), vma[NR_AREAS];
    for (unsigned i = 0; i < NR_AREAS; i++) {
        struct vm_area_struct area;
        memcpy(&area, &areas[i], sizeof area);
        area.vm_file = i < 2 ? pointer(file) : NULL;
        vma[i] = put(&area, sizeof area);
    }
    struct maple_range_64 first = {.pivot = {0x3fffff, 0x400fff, 0x47ffff},
                                   .slot = {NULL, pointer(vma[0]), pointer(vma[1])}};
    struct maple_range_64 second = {
        .pivot = {0x4fffff, 0x51ffff, 0x5fffff, 0x600fff, 0x7ffeffff, 0x7fffffff},
        .slot = {NULL, pointer(vma[2]), NULL, pointer(vma[3]), NULL, pointer(vma[4]), NULL}};
    second.slot[8] = pointer(vma[0]); /* behind the end there may be anything */
    leaf_at = take(256, 256);
    uint64_t second_at = take(256, 256), root_at = take(256, 256);
    memcpy(host(leaf_at), &first, sizeof first);
    memcpy(host(second_at), &second, sizeof second);
    struct maple_arange_64 root = {
        .pivot = {0x47ffff, ~0ul, 0x1234},
        .slot = {node_slot(leaf_at, 1), node_slot(second_at, 1), pointer(0x77777776)}};
    memcpy(host(root_at), &root, sizeof root);
    return (uint64_t)(uintptr_t)node_slot(root_at, 3);
}

static void put_tasks(void)
{
    struct mm_struct mm = {.mm_mt.ma_root = pointer(put_areas()),
                           .pgd = pointer(KERNEL + PML4),
                           .total_vm = 321,
                           .start_code = 0x401000,
                           .end_code = 0x470000,
                           .start_brk = 0x500000,
                           .brk = 0x51f000,
                           .start_stack = 0x7fff8000};
    uint64_t mm_at = put(&mm, sizeof mm);
    const struct task_struct samples[] = {{.comm = "swapper/0"},
                                          {.comm = "init", .pid = 1, .__state = 1, .mm = pointer(mm_at)},
                                          {.comm = "kthread", .pid = 2, .__state = 0x402},
                                          {.comm = "dead", .pid = 77, .exit_state = 0x20}};
    for (unsigned i = 0; i < 4; i++)
        tasks[i] = take(sizeof *samples, 64);
    for (unsigned i = 0; i < 4; i++) {
        struct task_struct task = samples[i];
        task.real_parent = pointer(tasks[i == 3 ? 1 : 0]);
        task.tasks.next = pointer(tasks[(i + 1) % 4] + offsetof(struct task_struct, tasks));
        task.tasks.prev = pointer(tasks[(i + 3) % 4] + offsetof(struct task_struct, tasks));
        memcpy(host(tasks[i]), &task, sizeof task);
    }
    name(tasks[0], "Dinit_task");
    name(CURRENT_TASK, "Acurrent_task");
    uint64_t offset = KERNEL + PER_CPU;
    name(put(&offset, sizeof offset), "D__per_cpu_offset");
    memcpy(host(KERNEL + PER_CPU + CURRENT_TASK), &tasks[1], sizeof tasks[1]);
}

/* ---- Pages ---- */

static struct page *pages; /* in the guest */

enum { PG_RESERVED = 1 << 12, PG_SLAB = 1 << 9 };

static struct list_head *lru_of(struct page *page)
{
    return pointer(KERNEL + (uint64_t)((uint8_t *)&page->lru - ram.host));
}

static void put_pages(void)
{
    uint64_t at = take(NR_FRAMES * sizeof *pages, 64);
    pages = host(at);
    for (unsigned i = 0; i < NR_FRAMES; i++)
        pages[i] = (struct page){._refcount = 1, ._mapcount = -1};
    for (unsigned i = 0; i < 16; i++)
        pages[i].flags = PG_RESERVED;
    pages[16].flags = PG_SLAB | 1; /* a slab of two pages */
    pages[17].compound_head = at + 16 * sizeof *pages + 1;
    pages[17]._refcount = 0;
    pages[18].mapping = pointer(0x1231); /* anonymous */
    pages[19].mapping = pointer(0x1230); /* of a file */
    pages[20]._mapcount = ~0x200;        /* a page table */
    pages[21].mapping = pointer(0x1232); /* a movable one of a driver */
    pages[32]._mapcount = ~0x80;         /* eight free ones */
    pages[32].private = 3;
    for (unsigned i = 32; i < 40; i++)
        pages[i]._refcount = 0;
    struct page *listed[] = {&pages[41],
                             &pages[42]}; /* on a list for one processor, whose head is page 43's */
    pages[41]._refcount = pages[42]._refcount = pages[44]._refcount = 0;
    listed[0]->lru = (struct list_head){lru_of(&pages[42]), lru_of(&pages[43])};
    listed[1]->lru = (struct list_head){lru_of(&pages[43]), lru_of(&pages[41])};
    pages[43].lru = (struct list_head){lru_of(&pages[41]), lru_of(&pages[42])};
    pages[44].lru = (struct list_head){lru_of(&pages[44]), lru_of(&pages[44])}; /* the second of two */
    name(put(&at, sizeof at), "Dvmemmap_base");
}

static void put_node(void)
{
    struct pglist_data node = {.node_zones[1] = {._watermark = {10, 12, 14},
                                                 .zone_start_pfn = 16,
                                                 .managed_pages = 1000,
                                                 .spanned_pages = NR_FRAMES - 16,
                                                 .present_pages = NR_FRAMES - 16,
                                                 .name = pointer(put_text("Normal")),
                                                 .vm_stat = {345}},
                               .node_spanned_pages = NR_FRAMES};
    node.node_zones[1].free_area[3].nr_free = 5;
    uint64_t at = put(&node, sizeof node), nodes[2] = {at, 0};
    inform("SYMBOL(node_data)=%" PRIx64 "\n", put(nodes, sizeof nodes));
}

/* ---- The guest ---- */

static void put_entry(uint64_t table, unsigned index, uint64_t entry)
{
    memcpy(ram.host + table + index * 8, &entry, sizeof entry);
}

static void make(void)
{
    cr_assert(ram_init(&ram, RAM_BYTES));
    free_at = HEAP;
    nr_symbols = 0;
    info_end = (char *)ram.host + INFO;
    put_entry(PML4, 511, PDPT | 3);
    put_entry(PDPT, 510, DIRECTORY | 3);
    for (unsigned i = 0; i < RAM_BYTES >> 21; i++)
        put_entry(DIRECTORY, i, (uint64_t)i << 21 | 0x83);
    size_t nr_bytes = 0;
    uint8_t *btf = btf_of_source("#include \"tests/unit/linux_sample.h\"\n"
                                 "struct task_struct task; struct mm_struct mm; struct dentry dentry; struct "
                                 "vm_area_struct vma; struct file file; pg_data_t node;"
                                 "struct maple_range_64 range; struct maple_arange_64 arange;",
                                 &nr_bytes);
    if (!btf)
        cr_skip_test("no clang with a BPF target");
    inform("OSRELEASE=6.1.0-sample\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=%llx\nNUMBER(phys_base)=0\n",
           KERNEL + PML4);
    inform("NUMBER(pgtable_l5_enabled)=0\nSYMBOL(_stext)=%llx\n", TEXT);
    name(TEXT, "T_stext");
    name(TEXT, "Tfirst_function");
    name(TEXT + 0x30, "tsecond_function");
    name(TEXT + 0x90, "D__data_start");
    uint64_t at = put(btf, nr_bytes);
    free(btf);
    name(at, "R__start_BTF");
    name(at + nr_bytes, "R__stop_BTF");
    put_tasks();
    put_pages();
    put_node();
    put_symbols();
#define TELL(member) inform("OFFSET(page." #member ")=%zu\n", offsetof(struct page, member))
    TELL(flags), TELL(_refcount), TELL(mapping), TELL(lru), TELL(_mapcount), TELL(private),
        TELL(compound_head);
    inform("SIZE(page)=%zu\nOFFSET(pglist_data.node_start_pfn)=%zu\nOFFSET(pglist_data.node_spanned_pages)=%"
           "zu\n",
           sizeof(struct page), offsetof(struct pglist_data, node_start_pfn),
           offsetof(struct pglist_data, node_spanned_pages));
    inform("NUMBER(PG_slab)=9\nNUMBER(PG_private)=13\nNUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\n"
           "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\n");
    cr_assert_lt(info_end - (char *)ram.host, INFO + PAGE_BYTES);
}

static void drop(void)
{
    ram_fini(&ram);
}

TestSuite(linux_guest, .init = make, .fini = drop);

Test(linux_guest, is_found_with_its_symbols)
{
    struct linux_guest *guest = linux_guest_find(&ram);
    cr_assert_not_null(guest);
    cr_expect_str_eq(linux_guest_release(guest), "6.1.0-sample");
    cr_expect(linux_guest_has_layouts(guest));
    uint64_t address, offset;
    const struct elf_symbols *names = linux_guest_symbols(guest);
    for (unsigned i = 0; i < nr_symbols; i++) {
        cr_expect(elf_symbols_address(names, symbols[i].text + 1, &address), "%s", symbols[i].text);
        cr_expect_eq(address, symbols[i].address, "%s at %" PRIx64, symbols[i].text, address);
    }
    cr_expect_str_eq(elf_symbols_find(names, TEXT + 0x2f, &offset), "_stext");
    cr_expect_str_eq(elf_symbols_find(names, TEXT + 0x8f, &offset), "second_function");
    cr_expect_eq(offset, 0x5f);
    cr_expect_null(elf_symbols_find(names, TEXT + 0x90, &offset), "a function ends where data begin");
    cr_expect(linux_guest_is_there(guest));
    ram.host[INFO + 12]++;
    cr_expect_not(linux_guest_is_there(guest));
    linux_guest_destroy(guest);
}

/* In another guest than the bundled one it is found by guest_kernel, too, and forgotten when it is gone. */
Test(linux_guest, comes_and_goes)
{
    struct guest_kernel kernel;
    char text[80];
    guest_kernel_init(&kernel, &ram, NULL, 0);
    cr_expect_null(guest_kernel_name(&kernel, text, sizeof text));
    guest_kernel_look(&kernel, true);
    cr_expect_str_eq(guest_kernel_name(&kernel, text, sizeof text), "Linux 6.1.0-sample");
    cr_expect_null(guest_kernel_lacks(&kernel));
    ram.host[INFO]++;
    guest_kernel_look(&kernel, true);
    cr_expect_null(guest_kernel_name(&kernel, text, sizeof text));
    cr_expect_not_null(guest_kernel_lacks(&kernel));
    ram.host[INFO]--;
    guest_kernel_look(&kernel, false);
    cr_expect_str_eq(guest_kernel_name(&kernel, text, sizeof text), "Linux 6.1.0-sample");
    guest_kernel_fini(&kernel);
}

struct seen {
    struct guest_task task[8];
    unsigned nr, limit;
};

static bool see(void *opaque, const struct guest_task *task)
{
    struct seen *seen = opaque;
    if (seen->nr < sizeof seen->task / sizeof *seen->task)
        seen->task[seen->nr] = *task;
    return ++seen->nr < seen->limit;
}

Test(linux_guest, tasks)
{
    struct linux_guest *guest = linux_guest_find(&ram);
    struct seen seen = {.limit = 100};
    static const struct guest_task wanted[] = {
        {.name = "swapper/0", .state = 'R'},
        {.name = "init", .pid = 1, .state = 'S', .root = PML4, .nr_pages = 321},
        {.name = "kthread", .pid = 2, .state = 'I'},
        {.name = "dead", .pid = 77, .parent_pid = 1, .state = 'Z'}};
    linux_guest_tasks(guest, see, &seen);
    cr_assert_eq(seen.nr, 4, "%u", seen.nr);
    for (unsigned i = 0; i < 4; i++) {
        const struct guest_task *task = &seen.task[i], *want = &wanted[i];
        cr_expect_str_eq(task->name, want->name);
        cr_expect(task->pid == want->pid && task->parent_pid == want->parent_pid &&
                      task->state == want->state && task->root == want->root &&
                      task->nr_pages == want->nr_pages && !task->mm == !want->root,
                  "%s", want->name);
    }
    struct guest_task current;
    cr_assert(linux_guest_current_task(guest, &current));
    cr_expect_str_eq(current.name, "init");
    seen = (struct seen){.limit = 2};
    linux_guest_tasks(guest, see, &seen);
    cr_expect_eq(seen.nr, 2, "whoever asks may stop");
    ((struct task_struct *)host(tasks[2]))->tasks.next =
        pointer(tasks[1] + offsetof(struct task_struct, tasks));
    seen = (struct seen){.limit = UINT32_MAX};
    linux_guest_tasks(guest, see, &seen);
    cr_expect_gt(seen.nr, 1000, "a list without an end, which ends nevertheless");
    linux_guest_destroy(guest);
}

Test(linux_guest, areas)
{
    struct linux_guest *guest = linux_guest_find(&ram);
    struct guest_task init;
    static struct guest_area area[GUEST_MAX_AREAS];
    static const enum guest_area_kind kinds[] = {GUEST_AREA_OTHER, GUEST_AREA_CODE, GUEST_AREA_HEAP,
                                                 GUEST_AREA_OTHER, GUEST_AREA_STACK};
    cr_assert(linux_guest_current_task(guest, &init));
    cr_assert_eq(linux_guest_areas(guest, &init, area), NR_AREAS);
    for (unsigned i = 0; i < NR_AREAS; i++) {
        cr_expect(area[i].start == areas[i].vm_start && area[i].end == areas[i].vm_end, "%u", i);
        cr_expect_eq(area[i].rights, areas[i].vm_flags & 7);
        cr_expect_eq(area[i].is_shared, i == 3);
        cr_expect_eq(area[i].kind, kinds[i], "%u: %u", i, area[i].kind);
        cr_expect_eq(area[i].file_offset, areas[i].vm_pgoff * PAGE_BYTES);
        cr_expect_str_eq(area[i].path, i < 2 ? "/bin/sample" : "");
    }
    /* A leaf that leads to itself. */
    ((struct maple_range_64 *)host(leaf_at))->slot[1] = node_slot(leaf_at, 3);
    linux_guest_areas(guest, &init, area);
    struct guest_task thread = {.pid = 2};
    cr_expect_eq(linux_guest_areas(guest, &thread, area), 0);
    linux_guest_destroy(guest);
}

Test(linux_guest, owners_and_zones)
{
    struct linux_guest *guest = linux_guest_find(&ram);
    static uint8_t owner[NR_FRAMES + 1], free_order[NR_FRAMES + 1];
    cr_assert(linux_guest_owners(guest, owner, free_order, NR_FRAMES + 1));
    for (unsigned i = 0; i <= NR_FRAMES; i++) {
        enum guest_owner want = i < 16 || i == NR_FRAMES                    ? GUEST_OWNER_RESERVED
                                : i == 16 || i == 17                        ? GUEST_OWNER_SLAB
                                : i == 18                                   ? GUEST_OWNER_ANON
                                : i == 19                                   ? GUEST_OWNER_PAGE_CACHE
                                : i == 20                                   ? GUEST_OWNER_PAGE_TABLE
                                : (i >= 32 && i < 40) || i == 41 || i == 42 ? GUEST_OWNER_FREE
                                                                            : GUEST_OWNER_KERNEL;
        cr_expect_eq(owner[i], want, "frame %u: %u", i, owner[i]);
        cr_expect_eq(free_order[i], i >= 32 && i < 40 ? 3 : 0, "frame %u", i);
    }
    struct guest_zone zone;
    cr_assert(linux_guest_zone(guest, 0, &zone), "a zone without pages is none");
    cr_expect_str_eq(zone.name, "Normal");
    cr_expect(zone.start_pfn == 16 && zone.spanned_pages == NR_FRAMES - 16 && zone.managed_pages == 1000);
    cr_expect(zone.free_pages == 345 && zone.watermark_pages[0] == 10 && zone.watermark_pages[2] == 14);
    cr_expect(zone.nr_orders == 11 && zone.nr_free_blocks[3] == 5 && zone.nr_free_blocks[2] == 0);
    cr_expect_not(linux_guest_zone(guest, 1, &zone));
    linux_guest_destroy(guest);
}

/* ---- What is torn or wild ---- */

static uint64_t random_state = 20261129;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)((random_state >> 33) % below);
}

static void ask_all(void)
{
    static uint8_t owner[NR_FRAMES];
    static struct guest_area area[GUEST_MAX_AREAS];
    struct linux_guest *guest = linux_guest_find(&ram);
    struct seen seen = {.limit = 1000};
    struct guest_task task;
    struct guest_zone zone;
    if (!guest)
        return;
    linux_guest_tasks(guest, see, &seen);
    if (linux_guest_current_task(guest, &task))
        cr_assert_leq(linux_guest_areas(guest, &task, area), GUEST_MAX_AREAS);
    if (linux_guest_owners(guest, owner, NULL, NR_FRAMES))
        for (unsigned i = 0; i < NR_FRAMES; i++)
            cr_assert_lt(owner[i], NR_GUEST_OWNERS);
    for (unsigned i = 0; i < GUEST_MAX_ZONES; i++)
        linux_guest_zone(guest, i, &zone);
    linux_guest_destroy(guest);
}

/* Bytes changed anywhere in what is read: other answers, or none, but no crash and an end. */
Test(linux_guest, damage)
{
    enum { ROUNDS = 2000, MAX_CHANGES = 4 };
    const struct {
        uint32_t from, nr_bytes;
    } places[] = {{PML4, 0x3000}, {INFO, 0x800}, {HEAP, (uint32_t)free_at - HEAP}};
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t at[MAX_CHANGES], nr = 1 + draw(MAX_CHANGES);
        uint8_t before[MAX_CHANGES];
        for (unsigned i = 0; i < nr; i++) {
            unsigned place = draw(3);
            at[i] = places[place].from + draw(places[place].nr_bytes);
            before[i] = ram.host[at[i]];
            ram.host[at[i]] = (uint8_t)draw(256);
        }
        ask_all();
        for (unsigned i = nr; i-- > 0;)
            ram.host[at[i]] = before[i];
    }
}

/* Each pointer of the structures in turn leads to where it stands, and the tree of areas to its own root. */
Test(linux_guest, chains_without_an_end)
{
    for (uint64_t at = HEAP; at + 8 <= free_at; at += 8) {
        uint64_t before, self = KERNEL + at;
        memcpy(&before, ram.host + at, sizeof before);
        if (before < KERNEL + HEAP || before >= KERNEL + RAM_BYTES)
            continue;
        self = before & 2 && !(before & 1) ? (self & ~(uint64_t)0xff) | (before & 0xff) : self;
        memcpy(ram.host + at, &self, sizeof self);
        ask_all();
        memcpy(ram.host + at, &before, sizeof before);
    }
}
