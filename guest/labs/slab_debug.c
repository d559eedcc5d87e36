/* S3. A debugged cache finds who writes where he may not, and says who had the object. */
#include "kallsyms.h"
#include "lab.h"
#include "slab.h"
#include "string.h"

struct packet {
    char text[40];
};

static struct kmem_cache *cache;

/* Two drivers, each with its mistake; out of line, so that their names can be seen in a report. */
static __attribute__((noinline)) struct packet *careless_driver_takes(void)
{
    struct packet *packet = kmem_cache_alloc(cache, GFP_KERNEL);
    barrier();
    return packet;
}

static __attribute__((noinline)) void careless_driver_overruns(struct packet *packet)
{
    volatile char *text = packet->text;
    for (u32 i = 0; i < sizeof(packet->text) + 3; i++)
        text[i] = 'x';
}

static __attribute__((noinline)) void hasty_driver_frees(struct packet *packet)
{
    kmem_cache_free(cache, packet);
    barrier();
}

static bool is_in(unsigned long return_address, const char *function)
{
    u32 offset;
    const struct kallsym *sym = return_address ? kallsyms_lookup((u32)return_address - 1, &offset) : NULL;
    return sym && strcmp(sym->name, function) == 0;
}

static void check_report(unsigned long nr, const char *what)
{
    const struct slab_report *report = slab_last_report();
    lab_check(slab_nr_errors() == nr && report->cache == cache && strcmp(report->what, what) == 0,
              "it was found: %s", what);
}

static void slab_debug(void)
{
    unsigned long nr = slab_nr_errors();
    cache = kmem_cache_create("packet", sizeof(struct packet), 0, SLAB_DEBUG_FLAGS, NULL);

    lab_say("A driver writes three bytes behind its packet:");
    struct packet *packet = careless_driver_takes();
    careless_driver_overruns(packet);
    hasty_driver_frees(packet);
    check_report(nr + 1, "Right Redzone overwritten");
    lab_check(is_in(slab_last_report()->taken_by, "careless_driver_takes"),
              "the report names who took the packet");
    lab_check(is_in(slab_last_report()->found_by, "hasty_driver_frees"), "and who gave it back");

    lab_say("A driver writes to a packet that it has given back:");
    packet = careless_driver_takes();
    hasty_driver_frees(packet);
    *(volatile char *)(packet->text + 8) = '!';
    packet = careless_driver_takes();
    check_report(nr + 2, "Poison overwritten");
    lab_check(is_in(slab_last_report()->given_by, "hasty_driver_frees"),
              "the report names who gave the packet back");

    lab_say("A driver gives a packet back twice:");
    hasty_driver_frees(packet);
    hasty_driver_frees(packet);
    check_report(nr + 3, "Object already free");
    lab_check(kmem_cache_destroy(cache) == 0, "the cache is whole in spite of it all");
}
LAB("slab-debug", slab_debug);
