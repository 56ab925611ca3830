/* SPDX-License-Identifier: MIT */
/*
 * test_head.c: what a script states about its machine, above its first operation.
 */
#include "helper.h"

#include <criterion/criterion.h>

Test(head, it_states_cpus_nodes_memory_and_policy)
{
	struct script *script =
		compiled("# a head\ncpus 4\n\nnodes 2 # and why\nmemory 64MiB\npolicy eager\na = vmalloc 4K");

	cr_expect_eq(script->head.cpus, 4);
	cr_expect_eq(script->head.nodes, 2);
	cr_expect_eq(script->head.memory, 64u << 20);
	cr_expect(script->head.has_policy);
	cr_expect_eq(script->head.policy, KVMAP_POLICY_EAGER);
	cr_expect_eq(script->operations.count, 1);
	script_destroy(script);
}

Test(head, it_states_what_the_guest_is_to_do)
{
	struct script *script =
		compiled("seed 0\ndebug-slab\n fail-allocation 3 # the third\na = vmalloc 4K");

	cr_expect(script->head.has_seed);
	cr_expect_eq(script->head.seed, 0);
	cr_expect(script->head.debug_slab);
	cr_expect_eq(script->head.fail_allocation, 3);
	script_destroy(script);
	check_refused("fail-allocation 0", "1:17: the number of the allocation is 1 to 4294967295");
	check_refused("debug-slab on", "1:12: unexpected 'on'; write: debug-slab");
	check_refused("debug-slba", "1:1: unknown operation 'debug-slba'; did you mean 'debug-slab'?");
	check_refused("seed", "1:5: a seed is missing; write: seed NUMBER");
}

Test(head, a_script_without_one_states_nothing)
{
	struct script *script = compiled("a = vmalloc 4K");

	cr_expect_eq(script->head.cpus, 0);
	cr_expect_eq(script->head.nodes, 0);
	cr_expect_eq(script->head.memory, 0);
	cr_expect_not(script->head.has_policy);
	cr_expect_not(script->head.has_seed);
	script_destroy(script);
}

Test(head, its_words_may_name_variables)
{
	struct script *script = compiled("cpus = vmalloc 4K\nmemory= vmalloc 8K\ncheck cpus\nvfree memory");

	cr_expect_eq(script->variables.count, 2);
	cr_expect_eq(script->head.cpus, 0);
	cr_expect_eq(script->operations.count, 4);
	script_destroy(script);
}

Test(head, wrong_values_are_named_at_their_place)
{
	check_refused("cpus 0", "1:6: the number of CPUs is 1 to 64");
	check_refused("cpus 65", "1:6: the number of CPUs is 1 to 64");
	check_refused("nodes 9", "1:7: the number of nodes is 1 to 8");
	check_refused("memory 3M", "1:8: the memory of a guest is 8M to 64G, a multiple of 2M");
	check_refused("memory 9M", "1:8: the memory of a guest is 8M to 64G, a multiple of 2M");
	check_refused("memory 0", "1:8: the memory of a guest is 8M to 64G, a multiple of 2M");
	check_refused("memory 6M", "1:8: the memory of a guest is 8M to 64G, a multiple of 2M");
	check_refused("cpus 2\nmemory 1T", "2:8: the memory of a guest is 8M to 64G, a multiple of 2M");
	check_refused("cpus 2 4", "1:8: unexpected '4'; write: cpus NUMBER");
}

Test(head, it_is_above_the_first_operation_and_states_each_thing_once)
{
	check_refused("a = vmalloc 4K\ncpus 2",
		      "2:1: 'cpus' belongs into the head of a script, above its first operation");
	check_refused("repeat 2\n policy lazy\nend",
		      "2:2: 'policy' belongs into the head of a script, above its first operation");
	check_refused("cpus 2\ncpus 2", "2:1: 'cpus' is stated twice");
}

Test(head, an_operation_for_a_cpu_beyond_it_is_an_error_at_the_number)
{
	struct script *script = compiled("a = vmalloc 4K\r\n\t on \tcpu  3 check a\non cpu 5 check a");
	char context[200];
	struct error error;

	cr_expect_eq(script_check_cpus(script, 6, context, sizeof(context), &error), 0);
	cr_assert_eq(script_check_cpus(script, 2, context, sizeof(context), &error), -1);
	cr_expect_str_eq(error.text,
			 "t.kvs:2:12: the guest has 2 CPUs, there is no CPU 3; write 'cpus 6' above "
			 "the first operation, or use --cpus 6");
	cr_expect_str_eq(context, "  \t on \tcpu  3 check a\n  \t    \t     ^");
	cr_expect_eq(error.kind, ERROR_INPUT);
	script_destroy(script);
}
