/* SPDX-License-Identifier: MIT */
#include "shell/save.h"

#include "base/escape.h"
#include "shell/words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Statements of the head that the command line overrode, or that the script lacks. */
struct head_changes {
	bool memory, cpus, nodes, policy;
};

static struct head_changes changes_of(const struct session_config *config)
{
	const struct script_head *head = &config->script->head;

	return (struct head_changes){
		.memory = head->memory != config->memory,
		.cpus = head->cpus != config->cpus,
		.nodes = head->nodes ? head->nodes != config->nodes : config->nodes > 1,
		.policy = !head->has_policy || head->policy != config->policy,
	};
}

static void write_head(FILE *file, const struct session_config *config, const struct head_changes *changes)
{
	if (changes->memory)
		fprintf(file, "memory %" PRIu64 "M\n", config->memory >> 20);
	if (changes->cpus)
		fprintf(file, "cpus %" PRIu32 "\n", config->cpus);
	if (changes->nodes)
		fprintf(file, "nodes %" PRIu32 "\n", config->nodes);
	if (changes->policy)
		fprintf(file, "policy %s\n", policy_name(config->policy));
}

/* Whether a line above the first operation states what write_head() has written. */
static bool is_replaced(const char *line, const struct head_changes *changes)
{
	return (changes->memory && words_begin(line, "memory")) ||
	       (changes->cpus && words_begin(line, "cpus")) ||
	       (changes->nodes && words_begin(line, "nodes")) ||
	       (changes->policy && words_begin(line, "policy"));
}

/* The lines of the script; those that are replaced become comments. */
static void write_lines(FILE *file, const struct script *script, const struct head_changes *changes)
{
	uint32_t first = script->operations.count ? script->operations.items[0].line : UINT32_MAX, number = 1;

	for (const char *line = script->text; *line; number++) {
		size_t length = strcspn(line, "\n");

		length += line[length] == '\n';
		if (number < first && is_replaced(line, changes))
			fputs("# ", file);
		fwrite(line, 1, length, file);
		line += length;
	}
}

int save_script(const char *path, const struct session_config *config, struct error *error)
{
	const struct head_changes changes = changes_of(config);
	FILE *file = fopen(path, "wxe");
	char shown[400];
	int failed, errnum = errno;

	text_escape(path, strlen(path), shown, sizeof(shown));
	if (!file && errnum == EEXIST)
		return error_set(error, ERROR_INPUT, 0, 0, "%s: there is such a file: give another name",
				 shown);
	if (!file)
		return error_set(error, ERROR_INPUT, errnum, 0, "%s: cannot be written", shown);
	write_head(file, config, &changes);
	write_lines(file, config->script, &changes);
	failed = ferror(file) ? errno : 0;
	if (fclose(file) != 0 && !failed)
		failed = errno;
	if (!failed)
		return 0;
	remove(path);
	return error_set(error, ERROR_HOST, failed, 0, "%s: cannot be written", shown);
}
