/* SPDX-License-Identifier: MIT */
/*
 * guest_numa.c: binds memory by libnuma, which is loaded only for a guest with several nodes, since it reads
 * much of /sys when it starts.
 */
#include "machine/guest_numa.h"

#include "kvmap/boot.h"

#include <dlfcn.h>
#include <numa.h>
#include <stdbool.h>

struct numa {
	void *library;
	__typeof__(numa_available) *available;
	__typeof__(numa_num_configured_nodes) *configured;
	__typeof__(numa_tonode_memory) *tonode;
};

static bool open_library(struct numa *numa)
{
	numa->library = dlopen("libnuma.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!numa->library)
		return false;
	*(void **)&numa->available = dlsym(numa->library, "numa_available");
	*(void **)&numa->configured = dlsym(numa->library, "numa_num_configured_nodes");
	*(void **)&numa->tonode = dlsym(numa->library, "numa_tonode_memory");
	return numa->available && numa->configured && numa->tonode;
}

/* Binds the part of [start, end) that lies in the piece. */
static void bind_span(const struct numa *numa, const struct guest_memory *memory,
		      const struct guest_piece *piece, uint64_t start, uint64_t end, int host_node)
{
	if (start < piece->gpa)
		start = piece->gpa;
	if (end > piece->gpa + piece->size)
		end = piece->gpa + piece->size;
	if (start < end)
		numa->tonode(memory->bytes + piece->offset + (start - piece->gpa), end - start, host_node);
}

static void bind_all(const struct numa *numa, const struct guest_memory *memory, unsigned int nodes,
		     unsigned int host_nodes)
{
	struct guest_piece pieces[GUEST_PIECES_MAX];
	unsigned int count = guest_memory_pieces(memory->size, pieces);
	uint64_t end = pieces[count - 1].gpa + pieces[count - 1].size;

	for (unsigned int node = 0; node < nodes; node++)
		for (unsigned int i = 0; i < count; i++)
			bind_span(numa, memory, &pieces[i], KVMAP_NODE_START(node, nodes, end),
				  node + 1 < nodes ? KVMAP_NODE_START(node + 1, nodes, end) : end,
				  (int)(node % host_nodes));
}

unsigned int guest_numa_bind(const struct guest_memory *memory, unsigned int nodes, const char **why_not_out)
{
	struct numa numa;
	int host_nodes = 0;

	if (!open_library(&numa)) {
		*why_not_out = "libnuma is not installed";
	} else {
		if (numa.available() >= 0)
			host_nodes = numa.configured();
		if (host_nodes > 1)
			bind_all(&numa, memory, nodes, (unsigned int)host_nodes);
		else
			*why_not_out = "the host has one node";
	}
	if (numa.library)
		dlclose(numa.library);
	return host_nodes <= 1 ? 0 : nodes < (unsigned int)host_nodes ? nodes : (unsigned int)host_nodes;
}
