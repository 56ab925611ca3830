/* SPDX-License-Identifier: MIT */
/*
 * tlb.h: which CPU may still hold which translation, and whether that does harm.
 *
 * The model has a copy of the guest's page tables, kept by events, and for each CPU its debts. A debt is a translation, or
 * a pointer to a page table, that the CPU could have cached since its last flush that covers it, and that is no longer in
 * the tables in the same form. A translation in the tables needs no debt: a debt is made when an entry changes, and paid by a
 * flush on its CPU. So the cost of an event is that of what it changes.
 *
 * A CPU is taken to hold everything that its loaded tables gave at any time since the flush (SDM vol. 3A 4.10.2.3: it may
 * cache at any time). With PCIDs the same holds for each PCID that was loaded and not flushed since.
 *
 * Not modelled: memory types, protection keys, second-stage tables, tables outside of long mode, EFER.NXE = 0.
 *
 * Calls for one model must not overlap.
 */
#ifndef VMM_TLB_TLB_H
#define VMM_TLB_TLB_H

#include "base/array.h"
#include "base/error.h"
#include "base/page.h"
#include "tlb/event.h"
#include "tlb/rules.h"

/* Bounds of memory. Each excess is counted in struct tlb_stats and is "not seen", never an error. */
struct tlb_limits {
	uint32_t pages; /* page-table pages, 4 KiB each; and as many known by TLB_PAGE that are none yet */
	uint32_t debts; /* of all CPUs */
	uint32_t debts_per_address; /* of one CPU, address, page size and PCID */
	uint32_t contexts;          /* PCIDs of one CPU */
	uint32_t roots;             /* top tables that no CPU has loaded and whose contents are kept */
	uint32_t places;            /* addresses at which one table is reached */
	uint32_t findings;          /* listed, of each rule; all are counted */
};

struct tlb_config {
	unsigned int cpus;   /* 1 to TLB_CPUS_MAX */
	uint32_t rules;      /* mask of the rules whose matches are findings */
	bool pages_1g;       /* PS at level 3 is a 1G page; else reserved */
	bool strict;         /* every removal is over at once: a guest that lives in ring 0 */
	uint32_t disbelieve; /* every Nth flush is ignored, to test the sensitivity; 0: none */
	uint16_t phase;      /* disbelieve: the flushes that count as believed before the first one */
	uint64_t
		local_start; /* kernel addresses [start, end) that are local by design: not for TLB_RULE_REMAPPED */
	uint64_t local_end;
	struct tlb_limits limits;
	/*
	 * Reads the 512 entries of the page at `gpa`. Called when it becomes a page table and its contents are not known by
	 * TLB_PAGE. False: they are not known. NULL: they never are.
	 */
	bool (*page)(void *context, uint64_t gpa, uint64_t entries[512]);
	void *context;
};

/* One CPU, profile 'A', 1G pages, the default limits. */
struct tlb_config tlb_config_default(void);

struct tlb_debt {
	uint64_t va;      /* of the first byte, canonical */
	uint64_t frame;   /* GPA of the page, or of the table if is_table */
	uint64_t since;   /* number of the event that took the entry away */
	uint64_t over;    /* is_over: number of the event by which */
	uint64_t thread;  /* which did that; 0: not known */
	uint16_t cpu;     /* that may hold it */
	uint16_t remover; /* the CPU that took it away */
	uint16_t pcid;    /* 0 without PCIDs; of no meaning if global */
	uint8_t level;    /* of the entry: 1 to 3 for pages; 2 to 5 for pointers to tables */
	uint8_t rights;   /* enum rights, effective; 0 if is_table */
	bool is_table;    /* an entry of the paging-structure caches */
	bool is_global;
	bool is_over;     /* the removal has returned */
	bool is_replaced; /* another frame came in, by the same thread or in the kernel's half */
	bool was_freed;   /* is_table: no known table leads to the page any more */
	bool was_excused; /* the CPU was halted when it should have flushed */
};

/* Bytes of memory from .frame on that it is about. */
static inline uint64_t tlb_debt_size(const struct tlb_debt *debt)
{
	return debt->is_table ? PAGE_4K : page_level_size(debt->level);
}

struct tlb_finding {
	enum tlb_rule rule;
	uint64_t seq;     /* number of the event; the first is 1 */
	uint16_t cpu;     /* that did it */
	uint64_t address; /* GVA; of table-write, table-reuse, frame-reuse and unlogged-store: GPA */
	uint64_t used;    /* GPA that the access used; UINT64_MAX: not known */
	bool has_debt;
	struct tlb_debt debt;
};

