#include "sim/board/iommu_unit.h"

static uint64_t read_register(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return iommu_read(opaque, offset);
}

static void write_register(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    (void)size;
    iommu_write(opaque, offset, (uint32_t)value);
}

struct iommu *iommu_unit_create(const struct iommu_params *params, struct iomap *memory, struct diag *diag)
{
    struct iommu_params own = *params;
    own.host_address_bits = IOMMU_UNIT_ADDRESS_BITS;
    struct iommu *iommu = iommu_create(&own);
    if (!iommu) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "IOMMU: out of memory");
        return NULL;
    }
    const struct io_range range = {.name = "IOMMU",
                                   .base = IOMMU_UNIT_BASE,
                                   .size = IOMMU_REGISTERS_BYTES,
                                   .widths = IO_WIDTH_4,
                                   .read = read_register,
                                   .write = write_register,
                                   .opaque = iommu};
    if (!iomap_add(memory, &range, diag)) {
        iommu_destroy(iommu);
        return NULL;
    }
    return iommu;
}
