/* SPDX-License-Identifier: MIT */
/*
 * requests.c: keeps the requests of the operations of the script (verify/requests.h).
 */
#include "session/internal.h"

#include "kvmap/claims.h"
#include "kvmap/gfp.h"
#include "kvmap/layout.h"
#include "kvmap/opcode.h"
#include "session/expectations.h"

/* Flags that decide what an area or an object must be. */
#define GFP_OF_REQUESTS (__GFP_DMA | __GFP_DMA32 | __GFP_ZERO | __GFP_THISNODE | GFP_NODE_MASK)

/* Flags of areas that set_memory_...() changes. */
#define VM_RIGHTS ((uint64_t)(VM_READONLY | VM_EXEC))

static uint32_t gfp_of_node(uint64_t node)
{
	return (uint32_t)(node + 1) << GFP_NODE_SHIFT;
}

static uint64_t operand(const struct kvmap_operation *operation, unsigned int number)
{
	return operation->operand[number].value;
}

/* The request of an operation. False: it allocates nothing that it returns, or is a resize. */
static bool request_of(const struct kvmap_operation *operation, struct request *out)
{
	uint64_t size = operand(operation, 0), second = operand(operation, 1);

	*out = (struct request){ .size = size, .gfp_known = true };
	switch (operation->opcode) {
	case KVMAP_OP_VMALLOC:
	case KVMAP_OP_VMALLOC_HUGE: return true;
	case KVMAP_OP_VZALLOC: out->gfp = __GFP_ZERO; return true;
	case KVMAP_OP_VMALLOC_GFP:
	case KVMAP_OP_KMALLOC: out->gfp = (uint32_t)second; return true;
	case KVMAP_OP_KZALLOC: out->gfp = (uint32_t)second | __GFP_ZERO; return true;
	case KVMAP_OP_VMALLOC_USER:
		out->gfp = __GFP_ZERO;
		out->flags = VM_USERMAP;
		return true;
	case KVMAP_OP_VMALLOC_32: out->gfp = __GFP_DMA32; return true;
	case KVMAP_OP_VMALLOC_NODE:
	case KVMAP_OP_KMALLOC_NODE: out->gfp = gfp_of_node(second); return true;
	case KVMAP_OP_VZALLOC_NODE: out->gfp = gfp_of_node(second) | __GFP_ZERO; return true;
	case KVMAP_OP_VMALLOC_ARRAY: out->size = size * second; return true;
	case KVMAP_OP_VCALLOC:
		out->size = size * second;
		out->gfp = __GFP_ZERO;
		return true;
	case KVMAP_OP_KVMALLOC: out->either = true; return true;
	case KVMAP_OP_KVZALLOC:
		out->either = true;
		out->gfp = __GFP_ZERO;
		return true;
	case KVMAP_OP_KVMALLOC_ARRAY:
		out->either = true;
		out->size = size * second;
		return true;
	default: return false;
	}
}

/* The first request for that address; of several, which only a `parallel` can show, the oldest. count: there is none. */
static size_t find(const struct requests *requests, uint64_t address)
{
	size_t at = 0;

	while (at < requests->count && requests->items[at].address != address)
		at++;
	return at;
}

static void forget(struct requests *requests, size_t at)
{
	if (at < requests->count)
		requests->items[at] = requests->items[--requests->count];
}

/* An operation has freed what is not known: no request is sure to be there. */
static void lose(struct requests *requests)
{
	requests->incomplete = true;
	requests->count = 0;
}

/* A second mapping of what a variable holds. */
static bool alias_of(const struct session *session, const struct kvmap_operation *operation,
		     struct request *out)
{
	struct kvmap_operand of = { .base = KVMAP_BASE_VARIABLE, .variable = operation->operand[0].variable };
	uint64_t address;
	size_t at;

	if (!expectations_address(session, &of, &address))
		return false;
	at = find(&session->requests, address);
	if (at == session->requests.count)
		return false;
	*out = (struct request){
		.size = (session->requests.items[at].size + KVMAP_PAGE_SIZE - 1) &
			~(uint64_t)(KVMAP_PAGE_SIZE - 1),
		.flags = VM_MAP | (operation->opcode == KVMAP_OP_VM_MAP_RAM ? VM_MAP_RAM : 0),
		.alias = true,
	};
	return true;
}

/* A resize of what is at `address`, which keeps the user's flag, and limits that both requests have. */
static struct request resized(struct requests *requests, uint64_t address,
			      const struct kvmap_operation *operation)
{
	uint32_t gfp = (uint32_t)operand(operation, 2), limits = GFP_OF_REQUESTS & ~(uint32_t)__GFP_ZERO;
	struct request request = { .size = operand(operation, 1), .gfp = gfp & limits, .gfp_known = true };
	size_t at = find(requests, address);

	request.either = operation->opcode == KVMAP_OP_KVREALLOC;
	if (at == requests->count)
		return request;
	request.flags = requests->items[at].flags;
	request.either = requests->items[at].either;
	request.gfp_known = false;
	forget(requests, at);
	return request;
}

