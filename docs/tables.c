/* SPDX-License-Identifier: MIT */
/*
 * tables.c: fills the tables of include/kvmap, and that of the invariants, into documents. A filter from stdin to stdout.
 *
 *   tables markdown: between a line "<!-- table: NAME -->" and the next "<!-- end of table -->", the lines are
 *                    replaced by the table. A heading "## VN: ..." gets the rule of that invariant.
 *   tables scdoc:    a line "; table: NAME" is replaced by the table.
 */
#include "kvmap/boot.h"
#include "kvmap/gfp.h"
#include "kvmap/operation.h"
#include "tlb/event.h"
#include "tlb/rules.h"
#include "verify/invariants.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool scdoc;

struct row {
	const char *word;
	unsigned int synopsis; /* index into synopses */
	const char *help;      /* "": the document describes it elsewhere */
	bool has_result;
	bool has_columns; /* help has several cells */
};

#define RESULT_NOTHING  false
#define RESULT_VARIABLE true

#define SYNOPSIS_ENUM(operands, synopsis, echo) SYNOPSIS_##operands,
enum { KVMAP_OPERANDS(SYNOPSIS_ENUM) };

#define SYNOPSIS(operands, synopsis, echo) [SYNOPSIS_##operands] = synopsis,
static const char *const synopses[] = { KVMAP_OPERANDS(SYNOPSIS) };

#define OPERATION(NAME, function, opcode, name, result, operands, outcome, help)                             \
	{ name, SYNOPSIS_##operands, help, RESULT_##result },
static const struct row operations[] = { KVMAP_OPERATIONS(OPERATION) };

#define FLAG(name, value, help) { #name, 0, help, false },
static const struct row flags[] = { KVMAP_GFP_FLAGS(FLAG) KVMAP_GFP_COMBINATIONS(FLAG) };

#define CRASH(NAME, value, word, help) { word, 0, help, false },
static const struct row crashes[] = { KVMAP_CRASHES(CRASH) };

#define FAULT_KIND(NAME, value, word, description, help) { word, 0, help, false },
static const struct row fault_kinds[] = { KVMAP_FAULT_KINDS(FAULT_KIND) };

#define POLICY(NAME, value, word, help) { word, 0, help, false },
static const struct row policies[] = { KVMAP_POLICIES(POLICY) };

#define FUNCTION(NAME, function, value) { #function, 0, NULL, false },
static const struct row functions[] = { KVMAP_FUNCTIONS(FUNCTION) };

#define INVARIANT(number, function, needs_claims, severity, next, rule) { "V" #number, 0, rule, false },
static const struct row invariants[] = { INVARIANT_TABLE(INVARIANT) };
#define TLB_EVENT(NAME, number, word, fields, meaning)                                                       \
	{ word, 0, #number " | " fields " | " meaning, false, true },
static const struct row tlb_events[] = { TLB_EVENTS(TLB_EVENT) };

#define TLB_RULE(NAME, word, profiles, proves, blind)                                                        \
	{ word, 0, profiles " | " proves " | " blind, false, true },
static const struct row tlb_rule_rows[] = { TLB_RULES(TLB_RULE) };

#define ROWS(rows) rows, sizeof(rows) / sizeof(rows[0])

static const struct table {
	const char *name, *heading; /* heading NULL: a list of words */
	const struct row *rows;
	size_t count;
	const char *rule; /* of a table with more than two columns; NULL: two */
} tables[] = {
	{ "operations", "operation | does", ROWS(operations), NULL },
	{ "flags", "flag | means", ROWS(flags), NULL },
	{ "crashes", "HOW | is", ROWS(crashes), NULL },
	{ "faults", "kind | is", ROWS(fault_kinds), NULL },
	{ "policies", "policy | when freed memory is used again", ROWS(policies), NULL },
	{ "functions", NULL, ROWS(functions), NULL },
	{ "invariants", "invariant | rule", ROWS(invariants), NULL },
	{ "tlb-events", "event | number | fields | says", ROWS(tlb_events), "|---|---|---|---|" },
	{ "tlb-rules", "rule | a finding for | proves | cannot see", ROWS(tlb_rule_rows),
	  "|---|---|---|---|" },
};

/* Within a cell of a Markdown table '|' ends the cell, even in code. */
static void print_cell(const char *text)
{
	for (; *text; text++)
		printf(*text == '|' ? "\\|" : "%c", *text);
}

static void print_markdown(const struct row *row)
{
	printf("| `%s", row->has_result ? "NAME = " : "");
	print_cell(row->word);
	print_cell(synopses[row->synopsis]);
	printf("` | ");
	if (row->has_columns)
		printf("%s", row->help);
	else
		print_cell(row->help);
	printf(" |\n");
}

/* Text of scdoc, with its special characters escaped; `code` becomes bold. */
static void print_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text == '`')
			putchar('*');
		else
			printf(strchr("_*\\#~<>", *text) ? "\\%c" : "%c", *text);
	}
}

