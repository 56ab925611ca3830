/* SPDX-License-Identifier: MIT */
/*
 * operation.h: what a script is compiled to, and what became of each operation.
 */
#ifndef KVMAP_OPERATION_H
#define KVMAP_OPERATION_H

#include "kvmap/status.h"

#include <assert.h>
#include <stdint.h>

/* Operands by opcode are listed at the opcode; "-> v" means that the result variable is set. */
enum kvmap_opcode {
	KVMAP_OP_VMALLOC = 1,  /* size -> v */
	KVMAP_OP_VZALLOC = 2,  /* size -> v */
	KVMAP_OP_VFREE = 3,    /* address */
	KVMAP_OP_FILL = 4,     /* variable, seed: every page of the area gets kvmap_pattern(seed, page) */
	KVMAP_OP_CHECK = 5,    /* variable: the area still holds what fill (or vzalloc: zero) put there */
	KVMAP_OP_READ = 6,     /* address: 8 bytes */
	KVMAP_OP_WRITE = 7,    /* address, value: 8 bytes */
	KVMAP_OP_FRAGMENT = 8, /* percent, bytes, seed: hold so much of a stretch of free memory, scattered */
	KVMAP_OP_PURGE = 9,    /* flush all that waits for a flush */
	KVMAP_OP_VERIFY = 10,  /* the host compares claims and tables */
	KVMAP_OP_PRINT = 11,   /* string offset, address (shown if its base is not none) */
	KVMAP_OP_TOUCH = 12,   /* address, kvmap_access: what `expect fault` runs */
	KVMAP_OP_CRASH = 13,   /* enum kvmap_crash: die, to see the report */
	KVMAP_OP_BUG = 14,     /* number of kvmap/bugs.h; only the guest of tests/mutants has them */
	KVMAP_OP_PAIR = 15,  /* enum kvmap_function, size, count: allocations that are freed at once, timed */
	KVMAP_OP_AREAS = 16, /* count, size, holes: areas that stay; holes: every second one is freed */
	KVMAP_OP_KMALLOC = 32,          /* size, flags of kvmap/gfp.h -> v */
	KVMAP_OP_KZALLOC = 33,          /* size, flags of kvmap/gfp.h -> v */
	KVMAP_OP_KFREE = 34,            /* address */
	KVMAP_OP_KMALLOC_NODE = 35,     /* size, node -> v */
	KVMAP_OP_VMAP = 24,             /* variable -> v: the frames of its area, mapped once more */
	KVMAP_OP_VUNMAP = 25,           /* address */
	KVMAP_OP_VM_MAP_RAM = 26,       /* variable -> v */
	KVMAP_OP_VM_UNMAP_RAM = 27,     /* address, pages */
	KVMAP_OP_VM_UNMAP_ALIASES = 28, /* flush all that vunmap and vm_unmap_ram left */
	KVMAP_OP_VMALLOC_GFP = 48,      /* size, flags of kvmap/gfp.h -> v */
	KVMAP_OP_VMALLOC_USER = 49,     /* size -> v */
	KVMAP_OP_VMALLOC_32 = 50,       /* size -> v */
	KVMAP_OP_VMALLOC_NODE = 51,     /* size, node -> v */
	KVMAP_OP_VZALLOC_NODE = 52,     /* size, node -> v */
	KVMAP_OP_VMALLOC_ARRAY = 53,    /* count, size of each -> v */
	KVMAP_OP_VCALLOC = 54,          /* count, size of each -> v */
	KVMAP_OP_KVMALLOC = 55,         /* size -> v */
	KVMAP_OP_KVZALLOC = 56,         /* size -> v */
	KVMAP_OP_KVMALLOC_ARRAY = 57,   /* count, size of each -> v */
	KVMAP_OP_KVFREE = 58,           /* address */
	KVMAP_OP_SET_MEMORY_RO = 59,    /* address, pages */
	KVMAP_OP_SET_MEMORY_RW = 60,    /* address, pages */
	KVMAP_OP_SET_MEMORY_X = 61,     /* address, pages */
	KVMAP_OP_SET_MEMORY_NX = 62,    /* address, pages */
	KVMAP_OP_VREALLOC = 64,         /* address, size, flags of kvmap/gfp.h -> v */
	KVMAP_OP_KVREALLOC = 65,        /* address, size, flags of kvmap/gfp.h -> v */
	KVMAP_OP_VMALLOC_HUGE = 66,     /* size -> v */
	KVMAP_OP_EXECUTE = 63,          /* address: calls what lies there */
	/* count: so many operations that follow run at the same time, those of each CPU in their order */
	KVMAP_OP_PARALLEL = 72,
	KVMAP_OP_STRESS = 73,       /* seed, count: random operations of this CPU, with objects that stay */
	KVMAP_OP_STRESS_FREE = 74,  /* frees what all CPUs have left of those */
	KVMAP_OP_VFREE_ATOMIC = 80, /* address */
};

