/* SPDX-License-Identifier: MIT */
/*
 * What a VM answers, whatever it is asked.
 */
#include "fake_vm.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

static uint64_t clock_ns = 1000;
static struct control_answer answer;

static uint64_t now_ns(void)
{
	return clock_ns;
}

static struct fake_vm fake;
static struct control_desk desk;

static void open_desk(void)
{
	fake_vm_make(&fake);
	desk = (struct control_desk){ .vm = &fake.vm };
}

static void close_desk(void)
{
	cr_expect_not(fake.misused, "hold and release come in turns, and nothing is asked outside a hold");
	fake_vm_close(&fake);
}

static enum control_do ask(struct control_peer *peer, uint16_t type, uint32_t cpu, uint64_t address)
{
	uint32_t count = type == CONTROL_TRANSLATE;
	struct control_question question = {
		.request = {
			.magic = CONTROL_MAGIC,
			.version = CONTROL_VERSION,
			.type = type,
			.cpu = cpu,
			.count = count,
		},
		.addresses = { address },
	};

	return control_answer(&desk, peer, &question,
			      sizeof(question.request) + count * sizeof(question.addresses[0]), now_ns,
			      &answer);
}

static uint32_t status_of(struct control_peer *peer, uint16_t type)
{
	ask(peer, type, 0, 0);
	return answer.reply.status;
}

TestSuite(answer, .init = open_desk, .fini = close_desk);

Test(answer, says_what_vm_it_is_and_in_what_state)
{
	struct control_peer peer = { 0 };

	cr_assert_eq(ask(&peer, CONTROL_HELLO, 0, 0), CONTROL_SEND);
	cr_assert_eq(answer.reply.size, sizeof(answer.hello));
	cr_expect_eq(answer.hello.pid, FAKE_PID);
	cr_expect_eq(answer.hello.state, CONTROL_RUNNING);
	status_of(&peer, CONTROL_PAUSE);
	status_of(&peer, CONTROL_HELLO);
	cr_expect_eq(answer.hello.state, CONTROL_PAUSED);
	status_of(&peer, CONTROL_RESUME);
	desk.at_end = true;
	status_of(&peer, CONTROL_HELLO);
	cr_expect_eq(answer.hello.state, CONTROL_AT_END);
}

Test(answer, passes_its_memory)
{
	struct control_peer peer = { 0 };

	cr_assert_eq(ask(&peer, CONTROL_MEMORY, 0, 0), CONTROL_SEND_FDS);
	cr_expect_eq(answer.reply.size,
		     offsetof(struct control_memory, regions) + sizeof(struct control_region));
	cr_expect_eq(answer.memory.regions[0].gpa, 0x10000);
}

Test(answer, a_pause_holds_the_vm_and_shows_its_registers)
{
	struct control_peer peer = { 0 };

	cr_assert_eq(status_of(&peer, CONTROL_PAUSE), CONTROL_OK);
	cr_expect(fake.is_held);
	cr_expect_eq(answer.cpus.count, 2);
	cr_expect_eq(answer.cpus.cpus[1].rip, 0x2222);
	clock_ns += 777;
	cr_assert_eq(status_of(&peer, CONTROL_RESUME), CONTROL_OK);
	cr_expect_eq(answer.paused.ns, 777);
	cr_expect_not(fake.is_held);
}

Test(answer, the_vm_goes_on_when_the_last_of_its_peers_lets_it)
{
	struct control_peer first = { 0 }, second = { 0 };

	status_of(&first, CONTROL_PAUSE);
	status_of(&second, CONTROL_PAUSE);
	status_of(&first, CONTROL_PAUSE);
	status_of(&first, CONTROL_RESUME);
	cr_expect(fake.is_held);
	control_leave(&desk, &second);
	cr_expect_not(fake.is_held);
	cr_expect_eq(fake.holds, 1);
}

Test(answer, without_a_pause_nothing_is_translated_or_resumed)
{
	struct control_peer peer = { 0 }, other = { 0 };

	status_of(&other, CONTROL_PAUSE);
	cr_expect_eq(status_of(&peer, CONTROL_TRANSLATE), CONTROL_NOT_PAUSED);
	cr_expect_eq(status_of(&peer, CONTROL_RESUME), CONTROL_NOT_PAUSED);
	cr_expect_eq(answer.reply.size, 0);
	control_leave(&desk, &peer);
	cr_expect(fake.is_held);
	control_leave(&desk, &other);
}

Test(answer, translates_in_a_pause)
{
	struct control_peer peer = { 0 };

	status_of(&peer, CONTROL_PAUSE);
	ask(&peer, CONTROL_TRANSLATE, 1, 0x20);
	cr_assert_eq(answer.reply.status, CONTROL_OK);
	cr_expect_eq(answer.translations[0].valid, 1);
	cr_expect_eq(answer.translations[0].gpa, 0x21);
	ask(&peer, CONTROL_TRANSLATE, 1, FAKE_MEMORY);
	cr_expect_eq(answer.translations[0].valid, 0);
	ask(&peer, CONTROL_TRANSLATE, 2, 0);
	cr_expect_eq(answer.reply.status, CONTROL_FAILED);
	control_leave(&desk, &peer);
}

