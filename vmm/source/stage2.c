/* SPDX-License-Identifier: MIT */
#include "source/stage2.h"

void second_stage_prepare(struct second_stage *look)
{
	if (!look->tried && stage2_reader_open(&look->reader, &look->no_reader) < 0)
		look->reader = NULL;
	look->tried = true;
}

const struct stage2 *second_stage_look(struct second_stage *look, pid_t pid, int vm_fd, struct error *error)
{
	stage2_destroy(&look->stage2);
	second_stage_prepare(look);
	if (!look->reader) {
		*error = look->no_reader;
		return NULL;
	}
	return stage2_read(look->reader, pid, vm_fd, &look->stage2, error) < 0 ? NULL : &look->stage2;
}

void second_stage_close(struct second_stage *look)
{
	stage2_destroy(&look->stage2);
	stage2_reader_close(look->reader);
	*look = (struct second_stage){ 0 };
}

static void add_level(const struct stage2 *stage2, unsigned int level, uint64_t entry,
		      struct report_second_stage *out)
{
	out->levels[out->level_count].level = level;
	out->levels[out->level_count].entry = entry;
	stage2_entry_text(&stage2->format, level, entry, out->levels[out->level_count].decoded,
			  sizeof(out->levels[0].decoded));
	out->level_count++;
}

void second_stage_explain(const struct stage2 *stage2, uint64_t gpa, struct report_second_stage *out)
{
	const struct stage2_leaf *leaf = stage2_leaf_at(stage2, gpa);

	*out = (struct report_second_stage){ .kind = stage2_kind_name(stage2->format.kind) };
	for (unsigned int level = STAGE2_LEVELS; level > (leaf ? leaf->level : 1u); level--) {
		const struct stage2_upper *upper = stage2_upper_at(stage2, gpa, level);

		if (upper)
			add_level(stage2, level, upper->entry, out);
	}
	if (!leaf)
		return;
	add_level(stage2, leaf->level, leaf->entry, out);
	out->mapped = true;
	out->page_size = stage2_page_size(leaf->level);
	out->hpa = stage2_entry_hpa(&stage2->format, leaf->level, leaf->entry) + (gpa & (out->page_size - 1));
}
