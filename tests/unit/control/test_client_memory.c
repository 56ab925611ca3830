/* SPDX-License-Identifier: MIT */
/*
 * The client's memory and descriptors: what it accepts of a server, and what it refuses.
 */
#define _GNU_SOURCE /* memfd_create */
#include "descriptors.h"
#include "errors.h"
#include "failing.h"
#include "peer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(client_memory, .init = peer_start, .fini = peer_end);

/* The client refuses this memory; `fd` -1: without a descriptor. */
static void expect_memory_refused(struct control_reply reply, int fd, uint64_t address, const char *text)
{
	struct control_client *client;

	close(sockets[1]);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	client = open_client();
	send_bytes(&reply, sizeof(reply.header) + reply.header.size, &fd, fd >= 0);
	cr_expect_eq(control_client_map(client, &error), -1, "mapped, although: %s", text);
	expect_whole_error(&error, ERROR_HOST, 0, address, text);
	control_client_close(client);
}

Test(client_memory, memory_that_the_server_could_truncate_is_refused)
{
	int unsealed = memfd_create("unsealed", MFD_CLOEXEC);
	int ends[2];

	cr_assert_eq(ftruncate(unsealed, MEMORY), 0);
	expect_memory_refused(memory_reply(), unsealed, 0x10000, NOT_IN_FILE);
	cr_assert_eq(pipe(ends), 0);
	expect_memory_refused(memory_reply(), ends[0], 0x10000, NOT_IN_FILE);
	expect_memory_refused(memory_reply(), -1, 0x10000, NOT_IN_FILE);
	close(ends[0]);
	close(ends[1]);
	close(unsealed);
}

Test(client_memory, memory_of_huge_pages_is_refused)
{
	int huge = memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);

	if (huge < 0)
		cr_skip_test("no huge pages");
	cr_assert_eq(ftruncate(huge, 2 << 20), 0);
	cr_assert_eq(fcntl(huge, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	expect_memory_refused(memory_reply(), huge, 0x10000, NOT_IN_FILE);
	close(huge);
}

Test(client_memory, more_memory_than_a_guest_has_is_refused)
{
	struct control_reply reply = memory_reply();

	cr_assert_eq(ftruncate(memory, 32ll << 40), 0);
	reply.memory.regions[0].size = 32ull << 40;
	expect_memory_refused(reply, memory, 0x10000, NOT_IN_FILE);
	reply = memory_reply();
	reply.memory.region_count = 2;
	reply.header.size = offsetof(struct control_memory, regions) + 2 * sizeof(struct control_region);
	reply.memory.regions[0].gpa = 0;
	reply.memory.regions[0].size = 64ull << 30;
	reply.memory.regions[1] = (struct control_region){ .gpa = 64ull << 30, .size = 4096 };
	expect_memory_refused(reply, memory, 0,
			      "the VM says that it has 0x1000001000 bytes of memory, more than a guest of "
			      "kvmap has");
}

Test(client_memory, regions_that_are_not_in_the_file_are_refused)
{
	static const struct control_region regions[] = {
		{ .size = MEMORY + 4096 },
		{ .size = 4096, .offset = MEMORY },
		{ .size = 4096, .offset = -4096ull },
		{ .size = MEMORY, .offset = 4096 },
		{ .size = 0 },
		{ .size = 4095 },
		{ .size = 4096, .offset = 8 },
		{ .size = 4096, .fd = 1 },
		{ .size = 4096, .fd = UINT32_MAX },
	};

	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
		struct control_reply reply = memory_reply();

		reply.memory.regions[0] = regions[i];
		reply.memory.regions[0].gpa = 0x10000;
		expect_memory_refused(reply, memory, 0x10000, NOT_IN_FILE);
	}
}

