#include "cpu/brief.h"

#include <string.h>

/* The part of an access that lies in one line (timed) or one page. */
struct piece {
    uint64_t linear;
    struct paddr at;
    unsigned size_bytes;
    bool is_ram, is_new_page;
    bool is_in_flight;
    enum memory_type type;
    uint64_t nr_walks;
    bool is_rest;
    bool may_wait_aside;
    stamp_t aside; /* when its translation is there, if it waits for that while issue goes on; else 0 */
    cycle_t asked, translated, sent;
};

enum { MAX_PIECES = 2, DEVICE_MAX_BYTES = 8 };

static bool is_ram(const struct cpu *cpu, struct paddr at)
{
    return cpu->params.is_ram(cpu->params.is_ram_opaque, at);
}

static inline uint8_t *host_of(const struct cpu *cpu, struct paddr at)
{
    return cpu->params.ram->host + at.v;
}

/* Who makes an explicit access. */
static enum mmu_asker current(const struct cpu *cpu)
{
    return cpu->front_kind == FRONT_USER ? MMU_USER : cpu_supervisor(cpu);
}

/* SDM 3A table 6-7. Accesses of 16 bytes have rules of their own. */
static bool is_aligned(uint64_t linear, unsigned size_bytes)
{
    static const uint8_t alignment[] = {[2] = 2, [4] = 4, [6] = 4, [8] = 8, [10] = 8};
    unsigned bytes = size_bytes < sizeof alignment ? alignment[size_bytes] : 0;
    return bytes == 0 || linear % bytes == 0;
}

static __attribute__((noinline)) void observe_translation(struct cpu *cpu, uint64_t linear,
                                                          enum mmu_access access, enum mmu_asker asker,
                                                          cycle_t asked, uint64_t walks_before,
                                                          const struct mmu_answer *answer)
{
    struct cpu_seen_translation seen = {
        .access = access,
        .is_user = asker == MMU_USER,
        .is_l1_hit = answer->found_in == MMU_FOUND_L1,
        .is_l2_hit = answer->found_in == MMU_FOUND_L2,
        .is_fault = !answer->entry,
        .linear = laddr(linear),
        .asked = asked,
        .ready = answer->ready,
    };
    uint64_t nr_walks = cpu->mmu.stats.walks - walks_before;
    if (nr_walks > 1) { /* the first one is told of by itself */
        struct cpu_seen_translation refuted = seen;
        const struct walk *walk = &cpu->mmu.refuted;
        refuted.is_fault = refuted.is_refuted = true;
        refuted.ready = walk->step[walk->nr_steps - 1].ready;
        cpu_observe_translation(cpu, &refuted, walk);
    }
    cpu_observe_translation(cpu, &seen, nr_walks ? &cpu->mmu.last_walk : NULL);
}

bool cpu_translate(struct cpu *cpu, uint64_t linear, enum mmu_access access, enum mmu_asker asker, stamp_t *t,
                   struct tlb_entry **entry)
{
    uint64_t walks_before = cpu->mmu.stats.walks;
    cycle_t asked = stamp_cycle(*t);
    struct mmu_answer answer = mmu_translate(&cpu->mmu, laddr(linear), access, asker, asked);
    if (UNLIKELY(cpu->params.observer != NULL) && (cpu->control.cr0 & CR0_PG))
        observe_translation(cpu, linear, access, asker, asked, walks_before, &answer);
    enum reason reason = access == MMU_FETCH ? REASON_ITLB : REASON_DTLB;
    if (cpu->is_timed && answer.ready > stamp_cycle(*t))
        *t = stamp_of_cycle(answer.ready) | reason;
    if (answer.entry) {
        *entry = answer.entry;
        return true;
    }
    cpu_set_fault_code(cpu, EXCP_PF, answer.error_code);
    cpu->fault.cr2 = linear;
    mmu_drop_faulted(&cpu->mmu, laddr(linear));
    cpu_observe_control(cpu, "drop", linear);
    return false;
}

/* By a shortcut that is still good: what a TLB hit finds and does, without the search. */
static inline bool use_front(struct cpu *cpu, struct piece *piece, enum mmu_access access,
                             enum mmu_asker asker)
{
    uint64_t page = piece->linear >> PAGE_SHIFT;
    const struct front *front = &cpu->data_front[front_index(page, DATA_FRONT_ENTRIES)];
    unsigned kind = (asker == MMU_USER ? FRONT_USER : FRONT_SUPERVISOR) |
                    (access == MMU_WRITE ? FRONT_WRITE : FRONT_READ);
    bool is_implicit =
        asker == MMU_SUPERVISOR && cpu->nr_ac_fronts; /* what AC allows does not count for it */
    if (is_implicit || (front->tag[kind] & ~FRONT_WATCHED) != page || front->entry->id != front->id)
        return false;
    if (cpu->is_timed && (cpu->control.cr0 & CR0_PG))
        tlb_hit(cpu->params.dtlb, front->entry);
    piece->at = paddr(front->frame.v | (piece->linear & PAGE_MASK));
    piece->is_ram = true;
    piece->type = MEMORY_WB; /* or such that this access is the same */
    return true;
}

