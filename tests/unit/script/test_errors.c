/* SPDX-License-Identifier: MIT */
#include "helper.h"

#include "kvmap/bugs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN "kvmap-script(5) lists them"

static const struct {
	const char *text, *message;
} cases[] = {
	/* operations */
	{ "\n  vmaloc 64K", "2:3: unknown operation 'vmaloc'; did you mean 'vmalloc'?" },
	{ "a = vmallco 64K", "1:5: unknown operation 'vmallco'; did you mean 'vmalloc'?" },
	{ "expct fault null 0", "1:1: unknown operation 'expct'; did you mean 'expect'?" },
	{ "VMALLOC 4K", "1:1: unknown operation 'VMALLOC'; did you mean 'vmalloc'?" },
	{ "memry 64M", "1:1: unknown operation 'memry'; did you mean 'memory'?" },
	{ "polcy lazy", "1:1: unknown operation 'polcy'; did you mean 'policy'?" },
	{ "a vmalloc 64K", "1:1: 'a' is no operation; write: a = vmalloc SIZE" },
	{ "frist kmalloc 3", "1:1: 'frist' is no operation; write: frist = kmalloc SIZE [FLAG|...]" },
	{ "dance", "1:1: unknown operation 'dance'; " KNOWN },
	{ "!", "1:1: unknown operation '!'; " KNOWN },
	{ "a =", "1:4: an operation is missing here" },
	{ "expect refused", "1:15: an operation is missing here" },
	{ "a = repeat 3", "1:5: expected an operation, got 'repeat'" },
	{ "expect refused end", "1:16: expected an operation, got 'end'" },
	{ "touch text", "1:1: unknown operation 'touch'; " KNOWN },
	/* variables */
	{ "vfree b", "1:7: unknown variable 'b'; set it first: b = vmalloc SIZE" },
	{ "first = vmalloc 4K\nfill frist", "2:6: unknown variable 'frist'; did you mean 'first'?" },
	{ "check b\n\nb = vmalloc 4K", "1:7: 'b' is used before it is set, in line 3" },
	{ "check b\nexpect refused b = vmalloc 4K", "1:7: 'b' is used before it is set, in line 2" },
	{ "text = vmalloc 4K", "1:1: 'text' is a word of the language; choose another name" },
	{ "vfree = vmalloc 4K", "1:1: 'vfree' is a word of the language; choose another name" },
	{ "1a = vmalloc 4K", "1:1: the name of a variable begins with a letter" },
	{ "abcdefghijklmnopqrstuvwxyzabcdefgh = vmalloc 4K",
	  "1:1: a name of 34 letters; at most 31 are allowed" },
	{ "vmalloc 4K", "1:1: the result must be assigned to a variable; write: NAME = vmalloc SIZE" },
	{ "a = purge", "1:1: purge has no result to assign; write: purge" },
	{ "fill 7", "1:6: expected a variable, got '7'" },
	{ "fill +", "1:6: expected a variable, got '+'" },
	/* operands */
	{ "a = vmalloc", "1:12: a size is missing; write: NAME = vmalloc SIZE" },
	{ "a = vmalloc   # 4K", "1:12: a size is missing; write: NAME = vmalloc SIZE" },
	{ "vfree", "1:6: an address is missing; write: vfree ADDRESS" },
	{ "check", "1:6: a variable is missing; write: check VARIABLE" },
	{ "read 0+", "1:8: a number is missing; write: read ADDRESS" },
	{ "write 0", "1:8: a value is missing; write: write ADDRESS VALUE|\"TEXT\"" },
	{ "fragment", "1:9: a percentage is missing; write: fragment PERCENT% [of SIZE] [seed NUMBER]" },
	{ "print", "1:6: a text in \"quotes\" is missing; write: print \"TEXT\" [ADDRESS]" },
	{ "print hello", "1:7: expected a text in \"quotes\", got 'hello'" },
	{ "print \"x\" 7",
	  "1:11: nothing to look up in a number: print shows addresses of variables, text and "
	  "rodata" },
	{ "pair",
	  "1:5: a function that allocates is missing; write: pair FUNCTION SIZE COUNT: vmalloc, vzalloc, "
	  "kmalloc, alloc_pages, nothing, vmalloc_huge, kvmalloc, vmap, vm_map_ram, vfree_atomic, "
	  "vm_unmap_aliases" },
	{ "pair vmaloc 4K 1",
	  "1:6: expected a function that allocates, got 'vmaloc'; did you mean 'vmalloc'?" },
	{ "pair frobnicate 4K 1",
	  "1:6: expected a function that allocates, got 'frobnicate': vmalloc, vzalloc, kmalloc, alloc_pages, "
	  "nothing, vmalloc_huge, kvmalloc, vmap, vm_map_ram, vfree_atomic, vm_unmap_aliases" },
	{ "a = __vmalloc 4K gfp_kernal",
	  "1:18: expected a flag of an allocation, got 'gfp_kernal'; did you mean 'GFP_KERNEL'?" },
	{ "a = __vmalloc 4K nothing",
	  "1:18: expected a flag of an allocation, got 'nothing': __GFP_DMA, __GFP_DMA32, __GFP_HIGH, __GFP_IO, "
	  "__GFP_FS, __GFP_ZERO, __GFP_DIRECT_RECLAIM, __GFP_KSWAPD_RECLAIM, __GFP_NOWARN, __GFP_NOFAIL, "
	  "__GFP_THISNODE, GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT, GFP_DMA, GFP_DMA32" },
	{ "pair vmalloc 4K", "1:16: a count is missing; write: pair FUNCTION SIZE COUNT" },
	{ "areas 10", "1:9: a size is missing; write: areas COUNT SIZE [holes]" },
	{ "areas 10 4K hole",
	  "1:13: unexpected 'hole'; did you mean 'holes'? write: areas COUNT SIZE [holes]" },
	{ "a = vmalloc 4K\nfill a sed 4",
	  "2:8: unexpected 'sed'; did you mean 'seed'? write: fill VARIABLE [seed NUMBER]" },
	{ "areas 10 4K xyz", "1:13: unexpected 'xyz'; write: areas COUNT SIZE [holes]" },
	{ "crash",
	  "1:6: a way to crash is missing; write: crash HOW: triple-fault, emulation, mmio, hang, oops" },
	{ "crash opps", "1:7: expected a way to crash, got 'opps'; did you mean 'oops'?" },
	{ "crash boom",
	  "1:7: expected a way to crash, got 'boom': triple-fault, emulation, mmio, hang, oops" },
	{ "fault guard-mapped",
	  "1:1: 'fault' is no operation; write 'bug NAME' for a deliberate bug, 'expect fault "
	  "KIND ADDRESS' for an expected page fault" },
	{ "fault = vmalloc 4K", "1:1: 'fault' is a word of the language; choose another name" },
	{ "expect", "1:7: expected 'fault' or 'refused' after expect" },
	{ "expect falt null 0",
	  "1:8: expected 'fault' or 'refused' after expect, got 'falt'; did you mean 'fault'?" },
	{ "on cpuu 1 purge", "1:4: expected 'cpu' after on, got 'cpuu'; did you mean 'cpu'?" },
	{ "in interupt purge",
	  "1:4: expected 'interrupt' after in, got 'interupt'; did you mean 'interrupt'?" },
	{ "expect freed 0", "1:8: expected 'fault' or 'refused' after expect" },
	{ "expect fault gaurd 0", "1:14: expected a kind of fault, got 'gaurd'; did you mean 'guard'?" },
	{ "expect fault null",
	  "1:18: an address is missing; write: expect fault KIND [read|write|execute] ADDRESS" },
	{ "expect fault null write",
	  "1:24: an address is missing; write: expect fault KIND [read|write|execute] "
	  "ADDRESS" },
	{ "purge now", "1:7: unexpected 'now'; write: purge" },
	{ "read 0 0", "1:8: unexpected '0'; write: read ADDRESS" },
	{ "read 0 + 1 + 2", "1:12: unexpected '+'; write: read ADDRESS" },
	/* numbers */
	{ "a = vmalloc 64KB", "1:13: expected a size, got '64KB': digits, or 0x and hexadecimal digits, "
			      "optionally followed by K, M, G or T" },
	{ "a = vmalloc -1", "1:13: expected a size, got '-1': digits, or 0x and hexadecimal digits, "
			    "optionally followed by K, M, G or T" },
	{ "a = vmalloc 0x", "1:13: expected a size, got '0x': digits, or 0x and hexadecimal digits, "
			    "optionally followed by K, M, G or T" },
	{ "a = vmalloc 18446744073709551616", "1:13: a size of more than 64 bits: '18446744073709551616'" },
	{ "a = vmalloc 17179869184G", "1:13: a size of more than 64 bits: '17179869184G'" },
	{ "read 0xffffffffffffffff+1", "1:24: this address is outside of 64 bits" },
	{ "read 1-2", "1:7: this address is outside of 64 bits" },
	{ "fragment 60", "1:12: '%' is missing after the percentage" },
	{ "fragment 101%", "1:10: a percentage above 100%" },
	{ "fragment x%", "1:10: expected a percentage, got 'x': digits, or 0x and hexadecimal digits, "
			 "optionally followed by K, M, G or T" },
	{ "fragment 6% of", "1:15: a size is missing; write: fragment PERCENT% [of SIZE] [seed NUMBER]" },
	{ "fragment 6% seed", "1:17: a seed is missing; write: fragment PERCENT% [of SIZE] [seed NUMBER]" },
	{ "fragment 6% seed 1 of 4M", "1:20: unexpected 'of'; write: fragment PERCENT% [of SIZE] [seed "
				      "NUMBER]" },
	/* texts */
	{ "print \"abc", "1:7: a text without an end: its closing \" is missing" },
	{ "print \"abc\\\"", "1:7: a text without an end: its closing \" is missing" },
	{ "print \"a\\n\"", "1:9: after a backslash only \\\" and \\\\ are allowed" },
	{ "print \"a\"b", "1:10: unknown variable 'b'; set it first: b = vmalloc SIZE" },
	/* loops */
	{ "end", "1:1: end without a repeat or parallel above it" },
	{ "repeat 2\npurge\nend\n end", "4:2: end without a repeat or parallel above it" },
	{ "purge\nrepeat 2\npurge", "2:8: this repeat has no end; write 'end' below what is repeated" },
	{ "parallel\npurge", "1:1: this parallel has no end; write 'end' below what runs at once" },
	{ "parallel\nrepeat 2\nparallel\nend\nend\nend",
	  "3:1: parallel in a parallel: its operations run at the same time already" },
	{ "parallel\npurge\non cpu 1 verify\nend",
	  "3:1: verify needs all CPUs to be idle; write it below end" },
	{ "in purge", "1:4: expected 'interrupt' after in; write: in interrupt OPERATION" },
	{ "in interrupt", "1:13: an operation is missing here" },
	{ "in interrupt on cpu 1 purge", "1:14: expected an operation, got 'on'" },
	{ "in interrupt parallel", "1:14: expected an operation, got 'parallel'" },
	{ "parallel 2\nend", "1:10: unexpected '2'; write: parallel" },
	{ "stress 1", "1:9: a count is missing; write: stress SEED COUNT" },
	{ "repeat", "1:7: a repeat count is missing; write: repeat TIMES" },
	{ "repeat 0\nend", "1:8: the repeat count must be at least 1" },
	{ "repeat 2 times", "1:10: unexpected 'times'; write: repeat TIMES" },
	{ "repeat 1\nend of it", "2:5: unexpected 'of'; write: end" },
	{ "repeat 1000001\npurge\nend",
	  "1:8: this repeat makes more than 1000000 operations in all, which is the most" },
	{ "repeat 1000\nrepeat 0xffffffffffffffff\npurge\nend\nend",
	  "2:8: this repeat makes more than 1000000 operations in all, which is the most" },
	{ "purge\nrepeat 1000000\npurge\nend",
	  "2:8: this repeat makes more than 1000000 operations in all, which is the most" },
	{ "repeat 1000000\npurge\nend\nverify", "4:1: one operation too many; at most 1000000 are allowed" },
	{ "repeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\n"
	  "repeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\nrepeat 1\n",
	  "17:8: one repeat too many; at most 16 may be nested" },
	/* bytes */
	{ "vfree \x1b[2J", "1:7: the byte \\x1b; outside of comments a script is plain ASCII" },
	{ "print \"\xc3\xa4\"", "1:8: the byte \\xc3; outside of comments a script is plain ASCII" },
	{ "purge\rpurge", "1:6: the byte \\x0d; outside of comments a script is plain ASCII" },
	/* nothing */
	{ "", "1:1: the script is empty; one that does nothing is a comment: # nothing" },
	{ " \t\r\n\n", "1:1: the script is empty; one that does nothing is a comment: # nothing" },
	{ "\xef\xbb\xbf", "1:1: the script is empty; one that does nothing is a comment: # nothing" },
};

