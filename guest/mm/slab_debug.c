/*
 * Finding those who write where they may not (option slub_debug). An object of a debugged cache lies between
 * things that nobody may touch:
 *
 *   | red zone | object | red zone | next free | who took it, who gave it back |
 *
 * The red zones hold one byte while the object is in use and another while it is free, a free object is
 * filled with poison, and both are looked at when the object changes hands. A report names the object's
 * cache, the bytes that are wrong, and who had it last; then the bytes are put right, and life goes on.
 */
#include "bug.h"
#include "kallsyms.h"
#include "params.h"
#include "slab_internal.h"
#include "string.h"
#include "task_pid.h"

#define RED_INACTIVE 0xBBu /* red zone of a free object */
#define RED_ACTIVE 0xCCu   /* red zone of an object in use */
#define POISON_INUSE 0x5Au /* handed out and not yet written */
#define POISON_FREE 0x6Bu
#define POISON_END 0xA5u /* last byte of a free object */

struct track {
    unsigned long address; /* 0: nobody yet */
    u32 pid;
};
enum track_item { TRACK_ALLOC, TRACK_FREE };

static unsigned long nr_errors;
static struct slab_report last_report;

unsigned long slab_nr_errors(void)
{
    return nr_errors;
}

const struct slab_report *slab_last_report(void)
{
    return &last_report;
}

static u32 letter_flag(char letter)
{
    switch (letter) {
    case 'F':
        return SLAB_CONSISTENCY_CHECKS;
    case 'Z':
        return SLAB_RED_ZONE;
    case 'P':
        return SLAB_POISON;
    case 'U':
        return SLAB_STORE_USER;
    default:
        return 0;
    }
}

/* Whether the list of names, separated by commas, is empty or has this one. */
static bool is_listed(const char *names, const char *name)
{
    size_t bytes = strlen(name);
    if (*names == '\0')
        return true;
    while (*names) {
        const char *end = strchr(names, ',');
        size_t length = end ? (size_t)(end - names) : strlen(names);
        if (length == bytes && strncmp(names, name, bytes) == 0)
            return true;
        names += length + (end != NULL);
    }
    return false;
}

u32 slab_debug_flags(const char *name)
{
    const char *option = boot_params.slub_debug;
    if (option == NULL)
        return 0;
    u32 flags = 0;
    while (*option && *option != ',')
        flags |= letter_flag(*option++);
    if (*option == ',')
        option++;
    return is_listed(option, name) ? (flags ? flags : SLAB_DEBUG_FLAGS) : 0;
}

void slab_debug_layout(struct kmem_cache *cache)
{
    const u32 word = (u32)sizeof(void *);
    u32 end = ALIGN_UP(cache->object_size, word);
    if (cache->flags & SLAB_RED_ZONE) {
        cache->red_left_pad = ALIGN_UP(word, cache->align);
        /* At least one byte, even behind an object whose size is a multiple of the word. */
        end = ALIGN_UP(cache->object_size + 1, word);
    }
    /* Poison fills the object's first word, too. */
    cache->free_offset = end;
    end += word;
    cache->track_offset = end;
    if (cache->flags & SLAB_STORE_USER)
        end += 2 * (u32)sizeof(struct track);
    cache->size = end + cache->red_left_pad;
}

static struct track *track_of(const struct kmem_cache *cache, void *object, enum track_item item)
{
    return (struct track *)(void *)((char *)object + cache->track_offset) + item;
}

static void set_track(const struct kmem_cache *cache, void *object, enum track_item item,
                      unsigned long address)
{
    if (cache->flags & SLAB_STORE_USER)
        *track_of(cache, object, item) = (struct track){.address = address, .pid = current_pid()};
}

static void show_track(const struct kmem_cache *cache, void *object, enum track_item item)
{
    if (!(cache->flags & SLAB_STORE_USER))
        return;
    const struct track *track = track_of(cache, object, item);
    *(item == TRACK_ALLOC ? &last_report.taken_by : &last_report.given_by) = track->address;
    if (track->address == 0)
        return;
    char symbol[SYMBOL_BYTES];
    sprint_symbol(symbol, sizeof(symbol), track->address);
    pr_err("%s in %s pid=%u\n", item == TRACK_ALLOC ? "Allocated" : "Freed", symbol, track->pid);
}

static void report(const struct kmem_cache *cache, void *object, unsigned long caller, const char *what)
{
    char symbol[SYMBOL_BYTES];
    sprint_symbol(symbol, sizeof(symbol), caller);
    nr_errors++;
    last_report = (struct slab_report){.what = what, .cache = cache, .found_by = caller};
    pr_err("=============================================================================\n");
    pr_err("BUG %s: %s\n", cache->name, what);
    pr_err("-----------------------------------------------------------------------------\n");
    pr_err("Found in %s pid=%u\n", symbol, current_pid());
    const struct page *slab = virt_to_head_page(object);
    pr_err("Slab %p objects=%u used=%u\n", page_address(slab), cache->num, slab->nr_objs);
    pr_err("Object %p size=%u\n", object, cache->object_size);
}