/* Observers hear of hits of the TLB from those who search it. */
static inline bool translate_by_front(struct cpu *cpu, struct piece *piece, enum mmu_access access,
                                      enum mmu_asker asker)
{
    return !cpu->params.observer && use_front(cpu, piece, access, asker);
}

/* The long way of translate_piece. */
static __attribute__((noinline)) bool translate_anew(struct cpu *cpu, struct piece *piece,
                                                     enum mmu_access access, enum mmu_asker asker, stamp_t *t)
{
    struct tlb_entry *entry = NULL;
    uint64_t walks_before = cpu->mmu.stats.walks;
    stamp_t known = *t;
    piece->asked = stamp_cycle(*t);
    bool is_good = cpu_translate(cpu, piece->linear, access, asker, &known, &entry);
    piece->translated = stamp_cycle(known);
    piece->nr_walks = cpu->mmu.stats.walks - walks_before;
    if (is_good) {
        piece->at = mmu_physical(&cpu->mmu, entry, laddr(piece->linear));
        piece->is_ram = is_ram(cpu, piece->at);
        piece->type = cpu->is_timed ? mmu_memory_type(&cpu->mmu, entry, piece->at) : MEMORY_WB;
    }
    bool goes_on = is_good && piece->may_wait_aside && piece->is_ram && piece->type != MEMORY_UC;
    if (goes_on && known > *t)
        piece->aside = known; /* no shortcut: who comes before that has to wait as well */
    else
        *t = cpu_wait(cpu, *t, known);
    if (is_good && piece->is_ram && !piece->aside)
        cpu_fill_data_front(cpu, piece->linear, entry, piece->type);
    return is_good;
}

/* Translates one piece in slot *t, which moves, unless the piece may wait aside and does. */
static inline bool translate_piece(struct cpu *cpu, struct piece *piece, enum mmu_access access,
                                   enum mmu_asker asker, stamp_t *t)
{
    return LIKELY(translate_by_front(cpu, piece, access, asker)) ||
           translate_anew(cpu, piece, access, asker, t);
}

/*
 * Cuts an access into its pieces and translates them. Returns how many, or 0 for a fault. One that lies in
 * two pages does not wait aside.
 */
static unsigned translate(struct cpu *cpu, uint64_t linear, unsigned size_bytes, enum mmu_access access,
                          enum mmu_asker asker, bool may_wait_aside, stamp_t *t,
                          struct piece piece[MAX_PIECES])
{
    if (cpu->checks_alignment && asker == MMU_USER && !is_aligned(linear, size_bytes)) {
        cpu_set_fault_code(cpu, EXCP_AC, 0);
        return 0;
    }
    uint64_t grain_mask = cpu->is_timed ? cpu->line_mask : PAGE_MASK;
    unsigned first_bytes = (unsigned)(grain_mask + 1 - (linear & grain_mask));
    unsigned nr_pieces = first_bytes < size_bytes ? 2 : 1;
    piece[0] = (struct piece){.linear = linear, .is_new_page = true};
    piece[0].size_bytes = nr_pieces == 2 ? first_bytes : size_bytes;
    piece[0].may_wait_aside = may_wait_aside && (nr_pieces == 1 || ((linear + first_bytes) & PAGE_MASK) != 0);
    if (!translate_piece(cpu, &piece[0], access, asker, t))
        return 0;
    if (nr_pieces == 1)
        return 1;
    cpu->stats.splits++;
    uint64_t next = linear + first_bytes;
    if (linear <= UINT32_MAX) /* the processor's own tables may lie higher than its code can reach */
        next &= cpu->linear_mask;
    piece[1] = (struct piece){.linear = next, .size_bytes = size_bytes - first_bytes, .is_rest = true};
    piece[1].is_new_page = (next & PAGE_MASK) == 0;
    if (piece[1].is_new_page)
        return translate_piece(cpu, &piece[1], access, asker, t) ? 2 : 0;
    piece[1].at = paddr(piece[0].at.v + first_bytes);
    piece[1].is_ram = piece[0].is_ram;
    piece[1].type = piece[0].type;
    piece[1].aside = piece[0].aside;
    piece[1].asked = piece[1].translated = piece[0].translated;
    return 2;
}

static enum reason reason_served(enum served_by served_by)
{
    static const enum reason reasons[NR_SERVED_BY] = {REASON_L1D, REASON_L2, REASON_L3, REASON_DRAM};
    return reasons[served_by];
}

