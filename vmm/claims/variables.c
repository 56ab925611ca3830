/* SPDX-License-Identifier: MIT */
/*
 * variables.c: the script's variables in the guest's agent, and the operation in progress on each CPU.
 */
#include "claims/reader.h"
#include "kvmap/ring.h"

#include <string.h>

/* Where the next name is in the guest's module; left 0: there are no more. */
struct names {
	uint64_t gva;
	uint32_t left; /* bytes up to the end of the module */
};

/* The names of a ring are all names, those of the boot module too. None as long as nothing came by the ring. */
static struct names names_in_ring(struct reader *reader, const struct kvmap_boot *record)
{
	uint64_t gva = KVMAP_DIRECT_BASE + record->ring_gpa;
	struct kvmap_ring ring;

	if (!(record->flags & KVMAP_BOOT_RING) || record->ring_gpa >= KVMAP_LOW_RESERVED ||
	    !reader_copy(reader, gva, &ring, sizeof(ring)) || ring.names_offset >= record->ring_size ||
	    ring.names_size > record->ring_size - ring.names_offset)
		return (struct names){ 0 };
	return (struct names){ gva + ring.names_offset, ring.names_size };
}

/* The guest has them at its boot record. A guest that has not booted yet, or has an older record, has none. */
static struct names names_find(struct reader *reader)
{
	const struct claims_layout *layout = reader->layout;
	uint8_t copy[CLAIM_STRUCTURE_MAX];
	struct kvmap_boot record;
	struct names names;
	uint64_t gva;

	if (!reader_structure(reader, TYPE_agent, layout->roots[ROOT_agent].gva, copy))
		return (struct names){ 0 };
	gva = layout_value(layout, MEMBER_agent_record, copy);
	if (!reader_copy(reader, gva, &record, sizeof(record)) || record.magic != KVMAP_BOOT_MAGIC ||
	    record.version != KVMAP_BOOT_VERSION)
		return (struct names){ 0 };
	names = names_in_ring(reader, &record);
	if (names.left)
		return names;
	if (record.names_offset < sizeof(record) || record.names_offset > record.size)
		return (struct names){ 0 };
	return (struct names){ gva + record.names_offset, record.size - record.names_offset };
}

static bool is_name(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!(text[i] >= 'a' && text[i] <= 'z') && !(text[i] >= 'A' && text[i] <= 'Z') &&
		    !(text[i] >= '0' && text[i] <= '9') && text[i] != '_')
			return false;
	return length;
}

/* Takes the next name; "" if there is none. Anything else than a name ends the list. */
static void name_take(struct reader *reader, struct names *names, char out[KVMAP_VARIABLE_NAME_MAX + 1])
{
	uint32_t most = names->left < KVMAP_VARIABLE_NAME_MAX + 1 ? names->left : KVMAP_VARIABLE_NAME_MAX + 1;
	char copy[KVMAP_VARIABLE_NAME_MAX + 1];
	const char *end;

	out[0] = '\0';
	if (!reader_copy(reader, names->gva, copy, most))
		most = 0;
	end = memchr(copy, '\0', most);
	if (!end || !is_name(copy, (size_t)(end - copy))) {
		names->left = 0;
		return;
	}
	memcpy(out, copy, (size_t)(end - copy) + 1);
	names->gva += (uint64_t)(end - copy) + 1;
	names->left -= (uint32_t)(end - copy) + 1;
}

static void variable_take(struct reader *reader, const uint8_t *copy, struct names *names)
{
	const struct claims_layout *layout = reader->layout;
	struct claim_variable variable = {
		.address = layout_value(layout, MEMBER_agent_variable_address, copy),
		.size = layout_value(layout, MEMBER_agent_variable_size, copy),
		.filled = layout_value(layout, MEMBER_agent_variable_filled, copy),
		.fill_seed = layout_value(layout, MEMBER_agent_variable_fill_seed, copy),
		.zero_start = layout_value(layout, MEMBER_agent_variable_zero_start, copy),
		.zero_end = layout_value(layout, MEMBER_agent_variable_zero_end, copy),
		.write_address = layout_value(layout, MEMBER_agent_variable_write_address, copy),
		.write_value = layout_value(layout, MEMBER_agent_variable_write_value, copy),
		.write_words = (uint32_t)layout_value(layout, MEMBER_agent_variable_write_words, copy),
		.state = (uint32_t)layout_value(layout, MEMBER_agent_variable_state, copy),
		.contents = (uint32_t)layout_value(layout, MEMBER_agent_variable_contents, copy),
		.slack_written = layout_value(layout, MEMBER_agent_variable_slack_written, copy),
	};

	name_take(reader, names, variable.name);
	(void)reader_push(reader, &reader->out->variables, variable);
}

void read_variables(struct reader *reader)
{
	const struct claims_layout *layout = reader->layout;
	const struct claim_root_location *root = &layout->roots[ROOT_agent_variables];
	uint32_t most = layout_elements(layout, TYPE_agent_variable, root->size);
	uint64_t count = reader_root(reader, ROOT_agent_nr_variables, "V12");
	uint8_t copy[CLAIM_STRUCTURE_MAX];
	struct names names = { 0 };

	if (count)
		names = names_find(reader);
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
		variable_take(reader, copy, &names);
	}
}

void read_inside(struct reader *reader)
{
	uint64_t size = reader->layout->roots[ROOT_agent_inside].size;

	if (!reader_root_copy(reader, ROOT_agent_inside, "V12", reader->out->inside, size))
		memset(reader->out->inside, 0, sizeof(reader->out->inside));
	size = reader->layout->roots[ROOT_agent_opcode].size;
	if (!reader_root_copy(reader, ROOT_agent_opcode, "V12", reader->out->opcode, size))
		memset(reader->out->opcode, 0, sizeof(reader->out->opcode));
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
