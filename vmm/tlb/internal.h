/* SPDX-License-Identifier: MIT */
/*
 * internal.h: the state of a TLB model; for the files of vmm/tlb.
 *
 * Memory that is out sets tlb->no_memory; the functions then do less, and tlb_feed() fails.
 */
#ifndef VMM_TLB_INTERNAL_H
#define VMM_TLB_INTERNAL_H

#include "base/array.h"
#include "base/page.h"
#include "base/rights.h"
#include "base/x86.h"
#include "tlb/tlb.h"

#define RIGHTS_ALL (RIGHT_R | RIGHT_W | RIGHT_X | RIGHT_U)
#define LEVELS_MAX 5

/* ---- page tables (pages.c): a copy of the guest's ---- */

struct node;

/* A page whose contents the model keeps. */
struct page {
	uint64_t gpa;
	bool is_known; /* false: a table whose contents are not known */
	bool is_spare; /* known by TLB_PAGE, and no table yet */
	uint64_t entries[PAGE_TABLE_ENTRIES];
	struct node *roles[LEVELS_MAX + 1]; /* by level; a recursive map gives a page several */
	struct page *next;                  /* in its bucket */
	uint64_t learned;                   /* is_spare: number of the event before */
	struct page *spare_next, *spare_prev;
};

struct parent {
	struct node *node;
	unsigned int index;
};

/* A page as a table of one level. It lives as long as something refers to it. */
struct node {
	struct page *page;
	unsigned int level;
	bool has_globals;  /* it or a table below it had an entry with G */
	bool is_cached;    /* a root that is loaded nowhere */
	uint32_t contexts; /* that have it as root */
	uint32_t holds;    /* temporary references */
	ARRAY_OF(struct parent) parents;
	struct node *cached_older, *cached_newer;
};

/* ---- CPUs ---- */

/* A PCID whose translations the CPU may hold, by the tables below root. */
struct context {
	uint16_t pcid;
	struct node *root;
	uint64_t used; /* when it was loaded */
};

struct debt;

/* Lists of debts, so that a flush need not pass those that it does not pay: tables and pages by PCID, global pages. */
enum { DEBT_PCIDS = 16, DEBT_TABLES = 0, DEBT_PAGES = DEBT_PCIDS, DEBT_GLOBALS = 2 * DEBT_PCIDS, DEBT_LISTS };

struct cpu {
	uint64_t cr0, cr3, cr4, efer;
	bool in_user, is_halted;
	uint64_t halted; /* number of the last event that halted it */
	uint64_t covers; /* its next flush pays what was removed at this event or before */
	int current;     /* index into contexts; -1: no paging in long mode */
	ARRAY_OF(struct context) contexts;
	struct debt *lists[DEBT_LISTS];
	uint32_t owed[LEVELS_MAX + 1]; /* debts by level */
	uint16_t *filter; /* FILTER_SIZE: debts by a hash of level and address; UINT16_MAX stays */
	uint32_t debts;
	uint32_t fetches; /* debts of pages with the right to execute */
	uint32_t due;     /* user debts that are over and not reported */
};

/* ---- debts (debts.c) ---- */

/* A thread with debts that are not over. */
struct thread {
	uint64_t id;
	struct debt *debts;
	struct thread *next; /* in its bucket */
};

struct debt {
	struct tlb_debt is;
	uint32_t reported;                 /* mask of TLB_RULE_BIT() */
	struct debt *va_next, *frame_next; /* in buckets */
	struct debt *next, **previous;     /* of its CPU's list */
	struct thread *owner;              /* NULL: over, or of an unknown thread */
	struct debt *thread_next, **thread_previous;
};

/* A translation or a pointer to a table that tables gave. */
struct item {
	uint64_t va, frame;
	uint8_t level, rights;
	bool is_table, is_global;
};

struct items {
	ARRAY_OF(struct item);
};

/* An address at which a loaded root reaches a table. */
struct place {
	struct node *root;
	uint64_t va;         /* not sign-extended */
	unsigned int rights; /* of the entries above it */
};

struct places {
	ARRAY_OF(struct place);
};

/* An entry that changes, at one place. */
struct group {
	struct place place; /* va: of the entry */
	unsigned int level;
	size_t first, count; /* of tlb->items: what the old entry gave */
};

struct round {
	uint64_t id, start, end, seq;
};

#define FILTER_SIZE    (1u << 13)
#define BUCKETS_MAX    (1u << 16)
#define PAGE_BUCKETS   (1u << 14)
#define THREAD_BUCKETS 1024u
/*
 * Steps of walks and lists that an event adds to what its successors may do, and the most that may add up: about a
 * second. It bounds the time that crafted tables can cost, such as those that multiply by sharing.
 */
#define WORK_PER_EVENT (1u << 16)
#define WORK_MAX       (1u << 26)

#define ROUNDS_MAX 256

struct tlb {
	struct tlb_config config;
	struct tlb_stats stats;
	uint64_t seq;
	bool no_memory;
	uint64_t work_left; /* steps, see work_do() */
	struct cpu *cpus;

