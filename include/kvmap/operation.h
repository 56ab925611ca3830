/* SPDX-License-Identifier: MIT */
/*
 * operation.h: what a script is compiled to, and what became of each operation.
 */
#ifndef KVMAP_OPERATION_H
#define KVMAP_OPERATION_H

#include "kvmap/opcode.h"
#include "kvmap/status.h"

#include <assert.h>
#include <stdint.h>

/* Allocation functions that `pair` measures, with their free functions. X(NAME, function, value) */
#define KVMAP_FUNCTIONS(X)                                                                                   \
	X(VMALLOC, vmalloc, 1)                                                                               \
	X(VZALLOC, vzalloc, 2)                                                                               \
	X(KMALLOC, kmalloc, 3)                                                                               \
	X(ALLOC_PAGES, alloc_pages, 4)                                                                       \
	X(NOTHING, nothing, 9)                                                                               \
	X(VMALLOC_HUGE, vmalloc_huge, 16)                                                                    \
	X(KVMALLOC, kvmalloc, 17)                                                                            \
	X(VMAP, vmap, 18)                                                                                    \
	X(VM_MAP_RAM, vm_map_ram, 19)                                                                        \
	X(VFREE_ATOMIC, vfree_atomic, 20)                                                                    \
	X(VM_UNMAP_ALIASES, vm_unmap_aliases, 21)

#define KVMAP_FUNCTION_ENUM(NAME, function, value) KVMAP_FUNCTION_##NAME = (value),
enum kvmap_function { KVMAP_FUNCTIONS(KVMAP_FUNCTION_ENUM) };
#undef KVMAP_FUNCTION_ENUM

/* X(NAME, value, word) */
#define KVMAP_ACCESSES(X)                                                                                    \
	X(READ, 0, "read")                                                                                   \
	X(WRITE, 1, "write")                                                                                 \
	X(EXECUTE, 2, "execute")

#define KVMAP_ACCESS_ENUM(NAME, value, word) KVMAP_ACCESS_##NAME = (value),
enum kvmap_access { KVMAP_ACCESSES(KVMAP_ACCESS_ENUM) };
#undef KVMAP_ACCESS_ENUM

/* The ways in which `crash` crashes the guest. X(NAME, value, word, help) */
#define KVMAP_CRASHES(X)                                                                                     \
	X(TRIPLE_FAULT, 1, "triple-fault", "a fault without a usable IDT")                                   \
	X(EMULATION, 2, "emulation", "an instruction that KVM's emulator does not implement")                \
	X(MMIO, 3, "mmio", "a load from a GPA without RAM")                                                  \
	X(HANG, 4, "hang", "an endless loop")                                                                \
	X(OOPS, 5, "oops", "a page fault in kernel code, outside the access of an operation")

#define KVMAP_CRASH_ENUM(NAME, value, word, help) KVMAP_CRASH_##NAME = (value),
enum kvmap_crash { KVMAP_CRASHES(KVMAP_CRASH_ENUM) };
#undef KVMAP_CRASH_ENUM

/* Subjects of `show`. X(NAME, value, word) */
#define KVMAP_SHOWS(X)                                                                                       \
	X(MEMINFO, 1, "meminfo")                                                                             \
	X(VMALLOCINFO, 2, "vmallocinfo")                                                                     \
	X(BUDDYINFO, 3, "buddyinfo")                                                                         \
	X(SLABINFO, 4, "slabinfo")                                                                           \
	X(AREAS, 5, "areas")                                                                                 \
	X(FRAMES, 6, "frames")

#define KVMAP_SHOW_ENUM(NAME, value, word) KVMAP_SHOW_##NAME = (value),
enum kvmap_show { KVMAP_SHOWS(KVMAP_SHOW_ENUM) };
#undef KVMAP_SHOW_ENUM

/*
 * Kinds of page faults, as `expect fault KIND` has them.
 *
 * X(NAME, value, word, description, help): description on the guest's console, help in the documents.
 */
#define KVMAP_FAULT_KINDS(X)                                                                                 \
	X(GUARD, 1, "guard", "guard page", "a guard page after an area")                                     \
	X(FREED, 2, "freed", "freed range",                                                                  \
	  "an area that was freed, flushed or not, until its range is reused")                               \
	X(NULL, 3, "null", "null page", "page 0: `expect fault null 0`")                                     \
	X(READONLY, 4, "readonly", "read-only page", "mapped, but not writable")                             \
	X(NOEXECUTE, 5, "noexecute", "no-execute page", "mapped, but not executable")                        \
	X(UNMAPPED, 6, "unmapped", "unmapped address", "any other unmapped address")

#define KVMAP_FAULT_ENUM(NAME, value, word, description, help) KVMAP_FAULT_##NAME = (value),
enum kvmap_fault_kind { KVMAP_FAULT_NONE = 0, KVMAP_FAULT_KINDS(KVMAP_FAULT_ENUM) KVMAP_NR_FAULT_KINDS };
#undef KVMAP_FAULT_ENUM

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

/*
 * Adds the next word to the sum of words that were written one after the other; the sum of none is 0, that of one is the
 * word. The factor is odd, so that another value of one word is another sum.
 */
#define KVMAP_WRITTEN_SUM(sum, word) ((uint64_t)(sum)*0x9e3779b97f4a7c15u + (uint64_t)(word))

#endif