Test(errors, each_mistake_is_named_with_its_line_and_column)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_refused(cases[i].text, cases[i].message);
}

Test(errors, of_an_unknown_bug_lists_all_names)
{
#define BUG_NAME(function, number, name) ", " name
	static const char names[] = KVMAP_BUGS(BUG_NAME);
#undef BUG_NAME
	char message[1000];

	snprintf(message, sizeof(message), "1:5: expected a deliberate bug, got 'x': %s", names + 2);
	check_refused("bug x", message);
}

Test(errors, a_nul_byte_is_refused_even_in_a_comment)
{
	check_refused_bytes("purge\n# a\0b", 11, "2:4: a NUL byte: this is no text file");
	check_refused_bytes("\0", 1, "1:1: a NUL byte: this is no text file");
}

Test(errors, a_line_of_a_thousand_bytes_is_allowed_and_one_more_is_not)
{
	char text[1003];
	struct script *script;

	memset(text, '#', sizeof(text));
	text[1000] = '\0';
	script = compiled(text);
	script_destroy(script);
	text[1000] = '#';
	text[1001] = '\0';
	check_refused(text, "1:1001: a line of 1001 bytes; at most 1000 are allowed");
}

Test(errors, the_five_hundred_and_thirteenth_variable_is_one_too_many)
{
	char *text = malloc(513 * 32), *at = text;
	struct script *script;

	for (int i = 0; i < 512; i++)
		at += sprintf(at, "v%d = vmalloc 4K\n", i);
	script = compiled(text);
	cr_expect_eq(script->variables.count, 512);
	script_destroy(script);
	sprintf(at, "w = vmalloc 4K\n");
	check_refused(text, "513:1: one variable too many; at most 512 are allowed: use some again");
	free(text);
}

