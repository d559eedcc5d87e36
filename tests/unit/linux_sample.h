/*
 * Structures with the names and members of Linux' own, in an order of their own, for a guest that a test
 * makes up: it writes them as the host's compiler lays them out, and gives the BTF that clang makes of this
 * file.
 */
#ifndef LK_TESTS_LINUX_SAMPLE_H
#define LK_TESTS_LINUX_SAMPLE_H

struct list_head {
    struct list_head *next, *prev;
};

struct maple_tree {
    unsigned lock;
    void *ma_root;
    unsigned ma_flags;
};

struct maple_range_64 {
    void *parent;
    unsigned long pivot[15];
    union {
        void *slot[16];
        struct {
            void *pad[15];
            unsigned char end, gap;
        };
    };
};

struct maple_arange_64 {
    void *parent;
    unsigned long pivot[9];
    void *slot[10];
    unsigned long gap[10];
};

struct mm_struct {
    struct {
        int users;
        struct maple_tree mm_mt;
        void *pgd;
        unsigned long total_vm, start_code, end_code, start_brk, brk, start_stack;
    };
    unsigned char cpumask[8];
};

struct task_struct {
    char pad[24];
    unsigned __state;
    char comm[16];
    struct list_head tasks;
    struct mm_struct *mm;
    int exit_state, pid, tgid;
    struct task_struct *real_parent;
};

struct qstr {
    unsigned long hash_len;
    const char *name;
};

struct dentry {
    unsigned flags;
    struct dentry *d_parent;
    struct qstr d_name;
};

struct path {
    void *mnt;
    struct dentry *dentry;
};

struct file {
    char pad[16];
    struct path f_path;
};

struct vm_area_struct {
    unsigned long vm_start, vm_end;
    struct mm_struct *vm_mm;
    const unsigned long vm_flags;
    unsigned long vm_pgoff;
    struct file *vm_file;
};

struct free_area {
    struct list_head free_list[2];
    unsigned long nr_free;
};

struct zone {
    unsigned long _watermark[3];
    unsigned long zone_start_pfn;
    long managed_pages;
    unsigned long spanned_pages, present_pages;
    const char *name;
    struct free_area free_area[11];
    long vm_stat[4];
};

typedef struct pglist_data {
    struct zone node_zones[2];
    unsigned long node_start_pfn, node_spanned_pages;
} pg_data_t;

struct page {
    unsigned long flags;
    union {
        struct {
            struct list_head lru;
            void *mapping;
            unsigned long index, private;
        };
        unsigned long compound_head;
    };
    int _mapcount, _refcount;
    char pad[8];
};

#endif