/*
 * Bytes that must hold a value. If one does not: a report of the first and the last such, and they are put
 * right.
 */
static bool check_bytes(const struct kmem_cache *cache, void *object, const char *what, u8 *start, u32 bytes,
                        u32 value, unsigned long caller)
{
    u32 first = 0, last = bytes;
    while (first < bytes && start[first] == value)
        first++;
    if (first == bytes)
        return true;
    while (start[last - 1] == value)
        last--;
    report(cache, object, caller, what);
    pr_err("%p-%p: first byte 0x%02x instead of 0x%02x\n", (void *)(start + first),
           (void *)(start + last - 1), start[first], value);
    show_track(cache, object, TRACK_ALLOC);
    show_track(cache, object, TRACK_FREE);
    memset(start, (int)value, bytes);
    return false;
}

static u8 *left_red_zone(const struct kmem_cache *cache, void *object)
{
    return (u8 *)object - cache->red_left_pad;
}

static u32 right_red_zone_bytes(const struct kmem_cache *cache)
{
    return cache->free_offset - cache->object_size;
}

static void check_red_zones(const struct kmem_cache *cache, void *object, u32 value, unsigned long caller)
{
    if (!(cache->flags & SLAB_RED_ZONE))
        return;
    check_bytes(cache, object, "Left Redzone overwritten", left_red_zone(cache, object), cache->red_left_pad,
                value, caller);
    check_bytes(cache, object, "Right Redzone overwritten", (u8 *)object + cache->object_size,
                right_red_zone_bytes(cache), value, caller);
}

static void set_red_zones(const struct kmem_cache *cache, void *object, u32 value)
{
    if (!(cache->flags & SLAB_RED_ZONE))
        return;
    memset(left_red_zone(cache, object), (int)value, cache->red_left_pad);
    memset((u8 *)object + cache->object_size, (int)value, right_red_zone_bytes(cache));
}

/* What a constructor made must stay, poison or not. */
static bool is_poisoned(const struct kmem_cache *cache)
{
    return (cache->flags & SLAB_POISON) && cache->ctor == NULL;
}

static void set_poison(const struct kmem_cache *cache, void *object)
{
    memset(object, POISON_FREE, cache->object_size - 1);
    ((u8 *)object)[cache->object_size - 1] = POISON_END;
}

void slab_debug_init_object(struct kmem_cache *cache, void *object)
{
    if (!slab_is_debugged(cache))
        return;
    set_red_zones(cache, object, RED_INACTIVE);
    if (is_poisoned(cache))
        set_poison(cache, object);
    if (cache->flags & SLAB_STORE_USER)
        memset(track_of(cache, object, TRACK_ALLOC), 0, 2 * sizeof(struct track));
}

void slab_debug_alloc(struct kmem_cache *cache, void *object, unsigned long caller)
{
    check_red_zones(cache, object, RED_INACTIVE, caller);
    if (is_poisoned(cache)) {
        u8 *bytes = object;
        u32 last = cache->object_size - 1;
        bool ok = check_bytes(cache, object, "Poison overwritten", bytes, last, POISON_FREE, caller);
        if (ok)
            check_bytes(cache, object, "Poison overwritten", bytes + last, 1, POISON_END, caller);
        memset(object, POISON_INUSE, cache->object_size);
    }
    set_red_zones(cache, object, RED_ACTIVE);
    set_track(cache, object, TRACK_ALLOC, caller);
}

static bool is_on_freelist(const struct kmem_cache *cache, const struct page *slab, const void *object)
{
    const void *at = slab->freelist;
    while (at) {
        if (at == object)
            return true;
        at = *(void *const *)(const void *)((const char *)at + cache->free_offset);
    }
    return false;
}

bool slab_debug_free(struct kmem_cache *cache, void *object, unsigned long caller)
{
    struct page *slab = virt_to_head_page(object);
    if (!is_slab_object(cache, slab, object)) {
        report(cache, object, caller, "Invalid object pointer");
        return false;
    }
    if ((cache->flags & SLAB_CONSISTENCY_CHECKS) && is_on_freelist(cache, slab, object)) {
        report(cache, object, caller, "Object already free");
        show_track(cache, object, TRACK_ALLOC);
        show_track(cache, object, TRACK_FREE);
        return false;
    }
    check_red_zones(cache, object, RED_ACTIVE, caller);
    set_red_zones(cache, object, RED_INACTIVE);
    if (is_poisoned(cache))
        set_poison(cache, object);
    set_track(cache, object, TRACK_FREE, caller);
    return true;
}
