/* SPDX-License-Identifier: MIT */
/*
 * Records from a guest, honest and not.
 */
#include "guest.h"

#include <string.h>

/* movl $value, address */
#define STORE(address, value) "\xc7\x05" address value
#define HEAD                  "\x04\0\x01\0"
#define TAIL                  "\x08\0\x01\0"
#define RECORD_TYPE           "\x40\0\x01\0"
#define RECORD_OPERATION      "\x44\0\x01\0"
#define RECORD_VALUE          "\x50\0\x01\0"
#define DOORBELL              "\xb8\x01\0\0\0\xba\x04\x0b\0\0\xef"

Test(channel, a_record_arrives_once)
{
	struct machine *machine = GUEST(STORE(RECORD_TYPE, "\x02\0\0\0") STORE(RECORD_OPERATION, "\x07\0\0\0")
						STORE(RECORD_VALUE, "\x78\x56\x34\x12")
							STORE(HEAD, "\x01\0\0\0") DOORBELL EXIT_WITH("\x10"));
	struct kvmap_record record;
	bool damaged = true;

	cr_expect(eq(int, guest_run(machine, 0).type, MACHINE_DOORBELL));
	cr_assert(machine_next_record(machine, &record, &damaged));
	cr_expect(not(damaged));
	cr_expect(eq(u16, record.type, KVMAP_RECORD_RESULT));
	cr_expect(eq(u32, record.operation, 7));
	cr_expect(eq(u64, record.value[0], 0x12345678));
	cr_expect(not(machine_next_record(machine, &record, &damaged)));
	cr_expect(not(damaged));
	machine_destroy(machine);
}

Test(channel, the_guest_sees_how_far_the_host_has_read)
{
	/* ring with one record, then leave with the tail as exit value: mov TAIL, %eax; out */
	struct machine *machine = GUEST(STORE(HEAD, "\x01\0\0\0") DOORBELL "\xa1" TAIL "\xe7\xf4");
	struct kvmap_record record;
	bool damaged;

	guest_run(machine, 0);
	while (machine_next_record(machine, &record, &damaged))
		;
	cr_expect(eq(u64, guest_run(machine, 0).value, 1));
	machine_destroy(machine);
}

Test(channel, all_records_that_fit_arrive)
{
	struct machine *machine = GUEST(STORE(HEAD, "\0\x04\0\0") DOORBELL EXIT_WITH("\x10"));
	struct kvmap_record record;
	unsigned int count = 0;
	bool damaged;

	guest_run(machine, 0);
	while (machine_next_record(machine, &record, &damaged))
		count++;
	cr_expect(eq(u32, count, 1024));
	cr_expect(not(damaged));
	machine_destroy(machine);
}

Test(channel, a_head_that_cannot_be_is_damage_and_what_follows_is_read_again)
{
	struct machine *machine =
		GUEST(STORE(HEAD, "\x01\x04\0\0") DOORBELL STORE(HEAD, "\x02\x04\0\0") DOORBELL);
	struct kvmap_record record;
	bool damaged = false;

	guest_run(machine, 0);
	cr_expect(not(machine_next_record(machine, &record, &damaged)));
	cr_expect(damaged);
	guest_run(machine, 0);
	cr_expect(machine_next_record(machine, &record, &damaged));
	cr_expect(not(damaged));
	cr_expect(not(machine_next_record(machine, &record, &damaged)));
	machine_destroy(machine);
}

Test(channel, a_guest_that_moves_the_tail_moves_nothing)
{
	struct machine *machine = GUEST(STORE(HEAD, "\x02\0\0\0") STORE(TAIL, "\xff\xff\xff\xff") DOORBELL);
	struct kvmap_record record;
	bool damaged;

	guest_run(machine, 0);
	cr_expect(machine_next_record(machine, &record, &damaged));
	cr_expect(machine_next_record(machine, &record, &damaged));
	cr_expect(not(machine_next_record(machine, &record, &damaged)));
	cr_expect(not(damaged));
	machine_destroy(machine);
}
