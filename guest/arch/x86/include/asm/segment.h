/*
 * Indices into the GDT, in Linux's layout for i386, and the selectors made from them (index * 8 + RPL). The
 * entries in between are empty: they are for the LDT (17), BIOS calls and the double-fault task.
 */
#pragma once

#define GDT_ENTRY_TLS_MIN 6 /* to 8: thread-local storage, of each task's own */
#define GDT_ENTRY_KERNEL_CS 12
#define GDT_ENTRY_KERNEL_DS 13
#define GDT_ENTRY_DEFAULT_USER_CS 14
#define GDT_ENTRY_DEFAULT_USER_DS 15
#define GDT_ENTRY_TSS 16
#define GDT_ENTRIES 32

#define __KERNEL_CS (GDT_ENTRY_KERNEL_CS * 8)
#define __KERNEL_DS (GDT_ENTRY_KERNEL_DS * 8)
#define __USER_CS (GDT_ENTRY_DEFAULT_USER_CS * 8 + 3)
#define __USER_DS (GDT_ENTRY_DEFAULT_USER_DS * 8 + 3)
