/* SPDX-License-Identifier: MIT */
/*
 * check.h: one invariant being checked, and the findings it makes.
 *
 * finding_new() counts a finding and returns it to be filled in, or NULL where the list is full: the
 * finding_* functions accept NULL and then do nothing, so that a guest with a million faults costs a count
 * each. finding_new_about() and finding_new_pages() count one finding for each object, whatever number of
 * claims about it fails (findings.c).
 */
#ifndef VMM_VERIFY_CHECK_H
#define VMM_VERIFY_CHECK_H

#include "verify/facts.h"

struct check {
	const struct facts *facts;
	struct verdict *verdict;
	unsigned int invariant;
	struct invariant_result *result; /* of that invariant */
	bool no_memory;
	struct finding unlisted; /* the last one that the list had no room for */
	unsigned int further;    /* number of further claims listed */
};

/* One row for each invariant: number = index + 1. */
struct invariant {
	const char *name; /* "V1" */
	const char *text;
	void (*run)(struct check *check);
	bool needs_claims; /* without them it is not seen at all */
	enum severity severity;
	const char *next; /* the command that shows more of a finding */
};

extern const struct invariant invariants[INVARIANTS];

#define CHECK_FUNCTION(number, function, ...) void check_##function(struct check *check);
INVARIANT_TABLE(CHECK_FUNCTION)
#undef CHECK_FUNCTION

/* A finding about an object of its own. */
struct finding *finding_new(struct check *check, uint64_t address);

/*
 * A finding about an object. If the invariant has a finding about it already, this is a further claim of that
 * finding, and is not counted.
 */
struct finding *finding_new_about(struct check *check, uint64_t address, struct finding_object object);

static inline struct finding_object frame_object(uint64_t gpa)
{
	return (struct finding_object){ OBJECT_PHYSICAL, gpa, gpa + KVMAP_PAGE_SIZE };
}

/* The same about the 4K frame at `gpa`, and about the 4K page that has the address `gva`. */
struct finding *finding_new_frame(struct check *check, uint64_t gpa);
struct finding *finding_new_page(struct check *check, uint64_t gva);
/*
 * The same about a structure of the guest, by its address or number: of an area its vmap_area, as its pages are objects of
 * their own.
 */
struct finding *finding_new_structure(struct check *check, uint64_t address, uint64_t structure);

/* At the end of an invariant: findings whose objects have grown together become one. */
void findings_join(struct check *check);

/* Pages [start, start + size), and what is wrong: the same for the same wrong, so that ranges are one finding. */
struct finding_pages {
	uint64_t start, size;
	const char *cause;
	uint64_t variant;
	uint64_t count; /* of pages; 0: one */
	bool gaps;      /* pages of this cause are one finding with others between them, too */
	uint64_t group; /* the same for pages of one group alone: an area, or a page table; 0: none */
	/* OBJECT_OWN: these pages, [start, start + size) of virtual memory. */
	struct finding_object object;
};

/*
 * The same for pages. If a finding or further claim with this cause ends where the pages start, they are added
 * to it, and NULL is returned; with `gaps`, or of the same group, if it ends before them or starts after them.
 */
struct finding *finding_new_pages(struct check *check, uint64_t address, const struct finding_pages *pages);

void finding_claimed(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_found(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_where(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The area: "64 KiB area 'buffer' at 0xffffc90000000000, allocated by op_vmalloc+0x12 (op_areas.c:31)". Marks it
 * as wrong even where the finding itself is not listed (NULL).
 */
void finding_where_area(struct finding *finding, const struct check *check, const struct claim_area *area);

/* The area that gva belongs to; else what address_explain() says. */
void finding_where_gva(struct finding *finding, const struct check *check, uint64_t gva);

/* The group of the pages of an area, and of those whose entries are in one page table. */
uint64_t group_of_area(const struct claim_area *area);
uint64_t group_of_table(uint64_t gva, uint64_t page_size);

/*
 * Whether any of these parts of the claims (enum claims_part) was not read to its end. A check that depends on it is
 * left out: it would be a finding for each frame or page that follows from one damage. verify() marks the invariant.
 */
bool check_lacks(const struct check *check, unsigned int parts);

/* Marks the invariant as not seen. */
void check_not_seen(struct check *check, const char *why);

/* fresh.c: the part of check_owners() that is about frames claimed zero. */
void check_fresh(struct check *check);

/* buddies.c: the parts of check_owners() about a free block, and about two owners that follow each other by frame. */
void check_free_block(struct check *check, const struct keyed *owner);
void check_buddies(struct check *check, const struct keyed *owner, const struct keyed *next);

/* placement.c: the part of check_owners() that is about the zones and nodes that requests allowed. */
void check_placement(struct check *check);

/* kept.c, objects.c: the parts of check_counters() about the lists of CPUs and caches, and about objects in use. */
void check_kept(struct check *check);
void check_objects_in_use(struct check *check);

/* watermarks.c: the part of check_counters() about the reserve of frames. */
void check_watermarks(struct check *check);

/*
 * requests.c: the requests of a script: the parts of check_mappings() about areas, of check_owners() about objects, of
 * check_space() about a free that may not wait, and of check_counters() about what no request has.
 */
void check_requested_areas(struct check *check);
void check_requested_objects(struct check *check);
void check_requested_deferral(struct check *check);
void check_requested_all(struct check *check);

/* lists.c: the parts of check_space() about deferred areas and cached ranges. */
void check_deferred(struct check *check);
void check_cached(struct check *check);

/* memory_types.c: the part of check_protection() that is about the memory types of a frame's mappings. */
void check_memory_types(struct check *check);

/* write_execute.c: the part of check_protection() that is about frames with several mappings. */
void check_write_execute(struct check *check);

/* seen.c: the part of check_flushes() that is about what the verification before has seen. */
void check_seen(struct check *check);

/* flush_events.c: the part of check_flushes() that is about the event log. */
void check_flush_events(struct check *check);

/* idle.c: the part of check_flushes() that is about registers. */
void check_idle(struct check *check);

/* contents_bytes.c: whether anything is known of the variable's bytes. */
bool contents_are_stated(const struct claim_variable *variable);

/*
 * Compares `size` bytes of the variable, at most a page, `base` bytes from its start, a multiple of a page.
 * Returns the offset of the first that is wrong, for words that of the word; size if none is. *expected_out: the word
 * that must be there.
 */
uint64_t contents_first_wrong(const struct claim_variable *variable, const uint8_t *bytes, uint64_t base,
			      uint64_t size, uint64_t *expected_out);

/* Goes on with `sum` for the words at `bytes`: KVMAP_WRITTEN_SUM(). */
uint64_t contents_written_sum(const uint8_t *bytes, uint32_t words, uint64_t sum);

/* The claim of the words that were written last, and their sum in memory (mapped), for a finding. */
void contents_not_written(struct finding *finding, const struct claim_variable *variable, bool mapped,
			  uint64_t sum);

/* contents_object.c: a variable of the script that holds what kmalloc gave out. */
void check_object(struct check *check, const struct claim_variable *variable);

#endif
