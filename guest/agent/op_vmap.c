/* SPDX-License-Identifier: MIT */
/*
 * op_vmap.c: operations that map the frames of an area a second time.
 */
#include "agent/operations.h"
#include "agent/variables.h"
#include "lib/platform.h"
#include "lib/types.h"
#include "mm/arch.h"
#include "mm/vmalloc/vmalloc.h"
#include "mm/warn.h"

#define VMAP_PAGES_MAX 1024

/*
 * Stores the frames of the variable's live area in pages[]; returns their number, 0 if it has no live area or
 * too many.
 */
static u32 frames_of(const struct agent_variable *variable, struct page **pages)
{
	u64 nr = ALIGN_UP(variable->size, PAGE_SIZE) / PAGE_SIZE;

	if (variable->state != VARIABLE_LIVE || nr > VMAP_PAGES_MAX)
		return 0;
	for (u64 i = 0; i < nr; i++) {
		pages[i] = vmalloc_to_page((void *)(variable->address + i * PAGE_SIZE));
		if (!pages[i])
			return 0;
	}
	return (u32)nr;
}

/* Why frames_of() found none; enum kvmap_status. */
static u32 frames_refuse(const struct operation *operation, const struct agent_variable *variable)
{
	const void *caller = (const void *)operation_row(operation->script->opcode)->run;

	if (variable->state != VARIABLE_LIVE || variable->size <= VMAP_PAGES_MAX * PAGE_SIZE)
		return KVMAP_REFUSED_UNSET;
	refusal_record_request(KVMAP_REFUSED_TOO_LARGE, 0, caller,
			       &(struct request){ .bytes = variable->size,
						  .which = KVMAP_LIMIT_VMAP,
						  .limit = VMAP_PAGES_MAX * PAGE_SIZE });
	return KVMAP_REFUSED_TOO_LARGE;
}

/* Notes that two areas have the same frames, so that a write to one changes both. */
static void share(struct agent_variable *from, struct agent_variable *to, u64 address)
{
	static u32 groups;

	if (from == to)
		return;
	if (!from->group)
		from->group = ++groups;
	*to = *from;
	to->address = address;
	to->size = from->size;
	variable_contents_changed(from);
}

/* pages: room for VMAP_PAGES_MAX. */
static u32 map_from(struct operation *operation, bool ram, struct page **pages)
{
	const struct kvmap_operand *operand = &operation->script->operand[0];
	u32 number = operation->script->result, nr;
	struct agent_variable *from;

	if (operand->base != KVMAP_BASE_VARIABLE)
		return KVMAP_REFUSED_UNKNOWN;
	from = &agent_variables[operand->variable];
	nr = frames_of(from, pages);
	operation->size = (u64)nr * PAGE_SIZE;
	if (!nr)
		return frames_refuse(operation, from);
	operation->result = (u64)(ram ? vm_map_ram(pages, nr, -1) : vmap(pages, nr, 0, PGPROT_READWRITE));
	if (!operation->result)
		return vmalloc_status();
	if (number < agent_nr_variables)
		share(from, &agent_variables[number], operation->result);
	return KVMAP_OK;
}

/*
 * One CPU at a time has `pages`, which is too large for the stack. This is no spinlock: the memory manager, which is
 * called meanwhile, may hold the other CPUs, those that wait here too.
 */
static u32 map_again(struct operation *operation, bool ram)
{
	static struct page *pages[VMAP_PAGES_MAX];
	static bool busy;
	u32 status;

	while (__atomic_exchange_n(&busy, true, __ATOMIC_ACQUIRE)) {
		arch_hold_allow();
		arch_relax();
		arch_hold_forbid();
	}
	status = map_from(operation, ram, pages);
	__atomic_store_n(&busy, false, __ATOMIC_RELEASE);
	return status;
}

u32 op_vmap(struct operation *operation)
{
	return map_again(operation, false);
}

u32 op_vm_map_ram(struct operation *operation)
{
	return map_again(operation, true);
}

u32 op_vunmap(struct operation *operation)
{
	struct agent_variable *variable = variable_take(operation->operand[0]);

	operation->address = operation->operand[0];
	vunmap((void *)operation->address);
	return variable_settle(variable, vmalloc_status());
}

u32 op_vm_unmap_ram(struct operation *operation)
{
	struct agent_variable *variable;

	operation->address = operation->operand[0];
	if (operation->operand[1] != (u32)operation->operand[1])
		return KVMAP_REFUSED_COUNT;
	variable = variable_take(operation->operand[0]);
	vm_unmap_ram((void *)operation->address, (u32)operation->operand[1]);
	return variable_settle(variable, vmalloc_status());
}

u32 op_vm_unmap_aliases(struct operation *operation)
{
	(void)operation;
	vm_unmap_aliases();
	return vmalloc_status();
}
