/* SPDX-License-Identifier: MIT */
/*
 * walk.h: walks the guest's page tables from CR3 (SDM vol. 3A 4.5, APM vol. 2 5.3).
 */
#ifndef VMM_PAGING_WALK_H
#define VMM_PAGING_WALK_H

#include "base/rights.h"
#include "base/x86.h"
#include "view/view.h"

/* The paging mode, from a vCPU's control registers. */
struct walk_mode {
	uint64_t root;       /* GPA of the top table */
	unsigned int levels; /* 4 or 5 */
	unsigned int physical_bits;
	bool nx;       /* EFER.NXE; false: bit 63 is reserved */
	bool pages_1g; /* 1G pages are supported; false: PS at level 3 is reserved */
	bool keys;     /* CR4.PKE or CR4.PKS: bits 62:59 of a leaf are a protection key */
};

/*
 * The mode by CR0, CR3, CR4 and EFER of a vCPU; support of 1G pages comes from the view. ERROR_GUEST if the
 * vCPU is not in long mode with paging, ERROR_INPUT if there is no such vCPU.
 */
int walk_mode_of_cpu(const struct view *view, unsigned int cpu, struct walk_mode *out, struct error *error);

/* The mode of the first vCPU that is in long mode with paging; ERROR_GUEST, about CPU 0, if none is. */
int walk_mode_find(const struct view *view, unsigned int *cpu_out, struct walk_mode *out,
		   struct error *error);

enum walk_stop {
	WALK_MAPPED = 0,
	WALK_NOT_CANONICAL,
	WALK_NOT_PRESENT,
	WALK_RESERVED_BIT,
	WALK_TABLE_OUTSIDE, /* the table's GPA is in no memory region */
};

struct walk_level {
	unsigned int level;  /* 5 to 1 */
	unsigned int index;  /* 0 to 511 */
	uint64_t table;      /* GPA of the table */
	uint64_t entry;      /* raw; each entry is read once */
	unsigned int rights; /* enum rights: effective permissions down to this level */
	bool is_page;        /* present and maps a page; false: not present, or points to a table */
	uint64_t reserved;   /* present: the reserved bits that are set */
};

struct walk {
	uint64_t gva;
	enum walk_stop stop;
	unsigned int level_count;
	struct walk_level levels[5]; /* the levels that were read, from the top */
	/* Valid if stop is WALK_MAPPED: */
	uint64_t gpa;       /* of gva itself */
	uint64_t page_size; /* 4K, 2M, 1G */
	unsigned int rights;
	unsigned int pat_index; /* as in struct walk_run */
	unsigned int key;       /* protection key; 0 if the mode has no keys */
};

/*
 * Translates one address. Never fails: out->stop is the reason why the walk ended, the last of out->levels
 * the entry that ended it (none if the top table is outside memory). Does not write to the guest.
 */
void walk_translate(const struct view *view, const struct walk_mode *mode, uint64_t gva, struct walk *out);

/* "not present", "reserved bit set" ... */
const char *walk_stop_text(enum walk_stop stop);

/* ---- scan of a range ---- */

/* A leaf or a damaged entry. */
struct walk_leaf {
	uint64_t gva;        /* of the first byte that the entry translates */
	uint64_t gpa;        /* address in the entry */
	uint64_t size;       /* bytes that the entry translates; of a leaf: 4K, 2M, 1G */
	unsigned int rights; /* effective permissions; of a damaged entry: of the levels above it */
	unsigned int level;
	uint64_t entry; /* raw */
	uint64_t table; /* GPA of the table that contains it */
};

/*
 * Neighbouring leaves of one table with the same rights, memory type and key. Their frames need not be
 * contiguous.
 */
struct walk_run {
	uint64_t gva;        /* of the first leaf */
	uint64_t size;       /* of each leaf: 4K, 2M, 1G */
	unsigned int count;  /* number of leaves, 1 to 512 */
	unsigned int rights; /* effective permissions */
	unsigned int level;
	unsigned int pat_index; /* PWT | PCD << 1 | PAT << 2 (SDM vol. 3A 4.9.2) */
	unsigned int key;       /* 0 if the mode has no keys */
	uint64_t table;         /* GPA of the table that contains them */
	/* A copy of the scan, valid until the visitor returns; ENTRIES_SPARE more can be read. */
	const uint64_t *entries;
};

/* The GPA of a leaf of `size` bytes. The mask also drops the PAT bit of a large page. */
static inline uint64_t walk_leaf_gpa(uint64_t entry, uint64_t size)
{
	return entry & PTE_ADDRESS & ~(size - 1);
}