/*
 * The L1D's part of a piece in slot *t. Returns when the data are there; *t moves where it is not write-back.
 */
static stamp_t access_cache(struct cpu *cpu, struct piece *piece, bool is_write, stamp_t *t)
{
    struct cache *l1d = cpu->params.l1d;
    if (mmu_cache_use(&cpu->mmu, piece->type, is_write) != CACHE_USE_ALL) {
        stamp_t ready = cpu_access_uncached(cpu, piece->type, piece->at, piece->size_bytes, is_write, t);
        piece->sent = cpu->seen_sent;
        return ready;
    }
    piece->sent = stamp_cycle(*t);
    cpu_begin_access(cpu, piece->at, piece->size_bytes);
    struct cache_answer answer =
        cpu_ask_cache(cpu, l1d, CACHE_USE_ALL, piece->at, is_write, stamp_cycle(*t), cpu->memory_ip);
    piece->is_in_flight = cpu->seen_in_flight;
    return stamp_of_cycle(answer.ready) | reason_served(answer.served_by);
}

/* The same where nobody watches: what the L1D publishes is hit without asking it. */
static inline stamp_t access_l1d(struct cpu *cpu, struct piece *piece, bool is_write, stamp_t *t)
{
    uint64_t line = piece->at.v >> cpu->l1d_line_shift;
    const uint64_t *published = is_write ? cpu->l1d_write_line : cpu->l1d_read_line;
    if (published[line & cpu->l1d_set_mask] != line ||
        mmu_cache_use(&cpu->mmu, piece->type, is_write) != CACHE_USE_ALL)
        return access_cache(cpu, piece, is_write, t);
    cache_add_front_hits(cpu->params.l1d, 1);
    return stamp_floor(*t) + cpu->load_hit;
}

static __attribute__((noinline)) void tell(struct cpu *cpu, const struct piece *piece,
                                           enum cpu_access_kind kind, stamp_t ready)
{
    enum reason reason = stamp_reason(ready);
    unsigned served_by = reason == REASON_DRAM ? SERVED_BY_DRAM
                         : reason == REASON_L3 ? SERVED_BY_L3
                         : reason == REASON_L2 ? SERVED_BY_L2
                                               : SERVED_BY_L1;
    struct cpu_seen_access seen = {
        .kind = kind,
        .linear = laddr(piece->linear),
        .physical = piece->at,
        .size_bytes = (uint8_t)piece->size_bytes,
        .is_ram = piece->is_ram,
        .is_new_page = piece->is_new_page,
        .is_paged = cpu->control.cr0 & CR0_PG,
        .is_rest = piece->is_rest,
        .type = (uint8_t)piece->type,
        .nr_walks = piece->nr_walks,
        .served_by = served_by,
        .is_in_flight = piece->is_in_flight,
        .asked = piece->asked,
        .translated = piece->translated,
        .sent = piece->sent,
        .ready = stamp_cycle(ready),
    };
    cpu_observe_access(cpu, &seen);
}

static inline void observe(struct cpu *cpu, const struct piece *piece, enum cpu_access_kind kind,
                           stamp_t ready)
{
    if (UNLIKELY(cpu->params.observer != NULL))
        tell(cpu, piece, kind, ready);
}

/* A device answers at its own pace, and everything waits for it. */
static stamp_t wait_for_device(struct cpu *cpu, stamp_t t)
{
    cpu->stats.device_accesses++;
    return cpu_serialise(cpu, t, cpu->params.config->cpu_io_cycles);
}

static void read_device(struct cpu *cpu, const struct piece *piece, stamp_t *t, uint8_t *into)
{
    const struct cpu_board *board = &cpu->params.board;
    for (unsigned done = 0; done < piece->size_bytes; done += DEVICE_MAX_BYTES) {
        unsigned rest = piece->size_bytes - done,
                 size_bytes = rest < DEVICE_MAX_BYTES ? rest : DEVICE_MAX_BYTES;
        *t = wait_for_device(cpu, *t);
        uint64_t value =
            board->memory_read(board->opaque, paddr(piece->at.v + done), size_bytes, stamp_cycle(*t));
        memcpy(into + done, &value, size_bytes);
    }
}

static void write_device(struct cpu *cpu, const struct piece *piece, stamp_t *t, const uint8_t *from)
{
    const struct cpu_board *board = &cpu->params.board;
    for (unsigned done = 0; done < piece->size_bytes; done += DEVICE_MAX_BYTES) {
        unsigned rest = piece->size_bytes - done,
                 size_bytes = rest < DEVICE_MAX_BYTES ? rest : DEVICE_MAX_BYTES;
        uint64_t value = 0;
        memcpy(&value, from + done, size_bytes);
        *t = wait_for_device(cpu, *t);
        board->memory_write(board->opaque, paddr(piece->at.v + done), size_bytes, value, stamp_cycle(*t));
    }
}

