/* SPDX-License-Identifier: MIT */
#include "shell/save.h"

#include "base/escape.h"
#include "shell/words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The head that is written: statements that the command line overrode, or that the script lacks. */
struct head {
	FILE *file;
	const char *words[7]; /* that its statements begin with */
	size_t count;
};

static void state(struct head *head, bool changed, const char *word, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Writes a statement if it is needed. format: of what follows its word. */
static void state(struct head *head, bool changed, const char *word, const char *format, ...)
{
	va_list arguments;

	if (!changed)
		return;
	head->words[head->count++] = word;
	fputs(word, head->file);
	va_start(arguments, format);
	vfprintf(head->file, format, arguments);
	va_end(arguments);
	fputc('\n', head->file);
}

static void write_head(struct head *head, const struct session_config *config)
{
	const struct script_head *has = &config->script->head;

	state(head, has->memory != config->memory, "memory", " %" PRIu64 "M", config->memory >> 20);
	state(head, has->cpus != config->cpus, "cpus", " %" PRIu32, config->cpus);
	state(head, has->nodes ? has->nodes != config->nodes : config->nodes > 1, "nodes", " %" PRIu32,
	      config->nodes);
	state(head, !has->has_policy || has->policy != config->policy, "policy", " %s",
	      policy_name(config->policy));
	state(head, config->seed != (has->has_seed ? has->seed : SESSION_SEED_DEFAULT), "seed", " %" PRIu64,
	      config->seed);
	state(head, config->debug_slab != has->debug_slab, "debug-slab", "%s", "");
	state(head, config->fail_allocation != has->fail_allocation, "fail-allocation", " %" PRIu32,
	      config->fail_allocation);
}

/* Whether a line above the first operation states what the head that was written states. */
static bool is_replaced(const char *line, const struct head *head)
{
	for (size_t i = 0; i < head->count; i++)
		if (words_begin(line, head->words[i]))
			return true;
	return false;
}

/* The lines of the script; those that are replaced become comments. */
static void write_lines(FILE *file, const struct script *script, const struct head *head)
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
	struct head head = { .file = fopen(path, "wxe") };
	FILE *file = head.file;
	char shown[400];
	int failed, errnum = errno;

	text_escape(path, strlen(path), shown, sizeof(shown));
	if (!file && errnum == EEXIST)
		return error_set(error, ERROR_INPUT, 0, 0, "%s: there is such a file: give another name",
				 shown);
	if (!file)
		return error_set(error, ERROR_INPUT, errnum, 0, "%s: cannot be written", shown);
	write_head(&head, config);
	write_lines(file, config->script, &head);
	failed = ferror(file) ? errno : 0;
	if (fclose(file) != 0 && !failed)
		failed = errno;
	if (!failed)
		return 0;
	remove(path);
	return error_set(error, ERROR_HOST, failed, 0, "%s: cannot be written", shown);
}
