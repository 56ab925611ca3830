/* SPDX-License-Identifier: MIT */
/*
 * Replies of a VM to valid and invalid requests.
 */
#include "fake_vm.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

static uint64_t clock_ns = 1000;
static struct control_reply reply;

static uint64_t now_ns(void)
{
	return clock_ns;
}

static struct fake_vm fake;
static struct control_vm_state state;

static void open_state(void)
{
	fake_vm_make(&fake);
	state = (struct control_vm_state){ .vm = &fake.vm };
}

static void close_state(void)
{
	cr_expect_not(fake.misused, "hold and release alternate, and registers are read only during a hold");
	fake_vm_close(&fake);
}

static enum control_action ask(struct control_connection *connection, uint16_t type, uint32_t cpu,
			       uint64_t address)
{
	uint32_t count = type == CONTROL_TRANSLATE;
	struct control_request request = {
		.header = {
			.magic = CONTROL_MAGIC,
			.version = CONTROL_VERSION,
			.type = type,
			.cpu = cpu,
			.count = count,
		},
		.addresses = { address },
	};

	return control_handle_request(&state, connection, &request,
				      sizeof(request.header) + count * sizeof(request.addresses[0]), now_ns,
				      &reply);
}

static uint32_t status_of(struct control_connection *connection, uint16_t type)
{
	memset(&reply, 0xff, sizeof(reply));
	ask(connection, type, 0, 0);
	cr_expect(reply.header.magic == CONTROL_MAGIC && reply.header.version == CONTROL_VERSION &&
		  reply.header.type == type);
	if (reply.header.status || type == CONTROL_END_HOLD)
		cr_expect_eq(reply.header.size, 0);
	return reply.header.status;
}

TestSuite(requests, .init = open_state, .fini = close_state);

Test(requests, says_what_vm_it_is_and_in_what_state)
{
	struct control_connection connection = { 0 };

	cr_assert_eq(ask(&connection, CONTROL_HELLO, 0, 0), CONTROL_SEND);
	cr_assert_eq(reply.header.size, sizeof(reply.hello));
	cr_expect(!memcmp(&reply.hello, &fake.vm.hello, sizeof(reply.hello)));
	cr_expect_eq(reply.hello.state, CONTROL_RUNNING);
	status_of(&connection, CONTROL_PAUSE);
	status_of(&connection, CONTROL_HELLO);
	cr_expect_eq(reply.hello.state, CONTROL_PAUSED);
	status_of(&connection, CONTROL_RESUME);
	state.at_end = true;
	status_of(&connection, CONTROL_HELLO);
	cr_expect_eq(reply.hello.state, CONTROL_AT_END);
}

Test(requests, passes_its_memory)
{
	struct control_connection connection = { 0 };

	cr_assert_eq(ask(&connection, CONTROL_MEMORY, 0, 0), CONTROL_SEND_FDS);
	cr_expect_eq(reply.header.size,
		     offsetof(struct control_memory, regions) + sizeof(struct control_region));
	cr_expect(!memcmp(&reply.memory, &fake.vm.memory, sizeof(reply.memory)));
}

Test(requests, a_pause_holds_the_vm_and_shows_its_registers)
{
	struct control_connection connection = { 0 };

	cr_assert_eq(status_of(&connection, CONTROL_PAUSE), CONTROL_OK);
	cr_expect(fake.is_held);
	cr_expect_eq(reply.header.size, offsetof(struct control_cpus, cpus) + 2 * sizeof(struct view_cpu));
	cr_expect_eq(reply.cpus.count, 2);
	cr_expect_eq(reply.cpus.unused, 0);
	cr_expect_eq(reply.cpus.cpus[0].rip, 0x1111);
	cr_expect_eq(reply.cpus.cpus[1].rip, 0x2222);
	clock_ns += 777;
	cr_assert_eq(status_of(&connection, CONTROL_RESUME), CONTROL_OK);
	cr_expect_eq(reply.paused.ns, 777);
	cr_expect_not(fake.is_held);
}

Test(requests, the_vm_goes_on_when_its_last_pause_ends)
{
	struct control_connection first = { 0 }, second = { 0 };

	status_of(&first, CONTROL_PAUSE);
	status_of(&second, CONTROL_PAUSE);
	status_of(&first, CONTROL_PAUSE);
	status_of(&first, CONTROL_RESUME);
	cr_expect(fake.is_held);
	control_disconnect(&state, &second);
	cr_expect_not(fake.is_held);
	cr_expect_eq(fake.holds, 1);
}

Test(requests, without_a_pause_nothing_is_translated_or_resumed)
{
	struct control_connection connection = { 0 }, other = { 0 };

	status_of(&other, CONTROL_PAUSE);
	cr_expect_eq(status_of(&connection, CONTROL_TRANSLATE), CONTROL_NOT_PAUSED);
	cr_expect_eq(status_of(&connection, CONTROL_RESUME), CONTROL_NOT_PAUSED);
	cr_expect_eq(reply.header.size, 0);
	control_disconnect(&state, &connection);
	cr_expect(fake.is_held);
	control_disconnect(&state, &other);
}

Test(requests, translates_in_a_pause)
{
	struct control_connection connection = { 0 };

	status_of(&connection, CONTROL_PAUSE);
	ask(&connection, CONTROL_TRANSLATE, 1, 0x20);
	cr_assert_eq(reply.header.status, CONTROL_OK);
	cr_expect_eq(reply.translations[0].valid, 1);
	cr_expect_eq(reply.translations[0].gpa, 0x21);
	ask(&connection, CONTROL_TRANSLATE, 1, FAKE_MEMORY);
	cr_expect_eq(reply.translations[0].valid, 0);
	ask(&connection, CONTROL_TRANSLATE, 2, 0);
	cr_expect_eq(reply.header.status, CONTROL_FAILED);
	control_disconnect(&state, &connection);
}

