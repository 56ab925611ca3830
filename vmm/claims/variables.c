/* SPDX-License-Identifier: MIT */
/*
 * variables.c: the script's variables in the guest's agent, and the operation in progress on each CPU.
 */
#include "claims/reader.h"

#include <string.h>

static void variable_take(struct reader *reader, const uint8_t *copy)
{
	const struct claims_layout *layout = reader->layout;
	struct claim_variable variable = {
		.address = layout_value(layout, MEMBER_agent_variable_address, copy),
		.size = layout_value(layout, MEMBER_agent_variable_size, copy),
		.filled = layout_value(layout, MEMBER_agent_variable_filled, copy),
		.fill_seed = layout_value(layout, MEMBER_agent_variable_fill_seed, copy),
		.write_address = layout_value(layout, MEMBER_agent_variable_write_address, copy),
		.write_value = layout_value(layout, MEMBER_agent_variable_write_value, copy),
		.state = (uint32_t)layout_value(layout, MEMBER_agent_variable_state, copy),
		.contents = (uint32_t)layout_value(layout, MEMBER_agent_variable_contents, copy),
	};

	(void)reader_push(reader, &reader->out->variables, variable);
}

void read_variables(struct reader *reader)
{
	const struct claims_layout *layout = reader->layout;
	const struct claim_root_location *root = &layout->roots[ROOT_agent_variables];
	uint32_t most = layout_elements(layout, TYPE_agent_variable, root->size);
	uint64_t count = reader_root(reader, ROOT_agent_nr_variables, "V12");
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	if (count > most) {
		reader_damage(reader, "V12", layout->roots[ROOT_agent_nr_variables].gva, count,
			      "agent_nr_variables: more than fit into the array");
		count = most;
	}
	for (uint64_t i = 0; i < count && !reader->out_of_memory; i++) {
		uint64_t gva = root->gva + i * layout_size(layout, TYPE_agent_variable);

		if (!reader_structure(reader, TYPE_agent_variable, gva, copy)) {
			reader_damage(reader, "V12", gva, i, "agent_variables: not mapped");
			return;
		}
		variable_take(reader, copy);
	}
}

void read_inside(struct reader *reader)
{
	uint64_t size = reader->layout->roots[ROOT_agent_inside].size;

	if (!reader_root_copy(reader, ROOT_agent_inside, "V12", reader->out->inside, size))
		memset(reader->out->inside, 0, sizeof(reader->out->inside));
}

bool claims_inside(const struct claims *claims, unsigned int *cpu_out, uint32_t *line_out)
{
	for (unsigned int cpu = 0; cpu < KVMAP_CPUS_MAX; cpu++) {
		if (!claims->inside[cpu])
			continue;
		*cpu_out = cpu;
		*line_out = claims->inside[cpu];
		return true;
	}
	return false;
}
