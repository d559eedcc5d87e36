#include "acpi.h"
#include "asm/cacheflush.h"
#include "asm/io.h"
#include "asm/ioremap.h"
#include "bug.h"
#include "dma-mapping.h"
#include "iommu.h"
#include "params.h"
#include "pci.h"
#include "printk.h"
#include "string.h"

/* Registers (VT-d 3.3, 11.4). */
#define REG_CAP 0x08
#define REG_ECAP 0x10
#define REG_GCMD 0x18
#define REG_GSTS 0x1C
#define REG_RTADDR 0x20
#define REG_CCMD 0x28
#define REG_FSTS 0x34
#define REG_BYTES 0x1000u

#define CAP_RWBF (1u << 4)
#define CAP_CM (1u << 7)
#define CAP_SAGAW_39 (1u << 9)
#define CAP_SAGAW_48 (1u << 10)
#define ECAP_COHERENT 1u
#define GCMD_TE (1u << 31)
#define GCMD_SRTP (1u << 30)
#define GSTS_KEPT 0x96FFFFFFu /* commands that go on: the others are done once */
#define CCMD_ICC (1u << 31)   /* of the high half */
#define CCMD_GLOBAL (1u << 29)
#define IOTLB_IVT (1u << 31) /* of the high half */
#define IOTLB_GLOBAL (1u << 28)
#define IOTLB_DOMAIN (2u << 28)
#define IOTLB_DRAIN (3u << 16)
#define FSTS_PFO 0x1u
#define FSTS_PPF 0x2u

/* Entries of tables: 4.1 root, 4.2 context, 9.8 second level. */
#define ENTRY_PRESENT 1u
#define CONTEXT_AW_39 1u
#define CONTEXT_AW_48 2u
#define CONTEXT_DID_SHIFT 8
#define SL_READ 1u
#define SL_WRITE 2u

/* One window of bus addresses for every device, with all its tables there from the start. */
#define IOVA_START (1u << 20)
#define IOVA_END (16u << 20)
#define NR_IOVA_PAGES ((IOVA_END - IOVA_START) >> PAGE_SHIFT)
#define ENTRIES 512u
#define NR_LAST_TABLES (IOVA_END >> PAGE_SHIFT >> 9)
#define MAX_DOMAINS 4

#define SCOPE_BYTES 512u

/* Of the table DMAR (chapter 8): its header, and the first unit with the devices that it is for. */
struct dmar {
    struct acpi_table_header header;
    u8 width, flags, reserved[10];
    u16 type, length;
    u8 unit_flags, size;
    u16 segment;
    u64 base;
    u8 scope[SCOPE_BYTES];
} __packed;

/* A device of the scope (8.3.1), on its bus; behind bridges there would be more of a path. */
struct device_scope {
    u8 type, length, reserved[2], id, bus, device, function;
};
#define DMAR_DRHD 0
#define DRHD_BYTES 16u /* without the scope */
#define DRHD_INCLUDE_PCI_ALL 1u
#define SCOPE_ENDPOINT 1

struct iommu_domain {
    u16 id;
    u64 *root;                 /* the table that the context names: of the fourth level, or the third */
    u64 *last[NR_LAST_TABLES]; /* first level: an entry a page */
    u32 taken[NR_IOVA_PAGES / 32];
};

static struct dmar dmar;
static u8 *unit; /* NULL: there is none, or it is not to translate */
static bool is_coherent, has_four_levels;
static bool has_caching_mode; /* what is not present is kept too, and has to be invalidated */
static u16 iotlb_offset;
static u64 *root_table;
static u64 *context_table; /* of bus 0 */
static struct iommu_domain domains[MAX_DOMAINS];
static u32 nr_domains;

static void write64(u32 offset, u64 value)
{
    writel((u32)value, unit + offset);
    writel((u32)(value >> 32), unit + offset + 4);
}

/* ---- Tables ---- */

/* The unit may read them from memory, past the caches. */
static void written(const void *entry, size_t bytes)
{
    if (!is_coherent)
        clflush_cache_range(entry, bytes);
}

