/* SPDX-License-Identifier: MIT */
/*
 * fuzz_print.c: the bytes are an expression, or what else someone types, and a real guest is asked for it.
 * The core and its program are named by FUZZ_CORE and FUZZ_GUEST (with_core.sh).
 */
#include "fuzz.h"
#include "guest.h"

#include "report/print.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 256

static struct guest guest;
static struct walk_mode mode;
static struct debug_info *info;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *core = getenv("FUZZ_CORE"), *program = getenv("FUZZ_GUEST");
	struct error error;

	(void)argc;
	(void)argv;
	if (!core || !program)
		guest_die("FUZZ_CORE and FUZZ_GUEST are not set: see tests/fuzz/with_core.sh");
	guest_open(&guest, core, program);
	if (walk_mode_of_cpu(&guest.view, 0, &mode, &error) < 0 ||
	    debug_info_open(guest.symbols, &info, &error) < 0)
		guest_die(error.text);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct value_context context = { info, guest.symbols, &guest.view, &mode };
	char text[TEXT_MAX] = "", *printed = NULL;
	struct expression expression;
	struct value_tree tree;
	uint64_t seq = 0;
	struct report report = { .format = size & 1 ? REPORT_JSON : REPORT_TEXT, .seq = &seq };
	struct error error;
	size_t at = 0, length;

	memcpy(text, data, size < TEXT_MAX - 1 ? size : TEXT_MAX - 1);
	if (expression_parse(text, &expression, &error) < 0) {
		fuzz_expect(error.address <= strlen(text));
		return 0;
	}
	fuzz_expect(expression.count && expression.count <= EXPRESSION_STEPS_MAX);
	if (value_tree_build(&context, &expression, 16, &tree, &at, &error) < 0) {
		fuzz_expect(at <= strlen(text));
		return 0;
	}
	fuzz_expect(tree.nodes.count);
	report.stream = open_memstream(&printed, &length);
	fuzz_expect(report.stream);
	report_print(&report, text, &tree);
	fclose(report.stream);
	fuzz_expect(guest_report_is_fit(printed, report.format));
	free(printed);
	value_tree_destroy(&tree);
	return 0;
}
