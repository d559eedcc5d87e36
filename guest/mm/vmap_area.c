/* The areas of the vmalloc region, in a red-black tree by address. */
#include "asm/page.h"
#include "slab.h"
#include "vmalloc.h"

static struct rb_root vmap_area_root;
static struct kmem_cache *vm_struct_cachep;

void vm_area_init(void)
{
    vm_struct_cachep = KMEM_CACHE(vm_struct, SLAB_PANIC);
}

static struct vm_struct *area_of(struct rb_node *node)
{
    return node ? rb_entry(node, struct vm_struct, rb_node) : NULL;
}

struct vm_struct *first_vm_area(void)
{
    return area_of(rb_first(&vmap_area_root));
}

struct vm_struct *next_vm_area(const struct vm_struct *area)
{
    return area_of(rb_next(&area->rb_node));
}

struct vm_struct *find_vm_area(unsigned long address)
{
    struct rb_node *node = vmap_area_root.rb_node;
    while (node) {
        struct vm_struct *area = area_of(node);
        if (address < area->addr)
            node = node->child[RB_LEFT];
        else if (address >= area->addr + area->size)
            node = node->child[RB_RIGHT];
        else
            return area;
    }
    return NULL;
}

static void insert_area(struct vm_struct *area)
{
    struct rb_node **link = &vmap_area_root.rb_node, *parent = NULL;
    while (*link) {
        parent = *link;
        link = &parent->child[area->addr < area_of(parent)->addr ? RB_LEFT : RB_RIGHT];
    }
    rb_link_node(&area->rb_node, parent, link);
    rb_insert_color(&area->rb_node, &vmap_area_root);
}

/* The lowest aligned address with so many bytes free behind it; 0 if there is none. */
static unsigned long find_hole(unsigned long size, unsigned long align)
{
    unsigned long address = ALIGN_UP(VMALLOC_START, align);
    for (const struct vm_struct *area = first_vm_area(); area; area = next_vm_area(area)) {
        if (address < area->addr && area->addr - address >= size)
            break;
        address = ALIGN_UP(area->addr + area->size, align);
    }
    return address < VMALLOC_END && VMALLOC_END - address >= size ? address : 0;
}

struct vm_struct *get_vm_area(unsigned long size, unsigned long align, u32 flags, unsigned long caller)
{
    size = PAGE_ALIGN(size);
    if (size == 0 || size > VMALLOC_END - VMALLOC_START)
        return NULL;
    size += PAGE_SIZE;
    unsigned long address = find_hole(size, align);
    if (address == 0)
        return NULL;
    struct vm_struct *area = kmem_cache_zalloc(vm_struct_cachep, GFP_KERNEL);
    if (area == NULL)
        return NULL;
    area->addr = address;
    area->size = size;
    area->flags = flags;
    area->caller = caller;
    insert_area(area);
    return area;
}

void free_vm_area(struct vm_struct *area)
{
    rb_erase(&area->rb_node, &vmap_area_root);
    kmem_cache_free(vm_struct_cachep, area);
}