Test(client_memory, regions_that_no_guest_has_are_refused)
{
	static const struct {
		struct control_region region;
		const char *text;
	} second[] = {
		{ { .gpa = 0x10000, .size = 4096 },
		  "the VM's memory: memory at GPA 0x10000, size 0x1000: overlaps the memory at GPA 0x10000" },
		{ { .gpa = 0x100008, .size = 4096 },
		  "the VM's memory: memory at GPA 0x100008, size 0x1000: not a whole number of pages" },
		{ { .gpa = -4096ull, .size = 8192 },
		  "the VM's memory: memory at GPA 0xfffffffffffff000, size 0x2000: wraps around the address "
		  "space" },
	};

	for (size_t i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
		struct control_reply reply = memory_reply();

		reply.header.size += sizeof(second[0].region);
		reply.memory.region_count = 2;
		reply.memory.regions[1] = second[i].region;
		expect_memory_refused(reply, memory, second[i].region.gpa, second[i].text);
	}
}

/* As many regions as there may be, of a page each, and the largest and smallest MAXPHYADDR. */
Test(client_memory, the_view_is_as_the_description_of_memory)
{
	struct control_reply reply = reply_of(CONTROL_MEMORY, sizeof(struct control_memory));
	struct control_client *client = open_client();
	const struct view *view;

	reply.memory.region_count = CONTROL_REGIONS_MAX;
	for (unsigned int i = 0; i < CONTROL_REGIONS_MAX; i++)
		reply.memory.regions[i] = (struct control_region){
			.gpa = (2 * i + 1) << 12, .size = 4096, .offset = i % 64 << 12, .fd = i % 2
		};
	reply.memory.physical_bits = 52;
	reply.memory.pages_1g = 1;
	send_bytes(&reply, sizeof(reply), (const int[]){ memory, memory }, 2);
	cr_assert_eq(control_client_map(client, &error), 0, "%s", error.text);
	send_reply(reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus)));
	cr_assert_eq(control_client_pause(client, &view, &error), 0, "%s", error.text);
	cr_expect(view->pages_1g && view->tracks_access);
	cr_expect_eq(view->physical_bits, 52);
	cr_expect_eq(view->cpu_count, 0);
	cr_expect_eq(view->translate_max, CONTROL_ADDRESSES_MAX);
	cr_expect_eq(view->data_size_max, CONTROL_REGIONS_MAX * 4096, "no more than there is memory");
	cr_assert_eq(view->region_count, CONTROL_REGIONS_MAX);
	for (unsigned int i = 0; i < CONTROL_REGIONS_MAX; i++) {
		const struct view_region *region = &view->regions[i];

		cr_expect(region->gpa == reply.memory.regions[i].gpa && region->size == 4096 &&
				  region->offset == reply.memory.regions[i].offset && region->bytes &&
				  region->accessed && !region->hva,
			  "region %u", i);
		cr_expect_eq(region->fd, view->regions[i % 2].fd, "region %u", i);
	}
	cr_expect_neq(view->regions[0].fd, view->regions[1].fd);
	control_client_close(client);
}

Test(client_memory, maxphyaddr_may_be_as_little_as_32)
{
	struct control_client *client = open_client();
	struct control_reply reply = memory_reply();

	reply.memory.physical_bits = 32;
	send_bytes(&reply, sizeof(reply.header) + reply.header.size, &memory, 1);
	cr_expect_eq(control_client_map(client, &error), 0, "%s", error.text);
	control_client_close(client);
}

/* Memory of `size` bytes, of which `data` are in use. */
static uint64_t bound_of_data(uint64_t size, uint64_t data)
{
	struct control_client *client = open_client();
	struct control_reply reply = memory_reply();
	int file = memfd_create("sparse", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const struct view *view;
	uint64_t bound;

	cr_assert_eq(ftruncate(file, (off_t)size), 0);
	for (uint64_t page = 0; page < data; page += 4096)
		cr_assert_eq(pwrite(file, "x", 1, (off_t)page), 1);
	cr_assert_eq(fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	reply.memory.regions[0].size = size;
	send_bytes(&reply, sizeof(reply.header) + reply.header.size, &file, 1);
	cr_assert_eq(control_client_map(client, &error), 0, "%s", error.text);
	send_reply(reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus)));
	cr_assert_eq(control_client_pause(client, &view, &error), 0, "%s", error.text);
	bound = view->data_size_max;
	control_client_close(client);
	close(file);
	close(sockets[1]);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	return bound;
}

