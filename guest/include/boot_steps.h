/*
 * The steps of the boot before start_kernel(), as marks on the simulator's time line; start_kernel()'s
 * own have the numbers behind them.
 */
#pragma once

#define BOOT_STEP_ENTRY 0
#define BOOT_STEP_TABLES 1
#define BOOT_STEP_PAGING 2
#define BOOT_STEP_START_KERNEL 3