static bool overlaps(const struct buffered_store *store, const uint8_t *host, unsigned size_bytes)
{
    for (unsigned i = 0; i < 2; i++)
        if (store->size_bytes[i] && host < store->host[i] + store->size_bytes[i] &&
            store->host[i] < host + size_bytes)
            return true;
    return false;
}

static bool holds(const struct buffered_store *store, const uint8_t *host, unsigned size_bytes)
{
    return store->size_bytes[1] == 0 && host >= store->host[0] &&
           host + size_bytes <= store->host[0] + store->size_bytes[0];
}

/*
 * When a load that issued at t has its bytes, which the caches have at `ready`, if the youngest store in the
 * buffer that writes some of them (and does not leave it by the next cycle) is to be heard: all of them come
 * from there, or it must be waited for.
 */
static __attribute__((noinline)) stamp_t hear_stores(struct cpu *cpu, const struct piece *piece,
                                                     unsigned nr_pieces, stamp_t t, stamp_t ready)
{
    stamp_t in_time = stamp_floor(t) + STAMP_CYCLE;
    for (unsigned i = 0, index = cpu->store_index; i < cpu->store_entries; i++) {
        index = index == 0 ? cpu->store_entries - 1 : index - 1;
        stamp_t drained = cpu->store_buffer[index];
        if (stamp_floor(drained) <= in_time) /* and so are all before it */
            return ready;
        const struct buffered_store *store = &cpu->buffered[index];
        const uint8_t *host = host_of(cpu, piece[0].at);
        bool is_met = overlaps(store, host, piece[0].size_bytes);
        if (nr_pieces == 2)
            is_met |= overlaps(store, host_of(cpu, piece[1].at), piece[1].size_bytes);
        if (!is_met)
            continue;
        if (nr_pieces == 1 && holds(store, host, piece[0].size_bytes)) {
            cpu->stats.store_forwards++;
            stamp_t data = stamp_floor(store->data);
            enum reason reason = data > t ? stamp_reason(store->data) : REASON_L1D;
            return (stamp_later(stamp_floor(t), data) + cpu->store_forward) | reason;
        }
        cpu->stats.store_forward_fails++;
        enum reason reason = stamp_reason(drained) ? stamp_reason(drained) : REASON_L1D;
        stamp_t replayed = stamp_floor(drained) + stamp_floor(cpu->load_hit) + cpu->store_forward_fail;
        return stamp_later(ready, replayed | reason);
    }
    return ready;
}

/* Whether a store that is in the buffer may be one to such bytes: as exec_meets_store says it. */
static inline bool may_meet_store(const struct cpu *cpu, const uint8_t *host, unsigned size_bytes, stamp_t t)
{
    stamp_t seen = stamp_later(cpu->store_seen[store_seen_index(host)],
                               cpu->store_seen[store_seen_index(host + size_bytes - 1)]);
    return seen > stamp_floor(t) + STAMP_CYCLE || size_bytes > 1 << STORE_SEEN_SHIFT;
}

/* Loads pieces that have been translated. Returns when the bytes are there. */
static stamp_t load_pieces(struct cpu *cpu, struct piece *piece, unsigned nr_pieces, stamp_t t, uint8_t *into)
{
    stamp_t all_ready = 0;
    cpu->stats.loads++;
    for (unsigned i = 0; i < nr_pieces; i++) {
        stamp_t ready = t;
        if (piece[i].is_ram) {
            if (cpu->is_timed)
                ready = access_cache(cpu, &piece[i], false, &t);
            memcpy(into, cpu->params.ram->host + piece[i].at.v, piece[i].size_bytes);
        } else {
            read_device(cpu, &piece[i], &t, into);
            ready = t;
        }
        observe(cpu, &piece[i], CPU_ACCESS_LOAD, ready);
        all_ready = stamp_later(all_ready, ready);
        into += piece[i].size_bytes;
    }
    cpu->slow_issue = t;
    if (UNLIKELY(t < cpu->store_met) && piece[0].is_ram && piece[nr_pieces - 1].is_ram)
        return hear_stores(cpu, piece, nr_pieces, t, all_ready);
    return all_ready;
}

/*
 * Of a load that waited aside, and that issued at `issue` all the same: who uses what was served near by has
 * waited for the translation.
 */
static stamp_t end_aside(struct cpu *cpu, stamp_t issue, stamp_t ready)
{
    cpu->slow_issue = issue;
    return stamp_reason(ready) == REASON_L1D ? stamp_because(ready, REASON_DTLB) : ready;
}

/* For breakpoints, the guest's and a debugger's. */
static inline void note_access(struct cpu *cpu, uint64_t linear, unsigned size_bytes, bool is_write)
{
    debug_note_access(cpu, linear, size_bytes, is_write);
    if (UNLIKELY(cpu->stops.has_data_points))
        stop_note_access(cpu, linear, size_bytes, is_write);
}

