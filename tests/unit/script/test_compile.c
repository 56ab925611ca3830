/* SPDX-License-Identifier: MIT */
#include "helper.h"
#include "kvmap/gfp.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void check_operand(const struct kvmap_operand *operand, uint16_t base, uint16_t variable,
			  uint64_t value)
{
	cr_expect_eq(operand->base, base, "base %u", operand->base);
	cr_expect_eq(operand->variable, variable, "variable %u", operand->variable);
	cr_expect_eq(operand->value, value, "value 0x%" PRIx64, operand->value);
	cr_expect_eq(operand->unused, 0);
}

Test(compile, an_allocation_sets_a_variable_and_takes_a_size)
{
	struct script *script = compiled("a = vmalloc 64K\nb=vzalloc 0x2000\na = vmalloc 1g");

	cr_assert_eq(script->operations.count, 3);
	cr_expect_eq(script->operations.items[0].opcode, KVMAP_OP_VMALLOC);
	cr_expect_eq(script->operations.items[0].result, 0);
	cr_expect_eq(script->operations.items[0].expect, KVMAP_EXPECT_DONE);
	check_operand(&script->operations.items[0].operand[0], KVMAP_BASE_NONE, 0, 65536);
	cr_expect_eq(script->operations.items[1].opcode, KVMAP_OP_VZALLOC);
	cr_expect_eq(script->operations.items[1].result, 1);
	check_operand(&script->operations.items[1].operand[0], KVMAP_BASE_NONE, 0, 0x2000);
	cr_expect_eq(script->operations.items[2].result, 0);
	check_operand(&script->operations.items[2].operand[0], KVMAP_BASE_NONE, 0, 1 << 30);
	cr_assert_eq(script->variables.count, 2);
	cr_expect_str_eq(script->variables.items[0], "a");
	cr_expect_str_eq(script->variables.items[1], "b");
	script_destroy(script);
}

Test(compile, each_operation_keeps_the_line_it_came_from)
{
	struct script *script = compiled("# one\n\n  a = vmalloc 4K # three\r\n\tvfree a\n");

	cr_assert_eq(script->operations.count, 2);
	cr_expect_eq(script->operations.items[0].line, 3);
	cr_expect_eq(script->operations.items[1].line, 4);
	script_destroy(script);
}

Test(compile, an_address_is_a_base_plus_or_minus_a_constant)
{
	static const struct {
		const char *text;
		uint16_t base;
		uint64_t value;
	} cases[] = {
		{ "a", KVMAP_BASE_VARIABLE, 0 },
		{ "a+4096", KVMAP_BASE_VARIABLE, 4096 },
		{ "a + 4K", KVMAP_BASE_VARIABLE, 4096 },
		{ "a -0x8", KVMAP_BASE_VARIABLE, (uint64_t)-8 },
		{ "text", KVMAP_BASE_TEXT, 0 },
		{ "text+8", KVMAP_BASE_TEXT, 8 },
		{ "rodata-1", KVMAP_BASE_RODATA, UINT64_MAX },
		{ "0", KVMAP_BASE_NONE, 0 },
		{ "0xffffc90000000000+1M", KVMAP_BASE_NONE, 0xffffc90000100000 },
		{ "0xffffffffffffffff", KVMAP_BASE_NONE, UINT64_MAX },
		{ "4096-4096", KVMAP_BASE_NONE, 0 },
	};
	char text[100];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kvmap_operation operation;

		snprintf(text, sizeof(text), "a = vmalloc 4K\nread %s", cases[i].text);
		operation = compiled_one(text);
		cr_expect_eq(operation.opcode, KVMAP_OP_READ);
		cr_expect_eq(operation.result, KVMAP_NO_RESULT);
		check_operand(&operation.operand[0], cases[i].base, 0, cases[i].value);
	}
}

Test(compile, the_second_variable_is_number_one)
{
	struct kvmap_operation operation = compiled_one("a = vmalloc 4K\nb = vmalloc 4K\nwrite b+8 0x1234");

	cr_expect_eq(operation.opcode, KVMAP_OP_WRITE);
	check_operand(&operation.operand[0], KVMAP_BASE_VARIABLE, 1, 8);
	check_operand(&operation.operand[1], KVMAP_BASE_NONE, 0, 0x1234);
}