Test(client_memory, the_data_that_is_expected_is_twice_that_in_use_and_64_mib)
{
	cr_expect_eq(bound_of_data(4096, 4096), 4096);
	cr_expect_eq(bound_of_data(64 << 20, 4096), 64 << 20);
	cr_expect_eq(bound_of_data(1 << 30, 8192), (64 << 20) + 2 * 8192);
	cr_expect_eq(bound_of_data((64 << 20) + 8192, 8192), (64 << 20) + 8192);
	cr_expect_eq(bound_of_data((64 << 20) + 8 * 4096, 3 * 4096), (64 << 20) + 6 * 4096);
}

Test(client_memory, a_description_of_memory_that_cannot_be_is_refused)
{
	struct control_reply reply;

	reply = memory_reply();
	reply.memory.region_count = 0;
	expect_memory_refused(reply, memory, 0, BAD_MEMORY);
	reply = memory_reply();
	reply.memory.region_count = 2;
	expect_memory_refused(reply, memory, 0, BAD_MEMORY);
	reply = memory_reply();
	reply.memory.region_count = UINT32_MAX;
	expect_memory_refused(reply, memory, 0, BAD_MEMORY);
	reply = memory_reply();
	reply.memory.physical_bits = 31;
	expect_memory_refused(reply, memory, 0, BAD_MEMORY);
	reply.memory.physical_bits = 53;
	expect_memory_refused(reply, memory, 0, BAD_MEMORY);
	reply = memory_reply();
	reply.memory.pages_1g = 2;
	expect_memory_refused(reply, memory, 0, BAD_MEMORY);
}

/* ---- descriptors ---- */

Test(client_memory, descriptors_that_no_request_wants_are_closed)
{
	const int fds[] = { memory, memory, memory };
	struct control_client *client = open_client();
	unsigned int before = open_descriptors();
	struct control_reply reply = reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus));
	const struct view *view;

	send_bytes(&reply, sizeof(reply.header) + reply.header.size, fds, 3);
	cr_assert_eq(control_client_pause(client, &view, &error), 0, "%s", error.text);
	cr_expect_eq(open_descriptors(), before);
	control_client_close(client);
}

/* Credentials, which Linux adds if the receiver wants them, are no descriptors: root's numbers are that of descriptor 0. */
Test(client_memory, a_message_of_another_kind_than_descriptors_is_skipped)
{
	struct control_client *client = open_client();
	const struct view *view;
	int on = 1;

	cr_assert_eq(dup2(memory, 0), 0);
	cr_assert_eq(setsockopt(sockets[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	send_reply(reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus)));
	cr_expect_eq(control_client_pause(client, &view, &error), 0, "%s", error.text);
	cr_expect_eq(fcntl(0, F_GETFD), 0);
	control_client_close(client);
}

Test(client_memory, memory_that_cannot_be_mapped_is_an_error)
{
	struct control_client *client = open_client();
	struct control_reply reply = memory_reply();

	send_bytes(&reply, sizeof(reply.header) + reply.header.size, &memory, 1);
	calls_fail("mmap64", ENOMEM, 1);
	cr_expect_eq(control_client_map(client, &error), -1);
	expect_whole_error(&error, ERROR_HOST, ENOMEM, 0x10000, "cannot map the VM's memory at GPA 0x10000");
	control_client_close(client);
}

Test(client_memory, more_descriptors_than_it_takes_are_not_left_open)
{
	unsigned int before = open_descriptors();
	struct control_client *client = open_client();
	struct control_reply reply = memory_reply();
	int fds[20];

	for (int i = 0; i < 20; i++)
		fds[i] = memory;
	send_bytes(&reply, sizeof(reply.header) + reply.header.size, fds, 20);
	send_bytes(&reply, sizeof(reply.header) + reply.header.size, fds, 8);
	cr_expect_eq(control_client_map(client, &error), 0, "%s", error.text);
	cr_expect_leq(open_descriptors(), before + CONTROL_FDS_MAX);
	/* The second reply overlaps the first; its descriptors find no room. */
	cr_expect_eq(control_client_map(client, &error), -1);
	cr_expect_leq(open_descriptors(), before + CONTROL_FDS_MAX);
	control_client_close(client);
	cr_expect_eq(open_descriptors(), before - 1, "the client's socket is closed too");
}
