/* SPDX-License-Identifier: MIT */
/*
 * walk_json.c: `walk SOURCE ADDRESS --json`: a line for each level of either stage, and one for the whole.
 */
#include "paging/memory_type.h"
#include "report/json.h"
#include "report/pte.h"
#include "report/text.h"
#include "report/walk_parts.h"

static void emit_level(struct report *report, const struct report_walk *input, const struct walk_level *level)
{
	struct json_object *line = json_start(report, "level");
	char decoded[160];

	json_add_number(line, "level", level->level);
	json_add_string(line, "name", entry_level_name(level->level));
	json_add_hex(line, "table", level->table);
	json_add_number(line, "index", level->index);
	json_add_hex(line, "entry", level->entry);
	json_add_string(line, "decoded",
			entry_text(level, walk_level_has_key(input, level), decoded, sizeof(decoded)));
	json_add_string(line, "rights", RIGHTS_TEXT(walk_level_rights(level)));
	if (level->reserved)
		json_add_hex(line, "reserved", level->reserved);
	json_finish(report, line);
}

static void emit_stage2(struct report *report, const struct stage2_format *format,
			const struct walk_stage2 *found)
{
	char decoded[96];

	for (unsigned int i = 0; i < found->level_count; i++) {
		struct json_object *line = json_start(report, "second_stage_level");
		unsigned int level = found->levels[i].level;
		uint64_t entry = found->levels[i].entry;

		json_add_string(line, "kind", stage2_kind_name(format->kind));
		json_add_number(line, "level", level);
		json_add_hex(line, "entry", entry);
		json_add_string(line, "decoded",
				stage2_entry_text(format, level, entry, decoded, sizeof(decoded)));
		json_finish(report, line);
	}
}

static struct json_object *registers(const struct report_walk *input)
{
	const struct view_cpu *cpu = &input->view->cpus[input->cpu];
	struct json_object *object = json_object_new_object();

	json_add_number(object, "cpu", input->cpu);
	json_add_hex(object, "root", input->mode->root);
	json_add_number(object, "levels", input->mode->levels);
	if (cpu->cr4 & CR4_PCIDE)
		json_add_number(object, "pcid", cpu->cr3 & CR3_PCID);
	json_add_number(object, "physical_bits", input->mode->physical_bits);
	json_add_bool(object, "physical_bits_assumed", input->view->physical_bits_assumed);
	json_add_bool(object, "nxe_assumed", cpu->lacks & VIEW_LACKS_EFER);
	json_add_bool(object, "wp", input->rules->write_protect);
	json_add_bool(object, "nxe", input->rules->no_execute);
	json_add_bool(object, "smep", input->rules->smep);
	json_add_bool(object, "smap", input->rules->smap);
	json_add_bool(object, "ac", input->rules->ac);
	json_add_bool(object, "pke", input->rules->user_keys);
	json_add_bool(object, "pks", input->rules->system_keys);
	return object;
}

static struct json_object *who_may(const struct report_walk *input, enum access_mode mode)
{
	struct json_object *object = json_object_new_object();

	json_add_string(object, "read", access_text(walk_may(input, mode, ACCESS_READ)));
	json_add_string(object, "write", access_text(walk_may(input, mode, ACCESS_WRITE)));
	json_add_string(object, "execute", access_text(walk_may(input, mode, ACCESS_FETCH)));
	return object;
}

static void add_page(struct json_object *line, const struct report_walk *input)
{
	const struct walk *walk = input->walk;
	const struct view_cpu *cpu = &input->view->cpus[input->cpu];
	const struct view_region *region = view_region(input->view, walk->gpa, 1);

	json_add_hex(line, "gpa", walk->gpa);
	json_add_number(line, "page_size", walk->page_size);
	json_add_string(line, "rights", RIGHTS_TEXT(walk->rights));
	json_add_number(line, "pat_index", walk->pat_index);
	json_add_string(line, "memory_type", memory_type(memory_type_pat(cpu), walk->pat_index));
	json_add_bool(line, "pat_known", cpu->has_pat);
	if (walk_has_key(input))
		json_add_number(line, "key", walk->key);
	json_object_object_add(line, "supervisor_may", who_may(input, ACCESS_SUPERVISOR));
	json_object_object_add(line, "user_may", who_may(input, ACCESS_USER));
	json_add_bool(line, "in_ram", region);
	if (region) {
		json_add_hex(line, "region", region->gpa);
		json_add_number(line, "region_size", region->size);
		json_add_hex(line, "hva", walk_hva(region, walk->gpa));
	}
}

static void add_stage2(struct json_object *line, const struct report_walk *input,
		       const struct walk_stage2 *found)
{
	json_add_bool(line, "second_stage_seen", input->stage2);
	if (!input->stage2) {
		json_add_string(line, "second_stage_why", input->no_stage2);
		return;
	}
	json_add_bool(line, "second_stage_mapped", found->mapped);
	if (found->mapped) {
		json_add_hex(line, "hpa", found->hpa);
		json_add_number(line, "second_stage_page_size", found->page_size);
	}
}

void walk_emit(struct report *report, const struct report_walk *input, const char *location)
{
	const struct walk *walk = input->walk;
	struct walk_stage2 found = { 0 };
	struct json_object *line;

	for (unsigned int i = 0; i < walk->level_count; i++)
		emit_level(report, input, &walk->levels[i]);
	if (walk->stop == WALK_MAPPED && input->stage2) {
		walk_stage2_find(input, &found);
		emit_stage2(report, &input->stage2->format, &found);
	}
	line = json_start(report, "walk");
	json_add_hex(line, "address", walk->gva);
	json_add_string(line, "is", location);
	json_object_object_add(line, "registers", registers(input));
	json_add_bool(line, "mapped", walk->stop == WALK_MAPPED);
	json_add_string(line, "stop", walk_stop_text(walk->stop));
	if (walk->stop == WALK_MAPPED) {
		add_page(line, input);
		add_stage2(line, input, &found);
	}
	json_finish(report, line);
}