/* An access that is one piece, and not to be looked at more closely for any reason but an observer. */
static inline bool is_simple(const struct cpu *cpu, uint64_t linear, unsigned size_bytes)
{
    uint64_t grain_mask = cpu->is_timed ? cpu->line_mask : PAGE_MASK;
    return (linear & grain_mask) + size_bytes <= grain_mask + 1 && !cpu->checks_alignment &&
           !cpu_has_breakpoints(cpu);
}

static inline bool is_plain(const struct cpu *cpu, uint64_t linear, unsigned size_bytes)
{
    return is_simple(cpu, linear, size_bytes) && !cpu->params.observer;
}

/* For an observer that wants hits in short: simple, and its translation is known to hit. */
static bool begins_as_hit(struct cpu *cpu, uint64_t linear, unsigned size_bytes, enum mmu_access access,
                          enum mmu_asker asker, stamp_t t, struct piece *piece)
{
    *piece = (struct piece){.linear = linear,
                            .size_bytes = size_bytes,
                            .is_new_page = true,
                            .asked = stamp_cycle(t),
                            .translated = stamp_cycle(t),
                            .sent = stamp_cycle(t)};
    bool is_of_level =
        (asker == MMU_USER) == (cpu->front_kind == FRONT_USER); /* and not the processor's own */
    return cpu->room && is_of_level && is_simple(cpu, linear, size_bytes) &&
           mmu_cache_use(&cpu->mmu, MEMORY_WB, access == MMU_WRITE) == CACHE_USE_ALL &&
           use_front(cpu, piece, access, asker);
}

/*
 * The cache's part of it: told in short if that hits as well, else in full. Returns when the data are there.
 */
static stamp_t end_as_hit(struct cpu *cpu, struct piece *piece, enum cpu_hit_kind kind, bool is_user,
                          stamp_t t)
{
    struct cache *l1d = cpu->params.l1d;
    cycle_t now = stamp_cycle(t);
    bool is_write = kind == CPU_HIT_STORE;
    cpu_begin_access(cpu, piece->at, piece->size_bytes);
    uint64_t misses = cache_stats(l1d)->misses;
    struct cache_answer answer = cache_ask(l1d, CACHE_USE_ALL, piece->at, is_write, now, cpu->memory_ip);
    stamp_t ready = stamp_of_cycle(answer.ready) | reason_served(answer.served_by);
    if (answer.served_by == SERVED_BY_L1 && answer.ready == now + stamp_cycle(cpu->load_hit)) {
        cpu_tell_hit(cpu, piece->linear, host_of(cpu, piece->at), piece->size_bytes, kind, t);
        return ready;
    }
    struct cpu_seen_translation translation = {.access = kind == CPU_HIT_LOAD ? MMU_READ : MMU_WRITE,
                                               .is_user = is_user,
                                               .is_l1_hit = true,
                                               .linear = laddr(piece->linear),
                                               .asked = now,
                                               .ready = now};
    struct cpu_seen_request request = {.kind = is_write ? CPU_REQUEST_WRITE : CPU_REQUEST_READ,
                                       .use = CACHE_USE_ALL,
                                       .at = piece->at,
                                       .ip = cpu->memory_ip,
                                       .asked = now,
                                       .ready = answer.ready,
                                       .served_by = answer.served_by};
    piece->is_in_flight = answer.served_by != SERVED_BY_L1 && cache_stats(l1d)->misses == misses;
    if (cpu->control.cr0 & CR0_PG)
        cpu_observe_translation(cpu, &translation, NULL);
    cpu_observe_request(cpu, l1d, request);
    observe(cpu, piece, is_write ? CPU_ACCESS_STORE : CPU_ACCESS_LOAD, ready);
    return ready;
}

/*
 * Both pieces are translated before either is accessed: a fault leaves nothing half done. Returns when the
 * bytes are there, 0 for a fault.
 */
static __attribute__((noinline)) stamp_t load_bytes(struct cpu *cpu, uint64_t linear, unsigned size_bytes,
                                                    enum mmu_access access, enum mmu_asker asker,
                                                    bool may_wait_aside, stamp_t t, uint8_t *into)
{
    struct piece piece[MAX_PIECES];
    unsigned nr_pieces = translate(cpu, linear, size_bytes, access, asker, may_wait_aside, &t, piece);
    cpu->slow_issue = t;
    if (nr_pieces == 0)
        return 0;
    note_access(cpu, linear, size_bytes, false);
    if (UNLIKELY(piece[0].aside != 0))
        return end_aside(cpu, t, load_pieces(cpu, piece, nr_pieces, piece[0].aside, into));
    return load_pieces(cpu, piece, nr_pieces, t, into);
}