static struct control_request question_of(uint32_t count)
{
	struct control_request request = {
		.header = { CONTROL_MAGIC, CONTROL_VERSION, CONTROL_TRANSLATE, 0, count },
	};

	for (uint32_t i = 0; i < CONTROL_ADDRESSES_MAX; i++)
		request.addresses[i] = 0x100 * i;
	return request;
}

Test(requests, translates_many_addresses_at_once_and_no_more_than_fit)
{
	struct control_request request = question_of(CONTROL_ADDRESSES_MAX);
	uint8_t longer[sizeof(request) + 8] = { 0 };
	struct control_connection connection = { 0 };

	status_of(&connection, CONTROL_PAUSE);
	control_handle_request(&state, &connection, &request, sizeof(request), now_ns, &reply);
	cr_assert_eq(reply.header.status, CONTROL_OK);
	cr_assert_eq(reply.header.size, CONTROL_ADDRESSES_MAX * sizeof(reply.translations[0]));
	for (uint32_t i = 0; i < CONTROL_ADDRESSES_MAX; i++)
		cr_expect_eq(reply.translations[i].gpa, 0x100 * i);
	request = question_of(CONTROL_ADDRESSES_MAX + 1);
	memcpy(longer, &request, sizeof(request));
	cr_expect_eq(control_handle_request(&state, &connection, longer, sizeof(longer), now_ns, &reply),
		     CONTROL_SEND_CLOSE);
	request = question_of(2);
	cr_expect_eq(control_handle_request(&state, &connection, &request, sizeof(request.header) + 8, now_ns,
					    &reply),
		     CONTROL_SEND_CLOSE);
	request.header.type = CONTROL_PAUSE;
	cr_expect_eq(control_handle_request(&state, &connection, &request, sizeof(request.header) + 16,
					    now_ns, &reply),
		     CONTROL_SEND_CLOSE);
	control_disconnect(&state, &connection);
}

Test(requests, a_pause_ends_by_itself_and_that_is_reported_once)
{
	struct control_connection connection = { 0 };

	status_of(&connection, CONTROL_PAUSE);
	cr_expect_eq(control_pause_deadline(&connection), clock_ns + CONTROL_PAUSE_MAX_NS);
	control_pause_expire(&state, &connection, clock_ns + CONTROL_PAUSE_MAX_NS - 1);
	cr_expect(fake.is_held);
	clock_ns += CONTROL_PAUSE_MAX_NS / 2;
	status_of(&connection, CONTROL_PAUSE);
	control_pause_expire(&state, &connection, clock_ns + CONTROL_PAUSE_MAX_NS / 2);
	cr_expect_not(fake.is_held, "asking again gives no more time");
	cr_expect_eq(control_pause_deadline(&connection), UINT64_MAX);
	cr_expect_eq(status_of(&connection, CONTROL_RESUME), CONTROL_EXPIRED);
	cr_expect_eq(status_of(&connection, CONTROL_RESUME), CONTROL_NOT_PAUSED);
}

Test(requests, a_vm_whose_registers_cannot_be_had_goes_on)
{
	struct control_connection connection = { 0 };

	fake.refuses = true;
	cr_expect_eq(status_of(&connection, CONTROL_PAUSE), CONTROL_FAILED);
	cr_expect_not(fake.is_held);
	control_disconnect(&state, &connection);
}

Test(requests, a_hold_is_ended_only_at_the_end)
{
	struct control_connection connection = { 0 };

	cr_expect_eq(status_of(&connection, CONTROL_END_HOLD), CONTROL_NOT_HELD);
	cr_expect_not(state.hold_ended);
	state.at_end = true;
	cr_expect_eq(status_of(&connection, CONTROL_END_HOLD), CONTROL_OK);
	cr_expect(state.hold_ended);
}

Test(requests, the_end_of_a_hold_is_remembered_before_the_end)
{
	struct control_connection connection = { 0 };
	struct control_vm vm = *state.vm;

	vm.held = true;
	state.vm = &vm;
	cr_expect_eq(status_of(&connection, CONTROL_END_HOLD), CONTROL_OK);
	cr_expect(state.hold_ended);
	cr_expect_not(state.at_end);
}

Test(requests, what_is_no_request_ends_the_connection)
{
	struct control_request_header request = { .magic = CONTROL_MAGIC,
						  .version = CONTROL_VERSION,
						  .type = CONTROL_PAUSE };
	struct control_connection connection = { 0 };
	uint8_t longer[sizeof(request) + 1] = { 0 };

	memcpy(longer, &request, sizeof(request));
	for (size_t size = 0; size < sizeof(request); size++)
		cr_expect_eq(control_handle_request(&state, &connection, longer, size, now_ns, &reply),
			     CONTROL_SEND_CLOSE);
	cr_expect_eq(control_handle_request(&state, &connection, longer, sizeof(longer), now_ns, &reply),
		     CONTROL_SEND_CLOSE);
	request.version++;
	cr_expect_eq(control_handle_request(&state, &connection, &request, sizeof(request), now_ns, &reply),
		     CONTROL_SEND_CLOSE);
	cr_expect_eq(reply.header.status, CONTROL_BAD_REQUEST);
	cr_expect_eq(ask(&connection, 0, 0, 0), CONTROL_SEND_CLOSE);
	cr_expect_eq(ask(&connection, CONTROL_END_HOLD + 1, 0, 0), CONTROL_SEND_CLOSE);
	cr_expect_eq(fake.holds, 0);
}