static struct control_question question_of(uint32_t count)
{
	struct control_question question = {
		.request = { CONTROL_MAGIC, CONTROL_VERSION, CONTROL_TRANSLATE, 0, count },
	};

	for (uint32_t i = 0; i < CONTROL_ADDRESSES_MAX; i++)
		question.addresses[i] = 0x100 * i;
	return question;
}

Test(answer, translates_many_addresses_at_once_and_no_more_than_fit)
{
	struct control_question question = question_of(CONTROL_ADDRESSES_MAX);
	uint8_t longer[sizeof(question) + 8] = { 0 };
	struct control_peer peer = { 0 };

	status_of(&peer, CONTROL_PAUSE);
	control_answer(&desk, &peer, &question, sizeof(question), now_ns, &answer);
	cr_assert_eq(answer.reply.status, CONTROL_OK);
	cr_assert_eq(answer.reply.size, CONTROL_ADDRESSES_MAX * sizeof(answer.translations[0]));
	for (uint32_t i = 0; i < CONTROL_ADDRESSES_MAX; i++)
		cr_expect_eq(answer.translations[i].gpa, 0x100 * i);
	question = question_of(CONTROL_ADDRESSES_MAX + 1);
	memcpy(longer, &question, sizeof(question));
	cr_expect_eq(control_answer(&desk, &peer, longer, sizeof(longer), now_ns, &answer),
		     CONTROL_SEND_CLOSE);
	question = question_of(2);
	cr_expect_eq(control_answer(&desk, &peer, &question, sizeof(question.request) + 8, now_ns, &answer),
		     CONTROL_SEND_CLOSE);
	question.request.type = CONTROL_PAUSE;
	cr_expect_eq(control_answer(&desk, &peer, &question, sizeof(question.request) + 16, now_ns, &answer),
		     CONTROL_SEND_CLOSE);
	control_leave(&desk, &peer);
}

Test(answer, a_pause_ends_by_itself_and_its_peer_is_told_once)
{
	struct control_peer peer = { 0 };

	status_of(&peer, CONTROL_PAUSE);
	cr_expect_eq(control_deadline(&peer), clock_ns + CONTROL_PAUSE_MAX_NS);
	control_expire(&desk, &peer, clock_ns + CONTROL_PAUSE_MAX_NS - 1);
	cr_expect(fake.is_held);
	clock_ns += CONTROL_PAUSE_MAX_NS / 2;
	status_of(&peer, CONTROL_PAUSE);
	control_expire(&desk, &peer, clock_ns + CONTROL_PAUSE_MAX_NS / 2);
	cr_expect_not(fake.is_held, "asking again gives no more time");
	cr_expect_eq(control_deadline(&peer), UINT64_MAX);
	cr_expect_eq(status_of(&peer, CONTROL_RESUME), CONTROL_EXPIRED);
	cr_expect_eq(status_of(&peer, CONTROL_RESUME), CONTROL_NOT_PAUSED);
}

Test(answer, a_vm_whose_registers_cannot_be_had_goes_on)
{
	struct control_peer peer = { 0 };

	fake.refuses = true;
	cr_expect_eq(status_of(&peer, CONTROL_PAUSE), CONTROL_FAILED);
	cr_expect_not(fake.is_held);
	control_leave(&desk, &peer);
}

Test(answer, is_let_go_at_its_end_only)
{
	struct control_peer peer = { 0 };

	cr_expect_eq(status_of(&peer, CONTROL_LET_GO), CONTROL_NOT_HELD);
	cr_expect_not(desk.let_go);
	desk.at_end = true;
	cr_expect_eq(status_of(&peer, CONTROL_LET_GO), CONTROL_OK);
	cr_expect(desk.let_go);
}

Test(answer, what_is_no_request_ends_the_connection)
{
	struct control_request request = { .magic = CONTROL_MAGIC,
					   .version = CONTROL_VERSION,
					   .type = CONTROL_PAUSE };
	struct control_peer peer = { 0 };
	uint8_t longer[sizeof(request) + 1] = { 0 };

	memcpy(longer, &request, sizeof(request));
	for (size_t size = 0; size < sizeof(request); size++)
		cr_expect_eq(control_answer(&desk, &peer, longer, size, now_ns, &answer), CONTROL_SEND_CLOSE);
	cr_expect_eq(control_answer(&desk, &peer, longer, sizeof(longer), now_ns, &answer),
		     CONTROL_SEND_CLOSE);
	request.version++;
	cr_expect_eq(control_answer(&desk, &peer, &request, sizeof(request), now_ns, &answer),
		     CONTROL_SEND_CLOSE);
	cr_expect_eq(answer.reply.status, CONTROL_BAD_REQUEST);
	cr_expect_eq(ask(&peer, 0, 0, 0), CONTROL_SEND_CLOSE);
	cr_expect_eq(ask(&peer, CONTROL_LET_GO + 1, 0, 0), CONTROL_SEND_CLOSE);
	cr_expect_eq(fake.holds, 0);
}