static inline uint64_t read_value(const uint8_t *host, unsigned size_bytes)
{
    uint64_t value = 0;
    switch (size_bytes) { /* a copy of constant size is one load */
    case 4:
        memcpy(&value, host, 4);
        break;
    case 8:
        memcpy(&value, host, 8);
        break;
    default:
        memcpy(&value, host, size_bytes);
        break;
    }
    return value;
}

static inline void write_value(uint8_t *host, unsigned size_bytes, uint64_t value)
{
    switch (size_bytes) {
    case 4:
        memcpy(host, &value, 4);
        break;
    case 8:
        memcpy(host, &value, 8);
        break;
    default:
        memcpy(host, &value, size_bytes);
        break;
    }
}

static struct loaded load(struct cpu *cpu, uint64_t linear, unsigned size_bytes, enum mmu_access access,
                          enum mmu_asker asker, bool may_wait_aside, stamp_t t)
{
    struct loaded loaded = {0, 0};
    struct piece piece;
    if (UNLIKELY(!is_plain(cpu, linear, size_bytes))) {
        if (begins_as_hit(cpu, linear, size_bytes, access, asker, t, &piece)) {
            cpu->stats.loads++;
            enum cpu_hit_kind kind = access == MMU_WRITE ? CPU_HIT_LOAD_FOR_WRITE : CPU_HIT_LOAD;
            loaded.ready = end_as_hit(cpu, &piece, kind, asker == MMU_USER, t);
            loaded.value = read_value(host_of(cpu, piece.at), size_bytes);
            cpu->slow_issue = t;
            if (t < cpu->store_met)
                loaded.ready = hear_stores(cpu, &piece, 1, t, loaded.ready);
            return loaded;
        }
        loaded.ready =
            load_bytes(cpu, linear, size_bytes, access, asker, may_wait_aside, t, (uint8_t *)&loaded.value);
        return loaded;
    }
    piece.linear = linear; /* what only observers ask for is not filled in */
    piece.size_bytes = size_bytes;
    piece.may_wait_aside = may_wait_aside;
    piece.aside = 0;
    bool is_good = translate_piece(cpu, &piece, access, asker, &t);
    cpu->slow_issue = t;
    if (!is_good)
        return loaded;
    if (UNLIKELY(piece.aside != 0)) {
        stamp_t ready = load_pieces(cpu, &piece, 1, piece.aside, (uint8_t *)&loaded.value);
        loaded.ready = end_aside(cpu, t, ready);
        return loaded;
    }
    if (UNLIKELY(!piece.is_ram)) {
        loaded.ready = load_pieces(cpu, &piece, 1, t, (uint8_t *)&loaded.value);
        return loaded;
    }
    cpu->stats.loads++;
    const uint8_t *host = host_of(cpu, piece.at);
    __builtin_prefetch(host); /* the host fetches its line while ours is looked for */
    loaded.ready = cpu->is_timed ? access_l1d(cpu, &piece, false, &t) : t;
    if (UNLIKELY(t < cpu->store_met) && may_meet_store(cpu, host, size_bytes, t))
        loaded.ready = hear_stores(cpu, &piece, 1, t, loaded.ready);
    cpu->slow_issue = t;
    loaded.value = read_value(host, size_bytes);
    return loaded;
}

stamp_t cpu_load_wide_slow(struct cpu *cpu, uint64_t linear, unsigned size_bytes, stamp_t t, void *into)
{
    return load_bytes(cpu, linear, size_bytes, MMU_READ, current(cpu), cpu->is_hit_under_walk, t, into);
}

struct loaded cpu_load_slow(struct cpu *cpu, uint64_t linear, unsigned size_bytes, stamp_t t)
{
    return load(cpu, linear, size_bytes, MMU_READ, current(cpu), cpu->is_hit_under_walk, t);
}

struct loaded cpu_load_for_write_slow(struct cpu *cpu, uint64_t linear, unsigned size_bytes, stamp_t t)
{
    return load(cpu, linear, size_bytes, MMU_WRITE, current(cpu), false, t);
}

/*
 * When a store's line is there, by the cache's answer: a line that the L1D serves is, and only has to be
 * written, but where the answer comes later than a hit's (it waited for a write buffer) it is so much later.
 */
static inline stamp_t line_of_answer(const struct cpu *cpu, stamp_t ready)
{
    bool is_l1d = stamp_reason(ready) == REASON_L1D;
    return is_l1d ? ready - stamp_of_cycle(cache_hit_cycles(cpu->params.l1d)) : ready;
}