static void change_rights(struct requests *requests, uint64_t address, uint64_t set, uint64_t clear)
{
	size_t at = find(requests, address);

	if (at < requests->count)
		requests->items[at].flags = (requests->items[at].flags | set) & ~clear;
}

/* An area that is freed without a wait stays as it is until its CPU does something on areas. */
static bool is_deferred(const struct kvmap_operation *operation, uint64_t address)
{
	return address >= KVMAP_VMALLOC_START && address < KVMAP_VMALLOC_END &&
	       (operation->opcode == KVMAP_OP_VFREE_ATOMIC || operation->context == KVMAP_CONTEXT_INTERRUPT);
}

/* A resize to 0 bytes is a free. */
static int add(struct requests *requests, struct request request, uint64_t address)
{
	request.address = address;
	request.gfp &= GFP_OF_REQUESTS;
	return address && request.size ? array_push(requests, request) : 0;
}

/* The flags of an operation that has such an operand, else 0. */
static uint32_t gfp_of(const struct kvmap_operation *operation)
{
	switch (operation->opcode) {
	case KVMAP_OP_VMALLOC_32: return __GFP_DMA32;
	case KVMAP_OP_VMALLOC_GFP:
	case KVMAP_OP_KMALLOC:
	case KVMAP_OP_KZALLOC: return (uint32_t)operand(operation, 1);
	case KVMAP_OP_VREALLOC:
	case KVMAP_OP_KVREALLOC: return (uint32_t)operand(operation, 2);
	default: return 0;
	}
}

/* Which frames an operation may take: those of the reserve, those of low zones. Some make requests of their own. */
static void note_frames(struct requests *requests, const struct kvmap_operation *operation)
{
	uint32_t gfp = gfp_of(operation);
	bool own = operation->opcode == KVMAP_OP_AREAS || operation->opcode == KVMAP_OP_STRESS ||
		   operation->opcode == KVMAP_OP_PAIR || operation->opcode == KVMAP_OP_BUG;

	requests->reserve |= own || gfp & __GFP_HIGH;
	requests->low |= own || gfp & (__GFP_DMA | __GFP_DMA32);
}

int requests_note(struct session *session, const struct kvmap_operation *operation,
		  const struct kvmap_record *result)
{
	struct requests *requests = &session->requests;
	struct request request;
	uint64_t address = 0;
	bool known = expectations_address(session, &operation->operand[0], &address);

	if (operation->opcode == KVMAP_OP_VERIFY || operation->opcode == KVMAP_OP_SHOW ||
	    operation->opcode == KVMAP_OP_PRINT)
		return 0;
	requests->deferred = 0;
	note_frames(requests, operation);
	if (KVMAP_STATUS_IS_FAILED(result->status))
		requests->incomplete = true;
	if (result->status != KVMAP_OK)
		return 0;
	switch (operation->opcode) {
	case KVMAP_OP_VFREE:
	case KVMAP_OP_VFREE_ATOMIC:
	case KVMAP_OP_KVFREE:
	case KVMAP_OP_KFREE:
	case KVMAP_OP_VUNMAP:
	case KVMAP_OP_VM_UNMAP_RAM:
		if (!known)
			lose(requests);
		requests->deferred = is_deferred(operation, address) ? address : 0;
		forget(requests, find(requests, address));
		return 0;
	case KVMAP_OP_SET_MEMORY_RO: change_rights(requests, address, VM_READONLY, 0); return 0;
	case KVMAP_OP_SET_MEMORY_RW: change_rights(requests, address, 0, VM_READONLY); return 0;
	case KVMAP_OP_SET_MEMORY_X: change_rights(requests, address, VM_EXEC, 0); return 0;
	case KVMAP_OP_SET_MEMORY_NX: change_rights(requests, address, 0, VM_EXEC); return 0;
	case KVMAP_OP_VREALLOC:
	case KVMAP_OP_KVREALLOC:
		if (!known)
			lose(requests);
		return add(requests, resized(requests, address, operation), result->value[0]);
	case KVMAP_OP_AREAS:
	case KVMAP_OP_STRESS:
	case KVMAP_OP_BUG: requests->incomplete = true; return 0;
	case KVMAP_OP_VMAP:
	case KVMAP_OP_VM_MAP_RAM:
		if (alias_of(session, operation, &request))
			return add(requests, request, result->value[0]);
		requests->incomplete = true;
		return 0;
	default:
		if (request_of(operation, &request))
			return add(requests, request, result->value[0]);
		requests->incomplete |= operation->result != KVMAP_NO_RESULT;
		return 0;
	}
}
