/*
 * The IOMMU (dma/iommu.h) on the board: its registers at IOMMU_UNIT_BASE, where Intel's chip sets have them
 * and where the DMAR table says they are. docs/iommu.md says what it does.
 */
#ifndef LK_SIM_BOARD_IOMMU_UNIT_H
#define LK_SIM_BOARD_IOMMU_UNIT_H

#include "dma/iommu.h"
#include "sim/base/diag.h"
#include "sim/base/iomap.h"

#define IOMMU_UNIT_BASE UINT64_C(0xfed90000)
enum { IOMMU_UNIT_ADDRESS_BITS = 39 }; /* of physical addresses, to it */

/*
 * The address bits are the unit's to fill in. What it makes is destroyed with iommu_destroy. On failure adds
 * a line and returns NULL.
 */
struct iommu *iommu_unit_create(const struct iommu_params *params, struct iomap *memory, struct diag *diag);

#endif
