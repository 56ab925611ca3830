/* SPDX-License-Identifier: MIT */
#include "helper.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(module, it_holds_the_record_the_operations_and_the_strings)
{
	struct script *script = compiled("a = vmalloc 4K\nprint \"hello\" a");
	struct kvmap_boot boot = { .flags = KVMAP_BOOT_SERIAL, .policy = KVMAP_POLICY_LAZY, .seed = 7 };
	struct error error;
	const char *bytes;
	void *module;
	size_t size;

	cr_assert_eq(script_module(script, &boot, &module, &size, &error), 0);
	bytes = module;
	memcpy(&boot, bytes, sizeof(boot));
	cr_expect_eq(boot.magic, KVMAP_BOOT_MAGIC);
	cr_expect_eq(boot.version, KVMAP_BOOT_VERSION);
	cr_expect_eq(boot.size, size);
	cr_expect_eq(boot.flags, KVMAP_BOOT_SERIAL);
	cr_expect_eq(boot.policy, KVMAP_POLICY_LAZY);
	cr_expect_eq(boot.seed, 7);
	cr_expect_eq(boot.variable_count, 1);
	cr_expect_eq(boot.operation_count, 2);
	cr_expect_eq(boot.operations_offset % 8, 0);
	cr_expect_geq(boot.operations_offset, sizeof(boot));
	cr_expect_eq(memcmp(bytes + boot.operations_offset, script->operations.items, 128), 0);
	cr_expect_geq(boot.strings_offset, boot.operations_offset + 128);
	cr_expect_eq(boot.strings_size, 6);
	cr_expect_eq(boot.names_offset, boot.strings_offset + boot.strings_size);
	cr_expect_eq(boot.names_offset + 2, size);
	cr_expect_str_eq(bytes + boot.names_offset, "a");
	cr_expect_str_eq(bytes + boot.strings_offset, "hello");
	free(module);
	script_destroy(script);
}

Test(module, a_script_without_operations_is_a_record_alone)
{
	struct script *script = compiled("# nothing");
	struct kvmap_boot boot = { 0 };
	struct error error;
	void *module;
	size_t size;

	cr_assert_eq(script_module(script, &boot, &module, &size, &error), 0);
	memcpy(&boot, module, sizeof(boot));
	cr_expect_eq(boot.operation_count, 0);
	cr_expect_eq(boot.strings_size, 0);
	cr_expect_eq(boot.names_offset, 0);
	cr_expect_eq(boot.size, size);
	free(module);
	script_destroy(script);
}

Test(module, a_fragment_without_a_seed_takes_that_of_the_run)
{
	struct script *script = compiled("fragment 50%\nfragment 50% seed 9");
	struct kvmap_boot boot = { .seed = 7 };
	struct kvmap_operation operations[2];
	struct error error;
	void *module;
	size_t size;

	cr_assert_eq(script_module(script, &boot, &module, &size, &error), 0);
	memcpy(&boot, module, sizeof(boot));
	memcpy(operations, (const char *)module + boot.operations_offset, sizeof(operations));
	cr_expect_eq(operations[0].operand[2].value, 7);
	cr_expect_eq(operations[1].operand[2].value, 9);
	free(module);
	script_destroy(script);
}