static u64 *new_table(void)
{
    u64 *table = (u64 *)__get_free_pages(GFP_KERNEL, 0);
    if (table) {
        memset(table, 0, PAGE_SIZE);
        written(table, PAGE_SIZE);
    }
    return table;
}

static void set_entry(u64 *entry, u64 value)
{
    *entry = value;
    written(entry, sizeof(*entry));
}

/* From the top down: everything in the window is below the first entry of the upper ones. */
static bool make_tables(struct iommu_domain *domain)
{
    u64 *third = new_table(), *second = new_table();
    domain->root = has_four_levels ? new_table() : third;
    if (domain->root == NULL || third == NULL || second == NULL)
        return false;
    if (has_four_levels)
        set_entry(&domain->root[0], __pa(third) | SL_READ | SL_WRITE);
    set_entry(&third[0], __pa(second) | SL_READ | SL_WRITE);
    for (u32 i = 0; i < NR_LAST_TABLES; i++) {
        domain->last[i] = new_table();
        if (domain->last[i] == NULL)
            return false;
        set_entry(&second[i], __pa(domain->last[i]) | SL_READ | SL_WRITE);
    }
    return true;
}

static u64 *entry_of(const struct iommu_domain *domain, u64 iova)
{
    u32 page = (u32)(iova >> PAGE_SHIFT);
    return &domain->last[page / ENTRIES][page % ENTRIES];
}

/* ---- The unit ---- */

/* Commands that are told by a bit are done when the status says so. */
static void command(u32 bit)
{
    writel((readl(unit + REG_GSTS) & GSTS_KEPT) | bit, unit + REG_GCMD);
    while (!(readl(unit + REG_GSTS) & bit))
        ;
}

static void invalidate_contexts(void)
{
    write64(REG_CCMD, (u64)(CCMD_ICC | CCMD_GLOBAL) << 32);
    while (readl(unit + REG_CCMD + 4) & CCMD_ICC)
        ;
}

/* domain NULL: of all domains. */
static void invalidate_iotlb(const struct iommu_domain *domain)
{
    const u32 kind = domain ? IOTLB_DOMAIN | domain->id : IOTLB_GLOBAL;
    write64(iotlb_offset, (u64)(IOTLB_IVT | IOTLB_DRAIN | kind) << 32);
    while (readl(unit + iotlb_offset + 4) & IOTLB_IVT)
        ;
}

/* Whether a device is one of the unit's. */
static bool is_in_scope(const struct pci_dev *pci)
{
    const u32 end = min((u32)dmar.length - DRHD_BYTES, SCOPE_BYTES);
    if (dmar.unit_flags & DRHD_INCLUDE_PCI_ALL)
        return true;
    for (u32 at = 0; at + sizeof(struct device_scope) <= end;) {
        const struct device_scope *scope = (const void *)(dmar.scope + at);
        if (scope->type == SCOPE_ENDPOINT && scope->length == sizeof(*scope) && scope->bus == pci->bus &&
            (scope->device << 3 | scope->function) == pci->devfn)
            return true;
        if (scope->length == 0)
            break;
        at += scope->length;
    }
    return false;
}

static bool __init find_unit(void)
{
    if (!acpi_get_table("DMAR", &dmar, sizeof(dmar)) || dmar.type != DMAR_DRHD || dmar.length < DRHD_BYTES)
        return false;
    unit = ioremap(dmar.base, REG_BYTES);
    if (unit == NULL)
        return false;
    u32 cap = readl(unit + REG_CAP), ecap = readl(unit + REG_ECAP);
    is_coherent = ecap & ECAP_COHERENT;
    iotlb_offset = (u16)((ecap >> 8 & 0x3FF) * 16 + 8);
    has_four_levels = cap & CAP_SAGAW_48;
    has_caching_mode = cap & CAP_CM;
    /* Write buffers that have to be flushed by hand are those of early units. */
    return (cap & (CAP_SAGAW_39 | CAP_SAGAW_48)) && !(cap & CAP_RWBF);
}