	struct page *pages[PAGE_BUCKETS];
	uint32_t spare_count, cached_count;
	struct page *spare_newest, *spare_oldest;
	struct node *cached_newest, *cached_oldest;

	struct debt **by_va, **by_frame;
	size_t bucket_mask;
	struct thread *threads[THREAD_BUCKETS];

	struct items items; /* scratch of a store or a change of roots */
	struct places places;
	ARRAY_OF(struct group) groups;
	ARRAY_OF(struct node *) held;

	ARRAY_OF(struct round) rounds;
	uint64_t believed; /* flushes since the last one that was ignored */

	struct tlb_findings findings;
	uint64_t matches[TLB_RULE_COUNT];
	uint32_t listed[TLB_RULE_COUNT];
};

/* ---- entries ---- */

static inline bool entry_is_page(const struct tlb *tlb, unsigned int level, uint64_t entry)
{
	return (entry & PTE_P) &&
	       (level == 1 || ((entry & PTE_PS) && (level == 2 || (level == 3 && tlb->config.pages_1g))));
}

/* PS where it is reserved makes an entry that translates nothing. */
static inline bool entry_is_table(unsigned int level, uint64_t entry)
{
	return level > 1 && (entry & PTE_P) && !(entry & PTE_PS);
}

static inline uint64_t entry_frame(unsigned int level, uint64_t entry, bool is_page)
{
	return entry & PTE_ADDRESS & (is_page ? ~(page_level_size(level) - 1) : ~0ull);
}

static inline unsigned int entry_rights(uint64_t entry)
{
	return RIGHT_R | (entry & PTE_W ? RIGHT_W : 0) | (entry & PTE_U ? RIGHT_U : 0) |
	       (entry & PTE_NX ? 0 : RIGHT_X);
}

static inline uint64_t hash_of(uint64_t key)
{
	return (key * 0x9E3779B97F4A7C15ull) >> 20;
}

/* False, and counted: the bound of work is reached, and what was to be done is not known. */
static inline bool work_do(struct tlb *tlb, uint64_t steps)
{
	if (tlb->work_left < steps) {
		tlb->stats.work_dropped++;
		return false;
	}
	tlb->work_left -= steps;
	return true;
}

/* ---- pages.c ---- */

struct page *page_find(const struct tlb *tlb, uint64_t gpa);
/* TLB_PAGE of a page that is no table yet, or whose contents are not known. */
void page_learn(struct tlb *tlb, uint64_t gpa, const uint64_t entries[512]);
/* The table below an entry; NULL: none. */
struct node *node_below(const struct tlb *tlb, unsigned int level, uint64_t entry);
/* The page as a table of that level, made if need be. The caller refers to it, or calls node_release(). */
struct node *node_get(struct tlb *tlb, uint64_t gpa, unsigned int level);
/* Frees the table if nothing refers to it. */
void node_release(struct tlb *tlb, struct node *node);
void node_hold(struct tlb *tlb, struct node *node);
/* Releases all that node_hold() held. */
void nodes_unhold(struct tlb *tlb);
/* Adds or removes the link of entry `index`. */
void node_attach(struct tlb *tlb, struct node *node, unsigned int index);
void node_detach(struct tlb *tlb, struct node *node, unsigned int index);
/* A context has the root, or has it no more. */
void root_take(struct tlb *tlb, struct node *root);
void root_leave(struct tlb *tlb, struct node *root);
/* Drops a root that no context has and no table leads to. */
bool root_drop(struct tlb *tlb, struct page *page);
void pages_destroy(struct tlb *tlb);

/* ---- places.c ---- */

/* Fills tlb->places with the addresses at which loaded roots reach the table. */
void places_find(struct tlb *tlb, const struct node *node);

/* ---- items.c ---- */

enum given_kind { GIVEN_NOTHING, GIVEN_PAGE, GIVEN_TABLE, GIVEN_UNKNOWN };

/* The tables' translation of an address. */
struct given {
	enum given_kind kind;
	struct item item;
};

/* Walks down to the entry of `level`, or to the one that ends the walk. */
struct given tables_give(struct tlb *tlb, const struct node *root, uint64_t va, unsigned int level);
/* Whether the tables give an item of the same form, with no fewer rights. */
bool tables_have(struct tlb *tlb, const struct node *root, const struct item *item);
/* Whether what the tables give is an item of the same form, with no fewer rights. */
bool given_has(const struct given *given, const struct item *item);
/* Appends to tlb->items what an entry gives: itself, and all below it. */
void items_of_entry(struct tlb *tlb, unsigned int level, uint64_t entry, uint64_t va, unsigned int rights);
/* Appends what `from` gives and `to` does not give by the same tables; only_globals: only pages with G. */
void items_of_change(struct tlb *tlb, const struct node *from, const struct node *to, bool only_globals);

/* ---- debts.c ---- */