struct tlb_stats {
	uint64_t events[TLB_EVENT_KINDS];
	uint64_t entries_changed, tables_linked, tables_now, tables_most;
	uint64_t debts_made, debts_paid, debts_now, debts_most, longest_debt; /* in events */
	uint64_t flushes[TLB_EVENT_KINDS], needless[TLB_EVENT_KINDS];         /* by the kind of the event */
	uint64_t disbelieved;
	uint64_t uses_early;        /* accesses under a debt whose removal has not returned */
	uint64_t uses_late;         /* accesses that stale-use or exposed-use match, each debt */
	uint64_t table_writes;      /* stores that table-write matches, each debt */
	uint64_t uses_harmless;     /* accesses that the tables allow to the same frame */
	uint64_t frames_freed_owed; /* frames freed before the flush */
	uint64_t kernel_over;       /* debts of the kernel's half whose removal has returned */
	uint64_t halted_owed;       /* debts of a halted CPU when it should have flushed */
	/* Not seen: */
	uint64_t unknown_tables, pages_dropped, debts_dropped, contexts_dropped, places_dropped;
	uint64_t stores_elsewhere; /* to pages that are not known as tables */
	uint64_t unknown_walks;    /* through tables whose contents are not known */
	uint64_t rounds_unknown;
	uint64_t work_dropped; /* walks and comparisons beyond the bound of work */
};

struct tlb_findings {
	ARRAY_OF(struct tlb_finding);
};

struct tlb;

int tlb_create(const struct tlb_config *config, struct tlb **out, struct error *error);
void tlb_destroy(struct tlb *tlb);

/*
 * 0; or -1: ERROR_INPUT, an event that cannot be (tlb_event_wrong()), which changed nothing; ERROR_HOST, out of memory,
 * after which the model may only be destroyed.
 */
int tlb_feed(struct tlb *tlb, const struct tlb_event *event, struct error *error);

/* Number of the last event. */
uint64_t tlb_seq(const struct tlb *tlb);

/*
 * Whether stores to the page matter: it is a table, or a CPU may still walk it as one. Once false it stays so as long as
 * tlb_stats.tables_linked and events[TLB_PAGE] do, so that a source can remember it.
 */
bool tlb_watches(const struct tlb *tlb, uint64_t gpa);

/* The entry at that GPA by the events. False: no table is known there. */
bool tlb_entry(const struct tlb *tlb, uint64_t gpa, uint64_t *out);

/* Whether accesses of the CPU matter: it has debts. */
bool tlb_owes(const struct tlb *tlb, unsigned int cpu);

/* Whether fetches of the CPU matter: it has debts of pages that it could execute. */
bool tlb_owes_fetch(const struct tlb *tlb, unsigned int cpu);

/*
 * False: the CPU has no debt for the address. True: perhaps. May overlap with calls by other threads; a debt that is made
 * meanwhile may be missed.
 */
bool tlb_may_owe(const struct tlb *tlb, unsigned int cpu, uint64_t va);

/* Calls visit() for each debt of a CPU that the tables do not give now. */
void tlb_for_each_debt(struct tlb *tlb, unsigned int cpu,
		       void (*visit)(void *context, const struct tlb_debt *debt), void *context);

const struct tlb_config *tlb_config(const struct tlb *tlb);
const struct tlb_stats *tlb_stats(const struct tlb *tlb);
/* In order of events. */
const struct tlb_findings *tlb_findings(const struct tlb *tlb);
/* Matches of a rule, listed or not. They are findings if tlb_config.rules has the rule. */
uint64_t tlb_matches(const struct tlb *tlb, enum tlb_rule rule);
/* Sum over the rules that are findings. */
uint64_t tlb_finding_count(const struct tlb *tlb);

/* The results of a model, as data. */
struct tlb_result {
	struct tlb_config config;
	uint64_t seq;
	struct tlb_stats stats;
	uint64_t matches[TLB_RULE_COUNT];
	const struct tlb_finding *findings; /* borrowed from the model */
	size_t finding_count;               /* listed */
};

struct tlb_result tlb_result(const struct tlb *tlb);
/* Sum over the rules that are findings. */
uint64_t tlb_result_findings(const struct tlb_result *result);

#endif
