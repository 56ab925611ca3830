/* SPDX-License-Identifier: MIT */
#include "shell/save.h"

#include "base/escape.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The lines of the head that the script lacks. */
static void write_head(FILE *file, const struct session_config *config)
{
	const struct script_head *head = &config->script->head;

	if (!head->memory)
		fprintf(file, "memory %" PRIu64 "M\n", config->memory >> 20);
	if (!head->cpus)
		fprintf(file, "cpus %" PRIu32 "\n", config->cpus);
	if (!head->nodes && config->nodes > 1)
		fprintf(file, "nodes %" PRIu32 "\n", config->nodes);
	if (!head->has_policy)
		fprintf(file, "policy %s\n", policy_name(config->policy));
}

int save_script(const char *path, const struct session_config *config, struct error *error)
{
	FILE *file = fopen(path, "wxe");
	char shown[400];
	int failed, errnum = errno;

	text_escape(path, strlen(path), shown, sizeof(shown));
	if (!file && errnum == EEXIST)
		return error_set(error, ERROR_INPUT, 0, 0, "%.300s: there is such a file: give another name",
				 path);
	if (!file)
		return error_set(error, ERROR_INPUT, errnum, 0, "%s: cannot be written", shown);
	write_head(file, config);
	fputs(config->script->text, file);
	failed = ferror(file) ? errno : 0;
	if (fclose(file) != 0 && !failed)
		failed = errno;
	if (!failed)
		return 0;
	remove(path);
	return error_set(error, ERROR_HOST, failed, 0, "%s: cannot be written", shown);
}
