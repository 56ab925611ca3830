/* SPDX-License-Identifier: MIT */
/*
 * walk.c: kvmap walk SOURCE ADDRESS
 */
#include "base/number.h"
#include "commands/commands.h"
#include "commands/source.h"

#include <string.h>

/* A number, or a symbol of the guest with an optional +offset. */
static int parse_address(const char *text, const struct symbols *symbols, uint64_t *out, struct error *error)
{
	const char *plus = strchr(text, '+');
	size_t length = plus ? (size_t)(plus - text) : strlen(text);
	char name[128], escaped[160];
	uint64_t offset = 0;

	text_escape(text, strlen(text), escaped, sizeof(escaped));
	if (number_parse(text, strlen(text), out) == NUMBER_OK)
		return 0;
	if (plus && number_parse(plus + 1, strlen(plus + 1), &offset) != NUMBER_OK)
		return error_set(error, ERROR_INPUT, 0, 0, "`%s`: what follows + is not a number", escaped);
	if (length < sizeof(name) && symbols) {
		memcpy(name, text, length);
		name[length] = 0;
		if (symbols_find(symbols, name, out, NULL)) {
			*out += offset;
			return 0;
		}
	}
	return error_set(error, ERROR_INPUT, 0, 0,
			 "`%s` is neither an address (0x...) nor a symbol of the guest, symbol+offset",
			 escaped);
}

int command_walk(int argc, char **argv)
{
	struct source_options options;
	struct source source;
	struct report report;
	struct error error;
	struct walk walk;
	uint64_t address;
	int status;

	if (source_parse(
		    argc, argv, "SOURCE ADDRESS",
		    "Explains one translation of SOURCE, a core file or a script that is run first. ADDRESS is a "
		    "number or SYMBOL[+OFFSET]. Exit status 1: the address is not mapped.",
		    "ADDRESS", &options) < 0 ||
	    source_open(options.source, &options.common, &source) < 0)
		return EXIT_NOT_DONE;
	if (!source.has_mode) {
		status = command_fail(&source.no_claims, NULL);
	} else if (parse_address(options.extra, source.symbols, &address, &error) < 0) {
		status = command_fail(&error, NULL);
	} else {
		walk_translate(source.view, &source.mode, address, &walk);
		command_report(&report, options.common.json);
		report_walk(&report, &walk, &source.mode, source.view, source.claims, source.symbols);
		status = command_finish(walk.stop == WALK_MAPPED ? EXIT_VERIFIED : EXIT_FINDING);
	}
	source_close(&source);
	return status;
}