Test(compile, free_check_purge_and_verify_have_their_operands)
{
	struct script *script = compiled("a = vmalloc 4K\ncheck a\nvfree a+8\nvfree 0x1000\npurge\nverify");
	const struct kvmap_operation *operations = script->operations.items;

	cr_expect_eq(operations[1].opcode, KVMAP_OP_CHECK);
	check_operand(&operations[1].operand[0], KVMAP_BASE_VARIABLE, 0, 0);
	cr_expect_eq(operations[2].opcode, KVMAP_OP_VFREE);
	check_operand(&operations[2].operand[0], KVMAP_BASE_VARIABLE, 0, 8);
	check_operand(&operations[3].operand[0], KVMAP_BASE_NONE, 0, 0x1000);
	cr_expect_eq(operations[4].opcode, KVMAP_OP_PURGE);
	cr_expect_eq(operations[5].opcode, KVMAP_OP_VERIFY);
	script_destroy(script);
}

Test(compile, a_fill_without_a_seed_gets_one_that_no_other_fill_has)
{
	struct script *script =
		compiled("a = vmalloc 4K\nrepeat 2\nfill a\nend\nfill a seed 77\nfill a seed 0");
	const struct kvmap_operation *operations = script->operations.items;

	check_operand(&operations[1].operand[1], KVMAP_BASE_NONE, 0, 2);
	check_operand(&operations[2].operand[1], KVMAP_BASE_NONE, 0, 3);
	check_operand(&operations[3].operand[1], KVMAP_BASE_NONE, 0, 77);
	check_operand(&operations[4].operand[1], KVMAP_BASE_NONE, 0, 0);
	script_destroy(script);
}

Test(compile, flags_of_an_allocation_are_written_as_in_c)
{
	struct script *script = compiled("a = __vmalloc 64K GFP_KERNEL|__GFP_ZERO\n"
					 "b = __vmalloc 4K GFP_NOWAIT | __GFP_DMA32 | __GFP_NOFAIL");
	const struct kvmap_operation *operations = script->operations.items;

	cr_expect_eq(operations[0].opcode, KVMAP_OP_VMALLOC_GFP);
	check_operand(&operations[0].operand[0], KVMAP_BASE_NONE, 0, 65536);
	check_operand(&operations[0].operand[1], KVMAP_BASE_NONE, 0, GFP_KERNEL | __GFP_ZERO);
	check_operand(&operations[1].operand[1], KVMAP_BASE_NONE, 0, GFP_NOWAIT | __GFP_DMA32 | __GFP_NOFAIL);
	script_destroy(script);
}

Test(compile, the_family_of_vmalloc_has_sizes_nodes_and_counts)
{
	struct script *script = compiled("a = vmalloc_user 100\nb = vmalloc_32 4K\nc = vmalloc_node 8K 1\n"
					 "d = vzalloc_node 8K 0\ne = vmalloc_array 10 24\nf = vcalloc 10 24\n"
					 "g = kvmalloc 5M\nh = kvzalloc 1\ni = kvmalloc_array 3 7\nkvfree h");
	const struct kvmap_operation *operations = script->operations.items;

	for (uint16_t i = 0; i < 10; i++)
		cr_expect_eq(operations[i].opcode, KVMAP_OP_VMALLOC_USER + i);
	check_operand(&operations[2].operand[1], KVMAP_BASE_NONE, 0, 1);
	check_operand(&operations[4].operand[0], KVMAP_BASE_NONE, 0, 10);
	check_operand(&operations[4].operand[1], KVMAP_BASE_NONE, 0, 24);
	check_operand(&operations[9].operand[0], KVMAP_BASE_VARIABLE, 7, 0);
	script_destroy(script);
}

