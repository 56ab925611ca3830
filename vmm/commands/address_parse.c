/* SPDX-License-Identifier: MIT */
#include "commands/address_parse.h"

#include "base/escape.h"
#include "commands/source_options.h"
#include "inspect/address.h"

#include <string.h>

int address_parse(const char *text, const struct claims *claims, const struct symbols *symbols, uint64_t *out,
		  struct error *error)
{
	int variable = address_of_variable(text, claims, out, error);
	size_t length = strcspn(text, "+");
	char name[128];

	if (variable)
		return variable < 0 ? -1 : 0;
	if (length < sizeof(name) && symbols) {
		memcpy(name, text, length);
		name[length] = 0;
		if (symbols_find(symbols, name, out, NULL))
			return address_with_offset(name, *out, text + length, out, error);
	}
	return source_options_address_or_name(
		text,
		"an address (0x...) nor a variable of the script nor a symbol of the guest, symbol+offset",
		claims, symbols, out, error);
}

/* *end_out: as in the text; 0 without END. */
static int parse_ends(const char *text, const char *dash, const struct claims *claims,
		      const struct symbols *symbols, uint64_t *start_out, uint64_t *end_out,
		      struct error *error)
{
	char start[160];

	if ((size_t)(dash - text) >= sizeof(start))
		return error_set(error, ERROR_INPUT, 0, 0, "its START is too long");
	memcpy(start, text, (size_t)(dash - text));
	start[dash - text] = '\0';
	*end_out = 0;
	if (address_parse(start, claims, symbols, start_out, error) < 0)
		return -1;
	return dash[1] ? address_parse(dash + 1, claims, symbols, end_out, error) : 0;
}

int address_parse_range(const char *text, const struct claims *claims, const struct symbols *symbols,
			uint64_t *start_out, uint64_t *end_out, struct error *error)
{
	uint64_t start = 0, end = 0;
	bool parsed = false;
	struct error why = { 0 };
	char escaped[160];

	/* a-4K-b has two dashes, of which only one has an address on both sides. */
	for (const char *dash = strchr(text, '-'); dash && !parsed; dash = strchr(dash + 1, '-'))
		parsed = parse_ends(text, dash, claims, symbols, &start, &end, &why) == 0;
	text_escape(text, strlen(text), escaped, sizeof(escaped));
	if (!parsed)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "--range `%s` is not START-END, two addresses%s%.300s", escaped,
				 *why.text ? ": " : "", why.text);
	if (text[strlen(text) - 1] != '-' && end <= start)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "--range `%s` is not START-END, two addresses of which the first is lower",
				 escaped);
	*start_out = start;
	*end_out = end - 1; /* without END: UINT64_MAX */
	return 0;
}