void __init intel_iommu_init(void)
{
    if (!boot_params.has_iommu)
        return;
    if (find_unit()) {
        root_table = new_table();
        context_table = new_table();
    }
    if (root_table == NULL || context_table == NULL) {
        pr_warn("DMAR: no unit that can be used\n");
        unit = NULL;
        return;
    }
    set_entry(&root_table[0], __pa(context_table) | ENTRY_PRESENT);
    write64(REG_RTADDR, __pa(root_table));
    command(GCMD_SRTP);
    invalidate_contexts();
    invalidate_iotlb(NULL);
    command(GCMD_TE);
    pr_info("DMAR: translation enabled, %u levels\n", has_four_levels ? 4 : 3);
}

void __init iommu_attach_device(struct device *dev, const struct pci_dev *pci)
{
    if (unit == NULL || pci->bus != 0 || nr_domains == MAX_DOMAINS || !is_in_scope(pci))
        return;
    struct iommu_domain *domain = &domains[nr_domains++];
    domain->id = (u16)nr_domains; /* 0 is not for software where the unit has caching mode */
    if (!make_tables(domain))
        return;
    set_entry(&context_table[2 * pci->devfn + 1],
              (has_four_levels ? CONTEXT_AW_48 : CONTEXT_AW_39) | (u64)domain->id << CONTEXT_DID_SHIFT);
    set_entry(&context_table[2 * pci->devfn], __pa(domain->root) | ENTRY_PRESENT);
    if (has_caching_mode)
        invalidate_contexts();
    dev->domain = domain;
}

/* ---- Mappings ---- */

static bool is_taken(const struct iommu_domain *domain, u32 page)
{
    return domain->taken[page / 32] >> page % 32 & 1;
}

static void set_taken(struct iommu_domain *domain, u32 page, bool taken)
{
    u32 bit = 1u << page % 32;
    domain->taken[page / 32] = (domain->taken[page / 32] & ~bit) | (taken ? bit : 0);
}

u64 iova_alloc(struct iommu_domain *domain, u32 nr_pages)
{
    u32 nr_free = 0;
    for (u32 page = 0; page < NR_IOVA_PAGES; page++) {
        nr_free = is_taken(domain, page) ? 0 : nr_free + 1;
        if (nr_free < nr_pages)
            continue;
        for (u32 i = 0; i < nr_pages; i++)
            set_taken(domain, page - i, true);
        return IOVA_START + ((u64)(page + 1 - nr_pages) << PAGE_SHIFT);
    }
    return 0;
}

void iommu_map(struct iommu_domain *domain, u64 iova, phys_addr_t physical, u32 nr_pages, u32 rights)
{
    for (u32 i = 0; i < nr_pages; i++)
        set_entry(entry_of(domain, iova + i * PAGE_SIZE), (physical + i * PAGE_SIZE) | rights);
    if (has_caching_mode)
        invalidate_iotlb(domain);
}

void iommu_unmap(struct iommu_domain *domain, u64 iova, u32 nr_pages)
{
    for (u32 i = 0; i < nr_pages; i++)
        set_entry(entry_of(domain, iova + i * PAGE_SIZE), 0);
    invalidate_iotlb(domain);
    for (u32 i = 0; i < nr_pages; i++)
        set_taken(domain, (u32)(iova - IOVA_START) / PAGE_SIZE + i, false);
}

phys_addr_t iommu_iova_to_phys(const struct iommu_domain *domain, u64 iova)
{
    return (*entry_of(domain, iova) & ~(u64)(PAGE_SIZE - 1)) | (iova & (PAGE_SIZE - 1));
}

/* ---- Faults (11.4.14, 11.4.7.1) ---- */

bool iommu_next_fault(struct iommu_fault *fault)
{
    u32 status = unit ? readl(unit + REG_FSTS) : 0;
    if (!(status & FSTS_PPF))
        return false;
    u32 first = (readl(unit + REG_CAP) >> 24 | readl(unit + REG_CAP + 4) << 8) & 0x3FF;
    u8 *record = unit + first * 16 + (status >> 8 & 0xFF) * 16;
    u32 high = readl(record + 12);
    *fault = (struct iommu_fault){.address = readl(record) | (u64)readl(record + 4) << 32,
                                  .source = (u16)readl(record + 8),
                                  .reason = (u8)high,
                                  .is_read = high & 1u << 30};
    writel(1u << 31, record + 12);
    writel(FSTS_PFO, unit + REG_FSTS);
    return true;
}