/* The store leaves the buffer after all older ones, and a cycle after its data and its lines are there. */
static inline void drain(struct cpu *cpu, const struct piece *piece, unsigned nr_pieces, stamp_t data_ready,
                         stamp_t line)
{
    if (!cpu->is_timed)
        return;
    stamp_t start = stamp_floor(data_ready);
    if (stamp_reason(line) != REASON_L1D)
        start = stamp_later(stamp_because(start, stamp_reason(line)), line);
    else if (stamp_floor(line) > start)
        start = line;
    cpu->store_drained = stamp_later(start, cpu->store_drained) + STAMP_CYCLE;
    struct buffered_store *buffered = &cpu->buffered[cpu->store_index];
    *buffered = (struct buffered_store){.data = data_ready};
    cpu->store_met = stamp_floor(cpu->store_drained) - STAMP_CYCLE;
    for (unsigned i = 0; i < nr_pieces; i++) {
        if (!piece[i].is_ram)
            continue;
        const uint8_t *host = host_of(cpu, piece[i].at);
        buffered->host[i] = host;
        buffered->size_bytes[i] = piece[i].size_bytes;
        for (unsigned at = 0; at < piece[i].size_bytes; at += 1 << STORE_SEEN_SHIFT)
            cpu->store_seen[store_seen_index(host + at)] = cpu->store_drained;
        cpu->store_seen[store_seen_index(host + piece[i].size_bytes - 1)] = cpu->store_drained;
    }
    cpu->store_buffer[cpu->store_index] = cpu->store_drained;
    cpu->store_index = cpu->store_index + 1 == cpu->store_entries ? 0 : cpu->store_index + 1;
}

static void write_ram(struct cpu *cpu, const struct piece *piece, const uint8_t *from)
{
    memcpy(cpu->params.ram->host + piece->at.v, from, piece->size_bytes);
    if (cpu_has_code(cpu, piece->at))
        cpu_code_written(cpu, piece->at, piece->size_bytes);
}

/* Stores to pieces that have been translated. Issued at t; the bytes are there at `data_ready`, or then. */
static bool store_pieces(struct cpu *cpu, struct piece *piece, unsigned nr_pieces, stamp_t t,
                         stamp_t data_ready, const uint8_t *from)
{
    stamp_t line = REASON_L1D;
    bool is_ram_store = false;
    cpu->stats.stores++;
    for (unsigned i = 0; i < nr_pieces; i++) {
        stamp_t ready = t;
        if (piece[i].is_ram) {
            is_ram_store = true;
            if (cpu->is_timed)
                ready = access_cache(cpu, &piece[i], true, &t);
            write_ram(cpu, &piece[i], from);
        } else {
            write_device(cpu, &piece[i], &t, from);
        }
        observe(cpu, &piece[i], CPU_ACCESS_STORE, ready);
        line = stamp_later(line, line_of_answer(cpu, ready));
        from += piece[i].size_bytes;
    }
    if (is_ram_store)
        drain(cpu, piece, nr_pieces, stamp_later(t, data_ready), line);
    if (is_ram_store && cpu->is_timed && !cpu->room && nr_pieces == 1 &&
        mmu_cache_use(&cpu->mmu, piece[0].type, true) == CACHE_USE_ALL)
        cache_let_stores_hit(cpu->params.l1d, piece[0].at);
    cpu->slow_issue = t;
    return true;
}

static __attribute__((noinline)) bool store_bytes(struct cpu *cpu, uint64_t linear, unsigned size_bytes,
                                                  const void *bytes, enum mmu_asker asker, stamp_t t,
                                                  stamp_t data_ready)
{
    struct piece piece[MAX_PIECES];
    unsigned nr_pieces = translate(cpu, linear, size_bytes, MMU_WRITE, asker, false, &t, piece);
    cpu->slow_issue = t;
    if (nr_pieces == 0)
        return false;
    note_access(cpu, linear, size_bytes, true);
    return store_pieces(cpu, piece, nr_pieces, t, data_ready, bytes);
}

