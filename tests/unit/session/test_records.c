/* SPDX-License-Identifier: MIT */
/* Records of a guest that lies: what is taken, and what is dropped. */
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(records, .init = world_start, .fini = world_end);

static void take(struct kvmap_record record)
{
	world_record(&record);
	world_take();
}

static void expect_counts(size_t steps, uint64_t dropped)
{
	cr_expect_eq(session.steps.count, steps, "%zu steps", session.steps.count);
	cr_expect_eq(session.run.dropped_records, dropped, "%lu dropped", session.run.dropped_records);
}

Test(records, of_results_are_steps_in_the_order_of_the_script)
{
	for (uint32_t i = 0; i < WORLD_OPERATIONS; i++)
		take(world_result(i));
	expect_counts(WORLD_OPERATIONS, 0);
	for (uint32_t i = 0; i < WORLD_OPERATIONS; i++)
		cr_expect_eq(session.steps.items[i].result.operation, i);
	take(world_result(WORLD_OPERATIONS));
	expect_counts(WORLD_OPERATIONS, 1);
	cr_expect_eq(session.verdict.results[0].checked, WORLD_OPERATIONS);
	cr_expect_eq(session.verdict.finding_count, 0);
}

Test(records, of_results_out_of_order_twice_or_of_no_operation_are_dropped)
{
	take(world_result(1));
	expect_counts(0, 1);
	take(world_result(0));
	take(world_result(0));
	expect_counts(1, 2);
	take(world_result(WORLD_OPERATIONS));
	take(world_result(~0u));
	expect_counts(1, 4);
}

Test(records, of_cpus_that_do_not_exist_are_dropped)
{
	static const uint16_t types[] = { KVMAP_RECORD_RESULT, KVMAP_RECORD_FAULT, KVMAP_RECORD_WARNING };

	session.config.cpus = 4;
	for (uint64_t i = 0; i < 3; i++) {
		take((struct kvmap_record){ .type = types[i], .cpu = 4 });
		expect_counts(0, 2 * i + 1);
		take((struct kvmap_record){ .type = types[i], .cpu = ~0u });
		expect_counts(0, 2 * i + 2);
	}
	take((struct kvmap_record){ .type = KVMAP_RECORD_FAULT, .cpu = 3, .detail = 7 });
	cr_expect_eq(session.pending[3].fault.detail, 7);
	expect_counts(0, 6);
}

Test(records, of_unknown_types_and_a_damaged_channel_are_counted)
{
	take((struct kvmap_record){ .type = 0 });
	take((struct kvmap_record){ .type = 99 });
	expect_counts(0, 2);
	world_damaged = true;
	take(world_result(0));
	expect_counts(1, 3);
}

Test(records, of_a_fault_and_a_warning_belong_to_the_next_result_of_their_cpu)
{
	struct kvmap_record result = world_result(0);
	const struct report_step *step;

	session.config.cpus = 5;
	take((struct kvmap_record){ .type = KVMAP_RECORD_WARNING, .cpu = 3, .status = 11 });
	take((struct kvmap_record){ .type = KVMAP_RECORD_FAULT, .cpu = 3, .detail = 12 });
	take((struct kvmap_record){ .type = KVMAP_RECORD_FAULT, .cpu = 4, .detail = 13 });
	session.pending[3].fault_checked = true;
	session.pending[3].fault_walk.stop = WALK_MAPPED + 1;
	session.verified = true;
	session.findings = 5;
	result.cpu = 3;
	take(result);
	expect_counts(1, 0);
	step = &session.steps.items[0];
	cr_expect_eq(step->warning.status, 11);
	cr_expect_eq(step->fault.detail, 12);
	cr_expect(step->fault_checked);
	cr_expect(step->verified);
	cr_expect_eq(step->findings, 5);
	cr_expect_not(session.verified, "the next operation is not verified");
	cr_expect_eq(session.pending[3].fault.type, 0);
	cr_expect_eq(session.pending[3].warning.type, 0);
	cr_expect_not(session.pending[3].fault_checked);
	cr_expect_eq(session.pending[4].fault.detail, 13);
	take(world_result(1));
	cr_expect_eq(session.steps.items[1].fault.type, 0);
	cr_expect_not(session.steps.items[1].verified);
}