/* The leaf at an index of a run. Inline: a visitor of runs that loops over their leaves pays for what it uses. */
static inline struct walk_leaf walk_run_leaf(const struct walk_run *run, unsigned int index)
{
	return (struct walk_leaf){
		.gva = run->gva + index * run->size,
		.gpa = walk_leaf_gpa(run->entries[index], run->size),
		.size = run->size,
		.rights = run->rights,
		.level = run->level,
		.entry = run->entries[index],
		.table = run->table,
	};
}

/*
 * The same in a loop over all leaves: walk_run_step() makes of the leaf before an index the leaf at it, in which only
 * addresses and entry differ, so that compilers turn the loop into one over vectors. walk_run_before() is the leaf before
 * index 0.
 */
static inline struct walk_leaf walk_run_before(const struct walk_run *run)
{
	struct walk_leaf leaf = walk_run_leaf(run, 0);

	leaf.gva -= run->size;
	return leaf;
}

static inline void walk_run_step(const struct walk_run *run, unsigned int index, struct walk_leaf *leaf)
{
	leaf->gva += leaf->size;
	leaf->entry = run->entries[index];
	leaf->gpa = walk_leaf_gpa(leaf->entry, leaf->size);
}

/* A table in a scan. */
struct walk_table {
	uint64_t gva; /* of the first byte that it translates */
	uint64_t gpa;
	unsigned int level;
	unsigned int rights; /* of the levels above it */
};

struct visited;

#define WALK_ENTER     (-2)
#define WALK_NO_MEMORY (-3)

/* Callbacks of a scan, in order of GVA. Each may be NULL. A nonzero return ends the scan. */
struct walk_visitor {
	void *context;
	/* Each leaf. */
	int (*leaf)(void *context, const struct walk_leaf *leaf);
	/*
	 * The same leaves as runs, which is several times faster, also with a loop over walk_run_leaf(). With both
	 * callbacks, a run precedes its leaves.
	 */
	int (*run)(void *context, const struct walk_run *run);
	/*
	 * Each page-table page, before its entries, once for each time that it is entered. gva: the first
	 * address that it translates. A visitor with this callback alone is cheap, because level 1 tables are
	 * not read.
	 */
	int (*table)(void *context, uint64_t table_gpa, unsigned int level, uint64_t gva);
	/*
	 * A table that was visited `visits` times before (0: once) at this level and with these rights, and that lies
	 * in the range in full each time. Everything below it is as it was there. 0: it is skipped; WALK_ENTER: it is
	 * visited again. NULL: it is skipped, or, if visits is 0 too, every table is visited as often as it is
	 * mapped.
	 */
	int (*again)(void *context, const struct walk_table *table);
	unsigned int visits;
	/* The tables visited before, by several scans. NULL: by this scan. */
	struct visited *visited;
	/*
	 * A damaged present entry: WALK_RESERVED_BIT or WALK_TABLE_OUTSIDE. If the top table is
	 * outside memory, `entry` is 0 and `table` and `gpa` are the GPA of that table.
	 */
	int (*damage)(void *context, const struct walk_leaf *entry, enum walk_stop stop);
};

/* Upper bound of the default limit of a scan. Enough for 32 TiB in 4K pages. */
#define WALK_TABLES_MAX (1u << 24)

/* Lower bound: few tables of a sparse core may be mapped again and again. */
#define WALK_TABLES_MIN (1u << 12)

/*
 * The default limit of a scan: twice the number of pages of the view that are not holes, between WALK_TABLES_MIN and
 * WALK_TABLES_MAX.
 */
uint64_t walk_tables_limit(const struct view *view);

/*
 * Visits every present leaf that translates an address of [start, end], both inclusive; the non-canonical
 * part of the range is skipped. Enters at most `limit` tables, so that hostile tables cost bounded time; 0
 * means walk_tables_limit(). A table that is its own
 * ancestor (a recursive map) is a table like any other: each step is one level down. Does not recurse.
 * Returns 0, the visitor's nonzero return, -1 if the limit ended the scan, or WALK_NO_MEMORY: no memory for the list of
 * visited tables.
 */
int walk_range(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
	       uint64_t limit, const struct walk_visitor *visitor);

/* The same below one table, which need not be part of the tables from the root. */
int walk_subtree(const struct view *view, const struct walk_mode *mode, const struct walk_table *table,
		 uint64_t limit, const struct walk_visitor *visitor);

/*
 * Reads `size` bytes at a GVA through the page tables. ERROR_GUEST names the first address that is not mapped
 * or whose frame is outside memory; the bytes before it have been read.
 */
int walk_read(const struct view *view, const struct walk_mode *mode, uint64_t gva, void *out, size_t size,
	      struct error *error);

#endif