static bool store(struct cpu *cpu, uint64_t linear, unsigned size_bytes, uint64_t value, enum mmu_asker asker,
                  stamp_t t, stamp_t data_ready)
{
    struct piece piece;
    if (UNLIKELY(!is_plain(cpu, linear, size_bytes))) {
        if (!begins_as_hit(cpu, linear, size_bytes, MMU_WRITE, asker, t, &piece))
            return store_bytes(cpu, linear, size_bytes, &value, asker, t, data_ready);
        cpu->stats.stores++;
        stamp_t ready = end_as_hit(cpu, &piece, CPU_HIT_STORE, asker == MMU_USER, t);
        write_ram(cpu, &piece, (const uint8_t *)&value);
        drain(cpu, &piece, 1, stamp_later(t, data_ready), line_of_answer(cpu, ready));
        cpu->slow_issue = t;
        return true;
    }
    piece.linear = linear; /* as for loads */
    piece.size_bytes = size_bytes;
    piece.may_wait_aside = false;
    piece.aside = 0;
    bool is_good = translate_piece(cpu, &piece, MMU_WRITE, asker, &t);
    cpu->slow_issue = t;
    if (!is_good)
        return false;
    if (UNLIKELY(!piece.is_ram))
        return store_pieces(cpu, &piece, 1, t, data_ready, (const uint8_t *)&value);
    cpu->stats.stores++;
    uint8_t *host = host_of(cpu, piece.at);
    __builtin_prefetch(host, 1);
    if (cpu->is_timed) {
        stamp_t ready = access_l1d(cpu, &piece, true, &t);
        drain(cpu, &piece, 1, stamp_later(t, data_ready), line_of_answer(cpu, ready));
        if (mmu_cache_use(&cpu->mmu, piece.type, true) == CACHE_USE_ALL)
            cache_let_stores_hit(cpu->params.l1d, piece.at);
    }
    write_value(host, size_bytes, value);
    if (UNLIKELY(cpu_has_code(cpu, piece.at)))
        cpu_code_written(cpu, piece.at, size_bytes);
    cpu->slow_issue = t;
    return true;
}

bool cpu_store_slow(struct cpu *cpu, uint64_t linear, unsigned size_bytes, uint64_t value, stamp_t t)
{
    return store(cpu, linear, size_bytes, value, current(cpu), t, 0);
}

bool cpu_store_wide_slow(struct cpu *cpu, uint64_t linear, unsigned size_bytes, const void *from, stamp_t t)
{
    return store_bytes(cpu, linear, size_bytes, from, current(cpu), t, 0);
}

void cpu_store_after_load_slow(struct cpu *cpu, uint64_t linear, unsigned size_bytes, uint64_t value,
                               stamp_t t, stamp_t data_ready)
{
    /*
     * The translation was just made. Should a tiny TLB have lost it again, the second walk's time is not
     * charged.
     */
    uint64_t lost[NR_REASONS];
    memcpy(lost, cpu->lost, sizeof lost);
    (void)!store(cpu, linear, size_bytes, value, current(cpu), t, data_ready);
    memcpy(cpu->lost, lost, sizeof lost);
}

/*
 * What an address outside executors comes to. The processor's own tables (the GDT, a TSS) may lie anywhere in
 * IA-32e mode, whatever code runs. False: not canonical, #GP(0).
 */
static bool complete_linear(struct cpu *cpu, uint64_t *linear, bool is_system)
{
    if (!cpu_is_long_mode(cpu)) {
        *linear &= UINT32_MAX;
        return true;
    }
    if (!is_system)
        *linear &= cpu->linear_mask;
    return cpu_is_canonical(cpu, *linear) || cpu_set_fault_code(cpu, EXCP_GP, 0);
}

bool cpu_read(struct cpu *cpu, uint64_t linear, unsigned size_bytes, bool is_system, uint64_t *value)
{
    enum mmu_asker asker = is_system ? MMU_SUPERVISOR : current(cpu);
    cpu->memory_ip = 0;
    if (!complete_linear(cpu, &linear, is_system))
        return false;
    struct loaded loaded = load(cpu, linear, size_bytes, MMU_READ, asker, false, cpu_port(cpu, cpu->clock));
    cpu->clock = cpu_wait(cpu, cpu->slow_issue, loaded.ready);
    *value = loaded.value;
    return loaded.ready != 0;
}

bool cpu_write(struct cpu *cpu, uint64_t linear, unsigned size_bytes, bool is_system, uint64_t value)
{
    enum mmu_asker asker = is_system ? MMU_SUPERVISOR : current(cpu);
    cpu->memory_ip = 0;
    if (!complete_linear(cpu, &linear, is_system))
        return false;
    stamp_t t = cpu_wait(cpu, cpu_port(cpu, cpu->clock), cpu->store_buffer[cpu->store_index]);
    bool is_good = store(cpu, linear, size_bytes, value, asker, t, 0);
    cpu->clock = cpu->slow_issue;
    return is_good;
}

bool cpu_probe_write(struct cpu *cpu, uint64_t linear, unsigned size_bytes)
{
    struct piece piece[MAX_PIECES];
    return translate(cpu, linear, size_bytes, MMU_WRITE, current(cpu), false, &cpu->clock, piece) != 0;
}

bool cpu_probe_system(struct cpu *cpu, uint64_t linear, unsigned nr_bytes, bool is_write)
{
    struct piece piece[MAX_PIECES];
    enum mmu_access access = is_write ? MMU_WRITE : MMU_READ;
    for (uint64_t at = linear, end = linear + nr_bytes; at < end; at = (at | PAGE_MASK) + 1)
        if (!translate(cpu, at & UINT32_MAX, 1, access, MMU_SUPERVISOR, false, &cpu->clock, piece))
            return false;
    return true;
}