Test(records, of_a_parallel_come_in_any_order_but_once_each)
{
	world_operation(1)->opcode = KVMAP_OP_PARALLEL;
	world_operation(1)->operand[0].value = 3;
	take(world_result(0));
	take(world_result(1));
	cr_assert(session.parallel_done);
	take(world_result(4));
	expect_counts(3, 0);
	take(world_result(4));
	take(world_result(1));
	take(world_result(5));
	expect_counts(3, 3);
	take(world_result(2));
	cr_expect(session.parallel_done);
	take(world_result(3));
	expect_counts(5, 3);
	cr_expect_null(session.parallel_done);
	take(world_result(5));
	expect_counts(6, 3);
}

Test(records, of_a_parallel_of_no_operations_go_on_in_order)
{
	world_operation(0)->opcode = KVMAP_OP_PARALLEL;
	take(world_result(0));
	cr_expect_null(session.parallel_done);
	take(world_result(1));
	expect_counts(2, 0);
}

Test(records, of_boot_end_and_death_are_kept)
{
	take((struct kvmap_record){ .type = KVMAP_RECORD_HELLO, .value = { 1 } });
	take((struct kvmap_record){ .type = KVMAP_RECORD_BYE, .value = { 2 } });
	take((struct kvmap_record){ .type = KVMAP_RECORD_OOPS, .value = { 3 } });
	for (uint32_t i = 0; i < 3; i++)
		take((struct kvmap_record){
			.type = KVMAP_RECORD_REGISTERS,
			.detail = i,
			.value = { 10 * i, 10 * i + 1, 10 * i + 2, 10 * i + 3, 10 * i + 4, 10 * i + 5 } });
	cr_expect_eq(session.run.hello.value[0], 1);
	cr_expect_eq(session.run.bye.value[0], 2);
	cr_expect_eq(session.death.oops.value[0], 3);
	for (uint64_t i = 0; i < 18; i++)
		cr_expect_eq(session.death.oops_registers[i], i / 6 * 10 + i % 6);
	expect_counts(0, 0);
}

Test(records, of_free_blocks_are_kept_if_they_can_be)
{
	take((struct kvmap_record){
		.type = KVMAP_RECORD_FREE_BLOCKS, .status = ZONE_DMA32, .detail = 1, .value = { 1 } });
	cr_assert_eq(session.free_blocks.count, 1);
	cr_expect_eq(session.free_blocks.items[0].detail, 1);
	take((struct kvmap_record){ .type = KVMAP_RECORD_FREE_BLOCKS, .operation = WORLD_OPERATIONS });
	take((struct kvmap_record){ .type = KVMAP_RECORD_FREE_BLOCKS, .status = ZONE_TYPES });
	take((struct kvmap_record){ .type = KVMAP_RECORD_FREE_BLOCKS, .detail = KVMAP_NODES_MAX });
	expect_counts(0, 3);
	for (unsigned int i = 0; i < FREE_BLOCKS_KEPT + 10; i++)
		take((struct kvmap_record){ .type = KVMAP_RECORD_FREE_BLOCKS });
	cr_expect_eq(session.free_blocks.count, FREE_BLOCKS_KEPT);
	expect_counts(0, 3);
}

Test(records, of_registers_beyond_the_third_are_not_written_anywhere)
{
	struct report_death before = session.death;

	take((struct kvmap_record){
		.type = KVMAP_RECORD_REGISTERS, .detail = 3, .value = { 1, 1, 1, 1, 1, 1 } });
	take((struct kvmap_record){ .type = KVMAP_RECORD_REGISTERS, .detail = ~0u, .value = { 1 } });
	cr_expect(!memcmp(&before, &session.death, sizeof(before)));
}