static void print_scdoc(const struct row *row)
{
	char help[1000];

	snprintf(help, sizeof(help), "%s", row->help);
	help[0] = (char)toupper((unsigned char)help[0]);
	printf("%s*", row->has_result ? "_NAME_ = " : "");
	print_escaped(row->word);
	putchar('*');
	print_escaped(synopses[row->synopsis]);
	printf("\n\t");
	print_escaped(help);
	printf(".\n\n");
}

static bool is_first_word;

static void print_word(const struct row *row)
{
	printf("%s%c", is_first_word ? "" : ", ", scdoc ? '*' : '`');
	if (scdoc)
		print_escaped(row->word);
	else
		printf("%s", row->word);
	putchar(scdoc ? '*' : '`');
	is_first_word = false;
}

static void print_rows(const struct table *table, void (*print)(const struct row *row))
{
	for (size_t i = 0; i < table->count; i++)
		if (!table->rows[i].help || *table->rows[i].help)
			print(&table->rows[i]);
}

static void print_table(const char *name, size_t length)
{
	const struct table *table = tables, *end = tables + sizeof(tables) / sizeof(tables[0]);

	while (table < end && (strlen(table->name) != length || memcmp(table->name, name, length) != 0))
		table++;
	if (table == end) {
		fprintf(stderr, "tables: no table `%.*s`\n", (int)length, name);
		exit(1);
	}
	if (!table->heading) {
		is_first_word = true;
		print_rows(table, print_word);
		printf(".\n");
	} else if (scdoc) {
		print_rows(table, print_scdoc);
	} else {
		printf("| %s |\n%s\n", table->heading, table->rule ? table->rule : "|---|---|");
		print_rows(table, print_markdown);
	}
}

/* Whether the line is a heading "## VN: ..." of an invariant; prints it with the rule. */
static bool print_heading(const char *line)
{
	for (size_t i = 0; i < INVARIANTS; i++) {
		const struct row *row = &invariants[i];
		size_t length = strlen(row->word);

		if (strncmp(line, "## ", 3) != 0 || strncmp(line + 3, row->word, length) != 0 ||
		    line[3 + length] != ':')
			continue;
		printf("## %s: %s\n", row->word, row->help);
		return true;
	}
	return false;
}

int main(int count, char **arguments)
{
	static const char end[] = "<!-- end of table -->\n";
	const char *start;
	bool skipped = false;
	char line[4096];

	scdoc = count == 2 && !strcmp(arguments[1], "scdoc");
	if (count != 2 || (!scdoc && strcmp(arguments[1], "markdown") != 0))
		return 2;
	start = scdoc ? "; table: " : "<!-- table: ";
	while (fgets(line, sizeof(line), stdin)) {
		bool is_start = !strncmp(line, start, strlen(start));
		const char *name = line + strlen(start);

		if (!strcmp(line, end))
			skipped = false;
		if (!skipped && !(is_start && scdoc) && (scdoc || !print_heading(line)))
			fputs(line, stdout);
		if (!is_start)
			continue;
		print_table(name, strcspn(name, " \n"));
		skipped = !scdoc;
	}
	return skipped;
}