/* The context that the debt is compared with; NULL: none. */
const struct context *debt_context(const struct tlb *tlb, const struct tlb_debt *debt);
/* Whether the CPU can use it as it runs now. */
bool debt_is_usable(const struct tlb *tlb, const struct tlb_debt *debt);
/* Whether the tables do not give all of it now, with no fewer rights. */
bool debt_is_owed(struct tlb *tlb, const struct tlb_debt *debt);
/* The removal that makes a debt. */
struct removal {
	uint16_t cpu;
	uint64_t thread;
	bool is_over;
};
/* The CPU may hold `item` under that PCID, and the tables have it no more. */
void debt_add(struct tlb *tlb, unsigned int cpu, uint16_t pcid, const struct item *item,
	      const struct removal *removal);
void debt_drop(struct tlb *tlb, struct debt *debt);
void debt_set_over(struct tlb *tlb, struct debt *debt);
/* Sets a rule's bit in debt->reported; false: it was set. */
bool debt_report_once(struct tlb *tlb, struct debt *debt, enum tlb_rule rule);
struct thread *thread_find(const struct tlb *tlb, uint64_t id);
/* The list that it is in. */
unsigned int debt_list(const struct tlb_debt *debt);
/* The first debt of a key, and the next one; NULL: none. */
struct debt *debt_at(const struct tlb *tlb, unsigned int cpu, unsigned int level, uint64_t va);
struct debt *debt_next_at(const struct debt *debt);
/* Calls visit(), which may drop the debt, for each debt of the CPU that overlaps [start, last]. */
typedef void debt_visit(struct tlb *tlb, struct debt *debt, void *context);
void debts_in_range(struct tlb *tlb, unsigned int cpu, uint64_t start, uint64_t last, debt_visit *visit,
		    void *context);
/* The same for each debt of the frame, of all CPUs. */
void debts_of_frame(struct tlb *tlb, uint64_t gpa, debt_visit *visit, void *context);
int debts_create(struct tlb *tlb);
void debts_destroy(struct tlb *tlb);

/* ---- contexts.c ---- */

static inline bool cpu_has(const struct cpu *cpu, uint64_t cr4_bit)
{
	return cpu->cr4 & cr4_bit;
}

static inline uint16_t cpu_pcid(const struct cpu *cpu)
{
	return cpu->current < 0 ? 0 : cpu->contexts.items[cpu->current].pcid;
}

struct context *context_find(struct cpu *cpu, uint16_t pcid);
/* Makes the PCID and root current. was_kept: what the CPU holds of that PCID was not flushed. */
void context_load(struct tlb *tlb, unsigned int cpu, uint16_t pcid, uint64_t root_gpa, bool was_kept);
/* Removes the contexts that are not current: of one PCID, or all (-1). */
void contexts_forget(struct tlb *tlb, unsigned int cpu, int pcid);
/* No paging any more: no context. */
void contexts_end(struct tlb *tlb, unsigned int cpu);

/* ---- flushes.c ---- */

/* False: the flush is to be ignored (tlb_config.disbelieve). */
bool flush_is_believed(struct tlb *tlb);
/* Drops debts of one PCID (-1: all), global ones too if `globals`. Returns how many were owed. */
uint64_t flush_pcid(struct tlb *tlb, unsigned int cpu, int pcid, bool globals);
/* Counts a flush by its kind. */
void flush_count(struct tlb *tlb, enum tlb_event_kind kind, uint64_t paid);
void flush_invlpg(struct tlb *tlb, const struct tlb_event *event);
void flush_range(struct tlb *tlb, const struct tlb_event *event);
void flush_invpcid(struct tlb *tlb, const struct tlb_event *event);

/* ---- registers.c ---- */

void registers_cr0(struct tlb *tlb, const struct tlb_event *event);
void registers_cr3(struct tlb *tlb, const struct tlb_event *event);
void registers_cr4(struct tlb *tlb, const struct tlb_event *event);
void registers_efer(struct tlb *tlb, const struct tlb_event *event);

/* ---- stores.c ---- */

void store_page(struct tlb *tlb, const struct tlb_event *event);
void store_entry(struct tlb *tlb, const struct tlb_event *event);

/* ---- uses.c, reuse.c, rules.c ---- */

void use_access(struct tlb *tlb, const struct tlb_event *event);
void user_enter(struct tlb *tlb, const struct tlb_event *event);
void operation_end(struct tlb *tlb, const struct tlb_event *event);
void cpu_wake(struct tlb *tlb, const struct tlb_event *event);
void reuse_frames(struct tlb *tlb, const struct tlb_event *event);
void reuse_range(struct tlb *tlb, const struct tlb_event *event);
void round_request(struct tlb *tlb, const struct tlb_event *event);
void round_done(struct tlb *tlb, const struct tlb_event *event);
void promise_done(struct tlb *tlb, const struct tlb_event *event);

/* Counts a match, and lists it. debt may be NULL. */
void match_add(struct tlb *tlb, enum tlb_rule rule, unsigned int cpu, uint64_t address,
	       const struct tlb_debt *debt, uint64_t used);
/* The same for an owed debt: once for each rule, and not while its CPU is halted, which must flush when it wakes. */
void match_owed(struct tlb *tlb, enum tlb_rule rule, unsigned int cpu, uint64_t address, struct debt *debt);

#endif