static void check_context(const char *text, const char *expected)
{
	struct script *script = NULL;
	char context[1024];
	struct error error;

	cr_assert_eq(script_compile("t.kvs", text, strlen(text), &script, context, sizeof(context), &error),
		     -1);
	cr_expect_str_eq(context, expected);
}

Test(errors, the_line_is_shown_with_a_caret_below_the_mistake)
{
	check_context("purge\na = vmaloc 4K # why\r\nverify", "  a = vmaloc 4K # why\n      ^");
	check_context("\ta = vmaloc 4K", "  \ta = vmaloc 4K\n  \t    ^");
	check_context("a = vmalloc", "  a = vmalloc\n             ^");
	check_context(" \n", "");
}

Test(errors, the_shown_line_cannot_hurt_a_terminal)
{
	check_context("vfree \x1b[2J # \xc3\xa4 \xff \xe2\x80\xae",
		      "  vfree \\x1b[2J # \xc3\xa4 \\xff \\xe2\\x80\\xae\n        ^");
}

Test(errors, of_a_long_line_the_part_around_the_mistake_is_shown)
{
	struct script *script = NULL;
	char text[300], context[1024];
	struct error error;

	memset(text, ' ', sizeof(text));
	memcpy(text + 200, "vmaloc 4K", 10);
	cr_assert_eq(script_compile("t.kvs", text, 209, &script, context, sizeof(context), &error), -1);
	cr_expect_not_null(strstr(context, "vmaloc 4K\n"));
	cr_expect_eq(strcspn(context, "\n"), 2 + 70 + 9);
	cr_expect_eq(strlen(context), 2 + 70 + 9 + 1 + 2 + 70 + 1);
}

