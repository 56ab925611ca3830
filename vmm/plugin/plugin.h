/* SPDX-License-Identifier: MIT */
/*
 * plugin.h: libkvmap-plugin.so: turns what QEMU's translated code does into events of the TLB model; for the files of
 * vmm/plugin.
 *
 * QEMU runs each CPU of the guest in a thread. plugin.lock orders their events. Each access reads its filters without the
 * lock.
 */
#ifndef VMM_PLUGIN_PLUGIN_H
#define VMM_PLUGIN_PLUGIN_H

#include "plugin/instruction.h"
#include "plugin/qemu_api.h"
#include "plugin/shared.h"
#include "tlb/event_file.h"

#include <pthread.h>

#define PLUGIN_CPUS_MAX 64
#define SEEN_SLOTS      4096u
#define CHANGES         (1u << 15)

/* Which instructions are instrumented. */
enum plugin_mode { MODE_FLUSHES, MODE_TABLES, MODE_ALL };

/* The registers that are read, by their names in QEMU's description of the machine. */
enum plugin_register {
	REGISTER_RSP = 4,
	REGISTER_RIP = 16,
	REGISTER_CR0,
	REGISTER_CR3,
	REGISTER_CR4,
	REGISTER_EFER,
	REGISTER_CS,
	REGISTER_FS_BASE,
	REGISTER_GS_BASE,
	REGISTER_COUNT
};

/* A page to which a CPU stored, and the page of RAM that it was: true until the CPU's next flush. */
struct seen {
	uint64_t key; /* address of the page, and the number of flushes */
	uint64_t index;
};

struct plugin_cpu {
	struct seen seen[SEEN_SLOTS];
	uint64_t flushes; /* of the CPU's TLB, for keys */
	uint64_t root;
	bool is_paging; /* as the model has it */
	bool is_user;   /* and this */
	uint64_t pc;    /* of the instruction whose event is fed */
};

/* A change of an entry, by the number of its event: where it was done. */
struct change {
	uint64_t seq, entry, old, value;
	struct plugin_origin origin;
};

struct plugin {
	enum plugin_mode mode;
	struct tlb_config config;
	struct tlb *tlb;
	struct event_recorder recorder;
	FILE *record; /* NULL: none */
	const char *record_path;
	struct plugin_shared *shared;
	bool is_private; /* shared is no file of kvmap's */
	pthread_mutex_t lock;
	bool has_stopped; /* the model ended: shared->problem */
	bool has_ended;
	struct plugin_cpu *cpus;
	struct change *changes;
	struct qemu_per_cpu user;    /* 1: the CPU is in ring 3 */
	struct qemu_per_cpu fetches; /* 1: it has debts with the right to execute */
	size_t listed;
};

extern struct plugin plugin;

/* ---- plugin.c ---- */

/* The value of a register of the CPU that runs this thread. 0: QEMU does not have it. */
uint64_t plugin_register(enum plugin_register which);
/* Finds the registers; false if one is missing. */
bool plugin_registers_find(void);

/* ---- memory.c: the guest's RAM, of a memory-backend-memfd ---- */

/* Maps it, once. False: there is none. low: bytes of it below the gap for devices. */
bool memory_map(uint64_t low);
/* The number of the page of RAM at the GPA; UINT64_MAX: it is none. */
uint64_t memory_index(uint64_t gpa);
/* The aligned entry at the GPA. False: it is not RAM. */
bool memory_entry(uint64_t gpa, uint64_t *out);
/* tlb_config.page: the page is a table from now on, so that memory_watches() it. */
bool memory_page(void *context, uint64_t gpa, uint64_t entries[512]);
/* Whether stores to the page of RAM may matter. Read without the lock. */
bool memory_watches(uint64_t index);
void memory_unwatch(uint64_t index);
/* Reads guest memory through the tables of the root; false: it is not mapped, or not RAM. */
bool memory_read(uint64_t root, unsigned int levels, uint64_t va, void *out, size_t size);

/* ---- feed.c: events into the model ---- */

/* With the lock held. */
void feed(const struct tlb_event *event);
/* Where the CPU is, with its stack. */
void origin_take(unsigned int cpu, struct plugin_origin *out);
/* Copies the figures to where kvmap reads them. */
void feed_publish(void);
void feed_stop(const char *problem);

/* ---- flushes.c, accesses.c: the calls of translated code ---- */

struct flush_site {
	struct flush_instruction is;
	uint64_t pc;
};

void on_flush(unsigned int cpu, void *site);
void on_user(unsigned int cpu, void *unused);
/* data: the address of the instruction, by access_data(). */
void on_load(unsigned int cpu, uint32_t access, uint64_t va, void *data);
void on_store(unsigned int cpu, uint32_t access, uint64_t va, void *data);
/* data: bytes of the block, and bit 0: ring 3. */
void on_fetch(unsigned int cpu, void *data);
/* The thread that the CPU runs; 0: not known. */
uint64_t plugin_thread(unsigned int cpu);

/* An address of canonical form has room for a bit: whether it is of ring 3. */
#define ACCESS_USER_BIT 62

static inline void *access_data(uint64_t pc, bool is_user)
{
	return (void *)((pc & ~(UINT64_C(1) << ACCESS_USER_BIT)) | (uint64_t)is_user << ACCESS_USER_BIT);
}

static inline bool access_is_user(const void *data)
{
	return (uint64_t)data >> ACCESS_USER_BIT & 1;
}

static inline uint64_t access_pc(const void *data)
{
	uint64_t pc = (uint64_t)data & ~(UINT64_C(1) << ACCESS_USER_BIT);

	return pc | (pc >> 63 << ACCESS_USER_BIT);
}

#endif