Test(compile, rights_are_set_of_so_many_pages_and_code_is_called)
{
	struct script *script = compiled("a = vmalloc 8K\nset_memory_ro a 2\nset_memory_rw a 2\n"
					 "set_memory_x a 2\nset_memory_nx a 2\nexecute a+8");
	const struct kvmap_operation *operations = script->operations.items;

	for (uint16_t i = 1; i < 6; i++) {
		cr_expect_eq(operations[i].opcode, KVMAP_OP_SET_MEMORY_RO + i - 1);
		check_operand(&operations[i].operand[0], KVMAP_BASE_VARIABLE, 0, i == 5 ? 8 : 0);
		check_operand(&operations[i].operand[1], KVMAP_BASE_NONE, 0, i == 5 ? 0 : 2);
	}
	script_destroy(script);
}

Test(compile, a_change_of_size_has_an_address_a_size_and_perhaps_flags)
{
	struct script *script = compiled("a = vmalloc 8K\na = vrealloc a 16K\nb = kvrealloc a 5M __GFP_ZERO\n"
					 "c = krealloc b 100 __GFP_ZERO");
	const struct kvmap_operation *operations = script->operations.items;

	cr_expect_eq(operations[1].opcode, KVMAP_OP_VREALLOC);
	check_operand(&operations[1].operand[0], KVMAP_BASE_VARIABLE, 0, 0);
	check_operand(&operations[1].operand[1], KVMAP_BASE_NONE, 0, 16384);
	check_operand(&operations[1].operand[2], KVMAP_BASE_NONE, 0, GFP_KERNEL);
	cr_expect_eq(operations[2].opcode, KVMAP_OP_KVREALLOC);
	check_operand(&operations[2].operand[2], KVMAP_BASE_NONE, 0, __GFP_ZERO);
	cr_expect_eq(operations[3].opcode, KVMAP_OP_KREALLOC);
	check_operand(&operations[3].operand[1], KVMAP_BASE_NONE, 0, 100);
	script_destroy(script);
}

Test(compile, fragment_holds_a_part_of_four_megabytes_unless_told)
{
	struct kvmap_operation operation = compiled_one("fragment 60%");

	cr_expect_eq(operation.opcode, KVMAP_OP_FRAGMENT);
	check_operand(&operation.operand[0], KVMAP_BASE_NONE, 0, 60);
	check_operand(&operation.operand[1], KVMAP_BASE_NONE, 0, 4 << 20);
	check_operand(&operation.operand[2], KVMAP_BASE_NONE, 0, 0);
	operation = compiled_one("fragment 0% of 1M seed 7");
	check_operand(&operation.operand[0], KVMAP_BASE_NONE, 0, 0);
	check_operand(&operation.operand[1], KVMAP_BASE_NONE, 0, 1 << 20);
	check_operand(&operation.operand[2], KVMAP_BASE_NONE, 0, 7);
	operation = compiled_one("fragment 100% seed 8");
	check_operand(&operation.operand[0], KVMAP_BASE_NONE, 0, 100);
	check_operand(&operation.operand[2], KVMAP_BASE_NONE, 0, 8);
}

Test(compile, a_pair_has_a_function_a_size_and_a_count)
{
	struct kvmap_operation operation = compiled_one("pair vzalloc 64K 1000");

	cr_expect_eq(operation.opcode, KVMAP_OP_PAIR);
	check_operand(&operation.operand[0], KVMAP_BASE_NONE, 0, KVMAP_FUNCTION_VZALLOC);
	check_operand(&operation.operand[1], KVMAP_BASE_NONE, 0, 65536);
	check_operand(&operation.operand[2], KVMAP_BASE_NONE, 0, 1000);
}

Test(compile, areas_have_a_count_and_a_size_and_perhaps_holes)
{
	struct kvmap_operation operation = compiled_one("areas 15000 4K");

	cr_expect_eq(operation.opcode, KVMAP_OP_AREAS);
	check_operand(&operation.operand[0], KVMAP_BASE_NONE, 0, 15000);
	check_operand(&operation.operand[1], KVMAP_BASE_NONE, 0, 4096);
	check_operand(&operation.operand[2], KVMAP_BASE_NONE, 0, 0);
	operation = compiled_one("areas 7 4K holes");
	check_operand(&operation.operand[2], KVMAP_BASE_NONE, 0, 1);
}

