/* SPDX-License-Identifier: MIT */
/*
 * settle.c: what machine and what guest a script gets: by the command line, else by its head, else the default.
 */
#include "session/session.h"

_Static_assert(SCRIPT_MEMORY_MIN == MACHINE_MEMORY_MIN && SCRIPT_MEMORY_MAX == MACHINE_MEMORY_MAX,
	       "a script may state what a machine can have");

#define MEMORY_DEFAULT (256ull << 20)

int session_settle(struct session_config *config, const struct script *script, char *context_out,
		   size_t context_size, struct error *error)
{
	const struct script_head *head = &script->head;

	config->script = script;
	if (!config->memory)
		config->memory = head->memory ? head->memory : MEMORY_DEFAULT;
	if (!config->cpus)
		config->cpus = head->cpus ? head->cpus : 1;
	if (!config->nodes)
		config->nodes = head->nodes ? head->nodes : 1;
	if (config->policy == SESSION_POLICY_UNSTATED)
		config->policy = head->has_policy ? head->policy : KVMAP_POLICY_STRICT;
	if (!config->has_seed)
		config->seed = head->has_seed ? head->seed : SESSION_SEED_DEFAULT;
	if (!config->fail_allocation)
		config->fail_allocation = head->fail_allocation;
	config->debug_slab |= head->debug_slab;
	return script_check_cpus(script, config->cpus, context_out, context_size, error);
}