/* What `pair` allocates with; the function that frees belongs to it. */
enum kvmap_function {
	KVMAP_FUNCTION_VMALLOC = 1,
	KVMAP_FUNCTION_VZALLOC = 2,
	KVMAP_FUNCTION_KMALLOC = 3,
	KVMAP_FUNCTION_ALLOC_PAGES = 4, /* the block that holds the size */
	KVMAP_FUNCTION_NOTHING = 9,     /* what a pair costs besides what is measured */
	KVMAP_FUNCTION_VMALLOC_HUGE = 16,
	KVMAP_FUNCTION_KVMALLOC = 17,
	KVMAP_FUNCTION_VMAP = 18,       /* of frames that there are */
	KVMAP_FUNCTION_VM_MAP_RAM = 19, /* the same */
};

enum kvmap_access { KVMAP_ACCESS_READ = 0, KVMAP_ACCESS_WRITE = 1, KVMAP_ACCESS_EXECUTE = 2 };

enum kvmap_crash {
	KVMAP_CRASH_TRIPLE_FAULT = 1,
	KVMAP_CRASH_EMULATION = 2, /* an instruction that no emulator runs */
	KVMAP_CRASH_MMIO = 3,      /* a load from a GPA without RAM */
	KVMAP_CRASH_HANG = 4,
	KVMAP_CRASH_OOPS = 5, /* a page fault in kernel code, outside any operation's access */
};

/* What the address of a fault is. The script words are in the comments. */
enum kvmap_fault_kind {
	KVMAP_FAULT_NONE = 0,
	KVMAP_FAULT_GUARD = 1,     /* guard */
	KVMAP_FAULT_FREED = 2,     /* freed: a lazily freed or already recycled vmalloc range */
	KVMAP_FAULT_NULL = 3,      /* null: page 0 */
	KVMAP_FAULT_READONLY = 4,  /* readonly: a write to text, rodata or a read-only area */
	KVMAP_FAULT_NOEXECUTE = 5, /* noexecute */
	KVMAP_FAULT_UNMAPPED = 6,  /* unmapped: anything else */
};

/* Where an operand's value starts from; the constant is added. */
enum kvmap_base {
	KVMAP_BASE_NONE = 0,
	KVMAP_BASE_VARIABLE = 1, /* the address that variable number `variable` holds */
	KVMAP_BASE_TEXT = 2,     /* first byte of the guest's text */
	KVMAP_BASE_RODATA = 3,
};

struct kvmap_operand {
	uint64_t value;
	uint16_t base;
	uint16_t variable;
	uint32_t unused;
};

enum kvmap_expect {
	KVMAP_EXPECT_DONE = 0,
	KVMAP_EXPECT_REFUSED = 1, /* `expect refused ...` */
	KVMAP_EXPECT_FAULT = 2,   /* `expect fault KIND ...`; the kind is in fault_kind */
};

/* Where an operation runs on its CPU. */
enum kvmap_context {
	KVMAP_CONTEXT_TASK = 0,
	KVMAP_CONTEXT_INTERRUPT = 1, /* in the handler of an interrupt: only with KVMAP_BOOT_INTERRUPTS */
};

#define KVMAP_NO_RESULT     0xffff
#define KVMAP_VARIABLES_MAX 512

struct kvmap_operation {
	uint16_t opcode;
	uint16_t result; /* variable number or KVMAP_NO_RESULT */
	uint16_t expect;
	uint16_t fault_kind;
	uint32_t line; /* in the script, 1-based */
	uint16_t cpu;  /* that runs it; CPU 0 waits meanwhile */
	uint16_t context;
	struct kvmap_operand operand[3];
};

static_assert(sizeof(struct kvmap_operand) == 16, "operand");
static_assert(sizeof(struct kvmap_operation) == 64, "operation");

/*
 * The 8-byte word that fills page number `page` of an area filled with `seed`: splitmix64's finaliser, so
 * that no two pages of any two areas look alike. Macro, because this header holds no code. Never 0 in
 * practice.
 */
#define KVMAP_MIX1(x) (((x) ^ ((x) >> 30)) * 0xbf58476d1ce4e5b9u)
#define KVMAP_MIX2(x) (((x) ^ ((x) >> 27)) * 0x94d049bb133111ebu)
#define KVMAP_PATTERN(seed, page)                                                                            \
	KVMAP_MIX2(KVMAP_MIX1((uint64_t)(seed)*0x9e3779b97f4a7c15u + (uint64_t)(page) + 1))

#endif
