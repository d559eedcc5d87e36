#include "sim/board/i440fx.h"

#include "sim/base/snap.h"

#include <stdlib.h>

/* 82441FX data sheet, 3.2: device-specific registers. */
enum {
    PMCCFG = 0x50,
    DETURBO = 0x52,
    DBC = 0x53,
    AXC = 0x54,
    DRT = 0x55,
    DRAMC = 0x57,
    DRAMT = 0x58,
    PAM0 = 0x59,
    DRB0 = 0x60,
    FDHC = 0x68,
    MTT = 0x70,
    CLT = 0x71,
    SMRAM = 0x72,
    ERRCMD = 0x90,
    ERRSTS = 0x91,
    TRC = 0x93,
};

enum { NR_PAMS = 7 };
enum smram_bit {
    SMRAM_SEGMENT = 2,
    SMRAM_ENABLE = 1 << 3,
    SMRAM_LOCK = 1 << 4,
    SMRAM_CLOSED = 1 << 5,
    SMRAM_OPEN = 1 << 6
};
enum trc_bit { TRC_CPU_RESET = 1 << 2 };

struct i440fx {
    struct i440fx_params params;
    struct pci_function *function;
    uint8_t smram, trc; /* as they were before the write that is looked at */
};

static const struct pci_field fields[] = {
    {PCI_LATENCY, 1, 0, 0xf8, 0},
    {PMCCFG, 2, 0, 0xffff, 0},
    {DETURBO, 1, 0, 0xff, 0},
    {DBC, 1, 0x80, 0xff, 0},
    {AXC, 1, 0, 0xff, 0},
    {DRT, 2, 0, 0xffff, 0},
    {DRAMC, 1, 0x01, 0xff, 0},
    {DRAMT, 1, 0x10, 0xff, 0},
    {PAM0, 1, 0, 0x30, 0},
    {PAM0 + 1, 2, 0, 0x3333, 0},
    {PAM0 + 3, 4, 0, 0x33333333, 0},
    {DRB0, 4, 0x01010101, 0xffffffff, 0},
    {DRB0 + 4, 4, 0x01010101, 0xffffffff, 0},
    {FDHC, 1, 0, 0xc0, 0},
    {MTT, 1, 0x20, 0xff, 0},
    {CLT, 1, 0x10, 0xff, 0},
    {SMRAM, 1, SMRAM_SEGMENT, SMRAM_OPEN | SMRAM_CLOSED | SMRAM_LOCK | SMRAM_ENABLE, 0},
    {ERRCMD, 1, 0, 0xff, 0},
    {ERRSTS, 1, 0, 0, 0xff},
    {TRC, 1, 0, 0x0e, 0},
};

/* PAM0's upper half is F0000h-FFFFFh; the others' halves are 16 KiB each from C0000h on (3.2.18). */
static void apply_pam(const struct i440fx *bridge, unsigned index)
{
    unsigned value = pci_config_get(bridge->function, PAM0 + index, 1);
    struct shadow *shadow = bridge->params.shadow;
    if (index == 0) {
        shadow_set(shadow, 0xf0000, 0x10000, (enum shadow_access)(value >> 4 & 3));
        return;
    }
    uint32_t at = SHADOW_ROM_BASE + (index - 1) * 2 * SHADOW_UNIT_BYTES;
    shadow_set(shadow, at, SHADOW_UNIT_BYTES, (enum shadow_access)(value & 3));
    shadow_set(shadow, at + SHADOW_UNIT_BYTES, SHADOW_UNIT_BYTES, (enum shadow_access)(value >> 4 & 3));
}

/*
 * Once locked, neither D_OPEN nor the lock itself can be changed until a reset, and the space is closed
 * (3.2.23). Closing (D_CLS) concerns data alone while in SMM, which there is not; open and closed at once is
 * an error of the guest's, answered as closed.
 */
static void apply_smram(struct i440fx *bridge)
{
    uint8_t value = (uint8_t)pci_config_get(bridge->function, SMRAM, 1);
    if (bridge->smram & SMRAM_LOCK)
        value = (uint8_t)((value & SMRAM_CLOSED) | (bridge->smram & ~SMRAM_CLOSED));
    if (value & SMRAM_LOCK)
        value &= (uint8_t)~SMRAM_OPEN;
    pci_config_set(bridge->function, SMRAM, 1, value);
    bridge->smram = value;
    bool is_open = (value & SMRAM_ENABLE) && (value & SMRAM_OPEN) && !(value & SMRAM_CLOSED);
    shadow_set(bridge->params.shadow, SHADOW_BASE, SHADOW_ROM_BASE - SHADOW_BASE,
               is_open ? SHADOW_BOTH : SHADOW_NONE);
}

static void written(void *opaque, unsigned offset, unsigned size)
{
    struct i440fx *bridge = opaque;
    for (unsigned at = offset; at < offset + size; at++) {
        if (at >= PAM0 && at < PAM0 + NR_PAMS)
            apply_pam(bridge, at - PAM0);
        if (at == SMRAM)
            apply_smram(bridge);
        if (at != TRC)
            continue;
        uint8_t trc = (uint8_t)pci_config_get(bridge->function, TRC, 1);
        if ((trc & ~bridge->trc & TRC_CPU_RESET) && bridge->params.reset)
            bridge->params.reset(bridge->params.opaque);
        bridge->trc = trc;
    }
}

struct i440fx *i440fx_create(const struct i440fx_params *params, struct pci *pci, struct diag *diag)
{
    struct i440fx *bridge = calloc(1, sizeof(*bridge));
    if (!bridge) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "host bridge: out of memory");
        return NULL;
    }
    bridge->params = *params;
    bridge->smram = SMRAM_SEGMENT;
    const struct pci_function_params function = {
        .name = "host bridge",
        .vendor_id = 0x8086,
        .device_id = 0x1237,
        .class_code = 0x060000,
        .revision = 2,
        .command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
        .command_writable = PCI_COMMAND_PARITY | PCI_COMMAND_SERR,
        .status = PCI_STATUS_MEDIUM | PCI_STATUS_FAST_BACK_TO_BACK,
        .status_clears = PCI_STATUS_PARITY | PCI_STATUS_TARGET_ABORT | PCI_STATUS_MASTER_ABORT |
                         PCI_STATUS_SERR | PCI_STATUS_DETECTED_PARITY,
        .fields = fields,
        .nr_fields = sizeof(fields) / sizeof(*fields),
        .written = written,
        .opaque = bridge,
    };
    bridge->function = pci_add(pci, &function, diag);
    if (!bridge->function) {
        i440fx_destroy(bridge);
        return NULL;
    }
    return bridge;
}

void i440fx_destroy(struct i440fx *bridge)
{
    free(bridge);
}

void i440fx_firmware_write(struct i440fx *bridge, unsigned offset, uint8_t value)
{
    pci_firmware_write(bridge->function, offset, 1, value);
}

void i440fx_snap(struct i440fx *bridge, struct snap *snap)
{
    SNAP_OPEN(snap, bridge);
    SNAP_SKIP(snap, bridge->params);
    SNAP_SKIP(snap, bridge->function);
    SNAP(snap, bridge->smram);
    SNAP(snap, bridge->trc);
    SNAP_CLOSE(snap, bridge);
}
