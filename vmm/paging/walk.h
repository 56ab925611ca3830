/* SPDX-License-Identifier: MIT */
/*
 * walk.h: the guest's page tables, walked from CR3 (SDM vol. 3A 4.5, APM vol. 2 5.3).
 */
#ifndef VMM_PAGING_WALK_H
#define VMM_PAGING_WALK_H

#include "base/rights.h"
#include "base/x86.h"
#include "view/view.h"

/* How to walk, from a vCPU's control registers. */
struct walk_mode {
	uint64_t root;       /* GPA of the top table */
	unsigned int levels; /* 4 or 5 */
	unsigned int physical_bits;
	bool nx;       /* EFER.NXE; else bit 63 is reserved */
	bool pages_1g; /* a PS bit at level 3 is a page, not a reserved bit */
	bool keys;     /* CR4.PKE or CR4.PKS: bits 62:59 of a page's entry are a protection key */
};

/*
 * From CR0/CR3/CR4/EFER. ERROR_GUEST if that vCPU is not in long mode with paging, ERROR_INPUT if there is no
 * such vCPU. Whether 1G pages work no register says: that comes from the view.
 */
int walk_mode_of_cpu(const struct view *view, unsigned int cpu, struct walk_mode *out, struct error *error);

enum walk_stop {
	WALK_MAPPED = 0,
	WALK_NOT_CANONICAL,
	WALK_NOT_PRESENT,
	WALK_RESERVED_BIT,
	WALK_TABLE_OUTSIDE, /* the table's GPA is in no region */
	WALK_CYCLE,         /* walk_range only: the table is its own ancestor */
};

struct walk_level {
	unsigned int level;  /* 5..1 */
	unsigned int index;  /* 0..511 */
	uint64_t table;      /* GPA of the table */
	uint64_t entry;      /* as read, once */
	unsigned int rights; /* so far, enum rights */
	bool is_page;        /* it maps a page rather than points to a table; only if it is present */
	uint64_t reserved;   /* of a present entry: the bits that are set and must not be */
};

struct walk {
	uint64_t gva;
	enum walk_stop stop;
	unsigned int level_count;
	struct walk_level levels[5]; /* from the top; those that were read */
	/* WALK_MAPPED: */
	uint64_t gpa;       /* of gva itself */
	uint64_t page_size; /* 4K, 2M, 1G */
	unsigned int rights;
	unsigned int pat_index; /* as in struct walk_run */
	unsigned int key;       /* bits 62:59: the protection key, where such are in use */
};

/*
 * One translation. Never fails: the reason why it ended is in out->stop, and the entry that says so is the
 * last of out->levels (none if the top table itself lies outside). Touches nothing in the guest.
 */
void walk_translate(const struct view *view, const struct walk_mode *mode, uint64_t gva, struct walk *out);

/* "not present", "reserved bit set" ... */
const char *walk_stop_text(enum walk_stop stop);

/* ---- all of a range ---- */

/* A leaf or a damaged entry that the scan meets, in order of GVA. */
struct walk_leaf {
	uint64_t gva;        /* of the first byte that the entry translates */
	uint64_t gpa;        /* that the entry holds */
	uint64_t size;       /* that the entry translates; of a leaf: 4K, 2M, 1G */
	unsigned int rights; /* effective; of a damaged entry: of the levels above it */
	unsigned int level;
	uint64_t entry;
	uint64_t table; /* GPA of the table it stands in */
};

/* Neighbouring leaves of one table, alike in rights, memory type and key; their frames may lie anywhere. */
struct walk_run {
	uint64_t gva;        /* of the first leaf */
	uint64_t size;       /* of each leaf: 4K, 2M, 1G */
	unsigned int count;  /* of leaves, 1..512 */
	unsigned int rights; /* effective */
	unsigned int level;
	unsigned int pat_index;  /* PWT | PCD << 1 | PAT << 2 (SDM vol. 3A 4.9.2) */
	unsigned int key;        /* 0 where the mode has no keys */
	uint64_t table;          /* GPA of the table they stand in */
	const uint64_t *entries; /* the scan's own copy, as read once; until the visitor returns */
};

/* The GPA that a leaf's entry holds; `size` is the leaf's. The PAT bit of a large page is none of it. */
static inline uint64_t walk_leaf_gpa(uint64_t entry, uint64_t size)
{
	return entry & PTE_ADDRESS & ~(size - 1);
}

/* Each may be NULL. A nonzero return ends the scan. */
struct walk_visitor {
	void *context;
	/* Every leaf, one by one. */
	int (*leaf)(void *context, const struct walk_leaf *leaf);
	/* The same leaves as runs, several times faster. If both are given, a run comes before its leaves. */
	int (*run)(void *context, const struct walk_run *run);
	/* A page-table page, before its entries; a table that is reached again is reported again but entered
	 * only as often as `limit` allows. gva: the first address it translates. Alone it costs a fraction of
	 * a scan: the lowest tables are not looked into. */
	int (*table)(void *context, uint64_t table_gpa, unsigned int level, uint64_t gva);
	/* A present entry that leads nowhere: WALK_RESERVED_BIT, WALK_TABLE_OUTSIDE or WALK_CYCLE. Where the
	 * top table itself lies outside, `entry` is 0 and `table` and `gpa` are that table's. */
	int (*damage)(void *context, const struct walk_leaf *entry, enum walk_stop stop);
};

/* No scan enters more tables than this unless its caller says so: 32 TiB in 4K pages. */
#define WALK_TABLES_MAX (1u << 24)

/*
 * Every present leaf that translates an address of [start, end] (both inclusive), iteratively; the part of
 * the range that is not canonical is skipped. At most `limit` tables are entered (0: twice the touched pages
 * of the view, at most WALK_TABLES_MAX), so that hostile tables cost bounded time; returns 0, the visitor's
 * nonzero return, or -1 when the limit ended the scan.
 */
int walk_range(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
	       uint64_t limit, const struct walk_visitor *visitor);

/*
 * Reads `size` bytes at a GVA through the tables. ERROR_GUEST with the first address that is not mapped, or
 * whose frame is in no memory; what lies before it has been read then.
 */
int walk_read(const struct view *view, const struct walk_mode *mode, uint64_t gva, void *out, size_t size,
	      struct error *error);

#endif
