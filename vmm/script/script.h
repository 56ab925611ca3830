/* SPDX-License-Identifier: MIT */
/*
 * script.h: operation scripts (*.kvs), compiled to what the guest runs.
 */
#ifndef VMM_SCRIPT_SCRIPT_H
#define VMM_SCRIPT_SCRIPT_H

#include "base/array.h"
#include "base/error.h"
#include "kvmap/boot.h"
#include "kvmap/operation.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes that `memory` in the head may state. */
#define SCRIPT_MEMORY_MIN (8ull << 20)
#define SCRIPT_MEMORY_MAX (64ull << 30)

/* The statements of the head of a script; 0: not stated. */
struct script_head {
	uint64_t memory; /* bytes */
	uint32_t cpus;
	uint32_t nodes;
	bool has_policy;
	uint32_t policy; /* enum kvmap_policy */
	bool has_seed;
	uint64_t seed;
	bool debug_slab;          /* KVMAP_BOOT_DEBUG_SLAB */
	uint32_t fail_allocation; /* struct kvmap_boot */
};

#define SCRIPT_BLOCKS_MAX 16 /* `repeat` in `repeat` */

/* A `repeat` or `parallel` without its end. */
struct script_block {
	bool parallel;   /* a `parallel`; times is 1 */
	uint32_t line;   /* of the count, or of `parallel` */
	uint32_t column; /* bytes before it in the line */
	uint64_t times;
	size_t start; /* index of its first operation */
};

struct script {
	char *path;               /* as given, for messages */
	char *text;               /* the whole file */
	size_t length, text_size; /* bytes of the text without its NUL, and of the room for it */
	ARRAY_OF(size_t) lines;   /* offset of each line that was compiled; index 0 is line 1 */
	struct script_block blocks[SCRIPT_BLOCKS_MAX];
	unsigned int block_count; /* 0: script_append() left none open */
	struct script_head head;
	ARRAY_OF(struct kvmap_operation) operations;
	ARRAY_OF(char) strings;
	ARRAY_OF(char *) variables; /* names; index = variable number */
};

/*
 * Reads and compiles; the path "-" is standard input. An error names file, line and column; error->text is then "FILE:LINE:COLUMN: what", and
 * context_out (may be NULL) gets the line and a caret below the column, without a newline at the end; ""
 * where no line is to blame.
 */
int script_load(const char *path, struct script **out, char *context_out, size_t context_size,
		struct error *error);
int script_compile(const char *path, const char *text, size_t length, struct script **out, char *context_out,
		   size_t context_size, struct error *error);
void script_destroy(struct script *script);

/* A script without operations, for script_append(). NULL when memory is out. */
struct script *script_empty(const char *path);

/* A script that grows while its guest runs. */
struct script_mark {
	size_t text, lines, operations, strings, variables; /* bytes of the text, numbers of the others */
};

#define SCRIPT_OPEN 1

/*
 * Compiles lines as those that follow the script's, for a guest with `cpus` CPUs. 0: the script has them;
 * SCRIPT_OPEN: it has them, but a `repeat` or `parallel` has no end yet, so that its operations must not be run; -1: an
 * error, as of script_load(), and the script is as before. The cost is that of the lines, however long the script is.
 */
int script_append(struct script *script, const char *text, size_t length, uint32_t cpus, char *context_out,
		  size_t context_size, struct error *error);

/* The script as it is, and as it was. Blocks that are open are dropped: a mark is taken when none is. */
struct script_mark script_mark(const struct script *script);
void script_rewind(struct script *script, const struct script_mark *mark);

/* Gives each `fragment` without a seed of its own that of the run. */
void script_fill_seeds(struct kvmap_operation *operations, size_t count, uint64_t seed);

/* The names of all variables, each with its NUL, one after the other, as the guest gets them. */
size_t script_names_size(const struct script *script);
void script_fill_names(const struct script *script, char *out);

/* The names of the operations, from index 0 on; NULL after the last one. */
const char *operation_listed(size_t index);

/* The documents' sentence about an operation, and its usage, "NAME = vmalloc SIZE"; NULL: there is none of that name. */
const char *operation_help(const char *name, char *usage, size_t size);

/* Whether operand 0 of the operation is the offset of a text in the script's strings. */
bool operation_has_text(uint16_t opcode);

/* Whether it may be a script: its name ends in .kvs, or it is a file that begins with text. "-" is one. */
bool script_is_file(const char *path);

/* Checks that a guest with `cpus` CPUs has every CPU of the operations. Errors as those of script_load(). */
int script_check_cpus(const struct script *script, uint32_t cpus, char *context_out, size_t context_size,
		      struct error *error);

/* Does any operation run in an interrupt? Then a machine of one CPU needs a local APIC, too. */
bool script_interrupts(const struct script *script);

/*
 * PVH module 0: boot record, operations, strings. *boot gives flags, policy, seed and channel; sizes,
 * offsets and KVMAP_BOOT_INTERRUPTS are filled in. The module is malloc'ed.
 */
int script_module(const struct script *script, const struct kvmap_boot *boot, void **module_out,
		  size_t *size_out, struct error *error);

/* The text of the line that an operation came from, without blanks around it and its comment; "" out of
 * range. Returns out. */
const char *script_line(const struct script *script, uint32_t line, char *out, size_t size);

/* "vmalloc" for KVMAP_OP_VMALLOC; "?" for none. */
const char *operation_name(uint16_t opcode);
/* The operation's outcome in reports, with the placeholders of kvmap/opcode.h. */
const char *operation_outcome(uint16_t opcode);
/* "guard" ... for messages and the language */
const char *fault_kind_name(uint16_t kind);
/* "strict" ... "?" for none. */
const char *policy_name(uint32_t policy);
/* "double free" ... one clause for an enum kvmap_status */
const char *status_text(uint16_t status);

#endif