Test(compile, print_takes_a_text_and_perhaps_an_address)
{
	struct script *script = compiled("a = vmalloc 4K\nprint \"one # \\\"two\\\" \\\\\" # comment\n"
					 "print \"at\" a+8");
	const struct kvmap_operation *operations = script->operations.items;

	check_operand(&operations[1].operand[0], KVMAP_BASE_NONE, 0, 0);
	check_operand(&operations[1].operand[1], KVMAP_BASE_NONE, 0, 0);
	cr_expect_str_eq(script->strings.items, "one # \"two\" \\");
	cr_expect_str_eq(script->strings.items + operations[2].operand[0].value, "at");
	check_operand(&operations[2].operand[1], KVMAP_BASE_VARIABLE, 0, 8);
	script_destroy(script);
}

Test(compile, an_expected_fault_is_a_touch_of_the_kind_that_makes_sense)
{
	static const struct {
		const char *text;
		uint16_t kind;
		uint64_t access;
	} cases[] = {
		{ "expect fault guard text", KVMAP_FAULT_GUARD, KVMAP_ACCESS_READ },
		{ "expect fault guard write text", KVMAP_FAULT_GUARD, KVMAP_ACCESS_WRITE },
		{ "expect fault freed read text", KVMAP_FAULT_FREED, KVMAP_ACCESS_READ },
		{ "expect fault null text", KVMAP_FAULT_NULL, KVMAP_ACCESS_READ },
		{ "expect fault readonly text", KVMAP_FAULT_READONLY, KVMAP_ACCESS_WRITE },
		{ "expect fault noexecute text", KVMAP_FAULT_NOEXECUTE, KVMAP_ACCESS_EXECUTE },
		{ "expect fault unmapped execute text", KVMAP_FAULT_UNMAPPED, KVMAP_ACCESS_EXECUTE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kvmap_operation operation = compiled_one(cases[i].text);

		cr_expect_eq(operation.opcode, KVMAP_OP_TOUCH);
		cr_expect_eq(operation.expect, KVMAP_EXPECT_FAULT);
		cr_expect_eq(operation.fault_kind, cases[i].kind, "%s", cases[i].text);
		check_operand(&operation.operand[0], KVMAP_BASE_TEXT, 0, 0);
		check_operand(&operation.operand[1], KVMAP_BASE_NONE, 0, cases[i].access);
	}
}

Test(compile, a_refusal_may_be_expected_of_any_operation)
{
	struct kvmap_operation operation = compiled_one("expect refused vmalloc 0");

	cr_expect_eq(operation.opcode, KVMAP_OP_VMALLOC);
	cr_expect_eq(operation.expect, KVMAP_EXPECT_REFUSED);
	cr_expect_eq(operation.result, KVMAP_NO_RESULT);
	operation = compiled_one("expect refused a = vmalloc 100G");
	cr_expect_eq(operation.result, 0);
	operation = compiled_one("expect refused a = vmalloc 100G\nexpect refused vfree a");
	cr_expect_eq(operation.opcode, KVMAP_OP_VFREE);
	cr_expect_eq(operation.expect, KVMAP_EXPECT_REFUSED);
}

Test(compile, crashes_and_bugs_are_named)
{
	static const struct {
		const char *text;
		uint16_t opcode;
		uint64_t value;
	} cases[] = {
		{ "crash triple-fault", KVMAP_OP_CRASH, KVMAP_CRASH_TRIPLE_FAULT },
		{ "crash emulation", KVMAP_OP_CRASH, KVMAP_CRASH_EMULATION },
		{ "crash mmio", KVMAP_OP_CRASH, KVMAP_CRASH_MMIO },
		{ "crash hang", KVMAP_OP_CRASH, KVMAP_CRASH_HANG },
		{ "crash oops", KVMAP_OP_CRASH, KVMAP_CRASH_OOPS },
		{ "bug 99", KVMAP_OP_BUG, 99 },
		{ "bug guard-mapped", KVMAP_OP_BUG, 1 },
		{ "bug shared-frame", KVMAP_OP_BUG, 2 },
		{ "bug lost-frame", KVMAP_OP_BUG, 3 },
		{ "bug free-and-mapped", KVMAP_OP_BUG, 4 },
		{ "bug writable-text", KVMAP_OP_BUG, 5 },
		{ "bug frame-order", KVMAP_OP_BUG, 6 },
		{ "bug stray-mapping", KVMAP_OP_BUG, 7 },
		{ "bug tree-order", KVMAP_OP_BUG, 8 },
		{ "bug table-as-data", KVMAP_OP_BUG, 9 },
		{ "bug account-off", KVMAP_OP_BUG, 10 },
		{ "bug missing-flush", KVMAP_OP_BUG, 11 },
		{ "bug damaged-bytes", KVMAP_OP_BUG, 12 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kvmap_operation operation = compiled_one(cases[i].text);

		cr_expect_eq(operation.opcode, cases[i].opcode, "%s", cases[i].text);
		check_operand(&operation.operand[0], KVMAP_BASE_NONE, 0, cases[i].value);
	}
}

Test(compile, a_parallel_counts_what_belongs_to_it)
{
	struct script *script =
		compiled("repeat 2\nparallel\non cpu 1 purge\nrepeat 3\nstress 7 9\nend\nend\nend");

	cr_assert_eq(script->operations.count, 10);
	for (size_t i = 0; i < 10; i += 5) {
		cr_expect_eq(script->operations.items[i].opcode, KVMAP_OP_PARALLEL);
		cr_expect_eq(script->operations.items[i].operand[0].value, 4);
		cr_expect_eq(script->operations.items[i + 1].cpu, 1);
		cr_expect_eq(script->operations.items[i + 4].opcode, KVMAP_OP_STRESS);
		cr_expect_eq(script->operations.items[i + 4].operand[1].value, 9);
	}
	script_destroy(script);
}

Test(compile, an_operation_may_run_in_an_interrupt_of_any_cpu)
{
	struct kvmap_operation operation = compiled_one("in interrupt vfree_atomic 0x1000");

	cr_expect_eq(operation.opcode, KVMAP_OP_VFREE_ATOMIC);
	cr_expect_eq(operation.context, KVMAP_CONTEXT_INTERRUPT);
	cr_expect_eq(operation.cpu, 0);
	operation = compiled_one("on cpu 3 in interrupt expect refused kmalloc 64");
	cr_expect_eq(operation.context, KVMAP_CONTEXT_INTERRUPT);
	cr_expect_eq(operation.cpu, 3);
	cr_expect_eq(operation.expect, KVMAP_EXPECT_REFUSED);
	cr_expect_eq(operation.operand[1].value, GFP_KERNEL);
	operation = compiled_one("expect refused kzalloc 64 GFP_ATOMIC|__GFP_NOWARN");
	cr_expect_eq(operation.context, KVMAP_CONTEXT_TASK);
	cr_expect_eq(operation.operand[1].value, GFP_ATOMIC | __GFP_NOWARN);
}

Test(compile, repeats_are_unrolled_inner_ones_first)
{
	struct script *script = compiled("repeat 3\npurge\nrepeat 2\nverify\nend\nend\npurge");
	static const uint16_t opcodes[] = { 9, 10, 10, 9, 10, 10, 9, 10, 10, 9 };

	cr_assert_eq(script->operations.count, 10);
	for (size_t i = 0; i < 10; i++)
		cr_expect_eq(script->operations.items[i].opcode, opcodes[i]);
	cr_expect_eq(script->operations.items[7].line, 4);
	script_destroy(script);
}

Test(compile, a_repeat_of_nothing_is_nothing_however_often)
{
	struct script *script = compiled("repeat 0xffffffffffffffff\n# nothing\nend\npurge");

	cr_expect_eq(script->operations.count, 1);
	script_destroy(script);
}

Test(compile, a_million_operations_are_allowed)
{
	struct script *script = compiled("repeat 1000000\npurge\nend");

	cr_expect_eq(script->operations.count, 1000000);
	script_destroy(script);
}

Test(compile, a_comment_alone_is_a_script_that_does_nothing)
{
	struct script *script = compiled("# \xc3\xa4 \x01 nothing");

	cr_expect_eq(script->operations.count, 0);
	script_destroy(script);
}

Test(compile, a_byte_order_mark_is_skipped)
{
	struct script *script = compiled("\xef\xbb\xbfpurge\r\n");

	cr_expect_eq(script->operations.count, 1);
	script_destroy(script);
}

Test(compile, the_names_of_all_operations_are_known)
{
	static const char *const names[] = { "?",      "vmalloc", "vzalloc", "vfree",    "fill",
					     "check",  "read",    "write",   "fragment", "purge",
					     "verify", "print",   "touch",   "crash",    "bug" };

	for (uint16_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_expect_str_eq(operation_name(i), names[i]);
	cr_expect_str_eq(fault_kind_name(KVMAP_FAULT_GUARD), "guard");
	cr_expect_str_eq(fault_kind_name(0), "?");
	cr_expect_str_eq(policy_name(KVMAP_POLICY_LAZY), "lazy");
	cr_expect_str_eq(policy_name(KVMAP_NR_POLICIES), "?");
	cr_expect_str_eq(status_text(KVMAP_REFUSED_DOUBLE_FREE), "double free");
	cr_expect_str_eq(status_text(999), "unknown status");
}

Test(compile, a_line_is_shown_without_its_comment)
{
	struct script *script = compiled("# first\n\t print \"a # b\"  # why\r\n");
	char line[40];

	cr_expect_str_eq(script_line(script, 2, line, sizeof(line)), "print \"a # b\"");
	cr_expect_str_eq(script_line(script, 1, line, sizeof(line)), "");
	cr_expect_str_eq(script_line(script, 3, line, sizeof(line)), "");
	cr_expect_str_eq(script_line(script, 4, line, sizeof(line)), "");
	cr_expect_str_eq(script_line(script, 0, line, sizeof(line)), "");
	cr_expect_str_eq(script_line(script, 2, line, 6), "print");
	script_destroy(script);
}

Test(compile, kmalloc_and_its_family)
{
	struct script *script = compiled("k = kmalloc 100\nz = kzalloc 4M\nkfree k");

	cr_assert_eq(script->operations.count, 3);
	cr_expect_eq(script->operations.items[0].opcode, KVMAP_OP_KMALLOC);
	cr_expect_eq(script->operations.items[1].opcode, KVMAP_OP_KZALLOC);
	cr_expect_eq(script->operations.items[1].operand[0].value, 4 << 20);
	cr_expect_eq(script->operations.items[2].opcode, KVMAP_OP_KFREE);
	check_operand(&script->operations.items[2].operand[0], KVMAP_BASE_VARIABLE, 0, 0);
	script_destroy(script);
}

Test(compile, a_text_is_written_in_words_with_zeros_at_its_end)
{
	static const struct {
		const char *line;
		uint64_t start;
		size_t words;
		uint64_t value[2];
	} cases[] = {
		{ "write a \"\"", 0, 1, { 0 } },
		{ "write a \"1234567\"", 0, 1, { 0x37363534333231 } },
		{ "write a \"12345678\"", 0, 2, { 0x3837363534333231, 0 } },
		{ "write a+16 \"a \\\"b\\\" c: longer\"", 16, 2, { 0x3a63202262222061, 0x007265676e6f6c20 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct kvmap_operation *operations;
		struct script *script;
		char text[200];

		snprintf(text, sizeof(text),
			 "a = vmalloc 4K\non cpu 1 expect refused %s # text\nprint \"p\"\n", cases[i].line);
		script = compiled(text);
		operations = script->operations.items;
		cr_assert_eq(script->operations.count, 2 + cases[i].words, "%s", cases[i].line);
		for (size_t j = 0; j < cases[i].words; j++) {
			cr_expect_eq(operations[1 + j].opcode, KVMAP_OP_WRITE);
			cr_expect_eq(operations[1 + j].cpu, 1);
			cr_expect_eq(operations[1 + j].line, 2);
			cr_expect_eq(operations[1 + j].expect, KVMAP_EXPECT_REFUSED);
			check_operand(&operations[1 + j].operand[0], KVMAP_BASE_VARIABLE, 0,
				      cases[i].start + 8 * j);
			check_operand(&operations[1 + j].operand[1], KVMAP_BASE_NONE, 0, cases[i].value[j]);
		}
		/* The text itself is not in the module. */
		cr_expect_eq(script->strings.count, 2);
		script_destroy(script);
	}
}