Test(errors, a_long_or_hostile_path_leaves_room_for_the_message)
{
	struct script *script = NULL;
	struct error error;
	char path[3000];

	memset(path, 'x', sizeof(path));
	strcpy(path + sizeof(path) - 10, "/\x1bq.kvs");
	cr_assert_eq(script_compile(path, "", 0, &script, NULL, 0, &error), -1);
	cr_expect_eq(strncmp(error.text, "...xxx", 6), 0);
	cr_expect_not_null(strstr(error.text,
				  "/\\x1bq.kvs:1:1: the script is empty; one that does nothing is a "
				  "comment: # nothing"));
}

/* Every text of three bytes out of those that mean something, twice over: a cheap stand-in for a fuzzer. */
Test(errors, short_nonsense_never_hurts)
{
	static const char bytes[] = "a=7+%\"\\# \n\t\r\xc3";
	char text[40], context[200];
	uint32_t state = 1;

	for (int round = 0; round < 20000; round++) {
		struct script *script = NULL;
		struct error error;
		size_t length = (size_t)round % sizeof(text);

		for (size_t i = 0; i < length; i++) {
			state = state * 1664525 + 1013904223;
			text[i] = bytes[(state >> 16) % (sizeof(bytes) - 1)];
		}
		memcpy(text, round & 1 ? "print " : "fragment ", length < 6 ? length : 6);
		if (script_compile("t.kvs", text, length, &script, context, sizeof(context), &error) == 0)
			script_destroy(script);
		else
			cr_assert_eq(strncmp(error.text, "t.kvs:", 6), 0);
	}
}
