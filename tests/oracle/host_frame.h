/* Where the parts of the native sandbox lie; for host_frame.S and host_native.c, which checks them. */
#ifndef LK_TESTS_ORACLE_HOST_FRAME_H
#define LK_TESTS_ORACLE_HOST_FRAME_H

#define NATIVE_FRAME 0x70000000
#define NATIVE_AREA 0x70004000
#define NATIVE_STACK_TOP (NATIVE_AREA + 0x2000)

#define AREA_GPR 0x00
#define AREA_OUT_GPR 0x80
#define AREA_OUT_FLAGS 0x100
#define AREA_SAVED_SP 0x108
#define AREA_IS_TAKEN 0x110
#define AREA_ON_SIGNAL 0x118
#define AREA_HOST_FS 0x120
#define AREA_FS_BASE 0x128
#define AREA_GS_BASE 0x130
#define AREA_OUT_FS_BASE 0x138
#define AREA_OUT_GS_BASE 0x140
#define AREA_IRET 0x148
#define AREA_SELECTOR 0x170
#define AREA_OUT_SELECTOR 0x17c
#define AREA_HAS_SELECTORS 0x188
#define AREA_IS_RUNNING 0x18c
#define AREA_HOST_FX 0x1c0
#define AREA_FX 0x3c0
#define AREA_OUT_FX 0x5c0

#endif
