/* SPDX-License-Identifier: MIT */
#include "shell/save.h"

#include "base/escape.h"
#include "shell/words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A statement of the head that the command line overrode, or that the script lacks. */
struct statement {
	const char *word;
	bool changed;
	char text[64]; /* what to write */
};

enum {
	HEAD_MEMORY,
	HEAD_CPUS,
	HEAD_NODES,
	HEAD_POLICY,
	HEAD_SEED,
	HEAD_DEBUG_SLAB,
	HEAD_FAIL_ALLOCATION,
	HEAD_WORDS
};

static void head_of(const struct session_config *config, struct statement out[HEAD_WORDS])
{
	const struct script_head *head = &config->script->head;
	const struct statement all[HEAD_WORDS] = {
		[HEAD_MEMORY] = { "memory", head->memory != config->memory, "" },
		[HEAD_CPUS] = { "cpus", head->cpus != config->cpus, "" },
		[HEAD_NODES] = { "nodes", head->nodes ? head->nodes != config->nodes : config->nodes > 1,
				 "" },
		[HEAD_POLICY] = { "policy", !head->has_policy || head->policy != config->policy, "" },
		[HEAD_SEED] = { "seed", config->seed != (head->has_seed ? head->seed : SESSION_SEED_DEFAULT),
				"" },
		[HEAD_DEBUG_SLAB] = { "debug-slab", config->debug_slab != head->debug_slab, "" },
		[HEAD_FAIL_ALLOCATION] = { "fail-allocation",
					   config->fail_allocation != head->fail_allocation, "" },
	};

	memcpy(out, all, sizeof(all));
	snprintf(out[HEAD_MEMORY].text, sizeof(out->text), "memory %" PRIu64 "M", config->memory >> 20);
	snprintf(out[HEAD_CPUS].text, sizeof(out->text), "cpus %" PRIu32, config->cpus);
	snprintf(out[HEAD_NODES].text, sizeof(out->text), "nodes %" PRIu32, config->nodes);
	snprintf(out[HEAD_POLICY].text, sizeof(out->text), "policy %s", policy_name(config->policy));
	snprintf(out[HEAD_SEED].text, sizeof(out->text), "seed %" PRIu64, config->seed);
	snprintf(out[HEAD_DEBUG_SLAB].text, sizeof(out->text), "debug-slab");
	snprintf(out[HEAD_FAIL_ALLOCATION].text, sizeof(out->text), "fail-allocation %" PRIu32,
		 config->fail_allocation);
}

/* Whether a line above the first operation states what the head that is written states. */
static bool is_replaced(const char *line, const struct statement head[HEAD_WORDS])
{
	for (size_t i = 0; i < HEAD_WORDS; i++)
		if (head[i].changed && words_begin(line, head[i].word))
			return true;
	return false;
}

/* The lines of the script; those that are replaced become comments. */
static void write_lines(FILE *file, const struct script *script, const struct statement head[HEAD_WORDS])
{
	uint32_t first = script->operations.count ? script->operations.items[0].line : UINT32_MAX, number = 1;

	for (const char *line = script->text; *line; number++) {
		size_t length = strcspn(line, "\n");

		length += line[length] == '\n';
		if (number < first && is_replaced(line, head))
			fputs("# ", file);
		fwrite(line, 1, length, file);
		line += length;
	}
}

int save_script(const char *path, const struct session_config *config, struct error *error)
{
	struct statement head[HEAD_WORDS];
	FILE *file = fopen(path, "wxe");
	char shown[400];
	int failed, errnum = errno;

	text_escape(path, strlen(path), shown, sizeof(shown));
	if (!file && errnum == EEXIST)
		return error_set(error, ERROR_INPUT, 0, 0, "%s: there is such a file: give another name",
				 shown);
	if (!file)
		return error_set(error, ERROR_INPUT, errnum, 0, "%s: cannot be written", shown);
	head_of(config, head);
	for (size_t i = 0; i < HEAD_WORDS; i++)
		if (head[i].changed)
			fprintf(file, "%s\n", head[i].text);
	write_lines(file, config->script, head);
	failed = ferror(file) ? errno : 0;
	if (fclose(file) != 0 && !failed)
		failed = errno;
	if (!failed)
		return 0;
	remove(path);
	return error_set(error, ERROR_HOST, failed, 0, "%s: cannot be written", shown);
}
